//! Recognises what this proxy puts in place of a value, wherever it comes back.
//!
//! The exact forms of our own masks are tried first, so that the words beside one do not count as part of it; any
//! other run of bullets is taken to be a mask that somebody has edited.

use std::ops::Range;

use super::{BULLET, is_domain};
use crate::detect::{self, Kind, Meant};

/// Bytes of a bullet in UTF-8.
const BULLET_BYTES: usize = BULLET.len_utf8();

/// Hexadecimal digits of a token.
const TOKEN_DIGITS: usize = 32;

/// A mask, token or bracketed kind found in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placeholder {
    /// Its bytes in the text.
    pub range: Range<usize>,
}

/// Finds everything in a text that has the form of one of our masks, tokens or bracketed kinds, left to right. A run
/// of two or more bullets `•`, with the letters, digits and single blanks grouped with it, is one; a single bullet, as
/// lists use it, is none.
///
/// The exact form of a mask ends it: words that follow after a blank are not part of it. A mask whose form is open on
/// one side (`06••••`, `•••• 11`, `j•••@example.org`) cannot be told from letters that touch it there.
///
/// Of bracketed kinds, only those of identifiers that prove themselves are placeholders wherever they stand: `[phone]` and
/// `[mail]` are what people write into templates.
pub fn placeholders(text: &str) -> Vec<Placeholder> {
    placeholders_with(text, &|_| false)
}

/// The same of a text in which the names of further kinds stand in brackets for what is hidden.
pub fn placeholders_with(text: &str, stands_in: Meant<'_>) -> Vec<Placeholder> {
    let mut found = Vec::new();
    let (mut at, mut end_of_last) = (0, 0);
    let bullet_start = 0xe2;
    while let Some(skipped) = memchr::memchr3(
        bullet_start,
        b't',
        b'[',
        text.as_bytes().get(at..).unwrap_or_default(),
    ) {
        at += skipped;
        let scan = Scan {
            text,
            from: end_of_last,
        };
        let placeholder = match text.as_bytes().get(at) {
            Some(b'[') => scan.bracketed(at, stands_in),
            Some(b't') => scan.token(at),
            _ => scan.bullets(at),
        };
        match placeholder {
            Some(range) => {
                at = range.end;
                end_of_last = range.end;
                found.push(Placeholder { range });
            }
            None => at += scan.run(at).max(1),
        }
    }
    found
}

/// A text of which everything before `from` is taken.
struct Scan<'a> {
    text: &'a str,
    from: usize,
}

