//! What the CRM sends that nobody has said anything of is withheld; here the operator is told its name. Each is told once,
//! and only if it looks like a name: a CRM that puts values where names belong has them counted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::audit::is_plain_in_any_case;
use crate::filter::{Cause, FieldSet, Report, Unfilterable};
use crate::metrics::{Drift, Metrics};
use crate::policy::Policy;
use crate::reason::Reason;
use crate::transport::{self, Failure, Failures};
use crate::vocabulary::{Field, FieldPath, Module};

/// Names of one kind that are told; further ones are left out.
const NAMES_MAX: usize = 1_024;
/// Sets of fields that need not be looked at again.
const SETS_MAX: usize = 64;

/// What the operator has been told of the CRM behind one dialect.
#[derive(Debug)]
pub(super) struct Notices {
    dialect: &'static str,
    metrics: Metrics,
    failures: Arc<Failures>,
    names: Mutex<Names>,
}

#[derive(Debug, Default)]
struct Names {
    /// Unclassified fields that the CRM's description of itself names.
    described: BTreeSet<FieldPath>,
    /// Unclassified fields that were met in replies.
    met: BTreeSet<FieldPath>,
    misfits: BTreeSet<FieldPath>,
    keys: BTreeSet<Box<str>>,
    /// What was wrong with replies that could not be filtered, and under which of the dialect's keys.
    faults: Vec<(Cause, Option<&'static str>)>,
    /// Sets of fields whose names are all among these.
    sets: Vec<Arc<FieldSet>>,
}

impl Notices {
    pub(super) fn new(dialect: &'static str, metrics: Metrics, failures: Arc<Failures>) -> Self {
        Self {
            dialect,
            metrics,
            failures,
            names: Mutex::default(),
        }
    }

    fn names(&self) -> MutexGuard<'_, Names> {
        // Sets of names cannot be left half changed by a panic.
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The CRM has described itself: these fields nobody has classified.
    pub(super) fn gaps(&self, gaps: BTreeMap<Module, Vec<Field>>) {
        let paths = |(module, fields): (Module, Vec<Field>)| {
            fields.into_iter().map(move |field| FieldPath {
                module: module.clone(),
                field,
            })
        };
        let gaps: BTreeSet<FieldPath> = gaps.into_iter().flat_map(paths).collect();
        let mut names = self.names();
        let known = &names;
        let is_new =
            |path: &&FieldPath| !known.met.contains(path) && !known.described.contains(path);
        self.tell_unclassified(gaps.iter().filter(is_new));
        names.described = gaps;
        self.count(&names);
    }

    /// Tells what a reply held that was withheld because nobody has said what it is.
    pub(super) fn report(&self, report: &Report) {
        let set = report.fields.set();
        if set.has_unclassified() || !report.misfits.is_empty() || !report.unheard.is_empty() {
            let mut names = self.names();
            self.unclassified(&mut names, set);
            self.misfits(&mut names, report);
            self.tell_keys(&mut names, &report.unheard);
        }
    }

    /// Another policy is in force: of what was told to be unclassified, that stays which still is. What requests that began
    /// under the policy before still meet is told as theirs.
    pub(super) fn look_again(&self, policy: &Policy) {
        // Replies are told of meanwhile: the policy is asked about a copy.
        let known: BTreeSet<FieldPath> = {
            let names = self.names();
            names.described.union(&names.met).cloned().collect()
        };
        let open = policy.unclassified_of(&known);
        let stays = |path: &FieldPath| open.contains(path) || !known.contains(path);
        let mut names = self.names();
        names.described.retain(stays);
        names.met.retain(stays);
        names.sets.clear();
        self.count(&names);
    }

    /// A reply cannot be filtered. The cause and the place go to the operator's log, the caller learns neither. Failures are
    /// told by cause and minute; what is wrong for the first time at a place of the CRM's answers is told at once.
    pub(super) fn unfilterable(&self, error: Unfilterable) -> Reason {
        self.tell_fault(&error);
        let cause = match error.cause {
            Cause::Syntax | Cause::Truncated | Cause::DuplicateKey => {
                transport::Cause::MalformedJson
            }
            Cause::Encoding => transport::Cause::Charset,
            Cause::Depth | Cause::RecordTooLarge => transport::Cause::TooLarge,
            // Until the walk answers that there is no such record.
            Cause::Shape | Cause::OtherModule | Cause::Absent => transport::Cause::WrongShape,
        };
        let mut place = format!("{:?} at byte {}", error.cause, error.offset);
        if let Some(under) = error.under {
            place.push_str(&format!(" under `{under}`"));
        }
        self.failures.note(Failure {
            reason: Reason::Unfilterable,
            ..Failure::from(cause).with(place)
        })
    }

