//! What one request means: its route, and what the route carries.

use serde_json::{Map, Value};

use super::description::{Carries, Description, Known, Route, Says, Segment};
use super::predicate::Scope;
use super::{grammar, query, write};
use crate::dialect::carriers::Arguments;
use crate::dialect::carriers::query_string::{self, Names};
use crate::dialect::{
    Bounds, Compared, Incoming, Link, Misunderstood, Operation, Query, Rendering, Wanted, spelling,
};
use crate::json;
use crate::objection::Objection;
use crate::reason::Reason;
use crate::vocabulary::{Action, Module};

/// Segments of a path.
const SEGMENTS_MAX: usize = 12;

/// Keys of [`Rendering::fixed`].
pub(super) const WORDS: &str = "words";
pub(super) const WORD: &str = "module";
pub(super) const IN_JSON: &str = "in_json";

/// What a path says.
#[derive(Default)]
struct Stated<'a> {
    module: Option<&'a Known>,
    record: Option<String>,
    link: Option<Link>,
    related: Option<String>,
    by: Vec<(String, String)>,
    words: Map<String, Value>,
}

/// What a request means.
pub(super) fn request(
    description: &Description,
    request: &Incoming<'_>,
    bounds: &Bounds,
) -> Result<Operation, Misunderstood> {
    let segments = segments(description, request.path)?;
    let on_path = description
        .routes
        .iter()
        .filter(|route| fits(description, route, &segments))
        .collect::<Vec<_>>();
    if on_path.is_empty() {
        return Err(Reason::UnknownRoute.into());
    }
    let of_method = on_path
        .iter()
        .filter(|route| route.method == *request.method);
    let route = of_method.min_by_key(|route| rank(route)).copied();
    let route = route.ok_or(Reason::MethodNotAllowed)?;
    if on_path.iter().any(|other| names_what_is_open(other, route)) {
        return Err(Reason::MethodNotAllowed.into());
    }
    operation(description, route, &segments, request, bounds).map_err(|objection| Misunderstood {
        objection,
        route: Some(route.name),
    })
}

/// The segments of a path below the prefix, decoded once, its suffix taken away.
fn segments(description: &Description, path: &str) -> Result<Vec<String>, Reason> {
    let below = below(description, path).ok_or(Reason::UnknownRoute)?;
    let below = match below.strip_suffix('/') {
        Some(rest) if description.ignored.slash => rest,
        _ => below,
    };
    let below = match &description.suffix {
        Some(suffix) => below.strip_suffix(suffix.as_str()).unwrap_or(below),
        None => below,
    };
    let segments = below
        .split('/')
        .map(|segment| spelling::decode(segment, false).ok_or(Reason::MalformedTarget))
        .collect::<Result<Vec<_>, _>>()?;
    if segments.len() > SEGMENTS_MAX || segments.iter().any(String::is_empty) {
        return Err(Reason::UnknownRoute);
    }
    Ok(segments)
}

/// The path below the prefix, without its slash.
pub(super) fn below<'a>(description: &Description, path: &'a str) -> Option<&'a str> {
    path.strip_prefix(description.prefix.as_str())?
        .strip_prefix('/')
}

/// Literals before places: the most literal template is the one that is meant.
fn rank(route: &Route) -> Vec<bool> {
    route
        .template
        .iter()
        .map(|place| !matches!(place, Segment::Literal(_)))
        .collect()
}

/// Whether a route has a word where another takes anything: that word is no id, whatever the method.
fn names_what_is_open(named: &Route, open: &Route) -> bool {
    let mut places = named.template.iter().zip(&open.template);
    places.any(|(named, open)| {
        matches!(named, Segment::Literal(_))
            && !matches!(open, Segment::Literal(_) | Segment::Module)
    })
}

fn fits(description: &Description, route: &Route, segments: &[String]) -> bool {
    route.template.len() == segments.len()
        && route
            .template
            .iter()
            .zip(segments)
            .all(|(place, segment)| place_fits(description, route, place, segment))
}

fn place_fits(description: &Description, route: &Route, place: &Segment, segment: &str) -> bool {
    match place {
        Segment::Literal(word) => description.is_same(word, segment),
        Segment::Module => description
            .module_named(segment)
            .is_some_and(|known| route.modules.contains(&known.module)),
        Segment::Id | Segment::Related => description.ids.fit(segment),
        Segment::Link => grammar::is_field(segment),
        Segment::Word(_) => grammar::is_word(segment),
        Segment::By(_) => grammar::is_value(segment),
    }
}

