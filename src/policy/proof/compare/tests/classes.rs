//! What is classified otherwise: by patterns, and through copies.

use super::{changed, compared, line};
use crate::policy::testing::{SAMPLE, compile};

#[test]
fn a_pattern_that_is_gone_shows_what_another_one_catches() {
    let old = changed(
        "    \"*iban*\": financial.iban",
        "    \"*_c\": commercial.source\n    \"*iban*\": financial.iban",
    );
    let new = old.replacen(
        "    \"*iban*\": financial.iban",
        "    \"zzz\": financial.iban",
        1,
    );
    let found = compared(&old, &new);
    let lines: Vec<String> = found.more.iter().map(line).collect();
    let wanted = "shown commercial.source Contacts.*iban*&*_c [sales, contract] mask -> clear";
    assert!(lines.iter().any(|line| line == wanted), "{lines:#?}");
}

#[test]
fn two_patterns_that_change_at_once_are_looked_at_together() {
    let old = changed(
        "    \"*iban*\": financial.iban",
        "    \"*_c\": commercial.source\n    \"*iban*\": financial.iban",
    );
    let new = old.replacen(
        "    \"*_c\": commercial.source\n    \"*iban*\": financial.iban",
        "    \"*_c\": commercial.figures\n    \"zzz\": financial.iban",
        1,
    );
    let found = compared(&old, &new);
    let lines: Vec<String> = found.more.iter().map(line).collect();
    let wanted = "shown commercial.figures Contacts.*_c&*iban* [sales, contract] mask -> clear";
    assert!(lines.iter().any(|line| line == wanted), "{lines:#?}");
}

#[test]
fn a_pattern_is_told_though_its_plainest_name_is_classified() {
    let birth = "    birthdate: identity.birth_date";
    let old = changed(birth, &format!("{birth}\n    note: commercial.source"));
    let new = old.replacen(
        birth,
        &format!("{birth}\n    \"*note*\": commercial.source"),
        1,
    );
    let found = compared(&old, &new);
    let lines: Vec<String> = found.more.iter().map(line).collect();
    let wanted = "shown commercial.source Contacts.*note* [sales, contract]";
    assert!(
        lines.iter().any(|line| line.starts_with(wanted)),
        "{lines:#?}"
    );
}

#[test]
fn copies_are_those_of_the_schema_that_is_asked_for() {
    let stock = include_str!("../../../testing/stock.yaml")
        .replacen(
            "  copies:\n",
            "  copies:\n    mirror: Contacts.birthdate\n",
            1,
        )
        .replacen("fields: [first_name,", "fields: [mirror, first_name,", 1);
    let stock = crate::dialect::Stock::of_text("other", &stock);
    let schema = crate::dialect::Schema::of_stock(std::sync::Arc::new(stock));
    let new = changed("birthdate: identity.birth_date", "birthdate: identity.name");
    let found = compile(&[SAMPLE]).compared(&compile(&[&new]), &schema);
    let lines: Vec<String> = found.more.iter().map(line).collect();
    assert!(
        lines
            .iter()
            .any(|line| line.contains(" Contacts.mirror [sales, contract]")),
        "{lines:#?}"
    );
}
