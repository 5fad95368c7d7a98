//! What a CRM has as it is delivered: a value, made of data. Compiled in for the CRMs of SugarCRM's family
//! (`delivered`), or described; never changed.

use std::collections::{BTreeMap, BTreeSet};

use super::modules::Modules;
use crate::dialect::{Items, Origin, Shape, Told, Unread, rights};
use crate::vocabulary::{Field, FieldPath, Module};

pub(in crate::dialect) mod delivered;
mod read;

/// What a dialect knows of the CRM that it speaks with, as it is delivered.
#[derive(Debug)]
pub struct Stock {
    /// The dialect's name: `sugar-rest`.
    pub(in crate::dialect) name: &'static str,
    /// The field that names a record.
    pub(in crate::dialect) display: String,
    /// The modules that the API is known to have; none if that is not known.
    pub(in crate::dialect) known: Vec<Module>,
    /// What holds in whatever module.
    pub(in crate::dialect) everywhere: ModuleStock,
    /// What holds in each of several modules, said instead of what holds everywhere.
    pub(in crate::dialect) groups: Vec<(BTreeSet<Module>, ModuleStock)>,
    /// What holds in one module, said instead of all that.
    pub(in crate::dialect) modules: BTreeMap<Module, ModuleStock>,
    /// What names with these endings hold of which nothing else is said.
    pub(in crate::dialect) endings: Vec<(String, Ending)>,
    /// Modules that lie in the table of another.
    pub(in crate::dialect) mirrors: BTreeMap<Module, Module>,
    /// Whether a blank stands for each link among the fields of a record, and nothing else; else related records may.
    pub(in crate::dialect) links_are_blank: bool,
    /// The modules whose records are the accounts of those who use the CRM.
    pub(in crate::dialect) accounts: Vec<Module>,
    /// The modules whose records say who may do what, beside the accounts: roles, teams, keys, settings.
    pub(in crate::dialect) administration: Vec<Module>,
    pub(in crate::dialect) rights: Rights,
    /// The fields that tell who a caller is, of records that can be changed in this API: whoever may write one could
    /// choose their own role.
    pub(in crate::dialect) identifying: Vec<(Told, FieldPath)>,
    /// The keys that pass unread whatever a policy says, because a description of the API says so.
    pub(in crate::dialect) unread: Vec<Unread>,
    /// Whether all fields of a module, and all modules, are named, but for those that an installation has added.
    pub(in crate::dialect) names_all_fields: bool,
}

/// What is known of the records of a module, or of several.
#[derive(Clone, Debug, Default)]
pub(in crate::dialect) struct ModuleStock {
    pub(in crate::dialect) fields: BTreeSet<Field>,
    /// Where the values of fields come from, by their folded names.
    pub(in crate::dialect) sources: BTreeMap<String, Source>,
    /// Links, by their names as the CRM writes them.
    pub(in crate::dialect) links: BTreeMap<String, Target>,
    /// How much a field's column holds at least, in characters and in bytes.
    pub(in crate::dialect) lengths: BTreeMap<Field, usize>,
    /// Fields that the CRM's search looks into.
    pub(in crate::dialect) searched: BTreeSet<Field>,
    /// Fields in which people type what they like.
    pub(in crate::dialect) texts: BTreeSet<Field>,
    /// The table that the records lie in, where it is not the module's name in lower case.
    pub(in crate::dialect) table: Option<String>,
    /// What the CRM calls the records, where that is not the module's name.
    pub(in crate::dialect) records: Vec<&'static str>,
}

/// Where the value of a field comes from: an [`Origin`] in which some fields are of the record's own module.
#[derive(Clone, Debug)]
pub(in crate::dialect) enum Source {
    /// The same in every module.
    Fixed(Origin),
    /// Composed of, or copied from, fields that it always shows, and of some that it may show.
    Copy { of: Vec<Of>, perhaps: Vec<Of> },
}

/// A field of the record's own module, or of another.
#[derive(Clone, Debug)]
pub(in crate::dialect) struct Of {
    pub(in crate::dialect) module: Option<Module>,
    pub(in crate::dialect) field: String,
}

/// Where a link leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::dialect) enum Target {
    /// To records of a module.
    Of(Module),
    /// To what belongs to the record itself, and is ruled by its own fields.
    Own,
}

/// What a name with an ending holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dialect) enum Ending {
    /// Records of a module that is not known.
    Unknown,
    /// What the field has that is called so without the ending.
    Repeats,
}

/// Which fields of accounts say what an account may do.
#[derive(Debug)]
pub(in crate::dialect) enum Rights {
    /// These, by their folded names, and those that hold a password.
    Listed(BTreeSet<String>),
    /// These, and whatever has a name that sounds like it.
    Guessed(Vec<FieldPath>),
}

