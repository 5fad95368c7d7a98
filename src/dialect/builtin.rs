//! The dialects that a configuration may name.

use std::sync::Arc;

use super::{Database, Dialect, sugar_rest, sugar_v4, suitecrm_v8};

/// The dialects that a configuration may name, before a CRM on MySQL.
pub fn by_name(name: &str) -> Option<Arc<dyn Dialect>> {
    before(name, Database::Mysql)
}

/// The dialects that a configuration may name, before a CRM on a database.
pub fn before(name: &str, database: Database) -> Option<Arc<dyn Dialect>> {
    match name {
        "sugar-rest" => Some(Arc::new(sugar_rest::described())),
        "sugar-v4" => Some(Arc::new(sugar_v4::SugarV4::before(database))),
        "suitecrm-v8" => Some(Arc::new(suitecrm_v8::described())),
        _ => None,
    }
}

/// Names of all dialects, for messages.
pub const NAMES: &[&str] = &["sugar-rest", "sugar-v4", "suitecrm-v8"];

/// The one of them that is meant where none is named.
pub const USUAL: &str = "sugar-rest";

/// That dialect.
pub fn usual() -> Arc<dyn Dialect> {
    Arc::new(sugar_rest::described())
}

/// Those that send SQL, so that it matters which database a CRM has.
pub const OF_SQL: &[&str] = &["sugar-v4"];

/// Those whose calls may stand in a query string, secrets included.
pub const OF_QUERIES: &[&str] = &["sugar-v4"];

/// A path of each place that they read, for whoever asks whether another dialect reads it too.
pub const SAMPLES: &[&str] = &[
    "/rest/v11_24/me",
    "/service/v4_1/rest.php",
    "/custom/service/v4_1/rest.php",
    "/Api/V8/module",
    "/legacy/Api/V8/module",
];

/// The API version in which a CRM that has several is asked about a session where the request names none.
pub const USUAL_VERSION: &str = sugar_rest::USUAL_VERSION;

/// Where the replies come from that describe a CRM's data, for whoever saves them.
pub const DESCRIPTIONS: &str = "\
sugar-rest: GET /rest/v11_24/metadata. sugar-v4: get_module_fields, a reply a module. suitecrm-v8: GET \
/Api/V8/meta/fields/{module}, a reply a module, which does not name it: --metadata Contacts=FILE.
The file goes to standard output. Review it like a policy; `upstreams.NAME.schema` names it.";

#[cfg(test)]
mod tests {
    use super::{NAMES, OF_QUERIES, OF_SQL, SAMPLES, USUAL, by_name, usual};

    #[test]
    fn every_sample_is_read_by_one_dialect() {
        for path in SAMPLES {
            let claims = |name: &&&str| by_name(name).unwrap().claims(path);
            assert_eq!(NAMES.iter().filter(claims).count(), 1, "{path}");
        }
    }

    #[test]
    fn every_name_is_that_of_its_dialect() {
        for name in NAMES {
            assert_eq!(by_name(name).unwrap().name(), *name);
        }
        assert_eq!(usual().name(), USUAL);
        let known = |name: &&str| NAMES.contains(name);
        assert!(OF_SQL.iter().all(known) && OF_QUERIES.iter().all(known));
    }
}
