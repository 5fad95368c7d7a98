//! The parts of the benchmark against other proxies that must be fast: the origin behind them, and the load in front.
//!
//! ```text
//! peers origin ADDRESS                    serves `/me`, lists of contacts, and a list of 1 GiB
//! peers load URL SECONDS CONNECTIONS      asks again and again; prints {"requests": …, "errors": …, …}
//! peers get URL                           asks once and prints the body
//! peers open URL CONNECTIONS SECONDS      asks once on each connection, then keeps them open
//! peers filter SECONDS                    the filter beside IgnoredAny and a Value round trip; prints ratios
//! peers certificate DIR                   writes cert.pem, key.pem and both.pem for localhost
//! ```

#![allow(clippy::unwrap_used)]

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[allow(dead_code, reason = "shared with the benchmark of the filter")]
#[path = "../filter/payload.rs"]
mod payload;
#[path = "../filter/rival.rs"]
mod rival;
#[allow(dead_code, reason = "shared with the benchmark of the filter")]
#[path = "../filter/terms.rs"]
mod terms;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    match arguments[..] {
        ["origin", address] => runtime.block_on(origin(address.parse()?)),
        ["load", url, seconds, connections] => {
            let seconds = Duration::from_secs_f64(seconds.parse()?);
            runtime.block_on(load(Target::read(url)?, seconds, connections.parse()?))
        }
        ["get", url] => runtime.block_on(get(Target::read(url)?)),
        ["open", url, connections, seconds] => {
            let seconds = Duration::from_secs_f64(seconds.parse()?);
            runtime.block_on(open(Target::read(url)?, connections.parse()?, seconds))
        }
        ["filter", seconds] => {
            println!(
                "{}",
                rival::ratios(Duration::from_secs_f64(seconds.parse()?))
            );
            Ok(())
        }
        ["certificate", dir] => certificate(Path::new(dir)),
        _ => Err(
            "origin | load | get | open | filter | certificate; see benches/peers/tool.rs".into(),
        ),
    }
}

// ---- origin -------------------------------------------------------------------------------------------------------

/// Replies, head and body, made once.
struct Replies {
    me: Bytes,
    /// By number of records.
    lists: Vec<(usize, Bytes)>,
    /// The same, gzipped.
    coded: Vec<(usize, Bytes)>,
}

fn reply(body: &[u8], coding: &str) -> Bytes {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{coding}\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat().into()
}

async fn origin(address: SocketAddr) -> Result<(), Failure> {
    let (mut lists, mut coded) = (Vec::new(), Vec::new());
    for records in [200, 20, 1] {
        let list = payload::list(records);
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
        // Accounts come gzipped, so that the module tells the coding; see `answer`.
        let accounts = list.replace(r#""_module":"Contacts""#, r#""_module":"Accounts""#);
        encoder.write_all(accounts.as_bytes())?;
        lists.push((records, reply(list.as_bytes(), "")));
        coded.push((
            records,
            reply(&encoder.finish()?, "content-encoding: gzip\r\n"),
        ));
    }
    let replies = Arc::new(Replies {
        me: reply(payload::me().as_bytes(), ""),
        lists,
        coded,
    });
    let listener = TcpListener::bind(address).await?;
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let replies = replies.clone();
        tokio::spawn(async move {
            let _ = answer(socket, &replies).await;
        });
    }
}