    fn tell_fault(&self, error: &Unfilterable) {
        let fault = (error.cause, error.under);
        let mut names = self.names();
        if names.faults.len() < NAMES_MAX && !names.faults.contains(&fault) {
            names.faults.push(fault);
            tracing::warn!(
                dialect = self.dialect,
                cause = ?error.cause,
                offset = error.offset,
                under = error.under,
                "the CRM's answer cannot be filtered"
            );
        }
    }

    /// Tells keys beside records that nobody has said anything of.
    pub(super) fn keys(&self, keys: &BTreeSet<Box<str>>) {
        self.tell_keys(&mut self.names(), keys);
    }

    fn unclassified(&self, names: &mut Names, set: &Arc<FieldSet>) {
        if !set.has_unclassified() || names.sets.iter().any(|told| Arc::ptr_eq(told, set)) {
            return;
        }
        if names.sets.len() >= SETS_MAX {
            names.sets.clear();
        }
        names.sets.push(set.clone());
        let mut fresh = Vec::new();
        for path in set.unclassified() {
            let is_room = names.met.len() < NAMES_MAX;
            if is_room && !names.described.contains(&path) && names.met.insert(path.clone()) {
                fresh.push(path);
            }
        }
        self.tell_unclassified(fresh.iter());
        self.count(names);
    }

    fn misfits(&self, names: &mut Names, report: &Report) {
        let mut by_module: BTreeMap<&Module, (Vec<String>, usize)> = BTreeMap::new();
        for misfit in &report.misfits {
            let is_room = names.misfits.len() < NAMES_MAX;
            if is_room && names.misfits.insert(misfit.rule.path()) {
                let (fields, others) = by_module.entry(&misfit.rule.module).or_default();
                match plain(misfit.rule.field.as_str()) {
                    Some(name) => fields.push(format!("{name}={}", misfit.kind)),
                    None => *others += 1,
                }
            }
        }
        for (module, (fields, others)) in &by_module {
            tracing::warn!(
                dialect = self.dialect,
                module = plain(module.as_str()),
                fields = fields.join(" "),
                others,
                "values of a type that cannot be shown are redacted"
            );
        }
        self.count(names);
    }

    fn tell_keys(&self, names: &mut Names, keys: &BTreeSet<Box<str>>) {
        let mut fresh = Vec::new();
        for key in keys {
            if names.keys.len() < NAMES_MAX && names.keys.insert(key.clone()) {
                fresh.push(&**key);
            }
        }
        if !fresh.is_empty() {
            let (keys, others) = parted(fresh.into_iter());
            tracing::warn!(
                dialect = self.dialect,
                keys = keys.join(" "),
                others,
                "keys of the CRM's answer that the description does not name are left out"
            );
            self.count(names);
        }
    }

    fn tell_unclassified<'p>(&self, paths: impl Iterator<Item = &'p FieldPath>) {
        let mut by_module: BTreeMap<&Module, Vec<&str>> = BTreeMap::new();
        for path in paths {
            let fields = by_module.entry(&path.module).or_default();
            fields.push(path.field.as_str());
        }
        for (module, fields) in by_module {
            let (fields, others) = parted(fields.into_iter());
            tracing::info!(
                dialect = self.dialect,
                module = plain(module.as_str()),
                fields = fields.join(" "),
                others,
                "fields that no policy classifies are redacted"
            );
        }
    }

    fn count(&self, names: &Names) {
        let unclassified = names.described.union(&names.met).count();
        self.metrics.gaps(self.dialect, unclassified);
        for (kind, count) in [
            (Drift::Field, names.met.len()),
            (Drift::Type, names.misfits.len()),
            (Drift::Key, names.keys.len()),
        ] {
            self.metrics.drift(self.dialect, kind, count);
        }
    }
}

/// A name, if it looks like one.
fn plain(name: &str) -> Option<&str> {
    is_plain_in_any_case(name).then_some(name)
}

/// The names that look like names, and how many others there are.
fn parted<'n>(names: impl Iterator<Item = &'n str>) -> (Vec<&'n str>, usize) {
    let (names, others): (Vec<&str>, Vec<&str>) = names.partition(|name| plain(name).is_some());
    (names, others.len())
}
