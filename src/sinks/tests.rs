//! Receivers that fail, hang, close, restart and lie: every event arrives at least once, in order, and nothing waits for them.

use std::collections::VecDeque;
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::audit::{Event, Options};
use crate::config::{Peer, PeerTls, Receiver, SinkFormat, SinkFrom};
use crate::diagnostic::{File, Place, Spanned};
use crate::metrics::Metrics;

/// Fast, so that outages take no time; a stop has all the time that a busy disk takes.
fn pace() -> Pace {
    Pace {
        linger: Duration::from_millis(2),
        poll: Duration::from_millis(10),
        first: Duration::from_millis(5),
        most: Duration::from_millis(20),
        hold: Duration::from_millis(20),
        attempt: Duration::from_millis(700),
        events: 20,
        bytes: 1 << 20,
        drain: Duration::from_secs(60),
    }
}

/// A log with a sink.
struct World {
    dir: TempDir,
    log: Log,
    metrics: Metrics,
    said: Arc<Mutex<String>>,
    written: u64,
}

impl World {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        Self {
            log: open(&dir),
            dir,
            metrics: Metrics::new("name", "hash").unwrap(),
            said: Arc::default(),
            written: 0,
        }
    }

    /// Writes events whose `fields` count.
    async fn write(&mut self, count: usize) {
        for _ in 0..count {
            self.written += 1;
            let event = Event::schema_learned("crm", "crm-rest", "sha256:0", self.written, 0);
            self.log.write(event).await.unwrap();
        }
    }

    fn start(&self, receiver: Receiver) -> Sinks {
        let sink = Sink {
            name: "siem".to_owned(),
            place: place(),
            receiver,
            format: SinkFormat::Paravent,
            region: Some("FR".to_owned()),
            from: SinkFrom::Beginning,
        };
        let plan = Plan {
            sinks: vec![sink],
            dir: self.dir.path().join("audit"),
            state: self.dir.path().join("state"),
            node: "par-1a".to_owned(),
        };
        let said = self.said.clone();
        let say: Say = Arc::new(move |part, is_good, words| {
            *said.lock().unwrap() = format!("{part} {is_good} {words}");
        });
        Sinks::start_at(&plan, self.log.settled(), &self.metrics.sinks, say, pace())
    }

    fn metric(&self, line: &str) -> u64 {
        let text = String::from_utf8(self.metrics.text().unwrap()).unwrap();
        let found = text.lines().find_map(|own| own.strip_prefix(line));
        found.map_or(0, |number| number.trim().parse().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("out.jsonl")
    }

    fn to_file(&self) -> Receiver {
        Receiver::File(Spanned {
            value: self.file(),
            place: place(),
        })
    }
}

fn open(dir: &TempDir) -> Log {
    let (log, state) = (dir.path().join("audit"), dir.path().join("state"));
    Log::open(Options {
        segment_bytes_max: 4_000,
        ..Options::new(&log, &state)
    })
    .unwrap()
}

fn place() -> Place {
    Place {
        file: File::new("paravent.yaml", "audit"),
        span: 0..5,
    }
}

fn peer(address: SocketAddr, tls: Option<PeerTls>) -> Peer {
    Peer {
        host: if tls.is_some() {
            "localhost".to_owned()
        } else {
            address.ip().to_string()
        },
        port: address.port(),
        tls,
    }
}

/// Waits for something that comes sooner or later.
async fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..6_000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it never came: {what}");
}

/// Ends it as a kill would: where it stands.
fn kill(sinks: Sinks) {
    for feed in &sinks.feeds {
        feed.abort();
    }
}

/// Sinks with a runtime of their own, which is all that a process has.
struct Process {
    runtime: tokio::runtime::Runtime,
    _sinks: Sinks,
}

