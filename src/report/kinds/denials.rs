//! What was refused, of whom and why: so that a policy that is too tight is seen, and somebody who tries is, too.

use crate::audit::{Found, Seen, Use};
use crate::reason::Reason;
use crate::report::distinct::Distinct;
use crate::report::frame::Frame;
use crate::report::language::Language;
use crate::report::pass::{Counting, Event};
use crate::report::tally::{Tally, add, sum};
use crate::report::timeline::Timeline;
use crate::report::{Asked, Block, Cell, Chart, Column, Name, Report, Shape, Table, Unanswerable};

use super::account;

/// Outcomes that are refusals of this proxy.
const REFUSALS: [&str; 7] = [
    "denied",
    "not-found-by-policy",
    "challenged",
    "rejected",
    "limited",
    "unauthenticated",
    "unfilterable",
];

#[derive(Debug)]
pub(super) struct Denials {
    language: Language,
    reasons: Tally<(String, String), Refused>,
    roles: Tally<(String, String), Refused>,
    what: Tally<(String, &'static str, String), Refused>,
    /// Refusals of callers that nobody knows, by reason.
    strangers: Tally<String, u64>,
    accounts: Distinct,
    days: Timeline,
    answered: u64,
}

#[derive(Debug, Default)]
struct Refused {
    requests: u64,
    accounts: u64,
    last: String,
}

impl Refused {
    fn add(&mut self, event: Event<'_>, is_new: bool) {
        self.requests += 1;
        self.accounts += u64::from(is_new);
        event.time.clone_into(&mut self.last);
    }
}

impl Denials {
    pub(super) fn new(asked: &Asked<'_>) -> Self {
        Self {
            language: asked.language,
            reasons: Tally::default(),
            roles: Tally::default(),
            what: Tally::default(),
            strangers: Tally::default(),
            accounts: Distinct::default(),
            days: Timeline::new(2),
            answered: 0,
        }
    }

    fn count(&mut self, event: Event<'_>, kind: &str, reason: &str) {
        let id = account::id(event);
        let is_new = self.accounts.is_new(("reason", reason, &id));
        self.reasons
            .at((kind.to_owned(), reason.to_owned()))
            .add(event, is_new);
        let roles = event.seen.roles().join(" + ");
        let is_new = self.accounts.is_new(("roles", &roles, reason, &id));
        self.roles.at((roles, reason.to_owned())).add(event, is_new);
        for (name, how) in about(event.seen, reason) {
            let is_new = self.accounts.is_new(("what", &name, how, reason, &id));
            self.what
                .at((name, how, reason.to_owned()))
                .add(event, is_new);
        }
    }

