//! Terms stand once a segment, before each event that names them, whatever happens to the disk, the folder or the process.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::super::page::TERMS_MAX;
use super::*;

/// Closes a request that was shown a field: one more kind of terms for each name.
async fn shown(log: &Log, field: &str) -> Result<Closed, AuditUnavailable> {
    let record = decided(new_record(log), &operation("Contacts", &[]));
    let rule = rule(field, &["financial.iban"], Level::Clear, "pay", true);
    record.close(report(vec![rule]), Outcome::Full, 200).await
}

/// The ids of terms that each segment holds, and the events of each that name terms.
fn by_segment(dir: &Path) -> Vec<(Vec<Value>, Vec<Value>)> {
    let segment = |first_seq: u64| {
        let text = fs::read_to_string(dir.join(folder::segment_name(first_seq))).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        let (terms, rest): (Vec<Value>, Vec<Value>) =
            lines.partition(|event: &Value| event["event"] == "terms");
        let named = rest.into_iter().filter(|event| !event["terms"].is_null());
        (terms, named.collect())
    };
    segments(dir).unwrap().into_iter().map(segment).collect()
}

/// That no segment says the same terms twice but after a restart, and each says those that it needs.
fn check(dir: &Path) {
    verified(dir);
    for (terms, named) in by_segment(dir) {
        let ids: BTreeSet<&str> = terms
            .iter()
            .map(|one| one["id"].as_str().unwrap())
            .collect();
        let wanted = named.iter().filter_map(|event| event["terms"].as_str());
        assert!(wanted.clone().all(|id| ids.contains(id)));
        assert_eq!(ids, wanted.collect());
    }
    let _ = lines(dir);
}

#[tokio::test]
async fn each_segment_and_each_start_say_terms_anew_and_only_once() {
    let dir = TempDir::new().unwrap();
    for _ in 0..3 {
        let log = Log::open(Options {
            segment_bytes_max: 6_000,
            ..options(dir.path())
        })
        .unwrap();
        for round in 0..20 {
            let _ = shown(&log, ["a_c", "b_c"][round % 2]).await.unwrap();
        }
        log.stop().unwrap();
    }
    check(dir.path());
    let segments = by_segment(dir.path());
    assert!(segments.len() > 3);
    for (terms, named) in &segments {
        // A segment that two processes wrote says them twice.
        assert!(
            terms.len() <= 4 && terms.len() < named.len().max(3),
            "{terms:?}"
        );
    }
    // What was shown is told in full, whoever said the terms.
    let fields = |event: &Value| event["data"][0]["fields"][0].clone();
    let told: Vec<Value> = lines(dir.path()).iter().map(fields).collect();
    let count = |field: &str| told.iter().filter(|told| **told == field).count();
    assert_eq!((count("Contacts.a_c"), count("Contacts.b_c")), (30, 30));
}

#[tokio::test]
async fn terms_that_did_not_reach_the_disk_are_said_again() {
    let relaxed = Durability::Relaxed(Duration::from_millis(5));
    for durability in [Durability::Strict, relaxed] {
        for (fault, at) in [
            (Failure::Append, 1..2),
            (Failure::Append, 2..3),
            (Failure::Append, 3..6),
            (Failure::Sync, 2..3),
            (Failure::Sync, 3..6),
            (Failure::Begin, 0..2),
        ] {
            let dir = TempDir::new().unwrap();
            let calls = Arc::new(AtomicU64::new(0));
            let faulty = |folder| {
                Box::new(Faulty {
                    folder,
                    dir: dir.path().to_owned(),
                    calls: Arc::clone(&calls),
                    fault,
                    at: at.clone(),
                }) as Box<dyn Disk>
            };
            let options = Options {
                durability,
                segment_bytes_max: 8_000,
                ..options(dir.path())
            };
            let log = Log::open_over(options, faulty).unwrap();
            let began = Instant::now();
            let (mut safe, mut round) = (Vec::new(), 0);
            while safe.len() < 40 || calls.load(Ordering::Relaxed) < at.end {
                assert!(began.elapsed() < Duration::from_secs(20), "does not heal");
                round += 1;
                match shown(&log, ["a_c", "b_c", "d_c"][round % 3]).await {
                    Ok(closed) => safe.push(closed.id().to_owned()),
                    Err(_) => tokio::time::sleep(Duration::from_millis(2)).await,
                }
            }
            log.stop().unwrap();
            check(dir.path());
            let all = lines(dir.path());
            let told = |id: &String| {
                all.iter().any(|event| {
                    event["id"] == **id && event["data"][0]["category"] == "financial.iban"
                })
            };
            assert!(safe.iter().all(told), "{durability:?} {fault:?} {at:?}");
        }
    }
}

