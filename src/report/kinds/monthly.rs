//! What a data-protection officer shows each month.

use std::collections::BTreeSet;

use crate::audit::{Found, visible};
use crate::report::distinct::Distinct;
use crate::report::frame::Frame;
use crate::report::language::Language;
use crate::report::pass::{Counting, Event};
use crate::report::tally::{Amount, Tally, add};
use crate::report::timeline::Timeline;
use crate::report::{Asked, Block, Cell, Chart, Column, Name, Report, Shape, Table, Unanswerable};
use crate::vocabulary::Level;

use super::account;

/// Changes of policies and keys, and readings of the log, that are listed.
const LISTED_MAX: usize = 500;

/// The figures: key, English, French.
const FIGURES: [(&str, &str, &str); 14] = [
    ("requests", "requests", "requêtes"),
    ("accounts", "accounts", "comptes"),
    (
        "disclosed",
        "records disclosed, with repeats",
        "fiches divulguées, avec répétitions",
    ),
    (
        "different",
        "different records named",
        "fiches différentes nommées",
    ),
    ("writes", "changes let through", "modifications passées"),
    ("denied", "refused by the policy", "refus de la politique"),
    (
        "observed",
        "answered because a rule only observes",
        "servies, règle en observation",
    ),
    (
        "unclosed",
        "never closed: up to everything",
        "jamais closes : jusqu’à tout",
    ),
    (
        "unclassified",
        "requests with unclassified data",
        "requêtes avec données non classées",
    ),
    (
        "used_up",
        "budgets of refused predicates used up",
        "budgets de prédicats refusés épuisés",
    ),
    (
        "limited",
        "limits of records reached",
        "limites de fiches atteintes",
    ),
    (
        "loaded",
        "policies put in force",
        "politiques mises en vigueur",
    ),
    (
        "rejected",
        "policies or certificates refused",
        "politiques ou certificats refusés",
    ),
    ("gaps", "gaps in the log", "lacunes du journal"),
];

#[derive(Debug)]
pub(super) struct Monthly {
    language: Language,
    outcomes: Tally<String, u64>,
    purposes: Tally<String, Purpose>,
    clear: Tally<(String, String), Shown>,
    accounts: Distinct,
    account_count: u64,
    record_count: u64,
    requests: u64,
    disclosed: u64,
    writes: u64,
    unclassified: u64,
    changes: Vec<Vec<Cell>>,
    readings: Vec<Vec<Cell>>,
    left_out: u64,
    loaded: u64,
    rejected: u64,
    used_up: u64,
    limited: u64,
    days: Timeline,
    policies: BTreeSet<String>,
}

#[derive(Debug, Default)]
struct Purpose {
    basis: String,
    requests: u64,
    disclosed: u64,
}

#[derive(Debug, Default)]
struct Shown {
    requests: u64,
    records: Amount,
    accounts: u64,
}

impl Monthly {
    pub(super) fn new(asked: &Asked<'_>) -> Self {
        Self {
            language: asked.language,
            outcomes: Tally::default(),
            purposes: Tally::default(),
            clear: Tally::default(),
            accounts: Distinct::default(),
            account_count: 0,
            record_count: 0,
            requests: 0,
            disclosed: 0,
            writes: 0,
            unclassified: 0,
            changes: Vec::new(),
            readings: Vec::new(),
            left_out: 0,
            loaded: 0,
            rejected: 0,
            used_up: 0,
            limited: 0,
            days: Timeline::new(3),
            policies: BTreeSet::new(),
        }
    }

    fn name_refs(&mut self, event: Event<'_>) {
        for record in event.seen.refs() {
            self.record_count += u64::from(self.accounts.is_new(("record", record)));
        }
    }

    fn show(&mut self, event: Event<'_>) {
        let id = account::id(event);
        let roles = event.seen.roles().join(" + ");
        let mut has_open = false;
        for datum in event.seen.data().filter(|one| one.records > 0) {
            match datum.category {
                None => has_open = true,
                Some(category) if datum.level == Level::Clear => {
                    let key = (category.to_owned(), roles.clone());
                    let records = event.records(&datum);
                    let is_new = self.accounts.is_new(("clear", &key, &id));
                    let shown = self.clear.at(key);
                    shown.requests += 1;
                    shown.records.add(records);
                    shown.accounts += u64::from(is_new);
                }
                Some(_) => {}
            }
        }
        self.unclassified += u64::from(has_open);
    }

