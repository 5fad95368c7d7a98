//! Holes in what depends on moments, callers and records: comparisons tell each, with where it is so.

use crate::policy::testing::{caller, compile, list, schema, stock, try_compile};
use crate::policy::{Compared, Decision, Plan, Policy, Source};
use crate::vocabulary::{Level, Module};

const BASE: &str = "policy: p
roles:
  sales: { from: { crm.role: Sales } }
  boss: { from: { crm.role: Boss } }
purposes:
  work: { legal_basis: contract, roles: [sales, boss] }
  audit: { legal_basis: legal-obligation, roles: boss }
schedules:
  office: { days: [mon, tue, wed, thu, fri], from: \"08:00\", to: \"18:00\", zone: UTC }
classify:
  Contacts:
    first_name: identity.name
    iban_c: financial.iban
    phone_work: contact.phone
    owner_c: technical.owner
    team_c: technical.id
rows:
  - { name: own, modules: Contacts, roles: sales, keep_when: { all: [{ record.owner_c: { equals: { caller: id } } }, { record.team_c: { in: [east, west] } }] } }
grants:
  - { name: names, roles: [sales, boss], data: identity, level: clear }
  - { name: bank, roles: [sales, boss], data: financial, level: clear, when: { record.owner_c: { equals: { caller: id } } } }
  - { name: last-digits, roles: [sales, boss], data: financial, level: mask }
  - { name: phones, roles: [sales, boss], data: contact, level: clear, when: { request.time: { inside: office } } }
caps:
  - { name: night, data: identity, level: mask, when: { request.time: { outside: office } } }
  - { name: frozen, data: financial, level: token, unless_roles: boss }
exceptions:
  - { name: close, lifts: frozen, roles: sales, from: 2026-12-01, until: 2026-12-10, ticket: T-1,
      approved_by: [a@example.com, b@example.com], why: closing }
";

/// What is changed, and where it shows more: part of a line as it is told.
const HOLES: [(&str, &str, &str, &str); 14] = [
    (
        "the `when` of a grant is gone",
        ", when: { record.owner_c: { equals: { caller: id } } } }\n  - { name: last",
        " }\n  - { name: last",
        "where `bank` does not hold",
    ),
    (
        "another grant asks for less",
        ", when: { request.time: { inside: office } }",
        ", when: { any: [{ request.time: { inside: office } }, { caller.type: { equals: admin } }] }",
        "outside `office`",
    ),
    (
        "a cap has a `when`",
        "level: token, unless_roles: boss }",
        "level: token, unless_roles: boss, when: { record.team_c: { equals: east } } }",
        "where `frozen` does not hold",
    ),
    (
        "a cap asks for more",
        "{ request.time: { outside: office } } }",
        "{ request.time: { outside: office }, caller.type: { equals: user } } }",
        "where `night` does not hold",
    ),
    (
        "a conditional cap is gone",
        "  - { name: night, data: identity, level: mask, when: { request.time: { outside: office } } }\n",
        "",
        "outside `office`",
    ),
    (
        "a conditional cap is weaker",
        "level: mask, when: { request.time: { outside",
        "level: clear, write: deny, when: { request.time: { outside",
        "outside `office`",
    ),
    (
        "a schedule is shorter",
        "days: [mon, tue, wed, thu, fri], from: \"08:00\", to: \"18:00\"",
        "days: [mon, tue, wed, thu, fri, sat], from: \"08:00\", to: \"18:00\"",
        "`office`",
    ),
    (
        "a row is gone",
        "rows:\n  - { name: own, modules: Contacts, roles: sales, keep_when: { all: [{ record.owner_c: { equals: { caller: id } } }, { record.team_c: { in: [east, west] } }] } }\n",
        "",
        "all records",
    ),
    (
        "a row keeps more",
        "{ record.team_c: { in: [east, west] } }",
        "{ record.team_c: { in: [east, west, south] } }",
        "south",
    ),
    (
        "a row keeps one of both",
        "keep_when: { all: [",
        "keep_when: { any: [",
        "any:",
    ),
    (
        "a row is for fewer",
        "roles: sales, keep_when",
        "unless_roles: sales, keep_when",
        "all records",
    ),
    (
        "an exception is for more roles",
        "lifts: frozen, roles: sales,",
        "lifts: frozen, roles: [sales, boss],",
        "boss+sales",
    ),
    (
        "an exception is for more days",
        "until: 2026-12-10",
        "until: 2026-12-20",
        "from 2026-12-01 until 2026-12-21",
    ),
    (
        "an exception is new",
        "exceptions:\n",
        "exceptions:\n  - { name: more, lifts: night, roles: [sales, boss], from: 2026-12-01, until: 2026-12-10, ticket: T-2, approved_by: [a@example.com, b@example.com], why: w }\n",
        "while exceptions `close` and `more` are in force",
    ),
];

fn compared(old: &Policy, new: &Policy) -> Compared {
    old.compared(new, &schema())
}

/// The differences as lines, without their rules.
fn told(of: &std::collections::BTreeSet<crate::policy::Change>) -> Vec<String> {
    of.iter()
        .map(|change| {
            let when: Vec<String> = change.when.iter().map(ToString::to_string).collect();
            let what = change.category.as_ref().map(ToString::to_string);
            let what = what.or_else(|| change.field.clone()).unwrap_or_default();
            let roles = change.roles.join("+");
            let (old, new) = (&change.old, &change.new);
            format!("{what}: {roles} {old} -> {new} {}", when.join(", "))
        })
        .collect()
}

#[test]
fn each_planted_hole_is_told_with_where_it_is() {
    let base = compile(&[BASE]);
    for (title, old, new, expected) in HOLES {
        assert_eq!(BASE.matches(old).count(), 1, "{title}");
        let holed = compile(&[&BASE.replace(old, new)]);
        let found = compared(&base, &holed);
        let mut more = told(&found.more);
        more.extend(told(&found.usable));
        more.extend(told(&found.writable));
        let is_told = more.iter().any(|line| line.contains(expected));
        assert!(is_told, "{title}: {more:#?}");
        // Seen from the other side, the same is less.
        let back = compared(&holed, &base);
        assert!(!back.less.is_empty(), "{title}: {back:#?}");
    }
}

#[test]
fn what_means_the_same_is_no_difference() {
    let base = compile(&[BASE]);
    for (old, new) in [
        ("in: [east, west]", "in: [west, east]"),
        (
            "{ request.time: { outside: office } }",
            "{ not: { request.time: { inside: office } } }",
        ),
        ("name: close", "name: closing"),
        ("name: own", "name: mine"),
        ("name: bank", "name: own-bank"),
    ] {
        let other = compile(&[&BASE.replace(old, new)]);
        assert!(
            compared(&base, &other).is_same(),
            "{:#?}",
            compared(&base, &other)
        );
    }
    let renamed = compile(&[&BASE.replace("office", "hours")]);
    assert!(compared(&base, &renamed).is_same());
}

#[test]
fn what_is_narrower_is_less_and_nothing_more() {
    let base = compile(&[BASE]);
    for (old, new) in [
        ("in: [east, west]", "equals: east"),
        ("roles: sales, keep_when", "keep_when"),
        ("until: 2026-12-10", "until: 2026-12-05"),
        (
            "level: clear }\n  - { name: bank",
            "level: clear, when: { request.action: { equals: read } } }\n  - { name: bank",
        ),
        (", when: { request.time: { outside: office } } }", " }"),
    ] {
        let found = compared(&base, &compile(&[&BASE.replace(old, new)]));
        let grows = found.more.len() + found.usable.len() + found.writable.len();
        assert!(grows == 0 && !found.less.is_empty(), "{new}: {found:#?}");
    }
}

#[test]
fn the_page_says_what_a_level_depends_on() {
    let policy = compile(&[BASE]);
    let explained = |at: &str, role: &str| {
        let roles = [crate::vocabulary::Role::new(role)];
        let purpose = crate::vocabulary::Purpose::new("work");
        let module = Module::new("Contacts");
        let asked = (&roles[..], &purpose);
        let explained = policy.explain_at(at.parse().unwrap(), asked, &[], &module);
        explained.unwrap().render()
    };
    let (day, night) = ("2026-11-27T12:00:00Z", "2026-11-27T22:00:00Z");
    let line = |page: &str, start: &str| {
        let from = page.lines().skip_while(|line| !line.starts_with(start));
        let of_field = from
            .enumerate()
            .take_while(|(at, line)| *at == 0 || line.starts_with(' '));
        of_field
            .map(|(_, line)| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect::<Vec<_>>()
            .join(" | ")
    };
    let page = explained(day, "boss");
    let iban = line(&page, "iban_c");
    assert!(iban.starts_with("iban_c financial.iban mask"), "{page}");
    assert!(
        iban.contains("clear where `bank` holds; else mask"),
        "{page}"
    );
    assert!(
        line(&page, "first_name").starts_with("first_name identity.name clear yes"),
        "{page}"
    );
    assert!(!page.contains("records of"), "{page}");
    let page = explained(night, "boss");
    let name = line(&page, "first_name");
    assert!(
        name.starts_with("first_name identity.name mask no"),
        "{page}"
    );
    assert!(name.contains("clear inside `office`; else mask"), "{page}");
    let page = explained("2026-12-03T12:00:00Z", "sales");
    assert!(page.contains("records of Contacts: only with"), "{page}");
    assert!(page.contains("cap `frozen` is lifted"), "{page}");
    assert!(!explained(day, "sales").contains("is lifted"));
}

/// The codes of warnings that are about conditions.
fn codes(text: &str) -> Vec<String> {
    let (_, found) = try_compile(&[text]);
    let rendered = found.render(false);
    ["W157", "W158"]
        .iter()
        .filter(|code| rendered.contains(*code))
        .map(ToString::to_string)
        .collect()
}

#[test]
fn conditions_that_are_always_the_same_are_told() {
    assert_eq!(codes(BASE), [""; 0]);
    let never = "keep_when: { all: [{ record.team_c: { equals: north } }, ";
    assert_eq!(codes(&BASE.replace("keep_when: { all: [", never)), ["W157"]);
    let always =
        "{ any: [{ request.time: { inside: office } }, { request.time: { outside: office } }] }";
    let text = BASE.replace(
        "when: { request.time: { inside: office } }",
        &format!("when: {always}"),
    );
    assert_eq!(codes(&text), ["W157"]);
}

#[test]
fn whoever_may_write_what_a_rule_asks_for_is_told() {
    let technical = "\n  - { name: records, roles: ROLES, data: technical, level: clear }\ncaps:";
    let with = |roles: &str| BASE.replace("\ncaps:", &technical.replace("ROLES", roles));
    // They take a record over, and see what only its owner sees.
    assert_eq!(codes(&with("sales")), ["W158"]);
    let read_only = with("sales").replace(
        "data: technical, level: clear",
        "data: technical, level: clear, write: deny",
    );
    assert_eq!(codes(&read_only), [""; 0]);
    // A row by itself keeps away what they would have to write.
    let only_row = BASE.replace(", when: { record.owner_c: { equals: { caller: id } } }", "");
    let only_row = only_row.replace("\ncaps:", &technical.replace("ROLES", "sales"));
    assert_eq!(codes(&only_row), [""; 0]);
}

/// What a list of a module's records is decided by, for sales.
fn listed(policy: &Policy, module: &str) -> Plan {
    match policy.decide(&caller(&["Sales"]), Some("work"), &list(Some(module))) {
        Decision::Permit(plan) => plan,
        Decision::Deny(denial) => panic!("denied: {}", denial.reason),
    }
}

#[test]
fn records_are_asked_for_what_rules_about_them_ask_for_and_others_do_not_have_alone() {
    let text = "policy: p
roles: { sales: { from: { crm.role: Sales } } }
purposes: { work: { legal_basis: contract, roles: sales } }
classify:
  Contacts: { last_name: identity.name, phone_work: contact.phone, owner_c: technical.owner }
  Leads: { last_name: identity.name }
  Accounts: { name: work.organisation }
grants: [{ name: all, roles: sales, data: [identity, contact, work, technical], level: clear }]
caps: [{ name: c, data: identity, level: redact, when: { record.owner_c: { equals: x }, record.nobody_c: { equals: x } } }]
";
    let policy = compile(&[text]);
    let asked = |module: &str| {
        let module = Module::new(module);
        let conditions = listed(&policy, module.as_str()).conditions(&module)?;
        let fields = conditions.fields().iter();
        Some(fields.map(ToString::to_string).collect::<Vec<_>>())
    };
    assert_eq!(asked("Contacts").unwrap(), ["nobody_c", "owner_c"]);
    // They have no owner, as far as anybody knows.
    assert_eq!(asked("Leads").unwrap(), ["nobody_c"]);
    // No rule about them asks for anything.
    assert_eq!(asked("Accounts"), None);
    let leads = Module::new("Leads");
    let rule = listed(&policy, "Leads").records(&leads).field("last_name");
    assert_eq!(rule.level, Level::Redact);
}

#[test]
fn what_a_record_is_called_by_itself_is_no_copy_of_another() {
    let text = "policy: p
roles: { sales: { from: { crm.role: Sales } } }
purposes: { work: { legal_basis: contract, roles: sales } }
classify:
  Contacts: { salutation: identity.name, first_name: identity.name, last_name: identity.name, email: contact.email, owner_c: technical.owner }
rows: [{ name: own, modules: Contacts, keep_when: { record.owner_c: { equals: { caller: id } } } }]
grants: [{ name: all, roles: sales, data: [identity, contact, technical], level: clear }]
";
    let sources = [Source {
        path: "p.yaml".to_owned(),
        text: text.to_owned(),
    }];
    let schemas = [stock("sugar-rest")];
    let (policy, found) = Policy::compile(&sources, &schemas, b"0123456789abcdef");
    let policy = policy.unwrap_or_else(|| panic!("{}", found.render(false)));
    let plan = listed(&policy, "Contacts");
    let level = |field: &str| plan.records(&Module::new("Contacts")).field(field).level;
    for own in ["first_name", "name", "full_name", "email1"] {
        assert_eq!(level(own), Level::Clear, "{own}");
    }
    // The name of another contact.
    assert_eq!(level("reports_to_name"), Level::Redact);
}
