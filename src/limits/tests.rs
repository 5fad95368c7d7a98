//! Limits against what happened one by one, at once, and before.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::*;
use crate::dialect::by_name;
use crate::filter::Whom;
use crate::filter::{FieldCount, FieldCounts, InText};
use crate::policy::testing::unlinted;
use crate::policy::{FieldRule, Show, Source, Usable, Writable};
use crate::vocabulary::{Category, Field, Level, Module, RuleName};

mod persons;

const BASE: &str = "policy: p
roles: { sales: { from: { crm.role: Sales }, default_purpose: contract }, hr: { from: { crm.role: HR }, default_purpose: contract } }
purposes: { contract: { legal_basis: contract, roles: [sales, hr] }, audit: { legal_basis: contract, roles: sales } }
classify: { Contacts: { last_name: identity.name }, Leads: { last_name: identity.name } }
";

/// A policy with these limits.
fn policy(limits: &[&str]) -> Policy {
    let text = format!("{BASE}limits:\n  - {{ {} }}\n", limits.join(" }\n  - { "));
    let path = "p.yaml".to_owned();
    let schema = by_name("sugar-rest").unwrap().schema().clone();
    unlinted(&[Source { path, text }], schema)
}

fn meter(limits: &[&str]) -> Meter {
    Meter::new(&policy(limits)).unwrap()
}

fn who(meter: &Meter, caller: &str) -> Who {
    Who::told(
        meter.account("crm", caller),
        &["sales".to_owned()],
        Some("contract"),
    )
}

fn rule(module: &str, categories: &[&str], level: Level) -> Arc<FieldRule> {
    Arc::new(FieldRule {
        module: Module::new(module),
        field: Field::fold(categories.first().unwrap_or(&"x_c")),
        level,
        categories: categories.iter().map(|name| Category::new(name)).collect(),
        by: vec![RuleName::new("g")],
        show: Show::Clear,
        usable: Usable::No,
        writable: Writable::No,
        structural: false,
        known: true,
        would: None,
    })
}

/// Fields of these rules, each in one record.
fn met(rules: &[Arc<FieldRule>]) -> FieldCounts {
    let in_text = &InText::new();
    let count = |rule| FieldCount {
        rule,
        records: 1,
        in_text,
    };
    rules.iter().map(count).collect()
}

/// Names of contacts and leads.
fn names() -> FieldCounts {
    met(&["Contacts", "Leads"].map(|module| rule(module, &["identity.name"], Level::Clear)))
}

fn refs<'n>(module: &str, numbers: impl IntoIterator<Item = &'n u32>) -> Vec<RecordRef> {
    let one = |number: &u32| RecordRef {
        module: Module::new(module),
        id: number.to_string().into(),
    };
    numbers.into_iter().map(one).collect()
}

fn contacts(numbers: std::ops::Range<u32>) -> Vec<RecordRef> {
    refs("Contacts", &numbers.collect::<Vec<_>>())
}

fn shown<'a>(refs: &'a [RecordRef], fields: &'a FieldCounts) -> Shown<'a> {
    Shown {
        refs,
        unnamed: 0,
        whom: None,
        fields: Fields::Met(fields),
    }
}

/// Shows records at once; whether that was possible.
fn show(meter: &Meter, who: &Who, refs: &[RecordRef]) -> bool {
    let reserved = meter.reserve(who, &shown(refs, &names()));
    reserved.map(Reserved::count).is_ok()
}

fn stop_of(result: Result<Reserved, Stopped>) -> Stop {
    match result {
        Err(Stopped::Reached(stop)) => *stop,
        other => panic!("{other:?}"),
    }
}

const BULK: &str = "name: bulk, roles: sales, count: records, max: 10/h, then: block";

#[test]
fn what_would_cross_is_stopped_whole_and_repeats_do_not_add() {
    let meter = meter(&[BULK]);
    let sally = who(&meter, "sally");
    assert!(show(&meter, &sally, &contacts(0..8)));
    assert!(!show(&meter, &sally, &contacts(6..11)));
    // Nothing of that was counted.
    assert!(show(&meter, &sally, &contacts(6..10)));
    assert!(show(&meter, &sally, &contacts(0..10)));
    assert!(!show(&meter, &sally, &contacts(10..11)));
    assert!(show(&meter, &who(&meter, "sam"), &contacts(10..20)));
    assert!(show(&meter, &sally, &[]));
}

