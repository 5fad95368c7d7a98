//! Who met data of a category, and at which level.

use std::collections::BTreeSet;

use crate::audit::{Found, Use};
use crate::diagnostic::nearest;
use crate::policy::CATALOGUE;
use crate::report::frame::Frame;
use crate::report::language::Language;
use crate::report::pass::{Counting, Event};
use crate::report::tally::{Amount, Tally};
use crate::report::timeline::Timeline;
use crate::report::{Asked, Block, Cell, Column, Name, Report, Table, Unanswerable};
use crate::vocabulary::{Category, Level};

use super::account::{self, Account};
use super::denials::used;

/// Names of categories that are remembered to help with a wrong one.
const KNOWN_MAX: usize = 10_000;

#[derive(Debug)]
pub(super) struct OfCategory {
    language: Language,
    wanted: Category,
    known: BTreeSet<String>,
    /// Whether the log or the policy has it.
    exists: bool,
    /// Whether a policy of the log does not tell its categories.
    is_partial: bool,
    accounts: Tally<(String, Level), Met>,
    roles: Tally<(String, Level), Met>,
    fields: Tally<(String, String), Met>,
    uses: Tally<(String, &'static str, bool), Met>,
    names: Tally<String, Account>,
    days: Timeline,
    unclosed: u64,
}

#[derive(Debug, Default)]
struct Met {
    requests: u64,
    records: Amount,
    last: String,
}

impl Met {
    fn add(&mut self, records: Amount, time: &str) {
        self.requests += 1;
        self.records.add(records);
        time.clone_into(&mut self.last);
    }
}

impl OfCategory {
    pub(super) fn new(asked: &Asked<'_>) -> Self {
        let wanted = Category::new(asked.category.as_deref().unwrap_or_default());
        let mut of = Self {
            language: asked.language,
            wanted,
            known: BTreeSet::new(),
            exists: false,
            is_partial: false,
            accounts: Tally::default(),
            roles: Tally::default(),
            fields: Tally::default(),
            uses: Tally::default(),
            names: Tally::default(),
            days: Timeline::new(3),
            unclosed: 0,
        };
        CATALOGUE.iter().for_each(|one| of.learn(one.name));
        if let Some(policy) = asked.policy {
            policy.categories().for_each(|one| of.learn(one.as_str()));
        }
        of
    }

    fn learn(&mut self, name: &str) {
        if self.known.len() < KNOWN_MAX && !self.known.contains(name) {
            self.exists |= self.wanted.covers(&Category::new(name));
            self.known.insert(name.to_owned());
        }
    }

    fn met(&mut self, event: Event<'_>) {
        let seen = event.seen;
        let Some(id) = account::id(event) else {
            return;
        };
        let mut levels: std::collections::BTreeMap<Level, Amount> =
            std::collections::BTreeMap::new();
        for datum in seen.data().filter(|datum| datum.records > 0) {
            let Some(name) = datum.category else {
                continue;
            };
            self.learn(name);
            if !self.wanted.covers(&Category::new(name)) {
                continue;
            }
            levels
                .entry(datum.level)
                .or_default()
                .add(event.records(&datum));
            for field in datum.fields {
                self.fields
                    .at((field.clone(), name.to_owned()))
                    .add(Amount::exactly(datum.records), event.time);
            }
        }
        let roles = seen.roles().join(" + ");
        for (level, records) in levels {
            let series = match level {
                Level::Clear => 0,
                Level::Mask | Level::Token => 1,
                Level::Redact | Level::Hide => 2,
            };
            self.days.add_amount(event.time, series, records);
            self.roles
                .at((roles.clone(), level))
                .add(records, event.time);
            self.accounts
                .at((id.clone(), level))
                .add(records, event.time);
            self.names.at(id.clone()).meet(seen);
        }
    }

    /// Counts for what a request named a field of the category, and whether it was refused.
    fn named(&mut self, event: Event<'_>) {
        let (Some(id), Some(fields)) = (account::id(event), event.fields) else {
            return;
        };
        let is_refused = event.seen.outcome() == Some("denied");
        for (for_what, word) in [
            (Use::Matched, "matched"),
            (Use::Searched, "searched"),
            (Use::Sorted, "sorted"),
            (Use::Written, "written"),
        ] {
            let is_of = |name: &&String| {
                fields
                    .categories_of(name)
                    .into_iter()
                    .any(|one| self.wanted.covers(one))
            };
            if event.seen.named(for_what).iter().any(|name| is_of(&name)) {
                self.uses
                    .at((id.clone(), word, is_refused))
                    .add(Amount::default(), event.time);
                self.names.at(id.clone()).meet(event.seen);
            }
        }
    }

