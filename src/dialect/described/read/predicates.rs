//! Reads the styles of predicates.

use super::Reader;
use crate::diagnostic::{Form, Keys, Node, NodeKind, quoted};
use crate::dialect::described::codes;
use crate::dialect::described::description::Name;
use crate::dialect::described::predicate::{Items, PredicateStyle};
use crate::vocabulary::intern;

pub(super) const WHERE: Form = Form {
    what: "`where`",
    known: &[
        "style",
        "in",
        "parameters",
        "operators",
        "bare",
        "members",
        "groups",
        "beside",
        "lifted",
        "words",
    ],
    refused: &[],
};

pub(super) const MEMBERS: Form = Form {
    what: "`members`",
    known: &["operator", "field", "value"],
    refused: &[],
};

pub(super) const GROUPS: Form = Form {
    what: "`groups`",
    known: &["all", "any"],
    refused: &[],
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Equals,
    Ids,
    Bracket,
    JsonApi,
    Where,
    Sql,
    Rsql,
    Words,
}

impl Reader<'_> {
    /// One style, or several side by side.
    pub(super) fn predicates(&mut self, keys: &Keys<'_>) -> Vec<PredicateStyle> {
        match keys.get("where") {
            None => Vec::new(),
            Some(Node {
                kind: NodeKind::Seq(nodes),
                ..
            }) => nodes
                .iter()
                .filter_map(|node| self.predicate(node))
                .collect(),
            Some(node) => self.predicate(node).into_iter().collect(),
        }
    }

    fn predicate(&mut self, node: &Node) -> Option<PredicateStyle> {
        const STYLES: &[(&str, Style)] = &[
            ("equals", Style::Equals),
            ("ids", Style::Ids),
            ("bracket", Style::Bracket),
            ("jsonapi", Style::JsonApi),
            ("where", Style::Where),
            ("sqlfilters", Style::Sql),
            ("rsql", Style::Rsql),
            ("words", Style::Words),
        ];
        let keys = WHERE.read(node, self.found)?;
        let style =
            keys.require("style", self.found)?
                .choice("style of predicates", STYLES, self.found)?;
        self.only(&keys, style);
        match style {
            Style::Equals => self.equals(&keys).map(PredicateStyle::Equals),
            Style::Ids => self.equals(&keys).map(PredicateStyle::Ids),
            Style::Bracket | Style::JsonApi => self.bracket(&keys, style == Style::JsonApi),
            Style::Where => self.listed_items(&keys),
            Style::Sql => self
                .required_parameter(&keys, "in")
                .map(PredicateStyle::Sql),
            Style::Rsql => self.rsql(&keys),
            Style::Words => self.words(&keys),
        }
    }

    /// Reports keys of other styles: nothing in a description is ever ignored.
    fn only(&mut self, keys: &Keys<'_>, style: Style) {
        let known: &[&str] = match style {
            Style::Equals | Style::Ids => &["parameters"],
            Style::Bracket | Style::JsonApi => &["in", "operators", "bare"],
            Style::Where => &["in", "operators", "members", "groups", "beside", "lifted"],
            Style::Sql => &["in"],
            Style::Rsql => &["in", "operators"],
            Style::Words => &["in", "words"],
        };
        for key in WHERE.known {
            if *key != "style"
                && !known.contains(key)
                && let Some(node) = keys.get(key)
            {
                self.bad(
                    codes::MISPLACED,
                    format!("`{key}` means nothing in this style"),
                    &node.place,
                    "take it out",
                );
            }
        }
    }

    fn equals(&mut self, keys: &Keys<'_>) -> Option<Vec<(Name, String)>> {
        keys.require("parameters", self.found)?;
        let mut parameters = Vec::new();
        for (name, node) in self.entries(keys, "parameters") {
            let field = node.text("a field", self.found);
            let field = field.and_then(|text| self.field(text.value, &text.place));
            if let (Some(name), Some(field)) = (self.parameter(&name.value, &name.place), field) {
                parameters.push((name, field));
            }
        }
        Some(parameters)
    }

    fn bracket(&mut self, keys: &Keys<'_>, json_api: bool) -> Option<PredicateStyle> {
        let at = match (self.optional_parameter(keys, "in"), json_api) {
            (None, true) => Some(Name(vec!["filter".to_owned()])),
            (at, _) => at,
        };
        let bare = keys
            .get("bare")
            .map_or(json_api, |_| self.flag(keys, "bare"));
        let operators = self.operators(keys);
        if operators.is_empty() && !bare {
            self.bad(
                codes::BAD_PREDICATES,
                "no operator is known, and none may be left out".to_owned(),
                keys.place(),
                "needs `operators`, or `bare: true`",
            );
        }
        Some(PredicateStyle::Bracket {
            at,
            operators,
            bare,
        })
    }

    fn rsql(&mut self, keys: &Keys<'_>) -> Option<PredicateStyle> {
        let at = self.required_parameter(keys, "in");
        keys.require("operators", self.found)?;
        let operators = self.operators(keys);
        for operator in &operators {
            let inside = operator
                .strip_prefix('=')
                .and_then(|rest| rest.strip_suffix('='));
            let is_word =
                inside.is_some_and(|word| word.bytes().all(|byte| byte.is_ascii_lowercase()));
            if !is_word && !matches!(*operator, "!=" | "<" | "<=" | ">" | ">=") {
                self.bad(
                    codes::BAD_PREDICATES,
                    format!("{} is not an operator of RSQL", quoted(operator)),
                    keys.place(),
                    "`==`, `!=`, `<`, `<=`, `>`, `>=`, or a word between `=`, such as `=in=`",
                );
            }
        }
        Some(PredicateStyle::Rsql { at: at?, operators })
    }

    fn operators(&mut self, keys: &Keys<'_>) -> Vec<&'static str> {
        let texts = self.texts(keys, "operators");
        let mut operators = Vec::new();
        for text in texts {
            if (1..=40).contains(&text.value.len())
                && text.value.bytes().all(|byte| byte.is_ascii_graphic())
            {
                operators.push(intern(text.value));
            } else {
                self.bad(
                    codes::BAD_PREDICATES,
                    "this is not an operator".to_owned(),
                    &text.place,
                    "one plain word",
                );
            }
        }
        operators
    }

    fn listed_items(&mut self, keys: &Keys<'_>) -> Option<PredicateStyle> {
        keys.require("in", self.found)?;
        keys.require("operators", self.found)?;
        let at = self.parameters(keys, "in");
        let operators = self.operators(keys);
        let mut word = |group: &str, schema: &Form, key: &str, default: &str| {
            let inner = keys
                .get(group)
                .and_then(|node| schema.read(node, self.found));
            let text = inner.and_then(|keys| keys.get(key)?.text(&format!("`{key}`"), self.found));
            text.map_or_else(|| default.to_owned(), |text| text.value.to_owned())
        };
        let operator = word("members", &MEMBERS, "operator", "type");
        let items = Items {
            operator,
            field: Vec::new(),
            value: word("members", &MEMBERS, "value", "value"),
            all: word("groups", &GROUPS, "all", "and"),
            any: word("groups", &GROUPS, "any", "or"),
            beside: self
                .texts(keys, "beside")
                .into_iter()
                .map(|text| text.value.to_owned())
                .collect(),
            lifted: Vec::new(),
            at,
            operators,
        };
        let items = Items {
            field: self.names_of_the_field(keys),
            lifted: self.lifted(keys),
            ..items
        };
        let is_group = |operator: &&'static str| **operator == items.all || **operator == items.any;
        let mut members: Vec<&String> = vec![&items.operator, &items.value];
        members.extend(&items.field);
        let is_said_twice = |(number, name): (usize, &&String)| members[..number].contains(name);
        let clash = members.iter().enumerate().any(is_said_twice)
            || items.lifted.iter().any(|(word, _)| {
                *word == items.all || *word == items.any || items.operators.contains(&word.as_str())
            });
        if clash
            || items.operators.iter().any(is_group)
            || items.beside.iter().any(|name| members.contains(&name))
        {
            self.bad(
                codes::BAD_PREDICATES,
                "one word has two meanings".to_owned(),
                keys.place(),
                "members, groups, operators and `beside` must differ",
            );
        }
        Some(PredicateStyle::Items(items))
    }

    /// The names of the member that names the field: one, or several of which the first is sent.
    fn names_of_the_field(&mut self, keys: &Keys<'_>) -> Vec<String> {
        let members = keys
            .get("members")
            .and_then(|node| MEMBERS.read(node, self.found));
        let texts = members.map(|members| self.texts(&members, "field"));
        let names = texts.unwrap_or_default().into_iter();
        let mut names: Vec<String> = names.map(|text| text.value.to_owned()).collect();
        if names.is_empty() {
            names.push("attribute".to_owned());
        }
        names
    }

    /// Operators of items that say what a parameter says.
    fn lifted(&mut self, keys: &Keys<'_>) -> Vec<(String, Name)> {
        let mut all = Vec::new();
        for (word, node) in self.entries(keys, "lifted") {
            let text = node.text("a parameter", self.found);
            let name = text.and_then(|text| self.parameter(text.value, &text.place));
            all.extend(name.map(|name| (word.value.clone(), name)));
        }
        all
    }

    fn words(&mut self, keys: &Keys<'_>) -> Option<PredicateStyle> {
        let at = self.required_parameter(keys, "in");
        keys.require("words", self.found)?;
        let mut words = Vec::new();
        for (word, node) in self.entries(keys, "words") {
            // A word may look at nothing: it says what holds without it.
            let fields = match &node.kind {
                NodeKind::Seq(items) if items.is_empty() => Vec::new(),
                _ => node
                    .texts("the fields that a word looks at", self.found)
                    .unwrap_or_default(),
            };
            let fields: Vec<String> = fields
                .iter()
                .filter_map(|text| self.field(text.value, &text.place))
                .collect();
            words.push((intern(&word.value), fields));
        }
        Some(PredicateStyle::Words(at?, words))
    }
}
