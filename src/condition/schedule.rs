//! Schedules: hours of days of the week, in a time zone.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;

/// Hours of a week.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// Its name in the policy.
    pub name: String,
    /// The days on which it begins.
    pub days: Days,
    /// The hours.
    pub window: Window,
    /// Where they are read off a clock.
    pub zone: TimeZone,
    /// Days on which it does not begin.
    pub except: BTreeSet<Date>,
}

/// Days of a week.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Days(u8);

/// From when to when; over midnight, if `to` is not later than `from`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first moment.
    pub from: Time,
    /// The first moment that does not belong to it any more.
    pub to: Time,
}

impl Days {
    /// The same, and one more.
    #[must_use]
    pub fn and(self, day: Weekday) -> Self {
        Self(self.0 | 1 << day.to_monday_zero_offset())
    }

    /// Whether a day is one of them.
    pub fn contain(self, day: Weekday) -> bool {
        self.0 & 1 << day.to_monday_zero_offset() != 0
    }

    /// Whether there is none.
    pub fn are_none(self) -> bool {
        self.0 == 0
    }
}

impl Schedule {
    /// Whether a moment lies within.
    pub fn holds(&self, moment: Timestamp) -> bool {
        let there = moment.to_zoned(self.zone.clone());
        let (date, time) = (there.date(), there.time());
        let Window { from, to } = self.window;
        if from < to {
            return self.begins(date) && time >= from && time < to;
        }
        // Over midnight: what began today, and what began yesterday.
        let yesterday = date.yesterday().ok();
        (self.begins(date) && time >= from)
            || (time < to && yesterday.is_some_and(|yesterday| self.begins(yesterday)))
    }

    fn begins(&self, date: Date) -> bool {
        self.days.contain(date.weekday()) && !self.except.contains(&date)
    }
}
