//! Adds lines to the section `classify` of a policy's files. Never changes a line or takes one away: comments, order,
//! indentation and the ends of lines stay. Where lines go the reader of YAML knows, which knows the place of each key.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostics, File, Node, NodeKind, Spanned, read};
use crate::policy::Source;

/// What stands behind each line.
pub const MARK: &str = "# suggested by discover";
/// The file for what fits into no other.
pub const NEW_FILE: &str = "discovered.yaml";
/// Spaces by which a section is indented in a file that has none.
const INDENT: &str = "  ";

/// Fields and their categories, by module.
pub type Additions = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// Why nothing is added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAdded(String);

/// The files that change, or are new, with their whole text.
///
/// # Errors
/// If a file would not say what it says now, and the additions beside it.
pub(super) fn add(
    sources: &[Source],
    policy: &str,
    additions: &Additions,
) -> Result<Vec<Source>, NotAdded> {
    let trees: Vec<Tree> = sources.iter().filter_map(Tree::of).collect();
    let mut insertions: Vec<Vec<Insertion>> = trees.iter().map(|_| Vec::new()).collect();
    let mut rest = Additions::new();
    for (module, fields) in additions.iter().filter(|(_, fields)| !fields.is_empty()) {
        let found = trees.iter().enumerate().find_map(|(number, tree)| {
            let insertion = tree.in_section(module, fields)?;
            Some((number, insertion))
        });
        let found = found.or_else(|| {
            let mut free = trees.iter().enumerate();
            free.find_map(|(number, tree)| Some((number, tree.new_section(module, fields)?)))
        });
        match found {
            Some((number, insertion)) => insertions[number].push(insertion),
            None => {
                rest.insert(module.clone(), fields.clone());
            }
        }
    }
    let mut changed = Vec::new();
    for (tree, insertions) in trees.iter().zip(insertions) {
        if !insertions.is_empty() {
            changed.push(tree.with(insertions)?);
        }
    }
    if !rest.is_empty() {
        changed.push(new_file(sources, policy, &rest)?);
    }
    Ok(changed)
}

fn new_file(sources: &[Source], policy: &str, rest: &Additions) -> Result<Source, NotAdded> {
    let is_it = |source: &&Source| source.path.rsplit('/').next() == Some(NEW_FILE);
    if let Some(source) = sources.iter().find(is_it) {
        let path = &source.path;
        let modules: Vec<&str> = rest.keys().map(String::as_str).collect();
        return Err(NotAdded(format!(
            "`{path}` has no section `classify` with a line for each entry, to which {} could be added",
            modules.join(", ")
        )));
    }
    let mut text = format!(
        "# What `paravent discover` has suggested: look it through.\n\npolicy: {}\n\nclassify:\n",
        key(policy)
    );
    for (module, fields) in rest {
        text.push_str(&section(module, fields, (INDENT, "    ", "\n")));
    }
    Ok(Source {
        path: NEW_FILE.to_owned(),
        text,
    })
}

/// Lines, and the byte before which they go.
struct Insertion {
    at: usize,
    /// Sections that are new go behind entries of one that ends there.
    is_section: bool,
    lines: String,
}

/// A file, and its section `classify`.
struct Tree {
    source: Source,
    root: Node,
}

impl Tree {
    fn of(source: &Source) -> Option<Self> {
        let file = File::new(source.path.as_str(), source.text.as_str());
        let root = read(&file, &mut Diagnostics::new())?;
        Some(Self {
            source: source.clone(),
            root,
        })
    }

    fn text(&self) -> &str {
        &self.source.text
    }

