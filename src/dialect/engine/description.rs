//! What a description says, once it was read and checked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use http::Method;
use serde_json::Value;

use super::confined::Confined;
use super::grammar::{Ids, NameForm};
use super::jsonpath::{Expression, Tree};
use super::listing::{Listing, Search, Within};
use super::native::Native;
use super::versions::Versions;
pub(super) use crate::dialect::carriers::Name;
use crate::dialect::carriers::query_string::Noise;
use crate::dialect::schema::Stock;
use crate::dialect::survey::ConsentFields;
use crate::dialect::{Access, AddressList, HeadForm, Link, Media, Origin, Unread};
use crate::reason::Reason;
use crate::vocabulary::{Action, Field, Module, Spelling, intern};

/// A description.
#[derive(Debug)]
pub(super) struct Description {
    /// Its name, for configuration and log.
    pub(super) name: &'static str,
    /// What data cannot say of the API.
    pub(super) native: Option<&'static dyn Native>,
    /// What the CRM has as it is delivered, where the native part knows: its modules are not all named.
    pub(super) stock: Option<Arc<Stock>>,
    /// The path before every route: blank, or starting with `/` and not ending with it. The usual one.
    pub(super) prefix: String,
    /// Every such path, with what requests there are said to be of. A longer one stands before one that it begins with.
    pub(super) places: Vec<(&'static str, String)>,
    /// Versions that stand in the path behind these, or in the `Accept` header.
    pub(super) versions: Option<Versions>,
    /// What may stand at the end of every path and means nothing: `.json`.
    pub(super) suffix: Option<String>,
    /// Whether the API's paths are read without regard to case.
    pub(super) ignore_case: bool,
    /// What record ids are made of.
    pub(super) ids: Ids,
    /// What names are made of.
    pub(super) names: NameForm,
    pub(super) reserved: Reserved,
    /// Links to lists that records of every module have of their own, and the field that holds what they lead to.
    pub(super) own_lists: Vec<(String, String)>,
    pub(super) spelling: Spelling,
    pub(super) media: Media,
    /// What of the API the head of a request may carry.
    pub(super) head: HeadForm,
    /// Parameters that the API would take for a credential: refused by name.
    pub(super) credentials_in_query: Vec<String>,
    pub(super) ignored: Ignored,
    pub(super) written: Written,
    pub(super) caller: Asking,
    /// Lists of e-mail addresses, by the fields whose addresses they list.
    pub(super) addresses: BTreeMap<Field, AddressList>,
    /// In which fields records say what persons agreed to.
    pub(super) consent: Option<ConsentFields>,
    /// The status with which the API answers a request about a record that it does not have.
    pub(super) absent: u16,
    /// The body of an error, with `{status}`, `{title}` and `{text}` where they belong.
    pub(super) errors: Value,
    pub(super) labels: Labels,
    /// Whether the operator is told of keys of replies that nobody named.
    pub(super) tells_drift: bool,
    /// The field that names a record.
    pub(super) display: String,
    pub(super) modules: Vec<Known>,
    /// Modules whose records say who may do what, beside those that are told by their names.
    pub(super) administration: Vec<Module>,
    pub(super) within: Option<Within>,
    pub(super) routes: Vec<Route>,
}

/// Words that are not what they seem. Compared without case.
#[derive(Debug, Default)]
pub(super) struct Reserved {
    /// Names that are none of a module that passes.
    pub(super) modules: Vec<String>,
    /// How such names begin.
    pub(super) beginnings: Vec<String>,
    /// Words that are no ids, because the API has other routes there.
    pub(super) ids: Vec<String>,
    /// Words that do not stand in a place of this name, for the same reason.
    pub(super) words: Vec<(String, Vec<String>)>,
    /// Modules whose records are read only.
    pub(super) unwritten: Vec<String>,
}

/// What the API does not look at.
#[derive(Clone, Debug, Default)]
pub(super) struct Ignored {
    /// One slash at the end of a path.
    pub(super) slash: bool,
    /// What `Accept` asks for.
    pub(super) accept: bool,
    /// Bodies of requests that take none.
    pub(super) bodies: Bodies,
    /// The blank value of a parameter that is known.
    pub(super) blank: bool,
    /// Parameters of every route.
    pub(super) parameters: Vec<Name>,
    /// What clients add to query strings.
    pub(super) noise: Noise,
    /// Members of a body that is written.
    pub(super) members: Vec<String>,
}

/// Which bodies are not looked at where a request takes none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Bodies {
    #[default]
    None,
    /// Those that say nothing, or the id of the path again.
    Blank,
    /// Those that say nothing. Where a request takes one, PHP's empty list is an empty object.
    Empty,
    /// Empty objects; and with a deletion the id of the path, or a document of its record.
    Documents,
}

