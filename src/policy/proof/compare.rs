//! What one policy shows, lets use and lets write beyond another one: by meaning, never by text.
//!
//! Neither the order of rules nor their names, files and number matter. Both policies are looked at in the same schema.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::detect::Kind;
use crate::dialect::Schema;
use crate::policy::engine::{Facts, Observing, Situation};
use crate::policy::language::catalogue::category_of;
use crate::policy::language::model::Model;
use crate::policy::plan::{UNCLASSIFIED, Usable};
use crate::policy::{Assumed, Policy};
use crate::vocabulary::{Category, Field, Level, Purpose, Role};

pub(super) mod apart;
mod cells;
mod columns;
mod held;
mod limits;
pub(in crate::policy) mod masks;
mod proven;
mod replay;
mod rows;
mod samples;
pub(in crate::policy) mod shown;
mod subjects;
mod terms;
#[cfg(test)]
mod tests;
mod walk;
pub(super) mod worlds;

pub use columns::Column;
pub use replay::{Access, Field as AccessField, Replayed};

use cells::{NEW, Names, OLD};
use shown::Relation;
use subjects::{Both, Found, Gives, Made, Refused, What};
use walk::{About, Difference, Search, Spot, Told};

/// What differs between two policies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// What is shown more, and to whom else.
    pub more: BTreeSet<Change>,
    /// What is shown less, and what can be used, written or asked for no longer.
    pub less: BTreeSet<Change>,
    /// What can be matched, sorted and searched by, though no more of it is shown.
    pub usable: BTreeSet<Change>,
    /// What can be written.
    pub writable: BTreeSet<Change>,
}

/// One difference, in one state.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// What it is about.
    pub aspect: Aspect,
    /// The category.
    pub category: Option<Category>,
    /// The field, where its classification changed; a pattern for fields that nobody knows yet; or a module.
    pub field: Option<String>,
    /// The roles that somebody has; none: whoever asks.
    pub roles: Vec<String>,
    /// The purpose.
    pub purpose: Option<Purpose>,
    /// What is proved of the strength of authentication, beyond the way by which callers with these roles come.
    pub strength: Option<String>,
    /// All that could be proved so.
    pub provable: BTreeSet<String>,
    /// Of which moments, callers and records it is so; none: of all.
    pub when: Vec<Assumed>,
    /// What was.
    pub old: String,
    /// What is.
    pub new: String,
    /// The rules that make it so, under both policies, with their places.
    pub by: [Vec<String>; 2],
}

/// What a difference is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Aspect {
    /// Who has a role.
    Evidence,
    /// Who may ask for a purpose.
    Purpose,
    /// The purpose of requests that state none.
    Default,
    /// What may be done in which modules.
    Actions,
    /// Modules whose records pass.
    Module,
    /// Which records are there.
    Rows,
    /// How many records are shown in a while.
    Limits,
    /// How much is shown.
    Shown,
    /// What is found in texts.
    InText,
    /// What can be matched and sorted by.
    Used,
    /// Full-text search.
    Searched,
    /// What can be written.
    Written,
}

impl Aspect {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Evidence => "evidence",
            Self::Purpose => "purpose",
            Self::Default => "default-purpose",
            Self::Actions => "actions",
            Self::Module => "module",
            Self::Rows => "rows",
            Self::Limits => "limits",
            Self::Shown => "shown",
            Self::InText => "in-text",
            Self::Used => "matched",
            Self::Searched => "searched",
            Self::Written => "written",
        }
    }
}

impl Change {
    fn of(aspect: Aspect, old: impl Into<String>, new: impl Into<String>) -> Self {
        Self {
            aspect,
            category: None,
            field: None,
            roles: Vec::new(),
            purpose: None,
            strength: None,
            provable: BTreeSet::new(),
            when: Vec::new(),
            old: old.into(),
            new: new.into(),
            by: [Vec::new(), Vec::new()],
        }
    }

    fn about(aspect: Aspect, role: &Role, old: impl Into<String>, new: impl Into<String>) -> Self {
        Self {
            roles: vec![role.to_string()],
            ..Self::of(aspect, old, new)
        }
    }
}

