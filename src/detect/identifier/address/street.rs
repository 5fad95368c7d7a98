//! Words for streets, and the street that stands before a place.

use super::super::label::is_one_of;
use super::super::reader::{byte, byte_before, is_word, word_start};
use super::super::words::Words;

/// How much a word for a street tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strength {
    /// It means hardly anything else.
    Strong,
    /// It means other things, too: a postcode and a town must follow.
    Weak,
}

/// Words that stand before the name of a street.
#[rustfmt::skip]
static ROMANCE: Words = Words::new(&[
    "alameda", "allee", "allees", "av", "avda", "ave", "avenida", "avenue", "bd", "beco", "bld", "blvd", "boul",
    "boulevard", "calle", "callejon", "camino", "carrer", "carretera", "chaussee", "chemin", "clos", "contrada",
    "corso", "ctra", "dreve", "esplanade", "estrada", "faubourg", "fbg", "glorieta", "imp", "impasse", "largo",
    "lotissement", "lungomare", "lungotevere", "paseo", "piazza", "piazzale", "plaza", "praca", "promenade", "pza",
    "quai", "rond", "ronda", "rua", "rue", "ruelle", "sentier", "square", "strada", "travesia", "travessa",
    "urbanizacion", "venelle", "via", "viale", "vicolo",
]);
/// The same that mean other things as well.
#[rustfmt::skip]
static ROMANCE_WEAK: Words = Words::new(&[
    "all", "barrio", "c", "ch", "chem", "cite", "cl", "cote", "cours", "domaine", "ferme", "galerie", "hameau",
    "levee", "lieu", "lot", "mail", "montee", "moulin", "p", "parc", "passage", "pl", "place", "poligono", "pont",
    "porte", "q", "quartier", "r", "res", "residence", "route", "rte", "sq", "traverse", "urb", "v", "villa", "voie",
    "za", "zac", "zi", "zone",
]);
/// Those of them that are common words: their first letter, or the name behind them, tells more.
#[rustfmt::skip]
static COMMON: Words = Words::new(&[
    "alameda", "av", "ave", "camino", "clos", "contrada", "corso", "esplanade", "estrada", "imp", "largo", "piazza",
    "plaza", "promenade", "rond", "ronda", "square", "strada", "via",
]);
/// How people meet and write.
#[rustfmt::skip]
static MEANS: Words = Words::new(&[
    "email*", "facebook", "fax", "google", "hubspot", "internet", "linkedin", "mail*", "meet", "outlook",
    "salesforce", "skype", "slack", "sms", "teams", "tel*", "web*", "whatsapp", "zoom",
]);

/// Words that stand behind the name of an English street.
#[rustfmt::skip]
static ENGLISH: Words = Words::new(&[
    "ave", "avenue", "boulevard", "cres", "crescent", "drive", "esplanade", "gardens", "gdns", "grove", "lane", "ln",
    "mews", "parade", "quay", "rd", "road", "st", "street", "terrace",
]);
/// The same that mean other things as well.
#[rustfmt::skip]
static ENGLISH_WEAK: Words = Words::new(&[
    "bank", "broadway", "buildings", "circus", "close", "cottages", "court", "ct", "dr", "embankment", "end", "gate",
    "green", "heights", "hill", "house", "park", "pl", "place", "rise", "row", "sq", "square", "strand", "vale",
    "view", "walk", "way", "wharf", "yard",
]);

/// What compound names of streets end in.
const GERMANIC: &[&str] = &[
    "strasse", "str", "gasse", "allee", "straat", "laan", "gracht", "kade", "singel", "steenweg",
    "plein", "steig", "chaussee", "ufer", "damm",
];
/// The same that other words end in as well.
const GERMANIC_WEAK: &[&str] = &[
    "weg",
    "platz",
    "ring",
    "hof",
    "markt",
    "graben",
    "dijk",
    "pad",
    "dreef",
    "berg",
    "park",
    "tor",
    "feld",
    "stieg",
    "pfad",
    "zeile",
    "wall",
    "lei",
    "hoek",
    "wiese",
    "anger",
    "garten",
    "kai",
    "strasze",
    "stiege",
    "promenade",
    "gurtel",
    "lände",
    "lande",
    "siedlung",
    "straße",
    "bruck",
];
/// Words that end like streets and are none.
#[rustfmt::skip]
static NO_STREETS: Words = Words::new(&[
    "arbeitsplatz", "baumarkt", "bildungsweg", "catering", "engineering", "heimweg", "hinweg", "liegeplatz",
    "manufacturing", "marktplein", "monitoring", "parkplatz", "postweg", "rechtsweg", "recruiting", "ruckweg",
    "sitzplatz", "speelplein", "spielplatz", "stehplatz", "stellplatz", "supermarkt", "umweg", "vertriebsweg",
    "wereldplein",
]);
/// Words that a Germanic street begins with by itself.
#[rustfmt::skip]
static PREPOSITIONS: Words = Words::new(&[
    "aan", "am", "an", "auf", "bei", "het", "hinter", "im", "in", "op", "unter", "vor", "zum", "zur",
]);

/// Whether a word stands inside of the names of streets and is no name.
pub(super) fn is_particle(word: &[u8]) -> bool {
    is_one_of(
        word,
        &[
            "de", "du", "des", "la", "le", "les", "l", "d", "del", "della", "delle", "dei",
            "degli", "dello", "los", "las", "el", "do", "da", "dos", "das", "et", "y", "e", "van",
            "von", "der", "den", "dem", "en", "sur", "sous", "aux", "au", "a", "saint", "sainte",
            "st", "ste", "i",
        ],
    )
}