/// What holds of the names in every body that is written.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// Those that may only say no, and are left out.
    pub(super) no: Vec<String>,
    /// Those that may only be blank, and are left out.
    pub(super) blank: Vec<String>,
    /// Those that are no fields, in whatever case.
    pub(super) refused: Vec<String>,
    /// Those that may say again what the request says, and what that is.
    pub(super) repeats: Vec<(String, Repeats)>,
    /// Those that are left out, unless the module has such a field.
    pub(super) unread: Vec<String>,
    /// The same, in modules of the CRM as it is delivered only.
    pub(super) unread_in_stock: Vec<String>,
    /// Whether values are scalars, lists of such, or empty.
    pub(super) flat: bool,
}

/// What a member of a body may say again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeats {
    /// The module in the path.
    Module,
    /// The module whose record is written, if that has no such field.
    Target,
    /// The record that is changed.
    Id,
}

/// The labels of errors.
#[derive(Debug, Default)]
pub(super) struct Labels {
    /// Where an error of the API states its label.
    pub(super) at: Option<String>,
    /// The labels that are known.
    pub(super) known: Vec<&'static str>,
    /// Those that refusals of our own have.
    pub(super) refusals: Vec<(Reason, &'static str)>,
    /// Those of errors without one, by status: `404`, `4xx`.
    pub(super) statuses: Vec<(String, &'static str)>,
    /// The body of an error that has a label, with `{label}` where it belongs.
    pub(super) errors: Value,
}

/// What a header says that a route takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// Yes or no.
    Flag,
    /// Yes, if what is written is not to be compared with other records; or no.
    Unlike,
    /// What a field of the record must be.
    Field(String),
    /// The date that a field of the record must be.
    Date(String),
}

/// How it is found out whose a credential is.
#[derive(Debug, Default)]
pub(super) struct Asking {
    pub(super) questions: Vec<Question>,
    /// Callers who may not ask, by the SHA-256 of their credential.
    pub(super) listed: Vec<Listed>,
}

/// One question about a credential.
#[derive(Debug)]
pub(super) struct Question {
    /// Path and query below the prefix; `{id}` and `{login}` are known from the answers before.
    pub(super) ask: String,
    /// Statuses that say: nobody's.
    pub(super) nobody: Vec<u16>,
    /// Statuses that say: nothing to tell.
    pub(super) nothing: Vec<u16>,
    pub(super) id: Option<Expression>,
    pub(super) login: Option<Expression>,
    pub(super) kind: Option<Expression>,
    pub(super) roles: Vec<Expression>,
    pub(super) teams: Vec<Expression>,
    /// Roles that a right stands for.
    pub(super) rights: Vec<(String, Expression)>,
}

/// A caller who may not ask.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) sha256: Vec<u8>,
    pub(super) id: String,
    pub(super) login: String,
    pub(super) kind: String,
    pub(super) roles: Vec<String>,
    pub(super) teams: Vec<String>,
}

