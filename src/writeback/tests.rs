//! Whatever a CRM does to a text that was written, nothing more of what is withheld in it is shown.

use proptest::prelude::*;
use serde_json::Value;

use super::spans;
use crate::detect::Kind;
use crate::detect::statement::Certainty;
use crate::filter::replacements;
use crate::mask::Mask;
use crate::policy::{SpanRule, TextRule};
use crate::vocabulary::{Category, Edit, Level};

#[path = "../../tests/integration/harness/habits.rs"]
mod habits;

use habits::Habit;

/// Symbols of an original in a row that are more than a mask shows.
const TOO_MANY: usize = 7;

/// IBANs and cards masked, NIRs in brackets.
fn rule() -> TextRule {
    let span = |kind: Kind, mask| SpanRule {
        would: None,
        kind,
        category: Category::new(kind.as_str()),
        level: if kind == Kind::Nir {
            Level::Redact
        } else {
            Level::Mask
        },
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

fn shown(text: &str) -> String {
    let mut shown = text.to_owned();
    for replaced in replacements(&rule(), text).into_iter().rev() {
        shown.replace_range(replaced.span.range, &replaced.text);
    }
    shown
}

/// Letters and digits only, in every reading that a person could make of a text.
fn readings(text: &str) -> Vec<String> {
    let codings = [
        Habit::ReadEntities,
        Habit::ReadPercent,
        Habit::DropTags,
        Habit::Simplify,
        Habit::DropInvisible,
    ];
    let mut all = vec![text.to_owned()];
    for coding in codings {
        let more: Vec<String> = all.iter().map(|text| coding.applied(text)).collect();
        all.extend(more);
    }
    let bare = |text: &String| {
        text.chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_uppercase()
    };
    all.iter().map(bare).collect()
}

fn discloses(shown: &str, original: &str) -> bool {
    let symbols: Vec<char> = original
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    let readings = readings(shown);
    symbols.windows(TOO_MANY).any(|part| {
        let part: String = part.iter().collect();
        readings.iter().any(|reading| reading.contains(&part))
    })
}

/// The first identifier of a kind that begins with `head` and ends in a number of so many digits.
fn identifier(kind: Kind, head: &str, digits: usize) -> String {
    (0..10_u64.pow(3))
        .map(|number| format!("{head}{number:0digits$}"))
        .find(|identifier| kind.is_valid(identifier))
        .unwrap()
}

fn original() -> impl Strategy<Value = String> {
    let plain = ("[1-9][0-9]{19}", 0..4).prop_map(|(seed, kind)| match kind {
        0 => identifier(Kind::Iban, &format!("FR76{seed}"), 3),
        1 => identifier(Kind::Iban, &format!("DE76{}", &seed[..15]), 3),
        2 => identifier(Kind::Card, &format!("4{}", &seed[..12]), 3),
        _ => identifier(Kind::Nir, &format!("18412{}", &seed[..7]), 3),
    });
    (plain, any::<bool>()).prop_map(|(plain, grouped)| {
        let groups: Vec<&str> = plain
            .as_bytes()
            .chunks(4)
            .map(|group| std::str::from_utf8(group).unwrap())
            .collect();
        if grouped {
            groups.join(" ")
        } else {
            plain.clone()
        }
    })
}

/// What people and attackers put into texts.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::sample::select(vec![
            " ", "Bonjour ", "IBAN: ", " merci", ", à rappeler", " d'accord", "\n", "\nRappelée le 12/05/2026.\n", ". ", " - ",
            "\r\n", "12 h", " é", "9", " 99 ", "javascript", "script",
        ]).prop_map(str::to_owned),
        2 => prop::sample::select(vec![
            "<b>", "</b>", "<a href=\"", "\">", "<a href=\"http://h/(", ")\">x</a>", "<script>", "</script>", "<!--", "-->", "<",
            ">", "&", "&#", "&amp;", "&nbsp;", "&lt;", ";", "%", "%20", "%25", "(", ")", "[", "]", "{", "\"", "«", "»", "'", "`",
            "\\", "/", "|", "\u{fffe}", "\u{200b}", "\u{301}", "\u{a0}", "\u{feff}", "\u{e000}", "\u{1f600}", "\u{2028}", "\t",
            "\u{ff11}", "\u{663}", "FR76", "NO12", "DE", "•", "••••", "[nir]", "[iban]", "t_", "=", "+", "#", "1", "2A",
        ]).prop_map(str::to_owned),
        1 => "[ a-z0-9éè.,;:!?'<>&%\"()\n-]{0,12}",
        1 => (0..120_usize).prop_map(|length| "x".repeat(length)),
        1 => (0..70_usize).prop_map(|length| "é ".repeat(length)),
    ]
}

fn pieces(most: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..most).prop_map(|pieces| pieces.concat())
}

/// A change of a text: so much is taken away at a place, and something put there.
#[derive(Clone, Debug)]
struct Change {
    at: prop::sample::Index,
    /// Directly before or behind one of the masks, not anywhere.
    beside_mask: bool,
    taken: usize,
    put: String,
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let taken = prop_oneof![4 => Just(0), 1 => 0..12_usize];
    let one = (
        any::<prop::sample::Index>(),
        any::<bool>(),
        taken,
        pieces(4),
    );
    let change = |(at, beside_mask, taken, put)| Change {
        at,
        beside_mask,
        taken,
        put,
    };
    prop::collection::vec(one.prop_map(change), 1..4)
}

