//! What the CRM says of its own data as it passes. The operator is told of it; where the configuration says `learn: true`, the
//! schema grows by it: on disk first, then in the log, then in force. Another policy, or another schema file, comes into
//! force here, too: one change after the other, so that none is lost.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use arc_swap::ArcSwap;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::in_force::{Current, InForce};
use crate::audit::{AuditUnavailable, Event, Log, is_plain_in_any_case, keep_in_force};
use crate::background;
use crate::diagnostic::{Diagnostics, FILE_BYTES_MAX};
use crate::dialect::schema::{Contradiction, Merged, SchemaFile};
use crate::dialect::{Dialect, Modules, Schema};
use crate::files;
use crate::policy::Policy;

/// Bytes of one answer of the CRM that are read for what it says of its data.
pub(super) const DESCRIPTION_BYTES_MAX: usize = 16 << 20;
/// Contradictions that are remembered, so that each is told once.
const TOLD_MAX: usize = 1_024;

/// The schema of one upstream in one dialect, and the policy in its terms. All entrances to the upstream share it.
#[derive(Debug)]
pub struct LiveSchema {
    upstream: String,
    /// The dialect with the schema in force.
    dialect: RwLock<Arc<dyn Dialect>>,
    /// What requests are decided by, from the first entrance on.
    current: OnceLock<Arc<Current>>,
    /// Where what was learned is kept; `None` if nothing is learned.
    file: Option<PathBuf>,
    /// Whoever changes what is in force holds this.
    heard: Arc<Mutex<Heard>>,
}

/// What was heard so far.
#[derive(Debug)]
struct Heard {
    /// What the schema files say, without what was learned.
    configured: Arc<Schema>,
    /// The schema, and all that was heard beside it.
    schema: Arc<Schema>,
    told: BTreeSet<Contradiction>,
    /// Whether it was told that something finds no room.
    told_of_room: bool,
}

impl LiveSchema {
    /// A schema that stays as it is.
    pub fn fixed(upstream: &str, dialect: Arc<dyn Dialect>) -> Self {
        let configured = dialect.schema().clone();
        Self::new(upstream, dialect, configured, None)
    }

    /// A schema that grows, and is kept in a folder. What was learned before is read there: every problem is in the
    /// diagnostics, and it comes out only if none is an error.
    pub fn growing(
        upstream: &str,
        dialect: Arc<dyn Dialect>,
        folder: &Path,
        found: &mut Diagnostics,
    ) -> Option<Self> {
        let file = folder.join(format!("{upstream}.{}.yaml", dialect.name()));
        let configured = dialect.schema().clone();
        let dialect = match file.try_exists() {
            Ok(false) => dialect,
            _ => {
                let learned = SchemaFile::load(&file, found)?.learned(dialect.schema(), found)?;
                // Who has written a schema file since is right.
                let (schema, merged) = dialect.schema().and(learned);
                tell_of_contradictions(upstream, dialect.name(), &merged);
                dialect.with_schema(schema)
            }
        };
        Some(Self::new(upstream, dialect, configured, Some(file)))
    }

    fn new(
        upstream: &str,
        dialect: Arc<dyn Dialect>,
        configured: Arc<Schema>,
        file: Option<PathBuf>,
    ) -> Self {
        let heard = Heard {
            configured,
            schema: dialect.schema().clone(),
            told: BTreeSet::new(),
            told_of_room: false,
        };
        Self {
            upstream: upstream.to_owned(),
            dialect: RwLock::new(dialect),
            current: OnceLock::new(),
            file,
            heard: Arc::new(Mutex::new(heard)),
        }
    }

    /// The name of the upstream.
    pub fn upstream(&self) -> &str {
        &self.upstream
    }

    /// The dialect, with the schema in force.
    pub fn dialect(&self) -> Arc<dyn Dialect> {
        let dialect = self.dialect.read().unwrap_or_else(PoisonError::into_inner);
        dialect.clone()
    }

    /// What requests are decided by: this policy, if they are not decided by one already.
    pub(super) fn under(&self, policy: &Policy) -> Arc<Current> {
        let first = || Arc::new(ArcSwap::new(InForce::new(self.dialect(), policy)));
        self.current.get_or_init(first).clone()
    }

    /// Prepares that requests are decided by this policy, and by the schema that the files of this dialect say, with what was
    /// learned beside it. Nothing is learned until that is put in force or dropped.
    pub async fn prepare(
        self: &Arc<Self>,
        policy: &Arc<Policy>,
        configured: Arc<dyn Dialect>,
    ) -> Option<Prepared> {
        let heard = self.heard.clone().lock_owned().await;
        let (live, policy) = (self.clone(), policy.clone());
        let preparing = move || Prepared::new(live, heard, &policy, &configured);
        background::run("reload", preparing).await
    }

