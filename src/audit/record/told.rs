//! What the log notes beside a request: that its caller has reached a limit, or was shown something by an exception.

use crate::limits::Reached;
use crate::vocabulary::RuleName;

use super::super::event::Event;
use super::Record;

impl<S> Record<S> {
    /// That who asks has reached a limit; nothing, if nobody knows who that is.
    pub fn limit_reached(&self, reached: &Reached) -> Option<Event> {
        let caller = self.walk.event.caller.as_ref()?;
        let who = (caller.id.as_str(), caller.name.as_str());
        let upstream = &self.walk.event.request.upstream;
        let policy = &self.walk.frame.policy.hash;
        Some(Event::records_used_up(who, upstream, policy, reached))
    }

    /// That an exception let who asks be shown something; nothing, if nobody knows who that is.
    pub fn exception_used(&self, exception: &RuleName) -> Option<Event> {
        let caller = self.walk.event.caller.as_ref()?;
        let who = (caller.id.as_str(), caller.name.as_str());
        let upstream = &self.walk.event.request.upstream;
        let policy = &self.walk.frame.policy.hash;
        Some(Event::exception_used(who, upstream, policy, exception))
    }
}
