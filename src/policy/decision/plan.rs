//! What a caller may have: the decision about one operation, and the rule of each field it can touch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use crate::detect::Kind;
use crate::detect::statement::{Certainty, Lexicon};
use crate::dialect::{Items, Shape};
use crate::json::Key;
use crate::mask::{Mask, Tokenizer};
use crate::reason::Reason;
use crate::vocabulary::{Category, Field, FieldPath, Level, Module, Purpose, Role, RuleName};

use super::conditional::{Conditions, RecordTerms};
use super::fields::KnownFields;
use super::step_up::Challenge;
use super::table::Table;

/// The default that rules fields which nobody has classified, as it is named in `explain` and in the log.
pub(in crate::policy) const UNCLASSIFIED: &str = "defaults.unclassified";

/// The decision about one operation.
#[must_use]
#[derive(Debug)]
pub enum Decision {
    /// Not at all.
    Deny(Denial),
    /// On these terms.
    Permit(Plan),
}

/// A refusal by the policy, with what is known about the caller for the log.
#[derive(Debug)]
pub struct Denial {
    /// Why.
    pub reason: Reason,
    /// The roles that count, as far as they were found.
    pub roles: Vec<Role>,
    /// The purpose, if one was found.
    pub purpose: Option<PurposeChosen>,
    /// The strengths of authentication that were proved.
    pub strengths: BTreeSet<String>,
    /// The authentication that would do.
    pub challenge: Option<Arc<Challenge>>,
    /// Whether it would be permitted, if no rule only observed.
    pub is_observed: bool,
}

/// A purpose, and how it came to be the one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurposeChosen {
    /// The purpose.
    pub purpose: Purpose,
    /// `header`, `claim`, `default`, `machine` or `order`.
    pub chosen_by: &'static str,
    /// The legal basis that the policy states for it.
    pub basis: Arc<str>,
}

/// The terms of a permitted operation. Made only by [`super::super::Policy::decide`]; holding one proves that a rule permitted this.
///
/// ```compile_fail
/// // No plan without a decision: the constructor and the fields are private.
/// let plan = paravent::policy::Plan { table: todo!(), roles: vec![], purpose: None, challenge: None, would: None, terms: None, also: None, told_by: None, used: todo!() };
/// ```
#[derive(Clone, Debug)]
pub struct Plan {
    pub(in crate::policy) table: Arc<Table>,
    /// The rules by which fields may be used.
    pub(in crate::policy) used: Arc<Table>,
    pub(in crate::policy) roles: Arc<[Role]>,
    pub(in crate::policy) purpose: Option<PurposeChosen>,
    pub(in crate::policy) challenge: Option<Arc<Challenge>>,
    /// Why the request would be refused, if no rule only observed.
    pub(in crate::policy) would: Option<Reason>,
    /// What rules ask for of records, if they do.
    pub(in crate::policy) terms: Option<Arc<RecordTerms>>,
    /// What must be read of records beside, by module.
    pub(in crate::policy) also: Option<Arc<BTreeMap<Module, BTreeSet<Field>>>>,
    /// What must be read of all records to tell whom they are about, by module, where persons are counted.
    pub(in crate::policy) told_by: Option<Arc<BTreeMap<Module, BTreeSet<Field>>>>,
}

impl Plan {
    /// The roles that count.
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// The purpose; `None` for operations that need none: then nothing is granted.
    pub fn purpose(&self) -> Option<&PurposeChosen> {
        self.purpose.as_ref()
    }

    /// The authentication that would show more of what is asked for.
    pub fn challenge(&self) -> Option<&Arc<Challenge>> {
        self.challenge.as_ref()
    }

    /// Why the request would be refused, if no rule only observed.
    pub fn would(&self) -> Option<Reason> {
        self.would
    }

    /// Whether exceptions may lift caps of the policy.
    pub fn has_exceptions(&self) -> bool {
        self.table.has_exceptions()
    }

    /// The strengths of authentication that were proved.
    pub fn strengths(&self) -> &BTreeSet<String> {
        &self.table.situation().strengths
    }

    /// The rules of a module's records, as of one of which nothing is known: none shows less.
    pub fn records(&self, module: &Module) -> Arc<RecordRules> {
        self.table.records(module)
    }

