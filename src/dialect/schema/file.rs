//! Schema files: what an installation has beside the stock of a dialect, as its operator writes and reviews it.
//!
//! ```yaml
//! schema: sugar-rest
//! modules:
//!   Contacts:
//!     fields:
//!       shoe_size_c: int
//!       skipper_name: { type: relate, copies: Contacts.name }
//!       pin_c: { secret: true }
//!     links:
//!       boats: acme_Boats
//!       crew: { relationship: boats_contacts }
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use super::modules::{FieldSchema, Holds, LinkSchema, ModuleSchema, Modules};
use super::{Schema, codes};
use crate::diagnostic::{
    Diagnostic, Diagnostics, File, Form, Keys, Node, NodeKind, Place, Spanned, load, quoted,
};
use crate::vocabulary::{Field, FieldPath, Module};

/// Characters of a name, a type, a table, a relationship.
const NAME_CHARACTERS_MAX: usize = 128;

/// A schema file, read: of which dialect, and what it says.
#[derive(Debug)]
pub struct SchemaFile {
    /// The dialect to whose stock it adds.
    pub dialect: Spanned<String>,
    modules: Modules,
    /// Where each module, and each field and link of it, stands.
    places: BTreeMap<(Module, String), Place>,
    /// Modules that copies and links lead to.
    led_to: Vec<(Module, Place)>,
}

impl SchemaFile {
    /// Reads a file. Every problem is in the diagnostics; it comes out only if none of its own is an error.
    pub fn load(path: &Path, found: &mut Diagnostics) -> Option<Self> {
        let file = load(path, codes::UNREADABLE, found)?;
        Self::read(&file, found)
    }

    /// The same from a text.
    pub fn read(file: &File, found: &mut Diagnostics) -> Option<Self> {
        const FORM: Form = Form {
            what: "a schema",
            known: &["schema", "modules"],
            refused: &[],
        };
        let errors = found.errors();
        let root = crate::diagnostic::read(file, found)?;
        let keys = FORM.read(&root, found)?;
        let dialect = keys
            .require("schema", found)
            .and_then(|node| node.text("the dialect of a schema", found));
        let mut read = Self {
            dialect: dialect?.into_owned(),
            modules: Modules::default(),
            places: BTreeMap::new(),
            led_to: Vec::new(),
        };
        if let Some(node) = keys.require("modules", found) {
            for (name, node) in node.map("`modules`", found).unwrap_or_default() {
                read.module(name, node, found);
            }
            if read.modules.is_empty() && found.errors() == errors {
                found.push(
                    Diagnostic::warning(codes::NOTHING, "the schema names no module")
                        .at(&node.place, "nothing stands here"),
                );
            }
        }
        (found.errors() == errors).then_some(read)
    }

    /// What the file says, where a process has written it; it must be of this schema's dialect.
    pub fn learned(self, schema: &Schema, found: &mut Diagnostics) -> Option<Modules> {
        let is_its_own = self.is_of(schema, found);
        is_its_own.then_some(self.modules)
    }

    fn is_of(&self, schema: &Schema, found: &mut Diagnostics) -> bool {
        let is_its_own = self.dialect.value == schema.dialect();
        if !is_its_own {
            let title = format!("the schema is not of `{}`", schema.dialect());
            found.push(
                Diagnostic::error(codes::OTHER_DIALECT, title)
                    .at(&self.dialect.place, "of another dialect"),
            );
        }
        is_its_own
    }

