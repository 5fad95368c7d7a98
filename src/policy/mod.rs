//! What the caller may have: YAML → checked policy → decision table; maps evidence to roles.
//!
//! `language` is what people wrote, `decision` what a request gets of it, in the schema of one CRM. Beside them stand what
//! authors are told: `warnings`, `lints`, `order`, `self_made`, `pairs`, `explain`, `named`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::condition::Condition;
use crate::config::Config;
use crate::detect;
use crate::diagnostic::{Diagnostics, File};
use crate::dialect::{Operation, Origin, Schema};
use crate::identity::Caller;
use crate::vocabulary::{Category, Field, FieldPath, Module, Purpose, Role};

mod decision;
mod explain;
mod language;
mod lints;
mod listed;
mod named;
mod observation;
mod order;
mod pairs;
mod proof;
mod reachable;
mod self_lifted;
mod self_made;
mod supposed;
mod terms;
mod warnings;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use decision::conditional::{Conditions, Judged};
pub use decision::fields::{KnownFields, QuotedName, ValueFate};
pub use decision::plan::{
    Decision, Denial, FieldRule, Plan, PurposeChosen, RecordRules, Show, SpanRule, TextRule,
    Usable, Would, Writable,
};
pub use decision::standing::Standing;
pub use decision::step_up::Challenge;
pub use explain::{Explanation, Row, Unexplained};
pub use language::catalogue::{BuiltIn, CATALOGUE};
pub use language::limit::{Count, Limit, Per, RECORDS_MAX, Then};
pub use listed::Rule;
pub use observation::Observation;
pub use pairs::{Gain, Pair};
pub use proof::{
    Access, AccessField, Aspect, Change, Column, Compared, Counterexample, Given, How, Kept, Never,
    Proved, Replayed, Shade, Sight, State, is_whole,
};

pub use language::codes;
pub use language::terms::{
    About, Authority, ConsentProof, ConsentTerms, ConsentText, Language, Needs, Organisation,
    People, Person, Target, WhenMissing,
};
pub use supposed::Assumed;

/// How names of exceptions begin in the log.
pub const EXCEPTION: &str = "exception.";

use decision::engine::Situation;
use decision::judge::{Core, View};
#[cfg(test)]
use decision::looked;
use decision::step_up;
use decision::table::Tables;
use decision::{decide, engine, judge, plan};
use language::{catalogue, check, classes, document, folder, model, sections, source};

/// A policy that was checked and compiled.
#[derive(Debug)]
pub struct Policy {
    core: Arc<Core>,
    tables: Tables,
    /// What proofs rest on, once one was asked for.
    ground: OnceLock<proof::Ground>,
}

/// One file of a policy: its name in messages, and its text.
#[derive(Clone, Debug)]
pub struct Source {
    /// The path as messages show it.
    pub path: String,
    /// The text.
    pub text: String,
}

/// What a policy says that a field is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classified {
    /// The categories of the field, and of what it copies.
    pub categories: BTreeSet<Category>,
    /// Whether an entry names it; else a wildcard catches it, or it copies another field.
    pub is_named: bool,
    /// Whether something of it is not classified.
    pub is_open: bool,
    /// Whether the policy knows its module.
    pub is_known: bool,
}

/// How much a policy holds.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// The policy's name.
    pub policy: String,
    /// Its hash.
    pub hash: String,
    /// Grants.
    pub grants: usize,
    /// Caps.
    pub caps: usize,
    /// Entries under `classify`.
    pub classifications: usize,
    /// Known modules.
    pub modules: usize,
    /// What callers with two roles get who state no purpose.
    pub pairs: Vec<Pair>,
}

impl Policy {
    /// Reads the `*.yaml` and `*.yml` files of a folder, not of the folders in it. What else lies there is told, but for
    /// a short list of what may.
    pub fn read(dir: &Path) -> Result<Vec<Source>, Diagnostics> {
        source::read(dir)
    }

    /// Reads the tests that lie beside a policy, in its folder `tests`; none, if there is no such folder.
    pub fn read_tests(dir: &Path) -> Result<Vec<Source>, Diagnostics> {
        source::read_tests(dir)
    }

    /// Whether something of this name is read as part of a policy (`true`), or may lie in its folder unread (`false`).
    pub fn lies_in_folder(name: &str, is_folder: bool) -> Option<bool> {
        folder::lies_by_name(name, is_folder)
    }

