//! Questions to a log: which requests, of whom, about what, for which purpose.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::ControlFlow;
use std::path::Path;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::policy::CATALOGUE;
use crate::reason::Outcome;
use crate::vocabulary::{Action, Category, Level};

use super::classified::Classified;
use super::events::{Found, Summary, each};
use super::expand::Entry;
use super::format::full::{RESERVED, Request};
use super::format::notice::Notice;
use super::format::{Phase, full};
use super::names::visible;
use super::stretch::Stretch;
use super::upstreams::{Asked, Upstreams, Wanted};
use super::verdict::Fault;

/// The filters, in the order in which help shows them.
const KEYS: [&str; 11] = [
    "caller", "module", "record", "category", "level", "outcome", "action", "purpose", "id",
    "since", "until",
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

/// Which requests are asked for. Everything that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// The caller's id or name.
    caller: Option<String>,
    /// A module that was asked for, or of which anything was in the reply.
    module: Option<String>,
    /// A record: `Contacts/c-1`, or `crm:Contacts/c-1` where the log tells of several CRMs.
    record: Option<Asked>,
    /// A category, and all below it.
    category: Option<Category>,
    /// A level; with a category, of data of that category.
    level: Option<Level>,
    outcome: Option<String>,
    action: Option<String>,
    purpose: Option<String>,
    id: Option<String>,
    /// From the first event at or after this time on. Times are compared as they are written, which sorts them.
    since: Option<String>,
    /// Up to the last event before this time.
    until: Option<String>,
}

/// Why a filter is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct QueryError(String);

impl Query {
    /// Reads words of the form `key=value`. `now` is what `since=7d` counts from.
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
            if value.is_empty() {
                return Err(QueryError(format!("`{}` has no value", visible(word))));
            }
            query.set(key, value, now)?;
            if !given.insert(key) {
                return Err(QueryError(format!("`{key}` is given twice")));
            }
        }
        Ok(query)
    }

    fn set(&mut self, key: &str, value: &str, now: Timestamp) -> Result<(), QueryError> {
        let text = Some(visible(value));
        match key {
            "caller" => self.caller = text,
            "module" => self.module = text,
            "record" => {
                self.record = Some(Asked::parse(value).ok_or_else(|| {
                    QueryError(format!(
                        "`{}` is not a record; write its module and id: `record=Contacts/c-1`",
                        visible(value)
                    ))
                })?);
            }
            "category" => self.category = Some(Category::new(value)),
            "level" => {
                let known = Level::ALL.map(Level::as_str);
                let place = one_of("level", value, &known)?;
                self.level = Some(Level::ALL[place]);
            }
            "outcome" => {
                let known = Outcome::ALL.map(Outcome::as_str);
                let known: Vec<&str> = known.into_iter().chain(RESERVED).collect();
                self.outcome = Some(known[one_of(key, value, &known)?].to_owned());
            }
            "action" => {
                let known = ACTIONS.map(Action::as_str);
                self.action = Some(known[one_of(key, value, &known)?].to_owned());
            }
            "purpose" => self.purpose = text,
            "id" => self.id = text,
            "since" => self.since = Some(time(value, now)?),
            "until" => self.until = Some(time(value, now)?),
            _ => return Err(QueryError(unknown("filter", key, &KEYS))),
        }
        Ok(())
    }

    /// Whether it asks for a time.
    pub fn is_timed(&self) -> bool {
        self.since.is_some() || self.until.is_some()
    }

    /// Whether an event matches, where `is_named` says that it or an earlier event of the same request named the record.
    fn matches(&self, event: &Request, is_named: bool, policies: &mut Policies) -> bool {
        let kind = event.outcome.as_ref().map(|outcome| outcome.kind.as_str());
        self.matches_request(event)
            && is_named
            && is(&self.outcome, kind)
            && (self.matches_data(event) || self.matches_uses(event, policies))
    }

    /// Whether something else that happened matches: of a request it says nothing.
    fn matches_notice(&self, id: &str) -> bool {
        let of_request = Self {
            id: None,
            since: None,
            until: None,
            ..self.clone()
        };
        of_request == Self::default() && is(&self.id, Some(id))
    }

    /// The filters that an opening event can answer too.
    fn matches_request(&self, event: &Request) -> bool {
        let caller = event.caller.as_ref();
        let purpose = event.purpose.as_ref();
        (is(&self.caller, caller.map(|caller| caller.id.as_str()))
            || is(&self.caller, caller.map(|caller| caller.name.as_str())))
            && self
                .module
                .as_deref()
                .is_none_or(|module| touches(event, module))
            && is(&self.action, event.request.action.as_deref())
            && is(&self.purpose, purpose.map(|purpose| purpose.id.as_str()))
            && is(&self.id, Some(&event.id))
    }

    fn matches_data(&self, event: &Request) -> bool {
        if self.category.is_none() && self.level.is_none() {
            return true;
        }
        event.data.iter().any(|entry| {
            let category = self.category.as_ref().is_none_or(|wanted| {
                let found = entry.category.as_deref();
                found.is_some_and(|found| wanted.covers(&Category::new(found)))
            });
            category && self.level.is_none_or(|wanted| entry.level == wanted)
        })
    }

    /// Whether the request named a field of the category, whatever came of it. At a level there is only data.
    fn matches_uses(&self, event: &Request, policies: &mut Policies) -> bool {
        let (Some(wanted), None) = (&self.category, self.level) else {
            return false;
        };
        let mut names = event.named().peekable();
        if names.peek().is_none() {
            return false;
        }
        match policies.of(event) {
            Some(classified) => names.any(|name| classified.is_of(name, wanted)),
            None => {
                policies.unknown += 1;
                false
            }
        }
    }
}

