//! Conditions in a form in which they can be compared and set against each other.

use crate::condition::{
    CallerFact, Condition, Operand, RequestFact, Scalar, Schedule, Subject, Test,
};

/// So many steps are spent to see a contradiction; whoever does not see one supposes that there is none.
const STEPS_MAX: usize = 10_000;

/// What must be so, without doubt. It knows no *not*: a comparison that fails without doubt is the opposite one that holds.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::policy) enum Formula {
    /// All of these; none: always.
    All(Vec<Self>),
    /// One of these; none: never.
    Any(Vec<Self>),
    /// A comparison.
    Is(Subject, Test),
    /// Something of this name that nothing else has to do with: that it is so, or that it is not.
    Free(String, bool),
}

impl Formula {
    const NEVER: Self = Self::Any(Vec::new());

    /// That a condition holds, and nobody doubts it.
    pub(in crate::policy) fn holds(condition: &Condition) -> Self {
        Self::of(condition, true)
    }

    /// That it does not hold, and nobody doubts it.
    pub(in crate::policy) fn fails(condition: &Condition) -> Self {
        Self::of(condition, false)
    }

    fn of(condition: &Condition, holds: bool) -> Self {
        let parts = |parts: &[Condition]| parts.iter().map(|part| Self::of(part, holds)).collect();
        match (condition, holds) {
            (Condition::Not(part), _) => Self::of(part, !holds),
            (Condition::All(all), true) | (Condition::Any(all), false) => Self::all(parts(all)),
            (Condition::Any(any), true) | (Condition::All(any), false) => Self::any(parts(any)),
            (Condition::Is(subject, test), true) => Self::is(subject, tidy(test)),
            (Condition::Is(subject, test), false) => Self::is(subject, tidy(&opposite(test))),
        }
    }

    fn is(subject: &Subject, test: Test) -> Self {
        let is_moment = matches!(subject, Subject::Request(RequestFact::Time));
        match (subject, &test) {
            (_, Test::OneOf(operands)) if operands.is_empty() => Self::NEVER,
            // Of records and callers schedules say nothing.
            (_, Test::Inside(_) | Test::Outside(_)) if !is_moment => Self::NEVER,
            (Subject::Person(_), test) if !matches!(test, Test::OneOf(_) | Test::NoneOf(_)) => {
                Self::NEVER
            }
            _ => Self::Is(subject.clone(), test),
        }
    }

    fn all(parts: Vec<Self>) -> Self {
        let mut all = Vec::new();
        for part in parts {
            match part {
                Self::All(own) => all.extend(own),
                Self::Any(own) if own.is_empty() => return Self::NEVER,
                part => all.push(part),
            }
        }
        match sorted(all) {
            one if one.len() == 1 => one.into_iter().next().unwrap_or(Self::NEVER),
            all => Self::All(all),
        }
    }

    fn any(parts: Vec<Self>) -> Self {
        let mut any = Vec::new();
        for part in parts {
            match part {
                Self::Any(own) => any.extend(own),
                Self::All(own) if own.is_empty() => return Self::All(Vec::new()),
                part => any.push(part),
            }
        }
        match sorted(any) {
            one if one.len() == 1 => one.into_iter().next().unwrap_or(Self::NEVER),
            any => Self::Any(any),
        }
    }

    /// The same by the request alone, whatever the records are like: nobody knows them yet.
    pub(in crate::policy) fn without_records(self) -> Self {
        let parts = |parts: Vec<Self>| -> Vec<Self> {
            parts.into_iter().map(Self::without_records).collect()
        };
        match self {
            Self::All(all) => Self::all(parts(all)),
            Self::Any(any) => Self::any(parts(any)),
            Self::Is(Subject::Record(_) | Subject::Person(_) | Subject::RecordModule, _) => {
                Self::NEVER
            }
            one => one,
        }
    }

    /// The same with other comparisons.
    pub(in crate::policy) fn with(self, change: &dyn Fn(Subject, Test) -> Self) -> Self {
        let parts = |parts: Vec<Self>| -> Vec<Self> {
            parts.into_iter().map(|part| part.with(change)).collect()
        };
        match self {
            Self::All(all) => Self::all(parts(all)),
            Self::Any(any) => Self::any(parts(any)),
            Self::Is(subject, test) => change(subject, test),
            free @ Self::Free(..) => free,
        }
    }

    /// Whether both of these hold, or one of them does.
    pub(in crate::policy) fn joined(one: Self, other: Self, both: bool) -> Self {
        match both {
            true => Self::all(vec![one, other]),
            false => Self::any(vec![one, other]),
        }
    }

    /// Whether it holds whatever is so.
    pub(in crate::policy) fn is_always(&self) -> bool {
        matches!(self, Self::All(parts) if parts.is_empty())
    }

