//! Dates of birth: a date in figures or with its month in words, and words that speak of a birth beside it.

use std::ops::Range;

use super::label::{self, is_one_of, words_behind};
use super::reader::{Group, Groups, byte, byte_before, is_word, stands_at, word_end, word_start};
use super::words::Words;

/// Bytes of the longest: `Wednesday` is no part of it, `the twenty-second of September, 1984` is.
pub(super) const BYTES_MAX: usize = 40;

/// Words before a date that are looked at.
const WORDS_MAX: usize = 9;

/// Names of months, or their beginnings.
#[rustfmt::skip]
static MONTHS: Words = Words::new(&[
    "abr*", "ago*", "aou*", "apr*", "aug*", "avr*", "dec*", "dez*", "dic*", "ene*", "feb*", "fev*", "gen", "genn*",
    "giu*", "jan*", "juil*", "juin", "jul", "julho", "juli", "julio", "july", "jun", "june", "junho", "juni", "junio",
    "lug*", "maart", "maerz", "mag", "maggio", "mai", "maio", "mar", "march", "marco", "mars", "marz", "marzo", "may",
    "mayo", "mei", "mrz", "nov*", "oct*", "okt*", "ott*", "out", "outubro", "sep*", "set", "setembro", "sett*",
]);
/// Words that stand between the parts of a date.
#[rustfmt::skip]
static LINKS: Words = Words::new(&[
    "d", "de", "del", "di", "of", "the",
]);
/// Words for a birth that are labels of a date.
#[rustfmt::skip]
static NOUNS: Words = Words::new(&[
    "aniversario", "anniv", "anniversaire", "bday", "birth", "birthdate", "birthday", "compleanno", "cumpleanos",
    "ddn", "dn", "dob", "fnac", "geb", "gebdat", "gebdatum", "geboortedatum", "geburt", "geburtsd", "geburtsdat",
    "geburtsdatum", "geburtstag", "nac", "nacimiento", "naiss", "naissance*", "naix", "nasc", "nascimento", "nascita",
]);
/// Words for being born.
#[rustfmt::skip]
static VERBS: Words = Words::new(&[
    "b", "born", "geboren", "geborene", "geborener", "naci", "nacida", "nacido", "nacidos", "nacio", "naquit",
    "nasceu", "nascida", "nascido", "nata", "nati", "nato", "ne", "nee", "nees", "nes",
]);
/// Words between a birth and a date of something else.
#[rustfmt::skip]
static ELSE: Words = Words::new(&[
    "appel*", "appuntamento", "arriv*", "ausgestellt", "bezahlt", "call*", "cita", "client*", "cliente", "command*",
    "contract", "contrat*", "contrato", "contratto", "created", "cree*", "customer", "dal", "deced*", "deliver*",
    "delivre", "depuis", "desde", "died", "divorc*", "due", "echeance", "embauch*", "envoy*", "erstellt", "expire*",
    "factur*", "fattura*", "gesendet", "gestorben", "gultig", "hired", "inscri*", "invoice*", "kunde*", "liefer*",
    "livr*", "marie*", "married", "meeting", "mise", "modifie*", "mort*", "order*", "paid", "passeport", "paye*",
    "permis", "rappel*", "rdv", "received", "rechnung*", "recu*", "relance*", "rendez", "reunion", "seit", "sent",
    "signe*", "signed", "since", "termin", "updated", "valable", "valid*", "verheiratet", "vertrag*", "visit*",
    "visite*",
]);
/// Words in lower case that stand between a birth and its date: others tell of something else.
#[rustfmt::skip]
static BETWEEN: Words = Words::new(&[
    "anno", "born", "cerca", "chez", "dans", "dimanche", "giorno", "jahr", "jeudi", "jour", "lundi", "mardi",
    "mercredi", "month", "nahe", "near", "pres", "samedi", "vendredi", "vicino", "year",
]);
/// What is said to be born and is nobody.
#[rustfmt::skip]
static THINGS: Words = Words::new(&[
    "accord", "agence", "agency", "alliance", "association", "azienda", "brand", "collaboration", "company",
    "concept", "contract*", "contrat*", "empresa", "entreprise*", "firm", "firma", "fusion", "gesellschaft*", "gmbh",
    "groupe", "gruppe", "idea", "idee", "logiciel", "magasin", "marca", "marke", "marque", "merger", "partenariat",
    "product", "produit", "progett*", "progetto", "project*", "projekt*", "projet*", "proyecto", "sarl", "service",
    "site", "socied*", "societ*", "software", "start", "startup", "unternehmen", "verein", "vertrag*",
]);

/// What was told of the dates before.
#[derive(Default)]
pub(super) struct Births {
    /// Where the last date of a birth ends.
    end: usize,
}

