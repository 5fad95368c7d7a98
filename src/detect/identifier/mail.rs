//! E-mail addresses (RFC 5321, 6531), and the ways in which people hide them from programs: `name (at) example dot org`.

use std::ops::Range;

use memchr::{memchr, memmem};

use super::super::plain::LETTER;
use super::Kind;
use super::label::{self, is_one_of};
use super::reader::{Found, byte, byte_before, is_word, stands_at, word_end, word_start};
use super::words::Words;

/// Bytes of the longest (RFC 3696, erratum 1690).
pub(super) const BYTES_MAX: usize = 254;
/// Bytes of the longest part before the `@`.
const LOCAL_MAX: usize = 64;
/// Bytes of the longest part of a domain (RFC 1035).
const LABEL_MAX: usize = 63;

/// Whether a text is a mail address and nothing else.
pub(super) fn is_mail(value: &str) -> bool {
    let text: Vec<u8> = value
        .chars()
        .map(
            |letter| match letter.is_alphabetic() && !letter.is_ascii() {
                true => LETTER,
                false => u8::try_from(letter).unwrap_or(0),
            },
        )
        .collect();
    memchr(b'@', &text)
        .and_then(|at| around(&text, at))
        .is_some_and(|range| range == (0..text.len()))
}

/// What stands for the sign between other words.
const AT_WORDS: &[&str] = &[
    " at ",
    " AT ",
    "_at_",
    "-at-",
    "robase",
    "ROBASE",
    "arroba",
    "ARROBA",
    "chiocciola",
];
/// What stands for the sign, in brackets.
const ATS: &[&str] = &[
    "at",
    "@",
    "a",
    "arobase",
    "arobas",
    "arroba",
    "chiocciola",
    "ad",
    "affe",
    "klammeraffe",
    "apenstaartje",
];
/// Bytes of the longest word that one of these is, with an article or an ending.
const SIGN_MAX: usize = 16;
/// What stands for a dot.
const DOTS: &[&str] = &["dot", "point", "punkt", "punto", "ponto", "punt", "."];

/// Finds every address of a text.
pub(super) fn all(text: &[u8], found: &mut Vec<Found>) {
    let mut from = 0;
    for at in memchr::memchr_iter(b'@', text) {
        let range = match at < from {
            true => None,
            false => around(text, at).or_else(|| spaced(text, at)),
        };
        if let Some(range) = range.filter(|range| range.start >= from) {
            from = range.end;
            found.push((Kind::Mail, range));
        }
    }
}

/// Finds every address whose `@` is spelled otherwise.
pub(super) fn all_hidden(text: &[u8], has_words: bool, found: &mut Vec<Found>) {
    let plain = found.len();
    for at in memchr::memchr3_iter(b'(', b'[', b'{', text) {
        if let Some(end) = bracketed(text, at, ATS) {
            found.extend(hidden(text, at..end, true).map(|range| (Kind::Mail, range)));
        }
    }
    for word in AT_WORDS.iter().filter(|_| has_words) {
        for at in memmem::find_iter(text, word.as_bytes()) {
            let start = word_start(text, at + usize::from(!is_word(byte(text, at))));
            let start = start - usize::from(matches!(byte_before(text, start), b'_' | b'-'));
            let end = word_end(text, start + 1);
            let end = end + usize::from(matches!(byte(text, end), b'_' | b'-'));
            let is_odd = end - start > 3;
            if end - start > SIGN_MAX {
                continue;
            }
            found.extend(hidden(text, start..end, is_odd).map(|range| (Kind::Mail, range)));
        }
    }
    if found.len() > plain {
        found.sort_by_key(|(_, range)| range.start);
        let mut end = 0;
        found.retain(|(_, range)| {
            let is_apart = range.start >= end;
            end = end.max(range.end);
            is_apart
        });
    }
}

/// The address around an `@`.
fn around(text: &[u8], at: usize) -> Option<Range<usize>> {
    let end = domain_end(text, at + 1)?;
    let start = local_start(text, at)?;
    let is_remote = stands_at(text, start, "git@") && matches!(byte(text, end), b':' | b'/');
    (!is_remote && !is_login(text, start)).then_some(start..end)
}

/// Whether the part before the `@` is a name and a password in a link: `https://name:password@host`.
fn is_login(text: &[u8], start: usize) -> bool {
    let first = start.saturating_sub(LOCAL_MAX);
    let before = &text[first..start];
    let word = before
        .iter()
        .rposition(u8::is_ascii_whitespace)
        .map_or(0, |at| at + 1);
    memmem::find(&before[word..], b"://").is_some_and(|at| {
        !before[word + at + 3..]
            .iter()
            .any(|byte| b"/?".contains(byte))
    })
}

