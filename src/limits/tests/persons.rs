//! Limits that count persons, by whichever name these are met.

use super::*;
use crate::filter::Someone;

const PEOPLE: &str = "name: people, roles: sales, count: persons, max: 10/h, then: block";
/// Of whom records are.
const WHOSE: &str = "people: { Contacts: { kind: customer }, Leads: { kind: prospect }, Notes: { of: { contact_id: Contacts } }, Accounts: none }
classify: { Notes: { name: identity.name }, Accounts: { name: identity.name } }
";

fn counting(limits: &[&str]) -> Policy {
    let text = format!("{BASE}limits:\n  - {{ {} }}\n", limits.join(" }\n  - { "));
    let whose = format!("policy: p\n{WHOSE}");
    let sources = [("p.yaml", text), ("q.yaml", whose)];
    let sources = sources.map(|(path, text)| Source {
        path: path.to_owned(),
        text,
    });
    let schema = by_name("sugar-rest").unwrap().schema().clone();
    unlinted(&sources, schema)
}

fn people_meter(max: u32) -> Meter {
    let limit = PEOPLE.replace("10/h", &format!("{max}/h"));
    Meter::new(&counting(&[&limit])).unwrap()
}

/// A contact, with an address.
fn contact(meter: &Meter, id: &str, address: Option<&str>) -> Someone {
    let own = meter.record("Contacts", id);
    Someone {
        names: vec![address.map_or(own, |address| meter.address(address))],
        own: Some(own),
        is_hearsay: false,
    }
}

/// A lead without an address that became a contact.
fn lead(meter: &Meter, id: &str, contact: &str) -> Someone {
    Someone {
        own: Some(meter.record("Leads", id)),
        ..linked(meter, contact)
    }
}

/// Whoever a note is about.
fn linked(meter: &Meter, contact: &str) -> Someone {
    Someone::heard_of(meter.record("Contacts", contact))
}

fn of(module: &str, persons: Vec<Someone>) -> Whom {
    let module = Module::new(module);
    Whom { module, persons }
}

fn ask(meter: &Meter, caller: &str, whom: &[Whom]) -> Result<Reserved, Stopped> {
    let modules = ["Contacts", "Leads", "Notes", "Accounts"];
    let fields = met(&modules.map(|module| rule(module, &["identity.name"], Level::Clear)));
    let shown = Shown {
        refs: &[],
        unnamed: whom.len() as u64,
        whom: Some(whom),
        fields: Fields::Met(&fields),
    };
    meter.reserve(&who(meter, caller), &shown)
}

/// Shows records at once; whether that was possible.
fn tell(meter: &Meter, whom: &[Whom]) -> bool {
    ask(meter, "sally", whom).map(Reserved::count).is_ok()
}

fn one(module: &str, person: Someone) -> Vec<Whom> {
    vec![of(module, vec![person])]
}

/// How many persons count for somebody.
fn counted(meter: &Meter) -> usize {
    meter.counted()
}

#[test]
fn a_person_counts_once_by_an_address_a_lead_or_a_note() {
    let meter = people_meter(2);
    let anna = |id: &str| contact(&meter, id, Some("anna@example.com"));
    assert!(tell(&meter, &one("Contacts", anna("1"))));
    assert!(tell(&meter, &one("Contacts", anna("2"))));
    assert!(tell(&meter, &one("Leads", lead(&meter, "l", "1"))));
    assert!(tell(&meter, &one("Notes", linked(&meter, "2"))));
    assert_eq!(counted(&meter), 1);
    assert!(tell(&meter, &one("Contacts", contact(&meter, "3", None))));
    assert!(!tell(&meter, &one("Contacts", contact(&meter, "4", None))));
    // Whoever counts already passes.
    assert!(tell(&meter, &one("Contacts", anna("5"))));
    assert!(tell(
        &meter,
        &[of("Notes", vec![linked(&meter, "3"), linked(&meter, "5")])]
    ));
    assert!(!tell(
        &meter,
        &[of("Notes", vec![linked(&meter, "3"), linked(&meter, "6")])]
    ));
    // A record about nobody counts nobody, and one of which nobody can tell is somebody else each time.
    assert!(tell(&meter, &[of("Accounts", Vec::new())]));
    let unknown = Someone {
        names: Vec::new(),
        own: None,
        is_hearsay: true,
    };
    assert!(!tell(&meter, &one("Contacts", unknown)));
}

