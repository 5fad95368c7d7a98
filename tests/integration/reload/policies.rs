//! The ways in which a policy on disk changes.

use std::collections::BTreeSet;
use std::fs::{self, FileTimes};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use paravent::diagnostic::{Diagnostic, Diagnostics};
use paravent::dialect::Dialect;
use paravent::policy::{Policy, Source};
use paravent::reload::{Outcome, Suites};
use serde_json::json;

use super::rig::{self, A, B, OFTEN, Rig, Wish, hash, publish, shown, volume, write};
use crate::harness::client;
use crate::harness::scripted::{self, Scripted};

fn watching() -> Wish {
    Wish {
        every: Some(OFTEN),
        ..Wish::default()
    }
}

/// The codes of a refusal.
fn rejected(outcome: &Outcome) -> &[&'static str] {
    match outcome {
        Outcome::Rejected(codes) => codes,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_taken_is_recorded_before_it_decides_and_each_event_names_what_decided() {
    let rig = Rig::start(Wish::default());
    assert_eq!(shown(&rig.ask()), A);
    write(&rig.policies(), B);
    assert_eq!(shown(&rig.ask()), A, "nobody has looked");
    rig.taken();
    assert_eq!(shown(&rig.ask()), B);
    assert_eq!(rig.look().policy, Outcome::Unchanged);
    let line = format!("policy ok alternating {}", hash(B));
    assert_eq!(rig.part("policy"), line);
    assert_eq!(
        rig.part("policy-on-disk"),
        "policy-on-disk ok it is in force"
    );
    let info = |levels| {
        format!(
            "paravent_policy_info{{hash=\"{}\",name=\"alternating\"}}",
            hash(levels)
        )
    };
    assert_eq!(rig.metric(&info(A)), None);
    assert_eq!(rig.metric(&info(B)), Some(1.0));
    let taken = "paravent_reloads_total{result=\"taken\",what=\"policy\"}";
    assert_eq!(rig.metric(taken), Some(1.0));
    let events = rig.stop();
    let of = |event: &serde_json::Value| match event["event"].as_str() {
        Some("policy.loaded") => Some(format!(
            "loaded {} after {} by {}",
            event["hash"].as_str().unwrap(),
            event["previous"].as_str().unwrap_or("none"),
            event["by"].as_str().unwrap()
        )),
        Some(_) => None,
        None => Some(event["policy"]["hash"].as_str().unwrap().to_owned()),
    };
    let (a, b) = (hash(A), hash(B));
    let told: Vec<String> = events.iter().filter_map(of).collect();
    assert_eq!(
        told,
        [
            format!("loaded {a} after none by start"),
            a.clone(),
            a.clone(),
            format!("loaded {b} after {a} by signal"),
            b
        ]
    );
    let loaded = events
        .iter()
        .find(|event| event["previous"] == json!(a))
        .unwrap();
    let request = events
        .iter()
        .rfind(|event| event["request"].is_object())
        .unwrap();
    assert_eq!(loaded["schemas"][0]["hash"], request["policy"]["schema"]);
    assert_eq!(loaded["schemas"][0]["upstream"], "crm");
}

#[test]
fn a_change_is_seen_by_its_contents_whatever_the_times_say() {
    let rig = Rig::start(watching());
    let long_ago = |name: &str| {
        let file = fs::File::options()
            .write(true)
            .open(rig.policies().join(name));
        let times = FileTimes::new().set_modified(SystemTime::UNIX_EPOCH);
        file.unwrap().set_times(times).unwrap();
    };
    // New times alone are nothing.
    write(&rig.policies(), A);
    for _ in 0..4 {
        assert_eq!(rig.pass().policy, Outcome::Unchanged);
    }
    assert_eq!(rig.named("policy.loaded").len(), 1);
    write(&rig.policies(), B);
    long_ago("names.yaml");
    long_ago("phones.yaml");
    rig.wait_until("taken", |rig| shown(&rig.ask()) == B);
    let loaded = rig.named("policy.loaded");
    assert_eq!((loaded.len(), &loaded[1]["by"]), (2, &json!("watch")));
    // Files by other names are the same policy.
    fs::rename(
        rig.policies().join("names.yaml"),
        rig.policies().join("people.yaml"),
    )
    .unwrap();
    assert_eq!(rig.look().policy, Outcome::Unchanged);
    assert_eq!(rig.named("policy.loaded").len(), 2);
}

#[test]
fn what_is_seen_once_is_not_taken() {
    let rig = Rig::start(Wish::default());
    rig.pass();
    write(&rig.policies(), B);
    assert_eq!(rig.pass().policy, Outcome::Unsettled);
    // A file is written: half of it is there at the second look.
    let path = rig.policies().join("phones.yaml");
    let whole = fs::read_to_string(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(rig.pass().policy, Outcome::Unsettled);
    fs::write(&path, whole).unwrap();
    assert_eq!(rig.pass().policy, Outcome::Unsettled);
    assert_eq!(shown(&rig.ask()), A);
    assert_eq!(rig.pass().policy, Outcome::Taken);
    assert_eq!(shown(&rig.ask()), B);
    assert!(rig.named("policy.rejected").is_empty());
}

#[test]
fn each_broken_state_is_told_once_and_leaves_what_was_before_until_it_is_mended() {
    let rig = Rig::start(Wish::default());
    let phones = rig.policies().join("phones.yaml");
    let good = fs::read_to_string(&phones).unwrap();
    let gauge = "paravent_reload_rejected{what=\"policy\"}";
    assert_eq!(rig.metric(gauge), Some(0.0));
    let unknown = good.replace("roles: sales", "roles: sails");
    let cases: [(&str, &dyn Fn()); 5] = [
        ("unknown role", &|| fs::write(&phones, &unknown).unwrap()),
        ("no YAML", &|| fs::write(&phones, "grants: [").unwrap()),
        ("half a character", &|| {
            fs::write(&phones, b"why: \xc3").unwrap()
        }),
        ("for everybody to write", &|| {
            fs::write(&phones, &good).unwrap();
            fs::set_permissions(&phones, fs::Permissions::from_mode(0o666)).unwrap();
        }),
        ("a folder", &|| {
            fs::remove_file(&phones).unwrap();
            fs::create_dir(&phones).unwrap();
        }),
    ];
    for (number, (what, break_it)) in cases.into_iter().enumerate() {
        break_it();
        for _ in 0..6 {
            rig.pass();
        }
        let told = rig.named("policy.rejected");
        assert_eq!(told.len(), number + 1, "{what}: {told:?}");
        assert_eq!(told[number]["by"], "watch");
        assert!(
            !told[number]["codes"].as_array().unwrap().is_empty(),
            "{what}"
        );
        assert_eq!(rig.metric(gauge), Some(1.0), "{what}");
        assert!(
            rig.part("policy-on-disk")
                .starts_with("policy-on-disk bad it was refused: ")
        );
        assert_eq!(
            rig.part("policy"),
            format!("policy ok alternating {}", hash(A))
        );
        assert_eq!(rig.admin("/readyz").status, 200, "{what}");
        assert_eq!(shown(&rig.ask()), A, "{what}");
        // Whoever asks is told again; the log is not.
        let report = rig.look();
        let codes = rejected(&report.policy);
        assert_eq!(json!(codes), told[number]["codes"], "{what}");
        assert!(report.diagnostics.has_errors());
        assert_eq!(rig.named("policy.rejected").len(), number + 1, "{what}");
    }
    // What was not a policy has no hash; what was refused for what it says has that of its texts.
    let told = rig.named("policy.rejected");
    assert!(told[0]["hash"].as_str().unwrap().starts_with("sha256:"));
    assert_eq!(told[2]["hash"], json!(null));
    // Mended by what was there before: nothing is loaded.
    fs::remove_dir(&phones).unwrap();
    fs::write(&phones, &good).unwrap();
    rig.pass();
    assert_eq!(rig.pass().policy, Outcome::Unchanged);
    assert_eq!(rig.metric(gauge), Some(0.0));
    assert_eq!(
        rig.part("policy-on-disk"),
        "policy-on-disk ok it is in force"
    );
    assert_eq!(rig.named("policy.loaded").len(), 1);
    // The folder is gone, and comes back as another one.
    let away = rig.dir.path().join("away");
    fs::rename(rig.policies(), &away).unwrap();
    rig.pass();
    rejected(&rig.pass().policy);
    write(&away, B);
    fs::rename(&away, rig.policies()).unwrap();
    rig.pass();
    assert_eq!(rig.pass().policy, Outcome::Taken);
    assert_eq!(shown(&rig.ask()), B);
}

#[test]
fn a_folder_that_is_exchanged_as_kubernetes_does_it_is_taken_whole() {
    let rig = Rig::before(Scripted::start(rig::answer), watching(), |dir| {
        volume(&dir.join("policies"), A);
    });
    assert_eq!(shown(&rig.ask()), A);
    publish(&rig.policies(), "2026_01_02_00_00_00.2", B);
    fs::remove_dir_all(rig.policies().join("..2026_01_01_00_00_00.1")).unwrap();
    rig.wait_until("taken", |rig| shown(&rig.ask()) == B);
    assert!(rig.named("policy.rejected").is_empty());
}

#[test]
fn what_flips_all_the_time_is_never_taken_by_halves() {
    let rig = Rig::before(Scripted::start(rig::answer), watching(), |dir| {
        let policies = dir.join("policies");
        volume(&policies, A);
        publish(&policies, "2026_01_02_00_00_00.2", B);
        rig::point(&policies, "..2026_01_01_00_00_00.1");
    });
    let ends = Instant::now() + Duration::from_secs(3);
    let mut flips = 0;
    while Instant::now() < ends {
        flips += 1;
        let moment = ["..2026_01_01_00_00_00.1", "..2026_01_02_00_00_00.2"][flips % 2];
        rig::point(&rig.policies(), moment);
        let levels = shown(&rig.ask());
        assert!(levels == A || levels == B, "{levels:?}");
        std::thread::sleep(Duration::from_millis(if flips % 3 == 0 { 1 } else { 60 }));
    }
    let whole: BTreeSet<String> = [hash(A), hash(B)].into();
    for event in rig.stop() {
        let hash = match event["event"].as_str() {
            Some("policy.loaded") => &event["hash"],
            Some("policy.rejected") => panic!("{event}"),
            Some(_) => continue,
            None => &event["policy"]["hash"],
        };
        assert!(whole.contains(hash.as_str().unwrap()), "{event}");
    }
}

/// Tests that are others each time that they are read, from some time on.
#[derive(Debug, Default)]
struct Changing(AtomicBool, AtomicUsize);

impl Suites for Changing {
    fn read(&self, _: &std::path::Path) -> Result<Vec<Source>, Diagnostics> {
        let number = match self.0.load(Ordering::SeqCst) {
            true => self.1.fetch_add(1, Ordering::SeqCst),
            false => 0,
        };
        let (path, text) = ("changing".to_owned(), number.to_string());
        Ok(vec![Source { path, text }])
    }

    fn run(&self, _: &Arc<Policy>, _: &[Source], _: &[Arc<dyn Dialect>]) -> Diagnostics {
        Diagnostics::new()
    }
}

#[test]
fn what_changes_while_it_is_read_is_not_taken_even_if_asked() {
    let changing = Arc::new(Changing::default());
    let rig = Rig::start(Wish {
        suites: Some(changing.clone()),
        ..Wish::default()
    });
    write(&rig.policies(), B);
    changing.0.store(true, Ordering::SeqCst);
    assert_eq!(rig.look().policy, Outcome::Unsettled);
    assert_eq!(rig.pass().policy, Outcome::Unsettled);
    let line = rig.part("policy-on-disk");
    assert!(line.contains("bad it changes while it is read"), "{line}");
    assert_eq!(shown(&rig.ask()), A);
    assert_eq!(rig.named("policy.loaded").len(), 1);
    changing.0.store(false, Ordering::SeqCst);
    rig.taken();
    assert_eq!(shown(&rig.ask()), B);
}

/// Tests on a file system that does not answer, from some time on.
#[derive(Debug, Default)]
struct Silent(AtomicBool, AtomicBool);

impl Suites for Silent {
    fn read(&self, _: &std::path::Path) -> Result<Vec<Source>, Diagnostics> {
        while self.0.load(Ordering::SeqCst) {
            self.1.store(true, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(Vec::new())
    }

    fn run(&self, _: &Arc<Policy>, _: &[Source], _: &[Arc<dyn Dialect>]) -> Diagnostics {
        Diagnostics::new()
    }
}

#[test]
fn a_stop_does_not_wait_for_files_that_cannot_be_read() {
    let silent = Arc::new(Silent::default());
    let mut rig = Rig::start(Wish {
        suites: Some(silent.clone()),
        ..watching()
    });
    silent.0.store(true, Ordering::SeqCst);
    rig.wait_until("looked at", |_| silent.1.load(Ordering::SeqCst));
    let answers = {
        let silent = silent.clone();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_secs(20));
            silent.0.swap(false, Ordering::SeqCst)
        })
    };
    rig.end();
    // Lets the runtime of the test end, too.
    assert!(silent.0.swap(false, Ordering::SeqCst), "the stop waited");
    drop(answers);
}

#[test]
fn where_nothing_is_watched_only_who_asks_changes_anything() {
    let rig = Rig::start(Wish {
        sections: "reload: { watch: false }\n",
        ..watching()
    });
    write(&rig.policies(), B);
    std::thread::sleep(OFTEN * 10);
    assert_eq!(shown(&rig.ask()), A);
    rig.taken();
    assert_eq!(shown(&rig.ask()), B);
}

#[test]
fn a_stream_ends_under_the_policy_with_which_it_began() {
    let goes_on = Arc::new(AtomicBool::new(false));
    let wait = goes_on.clone();
    let record =
        r#"{"id":"c-1","_module":"Contacts","first_name":"Odile","phone_work":"0123456789"}"#;
    let crm = Scripted::misbehaving(move |request, socket| {
        if !request.line.contains("max_num") {
            let _ = socket.write_all(&rig::answer(request));
            return false;
        }
        let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
        let half = vec![record; 3_000].join(",");
        let begin = chunk(&format!("{{\"next_offset\":-1,\"records\":[{half}"));
        let _ = socket.write_all(format!("{head}{begin}").as_bytes());
        while !wait.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(2));
        }
        let end = chunk(&format!(",{half}]}}"));
        let _ = socket.write_all(format!("{end}0\r\n\r\n").as_bytes());
        false
    });
    let rig = Rig::before(crm, Wish::default(), |_| {});
    let mut socket = TcpStream::connect(rig.address).unwrap();
    let asked = rig::request("/rest/v11/Contacts?max_num=1000").bytes("a");
    socket.write_all(&asked).unwrap();
    let mut raw = vec![0; 32 * 1024];
    socket.read_exact(&mut raw).unwrap();
    write(&rig.policies(), B);
    rig.taken();
    assert_eq!(
        shown(&rig.ask()),
        B,
        "new requests are decided by the new one"
    );
    goes_on.store(true, Ordering::SeqCst);
    socket.read_to_end(&mut raw).unwrap();
    let reply = client::parse(raw);
    assert!(reply.complete);
    let records = reply.json()["records"].as_array().unwrap().clone();
    assert_eq!(records.len(), 6_000);
    for record in records {
        assert_eq!(
            (&record["first_name"], &record["phone_work"]),
            (&json!("Odile"), &json!(null))
        );
    }
    let id = reply.header("paravent-decision").unwrap().to_owned();
    let events = rig.stop();
    let of_stream = events.iter().filter(|event| event["id"] == json!(id));
    let hashes: Vec<_> = of_stream
        .map(|event| event["policy"]["hash"].clone())
        .collect();
    assert!(
        hashes.len() > 1 && hashes.iter().all(|one| *one == json!(hash(A))),
        "{hashes:?}"
    );
}

