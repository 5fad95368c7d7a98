//! Values of evidence. The CRM chose them, in whatever letters, and they are compared exactly: one that merely looks right
//! gives the role to nobody, or to somebody else.

use crate::diagnostic::odd::{self, Oddity};
use crate::diagnostic::{Diagnostic, Diagnostics, Node, Spanned, quoted};

use super::super::codes;

/// The values of a kind of evidence.
pub(super) fn values(node: &Node, found: &mut Diagnostics) -> Vec<String> {
    let values = node.verbatims("evidence", found).unwrap_or_default();
    for value in &values {
        found.push_any(problem("evidence", value));
    }
    let owned = values.into_iter().map(|value| value.value.to_owned());
    owned.collect()
}

/// What is wrong, or odd, with a text that is compared exactly with what a CRM says.
pub(super) fn problem(what: &str, value: &Spanned<&str>) -> Option<Diagnostic> {
    let (text, place) = (value.value, &value.place);
    let plain = odd::plain(text);
    if plain.is_empty() {
        let problem = Diagnostic::error(codes::BLANK_EVIDENCE, format!("{what} is blank"));
        return Some(
            problem
                .at(place, "nothing in the CRM has such a name")
                .help("write the name as the CRM shows it, such as `crm.role: \"Sales\"`"),
        );
    }
    let meant = format!("most likely {} is meant: write that", quoted(&plain));
    let unseen = |odd| matches!(odd, Oddity::Invisible | Oddity::Direction | Oddity::Control);
    let unseen = odd::first(text, unseen).map(|(_, c)| c);
    if let Some(c) = unseen.or_else(|| quoted_by(text)) {
        let title = format!("{what} holds {}", odd::name(c));
        let problem = Diagnostic::error("Y018", title).at(place, "not what it looks like");
        return Some(problem.help(meant));
    }
    let warning = |title: String| {
        Diagnostic::warning(codes::ODD_EVIDENCE, title)
            .at(place, "compared exactly with what the CRM says")
            .help(format!(
                "if the CRM does not write it so, write {}",
                quoted(&plain)
            ))
    };
    if text.trim() != text {
        return Some(warning(format!(
            "{what} {} begins or ends with a space",
            quoted(text)
        )));
    }
    let odd = odd::first(text, |odd| matches!(odd, Oddity::Space | Oddity::Quote));
    let c = odd.map(|(_, c)| c).or_else(|| mixed(text))?;
    Some(warning(format!(
        "{what} {} holds {}",
        quoted(text),
        odd::name(c)
    )))
}

/// The quotation mark around a text, which YAML takes for a part of it.
fn quoted_by(text: &str) -> Option<char> {
    let is_quote = |c: &char| odd::oddity(*c) == Some(Oddity::Quote);
    let first = text.chars().next().filter(is_quote);
    first.or_else(|| text.chars().next_back().filter(is_quote))
}

/// A letter that looks like one of ASCII, in a word with letters of ASCII.
fn mixed(text: &str) -> Option<char> {
    let words = text.split(|c: char| !c.is_alphanumeric());
    let mut mixed = words.filter(|word| word.chars().any(|c| c.is_ascii_alphabetic()));
    mixed.find_map(|word| {
        let is_like = |c: &char| matches!(odd::oddity(*c), Some(Oddity::Like(_)));
        word.chars().find(is_like)
    })
}
