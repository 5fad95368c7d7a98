//! Who did much more on a day than usually: arithmetic that can be explained, never a score.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan as _;
use jiff::civil::Date;

use crate::report::frame::Frame;
use crate::report::language::{Language, day};
use crate::report::pass::{Counting, Event};
use crate::report::tally::{Tally, add, median};
use crate::report::{Asked, Block, Cell, Column, Name, Report, Table, Unanswerable};
use crate::vocabulary::Level;

use super::account::{self, Account};

/// Days that a day is compared with.
const BEFORE_DAYS: i64 = 30;
/// Active days among them from which an account's own days say something.
const OWN_DAYS_MIN: usize = 5;
/// Days of others with the same roles from which they say something.
const PEER_DAYS_MIN: usize = 5;
/// So many times the median, and so much at least, is told.
const TIMES: u64 = 5;
const RECORDS_MIN: u64 = 100;
const REFUSED_MIN: u64 = 10;
/// Days of accounts that are remembered, and categories of one of them.
const ACCOUNT_DAYS_MAX: usize = 400_000;
const CATEGORIES_MAX: usize = 64;

#[derive(Debug)]
pub(super) struct Unusual {
    language: Language,
    accounts: Tally<String, Account>,
    /// By account and day, of the period and of the days before it.
    days: Tally<(String, Date), Day>,
}

#[derive(Debug, Default)]
struct Day {
    is_within: bool,
    disclosed: u64,
    refused: u64,
    clear: BTreeSet<String>,
}

/// The days of accounts with the same roles: by day, the id of each.
type Members<'a> = BTreeMap<Date, Vec<(&'a str, &'a Day)>>;

/// What a number of a day is compared with.
struct Usual {
    own: Vec<u64>,
    peers: Vec<u64>,
}

impl Unusual {
    pub(super) fn new(asked: &Asked<'_>) -> Self {
        Self {
            language: asked.language,
            accounts: Tally::default(),
            days: Tally::of_most(ACCOUNT_DAYS_MAX),
        }
    }

    /// By roles, the days of the accounts that have them.
    fn groups(&self) -> BTreeMap<String, Members<'_>> {
        let mut groups: BTreeMap<String, Members<'_>> = BTreeMap::new();
        for ((id, date), counts) in self.days.iter() {
            let group = self
                .accounts
                .get(id)
                .map(Account::group)
                .unwrap_or_default();
            let days = groups.entry(group).or_default();
            days.entry(*date).or_default().push((id.as_str(), counts));
        }
        groups
    }

    fn table(&self) -> (Table, u64) {
        let language = self.language;
        let mut table = Table::new(
            "days",
            language.of(
                "Days that differ, with the reason",
                "Jours qui diffèrent, et pourquoi",
            ),
            vec![
                Column::new("day", language.of("day", "jour")),
                Column::new("account", language.of("account", "compte")),
                Column::detail("account_id"),
                Column::new("roles", language.of("roles", "rôles")),
                Column::new("what", language.of("what", "quoi")),
                Column::new("reason", language.of("why it is here", "pourquoi")),
            ],
            language.of(
                "No day of an account differed by these rules.",
                "Aucun jour d’un compte ne diffère selon ces règles.",
            ),
        );
        let mut judged = 0;
        let none = Account::default();
        for (group, days) in &self.groups() {
            for (date, members) in days {
                let Ok(from) = date.checked_sub(BEFORE_DAYS.days()) else {
                    continue;
                };
                for (id, counts) in members.iter().filter(|(_, counts)| counts.is_within) {
                    judged += 1;
                    let before: Vec<&(&str, &Day)> =
                        days.range(from..*date).flat_map(|(_, all)| all).collect();
                    let account = self.accounts.get(&(*id).to_owned()).unwrap_or(&none);
                    for (what, reason) in reasons(id, counts, &before, language) {
                        table.rows.push(vec![
                            Cell::Day(*date),
                            account.name_cell(),
                            Cell::name(id),
                            Cell::name(group),
                            Cell::text(what),
                            Cell::text(reason),
                        ]);
                    }
                }
            }
        }
        table
            .rows
            .sort_by_cached_key(|row| row.first().map(Cell::plain));
        table.rows.reverse();
        (table, judged)
    }
}

