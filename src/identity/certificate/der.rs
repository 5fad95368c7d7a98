//! What is read of a certificate beside its validity: names and purposes (RFC 5280, sections 4.2.1.6 and 4.2.1.12).
//!
//! Only of certificates that the library has judged before; whatever is not exactly of this form says nothing.

/// What a client certificate says of its holder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// Whether it says that it is one of a client.
    pub(super) is_of_client: bool,
    /// The subject's alternative names that can be compared: `dns:NAME`, `uri:…`, `email:…`.
    pub(super) names: Vec<String>,
}

/// Reads a certificate; `None` if it cannot be understood, or names too much.
pub(super) fn read(certificate: &[u8]) -> Option<Said> {
    let mut said = Said::default();
    for (id, value) in extensions(certificate)? {
        match id {
            SUBJECT_ALTERNATIVE_NAME => said.names = names(value)?,
            EXTENDED_KEY_USAGE => said.is_of_client = purposes(value)?.contains(&CLIENT_AUTH),
            _ => {}
        }
    }
    Some(said)
}

/// The extensions of a certificate: each with its id and value.
fn extensions(certificate: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    let signed = only(certificate, SEQUENCE)?;
    let (tag, mut fields, _) = next(signed)?;
    if tag != SEQUENCE {
        return None;
    }
    while !fields.is_empty() {
        let (tag, content, rest) = next(fields)?;
        if tag == EXTENSIONS {
            return items(only(content, SEQUENCE)?)?
                .into_iter()
                .map(extension)
                .collect();
        }
        fields = rest;
    }
    Some(Vec::new())
}

fn extension((tag, content): (u8, &[u8])) -> Option<(&[u8], &[u8])> {
    let parts = items(content)?;
    match (tag, parts.as_slice()) {
        (SEQUENCE, [(OBJECT_ID, id), (OCTETS, value)])
        | (SEQUENCE, [(OBJECT_ID, id), (BOOLEAN, _), (OCTETS, value)]) => Some((id, value)),
        _ => None,
    }
}

fn purposes(value: &[u8]) -> Option<Vec<&[u8]>> {
    let ids = items(only(value, SEQUENCE)?)?.into_iter();
    ids.map(|(tag, id)| (tag == OBJECT_ID).then_some(id))
        .collect()
}

fn names(value: &[u8]) -> Option<Vec<String>> {
    let all = items(only(value, SEQUENCE)?)?;
    if all.len() > NAMES_MAX {
        return None;
    }
    let mut names: Vec<String> = Vec::new();
    for (tag, content) in all {
        let name = match tag {
            DNS_NAME => text(content).filter(|name| is_host(name)).map(|name| {
                let name = name.to_ascii_lowercase();
                format!("dns:{name}")
            }),
            URI => text(content).map(|uri| format!("uri:{uri}")),
            MAIL => text(content).map(|mail| format!("email:{mail}")),
            _ => None,
        };
        names.extend(name.filter(|name| !names.contains(name)));
    }
    Some(names)
}

/// A name that everybody reads alike: visible ASCII. Others name nobody.
fn text(content: &[u8]) -> Option<&str> {
    let fits = !content.is_empty()
        && content.len() <= NAME_BYTES_MAX
        && content.iter().all(u8::is_ascii_graphic);
    std::str::from_utf8(content).ok().filter(|_| fits)
}

/// Whether a name is one of a host: a pattern (`*.example.com`) is nobody in particular.
fn is_host(name: &str) -> bool {
    name.split('.').all(|label| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        !label.is_empty() && label.bytes().all(fits)
    })
}

/// What follows one after another.
fn items(mut bytes: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut items = Vec::new();
    while !bytes.is_empty() {
        let (tag, content, rest) = next(bytes)?;
        items.push((tag, content));
        bytes = rest;
    }
    Some(items)
}

/// The content of something that is all there is.
fn only(bytes: &[u8], expected: u8) -> Option<&[u8]> {
    match next(bytes)? {
        (tag, content, []) if tag == expected => Some(content),
        _ => None,
    }
}

/// What comes first: its tag, its content, and what follows. Lengths are written in the shortest way.
fn next(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, length], rest) = bytes.split_first_chunk::<2>()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            let length = digits
                .iter()
                .fold(0, |length, digit| length << 8 | usize::from(*digit));
            let is_shortest = length > 0x7f && digits.first() != Some(&0);
            (is_shortest.then_some(length)?, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

const BOOLEAN: u8 = 0x01;
const OCTETS: u8 = 0x04;
const OBJECT_ID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const EXTENSIONS: u8 = 0xa3;
const MAIL: u8 = 0x81;
const DNS_NAME: u8 = 0x82;
const URI: u8 = 0x86;
const SUBJECT_ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
const CLIENT_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];
const NAMES_MAX: usize = 100;
const NAME_BYTES_MAX: usize = 1024;
