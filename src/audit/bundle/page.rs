//! `index.html`: what a bundle holds, for people. It follows from the other files alone, so a verifier makes it again and compares.

use std::io;

use askama::Template;

use crate::vocabulary::Level;

use super::super::names::visible;
use super::facts::Facts;
use super::manifest::{Lang, Manifest};

#[derive(Template)]
#[template(path = "bundle.html")]
struct Page<'a> {
    w: &'static Words,
    m: &'a Manifest,
    f: &'a Facts,
    /// Events that the page does not show.
    more: u64,
}

/// A text of a log or manifest.
fn shown(text: &str) -> String {
    visible(text)
}

/// Writes the page.
pub(super) fn write(manifest: &Manifest, facts: &Facts, out: &mut dyn io::Write) -> io::Result<()> {
    let page = Page {
        w: Words::of(manifest.lang),
        m: manifest,
        f: facts,
        more: facts.counts.events.saturating_sub(facts.rows.len() as u64),
    };
    let failed = Utf8 { out, failed: None }.written(&page);
    failed.map_or(Ok(()), Err)
}

/// Writes texts, and keeps what went wrong.
struct Utf8<'o> {
    out: &'o mut dyn io::Write,
    failed: Option<io::Error>,
}

impl Utf8<'_> {
    fn written(mut self, page: &Page<'_>) -> Option<io::Error> {
        match page.render_into(&mut self) {
            Ok(()) => None,
            Err(error) => Some(self.failed.unwrap_or_else(|| io::Error::other(error))),
        }
    }
}

impl std::fmt::Write for Utf8<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.out.write_all(text.as_bytes()).map_err(|error| {
            self.failed = Some(error);
            std::fmt::Error
        })
    }
}

/// The words of a language.
struct Words {
    lang: &'static str,
    title: &'static str,
    purpose: &'static str,
    asked: &'static str,
    everything: &'static str,
    made: &'static str,
    program: &'static str,
    version: &'static str,
    events: &'static str,
    beside: &'static str,
    terms: &'static str,
    policy_events: &'static str,
    segments: &'static str,
    key_events: &'static str,
    between: &'static str,
    complete: &'static str,
    complete_yes: &'static str,
    complete_holes: &'static str,
    complete_no: &'static str,
    hole: &'static str,
    unproved: &'static str,
    left_out: &'static str,
    proves_title: &'static str,
    proves: &'static str,
    proves_complete: &'static str,
    proves_not: &'static str,
    number: &'static str,
    time: &'static str,
    who: &'static str,
    what: &'static str,
    why: &'static str,
    result: &'static str,
    refs: &'static str,
    levels: &'static str,
    not_proved: &'static str,
    more: &'static str,
    logs: &'static str,
    from: &'static str,
    size: &'static str,
    root: &'static str,
    key: &'static str,
    keys: &'static str,
    fingerprint: &'static str,
    policies: &'static str,
    policy: &'static str,
    schema: &'static str,
    absent: &'static str,
    /// From `hide` to `clear`.
    of_levels: [&'static str; 5],
}

impl Words {
    fn of(lang: Lang) -> &'static Self {
        match lang {
            Lang::En => &EN,
            Lang::Fr => &FR,
        }
    }

    fn level(&self, level: &Level) -> &'static str {
        let place = Level::ALL.iter().position(|one| one == level);
        place
            .and_then(|place| self.of_levels.get(place))
            .copied()
            .unwrap_or_default()
    }
}

