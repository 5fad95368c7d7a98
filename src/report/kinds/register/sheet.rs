//! The sheets of the register: what stands under each heading.

use std::collections::BTreeMap;

use crate::audit::visible;
use crate::report::language::{Language, day};
use crate::report::{Audience, Cell, Column, Table};
use crate::vocabulary::Level;

use super::{Declared, Difference, Observed, Register};

/// The headings of a sheet, in their order: key, English, French.
const HEADINGS: [(&str, &str, &str); 18] = [
    ("source", "Declared or observed", "Déclaré ou observé"),
    ("finding", "Finding", "Constat"),
    ("name", "Name of the processing", "Nom du traitement"),
    ("reference", "No. / ref.", "N° / REF"),
    ("created", "Date of creation", "Date de création"),
    ("updated", "Update", "Mise à jour"),
    ("controller", "Controller", "Responsable du traitement"),
    (
        "dpo",
        "Data-protection officer",
        "Délégué à la protection des données",
    ),
    ("purpose", "Main purpose", "Finalité principale"),
    ("basis", "Legal basis", "Base légale"),
    (
        "measures_technical",
        "Technical security measures",
        "Mesures de sécurité techniques",
    ),
    (
        "measures_organisational",
        "Organisational security measures",
        "Mesures de sécurité organisationnelles",
    ),
    (
        "data",
        "Categories of personal data",
        "Catégories de données personnelles concernées",
    ),
    ("sensitive", "Sensitive data", "Données sensibles"),
    ("erasure", "Time limit for erasure", "Délai d’effacement"),
    (
        "persons",
        "Categories of data subjects",
        "Catégories de personnes concernées",
    ),
    ("recipients", "Recipients", "Destinataires"),
    (
        "transfers",
        "Transfers outside the EU",
        "Transferts hors UE",
    ),
];

impl Register {
    /// What stands under each heading but the first two, of what is declared.
    fn declared(&self, purpose: &str, declared: &Declared) -> Vec<Cell> {
        let language = self.language;
        let label = declared.label.as_deref().unwrap_or(purpose);
        let (people, machines): (Vec<&str>, Vec<&str>) = declared
            .roles
            .iter()
            .map(String::as_str)
            .partition(|role| !self.granted.machines.contains(*role));
        let modules: Vec<String> = self.modules.iter().map(|one| visible(one)).collect();
        let modules = modules.join(", ");
        let policy = format!(
            "{} {}",
            visible(&self.granted.policy),
            visible(&self.granted.hash)
        );
        vec![
            Cell::name(label),
            Cell::name(purpose),
            self.fill(language.of("date", "date")),
            Cell::text(language.of(format!("policy {policy}"), format!("politique {policy}"))),
            self.stated(self.controller.as_deref(), language.of("controller: give --controller", "responsable : donner --controller")),
            self.stated(self.dpo.as_deref(), language.of("DPO: give --dpo", "DPO : donner --dpo")),
            Cell::name(label),
            Cell::name(language.basis(&declared.basis)),
            Cell::text(language.of(
                "fields hidden, masked or replaced by role and purpose; filters and sorts by what is not shown are refused; every access is in a tamper-evident log before the answer leaves",
                "champs masqués, partiels ou remplacés selon rôle et finalité ; filtres et tris par ce qui n’est pas montré refusés ; tout accès inscrit dans un journal à l’épreuve des falsifications avant l’envoi de la réponse",
            )),
            self.fill(language.of("organisational measures", "mesures organisationnelles")),
            categories(&declared.categories, false, language),
            categories(&declared.categories, true, language),
            self.fill(language.of("retention: the policy does not state any", "durée : la politique n’en indique pas")),
            self.fill(&language.of(
                format!("persons; the policy knows the modules {modules}"),
                format!("personnes ; la politique connaît les modules {modules}"),
            )),
            Cell::text(recipients(&people, &machines, language)),
            self.fill(language.of("the policy does not say where recipients are", "la politique ne dit pas où sont les destinataires")),
        ]
    }

    /// The same, of what was observed.
    fn observed(&self, purpose: &str, observed: &Observed) -> Vec<Cell> {
        let language = self.language;
        let dates = |time: &str| day(time).map_or(Cell::Blank, Cell::Day);
        let (people, machines): (Vec<&str>, Vec<&str>) = observed
            .roles
            .iter()
            .map(String::as_str)
            .partition(|role| !self.granted.machines.contains(*role));
        let label = self
            .granted
            .purposes
            .get(purpose)
            .and_then(|one| one.label.as_deref());
        vec![
            Cell::name(label.unwrap_or(purpose)),
            Cell::name(purpose),
            dates(&observed.first),
            dates(&observed.last),
            Cell::Blank,
            Cell::Blank,
            Cell::name(label.unwrap_or(purpose)),
            Cell::name(language.basis(&observed.basis)),
            Cell::Blank,
            Cell::Blank,
            categories(&observed.categories, false, language),
            categories(&observed.categories, true, language),
            Cell::Blank,
            Cell::names(observed.modules.iter().map(String::as_str)),
            Cell::text(recipients(&people, &machines, language)),
            Cell::Blank,
        ]
    }

    fn fill(&self, what: &str) -> Cell {
        let language = self.language;
        Cell::FillIn(format!(
            "{}{}",
            language.of("to be filled in: ", "à compléter : "),
            what
        ))
    }