/// What is said of the fields of a module.
#[derive(Debug, Default)]
pub(super) struct Algebra {
    pub(super) origins: BTreeMap<String, Origin>,
    pub(super) fields: BTreeSet<Field>,
    /// How names of fields are spelled that have capital letters.
    pub(super) spelled: BTreeMap<Field, String>,
    /// How much a field's column holds at least, in characters and in bytes.
    pub(super) lengths: BTreeMap<Field, usize>,
}

/// A module.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) module: Module,
    /// Its names in paths, the canonical one first.
    pub(super) paths: Vec<String>,
    /// The key of a record's id.
    pub(super) id: &'static str,
    /// Keys under which further fields lie.
    pub(super) inner: Vec<&'static str>,
    pub(super) algebra: Algebra,
    pub(super) links: BTreeMap<String, Module>,
    /// What fields are called in filters and orders, where that differs: (there, in records).
    pub(super) columns: Vec<(String, String)>,
    /// What stands before the dot in filters and orders; the first is the module's own.
    pub(super) tables: Vec<(String, Table)>,
}

/// What a name before a dot means.
#[derive(Clone, Debug)]
pub(super) enum Table {
    /// The module's own fields, those whose names begin so.
    Own(String),
    /// Fields of another module.
    Of(Module),
}

/// A kind of request.
#[derive(Debug)]
pub(super) struct Route {
    /// Method and template, for the log.
    pub(super) name: &'static str,
    /// The same, told apart from others of the same template.
    pub(super) form: &'static str,
    pub(super) method: Method,
    pub(super) template: Vec<Segment>,
    pub(super) action: Action,
    pub(super) access: Access,
    /// The words in the path that are ids, with the module of these records; `None`: they are none.
    pub(super) named: BTreeMap<String, Option<Module>>,
    /// What `{module}` may stand for.
    pub(super) modules: Vec<Module>,
    /// The module, where the path does not tell it.
    pub(super) module: Option<Module>,
    /// The link, where the path does not tell it.
    pub(super) link: Option<Link>,
    pub(super) carries: Carries,
    pub(super) listing: Listing,
    pub(super) search: Option<Search>,
    /// Whether the request itself is about the caller.
    pub(super) of_caller: bool,
    /// Parameters about the caller, with their words; without words, a flag.
    pub(super) about_caller: Vec<(Name, Vec<&'static str>)>,
    /// Parameters that may say only a few things.
    pub(super) confined: Vec<Confined>,
    /// Parameters that are sent with each request.
    pub(super) always: Vec<(Name, Value)>,
    /// Headers that change what the request means, and are sent on.
    pub(super) controls: Vec<(&'static str, Says)>,
    pub(super) write: Option<Write>,
    /// Whether the fields in the body are compared, and nothing is written.
    pub(super) matches: bool,
    /// Whether the body holds other requests, which the native part reads.
    pub(super) is_envelope: bool,
    pub(super) relates: Relates,
    /// Whether it is a login, whose body the native part reads.
    pub(super) logs_in: bool,
    /// Whether the reply describes the API's fields to the native part.
    pub(super) describes: bool,
    /// What the body and the reply are written in.
    pub(super) media: Media,
    /// Where records and other parts lie in the reply.
    pub(super) reply: Tree,
    /// What of it passes unread, as far as it may belong to a record.
    pub(super) unread: Vec<Passed>,
    /// The route that reads the record that this one updates.
    pub(super) look_up: Option<usize>,
}

/// Keys that pass unread.
#[derive(Debug)]
pub(super) struct Passed {
    /// The module of the record that they belong to; `None`: as the route's own records.
    pub(super) of: Option<Module>,
    /// The keys from the record inwards.
    pub(super) keys: Vec<&'static str>,
    /// Where the description says so.
    pub(super) place: crate::diagnostic::Place,
}

/// A segment of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    Literal(String),
    Module,
    Id,
    Link,
    Related,
    /// The name of a field: what it may hold is told.
    Field,
    /// A value of a field: the request looks a record up by it.
    By(String),
    /// A word that chooses nothing that a policy rules.
    Word(String),
}

/// What carries the query.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Carries {
    /// The query string.
    Query,
    /// A JSON body.
    Body,
    /// The query string, a JSON body, or both; written in the body, where the method has one.
    Both,
    /// The query string, or JSON in one parameter of it.
    Json(Name),
}