impl Process {
    fn start(world: &World, receiver: Receiver) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let sinks = {
            let _entered = runtime.enter();
            world.start(receiver)
        };
        Self {
            runtime,
            _sinks: sinks,
        }
    }

    /// Ends it where it stands. Unlike a killed process it has a thread that may be writing: that is over before this returns.
    async fn kill(self) {
        let ending = move || self.runtime.shutdown_timeout(Duration::from_secs(60));
        tokio::task::spawn_blocking(ending).await.unwrap();
    }
}

/// What a receiver got, one event after the other.
#[derive(Clone, Default)]
struct Got(Arc<Mutex<Vec<Value>>>);

impl Got {
    fn add(&self, line: &[u8]) {
        self.0
            .lock()
            .unwrap()
            .push(serde_json::from_slice(line).unwrap());
    }

    fn of_file(path: &PathBuf) -> Self {
        let got = Self::default();
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.lines().for_each(|line| got.add(line.as_bytes()));
        got
    }

    fn has_all(&self, written: u64) -> bool {
        let got = self.0.lock().unwrap();
        got.iter().any(|event| event["fields"] == written)
    }

    /// Every event is there, first of all in order; what comes again comes in order, too. How many came again.
    fn check(&self, written: u64) -> usize {
        let got = self.0.lock().unwrap();
        let seqs: Vec<u64> = got
            .iter()
            .filter_map(|event| event["seq"].as_u64())
            .collect();
        let mut newest = 0;
        for pair in seqs.windows(2) {
            newest = newest.max(pair[0]);
            let (one, next) = (pair[0], pair[1]);
            assert!(
                next == one + 1 || next <= newest,
                "{next} comes behind {one}: {seqs:?}"
            );
        }
        let mut fields: Vec<u64> = got
            .iter()
            .filter_map(|event| event["fields"].as_u64())
            .collect();
        let all = fields.len();
        let mut seen = std::collections::BTreeSet::new();
        fields.retain(|number| seen.insert(*number));
        assert_eq!(fields, (1..=written).collect::<Vec<_>>());
        all - fields.len()
    }
}

#[tokio::test]
async fn a_file_has_every_event_once_over_stops_and_more_than_once_only_after_a_kill() {
    let mut world = World::new();
    world.write(50).await;
    let sinks = world.start(world.to_file());
    world.write(30).await;
    world.log.stop().unwrap();
    sinks.stop().await;
    // What the log said last is there, too.
    let got = Got::of_file(&world.file());
    assert_eq!(
        got.0.lock().unwrap().last().unwrap()["event"],
        "audit.stopped"
    );
    assert_eq!(got.check(80), 0);
    world.log = open(&world.dir);
    for _ in 0..5 {
        // Counted before there is anything to carry: all of it may have been carried once the last of it is written.
        let before = world.metric("paravent_sink_delivered_total{sink=\"siem\"}");
        let process = Process::start(&world, world.to_file());
        world.write(30).await;
        until("something", || {
            world.metric("paravent_sink_delivered_total{sink=\"siem\"}") > before
        })
        .await;
        process.kill().await;
    }
    let sinks = world.start(world.to_file());
    world.log.stop().unwrap();
    sinks.stop().await;
    let got = Got::of_file(&world.file());
    let again = got.check(world.written);
    assert!(again <= 5 * pace().events, "{again}");
    assert_eq!(world.metric("paravent_sink_lag_events{sink=\"siem\"}"), 0);
}