    /// The hash that a policy of these texts has, whether they are one or not.
    pub fn hash_of(sources: &[Source]) -> String {
        let document = document::Document::default();
        let (_, hash) = read(document, sources, &mut Diagnostics::new());
        hash
    }

    /// Checks and compiles, with the field algebra of the first schema; what is odd is said where it is odd in all of
    /// them. Every problem is in the diagnostics; a policy comes out only if none is an error.
    pub fn compile(
        sources: &[Source],
        schemas: &[Arc<Schema>],
        token_key: &[u8],
    ) -> (Option<Self>, Diagnostics) {
        let today = jiff::Timestamp::now()
            .to_zoned(jiff::tz::TimeZone::UTC)
            .date();
        Self::compile_on(today, sources, schemas, token_key)
    }

    /// The same on some day.
    fn compile_on(
        today: jiff::civil::Date,
        sources: &[Source],
        schemas: &[Arc<Schema>],
        token_key: &[u8],
    ) -> (Option<Self>, Diagnostics) {
        let mut found = Diagnostics::new();
        let document = document::Document {
            today: Some(today),
            ..document::Document::default()
        };
        let (document, hash) = read(document, sources, &mut found);
        source::require_name(sources, &document, &mut found);
        let detects = detects(&document);
        let mut model = check::check(document, hash, &mut found);
        (model.texts, model.detects) = (sources.into(), detects);
        warnings::asks(&model, &mut found);
        if found.has_errors() {
            return (None, found);
        }
        observation::warn(&model, &mut found);
        lints::empty(&model, &mut found);
        warnings::warn(&model, schemas, &mut found);
        order::warn(&model, &mut found);
        let policy = schemas.first().map(|schema| {
            let core = Core::new(model, schema.clone(), token_key);
            self_made::warn(&core, schemas, &mut found);
            self_lifted::warn(&core, schemas, &mut found);
            lints::warn(&core.model, schemas, &mut found);
            Self::of(core)
        });
        (policy, found)
    }

    fn of(core: Core) -> Self {
        let core = Arc::new(core);
        let tables = Tables::new(core.clone());
        Self {
            core,
            tables,
            ground: OnceLock::new(),
        }
    }

    /// The same policy, where this is known of the CRM's data. Plans that were made before keep theirs.
    #[must_use]
    pub fn in_schema(&self, schema: Arc<Schema>) -> Self {
        Self::of(self.core.in_schema(schema))
    }

    /// The same policy, whose tokens are made with another key.
    #[must_use]
    pub(crate) fn keyed(&self, token_key: &[u8]) -> Self {
        Self::of(self.core.keyed(token_key))
    }

    /// Works out what callers of another policy have asked for, so that they do not wait when this one takes its place.
    pub fn foresee(&self, other: &Self) {
        self.tables.foresee(&other.tables);
    }

    /// What of its evidence and strengths no caller of a configuration can have.
    pub fn against(&self, config: &Config) -> Diagnostics {
        reachable::against(self, config)
    }

