//! Whose a name is: what a record says of itself makes nobody the person of somebody else, and takes no denial away.

use super::super::standings::Whom;
use super::super::{
    About, Because, Channel, Freshness, Heard, Kind, Ledger, Name, Saying, Use, Who,
};
use super::stage::{Stage, address, at, by_staff, draft, each, primary, record};

const ANNA: &str = "anna@example.com";
const MALLORY: &str = "mallory@example.org";
const NEW: &str = "new@example.com";
const R1: &str = "crm:People/1";
const R2: &str = "crm:People/2";

/// A record with an address, which says what it says of mail.
fn heard(reference: &str, email: &str, is_shared: bool, opted_out: bool) -> Heard {
    Heard {
        record: record(reference),
        address: Some(address(email)),
        is_shared,
        says: vec![Saying {
            purpose: "newsletter".to_owned(),
            kind: Kind::Objected,
            proof: super::super::Proof::None,
            stands: opted_out,
            at: None,
        }],
    }
}

fn sync(stage: &Stage, ledger: &Ledger, heard: Vec<Heard>) -> u64 {
    stage.pass(1);
    let (source, by) = ("sync:crm".to_owned(), "tester".to_owned());
    let dry = ledger.reconcile(heard.clone(), source.clone(), by.clone(), true);
    let dry = stage.wait(dry).unwrap();
    let came = stage.wait(ledger.reconcile(heard, source, by, false));
    let came = came.unwrap();
    assert_eq!(dry, came, "what was foreseen came");
    came.denied
}

fn of_record<'a>(references: &'a [&'a str], primary: Option<&'a str>) -> About<'a> {
    About {
        references,
        primary,
        others: &[],
    }
}

/// Whoever has a mailbox confirms by a link that went there.
fn confirm(stage: &Stage, ledger: &Ledger, email: &str) {
    let requested = draft(at(email), Kind::Requested, Channel::Form);
    let person = stage.record(ledger, requested).event().person.clone();
    let expires = stage.now() + std::time::Duration::from_secs(60);
    let link = ledger.new_link(Use::Confirm, "newsletter", expires);
    let link = link.unwrap();
    stage
        .wait(ledger.post(person.clone(), vec![link.clone()], Vec::new()))
        .unwrap();
    let shown = stage.wait(ledger.show(Use::Confirm, link.token().to_owned()));
    let channel = Channel::Link(shown.unwrap());
    stage.record(ledger, draft(Who::Person(person), Kind::Confirmed, channel));
}

#[test]
fn an_address_that_a_known_record_states_is_not_the_records_person() {
    each(|stage| {
        let ledger = stage.open();
        sync(stage, &ledger, vec![heard(R1, ANNA, false, false)]);
        stage.record(&ledger, by_staff(ANNA, Kind::Withdrawn));
        // Somebody sets the address to a mailbox of their own, confirms there, and sets it back.
        sync(stage, &ledger, vec![heard(R1, MALLORY, false, false)]);
        confirm(stage, &ledger, MALLORY);
        sync(stage, &ledger, vec![heard(R1, ANNA, false, false)]);
        for ledger in [&ledger, &stage.open()] {
            assert!(!stage.is_valid(ledger, ANNA));
            assert!(stage.is_valid(ledger, MALLORY));
            for about in [None, Some(ANNA), Some(MALLORY)] {
                let about = of_record(&[R1], about);
                let standing = stage.standing(ledger, &about);
                assert_eq!(standing.because(), Because::Denied);
            }
        }
        let person = |who| stage.wait(ledger.person(who)).unwrap().unwrap();
        let (anna, mallory) = (person(at(ANNA)), person(at(MALLORY)));
        assert_ne!(anna.id, mallory.id);
        assert_eq!(person(Who::Record(record(R1))).id, anna.id);
        assert_eq!((anna.emails.len(), mallory.emails.len()), (1, 1));
        // The same by every other way in.
        let both = Who::RecordWith(record(R1), address(NEW));
        stage.record(&ledger, draft(both, Kind::Refused, Channel::Import));
        assert_ne!(person(at(NEW)).id, anna.id);
        let more = vec![Name::Address(address("more@example.com"))];
        let found = stage.wait(ledger.attach(at(ANNA), more)).unwrap();
        assert_ne!(found, [anna.id]);
    });
}

#[test]
fn a_record_that_gets_a_person_of_its_own_takes_the_denials_along() {
    each(|stage| {
        let ledger = stage.open();
        sync(stage, &ledger, vec![heard(R1, ANNA, false, false)]);
        let objects = draft(Who::Record(record(R1)), Kind::Objected, Channel::Staff);
        stage.record(&ledger, objects);
        let two = |first: &str| {
            let is_shared = first == ANNA;
            vec![
                heard(R1, first, is_shared, false),
                heard(R2, ANNA, is_shared, false),
            ]
        };
        assert_eq!(sync(stage, &ledger, two(ANNA)), 1);
        assert_eq!(sync(stage, &ledger, two(ANNA)), 0);
        sync(stage, &ledger, two(NEW));
        let objected = |reference: &str, email| {
            let references = [reference];
            let standing = stage.standing(&ledger, &of_record(&references, Some(email)));
            standing.is_objected()
        };
        assert!(objected(R1, NEW) && objected(R2, ANNA));
        // Who was never found by that address alone takes nothing along.
        assert!(!objected(R2, NEW));
    });
}

