//! From the levels of categories to the rule of one field, in one situation.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use dashmap::DashMap;

use crate::detect::Kind;
use crate::detect::statement::{Languages, Lexicon};
use crate::dialect::{Items, Origin, Schema};
use crate::mask::{Mask, Tokenizer};
use crate::vocabulary::{Category, Field, Level, Module, RuleName};

use super::super::language::catalogue::{category_of, kind_of};
use super::super::language::model::{Model, Writing};
use super::engine::{Facts, OBSERVED, Situation, Verdict};
use super::looked::{Looked, efface, looked_for};
use super::plan::{FieldRule, Show, SpanRule, TextRule, UNCLASSIFIED, Usable, Would, Writable};
use super::sources::Sources;

/// What all situations share.
pub(in crate::policy) struct Core {
    pub(in crate::policy) model: Arc<Model>,
    pub(in crate::policy) schema: Arc<Schema>,
    token_key: Arc<[u8]>,
    /// One a category that is shown as a token; bounded by the number of categories.
    tokenizers: DashMap<Category, Arc<Tokenizer>>,
}

impl Core {
    pub(in crate::policy) fn new(model: Model, schema: Arc<Schema>, token_key: &[u8]) -> Self {
        Self {
            model: Arc::new(model),
            schema,
            token_key: token_key.into(),
            tokenizers: DashMap::new(),
        }
    }

    /// The same policy, with the field algebra of another schema.
    pub(in crate::policy) fn in_schema(&self, schema: Arc<Schema>) -> Self {
        Self {
            model: self.model.clone(),
            schema,
            token_key: self.token_key.clone(),
            tokenizers: DashMap::new(),
        }
    }

    /// The same policy, whose tokens are made with another key.
    pub(in crate::policy) fn keyed(&self, token_key: &[u8]) -> Self {
        Self {
            model: self.model.clone(),
            schema: self.schema.clone(),
            token_key: token_key.into(),
            tokenizers: DashMap::new(),
        }
    }

    fn tokenizer(&self, category: &Category) -> Arc<Tokenizer> {
        self.tokenizers
            .entry(category.clone())
            .or_insert_with(|| Arc::new(Tokenizer::new(&self.token_key, category.as_str())))
            .clone()
    }
}

impl fmt::Debug for Core {
    // The token key is a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core")
            .field("policy", &self.model.name)
            .finish_non_exhaustive()
    }
}

/// The levels of all categories in one situation.
#[derive(Debug)]
pub(in crate::policy) struct View {
    pub(in crate::policy) core: Arc<Core>,
    pub(in crate::policy) situation: Situation,
    /// The same situation, if no rule only observed; `None` if none does.
    enforced: Option<Arc<Self>>,
    verdicts: HashMap<Category, Verdict>,
    /// What it is to modules of which some conditional rules say nothing, by what they leave.
    narrower: Mutex<HashMap<Facts, Arc<Self>>>,
}

/// What becomes of a value.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::policy) enum Treatment {
    Remove,
    Redact,
    Token(Category),
    Mask(Mask),
    Clear,
    /// Clear text in which these are looked for.
    Text(Vec<Looked>),
}

/// What one situation says of a field that holds data.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::policy) struct Judgement {
    pub(in crate::policy) level: Level,
    pub(in crate::policy) categories: Vec<Category>,
    pub(in crate::policy) by: Vec<RuleName>,
    pub(in crate::policy) treatment: Treatment,
    pub(in crate::policy) usable: Usable,
    pub(in crate::policy) writable: Writable,
}

/// What may be written of a field in these categories: each must permit it. Of the kinds of identifier that a value must
/// then be, there can be but one.
pub(in crate::policy) fn combined(writes: &[(&Category, Writing)]) -> Writable {
    let mut kinds = BTreeSet::new();
    for (category, write) in writes {
        match (write, kind_of(category)) {
            (Writing::Any, _) => {}
            (Writing::Valid, Some(kind)) => {
                kinds.insert(kind);
            }
            (Writing::Valid, None) | (Writing::No, _) => return Writable::No,
        }
    }
    match (kinds.pop_first(), kinds.len()) {
        (None, _) => Writable::Yes,
        (Some(kind), 0) => Writable::Valid(kind),
        _ => Writable::No,
    }
}

