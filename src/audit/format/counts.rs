//! How much of each entry of the terms there was.

use serde::de::Error as _;
use serde::ser::SerializeSeq as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Records, and identifiers found in texts.
pub(in crate::audit) type Count = (u64, u64);

/// The entries of the terms of which there was more or less than of records, in their order: `[[9,20,7],[19,60]]` says that
/// the entry 9 (from 0) was met in 20 records, with 7 identifiers in texts, and the entry 19 in 60, with none. Any other entry
/// was met in each record that was disclosed, with none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::audit) struct Counts(Vec<(usize, Count)>);

impl Counts {
    /// Of so many records, these counts of entries.
    pub(in crate::audit) fn new(records: u64, counts: Vec<Count>) -> Self {
        let counts = counts.into_iter().enumerate();
        Self(counts.filter(|(_, count)| *count != (records, 0)).collect())
    }

    /// The count of an entry, of so many records.
    pub(in crate::audit) fn of(&self, entry: usize, records: u64) -> Count {
        let own = self.0.binary_search_by_key(&entry, |(entry, _)| *entry);
        let own = own.ok().and_then(|at| self.0.get(at));
        own.map_or((records, 0), |(_, count)| *count)
    }

    /// The same, where all that counts is whether there was any of it; of so many records.
    pub(in crate::audit) fn outlined(&self, records: u64) -> Self {
        let outline = |(records, in_text): Count| (records.min(1), in_text.min(1));
        let of = |(entry, count): &(usize, Count)| (*entry, outline(*count));
        let counts = self.0.iter().map(of);
        Self(
            counts
                .filter(|(_, count)| *count != outline((records, 0)))
                .collect(),
        )
    }

    /// Whether they are counts of so many entries.
    pub(in crate::audit) fn fit(&self, entries: usize) -> bool {
        self.0.last().is_none_or(|(entry, _)| *entry < entries)
    }
}

impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for (entry, (records, in_text)) in &self.0 {
            match in_text {
                0 => list.serialize_element(&(entry, records))?,
                _ => list.serialize_element(&(entry, records, in_text))?,
            }
        }
        list.end()
    }
}

impl<'de> Deserialize<'de> for Counts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |numbers: &Vec<u64>| {
            let (entry, count) = match *numbers.as_slice() {
                [entry, records] => (entry, (records, 0)),
                [entry, records, in_text] if in_text > 0 => (entry, (records, in_text)),
                _ => return None,
            };
            Some((usize::try_from(entry).ok()?, count))
        };
        let lists = Vec::<Vec<u64>>::deserialize(deserializer)?;
        let counts: Option<Vec<(usize, Count)>> = lists.iter().map(read).collect();
        counts
            .filter(|counts| counts.is_sorted_by(|(one, _), (next, _)| one < next))
            .map(Self)
            .ok_or_else(|| D::Error::custom("a count is an entry and a number or two, in order"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn only_what_differs_is_written_and_all_is_read_again() {
        for (records, counts, text) in [
            (0, vec![], "[]"),
            (0, vec![(0, 0), (0, 0)], "[]"),
            (20, vec![(20, 0), (20, 0), (20, 0)], "[]"),
            (20, vec![(20, 0), (20, 7), (60, 0)], "[[1,20,7],[2,60]]"),
            (1, vec![(0, 0), (1, 0)], "[[0,0]]"),
        ] {
            let short = Counts::new(records, counts.clone());
            assert_eq!(serde_json::to_string(&short).unwrap(), text);
            let value: Value = serde_json::from_str(text).unwrap();
            let read = Counts::deserialize(&value).unwrap();
            assert_eq!(read, short);
            let all = (0..counts.len()).map(|entry| read.of(entry, records));
            assert_eq!(all.collect::<Vec<_>>(), counts);
            assert!(read.fit(counts.len()));
        }
        let value: Value = serde_json::from_str("[[1,20,7],[2,60]]").unwrap();
        assert!(!Counts::deserialize(&value).unwrap().fit(2));
        for text in [
            "[1]",
            "[[1]]",
            "[[1,2,0]]",
            "[[1,2,3,4]]",
            "[[-1,2]]",
            "[[1,2],[1,3]]",
            "[[2,1],[1,1]]",
            "[[\"1\",2]]",
            "[null]",
        ] {
            let value: Value = serde_json::from_str(text).unwrap();
            assert!(Counts::deserialize(&value).is_err(), "{text}");
        }
    }
}
