//! A log that an earlier version wrote is read, verified and gone on with.

use std::ops::ControlFlow;

use super::*;

/// What version 1 wrote: of fanny, a reading whose records are named by two events, a refusal, an envelope with a part, and a
/// write that was never closed; and a refusal of somebody unknown.
fn version_1(dir: &Path) -> String {
    let name = folder::segment_name(1);
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/audit-v1");
    let text = fs::read_to_string(data.join(&name)).unwrap();
    fs::write(dir.join(&name), &text).unwrap();
    text
}

fn found(dir: &Path, words: &str) -> Vec<String> {
    let asked = Query::parse(words.split(' '), jiff::Timestamp::now()).unwrap();
    let mut all = Vec::new();
    query(dir, &asked, &mut |found| {
        all.push(found.json().to_string());
        ControlFlow::Continue(())
    })
    .unwrap();
    all
}

#[test]
fn what_version_1_wrote_is_read_as_it_stands() {
    let dir = TempDir::new().unwrap();
    let text = version_1(dir.path());
    let mut all = Vec::new();
    let summary = events(dir.path(), &mut |found| {
        all.push(found.json().to_string());
        ControlFlow::Continue(())
    });
    assert_eq!(summary.unwrap().unreadable_lines, 0);
    assert_eq!(all, text.lines().collect::<Vec<_>>());
    assert!(all.iter().all(|line| line.contains("\"v\":1}")));
    assert_eq!(verified(dir.path()).unclosed.len(), 1);
}

#[tokio::test]
async fn a_log_of_version_1_goes_on_in_version_2_and_answers_from_both() {
    let dir = TempDir::new().unwrap();
    let before = version_1(dir.path()).lines().count() as u64;
    let questions = [
        ("caller=fanny outcome=partial", 2),
        ("record=Contacts/c-1", 2),
        ("record=Contacts/c-5", 2),
        ("record=Contacts/c-6", 1),
        ("category=financial.iban level=clear", 2),
        ("category=special outcome=denied", 2),
        ("purpose=payment outcome=partial", 2),
        ("module=Contacts outcome=full", 2),
        ("outcome=challenged", 1),
    ];
    for (words, count) in questions {
        assert_eq!(found(dir.path(), words).len(), count, "{words}");
    }
    let log = Log::open(options(dir.path())).unwrap();
    let purpose = PurposeChosen {
        purpose: Purpose::new("payment"),
        chosen_by: "default",
        basis: Arc::from("legal-obligation"),
    };
    let meant = operation("Contacts", &["iban_c"]);
    let meaning = Meaning {
        operation: &meant,
        knows_field: &|_| true,
        knows_module: &|_| true,
    };
    let record = new_record(&log).identified(Some(&fanny()));
    let record = record.decided((&[Role::new("finance")], Some(&purpose)), meaning);
    let iban = rule("iban_c", &["financial.iban"], Level::Clear, "pay", true);
    let shown = Report {
        refs: refs(5),
        records: 5,
        ..report(vec![iban])
    };
    let _ = record.close(shown, Outcome::Partial, 200).await.unwrap();
    let denied = decided(new_record(&log), &operation("Contacts", &["religion_c"]));
    let refused = denied.refuse(403, Some(Reason::FieldNotUsable)).await;
    let _ = refused.unwrap();
    log.stop().unwrap();
    let more = [1, 1, 1, 0, 1, 1, 1, 0, 0];
    for ((words, count), more) in questions.into_iter().zip(more) {
        assert_eq!(found(dir.path(), words).len(), count + more, "{words}");
    }
    assert!(verified(dir.path()).events > before + 4);
    // And once more, behind events of both versions.
    Log::open(options(dir.path())).unwrap().stop().unwrap();
    verified(dir.path());
}

#[test]
fn a_changed_event_of_version_1_is_found() {
    let dir = TempDir::new().unwrap();
    let text = version_1(dir.path());
    let path = dir.path().join(folder::segment_name(1));
    fs::write(&path, text.replacen("\"count\":5", "\"count\":4", 1)).unwrap();
    let fault = verify(dir.path(), &mut |_| {}).unwrap_err();
    assert!(matches!(fault, Fault::Broken(_)), "{fault}");
}
