//! Postcodes and towns behind a street.

use super::super::label::is_one_of;
use super::super::reader::{byte, is_word, word_end};
use super::super::words::Words;
use super::skip;
use super::street::is_particle;

/// How far behind the street a postcode may stand: with floors, doors and quarters between them.
const REACH: usize = 64;
/// Words of a town's name.
const WORDS_MAX: usize = 6;

/// Where the next postcode stands, as far as it was looked for.
#[derive(Default)]
pub(in crate::detect::identifier) struct Postcodes {
    /// From here on.
    from: usize,
    /// It stands here, or further on.
    next: usize,
}

impl Postcodes {
    /// Whether one stands so near behind `at` that it may belong to a street there.
    pub(super) fn is_near(&mut self, text: &[u8], at: usize) -> bool {
        if at < self.from || at > self.next {
            (self.from, self.next) = (at, at);
        }
        while self.next < text.len() && self.next < at + REACH {
            let start = self.next;
            let is_first = is_word(text[start]) && (start == 0 || !is_word(text[start - 1]));
            if is_first && postcode_at(text, start).is_some() {
                return true;
            }
            self.next += 1;
        }
        false
    }
}

/// Where an address ends whose postcode stands somewhere behind `at`, and no sentence ends before it.
pub(super) fn behind(text: &[u8], at: usize) -> Option<usize> {
    let last = text.len().min(at + REACH);
    let mut place = at;
    let mut lines = 0;
    while place < last {
        let here = text[place];
        let starts_word = is_word(here) && (place == 0 || !is_word(text[place - 1]));
        if starts_word {
            if let Some(end) = postcode_at(text, place) {
                let is_british = end - place > 5 && here.is_ascii_uppercase();
                let town = name_behind_postcode(text, end);
                if is_british || town.is_some() {
                    return Some(
                        town.filter(|_| !is_british || byte(text, end) == b' ')
                            .unwrap_or(end),
                    );
                }
            }
            let end = word_end(text, place);
            let digits = text[place..end]
                .iter()
                .filter(|byte| byte.is_ascii_digit())
                .count();
            // A number of something else, or a sentence.
            if digits > 3 || STOPS.hold(&text[place..end]) {
                return None;
            }
            place = end;
            continue;
        }
        lines += usize::from(here == b'\n');
        let ends_sentence = matches!(here, b';' | b'!' | b'?' | b':' | b'@')
            || (here == b'.'
                && byte(text, place + 1) == b' '
                && place > at + 2
                && text[place - 1].is_ascii_lowercase()
                && byte(text, place + 2).is_ascii_uppercase()
                && word_is_long(text, place));
        if ends_sentence || lines > 2 {
            return None;
        }
        place += 1;
    }
    None
}

fn word_is_long(text: &[u8], end: usize) -> bool {
    text[..end]
        .iter()
        .rev()
        .take_while(|byte| is_word(**byte))
        .take(5)
        .count()
        > 4
}

/// Words that are in no address.
#[rustfmt::skip]
static STOPS: Words = Words::new(&[
    "appeler", "avec", "call", "con", "depuis", "email", "est", "for", "fur", "is", "ist", "mail", "mit", "para",
    "per", "pour", "rappeler", "rdv", "seit", "since", "tel", "telephone", "with",
]);

/// Where a postcode ends that begins at `at`.
pub(super) fn postcode_at(text: &[u8], at: usize) -> Option<usize> {
    let mut start = at;
    // `D-10115`, `B-1000`, `CH-1204`
    let letters = text
        .get(at..)?
        .iter()
        .take(3)
        .take_while(|byte| byte.is_ascii_uppercase())
        .count();
    if matches!(letters, 1 | 2) && byte(text, at + letters) == b'-' {
        start = at + letters + 1;
    } else if letters > 0 {
        return british(text, at).or_else(|| irish(text, at));
    }
    let end = start
        + text
            .get(start..)?
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
    let is_alone = !is_word(byte(text, end));
    match end - start {
        5 if is_alone => Some(end),
        4 if byte(text, end) == b'-' && is_digits(text, end + 1, 3) => Some(end + 4),
        4 if is_dutch(text, end) => Some(end + 2 + usize::from(byte(text, end) == b' ')),
        4 if is_alone && !is_date_like(text, start, end) => Some(end),
        _ => None,
    }
}

/// A year stands where postcodes do; with a word for a time before it, or a sign behind it.
fn is_date_like(text: &[u8], start: usize, end: usize) -> bool {
    let is_year = text[start..].starts_with(b"20") || text[start..].starts_with(b"19");
    is_year && (matches!(byte(text, end), b'.' | b',' | b')' | b'\n') || end >= text.len())
}

fn is_digits(text: &[u8], at: usize, count: usize) -> bool {
    text.get(at..at + count)
        .is_some_and(|part| part.iter().all(u8::is_ascii_digit))
        && !is_word(byte(text, at + count))
}

/// `1012 AB`.
fn is_dutch(text: &[u8], end: usize) -> bool {
    let at = end + usize::from(byte(text, end) == b' ');
    text.get(at..at + 2)
        .is_some_and(|part| part.iter().all(u8::is_ascii_uppercase))
        && !is_word(byte(text, at + 2))
}

