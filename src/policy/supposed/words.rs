//! What is supposed, in words; and conditions as a policy writes them.

use std::fmt;

use crate::condition::{
    CallerFact, Condition, Operand, PersonFact, RequestFact, Scalar, Subject, Test,
};
use crate::vocabulary::RuleName;

use super::Assumed;

impl Assumed {
    /// It, in English or in French.
    pub fn words(&self, is_french: bool) -> String {
        let listed = |names: &[RuleName]| {
            let names = names.iter().map(|name| name.as_str());
            let names =
                names.map(|name| name.strip_prefix(crate::policy::EXCEPTION).unwrap_or(name));
            let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
            names.join(if is_french { " et " } else { " and " })
        };
        match (self, is_french) {
            (Self::Holds(rules), false) => format!("where {} holds", listed(rules)),
            (Self::Holds(rules), true) => format!("là où {} est remplie", listed(rules)),
            (Self::Fails(rules), false) => format!("where {} does not hold", listed(rules)),
            (Self::Fails(rules), true) => format!("là où {} n'est pas remplie", listed(rules)),
            (Self::InForce { names, from, until }, false) => {
                let days = days([from, until], ["from", "until"]);
                let (what, are) = match names.len() {
                    1 => ("exception", "is"),
                    _ => ("exceptions", "are"),
                };
                format!("while {what} {} {are} in force{days}", listed(names))
            }
            (Self::InForce { names, from, until }, true) => {
                let days = days([from, until], ["du", "au"]);
                let (what, are) = match names.len() {
                    1 => ("l’exception", "est"),
                    _ => ("les exceptions", "sont"),
                };
                format!("tant que {what} {} {are} en vigueur{days}", listed(names))
            }
            (Self::Expired(names), false) => format!("without exception {}", listed(names)),
            (Self::Expired(names), true) => format!("sans l'exception {}", listed(names)),
            (Self::Inside(schedule), false) => format!("inside `{schedule}`"),
            (Self::Inside(schedule), true) => format!("pendant `{schedule}`"),
            (Self::Outside(schedule), false) => format!("outside `{schedule}`"),
            (Self::Outside(schedule), true) => format!("hors de `{schedule}`"),
            (Self::Unknown(rules), false) => {
                format!("where nobody knows whether {} holds", listed(rules))
            }
            (Self::Unknown(rules), true) => {
                format!("là où nul ne sait si {} est remplie", listed(rules))
            }
            (Self::By { new, what }, _) => by(*new, &what.words(is_french), is_french),
            (Self::Either(all), _) => either(all, is_french),
            (Self::Perhaps, false) => "and perhaps elsewhere".to_owned(),
            (Self::Perhaps, true) => "et peut-être ailleurs".to_owned(),
        }
    }
}

impl fmt::Display for Assumed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words(false))
    }
}

fn by(is_new: bool, what: &str, is_french: bool) -> String {
    match (is_new, is_french) {
        (false, false) => format!("{what} by the old policy"),
        (true, false) => format!("{what} by the new policy"),
        (false, true) => format!("{what} selon l’ancienne politique"),
        (true, true) => format!("{what} selon la nouvelle politique"),
    }
}

fn either(all: &[Vec<Assumed>], is_french: bool) -> String {
    let [and, or] = match is_french {
        false => [" and ", ", or "],
        true => [" et ", ", ou "],
    };
    let one = |parts: &Vec<Assumed>| {
        let parts = parts.iter().map(|part| part.words(is_french));
        parts.collect::<Vec<_>>().join(and)
    };
    all.iter().map(one).collect::<Vec<_>>().join(or)
}

fn days(ends: [&Option<jiff::Timestamp>; 2], words: [&str; 2]) -> String {
    let of = |(end, word): (&Option<jiff::Timestamp>, &str)| {
        end.map(|end| format!("{word} {}", minute(end)))
    };
    let told: Vec<String> = ends.into_iter().zip(words).filter_map(of).collect();
    match told.is_empty() {
        true => String::new(),
        false => format!(" ({})", told.join(" ")),
    }
}

