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
    log.export("a.zip", &Wish::of(&["caller=a1"])).unwrap();
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
            out.contains("for case <2026-17> & more: asked for caller=a1"),
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
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(
        err.contains("not valid") && err.contains("not by one that was given"),
        "{err}"
    );
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
    assert_eq!(answer_to(&[]).0, 2);
}
