//! From the events of a person to how the person stands: a pure function of the events, whatever their order among equals.

use std::collections::BTreeMap;

use super::draft::EVERY;
use super::event::Event;
use super::kinds::{ByKind, Kind, Proof};

/// What can make consent valid.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Affirmation {
    /// From when it counts, and its age.
    pub(super) time: i64,
    pub(super) proof: Proof,
    pub(super) expires: Option<i64>,
    pub(super) recipient: Option<String>,
}

/// How one person stands for one purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    /// Of those that were before a merge, which.
    pub(super) member: usize,
    pub(super) purpose: String,
    pub(super) is_denied: bool,
    pub(super) is_objected: bool,
    pub(super) is_restricted: bool,
    /// Whether anything decides here.
    pub(super) is_decided: bool,
    /// Those that no later one displaces.
    pub(super) affirmations: Vec<Affirmation>,
}

/// The states of what is one person now, from all its events in the order of `seq`. Persons that were merged keep what was
/// recorded before apart, so a merge affirms nothing; what is recorded afterwards counts for each.
pub(super) fn fold(events: &[Event]) -> Vec<State> {
    let histories = histories(events);
    let mut states = Vec::new();
    for (member, history) in histories.values().enumerate() {
        let mut purposes: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
        for event in history {
            if !matches!(event.kind, Kind::Requested | Kind::Notice) {
                purposes.entry(&event.purpose).or_default().push(event);
            }
        }
        let every = purposes.get(EVERY).cloned().unwrap_or_default();
        states.extend(purposes.iter().map(|(purpose, own)| {
            // What is about all purposes is about this one.
            let also: &[&Event] = if *purpose == EVERY { &[] } else { &every };
            State {
                member,
                ..state(&[own.as_slice(), also].concat(), purpose)
            }
        }));
    }
    states
}

/// The events that count for each of those that are one person now.
fn histories(events: &[Event]) -> BTreeMap<&str, Vec<&Event>> {
    // Under whom events are recorded, for whom they count.
    let mut members: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut histories: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
    for event in events {
        let person = event.person.as_str();
        members.entry(person).or_insert_with(|| vec![person]);
        if let Some(merged) = event.merged() {
            let mut joined = members.remove(merged).unwrap_or_else(|| vec![merged]);
            members.entry(person).or_default().append(&mut joined);
            continue;
        }
        for member in members.get(person).into_iter().flatten() {
            histories.entry(member).or_default().push(event);
        }
    }
    histories
}

/// How somebody stands for a purpose, from what is about it.
fn state(history: &[&Event], purpose: &str) -> State {
    let about = || history.iter().copied();
    let latest = |kind: Kind| {
        about()
            .filter(|event| event.kind == kind)
            .map(|event| event.recorded)
            .max()
    };
    let stands =
        |denial: Kind, lift: Kind| latest(denial) >= latest(lift).map_or(Some(i64::MIN), Some);
    let is_objected = stands(Kind::Objected, Kind::ObjectionLifted);
    let is_restricted = stands(Kind::Restricted, Kind::RestrictionLifted);
    // A restriction that was lifted is no denial any more: nobody's will changed. An objection stays one until the person acts.
    let denied = about()
        .filter(|event| match event.kind {
            Kind::Restricted => is_restricted,
            kind => kind.denies(),
        })
        .map(|event| event.recorded)
        .max();
    let counts = |event: &&Event| {
        event.kind.affirms()
            && denied.is_none_or(|denied| event.affirmed_at() > denied && event.outweighs_denials())
    };
    let counted = standing(about().filter(counts).collect());
    let mut affirmations: Vec<Affirmation> = counted
        .iter()
        .map(|event| Affirmation {
            time: event.affirmed_at(),
            proof: event.proof,
            expires: event.expires,
            recipient: event.recipient.clone(),
        })
        .collect();
    affirmations.sort();
    affirmations.dedup();
    State {
        member: 0,
        purpose: purpose.to_owned(),
        is_denied: denied.is_some() && affirmations.is_empty(),
        is_objected,
        is_restricted,
        is_decided: denied.is_some() || !affirmations.is_empty(),
        affirmations,
    }
}

/// Those of affirmations whose place no later one takes: a later one does if it is as well proven or the person's own act. So another
/// system's word does not undo what the person confirmed. Of equals at the same time none does, and either may make it valid.
fn standing(mut counted: Vec<&Event>) -> Vec<&Event> {
    counted.sort_by_key(|event| std::cmp::Reverse(event.affirmed_at()));
    let (mut best, mut is_person): (Option<Proof>, bool) = (None, false);
    let mut standing = Vec::new();
    for at_once in counted.chunk_by(|one, next| one.affirmed_at() == next.affirmed_at()) {
        let stands = |event: &&&Event| !is_person && best.is_none_or(|best| best < event.proof);
        standing.extend(at_once.iter().filter(stands).copied());
        best = best.max(at_once.iter().map(|event| event.proof).max());
        is_person |= at_once.iter().any(|event| event.by_kind == ByKind::Person);
    }
    standing
}
