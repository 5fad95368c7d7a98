//! Somebody denies something while a reply about them waits: what they said counts in it, nobody gets an error because of it, and
//! what was written stays written.

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use paravent::audit::Clock;
use paravent::ledger::{Channel, Draft, Kind, Ledger, PersonKeys, Place, Reference, Settings, Who};
use paravent::policy::Source;
use serde_json::{Value, json};

use crate::harness::client::Response;
use crate::harness::scripted::{self, Received, Scripted};
use crate::harness::world::{Wish, World};

const PEOPLE: &str =
    "people: { Contacts: { kind: customer, email: email }, Accounts: none, Opportunities: none }\n";
/// For how long it is waited for what takes a moment.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often somebody says something; that it comes between two pieces of a reply depends on the machine.
const ATTEMPTS: usize = 20;

/// A CRM that stops where a request says so, until it may go on.
struct Stopping {
    stopped: Sender<()>,
    go_on: Mutex<Receiver<()>>,
    /// The id of the first record of its list.
    first: Arc<Mutex<String>>,
}

impl Stopping {
    fn stop(&self) {
        self.stopped.send(()).unwrap();
        self.go_on.lock().unwrap().recv_timeout(PATIENCE).unwrap();
    }

    fn answer(&self, request: &Received, socket: &mut TcpStream) -> bool {
        let line = request.line.trim_end_matches(" HTTP/1.1");
        let path = line.split(['?', ' ']).nth(1).unwrap_or_default();
        let name = path.rsplit('/').next().unwrap_or_default();
        if line.contains("/me") {
            let _ = socket.write_all(&scripted::me("sally", "Sales"));
        } else if name == "Contacts" {
            // The first of two records, and the rest after a while.
            let first = self.first.lock().unwrap().clone();
            let body = json!({"next_offset": -1, "records": [contact(&first), contact("other")]});
            let all = scripted::json(200, body.to_string().as_bytes());
            let other = contact("other").to_string().len();
            let (begin, rest) = all.split_at(all.len() - other - 10);
            let _ = socket.write_all(begin);
            self.stop();
            let _ = socket.write_all(rest);
        } else {
            if name == "slow" {
                self.stop();
            }
            let body = contact(name).to_string();
            let _ = socket.write_all(&scripted::json(200, body.as_bytes()));
        }
        false
    }
}

fn contact(id: &str) -> Value {
    json!({
        "id": id, "_module": "Contacts", "first_name": "Maëlys", "last_name": format!("Corbeval {id}"),
        "date_modified": "2026-01-01T14:32:10+00:00", "email": [],
    })
}

struct Rig {
    world: World,
    crm: Scripted,
    ledger: Arc<Ledger>,
    runtime: tokio::runtime::Runtime,
    stopped: Receiver<()>,
    go_on: Sender<()>,
    first: Arc<Mutex<String>>,
    _folder: tempfile::TempDir,
}