    /// The rules by which a request may match, sort, search and write the fields of a module's records: those of
    /// [`Self::records`], but that no record is taken for one whose processing is restricted. Those are not there where a
    /// request finds records by what is withheld of them, and whoever writes one looks first.
    pub fn used(&self, module: &Module) -> Arc<RecordRules> {
        self.used.records(module)
    }

    /// Whether the processing of some of a module's records may be restricted, so that less of them may be used.
    pub fn has_restricted(&self, module: &Module) -> bool {
        let terms = self.terms.as_ref();
        terms.is_some_and(|terms| terms.has_restricted(module))
    }

    /// Whether some of them may not even be deleted.
    pub fn has_preserved(&self, module: &Module) -> bool {
        let terms = self.terms.as_ref();
        terms.is_some_and(|terms| terms.has_preserved(module))
    }

    /// The rules of a module's records, as of one of which everything shows most: none shows more.
    pub fn records_at_most(&self, module: &Module) -> Arc<RecordRules> {
        match &self.terms {
            Some(terms) => terms.most(module),
            None => self.records(module),
        }
    }

    /// Whether rules ask for something of records.
    pub fn asks_of_records(&self) -> bool {
        self.terms.is_some()
    }

    /// Whether rules ask for something of the persons whom records are about.
    pub fn asks_of_persons(&self) -> bool {
        let terms = self.terms.as_ref();
        terms.is_some_and(|terms| terms.asks_of_persons())
    }

    /// From here on, these fields are read, too, of records of which rules ask for something.
    pub(crate) fn read_also(&mut self, fields: Arc<BTreeMap<Module, BTreeSet<Field>>>) {
        self.also = Some(fields);
    }

    /// From here on, these fields are read of all records: it is counted whom they are about.
    pub(crate) fn tell_persons(&mut self, fields: Arc<BTreeMap<Module, BTreeSet<Field>>>) {
        self.told_by = Some(fields);
    }

    /// Whether it is counted whom records are about.
    pub fn tells_persons(&self) -> bool {
        self.told_by.is_some()
    }

    /// What must be read of a module's records to tell whom they are about, where that is counted.
    pub fn told_by(&self, module: &Module) -> Option<&BTreeSet<Field>> {
        self.told_by.as_ref()?.get(module)
    }

    /// The same, in which each record has the rules of one of which nothing is known.
    #[must_use]
    pub fn unjudged(&self) -> Self {
        Self {
            terms: None,
            ..self.clone()
        }
    }

    /// Whether records may be found by a field where more are found than are there for the caller: it must tell nobody apart.
    pub fn is_matchable(&self, path: &FieldPath) -> bool {
        let rules = self.used(&path.module);
        let terms = self.terms.as_ref();
        terms.is_none_or(|terms| terms.is_matchable(&rules.field(path.field.as_str()).categories))
    }

    /// Whether some of a module's records are not there for the caller, and others are.
    pub fn has_rows(&self, module: &Module) -> bool {
        let terms = self.terms.as_ref();
        terms.is_some_and(|terms| terms.has_rows(module))
    }

    /// What must be looked at of a module's records before their rules are known; `None`: they all have those of
    /// [`Self::records`].
    pub fn conditions(&self, module: &Module) -> Option<Conditions> {
        let conditions = self.terms.as_ref()?.conditions(module)?;
        let also = self.also.as_ref().and_then(|also| also.get(module));
        Some(match also {
            Some(also) => conditions.reading(also),
            None => conditions,
        })
    }
}

/// The rules of one module's records under one plan: one look-up a field.
///
/// A module that the policy does not know has rules too: each of its fields is unclassified.
#[derive(Debug)]
pub struct RecordRules {
    // The policy module owns the insides; see `rules.rs`.
    pub(in crate::policy) inner: super::rules::Rules,
}

impl RecordRules {
    /// The module.
    pub fn module(&self) -> &Module {
        self.inner.module()
    }

    /// The rule of a field. The name is folded to ASCII lower case here; look-ups of names seen before do not allocate.
    pub fn field(&self, name: &str) -> Arc<FieldRule> {
        self.inner.field(name)
    }

    /// The fields that the policy or the dialect knows of this module, numbered.
    pub fn fields(&self) -> &Arc<KnownFields> {
        self.inner.fields()
    }

    /// The rules of all fields that the policy or the dialect knows of this module and that hold data.
    pub fn known(&self) -> Vec<Arc<FieldRule>> {
        self.inner.known()
    }