    fn list(&mut self, is_reading: bool, row: Vec<Cell>) {
        let list = match is_reading {
            true => &mut self.readings,
            false => &mut self.changes,
        };
        if list.len() < LISTED_MAX {
            list.push(row);
        } else {
            self.left_out += 1;
        }
    }

    fn of_clear(&self) -> Table {
        let language = self.language;
        let mut table = Table::new(
            "clear",
            language.of(
                "What was shown in clear, and to which roles",
                "Ce qui a été montré en clair, et à quels rôles",
            ),
            vec![
                Column::new("category", language.of("category", "catégorie")),
                Column::new("roles", language.of("roles", "rôles")),
                Column::number("accounts", language.of("accounts", "comptes")),
                Column::number("requests", language.of("requests", "requêtes")),
                Column::number(
                    "disclosures",
                    language.of("records with it", "fiches touchées"),
                ),
            ],
            language.of(
                "Nothing was shown in clear.",
                "Rien n’a été montré en clair.",
            ),
        );
        table.shown = 100;
        for ((category, roles), shown) in self.clear.iter() {
            table.rows.push(vec![
                Cell::category(Some(category), language),
                Cell::name(roles),
                self.accounts.cell(shown.accounts),
                Cell::Number(shown.requests),
                shown.records.cell(),
            ]);
        }
        table
    }

    fn of_purposes(&self) -> Table {
        let language = self.language;
        let mut table = Table::new(
            "purposes",
            language.of("For which purposes", "Pour quelles finalités"),
            vec![
                Column::new("purpose", language.of("purpose", "finalité")),
                Column::new("basis", language.of("legal basis", "base légale")),
                Column::number("requests", language.of("requests", "requêtes")),
                Column::number(
                    "disclosed",
                    language.of("records disclosed", "fiches divulguées"),
                ),
            ],
            language.of(
                "No request had a purpose.",
                "Aucune requête n’avait de finalité.",
            ),
        );
        for (purpose, counts) in self.purposes.sorted(|one| one.requests) {
            table.rows.push(vec![
                Cell::name(purpose),
                Cell::name(language.basis(&counts.basis)),
                Cell::Number(counts.requests),
                Cell::Number(counts.disclosed),
            ]);
        }
        table
    }

    fn of_outcomes(&self) -> Table {
        let language = self.language;
        let mut table = Table::new(
            "outcomes",
            language.of("How requests ended", "Issue des requêtes"),
            vec![
                Column::new("outcome", language.of("outcome", "issue")),
                Column::detail("word"),
                Column::number("requests", language.of("requests", "requêtes")),
            ],
            language.of(
                "No request lies in the period.",
                "Aucune requête dans la période.",
            ),
        );
        for (kind, count) in self.outcomes.sorted(|count| *count) {
            table.rows.push(vec![
                Cell::name(language.outcome(kind)),
                Cell::name(kind),
                Cell::Number(*count),
            ]);
        }
        table
    }

    fn listed(
        &self,
        key: &'static str,
        titles: [&str; 2],
        columns: Vec<Column>,
        rows: &[Vec<Cell>],
    ) -> Table {
        let language = self.language;
        let mut table = Table::new(
            key,
            language.of(titles[0], titles[1]),
            columns,
            language.of("None in the period.", "Aucun dans la période."),
        );
        table.rows = rows.to_vec();
        table
    }

    fn of_lists(&self) -> [Table; 2] {
        let language = self.language;
        [
            self.listed(
                "changes",
                [
                    "Changes of policies, certificates and keys",
                    "Changements de politiques, certificats et clés",
                ],
                vec![
                    Column::new("time", language.of("when", "quand")),
                    Column::new("event", language.of("event", "événement")),
                    Column::new("what", language.of("what", "quoi")),
                    Column::new("by", language.of("by", "par")),
                ],
                &self.changes,
            ),
            self.listed(
                "readings",
                ["Who read this log", "Qui a lu ce journal"],
                vec![
                    Column::new("time", language.of("when", "quand")),
                    Column::new("command", language.of("command", "commande")),
                    Column::new("words", language.of("asked for", "demandé")),
                    Column::number(
                        "uid",
                        language.of("user of the system", "utilisateur système"),
                    ),
                ],
                &self.readings,
            ),
        ]
    }
}