fn told<'a>(
    description: &'a Description,
    route: &Route,
    segments: &[String],
) -> Result<Stated<'a>, Reason> {
    let mut told = Stated {
        module: route
            .module
            .as_ref()
            .and_then(|module| description.known(module)),
        link: route.link.clone(),
        ..Stated::default()
    };
    for (place, segment) in route.template.iter().zip(segments) {
        match place {
            Segment::Literal(_) => {}
            Segment::Module => told.module = description.module_named(segment),
            Segment::Id => told.record = Some(segment.clone()),
            Segment::Related => told.related = Some(segment.clone()),
            Segment::Link => {
                let target = told.module.and_then(|known| known.links.get(segment));
                let target = target.ok_or(Reason::UnknownLink)?;
                told.link = Some(Link {
                    name: segment.clone(),
                    target: target.clone(),
                });
            }
            Segment::Word(name) => {
                told.words
                    .insert(name.clone(), Value::String(segment.clone()));
            }
            Segment::By(field) => told.by.push((field.clone(), segment.clone())),
        }
    }
    Ok(told)
}

fn operation(
    description: &Description,
    route: &Route,
    segments: &[String],
    request: &Incoming<'_>,
    bounds: &Bounds,
) -> Result<Operation, Objection> {
    accepts_json(request.accept)?;
    let told = told(description, route, segments)?;
    let module: Option<Module> = told.module.map(|known| known.module.clone());
    let mut fixed = Map::new();
    if !told.words.is_empty() {
        fixed.insert(WORDS.to_owned(), Value::Object(told.words));
    }
    if let Some(known) = told.module {
        fixed.insert(WORD.to_owned(), known.paths[0].as_str().into());
    }
    let target = told
        .link
        .as_ref()
        .map(|link| &link.target)
        .or(module.as_ref());
    let scope = target.map(|target| Scope {
        description,
        module: target,
        word: told.module.map_or("", |known| &known.paths[0]),
    });
    let (id, record) = (
        target.map(|target| id_key(description, target)),
        &told.record,
    );
    if !takes_body(route) && !request.body.is_empty() {
        let says_nothing = description.ignored.bodies
            && write::says_nothing(
                request,
                id.unwrap_or("id"),
                record.as_deref(),
                bounds.depth_max,
            );
        if !says_nothing {
            return Err(Reason::UnexpectedBody.into());
        }
    }
    let (mut arguments, body) = arguments(description, route, request, bounds, &mut fixed)?;
    let mut query = query::read(&mut arguments, route, scope, bounds, &mut fixed)?;
    arguments.finish()?;
    query::looked_up_by(&mut query, &mut fixed, told.by);
    let mut operation = Operation {
        action: route.action,
        access: route.access,
        route: route.name,
        version: String::new(),
        credential: None,
        module,
        record: told.record,
        link: told.link,
        related: told.related.into_iter().collect(),
        query,
        write: None,
        rendering: Rendering {
            form: route.form,
            method: route.method.clone(),
            path: String::new(),
            controls: Vec::new(),
            in_body: route.carries == Carries::Body,
            fixed,
        },
    };
    written(description, route, body, &mut operation)?;
    controlled(route, request, &mut operation);
    Ok(operation)
}

/// The key of a record's id.
fn id_key(description: &Description, module: &Module) -> &'static str {
    description.known(module).map_or("id", |known| known.id)
}

/// Takes the headers that the route takes, as far as they say what they may. Others refuse the request.
fn controlled(route: &Route, request: &Incoming<'_>, operation: &mut Operation) {
    for control in request.controls {
        let taken = route
            .controls
            .iter()
            .find(|(name, _)| *name == control.name());
        let Some((_, says)) = taken else { continue };
        let value = control.value();
        let fits = match says {
            Says::Flag => ["true", "false"]
                .iter()
                .any(|word| word.eq_ignore_ascii_case(value)),
            Says::Field(_) => grammar::is_word(value),
        };
        if !fits {
            continue;
        }
        if let Says::Field(field) = says {
            operation.query.compared.push(Compared {
                field: field.clone(),
                header: control.name(),
            });
        }
        operation.rendering.controls.push(control.clone());
    }
}

