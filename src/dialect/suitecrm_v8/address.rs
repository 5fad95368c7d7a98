//! The path of a request: its segments, decoded once; and the canonical path of an operation.

use super::grammar;
use crate::dialect::spelling;
use crate::reason::Reason;

/// What all paths of the API begin with.
pub(super) const ROOT: &str = "/Api/";

/// Segments after the root.
const SEGMENTS_MAX: usize = 7;

/// Reads a path into the segments after [`ROOT`]; there is at least one. A segment that would change if it were
/// decoded a second time, as the CRM does, is refused.
pub(super) fn read(path: &str) -> Result<Vec<String>, Reason> {
    let below = path.strip_prefix(ROOT).ok_or(Reason::UnknownRoute)?;
    let segments = below
        .split('/')
        .map(segment)
        .collect::<Result<Vec<_>, _>>()?;
    if segments.len() > SEGMENTS_MAX {
        return Err(Reason::UnknownRoute);
    }
    Ok(segments)
}

fn segment(raw: &str) -> Result<String, Reason> {
    spelling::decode(raw, false)
        .filter(|segment| grammar::is_segment(segment))
        .ok_or(Reason::MalformedTarget)
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::reason::Reason;

    #[test]
    fn segments_are_decoded_once_and_hold_only_plain_characters() {
        assert_eq!(
            read("/Api/V8/module/%43ontacts/a%2Db").unwrap(),
            ["V8", "module", "Contacts", "a-b"]
        );
        for path in [
            "/Api/V8/module/%2543ontacts",
            "/Api/V8/module/Contacts%2Fa",
            "/Api/V8/module/Contacts/a%5cb",
            "/Api//V8/module/Contacts",
            "/Api/V8/module/Contacts/",
            "/Api/V8/module/Contacts;x=1",
            "/Api/V8/module/Contacts%00",
            "/Api/V8/module/Contacts%20",
            "/Api/V8/module/Contacts+",
            "/Api/V8/module/Contacts/bad!id",
            "/Api/V8/module/%EF%BC%A3ontacts",
            "/Api/V8/module/%zz",
            "/Api/",
        ] {
            assert_eq!(read(path), Err(Reason::MalformedTarget), "{path}");
        }
        for path in ["/Api", "/api/V8/me", "/index.php", "/legacy/Api/V8/module"] {
            assert_eq!(read(path), Err(Reason::UnknownRoute), "{path}");
        }
        let deep = "/Api/V8/module/a/b/c/d/e/f";
        assert_eq!(read(deep), Err(Reason::UnknownRoute));
    }
}