    /// Adds what the file says to a schema of its dialect. What contradicts it is an error.
    pub fn add_to(self, schema: &Schema, found: &mut Diagnostics) -> Arc<Schema> {
        self.is_of(schema, found);
        let known: BTreeSet<Module> = schema
            .modules()
            .into_iter()
            .chain(schema.beside().iter().map(|(module, _)| module.clone()))
            .chain(self.modules.iter().map(|(module, _)| module.clone()))
            .collect();
        self.in_another_case(schema, found);
        for (module, place) in &self.led_to {
            if !known.contains(module) {
                let title = format!("unknown module {}", quoted(module.as_str()));
                found.push(
                    Diagnostic::error(codes::UNKNOWN_MODULE, title)
                        .at(place, "leads to no module that is known")
                        .suggest(module.as_str(), known.iter().map(Module::as_str))
                        .help("name it under `modules`, if the CRM has it"),
                );
            }
        }
        let (schema, merged) = schema.and(self.modules);
        for contradiction in &merged.contradictions {
            let key = (contradiction.module.clone(), contradiction.name.clone());
            let title = match contradiction.is_secret {
                true => format!("`{}.{}` is a secret", key.0, key.1),
                false => format!("`{}.{}` is known to be something else", key.0, key.1),
            };
            let problem = Diagnostic::error(codes::CONTRADICTION, title)
                .help("take it out: what the dialect knows of its stock stands");
            let module_key = (key.0.clone(), String::new());
            let place = self.places.get(&key);
            let place = place.or_else(|| self.places.get(&module_key));
            found.push(match place {
                Some(place) => problem.at(place, "contradicts it"),
                None => problem,
            });
        }
        if merged.left_out > 0 {
            let title = format!("{} fields and links find no room", merged.left_out);
            found.push(Diagnostic::error(codes::TOO_LARGE, title));
        }
        schema
    }

    /// Modules that are called as the stock's are but for case: the CRM has no such module, and nothing would come of it.
    fn in_another_case(&self, schema: &Schema, found: &mut Diagnostics) {
        let stock = schema.modules();
        for (module, _) in self
            .modules
            .iter()
            .filter(|(module, _)| !stock.contains(module))
        {
            let meant = stock
                .iter()
                .find(|stock| stock.as_str().eq_ignore_ascii_case(module.as_str()));
            let Some(meant) = meant else { continue };
            let title = format!("{} is written `{meant}`", quoted(module.as_str()));
            let problem = Diagnostic::error(codes::BAD_NAME, title);
            found.push(match self.places.get(&(module.clone(), String::new())) {
                Some(place) => problem.at(place, "no module of the CRM: case matters"),
                None => problem,
            });
        }
    }

