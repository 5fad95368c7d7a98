//! Proofs against brute force: every set of twelve roles, every purpose, everything that a caller can prove.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::detect::Kind;
use crate::detect::statement::Certainty;
use crate::policy::decide::may_invoke;
use crate::policy::engine::{Facts, Situation};
use crate::policy::judge::{Treatment, View};
use crate::policy::looked::Looked;
use crate::policy::model::Writing;
use crate::policy::plan::{Usable, Writable};
use crate::policy::testing::compile;
use crate::policy::{How, Never, Policy, State};
use crate::vocabulary::{Category, FieldPath, Level, Module, Purpose, Role};

const ROLES: [&str; 12] = [
    "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11",
];
const DATA: [&str; 9] = [
    "identity",
    "identity.name",
    "identity.birth_date",
    "financial.iban",
    "free_text",
    "free_text, identity.name",
    "commercial.subject",
    "commercial, free_text, financial, identity",
    "special.health",
];
const LEVELS: [&str; 5] = ["hide", "redact", "token", "mask", "clear"];
const FIELDS: &str = "  Contacts:
    first_name: identity.name
    last_name: identity.birth_date
    iban_c: financial.iban
    description: free_text
    subject_c: commercial.subject
    both_c: [free_text, identity.name]
    mixed_c: [free_text, commercial.subject]
    three_c: [free_text, commercial.subject, identity.name]
    \"note_*\": [free_text, identity.birth_date]
";
/// Fields in which detectors may look, and copies.
const TEXTS: [&str; 8] = [
    "first_name",
    "description",
    "subject_c",
    "both_c",
    "mixed_c",
    "three_c",
    "note_x",
    "full_name",
];

/// By what the twelve roles come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Shape {
    /// All are roles of the CRM.
    Plain,
    /// Some exclude each other.
    Mixed,
}

fn evidence(shape: Shape, at: usize) -> String {
    const SEEN: &str = "actions: { Contacts: [list, read] }";
    match (shape, at) {
        (Shape::Plain, _) | (_, 0..=5) => format!("from: {{ crm.role: c{at} }}"),
        (_, 6 | 7) => format!("from: {{ crm.role: c{at}, crm.type: admin }}"),
        (_, 8) => "from: { crm.type: user }".to_owned(),
        (_, 9) => format!("from: {{ claim.roles: c9, token: i }}, {SEEN}"),
        (_, 10) => format!("from: {{ key: [a, b] }}, kind: machine, purposes: p1, {SEEN}"),
        (_, _) => format!("from: {{ key: b }}, kind: machine, purposes: p1, {SEEN}"),
    }
}

/// Whether a caller can have these roles, and by which way.
fn way(shape: Shape, roles: &BTreeSet<Role>) -> Option<&'static str> {
    let has = |at: usize| roles.contains(&Role::new(ROLES[at]));
    if shape == Shape::Plain {
        return Some("session");
    }
    let session = (0..=8).any(has);
    let token = has(9);
    let key = has(10) || has(11);
    if usize::from(session) + usize::from(token) + usize::from(key) != 1 {
        return None;
    }
    match (session, token) {
        // Nobody is of two types.
        (true, _) => ((!has(6) && !has(7)) || !has(8)).then_some("session"),
        (_, true) => Some("token"),
        _ => Some("key"),
    }
}

/// What callers of a way can prove without what is exempt: at the least, and put together as far as they have one class.
fn proved(shape: Shape, way: &str, exempt: &BTreeSet<String>) -> BTreeSet<BTreeSet<String>> {
    let mut all = BTreeSet::new();
    let claims = way != "key";
    for acr in ["", "phr", "pwd"] {
        let mut sets = BTreeSet::new();
        for hard in [false, shape == Shape::Mixed] {
            for minutes in [u32::MAX, 120, 5] {
                if !claims && (!acr.is_empty() || hard || minutes < u32::MAX) {
                    continue;
                }
                let mut set = BTreeSet::new();
                let mut add = |name: &str, holds: bool| {
                    if holds {
                        set.insert(name.to_owned());
                    }
                };
                add("strong", acr == "phr" && minutes <= 15);
                add("known", acr == "phr" || acr == "pwd" || way == "key");
                add("hard", hard);
                add("low", acr == "pwd");
                add("fresh", hard && minutes <= 60);
                if set.is_disjoint(exempt) {
                    sets.insert(set);
                }
            }
        }
        let unions: Vec<BTreeSet<String>> = sets
            .iter()
            .flat_map(|one| sets.iter().map(move |other| one | other))
            .collect();
        all.extend(sets);
        all.extend(unions);
    }
    all
}

