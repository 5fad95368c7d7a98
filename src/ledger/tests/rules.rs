//! What is in memory answers as the rules do, whatever the events; and what denies never shows more.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;

use super::super::event::{Event, MERGE};
use super::super::fold::fold;
use super::super::keys::{KeyKind, PersonKeys};
use super::super::kinds::{ByKind, Kind, Proof};
use super::super::person::PersonId;
use super::super::standings::Standings;
use super::super::terms::{About, Terms};
use super::oracle::{self, Question};

const PERSONS: [&str; 3] = ["p_a", "p_b", "p_c"];
const PURPOSES: [&str; 3] = ["news", "offers", "*"];

fn some_event() -> impl Strategy<Value = Event> {
    let what = (0..3_usize, 0..3_usize, prop::sample::select(&Kind::ALL[..]));
    let how = (
        prop::sample::select(&Proof::ALL[..]),
        prop::sample::select(&ByKind::ALL[..]),
        any::<bool>(),
    );
    let when = (0..30_i64, 0..4_i64, prop::option::of(0..60_i64));
    let recipient = prop::option::of(prop::sample::select(&["x", "y"][..]));
    (what, how, when, recipient).prop_map(|(what, how, when, recipient)| {
        let (kind, named) = (what.2, PURPOSES[what.1]);
        let purpose = if kind.affirms() && named == "*" {
            "news"
        } else {
            named
        };
        Event {
            seq: 0,
            id: String::new(),
            person: PersonId(PERSONS[what.0].to_owned()),
            purpose: purpose.to_owned(),
            kind,
            at: when.0,
            // How much later than the event before it.
            recorded: when.1,
            basis: None,
            proof: how.0,
            source: "test".to_owned(),
            by_kind: how.1,
            by_id: "test".to_owned(),
            text_id: None,
            text_version: None,
            text_sha256: None,
            language: None,
            expires: when.2,
            recipient: recipient.map(str::to_owned),
            replaces: how.2.then(|| "letter".to_owned()),
            reference: None,
            prev: String::new(),
            hash: String::new(),
        }
    })
}

/// A merge of the second person into the first.
fn merge(into: usize, person: usize) -> Event {
    let blank = Event {
        seq: 0,
        id: String::new(),
        person: PersonId(PERSONS[into].to_owned()),
        purpose: "*".to_owned(),
        kind: Kind::Notice,
        at: 0,
        recorded: 0,
        basis: None,
        proof: Proof::None,
        source: MERGE.to_owned(),
        by_kind: ByKind::Staff,
        by_id: "test".to_owned(),
        text_id: None,
        text_version: None,
        text_sha256: None,
        language: None,
        expires: None,
        recipient: None,
        replaces: None,
        reference: None,
        prev: String::new(),
        hash: String::new(),
    };
    Event {
        replaces: Some(PERSONS[person].to_owned()),
        ..blank
    }
}

/// Events as a ledger has them: numbered, in the order of their recording, and under whoever the person is by then.
fn recorded(mut events: Vec<Event>) -> Vec<Event> {
    let mut into: BTreeMap<String, String> = BTreeMap::new();
    let (mut seq, mut now) = (0, 0);
    events.retain_mut(|event| {
        let root = |person: &str| {
            let mut person = person.to_owned();
            while let Some(next) = into.get(&person) {
                person.clone_from(next);
            }
            person
        };
        event.person = PersonId(root(event.person.as_str()));
        if let Some(merged) = event.merged().map(root) {
            if merged == event.person.as_str() {
                return false;
            }
            into.insert(merged.clone(), event.person.as_str().to_owned());
            event.replaces = Some(merged);
        }
        seq += 1;
        now += event.recorded;
        (event.seq, event.recorded) = (seq, now);
        true
    });
    events
}

fn some_events(merges: bool) -> impl Strategy<Value = Vec<Event>> {
    let joined = prop::sample::select(&[(0, 1), (1, 0), (0, 2), (2, 1)][..]);
    let event = match merges {
        true => prop_oneof![
            8 => some_event(),
            1 => joined.prop_map(|(into, person)| merge(into, person)),
        ]
        .boxed(),
        false => some_event().boxed(),
    };
    prop::collection::vec(event, 0..14)
}

/// Terms, and how a record reaches the three persons.
#[derive(Clone, Debug)]
struct Asked {
    purpose: &'static str,
    proof: Proof,
    max_age: Option<i64>,
    recipient: Option<&'static str>,
    now: i64,
    /// By reference, by the primary address, by others.
    reached: (Vec<usize>, Option<usize>, Vec<usize>),
}

fn some_question() -> impl Strategy<Value = Asked> {
    let persons = || prop::collection::vec(0..3_usize, 0..3);
    (
        prop::sample::select(&["news", "offers", "never-named"][..]),
        prop::sample::select(&Proof::ALL[..]),
        prop::option::of(0..40_i64),
        prop::option::of(prop::sample::select(&["x", "y", "z"][..])),
        0..70_i64,
        (persons(), prop::option::of(0..3_usize), persons()),
    )
        .prop_map(|(purpose, proof, max_age, recipient, now, reached)| Asked {
            purpose,
            proof,
            max_age,
            recipient,
            now,
            reached,
        })
}

const RECORDS: [&str; 3] = ["crm:People/a", "crm:People/b", "crm:People/c"];
const ADDRESSES: [&str; 3] = ["a@example.com", "b@example.com", "c@example.com"];

