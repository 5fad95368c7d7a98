//! A policy that was checked: every name means something.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::detect::Kind;
use crate::diagnostic::Place;
use crate::identity::Caller;
use crate::mask::Mask;
use crate::vocabulary::{Category, Field, Level, Module, Purpose, Role, RuleName};

use super::classes::Classes;

/// A checked policy.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) name: String,
    pub(super) hash: String,
    /// The level of a field that no one has classified.
    pub(super) unclassified: Level,
    /// The level of a category that no grant reaches.
    pub(super) ungranted: Level,
    pub(super) roles: BTreeMap<Role, RoleModel>,
    pub(super) strengths: BTreeSet<String>,
    pub(super) purposes: BTreeMap<Purpose, PurposeModel>,
    pub(super) categories: BTreeMap<Category, CategoryModel>,
    pub(super) classes: Classes,
    pub(super) search: BTreeMap<Module, Searched>,
    pub(super) detectors: Vec<Detector>,
    pub(super) grants: Vec<Grant>,
    pub(super) caps: Vec<Cap>,
}

/// Labels in the languages of this version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Labels {
    pub(super) en: Option<String>,
    pub(super) fr: Option<String>,
}

/// The fields of a module that the CRM's full-text search looks into.
#[derive(Debug)]
pub(super) struct Searched {
    pub(super) fields: Vec<Field>,
    pub(super) place: Place,
}

#[derive(Debug)]
pub(super) struct RoleModel {
    pub(super) place: Place,
    /// All must hold; each holds if one of its values does.
    pub(super) from: Vec<(Evidence, Vec<String>)>,
    pub(super) default_purpose: Option<Purpose>,
}

/// What the CRM says of a session, as far as a role can come from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::enum_variant_names,
    reason = "evidence of other kinds will stand beside the CRM's"
)]
pub(super) enum Evidence {
    CrmRole,
    CrmTeam,
    CrmUser,
    CrmType,
}

impl Evidence {
    pub(super) const ALL: [Self; 4] = [Self::CrmRole, Self::CrmTeam, Self::CrmUser, Self::CrmType];

    /// The word of the policy language.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::CrmRole => "crm.role",
            Self::CrmTeam => "crm.team",
            Self::CrmUser => "crm.user",
            Self::CrmType => "crm.type",
        }
    }
}

#[derive(Debug)]
pub(super) struct PurposeModel {
    pub(super) place: Place,
    pub(super) labels: Labels,
    pub(super) basis: Arc<str>,
    pub(super) roles: BTreeSet<Role>,
}

#[derive(Debug)]
pub(super) struct CategoryModel {
    pub(super) labels: Labels,
    pub(super) mask: Option<Mask>,
    /// Where nothing is shown of it, the key is removed.
    pub(super) hidden: bool,
    /// Where the policy defines it; `None` for one of the catalogue that the policy leaves as it is.
    pub(super) place: Option<Place>,
    /// Where the policy gives it its mask.
    pub(super) mask_place: Option<Place>,
}

#[derive(Debug)]
pub(super) struct Detector {
    pub(super) place: Place,
    pub(super) within: Vec<Category>,
    pub(super) find: Vec<Kind>,
}

#[derive(Debug)]
pub(super) struct Grant {
    pub(super) name: RuleName,
    pub(super) place: Place,
    pub(super) roles: BTreeSet<Role>,
    /// `None`: for every purpose.
    pub(super) purposes: Option<BTreeSet<Purpose>>,
    pub(super) data: Vec<Category>,
    pub(super) level: Level,
    pub(super) requires: Option<String>,
    /// What it lets be written of its data.
    pub(super) write: Writing,
    pub(super) why: Option<String>,
}

#[derive(Debug)]
pub(super) struct Cap {
    pub(super) name: RuleName,
    pub(super) place: Place,
    pub(super) applies: Applies,
    /// `None`: for every purpose.
    pub(super) purposes: Option<BTreeSet<Purpose>>,
    pub(super) data: Vec<Category>,
    pub(super) level: Level,
    /// Whether it forbids to write, too. A cap below `clear` always does.
    pub(super) denies_write: bool,
    pub(super) firm: bool,
    pub(super) why: Option<String>,
}

/// How much may be written. Like levels, these are a chain: grants lift, caps lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Writing {
    /// Nothing.
    No,
    /// Valid identifiers only: what somebody may write without seeing it must at least prove itself.
    Valid,
    /// Any value.
    Any,
}

/// To whom a cap applies.
#[derive(Debug)]
pub(super) enum Applies {
    Everyone,
    /// Whoever has one of these roles.
    Roles(BTreeSet<Role>),
    /// Whoever has a role beside these.
    UnlessRoles(BTreeSet<Role>),
}

impl RoleModel {
    /// Whether a caller's evidence makes the role.
    pub(super) fn fits(&self, caller: &Caller) -> bool {
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
pub(super) fn about(data: &[Category], category: &Category) -> bool {
    data.iter().any(|rule| rule.covers(category))
}
