//! Reads the modules of a description and the algebra of their fields.

use std::collections::BTreeMap;

use super::{Reader, keys};
use crate::diagnostic::{Diagnostics, Keys, Node, NodeKind, Place, Spanned, quoted};
use crate::dialect::engine::codes;
use crate::dialect::engine::description::{Algebra, Ignored, Known, Table};
use crate::dialect::engine::grammar;
use crate::dialect::{Items, Origin, Shape};
use crate::vocabulary::{Field, FieldPath, Module};

/// The longest text that a column holds: a LONGTEXT of MySQL.
const LENGTH_MAX: i64 = u32::MAX as i64;

impl Reader<'_> {
    /// The modules whose records say who may do what.
    pub(super) fn administration(&mut self, node: &Node) -> Vec<Module> {
        let names = node.texts("`administration`", self.found);
        let names = names.unwrap_or_default().into_iter();
        names
            .filter_map(|name| self.module(name.value, &name.place))
            .collect()
    }

    pub(super) fn all_modules(&mut self, node: &Node, root: &Keys<'_>) -> Vec<Known> {
        let entries = node.map("`modules`", self.found).unwrap_or_default();
        for (name, _) in entries {
            if grammar::is_word(&name.value) {
                self.modules.push(Module::new(&name.value));
            } else {
                self.bad(
                    codes::BAD_NAME,
                    format!("{} is not a name of a module", quoted(&name.value)),
                    &name.place,
                    "letters, digits, `_` and `-`",
                );
            }
        }
        let link_names = root
            .get("link_names")
            .and_then(|node| self.link_names(node));
        let everywhere = root
            .get("fields")
            .and_then(|node| keys::FIELDS.read(node, self.found));
        let mut modules = Vec::new();
        for (number, (name, node)) in entries.iter().enumerate() {
            if !self
                .modules
                .iter()
                .any(|module| module.as_str() == name.value)
            {
                continue;
            }
            let mut algebra = Algebra::default();
            if let Some(everywhere) = &everywhere {
                // Its mistakes are told once.
                let mut again = Diagnostics::new();
                let found = if number == 0 {
                    &mut *self.found
                } else {
                    &mut again
                };
                let mut reader = Reader {
                    found,
                    modules: self.modules.clone(),
                    credentials: Vec::new(),
                    ignored: Ignored::default(),
                    native: self.native,
                    media: self.media,
                };
                reader.algebra(everywhere, &Module::new(&name.value), &mut algebra);
            }
            if let Some(known) = self.known(name, node, algebra, link_names.as_ref()) {
                modules.push(known);
            }
        }
        self.paths(&modules, node);
        modules
    }

    /// Two modules with one name in paths would be told apart by nobody.
    fn paths(&mut self, modules: &[Known], node: &Node) {
        let mut seen: Vec<(String, &Module)> = Vec::new();
        for known in modules {
            for path in &known.paths {
                let folded = path.to_ascii_lowercase();
                match seen
                    .iter()
                    .find(|(other, module)| *other == folded && **module != known.module)
                {
                    Some((_, other)) => {
                        let title = format!(
                            "modules `{other}` and `{}` have one name in paths: {}",
                            known.module,
                            quoted(path)
                        );
                        self.bad(
                            codes::OVERLAP,
                            title,
                            &node.place,
                            "names are compared without case",
                        );
                    }
                    None => seen.push((folded, &known.module)),
                }
            }
        }
    }

    /// The field that names a record. Its mistakes are told with `link_names`.
    pub(super) fn display(root: &Keys<'_>) -> String {
        let mut again = Diagnostics::new();
        let keys = root
            .get("link_names")
            .and_then(|node| keys::LINK_NAMES.read(node, &mut again));
        let field = keys.and_then(|keys| {
            Some(
                keys.get("field")?
                    .text("`field`", &mut again)?
                    .value
                    .to_owned(),
            )
        });
        field.unwrap_or_else(|| "name".to_owned())
    }

    fn link_names(&mut self, node: &Node) -> Option<LinkNames> {
        let keys = keys::LINK_NAMES.read(node, self.found)?;
        let mut pattern = |key: &str| {
            let text = keys.get(key)?.text(&format!("`{key}`"), self.found)?;
            if !text.value.contains("{link}") {
                self.bad(
                    codes::BAD_NAME,
                    format!("{} is the same for every link", quoted(text.value)),
                    &text.place,
                    "must hold `{link}`",
                );
            }
            Some(text.value.to_owned())
        };
        let (one, many) = (pattern("one"), pattern("many"));
        let field = self.required(&keys, "field")?;
        Some(LinkNames {
            one,
            many,
            field: field.value.to_owned(),
        })
    }

    fn known(
        &mut self,
        name: &Spanned<String>,
        node: &Node,
        mut algebra: Algebra,
        link_names: Option<&LinkNames>,
    ) -> Option<Known> {
        let keys = keys::MODULE.read(node, self.found)?;
        let module = Module::new(&name.value);
        self.algebra(&keys, &module, &mut algebra);
        let mut links = BTreeMap::new();
        for (link, node) in self.entries(&keys, "links") {
            let target = node.text("a link's module", self.found);
            let target = target.and_then(|text| self.module(text.value, &text.place));
            if let (Some(link), Some(target)) = (self.field(&link.value, &link.place), target) {
                links.insert(link, target);
            }
        }
        if let Some(names) = link_names {
            names.describe(&links, &mut algebra);
        }
        let mut columns = Vec::new();
        for (column, node) in self.entries(&keys, "columns") {
            let field = node.text("a field", self.found);
            let field = field.and_then(|text| self.field(text.value, &text.place));
            if let (Some(column), Some(field)) = (self.field(&column.value, &column.place), field) {
                algebra.spell(&field);
                columns.push((column, field));
            }
        }
        let mut paths: Vec<String> = Vec::new();
        for text in self.texts(&keys, "path") {
            if grammar::is_segment(text.value) {
                paths.push(text.value.to_owned());
            } else {
                self.bad(
                    codes::BAD_NAME,
                    format!("{} is not a segment of a path", quoted(text.value)),
                    &text.place,
                    "one plain word, or several between dots",
                );
            }
        }
        if paths.is_empty() {
            paths.push(name.value.clone());
        }
        let id = self.text(&keys, "id");
        let id = id
            .and_then(|text| self.key(text.value, &text.place))
            .unwrap_or("id");
        let inner = self.texts(&keys, "inner");
        let inner = inner
            .into_iter()
            .filter_map(|text| self.key(text.value, &text.place))
            .collect();
        let tables = self.tables(&keys);
        Some(Known {
            module,
            paths,
            id,
            inner,
            algebra,
            links,
            columns,
            tables,
        })
    }

    fn tables(&mut self, keys: &Keys<'_>) -> Vec<(String, Table)> {
        let mut tables = Vec::new();
        for (alias, node) in self.entries(keys, "tables") {
            let table = match &node.kind {
                NodeKind::Str(text) if text == "own" => Some(Table::Own(String::new())),
                NodeKind::Str(text) => self.module(text, &node.place).map(Table::Of),
                _ => keys::TABLE.read(node, self.found).and_then(|keys| {
                    let prefix = self.required(&keys, "prefix")?;
                    self.field(prefix.value, &prefix.place).map(Table::Own)
                }),
            };
            if let (Some(alias), Some(table)) = (self.field(&alias.value, &alias.place), table) {
                tables.push((alias, table));
            }
        }
        if let (Some((_, first)), Some(node)) = (tables.first(), keys.get("tables"))
            && !matches!(first, Table::Own(prefix) if prefix.is_empty())
        {
            self.bad(
                codes::BAD_NAME,
                "the first table is not the module's own",
                &node.place,
                "must begin with one that is `own`",
            );
        }
        tables
    }

    fn algebra(&mut self, keys: &Keys<'_>, module: &Module, into: &mut Algebra) {
        for text in self.texts(keys, "fields") {
            if let Some(field) = self.field(text.value, &text.place) {
                into.spell(&field);
                into.fields.insert(Field::fold(&field));
            }
        }
        for (field, node) in self.entries(keys, "lengths") {
            let length = node.integer("a length", 1..=LENGTH_MAX, self.found);
            let length = length.and_then(|length| usize::try_from(length).ok());
            if let (Some(field), Some(length)) = (self.field(&field.value, &field.place), length) {
                into.lengths.insert(Field::fold(&field), length);
            }
        }
        for (field, node) in self.entries(keys, "copies") {
            let (mut of, mut perhaps) = (Vec::new(), Vec::new());
            for text in node
                .texts("the sources of a copy", self.found)
                .unwrap_or_default()
            {
                let (source, list) = match text.value.strip_suffix('?') {
                    Some(source) => (source, &mut perhaps),
                    None => (text.value, &mut of),
                };
                list.extend(self.source(source, module, &text.place));
            }
            into.say(&field.value, Origin::Copy { of, perhaps });
        }
        for (field, node) in self.entries(keys, "items") {
            if let Some(origin) = self.items(node, module) {
                into.say(&field.value, origin);
            }
        }
        for (field, node) in self.entries(keys, "maps") {
            let mut of = Vec::new();
            for text in node
                .texts("the sources of a map", self.found)
                .unwrap_or_default()
            {
                of.extend(self.source(text.value, module, &text.place));
            }
            let items = Items {
                treated: &[Items::EACH],
                passed: &[],
            };
            into.say(&field.value, Origin::CopyItems { items, of });
        }
        for (field, node) in self.entries(keys, "parents") {
            if let Some(text) = node.text("the field that tells a module", self.found)
                && let Some(told_by) = self.key(text.value, &text.place)
            {
                into.say(&field.value, Origin::CopyOfParent { told_by });
            }
        }
        for (field, node) in self.entries(keys, "related") {
            let target = node.text("a module", self.found);
            if let Some(target) = target.and_then(|text| self.module(text.value, &text.place)) {
                into.say(&field.value, Origin::Related(target));
            }
        }
        for text in self.texts(keys, "secrets") {
            into.say(text.value, Origin::Secret);
        }
        for text in self.texts(keys, "scaffolding") {
            into.say(text.value, Origin::Structural(Shape::Scalar));
        }
    }

    /// The field that a value comes from: `last_name` of the same module, or `Accounts.name`.
    fn source(&mut self, text: &str, own: &Module, place: &Place) -> Option<FieldPath> {
        let (module, field) = match text.split_once('.') {
            Some((module, field)) => (self.module(module, place)?, field),
            None => (own.clone(), text),
        };
        self.field(field, place)
            .map(|field| FieldPath::new(&module, &field))
    }

    fn items(&mut self, node: &Node, module: &Module) -> Option<Origin> {
        let keys = keys::ITEMS.read(node, self.found)?;
        keys.require("values", self.found)?;
        let mut members = |key: &str| -> &'static [&'static str] {
            let texts = self.texts(&keys, key);
            Vec::leak(
                texts
                    .into_iter()
                    .filter_map(|text| self.key(text.value, &text.place))
                    .collect(),
            )
        };
        let items = Items {
            treated: members("values"),
            passed: members("beside"),
        };
        let of = self.texts(&keys, "of");
        let of: Vec<FieldPath> = of
            .into_iter()
            .filter_map(|text| self.source(text.value, module, &text.place))
            .collect();
        Some(if of.is_empty() {
            Origin::Items(items)
        } else {
            Origin::CopyItems { items, of }
        })
    }
}