/// `SW1A 1AA`, `M1 1AE`.
fn british(text: &[u8], at: usize) -> Option<usize> {
    let end = word_end(text, at);
    let out = text.get(at..end)?;
    let letters = out
        .iter()
        .take_while(|byte| byte.is_ascii_uppercase())
        .count();
    let is_in = |part: &[u8]| matches!(part, [a, b, c] if a.is_ascii_digit() && b.is_ascii_uppercase() && c.is_ascii_uppercase());
    let is_out = |out: &[u8]| {
        (1..=2).contains(&letters)
            && (letters + 1..=letters + 2).contains(&out.len())
            && out[letters].is_ascii_digit()
            && out[letters..].iter().all(u8::is_ascii_alphanumeric)
    };
    if byte(text, end) == b' ' {
        let next = word_end(text, end + 1);
        if is_out(out) && is_in(text.get(end + 1..next)?) {
            return Some(next);
        }
    }
    let (head, tail) = out.split_at_checked(out.len().checked_sub(3)?)?;
    (!head.is_empty() && is_out(head) && is_in(tail)).then_some(end)
}

/// `D02 X285`.
fn irish(text: &[u8], at: usize) -> Option<usize> {
    let part = text.get(at..at + 3)?;
    let fits = part[0].is_ascii_uppercase()
        && part[1].is_ascii_digit()
        && (part[2].is_ascii_digit() || part[2] == b'W');
    let next = at + 3 + usize::from(byte(text, at + 3) == b' ');
    let end = word_end(text, next);
    let rest = text.get(next..end)?;
    (fits
        && rest.len() == 4
        && rest
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && rest[0].is_ascii_uppercase())
    .then_some(end)
}

/// Where the town behind a postcode ends, if there is one.
pub(super) fn name_behind_postcode(text: &[u8], at: usize) -> Option<usize> {
    let start = skip(text, at);
    // In lower case only behind five digits: years have four.
    let may_be_lower = text[..at]
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_digit())
        .count()
        == 5;
    (start > at)
        .then(|| name(text, start, may_be_lower))
        .flatten()
        .map(|end| with_country(text, end))
}

/// Where the town behind a street ends that has no postcode: `12 rue de la Paix, Paris`, `… à Lyon`, `Dublin 4`.
pub(super) fn name_behind(text: &[u8], at: usize) -> Option<usize> {
    let is_set_off = byte(text, at) == b',';
    let start = skip(text, at);
    let end = word_end(text, start);
    let start =
        match is_one_of(text.get(start..end)?, &["a", "in", "en"]) && byte(text, end) == b' ' {
            true => end + 1,
            false if is_set_off => start,
            false => return None,
        };
    name(text, start, false)
}

/// Where a town's name ends that begins at `start`.
fn name(text: &[u8], start: usize, may_be_lower: bool) -> Option<usize> {
    let mut at = start;
    let mut end = None;
    for place in 0..WORDS_MAX {
        let next = word_end(text, at);
        let Some(word) = text.get(at..next).filter(|word| !word.is_empty()) else {
            break;
        };
        if word[0].is_ascii_digit() {
            // `Paris cedex 09`, `Dublin 4`
            if place > 0 && word.len() <= 2 {
                end = Some(next);
            }
            break;
        }
        let is_name = word[0].is_ascii_uppercase()
            || word[0] == 1
            || (may_be_lower && place == 0 && word.len() > 2)
            || word.eq_ignore_ascii_case(b"cedex");
        let is_joined = place > 0 && text[at - 1] == b'-';
        if is_name || is_joined {
            end = Some(next);
        } else if !is_particle(word)
            && !is_one_of(
                word,
                &[
                    "upon", "am", "an", "bei", "lez", "les", "aan", "ob", "im", "under",
                ],
            )
        {
            break;
        }
        if !matches!(byte(text, next), b' ' | b'-' | b'\'') || next >= text.len() {
            break;
        }
        at = next + 1;
    }
    end
}

/// Where an address ends with a province in brackets or a country behind the town.
fn with_country(text: &[u8], end: usize) -> usize {
    let mut end = end;
    if byte(text, end) == b' ' && byte(text, end + 1) == b'(' {
        let close = word_end(text, end + 2);
        if close - end == 4 && byte(text, close) == b')' {
            end = close + 1;
        }
    }
    let start = skip(text, end);
    let next = word_end(text, start);
    match text
        .get(start..next)
        .is_some_and(|word| COUNTRIES.hold(word))
    {
        true => next,
        false => end,
    }
}

#[rustfmt::skip]
static COUNTRIES: Words = Words::new(&[
    "allemagne", "austria", "autriche", "belgie", "belgique", "belgium", "deutschland", "espagne", "espana", "france",
    "germany", "ireland", "irlande", "italia", "italie", "italy", "luxembourg", "monaco", "nederland", "netherlands",
    "osterreich", "portugal", "schweiz", "spain", "suisse", "svizzera", "switzerland", "uk",
]);