    fn module(&mut self, name: &Spanned<String>, node: &Node, found: &mut Diagnostics) {
        const FORM: Form = Form {
            what: "a module of a schema",
            known: &["fields", "links", "table"],
            refused: &[],
        };
        let Some(keys) = FORM.read(node, found) else {
            return;
        };
        if !is_name("a module", &name.value, &name.place, found) {
            return;
        }
        let module = Module::new(&name.value);
        self.places
            .insert((module.clone(), String::new()), name.place.clone());
        let mut known = ModuleSchema {
            table: table(&keys, found),
            ..ModuleSchema::default()
        };
        let entries = |key: &'static str, found: &mut Diagnostics| match keys.get(key) {
            Some(node) => node.map(key, found).unwrap_or_default(),
            None => &[],
        };
        for (name, node) in entries("fields", found) {
            if is_name("a field", &name.value, &name.place, found)
                && let Some(field) = self.field(node, found)
            {
                let folded = Field::fold(&name.value);
                self.places.insert(
                    (module.clone(), folded.as_str().to_owned()),
                    name.place.clone(),
                );
                if known.fields.insert(folded, field).is_some() {
                    ambiguous(name, "is named twice in another case", found);
                }
            }
        }
        for (name, node) in entries("links", found) {
            if is_name("a link", &name.value, &name.place, found)
                && let Some(link) = self.link(node, found)
            {
                let folded = Field::fold(&name.value);
                if known.fields.contains_key(&folded) {
                    ambiguous(name, "is named as a field, too", found);
                }
                self.places
                    .insert((module.clone(), name.value.clone()), name.place.clone());
                let link = LinkSchema {
                    name: name.value.clone(),
                    ..link
                };
                if known.links.insert(folded, link).is_some() {
                    ambiguous(name, "is named twice in another case", found);
                }
            }
        }
        match self.modules.entry(&module) {
            Some(entry) => *entry = known,
            None => found.push(
                Diagnostic::error(codes::TOO_LARGE, "there are too many modules")
                    .at(&name.place, "finds no room"),
            ),
        }
    }

    fn field(&mut self, node: &Node, found: &mut Diagnostics) -> Option<FieldSchema> {
        const FORM: Form = Form {
            what: "a field of a schema",
            known: &["type", "copies", "secret"],
            refused: &[],
        };
        if let NodeKind::Str(_) = node.kind {
            let text = node.text("the type of a field", found)?;
            is_name("a type", text.value, &text.place, found).then_some(())?;
            if matches!(text.value, "secret" | "copies") {
                let title = format!("{} is no type", quoted(text.value));
                found.push(
                    Diagnostic::error(codes::BAD_NAME, title)
                        .at(&text.place, "would be the name of a type")
                        .help("write `{ secret: true }`, or `{ copies: Module.field }`"),
                );
                return None;
            }
            return Some(FieldSchema {
                kind: Some(text.value.to_owned()),
                holds: Holds::Own,
            });
        }
        let keys = FORM.read(node, found)?;
        let secret = keys
            .get("secret")
            .map_or(Some(false), |node| node.boolean("`secret`", found))?;
        let copies = match keys.get("copies") {
            Some(node) => Some(self.paths(node, found)?),
            None => None,
        };
        let holds = match (copies, secret) {
            (None, false) => Holds::Own,
            (None, true) => Holds::Secret,
            (Some(paths), false) => Holds::Copy(paths),
            (Some(_), true) => {
                found.push(
                    Diagnostic::error(codes::AMBIGUOUS, "a secret is no copy")
                        .at(&node.place, "both `secret` and `copies`")
                        .help("leave out `copies`: a secret is never shown"),
                );
                return None;
            }
        };
        Some(FieldSchema {
            kind: word(&keys, "type", found),
            holds,
        })
    }

    fn paths(&mut self, node: &Node, found: &mut Diagnostics) -> Option<Vec<FieldPath>> {
        let mut paths = Vec::new();
        for text in node.texts("`copies`", found)? {
            let path = text
                .value
                .split_once('.')
                .filter(|(module, field)| is_plain(module) && is_plain(field));
            let Some((module, field)) = path else {
                let title = format!("{} is no field", quoted(text.value));
                found.push(
                    Diagnostic::error(codes::BAD_NAME, title)
                        .at(&text.place, "must be like `Accounts.name`"),
                );
                continue;
            };
            let module = Module::new(module);
            paths.push(FieldPath::new(&module, field));
            self.led_to.push((module, text.place));
        }
        (!paths.is_empty()).then_some(paths)
    }

    fn link(&mut self, node: &Node, found: &mut Diagnostics) -> Option<LinkSchema> {
        const FORM: Form = Form {
            what: "a link of a schema",
            known: &["to", "relationship"],
            refused: &[],
        };
        if let NodeKind::Str(_) = node.kind {
            return Some(LinkSchema {
                target: self.target(node, found),
                ..LinkSchema::named("")
            });
        }
        let keys = FORM.read(node, found)?;
        let target = keys.get("to").and_then(|node| self.target(node, found));
        let relationship = word(&keys, "relationship", found);
        if keys.get("to").is_none() && keys.get("relationship").is_none() {
            let _ = keys.require("to", found);
        }
        Some(LinkSchema {
            target,
            relationship,
            ..LinkSchema::named("")
        })
    }

    fn target(&mut self, node: &Node, found: &mut Diagnostics) -> Option<Module> {
        let text = node.text("the module that a link leads to", found)?;
        is_name("a module", text.value, &text.place, found).then_some(())?;
        let module = Module::new(text.value);
        self.led_to.push((module.clone(), text.place));
        Some(module)
    }
}

/// A word under a key.
fn word(keys: &Keys<'_>, key: &str, found: &mut Diagnostics) -> Option<String> {
    let text = keys.get(key)?.text(&format!("`{key}`"), found)?;
    is_name(&format!("`{key}`"), text.value, &text.place, found).then(|| text.value.to_owned())
}

/// The table of a module: it becomes part of what a database reads.
fn table(keys: &Keys<'_>, found: &mut Diagnostics) -> Option<String> {
    let text = keys.get("table")?.text("`table`", found)?;
    let is_fit = !text.value.contains('-') && is_plain(text.value);
    if !is_fit {
        let title = format!("{} is no name of a table", quoted(text.value));
        let problem = Diagnostic::error(codes::BAD_NAME, title);
        found.push(problem.at(&text.place, "only letters, digits and `_`, at most 128"));
    }
    is_fit.then(|| text.value.to_owned())
}

