//! Counts again what was shown before, as the log tells it. Where an event cannot tell what was shown, or whom, too many records
//! or persons count rather than too few.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::rules::{Rule, Who};
use super::window::{Key, Twelfth};
use super::{Incoming, Meter, in_all};
use crate::filter::Whom;
use crate::policy::Count;
use crate::vocabulary::{Category, Level, Module};

/// What an event of the log tells of a request that showed records.
#[derive(Clone, Debug)]
pub struct Told<'a> {
    /// The id of the request's decision.
    pub id: &'a str,
    /// Whether the request ended; else this event only names records of it.
    pub is_closed: bool,
    /// How long ago it was.
    pub ago: Duration,
    /// The name of the CRM.
    pub upstream: &'a str,
    /// The id of the caller.
    pub caller: &'a str,
    /// The roles that counted.
    pub roles: &'a [String],
    /// The purpose.
    pub purpose: Option<&'a str>,
    /// The records that it names: module and id.
    pub refs: Vec<(&'a str, &'a str)>,
    /// Whom each of them is about, as far as its name tells; needed where [`Recount::counts_persons`].
    pub whom: Vec<Whom>,
    /// How many records there were.
    pub records: u64,
    /// What was shown of them.
    pub shown: Vec<ToldField<'a>>,
}

/// Fields of one module and category that were shown at one level.
#[derive(Clone, Copy, Debug)]
pub struct ToldField<'a> {
    /// The module.
    pub module: &'a str,
    /// The category; `None`: nobody has classified them.
    pub category: Option<&'a str>,
    /// The level.
    pub level: Level,
    /// Whether records of the module are about nobody.
    pub of_nobody: bool,
}

/// Counts for limits that are new what was shown before.
#[derive(Debug)]
pub struct Recount {
    meter: Meter,
    rules: Vec<Arc<Rule>>,
    /// Requests of which it is not known yet what they showed.
    open: HashMap<String, Open>,
}

#[derive(Debug)]
struct Open {
    who: Who,
    ago: Duration,
    named: Named,
}

/// What events name: records, and whom they are about.
#[derive(Debug, Default)]
struct Named {
    refs: Vec<(Module, Key)>,
    whom: Vec<Whom>,
}

impl Recount {
    /// Counts for the limits among these that are new.
    pub fn of(meter: &Meter, incoming: &Incoming) -> Self {
        Self {
            meter: meter.clone(),
            rules: incoming.fresh.clone(),
            open: HashMap::new(),
        }
    }

    /// Whether it counts persons.
    pub fn counts_persons(&self) -> bool {
        let mut rules = self.rules.iter();
        rules.any(|rule| rule.limit.count() == Count::Persons)
    }

    /// From how long ago on events matter.
    pub fn reach(&self) -> Duration {
        let lengths = self.rules.iter().map(|rule| rule.limit.per().length());
        // What was shown a twelfth earlier counts as well.
        lengths.max().unwrap_or_default() * 13 / 12
    }

    /// An event.
    pub fn take(&mut self, told: &Told<'_>) {
        let refs = told.refs.iter().map(|(module, id)| {
            let key = self.meter.record(module, id);
            (Module::new(module), key)
        });
        let mut named = Named {
            refs: refs.collect(),
            whom: told.whom.clone(),
        };
        if !told.is_closed {
            let account = self.meter.account(told.upstream, told.caller);
            let open = self.open.entry(told.id.to_owned()).or_insert_with(|| Open {
                who: Who::told(account, told.roles, told.purpose),
                ago: told.ago,
                named: Named::default(),
            });
            open.ago = told.ago;
            open.named.add(named);
            return;
        }
        if let Some(open) = self.open.remove(told.id) {
            // A reply that was cut off does not tell what it showed.
            if told.shown.is_empty() {
                self.count_all(&open);
                return;
            }
            named.add(open.named);
        }
        let account = self.meter.account(told.upstream, told.caller);
        let who = Who::told(account, told.roles, told.purpose);
        let unnamed = told.records.saturating_sub(named.refs.len() as u64);
        let modules = named.refs.iter().map(|(module, _)| module.as_str());
        let modules: BTreeSet<&str> = modules.collect();
        let of_others = |field: &ToldField<'_>| !modules.contains(field.module);
        for rule in self.applying(&who) {
            let counted = |module: &Module| {
                let fields = told.shown.iter();
                let mut own =
                    fields.filter(|field| field.module == module.as_str() || of_others(field));
                own.any(|field| field.counts(&rule))
            };
            let mut keys = named.keys(&rule, counted);
            if unnamed > 0 && told.shown.iter().any(|field| field.counts_any(&rule)) {
                keys.extend(self.meter.each_unnamed(unnamed, &rule));
            }
            self.count(&rule, account, keys, told.ago);
        }
    }

