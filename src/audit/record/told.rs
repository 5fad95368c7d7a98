//! What the log notes beside a request: that its caller has reached a limit, or was shown something by an exception.

use crate::limits::Reached;
use crate::vocabulary::RuleName;

use super::super::event::Event;
use super::Record;

impl<S> Record<S> {
    /// That who asks has reached a limit; nothing, if nobody knows who that is.
    pub fn limit_reached(&self, reached: &Reached) -> Option<Event> {
        self.of_caller(|who, upstream, policy| {
            Event::records_used_up(who, upstream, policy, reached)
        })
    }

    /// That an exception let who asks be shown something; nothing, if nobody knows who that is.
    pub fn exception_used(&self, exception: &RuleName) -> Option<Event> {
        self.of_caller(|who, upstream, policy| {
            Event::exception_used(who, upstream, policy, exception)
        })
    }

    /// An event of who asks: by their id and name, the CRM that is asked, and the policy that decides.
    fn of_caller(&self, event: impl FnOnce((&str, &str), &str, &str) -> Event) -> Option<Event> {
        let caller = self.walk.event.caller.as_ref()?;
        let who = (caller.id.as_str(), caller.name.as_str());
        let upstream = &self.walk.event.request.upstream;
        Some(event(who, upstream, &self.walk.frame.policy.hash))
    }
}
