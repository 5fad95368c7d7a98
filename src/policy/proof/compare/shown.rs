//! How much is shown of something, as a partial order: levels are a chain, but masks and tokens are not.

use crate::mask::Mask;
use crate::vocabulary::{Category, Level};

use super::masks;

/// What is shown of a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::policy) enum Shown<'a> {
    /// The request is refused.
    Refused,
    Hide,
    Redact,
    Token(&'a Category),
    Mask(&'a Mask),
    Clear,
}

/// How something under one policy compares with the same under another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::policy) enum Relation {
    Same,
    /// More than before, or something else that was not shown before.
    More,
    Less,
}

impl Relation {
    /// Of what can be at most as much as something else.
    pub(in crate::policy) fn between<T: AtMost>(old: &T, new: &T) -> Self {
        match (new.at_most(old), old.at_most(new)) {
            (true, true) => Self::Same,
            (true, false) => Self::Less,
            (false, _) => Self::More,
        }
    }
}

/// A partial order by how much is given.
pub(in crate::policy) trait AtMost {
    /// Whether it gives nothing that the other does not.
    fn at_most(&self, other: &Self) -> bool;
}

impl AtMost for Shown<'_> {
    fn at_most(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Mask(one), Self::Mask(other)) => masks::at_most(one, other),
            // Tokens of another category tell which values are the same there.
            (Self::Token(one), Self::Token(other)) => one == other,
            _ => self.rank() <= other.rank(),
        }
    }
}

impl Shown<'_> {
    fn rank(&self) -> u8 {
        match self {
            Self::Refused => 0,
            Self::Hide => rank(Level::Hide),
            Self::Redact => rank(Level::Redact),
            Self::Token(_) => rank(Level::Token),
            Self::Mask(_) => rank(Level::Mask),
            Self::Clear => rank(Level::Clear),
        }
    }

    /// Whether something of the value is shown.
    pub(in crate::policy) fn is_something(&self) -> bool {
        self.rank() >= rank(Level::Token)
    }

    /// The word for it, and what stands in the value's place where that tells two apart.
    pub(in crate::policy) fn words(&self, other: &Self) -> String {
        match (self, other) {
            (Self::Refused, _) => "refused".to_owned(),
            (Self::Hide, _) => "hide".to_owned(),
            (Self::Redact, _) => "redact".to_owned(),
            (Self::Token(category), Self::Token(_)) => format!("token ({category})"),
            (Self::Token(_), _) => "token".to_owned(),
            (Self::Mask(mask), Self::Mask(_)) => format!("mask ({})", masks::words(mask)),
            (Self::Mask(_), _) => "mask".to_owned(),
            (Self::Clear, _) => "clear".to_owned(),
        }
    }
}

/// Levels above 0, which is left for what is refused.
pub(in crate::policy) fn rank(level: Level) -> u8 {
    level as u8 + 1
}
