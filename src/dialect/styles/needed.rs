//! What must hold of records, as a predicate that an API can say.
//!
//! The API must select all records of which it holds. Where it cannot say a part, it is asked for more, and it is told that
//! it was. Negations are pushed down to the comparisons, which is exact among three answers; what nobody knows is a no.
//! Databases take texts for the same that differ in case: a record more or less is selected then, and none more is shown.

use jiff::Timestamp;
use serde_json::Value;

use crate::condition::{FieldTest, Resolved, Scalar};
use crate::dialect::{Predicate, ValueType};
use crate::vocabulary::Field;

/// How a field compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dialect) enum Sign {
    /// It is this.
    Is,
    /// It is not this. Where it holds nothing, nobody needs to know.
    IsNot,
    Less,
    AtMost,
    Greater,
    AtLeast,
    /// It holds nothing at all.
    Null,
    NotNull,
    /// It holds nothing, or a blank text.
    Empty,
    NotEmpty,
    True,
    False,
}

/// What an API can say of the fields of a module.
pub(in crate::dialect) trait Says {
    /// A comparison of a field with a value; `null` where the sign says all.
    fn compare(&self, field: &Field, sign: Sign, value: Value) -> Option<Predicate>;

    /// A comparison with several values, of which one is the field's, or none.
    fn compare_all(&self, _field: &Field, _is_one: bool, _values: &[Value]) -> Option<Predicate> {
        None
    }

    /// What values of a field are.
    fn kind(&self, field: &Field) -> Option<ValueType>;

    /// A moment, as the API compares the field with it: what is before it is before the moment, and nothing else is.
    fn moment(&self, field: &Field, time: Timestamp) -> Option<Value>;
}

/// What can be said of what is needed.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::dialect) struct Said {
    pub(in crate::dialect) which: Which,
    /// Whether it says all that is needed.
    pub(in crate::dialect) is_exact: bool,
}

/// Which records are meant.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::dialect) enum Which {
    Every,
    None,
    Those(Predicate),
}

impl Said {
    const EVERY: Self = Self {
        which: Which::Every,
        is_exact: true,
    };
    const NONE: Self = Self {
        which: Which::None,
        is_exact: true,
    };
    /// More is asked for than is needed.
    const UNSAID: Self = Self {
        which: Which::Every,
        is_exact: false,
    };

    fn of(predicate: Option<Predicate>) -> Self {
        predicate.map_or(Self::UNSAID, |predicate| Self {
            which: Which::Those(predicate),
            is_exact: true,
        })
    }
}

/// What an API can say of what is needed.
pub(in crate::dialect) fn said(needed: &Resolved, says: &dyn Says) -> Said {
    part(needed, false, says)
}

fn part(needed: &Resolved, is_negated: bool, says: &dyn Says) -> Said {
    let parts = |parts: &[Resolved], are_all: bool| {
        let parts = parts.iter().map(|one| part(one, is_negated, says));
        joined(parts, are_all != is_negated)
    };
    match needed {
        Resolved::All(all) => parts(all, true),
        Resolved::Any(any) => parts(any, false),
        Resolved::Not(one) => part(one, !is_negated, says),
        Resolved::Known(known) => match known.map(|holds| holds != is_negated) {
            Some(true) => Said::EVERY,
            Some(false) | None => Said::NONE,
        },
        Resolved::Person(_) => Said::UNSAID,
        Resolved::Field(field, test) if is_negated => compared(field, &opposite(test), says),
        Resolved::Field(field, test) => compared(field, test, says),
    }
}

/// Several parts, of which all hold, or one.
fn joined(parts: impl Iterator<Item = Said>, are_all: bool) -> Said {
    let (decides, neutral) = match are_all {
        true => (Which::None, Which::Every),
        false => (Which::Every, Which::None),
    };
    let (mut left, mut is_exact, mut is_decided) = (Vec::new(), true, false);
    for part in parts {
        if part.which == decides && part.is_exact {
            return part;
        }
        is_exact &= part.is_exact;
        is_decided |= part.which == decides;
        match part.which {
            Which::Those(predicate) => left.push(predicate),
            Which::Every | Which::None => {}
        }
    }
    let which = match left.len() {
        _ if is_decided => decides,
        0 => neutral,
        1 => Which::Those(left.remove(0)),
        _ if are_all => Which::Those(Predicate::All(flattened(left, true))),
        _ => Which::Those(Predicate::Any(flattened(left, false))),
    };
    Said { which, is_exact }
}

