use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::{Weekday, time};
use jiff::tz::TimeZone;

use super::*;
use crate::condition::{Days, Window};
use crate::vocabulary::Field;

fn record(test: Test) -> Condition {
    Condition::Is(Subject::Record(Field::fold("stage")), test)
}

fn one_of(texts: &[&str]) -> Test {
    let text = |text: &&str| Operand::Literal(Scalar::Text((*text).to_owned()));
    Test::OneOf(texts.iter().map(text).collect())
}

fn moment(test: Test) -> Condition {
    Condition::Is(Subject::Request(RequestFact::Time), test)
}

fn schedule(name: &str, until: i8) -> Arc<Schedule> {
    Arc::new(Schedule {
        name: name.to_owned(),
        days: Days::default().and(Weekday::Monday),
        window: Window {
            from: time(8, 0, 0, 0),
            to: time(until, 0, 0, 0),
        },
        zone: TimeZone::UTC,
        except: BTreeSet::new(),
    })
}

fn can_hold(all: &[(&Condition, bool)]) -> bool {
    let formulas: Vec<Formula> = all
        .iter()
        .map(|(condition, holds)| Formula::of(condition, *holds))
        .collect();
    Formula::can_hold(&formulas.iter().collect::<Vec<_>>())
}

#[test]
fn what_contradicts_itself_cannot_be_supposed() {
    let inside = moment(Test::Inside(schedule("office", 18)));
    let outside = moment(Test::Outside(schedule("hours", 18)));
    assert!(
        !can_hold(&[(&inside, true), (&outside, true)]),
        "by another name"
    );
    assert!(!can_hold(&[(&inside, true), (&inside, false)]));
    let longer = moment(Test::Outside(schedule("office", 20)));
    assert!(can_hold(&[(&inside, true), (&longer, true)]), "not seen");

    let time = |text: &str| text.parse().unwrap();
    let before = moment(Test::Before(time("2026-01-01T00:00:00Z")));
    let after = moment(Test::After(time("2026-01-01T00:00:00Z")));
    let earlier = moment(Test::After(time("2025-01-01T00:00:00Z")));
    assert!(!can_hold(&[(&before, true), (&after, true)]));
    assert!(can_hold(&[(&before, true), (&earlier, true)]));

    let (won, lost) = (record(one_of(&["won"])), record(one_of(&["lost"])));
    assert!(!can_hold(&[(&won, true), (&lost, true)]));
    assert!(can_hold(&[(&won, false), (&lost, false)]));
    let either = Condition::Any(vec![won.clone(), lost.clone()]);
    assert!(can_hold(&[(&either, true), (&won, false)]));
    assert!(!can_hold(&[(&either, true), (&won, false), (&lost, false)]));
    assert!(!can_hold(&[
        (&either, true),
        (&record(Test::Blank(true)), true)
    ]));
    // A caller has several roles.
    let role = |role| Condition::Is(Subject::Caller(CallerFact::Roles), one_of(&[role]));
    assert!(can_hold(&[(&role("a"), true), (&role("b"), true)]));
    // A number may be spelt like a text.
    let number = record(Test::OneOf(vec![Operand::Literal(Scalar::Number(
        "1".into(),
    ))]));
    assert!(can_hold(&[
        (&number, true),
        (&record(one_of(&["1"])), true)
    ]));
}

#[test]
fn what_is_wanted_weaker_can_be_lacking_no_more_than_what_is_so() {
    let of = |condition: &Condition| Formula::holds(condition);
    let (a, b) = (record(one_of(&["a"])), record(one_of(&["b"])));
    let c = Condition::Is(Subject::Record(Field::fold("other")), one_of(&["c"]));
    let any = Condition::Any(vec![a.clone(), b.clone()]);
    let all = Condition::All(vec![a.clone(), c.clone()]);
    let more = Condition::Any(vec![c.clone(), b.clone(), a.clone()]);
    for (weak, strong) in [(&any, &a), (&a, &all), (&more, &any), (&any, &any)] {
        assert!(!of(weak).can_lack(&[&of(strong)]), "{weak:?} {strong:?}");
    }
    for (strong, weak) in [(&a, &any), (&all, &a), (&any, &more), (&all, &any)] {
        assert!(of(strong).can_lack(&[&of(weak)]), "{weak:?} {strong:?}");
    }
    assert!(of(&a).can_lack(&[]), "of a record that does not tell it");
}

#[test]
fn the_same_meaning_has_the_same_key() {
    let (a, b) = (
        record(one_of(&["a", "b"])),
        record(one_of(&["b", "a", "a"])),
    );
    assert_eq!(Formula::holds(&a).key(), Formula::holds(&b).key());
    let not = Condition::Not(Box::new(a.clone()));
    assert_eq!(Formula::fails(&not).key(), Formula::holds(&a).key());
    let office = moment(Test::Inside(schedule("office", 18)));
    let hours = Condition::All(vec![moment(Test::Inside(schedule("hours", 18)))]);
    assert_eq!(Formula::holds(&office).key(), Formula::holds(&hours).key());
    assert_ne!(Formula::holds(&office).key(), Formula::fails(&office).key());
}

#[test]
fn without_records_only_the_request_can_decide() {
    let late = moment(Test::Outside(schedule("office", 18)));
    let own = record(one_of(&["own"]));
    let either = Condition::Any(vec![own.clone(), late.clone()]);
    let both = Condition::All(vec![own, late.clone()]);
    let used = |condition: &Condition| Formula::holds(condition).without_records();
    assert_eq!(used(&either), Formula::holds(&late));
    assert!(!Formula::can_hold(&[&used(&both)]));
    assert!(!used(&both).is_always());
}