    /// The same, and one for each way in which fields show something that neither knows by name: those that a pattern
    /// classifies, and those that nothing does.
    pub fn possible(&self) -> Vec<Arc<FieldRule>> {
        self.inner.possible()
    }

    /// How the name of one of this module's records is shown where another record copies it (`parent_name`); `None`
    /// if the policy does not know the module.
    pub fn display_name(&self) -> Option<Arc<FieldRule>> {
        self.inner.display_name()
    }

    /// The fields that the CRM's full-text search looks into; `None` if the policy does not list the module.
    pub fn searched(&self) -> Option<&[Field]> {
        self.inner.searched()
    }
}

/// What the plan says of one field.
#[derive(Debug)]
pub struct FieldRule {
    /// The module.
    pub module: Module,
    /// The field.
    pub field: Field,
    /// The level, as the log reports it. Structural fields are `Clear`.
    pub level: Level,
    /// The categories of the field and of what it copies; empty if nobody has classified it.
    pub categories: Vec<Category>,
    /// The rules that made the level what it is.
    pub by: Vec<RuleName>,
    /// What becomes of the value.
    pub show: Show,
    /// Whether the caller may match, sort or search by it.
    pub usable: Usable,
    /// Whether the caller may write it.
    pub writable: Writable,
    /// Whether it is the CRM's own scaffolding: not reported, and dropped on write.
    pub structural: bool,
    /// Whether the policy or the dialect knows the name (else the log counts it instead of naming it, on requests).
    pub known: bool,
    /// What it would be, if no rule only observed; `None` if the same.
    pub would: Option<Box<Would>>,
}

/// What would be said of something, if no rule only observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Would {
    /// The level.
    pub level: Level,
    /// The rules that would make it so.
    pub by: Vec<RuleName>,
    /// Whether the caller could write it.
    pub writable: Writable,
}

impl Show {
    /// A list of objects with these members.
    pub fn items(items: Items, inner: Self) -> Self {
        Self::Items {
            keys: items.names().map(Key::new).collect(),
            inner: Box::new(inner),
            items,
        }
    }

    /// The rule for what is found of a kind in a text.
    pub fn span(&self, kind: Kind) -> Option<&SpanRule> {
        self.spans().iter().find(|span| span.kind == kind)
    }

    /// The rules for all that is looked for in a text, or in each text of a list.
    pub fn spans(&self) -> &[SpanRule] {
        match self {
            Self::Text(rule) => &rule.spans,
            Self::Items { inner, .. } => inner.spans(),
            _ => &[],
        }
    }
}

impl SpanRule {
    /// What would be shown of it, if no rule only observed; `None` if the same.
    pub fn would_show(&self) -> Option<&Would> {
        let would = self.would.as_deref();
        would.filter(|would| would.level != self.level)
    }
}

impl FieldRule {
    /// What would be shown of it, if no rule only observed; `None` if the same.
    pub fn would_show(&self) -> Option<&Would> {
        let would = self.would.as_deref();
        would.filter(|would| would.level != self.level)
    }

    /// The field that it is about.
    pub fn path(&self) -> FieldPath {
        FieldPath {
            module: self.module.clone(),
            field: self.field.clone(),
        }
    }

    /// The same for whoever may write records and see none: in the replies to that, nothing of them is shown but which they
    /// are.
    pub(super) fn unseen(self) -> Self {
        if self.field.as_str() == "id" {
            return self;
        }
        Self {
            level: self.level.min(Level::Redact),
            by: vec![RuleName::new("role.actions")],
            show: match self.show {
                Show::Remove => Show::Remove,
                _ => Show::Redact,
            },
            usable: Usable::No,
            would: None,
            ..self
        }
    }

    /// Whether nobody has classified it, or something that it is made of.
    pub fn is_unclassified(&self) -> bool {
        self.by.iter().any(|by| by.as_str() == UNCLASSIFIED)
    }

    /// Whether it is dropped from a write whatever it holds. Records of a link look like scaffolding to the report, but
    /// are compared like data.
    pub fn is_scaffolding(&self) -> bool {
        self.structural && !matches!(self.show, Show::Related(_))
    }
}