/// Tests that pass where a file says so.
#[derive(Debug)]
struct Said;

impl Suites for Said {
    fn read(&self, policies: &std::path::Path) -> Result<Vec<Source>, Diagnostics> {
        let path = policies.join("tests/said.yaml");
        let text = fs::read_to_string(&path).unwrap();
        let path = path.display().to_string();
        Ok(vec![Source { path, text }])
    }

    fn run(&self, _: &Arc<Policy>, tests: &[Source], _: &[Arc<dyn Dialect>]) -> Diagnostics {
        let mut found = Diagnostics::new();
        if tests[0].text != "pass" {
            found.push(Diagnostic::error("T001", "a test does not pass"));
        }
        found
    }
}

#[test]
fn where_tests_must_pass_a_policy_is_taken_only_with_them() {
    let said = |dir: &std::path::Path, text: &str| {
        fs::create_dir_all(dir.join("policies/tests")).unwrap();
        fs::write(dir.join("policies/tests/said.yaml"), text).unwrap();
    };
    let wish = Wish {
        suites: Some(Arc::new(Said)),
        ..Wish::default()
    };
    let rig = Rig::before(Scripted::start(rig::answer), wish, |dir| said(dir, "pass"));
    write(&rig.policies(), B);
    said(rig.dir.path(), "fail");
    assert_eq!(rejected(&rig.look().policy), ["T001"]);
    assert_eq!(shown(&rig.ask()), A);
    assert_eq!(rig.named("policy.rejected")[0]["codes"], json!(["T001"]));
    assert_eq!(rig.named("policy.rejected")[0]["hash"], json!(hash(B)));
    said(rig.dir.path(), "pass");
    rig.taken();
    assert_eq!(shown(&rig.ask()), B);
    // Tests alone that fail are told, too; those that pass are no other policy.
    said(rig.dir.path(), "fail");
    assert_eq!(rejected(&rig.look().policy), ["T001"]);
    said(rig.dir.path(), "pass");
    assert_eq!(rig.look().policy, Outcome::Unchanged);
    assert_eq!(rig.named("policy.loaded").len(), 2);
}

