//! Answers with and without an index are the same.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use tempfile::TempDir;

use crate::audit::disclosure::tests::{report, rule};
use crate::audit::folder::{segment_name, segments};
use crate::audit::query::{Page, Pages, Query, Summary};
use crate::audit::tests::{
    close, decided, new_record, operation, options, policy_loaded, record_of, refs,
};
use crate::audit::{Classified, Clock, Log, Options};
use crate::filter::Report;
use crate::reason::{Outcome, Reason};
use crate::vocabulary::{Category, Level, Module, RecordRef};

use super::build::{Kind, words_from};
use super::store::{Table, Unusable};
use super::{Builder, Fit, State, Store, block, fit, reindex, store};

/// Numbers that are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// A clock that goes on by a second each time it is asked, and now and then steps back.
fn clock(begins: i64) -> Clock {
    let now = Arc::new(AtomicI64::new(begins));
    Clock::telling(move || {
        let count = now.fetch_add(1, Ordering::Relaxed);
        let back = if count % 31 == 0 { 7 } else { 0 };
        Timestamp::from_second(1_796_000_000 + count - back).unwrap()
    })
}

fn classified(second: bool) -> Classified {
    let contacts = Module::new("Contacts");
    let mut classified = Classified::default();
    classified.add(&contacts, "*relig*", &[Category::new("special.belief")]);
    if second {
        let phone = [Category::new("contact.phone")];
        classified.add(&contacts, "phone_work", &phone);
    }
    classified
}

/// Writes requests of all kinds into a log, in small segments.
async fn write(dir: &Path, numbers: &mut Numbers, requests: usize, begins: i64) {
    let small = Options {
        segment_bytes_max: 9_000,
        clock: clock(begins),
        ..options(dir)
    };
    let log = Log::open(small).unwrap();
    for number in 0..requests {
        if number % 40 == 25 {
            let event = policy_loaded(&classified(number > 40));
            log.write(event).await.unwrap();
        }
        request(&log, numbers).await;
    }
    log.stop().unwrap();
}

async fn request(log: &Log, numbers: &mut Numbers) {
    let module = *numbers.one(&["Contacts", "Leads"]);
    let fields = *numbers.one(&[
        &["iban_c"][..],
        &["religion_c"],
        &["phone_work", "iban_c"],
        &[],
    ]);
    let upstream = *numbers.one(&["crm", "crm", "crm"]);
    let mut record = decided(record_of(log, upstream), &operation(module, fields));
    let level = *numbers.one(&Level::ALL);
    let category = *numbers.one(&["financial.iban", "contact.email"]);
    let rules = vec![
        rule("iban_c", &[category], level, "pay", true),
        rule("last_name", &["identity.name"], Level::Mask, "base", true),
    ];
    let mut shown = report(rules);
    shown.refs = (0..numbers.below(4))
        .map(|_| RecordRef {
            module: Module::new(module),
            id: Arc::from(format!("c-{}", numbers.below(12))),
        })
        .collect();
    shown.records = shown.refs.len() as u64;
    match numbers.below(9) {
        0 => {
            let _ = record.refuse(403, Some(Reason::FieldNotUsable)).await;
        }
        1 => {
            let _ = new_record(log).refuse(403, Some(Reason::NoRole)).await;
            record.abandon();
        }
        2 => {
            let _opened = record.open([]).await.unwrap();
            record.abandon();
        }
        3 => {
            let _opened = record.open([]).await.unwrap();
            record.refs(&refs(3)).await.unwrap();
            if numbers.below(3) == 0 {
                record.abandon();
            } else {
                let _ = record.close(Report::default(), Outcome::Partial, 200).await;
            }
        }
        4 => {
            let _ = close(new_record(log)).await;
            record.abandon();
        }
        _ => {
            let _ = record.close(shown, Outcome::Full, 200).await.unwrap();
        }
    }
}