impl Counting for Monthly {
    fn closed(&mut self, event: Event<'_>) {
        if !event.is_within {
            return;
        }
        let seen = event.seen;
        self.requests += 1;
        add(&mut self.disclosed, seen.disclosed());
        let kind = seen.outcome().unwrap_or_default();
        *self.outcomes.at(kind.to_owned()) += 1;
        let series = match kind {
            "full" => 0,
            "partial" | "observed" => 1,
            _ => 2,
        };
        self.days.add(event.time, series, 1);
        if let Some(id) = account::id(event) {
            self.account_count += u64::from(self.accounts.is_new(("account", &id)));
        }
        let is_write = matches!(
            seen.action(),
            Some("create" | "update" | "delete" | "relate")
        );
        self.writes += u64::from(is_write && matches!(kind, "full" | "partial" | "observed"));
        if let Some((purpose, basis)) = seen.purpose() {
            let counts = self.purposes.at(purpose.to_owned());
            basis.clone_into(&mut counts.basis);
            counts.requests += 1;
            add(&mut counts.disclosed, seen.disclosed());
        }
        self.name_refs(event);
        self.show(event);
    }

    fn continued(&mut self, event: Event<'_>) {
        if event.is_within {
            self.name_refs(event);
        }
    }

    fn notice(&mut self, found: &Found, is_within: bool) {
        let Some(event) = found.action().filter(|_| is_within) else {
            return;
        };
        let text = |name: &str| {
            found
                .detail(name)
                .and_then(serde_json::Value::as_str)
                .unwrap_or_default()
        };
        let (name, by) = match event {
            "policy.loaded" => {
                self.loaded += 1;
                if self.policies.len() < LISTED_MAX {
                    self.policies.insert(text("hash").to_owned());
                }
                (format!("{} {}", text("name"), text("hash")), text("by"))
            }
            "policy.rejected" | "certificate.rejected" => {
                self.rejected += 1;
                (text("what").to_owned(), text("by"))
            }
            "certificate.loaded" => (text("what").to_owned(), text("by")),
            "key.created" | "key.rotated" | "key.revoked" | "key.expired" => {
                (text("name").to_owned(), text("by"))
            }
            "schema.learned" => (text("upstream").to_owned(), ""),
            "discover" | "scan" => (text("module").to_owned(), text("by")),
            "audit.gap" | "audit.recovered" | "audit.pruned" | "audit.exported"
            | "clock.stepped" => (text("why").to_owned(), ""),
            "limit.predicates" => {
                self.used_up += 1;
                return;
            }
            "limit.records" => {
                self.limited += 1;
                return;
            }
            "audit.read" => {
                let words = found.detail("words").and_then(serde_json::Value::as_array);
                let words: Vec<&str> = words
                    .into_iter()
                    .flatten()
                    .filter_map(serde_json::Value::as_str)
                    .collect();
                let uid = found.detail("uid").and_then(serde_json::Value::as_u64);
                let row = vec![
                    Cell::time(found.time()),
                    Cell::name(text("command")),
                    Cell::names(words),
                    uid.map_or(Cell::Blank, |uid| Cell::name(&uid.to_string())),
                ];
                return self.list(true, row);
            }
            _ => return,
        };
        let row = vec![
            Cell::time(found.time()),
            Cell::name(event),
            Cell::name(&name),
            Cell::name(by),
        ];
        self.list(false, row);
    }

    fn report(self: Box<Self>, frame: &Frame) -> Result<Report, Unanswerable> {
        let language = self.language;
        let title = language.of("Monthly report", "Rapport mensuel");
        let mut report = frame.report(Name::Monthly, title, language);
        report.means.push(language.of(
            "What happened to personal data on its way through the proxy in the period: how much was asked and shown, for which purposes, what was refused, what changed in the rules, and who read the log.",
            "Ce qu’il est advenu des données personnelles passant par le proxy dans la période : combien a été demandé et montré, pour quelles finalités, ce qui a été refusé, ce qui a changé dans les règles, et qui a lu le journal.",
        ).to_owned());
        let observed = self.figures(frame, &mut report);
        self.find(&mut report, observed);
        let series = [
            ("full", language.of("in full", "complètes")),
            ("partial", language.of("in part", "partielles")),
            (
                "other",
                language.of("refused or failed", "refusées ou échouées"),
            ),
        ];
        let days = self.days.shown(
            "days",
            language.of("Requests", "Requêtes"),
            &series,
            language,
        );
        let (chart, days) = days.map_or((None, None), |(chart, table)| (Some(chart), Some(table)));
        report.blocks.extend(chart.map(Block::Chart));
        let clear = self.of_clear();
        report.blocks.extend(self.bars().map(Block::Chart));
        report
            .blocks
            .extend([self.of_outcomes(), self.of_purposes(), clear].map(Block::Table));
        report.blocks.extend(self.of_lists().map(Block::Table));
        report.blocks.extend(days.map(Block::Table));
        if self.left_out > 0 {
            let left = language.number(self.left_out);
            report.limits.push(language.of(
                format!("{left} further changes or readings of the log are not listed; `paravent audit query` has them."),
                format!("{left} autres changements ou lectures du journal ne sont pas énumérés ; `paravent audit query` les donne."),
            ));
        }
        report.limits.push(Frame::amounts(language));
        report.limits.push(language.of(
            "Much is not bad and little is not good: the numbers follow the work. Whether a purpose was the right one is for people to judge.",
            "Beaucoup n’est pas mal, peu n’est pas bien : les nombres suivent le travail. Qu’une finalité ait été la bonne, c’est à des personnes d’en juger.",
        ).to_owned());
        report.is_signed = true;
        Ok(report)
    }
}

