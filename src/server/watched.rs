//! A plain stream whose incoming bytes are looked at on their way to hyper.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::door::wire::Wire;

/// Whether what came over a connection so far has more than one reading, or none.
#[derive(Clone, Debug, Default)]
pub(super) struct Doubt(Arc<Flags>);

#[derive(Debug, Default)]
struct Flags {
    raised: AtomicBool,
    foreign: AtomicBool,
}

impl Doubt {
    pub(super) fn is_raised(&self) -> bool {
        self.0.raised.load(Ordering::SeqCst)
    }

    /// Whether the connection was ended, because it began with no HTTP at all.
    pub(super) fn is_foreign(&self) -> bool {
        self.0.foreign.load(Ordering::SeqCst)
    }
}

/// The stream. It changes nothing of what passes, but ends if that is no HTTP.
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    wire: Wire,
    doubt: Doubt,
}

/// How often a stream that is no HTTP is read once more.
const READS_MAX: usize = 64;

impl<S> Watched<S> {
    pub(super) fn new(stream: S, wire: Wire, doubt: Doubt) -> Self {
        Self {
            stream,
            wire,
            doubt,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        let new = buf.filled().get(before..).unwrap_or_default();
        // Before hyper sees them: a request is served only after its bytes were looked at.
        if self.wire.push(new).is_err() {
            self.doubt.0.raised.store(true, Ordering::SeqCst);
        }
        if self.wire.is_foreign() {
            // What has come is read, or the connection would end with a reset.
            for _ in 0..READS_MAX {
                buf.set_filled(before);
                let read = Pin::new(&mut self.stream).poll_read(cx, buf);
                if !matches!(read, Poll::Ready(Ok(()))) || buf.filled().len() == before {
                    break;
                }
            }
            buf.set_filled(before);
            self.doubt.0.foreign.store(true, Ordering::SeqCst);
            return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
