//! Who tried to find out something by what is refused: a filter tells by its answer what a field holds, although nothing of
//! the field is shown.

use std::collections::{BTreeSet, VecDeque};

use jiff::Timestamp;

use crate::audit::{Found, Use};
use crate::reason::Reason;
use crate::report::frame::Frame;
use crate::report::language::Language;
use crate::report::pass::{Counting, Event};
use crate::report::tally::{Tally, add};
use crate::report::{Asked, Block, Cell, Column, Name, Report, Table, Unanswerable};

use super::account::{self, Account};

/// From so many refused predicates of one account about one category within an hour on, or so many different fields, it looks
/// like trying out.
const WITHIN_AN_HOUR: u64 = 5;
const DIFFERENT_FIELDS: usize = 3;
/// Fields of one account that are named.
const FIELDS_MAX: usize = 50;
/// Times that are remembered to count those of an hour.
const TIMES_MAX: usize = 1_000;
/// Categories of which one refused predicate is told.
const GRAVE: [&str; 4] = ["financial", "special", "criminal", "identity.national_id"];

#[derive(Debug)]
pub(super) struct Probes {
    language: Language,
    tried: Tally<(String, Option<String>), Tried>,
    accounts: Tally<String, Account>,
    refused: Tally<String, Refused>,
    /// Of callers that nobody knows: by network and reason.
    strangers: Tally<(String, String), Stranger>,
    untold: u64,
}

#[derive(Debug, Default)]
struct Tried {
    requests: u64,
    matched: u64,
    searched: u64,
    sorted: u64,
    fields: BTreeSet<String>,
    first: String,
    last: String,
    times: VecDeque<i64>,
    within_an_hour: u64,
}

/// Refused requests of an account.
#[derive(Debug, Default)]
struct Refused {
    not_understood: u64,
    unknown: u64,
    not_allowed: u64,
    used_up: u64,
    last: String,
}

#[derive(Debug, Default)]
struct Stranger {
    count: u64,
    last: String,
}

impl Probes {
    pub(super) fn new(asked: &Asked<'_>) -> Self {
        Self {
            language: asked.language,
            tried: Tally::default(),
            accounts: Tally::default(),
            refused: Tally::default(),
            strangers: Tally::default(),
            untold: 0,
        }
    }

    /// Counts a refused predicate for each category of its fields.
    fn predicate(&mut self, event: Event<'_>, id: &str) {
        self.untold += u64::from(event.fields.is_none());
        // Each category once, with the first of its fields and all their names.
        let mut told: std::collections::BTreeMap<Option<String>, ([bool; 3], Vec<&String>)> =
            std::collections::BTreeMap::new();
        for (at, for_what) in [Use::Matched, Use::Searched, Use::Sorted]
            .into_iter()
            .enumerate()
        {
            for field in event.seen.named(for_what) {
                let categories = event.fields.map(|fields| fields.categories_of(field));
                let categories = categories.unwrap_or_default();
                let names: Vec<Option<String>> = match categories.is_empty() {
                    true => vec![None],
                    false => categories
                        .into_iter()
                        .map(|one| Some(one.to_string()))
                        .collect(),
                };
                for name in names {
                    let (uses, fields) = told.entry(name).or_default();
                    uses[at] = true;
                    fields.push(field);
                }
            }
        }
        for (category, ([matched, searched, sorted], fields)) in told {
            let tried = self.tried.at((id.to_owned(), category));
            tried.requests += 1;
            tried.matched += u64::from(matched);
            tried.searched += u64::from(searched);
            tried.sorted += u64::from(sorted);
            for field in fields {
                if tried.fields.len() < FIELDS_MAX && !tried.fields.contains(field) {
                    tried.fields.insert(field.clone());
                }
            }
            tried.at(event.time);
        }
    }