impl Algebra {
    /// What is said later, of one module, is said instead of what is said of all.
    fn say(&mut self, field: &str, origin: Origin) {
        self.origins.insert(field.to_ascii_lowercase(), origin);
        self.spell(field);
        self.fields.insert(Field::fold(field));
    }

    /// Keeps how a name is spelled, where that is not how it is folded.
    fn spell(&mut self, name: &str) {
        let field = Field::fold(name);
        if field.as_str() != name {
            self.spelled.insert(field, name.to_owned());
        }
    }
}

/// How the names of linked records are called.
pub(super) struct LinkNames {
    one: Option<String>,
    many: Option<String>,
    field: String,
}

impl LinkNames {
    fn describe(&self, links: &BTreeMap<String, Module>, algebra: &mut Algebra) {
        for (link, target) in links {
            let of = vec![FieldPath::new(target, &self.field)];
            let items = Items {
                treated: &[Items::EACH],
                passed: &[],
            };
            let names = [
                (
                    &self.one,
                    Origin::Copy {
                        of: of.clone(),
                        perhaps: Vec::new(),
                    },
                ),
                (&self.many, Origin::CopyItems { items, of }),
            ];
            for (pattern, origin) in names {
                let Some(pattern) = pattern else { continue };
                let field = pattern.replace("{link}", link).to_ascii_lowercase();
                algebra.fields.insert(Field::fold(&field));
                algebra.origins.entry(field).or_insert(origin);
            }
        }
    }
}
