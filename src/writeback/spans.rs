//! Puts original identifiers back where their masks stand in a text that was edited around them.

use std::collections::HashMap;
use std::ops::Range;

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use super::apart::{self, Seen};
use super::company::{self, Marked};
use super::label;
use super::new;
use super::room;
use crate::detect::{self, Kind, Span};
use crate::filter::{Replacement, replacements};
use crate::markup;
use crate::mask::{self, Placeholder};
use crate::objection::Objection;
use crate::policy::TextRule;
use crate::reason::Reason;
use crate::vocabulary::Edit;

/// What becomes of a text.
#[derive(Debug, PartialEq)]
pub(super) struct Restored {
    pub(super) edit: Edit,
    /// Whether it says something that is told in the log.
    pub(super) is_flagged: bool,
}

impl From<Edit> for Restored {
    fn from(edit: Edit) -> Self {
        Self {
            edit,
            is_flagged: false,
        }
    }
}

/// An identifier that is not shown: its kind, where it stands in the held text, and where it was put in the new one.
struct Original {
    kind: Kind,
    held: Range<usize>,
    put: Range<usize>,
}

/// What becomes of a text that was sent for one that is held, in a column of which `length` is known or not.
///
/// The masks in the sent text must be the masks of the shown text, each once and in the same order, in the same company,
/// and nothing that could be read together with an original may have come near it. All of that is judged by what the caller
/// sees, so that no answer tells what is hidden. Any other identifier in the text is a write to its category. None of the
/// originals may lie where the CRM could cut it; and the detectors must find them exactly where they were put.
pub(super) fn restore(
    sent: &str,
    held: &str,
    rule: &TextRule,
    length: Option<usize>,
) -> Result<Restored, Objection> {
    let shown = Shown::of(held, rule);
    let visible = shown.visible();
    let put = put_back(sent, held, &shown)?;
    if put.originals.is_empty() {
        return Ok(Restored {
            edit: Edit::Keep,
            is_flagged: new::judge(sent, &visible, rule)?,
        });
    }
    let (new, old) = (Marked::new(sent, &put.masks), shown.marked());
    let seen = shown.seen();
    if !company::is_kept(new, old)
        || !apart::all_stand_apart(new, old, &seen)
        || !label::are_kept(new, old, &seen)
    {
        return Err(Reason::EditedTooClose.into());
    }
    // One that is only found in a certain company is not, as soon as a program joins two lines; but where its company is what
    // the CRM has held so far, it has been found there. A statement is withheld with its whole clause, and a program that
    // joined two would only make one of them.
    let needs_company = |original: &Original| {
        !matches!(original.kind, Kind::Statement(_))
            && !detect::stands_in_any_company(original.kind, &held[original.held.clone()])
            && (original.kind.has_checksum() || !original.keeps_company(&put.text, held))
    };
    if put.originals.iter().any(needs_company) {
        return Err(Reason::EditedTooClose.into());
    }
    let without = put.without_originals();
    let own = replacements(rule, &without);
    let is_flagged = new::judge(&without, &visible, rule)?;
    if !room::is_enough(&put.text, held, &put.ends(), length) {
        return Err(Reason::WithheldTextTooLong.into());
    }
    // What was judged by its form holds for every original; this is the proof for these.
    if !put.is_found_by(rule, own.len()) {
        return Err(Reason::EditedTooClose.into());
    }
    Ok(Restored {
        edit: Edit::Replace(Value::String(put.text)),
        is_flagged,
    })
}

impl Original {
    /// Whether all that words say of it stands beside it as it stood in the held text.
    fn keeps_company(&self, put: &str, held: &str) -> bool {
        let before =
            |text: &str, at: usize| text.as_bytes()[at.saturating_sub(COMPANY_BYTES)..at].to_vec();
        let behind = |text: &str, at: usize| {
            text.as_bytes()[at..text.len().min(at + COMPANY_BYTES)].to_vec()
        };
        before(put, self.put.start) == before(held, self.held.start)
            && behind(put, self.put.end) == behind(held, self.held.end)
    }

