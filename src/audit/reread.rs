//! What an event that was followed says of the records that somebody was shown.

use serde::Deserialize as _;

use super::follow::Followed;
use super::format::{Phase, full};
use super::seen::Seen;
use crate::policy::Count;

/// A request, as a follower of the log reads it.
#[derive(Debug)]
pub struct Reread(full::Request);

/// A caller had reached a limit.
#[derive(Clone, Copy, Debug)]
pub struct LimitTold<'a> {
    /// When it was written, as it says.
    pub time: &'a str,
    /// The name of the limit.
    pub limit: &'a str,
    /// What it counted.
    pub count: &'a str,
    /// Records or persons that it let through.
    pub max: u64,
    /// In how long a while.
    pub window: &'a str,
    /// The name of the CRM.
    pub upstream: &'a str,
    /// The id of the caller.
    pub caller: &'a str,
}

impl Reread {
    /// What it says.
    pub fn seen(&self) -> Seen<'_> {
        Seen::of(&self.0)
    }

    /// The id of the decision.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// When it was written, as it says.
    pub fn time(&self) -> &str {
        &self.0.time
    }

    /// Whether it ended.
    pub fn is_closed(&self) -> bool {
        self.0.phase == Phase::Closed
    }

    /// The records that it names, by module and id.
    pub fn refs(&self) -> impl Iterator<Item = (&str, &str)> {
        let upstream = self.0.request.upstream.as_deref();
        let refs = self.0.records.refs.iter();
        refs.filter_map(move |record| {
            let own = upstream.and_then(|name| record.strip_prefix(name)?.strip_prefix(':'));
            own.unwrap_or(record).split_once('/')
        })
    }
}

impl Followed {
    /// The request that it is about.
    pub fn request(&self) -> Option<Reread> {
        full::Request::deserialize(&self.value).ok().map(Reread)
    }

    /// The limit that a caller had reached.
    pub fn limit_told(&self) -> Option<LimitTold<'_>> {
        let text = |name: &str| self.value.get(name)?.as_str();
        (text("event") == Some("limit.records")).then_some(())?;
        Some(LimitTold {
            time: text("time")?,
            limit: text("limit")?,
            // At first there was nothing else to count.
            count: text("count").unwrap_or(Count::Records.as_str()),
            max: self.value.get("max")?.as_u64()?,
            window: text("window")?,
            upstream: text("upstream")?,
            caller: text("caller")?,
        })
    }
}
