//! What a caller with two roles gets who states no purpose: `check` shows it for every two roles.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use serde::Serialize;

use crate::config::Way;
use crate::vocabulary::{Category, Level, Purpose, Role};

use super::decide::{counted, purpose};
use super::engine::Situation;
use super::judge::{Core, View};

/// Two roles of one caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pair {
    /// The roles.
    pub roles: [String; 2],
    /// The purpose of a request that states none; `None` if such a request is refused.
    pub purpose: Option<String>,
    /// `default` or `order`.
    pub chosen_by: Option<&'static str>,
    /// Those of the two that may invoke the purpose: only they count.
    pub counted: Vec<String>,
    /// What the caller is shown beyond what each role alone shows, in the order of the roles.
    pub gains: [Vec<Gain>; 2],
}

/// A category of which more is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gain {
    /// The category.
    pub category: String,
    /// How much is shown of it by the one role alone.
    pub from: Level,
    /// How much with the other one.
    pub to: Level,
}

/// Every two roles that one caller can have, in the order of their names.
pub(super) fn pairs(core: &Arc<Core>) -> Vec<Pair> {
    let roles: Vec<&Role> = core.model.roles.keys().collect();
    let alone: Vec<View> = roles.iter().map(|role| view(core, &[role])).collect();
    let mut pairs = Vec::new();
    for (at, (one, one_alone)) in roles.iter().zip(&alone).enumerate() {
        let others = roles.iter().zip(&alone).skip(at + 1);
        for (other, other_alone) in others.filter(|(other, _)| can_meet(core, one, other)) {
            pairs.push(pair(core, [(one, one_alone), (other, other_alone)]));
        }
    }
    pairs
}

/// Whether somebody can have both: a caller comes by one way.
fn can_meet(core: &Core, one: &Role, other: &Role) -> bool {
    let ways = |role| -> BTreeSet<Way> {
        let role = core.model.roles.get(role);
        let evidence = role.into_iter().flat_map(|role| &role.from);
        evidence.map(|(kind, _)| kind.way()).collect()
    };
    let (one, other) = (ways(one), ways(other));
    one.is_empty() || other.is_empty() || !one.is_disjoint(&other)
}

fn pair(core: &Arc<Core>, both: [(&Role, &View); 2]) -> Pair {
    let roles = both.map(|(role, _)| role);
    let together = view(core, &roles);
    let held = roles.map(Role::clone);
    let chosen = purpose(&core.model, &held, None).ok();
    Pair {
        roles: roles.map(ToString::to_string),
        purpose: chosen.as_ref().map(|chosen| chosen.purpose.to_string()),
        chosen_by: chosen.as_ref().map(|chosen| chosen.chosen_by),
        counted: together
            .situation
            .roles
            .iter()
            .map(ToString::to_string)
            .collect(),
        gains: both.map(|(_, alone)| gains(core, alone, &together)),
    }
}

/// What is shown to somebody who has these roles and states no purpose; nothing where such a request is refused.
fn view(core: &Arc<Core>, roles: &[&Role]) -> View {
    let held: Vec<Role> = roles.iter().map(|role| (*role).clone()).collect();
    let purpose: Option<Purpose> = purpose(&core.model, &held, None)
        .ok()
        .map(|chosen| chosen.purpose);
    let situation = Situation {
        roles: purpose
            .as_ref()
            .map(|purpose| counted(&core.model, &held, purpose))
            .unwrap_or_default(),
        purpose,
        facts: core.model.of_most_records(),
        ..Situation::default()
    };
    View::new(core.clone(), situation)
}

fn gains(core: &Core, alone: &View, together: &View) -> Vec<Gain> {
    let gain = |category: &Category| {
        let (from, to) = (
            alone.verdict(category).level,
            together.verdict(category).level,
        );
        (to > from).then(|| Gain {
            category: category.to_string(),
            from,
            to,
        })
    };
    core.model.categories.keys().filter_map(gain).collect()
}

/// What `check` prints of pairs; blank if there are none.
pub(super) fn render(pairs: &[Pair]) -> String {
    let mut text = String::new();
    if pairs.is_empty() {
        return text;
    }
    text.push_str("\nTwo roles at once, without a stated purpose:\n");
    for pair in pairs.iter().take(PAIRS_MAX) {
        let [one, other] = &pair.roles;
        let purpose = match (&pair.purpose, pair.chosen_by) {
            (Some(purpose), Some(by)) => format!("{purpose} (by {by})"),
            _ => "refused, but for what needs no purpose".to_owned(),
        };
        let _ = writeln!(text, "  {one} + {other}: {purpose}");
        if pair.purpose.is_none() {
            continue;
        }
        for (role, gains) in pair.roles.iter().zip(&pair.gains) {
            let _ = writeln!(text, "    more than {role} alone: {}", listed(gains));
        }
    }
    if let Some(more) = pairs.len().checked_sub(PAIRS_MAX).filter(|more| *more > 0) {
        let _ = writeln!(text, "  and {more} more pairs: see --format json");
    }
    text
}

fn listed(gains: &[Gain]) -> String {
    if gains.is_empty() {
        return "nothing".to_owned();
    }
    let shown = |gain: &Gain| format!("{} {}", gain.category, gain.to.as_str());
    let mut list: Vec<String> = gains.iter().take(GAINS_MAX).map(shown).collect();
    if let Some(more) = gains.len().checked_sub(GAINS_MAX).filter(|more| *more > 0) {
        list.push(format!("{more} more"));
    }
    list.join(", ")
}

/// Pairs that are printed as text.
const PAIRS_MAX: usize = 40;
/// Categories of one line.
const GAINS_MAX: usize = 8;
