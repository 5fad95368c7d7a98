//! Reads how a route asks for records: projection, order, page, and the parameters beside.

use super::{Reader, keys};
use crate::diagnostic::{Form, Keys, Node, NodeKind, quoted};
use crate::dialect::engine::codes;
use crate::dialect::engine::description::{Carries, Name};
use crate::dialect::engine::jsonpath::Tree;
use crate::dialect::engine::listing::{Listing, Page, Search, Select, Within, Zero};
use crate::dialect::styles::{Directions, Order};
use crate::dialect::{Empty, NextPlace, NextSays, Step};
use crate::vocabulary::intern;

#[derive(Clone, Copy)]
enum OrderStyle {
    Signs,
    Words,
    Apart,
    Objects,
    Colons,
    Members,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SelectStyle {
    Text,
    ByModule,
    Names,
}

const ZEROS: &[(&str, Zero)] = &[
    ("none", Zero::None),
    ("all", Zero::All),
    ("refused", Zero::Refused),
];
const EMPTIES: &[(&str, Empty)] = &[("list", Empty::List), ("bare", Empty::Bare)];
const NEXT: &[(&str, NextSays)] = &[
    ("offset", NextSays::Offset),
    ("behind", NextSays::Behind),
    ("pages", NextSays::Pages),
];

impl Reader<'_> {
    pub(super) fn carries(&mut self, keys: &Keys<'_>) -> Carries {
        match keys.get("query") {
            None => Carries::Query,
            Some(Node {
                kind: NodeKind::Str(word),
                ..
            }) if word == "body" => Carries::Body,
            Some(Node {
                kind: NodeKind::Str(word),
                ..
            }) if word == "both" => Carries::Both,
            Some(node) => {
                const JSON: Form = Form {
                    what: "`query`",
                    known: &["json"],
                    refused: &[],
                };
                let keys = JSON.read(node, self.found);
                let name = keys.and_then(|keys| self.required_parameter(&keys, "json"));
                name.map_or(Carries::Query, Carries::Json)
            }
        }
    }

    /// How records are asked for; and in whose reply they are, if that is known.
    pub(super) fn listing(&mut self, keys: &Keys<'_>, reply: Option<&Tree>) -> Listing {
        let predicates = self.predicates(keys);
        Listing {
            select: self.select(keys),
            is_plain: matches!(predicates.as_slice(), [one] if one.is_whole()),
            predicates,
            orders: self.orders(keys),
            page: keys.get("page").and_then(|node| self.page(node, reply)),
        }
    }

    /// How records are asked for within records.
    pub(super) fn within(&mut self, node: &Node) -> Option<Within> {
        let keys = keys::WITHIN.read(node, self.found)?;
        let depth = keys.get("depth");
        let depth = depth.and_then(|node| node.integer("`depth`", 1..=3, self.found));
        let within = Within {
            name: self.required(&keys, "name")?.value.to_owned(),
            listing: self.listing(&keys, None),
            confined: self.confined(&keys),
            depth: depth
                .and_then(|depth| usize::try_from(depth).ok())
                .unwrap_or(1),
        };
        let listing = &within.listing;
        let is_named = matches!(listing.select, Some(Select::Names { .. }));
        let page = listing.page.as_ref();
        let is_short = page.is_none_or(|page| page.cursor.is_none() && page.number.is_none());
        if !is_named || !listing.is_plain || listing.orders.len() > 1 || !is_short {
            self.bad(
                codes::MISPLACED,
                "more would have to be remembered of these records than what is asked",
                keys.place(),
                "`select` with `style: names`, one whole filter, one order, pages by `offset`",
            );
        }
        Some(within)
    }

    fn select(&mut self, keys: &Keys<'_>) -> Option<Select> {
        let node = keys.get("select")?;
        let NodeKind::Map(_) = node.kind else {
            return Some(Select::Text {
                names: self.parameters(keys, "select"),
                separator: ',',
            });
        };
        let keys = keys::SELECT.read(node, self.found)?;
        keys.require("in", self.found)?;
        let mut names = self.parameters(&keys, "in");
        let styles = [
            ("text", SelectStyle::Text),
            ("by_module", SelectStyle::ByModule),
            ("names", SelectStyle::Names),
        ];
        let style = self.choice(&keys, "style", SelectStyle::Text, &styles);
        if style != SelectStyle::Names {
            self.means_nothing(&keys, &["within"]);
        }
        if style != SelectStyle::Text {
            self.means_nothing(&keys, &["separator"]);
        }
        if style == SelectStyle::Names {
            return Some(Select::Names {
                at: names.pop()?,
                within: self.flag(&keys, "within"),
            });
        }
        if style == SelectStyle::ByModule {
            let has_module = |name: &Name| name.0.len() == 2 && name.0[1] == "{module}";
            if !matches!(names.as_slice(), [name] if has_module(name)) {
                self.bad(
                    codes::BAD_NAME,
                    "the module is not named",
                    keys.place(),
                    "with `by_module`, `in` must be like `fields[{module}]`",
                );
            }
            return names.pop().map(Select::ByModule);
        }
        let separator = self.text(&keys, "separator");
        let separator = match separator {
            None => ',',
            Some(text) => match text.value.chars().collect::<Vec<_>>().as_slice() {
                [letter] if letter.is_ascii_punctuation() || *letter == ' ' => *letter,
                _ => {
                    self.bad(
                        codes::BAD_NAME,
                        "this is not a separator",
                        &text.place,
                        "one character",
                    );
                    ','
                }
            },
        };
        Some(Select::Text { names, separator })
    }

