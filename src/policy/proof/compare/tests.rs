use super::{Change, Compared};
use crate::policy::testing::{SAMPLE, compile, schema};

mod classes;
mod facts;

/// A change in one line: what, who, from what to what.
fn line(change: &Change) -> String {
    let what = match (&change.category, &change.field) {
        (Some(category), Some(field)) => format!("{category} {field}"),
        (Some(category), None) => category.to_string(),
        (None, Some(field)) => field.clone(),
        (None, None) => String::new(),
    };
    let who = [
        change.roles.join("+"),
        change
            .purpose
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        change.strength.clone().unwrap_or_default(),
    ];
    let who: Vec<String> = who.into_iter().filter(|part| !part.is_empty()).collect();
    let aspect = change.aspect.as_str();
    let line = format!(
        "{aspect} {what} [{}] {} -> {}",
        who.join(", "),
        change.old,
        change.new
    );
    line.replace("  ", " ")
}

fn compared(old: &str, new: &str) -> Compared {
    compile(&[old]).compared(&compile(&[new]), &schema())
}

/// The sample with something else in place of something.
fn changed(from: &str, to: &str) -> String {
    let text = SAMPLE.replacen(from, to, 1);
    assert_ne!(text, SAMPLE, "the sample does not hold {from}");
    text
}

/// What the sample with a change gives more, and what it gives less, as lines; and that the reverse change gives the reverse.
fn more_and_less(from: &str, to: &str) -> (Vec<String>, Vec<String>) {
    let new = changed(from, to);
    let compared = compared(SAMPLE, &new);
    let lines = |parts: [&std::collections::BTreeSet<Change>; 3]| -> Vec<String> {
        parts.into_iter().flatten().map(line).collect()
    };
    let more = lines([&compared.more, &compared.usable, &compared.writable]);
    let less: Vec<String> = compared.less.iter().map(line).collect();
    (more, less)
}

#[track_caller]
fn assert_more(from: &str, to: &str, expected: &[&str]) {
    let (more, less) = more_and_less(from, to);
    for line in expected {
        assert!(
            more.iter().any(|found| found == line),
            "lacks {line}\n{more:#?}"
        );
    }
    assert_eq!(less, Vec::<String>::new(), "{more:#?}");
    // Backwards, all of it is less; what cannot be compared is more both ways.
    let back = compared(&changed(from, to), SAMPLE);
    assert!(!back.less.is_empty() && back.more.is_empty(), "{back:#?}");
}

#[test]
fn the_same_is_the_same() {
    assert!(compared(SAMPLE, SAMPLE).is_same());
}

#[test]
fn a_higher_level_is_more() {
    assert_more(
        "{ name: iban-last-digits, roles: [sales, support, finance]",
        "{ name: iban-last-digits, roles: [sales, support, finance, marketing]",
        &[
            "shown financial.iban [marketing, direct-marketing] redact -> mask",
            "shown financial.iban [marketing, direct-marketing, strong] redact -> mask",
        ],
    );
}

#[test]
fn a_cap_that_is_gone_or_exempts_somebody_is_more() {
    // Nobody is granted any of it.
    let exempt = changed(
        "data: [special, criminal], level: hide, firm: true",
        "data: [special, criminal], level: hide, unless_roles: dpo",
    );
    assert!(compared(SAMPLE, &exempt).is_same());
    let base = changed(
        "data: identity.national_id, level: redact, firm: true",
        "data: contact.phone, level: mask",
    );
    let exempt = base.replacen(
        "data: contact.phone, level: mask",
        "data: contact.phone, level: mask, unless_roles: sales",
        1,
    );
    let found = compared(&base, &exempt);
    let lines: Vec<String> = found.more.iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "shown contact.phone [sales, contract] mask -> clear",
            "shown contact.phone [sales, contract, strong] mask -> clear"
        ]
    );
    assert_eq!(found.writable.len(), 2);
}

#[test]
fn a_cap_of_one_role_that_held_another_down_shows_with_both() {
    let capped = changed(
        "data: identity.national_id, level: redact, firm: true",
        "data: contact.phone, level: redact, roles: support",
    );
    // Support sees no telephones of its own, so that only who has both roles gains by the cap's end.
    let old = capped.replacen(
        "{ name: no-special",
        "{ name: none-for-support, data: contact, level: redact, roles: dpo }\n  - { name: no-special",
        1,
    );
    let old = old.replacen(
        "roles: [sales, support, finance]\n",
        "roles: [sales, finance]\n",
        1,
    );
    let new = old.replacen(
        ", level: redact, roles: support }",
        ", level: clear, roles: support }",
        1,
    );
    assert_ne!(old, new);
    let found = compared(&old, &new);
    let lines: Vec<String> = found.more.iter().map(line).collect();
    assert!(
        lines.contains(
            &"shown contact.phone [finance+support, contract] redact -> clear".to_owned()
        ),
        "{lines:#?}"
    );
    assert!(
        lines.contains(&"shown contact.phone [sales+support, contract] redact -> clear".to_owned()),
        "{lines:#?}"
    );
    assert!(
        !lines.iter().any(|line| line.contains("[support,")),
        "{lines:#?}"
    );
}