    /// The same text for the same meaning, as far as that is seen.
    pub(in crate::policy) fn key(&self) -> String {
        match self {
            Self::All(parts) => format!("all({})", keys(parts)),
            Self::Any(parts) => format!("any({})", keys(parts)),
            Self::Is(subject, Test::Inside(schedule)) => {
                format!("{subject:?} inside {}", hours(schedule))
            }
            Self::Is(subject, Test::Outside(schedule)) => {
                format!("{subject:?} outside {}", hours(schedule))
            }
            Self::Is(subject, test) => format!("{subject:?} {test:?}"),
            Self::Free(name, is) => format!("{name:?} is {is}"),
        }
    }

    /// Whether all of these can be so at once, as far as is cheap to see.
    pub(in crate::policy) fn can_hold(all: &[&Self]) -> bool {
        let mut steps = STEPS_MAX;
        let left = all.iter().map(|formula| (*formula, true)).collect();
        search(left, &mut Vec::new(), &mut steps)
    }

    /// Whether it can be that each of these holds without doubt, or does not, as far as is cheap to see.
    pub(in crate::policy) fn can_be(all: &[(&Self, bool)]) -> bool {
        let mut steps = STEPS_MAX;
        search(all.to_vec(), &mut Vec::new(), &mut steps)
    }

    /// Whether it can fail or be in doubt where all of these are so, as far as is cheap to see.
    pub(in crate::policy) fn can_lack(&self, others: &[&Self]) -> bool {
        let others = others.iter().map(|formula| (*formula, true));
        let mut steps = STEPS_MAX;
        let left = others.chain([(self, false)]).collect();
        search(left, &mut Vec::new(), &mut steps)
    }
}

/// A comparison, or something free, that holds without doubt, or does not.
#[derive(Clone, Copy)]
enum Signed<'f> {
    Is(&'f Subject, &'f Test, bool),
    Free(&'f str, bool, bool),
}

/// Looks for a choice among alternatives in which nothing contradicts anything.
fn search<'f>(
    mut left: Vec<(&'f Formula, bool)>,
    chosen: &mut Vec<Signed<'f>>,
    steps: &mut usize,
) -> bool {
    let begun = chosen.len();
    while let Some((next, is_so)) = left.pop() {
        *steps = steps.saturating_sub(1);
        if *steps == 0 {
            return true;
        }
        let leaf = match next {
            Formula::Is(subject, test) => Some(Signed::Is(subject, test, is_so)),
            Formula::Free(name, is) => Some(Signed::Free(name, *is, is_so)),
            Formula::All(_) | Formula::Any(_) => None,
        };
        if let Some(leaf) = leaf {
            if chosen.iter().any(|other| clash(leaf, *other)) {
                chosen.truncate(begun);
                return false;
            }
            chosen.push(leaf);
            continue;
        }
        match (next, is_so) {
            (Formula::Is(..) | Formula::Free(..), _) => {}
            (Formula::All(parts), true) | (Formula::Any(parts), false) => {
                left.extend(parts.iter().map(|part| (part, is_so)));
            }
            (Formula::Any(parts), true) | (Formula::All(parts), false) => {
                let found = parts.iter().any(|part| {
                    let mut left = left.clone();
                    left.push((part, is_so));
                    search(left, chosen, steps)
                });
                chosen.truncate(begun);
                return found;
            }
        }
    }
    chosen.truncate(begun);
    true
}

/// The comparison that holds where this one fails without doubt.
fn opposite(test: &Test) -> Test {
    match test.clone() {
        Test::OneOf(operands) => Test::NoneOf(operands),
        Test::NoneOf(operands) => Test::OneOf(operands),
        Test::LessThan(than) => Test::AtLeast(than),
        Test::AtLeast(least) => Test::LessThan(least),
        Test::AtMost(most) => Test::GreaterThan(most),
        Test::GreaterThan(than) => Test::AtMost(than),
        Test::Before(time) => Test::After(time),
        Test::After(time) => Test::Before(time),
        Test::OlderThan(span) => Test::NewerThan(span),
        Test::NewerThan(span) => Test::OlderThan(span),
        Test::Inside(schedule) => Test::Outside(schedule),
        Test::Outside(schedule) => Test::Inside(schedule),
        Test::Blank(blank) => Test::Blank(!blank),
    }
}

/// The order in which operands stand, and how often, means nothing.
fn tidy(test: &Test) -> Test {
    let tidied = |operands: &[Operand]| {
        let mut operands = operands.to_vec();
        operands.sort_by_key(|operand| format!("{operand:?}"));
        operands.dedup();
        operands
    };
    match test {
        Test::OneOf(operands) => Test::OneOf(tidied(operands)),
        Test::NoneOf(operands) => Test::NoneOf(tidied(operands)),
        test => test.clone(),
    }
}

