//! What formats make of events, whatever names hold.

use serde_json::{Value, json};

use super::*;
use crate::sinks::syslog;

/// Ends lines, fields and maps, turns directions, and is not ASCII.
const HOSTILE: &str = "a|b\\c=d] \"e\"\n\r\t\u{0}\u{7f}\u{85}\u{2028}\u{202e}\u{2066}é😀 =x|";

pub(in crate::sinks) fn request(name: &str, action: &str, outcome: &str) -> Value {
    let refs: Vec<String> = (0..30)
        .map(|number| format!("crm:Contacts/c-{number}"))
        .collect();
    json!({
        "auth": { "acr": null, "age_seconds": 3, "amr": [], "method": "crm-session" },
        "caller": { "id": name, "kind": "human", "name": name, "roles": [name, "finance"] },
        "data": [
            { "by": ["iban-for-payment"], "category": "financial.iban", "fields": ["Contacts.iban_c"], "in_text": 0, "level": "clear", "records": 30 },
            { "by": ["x"], "category": null, "fields": [name], "in_text": 0, "level": "redact", "records": 30 },
        ],
        "dropped_masks": [],
        "id": "01KAPW3T9X6N0000000000000A",
        "node": name,
        "origin": { "ip": "10.2.14.0/24" },
        "outcome": { "kind": outcome, "milliseconds": 38, "reason": null, "status": 200, "upstream_milliseconds": 31 },
        "part_of": null,
        "phase": "closed",
        "policy": { "hash": "sha256:5d41", "mode": "enforce", "name": name, "schema": "stock:crm" },
        "prev": "sha256:00",
        "purpose": { "basis": "legal-obligation", "chosen_by": "default", "id": "payment" },
        "records": { "count": 30, "refs": refs, "withheld": { "consent": 0, "retention": 0, "row": 0 } },
        "request": {
            "action": action, "asked": [], "dialect": "crm-rest", "matched": [name], "module": name,
            "route": "GET /rest/{version}/Contacts/{id}", "sorted": [], "trace": "4bf92f3577b34da6a3ce929d0e0e4736",
            "upstream": "crm", "written": [],
        },
        "seq": 48_211_907_u64,
        "time": "2026-11-23T09:04:11.482Z",
        "v": 2,
    })
}

fn notice(name: &str) -> Value {
    json!({
        "event": "audit.read", "command": name, "uid": 0, "words": vec![name; 30], "id": "01K", "node": "par-1a",
        "prev": "sha256:00", "seq": 3, "time": "2026-11-23T09:04:11.482Z", "v": 2,
    })
}

fn of(format: SinkFormat, value: &Value) -> String {
    line(format, Story::new(value))
}

fn json_of(format: SinkFormat, value: &Value) -> Value {
    serde_json::from_str(&of(format, value)).unwrap()
}

#[test]
fn no_name_ends_a_line_or_steers_a_terminal_in_any_format() {
    for value in [request(HOSTILE, "read", "full"), notice(HOSTILE)] {
        for (word, format) in SinkFormat::ALL {
            let line = of(*format, &value);
            let is_odd = |char: &char| {
                char.is_control() || matches!(char, '\u{2028}' | '\u{202e}' | '\u{2066}')
            };
            assert_eq!(line.chars().find(is_odd), None, "{word}");
            assert!(*format == SinkFormat::Cef || line.is_ascii(), "{word}");
        }
        // What stands there is what stood in the event.
        assert_eq!(json_of(SinkFormat::Paravent, &value), value);
    }
    let value = request(HOSTILE, "read", "full");
    let ocsf = json_of(SinkFormat::Ocsf, &value);
    assert_eq!(ocsf["actor"]["user"]["name"], HOSTILE);
    assert_eq!(json_of(SinkFormat::Ecs, &value)["user"]["name"], HOSTILE);
}