/// Some filters, as somebody might write them.
fn filters(numbers: &mut Numbers, ids: &[String], times: &[String]) -> Vec<String> {
    let mut words = Vec::new();
    let mut add = |numbers: &mut Numbers, chance: usize, key: &str, values: &[&str]| {
        if numbers.below(chance) == 0 {
            let mut some = vec![*numbers.one(values)];
            if numbers.below(3) == 0 {
                some.push(*numbers.one(values));
            }
            words.push(format!("{key}={}", some.join(",")));
        }
    };
    add(numbers, 4, "caller", &["fanny", "9b1f", "nobody"]);
    add(numbers, 5, "module", &["Contacts", "Leads", "Accounts"]);
    let records = [
        "Contacts/c-1",
        "Contacts/c-2",
        "Leads/c-3",
        "Contacts/c-11",
        "Leads/none",
    ];
    add(numbers, 3, "record", &records);
    let categories = [
        "financial",
        "contact.email",
        "contact.phone",
        "special",
        "identity",
        "nothing.such",
    ];
    add(numbers, 3, "category", &categories);
    add(numbers, 6, "field", &["iban_c", "Contacts.religion_c", "x"]);
    add(numbers, 5, "level", &["clear", "hide", "mask"]);
    add(
        numbers,
        6,
        "use",
        &["shown", "matched", "sorted", "written", "exported"],
    );
    add(numbers, 6, "outcome", &["full", "denied", "partial"]);
    add(
        numbers,
        8,
        "reason",
        &["no-role", "field-not-usable", "no-purpose"],
    );
    add(numbers, 9, "origin", &["10.2.14.0/24", "10.9.9.9"]);
    add(
        numbers,
        9,
        "policy",
        &["sugarcrm-eu", "sha256:5d41", "other"],
    );
    add(numbers, 7, "action", &["read", "list"]);
    let ids: Vec<&str> = ids.iter().map(String::as_str).chain(["01NONE"]).collect();
    add(numbers, 6, "id", &ids);
    for key in ["since", "until"] {
        if numbers.below(4) == 0 {
            words.push(format!("{key}={}", numbers.one(times)));
        }
    }
    words
}

/// What a question finds: the events, and what is said of them.
fn found(dir: &Path, words: &[String], page: Page, pages: Pages) -> (Vec<String>, Summary) {
    let mut events = Vec::new();
    let query = Query::parse(words.iter().map(String::as_str), Timestamp::now());
    let Ok(query) = query else {
        return (Vec::new(), Summary::default());
    };
    let summary = query.answer(dir, page, pages, &mut |event| {
        events.push(event.json().to_string());
        ControlFlow::Continue(())
    });
    (events, summary.unwrap())
}

/// Asks many questions with and without the index; each answer must be the same. Returns how many events were found, and up to
/// which event the index was asked.
fn compare(dir: &Path, numbers: &mut Numbers) -> (usize, Option<u64>) {
    let all = found(dir, &[], Page::default(), Pages::Segments).0;
    let value = |number: usize, key: &str| {
        let event: serde_json::Value = serde_json::from_str(&all[number]).unwrap();
        event[key].as_str().unwrap().to_owned()
    };
    let places: Vec<usize> = (0..20).map(|_| numbers.below(all.len())).collect();
    let ids: Vec<String> = places.iter().map(|place| value(*place, "id")).collect();
    let times: Vec<String> = places.iter().map(|place| value(*place, "time")).collect();
    let (mut count, mut up_to) = (0, None);
    for _ in 0..60 {
        let words = filters(numbers, &ids, &times);
        let page = Page {
            limit: *numbers.one(&[None, Some(1), Some(5)]),
            before: *numbers.one(&[None, None, Some(90)]),
            after: *numbers.one(&[None, None, None, Some(40)]),
        };
        let (expected, said) = found(dir, &words, page, Pages::Segments);
        let (events, summary) = found(dir, &words, page, Pages::Index);
        assert_eq!(events, expected, "{words:?} {page:?}");
        up_to = up_to.max(summary.index.up_to);
        assert_eq!(summary.index.notes, Vec::<String>::new(), "{words:?}");
        let summary = Summary {
            index: said.index.clone(),
            ..summary
        };
        assert_eq!(summary, said, "{words:?} {page:?}");
        count += events.len();
    }
    (count, up_to)
}

