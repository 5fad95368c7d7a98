//! What users rely on: statements are found however they are spelled, what only looks like one is left alone, and any text
//! can be read.

use proptest::prelude::*;
use serde_json::Value;

use super::{Certainty, Languages, Lexicon, Topic, explain, find};
use crate::detect;

fn found(text: &str) -> Vec<(Topic, &str)> {
    let lexicon = Lexicon::of(Languages::all());
    let sure = detect::statements(text, &lexicon).into_iter();
    sure.filter(|statement| statement.certainty >= Certainty::Likely)
        .map(|statement| (statement.topic, &text[statement.range]))
        .collect()
}

fn topics(text: &str) -> Vec<Topic> {
    found(text).into_iter().map(|(topic, _)| topic).collect()
}

#[test]
fn what_is_said_outright_of_a_person_is_found_in_five_languages() {
    for (text, topic) in [
        ("Elle est séropositive depuis 2019", Topic::Health),
        ("He has been diagnosed with lung cancer", Topic::Health),
        ("Frau Keller ist schwanger", Topic::Health),
        ("Mi marido tiene cáncer de pulmón", Topic::Health),
        ("La signora Rossi è in chemioterapia", Topic::Health),
        ("M. Durand est délégué CGT", Topic::TradeUnion),
        ("She is a practising Muslim", Topic::Belief),
        (
            "Mr Smith served two years in prison for fraud",
            Topic::Criminal,
        ),
    ] {
        assert!(topics(text).contains(&topic), "{text}");
    }
}

#[test]
fn only_the_clause_that_says_it_is_withheld() {
    let text = "Rencontrée au salon. Elle est séropositive depuis 2019. Rappeler mardi.";
    assert_eq!(
        found(text),
        [(Topic::Health, "Elle est séropositive depuis 2019")]
    );
    let text = "- livraison mardi\n- elle est séropositive depuis 2019\n- rappeler";
    assert_eq!(
        found(text),
        [(Topic::Health, "elle est séropositive depuis 2019")]
    );
}

#[test]
fn a_spelling_makes_no_difference() {
    for text in [
        "ELLE EST SÉROPOSITIVE DEPUIS 2019",
        "elle est seropositive depuis 2019",
        "Elle est s&eacute;ropositive depuis 2019",
        "Elle est <b>séro</b>positive depuis 2019",
        "Elle est se\u{301}ropositive depuis 2019",
        "Elle est séro\u{ad}positive depuis 2019",
        "Elle%20est%20s%C3%A9ropositive%20depuis%202019",
        "Elle est séropsitive depuis 2019",
    ] {
        assert_eq!(topics(text), [Topic::Health], "{text}");
    }
}

#[test]
fn what_only_looks_like_a_statement_is_left_alone() {
    for text in [
        "Le virus informatique a touché le serveur",
        "La santé financière de la société est bonne",
        "Travaille pour une assurance santé",
        "Server migration planned for Monday",
        "Please run a health check of the cluster",
        "Der Vertrag wurde am Montag unterschrieben",
        "Conviction Capital renews its licence",
        "Rendez-vous à l'angle de la rue de l'Église",
        "Merci de me rappeler demain matin",
        "",
        "...",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn languages_that_nobody_asked_for_are_not_read() {
    let german = Lexicon::of(Languages::named("de").unwrap());
    assert_eq!(find("She has been diagnosed with lung cancer", &german), []);
    let english = Lexicon::of(Languages::named("en").unwrap());
    assert!(!find("She has been diagnosed with lung cancer", &english).is_empty());
}

#[test]
fn an_explanation_names_the_trigger() {
    let lexicon = Lexicon::of(Languages::all());
    let text = "Elle est séropositive depuis 2019. Puis rien.";
    let explained = explain(text, &lexicon);
    let statements: Vec<_> = explained
        .iter()
        .map(|(statement, _)| statement.clone())
        .collect();
    assert_eq!(statements, find(text, &lexicon));
    assert!(explained[0].1[0].contains("séropositi"), "{explained:?}");
}

/// The texts for development: a change that makes the detector worse shows here. What it reaches on texts that nobody looked at
/// is in docs/detection.md.
#[test]
fn the_texts_for_development_are_told_apart() {
    let lexicon = Lexicon::of(Languages::all());
    let (mut right, mut wrong, mut missed) = (0_u32, 0_u32, 0_u32);
    for file in ["en-c", "fr-c"] {
        let path = format!(
            "{}/corpora/statements/dev/{file}.jsonl",
            env!("CARGO_MANIFEST_DIR")
        );
        let Ok(text) = std::fs::read_to_string(&path) else {
            panic!("{path} is missing");
        };
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let text = line["text"].as_str().unwrap();
            let found = detect::statements(text, &lexicon).into_iter();
            let found = found
                .filter(|statement| statement.certainty >= Certainty::Likely)
                .count()
                > 0;
            match (found, line["statements"].as_array().unwrap().is_empty()) {
                (true, false) => right += 1,
                (true, true) => wrong += 1,
                (false, false) => missed += 1,
                (false, true) => {}
            }
        }
    }
    assert!(
        right * 100 >= (right + wrong) * 85,
        "{right} right, {wrong} wrong"
    );
    assert!(
        right * 100 >= (right + missed) * 60,
        "{right} right, {missed} missed"
    );
}

proptest! {
    #[test]
    fn any_text_can_be_read(text in "\\PC{0,200}") {
        read(&text);
    }

    #[test]
    fn any_mix_of_what_texts_are_made_of_can_be_read(parts in prop::collection::vec(prop::sample::select(&[
        "cancer", "séropositif", "Mme", "elle est ", " ", ".", ":", "\n", "<b>", "</b>", "<br>", "&eacute;", "%C3%A9", "é", "e\u{301}",
        "\u{ad}", "V.I.H.", "-", " - ", "?", "ß", "🙂", "\0", "<", "&", "syndiquée à la CGT", "krebs", "Lungenkrebs", "'", "’",
    ][..]), 0..40)) {
        read(&parts.concat());
    }
}

/// Reads a text, and checks that what is found are clauses of it.
fn read(text: &str) {
    let lexicon = Lexicon::of(Languages::all());
    let found = detect::statements(text, &lexicon);
    assert!(found.is_sorted_by_key(|found| found.range.start));
    for statement in found {
        let part = text
            .get(statement.range.clone())
            .expect("on the borders of characters");
        assert!(
            part.chars().any(char::is_alphanumeric),
            "{text:?}: {statement:?}"
        );
    }
}
