//! Rules that change nothing, roles that are one, data that nobody is kept from, and types that say otherwise.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;

use super::properties::{Decided, decisions_in, file, rules};
use crate::diagnostic::Diagnostics;
use crate::dialect::schema::{FieldSchema, Holds, ModuleSchema};
use crate::dialect::{Modules, Schema};
use crate::policy::engine::Observing;
use crate::policy::testing::{compile, stock, try_compile};
use crate::policy::{Policy, Source};
use crate::vocabulary::{Field, Module};

/// The rules of a policy that are said to change nothing.
fn told(text: &str) -> BTreeSet<String> {
    let (policy, found) = try_compile(&[text]);
    assert!(policy.is_some(), "{}", found.render(false));
    let idle = found
        .iter()
        .filter(|problem| matches!(problem.code, "W103" | "W104" | "W105" | "W106" | "W150"));
    idle.map(|problem| problem.title.split('`').nth(1).unwrap().to_owned())
        .collect()
}

/// What is given in every state, but for the names of the rules that made it so.
fn given(policy: &Policy) -> Vec<Decided> {
    let mut all = decisions_in(policy, Observing::Enforced);
    // Of whoever has no role, nothing but defaults and caps is known, and nothing is shown to them.
    all.remove(0);
    for field in all.iter_mut().flat_map(|decided| &mut decided.fields) {
        field.by.clear();
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Held against every state of every set of roles: what is told changes nothing, and of grants all is told.
    #[test]
    fn what_is_said_to_change_nothing_changes_nothing(rules in rules()) {
        let items = rules.items();
        let told = told(&file(&items));
        let without = |names: &BTreeSet<String>| {
            let mut left = items.clone();
            left.retain(|(section, item)| {
                let is_rule = matches!(*section, "grants" | "caps");
                !is_rule || !names.iter().any(|name| item.contains(&format!("name: {name},")))
            });
            given(&compile(&[&file(&left)]))
        };
        let all = given(&rules.compile());
        prop_assert!(without(&told) == all, "{told:?}");
        for at in 0..rules.grants.len() {
            let mut fewer = told.clone();
            if fewer.insert(format!("g{at}")) {
                prop_assert!(without(&fewer) != all, "g{at} is not told: {told:?}");
            }
        }
    }
}

const BASE: &str = "policy: p
roles:
  sales: { from: { crm.role: Sales }, default_purpose: contract }
  finance: { from: { crm.role: Finance }, default_purpose: payment }
auth: { strong: { acr: phr } }
purposes:
  contract: { legal_basis: contract, roles: sales }
  payment: { legal_basis: legal-obligation, roles: finance }
defaults: { purpose_order: [contract, payment] }
classify:
  Contacts: { last_name: identity.name, phone_home: contact.phone, iban_c: financial.iban, birthdate: identity.birth_date }
";

fn check(text: &str, schemas: &[Arc<Schema>]) -> Diagnostics {
    let source = Source {
        path: "p.yaml".to_owned(),
        text: text.to_owned(),
    };
    let today = jiff::civil::date(2026, 11, 28);
    let (policy, found) = Policy::compile_on(today, &[source], schemas, &[0; 32]);
    assert!(policy.is_some(), "{}", found.render(false));
    found
}

/// Asserts that of a policy this alone is told, and that it says all of this.
fn says(found: &Diagnostics, code: &str, parts: &[&str]) {
    let codes: Vec<&str> = found.iter().map(|problem| problem.code).collect();
    let text = found.render(false);
    let expected: Vec<&str> = [code].into_iter().filter(|code| !code.is_empty()).collect();
    assert_eq!(codes, expected, "{text}");
    for part in parts {
        assert!(text.contains(part), "{part}: {text}");
    }
}

fn with(rules: &str) -> Diagnostics {
    check(&format!("{BASE}{rules}"), &[stock("sugar-rest")])
}

#[test]
fn a_grant_that_two_others_give_together_changes_nothing() {
    let grants = |data: &str| {
        format!(
            "grants:
  - {{ name: names, roles: [sales, finance], data: identity.name, level: clear }}
  - {{ name: phones, roles: [sales, finance], data: contact.phone, level: mask }}
  - {{ name: both, roles: sales, data: [{data}], level: mask }}
"
        )
    };
    let wrong = with(&grants("identity.name, contact.phone"));
    says(
        &wrong,
        "W150",
        &[
            "grant `both` changes nothing for anybody",
            "`names` and `phones` decide already",
        ],
    );
    says(&with(&grants("identity.name, financial.iban")), "", &[]);
}

#[test]
fn a_grant_that_caps_of_several_kinds_hold_down_changes_nothing() {
    let rules = |level: &str| {
        format!(
            "grants:
  - {{ name: names, roles: [sales, finance], data: identity.name, level: clear }}
  - {{ name: phones, roles: sales, data: contact.phone, level: {level} }}
caps:
  - {{ name: no-phones, data: contact.phone, level: redact, unless_roles: finance }}
"
        )
    };
    says(
        &with(&rules("clear")),
        "W150",
        &["grant `phones`", "`no-phones` decide already"],
    );
    says(
        &with(&rules("clear").replace("unless_roles: finance", "unless_roles: sales")),
        "",
        &[],
    );
}

#[test]
fn a_cap_that_others_hold_down_as_far_changes_nothing() {
    let rules = |own: &str, other: &str| {
        format!(
            "grants: [{{ name: names, roles: [sales, finance], data: [identity.name, contact.phone], level: clear }}]
caps:
  - {{ name: wide, data: contact, level: redact{other} }}
  - {{ name: narrow, data: contact.phone, level: {own} }}
"
        )
    };
    let wrong = with(&rules("mask, roles: sales", ""));
    says(
        &wrong,
        "W150",
        &[
            "cap `narrow` can never change a decision",
            "held down as far by `wide`",
        ],
    );
    says(&with(&rules("hide", "")), "", &[]);
    // A firm cap is not superfluous for one that may give way; the other way round it is.
    says(&with(&rules("redact, firm: true", "")), "", &[]);
    says(
        &with(&rules("redact", ", firm: true")),
        "W150",
        &["cap `narrow`"],
    );
    // What only observes holds nothing down yet.
    let found = with(&rules("redact", ", mode: observe, until: 2026-12-10"));
    says(&found, "N210", &[]);
    // Nor are grants held down by what only observes.
    let rules = "grants: [{ name: names, roles: [sales, finance], data: identity.name, level: clear }]\ncaps: [{ name: c, data: identity, level: redact, mode: observe, until: 2026-12-10 }]\n";
    says(&with(rules), "N210", &[]);
    // It is there for what may be granted tomorrow.
    says(
        &with(
            "grants: [{ name: names, roles: [sales, finance], data: identity.name, level: clear }]\ncaps: [{ name: no-phones, data: contact.phone, level: redact }]\n",
        ),
        "",
        &[],
    );
    let nobody = with(
        "grants: [{ name: names, roles: [sales, finance], data: identity.name, level: clear }]\ncaps: [{ name: c, data: contact.phone, level: redact, roles: sales, purposes: payment }]\n",
    );
    let text = nobody.render(false);
    assert!(
        text.contains("nobody whom it is for may invoke any of its purposes"),
        "{text}"
    );
}

#[test]
fn write_allow_that_lets_nobody_write_is_told() {
    let rules = |cap: &str| {
        format!(
            "grants:
  - {{ name: names, roles: [sales, finance], data: identity.name, level: clear, write: allow }}
  - {{ name: ibans, roles: sales, data: financial.iban, level: mask, write: allow }}
caps: [{cap}]
"
        )
    };
    let wrong = with(&rules("{ name: no-writing, data: financial, write: deny }"));
    says(
        &wrong,
        "W151",
        &["`write: allow` of grant `ibans` lets nobody write anything"],
    );
    says(
        &with(&rules(
            "{ name: no-writing, data: financial, write: deny, roles: finance }",
        )),
        "",
        &[],
    );
}

#[test]
fn roles_that_rest_on_the_same_evidence_are_one() {
    let roles = |evidence: &str| {
        let other =
            format!("roles:\n  agents: {{ from: {{ {evidence} }}, default_purpose: contract }}\n");
        let text = BASE.replace("roles:\n  sales", &format!("{other}  sales"));
        let text = text.replace("roles: sales }", "roles: [sales, agents] }");
        let grant = "grants: [{ name: names, roles: [sales, finance, agents], data: identity.name, level: clear }]\n";
        check(&format!("{text}{grant}"), &[stock("sugar-rest")])
    };
    says(
        &roles("crm.role: Sales"),
        "W152",
        &["roles `agents` and `sales` rest on the same evidence"],
    );
    says(&roles("crm.role: Sales, crm.team: West"), "", &[]);
    says(&roles("crm.role: [Sales, Agents]"), "", &[]);
}

#[test]
fn sensitive_data_that_every_role_is_shown_is_told() {
    let grants = |whom: &str| {
        format!(
            "grants:\n  - {{ name: names, roles: [sales, finance], data: identity.name, level: clear }}\n  - {{ name: ibans, {whom}, data: financial.iban, level: clear }}\n"
        )
    };
    let wrong = with(&grants("roles: [sales, finance]"));
    says(
        &wrong,
        "W153",
        &[
            "`financial.iban` is shown in clear in every role",
            "Contacts.iban_c",
        ],
    );
    says(&with(&grants("roles: finance")), "", &[]);
}

/// The stock, and fields of contacts that an installation has beside it, with their types.
fn installed(fields: &[(&str, &str)]) -> Vec<Arc<Schema>> {
    let mut modules = Modules::default();
    let own: &mut ModuleSchema = modules.entry(&Module::new("Contacts")).unwrap();
    for (field, kind) in fields {
        let known = FieldSchema {
            kind: Some((*kind).to_owned()),
            holds: Holds::Own,
        };
        own.fields.insert(Field::fold(field), known);
    }
    vec![stock("sugar-rest").with(modules)]
}

#[test]
fn types_tell_what_a_wildcard_catches_and_what_a_mask_cannot_take() {
    let text = |entry: &str| {
        let rules = "grants:
  - { name: names, roles: [sales, finance], data: [identity.name, contact.phone], level: clear }
  - { name: ibans, roles: finance, data: financial.iban, level: mask }
";
        format!(
            "{}{rules}",
            BASE.replace(
                "iban_c: financial.iban,",
                &format!("iban_c: financial.iban, {entry},")
            )
        )
    };
    let fields = [
        ("iban_c", "varchar"),
        ("iban_checked_c", "bool"),
        ("fax_c", "phone"),
    ];
    let wild = text("\"*iban*\": financial.iban");
    let found = check(&wild, &installed(&fields));
    let codes: Vec<&str> = found.iter().map(|problem| problem.code).collect();
    let shown = found.render(false);
    assert_eq!(codes, ["W154", "W155"], "{shown}");
    for part in [
        "`*iban*` catches `Contacts.iban_checked_c (yes or no)`, which cannot be `financial.iban`",
        "the mask of `financial.iban` never fits `Contacts.iban_checked_c (yes or no)`",
        "to be masked for `finance`",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let named = "\"*iban*\": financial.iban, iban_checked_c: { category: work.position, instead_of: financial.iban, reviewed: { by: dpo, on: 2026-11-02, why: a flag } }";
    says(&check(&text(named), &installed(&fields)), "", &[]);
    // Nothing is known of types without a schema file.
    says(&check(&wild, &[stock("sugar-rest")]), "", &[]);
    let none = text("\"*passport*\": identity.national_id");
    says(
        &check(&none, &installed(&fields)),
        "N211",
        &["`*passport*` catches no field"],
    );
    says(&check(&none, &[stock("sugar-rest")]), "", &[]);
}
