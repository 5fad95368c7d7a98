//! In which language somebody is answered.

use crate::policy::{Language, Organisation};

/// What is stated counts, then what the browser wishes, then the house's first language.
pub(super) fn choose(
    stated: Option<&str>,
    wished: Option<&str>,
    organisation: &Organisation,
) -> Language {
    let spoken = &organisation.languages;
    let speaks = |language: &Language| spoken.is_empty() || spoken.contains(language);
    let stated = stated.and_then(named).filter(speaks);
    let wished = || wished.and_then(|wished| best(wished, speaks));
    stated
        .or_else(wished)
        .or_else(|| spoken.first().copied())
        .unwrap_or(Language::En)
}

/// The language of a code.
pub(super) fn named(code: &str) -> Option<Language> {
    let known = Language::ALL.iter().find(|(known, _)| *known == code);
    known.map(|(_, language)| *language)
}

/// The language that an `Accept-Language` (RFC 9110, section 12.5.4) wishes most of those that are spoken.
fn best(wished: &str, speaks: impl Fn(&Language) -> bool) -> Option<Language> {
    let mut best: Option<(f32, Language)> = None;
    for range in wished.split(',').take(50) {
        let mut parts = range.split(';').map(str::trim);
        let tag = parts.next().unwrap_or_default().to_ascii_lowercase();
        let code = tag.split('-').next().unwrap_or_default();
        let weight = parts.find_map(|part| part.strip_prefix("q="));
        let weight = weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0));
        if let Some(language) = named(code).filter(&speaks)
            && weight > best.map_or(0.0, |(weight, _)| weight)
        {
            best = Some((weight, language));
        }
    }
    best.map(|(_, language)| language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stated_counts_before_what_is_wished() {
        let both = Organisation {
            languages: vec![Language::Fr, Language::En],
            ..Organisation::default()
        };
        let french = Organisation {
            languages: vec![Language::Fr],
            ..Organisation::default()
        };
        for (stated, wished, organisation, expected) in [
            (None, None, &both, Language::Fr),
            (None, Some("en-GB,en;q=0.9,fr;q=0.8"), &both, Language::En),
            (None, Some("de, en;q=0.1, fr;q=0.2"), &both, Language::Fr),
            (None, Some("en;q=0"), &both, Language::Fr),
            (Some("en"), Some("fr"), &both, Language::En),
            (Some("xx"), Some("en"), &both, Language::En),
            (Some("en"), Some("en"), &french, Language::Fr),
            (None, None, &Organisation::default(), Language::En),
        ] {
            assert_eq!(
                choose(stated, wished, organisation),
                expected,
                "{stated:?} {wished:?}"
            );
        }
    }
}