const EN: Words = Words {
    lang: "en",
    title: "Extract of an access log",
    purpose: "For",
    asked: "Asked for",
    everything: "everything",
    made: "Made",
    program: "With",
    version: "version",
    events: "Events",
    beside: "Beside them",
    terms: "terms",
    policy_events: "policies that came into force",
    segments: "beginnings of a log",
    key_events: "keys that took the place of others",
    between: "events between those that were asked for",
    complete: "Complete",
    complete_yes: "every event of the log is in this bundle, from to:",
    complete_holes: "no: not all of what stood there is in this bundle, from to:",
    complete_no: "no: whether something was left out is not shown",
    hole: "The log goes on behind a gap, or anew, and why is not shown. Not in this bundle:",
    unproved: "Events that no signed checkpoint covers yet. Nothing proves them",
    left_out: "Events that were asked for and left out, because no signed checkpoint covers them yet",
    proves_title: "What this shows",
    proves: "This page follows from the lines of the log in events.jsonl. Whether those lines are the log's, unaltered, is shown by the proofs beside them, the checkpoints and the key that has signed them: compare its fingerprint with one that you have from elsewhere. Which of its events answer the question was for whoever made this to find.",
    proves_complete: "Whoever looks through all lines finds what else was in the log in that time.",
    proves_not: "That the log holds nothing else that answers the question is not shown.",
    number: "No.",
    time: "When, and the decision",
    who: "Who",
    what: "What",
    why: "Purpose",
    result: "Outcome",
    refs: "Of what",
    levels: "Shown as",
    not_proved: "not proved",
    more: "Further events",
    logs: "The log as it was signed",
    from: "events",
    size: "Size",
    root: "Root",
    key: "Key",
    keys: "Keys",
    fingerprint: "Fingerprint (SHA-256)",
    policies: "What was in force",
    policy: "policy",
    schema: "schema",
    absent: "not in this bundle",
    of_levels: ["hidden", "redacted", "token", "masked", "in clear"],
};

const FR: Words = Words {
    lang: "fr",
    title: "Extrait d’un journal d’accès",
    purpose: "Pour",
    asked: "Demandé",
    everything: "tout",
    made: "Établi",
    program: "Avec",
    version: "version",
    events: "Événements",
    beside: "À côté",
    terms: "termes",
    policy_events: "politiques entrées en vigueur",
    segments: "débuts d’un journal",
    key_events: "clés qui en ont remplacé d’autres",
    between: "événements entre ceux qui ont été demandés",
    complete: "Complet",
    complete_yes: "tous les événements du journal sont dans ce dossier, de à :",
    complete_holes: "non : une partie de ce qui s’y trouvait est absente de ce dossier, de à :",
    complete_no: "non : rien ne montre si quelque chose a été omis",
    hole: "Le journal reprend après une lacune, ou à neuf, sans que rien ne montre pourquoi. Absent de ce dossier :",
    unproved: "Événements qu’aucun point de contrôle signé ne couvre encore. Rien ne les prouve",
    left_out: "Événements demandés et omis, parce qu’aucun point de contrôle signé ne les couvre encore",
    proves_title: "Ce que ceci montre",
    proves: "Cette page découle des lignes du journal dans events.jsonl. Que ces lignes soient celles du journal, inchangées, est montré par les preuves jointes, les points de contrôle et la clé qui les a signés : comparez son empreinte avec celle que vous tenez d’ailleurs. C’est la personne qui a établi ce dossier qui a cherché lesquels de ces événements répondent à la question.",
    proves_complete: "En parcourant toutes les lignes, on trouve ce que le journal contenait d’autre pendant ce temps.",
    proves_not: "Que le journal ne contienne rien d’autre qui réponde à la question n’est pas montré.",
    number: "N°",
    time: "Quand, et la décision",
    who: "Qui",
    what: "Quoi",
    why: "Finalité",
    result: "Issue",
    refs: "De quoi",
    levels: "Montré",
    not_proved: "non prouvé",
    more: "Autres événements",
    logs: "Le journal tel qu’il a été signé",
    from: "événements",
    size: "Taille",
    root: "Racine",
    key: "Clé",
    keys: "Clés",
    fingerprint: "Empreinte (SHA-256)",
    policies: "Ce qui était en vigueur",
    policy: "politique",
    schema: "schéma",
    absent: "absent de ce dossier",
    of_levels: ["caché", "caviardé", "jeton", "masqué", "en clair"],
};
