//! Keys that took the place of others.

use crate::cli::verify::answer_to;

use super::super::rotation::{Rotation, SaysKey};
use super::*;

fn stranger() -> SigningKey {
    SigningKey::generate("paravent").unwrap().0
}

/// What is said with one key.
fn said(log: &Signed, name: &str, key: &SigningKey) -> Verified {
    match verify(&log.out(name), &[key.public().clone()], &[]).unwrap() {
        Verdict::Whole(verified) => *verified,
        Verdict::Altered(flaws) => panic!("{flaws:?}"),
    }
}

#[tokio::test]
async fn whoever_has_the_key_of_then_follows_it() {
    let shape = Shape {
        rotates: Some(1),
        ..Shape::of(20)
    };
    let log = Signed::new(&shape).await;
    let (before, seq) = log.before.as_ref().unwrap();
    for wish in [Wish::of(&["caller=a1"]), Wish::complete(&["caller=a1"])] {
        let name = format!("{}.zip", wish.complete);
        log.export(&name, &wish).unwrap();
        for key in [before, &log.key] {
            let found = said(&log, &name, key);
            assert!(found.is_vouched(), "{found:?}");
            assert_eq!(found.logs[0].key, log.key.public().id_text());
        }
        let lines = file(&mut taken(&log.out(&name)), "events.jsonl").clone();
        let lines = String::from_utf8(lines).unwrap();
        assert_eq!(lines.matches("\"event\":\"audit.key\"").count(), 1);
        assert!(lines.contains(&format!("\"seq\":{seq},")));
        let found = said(&log, &name, &stranger());
        assert!(!found.is_vouched() && !found.logs[0].is_vouched);
    }
    let path = log.out("false.zip").to_str().unwrap().to_owned();
    let code = |key: &SigningKey| answer_to(&[&path, "--key", &key.public().to_string()]).0;
    assert_eq!((code(before), code(&log.key), code(&stranger())), (0, 0, 3));
}

#[tokio::test]
async fn a_key_is_followed_through_a_log_of_which_nothing_else_is_taken() {
    let shape = Shape {
        gaps: vec![2],
        rotates: Some(1),
        ..Shape::of(20)
    };
    let log = Signed::new(&shape).await;
    let (before, seq) = log.before.as_ref().unwrap();
    let last = *log.requests.last().unwrap();
    let event = raw(log.path())
        .into_iter()
        .find(|event| event["seq"] == last);
    let word = format!("id={}", event.unwrap()["id"].as_str().unwrap());
    log.export("a.zip", &Wish::of(&[&word])).unwrap();
    for key in [before, &log.key] {
        let found = said(&log, "a.zip", key);
        assert!(found.is_vouched(), "{found:?}");
        assert_eq!(found.logs.len(), 2);
        assert!(found.logs[0].is_for_keys && !found.logs[1].is_for_keys);
        assert!((found.logs[0].events.0..=found.logs[0].events.1).contains(seq));
    }
    assert!(!said(&log, "a.zip", &stranger()).is_vouched());
}

#[tokio::test]
async fn a_key_that_only_says_itself_that_it_counts_is_not_followed() {
    let (old, new, log) = (stranger(), stranger(), log_id(3));
    let place = json!({"node": "n"});
    let event = rotation(&old, &new, &log, place.clone());
    let read = |event: &Value, log: &str| -> Option<Rotation> {
        let says: SaysKey = serde_json::from_value(event.clone()).unwrap();
        says.rotation(log)
    };
    let both = Rotation {
        key: new.public().clone(),
        previous: old.public().clone(),
    };
    assert_eq!(read(&event, &log), Some(both));
    assert_eq!(read(&event, &log_id(4)), None);
    let changed = |key: &str, value: Value| {
        let mut event = event.clone();
        event[key] = value;
        read(&event, &log)
    };
    let own = event["signatures"][0].clone();
    assert_eq!(changed("signatures", json!([own])), None);
    assert_eq!(changed("signatures", json!([own, own])), None);
    assert_eq!(changed("node", json!("m")), None);
    assert_eq!(changed("previous", Value::Null), None);
    let other = stranger().public().to_string();
    assert_eq!(changed("previous", json!(other)), None);
    assert_eq!(changed("key", json!(other)), None);
}
