//! What a bundle says of itself: forms that `docs/audit/bundle-format.md` describes. Each is canonical JSON, so that it has one spelling.

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::super::tree::Hash;

/// The version of the form of bundles, page included: another page is another version.
pub(super) const VERSION: u64 = 1;
/// The same again, so that no change of one byte makes a bundle look like one of another version.
pub(super) const FORMAT: &str = "paravent-bundle-1";

/// The names of the files that each bundle has.
pub(super) const EVENTS: &str = "events.jsonl";
pub(super) const PROOFS: &str = "proofs.jsonl";
pub(super) const TREES: &str = "trees.json";
pub(super) const PAGE: &str = "index.html";
pub(super) const MANIFEST: &str = "manifest.json";

/// Bytes of the manifest, and of `trees.json`.
pub(super) const MANIFEST_BYTES_MAX: u32 = 16 << 20;
/// Bytes of one line of `proofs.jsonl`.
pub(super) const PROOF_BYTES_MAX: usize = 8 << 10;

/// In which language the page is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// French.
    Fr,
}

/// `manifest.json`: what for, by whom, when, and what is in the bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    /// Hashes of policies and schemas in force that the log's folder did not hold.
    pub(super) absent: Vec<String>,
    /// The version.
    pub(super) bundle: u64,
    /// The numbers of the events between which nothing was left out, if that is claimed.
    pub(super) complete: Option<Span>,
    pub(super) counts: Counts,
    /// Every other file, in the order in which they lie in the ZIP.
    pub(super) files: Vec<Listed>,
    /// What for.
    #[serde(rename = "for")]
    pub(super) purpose: String,
    pub(super) format: String,
    pub(super) lang: Lang,
    pub(super) made: Made,
    /// The filters.
    pub(super) query: Vec<String>,
}

/// From one event to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Span {
    pub(super) first: u64,
    pub(super) last: u64,
}

/// How many lines there are, by why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Counts {
    /// Events that lie between others, in a bundle that is complete.
    pub(super) between: u64,
    /// Events that were asked for.
    pub(super) events: u64,
    /// Events that say which key took the place of another.
    pub(super) keys: u64,
    /// Events that were asked for and left out, because no checkpoint covers them.
    pub(super) left_out: u64,
    /// Events that say which policy came into force.
    pub(super) policies: u64,
    /// Events that say where a log begins.
    pub(super) segments: u64,
    /// Events that say terms.
    pub(super) terms: u64,
    /// Events of all these that no checkpoint covers.
    pub(super) unproved: u64,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listed {
    pub(super) bytes: u64,
    pub(super) name: String,
    pub(super) sha256: String,
}

/// Who made a bundle, when, with what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Made {
    pub(super) at: String,
    pub(super) by: String,
    pub(super) program: String,
    pub(super) uid: u32,
}

/// Why a line is in the bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum As {
    /// It was asked for.
    Event,
    /// It says terms that another one names.
    Terms,
    /// It says which policy came into force.
    Policy,
    /// It says where its log begins.
    Segment,
    /// It says which key took the place of another, signed by both.
    Key,
    /// It lies between others.
    Between,
}

/// One line of `proofs.jsonl`, for the line of `events.jsonl` in the same place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Proof {
    #[serde(rename = "as")]
    pub(super) why: As,
    /// In which log it is; null: no checkpoint covers it.
    pub(super) log: Option<String>,
    /// From its leaf to the root of the last checkpoint of that log; null: a range proves it.
    pub(super) path: Option<Vec<Hex>>,
    /// The number of the first event of its segment.
    pub(super) segment: u64,
    pub(super) seq: u64,
}

/// `trees.json`: the logs that lines come from, in the order of their events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trees {
    pub(super) logs: Vec<TreeOf>,
}

/// The tree of one log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TreeOf {
    /// The names of its checkpoints, by size; the last one counts.
    pub(super) checkpoints: Vec<String>,
    /// That each checkpoint but the first goes on the one before it.
    pub(super) consistency: Vec<Vec<Hex>>,
    /// The number of its first event.
    pub(super) from: u64,
    pub(super) log: String,
    pub(super) range: Option<Range>,
}

/// That a whole range of events is in a tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Range {
    /// The edge of the tree over the events before it.
    pub(super) edge: Vec<Hex>,
    pub(super) first: u64,
    pub(super) last: u64,
    /// That the tree of the last checkpoint goes on the one that ends with the range.
    pub(super) path: Vec<Hex>,
}

/// A hash, in lower-case hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hex(pub(super) Hash);

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let hash = super::unhex(&text);
        hash.map(Self)
            .ok_or_else(|| D::Error::custom("no hash of 64 hexadecimal digits"))
    }
}

/// Hashes as they are written.
pub(super) fn hexes(hashes: Vec<Hash>) -> Vec<Hex> {
    hashes.into_iter().map(Hex).collect()
}

/// Hashes as they are used.
pub(super) fn hashes(hexes: &[Hex]) -> Vec<Hash> {
    hexes.iter().map(|hex| hex.0).collect()
}

/// Writes one of these forms: their fields stand in the order of canonical JSON.
pub(super) fn written<T: Serialize>(form: &T) -> Vec<u8> {
    // Each of their parts has a form in JSON.
    serde_json::to_vec(form).unwrap_or_default()
}

/// Reads one of these forms, if it is spelled as [`written`] does.
pub(super) fn read<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let form: T = serde_json::from_slice(bytes).ok()?;
    (written(&form) == bytes).then_some(form)
}
