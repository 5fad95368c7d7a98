//! What a level depends on, and which records are there: below the table, by numbers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::words::Words;
use super::{Cell, Filled, Matrix, csv_line};
use crate::policy::{Shade, is_whole};

/// Shades in words; nothing, if there is but one.
pub(super) fn told(shades: &[Shade], words: &Words, is_french: bool) -> Option<String> {
    let (least, above) = shades.split_last()?;
    if above.is_empty() {
        return None;
    }
    let one = |shade: &Shade| {
        let when: Vec<String> = shade.when.iter().map(|one| one.words(is_french)).collect();
        format!("{} {}", words.level(shade.level), when.join(", "))
    };
    let mut told: Vec<String> = above.iter().map(one).collect();
    let otherwise = match (is_whole(above), is_french) {
        (true, _) => words.otherwise,
        (false, false) => "elsewhere at least",
        (false, true) => "ailleurs au moins",
    };
    told.push(format!("{otherwise} {}", words.level(least.level)));
    Some(told.join("; "))
}

/// Shades for scripts.
pub(super) fn shades_json(shades: &[Shade]) -> Value {
    let one = |shade: &Shade| {
        let when: Vec<String> = shade.when.iter().map(ToString::to_string).collect();
        json!({ "level": shade.level, "when": when })
    };
    shades.iter().map(one).collect()
}

/// Which records are there, an entry a module and rule.
pub(super) fn kept_json(column: &Filled) -> impl Iterator<Item = Value> {
    column.kept.iter().map(|kept| {
        json!({
            "role": column.role,
            "purpose": column.purpose,
            "strength": column.strength,
            "records": kept.module,
            "keep_when": kept.when,
            "by": [kept.by],
        })
    })
}

/// The same as lines of CSV.
pub(super) fn kept_lines(column: &Filled) -> impl Iterator<Item = String> {
    column.kept.iter().map(|kept| {
        let records = format!("(records of {})", kept.module);
        let strength = column.strength.as_deref().unwrap_or_default();
        let (role, purpose) = (column.role.as_str(), column.purpose.as_str());
        let by = kept.by.as_str();
        csv_line(&[
            role, purpose, strength, &records, "", "", "", "", by, &kept.when,
        ])
    })
}

impl Matrix {
    /// A cell as it stands in a table: its level, or two ends and the number of its note.
    pub(super) fn cell(&self, cell: &Cell) -> String {
        let level = self.words.level(cell.level);
        let note = told(&cell.shades, self.words, self.is_french);
        let number = note.and_then(|note| self.numbers().get(&note).copied());
        match (number, cell.shades.last()) {
            (Some(number), Some(least)) => {
                format!("{} … {level} ({number})", self.words.level(least.level))
            }
            _ => level.to_owned(),
        }
    }

    /// The notes of cells, by their numbers; then those about records.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut numbered: Vec<(usize, String)> = self
            .numbers()
            .into_iter()
            .map(|(note, number)| (number, note))
            .collect();
        numbered.sort();
        let notes = numbered
            .iter()
            .map(|(number, note)| format!("({number}) {note}"));
        notes.chain(self.records()).collect()
    }

    fn numbers(&self) -> BTreeMap<String, usize> {
        let cells = self.columns.iter().flat_map(|column| &column.cells);
        let notes = cells.filter_map(|cell| told(&cell.shades, self.words, self.is_french));
        let notes: BTreeSet<String> = notes.collect();
        notes.into_iter().zip(1..).collect()
    }

    /// Which records are there to whom, those of the same rule together.
    fn records(&self) -> Vec<String> {
        let mut by_rule: BTreeMap<(String, String, String), BTreeSet<String>> = BTreeMap::new();
        for column in &self.columns {
            for kept in &column.kept {
                let rule = (
                    kept.module.to_string(),
                    kept.when.clone(),
                    kept.by.to_string(),
                );
                let who = format!("{} / {}", column.role, column.purpose);
                by_rule.entry(rule).or_default().insert(who);
            }
        }
        let one = |((module, when, by), who): ((String, String, String), BTreeSet<String>)| {
            let who: Vec<String> = who.into_iter().collect();
            format!(
                "{module}: {} {when} ({by}): {}",
                self.words.records,
                who.join(", ")
            )
        };
        by_rule.into_iter().map(one).collect()
    }
}
