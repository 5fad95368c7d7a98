//! Exceptions. Policies have none yet, and an empty table would look as if none had been granted.

use crate::audit::Found;
use crate::report::frame::Frame;
use crate::report::language::Language;
use crate::report::pass::{Counting, Event};
use crate::report::{Asked, Cell, Name, Report, Unanswerable};

#[derive(Debug)]
pub(super) struct Exceptions {
    language: Language,
    events: u64,
}

impl Exceptions {
    pub(super) fn new(asked: &Asked<'_>) -> Self {
        Self {
            language: asked.language,
            events: 0,
        }
    }
}

impl Counting for Exceptions {
    fn closed(&mut self, _: Event<'_>) {}

    fn notice(&mut self, found: &Found, is_within: bool) {
        let is_one = found
            .action()
            .is_some_and(|event| event.starts_with("exception."));
        self.events += u64::from(is_within && is_one);
    }

    fn report(self: Box<Self>, frame: &Frame) -> Result<Report, Unanswerable> {
        let language = self.language;
        let title = language.of("Exceptions", "Dérogations");
        let mut report = frame.report(Name::Exceptions, title, language);
        report.means.push(language.of(
            "Policies of this version have no exceptions: nobody can be given more than the policy says for a time and a reason. So there is nothing to list, and this page is not the statement that no exception was granted.",
            "Les politiques de cette version ne connaissent pas de dérogations : nul ne peut recevoir, pour un temps et un motif, plus que ce que dit la politique. Il n’y a donc rien à énumérer, et cette page n’affirme pas qu’aucune dérogation n’a été accordée.",
        ).to_owned());
        report.means.push(language.of(
            "Rules that only observe come nearest to one: requests that were answered although a rule would have refused them have the outcome `observed` (`paravent audit query DIR outcome=observed`; counted in the report `monthly`).",
            "Ce qui s’en approche le plus : les règles en observation. Les requêtes servies alors qu’une règle les aurait refusées ont l’issue `observed` (`paravent audit query DIR outcome=observed` ; comptées dans le rapport `monthly`).",
        ).to_owned());
        if self.events > 0 {
            let label = language.of(
                "events of exceptions, written by a later version",
                "événements de dérogation, écrits par une version ultérieure",
            );
            report.figure("exception_events", label, Cell::Number(self.events));
            report.findings.push(language.of(
                "The log holds events of exceptions. This version does not know them: use the version that wrote them.",
                "Le journal contient des événements de dérogation que cette version ne connaît pas : utilisez la version qui les a écrits.",
            ).to_owned());
        }
        Ok(report)
    }
}
