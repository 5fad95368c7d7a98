//! A policy that was checked: every name means something.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::detect::Kind;
use crate::detect::statement::{Certainty, Languages};
use crate::diagnostic::Place;
use crate::identity::Caller;
use crate::mask::Mask;
use crate::vocabulary::{Category, Field, Level, Module, Purpose, Role, RuleName};

use super::classes::Classes;

/// A checked policy.
#[derive(Debug)]
pub(in crate::policy) struct Model {
    pub(in crate::policy) name: String,
    pub(in crate::policy) hash: String,
    /// The level of a field that no one has classified.
    pub(in crate::policy) unclassified: Level,
    /// The level of a category that no grant reaches.
    pub(in crate::policy) ungranted: Level,
    /// Which of several default purposes counts: the first.
    pub(in crate::policy) purpose_order: Vec<Purpose>,
    pub(in crate::policy) roles: BTreeMap<Role, RoleModel>,
    pub(in crate::policy) strengths: BTreeSet<String>,
    pub(in crate::policy) purposes: BTreeMap<Purpose, PurposeModel>,
    pub(in crate::policy) categories: BTreeMap<Category, CategoryModel>,
    pub(in crate::policy) classes: Classes,
    pub(in crate::policy) search: BTreeMap<Module, Searched>,
    pub(in crate::policy) detectors: Vec<Detector>,
    pub(in crate::policy) grants: Vec<Grant>,
    pub(in crate::policy) caps: Vec<Cap>,
}

/// Labels in the languages of this version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::policy) struct Labels {
    pub(in crate::policy) en: Option<String>,
    pub(in crate::policy) fr: Option<String>,
}

/// The fields of a module that the CRM's full-text search looks into.
#[derive(Debug)]
pub(in crate::policy) struct Searched {
    pub(in crate::policy) fields: Vec<Field>,
    pub(in crate::policy) place: Place,
}

#[derive(Debug)]
pub(in crate::policy) struct RoleModel {
    pub(in crate::policy) place: Place,
    /// All must hold; each holds if one of its values does.
    pub(in crate::policy) from: Vec<(Evidence, Vec<String>)>,
    pub(in crate::policy) default_purpose: Option<Purpose>,
}

/// What the CRM says of a session, as far as a role can come from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::enum_variant_names,
    reason = "evidence of other kinds will stand beside the CRM's"
)]
pub(in crate::policy) enum Evidence {
    CrmRole,
    CrmTeam,
    CrmUser,
    CrmType,
}

impl Evidence {
    pub(in crate::policy) const ALL: [Self; 4] =
        [Self::CrmRole, Self::CrmTeam, Self::CrmUser, Self::CrmType];

    /// The word of the policy language.
    pub(in crate::policy) fn as_str(self) -> &'static str {
        match self {
            Self::CrmRole => "crm.role",
            Self::CrmTeam => "crm.team",
            Self::CrmUser => "crm.user",
            Self::CrmType => "crm.type",
        }
    }
}

#[derive(Debug)]
pub(in crate::policy) struct PurposeModel {
    pub(in crate::policy) place: Place,
    pub(in crate::policy) labels: Labels,
    pub(in crate::policy) basis: Arc<str>,
    pub(in crate::policy) roles: BTreeSet<Role>,
}

#[derive(Debug)]
pub(in crate::policy) struct CategoryModel {
    pub(in crate::policy) labels: Labels,
    pub(in crate::policy) mask: Option<Mask>,
    /// Where nothing is shown of it, the key is removed.
    pub(in crate::policy) hidden: bool,
    /// Where the policy defines it; `None` for one of the catalogue that the policy leaves as it is.
    pub(in crate::policy) place: Option<Place>,
    /// Where the policy gives it its mask.
    pub(in crate::policy) mask_place: Option<Place>,
}

#[derive(Debug)]
pub(in crate::policy) struct Detector {
    pub(in crate::policy) place: Place,
    pub(in crate::policy) within: Vec<Category>,
    pub(in crate::policy) find: Vec<Kind>,
    pub(in crate::policy) terms: Terms,
}

/// On which terms a detector looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::policy) struct Terms {
    /// The languages of the statements that it looks for.
    pub(in crate::policy) languages: Languages,
    /// How sure a statement must be to be withheld.
    pub(in crate::policy) at_least: Certainty,
    /// Whether what it finds is withheld.
    pub(in crate::policy) shown: bool,
    /// Whether its texts may only be matched, sorted and searched where what it can find is clear.
    pub(in crate::policy) matched: bool,
    /// Whether new findings are writes to their category.
    pub(in crate::policy) written: bool,
    /// From which certainty on a new statement is refused; `None`: never.
    pub(in crate::policy) refuse: Option<Certainty>,
    /// From which certainty on it is told in the log; `None`: never.
    pub(in crate::policy) flag: Option<Certainty>,
}

#[derive(Debug)]
pub(in crate::policy) struct Grant {
    pub(in crate::policy) name: RuleName,
    pub(in crate::policy) place: Place,
    pub(in crate::policy) roles: BTreeSet<Role>,
    /// `None`: for every purpose.
    pub(in crate::policy) purposes: Option<BTreeSet<Purpose>>,
    pub(in crate::policy) data: Vec<Category>,
    pub(in crate::policy) level: Level,
    pub(in crate::policy) requires: Option<String>,
    /// What it lets be written of its data.
    pub(in crate::policy) write: Writing,
    pub(in crate::policy) why: Option<String>,
}

#[derive(Debug)]
pub(in crate::policy) struct Cap {
    pub(in crate::policy) name: RuleName,
    pub(in crate::policy) place: Place,
    pub(in crate::policy) applies: Applies,
    /// `None`: for every purpose.
    pub(in crate::policy) purposes: Option<BTreeSet<Purpose>>,
    pub(in crate::policy) data: Vec<Category>,
    pub(in crate::policy) level: Level,
    /// Whether it forbids to write, too. A cap below `clear` always does.
    pub(in crate::policy) denies_write: bool,
    pub(in crate::policy) firm: bool,
    pub(in crate::policy) why: Option<String>,
}

/// How much may be written. Like levels, these are a chain: grants lift, caps lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::policy) enum Writing {
    /// Nothing.
    No,
    /// Valid identifiers only: what somebody may write without seeing it must at least prove itself.
    Valid,
    /// Any value.
    Any,
}

/// To whom a cap applies.
#[derive(Debug)]
pub(in crate::policy) enum Applies {
    Everyone,
    /// Whoever has one of these roles.
    Roles(BTreeSet<Role>),
    /// Whoever has a role beside these.
    UnlessRoles(BTreeSet<Role>),
}

impl RoleModel {
    /// Whether a caller's evidence makes the role.
    pub(in crate::policy) fn fits(&self, caller: &Caller) -> bool {
        // No evidence is nobody's evidence; `check` refuses such a role.
        !self.from.is_empty()
            && self.from.iter().all(|(evidence, values)| {
                values.iter().any(|value| match evidence {
                    Evidence::CrmRole => caller.crm_roles().contains(value),
                    Evidence::CrmTeam => caller.crm_teams().contains(value),
                    Evidence::CrmUser => caller.name() == value,
                    Evidence::CrmType => caller.kind() == value,
                })
            })
    }
}

/// Whether a rule about some categories speaks of this one.
pub(in crate::policy) fn about(data: &[Category], category: &Category) -> bool {
    data.iter().any(|rule| rule.covers(category))
}