/// Whether two comparisons cannot be so at once.
fn clash(one: Signed<'_>, other: Signed<'_>) -> bool {
    let ((subject, one, is_so), (of, other, is_other_so)) = match (one, other) {
        (Signed::Is(subject, one, is_so), Signed::Is(of, other, is_other_so)) => {
            ((subject, one, is_so), (of, other, is_other_so))
        }
        (Signed::Free(name, one, is_so), Signed::Free(of, other, is_other_so)) => {
            let contradict = match one == other {
                true => is_so != is_other_so,
                false => is_so && is_other_so,
            };
            return name == of && contradict;
        }
        _ => return false,
    };
    subject == of
        && match (is_so, is_other_so) {
            (true, true) => excludes(subject, one, other) || excludes(subject, other, one),
            (true, false) => is_within(one, other),
            (false, true) => is_within(other, one),
            (false, false) => false,
        }
}

fn excludes(subject: &Subject, one: &Test, other: &Test) -> bool {
    match (one, other) {
        (Test::OneOf(some), Test::NoneOf(none)) => some.iter().all(|some| none.contains(some)),
        (Test::OneOf(some), Test::OneOf(others)) => {
            let differ = |some: &Operand| others.iter().all(|other| are_other(some, other));
            is_single(subject) && some.iter().all(differ)
        }
        (Test::OneOf(some), Test::Blank(true)) => !some.iter().any(may_be_blank),
        (Test::Blank(one), Test::Blank(other)) => one != other,
        (Test::Before(until), Test::After(from)) => until <= from,
        (Test::OlderThan(one), Test::NewerThan(other)) => one == other,
        (Test::Inside(one), Test::Outside(other)) => hours(one) == hours(other),
        (Test::LessThan(one), Test::AtLeast(other) | Test::GreaterThan(other))
        | (Test::AtMost(one), Test::GreaterThan(other)) => one == other,
        _ => false,
    }
}

/// Whether one comparison holds wherever another one does.
fn is_within(one: &Test, other: &Test) -> bool {
    match (one, other) {
        // Of a caller nobody may know that: then nobody knows the rest either.
        (Test::OneOf(some), Test::OneOf(more)) => {
            let is_known = |one: &Operand| matches!(one, Operand::Literal(_)) || some.contains(one);
            some.iter().all(|some| more.contains(some)) && more.iter().all(is_known)
        }
        (Test::NoneOf(more), Test::NoneOf(some)) => some.iter().all(|some| more.contains(some)),
        (Test::Before(one), Test::Before(other)) => one <= other,
        (Test::After(one), Test::After(other)) => one >= other,
        (Test::Inside(one), Test::Inside(other)) | (Test::Outside(one), Test::Outside(other)) => {
            hours(one) == hours(other)
        }
        (Test::LessThan(one), Test::AtMost(other))
        | (Test::GreaterThan(one), Test::AtLeast(other)) => one == other,
        (one, other) => one == other,
    }
}

/// Whether it is one thing: of several, each may compare in its own way.
fn is_single(subject: &Subject) -> bool {
    !matches!(
        subject,
        Subject::Caller(CallerFact::Roles | CallerFact::Teams)
    )
}

/// Whether nothing equals both. Numbers have many spellings, and texts may spell numbers.
fn are_other(one: &Operand, other: &Operand) -> bool {
    match (one, other) {
        (Operand::Literal(Scalar::Text(one)), Operand::Literal(Scalar::Text(other))) => {
            one != other
        }
        (Operand::Literal(Scalar::Bool(one)), Operand::Literal(Scalar::Bool(other))) => {
            one != other
        }
        _ => false,
    }
}

fn may_be_blank(operand: &Operand) -> bool {
    match operand {
        Operand::Literal(Scalar::Text(text)) => text.is_empty(),
        Operand::Literal(_) => false,
        Operand::Caller(_) => true,
    }
}

/// What a schedule means, whatever it is called.
fn hours(schedule: &Schedule) -> String {
    let zone = match schedule.zone.iana_name() {
        Some(name) => name.to_owned(),
        None => format!("{:?}", schedule.zone),
    };
    let (days, window, except) = (schedule.days, schedule.window, &schedule.except);
    format!("{days:?} {window:?} {zone} {except:?}")
}

fn keys(parts: &[Formula]) -> String {
    let keys: Vec<String> = parts.iter().map(Formula::key).collect();
    keys.join(", ")
}

fn sorted(mut parts: Vec<Formula>) -> Vec<Formula> {
    parts.sort_by_cached_key(Formula::key);
    parts.dedup_by_key(|part| part.key());
    parts
}

#[cfg(test)]
mod tests;
