//! Reads a description. Every mistake is reported and reading goes on.

use http::header::HeaderName;
use serde_json::json;

use super::codes;
use super::description::{Description, Ignored, Known, Name, Reserved};
use super::grammar::{self, Ids, NameForm};
use super::jsonpath::{self, Expression};
use super::native::Native;
use super::versions::Versions;
use crate::diagnostic::{
    Diagnostic, Diagnostics, File, Keys, Node, NodeKind, Place, Spanned, quoted,
};
use crate::dialect::{HeadForm, Media, Step};
use crate::vocabulary::{Module, Spelling, intern};

mod addresses;
mod asked;
mod beside;
mod bodies;
mod caller;
mod checks;
mod confined;
mod consent;
mod keys;
mod modules;
mod predicates;
mod reply;
mod routes;
mod yaml;

pub use keys::KEYS;

const IDS: &[(&str, Ids)] = &[
    ("digits", Ids::Digits),
    ("hex", Ids::Hex),
    ("word", Ids::Word),
    ("name", Ids::Name),
];
const NAMES: &[(&str, NameForm)] = &[
    ("plain", NameForm::Plain),
    ("php", NameForm::Php),
    ("dotted", NameForm::Dotted),
];
const SPELLINGS: &[(&str, Spelling)] = &[("plain", Spelling::Plain), ("html", Spelling::Html)];
const MEDIA: &[(&str, Media)] = &[("json", Media::Json), ("json-api", Media::JsonApi)];

/// Names that dialects have of their own.
const TAKEN: &[&str] = &["sugar-rest", "sugar-v4", "suitecrm-v8"];

/// Where reading stands.
pub(super) struct Reader<'a> {
    found: &'a mut Diagnostics,
    /// The modules that the description names.
    modules: Vec<Module>,
    /// Headers that carry a credential.
    credentials: Vec<HeaderName>,
    ignored: Ignored,
    /// The part of the program that says what data cannot: where there is one, not all modules are named.
    native: Option<&'static dyn Native>,
    media: Media,
}