    fn of_reasons(&self) -> Table {
        let language = self.language;
        let mut table = Table::new(
            "reasons",
            language.of("By reason", "Par motif"),
            vec![
                Column::new("reason", language.of("reason", "motif")),
                Column::new(
                    "meaning",
                    language.of("what the caller read", "ce que l’appelant a lu"),
                ),
                Column::new("outcome", language.of("outcome", "issue")),
                Column::number("requests", language.of("requests", "requêtes")),
                Column::number("accounts", language.of("accounts", "comptes")),
                Column::new("last", language.of("last", "dernière fois")),
            ],
            language.of(
                "No request was refused in the period.",
                "Aucune requête n’a été refusée dans la période.",
            ),
        );
        for ((kind, reason), refused) in self.reasons.sorted(|refused| refused.requests) {
            let known = Reason::ALL.iter().find(|one| one.code() == reason);
            table.rows.push(vec![
                Cell::name(reason),
                known.map_or(Cell::Blank, |known| Cell::text(known.text())),
                Cell::text(language.outcome(kind)),
                Cell::Number(refused.requests),
                self.accounts.cell(refused.accounts),
                Cell::time(&refused.last),
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
                Column::new("reason", language.of("reason", "motif")),
                Column::number("requests", language.of("requests", "requêtes")),
                Column::number("accounts", language.of("accounts", "comptes")),
            ],
            language.of(
                "No request was refused in the period.",
                "Aucune requête n’a été refusée dans la période.",
            ),
        );
        for ((roles, reason), refused) in self.roles.sorted(|refused| refused.requests) {
            let roles = match roles.as_str() {
                "" => Cell::text(language.of("(none)", "(aucun)")),
                roles => Cell::name(roles),
            };
            table.rows.push(vec![
                roles,
                Cell::name(reason),
                Cell::Number(refused.requests),
                self.accounts.cell(refused.accounts),
            ]);
        }
        table
    }

    fn of_what(&self) -> Table {
        let language = self.language;
        let mut table = Table::new(
            "refused",
            language.of("What was refused most", "Ce qui a été le plus refusé"),
            vec![
                Column::new("what", language.of("field, or module and action", "champ, ou module et action")),
                Column::new("use", language.of("use", "usage")),
                Column::new("reason", language.of("reason", "motif")),
                Column::number("requests", language.of("requests", "requêtes")),
                Column::number("accounts", language.of("accounts", "comptes")),
                Column::new("last", language.of("last", "dernière fois")),
            ],
            language.of("No refused request named a field or a module.", "Aucune requête refusée ne nommait de champ ni de module."),
        ).noted(language.of(
            "Where a refused request named several fields for the same use, each is listed: the log does not say which of them was the one too many. What many accounts were refused again and again may be what a policy is too tight for.",
            "Quand une requête refusée nommait plusieurs champs pour le même usage, chacun figure : le journal ne dit pas lequel était de trop. Ce qui est refusé souvent à beaucoup de comptes peut signaler une politique trop étroite.",
        ));
        for ((name, how, reason), refused) in self
            .what
            .sorted(|refused| (refused.accounts, refused.requests))
        {
            table.rows.push(vec![
                Cell::name(name),
                Cell::text(used(how, language)),
                Cell::name(reason),
                Cell::Number(refused.requests),
                self.accounts.cell(refused.accounts),
                Cell::time(&refused.last),
            ]);
        }
        table
    }
}

impl Denials {
    fn bars(&self) -> Option<Chart> {
        let language = self.language;
        let points: Vec<_> = self
            .reasons
            .sorted(|one| one.requests)
            .into_iter()
            .take(10)
            .map(|((_, reason), refused)| (crate::audit::visible(reason), vec![refused.requests]))
            .collect();
        (!points.is_empty()).then(|| Chart {
            key: "reasons-bars",
            title: language
                .of("Refused requests by reason", "Requêtes refusées par motif")
                .to_owned(),
            shape: Shape::Bars,
            series: vec![language.of("requests", "requêtes").to_owned()],
            points,
        })
    }
}

/// What a refusal may be about: the fields of the use that its reason speaks of, else the module and what was done.
fn about(seen: Seen<'_>, reason: &str) -> Vec<(String, &'static str)> {
    let is = |one: Reason| reason == one.code();
    let uses: &[(Use, &'static str)] = if is(Reason::FieldNotUsable) || is(Reason::MalformedFilter)
    {
        &[
            (Use::Matched, "matched"),
            (Use::Searched, "searched"),
            (Use::Sorted, "sorted"),
        ]
    } else if is(Reason::FieldNotWritable)
        || is(Reason::SpecialCategoryInText)
        || is(Reason::MaskWrittenBack)
    {
        &[(Use::Written, "written")]
    } else {
        &[]
    };
    let named: Vec<_> = uses
        .iter()
        .flat_map(|(one, how)| {
            seen.named(*one)
                .iter()
                .map(move |name| (name.clone(), *how))
        })
        .collect();
    if !named.is_empty() {
        return named;
    }
    match (seen.module(), seen.action()) {
        (Some(module), Some(action)) => vec![(format!("{module}: {action}"), "request")],
        _ => Vec::new(),
    }
}

/// The word for a use.
pub(super) fn used(how: &'static str, language: Language) -> &'static str {
    match how {
        "matched" => language.of("filter", "filtre"),
        "searched" => language.of("search", "recherche"),
        "sorted" => language.of("sort", "tri"),
        "written" => language.of("write", "écriture"),
        "asked" => language.of("read", "lecture"),
        _ => language.of("request", "requête"),
    }
}

impl Counting for Denials {
    fn closed(&mut self, event: Event<'_>) {
        if !event.is_within {
            return;
        }
        let kind = event.seen.outcome().unwrap_or_default();
        if REFUSALS.contains(&kind) {
            self.days.add(event.time, usize::from(kind != "denied"), 1);
            let reason = event.seen.reason().unwrap_or("(none)");
            self.count(event, kind, reason);
        } else {
            self.answered += 1;
        }
    }

    fn notice(&mut self, found: &Found, is_within: bool) {
        if is_within && matches!(found.action(), Some("auth.refused" | "limit.reached")) {
            let count = found.detail("count").and_then(serde_json::Value::as_u64);
            let reason = found.detail("reason").and_then(serde_json::Value::as_str);
            add(
                self.strangers.at(reason.unwrap_or_default().to_owned()),
                count.unwrap_or(0),
            );
        }
    }

    fn report(self: Box<Self>, frame: &Frame) -> Result<Report, Unanswerable> {
        let language = self.language;
        let mut report = frame.report(
            Name::Denials,
            language.of("What was refused", "Ce qui a été refusé"),
            language,
        );
        report.means.push(language.of(
            "Requests that were refused: by the policy, because they could not be understood, because stronger authentication was asked for, or because there were too many. A refused request disclosed nothing.",
            "Requêtes refusées : par la politique, parce qu’elles n’ont pas été comprises, parce qu’une authentification plus forte était demandée, ou parce qu’il y en avait trop. Une requête refusée n’a rien divulgué.",
        ).to_owned());
        let refused: u64 = self
            .reasons
            .iter()
            .map(|(_, refused)| refused.requests)
            .sum();
        let strangers = sum(self.strangers.iter().map(|(_, count)| *count));
        report.figure(
            "refused",
            language.of("refused requests", "requêtes refusées"),
            Cell::Number(refused),
        );
        report.figure(
            "answered",
            language.of("other requests", "autres requêtes"),
            Cell::Number(self.answered),
        );
        report.figure(
            "strangers",
            language.of(
                "refusals of unknown callers, or of too many requests",
                "refus d’appelants inconnus, ou de requêtes trop nombreuses",
            ),
            Cell::Number(strangers),
        );
        let what = self.of_what();
        report.blocks.extend(self.bars().map(Block::Chart));
        report
            .blocks
            .extend([self.of_reasons(), what, self.of_roles()].map(Block::Table));
        let series = [
            (
                "by_policy",
                language.of("by the policy", "par la politique"),
            ),
            ("otherwise", language.of("otherwise", "autrement")),
        ];
        if let Some((chart, table)) = self.days.shown(
            "days",
            language.of("Refused requests", "Requêtes refusées"),
            &series,
            language,
        ) {
            report
                .blocks
                .extend([Block::Chart(chart), Block::Table(table)]);
        }
        report
            .blocks
            .push(Block::Table(strangers_table(&self.strangers, language)));
        report.limits.push(language.of(
            "A refusal is no offence: programs repeat what people did not mean, and a policy that changed refuses what was allowed the day before.",
            "Un refus n’est pas une infraction : des programmes répètent ce que personne n’a voulu, et une politique changée refuse ce qui était permis la veille.",
        ).to_owned());
        Ok(report)
    }
}

fn strangers_table(strangers: &Tally<String, u64>, language: Language) -> Table {
    let mut table = Table::new(
        "strangers",
        language.of("Counted without a caller", "Comptés sans appelant"),
        vec![
            Column::new("reason", language.of("reason", "motif")),
            Column::number("requests", language.of("requests", "requêtes")),
        ],
        language.of("None.", "Aucun."),
    );
    for (reason, count) in strangers.sorted(|count| *count) {
        table
            .rows
            .push(vec![Cell::name(reason), Cell::Number(*count)]);
    }
    table
}