/// Whether a word is one that is shortened with a dot.
pub(super) fn is_short(word: &[u8]) -> bool {
    word.len() <= 4
}

/// How much a word tells that stands before the name of a street.
pub(super) fn romance(text: &[u8], at: usize, word: &[u8]) -> Option<Strength> {
    if ROMANCE.hold(word) {
        let name = text.get(at + word.len() + 1..).unwrap_or_default();
        let length = name.iter().take_while(|byte| is_word(**byte)).count();
        let is_common = COMMON.hold(word) && word[0].is_ascii_lowercase();
        let is_means = MEANS.hold(&name[..length]);
        return (!is_means).then_some(match is_common {
            true => Strength::Weak,
            false => Strength::Strong,
        });
    }
    // `c/ Mayor`
    let is_slashed = byte(text, at + word.len()) == b'/';
    match is_one_of(word, &["c", "r", "p", "v"]) {
        true => (is_slashed || byte(text, at + word.len()) == b'.').then_some(Strength::Weak),
        false => ROMANCE_WEAK.hold(word).then(|| {
            let name = byte(text, at + word.len() + 1);
            let is_place = is_one_of(word, &["place", "route", "cours", "passage"]);
            match is_place
                && (name.is_ascii_uppercase() || is_followed_by_particle(text, at + word.len() + 1))
            {
                true => Strength::Strong,
                false => Strength::Weak,
            }
        }),
    }
}

/// Whether `de la`, `du` and the like stand there, and a name behind them.
fn is_followed_by_particle(text: &[u8], at: usize) -> bool {
    let mut at = at;
    for _ in 0..2 {
        let end = super::word_end(text, at);
        let Some(word) = text.get(at..end) else {
            return false;
        };
        if !is_particle(word) || word.is_empty() {
            return word.first().is_some_and(u8::is_ascii_uppercase);
        }
        at = end + 1;
    }
    byte(text, at).is_ascii_uppercase()
}

/// How much a word tells that stands behind the name of an English street.
pub(super) fn english(word: &[u8]) -> Option<Strength> {
    if ENGLISH.hold(word) {
        return Some(Strength::Strong);
    }
    ENGLISH_WEAK.hold(word).then_some(Strength::Weak)
}

/// How much a word tells that is the name of a Germanic street.
fn germanic(word: &[u8]) -> Option<Strength> {
    let ends_in = |end: &&str| {
        word.len() > end.len() + 2
            && word[word.len() - end.len()..].eq_ignore_ascii_case(end.as_bytes())
    };
    if NO_STREETS.hold(word) || word.len() < 5 {
        return None;
    }
    if GERMANIC.iter().any(&ends_in) {
        return Some(Strength::Strong);
    }
    GERMANIC_WEAK.iter().any(ends_in).then_some(Strength::Weak)
}

/// The street whose last word ends at `end`: where it begins, how much tells that it is one, and whether it has a name.
pub(super) fn before(text: &[u8], end: usize) -> Option<(usize, Strength, bool)> {
    let mut start = word_start(text, end);
    let last = &text[start..end];
    if last.is_empty() || !last[0].is_ascii_alphabetic() {
        return None;
    }
    let is_upper = last[0].is_ascii_uppercase();
    let by_itself = GERMANIC
        .iter()
        .chain(GERMANIC_WEAK)
        .any(|end| last.eq_ignore_ascii_case(end.as_bytes()));
    if let Some(strength) = germanic(last) {
        let start = with_names_before(text, start);
        return Some((
            start,
            if is_upper { strength } else { Strength::Weak },
            true,
        ));
    }
    if by_itself && start > 1 && b" -".contains(&text[start - 1]) {
        let name = word_start(text, start - 1);
        let is_name = byte(text, name).is_ascii_uppercase() && name < start - 1;
        let is_long = GERMANIC
            .iter()
            .take(4)
            .any(|end| last.eq_ignore_ascii_case(end.as_bytes()));
        if is_name {
            let strength = if is_long {
                Strength::Strong
            } else {
                Strength::Weak
            };
            return Some((with_names_before(text, name), strength, true));
        }
    }
    // The word for a street before the name of one, or a preposition.
    let mut is_named = is_upper;
    for _ in 0..6 {
        let gap = byte_before(text, start);
        let step = match gap {
            b' ' | b'-' | b'\'' | b'/' => {
                1 + usize::from(start > 1 && gap == b' ' && b"./".contains(&byte(text, start - 2)))
            }
            b'.' => 1,
            _ => return None,
        };
        let word_ends = start.checked_sub(step)?;
        let first = word_start(text, word_ends);
        let word = &text[first..word_ends];
        if word.is_empty() || word[0].is_ascii_digit() {
            return None;
        }
        if let Some(strength) = romance(text, first, word) {
            return Some((first, strength, is_named));
        }
        if PREPOSITIONS.hold(word) && word[0].is_ascii_uppercase() && is_named {
            return Some((first, Strength::Weak, true));
        }
        if !word[0].is_ascii_uppercase() && !is_particle(word) && is_named && gap == b' ' {
            return None;
        }
        is_named |= word[0].is_ascii_uppercase();
        start = first;
    }
    None
}

/// Where a name begins of which more words stand before: `Karl-Marx-Allee`, `Lange Straße`.
fn with_names_before(text: &[u8], start: usize) -> usize {
    let mut start = start;
    for _ in 0..3 {
        if byte_before(text, start) != b'-' {
            break;
        }
        let first = word_start(text, start - 1);
        if first == start - 1 {
            break;
        }
        start = first;
    }
    start
}
