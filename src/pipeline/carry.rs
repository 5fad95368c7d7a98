//! A guarded request, carried to the CRM; an error that comes back becomes a refusal.

use super::calling::Called;
use super::{Pipeline, Visit};
use crate::audit::{Decided, Record};
use crate::dialect::{AnswerForm, Exchange};
use crate::guard::Guarded;
use crate::reason::Reason;
use crate::reply::Refusal;
use crate::upstream::{self, Untrusted};

/// An error body is read only for its label.
const ERROR_BYTES_MAX: usize = 64 * 1024;

impl Pipeline {
    /// Carries a guarded request to the CRM, and once more, guarded anew, where the CRM no longer accepts what the proxy's
    /// own account came to. What the CRM said; or why there is nothing to call it with.
    pub(super) async fn carry(
        &self,
        visit: &Visit<'_>,
        asked: (&dyn Exchange, &AnswerForm),
        (guarded, called): (Guarded, Called),
        guarding: &(dyn Fn(&Called) -> Guarded + Sync),
        record: &mut Record<Decided>,
    ) -> Result<Result<Untrusted, Refusal>, Reason> {
        let forwarded = self.forward(visit, asked, (guarded, &called), record).await;
        let Some(called) = visit.call_again(&called, &forwarded).await? else {
            return Ok(forwarded);
        };
        // In a box, as all that requests seldom need: the others do not carry its room along.
        let again = self.forward(visit, asked, (guarding(&called), &called), record);
        Ok(Box::pin(again).await)
    }

    /// Carries a guarded request to the CRM; an answer that is an error becomes a refusal here, its words unread but
    /// for one label of a closed list.
    async fn forward(
        &self,
        visit: &Visit<'_>,
        (exchange, form): (&dyn Exchange, &AnswerForm),
        (guarded, called): (Guarded, &Called),
        record: &mut Record<Decided>,
    ) -> Result<Untrusted, Refusal> {
        let start = std::time::Instant::now();
        let origin = visit.origin_of(called);
        let forwarded = upstream::forward(&self.transport, guarded, &called.credential, origin);
        let forwarded = forwarded.await;
        record.upstream_took(start.elapsed());
        let mut untrusted = forwarded?;
        if untrusted.is_success() {
            if form.hides_errors {
                self.look_for_failure((visit, called), exchange, &mut untrusted)
                    .await?;
            }
            return Ok(untrusted);
        }
        let status = untrusted.status();
        if status == 401 {
            if called.is_service() {
                return Err(Reason::ServiceCredentialRefused.into());
            }
            visit.forget_session().await;
        }
        let retry_after_seconds = untrusted.retry_after_seconds();
        let words = untrusted.words(ERROR_BYTES_MAX).await;
        let failure = exchange.failure(status, &words);
        let label = failure.and_then(|failure| failure.label);
        Err(Refusal::upstream(status, label).after(retry_after_seconds))
    }

    /// Some CRMs tell errors with a status of success: a short body is looked at before it is filtered.
    async fn look_for_failure(
        &self,
        (visit, called): (&Visit<'_>, &Called),
        exchange: &dyn Exchange,
        untrusted: &mut Untrusted,
    ) -> Result<(), Refusal> {
        let status = untrusted.status();
        let held_bytes_max = self.settings.held_bytes_max;
        let body = untrusted.peek(ERROR_BYTES_MAX, held_bytes_max).await?;
        let Some(failure) = body.and_then(|body| exchange.failure(status, &body)) else {
            return Ok(());
        };
        if failure.ends_session {
            if called.is_service() {
                return Err(Reason::ServiceCredentialRefused.into());
            }
            visit.forget_session().await;
            return Err(Reason::BadCredential.into());
        }
        Err(Refusal::upstream(status, failure.label))
    }
}