/// The parts of a header, and the rest, undone.
fn cef(line: &str) -> (Vec<String>, Vec<(String, String)>) {
    let mut header = vec![String::new()];
    let mut chars = line.chars();
    while header.len() < 8 {
        match chars.next().unwrap() {
            '\\' => header.last_mut().unwrap().push(chars.next().unwrap()),
            '|' => header.push(String::new()),
            char => header.last_mut().unwrap().push(char),
        }
    }
    assert_eq!(header.pop().unwrap(), "");
    // A key stands between a blank and an equals sign that is not escaped.
    let rest: Vec<char> = chars.collect();
    let mut extension: Vec<(String, String)> = Vec::new();
    let mut word = String::new();
    let mut at = 0;
    while at < rest.len() {
        match rest[at] {
            '\\' => {
                at += 1;
                assert!(matches!(rest[at], '\\' | '='), "{line}");
                word.push(rest[at]);
            }
            '=' => {
                let key = match word.rsplit_once(' ') {
                    Some((value, key)) => {
                        extension.last_mut().unwrap().1.push_str(value);
                        key.to_owned()
                    }
                    None => word.clone(),
                };
                assert!(
                    key.chars().all(|char| char.is_ascii_alphanumeric()),
                    "{key} in {line}"
                );
                extension.push((key, String::new()));
                word.clear();
            }
            char => word.push(char),
        }
        at += 1;
    }
    extension.last_mut().unwrap().1.push_str(&word);
    (header, extension)
}

#[test]
fn cef_escapes_what_its_reader_undoes() {
    let value = request(HOSTILE, "read", "full");
    let (header, extension) = cef(&of(SinkFormat::Cef, &value));
    let seen = crate::audit::visible(HOSTILE);
    assert_eq!(header[..3], ["CEF:0", "Paravent", "Paravent"]);
    assert_eq!(
        header[4..],
        [
            "access.read".to_owned(),
            format!("read {seen}"),
            "1".to_owned()
        ]
    );
    let told = |key: &str| {
        let mut found = extension.iter().filter(|(own, _)| own == key);
        let value = found.next().unwrap_or_else(|| panic!("{key}")).1.clone();
        assert!(found.next().is_none(), "{key} twice");
        value
    };
    assert_eq!(told("suser"), seen);
    assert_eq!(told("suid"), seen);
    assert_eq!(told("rt"), "1795424651482");
    assert_eq!(told("cn3"), "30");
    assert_eq!(told("cs2Label"), "originNetwork");
    assert_eq!(
        told("cs5"),
        "financial.iban:clear(30),unclassified:redact(30)"
    );
    let refs = told("cs4");
    assert!(
        refs.starts_with("crm:Contacts/c-0,") && refs.ends_with(",(+10)"),
        "{refs}"
    );
    assert_eq!(refs.split(',').count(), 21);
    let (_, extension) = cef(&of(SinkFormat::Cef, &notice("x=y")));
    let (_, text) = extension.iter().find(|(key, _)| key == "msg").unwrap();
    assert!(
        text.contains("command: x=y") && text.contains("(+10)"),
        "{text}"
    );
}

#[test]
fn frames_are_of_rfc_5424_whatever_names_hold() {
    let long = HOSTILE.repeat(40);
    for (name, action) in [(HOSTILE, "read"), (long.as_str(), long.as_str()), ("", "")] {
        let value = request(name, action, "denied");
        let story = Story::new(&value);
        for (_, format) in SinkFormat::ALL {
            let frame = syslog::frame(story, 13, &line(*format, story));
            let (length, message) = frame.split_once(' ').unwrap();
            assert_eq!(length.parse::<usize>().unwrap(), message.len());
            assert!(!length.starts_with('0') && !message.contains('\n'));
            let fields: Vec<&str> = message.splitn(8, ' ').collect();
            // 13 * 8 + 5: the log audit, a notice.
            assert_eq!(fields[0], "<109>1");
            assert_eq!(fields[1], "2026-11-23T09:04:11.482Z");
            for (field, most) in [(2, 255), (3, 48), (4, 128), (5, 32)] {
                assert!((1..=most).contains(&fields[field].len()), "{fields:?}");
                assert!(fields[field].bytes().all(|byte| byte.is_ascii_graphic()));
            }
            assert_eq!(fields[6], "-");
            assert_eq!(fields[7], line(*format, story));
        }
    }
    let odd = json!({ "event": "x", "time": "yesterday" });
    let frame = syslog::frame(Story::new(&odd), 16, "{}");
    assert_eq!(frame, "28 <134>1 - - paravent - x - {}");
}

