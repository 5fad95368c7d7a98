//! Which level each field of a module gets, and because of which rule: one page that a DPO can read.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;

use crate::diagnostic::{Place, nearest, quoted};
use crate::dialect::Origin;
use crate::vocabulary::{Category, Field, FieldPath, Level, Module, Purpose, Role, RuleName};

use super::Policy;
use super::engine::{Facts, OBSERVED, Observing, Situation};
use super::judge::{Treatment, View, combined};
use super::model::{Bit, Cap, Grant, Model, Writing};
use super::named::Named;
use super::plan::{UNCLASSIFIED, Usable, Writable};
use super::proof::Kept;
use super::proof::shades::{kept, shades, told};

mod page;

/// What a policy gives to some roles for a purpose in one module.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The roles that count.
    pub roles: Vec<Role>,
    /// Roles that were asked for and may not invoke the purpose.
    pub not_counted: Vec<Role>,
    /// The purpose.
    pub purpose: Purpose,
    /// The purpose's label, if it has one.
    pub label: Option<String>,
    /// The purpose's legal basis.
    pub basis: String,
    /// The strengths of authentication that were proved; none for a bare session of the CRM.
    pub strengths: BTreeSet<String>,
    /// The module.
    pub module: Module,
    /// The policy's name.
    pub policy: String,
    /// The policy's hash.
    pub hash: String,
    /// The moment.
    pub at: Timestamp,
    /// Which records are there, where not all are: by which rule, and where what holds.
    pub records: Vec<Kept>,
    /// Exceptions in force for these roles, with the caps that they lift.
    pub exceptions: Vec<String>,
    /// The fields.
    pub rows: Vec<Row>,
}

/// One field, or one pattern of fields.
#[derive(Clone, Debug)]
pub struct Row {
    /// The field's name; for a pattern, the pattern.
    pub field: String,
    /// Whether it is a pattern.
    pub pattern: bool,
    /// The categories; empty if it is not classified.
    pub categories: Vec<Category>,
    /// The level.
    pub level: Level,
    /// Why, in lines.
    pub because: Vec<String>,
    /// Names of the rules that made the level.
    pub by: Vec<String>,
    /// Whether it may be matched, sorted and searched: `yes`, `no`, or with `words`, without digits.
    pub usable: Usable,
    /// Whether it may be written: `yes`, `no`, or the kind of identifier that a value must be.
    pub writable: &'static str,
}

/// Why nothing can be explained: a name that means nothing, or a purpose that is closed to all roles.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unexplained(String);

impl Unexplained {
    fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Self {
        let known: Vec<&str> = known.collect();
        let hint = match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "the policy declares none".to_owned(),
            None => format!("the policy declares: {}", known.join(", ")),
        };
        Self(format!("unknown {what} {}; {hint}", quoted(name)))
    }
}

