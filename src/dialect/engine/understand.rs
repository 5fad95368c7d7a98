//! What one request means: its route, and what the route carries.

use serde_json::{Map, Value};

use super::description::{Bodies, Carries, Description, Relates, Route, Says, Segment, Write};
use super::{grammar, query, write};
use crate::dialect::carriers::{Arguments, query_string};
use crate::dialect::schema::Schema;
use crate::dialect::{
    Bounds, Compared, Incoming, Link, Misunderstood, Operation, Query, Rendering, Wanted, spelling,
};
use crate::json;
use crate::objection::Objection;
use crate::reason::Reason;
use crate::vocabulary::{Action, Module};

/// Segments of a path.
const SEGMENTS_MAX: usize = 12;
/// Bytes of the names of fields in a query string.
const NAMES_BYTES_MAX: usize = 4_096;

/// Keys of [`Rendering::fixed`].
pub(super) const WORDS: &str = "words";
pub(super) const IN_JSON: &str = "in_json";
pub(super) const LOGIN: &str = "login";

/// What a path says.
#[derive(Default)]
struct Stated {
    module: Option<Module>,
    record: Option<String>,
    link: Option<Link>,
    related: Option<String>,
    by: Vec<(String, String)>,
    words: Map<String, Value>,
}

/// What a request means, before a CRM of which the schema is known.
pub(super) fn request(
    description: &Description,
    schema: Option<&Schema>,
    request: &Incoming<'_>,
    bounds: &Bounds,
) -> Result<Operation, Misunderstood> {
    let (version, segments) = segments(description, request.path)?;
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
    let refused = |objection| Misunderstood {
        objection,
        route: Some(route.name),
    };
    let stated = stated(description, schema, route, &segments);
    let stated = stated.map_err(|reason| refused(reason.into()))?;
    let operation = operation(description, route, (version, stated), request, bounds);
    operation.map_err(refused).map(|operation| Operation {
        of_caller: operation.of_caller || description.is_asked_of_callers(&segments),
        ..operation
    })
}

/// The version of a path, and its segments below the place of that, decoded once, its suffix taken away.
fn segments(description: &Description, path: &str) -> Result<(&'static str, Vec<String>), Reason> {
    let (version, below) = description.below(path).ok_or(Reason::UnknownRoute)?;
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
        .map(|segment| {
            let segment = spelling::decode(segment, false);
            let segment = segment.filter(|segment| description.names.is_segment(segment));
            segment.ok_or(Reason::MalformedTarget)
        })
        .collect::<Result<Vec<_>, _>>()?;
    if segments.len() > SEGMENTS_MAX || segments.iter().any(String::is_empty) {
        return Err(Reason::UnknownRoute);
    }
    Ok((version, segments))
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
        Segment::Module if description.stock.is_some() => description.names.is_field(segment),
        Segment::Module => description
            .module_named(segment)
            .is_some_and(|module| route.modules.contains(&module)),
        Segment::Id | Segment::Related => description.ids.fit(segment),
        Segment::Link => description.names.is_field(segment),
        Segment::Word(_) => grammar::is_word(segment),
        Segment::By(_) => grammar::is_value(segment),
    }
}

fn stated(
    description: &Description,
    schema: Option<&Schema>,
    route: &Route,
    segments: &[String],
) -> Result<Stated, Reason> {
    let mut stated = Stated {
        module: route.module.clone(),
        link: route.link.clone(),
        ..Stated::default()
    };
    let mut link = None;
    for (place, segment) in route.template.iter().zip(segments) {
        match place {
            Segment::Literal(_) => {}
            Segment::Module => stated.module = description.module_named(segment),
            Segment::Id => stated.record = Some(segment.clone()),
            Segment::Related => stated.related = Some(segment.clone()),
            Segment::Link => link = Some(segment.clone()),
            Segment::Word(name) => {
                stated
                    .words
                    .insert(name.clone(), Value::String(segment.clone()));
            }
            Segment::By(field) => stated.by.push((field.clone(), segment.clone())),
        }
    }
    if let Some(name) = link {
        let module = stated.module.as_ref();
        let known = module.and_then(|module| description.known(module));
        let target = match known {
            Some(known) => known.links.get(&name).cloned(),
            None => module.and_then(|module| schema?.target(module, &name)),
        };
        let target = target.ok_or(Reason::UnknownLink)?;
        stated.link = Some(Link { name, target });
    }
    Ok(stated)
}

fn operation(
    description: &Description,
    route: &Route,
    (version, stated): (&str, Stated),
    request: &Incoming<'_>,
    bounds: &Bounds,
) -> Result<Operation, Objection> {
    if !description.ignored.accept {
        accepts_json(request.accept)?;
    }
    let mut fixed = Map::new();
    if !stated.words.is_empty() {
        fixed.insert(WORDS.to_owned(), Value::Object(stated.words));
    }
    let mut operation = Operation {
        action: route.action,
        access: route.access,
        route: route.name,
        version: version.to_owned(),
        credential: None,
        of_caller: route.of_caller,
        module: stated.module,
        record: stated.record,
        link: stated.link,
        related: stated.related.into_iter().collect(),
        query: Query::default(),
        write: None,
        rendering: Rendering {
            form: route.form,
            method: route.method.clone(),
            path: String::new(),
            controls: Vec::new(),
            in_body: route.carries == Carries::Body,
            fixed: Map::new(),
        },
    };
    let (mut arguments, body) = arguments(description, route, request, bounds, &mut fixed)?;
    if !takes_body(route)
        && !request.body.is_empty()
        && !is_ignored(description, request, &operation, bounds.depth_max)
    {
        return Err(Reason::UnexpectedBody.into());
    }
    let asked = description.asked(&operation);
    let mut query = query::read(&mut arguments, route, asked, bounds, &mut fixed)?;
    query::looked_up_by(&mut query, &mut fixed, stated.by);
    operation.query = query;
    operation.rendering.fixed = fixed;
    written(description, route, body, &mut operation)?;
    arguments.finish()?;
    controlled(route, request, &mut operation);
    Ok(operation)
}