impl Scan<'_> {
    fn rest(&self, at: usize) -> &str {
        self.text.get(at..).unwrap_or_default()
    }

    /// `[iban]`, in any case.
    fn bracketed(&self, at: usize, stands_in: Meant<'_>) -> Option<Range<usize>> {
        let bytes = self.rest(at).as_bytes();
        let kinds = Kind::IDENTIFIERS.into_iter();
        let kinds = kinds.filter(|kind| kind.proves_itself() || stands_in(*kind));
        let kinds = kinds.map(Kind::as_str);
        kinds.chain([detect::WITHHELD]).find_map(|name| {
            let name = name.as_bytes();
            let fits = bytes
                .get(1..=name.len())
                .is_some_and(|inside| inside.eq_ignore_ascii_case(name))
                && bytes.get(name.len() + 1) == Some(&b']');
            fits.then_some(at..at + name.len() + 2)
        })
    }

    /// `t_` and 32 lower-case hexadecimal digits.
    fn token(&self, at: usize) -> Option<Range<usize>> {
        let digits = self
            .rest(at)
            .strip_prefix("t_")?
            .as_bytes()
            .get(..TOKEN_DIGITS)?;
        digits
            .iter()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            .then_some(at..at + 2 + TOKEN_DIGITS)
    }

    /// Bytes of the run of bullets at `at`.
    fn run(&self, at: usize) -> usize {
        let rest = self.rest(at);
        rest.len() - rest.trim_start_matches(BULLET).len()
    }

    /// The mask whose first bullet stands at `at`.
    fn bullets(&self, at: usize) -> Option<Range<usize>> {
        let run = self.run(at) / BULLET_BYTES;
        match run {
            0 | 1 => None,
            3 => self.mail(at),
            4 => self
                .iban(at)
                .or_else(|| self.first(at))
                .or_else(|| self.card(at))
                .or_else(|| self.last(at)),
            _ => None,
        }
        .or_else(|| (run > 1).then(|| self.edited(at)))
    }

    /// `FR76 •••• •••• •••• •••• •••0 189`: groups of four, of which the first and the last four characters are shown.
    fn iban(&self, at: usize) -> Option<Range<usize>> {
        let start = at.checked_sub(5).filter(|&start| start >= self.from)?;
        let head = self.text.get(start..at)?.as_bytes();
        if !matches!(head, [a, b, c, d, b' '] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic()
            && c.is_ascii_digit() && d.is_ascii_digit())
        {
            return None;
        }
        let mut rest = self.rest(at);
        let mut hidden_groups = 0;
        while let Some(after) = rest.strip_prefix("•••• ") {
            hidden_groups += 1;
            rest = after;
        }
        let tail = ["....", "•... .", "••.. ..", "•••. ..."]
            .into_iter()
            .find_map(|form| fits(rest, form))?;
        (2..=8)
            .contains(&hidden_groups)
            .then_some(start..self.text.len() - rest.len() + tail)
    }

    /// `•••• •••• •••• 1234`.
    fn card(&self, at: usize) -> Option<Range<usize>> {
        let length = fits(self.rest(at), "•••• •••• •••• ....")?;
        Some(at..at + length)
    }

    /// `•••• 11`.
    fn last(&self, at: usize) -> Option<Range<usize>> {
        let shown = self.rest(at).strip_prefix("•••• ")?;
        let end = self.text.len() - shown.trim_start_matches(char::is_alphanumeric).len();
        let begins_a_group = self.rest(end).starts_with(BULLET);
        (end > self.text.len() - shown.len() && !begins_a_group).then_some(at..end)
    }

    /// `BNPA••••`, `06••••`.
    fn first(&self, at: usize) -> Option<Range<usize>> {
        let start = self.word_before(at);
        (start < at).then_some(start..at + 4 * BULLET_BYTES)
    }

    /// `j•••@example.org`.
    fn mail(&self, at: usize) -> Option<Range<usize>> {
        let before = self.text.get(self.from..at)?.chars().next_back()?;
        let domain = self.rest(at).strip_prefix("•••@")?;
        let end = domain
            .find(|c: char| !c.is_alphanumeric() && c != '.' && c != '-')
            .unwrap_or(domain.len());
        let domain = domain.get(..end)?.trim_end_matches(['.', '-']);
        let is_mail = before.is_alphanumeric() && is_domain(domain);
        is_mail.then(|| at - before.len_utf8()..at + 3 * BULLET_BYTES + 1 + domain.len())
    }

    /// A run of bullets in no form of ours, with the letters and digits that touch it, and with further groups of
    /// bullets after single blanks.
    fn edited(&self, at: usize) -> Range<usize> {
        let is_part = |c: char| c == BULLET || c.is_alphanumeric();
        let mut end = at;
        loop {
            let group = self.rest(end);
            end = self.text.len() - group.trim_start_matches(is_part).len();
            let Some(next) = self.rest(end).strip_prefix(' ') else {
                break;
            };
            let group = next.len() - next.trim_start_matches(is_part).len();
            if !next
                .get(..group)
                .is_some_and(|group| group.contains(BULLET))
            {
                break;
            }
            end += 1;
        }
        self.word_before(at)..end
    }

    /// Where the letters and digits that touch `at` begin.
    fn word_before(&self, at: usize) -> usize {
        let before = self.text.get(self.from..at).unwrap_or_default();
        self.from + before.trim_end_matches(char::is_alphanumeric).len()
    }
}

/// The length of a text's beginning, if it has this form: a dot is any ASCII letter or digit, all else is itself.
fn fits(text: &str, form: &str) -> Option<usize> {
    let mut characters = text.char_indices();
    for expected in form.chars() {
        let (_, found) = characters.next()?;
        let same = match expected {
            '.' => found.is_ascii_alphanumeric(),
            other => found == other,
        };
        if !same {
            return None;
        }
    }
    Some(characters.offset())
}

#[cfg(test)]
mod tests {
    use super::{placeholders, placeholders_with};
    use crate::detect::Kind;
    use crate::mask::{Mask, Tokenizer};
    use proptest::prelude::*;

    fn found(text: &str) -> Vec<&str> {
        placeholders(text)
            .into_iter()
            .map(|placeholder| &text[placeholder.range])
            .collect()
    }

