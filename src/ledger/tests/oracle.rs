//! The rules, once more and slowly: each question goes through all events.

use super::super::event::Event;
use super::super::kinds::{ByKind, Kind, Proof};

/// What is asked.
pub(super) struct Question<'q> {
    pub(super) purpose: &'q str,
    pub(super) proof: Proof,
    pub(super) max_age: Option<i64>,
    pub(super) recipient: Option<&'q str>,
    pub(super) now: i64,
    /// The persons that are reached, and whether they may affirm.
    pub(super) reached: &'q [(&'q str, bool)],
}

/// What the rules answer: valid, objected, restricted.
pub(super) fn answer(events: &[Event], question: &Question<'_>) -> (bool, bool, bool) {
    let (mut all, mut one, mut objected, mut restricted) = (true, false, false, false);
    for (person, may_affirm) in question.reached {
        let root = whose(events, person, i64::MAX);
        let mut members: Vec<&str> = events.iter().map(|event| event.person.as_str()).collect();
        members.extend(events.iter().filter_map(Event::merged));
        members.push(person);
        members.sort_unstable();
        members.dedup();
        members.retain(|member| whose(events, member, i64::MAX) == root);
        for member in members {
            let its: Vec<&Event> = events
                .iter()
                .filter(|event| event.merged().is_none())
                .filter(|event| {
                    event.person.as_str() == member
                        || whose(events, member, event.seq) == event.person.as_str()
                })
                .filter(|event| event.purpose == question.purpose || event.purpose == "*")
                .collect();
            objected |= stands(&its, Kind::Objected, Kind::ObjectionLifted).is_some();
            restricted |= stands(&its, Kind::Restricted, Kind::RestrictionLifted).is_some();
            if let Some(valid) = valid(&its, question) {
                all &= valid;
                one |= valid && *may_affirm;
            }
        }
    }
    (all && one, objected, restricted)
}

/// Who a person is, before an event.
fn whose<'e>(events: &'e [Event], person: &'e str, before: i64) -> &'e str {
    let mut is = person;
    for event in events.iter().filter(|event| event.seq < before) {
        if event.merged() == Some(is) {
            is = event.person.as_str();
        }
    }
    is
}

/// When the last denial of a kind was recorded that nothing lifted.
fn stands(its: &[&Event], denial: Kind, lift: Kind) -> Option<i64> {
    let mut stands = None;
    for event in its.iter().filter(|event| event.kind == denial) {
        let is_lifted = its
            .iter()
            .any(|other| other.kind == lift && other.recorded > event.recorded);
        if !is_lifted && stands < Some(event.recorded) {
            stands = Some(event.recorded);
        }
    }
    stands
}

/// Whether consent is valid; `None` if nothing decides.
fn valid(its: &[&Event], question: &Question<'_>) -> Option<bool> {
    let mut denied = stands(its, Kind::Restricted, Kind::RestrictionLifted);
    for event in its {
        if matches!(event.kind, Kind::Refused | Kind::Withdrawn | Kind::Objected) {
            denied = denied.max(Some(event.recorded));
        }
    }
    let mut counted: Vec<&Event> = Vec::new();
    for event in its.iter().filter(|event| event.kind.affirms()) {
        let is_strong = match event.by_kind {
            ByKind::Person => true,
            ByKind::Staff => event.replaces.is_some(),
            _ => false,
        };
        match denied {
            None => counted.push(event),
            Some(denied) if is_strong && event.at.min(event.recorded) > denied => {
                counted.push(event);
            }
            Some(_) => {}
        }
    }
    if denied.is_none() && counted.is_empty() {
        return None;
    }
    for event in &counted {
        let time = event.at.min(event.recorded);
        let is_displaced = counted.iter().any(|other| {
            let is_later = other.at.min(other.recorded) > time;
            let is_weaker = other.proof < event.proof && other.by_kind != ByKind::Person;
            is_later && !is_weaker
        });
        let is_proven = event.proof >= question.proof;
        let is_young = question.max_age.is_none_or(|age| question.now < time + age);
        let has_not_ended = event.expires.is_none_or(|expires| question.now < expires);
        let is_for = question
            .recipient
            .is_none_or(|to| event.recipient.as_deref() == Some(to));
        if !is_displaced && is_proven && is_young && has_not_ended && is_for {
            return Some(true);
        }
    }
    Some(false)
}