/// Whether a text is a date and nothing else.
pub(super) fn is_date(value: &str) -> bool {
    let text = value.as_bytes();
    let Some(start) = text.iter().position(u8::is_ascii_digit) else {
        return false;
    };
    numeric(text, Groups::at(text, start).as_slice(), true)
        .is_some_and(|end| start == 0 && end == text.len())
}

impl Births {
    /// The date that a figure belongs to, and whether somebody was born then.
    pub(super) fn date_at(
        &mut self,
        text: &[u8],
        figure: &Range<usize>,
        groups: &[Group],
        last: usize,
    ) -> Option<(Range<usize>, bool)> {
        let (range, is_sure) = date(text, figure, groups)?;
        if range.start < last
            || is_word(byte_before(text, range.start))
            || b"/=_#".contains(&byte_before(text, range.start))
        {
            return None;
        }
        let is_birth = self.goes_on(text, &range)
            || is_announced(text, range.start)
            || is_told_behind(text, range.end);
        if is_birth {
            self.end = range.end;
        }
        (is_birth || is_sure).then_some((range, is_birth))
    }

    /// Whether a date follows the last birth in a list.
    fn goes_on(&self, text: &[u8], range: &Range<usize>) -> bool {
        let Some(between) = text
            .get(self.end..range.start)
            .filter(|between| self.end > 0 && between.len() <= 12)
        else {
            return false;
        };
        let mut words = label::words_before(between, between.len());
        !between.iter().any(|byte| b".\n".contains(byte))
            && words.all(|word| {
                is_one_of(
                    word,
                    &[
                        "et", "and", "und", "y", "e", "le", "el", "il", "am", "the", "on", "en",
                    ],
                )
            })
    }
}

/// The date that a figure belongs to, and whether it can be nothing else.
fn date(text: &[u8], figure: &Range<usize>, groups: &[Group]) -> Option<(Range<usize>, bool)> {
    if let Some(end) = numeric(text, groups, false) {
        return Some((figure.start..end, true));
    }
    with_month(text, figure)
        .or_else(|| behind_month(text, figure))
        .or_else(|| in_words(text, figure))
        .map(|range| (range, true))
        .or_else(|| {
            let end = numeric(text, groups, true)?;
            Some((figure.start..end, false))
        })
}

/// Where a date ends that is written in figures, with blanks or nothing between them if that is allowed.
fn numeric(text: &[u8], groups: &[Group], is_loose: bool) -> Option<usize> {
    if let [only, ..] = groups
        && only.len() == 8
        && is_loose
    {
        let value = only.value(text);
        let (year, month, day) = (value / 10_000, value / 100 % 100, value % 100);
        let is_iso = is_year(year) && is_day(day, month);
        let is_local = is_year(value % 10_000) && is_day(value / 1_000_000, value / 10_000 % 100);
        return (is_iso || is_local).then_some(only.end());
    }
    let [one, two, three, ..] = groups else {
        return None;
    };
    let sign = one.gap;
    let fits =
        sign == two.gap && (matches!(sign, b'/' | b'.' | b'-') || (is_loose && sign == b' '));
    let values = [one.value(text), two.value(text), three.value(text)];
    let is_date = match [one.len(), two.len(), three.len()] {
        [4, 1..=2, 1..=2] => is_year(values[0]) && is_day(values[2], values[1]),
        [1..=2, 1..=2, 4] => {
            is_year(values[2]) && (is_day(values[0], values[1]) || is_day(values[1], values[0]))
        }
        [1..=2, 1..=2, 2] => {
            is_day(values[0], values[1]) || (sign == b'/' && is_day(values[1], values[0]))
        }
        _ => false,
    };
    let goes_on =
        three.gap == sign && matches!(sign, b'.' | b'/' | b'-') && byte(text, three.end()) == sign;
    let is_bound =
        byte(text, three.end()).is_ascii_alphanumeric() && byte(text, three.end()) != b'T';
    (fits && is_date && !goes_on && !is_bound).then_some(three.end())
}

fn is_year(year: u32) -> bool {
    (1895..2100).contains(&year)
}

fn is_day(day: u32, month: u32) -> bool {
    (1..=31).contains(&day) && (1..=12).contains(&month)
}

fn value(text: &[u8]) -> u32 {
    text.iter().take(9).fold(0, |value, digit| {
        value * 10 + u32::from(digit.wrapping_sub(b'0') % 10)
    })
}

/// Skips blanks, and a sign that may stand between the parts of a date.
fn skip(text: &[u8], mut at: usize) -> usize {
    let first = at;
    while at < text.len() && at < first + 3 && b" .,-/\n\t".contains(&text[at]) {
        at += 1;
    }
    at
}