#[tokio::test]
async fn a_new_sink_begins_with_the_newest_event_and_keeps_that_place_while_nobody_takes_it() {
    let mut world = World::new();
    world.write(10).await;
    // A folder stands where the file is to be.
    std::fs::create_dir(world.file()).unwrap();
    let begin = |world: &World| {
        let sink = Sink {
            name: "new".to_owned(),
            place: place(),
            receiver: world.to_file(),
            format: SinkFormat::Paravent,
            region: None,
            from: SinkFrom::Newest,
        };
        let plan = Plan {
            sinks: vec![sink],
            dir: world.dir.path().join("audit"),
            state: world.dir.path().join("state"),
            node: "par-1a".to_owned(),
        };
        let say: Say = Arc::new(|_, _, _| {});
        Sinks::start_at(
            &plan,
            world.log.settled(),
            &world.metrics.sinks,
            say,
            pace(),
        )
    };
    let sinks = begin(&world);
    until("a failure", || {
        world.metric("paravent_sink_failures_total{cause=\"file\",sink=\"new\"}") > 0
    })
    .await;
    kill(sinks);
    world.write(5).await;
    std::fs::remove_dir(world.file()).unwrap();
    let sinks = begin(&world);
    world.log.stop().unwrap();
    sinks.stop().await;
    let got = Got::of_file(&world.file());
    let fields: Vec<u64> = got
        .0
        .lock()
        .unwrap()
        .iter()
        .filter_map(|event| event["fields"].as_u64())
        .collect();
    assert_eq!(fields, (10..=15).collect::<Vec<_>>());
    // What it leaves out is said first, and once it has taken something not any more.
    let remarks = |got: &Got| -> Vec<Value> {
        let got = got.0.lock().unwrap();
        let own = got.iter().filter(|event| event["event"] == "sink.remark");
        own.cloned().collect()
    };
    let first = remarks(&got);
    assert_eq!(first.len(), 1);
    assert_eq!(
        (&first[0]["why"], &first[0]["first_seq"]),
        (&"earlier".into(), &1.into())
    );
    let began = first[0]["last_seq"].as_u64().unwrap();
    assert_eq!(got.0.lock().unwrap()[1]["seq"], began + 1);

    // The cursor is lost: nothing is left out but what was left out before.
    let state = world.dir.path().join("state/sinks/new");
    std::fs::remove_file(state.join("cursor")).unwrap();
    std::fs::remove_file(world.file()).unwrap();
    world.log = open(&world.dir);
    let sinks = begin(&world);
    world.log.stop().unwrap();
    sinks.stop().await;
    let again = Got::of_file(&world.file());
    assert_eq!(remarks(&again)[0]["last_seq"], began);
    assert_eq!(again.0.lock().unwrap()[1]["seq"], began + 1);

    // All that the sink kept is lost: what is left out then is said.
    std::fs::remove_dir_all(state).unwrap();
    std::fs::remove_file(world.file()).unwrap();
    world.log = open(&world.dir);
    let sinks = begin(&world);
    world.log.stop().unwrap();
    sinks.stop().await;
    let lost = remarks(&Got::of_file(&world.file()));
    assert_eq!(lost[0]["why"], "earlier");
    assert!(lost[0]["last_seq"].as_u64().unwrap() > began);
}

/// What a syslog receiver does with a connection.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// Reads to the end, and closes.
    Take,
    /// The same, slowly.
    Slowly,
    /// Closes before it has read anything.
    Close,
    /// Closes once it has read so many bytes, in the middle of a frame.
    CloseAt(usize),
    /// Reads nothing, and closes nothing.
    Hang,
    /// Reads everything, and does not close.
    Stay,
    /// Says a lot, and closes before it has read anything.
    Talk,
}

async fn act<S: AsyncRead + AsyncWrite + Unpin>(mut socket: S, act: Act, got: &Got) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 512];
    match act {
        Act::Close => return,
        Act::Talk => {
            let _ = socket.write_all(&[b'x'; 4_096]).await;
            return;
        }
        Act::Hang => tokio::time::sleep(Duration::from_secs(3)).await,
        _ => {}
    }
    loop {
        if matches!(act, Act::Hang) {
            break;
        }
        match socket.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(read) => bytes.extend_from_slice(&buffer[..read]),
        }
        match act {
            Act::CloseAt(most) if bytes.len() >= most => break,
            Act::Slowly => tokio::time::sleep(Duration::from_millis(1)).await,
            _ => {}
        }
    }
    // Whole frames count, also those before one that was cut.
    let mut rest = bytes.as_slice();
    while let Some(blank) = rest.iter().position(|byte| *byte == b' ') {
        let length: usize = std::str::from_utf8(&rest[..blank])
            .unwrap()
            .parse()
            .unwrap();
        let Some(message) = rest.get(blank + 1..blank + 1 + length) else {
            break;
        };
        let start = memchr::memchr(b'{', message).unwrap();
        got.add(&message[start..]);
        rest = &rest[blank + 1 + length..];
    }
    match act {
        Act::Stay => tokio::time::sleep(Duration::from_secs(3)).await,
        Act::CloseAt(_) => {}
        // In order, as TLS has it.
        _ => drop(socket.shutdown().await),
    }
}