/// Where the part before the `@` begins.
fn local_start(text: &[u8], at: usize) -> Option<usize> {
    let mut start = at;
    let first = at.saturating_sub(LOCAL_MAX);
    while start > first {
        let before = text[start - 1];
        let is_part = is_word(before) || b"._+-'".contains(&before);
        if !is_part || (before == b'.' && byte(text, start) == b'.') {
            break;
        }
        start -= 1;
    }
    // `d'info@…`, but `o'brien@…`
    if let Some(mark) = text[start..at].iter().rposition(|byte| *byte == b'\'') {
        let before = &text[start..start + mark];
        if before.is_empty() || is_one_of(before, &["l", "d", "s", "n", "m", "t", "c", "j", "qu"]) {
            start += mark + 1;
        }
    }
    while start < at && !(is_word(text[start]) || text[start] == b'_') {
        start += 1;
    }
    (start < at && at > 0 && byte_before(text, at) != b'.').then_some(start)
}

/// Where a domain ends that begins at `at`.
fn domain_end(text: &[u8], at: usize) -> Option<usize> {
    let (mut start, mut labels, mut end) = (at, 0, None);
    loop {
        let mut stop = start;
        while is_word(byte(text, stop)) || (byte(text, stop) == b'-' && stop > start) {
            stop += 1;
        }
        while stop > start && text[stop - 1] == b'-' {
            stop -= 1;
        }
        if stop == start || stop - at > 253 {
            break;
        }
        let name = &text[start..stop];
        labels += 1;
        if labels > 1 {
            // The first word of the next sentence.
            if end.is_some() && is_next_sentence(text, at, start, name) {
                break;
            }
            if is_top_level(name) {
                end = Some(stop);
            }
        }
        if byte(text, stop) != b'.' {
            break;
        }
        start = stop + 1;
    }
    let end = end?;
    let is_picture = byte(text, at).is_ascii_digit()
        && [".png", ".jpg", ".svg", ".gif", ".webp"]
            .iter()
            .any(|name| stands_at(text, end.saturating_sub(name.len()), name));
    (!is_picture && !matches!(byte(text, end), b'@' | b'_')).then_some(end)
}

fn is_next_sentence(text: &[u8], at: usize, start: usize, name: &[u8]) -> bool {
    let before = &text[at..start - 1];
    let last = before
        .iter()
        .rposition(|byte| *byte == b'.')
        .map_or(before, |dot| &before[dot + 1..]);
    let is_new =
        name.first().is_some_and(u8::is_ascii_uppercase) && last.iter().any(u8::is_ascii_lowercase);
    is_new || (is_known(last) && !is_known(name) && name.len() != 2)
}

fn is_top_level(name: &[u8]) -> bool {
    let is_letters = name
        .iter()
        .all(|byte| byte.is_ascii_alphabetic() || *byte == LETTER);
    let is_coded = name
        .get(..4)
        .is_some_and(|head| head.eq_ignore_ascii_case(b"xn--"));
    (2..=63).contains(&name.len()) && (is_letters || is_coded) || name == [LETTER]
}

/// Whether a name is one of the usual ends of a domain.
fn is_known(name: &[u8]) -> bool {
    TOP_LEVELS.hold(name)
}

#[rustfmt::skip]
static TOP_LEVELS: Words = Words::new(&[
    "ad", "agency", "ai", "alsace", "app", "ar", "asso", "at", "au", "be", "berlin", "bg", "biz", "br", "bzh", "ca",
    "cat", "ch", "cl", "cloud", "cn", "co", "com", "coop", "corsica", "cz", "de", "dev", "dk", "dz", "edu", "ee",
    "email", "es", "eu", "example", "fi", "fm", "fr", "gouv", "gov", "gr", "group", "hr", "hu", "ie", "in", "info",
    "int", "invalid", "io", "is", "it", "jp", "li", "local", "lt", "lu", "lv", "ma", "mc", "me", "mil", "mx", "name",
    "net", "nl", "no", "nz", "online", "org", "paris", "pl", "pro", "pt", "ro", "ru", "se", "shop", "si", "site",
    "sk", "swiss", "tech", "test", "tn", "tr", "tv", "ua", "uk", "us", "wien", "world",
]);

/// An address with blanks around its `@`: `name @ example.org`, where nothing else is likely.
fn spaced(text: &[u8], at: usize) -> Option<Range<usize>> {
    let before = at - usize::from(at > 0 && byte_before(text, at) == b' ');
    let behind = at + 1 + usize::from(byte(text, at + 1) == b' ');
    if before == at && behind == at + 1 {
        return None;
    }
    let end = domain_end(text, behind)?;
    let start = local_start(text, before)?;
    let last = text[behind..end].rsplit(|byte| *byte == b'.').next()?;
    let local = &text[start..before];
    let is_name = local
        .iter()
        .any(|byte| b"._+".contains(byte) || byte.is_ascii_digit())
        || is_announced(text, start);
    (is_known(last) && is_name).then_some(start..end)
}

/// Whether the words before a place speak of mail.
fn is_announced(text: &[u8], at: usize) -> bool {
    let mut words = label::words_before(text, at).take(5);
    words.any(|word| ANNOUNCING.hold(word))
}

