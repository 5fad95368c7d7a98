//! What the name of a field tells of what it holds: a dictionary of names in six languages.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use crate::policy::CATALOGUE;

/// The dictionary that the program is delivered with.
const NAMES: &str = include_str!("names.tsv");
/// Its languages.
const LANGUAGES: &[&str] = &["de", "en", "es", "fr", "it", "nl"];
/// The category of a harmless phrase.
const HARMLESS: &str = "-";

/// A dictionary.
#[derive(Debug, Default)]
pub struct Dictionary {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    words: Vec<Word>,
    /// Its words written in one.
    joined: Word,
    /// `None`: harmless.
    category: Option<String>,
}

/// A word of a phrase.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Word {
    text: String,
    /// Whether any ending may follow.
    is_open: bool,
}

impl Word {
    fn read(text: &str) -> Option<Self> {
        let plain = text.strip_suffix('*').unwrap_or(text);
        let is_word = !plain.is_empty() && plain.bytes().all(|byte| byte.is_ascii_lowercase());
        is_word.then(|| Self {
            text: plain.to_owned(),
            is_open: plain.len() < text.len(),
        })
    }

    fn fits(&self, part: &str) -> bool {
        match self.is_open {
            true => part.starts_with(&self.text),
            false => part == self.text,
        }
    }
}

impl Dictionary {
    /// The one that the program is delivered with. A test holds it to be without mistakes.
    pub fn shipped() -> &'static Self {
        static SHIPPED: LazyLock<Dictionary> =
            LazyLock::new(|| Dictionary::read(NAMES).unwrap_or_default());
        &SHIPPED
    }

    /// Reads a dictionary.
    ///
    /// # Errors
    /// The first line that cannot be used, and why.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut entries = Vec::new();
        let mut known: BTreeMap<(String, String), usize> = BTreeMap::new();
        let mut meanings: BTreeMap<String, String> = BTreeMap::new();
        for (at, line) in text.lines().enumerate() {
            let number = at + 1;
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |why: &str| Err(format!("line {number}: {why}"));
            let columns: Vec<&str> = line.split('\t').collect();
            let [language, phrase, category] = columns.as_slice() else {
                return wrong("must be language, phrase and category, parted by tabs");
            };
            if !LANGUAGES.contains(language) {
                return wrong("unknown language");
            }
            let words: Option<Vec<Word>> = phrase.split(' ').map(Word::read).collect();
            let Some(words) = words else {
                return wrong("a phrase is words of a to z, perhaps with `*` at their ends");
            };
            if words.iter().rev().skip(1).any(|word| word.is_open) {
                return wrong("only the last word may have any ending");
            }
            if *category != HARMLESS && !is_category(category) {
                return wrong("unknown category");
            }
            let key = ((*language).to_owned(), (*phrase).to_owned());
            if let Some(first) = known.insert(key, number) {
                return wrong(&format!("stands in line {first} already"));
            }
            let meaning = meanings.entry((*phrase).to_owned());
            if *meaning.or_insert_with(|| (*category).to_owned()) != *category {
                return wrong("has another category in another language");
            }
            entries.push(Entry {
                joined: Word {
                    text: words.iter().map(|word| word.text.as_str()).collect(),
                    is_open: words.last().is_some_and(|word| word.is_open),
                },
                words,
                category: (*category != HARMLESS).then(|| (*category).to_owned()),
            });
        }
        Ok(Self { entries })
    }

    /// The categories that a name of a field tells of.
    pub fn tells(&self, name: &str) -> BTreeSet<&str> {
        let parts = parts(name);
        let mut hits: Vec<(std::ops::Range<usize>, Option<&str>)> = Vec::new();
        for entry in &self.entries {
            for at in 0..parts.len() {
                if let Some(length) = entry.fits(parts.get(at..).unwrap_or_default()) {
                    hits.push((at..at + length, entry.category.as_deref()));
                }
            }
        }
        let is_silenced = |range: &std::ops::Range<usize>| {
            hits.iter().any(|(other, category)| {
                category.is_none() && other.start <= range.start && range.end <= other.end
            })
        };
        // A longer phrase means what it says, not what a word of it would: `email address` is no address.
        let is_part = |range: &std::ops::Range<usize>| {
            hits.iter().any(|(other, _)| {
                other.len() > range.len() && other.start <= range.start && range.end <= other.end
            })
        };
        let meant = hits.iter().filter(|(range, _)| !is_silenced(range));
        let meant =
            meant.filter(|(range, category)| category.is_some_and(is_strict) || !is_part(range));
        meant.filter_map(|(_, category)| *category).collect()
    }
}

impl Entry {
    /// How many parts it fits at the beginning of some.
    fn fits(&self, parts: &[String]) -> Option<usize> {
        let first = parts.first()?;
        if self.joined.fits(first) {
            return Some(1);
        }
        let fits = self.words.len() <= parts.len()
            && self
                .words
                .iter()
                .zip(parts)
                .all(|(word, part)| word.fits(part));
        fits.then_some(self.words.len())
    }
}

/// Whether a category is one of the catalogue, and not what only the CRM itself writes.
fn is_category(name: &str) -> bool {
    let is_technical = name == "technical" || name.starts_with("technical.");
    !is_technical && CATALOGUE.iter().any(|built_in| built_in.name == name)
}

/// Whether data of a category is protected by Art. 9 or 10 GDPR.
pub(super) fn is_strict(category: &str) -> bool {
    category == "criminal" || category.starts_with("special.")
}