/// What the log tells of the policies that were in force.
#[derive(Debug, Default)]
struct Policies {
    /// By hash.
    classified: BTreeMap<String, Classified>,
    /// Categories of data that was met, and of fields.
    categories: BTreeSet<Category>,
    /// Requests of which nobody knows the categories of the fields that they named.
    unknown: u64,
    /// Whether there is a policy of which nobody knows the categories.
    is_partial: bool,
}

impl Policies {
    /// Learns from an event.
    fn learn(&mut self, entry: &Entry) {
        match entry {
            Entry::Request(request) => request.data.iter().for_each(|entry| self.meet(entry)),
            Entry::Notice(notice) => self.load(notice),
            Entry::Terms => {}
        }
    }

    fn meet(&mut self, entry: &full::Entry) {
        if let Some(category) = &entry.category {
            let category = Category::new(category);
            if !self.categories.contains(&category) {
                self.categories.insert(category);
            }
        }
    }

    fn load(&mut self, notice: &Notice) {
        let Notice::PolicyLoaded {
            classified, hash, ..
        } = notice
        else {
            return;
        };
        match classified {
            Some(classes) => {
                let classified = Classified::read(classes);
                self.categories.extend(classified.categories().cloned());
                // The same policy may come into force again, in another schema: its requests may be of either time.
                self.classified
                    .entry(hash.clone())
                    .or_default()
                    .add_all(classified);
            }
            None => self.is_partial = true,
        }
    }

    /// The categories of fields under the policy of a request.
    fn of(&self, event: &Request) -> Option<&Classified> {
        self.classified.get(&event.policy.hash)
    }

    /// That no policy of the log can have a category, and which one may be meant.
    fn unheard_of(&self, wanted: Option<&Category>) -> Option<String> {
        let wanted = wanted.filter(|_| !self.is_partial && !self.classified.is_empty())?;
        let built_in = CATALOGUE.iter().map(|one| Category::new(one.name));
        let known: BTreeSet<Category> = self.categories.iter().cloned().chain(built_in).collect();
        if known.iter().any(|one| wanted.covers(one)) {
            return None;
        }
        let whole = known.iter().map(Category::as_str);
        let above = whole
            .clone()
            .filter_map(|name| Some(name.split_once('.')?.0));
        let names: BTreeSet<&str> = whole.chain(above).collect();
        let names: Vec<&str> = names.into_iter().collect();
        Some(unknown("category", wanted.as_str(), &names))
    }
}

