//! What a new policy takes over from the one that is delivered for a CRM: sections of it, word for word.

use crate::diagnostic::{Diagnostics, File, NodeKind, read};
use crate::dialect::Dialect;

/// What each field is: the delivered classification, under the new policy's name.
pub(super) fn classify(dialect: &dyn Dialect) -> String {
    let section = section(dialect, "classify").unwrap_or_else(|| "classify: {}\n".to_owned());
    format!(
        "# What each field of the CRM is, as it is delivered. Classified once, for all rules.\n#\n\
         # - What nobody has classified is redacted. `paravent discover` shows it, and adds what can be told.\n\
         # - A wildcard that catches too much does no harm but hides a harmless field. Take it back with an exact entry:\n\
         #     aerobic_offer_c: {{ category: commercial.figures, instead_of: financial.bic,\n\
         #                        reviewed: {{ by: dpo@example.com, on: 2026-11-02, why: fitness product flag }} }}\n\
         # - Copies need no entry: they follow the fields that they copy.\n\
         # - A module that has no section here is not known, and requests for it are refused.\n\n\
         policy: {}\n\n{section}",
        super::NAME
    )
}

/// A section of the delivered policy, with its key and the comments in it.
pub(super) fn section(dialect: &dyn Dialect, key: &str) -> Option<String> {
    dialect.starter().iter().find_map(|text| of_text(text, key))
}

fn of_text(text: &str, key: &str) -> Option<String> {
    let file = File::new("starter.yaml", text);
    let NodeKind::Map(entries) = read(&file, &mut Diagnostics::new())?.kind else {
        return None;
    };
    let at = entries.iter().position(|(name, _)| name.value == key)?;
    let start = entries.get(at)?.0.place.span.start;
    let end = entries
        .get(at + 1)
        .map_or(text.len(), |(next, _)| next.place.span.start);
    let section = text.get(start..end)?;
    // Comments before the next section belong to that.
    let lines: Vec<&str> = section.lines().collect();
    let is_before = |line: &&&str| line.is_empty() || line.starts_with('#');
    let rest = lines.iter().rev().take_while(is_before).count();
    let own = lines.get(..lines.len() - rest)?;
    Some(own.iter().map(|line| format!("{line}\n")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_ends_before_the_comments_of_the_next() {
        let text = "# a\npolicy: p\n# ---- one\none: # x\n  a: b # c\n\n  # d\n  e: f\n\n# ---- two\n# more\ntwo: {}\n";
        assert_eq!(
            of_text(text, "one").unwrap(),
            "one: # x\n  a: b # c\n\n  # d\n  e: f\n"
        );
        assert_eq!(of_text(text, "two").unwrap(), "two: {}\n");
        assert_eq!(of_text(text, "three"), None);
    }
}