    fn stated(&self, stated: Option<&str>, missing: &str) -> Cell {
        stated.map_or_else(|| self.fill(missing), Cell::name)
    }

    /// One line for each purpose and source, with the columns of a sheet: for spreadsheets.
    pub(super) fn lines(&self, purposes: &[String], differences: &[Difference]) -> Table {
        let language = self.language;
        let heads = HEADINGS
            .iter()
            .map(|(key, english, french)| Column::new(key, language.of(english, french)));
        let mut table = Table::new(
            "register",
            language.of("Register", "Registre"),
            heads.collect(),
            language.of("No purpose.", "Aucune finalité."),
        );
        table.audience = Audience::Scripts;
        for purpose in purposes {
            let found = differences
                .iter()
                .filter(|one| one.purpose == *purpose)
                .map(|one| match &one.category {
                    Cell::Blank => one.what.clone(),
                    category => format!(
                        "{}{} {}",
                        one.what,
                        language.of(":", " :"),
                        category.shown(language)
                    ),
                });
            let found: Vec<String> = found.collect();
            let finding = Cell::text(found.join("; "));
            let mut add = |source: &str, cells: Vec<Cell>| {
                let line = [Cell::text(source), finding.clone()]
                    .into_iter()
                    .chain(cells);
                table.rows.push(line.collect());
            };
            if let Some(declared) = self.granted.purposes.get(purpose) {
                add(
                    language.of("declared", "déclaré"),
                    self.declared(purpose, declared),
                );
            }
            if let Some(observed) = self.observed.get(purpose) {
                add(
                    language.of("observed", "observé"),
                    self.observed(purpose, observed),
                );
            }
        }
        table
    }

    /// A sheet of a purpose, for people: its headings below each other.
    pub(super) fn sheet(&self, number: usize, purpose: &str) -> Table {
        let language = self.language;
        let declared = self.granted.purposes.get(purpose);
        let observed = self.observed.get(&purpose.to_owned());
        let label = declared
            .and_then(|one| one.label.as_deref())
            .unwrap_or(purpose);
        let title = format!("{}. {}", number + 1, visible(label));
        let mut table = Table::new(
            "sheet",
            &title,
            vec![
                Column::new("heading", language.of("heading", "rubrique")),
                Column::new(
                    "declared",
                    language.of("declared (policy)", "déclaré (politique)"),
                ),
                Column::new(
                    "observed",
                    language.of("observed (log)", "observé (journal)"),
                ),
            ],
            "",
        );
        table.key = format!("sheet-{}", number + 1).into();
        table.audience = Audience::People;
        let blank = || vec![Cell::Blank; HEADINGS.len() - 2];
        let sides = [
            declared.map_or_else(blank, |one| self.declared(purpose, one)),
            observed.map_or_else(blank, |one| self.observed(purpose, one)),
        ];
        let [declared_cells, observed_cells] = sides;
        for (heading, (one, other)) in HEADINGS
            .iter()
            .skip(2)
            .zip(declared_cells.into_iter().zip(observed_cells))
        {
            table.rows.push(vec![
                Cell::text(language.of(heading.1, heading.2)),
                one,
                other,
            ]);
        }
        if let Some(observed) = observed {
            let requests = language.count(
                observed.requests,
                ["request", "requête"],
                ["requests", "requêtes"],
            );
            let disclosed = language.count(
                observed.disclosed,
                ["record disclosed", "fiche divulguée"],
                ["records disclosed", "fiches divulguées"],
            );
            let accounts = self.accounts.cell(observed.accounts).shown(language);
            table.note = Some(language.of(
                format!("Observed in the period: {requests}, {disclosed}; accounts: {accounts}."),
                format!(
                    "Observé dans la période : {requests}, {disclosed} ; comptes : {accounts}."
                ),
            ));
        }
        table
    }
}

/// Categories with their levels, those of Art. 9 and 10 or the others.
fn categories(
    categories: &BTreeMap<String, Level>,
    are_sensitive: bool,
    language: Language,
) -> Cell {
    // What the CNIL's sheet lists as sensitive holds the national number, too.
    let is_sensitive = |name: &str| {
        ["special", "criminal", "identity.national_id"]
            .iter()
            .any(|one| name == *one || name.starts_with(&format!("{one}.")))
    };
    let of = categories
        .iter()
        .filter(|(name, _)| is_sensitive(name) == are_sensitive);
    let told: Vec<String> = of
        .map(|(name, level)| {
            let label = language
                .category(name)
                .map_or_else(|| visible(name), str::to_owned);
            format!("{label} ({})", language.level(*level))
        })
        .collect();
    match told.is_empty() {
        true => Cell::text(language.of("none shown", "aucune montrée")),
        false => Cell::text(told.join(", ")),
    }
}

fn recipients(people: &[&str], machines: &[&str], language: Language) -> String {
    let list = |names: &[&str]| {
        names
            .iter()
            .map(|name| visible(name))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let mut parts = Vec::new();
    if !people.is_empty() {
        parts.push(format!(
            "{} {}",
            language.of("roles:", "rôles :"),
            list(people)
        ));
    }
    if !machines.is_empty() {
        parts.push(format!(
            "{} {}",
            language.of("programs:", "programmes :"),
            list(machines)
        ));
    }
    parts.join("; ")
}
