//! Checkpoints are put on a server: one that fails, hangs, restarts, talks nonsense, or signs as well.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Mutex;

use super::*;

/// What a server was asked: method, path, whether only something new was to be taken, authorization, body.
type Asked = (String, String, bool, String, String);
/// Its answer: a status and a body; `None` for none at all.
type Answered = Option<(u16, String)>;

struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// Serves on an address until the test ends.
fn serve(
    listener: TcpListener,
    answer: impl Fn(usize, &Asked) -> Answered + Send + 'static,
) -> Server {
    let address = listener.local_addr().unwrap();
    let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
    let seen = Arc::clone(&asked);
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let mut words = line.split(' ').map(str::to_owned);
            let (method, path) = (words.next().unwrap(), words.next().unwrap_or_default());
            let (mut only_new, mut length, mut authorization) = (false, 0, String::new());
            loop {
                let mut header = String::new();
                if reader.read_line(&mut header).unwrap() <= 2 {
                    break;
                }
                let (name, value) = header.trim().split_once(": ").unwrap();
                match name {
                    "if-none-match" => only_new = value == "*",
                    "content-length" => length = value.parse().unwrap(),
                    "authorization" => authorization = value.to_owned(),
                    _ => {}
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let body = String::from_utf8(body).unwrap();
            let request = (method, path, only_new, authorization, body);
            let count = seen.lock().unwrap().len();
            let answered = answer(count, &request);
            seen.lock().unwrap().push(request);
            match answered {
                Some((status, body)) => {
                    let length = body.len();
                    let head = format!("HTTP/1.1 {status} x\r\nContent-Length: {length}\r\n\r\n");
                    let _ = stream.write_all((head + &body).as_bytes());
                }
                // It hangs, with the connection open.
                None => open.push(stream),
            }
        }
    });
    Server { address, asked }
}

fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

fn to_server(address: SocketAddr) -> Target {
    Target {
        place: Place::Https {
            url: format!("http://{address}/notes/").parse().unwrap(),
            bearer: Bearer::new(b"SECRET"),
            ca: None,
        },
        region: Some("FR".to_owned()),
    }
}

fn open(outer: &Path, line: &str, target: Target) -> Log {
    Log::open(Options {
        signing: eager(keys(&[line]), vec![target]),
        ..Options::new(&outer.join("log"), &outer.join("state"))
    })
    .unwrap()
}

async fn until_published(log: &Log) {
    until("published", || {
        let told = told(log);
        told.size > 0 && told.targets[0].failing.is_none() && told.lag(&told.targets[0]) == 0
    })
    .await;
}

#[tokio::test]
async fn a_server_gets_the_note_under_its_name_and_only_where_there_is_none() {
    let outer = TempDir::new().unwrap();
    let line = key_line();
    let server = serve(listen(), |_, _| Some((201, String::new())));
    let log = open(outer.path(), &line, to_server(server.address));
    write_requests(&log, 3).await;
    until_published(&log).await;
    log.stop().unwrap();
    let folder = outer.path().join("log").join(CHECKPOINTS);
    let asked = server.asked.lock().unwrap();
    for (method, path, only_new, authorization, body) in &*asked {
        assert_eq!((method.as_str(), *only_new), ("PUT", true));
        assert_eq!(authorization, "Bearer SECRET");
        let name = path.strip_prefix("/notes/").unwrap();
        assert_eq!(*body, fs::read_to_string(folder.join(name)).unwrap());
    }
    let last = checkpoints(&folder, &public(&line)).pop().unwrap();
    let name = name(&told(&log).log, last.size);
    assert!(asked.last().unwrap().1.ends_with(&name));
    assert!(!format!("{:?}", to_server(server.address)).contains("SECRET"));
}

#[tokio::test]
async fn a_server_that_fails_hangs_or_talks_nonsense_slows_nothing_and_gets_the_newest_later() {
    let outer = TempDir::new().unwrap();
    let line = key_line();
    let works = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let decides = Arc::clone(&works);
    let server = serve(listen(), move |count, _| match count % 4 {
        _ if decides.load(Ordering::Relaxed) => Some((200, "nonsense \u{2014} x".to_owned())),
        0 => Some((500, "no".to_owned())),
        1 => None,
        2 => Some((302, String::new())),
        _ => Some((412, String::new())),
    });
    let log = open(outer.path(), &line, to_server(server.address));
    for count in 1..=6 {
        write_requests(&log, 2).await;
        until("failing", || told(&log).targets[0].failures >= count / 2).await;
    }
    assert!(log.healthy() && told(&log).failing.is_none());
    assert_eq!(told(&log).targets[0].taken, None);
    works.store(true, Ordering::Relaxed);
    until_published(&log).await;
    log.stop().unwrap();
    let folder = outer.path().join("log").join(CHECKPOINTS);
    let cosigned = fs::read_dir(folder).unwrap().flatten();
    let mut names = cosigned.map(|entry| entry.file_name().into_string().unwrap());
    assert!(names.all(|name| !name.ends_with(".cosigned")));
}