#[test]
fn what_fails_is_given_back_unless_another_reply_showed_it() {
    let meter = meter(&[BULK]);
    let sally = who(&meter, "sally");
    let fields = names();
    let records = contacts(0..10);
    let one = meter.reserve(&sally, &shown(&records, &fields)).unwrap();
    let other = meter.reserve(&sally, &shown(&records[..3], &fields));
    drop(one);
    let _ = other.unwrap().count();
    assert!(show(&meter, &sally, &contacts(20..27)));
    assert!(!show(&meter, &sally, &contacts(27..28)));
    assert_eq!(meter.counted(), 10);
}

#[test]
fn fifty_requests_at_once_do_not_share_what_is_left() {
    let meter = meter(&["name: bulk, count: records, max: 500/d, then: block"]);
    let (begin, passed) = (Barrier::new(50), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for number in 0..50 {
            let (meter, begin, passed) = (&meter, &begin, &passed);
            scope.spawn(move || {
                let records = contacts(number * 20..(number + 1) * 20);
                begin.wait();
                let is_shown = show(meter, &who(meter, "sally"), &records);
                passed.fetch_add(usize::from(is_shown), Ordering::Relaxed);
            });
        }
    });
    assert_eq!((passed.into_inner(), meter.counted()), (25, 500));
}

#[test]
fn only_who_and_what_a_limit_names_counts() {
    let meter = meter(&[
        "name: money, roles: sales, purposes: contract, modules: Contacts, data: financial, level: clear, count: records, max: 1/h, then: block",
        "name: others, unless_roles: [sales], count: records, max: 1/h, then: block",
    ]);
    let records = contacts(0..2);
    let ask = |roles: &[&str], purpose: &str, records: &[RecordRef], fields: &FieldCounts| {
        let roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
        let who = Who::told(meter.account("crm", "x"), &roles, Some(purpose));
        meter.reserve(&who, &shown(records, fields)).is_ok()
    };
    let money = |level| met(&[rule("Contacts", &["financial.iban"], level)]);
    let clear = &money(Level::Clear);
    assert!(!ask(&["sales"], "contract", &records, clear));
    assert!(!ask(&["sales", "hr"], "contract", &records, clear));
    assert!(ask(&["sales"], "audit", &records, clear));
    assert!(ask(&["sales"], "contract", &records, &money(Level::Mask)));
    assert!(ask(&["sales"], "contract", &records, &names()));
    assert!(ask(&["sales"], "contract", &refs("Leads", &[1, 2]), clear));
    assert!(!ask(&["hr"], "audit", &records, &names()));
    // What is technical, or withheld, is nothing that somebody was shown.
    let technical = met(&[rule("Contacts", &["technical.id"], Level::Clear)]);
    let withheld = met(&[rule("Contacts", &["identity.name"], Level::Redact)]);
    assert!(ask(&["hr"], "audit", &records, &technical));
    assert!(ask(&["hr"], "audit", &records, &withheld));
    // Of what nobody has classified, nobody knows what it is.
    let unclassified = met(&[rule("Contacts", &[], Level::Clear)]);
    assert!(!ask(&["hr"], "audit", &records, &unclassified));
}

#[test]
fn records_without_an_id_count_each_time() {
    let meter = meter(&[BULK]);
    let sally = who(&meter, "sally");
    let fields = names();
    let three = Shown {
        refs: &[],
        unnamed: 3,
        whom: None,
        fields: Fields::Met(&fields),
    };
    let mut all = (0..4).map(|_| meter.reserve(&sally, &three).map(Reserved::count));
    assert!(all.by_ref().take(3).all(|one| one.is_ok()));
    assert!(all.next().unwrap().is_err());
}

