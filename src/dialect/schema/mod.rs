//! What is known of a CRM's data: modules, fields, types, links, copies, items, secrets, scaffolding. A [`Schema`] is an
//! immutable value with a hash, and what a policy decides is a function of policy, schema and request.
//!
//! It is made of the dialect's stock ([`Stock`]), and of what an installation has beside it ([`Modules`]): from
//! a schema file (`file`), or from what the CRM says of itself. However it comes, [`Modules::merge`] is how it is added:
//! what is known is never dropped nor redirected, and a secret stays one.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::sync::{Arc, OnceLock};

use aws_lc_rs::digest;

use super::{Origin, Told, Unread, secrets};
use crate::vocabulary::{Field, FieldPath, Module};

pub mod codes;
mod file;
mod merge;
mod modules;
pub(super) mod stock;
#[cfg(test)]
mod tests;
mod types;

pub use file::SchemaFile;
pub(super) use file::is_plain;
pub use merge::{Contradiction, Merged};
pub use modules::{
    FieldSchema, Holds, LinkSchema, MODULES_MAX, ModuleSchema, Modules, NAMES_MAX, NAMES_TOTAL_MAX,
};
pub use stock::Stock;
pub use types::ValueType;

/// What is known of a CRM's data.
pub struct Schema {
    stock: Arc<Stock>,
    beside: Modules,
    hash: OnceLock<Arc<str>>,
}

impl Schema {
    /// The schema of a CRM of which nothing but the stock is known.
    pub fn of_stock(stock: Arc<Stock>) -> Arc<Self> {
        Arc::new(Self {
            stock,
            beside: Modules::default(),
            hash: OnceLock::new(),
        })
    }

    /// The same stock, and this beside it in place of what was.
    #[must_use]
    pub fn with(&self, beside: Modules) -> Arc<Self> {
        Arc::new(Self {
            stock: self.stock.clone(),
            beside,
            hash: OnceLock::new(),
        })
    }

    /// Adds what is said of the CRM's modules, as far as it does not contradict what is known; and says what came of it.
    #[must_use]
    pub fn and(&self, said: Modules) -> (Arc<Self>, Merged) {
        let mut beside = self.beside.clone();
        let merged = beside.merge(&self.stock, said);
        (self.with(beside), merged)
    }

    /// What the dialect knows of the CRM as it is delivered.
    pub(in crate::dialect) fn stock(&self) -> &Stock {
        &self.stock
    }