/// What the body of a relation is.
#[derive(Debug)]
pub(super) enum Relates {
    /// There is none.
    No,
    /// One id, or a list of them.
    Ids,
    /// Module and id of the record, in the form of a write without fields.
    Document(Write),
    /// What the relation itself holds.
    Columns,
    /// A link, and a list of ids, each perhaps with what the relation holds, under these members.
    Listed { link: String, ids: String },
}

/// What a write's body is.
#[derive(Debug, Default)]
pub(super) struct Write {
    /// The members under which the fields lie, from the outside in; the body itself if there are none.
    pub(super) under: Vec<String>,
    /// What stands beside them: a place, and the text there, in which `{module}` and `{id}` are filled in.
    pub(super) beside: Vec<(Name, String)>,
    /// Whether a form is taken too.
    pub(super) form: bool,
    /// Whether what stands beside tells module and id, because the path does not.
    pub(super) tells: bool,
    /// Whether a creation may state a UUID of its own.
    pub(super) own_id: bool,
    /// Members of the body that are arguments of the route, and no fields.
    pub(super) arguments: Vec<String>,
}

fn is_among(words: &[String], text: &str) -> bool {
    words.iter().any(|word| word.eq_ignore_ascii_case(text))
}

impl Route {
    /// Whether the body tells module and record, because the path does not.
    pub(super) fn tells(&self) -> bool {
        self.write.as_ref().is_some_and(|write| write.tells)
    }

    /// Whether the arguments of a query are written in the body.
    pub(super) fn is_in_body(&self) -> bool {
        match self.carries {
            Carries::Body => true,
            Carries::Both => self.method != Method::GET,
            Carries::Query | Carries::Json(_) => {
                let write = self.write.as_ref();
                write.is_some_and(|write| !write.arguments.is_empty())
            }
        }
    }
}

impl Description {
    pub(super) fn known(&self, module: &Module) -> Option<&Known> {
        self.modules.iter().find(|known| known.module == *module)
    }

    /// The module that a segment of a path names. Where not all modules are named, any name is one.
    pub(super) fn module_named(&self, segment: &str) -> Option<Module> {
        if let Some(stock) = &self.stock {
            return self.is_open(segment).then(|| stock.module_named(segment));
        }
        let is_it = |known: &&Known| known.paths.iter().any(|path| self.is_same(path, segment));
        let known = self.modules.iter().find(is_it)?;
        Some(known.module.clone())
    }

