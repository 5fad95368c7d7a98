//! Runs suites: each case through the proxy's own walk, each promise over every state.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::diagnostic::odd;
use crate::dialect::Dialect;
use crate::policy::{Never, Policy, Proved};
use crate::reason;
use crate::vocabulary::{Field, FieldPath, RuleName};

use super::super::bench::{Ask, Bench, Held, Outcome};
use super::judge;
use super::verdicts::placed;
use super::{AlwaysVerdict, Case, CaseVerdict, Coverage, Suite, Verdicts};

/// Characters of a value, as it is told.
const VALUE_CHARACTERS_MAX: usize = 200;

impl Suite {
    /// The same with only those cases and promises that have a name; all of them, if it is the suite's.
    #[must_use]
    pub fn only(mut self, name: &str) -> Self {
        if self.name != name {
            self.cases.retain(|case| case.name == name);
            self.always.retain(|always| always.never.name == name);
        }
        self
    }

    /// How many cases and promises it holds.
    pub fn len(&self) -> usize {
        self.cases.len() + self.always.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Runs suites against a policy. The first dialect is that of cases that name none.
pub async fn run(
    policy: &Arc<Policy>,
    dialects: &[Arc<dyn Dialect>],
    suites: &[Suite],
) -> Verdicts {
    let mut runner = Runner::new(policy, dialects);
    let mut verdicts = Verdicts {
        policy: policy.name().to_owned(),
        ..Verdicts::default()
    };
    for suite in suites {
        let mut benches = BTreeMap::new();
        for case in &suite.cases {
            verdicts
                .cases
                .push(runner.case(suite, case, &mut benches).await);
        }
        for always in &suite.always {
            let proved = runner.proved(&always.never);
            let by = proved.counterexample.iter().flat_map(|found| &found.by);
            let because = by.map(|name| runner.told(name)).collect();
            verdicts.always.push(AlwaysVerdict::new(
                &suite.name,
                &always.place,
                &always.never,
                proved,
                because,
            ));
        }
    }
    verdicts.coverage = Coverage::of(policy, &runner.exercised);
    verdicts
}

/// One for each dialect and moment.
type Benches = BTreeMap<(&'static str, Option<Timestamp>), Bench>;

struct Runner<'a> {
    /// The dialects with the policy in the schema of each.
    spoken: Vec<(Arc<dyn Dialect>, Arc<Policy>)>,
    policy: &'a Policy,
    exercised: BTreeSet<RuleName>,
}

impl<'a> Runner<'a> {
    fn new(policy: &'a Arc<Policy>, dialects: &[Arc<dyn Dialect>]) -> Self {
        let in_schema = |dialect: &Arc<dyn Dialect>| {
            let schema = dialect.schema();
            match schema.hash() == policy.schema().hash() {
                true => policy.clone(),
                false => Arc::new(policy.in_schema(schema.clone())),
            }
        };
        let mut spoken: Vec<(Arc<dyn Dialect>, Arc<Policy>)> = Vec::new();
        for dialect in dialects {
            // Several CRMs may speak the same: a case is asked of the first, promises are proved in the schema of each.
            let is_known = |(known, _): &(Arc<dyn Dialect>, _)| {
                known.name() == dialect.name() && known.schema().hash() == dialect.schema().hash()
            };
            if !spoken.iter().any(is_known) {
                spoken.push((dialect.clone(), in_schema(dialect)));
            }
        }
        Self {
            spoken,
            policy,
            exercised: BTreeSet::new(),
        }
    }

    /// Whether something never happens, in the schema of whichever dialect.
    fn proved(&self, never: &Never) -> Proved {
        let proofs = self.spoken.iter().map(|(_, policy)| policy.prove(never));
        let told = proofs.reduce(|told, next| match told.counterexample {
            Some(_) => told,
            None if next.counterexample.is_some() => next,
            None => told,
        });
        told.unwrap_or_else(|| self.policy.prove(never))
    }

    async fn case(&mut self, suite: &Suite, case: &Case, benches: &mut Benches) -> CaseVerdict {
        let why = match self.asked(suite, case, benches).await {
            Ok(why) => why,
            Err(why) => vec![why],
        };
        CaseVerdict {
            suite: suite.name.clone(),
            name: case.name.clone(),
            place: case.place.clone(),
            why,
        }
    }

    /// Asks, and tells what came otherwise than it was expected.
    async fn asked(
        &mut self,
        suite: &Suite,
        case: &Case,
        benches: &mut Benches,
    ) -> Result<Vec<String>, String> {
        let named = |dialect: &dyn Dialect| match &case.dialect {
            None => true,
            Some(name) => dialect.name() == name,
        };
        let mut spoken = self.spoken.iter();
        let Some((dialect, policy)) = spoken.find(|(dialect, _)| named(&**dialect)) else {
            return Err("its dialect is not spoken here".to_owned());
        };
        let ask = &case.ask;
        let bench = benches
            .entry((dialect.name(), case.now))
            .or_insert_with(|| Bench::new(policy, dialect, suite.records.clone()).at(case.now));
        let purpose = case.purpose.as_deref();
        let asked = bench.ask(&case.person, purpose, ask).await;
        let outcome = asked.map_err(|unasked| unasked.to_string())?;
        let about = |fields: &BTreeSet<Field>| {
            let paths = fields.iter().map(|field| FieldPath {
                module: ask.module().clone(),
                field: field.clone(),
            });
            bench.rules_for((&case.person, purpose, ask), paths.collect())
        };
        // Which fields a search looks into, the policy says.
        let is_search = matches!(ask, Ask::Search { .. });
        let about_all = |fields: &BTreeSet<Field>| match is_search {
            true => outcome.rules.clone(),
            false => about(fields),
        };
        self.exercised.extend(about_all(&case.looked_at()));
        let mut why = Vec::new();
        for difference in compare(suite, case, &outcome) {
            why.push(difference.what);
            let rules = match difference.field {
                Some(field) => about(&BTreeSet::from([field])),
                None => about_all(&ask.named()),
            };
            why.extend(self.because(&rules));
        }
        Ok(why)
    }

    fn because(&self, rules: &BTreeSet<RuleName>) -> Vec<String> {
        let rules = rules.iter().enumerate();
        rules
            .map(|(at, rule)| {
                let head = if at == 0 { "because" } else { "" };
                format!("  {head:<9}{}", self.told(rule))
            })
            .collect()
    }

    /// A rule with its place.
    fn told(&self, name: &RuleName) -> String {
        match self.policy.rules().find(|rule| rule.name == name) {
            Some(rule) => format!("{} {name} ({})", rule.kind, placed(rule.place)),
            None if name.as_str() == "defaults.ungranted" => {
                format!("no grant, so {name}")
            }
            None => name.to_string(),
        }
    }
}

/// What came otherwise than it was expected.
struct Difference {
    /// The field that it is about; `None`: the whole request.
    field: Option<Field>,
    what: String,
}

impl Difference {
    fn of_all(what: String) -> Vec<Self> {
        vec![Self { field: None, what }]
    }

    fn is_about(&self, name: &str) -> bool {
        self.field.as_ref() == Some(&Field::fold(name))
    }

    fn of(name: &str, what: String) -> Self {
        Self {
            field: Some(Field::fold(name)),
            what: format!("{name}: {what}"),
        }
    }
}

fn compare(suite: &Suite, case: &Case, outcome: &Outcome) -> Vec<Difference> {
    let status = outcome.status;
    if case.expect.absent {
        return absent(case, outcome);
    }
    match (&outcome.refused, case.expect.refused) {
        (Some(refused), Some(reason)) if refused == reason.code() => Vec::new(),
        (Some(refused), Some(reason)) => Difference::of_all(format!(
            "expected to be refused as {reason}, was refused as {refused}"
        )),
        (None, Some(reason)) => Difference::of_all(format!(
            "expected to be refused as {reason}, was answered with {status}"
        )),
        (Some(refused), None) => Difference::of_all(format!("was refused as {refused}")),
        (None, None) => {
            let mut differences = shown(suite, case, outcome);
            differences.extend(forwarded(case, outcome));
            differences
        }
    }
}

/// What is there that should not be. A record that is not there for somebody is answered as one that does not exist.
fn absent(case: &Case, outcome: &Outcome) -> Vec<Difference> {
    let of_the_crm = reason::Outcome::UpstreamError.as_str();
    let refused = outcome.refused.as_deref();
    if let Some(refused) = refused.filter(|refused| *refused != of_the_crm) {
        return Difference::of_all(format!("was refused as {refused}"));
    }
    let is_there = match &case.ask {
        Ask::Read { id, .. } => outcome.shown.contains_key(id),
        _ => !outcome.shown.is_empty(),
    };
    match is_there {
        true => Difference::of_all("expected not to be there, was shown".to_owned()),
        false => Vec::new(),
    }
}

/// What is shown otherwise than it was expected.
fn shown(suite: &Suite, case: &Case, outcome: &Outcome) -> Vec<Difference> {
    let expect = &case.expect;
    if expect.levels.is_empty() && expect.values.is_empty() {
        return Vec::new();
    }
    let is_meant = |held: &&Held| match &case.ask {
        Ask::Read { module, id, .. } => held.module == *module && held.id == *id,
        ask => held.module == *ask.module(),
    };
    let about = suite.records.iter().filter(is_meant);
    let mut why: Vec<Difference> = Vec::new();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for held in about {
        let Some(record) = outcome.shown.get(&held.id) else {
            continue;
        };
        for (name, level) in &expect.levels {
            let Some(value) = of(&held.fields, name) else {
                continue;
            };
            seen.insert(name);
            let came = of(record, name);
            let found = judge::level(value, came);
            if found != level.value {
                let what = format!("expected {}, was {found}: {}", level.value, told(came));
                why.push(Difference::of(name, what));
            }
        }
        for (name, value) in &expect.values {
            seen.insert(name);
            let came = of(record, name);
            let is_told = why.iter().any(|told| told.is_about(name));
            if !is_told && !came.is_some_and(|came| judge::same(&value.value, came)) {
                let what = format!("expected {}, was {}", told(Some(&value.value)), told(came));
                why.push(Difference::of(name, what));
            }
        }
    }
    let expected = expect.levels.keys().chain(expect.values.keys());
    let unseen = expected.filter(|name| !seen.contains(name.as_str()));
    let unseen: BTreeSet<&String> = unseen.collect();
    let unseen = unseen.into_iter();
    why.extend(
        unseen.map(|name| Difference::of(name, "no record that has it was shown".to_owned())),
    );
    why
}

/// What reaches the CRM otherwise than it was expected.
fn forwarded(case: &Case, outcome: &Outcome) -> Vec<Difference> {
    let Some(expected) = &case.expect.forwards else {
        return Vec::new();
    };
    let nothing = Map::new();
    let came = outcome.forwarded.as_ref().unwrap_or(&nothing);
    let names: BTreeSet<Field> = expected
        .keys()
        .chain(came.keys())
        .map(|name| Field::fold(name))
        .collect();
    let differs = |name: &Field| {
        let (expected, came) = (of(expected, name.as_str()), of(came, name.as_str()));
        let same = match (expected, came) {
            (Some(expected), Some(came)) => judge::same(expected, came),
            (one, other) => one == other,
        };
        (!same).then(|| {
            let what = format!(
                "expected to forward {}, forwarded {}",
                told(expected),
                told(came)
            );
            Difference::of(name.as_str(), what)
        })
    };
    names.iter().filter_map(differs).collect()
}

/// A field of a record, however its name is written.
fn of<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    fields.get(name).or_else(|| {
        let field = Field::fold(name);
        let mut fields = fields.iter();
        let found = fields.find(|(name, _)| Field::fold(name) == field);
        found.map(|(_, value)| value)
    })
}

/// A value as it is told: it was invented for the suite, or is what became of such a one.
fn told(value: Option<&Value>) -> String {
    let Some(value) = value else {
        return "nothing".to_owned();
    };
    let text = value.to_string();
    let mut short: String = text.chars().take(VALUE_CHARACTERS_MAX).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    odd::visible(&short)
}