    /// What is known of the CRM's data.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.core.schema
    }

    /// The policy's name.
    pub fn name(&self) -> &str {
        &self.core.model.name
    }

    /// The hash of its meaning-bearing text: `sha256:…`.
    pub fn hash(&self) -> &str {
        &self.core.model.hash
    }

    /// What the hash is of: the texts, and what detectors find, if there are any. Nothing of that is secret.
    pub fn texts(&self) -> (&[Source], Option<&'static str>) {
        (&self.core.model.texts, self.core.model.detects)
    }

    /// The roles that it declares.
    pub fn roles(&self) -> impl Iterator<Item = &Role> {
        self.core.model.roles.keys()
    }

    /// The purposes that it declares.
    pub fn purposes(&self) -> impl Iterator<Item = &Purpose> {
        self.core.model.purposes.keys()
    }

    /// The legal basis of a purpose; `None` of one that it does not declare.
    pub fn legal_basis(&self, purpose: &Purpose) -> Option<&str> {
        let declared = self.core.model.purposes.get(purpose)?;
        Some(&declared.basis)
    }

    /// The modules that it knows.
    pub fn modules(&self) -> impl Iterator<Item = &Module> {
        self.core.model.classes.modules.keys()
    }

    /// Whether it knows a module: only then do that module's records pass.
    pub fn knows(&self, module: &Module) -> bool {
        self.core.model.classes.modules.contains_key(module)
    }

    /// Fields of known modules that the dialect knows and that no one has classified: they are redacted, and somebody
    /// should look at them.
    pub fn gaps(&self) -> BTreeMap<Module, Vec<Field>> {
        let view = View::new(self.core.clone(), Situation::default());
        let is_gap = |module: &Module, field: &Field| {
            let origin = self.core.schema.origin(module, field.as_str());
            let holds_data = matches!(origin, Origin::Own | Origin::Items(_) | Origin::Copy { .. });
            holds_data && view.sources(module, field).unclassified
        };
        let gaps_of = |module: &Module| {
            let mut fields = self.core.schema.fields(module);
            fields.retain(|field| is_gap(module, field));
            (module.clone(), fields)
        };
        self.modules()
            .map(gaps_of)
            .filter(|(_, fields)| !fields.is_empty())
            .collect()
    }

    /// What it says that a field is.
    pub fn classified(&self, module: &Module, field: &Field) -> Classified {
        let view = View::new(self.core.clone(), Situation::default());
        let sources = view.sources(module, field);
        let classes = &self.core.model.classes;
        let own = classes.modules.get(module);
        let sections = own.into_iter().chain([&classes.everywhere]);
        Classified {
            is_known: own.is_some(),
            is_named: sections.clone().any(|one| one.exact.contains_key(field)),
            is_open: sources.unclassified,
            categories: sources.categories,
        }
    }

    /// Those of some fields of known modules of which nobody has said what they are, so that they are redacted.
    pub fn unclassified_of<'p>(
        &self,
        paths: impl IntoIterator<Item = &'p FieldPath>,
    ) -> BTreeSet<FieldPath> {
        let view = View::new(self.core.clone(), Situation::default());
        let is_open = |path: &&FieldPath| {
            self.knows(&path.module) && view.sources(&path.module, &path.field).unclassified
        };
        paths.into_iter().filter(is_open).cloned().collect()
    }

    /// How much it holds.
    pub fn summary(&self) -> Summary {
        let model = &self.core.model;
        let sections = model.classes.modules.values();
        Summary {
            policy: model.name.clone(),
            hash: model.hash.clone(),
            grants: model.grants.len(),
            caps: model.caps.len(),
            classifications: sections
                .chain([&model.classes.everywhere])
                .map(|section| section.exact.len() + section.wildcards.len())
                .sum(),
            modules: model.classes.modules.len(),
            pairs: pairs::pairs(&self.core),
        }
    }

    /// How many records callers are shown in a while.
    pub fn limits(&self) -> &[Limit] {
        &self.core.model.limits
    }

    /// What a limit asks of who reaches it.
    pub fn asked_by(&self, limit: &Limit) -> Option<Arc<Challenge>> {
        match limit.then() {
            Then::StepUp(strengths) => step_up::asking(&self.core.model, strengths),
            Then::Alert | Then::Block => None,
        }
    }

    /// Whether it names a name of a client certificate.
    pub fn names_certificate(&self, name: &str) -> bool {
        let mut roles = self.core.model.roles.values();
        roles.any(|role| role.names_certificate(name))
    }

    /// Whether these are roles of machines alone.
    pub fn are_machines(&self, roles: &[Role]) -> bool {
        let model = &self.core.model;
        let is_machine = |role| {
            model
                .roles
                .get(role)
                .is_some_and(|role| role.machine.is_some())
        };
        !roles.is_empty() && roles.iter().all(is_machine)
    }

    /// Who a caller would be who states no purpose in a header.
    pub fn standing(&self, caller: &Caller) -> Standing {
        Standing::of(&self.core.model, caller)
    }

    /// Decides, now, about one operation of one caller, who may have stated a purpose.
    pub fn decide(
        &self,
        caller: &Caller,
        stated_purpose: Option<&str>,
        operation: &Operation,
    ) -> Decision {
        let asked = (caller, stated_purpose);
        self.decide_at(jiff::Timestamp::now(), asked, operation)
    }

    /// The same at some moment: which rules still only observe depends on nothing else.
    pub fn decide_at(
        &self,
        now: jiff::Timestamp,
        asked: (&Caller, Option<&str>),
        operation: &Operation,
    ) -> Decision {
        decide::decide(self, now, asked, operation)
    }

    /// Whether what it gives depends on the day, or on the hour.
    pub fn looks_at_time(&self) -> bool {
        let model = &self.core.model;
        let noted = model.conditions.iter().map(|noted| &noted.condition);
        let mut asked = noted.chain(model.rows.iter().map(|row| &row.keep_when));
        !model.days.is_empty() || asked.any(Condition::looks_at_time)
    }

    /// Whether the whole of it only observes at some moment.
    pub fn observes(&self, now: jiff::Timestamp) -> bool {
        let whole = self.core.model.observed.as_ref();
        whole.is_some_and(|whole| whole.holds_at(now))
    }

    /// What of it only observes at some moment.
    pub fn observation(&self, now: jiff::Timestamp) -> Observation {
        observation::observation(&self.core.model, now)
    }

    /// The plan of operations that need no caller: no role counts, so nothing is granted.
    pub fn public_plan(&self) -> Plan {
        self.public_plan_at(jiff::Timestamp::now())
    }

    /// The same at some moment. What anybody may ask is not tried out as a whole.
    pub fn public_plan_at(&self, now: jiff::Timestamp) -> Plan {
        let table = self.tables.of(Situation {
            observing: self.core.model.observing(now, false),
            ..Situation::default()
        });
        Plan {
            used: table.clone(),
            table,
            roles: Arc::default(),
            purpose: None,
            challenge: None,
            would: None,
            terms: None,
            also: None,
            told_by: None,
        }
    }

    /// The rules of a module's records in a state, from the tables by which requests are decided. No plan: nobody is permitted
    /// anything by them.
    pub(crate) fn rules_in(
        &self,
        now: jiff::Timestamp,
        state: &State,
        module: &Module,
    ) -> Arc<RecordRules> {
        let State {
            roles,
            purpose,
            strengths,
        } = state.clone();
        let situation = Situation {
            roles,
            purpose: Some(purpose),
            strengths,
            seen: None,
            observing: self.core.model.observing(now, true),
            facts: engine::Facts::Least,
        };
        self.tables.of(situation).records(module)
    }

    /// Which level each field of a module gets now for some roles and a purpose, and because of which rule.
    pub fn explain(
        &self,
        roles: &[Role],
        purpose: &Purpose,
        strengths: &[&str],
        module: &Module,
    ) -> Result<Explanation, Unexplained> {
        self.explain_at(jiff::Timestamp::now(), (roles, purpose), strengths, module)
    }

    /// The same at some moment.
    pub fn explain_at(
        &self,
        now: jiff::Timestamp,
        (roles, purpose): (&[Role], &Purpose),
        strengths: &[&str],
        module: &Module,
    ) -> Result<Explanation, Unexplained> {
        explain::explain(self, now, (roles, purpose), strengths, module)
    }
}