/// Whether and how far a field may be matched, sorted or searched by. The order is by how much is permitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Usable {
    /// Not at all.
    No,
    /// Matched and searched with words, not with digits, and not sorted by: numbers are hidden in it that could be guessed digit
    /// by digit.
    Words,
    /// In every way.
    Yes,
}

impl Usable {
    /// How it is called where rules are explained.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Words => "words",
            Self::Yes => "yes",
        }
    }

    /// Whether a value may be looked for.
    pub(in crate::policy) fn permits(self, operand: &Value) -> bool {
        match self {
            Self::No => false,
            // Not even a few digits: windows of two or three would overlap.
            Self::Words => !holds_digit(operand),
            Self::Yes => true,
        }
    }
}

/// Whether an operand of a comparison holds a digit, of whatever script.
fn holds_digit(operand: &Value) -> bool {
    match operand {
        Value::Null | Value::Bool(_) => false,
        Value::String(text) => text.contains(char::is_numeric),
        Value::Array(operands) => operands.iter().any(holds_digit),
        Value::Number(_) | Value::Object(_) => operand.to_string().contains(char::is_numeric),
    }
}

/// Whether and how a field may be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Writable {
    /// Not at all.
    No,
    /// Any value.
    Yes,
    /// A valid identifier of this kind only (a `write: allow` grant on a category that is not shown in clear).
    Valid(Kind),
}

/// What becomes of a value that is shown.
#[derive(Clone, Debug)]
pub enum Show {
    /// Scalars, and arrays of scalars, are unchanged. An object, or an array that holds arrays or objects, is
    /// redacted: it may be records of a link that nobody knows.
    Clear,
    /// The key is removed.
    Remove,
    /// `null`, `[]` or `{}` by the type of the value.
    Redact,
    /// A stable pseudonym for a string; other types are redacted.
    Token(Arc<Tokenizer>),
    /// The mask for a string (and for a number, if it is one for numbers); other types are redacted.
    Mask(Mask),
    /// Clear text in which identifiers are looked for.
    Text(Arc<TextRule>),
    /// A list of objects with known members: treated members are shown by the inner rule, passed members are
    /// unchanged scalars, others are dropped. `Show::Redact` and `Show::Remove` are never wrapped. A string instead
    /// of a list is shown by the inner rule.
    Items {
        /// The members.
        items: Items,
        /// The keys of the members, treated ones first.
        keys: Arc<[Key]>,
        /// How treated members are shown.
        inner: Box<Self>,
    },
    /// Records of another module, held to that module's rules: an object that is a record, or that holds a page of them
    /// ([`crate::dialect::Collection`]), or an array of records. Scalars are redacted.
    Related(Module),
    /// Shown as the name of the module that this sibling field tells; redacted if the sibling is absent, is not a
    /// string, or names a module that the policy does not know.
    ByParent {
        /// The sibling's folded name.
        told_by: &'static str,
    },
    /// Passes in this shape; what does not fit is redacted.
    Shaped(Arc<Shape>),
}

/// What becomes of identifiers and statements that are found in a text.
#[derive(Debug)]
pub struct TextRule {
    /// One rule per kind that is looked for.
    pub spans: Vec<SpanRule>,
    /// The words of statements, where such are looked for.
    pub lexicon: Option<Arc<Lexicon>>,
}

/// What becomes of one kind of finding in a text.
#[derive(Debug)]
pub struct SpanRule {
    /// The kind.
    pub kind: Kind,
    /// Its category.
    pub category: Category,
    /// The category's level for this caller. Below `Mask`, but for `Token`, the span becomes the kind in brackets: `[iban]`.
    pub level: Level,
    /// The rules that made the level what it is.
    pub by: Vec<RuleName>,
    /// The category's mask, used at `Level::Mask`.
    pub mask: Option<Mask>,
    /// Makes the token, used at `Level::Token`.
    pub tokenizer: Option<Arc<Tokenizer>>,
    /// How sure a finding must be to have this level; `None`: none has, what is found is shown.
    pub shown: Option<Certainty>,
    /// How sure a new finding must be to be refused where it may not be written; `None`: none is.
    pub refused: Option<Certainty>,
    /// How sure one must be to be told in the log, where it passes.
    pub flagged: Option<Certainty>,
    /// Whether the caller may write a new finding of this kind.
    pub writable: bool,
    /// What it would be, if no rule only observed; `None` if the same.
    pub would: Option<Box<Would>>,
}