/// The parts of a name, in lower case: between `_` and `-`, digits and capitals.
fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut before = '_';
    let mut letters = name.chars().peekable();
    while let Some(letter) = letters.next() {
        // `IBANNumber`: the last capital of several begins a word, if a small letter follows.
        let next_is_small = letters.peek().is_some_and(char::is_ascii_lowercase);
        let begins = letter.is_ascii_uppercase()
            && (before.is_ascii_lowercase() || (before.is_ascii_uppercase() && next_is_small));
        if begins || !letter.is_ascii_alphabetic() {
            parts.push(String::new());
        }
        if let (true, Some(part)) = (letter.is_ascii_alphabetic(), parts.last_mut()) {
            part.push(letter.to_ascii_lowercase());
        }
        before = letter;
    }
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str) -> Vec<&'static str> {
        Dictionary::shipped().tells(name).into_iter().collect()
    }

    #[test]
    fn the_dictionary_has_no_mistake() {
        let read = Dictionary::read(NAMES).unwrap();
        assert!(read.entries.len() > 300);
        for language in LANGUAGES {
            for category in [
                "special.health",
                "special.belief",
                "special.trade_union",
                "criminal",
            ] {
                let line = |line: &&str| {
                    line.starts_with(&format!("{language}\t"))
                        && line.ends_with(&format!("\t{category}"))
                };
                assert!(NAMES.lines().any(|one| line(&one)), "{language} {category}");
            }
        }
        for harmless in NAMES.lines().filter(|line| line.ends_with("\t-")) {
            let phrase = harmless.split('\t').nth(1).unwrap();
            let loud: String = NAMES
                .lines()
                .filter(|line| !line.ends_with("\t-"))
                .map(|line| format!("{line}\n"))
                .collect();
            let name = phrase.replace(' ', "_").replace('*', "");
            let told = !Dictionary::read(&loud).unwrap().tells(&name).is_empty();
            assert!(told, "`{phrase}` silences nothing");
        }
    }

    #[test]
    fn mistakes_are_told_with_their_lines() {
        for (text, why) in [
            ("en\tiban", "line 1: must be"),
            ("xx\tiban\tfinancial.iban", "line 1: unknown language"),
            ("en\tIban\tfinancial.iban", "line 1: a phrase"),
            ("en\t\tfinancial.iban", "line 1: a phrase"),
            ("en\ta* b\tfinancial.iban", "line 1: only the last"),
            ("en\tiban\tfinancial.ibam", "line 1: unknown category"),
            ("en\tid\ttechnical.id", "line 1: unknown category"),
            (
                "# x\nen\ta\tcriminal\n\nen\ta\tcriminal",
                "line 4: stands in line 2",
            ),
            ("en\ta\tcriminal\nfr\ta\tfree_text", "line 2: has another"),
        ] {
            let error = Dictionary::read(text).unwrap_err();
            assert!(error.starts_with(why), "{text}: {error}");
        }
    }

    #[test]
    fn names_are_cut_at_marks_digits_and_capitals() {
        assert_eq!(
            parts("x_confessionReligieuse"),
            ["x", "confession", "religieuse"]
        );
        assert_eq!(parts("IBANNumber2_c"), ["iban", "number", "c"]);
        assert_eq!(parts("ETHNIC-origin"), ["ethnic", "origin"]);
        assert_eq!(parts("__9"), Vec::<String>::new());
    }

    #[test]
    fn names_tell_what_fields_hold() {
        for (name, category) in [
            ("religion_c", "special.belief"),
            ("x_confessionReligieuse", "special.belief"),
            ("konfession_c", "special.belief"),
            ("tradeUnionMember", "special.trade_union"),
            ("tradeunion_c", "special.trade_union"),
            ("sindacato_c", "special.trade_union"),
            ("syndicat_c", "special.trade_union"),
            ("krankenkasse_c", "special.health"),
            ("salud_c", "special.health"),
            ("gezondheidstoestand_c", "special.health"),
            ("casier_judiciaire_c", "criminal"),
            ("iban_c", "financial.iban"),
            ("rib_old_c", "financial.iban"),
            ("num_secu_c", "identity.national_id"),
            ("codiceFiscale", "identity.national_id"),
            ("geburtsdatum", "identity.birth_date"),
            ("phone_mobile", "contact.phone"),
            ("email_address", "contact.email"),
            ("primary_address_street", "contact.address"),
            ("gehalt_c", "financial.income"),
        ] {
            assert_eq!(told(name), [category], "{name}");
        }
    }

    #[test]
    fn names_that_only_look_alike_tell_nothing() {
        for name in [
            "souvenir_c",
            "healthcheck_url",
            "health_score_c",
            "account_health_c",
            "attribute_c",
            "distribution_c",
            "trace_id",
            "aerobic_offer_c",
            "disabled",
            "invalid_email_c2x",
            "politique_prix_c",
            "ip_address_x1",
            "device_fingerprint",
            "prescription_url2",
            "faculte_c",
            "difficulte_c",
            "croissante_c",
            "brace_c",
            "union_station_c",
            "lead_source",
            "status",
            "shoe_size_c",
        ] {
            let told: Vec<&str> = told(name)
                .into_iter()
                .filter(|one| *one != "contact.email")
                .collect();
            assert!(told.is_empty(), "{name}: {told:?}");
        }
    }
}
