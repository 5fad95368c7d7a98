//! Exceptions: which showed something, to whom, and of what.

use std::collections::{BTreeMap, BTreeSet};

use crate::policy::EXCEPTION;
use crate::report::frame::Frame;
use crate::report::language::Language;
use crate::report::pass::{Counting, Event};
use crate::report::tally::{Amount, Tally};
use crate::report::{Asked, Block, Cell, Column, Name, Report, Table, Unanswerable};
use crate::vocabulary::Level;

use super::account::{self, Account};

/// Categories of one exception and caller that are told.
const CATEGORIES_MAX: usize = 100;

#[derive(Debug)]
pub(super) struct Exceptions {
    language: Language,
    /// By exception and account.
    used: Tally<(String, String), Used>,
    names: BTreeSet<String>,
    requests: u64,
}

/// What an exception showed a caller.
#[derive(Debug, Default)]
struct Used {
    account: Account,
    categories: BTreeSet<Option<String>>,
    requests: u64,
    unclosed: u64,
    /// Of the data that most records had.
    records: Amount,
    first: String,
    last: String,
}

impl Exceptions {
    pub(super) fn new(asked: &Asked<'_>) -> Self {
        Self {
            language: asked.language,
            used: Tally::default(),
            names: BTreeSet::new(),
            requests: 0,
        }
    }

    fn take(&mut self, event: Event<'_>, is_closed: bool) {
        let mut by_name: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        let shown = |level: Level| level > Level::Redact;
        for datum in event.seen.data().filter(|datum| shown(datum.level)) {
            let names = datum.by.iter().filter_map(|by| by.strip_prefix(EXCEPTION));
            for name in names {
                by_name.entry(name).or_default().push(datum);
            }
        }
        self.requests += u64::from(!by_name.is_empty());
        let id = account::id(event).unwrap_or_default();
        for (name, data) in by_name {
            if self.names.len() < CATEGORIES_MAX {
                self.names.insert(name.to_owned());
            }
            let used = self.used.at((name.to_owned(), id.clone()));
            used.account.meet(event.seen);
            match is_closed {
                true => used.requests += 1,
                false => used.unclosed += 1,
            }
            // Fields of several categories mostly stand in the same records.
            let records = data.iter().map(|datum| event.records(datum)).max();
            used.records.add(records.unwrap_or_default());
            for datum in data {
                if used.categories.len() < CATEGORIES_MAX {
                    used.categories.insert(datum.category.map(str::to_owned));
                }
            }
            if used.first.is_empty() {
                event.time.clone_into(&mut used.first);
            }
            event.time.clone_into(&mut used.last);
        }
    }

    fn table(&self) -> Table {
        let language = self.language;
        let mut table = Table::new(
            "exceptions",
            language.of(
                "Exceptions that showed something, and to whom",
                "Dérogations qui ont montré quelque chose, et à qui",
            ),
            vec![
                Column::new("exception", language.of("exception", "dérogation")),
                Column::new("account", language.of("account", "compte")),
                Column::detail("account_id"),
                Column::new("roles", language.of("roles", "rôles")),
                Column::new("categories", language.of("categories", "catégories")),
                Column::number("requests", language.of("requests", "requêtes")),
                Column::number("shown", language.of("records shown", "fiches montrées")),
                Column::detail("unclosed"),
                Column::new("first", language.of("first", "première fois")),
                Column::new("last", language.of("last", "dernière fois")),
            ],
            language.of(
                "No exception showed anything in the period.",
                "Aucune dérogation n’a rien montré dans la période.",
            ),
        );
        for ((exception, id), used) in self.used.iter() {
            let categories = used.categories.iter();
            let categories = categories.map(|one| one.as_deref().unwrap_or("(unclassified)"));
            table.rows.push(vec![
                Cell::name(exception),
                used.account.name_cell(),
                Cell::name(id),
                used.account.roles_cell(),
                Cell::names(categories),
                Cell::Number(used.requests),
                used.records.cell(),
                Cell::Number(used.unclosed),
                Cell::time(&used.first),
                Cell::time(&used.last),
            ]);
        }
        table.note = self.used.others().map(|others| {
            let requests = language.number(others.requests);
            language.of(
                format!("There are more accounts than are told apart: those not listed had {requests} requests."),
                format!("Il y a plus de comptes qu’il n’en est distingué : les comptes absents du tableau ont {requests} requêtes."),
            )
        });
        table
    }
}

impl Counting for Exceptions {
    fn closed(&mut self, event: Event<'_>) {
        if event.is_within {
            self.take(event, true);
        }
    }

    fn unclosed(&mut self, event: Event<'_>) {
        self.take(event, false);
    }

    fn report(self: Box<Self>, frame: &Frame) -> Result<Report, Unanswerable> {
        let language = self.language;
        let title = language.of("Exceptions", "Dérogations");
        let mut report = frame.report(Name::Exceptions, title, language);
        report.means.push(language.of(
            "Which exceptions let somebody be shown what a cap would have withheld: who, how often, data of which categories.",
            "Quelles dérogations ont montré à quelqu’un ce qu’un plafond aurait retenu : à qui, combien de fois, des données de quelles catégories.",
        ).to_owned());
        report.figure(
            "exceptions",
            language.of("exceptions used", "dérogations utilisées"),
            Cell::Number(u64::try_from(self.names.len()).unwrap_or(u64::MAX)),
        );
        report.figure(
            "requests",
            language.of(
                "requests that they showed something to",
                "requêtes auxquelles elles ont montré quelque chose",
            ),
            Cell::Number(self.requests),
        );
        report.blocks.push(Block::Table(self.table()));
        report.limits.extend([
            language.of(
                "An exception that was in force and showed nothing is not listed: which there are, with their tickets and who approved them, the policy says (`paravent audit export` has it).",
                "Une dérogation en vigueur qui n’a rien montré n’est pas listée : lesquelles existent, avec leurs tickets et qui les a approuvées, c’est la politique qui le dit (`paravent audit export` la contient).",
            ).to_owned(),
            language.of(
                "Logs of earlier versions do not say that an exception showed something.",
                "Les journaux des versions antérieures ne disent pas qu’une dérogation a montré quelque chose.",
            ).to_owned(),
        ]);
        Ok(report)
    }
}
