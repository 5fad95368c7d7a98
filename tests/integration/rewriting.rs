//! CRMs that change a text when they store it: nothing more of what is withheld in it is shown, nothing is lost, and
//! ordinary edits go on working.

use paravent::detect::{self, Kind};
use proptest::prelude::*;
use serde_json::json;

use crate::harness::habits::{self, Habit};
use crate::harness::keeper::{APIS, Api, Refuses, Stage};

const IBAN: &str = "FR7630006000011234567890189";
const NIR: &str = "284039999900049";

/// Whether a text shows more of an identifier than a mask does, however it is spelled.
fn discloses(shown: &str, original: &str) -> bool {
    let codings = [
        Habit::ReadEntities,
        Habit::ReadPercent,
        Habit::DropTags,
        Habit::DropInvisible,
    ];
    let mut readings = vec![shown.to_owned()];
    for coding in codings {
        let more: Vec<String> = readings.iter().map(|text| coding.applied(text)).collect();
        readings.extend(more);
    }
    let bare = |text: &str| {
        text.chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
    };
    let symbols = bare(original);
    (0..=symbols.len() - 7).any(|at| {
        readings
            .iter()
            .any(|text| bare(text).contains(&symbols[at..at + 7]))
    })
}

/// How many identifiers a text holds.
fn count(text: &str) -> usize {
    detect::find(text, &[Kind::Iban, Kind::Card, Kind::Nir]).len()
}

#[test]
fn a_text_that_is_cut_off_behind_a_mask_shows_no_more_of_it() {
    for api in APIS {
        let stage = Stage::of(api);
        // The column holds exactly what is there, which no schema says.
        let held = format!("Compte: {IBAN} merci");
        for habit in [
            Habit::CutCharacters(held.len()),
            Habit::CutBytes(held.len()),
            Habit::CutSpelled(held.len()),
        ] {
            for padding in ["x ", "é ", "' ", "Bonjour Odile, "] {
                for times in 1..8 {
                    stage.crm.begin(&held, &[habit], None);
                    let shown = stage.read();
                    let reply = stage.write(&(padding.repeat(times) + &shown));
                    let after = stage.read();
                    assert!(
                        !discloses(&after, IBAN),
                        "{api:?} {habit:?} {times}: {after}"
                    );
                    let text = stage.crm.text();
                    assert_eq!(
                        count(&text),
                        1,
                        "{api:?} {habit:?}: {} {text}",
                        reply.status
                    );
                    // What was stored otherwise is what it was before.
                    if reply.status == 409 {
                        assert_eq!(text, held);
                    }
                }
            }
        }
    }
}

#[test]
fn a_text_that_was_changed_is_written_back_and_the_log_says_so() {
    for api in APIS {
        let stage = Stage::of(api);
        let held = format!("Compte: {IBAN} merci");
        stage
            .crm
            .begin(&held, &[Habit::CutCharacters(held.len())], None);
        let shown = stage.read();
        let reply = stage.write(&format!("Bonjour, {shown}"));
        assert_eq!(reply.status, 409, "{api:?}: {}", reply.text());
        assert_eq!(stage.crm.text(), held);
        assert_eq!(stage.crm.writes(), 2, "written back once");
        let events = stage.world.decision(&reply);
        let closed = events.last().unwrap();
        assert_eq!(closed["outcome"]["reason"], json!("restored"), "{closed}");
        assert_eq!(closed["outcome"]["status"], json!(409));
        assert!(stage.world.metrics().contains("reason=\"restored\"} 1"));

        // A CRM that takes nothing more leaves its text as it made it, and says so.
        stage.crm.begin(
            &held,
            &[Habit::CutCharacters(held.len())],
            Some(Refuses::AfterTheFirst),
        );
        let reply = stage.write(&format!("Bonjour, {shown}"));
        assert_eq!(reply.status, 502, "{api:?}: {}", reply.text());
        let events = stage.world.decision(&reply);
        assert_eq!(
            events.last().unwrap()["outcome"]["reason"],
            json!("not-restored")
        );
    }
}

