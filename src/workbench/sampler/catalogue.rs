//! What a CRM says of its modules and their fields.

use std::collections::{BTreeMap, BTreeSet};

use super::crm::{Asked, Crm, Trouble};
use super::names::{self, is_name};
use crate::diagnostic::{nearest, quoted};
use crate::dialect::Modules;
use crate::dialect::schema::MODULES_MAX;
use crate::dialect::survey::{AboutModule, PageOf, together};
use crate::door::Credential;
use crate::vocabulary::{FieldPath, Module};

/// Bytes of an answer that names or describes modules.
const ANSWER_BYTES_MAX: usize = 32 << 20;

/// What a CRM says of itself.
#[derive(Debug, Default)]
pub struct Catalogue {
    /// The modules that are asked for, by name.
    pub modules: Vec<Module>,
    /// Modules whose records the API does not list, and of which nothing is said here.
    pub unlisted: Vec<Module>,
    /// What is said of their fields and links.
    pub said: Modules,
    /// The fields that the CRM itself has marked as personal.
    pub marked: BTreeSet<FieldPath>,
    /// Modules of which it said nothing, and why.
    pub silent: BTreeMap<Module, String>,
    /// Modules beyond those that are kept.
    pub left_out: usize,
}

/// A module that was asked for and that the CRM does not name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the CRM has no module {}{}", quoted(.name), .near.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
pub struct UnknownModule {
    name: String,
    near: Option<String>,
}

/// Why there is no catalogue.
#[derive(Debug, thiserror::Error)]
pub enum NoCatalogue {
    /// The CRM gave no answer.
    #[error("{0}")]
    Trouble(#[from] Trouble),
    /// A module is not known.
    #[error("{0}")]
    Unknown(#[from] UnknownModule),
}

/// Asks for it: of all modules, or of some.
///
/// # Errors
/// If the CRM gives no answers at all, or has no module of a name.
pub async fn catalogue(crm: &Crm, wanted: &[Module]) -> Result<Catalogue, NoCatalogue> {
    let named = named(crm).await?;
    let mut catalogue = Catalogue::default();
    for module in wanted {
        if !named.is_empty() && !named.contains(module) {
            let known = named.iter().map(Module::as_str);
            return Err(NoCatalogue::Unknown(UnknownModule {
                name: module.as_str().to_owned(),
                near: nearest(module.as_str(), known).map(str::to_owned),
            }));
        }
    }
    let mut modules: Vec<Module> = match wanted.is_empty() {
        true => named,
        false => wanted.to_vec(),
    };
    // What cannot be repeated is left out, and counted like what finds no room.
    let all = modules.len();
    modules.retain(|module| is_name(module.as_str()));
    let odd = all - modules.len();
    modules.sort();
    modules.dedup();
    catalogue.left_out = odd + modules.len().saturating_sub(MODULES_MAX);
    modules.truncate(MODULES_MAX);
    let made_up = Credential::made_up(crate::door::Carrier::Bearer);
    let is_listed = |module: &Module| {
        let page = PageOf {
            by_id: false,
            confirmed: false,
            module,
            offset: 0,
            limit: 1,
        };
        crm.dialect().page(crm.version(), &made_up, page).is_some()
    };
    (catalogue.modules, catalogue.unlisted) = modules.into_iter().partition(is_listed);
    describe(crm, &mut catalogue).await?;
    Ok(catalogue)
}

/// The modules that there are, as the CRM or what is known of it says; none if neither does.
async fn named(crm: &Crm) -> Result<Vec<Module>, Trouble> {
    let dialect = crm.dialect();
    let known = || dialect.schema().modules();
    let ask = |credential: &Credential| {
        Some(Asked {
            outgoing: dialect.naming(crm.version(), credential)?,
            exchange: None,
        })
    };
    match crm.ask(&ask, ANSWER_BYTES_MAX).await {
        Ok((answer, _)) => Ok(dialect.named(&answer).unwrap_or_else(known)),
        Err(trouble) if trouble.is_of_all() => Err(trouble),
        Err(_) => Ok(known()),
    }
}

async fn describe(crm: &Crm, catalogue: &mut Catalogue) -> Result<(), Trouble> {
    let modules = catalogue.modules.clone();
    let questions = |credential: &Credential, modules: &[Module]| {
        crm.dialect().describing(crm.version(), credential, modules)
    };
    let made_up = Credential::made_up(crate::door::Carrier::Bearer);
    let about: Vec<Option<Module>> = questions(&made_up, &modules)
        .into_iter()
        .map(|(of, _)| of)
        .collect();
    let one_each = about.len() == modules.len();
    for (number, module) in about.into_iter().enumerate() {
        let ask = |credential: &Credential| {
            let (_, outgoing): AboutModule = match (one_each, &module) {
                (true, Some(module)) => {
                    questions(credential, std::slice::from_ref(module)).pop()?
                }
                _ => questions(credential, &modules).into_iter().nth(number)?,
            };
            Some(Asked {
                outgoing,
                exchange: None,
            })
        };
        let silent = match crm.ask(&ask, ANSWER_BYTES_MAX).await {
            Ok((answer, _)) => {
                catalogue.marked.extend(crm.dialect().marked(&answer));
                match crm.dialect().described(module.as_ref(), &answer) {
                    Some(said) => {
                        together(&mut catalogue.said, &names::named(&said));
                        continue;
                    }
                    None => "what it said is no description".to_owned(),
                }
            }
            Err(trouble) if trouble.is_of_all() => return Err(trouble),
            Err(trouble) => trouble.to_string(),
        };
        catalogue
            .silent
            .extend(module.map(|module| (module, silent)));
    }
    Ok(())
}
