//! What an account reached in a time: for a notification of a breach (Art. 33 GDPR).

use std::collections::BTreeMap;

use crate::audit::Found;
use crate::report::distinct::Distinct;
use crate::report::frame::Frame;
use crate::report::language::Language;
use crate::report::pass::{Counting, Event, module_of};
use crate::report::tally::{Amount, Tally, add};
use crate::report::timeline::Timeline;
use crate::report::{Asked, Block, Cell, Column, Name, Report, Table, Unanswerable};
use crate::vocabulary::Level;

mod persons;
mod suspects;

use super::account::Account;
use super::granted::shows;
use persons::Persons;
use suspects::Suspects;

/// Unclosed requests that are listed each by itself.
const UNCLOSED_MAX: usize = 1_000;

#[derive(Debug)]
pub(super) struct Breach {
    language: Language,
    persons: Persons,
    suspects: Suspects,
    account: Account,
    /// Requests that ended after the period.
    over: u64,
    requests: u64,
    refused: u64,
    first: String,
    last: String,
    different: Distinct,
    modules: Tally<String, Module>,
    categories: Tally<(Option<String>, Level), Reached>,
    actions: Tally<String, Done>,
    networks: Tally<String, Done>,
    unclosed: Vec<Open>,
    unclosed_more: u64,
    days: Timeline,
}

/// Records of a module.
#[derive(Debug, Default)]
struct Module {
    different: u64,
}

#[derive(Debug, Default)]
struct Reached {
    requests: u64,
    records: Amount,
    different: Amount,
    first: String,
    last: String,
}

#[derive(Debug, Default)]
struct Done {
    requests: u64,
    records: u64,
    first: String,
    last: String,
}

/// A request that was opened and never closed.
#[derive(Debug)]
struct Open {
    time: String,
    action: String,
    module: String,
    categories: BTreeMap<String, Level>,
}

impl Done {
    fn add(&mut self, records: u64, time: &str) {
        self.requests += 1;
        add(&mut self.records, records);
        if self.first.is_empty() {
            time.clone_into(&mut self.first);
        }
        time.clone_into(&mut self.last);
    }
}

impl Breach {
    pub(super) fn new(asked: &Asked<'_>) -> Self {
        Self {
            language: asked.language,
            persons: Persons::new(asked),
            suspects: Suspects::new(asked),
            account: Account::default(),
            over: 0,
            requests: 0,
            refused: 0,
            first: String::new(),
            last: String::new(),
            different: Distinct::default(),
            modules: Tally::default(),
            categories: Tally::default(),
            actions: Tally::default(),
            networks: Tally::default(),
            unclosed: Vec::new(),
            unclosed_more: 0,
            days: Timeline::new(1),
        }
    }

    fn meet(&mut self, event: Event<'_>) {
        self.account.meet(event.seen);
        self.suspects.meet(event);
        if self.first.is_empty() {
            event.time.clone_into(&mut self.first);
        }
        event.time.clone_into(&mut self.last);
    }

    fn name_refs(&mut self, event: Event<'_>) {
        for record in event.seen.refs() {
            let module = record
                .split_once('/')
                .map_or(record.as_str(), |(module, _)| module);
            let counted = self.modules.at(module.to_owned());
            counted.different += u64::from(self.different.is_new(("record", record)));
        }
    }

    fn reach(&mut self, event: Event<'_>) {
        for datum in event.seen.data().filter(|datum| datum.records > 0) {
            for field in datum.fields {
                self.persons
                    .identify(field, datum.category.unwrap_or_default());
            }
            if !shows(datum.level) {
                continue;
            }
            let category = datum.category.map(str::to_owned);
            let records = event.records(&datum);
            let reached = self.categories.at((category, datum.level));
            reached.requests += 1;
            reached.records.add(records);
            if reached.first.is_empty() {
                event.time.clone_into(&mut reached.first);
            }
            event.time.clone_into(&mut reached.last);
            // Of which of its records an event does not say, so each of the module counts.
            let is_of = |record: &&String| {
                let module = module_of(record);
                datum
                    .fields
                    .iter()
                    .any(|field| field.split_once('.').is_some_and(|(own, _)| own == module))
            };
            let named_all = u64::try_from(event.refs().count()).unwrap_or(u64::MAX);
            let is_all = named_all >= event.seen.disclosed();
            let mut named = 0;
            for record in event.refs().filter(is_of) {
                let key = ("category", datum.category, datum.level, record);
                add(
                    &mut reached.different.sum,
                    u64::from(self.different.is_new(key)),
                );
                named += 1;
            }
            // Those that no event names may all be new, and more than are counted together.
            reached.different.add(Amount {
                sum: datum.records.saturating_sub(named),
                is_least: records.is_least && !is_all,
            });
        }
    }

