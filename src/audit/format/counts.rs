//! How much of each entry of the terms there was.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// Records, and identifiers found in texts.
pub(in crate::audit) type Count = (u64, u64);

/// One count for each entry of the terms, in their order: `20`, or `[20,3]` where identifiers were found in texts. What
/// repeats at the end is left out: beyond the last count, each entry has that one, and without any, none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::audit) struct Counts(Vec<Count>);

impl Counts {
    pub(in crate::audit) fn new(mut counts: Vec<Count>) -> Self {
        while let [.., one, last] = counts.as_slice()
            && one == last
        {
            counts.pop();
        }
        if counts == [(0, 0)] {
            counts.clear();
        }
        Self(counts)
    }

    /// The count of an entry.
    pub(in crate::audit) fn of(&self, entry: usize) -> Count {
        let count = self.0.get(entry).or_else(|| self.0.last());
        count.copied().unwrap_or_default()
    }

    /// For how many entries there are counts of their own.
    pub(in crate::audit) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(untagged)]
        enum Short {
            Records(u64),
            Both(u64, u64),
        }
        serializer.collect_seq(self.0.iter().map(|count| match *count {
            (records, 0) => Short::Records(records),
            (records, in_text) => Short::Both(records, in_text),
        }))
    }
}

impl<'de> Deserialize<'de> for Counts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |value: &Value| match value.as_array().map(Vec::as_slice) {
            Some([records, in_text]) => Some((records.as_u64()?, in_text.as_u64()?)),
            Some(_) => None,
            None => Some((value.as_u64()?, 0)),
        };
        let values = Vec::<Value>::deserialize(deserializer)?;
        let counts: Option<Vec<Count>> = values.iter().map(read).collect();
        counts
            .map(Self)
            .ok_or_else(|| D::Error::custom("a count is a number or two"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_repeats_at_the_end_is_left_out_and_read_again() {
        for (counts, text) in [
            (vec![], "[]"),
            (vec![(0, 0), (0, 0)], "[]"),
            (vec![(20, 0), (20, 0), (20, 0)], "[20]"),
            (vec![(20, 0), (3, 7), (0, 0), (0, 0)], "[20,[3,7],0]"),
            (vec![(0, 0), (1, 0)], "[0,1]"),
        ] {
            let short = Counts::new(counts.clone());
            assert_eq!(serde_json::to_string(&short).unwrap(), text);
            let value: Value = serde_json::from_str(text).unwrap();
            let read = Counts::deserialize(&value).unwrap();
            assert_eq!(read, short);
            let all: Vec<Count> = (0..counts.len()).map(|entry| read.of(entry)).collect();
            assert_eq!(all, counts);
        }
        for text in ["[1.5]", "[[1]]", "[[1,2,3]]", "[-1]", "[\"1\"]", "[null]"] {
            let value: Value = serde_json::from_str(text).unwrap();
            assert!(Counts::deserialize(&value).is_err(), "{text}");
        }
    }
}
