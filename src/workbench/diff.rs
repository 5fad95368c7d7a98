//! What differs between two policies, in lines that people read and accept.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::policy::{Aspect, Change, Compared};

pub mod revision;

/// A difference as it is printed: the same of several roles, purposes and strengths, of several categories or fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Of what.
    pub what: String,
    /// To whom, for which purpose, with which strength.
    pub who: String,
    /// What was, and what is.
    pub change: String,
    /// The rules of both policies.
    pub by: [BTreeSet<String>; 2],
}

/// The lines of all parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// What is shown more.
    pub more: Vec<Line>,
    /// What can be matched, sorted and searched by.
    pub usable: Vec<Line>,
    /// What can be written.
    pub writable: Vec<Line>,
    /// What is shown, used or written less.
    pub less: Vec<Line>,
}

/// Lines that were said to be meant, and are not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no line grows disclosure that reads `{0}`: write it as it is printed, without its rules")]
pub struct Unmatched(pub String);

impl Lines {
    /// Puts differences into lines.
    pub fn of(compared: &Compared) -> Self {
        Self {
            more: lines(&compared.more),
            usable: lines(&compared.usable),
            writable: lines(&compared.writable),
            less: lines(&compared.less),
        }
    }

    /// The lines by which disclosure grows.
    pub fn growing(&self) -> impl Iterator<Item = &Line> {
        self.more.iter().chain(&self.usable).chain(&self.writable)
    }

    /// How many lines grow disclosure that nobody has accepted.
    ///
    /// # Errors
    /// If something was accepted that is no such line.
    pub fn unaccepted(&self, accepted: &[String]) -> Result<usize, Unmatched> {
        let accepted: Vec<(String, &String)> =
            accepted.iter().map(|text| (plain(text), text)).collect();
        let texts: BTreeSet<String> = self.growing().map(|line| plain(&line.text())).collect();
        if let Some((_, text)) = accepted.iter().find(|(plain, _)| !texts.contains(plain)) {
            return Err(Unmatched((*text).clone()));
        }
        let is_accepted = |line: &&String| accepted.iter().any(|(plain, _)| plain == *line);
        Ok(texts.iter().filter(|line| !is_accepted(line)).count())
    }

    /// All of it, for people. `accepted` lines are marked.
    pub fn render(&self, accepted: &[String]) -> String {
        let accepted: BTreeSet<String> = accepted.iter().map(|text| plain(text)).collect();
        let mut text = String::new();
        for (title, lines) in [
            ("MORE is shown", &self.more),
            ("MORE can be matched, sorted or searched", &self.usable),
            ("MORE can be written", &self.writable),
            ("LESS is shown, used or written", &self.less),
        ] {
            if lines.is_empty() {
                continue;
            }
            let _ = writeln!(text, "{title}");
            let width = |of: fn(&Line) -> &str, most: usize| {
                let widths = lines.iter().map(|line| of(line).chars().count());
                widths.filter(|width| *width <= most).max().unwrap_or(0)
            };
            let (what, who) = (width(|line| &line.what, 40), width(|line| &line.who, 60));
            for line in lines {
                let mark = match accepted.contains(&plain(&line.text())) {
                    true => "  (accepted)",
                    false => "",
                };
                let _ = writeln!(
                    text,
                    "  {:what$}  {:who$}  {}{mark}",
                    line.what, line.who, line.change
                );
                for (side, by) in ["old", "new"].iter().zip(&line.by) {
                    if !by.is_empty() {
                        let by: Vec<&str> = by.iter().map(String::as_str).collect();
                        let _ = writeln!(text, "      {side}: {}", by.join(", "));
                    }
                }
            }
        }
        text
    }
}

impl Line {
    /// It, without its rules.
    pub fn text(&self) -> String {
        format!("{}  {}  {}", self.what, self.who, self.change)
    }
}

/// A text with single blanks.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// All differences, one by one, for scripts.
pub fn to_json(compared: &Compared) -> Value {
    json!({
        "more": entries(&compared.more),
        "less": entries(&compared.less),
        "usable": entries(&compared.usable),
        "writable": entries(&compared.writable),
    })
}

fn entries(changes: &BTreeSet<Change>) -> Vec<Value> {
    let entry = |change: &Change| {
        let roles = (!change.roles.is_empty()).then(|| change.roles.join("+"));
        let [old, new] = &change.by;
        json!({
            "what": change.aspect.as_str(),
            "role": roles,
            "purpose": change.purpose,
            "strength": change.strength,
            "category": change.category,
            "field": change.field,
            "old": change.old,
            "new": change.new,
            "when": change.when.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "by": { "old": old, "new": new },
        })
    };
    changes.iter().map(entry).collect()
}

/// What is the same of all changes of a line, but for what they are about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Same {
    aspect: Aspect,
    who: String,
    change: String,
}

