//! Lift and cap, over random policies: order never matters, and more caps or fewer grants never disclose more.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::policy::Policy;
use crate::policy::engine::{Observing, Situation};
use crate::policy::judge::{Judgement, Treatment, View};
use crate::policy::model::Writing;
use crate::policy::plan::Writable;
use crate::policy::testing::compile;
use crate::vocabulary::{Category, Field, Level, Module, Purpose, Role};

const ROLES: [&str; 3] = ["r1", "r2", "r3"];
const PURPOSES: [&str; 2] = ["p1", "p2"];
const LEVELS: [&str; 5] = ["hide", "redact", "token", "mask", "clear"];
const DATA: [&str; 9] = [
    "identity",
    "identity.name",
    "identity.civility",
    "contact",
    "contact.phone",
    "financial",
    "financial.iban",
    "special.health",
    "free_text",
];
/// Fields of `Contacts`: of one category, of several, copies, and none.
pub(super) const FIELDS: [&str; 11] = [
    "first_name",
    "salutation",
    "iban_c",
    "two_masks_c",
    "one_mask_c",
    "health_c",
    "description",
    "full_name",
    "email1",
    "shoe_size_c",
    "hash_copy",
];

/// A section and one of its entries.
pub(super) type Item = (&'static str, String);

fn fixed() -> Vec<Item> {
    let mut items: Vec<Item> = ROLES
        .iter()
        .map(|role| {
            (
                "roles",
                format!("  {role}: {{ from: {{ crm.role: {role} }} }}"),
            )
        })
        .collect();
    for purpose in PURPOSES {
        let text = format!("  {purpose}: {{ legal_basis: contract, roles: [r1, r2, r3] }}");
        items.push(("purposes", text));
    }
    items.push(("auth", "  strong: { acr: phr }".to_owned()));
    items.push((
        "detectors",
        "  - { name: d, in: free_text, find: iban }".to_owned(),
    ));
    for entry in [
        "first_name: identity.name",
        "last_name: identity.name",
        "salutation: identity.civility",
        "two_masks_c: [contact.phone, financial.iban]",
        "one_mask_c: [financial.iban, free_text]",
        "health_c: special.health",
        "email: contact.email",
        "description: free_text",
        "\"*iban*\": financial.iban",
    ] {
        items.push(("classify", format!("    {entry}")));
    }
    items
}

fn pick(names: &'static [&'static str], least: usize) -> impl Strategy<Value = String> {
    prop::sample::subsequence(names, least..=names.len())
        .prop_map(|picked| format!("[{}]", picked.join(", ")))
}

fn level() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&LEVELS[..])
}

fn purposes() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => Just(String::new()),
        1 => pick(&PURPOSES, 1).prop_map(|purposes| format!(", purposes: {purposes}")),
    ]
}

pub(super) fn grant() -> impl Strategy<Value = String> {
    grant_of(&DATA)
}

pub(super) fn grant_of(data: &'static [&'static str]) -> impl Strategy<Value = String> {
    // What is not shown in clear may be written only where values prove themselves.
    let shown = prop_oneof![
        4 => (pick(data, 1), level()),
        2 => (pick(data, 1), level()).prop_map(|(data, level)| (format!("{data}, write: deny"), level)),
        1 => pick(data, 1).prop_map(|data| (format!("{data}, write: allow"), "clear")),
        2 => level().prop_map(|level| ("financial.iban, write: allow".to_owned(), level)),
    ];
    (pick(&ROLES, 1), purposes(), shown, any::<bool>()).prop_map(
        |(roles, purposes, (data, level), strong)| {
            let requires = if strong {
                ", requires: { auth: strong }"
            } else {
                ""
            };
            format!("roles: {roles}{purposes}, data: {data}, level: {level}{requires}")
        },
    )
}

pub(super) fn cap() -> impl Strategy<Value = String> {
    cap_of(&DATA)
}

pub(super) fn cap_of(data: &'static [&'static str]) -> impl Strategy<Value = String> {
    let whom = prop_oneof![
        2 => Just(String::new()),
        1 => pick(&ROLES, 1).prop_map(|roles| format!(", roles: {roles}")),
        1 => pick(&ROLES, 1).prop_map(|roles| format!(", unless_roles: {roles}")),
    ];
    let limit = prop_oneof![
        3 => level().prop_map(|level| format!("level: {level}")),
        1 => level().prop_map(|level| format!("level: {level}, write: deny")),
        1 => Just("write: deny".to_owned()),
    ];
    (pick(data, 1), limit, whom, purposes())
        .prop_map(|(data, limit, whom, purposes)| format!("data: {data}, {limit}{whom}{purposes}"))
}