    /// The names that replies have for the records of a module, beside its own.
    pub(super) fn records_of(&self, module: &Module) -> Vec<&'static str> {
        if let Some(stock) = &self.stock {
            return stock.records(module).to_vec();
        }
        let known = self.known(module).into_iter();
        let paths = known.flat_map(|known| &known.paths);
        paths.map(|path| intern(path)).collect()
    }

    /// The word for a module in paths and parameters.
    pub(super) fn word<'a>(&'a self, module: &'a Module) -> &'a str {
        let known = self.known(module).and_then(|known| known.paths.first());
        known.map_or(module.as_str(), String::as_str)
    }

    /// Whether a name can be one of a module, where not all are named.
    pub(super) fn is_open(&self, name: &str) -> bool {
        let begins = |beginning: &String| {
            let start = name.get(..beginning.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(beginning))
        };
        self.names.is_module(name)
            && !is_among(&self.reserved.modules, name)
            && !self.reserved.beginnings.iter().any(begins)
    }

    /// Whether a text can be the id of a record.
    pub(super) fn is_id(&self, text: &str) -> bool {
        self.ids.fit(text) && !is_among(&self.reserved.ids, text)
    }

    /// Whether a text is a word of a path, for the place of this name.
    pub(super) fn is_word(&self, place: &str, text: &str) -> bool {
        let mut reserved = self.reserved.words.iter();
        let is_reserved = |(known, words): &(String, Vec<String>)| {
            known == place && words.iter().any(|word| word == text)
        };
        self.names.is_word(text) && !reserved.any(is_reserved)
    }

    /// The key of a record's id.
    pub(super) fn id_key(&self, module: &Module) -> &'static str {
        self.known(module).map_or("id", |known| known.id)
    }

    /// The name of a field, as the API spells it.
    pub(super) fn spelled<'a>(&'a self, module: &Module, field: &'a Field) -> &'a str {
        let known = self.known(module);
        let spelled = known.and_then(|known| known.algebra.spelled.get(field));
        spelled.map_or(field.as_str(), String::as_str)
    }

    /// Whether records of a module are what a link leads to; else it is what belongs to the record itself.
    pub(super) fn leads_to_records(&self, link: &Link) -> bool {
        let name = link.name.split('.').next().unwrap_or_default();
        self.own_lists.iter().all(|(own, _)| own != name)
    }

    /// Where a request of this version is sent to.
    pub(super) fn place(&self, version: &str) -> String {
        if self.versions.is_some() {
            return format!("{}/{version}", self.prefix);
        }
        let mut places = self.places.iter();
        let place = places.find(|(known, _)| *known == version);
        place.map_or(&self.prefix, |(_, prefix)| prefix).clone()
    }

    /// The version that a path is of, and what stands below its place, without a slash before it.
    pub(super) fn below<'a>(&self, path: &'a str) -> Option<(&'static str, &'a str)> {
        self.places.iter().find_map(|(version, prefix)| {
            let below = path.strip_prefix(prefix.as_str())?;
            Some((*version, below.strip_prefix('/')?))
        })
    }

    /// Whether a segment of a path is this word to the API.
    pub(super) fn is_same(&self, word: &str, segment: &str) -> bool {
        word == segment || (self.ignore_case && word.eq_ignore_ascii_case(segment))
    }

    /// The modules whose records a route reads or changes.
    pub(super) fn targets<'a>(&'a self, route: &'a Route) -> Vec<&'a Module> {
        if let Some(link) = &route.link {
            return vec![&link.target];
        }
        let own: Vec<&Module> = match &route.module {
            Some(module) => vec![module],
            None if route.template.contains(&Segment::Module) || route.tells() => {
                route.modules.iter().collect()
            }
            None => Vec::new(),
        };
        if !route.template.contains(&Segment::Link) {
            return own;
        }
        let known = own.into_iter().filter_map(|module| self.known(module));
        let mut targets: Vec<&Module> = known.flat_map(|known| known.links.values()).collect();
        targets.sort();
        targets.dedup();
        targets
    }

    /// Whether the segments of a path are those of a question about a credential that names nobody: it is about whoever asks.
    pub(super) fn is_asked_of_callers(&self, segments: &[String]) -> bool {
        let mut questions = self.caller.questions.iter();
        questions.any(|question| {
            let path = question.ask.split('?').next().unwrap_or_default();
            let mut words = path.trim_start_matches('/').split('/');
            let mut segments = segments.iter();
            // The same words, and as many.
            words.all(|word| {
                segments
                    .next()
                    .is_some_and(|segment| self.is_same(word, segment))
            }) && segments.next().is_none()
        })
    }

    /// Every key that may belong to a record and passes unread.
    pub(super) fn unread(&self) -> Vec<Unread> {
        let mut all = Vec::new();
        for route in &self.routes {
            for passed in &route.unread {
                let modules = match &passed.of {
                    Some(module) => vec![module],
                    None => self.targets(route),
                };
                for module in modules {
                    all.extend(passed.keys.iter().map(|key| Unread {
                        module: module.clone(),
                        field: Field::fold(key),
                        place: passed.place.clone(),
                    }));
                }
            }
        }
        all
    }

    pub(super) fn route(&self, form: &str) -> Option<&Route> {
        self.routes.iter().find(|route| route.form == form)
    }
}
