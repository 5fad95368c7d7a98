//! What the ledger does where there is no room, no key or no hurry, and what it forgets.

use std::path::PathBuf;
use std::time::Duration;

use super::super::{
    Channel, Draft, Error, Freshness, Kind, Ledger, Outgoing, Place, Refused, Under, Use, Who,
};
use super::stage::{Stage, address, at, by_staff, draft, each};

const ANNA: &str = "anna@example.com";
const BOB: &str = "bob@example.com";

/// The file of the store, where it is one.
fn file(stage: &Stage) -> Option<PathBuf> {
    match &stage.place {
        Place::Folder(folder) => Some(super::super::store::file(folder)),
        Place::Postgres(_) => None,
    }
}

fn count(path: &PathBuf, sql: &str) -> i64 {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

fn refused(answer: Result<impl std::fmt::Debug, Error>) -> Refused {
    match answer {
        Err(Error::Refused(refused)) => refused,
        other => panic!("{other:?}"),
    }
}

fn link(stage: &Stage, ledger: &Ledger, seconds: u64) -> super::super::NewLink {
    let expires = stage.now() + Duration::from_secs(seconds);
    ledger.new_link(Use::Preferences, "*", expires).unwrap()
}

fn mail(body: &str) -> Outgoing {
    Outgoing {
        sink: "mail".to_owned(),
        body: body.as_bytes().to_vec(),
        due: None,
    }
}

fn claim(stage: &Stage, ledger: &Ledger, sink: &str) -> Vec<super::super::Due> {
    let until = stage.now() + Duration::from_secs(60);
    let due = ledger.claim(sink.to_owned(), until, 100);
    stage.wait(due).unwrap()
}

#[test]
fn a_name_that_memory_has_no_room_for_is_refused_before_it_is_written() {
    each(|stage| {
        let ledger = stage.open();
        for number in 0..65_000 {
            let known = ledger.standings().known();
            known.recipients.number(&number.to_string());
        }
        let to = |recipient: &str| Draft {
            recipient: Some(recipient.to_owned()),
            ..by_staff(ANNA, Kind::Given)
        };
        assert_eq!(refused(stage.append(&ledger, to("more"))), Refused::Names);
        stage.record(&ledger, to("17"));
        // Names of purposes have a room of their own, so that a denial finds one.
        stage.record(&ledger, by_staff(ANNA, Kind::Withdrawn));
        drop(ledger);
        assert!(!stage.is_valid(&stage.open(), ANNA));
    });
}

#[test]
fn above_its_memory_nobody_new_becomes_known_and_who_is_known_still_denies() {
    each(|stage| {
        let ledger = stage.open_with(&[&[1; 32]], 1).unwrap();
        stage.record(&ledger, by_staff(ANNA, Kind::Given));
        let new = stage.append(&ledger, by_staff(BOB, Kind::Requested));
        assert!(matches!(new, Err(Error::TooLarge { max: 1, .. })));
        stage.record(&ledger, by_staff(ANNA, Kind::Withdrawn));
        assert!(!stage.is_valid(&ledger, ANNA));
    });
}

#[test]
fn who_waits_for_another_writer_keeps_nobody_from_knowing_that_all_is_fresh() {
    each(|stage| {
        let Some(path) = file(stage) else { return };
        let ledger = stage.open();
        let writer = rusqlite::Connection::open(path).unwrap();
        writer.execute_batch("BEGIN IMMEDIATE").unwrap();
        stage.wait(async {
            let append = ledger.append(by_staff(ANNA, Kind::Given));
            let look = async {
                tokio::time::sleep(Duration::from_millis(1500)).await;
                assert_eq!(ledger.standings().freshness(), Freshness::Fresh);
                writer.execute_batch("ROLLBACK").unwrap();
            };
            let (appended, ()) = tokio::join!(append, look);
            appended.unwrap();
        });
        assert!(stage.is_valid(&ledger, ANNA));
    });
}

#[test]
fn what_was_sent_and_links_that_ended_long_ago_are_forgotten() {
    each(|stage| {
        let ledger = stage.open();
        let person = stage.record(&ledger, by_staff(ANNA, Kind::Given));
        let person = person.event().person.clone();
        let (short, long) = (
            link(stage, &ledger, 60),
            link(stage, &ledger, 90 * 24 * 3600),
        );
        let tokens = [short.token().to_owned(), long.token().to_owned()];
        let post = ledger.post(person, vec![short, long], vec![mail("x")]);
        stage.wait(post).unwrap();
        for sink in ["audit", "mail"] {
            let due = claim(stage, &ledger, sink);
            stage.wait(ledger.sent(&due, Vec::new())).unwrap();
        }
        let show = |token: &String| {
            let shown = ledger.show(Use::Preferences, token.clone());
            stage.wait(shown)
        };
        stage.pass(61_000);
        stage.wait(ledger.tidy()).unwrap();
        // For a while it is told that it has ended.
        assert_eq!(refused(show(&tokens[0])), Refused::LinkExpired);
        stage.pass(31 * 24 * 3600 * 1000);
        stage.wait(ledger.tidy()).unwrap();
        assert_eq!(refused(show(&tokens[0])), Refused::LinkUnknown);
        show(&tokens[1]).unwrap();
        if let Some(path) = file(stage) {
            assert_eq!(count(&path, "SELECT count(*) FROM outbox"), 0);
            assert_eq!(count(&path, "SELECT count(*) FROM links"), 1);
        }
    });
}

#[test]
fn what_cannot_be_opened_keeps_nothing_back() {
    each(|stage| {
        let Some(path) = file(stage) else { return };
        let ledger = stage.open();
        let connection = rusqlite::Connection::open(path).unwrap();
        let sql = "INSERT INTO outbox (id, sink, sealed, due, tries, since) VALUES (?1, 'mail', ?2, 0, 0, 0)";
        for (id, sealed) in [("o_1", vec![b'f'; 60]), ("o_2", Vec::new())] {
            connection.execute(sql, (id, sealed)).unwrap();
        }
        stage.wait(ledger.send(vec![mail("to Anna")])).unwrap();
        let due = claim(stage, &ledger, "mail");
        assert_eq!((due.len(), due[0].body()), (1, b"to Anna".as_slice()));
        assert_eq!(ledger.set_aside(), 2);
        stage.pass(61_000);
        assert!(stage.wait(ledger.is_due("mail")).unwrap());
        assert_eq!(claim(stage, &ledger, "mail").len(), 1);
        assert_eq!(ledger.set_aside(), 2);
        // A key that nobody named wrote it: that is said at the start.
        drop(ledger);
        let opened = stage.open_under(&[&[1; 32]]).map(drop);
        assert!(matches!(opened, Err(Error::OtherKey(Under::Outbox))));
    });
}

#[test]
fn a_key_stays_named_while_a_link_of_it_is_good() {
    each(|stage| {
        let (old, new) = ([1; 32].as_slice(), [2; 32].as_slice());
        let person = {
            let ledger = stage.open_under(&[new]).unwrap();
            let recorded = stage.record(&ledger, by_staff(ANNA, Kind::Given));
            recorded.event().person.clone()
        };
        {
            let ledger = stage.open_under(&[old, new]).unwrap();
            let links = vec![link(stage, &ledger, 60)];
            stage.wait(ledger.post(person, links, Vec::new())).unwrap();
        }
        let open = || stage.open_under(&[new]).map(drop);
        assert!(matches!(open(), Err(Error::OtherKey(Under::Links))));
        stage.pass(61_000);
        open().unwrap();
    });
}

#[test]
fn what_goes_to_an_address_goes_to_whoever_is_known_and_nobody_else() {
    each(|stage| {
        let ledger = stage.open();
        stage.record(&ledger, by_staff(ANNA, Kind::Given));
        for (to, is_known) in [(ANNA, true), (BOB, false)] {
            let link = link(stage, &ledger, 60);
            let token = link.token().to_owned();
            let post = ledger.post_to(address(to), vec![link], vec![mail(to)]);
            stage.wait(post).unwrap();
            assert_eq!(claim(stage, &ledger, "mail").len(), usize::from(is_known));
            let shown = stage.wait(ledger.show(Use::Preferences, token));
            assert_eq!(shown.is_ok(), is_known);
            let person = stage.wait(ledger.person(at(to))).unwrap();
            assert_eq!(person.is_some(), is_known);
        }
    });
}

#[test]
fn what_a_person_says_after_a_denial_counts_whatever_the_clock_says() {
    each(|stage| {
        let ledger = stage.open();
        let withdrawn = stage.record(&ledger, by_staff(ANNA, Kind::Withdrawn));
        let person = withdrawn.event().person.clone();
        let say = |kind| {
            let link = link(stage, &ledger, 600);
            let token = link.token().to_owned();
            stage
                .wait(ledger.post(person.clone(), vec![link], Vec::new()))
                .unwrap();
            let shown = stage.wait(ledger.show(Use::Preferences, token)).unwrap();
            let who = Who::Person(person.clone());
            // In the very moment of what came before.
            stage
                .wait(ledger.append(draft(who, kind, Channel::Link(shown))))
                .unwrap()
        };
        let given = say(Kind::Given);
        assert_eq!(given.event().at, given.event().recorded);
        assert!(stage.is_valid(&ledger, ANNA));
        // The clock was an hour ahead, and is set right.
        say(Kind::Withdrawn);
        stage.pass(-3_600_000);
        say(Kind::Given);
        assert!(stage.is_valid(&ledger, ANNA));
        say(Kind::Objected);
        say(Kind::ObjectionLifted);
        let standing = stage.standing(&ledger, &super::stage::primary(ANNA));
        assert!(!standing.is_objected() && !standing.is_valid());
    });
}

#[test]
fn a_reference_stands_for_all_that_was_said_under_it() {
    each(|stage| {
        let ledger = stage.open();
        let first = || Draft {
            reference: Some("order-1".to_owned()),
            expires: Some(stage.now() + Duration::from_secs(3600)),
            source: "fair".to_owned(),
            language: Some("en".to_owned()),
            basis: Some("consent".to_owned()),
            ..by_staff(ANNA, Kind::Given)
        };
        let draft = first();
        assert!(stage.record(&ledger, draft.clone()).is_new());
        stage.pass(1000);
        assert!(!stage.record(&ledger, draft.clone()).is_new());
        type Change = fn(&mut Draft);
        let others: [Change; 7] = [
            |draft| draft.expires = None,
            |draft| draft.source = "telephone".to_owned(),
            |draft| draft.language = Some("fr".to_owned()),
            |draft| draft.basis = None,
            |draft| draft.despite_denial = Some("letter".to_owned()),
            |draft| draft.at = Some("2020-01-01T00:00:00Z".parse().unwrap()),
            |draft| {
                draft.text = Some(super::super::ShownText {
                    id: "newsletter".to_owned(),
                    version: "1".to_owned(),
                    sha256: "0".repeat(64),
                });
            },
        ];
        for change in others {
            let mut other = draft.clone();
            change(&mut other);
            assert_eq!(refused(stage.append(&ledger, other)), Refused::Reference);
        }
        // What named its time is not what names none.
        let dated = Draft {
            reference: Some("order-2".to_owned()),
            at: Some("2020-01-01T00:00:00Z".parse().unwrap()),
            ..by_staff(ANNA, Kind::Given)
        };
        stage.record(&ledger, dated.clone());
        let undated = Draft { at: None, ..dated };
        assert_eq!(refused(stage.append(&ledger, undated)), Refused::Reference);
    });
}