/// Parts of parts that are joined in the same way stand beside the others.
pub(in crate::dialect) fn flattened(parts: Vec<Predicate>, are_all: bool) -> Vec<Predicate> {
    let mut flat = Vec::new();
    for part in parts {
        match part {
            Predicate::All(inner) if are_all => flat.extend(inner),
            Predicate::Any(inner) if !are_all => flat.extend(inner),
            part => flat.push(part),
        }
    }
    flat
}

fn opposite(test: &FieldTest) -> FieldTest {
    match test.clone() {
        FieldTest::OneOf(scalars) => FieldTest::NoneOf(scalars),
        FieldTest::NoneOf(scalars) => FieldTest::OneOf(scalars),
        FieldTest::LessThan(than) => FieldTest::AtLeast(than),
        FieldTest::AtLeast(least) => FieldTest::LessThan(least),
        FieldTest::AtMost(most) => FieldTest::GreaterThan(most),
        FieldTest::GreaterThan(than) => FieldTest::AtMost(than),
        FieldTest::Before(time) => FieldTest::After(time),
        FieldTest::After(time) => FieldTest::Before(time),
        FieldTest::Blank(blank) => FieldTest::Blank(!blank),
    }
}

fn compared(field: &Field, test: &FieldTest, says: &dyn Says) -> Said {
    match test {
        FieldTest::OneOf(scalars) => one_of(field, scalars, says),
        FieldTest::NoneOf(scalars) => none_of(field, scalars, says),
        FieldTest::LessThan(than) => ordered(field, Sign::Less, than, says),
        FieldTest::AtMost(most) => ordered(field, Sign::AtMost, most, says),
        FieldTest::GreaterThan(than) => ordered(field, Sign::Greater, than, says),
        FieldTest::AtLeast(least) => ordered(field, Sign::AtLeast, least, says),
        FieldTest::Before(time) => timed(field, Sign::Less, *time, says),
        FieldTest::After(time) => timed(field, Sign::AtLeast, *time, says),
        FieldTest::Blank(blank) => blank_or_not(field, *blank, says),
    }
}

/// Texts and numbers that are named; whether a blank is; and truth values.
fn sorted(scalars: &[Scalar]) -> (Vec<&Scalar>, bool, Vec<bool>) {
    let (mut named, mut has_blank, mut flags) = (Vec::new(), false, Vec::new());
    for scalar in scalars {
        match scalar {
            Scalar::Text(text) if text.is_empty() => has_blank = true,
            Scalar::Bool(is) => flags.push(*is),
            other => named.push(other),
        }
    }
    (named, has_blank, flags)
}

fn one_of(field: &Field, scalars: &[Scalar], says: &dyn Says) -> Said {
    let (named, has_blank, flags) = sorted(scalars);
    let mut parts: Vec<Said> = flags.iter().map(|is| flag(field, *is, says)).collect();
    if has_blank {
        parts.push(blank_or_not(field, true, says));
    }
    if !named.is_empty() {
        parts.push(listed(field, &named, true, says));
    }
    joined(parts.into_iter(), false)
}

fn none_of(field: &Field, scalars: &[Scalar], says: &dyn Says) -> Said {
    let (named, has_blank, flags) = sorted(scalars);
    let mut parts: Vec<Said> = flags.iter().map(|is| flag(field, !is, says)).collect();
    if !named.is_empty() {
        parts.push(listed(field, &named, false, says));
    }
    if has_blank {
        parts.push(blank_or_not(field, false, says));
        return joined(parts.into_iter(), true);
    }
    if parts.is_empty() {
        return Said::EVERY;
    }
    let none = joined(parts.into_iter(), true);
    if !scalars.iter().all(|one| matches!(one, Scalar::Text(_))) {
        // How what holds nothing stands to numbers and truth values, nobody knows.
        return none;
    }
    // What holds nothing is none of the texts; databases do not say so.
    let null = Said::of(says.compare(field, Sign::Null, Value::Null));
    joined([null, none].into_iter(), false)
}