/// Reads a description, which may name one of these native parts.
pub(super) fn read(
    file: &File,
    natives: &[(&str, &'static dyn Native)],
    found: &mut Diagnostics,
) -> Option<Description> {
    let root = crate::diagnostic::read(file, found)?;
    let keys = keys::DESCRIPTION.read(&root, found)?;
    Reader {
        found,
        modules: Vec::new(),
        credentials: Vec::new(),
        ignored: Ignored::default(),
        native: None,
        media: Media::Json,
    }
    .description(&keys, natives)
}

impl Reader<'_> {
    fn description(
        mut self,
        keys: &Keys<'_>,
        natives: &[(&str, &'static dyn Native)],
    ) -> Option<Description> {
        self.native = keys
            .get("native")
            .and_then(|node| self.native(node, natives));
        let name = keys
            .require("description", self.found)
            .and_then(|node| self.name(node));
        let places = self.places(keys);
        let prefix = places.first().map(|(_, prefix)| prefix.clone());
        self.media = self.choice(keys, "media", Media::Json, MEDIA);
        let credentials = keys
            .require("credentials", self.found)
            .map(|node| self.credentials(node));
        let (mut head, credentials_in_query) = credentials.unwrap_or_default();
        self.credentials.clone_from(&head.credentials);
        if let Some(node) = keys.get("ignored") {
            self.ignored = self.ignored(node);
        }
        // The native part knows who somebody is, and what modules there are.
        let caller = self.unless_native(keys, "caller");
        let caller = caller.map(|node| self.caller(node)).unwrap_or_default();
        let modules = self.unless_native(keys, "modules");
        let modules = modules
            .map(|node| self.all_modules(node, keys))
            .unwrap_or_default();
        let administration = keys.get("administration");
        let administration = administration.map(|node| self.administration(node));
        let versions = keys.get("versions").and_then(|node| self.versions(node));
        let mut prefix_text = prefix.clone().unwrap_or_default();
        if versions.is_some() {
            prefix_text.push_str("/{version}");
        }
        let within = keys.get("within").and_then(|node| self.within(node));
        let routes = keys
            .require("routes", self.found)
            .map(|node| self.routes(node, &prefix_text, &modules))
            .unwrap_or_default();
        let controls = routes.iter().flat_map(|route| &route.controls);
        head.controls = controls.map(|(name, _)| *name).collect();
        head.controls.sort_unstable();
        head.controls.dedup();
        let suffix = keys.get("suffix");
        Some(Description {
            name: name?,
            native: self.native,
            stock: self.native.map(Native::stock),
            prefix: prefix?,
            places: longest_first(places),
            versions,
            suffix: suffix.and_then(|node| self.suffix(node, &modules)),
            ignore_case: self.flag(keys, "ignore_case"),
            ids: self.choice(keys, "ids", Ids::Word, IDS),
            names: self.choice(keys, "names", NameForm::Plain, NAMES),
            reserved: self.reserved(keys),
            own_lists: self.own_lists(keys),
            spelling: self.choice(keys, "spelling", Spelling::Plain, SPELLINGS),
            media: self.media,
            head,
            credentials_in_query,
            ignored: self.ignored.clone(),
            written: self.written(keys),
            caller,
            addresses: self.addresses(keys),
            consent: self.consent(keys),
            absent: self.absent(keys),
            errors: keys.get("errors").map_or_else(
                || json!({"error": {"status": "{status}", "message": "{text}"}}),
                yaml::value,
            ),
            labels: self.labels(keys),
            tells_drift: self.choice(keys, "drift", true, &[("told", true), ("dropped", false)]),
            display: Self::display(keys),
            modules,
            administration: administration.unwrap_or_default(),
            within,
            routes,
        })
    }

    fn native(
        &mut self,
        node: &Node,
        natives: &[(&str, &'static dyn Native)],
    ) -> Option<&'static dyn Native> {
        let name = node.text("`native`", self.found)?;
        let known = natives.iter().find(|(known, _)| *known == name.value);
        if known.is_none() {
            self.bad(
                codes::MISPLACED,
                format!("there is no native part {}", quoted(name.value)),
                &name.place,
                "only descriptions that are compiled in have one: take it out",
            );
        }
        known.map(|(_, native)| *native)
    }

    /// What must be said where no native part knows it.
    fn unless_native<'n>(&mut self, keys: &Keys<'n>, key: &str) -> Option<&'n Node> {
        match self.native {
            None => keys.require(key, self.found),
            Some(_) => keys.get(key),
        }
    }

    fn name(&mut self, node: &Node) -> Option<&'static str> {
        let text = node.text("the name", self.found)?;
        let good = (1..=40).contains(&text.value.len())
            && text
                .value
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        let is_taken = self.native.is_none() && TAKEN.contains(&text.value);
        if !good || is_taken {
            let why = if good {
                "the name of a dialect that is built in"
            } else {
                "lower-case letters, digits and `-`"
            };
            self.bad(
                codes::BAD_NAME,
                format!("{} is not a name of a description", quoted(text.value)),
                &text.place,
                why,
            );
            return None;
        }
        Some(intern(text.value))
    }

    /// The places at which the API lies, the usual one first, with what requests there are said to be of.
    fn places(&mut self, keys: &Keys<'_>) -> Vec<(&'static str, String)> {
        let Some(node) = keys.get("prefix") else {
            return vec![("", String::new())];
        };
        let NodeKind::Map(entries) = &node.kind else {
            let prefix = self.prefix(node);
            return prefix.map(|prefix| ("", prefix)).into_iter().collect();
        };
        if entries.is_empty() {
            let title = "the API lies nowhere";
            self.bad(
                codes::BAD_NAME,
                title,
                &node.place,
                "must be like `{ v1: /api }`",
            );
        }
        let mut places: Vec<(&'static str, String)> = Vec::new();
        for (version, node) in entries {
            let Some(prefix) = self.prefix(node) else {
                continue;
            };
            if let Some((other, _)) = places.iter().find(|(_, known)| *known == prefix) {
                let title = format!(
                    "{} and {} lie at one place",
                    quoted(other),
                    quoted(&version.value)
                );
                self.bad(codes::OVERLAP, title, &node.place, "again here");
            }
            places.push((intern(&version.value), prefix));
        }
        places
    }

    fn prefix(&mut self, node: &Node) -> Option<String> {
        let text = node.text("`prefix`", self.found)?;
        let plain = |segment: &str| {
            !matches!(segment, "" | "." | "..")
                && segment
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
        };
        let good = text
            .value
            .strip_prefix('/')
            .is_some_and(|rest| rest.split('/').all(plain));
        if !good {
            self.bad(
                codes::BAD_NAME,
                "this is not a path prefix",
                &text.place,
                "must be like `/api/v1`, without a last `/`",
            );
            return None;
        }
        Some(text.value.to_owned())
    }

    fn suffix(&mut self, node: &Node, modules: &[Known]) -> Option<String> {
        let text = node.text("`suffix`", self.found)?;
        if !text.value.strip_prefix('.').is_some_and(grammar::is_word) {
            self.bad(
                codes::BAD_NAME,
                "this is not a suffix",
                &text.place,
                "must be like `.json`",
            );
            return None;
        }
        let mut paths = modules.iter().flat_map(|known| &known.paths);
        if let Some(path) = paths.find(|path| path.ends_with(text.value)) {
            self.bad(
                codes::BAD_NAME,
                format!("the name {} ends with the suffix", quoted(path)),
                &text.place,
                "a path could mean two modules",
            );
        }
        Some(text.value.to_owned())
    }

    /// The versions that stand in paths.
    fn versions(&mut self, node: &Node) -> Option<Versions> {
        let keys = keys::VERSIONS.read(node, self.found)?;
        keys.require("known", self.found)?;
        Some(Versions {
            known: self.owned(&keys, "known"),
            minors: self.owned(&keys, "minors"),
            accept: self.text(&keys, "accept").map(|text| text.value.to_owned()),
        })
    }

    /// Words that are not what they seem.
    fn reserved(&mut self, keys: &Keys<'_>) -> Reserved {
        let node = keys.get("reserved");
        let Some(keys) = node.and_then(|node| keys::RESERVED.read(node, self.found)) else {
            return Reserved::default();
        };
        let mut words = Vec::new();
        for (place, node) in self.entries(&keys, "words") {
            let texts = node.texts("words", self.found).unwrap_or_default();
            let texts = texts.into_iter().map(|text| text.value.to_owned());
            words.push((place.value.clone(), texts.collect()));
        }
        Reserved {
            modules: self.owned(&keys, "modules"),
            beginnings: self.owned(&keys, "beginnings"),
            ids: self.owned(&keys, "ids"),
            words,
            unwritten: self.owned(&keys, "unwritten"),
        }
    }

    /// Links to lists that records have of their own, and the field that holds what they lead to.
    fn own_lists(&mut self, keys: &Keys<'_>) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for (link, node) in self.entries(keys, "own_lists") {
            let field = node.text("a field", self.found);
            let field = field.and_then(|text| self.field(text.value, &text.place));
            all.extend(field.map(|field| (link.value.clone(), field)));
        }
        all
    }

    /// The status of an answer about a record that there is not.
    fn absent(&mut self, keys: &Keys<'_>) -> u16 {
        let stated = keys.get("absent");
        let status = stated.and_then(|node| node.integer("`absent`", 400..=499, self.found));
        status
            .and_then(|status| u16::try_from(status).ok())
            .unwrap_or(404)
    }

    /// The texts of a key.
    fn owned(&mut self, keys: &Keys<'_>, key: &str) -> Vec<String> {
        let texts = self.texts(keys, key).into_iter();
        texts.map(|text| text.value.to_owned()).collect()
    }

    /// What carries a credential, and the parameters that the API would take for one.
    fn credentials(&mut self, node: &Node) -> (HeadForm, Vec<String>) {
        let Some(keys) = keys::CREDENTIALS.read(node, self.found) else {
            return Default::default();
        };
        let mut headers = Vec::new();
        for text in self.texts(&keys, "headers") {
            match HeaderName::try_from(text.value) {
                Ok(name) if !matches!(name.as_str(), "authorization" | "cookie" | "host") => headers.push(name),
                _ => self.bad(
                    codes::BAD_NAME,
                    format!("{} is not a header for a credential", quoted(text.value)),
                    &text.place,
                    "for `Authorization` write `bearer: true` or `basic: true`; cookies are not forwarded",
                ),
            }
        }
        let head = HeadForm {
            credentials: headers,
            bearer: self.flag(&keys, "bearer"),
            basic: self.flag(&keys, "basic"),
            ..HeadForm::default()
        };
        let in_query = self.texts(&keys, "in_query").into_iter();
        let in_query = in_query.map(|text| text.value.to_owned()).collect();
        if head == HeadForm::default() {
            self.bad(
                codes::NO_CALLER,
                "nothing carries a credential",
                keys.place(),
                "`headers`, `bearer` or `basic` is needed",
            );
        }
        (head, in_query)
    }

    fn bad(
        &mut self,
        code: &'static str,
        title: impl Into<String>,
        place: &Place,
        label: impl Into<String>,
    ) {
        self.found
            .push(Diagnostic::error(code, title).at(place, label));
    }

    /// The text of a key.
    fn text<'n>(&mut self, keys: &Keys<'n>, key: &str) -> Option<Spanned<&'n str>> {
        keys.get(key)?.text(&format!("`{key}`"), self.found)
    }

    /// The text of a key that must be there.
    fn required<'n>(&mut self, keys: &Keys<'n>, key: &str) -> Option<Spanned<&'n str>> {
        let node = keys.require(key, self.found)?;
        node.text(&format!("`{key}`"), self.found)
    }

    fn flag(&mut self, keys: &Keys<'_>, key: &str) -> bool {
        keys.get(key)
            .and_then(|node| node.boolean(&format!("`{key}`"), self.found))
            .unwrap_or(false)
    }

    fn choice<T: Clone>(
        &mut self,
        keys: &Keys<'_>,
        key: &str,
        default: T,
        words: &[(&'static str, T)],
    ) -> T {
        keys.get(key)
            .and_then(|node| node.choice(key, words, self.found))
            .unwrap_or(default)
    }

    fn texts<'n>(&mut self, keys: &Keys<'n>, key: &str) -> Vec<Spanned<&'n str>> {
        match keys.get(key) {
            Some(node) if !matches!(&node.kind, NodeKind::Seq(items) if items.is_empty()) => node
                .texts(&format!("`{key}`"), self.found)
                .unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    fn entries<'n>(&mut self, keys: &Keys<'n>, key: &str) -> &'n [(Spanned<String>, Node)] {
        keys.get(key)
            .and_then(|node| node.map(&format!("`{key}`"), self.found))
            .unwrap_or_default()
    }

    /// A field's name, as records write it.
    fn field(&mut self, text: &str, place: &Place) -> Option<String> {
        if grammar::is_field(text) {
            return Some(text.to_owned());
        }
        self.bad(
            codes::BAD_NAME,
            format!("{} is not a name of a field", quoted(text)),
            place,
            "letters, digits, `_` and `-`",
        );
        None
    }

    /// A key of a record that is not a name of a field where callers write it.
    fn key(&mut self, text: &str, place: &Place) -> Option<&'static str> {
        if (1..=200).contains(&text.len()) && !text.contains('\0') {
            return Some(intern(text));
        }
        self.bad(
            codes::BAD_NAME,
            "this is not a key of a record",
            place,
            "blank or too long",
        );
        None
    }

    fn module(&mut self, text: &str, place: &Place) -> Option<Module> {
        if self.native.is_some() {
            return Some(Module::new(text));
        }
        let known = self.modules.iter().find(|module| module.as_str() == text);
        if known.is_none() {
            let names = self.modules.iter().map(Module::as_str);
            let problem = Diagnostic::error(
                codes::UNKNOWN_MODULE,
                format!("unknown module {}", quoted(text)),
            )
            .at(place, "not a module of this description")
            .help("every module stands under `modules`")
            .suggest(text, names);
            self.found.push_named(problem);
        }
        known.cloned()
    }

    /// A parameter's name: `limit`, `filter[status]`, `fields[{module}]`.
    fn parameter(&mut self, text: &str, place: &Place) -> Option<Name> {
        let name = parameter(text);
        if name.is_none() {
            self.bad(
                codes::BAD_NAME,
                format!("{} is not a name of a parameter", quoted(text)),
                place,
                "must be like `limit`, `page[size]` or `fields[{module}]`",
            );
        }
        name
    }

    /// The parameters that a key names.
    fn parameters(&mut self, keys: &Keys<'_>, key: &str) -> Vec<Name> {
        let texts = self.texts(keys, key);
        texts
            .into_iter()
            .filter_map(|text| self.parameter(text.value, &text.place))
            .collect()
    }

    fn required_parameter(&mut self, keys: &Keys<'_>, key: &str) -> Option<Name> {
        let text = self.required(keys, key)?;
        self.parameter(text.value, &text.place)
    }

    fn optional_parameter(&mut self, keys: &Keys<'_>, key: &str) -> Option<Name> {
        let text = self.text(keys, key)?;
        self.parameter(text.value, &text.place)
    }

    /// A place in a reply.
    fn place(&mut self, text: &Spanned<&str>) -> Option<Vec<Step>> {
        match jsonpath::parse_place(text.value) {
            Ok(steps) => Some(steps),
            Err(why) => {
                self.bad(
                    codes::BAD_PATH,
                    format!("{} is not a place in a reply", quoted(text.value)),
                    &text.place,
                    why,
                );
                None
            }
        }
    }

    /// An expression that reads an answer about a caller.
    fn expression(&mut self, text: &Spanned<&str>) -> Option<Expression> {
        match jsonpath::parse(text.value) {
            Ok(expression) => Some(expression),
            Err(why) => {
                self.bad(
                    codes::BAD_PATH,
                    format!("{} is not a JSONPath", quoted(text.value)),
                    &text.place,
                    why,
                );
                None
            }
        }
    }
}

fn longest_first(mut places: Vec<(&'static str, String)>) -> Vec<(&'static str, String)> {
    places.sort_by_key(|(_, prefix)| std::cmp::Reverse(prefix.len()));
    places
}

fn parameter(text: &str) -> Option<Name> {
    let (base, mut brackets) = text.split_at(text.find('[').unwrap_or(text.len()));
    if !grammar::is_parameter(base) {
        return None;
    }
    let mut steps = vec![base.to_owned()];
    while !brackets.is_empty() {
        let (step, rest) = brackets.strip_prefix('[')?.split_once(']')?;
        if step != "{module}" && !grammar::is_parameter(step) {
            return None;
        }
        steps.push(step.to_owned());
        brackets = rest;
    }
    Some(Name(steps))
}