    /// Different records of a category, at most; at least, where not all of them are named.
    fn at_most(&self, reached: &Reached) -> Cell {
        match reached.different.is_least {
            true => reached.different.cell(),
            false => self.different.cell(reached.different.sum),
        }
    }

    fn of_modules(&self) -> Table {
        let language = self.language;
        let mut table = Table::new(
            "modules",
            language.of("Records reached, by kind", "Fiches atteintes, par genre"),
            vec![
                Column::new("module", language.of("kind of record", "genre de fiche")),
                Column::new("persons", language.of("are persons", "sont des personnes")),
                Column::number("different", language.of("different records", "fiches différentes")),
            ],
            language.of("No event of the account names a record.", "Aucun événement du compte ne nomme de fiche."),
        ).noted(if self.persons.are_stated {
            language.of("Which kinds are persons was stated with `persons=`.", "Les genres qui sont des personnes ont été indiqués par `persons=`.")
        } else {
            language.of(
                "Whether records are persons is a guess: they are if the policy or the data has a field of `identity` in them. State it with `persons=MODULE,MODULE` if that is wrong.",
                "Savoir si les fiches sont des personnes est une supposition : elles le sont si la politique ou les données y ont un champ `identity`. Précisez par `persons=MODULE,MODULE` si c’est faux.",
            )
        });
        for (module, counted) in self.modules.sorted(|one| one.different) {
            table.rows.push(vec![
                Cell::name(module),
                Cell::text(match self.persons.has(module) {
                    true => language.of("yes", "oui"),
                    false => language.of("no", "non"),
                }),
                self.different.cell(counted.different),
            ]);
        }
        table
    }

    fn of_categories(&self) -> Table {
        let language = self.language;
        let mut table = Table::new(
            "categories",
            language.of("Categories of data reached", "Catégories de données atteintes"),
            vec![
                Column::new("category", language.of("category", "catégorie")),
                Column::new("level", language.of("shown", "montré")),
                Column::number("different", language.of("different records at most", "fiches différentes au plus")),
                Column::number("disclosures", language.of("with repeats", "avec répétitions")),
                Column::number("requests", language.of("requests", "requêtes")),
                Column::new("first", language.of("first", "première fois")),
                Column::new("last", language.of("last", "dernière fois")),
            ],
            language.of("No data was shown to the account, not even in part.", "Aucune donnée n’a été montrée au compte, même en partie."),
        ).noted(language.of(
            "An event does not say which of its records held a category, so each record of the kind counts: at most so many different ones, unless not all of them are named; then it is ≥.",
            "Un événement ne dit pas laquelle de ses fiches contenait une catégorie : chaque fiche du genre compte, donc au plus autant de différentes, sauf si toutes ne sont pas nommées ; alors c’est ≥.",
        ));
        let mut all: Vec<_> = self.categories.iter().collect();
        all.sort_by(|((one, own), _), ((other, its), _)| (its, one).cmp(&(own, other)));
        for ((category, level), reached) in all {
            table.rows.push(vec![
                Cell::category(category.as_deref(), language),
                Cell::Level(*level),
                self.at_most(reached),
                reached.records.cell(),
                Cell::Number(reached.requests),
                Cell::time(&reached.first),
                Cell::time(&reached.last),
            ]);
        }
        table
    }

    fn of_unclosed(&self) -> Table {
        let language = self.language;
        let mut table = Table::new(
            "unclosed",
            language.of(
                "Requests that were never closed: up to everything",
                "Requêtes jamais closes : jusqu’à tout",
            ),
            vec![
                Column::new("time", language.of("opened", "ouverte")),
                Column::new("action", language.of("action", "action")),
                Column::new("module", language.of("kind of record", "genre de fiche")),
                Column::new(
                    "categories",
                    language.of("could have disclosed", "pouvait divulguer"),
                ),
            ],
            language.of(
                "Every request of the account was closed in the log.",
                "Toute requête du compte est close dans le journal.",
            ),
        );
        for open in &self.unclosed {
            let told = open.categories.iter().map(|(name, level)| {
                let name =
                    Cell::category((!name.is_empty()).then_some(name), language).shown(language);
                format!("{name}: {}", language.level(*level))
            });
            let told: Vec<String> = told.collect();
            table.rows.push(vec![
                Cell::time(&open.time),
                Cell::name(&open.action),
                Cell::name(&open.module),
                match told.is_empty() {
                    true => Cell::text(language.of("up to everything", "jusqu’à tout")),
                    false => Cell::text(told.join("; ")),
                },
            ]);
        }
        table
    }

