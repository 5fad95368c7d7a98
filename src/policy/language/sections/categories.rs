//! Categories that a policy changes or adds, and their masks.

use crate::diagnostic::{Diagnostic, Diagnostics, Form, Node, NodeKind, Place, Spanned, quoted};
use crate::mask::Mask;

use super::super::codes;
use super::super::document::{CategoryEntry, Document};
use super::{KEYS_REFUSED, NAME_CHARACTERS_MAX, checked, definitions, labels, prose};

pub(super) fn read(node: &Node, document: &mut Document, found: &mut Diagnostics) {
    const FORM: Form = Form {
        what: "a category",
        known: &["label", "mask"],
        refused: KEYS_REFUSED,
    };
    let form = "ASCII lower-case letters, digits and `_`, in parts separated by `.`";
    for (name, node) in definitions(node, "`categories`", document, found) {
        let name = checked("a category", name, form, is_category, found);
        document.incomplete |= !is_category(&name.value);
        let first = document
            .names
            .define("category", &name.value, &name.place, found);
        let keys = FORM.read(node, found);
        let labels = keys
            .and_then(|keys| keys.get("label"))
            .and_then(|node| labels(node, found))
            .unwrap_or_default();
        let mask = keys.and_then(|keys| keys.get("mask")).and_then(|node| {
            Some(Spanned {
                value: mask(node, found)?,
                place: node.place.clone(),
            })
        });
        if first {
            document
                .categories
                .push(CategoryEntry { name, labels, mask });
        }
    }
}

fn is_category(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    name.len() <= NAME_CHARACTERS_MAX
        && name
            .split('.')
            .all(|part| !part.is_empty() && part.bytes().all(is_plain))
}

fn mask(node: &Node, found: &mut Diagnostics) -> Option<Mask> {
    const WORDS: &[(&str, Mask)] = &[
        ("iban", Mask::Iban),
        ("bic", Mask::Bic),
        ("card", Mask::Card),
        ("initials", Mask::Initials),
        ("mail", Mask::Mail),
        ("year", Mask::Year),
        ("department", Mask::Department),
    ];
    const FORMS: &str = "masks: iban, bic, card, initials, mail, { last: N }, { first: N }, year, \
                         { date: \"YYYY-01-01\" }, department, { round: N }, { constant: \"…\" }";
    let unknown = |place: &Place, name: &str| {
        Diagnostic::error(
            codes::UNKNOWN_MASK,
            format!("unknown mask {}", quoted(name)),
        )
        .at(place, "not a mask")
        .help(FORMS)
    };
    match &node.kind {
        NodeKind::Str(word) => {
            let hit = WORDS.iter().find(|(name, _)| name == word);
            if hit.is_none() {
                found.push(
                    unknown(&node.place, word).suggest(word, WORDS.iter().map(|(name, _)| *name)),
                );
            }
            hit.map(|(_, mask)| mask.clone())
        }
        NodeKind::Map(entries) => match entries.as_slice() {
            [(key, value)] => match key.value.as_str() {
                "last" => count(value, found).map(Mask::Last),
                "first" => count(value, found).map(Mask::First),
                "round" => value
                    .integer("`round`", 1..=1_000_000_000_000, found)
                    .and_then(|n| u64::try_from(n).ok())
                    .map(Mask::Round),
                "date" => {
                    value.choice("form of a date", &[("YYYY-01-01", Mask::YearAsDate)], found)
                }
                "constant" => prose(value, "`constant`", found).map(Mask::Constant),
                other => {
                    found.push(
                        unknown(&key.place, other)
                            .suggest(other, ["last", "first", "round", "date", "constant"]),
                    );
                    None
                }
            },
            _ => {
                found.push(
                    Diagnostic::error(codes::UNKNOWN_MASK, "a mask has exactly one form")
                        .at(&node.place, "one key is needed here")
                        .help(FORMS),
                );
                None
            }
        },
        _ => {
            found.push(
                Diagnostic::error(codes::UNKNOWN_MASK, "this is not a mask")
                    .at(&node.place, "a word or a map is needed here")
                    .help(FORMS),
            );
            None
        }
    }
}

fn count(node: &Node, found: &mut Diagnostics) -> Option<usize> {
    node.integer("the number of characters shown", 1..=16, found)
        .and_then(|n| usize::try_from(n).ok())
}
