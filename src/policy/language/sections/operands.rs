//! Operands of conditions: values, something of the caller, moments and spans of time.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, SpanFieldwise, Timestamp};

use crate::condition::{CallerFact, Operand, RequestFact, Scalar, Subject};
use crate::diagnostic::{Diagnostic, Diagnostics, Form, Node, NodeKind, Place, quoted};
use crate::vocabulary::Action;

use super::super::codes;
use super::evidence;

/// Characters of a value.
const VALUE_CHARACTERS_MAX: usize = 500;
/// Characters of a number.
const NUMBER_CHARACTERS_MAX: usize = 64;

/// A problem with what something is compared with.
pub(super) fn bad(title: impl Into<String>, place: &Place, label: &str) -> Diagnostic {
    Diagnostic::error(codes::BAD_CONDITION, title).at(place, label)
}

/// With what a subject compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// Any value, or something of the caller.
    Values,
    /// Texts that the CRM chose.
    Texts,
    /// Words for what requests do.
    Actions,
    /// Names that the policy declares.
    Names,
    /// Yes or no.
    Truths,
}

impl Of {
    pub(super) fn subject(subject: &Subject) -> Self {
        match subject {
            Subject::Record(_) => Self::Values,
            Subject::Caller(CallerFact::Roles)
            | Subject::Request(RequestFact::Module)
            | Subject::RecordModule => Self::Names,
            Subject::Caller(_) => Self::Texts,
            Subject::Request(_) => Self::Actions,
            Subject::Person(_) => Self::Truths,
        }
    }
}

/// What something is compared with.
pub(super) fn operand(of: Of, node: &Node, found: &mut Diagnostics) -> Option<Operand> {
    const ACTIONS: &[(&str, Action)] = &[
        ("list", Action::List),
        ("read", Action::Read),
        ("count", Action::Count),
        ("create", Action::Create),
        ("update", Action::Update),
        ("delete", Action::Delete),
        ("relate", Action::Relate),
    ];
    let scalar = match of {
        Of::Values if matches!(node.kind, NodeKind::Map(_)) => return caller(node, found),
        Of::Values => value(node, found)?,
        Of::Texts | Of::Names => text(node, found)?,
        Of::Actions => {
            let action = node.choice("action", ACTIONS, found)?;
            Scalar::Text(action.as_str().to_owned())
        }
        Of::Truths => Scalar::Bool(node.boolean("what is known of persons", found)?),
    };
    Some(Operand::Literal(scalar))
}

/// `{ caller: id }`.
fn caller(node: &Node, found: &mut Diagnostics) -> Option<Operand> {
    const FORM: Form = Form {
        what: "what a field is compared with",
        known: &["caller"],
        refused: &[],
    };
    const FACTS: &[(&str, CallerFact)] = &[
        ("id", CallerFact::Id),
        ("name", CallerFact::Name),
        ("type", CallerFact::Type),
        ("roles", CallerFact::Roles),
        ("teams", CallerFact::Teams),
    ];
    let keys = FORM.read(node, found)?;
    // Of a map with another key that was told.
    if node.map(FORM.what, found).is_some_and(<[_]>::is_empty) {
        keys.require("caller", found);
    }
    let fact = keys.get("caller")?;
    let fact = fact.choice("fact of the caller", FACTS, found)?;
    Some(Operand::Caller(fact))
}

fn value(node: &Node, found: &mut Diagnostics) -> Option<Scalar> {
    match node.kind {
        NodeKind::Bool(is) => Some(Scalar::Bool(is)),
        NodeKind::Int(_) | NodeKind::Float(_) => number(node, found),
        NodeKind::Null if node.fault.is_none() => {
            found.push(
                bad("a comparison with nothing", &node.place, "no value")
                    .help("whether a field holds nothing is asked by `blank: true`"),
            );
            None
        }
        _ => text(node, found),
    }
}