pub(super) fn explain(
    policy: &Policy,
    now: Timestamp,
    (roles, purpose): (&[Role], &Purpose),
    strengths: &[&str],
    module: &Module,
) -> Result<Explanation, Unexplained> {
    let model = &policy.core.model;
    for role in roles {
        if !model.roles.contains_key(role) {
            let known = model.roles.keys().map(Role::as_str);
            return Err(Unexplained::unknown("role", role.as_str(), known));
        }
    }
    let Some(declared) = model.purposes.get(purpose) else {
        let known = model.purposes.keys().map(Purpose::as_str);
        return Err(Unexplained::unknown("purpose", purpose.as_str(), known));
    };
    let unknown = |strength: &&&str| !model.strengths.contains_key(**strength);
    if let Some(strength) = strengths.iter().find(unknown) {
        let known = model.strengths.keys().map(String::as_str);
        return Err(Unexplained::unknown("strength", strength, known));
    }
    if !model.classes.knows(module) {
        let known = model.classes.modules.keys().map(Module::as_str);
        return Err(Unexplained::unknown("module", module.as_str(), known));
    }
    let asked: BTreeSet<Role> = roles.iter().cloned().collect();
    let (counted, not_counted): (BTreeSet<Role>, BTreeSet<Role>) = asked
        .into_iter()
        .partition(|role| declared.roles.contains(role));
    if counted.is_empty() {
        let may: Vec<&str> = declared.roles.iter().map(Role::as_str).collect();
        return Err(Unexplained(format!(
            "none of these roles may invoke {}; these may: {}",
            quoted(purpose.as_str()),
            may.join(", ")
        )));
    }
    let proved: BTreeSet<String> = strengths.iter().map(|name| (*name).to_owned()).collect();
    let situation = Situation {
        roles: counted.clone(),
        purpose: Some(purpose.clone()),
        strengths: proved.clone(),
        seen: None,
        observing: model.observing(now, true),
        facts: model.facts_of(at_moment(model, now), module),
    };
    let enforced = Situation {
        observing: Observing::Enforced,
        ..situation.clone()
    };
    let is_observed = situation.observing != enforced.observing;
    let enforced = is_observed.then(|| Arc::new(View::new(policy.core.clone(), enforced)));
    let records = kept(model, &situation, Some(module));
    let exceptions = in_force(model, &situation);
    let view = View::beside(policy.core.clone(), situation, enforced);
    Ok(Explanation {
        at: now,
        records,
        exceptions,
        roles: counted.into_iter().collect(),
        not_counted: not_counted.into_iter().collect(),
        purpose: purpose.clone(),
        label: declared
            .labels
            .en
            .clone()
            .or_else(|| declared.labels.fr.clone()),
        basis: declared.basis.to_string(),
        strengths: proved,
        module: module.clone(),
        policy: model.name.clone(),
        hash: model.hash.clone(),
        rows: Writer::new(&view).rows(module),
    })
}

/// The conditions that the moment decides, and of the others the least: nobody knows the caller and the record.
fn at_moment(model: &Model, now: Timestamp) -> Facts {
    if model.conditions.is_empty() {
        return Facts::Least;
    }
    let mut bits = 0;
    for (bit, noted) in (0..).map(Bit).zip(&model.conditions) {
        let holds = noted.condition.holds_at(now);
        if holds.unwrap_or(noted.withholds) {
            bits |= bit.mask();
        }
    }
    Facts::Known(bits)
}

/// The exceptions that lift a cap for these roles.
fn in_force(model: &Model, situation: &Situation) -> Vec<String> {
    let lifting = |cap: &Cap| -> Vec<String> {
        let exceptions = cap.exceptions.iter().filter(|exception| {
            situation.roles.is_subset(&exception.roles)
                && situation.facts.show(Some(exception.when))
        });
        let told = exceptions.map(|exception| {
            let when = model.said(exception.when.mask(), true);
            format!("{when}, cap `{}` is lifted", cap.name)
        });
        told.collect()
    };
    model.caps.iter().flat_map(lifting).collect()
}

/// What is said of a field that is used by more than is shown of each record.
const USED_ALL_THE_SAME: &str =
    "matched, sorted and searched all the same: then records of which it is withheld are not found";

/// What is said of what nobody has classified, while the whole policy observes.
const PASSES_ELSEWHERE: &str =
    "mode.observe: clear of records of which data are not withheld; these alone are found by it";

/// Writes the reasons; a file's path is written where it changes, then only lines.
struct Writer<'a> {
    view: &'a View,
    /// The same, by which fields are used; `None`, if they are used by what is shown.
    used: Option<View>,
    model: &'a Model,
    path: String,
}

impl<'a> Writer<'a> {
    fn new(view: &'a View) -> Self {
        let (model, situation) = (&view.core.model, view.situation.clone());
        let used = Situation {
            facts: situation.facts.without(model.restricting_in(&situation)),
            ..situation
        };
        Self {
            used: (used.facts != view.situation.facts).then(|| View::new(view.core.clone(), used)),
            view,
            model: &view.core.model,
            path: String::new(),
        }
    }

