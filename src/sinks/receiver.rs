//! Who takes events.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::time::timeout;

use crate::config::{self, Sink};

use super::dial::Wire;
use super::failure::Failure;
use super::file::{self, Appender};
use super::https::Poster;
use super::pace::Pace;
use super::syslog;

/// Takes events, one batch after the other.
pub(super) enum Receiver {
    File(Arc<Mutex<Appender>>),
    Stdout,
    Syslog(Wire),
    Https(Box<Poster>),
}

impl Receiver {
    /// Sets it up; nothing is sent or opened yet.
    pub(super) fn new(sink: &Sink) -> Result<Self, Failure> {
        Ok(match &sink.receiver {
            config::Receiver::File(path) => {
                Self::File(Arc::new(Mutex::new(Appender::new(path.value.clone()))))
            }
            config::Receiver::Stdout => Self::Stdout,
            config::Receiver::Syslog { peer, .. } => Self::Syslog(Wire::new(peer)?),
            config::Receiver::Https {
                peer,
                target,
                bearer,
                gzip,
            } => {
                let poster = Poster::new((peer, target), bearer.as_ref(), sink.format, *gzip)?;
                Self::Https(Box::new(poster))
            }
        })
    }

    /// Hands over a batch, and returns once it was taken.
    pub(super) async fn take(&mut self, batch: Vec<Bytes>, pace: &Pace) -> Result<(), Failure> {
        match self {
            // Nobody knows how long a disk, or whoever reads standard output, takes. What was begun cannot be called back.
            Self::File(appender) => {
                let appender = appender.clone();
                blocking(move || {
                    let mut appender = appender.lock().unwrap_or_else(PoisonError::into_inner);
                    appender.append(&batch)
                })
                .await
            }
            Self::Stdout => blocking(move || file::print(&batch)).await,
            Self::Syslog(wire) => timeout(pace.attempt, syslog::send(wire, &batch))
                .await
                .unwrap_or(Err(Failure::TIMEOUT)),
            Self::Https(poster) => timeout(pace.attempt, poster.send(&batch))
                .await
                .unwrap_or(Err(Failure::TIMEOUT)),
        }
    }
}

async fn blocking(
    write: impl FnOnce() -> std::io::Result<()> + Send + 'static,
) -> Result<(), Failure> {
    match tokio::task::spawn_blocking(write).await {
        Ok(written) => written.map_err(|error| Failure::of_file(&error)),
        Err(_) => Err(Failure::new("file", "the file cannot be written")),
    }
}