    fn account(&self, id: &String) -> Account {
        self.names.get(id).cloned().unwrap_or_default()
    }

    fn of_accounts(&self) -> Table {
        let language = self.language;
        let mut table = Table::new(
            "accounts",
            language.of("By account", "Par compte"),
            vec![
                Column::new("account", language.of("account", "compte")),
                Column::detail("account_id"),
                Column::new("roles", language.of("roles", "rôles")),
                Column::new("level", language.of("shown", "montré")),
                Column::number("requests", language.of("requests", "requêtes")),
                Column::number(
                    "disclosures",
                    language.of("records with it", "fiches touchées"),
                ),
                Column::new("last", language.of("last", "dernière fois")),
            ],
            language.of(
                "Nobody met data of it in the period.",
                "Personne n’en a rencontré dans la période.",
            ),
        );
        let mut all: Vec<_> = self.accounts.iter().collect();
        all.sort_by_key(|((_, level), met)| std::cmp::Reverse((*level, met.records)));
        for ((id, level), met) in all {
            let account = self.account(id);
            table.rows.push(vec![
                account.name_cell(),
                Cell::name(id),
                account.roles_cell(),
                Cell::Level(*level),
                Cell::Number(met.requests),
                met.records.cell(),
                Cell::time(&met.last),
            ]);
        }
        table
    }

    fn of_roles(&self) -> Table {
        let language = self.language;
        let mut table = Table::new(
            "roles",
            language.of("By roles", "Par rôles"),
            vec![
                Column::new("roles", language.of("roles", "rôles")),
                Column::new("level", language.of("shown", "montré")),
                Column::number("requests", language.of("requests", "requêtes")),
                Column::number(
                    "disclosures",
                    language.of("records with it", "fiches touchées"),
                ),
                Column::new("last", language.of("last", "dernière fois")),
            ],
            language.of(
                "Nobody met data of it in the period.",
                "Personne n’en a rencontré dans la période.",
            ),
        );
        let mut all: Vec<_> = self.roles.iter().collect();
        all.sort_by_key(|((_, level), met)| std::cmp::Reverse((*level, met.records)));
        for ((roles, level), met) in all {
            table.rows.push(vec![
                Cell::name(roles),
                Cell::Level(*level),
                Cell::Number(met.requests),
                met.records.cell(),
                Cell::time(&met.last),
            ]);
        }
        table
    }

    fn of_fields(&self) -> Table {
        let language = self.language;
        let mut table = Table::new(
            "fields",
            language.of("By field", "Par champ"),
            vec![
                Column::new("field", language.of("field", "champ")),
                Column::new("category", language.of("category", "catégorie")),
                Column::number("requests", language.of("requests", "requêtes")),
                Column::number(
                    "disclosures",
                    language.of("records at most", "fiches au plus"),
                ),
                Column::new("last", language.of("last", "dernière fois")),
            ],
            language.of(
                "No field of it was met in the period.",
                "Aucun champ n’en a été rencontré dans la période.",
            ),
        );
        for ((field, category), met) in self.fields.sorted(|met| met.records) {
            table.rows.push(vec![
                Cell::name(field),
                Cell::category(Some(category), language),
                Cell::Number(met.requests),
                met.records.cell(),
                Cell::time(&met.last),
            ]);
        }
        table
    }

    fn of_uses(&self) -> Table {
        let language = self.language;
        let mut table = Table::new(
            "uses",
            language.of("Used without being shown", "Usages sans affichage"),
            vec![
                Column::new("account", language.of("account", "compte")),
                Column::detail("account_id"),
                Column::new("use", language.of("use", "usage")),
                Column::new("outcome", language.of("outcome", "issue")),
                Column::number("requests", language.of("requests", "requêtes")),
                Column::new("last", language.of("last", "dernière fois")),
            ],
            language.of(
                "No request filtered by it, searched in it, sorted by it or wrote it.",
                "Aucune requête n’a filtré ni trié par elle, n’y a cherché, ni ne l’a écrite.",
            ),
        );
        for ((id, word, is_refused), met) in self.uses.sorted(|met| met.requests) {
            table.rows.push(vec![
                self.account(id).name_cell(),
                Cell::name(id),
                Cell::text(used(word, language)),
                Cell::text(match is_refused {
                    true => language.of("refused", "refusé"),
                    false => language.of("let through", "passé"),
                }),
                Cell::Number(met.requests),
                Cell::time(&met.last),
            ]);
        }
        table
    }
}

impl OfCategory {
    fn figures(&self, report: &mut Report) {
        let language = self.language;
        let clear = |tally: &Tally<(String, Level), Met>| {
            let count = tally
                .iter()
                .filter(|((_, level), _)| *level == Level::Clear)
                .count();
            Cell::Number(u64::try_from(count).unwrap_or(u64::MAX))
        };
        report.figure(
            "accounts_clear",
            language.of(
                "accounts that saw it in clear",
                "comptes qui l’ont vue en clair",
            ),
            clear(&self.accounts),
        );
        let of_clear = self
            .roles
            .iter()
            .filter(|((_, level), _)| *level == Level::Clear);
        let mut records = Amount::default();
        of_clear.for_each(|(_, met)| records.add(met.records));
        report.figure(
            "disclosures_clear",
            language.of("records in clear", "fiches en clair"),
            records.cell(),
        );
        report.figure(
            "unclosed",
            language.of(
                "unclosed requests that could show it",
                "requêtes non closes qui pouvaient la montrer",
            ),
            Cell::Number(self.unclosed),
        );
    }

