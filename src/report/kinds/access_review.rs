//! What each role may have, by the policy, against what it used, by the log.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::audit::Found;
use crate::report::frame::Frame;
use crate::report::language::Language;
use crate::report::pass::{Counting, Event};
use crate::report::tally::{Amount, Tally};
use crate::report::{Asked, Block, Cell, Column, Name, Report, Table, Unanswerable};
use crate::vocabulary::Level;

use super::account::{self, Account};
use super::granted::{Granted, shows};

/// A grant that was not used for so many days is told.
const UNUSED_DAYS: u64 = 90;

#[derive(Debug)]
pub(super) struct AccessReview {
    language: Language,
    granted: Granted,
    /// By role and category.
    used: Tally<(String, String), Used>,
    /// By roles together and category: shown beyond what the policy gives them.
    beyond: Tally<(String, String, Level), Used>,
    accounts: Tally<String, Seen>,
    /// The hash of the policy of the newest request.
    in_force: String,
}

#[derive(Debug, Default)]
struct Used {
    /// In the period.
    requests: u64,
    records: Amount,
    clear: u64,
    /// In the whole log.
    last: String,
}

#[derive(Debug, Default)]
struct Seen {
    account: Account,
    requests: u64,
    last: String,
}

impl AccessReview {
    pub(super) fn new(asked: &Asked<'_>) -> Self {
        let granted = asked
            .policy
            .map(|policy| Granted::of(policy, asked.language));
        Self {
            language: asked.language,
            granted: granted.unwrap_or_default(),
            used: Tally::default(),
            beyond: Tally::default(),
            accounts: Tally::default(),
            in_force: String::new(),
        }
    }

    fn of_grants(&self, frame: &Frame, report: &mut Report) -> Table {
        let language = self.language;
        let mut table = Table::new(
            "grants",
            language.of("Granted and used", "Accordé et utilisé"),
            vec![
                Column::new("role", language.of("role", "rôle")),
                Column::new("category", language.of("category", "catégorie")),
                Column::new("granted", language.of("granted", "accordé")),
                Column::new("purposes", language.of("for", "pour")),
                Column::number("requests", language.of("requests", "requêtes")),
                Column::number(
                    "disclosures",
                    language.of("records with it", "fiches touchées"),
                ),
                Column::detail("requests_clear"),
                Column::new("last", language.of("last use", "dernier usage")),
                Column::new("state", language.of("state", "état")),
            ],
            language.of(
                "The policy grants no role anything.",
                "La politique n’accorde rien à aucun rôle.",
            ),
        );
        table.shown = 400;
        let [begin, end] = frame.log.clone().unwrap_or_default();
        let covered = days_between(&begin, &end);
        let mut unused = 0;
        for (role, categories) in &self.granted.roles {
            for (category, given) in categories {
                let used = self.used.get(&(role.clone(), category.clone()));
                let last = used.map(|used| used.last.as_str()).unwrap_or_default();
                let idle = match last {
                    "" => covered,
                    last => days_between(last, &end),
                };
                let is_unused = last.is_empty() || idle >= UNUSED_DAYS;
                unused += u64::from(is_unused);
                let days = language.count(idle, ["day", "jour"], ["days", "jours"]);
                let state = match (last, is_unused) {
                    ("", _) => language.of(
                        format!("never used in the log ({days})"),
                        format!("jamais utilisé dans le journal ({days})"),
                    ),
                    (_, true) => language.of(
                        format!("unused for {days}"),
                        format!("inutilisé depuis {days}"),
                    ),
                    (_, false) => language.of("used", "utilisé").to_owned(),
                };
                table.rows.push(vec![
                    Cell::name(role),
                    Cell::category(Some(category), language),
                    Cell::Level(given.level),
                    Cell::names(given.purposes.iter().map(String::as_str)),
                    Cell::Number(used.map_or(0, |used| used.requests)),
                    used.map_or(Cell::Number(0), |used| used.records.cell()),
                    Cell::Number(used.map_or(0, |used| used.clear)),
                    Cell::time(last),
                    Cell::text(state),
                ]);
            }
        }
        let all = u64::try_from(table.rows.len()).unwrap_or(u64::MAX);
        self.find_unused(unused, all, covered, report);
        table
    }

