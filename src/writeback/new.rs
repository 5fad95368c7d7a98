//! What a text that is written says anew: each finding is a write to its category.

use std::collections::HashSet;

use crate::detect::Kind;
use crate::detect::statement::{Certainty, Topic};
use crate::filter::{Finding, findings};
use crate::objection::Objection;
use crate::policy::{SpanRule, TextRule};
use crate::reason::Reason;

/// Refuses a text that says something the caller may not write; tells whether it says something that goes into the log.
/// What the text says as the caller is `shown` it, it may go on saying, in the same words. What is withheld of it counts for
/// nothing: an answer that told the same words from others would tell what they are.
pub(super) fn judge(sent: &str, shown: &str, rule: &TextRule) -> Result<bool, Objection> {
    let found = findings(rule, sent);
    if found.is_empty() {
        return Ok(false);
    }
    let said = Said::of(shown, rule);
    let mut is_flagged = false;
    for Finding { span, certainty } in found {
        let Some(rule) = rule.spans.iter().find(|own| own.kind == span.kind) else {
            continue;
        };
        let is_old = || said.holds(span.kind, sent.get(span.range.clone()).unwrap_or_default());
        // Looking whether something is old takes longer than all the rest.
        match judged(rule, certainty) {
            Judged::Refused if !is_old() => return Err(refusal(span.kind)),
            Judged::Flagged if !is_flagged && !is_old() => is_flagged = true,
            _ => {}
        }
    }
    Ok(is_flagged)
}

enum Judged {
    Refused,
    Flagged,
    Passed,
}

fn judged(rule: &SpanRule, certainty: Certainty) -> Judged {
    let is_sure = |least: Option<Certainty>| least.is_some_and(|least| certainty >= least);
    if rule.writable {
        Judged::Passed
    } else if is_sure(rule.refused) {
        Judged::Refused
    } else if is_sure(rule.flagged) {
        Judged::Flagged
    } else {
        Judged::Passed
    }
}

fn refusal(kind: Kind) -> Objection {
    match kind {
        Kind::Statement(topic) => Objection::statement(called(topic)),
        _ => Reason::FieldNotWritable.into(),
    }
}

/// What a topic is called in a sentence.
fn called(topic: Topic) -> &'static str {
    match topic {
        Topic::Health => "health",
        Topic::Belief => "religion or belief",
        Topic::Politics => "political opinions",
        Topic::TradeUnion => "trade-union membership",
        Topic::EthnicOrigin => "racial or ethnic origin",
        Topic::SexLife => "sex life or sexual orientation",
        Topic::Genetic => "genetic data",
        Topic::Biometric => "biometric data",
        Topic::Criminal => "offences or convictions",
    }
}

/// What a text says as it is shown.
struct Said<'s> {
    shown: &'s str,
    found: HashSet<(Kind, &'s str)>,
}

impl<'s> Said<'s> {
    fn of(shown: &'s str, rule: &TextRule) -> Self {
        let found = match rule.lexicon {
            Some(_) => findings(rule, shown),
            None => Vec::new(),
        };
        let clause = |Finding { span, .. }: Finding| Some((span.kind, shown.get(span.range)?));
        Self {
            shown,
            found: found.into_iter().filter_map(clause).collect(),
        }
    }

    /// Whether a clause stands there word for word: found there, too, or not, since what is edited elsewhere may make it
    /// weigh more. An identifier could be taken for another one's place, so none is old.
    fn holds(&self, kind: Kind, clause: &str) -> bool {
        matches!(kind, Kind::Statement(_))
            && !clause.is_empty()
            && (self.found.contains(&(kind, clause)) || stands_whole(self.shown, clause))
    }
}

/// Whether a clause stands in a text and is one there: it is not said in the middle of another one, which may deny it.
fn stands_whole(text: &str, clause: &str) -> bool {
    let is_blank = |character: char| character.is_whitespace() && !is_line_end(character);
    text.match_indices(clause).any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        let behind = text.get(at + clause.len()..).unwrap_or_default();
        let before = before.trim_end_matches(is_blank).chars().next_back();
        let behind = behind.trim_start_matches(is_blank).chars().next();
        before.is_none_or(ends_clause) && behind.is_none_or(ends_clause)
    })
}