    fn newline(&self) -> &'static str {
        match self.text().split_once('\n') {
            Some((line, _)) if line.ends_with('\r') => "\r\n",
            _ => "\n",
        }
    }

    /// The section, if each of its entries stands on lines of its own.
    fn classify(&self) -> Option<(&Node, Vec<Entry<'_>>)> {
        let root = entries(&self.root)?;
        let (_, node) = root.iter().find(|(key, _)| key.value == "classify")?;
        Some((node, self.lines_of(node)?))
    }

    /// The entries of a map that has lines of its own for each, all indented by the same.
    fn lines_of<'a>(&self, node: &'a Node) -> Option<Vec<Entry<'a>>> {
        let read: Option<Vec<Entry<'a>>> = entries(node)?
            .iter()
            .map(|(key, value)| {
                let start = key.place.span.start;
                let before = self.text().get(..start)?;
                let line = before.rfind('\n').map_or(0, |at| at + 1);
                let indent = before.get(line..)?;
                let is_blank = indent.bytes().all(|byte| byte == b' ');
                is_blank.then(|| Entry {
                    indent: indent.to_owned(),
                    key,
                    value,
                })
            })
            .collect();
        let read = read?;
        let first = read.first()?.indent.clone();
        let is_even = !first.is_empty() && read.iter().all(|entry| entry.indent == first);
        is_even.then_some(read)
    }

    fn in_section(
        &self,
        module: &str,
        fields: &BTreeMap<String, BTreeSet<String>>,
    ) -> Option<Insertion> {
        let (_, sections) = self.classify()?;
        let section = sections.iter().find(|entry| entry.key.value == module)?;
        let lines = self.lines_of(section.value)?;
        let indent = &lines.first()?.indent;
        let newline = self.newline();
        Some(Insertion {
            at: self.behind(section.value)?,
            is_section: false,
            lines: fields
                .iter()
                .map(|(field, categories)| line(field, categories, indent, newline))
                .collect(),
        })
    }

    fn new_section(
        &self,
        module: &str,
        fields: &BTreeMap<String, BTreeSet<String>>,
    ) -> Option<Insertion> {
        let (node, sections) = self.classify()?;
        if sections.iter().any(|entry| entry.key.value == module) {
            return None;
        }
        let indent = &sections.first()?.indent;
        let inner = sections
            .iter()
            .find_map(|entry| Some(self.lines_of(entry.value)?.first()?.indent.clone()));
        let inner = inner.unwrap_or_else(|| format!("{indent}{INDENT}"));
        Some(Insertion {
            at: self.behind(node)?,
            is_section: true,
            lines: section(module, fields, (indent, &inner, self.newline())),
        })
    }

    /// The beginning of the line behind the last line of a node.
    fn behind(&self, node: &Node) -> Option<usize> {
        let text = self.text();
        let end = end(node, text)?;
        let rest = text.get(end..)?;
        Some(rest.find('\n').map_or(text.len(), |at| end + at + 1))
    }

    /// The file with these lines in it.
    fn with(&self, mut insertions: Vec<Insertion>) -> Result<Source, NotAdded> {
        insertions.sort_by_key(|insertion| (insertion.at, insertion.is_section));
        let (old, newline) = (self.text(), self.newline());
        let mut text = String::with_capacity(old.len());
        let mut from = 0;
        let is_open = !old.ends_with('\n');
        for insertion in insertions {
            text.push_str(old.get(from..insertion.at).unwrap_or_default());
            if !text.is_empty() && !text.ends_with('\n') {
                text.push_str(newline);
            }
            text.push_str(&insertion.lines);
            from = insertion.at;
        }
        text.push_str(old.get(from..).unwrap_or_default());
        if is_open && from == old.len() {
            // The file ended without an end of its last line, and goes on to.
            text.truncate(text.trim_end_matches(['\r', '\n']).len());
        }
        let new = Source {
            path: self.source.path.clone(),
            text,
        };
        let has_grown = Self::of(&new).is_some_and(|new| grew(&self.root, &new.root, 0));
        match has_grown {
            true => Ok(new),
            false => Err(NotAdded(format!(
                "`{}` is written in a way in which lines cannot be added to its section `classify`",
                self.source.path
            ))),
        }
    }
}

/// An entry of a map.
type Member = (Spanned<String>, Node);

