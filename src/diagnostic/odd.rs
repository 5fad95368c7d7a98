//! Characters that look like others, or like nothing: what somebody reads is then not what is written.

/// What is odd about a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// A space that is not the space of ASCII.
    Space,
    /// It is not seen.
    Invisible,
    /// It turns the direction in which the text is shown.
    Direction,
    /// A control character.
    Control,
    /// A quotation mark that YAML does not take for one.
    Quote,
    /// It looks like this character of ASCII.
    Like(char),
}

impl Oddity {
    /// Whether it has no place in a name, nor in any other word that is compared.
    pub fn is_never_meant(self) -> bool {
        !matches!(self, Self::Like(_))
    }

    /// Whether it has no place even in free words.
    pub fn misleads(self) -> bool {
        matches!(self, Self::Direction | Self::Control)
    }
}

/// What is odd about a character; `None` for all others, letters of any script among them.
pub fn oddity(c: char) -> Option<Oddity> {
    let odd = match c {
        ' '..='~' | '\t' | '\n' | '\r' => return None,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => Oddity::Control,
        '\u{a0}'
        | '\u{1680}'
        | '\u{2000}'..='\u{200a}'
        | '\u{2028}'
        | '\u{2029}'
        | '\u{202f}'
        | '\u{205f}'
        | '\u{3000}' => Oddity::Space,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            Oddity::Direction
        }
        '\u{ad}'
        | '\u{34f}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200d}'
        | '\u{2060}'..='\u{206f}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' => Oddity::Invisible,
        '\u{ab}'
        | '\u{b4}'
        | '\u{bb}'
        | '\u{2bb}'..='\u{2bd}'
        | '\u{2018}'..='\u{201f}'
        | '\u{2032}'..='\u{2037}'
        | '\u{2039}'
        | '\u{203a}'
        | '\u{301d}'..='\u{301f}'
        | '\u{ff02}'
        | '\u{ff07}' => Oddity::Quote,
        other => return like(other).map(Oddity::Like),
    };
    Some(odd)
}

/// The character of ASCII that another one looks like.
fn like(c: char) -> Option<char> {
    let code = u32::from(c);
    let of = |first: u32, run: u32, from: char| {
        let step = (code - first) % run;
        char::from_u32(u32::from(from) + step)
    };
    match code {
        0xff01..=0xff5e => return char::from_u32(code - 0xff01 + u32::from('!')),
        0x1d400..=0x1d6a3 => {
            let step = (code - 0x1d400) % 52;
            return match step {
                0..26 => char::from_u32(u32::from('A') + step),
                _ => char::from_u32(u32::from('a') + step - 26),
            };
        }
        0x1d7ce..=0x1d7ff => return of(0x1d7ce, 10, '0'),
        _ => {}
    }
    let pair = LOOK_ALIKES.iter().find(|(others, _)| others.contains(c));
    pair.map(|(_, ascii)| *ascii)
}

/// Letters and marks that most fonts draw like one of ASCII: Cyrillic, Greek, Armenian, Latin, punctuation.
const LOOK_ALIKES: &[(&str, char)] = &[
    ("аɑα", 'a'),
    ("АΑ", 'A'),
    ("ЬВΒ", 'B'),
    ("ьƅ", 'b'),
    ("сϲᴄ", 'c'),
    ("СϹ", 'C'),
    ("ԁ", 'd'),
    ("еєҽ", 'e'),
    ("ЕΕ", 'E'),
    ("ɡց", 'g'),
    ("һհ", 'h'),
    ("НΗ", 'H'),
    ("іıιɩ", 'i'),
    ("ІΙӀ", 'I'),
    ("јϳ", 'j'),
    ("Ј", 'J'),
    ("кκ", 'k'),
    ("КΚ\u{212a}", 'K'),
    ("ӏℓլ", 'l'),
    ("м", 'm'),
    ("МΜ", 'M'),
    ("пոη", 'n'),
    ("Ν", 'N'),
    ("оοօ", 'o'),
    ("ОΟՕ", 'O'),
    ("рρ", 'p'),
    ("РΡ", 'P'),
    ("ԛ", 'q'),
    ("Ԛ", 'Q'),
    ("г", 'r'),
    ("ѕ", 's'),
    ("Ѕ", 'S'),
    ("тτ", 't'),
    ("ТΤ", 'T'),
    ("սυ", 'u'),
    ("ѵν", 'v'),
    ("ԝѡ", 'w'),
    ("Ԝ", 'W'),
    ("хχ", 'x'),
    ("ХΧ", 'X'),
    ("уүγ", 'y'),
    ("УΥҮ", 'Y'),
    ("Ζ", 'Z'),
    ("‐‑‒–—―−﹘﹣", '-'),
    ("․。", '.'),
    ("∶꞉ː", ':'),
    ("،、", ','),
    ("∗⁎٭", '*'),
    ("‗", '_'),
    ("⁄∕", '/'),
];

/// The first odd character of a text for which `counts`, and the byte at which it stands.
pub fn first(text: &str, counts: fn(Oddity) -> bool) -> Option<(usize, char)> {
    let mut odd = text
        .char_indices()
        .filter(|(_, c)| oddity(*c).is_some_and(counts));
    odd.next()
}

/// What was most likely meant: without what is not seen, and with what its odd characters look like. Quotes at both ends
/// are taken for quotes.
pub fn plain(text: &str) -> String {
    let plain: String = text
        .chars()
        .filter_map(|c| match oddity(c) {
            None => Some(c),
            Some(Oddity::Space) => Some(' '),
            Some(Oddity::Quote) => None,
            Some(Oddity::Like(ascii)) => Some(ascii),
            Some(Oddity::Invisible | Oddity::Direction | Oddity::Control) => None,
        })
        .collect();
    plain.trim().to_owned()
}

