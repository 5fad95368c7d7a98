//! What is judged by itself: a sentence, a part of one, a line of a list.

use std::ops::Range;

use super::fold;

/// Characters of a line that may have been wrapped where it ends.
const WRAPPED_BYTES_MIN: usize = 40;

/// What stands before a full stop that ends nothing.
const ABBREVIATIONS: &[&str] = &[
    "m", "mm", "mme", "mmes", "mlle", "mr", "mrs", "ms", "dr", "dre", "drs", "pr", "prof", "me",
    "st", "ste", "hr", "hrn", "fr", "frl", "med", "dipl", "ing", "sr", "sra", "srta", "dra", "don",
    "sig", "sigra", "dott", "ssa", "avv", "geom", "tel", "tfno", "env", "ex", "cf", "etc", "bzw",
    "ca", "usw", "evtl", "ggf", "inkl", "nr", "num", "approx", "av", "bd", "rte", "art", "ref",
    "al", "vs", "jan", "feb", "apr", "aug", "sept", "oct", "nov", "dec", "janv", "fevr", "juil",
    "appt", "rdv", "clt", "kd", "pb", "cie", "co", "inc", "ltd", "no", "str",
];

/// Bytes of the longest, however it is written.
const ABBREVIATION_BYTES_MAX: usize = 16;

/// What a clause ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// `.` `!` `;`, a bar, an element.
    Stop,
    /// `?`
    Question,
    /// `:` behind what is most often a label.
    Colon,
    /// The end of a line or of the text, ` - `, a bullet.
    Line,
}

/// A clause of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Clause {
    /// From its first to its last character; never empty.
    pub(super) range: Range<usize>,
    pub(super) end: End,
}

/// The clauses of a text, in order.
pub(super) fn all(text: &str) -> Vec<Clause> {
    let mut clauses = Vec::new();
    let mut start = 0;
    let mut at = next_end(text.as_bytes(), 0);
    while at < text.len() {
        match boundary(text, start, at) {
            Some((end, length)) => {
                push(text, start..at, end, &mut clauses);
                start = at + length;
                at = next_end(text.as_bytes(), start);
            }
            None => at = next_end(text.as_bytes(), at + 1),
        }
    }
    push(text, start..text.len(), End::Line, &mut clauses);
    clauses
}

/// The next character from `at` on at which a clause may end: no letter, no blank.
fn next_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    let may_end = |byte: &u8| MAY_END[usize::from(*byte)];
    at + rest.iter().position(may_end).unwrap_or(rest.len())
}

/// Bytes at which a clause may end, or characters may begin at which it does.
const MAY_END: [bool; 256] = {
    let mut may_end = [false; 256];
    let ends = b"!;|?:.\r\n-<";
    let mut at = 0;
    while at < ends.len() {
        may_end[ends[at] as usize] = true;
        at += 1;
    }
    // The first bytes of the longer ones.
    let longer = [0xc2, 0xe2, 0xe3, 0xef];
    at = 0;
    while at < longer.len() {
        may_end[longer[at]] = true;
        at += 1;
    }
    may_end
};

fn push(text: &str, range: Range<usize>, end: End, clauses: &mut Vec<Clause>) {
    let part = text.get(range.clone()).unwrap_or_default();
    let is_outside = |character: char| {
        character.is_whitespace() || matches!(character, '-' | '*' | '•' | '–' | '—')
    };
    let trimmed = part.trim_start_matches(is_outside);
    let from = range.start + part.len() - trimmed.len();
    let trimmed = trimmed.trim_end_matches(is_outside);
    if trimmed.chars().any(char::is_alphanumeric) {
        clauses.push(Clause {
            range: from..from + trimmed.len(),
            end,
        });
    } else if let Some(last) = clauses.last_mut()
        && end == End::Question
    {
        last.end = end;
    }
}

/// What ends a clause at `at`, and its length.
fn boundary(text: &str, start: usize, at: usize) -> Option<(End, usize)> {
    let bytes = text.as_bytes();
    let next = bytes.get(at + 1).copied();
    let opens = next.is_none_or(|next| {
        next.is_ascii_whitespace() || matches!(next, b'<' | b'"' | b')' | b'\'')
    });
    match bytes.get(at)? {
        b'!' | b';' | b'|' => Some((End::Stop, 1)),
        b'?' => Some((End::Question, 1)),
        b':' if opens => Some((End::Colon, 1)),
        b'.' if ends_sentence(text, start, at, opens) => Some((End::Stop, 1)),
        b'\r' if next == Some(b'\n') => newline(text, start, at, 2),
        b'\n' | b'\r' => newline(text, start, at, 1),
        b'-' if opens && at > start && bytes.get(at - 1).is_some_and(u8::is_ascii_whitespace) => {
            Some((End::Line, 1))
        }
        b'<' => match fold::tag(text.get(at..)?)? {
            (fold::BREAK, length) => Some((End::Line, length)),
            _ => None,
        },
        0x80.. => match text.get(at..)?.chars().next()? {
            character @ ('…' | '。' | '！' | '；') => Some((End::Stop, character.len_utf8())),
            '？' => Some((End::Question, '？'.len_utf8())),
            character @ ('•' | '▪' | '\u{2028}' | '\u{2029}' | '\u{85}') => {
                Some((End::Line, character.len_utf8()))
            }
            dash @ ('–' | '—')
                if at > start && bytes.get(at - 1).is_some_and(u8::is_ascii_whitespace) =>
            {
                Some((End::Line, dash.len_utf8()))
            }
            _ => None,
        },
        _ => None,
    }
}

