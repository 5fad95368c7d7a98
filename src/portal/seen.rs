//! What the page of a form has shown. The form carries it, so that the proof names what the person has read: a policy may have
//! changed since the page was made, and a page may be in another language than the mail.

use crate::consent::PolicyTerms;
use crate::ledger::{Event, ShownText};
use crate::policy::Language;

/// The field of a form.
pub(super) const FIELD: &str = "text";
/// What a page says that shows no text.
const NOTHING: &str = "none";

/// A text, and the code of its language.
pub(super) type Read = (ShownText, String);

/// What the page of a purpose shows, as its form carries it.
pub(super) fn shown(terms: &PolicyTerms, purpose: &str, language: Language) -> String {
    match terms.asked(purpose, language) {
        Some((text, _)) => carried(&(text, language.as_str().to_owned())),
        None => NOTHING.to_owned(),
    }
}

/// What the person has read, if that is a text in force or the one that they were asked with; `Err` if it is neither, and nothing
/// may be recorded on it.
pub(super) fn read(
    stated: Option<&str>,
    terms: &PolicyTerms,
    (purpose, language): (&str, Language),
    request: Option<&Event>,
) -> Result<Option<Read>, ()> {
    let stated = stated.unwrap_or(NOTHING);
    if stated == NOTHING {
        return match terms.asked(purpose, language) {
            None => Ok(None),
            Some(_) => Err(()),
        };
    }
    let in_force = Language::ALL.iter().filter_map(|(code, language)| {
        let (text, _) = terms.asked(purpose, *language)?;
        Some((text, (*code).to_owned()))
    });
    let mut all = in_force.chain(request.and_then(asked));
    all.find(|read| carried(read) == stated).map(Some).ok_or(())
}

/// The text that somebody was asked with.
fn asked(request: &Event) -> Option<Read> {
    let text = ShownText {
        id: request.text_id.clone()?,
        version: request.text_version.clone()?,
        sha256: request.text_sha256.clone()?,
    };
    Some((text, request.language.clone()?))
}

fn carried((text, language): &Read) -> String {
    let ShownText {
        id,
        version,
        sha256,
    } = text;
    format!("{id}@{version}:{language}:{sha256}")
}