impl View {
    pub(in crate::policy) fn new(core: Arc<Core>, situation: Situation) -> Self {
        Self::beside(core, situation, None)
    }

    /// The same, beside what would be if no rule only observed.
    pub(in crate::policy) fn beside(
        core: Arc<Core>,
        situation: Situation,
        enforced: Option<Arc<Self>>,
    ) -> Self {
        let verdicts = core
            .model
            .categories
            .keys()
            .map(|category| (category.clone(), core.model.verdict(&situation, category)))
            .collect();
        Self {
            core,
            situation,
            enforced,
            verdicts,
            narrower: Mutex::default(),
        }
    }

    /// The same to a module's records, of which rules about those of other modules say nothing; `None`: all of it.
    fn of(&self, module: &Module) -> Option<Arc<Self>> {
        let facts = self.core.model.facts_of(self.situation.facts, module);
        if facts == self.situation.facts {
            return None;
        }
        let narrower = || {
            let situation = Situation {
                facts,
                ..self.situation.clone()
            };
            let enforced = self.enforced.as_ref();
            let enforced = enforced.map(|one| one.of(module).unwrap_or_else(|| one.clone()));
            Arc::new(Self::beside(self.core.clone(), situation, enforced))
        };
        let mut known = self.narrower.lock().unwrap_or_else(PoisonError::into_inner);
        Some(known.entry(facts).or_insert_with(narrower).clone())
    }

    /// The verdict about a category.
    pub(in crate::policy) fn verdict(&self, category: &Category) -> Verdict {
        self.verdicts.get(category).map_or_else(
            || self.core.model.verdict(&self.situation, category),
            Verdict::clone,
        )
    }

    /// The rule of a field.
    pub(in crate::policy) fn rule(&self, module: &Module, field: &Field) -> FieldRule {
        if let Some(own) = self.of(module) {
            return own.rule(module, field);
        }
        let mut rule = self.rule_of(module, field);
        if let Some(enforced) = &self.enforced {
            let would = enforced.rule(module, field);
            let is_same = (would.level, would.usable) == (rule.level, rule.usable)
                && would.writable == rule.writable;
            rule.would = (!is_same).then(|| {
                Box::new(Would {
                    level: would.level,
                    by: would.by,
                    writable: would.writable,
                })
            });
        }
        rule
    }

    fn rule_of(&self, module: &Module, field: &Field) -> FieldRule {
        let known = self.known(module, field);
        match self.core.schema.origin(module, field.as_str()) {
            Origin::Secret => {
                self.fixed(module, field, Level::Hide, Show::Remove, "dialect.secret")
            }
            Origin::UnknownRelated => self.fixed(
                module,
                field,
                Level::Redact,
                Show::Redact,
                "dialect.unknown-related",
            ),
            Origin::CopyOfParent { told_by } => {
                let show = Show::ByParent { told_by };
                self.fixed(module, field, Level::Redact, show, "dialect.parent")
            }
            Origin::Related(target) if !self.situation.sees(&target) => {
                self.fixed(module, field, Level::Redact, Show::Redact, "role.actions")
            }
            Origin::Related(target) if self.core.model.classes.knows(&target) => {
                let show = Show::Related(target);
                self.fixed(module, field, Level::Clear, show, "dialect.related")
            }
            Origin::Related(_) => self.fixed(
                module,
                field,
                Level::Redact,
                Show::Redact,
                "dialect.unknown-related",
            ),
            Origin::Structural(shape) => {
                let show = Show::Shaped(Arc::new(shape));
                self.fixed(module, field, Level::Clear, show, "dialect.structural")
            }
            Origin::Own => self.own(module, field, None, known),
            Origin::Items(items) | Origin::CopyItems { items, .. } => {
                self.own(module, field, Some(items), known)
            }
            Origin::Copy { .. } => self.own(module, field, None, known),
        }
    }

    fn own(&self, module: &Module, field: &Field, items: Option<Items>, known: bool) -> FieldRule {
        let rule = self.data(module, field, items, known);
        match self.situation.sees(module) {
            true => rule,
            false => rule.unseen(),
        }
    }

