//! Which words may enter the log, and in what form.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use crate::detect::Kind;
use crate::vocabulary::{FieldPath, Module, RecordRef};

use super::format::refs::Refs;

/// Characters of one text in an event; longer ones are cut.
const TEXT_CHARS_MAX: usize = 255;
/// Names in one list of an event; more are counted.
const NAMES_MAX: usize = 512;
/// Characters of a name that only a reply knows.
const PLAIN_CHARS_MAX: usize = 64;
/// Characters of the longest identifier, an IBAN.
const IDENTIFIER_CHARS_MAX: usize = 34;
/// Characters of an id without words: those of a UUID.
const WORDLESS_CHARS_MAX: usize = 36;
/// Digits from which a name could be a number that identifies somebody.
const PLAIN_DIGITS_MAX: usize = 5;

/// A text whose every character can be seen: control, format and direction characters become `\u{…}`, so that it
/// stays one line and cannot steer a terminal. Texts of more than 255 characters are cut.
pub fn visible(text: &str) -> String {
    if is_visible(text) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for (count, char) in text.chars().enumerate() {
        if count == TEXT_CHARS_MAX {
            out.push('…');
            break;
        }
        if is_invisible(char) {
            out.extend(char.escape_unicode());
        } else {
            out.push(char);
        }
    }
    out
}

/// Whether a text is short, and all of it can be seen.
fn is_visible(text: &str) -> bool {
    // Looked at to the end rather than to the first: that is done many bytes at a time.
    let is_other = |byte| !(b' '..=b'~').contains(&byte);
    text.len() <= TEXT_CHARS_MAX && !text.bytes().fold(false, |any, byte| any | is_other(byte))
}

/// JSON in ASCII: what else a text holds is escaped, so that it means the same and needs no encoding to be agreed on.
pub fn ascii(value: &serde_json::Value) -> String {
    // Each value has a form in JSON.
    let text = serde_json::to_string(value).unwrap_or_default();
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 64);
    for char in text.chars() {
        if (' '..='~').contains(&char) {
            out.push(char);
            continue;
        }
        // Outside of texts, JSON that was written here has nothing else than ASCII.
        for unit in char.encode_utf16(&mut [0; 2]) {
            out.push_str(&format!("\\u{unit:04x}"));
        }
    }
    out
}

