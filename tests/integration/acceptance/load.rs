//! A24: slow clients, floods, and what fails inside. (HTTP/2 conformance needs a tool: see `CONTRIBUTING.md`.)

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use paravent::dialect::{
    self, Absent, AddressList, AnswerForm, Answered, Arrangement, Assembly, Bounds, Dialect,
    ErrorShape, Exchange, Failure, HeadForm, Incoming, Inquiry, Judging, Misunderstood, Modules,
    Needed, Operation, Outgoing, Restricted, Schema, Understood, Wanted, Widened,
};
use paravent::door::Credential;
use paravent::reason::Reason;
use paravent::vocabulary::{Field, Module, RecordRef, Spelling};
use serde_json::{Map, Value, json};

use super::{LIST, before_with, good_page, page};
use crate::harness::client;
use crate::harness::scripted;
use crate::harness::world::{Wish, World};

fn patient(seconds: u64) -> Wish {
    let wait = Duration::from_secs(seconds);
    Wish {
        head_timeout: wait,
        body_timeout: wait,
        idle_timeout: wait,
        ..Wish::default()
    }
}

fn connect(world: &World) -> TcpStream {
    let socket = TcpStream::connect(world.proxy).unwrap();
    socket.set_read_timeout(Some(client::PATIENCE)).unwrap();
    socket.set_write_timeout(Some(client::PATIENCE)).unwrap();
    socket
}

/// A request of somebody else is answered within a second. (Within three by a proxy of this process, which shares it with
/// other tests and is not optimised.)
fn assert_in_service(world: &World, what: &str) {
    let patience = Duration::from_secs(if world.memory_peak().is_some() { 1 } else { 3 });
    let start = Instant::now();
    let reply = world.get(LIST, "tok-1");
    assert_eq!(reply.status, 200, "{what}: {}", reply.text());
    assert!(start.elapsed() < patience, "{what}: {:?}", start.elapsed());
}

/// No request is being answered any more, soon.
fn assert_all_done(world: &World) {
    let deadline = Instant::now() + client::PATIENCE;
    while !world.metrics().contains("paravent_requests_in_flight 0") {
        assert!(Instant::now() < deadline, "{}", world.metrics());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a24_slow_clients_do_not_stop_others() {
    let big = scripted::json(
        200,
        page(&format!("\"department\":\"{}\",", "x".repeat(900_000))).as_bytes(),
    );
    let (_crm, world) = before_with(patient(3), move |request| {
        if request.line.contains("max_num=7") {
            big.clone()
        } else {
            good_page()
        }
    });
    assert_in_service(&world, "nobody");
    let mut sockets = Vec::new();
    for number in 0..500 {
        let mut socket = connect(&world);
        let start: &[u8] = match number % 4 {
            0 => b"",
            1 => b"GET /rest/v11_24/Contacts HTTP/1.1\r\nHost: a\r\nX-A",
            2 => b"POST /rest/v11_24/Contacts/filter HTTP/1.1\r\nHost: a\r\nOAuth-Token: tok-1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
            // Asks for much, and reads nothing.
            _ => b"GET /rest/v11_24/Contacts?max_num=7 HTTP/1.1\r\nHost: a\r\nOAuth-Token: tok-1\r\n\r\n",
        };
        socket.write_all(start).unwrap();
        sockets.push(socket);
        if number % 50 == 49 {
            assert_in_service(&world, &format!("{number} connections"));
        }
    }
    // A byte now and then keeps nobody's place.
    for _ in 0..8 {
        std::thread::sleep(Duration::from_millis(700));
        for (number, socket) in sockets.iter_mut().enumerate() {
            if [1, 2].contains(&(number % 4)) {
                let _ = socket.write_all(b"a");
            }
        }
        assert_in_service(&world, "bytes now and then");
    }
    let connections = || {
        let metrics = world.metrics();
        let line = metrics
            .lines()
            .find(|line| line.starts_with("paravent_connections "))
            .unwrap();
        line.rsplit(' ').next().unwrap().parse::<u32>().unwrap()
    };
    let deadline = Instant::now() + client::PATIENCE;
    while connections() > 130 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(200));
    }
    // Those whose 900 kB fit into the buffers of the system have nothing left to wait for, but silence.
    while connections() > 5 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(
        connections() <= 5,
        "{} connections are still there",
        connections()
    );
    assert_all_done(&world);
    assert!(world.metrics().contains("paravent_held_bytes 0"));
}

