//! Reads the routes of a description, and compares each with the others.

use http::Method;

use super::{MEDIA, Reader};
use crate::diagnostic::{Diagnostic, Form, Keys, Node, NodeKind, Place as Where, Spanned, quoted};
use crate::dialect::engine::description::{
    Carries, Known, Name, Page, Relates, Route, Segment, Select, Write, Zero,
};
use crate::dialect::engine::jsonpath::Tree;
use crate::dialect::engine::order::{Directions, Order};
use crate::dialect::engine::{codes, grammar};
use crate::dialect::{Access, Link};
use crate::vocabulary::{Action, Module, intern};

pub(super) const ROUTE: Form = Form {
    what: "a route",
    known: &[
        "route",
        "action",
        "access",
        "module",
        "modules",
        "link",
        "query",
        "select",
        "where",
        "order",
        "page",
        "search",
        "about_caller",
        "fixed",
        "dropped",
        "controls",
        "write",
        "relate",
        "login",
        "media",
        "look_up",
        "records",
        "of",
        "under",
        "named_by",
        "beside",
        "counted",
        "related",
        "needs",
        "words",
        "pass",
        "opaque",
        "drop",
        "describes",
    ],
    refused: &[],
};

pub(super) const SELECT: Form = Form {
    what: "`select`",
    known: &["in", "style", "separator"],
    refused: &[],
};

pub(super) const ORDER: Form = Form {
    what: "`order`",
    known: &[
        "in",
        "style",
        "field",
        "direction",
        "ascending",
        "descending",
        "single",
    ],
    refused: &[],
};

pub(super) const PAGE: Form = Form {
    what: "`page`",
    known: &[
        "size", "default", "max", "zero", "offset", "cursor", "number", "first", "more",
    ],
    refused: &[],
};

pub(super) const WRITE: Form = Form {
    what: "`write`",
    known: &["under", "beside", "form", "own_id"],
    refused: &[],
};

#[derive(Clone, Copy)]
enum OrderStyle {
    Signs,
    Words,
    Apart,
    Objects,
}

const ZEROS: &[(&str, Zero)] = &[
    ("none", Zero::None),
    ("all", Zero::All),
    ("refused", Zero::Refused),
];

const ACTIONS: &[(&str, Action)] = &[
    ("list", Action::List),
    ("read", Action::Read),
    ("create", Action::Create),
    ("update", Action::Update),
    ("delete", Action::Delete),
    ("relate", Action::Relate),
    ("count", Action::Count),
    ("metadata", Action::Metadata),
    ("auth", Action::Auth),
    ("other", Action::Other),
];

/// A route with the place of its line, until all are compared.
pub(super) struct Read {
    pub(super) route: Route,
    pub(super) place: Where,
    pub(super) look_up: Option<Spanned<String>>,
}

