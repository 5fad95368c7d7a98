use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use super::keys::{span, time};
use super::*;
use crate::audit::disclosure::tests::{report, rule};
use crate::audit::tests::{decided, new_record, operation, options, policy_loaded, refs};
use crate::audit::{Classified, Log};
use crate::filter::Report;
use crate::reason::{Outcome, Reason};

/// A log of three requests: fanny sees an IBAN of the first of 1,500 records, somebody is refused, and fanny's
/// write is cut off by a crash. Returns their ids.
async fn sample(dir: &Path) -> [String; 3] {
    let log = Log::open(options(dir)).unwrap();
    let seen = decided(new_record(&log), &operation("Contacts", &["iban_c"]));
    let iban = rule("iban_c", &["financial.iban"], Level::Clear, "pay", true);
    let name = rule("last_name", &["identity.name"], Level::Mask, "base", true);
    let shown = Report {
        refs: refs(1_500),
        ..report(vec![iban, name])
    };
    let refused = new_record(&log);
    let mut cut_off = decided(new_record(&log), &operation("Leads", &[]));
    let ids = [seen.id(), refused.id(), cut_off.id()].map(str::to_owned);
    let _ = seen.close(shown, Outcome::Full, 200).await.unwrap();
    let _ = refused.refuse(403, Some(Reason::NoRole)).await.unwrap();
    let _opened = cut_off.open([]).await.unwrap();
    cut_off.abandon();
    log.stop().unwrap();
    ids
}

fn parse(words: &str) -> Result<Query, QueryError> {
    Query::parse(words.split_whitespace(), Timestamp::now())
}

fn ids(dir: &Path, words: &str) -> Vec<String> {
    let mut found = Vec::new();
    query(dir, &parse(words).unwrap(), &mut |event| {
        found.push(event.id().to_owned());
        ControlFlow::Continue(())
    })
    .unwrap();
    found
}

#[tokio::test]
async fn each_filter_finds_what_it_says() {
    let dir = TempDir::new().unwrap();
    let [seen, refused, cut_off] = sample(dir.path()).await;
    let all = [seen.as_str(), &refused, &cut_off];
    // What a request that was never closed disclosed is not known, so it matches where that counts.
    for (words, expected) in [
        ("caller=fanny", vec![0, 2]),
        ("caller=9b1f", vec![0, 2]),
        ("caller=fan", vec![]),
        ("module=Contacts", vec![0]),
        ("module=Contact", vec![]),
        ("record=Contacts/c-1", vec![0, 2]),
        ("record=Contacts/c-1500", vec![0, 2]),
        ("record=Contacts/c-1501", vec![2]),
        ("category=financial", vec![0, 2]),
        ("category=fin", vec![2]),
        (
            "category=financial.iban level=clear caller=fanny",
            vec![0, 2],
        ),
        ("category=financial level=mask", vec![2]),
        ("level=mask", vec![0, 2]),
        ("outcome=denied", vec![1, 2]),
        ("action=read", vec![0, 2]),
        ("purpose=payment", vec![]),
        ("record=Contacts/c-1 level=clear module=Contacts", vec![0]),
        (&format!("id={refused}"), vec![1]),
        ("since=1h caller=fanny", vec![0, 2]),
        ("until=1h", vec![]),
    ] {
        let expected: Vec<_> = expected.into_iter().map(|index| all[index]).collect();
        assert_eq!(ids(dir.path(), words), expected, "{words}");
    }
    // With those that begin the segment and the log.
    assert_eq!(ids(dir.path(), "").len(), 6);
}

/// A log of two refused requests that named a field; with `classified`, the policy is known.
async fn refused(dir: &Path, classified: Option<&Classified>) -> [String; 2] {
    let log = Log::open(options(dir)).unwrap();
    if let Some(classified) = classified {
        log.write(policy_loaded(classified)).await.unwrap();
    }
    let mut ids = Vec::new();
    for field in ["religion_c", "phone_work"] {
        let record = decided(new_record(&log), &operation("Contacts", &[field]));
        ids.push(record.id().to_owned());
        let refused = record.refuse(403, Some(Reason::FieldNotUsable)).await;
        let _ = refused.unwrap();
    }
    log.stop().unwrap();
    ids.try_into().unwrap()
}