fn changed(text: &str, changes: &[Change]) -> String {
    changes.iter().fold(text.to_owned(), |text, change| {
        let masks = crate::mask::placeholders(&text);
        let edges: Vec<usize> = masks
            .iter()
            .flat_map(|mask| [mask.range.start, mask.range.end])
            .collect();
        let any: Vec<usize> = text
            .char_indices()
            .map(|(at, _)| at)
            .chain([text.len()])
            .collect();
        let places = if change.beside_mask && !edges.is_empty() {
            edges
        } else {
            any
        };
        let (before, behind) = text.split_at(*change.at.get(&places));
        let behind: String = behind.chars().skip(change.taken).collect();
        format!("{before}{}{behind}", change.put)
    })
}

/// What is written for an edit of a text, if it is.
fn written(sent: &str, held: &str, length: Option<usize>) -> Option<String> {
    match spans::restore(sent, held, &rule(), length).map(|restored| restored.edit) {
        Ok(Edit::Replace(Value::String(text))) => Some(text),
        _ => None,
    }
}

/// The habits of a CRM whose column holds `length`, or just what is there.
fn habits_of(held: &str, length: Option<usize>) -> Vec<Habit> {
    let length = length.unwrap_or(0);
    let mut all = habits::all(0);
    for habit in &mut all {
        let there = match habit {
            Habit::CutCharacters(_) => held.chars().count(),
            Habit::CutBytes(_) => held.len(),
            Habit::CutSpelled(_) => Habit::SpellAccents.applied(held).len(),
            _ => continue,
        };
        *habit = match habit {
            Habit::CutCharacters(_) => Habit::CutCharacters(there.max(length)),
            Habit::CutBytes(_) => Habit::CutBytes(there.max(length)),
            _ => Habit::CutSpelled(there.max(length)),
        };
    }
    all
}

fn lengths() -> impl Strategy<Value = Option<usize>> {
    prop_oneof![
        Just(None),
        Just(Some(50)),
        Just(Some(255)),
        Just(Some(65_535))
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 1 << 20, ..ProptestConfig::default() })]

    #[test]
    fn no_habit_of_a_crm_shows_more_of_what_was_put_back(
        originals in prop::collection::vec(original(), 1..3), around in prop::collection::vec(pieces(4), 3),
        changes in changes(), length in lengths(), chosen in prop::collection::vec(any::<prop::sample::Index>(), 1..4),
    ) {
        let mut held = around[0].clone();
        for (original, behind) in originals.iter().zip(&around[1..]) {
            held = format!("{held} {original} {behind}");
        }
        let habits = habits_of(&held, length);
        let habits: Vec<Habit> = chosen.iter().map(|index| *index.get(&habits)).collect();
        let stored = |text: &str| habits.iter().fold(text.to_owned(), |text, habit| habit.applied(&text));
        let discloses_any = |text: &str| {
            let shown = shown(text);
            originals.iter().any(|original| discloses(&shown, original))
        };
        // What the CRM holds is what it makes of it once more, and it has not destroyed an original in it.
        let held = stored(&held);
        prop_assume!(spans::is_shown_alike(&held, &stored(&held), &rule()));
        prop_assume!(!discloses_any(&held) && replacements(&rule(), &held).len() == originals.len());
        let sent = changed(&shown(&held), &changes);
        if let Some(text) = written(&sent, &held, length) {
            prop_assert!(!discloses_any(&text), "{:?} was written", text);
            let after = stored(&text);
            prop_assert!(!discloses_any(&after), "{:?}\n became {:?}\n by {:?}\n held {:?}", text, after, habits, held);
        }
    }

    #[test]
    fn ordinary_edits_are_written(
        original in original(), before in "([A-Z][a-zé]{1,9} ){0,4}", behind in "( [a-zà]{2,9}){0,4}",
        greeting in "(Bonjour Odile, |Vu[!?.] )?", remark in "( merci[!?.]| [b-df-hj-np-tv-z]{2,9})?",
        line in "[A-Za-z0-9 ),/é»@+-]{0,40}", above in any::<bool>(), number in any::<bool>(),
    ) {
        // Two letters and two digits could begin an IBAN that reaches as far as the identifier.
        prop_assume!(!above || !line.contains(|letter: char| letter.is_ascii_digit()));
        let held = format!("{before}nr. x: {original}{behind}");
        let mask = shown(&original);
        let edited = shown(&held);
        let edited = if number { format!("{greeting}{edited}{remark}") } else { edited };
        // Lines that begin or end in digits would stand beside the identifier.
        let sent = if above { format!("{line} fin.\r\n{edited}") } else { format!("{edited}\n\nPuis {line}") };
        let expected = sent.replacen(&mask, &original, 1);
        prop_assert_eq!(written(&sent, &held, Some(65_535)), Some(expected), "{}", held);
    }
}