/// `12 mars 1984`, `3rd of May, 1984`, `3. Mai 84`, `1er avril 1984`.
fn with_month(text: &[u8], figure: &Range<usize>) -> Option<Range<usize>> {
    let word = &text[figure.clone()];
    let digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if word.len() == digits + 7
        && MONTHS.hold(&word[digits..digits + 3])
        && is_year(value(&word[digits + 3..]))
    {
        return Some(figure.clone());
    }
    let is_ordinal = digits == word.len()
        || is_one_of(&word[digits..], &["er", "st", "nd", "rd", "th", "o", "e"]);
    if digits > 2 || !is_ordinal || !(1..=31).contains(&value(&word[..digits])) {
        return None;
    }
    let mut at = skip(text, figure.end);
    if byte(text, at) == super::super::plain::RAISED {
        at = skip(text, at + 1);
    }
    for _ in 0..2 {
        let end = word_end(text, at);
        if LINKS.hold(text.get(at..end)?) {
            at = skip(text, end);
        }
    }
    let end = month_end(text, at)?;
    let end = year_end(text, end)?;
    Some(figure.start..end)
}

/// Where the name of a month ends.
fn month_end(text: &[u8], at: usize) -> Option<usize> {
    let end = word_end(text, at);
    let word = text.get(at..end)?;
    let is_month = (3..=10).contains(&word.len()) && MONTHS.hold(word);
    is_month.then_some(end)
}

/// Where the year behind a month ends.
fn year_end(text: &[u8], at: usize) -> Option<usize> {
    let mut at = skip(text, at);
    let end = word_end(text, at);
    if LINKS.hold(text.get(at..end)?) {
        at = skip(text, end);
    }
    at += usize::from(byte(text, at) == b'\'');
    let end = word_end(text, at);
    let word = text.get(at..end)?;
    let is_digits = word.iter().all(u8::is_ascii_digit);
    let is_year = is_digits
        && ((word.len() == 4 && is_year(value(word)))
            || (word.len() == 2 && !matches!(byte(text, end), b':' | b'h')));
    is_year.then_some(end)
}

/// `March 12, 1984`.
fn behind_month(text: &[u8], figure: &Range<usize>) -> Option<Range<usize>> {
    let word = &text[figure.clone()];
    let digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_ordinal = digits == word.len() || is_one_of(&word[digits..], &["st", "nd", "rd", "th"]);
    if digits > 2 || !is_ordinal || !(1..=31).contains(&value(&word[..digits])) {
        return None;
    }
    let mut before = figure.start;
    while before > 0 && figure.start - before < 2 && b" .".contains(&text[before - 1]) {
        before -= 1;
    }
    let start = word_start(text, before);
    let is_month = month_end(text, start) == Some(before);
    let end = year_end(text, figure.end).filter(|end| end - figure.end >= 4)?;
    is_month.then_some(start..end)
}

/// Numbers of days in words, of five languages.
#[rustfmt::skip]
static DAYS: Words = Words::new(&[
    "achten", "achtzehnten", "catorce", "cinco", "cinq", "cinque", "cuatro", "deux", "diciannove", "diciassette",
    "diciotto", "dieci", "diecinueve", "dieciocho", "dieciseis", "diecisiete", "diez", "dix", "doce", "dodici", "dos",
    "douze", "dreissigsten", "dreizehnten", "dritten", "due", "eighteenth", "eighth", "eleventh", "elften", "ersten",
    "fifteenth", "fifth", "first", "fourteenth", "fourth", "funften", "funfzehnten", "huit", "neuf", "neunten",
    "neunzehnten", "nineteenth", "ninth", "nove", "nueve", "ocho", "once", "onze", "otto", "premier", "primero",
    "primo", "quatorze", "quatre", "quattordici", "quattro", "quince", "quindici", "quinze", "sechsten",
    "sechzehnten", "second", "sedici", "sei", "seis", "seize", "sept", "sette", "seventeenth", "seventh", "siebten",
    "siebzehnten", "siete", "six", "sixteenth", "sixth", "tenth", "third", "thirteenth", "thirtieth", "thirty", "tre",
    "trece", "tredici", "treinta", "treize", "trent*", "trente", "tres", "trois", "twelfth", "twentieth", "twenty",
    "un", "undici", "uno", "veinte", "veinti*", "venti*", "vierten", "vierzehnten", "vingt", "zehnten", "zwanzigsten",
    "zweiten", "zwolften",
]);