/// Does with each connection what the script says, and takes what comes after it.
async fn syslog_server(
    script: &[Act],
    tls: Option<TlsAcceptor>,
) -> (SocketAddr, Got, Arc<Mutex<usize>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (got, left) = (Got::default(), Arc::new(Mutex::new(script.len())));
    let (taken, counted) = (got.clone(), left.clone());
    let mut script: VecDeque<Act> = script.iter().copied().collect();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let next = script.pop_front().unwrap_or(Act::Take);
            *counted.lock().unwrap() = script.len();
            let (taken, tls) = (taken.clone(), tls.clone());
            let serve = async move {
                match tls {
                    None => act(socket, next, &taken).await,
                    Some(tls) => {
                        if let Ok(socket) = tls.accept(socket).await {
                            act(socket, next, &taken).await;
                        }
                    }
                }
            };
            match next {
                // One that hangs must not keep the next from being taken.
                Act::Hang | Act::Stay => drop(tokio::spawn(serve)),
                _ => serve.await,
            }
        }
    });
    (address, got, left)
}

const SCRIPT: &[Act] = &[
    Act::Close,
    Act::CloseAt(100),
    Act::Take,
    Act::CloseAt(3_000),
    Act::Slowly,
    Act::Talk,
    Act::CloseAt(5_100),
    Act::Stay,
    Act::Take,
    Act::Hang,
    Act::CloseAt(1),
    Act::Take,
    Act::CloseAt(2_000),
];

#[tokio::test]
async fn syslog_loses_nothing_to_receivers_that_close_hang_and_talk() {
    let mut world = World::new();
    let (address, got, left) = syslog_server(SCRIPT, None).await;
    let sinks = world.start(Receiver::Syslog {
        peer: peer(address, None),
        facility: 13,
    });
    while *left.lock().unwrap() > 0 {
        // The log is written as if nothing were wrong.
        world.write(5).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    world.write(5).await;
    world.log.stop().unwrap();
    let written = world.written;
    until("the last event", || got.has_all(written)).await;
    sinks.stop().await;
    assert!(got.check(written) > 0);
    assert!(world.metric("paravent_sink_failures_total{cause=\"closed-early\",sink=\"siem\"}") > 3);
}

fn certified() -> (tempfile::NamedTempFile, TlsAcceptor) {
    use rustls_pki_types::pem::PemObject as _;
    let signed = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let ca = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(ca.path(), signed.cert.pem()).unwrap();
    let key = rustls_pki_types::PrivateKeyDer::from_pem_slice(
        signed.signing_key.serialize_pem().as_bytes(),
    )
    .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], key)
        .unwrap();
    (ca, TlsAcceptor::from(Arc::new(server)))
}

#[tokio::test]
async fn syslog_over_tls_goes_only_to_whom_an_authority_vouches_for() {
    let mut world = World::new();
    let ((ca, acceptor), (other, _)) = (certified(), certified());
    // What a receiver has decrypted, and then forgets, is beyond what anybody can see.
    let script = [Act::Close, Act::Take, Act::Talk, Act::Slowly, Act::Close];
    let (address, got, _) = syslog_server(&script, Some(acceptor)).await;
    let to = |ca: &tempfile::NamedTempFile| Receiver::Syslog {
        peer: peer(
            address,
            Some(PeerTls {
                ca: Some(ca.path().to_owned()),
                client: None,
            }),
        ),
        facility: 13,
    };
    world.write(40).await;
    let sinks = world.start(to(&other));
    until("a refusal", || {
        world.metric("paravent_sink_failures_total{cause=\"tls-untrusted\",sink=\"siem\"}") > 1
    })
    .await;
    kill(sinks);
    assert!(got.0.lock().unwrap().is_empty());
    let sinks = world.start(to(&ca));
    world.write(40).await;
    world.log.stop().unwrap();
    let written = world.written;
    until("the last event", || got.has_all(written)).await;
    sinks.stop().await;
    got.check(written);
}