/// The rules of a policy: defaults, grants, caps.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    defaults: (bool, bool),
    pub(super) grants: Vec<String>,
    pub(super) caps: Vec<String>,
}

pub(super) fn rules() -> impl Strategy<Value = Rules> {
    (
        any::<(bool, bool)>(),
        prop::collection::vec(grant(), 1..6),
        prop::collection::vec(cap(), 0..5),
    )
        .prop_map(|(defaults, grants, caps)| Rules {
            defaults,
            grants,
            caps,
        })
}

impl Rules {
    pub(super) fn items(&self) -> Vec<Item> {
        let word = |hide: bool| if hide { "hide" } else { "redact" };
        let mut items = fixed();
        items.push((
            "defaults",
            format!("  unclassified: {}", word(self.defaults.0)),
        ));
        items.push((
            "defaults",
            format!("  ungranted: {}", word(self.defaults.1)),
        ));
        for (at, grant) in self.grants.iter().enumerate() {
            items.push(("grants", format!("  - {{ name: g{at}, {grant} }}")));
        }
        for (at, cap) in self.caps.iter().enumerate() {
            items.push(("caps", format!("  - {{ name: c{at}, {cap} }}")));
        }
        items
    }

    pub(super) fn compile(&self) -> Policy {
        compile(&[&file(&self.items())])
    }
}

/// One file made of some items, in their order.
pub(super) fn file(items: &[Item]) -> String {
    let mut text = "policy: p\n".to_owned();
    let sections: BTreeSet<&str> = items.iter().map(|(section, _)| *section).collect();
    for section in sections {
        text.push_str(&format!("{section}:\n"));
        if section == "classify" {
            text.push_str("  Contacts:\n");
        }
        for (_, item) in items.iter().filter(|(of, _)| *of == section) {
            text.push_str(&format!("{item}\n"));
        }
    }
    text
}

/// Every situation: all sets of roles, all purposes, with and without strong authentication.
pub(super) fn situations() -> Vec<Situation> {
    let mut all = vec![Situation::default()];
    for bits in 1..8_usize {
        for purpose in PURPOSES {
            for strengths in [BTreeSet::new(), BTreeSet::from(["strong".to_owned()])] {
                all.push(Situation {
                    roles: (0..3)
                        .filter(|at| bits & (1 << at) != 0)
                        .map(|at| Role::new(ROLES[at]))
                        .collect(),
                    purpose: Some(Purpose::new(purpose)),
                    strengths,
                    ..Situation::default()
                });
            }
        }
    }
    all
}

#[derive(Debug, PartialEq)]
pub(super) struct Decided {
    pub(super) categories: Vec<(Category, Level, Writing)>,
    pub(super) fields: Vec<Judgement>,
}

pub(super) fn decisions(policy: &Policy) -> Vec<Decided> {
    decisions_in(policy, Observing::Most)
}

pub(super) fn decisions_in(policy: &Policy, observing: Observing) -> Vec<Decided> {
    let contacts = Module::new("Contacts");
    situations()
        .into_iter()
        .map(|situation| {
            let situation = Situation {
                observing,
                ..situation
            };
            let view = View::new(policy.core.clone(), situation);
            let model = &policy.core.model;
            Decided {
                categories: model
                    .categories
                    .keys()
                    .map(|category| {
                        let verdict = view.verdict(category);
                        (category.clone(), verdict.level, verdict.write)
                    })
                    .collect(),
                fields: FIELDS
                    .iter()
                    .map(|field| view.judge(&contacts, &Field::fold(field)))
                    .collect(),
            }
        })
        .collect()
}

/// How much a treatment shows, by itself.
fn shows(treatment: &Treatment) -> Level {
    match treatment {
        Treatment::Remove => Level::Hide,
        Treatment::Redact => Level::Redact,
        Treatment::Token(_) => Level::Token,
        Treatment::Mask(_) => Level::Mask,
        Treatment::Clear | Treatment::Text(_) => Level::Clear,
    }
}

fn rank(writable: &Writable) -> u8 {
    match writable {
        Writable::No => 0,
        Writable::Valid(_) => 1,
        Writable::Yes => 2,
    }
}