/// A moment, to the minute, in UTC; a day, where it is the beginning of one.
fn minute(moment: jiff::Timestamp) -> String {
    let text = moment.strftime("%Y-%m-%dT%H:%MZ").to_string();
    match text.strip_suffix("T00:00Z") {
        Some(day) => day.to_owned(),
        None => text,
    }
}

/// A condition as a policy would write it, on one line.
pub(in crate::policy) fn condition(condition: &Condition) -> String {
    let list = |parts: &[Condition]| {
        let parts: Vec<String> = parts.iter().map(self::condition).collect();
        parts.join(", ")
    };
    match condition {
        Condition::All(parts) => format!("{{ all: [{}] }}", list(parts)),
        Condition::Any(parts) => format!("{{ any: [{}] }}", list(parts)),
        Condition::Not(part) => format!("{{ not: {} }}", self::condition(part)),
        Condition::Is(subject, test) => {
            format!(
                "{{ {}: {{ {} }} }}",
                self::subject(subject),
                self::test(test)
            )
        }
    }
}

fn subject(subject: &Subject) -> String {
    match subject {
        Subject::Record(field) => format!("record.{field}"),
        Subject::Caller(fact) => format!("caller.{}", caller(*fact)),
        Subject::Request(RequestFact::Time) => "request.time".to_owned(),
        Subject::Request(RequestFact::Action) => "request.action".to_owned(),
        Subject::Request(RequestFact::Module) => "request.module".to_owned(),
        Subject::Person(PersonFact::Consented) => "person.consented".to_owned(),
        Subject::Person(PersonFact::Objected) => "person.objected".to_owned(),
        Subject::Person(PersonFact::Restricted) => "person.restricted".to_owned(),
        Subject::RecordModule => "the record's module".to_owned(),
    }
}

fn caller(fact: CallerFact) -> &'static str {
    match fact {
        CallerFact::Id => "id",
        CallerFact::Name => "name",
        CallerFact::Type => "type",
        CallerFact::Roles => "roles",
        CallerFact::Teams => "teams",
    }
}

fn test(test: &Test) -> String {
    match test {
        Test::OneOf(operands) => several(operands, ["equals", "in"]),
        Test::NoneOf(operands) => several(operands, ["not_equals", "not_in"]),
        Test::LessThan(than) => format!("less_than: {}", scalar(than)),
        Test::AtMost(most) => format!("at_most: {}", scalar(most)),
        Test::GreaterThan(than) => format!("greater_than: {}", scalar(than)),
        Test::AtLeast(least) => format!("at_least: {}", scalar(least)),
        Test::Before(time) => format!("before: {}", minute(*time)),
        Test::After(time) => format!("after: {}", minute(*time)),
        Test::OlderThan(span) => format!("older_than: {}", span.0),
        Test::NewerThan(span) => format!("newer_than: {}", span.0),
        Test::Inside(schedule) => format!("inside: {}", schedule.name),
        Test::Outside(schedule) => format!("outside: {}", schedule.name),
        Test::Blank(blank) => format!("blank: {blank}"),
    }
}

fn several(operands: &[Operand], [one, more]: [&str; 2]) -> String {
    let operand = |operand: &Operand| match operand {
        Operand::Literal(literal) => scalar(literal),
        Operand::Caller(fact) => format!("{{ caller: {} }}", caller(*fact)),
    };
    match operands {
        [only] => format!("{one}: {}", operand(only)),
        operands => {
            let operands: Vec<String> = operands.iter().map(operand).collect();
            format!("{more}: [{}]", operands.join(", "))
        }
    }
}

fn scalar(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Text(text) => text.clone(),
        Scalar::Number(number) => number.clone(),
        Scalar::Bool(is) => is.to_string(),
    }
}