#[test]
fn a_text_is_written_back_though_the_write_was_of_a_version_that_is_gone() {
    for api in [Api::SugarRest, Api::EspoCrm] {
        let stage = Stage::of(api);
        let held = format!("Compte: {IBAN} merci");
        stage
            .crm
            .begin(&held, &[Habit::CutCharacters(held.len())], None);
        let shown = stage.read();
        let reply = stage.write_if_unchanged(&format!("Bonjour, {shown}"));
        assert_eq!(reply.status, 409, "{api:?}: {}", reply.text());
        assert_eq!(stage.crm.text(), held, "{api:?}");
        let events = stage.world.decision(&reply);
        let closed = events.last().unwrap();
        assert_eq!(closed["outcome"]["reason"], json!("restored"), "{closed}");
    }
}

#[test]
fn a_text_is_written_back_in_the_spelling_of_the_write_and_looked_at_again() {
    for api in [Api::SugarV4, Api::SuiteCrmV8] {
        let stage = Stage::of(api);
        // The column is full, and the CRM spells whatever it is given.
        let held = format!("L&#039;IBAN {IBAN}");
        let habits = [Habit::SpellSpecial, Habit::CutBytes(held.len())];
        stage.crm.begin(&held, &habits, None);
        let shown = stage.read().replace("&#039;", "'");
        let reply = stage.write(&format!("Vu. {shown}"));
        assert_eq!(reply.status, 409, "{api:?}: {}", reply.text());
        assert_eq!(stage.crm.text(), held);
        assert!(!discloses(&stage.read(), IBAN));
    }
}

#[test]
fn a_text_that_the_crm_leaves_as_it_was_is_left_alone() {
    for api in APIS {
        let stage = Stage::of(api);
        let held = format!("Compte: {IBAN} merci");
        stage
            .crm
            .begin(&held, &[Habit::CutCharacters(held.len())], None);
        let shown = stage.read();
        let reply = stage.write(&format!("{shown} beaucoup"));
        assert_eq!(reply.status / 100, 2, "{api:?}: {}", reply.text());
        assert_eq!((stage.crm.text(), stage.crm.writes()), (held, 1));
        assert_eq!(stage.read(), shown);
    }
}

#[test]
fn a_write_that_fails_is_looked_at_all_the_same() {
    for api in APIS {
        let stage = Stage::of(api);
        let held = format!("Compte: {IBAN} merci");
        let cut = [Habit::CutCharacters(held.len())];
        stage.crm.begin(&held, &cut, None);
        let sent = format!("Bonjour, {}", stage.read());
        // It stored the text, cut off, and then failed; the old text cannot be written back without failing again.
        stage.crm.begin(&held, &cut, Some(Refuses::Afterwards));
        let reply = stage.write(&sent);
        assert_eq!(stage.crm.text(), held, "{api:?}: {}", reply.status);
        // It refused: nothing is written back, and the caller reads its refusal.
        stage.crm.begin(&held, &cut, Some(Refuses::AtOnce));
        let reply = stage.write(&sent);
        assert_eq!((stage.crm.text(), stage.crm.writes()), (held, 1), "{api:?}");
        assert!(
            !matches!(reply.status, 409 | 502),
            "{api:?}: {}",
            reply.text()
        );
    }
}

#[test]
fn a_text_that_is_cleaned_shows_no_more_of_what_is_withheld_in_it() {
    for api in APIS {
        let stage = Stage::of(api);
        let held = format!("Lien: {} merci", "FR76 3000 6000 0112 3456 7890 189");
        stage.crm.begin(&held, &[Habit::EscapeAttributes], None);
        let shown = stage.read();
        let mask = &shown["Lien: ".len()..shown.len() - " merci".len()];
        for sent in [
            format!("<a href=\"http://h/({mask})\">x</a>"),
            format!("Lien: <a href=\"http://h/ {mask} \">x</a> merci"),
            format!("<a href=\"http://h/\n{mask}\n\">x</a>"),
            format!("<a\n{shown}\nhref=\"\">"),
            shown.replace("Lien: ", "Lien: %41 "),
            shown.replace(" merci", " &#49;"),
        ] {
            let reply = stage.write(&sent);
            assert_eq!(reply.status, 403, "{api:?} {sent}: {}", reply.text());
        }
        assert_eq!(stage.crm.text(), held);
    }
}