#[tokio::test]
async fn behind_a_gap_terms_are_said_again_also_for_what_was_acknowledged_before() {
    let long = Durability::Relaxed(Duration::from_secs(3_600));
    for durability in [Durability::Strict, long] {
        let outer = TempDir::new().unwrap();
        let dir = outer.path().join("log");
        let log = Log::open(Options {
            durability,
            ..Options::new(&dir, &outer.path().join("state"))
        })
        .unwrap();
        let mut safe = Vec::new();
        for field in ["a_c", "b_c", "a_c"] {
            safe.push(shown(&log, field).await.unwrap().id().to_owned());
        }
        fs::remove_file(dir.join(folder::segment_name(1))).unwrap();
        let began = Instant::now();
        while log.figures().gaps == 0 {
            assert!(began.elapsed() < Duration::from_secs(20), "not noticed");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        for field in ["a_c", "b_c"] {
            safe.push(shown(&log, field).await.unwrap().id().to_owned());
        }
        log.stop().unwrap();
        check(&dir);
        let all = lines(&dir);
        let told = |id: &String| {
            all.iter()
                .any(|event| event["id"] == **id && event["data"][0]["records"] == 1)
        };
        // What had been on disk is lost with the segment; what had only been acknowledged is not.
        let expected = match durability {
            Durability::Strict => 2,
            Durability::Relaxed(_) => 5,
        };
        assert_eq!(
            safe.iter().filter(|id| told(id)).count(),
            expected,
            "{durability:?}"
        );
    }
}

#[tokio::test]
async fn beyond_the_bound_of_a_segment_events_say_their_terms_themselves() {
    let dir = TempDir::new().unwrap();
    let log = Log::open(Options {
        durability: Durability::Relaxed(Duration::from_secs(60)),
        ..options(dir.path())
    })
    .unwrap();
    for number in 0..TERMS_MAX + 3 {
        let field = format!("f{}_c", to_letters(number));
        let _ = shown(&log, &field).await.unwrap();
    }
    // What stands in the segment is still named.
    let _ = shown(&log, &format!("f{}_c", to_letters(0))).await.unwrap();
    log.stop().unwrap();
    check(dir.path());
    let segments = by_segment(dir.path());
    let [(terms, named)] = segments.as_slice() else {
        panic!("one segment")
    };
    assert_eq!(terms.len(), TERMS_MAX);
    let is_here = |event: &&Value| event["terms"].is_object();
    assert_eq!(named.iter().filter(is_here).count(), 3);
    assert!(named.last().unwrap()["terms"].is_string());
    let all = lines(dir.path());
    let shown = |event: &&Value| event["data"][0]["records"] == 1;
    assert_eq!(all.iter().filter(shown).count(), TERMS_MAX + 4);
}

/// A number in letters: names with many digits are counted, not named.
fn to_letters(mut number: usize) -> String {
    let mut letters = String::new();
    for _ in 0..4 {
        letters.push(char::from(b'a' + u8::try_from(number % 26).unwrap()));
        number /= 26;
    }
    letters
}

/// Writes a log anew after its events were changed, as somebody does it who knows how; says what `verify` finds.
async fn rewritten(change: impl FnOnce(&mut Vec<Value>)) -> Result<Verified, Fault> {
    let dir = TempDir::new().unwrap();
    let log = Log::open(options(dir.path())).unwrap();
    let _ = shown(&log, "a_c").await.unwrap();
    let _ = shown(&log, "b_c").await.unwrap();
    log.stop().unwrap();
    let mut all = raw(dir.path());
    change(&mut all);
    let mut head = Head::start();
    let mut text = String::new();
    for event in &mut all {
        event["seq"] = (head.seq + 1).into();
        event["prev"] = head.hash.as_str().into();
        event.as_object_mut().unwrap().sort_keys();
        let line = event.to_string();
        head = head.after(&chain::leaf_hash(line.as_bytes()));
        text.push_str(&line);
        text.push('\n');
    }
    fs::write(dir.path().join(folder::segment_name(1)), text).unwrap();
    let unreadable = events(dir.path(), &mut |_| ControlFlow::Continue(())).unwrap();
    let verdict = verify(dir.path(), &mut |_| {});
    assert_eq!(unreadable.unreadable_lines > 0, verdict.is_err());
    verdict
}

#[tokio::test]
async fn an_event_whose_terms_are_missing_or_do_not_fit_is_named() {
    // The segment begins; started, terms, shown, terms, shown, stopped.
    assert_eq!(rewritten(|_| {}).await.unwrap().events, 7);
    let what = |verdict: Result<Verified, Fault>| match verdict {
        Err(Fault::Broken(broken)) => (broken.seq, broken.what),
        other => panic!("{other:?}"),
    };
    let removed = rewritten(|all| {
        all.remove(4);
    });
    assert_eq!(what(removed.await), (5, Tampering::TermsMissing));
    let behind = rewritten(|all| all.swap(2, 3));
    assert_eq!(what(behind.await), (3, Tampering::TermsMissing));
    let changed = rewritten(|all| all[2]["terms"]["data"][0]["level"] = "mask".into());
    assert_eq!(what(changed.await), (3, Tampering::TermsChanged));
    let counted = rewritten(|all| all[3]["counts"] = json!([[1, 2]]));
    assert_eq!(what(counted.await), (4, Tampering::Miscounted));
    let malformed = rewritten(|all| all[3]["outcome"]["kind"] = "whatever".into());
    assert_eq!(what(malformed.await), (4, Tampering::Malformed));
}

/// A log of requests to some CRMs; all of them showed `Contacts/c-1`.
async fn log_of(dir: &Path, upstreams: &[&str]) {
    let log = Log::open(options(dir)).unwrap();
    for upstream in upstreams {
        let record = decided(record_of(&log, upstream), &operation("Contacts", &[]));
        let report = Report {
            refs: refs(1),
            records: 1,
            ..Report::default()
        };
        let _ = record.close(report, Outcome::Full, 200).await.unwrap();
    }
    log.stop().unwrap();
}

/// The records of the events that answer a question, or what is wrong with it.
fn answers(dir: &Path, words: &str) -> Result<Vec<Value>, String> {
    let asked = Query::parse(words.split(' '), jiff::Timestamp::now()).unwrap();
    let mut found = Vec::new();
    let answered = query(dir, &asked, &mut |event| {
        found.push(event.json()["records"]["refs"].clone());
        ControlFlow::Continue(())
    });
    answered.map(|_| found).map_err(|fault| fault.to_string())
}

#[tokio::test]
async fn records_of_two_upstreams_never_mix() {
    let dir = TempDir::new().unwrap();
    log_of(dir.path(), &["crm"]).await;
    let of_one = json!(["Contacts/c-1"]);
    let ask = |words: &str| answers(dir.path(), words);
    assert_eq!(ask("record=Contacts/c-1"), Ok(vec![of_one.clone()]));
    assert_eq!(ask("record=crm:Contacts/c-1"), Ok(vec![of_one]));
    let unknown = ask("record=erp:Contacts/c-1").unwrap_err();
    assert_eq!(
        unknown,
        "no event of this log is of an upstream `erp`; it has crm"
    );

    log_of(dir.path(), &["erp", "crm"]).await;
    let [crm, erp] = ["crm", "erp"].map(|name| json!([format!("{name}:Contacts/c-1")]));
    assert_eq!(ask("record=erp:Contacts/c-1"), Ok(vec![erp]));
    assert_eq!(ask("record=crm:Contacts/c-1"), Ok(vec![crm.clone(), crm]));
    let several = ask("record=Contacts/c-1").unwrap_err();
    assert_eq!(
        several,
        "`Contacts/c-1` may be a record of each upstream of this log (crm, erp); write its name before it: `record=crm:Contacts/c-1`"
    );
    assert_eq!(ask("module=Contacts").unwrap().len(), 3);
}

#[tokio::test]
async fn two_policies_and_two_schemas_never_share_terms() {
    let dir = TempDir::new().unwrap();
    let log = Log::open(options(dir.path())).unwrap();
    let stamp = |hash: &str, schema: &str| PolicyStamp {
        hash: Arc::from(hash),
        schema: Arc::from(schema),
        ..stamp()
    };
    let stamps = [
        stamp("sha256:1", "stock:a"),
        stamp("sha256:2", "stock:a"),
        stamp("sha256:1", "stock:b"),
    ];
    // The very same rule, at the very same address.
    let report = || {
        let rule = rule("iban_c", &["financial.iban"], Level::Clear, "pay", true);
        report(vec![rule])
    };
    let shown = report();
    for stamp in &stamps {
        let record = decided(
            Record::new(&log, arrival(stamp)),
            &operation("Contacts", &[]),
        );
        let report = Report {
            fields: shown.fields.clone(),
            ..report()
        };
        let _ = record.close(report, Outcome::Full, 200).await.unwrap();
    }
    log.stop().unwrap();
    let all = lines(dir.path());
    let told = all.iter().filter(|event| !event["policy"].is_null());
    let told: Vec<_> = told
        .map(|event| {
            (
                event["policy"]["hash"].clone(),
                event["policy"]["schema"].clone(),
            )
        })
        .collect();
    let expected = stamps.map(|stamp| (json!(*stamp.hash), json!(*stamp.schema)));
    assert_eq!(told, expected);
    assert_eq!(count_of(dir.path(), "terms"), 3);
}