/// Hands the events that match to `sink`, in the order of the log, until it breaks off. A request has one result: the
/// event that closed it. Requests that were never closed come last; as nobody knows what left, they match every
/// filter about records, data and outcome.
///
/// # Errors
/// If the log cannot be read, or the record that is asked for may be one of several CRMs. The log is not verified.
pub fn query(
    dir: &Path,
    query: &Query,
    sink: &mut dyn FnMut(&Found) -> ControlFlow<()>,
) -> Result<Summary, Fault> {
    let upstreams = Upstreams::find(dir)?;
    let record = query.record.as_ref();
    let record: Option<Wanted> = record.map(|asked| upstreams.settle(asked)).transpose()?;
    let names_record = |event: &Request| record.as_ref().is_none_or(|record| record.is_in(event));
    // Requests of which an earlier event named the record.
    let mut named = HashSet::new();
    let mut policies = Policies::default();
    let mut unclosed = BTreeMap::new();
    let mut stopped = false;
    let mut stretch = Stretch::find(dir, query.since.as_deref(), query.until.as_deref())?;
    let mut summary = each(dir, &mut |line, entry| {
        policies.learn(&entry);
        let is_within = stretch.holds(line);
        let is_found = match &entry {
            Entry::Terms => false,
            Entry::Notice(_) => is_within && query.matches_notice(&line.id),
            Entry::Request(event) => match event.phase {
                Phase::Opened => {
                    if is_within && query.matches_request(event) {
                        let found = Found::new(line, entry, &upstreams);
                        unclosed.insert(line.id.clone(), (line.seq, found));
                    }
                    return ControlFlow::Continue(());
                }
                Phase::Continued => {
                    if record.is_some() && names_record(event) {
                        named.insert(line.id.clone());
                    }
                    false
                }
                Phase::Closed => {
                    unclosed.remove(&line.id);
                    let is_named = named.remove(&line.id) || names_record(event);
                    is_within && query.matches(event, is_named, &mut policies)
                }
            },
        };
        if !is_found {
            return ControlFlow::Continue(());
        }
        let flow = sink(&Found::new(line, entry, &upstreams));
        stopped = flow.is_break();
        flow
    })?;
    let mut unclosed: Vec<_> = unclosed.into_values().collect();
    unclosed.sort_unstable_by_key(|(seq, _)| *seq);
    for (_, found) in unclosed {
        if stopped || sink(&found).is_break() {
            break;
        }
    }
    summary.untold = policies.unknown;
    if !stopped {
        summary.unheard_of = policies.unheard_of(query.category.as_ref());
    }
    Ok(summary)
}

/// Hands every event of one decision to `sink`, and those of its parts.
///
/// # Errors
/// If the log cannot be read. It is not verified.
pub fn show(
    dir: &Path,
    id: &str,
    sink: &mut dyn FnMut(&Found) -> ControlFlow<()>,
) -> Result<Summary, Fault> {
    let upstreams = Upstreams::find(dir)?;
    each(dir, &mut |line, entry| {
        let is_found = match &entry {
            Entry::Request(event) => event.id == id || event.part_of.as_deref() == Some(id),
            Entry::Notice(_) => line.id == id,
            Entry::Terms => false,
        };
        if is_found {
            sink(&Found::new(line, entry, &upstreams))
        } else {
            ControlFlow::Continue(())
        }
    })
}

/// Whether a filter is not given, or is what the event says.
fn is(wanted: &Option<String>, found: Option<&str>) -> bool {
    wanted.is_none() || wanted.as_deref() == found
}

/// Whether an event has to do with a module.
fn touches(event: &Request, module: &str) -> bool {
    let begins = |found: &String, mark: char| {
        let rest = found.strip_prefix(module);
        rest.is_some_and(|rest| rest.starts_with(mark))
    };
    event.request.module.as_deref() == Some(module)
        || event
            .data
            .iter()
            .flat_map(|entry| &entry.fields)
            .any(|field| begins(field, '.'))
        || event.records.refs.iter().any(|record| begins(record, '/'))
}

/// The place of a word in a closed list.
fn one_of(what: &str, word: &str, known: &[&str]) -> Result<usize, QueryError> {
    known
        .iter()
        .position(|known| *known == word)
        .ok_or_else(|| QueryError(unknown(what, word, known)))
}

fn unknown(what: &str, word: &str, known: &[&str]) -> String {
    let similar = known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(word, known), known))
        .filter(|(distance, known)| *distance <= 2 || 3 * distance <= known.len())
        .min_by_key(|(distance, _)| *distance);
    let help = match similar {
        Some((_, known)) => format!("did you mean `{known}`?"),
        None => format!("it is one of {}", known.join(", ")),
    };
    format!("unknown {what} `{}`; {help}", visible(word))
}

/// A point in time, as events write it: a time or date of RFC 3339, or a span before now.
///
/// # Errors
/// If a word is none of them.
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