    fn of_done(
        &self,
        key: &'static str,
        titles: [&str; 2],
        heads: [&str; 2],
        done: &Tally<String, Done>,
    ) -> Table {
        let language = self.language;
        let mut table = Table::new(
            key,
            language.of(titles[0], titles[1]),
            vec![
                Column::new("name", language.of(heads[0], heads[1])),
                Column::number("requests", language.of("requests", "requêtes")),
                Column::number(
                    "disclosed",
                    language.of("records disclosed", "fiches divulguées"),
                ),
                Column::new("first", language.of("first", "première fois")),
                Column::new("last", language.of("last", "dernière fois")),
            ],
            language.of("None.", "Aucun."),
        );
        for (name, one) in done.sorted(|one| one.requests) {
            table.rows.push(vec![
                Cell::name(name),
                Cell::Number(one.requests),
                Cell::Number(one.records),
                Cell::time(&one.first),
                Cell::time(&one.last),
            ]);
        }
        table
    }

    fn figures(&self, report: &mut Report) {
        let language = self.language;
        let sum = |is: &dyn Fn(&str) -> bool| {
            let of = self.modules.iter().filter(|(module, _)| is(module));
            crate::report::tally::sum(of.map(|(_, one)| one.different))
        };
        let open = self.unclosed.len();
        let count = |number: u64| match open == 0 && !self.suspects.is_cut {
            true => self.different.cell(number),
            false => Cell::AtLeast(number),
        };
        report.figure(
            "persons",
            language.of(
                "persons (different records)",
                "personnes (fiches différentes)",
            ),
            count(sum(&|module| self.persons.has(module))),
        );
        report.figure(
            "different",
            language.of(
                "different records of all kinds",
                "fiches différentes, tous genres",
            ),
            count(sum(&|_| true)),
        );
        report.figure(
            "requests",
            language.of("requests", "requêtes"),
            Cell::Number(self.requests),
        );
        report.figure(
            "refused",
            language.of("of them refused", "dont refusées"),
            Cell::Number(self.refused),
        );
        let open = u64::try_from(open).unwrap_or(u64::MAX) + self.unclosed_more;
        report.figure(
            "unclosed",
            language.of(
                "never closed: up to everything",
                "jamais closes : jusqu’à tout",
            ),
            Cell::Number(open),
        );
        report.figure(
            "first",
            language.of("first access", "premier accès"),
            Cell::time(&self.first),
        );
        report.figure(
            "last",
            language.of("last access", "dernier accès"),
            Cell::time(&self.last),
        );
    }

    fn find(&self, report: &mut Report) {
        let language = self.language;
        self.suspects.find(report);
        if self.over > 0 {
            let over = language.count(self.over, ["request", "requête"], ["requests", "requêtes"]);
            report.findings.push(language.of(
                format!("{over} of the account began in the period or before it and ended after it: how much of what was disclosed left in the period is not in the log, so all of it counts."),
                format!("{over} du compte, commencées dans la période ou avant, se sont terminées après : le journal ne dit pas quelle part de ce qui a été divulgué est sortie dans la période, donc tout compte."),
            ));
        }
        for ((category, level), reached) in self.categories.iter() {
            let is_special = category.as_ref().is_some_and(|name| {
                ["special", "criminal"]
                    .iter()
                    .any(|one| name == one || name.starts_with(&format!("{one}.")))
            });
            if is_special {
                let name = Cell::category(category.as_deref(), language).shown(language);
                let (level, different) = (
                    language.level(*level),
                    self.at_most(reached).shown(language),
                );
                report.findings.push(language.of(
                    format!("Data of Art. 9 or 10 GDPR was shown {level}: {name}, records at most: {different}."),
                    format!("Des données des art. 9 ou 10 RGPD ont été montrées ({level}) : {name}, fiches au plus : {different}."),
                ));
            }
        }
    }
}

impl Counting for Breach {
    fn reads_twice(&self) -> bool {
        true
    }

    fn before(&mut self, event: Event<'_>) {
        self.persons.know_all(event);
        self.suspects.learn(event);
    }