#[test]
fn it_does_not_matter_which_record_of_a_person_comes_first() {
    for turn in 0..6 {
        let meter = people_meter(10);
        let mut all = vec![
            of("Notes", vec![linked(&meter, "1")]),
            of("Leads", vec![lead(&meter, "l", "1")]),
            of(
                "Contacts",
                vec![contact(&meter, "1", Some("anna@example.com"))],
            ),
        ];
        all.rotate_left(turn % 3);
        if turn > 2 {
            all.swap(0, 1);
        }
        let at_once = people_meter(1);
        assert!(tell(&at_once, &{
            let mut all = vec![
                of("Notes", vec![linked(&at_once, "1")]),
                of("Leads", vec![lead(&at_once, "l", "1")]),
                of(
                    "Contacts",
                    vec![contact(&at_once, "1", Some("anna@example.com"))],
                ),
            ];
            all.rotate_left(turn % 3);
            all
        }));
        for whom in all {
            assert!(tell(&meter, &[whom]));
        }
        assert_eq!((counted(&meter), counted(&at_once)), (1, 1), "{turn}");
    }
}

#[test]
fn who_changes_a_record_makes_nobody_of_two() {
    let meter = people_meter(100);
    // Known by a note alone, then by the record itself: that is one person, once.
    assert!(tell(&meter, &one("Notes", linked(&meter, "1"))));
    assert!(tell(
        &meter,
        &one("Contacts", contact(&meter, "1", Some("a@example.com")))
    ));
    assert_eq!(counted(&meter), 1);
    for (number, address) in ["b@example.com", "c@example.com"].into_iter().enumerate() {
        let changed = contact(&meter, "1", Some(address));
        assert!(tell(&meter, &one("Contacts", changed)));
        assert_eq!(counted(&meter), 2 + number);
    }
    for address in ["a@example.com", "b@example.com", "c@example.com"] {
        let other = contact(&meter, "2", Some(address));
        assert!(tell(&meter, &one("Contacts", other)));
    }
    assert_eq!(counted(&meter), 3);
}

#[test]
fn fifty_requests_at_once_show_no_more_persons_than_one_behind_the_other() {
    let limit = PEOPLE.replace("10/h", "500/h");
    let meter = Meter::new(&counting(&[&limit])).unwrap();
    let (begin, passed) = (Barrier::new(50), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for number in 0..50 {
            let (meter, begin, passed) = (&meter, &begin, &passed);
            scope.spawn(move || {
                // Each twice: as a contact, and as the lead that it was.
                let ids = (number * 20..(number + 1) * 20).map(|id: u32| id.to_string());
                let whom = ids.flat_map(|id| {
                    let address = format!("{id}@example.com");
                    [
                        of("Contacts", vec![contact(meter, &id, Some(&address))]),
                        of("Leads", vec![lead(meter, &id, &id)]),
                    ]
                });
                let whom: Vec<Whom> = whom.collect();
                begin.wait();
                passed.fetch_add(usize::from(tell(meter, &whom)), Ordering::Relaxed);
            });
        }
    });
    assert_eq!((passed.into_inner(), counted(&meter)), (25, 500));
}

#[test]
fn persons_of_a_reply_that_fails_are_given_back() {
    let meter = people_meter(10);
    let anna = one("Contacts", contact(&meter, "1", Some("anna@example.com")));
    drop(ask(&meter, "sally", &anna).unwrap());
    assert_eq!(counted(&meter), 0);
    let held = ask(&meter, "sally", &anna).unwrap();
    assert!(tell(&meter, &one("Notes", linked(&meter, "1"))));
    drop(held);
    assert_eq!(counted(&meter), 1);
}

#[test]
fn where_nobody_tells_whom_records_are_about_each_is_somebody() {
    let meter = people_meter(3);
    let sally = who(&meter, "sally");
    assert!(show(&meter, &sally, &contacts(0..3)));
    assert!(show(&meter, &sally, &contacts(0..3)));
    assert!(!show(&meter, &sally, &contacts(3..4)));
}

#[test]
fn records_and_persons_are_counted_beside_each_other() {
    let records = "name: bulk, roles: sales, count: records, max: 2/h, then: block";
    let meter = Meter::new(&counting(&[PEOPLE, records])).unwrap();
    let refs = contacts(0..3);
    let anna = |id: u32| contact(&meter, &id.to_string(), Some("anna@example.com"));
    let whom: Vec<Whom> = (0..3).map(|id| of("Contacts", vec![anna(id)])).collect();
    let fields = names();
    let shown = |count: usize| Shown {
        refs: &refs[..count],
        unnamed: 0,
        whom: Some(&whom[..count]),
        fields: Fields::Met(&fields),
    };
    let sally = who(&meter, "sally");
    assert!(
        meter
            .reserve(&sally, &shown(2))
            .map(Reserved::count)
            .is_ok()
    );
    assert_eq!(counted(&meter), 3);
    let stop = stop_of(meter.reserve(&sally, &shown(3)));
    let reached: Vec<_> = stop
        .reached
        .iter()
        .map(|one| one.limit.name().as_str())
        .collect();
    assert_eq!(reached, ["bulk"]);
}

