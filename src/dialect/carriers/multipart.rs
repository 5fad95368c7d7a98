//! A strict reader of `multipart/form-data` (RFC 7578): text fields only, whole and in order.
//!
//! PHP ends a part at the boundary after a line feed alone, we after a whole line break: a body in which the boundary
//! occurs anywhere else is refused, so that both see the same parts.

use memchr::memmem;

use crate::dialect::spelling::{is_utf_8, is_word_byte};
use crate::reason::Reason;

/// Parts of one body.
const PARTS_MAX: usize = 8;
/// Bytes of the head of one part.
const HEAD_BYTES_MAX: usize = 1_024;
/// RFC 2046 section 5.1.1.
const BOUNDARY_BYTES_MAX: usize = 70;

/// The boundary that a content type states; `None` if it is not that of a form. A charset may stand beside it.
pub(in crate::dialect) fn boundary(content_type: &str) -> Option<&str> {
    let mut parts = content_type.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let (mut boundary, mut has_charset) = (None, false);
    for parameter in parts {
        let (name, value) = parameter.split_once('=')?;
        match name.eq_ignore_ascii_case("boundary") {
            true if boundary.is_none() => boundary = Some(value),
            false if !has_charset && is_utf_8(parameter) => has_charset = true,
            _ => return None,
        }
    }
    let value = boundary?;
    let value = value
        .strip_prefix('"')
        .map_or(Some(value), |quoted| quoted.strip_suffix('"'))?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_-./:=?".contains(&byte);
    ((1..=BOUNDARY_BYTES_MAX).contains(&value.len()) && value.bytes().all(fits)).then_some(value)
}

/// Reads a body into names and values.
pub(in crate::dialect) fn read(
    body: &[u8],
    boundary: &str,
) -> Result<Vec<(String, String)>, Reason> {
    parts(body, boundary).ok_or(Reason::MalformedBody)
}

fn parts(body: &[u8], boundary: &str) -> Option<Vec<(String, String)>> {
    let delimiter = format!("--{boundary}");
    let mut rest = body.strip_prefix(delimiter.as_bytes())?;
    let between = format!("\r\n{delimiter}");
    let mut pairs = Vec::new();
    while let Some(part) = rest.strip_prefix(b"\r\n") {
        if pairs.len() == PARTS_MAX {
            return None;
        }
        let end = memmem::find(part, between.as_bytes())?;
        pairs.push(pair(&part[..end], delimiter.as_bytes())?);
        rest = &part[end + between.len()..];
    }
    (rest == b"--" || rest == b"--\r\n").then_some(pairs)
}

fn pair(part: &[u8], delimiter: &[u8]) -> Option<(String, String)> {
    let head_end = memmem::find(part, b"\r\n\r\n").filter(|end| *end <= HEAD_BYTES_MAX)?;
    let (head, value) = (&part[..head_end], &part[head_end + 4..]);
    if memmem::find(part, delimiter).is_some() {
        return None;
    }
    let name = name(std::str::from_utf8(head).ok()?)?;
    let value = String::from_utf8(value.to_vec()).ok()?;
    Some((name, value))
}

/// The name in the head of a part that is plain text; a file, or a header that nobody sends, makes it none.
fn name(head: &str) -> Option<String> {
    let mut name = None;
    for line in head.split("\r\n") {
        if line.contains(|character: char| character.is_control()) {
            return None;
        }
        let (header, value) = line.split_once(": ")?;
        let header = header.to_ascii_lowercase();
        let fits = match header.as_str() {
            "content-disposition" => {
                let stated = value.strip_prefix("form-data; name=")?;
                name.replace(stated_name(stated)?.to_owned()).is_none()
            }
            "content-type" => is_plain_text(value),
            "content-transfer-encoding" => matches!(value, "7bit" | "8bit" | "binary"),
            "content-length" => value.bytes().all(|byte| byte.is_ascii_digit()),
            _ => false,
        };
        if !fits {
            return None;
        }
    }
    name.filter(|name| !name.contains(['"', '\\', ';']))
}

/// A name in quotes, or a word without them.
fn stated_name(stated: &str) -> Option<&str> {
    match stated.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"'),
        None => stated.bytes().all(is_word_byte).then_some(stated),
    }
}

