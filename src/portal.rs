//! What persons and programs of the house are answered who say what they agree to: pages in plain HTML, and a small API.
//!
//! Who shows a link has the mailbox that it went to; nothing else proves a person here. To look changes nothing: mail scanners
//! and browsers open links before anybody has read them. Whether somebody is known can be told from no answer: forms are
//! answered first, and what they ask for is done afterwards.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, Method};
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::config;
use crate::consent::{PolicyTerms, Signer};
use crate::door::Head;
use crate::ledger::Ledger;
use crate::metrics::MailMetrics;
use crate::notify::Postman;
use crate::policy::Language;
use crate::reason::Reason;

mod answer;
mod api;
mod client;
mod confirm;
mod fields;
mod links;
mod media;
mod origin;
mod pace;
mod page;
mod preferences;
mod problem;
mod receipts;
mod requests;
mod route;
mod rows;
mod seen;
mod speech;
mod trouble;
mod unsubscribe;
mod words;

pub use answer::Answer;
use pace::Pace;
use page::Frame;
use route::Route;
use trouble::Trouble;

/// What is done after forms were answered, at most at once: more are dropped, and the operator is told.
const BACKGROUND_MAX: usize = 1000;

/// What a portal is made of.
pub struct Parts {
    /// What the configuration says.
    pub settings: config::Portal,
    /// The names of the CRMs that records may be of.
    pub upstreams: BTreeSet<String>,
    /// The ledger.
    pub ledger: Arc<Ledger>,
    /// Tells what the policy in force says.
    pub terms: Box<dyn Fn() -> Arc<PolicyTerms> + Send + Sync>,
    /// Knows when a mail was written.
    pub postman: Postman,
    /// Signs receipts, if there is a key.
    pub signer: Option<Signer>,
    /// Counters.
    pub metrics: MailMetrics,
    /// By what links expire.
    pub clock: Clock,
}

/// The portal.
pub struct Portal {
    parts: Parts,
    pace: Pace,
    background: Mutex<JoinSet<()>>,
}

/// What somebody asks: a head with one reading, what else of it matters here, and the body.
#[derive(Debug)]
pub struct Asked {
    head: Head,
    languages: Option<String>,
    origin: Option<String>,
    site: Option<String>,
    idempotency: Option<String>,
    body: Bytes,
}

impl Asked {
    /// Of a head and a body.
    ///
    /// # Errors
    /// If a header stands twice that may stand once, or is no text.
    pub fn of(head: Head, headers: &HeaderMap, body: Bytes) -> Result<Self, Reason> {
        let single = |name: &str| {
            let mut values = headers.get_all(name).iter();
            match (values.next(), values.next()) {
                (None, _) => Ok(None),
                (Some(value), None) => {
                    let text = value.to_str().map_err(|_| Reason::MalformedHead)?;
                    Ok(Some(text.to_owned()))
                }
                _ => Err(Reason::MalformedHead),
            }
        };
        Ok(Self {
            languages: single("accept-language")?,
            origin: single("origin")?,
            site: single("sec-fetch-site")?,
            idempotency: single("idempotency-key")?,
            head,
            body,
        })
    }
}

impl Portal {
    /// Puts it together.
    pub fn new(parts: Parts) -> Arc<Self> {
        Arc::new(Self {
            parts,
            pace: Pace::default(),
            background: Mutex::default(),
        })
    }

    /// What somebody is answered.
    pub async fn answer(self: &Arc<Self>, asked: Asked) -> Answer {
        let Some(route) = Route::of(&asked.head.path) else {
            let answer = self.trouble(&asked, &Trouble::NOT_FOUND);
            self.parts.metrics.answered("none", answer.status());
            return answer;
        };
        let answer = match self.routed(route, &asked).await {
            Ok(answer) => answer,
            Err(trouble) => self.trouble(&asked, &trouble),
        };
        self.parts.metrics.answered(route.name(), answer.status());
        answer
    }

    async fn routed(self: &Arc<Self>, route: Route, asked: &Asked) -> Result<Answer, Trouble> {
        let is_post = asked.head.method == Method::POST;
        if !route.takes(&asked.head.method) {
            return Err(Trouble::method(route.allow()));
        }
        if !is_post && !asked.body.is_empty() {
            return Err(Trouble::MALFORMED);
        }
        match route {
            Route::Events | Route::Standing => return Ok(self.api(route, asked).await),
            Route::Keys => return self.keys(),
            _ => {}
        }
        if is_post {
            origin::check(&self.parts.settings, route, asked)?;
            self.pace.admit(route, asked.head.origin)?;
        } else {
            self.pace.look(asked.head.origin)?;
        }
        match (route, is_post) {
            (Route::Requests, _) => self.requested(asked),
            (Route::Link, _) => self.link_wanted(asked),
            (Route::Confirm, false) => self.confirm_page(asked).await,
            (Route::Confirm, true) => self.confirm(asked).await,
            (Route::Preferences, false) => self.preferences_page(asked).await,
            (Route::Preferences, true) => self.change(asked).await,
            (Route::Unsubscribe, false) => self.unsubscribe_page(asked).await,
            (Route::Unsubscribe, true) => self.unsubscribe(asked).await,
            (Route::Events | Route::Standing | Route::Keys, _) => Err(Trouble::NOT_FOUND),
        }
    }

    /// What somebody is answered whose request could not be read.
    pub fn turn_away(&self, path: &str, reason: Reason) -> Answer {
        let trouble = Trouble::of_reason(reason);
        self.parts.metrics.answered("unread", trouble.status);
        match route::is_api(path) {
            true => problem::Problem::from(&trouble).answer(),
            false => self.trouble_page(Language::En, &trouble),
        }
    }

    fn trouble(&self, asked: &Asked, trouble: &Trouble) -> Answer {
        match route::is_api(&asked.head.path) || media::is_json(asked) {
            true => problem::Problem::from(trouble).answer(),
            false => {
                let query = fields::Fields::of_query(asked, &["t", "lang", "receipt", "form"]);
                let stated = query.as_ref().ok().and_then(|query| query.get("lang"));
                self.trouble_page(self.language(asked, stated), trouble)
            }
        }
    }

    fn trouble_page(&self, language: Language, trouble: &Trouble) -> Answer {
        let terms = (self.parts.terms)();
        page::trouble(&Frame::new(&terms, language), trouble)
    }

    /// The language in which somebody is answered.
    fn language(&self, asked: &Asked, stated: Option<&str>) -> Language {
        let terms = (self.parts.terms)();
        speech::choose(stated, asked.languages.as_deref(), &terms.organisation)
    }

    /// Does something whose outcome nobody waits for.
    fn afterwards(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut background = self
            .background
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        while background.try_join_next().is_some() {}
        if background.len() >= BACKGROUND_MAX {
            tracing::error!("the portal drops a form: too many wait for the consent ledger");
            return;
        }
        background.spawn(work);
    }

    /// Waits until all is done whose outcome nobody waits for.
    pub async fn finish(&self) {
        let mut background = {
            let mut held = self
                .background
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *held)
        };
        while background.join_next().await.is_some() {}
    }

    /// Forgets origins and addresses that have not been seen for a while.
    pub fn sweep(&self) {
        self.pace.sweep();
    }
}

impl fmt::Debug for Portal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Portal")
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parts")
    }
}