/// Whether nothing is shown, usable or writable in `less` that is not in `more`.
pub(super) fn discloses_no_more(less: &[Decided], more: &[Decided]) -> Result<(), TestCaseError> {
    for (less, more) in less.iter().zip(more) {
        for (less, more) in less.categories.iter().zip(&more.categories) {
            prop_assert!(less.1 <= more.1, "{less:?} {more:?}");
            prop_assert!(less.2 <= more.2, "{less:?} {more:?}");
        }
        for (less, more) in less.fields.iter().zip(&more.fields) {
            prop_assert!(less.level <= more.level, "{less:?} {more:?}");
            prop_assert!(
                shows(&less.treatment) <= shows(&more.treatment),
                "{less:?} {more:?}"
            );
            prop_assert!(more.usable >= less.usable, "{less:?} {more:?}");
            prop_assert!(
                rank(&less.writable) <= rank(&more.writable),
                "{less:?} {more:?}"
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_rules_and_their_files_never_change_a_decision(
        (rules, items, files) in rules().prop_flat_map(|rules| {
            let items = rules.items();
            let count = items.len();
            (Just(rules), Just(items).prop_shuffle(), prop::collection::vec(0..3_usize, count))
        })
    ) {
        let texts: Vec<String> = (0..3)
            .map(|at| {
                let part: Vec<Item> = items
                    .iter()
                    .zip(&files)
                    .filter(|(_, file)| **file == at)
                    .map(|(item, _)| item.clone())
                    .collect();
                file(&part)
            })
            .collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        prop_assert_eq!(decisions(&rules.compile()), decisions(&compile(&texts)));
    }

    #[test]
    fn adding_a_cap_never_discloses_more(rules in rules(), cap in cap()) {
        let before = decisions(&rules.compile());
        let mut more = rules;
        more.caps.push(cap);
        discloses_no_more(&decisions(&more.compile()), &before)?;
    }

    #[test]
    fn removing_a_grant_never_discloses_more(rules in rules(), at in any::<prop::sample::Index>()) {
        let before = decisions(&rules.compile());
        let mut fewer = rules;
        let at = at.index(fewer.grants.len());
        fewer.grants.remove(at);
        discloses_no_more(&decisions(&fewer.compile()), &before)?;
    }

    #[test]
    fn a_cap_on_writing_forbids_to_write_and_changes_nothing_else(rules in rules(), data in pick(&DATA, 1)) {
        let before = decisions(&rules.compile());
        let mut capped = rules;
        capped.caps.push(format!("data: {data}, write: deny"));
        let policy = capped.compile();
        let cap = policy.core.model.caps.last().unwrap();
        let is_capped = |category: &Category| crate::policy::model::about(&cap.data, category);
        for (after, before) in decisions(&policy).iter().zip(&before) {
            for (after, before) in after.categories.iter().zip(&before.categories) {
                let expected = if is_capped(&after.0) { Writing::No } else { before.2 };
                prop_assert_eq!((&after.0, after.1, after.2), (&before.0, before.1, expected));
            }
            for (after, before) in after.fields.iter().zip(&before.fields) {
                prop_assert_eq!((after.level, after.usable), (before.level, before.usable));
                if after.categories.iter().any(is_capped) {
                    prop_assert_eq!(&after.writable, &Writable::No);
                }
            }
        }
    }

    #[test]
    fn nothing_is_written_without_a_grant_that_gives_the_right(rules in rules()) {
        let mut denied = rules;
        for grant in &mut denied.grants {
            *grant = grant.replace(", write: allow", "").replace(", write: deny", "");
            grant.push_str(", write: deny");
        }
        for decided in decisions(&denied.compile()) {
            prop_assert!(decided.categories.iter().all(|(_, _, write)| *write == Writing::No));
            prop_assert!(decided.fields.iter().all(|field| field.writable == Writable::No));
        }
    }

    #[test]
    fn the_field_never_shows_more_than_its_lowest_category(rules in rules()) {
        for decided in decisions(&rules.compile()) {
            for judged in &decided.fields {
                for (category, level, _) in &decided.categories {
                    if judged.categories.contains(category) {
                        prop_assert!(judged.level <= *level && shows(&judged.treatment) <= *level);
                    }
                }
            }
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[ -~\u{e9}\n]{0,200}") {
        let (_, found) = crate::policy::testing::try_compile(&[&text]);
        found.render(false);
    }
}