/// HTTP/2 by hand: frames as they stand on the wire.
struct Frames(TcpStream);

const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;

impl Frames {
    fn connect(address: SocketAddr, settings: &[u8]) -> Self {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(client::PATIENCE)).unwrap();
        socket.set_write_timeout(Some(client::PATIENCE)).unwrap();
        let mut frames = Self(socket);
        frames
            .0
            .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            .unwrap();
        assert!(frames.send(SETTINGS, 0, 0, settings));
        frames
    }

    /// Whether the connection still takes frames.
    fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> bool {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut frame = vec![length[1], length[2], length[3], kind, flags];
        frame.extend_from_slice(&stream.to_be_bytes());
        frame.extend_from_slice(payload);
        self.0.write_all(&frame).is_ok()
    }

    /// Whether the server ends the connection within a time.
    fn ends_within(mut self, patience: Duration) -> bool {
        let start = Instant::now();
        let _ = self.0.set_read_timeout(Some(patience));
        let mut chunk = [0; 16_384];
        while start.elapsed() < patience {
            match self.0.read(&mut chunk) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => {
                    use std::io::ErrorKind::{TimedOut, WouldBlock};
                    return ![WouldBlock, TimedOut].contains(&error.kind());
                }
            }
        }
        false
    }
}

/// Header fields as literals without a table.
fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut text = |text: &str| {
        let mut length = text.len();
        if length < 127 {
            out.push(u8::try_from(length).unwrap());
        } else {
            out.push(127);
            length -= 127;
            while length >= 128 {
                out.push(u8::try_from(length % 128).unwrap() | 128);
                length /= 128;
            }
            out.push(u8::try_from(length).unwrap());
        }
        out.extend_from_slice(text.as_bytes());
    };
    let mut all = Vec::new();
    for (name, value) in fields {
        text(name);
        text(value);
    }
    // Each name is preceded by the sign of a literal that is not indexed.
    let mut rest = &out[..];
    for (name, value) in fields {
        let length = |text: &str| {
            text.len() + 1 + usize::from(text.len() >= 127) + usize::from(text.len() >= 255)
        };
        let (field, after) = rest.split_at(length(name) + length(value));
        all.push(0);
        all.extend_from_slice(field);
        rest = after;
    }
    all
}

fn asking(extra: &[(&str, &str)]) -> Vec<u8> {
    let mut fields = vec![
        (":method", "GET"),
        (":scheme", "http"),
        (":path", LIST),
        (":authority", "a"),
    ];
    fields.extend([("oauth-token", "tok-1")]);
    fields.extend(extra);
    block(&fields)
}

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

#[test]
fn a24_floods_of_frames_end_the_connection_and_nobody_else_notices() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let (_crm, world) = before_with(patient(3), move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        good_page()
    });
    assert_in_service(&world, "nobody");
    let flood = |what: &str, frames: &mut dyn FnMut(&mut Frames, u32) -> bool| {
        let mut connection = Frames::connect(world.proxy, &[]);
        let mut sent = 0;
        while sent < 20_000 && frames(&mut connection, sent) {
            sent += 1;
        }
        assert_in_service(&world, what);
        assert!(
            connection.ends_within(client::PATIENCE),
            "{what}: {sent} frames"
        );
    };
    let head = asking(&[]);
    flood("headers without an end", &mut |frames, number| {
        let filler = block(&[("x-a", "b")]);
        match number {
            0 => frames.send(HEADERS, END_STREAM, 1, &head),
            _ => frames.send(CONTINUATION, 0, 1, &filler),
        }
    });
    let before = asked.load(Ordering::SeqCst);
    flood("streams that are reset at once", &mut |frames, number| {
        let stream = number * 2 + 1;
        frames.send(HEADERS, END_STREAM | END_HEADERS, stream, &head)
            && frames.send(RESET, 0, stream, &8_u32.to_be_bytes())
    });
    let during = asked.load(Ordering::SeqCst) - before;
    assert!(
        during < 5_000,
        "{during} requests for streams that were reset"
    );
    flood("streams with a broken head", &mut |frames, number| {
        frames.send(
            HEADERS,
            END_STREAM | END_HEADERS,
            number * 2 + 1,
            &block(&[(":method", "GET"), ("X-Upper", "a")]),
        )
    });
    let large = "x".repeat(16_000);
    flood("heads that are too large", &mut |frames, number| {
        let fields: Vec<_> = (0..1).map(|_| ("x-a", large.as_str())).collect();
        frames.send(HEADERS, END_STREAM, number * 2 + 1, &block(&fields))
            && frames.send(CONTINUATION, 0, number * 2 + 1, &block(&fields))
            && frames.send(CONTINUATION, END_HEADERS, number * 2 + 1, &block(&fields))
    });
    // Pings and settings are answered, so they may last; they cost nobody else anything.
    let mut connection = Frames::connect(world.proxy, &[]);
    for _ in 0..5_000 {
        if !connection.send(PING, 0, 0, &[0; 8]) || !connection.send(SETTINGS, 0, 0, &[]) {
            break;
        }
    }
    assert_in_service(&world, "pings");
    let metrics = world.metrics();
    assert_all_done(&world);
    assert!(!metrics.contains("paravent_panics_total"), "{metrics}");
}