/// Whether the API does not look at the body of a request that takes none.
fn is_ignored(
    description: &Description,
    request: &Incoming<'_>,
    operation: &Operation,
    depth_max: usize,
) -> bool {
    match description.ignored.bodies {
        Bodies::None => false,
        Bodies::Blank => {
            let id = operation.target();
            let id = id.map_or("id", |module| id_key(description, module));
            write::says_nothing(request, id, operation.record.as_deref(), depth_max)
        }
        Bodies::Documents => write::repeats_path(description, request, operation, depth_max),
    }
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
) -> Result<(), Objection> {
    let body = body.unwrap_or_default();
    if let (true, Some(native)) = (route.logs_in, description.native) {
        let login = Value::Object(native.login(body)?);
        operation.rendering.fixed.insert(LOGIN.to_owned(), login);
        return Ok(());
    }
    match &route.relates {
        Relates::Ids => {
            let ids = write::ids(description, body)?;
            if ids.is_empty() == operation.related.is_empty() {
                return Err(Reason::MalformedBody.into());
            }
            operation.related.extend(ids);
            return Ok(());
        }
        Relates::Document(form) => {
            let (module, id) = write::relation(description, form, body)?;
            return relate(operation, module, id).map_err(Objection::from);
        }
        Relates::No => {}
    }
    let Some(form) = &route.write else {
        return Ok(());
    };
    let fields = match form.tells {
        true => told(description, route, form, body, operation)?,
        false => {
            let target = operation.target();
            let word = target.map_or("", |module| description.word(module));
            let record = operation.record.as_deref();
            let record = record.filter(|_| operation.action == Action::Update);
            write::fields_of(form, body, word, record)?
        }
    };
    write::read(description, fields, operation).map_err(Objection::from)
}

/// Takes module and id of a record from the document that it is written in; its fields are left.
fn told(
    description: &Description,
    route: &Route,
    form: &Write,
    body: Map<String, Value>,
    operation: &mut Operation,
) -> Result<Map<String, Value>, Objection> {
    let document = write::document(description, form, body)?;
    if description.stock.is_none() && !route.modules.contains(&document.module) {
        return Err(Reason::MalformedBody.into());
    }
    operation.record = match operation.action {
        Action::Update => Some(write::id(description, document.id)?),
        _ => write::own_id(form, document.id)?,
    };
    operation.module = Some(document.module);
    Ok(write::plain(document.fields)?)
}

/// The record to relate belongs to the link's target; where the path names no link, the API looks for one that leads to
/// the record's module.
fn relate(operation: &mut Operation, target: Module, id: String) -> Result<(), Reason> {
    match &operation.link {
        Some(link) if link.target != target => return Err(Reason::MalformedBody),
        Some(_) => {}
        None => {
            let name = String::new();
            operation.link = Some(Link { name, target });
        }
    }
    operation.related.push(id);
    Ok(())
}

/// Whether a route takes a body.
fn takes_body(route: &Route) -> bool {
    let relates = !matches!(route.relates, Relates::No);
    route.write.is_some() || relates || route.logs_in || route.carries == Carries::Body
}

/// The arguments of the query, and the body of a write.
fn arguments(
    description: &Description,
    route: &Route,
    request: &Incoming<'_>,
    bounds: &Bounds,
    fixed: &mut Map<String, Value>,
) -> Result<(Arguments, Option<Map<String, Value>>), Objection> {
    let blank_is_none = description.ignored.blank;
    let mut arguments = of_query(description, request.query.unwrap_or_default())?;
    let body = match takes_body(route) {
        true => Some(write::body(description, route, request, bounds.depth_max)?),
        false => None,
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
fn of_query(description: &Description, text: &str) -> Result<Arguments, Reason> {
    let ignored = &description.ignored;
    let text = ignored.noise.taken_out_of(text);
    let (names, credentials) = (
        description.names.of_parameters(),
        &description.credentials_in_query,
    );
    let arguments = query_string::without_credentials(&text, names, credentials)?;
    Ok(Arguments::stated(arguments, ignored.blank))
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
    if let Some(words) = update.rendering.fixed.get(WORDS) {
        fixed.insert(WORDS.to_owned(), words.clone());
    }
    // A reply of the same form may stand for that of the update as it is.
    if read.reply != route.reply || read.reply.has_lists() {
        fixed.insert(write::FOR.to_owned(), update.rendering.form.into());
    }
    let target = update.target();
    let id = target.map_or("id", |target| id_key(description, target));
    // Beside a key under which the fields lie, the id always stands.
    let id = Some(id).filter(|_| read.reply.under().is_none());
    let bytes_max = match read.carries {
        Carries::Query => NAMES_BYTES_MAX,
        Carries::Body | Carries::Json(_) => usize::MAX,
    };
    let projection = wanted.projection(update, id, bytes_max);
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