#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) shape: Shape,
    pub(super) policy: String,
}

fn some(of: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    prop::sample::subsequence(of, 1..=most).prop_map(|some| format!("[{}]", some.join(", ")))
}

fn purposes() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&["", "", ", purposes: p1", ", purposes: p2"][..])
}

fn grant() -> impl Strategy<Value = String> {
    let requires = prop::sample::select(
        &[
            "",
            "",
            "",
            ", requires: { auth: strong }",
            ", requires: { auth: [hard, known] }",
            ", requires: { auth: fresh }",
            ", requires: { auth: low }",
        ][..],
    );
    let data = prop::sample::select(&DATA[..]);
    let level = prop_oneof![
        3 => Just("level: clear"),
        1 => Just("level: clear, write: deny"),
        2 => prop::sample::select(&["level: mask", "level: token"][..]),
    ];
    (some(&ROLES, 3), purposes(), data, level, requires).prop_map(
        |(roles, purposes, data, level, requires)| {
            format!("roles: {roles}{purposes}, data: [{data}], {level}{requires}")
        },
    )
}

fn cap() -> impl Strategy<Value = String> {
    let whom = prop_oneof![
        1 => Just(String::new()),
        3 => some(&ROLES, 5).prop_map(|roles| format!(", roles: {roles}")),
        3 => prop::sample::subsequence(&ROLES[..], 7..=12)
            .prop_map(|roles| format!(", unless_roles: [{}]", roles.join(", "))),
    ];
    let limit = prop_oneof![
        3 => prop::sample::select(&LEVELS[..]).prop_map(|level| format!("level: {level}")),
        1 => Just("write: deny".to_owned()),
    ];
    (prop::sample::select(&DATA[..]), limit, whom, purposes()).prop_map(
        |(data, limit, whom, purposes)| format!("data: [{data}], {limit}{whom}{purposes}"),
    )
}

fn detector() -> impl Strategy<Value = String> {
    const WITHIN: [&str; 3] = ["free_text", "commercial.subject", "identity.name"];
    const KINDS: [&str; 3] = ["iban", "birth_date", "health"];
    let find = prop::sample::subsequence(&KINDS[..], 1..=3);
    let terms = prop::sample::select(
        &[
            "",
            ", uses: [shown, written]",
            ", uses: [shown, matched, sorted, searched]",
            ", uses: [matched, sorted, searched, written]",
            ", uses: written",
            ", at_least: certain",
            ", languages: fr, writes: { refuse: never }",
        ][..],
    );
    (some(&WITHIN, 2), find, terms).prop_map(|(within, find, terms)| {
        let terms = match find.contains(&"health") {
            true => terms,
            false if terms.contains("uses") => terms,
            false => "",
        };
        format!("in: {within}, find: [{}]{terms}", find.join(", "))
    })
}

