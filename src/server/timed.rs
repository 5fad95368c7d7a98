//! Sockets that do not wait for ever: for a caller who does not read, or does not speak.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// A stream on which a write fails once the other side has taken nothing for `patience`.
#[derive(Debug)]
pub(super) struct Timed<S> {
    stream: S,
    patience: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Timed<S> {
    pub(super) fn new(stream: S, patience: Duration) -> Self {
        Self {
            stream,
            patience,
            stalled: None,
        }
    }

    fn watch<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let patience = self.patience;
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        match stalled.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

use std::future::Future;

impl<S: AsyncRead + Unpin> AsyncRead for Timed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Timed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watch(cx, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.watch(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.watch(cx, shut)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// Whether requests of a connection are being answered, and whether their replies are being read.
#[derive(Clone, Debug)]
pub(super) struct Activity(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    began: Instant,
    busy: AtomicUsize,
    /// When a request was last being answered: milliseconds after the connection began.
    last: AtomicU64,
    begun: AtomicUsize,
    /// Replies whose next piece waits for the caller, and since when.
    unread: Mutex<HashMap<usize, Instant>>,
}

impl Inner {
    fn unread(&self) -> MutexGuard<'_, HashMap<usize, Instant>> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request being answered; the connection is not silent while it lives.
#[derive(Debug)]
pub(super) struct Busy {
    activity: Arc<Inner>,
    number: usize,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self(Arc::new(Inner {
            began: Instant::now(),
            busy: AtomicUsize::new(0),
            last: AtomicU64::new(0),
            begun: AtomicUsize::new(0),
            unread: Mutex::default(),
        }))
    }

    pub(super) fn begin(&self) -> Busy {
        self.0.busy.fetch_add(1, Ordering::SeqCst);
        Busy {
            activity: self.0.clone(),
            number: self.0.begun.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// Resolves once no request was being answered for `patience`. Requests do not wake it: it looks when the silence
    /// could have lasted long enough.
    pub(super) async fn idle_for(&self, patience: Duration) {
        let mut look = Instant::now() + patience;
        loop {
            tokio::time::sleep_until(look).await;
            if self.0.busy.load(Ordering::SeqCst) > 0 {
                look = Instant::now() + patience;
                continue;
            }
            let last = Duration::from_millis(self.0.last.load(Ordering::SeqCst));
            look = self.0.began + last + patience;
            if look <= Instant::now() {
                return;
            }
        }
    }

    /// Resolves once the caller has not taken a piece of some reply for `patience`. An HTTP/2 caller who keeps the
    /// window of one stream shut answers pings and takes other replies all the while.
    pub(super) async fn unread_for(&self, patience: Duration) {
        let mut next = Instant::now() + patience;
        loop {
            tokio::time::sleep_until(next).await;
            let oldest = self.0.unread().values().min().copied();
            next = oldest.unwrap_or_else(Instant::now) + patience;
            if next <= Instant::now() {
                return;
            }
        }
    }
}

impl Busy {
    /// The next piece of the reply waits for the caller from now on.
    pub(super) fn offers(&self) {
        self.activity.unread().insert(self.number, Instant::now());
    }

    /// The next piece of the reply is not there yet: nobody can blame the caller.
    pub(super) fn owes(&self) {
        self.activity.unread().remove(&self.number);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.owes();
        // A millisecond more than have passed: never too early.
        let milliseconds = self.activity.began.elapsed().as_millis() + 1;
        let last = u64::try_from(milliseconds).unwrap_or(u64::MAX);
        self.activity.last.store(last, Ordering::SeqCst);
        self.activity.busy.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_silent_only_when_nothing_is_being_answered() {
        let activity = Activity::new();
        let busy = activity.begin();
        let waiting = activity.idle_for(Duration::from_secs(5));
        tokio::pin!(waiting);
        assert!(
            tokio::time::timeout(Duration::from_secs(60), waiting.as_mut())
                .await
                .is_err(),
            "a request is being answered"
        );
        drop(busy);
        assert!(
            tokio::time::timeout(Duration::from_secs(4), waiting.as_mut())
                .await
                .is_err()
        );
        assert!(
            tokio::time::timeout(Duration::from_secs(2), waiting)
                .await
                .is_ok()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn one_reply_that_is_not_read_is_noticed_though_others_are() {
        let activity = Activity::new();
        let (stuck, read) = (activity.begin(), activity.begin());
        let waiting = activity.unread_for(Duration::from_secs(5));
        tokio::pin!(waiting);
        let mut within = async |seconds| {
            tokio::time::timeout(Duration::from_secs(seconds), waiting.as_mut())
                .await
                .is_ok()
        };
        assert!(!within(60).await, "nothing is offered yet");
        stuck.offers();
        for _ in 0..3 {
            read.offers();
            assert!(!within(1).await);
        }
        stuck.owes();
        read.offers();
        assert!(!within(4).await);
        drop(read);
        assert!(!within(60).await);
        stuck.offers();
        assert!(within(11).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_who_does_not_read_is_given_up() {
        use tokio::io::AsyncWriteExt;
        let (_reader, writer) = tokio::io::duplex(16);
        let mut writer = Timed::new(writer, Duration::from_secs(5));
        let error = writer.write_all(&[0; 64]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