    /// It was told so long ago that a caller had reached a limit, which let through so much.
    pub fn reached(
        &self,
        (name, count, max, window): (&str, &str, u64, &str),
        (upstream, caller): (&str, &str),
        ago: Duration,
    ) {
        let account = self.meter.account(upstream, caller);
        let named = |rule: &&Arc<Rule>| {
            let limit = &rule.limit;
            let (per, counts) = (limit.per().as_str(), limit.count().as_str());
            let terms = (counts, u64::from(limit.max()), per);
            limit.name().as_str() == name && terms == (count, max, window)
        };
        for rule in self.rules.iter().filter(named) {
            let (now, at) = self.moments(rule, ago);
            let mut account = self.meter.0.accounts.entry(account).or_default();
            let window = account.entry(rule.number).or_default();
            window.turn(now);
            let _ = window.tell(at);
        }
    }

    /// The log tells no more at the moment. What was begun and not ended has shown what it names.
    pub fn end(&mut self) {
        for open in std::mem::take(&mut self.open).into_values() {
            self.count_all(&open);
        }
    }

    fn applying(&self, who: &Who) -> Vec<Arc<Rule>> {
        let rules = self.rules.iter();
        let counts = |rule: &&Arc<Rule>| who.is_counted_by(rule);
        rules.filter(counts).cloned().collect()
    }

    fn count_all(&self, open: &Open) {
        for rule in self.applying(&open.who) {
            let keys = open
                .named
                .keys(&rule, |module| rule.limit.counts_of(module));
            self.count(&rule, open.who.account, keys, open.ago);
        }
    }

    /// Counts records or persons, up to what there is room for; beyond that, the limit counts as reached.
    fn count(&self, rule: &Rule, account: Key, mut keys: Vec<Key>, ago: Duration) {
        if keys.is_empty() {
            return;
        }
        keys.sort_unstable();
        keys.dedup();
        let (now, at) = self.moments(rule, ago);
        let mut account = self.meter.0.accounts.entry(account).or_default();
        let before = in_all(&account);
        let window = account.entry(rule.number).or_default();
        window.turn(now);
        if self.meter.has_room(window, rule, window.adds(&keys)) {
            window.shown_at(&keys, at);
        } else {
            window.overflow(at);
        }
        self.meter.resized(before, in_all(&account));
    }

    fn moments(&self, rule: &Rule, ago: Duration) -> (Twelfth, Twelfth) {
        let (now, per) = (self.meter.now(), rule.limit.per());
        let at = now.saturating_sub(ago);
        (Twelfth::at(now, per), Twelfth::at(at, per))
    }
}

impl Named {
    fn add(&mut self, other: Self) {
        self.refs.extend(other.refs);
        self.whom.extend(other.whom);
    }

    /// What of it counts for a limit, of modules that do.
    fn keys(&self, rule: &Rule, counted: impl Fn(&Module) -> bool) -> Vec<Key> {
        if rule.limit.count() == Count::Records {
            let refs = self.refs.iter().filter(|(module, _)| counted(module));
            return refs.map(|(_, key)| *key).collect();
        }
        let whom = self.whom.iter().filter(|whom| counted(&whom.module));
        let persons = whom.flat_map(|whom| &whom.persons);
        persons
            .filter_map(|person| person.names.first().copied())
            .collect()
    }
}

/// How the log calls all that statements in texts are about.
const SPECIAL: &str = "special";

impl ToldField<'_> {
    fn counts(&self, rule: &Rule) -> bool {
        let module = Module::new(self.module);
        // Of what texts say of somebody, the log does not tell which special category it is: it may be any.
        if self.category == Some(SPECIAL) {
            return rule
                .limit
                .may_count_of(&module, &Category::new(SPECIAL), self.level);
        }
        let category = self.category.map(Category::new);
        rule.limit.counts(&module, category.as_slice(), self.level)
    }

    /// The same, of a record of which nobody knows the name.
    fn counts_any(&self, rule: &Rule) -> bool {
        let is_about_somebody = rule.limit.count() == Count::Records || !self.of_nobody;
        is_about_somebody && self.counts(rule)
    }
}