/// An entry of a map, on lines of its own.
struct Entry<'a> {
    indent: String,
    key: &'a Spanned<String>,
    value: &'a Node,
}

fn entries(node: &Node) -> Option<&[Member]> {
    match &node.kind {
        NodeKind::Map(entries) => Some(entries),
        _ => None,
    }
}

/// Where a node ends. Of a map or list only the first line is known: it ends where its last part does, and behind its
/// bracket, if it has one.
fn end(node: &Node, text: &str) -> Option<usize> {
    let start = node.place.span.start;
    let last = match &node.kind {
        NodeKind::Map(entries) => entries.last().map(|(key, value)| match value.kind {
            NodeKind::Null if value.place.span.is_empty() => Some(key.place.span.end),
            _ => end(value, text),
        }),
        NodeKind::Seq(items) => items.last().map(|item| end(item, text)),
        _ => return Some(node.place.span.end.max(start)),
    };
    let last = last.unwrap_or(Some(start + 1))?;
    match text.as_bytes().get(start) {
        Some(b'{') => behind_bracket(text, last, b'}'),
        Some(b'[') => behind_bracket(text, last, b']'),
        _ => Some(last),
    }
}

fn behind_bracket(text: &str, from: usize, bracket: u8) -> Option<usize> {
    let mut is_comment = false;
    for (at, byte) in text.bytes().enumerate().skip(from) {
        match byte {
            b'\n' => is_comment = false,
            _ if is_comment => {}
            b'#' => is_comment = true,
            byte if byte == bracket => return Some(at + 1),
            b' ' | b'\t' | b'\r' | b',' | b':' => {}
            _ => return None,
        }
    }
    None
}

/// Whether a new tree is an old one with entries added to `classify` and its sections, and nothing else.
fn grew(old: &Node, new: &Node, depth: usize) -> bool {
    let (NodeKind::Map(old), NodeKind::Map(new)) = (&old.kind, &new.kind) else {
        return same(old, new);
    };
    let mut before = old.iter().peekable();
    for (key, value) in new {
        let known = before.next_if(|(known, _)| known.value == key.value);
        let may_grow = depth == 1 || depth == 2 || key.value == "classify";
        match known {
            Some((_, known)) if may_grow && !grew(known, value, depth + 1) => return false,
            Some((_, known)) if !may_grow && !same(known, value) => return false,
            None if depth == 0 || depth > 2 => return false,
            _ => {}
        }
    }
    before.peek().is_none()
}

fn same(old: &Node, new: &Node) -> bool {
    match (&old.kind, &new.kind) {
        (NodeKind::Map(old), NodeKind::Map(new)) => {
            let is_same =
                |(old, new): (&Member, &Member)| old.0.value == new.0.value && same(&old.1, &new.1);
            old.len() == new.len() && old.iter().zip(new).all(is_same)
        }
        (NodeKind::Seq(old), NodeKind::Seq(new)) => {
            old.len() == new.len() && old.iter().zip(new).all(|(old, new)| same(old, new))
        }
        (old, new) => old == new,
    }
}

fn section(
    module: &str,
    fields: &BTreeMap<String, BTreeSet<String>>,
    (indent, inner, newline): (&str, &str, &str),
) -> String {
    let mut text = format!("{indent}{}: {MARK}{newline}", key(module));
    for (field, categories) in fields {
        text.push_str(&line(field, categories, inner, newline));
    }
    text
}

fn line(field: &str, categories: &BTreeSet<String>, indent: &str, newline: &str) -> String {
    let all: Vec<&str> = categories.iter().map(String::as_str).collect();
    let categories = match all.as_slice() {
        [one] => (*one).to_owned(),
        many => format!("[{}]", many.join(", ")),
    };
    format!("{indent}{}: {categories} {MARK}{newline}", key(field))
}