impl Stock {
    /// The dialect's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The field that names a record.
    pub fn display_field(&self) -> &str {
        &self.display
    }

    /// The fields that tell who a caller is.
    pub fn identifying(&self) -> &[(Told, FieldPath)] {
        &self.identifying
    }

    /// The modules whose records are accounts.
    pub fn accounts(&self) -> &[Module] {
        &self.accounts
    }

    /// Whether the records of a module say who may do what: accounts, roles, teams, keys, settings. A module that the CRM
    /// knows by a second name, in the singular or in another case, is the same one.
    pub fn governs_access(&self, module: &Module) -> bool {
        let folded = |module: &Module| {
            let name = module.as_str().to_ascii_lowercase();
            name.strip_suffix('s').map(str::to_owned).unwrap_or(name)
        };
        let name = folded(module);
        let mut known = self.accounts.iter().chain(&self.administration);
        known.any(|known| folded(known) == name)
    }

    /// The keys that pass unread.
    pub fn unread(&self) -> &[Unread] {
        &self.unread
    }

    /// The modules that the API is known to have.
    pub fn modules(&self) -> &[Module] {
        &self.known
    }

    /// Whether all fields and modules are named, but for those that an installation has added.
    pub fn names_all_fields(&self) -> bool {
        self.names_all_fields
    }

    /// What is said of a module, the most particular first.
    fn said_of<'a>(&'a self, module: &'a Module) -> impl Iterator<Item = &'a ModuleStock> {
        let groups = self.groups.iter();
        let groups = groups.filter(|(members, _)| members.contains(module));
        let own = self.own(module).into_iter();
        own.chain(groups.map(|(_, said)| said))
            .chain([&self.everywhere])
    }

    /// What is said of a module and of no other, with what it mirrors.
    fn own<'a>(&'a self, module: &'a Module) -> Option<&'a ModuleStock> {
        let table = self.mirrors.get(module).unwrap_or(module);
        let own = self.modules.get(module);
        own.filter(|_| table == module)
            .or_else(|| self.modules.get(table))
    }

    /// Where the value of a field comes from, given what the installation has beside the stock.
    pub fn origin(&self, beside: &Modules, module: &Module, field: &str) -> Origin {
        let folded = field.to_ascii_lowercase();
        let name = folded.as_str();
        let link = self.link(beside, module, name);
        if self.links_are_blank && link.is_some() {
            return Origin::Structural(Shape::Word(vec![""]));
        }
        let said = self.said_of(module);
        if let Some(source) = said.filter_map(|said| said.sources.get(name)).next() {
            return source.origin(module);
        }
        if let Some(target) = link.flatten() {
            return Origin::Related(target);
        }
        let mut endings = self.endings.iter();
        let ending = endings.find_map(|(ending, holds)| Some((name.strip_suffix(ending)?, holds)));
        match ending {
            Some((_, Ending::Unknown)) => return Origin::UnknownRelated,
            Some((repeated, Ending::Repeats)) => return copy(module, repeated),
            None => {}
        }
        match (beside.origin(module, name), self.mirrors.get(module)) {
            (Origin::Own, Some(mirrored)) => copy(mirrored, name),
            (origin, _) => origin,
        }
    }

    /// Whether a field shows another of the same record, and not one of another record of the same module: names that are put
    /// together, and what repeats something. Both names are folded.
    pub fn shows_own(&self, module: &Module, field: &str, shown: &str) -> bool {
        let mut said = self.said_of(module);
        match said.find_map(|said| said.sources.get(field)) {
            Some(source) => source.shows_own(shown) && shown != self.display,
            None => self.endings.iter().any(|(ending, holds)| {
                *holds == Ending::Repeats && field.strip_suffix(ending.as_str()) == Some(shown)
            }),
        }
    }

    /// Whether a folded name is that of a link, and where it leads if that is known.
    fn link(&self, beside: &Modules, module: &Module, folded: &str) -> Option<Option<Module>> {
        let stock = self.said_of(module).find_map(|said| {
            let mut links = said.links.iter();
            links.find(|(name, _)| name.eq_ignore_ascii_case(folded))
        });
        match stock {
            Some((_, target)) => Some(Some(target.of(module))),
            None => {
                let name = beside.link_named(module, folded)?;
                Some(beside.target(module, name))
            }
        }
    }

    /// The module that a link leads to, by its name as the CRM writes it.
    pub fn target(&self, module: &Module, link: &str) -> Option<Module> {
        let mut said = self.said_of(module);
        let target = said.find_map(|said| said.links.get(link))?;
        Some(target.of(module))
    }