    fn known(&self, module: &Module, field: &Field) -> bool {
        !self.core.model.classes.of(module, field).is_empty()
            || self.core.schema.has_field(module, field.as_str())
    }

    /// The rule of a field that the dialect rules alone: neither matched nor written.
    fn fixed(
        &self,
        module: &Module,
        field: &Field,
        level: Level,
        show: Show,
        by: &str,
    ) -> FieldRule {
        let structural = matches!(show, Show::Shaped(_) | Show::Related(_));
        FieldRule {
            module: module.clone(),
            field: field.clone(),
            level,
            categories: Vec::new(),
            by: vec![RuleName::new(by)],
            show,
            usable: Usable::No,
            writable: Writable::No,
            structural,
            known: structural || self.known(module, field),
            would: None,
        }
    }

    fn data(&self, module: &Module, field: &Field, items: Option<Items>, known: bool) -> FieldRule {
        let judgement = self.judge(module, field);
        let mut level = judgement.level;
        let mut show = match judgement.treatment {
            Treatment::Remove => Show::Remove,
            Treatment::Redact => Show::Redact,
            Treatment::Token(category) => Show::Token(self.core.tokenizer(&category)),
            Treatment::Mask(mask) => Show::Mask(mask),
            Treatment::Clear => Show::Clear,
            Treatment::Text(looked) => Show::Text(Arc::new(self.text_rule(&looked))),
        };
        if let Some(items) = items {
            show = match show {
                Show::Remove => Show::Remove,
                // A list has no token: it is redacted, and reported so.
                Show::Redact | Show::Token(_) => {
                    level = level.min(Level::Redact);
                    Show::Redact
                }
                inner => Show::items(items, inner),
            };
        }
        FieldRule {
            module: module.clone(),
            field: field.clone(),
            level,
            categories: judgement.categories,
            by: judgement.by,
            show,
            usable: judgement.usable,
            writable: judgement.writable,
            structural: false,
            known,
            would: None,
        }
    }

    fn text_rule(&self, looked: &[Looked]) -> TextRule {
        let statements = looked
            .iter()
            .filter(|looked| matches!(looked.kind, Kind::Statement(_)));
        let languages = statements
            .map(|looked| looked.languages)
            .reduce(Languages::and);
        let mut spans: Vec<SpanRule> = looked.iter().map(|looked| self.span(looked)).collect();
        efface(&mut spans);
        TextRule {
            spans,
            lexicon: languages.map(Lexicon::of),
        }
    }

    fn span(&self, looked: &Looked) -> SpanRule {
        let kind = looked.kind;
        let category = category_of(kind);
        let verdict = self.verdict(&category);
        let model = self.core.model.categories.get(&category);
        let would = self
            .enforced
            .as_ref()
            .map(|enforced| enforced.verdict(&category));
        let would = would
            .filter(|would| (would.level, would.write) != (verdict.level, verdict.write))
            .map(|would| {
                let writable = match would.write > Writing::No {
                    true => Writable::Yes,
                    false => Writable::No,
                };
                Box::new(Would {
                    level: would.level,
                    by: would.by,
                    writable,
                })
            });
        SpanRule {
            would,
            kind,
            level: verdict.level,
            by: verdict.by,
            mask: model.and_then(|model| model.mask.clone()),
            tokenizer: (verdict.level == Level::Token).then(|| self.core.tokenizer(&category)),
            shown: looked.shown,
            refused: looked.refused,
            flagged: looked.flagged,
            // What was found proves itself.
            writable: verdict.write > Writing::No,
            category,
        }
    }

