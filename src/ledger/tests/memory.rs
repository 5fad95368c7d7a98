//! What memory takes, and what it says of itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::fold::{Affirmation, State};
use super::super::keys::{KeyKind, PersonKeys};
use super::super::kinds::Proof;
use super::super::standings::{Freshness, Standings};

fn standings() -> (Arc<PersonKeys>, Standings) {
    let keys = Arc::new(PersonKeys::new(&[&[1; 32]]).unwrap());
    (Arc::clone(&keys), Standings::new(keys))
}

#[test]
fn a_person_with_a_record_and_an_address_takes_160_bytes_at_most() {
    let (keys, standings) = standings();
    let state = State {
        member: 0,
        purpose: "newsletter".to_owned(),
        is_denied: false,
        is_objected: false,
        is_restricted: false,
        is_decided: true,
        affirmations: vec![Affirmation {
            time: 1,
            proof: Proof::DoubleOptIn,
            expires: None,
            recipient: None,
        }],
    };
    // Tables double: what a person takes is worst just after they did, wherever that is.
    let mut worst = 0;
    for person in 1..=60_000 {
        standings
            .stand(person, std::slice::from_ref(&state))
            .unwrap();
        let names = [
            (KeyKind::Record, format!("crm:People/{person}")),
            (KeyKind::Email, format!("{person}@example.com")),
        ];
        for (kind, text) in names {
            standings.name(&keys.kept(0, kind, &text), person, false);
        }
        if person >= 10_000 && person % 500 == 0 {
            worst = worst.max(standings.bytes() / u64::from(person));
        }
    }
    assert!(worst <= 160, "{worst}");
}

#[test]
fn what_was_confirmed_a_second_ago_is_fresh() {
    let (_, standings) = standings();
    assert_eq!(standings.freshness(), Freshness::Stale { since: None });
    let now = Instant::now();
    standings.confirm(now);
    let after = |millis| standings.freshness_at(now + Duration::from_millis(millis));
    assert_eq!(after(0), Freshness::Fresh);
    assert_eq!(after(900), Freshness::Fresh);
    assert!(matches!(after(1100), Freshness::Stale { since: Some(_) }));
    // What was confirmed earlier takes nothing back.
    standings.confirm(now - Duration::from_secs(5));
    assert_eq!(after(900), Freshness::Fresh);
}