#[test]
fn a_strength_that_is_not_needed_or_easier_to_prove_is_more() {
    assert_more(
        "data: [financial.iban, financial.bic], requires: { auth: strong }",
        "data: [financial.iban, financial.bic]",
        &["shown financial.iban [finance, payment] mask -> clear"],
    );
    assert_more(
        "strong: { acr: [phr, phrh], max_age: 15m }",
        "strong: { acr: [phr, phrh], max_age: 1h }",
        &[
            "shown financial.iban [finance, payment, acr phr at most 1h ago or acr phrh at most 1h ago] mask -> clear",
        ],
    );
    assert_more(
        "strong: { acr: [phr, phrh], max_age: 15m }",
        "strong: { acr: [phr, phrh, pwd], max_age: 15m }",
        &["shown financial.iban [finance, payment, acr pwd at most 15m ago] mask -> clear"],
    );
    assert_more(
        "strong: { acr: [phr, phrh], max_age: 15m }",
        "strong: { any: [{ acr: [phr, phrh], max_age: 15m }, { amr: otp }] }",
        &["shown financial.iban [finance, payment, amr otp] mask -> clear"],
    );
}

#[test]
fn a_mask_that_shows_more_or_something_else_is_more() {
    let old = changed(
        "data: identity.national_id, level: redact, firm: true",
        "data: contact.phone, level: mask",
    );
    let with = |mask: &str| {
        old.replacen(
            "contact.phone: { mask: { last: 2 } }",
            &format!("contact.phone:  {{ mask: {mask} }}"),
            1,
        )
        .replacen(
            "contact.phone:  { mask: { last: 2 } }",
            &format!("contact.phone:  {{ mask: {mask} }}"),
            1,
        )
    };
    for (mask, is_more, is_less) in [
        ("{ last: 4 }", true, false),
        ("{ last: 1 }", false, true),
        ("{ first: 2 }", true, false),
        ("{ constant: x }", false, true),
        ("{ last: 2 }", false, false),
    ] {
        let found = compared(&old, &with(mask));
        assert_eq!(
            (!found.more.is_empty(), !found.less.is_empty()),
            (is_more, is_less),
            "{mask} {found:#?}"
        );
    }
}

#[test]
fn other_evidence_of_a_role_is_more_where_others_have_it() {
    assert_more(
        "crm.role: \"Finance\"",
        "crm.role: [\"Finance\", \"Billing\"]",
        &["evidence [finance] crm.role \"Finance\" -> crm.role \"Billing\" or \"Finance\""],
    );
    let (more, less) = more_and_less("crm.role: \"Finance\"", "crm.role: \"Billing\"");
    assert!(
        more.contains(
            &"evidence [finance] crm.role \"Finance\" -> crm.role \"Billing\"".to_owned()
        ),
        "{more:#?} {less:#?}"
    );
    let (more, less) = more_and_less(
        "{ crm.role: \"Finance\" }",
        "{ crm.role: \"Finance\", crm.team: West }",
    );
    assert_eq!((more.len(), less.len()), (0, 1), "{more:#?} {less:#?}");
}

#[test]
fn who_loses_a_role_that_held_them_down_is_shown_more() {
    let old = changed(
        "data: identity.national_id, level: redact, firm: true",
        "data: contact.phone, level: redact, roles: support",
    );
    let new = old.replacen(
        "crm.role: \"Support\"",
        "crm.role: \"Support\", crm.team: West",
        1,
    );
    let found = compared(&old, &new);
    let lines: Vec<String> = found.more.iter().map(line).collect();
    assert!(
        lines.contains(&"shown contact.phone [sales+support (by its former evidence), contract] redact -> clear".to_owned())
            || lines.contains(&"shown contact.phone [sales+support (by its former evidence), contract] redact -> clear".to_owned()),
        "{lines:#?}"
    );
}

#[test]
fn a_purpose_that_a_role_may_ask_for_is_more() {
    assert_more(
        "payment:              { legal_basis: legal-obligation, roles: [finance] }",
        "payment:              { legal_basis: legal-obligation, roles: [finance, sales] }",
        &[
            "purpose [sales, payment] refused -> allowed",
            "shown identity.name [sales, payment] refused -> clear",
            "written identity.name [sales, payment] not written -> written",
        ],
    );
}

