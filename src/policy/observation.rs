//! What of a policy only observes, and until when.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::vocabulary::RuleName;

use super::codes;
use super::engine::Observing;
use super::model::{self, Model};

/// How long a cap may observe without a warning, in days.
const DAYS_QUIET: i64 = 30;

/// What of a policy only observes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// The last day on which the whole policy does.
    pub whole: Option<Date>,
    /// The rules that do, and the last day of each.
    pub rules: Vec<(RuleName, Date)>,
}

impl Observation {
    /// Whether anything does.
    pub fn is_any(&self) -> bool {
        self.whole.is_some() || !self.rules.is_empty()
    }
}

/// The day of a moment. A day begins and ends in UTC, wherever the proxy stands.
fn day(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::UTC).date()
}

pub(super) fn observation(model: &Model, now: Timestamp) -> Observation {
    if model.days.is_empty() {
        return Observation::default();
    }
    let last = |observed: &Option<model::Observation>| {
        let observed = observed.as_ref();
        Some(observed.filter(|observed| observed.holds_at(now))?.last)
    };
    let grants = model.grants.iter().map(|rule| (&rule.name, &rule.observed));
    let caps = model.caps.iter().map(|rule| (&rule.name, &rule.observed));
    Observation {
        whole: last(&model.observed),
        rules: grants
            .chain(caps)
            .filter_map(|(name, observed)| Some((name.clone(), last(observed)?)))
            .collect(),
    }
}

impl model::Observation {
    /// Whether it still observes: to the end of its last day.
    pub(super) fn holds_at(&self, now: Timestamp) -> bool {
        day(now) <= self.last
    }
}

impl Model {
    /// How rules count at a moment. The CRM holds nobody back who has no session of it, so for them the whole policy never
    /// observes.
    pub(super) fn observing(&self, now: Timestamp, has_session: bool) -> Observing {
        let Some(last) = self.days.last() else {
            return Observing::Enforced;
        };
        let today = day(now);
        if today > *last {
            return Observing::Enforced;
        }
        let whole = self.observed.as_ref();
        Observing::On {
            passed: self.days.range(..today).next_back().copied(),
            whole: has_session && whole.is_some_and(|whole| whole.holds_at(now)),
        }
    }
}

/// Says what observes, for how long, and so protects nothing yet.
pub(super) fn warn(model: &Model, found: &mut Diagnostics) {
    if let Some(observed) = &model.observed {
        let title = format!(
            "the whole policy only observes, until {}: {}",
            observed.last,
            left(observed.days)
        );
        found.push(
            Diagnostic::warning(codes::OBSERVE_WHOLE, title)
                .at(&observed.place, "but for `special`, `criminal` and firm caps, everything is shown, also what nobody has classified")
                .help("see docs/workbench/observe.md for what holds all the same"),
        );
    }
    for cap in &model.caps {
        if let Some(observed) = &cap.observed {
            let name = quoted(cap.name.as_str());
            let title = format!(
                "cap {name} only observes, until {}: {}",
                observed.last,
                left(observed.days)
            );
            let label = "until then it protects nothing";
            found.push(match observed.days > DAYS_QUIET {
                true => Diagnostic::warning(codes::OBSERVE_LONG, title)
                    .at(&observed.place, label)
                    .help(format!(
                        "look at what was observed, and enforce it within {DAYS_QUIET} days"
                    )),
                false => Diagnostic::note(codes::OBSERVES, title).at(&observed.place, label),
            });
        }
    }
    for grant in &model.grants {
        if let Some(observed) = &grant.observed {
            let name = quoted(grant.name.as_str());
            let title = format!(
                "grant {name} only observes, until {}: {}",
                observed.last,
                left(observed.days)
            );
            found.push(Diagnostic::note(codes::OBSERVES, title).at(
                &observed.place,
                "until then it shows nothing; from then on it does, by itself",
            ));
        }
    }
}

fn left(days: i64) -> String {
    match days {
        0 => "its last day is today".to_owned(),
        1 => "1 day is left".to_owned(),
        days => format!("{days} days are left"),
    }
}