#[tokio::test]
async fn answers_with_and_without_it_are_the_same() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    let mut numbers = Numbers(5);
    write(dir, &mut numbers, 90, 0).await;
    assert!(segments(dir).unwrap().len() > 3);
    let (count, up_to) = compare(dir, &mut numbers);
    assert!(count > 150, "{count}");
    let first = up_to.unwrap();
    // The log grows: what is new is added, and the last stretch is read from the segment.
    write(dir, &mut numbers, 60, 500).await;
    let (_, up_to) = compare(dir, &mut numbers);
    assert!(up_to.unwrap() > first + 60);
    // The oldest segments go.
    let numbers_of = segments(dir).unwrap();
    for first_seq in &numbers_of[..2] {
        fs::remove_file(dir.join(segment_name(*first_seq))).unwrap();
    }
    compare(dir, &mut numbers);
    let state = State::read(&Store::read(dir).unwrap()).unwrap();
    assert_eq!(state.segments[0].first_seq, numbers_of[2]);
    assert!(matches!(
        fit(dir, &state, &|| false),
        Ok(Fit::Fits { pruned: None })
    ));
}

#[tokio::test]
async fn one_that_is_no_use_is_built_anew_and_that_is_said() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    let mut numbers = Numbers(7);
    write(dir, &mut numbers, 60, 0).await;
    let expected = found(dir, &[], Page::default(), Pages::Segments).0;
    reindex(dir, &mut |_| {}).unwrap();
    let path = store::path(dir);
    let whole = fs::read(&path).unwrap();
    let ask = |what: &str| {
        let (events, summary) = found(dir, &[], Page::default(), Pages::Index);
        assert_eq!(events, expected, "{what}");
        let again = found(dir, &[], Page::default(), Pages::Index).1;
        assert_eq!(again.index.notes, Vec::<String>::new(), "{what}");
        assert!(again.index.up_to.is_some(), "{what}");
        summary.index.notes
    };
    assert!(ask("whole").is_empty());
    fs::write(
        &path,
        b"not a database, but some other file of sufficient length",
    )
    .unwrap();
    assert!(ask("foreign")[0].contains("built anew"));
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert!(ask("cut").iter().any(|note| note.contains("the index")));
    let later = rusqlite::Connection::open(&path).unwrap();
    later.execute_batch("PRAGMA user_version = 99").unwrap();
    drop(later);
    assert!(ask("later")[0].contains("a later version of Paravent wrote it"));
    // Another log's.
    let other = TempDir::new().unwrap();
    write(other.path(), &mut numbers, 50, 0).await;
    reindex(other.path(), &mut |_| {}).unwrap();
    fs::copy(store::path(other.path()), &path).unwrap();
    assert!(ask("another log's")[0].contains("another log"));
}

#[tokio::test]
async fn a_bit_that_flips_changes_no_answer() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    let mut numbers = Numbers(11);
    write(dir, &mut numbers, 40, 0).await;
    reindex(dir, &mut |_| {}).unwrap();
    let path = store::path(dir);
    let whole = fs::read(&path).unwrap();
    assert!(whole.len() > 4_096);
    let questions = [
        vec![],
        vec!["record=Contacts/c-1".to_owned()],
        vec!["level=mask".to_owned()],
    ];
    let expected: Vec<_> = questions
        .iter()
        .map(|words| found(dir, words, Page::default(), Pages::Segments).0)
        .collect();
    for _ in 0..25 {
        let mut flipped = whole.clone();
        let place = numbers.below(flipped.len());
        flipped[place] ^= 1 << numbers.below(8);
        fs::write(&path, &flipped).unwrap();
        for (words, expected) in questions.iter().zip(&expected) {
            let (events, _) = found(dir, words, Page::default(), Pages::Index);
            assert_eq!(events, *expected, "{place} {words:?}");
        }
    }
}