pub(super) fn text(shape: Shape) -> impl Strategy<Value = Text> {
    const SEARCHED: [&str; 5] = ["first_name", "subject_c", "description", "both_c", "iban_c"];
    (
        prop::collection::vec(grant(), 2..9),
        prop::collection::vec(cap(), 0..4),
        prop::collection::vec(detector(), 0..3),
        prop::option::of(some(&SEARCHED, 3)),
        any::<bool>(),
    )
        .prop_map(move |(grants, caps, detectors, search, hide)| {
            let mut policy = format!(
                "policy: p\ndefaults: {{ ungranted: {}, unclassified: redact }}\nroles:\n",
                if hide { "hide" } else { "redact" }
            );
            for (at, role) in ROLES.iter().enumerate() {
                policy += &format!("  {role}: {{ {} }}\n", evidence(shape, at));
            }
            policy += &format!(
                "auth:\n  strong: {{ acr: phr, max_age: 15m }}\n  known: {{ any: [{{ acr: [phr, pwd] }}, {{ method: key }}] }}\n  \
                 hard: {{ amr: hwk }}\n  fresh: {{ amr: hwk, max_age: 1h }}\n  low: {{ acr: pwd }}\npurposes:\n  p1: {{ legal_basis: contract, roles: [{}] }}\n  \
                 p2: {{ legal_basis: contract, roles: [r0, r1, r2, r3, r7] }}\nclassify:\n{FIELDS}",
                ROLES.join(", ")
            );
            if let Some(search) = search {
                policy += &format!("search: {{ Contacts: {search} }}\n");
            }
            for (section, rules) in [("detectors", detectors), ("grants", grants), ("caps", caps)] {
                for (at, rule) in rules.iter().enumerate() {
                    if at == 0 {
                        policy += &format!("{section}:\n");
                    }
                    policy += &format!("  - {{ name: {section}-{at}, {rule} }}\n");
                }
            }
            // All sets of twelve roles are many: fewer strengths make up for it.
            let policy = match shape {
                Shape::Plain => policy
                    .replace("auth: fresh", "auth: strong")
                    .replace("[hard, known]", "known"),
                Shape::Mixed => policy,
            };
            Text { shape, policy }
        })
}

pub(super) fn never() -> impl Strategy<Value = Never> {
    const PROMISED: [&str; 7] = [
        "financial.iban",
        "identity.birth_date",
        "identity",
        "special",
        "free_text",
        "commercial.subject",
        "unclassified",
    ];
    const STRENGTHS: [&str; 4] = ["strong", "known", "hard", "fresh"];
    let used = prop::array::uniform5(prop::bool::weighted(0.3));
    let levels = prop::option::of(prop::sample::select(
        &[
            Level::Redact,
            Level::Token,
            Level::Mask,
            Level::Clear,
            Level::Clear,
            Level::Clear,
        ][..],
    ));
    (
        prop::sample::subsequence(&PROMISED[..], 1..=2),
        (levels, used),
        prop::sample::subsequence(&ROLES[..], 0..=2),
        prop::sample::subsequence(&ROLES[..], 0..=4),
        prop::sample::subsequence(&STRENGTHS[..], 0..=2),
        prop::sample::select(&[None, None, Some("p1"), Some("p2")][..]),
    )
        .prop_map(
            |(data, (at_least, used), roles, unless, strengths, purpose)| {
                let roles_of = |roles: Vec<&str>| roles.into_iter().map(Role::new).collect();
                let unless_is = used[0];
                Never {
                    name: "n".to_owned(),
                    data: data.into_iter().map(Category::new).collect(),
                    roles: roles_of(roles),
                    purposes: purpose
                        .filter(|_| !unless_is)
                        .map(Purpose::new)
                        .into_iter()
                        .collect(),
                    how: How {
                        at_least,
                        matched: used[1],
                        sorted: used[2],
                        searched: used[3],
                        written: used[4],
                        fields_only: used[0] && used[1],
                    },
                    unless_roles: roles_of(unless),
                    unless_purposes: purpose
                        .filter(|_| unless_is)
                        .map(Purpose::new)
                        .into_iter()
                        .collect(),
                    unless_strengths: strengths.into_iter().map(str::to_owned).collect(),
                }
            },
        )
}

/// What a promise forbids, looked for in one state with the judge's own answers.
pub(super) struct Oracle<'a> {
    policy: &'a Policy,
    /// What conditions are to a record that is shown, and to a request that uses fields.
    facts: [Facts; 2],
    never: &'a Never,
    /// The categories that it speaks of.
    data: Vec<Category>,
    /// Those that can make a text clear.
    sought: BTreeSet<Kind>,
}

impl<'a> Oracle<'a> {
    pub(super) fn new(policy: &'a Policy, never: &'a Never, facts: [Facts; 2]) -> Self {
        let model = &policy.core.model;
        let is_meant = |category: &&Category| never.data.iter().any(|data| data.covers(category));
        let detectors = model.detectors.iter();
        Self {
            policy,
            facts,
            never,
            data: model.categories.keys().filter(is_meant).cloned().collect(),
            sought: detectors.flat_map(|one| one.find.iter().copied()).collect(),
        }
    }