    /// What the situation says of a field that holds data: its own, or a copy.
    pub(in crate::policy) fn judge(&self, module: &Module, field: &Field) -> Judgement {
        if let Some(own) = self.of(module) {
            return own.judge(module, field);
        }
        let sources = self.sources(module, field);
        let mut reasons: Vec<(Level, Vec<RuleName>)> = Vec::new();
        let mut below: Vec<(&Category, Verdict)> = Vec::new();
        let mut writes: Vec<(&Category, Writing)> = Vec::new();
        for category in &sources.categories {
            let verdict = self.verdict(category);
            reasons.push((verdict.level, verdict.by.clone()));
            writes.push((category, verdict.write));
            if verdict.level < Level::Clear {
                below.push((category, verdict));
            }
        }
        if sources.unclassified {
            let by = RuleName::new(UNCLASSIFIED);
            reasons.push(match self.lets_unclassified_pass() {
                true => (Level::Clear, vec![by, RuleName::new(OBSERVED)]),
                false => (self.core.model.unclassified, vec![by]),
            });
        }
        for (level, by) in &sources.withheld {
            reasons.push((*level, vec![RuleName::new(by)]));
        }
        let lowest = reasons
            .iter()
            .map(|(level, _)| *level)
            .min()
            .unwrap_or(Level::Hide);
        let mut treatment = self.treatment(lowest, &below);
        let level = match treatment {
            Treatment::Redact => lowest.min(Level::Redact),
            _ => lowest,
        };
        // Where masks contradict each other, all of them made it redacted.
        let told = if level < lowest { Level::Mask } else { lowest };
        let mut by: Vec<RuleName> = reasons
            .into_iter()
            .filter(|(level, _)| *level <= told)
            .flat_map(|(_, by)| by)
            .collect();
        by.sort();
        by.dedup();
        let writable = self.writable(module, field, &sources, &writes);
        let mut usable = match lowest {
            Level::Clear => Usable::Yes,
            _ => Usable::No,
        };
        if treatment == Treatment::Clear {
            let looked = looked_for(&self.core.model, &sources.categories);
            if !looked.is_empty() {
                usable = self.usable(&looked);
                treatment = Treatment::Text(looked);
            }
        }
        Judgement {
            level,
            categories: sources.categories.into_iter().collect(),
            by,
            treatment,
            usable,
            writable,
        }
    }

    /// Categories below clear that would be treated differently are redacted: a token beside a mask, or two masks,
    /// would show what neither category shows.
    fn treatment(&self, lowest: Level, below: &[(&Category, Verdict)]) -> Treatment {
        match lowest {
            Level::Hide => return Treatment::Remove,
            Level::Redact => return Treatment::Redact,
            Level::Clear => return Treatment::Clear,
            Level::Token | Level::Mask => {}
        }
        let one = |(category, verdict): &(&Category, Verdict)| match verdict.level {
            Level::Token => Treatment::Token((*category).clone()),
            Level::Mask => self
                .core
                .model
                .categories
                .get(*category)
                .and_then(|model| model.mask.clone())
                .map_or(Treatment::Redact, Treatment::Mask),
            _ => Treatment::Redact,
        };
        let mut all = below.iter().map(one);
        let first = all.next().unwrap_or(Treatment::Redact);
        if all.all(|other| other == first) {
            first
        } else {
            Treatment::Redact
        }
    }

    /// How far a text may be matched in which these are looked for: what can be found in it must be clear, or left.
    fn usable(&self, looked: &[Looked]) -> Usable {
        let of_one = |looked: &Looked| looked.usable(self.verdict(&category_of(looked.kind)).level);
        looked.iter().map(of_one).min().unwrap_or(Usable::Yes)
    }

    /// Whether what nobody has classified is shown, because the whole policy only observes. Of records whose data are withheld
    /// it is not.
    pub(in crate::policy) fn lets_unclassified_pass(&self) -> bool {
        let model = &self.core.model;
        model.observes_whole(&self.situation) && !model.restricts(&self.situation)
    }

    fn writable(
        &self,
        module: &Module,
        field: &Field,
        sources: &Sources,
        writes: &[(&Category, Writing)],
    ) -> Writable {
        let is_right = self.core.schema.is_right(module, field.as_str());
        let is_unclassified = sources.unclassified && !self.lets_unclassified_pass();
        if is_unclassified || !sources.withheld.is_empty() || is_right {
            return Writable::No;
        }
        match combined(writes) {
            Writable::Valid(_)
                if self.core.schema.origin(module, field.as_str()) != Origin::Own =>
            {
                Writable::No
            }
            writable => writable,
        }
    }

    /// How far a text of these categories may be matched, as far as it is shown in clear: what detectors find in it counts,
    /// too.
    pub(in crate::policy) fn usable_by(&self, categories: &[Category]) -> Usable {
        self.usable(&looked_for(
            &self.core.model,
            &categories.iter().cloned().collect(),
        ))
    }
}