#[test]
fn what_the_log_tells_is_taken_for_the_person_whom_the_record_tells() {
    let roles = ["sales".to_owned()];
    let meter = Meter::empty().unwrap();
    let incoming = meter.incoming(&counting(&[PEOPLE]));
    let mut recount = Recount::of(&meter, &incoming);
    assert!(recount.counts_persons());
    let known = meter.person(7);
    let told = Told {
        roles: &roles,
        whom: vec![
            of("Contacts", vec![linked(&meter, "1")]),
            of("Contacts", vec![linked(&meter, "2")]),
            of("Contacts", vec![Someone::heard_of(known)]),
            of("Accounts", Vec::new()),
        ],
        ..told(
            "a",
            &[
                ("Contacts", "1"),
                ("Contacts", "2"),
                ("Contacts", "3"),
                ("Accounts", "4"),
            ],
        )
    };
    recount.take(&told);
    recount.take(&told);
    let unnamed = |of_nobody| Told {
        records: 3,
        refs: Vec::new(),
        whom: Vec::new(),
        shown: vec![ToldField {
            module: "Contacts",
            category: Some("identity.name"),
            level: Level::Clear,
            of_nobody,
        }],
        ..told.clone()
    };
    recount.take(&unnamed(true));
    recount.end();
    let _ = meter.put(&incoming);
    meter.ready(&incoming);
    assert_eq!(counted(&meter), 3);
    // Each is met again by their address, or in the ledger.
    for (id, address) in [("1", "anna@example.com"), ("2", "bert@example.com")] {
        assert!(tell(
            &meter,
            &one("Contacts", contact(&meter, id, Some(address)))
        ));
    }
    let third = Someone {
        names: vec![known],
        own: Some(meter.record("Contacts", "3")),
        is_hearsay: false,
    };
    assert!(tell(&meter, &one("Contacts", third)));
    assert_eq!(counted(&meter), 3);
    assert!(tell(
        &meter,
        &one("Contacts", contact(&meter, "4", Some("anna@example.com")))
    ));
    assert_eq!(counted(&meter), 3);
    assert!(tell(
        &meter,
        &one("Contacts", contact(&meter, "4", Some("carl@example.com")))
    ));
    assert_eq!(counted(&meter), 4);
}

/// How a reply shows a contact: itself, or by a lead that became it, or by a note.
#[derive(Clone, Copy, Debug)]
enum How {
    Itself,
    Lead,
    Note,
}

/// The address of a contact: some share one, some have none.
fn address_of(number: u32) -> Option<String> {
    (number % 4 != 3).then(|| format!("a{}@example.com", number % 5))
}

fn replies() -> impl Strategy<Value = Vec<Vec<(u32, How)>>> {
    let how = prop_oneof![Just(How::Itself), Just(How::Lead), Just(How::Note)];
    let reply = prop::collection::vec((0_u32..9, how), 0..5);
    prop::collection::vec(reply, 0..12)
}

proptest! {
    #[test]
    fn in_whatever_order_records_come_no_fewer_persons_count_than_were_shown(replies in replies()) {
        let meter = people_meter(1_000);
        let (mut shown, mut names) = (BTreeSet::new(), BTreeSet::new());
        for reply in replies {
            let whom = reply.iter().map(|(number, how)| {
                let id = number.to_string();
                match how {
                    How::Itself => {
                        let address = address_of(*number);
                        of("Contacts", vec![contact(&meter, &id, address.as_deref())])
                    }
                    How::Lead => of("Leads", vec![lead(&meter, &id, &id)]),
                    How::Note => of("Notes", vec![linked(&meter, &id)]),
                }
            });
            let whom: Vec<Whom> = whom.collect();
            prop_assert!(tell(&meter, &whom));
            shown.extend(reply.iter().map(|(number, _)| address_of(*number).unwrap_or_else(|| number.to_string())));
            names.extend(reply.iter().map(|(number, _)| *number));
            let now = counted(&meter);
            prop_assert!((shown.len()..=names.len()).contains(&now), "{now} of {shown:?}, by {names:?}");
            // Nobody counts twice who is shown the same again.
            prop_assert!(tell(&meter, &whom));
            prop_assert_eq!(counted(&meter), now);
        }
    }
}