/// A field that is one of these, or none.
fn listed(field: &Field, named: &[&Scalar], is_one: bool, says: &dyn Says) -> Said {
    let has_number = named.iter().any(|one| matches!(one, Scalar::Number(_)));
    if has_number && is_text(says.kind(field)) {
        // `5.0` is the number 5, and another text.
        return Said::UNSAID;
    }
    let values: Option<Vec<Value>> = named.iter().map(|scalar| value(scalar)).collect();
    let Some(values) = values else {
        return Said::UNSAID;
    };
    if values.len() > 1
        && let Some(predicate) = says.compare_all(field, is_one, &values)
    {
        return Said::of(Some(predicate));
    }
    let sign = if is_one { Sign::Is } else { Sign::IsNot };
    let values = values.into_iter();
    let parts = values.map(|value| Said::of(says.compare(field, sign, value)));
    joined(parts, !is_one)
}

fn flag(field: &Field, is: bool, says: &dyn Says) -> Said {
    match says.kind(field) {
        None | Some(ValueType::Flag | ValueType::Number) => {
            let sign = if is { Sign::True } else { Sign::False };
            Said::of(says.compare(field, sign, Value::Null))
        }
        Some(_) => Said::UNSAID,
    }
}

fn ordered(field: &Field, sign: Sign, scalar: &Scalar, says: &dyn Says) -> Said {
    match scalar {
        Scalar::Number(_) if !is_text(says.kind(field)) => {
            Said::of(value(scalar).and_then(|value| says.compare(field, sign, value)))
        }
        // Databases put texts into an order of their own.
        Scalar::Number(_) | Scalar::Text(_) => Said::UNSAID,
        // Nothing is less than a yes, nor more.
        Scalar::Bool(_) => Said::NONE,
    }
}

fn timed(field: &Field, sign: Sign, time: Timestamp, says: &dyn Says) -> Said {
    match says.kind(field) {
        None | Some(ValueType::Date) => {
            let moment = says.moment(field, time);
            Said::of(moment.and_then(|moment| says.compare(field, sign, moment)))
        }
        Some(_) => Said::UNSAID,
    }
}

fn blank_or_not(field: &Field, is_blank: bool, says: &dyn Says) -> Said {
    let (null, empty, with_blank) = match is_blank {
        true => (Sign::Null, Sign::Empty, Sign::Is),
        false => (Sign::NotNull, Sign::NotEmpty, Sign::IsNot),
    };
    let compare = |sign, value| Said::of(says.compare(field, sign, value));
    match says.kind(field) {
        Some(ValueType::Number | ValueType::Flag | ValueType::Date) => compare(null, Value::Null),
        kind => {
            let own = compare(empty, Value::Null);
            match kind {
                _ if own.is_exact => own,
                // To a number, a blank text is 0; to a date it is an error.
                None => Said::UNSAID,
                Some(_) => {
                    let parts = [compare(null, Value::Null), compare(with_blank, "".into())];
                    joined(parts.into_iter(), !is_blank)
                }
            }
        }
    }
}

fn is_text(kind: Option<ValueType>) -> bool {
    matches!(kind, Some(ValueType::Text | ValueType::Choice))
}

fn value(scalar: &Scalar) -> Option<Value> {
    match scalar {
        Scalar::Text(text) => Some(text.as_str().into()),
        Scalar::Number(number) => Some(Value::Number(number.parse().ok()?)),
        Scalar::Bool(is) => Some((*is).into()),
    }
}

/// The first whole unit of so many seconds that is not before a moment, and its text in UTC: `2026-12-01 12:00:00`.
pub(in crate::dialect) fn moment(time: Timestamp, seconds: i64, form: &str) -> Option<Value> {
    let whole = time.as_nanosecond().div_euclid(NANOSECONDS);
    let is_whole = time.as_nanosecond().rem_euclid(NANOSECONDS) == 0;
    let second = i64::try_from(whole).ok()? + i64::from(!is_whole);
    let up = second.rem_euclid(seconds);
    let second = match up {
        0 => second,
        _ => second.checked_add(seconds - up)?,
    };
    let civil = Timestamp::from_second(second).ok()?.to_zoned(UTC);
    // Before, not every database counts years alike.
    (civil.year() >= YEAR_MIN).then(|| civil.strftime(form).to_string().into())
}

const NANOSECONDS: i128 = 1_000_000_000;
const YEAR_MIN: i16 = 1_000;
const UTC: jiff::tz::TimeZone = jiff::tz::TimeZone::UTC;