/// A text in which every character is seen: odd ones that would not be stand as `<U+200B>`.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        let is_seen = match oddity(c) {
            None => !c.is_control(),
            Some(Oddity::Quote | Oddity::Like(_)) => true,
            Some(_) => false,
        };
        if is_seen {
            shown.push(c);
        } else {
            shown.push_str(&format!("<{}>", code(c)));
        }
    }
    shown
}

/// `U+00A0`
fn code(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}

/// A character in words: ``U+00A0, a no-break space``.
pub fn name(c: char) -> String {
    let words = match (c, oddity(c)) {
        ('\u{a0}' | '\u{202f}', _) => "a no-break space".to_owned(),
        ('\u{200b}' | '\u{feff}' | '\u{2060}', _) => "a zero-width space".to_owned(),
        ('\u{200c}' | '\u{200d}', _) => "a zero-width joiner".to_owned(),
        ('\u{ad}', _) => "a soft hyphen".to_owned(),
        (_, Some(Oddity::Space)) => "a space that is none of ASCII".to_owned(),
        (_, Some(Oddity::Invisible)) => "a character that is not seen".to_owned(),
        (_, Some(Oddity::Direction)) => {
            "a control character that turns the direction of text".to_owned()
        }
        (_, Some(Oddity::Control)) => "a control character".to_owned(),
        (_, Some(Oddity::Quote)) => format!("the quotation mark {c}, which is none to YAML"),
        (_, Some(Oddity::Like(ascii))) => match script(c) {
            Some(script) => format!("{script} `{c}`, which looks like `{ascii}`"),
            None => format!("`{c}`, which looks like `{ascii}`"),
        },
        (_, None) => format!("`{c}`"),
    };
    format!("{}, {words}", code(c))
}

fn script(c: char) -> Option<&'static str> {
    match u32::from(c) {
        0x370..=0x3ff => Some("the Greek letter"),
        0x400..=0x52f => Some("the Cyrillic letter"),
        0x530..=0x58f => Some("the Armenian letter"),
        0xff01..=0xff5e => Some("the full-width"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{LOOK_ALIKES, Oddity, first, name, oddity, plain, visible};

    #[test]
    fn what_is_not_seen_and_what_looks_like_something_else_is_odd() {
        for (c, expected) in [
            ('\u{a0}', Oddity::Space),
            ('\u{202f}', Oddity::Space),
            ('\u{3000}', Oddity::Space),
            ('\u{200b}', Oddity::Invisible),
            ('\u{feff}', Oddity::Invisible),
            ('\u{ad}', Oddity::Invisible),
            ('\u{e0041}', Oddity::Invisible),
            ('\u{202e}', Oddity::Direction),
            ('\u{2066}', Oddity::Direction),
            ('\u{200f}', Oddity::Direction),
            ('\0', Oddity::Control),
            ('\u{85}', Oddity::Control),
            ('“', Oddity::Quote),
            ('’', Oddity::Quote),
            ('«', Oddity::Quote),
            ('ѕ', Oddity::Like('s')),
            ('Ε', Oddity::Like('E')),
            ('ａ', Oddity::Like('a')),
            ('：', Oddity::Like(':')),
            ('𝐬', Oddity::Like('s')),
            ('𝟗', Oddity::Like('9')),
            ('–', Oddity::Like('-')),
        ] {
            assert_eq!(oddity(c), Some(expected), "{c:?}");
        }
    }

    #[test]
    fn letters_of_any_script_are_not_odd_by_themselves() {
        for c in "aZ09 -_.é Œßñ日本Жю•€\t\n".chars() {
            assert_eq!(oddity(c), None, "{c:?}");
        }
    }

    #[test]
    fn each_look_alike_stands_once_and_is_no_ascii() {
        let mut seen = std::collections::BTreeSet::new();
        for (others, ascii) in LOOK_ALIKES {
            assert!(ascii.is_ascii());
            for c in others.chars() {
                assert!(!c.is_ascii() && seen.insert(c), "{c}");
                assert_eq!(oddity(c), Some(Oddity::Like(*ascii)), "{c}");
            }
        }
    }

    #[test]
    fn a_text_is_shown_with_all_its_characters_and_repaired() {
        for (text, shown, meant) in [
            ("sal\u{200b}es", "sal<U+200B>es", "sales"),
            ("\u{a0}\u{a0}sales", "<U+00A0><U+00A0>sales", "sales"),
            ("“Sales”", "“Sales”", "Sales"),
            (
                "Data\u{a0}Protection",
                "Data<U+00A0>Protection",
                "Data Protection",
            ),
            ("ѕаles", "ѕаles", "sales"),
            ("a\u{202e}b", "a<U+202E>b", "ab"),
            ("é", "é", "é"),
        ] {
            assert_eq!(
                (visible(text).as_str(), plain(text).as_str()),
                (shown, meant)
            );
        }
        assert_eq!(first("ab“c", Oddity::is_never_meant), Some((2, '“')));
        assert_eq!(first("аb", Oddity::is_never_meant), None);
        assert_eq!(name('\u{a0}'), "U+00A0, a no-break space");
        assert_eq!(
            name('ѕ'),
            "U+0455, the Cyrillic letter `ѕ`, which looks like `s`"
        );
    }
}