/// Whether a name is one of those that CRMs give: ASCII letters, digits, `_`, `-`, of bounded length.
pub(in crate::dialect) fn is_plain(name: &str) -> bool {
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    !name.is_empty() && name.len() <= NAME_CHARACTERS_MAX && name.bytes().all(is_fit)
}

fn is_name(what: &str, name: &str, place: &Place, found: &mut Diagnostics) -> bool {
    let is_plain = is_plain(name);
    if !is_plain {
        let title = format!("{} is no name of {what}", quoted(name));
        found.push(
            Diagnostic::error(codes::BAD_NAME, title)
                .at(place, "only letters, digits, `_` and `-`, at most 128"),
        );
    }
    is_plain
}

fn ambiguous(name: &Spanned<String>, what: &str, found: &mut Diagnostics) {
    let title = format!("{} {what}", quoted(&name.value));
    found.push(Diagnostic::error(codes::AMBIGUOUS, title).at(&name.place, "ambiguous"));
}

impl Modules {
    /// A schema file that says this of a dialect's CRM. Names that a file could not say are left out.
    pub fn to_yaml(&self, dialect: &str) -> String {
        let mut text = format!("schema: {dialect}\nmodules:");
        let mut is_empty = true;
        for (module, known) in self.iter().filter(|(module, _)| is_plain(module.as_str())) {
            is_empty = false;
            let _ = write!(text, "\n  {}:", scalar(module.as_str()));
            let before = text.len();
            if let Some(table) = known
                .table
                .as_deref()
                .filter(|table| is_plain(table) && !table.contains('-'))
            {
                let _ = write!(text, "\n    table: {}", scalar(table));
            }
            let mut heading = "\n    fields:";
            for (name, field) in known
                .fields
                .iter()
                .filter(|(name, _)| is_plain(name.as_str()))
            {
                let _ = write!(
                    text,
                    "{heading}\n      {}: {}",
                    scalar(name.as_str()),
                    field_text(field)
                );
                heading = "";
            }
            let mut heading = "\n    links:";
            for link in known.links.values().filter(|link| is_plain(&link.name)) {
                let (name, Some(link)) = (&link.name, link_text(link)) else {
                    continue;
                };
                let _ = write!(text, "{heading}\n      {}: {link}", scalar(name));
                heading = "";
            }
            if text.len() == before {
                text.push_str(" {}");
            }
        }
        text.push_str(if is_empty { " {}\n" } else { "\n" });
        text
    }
}

fn field_text(field: &FieldSchema) -> String {
    let kind = field.kind.as_deref().filter(|kind| is_plain(kind));
    let kind = kind.map(scalar);
    let mut members: Vec<String> = kind.iter().map(|kind| format!("type: {kind}")).collect();
    match &field.holds {
        Holds::Own => {
            if let Some(kind) = kind {
                return kind;
            }
        }
        Holds::Secret => members.push("secret: true".to_owned()),
        Holds::Copy(paths) => {
            let paths: Vec<String> = paths.iter().map(|path| scalar(&path.to_string())).collect();
            members.push(format!("copies: [{}]", paths.join(", ")));
        }
    }
    match members.is_empty() {
        true => "{}".to_owned(),
        false => format!("{{ {} }}", members.join(", ")),
    }
}

fn link_text(link: &LinkSchema) -> Option<String> {
    let target = link.target.as_ref().map(Module::as_str);
    let target = target.filter(|target| is_plain(target)).map(scalar);
    let relationship = link.relationship.as_deref();
    let relationship = relationship.filter(|name| is_plain(name)).map(scalar);
    match (target, relationship) {
        (None, None) => None,
        (Some(target), None) => Some(target),
        (None, Some(relationship)) => Some(format!("{{ relationship: {relationship} }}")),
        (Some(target), Some(relationship)) => {
            Some(format!("{{ to: {target}, relationship: {relationship} }}"))
        }
    }
}

/// A name as YAML writes it: in quotes where it could be read as a number, a word of YAML, or an indicator.
fn scalar(name: &str) -> String {
    let begins_plain = name.starts_with(|c: char| c.is_ascii_alphabetic());
    let is_word = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
        .iter()
        .any(|word| name.eq_ignore_ascii_case(word));
    match begins_plain && !is_word {
        true => name.to_owned(),
        false => format!("\"{name}\""),
    }
}