/// Why a day differs, each in words.
fn reasons(
    id: &str,
    today: &Day,
    before: &[&(&str, &Day)],
    language: Language,
) -> Vec<(&'static str, String)> {
    let usual = |count: fn(&Day) -> u64| {
        let of = |is_own: bool| {
            let days = before
                .iter()
                .filter(move |(other, _)| (*other == id) == is_own);
            days.map(|(_, counts)| count(counts)).collect::<Vec<u64>>()
        };
        Usual {
            own: of(true),
            peers: of(false),
        }
    };
    let mut reasons = Vec::new();
    let disclosed = usual(|day| day.disclosed);
    if let Some(why) = disclosed.differs(today.disclosed, RECORDS_MIN, language) {
        reasons.push((language.of("records disclosed", "fiches divulguées"), why));
    }
    let refused = usual(|day| day.refused);
    if let Some(why) = refused.differs(today.refused, REFUSED_MIN, language) {
        reasons.push((language.of("refused uses", "usages refusés"), why));
    }
    let own_days = before.iter().filter(|(other, _)| *other == id).count();
    if own_days >= OWN_DAYS_MIN {
        let has = |category: &String, is_own: bool| {
            before
                .iter()
                .filter(|(other, _)| (*other == id) == is_own)
                .any(|(_, day)| day.clear.contains(category))
        };
        for category in today.clear.iter().filter(|category| !has(category, true)) {
            let peers = match has(category, false) {
                true => language.of(
                    "others with the same roles did",
                    "d’autres ayant les mêmes rôles l’ont vue",
                ),
                false => language.of(
                    "nobody else with the same roles did",
                    "aucun autre ayant les mêmes rôles",
                ),
            };
            let name = Cell::category(Some(category), language).shown(language);
            reasons.push((language.of("category in clear", "catégorie en clair"), language.of(
                format!("saw {name} in clear, and on none of its {own_days} active days of the 30 before; {peers}"),
                format!("a vu {name} en clair, ce qu’il n’a fait aucun de ses {own_days} jours actifs des 30 précédents ; {peers}"),
            )));
        }
    }
    reasons
}

impl Usual {
    /// Why a number differs from all that says something; `None` if it does not, or nothing says something.
    fn differs(&self, today: u64, least: u64, language: Language) -> Option<String> {
        if today < least {
            return None;
        }
        let own = (self.own.len() >= OWN_DAYS_MIN).then(|| median(self.own.clone()));
        let peers = (self.peers.len() >= PEER_DAYS_MIN).then(|| median(self.peers.clone()));
        let is_more = |median: Option<u64>| {
            median.is_none_or(|median| today >= TIMES.saturating_mul(median.max(1)))
        };
        if own.is_none() && peers.is_none() || !is_more(own) || !is_more(peers) {
            return None;
        }
        let most = self.own.iter().max().copied().unwrap_or(0);
        let (today, most, days) = (
            language.number(today),
            language.number(most),
            self.own.len(),
        );
        let own = own.map_or_else(
            || language.of(
                format!("only {days} active days of its own in the 30 before, so these are not compared"),
                format!("{days} jours actifs seulement dans les 30 précédents, donc non comparés"),
            ),
            |median| {
                let median = language.number(median);
                language.of(
                    format!("the median of its {days} active days of the 30 before is {median}, the most {most}"),
                    format!("la médiane de ses {days} jours actifs des 30 précédents est {median}, le maximum {most}"),
                )
            },
        );
        let days = self.peers.len();
        let peers = peers.map_or_else(
            || {
                language.of(
                    "too few days of others with the same roles".to_owned(),
                    "trop peu de jours d’autres ayant les mêmes rôles".to_owned(),
                )
            },
            |median| {
                let median = language.number(median);
                language.of(
                    format!("the median of {days} days of others with the same roles is {median}"),
                    format!(
                        "la médiane de {days} jours d’autres ayant les mêmes rôles est {median}"
                    ),
                )
            },
        );
        Some(format!("{today}{} {own}; {peers}", language.of(":", " :")))
    }
}

