//! Limits: what they say, and what is wrong with them.

use std::time::Duration;

use super::{SAMPLE, compile, try_compile};
use crate::policy::{Count, Limit, Per, Then};
use crate::vocabulary::{Category, Level, Module, Purpose, Role};

fn limits(text: &str) -> String {
    format!("policy: sugarcrm-eu\nlimits: [{{ {text} }}]\n")
}

fn one(text: &str) -> Limit {
    let policy = compile(&[SAMPLE, &limits(text)]);
    policy.limits().first().unwrap().clone()
}

#[test]
fn a_limit_says_how_many_records_of_what_are_shown_to_whom_in_how_long_a_while() {
    let limit = one(
        "name: bulk, roles: sales, purposes: contract, modules: Contacts, count: records, \
         data: financial, level: clear, max: 1000000/d, then: alert, why: bank data is precious",
    );
    assert_eq!((limit.name().as_str(), limit.max()), ("bulk", 1_000_000));
    assert_eq!(
        (limit.per(), limit.per().length()),
        (Per::Day, Duration::from_secs(86_400))
    );
    assert_eq!(limit.then(), &Then::Alert);
    let (sales, finance) = (Role::new("sales"), Role::new("finance"));
    let contract = Purpose::new("contract");
    assert!(limit.applies(&[finance.clone(), sales.clone()], Some(&contract)));
    assert!(!limit.applies(&[finance], Some(&contract)));
    assert!(!limit.applies(std::slice::from_ref(&sales), Some(&Purpose::new("payment"))));
    assert!(!limit.applies(&[sales], None));
    let iban = [Category::new("financial.iban")];
    let contacts = Module::new("Contacts");
    assert!(limit.counts(&contacts, &iban, Level::Clear));
    assert!(!limit.counts(&contacts, &iban, Level::Mask));
    assert!(!limit.counts(&contacts, &[Category::new("work.own")], Level::Clear));
    assert!(!limit.counts(&Module::new("Accounts"), &iban, Level::Clear));
    let usual = one("name: bulk, unless_roles: sales, count: records, max: 1/s, then: block");
    assert!(usual.counts(&contacts, &iban, Level::Mask));
    assert!(!usual.counts(&contacts, &iban, Level::Token));
    assert!(!usual.counts(&contacts, &[Category::new("technical.id")], Level::Clear));
    assert!(!usual.applies(&[Role::new("sales")], None));
    assert!(usual.applies(&[Role::new("sales"), Role::new("finance")], None));
    let steps =
        one("name: bulk, count: records, max: 5/m, then: step-up, requires: { auth: strong }");
    assert!(matches!(steps.then(), Then::StepUp(strengths) if strengths.contains("strong")));
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_mistake_in_a_limit_is_told_with_its_place_and_what_helps() {
    let of = |keys: &str| format!("name: l, count: records, max: 5/h, then: block, {keys}");
    for (text, code, words) in [
        (of("data: finanical"), "P014", "financial"),
        (of("roles: slaes"), "P011", "did you mean `sales`"),
        (of("purposes: contarct"), "P012", "did you mean `contract`"),
        (of("modules: Contcts"), "P018", "did you mean `Contacts`"),
        (
            of("level: redact"),
            "Y013",
            "must be one of: token, mask, clear",
        ),
        (
            of("roles: sales, unless_roles: finance"),
            "P024",
            "write two of them",
        ),
        (
            of("requires: { auth: strong }"),
            "P060",
            "write `then: step-up`",
        ),
        (of("per: day"), "Y010", "unknown key `per`"),
        (of("why: \"\""), "P005", "must hold 1 to"),
        (
            "name: l, count: persons, max: 5/h, then: block".to_owned(),
            "P060",
            "say under `people`",
        ),
        (
            "name: l, count: rows, max: 5/h, then: block".to_owned(),
            "Y013",
            "records",
        ),
        (
            "name: l, max: 5/h, then: block".to_owned(),
            "Y011",
            "`count`",
        ),
        (
            "name: l, count: records, then: block".to_owned(),
            "Y011",
            "`max`",
        ),
        (
            "name: l, count: records, max: 5/h".to_owned(),
            "Y011",
            "`then`",
        ),
        (
            "count: records, max: 5/h, then: block".to_owned(),
            "Y011",
            "`name`",
        ),
        (
            "name: l, count: records, max: 5, then: block".to_owned(),
            "",
            "",
        ),
        (
            "name: l, count: records, max: 5/w, then: block".to_owned(),
            "P060",
            "write `500/h`",
        ),
        (
            "name: l, count: records, max: +5/h, then: block".to_owned(),
            "P060",
            "write `500/h`",
        ),
        (
            "name: l, count: records, max: 0/h, then: block".to_owned(),
            "P060",
            "write a cap",
        ),
        (
            "name: l, count: records, max: 1000001/h, then: block".to_owned(),
            "P060",
            "must be between 1 and 1000000",
        ),
        (
            "name: l, count: records, max: 99999999999/h, then: block".to_owned(),
            "P060",
            "must be between",
        ),
        (
            "name: l, count: records, max: 5/h, then: deny".to_owned(),
            "Y013",
            "block, step-up, alert",
        ),
        (
            "name: l, count: records, max: 5/h, then: step-up".to_owned(),
            "P035",
            "add `requires: { auth: NAME }`",
        ),
        (
            "name: l, count: records, max: 5/h, then: step-up, requires: { auth: stong }"
                .to_owned(),
            "P013",
            "strong",
        ),
        (
            "name: mode.x, count: records, max: 5/h, then: block".to_owned(),
            "P005",
            "are taken",
        ),
    ] {
        let text = limits(&text);
        let (policy, found) = try_compile(&[SAMPLE, &text]);
        let shown = found.render(false);
        assert!(policy.is_none(), "{text}");
        assert_eq!(found.errors(), 1, "{text}{shown}");
        let error = found.iter().next().unwrap();
        assert!(code.is_empty() || error.code == code, "{text}{shown}");
        assert!(
            shown.contains(words) && shown.contains("p1.yaml:2:"),
            "{text}{shown}"
        );
    }
}

#[test]
fn a_limit_shares_its_name_with_no_other_rule_and_asks_for_what_can_be_proved() {
    let taken = "policy: sugarcrm-eu
limits: [{ name: l, count: records, max: 5/h, then: block }]
caps: [{ name: l, data: work, level: mask }]
";
    let (_, found) = try_compile(&[SAMPLE, taken]);
    assert_eq!(found.iter().next().unwrap().code, "P004");
    let unasked = "policy: sugarcrm-eu
auth: { local: { method: crm-session } }
limits: [{ name: l, count: records, max: 5/h, then: step-up, requires: { auth: local } }]
";
    let (_, found) = try_compile(&[SAMPLE, unasked]);
    let shown = found.render(false);
    assert!(
        shown.contains("no `acr` proves the strength that this limit requires"),
        "{shown}"
    );
}

#[test]
fn persons_are_counted_where_it_is_said_whom_records_are_about() {
    let counting = |count: &str| limits(&format!("name: l, count: {count}, max: 5/h, then: block"));
    // In whichever file that is said.
    let people = "policy: sugarcrm-eu\npeople: { Contacts: { kind: customer, email: email } }\n";
    let policy = compile(&[SAMPLE, &counting("persons"), people]);
    let limit = policy.limits().first().unwrap();
    assert_eq!(limit.count(), Count::Persons);
    assert_eq!(
        one("name: l, count: records, max: 5/h, then: block").count(),
        Count::Records
    );
    let other = compile(&[SAMPLE, &counting("records"), people]);
    assert!(
        !limit.is_same(other.limits().first().unwrap()),
        "it counts anew"
    );
    let (_, found) = try_compile(&[SAMPLE, &counting("persons")]);
    let shown = found.render(false);
    let place = counting("persons")
        .lines()
        .nth(1)
        .unwrap()
        .find("persons")
        .unwrap()
        + 1;
    assert!(shown.contains(&format!("p1.yaml:2:{place}")), "{shown}");
}
