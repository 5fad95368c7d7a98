//! The path of a request: its API version and its segments, decoded once.

use super::grammar;
use crate::dialect::spelling;
use crate::reason::Reason;

/// Segments after the version.
const SEGMENTS_MAX: usize = 8;

/// Where a request goes.
pub(super) struct Address {
    /// `v11_24`.
    pub(super) version: String,
    /// The segments after the version; at least one.
    pub(super) segments: Vec<String>,
}

/// Reads the path, and the `Accept` header that may state the version in its place.
pub(super) fn read(path: &str, accept: Option<&str>) -> Result<Address, Reason> {
    let below = path.strip_prefix("/rest/").ok_or(Reason::UnknownRoute)?;
    // One slash at the end means nothing to the CRM: an address ends with its last segment.
    let below = below.strip_suffix('/').unwrap_or(below);
    let mut segments = below
        .split('/')
        .map(segment)
        .collect::<Result<Vec<_>, _>>()?;
    if segments.len() > SEGMENTS_MAX {
        return Err(Reason::UnknownRoute);
    }
    let accept = accept.filter(|accept| accept.to_ascii_lowercase().contains("vnd.sugarcrm"));
    let version = if is_version_like(&segments[0]) {
        if accept.is_some() {
            return Err(Reason::TwoVersions);
        }
        let version = segments.remove(0);
        known(&version).then_some(version)
    } else {
        accept.and_then(stated)
    };
    let version = version.ok_or(Reason::UnknownVersion)?;
    if segments.is_empty() {
        return Err(Reason::UnknownRoute);
    }
    Ok(Address { version, segments })
}

fn segment(raw: &str) -> Result<String, Reason> {
    spelling::decode(raw, false)
        .filter(|segment| grammar::is_segment(segment))
        .ok_or(Reason::MalformedTarget)
}

/// Whether a segment stands where the version does, good or bad; a module never looks like `v9…`.
pub(super) fn is_version_like(segment: &str) -> bool {
    let mut bytes = segment.bytes();
    bytes.next() == Some(b'v') && bytes.next().is_some_and(|byte| byte.is_ascii_digit())
}

/// `v10`, `v11`, `v11_0` to `v11_99`.
fn known(version: &str) -> bool {
    let is_minor = |minor: &str| match minor.as_bytes() {
        [digit] => digit.is_ascii_digit(),
        [b'1'..=b'9', digit] => digit.is_ascii_digit(),
        _ => false,
    };
    version == "v10" || version == "v11" || version.strip_prefix("v11_").is_some_and(is_minor)
}

/// The version that `application/vnd.sugarcrm.core+json; version=11.24` states.
fn stated(accept: &str) -> Option<String> {
    let (media, parameter) = accept.split_once(';')?;
    let (name, value) = parameter.split_once('=')?;
    if !media
        .trim()
        .eq_ignore_ascii_case("application/vnd.sugarcrm.core+json")
        || !name.trim().eq_ignore_ascii_case("version")
    {
        return None;
    }
    let value = value.trim();
    let value = value
        .strip_prefix('"')
        .map_or(Some(value), |rest| rest.strip_suffix('"'))?;
    let version = format!("v{}", value.replacen('.', "_", 1));
    known(&version).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::reason::Reason;

    const STATED: &str = "application/vnd.sugarcrm.core+json; version=11.24";

    fn version(path: &str, accept: Option<&str>) -> Result<String, Reason> {
        read(path, accept).map(|address| address.version)
    }

    #[test]
    fn the_version_stands_in_the_path_or_in_the_accept_header() {
        for (path, accept, expected) in [
            ("/rest/v11_24/Contacts", None, "v11_24"),
            ("/rest/v11/Contacts", Some("application/json"), "v11"),
            ("/rest/v10/me", None, "v10"),
            ("/rest/v11_0/me", None, "v11_0"),
            ("/rest/Contacts", Some(STATED), "v11_24"),
            (
                "/rest/me",
                Some("application/vnd.sugarcrm.core+json;version=\"11_5\""),
                "v11_5",
            ),
            (
                "/rest/me",
                Some("Application/vnd.sugarcrm.core+JSON ; version = 10"),
                "v10",
            ),
        ] {
            assert_eq!(version(path, accept).as_deref(), Ok(expected), "{path}");
        }
    }

    #[test]
    fn other_versions_are_refused() {
        for (path, accept) in [
            ("/rest/Contacts", None),
            ("/rest/Contacts", Some("application/json")),
            ("/rest/v9/Contacts", None),
            ("/rest/v12/Contacts", None),
            ("/rest/v11_100/Contacts", None),
            ("/rest/v11_024/Contacts", None),
            ("/rest/v11_24x/Contacts", None),
            ("/rest/v11.24/Contacts", None),
            (
                "/rest/me",
                Some("application/vnd.sugarcrm.core+json; version=42"),
            ),
            (
                "/rest/me",
                Some("application/vnd.sugarcrm.core+json; version=\"11"),
            ),
            (
                "/rest/me",
                Some("application/vnd.sugarcrm.core+json; version=11; q=1"),
            ),
            (
                "/rest/me",
                Some("text/html, application/vnd.sugarcrm.core+json; version=11"),
            ),
        ] {
            assert_eq!(
                version(path, accept),
                Err(Reason::UnknownVersion),
                "{path} {accept:?}"
            );
        }
    }

    #[test]
    fn two_versions_are_refused_even_if_they_agree() {
        assert_eq!(
            version("/rest/v11_24/Contacts", Some(STATED)),
            Err(Reason::TwoVersions)
        );
        assert_eq!(
            version(
                "/rest/v11_24/Contacts",
                Some("text/html, application/VND.sugarcrm.core+json; version=11.18")
            ),
            Err(Reason::TwoVersions)
        );
    }

    #[test]
    fn segments_are_decoded_once_and_hold_only_plain_characters() {
        let address = read("/rest/v11/%43ontacts/a%2Db", None).unwrap();
        assert_eq!(address.segments, ["Contacts", "a-b"]);
        let address = read("/rest/v11/Contacts/a-b/", None).unwrap();
        assert_eq!(address.segments, ["Contacts", "a-b"]);
        for path in [
            "/rest/v11/%2543ontacts",
            "/rest/v11/Contacts/a%2Fb",
            "/rest/v11/Contacts/a%5cb",
            "/rest/v11//Contacts",
            "/rest/v11/Contacts//",
            "/rest//",
            "/rest/v11/Contacts;x=1",
            "/rest/v11/Contacts%00",
            "/rest/v11/Contacts%20",
            "/rest/v11/Contacts%0a",
            "/rest/v11/Contacts%23x",
            "/rest/v11/Contacts/%zz",
            "/rest/v11/Contacts/1,2",
            "/rest/v11/Contacts/%EF%BC%8E",
            "/rest/v11/Contacts/é",
        ] {
            assert_eq!(
                read(path, None).err(),
                Some(Reason::MalformedTarget),
                "{path}"
            );
        }
    }

    #[test]
    fn other_doors_are_not_this_api() {
        for path in [
            "/api/rest.php",
            "/rest",
            "/rest/v11",
            "/rest/v11/",
            "/service/v4_1/rest.php",
            "/REST/v11/me",
        ] {
            assert_eq!(read(path, None).err(), Some(Reason::UnknownRoute), "{path}");
        }
    }
}
