//! The search for identifiers alone: texts full of them, texts without, and texts that are hard on purpose.

#![allow(missing_docs, clippy::unwrap_used)]

use std::fs;
use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use paravent::detect::{self, Kind};
use serde_json::Value;

/// The longest text that hard texts have.
const HARD_BYTES: usize = 1 << 20;

/// Units of which hard texts are made.
const UNITS: &[&str] = &[
    "1 1 1 ",
    "a@a@a@",
    "FR76",
    "rue ",
    "rue 1 ",
    "bic ",
    "4111 ",
    "12/03/1984 ",
    "06 ",
    "AB12 ",
    "&#49;",
    "%41",
    "(at)",
    "Strasse 1, ",
];

fn texts(file: &str) -> Vec<String> {
    let path = format!("{}/corpora/identifiers/{file}", env!("CARGO_MANIFEST_DIR"));
    let lines = fs::read_to_string(path).unwrap();
    let text = |line: &str| {
        let value: Value = serde_json::from_str(line).unwrap();
        value["text"].as_str().unwrap().to_owned()
    };
    lines.lines().map(text).collect()
}

fn search(criterion: &mut Criterion) {
    let dense = texts("positives.jsonl");
    let numbers = texts("negatives.jsonl");
    let has_figure = |text: &String| text.bytes().any(|byte| byte.is_ascii_digit());
    let words: Vec<String> = numbers
        .iter()
        .filter(|text| !has_figure(text))
        .cloned()
        .collect();
    let joined = |texts: &[String]| -> Vec<String> {
        texts.chunks(20).map(|texts| texts.join("\n")).collect()
    };
    let mut sets = vec![
        ("notes full of identifiers".to_owned(), joined(&dense)),
        ("lines full of identifiers".to_owned(), dense),
        ("lines full of other numbers".to_owned(), numbers),
        ("notes of words".to_owned(), joined(&words)),
    ];
    sets.extend(UNITS.iter().map(|unit| {
        (
            format!("hard {unit:?}"),
            vec![unit.repeat(HARD_BYTES / unit.len())],
        )
    }));
    let mut group = criterion.benchmark_group("identifiers");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    for (name, texts) in &sets {
        group.throughput(Throughput::Bytes(
            texts.iter().map(|text| text.len() as u64).sum(),
        ));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let counts = texts
                    .iter()
                    .map(|text| detect::find(black_box(text), &Kind::ALL).len());
                counts.sum::<usize>()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, search);
criterion_main!(benches);