    /// One way to write an order, or several.
    fn orders(&mut self, keys: &Keys<'_>) -> Vec<Order> {
        match keys.get("order") {
            None => Vec::new(),
            Some(Node {
                kind: NodeKind::Seq(nodes),
                ..
            }) => nodes.iter().filter_map(|node| self.order(node)).collect(),
            Some(node) => self.order(node).into_iter().collect(),
        }
    }

    fn order(&mut self, node: &Node) -> Option<Order> {
        const STYLES: &[(&str, OrderStyle)] = &[
            ("signs", OrderStyle::Signs),
            ("words", OrderStyle::Words),
            ("apart", OrderStyle::Apart),
            ("objects", OrderStyle::Objects),
            ("colons", OrderStyle::Colons),
            ("members", OrderStyle::Members),
        ];
        let keys = keys::ORDER.read(node, self.found)?;
        let by = self.required_parameter(&keys, "in")?;
        let default = match keys.get("direction") {
            None => OrderStyle::Signs,
            Some(_) => OrderStyle::Apart,
        };
        let style = self.choice(&keys, "style", default, STYLES);
        let apart: &[&str] = match style {
            OrderStyle::Signs => &["field", "direction", "ascending", "descending", "last"],
            OrderStyle::Words => &["field", "direction", "single", "last"],
            OrderStyle::Apart => &["field", "single", "last"],
            OrderStyle::Objects => &["single", "last"],
            OrderStyle::Colons | OrderStyle::Members => {
                &["field", "direction", "ascending", "descending", "single"]
            }
        };
        self.means_nothing(&keys, apart);
        let mut word = |key: &str, default: &str| {
            let text = keys
                .get(key)
                .and_then(|node| node.text(&format!("`{key}`"), self.found));
            text.map_or_else(|| default.to_owned(), |text| text.value.to_owned())
        };
        let words = Directions {
            ascending: word("ascending", "asc"),
            descending: word("descending", "desc"),
        };
        let (field, member) = (word("field", "field"), word("direction", "direction"));
        let is_word = |word: &str| !word.is_empty() && word.trim() == word && !word.contains(',');
        if words.ascending.eq_ignore_ascii_case(&words.descending)
            || !is_word(&words.ascending)
            || !is_word(&words.descending)
        {
            self.bad(
                codes::BAD_ROUTE,
                "these are not two directions",
                keys.place(),
                "`ascending` and `descending` must be words, and differ in more than case",
            );
        }
        match style {
            OrderStyle::Signs => Some(Order::Signs {
                at: by,
                is_single: self.flag(&keys, "single"),
            }),
            OrderStyle::Words => Some(Order::Words { at: by, words }),
            OrderStyle::Colons => Some(Order::Colons(by)),
            OrderStyle::Members => Some(Order::Members(by)),
            OrderStyle::Apart => Some(Order::Apart {
                by,
                direction: self.required_parameter(&keys, "direction")?,
                words,
            }),
            OrderStyle::Objects => {
                if field == member {
                    self.bad(
                        codes::TWICE,
                        format!("{} has two meanings", quoted(&field)),
                        keys.place(),
                        "`field` and `direction` must differ",
                    );
                }
                Some(Order::Objects {
                    at: by,
                    field,
                    direction: member,
                    words,
                })
            }
        }
    }

