//! Whether an original stands apart from what was typed beside it.
//!
//! Whether digits beside a hidden identifier make another one together with it depends on the hidden digits: an answer
//! would give them away, one after the other. So what was typed there is refused for its form alone, whatever is hidden.

use crate::detect;

/// Letters and digits that an identifier can reach beyond an original: one less than the longest has.
const REACH: usize = 33;

/// What stands beside an original, read from it outwards, as far as an identifier could reach.
#[derive(PartialEq, Eq)]
struct Side {
    characters: String,
    symbols: Vec<u8>,
    /// Tags and entities are read in more ways than one.
    is_marked_up: bool,
    /// At most one letter stands between two originals, so that they could be read together.
    is_bridge: bool,
}

/// What stands beside an original, up to the originals next to it or the ends of the text.
#[derive(Clone, Copy)]
pub(super) struct Beside<'a> {
    pub(super) before: &'a str,
    pub(super) behind: &'a str,
    /// Whether another original, not the begin of the text, stands before.
    pub(super) follows: bool,
    /// Whether another original, not the end of the text, stands behind.
    pub(super) precedes: bool,
}

/// Whether an identifier that was put into a text stands apart there, or at least stands as it stood before.
pub(super) fn stands_apart(original: &str, new: Beside<'_>, old: Beside<'_>) -> bool {
    let before = |beside: Beside<'_>| Side::read(beside.before.chars().rev(), beside.follows);
    let behind = |beside: Beside<'_>| Side::read(beside.behind.chars(), beside.precedes);
    let begins_with_digit = original.starts_with(char::is_numeric);
    let (new_before, new_behind) = (before(new), behind(new));
    let (old_before, old_behind) = (before(old), behind(old));
    let is_other_country =
        new_before.country().is_some() && new_before.country() != old_before.country();
    let joins_before = new_before.is_marked_up
        || reaches_into_original(new.before)
        || (begins_with_digit && new_before.is_head_of_iban())
        || new_before.is_bridge
        || (begins_with_digit && (new_before.is_near_digit() || is_other_country));
    let joins_behind =
        new_behind.is_marked_up || new_behind.is_bridge || new_behind.is_near_digit();
    (new_before == old_before || !joins_before) && (new_behind == old_behind || !joins_behind)
}

impl Side {
    fn read(outwards: impl Iterator<Item = char>, ends_at_original: bool) -> Self {
        let mut side = Self {
            characters: String::new(),
            symbols: Vec::new(),
            is_marked_up: false,
            is_bridge: ends_at_original,
        };
        for character in outwards {
            side.is_marked_up |= matches!(character, '<' | '>' | '&' | '#');
            let mut bytes = [0; 4];
            let Some(symbols) = detect::compact(character.encode_utf8(&mut bytes)) else {
                side.is_bridge = false;
                break;
            };
            side.characters.push(character);
            side.symbols.extend(symbols.bytes());
            side.is_bridge &= side.symbols.len() < 2;
            if side.symbols.len() == REACH {
                break;
            }
        }
        side
    }

    /// Whether digits begin here that an original could be part of: all of them, or all but the letter of Corsica.
    fn is_near_digit(&self) -> bool {
        self.symbols.iter().take(2).any(u8::is_ascii_digit)
    }

    /// A registered country that an IBAN could begin with, of which the digits behind it would be the rest. An IBAN of
    /// another one would have to stand alone.
    fn country(&self) -> Option<&[u8]> {
        let outwards = self.symbols.get(..2)?;
        let letters = [outwards[1], outwards[0]];
        detect::iban_length(&letters).map(|_| outwards)
    }

    /// A registered country and two digits stand here, outwards the digits first. An IBAN of another one would have to
    /// stand alone.
    fn is_head_of_iban(&self) -> bool {
        self.symbols.windows(4).any(|head| {
            let [d, c, b, a] = head else { return false };
            is_head(&[*a, *b, *c, *d]) && detect::iban_length(&[*a, *b]).is_some()
        })
    }
}

/// Whether an IBAN could begin before an original and reach into it: one of its country's length anywhere, any other
/// only at the begin of a word and in one piece or in groups of four, as the detector finds them.
fn reaches_into_original(before: &str) -> bool {
    let (groups, touches) = groups(before);
    let symbols: Vec<u8> = groups.concat();
    let by_country = (0..symbols.len()).any(|start| {
        let rest = &symbols[start..];
        is_head(rest) && detect::iban_length(rest).is_some_and(|length| rest.len() < length)
    });
    by_country
        || (0..groups.len()).any(|first| {
            let between = &groups[first..groups.len() - usize::from(touches)];
            let joined: Vec<u8> = groups[first..].concat();
            is_head(&joined) && between.iter().all(|group| group.len() == 4)
        })
}

