//! Pages that are put together from those of the CRM, against the list of the records that are there.

use proptest::prelude::*;

use super::conditions::{Conditioned, shown_of, told};
use super::*;
use crate::dialect::{Count, Empty, NextPlace, NextSays, PageForm};
use crate::filter::pages::Pages;

fn next(path: &[&'static str], says: NextSays) -> NextPlace {
    NextPlace {
        path: path.to_vec(),
        says,
    }
}

/// A list that goes on as this says.
fn listed(next: Option<&NextPlace>) -> PageForm {
    PageForm {
        rows: 10,
        max: None,
        is_numbered: false,
        next: next.cloned(),
        empty: Empty::List,
    }
}

fn all() -> Shape {
    Shape::List(Box::new(contacts()))
}

/// The lists of three APIs, each with how it goes on.
fn shapes() -> Vec<(Shape, Option<NextPlace>)> {
    let along = Shape::Along {
        key: "entries",
        element: Box::new(Shape::List(Box::new(Shape::Scalar))),
    };
    let counted = Shape::only(
        vec![
            ("result_count", Shape::Count(Count::Listed("entries"))),
            ("total_count", Shape::Count(Count::All(Some("-1")))),
            ("next_offset", Shape::Scalar),
            ("entries", all()),
            ("links", along),
        ],
        &["entries"],
    );
    let meta = Shape::only(vec![("pages", Shape::Scalar), ("all", Shape::Scalar)], &[]);
    let nested = Shape::only(vec![("meta", meta), ("data", all())], &[]);
    vec![
        (all(), None),
        (counted, Some(next(&["next_offset"], NextSays::Offset))),
        (nested, Some(next(&["meta", "pages"], NextSays::Pages))),
    ]
}

/// The record at a place of the CRM's list.
fn record(place: usize, is_there: bool) -> String {
    let whose = if is_there { "mine" } else { "other" };
    format!(r#"{{"id":"{place}","clear_c":"{whose}"}}"#)
}

/// A page of the CRM of a shape, as it tells of itself.
fn page(which: usize, all: &[bool], from: usize, rows: usize) -> String {
    let end = all.len().min(from + rows);
    let places = from.min(end)..end;
    let records: Vec<_> = places
        .clone()
        .map(|place| record(place, all[place]))
        .collect();
    let records = records.join(", ");
    let links: Vec<_> = places.map(|place| format!("[{place}]")).collect();
    let links = links.join(",");
    let next = if end < all.len() { end as i64 } else { -1 };
    match which {
        0 => format!("[{records}]"),
        1 => format!(
            r#"{{"result_count": {}, "total_count": {}, "next_offset": {next}, "entries": [{records}], "links": [{links}], "secret": 1}}"#,
            end - from.min(end),
            all.len()
        ),
        _ => format!(
            r#"{{"meta": {{"pages": 9, "all": {}}}, "data": [{records}]}}"#,
            all.len()
        ),
    }
}

/// The records of a page that was put together, and what it says of how it goes on.
fn read(which: usize, page: &str) -> (Vec<usize>, Option<i64>) {
    let page: Value = serde_json::from_str(page).unwrap();
    let (records, next) = match which {
        0 => (&page, None),
        1 => (&page["entries"], page["next_offset"].as_i64()),
        _ => (&page["data"], page["meta"]["pages"].as_i64()),
    };
    let records = records.as_array().unwrap();
    let place = |record: &Value| record["id"].as_str().unwrap().parse().unwrap();
    if which == 1 {
        assert_eq!(page["result_count"], records.len());
        assert_eq!(page["total_count"], -1);
        let links = page["links"].as_array().unwrap();
        let of_links: Vec<usize> = links
            .iter()
            .map(|link| usize::try_from(link[0].as_u64().unwrap()).unwrap())
            .collect();
        let own: Vec<usize> = records.iter().map(place).collect();
        assert_eq!(of_links, own);
        assert_eq!(page.get("secret"), None);
    }
    (records.iter().map(place).collect(), next)
}

proptest! {
    #[test]
    fn a_page_has_the_next_records_that_are_there_and_says_whether_there_are_more(
        all in proptest::collection::vec(any::<bool>(), 0..40),
        begin in 0usize..40,
        rows in 1usize..12,
        sizes in proptest::collection::vec(1usize..9, 60),
        which in 0usize..3,
    ) {
        let begin = begin.min(all.len());
        let (shape, place) = &shapes()[which];
        let terms = Conditioned::mine();
        let memory = Memory::new();
        let form = listed(place.as_ref());
        let form = (shape, &form);
        let pages = Pages::on_terms(Box::new(terms.clone()), form, told(), LIMITS, &memory);
        let mut pages = pages.unwrap();
        let (mut at, mut left) = (begin, None);
        for size in sizes {
            // Some CRMs write white space around it.
            let around = if size % 2 == 0 { "" } else { " \r\n\t" };
            let text = format!("{around}{}{around}", page(which, &all, at, size));
            let taken = pages.take(text.as_bytes(), 0, rows).unwrap();
            if which == 1 {
                prop_assert_eq!(taken.is_last, at + size >= all.len());
            }
            left = taken.left.map(|place| at + usize::try_from(place).unwrap());
            at += usize::try_from(taken.read).unwrap();
            if left.is_some() || taken.read == 0 {
                break;
            }
        }
        let there: Vec<usize> = (begin..all.len()).filter(|place| all[*place]).collect();
        let shown: Vec<usize> = there.iter().copied().take(rows).collect();
        prop_assert_eq!(left, there.get(rows).copied());
        prop_assert_eq!(pages.shown(), shown.len());
        let behind = 100 + shown.len() as u64;
        let whole = pages.whole(behind, 10, left.is_some()).unwrap();
        let whole = String::from_utf8(whole).unwrap();
        // The filter finds nothing to leave out, and believes what it says.
        let filtered = shown_of(&terms, shape, told(), &whole);
        let (records, next) = read(which, &filtered);
        prop_assert_eq!(records, shown);
        let said = place.as_ref().map(|place| place.says.said(behind, 10, left.is_some()));
        prop_assert_eq!(next.map(i128::from), said);
    }
}

#[test]
fn what_is_no_page_is_not_taken_for_an_empty_one() {
    let shapes = shapes();
    let (shape, place) = &shapes[1];
    for (text, cause) in [
        ("", Cause::Truncated),
        (r#"{"entries": [{"id":"1"}"#, Cause::Truncated),
        ("{\"entries\": [}", Cause::Syntax),
        ("[]", Cause::Shape),
        (r#"{"result_count": 0}"#, Cause::Shape),
        (r#"{"entries": 1}"#, Cause::Shape),
        (r#"{"entries": [], "entries": []}"#, Cause::DuplicateKey),
        (
            r#"{"entries": [{"clear_c":"mine"}], "links": [[1],[2]]}"#,
            Cause::Shape,
        ),
        (
            r#"{"entries": [{"clear_c":"other","clear_c":"mine"}]}"#,
            Cause::DuplicateKey,
        ),
    ] {
        let terms = Box::new(Conditioned::mine());
        let form = listed(place.as_ref());
        let form = (shape, &form);
        let pages = Pages::on_terms(terms, form, told(), LIMITS, &Memory::new());
        let taken = pages.unwrap().take(text.as_bytes(), 0, 5);
        assert_eq!(taken.map_err(|error| error.cause), Err(cause), "{text}");
    }
    let terms = Box::new(Conditioned::mine());
    let form = listed(None);
    let form = (&Shape::Scalar, &form);
    assert!(Pages::on_terms(terms, form, told(), LIMITS, &Memory::new()).is_none());
}

#[test]
fn a_page_that_shows_nothing_has_nothing_of_a_page_of_the_crm() {
    let shapes = shapes();
    let whole = |which: usize, empty: Empty, text: &str| {
        let (shape, place) = &shapes[which];
        let form = PageForm {
            empty,
            ..listed(place.as_ref())
        };
        let terms = Box::new(Conditioned::mine());
        let pages = Pages::on_terms(terms, (shape, &form), told(), LIMITS, &Memory::new());
        let mut pages = pages.unwrap();
        pages.take(text.as_bytes(), 0, 10).unwrap();
        String::from_utf8(pages.whole(0, 10, false).unwrap()).unwrap()
    };
    let (none, some) = (page(1, &[], 0, 10), page(1, &[false, false], 0, 10));
    let said = r#"{"result_count":0,"total_count":-1,"next_offset":-1,"entries":[],"links":[]}"#;
    assert_eq!(whole(1, Empty::List, &none), said);
    assert_eq!(whole(1, Empty::List, &some), said);
    let some = page(2, &[false], 0, 10);
    let none = [r#"{"data": []}"#, r#"{"meta": {"message": "none"}}"#];
    for text in [none[0], none[1], &some] {
        assert_eq!(whole(2, Empty::Bare, text), r#"{"data":[]}"#);
    }
    assert_eq!(
        whole(2, Empty::List, &some),
        r#"{"meta":{"pages":0},"data":[]}"#
    );
    assert_eq!(whole(0, Empty::List, "[]"), "[]");
}