/// A name as a key: in quotes where another reader of YAML would take it for something else.
pub(in crate::workbench) fn key(name: &str) -> String {
    const WORDS: &[&str] = &[
        "true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf",
    ];
    let folded = name.to_ascii_lowercase();
    let is_plain = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        && !WORDS.contains(&folded.as_str());
    match is_plain {
        true => name.to_owned(),
        // A text of JSON is one of YAML.
        false => serde_json::Value::from(name).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_could_be_something_else_are_quoted() {
        assert_eq!(key("last_name"), "last_name");
        assert_eq!(key("No"), "\"No\"");
        assert_eq!(key("7"), "\"7\"");
        assert_eq!(key("a\"b\\c\n"), "\"a\\\"b\\\\c\\n\"");
    }

    fn additions(all: &[(&str, &str, &str)]) -> Additions {
        let mut additions = Additions::new();
        for (module, field, category) in all {
            let fields = additions.entry((*module).to_owned()).or_default();
            let categories = fields.entry((*field).to_owned()).or_default();
            categories.insert((*category).to_owned());
        }
        additions
    }

    fn added(text: &str, all: &[(&str, &str, &str)]) -> Vec<Source> {
        let source = Source {
            path: "p.yaml".to_owned(),
            text: text.to_owned(),
        };
        add(&[source], "p", &additions(all)).unwrap()
    }

    const ALL: &[(&str, &str, &str)] = &[
        ("Contacts", "rib_old_c", "financial.iban"),
        ("Boats", "skipper_name", "identity.name"),
    ];

    #[test]
    fn lines_go_to_the_end_of_their_section() {
        let text = "policy: p # name\n\nclassify: # what\n  \"*\":\n    id: technical.id\n  Contacts:\n    # names\n    last_name: identity.name # theirs\n\n# rules\ngrants: []\n";
        let expected = "policy: p # name\n\nclassify: # what\n  \"*\":\n    id: technical.id\n  Contacts:\n    # names\n    last_name: identity.name # theirs\n    rib_old_c: financial.iban # suggested by discover\n  Boats: # suggested by discover\n    skipper_name: identity.name # suggested by discover\n\n# rules\ngrants: []\n";
        assert_eq!(added(text, ALL)[0].text, expected);
    }

    #[test]
    fn the_end_of_the_file_and_of_its_lines_stay() {
        let text = "policy: p\r\nclassify:\r\n  Contacts:\r\n      last_name: identity.name";
        let expected = "policy: p\r\nclassify:\r\n  Contacts:\r\n      last_name: identity.name\r\n      rib_old_c: financial.iban # suggested by discover\r\n  Boats: # suggested by discover\r\n      skipper_name: identity.name # suggested by discover";
        assert_eq!(added(text, ALL)[0].text, expected);
    }

    #[test]
    fn entries_may_be_maps_and_lists_of_several_lines() {
        let text = "classify:\n  Contacts:\n    a: { category: x, # why {\n         instead_of: [y,\n           z], # }\n       }\n  Leads:\n    b:\n      - c\n      - d\n";
        let all = &[
            ("Contacts", "e", "criminal"),
            ("Leads", "f", "criminal"),
            ("Leads", "no", "criminal"),
        ];
        let expected = "classify:\n  Contacts:\n    a: { category: x, # why {\n         instead_of: [y,\n           z], # }\n       }\n    e: criminal # suggested by discover\n  Leads:\n    b:\n      - c\n      - d\n    f: criminal # suggested by discover\n    \"no\": criminal # suggested by discover\n";
        assert_eq!(added(text, all)[0].text, expected);
    }

    #[test]
    fn what_stands_in_one_line_goes_to_a_file_of_its_own() {
        let text = "policy: p\nclassify:\n  \"*\": { id: technical.id }\n  Contacts: { last_name: identity.name }\n";
        let changed = added(text, ALL);
        let paths: Vec<&str> = changed.iter().map(|source| source.path.as_str()).collect();
        assert_eq!(paths, ["p.yaml", NEW_FILE]);
        assert!(changed[0].text.ends_with("  Boats: # suggested by discover\n    skipper_name: identity.name # suggested by discover\n"));
        assert!(changed[1].text.ends_with("policy: p\n\nclassify:\n  Contacts: # suggested by discover\n    rib_old_c: financial.iban # suggested by discover\n"));
        let again = [Source {
            path: NEW_FILE.to_owned(),
            text: "classify: {}\n".to_owned(),
        }];
        assert!(add(&again, "p", &additions(ALL)).is_err());
    }

    #[test]
    fn several_categories_are_a_list() {
        let all = &[
            ("Contacts", "x", "criminal"),
            ("Contacts", "x", "free_text"),
        ];
        let changed = added("classify:\n  Contacts:\n    a: b\n", all);
        assert!(
            changed[0]
                .text
                .contains("    x: [criminal, free_text] # suggested")
        );
    }

    fn name() -> impl Strategy<Value = String> {
        prop_oneof![Just("no".to_owned()), "[a-zA-Z_][a-z0-9_]{0,6}",]
    }

    fn file() -> impl Strategy<Value = String> {
        let entry = (name(), 0_usize..6).prop_map(|(name, form)| {
            let value = [
                "criminal",
                "[criminal, free_text] # both",
                "\"criminal\"",
                "{ category: criminal }",
                "\n      - criminal # one\n      - free_text",
                "{ category: criminal, # x\n      }",
            ][form];
            format!("    f_{name}: {value}\n")
        });
        let section = (name(), proptest::collection::vec(entry, 1..4), 0_usize..3);
        let sections = proptest::collection::btree_map(name(), section, 1..4);
        (sections, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
            |(sections, crlf, rest, open)| {
                let mut text = "# top\npolicy: p\nclassify: # here\n".to_owned();
                for (module, (_, fields, comments)) in sections {
                    text.push_str(&format!("  {}:\n", key(&module)));
                    let mut known = BTreeSet::new();
                    for field in fields {
                        let name = field.split(':').next().unwrap().to_owned();
                        if known.insert(name) {
                            text.push_str(&field);
                        }
                    }
                    text.push_str(["", "\n", "    # more\n\n  # and\n"][comments]);
                }
                if rest {
                    text.push_str("grants: []\n");
                }
                if open {
                    text.truncate(text.trim_end_matches('\n').len());
                }
                match crlf {
                    true => text.replace('\n', "\r\n"),
                    false => text,
                }
            },
        )
    }

    proptest! {
        #[test]
        fn no_line_is_changed_or_taken_away(
            text in file(),
            modules in proptest::collection::btree_set(name(), 1..5),
            field in "[a-e][a-z]{0,4}",
        ) {
            let all: Additions = modules
                .into_iter()
                .map(|module| {
                    let categories = BTreeSet::from(["criminal".to_owned()]);
                    (module, BTreeMap::from([(format!("n_{field}"), categories)]))
                })
                .collect();
            let source = Source { path: "p.yaml".to_owned(), text: text.clone() };
            for changed in add(&[source], "p", &all).unwrap() {
                if changed.path == NEW_FILE {
                    continue;
                }
                let lines = |text: &str| -> Vec<String> { text.split('\n').map(str::to_owned).collect() };
                let mut new = lines(&changed.text).into_iter();
                for old in lines(&text) {
                    let is_it = |line: &String| line.trim_end_matches('\r') == old.trim_end_matches('\r');
                    prop_assert!(new.any(|line| is_it(&line)), "{old:?}\n{text}\n--\n{}", changed.text);
                }
                prop_assert_eq!(changed.text.ends_with('\n'), text.ends_with('\n'));
                let ends = changed.text.matches('\n').count();
                let windows = changed.text.matches("\r\n").count();
                prop_assert!(windows == 0 || windows == ends, "{}", changed.text);
                for line in changed.text.lines().filter(|line| line.contains(MARK)) {
                    prop_assert!(line.ends_with(MARK));
                }
                for (module, fields) in &all {
                    for field in fields.keys() {
                        prop_assert!(changed.text.contains(&format!("{field}: criminal {MARK}")), "{module}");
                    }
                }
            }
        }
    }
}
