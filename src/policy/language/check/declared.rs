//! Every name that the files declare, and the looking up of names.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, Diagnostics, meant, odd, quoted};
use crate::vocabulary::{Category, Purpose, Role};

use super::super::codes;
use super::super::document::{Document, Word};
use super::super::model::CategoryModel;

/// Every name that the files declare.
pub(super) struct Declared {
    pub(super) roles: Kind,
    pub(super) purposes: Kind,
    pub(super) strengths: Kind,
    pub(super) modules: Kind,
    pub(super) categories: BTreeMap<Category, CategoryModel>,
    /// Whether more may be declared in what was not understood.
    pub(super) incomplete: bool,
}

/// The names of one kind.
pub(super) struct Kind {
    what: &'static str,
    /// The section that declares them.
    section: &'static str,
    code: &'static str,
    pub(super) names: BTreeSet<String>,
    /// Those that nothing speaks of.
    unused: BTreeSet<String>,
}

impl Kind {
    pub(super) fn new<'a>(
        (what, section, code): (&'static str, &'static str, &'static str),
        declared: impl Iterator<Item = &'a Word>,
        used: &[&Word],
    ) -> Self {
        let names: BTreeSet<String> = declared.map(|word| word.value.clone()).collect();
        let is_used = |name: &&String| used.iter().any(|word| word.value == **name);
        Self {
            unused: names
                .iter()
                .filter(|name| !is_used(name))
                .cloned()
                .collect(),
            names,
            what,
            section,
            code,
        }
    }

    /// A name as it is declared: itself, or what it looks like. `None` if it is not declared.
    fn declared(&self, name: &str) -> Option<&str> {
        let names = &self.names;
        let known = names.get(name).or_else(|| names.get(&odd::plain(name)));
        known.map(String::as_str)
    }

    /// A name that is not declared.
    fn unknown(&self, word: &Word) -> Diagnostic {
        let Self { what, section, .. } = self;
        let title = format!("unknown {what} {}", quoted(&word.value));
        let label = format!("not declared under `{section}`");
        let diagnostic = Diagnostic::error(self.code, title).at(&word.place, label);
        let all: Vec<&str> = self.names.iter().map(String::as_str).collect();
        if all.is_empty() {
            return diagnostic.help(format!("declare it under `{section}`"));
        }
        let declared = format!("declared: {}", all.join(", "));
        let renamed = self.unused.first().filter(|_| self.unused.len() == 1);
        let help = match renamed {
            Some(new) => format!(
                "{declared}; nothing speaks of {}: was it renamed?",
                quoted(new)
            ),
            None => declared,
        };
        diagnostic.help(help).suggest(&word.value, all)
    }
}

/// Every name of a role that something speaks of.
fn used_roles(document: &Document) -> Vec<&Word> {
    let caps = document.caps.iter();
    let rows = document.rows.iter();
    let limits = document.limits.iter().map(|limit| &limit.whom);
    let meant = caps.map(|cap| &cap.whom).chain(rows.map(|row| &row.whom));
    let meant = meant.chain(limits);
    let optional = meant.flat_map(|whom| [&whom.roles, &whom.unless_roles]);
    let purposes = document.purposes.iter().map(|entry| &entry.roles);
    let grants = document.grants.iter().map(|entry| &entry.roles);
    let exceptions = document.exceptions.iter().map(|entry| &entry.roles);
    let given = purposes.chain(grants).chain(exceptions).flatten();
    given.chain(optional.flatten().flatten()).collect()
}

/// Every name of a purpose that something speaks of.
fn used_purposes(document: &Document) -> Vec<&Word> {
    let grants = document
        .grants
        .iter()
        .filter_map(|grant| grant.purposes.as_ref());
    let caps = document
        .caps
        .iter()
        .filter_map(|cap| cap.whom.purposes.as_ref());
    let rows = document
        .rows
        .iter()
        .filter_map(|row| row.whom.purposes.as_ref());
    let limits = document
        .limits
        .iter()
        .filter_map(|limit| limit.whom.purposes.as_ref());
    let roles = document.roles.iter();
    let bound = roles.clone().filter_map(|role| role.purposes.as_ref());
    let defaults = roles.filter_map(|role| role.default_purpose.as_ref());
    let lists = grants.chain(caps).chain(rows).chain(limits).chain(bound);
    lists.flatten().chain(defaults).collect()
}

