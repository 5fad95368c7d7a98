//! Which purpose counts for a caller with several roles.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{caller, compile, list, reason, try_compile};
use crate::dialect::Access;
use crate::policy::plan::Decision;
use crate::policy::{Policy, Purpose};
use crate::reason::Reason;
use crate::vocabulary::{Level, Role};

/// Roles `r0`… with their default purposes, purposes `p0`… with the roles that may invoke them, and an order.
#[derive(Clone, Debug)]
struct Terms {
    defaults: Vec<Option<usize>>,
    may_invoke: Vec<BTreeSet<usize>>,
    order: Vec<usize>,
}

const ROLES: usize = 4;
const PURPOSES: usize = 4;

fn terms() -> impl Strategy<Value = Terms> {
    let defaults = prop::collection::vec(prop::option::of(0..PURPOSES), ROLES);
    let may = prop::collection::btree_set(0..ROLES, 1..=ROLES);
    let order = (
        Just((0..PURPOSES).collect::<Vec<_>>()).prop_shuffle(),
        0..=PURPOSES,
    );
    (defaults, prop::collection::vec(may, PURPOSES), order).prop_map(
        |(defaults, mut may_invoke, (mut order, length))| {
            order.truncate(length);
            // A default that its role may not invoke is an error.
            for (role, purpose) in defaults.iter().enumerate() {
                if let Some(roles) = purpose.and_then(|purpose| may_invoke.get_mut(purpose)) {
                    roles.insert(role);
                }
            }
            Terms {
                defaults,
                may_invoke,
                order,
            }
        },
    )
}

impl Terms {
    /// The policy; its sections in one file, or in two in another order.
    fn compile(&self, apart: bool) -> Policy {
        let names = |prefix: &str, numbers: &mut dyn Iterator<Item = &usize>| -> String {
            let names: Vec<String> = numbers.map(|number| format!("{prefix}{number}")).collect();
            format!("[{}]", names.join(", "))
        };
        let order = match self.order.is_empty() {
            true => String::new(),
            false => format!(
                "defaults: {{ purpose_order: {} }}\n",
                names("p", &mut self.order.iter())
            ),
        };
        let mut roles: Vec<String> = self
            .defaults
            .iter()
            .enumerate()
            .map(|(role, default)| {
                let default = default.map_or_else(String::new, |purpose| {
                    format!(", default_purpose: p{purpose}")
                });
                format!("  r{role}: {{ from: {{ crm.role: r{role} }}{default} }}\n")
            })
            .collect();
        let mut purposes: Vec<String> = self
            .may_invoke
            .iter()
            .enumerate()
            .map(|(purpose, roles)| {
                let roles = names("r", &mut roles.iter());
                format!("  p{purpose}: {{ legal_basis: contract, roles: {roles} }}\n")
            })
            .collect();
        let rest = "classify: { Contacts: { first_name: identity.name } }\n\
                    grants: [{ name: g, roles: r0, data: identity.name, level: clear }]\n";
        if apart {
            roles.reverse();
            purposes.reverse();
            let first = format!("policy: p\nroles:\n{}{rest}", roles.concat());
            return compile(&[
                &first,
                &format!("policy: p\npurposes:\n{}{order}", purposes.concat()),
            ]);
        }
        compile(&[&format!(
            "policy: p\n{order}roles:\n{}purposes:\n{}{rest}",
            roles.concat(),
            purposes.concat()
        )])
    }
}