/// The letters and digits before an original in groups, as far as an identifier could reach, and whether the last group
/// touches the original.
fn groups(before: &str) -> (Vec<Vec<u8>>, bool) {
    let (mut groups, mut group, mut count) = (Vec::new(), Vec::new(), 0);
    let mut touches = None;
    for character in before.chars().rev() {
        let mut bytes = [0; 4];
        let Some(symbols) = detect::compact(character.encode_utf8(&mut bytes)) else {
            break;
        };
        touches.get_or_insert(!symbols.is_empty());
        if symbols.is_empty() && !group.is_empty() {
            groups.push(std::mem::take(&mut group));
        }
        group.extend(symbols.bytes().rev());
        count += symbols.len();
        if count > REACH {
            break;
        }
    }
    if !group.is_empty() {
        groups.push(group);
    }
    groups.reverse();
    groups.iter_mut().for_each(|group| group.reverse());
    (groups, touches.unwrap_or(false))
}

/// Two letters and two digits.
fn is_head(symbols: &[u8]) -> bool {
    matches!(symbols, [a, b, c, d, ..] if a.is_ascii_uppercase() && b.is_ascii_uppercase()
        && c.is_ascii_digit() && d.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{Beside, stands_apart};

    const HELD: &str = "RIB FR7612345678901234567890189 merci";

    fn between<'a>(before: &'a str, behind: &'a str) -> Beside<'a> {
        Beside {
            before,
            behind,
            follows: false,
            precedes: false,
        }
    }

    fn apart(before: &str, original: &str, behind: &str) -> bool {
        stands_apart(original, between(before, behind), between("RIB ", " merci"))
    }

    #[test]
    fn words_may_change_beside_an_identifier() {
        let iban = &HELD[4..31];
        for (before, after) in [
            ("RIB ", " merci"),
            ("", ""),
            ("Vu à la foire. RIB ", " merci. Rappeler"),
            ("12/03 : ", " merci, le 12"),
            ("NO12 [voir] ", ", puis"),
            ("Rappeler avant 12h. RIB recu: ", " merci"),
            ("Vu le 3 mai 2026: ", " (ancien compte)"),
            ("Called on 12 May. IBAN ", " ok"),
        ] {
            assert!(apart(before, iban, after), "{before}…{after}");
        }
        assert!(apart("Vu. RIB ", "4111 1111 1111 1111", " merci, rappeler"));
    }

    #[test]
    fn digits_may_not_come_near_enough_to_be_read_with_it() {
        let (iban, card) = (&HELD[4..31], "4111 1111 1111 1111");
        for (before, original, after) in [
            ("NO12 3456 789 ", iban, " merci"),
            ("no1234", iban, ""),
            ("N\u{200b}O-1/2 ", iban, ""),
            ("\u{ff2e}\u{ff2f}\u{661}\u{662}", iban, ""),
            ("NO&#49;&#50;", iban, ""),
            ("NO12<b>", iban, ""),
            ("RIB ", iban, " 1"),
            ("RIB ", iban, "<br>1"),
            ("RIB ", iban, "&#49;"),
            ("4111 ", card, " merci"),
            ("2A ", card, " merci"),
            ("RIB de ", card, " merci"),
            ("RIB ", card, " 5"),
        ] {
            assert!(!apart(before, original, after), "{before}…{after}");
        }
    }

    #[test]
    fn what_stood_there_before_may_stay() {
        let old = between("[NO12 345 ", " 12/26]");
        let new = between("Vu. Rappelé. [NO12 345 ", " 12/26] et plus");
        assert!(stands_apart("4111111111111111", new, old));
    }

    #[test]
    fn originals_may_not_be_pushed_together() {
        let behind = |text| Beside {
            precedes: true,
            ..between("", text)
        };
        for text in ["", " ", " - ", "A", " b "] {
            assert!(
                !stands_apart("4111111111111111", behind(text), behind(" and ")),
                "{text}"
            );
            assert!(
                stands_apart("4111111111111111", behind(text), behind(text)),
                "{text}"
            );
        }
        assert!(stands_apart(
            "4111111111111111",
            behind(" or "),
            behind(" and ")
        ));
        assert!(stands_apart(
            "4111111111111111",
            behind(" ["),
            behind(" and ")
        ));
    }
}