impl Rig {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let settings = Settings {
            place: Place::Folder(folder.path().to_owned()),
            keys: PersonKeys::new(&[&[7; 32]]).unwrap(),
            bytes_max: 1 << 20,
            clock: Clock::system(),
        };
        let ledger = Arc::new(runtime.block_on(Ledger::open(settings)).unwrap());
        let ((stops, stopped), (go_on, goes_on)) = (channel(), channel());
        let first: Arc<Mutex<String>> = Arc::default();
        let stopping = Stopping {
            stopped: stops,
            go_on: Mutex::new(goes_on),
            first: first.clone(),
        };
        let crm = Scripted::misbehaving(move |request, socket| stopping.answer(request, socket));
        let mut sources = paravent::demo::policy_sources();
        sources.push(Source {
            path: "people.yaml".to_owned(),
            text: PEOPLE.to_owned(),
        });
        let wish = Wish {
            sources,
            ledger: Some(ledger.clone()),
            first_byte: PATIENCE,
            total: PATIENCE,
            ..Wish::default()
        };
        Self {
            world: World::scripted(crm.address, wish),
            crm,
            ledger,
            runtime,
            stopped,
            go_on,
            first,
            _folder: folder,
        }
    }

    /// Somebody has the processing of what is held of them restricted.
    fn restrict(&self, id: &str) {
        let who = Reference::parse(&format!("crm:Contacts/{id}")).unwrap();
        let draft = Draft {
            source: "letter".to_owned(),
            by: "kim".to_owned(),
            ..Draft::new(Who::Record(who), "*", Kind::Restricted, Channel::Staff)
        };
        self.runtime.block_on(self.ledger.append(draft)).unwrap();
    }

    /// Sends a request; does something while the CRM has stopped, and lets it go on. Every other time it stops, it goes on at once.
    fn meanwhile(
        &self,
        (method, target, body): (&str, &str, Option<&Value>),
        act: impl FnOnce(),
    ) -> Response {
        let world = &self.world;
        std::thread::scope(|scope| {
            let asking = scope.spawn(|| world.send(method, target, Some("t-1"), body));
            self.stopped.recv_timeout(PATIENCE).unwrap();
            act();
            self.go_on.send(()).unwrap();
            while !asking.is_finished() {
                if self.stopped.recv_timeout(Duration::from_millis(5)).is_ok() {
                    self.go_on.send(()).unwrap();
                }
            }
            asking.join().unwrap()
        })
    }

    /// Waits until the proxy holds something back.
    fn until_held(&self) {
        let begun = Instant::now();
        let holds = |line: &str| {
            let held = line.strip_prefix("paravent_held_bytes ");
            held.is_some_and(|held| held.trim() != "0")
        };
        while !self.world.metrics().lines().any(holds) {
            assert!(begun.elapsed() < PATIENCE, "nothing is held");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

#[test]
fn a_list_is_asked_for_again_when_somebody_in_it_denies_something() {
    let rig = Rig::new();
    for attempt in 0..ATTEMPTS {
        let first = format!("one-{attempt}");
        rig.first.lock().unwrap().clone_from(&first);
        let target = "/rest/v11_24/Contacts?fields=last_name";
        let reply = rig.meanwhile(("GET", target, None), || {
            rig.until_held();
            rig.restrict(&first);
        });
        assert_eq!(reply.status, 200, "{}", reply.text());
        let records = reply.json()["records"].clone();
        assert_eq!(records[0]["last_name"], Value::Null, "{records}");
        assert_eq!(records[1]["last_name"], json!("Corbeval other"));
        let events = rig.world.decision(&reply);
        let refs = &events.last().unwrap()["records"]["refs"];
        assert_eq!(refs.as_array().map(Vec::len), Some(2), "{refs}");
        let lists = rig
            .crm
            .take()
            .iter()
            .filter(|one| one.line.contains("/Contacts"))
            .count();
        assert!(lists <= 2, "{lists}");
        if lists == 2 {
            return;
        }
    }
    panic!("nobody denied anything between two pieces");
}

#[test]
fn the_first_parts_of_a_bulk_reply_hold_what_is_denied_before_the_last() {
    let rig = Rig::new();
    let requests = json!({"requests": [
        {"url": "/v11_24/Contacts/read?fields=last_name", "method": "GET"},
        {"url": "/v11_24/Contacts/written", "method": "PUT", "data": {"first_name": "Ronan"}},
        {"url": "/v11_24/Contacts/other?fields=last_name", "method": "GET"},
        {"url": "/v11_24/Contacts/slow?fields=last_name", "method": "GET"},
    ]});
    let reply = rig.meanwhile(("POST", "/rest/v11_24/bulk", Some(&requests)), || {
        rig.restrict("read");
        rig.restrict("written");
    });
    assert_eq!(reply.status, 200, "{}", reply.text());
    let text = reply.text();
    for withheld in ["Corbeval read", "Corbeval written"] {
        assert!(!text.contains(withheld), "{withheld}: {text}");
    }
    let parts = reply.json();
    let statuses: Vec<_> = (0..4)
        .map(|at| parts[at]["status"].as_u64().unwrap())
        .collect();
    // What was written was written.
    assert_eq!(statuses, [503, 200, 200, 200]);
    assert_eq!(parts[1]["contents"]["id"], json!("written"), "{text}");
    assert_eq!(parts[2]["contents"]["last_name"], json!("Corbeval other"));
    let written = rig.crm.take();
    let writes = written.iter().filter(|one| one.line.starts_with("PUT "));
    assert_eq!(writes.count(), 1);
}