    fn table(&self, findings: &mut Vec<String>) -> Table {
        let language = self.language;
        let mut table = Table::new(
            "predicates",
            language.of(
                "Refused filters, searches and sorts, by account and category",
                "Filtres, recherches et tris refusés, par compte et catégorie",
            ),
            vec![
                Column::new("account", language.of("account", "compte")),
                Column::detail("account_id"),
                Column::new("category", language.of("category", "catégorie")),
                Column::number("filters", language.of("filters", "filtres")),
                Column::number("searches", language.of("searches", "recherches")),
                Column::number("sorts", language.of("sorts", "tris")),
                Column::new("fields", language.of("fields", "champs")),
                Column::number(
                    "within_an_hour",
                    language.of("most in an hour", "maximum en une heure"),
                ),
                Column::detail("first"),
                Column::new("last", language.of("last", "dernière fois")),
            ],
            language.of(
                "No filter, search or sort of a known account was refused in the period.",
                "Aucun filtre, recherche ni tri d’un compte connu n’a été refusé dans la période.",
            ),
        );
        let grave = |category: &Option<String>| {
            category.as_ref().is_some_and(|name| {
                GRAVE.iter().any(|one| {
                    name == one
                        || name
                            .strip_prefix(one)
                            .is_some_and(|rest| rest.starts_with('.'))
                })
            })
        };
        let mut all: Vec<_> = self.tried.iter().collect();
        all.sort_by_key(|((_, category), tried)| {
            std::cmp::Reverse((grave(category), tried.requests))
        });
        for ((id, category), tried) in all {
            let account = self.accounts.get(id).cloned().unwrap_or_default();
            let looks =
                tried.within_an_hour >= WITHIN_AN_HOUR || tried.fields.len() >= DIFFERENT_FIELDS;
            if (grave(category) || looks) && findings.len() < 30 {
                let cell = Cell::category(category.as_deref(), language).shown(language);
                findings.push(tried.sentence(
                    &crate::audit::visible(&account.name),
                    &cell,
                    language,
                ));
            }
            table.rows.push(vec![
                account.name_cell(),
                Cell::name(id),
                Cell::category(category.as_deref(), language),
                Cell::Number(tried.matched),
                Cell::Number(tried.searched),
                Cell::Number(tried.sorted),
                Cell::names(tried.fields.iter().map(String::as_str)),
                Cell::Number(tried.within_an_hour),
                Cell::time(&tried.first),
                Cell::time(&tried.last),
            ]);
        }
        table
    }

    fn of_requests(&self) -> Table {
        let language = self.language;
        let mut table = Table::new(
            "requests",
            language.of(
                "Other refused requests of the same kind",
                "Autres requêtes refusées du même genre",
            ),
            vec![
                Column::new("account", language.of("account", "compte")),
                Column::detail("account_id"),
                Column::number(
                    "not_understood",
                    language.of("filters not understood", "filtres non compris"),
                ),
                Column::number(
                    "unknown",
                    language.of(
                        "unknown modules, routes, links",
                        "modules, routes, liens inconnus",
                    ),
                ),
                Column::number(
                    "not_allowed",
                    language.of("actions not allowed", "actions non permises"),
                ),
                Column::number(
                    "used_up",
                    language.of(
                        "budget of refused predicates used up",
                        "budget de prédicats refusés épuisé",
                    ),
                ),
                Column::new("last", language.of("last", "dernière fois")),
            ],
            language.of("None.", "Aucune."),
        );
        let rank = |one: &Refused| {
            one.used_up * 1_000 + one.not_understood + one.unknown + one.not_allowed
        };
        for (id, refused) in self.refused.sorted(rank) {
            let account = self.accounts.get(id).cloned().unwrap_or_default();
            table.rows.push(vec![
                account.name_cell(),
                Cell::name(id),
                Cell::Number(refused.not_understood),
                Cell::Number(refused.unknown),
                Cell::Number(refused.not_allowed),
                Cell::Number(refused.used_up),
                Cell::time(&refused.last),
            ]);
        }
        table
    }