fn is_plain_text(content_type: &str) -> bool {
    match content_type.split_once(';') {
        Some((media, parameter)) => media == "text/plain" && is_utf_8(parameter),
        None => content_type == "text/plain",
    }
}

#[cfg(test)]
mod tests {
    use super::{boundary, read};

    fn body(parts: &[&str]) -> String {
        let mut body = String::new();
        for part in parts {
            body.push_str(&format!("--b0und\r\n{part}\r\n"));
        }
        body.push_str("--b0und--\r\n");
        body
    }

    fn values(body: &str) -> Option<Vec<(String, String)>> {
        read(body.as_bytes(), "b0und").ok()
    }

    const METHOD: &str = "Content-Disposition: form-data; name=\"method\"\r\n\r\nlogin";

    #[test]
    fn text_fields_are_read() {
        let part = "Content-Disposition: form-data; name=\"rest_data\"\r\nContent-Type: text/plain; charset=UTF-8\r\n\
                    Content-Transfer-Encoding: 8bit\r\n\r\n{\"a\":\r\n \"é\"}";
        assert_eq!(
            values(&body(&[METHOD, part])).unwrap(),
            [
                ("method".to_owned(), "login".to_owned()),
                ("rest_data".to_owned(), "{\"a\":\r\n \"é\"}".to_owned()),
            ]
        );
        // As .NET sends it.
        let unquoted = "Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: form-data; name=method\r\n\r\nlogin";
        assert_eq!(values(&body(&[unquoted])), values(&body(&[METHOD])));
        let empty = "Content-Disposition: form-data; name=\"rest_data\"\r\n\r\n";
        assert_eq!(values(&body(&[empty])).unwrap()[0].1, "");
    }

    #[test]
    fn what_two_readers_could_split_differently_is_refused() {
        let good = body(&[METHOD]);
        assert!(values(&good).is_some());
        for bad in [
            String::new(),
            "--b0und".to_owned(),
            format!("preamble\r\n{good}"),
            format!("{good}epilogue"),
            good.replace("\r\n", "\n"),
            good.replace("--b0und--", "--b0und"),
            body(&[&format!("{METHOD}\n--b0und")]),
            body(&[&format!("{METHOD} --b0und--")]),
            good.replace("method\"", "method\"; filename=\"x\""),
            good.replace("method\"", "method"),
            good.replace("name=\"method\"", "name=met-hod"),
            good.replace("name=\"method\"", "name=\"method"),
            good.replace("name=\"method\"", "name=method; filename=x"),
            good.replace("form-data", "attachment"),
            good.replace("form-data; ", "form-data;"),
            good.replace("Content-Disposition", "X-Content"),
            good.replace("\r\n\r\n", "\r\n\r\n\r\n--b0und\r\n\r\n"),
            good.replace("\r\n\r\n", "\r\n folded\r\n\r\n"),
            good.replace("\r\n\r\n", "\r\nContent-Type: application/json\r\n\r\n"),
            good.replace("\r\n\r\n", "\r\nContent-Transfer-Encoding: base64\r\n\r\n"),
            good.replace(
                "\r\n\r\n",
                "\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n",
            ),
            body(&[METHOD; 9]),
        ] {
            assert_eq!(values(&bad), None, "{bad:?}");
        }
        assert!(
            read(
                b"--b0und\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\xff\r\n--b0und--",
                "b0und"
            )
            .is_err()
        );
    }

    #[test]
    fn a_boundary_is_plain() {
        assert_eq!(
            boundary("multipart/form-data; boundary=----b0"),
            Some("----b0")
        );
        assert_eq!(boundary("Multipart/Form-Data; boundary=\"b 0\""), None);
        assert_eq!(boundary("multipart/form-data; boundary=\"b0\""), Some("b0"));
        for either in [
            "boundary=b0; charset=UTF-8",
            "charset=utf-8;boundary=\"b0\"",
        ] {
            assert_eq!(
                boundary(&format!("multipart/form-data; {either}")),
                Some("b0")
            );
        }
        for bad in [
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/form-data; charset=utf-8",
            "multipart/form-data; boundary=a; boundary=a",
            "multipart/form-data; boundary=a; charset=utf-16",
            "multipart/form-data; boundary=a; x=y",
            "multipart/form-data; boundary=a, multipart/form-data; boundary=b",
            "multipart/mixed; boundary=a",
        ] {
            assert_eq!(boundary(bad), None, "{bad}");
        }
    }
}