impl Counting for Unusual {
    fn closed(&mut self, event: Event<'_>) {
        let (Some(id), Some(date)) = (account::id(event), day(event.time)) else {
            return;
        };
        self.accounts.at(id.clone()).meet(event.seen);
        let counts = self.days.at((id, date));
        counts.is_within |= event.is_within;
        add(&mut counts.disclosed, event.seen.disclosed());
        counts.refused += u64::from(event.seen.outcome() == Some("denied"));
        for datum in event
            .seen
            .data()
            .filter(|one| one.level == Level::Clear && one.records > 0)
        {
            if let Some(category) = datum.category
                && counts.clear.len() < CATEGORIES_MAX
                && !counts.clear.contains(category)
            {
                counts.clear.insert(category.to_owned());
            }
        }
    }

    fn report(self: Box<Self>, frame: &Frame) -> Result<Report, Unanswerable> {
        let language = self.language;
        let title = language.of(
            "Days that differ from the usual",
            "Jours qui sortent de l’ordinaire",
        );
        let mut report = frame.report(Name::Unusual, title, language);
        report.means.push(language.of(
            format!("Each day of an account in the period is compared with its own active days of the {BEFORE_DAYS} days before, and with those of the other accounts with the same roles. It is listed if the records disclosed ({RECORDS_MIN} at least) or the refused uses ({REFUSED_MIN} at least) are {TIMES} times both medians or more, or if it saw a category in clear that it had not seen before. Nothing else is looked at, not the hours, and there is no score."),
            format!("Chaque jour d’un compte de la période est comparé à ses propres jours actifs des {BEFORE_DAYS} jours précédents et à ceux des autres comptes ayant les mêmes rôles. Il figure ici si les fiches divulguées ({RECORDS_MIN} au moins) ou les usages refusés ({REFUSED_MIN} au moins) atteignent {TIMES} fois les deux médianes, ou s’il a vu en clair une catégorie qu’il n’avait pas vue. Rien d’autre n’est regardé, pas les heures, et il n’y a pas de note."),
        ));
        report.means.push(language.of(
            "This watches employees. It needs a purpose of its own (here: the security of the data, Art. 32 GDPR), that the staff were told of it beforehand (Art. 13; in France also the works council, Code du travail L. 2312-38, L. 1222-4), a look at whether an impact assessment is due (Art. 35), and few people who may read it. It may not be used to judge how somebody works.",
            "Ceci surveille des salariés. Il y faut une finalité propre (ici : la sécurité des données, art. 32 RGPD), une information préalable du personnel (art. 13 ; en France aussi la consultation du CSE, code du travail L. 2312-38, L. 1222-4), l’examen de la nécessité d’une analyse d’impact (art. 35) et peu de lecteurs habilités. Il ne peut servir à évaluer le travail de quelqu’un.",
        ).to_owned());
        let (table, judged) = self.table();
        let listed = u64::try_from(table.rows.len()).unwrap_or(u64::MAX);
        report.figure(
            "judged",
            language.of("days of accounts compared", "jours de comptes comparés"),
            Cell::Number(judged),
        );
        report.figure(
            "listed",
            language.of("reasons listed", "raisons énumérées"),
            Cell::Number(listed),
        );
        report.blocks.push(Block::Table(table));
        if self.days.others().is_some() {
            let most = language.number(u64::try_from(ACCOUNT_DAYS_MAX).unwrap_or(u64::MAX));
            report.findings.push(language.of(
                format!("The log has more than {most} days of accounts: later accounts were not compared. Ask for a shorter period of a shorter log."),
                format!("Le journal a plus de {most} jours de comptes : les comptes suivants n’ont pas été comparés."),
            ));
        }
        report.limits.extend([
            language.of(
                "A day that differs is a question, not an answer: a mailing, a closing of accounts, a colleague on leave. A thief who takes a little every day is not here.",
                "Un jour qui diffère est une question, non une réponse : un envoi, une clôture, un collègue absent. Qui vole un peu chaque jour n’y figure pas.",
            ).to_owned(),
            language.of(
                "Days are those of UTC. Roles are those that the account had in the log altogether. If the log begins less than thirty days before the period, there is less to compare with.",
                "Les jours sont ceux d’UTC. Les rôles sont ceux que le compte a eus dans tout le journal. Si le journal commence moins de trente jours avant la période, il y a moins à comparer.",
            ).to_owned(),
        ]);
        Ok(report)
    }
}