    fn ends(&self, put: &str) -> room::Ends {
        let spare = match self.kind {
            Kind::Statement(_) => {
                let own = put.get(self.put.clone()).unwrap_or_default();
                STATEMENT_BYTES.saturating_sub(room::cost(own))
            }
            kind => kind.longest().saturating_sub(self.put.len()),
        };
        room::Ends {
            put: self.put.end,
            held: self.held.end,
            spare,
        }
    }
}

/// Bytes beside an identifier in which words say what it is, with entities and tags.
const COMPANY_BYTES: usize = 256;

/// A text with the originals where their masks stood.
struct Put {
    text: String,
    originals: Vec<Original>,
    /// The places of their masks in the text that was sent.
    masks: Vec<Range<usize>>,
}

/// Puts the originals back where their masks stand, if all of them do, in their order.
fn put_back(sent: &str, held: &str, shown: &Shown) -> Result<Put, Reason> {
    // A name in brackets that stands for nothing in this text is only a word of it.
    let stands_in = |kind: Kind| shown.spans.iter().any(|span| span.kind == kind);
    let placeholders = |text: &str| mask::placeholders_with(text, &stands_in);
    let (found, expected) = (placeholders(sent), placeholders(&shown.text));
    if !are_the_same(sent, &found, &shown.text, &expected) {
        return Err(Reason::MaskWrittenBack);
    }
    let mut put = Put {
        text: String::with_capacity(sent.len()),
        originals: Vec::with_capacity(shown.spans.len()),
        masks: Vec::with_capacity(shown.spans.len()),
    };
    let mut copied = 0;
    let mut spans = shown.masks.iter().zip(&shown.spans).peekable();
    for (found, expected) in found.iter().zip(&expected) {
        // A literal that merely looks like a mask is part of the text and stays.
        let Some((_, span)) = spans.next_if(|(mask, _)| **mask == expected.range) else {
            continue;
        };
        put.text.push_str(&sent[copied..found.range.start]);
        let start = put.text.len();
        put.text.push_str(&held[span.range.clone()]);
        put.originals.push(Original {
            kind: span.kind,
            held: span.range.clone(),
            put: start..put.text.len(),
        });
        put.masks.push(found.range.clone());
        copied = found.range.end;
    }
    put.text.push_str(&sent[copied..]);
    match spans.next() {
        None => Ok(put),
        Some(_) => Err(Reason::MaskWrittenBack),
    }
}

impl Put {
    fn ends(&self) -> Vec<room::Ends> {
        let originals = self.originals.iter();
        originals
            .map(|original| original.ends(&self.text))
            .collect()
    }

    /// The text with a character in place of each original that belongs to no identifier.
    fn without_originals(&self) -> String {
        let mut without = self.text.clone();
        for original in self.originals.iter().rev() {
            without.replace_range(original.put.clone(), WALL);
        }
        without
    }

    /// Whether the detectors find each original exactly where it was put, and so many others.
    fn is_found_by(&self, rule: &TextRule, others: usize) -> bool {
        let found = replacements(rule, &self.text);
        let mut puts = self
            .originals
            .iter()
            .map(|original| &original.put)
            .peekable();
        let own = found
            .iter()
            .filter(|found| puts.next_if(|put| **put == found.span.range).is_none());
        own.count() == others && puts.next().is_none()
    }
}

/// Bytes that are taken for needed by a withheld statement, so that no answer tells how long it is.
const STATEMENT_BYTES: usize = 512;

/// A character that ends what detectors read.
const WALL: &str = "\u{a4}";

/// Whether a text, as it is shown, is the same as another but for what programs change about blanks, entities and composed
/// letters.
pub(super) fn is_shown_alike(one: &str, other: &str, rule: &TextRule) -> bool {
    let folded = |text: &str| {
        let shown = Shown::of(text, rule).text;
        let meant = markup::decode_wholly(&shown);
        let words: Vec<&str> = meant.split_whitespace().collect();
        words.join(" ").nfc().collect::<String>()
    };
    folded(one) == folded(other)
}

