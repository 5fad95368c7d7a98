//! Which data passed that nobody has classified.

use std::collections::BTreeSet;

use crate::report::distinct::Distinct;
use crate::report::frame::Frame;
use crate::report::language::Language;
use crate::report::pass::{Counting, Event};
use crate::report::tally::{Tally, add};
use crate::report::{Asked, Block, Cell, Column, Name, Report, Table, Unanswerable};
use crate::vocabulary::Level;

use super::account;

#[derive(Debug)]
pub(super) struct Unclassified {
    language: Language,
    fields: Tally<String, Met>,
    accounts: Distinct,
    requests: u64,
}

#[derive(Debug, Default)]
struct Met {
    requests: u64,
    records: u64,
    accounts: u64,
    levels: BTreeSet<Level>,
    last: String,
}

impl Unclassified {
    pub(super) fn new(asked: &Asked<'_>) -> Self {
        Self {
            language: asked.language,
            fields: Tally::default(),
            accounts: Distinct::default(),
            requests: 0,
        }
    }
}

impl Counting for Unclassified {
    fn closed(&mut self, event: Event<'_>) {
        if !event.is_within {
            return;
        }
        let id = account::id(event);
        let mut has_any = false;
        for datum in event
            .seen
            .data()
            .filter(|datum| datum.category.is_none() && datum.records > 0)
        {
            has_any = true;
            for field in datum.fields {
                let met = self.fields.at(field.clone());
                met.requests += 1;
                add(&mut met.records, datum.records);
                met.levels.insert(datum.level);
                event.time.clone_into(&mut met.last);
                met.accounts += u64::from(self.accounts.is_new((field, &id)));
            }
        }
        self.requests += u64::from(has_any);
    }

    fn report(self: Box<Self>, frame: &Frame) -> Result<Report, Unanswerable> {
        let language = self.language;
        let title = language.of(
            "Data that nobody has classified",
            "Données que personne n’a classées",
        );
        let mut report = frame.report(Name::Unclassified, title, language);
        report.means.push(language.of(
            "Fields that the CRM sent and for which the policy in force had no category, by traffic. What is not classified is treated as `defaults.unclassified` of the policy says (mostly it is emptied), so people work without it until somebody says what it is.",
            "Champs envoyés par le CRM pour lesquels la politique en vigueur n’avait pas de catégorie, par trafic. Ce qui n’est pas classé est traité selon `defaults.unclassified` de la politique (le plus souvent vidé) : on travaille sans, jusqu’à ce que quelqu’un dise ce que c’est.",
        ).to_owned());
        report.figure(
            "fields",
            language.of("fields", "champs"),
            Cell::Number(u64::try_from(self.fields.len()).unwrap_or(u64::MAX)),
        );
        report.figure(
            "requests",
            language.of("requests that met some", "requêtes qui en ont rencontré"),
            Cell::Number(self.requests),
        );
        let mut table = Table::new(
            "fields",
            language.of("Fields without a category", "Champs sans catégorie"),
            vec![
                Column::new("field", language.of("field", "champ")),
                Column::new("level", language.of("shown", "montré")),
                Column::number("requests", language.of("requests", "requêtes")),
                Column::number(
                    "disclosures",
                    language.of("records at most", "fiches au plus"),
                ),
                Column::number("accounts", language.of("accounts", "comptes")),
                Column::new("last", language.of("last", "dernière fois")),
            ],
            language.of(
                "Every field that the CRM sent in the period had a category.",
                "Tout champ envoyé par le CRM dans la période avait une catégorie.",
            ),
        );
        for (field, met) in self.fields.sorted(|met| (met.requests, met.records)) {
            if met.levels.contains(&Level::Clear) {
                let field = crate::audit::visible(field);
                report.findings.push(language.of(
                    format!("{field} was shown in clear although nobody has classified it."),
                    format!("{field} a été montré en clair sans que personne l’ait classé."),
                ));
            }
            let levels = met.levels.iter().map(|level| language.level(*level));
            table.rows.push(vec![
                Cell::name(field),
                Cell::text(levels.collect::<Vec<_>>().join(", ")),
                Cell::Number(met.requests),
                Cell::Number(met.records),
                self.accounts.cell(met.accounts),
                Cell::time(&met.last),
            ]);
        }
        report.findings.truncate(20);
        report.blocks.push(Block::Table(table));
        report.limits.extend([
            language.of(
                "An event counts records for a group of fields together, so a field was present in as many as is said, or in fewer.",
                "Un événement compte les fiches pour un groupe de champs : un champ était présent dans autant de fiches qu’il est dit, ou moins.",
            ).to_owned(),
            language.of(
                "A field that no policy and no dialect knows is counted, not named: `(2 unknown)`. A field that nobody asked for is not seen at all: `paravent discover` finds those.",
                "Un champ que ni politique ni dialecte ne connaît est compté, non nommé : `(2 unknown)`. Un champ que personne n’a demandé n’apparaît pas : `paravent discover` les trouve.",
            ).to_owned(),
        ]);
        Ok(report)
    }
}