    #[test]
    fn a_mask_ends_where_its_form_ends() {
        for (text, expected) in [
            (
                "FR76 •••• •••• •••• •••• •••0 189 merci",
                vec!["FR76 •••• •••• •••• •••• •••0 189"],
            ),
            (
                "RIB FR76 •••• •••• 7034, merci",
                vec!["FR76 •••• •••• 7034"],
            ),
            ("BNPA•••• merci", vec!["BNPA••••"]),
            (
                "BNPA•••• •••• •••• •••• 1234 x",
                vec!["BNPA••••", "•••• •••• •••• 1234"],
            ),
            ("tel •••• 11 merci", vec!["•••• 11"]),
            ("•••• 11 •••• 22", vec!["•••• 11", "•••• 22"]),
            ("voir j•••@example.org.", vec!["j•••@example.org"]),
            ("a [IBAN] b [nir][card]", vec!["[IBAN]", "[nir]", "[card]"]),
            (
                "t_0123456789abcdef0123456789abcdef0",
                vec!["t_0123456789abcdef0123456789abcdef"],
            ),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn an_edited_mask_is_found_too() {
        for (text, expected) in [
            ("FR•• •••• •••• (masked)", "FR•• •••• ••••"),
            ("x ••••• y", "•••••"),
            ("FR76••••••••189", "FR76••••••••189"),
            ("••", "••"),
            ("j•••@", "j•••"),
        ] {
            assert_eq!(found(text), [expected], "{text}");
        }
    }

    #[test]
    fn other_text_is_no_placeholder() {
        for text in [
            "• one\n• two • three",
            "t_0123456789ABCDEF0123456789ABCDEF",
            "t_012345",
            "[ iban ]",
            "[email]",
            "M. T. 1984",
            "“quoted” — …",
        ] {
            assert_eq!(found(text), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn words_of_templates_are_placeholders_only_where_they_stand_for_something() {
        let text = "Nom [address], [Phone] ou [mail], [birth_date] [passport] [national_id]";
        assert_eq!(found(text), Vec::<&str>::new());
        let found: Vec<&str> = placeholders_with(text, &|kind| kind == Kind::Mail)
            .into_iter()
            .map(|placeholder| &text[placeholder.range])
            .collect();
        assert_eq!(found, ["[mail]"]);
    }

    #[test]
    fn long_runs_are_read_once() {
        for unit in ["•", "•• ", "a•", "FR76 •••• ", "•••• ", "t_0123", "[iban"]
        {
            placeholders(&unit.repeat((256 << 10) / unit.len()));
        }
    }

    fn output() -> impl Strategy<Value = String> {
        let masked = |mask: Mask| move |value: String| mask.apply(&value);
        prop_oneof![
            "[A-Z]{2}[0-9]{2}[0-9A-Z]{12,30}".prop_filter_map("fits", masked(Mask::Iban)),
            "[0-9]{13,19}".prop_filter_map("fits", masked(Mask::Card)),
            "[A-Z]{6}[0-9A-Z]{2}".prop_filter_map("fits", masked(Mask::Bic)),
            "[a-zé]{2,8}@[a-zé0-9]{1,5}(\\.[a-z-]{1,3}[a-z]){1,2}"
                .prop_filter_map("fits", masked(Mask::Mail)),
            "[0-9a-zA-Zé +-]{6,20}".prop_filter_map("fits", masked(Mask::Last(2))),
            "[0-9a-zA-Zé +-]{8,20}".prop_filter_map("fits", masked(Mask::Last(4))),
            "[0-9a-zA-Zé +-]{6,20}".prop_filter_map("fits", masked(Mask::First(3))),
            "\\PC{1,9}".prop_map(|value| Tokenizer::new(b"k", "c").token(&value)),
            prop::sample::select(vec!["[iban]", "[CARD]", "[nir]", "[bic]"])
                .prop_map(str::to_owned),
        ]
        .prop_filter("blank", |output| !output.trim().is_empty())
    }

    fn prose() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            "",
            " ",
            " merci ",
            "\n",
            ", ",
            " (voir ",
            ") ",
            " • ",
            " é ",
            ": ",
            " 12 ",
            ". ",
            " [x] ",
            " t_ ",
            "\u{1f600}",
        ])
    }

    proptest! {
        #[test]
        fn every_mask_is_found_exactly_in_any_prose(
            parts in prop::collection::vec((prose(), output()), 1..4), last in prose()
        ) {
            let (mut text, mut expected) = (String::new(), Vec::new());
            for (index, (before, output)) in parts.into_iter().enumerate() {
                // Open forms that touch each other have no exact end.
                let before = if index > 0 && before.trim() == before { ", " } else { before };
                text.push_str(before);
                expected.push(text.len()..text.len() + output.len());
                text.push_str(&output);
            }
            text.push_str(last);
            let ranges: Vec<_> = placeholders(&text).into_iter().map(|found| found.range).collect();
            prop_assert_eq!(ranges, expected, "{}", text);
        }

        #[test]
        fn any_text_is_searched_without_failing(text in "\\PC*", noise in "[•t_0-9a-f\\[iban\\]@. é]{0,80}") {
            for text in [&text, &noise] {
                for found in placeholders(text) {
                    prop_assert!(text.get(found.range).is_some());
                }
            }
        }
    }
}
