//! The filter alone, beside other ways of doing the same: validation without filtering (`IgnoredAny`), a round trip
//! through `serde_json::Value` with the same masks, and the same with one JSONPath query a rule.

#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use jsonpath_rust::JsonPath;
use jsonpath_rust::query::queryable::Queryable;
use serde::de::IgnoredAny;
use serde_json::Value;

mod payload;
#[allow(
    dead_code,
    reason = "the benchmark against other proxies prints ratios, this one does not"
)]
mod rival;
mod terms;

use rival::{MASKS, filtered, masked, round_trip};
use terms::{Terms, Treatment};

fn by_queries(text: &[u8]) -> Vec<u8> {
    let mut list: Value = serde_json::from_slice(text).unwrap();
    for (field, mask) in &MASKS {
        let places = list.query_only_path(&format!("$..{field}")).unwrap();
        for place in places {
            if let Some(value) = list.reference_mut(place) {
                *value = masked(mask.as_ref(), value);
            }
        }
    }
    serde_json::to_vec(&list).unwrap()
}

/// The contestants must say the same, or a comparison of their speed says nothing.
fn agree(text: &str, terms: &Terms) {
    let value = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
    let expected = value(&round_trip(text.as_bytes()));
    assert!(
        value(&filtered(text.as_bytes(), usize::MAX, terms)) == expected,
        "the filter says something else"
    );
    assert!(
        value(&by_queries(text.as_bytes())) == expected,
        "the queries say something else"
    );
    assert!(value(text.as_bytes()) != expected, "nothing is treated");
}

fn group<'c>(
    criterion: &'c mut Criterion,
    name: &str,
    bytes: usize,
) -> BenchmarkGroup<'c, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Bytes(bytes as u64));
    group
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    group
}

fn peers(criterion: &mut Criterion) {
    let terms = terms::list(Treatment::Some, 8, false);
    agree(&payload::list(3), &terms);
    for records in [1, 20, 200, 20_000] {
        let list = payload::list(records);
        let text = list.as_bytes();
        let mut group = group(criterion, &format!("{records} records"), text.len());
        group.bench_function("filter", |b| {
            b.iter(|| filtered(black_box(text), usize::MAX, &terms))
        });
        group.bench_function("IgnoredAny", |b| {
            b.iter(|| serde_json::from_slice::<IgnoredAny>(black_box(text)).unwrap())
        });
        group.bench_function("Value round trip", |b| {
            b.iter(|| round_trip(black_box(text)))
        });
        // A run over 20,000 records takes seconds; its speed is that of 200.
        if records <= 200 {
            group.bench_function("Value and JSONPath", |b| {
                b.iter(|| by_queries(black_box(text)))
            });
        }
    }
}

fn one(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    text: &str,
    chunk: usize,
    terms: &Terms,
) {
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function(name, |b| {
        b.iter(|| filtered(black_box(text.as_bytes()), chunk, terms))
    });
}

fn policies(criterion: &mut Criterion) {
    let list = payload::list(20);
    let mut group = group(criterion, "policies, 20 records", list.len());
    for classified in [8, 1_000] {
        one(
            &mut group,
            &format!("{classified} classified"),
            &list,
            usize::MAX,
            &terms::list(Treatment::Some, classified, false),
        );
    }
    for (name, treatment) in [
        ("nothing", Treatment::Nothing),
        ("some", Treatment::Some),
        ("everything", Treatment::Everything),
    ] {
        one(
            &mut group,
            &format!("{name} masked"),
            &list,
            usize::MAX,
            &terms::list(treatment, 8, false),
        );
    }
}

fn texts(criterion: &mut Criterion) {
    let terms = terms::list(Treatment::Some, 8, true);
    let mut group = group(criterion, "free text, 20 records", 0);
    let prose =
        "Rappeler avant 10h, le réassort part le 12/03 à 14:30 du dépôt de Rouen (quai 7). "
            .repeat(24);
    let numbers =
        "Tél. +33 1 99 00 20 07, réf. 2026-000123, 1 234 567,89 EUR le 30/11/2025 à 10:15:00. "
            .repeat(24);
    let identifiers =
        "RIB FR76 9999 9000 0040 0102 0304 033, carte 4111 1111 1111 1111. ".repeat(24);
    for (name, text) in [
        ("prose", prose),
        ("numbers", numbers),
        ("identifiers", identifiers),
    ] {
        one(
            &mut group,
            name,
            &payload::list_of(20, &text),
            usize::MAX,
            &terms,
        );
    }
}

fn odd(criterion: &mut Criterion) {
    let terms = terms::list(Treatment::Some, 8, false);
    let mut group = group(criterion, "odd bodies", 0);
    let list = payload::list(20);
    one(&mut group, "chunks of 16 kB", &list, 16 << 10, &terms);
    one(&mut group, "chunks of 1 byte", &list, 1, &terms);
    let escapes = r"\u00e9\n\/\ud83d\ude00".repeat(100);
    one(
        &mut group,
        "strings of escapes",
        &payload::list_of(20, &escapes),
        usize::MAX,
        &terms,
    );
    let letters = "é".repeat(1_000);
    one(
        &mut group,
        "strings of two-byte letters",
        &payload::list_of(20, &letters),
        usize::MAX,
        &terms,
    );
    let deep = format!(
        r#"{{"records":[{{"id":"1","deep":{}{}}}]}}"#,
        r#"{"a":["#.repeat(60),
        "]}".repeat(60)
    );
    one(&mut group, "deep", &deep, usize::MAX, &terms);
    let spaced =
        serde_json::to_string_pretty(&serde_json::from_str::<Value>(&list).unwrap()).unwrap();
    one(&mut group, "indented", &spaced, usize::MAX, &terms);
}

criterion_group!(benches, peers, policies, texts, odd);
criterion_main!(benches);