    fn of_strangers(&self) -> Table {
        let language = self.language;
        let mut table = Table::new(
            "strangers",
            language.of(
                "Refused without a known account, by network",
                "Refus sans compte connu, par réseau",
            ),
            vec![
                Column::new("origin", language.of("network", "réseau")),
                Column::new("reason", language.of("reason", "motif")),
                Column::number("requests", language.of("requests", "requêtes")),
                Column::new("last", language.of("last", "dernière fois")),
            ],
            language.of("None.", "Aucun."),
        )
        .noted(language.of(
            "Networks beyond the first 256 of a minute are counted together, without a name.",
            "Les réseaux au-delà des 256 premiers d’une minute sont comptés ensemble, sans nom.",
        ));
        for ((origin, reason), stranger) in self.strangers.sorted(|one| one.count) {
            let origin = match origin.as_str() {
                "" => Cell::text(language.of("(several)", "(plusieurs)")),
                origin => Cell::name(origin),
            };
            table.rows.push(vec![
                origin,
                Cell::name(reason),
                Cell::Number(stranger.count),
                Cell::time(&stranger.last),
            ]);
        }
        table
    }
}

impl Tried {
    fn at(&mut self, time: &str) {
        if self.first.is_empty() {
            time.clone_into(&mut self.first);
        }
        time.clone_into(&mut self.last);
        let Ok(now) = time.parse::<Timestamp>() else {
            return;
        };
        let now = now.as_second();
        // The clock may step back: what is not within the hour before is of another hour.
        self.times.retain(|then| (now - 3_600..=now).contains(then));
        if self.times.len() < TIMES_MAX {
            self.times.push_back(now);
        }
        let count = u64::try_from(self.times.len()).unwrap_or(u64::MAX);
        self.within_an_hour = self.within_an_hour.max(count);
    }

    fn sentence(&self, name: &str, category: &str, language: Language) -> String {
        let times = language.count(self.requests, ["time", "fois"], ["times", "fois"]);
        let fields = u64::try_from(self.fields.len()).unwrap_or(u64::MAX);
        let fields = language.count(fields, ["field", "champ"], ["fields", "champs"]);
        let (first, last) = (language.moment(&self.first), language.moment(&self.last));
        let did = match self.searched {
            0 => language.of("filter or sort", "filtrer ou trier"),
            _ => language.of("filter, search or sort", "filtrer, chercher ou trier"),
        };
        if self.requests < 2 {
            return language.of(
                format!("{name} tried {times} to {did} by {category} ({fields}), on {first}; it was refused."),
                format!("{name} a tenté {times} de {did} par {category} ({fields}), le {first} ; ce fut refusé."),
            );
        }
        let hour = language.number(self.within_an_hour);
        language.of(
            format!("{name} tried {times} to {did} by {category} ({fields}), between {first} and {last}, at most {hour} within an hour; each was refused."),
            format!("{name} a tenté {times} de {did} par {category} ({fields}), entre le {first} et le {last}, au plus {hour} en une heure ; chaque fois refusé."),
        )
    }
}

impl Counting for Probes {
    fn closed(&mut self, event: Event<'_>) {
        let (Some(id), Some(reason)) = (account::id(event), event.seen.reason()) else {
            return;
        };
        if !event.is_within {
            return;
        }
        let is = |one: Reason| reason == one.code();
        let mut count = |change: fn(&mut Refused)| {
            let refused = self.refused.at(id.clone());
            change(refused);
            event.time.clone_into(&mut refused.last);
        };
        if is(Reason::FieldNotUsable) {
            self.predicate(event, &id);
        } else if is(Reason::MalformedFilter)
            || is(Reason::MalformedOrder)
            || is(Reason::StoredQuery)
        {
            count(|refused| refused.not_understood += 1);
        } else if is(Reason::UnknownModule) || is(Reason::UnknownRoute) || is(Reason::UnknownLink) {
            count(|refused| refused.unknown += 1);
        } else if is(Reason::ActionNotAllowed) || is(Reason::PurposeNotAllowed) {
            count(|refused| refused.not_allowed += 1);
        } else {
            return;
        }
        self.accounts.at(id).meet(event.seen);
    }

