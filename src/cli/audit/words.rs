//! Words of answers in English and French, and the labels of a policy.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::cli::against::{compiled, read};
use crate::cli::check::built_in;
use crate::policy::Policy;
use crate::vocabulary::{Category, Purpose};

/// The language of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Lang {
    /// English.
    #[default]
    En,
    /// French.
    Fr,
}

/// What categories and purposes are called: in the policy, if one is given, else by their ids.
pub(super) struct Labels {
    policy: Option<Policy>,
    lang: Lang,
}

impl Labels {
    /// Of a policy folder. What is wrong with it is printed; then the exit code is given.
    pub(super) fn of(policies: Option<&PathBuf>, lang: Lang) -> Result<Self, u8> {
        let policy = policies.map(|dir| policy(dir)).transpose()?;
        Ok(Self { policy, lang })
    }

    fn is_french(&self) -> bool {
        self.lang == Lang::Fr
    }

    /// The label of a category.
    pub(super) fn category(&self, name: &str) -> String {
        let policy = self.policy.as_ref();
        let label = policy.and_then(|policy| {
            let category = Category::new(name);
            policy
                .label_of(&category, self.is_french())
                .map(str::to_owned)
        });
        match (label, name, self.lang) {
            (Some(label), ..) => label,
            (None, "(unclassified)", Lang::Fr) => "(non classé)".to_owned(),
            (None, ..) => name.to_owned(),
        }
    }

    /// The label of a purpose.
    pub(super) fn purpose(&self, name: &str) -> String {
        let policy = self.policy.as_ref();
        let label = policy.and_then(|policy| {
            let purpose = Purpose::new(name);
            policy
                .label_of_purpose(&purpose, self.is_french())
                .map(str::to_owned)
        });
        label.unwrap_or_else(|| name.to_owned())
    }

    /// The labels of categories, in one list.
    pub(super) fn categories(&self, names: &[String]) -> String {
        let labels: Vec<String> = names.iter().map(|name| self.category(name)).collect();
        labels.join(", ")
    }
}

fn policy(dir: &Path) -> Result<Policy, u8> {
    compiled(&read(dir)?, &built_in(None))
}

impl Lang {
    /// One of two texts.
    pub(super) fn of<'t>(self, english: &'t str, french: &'t str) -> &'t str {
        match self {
            Self::En => english,
            Self::Fr => french,
        }
    }

    /// A time of the log, `2026-11-28` and `10:04:11`, in words.
    pub(super) fn moment(self, day: &str, time: &str) -> String {
        let minutes = time.get(..5).unwrap_or(time);
        match self {
            Self::En => format!("On {} at {minutes} (UTC)", self.day(day)),
            Self::Fr => format!(
                "Le {} à {} (UTC)",
                self.day(day),
                minutes.replace(':', " h ")
            ),
        }
    }

    /// A day, `2026-11-28`, in words.
    pub(super) fn day(self, day: &str) -> String {
        const MONTHS: [(&str, &str); 12] = [
            ("January", "janvier"),
            ("February", "février"),
            ("March", "mars"),
            ("April", "avril"),
            ("May", "mai"),
            ("June", "juin"),
            ("July", "juillet"),
            ("August", "août"),
            ("September", "septembre"),
            ("October", "octobre"),
            ("November", "novembre"),
            ("December", "décembre"),
        ];
        let Ok(date) = day.parse::<jiff::civil::Date>() else {
            return day.to_owned();
        };
        let month = MONTHS.get(usize::from(date.month().unsigned_abs()).wrapping_sub(1));
        let Some((english, french)) = month else {
            return day.to_owned();
        };
        let number = match (self, date.day()) {
            (Self::Fr, 1) => "1er".to_owned(),
            (_, number) => number.to_string(),
        };
        format!("{number} {} {}", self.of(english, french), date.year())
    }
}