/// Whether two texts hold the same masks in the same order. Masks that look alike could change places unseen, so the
/// text between two of them must be the same as well.
fn are_the_same(sent: &str, found: &[Placeholder], shown: &str, expected: &[Placeholder]) -> bool {
    if found.len() != expected.len() {
        return false;
    }
    let last_alike: HashMap<&str, usize> = expected
        .iter()
        .enumerate()
        .map(|(place, mask)| (&shown[mask.range.clone()], place))
        .collect();
    let mut alike_until = None;
    let mut ends = (0, 0);
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        let mask = &shown[expected.range.clone()];
        let is_fixed = alike_until >= Some(place);
        if sent[found.range.clone()] != *mask
            || (is_fixed && sent[ends.0..found.range.start] != shown[ends.1..expected.range.start])
        {
            return false;
        }
        alike_until = alike_until.max(last_alike.get(mask).copied());
        ends = (found.range.end, expected.range.end);
    }
    true
}

/// A text as it is shown, with the places of its masks and the identifiers behind them.
struct Shown {
    text: String,
    masks: Vec<Range<usize>>,
    spans: Vec<Span>,
}

impl Shown {
    fn of(held: &str, rule: &TextRule) -> Self {
        let mut shown = Self {
            text: String::with_capacity(held.len()),
            masks: Vec::new(),
            spans: Vec::new(),
        };
        let mut copied = 0;
        for Replacement { span, text } in replacements(rule, held) {
            shown.text.push_str(&held[copied..span.range.start]);
            let start = shown.text.len();
            shown.text.push_str(&text);
            shown.masks.push(start..shown.text.len());
            copied = span.range.end;
            shown.spans.push(span);
        }
        shown.text.push_str(&held[copied..]);
        shown
    }

    /// The text with a character in place of each mask, as [`Put::without_originals`] has it.
    fn visible(&self) -> String {
        let mut visible = self.text.clone();
        for mask in self.masks.iter().rev() {
            visible.replace_range(mask.clone(), WALL);
        }
        visible
    }