    /// The dialect's name.
    pub fn dialect(&self) -> &'static str {
        self.stock.name()
    }

    /// What the installation has beside the stock.
    pub fn beside(&self) -> &Modules {
        &self.beside
    }

    /// `sha256:…` over the stock and what is beside it. The same for two processes that know the same.
    pub fn hash(&self) -> &Arc<str> {
        self.hash.get_or_init(|| {
            let digest = digest::digest(&digest::SHA256, self.text().as_bytes());
            let mut hash = "sha256:".to_owned();
            for byte in digest.as_ref() {
                let _ = write!(hash, "{byte:02x}");
            }
            hash.into()
        })
    }

    /// What the hash is of: the stock, and what is beside it. It holds names and types, and no secret.
    pub fn text(&self) -> String {
        let mut text = stock_text(&self.stock);
        // Maps in order, so the same schema is the same text.
        text.push_str(&serde_json::to_string(&self.beside).unwrap_or_default());
        text
    }

    /// Where the value of a field comes from. Policies classify fields; copies follow the fields they come from.
    pub fn origin(&self, module: &Module, field: &str) -> Origin {
        let folded = field.to_ascii_lowercase();
        if secrets::is_secret(module, &folded) || self.beside.is_secret(module, &folded) {
            return Origin::Secret;
        }
        match self.stock.origin(&self.beside, module, field) {
            Origin::Own => self.beside.origin(module, &folded),
            stock => stock,
        }
    }

    /// Whether a field shows another of the same record; the names are folded.
    pub fn shows_own(&self, module: &Module, field: &str, shown: &str) -> bool {
        self.stock.shows_own(module, field, shown)
    }

    /// The module that a link leads to, by its name as the CRM writes it.
    pub(super) fn target(&self, module: &Module, link: &str) -> Option<Module> {
        let stock = self.stock.target(module, link);
        stock.or_else(|| self.beside.target(module, link))
    }

    /// The fields that a module is known to have, for `explain`, `check` and the log.
    pub fn fields(&self, module: &Module) -> Vec<Field> {
        let beside = self.beside.get(module);
        let beside = beside.into_iter().flat_map(|known| known.fields.keys());
        let fields: BTreeSet<Field> = self
            .stock
            .fields(module)
            .into_iter()
            .chain(beside.cloned())
            .collect();
        fields.into_iter().collect()
    }

    /// Whether a module is known to have a field; the name is folded.
    pub fn has_field(&self, module: &Module, field: &str) -> bool {
        self.stock.has_field(module, field) || self.beside.field(module, field).is_some()
    }

    /// The field that names a record.
    pub fn display_field(&self) -> &str {
        self.stock.display_field()
    }

    /// The fields that tell who a caller is.
    pub fn identifying(&self) -> &[(Told, FieldPath)] {
        self.stock.identifying()
    }

    /// The modules whose records are the accounts of those who use the CRM.
    pub fn accounts(&self) -> &[Module] {
        self.stock.accounts()
    }

    /// Whether the records of a module say who may do what: see [`Stock::governs_access`].
    pub fn governs_access(&self, module: &Module) -> bool {
        self.stock.governs_access(module)
    }

    /// Whether a field says what an account may do: see [`Stock::is_right`].
    pub fn is_right(&self, module: &Module, field: &str) -> bool {
        self.stock.is_right(module, field)
    }

    /// The keys that pass unread: see [`Stock::unread`].
    pub fn unread(&self) -> &[Unread] {
        self.stock.unread()
    }

    /// The modules that the API is known to have; none if that is not known.
    pub fn modules(&self) -> Vec<Module> {
        let mut modules = self.stock.modules().to_vec();
        if !modules.is_empty() {
            modules.extend(self.beside.iter().map(|(module, _)| module.clone()));
            modules.sort();
            modules.dedup();
        }
        modules
    }

    /// Whether people type what they like in a field. The name is folded.
    pub fn is_text(&self, module: &Module, field: &str) -> bool {
        self.stock.is_text(module, field)
    }

    /// The fields of a module that the CRM's search looks into, as it is delivered; none if that is not known.
    pub fn searched(&self, module: &Module) -> Vec<Field> {
        self.stock.searched(module)
    }

    /// Whether all fields and modules are known but for those that an installation has added.
    pub fn names_all_fields(&self) -> bool {
        self.stock.names_all_fields()
    }

    /// How much the column of a field holds at least: see [`Stock::column_length`]. The name is folded.
    pub fn column_length(&self, module: &Module, field: &str) -> Option<usize> {
        self.stock.column_length(module, field)
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schema")
            .field("dialect", &self.stock.name())
            .field("beside", &self.beside.len())
            .finish_non_exhaustive()
    }
}

/// All that a stock says of its modules. Its rules for other names are the program's: the version stands for them.
fn stock_text(stock: &Stock) -> String {
    let none = Modules::default();
    let mut text = format!("{} {}\n", env!("CARGO_PKG_VERSION"), stock.name());
    let _ = writeln!(text, "{:?} {:?}", secrets::all(), stock.identifying());
    let unread: Vec<_> = stock
        .unread()
        .iter()
        .map(|key| (&key.module, &key.field))
        .collect();
    let accounts = (stock.accounts(), &stock.administration);
    let _ = writeln!(text, "{} {unread:?} {accounts:?}", stock.display_field());
    for module in stock.modules() {
        let _ = writeln!(text, "{module} {:?}", stock.searched(module));
        for field in stock.fields(module) {
            let name = field.as_str();
            let origin = stock.origin(&none, module, name);
            let (is_right, is_text) = (stock.is_right(module, name), stock.is_text(module, name));
            let length = stock.column_length(module, name);
            let _ = writeln!(text, "{field} {origin:?} {is_right} {is_text} {length:?}");
        }
    }
    text
}
