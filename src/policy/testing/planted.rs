//! Holes in the shipped policy, as somebody could make them without meaning it: see `planted.txt`.
//!
//! `= KIND: WHAT` begins a hole that breaks a promise, `~` one that only a comparison of the policies tells, `-` one that
//! discloses nothing. Each line below it is an edit, `ANCHOR | OLD | NEW`: behind the only place where the anchor
//! stands, the first `OLD` becomes `NEW`. `\n` stands for the end of a line, `(nothing)` for nothing. `(drop)` takes the entry of a
//! list out that begins at the anchor.

use crate::policy::Source;

/// The shipped policy, its file of fields and its file of rules.
const SHIPPED: [(&str, &str); 2] = [
    (
        "classify.yaml",
        include_str!("../../../policies/sugarcrm/classify.yaml"),
    ),
    (
        "rules.yaml",
        include_str!("../../../policies/sugarcrm/rules.yaml"),
    ),
];

const PLANTED: &str = include_str!("planted.txt");

/// What tells a hole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ToldBy {
    /// A promise that it breaks.
    Promise,
    /// A comparison of the policies alone: it changes who has a role or a strength, what a field is, or something of which no
    /// promise is made.
    Comparison,
    /// Nothing, because it discloses nothing.
    Nothing,
}

/// A hole.
#[derive(Clone, Debug)]
pub(crate) struct Planted {
    pub(crate) told_by: ToldBy,
    pub(crate) kind: &'static str,
    pub(crate) what: &'static str,
    edits: Vec<[&'static str; 3]>,
}

/// The shipped policy as it is.
pub(crate) fn shipped() -> Vec<Source> {
    let source = |(path, text): &(&str, &str)| Source {
        path: (*path).to_owned(),
        text: (*text).to_owned(),
    };
    SHIPPED.iter().map(source).collect()
}

/// Every hole.
pub(crate) fn planted() -> Vec<Planted> {
    let mut all: Vec<Planted> = Vec::new();
    for line in PLANTED.lines().filter(|line| !line.is_empty()) {
        let marks = [
            ("= ", ToldBy::Promise),
            ("~ ", ToldBy::Comparison),
            ("- ", ToldBy::Nothing),
        ];
        let mut marks = marks.into_iter();
        let title = marks.find_map(|(mark, by)| Some((line.strip_prefix(mark)?, by)));
        if let Some((title, told_by)) = title {
            let (kind, what) = title.split_once(": ").unwrap();
            all.push(Planted {
                told_by,
                kind,
                what,
                edits: Vec::new(),
            });
        } else {
            let mut parts = line.strip_prefix("  ").unwrap().splitn(3, " | ");
            let edit = [(); 3].map(|()| parts.next().unwrap());
            all.last_mut().unwrap().edits.push(edit);
        }
    }
    all
}

impl Planted {
    /// The shipped policy with the hole.
    pub(crate) fn sources(&self) -> Vec<Source> {
        let mut sources = shipped();
        for edit in &self.edits {
            let [anchor, old, new] = edit.map(|part| match part {
                "(nothing)" => String::new(),
                part => part.replace("\\n", "\n"),
            });
            let mut places = sources.iter_mut().flat_map(|source| {
                let places: Vec<usize> = source
                    .text
                    .match_indices(&anchor)
                    .map(|(at, _)| at)
                    .collect();
                let text = &mut source.text;
                places.last().map(|at| (*at, places.len(), text))
            });
            let (at, count, text) = places
                .next()
                .unwrap_or_else(|| panic!("{self:?}: {anchor}"));
            assert!(count == 1 && places.next().is_none(), "{self:?}: {anchor}");
            match old.as_str() {
                "(drop)" => drop_entry(text, at),
                _ => {
                    let old_at = at
                        + text[at..]
                            .find(&old)
                            .unwrap_or_else(|| panic!("{self:?}: {old}"));
                    text.replace_range(old_at..old_at + old.len(), &new);
                }
            }
        }
        sources
    }
}

/// Takes the entry of a list out that begins somewhere.
fn drop_entry(text: &mut String, at: usize) {
    let begin = text[..at].rfind("\n  - ").map_or(0, |begin| begin + 1);
    let begin = match text[at..].starts_with("- ") {
        true => text[..at].rfind('\n').map_or(0, |begin| begin + 1),
        false => begin,
    };
    let mut end = begin + text[begin..].find('\n').map_or(text.len(), |end| end + 1);
    while text[end..].starts_with("    ") {
        end += text[end..].find('\n').map_or(text.len(), |next| next + 1);
    }
    text.replace_range(begin..end, "");
}