/// What becomes of a request in some roles: the purpose and how it was chosen, and the roles that count.
fn decided(
    policy: &Policy,
    held: &BTreeSet<usize>,
    stated: Option<&str>,
) -> Result<(String, &'static str, Vec<String>), Reason> {
    let held: Vec<String> = held.iter().map(|role| format!("r{role}")).collect();
    let held: Vec<&str> = held.iter().map(String::as_str).collect();
    match policy.decide(&caller(&held), stated, &list(Some("Contacts"))) {
        Decision::Permit(plan) => {
            let chosen = plan.purpose().unwrap();
            let roles = plan.roles().iter().map(ToString::to_string).collect();
            Ok((chosen.purpose.to_string(), chosen.chosen_by, roles))
        }
        Decision::Deny(denial) => Err(denial.reason),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn no_order_gives_a_purpose_that_the_caller_may_not_invoke(
        terms in terms(),
        held in prop::collection::btree_set(0..ROLES, 1..=ROLES),
        more in 0..ROLES,
    ) {
        let without = Terms { order: Vec::new(), ..terms.clone() };
        let (policy, bare) = (terms.compile(false), without.compile(false));
        for held in [held.clone(), held.iter().copied().chain([more]).collect()] {
            let defaults: BTreeSet<String> = held
                .iter()
                .filter_map(|role| terms.defaults[*role].map(|purpose| format!("p{purpose}")))
                .collect();
            let before = decided(&bare, &held, None);
            let after = decided(&policy, &held, None);
            match &after {
                Ok((purpose, _, roles)) => {
                    prop_assert!(defaults.contains(purpose), "only a default of a role that is held");
                    let stated = decided(&bare, &held, Some(purpose)).unwrap();
                    prop_assert_eq!(&stated.2, roles, "what the caller could have stated");
                    prop_assert_eq!(stated.1, "header");
                }
                Err(reason) => prop_assert!(matches!(reason, Reason::NoPurpose | Reason::AmbiguousPurpose)),
            }
            // An order changes nothing but what was refused for want of one.
            if before != Err(Reason::AmbiguousPurpose) {
                prop_assert_eq!(before, after);
            } else if let Ok((_, chosen_by, _)) = after {
                prop_assert_eq!(chosen_by, "order");
            }
        }
    }

    #[test]
    fn only_the_order_itself_has_an_order(
        terms in terms(),
        held in prop::collection::btree_set(0..ROLES, 1..=ROLES),
    ) {
        prop_assert_eq!(
            decided(&terms.compile(false), &held, None),
            decided(&terms.compile(true), &held, None)
        );
    }
}

const TWO: &str = "policy: p
roles:
  sales: { from: { crm.role: Sales }, default_purpose: contract }
  finance: { from: { crm.role: Finance }, default_purpose: payment }
  guest: { from: { crm.role: Guest } }
purposes:
  contract: { legal_basis: contract, roles: [sales, finance] }
  payment: { legal_basis: legal-obligation, roles: finance }
classify:
  Contacts: { first_name: identity.name, iban_c: financial.iban }
grants:
  - { name: names, roles: [sales, finance], data: identity.name, level: clear }
  - { name: ibans, roles: finance, data: financial.iban, level: mask }
  - { name: ibans-to-pay, roles: finance, purposes: payment, data: financial.iban, level: clear }
";

fn ordered(order: &str) -> String {
    format!("{TWO}defaults: {{ purpose_order: {order} }}\n")
}

#[test]
fn the_first_of_the_order_that_is_a_default_of_a_role_counts() {
    let both = ["Sales", "Finance"];
    let chosen = |text: &str, roles: &[&str]| {
        let decision = compile(&[text]).decide(&caller(roles), None, &list(Some("Contacts")));
        match decision {
            Decision::Permit(plan) => {
                let chosen = plan.purpose().unwrap();
                Ok(format!("{} {}", chosen.purpose, chosen.chosen_by))
            }
            Decision::Deny(denial) => Err(denial.reason),
        }
    };
    assert_eq!(chosen(TWO, &both), Err(Reason::AmbiguousPurpose));
    assert_eq!(
        chosen(&ordered("[contract, payment]"), &both).unwrap(),
        "contract order"
    );
    assert_eq!(
        chosen(&ordered("[payment, contract]"), &both).unwrap(),
        "payment order"
    );
    assert_eq!(chosen(&ordered("payment"), &both).unwrap(), "payment order");
    assert_eq!(
        chosen(&ordered("[payment, contract]"), &["Sales"]).unwrap(),
        "contract default"
    );
    assert_eq!(
        chosen(&ordered("payment"), &["Guest"]),
        Err(Reason::NoPurpose)
    );
}

#[test]
fn an_order_that_means_nothing_is_told() {
    for (order, code) in [
        ("[contract, paiment]", "P012"),
        ("[contract, contract]", "P004"),
        ("5", "Y012"),
        ("[]", "Y012"),
    ] {
        let (policy, found) = try_compile(&[&ordered(order)]);
        assert!(policy.is_none(), "{order}");
        let codes: Vec<_> = found.iter().map(|problem| problem.code).collect();
        assert!(codes.contains(&code), "{order}: {}", found.render(false));
    }
    let twice = [
        &ordered("contract"),
        "policy: p\ndefaults: { purpose_order: payment }\n",
    ];
    let (_, found) = try_compile(&twice.map(|text: &str| text));
    assert_eq!(
        found.iter().next().unwrap().code,
        "P004",
        "once in a policy"
    );
}

#[test]
fn roles_that_nobody_can_have_together_are_warned_of() {
    let warned = |text: &str| {
        let (_, found) = try_compile(&[text]);
        let of_order = |code: &str| matches!(code, "W130" | "W131");
        let told: Vec<_> = found
            .iter()
            .filter(|problem| of_order(problem.code))
            .collect();
        told.iter()
            .map(|problem| {
                format!(
                    "{} {} {}",
                    problem.code,
                    problem.label,
                    problem.help.as_deref().unwrap_or_default()
                )
            })
            .collect::<Vec<_>>()
    };
    let [missing] = warned(TWO).try_into().unwrap();
    assert!(
        missing.starts_with("W130") && missing.contains("finance + sales"),
        "{missing}"
    );
    assert!(
        missing.contains("purpose_order: [contract, payment]"),
        "{missing}"
    );
    assert!(warned(&ordered("contract")).is_empty());
    let same = TWO.replace("default_purpose: payment", "default_purpose: contract");
    assert!(warned(&same).is_empty(), "one default needs no order");
    let unused = format!("{same}defaults: {{ purpose_order: [payment] }}\n");
    assert_eq!(warned(&unused).len(), 1);
    assert!(warned(&unused)[0].starts_with("W131"));
}

#[test]
fn every_two_roles_are_shown_with_what_both_give() {
    let summary = |text: &str| compile(&[text]).summary();
    let pairs = summary(&ordered("[contract, payment]")).pairs;
    let by_roles: BTreeMap<_, _> = pairs
        .iter()
        .map(|pair| (pair.roles.join("+"), pair))
        .collect();
    assert_eq!(by_roles.len(), 3);
    let both = by_roles["finance+sales"];
    assert_eq!(both.purpose.as_deref(), Some("contract"));
    assert_eq!(
        (both.chosen_by, both.counted.as_slice()),
        (
            Some("order"),
            &["finance".to_owned(), "sales".to_owned()][..]
        )
    );
    let [than_finance, than_sales] = &both.gains;
    assert!(than_finance.is_empty());
    let [iban] = than_sales.as_slice() else {
        panic!("{than_sales:?}")
    };
    assert_eq!(
        (iban.category.as_str(), iban.from, iban.to),
        ("financial.iban", Level::Redact, Level::Mask)
    );
    let guest = by_roles["guest+sales"];
    assert_eq!(guest.counted, ["sales"]);
    assert_eq!(guest.gains[0].len(), 1, "alone a guest has no purpose");

    let text = compile(&[&ordered("payment")])
        .summary()
        .render(&Default::default());
    for line in [
        "finance + sales: payment (by order)",
        "more than sales alone: financial.iban clear",
        "more than finance alone: nothing",
    ] {
        assert!(text.contains(line), "lacks {line}:\n{text}");
    }
    let refused = summary(TWO).pairs;
    assert!(refused[1].purpose.is_none() && refused[1].gains.iter().all(Vec::is_empty));
}

#[test]
fn what_the_api_itself_tells_needs_a_role_but_no_purpose() {
    let policy = compile(&[TWO]);
    let mut operation = list(Some("Contacts"));
    operation.access = Access::Role;
    let decide = |roles: &[&str], stated| policy.decide(&caller(roles), stated, &operation);
    for roles in [&["Sales", "Finance"][..], &["Guest"]] {
        let Decision::Permit(plan) = decide(roles, None) else {
            panic!("denied")
        };
        assert!(plan.purpose().is_none());
        assert_eq!(plan.roles().len(), roles.len());
        for rule in plan.records(operation.module.as_ref().unwrap()).known() {
            assert!(
                rule.categories.is_empty() || rule.level < Level::Mask,
                "{rule:?}"
            );
        }
    }
    let Decision::Permit(plan) = decide(&["Sales"], None) else {
        panic!("denied")
    };
    assert_eq!(
        plan.purpose().unwrap().purpose,
        Purpose::new("contract"),
        "where there is one, it counts"
    );
    assert_eq!(plan.roles(), [Role::new("sales")]);
    assert_eq!(reason(decide(&["Nobody"], None)), Some(Reason::NoRole));
    assert_eq!(
        reason(decide(&["Sales"], Some("payment"))),
        Some(Reason::PurposeNotAllowed)
    );
    operation = list(Some("Nothing"));
    operation.access = Access::Role;
    let decision = policy.decide(&caller(&["Guest"]), None, &operation);
    assert_eq!(reason(decision), Some(Reason::UnknownModule));
}
