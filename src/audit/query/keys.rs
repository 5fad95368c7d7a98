//! The words of a question.

use std::collections::HashSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::detect::Kind;
use crate::diagnostic::nearest;
use crate::reason::{Outcome, Reason};
use crate::vocabulary::{Action, Category, Level};

use super::super::names::visible;
use super::super::upstreams::Asked;
use super::{Query, Usage, network_of};

/// The filters, in the order in which help shows them.
pub(super) const KEYS: [&str; 19] = [
    "caller",
    "role",
    "purpose",
    "module",
    "record",
    "category",
    "field",
    "level",
    "use",
    "outcome",
    "reason",
    "origin",
    "strength",
    "policy",
    "action",
    "id",
    "since",
    "until",
    "text-kind",
];

const ACTIONS: [Action; 11] = [
    Action::Auth,
    Action::Bulk,
    Action::Count,
    Action::Create,
    Action::Delete,
    Action::List,
    Action::Metadata,
    Action::Other,
    Action::Read,
    Action::Relate,
    Action::Update,
];

/// A list of values of a query.
type List = fn(&mut Query) -> &mut Vec<String>;

/// Why a filter is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct QueryError(String);

impl Query {
    /// Reads words of the form `key=value`, or `key=value,value`. `now` is what `since=7d` counts from.
    ///
    /// # Errors
    /// If a word is not a filter, or a filter is given twice.
    pub fn parse<'a>(
        words: impl IntoIterator<Item = &'a str>,
        now: Timestamp,
    ) -> Result<Self, QueryError> {
        let mut query = Self::default();
        let mut given = HashSet::new();
        for word in words {
            let (key, value) = word.split_once('=').ok_or_else(|| {
                QueryError(format!(
                    "`{}` is not a filter; write `key=value` with one of {}",
                    visible(word),
                    KEYS.join(", ")
                ))
            })?;
            if !KEYS.contains(&key) {
                return Err(QueryError(unknown("filter", key, &KEYS)));
            }
            if !given.insert(key) {
                return Err(QueryError(format!(
                    "`{key}` is given twice; several values stand in one, with commas: `{key}=one,other`"
                )));
            }
            let values = split(value);
            if values.iter().any(String::is_empty) {
                return Err(QueryError(format!("`{}` has no value", visible(word))));
            }
            if ["since", "until"].contains(&key) && values.len() > 1 {
                return Err(QueryError(format!("`{key}` takes one time")));
            }
            for value in &values {
                query.add(key, value, now)?;
            }
        }
        query.check()?;
        Ok(query)
    }

    fn add(&mut self, key: &str, value: &str, now: Timestamp) -> Result<(), QueryError> {
        let text = visible(value);
        match key {
            "caller" => self.caller.push(text),
            "role" => self.role.push(text),
            "purpose" => self.purpose.push(text),
            "module" => self.module.push(text),
            "strength" => self.strength.push(text),
            "policy" => self.policy.push(text),
            "id" => self.id.push(text),
            "record" => self.record.push(record(value)?),
            "category" => self.data.category.push(Category::new(value)),
            "field" => self.data.field.push(field(value)),
            "origin" => self.origin.push(network_of(value).ok_or_else(|| {
                QueryError(format!(
                    "`{text}` is not a network; write an address, `10.2.14.7`, or a network as events name it: `10.2.14.0/24`, `2001:db8:7::/48`"
                ))
            })?),
            "level" => {
                let known = Level::ALL.map(Level::as_str);
                self.data.level.push(Level::ALL[one_of(key, value, &known)?]);
            }
            "use" => {
                let known = Usage::NAMED.map(|(name, _)| name);
                self.data.uses.push(Usage::NAMED[one_of(key, value, &known)?].1);
            }
            "text-kind" => {
                let names: Vec<&str> = Kind::IDENTIFIERS.into_iter().map(Kind::as_str).collect();
                let place = one_of(key, value, &names)?;
                let kind = Kind::IDENTIFIERS.into_iter().nth(place);
                let category = kind.map(|kind| Category::new(kind.category()));
                self.data.text_kind.extend(category);
            }
            "outcome" => {
                let known = Outcome::ALL.map(Outcome::as_str);
                self.outcome.push(known[one_of(key, value, &known)?].to_owned());
            }
            "reason" => {
                let known: Vec<&str> = Reason::ALL.iter().map(|reason| reason.code()).collect();
                self.reason.push(known[one_of(key, value, &known)?].to_owned());
            }
            "action" => {
                let known = ACTIONS.map(Action::as_str);
                self.action.push(known[one_of(key, value, &known)?].to_owned());
            }
            "since" => self.since = Some(time(value, now)?),
            _ => self.until = Some(time(value, now)?),
        }
        Ok(())
    }

    /// Filters that can never hold together are a slip, not a question.
    fn check(&self) -> Result<(), QueryError> {
        let data = &self.data;
        let is_shown_only = data.uses == [Usage::Shown];
        let is_withheld_only =
            !data.level.is_empty() && data.level.iter().all(|level| *level < Level::Token);
        if is_shown_only && is_withheld_only {
            return Err(QueryError(
                "`use=shown` and a `level` that withholds cannot both hold; leave out one of them"
                    .to_owned(),
            ));
        }
        let is_found_only = !data.text_kind.is_empty() && !data.uses.is_empty();
        if is_found_only && !data.uses.contains(&Usage::Shown) {
            return Err(QueryError(
                "`text-kind` is about texts that were met; of the uses, only `use=shown` can hold with it".to_owned(),
            ));
        }
        Ok(())
    }

    /// One query for each value that an event of a request may have, and how it was written; not for records and times.
    pub(super) fn values(&self) -> Vec<(String, Self)> {
        let mut values = Vec::new();
        let texts: [(&str, &[String], List); 10] = [
            ("caller", &self.caller, |query| &mut query.caller),
            ("role", &self.role, |query| &mut query.role),
            ("purpose", &self.purpose, |query| &mut query.purpose),
            ("module", &self.module, |query| &mut query.module),
            ("outcome", &self.outcome, |query| &mut query.outcome),
            ("reason", &self.reason, |query| &mut query.reason),
            ("origin", &self.origin, |query| &mut query.origin),
            ("strength", &self.strength, |query| &mut query.strength),
            ("policy", &self.policy, |query| &mut query.policy),
            ("action", &self.action, |query| &mut query.action),
        ];
        for (key, given, of) in texts {
            for value in given {
                let mut one = Self::default();
                of(&mut one).push(value.clone());
                values.push((format!("{key}={value}"), one));
            }
        }
        for category in &self.data.category {
            let mut one = Self::default();
            one.data.category.push(category.clone());
            values.push((format!("category={}", visible(category.as_str())), one));
        }
        for field in &self.data.field {
            let mut one = Self::default();
            one.data.field.push(field.clone());
            values.push((format!("field={}", visible(field)), one));
        }
        values
    }
}

