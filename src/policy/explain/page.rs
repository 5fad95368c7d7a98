//! An explanation as a page of text, and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::Explanation;
use crate::vocabulary::{Category, Role};

impl Explanation {
    /// One page of text.
    pub fn render(&self) -> String {
        let mut out = String::new();
        let roles: Vec<&str> = self.roles.iter().map(Role::as_str).collect();
        let proved: Vec<&str> = self.strengths.iter().map(String::as_str).collect();
        let session = match proved.as_slice() {
            [] => "CRM session".to_owned(),
            proved => format!("{} authentication", proved.join(" and ")),
        };
        let _ = writeln!(
            out,
            "{}, for \"{}\" ({}), {session} — policy {} {}",
            roles.join(", "),
            self.label.as_deref().unwrap_or(self.purpose.as_str()),
            self.basis.replace('-', " "),
            self.policy,
            short(&self.hash),
        );
        for role in &self.not_counted {
            let _ = writeln!(out, "{role} does not count: it may not invoke this purpose");
        }
        for kept in &self.records {
            let _ = writeln!(
                out,
                "records of {}: only with {} ({})",
                kept.module, kept.when, kept.by
            );
        }
        for exception in &self.exceptions {
            let _ = writeln!(out, "{exception}");
        }
        out.push('\n');
        let head = [
            "FIELD", "CATEGORY", "SHOWN", "MATCHED", "WRITTEN", "BECAUSE",
        ];
        let mut lines: Vec<[String; 6]> = vec![head.map(str::to_owned)];
        for row in &self.rows {
            let mut because = row.because.iter().cloned();
            lines.push([
                row.field.clone(),
                categories(&row.categories),
                row.level.to_string(),
                row.usable.as_str().to_owned(),
                match row.writable {
                    "yes" | "no" => row.writable.to_owned(),
                    kind => format!("valid {kind}"),
                },
                because.next().unwrap_or_default(),
            ]);
            let blank = || <[String; 5]>::default();
            lines.extend(because.map(|more| {
                let [a, b, c, d, e] = blank();
                [a, b, c, d, e, more]
            }));
        }
        let mut widths = [0; 6];
        for line in &lines {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = cell.len().max(*width);
            }
        }
        for line in &lines {
            let cells = line.iter().zip(widths);
            let cells: Vec<String> = cells
                .map(|(cell, width)| format!("{cell:width$}"))
                .collect();
            out.push_str(cells.join("  ").trim_end());
            out.push('\n');
        }
        out
    }

    /// The same as JSON.
    pub fn to_json(&self) -> Value {
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                json!({
                    "field": row.field,
                    "pattern": row.pattern,
                    "categories": row.categories,
                    "level": row.level,
                    "because": row.because,
                    "by": row.by,
                    "usable": row.usable.as_str(),
                    "writable": row.writable,
                })
            })
            .collect();
        json!({
            "policy": self.policy,
            "hash": self.hash,
            "roles": self.roles,
            "not_counted": self.not_counted,
            "purpose": self.purpose,
            "label": self.label,
            "legal_basis": self.basis,
            "strengths": self.strengths,
            "module": self.module,
            "at": self.at.to_string(),
            "records": self.records.iter().map(|kept| json!({ "by": kept.by, "keep_when": kept.when })).collect::<Vec<_>>(),
            "exceptions": self.exceptions,
            "fields": rows,
        })
    }
}

fn categories(categories: &[Category]) -> String {
    if categories.is_empty() {
        return "(unclassified)".to_owned();
    }
    let names: Vec<&str> = categories.iter().map(Category::as_str).collect();
    names.join(", ")
}

/// `sha256:5d41…c2`
fn short(hash: &str) -> String {
    match (hash.get(..11), hash.get(hash.len().saturating_sub(2)..)) {
        (Some(head), Some(tail)) if hash.len() > 13 => format!("{head}…{tail}"),
        _ => hash.to_owned(),
    }
}