#[test]
fn characters_that_a_crm_drops_do_not_hide_what_stands_between_them() {
    for api in APIS {
        let stage = Stage::of(api);
        let held = format!("nir {NIR} ok");
        stage
            .crm
            .begin(&held, &[Habit::DropInvisible, Habit::DropMarks], None);
        assert_eq!(stage.read(), "nir [nir] ok");
        for beside in [
            "\u{fffe}",
            "\u{200b}",
            "\u{fdd0}",
            "\u{301}",
            "\u{e000}",
            "\u{ad}",
            "\u{1fffe}",
            " ",
            "\n",
        ] {
            for sent in [
                format!("é99{beside}[nir]{beside}99é"),
                format!("nir 99{beside}[nir] ok"),
                format!("nir [nir]{beside}99 ok"),
            ] {
                let reply = stage.write(&sent);
                assert_eq!(reply.status, 403, "{api:?} {sent:?}: {}", reply.text());
            }
        }
        // What already stands so is seen by the detectors.
        for beside in ["\u{fffe}", "\u{fdd0}", "\u{301}", "\u{e000}"] {
            stage
                .crm
                .begin(&format!("é99{beside}{NIR}{beside}99é"), &[], None);
            let shown = stage.read();
            assert!(!discloses(&shown, NIR), "{api:?} {shown:?}");
        }
    }
}

#[test]
fn ordinary_edits_are_stored_whatever_a_crm_makes_of_blanks_and_accents() {
    for api in APIS {
        let stage = Stage::of(api);
        let spells = matches!(api, Api::SugarV4 | Api::SuiteCrmV8);
        let habits: &[&[Habit]] = if spells {
            &[
                &[],
                &[Habit::ReadEntities, Habit::SpellSpecial],
                &[Habit::SpellAccents],
                &[Habit::Trim, Habit::FoldBlanks],
            ]
        } else {
            &[
                &[],
                &[Habit::Trim],
                &[Habit::FoldBlanks, Habit::Compose],
                &[Habit::DropInvisible],
            ]
        };
        for habits in habits {
            let stored = |text: &str| {
                habits
                    .iter()
                    .fold(text.to_owned(), |text, habit| habit.applied(&text))
            };
            let held = stored(&format!("L'IBAN réel: {IBAN}, nir {NIR}."));
            for (from, to) in [
                ("L", "Bonjour Odile, merci! L"),
                (", nir", ", à vérifier, et le nir"),
                (
                    ".",
                    ".\r\nRappelée le 12/05/2026 (absente) par Zoé «x» 100 %  \n",
                ),
                ("L", "Vu à la foire: (stand 12)\n\nL"),
            ] {
                stage.crm.begin(&held, habits, None);
                let shown = stage.read();
                let sent = shown.replacen(from, to, 1);
                let reply = stage.write(&sent);
                assert_eq!(
                    reply.status / 100,
                    2,
                    "{api:?} {habits:?} {sent}: {}",
                    reply.text()
                );
                assert_eq!(stage.crm.writes(), 1, "{api:?}");
                let text = stage.crm.text();
                assert!(text.contains(IBAN) && text.contains(NIR), "{api:?} {text}");
                assert!(!discloses(&stage.read(), IBAN));
            }
        }
    }
}

fn piece() -> impl Strategy<Value = String> {
    let bits = vec![
        " ",
        "Bonjour ",
        "IBAN: ",
        " merci",
        ", à rappeler",
        "\n",
        "\nRappelée le 12/05/2026.\n",
        "99",
        " 99 ",
        "<b>",
        "</b>",
        "<a href=\"http://h/(",
        ")\">x</a>",
        "<script>",
        "</script>",
        "javascript",
        "<!--",
        "-->",
        "&",
        "&amp;",
        "&#49;",
        "&lt;",
        "%",
        "%20",
        "(",
        ")",
        "[",
        "\"",
        "«",
        "'",
        "\u{fffe}",
        "\u{200b}",
        "\u{301}",
        "\u{a0}",
        "\u{1f600}",
        "\u{ff11}",
        "\u{e000}",
        "FR76",
        "NO12",
        "••••",
        "[nir]",
        "\\",
        "|",
        ";",
    ];
    prop_oneof![
        5 => prop::sample::select(bits).prop_map(str::to_owned),
        1 => (0..90_usize).prop_map(|length| "x".repeat(length)),
        1 => (0..60_usize).prop_map(|length| "é ".repeat(length)),
    ]
}

