//! A CRM that says exactly what a test tells it to, byte for byte, and remembers each byte it received.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::client;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    pub line: String,
    pub headers: Vec<(String, String)>,
    /// The body, for scripts that answer by it.
    #[allow(dead_code)]
    pub body: Vec<u8>,
}

impl Received {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Answers one request on its socket; says whether another may follow on it.
type Script = dyn Fn(&Received, &mut TcpStream) -> bool + Send + Sync;

/// The credential with which a proxy asks whether the CRM is there, when it starts and at `check --connect`.
const CHECK: &str = "paravent-check";

/// The CRM.
pub struct Scripted {
    pub address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl Scripted {
    /// Answers each request with the bytes that the script gives (a whole HTTP response), then closes.
    pub fn start(script: impl Fn(&Received) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::misbehaving(move |request, socket| {
            let _ = socket.write_all(&script(request));
            false
        })
    }

    /// The same, which is told of checks too: elsewhere they are answered as a CRM does, and nobody hears of them.
    pub fn that_sees_checks(script: impl Fn(&Received) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::listening(true, move |request, socket| {
            let _ = socket.write_all(&script(request));
            false
        })
    }

    /// Leaves the socket to the script: it may answer late, in pieces, twice, or not at all.
    pub fn misbehaving(
        script: impl Fn(&Received, &mut TcpStream) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self::listening(false, script)
    }

    fn listening(
        sees_checks: bool,
        script: impl Fn(&Received, &mut TcpStream) -> bool + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let received: Arc<Mutex<Vec<Received>>> = Arc::default();
        let bytes: Arc<Mutex<Vec<u8>>> = Arc::default();
        let script: Arc<Script> = Arc::new(script);
        let (seen, all) = (received.clone(), bytes.clone());
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (script, seen, all) = (script.clone(), seen.clone(), all.clone());
                std::thread::spawn(move || answer(socket, sees_checks, &*script, &seen, &all));
            }
        });
        Self {
            address,
            received,
            bytes,
        }
    }

    /// Every byte that arrived, on whatever connection.
    pub fn bytes(&self) -> Vec<u8> {
        self.bytes.lock().unwrap().clone()
    }

    /// Everything that arrived since the last call.
    pub fn take_all(&self) -> Vec<Received> {
        std::mem::take(&mut *self.received.lock().unwrap())
    }

    /// What arrived since the last call, look-ups of sessions left out.
    pub fn take(&self) -> Vec<Received> {
        self.take_all()
            .into_iter()
            .filter(|request| !request.line.contains("/me "))
            .collect()
    }
}

fn answer(
    mut socket: TcpStream,
    sees_checks: bool,
    script: &Script,
    seen: &Mutex<Vec<Received>>,
    all: &Mutex<Vec<u8>>,
) {
    let _ = socket.set_read_timeout(Some(client::PATIENCE));
    let mut bytes = Vec::new();
    let mut chunk = [0; 16_384];
    loop {
        let (request, length) = loop {
            if let Some(found) = read(&bytes) {
                break found;
            }
            match socket.read(&mut chunk) {
                Ok(0) | Err(_) => return,
                Ok(count) => {
                    all.lock().unwrap().extend_from_slice(&chunk[..count]);
                    bytes.extend_from_slice(&chunk[..count]);
                }
            }
        };
        bytes.drain(..length);
        if !sees_checks && request.header("oauth-token") == Some(CHECK) {
            let _ = socket.write_all(&json(401, br#"{"error":"need_login"}"#));
            break;
        }
        seen.lock().unwrap().push(request.clone());
        if !script(&request, &mut socket) {
            break;
        }
    }
    let _ = socket.shutdown(std::net::Shutdown::Write);
    // Read what may still come, so that closing does not reset the connection under the reader.
    let _ = socket.set_read_timeout(Some(Duration::from_millis(200)));
    while let Ok(count @ 1..) = socket.read(&mut chunk) {
        all.lock().unwrap().extend_from_slice(&chunk[..count]);
    }
}

/// The request that stands first, and its length.
fn read(bytes: &[u8]) -> Option<(Received, usize)> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let line = lines.next()?.to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(0);
    let body = bytes.get(end + 4..end + 4 + length)?.to_vec();
    let received = Received {
        line,
        headers,
        body,
    };
    Some((received, end + 4 + length))
}

/// A response with a JSON body.
pub fn json(status: u16, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status} Whatever\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// What `/me` says for a role of the CRM.
pub fn me(user: &str, role: &str) -> Vec<u8> {
    let roles = if role.is_empty() {
        serde_json::json!([])
    } else {
        serde_json::json!([role])
    };
    let body = serde_json::json!({"current_user": {
        "type": "user", "id": format!("id-{user}"), "user_name": user, "full_name": "Somebody", "roles": roles,
        "my_teams": [{"id": "1", "name": "Global"}], "acl": {}, "module_list": ["Contacts"], "preferences": {}, "_hash": "0",
    }});
    json(200, body.to_string().as_bytes())
}
