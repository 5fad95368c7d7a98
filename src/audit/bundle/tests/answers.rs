//! What is said of a bundle, and with which exit code.

use crate::cli::verify::answer_to;

use super::*;

#[tokio::test]
async fn the_verdict_says_what_it_proves_and_what_it_does_not() {
    let shape = Shape {
        unsigned: 9,
        ..Shape::of(20)
    };
    let log = Signed::new(&shape).await;
    // The last request is not signed yet, and is of this caller.
    let last = *log.requests.last().unwrap();
    assert!(log.last - last < 9, "{last} of {}", log.last);
    let asked = format!("caller={}", CALLERS[last as usize % 3].0);
    log.export("a.zip", &Wish::of(&[&asked])).unwrap();
    let path = log.out("a.zip").to_str().unwrap().to_owned();
    let (key, file) = (log.key.public().to_string(), log.out("key.pub"));
    fs::write(&file, format!("{key}\n")).unwrap();
    for key in [key.as_str(), file.to_str().unwrap()] {
        let (code, out, err) = answer_to(&[&path, "--key", key]);
        assert_eq!((code, err.as_str()), (0, ""), "{out}");
        assert!(out.ends_with("valid\n"), "{out}");
        assert!(
            out.contains("none altered") && out.contains("made without --complete"),
            "{out}"
        );
        assert!(out.contains("no checkpoint covered yet"), "{out}");
        assert!(
            out.contains(&format!("for case <2026-17> & more: asked for {asked}")),
            "{out}"
        );
    }
    // Anybody can make a bundle with a key of their own.
    let (code, out, _) = answer_to(&[&path]);
    assert_eq!(code, 3);
    assert!(out.contains("NOBODY VOUCHES"), "{out}");
    assert!(
        out.contains(&log.key.public().fingerprint()) && !out.contains("\nvalid"),
        "{out}"
    );
    let (code, out, _) = answer_to(&[&path, "--format", "json"]);
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (code, &told["verdict"], &told["complete"]),
        (3, &json!("unvouched"), &Value::Null)
    );
    let (code, out, _) = answer_to(&[&path, "--format", "json", "--key", &key]);
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (code, &told["verdict"], &told["unproved"]),
        (0, &json!("valid"), &json!(0))
    );
    assert_eq!(told["logs"][0]["vouched"], true);

    let (other, _) = SigningKey::generate("paravent").unwrap();
    let other = other.public().to_string();
    let (code, out, err) = answer_to(&[&path, "--key", &other]);
    assert_eq!((code, err.as_str()), (3, ""));
    assert!(
        out.contains("NOBODY VOUCHES") && out.contains("not by one that was given"),
        "{out}"
    );
    assert!(!out.contains("\nvalid"), "{out}");
    // One of several keys is enough.
    assert_eq!(answer_to(&[&path, "--key", &other, "--key", &key]).0, 0);
    let mut bytes = fs::read(&path).unwrap();
    bytes[100] ^= 1;
    fs::write(&path, bytes).unwrap();
    let (code, out, _) = answer_to(&[&path, "--format", "json", "--key", &key]);
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &told["verdict"]), (1, &json!("not-valid")));
    assert_eq!(told["flaws"], json!(["`events.jsonl` was changed"]));
}

#[tokio::test]
async fn what_nothing_proves_is_said_loudly() {
    let shape = Shape {
        unsigned: 9,
        ..Shape::of(20)
    };
    let log = Signed::new(&shape).await;
    let wish = Wish {
        unsigned: true,
        ..Wish::complete(&[])
    };
    log.export("a.zip", &wish).unwrap();
    let path = log.out("a.zip").to_str().unwrap().to_owned();
    let (code, out, _) = answer_to(&[&path, "--key", &log.key.public().to_string()]);
    assert_eq!(code, 3);
    assert!(
        out.contains("9 lines are NOT PROVED") && out.contains("complete: every event from"),
        "{out}"
    );
}

