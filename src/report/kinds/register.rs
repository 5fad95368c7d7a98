//! The record of processing activities (Art. 30 GDPR): what the policy declares against what the log observed.

use std::collections::{BTreeMap, BTreeSet};

use crate::audit::visible;
use crate::report::distinct::Distinct;
use crate::report::frame::Frame;
use crate::report::language::Language;
use crate::report::pass::{Counting, Event};
use crate::report::tally::{Tally, add};
use crate::report::{Asked, Block, Cell, Column, Name, Report, Table, Unanswerable};
use crate::vocabulary::Level;

mod sheet;

use super::account;
use super::granted::{Declared, Granted, shows};

/// Names of one kind that are remembered for one purpose.
const NAMES_MAX: usize = 500;

#[derive(Debug)]
pub(super) struct Register {
    language: Language,
    granted: Granted,
    modules: Vec<String>,
    controller: Option<String>,
    dpo: Option<String>,
    observed: Tally<String, Observed>,
    accounts: Distinct,
    /// Data that was shown to requests without a purpose.
    purposeless: u64,
}

/// What the log says of a purpose.
#[derive(Debug, Default)]
struct Observed {
    basis: String,
    requests: u64,
    disclosed: u64,
    accounts: u64,
    roles: BTreeSet<String>,
    modules: BTreeSet<String>,
    categories: BTreeMap<String, Level>,
    unclassified: u64,
    /// Roles, together, of which none may state the purpose under this policy.
    strangers: BTreeSet<String>,
    first: String,
    last: String,
}

/// What of a purpose is told apart.
struct Difference {
    purpose: String,
    what: String,
    category: Cell,
    declared: Cell,
    observed: Cell,
}

impl Difference {
    fn new(purpose: &str, what: impl Into<String>) -> Self {
        Self {
            purpose: purpose.to_owned(),
            what: what.into(),
            category: Cell::Blank,
            declared: Cell::Blank,
            observed: Cell::Blank,
        }
    }
}

impl Register {
    pub(super) fn new(asked: &Asked<'_>) -> Self {
        let granted = asked
            .policy
            .map(|policy| Granted::of(policy, asked.language));
        let modules = asked
            .policy
            .map(|policy| policy.modules().map(ToString::to_string).collect());
        Self {
            language: asked.language,
            granted: granted.unwrap_or_default(),
            modules: modules.unwrap_or_default(),
            controller: asked.controller.clone(),
            dpo: asked.dpo.clone(),
            observed: Tally::default(),
            accounts: Distinct::default(),
            purposeless: 0,
        }
    }

    /// All purposes, of the policy and of the log, those with findings first.
    fn purposes(&self, differences: &[Difference]) -> Vec<String> {
        let declared = self.granted.purposes.keys();
        let all: BTreeSet<&String> = declared
            .chain(self.observed.iter().map(|(name, _)| name))
            .collect();
        let mut all: Vec<String> = all.into_iter().cloned().collect();
        let has_one = |purpose: &String| differences.iter().any(|one| one.purpose == *purpose);
        all.sort_by_key(|purpose| !has_one(purpose));
        all
    }

    fn differences(&self, days: u64) -> Vec<Difference> {
        let language = self.language;
        let mut found = Vec::new();
        let is_idle = |name: &&String| self.observed.get(name).is_none();
        for purpose in self.granted.purposes.keys().filter(is_idle) {
            let days = language.count(days, ["day", "jour"], ["days", "jours"]);
            found.push(Difference::new(
                purpose,
                language.of(
                    format!("declared and never used ({days} of log)"),
                    format!("déclarée et jamais utilisée ({days} de journal)"),
                ),
            ));
        }
        for (purpose, observed) in self.observed.iter() {
            match self.granted.purposes.get(purpose) {
                Some(declared) => self.beyond(purpose, declared, observed, &mut found),
                None => found.push(Difference::new(
                    purpose,
                    language.of(
                        "used and not declared in this policy",
                        "utilisée et non déclarée dans cette politique",
                    ),
                )),
            }
        }
        found
    }