/// A text that is compared exactly with what a CRM says.
fn text(node: &Node, found: &mut Diagnostics) -> Option<Scalar> {
    let text = node.verbatim("a value", found)?;
    if text.value.chars().count() > VALUE_CHARACTERS_MAX {
        let label = format!("at most {VALUE_CHARACTERS_MAX} characters");
        found.push(bad("a value is too long", &text.place, &label));
        return None;
    }
    if !text.value.is_empty() {
        found.push_any(evidence::problem("a value", &text));
    }
    Some(Scalar::Text(text.value.to_owned()))
}

/// A number, as it is written: nothing is rounded.
pub(super) fn number(node: &Node, found: &mut Diagnostics) -> Option<Scalar> {
    let written = match node.kind {
        NodeKind::Int(number) => Some(number.to_string()),
        NodeKind::Float(_) => {
            let raw = node.place.file.text().get(node.place.span.clone());
            raw.filter(|raw| is_decimal(raw)).map(str::to_owned)
        }
        _ => None,
    };
    if written.is_none() && node.fault.is_none() {
        found.push(
            bad("this compares with a number", &node.place, "not a plain number")
                .help("write it in digits, such as `1000` or `12.5`; times compare by `before` and `after`"),
        );
    }
    written.map(Scalar::Number)
}

fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.len() <= NUMBER_CHARACTERS_MAX && are_digits(whole) && are_digits(part)
}

/// A day, which is its beginning in UTC, or a time with its zone (RFC 3339).
pub(super) fn moment(node: &Node, found: &mut Diagnostics) -> Option<Timestamp> {
    let text = node.text("a time", found)?;
    let day = match text.value.len() {
        10 => text.value.parse::<Date>().ok(),
        _ => None,
    };
    let day = day.and_then(|day| day.to_zoned(TimeZone::UTC).ok());
    let moment = day
        .map(|day| day.timestamp())
        .or_else(|| text.value.parse::<Timestamp>().ok());
    if moment.is_none() {
        let title = format!("{} is not a time", quoted(text.value));
        let label = "must be of the form 2026-01-31 or 2026-01-31T08:00:00Z";
        found.push(Diagnostic::error(codes::BAD_DATE, title).at(&text.place, label));
    }
    moment
}

/// A span of time with its unit: `3y`, `6mo`, `2w`, `30d`, `12h`, `15m`; at most a hundred years.
pub(super) fn span(node: &Node, what: &str, found: &mut Diagnostics) -> Option<SpanFieldwise> {
    let text = match &node.kind {
        NodeKind::Str(text) => text.as_str(),
        _ => "",
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number = number.parse::<i64>().ok().filter(|number| *number > 0);
    let span = number.and_then(|number| of_unit(number, unit));
    if span.is_none() && node.fault.is_none() {
        let title = format!("{what} must be a span of time such as `3y`, `6mo` or `30d`");
        found.push(
            Diagnostic::error("Y014", title)
                .at(
                    &node.place,
                    "not a number with its unit, up to a hundred years",
                )
                .help("units: y, mo (months), w, d, h, m (minutes)"),
        );
    }
    span.map(Span::fieldwise)
}

/// Makes so many of a unit.
type Counts = fn(Span, i64) -> Result<Span, jiff::Error>;

fn of_unit(number: i64, unit: &str) -> Option<Span> {
    const YEARS_MAX: i64 = 100;
    let (most, span): (i64, Counts) = match unit {
        "y" => (1, Span::try_years),
        "mo" => (12, Span::try_months),
        "w" => (52, Span::try_weeks),
        "d" => (365, Span::try_days),
        "h" => (365 * 24, Span::try_hours),
        "m" => (365 * 24 * 60, Span::try_minutes),
        _ => return None,
    };
    let fits = number <= most.saturating_mul(YEARS_MAX);
    fits.then(|| span(Span::new(), number).ok()).flatten()
}
