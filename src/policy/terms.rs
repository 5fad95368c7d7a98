//! What a policy says of the people whom records are about, for whoever keeps and shows what they have said.

use std::collections::{BTreeMap, BTreeSet};

use crate::vocabulary::{Purpose, Role};

use super::Policy;
use super::language::model::{Model, PurposeModel};
use super::language::terms::{
    ConsentProof, ConsentTerms, ConsentText, Needs, Organisation, People,
};

impl Policy {
    fn said(&self) -> &Model {
        &self.core.model
    }

    fn purpose(&self, purpose: &Purpose) -> Option<&PurposeModel> {
        self.said().purposes.get(purpose)
    }

    /// Who answers for the data.
    pub fn organisation(&self) -> &Organisation {
        &self.said().organisation
    }

    /// Whom records are about; `None`: the policy does not say.
    pub fn people(&self) -> Option<&People> {
        self.said().people.as_ref()
    }

    /// To what people consent, by name.
    pub fn consent_texts(&self) -> &BTreeMap<String, ConsentText> {
        &self.said().consent_texts
    }

    /// The terms of the consent on which a purpose rests; `None`: it rests on none.
    pub fn consent_terms(&self, purpose: &Purpose) -> Option<&ConsentTerms> {
        self.purpose(purpose)?.consent.as_ref()
    }

    /// The names under which a CRM keeps the consent to a purpose.
    pub fn names_in_crm(&self, purpose: &Purpose) -> impl Iterator<Item = &str> {
        let names = self.purpose(purpose).map(|purpose| &purpose.crm);
        names.into_iter().flatten().map(String::as_str)
    }

    /// Whether whoever objects to a purpose is left out.
    pub fn honours_objection(&self, purpose: &Purpose) -> bool {
        self.purpose(purpose)
            .is_some_and(|purpose| purpose.honours_objection)
    }

    /// Whether a purpose goes on where the processing is restricted. One that is not declared does not.
    pub fn goes_on_despite_restriction(&self, purpose: &Purpose) -> bool {
        self.purpose(purpose)
            .is_some_and(|purpose| purpose.despite_restriction)
    }

    /// What people read of a purpose, in English and in French.
    pub fn purpose_labels(&self, purpose: &Purpose) -> (Option<&str>, Option<&str>) {
        let labels = self.purpose(purpose).map(|purpose| &purpose.labels);
        labels.map_or((None, None), |labels| {
            (labels.en.as_deref(), labels.fr.as_deref())
        })
    }

    /// To whom the data goes that a role is shown; `None`: it stays in the house.
    pub fn recipient(&self, role: &Role) -> Option<&str> {
        self.said().roles.get(role)?.recipient.as_deref()
    }

    /// To whom data goes that leaves the house.
    pub fn recipients(&self) -> BTreeSet<String> {
        let roles = self.said().roles.values();
        let recipients = roles.filter_map(|role| role.recipient.as_deref());
        recipients.map(str::to_owned).collect()
    }

    /// What it needs of the configuration, and of itself.
    pub fn needs(&self) -> Needs {
        let purposes = self.said().purposes.values();
        let terms: Vec<&ConsentTerms> = purposes
            .filter_map(|purpose| purpose.consent.as_ref())
            .collect();
        let proves = |proof| terms.iter().any(|terms| terms.proof == proof);
        Needs {
            ledger: self.people().is_some(),
            confirmation: proves(ConsentProof::DoubleOptIn),
            organisation: match terms.is_empty() {
                true => Vec::new(),
                false => self.organisation().lacks(),
            },
        }
    }
}