/// Whether the full stop at `at` ends a sentence: not that of an abbreviation, an initial, a number, an address.
fn ends_sentence(text: &str, start: usize, at: usize, opens: bool) -> bool {
    let behind = text.get(at + 1..).and_then(|rest| rest.chars().next());
    if !opens && !behind.is_some_and(char::is_uppercase) {
        return false;
    }
    let before = text.get(start..at).unwrap_or_default();
    let word = before
        .rsplit(|character: char| !character.is_alphanumeric())
        .next()
        .unwrap_or_default();
    let is_short = word.chars().count() == 1 && !word.chars().all(char::is_numeric);
    let is_last = text
        .get(at + 1..)
        .is_none_or(|rest| rest.trim_start().is_empty());
    let is_known = || {
        word.len() <= ABBREVIATION_BYTES_MAX
            && ABBREVIATIONS.contains(&fold::spelled(word).as_str())
    };
    is_last || !(is_short || is_known())
}

/// A line ends a clause, unless it was wrapped in the middle of a sentence: it is long, and the next one goes on in lower
/// case.
fn newline(text: &str, start: usize, at: usize, length: usize) -> Option<(End, usize)> {
    let rest = text.get(at + length..).unwrap_or_default();
    let goes_on = rest.chars().next().is_some_and(char::is_lowercase)
        && text
            .get(..at)
            .is_some_and(|line| line.ends_with(|last: char| last.is_alphanumeric() || last == ','));
    let before = text
        .as_bytes()
        .get(at.saturating_sub(WRAPPED_BYTES_MIN).max(start)..at)
        .unwrap_or_default();
    let is_long = before.len() == WRAPPED_BYTES_MIN && !before.contains(&b'\n');
    (!(goes_on && is_long)).then_some((End::Line, length))
}

#[cfg(test)]
mod tests {
    use super::{End, all};

    fn parts(text: &str) -> Vec<&str> {
        all(text)
            .into_iter()
            .map(|clause| &text[clause.range])
            .collect()
    }

    #[test]
    fn a_clause_ends_where_a_sentence_a_part_or_a_line_does() {
        for (text, clauses) in [
            (
                "Vu M. Durand. Il est là! Rappeler ; merci",
                &["Vu M. Durand", "Il est là", "Rappeler", "merci"][..],
            ),
            ("Santé : diabète", &["Santé", "diabète"]),
            (
                "rdv 10:30, v. 3.5 sur www.x.fr",
                &["rdv 10:30, v. 3.5 sur www.x.fr"],
            ),
            ("- lait\n- pain\r\n* eau", &["lait", "pain", "eau"]),
            ("Tél. - absent – malade", &["Tél.", "absent", "malade"]),
            ("porte-fenêtre", &["porte-fenêtre"]),
            ("<p>un<br>deux <b>gros</b></p>", &["un", "deux <b>gros</b>"]),
            ("fini.Puis rien", &["fini", "Puis rien"]),
            ("", &[]),
            ("...\n--", &[]),
            (
                "Une ligne assez longue pour avoir été coupée ici\nau milieu de la phrase.\nPuis",
                &[
                    "Une ligne assez longue pour avoir été coupée ici\nau milieu de la phrase",
                    "Puis",
                ],
            ),
            ("court\nsuite", &["court", "suite"]),
        ] {
            assert_eq!(parts(text), clauses, "{text}");
        }
        for end in "!;|?:.\r\n…。！；？•▪\u{2028}\u{2029}\u{85}".chars() {
            assert_eq!(
                parts(&format!("mot{end} autre")),
                ["mot", "autre"],
                "{end:?}"
            );
        }
        for end in ["-", "–", "—", "<p>"] {
            assert_eq!(
                parts(&format!("mot {end} autre")),
                ["mot", "autre"],
                "{end:?}"
            );
        }
        assert_eq!(
            all("malade ?").first().map(|clause| clause.end),
            Some(End::Question)
        );
    }
}
