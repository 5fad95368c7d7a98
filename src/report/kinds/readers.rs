//! Who read most, beside those with the same roles.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::report::distinct::Distinct;
use crate::report::frame::Frame;
use crate::report::language::{Language, day};
use crate::report::pass::{Counting, Event};
use crate::report::tally::{Tally, add, median};
use crate::report::timeline::Timeline;
use crate::report::{Asked, Block, Cell, Chart, Column, Name, Report, Shape, Table, Unanswerable};

use super::account::{self, Account};

/// Days of one account that are told apart.
const DAYS_MAX: usize = 4_000;
/// Accounts that the chart shows.
const DRAWN: usize = 10;

#[derive(Debug)]
pub(super) struct Readers {
    language: Language,
    accounts: Tally<String, Read>,
    different: Distinct,
    days: Timeline,
}

#[derive(Debug, Default)]
struct Read {
    account: Account,
    requests: u64,
    disclosed: u64,
    different: u64,
    unclosed: u64,
    days: BTreeSet<Date>,
    last: String,
}

impl Readers {
    pub(super) fn new(asked: &Asked<'_>) -> Self {
        Self {
            language: asked.language,
            accounts: Tally::default(),
            different: Distinct::default(),
            days: Timeline::new(1),
        }
    }

    fn name_refs(&mut self, event: Event<'_>) {
        let Some(id) = account::id(event) else {
            return;
        };
        let refs = event.seen.refs().iter();
        let new = refs.filter(|one| self.different.is_new((&id, one)));
        let new = u64::try_from(new.count()).unwrap_or(u64::MAX);
        self.accounts.at(id).different += new;
    }

    fn table(&self) -> (Table, Vec<(String, Vec<u64>)>) {
        let language = self.language;
        let mut groups: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for (_, read) in self.accounts.iter() {
            groups
                .entry(read.account.group())
                .or_default()
                .push(read.disclosed);
        }
        let medians: BTreeMap<String, u64> = groups
            .into_iter()
            .filter(|(_, counts)| counts.len() > 1)
            .map(|(group, counts)| (group, median(counts)))
            .collect();
        let mut table = Table::new(
            "accounts",
            language.of(
                "The accounts by records disclosed",
                "Comptes par fiches divulguées",
            ),
            vec![
                Column::new("account", language.of("account", "compte")),
                Column::detail("account_id"),
                Column::new("roles", language.of("roles", "rôles")),
                Column::number(
                    "disclosed",
                    language.of("records disclosed", "fiches divulguées"),
                ),
                Column::number("different", language.of("different ones", "différentes")),
                Column::number("requests", language.of("requests", "requêtes")),
                Column::number("days", language.of("active days", "jours actifs")),
                Column::number(
                    "times_median",
                    language.of("× median of peers", "× médiane des pairs"),
                ),
                Column::detail("peers_median"),
                Column::detail("unclosed"),
                Column::detail("last"),
            ],
            language.of(
                "No account read a record in the period.",
                "Aucun compte n’a lu de fiche dans la période.",
            ),
        );
        let mut points = Vec::new();
        for (id, read) in self.accounts.sorted(|read| (read.disclosed, read.requests)) {
            let median = medians.get(&read.account.group()).copied();
            let times = median
                .filter(|median| *median > 0)
                .map(|median| Cell::Tenths(read.disclosed.saturating_mul(10) / median));
            if points.len() < DRAWN && read.disclosed > 0 {
                points.push((
                    crate::audit::visible(&read.account.name),
                    vec![read.disclosed],
                ));
            }
            table.rows.push(vec![
                read.account.name_cell(),
                Cell::name(id),
                read.account.roles_cell(),
                Cell::Number(read.disclosed),
                self.different.cell(read.different),
                Cell::Number(read.requests),
                Cell::Number(u64::try_from(read.days.len()).unwrap_or(u64::MAX)),
                times.unwrap_or(Cell::Blank),
                median.map_or(Cell::Blank, Cell::Number),
                Cell::Number(read.unclosed),
                Cell::time(&read.last),
            ]);
        }
        table.note = self.accounts.others().map(|others| {
            let (requests, disclosed) = (language.number(others.requests), language.number(others.disclosed));
            language.of(
                format!("There are more accounts than are told apart: those not listed had {requests} requests, {disclosed} records."),
                format!("Il y a plus de comptes qu’il n’en est distingué : les comptes absents du tableau ont {requests} requêtes, {disclosed} fiches."),
            )
        });
        (table, points)
    }
}

