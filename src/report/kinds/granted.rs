//! What a policy declares, for reports that hold the log against it.

use std::collections::{BTreeMap, BTreeSet};

use crate::policy::Policy;
use crate::vocabulary::Level;

use crate::report::language::Language;

/// What is declared.
#[derive(Debug, Default)]
pub(super) struct Granted {
    pub(super) policy: String,
    pub(super) hash: String,
    /// By role, then by category: the highest level, and for which purposes there is one.
    pub(super) roles: BTreeMap<String, BTreeMap<String, Given>>,
    /// By name.
    pub(super) purposes: BTreeMap<String, Declared>,
    /// Roles of machines alone.
    pub(super) machines: BTreeSet<String>,
}

/// What a role gets of a category.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) level: Level,
    pub(super) purposes: BTreeSet<String>,
}

/// A purpose.
#[derive(Debug, Default)]
pub(super) struct Declared {
    pub(super) label: Option<String>,
    pub(super) basis: String,
    pub(super) roles: BTreeSet<String>,
    /// By category, the highest level.
    pub(super) categories: BTreeMap<String, Level>,
}

/// Whether something of a value is shown.
pub(super) fn shows(level: Level) -> bool {
    level >= Level::Token
}

impl Granted {
    /// What a policy gives, with everything that callers can prove.
    pub(super) fn of(policy: &Policy, language: Language) -> Self {
        let mut granted = Self {
            policy: policy.name().to_owned(),
            hash: policy.hash().to_owned(),
            ..Self::default()
        };
        for purpose in policy.purposes() {
            let label = policy.label_of_purpose(purpose, language.is_french());
            let declared = Declared {
                label: label.map(str::to_owned),
                basis: policy.basis_of(purpose).unwrap_or_default().to_owned(),
                ..Declared::default()
            };
            granted.purposes.insert(purpose.to_string(), declared);
        }
        for role in policy.roles() {
            granted.roles.entry(role.to_string()).or_default();
            if policy.are_machines(std::slice::from_ref(role)) {
                granted.machines.insert(role.to_string());
            }
        }
        for column in policy.columns() {
            let (role, purpose) = (column.role.to_string(), column.purpose.to_string());
            for category in policy.categories() {
                let level = column.sight.category(category).level;
                if shows(level) {
                    granted.add(&role, &purpose, category.as_str(), level);
                }
            }
            let declared = granted.purposes.entry(purpose).or_default();
            declared.roles.insert(role);
        }
        granted
    }

    fn add(&mut self, role: &str, purpose: &str, category: &str, level: Level) {
        let categories = self.roles.entry(role.to_owned()).or_default();
        let given = categories.entry(category.to_owned());
        let given = given.or_insert_with(|| Given {
            level,
            purposes: BTreeSet::new(),
        });
        given.level = given.level.max(level);
        given.purposes.insert(purpose.to_owned());
        let declared = self.purposes.entry(purpose.to_owned()).or_default();
        let own = declared
            .categories
            .entry(category.to_owned())
            .or_insert(level);
        *own = (*own).max(level);
    }

    /// The highest level that some roles get of a category.
    pub(super) fn level(&self, roles: &[String], category: &str) -> Option<Level> {
        let of = |role: &String| Some(self.roles.get(role)?.get(category)?.level);
        roles.iter().filter_map(of).max()
    }
}