    /// Tells how much was not used.
    fn find_unused(&self, unused: u64, all: u64, covered: u64, report: &mut Report) {
        let language = self.language;
        report.figure(
            "grants",
            language.of("roles × categories granted", "rôles × catégories accordés"),
            Cell::Number(all),
        );
        report.figure(
            "unused",
            language.of(
                "never used, or not for 90 days",
                "jamais utilisés, ou pas depuis 90 jours",
            ),
            Cell::Number(unused),
        );
        if unused > 0 {
            let (unused, all) = (language.number(unused), language.number(all));
            report.findings.push(language.of(
                format!("{unused} of {all} grants were never used in the log, or not for {UNUSED_DAYS} days. What nobody needs should not be granted (Art. 25 GDPR)."),
                format!("{unused} droits sur {all} n’ont jamais servi dans le journal, ou pas depuis {UNUSED_DAYS} jours. Ce dont nul n’a besoin ne devrait pas être accordé (art. 25 RGPD)."),
            ));
        }
        if covered < UNUSED_DAYS {
            let covered = language.count(covered, ["day", "jour"], ["days", "jours"]);
            report.findings.push(language.of(
                format!("The log covers {covered}: too little to say what was not used for {UNUSED_DAYS} days."),
                format!("Le journal couvre {covered} : trop peu pour dire ce qui n’a pas servi en {UNUSED_DAYS} jours."),
            ));
        }
    }

    fn of_beyond(&self, report: &mut Report) -> Table {
        let language = self.language;
        let mut table = Table::new(
            "beyond",
            language.of("Shown beyond what this policy grants", "Montré au-delà de ce que cette politique accorde"),
            vec![
                Column::new("roles", language.of("roles", "rôles")),
                Column::new("category", language.of("category", "catégorie")),
                Column::new("level", language.of("shown", "montré")),
                Column::number("requests", language.of("requests", "requêtes")),
                Column::number("disclosures", language.of("records with it", "fiches touchées")),
                Column::new("last", language.of("last", "dernière fois")),
            ],
            language.of("Nothing was shown in the period that this policy does not grant.", "Rien n’a été montré dans la période que cette politique n’accorde."),
        ).noted(language.of(
            "Another policy was in force then, a rule only observed, or the field is one of several categories.",
            "Une autre politique était alors en vigueur, une règle était en observation, ou le champ est de plusieurs catégories.",
        ));
        for ((roles, category, level), used) in self.beyond.sorted(|used| used.records) {
            table.rows.push(vec![
                match roles.as_str() {
                    "" => Cell::text(language.of("(none)", "(aucun)")),
                    roles => Cell::name(roles),
                },
                Cell::category(Some(category), language),
                Cell::Level(*level),
                Cell::Number(used.requests),
                used.records.cell(),
                Cell::time(&used.last),
            ]);
        }
        if !table.rows.is_empty() {
            report.findings.push(language.of(
                "Data was shown in the period at higher levels than the policy given here grants: see “Shown beyond what this policy grants”.",
                "Des données ont été montrées dans la période à des niveaux supérieurs à ceux qu’accorde la politique indiquée : voir « Montré au-delà de ce que cette politique accorde ».",
            ).to_owned());
        }
        table
    }

    fn of_accounts(&self) -> Table {
        let language = self.language;
        let mut table = Table::new(
            "accounts",
            language.of(
                "The accounts seen in the period",
                "Comptes vus dans la période",
            ),
            vec![
                Column::new("account", language.of("account", "compte")),
                Column::detail("account_id"),
                Column::new("roles", language.of("roles that counted", "rôles retenus")),
                Column::number("requests", language.of("requests", "requêtes")),
                Column::new("last", language.of("last request", "dernière requête")),
            ],
            language.of("None.", "Aucun."),
        );
        table.shown = 400;
        for (id, seen) in self.accounts.iter() {
            table.rows.push(vec![
                seen.account.name_cell(),
                Cell::name(id),
                seen.account.roles_cell(),
                Cell::Number(seen.requests),
                Cell::time(&seen.last),
            ]);
        }
        table
    }

    /// Roles of the log that the policy does not have, and the other way round.
    fn compare_roles(&self, report: &mut Report) {
        let language = self.language;
        let mut met: BTreeSet<&str> = BTreeSet::new();
        for (_, seen) in self.accounts.iter() {
            met.extend(seen.account.roles.iter().map(String::as_str));
        }
        let list = |names: Vec<&str>| {
            let names: Vec<String> = names.into_iter().map(crate::audit::visible).collect();
            names.join(", ")
        };
        let idle: Vec<&str> = self
            .granted
            .roles
            .keys()
            .map(String::as_str)
            .filter(|role| !met.contains(role))
            .collect();
        if !idle.is_empty() {
            let idle = list(idle);
            report.findings.push(language.of(
                format!("Roles in which nobody came in the period: {idle}."),
                format!("Rôles dans lesquels personne n’est venu dans la période : {idle}."),
            ));
        }
        let gone: Vec<&str> = met
            .into_iter()
            .filter(|role| !self.granted.roles.contains_key(*role))
            .collect();
        if !gone.is_empty() {
            let gone = list(gone);
            report.findings.push(language.of(
                format!("Roles of the log that this policy does not declare: {gone}."),
                format!("Rôles du journal que cette politique ne déclare pas : {gone}."),
            ));
        }
        if !self.in_force.is_empty() && self.in_force != self.granted.hash {
            let hash = crate::audit::visible(&self.in_force);
            report.findings.push(language.of(
                format!("The policy given here is not the one of the newest request of the log ({hash})."),
                format!("La politique indiquée n’est pas celle de la requête la plus récente du journal ({hash})."),
            ));
        }
    }
}

