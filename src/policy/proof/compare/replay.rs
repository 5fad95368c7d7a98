//! One access of the past, decided under two policies.
//!
//! What is known of it is what the log tells: roles that counted, not the evidence of them; strengths by name; fields, and no
//! values. Where that is not enough, nothing is guessed.

use std::collections::{BTreeMap, BTreeSet};

use crate::dialect::Origin;
use crate::policy::Policy;
use crate::policy::decide::{counted, may_invoke, purpose};
use crate::policy::decision::looked::Looked;
use crate::policy::engine::{Facts, Observing, Situation};
use crate::policy::judge::{Judgement, Treatment, View};
use crate::policy::language::catalogue::category_of;
use crate::policy::language::model::Model;
use crate::policy::plan::Usable;
use crate::vocabulary::{FieldPath, Level, Module, Purpose, Role};

use super::apart::Apart;
use super::cells::{NEW, OLD, is_within};
use super::rows;
use super::shown::{AtMost as _, Relation, Shown};
use super::subjects::{Found, is_statement};
use super::worlds::{World, Worlds};

/// An access, as a log tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Access {
    /// The roles that counted.
    pub roles: Vec<String>,
    /// The purpose.
    pub purpose: Option<String>,
    /// Whether the request stated it.
    pub is_stated: bool,
    /// The strengths that were proved.
    pub strengths: Vec<String>,
    /// The hash of the policy that decided it.
    pub policy: String,
    /// Whether it was refused because of its roles, its purpose, or what it was to do.
    pub is_refused: bool,
    /// Fields of the reply, and fields that were asked for.
    pub fields: Vec<Field>,
    /// Fields that were matched.
    pub matched: Vec<String>,
    /// Fields that were sorted by.
    pub sorted: Vec<String>,
}

/// A field of the reply: `Contacts.iban_c`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Field {
    /// Its module and name.
    pub name: String,
    /// The categories of what was found in its text.
    pub found: Vec<String>,
}

/// What an access would have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Replayed {
    /// It would have shown nothing more.
    NotMore,
    /// It would have shown more.
    More,
    /// The log does not tell enough.
    Undecided(&'static str),
}

/// Why something is not decided.
const ROLES: &str = "what makes a role has changed";
const STRENGTHS: &str = "strengths are defined otherwise";
const PURPOSE: &str = "the purpose of requests that state none has changed";
const TEXTS: &str = "what stands in texts was not looked for";
const NAMES: &str = "fields whose names were not logged";
const REFUSAL: &str = "why it was refused is not known";
const OPERANDS: &str = "what was looked for is not logged";
const CONDITIONS: &str = "what conditions held of the records is not logged";
const ROWS: &str = "which records were not there is not logged";

/// One side of an access.
struct Side<'a> {
    policy: &'a Policy,
    /// `None`: the request is refused.
    view: Option<View>,
    /// By which fields were used, where that is another one.
    used: Option<View>,
}

impl Policy {
    /// Whether an access would have shown more under another policy than under this one.
    pub fn replayed(&self, new: &Self, access: &Access) -> Replayed {
        let policies = [self, new];
        let models = policies.map(|policy| &*policy.core.model);
        let roles: Vec<Role> = access.roles.iter().map(|role| Role::new(role)).collect();
        if is_unclear_who(models, &roles) {
            return Replayed::Undecided(ROLES);
        }
        let purposes = match purposes(models, &roles, access) {
            Ok(purposes) => purposes,
            Err(why) => return Replayed::Undecided(why),
        };
        if may_have_others(models, &roles, purposes[NEW].as_ref(), access.is_stated) {
            return Replayed::Undecided(ROLES);
        }
        // What is named alike and means another thing may have been proved, or not.
        let doubtful = doubtful(models);
        let asked = [OLD, NEW].map(|side| purposes[side].as_ref());
        let apart = Apart::of(models, asked, None);
        let worlds = Worlds::of(models, [u64::MAX; 2], &apart);
        let with = |strengths: BTreeSet<String>| {
            let in_world = |world: &World| {
                let sides = [OLD, NEW].map(|side| {
                    let strengths = match side {
                        OLD => access.strengths.iter().cloned().collect(),
                        _ => strengths.clone(),
                    };
                    let facts = [world.showing[side], world.using[side]];
                    let asked = (&roles[..], purposes[side].as_ref());
                    Side::of(policies[side], asked, strengths, facts)
                });
                compared(&sides, access, self.hash() == access.policy)
            };
            let mut all = worlds.all.iter().map(in_world);
            let first = all.next().unwrap_or(Replayed::Undecided(CONDITIONS));
            match all.all(|other| other == first) {
                true => first,
                false => Replayed::Undecided(CONDITIONS),
            }
        };
        let is_beyond = may_have_rows(models, &roles, &purposes, access);
        let with = |strengths| match with(strengths) {
            Replayed::NotMore if is_beyond => Replayed::Undecided(ROWS),
            replayed => replayed,
        };
        let certain: BTreeSet<String> = access
            .strengths
            .iter()
            .filter(|name| !doubtful.contains(*name))
            .cloned()
            .collect();
        let least = with(certain.clone());
        if doubtful.is_empty() {
            return least;
        }
        match with(certain.union(&doubtful).cloned().collect()) == least {
            true => least,
            false => Replayed::Undecided(STRENGTHS),
        }
    }
}