#[test]
fn a_limit_is_told_once_and_callers_from_eighty_per_cent_on() {
    let meter = meter(&[BULK, "name: watch, count: records, max: 3/h, then: alert"]);
    let sally = who(&meter, "sally");
    let fields = names();
    let ask = |numbers| meter.reserve(&sally, &shown(&contacts(numbers), &fields));
    let names = |reached: &[Reached]| {
        let names = reached.iter().map(|one| one.limit.name().to_string());
        names.collect::<Vec<_>>()
    };
    let first = ask(0..4).unwrap();
    assert_eq!(names(first.reached()), ["watch"]);
    let told: Vec<_> = first.count().into_used();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].to_string(), "watch; used=4; max=3; window=1h");
    let second = ask(4..8).unwrap();
    assert!(second.reached().is_empty());
    let told = second.count().into_used();
    let told: Vec<String> = told.iter().map(Used::to_string).collect();
    assert!(
        told.contains(&"bulk; used=8; max=10; window=1h".to_owned()),
        "{told:?}"
    );
    let stop = stop_of(ask(8..11));
    assert_eq!(names(&stop.reached), ["bulk"]);
    assert!(
        (3_300..=3_900).contains(&stop.retry_after_seconds),
        "{stop:?}"
    );
    assert!(stop_of(ask(8..11)).reached.is_empty());
    let other = meter.reserve(&who(&meter, "sam"), &shown(&contacts(0..11), &fields));
    assert_eq!(stop_of(other).reached.len(), 1);
}

#[test]
fn where_there_is_no_room_nothing_more_passes_that_must_be_held_back() {
    let meter = Meter::holding(5).unwrap();
    let policy = policy(&[
        BULK,
        "name: watch, roles: hr, count: records, max: 2/h, then: alert",
    ]);
    let incoming = meter.incoming(&policy);
    let _ = meter.put(&incoming);
    meter.ready(&incoming);
    let sally = who(&meter, "sally");
    assert!(show(&meter, &sally, &contacts(0..5)));
    let fields = names();
    let more = contacts(5..6);
    let full = meter.reserve(&sally, &shown(&more, &fields));
    assert!(matches!(full, Err(Stopped::Full)));
    assert!(show(&meter, &sally, &contacts(0..5)), "these count already");
    // Who is only told of goes on, and is told of.
    let hr = Who::told(
        meter.account("crm", "h"),
        &["hr".to_owned()],
        Some("contract"),
    );
    let passed = meter.reserve(&hr, &shown(&more, &fields)).unwrap();
    let _ = passed.count();
    let passed = meter.reserve(&hr, &shown(&more, &fields)).unwrap();
    assert_eq!(passed.reached().len(), 1);
}

#[test]
fn what_counts_no_longer_is_forgotten() {
    let meter = meter(&[BULK]);
    assert!(show(&meter, &who(&meter, "sally"), &contacts(0..7)));
    meter.sweep();
    assert_eq!(meter.counted(), 7);
    meter.sweep_at(meter.now() + Duration::from_secs(3_900));
    assert_eq!((meter.counted(), meter.0.accounts.len()), (0, 0));
}

#[test]
fn another_policy_keeps_what_the_same_limit_has_counted() {
    let meter = meter(&[BULK]);
    let sally = who(&meter, "sally");
    assert!(show(&meter, &sally, &contacts(0..10)));
    let same = meter.incoming(&policy(&[
        "name: other, count: records, max: 50/h, then: block",
        BULK,
    ]));
    assert!(same.is_new());
    let before = meter.put(&same);
    assert!(before.is_over());
    // Of the new one nobody knows yet what was shown before.
    let records = contacts(0..1);
    let fields = names();
    let early = meter.reserve(&sally, &shown(&records, &fields));
    assert!(matches!(early, Err(Stopped::NotReady)));
    meter.ready(&same);
    assert!(show(&meter, &sally, &contacts(0..10)));
    assert!(!show(&meter, &sally, &contacts(10..11)));
    let changed = meter.incoming(&policy(&[
        "name: bulk, roles: sales, count: records, max: 11/h, then: block",
    ]));
    drop((before, same));
    let held = meter.reserve(&sally, &shown(&records, &fields)).unwrap();
    let before = meter.put(&changed);
    assert!(!before.is_over(), "something is under way");
    drop(held);
    assert!(before.is_over());
    meter.ready(&changed);
    assert!(show(&meter, &sally, &contacts(10..21)));
}

