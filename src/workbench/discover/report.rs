//! What was found, field by field, for people and for scripts.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Found;
use super::counts::{FieldCounts, all_fields};
use super::suggest::{Known, Verdict, judge};
use crate::dialect::survey::Sort;
use crate::dialect::{Origin, Schema};
use crate::policy::{Classified, Policy};
use crate::vocabulary::{Field, FieldPath, Module};

/// Percent from which on a look is told.
const SHARE_MIN: f64 = 0.1;
/// Looks of one field that are told.
const LOOKS_TOLD: usize = 3;

/// A field.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Its module.
    pub module: Module,
    /// Its name, as the CRM writes it.
    pub field: String,
    /// Records that have it.
    pub seen: u64,
    /// Records in which it is not blank.
    pub filled: u64,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// What its values look like.
    pub looks_like: String,
    /// What the policy says.
    pub policy: String,
    /// What it most likely is, or what else should be done about it; `None`: nothing, or nobody can tell.
    pub suggestion: Option<String>,
    /// The same for programs.
    #[serde(skip)]
    pub verdict: Verdict,
    /// Whether the CRM itself has marked it as personal.
    #[serde(skip)]
    pub is_marked: bool,
}

/// The fields of all modules that were looked at.
pub fn report(found: &Found, policy: &Policy, schema: &Schema) -> Vec<Row> {
    let modules = found.catalogue.modules.iter();
    modules
        .flat_map(|module| rows(found, policy, schema, module))
        .collect()
}

fn rows(found: &Found, policy: &Policy, schema: &Schema, module: &Module) -> Vec<Row> {
    let read = found.state.modules.get(module.as_str());
    let told = found.catalogue.said.get(module);
    let fields = told.into_iter().flat_map(|told| told.fields.keys());
    let names = all_fields(module, read, fields.cloned(), schema);
    let row = |(field, name): (Field, String)| {
        let origin = schema.origin(module, field.as_str());
        let kind = told.and_then(|told| told.fields.get(&field)?.kind.clone());
        let counted = read.and_then(|read| read.tally.fields.get(&name));
        let classified = policy.classified(module, &field);
        let verdict = judge(Known {
            name: &name,
            counts: counted,
            sort: kind.as_deref().and_then(Sort::of),
            origin: &origin,
            classified: &classified,
        });
        let is_link = matches!(
            origin,
            Origin::Related(_) | Origin::UnknownRelated | Origin::Structural(_)
        );
        let is_marked = found.catalogue.marked.contains(&FieldPath {
            module: module.clone(),
            field,
        });
        (!is_link).then(|| Row {
            module: module.clone(),
            seen: counted.map_or(0, |counts| counts.seen),
            filled: counted.map_or(0, |counts| counts.filled),
            kind: kind.unwrap_or_else(|| counted.map_or("", json_type).to_owned()),
            looks_like: counted.map_or_else(String::new, looks_like),
            policy: says(&classified, &origin),
            suggestion: suggestion(&verdict),
            verdict,
            is_marked,
            field: name,
        })
    };
    names.into_iter().filter_map(row).collect()
}

/// What JSON tells of the type, where the CRM says nothing.
fn json_type(counts: &FieldCounts) -> &'static str {
    use super::looks::Look;
    match counts.mostly() {
        _ if counts.lists > 0 => "list",
        Some((Look::Flag, _)) => "boolean",
        Some((Look::Number, _)) => "number",
        Some(_) => "text",
        None => "",
    }
}

fn looks_like(counts: &FieldCounts) -> String {
    if counts.filled == 0 {
        return "nothing".to_owned();
    }
    let percent = |count: u64, of: u64| {
        #[expect(clippy::cast_precision_loss, reason = "a share for people")]
        let share = count as f64 * 100.0 / (of.max(1)) as f64;
        share
    };
    let mut looks: Vec<_> = counts.looks.iter().collect();
    looks.sort_by_key(|(look, count)| (std::cmp::Reverse(**count), **look));
    let told = looks.into_iter().take(LOOKS_TOLD).map(|(look, count)| {
        let share = percent(*count, counts.looked());
        let proof = if look.has_checksum() {
            " (checksum)"
        } else {
            ""
        };
        match share >= 99.95 {
            true => format!("{}{proof}", look.text()),
            false => format!("{} {}{proof}", look.text(), in_percent(share)),
        }
    });
    let mut holds: Vec<_> = counts.holds.iter().collect();
    holds.sort_by_key(|(category, count)| (std::cmp::Reverse(**count), (*category).clone()));
    let rest = holds.len().saturating_sub(LOOKS_TOLD);
    let holds = holds.into_iter().take(LOOKS_TOLD).map(|(category, count)| {
        let share = percent(*count, counts.filled);
        format!("{category} in {}", in_percent(share))
    });
    let more = (rest > 0).then(|| format!("{rest} more (`paravent scan`)"));
    told.chain(holds).chain(more).collect::<Vec<_>>().join(", ")
}

/// A share, never less than what is there.
fn in_percent(share: f64) -> String {
    match share {
        share if share < SHARE_MIN => format!("under {SHARE_MIN} %"),
        share if share < 10.0 => format!("{share:.1} %"),
        share => format!("{share:.0} %"),
    }
}

fn says(classified: &Classified, origin: &Origin) -> String {
    let categories: Vec<&str> = classified
        .categories
        .iter()
        .map(|one| one.as_str())
        .collect();
    match origin {
        Origin::Secret => "secret".to_owned(),
        _ if !classified.is_known => "module not known".to_owned(),
        _ if classified.is_open => "unclassified".to_owned(),
        Origin::Copy { .. } | Origin::CopyItems { .. } | Origin::CopyOfParent { .. }
            if categories.is_empty() =>
        {
            "as what it copies".to_owned()
        }
        _ => categories.join(", "),
    }
}

fn suggestion(verdict: &Verdict) -> Option<String> {
    match verdict {
        Verdict::Suggest(categories) => {
            let categories: Vec<&str> = categories.iter().map(String::as_str).collect();
            Some(categories.join(", "))
        }
        Verdict::Holds(category) => Some(format!("also {category}?")),
        Verdict::FalseCatch(category) => Some(format!("not {category}?")),
        Verdict::Ok | Verdict::Open | Verdict::Settled => None,
    }
}

/// The fields that a policy knows and that nobody can tell what they are.
pub fn open(rows: &[Row]) -> BTreeSet<(Module, String)> {
    let open = rows.iter().filter(|row| row.verdict == Verdict::Open);
    open.map(|row| (row.module.clone(), row.field.clone()))
        .collect()
}