/// Whether somebody with these roles may not have them under the new policy, or may have others that the log does not name.
fn is_unclear_who([old, new]: [&Model; 2], roles: &[Role]) -> bool {
    let is_narrower = |role: &Role| match (old.roles.get(role), new.roles.get(role)) {
        (Some(old), Some(new)) => !is_within(&old.from, &new.from),
        (before, after) => before.is_none() && after.is_none(),
    };
    let is_wider = |(name, role): (&Role, &crate::policy::language::model::RoleModel)| {
        let before = old.roles.get(name);
        before.is_none_or(|before| !is_within(&role.from, &before.from))
    };
    roles.iter().any(is_narrower) || (roles.is_empty() && new.roles.iter().any(is_wider))
}

/// Whether who asked may have a role that the log does not name and that counts under the new policy alone: it is new, others
/// have it, or it may ask for the purpose now.
fn may_have_others(
    [old, new]: [&Model; 2],
    roles: &[Role],
    purpose: Option<&Purpose>,
    is_stated: bool,
) -> bool {
    let mut others = new.roles.iter().filter(|(name, _)| !roles.contains(name));
    others.any(|(name, role)| {
        let before = old.roles.get(name);
        let is_wider = before.is_none_or(|before| !is_within(&role.from, &before.from));
        let may_invoke = |model| purpose.is_some_and(|purpose| may_invoke(model, name, purpose));
        // It may have its say in the purpose of a request that states none.
        (is_wider && !is_stated) || (may_invoke(new) && (is_wider || !may_invoke(old)))
    })
}

/// The purpose under both policies; `None`: such a request is refused.
fn purposes(
    models: [&Model; 2],
    roles: &[Role],
    access: &Access,
) -> Result<[Option<Purpose>; 2], &'static str> {
    let logged = access.purpose.as_deref().map(Purpose::new);
    if access.is_stated {
        return Ok([logged.clone(), logged]);
    }
    let usual = models.map(|model| {
        let known = roles.iter().filter(|role| model.roles.contains_key(*role));
        let known: Vec<Role> = known.cloned().collect();
        purpose(model, &known, None)
            .ok()
            .map(|chosen| chosen.purpose)
    });
    if usual[OLD] == usual[NEW] {
        return Ok([logged.clone(), logged]);
    }
    // Roles that did not count may have had a say in it.
    match usual[OLD] == logged {
        true => Ok(usual),
        false => Err(PURPOSE),
    }
}

/// Strengths of the new policy that the old one has not, or defines otherwise.
fn doubtful([old, new]: [&Model; 2]) -> BTreeSet<String> {
    let proofs = |model: &Model, name: &str| -> Option<BTreeSet<String>> {
        let any = model.strengths.get(name)?.any.iter();
        Some(any.map(|proof| format!("{proof:?}")).collect())
    };
    let names = new.strengths.keys();
    names
        .filter(|name| proofs(old, name) != proofs(new, name))
        .cloned()
        .collect()
}