/// An event that tells of contacts whose names were shown.
fn told<'a>(id: &'a str, refs: &[(&'a str, &'a str)]) -> Told<'a> {
    Told {
        id,
        is_closed: true,
        ago: Duration::from_secs(60),
        upstream: "crm",
        caller: "sally",
        roles: &[],
        purpose: Some("contract"),
        refs: refs.to_vec(),
        whom: Vec::new(),
        records: refs.len() as u64,
        shown: vec![ToldField {
            module: "Contacts",
            category: Some("identity.name"),
            level: Level::Clear,
            of_nobody: false,
        }],
    }
}

/// How many of ten contacts may still be shown after these events.
fn left_after(events: &[Told<'_>]) -> usize {
    left_of(BULK, &[], events)
}

/// The same under a limit that counts fields of a category.
fn left_of(limit: &str, categories: &[&str], events: &[Told<'_>]) -> usize {
    let roles = ["sales".to_owned()];
    let meter = Meter::empty().unwrap();
    let incoming = meter.incoming(&policy(&[limit]));
    let mut recount = Recount::of(&meter, &incoming);
    for event in events {
        recount.take(&Told {
            roles: &roles,
            ..event.clone()
        });
    }
    recount.end();
    let _ = meter.put(&incoming);
    meter.ready(&incoming);
    let sally = who(&meter, "sally");
    let fields = match categories {
        [] => names(),
        categories => met(&[rule("Contacts", categories, Level::Clear)]),
    };
    let fresh = (100..110).filter(|one| {
        let refs = refs("Contacts", &[*one]);
        let reserved = meter.reserve(&sally, &shown(&refs, &fields));
        reserved.map(Reserved::count).is_ok()
    });
    fresh.count()
}

#[test]
fn what_texts_said_counts_for_every_limit_on_a_special_category() {
    let said = Told {
        shown: vec![ToldField {
            module: "Contacts",
            category: Some("special"),
            level: Level::Clear,
            of_nobody: false,
        }],
        ..told("a", &[("Contacts", "1"), ("Contacts", "2")])
    };
    for data in ["special.health", "[special.belief, financial]", "special"] {
        let limit = format!(
            "name: special, roles: sales, count: records, data: {data}, max: 10/h, then: block"
        );
        let health = ["special.health", "special.belief"];
        assert_eq!(
            left_of(&limit, &health, std::slice::from_ref(&said)),
            8,
            "{data}"
        );
    }
    let limit = "name: bank, roles: sales, count: records, data: financial, max: 10/h, then: block";
    assert_eq!(left_of(limit, &["financial.iban"], &[said]), 10);
}

#[test]
fn what_the_log_tells_of_before_counts_and_in_doubt_too_much() {
    let two = [("Contacts", "1"), ("Contacts", "2")];
    let one = || told("a", &two);
    assert_eq!(left_after(&[]), 10);
    assert_eq!(left_after(&[one(), one()]), 8);
    let of_another = Told {
        caller: "sam",
        ..one()
    };
    assert_eq!(left_after(&[of_another]), 10);
    let long_ago = Told {
        ago: Duration::from_secs(2 * 3_600),
        ..one()
    };
    assert_eq!(left_after(&[long_ago]), 10);
    let without_ids = Told {
        records: 5,
        ..one()
    };
    assert_eq!(left_after(&[without_ids]), 5);
    let nothing_shown = Told {
        shown: Vec::new(),
        ..one()
    };
    assert_eq!(left_after(std::slice::from_ref(&nothing_shown)), 10);
    // A reply that streamed names its records first, and says at its end what was shown of them.
    let named = Told {
        is_closed: false,
        ..one()
    };
    assert_eq!(
        left_after(std::slice::from_ref(&named)),
        8,
        "it never ended"
    );
    assert_eq!(
        left_after(&[named.clone(), nothing_shown]),
        8,
        "it was cut off"
    );
    let end = Told {
        records: 3,
        ..told("a", &[("Contacts", "3")])
    };
    assert_eq!(left_after(&[named.clone(), end]), 7);
    let harmless = Told {
        shown: vec![ToldField {
            module: "Contacts",
            category: Some("technical.id"),
            level: Level::Clear,
            of_nobody: false,
        }],
        ..told("a", &[])
    };
    assert_eq!(left_after(&[named, harmless]), 10);
}

/// What one caller does.
#[derive(Clone, Debug)]
enum Step {
    /// Some time passes; it may be said to have gone back.
    Wait(i64),
    /// Records are asked for.
    Show { records: BTreeSet<u32>, end: End },
    /// What was asked for longest ago leaves, or fails.
    End(bool),
}

#[derive(Clone, Copy, Debug)]
enum End {
    Leaves,
    Fails,
    Later,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let records = prop::collection::btree_set(0_u32..12, 0..6);
    let end = prop_oneof![
        Just(End::Leaves),
        Just(End::Leaves),
        Just(End::Fails),
        Just(End::Later)
    ];
    let step = prop_oneof![
        2 => (-3_000_i64..30_000).prop_map(Step::Wait),
        6 => (records, end).prop_map(|(records, end)| Step::Show { records, end }),
        1 => any::<bool>().prop_map(Step::End),
    ];
    prop::collection::vec(step, 1..60)
}

/// Everything that happened, one by one: when a record was shown, and what is under way.
#[derive(Default)]
struct Slow {
    shown: Vec<(i64, u32)>,
    under_way: Vec<BTreeSet<u32>>,
}

/// Milliseconds of the window, and of a twelfth of it.
const WINDOW: i64 = 60_000;
const TWELFTH: i64 = 5_000;

impl Slow {
    /// Records that count.
    fn counted(&self, now: i64) -> BTreeSet<u32> {
        let counts = |at: &i64| now.div_euclid(TWELFTH) - at.div_euclid(TWELFTH) <= 12;
        let shown = self.shown.iter().filter(|(at, _)| counts(at));
        let shown = shown.map(|(_, record)| *record);
        shown
            .chain(self.under_way.iter().flatten().copied())
            .collect()
    }

    /// Whether no window of any place holds more records than are let through.
    fn keeps(&self, max: usize) -> bool {
        self.shown.iter().all(|(end, _)| {
            let within = |at: &i64| (end - WINDOW..=*end).contains(at);
            let shown = self.shown.iter().filter(|(at, _)| within(at));
            shown
                .map(|(_, record)| record)
                .collect::<BTreeSet<_>>()
                .len()
                <= max
        })
    }
}

proptest! {
    #[test]
    fn a_window_is_that_of_all_that_happened_one_by_one(max in 1_usize..9, steps in steps()) {
        let limit = format!("name: l, count: records, max: {max}/m, then: block");
        let meter = meter(&[&limit]);
        let sally = who(&meter, "sally");
        let (mut slow, mut open) = (Slow::default(), Vec::new());
        let (mut clock, mut latest) = (0_i64, 0_i64);
        let fields = names();
        let moment = |at: i64| BEGINNING + Duration::from_millis(at.unsigned_abs());
        for step in steps {
            match step {
                Step::Wait(milliseconds) => {
                    clock = (clock + milliseconds).max(0);
                }
                Step::Show { records, end } => {
                    // That the clock went back must not matter.
                    latest = latest.max(clock);
                    let records_of = refs("Contacts", &records);
                    let counted = slow.counted(latest);
                    let adds = records.difference(&counted).count();
                    let passes = adds == 0 || counted.len() + adds <= max;
                    let asked = meter.reserve_at(moment(clock), &sally, &shown(&records_of, &fields));
                    prop_assert_eq!(asked.is_ok(), passes, "{:?} beside {:?}", records, counted);
                    let Ok(reserved) = asked else { continue };
                    match end {
                        End::Leaves => {
                            let _ = reserved.count_at(moment(clock));
                            slow.shown.extend(records.iter().map(|one| (latest, *one)));
                        }
                        End::Fails => drop(reserved),
                        End::Later => {
                            slow.under_way.push(records);
                            open.push(reserved);
                        }
                    }
                }
                Step::End(leaves) if !open.is_empty() => {
                    let (reserved, records) = (open.remove(0), slow.under_way.remove(0));
                    if leaves {
                        latest = latest.max(clock);
                        let _ = reserved.count_at(moment(clock));
                        slow.shown.extend(records.iter().map(|one| (latest, *one)));
                    }
                }
                Step::End(_) => {}
            }
            prop_assert!(slow.keeps(max));
        }
    }
}