    /// Fields that the policy classifies by name, stock fields that a wildcard or a copy reaches, patterns, the rest.
    fn rows(&mut self, module: &Module) -> Vec<Row> {
        let named = Named::of(self.view, module);
        let mut rows: Vec<Row> = named
            .fields
            .iter()
            .map(|(field, origin)| self.field(module, field, origin))
            .collect();
        for (pattern, categories) in named.patterns {
            rows.push(self.pattern(module, pattern, &categories));
        }
        rows.push(self.rest());
        rows
    }

    fn field(&mut self, module: &Module, field: &Field, origin: &Origin) -> Row {
        let judged = self.view.judge(module, field);
        let used = self.used.as_ref().map(|used| used.judge(module, field));
        let used = used.as_ref().unwrap_or(&judged);
        let (usable, writable) = (used.usable, used.writable.clone());
        let sources = self.view.sources(module, field);
        let mut because = self.because(&judged.categories, judged.level);
        if sources.unclassified {
            because.push("defaults.unclassified".to_owned());
        }
        for (_, by) in &sources.withheld {
            because.push((*by).to_owned());
        }
        if judged.treatment == Treatment::Redact
            && judged.categories.len() > 1
            && because.is_empty()
        {
            because.push("its categories are masked in different ways".to_owned());
        }
        if let Some(first) = because.first_mut() {
            if matches!(judged.treatment, Treatment::Text(_)) {
                first.push_str("; identifiers found inside follow their own category");
            }
            if let Origin::Copy { of, perhaps } = origin {
                let names: Vec<String> = of
                    .iter()
                    .chain(perhaps)
                    .map(|path| name_in(path, module))
                    .collect();
                let _ = write!(first, "; made of {}", names.join(", "));
            }
        }
        because.extend(self.nearly(&judged.categories, judged.level));
        because.extend(self.shades(module, &judged.categories, |view| {
            view.judge(module, field).level
        }));
        because.extend(self.observed(module, field, judged.level));
        if sources.unclassified && used.level > judged.level {
            because.push(PASSES_ELSEWHERE.to_owned());
        } else if usable > judged.usable {
            because.push(USED_ALL_THE_SAME.to_owned());
        }
        if judged.level == Level::Clear && self.view.core.schema.is_right(module, field.as_str()) {
            because.push("not written: it says what an account may do".to_owned());
        } else {
            because.extend(self.writing(&judged.categories, judged.level, &writable));
        }
        Row {
            field: field.to_string(),
            pattern: false,
            categories: judged.categories,
            level: judged.level,
            because,
            by: judged.by.iter().map(ToString::to_string).collect(),
            usable,
            writable: word(&writable),
        }
    }

    /// How much would be shown by what holds of the moment, the caller and the record.
    fn shades(
        &self,
        module: &Module,
        categories: &[Category],
        level: impl Fn(&View) -> Level,
    ) -> Option<String> {
        let shades = shades(self.model, categories, &mut |facts| {
            let situation = Situation {
                facts: self.model.facts_of(facts, module),
                ..self.view.situation.clone()
            };
            level(&View::new(self.view.core.clone(), situation))
        });
        told(&shades)
    }

    /// What the field would be, if no rule only observed.
    fn observed(&self, module: &Module, field: &Field, level: Level) -> Option<String> {
        let would = self.view.rule(module, field).would?;
        let by: Vec<&str> = would.by.iter().map(RuleName::as_str).collect();
        let what = match would.level == level {
            true => "uses and writes of it would be other ones".to_owned(),
            false => format!("{} would make it {}", by.join(", "), would.level),
        };
        Some(format!("observed: {what}"))
    }