    pub(super) fn happens(&self, state: &State) -> bool {
        let how = &self.never.how;
        let model = &self.policy.core.model;
        let of_nobody = self.never.data.contains(&Category::new("unclassified"));
        if of_nobody
            && how
                .at_least
                .is_some_and(|least| model.unclassified >= least)
        {
            return true;
        }
        let [showing, using] = self.facts.map(|facts| Situation {
            roles: state.roles.clone(),
            purpose: Some(state.purpose.clone()),
            strengths: state.strengths.clone(),
            facts,
            ..Situation::default()
        });
        let shown = self.data.iter().any(|category| {
            let level = model.verdict(&showing, category).level;
            how.at_least.is_some_and(|least| level >= least)
        });
        let mut written = self.data.iter();
        let written = written.any(|one| model.verdict(&using, one).write > Writing::No);
        if shown || how.written && written {
            return true;
        }
        // Nothing is used or stands in a text, where nothing is clear.
        let is_any_clear = |situation: &Situation| {
            ["free_text", "commercial.subject", "identity.name"]
                .map(Category::new)
                .iter()
                .chain(&self.data)
                .any(|category| model.verdict(situation, category).level == Level::Clear)
        };
        let view = |situation| View::new(self.policy.core.clone(), situation);
        let stands = |situation, how: &How| {
            is_any_clear(&situation) && {
                let view = view(situation);
                !how.fields_only && TEXTS.iter().any(|field| self.stands_in(&view, field, how))
            }
        };
        let shown = How {
            at_least: how.at_least,
            fields_only: how.fields_only,
            ..How::default()
        };
        let used = How {
            at_least: None,
            ..how.clone()
        };
        stands(showing, &shown)
            || is_any_clear(&using) && self.is_used(&view(using.clone()))
            || stands(using, &used)
    }

    fn is_used(&self, view: &View) -> bool {
        let how = &self.never.how;
        let own = self.data.iter().any(|category| {
            let usable = match view.verdict(category).level {
                Level::Clear => view.usable_by(std::slice::from_ref(category)),
                _ => Usable::No,
            };
            how.matched && usable >= Usable::Words || how.sorted && usable == Usable::Yes
        });
        own || how.searched && self.is_searched(view)
    }

    /// The kinds of what is meant that some detector looks for, and what is looked for of them in a text.
    fn kinds<'b>(
        &'b self,
        looked: &'b [Looked],
    ) -> impl Iterator<Item = (Kind, Option<&'b Looked>)> + 'b {
        let meant = self.sought.iter().filter(|kind| {
            let mut data = self.data.iter();
            data.any(|category| category.as_str() == kind.category())
        });
        meant.map(|kind| (*kind, looked.iter().find(|looked| looked.kind == *kind)))
    }

    fn stands_in(&self, view: &View, field: &str, how: &How) -> bool {
        let path = FieldPath::new(&Module::new("Contacts"), field);
        let judged = view.judge(&path.module, &path.field);
        let Treatment::Text(looked) = &judged.treatment else {
            return false;
        };
        self.kinds(looked).any(|(kind, own)| {
            let is_statement = matches!(kind, Kind::Statement(_));
            let is_french = |one: &&Looked| one.languages.codes().count() == 1;
            let all_french = self.policy.core.model.detectors.iter().all(|one| {
                one.terms.languages.codes().count() == 1
                    || !one
                        .find
                        .iter()
                        .any(|kind| matches!(kind, Kind::Statement(_)))
            });
            let withheld = own.is_some_and(|one| match one.shown {
                None => false,
                Some(least) => {
                    !is_statement || least < Certainty::Certain && (all_french || !is_french(&one))
                }
            });
            let free = own.is_none_or(|one| one.refused.is_none());
            let read = match is_statement {
                true => judged.usable >= Usable::Words,
                false => judged.usable == Usable::Yes,
            };
            how.at_least.is_some() && !withheld
                || how.matched && read
                || how.sorted && judged.usable == Usable::Yes
                || how.written && free && judged.writable == Writable::Yes
        })
    }

    fn is_searched(&self, view: &View) -> bool {
        let module = Module::new("Contacts");
        let Some(searched) = self.policy.core.model.search.get(&module) else {
            return false;
        };
        let rules: Vec<_> = searched
            .fields
            .iter()
            .map(|field| view.judge(&module, field))
            .collect();
        rules.iter().all(|rule| rule.usable >= Usable::Words)
            && rules.iter().any(|rule| {
                let own = self.data.iter().any(|one| rule.categories.contains(one));
                let Treatment::Text(looked) = &rule.treatment else {
                    return own;
                };
                let stands = self.kinds(looked).any(|(kind, _)| match kind {
                    Kind::Statement(_) => rule.usable >= Usable::Words,
                    _ => rule.usable == Usable::Yes,
                });
                own || !self.never.how.fields_only && stands
            })
    }
}