#[test]
fn ocsf_says_what_the_class_requires() {
    let of_action =
        |action: &str, outcome: &str| json_of(SinkFormat::Ocsf, &request("fanny", action, outcome));
    for (action, activity) in [
        ("create", 1),
        ("read", 2),
        ("list", 2),
        ("count", 2),
        ("metadata", 2),
        ("update", 3),
        ("delete", 4),
        ("relate", 99),
        ("auth", 99),
    ] {
        let event = of_action(action, "full");
        assert_eq!(event["activity_id"], activity, "{action}");
        assert_eq!(event["type_uid"], 600_300 + activity, "{action}");
    }
    let event = of_action("read", "denied");
    assert_eq!(
        (&event["status_id"], &event["severity_id"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(of_action("read", "partial")["status_id"], 1);
    assert_eq!(event["metadata"]["version"], "1.5.0");
    assert_eq!(event["resources"].as_array().unwrap().len(), 30);
    assert_eq!(
        event["resources"][7],
        json!({ "type": "Contacts", "uid": "crm:Contacts/c-7" })
    );
    assert_eq!(event["src_endpoint"], json!({ "name": "10.2.14.0/24" }));
    assert_eq!(event["time"], 1_795_424_651_482_u64);
    // Ours is below `unmapped`, and what stands elsewhere is not said twice.
    let own = &event["unmapped"]["paravent"];
    assert_eq!(own["purpose"]["id"], "payment");
    assert!(own["records"].get("refs").is_none());
    for value in [notice("x"), json!({ "event": "sink.remark" }), json!({})] {
        let event = json_of(SinkFormat::Ocsf, &value);
        for key in [
            "activity_id",
            "actor",
            "api",
            "category_uid",
            "class_uid",
            "metadata",
            "severity_id",
            "src_endpoint",
            "time",
            "type_uid",
        ] {
            assert!(event.get(key).is_some(), "{key} in {event}");
        }
        assert!(event["api"]["operation"].is_string());
    }
}

#[test]
fn ecs_uses_the_words_that_the_schema_allows() {
    let event = json_of(SinkFormat::Ecs, &request("fanny", "read", "denied"));
    assert_eq!(event["ecs"]["version"], "8.17.0");
    assert_eq!(event["event"]["category"], json!(["api"]));
    assert_eq!(event["event"]["type"], json!(["access", "denied"]));
    assert_eq!(event["event"]["outcome"], "failure");
    assert_eq!(event["event"]["duration"], 38_000_000);
    assert_eq!(event["source"], json!({ "address": "10.2.14.0/24" }));
    assert_eq!(event["url"]["path"], "/rest/{version}/Contacts/{id}");
    assert_eq!(event["http"]["request"]["method"], "GET");
    // Labels are flat.
    assert!(
        event["labels"]
            .as_object()
            .unwrap()
            .values()
            .all(Value::is_string)
    );
    let event = json_of(SinkFormat::Ecs, &notice("x"));
    assert_eq!(event["event"]["action"], "audit.read");
    assert_eq!(event["event"]["category"], json!(["configuration"]));
}

#[test]
fn no_word_of_a_reader_becomes_a_detail_of_its_own_in_cef() {
    let mut value = notice("scan; by: root; uid: 0");
    value["words"] = json!(["a,by: root", "role=x"]);
    value["; uid: 1"] = json!("sha256:0b");
    let (_, extension) = cef(&of(SinkFormat::Cef, &value));
    let (_, text) = extension.iter().find(|(key, _)| key == "msg").unwrap();
    let details: Vec<(&str, &str)> = text
        .split("; ")
        .map(|detail| detail.split_once(": ").unwrap())
        .collect();
    let names: Vec<&str> = details.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        ["command", "uid", "words", "\\u{3b} uid\\u{3a} 1"],
        "{text}"
    );
    let told = |name: &str| details.iter().find(|(own, _)| *own == name).unwrap().1;
    assert_eq!(told("uid"), "0");
    assert_eq!(
        told("command"),
        "scan\\u{3b} by\\u{3a} root\\u{3b} uid\\u{3a} 0"
    );
    assert_eq!(told("words"), "a\\u{2c}by\\u{3a} root,role=x");
    assert_eq!(details[3].1, "sha256:0b");
}