/// What a web server does with a request.
#[derive(Clone, Copy, Debug)]
enum Reply {
    /// Answers with a status, and headers.
    Say(u16, &'static str),
    /// Takes it, and closes without an answer.
    Nothing,
    /// Says something else than HTTP.
    Noise,
    /// Answers at last.
    Late,
    /// Says that it is too large, if it has more lines.
    AtMost(usize),
    /// Takes it, with an answer that never ends.
    Endless,
}

async fn web_server(script: &[Reply]) -> (SocketAddr, Got, Arc<Mutex<usize>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (got, left) = (Got::default(), Arc::new(Mutex::new(script.len())));
    let (taken, counted) = (got.clone(), left.clone());
    let script = Arc::new(Mutex::new(script.iter().copied().collect::<VecDeque<_>>()));
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (taken, counted, script) = (taken.clone(), counted.clone(), script.clone());
            tokio::spawn(async move {
                let mut socket = socket;
                while let Some((head, lines)) = posted(&mut socket).await {
                    assert!(
                        head.contains("authorization: Splunk CANARY-TOKEN\r\n"),
                        "{head}"
                    );
                    assert!(
                        head.starts_with("POST /events?channel=1 HTTP/1.1\r\n"),
                        "{head}"
                    );
                    let reply = {
                        let mut script = script.lock().unwrap();
                        let reply = script.pop_front().unwrap_or(Reply::Say(200, ""));
                        *counted.lock().unwrap() = script.len();
                        reply
                    };
                    if !answer(&mut socket, reply, &lines, &taken).await {
                        return;
                    }
                }
            });
        }
    });
    (address, got, left)
}

/// The head of a request in lower case, and the lines of its body.
async fn posted(socket: &mut TcpStream) -> Option<(String, Vec<String>)> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4_096];
    let end = loop {
        if let Some(end) = memchr::memmem::find(&bytes, b"\r\n\r\n") {
            break end + 4;
        }
        match socket.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&buffer[..read]),
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))?;
    let length: usize = length.parse().unwrap();
    while bytes.len() < end + length {
        match socket.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&buffer[..read]),
        }
    }
    assert!(
        head.contains("content-encoding: gzip\r\n")
            && head.contains("content-type: application/x-ndjson\r\n")
    );
    let mut text = String::new();
    flate2::read::GzDecoder::new(&bytes[end..])
        .read_to_string(&mut text)
        .unwrap();
    Some((head, text.lines().map(str::to_owned).collect()))
}

/// Answers; whether the connection goes on.
async fn answer(socket: &mut TcpStream, reply: Reply, lines: &[String], got: &Got) -> bool {
    let take = || lines.iter().for_each(|line| got.add(line.as_bytes()));
    let (status, headers) = match reply {
        Reply::Nothing => return false,
        Reply::Noise => {
            let _ = socket.write_all(b"220 mail.example.com ESMTP\r\n").await;
            return false;
        }
        Reply::Late => {
            tokio::time::sleep(Duration::from_secs(2)).await;
            (200, "")
        }
        Reply::AtMost(most) if lines.len() > most => (413, ""),
        Reply::AtMost(_) => (200, ""),
        Reply::Endless => {
            take();
            let _ = socket
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 999999\r\n\r\n")
                .await;
            for _ in 0..200 {
                if socket.write_all(&[b'x'; 1_024]).await.is_err() {
                    break;
                }
            }
            return false;
        }
        Reply::Say(status, headers) => (status, headers),
    };
    if matches!(status, 200 | 201 | 202 | 204) && !matches!(reply, Reply::Late) {
        take();
    }
    let answer = format!("HTTP/1.1 {status} Whatever\r\n{headers}content-length: 0\r\n\r\n");
    socket.write_all(answer.as_bytes()).await.is_ok()
}