impl Monthly {
    /// Adds the figures; returns how many requests were answered because a rule only observes.
    fn figures(&self, frame: &Frame, report: &mut Report) -> u64 {
        let language = self.language;
        let denied = self
            .outcomes
            .get(&"denied".to_owned())
            .copied()
            .unwrap_or(0);
        let observed = self
            .outcomes
            .get(&"observed".to_owned())
            .copied()
            .unwrap_or(0);
        let values = [
            Cell::Number(self.requests),
            self.accounts.cell(self.account_count),
            Cell::Number(self.disclosed),
            self.accounts.cell(self.record_count),
            Cell::Number(self.writes),
            Cell::Number(denied),
            Cell::Number(observed),
            Cell::Number(frame.health.unclosed),
            Cell::Number(self.unclassified),
            Cell::Number(self.used_up),
            Cell::Number(self.limited),
            Cell::Number(self.loaded),
            Cell::Number(self.rejected),
            Cell::Number(frame.health.gaps),
        ];
        for ((key, english, french), value) in FIGURES.into_iter().zip(values) {
            report.figure(key, language.of(english, french), value);
        }
        observed
    }

    /// What was shown in clear, by category.
    fn bars(&self) -> Option<Chart> {
        let language = self.language;
        let mut sums: std::collections::BTreeMap<&str, u64> = std::collections::BTreeMap::new();
        for ((category, _), shown) in self.clear.iter() {
            add(sums.entry(category).or_default(), shown.records.sum);
        }
        let mut points: Vec<(String, Vec<u64>)> = sums
            .into_iter()
            .map(|(name, records)| {
                (
                    language
                        .category(name)
                        .map_or_else(|| visible(name), str::to_owned),
                    vec![records],
                )
            })
            .collect();
        points.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.clone()));
        points.truncate(12);
        (!points.is_empty()).then(|| Chart {
            key: "clear-bars",
            title: language
                .of(
                    "Records shown in clear, by category",
                    "Fiches montrées en clair, par catégorie",
                )
                .to_owned(),
            shape: Shape::Bars,
            series: vec![language.of("records shown", "fiches montrées").to_owned()],
            points,
        })
    }

    fn find(&self, report: &mut Report, observed: u64) {
        let language = self.language;
        for ((category, roles), shown) in self.clear.iter() {
            if category.starts_with("special.") || category.starts_with("criminal") {
                let name = Cell::category(Some(category), language).shown(language);
                let roles = visible(roles);
                let records = shown.records.cell().shown(language);
                report.findings.push(language.of(
                    format!("Data of Art. 9 or 10 GDPR was shown in clear: {name}, to {roles}; records: {records}."),
                    format!("Des données des art. 9 ou 10 RGPD ont été montrées en clair : {name}, à {roles} ; fiches : {records}."),
                ));
            }
        }
        if observed > 0 {
            let observed =
                language.count(observed, ["request", "requête"], ["requests", "requêtes"]);
            report.findings.push(language.of(
                format!("{observed} answered more than the policy will allow, because rules only observe."),
                format!("{observed} ont reçu plus que la politique ne permettra, car des règles sont en observation."),
            ));
        }
        if self.unclassified > 0 {
            let count = language.count(
                self.unclassified,
                ["request", "requête"],
                ["requests", "requêtes"],
            );
            report.findings.push(language.of(
                format!("{count} met data that nobody has classified: see the report `unclassified`."),
                format!("{count} ont rencontré des données que personne n’a classées : voir le rapport `unclassified`."),
            ));
        }
        if self.used_up > 0 {
            report.findings.push(language.of(
                "Callers used up their budget of refused predicates: see the report `probes`.",
                "Des appelants ont épuisé leur budget de prédicats refusés : voir le rapport `probes`.",
            ).to_owned());
        }
    }
}