fn span(word: &str) -> Option<SignedDuration> {
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
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count: i64 = digits.parse().ok()?;
    Some(SignedDuration::from_secs(count.checked_mul(seconds)?))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tempfile::TempDir;

    use super::super::Log;
    use super::super::disclosure::tests::{report, rule};
    use super::super::tests::{decided, new_record, operation, options, policy_loaded, refs};
    use super::*;
    use crate::filter::Report;
    use crate::reason::Reason;

    /// A log of three requests: fanny sees an IBAN of the first of 1,500 records, somebody is refused, and fanny's
    /// write is cut off by a crash. Returns their ids.
    async fn sample(dir: &Path) -> [String; 3] {
        let log = Log::open(options(dir)).unwrap();
        let seen = decided(new_record(&log), &operation("Contacts", &["iban_c"]));
        let iban = rule("iban_c", &["financial.iban"], Level::Clear, "pay", true);
        let name = rule("last_name", &["identity.name"], Level::Mask, "base", true);
        let shown = Report {
            refs: refs(1_500),
            ..report(vec![iban, name])
        };
        let refused = new_record(&log);
        let mut cut_off = decided(new_record(&log), &operation("Leads", &[]));
        let ids = [seen.id(), refused.id(), cut_off.id()].map(str::to_owned);
        let _ = seen.close(shown, Outcome::Full, 200).await.unwrap();
        let _ = refused.refuse(403, Some(Reason::NoRole)).await.unwrap();
        let _opened = cut_off.open([]).await.unwrap();
        cut_off.abandon();
        log.stop().unwrap();
        ids
    }

    fn parse(words: &str) -> Result<Query, QueryError> {
        Query::parse(words.split_whitespace(), Timestamp::now())
    }

    fn ids(dir: &Path, words: &str) -> Vec<String> {
        let mut found = Vec::new();
        query(dir, &parse(words).unwrap(), &mut |event| {
            found.push(event.id().to_owned());
            ControlFlow::Continue(())
        })
        .unwrap();
        found
    }

    #[tokio::test]
    async fn each_filter_finds_what_it_says() {
        let dir = TempDir::new().unwrap();
        let [seen, refused, cut_off] = sample(dir.path()).await;
        let all = [seen.as_str(), &refused, &cut_off];
        // What a request that was never closed disclosed is not known, so it matches where that counts.
        for (words, expected) in [
            ("caller=fanny", vec![0, 2]),
            ("caller=9b1f", vec![0, 2]),
            ("caller=fan", vec![]),
            ("module=Contacts", vec![0]),
            ("module=Contact", vec![]),
            ("record=Contacts/c-1", vec![0, 2]),
            ("record=Contacts/c-1500", vec![0, 2]),
            ("record=Contacts/c-1501", vec![2]),
            ("category=financial", vec![0, 2]),
            ("category=fin", vec![2]),
            (
                "category=financial.iban level=clear caller=fanny",
                vec![0, 2],
            ),
            ("category=financial level=mask", vec![2]),
            ("level=mask", vec![0, 2]),
            ("outcome=denied", vec![1, 2]),
            ("action=read", vec![0, 2]),
            ("purpose=payment", vec![]),
            ("record=Contacts/c-1 level=clear module=Contacts", vec![0]),
            (&format!("id={refused}"), vec![1]),
            ("since=1h caller=fanny", vec![0, 2]),
            ("until=1h", vec![]),
        ] {
            let expected: Vec<_> = expected.into_iter().map(|index| all[index]).collect();
            assert_eq!(ids(dir.path(), words), expected, "{words}");
        }
        // With those that begin the segment and the log.
        assert_eq!(ids(dir.path(), "").len(), 6);
    }

    /// A log of two refused requests that named a field; with `classified`, the policy is known.
    async fn refused(dir: &Path, classified: Option<&Classified>) -> [String; 2] {
        let log = Log::open(options(dir)).unwrap();
        if let Some(classified) = classified {
            log.write(policy_loaded(classified)).await.unwrap();
        }
        let mut ids = Vec::new();
        for field in ["religion_c", "phone_work"] {
            let record = decided(new_record(&log), &operation("Contacts", &[field]));
            ids.push(record.id().to_owned());
            let refused = record.refuse(403, Some(Reason::FieldNotUsable)).await;
            let _ = refused.unwrap();
        }
        log.stop().unwrap();
        ids.try_into().unwrap()
    }

    fn summary(dir: &Path, words: &str) -> Summary {
        query(dir, &parse(words).unwrap(), &mut |_| {
            ControlFlow::Continue(())
        })
        .unwrap()
    }

    #[tokio::test]
    async fn a_category_finds_refused_requests_by_the_fields_that_they_named() {
        let dir = TempDir::new().unwrap();
        let mut classified = Classified::default();
        let contacts = crate::vocabulary::Module::new("Contacts");
        classified.add(&contacts, "*relig*", &[Category::new("special.belief")]);
        classified.add(&contacts, "phone_work", &[Category::new("contact.phone")]);
        let [religion, phone] = refused(dir.path(), Some(&classified)).await;
        assert_eq!(ids(dir.path(), "category=special"), [religion.as_str()]);
        assert_eq!(
            ids(dir.path(), "category=special.belief outcome=denied"),
            [religion]
        );
        assert_eq!(ids(dir.path(), "category=contact.phone"), [phone]);
        // Nothing was shown at a level.
        assert!(ids(dir.path(), "category=special level=hide").is_empty());
        // A category that exists and was not met is no mistake, one that cannot exist is.
        for words in ["category=financial.iban", "category=contact", "module=x"] {
            assert_eq!(summary(dir.path(), words).unheard_of, None, "{words}");
        }
        let told = summary(dir.path(), "category=special.beleif").unheard_of;
        assert_eq!(
            told.as_deref(),
            Some("unknown category `special.beleif`; did you mean `special.belief`?")
        );
        assert_eq!(summary(dir.path(), "category=special").untold, 0);
    }

    #[tokio::test]
    async fn what_a_log_cannot_tell_of_a_category_is_said() {
        let dir = TempDir::new().unwrap();
        refused(dir.path(), None).await;
        let told = summary(dir.path(), "category=special");
        assert_eq!((told.untold, told.unheard_of), (2, None));
        let told = summary(dir.path(), "category=special outcome=full");
        assert_eq!(told.untold, 0);
    }

    #[tokio::test]
    async fn a_decision_is_shown_with_all_its_events() {
        let dir = TempDir::new().unwrap();
        let [seen, ..] = sample(dir.path()).await;
        let mut phases = Vec::new();
        show(dir.path(), &seen, &mut |found| {
            phases.push(found.json()["phase"].to_string());
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(phases, ["\"continued\"", "\"closed\""]);
    }

    #[test]
    fn what_is_not_understood_is_said_with_a_suggestion() {
        for (words, message) in [
            (
                "calller=x",
                "unknown filter `calller`; did you mean `caller`?",
            ),
            (
                "level=cleer",
                "unknown level `cleer`; did you mean `clear`?",
            ),
            (
                "outcome=denid",
                "unknown outcome `denid`; did you mean `denied`?",
            ),
            ("caller=a caller=b", "`caller` is given twice"),
            ("caller=", "`caller=` has no value"),
            (
                "record=c-1",
                "`c-1` is not a record; write its module and id: `record=Contacts/c-1`",
            ),
        ] {
            assert_eq!(parse(words).unwrap_err().to_string(), message);
        }
        assert!(
            parse("fanny")
                .unwrap_err()
                .to_string()
                .starts_with("`fanny` is not a filter")
        );
        for time in [
            "yesterday",
            "-7d",
            "7",
            "d",
            "7y",
            "99999999999999d",
            "2026-13-01",
        ] {
            assert!(parse(&format!("since={time}")).is_err(), "{time}");
        }
    }

    #[test]
    fn times_are_absolute_or_counted_back() {
        let now: Timestamp = "2026-11-23T09:04:11.482Z".parse().unwrap();
        for (word, expected) in [
            ("7d", "2026-11-16T09:04:11.482Z"),
            ("24h", "2026-11-22T09:04:11.482Z"),
            ("30m", "2026-11-23T08:34:11.482Z"),
            ("2026-01-01", "2026-01-01T00:00:00.000Z"),
            ("2026-01-01T10:00:00+02:00", "2026-01-01T08:00:00.000Z"),
        ] {
            assert_eq!(time(word, now).unwrap(), expected);
        }
        assert!(
            span("1w").unwrap() == SignedDuration::try_from(Duration::from_secs(604_800)).unwrap()
        );
    }
}
