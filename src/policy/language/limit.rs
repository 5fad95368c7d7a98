//! How many records or persons a caller is shown in a while, and what happens then.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use crate::vocabulary::{Category, Level, Module, Purpose, Role, RuleName};

/// Records or persons that one limit can let through at most.
pub const RECORDS_MAX: u32 = 1_000_000;

/// A limit: so many records or persons in so long a while, for each caller to whom it applies.
#[derive(Clone, Debug)]
pub struct Limit {
    pub(in crate::policy) name: RuleName,
    /// `None`: whoever has one.
    pub(in crate::policy) roles: Option<BTreeSet<Role>>,
    /// Who has only these is not counted.
    pub(in crate::policy) unless_roles: BTreeSet<Role>,
    /// `None`: for every purpose.
    pub(in crate::policy) purposes: Option<BTreeSet<Purpose>>,
    /// `None`: of all.
    pub(in crate::policy) modules: Option<BTreeSet<Module>>,
    /// `None`: everything but `technical`.
    pub(in crate::policy) data: Option<Vec<Category>>,
    pub(in crate::policy) level: Level,
    pub(in crate::policy) count: Count,
    pub(in crate::policy) max: u32,
    pub(in crate::policy) per: Per,
    pub(in crate::policy) then: Then,
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Each record, once.
    Records,
    /// Each person whom such records are about, once.
    Persons,
}

/// How long a while is in which records are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Per {
    /// A second.
    Second,
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day.
    Day,
}

/// What becomes of a reply that shows more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// It leaves, and it is told.
    Alert,
    /// It does not leave.
    Block,
    /// It leaves only to who has proved one of these strengths.
    StepUp(BTreeSet<String>),
}

impl Limit {
    /// Its name.
    pub fn name(&self) -> &RuleName {
        &self.name
    }

    /// What it counts.
    pub fn count(&self) -> Count {
        self.count
    }

    /// Records or persons that it lets through.
    pub fn max(&self) -> u32 {
        self.max
    }

    /// In how long a while.
    pub fn per(&self) -> Per {
        self.per
    }

    /// What becomes of a reply that shows more.
    pub fn then(&self) -> &Then {
        &self.then
    }

    /// Whether it counts what somebody in these roles is shown for this purpose.
    pub fn applies(&self, roles: &[Role], purpose: Option<&Purpose>) -> bool {
        let in_one_of = |these: &BTreeSet<Role>| roles.iter().any(|role| these.contains(role));
        let is_exempt = |role: &Role| self.unless_roles.contains(role);
        let for_one_of = |these: &BTreeSet<Purpose>| purpose.is_some_and(|one| these.contains(one));
        self.roles.as_ref().is_none_or(in_one_of)
            && (self.unless_roles.is_empty() || !roles.iter().all(is_exempt))
            && self.purposes.as_ref().is_none_or(for_one_of)
    }

    /// Whether a record of a module counts of which a field of these categories is shown at a level.
    pub fn counts(&self, module: &Module, categories: &[Category], level: Level) -> bool {
        level >= self.level && self.counts_of(module) && self.is_about(categories)
    }

    /// The same of a field that is in some category of a family.
    pub fn may_count_of(&self, module: &Module, family: &Category, level: Level) -> bool {
        let is_within = |data: &Vec<Category>| data.iter().any(|named| family.covers(named));
        self.counts(module, std::slice::from_ref(family), level)
            || (level >= self.level
                && self.counts_of(module)
                && self.data.as_ref().is_some_and(is_within))
    }

    /// Whether records of a module count at all.
    pub fn counts_of(&self, module: &Module) -> bool {
        let modules = self.modules.as_ref();
        modules.is_none_or(|modules| modules.contains(module))
    }

    /// What nobody has classified is taken for data.
    fn is_about(&self, categories: &[Category]) -> bool {
        let technical = Category::new("technical");
        match &self.data {
            None => categories.is_empty() || categories.iter().any(|one| !technical.covers(one)),
            Some(data) => {
                let is_among = |one: &Category| data.iter().any(|named| named.covers(one));
                categories.is_empty() || categories.iter().any(is_among)
            }
        }
    }

    /// Whether another one of this name counts and does the same.
    pub fn is_same(&self, other: &Self) -> bool {
        let terms = |one: &Self| (one.level, one.count, one.max, one.per);
        self.name == other.name
            && terms(self) == terms(other)
            && self.then == other.then
            && (&self.roles, &self.unless_roles) == (&other.roles, &other.unless_roles)
            && (&self.purposes, &self.modules, &self.data)
                == (&other.purposes, &other.modules, &other.data)
    }
}

impl Count {
    /// Each by its word.
    pub const NAMED: &[(&str, Self)] = &[("records", Self::Records), ("persons", Self::Persons)];

    /// The word of the policy language.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::Persons => "persons",
        }
    }
}

impl Per {
    /// Each by its letter.
    pub const NAMED: &[(&str, Self)] = &[
        ("s", Self::Second),
        ("m", Self::Minute),
        ("h", Self::Hour),
        ("d", Self::Day),
    ];

    /// As headers, events and messages write it: `1h`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Second => "1s",
            Self::Minute => "1m",
            Self::Hour => "1h",
            Self::Day => "1d",
        }
    }

    /// How long it is.
    pub fn length(self) -> Duration {
        Duration::from_secs(match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        })
    }
}

impl fmt::Display for Per {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Then {
    /// The word of the policy language.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Block => "block",
            Self::StepUp(_) => "step-up",
        }
    }
}