impl Compared {
    /// Whether nothing differs.
    pub fn is_same(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what differs in another schema.
    pub fn extend(&mut self, other: Self) {
        self.more.extend(other.more);
        self.less.extend(other.less);
        self.usable.extend(other.usable);
        self.writable.extend(other.writable);
    }

    fn add(&mut self, relation: Relation, change: Change) {
        let into = match (relation, change.aspect) {
            (Relation::Same, _) => return,
            (Relation::Less, _) => &mut self.less,
            (Relation::More, Aspect::Used | Aspect::Searched) => &mut self.usable,
            (Relation::More, Aspect::Written) => &mut self.writable,
            (Relation::More, _) => &mut self.more,
        };
        into.insert(change);
    }
}

impl Policy {
    /// What another policy gives beyond this one, and the reverse, where this is known of the CRM's data.
    pub fn compared(&self, new: &Self, schema: &Arc<Schema>) -> Compared {
        let policies = [self, new].map(|policy| policy.in_schema(schema.clone()));
        let mut both = Both::of([&policies[OLD].core, &policies[NEW].core]);
        let mut compared = Compared::default();
        let subjects = both.subjects(schema);
        let searches = searches(&mut both, schema);
        let writer = Writer {
            both: &both,
            names: &both.names,
        };
        held::differences(&both.names, &mut |relation, change| {
            compared.add(relation, change);
        });
        for differences in [rows::differences, terms::differences, limits::differences] {
            differences(&both.names, &mut |relation, change| {
                compared.add(relation, change);
            });
        }
        walk::walk(&both, &subjects, &searches, &mut |told| {
            for change in writer.changes(told) {
                compared.add(told.relation, change);
            }
        });
        compared
    }
}

/// Modules whose searched fields differ.
fn searches(both: &mut Both<'_>, schema: &Schema) -> Vec<Search> {
    let models = both.names.models;
    let modules: BTreeSet<_> = models
        .iter()
        .flat_map(|model| model.search.keys())
        .collect();
    let mut searches = Vec::new();
    for module in modules {
        let fields = models.map(|model| {
            let searched = model.search.get(module);
            searched.map(|searched| searched.fields.iter().collect::<BTreeSet<&Field>>())
        });
        if fields[OLD] == fields[NEW] {
            continue;
        }
        let made = |side: usize| -> Option<Vec<Option<Made>>> {
            let fields = fields[side].as_ref()?.iter();
            let of_side = |field: &&Field| {
                let [old, new] = both.made(schema, module, field)?;
                if side == OLD { old } else { new }
            };
            Some(fields.map(of_side).collect())
        };
        searches.push(Search {
            module: module.to_string(),
            sides: [made(OLD), made(NEW)],
        });
    }
    for side in [OLD, NEW] {
        let made = searches
            .iter()
            .filter_map(|search| search.sides[side].as_ref());
        let made: Vec<Vec<usize>> = made
            .flatten()
            .flatten()
            .map(|made| made.categories.clone())
            .collect();
        for categories in made {
            both.look(side, categories);
        }
    }
    searches
}

/// Puts what differs into words.
struct Writer<'b, 'a> {
    both: &'b Both<'a>,
    names: &'b Names<'a>,
}

impl Writer<'_, '_> {
    fn changes(&self, told: &Told<'_, '_>) -> Vec<Change> {
        let (aspect, found, old, new) = words(&told.difference);
        let spot = told.spot;
        let change = Change {
            roles: self.roles(spot),
            purpose: Some(self.names.purposes[spot.purpose].clone()),
            strength: self.names.proven[spot.proven].name.clone(),
            provable: self.provable(spot),
            when: told.when.clone(),
            ..Change::of(aspect, old, new)
        };
        let subject = match told.about {
            About::Search(search) => {
                return vec![Change {
                    field: Some(search.module.clone()),
                    ..change
                }];
            }
            About::Subject(subject) => subject,
        };
        let by = [OLD, NEW].map(|side| {
            self.by(
                (side, told.facts[side]),
                spot,
                subject.sides[side].as_ref(),
                found,
            )
        });
        let change = Change { by, ..change };
        match &subject.what {
            What::Category(at) => {
                let own = self.names.categories[*at];
                vec![Change {
                    field: found.map(|_| format!("(texts of {own})")),
                    category: Some(found.map_or_else(|| own.clone(), category_of)),
                    ..change
                }]
            }
            What::Unclassified => vec![Change {
                field: Some("(unclassified)".to_owned()),
                ..change
            }],
            What::Fields(fields) => {
                let one = |field: &String| Change {
                    field: Some(field.clone()),
                    category: found
                        .map(category_of)
                        .or_else(|| self.category(subject.sides[NEW].as_ref())),
                    ..change.clone()
                };
                fields.iter().map(one).collect()
            }
        }
    }

    /// The strengths that somebody with these roles could prove.
    fn provable(&self, spot: &Spot) -> BTreeSet<String> {
        let roles = spot.roles.iter().map(|role| &self.names.roles[*role].ways);
        let is_of = |proven: &&proven::Proven| roles.clone().all(|ways| proven.is_of(ways));
        let names = self.names.proven.iter().filter(is_of);
        names.filter_map(|proven| proven.name.clone()).collect()
    }

    /// The category of a field, if it has but one.
    fn category(&self, made: Option<&Made>) -> Option<Category> {
        match made?.categories.as_slice() {
            [only] => self
                .names
                .categories
                .get(*only)
                .map(|category| (*category).clone()),
            _ => None,
        }
    }

    fn roles(&self, spot: &Spot) -> Vec<String> {
        let one = |role: &usize| self.names.roles[*role].words();
        let mut roles: Vec<String> = spot.roles.iter().map(one).collect();
        roles.sort();
        roles
    }