    /// Whether a field says what an account may do (who is an administrator, which roles it has, whether it may log in),
    /// or changes a password: it is shown as a policy says, and never written, whatever a policy says. The name is folded.
    pub fn is_right(&self, module: &Module, field: &str) -> bool {
        let is_account = self.accounts.contains(module);
        rights::is_password(field)
            || match &self.rights {
                Rights::Listed(names) => is_account && names.contains(field),
                Rights::Guessed(told) => {
                    let is_told =
                        |told: &FieldPath| told.module == *module && told.field.as_str() == field;
                    rights::is_administrator(field)
                        || told.iter().any(is_told)
                        || (is_account && rights::is_right(field))
                }
            }
    }

    /// Whether people type what they like in a field: a description, the subject of a case. The name is folded.
    pub fn is_text(&self, module: &Module, field: &str) -> bool {
        self.said_of(module).any(|said| said.texts.contains(field))
    }

    /// The fields of a module that the CRM's search looks into; none if that is not known.
    pub fn searched(&self, module: &Module) -> Vec<Field> {
        let own = self.modules.get(module);
        own.map_or_else(Vec::new, |own| own.searched.iter().cloned().collect())
    }

    /// The fields that a module is known to have.
    pub fn fields(&self, module: &Module) -> Vec<Field> {
        let fields = self.said_of(module).flat_map(|said| &said.fields);
        let fields: BTreeSet<Field> = fields.cloned().collect();
        fields.into_iter().collect()
    }

    /// Whether a module is known to have a field; the name is folded.
    pub fn has_field(&self, module: &Module, field: &str) -> bool {
        self.said_of(module).any(|said| said.fields.contains(field))
    }

    /// How much the column of a field holds at least, in characters and in bytes, where that is known: a longer text may be
    /// cut off. The name is folded.
    pub fn column_length(&self, module: &Module, field: &str) -> Option<usize> {
        let mut said = self.said_of(module);
        said.find_map(|said| said.lengths.get(field)).copied()
    }

    /// Whether anything is said of a module.
    pub(in crate::dialect) fn has_module(&self, module: &Module) -> bool {
        self.modules.contains_key(module)
    }

    /// The table that the records of a module lie in, where it is not the module's name in lower case.
    pub(in crate::dialect) fn table(&self, module: &Module) -> Option<&str> {
        self.modules.get(module)?.table.as_deref()
    }

    /// What the CRM calls the records of a module, where that is not the module's name.
    pub(in crate::dialect) fn records(&self, module: &Module) -> &[&'static str] {
        let own = self.modules.get(module);
        own.map_or(&[], |own| &own.records)
    }

    /// The module whose records are called so; one that nobody knows is a module of its own.
    pub(in crate::dialect) fn module_named(&self, name: &str) -> Module {
        let known = self.modules.iter();
        let mut known = known.filter(|(_, own)| own.records.contains(&name));
        known
            .next()
            .map_or_else(|| Module::new(name), |(module, _)| module.clone())
    }
}

impl ModuleStock {
    /// Says where the value of a field comes from.
    pub(in crate::dialect) fn say(&mut self, field: &str, source: Source) {
        self.sources.insert(field.to_ascii_lowercase(), source);
    }
}

impl Source {
    fn origin(&self, own: &Module) -> Origin {
        match self {
            Self::Fixed(origin) => origin.clone(),
            Self::Copy { of, perhaps } => Origin::Copy {
                of: of.iter().map(|of| of.path(own)).collect(),
                perhaps: perhaps.iter().map(|of| of.path(own)).collect(),
            },
        }
    }

    /// A list of objects with known members.
    fn items(items: Items) -> Self {
        Self::Fixed(Origin::Items(items))
    }
}

impl Source {
    /// Whether it shows a field of the record in which it stands.
    fn shows_own(&self, shown: &str) -> bool {
        match self {
            Self::Fixed(_) => false,
            Self::Copy { of, perhaps } => {
                let mut all = of.iter().chain(perhaps);
                all.any(|of| of.module.is_none() && of.field.eq_ignore_ascii_case(shown))
            }
        }
    }
}

impl Of {
    fn path(&self, own: &Module) -> FieldPath {
        FieldPath::new(self.module.as_ref().unwrap_or(own), &self.field)
    }
}

impl Target {
    fn of(&self, own: &Module) -> Module {
        match self {
            Self::Of(module) => module.clone(),
            Self::Own => own.clone(),
        }
    }
}

fn copy(module: &Module, field: &str) -> Origin {
    Origin::Copy {
        of: vec![FieldPath::new(module, field)],
        perhaps: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