/// `le trois mai 1984`, `twenty-second of May 1984`, at the figure of the year.
fn in_words(text: &[u8], figure: &Range<usize>) -> Option<Range<usize>> {
    let word = &text[figure.clone()];
    if word.len() != 4 || !word.iter().all(u8::is_ascii_digit) || !is_year(value(word)) {
        return None;
    }
    let before = |at: usize| {
        let mut end = at;
        while end > 0 && at - end < 2 && b" ,-".contains(&text[end - 1]) {
            end -= 1;
        }
        word_start(text, end)..end
    };
    let linked = |range: Range<usize>| match LINKS.hold(&text[range.clone()]) {
        true => before(range.start),
        false => range,
    };
    let month = linked(before(figure.start));
    if month.is_empty() || month_end(text, month.start) != Some(month.end) {
        return None;
    }
    let mut day = linked(before(month.start));
    if day.is_empty()
        || !(DAYS.hold(&text[day.clone()])
            || text[day.clone()].ends_with(b"zigsten")
            || text[day.clone()].ends_with(b"ssigsten"))
    {
        return None;
    }
    // `vingt et un`, `twenty-second`
    for _ in 0..2 {
        let next = before(day.start);
        if is_one_of(
            &text[next.clone()],
            &[
                "et", "y", "vingt", "trente", "twenty", "thirty", "treinta", "dix",
            ],
        ) && !next.is_empty()
        {
            day = next;
        }
    }
    Some(day.start..figure.end)
}

/// Whether the words before a date speak of a birth, and of nothing else nearer to it.
fn is_announced(text: &[u8], at: usize) -> bool {
    if text[..at].iter().rev().find(|byte| **byte != b' ') == Some(&b'*') {
        let star = text[..at]
            .iter()
            .rposition(|byte| *byte == b'*')
            .unwrap_or_default();
        return star == 0
            || b" (\n,".contains(&text[star - 1])
                && text[..star]
                    .iter()
                    .rev()
                    .find(|byte| **byte != b' ')
                    .is_some_and(|byte| *byte != b'\n');
    }
    let first = at.saturating_sub(label::REACH);
    let (mut end, mut behind) = (at, at);
    let (mut next, mut is_told): (&[u8], bool) = (b"", false);
    for place in 0..WORDS_MAX {
        while end > first && !is_word(text[end - 1]) {
            end -= 1;
        }
        let start = word_start(text, end).max(first);
        let word = &text[start..end];
        if word.is_empty() || word.iter().filter(|byte| byte.is_ascii_digit()).count() > 1 {
            return false;
        }
        let is_short = word.len() <= 4;
        if ends_sentence(&text[end..behind])
            && !(is_short && place < 2)
            && !(place == 0 && NOUNS.hold(word))
        {
            return false;
        }
        if NOUNS.hold(word) {
            return true;
        }
        if !is_told && VERBS.hold(word) && is_verb(text, start, end, next, place) {
            return !is_of_thing(text, start);
        }
        if word.eq_ignore_ascii_case(b"b") && start >= 4 && stands_at(text, start - 4, "d.o.b") {
            return true;
        }
        if ELSE.hold(word) {
            return false;
        }
        is_told |= word[0].is_ascii_lowercase() && word.len() > 3 && !BETWEEN.hold(word);
        next = word;
        behind = start;
        end = start;
    }
    false
}

fn ends_sentence(between: &[u8]) -> bool {
    let stop = between.iter().position(|byte| b".;!?".contains(byte));
    stop.is_some_and(|stop| stop + 1 < between.len())
        || between.windows(2).any(|pair| pair == b"\n\n")
}

/// Whether a word means that somebody was born: `ne` may deny in French, `NATO` is no Italian, `b` stands before a date.
fn is_verb(text: &[u8], start: usize, end: usize, next: &[u8], place: usize) -> bool {
    match &text[start..end] {
        b"NATO" | b"B" => false,
        b"b" => place == 0 && byte(text, end) == b'.',
        word if word.eq_ignore_ascii_case(b"ne") => {
            next.is_empty()
                || is_one_of(next, &["le", "a", "au", "aux", "en", "e", "un", "l", "s"])
                || stands_at(text, end, "(e")
                || is_one_of(
                    label::words_before(text, start).next().unwrap_or_default(),
                    &[
                        "est", "etait", "suis", "etant", "m", "mr", "fils", "enfant", "bebe",
                        "garcon",
                    ],
                )
        }
        _ => true,
    }
}

fn is_of_thing(text: &[u8], at: usize) -> bool {
    label::words_before(text, at)
        .take(5)
        .any(|word| THINGS.hold(word))
}

/// Whether it is told directly behind: `12/03/1984 (date de naissance)`.
fn is_told_behind(text: &[u8], at: usize) -> bool {
    let mut end = at;
    for (place, word) in words_behind(text, at).take(5).enumerate() {
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        let between = &text[end..start];
        if between.len() > 3
            || between.iter().any(|byte| b".;:\n,".contains(byte))
            || word[0].is_ascii_digit()
        {
            return false;
        }
        end = start + word.len();
        let is_birth = NOUNS.hold(word) || (place == 0 && is_one_of(word, &["geboren", "born"]));
        if is_birth {
            let rest = text[end..].iter().find(|byte| **byte != b' ');
            return !rest.is_some_and(|byte| byte.is_ascii_digit() || b":=".contains(byte));
        }
    }
    false
}