#[test]
fn a24_replies_that_are_not_read_give_their_places_back() {
    let wish = Wish {
        requests_max: 64,
        ..patient(2)
    };
    let (_crm, world) = before_with(wish, |_| good_page());
    assert_in_service(&world, "nobody");
    // The window of every stream is shut from the start, and stays so.
    let mut connections = Vec::new();
    for _ in 0..2 {
        let mut connection = Frames::connect(world.proxy, &[0, 4, 0, 0, 0, 0]);
        for number in 0..60 {
            assert!(connection.send(
                HEADERS,
                END_STREAM | END_HEADERS,
                number * 2 + 1,
                &asking(&[])
            ));
        }
        connections.push(connection);
    }
    let start = Instant::now();
    let mut refused = 0;
    while world.get(LIST, "tok-1").status != 200 {
        refused += 1;
        assert!(
            start.elapsed() < client::PATIENCE,
            "the places are never given back"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    for connection in connections {
        assert!(connection.ends_within(client::PATIENCE), "{refused}");
    }
    assert_all_done(&world);
}

#[test]
fn a24_bodies_that_arrive_slowly_take_nobodys_turn() {
    let wish = Wish {
        requests_max: 16,
        ..patient(3)
    };
    let (_crm, world) = before_with(wish, |_| good_page());
    assert_in_service(&world, "nobody");
    let sockets: Vec<TcpStream> = (0..100)
        .map(|_| {
            let mut socket = connect(&world);
            socket.write_all(b"POST /rest/v11_24/oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{").unwrap();
            socket
        })
        .collect();
    for _ in 0..5 {
        assert_in_service(&world, "slow bodies");
    }
    for mut socket in sockets {
        let mut reply = String::new();
        let _ = socket.read_to_string(&mut reply);
        assert!(reply.starts_with("HTTP/1.1 408 "), "{reply}");
    }
}

#[test]
fn a24_a_caller_who_hangs_up_makes_no_room_before_the_walk_ends() {
    let at_once = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let (now, peak) = (at_once.clone(), most.clone());
    let wish = Wish {
        requests_max: 8,
        ..patient(10)
    };
    let (_crm, world) = before_with(wish, move |_| {
        let count = now.fetch_add(1, Ordering::SeqCst) + 1;
        peak.fetch_max(count, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(300));
        now.fetch_sub(1, Ordering::SeqCst);
        good_page()
    });
    world.get(LIST, "tok-1");
    for _ in 0..100 {
        let mut socket = connect(&world);
        let _ = socket.write_all(
            b"GET /rest/v11_24/Contacts HTTP/1.1\r\nHost: a\r\nOAuth-Token: tok-1\r\n\r\n",
        );
        std::thread::sleep(Duration::from_millis(5));
        drop(socket);
    }
    assert!(
        most.load(Ordering::SeqCst) <= 8,
        "{} at once",
        most.load(Ordering::SeqCst)
    );
    assert_all_done(&world);
}

/// The usual dialect, which fails at certain requests.
#[derive(Debug)]
struct Failing(Arc<dyn Dialect>);

impl dialect::survey::Survey for Failing {}

impl Dialect for Failing {
    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn claims(&self, path: &str) -> bool {
        self.0.claims(path)
    }
    fn understand(
        &self,
        request: &Incoming<'_>,
        bounds: &Bounds,
    ) -> Result<Understood, Misunderstood> {
        assert!(
            !request.path.ends_with("/fail-early"),
            "secret in a panic: {}",
            super::CANARY
        );
        let understood = self.0.understand(request, bounds)?;
        Ok(match understood {
            Understood::One(exchange) => Understood::One(Box::new(FailingLate(exchange))),
            bulk => bulk,
        })
    }
    fn head_form(&self) -> &HeadForm {
        self.0.head_form()
    }
    fn assemble(&self, route: &str) -> Option<Assembly> {
        self.0.assemble(route)
    }
    fn refuse(&self, status: u16, label: Option<&'static str>) -> ErrorShape {
        self.0.refuse(status, label)
    }
    fn label(&self, reason: Reason) -> Option<&'static str> {
        self.0.label(reason)
    }
    fn inquire(&self, version: &str, credential: &Credential, answers: &[Answered]) -> Inquiry {
        self.0.inquire(version, credential, answers)
    }
    fn addresses(&self, field: &Field) -> Option<&AddressList> {
        self.0.addresses(field)
    }
    fn schema(&self) -> &Arc<Schema> {
        self.0.schema()
    }
    fn with_schema(&self, schema: Arc<Schema>) -> Arc<dyn Dialect> {
        Arc::new(Self(self.0.with_schema(schema)))
    }
    fn described(&self, module: Option<&Module>, answer: &[u8]) -> Option<Modules> {
        self.0.described(module, answer)
    }
}

/// An exchange of the usual dialect, which fails at a certain record.
#[derive(Debug)]
struct FailingLate(Box<dyn Exchange>);

impl Exchange for FailingLate {
    fn operation(&self) -> &Operation {
        self.0.operation()
    }
    fn render(&self, narrowed: &Operation) -> Outgoing {
        self.0.render(narrowed)
    }
    fn answer(&self) -> AnswerForm {
        let fails = self.operation().record.as_deref() == Some("fail-late");
        assert!(!fails, "secret in a panic: {}", super::CANARY);
        self.0.answer()
    }
    fn spelling(&self) -> Spelling {
        self.0.spelling()
    }
    fn failure(&self, status: u16, body: &[u8]) -> Option<Failure> {
        self.0.failure(status, body)
    }
    fn account(&self, client: Option<&Credential>) -> Option<String> {
        self.0.account(client)
    }
    fn restrict(&self, operation: &Operation, needed: Needed<'_>) -> Restricted {
        self.0.restrict(operation, needed)
    }
    fn also_ask(&self, operation: &Operation, judging: Judging<'_>) -> Option<Widened> {
        self.0.also_ask(operation, judging)
    }
    fn page_at(&self, operation: &Operation, offset: u64, limit: u32) -> Option<Operation> {
        self.0.page_at(operation, offset, limit)
    }
    fn absent(&self) -> Absent {
        self.0.absent()
    }
    fn look_at(&self, record: &RecordRef, fields: &BTreeSet<Field>) -> Option<Box<dyn Exchange>> {
        self.0.look_at(record, fields)
    }
    fn look_up(&self, wanted: Wanted<'_>) -> Option<Box<dyn Exchange>> {
        self.0.look_up(wanted)
    }
    fn record(&self, answer: Value) -> Option<Map<String, Value>> {
        self.0.record(answer)
    }
    fn unchanged(&self) -> Arrangement {
        self.0.unchanged()
    }
}

#[test]
fn a24_a_failure_stays_in_its_request_and_is_recorded() {
    let failing: Arc<dyn Dialect> = Arc::new(Failing(dialect::by_name("sugar-rest").unwrap()));
    let wish = Wish {
        dialects: vec![failing],
        ..Wish::default()
    };
    let (_crm, mut world) = before_with(wish, |_| good_page());
    for _ in 0..10 {
        assert_eq!(world.get(LIST, "tok-1").status, 200);
        for target in [
            "/rest/v11_24/Contacts/fail-early",
            "/rest/v11_24/Contacts/fail-late",
        ] {
            let reply = world.get(target, "tok-1");
            assert_eq!(
                (reply.status, reply.json()["error"].clone()),
                (500, json!("fatal_error")),
                "{target}"
            );
        }
    }
    let metrics = world.metrics();
    assert!(metrics.contains("paravent_panics_total 20"), "{metrics}");
    assert_all_done(&world);
    world.stop();
    let events = world.events();
    let aborted = events
        .iter()
        .filter(|event| event["outcome"]["kind"] == json!("aborted"));
    assert_eq!(
        aborted.count(),
        10,
        "what was understood has an event of its own"
    );
    let counted: u64 = events
        .iter()
        .filter(|event| event["reason"] == json!("internal"))
        .map(|event| event["count"].as_u64().unwrap())
        .sum();
    assert_eq!(counted, 20);
}
