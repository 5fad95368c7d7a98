//! What a detector counts for, in every set of uses.

use serde_json::{Map, Value, json};

use super::{around, plan, reason, rule};
use crate::dialect::{Path, Sort};
use crate::filter::{findings, replacements};
use crate::policy::plan::{Decision, Show, Usable};
use crate::policy::testing::{caller, compile, filtered, list};
use crate::reason::Reason;
use crate::vocabulary::Module;
use crate::writeback::settle;

const IBAN: &str = "FR7630006000011234567890189";

fn detector(kind: &str, uses: &str) -> String {
    around(&format!(
        "grants: [{{ name: t, roles: sales, data: free_text, level: clear }}]
detectors: [{{ name: d, in: free_text, find: [{kind}]{uses} }}]\n"
    ))
}

#[test]
fn each_use_that_a_detector_names_holds_by_itself() {
    let all = ["shown", "matched, sorted, searched", "written"];
    for set in 1..8_u8 {
        let has = |place: usize| set & (1 << place) != 0;
        let named: Vec<&str> = (0..3)
            .filter(|place| has(*place))
            .map(|place| all[place])
            .collect();
        let uses = format!(", uses: [{}]", named.join(", "));
        let plan = plan(&compile(&[&detector("iban", &uses)]), &["Sales"], None);
        let rule = rule(&plan, "description");
        let Show::Text(text) = &rule.show else {
            panic!("no text")
        };
        let said = format!("RIB {IBAN} merci");
        assert_eq!(
            replacements(text, &said).len(),
            usize::from(has(0)),
            "{uses}"
        );
        assert_eq!(findings(text, &said).len(), usize::from(has(2)), "{uses}");
        let sent: Map<String, Value> = [("description".to_owned(), json!(said))]
            .into_iter()
            .collect();
        let written = settle(
            &sent,
            None,
            &plan.records(&Module::new("Contacts")),
            1 << 20,
        );
        let refused = written.err().map(|objection| objection.reason);
        assert_eq!(
            refused,
            has(2).then_some(Reason::FieldNotWritable),
            "{uses}"
        );
        let usable = match (has(1), has(0)) {
            (true, _) => Usable::No,
            (false, true) => Usable::Words,
            (false, false) => Usable::Yes,
        };
        assert_eq!(rule.usable, usable, "{uses}");
    }
}

#[test]
fn what_identifies_by_letters_is_not_guessed_letter_by_letter() {
    for (kind, usable) in [
        ("mail", Usable::No),
        ("bic", Usable::No),
        ("address", Usable::No),
        ("nir", Usable::Words),
    ] {
        let left = compile(&[&detector(kind, ", uses: [shown, written]")]);
        let plan = plan(&left, &["Sales"], None);
        assert_eq!(rule(&plan, "description").usable, usable, "{kind}");
    }
}

#[test]
fn hidden_numbers_are_not_guessed_digit_by_digit() {
    let policy = compile(&[&detector("iban", ", uses: [shown, written]")]);
    let matched = |operand: Value| {
        let mut operation = filtered("description");
        if let Some(crate::dialect::Predicate::Field { value, .. }) = &mut operation.query.predicate
        {
            *value = operand;
        }
        reason(policy.decide(&caller(&["Sales"]), None, &operation))
    };
    for operand in [
        json!("salon"),
        json!("%salon de Lyon%"),
        json!(["a", "b"]),
        json!(null),
    ] {
        assert_eq!(matched(operand.clone()), None, "{operand}");
    }
    for operand in [
        json!("FR7630"),
        json!("763"),
        json!("______7%"),
        json!(7),
        json!("FR76 30%"),
        json!("\u{661}\u{662}\u{663}\u{ff14}"),
        json!(["a", "1234"]),
        json!(1234),
        json!({"a": "12", "b": "34"}),
    ] {
        assert_eq!(
            matched(operand.clone()),
            Some(Reason::FieldNotUsable),
            "{operand}"
        );
    }

    let mut sorted = list(Some("Contacts"));
    sorted.query.order.push(Sort {
        path: Path {
            link: None,
            field: "description".to_owned(),
        },
        descending: false,
    });
    let decided =
        |policy: &crate::policy::Policy| policy.decide(&caller(&["Sales"]), None, &sorted);
    assert_eq!(reason(decided(&policy)), Some(Reason::FieldNotUsable));

    // Words are left to be matched, as the detector says.
    let statements = compile(&[&detector("health", ", uses: [shown, written]")]);
    assert!(matches!(decided(&statements), Decision::Permit(_)));
}

#[test]
fn the_rules_of_statements_do_not_tell_which_one_is_withheld() {
    let policy = compile(&[&around(
        "grants:
  - { name: t, roles: sales, data: [free_text, special], level: clear }
  - { name: u, roles: sales, data: criminal, level: clear }
caps: [{ name: no-criminal, data: criminal, level: hide }]
detectors: [{ name: d, in: free_text, find: [special, criminal] }]\n",
    )]);
    let rule = rule(&plan(&policy, &["Sales"], None), "description");
    let Show::Text(text) = &rule.show else {
        panic!("no text")
    };
    let by = |by: &[crate::vocabulary::RuleName]| -> Vec<String> {
        by.iter().map(ToString::to_string).collect()
    };
    for span in &text.spans {
        assert_eq!(by(&span.by), ["no-criminal", "t"], "{:?}", span.kind);
    }
}