    fn notice(&mut self, found: &Found, is_within: bool) {
        if !is_within {
            return;
        }
        let text = |name| found.detail(name).and_then(serde_json::Value::as_str);
        match found.action() {
            Some("limit.predicates") => {
                let id = text("caller").unwrap_or_default().to_owned();
                if let Some(name) = text("name") {
                    name.clone_into(&mut self.accounts.at(id.clone()).name);
                }
                let refused = self.refused.at(id);
                refused.used_up += 1;
                found.time().clone_into(&mut refused.last);
            }
            Some("auth.refused") => {
                let key = [text("origin"), text("reason")]
                    .map(|text| text.unwrap_or_default().to_owned());
                let [origin, reason] = key;
                let stranger = self.strangers.at((origin, reason));
                let count = found.detail("count").and_then(serde_json::Value::as_u64);
                add(&mut stranger.count, count.unwrap_or(0));
                found.time().clone_into(&mut stranger.last);
            }
            _ => {}
        }
    }

    fn report(self: Box<Self>, frame: &Frame) -> Result<Report, Unanswerable> {
        let language = self.language;
        let title = language.of("Who tried things out", "Qui a fait des essais");
        let mut report = frame.report(Name::Probes, title, language);
        report.means.push(language.of(
            "A filter, a search or a sort by a field tells what the field holds, even where it is not shown; so it is refused to whoever may not see the field in clear. This report counts such refused attempts by account and by category of the fields that they named.",
            "Filtrer, chercher ou trier par un champ révèle ce qu’il contient, même s’il n’est pas montré ; c’est donc refusé à qui ne peut voir le champ en clair. Ce rapport compte ces tentatives refusées par compte et par catégorie des champs nommés.",
        ).to_owned());
        report.means.push(language.of(
            format!("A finding is whatever was about bank data, special categories, convictions or national numbers; and else {WITHIN_AN_HOUR} attempts within an hour or {DIFFERENT_FIELDS} different fields."),
            format!("Est un constat tout ce qui visait des données bancaires, des catégories particulières, des condamnations ou un numéro national ; sinon {WITHIN_AN_HOUR} tentatives en une heure ou {DIFFERENT_FIELDS} champs différents."),
        ));
        let mut findings = Vec::new();
        let table = self.table(&mut findings);
        report.findings.extend(findings);
        report
            .blocks
            .extend([table, self.of_requests(), self.of_strangers()].map(Block::Table));
        if self.untold > 0 {
            let count = language.number(self.untold);
            report.limits.push(language.of(
                format!("{count} of the requests were decided by a policy whose categories the log does not tell: their fields stand as unclassified here."),
                format!("{count} requêtes ont été décidées par une politique dont le journal ne dit pas les catégories : leurs champs figurent ici comme non classés."),
            ));
        }
        report.limits.extend([
            language.of(
                "Nothing was disclosed by these requests. Saved views and forms of programs repeat a filter that nobody meant; ask before you suspect.",
                "Ces requêtes n’ont rien divulgué. Des vues enregistrées et des formulaires répètent un filtre que personne n’a voulu : demandez avant de soupçonner.",
            ).to_owned(),
            language.of(
                "If a request named several fields, the log does not say which was the one too many: each of their categories is counted. With what value somebody filtered is not in the log.",
                "Si une requête nommait plusieurs champs, le journal ne dit pas lequel était de trop : chacune de leurs catégories est comptée. La valeur du filtre n’est pas dans le journal.",
            ).to_owned(),
        ]);
        Ok(report)
    }
}