/// How many records a request asks for at most.
fn most(line: &[u8]) -> Option<usize> {
    let at = memchr::memmem::find(line, b"max_num=")? + b"max_num=".len();
    let digits = line
        .get(at..)?
        .iter()
        .take_while(|byte| byte.is_ascii_digit());
    Some(digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0')))
}

async fn answer(mut socket: TcpStream, replies: &Replies) -> std::io::Result<()> {
    let mut head = BytesMut::with_capacity(16 << 10);
    loop {
        let Some(end) = memchr::memmem::find(&head, b"\r\n\r\n") else {
            if socket.read_buf(&mut head).await? == 0 {
                return Ok(());
            }
            continue;
        };
        let line = head.split_to(end + 4);
        let line = line[..]
            .split(|byte| *byte == b'\r')
            .next()
            .unwrap_or_default();
        let asks = |what: &str| memchr::memmem::find(line, what.as_bytes()).is_some();
        if asks("/me ") || asks("/me?") {
            socket.write_all(&replies.me).await?;
        } else if asks("/Leads") {
            return endless(&mut socket).await;
        } else {
            // The module tells the coding, because a proxy may rebuild everything else.
            let lists = if asks("/Accounts") {
                &replies.coded
            } else {
                &replies.lists
            };
            // The longest list that is not longer than what is asked for.
            let list =
                most(line).and_then(|most| lists.iter().find(|(records, _)| *records <= most));
            socket
                .write_all(list.map_or(&replies.me, |(_, list)| list))
                .await?;
        }
    }
}

/// A list of more than 1 GiB.
async fn endless(socket: &mut TcpStream) -> std::io::Result<()> {
    socket
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n{\"next_offset\":-1,\"records\":[")
        .await?;
    let mut records = String::new();
    for index in 0..100 {
        payload::record(index, "", &mut records);
        records.push(',');
    }
    let records = records.replace(r#""_module":"Contacts""#, r#""_module":"Leads""#);
    for _ in 0..=(1 << 30) / records.len() {
        socket.write_all(records.as_bytes()).await?;
    }
    let mut last = String::new();
    payload::record(0, "", &mut last);
    let last = last.replace(r#""_module":"Contacts""#, r#""_module":"Leads""#);
    socket.write_all(format!("{last}]}}").as_bytes()).await?;
    socket.shutdown().await
}

// ---- load ---------------------------------------------------------------------------------------------------------

/// What is asked for, of whom.
#[derive(Clone)]
struct Target {
    address: SocketAddr,
    tls: bool,
    request: Bytes,
}

impl Target {
    fn read(url: &str) -> Result<Self, Failure> {
        let uri: http::Uri = url.parse()?;
        let authority = uri.authority().ok_or("no host in the URL")?;
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let request = format!(
            "GET {target} HTTP/1.1\r\nhost: {authority}\r\noauth-token: a-token-of-the-benchmark\r\n\r\n"
        );
        Ok(Self {
            address: authority.as_str().parse()?,
            tls: uri.scheme_str() == Some("https"),
            request: request.into(),
        })
    }

    async fn connect(&self) -> Result<Connection, Failure> {
        let socket = TcpStream::connect(self.address).await?;
        socket.set_nodelay(true)?;
        let stream: Box<dyn Stream> = if self.tls {
            let name = rustls_pki_types::ServerName::try_from("localhost")?;
            Box::new(
                tokio_rustls::TlsConnector::from(trusting()?)
                    .connect(name, socket)
                    .await?,
            )
        } else {
            Box::new(socket)
        };
        Ok(Connection {
            stream,
            buffer: BytesMut::with_capacity(256 << 10),
        })
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

struct Connection {
    stream: Box<dyn Stream>,
    buffer: BytesMut,
}

impl Connection {
    /// Asks once; returns the status and how long the body was. The body is kept only if asked for.
    async fn ask(
        &mut self,
        request: &[u8],
        mut kept: Option<&mut Vec<u8>>,
    ) -> Result<(u16, u64), Failure> {
        self.stream.write_all(request).await?;
        let end = loop {
            if let Some(end) = memchr::memmem::find(&self.buffer, b"\r\n\r\n") {
                break end;
            }
            self.more().await?;
        };
        let head = self.buffer.split_to(end + 4);
        let head = std::str::from_utf8(&head)?.to_ascii_lowercase();
        let status = head.split(' ').nth(1).ok_or("no status")?.parse()?;
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        if let Some(length) = length {
            let length: u64 = length.trim().parse()?;
            self.take(length, &mut kept).await?;
            return Ok((status, length));
        }
        if !head.contains("transfer-encoding: chunked") {
            return Err("neither a length nor chunks".into());
        }
        let mut total = 0;
        loop {
            let length = u64::from_str_radix(&self.line().await?, 16)?;
            total += length;
            self.take(length, &mut kept).await?;
            self.line().await?;
            if length == 0 {
                return Ok((status, total));
            }
        }
    }

    async fn more(&mut self) -> Result<(), Failure> {
        self.buffer.reserve(64 << 10);
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err("the connection ended".into()),
            _ => Ok(()),
        }
    }

    async fn line(&mut self) -> Result<String, Failure> {
        loop {
            if let Some(end) = memchr::memmem::find(&self.buffer, b"\r\n") {
                let line = self.buffer.split_to(end + 2);
                return Ok(std::str::from_utf8(&line)?.trim().to_owned());
            }
            self.more().await?;
        }
    }

    async fn take(
        &mut self,
        mut length: u64,
        kept: &mut Option<&mut Vec<u8>>,
    ) -> Result<(), Failure> {
        while length > 0 {
            if self.buffer.is_empty() {
                self.more().await?;
            }
            let taken = self
                .buffer
                .split_to(self.buffer.len().min(usize::try_from(length)?));
            length -= taken.len() as u64;
            if let Some(kept) = kept {
                kept.extend_from_slice(&taken);
            }
        }
        Ok(())
    }
}

async fn load(target: Target, seconds: Duration, connections: usize) -> Result<(), Failure> {
    let end = Instant::now() + seconds;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..connections {
        let target = target.clone();
        tasks.spawn(async move {
            let (mut requests, mut errors, mut bytes, mut times) =
                (0_u64, 0_u64, 0_u64, Vec::new());
            let mut connection = target.connect().await?;
            while Instant::now() < end {
                let start = Instant::now();
                let (status, length) = connection.ask(&target.request, None).await?;
                times.push(start.elapsed());
                requests += 1;
                bytes += length;
                errors += u64::from(status != 200);
            }
            Ok::<_, Failure>((requests, errors, bytes, times))
        });
    }
    let (mut requests, mut errors, mut bytes, mut times) = (0, 0, 0, Vec::new());
    while let Some(done) = tasks.join_next().await {
        let done = done??;
        requests += done.0;
        errors += done.1;
        bytes += done.2;
        times.extend(done.3);
    }
    times.sort();
    let at = |share: f64| {
        times
            .get((times.len() as f64 * share) as usize)
            .map_or(0.0, |time| time.as_secs_f64() * 1e3)
    };
    println!(
        r#"{{"requests":{requests},"errors":{errors},"bytes":{bytes},"seconds":{},"p50_ms":{:.3},"p99_ms":{:.3}}}"#,
        seconds.as_secs_f64(),
        at(0.5),
        at(0.99)
    );
    Ok(())
}

async fn get(target: Target) -> Result<(), Failure> {
    let mut body = Vec::new();
    let (status, _) = target
        .connect()
        .await?
        .ask(&target.request, Some(&mut body))
        .await?;
    if status != 200 {
        return Err(format!("status {status}: {}", String::from_utf8_lossy(&body)).into());
    }
    std::io::stdout().write_all(&body)?;
    Ok(())
}

async fn open(target: Target, connections: usize, seconds: Duration) -> Result<(), Failure> {
    let mut opened = Vec::new();
    for _ in 0..connections {
        let mut connection = target.connect().await?;
        let (status, _) = connection.ask(&target.request, None).await?;
        if status != 200 {
            return Err(format!("status {status}").into());
        }
        connection.buffer = BytesMut::new();
        opened.push(connection);
    }
    println!("{} open", opened.len());
    tokio::time::sleep(seconds).await;
    Ok(())
}

// ---- TLS ----------------------------------------------------------------------------------------------------------

/// Which proxy it is does not matter here, so the benchmark's own certificate is trusted by the folder it lies in.
fn trusting() -> Result<Arc<rustls::ClientConfig>, Failure> {
    use rustls_pki_types::pem::PemObject;
    let path = std::env::var("PEERS_CERTIFICATE")?;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls_pki_types::CertificateDer::from_pem_file(path)?)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(Arc::new(
        rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth(),
    ))
}

fn certificate(dir: &Path) -> Result<(), Failure> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    std::fs::write(dir.join("cert.pem"), &certificate)?;
    std::fs::write(dir.join("key.pem"), &key)?;
    std::fs::write(dir.join("both.pem"), certificate + &key)?;
    Ok(())
}
