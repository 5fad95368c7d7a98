//! What PHP makes of requests and of texts.

use std::collections::BTreeMap;

/// Which names of entities `html_entity_decode` knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Html {
    /// `ENT_HTML401`.
    Four,
    /// `ENT_HTML5`.
    Five,
}

const NAMES: &[(&str, &str)] = &[
    ("amp", "&"),
    ("quot", "\""),
    ("lt", "<"),
    ("gt", ">"),
    ("nbsp", "\u{a0}"),
    ("eacute", "\u{e9}"),
    ("egrave", "\u{e8}"),
    ("Eacute", "\u{c9}"),
    ("copy", "\u{a9}"),
    ("euro", "\u{20ac}"),
    ("lang", "\u{2329}"),
    ("zwnj", "\u{200c}"),
];

const NAMES_OF_FIVE: &[(&str, &str)] = &[
    ("lpar", "("),
    ("rpar", ")"),
    ("apos", "'"),
    ("Tab", "\t"),
    ("NewLine", "\n"),
    ("colon", ":"),
    ("comma", ","),
    ("period", "."),
    ("lowbar", "_"),
    ("percnt", "%"),
    ("num", "#"),
    ("bsol", "\\"),
    ("equals", "="),
    ("ast", "*"),
    ("lcub", "{"),
];

/// `html_entity_decode` with `ENT_QUOTES`.
pub fn html_entity_decode(text: &str, html: Html) -> String {
    let mut decoded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        decoded.push_str(before);
        let entity = after
            .split_once(';')
            .and_then(|(name, rest)| Some((meant(name, html)?, rest)));
        rest = match entity {
            Some((meant, rest)) => {
                decoded.push_str(&meant);
                rest
            }
            None => {
                decoded.push('&');
                after
            }
        };
    }
    decoded + rest
}

fn meant(name: &str, html: Html) -> Option<String> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16).ok()?,
            None => number.parse().ok()?,
        };
        // The others stay as they are written.
        let is_allowed = matches!(code, 9 | 10 | 13 | 0x20..=0x7e | 0xa0..);
        return char::from_u32(code)
            .filter(|_| is_allowed && !number.contains('+'))
            .map(String::from);
    }
    let five = (html == Html::Five).then_some(NAMES_OF_FIVE);
    let mut names = NAMES.iter().chain(five.into_iter().flatten());
    names
        .find(|(known, _)| *known == name)
        .map(|(_, meant)| (*meant).to_owned())
}

/// `rawurldecode`, or `urldecode`, which takes a plus for a blank.
pub fn url_decode(text: &str, plus: bool) -> String {
    let mut decoded = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digits = after
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits
            .filter(|digits| first == b'%' && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            Some(byte) => {
                decoded.push(byte);
                rest = &after[2..];
            }
            None => {
                decoded.push(if plus && first == b'+' { b' ' } else { first });
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// What `parse_str` makes of a query string or a form: a text, or members by name in the order of their coming.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree {
    Text(String),
    Members(Vec<(String, Self)>),
}

impl Tree {
    /// A member.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.members()
            .iter()
            .find_map(|(own, member)| (own == name).then_some(member))
    }

    /// The members; a text has none.
    pub fn members(&self) -> &[(String, Self)] {
        match self {
            Self::Text(_) => &[],
            Self::Members(members) => members,
        }
    }

    /// The text; members have none.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Members(_) => None,
        }
    }
}

/// `parse_str`.
pub fn parse_str(text: &str) -> Tree {
    let mut root = Tree::Members(Vec::new());
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = url_decode(name, true);
        let (base, mut brackets) = name.split_at(name.find('[').unwrap_or(name.len()));
        let mut steps = vec![base.trim_start().replace([' ', '.'], "_")];
        while let Some((step, rest)) = brackets.strip_prefix('[').and_then(|r| r.split_once(']')) {
            steps.push(step.to_owned());
            brackets = rest;
        }
        put(&mut root, &steps, url_decode(value, true));
    }
    root
}

fn put(into: &mut Tree, steps: &[String], value: String) {
    let Some((first, rest)) = steps.split_first() else {
        *into = Tree::Text(value);
        return;
    };
    if let Tree::Text(_) = into {
        *into = Tree::Members(Vec::new());
    }
    let Tree::Members(members) = into else { return };
    let numbers: BTreeMap<usize, ()> = members
        .iter()
        .filter_map(|(name, _)| Some((name.parse().ok()?, ())))
        .collect();
    let name = if first.is_empty() {
        let next = numbers.keys().next_back().map_or(0, |last| last + 1);
        next.to_string()
    } else {
        first.clone()
    };
    let at = members.iter().position(|(own, _)| *own == name);
    let at = at.unwrap_or_else(|| {
        members.push((name, Tree::Text(String::new())));
        members.len() - 1
    });
    put(&mut members[at].1, rest, value);
}