    fn closed(&mut self, event: Event<'_>) {
        self.suspects.call(event);
        if !(event.is_within || event.is_over) || !self.suspects.has(event) {
            return;
        }
        self.over += u64::from(event.is_over);
        self.meet(event);
        self.requests += 1;
        self.refused += u64::from(event.seen.outcome() == Some("denied"));
        self.name_refs(event);
        self.reach(event);
        let records = event.seen.disclosed();
        self.days.add(event.time, 0, records);
        let action = event.seen.action().unwrap_or("(unknown)");
        self.actions.at(action.to_owned()).add(records, event.time);
        self.networks
            .at(event.seen.origin().to_owned())
            .add(records, event.time);
    }

    fn continued(&mut self, event: Event<'_>) {
        if (event.is_within || event.is_over) && self.suspects.has(event) {
            self.name_refs(event);
        }
    }

    fn unclosed(&mut self, event: Event<'_>) {
        self.suspects.call(event);
        if !self.suspects.has(event) {
            return;
        }
        self.meet(event);
        self.name_refs(event);
        if self.unclosed.len() >= UNCLOSED_MAX {
            self.unclosed_more += 1;
            return;
        }
        let mut categories: BTreeMap<String, Level> = BTreeMap::new();
        for datum in event.seen.data().filter(|datum| shows(datum.level)) {
            let level = categories.entry(datum.category.unwrap_or_default().to_owned());
            let level = level.or_insert(datum.level);
            *level = (*level).max(datum.level);
        }
        self.unclosed.push(Open {
            time: event.time.to_owned(),
            action: event.seen.action().unwrap_or_default().to_owned(),
            module: event.seen.module().unwrap_or_default().to_owned(),
            categories,
        });
    }

    fn notice(&mut self, found: &Found, _: bool) {
        if let Some((_, Some(classified))) = found.loaded() {
            for (name, categories) in classified.names() {
                if let Some((module, _)) = name.split_once('.') {
                    self.persons.know(module, None);
                }
                for category in categories {
                    self.persons.identify(name, category.as_str());
                }
            }
        }
    }

    fn report(self: Box<Self>, frame: &Frame) -> Result<Report, Unanswerable> {
        if let Some(unanswerable) = self.persons.unheard_of() {
            return Err(unanswerable);
        }
        let language = self.language;
        let title = language.of("What an account reached", "Ce qu’un compte a atteint");
        let mut report = frame.report(Name::BreachScope, title, language);
        let about = match self.account.name.as_str() {
            "" => self.suspects.wanted.as_str(),
            name => name,
        };
        report.about = Some(crate::audit::visible(about));
        report.means.push(language.of(
            "For the notification of a breach (Art. 33 (3) (a) GDPR): the nature, the categories and the approximate numbers of persons and records that were disclosed to this account through the proxy, or changed by it, with the first and the last time.",
            "Pour la notification d’une violation (art. 33, § 3, a, RGPD) : la nature, les catégories et le nombre approximatif de personnes et d’enregistrements divulgués à ce compte par le proxy, ou modifiés par lui, avec la première et la dernière fois.",
        ).to_owned());
        self.find(&mut report);
        self.figures(&mut report);
        report.blocks.extend(
            [
                self.of_categories(),
                self.of_modules(),
                self.of_unclosed(),
                self.of_done(
                    "actions",
                    ["What was done", "Ce qui a été fait"],
                    ["action", "action"],
                    &self.actions,
                ),
                self.of_done(
                    "networks",
                    ["From where", "D’où"],
                    ["network", "réseau"],
                    &self.networks,
                ),
            ]
            .map(Block::Table),
        );
        let series = [(
            "disclosed",
            language.of("records disclosed", "fiches divulguées"),
        )];
        if let Some((chart, table)) = self.days.shown(
            "days",
            language.of("Records disclosed", "Fiches divulguées"),
            &series,
            language,
        ) {
            report
                .blocks
                .extend([Block::Chart(chart), Block::Table(table)]);
        }
        report.limits.extend([
            Frame::amounts(language),
            language.of(
                "Whether it was the owner of the account or somebody else is not in the log. What was disclosed is not what was kept.",
                "Que ce soit le titulaire du compte ou un autre, le journal ne le dit pas. Ce qui a été divulgué n’est pas ce qui a été conservé.",
            ).to_owned(),
            language.of(
                "One person may have several records (as prospect and as customer), and a record that the request only named (deleted, related) counts, too: persons are an upper estimate, unless requests were never closed; then nobody knows how many more there were.",
                "Une personne peut avoir plusieurs fiches (prospect puis client), et une fiche seulement nommée par la requête (supprimée, liée) compte aussi : le nombre de personnes est une estimation haute, sauf requêtes jamais closes ; alors nul ne sait combien d’autres il y en eut.",
            ).to_owned(),
        ]);
        Ok(report)
    }
}
