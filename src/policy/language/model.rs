//! A policy that was checked: every name means something.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;

use crate::condition::Condition;
use crate::config::Way;
use crate::detect::Kind;
use crate::detect::statement::{Certainty, Languages};
use crate::diagnostic::Place;
use crate::identity::Caller;
use crate::mask::Mask;
use crate::vocabulary::{Action, Category, Field, Level, Module, Purpose, Role, RuleName};

use super::super::Source;
use super::classes::Classes;
pub(in crate::policy) use super::document::Observation;
pub(in crate::policy) use super::limit::Limit;
use super::terms::{ConsentTerms, ConsentText, Organisation, People};

/// A checked policy.
#[derive(Debug)]
pub(in crate::policy) struct Model {
    pub(in crate::policy) name: String,
    pub(in crate::policy) hash: String,
    /// What the hash is of.
    pub(in crate::policy) texts: Arc<[Source]>,
    /// What detectors find, if there are any.
    pub(in crate::policy) detects: Option<&'static str>,
    /// The level of a field that no one has classified.
    pub(in crate::policy) unclassified: Level,
    /// The level of a category that no grant reaches.
    pub(in crate::policy) ungranted: Level,
    /// Which of several default purposes counts: the first.
    pub(in crate::policy) purpose_order: Vec<Purpose>,
    pub(in crate::policy) roles: BTreeMap<Role, RoleModel>,
    pub(in crate::policy) strengths: BTreeMap<String, Strength>,
    pub(in crate::policy) purposes: BTreeMap<Purpose, PurposeModel>,
    pub(in crate::policy) categories: BTreeMap<Category, CategoryModel>,
    pub(in crate::policy) classes: Classes,
    pub(in crate::policy) search: BTreeMap<Module, Searched>,
    pub(in crate::policy) detectors: Vec<Detector>,
    pub(in crate::policy) grants: Vec<Grant>,
    pub(in crate::policy) caps: Vec<Cap>,
    /// Records that some see and others do not.
    pub(in crate::policy) rows: Vec<RowRule>,
    /// What counts where the processing of some records is restricted.
    pub(in crate::policy) restrictions: Vec<Restriction>,
    /// How many records callers are shown in a while.
    pub(in crate::policy) limits: Vec<Limit>,
    /// What rules ask for beside roles and purposes, by [`Bit`].
    pub(in crate::policy) conditions: Vec<Noted>,
    /// The fields of records that conditions ask for.
    pub(in crate::policy) compared: Vec<Compared>,
    pub(in crate::policy) organisation: Organisation,
    /// To what people consent, by name.
    pub(in crate::policy) consent_texts: BTreeMap<String, ConsentText>,
    /// Whom records are about; `None`: the policy does not say.
    pub(in crate::policy) people: Option<People>,
    /// Whether the whole policy only observes.
    pub(in crate::policy) observed: Option<Observation>,
    /// The last days of whatever only observes.
    pub(in crate::policy) days: BTreeSet<Date>,
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
    /// For a machine, the purposes that it is bound to; `None` for people.
    pub(in crate::policy) machine: Option<BTreeSet<Purpose>>,
    /// To whom the data goes that it is shown.
    pub(in crate::policy) recipient: Option<Arc<str>>,
    /// What it may do in which modules; `None`: what the CRM lets its sessions do.
    pub(in crate::policy) actions: Option<BTreeMap<Module, BTreeSet<Action>>>,
}

/// What was proved of a caller, as far as a role can come from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::policy) enum Evidence {
    CrmRole,
    CrmTeam,
    CrmUser,
    CrmType,
    ClaimRoles,
    Token,
    Key,
    Certificate,
    FrontRoles,
    FrontUser,
}

impl Evidence {
    pub(in crate::policy) const ALL: [Self; 10] = [
        Self::CrmRole,
        Self::CrmTeam,
        Self::CrmUser,
        Self::CrmType,
        Self::ClaimRoles,
        Self::Token,
        Self::Key,
        Self::Certificate,
        Self::FrontRoles,
        Self::FrontUser,
    ];

    /// The word of the policy language.
    pub(in crate::policy) fn as_str(self) -> &'static str {
        match self {
            Self::CrmRole => "crm.role",
            Self::CrmTeam => "crm.team",
            Self::CrmUser => "crm.user",
            Self::CrmType => "crm.type",
            Self::ClaimRoles => "claim.roles",
            Self::Token => "token",
            Self::Key => "key",
            Self::Certificate => "certificate",
            Self::FrontRoles => "front.roles",
            Self::FrontUser => "front.user",
        }
    }

    /// The way by which it is proved.
    pub(in crate::policy) fn way(self) -> Way {
        match self {
            Self::CrmRole | Self::CrmTeam | Self::CrmUser | Self::CrmType => Way::CrmSession,
            Self::ClaimRoles | Self::Token => Way::Token,
            Self::Key => Way::Key,
            Self::Certificate => Way::Certificate,
            Self::FrontRoles | Self::FrontUser => Way::Front,
        }
    }
}