#[rustfmt::skip]
static ANNOUNCING: Words = Words::new(&[
    "address", "adresse*", "contact*", "contattare", "contatto", "correo*", "courriel*", "direccion", "ecrire",
    "ecris*", "ecrivez", "email*", "endereco", "erreichbar", "escriba", "escribir", "indirizzo", "joignable",
    "joindre", "kontakt*", "mail*", "mel", "posta", "reach*", "schreiben", "scrivere", "write",
]);

/// What stands in brackets, if it is one of some words, and where it ends.
fn bracketed(text: &[u8], at: usize, words: &[&str]) -> Option<usize> {
    let close = match byte(text, at) {
        b'(' => b')',
        b'[' => b']',
        b'{' => b'}',
        _ => return None,
    };
    let blank = |at: usize| at + usize::from(byte(text, at) == b' ' && at < text.len());
    let start = blank(at + 1);
    let mut end = start;
    while end < text.len()
        && end < start + 14
        && (is_word(text[end]) || matches!(text[end], b'@' | b'.'))
    {
        end += 1;
    }
    let is_one = words
        .iter()
        .any(|word| text[start..end].eq_ignore_ascii_case(word.as_bytes()));
    let end = blank(end);
    (is_one && byte(text, end) == close).then_some(end + 1)
}

/// The address around a word that stands for the `@`. A word that means something else as well needs more that tells it.
fn hidden(text: &[u8], sign: Range<usize>, is_odd: bool) -> Option<Range<usize>> {
    let behind = sign.end + usize::from(byte(text, sign.end) == b' ');
    let (end, is_domain_worded) = worded_domain(text, behind)?;
    let before = sign.start - usize::from(sign.start > 0 && byte_before(text, sign.start) == b' ');
    let (start, is_local_worded) = worded_local(text, before)?;
    let local = &text[start..before];
    let is_dot = memmem::find(&text[sign.end..end].to_ascii_lowercase(), b"dot").is_some();
    let is_told = is_odd
        || (is_domain_worded && is_dot)
        || is_local_worded
        || local.iter().any(|byte| b"._".contains(byte))
        || is_announced(text, start);
    (is_told && start < before).then_some(start..end)
}

/// Where a domain ends whose dots may be words, and whether they are.
fn worded_domain(text: &[u8], at: usize) -> Option<(usize, bool)> {
    let (mut start, mut labels, mut is_worded) = (at, 0, false);
    let mut end = None;
    while labels < 5 {
        let mut stop = start;
        while stop - start <= LABEL_MAX
            && (is_word(byte(text, stop))
                || (byte(text, stop) == b'-' && !stands_at(text, stop, "-dot-")))
        {
            stop += 1;
        }
        let name = text.get(start..stop).unwrap_or_default();
        if name.is_empty()
            || name.len() > LABEL_MAX
            || (labels == 0
                && is_one_of(
                    name,
                    &["the", "a", "an", "my", "your", "this", "that", "our"],
                ))
        {
            break;
        }
        labels += 1;
        if labels > 1 && is_known(name) {
            end = Some((stop, is_worded));
        }
        match dot_end(text, stop) {
            Some((next, is_word)) => {
                is_worded |= is_word;
                start = next;
            }
            None => break,
        }
    }
    end
}

/// Where a dot ends that begins at `at`, and whether it is a word.
fn dot_end(text: &[u8], at: usize) -> Option<(usize, bool)> {
    if byte(text, at) == b'.' {
        return is_word(byte(text, at + 1)).then_some((at + 1, false));
    }
    let blank = at + usize::from(byte(text, at) == b' ');
    let behind = |end: usize| end + usize::from(byte(text, end) == b' ');
    if let Some(end) = bracketed(text, blank, DOTS) {
        return Some((behind(end), true));
    }
    let is_bound = matches!(byte(text, at), b' ' | b'_' | b'-') && at < text.len();
    let end = match byte(text, at + 1) {
        b'.' => at + 2,
        _ => word_end(text, at + 1),
    };
    let is_dot = is_bound
        && DOTS.iter().any(|dot| {
            text.get(at + 1..end)
                .is_some_and(|word| word.eq_ignore_ascii_case(dot.as_bytes()))
        });
    (is_dot && byte(text, end) == byte(text, at)).then_some((end + 1, true))
}

/// Where a part before the sign begins whose dots may be words, and whether they are.
fn worded_local(text: &[u8], at: usize) -> Option<(usize, bool)> {
    let mut start = local_start(text, at)?;
    let mut is_worded = false;
    for _ in 0..3 {
        let first = start.saturating_sub(DOT_BYTES_MAX);
        let Some(dot) = (first..start)
            .find(|dot| dot_end(text, *dot).is_some_and(|(end, is_word)| end == start && is_word))
        else {
            break;
        };
        let Some(before) = local_start(text, dot) else {
            break;
        };
        (start, is_worded) = (before, true);
    }
    Some((start, is_worded))
}

/// Bytes of the longest word for a dot, with brackets and blanks.
const DOT_BYTES_MAX: usize = 11;
