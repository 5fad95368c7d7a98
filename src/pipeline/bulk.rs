//! A bulk request: several operations in one envelope.

use super::refuse::tell;
use super::{Pipeline, Visit};
use crate::audit::Record;
use crate::dialect::{Exchange, Misunderstood};
use crate::reason::{Outcome, Reason};
use crate::reply::{Assembled, Refusal, Reply};
use crate::vocabulary::Action;

impl Pipeline {
    /// Several operations in one envelope: each is decided by itself, with its own event, in order.
    pub(super) async fn bulk(
        &self,
        visit: &Visit<'_>,
        (route, version): (&'static str, &str),
        parts: Vec<Result<Box<dyn Exchange>, Misunderstood>>,
    ) -> Reply {
        let envelope = Record::envelope(&self.log, self.arrival(visit, Some(route)));
        let caller = match self.whose(visit, version).await {
            Ok(caller) => caller,
            Err(reason) => {
                return self
                    .refuse(visit, Action::Bulk, reason.into(), envelope)
                    .await;
            }
        };
        let outer = envelope.addressed(&caller);
        if let Err(reason) = self.callers.admit(&caller) {
            return self.refuse(visit, Action::Bulk, reason.into(), outer).await;
        }
        let (mut share, mut held_bytes) = (self.budget.share(), 0);
        let mut replies = Vec::with_capacity(parts.len());
        for part in parts {
            let held_bytes_max = visit.held_bytes_max.saturating_sub(held_bytes);
            let visit = &Visit {
                held_bytes_max,
                ..*visit
            };
            let mut persons = None;
            let reply = match part {
                Ok(exchange) => {
                    let record = outer.part(Some(exchange.operation().route));
                    Box::pin(self.walk(visit, exchange, record, &mut persons)).await
                }
                Err(Misunderstood { objection, route }) => {
                    let record = outer.part(route);
                    self.refuse(visit, Action::Other, Refusal::in_bulk(objection), record)
                        .await
                }
            };
            // The session ended before anything was done: the whole request may be sent again after a new login.
            if replies.is_empty() && reply.status() == 401 && !reply.is_challenging() {
                return self
                    .refuse(visit, Action::Bulk, Reason::BadCredential.into(), outer)
                    .await;
            }
            held_bytes += reply.held_bytes();
            // What is over the budget holds back others, not what is done already.
            let _ = share.grow_to(held_bytes);
            replies.push((reply, persons));
        }
        // The first parts have waited for the last ones.
        let replies: Vec<Reply> = replies
            .into_iter()
            .map(|(reply, persons)| match persons {
                Some(persons) if persons.has_changed() => reply.outdated(visit.dialect()),
                _ => reply,
            })
            .collect();
        let outcome = if replies.iter().all(|reply| reply.status() < 400) {
            Outcome::Full
        } else {
            Outcome::Partial
        };
        let assembled = Assembled::of(visit.dialect(), route, replies);
        let status = assembled.status();
        tell(&self.metrics, &outer, Action::Bulk, (outcome, status, None));
        match outer.close(outcome, status).await {
            Ok(closed) => Reply::from_parts(assembled, &closed).holding(share),
            Err(_) => self.unrecorded(visit),
        }
    }
}
