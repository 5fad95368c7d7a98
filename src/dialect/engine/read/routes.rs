//! Reads the routes of a description, and compares each with the others.

use std::collections::BTreeMap;

use http::Method;

use super::checks::is_about_caller;
use super::{MEDIA, Reader, keys};
use crate::diagnostic::{Diagnostic, Keys, Node, Place as Where, Spanned, quoted};
use crate::dialect::engine::description::{Known, Route, Segment};
use crate::dialect::engine::listing::Search;
use crate::dialect::engine::{codes, grammar};
use crate::dialect::{Access, Link};
use crate::vocabulary::{Action, Module, intern};

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
    ("bulk", Action::Bulk),
    ("other", Action::Other),
];

const ACCESS: &[(&str, Access)] = &[
    ("governed", Access::Governed),
    ("role", Access::Role),
    ("public", Access::Public),
    ("session", Access::Session),
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
            let Some(keys) = keys::ROUTE.read(node, self.found) else {
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
        let module = self.text(keys, "module");
        let module = module.and_then(|text| self.module(text.value, &text.place));
        let allowed = self.texts(keys, "modules");
        let allowed: Vec<Module> = allowed
            .into_iter()
            .filter_map(|text| self.module(text.value, &text.place))
            .collect();
        let search = self.search(keys);
        let is_named = search.as_ref().is_some_and(Search::names_modules);
        let is_in_path = is_told || module.is_some() || is_named;
        let write = self.write(keys, action, is_in_path);
        let tells = write.as_ref().is_some_and(|write| write.tells);
        if is_told && module.is_some() || !is_told && !tells && !allowed.is_empty() {
            self.bad(
                codes::MISPLACED,
                "the module is told twice, or nowhere",
                &line.place,
                "`modules` goes with `{module}`, `module` with paths without it",
            );
        }
        let link = self.link(keys, module.as_ref(), modules);
        let (reply, unread) = self.reply(keys, is_in_path || tells, action, line);
        let mut listing = self.listing(keys, Some(&reply));
        let by = |place: &Segment| matches!(place, Segment::By(_));
        listing.is_plain &= !template.iter().any(by);
        let named = self.named(keys, &template, modules, line);
        let path = &line.value[line.value.find('/').unwrap_or(0)..];
        let name = format!("{method} {prefix}{path}");
        let mut route = Route {
            name: intern(&name),
            form: intern(&format!("{name} #{number}")),
            method,
            template,
            action,
            named,
            access: self.choice(keys, "access", Access::Governed, ACCESS),
            modules: if allowed.is_empty() {
                self.modules.clone()
            } else {
                allowed
            },
            module,
            link,
            carries: self.carries(keys),
            listing,
            search,
            of_caller: self.of_caller(keys),
            about_caller: self.about_caller(keys),
            confined: self.confined(keys),
            always: self.always(keys),
            controls: self.controls(keys),
            write,
            matches: self.flag(keys, "matches"),
            is_envelope: self.native_flag(keys, "envelope"),
            relates: self.relates(keys),
            logs_in: self.native_flag(keys, "login"),
            describes: self.native_flag(keys, "describes"),
            media: self.choice(keys, "media", self.media, MEDIA),
            reply,
            unread,
            look_up: None,
        };
        route.of_caller |= is_about_caller(&route);
        self.twice(&route, &line.place);
        self.fits_action(&route, &line.place);
        self.fits_access(&route, &line.place);
        self.fits_records(&route, &line.place);
        self.fits_itself(&route, &line.place);
        let look_up = self.text(keys, "look_up");
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
                .help("methods: GET, POST, PUT, PATCH, DELETE; places: {module}, {id}, {link}, {related}, {field}, {by.FIELD}, {any_word}, each once");
            self.found.push(problem);
        }
        read
    }

    /// Whose ids the words of a path are. Behind the name of a module stands the id of a record, which must be there for the
    /// caller, too: it has to be said of which module, or that it is none.
    fn named(
        &mut self,
        keys: &Keys<'_>,
        template: &[Segment],
        modules: &[Known],
        line: &Spanned<&str>,
    ) -> BTreeMap<String, Option<Module>> {
        let mut named = BTreeMap::new();
        for (word, node) in self.entries(keys, "named") {
            let Some(text) = node.text("a module, or `none`", self.found) else {
                continue;
            };
            let module = match text.value {
                "none" => Some(None),
                name => self.module(name, &text.place).map(Some),
            };
            named.extend(module.map(|module| (word.value.clone(), module)));
        }
        for pair in template.windows(2) {
            let [Segment::Literal(before), Segment::Word(word)] = pair else {
                continue;
            };
            let is_module = |known: &Known| {
                known.module.as_str().eq_ignore_ascii_case(before)
                    || known
                        .paths
                        .iter()
                        .any(|path| path.eq_ignore_ascii_case(before))
            };
            if modules.iter().any(is_module) && !named.contains_key(word) {
                self.bad(
                    codes::NO_RECORDS,
                    format!("nothing says of which module `{{{word}}}` is a record"),
                    &line.place,
                    "write `named: { WORD: MODULE }`, or `none` where it is no record",
                );
            }
        }
        named
    }

    fn link(
        &mut self,
        keys: &Keys<'_>,
        module: Option<&Module>,
        modules: &[Known],
    ) -> Option<Link> {
        let text = self.text(keys, "link")?;
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
        "field" => Segment::Field,
        _ => match name.strip_prefix("by.") {
            Some(field) => Segment::By(grammar::is_field(field).then(|| field.to_owned())?),
            None => Segment::Word(grammar::is_word(name).then(|| name.to_owned())?),
        },
    })
}