    /// Puts a dialect with another schema in force, and gives what was in force before. The caller holds what was heard.
    fn put(&self, dialect: Arc<dyn Dialect>, policy: Option<Arc<InForce>>) -> Option<Arc<InForce>> {
        let current = self.current.get();
        let in_force = policy.or_else(|| {
            let before = current?.load_full();
            Some(InForce::new(dialect.clone(), &before.policy))
        });
        *self.dialect.write().unwrap_or_else(PoisonError::into_inner) = dialect;
        Some(current?.swap(in_force?))
    }

    /// Takes in what the CRM says of its data. The schema as heard, if anything of it is new.
    pub(super) async fn hear(&self, said: Modules, log: &Log) -> Option<Arc<Schema>> {
        let mut heard = self.heard.lock().await;
        let known = heard.schema.clone();
        let merging = tokio::task::spawn_blocking(move || known.and(said));
        let (schema, merged) = merging.await.ok()?;
        self.tell(&mut heard, &merged);
        if !merged.is_new() {
            return None;
        }
        if let Some(file) = &self.file {
            let mut kept = self.write(file, &heard, &schema).await;
            if kept.is_ok() && self.record(&schema, &merged, log).await.is_err() {
                // What no event tells of must not be in force after a restart either.
                let unwritten = io::Error::other("the access log cannot be written");
                let before = heard.schema.clone();
                kept = self.write(file, &heard, &before).await.and(Err(unwritten));
            }
            if let Err(error) = kept {
                tracing::error!(
                    upstream = self.upstream,
                    dialect = schema.dialect(),
                    error = files::words(&error),
                    "what the CRM says of its data could not be kept: it is not learned"
                );
                return None;
            }
            self.put(self.dialect().with_schema(schema.clone()), None);
        }
        heard.schema = schema.clone();
        Some(schema)
    }

    /// Records what was learned: the log must know by what a decision was made.
    async fn record(
        &self,
        schema: &Arc<Schema>,
        merged: &Merged,
        log: &Log,
    ) -> Result<(), AuditUnavailable> {
        keep_in_force(log, None, vec![schema.clone()]).await;
        let (dialect, hash) = (schema.dialect(), schema.hash());
        let (fields, links) = (merged.fields as u64, merged.links as u64);
        let event = Event::schema_learned(&self.upstream, dialect, hash, fields, links);
        log.write(event).await?;
        tracing::info!(
            upstream = self.upstream,
            dialect,
            fields,
            links,
            schema = &**hash,
            "learned of the CRM's data"
        );
        Ok(())
    }

    /// Tells what contradicts the schema, each once.
    fn tell(&self, heard: &mut Heard, merged: &Merged) {
        let (mut names, mut secrets) = (Vec::new(), Vec::new());
        let mut others = 0;
        for contradiction in &merged.contradictions {
            if heard.told.len() >= TOLD_MAX || !heard.told.insert(contradiction.clone()) {
                continue;
            }
            let Contradiction { module, name, .. } = contradiction;
            let is_plain = is_plain_in_any_case(module.as_str()) && is_plain_in_any_case(name);
            match (is_plain, contradiction.is_secret) {
                (false, _) => others += 1,
                (true, true) => secrets.push(format!("{module}.{name}")),
                (true, false) => names.push(format!("{module}.{name}")),
            }
        }
        let (upstream, dialect) = (self.upstream.as_str(), heard.schema.dialect());
        if !names.is_empty() || others > 0 {
            tracing::warn!(
                upstream,
                dialect,
                names = names.join(" "),
                others,
                "the CRM says otherwise than the schema what these are: the schema stands"
            );
        }
        if !secrets.is_empty() {
            tracing::info!(
                upstream,
                dialect,
                names = secrets.join(" "),
                "the CRM describes secrets like other fields: they stay secrets"
            );
        }
        if merged.left_out > 0 && !heard.told_of_room {
            heard.told_of_room = true;
            tracing::warn!(
                upstream,
                dialect,
                count = merged.left_out,
                "the CRM describes more than is kept: the rest is left out"
            );
        }
    }

    /// Keeps what was learned: a decision must be the same after a restart. What the configuration says is not kept with it,
    /// so that whoever takes it back there has taken it back.
    async fn write(&self, file: &Path, heard: &Heard, schema: &Schema) -> io::Result<()> {
        let learned = schema.beside().without(heard.configured.beside());
        let text = learned.to_yaml(schema.dialect());
        // It must be read again at the next start.
        if text.len() > FILE_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let path = file.to_owned();
        let written = tokio::task::spawn_blocking(move || files::replace(&path, text.as_bytes()));
        written.await.map_err(io::Error::other)?
    }
}

