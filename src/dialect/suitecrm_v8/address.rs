//! The path of a request: where the API lies, and its segments, decoded once; and the canonical path of an operation.

use super::grammar;
use crate::dialect::spelling;
use crate::reason::Reason;

/// What the templates of all paths of the API begin with.
pub(super) const ROOT: &str = "/Api/";

/// Where the API lies, and what requests to it are said to be of: SuiteCRM 7 answers at the first place and SuiteCRM 8 at
/// the third, each also by the name of the script that answers. A request is asked where it was sent to, and so is whose
/// session it is. A longer place stands before one that it begins with.
const PLACES: &[(&str, &str)] = &[
    ("V8 at index.php", "/Api/index.php/"),
    (VERSION, ROOT),
    ("V8 at legacy/index.php", "/legacy/Api/index.php/"),
    ("V8 at legacy", "/legacy/Api/"),
];

/// The one version of the API, at its usual place.
const VERSION: &str = "V8";

/// Segments after the root.
const SEGMENTS_MAX: usize = 7;

/// Whether a path is one of the API.
pub(super) fn is_claimed(path: &str) -> bool {
    PLACES.iter().any(|(_, place)| path.starts_with(place))
}

/// A path below the place that a version lies at, from one below [`ROOT`].
pub(super) fn placed(version: &str, path: &str) -> String {
    let place = PLACES.iter().find(|(known, _)| *known == version);
    match (place, path.strip_prefix(ROOT)) {
        (Some((_, place)), Some(below)) => format!("{place}{below}"),
        _ => path.to_owned(),
    }
}

/// Reads a path into the version that it is of, and the segments below the place of that; there is at least one. One slash
/// at the end means nothing. A segment that would change if it were decoded a second time, as the CRM does, is refused.
pub(super) fn read(path: &str) -> Result<(&'static str, Vec<String>), Reason> {
    let placed = PLACES
        .iter()
        .find_map(|(version, place)| Some((*version, path.strip_prefix(place)?)));
    let (version, below) = placed.ok_or(Reason::UnknownRoute)?;
    let below = below.strip_suffix('/').unwrap_or(below);
    let segments = below
        .split('/')
        .map(segment)
        .collect::<Result<Vec<_>, _>>()?;
    if segments.len() > SEGMENTS_MAX {
        return Err(Reason::UnknownRoute);
    }
    Ok((version, segments))
}

fn segment(raw: &str) -> Result<String, Reason> {
    spelling::decode(raw, false)
        .filter(|segment| grammar::is_segment(segment))
        .ok_or(Reason::MalformedTarget)
}

#[cfg(test)]
mod tests {
    use super::{PLACES, is_claimed, placed, read};
    use crate::reason::Reason;

    #[test]
    fn the_api_lies_at_one_of_four_places() {
        for (version, place) in PLACES {
            let path = format!("{place}V8/module/Contacts");
            for path in [path.clone(), format!("{path}/")] {
                assert!(is_claimed(&path));
                let (read, segments) = read(&path).unwrap();
                assert_eq!(
                    (read, segments.join("/").as_str()),
                    (*version, "V8/module/Contacts")
                );
            }
            assert_eq!(placed(version, "/Api/V8/module/Contacts"), path);
        }
        assert_eq!(placed("v11_24", "/Api/V8/module"), "/Api/V8/module");
        for path in [
            "/api/V8/x",
            "/Legacy/Api/V8/x",
            "/legacy/V8/x",
            "/x/Api/V8/x",
            "/legacy/service/x",
        ] {
            assert!(!is_claimed(path) && read(path).is_err(), "{path}");
        }
    }

    #[test]
    fn segments_are_decoded_once_and_hold_only_plain_characters() {
        assert_eq!(
            read("/Api/V8/module/%43ontacts/a%2Db").unwrap().1,
            ["V8", "module", "Contacts", "a-b"]
        );
        for path in [
            "/Api/V8/module/%2543ontacts",
            "/Api/V8/module/Contacts%2Fa",
            "/Api/V8/module/Contacts/a%5cb",
            "/Api//V8/module/Contacts",
            "/Api/V8/module/Contacts//",
            "/Api/index.php//V8/module/Contacts",
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
        for path in ["/Api", "/api/V8/me", "/index.php", "/legacy/Api"] {
            assert_eq!(read(path), Err(Reason::UnknownRoute), "{path}");
        }
        let deep = "/Api/V8/module/a/b/c/d/e/f";
        assert_eq!(read(deep), Err(Reason::UnknownRoute));
    }
}
