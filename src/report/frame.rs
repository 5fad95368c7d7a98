//! What every report says: of which time, how complete it is, and what the log cannot tell.

use crate::audit::{Found, visible};

use super::Name;
use super::language::Language;
use super::model::Report;
use super::pass::Period;

/// What was read, whatever was counted.
#[derive(Debug, Default)]
pub(super) struct Frame {
    pub(super) period: Period,
    /// The times of the first and the last event of the log.
    pub(super) log: Option<[String; 2]>,
    pub(super) last_seq: u64,
    /// The times of the first and the last event of the period.
    pub(super) counted: Option<[String; 2]>,
    pub(super) health: Health,
    /// Requests that were never closed, and of which nothing more is remembered.
    pub(super) unclosed_untold: u64,
}

/// What became of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Health {
    pub(super) unclosed: u64,
    /// Events that name records, of requests that may count, which there was no room to remember.
    pub(super) forgotten: u64,
    pub(super) unreadable: u64,
    pub(super) later: u64,
    pub(super) clock_steps: u64,
    /// Within the period.
    pub(super) gaps: u64,
    pub(super) recovered: u64,
    pub(super) pruned: u64,
}

/// What is wrong with a log: of one and of many, in English and in French.
const WRONG: [[[&str; 2]; 2]; 7] = [
    [
        [
            "line is not an event, so this report may lack something; `paravent audit verify` says where it is",
            "ligne n’est pas un événement : il peut manquer quelque chose à ce rapport ; `paravent audit verify` dit où elle est",
        ],
        [
            "lines are not events, so this report may lack something; `paravent audit verify` says where the first one is",
            "lignes ne sont pas des événements : il peut manquer quelque chose à ce rapport ; `paravent audit verify` dit où est la première",
        ],
    ],
    [
        [
            "event is in the format of a later version and was not counted",
            "événement est dans le format d’une version ultérieure et n’a pas été compté",
        ],
        [
            "events are in the format of a later version and were not counted",
            "événements sont dans le format d’une version ultérieure et n’ont pas été comptés",
        ],
    ],
    [
        [
            "gap lies in the period: what happened in it is not counted here",
            "lacune dans la période : ce qui s’y est passé n’est pas compté ici",
        ],
        [
            "gaps lie in the period: what happened in them is not counted here",
            "lacunes dans la période : ce qui s’y est passé n’est pas compté ici",
        ],
    ],
    [
        [
            "time in the period, old events were removed; they are not counted here",
            "fois dans la période, d’anciens événements ont été retirés ; ils ne sont pas comptés ici",
        ],
        [
            "times in the period, old events were removed; they are not counted here",
            "fois dans la période, d’anciens événements ont été retirés ; ils ne sont pas comptés ici",
        ],
    ],
    [
        [
            "request was opened and never closed: what left is not known, so up to everything that it could have disclosed",
            "requête ouverte n’a jamais été close : ce qui est sorti n’est pas connu, donc jusqu’à tout ce qu’elle pouvait divulguer",
        ],
        [
            "requests were opened and never closed: what left is not known, so up to everything that they could have disclosed",
            "requêtes ouvertes n’ont jamais été closes : ce qui est sorti n’est pas connu, donc jusqu’à tout ce qu’elles pouvaient divulguer",
        ],
    ],
    [
        [
            "event names records of a request that began before the period and could not be remembered until it was known to count: the records are not counted here",
            "événement nomme des fiches d’une requête commencée avant la période et n’a pu être retenu jusqu’à savoir si elle compte : ces fiches ne sont pas comptées ici",
        ],
        [
            "events name records of requests that began before the period and could not be remembered until they were known to count: the records are not counted here",
            "événements nomment des fiches de requêtes commencées avant la période et n’ont pu être retenus jusqu’à savoir si elles comptent : ces fiches ne sont pas comptées ici",
        ],
    ],
    [
        [
            "time the clock stepped back; the period marks places among the events, not times",
            "fois l’horloge a reculé ; la période marque des places parmi les événements, non des heures",
        ],
        [
            "times the clock stepped back; the period marks places among the events, not times",
            "fois l’horloge a reculé ; la période marque des places parmi les événements, non des heures",
        ],
    ],
];