fn summary(dir: &Path, words: &str) -> Summary {
    query(dir, &parse(words).unwrap(), &mut |_| {
        ControlFlow::Continue(())
    })
    .unwrap()
}

#[tokio::test]
async fn a_category_finds_refused_requests_by_the_fields_that_they_named() {
    let dir = TempDir::new().unwrap();
    let mut classified = Classified::default();
    let contacts = crate::vocabulary::Module::new("Contacts");
    classified.add(&contacts, "*relig*", &[Category::new("special.belief")]);
    classified.add(&contacts, "phone_work", &[Category::new("contact.phone")]);
    let [religion, phone] = refused(dir.path(), Some(&classified)).await;
    assert_eq!(ids(dir.path(), "category=special"), [religion.as_str()]);
    assert_eq!(
        ids(dir.path(), "category=special.belief outcome=denied"),
        [religion]
    );
    assert_eq!(ids(dir.path(), "category=contact.phone"), [phone]);
    // Nothing was shown at a level.
    assert!(ids(dir.path(), "category=special level=hide").is_empty());
    // A category that exists and was not met is no mistake, one that cannot exist is.
    for words in ["category=financial.iban", "category=contact", "module=x"] {
        assert_eq!(summary(dir.path(), words).unheard_of, None, "{words}");
    }
    let told = summary(dir.path(), "category=special.beleif").unheard_of;
    assert_eq!(
        told.as_deref(),
        Some("unknown category `special.beleif`; did you mean `special.belief`?")
    );
    assert_eq!(summary(dir.path(), "category=special").untold, 0);
}

#[tokio::test]
async fn what_a_log_cannot_tell_of_a_category_is_said() {
    let dir = TempDir::new().unwrap();
    refused(dir.path(), None).await;
    let told = summary(dir.path(), "category=special");
    assert_eq!((told.untold, told.unheard_of), (2, None));
    let told = summary(dir.path(), "category=special outcome=full");
    assert_eq!(told.untold, 0);
}

#[tokio::test]
async fn a_decision_is_shown_with_all_its_events() {
    let dir = TempDir::new().unwrap();
    let [seen, ..] = sample(dir.path()).await;
    let mut phases = Vec::new();
    show(dir.path(), &seen, Pages::Index, &mut |found| {
        phases.push(found.json()["phase"].to_string());
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(phases, ["\"continued\"", "\"closed\""]);
}

#[test]
fn what_is_not_understood_is_said_with_a_suggestion() {
    for (words, message) in [
        (
            "calller=x",
            "unknown filter `calller`; did you mean `caller`?",
        ),
        (
            "level=cleer",
            "unknown level `cleer`; did you mean `clear`?",
        ),
        (
            "outcome=denid",
            "unknown outcome `denid`; did you mean `denied`?",
        ),
        (
            "caller=a caller=b",
            "`caller` is given twice; several values stand in one, with commas: `caller=one,other`",
        ),
        ("caller=", "`caller=` has no value"),
        (
            "record=c-1",
            "`c-1` is not a record; write its module and id: `record=Contacts/c-1`",
        ),
    ] {
        assert_eq!(parse(words).unwrap_err().to_string(), message);
    }
    assert!(
        parse("fanny")
            .unwrap_err()
            .to_string()
            .starts_with("`fanny` is not a filter")
    );
    for time in [
        "yesterday",
        "-7d",
        "7",
        "d",
        "7y",
        "99999999999999d",
        "2026-13-01",
    ] {
        assert!(parse(&format!("since={time}")).is_err(), "{time}");
    }
}

#[test]
fn times_are_absolute_or_counted_back() {
    let now: Timestamp = "2026-11-23T09:04:11.482Z".parse().unwrap();
    for (word, expected) in [
        ("7d", "2026-11-16T09:04:11.482Z"),
        ("24h", "2026-11-22T09:04:11.482Z"),
        ("30m", "2026-11-23T08:34:11.482Z"),
        ("2026-01-01", "2026-01-01T00:00:00.000Z"),
        ("2026-01-01T10:00:00+02:00", "2026-01-01T08:00:00.000Z"),
    ] {
        assert_eq!(time(word, now).unwrap(), expected);
    }
    assert!(span("1w").unwrap() == SignedDuration::try_from(Duration::from_secs(604_800)).unwrap());
}
