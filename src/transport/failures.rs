//! Tells the operator why the CRM gave no answer that can be used: each cause once a minute, with a count.

use prometheus::IntCounterVec;

use super::cause::Cause;
use crate::reason::Reason;
use crate::tally::Tally;

/// A failed exchange.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Why the CRM failed; `None` if something else did.
    pub cause: Option<Cause>,
    /// What the caller is told.
    pub reason: Reason,
    /// More, in fixed words and numbers.
    pub detail: Option<String>,
}

impl From<Cause> for Failure {
    fn from(cause: Cause) -> Self {
        Self {
            cause: Some(cause),
            reason: cause.reason(),
            detail: None,
        }
    }
}

impl From<Reason> for Failure {
    fn from(reason: Reason) -> Self {
        Self {
            cause: None,
            reason,
            detail: None,
        }
    }
}

impl Failure {
    /// On a connection that was made: whatever the cause, the CRM may have read the request.
    pub(super) fn connected(cause: Cause) -> Self {
        let failure = Self::from(cause);
        match failure.reason {
            Reason::UpstreamUnreachable => Self {
                reason: Reason::UpstreamBroken,
                ..failure
            },
            _ => failure,
        }
    }

    /// The same, with more words.
    #[must_use]
    pub(crate) fn with(self, detail: String) -> Self {
        Self {
            detail: Some(detail),
            ..self
        }
    }
}

/// The failures of one CRM.
#[derive(Debug)]
pub struct Failures {
    /// Host and port.
    upstream: String,
    tally: Tally,
    counter: Option<IntCounterVec>,
}

impl Failures {
    pub(super) fn of(upstream: String) -> Self {
        Self {
            upstream,
            tally: Tally::default(),
            counter: None,
        }
    }

    /// The same, which counts in `counter`, by the label `cause`.
    pub(super) fn counting(&self, counter: IntCounterVec) -> Self {
        for cause in Cause::ALL {
            // Shown from the start, so that the first failure is an increase.
            counter.with_label_values(&[cause.as_str()]).inc_by(0);
        }
        Self {
            upstream: self.upstream.clone(),
            tally: Tally::default(),
            counter: Some(counter),
        }
    }

    /// Host and port of the CRM.
    pub fn upstream(&self) -> &str {
        &self.upstream
    }

    /// Takes note of a failure; what the caller is told.
    pub fn note(&self, failure: impl Into<Failure>) -> Reason {
        let failure = failure.into();
        let detail = failure.detail.as_deref().unwrap_or_default();
        let Some(cause) = failure.cause else {
            return failure.reason;
        };
        if let Some(counter) = &self.counter {
            counter.with_label_values(&[cause.as_str()]).inc();
        }
        match self.tally.add(cause.as_str()) {
            Some(count) => self.tell(cause.as_str(), count, detail),
            None => tracing::debug!(cause = cause.as_str(), detail, "the CRM failed again"),
        }
        failure.reason
    }

    /// Tells of what has come since a cause was last told of. Called now and then.
    pub fn sweep(&self) {
        for (cause, count) in self.tally.due() {
            self.tell(cause, count, "");
        }
    }

    fn tell(&self, cause: &'static str, count: u64, detail: &str) {
        let upstream = self.upstream.as_str();
        if detail.is_empty() {
            tracing::warn!(cause, upstream, count, "the CRM gave no usable answer");
        } else {
            tracing::warn!(
                cause,
                upstream,
                count,
                detail,
                "the CRM gave no usable answer"
            );
        }
    }
}

impl Drop for Failures {
    /// Nothing that was counted stays untold.
    fn drop(&mut self) {
        for (cause, count) in self.tally.rest() {
            self.tell(cause, count, "");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_on_a_connection_may_have_been_read() {
        for cause in Cause::ALL {
            let failure = Failure::connected(*cause);
            assert_eq!(failure.cause, Some(*cause));
            assert_ne!(failure.reason, Reason::UpstreamUnreachable);
        }
        let before = Failure::from(Cause::TlsOther);
        assert_eq!(before.reason, Reason::UpstreamUnreachable);
    }
}