#[tokio::test]
async fn a_server_that_is_not_there_yet_and_one_that_restarts_are_found_again() {
    let outer = TempDir::new().unwrap();
    let line = key_line();
    let address = listen().local_addr().unwrap();
    let log = open(outer.path(), &line, to_server(address));
    until("failing", || told(&log).targets[0].failing.is_some()).await;
    let server = serve(TcpListener::bind(address).unwrap(), |_, _| {
        Some((204, String::new()))
    });
    until_published(&log).await;
    assert!(!server.asked.lock().unwrap().is_empty());
    log.stop().unwrap();
}

/// A server that keeps what it is given and replaces nothing.
fn keeper() -> Server {
    let kept: Mutex<BTreeMap<String, String>> = Mutex::default();
    serve(listen(), move |_, (method, path, only_new, _, body)| {
        let mut kept = kept.lock().unwrap();
        match (method.as_str(), kept.get(path)) {
            ("GET", Some(held)) => Some((200, held.clone())),
            ("GET", None) => Some((404, String::new())),
            (_, Some(_)) if *only_new => Some((412, String::new())),
            _ => {
                kept.insert(path.clone(), body.clone());
                Some((201, String::new()))
            }
        }
    })
}

#[tokio::test]
async fn a_server_that_has_another_checkpoint_under_the_name_stops_the_signing() {
    let outer = TempDir::new().unwrap();
    let line = key_line();
    let server = keeper();
    let path = |name: &str| outer.path().join(name);
    let log = open(&path("a"), &line, to_server(server.address));
    log.stop().unwrap();
    copy_all(&path("a"), &path("b"));
    // Both go on from there, with as many events.
    for place in ["a", "b"] {
        let log = open(&path(place), &line, to_server(server.address));
        if place == "a" {
            until_published(&log).await;
        } else {
            until("contradicted", || {
                let failing = told(&log).targets[0].failing.clone();
                failing.is_some_and(|why| why.contains("does not go on"))
            })
            .await;
            write_requests(&log, 2).await;
            until("refused", || told(&log).refused.is_some()).await;
        }
        log.stop().unwrap();
    }
}

#[tokio::test]
async fn what_a_server_has_already_and_the_same_is_no_trouble() {
    let outer = TempDir::new().unwrap();
    let line = key_line();
    // The first answer was lost on the way.
    let kept: Mutex<Option<String>> = Mutex::default();
    let server = serve(listen(), move |count, (method, _, _, _, body)| {
        let mut kept = kept.lock().unwrap();
        match (count, method.as_str()) {
            (0, _) => {
                *kept = Some(body.clone());
                Some((502, String::new()))
            }
            (_, "GET") => Some((200, kept.clone().unwrap())),
            _ if kept.as_ref() == Some(body) => Some((412, String::new())),
            _ => Some((201, String::new())),
        }
    });
    let log = open(outer.path(), &line, to_server(server.address));
    until_published(&log).await;
    log.stop().unwrap();
    let methods: Vec<String> = server
        .asked
        .lock()
        .unwrap()
        .iter()
        .map(|asked| asked.0.clone())
        .collect();
    assert_eq!(methods[..3], ["PUT", "PUT", "GET"]);
}

#[tokio::test]
async fn the_signatures_of_a_witness_are_kept_beside_the_checkpoint() {
    for whole in [false, true] {
        let outer = TempDir::new().unwrap();
        let line = key_line();
        let (witness, _) = SigningKey::generate("witness.example.com").unwrap();
        let known = witness.public().clone();
        let server = serve(listen(), move |count, (_, _, _, _, body)| {
            let note = Note::parse(body).unwrap();
            let signed = witness.sign(note.text());
            let lines = signed.rsplit_once("\n\n").unwrap().1;
            let answer = match (count, whole) {
                // Of another text: not ours.
                (0, _) => witness.sign("something else\n"),
                (_, true) => format!("{body}{lines}"),
                (_, false) => lines.to_owned(),
            };
            Some((200, answer))
        });
        let log = open(outer.path(), &line, to_server(server.address));
        until_published(&log).await;
        let first = told(&log).size;
        write_requests(&log, 3).await;
        log.stop().unwrap();
        let folder = outer.path().join("log").join(CHECKPOINTS);
        let cosigned = |size| folder.join(format!("{}.cosigned", name(&told(&log).log, size)));
        assert!(!cosigned(first).exists());
        let text = fs::read_to_string(cosigned(told(&log).size)).unwrap();
        let note = Note::parse(&text).unwrap();
        assert!(note.signed_by(std::slice::from_ref(&known)).is_ok());
        assert!(note.signed_by(&[public(&line)]).is_ok());
    }
}