    /// Why the category cannot exist in this log.
    fn unheard_of(&self) -> Unanswerable {
        let wanted = crate::audit::visible(self.wanted.as_str());
        let whole = self.known.iter().map(String::as_str);
        let above = whole
            .clone()
            .filter_map(|name| Some(name.split_once('.')?.0));
        let near = nearest(&wanted, whole.chain(above));
        let hint = near.map(|near| format!("; did you mean `{near}`?"));
        Unanswerable(format!(
            "no policy or event of this log has the category `{wanted}`{}",
            hint.unwrap_or_default()
        ))
    }
}

impl Counting for OfCategory {
    fn closed(&mut self, event: Event<'_>) {
        if event.is_within {
            self.met(event);
            self.named(event);
        }
    }

    fn unclosed(&mut self, event: Event<'_>) {
        let mut covered = event.seen.data().filter_map(|datum| datum.category);
        self.unclosed += u64::from(covered.any(|one| self.wanted.covers(&Category::new(one))));
    }

    fn notice(&mut self, found: &Found, _: bool) {
        match found.loaded() {
            Some((_, Some(classified))) => {
                for (_, categories) in classified.names() {
                    categories.iter().for_each(|one| self.learn(one.as_str()));
                }
            }
            Some((_, None)) => self.is_partial = true,
            None => {}
        }
    }

    fn report(self: Box<Self>, frame: &Frame) -> Result<Report, Unanswerable> {
        let language = self.language;
        if !self.exists && !self.is_partial {
            return Err(self.unheard_of());
        }
        let mut report = frame.report(
            Name::Category,
            language.of(
                "Who met data of a category",
                "Qui a rencontré des données d’une catégorie",
            ),
            language,
        );
        report.about = Some(Cell::category(Some(self.wanted.as_str()), language).shown(language));
        report.means.push(language.of(
            "Requests that met data of this category, or of one below it, by how much of it was shown: in clear, in part, as a pseudonym, or not. The same record in two requests counts twice.",
            "Requêtes qui ont rencontré des données de cette catégorie, ou d’une catégorie inférieure, selon ce qui en a été montré : en clair, en partie, sous pseudonyme, ou rien. La même fiche dans deux requêtes compte deux fois.",
        ).to_owned());
        self.figures(&mut report);
        let series = [
            ("clear", language.of("in clear", "en clair")),
            (
                "partly",
                language.of("in part or as a pseudonym", "en partie ou pseudonyme"),
            ),
            ("withheld", language.of("withheld", "retenu")),
        ];
        if let Some((chart, table)) =
            self.days
                .shown("days", language.of("Records", "Fiches"), &series, language)
        {
            report
                .blocks
                .extend([Block::Chart(chart), Block::Table(table)]);
        }
        report.blocks.extend(
            [
                self.of_roles(),
                self.of_accounts(),
                self.of_fields(),
                self.of_uses(),
            ]
            .map(Block::Table),
        );
        report
            .blocks
            .sort_by_key(|block| matches!(block, Block::Table(table) if table.key == "days"));
        report.limits.push(language.of(
            "A level says what the proxy let through, not what somebody looked at. That a field was withheld in a record says that the field was present, not what it held.",
            "Un niveau dit ce que le proxy a laissé passer, non ce que quelqu’un a regardé. Qu’un champ soit retenu dit qu’il était présent, non ce qu’il contenait.",
        ).to_owned());
        Ok(report)
    }
}