    /// What of a purpose was observed beyond what is declared.
    fn beyond(
        &self,
        purpose: &str,
        declared: &Declared,
        observed: &Observed,
        found: &mut Vec<Difference>,
    ) {
        let language = self.language;
        for (category, level) in &observed.categories {
            let own = declared.categories.get(category);
            if own.is_none_or(|own| level > own) {
                let not = language.of("not", "non");
                found.push(Difference {
                    category: Cell::category(Some(category), language),
                    declared: own.map_or_else(|| Cell::text(not), |own| Cell::Level(*own)),
                    observed: Cell::Level(*level),
                    ..Difference::new(
                        purpose,
                        language.of(
                            "shown beyond what is declared",
                            "montré au-delà de ce qui est déclaré",
                        ),
                    )
                });
            }
        }
        if observed.unclassified > 0 {
            found.push(Difference {
                category: Cell::category(None, language),
                ..Difference::new(
                    purpose,
                    language.of(
                        "data that nobody has classified was shown",
                        "des données que personne n’a classées ont été montrées",
                    ),
                )
            });
        }
        for roles in &observed.strangers {
            let roles = visible(roles);
            found.push(Difference::new(
                purpose,
                language.of(
                    format!("used in the roles {roles}, which may not state it"),
                    format!("utilisée dans les rôles {roles}, qui ne peuvent l’invoquer"),
                ),
            ));
        }
    }

    fn of_differences(&self, differences: &[Difference]) -> Table {
        let language = self.language;
        let mut table = Table::new(
            "differences",
            language.of("Declared against observed", "Déclaré face à observé"),
            vec![
                Column::new("purpose", language.of("purpose", "finalité")),
                Column::new("finding", language.of("finding", "constat")),
                Column::new("category", language.of("category", "catégorie")),
                Column::new("declared", language.of("declared", "déclaré")),
                Column::new("observed", language.of("observed", "observé")),
            ],
            language.of("What was observed lies within what is declared, and every declared purpose was used.", "Ce qui a été observé reste dans ce qui est déclaré, et toute finalité déclarée a été utilisée."),
        );
        table.shown = 100;
        for one in differences {
            table.rows.push(vec![
                Cell::name(&one.purpose),
                Cell::text(one.what.clone()),
                one.category.clone(),
                one.declared.clone(),
                one.observed.clone(),
            ]);
        }
        table
    }
}

impl Counting for Register {
    fn closed(&mut self, event: Event<'_>) {
        if !event.is_within {
            return;
        }
        let seen = event.seen;
        let shown = || {
            seen.data()
                .filter(|datum| datum.records > 0 && shows(datum.level))
        };
        let Some((purpose, basis)) = seen.purpose() else {
            self.purposeless += u64::from(shown().next().is_some());
            return;
        };
        let id = account::id(event);
        let is_new = self.accounts.is_new((purpose, &id));
        let declared = self.granted.purposes.get(purpose);
        let may =
            declared.is_none_or(|one| seen.roles().iter().any(|role| one.roles.contains(role)));
        let observed = self.observed.at(purpose.to_owned());
        if !may {
            remember(
                &mut observed.strangers,
                [seen.roles().join(" + ").as_str()].into_iter(),
            );
        }
        basis.clone_into(&mut observed.basis);
        observed.requests += 1;
        add(&mut observed.disclosed, seen.disclosed());
        observed.accounts += u64::from(is_new);
        if observed.first.is_empty() {
            event.time.clone_into(&mut observed.first);
        }
        event.time.clone_into(&mut observed.last);
        remember(&mut observed.roles, seen.roles().iter().map(String::as_str));
        remember(
            &mut observed.modules,
            seen.module().into_iter().filter(|_| seen.disclosed() > 0),
        );
        for datum in shown() {
            match datum.category {
                None => add(&mut observed.unclassified, datum.records),
                Some(category)
                    if observed.categories.len() < NAMES_MAX
                        || observed.categories.contains_key(category) =>
                {
                    let level = observed
                        .categories
                        .entry(category.to_owned())
                        .or_insert(datum.level);
                    *level = (*level).max(datum.level);
                }
                Some(_) => {}
            }
        }
    }

