//! One request of a case, taken through the proxy's own walk, before a CRM in memory that holds the case's records.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::dialect::Dialect;
use crate::policy::Policy;
use crate::vocabulary::{Field, Module, RuleName};

/// The proxy, and a CRM in memory behind it.
#[derive(Debug)]
pub struct Bench {
    _private: (),
}

/// A record that the CRM holds.
#[derive(Clone, Debug)]
pub struct Held {
    /// Its module.
    pub module: Module,
    /// Its id.
    pub id: String,
    /// Its fields, as the CRM's API calls them, the id among them.
    pub fields: Map<String, Value>,
}

/// Who asks: what is proved of them.
#[derive(Clone, Debug, Default)]
pub struct Person {
    /// Roles in the CRM.
    pub crm_roles: Vec<String>,
    /// Teams in the CRM.
    pub crm_teams: Vec<String>,
    /// The user name in the CRM.
    pub crm_user: Option<String>,
    /// The kind of user in the CRM.
    pub crm_type: Option<String>,
    /// Issuer and roles of a token.
    pub token: Option<(String, Vec<String>)>,
    /// The name of an API key.
    pub key: Option<String>,
    /// The name in a client certificate.
    pub certificate: Option<String>,
    /// User and roles that an authenticating proxy told.
    pub front: Option<(String, Vec<String>)>,
    /// Strengths of authentication, by the names of the policy, taken as proved.
    pub strengths: BTreeSet<String>,
}

/// What is asked.
#[derive(Clone, Debug)]
pub enum Ask {
    /// One record.
    Read {
        module: Module,
        id: String,
        fields: Vec<Field>,
    },
    /// Records of a module.
    List {
        module: Module,
        fields: Vec<Field>,
        filter: Option<Field>,
        sort: Option<Field>,
    },
    /// Records of a module where a field has a value.
    Filter {
        module: Module,
        by: Field,
        value: Value,
    },
    /// Records of a module in the order of a field.
    Sort { module: Module, by: Field },
    /// A full-text search.
    Search { module: Module, text: String },
    /// An update of a record.
    Write {
        module: Module,
        id: String,
        set: Map<String, Value>,
    },
    /// A new record.
    Create {
        module: Module,
        fields: Map<String, Value>,
    },
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The status of the reply.
    pub status: u16,
    /// The code of the refusal, if it was refused: `field-not-usable`.
    pub refused: Option<String>,
    /// The records of the reply as they were shown, by id: fields by their names in the CRM's API; a field that is not there
    /// was hidden, or not asked for.
    pub shown: BTreeMap<String, Map<String, Value>>,
    /// What a write sent to the CRM, if it sent anything.
    pub forwarded: Option<Map<String, Value>>,
    /// The rules that decided about what it touched.
    pub rules: BTreeSet<RuleName>,
}

/// Why a case cannot be put to a dialect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unasked {
    /// The API has no such request.
    #[error("`{dialect}` has no request for this: {what}")]
    NoSuchRequest { dialect: &'static str, what: String },
}

impl Bench {
    /// Puts a proxy under a policy before a CRM that holds these records and speaks this dialect.
    pub fn new(policy: &Arc<Policy>, dialect: &Arc<dyn Dialect>, records: Vec<Held>) -> Self {
        let _ = (policy, dialect, records);
        todo!()
    }

    /// Takes one request through the walk. `now` is what clocks of rules show.
    pub async fn ask(
        &self,
        person: &Person,
        purpose: Option<&str>,
        ask: &Ask,
    ) -> Result<Outcome, Unasked> {
        let _ = (person, purpose, ask);
        todo!()
    }
}
