//! Reads the styles of predicates.

use super::{Reader, keys};
use crate::diagnostic::{Form, Keys, Node, NodeKind, quoted};
use crate::dialect::engine::codes;
use crate::dialect::engine::description::Name;
use crate::dialect::styles::Bracket;
use crate::dialect::styles::Groups;
use crate::dialect::styles::{GroupWords, Items, PredicateStyle};
use crate::vocabulary::intern;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Equals,
    Ids,
    Bracket,
    JsonApi,
    Where,
    Groups,
    Domain,
    Sql,
    Rsql,
    Dollars,
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
            ("groups", Style::Groups),
            ("domain", Style::Domain),
            ("sqlfilters", Style::Sql),
            ("rsql", Style::Rsql),
            ("dollars", Style::Dollars),
            ("words", Style::Words),
        ];
        let keys = keys::WHERE.read(node, self.found)?;
        let style =
            keys.require("style", self.found)?
                .choice("style of predicates", STYLES, self.found)?;
        self.only(&keys, style);
        match style {
            Style::Equals => self.equals(&keys).map(PredicateStyle::Equals),
            Style::Ids => {
                let list = self.flag(&keys, "list");
                let parameters = self.equals(&keys)?;
                Some(PredicateStyle::Ids { parameters, list })
            }
            Style::Bracket | Style::JsonApi => self.bracket(&keys, style == Style::JsonApi),
            Style::Where => self.listed_items(&keys),
            Style::Groups => self.filter_groups(&keys),
            Style::Domain => self.domain(&keys),
            Style::Sql => self
                .required_parameter(&keys, "in")
                .map(PredicateStyle::Sql),
            Style::Rsql => self.rsql(&keys),
            Style::Dollars => self
                .required_parameter(&keys, "in")
                .map(PredicateStyle::Dollars),
            Style::Words => self.words(&keys),
        }
    }

    /// Reports keys of other styles: nothing in a description is ever ignored.
    fn only(&mut self, keys: &Keys<'_>, style: Style) {
        let known: &[&str] = match style {
            Style::Equals => &["parameters"],
            Style::Ids => &["parameters", "list"],
            Style::Bracket | Style::JsonApi => &[
                "in",
                "operators",
                "ignore_case",
                "bare",
                "joined_by",
                "implied",
                "reread",
            ],
            Style::Where => &["in", "operators", "members", "groups", "beside", "lifted"],
            Style::Groups => &["in", "each", "operators", "members", "beside"],
            Style::Sql | Style::Dollars => &["in"],
            Style::Domain | Style::Rsql => &["in", "operators"],
            Style::Words => &["in", "words"],
        };
        let misplaced: Vec<&str> = (keys::WHERE.known.iter().copied())
            .filter(|key| *key != "style" && !known.contains(key))
            .collect();
        self.means_nothing(keys, &misplaced);
    }

    /// Reports keys that mean nothing where they stand.
    pub(super) fn means_nothing(&mut self, keys: &Keys<'_>, misplaced: &[&str]) {
        for key in misplaced {
            if let Some(node) = keys.get(key) {
                self.bad(
                    codes::MISPLACED,
                    format!("`{key}` means nothing here"),
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
            if let (Some(parameter), Some(field)) =
                (self.parameter(&name.value, &name.place), field)
            {
                // Both would be written into one of them.
                if parameters.iter().any(|(_, other)| *other == field) {
                    self.bad(
                        codes::TWICE,
                        format!("field {} has two parameters", quoted(&field)),
                        &name.place,
                        "give the second one in another style of the list",
                    );
                }
                parameters.push((parameter, field));
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
                "no operator is known, and none may be left out",
                keys.place(),
                "needs `operators`, or `bare: true`",
            );
        }
        let joined_by = self.text(keys, "joined_by");
        let joined_by = joined_by.and_then(|text| self.field(text.value, &text.place));
        Some(PredicateStyle::Bracket(Bracket {
            at,
            operators,
            ignore_case: self.flag(keys, "ignore_case"),
            bare,
            joined_by,
            implied: self.implied(keys),
            reread: self.flag(keys, "reread"),
        }))
    }

    /// Comparisons that the API adds by itself: `{ deleted: { eq: "0" } }`.
    fn implied(&mut self, keys: &Keys<'_>) -> Vec<(String, String, String)> {
        let mut all = Vec::new();
        for (field, node) in self.entries(keys, "implied") {
            let comparisons = node.map("a comparison", self.found).unwrap_or_default();
            let [(operator, node)] = comparisons else {
                self.bad(
                    codes::BAD_PREDICATES,
                    "this is not one comparison",
                    &node.place,
                    "must be like `{ eq: \"0\" }`",
                );
                continue;
            };
            let value = node.text("what is compared with", self.found);
            let field = self.field(&field.value, &field.place);
            if let (Some(field), Some(value)) = (field, value) {
                all.push((field, operator.value.clone(), value.value.to_owned()));
            }
        }
        all
    }

    fn domain(&mut self, keys: &Keys<'_>) -> Option<PredicateStyle> {
        let at = self.required_parameter(keys, "in");
        keys.require("operators", self.found)?;
        let operators = self.operators(keys);
        Some(PredicateStyle::Domain { at: at?, operators })
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
        let is_plain =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic());
        let mut operators = Vec::new();
        for text in texts {
            if (1..=40).contains(&text.value.len()) && text.value.split(' ').all(is_plain) {
                operators.push(intern(text.value));
            } else {
                self.bad(
                    codes::BAD_PREDICATES,
                    "this is not an operator",
                    &text.place,
                    "one plain word, or several with one blank between them: `not in`",
                );
            }
        }
        operators
    }

    fn listed_items(&mut self, keys: &Keys<'_>) -> Option<PredicateStyle> {
        keys.require("in", self.found)?;
        let at = self.parameters(keys, "in");
        let groups = GroupWords {
            all: self.word_of(keys, ("groups", &keys::GROUPS), "all", "and"),
            any: self.word_of(keys, ("groups", &keys::GROUPS), "any", "or"),
        };
        let lifted = self.lifted(keys);
        let items = self.item_form(keys, at, Some(groups), lifted)?;
        Some(PredicateStyle::Items(items))
    }

    fn filter_groups(&mut self, keys: &Keys<'_>) -> Option<PredicateStyle> {
        let at = self.required_parameter(keys, "in");
        let member = keys.require("each", self.found)?;
        let member = member.text("`each`", self.found)?.value.to_owned();
        let items = self.item_form(keys, Vec::new(), None, Vec::new())?;
        Some(PredicateStyle::Groups(Groups {
            at: at?,
            member,
            items,
        }))
    }

    /// What the items of a list look like.
    fn item_form(
        &mut self,
        keys: &Keys<'_>,
        at: Vec<Name>,
        groups: Option<GroupWords>,
        lifted: Vec<(String, Name)>,
    ) -> Option<Items> {
        keys.require("operators", self.found)?;
        let beside = self.texts(keys, "beside").into_iter();
        let items = Items {
            beside: beside.map(|text| text.value.to_owned()).collect(),
            operators: self.operators(keys),
            operator: self.word_of(keys, ("members", &keys::MEMBERS), "operator", "type"),
            field: self.member_names(keys, "field", "attribute"),
            values: self.member_names(keys, "value", "value"),
            at,
            groups,
            lifted,
        };
        if items.has_two_meanings() {
            self.bad(
                codes::BAD_PREDICATES,
                "one word has two meanings",
                keys.place(),
                "members, groups, operators and `beside` must differ",
            );
        }
        Some(items)
    }

    /// A word of a map below the style.
    fn word_of(
        &mut self,
        keys: &Keys<'_>,
        (map, form): (&str, &Form),
        key: &str,
        default: &str,
    ) -> String {
        let inner = keys.get(map).and_then(|node| form.read(node, self.found));
        let text = inner.and_then(|keys| keys.get(key)?.text(&format!("`{key}`"), self.found));
        text.map_or_else(|| default.to_owned(), |text| text.value.to_owned())
    }

    /// The names of a member: one, or several.
    fn member_names(&mut self, keys: &Keys<'_>, key: &'static str, default: &str) -> Vec<String> {
        let members = keys
            .get("members")
            .and_then(|node| keys::MEMBERS.read(node, self.found));
        let texts = members.map(|members| self.texts(&members, key));
        let names = texts.unwrap_or_default().into_iter();
        let mut names: Vec<String> = names.map(|text| text.value.to_owned()).collect();
        if names.is_empty() {
            names.push(default.to_owned());
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