/// A strength of authentication: proved if one of these is.
#[derive(Debug)]
pub(in crate::policy) struct Strength {
    pub(in crate::policy) place: Place,
    pub(in crate::policy) any: Vec<Proof>,
}

/// What must hold, all of it. A claim that is not there proves nothing.
#[derive(Clone, Debug, Default)]
pub(in crate::policy) struct Proof {
    /// One of these is the authentication context class (OpenID Connect Core, `acr`).
    pub(in crate::policy) acr: Vec<String>,
    /// One of these is among the authentication methods (RFC 8176, `amr`).
    pub(in crate::policy) amr: Vec<String>,
    /// One of these is the way by which the caller came.
    pub(in crate::policy) methods: Vec<Way>,
    /// So long ago at most the caller authenticated (`auth_time`).
    pub(in crate::policy) max_age: Option<Duration>,
}

impl Strength {
    /// Whether a caller has proved it.
    pub(in crate::policy) fn is_proved_by(&self, caller: &Caller) -> bool {
        self.any.iter().any(|proof| proof.holds(caller))
    }
}

impl Proof {
    fn holds(&self, caller: &Caller) -> bool {
        self.lacks(caller).next().is_none()
    }

    /// What of it does not hold, in the words of the policy language.
    pub(in crate::policy) fn lacks(&self, caller: &Caller) -> impl Iterator<Item = &'static str> {
        let acr = |acr: &str| self.acr.iter().any(|one| one == acr);
        let amr = |amr: &String| self.amr.contains(amr);
        let is_young = |most: Duration| {
            let age = caller.authenticated_ago();
            age.is_some_and(|age| age <= most)
        };
        let hold = [
            ("acr", self.acr.is_empty() || caller.acr().is_some_and(acr)),
            ("amr", self.amr.is_empty() || caller.amr().iter().any(amr)),
            (
                "method",
                self.methods.is_empty() || self.methods.contains(&caller.way()),
            ),
            ("max_age", self.max_age.is_none_or(is_young)),
        ];
        let missing = hold.into_iter().filter(|(_, holds)| !holds);
        missing.map(|(word, _)| word)
    }
}

#[derive(Debug)]
pub(in crate::policy) struct PurposeModel {
    pub(in crate::policy) place: Place,
    pub(in crate::policy) labels: Labels,
    pub(in crate::policy) basis: Arc<str>,
    pub(in crate::policy) roles: BTreeSet<Role>,
    /// The terms of the consent on which it rests.
    pub(in crate::policy) consent: Option<ConsentTerms>,
    /// The names under which a CRM keeps that consent.
    pub(in crate::policy) crm: BTreeSet<String>,
    /// Whether whoever objects is left out.
    pub(in crate::policy) honours_objection: bool,
    /// Whether it goes on where the processing is restricted (Art. 18(2) GDPR).
    pub(in crate::policy) despite_restriction: bool,
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
    /// One of these strengths must be proved; none: no strength is needed.
    pub(in crate::policy) requires: BTreeSet<String>,
    /// Whether a caller who lacks it is told so.
    pub(in crate::policy) asks: bool,
    /// What it lets be written of its data.
    pub(in crate::policy) write: Writing,
    /// Where it says that it lets be written.
    pub(in crate::policy) allows_write: Option<Place>,
    /// What must hold beside.
    pub(in crate::policy) when: Option<Bit>,
    pub(in crate::policy) observed: Option<Observation>,
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
    /// What must hold beside.
    pub(in crate::policy) when: Option<Bit>,
    /// What lifts it for a while.
    pub(in crate::policy) exceptions: Vec<Exception>,
    pub(in crate::policy) observed: Option<Observation>,
    pub(in crate::policy) why: Option<String>,
}

/// What a rule asks for beside roles and purposes, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::policy) struct Bit(pub(in crate::policy) u8);

/// Conditions that a policy can hold.
pub(in crate::policy) const CONDITIONS_MAX: usize = 64;

/// The name of the cap on data whose processing somebody has had restricted (Art. 18 GDPR).
pub(in crate::policy) const RESTRICTED: &str = "restricted";