    fn report(self: Box<Self>, frame: &Frame) -> Result<Report, Unanswerable> {
        let language = self.language;
        let title = language.of(
            "Record of processing activities",
            "Registre des activités de traitement",
        );
        let mut report = frame.report(Name::Register, title, language);
        report.about = self.controller.as_deref().map(visible);
        report.means.push(language.of(
            "For the record of processing activities (Art. 30 GDPR): one sheet for each purpose, with what the policy declares beside what the log observed in the period. The headings follow the record sheet of the CNIL’s simplified register as it was known when this program was made: compare with the edition in use; source, finding and legal basis are added. The form `csv` has one line for each purpose and source.",
            "Pour le registre des activités de traitement (art. 30 RGPD) : une fiche par finalité, avec ce que la politique déclare en face de ce que le journal a observé dans la période. Les rubriques suivent la fiche du registre simplifié de la CNIL telle que connue à la création de ce programme : comparez avec l’édition en usage ; source, constat et base légale sont ajoutés. La forme `csv` donne une ligne par finalité et par source.",
        ).to_owned());
        let differences = self.differences(frame.days());
        for one in differences.iter().take(30) {
            let category = match &one.category {
                Cell::Blank => String::new(),
                category => format!("{} {}", language.of(":", " :"), category.shown(language)),
            };
            report.findings.push(format!(
                "{}{} {}{category}.",
                visible(&one.purpose),
                language.of(":", " :"),
                one.what
            ));
        }
        if self.purposeless > 0 {
            let count = language.count(
                self.purposeless,
                ["request", "requête"],
                ["requests", "requêtes"],
            );
            report.findings.push(language.of(
                format!("{count} without a purpose showed data; they stand in no sheet."),
                format!("{count} sans finalité ont montré des données ; elles ne figurent dans aucune fiche."),
            ));
        }
        let purposes = self.purposes(&differences);
        report
            .blocks
            .push(Block::Table(self.lines(&purposes, &differences)));
        report
            .blocks
            .push(Block::Table(self.of_differences(&differences)));
        for (number, purpose) in purposes.iter().enumerate() {
            report
                .blocks
                .push(Block::Table(self.sheet(number, purpose)));
        }
        report.limits.extend([
            language.of(
                "It covers the CRM through this proxy, and nothing else that the organisation does. What stands in brackets nobody but you can know: controller, officer, retention, organisational measures, transfers.",
                "Il couvre le CRM à travers ce proxy, et rien d’autre de ce que fait l’organisme. Ce qui est entre crochets, vous seul pouvez le savoir : responsable, délégué, durées, mesures organisationnelles, transferts.",
            ).to_owned(),
            language.of(
                "Observed levels come from the policies that were in force then; if the policy changed in the period, “beyond what is declared” may be yesterday’s rule. A purpose that was not used in the period may be used in another.",
                "Les niveaux observés viennent des politiques alors en vigueur ; si la politique a changé dans la période, « au-delà de ce qui est déclaré » peut être la règle d’hier. Une finalité inutilisée dans la période peut l’être dans une autre.",
            ).to_owned(),
        ]);
        report.is_signed = true;
        Ok(report)
    }
}

fn remember<'a>(names: &mut BTreeSet<String>, new: impl Iterator<Item = &'a str>) {
    for name in new {
        if names.len() < NAMES_MAX && !names.contains(name) {
            names.insert(name.to_owned());
        }
    }
}
