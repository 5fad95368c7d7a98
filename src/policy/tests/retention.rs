//! What hides data of records whose time is over: what is shown, used, written and told of them, and of all others.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::condition::{Condition, Operand, Resolved, Scalar, Subject, Test};
use crate::dialect::Operation;
use crate::policy::testing::{caller, compile, filtered, list, schema, try_compile};
use crate::policy::{Compared, Decision, Plan, Policy, Usable, Writable};
use crate::vocabulary::{Level, Module, Purpose, Role};

const OLD: &str = "  - { name: old, modules: Contacts, clock: record.birthdate, after: 3y, then: { hide: data } }\n";

fn policy(retention: &str) -> Policy {
    compile(&[&source(retention)])
}

fn source(retention: &str) -> String {
    format!(
        "policy: p
roles: {{ sales: {{ from: {{ crm.role: Sales }}, default_purpose: work }} }}
purposes: {{ work: {{ legal_basis: contract, roles: sales }} }}
classify:
  Contacts: {{ id: technical.id, last_name: identity.name, birthdate: identity.birth_date, date_entered: technical.timestamp, account_name: work.organisation, \"*_code_c\": work.position }}
  Leads: {{ id: technical.id, last_name: identity.name }}
  Accounts: {{ id: technical.id, name: work.organisation }}
grants: [{{ name: all, roles: sales, data: [technical, identity, work], level: clear }}]
retention:
{retention}"
    )
}

/// The same, while the whole policy observes.
fn observed(retention: &str) -> String {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let until = today.saturating_add(20.days());
    source(&format!("{retention}mode: observe\nuntil: {until}\n"))
}

fn decided(policy: &Policy, operation: &Operation) -> Plan {
    match policy.decide(&caller(&["Sales"]), None, operation) {
        Decision::Permit(plan) => plan,
        Decision::Deny(denial) => panic!("{:?}", denial.reason),
    }
}

fn compared(old: &str, new: &str) -> Compared {
    policy(old).compared(&policy(new), &schema())
}

fn grows(found: &Compared) -> usize {
    found.more.len() + found.usable.len() + found.writable.len()
}

#[test]
fn the_rule_is_a_cap_for_records_of_its_modules_that_nothing_lifts() {
    let policy = policy(OLD);
    let model = &policy.core.model;
    assert!(model.rows.is_empty());
    let [restriction] = model.restrictions.as_slice() else {
        panic!("{:?}", model.restrictions)
    };
    assert!(!restriction.preserves);
    let [cap] = model.caps.as_slice() else {
        panic!("{:?}", model.caps)
    };
    assert_eq!(cap.when, Some(restriction.when));
    assert_eq!(cap.name, restriction.row.name);
    assert_eq!(cap.name.as_str(), "retention.old");
    assert!(cap.firm && cap.denies_write && cap.purposes.is_none());
    let of_contacts = Condition::Is(
        Subject::RecordModule,
        Test::OneOf(vec![Operand::Literal(Scalar::Text("Contacts".to_owned()))]),
    );
    let noted = &model.conditions[usize::from(restriction.when.0)];
    let Condition::All(parts) = &noted.condition else {
        panic!("{noted:?}")
    };
    assert!(noted.withholds && parts[0] == of_contacts && parts.len() == 2);
    for (module, others) in [("Contacts", 0), ("Leads", restriction.when.mask())] {
        assert_eq!(model.bits_of_others(&Module::new(module)), others);
    }
}

#[test]
fn less_is_shown_of_what_is_over_and_all_is_used_of_the_rest() {
    let policy = policy(OLD);
    let (contacts, leads) = (Module::new("Contacts"), Module::new("Leads"));

    let plan = decided(&policy, &list(Some("Contacts")));
    let shown = |field: &str| plan.records(&contacts).field(field).level;
    assert_eq!(shown("last_name"), Level::Redact, "nobody knows the clock");
    assert_eq!(shown("date_entered"), Level::Clear);
    let used = plan.used(&contacts).field("last_name");
    assert_eq!((used.usable, &used.writable), (Usable::Yes, &Writable::Yes));
    assert!(plan.has_restricted(&contacts) && !plan.has_rows(&contacts));
    let conditions = plan.conditions(&contacts).unwrap();
    assert_eq!(conditions.needed(), None, "they are listed");
    let most = conditions.rules(conditions.usual()).field("last_name");
    assert_eq!(most.level, Level::Clear);

    // Who looks for somebody by name finds none of them.
    let plan = decided(&policy, &filtered("last_name"));
    let needed = plan.conditions(&contacts).unwrap().needed();
    assert!(matches!(needed, Some(Resolved::Field(..))), "{needed:?}");
    assert!(plan.has_rows(&contacts));
    let plan = decided(&policy, &filtered("date_entered"));
    assert!(!plan.has_rows(&contacts));

    // Records of other modules have nothing to do with it.
    let plan = decided(&policy, &list(Some("Leads")));
    assert_eq!(plan.records(&leads).field("last_name").level, Level::Clear);
    assert!(plan.conditions(&leads).is_none() && !plan.has_restricted(&leads));
}

#[test]
fn what_records_tell_of_those_that_may_be_over_is_withheld() {
    let accounts = Module::new("Accounts");
    let of_accounts = OLD.replace("Contacts", "Accounts");
    let contacts = Module::new("Contacts");
    let copied = |retention: &str| {
        let plan = decided(&policy(retention), &list(Some("Contacts")));
        plan.records_at_most(&contacts).field("account_name").level
    };
    assert_eq!(copied(OLD), Level::Clear);
    assert_eq!(copied(&of_accounts), Level::Redact);
    let plan = decided(&policy(&of_accounts), &list(Some("Accounts")));
    assert_eq!(
        plan.records_at_most(&accounts).field("name").level,
        Level::Clear
    );
}

#[test]
fn comparisons_tell_in_which_modules_less_is_hidden() {
    let (none, two) = (
        "  []\n",
        OLD.replace("modules: Contacts", "modules: [Contacts, Leads]"),
    );
    let leads = OLD.replace("Contacts", "Leads");
    for (old, new, why) in [
        (OLD, none, "the rule is gone"),
        (&*two, OLD, "it is about fewer modules"),
        (OLD, &*leads, "it is about other modules"),
    ] {
        assert!(grows(&compared(old, new)) > 0, "{why}");
    }
    for (old, new, why) in [
        (none, OLD, "the rule is new"),
        (OLD, &*two, "it is about more modules"),
    ] {
        let found = compared(old, new);
        assert!(
            grows(&found) == 0 && !found.less.is_empty(),
            "{why}: {found:#?}"
        );
    }
    let swapped = OLD.replace("modules: Contacts", "modules: [Leads, Contacts]");
    assert!(compared(&two, &swapped).is_same());
}

#[test]
fn the_page_tells_it_of_the_modules_that_it_is_about() {
    let policy = policy(OLD);
    let page = |module: &str| {
        let asked = (&[Role::new("sales")][..], &Purpose::new("work"));
        let now = "2026-12-01T12:00:00Z".parse().unwrap();
        let explained = policy.explain_at(now, asked, &[], &Module::new(module));
        explained.unwrap().render()
    };
    let contacts = page("Contacts");
    assert!(
        contacts.contains("clear where `retention.old` does not hold; else redact"),
        "{contacts}"
    );
    let name = contacts.lines().find(|line| line.starts_with("last_name"));
    let name: Vec<&str> = name.unwrap().split_whitespace().take(5).collect();
    assert_eq!(name[2..], ["redact", "yes", "yes"], "{contacts}");
    assert!(contacts.contains("are not found"), "{contacts}");
    let pattern = contacts.lines().find(|line| line.starts_with("*_code_c"));
    let pattern: Vec<&str> = pattern.unwrap().split_whitespace().take(5).collect();
    assert_eq!(pattern[2..], ["redact", "yes", "yes"], "{contacts}");
    assert!(
        !page("Leads").contains("retention.old"),
        "{}",
        page("Leads")
    );
}

#[test]
fn what_nobody_has_classified_is_withheld_too_while_the_policy_observes() {
    let observing = compile(&[&observed(OLD)]);
    let contacts = Module::new("Contacts");
    let plan = decided(&observing, &filtered("notes_c"));
    assert_eq!(
        plan.records(&contacts).field("notes_c").level,
        Level::Redact
    );
    assert_eq!(
        plan.records(&contacts).field("notes_c").writable,
        Writable::No
    );
    assert!(plan.has_rows(&contacts), "and nobody finds it by that");
    let conditions = plan.conditions(&contacts).unwrap();
    let young = conditions.rules(conditions.usual()).field("notes_c");
    assert_eq!(
        (young.level, &young.writable),
        (Level::Clear, &Writable::Yes)
    );
}

#[test]
fn records_of_other_modules_are_not_left_out_for_what_is_used() {
    let both = format!(
        "{OLD}{}",
        OLD.replace("old", "older").replace("Contacts", "Leads")
    );
    let plan = decided(&policy(&both), &filtered("last_name"));
    assert!(plan.has_rows(&Module::new("Contacts")));
    let leads = Module::new("Leads");
    assert!(!plan.has_rows(&leads) && plan.has_restricted(&leads));
    assert!(!plan.has_preserved(&leads));
}

#[test]
fn the_rule_is_no_reason_to_leave_out_a_warning() {
    let odd = "  - { name: everybody, roles: sales, data: [special, financial], level: clear }\n";
    let codes = |retention: &str| {
        let text = source(retention);
        let text = text.replacen("grants: [", "grants:\n  - ", 1);
        let text = text.replacen("level: clear }]\n", &format!("level: clear }}\n{odd}"), 1);
        let text = text.replacen(
            "Accounts: { ",
            "Accounts: { religion_c: special.belief, iban_c: financial.iban, ",
            1,
        );
        let (policy, found) = try_compile(&[&text]);
        assert!(policy.is_some(), "{}", found.render(false));
        let mut codes: Vec<&str> = found.iter().map(|one| one.code).collect();
        codes.sort_unstable();
        codes
    };
    let without = codes("  []\n");
    assert!(without.contains(&"W115"), "{without:?}");
    assert_eq!(codes(OLD), without);
}

#[test]
fn copies_of_what_nobody_has_classified_are_withheld_too_while_the_policy_observes() {
    let contacts = Module::new("Contacts");
    let shown = |retention: &str| {
        let text = observed(retention).replace(
            "name: work.organisation }",
            "date_entered: technical.timestamp }",
        );
        let plan = decided(&compile(&[&text]), &list(Some("Contacts")));
        plan.records_at_most(&contacts).field("account_name").level
    };
    let of = |module: &str| OLD.replace("Contacts", module);
    assert_eq!(shown(&of("Leads")), Level::Clear);
    assert_eq!(shown(&of("Accounts")), Level::Redact);
}

#[test]
fn whoever_may_write_what_the_rule_asks_for_of_what_is_over_is_warned_of() {
    let lifted = |category: &str| {
        let text = source(OLD).replace("identity.birth_date", category);
        let (policy, found) = try_compile(&[&text]);
        assert!(policy.is_some(), "{}", found.render(false));
        found.iter().any(|one| one.code == "W158")
    };
    assert!(lifted("technical.timestamp"));
    assert!(!lifted("identity.birth_date"), "it is withheld itself");
}