/// What memory makes of events.
fn in_memory(events: &[Event]) -> Standings {
    let keys = Arc::new(PersonKeys::new(&[&[1; 32], &[2; 32]]).unwrap());
    let standings = Standings::new(Arc::clone(&keys));
    let mut into: BTreeMap<&str, &str> = BTreeMap::new();
    for event in events {
        if let Some(merged) = event.merged() {
            into.insert(merged, event.person.as_str());
        }
    }
    let root = |mut person: &'static str| -> usize {
        while let Some(next) = into.get(person) {
            person = PERSONS.iter().find(|known| known == &next).unwrap();
        }
        PERSONS.iter().position(|known| *known == person).unwrap()
    };
    for number in 0..3 {
        let of = |event: &&Event| {
            let person = PERSONS
                .iter()
                .find(|known| **known == event.person.as_str());
            root(person.unwrap()) == number
        };
        let its: Vec<Event> = events.iter().filter(of).cloned().collect();
        if root(PERSONS[number]) == number {
            standings.stand(number as u32 + 1, &fold(&its)).unwrap();
        } else {
            standings.merge(number as u32 + 1, root(PERSONS[number]) as u32 + 1);
        }
        let name = |generation, kind, text| {
            let kept = keys.kept(generation, kind, text);
            standings.name(&kept, number as u32 + 1, false);
        };
        name(0, KeyKind::Record, RECORDS[number]);
        // Of each person one generation of the keys.
        name(number % 2, KeyKind::Email, ADDRESSES[number]);
    }
    standings
}

fn ask(standings: &Standings, asked: &Asked) -> (bool, bool, bool) {
    let (records, primary, others) = &asked.reached;
    let records: Vec<&str> = records.iter().map(|number| RECORDS[*number]).collect();
    let others: Vec<&str> = others.iter().map(|number| ADDRESSES[*number]).collect();
    let about = About {
        references: &records,
        primary: primary.map(|number| ADDRESSES[number]),
        others: &others,
    };
    let terms = Terms {
        proof: asked.proof,
        max_age: asked
            .max_age
            .map(|age| Duration::from_millis(age.unsigned_abs())),
        recipient: asked.recipient,
    };
    let now = Timestamp::from_millisecond(asked.now).unwrap();
    let standing = standings.about(&about, asked.purpose, &terms, now);
    (
        standing.is_valid(),
        standing.is_objected(),
        standing.is_restricted(),
    )
}

fn expected(events: &[Event], asked: &Asked) -> (bool, bool, bool) {
    let (records, primary, others) = &asked.reached;
    let affirming = records
        .iter()
        .chain(primary)
        .map(|number| (PERSONS[*number], true));
    let denying = others.iter().map(|number| (PERSONS[*number], false));
    let reached: Vec<(&str, bool)> = affirming.chain(denying).collect();
    let question = Question {
        purpose: asked.purpose,
        proof: asked.proof,
        max_age: asked.max_age,
        recipient: asked.recipient,
        now: asked.now,
        reached: &reached,
    };
    oracle::answer(events, &question)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn memory_answers_as_the_rules_do(events in some_events(true), asked in some_question()) {
        let events = recorded(events);
        prop_assert_eq!(ask(&in_memory(&events), &asked), expected(&events, &asked));
    }

    #[test]
    fn a_denial_more_never_shows_more(
        events in some_events(true),
        denial in some_event(),
        kind in prop::sample::select(&[Kind::Refused, Kind::Withdrawn, Kind::Objected, Kind::Restricted][..]),
        asked in some_question(),
    ) {
        let before = ask(&in_memory(&recorded(events.clone())), &asked);
        let mut more = events;
        more.push(Event { kind, ..denial });
        let after = ask(&in_memory(&recorded(more)), &asked);
        prop_assert!(before.0 || !after.0, "it became valid");
        prop_assert!((!before.1 || after.1) && (!before.2 || after.2), "it was lifted");
    }

    #[test]
    fn the_order_of_what_happened_at_once_does_not_matter(
        (events, other) in some_events(false).prop_flat_map(|events| {
            let other = Just(events.clone()).prop_shuffle();
            (Just(events), other)
        }),
        asked in some_question(),
    ) {
        // All are recorded at once, each with its own `at`.
        let at_once = |events: Vec<Event>| {
            recorded(events.into_iter().map(|event| Event { recorded: 0, ..event }).collect())
        };
        let (one, other) = (at_once(events), at_once(other));
        prop_assert_eq!(ask(&in_memory(&one), &asked), ask(&in_memory(&other), &asked));
    }

    #[test]
    fn neither_a_merge_nor_an_address_more_makes_valid(
        events in some_events(true),
        asked in some_question(),
        other in 0..3_usize,
        (into, person) in prop::sample::select(&[(0, 1), (1, 0), (0, 2), (2, 0)][..]),
    ) {
        let standings = in_memory(&recorded(events.clone()));
        let before = ask(&standings, &asked);
        let mut more = asked.clone();
        more.reached.2.push(other);
        prop_assert!(before.0 || !ask(&standings, &more).0, "an address made it valid");
        // Who is reached by name already is no other person for being merged.
        let mut all = asked.clone();
        all.reached.0.extend([into, person]);
        let apart = ask(&standings, &all);
        let mut merged = events;
        merged.push(merge(into, person));
        let joined = ask(&in_memory(&recorded(merged)), &all);
        prop_assert_eq!(apart, joined);
    }
}
