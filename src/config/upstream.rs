//! Reads the section `upstreams`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use http::uri::{Authority, Scheme};

use crate::diagnostic::{
    Diagnostic, Diagnostics, File, Form, Keys, Node, NodeKind, Place, Spanned, load, quoted,
};
use crate::dialect::engine::Described;
use crate::dialect::schema::{self, SchemaFile};
use crate::dialect::{self, Database, Dialect, Modules};

use super::read::Reader;
use super::{Timeouts, Upstream, codes};

impl Reader<'_> {
    pub(super) fn upstreams(&mut self, node: &Node) -> BTreeMap<String, Upstream> {
        let mut upstreams = BTreeMap::new();
        for (name, node) in node.map("`upstreams`", self.found).unwrap_or_default() {
            self.check_name("an upstream", name);
            if let Some(upstream) = self.upstream(node) {
                upstreams.insert(name.value.clone(), upstream);
            }
        }
        upstreams
    }

    fn upstream(&mut self, node: &Node) -> Option<Upstream> {
        const FORM: Form = Form {
            what: "an upstream",
            known: &[
                "url", "dialects", "database", "schema", "learn", "page_max", "timeouts", "ca",
                "service",
            ],
            refused: &[],
        };
        const DATABASES: &[(&str, Database)] =
            &[("mysql", Database::Mysql), ("other", Database::Other)];
        let keys = FORM.read(node, self.found)?;
        let url = keys.require("url", self.found);
        let place = url.map(|node| node.place.clone());
        let url = url
            .and_then(|node| node.text("the URL", self.found))
            .and_then(|text| self.url(&text));
        let database = keys.get("database");
        let stated = database.and_then(|node| node.choice("database", DATABASES, self.found));
        let dialects = keys
            .require("dialects", self.found)
            .map(|node| self.dialects(node, stated.unwrap_or(Database::Mysql)));
        if let (Some(node), Some(dialects)) = (database, &dialects) {
            self.sends_sql(node, dialects);
        }
        let schemas = keys.get("schema").map(|node| self.schemas(node));
        let schemas = schemas.unwrap_or_default();
        let dialects = dialects.map(|mut dialects| {
            for path in &schemas {
                if let Some(file) = load(&path.value, schema::codes::UNREADABLE, self.found) {
                    add_schema(&mut dialects, &file, &path.place, self.found);
                }
            }
            dialects
        });
        let service = keys.get("service").map_or(Some(None), |node| {
            self.service(node, dialects.as_deref()).map(Some)
        });
        let learn = keys
            .get("learn")
            .map_or(Some(false), |node| node.boolean("`learn`", self.found));
        let page_max = keys
            .get("page_max")
            .and_then(|node| node.integer("`page_max`", 1..=100_000, self.found))
            .and_then(|number| u32::try_from(number).ok())
            .unwrap_or(Upstream::PAGE_MAX_DEFAULT);
        let timeouts = self.timeouts(&keys);
        let ca = keys.get("ca").and_then(|node| self.authorities(node));
        let (scheme, authority, prefix) = url?;
        Some(Upstream {
            place: place?,
            scheme,
            authority,
            prefix,
            dialects: dialects?,
            schemas,
            learn: learn?,
            page_max,
            timeouts,
            ca,
            service: service?,
        })
    }

    fn schemas(&mut self, node: &Node) -> Vec<Spanned<PathBuf>> {
        let texts = node.verbatims("`schema`", self.found).unwrap_or_default();
        let placed = |text: Spanned<&str>| Spanned {
            value: self.folder().join(text.value),
            place: text.place,
        };
        texts.into_iter().map(placed).collect()
    }

    /// A database is stated only where it matters.
    fn sends_sql(&mut self, node: &Node, dialects: &[Arc<dyn Dialect>]) {
        let sends_sql = |one: &Arc<dyn Dialect>| dialect::OF_SQL.contains(&one.name());
        if !dialects.iter().any(sends_sql) {
            let only = dialect::OF_SQL.join("`, `");
            let title = "`database` changes nothing here";
            self.found.push(
                Diagnostic::warning(codes::NO_SQL, title)
                    .at(&node.place, "none of the dialects sends SQL")
                    .help(format!("leave it out; only `{only}` sends SQL")),
            );
        }
    }

    fn timeouts(&mut self, keys: &Keys<'_>) -> Timeouts {
        const FORM: Form = Form {
            what: "`timeouts`",
            known: &["connect", "first_byte", "total"],
            refused: &[],
        };
        let default = Timeouts::default();
        let Some(keys) = keys
            .get("timeouts")
            .and_then(|node| FORM.read(node, self.found))
        else {
            return default;
        };
        Timeouts {
            connect: self.wait(&keys, "connect", default.connect),
            first_byte: self.wait(&keys, "first_byte", default.first_byte),
            total: self.wait(&keys, "total", default.total),
        }
    }

    /// The dialects of an upstream: names of those that are built in, and files that describe others.
    fn dialects(&mut self, node: &Node, database: Database) -> Vec<Arc<dyn Dialect>> {
        let mut dialects: Vec<Arc<dyn Dialect>> = Vec::new();
        let mut prefixes: Vec<(&'static str, String, &Place)> = Vec::new();
        let nodes = match &node.kind {
            NodeKind::Seq(nodes) if !nodes.is_empty() => nodes.as_slice(),
            _ => std::slice::from_ref(node),
        };
        for node in nodes {
            let dialect = match node.kind {
                NodeKind::Map(_) => self.described(node).map(|described| {
                    let places = described.prefixes();
                    let places =
                        places.map(|prefix| (described.name(), prefix.to_owned(), &node.place));
                    prefixes.extend(places);
                    Arc::new(described) as Arc<dyn Dialect>
                }),
                _ => self.built_in(node, database),
            };
            match dialect {
                Some(dialect) if dialects.iter().any(|other| other.name() == dialect.name()) => {
                    let title = format!("dialect {} is named twice", quoted(dialect.name()));
                    self.found.push(
                        Diagnostic::error(codes::UNKNOWN_DIALECT, title)
                            .at(&node.place, "again here"),
                    );
                }
                dialect => dialects.extend(dialect),
            }
        }
        self.disjoint(&dialects, &prefixes);
        dialects
    }

    /// A path belongs to one dialect.
    fn disjoint(
        &mut self,
        dialects: &[Arc<dyn Dialect>],
        prefixes: &[(&'static str, String, &Place)],
    ) {
        for (name, prefix, place) in prefixes {
            let below = format!("{prefix}/a");
            // A prefix may also lie above what another dialect reads.
            let lies_above = |other: &Arc<dyn Dialect>| {
                let read = dialect::SAMPLES.iter().filter(|path| other.claims(path));
                let mut above = read.filter_map(|path| path.strip_prefix(prefix.as_str()));
                above.any(|rest| rest.starts_with('/'))
            };
            let others = dialects.iter().filter(|other| other.name() != *name);
            for other in others.filter(|other| other.claims(&below) || lies_above(other)) {
                let title = format!(
                    "{} and {} read the same paths",
                    quoted(name),
                    quoted(other.name())
                );
                self.found.push(
                    Diagnostic::error(codes::SAME_PATHS, title)
                        .at(place, format!("its prefix is {}", quoted(prefix))),
                );
            }
        }
    }

    fn built_in(&mut self, node: &Node, database: Database) -> Option<Arc<dyn Dialect>> {
        let name = node.text("`dialects`", self.found)?;
        let dialect = dialect::before(name.value, database);
        if dialect.is_none() {
            self.found.push(
                Diagnostic::error(
                    codes::UNKNOWN_DIALECT,
                    format!("unknown dialect {}", quoted(name.value)),
                )
                .at(&name.place, "not a dialect")
                .help(format!(
                    "dialects: {}; or `description: FILE`",
                    dialect::NAMES.join(", ")
                ))
                .suggest(name.value, dialect::NAMES.iter().copied()),
            );
        }
        dialect
    }

    /// A dialect that a file describes. What is wrong in that file is told with its place in it.
    fn described(&mut self, node: &Node) -> Option<Described> {
        const FORM: Form = Form {
            what: "a dialect",
            known: &["description"],
            refused: &[],
        };
        let keys = FORM.read(node, self.found)?;
        let path = keys.require("description", self.found)?;
        let path = self.path(path, "`description`")?;
        self.reads_once(&path);
        let (described, problems) = Described::load(&path);
        self.found.extend(problems);
        described
    }

    fn url(&mut self, text: &Spanned<&str>) -> Option<(Scheme, Authority, String)> {
        match split(text.value) {
            Ok(url) => Some(url),
            Err(why) => {
                self.found.push(
                    Diagnostic::error(codes::BAD_URL, "this is not the URL of an upstream")
                        .at(&text.place, why)
                        .help("write `https://host`, perhaps with a port and a path prefix"),
                );
                None
            }
        }
    }
}

impl Upstream {
    /// The dialects, where this is what the schema files hold, in their order; what is wrong in them is told.
    pub fn dialects_by(
        &self,
        files: &[Option<File>],
        found: &mut Diagnostics,
    ) -> Vec<Arc<dyn Dialect>> {
        let stock = |dialect: &Arc<dyn Dialect>| {
            dialect.with_schema(dialect.schema().with(Modules::default()))
        };
        let mut dialects: Vec<_> = self.dialects.iter().map(stock).collect();
        for (path, file) in self.schemas.iter().zip(files) {
            if let Some(file) = file {
                add_schema(&mut dialects, file, &path.place, found);
            }
        }
        dialects
    }
}

/// Adds what a schema file says to what the dialect that it is of knows.
fn add_schema(
    dialects: &mut [Arc<dyn Dialect>],
    file: &File,
    named: &Place,
    found: &mut Diagnostics,
) {
    let Some(file) = SchemaFile::read(file, found) else {
        return;
    };
    let is_its_own = |dialect: &&mut Arc<dyn Dialect>| dialect.name() == file.dialect.value;
    let Some(dialect) = dialects.iter_mut().find(is_its_own) else {
        let title = format!(
            "the schema is of {}, which the upstream does not speak",
            quoted(&file.dialect.value)
        );
        found.push(
            Diagnostic::error(schema::codes::OTHER_DIALECT, title)
                .at(&file.dialect.place, "of a dialect that is not spoken here")
                .also(named, "named here"),
        );
        return;
    };
    let schema = file.add_to(dialect.schema(), found);
    *dialect = dialect.with_schema(schema);
}

/// Scheme, authority and path prefix of a URL that has nothing else.
fn split(url: &str) -> Result<(Scheme, Authority, String), &'static str> {
    let (scheme, rest) = match url.split_once("://") {
        Some(("https", rest)) => (Scheme::HTTPS, rest),
        Some(("http", rest)) => (Scheme::HTTP, rest),
        _ => return Err("must begin with `https://` or `http://`"),
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if authority.contains('@') {
        return Err("must not hold a user or password");
    }
    if url.contains(['?', '#']) {
        return Err("must not hold a query or fragment");
    }
    let authority: Authority = authority.parse().map_err(|_| "the host is not valid")?;
    let port = authority.as_str().strip_prefix(authority.host());
    if authority.host().is_empty()
        || (port != Some("") && authority.port_u16().is_none_or(|port| port == 0))
    {
        return Err("the host or port is not valid");
    }
    let prefix = path.strip_suffix('/').unwrap_or(path);
    let plain = |segment: &str| {
        !matches!(segment, "" | "." | "..")
            && segment
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~'))
    };
    if !prefix.is_empty() && !prefix.split('/').skip(1).all(plain) {
        return Err("the path may hold letters, digits, `-`, `_`, `.` and `~` between single `/`");
    }
    Ok((scheme, authority, prefix.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_url_is_scheme_host_port_and_path_and_nothing_else() {
        let whole = |url| split(url).map(|(scheme, host, path)| format!("{scheme} {host} {path}"));
        assert_eq!(
            whole("https://sugar.internal/crm").unwrap(),
            "https sugar.internal /crm"
        );
        assert_eq!(
            whole("http://[::1]:8080/a/b/").unwrap(),
            "http [::1]:8080 /a/b"
        );
        assert_eq!(whole("https://h").unwrap(), "https h ");
        for bad in [
            "sugar.internal",
            "ftp://h",
            "HTTPS://h",
            "https://",
            "https://u:p@h",
            "https://h?x=1",
            "https://h/#x",
            "https://h/a/../b",
            "https://h//a",
            "https://h/%2e",
            "https://h:",
            "https://h:0",
            "https://h:99999",
            "https://h h",
        ] {
            assert!(split(bad).is_err(), "{bad}");
        }
    }
}
