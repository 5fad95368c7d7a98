//! Carries a `Guarded` to the CRM.

use std::collections::VecDeque;
use std::net::IpAddr;

use bytes::Bytes;

use crate::decode::Coding;
use crate::guard::Guarded;
use crate::reason::Reason;
use crate::transport::{Answer, Cause, Failure, Hold, Transport, UpstreamCredential};

/// An answer of the CRM, unread and not to be trusted. Only `filter` makes something of it that may be shown.
///
/// ```compile_fail
/// // What the CRM said is not a reply.
/// fn shortcut(untrusted: paravent::upstream::Untrusted) -> paravent::reply::Reply { untrusted.into() }
/// ```
#[derive(Debug)]
pub struct Untrusted {
    answer: Answer,
    /// What was read ahead.
    ahead: VecDeque<Bytes>,
}

/// Sends a guarded request.
///
/// ```
/// use paravent::transport::{Transport, UpstreamCredential};
/// async fn in_order(transport: &Transport, guarded: paravent::guard::Guarded) {
///     let nobody = UpstreamCredential::nobody();
///     let _ = paravent::upstream::forward(transport, guarded, &nobody, [127, 0, 0, 1].into()).await;
/// }
/// ```
///
/// ```compile_fail
/// // A bare request does not pass: `forward` takes a `Guarded`.
/// use paravent::transport::{Transport, UpstreamCredential};
/// async fn shortcut(transport: &Transport, bare: paravent::dialect::Outgoing) {
///     let nobody = UpstreamCredential::nobody();
///     let _ = paravent::upstream::forward(transport, bare, &nobody, [127, 0, 0, 1].into()).await;
/// }
/// ```
///
/// ```compile_fail
/// // Nor does what a caller shows: only identity says with what the CRM is called.
/// use paravent::transport::Transport;
/// async fn shortcut(transport: &Transport, guarded: paravent::guard::Guarded, shown: paravent::door::Credential) {
///     let _ = paravent::upstream::forward(transport, guarded, &shown, [127, 0, 0, 1].into()).await;
/// }
/// ```
pub async fn forward(
    transport: &Transport,
    guarded: Guarded,
    credential: &UpstreamCredential,
    origin: IpAddr,
) -> Result<Untrusted, Reason> {
    let answer = transport
        .send(guarded.into_outgoing(), credential, origin)
        .await?;
    Ok(Untrusted {
        answer,
        ahead: VecDeque::new(),
    })
}

impl Untrusted {
    /// The status.
    pub fn status(&self) -> u16 {
        self.answer.status.as_u16()
    }

    /// After how many seconds to ask again, where the CRM says so.
    pub fn retry_after_seconds(&self) -> Option<u16> {
        self.answer.retry_after_seconds
    }

    /// Whether the CRM did what was asked.
    pub fn is_success(&self) -> bool {
        self.answer.status.is_success()
    }

    /// The next plain bytes of the body. A coded body is read and decoded as a whole, within `held_bytes_max`; `hold` is
    /// told how many bytes wait in memory for that.
    pub(crate) async fn chunk(
        &mut self,
        held_bytes_max: usize,
        hold: Hold<'_>,
    ) -> Result<Option<Bytes>, Reason> {
        match self.ahead.pop_front() {
            Some(chunk) => Ok(Some(chunk)),
            None => self.next(held_bytes_max, hold).await,
        }
    }

    /// The whole body, if it has at most `bytes_max` bytes; nothing is taken out of it.
    pub(crate) async fn peek(
        &mut self,
        bytes_max: usize,
        held_bytes_max: usize,
    ) -> Result<Option<Vec<u8>>, Reason> {
        let mut read = 0;
        while read <= bytes_max {
            let Some(chunk) = self.next(held_bytes_max, &mut |_| Ok(())).await? else {
                let whole = self.ahead.iter().flat_map(|chunk| chunk.iter().copied());
                return Ok(Some(whole.collect()));
            };
            read += chunk.len();
            self.ahead.push_back(chunk);
        }
        Ok(None)
    }

    async fn next(
        &mut self,
        held_bytes_max: usize,
        hold: Hold<'_>,
    ) -> Result<Option<Bytes>, Reason> {
        let next = self.read(held_bytes_max, hold).await;
        next.map_err(|failure| self.answer.note(failure))
    }

    async fn read(
        &mut self,
        held_bytes_max: usize,
        hold: Hold<'_>,
    ) -> Result<Option<Bytes>, Failure> {
        self.answer.content?;
        match self.answer.coding? {
            Coding::Identity => self.answer.chunk().await,
            _ => {
                let plain = self.answer.whole_held(held_bytes_max, hold).await?;
                self.answer.coding = Ok(Coding::Identity);
                Ok(Some(Bytes::from(plain)))
            }
        }
    }

    /// The whole body, decoded.
    pub(crate) async fn whole(mut self, bytes_max: usize) -> Result<Vec<u8>, Reason> {
        let mut whole = Vec::new();
        while let Some(chunk) = self.chunk(bytes_max, &mut |_| Ok(())).await? {
            if whole.len() + chunk.len() > bytes_max {
                return Err(self.answer.note(Cause::TooLarge));
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(whole)
    }

    /// The whole body, decoded, taken out of the answer; `hold` is told how many bytes wait in memory.
    pub(crate) async fn take_whole(
        &mut self,
        bytes_max: usize,
        hold: Hold<'_>,
    ) -> Result<Vec<u8>, Reason> {
        let mut whole = Vec::new();
        while let Some(chunk) = self.chunk(bytes_max, &mut |_| Ok(())).await? {
            if whole.len() + chunk.len() > bytes_max {
                return Err(self.answer.note(Cause::TooLarge));
            }
            whole.extend_from_slice(&chunk);
            hold(whole.len())?;
        }
        Ok(whole)
    }

    /// The same answer, read to its end, with what was put together from it and others like it.
    pub(crate) fn with_body(mut self, body: Vec<u8>) -> Self {
        self.ahead = VecDeque::from([Bytes::from(body)]);
        self
    }

    /// The body of an error; blank if it cannot be read, which is then no failure of its own.
    pub(crate) async fn words(mut self, bytes_max: usize) -> Vec<u8> {
        let mut words: Vec<u8> = self.ahead.drain(..).flatten().collect();
        while let Ok(Some(chunk)) = self.read(bytes_max, &mut |_| Ok(())).await {
            if words.len() + chunk.len() > bytes_max {
                return Vec::new();
            }
            words.extend_from_slice(&chunk);
        }
        words
    }
}