#[test]
fn another_default_purpose_is_more_where_it_shows_more() {
    let old = changed(
        "purposes: [contract, support, payment]",
        "purposes: [support, payment]",
    );
    let new = old.replacen(
        "[contract, support, payment, direct",
        "[support, contract, payment, direct",
        1,
    );
    let found = compared(&old, &new);
    let lines: Vec<String> = found.more.iter().map(line).collect();
    assert_eq!(
        lines,
        ["default-purpose [sales+support] contract -> support"]
    );
    assert!(found.less.is_empty(), "{:#?}", found.less);
}

#[test]
fn detectors_that_look_no_longer_are_more() {
    assert_more(
        "find: [iban, card, nir]",
        "find: [card, nir]",
        &[
            "in-text financial.iban (texts of free_text) [sales, contract] looked for -> shown as written",
            "written financial.iban (texts of free_text) [support, contract] new ones refused if possible -> new ones written",
        ],
    );
    assert_more(
        "find: [iban, card, nir]",
        "find: [iban, card, nir], uses: [shown, written]",
        &["matched free_text [sales, contract] not matched -> matched by words"],
    );
    let special = changed(
        "find: [iban, card, nir]",
        "find: special, languages: [fr, en]",
    );
    for (other, word) in [
        (
            "find: special, languages: fr",
            "looked for if likely, in en fr -> looked for if likely, in fr",
        ),
        (
            "find: special, languages: [fr, en], at_least: certain",
            "looked for if likely, in en fr -> looked for if certain, in en fr",
        ),
    ] {
        let found = compared(
            &special,
            &special.replacen("find: special, languages: [fr, en]", other, 1),
        );
        let lines: Vec<String> = found.more.iter().map(line).collect();
        let wanted =
            format!("in-text special.health (texts of free_text) [sales, contract] {word}");
        assert!(lines.contains(&wanted), "{lines:#?}");
        assert!(found.less.is_empty());
    }
}

#[test]
fn fields_that_are_classified_otherwise_are_told_by_name() {
    assert_more(
        "religion_c: special.belief",
        "religion_c: identity.name",
        &["shown identity.name Contacts.religion_c [sales, contract] hide -> clear"],
    );
    assert_more(
        "    birthdate: identity.birth_date\n",
        "    birthdate: identity.name\n",
        &["shown identity.name Contacts.birthdate [sales, contract] redact -> clear"],
    );
    // A new category is no difference until a field is in it.
    let category = changed(
        "contact.phone:  {",
        "contact.pager: {}\n  contact.phone:  {",
    );
    assert!(compared(SAMPLE, &category).is_same());
    let field = category.replacen(
        "    religion_c: special.belief\n",
        "    religion_c: contact.pager\n",
        1,
    );
    let lines: Vec<String> = compared(SAMPLE, &field).more.iter().map(line).collect();
    assert!(
        lines.contains(
            &"shown contact.pager Contacts.religion_c [sales, contract] hide -> clear".to_owned()
        ),
        "{lines:#?}"
    );
}

#[test]
fn instead_of_takes_a_category_away() {
    assert_more(
        "aerobic_offer_c: { category: commercial.figures, instead_of: financial.bic, reviewed: { by: dpo@example.com, on: 2026-11-02, why: fitness product flag } }",
        "aerobic_offer_c: { category: commercial.figures, instead_of: financial.bic, reviewed: { by: dpo@example.com, on: 2026-11-02, why: fitness product flag } }\n    my_iban_c: { category: commercial.figures, instead_of: financial.iban, reviewed: { by: dpo@example.com, on: 2026-11-02, why: x } }",
        &["shown commercial.figures Accounts.my_iban_c [sales, contract] mask -> clear"],
    );
}

#[test]
fn two_masks_that_become_one_show_what_neither_showed() {
    let old = changed(
        "{ name: no-national-id, data: identity.national_id, level: redact, firm: true }",
        "{ name: masked, data: [contact.phone, contact.email], level: mask }",
    )
    .replacen(
        "    email: contact.email",
        "    both_c: [contact.phone, contact.email]\n    email: contact.email",
        1,
    )
    .replacen(
        "contact.phone:  { mask: { last: 2 } }",
        "contact.phone:  { mask: { last: 4 } }\n  contact.email: { mask: { last: 2 } }",
        1,
    );
    let new = old.replacen("{ last: 4 }", "{ last: 2 }", 1);
    let found = compared(&old, &new);
    let lines: Vec<String> = found.more.iter().map(line).collect();
    assert!(
        lines.contains(&"shown Contacts.both_c [sales, contract] redact -> mask".to_owned()),
        "{lines:#?}"
    );
    assert!(
        lines.iter().all(|line| line.contains("both_c")),
        "{lines:#?}"
    );
}

