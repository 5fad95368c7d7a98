//! Numbers of passports: the forms of the countries around, behind a word that says so.

use std::ops::Range;

use super::label;
use super::reader::{byte, byte_before, is_word, word_end};
use super::words::Words;

/// Bytes of the longest, in groups.
pub(super) const BYTES_MAX: usize = 14;

/// Words for a passport.
#[rustfmt::skip]
static WORDS: Words = Words::new(&[
    "pasaporte*", "paspoort*", "pass", "passaport*", "passeport*", "passnr", "passnummer", "passport*", "reisepass*",
]);
/// Words of other numbers and dates that stand nearer.
#[rustfmt::skip]
static OTHERS: Words = Words::new(&[
    "bestell*", "booking", "carte", "case", "commande", "dni", "dossier", "factura", "facture", "fattura", "flight",
    "flug", "invoice", "nie", "order", "ordine", "pedido", "permis", "phone", "rechnung", "ref", "reference",
    "reservation", "siren", "siret", "tel*", "ticket", "visa", "vol", "volo", "vuelo",
]);

/// Whether a text has a form that numbers of passports have.
pub(super) fn is_number(value: &str) -> bool {
    let mut compact = [0; 10];
    let mut length = 0;
    for byte in value.bytes().filter(|byte| *byte != b' ') {
        let Some(place) = compact.get_mut(length) else {
            return false;
        };
        *place = byte;
        length += 1;
    }
    is_form(&compact[..length])
}

/// Letters and digits as the passports of some country have them.
fn is_form(word: &[u8]) -> bool {
    let digits = word.iter().filter(|byte| byte.is_ascii_digit()).count();
    (7..=10).contains(&word.len()) && digits >= 4 && word.iter().all(u8::is_ascii_alphanumeric)
}

/// The number at a figure.
pub(super) fn at(text: &[u8], figure: &Range<usize>) -> Option<Range<usize>> {
    let end = number_end(text, figure)?;
    let start = number_start(text, figure, end)?;
    if b"/.-@_".contains(&byte_before(text, start))
        || b"/@_".contains(&byte(text, end))
        || is_decimal(text, end)
    {
        return None;
    }
    (is_announced(text, start) || is_told_behind(text, end)).then_some(start..end)
}

fn is_decimal(text: &[u8], end: usize) -> bool {
    matches!(byte(text, end), b'.' | b',' | b'-') && byte(text, end + 1).is_ascii_digit()
}

/// Where a number ends that begins with a figure: in one piece, or in groups (`12 AB 34567`).
fn number_end(text: &[u8], figure: &Range<usize>) -> Option<usize> {
    let word = &text[figure.clone()];
    if is_form(word) {
        return Some(figure.end);
    }
    let mut end = figure.end;
    let mut best = None;
    for _ in 0..3 {
        if byte(text, end) != b' ' || !is_word(byte(text, end + 1)) {
            break;
        }
        end = word_end(text, end + 1);
        let part = text.get(figure.start..end).unwrap_or_default();
        let letters = part
            .iter()
            .filter(|byte| byte.is_ascii_alphabetic())
            .count();
        let is_upper = !part.iter().any(u8::is_ascii_lowercase);
        let length = part.iter().filter(|byte| **byte != b' ').count();
        if is_upper && letters <= 3 && matches!(length, 8 | 9) {
            best = Some(end);
        }
    }
    best.or_else(|| {
        // Two or three letters before it are part of the number.
        (6..=7).contains(&word.len()).then_some(figure.end)
    })
}

/// Where it begins: with letters that stand before it by themselves, if it is none without.
fn number_start(text: &[u8], figure: &Range<usize>, end: usize) -> Option<usize> {
    let is_whole = end > figure.end || is_form(&text[figure.clone()]);
    let itself = is_whole.then_some(figure.start);
    let Some(blank) = figure
        .start
        .checked_sub(1)
        .filter(|at| text[*at] == b' ' && end == figure.end)
    else {
        return itself;
    };
    let letters = text[..blank]
        .iter()
        .rev()
        .take(4)
        .take_while(|byte| byte.is_ascii_uppercase())
        .count();
    let word = &text[blank - letters..blank];
    let is_part = (1..=3).contains(&letters)
        && !is_word(byte_before(text, blank - letters))
        && figure.len() <= 7
        && !label::is_one_of(word, &["n", "no", "nr", "num", "pp", "ref"]);
    is_part.then_some(blank - letters).or(itself)
}

/// Whether the words before a place speak of a passport, and of nothing else nearer to it.
fn is_announced(text: &[u8], at: usize) -> bool {
    for word in label::words_before(text, at).take(7) {
        if WORDS.hold(word) {
            return true;
        }
        let digits = word.iter().filter(|byte| byte.is_ascii_digit()).count();
        if digits > 4 || OTHERS.hold(word) {
            return false;
        }
    }
    false
}

/// Whether it is told directly behind: `12AB34567 (passeport)`.
fn is_told_behind(text: &[u8], at: usize) -> bool {
    let between = text[at..]
        .iter()
        .take_while(|byte| !is_word(**byte))
        .count();
    let word = label::words_behind(text, at).next().unwrap_or_default();
    between <= 3 && WORDS.hold(word)
}
