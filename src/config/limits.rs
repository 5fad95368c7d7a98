//! Reads the section `limits`.

use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::diagnostic::{Diagnostic, Form, Keys, Node};

use super::read::Reader;
use super::{LargeReplies, Limits, codes};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;
const GIB: usize = 1 << 30;

impl Reader<'_> {
    pub(super) fn limits(&mut self, node: &Node) -> Limits {
        const FORM: Form = Form {
            what: "`limits`",
            known: &[
                "request_bytes_max",
                "held_bytes_max",
                "held_bytes_total_max",
                "record_bytes_max",
                "text_bytes_max",
                "depth_max",
                "bulk_parts_max",
                "connections_max",
                "requests_max",
                "requests_per_minute",
                "refused_predicates_per_hour",
                "logins_per_minute",
                "head_timeout",
                "body_timeout",
                "idle_timeout",
                "large_replies",
            ],
            refused: &[],
        };
        const LARGE: &[(&str, LargeReplies)] = &[
            ("stream", LargeReplies::Stream),
            ("refuse", LargeReplies::Refuse),
        ];
        let default = Limits::default();
        let Some(keys) = FORM.read(node, self.found) else {
            return default;
        };
        let k = &keys;
        let limits = Limits {
            request_bytes_max: self.size(
                k,
                "request_bytes_max",
                KIB..=256 * MIB,
                default.request_bytes_max,
            ),
            held_bytes_max: self.size(k, "held_bytes_max", 64 * KIB..=GIB, default.held_bytes_max),
            held_bytes_total_max: self.size(
                k,
                "held_bytes_total_max",
                MIB..=64 * GIB,
                default.held_bytes_total_max,
            ),
            record_bytes_max: self.size(
                k,
                "record_bytes_max",
                KIB..=64 * MIB,
                default.record_bytes_max,
            ),
            text_bytes_max: self.size(k, "text_bytes_max", KIB..=64 * MIB, default.text_bytes_max),
            depth_max: self.count(k, "depth_max", 8..=512, default.depth_max),
            bulk_parts_max: self.count(k, "bulk_parts_max", 1..=1000, default.bulk_parts_max),
            connections_max: self.count(
                k,
                "connections_max",
                1..=1_000_000,
                default.connections_max,
            ),
            requests_max: self.count(k, "requests_max", 1..=100_000, default.requests_max),
            requests_per_minute: self.rate(k, "requests_per_minute", default.requests_per_minute),
            refused_predicates_per_hour: self.rate(
                k,
                "refused_predicates_per_hour",
                default.refused_predicates_per_hour,
            ),
            logins_per_minute: self.rate(k, "logins_per_minute", default.logins_per_minute),
            head_timeout: self.wait(k, "head_timeout", default.head_timeout),
            body_timeout: self.wait(k, "body_timeout", default.body_timeout),
            idle_timeout: self.wait(k, "idle_timeout", default.idle_timeout),
            large_replies: keys
                .get("large_replies")
                .and_then(|node| node.choice("value of `large_replies`", LARGE, self.found))
                .unwrap_or(default.large_replies),
        };
        self.contradictions(k, &limits);
        limits
    }

    fn contradictions(&mut self, keys: &Keys<'_>, limits: &Limits) {
        if limits.held_bytes_max > limits.held_bytes_total_max {
            let place = ["held_bytes_max", "held_bytes_total_max"]
                .iter()
                .find_map(|key| keys.get(key))
                .map_or_else(|| keys.place(), |node| &node.place);
            self.found.push(
                Diagnostic::error(
                    codes::BAD_BOUNDS,
                    "one reply may hold more than all together",
                )
                .at(
                    place,
                    "`held_bytes_max` is larger than `held_bytes_total_max`",
                ),
            );
        }
    }

    fn size(
        &mut self,
        keys: &Keys<'_>,
        key: &str,
        bounds: RangeInclusive<usize>,
        default: usize,
    ) -> usize {
        keys.get(key)
            .and_then(|node| node.bytes(&format!("`{key}`"), bounds, self.found))
            .unwrap_or(default)
    }

    fn count(
        &mut self,
        keys: &Keys<'_>,
        key: &str,
        bounds: RangeInclusive<i64>,
        default: usize,
    ) -> usize {
        keys.get(key)
            .and_then(|node| node.integer(&format!("`{key}`"), bounds, self.found))
            .and_then(|number| usize::try_from(number).ok())
            .unwrap_or(default)
    }

    fn rate(&mut self, keys: &Keys<'_>, key: &str, default: NonZeroU32) -> NonZeroU32 {
        keys.get(key)
            .and_then(|node| node.integer(&format!("`{key}`"), 1..=10_000_000, self.found))
            .and_then(|number| NonZeroU32::new(u32::try_from(number).ok()?))
            .unwrap_or(default)
    }

    /// A wait within bounds, or its default.
    pub(super) fn wait(&mut self, keys: &Keys<'_>, key: &str, default: Duration) -> Duration {
        const BOUNDS: RangeInclusive<Duration> =
            Duration::from_millis(100)..=Duration::from_secs(600);
        keys.get(key)
            .and_then(|node| node.duration(&format!("`{key}`"), BOUNDS, self.found))
            .unwrap_or(default)
    }
}
