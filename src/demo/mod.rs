//! A small CRM with invented people, so that the product can be tried without one.
//!
//! It stands in for a foreign server: it shares no code with the dialect, and it is as talkative as the CRM that it
//! imitates. Whole records are echoed, error texts quote what was sent, and every account may read and write
//! everything. What a caller of the proxy does not see, the proxy has withheld.
//!
//! Its search (`q`) looks into the first name, last name and mail addresses of contacts, leads and users, the company of
//! leads, the name and mail addresses of accounts, the name and account of cases, and the name of notes.
//!
//! Everything lives in memory and is made from a seed: the same seed makes the same people. Texts and people are
//! inventions: phone numbers lie in the ranges that France reserves for fiction, mail in the `example` domains, banks
//! have codes that no bank has, and national numbers have the birth order `000` that is never issued.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::policy::Source;

mod agreements;
mod arguments;
mod chance;
mod compare;
mod invent;
mod issuer;
mod people;
mod query;
mod record;
mod routes;
mod schema;
mod server;
mod sessions;
mod store;
mod words;

pub use agreements::{LANGUAGE, PURPOSE};
pub use issuer::Issuer;
pub use server::serve;

/// The name and the roles of an account of the demo CRM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// The login name.
    pub name: &'static str,
    /// The CRM role, if it has one.
    pub role: Option<&'static str>,
    id: &'static str,
    first_name: &'static str,
    last_name: &'static str,
    title: &'static str,
}

const fn account(
    name: &'static str,
    role: Option<&'static str>,
    id: &'static str,
    person: [&'static str; 3],
) -> Account {
    let [first_name, last_name, title] = person;
    Account {
        name,
        role,
        id,
        first_name,
        last_name,
        title,
    }
}

/// The password of every account.
pub const PASSWORD: &str = "demo";

/// The accounts of people that can log in.
#[rustfmt::skip]
pub const ACCOUNTS: &[Account] = &[
    account("admin", None, "1", ["", "Administrator", "Administrator"]),
    account("sally", Some("Sales"), "seed_sally_id", ["Sally", "Brennick", "Account manager"]),
    account("sam", Some("Support"), "seed_sam_id", ["Sam", "Verhaege", "Support engineer"]),
    account("fanny", Some("Finance"), "seed_fanny_id", ["Fanny", "Delorsaie", "Accountant"]),
    account("max", Some("Marketing"), "seed_max_id", ["Max", "Hollfelder", "Campaign manager"]),
    account("dora", Some("Data Protection"), "seed_dora_id", ["Dora", "Kovarin", "Data protection officer"]),
];

/// The account that the proxy logs in with, for callers whom the CRM does not know.
#[rustfmt::skip]
pub static SERVICE: Account = account("paravent", None, "seed_paravent_id", ["", "Paravent", "Proxy"]);

impl Account {
    /// The account with this login name.
    fn named(name: &str) -> Option<&'static Self> {
        let mut all = ACCOUNTS.iter().chain([&SERVICE]);
        all.find(|account| account.name == name)
    }

    /// Whether the account administers the CRM.
    fn is_admin(&self) -> bool {
        self.id == "1"
    }

    fn full_name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
            .trim()
            .to_owned()
    }
}

/// The demo's policy, compiled in so that the binary works from any folder: the one for SugarCRM's stock modules, and
/// the demo's own grants.
pub fn policy_sources() -> Vec<Source> {
    let source = |path: &str, text: &str| Source {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    vec![
        source(
            "policies/sugarcrm/classify.yaml",
            include_str!("../../policies/sugarcrm/classify.yaml"),
        ),
        source(
            "policies/sugarcrm/rules.yaml",
            include_str!("../../policies/sugarcrm/rules.yaml"),
        ),
        source(
            "policies/demo/demo.yaml",
            include_str!("../../policies/demo/demo.yaml"),
        ),
    ]
}

/// The same with what the demo adds about consent, which needs a ledger.
pub fn policy_sources_with_consent() -> Vec<Source> {
    let mut sources = policy_sources();
    sources.push(Source {
        path: "policies/newsletter/newsletter.yaml".to_owned(),
        text: include_str!("../../policies/newsletter/newsletter.yaml").to_owned(),
    });
    sources
}

/// The CRM: its records and its sessions.
pub struct Crm {
    state: Mutex<State>,
}

struct State {
    store: store::Store,
    sessions: sessions::Sessions,
}

impl Crm {
    /// Invents a CRM full of people. The same seed makes the same records.
    pub fn invent(seed: u64) -> Self {
        Self {
            state: Mutex::new(State {
                store: invent::store(seed),
                sessions: sessions::Sessions::default(),
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A request that panicked left at worst half an update of invented data behind.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// Records never reach a debug print, invented or not.
impl std::fmt::Debug for Crm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Crm").finish_non_exhaustive()
    }
}

/// What the CRM refuses, with Sugar's labels. Talkative on purpose, as the CRM that is imitated.
#[derive(Debug, PartialEq)]
struct Fault {
    status: u16,
    label: &'static str,
    text: String,
}

impl Fault {
    fn new(status: u16, label: &'static str, text: impl Into<String>) -> Self {
        Self {
            status,
            label,
            text: text.into(),
        }
    }

    fn invalid(text: impl Into<String>) -> Self {
        Self::new(422, "invalid_parameter", text)
    }

    fn no_method() -> Self {
        Self::new(404, "no_method", "Could not find a route with that method.")
    }
}
