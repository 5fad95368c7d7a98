//! How fast the detectors read: `cargo bench --bench detect`. Megabytes of text a second and core, the best of several runs.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on ends")]

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use paravent::detect::statement::{self, Languages, Lexicon};
use paravent::detect::{self, Kind};
use serde_json::Value;

/// Bytes of each text.
const BYTES: usize = 1 << 20;
const RUNS: usize = 7;

fn main() {
    let lexicon = Lexicon::of(Languages::all());
    let labelled = labelled();
    let of = |holds: bool| {
        joined(
            labelled
                .iter()
                .filter(|(_, found)| *found == holds)
                .map(|(text, _)| text.as_str()),
        )
    };
    let notes = |holds: bool| -> Vec<&str> {
        let meant = labelled.iter().filter(|(_, found)| *found == holds);
        meant.map(|(text, _)| text.as_str()).collect()
    };
    let identifiers = texts_of("corpora/identifiers");
    let identifiers = identifiers.iter().map(|(text, _)| text.as_str()).collect();
    let texts = [
        ("labelled texts with statements", of(true)),
        ("labelled texts without", of(false)),
        (
            "words without a finding",
            joined(["the delivery of the order will arrive on the ramp in the morning "]),
        ),
        ("1 1 1 1", joined(["1 "])),
        ("a@a@a@", joined(["a@"])),
        ("FR76FR76", joined(["FR76"])),
        ("one trigger", joined(["cancer "])),
        ("one trigger, no blank", joined(["cancer"])),
        ("one prefix of many", joined(["in der "])),
        ("a full stop", joined(["."])),
        ("line ends", joined(["\r\n"])),
        ("elements", joined(["<b>"])),
        ("open brackets", joined(["<"])),
        ("combining marks", joined(["e\u{301}"])),
    ];
    println!(
        "{:34} {:>12} {:>12} {:>12}",
        "MB/s", "identifiers", "statements", "both"
    );
    for (name, texts) in [
        ("notes with statements, one by one", notes(true)),
        ("notes without, one by one", notes(false)),
        ("notes with identifiers", identifiers),
    ] {
        show(name, &texts, &lexicon);
    }
    for (name, text) in &texts {
        show(name, &[text], &lexicon);
    }
}

fn show(name: &str, texts: &[&str], lexicon: &Lexicon) {
    let identifiers = speed(texts, |text| {
        drop(black_box(detect::find(text, &Kind::IDENTIFIERS)))
    });
    // Read anew each time, without the memory for texts that were read before; the text as it stands.
    let statements = speed(texts, |text| {
        drop(black_box(statement::find(text, lexicon)))
    });
    let both = 1.0 / (1.0 / identifiers + 1.0 / statements);
    println!("{name:34} {identifiers:12.1} {statements:12.1} {both:12.1}");
}

/// The texts of the corpus, and whether each holds a statement.
fn labelled() -> Vec<(String, bool)> {
    texts_of("corpora/statements/train")
}

fn texts_of(folder: &str) -> Vec<(String, bool)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut texts = Vec::new();
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "jsonl")
        })
        .collect();
    files.sort();
    for file in files {
        for line in std::fs::read_to_string(file).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let labels = line.get("statements").or_else(|| line.get("spans"));
            let holds = !labels.unwrap().as_array().unwrap().is_empty();
            texts.push((line["text"].as_str().unwrap().to_owned(), holds));
        }
    }
    texts
}

/// Texts in a row, again and again.
fn joined<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let all: Vec<&str> = texts.into_iter().collect();
    let between = if all.len() > 1 { "\n" } else { "" };
    let mut text = String::with_capacity(BYTES + 4096);
    for part in all.iter().cycle() {
        text.push_str(part);
        text.push_str(between);
        if text.len() >= BYTES {
            break;
        }
    }
    text
}

#[expect(clippy::cast_precision_loss, reason = "a speed")]
fn speed(texts: &[&str], read: impl Fn(&str)) -> f64 {
    let run = |_| {
        let begun = Instant::now();
        texts.iter().for_each(|text| read(text));
        begun.elapsed().as_secs_f64()
    };
    let best = (0..RUNS).map(run).fold(f64::MAX, f64::min);
    texts.iter().map(|text| text.len()).sum::<usize>() as f64 / 1e6 / best
}
