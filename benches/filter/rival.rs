//! The filter beside other ways of treating the same list, in turns, as ratios of their speeds.

use std::hint::black_box;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use paravent::filter::{Asked, Filtering, Limits, Memory};
use paravent::mask::Mask;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::payload;
use crate::terms::{self, Terms, Treatment};

pub(crate) const LIMITS: Limits = Limits {
    record_bytes_max: 1 << 20,
    text_bytes_max: 1 << 20,
    depth_max: 128,
};

/// What filters leave to each other, as they do before one CRM.
static MEMORY: LazyLock<Memory> = LazyLock::new(Memory::new);

pub(crate) fn filtered(text: &[u8], chunk: usize, (plan, shape): &Terms) -> bytes::Bytes {
    let mut filtering = Filtering::new(plan, shape, Asked::default(), LIMITS, &MEMORY);
    for chunk in text.chunks(chunk) {
        filtering.push(chunk).unwrap();
    }
    filtering.finish().unwrap().0.into_bytes()
}

/// The mask of each treated field; `None` is `null`.
pub(crate) const MASKS: [(&str, Option<Mask>); 8] = [
    ("phone_home", Some(Mask::Last(2))),
    ("phone_mobile", Some(Mask::Last(2))),
    ("phone_work", Some(Mask::Last(2))),
    ("phone_other", Some(Mask::Last(2))),
    ("birthdate", Some(Mask::Year)),
    ("iban_c", Some(Mask::Iban)),
    ("bic_c", Some(Mask::Bic)),
    ("nir_c", None),
];

pub(crate) fn masked(mask: Option<&Mask>, value: &Value) -> Value {
    let masked = mask
        .zip(value.as_str())
        .and_then(|(mask, value)| mask.apply(value));
    masked.map_or(Value::Null, Value::String)
}

pub(crate) fn round_trip(text: &[u8]) -> Vec<u8> {
    let mut list: Value = serde_json::from_slice(text).unwrap();
    for record in list["records"].as_array_mut().unwrap() {
        for (field, mask) in &MASKS {
            if let Some(value) = record.get_mut(field) {
                *value = masked(mask.as_ref(), value);
            }
        }
    }
    serde_json::to_vec(&list).unwrap()
}

/// Ratios of speed on 20 records, as JSON: the middle one of many rounds in which each runs for a moment.
#[allow(
    dead_code,
    reason = "only one of the two programs that share this file prints ratios"
)]
pub(crate) fn ratios(budget: Duration) -> Value {
    let list = payload::list(20);
    let text = list.as_bytes();
    let few = terms::list(Treatment::Some, 8, false);
    let many = terms::list(Treatment::Some, 1_000, false);
    let contestants: [&dyn Fn(); 4] = [
        &|| drop(black_box(filtered(black_box(text), usize::MAX, &few))),
        &|| drop(black_box(filtered(black_box(text), usize::MAX, &many))),
        &|| {
            black_box(serde_json::from_slice::<IgnoredAny>(black_box(text)).unwrap());
        },
        &|| drop(black_box(round_trip(black_box(text)))),
    ];
    let mut rounds: Vec<[f64; 4]> = Vec::new();
    let end = Instant::now() + budget;
    while Instant::now() < end || rounds.len() < 5 {
        rounds.push(contestants.map(microseconds));
    }
    let middle = |value: &dyn Fn(&[f64; 4]) -> f64| {
        let mut values: Vec<f64> = rounds.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        (values[values.len() / 2] * 1e3).round() / 1e3
    };
    serde_json::json!({
        "filter_vs_ignored_any": middle(&|round| round[2] / round[0]),
        "filter_vs_value": middle(&|round| round[3] / round[0]),
        "filter_1000_vs_8": middle(&|round| round[0] / round[1]),
        "filter_microseconds": middle(&|round| round[0]),
        "ignored_any_microseconds": middle(&|round| round[2]),
        "value_microseconds": middle(&|round| round[3]),
    })
}

fn microseconds(run: &dyn Fn()) -> f64 {
    let (start, mut runs) = (Instant::now(), 0);
    while start.elapsed() < Duration::from_millis(20) {
        (0..8).for_each(|_| run());
        runs += 8;
    }
    start.elapsed().as_secs_f64() * 1e6 / f64::from(runs)
}
