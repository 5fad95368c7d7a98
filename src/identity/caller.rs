//! Somebody who authenticated, with what they proved.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::{Claims, Fronted};
use crate::config::Way;
use crate::dialect::Session;

/// Somebody who authenticated, in one way. Made only by this module, from what the CRM, an issuer, a list of keys, an
/// authority or an authenticating proxy vouches for.
#[derive(Clone, Debug)]
pub struct Caller {
    id: Arc<str>,
    proved: Proved,
    /// How long ago the caller authenticated, as a token says.
    authenticated_ago: Option<Duration>,
    /// Strengths of authentication that are taken as proved; of nobody but who is supposed.
    supposed: Arc<BTreeSet<String>>,
}

/// What was proved.
#[derive(Clone, Debug)]
enum Proved {
    Session {
        session: Arc<Session>,
        age: Duration,
        /// What a token adds: strength, and perhaps the purpose.
        token: Option<Arc<Claims>>,
    },
    Token(Arc<Claims>),
    Key(Arc<str>),
    Certificate(Arc<str>),
    Front(Arc<Fronted>),
}

/// Somebody whom a test of a policy supposes. Nothing that comes over a network, and nothing that a configuration says, can
/// lead to one: the workbench alone makes them, and its walks end at no CRM.
#[derive(Clone, Debug)]
pub(crate) struct Supposed {
    /// What is taken as proved.
    pub(crate) proved: SupposedProof,
    /// Strengths of authentication, by the names of the policy.
    pub(crate) strengths: BTreeSet<String>,
}

impl Supposed {
    /// The caller.
    pub(crate) fn caller(&self) -> Caller {
        Caller::supposed(self.clone())
    }
}

/// What is taken as proved of whom a test supposes.
#[derive(Clone, Debug)]
pub(crate) enum SupposedProof {
    Session(Session),
    Token { issuer: String, roles: Vec<String> },
    Key(String),
    Certificate(String),
    Front { user: String, roles: Vec<String> },
}

impl Caller {
    /// The caller whose session the CRM described, `age` ago.
    pub(crate) fn from_session(session: impl Into<Arc<Session>>, age: Duration) -> Self {
        let session = session.into();
        Self {
            id: session.id.as_str().into(),
            proved: Proved::Session {
                session,
                age,
                token: None,
            },
            authenticated_ago: None,
            supposed: Arc::default(),
        }
    }

    /// The same, whose session a token of the same user strengthens.
    #[must_use]
    pub(crate) fn strengthened(self, claims: Arc<Claims>, ago: Option<Duration>) -> Self {
        let proved = match self.proved {
            Proved::Session { session, age, .. } => Proved::Session {
                session,
                age,
                token: Some(claims),
            },
            other => other,
        };
        Self {
            proved,
            authenticated_ago: ago,
            ..self
        }
    }

    /// The subject of a token.
    pub(crate) fn from_token(claims: Arc<Claims>, ago: Option<Duration>) -> Self {
        let id = format!("{}:{}", claims.issuer(), claims.subject());
        Self {
            authenticated_ago: ago,
            ..Self::with(id, Proved::Token(claims))
        }
    }

    /// The holder of an API key, by the key's name.
    pub(crate) fn from_key(name: Arc<str>) -> Self {
        Self::with(format!("key:{name}"), Proved::Key(name))
    }

    /// The holder of a client certificate, by the name in it that the policy names.
    pub(crate) fn from_certificate(name: &str) -> Self {
        let id = format!("certificate:{name}");
        Self::with(id, Proved::Certificate(name.into()))
    }

    /// Somebody for whom an authenticating proxy vouches.
    pub(crate) fn from_front(fronted: Arc<Fronted>) -> Self {
        let id = format!("front:{}", fronted.user.as_str());
        Self::with(id, Proved::Front(fronted))
    }

    fn with(id: String, proved: Proved) -> Self {
        Self {
            id: id.into(),
            proved,
            authenticated_ago: None,
            supposed: Arc::default(),
        }
    }

    /// Somebody who authenticated in the words of a test, with strengths that are taken as proved.
    fn supposed(Supposed { proved, strengths }: Supposed) -> Self {
        let caller = match proved {
            SupposedProof::Session(session) => Self::from_session(session, Duration::ZERO),
            SupposedProof::Token { issuer, roles } => {
                Self::from_token(Arc::new(Claims::supposed(&issuer, roles)), None)
            }
            SupposedProof::Key(name) => Self::from_key(name.as_str().into()),
            SupposedProof::Certificate(name) => Self::from_certificate(&name),
            SupposedProof::Front { user, roles } => {
                Self::from_front(Arc::new(Fronted { user, roles }))
            }
        };
        Self {
            supposed: Arc::new(strengths),
            ..caller
        }
    }