    /// The rules that make the lowest level among the categories of something.
    fn by(
        &self,
        (side, facts): (usize, Facts),
        spot: &Spot,
        made: Option<&Made>,
        found: Option<Kind>,
    ) -> Vec<String> {
        let model = self.names.models[side];
        let purpose = self.names.purposes[spot.purpose];
        let held = spot.roles.iter().map(|role| &self.names.roles[*role]);
        let counted: BTreeSet<Role> = held
            .filter(|held| held.under[side])
            .map(|held| held.role.clone())
            .filter(|role| crate::policy::decide::may_invoke(model, role, purpose))
            .collect();
        let Some(made) = made.filter(|_| !counted.is_empty()) else {
            return Vec::new();
        };
        let situation = Situation {
            roles: counted,
            purpose: Some(purpose.clone()),
            strengths: self.names.proven[spot.proven].strengths[side].clone(),
            seen: None,
            observing: Observing::Most,
            facts,
        };
        let mut lowest: Vec<(Level, Vec<String>)> = Vec::new();
        for at in &made.categories {
            lowest.push(match self.names.categories.get(*at) {
                Some(category) => {
                    let verdict = model.verdict(&situation, category);
                    (verdict.level, named(model, &verdict))
                }
                None if *at == self.names.unclassified() => (
                    model.unclassified(&situation),
                    vec![UNCLASSIFIED.to_owned()],
                ),
                None => (Level::Hide, vec!["dialect".to_owned()]),
            });
        }
        if let Some(kind) = found {
            let verdict = model.verdict(&situation, &category_of(kind));
            let made = self
                .both
                .looked(side, made)
                .iter()
                .any(|looked| looked.kind == kind);
            return match made {
                true => named(model, &verdict),
                false => vec!["no detector".to_owned()],
            };
        }
        let least = lowest.iter().map(|(level, _)| *level).min();
        let all = lowest
            .into_iter()
            .filter(|(level, _)| Some(*level) == least);
        let by: BTreeSet<String> = all.flat_map(|(_, by)| by).collect();
        by.into_iter().collect()
    }
}

/// The rules of a verdict, with their places.
fn named(model: &Model, verdict: &crate::policy::engine::Verdict) -> Vec<String> {
    let at = |place: &crate::diagnostic::Place| format!("{}:{}", place.file.path(), place.line());
    let caps = verdict.caps.iter().filter_map(|at| model.caps.get(*at));
    let mut by: Vec<String> = caps
        .filter(|cap| verdict.by.contains(&cap.name))
        .map(|cap| format!("cap {} ({})", cap.name, at(&cap.place)))
        .collect();
    let grants = verdict.grants.iter().filter_map(|at| model.grants.get(*at));
    by.extend(
        grants
            .filter(|grant| verdict.by.contains(&grant.name))
            .map(|grant| format!("grant {} ({})", grant.name, at(&grant.place))),
    );
    if by.is_empty() {
        by.extend(verdict.by.iter().map(ToString::to_string));
    }
    by
}

/// What a difference is about, what is found in a text, and both values.
fn words(difference: &Difference<'_>) -> (Aspect, Option<Kind>, String, String) {
    match difference {
        Difference::Shown(old, new) => (Aspect::Shown, None, old.words(new), new.words(old)),
        Difference::Used(old, new) => (Aspect::Used, None, used(*old), used(*new)),
        Difference::Written(old, new) => (Aspect::Written, None, written(*old), written(*new)),
        Difference::Found(kind, old, new) => {
            (Aspect::InText, Some(*kind), found(*old), found(*new))
        }
        Difference::Refused(kind, old, new) => {
            (Aspect::Written, Some(*kind), refused(*old), refused(*new))
        }
        Difference::Searched(old, new) => {
            let word = |is| if is { "searched" } else { "not searched" };
            (
                Aspect::Searched,
                None,
                word(*old).to_owned(),
                word(*new).to_owned(),
            )
        }
    }
}

fn used(usable: Usable) -> String {
    match usable {
        Usable::No => "not matched",
        Usable::Words => "matched by words",
        Usable::Yes => "matched",
    }
    .to_owned()
}

fn written(gives: Gives) -> String {
    match gives {
        Gives::No => "not written".to_owned(),
        Gives::Valid(kind) => format!("written if it is a valid {}", kind.as_str()),
        Gives::Any => "written".to_owned(),
    }
}

fn found(found: Found) -> String {
    match found.withheld {
        None => "shown as written".to_owned(),
        Some((least, languages)) => {
            let codes: Vec<&str> = languages.codes().collect();
            match codes.is_empty() {
                true => "looked for".to_owned(),
                false => format!("looked for if {}, in {}", least.as_str(), codes.join(" ")),
            }
        }
    }
}

fn refused(refused: Refused) -> String {
    match refused.0 {
        None => "new ones written".to_owned(),
        Some(least) => format!("new ones refused if {}", least.as_str()),
    }
}