#[tokio::test]
async fn a_checkpoint_that_was_kept_must_be_one_of_those_inside() {
    let log = Signed::new(&Shape::of(12)).await;
    let found = log.exported("a.zip", &Wish::of(&[]));
    let path = log.out("a.zip").to_str().unwrap().to_owned();
    let key = log.key.public().to_string();
    let put = |name: &str, text: &str| {
        fs::write(log.out(name), text).unwrap();
        log.out(name).to_str().unwrap().to_owned()
    };
    let leaves = leaves_of(&log);
    let size = found.logs[0].sizes[0] as usize;
    let at = |size: usize| Tree::of(&leaves[..size]);
    let answer = |kept: &str| {
        let words = [path.as_str(), "--key", &key, "--checkpoint", kept];
        let (code, out, err) = answer_to(&words);
        (code, format!("{out}{err}"))
    };
    let same = put("same", &signed(&log.key, &log_id(0), &at(size)));
    let (code, out) = answer(&same);
    assert_eq!(code, 0, "{out}");
    assert!(
        out.contains(&format!("the first {size} events of paravent/")),
        "{out}"
    );
    // The log was written anew since.
    let mut others = leaves.clone();
    others[0][0] ^= 1;
    let other = signed(&log.key, &log_id(0), &Tree::of(&others[..size]));
    let (code, out) = answer(&put("other", &other));
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("was written anew"), "{out}");
    // Nothing is shown of these.
    let between = put("between", &signed(&log.key, &log_id(0), &at(size + 1)));
    let foreign = put("foreign", &signed(&log.key, &log_id(7), &at(size)));
    let none = put("none", &signed(&log.key, &log_id(0), &Tree::default()));
    for kept in [&between, &foreign, &none] {
        let (code, out) = answer(kept);
        assert_eq!(code, 3, "{out}");
        assert!(
            out.contains("NOT SHOWN") && !out.contains("\nvalid\n"),
            "{out}"
        );
    }
    // One that fits does not speak for another.
    let words = [
        path.as_str(),
        "--key",
        &key,
        "--checkpoint",
        &same,
        "--checkpoint",
        &between,
    ];
    let (code, out, _) = answer_to(&[words.as_slice(), &["--format", "json"]].concat());
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(code, 3);
    assert_eq!(
        (
            &told["checkpoints"][0]["same"],
            &told["checkpoints"][1]["same"]
        ),
        (&json!(true), &json!(false))
    );
    // The same log shows it when it is asked to.
    let text = fs::read_to_string(&between).unwrap();
    let wish = [(PathBuf::from("kept"), text)];
    log.export(
        "b.zip",
        &Wish {
            checkpoints: &wish,
            ..Wish::of(&[])
        },
    )
    .unwrap();
    let again = log.out("b.zip").to_str().unwrap().to_owned();
    assert_eq!(
        answer_to(&[&again, "--key", &key, "--checkpoint", &between]).0,
        0
    );
}

/// The leaves of a log.
fn leaves_of(log: &Signed) -> Vec<Hash> {
    let lines = raw(log.path());
    let leaf_of = |event: &Value| leaf(serde_json::to_string(event).unwrap().as_bytes());
    lines.iter().map(leaf_of).collect()
}

#[test]
fn what_cannot_be_judged_is_said_to_be_so() {
    let dir = TempDir::new().unwrap();
    let none = dir.path().join("none.zip").to_str().unwrap().to_owned();
    let (code, _, err) = answer_to(&[&none]);
    assert_eq!(code, 2);
    assert!(err.contains("none.zip` cannot be read"), "{err}");
    let (code, _, err) = answer_to(&[&none, "--key", "no\u{1b}key"]);
    assert_eq!(code, 2);
    assert!(
        err.starts_with("error: `--key no\\u{1b}key` cannot be read"),
        "{err}"
    );
    fs::write(&none, "PRIVATE+KEY+a").unwrap();
    let (code, _, err) = answer_to(&[&none, "--key", &none]);
    assert_eq!(code, 2);
    assert!(err.contains("is not a public key"), "{err}");
    let (code, _, err) = answer_to(&[&none, "--checkpoint", &none]);
    assert_eq!(code, 2);
    assert!(err.contains("give a checkpoint as"), "{err}");
    assert_eq!(answer_to(&[&none, "--checkpoint", "absent"]).0, 2);
    assert_eq!(answer_to(&[]).0, 2);
}
