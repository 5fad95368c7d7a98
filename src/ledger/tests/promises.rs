//! What the ledger promises to whoever builds on it, over each store.

use std::sync::Arc;

use std::time::Duration;

use super::super::{
    About, Because, Channel, Draft, Error, Kind, Name, Outgoing, Phone, Proof, Refused, Under, Use,
    Verdict, Who,
};
use super::stage::{Stage, address, at, by_staff, draft, each, primary, record};

const ANNA: &str = "anna@example.com";
const BOB: &str = "bob@example.com";

fn refused(answer: Result<impl std::fmt::Debug, Error>) -> Refused {
    match answer {
        Err(Error::Refused(refused)) => refused,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_recorded_is_known_at_once_and_after_a_restart() {
    each(|stage| {
        let ledger = stage.open();
        assert!(!stage.is_valid(&ledger, ANNA));
        let recorded = stage.record(&ledger, by_staff(ANNA, Kind::Given));
        assert!(recorded.is_new() && recorded.event().seq == 1);
        assert!(stage.is_valid(&ledger, "  Anna@EXAMPLE.com "));
        assert!(!stage.is_valid(&ledger, BOB));
        drop(ledger);
        let ledger = stage.open();
        assert!(stage.is_valid(&ledger, ANNA));
        stage.record(&ledger, by_staff(ANNA, Kind::Withdrawn));
        assert!(!stage.is_valid(&ledger, ANNA));
        let history = stage
            .wait(ledger.history(recorded.event().person.clone()))
            .unwrap();
        let kinds: Vec<Kind> = history.iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [Kind::Given, Kind::Withdrawn]);
    });
}

#[test]
fn a_reference_is_recorded_once() {
    each(|stage| {
        let ledger = stage.open();
        let once = |kind| Draft {
            reference: Some("order-1".to_owned()),
            ..by_staff(ANNA, kind)
        };
        let first = stage.record(&ledger, once(Kind::Given));
        let again = stage.record(&ledger, once(Kind::Given));
        assert!(first.is_new() && !again.is_new());
        assert_eq!(first.event(), again.event());
        let other = stage.append(&ledger, once(Kind::Withdrawn));
        assert_eq!(refused(other), Refused::Reference);
        let verdict = stage.wait(ledger.verify()).unwrap();
        assert!(matches!(verdict, Verdict::Sound { events: 1, .. }));
    });
}

#[test]
fn of_many_events_all_are_recorded_or_none() {
    each(|stage| {
        let ledger = stage.open();
        let line = |number: u32, kind| Draft {
            reference: Some(format!("line-{number}")),
            ..draft(at(&format!("p{number}@example.com")), kind, Channel::Import)
        };
        let sound: Vec<Draft> = (0..30).map(|number| line(number, Kind::Given)).collect();
        let mut bad = sound.clone();
        bad.push(line(3, Kind::Withdrawn));
        assert_eq!(
            refused(stage.wait(ledger.append_all(Arc::new(bad)))),
            Refused::Reference
        );
        assert!(!stage.is_valid(&ledger, "p3@example.com"));
        for is_new in [true, false] {
            let recorded = stage
                .wait(ledger.append_all(Arc::new(sound.clone())))
                .unwrap();
            assert!(recorded.iter().all(|one| one.is_new() == is_new));
        }
        assert!(stage.is_valid(&ledger, "p29@example.com"));
        let verdict = stage.wait(ledger.verify()).unwrap();
        assert!(matches!(verdict, Verdict::Sound { events: 30, .. }));
    });
}

#[test]
fn a_connection_that_is_lost_is_made_again_and_nothing_is_recorded_twice() {
    each(|stage| {
        let ledger = stage.open();
        stage.record(&ledger, by_staff(ANNA, Kind::Given));
        stage.disconnect();
        // Whether it was recorded is not known at first: the same reference tells.
        let once = || Draft {
            reference: Some("once".to_owned()),
            ..by_staff(ANNA, Kind::Withdrawn)
        };
        let mut appended = false;
        for _ in 0..100 {
            appended = stage.append(&ledger, once()).is_ok();
            if appended {
                break;
            }
            stage.moment();
        }
        assert!(appended);
        assert!(!stage.is_valid(&ledger, ANNA));
        stage.until("it is fresh again", || {
            ledger.standings().freshness() == super::super::Freshness::Fresh
        });
        let verdict = stage.wait(ledger.verify()).unwrap();
        assert!(matches!(verdict, Verdict::Sound { events: 2, .. }));
    });
}

#[test]
fn a_channel_claims_no_more_than_it_may() {
    each(|stage| {
        let ledger = stage.open();
        let claim = |kind, channel, proof| {
            let draft = Draft {
                proof,
                ..draft(at(ANNA), kind, channel)
            };
            refused(stage.append(&ledger, draft))
        };
        use Channel as By;
        assert_eq!(claim(Kind::Given, By::Form, Proof::None), Refused::Kind);
        assert_eq!(
            claim(Kind::Requested, By::Form, Proof::SingleOptIn),
            Refused::Proof
        );
        assert_eq!(
            claim(Kind::Confirmed, By::Staff, Proof::None),
            Refused::Kind
        );
        assert_eq!(
            claim(Kind::Given, By::Staff, Proof::DoubleOptIn),
            Refused::Proof
        );
        assert_eq!(
            claim(Kind::Given, By::Staff, Proof::SignedRequest),
            Refused::Unsigned
        );
        assert_eq!(
            claim(Kind::Given, By::ApiKey, Proof::DoubleOptIn),
            Refused::Proof
        );
        assert_eq!(
            claim(Kind::Confirmed, By::Import, Proof::None),
            Refused::Kind
        );
        assert_eq!(
            claim(Kind::ObjectionLifted, By::Sync, Proof::None),
            Refused::Kind
        );
        let verdict = stage.wait(ledger.verify()).unwrap();
        assert!(matches!(verdict, Verdict::Sound { events: 0, .. }));
    });
}

#[test]
fn texts_that_may_hold_an_address_times_ahead_and_the_like_are_refused() {
    each(|stage| {
        let ledger = stage.open();
        let check = |change: &dyn Fn(&mut Draft)| {
            let mut draft = by_staff(ANNA, Kind::Given);
            change(&mut draft);
            refused(stage.append(&ledger, draft))
        };
        let ahead = stage.now() + Duration::from_secs(301);
        assert_eq!(check(&|draft| draft.at = Some(ahead)), Refused::Ahead);
        assert_eq!(
            check(&|draft| draft.source = ANNA.to_owned()),
            Refused::Address("source")
        );
        let reference = Some(format!("{ANNA} newsletter"));
        assert_eq!(
            check(&|draft| draft.reference = reference.clone()),
            Refused::Address("reference")
        );
        assert_eq!(
            check(&|draft| draft.source = String::new()),
            Refused::Text("source")
        );
        assert_eq!(
            check(&|draft| draft.by = "a\nb".to_owned()),
            Refused::Text("by")
        );
        assert_eq!(
            check(&|draft| draft.purpose = "*".to_owned()),
            Refused::Purpose
        );
        assert_eq!(
            check(&|draft| draft.purpose = "a b".to_owned()),
            Refused::Purpose
        );
        let before = stage.now() - Duration::from_secs(9);
        assert_eq!(
            check(&|draft| draft.expires = Some(before)),
            Refused::Expires
        );
        let import = Draft {
            despite_denial: Some("letter".to_owned()),
            ..draft(at(ANNA), Kind::Given, Channel::Import)
        };
        assert_eq!(refused(stage.append(&ledger, import)), Refused::Despite);
    });
}

#[test]
fn after_a_denial_only_the_persons_own_act_affirms_or_staff_that_says_why() {
    each(|stage| {
        let ledger = stage.open();
        for (address, channel) in [(ANNA, Channel::Import), (BOB, Channel::Sync)] {
            stage.record(&ledger, by_staff(address, Kind::Withdrawn));
            stage.record(&ledger, draft(at(address), Kind::Given, channel));
            stage.record(&ledger, by_staff(address, Kind::Given));
            let standing = stage.standing(&ledger, &primary(address));
            assert_eq!(standing.because(), Because::Denied);
        }
        let despite = Draft {
            despite_denial: Some("letter of 3 May".to_owned()),
            ..by_staff(BOB, Kind::Given)
        };
        stage.record(&ledger, despite);
        assert!(stage.is_valid(&ledger, BOB));
        let expires = stage.now() + Duration::from_secs(3600);
        let link = ledger
            .new_link(Use::Confirm, "newsletter", expires)
            .unwrap();
        let token = link.token().to_owned();
        let asked = Draft {
            links: vec![link],
            ..draft(at(ANNA), Kind::Requested, Channel::Form)
        };
        let asked = stage.record(&ledger, asked);
        assert!(!stage.is_valid(&ledger, ANNA));
        let shown = stage.wait(ledger.show(Use::Confirm, token)).unwrap();
        assert_eq!(shown.event(), Some(asked.event().id.as_str()));
        let person = Who::Person(shown.person().clone());
        stage.record(
            &ledger,
            draft(person, Kind::Confirmed, Channel::Link(shown)),
        );
        let standing = stage.standing_of(&ledger, &primary(ANNA), Proof::DoubleOptIn);
        assert!(standing.is_valid());
    });
}

#[test]
fn a_link_is_good_once_for_its_person_and_purpose_until_it_expires() {
    each(|stage| {
        let ledger = stage.open();
        let expires = stage.now() + Duration::from_secs(60);
        let link = |used_for, purpose| ledger.new_link(used_for, purpose, expires).unwrap();
        let person = stage
            .record(&ledger, by_staff(ANNA, Kind::Requested))
            .event()
            .person
            .clone();
        let once = link(Use::Confirm, "newsletter");
        let many = link(Use::Preferences, "*");
        let post = ledger.post(person.clone(), vec![once.clone(), many.clone()], Vec::new());
        stage.wait(post).unwrap();
        let show = |used_for, token: &str| stage.wait(ledger.show(used_for, token.to_owned()));
        let confirm = |shown: &super::super::Shown, who: Who, purpose: &str| {
            let draft = Draft {
                purpose: purpose.to_owned(),
                ..draft(who, Kind::Confirmed, Channel::Link(shown.clone()))
            };
            stage.append(&ledger, draft)
        };
        // To look changes nothing, however often.
        let shown = show(Use::Confirm, once.token()).unwrap();
        assert_eq!(shown, show(Use::Confirm, once.token()).unwrap());
        assert_eq!(
            refused(show(Use::Unsubscribe, once.token())),
            Refused::LinkUnknown
        );
        assert_eq!(refused(show(Use::Confirm, "v1.a.b")), Refused::LinkUnknown);
        let own = || Who::Person(person.clone());
        assert_eq!(
            refused(confirm(&shown, at(BOB), "newsletter")),
            Refused::Link
        );
        assert_eq!(refused(confirm(&shown, own(), "offers")), Refused::Link);
        confirm(&shown, own(), "newsletter").unwrap();
        assert_eq!(
            refused(confirm(&shown, own(), "newsletter")),
            Refused::LinkUsed
        );
        assert_eq!(refused(show(Use::Confirm, once.token())), Refused::LinkUsed);
        let shown = show(Use::Preferences, many.token()).unwrap();
        confirm(&shown, own(), "offers").unwrap();
        confirm(&shown, own(), "newsletter").unwrap();
        // What stands in every mail ends mails, and affirms nothing.
        let stop = link(Use::Unsubscribe, "newsletter");
        stage
            .wait(ledger.post(person.clone(), vec![stop.clone()], Vec::new()))
            .unwrap();
        let stopping = show(Use::Unsubscribe, stop.token()).unwrap();
        assert_eq!(
            refused(confirm(&stopping, own(), "newsletter")),
            Refused::Kind
        );
        stage.record(
            &ledger,
            draft(own(), Kind::Withdrawn, Channel::Link(stopping)),
        );
        assert!(!stage.is_valid(&ledger, ANNA));
        stage.pass(60_000);
        assert_eq!(
            refused(confirm(&shown, own(), "newsletter")),
            Refused::LinkExpired
        );
        assert_eq!(
            refused(show(Use::Preferences, many.token())),
            Refused::LinkExpired
        );
    });
}

#[test]
fn two_processes_see_what_the_other_records() {
    each(|stage| {
        let (one, other) = (stage.open(), stage.open());
        let steps = [
            (&one, &other, Kind::Given, true),
            (&other, &one, Kind::Withdrawn, false),
        ];
        for (writer, reader, kind, is_valid) in steps {
            let mut shows = reader.standings().shows();
            shows.add(&stage.standing(reader, &primary(ANNA)));
            stage.record(writer, by_staff(ANNA, kind));
            stage.until("the other process follows", || {
                stage.is_valid(reader, ANNA) == is_valid
            });
            assert!(reader.standings().changed_since(&shows));
        }
        // Both write at once, and the chain is one.
        let many = |ledger, from: i64| async move {
            for number in from..from + 20 {
                let address = format!("p{number}@example.com");
                super::super::Ledger::append(ledger, by_staff(&address, Kind::Given))
                    .await
                    .unwrap();
            }
        };
        stage.wait(async { tokio::join!(many(&one, 0), many(&other, 10)) });
        let verdict = stage.wait(one.verify()).unwrap();
        assert!(matches!(verdict, Verdict::Sound { events: 42, .. }));
        for ledger in [&one, &other] {
            stage.until("each follows to the end", || {
                (0..30).all(|number| stage.is_valid(ledger, &format!("p{number}@example.com")))
            });
        }
    });
}

#[test]
fn a_held_reply_learns_of_whom_it_shows_and_of_nobody_else() {
    each(|stage| {
        let ledger = stage.open();
        let about = About {
            references: &["crm:People/1"],
            primary: Some(ANNA),
            others: &[],
        };
        let held = || {
            let mut shows = ledger.standings().shows();
            shows.add(&stage.standing(&ledger, &about));
            shows
        };
        let shows = held();
        stage.record(&ledger, by_staff(BOB, Kind::Objected));
        assert!(!ledger.standings().changed_since(&shows));
        // Somebody who was not known when the reply was begun.
        stage.record(
            &ledger,
            draft(
                Who::Record(record("crm:People/1")),
                Kind::Objected,
                Channel::Staff,
            ),
        );
        assert!(ledger.standings().changed_since(&shows));
        assert!(stage.standing(&ledger, &about).is_objected());
        let shows = held();
        stage
            .wait(ledger.attach(at(BOB), vec![Name::Record(record("crm:People/2"))]))
            .unwrap();
        assert!(!ledger.standings().changed_since(&shows));
        let merged = ledger.merge(
            at(BOB),
            Who::Record(record("crm:People/1")),
            "same".to_owned(),
            "ops".to_owned(),
        );
        stage.wait(merged).unwrap();
        assert!(ledger.standings().changed_since(&shows));
    });
}

#[test]
fn records_made_anew_are_known_by_their_address_and_other_addresses_only_deny() {
    each(|stage| {
        let ledger = stage.open();
        let known = Who::RecordWith(record("crm:People/1"), address(ANNA));
        stage.record(&ledger, draft(known, Kind::Given, Channel::Staff));
        let about = |reference, primary, others| {
            let references = [reference];
            let about = About {
                references: &references,
                primary,
                others,
            };
            stage.standing(&ledger, &about)
        };
        assert!(about("crm:People/1", None, &[]).is_valid());
        assert!(about("crm:People/2", Some(ANNA), &[]).is_valid());
        assert!(!about("crm:People/2", Some(BOB), &[ANNA]).is_valid());
        stage.record(&ledger, by_staff(BOB, Kind::Withdrawn));
        assert!(!about("crm:People/1", Some(ANNA), &[BOB]).is_valid());
        // An address that cannot be read may be anybody's.
        let standing = about("crm:People/1", Some("Anna <anna@example.com>"), &[]);
        assert!(standing.is_valid() && standing.is_objected());
        // Under this address stand two names.
        stage.wait(ledger.share(address(ANNA), true)).unwrap();
        assert!(!about("crm:People/2", Some(ANNA), &[]).is_valid());
        assert!(about("crm:People/1", Some(ANNA), &[]).is_valid());
    });
}

#[test]
fn a_merge_affirms_nothing_and_what_is_recorded_later_counts_for_both() {
    each(|stage| {
        let ledger = stage.open();
        let other_process = stage.open();
        stage.record(&ledger, by_staff(BOB, Kind::Withdrawn));
        stage.record(&ledger, by_staff(ANNA, Kind::Given));
        let merge = || {
            ledger.merge(
                at(ANNA),
                at(BOB),
                "the same person".to_owned(),
                "ops".to_owned(),
            )
        };
        assert!(stage.wait(merge()).unwrap().event().kind == Kind::Notice);
        assert_eq!(refused(stage.wait(merge())), Refused::Merged);
        let valid = |ledger| (stage.is_valid(ledger, ANNA), stage.is_valid(ledger, BOB));
        assert_eq!(valid(&ledger), (false, false));
        let despite = Draft {
            despite_denial: Some("letter".to_owned()),
            ..by_staff(BOB, Kind::Given)
        };
        stage.record(&ledger, despite);
        assert_eq!(valid(&ledger), (true, true));
        stage.until("the other process follows", || {
            valid(&other_process) == (true, true)
        });
        assert_eq!(valid(&stage.open()), (true, true));
        let nobody = ledger.merge(
            at("nobody@example.com"),
            at(BOB),
            "why".to_owned(),
            "ops".to_owned(),
        );
        assert!(matches!(stage.wait(nobody), Err(Error::Nobody)));
    });
}

#[test]
fn a_number_finds_and_proves_nothing() {
    each(|stage| {
        let ledger = stage.open();
        let phone = Name::Phone(Phone::parse("01 23 45 67 89", Some("FR")).unwrap());
        let found = stage
            .wait(ledger.attach(at(ANNA), vec![phone.clone()]))
            .unwrap();
        assert_eq!(
            stage.wait(ledger.named(phone.clone())).unwrap().as_ref(),
            found.first()
        );
        // It goes on finding whom it found.
        let other = stage.wait(ledger.attach(at(BOB), vec![phone])).unwrap();
        assert_eq!(other, found);
        stage.record(&ledger, by_staff(ANNA, Kind::Given));
        let about = About {
            references: &["+33123456789"],
            primary: Some("+33123456789"),
            others: &[],
        };
        assert!(!stage.standing(&ledger, &about).is_valid());
    });
}

#[test]
fn the_outbox_is_sealed_given_to_one_and_forgotten_once_sent() {
    each(|stage| {
        let (ledger, other) = (stage.open(), stage.open());
        let mail = Outgoing {
            sink: "mail".to_owned(),
            body: b"To: anna@example.com".to_vec(),
            due: None,
        };
        let asked = Draft {
            outgoing: vec![mail],
            ..by_staff(ANNA, Kind::Requested)
        };
        let event = stage.record(&ledger, asked).event().clone();
        let claim = |ledger: &super::super::Ledger, sink: &str| {
            let until = stage.now() + Duration::from_secs(60);
            stage
                .wait(ledger.claim(sink.to_owned(), until, 10))
                .unwrap()
        };
        // Of every event the access log is told, and nothing that says who it is.
        let told = claim(&ledger, "audit");
        let said: serde_json::Value = serde_json::from_slice(told[0].body()).unwrap();
        assert_eq!(
            (said["event"].as_str(), said["id"].as_str()),
            (Some("consent.recorded"), Some(event.id.as_str()))
        );
        assert!(!said.to_string().contains('@'));
        let due = claim(&ledger, "mail");
        assert_eq!(
            (due.len(), due[0].body(), due[0].tries()),
            (1, b"To: anna@example.com".as_slice(), 1)
        );
        assert!(claim(&other, "mail").is_empty());
        // Who claimed it is gone: it is due again.
        stage.pass(60_000);
        let again = claim(&other, "mail");
        assert_eq!((again[0].id(), again[0].tries()), (due[0].id(), 2));
        stage.wait(other.unsent(&again[0], stage.now())).unwrap();
        let again = claim(&ledger, "mail");
        stage.wait(ledger.sent(&again, Vec::new())).unwrap();
        stage.pass(600_000);
        assert!(claim(&ledger, "mail").is_empty());
    });
}

#[test]
fn a_clock_that_is_set_back_makes_no_denial_older() {
    each(|stage| {
        let ledger = stage.open();
        stage.record(&ledger, by_staff(ANNA, Kind::Given));
        stage.pass(-3_600_000);
        stage.record(&ledger, by_staff(ANNA, Kind::Withdrawn));
        assert!(!stage.is_valid(&ledger, ANNA));
        let verdict = stage.wait(ledger.verify()).unwrap();
        assert!(matches!(verdict, Verdict::Sound { events: 2, .. }));
    });
}

#[test]
fn both_keys_find_the_first_writes_and_the_old_one_goes_when_nothing_needs_it() {
    each(|stage| {
        let (old, new) = ([1; 32].as_slice(), [2; 32].as_slice());
        stage.record(
            &stage.open_under(&[old]).unwrap(),
            by_staff(ANNA, Kind::Withdrawn),
        );
        assert!(matches!(stage.open_under(&[new]), Err(Error::OtherKey(_))));
        let ledger = stage.open_under(&[new, old]).unwrap();
        let standing = stage.standing(&ledger, &primary(ANNA));
        assert_eq!(standing.because(), Because::Denied);
        // Whoever names the address rewrites what is kept of it.
        let first = stage.record(&ledger, by_staff(ANNA, Kind::Objected));
        drop(ledger);
        // What waits to be sent was sealed under the old key, too.
        let waits = stage.open_under(&[new]).map(drop);
        assert!(matches!(waits, Err(Error::OtherKey(Under::Outbox))));
        let ledger = stage.open_under(&[new, old]).unwrap();
        let until = stage.now() + Duration::from_secs(60);
        let due = stage.wait(ledger.claim("audit".to_owned(), until, 10));
        stage.wait(ledger.sent(&due.unwrap(), Vec::new())).unwrap();
        drop(ledger);
        let ledger = stage.open_under(&[new]).unwrap();
        assert_eq!(
            stage.standing(&ledger, &primary(ANNA)).because(),
            Because::Denied
        );
        assert!(matches!(stage.open_under(&[old]), Err(Error::OtherKey(_))));
        let person = stage.wait(ledger.person(at(ANNA))).unwrap().unwrap();
        assert_eq!(
            (&person.id, person.emails.len()),
            (&first.event().person, 1)
        );
    });
}

#[test]
fn what_takes_more_memory_than_it_may_does_not_open() {
    each(|stage| {
        stage.record(&stage.open(), by_staff(ANNA, Kind::Given));
        assert!(matches!(
            stage.open_with(&[&[1; 32]], 100),
            Err(Error::TooLarge { max: 100, .. })
        ));
    });
}

#[test]
fn a_wish_that_nobody_waits_for_is_done_all_the_same() {
    each(|stage: &Stage| {
        let ledger = stage.open();
        stage.wait(async {
            let append = ledger.append(by_staff(ANNA, Kind::Given));
            // It is asked, and not waited for.
            tokio::select! { biased; _ = append => {}, () = std::future::ready(()) => {} }
        });
        stage.until("it is recorded", || stage.is_valid(&ledger, ANNA));
    });
}