    fn pattern(&mut self, module: &Module, pattern: &str, categories: &BTreeSet<Category>) -> Row {
        let categories: Vec<Category> = categories.iter().cloned().collect();
        let verdicts: Vec<_> = categories
            .iter()
            .map(|category| self.view.verdict(category))
            .collect();
        let level = verdicts
            .iter()
            .map(|verdict| verdict.level)
            .min()
            .unwrap_or(Level::Hide);
        let used = self.used.as_ref().unwrap_or(self.view);
        let judged = categories.iter().map(|category| used.verdict(category));
        let judged: Vec<_> = judged.collect();
        let usable = match judged.iter().map(|verdict| verdict.level).min() {
            Some(Level::Clear) => used.usable_by(&categories),
            _ => Usable::No,
        };
        let writable = {
            let writes = judged.iter().map(|verdict| verdict.write);
            let writes: Vec<_> = categories.iter().zip(writes).collect();
            combined(&writes)
        };
        let mut because = self.because(&categories, level);
        because.extend(self.nearly(&categories, level));
        because.extend(self.shades(module, &categories, |view| {
            let verdicts = categories
                .iter()
                .map(|category| view.verdict(category).level);
            verdicts.min().unwrap_or(Level::Hide)
        }));
        if usable > Usable::No && level < Level::Clear {
            because.push(USED_ALL_THE_SAME.to_owned());
        }
        because.extend(self.writing(&categories, level, &writable));
        let mut by: Vec<String> = verdicts
            .iter()
            .filter(|verdict| verdict.level == level)
            .flat_map(|verdict| verdict.by.iter().map(ToString::to_string))
            .collect();
        by.sort();
        by.dedup();
        Row {
            field: pattern.to_owned(),
            pattern: true,
            categories,
            level,
            because,
            by,
            usable,
            writable: word(&writable),
        }
    }

    /// Why something is not written although it is seen, or written although it is not.
    fn writing(
        &mut self,
        categories: &[Category],
        level: Level,
        writable: &Writable,
    ) -> Vec<String> {
        let mut lines = Vec::new();
        for category in categories {
            let verdict = self.view.verdict(category);
            if level < Level::Clear {
                let entered = |grant: &&Grant| {
                    grant.matches(&self.view.situation)
                        && super::model::about(&grant.data, category)
                        && grant.write == Writing::Valid
                };
                let grants: Vec<&Grant> = self.model.grants.iter().filter(entered).collect();
                if matches!(writable, Writable::Valid(_)) {
                    for grant in grants {
                        let at = self.at(&grant.place);
                        lines.push(format!("written: grant {} ({at})", grant.name));
                    }
                }
            } else if verdict.write == Writing::No {
                let caps: Vec<&Cap> = verdict
                    .unwritten
                    .iter()
                    .filter_map(|at| self.model.caps.get(*at))
                    .collect();
                for cap in &caps {
                    let at = self.at(&cap.place);
                    let why = cap.why.as_ref().map(|why| format!(": {why}"));
                    let why = why.unwrap_or_default();
                    lines.push(format!("not written: cap {} ({at}){why}", cap.name));
                }
                if caps.is_empty() {
                    lines.push("not written: no grant gives the right".to_owned());
                }
            }
        }
        lines.dedup();
        lines
    }

    fn rest(&self) -> Row {
        let passes = self.view.lets_unclassified_pass();
        let is_used = self
            .used
            .as_ref()
            .map_or(passes, View::lets_unclassified_pass);
        let observed = passes.then(|| OBSERVED.to_owned());
        let by: Vec<String> = [UNCLASSIFIED.to_owned()]
            .into_iter()
            .chain(observed)
            .collect();
        let mut because = by.clone();
        because.extend((is_used && !passes).then(|| PASSES_ELSEWHERE.to_owned()));
        Row {
            field: "(any other)".to_owned(),
            pattern: true,
            categories: Vec::new(),
            level: if passes {
                Level::Clear
            } else {
                self.model.unclassified
            },
            because,
            by,
            usable: if is_used { Usable::Yes } else { Usable::No },
            writable: if is_used { "yes" } else { "no" },
        }
    }