/// A condition, and what it counts for where nobody knows whether it holds.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::policy) struct Noted {
    pub(in crate::policy) condition: Condition,
    /// Whether more is withheld where it holds: then it does, in doubt. Else less is, and it does not.
    pub(in crate::policy) withholds: bool,
}

/// A field that a condition compares.
#[derive(Debug)]
pub(in crate::policy) struct Compared {
    pub(in crate::policy) field: Field,
    pub(in crate::policy) place: Place,
    /// The modules whose records are asked for it; `None`: each.
    pub(in crate::policy) modules: Option<BTreeSet<Module>>,
}

/// Records of some modules are there for some callers only where something holds.
#[derive(Debug)]
pub(in crate::policy) struct RowRule {
    pub(in crate::policy) name: RuleName,
    pub(in crate::policy) place: Place,
    pub(in crate::policy) modules: BTreeSet<Module>,
    pub(in crate::policy) applies: Applies,
    /// `None`: for every purpose.
    pub(in crate::policy) purposes: Option<BTreeSet<Purpose>>,
    /// In doubt it does not hold.
    pub(in crate::policy) keep_when: Condition,
}

/// What counts of records of which less may be processed: because somebody has had that restricted (Art. 18 GDPR), or because
/// their time is over. The cap of the same name withholds what is shown of them. A request may match, sort and search by what
/// it withholds, and then finds none of these records.
#[derive(Debug)]
pub(in crate::policy) struct Restriction {
    /// That it is restricted: the condition of the cap.
    pub(in crate::policy) when: Bit,
    /// Keeps the others.
    pub(in crate::policy) row: RowRule,
    /// Whether such a record may not even be deleted.
    pub(in crate::policy) preserves: bool,
}

/// Lifts a cap for a while, where all roles that count are among these.
#[derive(Debug)]
pub(in crate::policy) struct Exception {
    pub(in crate::policy) name: RuleName,
    pub(in crate::policy) roles: BTreeSet<Role>,
    /// That it is in force: a condition on the moment, which does not withhold.
    pub(in crate::policy) when: Bit,
}

/// How much may be written. Like levels, these are a chain: grants lift, caps lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// The purpose of a request that states none: the default, or the only one that a machine is bound to.
    pub(in crate::policy) fn usual_purpose(&self) -> Option<&Purpose> {
        match &self.machine {
            None => self.default_purpose.as_ref(),
            Some(bound) if bound.len() == 1 => bound.first(),
            Some(_) => None,
        }
    }

    /// Whether it rests on this name of a client certificate.
    pub(in crate::policy) fn names_certificate(&self, name: &str) -> bool {
        let mut evidence = self.from.iter();
        evidence.any(|(kind, values)| {
            *kind == Evidence::Certificate && values.iter().any(|value| value == name)
        })
    }

    /// Whether a caller's evidence makes the role.
    pub(in crate::policy) fn fits(&self, caller: &Caller) -> bool {
        // No evidence is nobody's evidence; `check` refuses such a role.
        !self.from.is_empty()
            && self.from.iter().all(|(evidence, values)| {
                values.iter().any(|value| match evidence {
                    Evidence::CrmRole => caller.crm_roles().contains(value),
                    Evidence::CrmTeam => caller.crm_teams().contains(value),
                    Evidence::CrmUser => caller.crm_user() == Some(value.as_str()),
                    Evidence::CrmType => caller.crm_type() == Some(value.as_str()),
                    Evidence::ClaimRoles => caller.claim_roles().contains(value),
                    Evidence::Token => caller.issuer() == Some(value.as_str()),
                    Evidence::Key => caller.key() == Some(value.as_str()),
                    Evidence::Certificate => caller.certificate() == Some(value.as_str()),
                    Evidence::FrontRoles => caller.front_roles().contains(value),
                    Evidence::FrontUser => caller.front_user() == Some(value.as_str()),
                })
            })
    }
}

impl Cap {
    /// Whether it does not hold at every moment and for every record.
    pub(in crate::policy) fn is_conditional(&self) -> bool {
        self.when.is_some() || !self.exceptions.is_empty()
    }
}

/// Whether a category is one of Art. 9 or 10 GDPR.
pub(in crate::policy) fn is_special(category: &Category) -> bool {
    ["special", "criminal"]
        .iter()
        .any(|group| Category::new(group).covers(category))
}

/// Whether a rule about some categories speaks of this one.
pub(in crate::policy) fn about(data: &[Category], category: &Category) -> bool {
    data.iter().any(|rule| rule.covers(category))
}