/// Where something is put, how much is taken away there, and what is put.
type Change = (prop::sample::Index, usize, String);

fn changed(text: &str, changes: &[Change]) -> String {
    changes
        .iter()
        .fold(text.to_owned(), |text, (at, taken, put)| {
            let characters: Vec<char> = text.chars().collect();
            let at = at.index(characters.len() + 1);
            let end = (at + taken).min(characters.len());
            let (before, behind) = (&characters[..at], &characters[end..]);
            before
                .iter()
                .copied()
                .chain(put.chars())
                .chain(behind.iter().copied())
                .collect()
        })
}

#[test]
fn whatever_a_crm_does_to_what_anybody_writes_no_more_of_an_original_is_shown() {
    let stages: Vec<Stage> = APIS.into_iter().map(Stage::of).collect();
    let originals = [
        IBAN,
        "FR76 3000 6000 0112 3456 7890 189",
        NIR,
        "4532 7153 3790 1245",
        "DE66370400440532013123",
    ];
    assert!(originals.iter().all(|original| count(original) == 1));
    let strategy = (
        prop::sample::subsequence(originals.to_vec(), 1..3),
        prop::collection::vec(piece(), 3),
        prop::collection::vec(
            (
                any::<prop::sample::Index>(),
                prop_oneof![3 => Just(0), 1 => 0..9_usize],
                piece(),
            ),
            0..3,
        ),
        prop::sample::select(vec!["", "Bonjour, ", "Vu.\n"]),
        prop::sample::select(vec!["", " merci", "\nAppeler (demain)"]),
        prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        30..160_usize,
        prop::sample::select(vec![
            None,
            None,
            None,
            Some(Refuses::AtOnce),
            Some(Refuses::Afterwards),
        ]),
    );
    let config = ProptestConfig {
        cases: 48,
        failure_persistence: None,
        max_global_rejects: 1 << 16,
        ..ProptestConfig::default()
    };
    let (mut runner, written) = (
        proptest::test_runner::TestRunner::new(config),
        std::cell::Cell::new(0),
    );
    let outcome = runner.run(
        &strategy,
        |(originals, around, changes, before, behind, chosen, length, refuses)| {
            let mut held = around[0].clone();
            for (original, behind) in originals.iter().zip(&around[1..]) {
                held = format!("{held} {original} {behind}");
            }
            let habits = habits::all(length);
            let habits: Vec<Habit> = chosen.iter().map(|index| *index.get(&habits)).collect();
            let stored = |text: &str| {
                habits
                    .iter()
                    .fold(text.to_owned(), |text, habit| habit.applied(&text))
            };
            // What the CRM holds is what it makes of it once more, and no original in it is destroyed.
            let kept = |text: &str| count(text) == originals.len();
            prop_assume!(kept(&held));
            let held = stored(&held);
            let again = Habit::ReadEntities.applied(&stored(&held));
            prop_assume!(kept(&held) && again == Habit::ReadEntities.applied(&held));
            for stage in &stages {
                stage.crm.begin(&held, &habits, refuses);
                let shown = stage.read();
                prop_assume!(!originals.iter().any(|original| discloses(&shown, original)));
                let reply = stage.write(&format!("{before}{}{behind}", changed(&shown, &changes)));
                written.set(written.get() + usize::from(reply.status / 100 == 2));
                let after = stage.read();
                let text = stage.crm.text();
                for original in &originals {
                    prop_assert!(
                        !discloses(&after, original),
                        "{:?} answered {} and shows {after:?} of {text:?}, which was {held:?}",
                        stage.api,
                        reply.status
                    );
                }
                prop_assert!(
                    count(&text) >= originals.len(),
                    "{:?} lost an original: {text:?} was {held:?}",
                    stage.api
                );
            }
            Ok(())
        },
    );
    outcome.unwrap_or_else(|failed| panic!("{failed}"));
    assert!(
        written.get() > 0,
        "nothing was ever written: this looks at nothing"
    );
}