/// Whether records may be there under the new policy that were not under the old one.
fn may_have_rows(
    models: [&Model; 2],
    roles: &[Role],
    purposes: &[Option<Purpose>; 2],
    access: &Access,
) -> bool {
    let names = access.fields.iter().map(|field| field.name.as_str());
    let names = names.chain(access.matched.iter().map(String::as_str));
    let modules: BTreeSet<Module> = names
        .filter_map(|name| name.split_once('.'))
        .map(|(module, _)| Module::new(module))
        .collect();
    modules.iter().any(|module| {
        let kept = [OLD, NEW].map(|side| {
            let counts = |purpose| counted(models[side], roles, purpose);
            let roles = purposes[side].as_ref().map(counts).unwrap_or_default();
            rows::kept(models[side], roles, purposes[side].as_ref(), module)
        });
        let asked = [OLD, NEW].map(|side| purposes[side].as_ref());
        let apart = Apart::of(models, asked, Some(module));
        rows::has_more(&kept, &apart, NEW, OLD)
    })
}

impl<'a> Side<'a> {
    fn of(
        policy: &'a Policy,
        (roles, purpose): (&[Role], Option<&Purpose>),
        strengths: BTreeSet<String>,
        [showing, using]: [Facts; 2],
    ) -> Self {
        let model = &policy.core.model;
        let situation = |facts| {
            let situation = purpose.map(|purpose| Situation {
                roles: counted(model, roles, purpose),
                purpose: Some(purpose.clone()),
                strengths: strengths.clone(),
                seen: None,
                observing: Observing::Most,
                facts,
            });
            situation.filter(|situation| !situation.roles.is_empty())
        };
        let view = |situation| View::new(policy.core.clone(), situation);
        Self {
            policy,
            view: situation(showing).map(view),
            used: (using != showing)
                .then(|| situation(using).map(view))
                .flatten(),
        }
    }

    /// What is said of a field; `None` where the request is refused, or the dialect alone rules the field.
    fn judge(&self, path: &FieldPath) -> Option<Judgement> {
        self.judge_by(self.view.as_ref()?, path)
    }

    fn judge_by(&self, view: &View, path: &FieldPath) -> Option<Judgement> {
        let origin = view.core.schema.origin(&path.module, path.field.as_str());
        let is_data = matches!(
            origin,
            Origin::Own | Origin::Items(_) | Origin::Copy { .. } | Origin::CopyItems { .. }
        );
        (is_data && self.policy.knows(&path.module)).then(|| view.judge(&path.module, &path.field))
    }

    /// How far a field may be used.
    fn usable(&self, path: &FieldPath) -> Usable {
        let view = self.used.as_ref().or(self.view.as_ref());
        let judged = view.and_then(|view| self.judge_by(view, path));
        judged.map_or(Usable::No, |judged| judged.usable)
    }
}