fn is_invisible(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Whether a field name that nobody has classified may be named: it looks like a name, not like a value.
pub(super) fn is_plain(name: &str) -> bool {
    !name.bytes().any(|byte| byte.is_ascii_uppercase()) && is_plain_in_any_case(name)
}

/// The same of a name in whatever case.
pub fn is_plain_in_any_case(name: &str) -> bool {
    (1..=PLAIN_CHARS_MAX).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.bytes().filter(u8::is_ascii_digit).count() <= PLAIN_DIGITS_MAX
}

/// Whether a module, which a reply may have named, looks like a name.
fn is_plain_module(module: &Module) -> bool {
    is_plain_in_any_case(module.as_str())
}

/// A record that a request named, as the log may name it. What is no id but an identifier of somebody becomes its kind
/// in brackets: some CRMs take any word for an id, and say that they have done what was asked.
pub(super) fn of_request(record: RecordRef) -> RecordRef {
    if record.id.len() > IDENTIFIER_CHARS_MAX {
        return record;
    }
    let identifiers = [Kind::Card, Kind::Iban, Kind::Nir];
    match identifiers.iter().find(|kind| kind.is_valid(&record.id)) {
        Some(kind) => RecordRef {
            id: Arc::from(format!("[{}]", kind.as_str())),
            ..record
        },
        None => record,
    }
}

/// Whether an id can hold no words: hexadecimal digits and hyphens, as CRMs make them.
pub(super) fn is_wordless(id: &str) -> bool {
    id.len() <= WORDLESS_CHARS_MAX
        && id
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// Records as the log writes them.
pub(super) fn records<'r>(records: impl IntoIterator<Item = &'r RecordRef>) -> Refs {
    let mut refs = Refs::default();
    for record in records {
        let module = match is_plain_module(&record.module) {
            true => record.module.as_str(),
            false => "(unknown)",
        };
        let id = match is_visible(&record.id) {
            true => Arc::clone(&record.id),
            false => Arc::from(visible(&record.id)),
        };
        refs.add(module, id);
    }
    refs
}

/// The network that an address belongs to: enough to tell offices apart, too little to tell people apart.
pub(super) fn network(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            format!("{}/24", Ipv4Addr::new(a, b, c, 0))
        }
        IpAddr::V6(ip) => {
            let [a, b, c, ..] = ip.segments();
            format!("{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    }
}

/// A list of names; what may not be named is counted.
#[derive(Debug, Default)]
pub(super) struct Names {
    named: BTreeSet<String>,
    /// By module, if that one may be named.
    unknown: BTreeMap<Option<Module>, u64>,
}

impl Names {
    /// Adds a field by name.
    pub(super) fn name(&mut self, path: &FieldPath) {
        if self.named.len() < NAMES_MAX && is_plain_module(&path.module) {
            let (module, field) = (path.module.as_str(), path.field.as_str());
            self.named.insert(visible(&[module, ".", field].concat()));
        } else {
            self.count(Some(&path.module));
        }
    }

    /// Counts a field that may not be named.
    pub(super) fn count(&mut self, module: Option<&Module>) {
        let module = module.filter(|module| is_plain_module(module)).cloned();
        *self.unknown.entry(module).or_default() += 1;
    }

    /// The names in order, and after them the counts: `Contacts.(2 unknown)`.
    pub(super) fn into_vec(self) -> Vec<String> {
        let counts = self
            .unknown
            .into_iter()
            .map(|(module, count)| match module {
                Some(module) => format!("{}.({count} unknown)", visible(module.as_str())),
                None => format!("({count} unknown)"),
            });
        self.named.into_iter().chain(counts).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_are_written_out() {
        assert_eq!(
            visible("c-1\n\u{1b}[2J\u{202e}\u{2028}\u{85}"),
            "c-1\\u{a}\\u{1b}[2J\\u{202e}\\u{2028}\\u{85}"
        );
        assert_eq!(visible("Zoé 'Müller' 名"), "Zoé 'Müller' 名");
        assert_eq!(visible(&"x".repeat(9_999)).chars().count(), 256);
    }

    #[test]
    fn names_that_look_like_values_are_not_plain() {
        assert!(is_plain("shoe_size_c"));
        assert!(is_plain("address_12345"));
        for name in ["", "a.b", "Marie", "p_123456", "é", "a b", &"x".repeat(65)] {
            assert!(!is_plain(name), "{name}");
        }
    }

    #[test]
    fn addresses_are_cut_to_their_network() {
        for (ip, network_of) in [
            ("10.2.14.77", "10.2.14.0/24"),
            ("::ffff:10.2.14.77", "10.2.14.0/24"),
            ("2001:db8:7:8:9::1", "2001:db8:7::/48"),
        ] {
            assert_eq!(network(ip.parse().unwrap()), network_of);
        }
    }

    #[test]
    fn modules_that_look_like_values_are_not_named() {
        let module = Module::new("Marie Tissot");
        let mut names = Names::default();
        names.name(&FieldPath::new(&module, "id"));
        names.count(Some(&module));
        assert_eq!(names.into_vec(), ["(2 unknown)"]);
        let id = "c-1".into();
        assert_eq!(
            text(&[RecordRef { module, id }]),
            r#"{"(unknown)":["c-1"]}"#
        );
    }

    fn text(refs: &[RecordRef]) -> String {
        serde_json::to_string(&records(refs)).unwrap()
    }

    #[test]
    fn records_are_written_so_that_every_character_can_be_seen() {
        let of = |id: &str| RecordRef {
            module: Module::new("Contacts"),
            id: id.into(),
        };
        assert_eq!(text(&[]), "{}");
        let ids = ["c-1", "a\"b\\c", "é\u{202e}\n", "", "a b"];
        assert_eq!(
            text(&ids.map(of)),
            r#"{"Contacts":["c-1","a\"b\\c","é\\u{202e}\\u{a}","","a b"]}"#
        );
        for length in [255, 256, 9_999] {
            let id = "x".repeat(length);
            let shown = records(&[of(&id)]).in_full();
            assert_eq!(shown, [format!("Contacts/{}", visible(&id))]);
        }
    }

    #[test]
    fn records_stand_by_module_in_their_order() {
        let of = |module: &str, id: &str| RecordRef {
            module: Module::new(module),
            id: id.into(),
        };
        let refs = [
            of("Contacts", "2"),
            of("Accounts", "9"),
            of("Contacts", "1"),
        ];
        assert_eq!(text(&refs), r#"{"Accounts":["9"],"Contacts":["2","1"]}"#);
        assert_eq!(
            records(&refs).in_full(),
            ["Accounts/9", "Contacts/2", "Contacts/1"]
        );
    }

    #[test]
    fn more_names_than_the_bound_are_counted() {
        let mut names = Names::default();
        let module = Module::new("Contacts");
        for index in 0..NAMES_MAX + 3 {
            names.name(&FieldPath::new(&module, &format!("f{index}")));
        }
        names.count(None);
        let list = names.into_vec();
        assert_eq!(list.len(), NAMES_MAX + 2);
        assert_eq!(list[NAMES_MAX..], ["(1 unknown)", "Contacts.(3 unknown)"]);
    }
}