    /// The reasons of the categories that have the field's level.
    fn because(&mut self, categories: &[Category], level: Level) -> Vec<String> {
        let mut because: Vec<String> = Vec::new();
        for category in categories {
            let verdict = self.view.verdict(category);
            if verdict.level != level {
                continue;
            }
            let mut parts: Vec<String> = Vec::new();
            for cap in verdict
                .caps
                .iter()
                .filter_map(|at| self.model.caps.get(*at))
            {
                let mut part = format!("cap {} ({})", cap.name, self.at(&cap.place));
                if let Some(why) = &cap.why {
                    let _ = write!(part, ": {why}");
                }
                if cap.firm {
                    part.push_str("; firm");
                }
                parts.push(part);
            }
            if verdict.caps.is_empty() {
                for grant in verdict
                    .grants
                    .iter()
                    .filter_map(|at| self.model.grants.get(*at))
                {
                    let mut part = format!("grant {} ({})", grant.name, self.at(&grant.place));
                    if let Some(why) = &grant.why {
                        let _ = write!(part, ": {why}");
                    }
                    parts.push(part);
                }
            }
            if parts.is_empty() {
                let passes = verdict.by.iter().any(|by| by.as_str() == OBSERVED);
                let why = if passes {
                    OBSERVED
                } else {
                    self.ungranted(category)
                };
                parts.push(why.to_owned());
            }
            for part in parts {
                if !because.contains(&part) {
                    because.push(part);
                }
            }
        }
        because
    }

    fn ungranted(&self, category: &Category) -> &'static str {
        let matched = self.model.grants.iter().any(|grant| {
            super::model::about(&grant.data, category) && grant.matches(&self.view.situation)
        });
        if matched {
            "granted, but nothing of this category is shown so (it has no mask)"
        } else {
            "no grant for these roles and this purpose"
        }
    }

    /// Grants that only a stronger authentication keeps from showing more.
    fn nearly(&mut self, categories: &[Category], level: Level) -> Vec<String> {
        let mut lines = Vec::new();
        for (at, grant) in self.model.grants.iter().enumerate() {
            if grant.requires.is_empty() {
                continue;
            }
            let any: Vec<&str> = grant.requires.iter().map(String::as_str).collect();
            let any = any.join(" or ");
            let situation = &self.view.situation;
            if grant.matches(situation) || !grant.nearly_matches(situation) {
                continue;
            }
            let mut stronger = situation.clone();
            stronger.strengths.extend(grant.requires.iter().cloned());
            let would = categories
                .iter()
                .map(|category| self.model.verdict(&stronger, category))
                .collect::<Vec<_>>();
            let lowest = would.iter().map(|verdict| verdict.level).min();
            let named = would.iter().any(|verdict| verdict.grants.contains(&at));
            if let Some(would) = lowest.filter(|would| *would > level && named) {
                lines.push(format!(
                    "nearly: {} ({}) would give {would}, needs {any} authentication",
                    grant.name,
                    self.at(&grant.place),
                ));
            }
        }
        lines
    }

    /// `file:line`, or only the line if the file was the last one named.
    fn at(&mut self, place: &Place) -> String {
        let line = place.line();
        if self.path == place.file.path() {
            line.to_string()
        } else {
            self.path = place.file.path().to_owned();
            format!("{}:{line}", self.path)
        }
    }
}

fn word(writable: &Writable) -> &'static str {
    match writable {
        Writable::No => "no",
        Writable::Yes => "yes",
        Writable::Valid(kind) => kind.as_str(),
    }
}

fn name_in(path: &FieldPath, module: &Module) -> String {
    if path.module == *module {
        path.field.to_string()
    } else {
        path.to_string()
    }
}