fn written(
    description: &Description,
    route: &Route,
    body: Option<Map<String, Value>>,
    operation: &mut Operation,
) -> Result<(), Reason> {
    if route.relates {
        let ids = write::ids(description, body.unwrap_or_default())?;
        if ids.is_empty() == operation.related.is_empty() {
            return Err(Reason::MalformedBody);
        }
        operation.related.extend(ids);
    } else if let (Some(write), Some(body)) = (&route.write, body) {
        let known = operation
            .target()
            .and_then(|target| description.known(target));
        let record = match operation.action {
            Action::Update => operation.record.as_deref(),
            _ => None,
        };
        let ignored = &description.ignored.members;
        let terms = write::Terms {
            known,
            record,
            ignored,
        };
        let fields = write::read(write, body, &terms, &mut operation.rendering.fixed)?;
        operation.write = Some(fields);
    }
    Ok(())
}

/// Whether a route takes a body.
fn takes_body(route: &Route) -> bool {
    route.write.is_some() || route.relates || route.carries == Carries::Body
}

/// The arguments of the query, and the body of a write.
fn arguments(
    description: &Description,
    route: &Route,
    request: &Incoming<'_>,
    bounds: &Bounds,
    fixed: &mut Map<String, Value>,
) -> Result<(Arguments, Option<Map<String, Value>>), Objection> {
    let credentials = &description.credentials_in_query;
    let blank_is_none = description.ignored.blank;
    let mut arguments = of_query(request.query, credentials, blank_is_none)?;
    let form = route.write.as_ref().is_some_and(|write| write.form);
    let body = if takes_body(route) {
        Some(write::body(request, form, bounds.depth_max)?)
    } else {
        None
    };
    match &route.carries {
        Carries::Query => {}
        Carries::Body => {
            arguments.finish()?;
            let arguments = Arguments::stated(body.unwrap_or_default(), blank_is_none);
            return Ok((arguments, None));
        }
        Carries::Json(name) => {
            if let Some(Value::String(text)) = arguments.take_at(name, None) {
                // The API would take one of two; which, is its affair.
                if !arguments.is_empty() {
                    return Err(Reason::DuplicateParameter.into());
                }
                let Ok(Value::Object(members)) = json::read(text.as_bytes(), bounds.depth_max)
                else {
                    return Err(Reason::MalformedQuery.into());
                };
                fixed.insert(IN_JSON.to_owned(), true.into());
                arguments = Arguments::stated(members, blank_is_none);
            }
        }
    }
    Ok((arguments, body))
}

/// The arguments of a query string. A parameter that the API would take for a credential is refused.
fn of_query(
    text: Option<&str>,
    credentials: &[String],
    blank_is_none: bool,
) -> Result<Arguments, Reason> {
    let text = text.unwrap_or_default();
    let arguments = query_string::without_credentials(text, &Names::PLAIN, credentials)?;
    Ok(Arguments::stated(arguments, blank_is_none))
}

/// Some APIs answer in the form that `Accept` names; only JSON passes here, and only JSON is asked for.
fn accepts_json(accept: Option<&str>) -> Result<(), Reason> {
    let Some(accept) = accept else { return Ok(()) };
    let accept = accept.to_ascii_lowercase();
    if accept.contains("json") || accept.contains('*') {
        Ok(())
    } else {
        Err(Reason::UnsupportedMediaType)
    }
}

/// The look-up of the record that an update changes.
pub(super) fn look_up(
    description: &Description,
    update: &Operation,
    wanted: Wanted<'_>,
) -> Option<Operation> {
    let route = description.route(update.rendering.form)?;
    let read = description.routes.get(route.look_up?)?;
    let mut fixed = Map::new();
    for key in [WORDS, WORD] {
        if let Some(value) = update.rendering.fixed.get(key) {
            fixed.insert(key.to_owned(), value.clone());
        }
    }
    fixed.insert(write::FOR.to_owned(), update.rendering.form.into());
    let known = update.target().and_then(|target| description.known(target));
    let id = known.map_or("id", |known| known.id);
    let projection = wanted.projection(update, Some(id), usize::MAX);
    Some(Operation {
        action: read.action,
        access: read.access,
        route: read.name,
        write: None,
        query: Query {
            projection: projection.filter(|_| read.select.is_some()),
            ..Query::default()
        },
        rendering: Rendering {
            form: read.form,
            method: read.method.clone(),
            path: String::new(),
            controls: Vec::new(),
            in_body: false,
            fixed,
        },
        ..update.clone()
    })
}