fn ends_clause(character: char) -> bool {
    is_line_end(character) || matches!(character, '.' | '!' | '?' | ';' | ':' | '|' | '…')
}

fn is_line_end(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::stands_whole;
    use crate::detect::Kind;
    use crate::detect::statement::{Certainty, Languages, Lexicon, Topic};
    use crate::policy::{SpanRule, TextRule};
    use crate::reason::Reason;
    use crate::vocabulary::{Category, Level};
    use crate::writeback::spans::restore;

    const SAID: &str = "Elle est séropositive depuis 2019";

    /// Statements about health withheld, or shown but not written.
    fn rule(level: Level) -> TextRule {
        let kind = Kind::Statement(Topic::Health);
        TextRule {
            spans: vec![SpanRule {
                would: None,
                kind,
                category: Category::new(kind.category()),
                level,
                by: Vec::new(),
                mask: None,
                tokenizer: None,
                shown: Some(Certainty::Likely),
                refused: Some(Certainty::Certain),
                flagged: Some(Certainty::Likely),
                writable: false,
            }],
            lexicon: Some(Lexicon::of(Languages::all())),
        }
    }

    #[test]
    fn a_guess_at_what_is_withheld_is_refused_right_or_wrong() {
        let held = format!("Vue au salon.\n{SAID}.\nRappeler mardi.");
        let answer = |guess: &str| {
            let shown = format!("Vue au salon.\n[withheld].\nRappeler mardi.\n{guess}");
            restore(&shown, &held, &rule(Level::Redact), Some(65_535))
                .map_err(|objection| objection.reason)
        };
        let refused = Err(Reason::SpecialCategoryInText);
        assert_eq!(answer(&format!("{SAID}.")), refused);
        assert_eq!(answer("Elle est séropositive depuis 2018."), refused);
        assert!(answer("Vue mardi.").is_ok());
    }

    #[test]
    fn how_long_a_withheld_clause_is_cannot_be_measured() {
        let answer = |said: &str, length: usize| {
            let held = format!("Vue au salon.\n{said}.\nRappeler mardi.");
            let sent = "Vue au bureau.\n[withheld].\nRappeler mardi.";
            let restored = restore(sent, &held, &rule(Level::Redact), Some(length));
            restored.map(|_| ()).map_err(|objection| objection.reason)
        };
        let answers =
            |said: &str| -> Vec<_> { (0..700).map(|length| answer(said, length)).collect() };
        let (short, long) = (
            "Elle est séropositive",
            "Elle est séropositive depuis 2019, à Lyon",
        );
        assert_eq!(answers(short), answers(long));
        assert_eq!(answer(short, 500), Err(Reason::WithheldTextTooLong));
        assert_eq!(answer(short, 699), Ok(()));
    }

    #[test]
    fn what_is_shown_may_stay_and_nothing_else_may_come() {
        let held = format!("Vue au salon.\n{SAID}.\nRappeler mardi.");
        let answer = |sent: &str| restore(sent, &held, &rule(Level::Clear), Some(65_535));
        let edited = answer(&held.replacen("mardi", "jeudi", 1));
        assert!(edited.is_ok_and(|restored| !restored.is_flagged));
        assert!(answer(&held.replacen("2019", "2018", 1)).is_err());
    }

    #[test]
    fn a_clause_stands_where_it_is_one() {
        let clause = "Elle est malade";
        for text in [
            clause,
            "Vue hier. Elle est malade. Rappeler",
            "Vue hier :\nElle est malade\nRappeler",
        ] {
            assert!(stands_whole(text, clause), "{text}");
        }
        for text in [
            "",
            "Elle est",
            "Il nie. Non, Elle est malade",
            "Elle est malade imaginaire.",
            "Elle est malades",
        ] {
            assert!(!stands_whole(text, clause), "{text}");
        }
    }
}
