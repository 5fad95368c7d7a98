//! Texts that an API searches its records for, and the modules that it searches.

use serde_json::{Map, Value};

use super::description::{Description, Route, Segment};
use super::listing::Search;
use crate::dialect::carriers::{Arguments, is_blank, put};
use crate::dialect::{Operation, reread};
use crate::reason::Reason;
use crate::vocabulary::Module;

/// Bytes of a text to search for.
const SEARCH_BYTES_MAX: usize = 1_000;
/// Modules of one search.
const MODULES_MAX: usize = 50;

impl Search {
    /// Takes a text to search for.
    pub(super) fn read(
        &self,
        arguments: &mut Arguments,
        word: Option<&str>,
    ) -> Result<Option<String>, Reason> {
        let fits = |text: &String| {
            text.len() <= SEARCH_BYTES_MAX
                && !text.chars().any(char::is_control)
                && (!self.reread || reread::names_no_field(text))
        };
        let text = match arguments.take_at(&self.at, word) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text).filter(|text| !text.is_empty()),
            Some(Value::Number(number)) if !self.reread => Some(number.to_string()),
            Some(_) => return Err(Reason::MalformedQuery),
        };
        match text {
            Some(text) if !fits(&text) => Err(Reason::MalformedQuery),
            // Some versions would list every record.
            None if self.modules.is_some() => Err(Reason::MalformedQuery),
            text => Ok(text),
        }
    }

    /// The modules to search, each once: the one in the path, or those that are listed.
    ///
    /// An API may search every module that it can where a request names none. Which of them a policy lets be searched, nobody
    /// here knows, and a reply about fewer modules than were meant would not tell: so they are named.
    pub(super) fn modules(
        &self,
        description: &Description,
        arguments: &mut Arguments,
        own: Option<Module>,
    ) -> Result<Vec<Module>, Reason> {
        let Some(list) = &self.modules else {
            return Ok(own.into_iter().collect());
        };
        let listed = match arguments.take_at(list, None) {
            value if is_blank(value.as_ref()) => Vec::new(),
            Some(Value::String(names)) => names
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty())
                .map(|name| description.module_named(name))
                .collect::<Option<Vec<_>>>()
                .ok_or(Reason::UnknownModule)?,
            // PHP would take a list for none at all.
            _ => return Err(Reason::MalformedQuery),
        };
        let mut sorted: Vec<&Module> = listed.iter().collect();
        sorted.sort();
        sorted.dedup();
        if sorted.len() != listed.len() {
            return Err(Reason::DuplicateParameter);
        }
        match own {
            _ if listed.len() > MODULES_MAX => Err(Reason::MalformedQuery),
            None if listed.is_empty() => Err(Reason::MalformedQuery),
            None => Ok(listed),
            Some(own) if listed.is_empty() || listed == [own.clone()] => Ok(vec![own]),
            // The API would look at the path only.
            Some(_) => Err(Reason::MalformedQuery),
        }
    }

    /// Names the modules, where the path does not.
    pub(super) fn write_modules(
        &self,
        operation: &Operation,
        route: &Route,
        tree: &mut Map<String, Value>,
    ) {
        if let Some(list) = &self.modules
            && !route.template.contains(&Segment::Module)
        {
            let modules = operation.module.iter().chain(&operation.query.beside);
            let names = modules.map(Module::as_str).collect::<Vec<_>>().join(",");
            put(tree, list, None, names.into());
        }
    }
}