/// Whole days from one time of an event to another; 0 if one cannot be read.
fn days_between(from: &str, to: &str) -> u64 {
    let read = |text: &str| text.parse::<Timestamp>().ok();
    let hours = read(from)
        .zip(read(to))
        .map(|(from, to)| to.duration_since(from).as_hours());
    hours
        .and_then(|hours| u64::try_from(hours / 24).ok())
        .unwrap_or(0)
}

impl Counting for AccessReview {
    fn closed(&mut self, event: Event<'_>) {
        let seen = event.seen;
        seen.policy().clone_into(&mut self.in_force);
        let Some(id) = account::id(event) else {
            return;
        };
        if event.is_within {
            let own = self.accounts.at(id);
            own.account.meet(seen);
            own.requests += 1;
            event.time.clone_into(&mut own.last);
        }
        let together = seen.roles().join(" + ");
        let mut told: BTreeSet<&str> = BTreeSet::new();
        for datum in seen
            .data()
            .filter(|datum| datum.records > 0 && shows(datum.level))
        {
            let Some(category) = datum.category else {
                continue;
            };
            let records = event.records(&datum);
            let is_first = told.insert(category);
            for role in seen.roles() {
                let used = self.used.at((role.clone(), category.to_owned()));
                event.time.clone_into(&mut used.last);
                if event.is_within {
                    used.requests += u64::from(is_first);
                    used.records.add(records);
                    used.clear += u64::from(datum.level == Level::Clear);
                }
            }
            let is_beyond = self
                .granted
                .level(seen.roles(), category)
                .is_none_or(|level| datum.level > level);
            if event.is_within && is_beyond {
                let beyond = self
                    .beyond
                    .at((together.clone(), category.to_owned(), datum.level));
                beyond.requests += 1;
                beyond.records.add(records);
                event.time.clone_into(&mut beyond.last);
            }
        }
    }

    fn notice(&mut self, found: &Found, _: bool) {
        if let Some((hash, _)) = found.loaded() {
            hash.clone_into(&mut self.in_force);
        }
    }

    fn report(self: Box<Self>, frame: &Frame) -> Result<Report, Unanswerable> {
        let language = self.language;
        let title = language.of("Access review", "Revue des accès");
        let mut report = frame.report(Name::AccessReview, title, language);
        report.about = Some(format!(
            "{} {} ({})",
            language.of("policy", "politique"),
            crate::audit::visible(&self.granted.policy),
            crate::audit::visible(&self.granted.hash),
        ));
        report.means.push(language.of(
            "What the policy lets each role see, by category (the highest level of any purpose, with every strength of authentication that callers can prove), against what the log says was shown to callers in that role. “Used” looks at the whole log, the numbers at the period.",
            "Ce que la politique laisse voir à chaque rôle, par catégorie (le niveau le plus haut, toutes finalités et forces d’authentification confondues), face à ce que le journal dit avoir été montré aux appelants de ce rôle. « Utilisé » regarde tout le journal, les nombres la période.",
        ).to_owned());
        let grants = self.of_grants(frame, &mut report);
        let beyond = self.of_beyond(&mut report);
        self.compare_roles(&mut report);
        report
            .blocks
            .extend([grants, beyond, self.of_accounts()].map(Block::Table));
        report.limits.extend([
            Frame::amounts(language),
            language.of(
                "A caller with several roles uses what all of them give together; the log does not say which role was needed, so the use counts for each. A grant may look used although another role would have been enough.",
                "Un appelant ayant plusieurs rôles use de ce que tous donnent ensemble ; le journal ne dit pas lequel était nécessaire, l’usage compte donc pour chacun. Un droit peut paraître utilisé alors qu’un autre rôle aurait suffi.",
            ).to_owned(),
            language.of(
                "Unused is not useless: a yearly closing happens once a year. The accounts that never came are not in the log; the CRM knows them.",
                "Inutilisé n’est pas inutile : une clôture annuelle n’a lieu qu’une fois l’an. Les comptes jamais venus ne sont pas dans le journal ; le CRM les connaît.",
            ).to_owned(),
        ]);
        report.is_signed = true;
        Ok(report)
    }
}