impl Frame {
    pub(super) fn new(period: &Period) -> Self {
        Self {
            period: period.clone(),
            ..Self::default()
        }
    }

    /// Takes note of an event.
    pub(super) fn meet(&mut self, found: &Found, is_within: bool) {
        let time = found.time();
        self.last_seq = found.seq();
        stretch_to(&mut self.log, time);
        if !is_within {
            return;
        }
        stretch_to(&mut self.counted, time);
        if found.seen().is_none() {
            match found.action() {
                Some("audit.gap") => self.health.gaps += 1,
                Some("audit.recovered") => self.health.recovered += 1,
                Some("audit.pruned") => self.health.pruned += 1,
                _ => {}
            }
        }
    }

    /// How many days the log tells of, at most.
    pub(super) fn days(&self) -> u64 {
        let day = super::language::day;
        let days = self.counted.as_ref().and_then(|[first, last]| {
            let days = day(first)?.until(day(last)?).ok()?.get_days();
            u64::try_from(days).ok()
        });
        days.map_or(0, |days| days + 1)
    }

    /// A report with nothing in it but what all have.
    pub(super) fn report(&self, name: Name, title: &str, language: Language) -> Report {
        let shown = |times: &Option<[String; 2]>| {
            times
                .as_ref()
                .map(|times| times.each_ref().map(|time| visible(time)))
        };
        let last = shown(&self.log).map(|[_, last]| last);
        let mut report = Report {
            name: name.as_str(),
            language,
            title: title.to_owned(),
            about: None,
            asked: [self.period.since.clone(), self.period.until.clone()],
            counted: shown(&self.counted),
            complete: (self.last_seq, last.unwrap_or_default()),
            means: Vec::new(),
            findings: Vec::new(),
            figures: Vec::new(),
            blocks: Vec::new(),
            limits: Vec::new(),
            is_signed: false,
            unread: self.health.unreadable + self.health.later,
        };
        self.warn(&mut report);
        report
    }

    /// Says what is wrong with the log itself: it stands before everything else that is found.
    fn warn(&self, report: &mut Report) {
        let language = report.language;
        let Health {
            unclosed,
            forgotten,
            unreadable,
            later,
            clock_steps,
            gaps,
            pruned,
            ..
        } = self.health;
        let unclosed = unclosed + self.unclosed_untold;
        let counts = [
            unreadable,
            later,
            gaps,
            pruned,
            unclosed,
            forgotten,
            clock_steps,
        ];
        for (count, [one, many]) in counts.into_iter().zip(WRONG) {
            if count > 0 {
                let what = language.of("The log itself:", "Le journal lui-même :");
                let words = language.count(count, one, many);
                report.findings.push(format!("{what} {words}."));
            }
        }
    }

    /// How numbers of records with data are to be read.
    pub(super) fn amounts(language: Language) -> String {
        language.of(
            "How many records held data: an event counts fields of the same category and level together, by the field that most records had. Where others of them may have stood in other records, the number is ≥; where it met a category in several such groups, their records are added.",
            "Combien de fiches contenaient des données : un événement compte ensemble les champs de même catégorie et de même niveau, d’après le champ présent dans le plus de fiches. Si les autres ont pu être dans d’autres fiches, le nombre est ≥ ; si la catégorie est dans plusieurs de ces groupes, leurs fiches s’ajoutent.",
        ).to_owned()
    }

    /// What no report can tell.
    pub(super) fn limits(&self, language: Language) -> Vec<String> {
        vec![
            language
                .of(
                    "It counts what passed through this proxy. Whoever reaches the CRM on another way is not seen here.",
                    "Ce rapport compte ce qui a traversé ce proxy. Qui atteint le CRM par un autre chemin n’y figure pas.",
                )
                .to_owned(),
            language
                .of(
                    "It was made from the log as it lies there, which it does not verify: `paravent audit verify` does. Times are in UTC.",
                    "Il a été établi sur le journal tel quel, sans le vérifier : c’est le rôle de `paravent audit verify`. Les heures sont en UTC.",
                )
                .to_owned(),
        ]
    }
}

fn stretch_to(span: &mut Option<[String; 2]>, time: &str) {
    match span {
        None => *span = Some([time.to_owned(), time.to_owned()]),
        Some([_, last]) => time.clone_into(last),
    }
}