impl Reader<'_> {
    pub(super) fn routes(&mut self, node: &Node, prefix: &str, modules: &[Known]) -> Vec<Route> {
        let mut all: Vec<Read> = Vec::new();
        for node in node.list("`routes`", self.found).unwrap_or_default() {
            let Some(keys) = ROUTE.read(node, self.found) else {
                continue;
            };
            let Some(lines) = keys.require("route", self.found) else {
                continue;
            };
            for line in lines.texts("`route`", self.found).unwrap_or_default() {
                // Several lines share what stands beside them; its mistakes are told with the first.
                let before = self.found.errors();
                if let Some(read) = self.route(&keys, &line, prefix, modules, all.len()) {
                    all.push(read);
                }
                if self.found.errors() > before {
                    break;
                }
            }
        }
        self.overlaps(&all);
        self.look_ups(&mut all);
        all.into_iter().map(|read| read.route).collect()
    }

    fn route(
        &mut self,
        keys: &Keys<'_>,
        line: &Spanned<&str>,
        prefix: &str,
        modules: &[Known],
        number: usize,
    ) -> Option<Read> {
        let (method, template) = self.line(line)?;
        let action = keys
            .require("action", self.found)?
            .choice("action", ACTIONS, self.found)?;
        let is_told = template.contains(&Segment::Module);
        let module = keys
            .get("module")
            .and_then(|node| node.text("`module`", self.found));
        let module = module.and_then(|text| self.module(text.value, &text.place));
        let allowed = self.texts(keys, "modules");
        let allowed: Vec<Module> = allowed
            .into_iter()
            .filter_map(|text| self.module(text.value, &text.place))
            .collect();
        if is_told && module.is_some() || !is_told && !allowed.is_empty() {
            self.bad(
                codes::MISPLACED,
                "the module is told twice, or nowhere".to_owned(),
                &line.place,
                "`modules` goes with `{module}`, `module` with paths without it",
            );
        }
        let link = self.link(keys, module.as_ref(), modules);
        let is_in_path = is_told || module.is_some();
        let write = self.write(keys, action, is_in_path);
        let tells = write.as_ref().is_some_and(|write| write.tells);
        let (reply, unread) = self.reply(keys, is_in_path || tells, action, line);
        let name = format!(
            "{method} {prefix}{}",
            &line.value[line.value.find('/').unwrap_or(0)..]
        );
        let access = [
            ("governed", Access::Governed),
            ("role", Access::Role),
            ("public", Access::Public),
            ("session", Access::Session),
        ];
        let route = Route {
            name: intern(&name),
            form: intern(&format!("{name} #{number}")),
            method,
            template,
            action,
            access: self.choice(keys, "access", Access::Governed, &access),
            modules: if allowed.is_empty() {
                self.modules.clone()
            } else {
                allowed
            },
            module,
            link,
            carries: self.carries(keys),
            select: self.select(keys),
            predicates: self.predicates(keys),
            orders: self.orders(keys),
            page: keys.get("page").and_then(|node| self.page(node, &reply)),
            search: self.optional_parameter(keys, "search"),
            about_caller: self.about_caller(keys),
            fixed: self.fixed(keys),
            dropped: self.dropped(keys),
            controls: self.controls(keys),
            write,
            relates: self.relates(keys),
            logs_in: self.login(keys),
            describes: self.flag(keys, "describes"),
            media: self.choice(keys, "media", self.media, MEDIA),
            reply,
            unread,
            look_up: None,
        };
        self.twice(&route, &line.place);
        self.fits_action(&route, &line.place);
        self.fits_access(&route, &line.place);
        self.fits_records(&route, &line.place);
        let look_up = keys
            .get("look_up")
            .and_then(|node| node.text("`look_up`", self.found));
        Some(Read {
            route,
            place: line.place.clone(),
            look_up: look_up.map(Spanned::into_owned),
        })
    }

    fn line(&mut self, line: &Spanned<&str>) -> Option<(Method, Vec<Segment>)> {
        let read = line.value.split_once(' ').and_then(|(method, path)| {
            let method = match method {
                "GET" => Method::GET,
                "POST" => Method::POST,
                "PUT" => Method::PUT,
                "PATCH" => Method::PATCH,
                "DELETE" => Method::DELETE,
                _ => return None,
            };
            let places = path
                .strip_prefix('/')?
                .split('/')
                .map(place)
                .collect::<Option<Vec<_>>>()?;
            let once = |place: &Segment| {
                matches!(place, Segment::Literal(_))
                    || places.iter().filter(|other| *other == place).count() == 1
            };
            places.iter().all(once).then(|| (method, places.clone()))
        });
        if read.is_none() {
            let problem = Diagnostic::error(codes::BAD_ROUTE, format!("{} is not a route", quoted(line.value)))
                .at(&line.place, "must be like `GET /{module}/{id}`")
                .help("methods: GET, POST, PUT, PATCH, DELETE; places: {module}, {id}, {link}, {related}, {by.FIELD}, {any_word}, each once");
            self.found.push(problem);
        }
        read
    }

    fn link(
        &mut self,
        keys: &Keys<'_>,
        module: Option<&Module>,
        modules: &[Known],
    ) -> Option<Link> {
        let text = keys.get("link")?.text("`link`", self.found)?;
        let known = modules.iter().find(|known| Some(&known.module) == module);
        let target = known.and_then(|known| known.links.get(text.value));
        if target.is_none() {
            let names = known
                .map(|known| known.links.keys().map(String::as_str).collect::<Vec<_>>())
                .unwrap_or_default();
            let problem = Diagnostic::error(
                codes::UNKNOWN_MODULE,
                format!("unknown link {}", quoted(text.value)),
            )
            .at(&text.place, "not a link of the route's `module`")
            .suggest(text.value, names);
            self.found.push(problem);
        }
        Some(Link {
            name: text.value.to_owned(),
            target: target?.clone(),
        })
    }

    fn carries(&mut self, keys: &Keys<'_>) -> Carries {
        match keys.get("query") {
            None => Carries::Query,
            Some(Node {
                kind: NodeKind::Str(word),
                ..
            }) if word == "body" => Carries::Body,
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

    fn select(&mut self, keys: &Keys<'_>) -> Option<Select> {
        let node = keys.get("select")?;
        let NodeKind::Map(_) = node.kind else {
            return Some(Select::Text {
                names: self.parameters(keys, "select"),
                separator: ',',
            });
        };
        let keys = SELECT.read(node, self.found)?;
        keys.require("in", self.found)?;
        let mut names = self.parameters(&keys, "in");
        let styles = [("text", false), ("by_module", true)];
        if self.choice(&keys, "style", false, &styles) {
            self.means_nothing(&keys, &["separator"]);
            let has_module = |name: &Name| name.0.len() == 2 && name.0[1] == "{module}";
            if !matches!(names.as_slice(), [name] if has_module(name)) {
                self.bad(
                    codes::BAD_NAME,
                    "the module is not named".to_owned(),
                    keys.place(),
                    "with `by_module`, `in` must be like `fields[{module}]`",
                );
            }
            return names.pop().map(Select::ByModule);
        }
        let separator = keys
            .get("separator")
            .and_then(|node| node.text("`separator`", self.found));
        let separator = match separator {
            None => ',',
            Some(text) => match text.value.chars().collect::<Vec<_>>().as_slice() {
                [letter] if letter.is_ascii_punctuation() || *letter == ' ' => *letter,
                _ => {
                    self.bad(
                        codes::BAD_NAME,
                        "this is not a separator".to_owned(),
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

    /// Parameters that are dropped: those of the route, and those that the API looks at nowhere.
    fn dropped(&mut self, keys: &Keys<'_>) -> Vec<Name> {
        let mut all = self.parameters(keys, "dropped");
        let own = all.len();
        for name in self.ignored.parameters.clone() {
            if !all[..own].contains(&name) {
                all.push(name);
            }
        }
        all
    }

    fn order(&mut self, node: &Node) -> Option<Order> {
        const STYLES: &[(&str, OrderStyle)] = &[
            ("signs", OrderStyle::Signs),
            ("words", OrderStyle::Words),
            ("apart", OrderStyle::Apart),
            ("objects", OrderStyle::Objects),
        ];
        let keys = ORDER.read(node, self.found)?;
        let by = self.required_parameter(&keys, "in")?;
        let default = match keys.get("direction") {
            None => OrderStyle::Signs,
            Some(_) => OrderStyle::Apart,
        };
        let style = self.choice(&keys, "style", default, STYLES);
        let apart: &[&str] = match style {
            OrderStyle::Signs => &["field", "direction", "ascending", "descending"],
            OrderStyle::Words => &["field", "direction", "single"],
            OrderStyle::Apart => &["field", "single"],
            OrderStyle::Objects => &["single"],
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
                "these are not two directions".to_owned(),
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

    fn page(&mut self, node: &Node, reply: &Tree) -> Option<Page> {
        let keys = PAGE.read(node, self.found)?;
        let size = self.required_parameter(&keys, "size")?;
        let mut rows = |key: &str| {
            let rows = keys
                .get(key)?
                .integer(&format!("`{key}`"), 1..=100_000, self.found)?;
            u32::try_from(rows).ok()
        };
        let (default, max) = (rows("default"), rows("max"));
        let first = keys
            .get("first")
            .and_then(|node| node.integer("`first`", 0..=1, self.found));
        let number = self.optional_parameter(&keys, "number");
        let more = keys
            .get("more")
            .and_then(|node| node.text("`more`", self.found));
        if let Some(text) = &more
            && let Some(place) = self.place(text)
            && !reply.passes(&place)
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
            zero: self.choice(&keys, "zero", Zero::None, ZEROS),
            tells_more: more.is_some(),
            offset: self.optional_parameter(&keys, "offset"),
            cursor: self.optional_parameter(&keys, "cursor"),
            number: number.map(|name| (name, u64::from(first.unwrap_or(1) == 1))),
        })
    }

    fn about_caller(&mut self, keys: &Keys<'_>) -> Vec<(Name, Vec<&'static str>)> {
        let mut all = Vec::new();
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

    fn fixed(&mut self, keys: &Keys<'_>) -> Vec<(Name, Vec<String>)> {
        let mut all = Vec::new();
        for (name, node) in self.entries(keys, "fixed") {
            let values = node
                .texts("the values of a parameter", self.found)
                .unwrap_or_default();
            if let Some(name) = self.parameter(&name.value, &name.place) {
                all.push((
                    name,
                    values
                        .into_iter()
                        .map(|text| text.value.to_owned())
                        .collect(),
                ));
            }
        }
        all
    }

    fn write(&mut self, keys: &Keys<'_>, action: Action, is_in_path: bool) -> Option<Write> {
        let writes = matches!(action, Action::Create | Action::Update);
        let Some(node) = keys.get("write") else {
            return writes.then(Write::default);
        };
        if !writes {
            self.bad(
                codes::MISPLACED,
                "only `create` and `update` write".to_owned(),
                &node.place,
                "take it out",
            );
        }
        self.write_form(node, is_in_path)
    }

    /// How fields lie in a body.
    fn write_form(&mut self, node: &Node, is_in_path: bool) -> Option<Write> {
        let keys = WRITE.read(node, self.found)?;
        let under = keys
            .get("under")
            .and_then(|node| node.text("`under`", self.found))
            .and_then(|text| self.members(text.value, &text.place))
            .unwrap_or_default();
        let mut beside = Vec::new();
        for (place, node) in self.entries(&keys, "beside") {
            let text = node.text("what stands beside the fields", self.found);
            if let (Some(place), Some(text)) = (self.members(&place.value, &place.place), text) {
                beside.push((Name(place), text.value.to_owned()));
            }
        }
        let tells = !is_in_path && beside.iter().any(|(_, text)| text == "{module}");
        let outer = under.split_last().map(|(_, outer)| outer.to_vec());
        let is_near = |(name, text): &(Name, String)| {
            let near = name.0.split_last().map(|(_, outer)| outer.to_vec());
            near == outer && matches!(text.as_str(), "{module}" | "{id}")
        };
        if tells && !beside.iter().all(is_near) {
            self.bad(
                codes::BAD_NAME,
                "the body does not tell the module in a way that is understood".to_owned(),
                keys.place(),
                "`{module}` and `{id}` must stand in one object with the fields, and nothing else",
            );
        }
        Some(Write {
            under,
            beside,
            form: self.flag(&keys, "form"),
            tells,
            own_id: self.flag(&keys, "own_id"),
        })
    }

    /// What the body of a relation is.
    fn relates(&mut self, keys: &Keys<'_>) -> Relates {
        match keys.get("relate") {
            Some(node) if matches!(node.kind, NodeKind::Map(_)) => {
                let form = self.write_form(node, false);
                match form.filter(|form| form.tells) {
                    Some(form) => Relates::Document(form),
                    None => {
                        self.bad(
                            codes::BAD_NAME,
                            "the body does not tell what is related".to_owned(),
                            &node.place,
                            "`beside` must say where `{module}` and `{id}` stand",
                        );
                        Relates::No
                    }
                }
            }
            _ if self.flag(keys, "relate") => Relates::Ids,
            _ => Relates::No,
        }
    }

    /// Whether it is a login. Its body is the affair of the native part.
    fn login(&mut self, keys: &Keys<'_>) -> bool {
        let logs_in = self.flag(keys, "login");
        if let (true, None, Some(node)) = (logs_in, self.native, keys.get("login")) {
            self.bad(
                codes::MISPLACED,
                "a description has no logins".to_owned(),
                &node.place,
                "only with a `native` part, which reads their bodies",
            );
        }
        logs_in
    }

    /// Members of a body, from the outside in: `data.attributes`.
    fn members(&mut self, text: &str, place: &Where) -> Option<Vec<String>> {
        let members: Vec<String> = text.split('.').map(str::to_owned).collect();
        if members.iter().all(|member| grammar::is_field(member)) {
            return Some(members);
        }
        self.bad(
            codes::BAD_NAME,
            format!("{} is not a member of a body", quoted(text)),
            place,
            "must be like `data` or `data.attributes`",
        );
        None
    }
}

fn place(segment: &str) -> Option<Segment> {
    let Some(name) = segment
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
    else {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        let good = !matches!(segment, "" | "." | "..") && segment.bytes().all(plain);
        return good.then(|| Segment::Literal(segment.to_owned()));
    };
    Some(match name {
        "module" => Segment::Module,
        "id" => Segment::Id,
        "link" => Segment::Link,
        "related" => Segment::Related,
        _ => match name.strip_prefix("by.") {
            Some(field) => Segment::By(grammar::is_field(field).then(|| field.to_owned())?),
            None => Segment::Word(grammar::is_word(name).then(|| name.to_owned())?),
        },
    })
}