impl Counting for Readers {
    fn closed(&mut self, event: Event<'_>) {
        let Some(id) = account::id(event).filter(|_| event.is_within) else {
            return;
        };
        let disclosed = event.seen.disclosed();
        self.days.add(event.time, 0, disclosed);
        let read = self.accounts.at(id);
        read.account.meet(event.seen);
        read.requests += 1;
        add(&mut read.disclosed, disclosed);
        event.time.clone_into(&mut read.last);
        if let Some(day) = day(event.time).filter(|_| read.days.len() < DAYS_MAX) {
            read.days.insert(day);
        }
        self.name_refs(event);
    }

    fn continued(&mut self, event: Event<'_>) {
        if event.is_within {
            self.name_refs(event);
        }
    }

    fn unclosed(&mut self, event: Event<'_>) {
        if let Some(id) = account::id(event) {
            let read = self.accounts.at(id);
            read.account.meet(event.seen);
            read.unclosed += 1;
        }
    }

    fn report(self: Box<Self>, frame: &Frame) -> Result<Report, Unanswerable> {
        let language = self.language;
        let title = language.of("Who read most", "Qui a lu le plus");
        let mut report = frame.report(Name::TopReaders, title, language);
        report.means.push(language.of(
            "How many records each account was shown in the period, and how often that is the median of the accounts with the same roles (those alone in their roles have none). The same record shown twice counts twice; “different ones” counts it once.",
            "Combien de fiches chaque compte s’est vu montrer dans la période, et combien de fois c’est la médiane des comptes ayant les mêmes rôles (un compte seul dans ses rôles n’en a pas). Une fiche montrée deux fois compte deux fois ; « différentes » la compte une fois.",
        ).to_owned());
        let (table, points) = self.table();
        if !points.is_empty() {
            report.blocks.push(Block::Chart(Chart {
                key: "top",
                title: language
                    .of(
                        "Records disclosed, greatest ten",
                        "Fiches divulguées, les dix premiers",
                    )
                    .to_owned(),
                shape: Shape::Bars,
                series: vec![language.of("records shown", "fiches montrées").to_owned()],
                points,
            }));
        }
        report.blocks.push(Block::Table(table));
        let series = [(
            "disclosed",
            language.of("records disclosed", "fiches divulguées"),
        )];
        let title = language.of("Records disclosed by all", "Fiches divulguées à tous");
        if let Some((chart, table)) = self.days.shown("days", title, &series, language) {
            report
                .blocks
                .extend([Block::Chart(chart), Block::Table(table)]);
        }
        report.limits.extend([
            language.of(
                "A large number is no wrong-doing: it may be the work of the account. The report serves the security of the data; using it to judge how staff work is another purpose, for which the log was not made.",
                "Un grand nombre n’est pas une faute : ce peut être le travail du compte. Le rapport sert la sécurité des données ; juger par lui le travail des salariés est une autre finalité, pour laquelle le journal n’est pas tenu.",
            ).to_owned(),
            language.of(
                "“Different ones” also counts records that a request named and that were not shown: what was deleted, both ends of a relation.",
                "« Différentes » compte aussi les fiches qu’une requête nommait sans qu’elles soient montrées : ce qui a été supprimé, les deux bouts d’un lien.",
            ).to_owned(),
        ]);
        Ok(report)
    }
}