#[tokio::test]
async fn a_log_that_was_changed_is_read_anew() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    let mut numbers = Numbers(13);
    write(dir, &mut numbers, 60, 0).await;
    reindex(dir, &mut |_| {}).unwrap();
    let first = segments(dir).unwrap()[1];
    let path = dir.join(segment_name(first));
    let text = fs::read_to_string(&path).unwrap();
    let changed = text.replace("\"name\":\"fanny\"", "\"name\":\"marie\"");
    assert_ne!(text, changed);
    fs::write(&path, changed).unwrap();
    let words = ["caller=marie".to_owned()];
    let expected = found(dir, &words, Page::default(), Pages::Segments).0;
    let (events, summary) = found(dir, &words, Page::default(), Pages::Index);
    assert_eq!(events, expected);
    assert!(!events.is_empty());
    assert!(summary.index.notes[0].contains("is not what was indexed"));
}

#[tokio::test]
async fn terms_that_are_not_what_their_id_says_are_no_answer() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    let mut numbers = Numbers(17);
    write(dir, &mut numbers, 60, 0).await;
    reindex(dir, &mut |_| {}).unwrap();
    let words = ["level=mask".to_owned()];
    let expected = found(dir, &words, Page::default(), Pages::Segments).0;
    assert!(!expected.is_empty());
    // Whoever may write the folder makes the sums, too.
    let builder = Builder::open(dir, block::EVENTS).unwrap();
    let from = words_from(Kind::Terms);
    let mut others = Vec::new();
    let places = from..from + u64::from(u32::MAX);
    builder
        .store
        .each(Table::Words, places, &mut |place, body| {
            let body = String::from_utf8(body.to_vec()).unwrap();
            others.push((place, body.replace("\"mask\"", "\"hide\"")));
            Ok(())
        })
        .unwrap();
    for (place, body) in others {
        builder
            .store
            .put(Table::Words, place, body.as_bytes())
            .unwrap();
    }
    builder.store.commit().unwrap();
    drop(builder);
    let (events, summary) = found(dir, &words, Page::default(), Pages::Index);
    assert_eq!(events, expected);
    assert!(
        summary.index.notes.concat().contains("what their id says"),
        "{summary:?}"
    );
}

#[tokio::test]
async fn no_index_is_made_or_taken_away_along_a_link() {
    let dir = TempDir::new().unwrap();
    let elsewhere = TempDir::new().unwrap();
    let dir = dir.path();
    write(dir, &mut Numbers(19), 40, 0).await;
    let _ = fs::remove_dir_all(dir.join("index"));
    std::os::unix::fs::symlink(elsewhere.path(), dir.join("index")).unwrap();
    let foreign = elsewhere.path().join("index.sqlite");
    for before in [None, Some("of somebody else")] {
        if let Some(text) = before {
            fs::write(&foreign, text).unwrap();
        }
        let error = reindex(dir, &mut |_| {}).unwrap_err().to_string();
        assert!(error.contains("is not a folder of the user"), "{error}");
        let expected = found(dir, &[], Page::default(), Pages::Segments).0;
        assert_eq!(found(dir, &[], Page::default(), Pages::Index).0, expected);
        assert_eq!(fs::read_to_string(&foreign).ok().as_deref(), before);
    }
}

#[tokio::test]
async fn hashing_ends_when_nobody_waits_for_it() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    write(dir, &mut Numbers(23), 40, 0).await;
    reindex(dir, &mut |_| {}).unwrap();
    let mut state = State::read(&Store::read(dir).unwrap()).unwrap();
    // Files that the system says are others are hashed.
    for segment in &mut state.segments {
        segment.file = None;
    }
    assert!(matches!(fit(dir, &state, &|| false), Ok(Fit::Fits { .. })));
    assert!(matches!(fit(dir, &state, &|| true), Err(Unusable::Stopped)));
}

#[test]
fn stretches_are_read_as_they_are_written() {
    let block = block::Block {
        kinds: vec![0, 1, 7],
        lengths: vec![10, 20, 30],
        head: block::Head {
            offset: 5,
            ..block::Head::default()
        },
    };
    let read = block::Block::read(&block.body().unwrap()).unwrap();
    assert_eq!((&read.kinds, read.offset_of(2)), (&block.kinds, 35));
    assert!(block::Block::read(b"{}").is_err());
    let body = block::keys_body(&mut [(9, 1), (3, 2), (9, 0)]);
    assert_eq!(block::find(&body, 9).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(block::find(&body, 4).count(), 0);
}