#[test]
fn an_opt_out_under_two_names_stays_with_its_record() {
    each(|stage| {
        let ledger = stage.open();
        let two = |first: &str, out| {
            let is_shared = first == ANNA;
            vec![
                heard(R1, first, is_shared, out),
                heard(R2, ANNA, is_shared, false),
            ]
        };
        let objected = |references: &[&str], email| {
            let standing = stage.standing(&ledger, &of_record(references, email));
            standing.is_objected()
        };
        // Of the record and of the address, each once.
        assert_eq!(sync(stage, &ledger, two(ANNA, true)), 2);
        assert_eq!(sync(stage, &ledger, two(ANNA, true)), 0);
        assert!(objected(&[], Some(ANNA)));
        assert_eq!(sync(stage, &ledger, two(NEW, true)), 0);
        assert!(objected(&[R1], Some(NEW)));
    });
}

#[test]
fn a_flag_counts_as_recorded_only_of_the_person_whom_its_record_reaches() {
    each(|stage| {
        let ledger = stage.open();
        // Opted out, then told again by the person, so that the flag is recorded and nothing denies.
        assert_eq!(sync(stage, &ledger, vec![heard(R1, ANNA, false, true)]), 1);
        let lifts = draft(at(ANNA), Kind::ObjectionLifted, Channel::Staff);
        stage.record(&ledger, lifts);
        assert_eq!(sync(stage, &ledger, vec![heard(R1, ANNA, false, true)]), 0);
        // Under two names the record is somebody else's, of whom the flag was never recorded.
        let shared = || vec![heard(R1, ANNA, true, true), heard(R2, ANNA, true, false)];
        assert!(sync(stage, &ledger, shared()) >= 1);
        let standing = stage.standing(&ledger, &of_record(&[R1], None));
        assert!(standing.is_objected());
        assert_eq!(sync(stage, &ledger, shared()), 0);
    });
}

#[test]
fn what_is_shared_under_one_key_is_shared_under_both_whenever_a_process_began() {
    each(|stage| {
        let (old, new) = ([1; 32].as_slice(), [2; 32].as_slice());
        {
            let ledger = stage.open_under(&[old]).unwrap();
            sync(stage, &ledger, vec![heard(R1, ANNA, false, false)]);
            stage.record(&ledger, by_staff(ANNA, Kind::Given));
        }
        let running = stage.open_under(&[new, old]).unwrap();
        assert!(stage.is_valid(&running, ANNA));
        let other = stage.open_under(&[new, old]).unwrap();
        let shared = vec![heard(R1, ANNA, true, false), heard(R2, ANNA, true, false)];
        sync(stage, &other, shared);
        stage.until("the running process follows", || {
            !stage.is_valid(&running, ANNA)
        });
        assert!(!stage.is_valid(&other, ANNA));
        assert!(!stage.is_valid(&stage.open_under(&[new, old]).unwrap(), ANNA));
        // It is shared no more: every process says the same again.
        stage.wait(other.share(address(ANNA), false)).unwrap();
        stage.until("the running process follows", || {
            stage.is_valid(&running, ANNA)
        });
        assert!(stage.is_valid(&stage.open_under(&[new, old]).unwrap(), ANNA));
        assert_eq!(running.standings().freshness(), Freshness::Fresh);
        let standing = stage.standing(&running, &primary(ANNA));
        assert!(standing.is_valid());
    });
}

#[test]
fn one_person_is_told_by_the_record_else_by_an_address_that_is_nobody_elses() {
    each(|stage| {
        let ledger = stage.open();
        stage.record(&ledger, by_staff(ANNA, Kind::Given));
        let given = draft(Who::Record(record(R1)), Kind::Given, Channel::Staff);
        stage.record(&ledger, given);
        let whom = |references: &[&str], email: Option<&str>| {
            let address = email.map(address);
            let references = references.iter().copied();
            ledger.standings().whom(references, address.as_ref())
        };
        let (anna, first) = (whom(&[], Some(ANNA)).person, whom(&[R1], None).person);
        assert!(anna.is_some() && first.is_some() && anna != first);
        assert_eq!(whom(&[R1], Some(ANNA)).person, first);
        assert_eq!(whom(&[R2, R1], Some(ANNA)).person, first);
        assert_eq!(whom(&[R2], Some(ANNA)).person, anna);
        assert_eq!(whom(&[R2], Some(NEW)), Whom::default());
        let (why, by) = ("same".to_owned(), "ops".to_owned());
        let merged = ledger.merge(at(ANNA), Who::Record(record(R1)), why, by);
        stage.wait(merged).unwrap();
        assert_eq!(whom(&[R1], None).person, anna);
        assert_eq!(whom(&[R1], Some(ANNA)).person, anna);
        stage.wait(ledger.share(address(ANNA), true)).unwrap();
        let shared = |person| Whom {
            person,
            is_shared: true,
        };
        assert_eq!(whom(&[R2], Some(ANNA)), shared(None));
        assert_eq!(whom(&[R1], Some(ANNA)), shared(anna));
    });
}
