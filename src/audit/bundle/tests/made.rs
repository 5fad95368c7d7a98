//! What a bundle holds, and what it does not.

use super::*;

#[tokio::test]
async fn a_bundle_holds_what_was_asked_for_and_is_valid_for_whoever_has_the_key() {
    let log = Signed::new(&Shape::of(20)).await;
    let found = log.exported("a.zip", &Wish::of(&["caller=a1"]));
    assert!(found.is_vouched());
    assert!(found.events > 5 && found.events < 20, "{found:?}");
    assert_eq!(
        (found.unproved, found.left_out, found.complete),
        (0, 0, None)
    );
    assert_eq!(found.logs.len(), 1);
    assert_eq!(found.logs[0].sizes.len(), 2);
    let mut files = taken(&log.out("a.zip"));
    let lines = String::from_utf8(file(&mut files, "events.jsonl").clone()).unwrap();
    let events: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    // Each line stands in the log, byte by byte; so do its terms, and where its log begins.
    let all: Vec<String> = segments(log.path())
        .unwrap()
        .into_iter()
        .flat_map(|first| {
            let text = fs::read_to_string(log.path().join(segment_name(first))).unwrap();
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    assert!(
        lines
            .lines()
            .all(|line| all.iter().any(|known| known == line))
    );
    assert!(events.iter().any(|event| event["event"] == "terms"));
    assert_eq!(events[0]["event"], "audit.segment");
    let page = String::from_utf8(file(&mut files, "index.html").clone()).unwrap();
    assert!(page.contains("case &#60;2026-17&#62; &#38; more"), "{page}");
    assert!(page.contains("&#60;b&#62;amal&#60;/b&#62;") && !page.contains("<b>amal"));
    assert!(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"));
    let french = Wish {
        lang: Lang::Fr,
        ..Wish::of(&["caller=z"])
    };
    log.exported("fr.zip", &french);
    let page = String::from_utf8(file(&mut taken(&log.out("fr.zip")), "index.html").clone());
    let page = page.unwrap();
    assert!(page.contains("journal d’accès") && page.contains("lang=\"fr\""));
    assert!(
        !page.contains('\u{202e}') && page.contains("zoé \\u{202e}x"),
        "{page}"
    );
}

#[tokio::test]
async fn whatever_happened_in_a_decision_that_matches_is_in_it() {
    let log = Signed::new(&Shape::of(8)).await;
    log.exported("a.zip", &Wish::of(&["outcome=full"]));
    let lines = String::from_utf8(file(&mut taken(&log.out("a.zip")), "events.jsonl").clone());
    let lines = lines.unwrap();
    let count = |word: &str| lines.matches(word).count();
    assert_eq!(count("\"phase\":\"closed\""), 8);
    assert_eq!(count("\"phase\":\"opened\""), 6);
}

#[tokio::test]
async fn a_complete_bundle_leaves_nothing_out() {
    let log = Signed::new(&Shape::of(20)).await;
    let found = log.exported("a.zip", &Wish::complete(&["caller=a1"]));
    let (first, last) = found.complete.unwrap();
    let matching = log.requests.iter().filter(|seq| **seq % 3 == 1);
    let matching: Vec<u64> = matching.copied().collect();
    assert!(first <= matching[0] && last >= *matching.last().unwrap());
    assert!(found.events + found.others > last - first);
    assert!(found.holes.is_empty());
}

#[tokio::test]
async fn the_same_question_makes_the_same_bundle() {
    let log = Signed::new(&Shape::of(10)).await;
    for wish in [Wish::of(&["caller=a1"]), Wish::complete(&["caller=a1"])] {
        let made: Vec<Vec<u8>> = ["a.zip", "b.zip"]
            .iter()
            .map(|name| {
                let made = log.export(name, &wish).unwrap();
                let bytes = fs::read(log.out(name)).unwrap();
                let hash = aws_lc_rs::digest::digest(&SHA256, &bytes);
                assert_eq!(hex(hash.as_ref()), made.sha256);
                fs::remove_file(log.out(name)).unwrap();
                bytes
            })
            .collect();
        assert_eq!(made[0], made[1]);
    }
}

#[tokio::test]
async fn other_programs_read_the_zip() {
    let log = Signed::new(&Shape::of(5)).await;
    log.exported("a.zip", &Wish::of(&[]));
    let mut zip = zip::ZipArchive::new(fs::File::open(log.out("a.zip")).unwrap()).unwrap();
    let files = taken(&log.out("a.zip"));
    assert_eq!(zip.len(), files.len());
    for (place, (name, bytes)) in files.iter().enumerate() {
        let mut found = zip.by_index(place).unwrap();
        assert_eq!(
            (&*found.name().unwrap(), found.unix_mode()),
            (name.as_str(), Some(0o100_644))
        );
        let mut read = Vec::new();
        std::io::Read::read_to_end(&mut found, &mut read).unwrap();
        assert_eq!(read, *bytes, "{name}");
    }
}

#[tokio::test]
async fn what_no_checkpoint_covers_is_left_out_or_marked() {
    let shape = Shape {
        unsigned: 9,
        ..Shape::of(20)
    };
    let log = Signed::new(&shape).await;
    let found = log.exported("a.zip", &Wish::of(&[]));
    assert!(found.left_out > 0 && found.unproved == 0 && found.is_vouched());
    let wish = Wish {
        unsigned: true,
        ..Wish::of(&[])
    };
    log.export("b.zip", &wish).unwrap();
    let Verdict::Whole(all) = verify(&log.out("b.zip"), &log.keys(), &[]).unwrap() else {
        panic!("altered")
    };
    assert_eq!((all.unproved, all.left_out), (9, 0));
    assert_eq!(all.events + all.others, found.events + found.others + 9);
    assert!(!all.is_vouched(), "nobody has signed all of it");
    let page = file(&mut taken(&log.out("b.zip")), "index.html").clone();
    let page = String::from_utf8(page).unwrap();
    assert!(page.contains("<strong>not proved</strong>"));
    // Behind the last checkpoint there is only what nobody has signed.
    let last = raw(log.path())
        .into_iter()
        .rev()
        .find(|event| event.get("phase").is_some());
    let id = format!("id={}", last.unwrap()["id"].as_str().unwrap());
    let error = log.export("c.zip", &Wish::of(&[&id])).unwrap_err();
    assert!(error.to_string().contains("--unsigned"), "{error}");
    assert!(!log.out("c.zip").exists());
}

#[tokio::test]
async fn a_log_that_nobody_signs_proves_nothing() {
    let dir = TempDir::new().unwrap();
    requests(dir.path(), &Shape::of(3)).await;
    let out = dir.path().join("a.zip");
    let error = Wish::of(&[]).export(dir.path(), &out).unwrap_err();
    assert!(matches!(error, ExportError::Nothing(_)), "{error}");
    let wish = Wish {
        unsigned: true,
        ..Wish::of(&[])
    };
    wish.export(dir.path(), &out).unwrap();
    let (key, _) = SigningKey::generate("paravent").unwrap();
    let Verdict::Whole(found) = verify(&out, &[key.public().clone()], &[]).unwrap() else {
        panic!("altered")
    };
    assert!(!found.is_vouched() && found.logs.is_empty());
    assert_eq!(found.unproved, found.events + found.others);
}

#[tokio::test]
async fn a_gap_is_told() {
    let shape = Shape {
        gaps: vec![2],
        ..Shape::of(20)
    };
    let log = Signed::new(&shape).await;
    let found = log.exported("a.zip", &Wish::complete(&[]));
    assert_eq!(found.logs.len(), 2);
    assert_eq!(found.holes.len(), 1);
    assert!(found.complete.is_none() && !found.is_vouched());
    let (first, last) = found.holes[0];
    assert_eq!(last, first + 1, "two events are missing");
    assert_eq!(found.logs[1].events.0, last + 1);
    assert!(log.exported("b.zip", &Wish::of(&[])).is_vouched());
}

#[tokio::test]
async fn nothing_is_written_over_and_nothing_is_left_behind() {
    let log = Signed::new(&Shape::of(5)).await;
    fs::write(log.out("a.zip"), "mine").unwrap();
    let error = log.export("a.zip", &Wish::of(&[])).unwrap_err();
    assert!(matches!(error, ExportError::Taken { .. }), "{error}");
    assert_eq!(fs::read(log.out("a.zip")).unwrap(), b"mine");
    let error = log
        .export("b.zip", &Wish::of(&["caller=nobody"]))
        .unwrap_err();
    assert!(matches!(error, ExportError::Nothing(_)), "{error}");
    let error = log.export("none/c.zip", &Wish::of(&[])).unwrap_err();
    assert!(matches!(error, ExportError::Unwritable { .. }), "{error}");
    log.export("d.zip", &Wish::of(&[])).unwrap();
    let names = fs::read_dir(log.path()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let left: Vec<String> = names.filter(|name| name.contains(".part")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn a_log_that_is_not_what_was_signed_makes_no_bundle() {
    let changed: fn(String) -> String = |text| text.replacen("10.2.14.0", "10.2.15.0", 1);
    let cut: fn(String) -> String = |text| {
        let last = text[..text.len() - 1].rfind('\n').unwrap();
        text[..=last].to_owned()
    };
    let spaced: fn(String) -> String = |text| text.replacen("{\"", "{ \"", 1);
    for (tamper, is_last, word) in [
        (changed, false, "otherwise"),
        (cut, true, "are here"),
        (spaced, false, "lines that are not events"),
    ] {
        let log = Signed::new(&Shape::of(12)).await;
        let all = segments(log.path()).unwrap();
        let segment = if is_last { all[all.len() - 1] } else { all[1] };
        let path = log.path().join(segment_name(segment));
        fs::write(&path, tamper(fs::read_to_string(&path).unwrap())).unwrap();
        let error = log.export("a.zip", &Wish::of(&[])).unwrap_err();
        let ExportError::Broken(what) = error else {
            panic!("{error}")
        };
        assert!(what.contains(word), "{what}");
        assert!(!log.out("a.zip").exists());
    }
}

#[tokio::test]
async fn a_checkpoint_from_elsewhere_shows_that_the_log_is_the_one_of_then() {
    let log = Signed::new(&Shape::of(12)).await;
    let lines = raw(log.path());
    let leaves: Vec<Hash> = lines
        .iter()
        .map(|event| leaf(serde_json::to_string(event).unwrap().as_bytes()))
        .collect();
    let at = |size: usize| Tree::of(&leaves[..size]);
    let given = |tree: &Tree, key: &SigningKey, id: &str| {
        [(PathBuf::from("elsewhere"), signed(key, id, tree))]
    };
    fn wish(checkpoints: &[(PathBuf, String)]) -> Wish<'_> {
        Wish {
            checkpoints,
            ..Wish::of(&[])
        }
    }
    let fitting = given(&at(9), &log.key, &log_id(0));
    let found = log.exported("a.zip", &wish(&fitting));
    assert!(found.logs[0].sizes.contains(&9), "{found:?}");
    let (other, _) = SigningKey::generate("paravent").unwrap();
    for wrong in [
        given(&Tree::of(&leaves[1..10]), &log.key, &log_id(0)),
        given(&at(9), &other, &log_id(0)),
        given(&at(9), &log.key, &log_id(7)),
    ] {
        let error = log.export("b.zip", &wish(&wrong)).unwrap_err();
        assert!(matches!(error, ExportError::Checkpoint { .. }), "{error}");
    }
}

#[tokio::test]
async fn what_was_pruned_still_proves_the_rest() {
    let log = Signed::new(&Shape::of(20)).await;
    let before = log.exported("a.zip", &Wish::of(&["caller=a1", "outcome=full"]));
    let all = segments(log.path()).unwrap();
    assert!(all.len() > 3);
    let leaves: Vec<u8> = raw(log.path())
        .iter()
        .filter(|event| event["seq"].as_u64().unwrap() < all[2])
        .flat_map(|event| leaf(serde_json::to_string(event).unwrap().as_bytes()))
        .collect();
    fs::create_dir(log.path().join("pruned")).unwrap();
    let name = format!("leaves-{:016}-{:016}.bin", 1, all[2] - 1);
    fs::write(log.path().join("pruned").join(name), leaves).unwrap();
    for first in &all[..2] {
        fs::remove_file(log.path().join(segment_name(*first))).unwrap();
    }
    let error = log.export("b.zip", &Wish::of(&["caller=a1", "outcome=full"]));
    let found = match error {
        Ok(_) => log.exported("c.zip", &Wish::of(&["caller=a1", "outcome=full"])),
        Err(error) => panic!("{error}"),
    };
    assert!(found.events > 0 && found.events < before.events);
    assert_eq!(found.logs[0].sizes, before.logs[0].sizes);
}

#[tokio::test]
async fn the_log_tells_what_was_taken_out_of_it() {
    let dir = TempDir::new().unwrap();
    requests(dir.path(), &Shape::of(3)).await;
    let wish = Wish {
        unsigned: true,
        ..Wish::of(&["caller=fanny"])
    };
    let made = wish.export(dir.path(), &dir.path().join("a.zip")).unwrap();
    assert!(made.unrecorded.is_none());
    Log::open(options(dir.path())).unwrap().stop().unwrap();
    let lines = raw(dir.path());
    let told = lines
        .iter()
        .find(|event| event["event"] == "audit.exported")
        .unwrap();
    assert_eq!(told["for"], "case <2026-17> & more");
    assert_eq!(told["filters"], json!(["caller=fanny"]));
    assert_eq!(told["events"], made.events);
    assert_eq!(told["sha256"], made.sha256);
    assert!(told["uid"].is_u64());
    fs::remove_dir_all(dir.path().join("spool")).unwrap();
    let made = wish.export(dir.path(), &dir.path().join("b.zip")).unwrap();
    assert!(
        made.unrecorded.is_some(),
        "it is said that nobody will know"
    );
}

#[tokio::test]
async fn what_was_in_force_is_in_it() {
    use crate::dialect;
    use crate::policy::Policy;
    let sources = Policy::read(Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/policies/sugarcrm"
    )));
    let schema = dialect::usual().schema().clone();
    let (policy, _) = Policy::compile(&sources.unwrap(), std::slice::from_ref(&schema), &[7; 32]);
    let policy = Arc::new(policy.unwrap());
    let shape = Shape {
        stamp: Some(PolicyStamp {
            name: Arc::from(policy.name()),
            hash: Arc::from(policy.hash()),
            schema: schema.hash().clone(),
        }),
        ..Shape::of(4)
    };
    let log = Signed::new(&shape).await;
    let found = log.exported("a.zip", &Wish::of(&[]));
    assert_eq!(found.absent.len(), 2, "nobody has kept them: {found:?}");
    let writer = TempDir::new().unwrap();
    let open = Log::open(options(writer.path())).unwrap();
    for _ in 0..2 {
        crate::audit::keep_in_force(&open, Some(&policy), vec![schema.clone()]).await;
    }
    open.stop().unwrap();
    let kept = writer.path().join("policies");
    assert_eq!(fs::read_dir(&kept).unwrap().count(), 2, "each once");
    fs::rename(kept, log.path().join("policies")).unwrap();
    let found = log.exported("b.zip", &Wish::of(&[]));
    assert!(found.absent.is_empty(), "{found:?}");
    let files = taken(&log.out("b.zip"));
    let hash = policy.hash().strip_prefix("sha256:").unwrap();
    let of_policy = files
        .iter()
        .filter(|(name, _)| name.starts_with(&format!("policies/{hash}/")));
    assert!(of_policy.count() >= 1);
    let rest = files.iter().any(|(name, _)| name.ends_with("/schema.txt"));
    assert!(rest);
    // Not what was in force any more.
    let mut changed = files;
    file(&mut changed, &format!("policies/{hash}/001")).push(b'\n');
    reseal(changed, &log.out("c.zip"), |_| {});
    let flaws = flaws(&log.out("c.zip"), &log.keys());
    assert!(
        flaws[0].contains("is not the policy of that hash"),
        "{flaws:?}"
    );
}

#[tokio::test]
async fn no_value_gets_into_a_bundle() {
    let log = Signed::new(&Shape::of(6)).await;
    log.exported("a.zip", &Wish::complete(&[]));
    let bytes = fs::read(log.out("a.zip")).unwrap();
    assert!(memchr::memmem::find(&bytes, b"CANARY").is_none());
    assert!(
        memchr::memmem::find(&bytes, b"fanny").is_some(),
        "or nothing was looked through"
    );
}