fn to_web(address: SocketAddr, dir: &TempDir) -> Receiver {
    // A secret is made by the reader of configurations alone.
    let path = dir.path().join("paravent.yaml");
    std::fs::write(dir.path().join("token"), "CANARY-TOKEN\n").unwrap();
    std::fs::write(dir.path().join("token.key"), "0123456789abcdef").unwrap();
    std::fs::create_dir_all(dir.path().join("policies")).unwrap();
    let text = format!(
        "listeners: [{{ name: crm, bind: \"127.0.0.1:0\", upstream: crm }}]
upstreams: {{ crm: {{ url: \"https://crm.example.com\", dialects: [{}] }} }}
policies: policies
keys: {{ token: {{ file: token.key }} }}
audit: {{ dir: log, sinks: [{{ name: hec, https: \"http://{address}/events?channel=1\", bearer: {{ file: token, scheme: Splunk }} }}] }}
",
        crate::dialect::NAMES[0]
    );
    std::fs::write(&path, text).unwrap();
    let (config, found) = crate::config::Config::load(&path);
    let config = config.unwrap_or_else(|| panic!("{}", found.render(false)));
    config.audit.sinks[0].receiver.clone()
}

#[tokio::test]
async fn a_web_server_that_fails_holds_or_lies_gets_everything_in_the_end() {
    let mut world = World::new();
    let script = [
        Reply::Say(503, "retry-after: 0\r\n"),
        Reply::Say(429, ""),
        // On a connection that was used before, that may be chance: it is tried on another one at once.
        Reply::Nothing,
        Reply::Nothing,
        Reply::Say(200, ""),
        Reply::Noise,
        Reply::Say(400, ""),
        Reply::Say(401, ""),
        Reply::Say(301, "location: http://127.0.0.1:1/\r\n"),
        Reply::Say(206, ""),
        Reply::Late,
        Reply::AtMost(3),
        Reply::AtMost(3),
        Reply::AtMost(3),
        Reply::AtMost(3),
        Reply::Endless,
        Reply::Say(202, ""),
        Reply::Say(500, ""),
    ];
    let (address, got, left) = web_server(&script).await;
    world.write(60).await;
    let sinks = world.start(to_web(address, &world.dir));
    while *left.lock().unwrap() > 0 {
        world.write(3).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    world.write(5).await;
    world.log.stop().unwrap();
    let written = world.written;
    until("the last event", || got.has_all(written)).await;
    sinks.stop().await;
    got.check(written);
    for cause in [
        "receiver-failed",
        "too-many",
        "closed-early",
        "refused",
        "refused-credential",
        "redirect",
        "other-status",
        "timeout",
        "too-large",
    ] {
        let line = format!("paravent_sink_failures_total{{cause=\"{cause}\",sink=\"siem\"}}");
        assert!(world.metric(&line) > 0, "{cause}");
    }
    let text = String::from_utf8(world.metrics.text().unwrap()).unwrap();
    assert!(!text.contains("CANARY") && !format!("{:?}", world.said).contains("CANARY"));
}

#[tokio::test]
async fn what_is_refused_for_good_is_said_and_waits_while_the_log_goes_on() {
    let mut world = World::new();
    let (address, got, _) = web_server(&[Reply::Say(422, ""); 10_000]).await;
    let sinks = world.start(to_web(address, &world.dir));
    world.write(200).await;
    until("words", || {
        world
            .said
            .lock()
            .unwrap()
            .contains("refuses what it is sent")
    })
    .await;
    let said = world.said.lock().unwrap().clone();
    assert!(
        said.starts_with("sink:siem false ") && said.contains("(status 422)"),
        "{said}"
    );
    until("the lag", || {
        world.metric("paravent_sink_lag_events{sink=\"siem\"}") >= 200
    })
    .await;
    assert!(got.0.lock().unwrap().is_empty());
    kill(sinks);
    // Another receiver takes its place, and nothing was dropped.
    let sinks = world.start(world.to_file());
    world.log.stop().unwrap();
    sinks.stop().await;
    assert_eq!(Got::of_file(&world.file()).check(200), 0);
}

#[tokio::test]
async fn a_sink_says_itself_what_was_gone_before_it_was_carried() {
    let mut world = World::new();
    let sinks = world.start(world.to_file());
    world.write(3).await;
    until("three events", || Got::of_file(&world.file()).has_all(3)).await;
    sinks.stop().await;
    world.write(60).await;
    world.log.stop().unwrap();
    let audit = world.dir.path().join("audit");
    let mut segments: Vec<_> = std::fs::read_dir(&audit)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    segments.sort();
    assert!(segments.len() > 3);
    segments[..2]
        .iter()
        .for_each(|path| std::fs::remove_file(path).unwrap());
    world.log = open(&world.dir);
    let sinks = world.start(world.to_file());
    world.log.stop().unwrap();
    sinks.stop().await;
    let got = Got::of_file(&world.file());
    let got = got.0.lock().unwrap();
    let at = got
        .iter()
        .position(|event| event["event"] == "sink.remark")
        .unwrap();
    let (remark, next) = (&got[at], &got[at + 1]);
    assert_eq!(
        (&remark["why"], &remark["sink"]),
        (&"missing".into(), &"siem".into())
    );
    assert_eq!(
        remark["last_seq"].as_u64().unwrap() + 1,
        next["seq"].as_u64().unwrap()
    );
    let missed = remark["last_seq"].as_u64().unwrap() + 1 - remark["first_seq"].as_u64().unwrap();
    assert_eq!(
        world.metric("paravent_sink_remarks_total{sink=\"siem\",why=\"missing\"}"),
        missed
    );
    // The segment says itself where it belongs; then comes what was written.
    assert_eq!(next["event"], "audit.segment");
    let mut fields = got[at..]
        .iter()
        .filter_map(|event| event["fields"].as_u64());
    assert!(fields.next().unwrap() > 4);
}

#[tokio::test]
async fn a_stop_waits_little_for_a_receiver_that_is_away_and_what_is_left_is_carried_later() {
    let mut world = World::new();
    let away = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = away.local_addr().unwrap();
    drop(away);
    let syslog = |address| Receiver::Syslog {
        peer: peer(address, None),
        facility: 13,
    };
    let sinks = world.start(syslog(address));
    world.write(30).await;
    let refused = "paravent_sink_failures_total{cause=\"refused\",sink=\"siem\"}";
    until("a failure", || world.metric(refused) > 0).await;
    world.log.stop().unwrap();
    let cursor = world.dir.path().join("state/sinks/siem/cursor");
    sinks.stop().await;
    assert!(std::fs::read_to_string(&cursor).unwrap().starts_with("0:"));
    let (address, got, _) = syslog_server(&[], None).await;
    let sinks = world.start(syslog(address));
    until("the last event", || got.has_all(30)).await;
    sinks.stop().await;
    assert_eq!(got.check(30), 0);
    assert!(!std::fs::read_to_string(&cursor).unwrap().starts_with("0:"));
}

#[tokio::test]
async fn a_cursor_that_is_none_or_of_another_log_begins_with_the_first_event() {
    for kept in [
        "rubbish".to_owned(),
        format!("9999:sha256:{}\n", "0b".repeat(32)),
    ] {
        let mut world = World::new();
        world.write(5).await;
        let folder = world.dir.path().join("state/sinks/siem");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("cursor"), &kept).unwrap();
        let sinks = world.start(world.to_file());
        world.log.stop().unwrap();
        sinks.stop().await;
        let got = Got::of_file(&world.file());
        got.check(5);
        let remarks = got
            .0
            .lock()
            .unwrap()
            .iter()
            .filter(|event| event["why"] == "other-log")
            .count();
        assert_eq!(remarks, usize::from(kept.starts_with('9')));
    }
}