    fn marked(&self) -> Marked<'_> {
        Marked::new(&self.text, &self.masks)
    }

    /// What the caller sees of each span.
    fn seen(&self) -> Vec<Seen> {
        let masks = self
            .masks
            .iter()
            .map(|mask| self.text[mask.clone()].as_bytes());
        let spans = masks.zip(&self.spans);
        spans
            .map(|(mask, span)| Seen {
                kind: span.kind,
                country: match mask {
                    [a, b, c, d, ..] if c.is_ascii_digit() && d.is_ascii_digit() => {
                        Some([a.to_ascii_uppercase(), b.to_ascii_uppercase()])
                    }
                    _ => None,
                },
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::detect::statement::Certainty;
    use crate::mask::Mask;
    use crate::policy::SpanRule;
    use crate::vocabulary::{Category, Level};

    const ONE: &str = "FR7630006000011234567890189";
    const OTHER: &str = "DE89370400440532013000";
    const ROOMY: usize = 65_535;

    /// IBANs masked, NIRs in brackets; new IBANs may be written or not.
    fn rule(writable: bool) -> TextRule {
        let span = |kind, category, level, mask, writable| SpanRule {
            kind,
            category: Category::new(category),
            level,
            by: Vec::new(),
            mask,
            tokenizer: None,
            shown: Some(Certainty::Likely),
            refused: Some(Certainty::Possible),
            flagged: None,
            writable,
        };
        TextRule {
            lexicon: None,
            spans: vec![
                span(
                    Kind::Iban,
                    "financial.iban",
                    Level::Mask,
                    Some(Mask::Iban),
                    writable,
                ),
                span(
                    Kind::Nir,
                    "identity.national_id",
                    Level::Redact,
                    None,
                    false,
                ),
            ],
        }
    }

    fn shown(held: &str) -> String {
        Shown::of(held, &rule(false)).text
    }

    fn restored(sent: &str, held: &str) -> Result<String, Reason> {
        let restored = restore(sent, held, &rule(false), Some(ROOMY));
        match restored.map_err(|objection| objection.reason)?.edit {
            Edit::Replace(Value::String(text)) => Ok(text),
            Edit::Keep => Ok(sent.to_owned()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn originals_come_back_where_their_masks_stand_whatever_is_edited_around_them() {
        let held = format!("old {ONE}, then {OTHER}; nir 284032A99900017");
        for (from, to) in [
            ("old", "new"),
            (", then ", " und danach "),
            ("; nir", " et NIR"),
            ("; nir", "; appeler demain, nir"),
            ("old", "Vu.\nold"),
            ("old ", ""),
        ] {
            let sent = shown(&held).replacen(from, to, 1);
            assert_eq!(
                restored(&sent, &held),
                Ok(held.replacen(from, to, 1)),
                "{from} → {to}"
            );
        }
        assert_eq!(
            restored("words • with • bullets", "words"),
            Ok("words • with • bullets".to_owned())
        );
    }

    #[test]
    fn missing_repeated_reordered_and_foreign_masks_are_refused() {
        let held = format!("{ONE} and {OTHER}");
        let [one, other] = [shown(ONE), shown(OTHER)];
        for sent in [
            one.clone(),
            format!("{other} and {one}"),
            format!("{one} and {other} and {one}"),
            format!("{one} and {one}"),
            format!("{one} and {other} [iban]"),
            "only words".to_owned(),
            format!("{one}0 and {other}").replacen('•', "*", 4),
            format!("{} and {other}", one.replacen("FR76", "FR77", 1)),
        ] {
            assert!(restored(&sent, &held).is_err(), "{sent}");
        }
    }

    #[test]
    fn an_identifier_of_its_own_is_a_write_to_its_category() {
        let held = "pays by transfer";
        let sent = format!("pays by transfer from {OTHER}");
        assert_eq!(restored(&sent, held), Err(Reason::FieldNotWritable));
        assert_eq!(
            restore(&sent, held, &rule(true), None),
            Ok(Edit::Keep.into())
        );
        // Beside one that is put back, too.
        let sent = format!("{} and {OTHER}", shown(ONE));
        assert_eq!(restored(&sent, ONE), Err(Reason::FieldNotWritable));
        assert_eq!(
            restore(&sent, ONE, &rule(true), Some(ROOMY)),
            Ok(Edit::Replace(Value::String(format!("{ONE} and {OTHER}"))).into())
        );
    }

    #[test]
    fn characters_pushed_against_a_mask_cannot_change_what_is_hidden() {
        // Whatever is typed beside a mask: either the original stands there by itself again, or nothing is written.
        for beside in [
            "1",
            "A",
            " 1",
            "-9",
            "•",
            "••",
            " ••••",
            "\u{200b}5",
            "&nbsp;7",
            ".",
            ",",
        ] {
            for sent in [
                format!("{}{beside}", shown(ONE)),
                format!("{beside}{}", shown(ONE)),
            ] {
                if let Ok(text) = restored(&sent, ONE) {
                    assert_eq!(
                        shown(&text),
                        sent,
                        "the result, as it would be shown, is what was sent"
                    );
                }
            }
        }
    }

    #[test]
    fn a_literal_that_looks_like_a_mask_stays_as_it_is() {
        let held = format!("see [iban] for {ONE}");
        let sent = shown(&held).replacen("see", "look at", 1);
        assert_eq!(
            restored(&sent, &held),
            Ok(held.replacen("see", "look at", 1))
        );
    }

    #[test]
    fn words_of_templates_are_no_masks_but_where_they_stand_for_an_original() {
        let mut rule = contact();
        for span in &mut rule.spans {
            span.mask = None;
        }
        let restored = |sent: &str, held: &str| restore(sent, held, &rule, Some(ROOMY));
        let template = "Bonjour, ecrire a [mail] ou appeler [phone], [address]";
        assert_eq!(restored(template, "Bonjour"), Ok(Edit::Keep.into()));
        assert_eq!(restored(template, ""), Ok(Edit::Keep.into()));

        let held = "Ecrire a jean.dupont@example.org merci. Elle attend.";
        let shown = Shown::of(held, &rule).text;
        assert_eq!(shown, "Ecrire a [mail] merci. Elle attend.");
        for sent in [
            "Ecrire merci. Elle attend.".to_owned(),
            format!("{shown} [mail]"),
            shown.replacen("[mail]", "[phone]", 1),
        ] {
            let refused = Err(Reason::MaskWrittenBack.into());
            assert_eq!(restored(&sent, held), refused, "{sent}");
        }
        let expected = held.replacen("attend", "a recu", 1);
        assert_eq!(
            restored(&shown.replacen("attend", "a recu", 1), held),
            Ok(Edit::Replace(Value::String(expected)).into())
        );
    }

    /// Mail addresses and telephone numbers masked, dates of birth in brackets.
    fn contact() -> TextRule {
        let span = |kind: Kind, mask| SpanRule {
            kind,
            category: Category::new(kind.category()),
            level: Level::Mask,
            by: Vec::new(),
            mask,
            tokenizer: None,
            shown: Some(Certainty::Likely),
            refused: Some(Certainty::Possible),
            flagged: None,
            writable: false,
        };
        TextRule {
            lexicon: None,
            spans: vec![
                span(Kind::Mail, Some(Mask::Mail)),
                span(Kind::Phone, Some(Mask::Last(2))),
                span(Kind::BirthDate, None),
            ],
        }
    }

    #[test]
    fn mail_and_phones_come_back_through_ordinary_edits() {
        for identifier in [
            "jean.dupont@example.org",
            "06 12 34 56 78",
            "+33 6 12 34 56 78",
            "0612345678",
        ] {
            let held = format!(
                "Vue au salon. Joindre Mme Roux : {identifier} merci. Elle attend un devis."
            );
            let shown = Shown::of(&held, &contact()).text;
            assert!(!shown.contains(identifier), "{shown}");
            for (from, to) in [
                ("attend", "a recu"),
                ("Vue au salon", "Vue au bureau, deux fois"),
                ("un devis.", "un devis.\nRappelee mardi."),
                ("Joindre Mme", "Ecrire a madame"),
            ] {
                let edit = restore(&shown.replacen(from, to, 1), &held, &contact(), Some(ROOMY));
                let expected = held.replacen(from, to, 1);
                assert_eq!(
                    edit,
                    Ok(Edit::Replace(Value::String(expected)).into()),
                    "{identifier} {from}"
                );
            }
            // Words that say that it is the number of something else, digits, and what touches it.
            for (from, to) in [
                ("Roux :", "Roux : commande"),
                ("Roux :", "Roux 12"),
                (" merci", "x"),
            ] {
                let sent = shown.replacen(from, to, 1);
                let edit = restore(&sent, &held, &contact(), Some(ROOMY));
                if identifier.starts_with("061") || to != "Roux : commande" {
                    assert!(edit.is_err() || to == "x", "{identifier} {sent}");
                }
            }
        }
    }

    #[test]
    fn what_words_tell_comes_back_where_the_words_stand() {
        let rest = "Sinon rien de neuf a signaler cette fois. ".repeat(8);
        let held = format!("nee le 03/05/1984 a Lyon. {rest}");
        let shown = Shown::of(&held, &contact()).text;
        assert!(shown.starts_with("nee le [birth_date] a Lyon"), "{shown}");
        let sent = format!("{shown}Rappeler mardi.");
        let expected = format!("{held}Rappeler mardi.");
        assert_eq!(
            restore(&sent, &held, &contact(), Some(ROOMY)),
            Ok(Edit::Replace(Value::String(expected)).into())
        );
        let near = shown.replacen("a Lyon", "a Paris", 1);
        assert_eq!(
            restore(&near, &held, &contact(), Some(ROOMY)),
            Err(Reason::EditedTooClose.into())
        );
    }

    /// IBANs, cards and NIRs, masked as far as they have a mask.
    fn masked() -> TextRule {
        let span = |kind: Kind, mask| SpanRule {
            kind,
            category: Category::new(kind.as_str()),
            level: Level::Mask,
            by: Vec::new(),
            mask,
            tokenizer: None,
            shown: Some(Certainty::Likely),
            refused: Some(Certainty::Possible),
            flagged: None,
            writable: false,
        };
        TextRule {
            lexicon: None,
            spans: vec![
                span(Kind::Iban, Some(Mask::Iban)),
                span(Kind::Card, Some(Mask::Card)),
                span(Kind::Nir, None),
            ],
        }
    }

    /// The first identifier of a kind that begins with `head`, then the digits of `seed` or more, and ends with `tail`.
    fn identifier(kind: Kind, head: &str, seed: u64, digits: usize, tail: &str) -> String {
        (seed..)
            .map(|number| {
                let hidden = format!("{number:0digits$}");
                format!("{head}{}{tail}", &hidden[hidden.len() - digits..])
            })
            .find(|identifier| kind.is_valid(identifier))
            .unwrap()
    }

    /// Identifiers of which the same is shown.
    fn alike() -> impl Strategy<Value = [String; 2]> {
        let pair = |of: fn(u64) -> String| {
            (any::<u64>(), any::<u64>()).prop_map(move |(a, b)| [of(a >> 8), of(b >> 8)])
        };
        prop_oneof![
            pair(|seed| identifier(Kind::Iban, "FR76", seed, 19, "0189")),
            pair(|seed| identifier(Kind::Card, "4", seed, 11, "1234")),
            pair(|seed| identifier(
                Kind::Nir,
                "1",
                seed % 99 * 10_000_000_000 + 784_000_000 + seed % 977,
                12,
                "38"
            )),
        ]
    }

    fn beside() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            3 => "[0-9]{1,8}",
            3 => "(NO|DE|FR|BE|XX|CB)[0-9]{0,4}",
            2 => "(NO|BE|FR|XX)[0-9]{2}([ \n\t/(-][0-9]{4}){1,4}",
            3 => "[ ,./\n\t(-]{1,3}",
            3 => "(merci|ABCD|AB|C|é|Tél)",
            2 => "( avant 12h | le 3 mai 2026 |[A-Z]{2}[0-9]{2} ?|[A-Za-z]{4} | [0-9]{4} |[A-Z]{2})",
        ];
        prop::collection::vec(part, 0..6).prop_map(|parts| parts.concat())
    }

    /// What stands between the text that is typed and the identifier: to a program it may be nothing at all.
    fn lead() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            "",
            " ",
            " (CB ",
            "<p>nir <b>",
            " x < y <strong>",
            "<3 b <strong>",
            "&nbsp;: ",
            " a &lt; b&nbsp;<strong>",
            "%20",
            " %E2%81%AF ",
            "<br>\n",
            " é ",
            " — ",
            "\n",
            " ‹ ",
            " &amp;nbsp; ",
            " <!-- x -->",
        ])
    }

    proptest! {
        #[test]
        fn whether_a_text_is_written_does_not_depend_on_what_is_hidden(
            originals in alike(), before in beside(), after in beside(), lead in lead(), above in any::<bool>(),
        ) {
            let line = if above { "\n" } else { "" };
            let answers = originals.map(|original| {
                let held = format!("{lead}{original} fin)");
                let shown = Shown::of(&held, &masked());
                let mask = &shown.text[shown.masks[0].clone()];
                let sent = format!("{before}{line}{lead}{mask} fin){line}{after}");
                restore(&sent, &held, &masked(), Some(ROOMY)).map(|_| ())
            });
            prop_assert_eq!(&answers[0], &answers[1], "{}{}…{}", before, lead, after);
        }

        #[test]
        fn nor_does_it_depend_on_what_two_masks_hide(
            ones in alike(), others in alike(), before in beside(), between in beside(), after in beside()
        ) {
            let answers = [0, 1].map(|n| {
                let held = format!("(CB {} puis {} fin)", ones[n], others[n]);
                let shown = Shown::of(&held, &masked());
                let masks: Vec<&str> = shown.masks.iter().map(|mask| &shown.text[mask.clone()]).collect();
                let [one, other] = masks[..] else { return None };
                Some(restore(&format!("{before}{one}{between}{other}{after}"), &held, &masked(), Some(ROOMY)).map(|_| ()))
            });
            prop_assert_eq!(&answers[0], &answers[1], "{}…{}…{}", before, between, after);
        }
    }
}