fn compared(sides: &[Side<'_>; 2], access: &Access, is_of_old: bool) -> Replayed {
    // Under the old policy a use may have been refused, under the new one it passes.
    let passes = [OLD, NEW].map(|side| passes(&sides[side], access));
    match passes {
        [_, Some(false)] => return Replayed::NotMore,
        [None, _] | [_, None] => return Replayed::Undecided(OPERANDS),
        // It was refused for something else, and nobody knows whether that is refused still.
        [Some(true), _] if access.is_refused => return Replayed::Undecided(REFUSAL),
        _ => {}
    }
    let is_let_in = passes[OLD] == Some(false);
    let mut found = Replayed::NotMore;
    for field in &access.fields {
        let Some(path) = path(&field.name) else {
            if is_unclear_of_names(sides) {
                found = Replayed::Undecided(NAMES);
            }
            continue;
        };
        let judged = [OLD, NEW].map(|side| sides[side].judge(&path));
        let shown = |side: usize| match &judged[side] {
            Some(_) if side == OLD && is_let_in => Shown::Refused,
            Some(judged) => shown(judged),
            None => Shown::Refused,
        };
        let (before, after) = (shown(OLD), shown(NEW));
        if !after.at_most(&before) && (before != Shown::Refused || after.is_something()) {
            return Replayed::More;
        }
        if let [Some(old), Some(new)] = &judged {
            match texts(sides, [old, new], field, is_of_old) {
                Replayed::NotMore => {}
                Replayed::More => return Replayed::More,
                undecided => found = undecided,
            }
        }
    }
    // A count or a filter tells something without showing anything.
    match is_let_in && !access.matched.is_empty() {
        true => Replayed::More,
        false => found,
    }
}

/// Whether the uses of fields are permitted; `None`: that depends on what they are compared with.
fn passes(side: &Side<'_>, access: &Access) -> Option<bool> {
    if side.view.is_none() {
        return Some(false);
    }
    let matched = access.matched.iter().filter_map(|name| path(name));
    let sorted = access.sorted.iter().filter_map(|name| path(name));
    let uses: Vec<Usable> = matched.map(|path| side.usable(&path)).collect();
    if uses.contains(&Usable::No)
        || sorted
            .map(|path| side.usable(&path))
            .any(|usable| usable < Usable::Yes)
    {
        return Some(false);
    }
    (!uses.contains(&Usable::Words)).then_some(true)
}

/// A field by its name; `None` for such as the log only counts.
fn path(name: &str) -> Option<FieldPath> {
    let (module, field) = name.split_once('.')?;
    (!field.starts_with('(')).then(|| FieldPath::new(&module.into(), field))
}

/// Whether fields whose names nobody wrote down may be shown more.
fn is_unclear_of_names(sides: &[Side<'_>; 2]) -> bool {
    let [old, new] = [OLD, NEW].map(|side| &*sides[side].policy.core.model);
    let patterns = |model: &Model| -> BTreeMap<String, BTreeSet<String>> {
        let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let own = model.classes.modules.iter();
        let own = own.map(|(module, section)| (module.as_str(), section));
        for (module, section) in own.chain([("*", &model.classes.everywhere)]) {
            for wildcard in &section.wildcards {
                let name = format!("{module}.{}", wildcard.pattern.as_str());
                let categories = wildcard.categories.iter().map(ToString::to_string);
                all.entry(name).or_default().extend(categories);
            }
        }
        all
    };
    new.unclassified > old.unclassified || patterns(old) != patterns(new)
}

fn shown(judged: &Judgement) -> Shown<'_> {
    match &judged.treatment {
        Treatment::Remove => Shown::Hide,
        Treatment::Redact => Shown::Redact,
        Treatment::Token(category) => Shown::Token(category),
        Treatment::Mask(mask) => Shown::Mask(mask),
        Treatment::Clear | Treatment::Text(_) => Shown::Clear,
    }
}

/// Whether something that was found in a text, or could have been, would be shown.
fn texts(
    sides: &[Side<'_>; 2],
    judged: [&Judgement; 2],
    field: &Field,
    is_of_old: bool,
) -> Replayed {
    let nothing: &[Looked] = &[];
    let looked = judged.map(|judged| match &judged.treatment {
        Treatment::Text(looked) => looked.as_slice(),
        _ => nothing,
    });
    let is_clear = judged.iter().all(|judged| judged.level == Level::Clear);
    let mut found = Replayed::NotMore;
    for own in looked[OLD].iter().filter(|_| is_clear) {
        let category = category_of(own.kind);
        let level = |side: usize| {
            let view = sides[side].view.as_ref();
            view.map_or(Level::Hide, |view| view.verdict(&category).level)
        };
        let other = looked[NEW].iter().find(|looked| looked.kind == own.kind);
        let terms = |looked: &Looked| Found {
            withheld: looked.shown.map(|least| (least, looked.languages)),
        };
        let new = other.map_or(Found { withheld: None }, terms);
        let is_lifted = level(NEW) > level(OLD);
        let is_looser = Relation::between(&terms(own), &new) == Relation::More;
        if level(OLD) == Level::Clear || !(is_lifted || is_looser) {
            continue;
        }
        let logged = if is_statement(own) {
            "special"
        } else {
            category.as_str()
        };
        if field.found.iter().any(|found| found == logged) {
            return Replayed::More;
        }
        if !is_of_old {
            found = Replayed::Undecided(TEXTS);
        }
    }
    found
}
