//! Who answers for the data, and in what words people are asked.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Diagnostics, Form, Keys, Node, quoted};

use super::super::codes;
use super::super::document::Document;
use super::super::terms::{Authority, ConsentText, Language, Organisation};
use super::{KEYS_REFUSED, definition, definitions, named, prose};

/// Characters of a text to which people consent.
const WORDS_CHARACTERS_MAX: usize = 10_000;

pub(super) fn read(node: &Node, document: &mut Document, found: &mut Diagnostics) {
    const FORM: Form = Form {
        what: "`organisation`",
        known: &[
            "name",
            "country",
            "address",
            "dpo",
            "authority",
            "languages",
        ],
        refused: &[],
    };
    let first = document
        .names
        .define("section", "organisation", &node.place, found);
    let Some(keys) = FORM.read(node, found) else {
        return;
    };
    let mut text = |key: &str| {
        let node = keys.get(key)?;
        prose(node, &format!("`{key}`"), found)
    };
    let (name, address, dpo) = (text("name"), text("address"), text("dpo"));
    let organisation = Organisation {
        name,
        address,
        dpo,
        country: keys.get("country").and_then(|node| country(node, found)),
        authority: keys
            .get("authority")
            .and_then(|node| authority(node, found)),
        languages: languages(&keys, found),
    };
    if first {
        document.organisation = organisation;
    }
}

/// A country, as ISO 3166-1 writes it: two capital letters.
fn country(node: &Node, found: &mut Diagnostics) -> Option<String> {
    let text = node.text("`country`", found)?;
    let is_code = text.value.len() == 2 && text.value.bytes().all(|b| b.is_ascii_uppercase());
    if !is_code {
        let title = format!("{} is not a country", quoted(text.value));
        found.push(
            Diagnostic::error(codes::BAD_CONSENT, title)
                .at(&text.place, "must be two capital letters")
                .help("use a code of ISO 3166-1, such as `FR`"),
        );
    }
    is_code.then(|| text.value.to_owned())
}

fn authority(node: &Node, found: &mut Diagnostics) -> Option<Authority> {
    const FORM: Form = Form {
        what: "a supervisory authority",
        known: &["name", "url"],
        refused: KEYS_REFUSED,
    };
    let keys = FORM.read(node, found)?;
    let name = keys.require("name", found);
    let name = name.and_then(|node| prose(node, "`name`", found));
    let url = keys.require("url", found);
    let url = url.and_then(|node| node.text("`url`", found));
    if let Some(url) = url.as_ref().filter(|url| !is_url(url.value)) {
        let title = format!("{} is not an address of a page", quoted(url.value));
        let label = "must begin with https://";
        found.push(Diagnostic::error(codes::BAD_CONSENT, title).at(&url.place, label));
    }
    Some(Authority {
        name: name?,
        url: url?.value.to_owned(),
    })
}

/// Whether a text can stand as a link on a page: nothing in it ends the link or begins another thing.
fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://");
    let is_plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'\'' | b'<' | b'>' | b'\\');
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(is_plain))
}

fn languages(keys: &Keys<'_>, found: &mut Diagnostics) -> Vec<Language> {
    let nodes = keys.get("languages").map_or(&[][..], Node::one_or_list);
    let mut languages = Vec::new();
    for node in nodes {
        if let Some(language) = node.choice("language", Language::ALL, found)
            && !languages.contains(&language)
        {
            languages.push(language);
        }
    }
    languages
}

/// The texts to which people consent.
pub(super) fn texts(node: &Node, document: &mut Document, found: &mut Diagnostics) {
    const FORM: Form = Form {
        what: "a text to which people consent",
        known: &["version", "en", "fr"],
        refused: KEYS_REFUSED,
    };
    for (name, node) in definitions(node, "`texts`", document, found) {
        let name = definition("a text", name, document, found);
        let first = document
            .names
            .define("text", &name.value, &name.place, found);
        let keys = FORM.read(node, found);
        let text = keys.and_then(|keys| text(&keys, found));
        if first {
            document.texts.push((name, text));
        }
    }
}

fn text(keys: &Keys<'_>, found: &mut Diagnostics) -> Option<ConsentText> {
    let version = keys.require("version", found);
    let version = version.and_then(|node| node.text("a version", found));
    let version = version.map(|word| named("a version", &word.into_owned(), found));
    let mut words = BTreeMap::new();
    for (code, language) in Language::ALL {
        let said = keys.get(code).and_then(|node| said(node, found));
        words.extend(said.map(|said| (*language, said)));
    }
    if Language::ALL
        .iter()
        .all(|(code, _)| keys.get(code).is_none())
    {
        found.push(
            Diagnostic::error(codes::BAD_CONSENT, "a text without words")
                .at(keys.place(), "no language is given")
                .help("say in `en` or `fr` to what people consent"),
        );
    }
    Some(ConsentText {
        version: version?.value,
        words,
    })
}

fn said(node: &Node, found: &mut Diagnostics) -> Option<String> {
    let text = node.prose("a text", found)?;
    let characters = text.value.chars().count();
    if text.value.trim().is_empty() || characters > WORDS_CHARACTERS_MAX {
        let label = format!("must hold 1 to {WORDS_CHARACTERS_MAX} characters");
        found.push(
            Diagnostic::error(codes::BAD_NAME, "a text is blank or too long")
                .at(&text.place, label),
        );
        return None;
    }
    Some(text.value.to_owned())
}