#[test]
fn defaults_modules_and_searches_that_open_are_more() {
    let hidden = changed("unclassified: redact ", "unclassified: hide ");
    let lines: Vec<String> = compared(&hidden, SAMPLE).more.iter().map(line).collect();
    assert!(
        lines.contains(&"shown (unclassified) [sales, contract] hide -> redact".to_owned()),
        "{lines:#?}"
    );
    let hidden = changed("ungranted: redact ", "ungranted: hide ");
    let lines: Vec<String> = compared(&hidden, SAMPLE).more.iter().map(line).collect();
    assert!(
        lines.contains(
            &"shown financial.iban [marketing, direct-marketing] hide -> redact".to_owned()
        ),
        "{lines:#?}"
    );
    assert_more(
        "  Leads: {}\n",
        "  Leads: {}\n  Tasks: { name: identity.name }\n",
        &[
            "module Tasks [] refused -> passes",
            "shown identity.name Tasks.name [sales, contract] refused -> clear",
        ],
    );
    assert_more(
        "search:              ",
        "search:\n  Accounts: [name]",
        &["searched Accounts [sales, contract] not searched -> searched"],
    );
    let (more, _) = more_and_less(
        "Contacts: [first_name, last_name, email]\n",
        "Contacts: [first_name, last_name, email, birthdate]\n",
    );
    assert!(more.is_empty(), "{more:#?}");
    let wide = changed(
        "Contacts: [first_name, last_name, email]\n",
        "Contacts: [first_name, last_name, email, birthdate]\n",
    );
    let found = compared(&wide, SAMPLE);
    let lines: Vec<String> = found.usable.iter().map(line).collect();
    assert!(
        lines.contains(&"searched Contacts [sales, contract] not searched -> searched".to_owned()),
        "{lines:#?}"
    );
}

#[test]
fn wider_actions_and_machine_purposes_are_more() {
    let machine = "  erp: { from: { key: erp }, kind: machine, purposes: payment, actions: { Contacts: [list] } }\nauth:";
    let base = changed("\nauth:", &format!("\n{machine}"))
        .replacen(
            "legal-obligation, roles: [finance] }",
            "legal-obligation, roles: [finance, erp] }",
            1,
        )
        .replacen(
            "legal_basis: contract, roles: [support] }",
            "legal_basis: contract, roles: [support, erp] }",
            1,
        );
    let lines = |new: &str| -> Vec<String> { compared(&base, new).more.iter().map(line).collect() };
    let wider = base.replacen(
        "Contacts: [list] }",
        "Contacts: [list, read], Leads: list }",
        1,
    );
    assert_eq!(
        lines(&wider),
        [
            "actions Contacts [erp] list -> list, read",
            "actions Leads [erp] nothing -> list"
        ]
    );
    let purposes = base.replacen(
        "purposes: payment, actions",
        "purposes: [payment, support], actions",
        1,
    );
    let found = lines(&purposes);
    assert!(
        found.contains(&"purpose [erp, support] refused -> allowed".to_owned()),
        "{found:#?}"
    );
}

#[test]
fn what_may_be_written_is_told_for_itself() {
    let aloud = changed(
        "commercial, free_text]\n    level: clear",
        "commercial, free_text]\n    level: clear\n    write: allow",
    );
    assert!(compared(SAMPLE, &aloud).is_same());
    let denied = changed(
        "commercial, free_text]\n    level: clear",
        "commercial, free_text]\n    level: clear\n    write: deny",
    );
    let found = compared(&denied, SAMPLE);
    assert!(
        found.more.is_empty() && found.usable.is_empty(),
        "{found:#?}"
    );
    let lines: Vec<String> = found.writable.iter().map(line).collect();
    assert!(
        lines
            .contains(&"written contact.phone [sales, contract] not written -> written".to_owned()),
        "{lines:#?}"
    );
    let none = changed(", level: mask, write: allow", ", level: mask");
    let lines: Vec<String> = compared(&none, SAMPLE).writable.iter().map(line).collect();
    assert!(lines.contains(&"written financial.iban [sales, contract] not written -> written if it is a valid iban".to_owned()), "{lines:#?}");
}

#[test]
fn rules_of_both_sides_are_told_with_their_places() {
    let found = compared(
        SAMPLE,
        &changed(
            "data: [financial.iban, financial.bic], requires: { auth: strong }",
            "data: [financial.iban, financial.bic]",
        ),
    );
    let change = found.more.iter().next().unwrap();
    let [old, new] = &change.by;
    assert!(
        old[0].starts_with("grant iban-last-digits (policies/p0.yaml:"),
        "{old:?}"
    );
    assert!(
        new[0].starts_with("grant iban-for-payment (policies/p0.yaml:"),
        "{new:?}"
    );
}