/// What all files say, and the hash of that.
fn read(
    mut document: document::Document,
    sources: &[Source],
    found: &mut Diagnostics,
) -> (document::Document, String) {
    for source in sources {
        let file = File::new(source.path.as_str(), source.text.as_str());
        sections::read(&file, &mut document, found);
    }
    let hash = source::hash(sources, detects(&document));
    (document, hash)
}

/// What the detectors of a policy find, if it has any.
fn detects(document: &document::Document) -> Option<&'static str> {
    (!document.detectors.is_empty()).then(detect::version)
}

impl Summary {
    /// What `check` prints last.
    pub fn render(&self, found: &Diagnostics) -> String {
        let count = |number: usize, one: &str, many: &str| {
            format!("{number} {}", if number == 1 { one } else { many })
        };
        format!(
            "policy `{}` is valid: {}, {}, {} in {}\n{}  {}, {}\n{}",
            self.policy,
            count(self.grants, "grant", "grants"),
            count(self.caps, "cap", "caps"),
            count(
                self.classifications,
                "classification entry",
                "classification entries"
            ),
            count(self.modules, "module", "modules"),
            self.hash,
            count(found.warnings(), "warning", "warnings"),
            count(found.notes(), "note", "notes"),
            pairs::render(&self.pairs),
        )
    }
}
