//! The document says what the code does.

use super::super::method::METHODS;
use super::{SESSION, one, rendered};
use crate::reason::Reason;

const TEXT: &str = include_str!("../../../../docs/dialects/sugar-v4.md");

/// The cells of the rows of tables whose first cell begins so.
fn rows(begins: &str) -> Vec<Vec<&'static str>> {
    TEXT.lines()
        .filter(|line| line.starts_with(&format!("| {begins}")))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect()
}

#[test]
fn every_method_has_its_row_and_every_row_its_method() {
    let told: Vec<(&str, &str)> = rows("`")
        .into_iter()
        .filter(|cells| cells.len() == 4)
        .map(|cells| (cells[0].trim_matches('`'), cells[1]))
        .collect();
    let known: Vec<(&str, &str)> = METHODS
        .iter()
        .map(|method| (method.name, method.action.as_str()))
        .collect();
    let sorted = |mut list: Vec<(&'static str, &'static str)>| {
        list.sort_unstable();
        list
    };
    assert_eq!(sorted(told), sorted(known));
}

#[test]
fn every_reason_that_is_named_exists() {
    let section = TEXT.split("## What is refused, and why").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let mut named = 0;
    for line in section.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").collect();
        for code in cells[1].split('`').skip(1).step_by(2) {
            let exists = Reason::ALL.iter().any(|reason| reason.code() == code);
            assert!(exists, "{code}");
            named += 1;
        }
    }
    assert!(named > 15, "the table was not read");
}

#[test]
fn the_example_of_a_sub_select_is_understood_as_it_is_written() {
    let select = TEXT.split("```sql\n").nth(1).unwrap();
    let select = select.split("```").next().unwrap();
    let select: Vec<&str> = select.split_whitespace().collect();
    let query = format!("contacts.id IN ({})", select.join(" "));
    let count = one(
        "get_entries_count",
        &serde_json::json!([SESSION, "Contacts", query]),
    );
    // "jane%", in the spelling that nobody but the database reads.
    let sent = query.replace("'jane%'", "_utf8mb4 0x6a616e6525");
    assert_ne!(sent, query);
    assert_eq!(rendered(&count.unwrap())[2], sent);
}