/// Values between commas; a comma of a value stands behind a backslash.
fn split(values: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut chars = values.chars().peekable();
    while let Some(char) = chars.next() {
        match (char, chars.peek()) {
            ('\\', Some(',')) => {
                chars.next();
                found.last_mut().into_iter().for_each(|last| last.push(','));
            }
            (',', _) => found.push(String::new()),
            _ => found
                .last_mut()
                .into_iter()
                .for_each(|last| last.push(char)),
        }
    }
    found
}

fn record(value: &str) -> Result<Asked, QueryError> {
    Asked::parse(value).ok_or_else(|| {
        QueryError(format!(
            "`{}` is not a record; write its module and id: `record=Contacts/c-1`",
            visible(value)
        ))
    })
}

/// The name of a field as events write it: folded, behind its module.
fn field(value: &str) -> String {
    match value.split_once('.') {
        Some((module, field)) => [module, ".", &field.to_ascii_lowercase()].concat(),
        None => value.to_ascii_lowercase(),
    }
}

/// The place of a word in a closed list.
fn one_of(what: &str, word: &str, known: &[&str]) -> Result<usize, QueryError> {
    known
        .iter()
        .position(|known| *known == word)
        .ok_or_else(|| QueryError(unknown(what, word, known)))
}

/// That a word is not in a closed list, and which one may be meant.
pub(in crate::audit) fn unknown(what: &str, word: &str, known: &[&str]) -> String {
    let similar = known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(word, known), known))
        .filter(|(distance, known)| *distance <= 2 || 3 * distance <= known.len())
        .min_by_key(|(distance, _)| *distance);
    let similar = similar.map(|(_, known)| *known);
    let help = match similar.or_else(|| nearest(word, known.iter().copied())) {
        Some(known) => format!("did you mean `{known}`?"),
        None => format!("it is one of {}", known.join(", ")),
    };
    format!("unknown {what} `{}`; {help}", visible(word))
}

/// A point in time, as events write it: a time or date of RFC 3339, or a span before now.
pub fn time(word: &str, now: Timestamp) -> Result<String, QueryError> {
    let time = word
        .parse::<Timestamp>()
        .ok()
        .or_else(|| {
            let date = word.parse::<Date>().ok()?;
            Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
        })
        .or_else(|| now.checked_sub(span(word)?).ok());
    match time {
        Some(time) => Ok(format!("{time:.3}")),
        None => Err(QueryError(format!(
            "`{}` is not a time; write `2026-11-23T09:00:00Z`, `2026-11-23`, or a span before now: `7d`, `24h`, `30m`",
            visible(word)
        ))),
    }
}

pub(super) fn span(word: &str) -> Option<SignedDuration> {
    let unit = word.chars().next_back()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    let digits = word.strip_suffix(unit)?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count: i64 = digits.parse().ok()?;
    Some(SignedDuration::from_secs(count.checked_mul(seconds)?))
}