/// Tells that what was learned before does not fit what the schema says now.
fn tell_of_contradictions(upstream: &str, dialect: &str, merged: &Merged) {
    let contradictions = merged.contradictions.len();
    if contradictions > 0 {
        tracing::warn!(
            upstream,
            dialect,
            contradictions,
            "the schema says otherwise than what was learned before: the schema stands"
        );
    }
}

/// What requests will be decided by. As long as it is there, nothing else changes that.
#[derive(Debug)]
pub struct Prepared {
    live: Arc<LiveSchema>,
    heard: OwnedMutexGuard<Heard>,
    configured: Arc<Schema>,
    schema: Arc<Schema>,
    in_force: Arc<InForce>,
}

impl Prepared {
    fn new(
        live: Arc<LiveSchema>,
        heard: OwnedMutexGuard<Heard>,
        policy: &Policy,
        dialect: &Arc<dyn Dialect>,
    ) -> Self {
        let configured = dialect.schema().clone();
        let (schema, dialect) = match configured.hash() == heard.configured.hash() {
            // The files say what they said.
            true => (heard.schema.clone(), live.dialect()),
            // As after a restart: who has written a schema file since is right.
            false => {
                let learned = heard.schema.beside().without(heard.configured.beside());
                let (schema, merged) = configured.and(learned);
                let learns = live.file.is_some();
                if learns {
                    tell_of_contradictions(&live.upstream, dialect.name(), &merged);
                }
                let known = if learns { &schema } else { &configured };
                (schema.clone(), dialect.with_schema(known.clone()))
            }
        };
        let in_force = InForce::new(dialect, policy);
        if let Some(current) = live.current.get() {
            in_force.policy.foresee(&current.load().policy);
        }
        Self {
            in_force,
            live,
            heard,
            configured,
            schema,
        }
    }

    /// Whether its schema is another than the one in force.
    pub fn is_new(&self) -> bool {
        let now = self.live.dialect();
        now.schema().hash() != self.in_force.dialect.schema().hash()
    }

    /// The upstream, the dialect, and the hash of the schema.
    pub fn schema(&self) -> (&str, &'static str, Arc<str>) {
        let schema = self.in_force.dialect.schema();
        (&self.live.upstream, schema.dialect(), schema.hash().clone())
    }

    /// What is known of the CRM's data, by which requests would be decided.
    pub fn known(&self) -> Arc<Schema> {
        self.in_force.dialect.schema().clone()
    }

    /// From now on requests are decided by it. Those under way go on as they began, by what is given back here.
    pub fn put(mut self) -> impl Send + 'static {
        self.heard.configured = self.configured;
        self.heard.schema = self.schema;
        let in_force = self.in_force;
        self.live.put(in_force.dialect.clone(), Some(in_force))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Options;
    use crate::dialect::{Origin, by_name};
    use crate::vocabulary::Module;

    fn said(text: &str) -> Modules {
        let dialect = by_name("sugar-rest").unwrap();
        dialect.described(None, text.as_bytes()).unwrap()
    }

    fn growing(folder: &Path) -> LiveSchema {
        let mut found = Diagnostics::new();
        let live = LiveSchema::growing("crm", by_name("sugar-rest").unwrap(), folder, &mut found);
        live.unwrap_or_else(|| panic!("{}", found.render(false)))
    }

    const ANSWER: &str = r#"{"modules":{"Contacts":{"fields":{"x_c":{"type":"relate","module":"Accounts","rname":"name"}}}}}"#;

    #[tokio::test]
    async fn what_the_log_does_not_take_is_not_learned_before_nor_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let options = Options::new(&dir.path().join("log"), &dir.path().join("state"));
        let log = Log::open(options).unwrap();
        let folder = dir.path().join("schema");
        let (live, contacts) = (growing(&folder), Module::new("Contacts"));
        log.stop().unwrap();
        assert!(live.hear(said(ANSWER), &log).await.is_none());
        let origin = |live: &LiveSchema| live.dialect().schema().origin(&contacts, "x_c");
        assert_eq!(origin(&live), Origin::Own);
        assert_eq!(origin(&growing(&folder)), Origin::Own);
    }

    #[tokio::test]
    async fn what_cannot_be_kept_is_not_learned() {
        let dir = tempfile::tempdir().unwrap();
        let options = Options::new(&dir.path().join("log"), &dir.path().join("state"));
        let log = Log::open(options).unwrap();
        let folder = dir.path().join("schema");
        let live = growing(&folder);
        // A file stands where the folder belongs.
        std::fs::write(&folder, "").unwrap();
        assert!(live.hear(said(ANSWER), &log).await.is_none());
        assert!(live.dialect().schema().beside().is_empty());
        std::fs::remove_file(&folder).unwrap();
        assert!(
            live.hear(said(ANSWER), &log).await.is_some(),
            "it was not forgotten"
        );
        assert!(!live.dialect().schema().beside().is_empty());
        log.stop().unwrap();
    }
}