/// The smallest states in which it happens: how many roles, how many strengths.
/// Of so many roles at most.
pub(super) fn brute(shape: Shape, oracle: &Oracle<'_>, most: u32) -> Option<(usize, usize)> {
    let Oracle { policy, never, .. } = oracle;
    let mut least: Option<(usize, usize)> = None;
    for purpose in policy.purposes() {
        let is_meant = never.purposes.is_empty() || never.purposes.contains(purpose);
        if !is_meant || never.unless_purposes.contains(purpose) {
            continue;
        }
        for bits in (1..4096_usize).filter(|bits| bits.count_ones() <= most) {
            let picked = ROLES.iter().enumerate();
            let roles: BTreeSet<Role> = picked
                .filter(|(at, _)| bits & (1 << at) != 0)
                .map(|(_, role)| Role::new(role))
                .collect();
            let counts = |role: &Role| may_invoke(&policy.core.model, role, purpose);
            let Some(way) = way(shape, &roles).filter(|_| roles.iter().all(counts)) else {
                continue;
            };
            if !never.roles.is_empty() && never.roles.is_disjoint(&roles)
                || !never.unless_roles.is_disjoint(&roles)
                || least.is_some_and(|(fewest, _)| roles.len() > fewest)
            {
                continue;
            }
            for strengths in proved(shape, way, &never.unless_strengths) {
                let size = (roles.len(), strengths.len());
                let state = State {
                    roles: roles.clone(),
                    purpose: purpose.clone(),
                    strengths,
                };
                if least.is_none_or(|least| size < least) && oracle.happens(&state) {
                    least = Some(size);
                }
            }
        }
    }
    least
}

fn agree(text: &Text, nevers: &[Never]) -> Result<(), TestCaseError> {
    let policy = compile(&[&text.policy]);
    for never in nevers {
        let proved = policy.prove(never);
        let example = proved.counterexample;
        let oracle = Oracle::new(&policy, never, [Facts::Least; 2]);
        let expected = brute(text.shape, &oracle, u32::MAX);
        let found = example
            .as_ref()
            .map(|one| (one.state.roles.len(), one.state.strengths.len()));
        prop_assert_eq!(
            found,
            expected,
            "{}\n{:#?}\n{:#?}",
            text.policy,
            never,
            example
        );
        if let Some(example) = example {
            prop_assert!(
                oracle.happens(&example.state),
                "{}\n{never:#?}\n{example:#?}",
                text.policy
            );
            prop_assert!(!example.by.is_empty(), "{example:#?}");
            // The same again, to the letter.
            let again = policy.prove(never).counterexample;
            prop_assert_eq!(format!("{example:?}"), format!("{:?}", again.unwrap()));
        }
    }
    Ok(())
}

proptest! {
    // Every case asks for thousands of states: shrinking would take longer than reading.
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 16, ..ProptestConfig::default() })]

    #[test]
    fn a_proof_agrees_with_brute_force_over_all_sets_of_twelve_roles(
        text in text(Shape::Plain),
        nevers in prop::collection::vec(never(), 3),
    ) {
        agree(&text, &nevers)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 16, ..ProptestConfig::default() })]

    #[test]
    fn a_proof_knows_which_roles_and_strengths_one_caller_can_have(
        text in text(Shape::Mixed),
        nevers in prop::collection::vec(never(), 8),
    ) {
        agree(&text, &nevers)?;
    }
}