#[test]
fn what_is_read_at_the_start_only_is_told_once() {
    let rig = Rig::start(Wish::default());
    let needed = || rig.metric("paravent_restart_needed");
    rig.look();
    assert_eq!(needed(), Some(0.0));
    assert_eq!(
        rig.part("configuration"),
        "configuration ok it is what runs"
    );
    let path = rig.dir.path().join("paravent.yaml");
    let before = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{before}stop_timeout: 5s\n")).unwrap();
    rig.look();
    assert_eq!(rig.look().policy, Outcome::Unchanged);
    assert_eq!(needed(), Some(1.0));
    let line = rig.part("configuration");
    assert!(
        line.starts_with("configuration bad a restart is needed"),
        "{line}"
    );
    assert!(line.contains("paravent.yaml"), "{line}");
    fs::write(&path, before).unwrap();
    rig.look();
    rig.look();
    assert_eq!(needed(), Some(0.0));
}

const SCHEMA: &str = "schema: sugar-rest\nmodules:\n  Contacts:\n    fields:\n";

#[test]
fn a_schema_file_and_what_is_learned_change_together_and_nothing_is_lost() {
    let metadata = Arc::new(Mutex::new(String::new()));
    let said = metadata.clone();
    let crm = Scripted::start(move |request| match request.line.contains("/metadata") {
        true => scripted::json(200, said.lock().unwrap().as_bytes()),
        false => rig::answer(request),
    });
    let wish = Wish {
        upstream: ", schema: schema.yaml, learn: true",
        ..Wish::default()
    };
    let schema = |fields: &str| format!("{SCHEMA}{fields}");
    let rig = Rig::before(crm, wish, |dir| {
        fs::write(dir.join("schema.yaml"), schema("      first_c: int\n")).unwrap();
    });
    let of_reply = |rig: &Rig| {
        let id = rig.ask().header("paravent-decision").unwrap().to_owned();
        let events = rig.events();
        let event = events.into_iter().rfind(|event| event["id"] == json!(id));
        event.unwrap()["policy"]["schema"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let began = of_reply(&rig);
    let mut fields = String::from("      first_c: int\n");
    // The CRM says something new while the schema file, too, says something new.
    for round in 0..10 {
        let name = format!("learned_{round}_c");
        let field = json!({ name: {"type": "int"} });
        let text = json!({"modules": {"Contacts": {"fields": field}}}).to_string();
        *metadata.lock().unwrap() = text;
        fields.push_str(&format!("      written_{round}_c: int\n"));
        fs::write(rig.dir.path().join("schema.yaml"), schema(&fields)).unwrap();
        std::thread::scope(|scope| {
            let asked = rig::request("/rest/v11/metadata").bytes("a");
            scope.spawn(move || assert_eq!(client::raw(rig.address, &asked).status, 200));
            rig.taken();
        });
    }
    rig.wait_until("learned", |rig| rig.named("schema.learned").len() == 10);
    let after = of_reply(&rig);
    assert_ne!(began, after);
    // All of it is known, and known again after a restart: the hash is that of the whole.
    let dialect = paravent::dialect::by_name("sugar-rest").unwrap();
    for round in 0..10 {
        fields.push_str(&format!("      learned_{round}_c: int\n"));
    }
    let mut found = Diagnostics::new();
    let file = paravent::diagnostic::File::new("s", schema(&fields));
    let file = paravent::dialect::schema::SchemaFile::read(&file, &mut found).unwrap();
    let whole = file.add_to(dialect.schema(), &mut found);
    assert_eq!(after, **whole.hash(), "{}", found.render(false));
    // What the log says of schemas leads from one to the next, and each reply's is one of them.
    let events = rig.stop();
    let mut known = BTreeSet::new();
    for event in &events {
        match event["event"].as_str() {
            Some("policy.loaded") => {
                known.insert(event["schemas"][0]["hash"].clone().to_string());
            }
            Some("schema.learned") => {
                known.insert(event["hash"].to_string());
            }
            Some(_) => {}
            None => assert!(
                known.contains(&event["policy"]["schema"].to_string()),
                "{event}"
            ),
        }
    }
}

#[test]
fn a_broken_schema_file_refuses_the_policy_too() {
    let wish = Wish {
        upstream: ", schema: schema.yaml",
        ..Wish::default()
    };
    let rig = Rig::before(Scripted::start(rig::answer), wish, |dir| {
        fs::write(dir.join("schema.yaml"), format!("{SCHEMA}      a_c: int\n")).unwrap();
    });
    write(&rig.policies(), B);
    fs::write(rig.dir.path().join("schema.yaml"), "schema: sugar-rest\n").unwrap();
    assert!(!rejected(&rig.look().policy).is_empty());
    fs::remove_file(rig.dir.path().join("schema.yaml")).unwrap();
    assert!(!rejected(&rig.look().policy).is_empty());
    assert_eq!(shown(&rig.ask()), A);
    fs::write(
        rig.dir.path().join("schema.yaml"),
        format!("{SCHEMA}      b_c: int\n"),
    )
    .unwrap();
    rig.taken();
    assert_eq!(shown(&rig.ask()), B);
}

#[test]
fn fields_that_the_new_policy_classifies_are_no_gaps_any_more() {
    let crm = Scripted::start(|request| match request.line.contains("/me ") {
        true => scripted::me("sally", "Sales"),
        false => scripted::json(
            200,
            br#"{"id":"c-1","_module":"Contacts","shoe_c":44,"hat_c":7}"#,
        ),
    });
    let rig = Rig::before(crm, Wish::default(), |_| {});
    let gaps = || rig.metric("paravent_drift{dialect=\"sugar-rest\",kind=\"field\"}");
    assert_eq!(rig.ask().status, 200);
    assert_eq!(gaps(), Some(2.0));
    let text = &rig::files(A)[0].1;
    let more = text.replace("Contacts: {", "Contacts: { shoe_c: identity.name,");
    fs::write(rig.policies().join("names.yaml"), more).unwrap();
    rig.taken();
    assert_eq!(gaps(), Some(1.0));
    assert_eq!(rig.ask().json()["shoe_c"], 44);
    assert_eq!(gaps(), Some(1.0));
}
