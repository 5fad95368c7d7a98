use std::collections::BTreeSet;

use jiff::civil::{Weekday, date, time};
use jiff::tz::TimeZone;
use serde_json::json;

use super::*;

struct Record(Value);

impl Facts for Record {
    fn field(&mut self, field: &Field) -> Option<Value> {
        self.0.get(field.as_str()).cloned()
    }

    fn person(&mut self, _: PersonFact) -> Option<bool> {
        None
    }
}

fn asker<'a>(roles: &'a BTreeSet<crate::vocabulary::Role>, teams: &'a [String]) -> Asker<'a> {
    Asker {
        id: Some("u1"),
        name: Some("sally"),
        kind: None,
        roles,
        teams: Some(teams),
        now: "2026-12-01T12:00:00Z".parse().unwrap(),
        action: Some(Action::List),
        module: None,
    }
}

fn of_field(name: &str, test: Test) -> Condition {
    Condition::Is(Subject::Record(Field::fold(name)), test)
}

fn holds(condition: &Condition, record: Value) -> Option<bool> {
    let (roles, teams) = (BTreeSet::new(), vec!["east".to_owned()]);
    condition
        .resolve(&asker(&roles, &teams))
        .holds(&mut Record(record))
}

#[test]
fn what_is_missing_or_of_another_type_is_neither_yes_nor_no() {
    let mine = of_field("owner", Test::OneOf(vec![Operand::Caller(CallerFact::Id)]));
    assert_eq!(holds(&mine, json!({"owner": "u1"})), Some(true));
    assert_eq!(holds(&mine, json!({"owner": "u2"})), Some(false));
    assert_eq!(holds(&mine, json!({"owner": null})), Some(false));
    assert_eq!(holds(&mine, json!({"owner": ["u1"]})), None);
    assert_eq!(holds(&mine, json!({})), None);
    let not = Condition::Not(Box::new(mine.clone()));
    assert_eq!(holds(&not, json!({})), None);
    // One that does not hold decides, whatever nobody knows.
    let east = of_field(
        "team",
        Test::OneOf(vec![Operand::Caller(CallerFact::Teams)]),
    );
    let both = Condition::All(vec![mine.clone(), east.clone()]);
    assert_eq!(holds(&both, json!({"team": "west"})), Some(false));
    assert_eq!(holds(&both, json!({"team": "east"})), None);
    let either = Condition::Any(vec![mine, east]);
    assert_eq!(holds(&either, json!({"team": "east"})), Some(true));
    assert_eq!(holds(&either, json!({"team": "west"})), None);
    // Of a caller of whom nobody knows the type, nothing is known.
    let kind = of_field("kind", Test::OneOf(vec![Operand::Caller(CallerFact::Type)]));
    assert_eq!(holds(&kind, json!({"kind": ""})), None);
}

#[test]
fn numbers_are_compared_as_they_are_written_and_never_rounded() {
    let least = |number: &str| of_field("sum", Test::AtLeast(Scalar::Number(number.to_owned())));
    for (sum, number, expected) in [
        (
            json!("9007199254740993.000000"),
            "9007199254740992.5",
            Some(true),
        ),
        (
            json!("9007199254740992.49"),
            "9007199254740992.5",
            Some(false),
        ),
        (json!(-0), "0", Some(true)),
        (json!("-2"), "-10", Some(true)),
        (json!("0002.50"), "2.5", Some(true)),
        (json!("1e3"), "1", None),
        (json!(true), "1", None),
        (json!(""), "1", None),
    ] {
        assert_eq!(
            holds(&least(number), json!({"sum": sum})),
            expected,
            "{sum} {number}"
        );
    }
}

#[test]
fn times_are_those_of_every_usual_notation() {
    let old = of_field(
        "last",
        Test::OlderThan(jiff::SpanFieldwise(jiff::Span::new().years(3))),
    );
    for (last, expected) in [
        (json!("2023-12-01T11:59:59Z"), Some(true)),
        (json!("2023-12-01 12:00:00"), Some(false)),
        (json!("2023-12-01T13:59:59+02:00"), Some(true)),
        (json!("2023-12-01"), Some(true)),
        (json!("2023-12-02"), Some(false)),
        (json!("yesterday"), None),
        (json!(null), None),
    ] {
        assert_eq!(holds(&old, json!({"last": last})), expected, "{last}");
    }
}

#[test]
fn what_holds_nothing_is_no_number_and_neither_true_nor_false() {
    let text = |text: &str| Scalar::Text(text.to_owned());
    let number = Scalar::Number("1".to_owned());
    for (scalars, expected) in [
        (vec![Scalar::Bool(true)], None),
        (vec![Scalar::Bool(false)], None),
        (vec![number.clone()], None),
        (vec![text("vip"), number], None),
        (vec![text("vip")], Some(false)),
        (vec![text(""), Scalar::Bool(true)], Some(true)),
    ] {
        let operands: Vec<Operand> = scalars.into_iter().map(Operand::Literal).collect();
        let one = of_field("x", Test::OneOf(operands.clone()));
        let none = of_field("x", Test::NoneOf(operands));
        for blank in [json!(null), json!(""), json!([])] {
            let record = json!({ "x": blank });
            assert_eq!(holds(&one, record.clone()), expected, "{blank} {one:?}");
            assert_eq!(
                holds(&none, record),
                expected.map(|is| !is),
                "{blank} {none:?}"
            );
        }
    }
}

#[test]
fn schedules_know_zones_exceptions_and_nights() {
    let mut office = Schedule {
        name: "office".to_owned(),
        days: Days::default().and(Weekday::Monday).and(Weekday::Sunday),
        window: Window {
            from: time(7, 30, 0, 0),
            to: time(20, 0, 0, 0),
        },
        zone: TimeZone::get("Europe/Paris").unwrap(),
        except: BTreeSet::from([date(2026, 3, 30)]),
    };
    let at = |schedule: &Schedule, moment: &str| schedule.holds(moment.parse().unwrap());
    // The clocks go forward on Sunday the 29th of March.
    assert!(at(&office, "2026-03-23T06:30:00Z") && !at(&office, "2026-03-23T06:29:59Z"));
    assert!(at(&office, "2026-03-29T05:30:00Z") && !at(&office, "2026-03-29T18:00:00Z"));
    assert!(!at(&office, "2026-03-30T10:00:00Z"), "an exception");
    assert!(!at(&office, "2026-03-31T10:00:00Z"), "a Tuesday");
    office.window = Window {
        from: time(22, 0, 0, 0),
        to: time(6, 0, 0, 0),
    };
    assert!(at(&office, "2026-03-23T22:00:00Z"), "Monday, 23:00");
    assert!(
        at(&office, "2026-03-24T04:59:59Z"),
        "Tuesday, 5:59, begun on Monday"
    );
    assert!(!at(&office, "2026-03-24T05:00:00Z"));
    assert!(
        !at(&office, "2026-03-31T01:00:00Z"),
        "begun on an exception"
    );
}