impl Declared {
    pub(super) fn new(document: &Document, categories: BTreeMap<Category, CategoryModel>) -> Self {
        let grants = document.grants.iter().flat_map(|grant| &grant.requires);
        let limits = document.limits.iter();
        let asked = limits.clone().flat_map(|limit| &limit.requires);
        let strengths: Vec<&Word> = grants.chain(asked).collect();
        let searched = document.search.iter().map(|entry| &entry.module);
        let kept = document.rows.iter().flat_map(|row| &row.modules);
        let counted = limits.filter_map(|limit| limit.modules.as_ref()).flatten();
        let retained = document.retention.iter().flat_map(|rule| &rule.modules);
        let modules = searched.chain(kept).chain(counted).chain(retained);
        let modules: Vec<&Word> = modules.collect();
        Self {
            roles: Kind::new(
                ("role", "roles", codes::UNKNOWN_ROLE),
                document.roles.iter().map(|entry| &entry.name),
                &used_roles(document),
            ),
            purposes: Kind::new(
                ("purpose", "purposes", codes::UNKNOWN_PURPOSE),
                document.purposes.iter().map(|entry| &entry.name),
                &used_purposes(document),
            ),
            strengths: Kind::new(
                ("strength", "auth", codes::UNKNOWN_STRENGTH),
                document.strengths.iter().map(|(name, _)| name),
                &strengths,
            ),
            modules: Kind::new(
                ("module", "classify", codes::UNKNOWN_MODULE),
                document.modules.iter(),
                &modules,
            ),
            categories,
            incomplete: document.incomplete,
        }
    }

    /// Reports a name that is not declared, once for all places where it stands.
    pub(super) fn report(&self, problem: Diagnostic, found: &mut Diagnostics) {
        if !self.incomplete {
            found.push_named(problem);
        }
    }

    /// Those of some names that are declared; others are reported.
    pub(super) fn look_up<'a>(
        &'a self,
        words: &[Word],
        kind: &'a Kind,
        found: &mut Diagnostics,
    ) -> Vec<&'a str> {
        let mut names = Vec::new();
        for word in words {
            let declared = kind.declared(&word.value);
            names.extend(declared);
            if declared != Some(word.value.as_str()) {
                self.report(kind.unknown(word), found);
            }
        }
        names
    }

    pub(super) fn roles(&self, words: &[Word], found: &mut Diagnostics) -> BTreeSet<Role> {
        let names = self.look_up(words, &self.roles, found);
        names.into_iter().map(Role::new).collect()
    }

    pub(super) fn purposes(&self, words: &[Word], found: &mut Diagnostics) -> BTreeSet<Purpose> {
        let names = self.look_up(words, &self.purposes, found);
        names.into_iter().map(Purpose::new).collect()
    }

    /// Categories that a rule speaks of: each is one, or stands above some.
    pub(super) fn data(&self, words: &[Word], found: &mut Diagnostics) -> Vec<Category> {
        let mut data = Vec::new();
        for word in words {
            let category = Category::new(&word.value);
            if self.categories.keys().any(|known| category.covers(known)) {
                data.push(category);
            } else {
                self.report(self.unknown_category(word, true), found);
            }
        }
        data.sort();
        data.dedup();
        data
    }

    /// Categories that a field belongs to: each must be one.
    pub(super) fn exact(&self, words: &[Word], found: &mut Diagnostics) -> BTreeSet<Category> {
        let mut categories = BTreeSet::new();
        for word in words {
            let category = Category::new(&word.value);
            if self.categories.contains_key(&category) {
                categories.insert(category);
            } else if self.categories.keys().any(|known| category.covers(known)) {
                let below: Vec<&str> = self.below(&category).map(Category::as_str).collect();
                let problem = Diagnostic::error(
                    codes::UNKNOWN_CATEGORY,
                    format!("{} is a group of categories", quoted(&word.value)),
                )
                .at(&word.place, "a field needs one category")
                .help(format!("choose one of: {}", below.join(", ")));
                self.report(problem, found);
            } else {
                self.report(self.unknown_category(word, false), found);
            }
        }
        categories
    }

    pub(super) fn below<'a>(&'a self, group: &'a Category) -> impl Iterator<Item = &'a Category> {
        self.categories.keys().filter(|known| group.covers(known))
    }

    fn unknown_category(&self, word: &Word, groups: bool) -> Diagnostic {
        let mut known: BTreeSet<&str> = self.categories.keys().map(Category::as_str).collect();
        if groups {
            let heads: Vec<&str> = known
                .iter()
                .filter_map(|name| name.split_once('.').map(|(head, _)| head))
                .collect();
            known.extend(heads);
        }
        let title = format!("unknown data category {}", quoted(&word.value));
        let label = "not in the catalogue and not defined under `categories`";
        let problem = Diagnostic::error(codes::UNKNOWN_CATEGORY, title)
            .at(&word.place, label)
            .look_alike(&word.value);
        problem.help(match meant(&word.value, known) {
            Some(near) => format!("a category with a similar name exists: `{near}`"),
            None => "define it under `categories`, or use one of the catalogue".to_owned(),
        })
    }
}
