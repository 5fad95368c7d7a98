//! Syslog: RFC 5424 over TCP or TLS, frames by octet counting (RFC 6587, RFC 5425).
//!
//! Syslog has no answers, so that nobody knows what was read. The end of a connection tells: a receiver that closes it
//! in order after we have ended our side has read everything before; if it has not, the system resets the connection. So
//! each batch has a connection of its own, and counts as taken once that has ended in order.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, split};
use tokio::time::timeout;

use super::dial::{Connection, Stream, Wire};
use super::failure::Failure;
use super::story::{Severity, Story};

const APP_NAME: &str = "paravent";
/// Characters of the fields of the header.
const HOSTNAME_MAX: usize = 255;
const MSGID_MAX: usize = 32;
/// How long the receiver may take to end a connection, once we have ended our side.
const END_TIMEOUT: Duration = Duration::from_secs(30);
/// How long an answer to bytes that came too late may take, beside the way there and back twice.
const LATE: Duration = Duration::from_millis(20);
const LATE_MAX: Duration = Duration::from_secs(2);

/// An event as a frame: its length, a blank, header and message. The message has no byte order mark: of JSON it is ASCII,
/// and receivers of CEF look for its first word.
pub(super) fn frame(story: Story<'_>, facility: u8, line: &str) -> String {
    let severity = match story.severity() {
        Severity::Informational => 6,
        Severity::Low => 5,
        Severity::Medium => 4,
        Severity::High => 2,
    };
    let priority = u16::from(facility) * 8 + severity;
    let time = story.time();
    let time = time.map_or_else(|| "-".to_owned(), |time| format!("{time:.3}"));
    let host = printable(story.text("/node").unwrap_or_default(), HOSTNAME_MAX);
    let id = printable(&story.code(), MSGID_MAX);
    let message = format!("<{priority}>1 {time} {host} {APP_NAME} - {id} - {line}");
    format!("{} {message}", message.len())
}

/// A field of the header: visible ASCII without blanks, `-` if nothing is left.
fn printable(text: &str, most: usize) -> String {
    let kept = text
        .chars()
        .map(|c| if c.is_ascii_graphic() { c } else { '_' });
    let kept: String = kept.take(most).collect();
    match kept.is_empty() {
        true => "-".to_owned(),
        false => kept,
    }
}

/// Sends frames, and returns once the receiver has read them.
pub(super) async fn send(wire: &Wire, frames: &[Bytes]) -> Result<(), Failure> {
    let Connection { stream, round_trip } = wire.dial().await?;
    let (mut read, mut write) = split(stream);
    let writing = async {
        for frame in frames {
            write.write_all(frame).await?;
        }
        write.flush().await?;
        write.shutdown().await
    };
    // A receiver that ends the connection before we do may have missed anything.
    tokio::select! {
        biased;
        written = writing => written.map_err(|_| Failure::CLOSED_EARLY)?,
        _ = to_end(&mut read) => return Err(Failure::CLOSED_EARLY),
    }
    let ending = async {
        to_end(&mut read).await?;
        let mut stream = read.unsplit(write);
        stream.closed().await?;
        Ok::<_, io::Error>(stream)
    };
    let stream = match timeout(END_TIMEOUT, ending).await {
        Err(_) => return Err(Failure::UNCONFIRMED),
        Ok(ended) => ended.map_err(|_| Failure::CLOSED_EARLY)?,
    };
    // If its end was on the way before ours arrived, an answer to what came too late is on the way now.
    tokio::time::sleep((LATE + round_trip * 2).min(LATE_MAX)).await;
    match stream.error() {
        Ok(None) => Ok(()),
        _ => Err(Failure::CLOSED_EARLY),
    }
}

/// Reads until the receiver ends the connection; what it says means nothing.
async fn to_end(read: &mut ReadHalf<Stream>) -> io::Result<()> {
    let mut nothing = [0; 1024];
    loop {
        match read.read(&mut nothing).await {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            // Many receivers end TLS without saying so. That it is the end is what counts.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}