    fn page(&mut self, node: &Node, reply: Option<&Tree>) -> Option<Page> {
        let keys = keys::PAGE.read(node, self.found)?;
        let size = self.required_parameter(&keys, "size")?;
        let mut rows = |key: &str| {
            let rows = keys
                .get(key)?
                .integer(&format!("`{key}`"), 1..=100_000, self.found)?;
            u32::try_from(rows).ok()
        };
        let keeps_default = matches!(
            keys.get("default").map(|node| &node.kind),
            Some(NodeKind::Str(word)) if word == "own"
        );
        let max = rows("max");
        let default = if keeps_default { None } else { rows("default") };
        let all = self.text(&keys, "all").map(|text| text.value.to_owned());
        let first = keys
            .get("first")
            .and_then(|node| node.integer("`first`", 0..=1, self.found));
        let number = self.optional_parameter(&keys, "number");
        let more = self.text(&keys, "more");
        let place = more.as_ref().and_then(|text| self.place(text));
        if let (Some(text), Some(place)) = (&more, &place)
            && reply.is_some_and(|reply| !reply.passes(place))
        {
            self.bad(
                codes::NO_RECORDS,
                format!("{} does not pass", quoted(text.value)),
                &text.place,
                "what tells the caller that there is more must be in `pass`",
            );
        }
        Some(Page {
            size,
            default,
            max,
            keeps_default,
            all,
            zero: self.choice(&keys, "zero", Zero::None, ZEROS),
            tells_more: more.is_some(),
            next: self.next(&keys, place),
            empty: self.empty(&keys),
            offset: self.optional_parameter(&keys, "offset"),
            cursor: self.optional_parameter(&keys, "cursor"),
            number: number.map(|name| (name, u64::from(first.unwrap_or(1) == 1))),
        })
    }

    /// What the API answers where there are no records: a status, or a word.
    fn empty(&mut self, keys: &Keys<'_>) -> Empty {
        let Some(node) = keys.get("empty") else {
            return Empty::List;
        };
        if matches!(node.kind, NodeKind::Int(_)) {
            let status = node.integer("a status of an error", 400..=499, self.found);
            let status = status.and_then(|status| u16::try_from(status).ok());
            return status.map_or(Empty::List, Empty::Error);
        }
        self.choice(keys, "empty", Empty::List, EMPTIES)
    }

    /// What stands at the place that tells that there is more.
    fn next(&mut self, keys: &Keys<'_>, place: Option<Vec<Step>>) -> Option<NextPlace> {
        let node = keys.get("next")?;
        let says = node.choice("next", NEXT, self.found)?;
        let names = place
            .unwrap_or_default()
            .into_iter()
            .map(|step| match step {
                Step::Name(name) => Some(name),
                Step::Element | Step::Member => None,
            });
        let path: Option<Vec<_>> = names.collect();
        let path = path.filter(|path| !path.is_empty());
        if path.is_none() {
            self.bad(
                codes::NO_RECORDS,
                "nothing says where `next` stands".to_owned(),
                &node.place,
                "it says what stands at the place of `more`, which must be one that keys lead to",
            );
        }
        Some(NextPlace { path: path?, says })
    }

    /// The parameter of a full-text search, and what stands with it.
    pub(super) fn search(&mut self, keys: &Keys<'_>) -> Option<Search> {
        let node = keys.get("search")?;
        if !matches!(node.kind, NodeKind::Map(_)) {
            return Some(Search {
                at: self.optional_parameter(keys, "search")?,
                reread: false,
                alone: false,
                modules: None,
            });
        }
        let keys = keys::SEARCH.read(node, self.found)?;
        Some(Search {
            at: self.required_parameter(&keys, "in")?,
            reread: self.flag(&keys, "reread"),
            alone: self.flag(&keys, "alone"),
            modules: self.optional_parameter(&keys, "modules"),
        })
    }

    /// Whether a route itself is about the caller.
    pub(super) fn of_caller(&mut self, keys: &Keys<'_>) -> bool {
        let stated = keys.get("about_caller");
        stated.is_some_and(|node| matches!(node.kind, NodeKind::Bool(true)))
    }

    /// The parameters of a route that are about the caller.
    pub(super) fn about_caller(&mut self, keys: &Keys<'_>) -> Vec<(Name, Vec<&'static str>)> {
        let mut all = Vec::new();
        let stated = keys.get("about_caller");
        if stated.is_some_and(|node| matches!(node.kind, NodeKind::Bool(_))) {
            return all;
        }
        for (name, node) in self.entries(keys, "about_caller") {
            let Some(name) = self.parameter(&name.value, &name.place) else {
                continue;
            };
            let words = match &node.kind {
                NodeKind::Str(word) if word == "flag" => Vec::new(),
                _ => {
                    let words = node
                        .texts("words about the caller, or `flag`", self.found)
                        .unwrap_or_default();
                    words.into_iter().map(|text| intern(text.value)).collect()
                }
            };
            all.push((name, words));
        }
        all
    }
}