fn lines(changes: &BTreeSet<Change>) -> Vec<Line> {
    // Of each thing and change first all to whom it happens,
    let mut happens: BTreeMap<(String, Aspect, String), Vec<&Change>> = BTreeMap::new();
    for change in changes {
        let when: String = change.when.iter().map(|when| format!(", {when}")).collect();
        let text = format!("{} -> {}{when}", change.old, change.new);
        happens
            .entry((what(change), change.aspect, text))
            .or_default()
            .push(change);
    }
    // then everything that happens to the same.
    let mut together: BTreeMap<Same, (Vec<String>, [BTreeSet<String>; 2])> = BTreeMap::new();
    for ((what, aspect, change), all) in happens {
        for (who, of_them) in everyone(&all) {
            let same = Same {
                aspect,
                who,
                change: change.clone(),
            };
            let (whats, by) = together.entry(same).or_default();
            whats.push(what.clone());
            for change in of_them {
                for (rules, own) in by.iter_mut().zip(&change.by) {
                    rules.extend(own.iter().cloned());
                }
            }
        }
    }
    let mut lines: Vec<(Aspect, Line)> = together
        .into_iter()
        .map(|(same, (whats, by))| {
            let line = Line {
                what: whats.join(", "),
                who: same.who,
                change: same.change,
                by,
            };
            (same.aspect, line)
        })
        .collect();
    lines.sort_by(|(one_aspect, one), (other_aspect, other)| {
        let key = |aspect: &Aspect, line: &Line| (*aspect, line.what.clone(), line.who.clone());
        key(one_aspect, one).cmp(&key(other_aspect, other))
    });
    lines.into_iter().map(|(_, line)| line).collect()
}

/// What a difference is about.
fn what(change: &Change) -> String {
    let of = |word: &str| match &change.field {
        Some(field) => format!("{word} {field}"),
        None => word.to_owned(),
    };
    match (change.aspect, &change.category, &change.field) {
        (Aspect::Evidence, ..) => "evidence".to_owned(),
        (Aspect::Purpose, ..) => "purpose".to_owned(),
        (Aspect::Default, ..) => "default purpose".to_owned(),
        (Aspect::Actions, ..) => of("actions"),
        (Aspect::Module, ..) => of("module"),
        (Aspect::Rows, ..) => of("records of"),
        (Aspect::Limits, ..) => of("limit"),
        (Aspect::Searched, ..) => of("search"),
        (_, Some(category), Some(field)) if field.starts_with('(') => format!("{category} {field}"),
        (Aspect::InText, Some(category), Some(field)) => format!("{category} in {field}"),
        (_, _, Some(field)) => field.clone(),
        (_, Some(category), None) => category.to_string(),
        (_, None, None) => "(everything)".to_owned(),
    }
}

/// Roles, purposes and strengths, those with the same together: `sales/support, contract/payment, without strong`.
fn everyone<'c>(changes: &[&'c Change]) -> Vec<(String, Vec<&'c Change>)> {
    let mut by_roles: BTreeMap<String, BTreeMap<Option<String>, Vec<&'c Change>>> = BTreeMap::new();
    for change in changes {
        let purpose = change.purpose.as_ref().map(ToString::to_string);
        let purposes = by_roles.entry(change.roles.join("+")).or_default();
        purposes.entry(purpose).or_default().push(change);
    }
    // By what they have in common: purposes with what is proved.
    type Terms = Vec<(Vec<String>, String)>;
    let mut by_terms: BTreeMap<Terms, (Vec<String>, Vec<&'c Change>)> = BTreeMap::new();
    for (roles, purposes) in by_roles {
        let mut by_strength: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut all = Vec::new();
        for (purpose, changes) in purposes {
            let purposes = by_strength.entry(strength(&changes)).or_default();
            purposes.extend(purpose);
            all.extend(changes);
        }
        let terms: Terms = by_strength
            .into_iter()
            .map(|(strength, purposes)| (purposes, strength))
            .collect();
        let (group, of_group) = by_terms.entry(terms).or_default();
        group.push(roles);
        of_group.extend(all);
    }
    let mut everyone = Vec::new();
    for (terms, (roles, changes)) in by_terms {
        for (purposes, strength_of) in &terms {
            let is_one = |change: &&&Change| {
                let purpose = change.purpose.as_ref().map(ToString::to_string);
                purpose.is_none_or(|purpose| purposes.contains(&purpose))
            };
            let of_line = changes.iter().filter(is_one).copied().collect();
            everyone.push((who(&roles, purposes, strength_of), of_line));
        }
    }
    everyone
}

fn who(roles: &[String], purposes: &[String], strength: &str) -> String {
    let roles = roles.join("/");
    let roles = if roles.is_empty() {
        "everybody"
    } else {
        &roles
    };
    let parts = [roles.to_owned(), purposes.join("/"), strength.to_owned()];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(", ")
}

/// What is proved in the states of some changes of one role and purpose; blank where it does not matter.
fn strength(changes: &[&Change]) -> String {
    let proved: BTreeSet<&String> = changes
        .iter()
        .filter_map(|change| change.strength.as_ref())
        .collect();
    let provable: BTreeSet<&String> = changes.iter().flat_map(|change| &change.provable).collect();
    let has_plain = changes.iter().any(|change| change.strength.is_none());
    let listed = |names: Vec<&&String>| {
        let names: Vec<&str> = names.into_iter().map(|name| name.as_str()).collect();
        names.join(" or ")
    };
    let lacking: Vec<&&String> = provable.difference(&proved).collect();
    match (has_plain, lacking.is_empty()) {
        (true, true) => String::new(),
        (true, false) => format!("without {}", listed(lacking)),
        (false, _) => format!("with {}", listed(proved.iter().collect())),
    }
}

#[cfg(test)]
mod tests;