    /// Who it is, for the log and for limits: the CRM's id of a user, or the way with a name: `company:SUB`, `key:NAME`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What people call them: the login name in the CRM, the name that a token states, or that of the way.
    pub fn name(&self) -> &str {
        match &self.proved {
            Proved::Session { session, .. } => &session.name,
            Proved::Token(claims) => claims.name().unwrap_or_else(|| claims.subject()),
            Proved::Key(name) | Proved::Certificate(name) => name,
            Proved::Front(fronted) => fronted.user.as_str(),
        }
    }

    /// `human`, or `machine`, as far as the way tells.
    pub fn kind(&self) -> &'static str {
        match &self.proved {
            Proved::Session { .. } | Proved::Token(_) | Proved::Front(_) => "human",
            Proved::Key(_) | Proved::Certificate(_) => "machine",
        }
    }

    /// The way by which they came.
    pub fn way(&self) -> Way {
        match &self.proved {
            Proved::Session { .. } => Way::CrmSession,
            Proved::Token(_) => Way::Token,
            Proved::Key(_) => Way::Key,
            Proved::Certificate(_) => Way::Certificate,
            Proved::Front(_) => Way::Front,
        }
    }

    /// By what they proved who they are, for the log.
    pub fn method(&self) -> &'static str {
        match &self.proved {
            Proved::Session { token: Some(_), .. } => "crm-session+token",
            _ => self.way().as_str(),
        }
    }

    /// Whether the CRM knows them.
    pub fn has_session(&self) -> bool {
        self.way() == Way::CrmSession
    }

    /// How old what they proved is: how long ago they authenticated, as a token says; else how long ago the CRM described the
    /// session. What is judged at each request is of now.
    pub fn age(&self) -> Duration {
        self.authenticated_ago.unwrap_or(match &self.proved {
            Proved::Session { age, .. } => *age,
            _ => Duration::ZERO,
        })
    }

    fn session(&self) -> Option<&Session> {
        match &self.proved {
            Proved::Session { session, .. } => Some(session),
            _ => None,
        }
    }

    /// What a token states that came alone, or beside a session.
    fn claims(&self) -> Option<&Claims> {
        match &self.proved {
            Proved::Token(claims) => Some(claims),
            Proved::Session { token, .. } => token.as_deref(),
            _ => None,
        }
    }

    /// The claims of a token that came alone: only then do its roles count.
    fn own_claims(&self) -> Option<&Claims> {
        self.claims().filter(|_| self.way() == Way::Token)
    }

    /// The login name in the CRM.
    pub fn crm_user(&self) -> Option<&str> {
        self.session().map(|session| session.name.as_str())
    }

    /// The type of the CRM's account.
    pub fn crm_type(&self) -> Option<&str> {
        self.session().map(|session| session.kind.as_str())
    }

    /// Names of the caller's roles in the CRM.
    pub fn crm_roles(&self) -> &[String] {
        self.session().map_or(&[], |session| &session.roles)
    }

    /// Names of the caller's teams in the CRM.
    pub fn crm_teams(&self) -> &[String] {
        self.session().map_or(&[], |session| &session.teams)
    }

    /// The issuer of the caller's token, by its name in the configuration.
    pub fn issuer(&self) -> Option<&str> {
        self.own_claims().map(|claims| &**claims.issuer())
    }

    /// The roles that the caller's token states.
    pub fn claim_roles(&self) -> &[String] {
        self.own_claims().map_or(&[], Claims::roles)
    }

    /// The name of the caller's key.
    pub fn key(&self) -> Option<&str> {
        match &self.proved {
            Proved::Key(name) => Some(name),
            _ => None,
        }
    }

    /// The name in the caller's certificate.
    pub fn certificate(&self) -> Option<&str> {
        match &self.proved {
            Proved::Certificate(name) => Some(name),
            _ => None,
        }
    }

    /// The user for whom an authenticating proxy vouches.
    pub fn front_user(&self) -> Option<&str> {
        match &self.proved {
            Proved::Front(fronted) => Some(fronted.user.as_str()),
            _ => None,
        }
    }

    /// The roles that an authenticating proxy states.
    pub fn front_roles(&self) -> &[String] {
        match &self.proved {
            Proved::Front(fronted) => &fronted.roles,
            _ => &[],
        }
    }

    /// The purpose that the caller's token states.
    pub fn stated_purpose(&self) -> Option<&str> {
        self.claims().and_then(Claims::purpose)
    }

    /// The authentication context class that the caller's token states.
    pub fn acr(&self) -> Option<&str> {
        self.claims().and_then(Claims::acr)
    }

    /// The authentication methods that the caller's token states.
    pub fn amr(&self) -> &[String] {
        self.claims().map_or(&[], Claims::amr)
    }

    /// Strengths of authentication that are taken as proved: none, but for who is supposed.
    pub(crate) fn supposed_strengths(&self) -> &BTreeSet<String> {
        &self.supposed
    }

    /// How long ago the caller authenticated, where a token says so.
    pub fn authenticated_ago(&self) -> Option<Duration> {
        self.authenticated_ago
    }
}
