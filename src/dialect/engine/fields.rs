//! What the names in filters, orders and projections of a module mean, and how its fields are named there.

use super::description::{Description, Known, Table};
use super::grammar::NameForm;
use crate::dialect::schema::Schema;
use crate::dialect::styles::{Fields, Scope};
use crate::dialect::{Link, Operation, Path};
use crate::reason::Reason;
use crate::vocabulary::Module;

/// The field that says whether a record is deleted, of whatever list.
const DELETED: &str = "deleted";

/// The module whose records are asked for.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) description: &'a Description,
    pub(super) module: &'a Module,
    /// The word in parameters for the module in the path.
    pub(super) word: &'a str,
    /// What is known of the CRM, where names are read.
    pub(super) schema: Option<&'a Schema>,
    /// Nesting of JSON in a text.
    pub(super) depth_max: usize,
    /// Whether what is written travels in a query string.
    pub(super) in_query: bool,
}

impl Description {
    /// The module that an operation asks.
    pub(super) fn asked<'a>(&'a self, operation: &'a Operation) -> Option<Asked<'a>> {
        let module = operation.module.as_ref();
        Some(Asked {
            description: self,
            module: operation.target()?,
            word: module.map_or("", |module| self.word(module)),
            schema: None,
            depth_max: 0,
            in_query: true,
        })
    }

    /// A link of a module, by its name.
    pub(super) fn link(
        &self,
        schema: Option<&Schema>,
        module: &Module,
        name: &str,
    ) -> Option<Link> {
        let target = match self.known(module) {
            Some(known) => known.links.get(name).cloned(),
            None => schema?.target(module, name),
        };
        let name = name.to_owned();
        target.map(|target| Link { name, target })
    }
}

impl<'a> Asked<'a> {
    pub(super) fn scope(&self) -> Scope<'_> {
        Scope {
            fields: self,
            word: self.word,
            depth_max: self.depth_max,
            in_query: self.in_query,
        }
    }

    /// The same, of the module that a link leads to.
    pub(super) fn behind(self, link: &'a Link) -> Self {
        Self {
            module: &link.target,
            word: self.description.word(&link.target),
            in_query: false,
            ..self
        }
    }

    pub(super) fn link(&self, name: &str) -> Option<Link> {
        self.description.link(self.schema, self.module, name)
    }

    /// `field`, or `link.field`. Of a list that records have of their own it is the whole text that names the link.
    fn dotted(&self, text: &str) -> Result<Path, Option<Reason>> {
        let description = self.description;
        let (before, field) = match text.split_once('.') {
            Some((before, field)) => (Some(before), field),
            None => (None, text),
        };
        let names = description.names;
        if !names.is_field(field) || before.is_some_and(|before| !names.is_link(before)) {
            return Err(None);
        }
        let path = |link, field: &str| Path {
            link,
            field: field.to_owned(),
        };
        let Some(before) = before else {
            return Ok(path(None, field));
        };
        let mut own = description.own_lists.iter();
        if let Some((_, holds)) = own.find(|(link, _)| link == before) {
            if field.eq_ignore_ascii_case(DELETED) {
                return Err(Some(Reason::StoredQuery));
            }
            let link = Link {
                name: text.to_owned(),
                target: self.module.clone(),
            };
            return Ok(path(Some(link), holds));
        }
        let link = self.link(before).ok_or(Some(Reason::UnknownLink))?;
        Ok(path(Some(link), field))
    }

    fn through(&self, link: &str, target: &Module, name: &str) -> Path {
        let field = self
            .description
            .known(target)
            .map_or_else(|| name.to_owned(), |known| known.field(name));
        Path {
            link: Some(Link {
                name: link.to_owned(),
                target: target.clone(),
            }),
            field,
        }
    }
}

impl Fields for Asked<'_> {
    fn resolve(&self, text: &str) -> Result<Path, Option<Reason>> {
        match self.description.names {
            NameForm::Dotted => self.dotted(text),
            NameForm::Plain | NameForm::Php => self.named(text).ok_or(None),
        }
    }

    fn has_link(&self, name: &str) -> bool {
        self.link(name).is_some()
    }

    fn spell(&self, path: &Path) -> String {
        let description = self.description;
        let owner = path.link.as_ref().map_or(self.module, |link| &link.target);
        let column = description
            .known(owner)
            .map_or_else(|| path.field.clone(), |known| known.column(&path.field));
        match &path.link {
            // Of a list of the module's own, it says all.
            Some(link) if link.name.contains('.') => return link.name.clone(),
            Some(link) => return format!("{}.{column}", link.name),
            None => {}
        }
        let tables = description.known(self.module);
        let tables = tables.map_or(&[][..], |known| &known.tables);
        let own = tables.iter().rev().find_map(|(alias, table)| match table {
            Table::Own(prefix) if prefix.is_empty() => None,
            Table::Own(prefix) => Some(format!(
                "{alias}.{}",
                path.field.strip_prefix(prefix.as_str())?
            )),
            Table::Of(_) => None,
        });
        own.unwrap_or_else(|| match tables.first() {
            Some((alias, _)) => format!("{alias}.{column}"),
            None => column,
        })
    }

    fn is_id(&self, text: &str) -> bool {
        self.description.is_id(text)
    }
}

impl Asked<'_> {
    /// A name where columns and tables, or links with their names, are listed.
    fn named(&self, text: &str) -> Option<Path> {
        let description = self.description;
        if description.stock.is_some() && description.names.is_field(text) {
            return Some(Path {
                link: None,
                field: text.to_owned(),
            });
        }
        let known = description.known(self.module)?;
        let (before, name) = match text.split_once('.') {
            Some((before, name)) => (Some(before), name),
            None => (None, text),
        };
        if !description.names.is_field(name) {
            return None;
        }
        if known.tables.is_empty() {
            let Some(before) = before else {
                return Some(Path {
                    link: None,
                    field: known.field(name),
                });
            };
            let target = known.links.get(before)?;
            return Some(self.through(before, target, name));
        }
        let (alias, table) = match before {
            Some(before) => known.tables.iter().find(|(alias, _)| alias == before)?,
            None => known.tables.first()?,
        };
        match table {
            Table::Of(target) => Some(self.through(alias, target, name)),
            Table::Own(prefix) if prefix.is_empty() => {
                let field = known.field(name);
                // A second way to say what another table says would be written back as that.
                let is_other = known.tables.iter().any(|(_, table)| {
                    matches!(table, Table::Own(other) if !other.is_empty() && starts(&field, other))
                });
                (!is_other).then_some(Path { link: None, field })
            }
            Table::Own(prefix) => Some(Path {
                link: None,
                field: format!("{prefix}{name}"),
            }),
        }
    }
}

fn starts(field: &str, prefix: &str) -> bool {
    field
        .get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

impl Known {
    /// The field that a column holds.
    fn field(&self, column: &str) -> String {
        let named = self
            .columns
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(column));
        named.map_or_else(|| column.to_owned(), |(_, field)| field.clone())
    }

    /// The column that holds a field.
    fn column(&self, field: &str) -> String {
        let named = self.columns.iter().find(|(_, name)| name == field);
        named.map_or_else(|| field.to_owned(), |(column, _)| column.clone())
    }
}
