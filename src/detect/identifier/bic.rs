//! Business identifier codes (ISO 9362), where a word or an account beside one tells it from other words.

use std::ops::Range;

use memchr::memchr_iter;
use memchr::memmem;

use super::super::plain::ACCOUNT;
use super::Kind;
use super::label::is_one_of;
use super::reader::{Found, byte, byte_before, is_word, word_end, word_start};

/// Bytes behind the word for a code in which it stands.
const REACH: usize = 48;

/// Bank (four letters), country (two), place (two letters or digits), and perhaps a branch (three).
pub(super) fn is_bic(symbols: &[u8]) -> bool {
    matches!(symbols.len(), 8 | 11)
        && symbols.iter().take(6).all(u8::is_ascii_uppercase)
        && symbols
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

const NAMES: &[&str] = &["BIC", "bic", "Bic", "SWIFT", "swift", "Swift"];

/// Finds every code of a text.
pub(super) fn all(text: &[u8], is_named: bool, found: &mut Vec<Found>) {
    for name in NAMES.iter().filter(|_| is_named) {
        for at in memmem::find_iter(text, name.as_bytes()) {
            let end = at + name.len();
            let is_whole = !byte_before(text, at).is_ascii_alphabetic()
                && !byte(text, end).is_ascii_lowercase();
            if is_whole {
                let code = behind(text, end, &is_code).or_else(|| before(text, at, &is_code));
                add(code, found);
            }
        }
    }
    let mut end = 0;
    for at in memchr_iter(ACCOUNT, text) {
        if at < end {
            continue;
        }
        end = at
            + text[at..]
                .iter()
                .take_while(|byte| **byte == ACCOUNT)
                .count();
        let country = text
            .get(at.saturating_sub(2)..at)
            .unwrap_or_default()
            .to_ascii_uppercase();
        let is_of_bank = |code: &[u8]| is_bic(code) && code.get(4..6) == Some(&*country);
        let code = behind(text, end, &is_of_bank)
            .or_else(|| before(text, at.saturating_sub(2), &is_of_bank));
        add(code, found);
    }
}

fn add(code: Option<Range<usize>>, found: &mut Vec<Found>) {
    if let Some(code) = code
        && found
            .iter()
            .rev()
            .take(8)
            .all(|(_, other)| other.end <= code.start || code.end <= other.start)
    {
        found.push((Kind::Bic, code));
    }
}

/// Whether letters are a code where a word says so: also in lower case, of the countries around.
fn is_code(code: &[u8]) -> bool {
    let country = code.get(4..6).unwrap_or_default().to_ascii_uppercase();
    if is_bic(code) {
        return COUNTRIES
            .as_bytes()
            .chunks(3)
            .any(|known| known.starts_with(&country));
    }
    let is_lower = code
        .iter()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    is_lower
        && is_bic(&code.to_ascii_uppercase())
        && NEAR
            .as_bytes()
            .chunks(3)
            .any(|known| known.starts_with(&country))
}

/// The code among the words behind a place.
fn behind(text: &[u8], at: usize, fits: &dyn Fn(&[u8]) -> bool) -> Option<Range<usize>> {
    let last = text.len().min(at + REACH);
    let (mut start, mut is_first) = (at, true);
    while start < last {
        if !is_word(text[start]) {
            start += 1;
            continue;
        }
        let end = word_end(text, start);
        let code = code_end(text, start, end, fits).map(|end| start..end);
        // In lower case a code looks like other words: it stands directly behind.
        if let Some(code) =
            code.filter(|code| is_first || !text[code.clone()].iter().any(u8::is_ascii_lowercase))
        {
            return Some(code);
        }
        is_first &= is_one_of(
            &text[start..end],
            &["swift", "bic", "code", "est", "is", "ist", "es"],
        );
        start = end;
    }
    None
}

/// Where a code ends whose first word is this one; it may be written in groups.
fn code_end(text: &[u8], start: usize, end: usize, fits: &dyn Fn(&[u8]) -> bool) -> Option<usize> {
    let mut code = [0; 11];
    let mut length = 0;
    let (mut from, mut to) = (start, end);
    let mut best = None;
    for group in 0..4 {
        let word = text.get(from..to).unwrap_or_default();
        if word.is_empty()
            || (group == 0 && word.len() < 4)
            || length + word.len() > code.len()
            || (group > 0 && word.len() > 4)
        {
            break;
        }
        code[length..length + word.len()].copy_from_slice(word);
        length += word.len();
        if matches!(length, 8 | 11)
            && fits(&code[..length])
            && (group == 0 || code[..length].iter().all(|byte| !byte.is_ascii_lowercase()))
        {
            best = Some(to);
        }
        if !matches!(byte(text, to), b' ' | b'-') || to >= text.len() {
            break;
        }
        from = to + 1;
        to = word_end(text, from);
    }
    best
}

/// The code among the three words before a place.
fn before(text: &[u8], at: usize, fits: &dyn Fn(&[u8]) -> bool) -> Option<Range<usize>> {
    let first = at.saturating_sub(REACH / 2);
    let mut end = at;
    for _ in 0..3 {
        while end > first && !is_word(text[end - 1]) {
            if text[end - 1] == b'\n' {
                return None;
            }
            end -= 1;
        }
        let start = word_start(text, end);
        if start < end && fits(&text[start..end]) {
            return Some(start..end);
        }
        end = start;
    }
    None
}

/// Codes of countries (ISO 3166), and Kosovo's.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA \
    CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI \
    GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC \
    LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA \
    PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH \
    TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW ";
/// Those of the countries around.
const NEAR: &str = "FR BE LU CH DE AT ES IT NL GB IE PT MC ";
