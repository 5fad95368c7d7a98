//! The versions of the API: which methods each has, and how many arguments they take there.
//!
//! Later versions take more arguments and answer in other forms. A request is asked in the version that it names, so that
//! the reply has the form that the client expects; only `get_relationships` is asked in the last one, whose reply is the
//! same, and which alone takes a limit.

use super::method::{Kind, Method};

/// A version, the oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version {
    V2,
    V2_1,
    V3,
    V3_1,
    V4,
    V4_1,
}

/// Each with its name and its path.
const VERSIONS: &[(Version, &str, &str)] = &[
    (Version::V2, "v2", "/service/v2/rest.php"),
    (Version::V2_1, "v2_1", "/service/v2_1/rest.php"),
    (Version::V3, "v3", "/service/v3/rest.php"),
    (Version::V3_1, "v3_1", "/service/v3_1/rest.php"),
    (Version::V4, "v4", "/service/v4/rest.php"),
    (Version::V4_1, "v4_1", PATH),
];

/// The path of the last version, in which whatever the proxy itself wants to know is asked.
pub(super) const PATH: &str = "/service/v4_1/rest.php";

impl Version {
    /// The version that a path is of, with or without a slash at its end.
    pub(super) fn of_path(path: &str) -> Option<Self> {
        let path = path.strip_suffix('/').unwrap_or(path);
        let known = VERSIONS.iter().find(|(_, _, known)| *known == path);
        known.map(|(version, ..)| *version)
    }

    /// The version of a name.
    pub(super) fn named(name: &str) -> Option<Self> {
        let known = VERSIONS.iter().find(|(_, known, _)| *known == name);
        known.map(|(version, ..)| *version)
    }

    fn row(self) -> (&'static str, &'static str) {
        let known = VERSIONS.iter().find(|(version, ..)| *version == self);
        known.map_or(("v4_1", PATH), |(_, name, path)| (*name, *path))
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        self.row().0
    }

    /// The path that a method is asked at.
    pub(super) fn path(self, kind: Kind) -> &'static str {
        match kind {
            Kind::Related => PATH,
            _ => self.row().1,
        }
    }

    /// The route of a method, for the log.
    pub(super) fn route(self, method: &Method) -> &'static str {
        match self {
            Self::V4_1 => method.route,
            _ => method.older_route,
        }
    }

    /// How many of a method's arguments it takes; `None` if it has no such method.
    pub(super) fn arguments(self, method: &Method) -> Option<usize> {
        use Version::{V2_1, V3, V3_1};
        let all = method.arguments.len();
        Some(match method.kind {
            Kind::ModuleHash if self < V3 => return None,
            Kind::Modules if self < V3 => all - 1,
            // Not yet: `track_view`, `favorites`.
            Kind::Entry | Kind::Entries | Kind::List | Kind::SetEntry if self < V3_1 => all - 1,
            // Not yet: `favorites`; `unified_search_only`; `select_fields` and `assigned_user_id`.
            Kind::Search if self <= V2_1 => all - 4,
            Kind::Search if self == V3 => all - 2,
            Kind::Search if self == V3_1 => all - 1,
            _ => all,
        })
    }

    /// Whether the reply to a write is the id alone.
    pub(super) fn writes_silently(self) -> bool {
        self < Self::V3_1
    }

    /// Whether the modules that a caller may use are told by their names alone.
    pub(super) fn names_modules(self) -> bool {
        self < Self::V3_1
    }
}

#[cfg(test)]
mod tests {
    use super::{PATH, VERSIONS, Version};
    use crate::dialect::sugar_v4::method::{self, Kind, METHODS};

    #[test]
    fn each_version_has_a_name_and_a_path_of_its_own() {
        for (version, name, path) in VERSIONS {
            assert_eq!(*path, format!("/service/{name}/rest.php"));
            assert_eq!(Version::of_path(path), Some(*version));
            assert_eq!(Version::of_path(&format!("{path}/")), Some(*version));
            assert_eq!(Version::named(name), Some(*version));
            assert_eq!((version.name(), version.path(Kind::Entry)), (*name, *path));
            assert_eq!(version.path(Kind::Related), PATH);
        }
        assert!(VERSIONS.is_sorted_by_key(|(version, ..)| *version));
        for path in [
            "/service/v1/rest.php",
            "/service/v5/rest.php",
            "/service/v4_1/rest.php//",
            "/service/v4_1/rest.php/x",
            "/service/V4/rest.php",
            "/service/v4/soap.php",
        ] {
            assert_eq!(Version::of_path(path), None, "{path}");
        }
    }

    #[test]
    fn arguments_only_grow() {
        for method in METHODS {
            let counts: Vec<_> = VERSIONS
                .iter()
                .map(|(version, ..)| version.arguments(method))
                .collect();
            assert!(counts.is_sorted(), "{}", method.name);
            assert_eq!(counts.last(), Some(&Some(method.arguments.len())));
        }
        let count = |version: Version, name| version.arguments(method::by_name(name).unwrap());
        assert_eq!(count(Version::V2, "search_by_module"), Some(5));
        assert_eq!(count(Version::V3, "search_by_module"), Some(7));
        assert_eq!(count(Version::V2_1, "get_entry_list"), Some(9));
        assert_eq!(count(Version::V2, "get_module_fields_md5"), None);
    }
}
