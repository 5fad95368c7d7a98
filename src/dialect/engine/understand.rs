//! What one request means: its route, and what the route carries.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::description::{Carries, Description, Relates, Route, Says, Segment, Write};
use super::native::Api;
use super::projection::Terms;
use super::{bodies, grammar, query, relations, write};
use crate::dialect::carriers::{Arguments, query_string};
use crate::dialect::schema::Schema;
use crate::dialect::{
    Bounds, Compared, Incoming, Link, Misunderstood, Operation, Path, Predicate, Query, Rendering,
    Understood, Wanted, spelling,
};
use crate::json;
use crate::objection::Objection;
use crate::reason::Reason;
use crate::vocabulary::{Action, Module, RecordRef};

/// Segments of a path.
const SEGMENTS_MAX: usize = 12;
/// Bytes of the names of fields in a query string.
const NAMES_BYTES_MAX: usize = 4_096;
/// `%2C` stands between two names.
const SEPARATOR_BYTES: usize = 3;

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
    around: Vec<RecordRef>,
    by: Vec<(String, String)>,
    /// A field of which it is asked what it may hold.
    field: Option<String>,
    words: Map<String, Value>,
}

/// By what a request is understood.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) description: &'a Description,
    /// What is known of the CRM, if it is a CRM's request.
    pub(super) schema: Option<&'a Schema>,
    pub(super) bounds: &'a Bounds,
}

/// What a request means.
pub(super) fn request(
    context: Context<'_>,
    request: &Incoming<'_>,
) -> Result<Understood<Operation>, Misunderstood> {
    let description = context.description;
    let (version, segments) = segments(description, request.path, request.accept)?;
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
    if let (true, Some(native)) = (route.is_envelope, description.native) {
        let body = alone(context, route, request).map_err(refused)?;
        let envelope = native.envelope(body, &Api(context)).map_err(refused)?;
        return Ok(Understood::Bulk {
            credential: envelope.credential,
            route: route.name,
            version: envelope.version,
            parts: envelope.parts,
        });
    }
    let stated = stated(context, route, &segments);
    let stated = stated.map_err(|reason| refused(reason.into()))?;
    if route.write.is_some() && stated.is_read_only(description) {
        return Err(Reason::UnknownRoute.into());
    }
    let operation = operation(context, route, (version, stated), request);
    operation.map_err(refused).map(|operation| {
        Understood::One(Operation {
            of_caller: operation.of_caller || description.is_asked_of_callers(&segments),
            ..operation
        })
    })
}

/// The body of a request that carries nothing else.
fn alone(
    context: Context<'_>,
    route: &Route,
    request: &Incoming<'_>,
) -> Result<Map<String, Value>, Objection> {
    of_query(context.description, request.query.unwrap_or_default())?.finish()?;
    let depth_max = context.bounds.depth_max;
    Ok(bodies::read(
        context.description,
        route,
        request,
        depth_max,
    )?)
}

impl Stated {
    /// Whether the records that it is about are read only.
    fn is_read_only(&self, description: &Description) -> bool {
        let link = self.link.as_ref().map(|link| &link.target);
        let target = link.or(self.module.as_ref());
        let unwritten = &description.reserved.unwritten;
        target.is_some_and(|target| unwritten.iter().any(|module| module == target.as_str()))
    }
}

/// The version of a path, and its segments below the place of that, decoded once, its suffix taken away.
pub(super) fn segments(
    description: &Description,
    path: &str,
    accept: Option<&str>,
) -> Result<(String, Vec<String>), Reason> {
    let (version, below) = description.below(path).ok_or(Reason::UnknownRoute)?;
    let below = match below.strip_suffix('/') {
        Some(rest) if description.ignored.slash => rest,
        _ => below,
    };
    let below = match &description.suffix {
        Some(suffix) => below.strip_suffix(suffix.as_str()).unwrap_or(below),
        None => below,
    };
    let mut segments = below
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
    let version = match &description.versions {
        Some(versions) => versions.take(&mut segments, accept)?,
        None => version.to_owned(),
    };
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
        Segment::Module if description.stock.is_some() => description.is_open(segment),
        Segment::Module => description
            .module_named(segment)
            .is_some_and(|module| route.modules.contains(&module)),
        Segment::Id | Segment::Related => description.is_id(segment),
        Segment::Link => description.names.is_link(segment),
        Segment::Field => description.names.is_field(segment),
        Segment::Word(name) => description.is_word(name, segment),
        Segment::By(_) => grammar::is_value(segment),
    }
}

fn stated(context: Context<'_>, route: &Route, segments: &[String]) -> Result<Stated, Reason> {
    let description = context.description;
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
            Segment::Field => stated.field = Some(segment.clone()),
            Segment::Word(name) => {
                let of = route.named.get(name).and_then(Option::as_ref);
                stated.around.extend(of.map(|module| RecordRef {
                    module: module.clone(),
                    id: Arc::from(segment.as_str()),
                }));
                stated
                    .words
                    .insert(name.clone(), Value::String(segment.clone()));
            }
            Segment::By(field) => stated.by.push((field.clone(), segment.clone())),
        }
    }
    if let Some(name) = link {
        let module = stated.module.as_ref();
        let link = module.and_then(|module| description.link(context.schema, module, &name));
        stated.link = Some(link.ok_or(Reason::UnknownLink)?);
    }
    Ok(stated)
}

fn operation(
    context: Context<'_>,
    route: &Route,
    (version, stated): (String, Stated),
    request: &Incoming<'_>,
) -> Result<Operation, Objection> {
    let Context { description, .. } = context;
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
        version,
        credential: None,
        of_caller: route.of_caller,
        module: stated.module,
        record: stated.record,
        link: stated.link,
        related: stated.related.into_iter().collect(),
        around: stated.around,
        query: Query::default(),
        write: None,
        rendering: Rendering {
            form: route.form,
            method: route.method.clone(),
            path: String::new(),
            controls: Vec::new(),
            in_body: route.is_in_body(),
            fixed: Map::new(),
        },
    };
    let (mut arguments, body) = arguments(context, route, request, &mut fixed)?;
    if !takes_body(route)
        && !request.body.is_empty()
        && !bodies::is_ignored(description, request, &operation, context.bounds.depth_max)
    {
        return Err(Reason::UnexpectedBody.into());
    }
    operation.query = asked(context, route, &mut arguments, &mut operation, &mut fixed)?;
    query::looked_up_by(&mut operation.query, &mut fixed, stated.by);
    if let Some(field) = stated.field {
        // What a field may hold is told to whoever may match it: some lists are made of records.
        operation.query.predicate = Some(Predicate::All(vec![one_of(field)]));
    }
    operation.rendering.fixed = fixed;
    if let (true, Some(native)) = (route.logs_in, description.native) {
        let login = native.login(arguments, body.unwrap_or_default())?;
        operation
            .rendering
            .fixed
            .insert(LOGIN.to_owned(), login.into());
        return Ok(operation);
    }
    arguments.finish()?;
    written(context, route, body.unwrap_or_default(), &mut operation)?;
    controlled(route, request, &mut operation);
    Ok(operation)
}

/// What records are asked for, and of which modules.
fn asked(
    context: Context<'_>,
    route: &Route,
    arguments: &mut Arguments,
    operation: &mut Operation,
    fixed: &mut Map<String, Value>,
) -> Result<Query, Objection> {
    let mut beside = Vec::new();
    if let Some(search) = &route.search {
        let own = operation.module.take();
        let mut modules = search
            .modules(context.description, arguments, own)?
            .into_iter();
        operation.module = modules.next();
        beside.extend(modules);
    }
    let mut asked = context.description.asked(operation);
    if let Some(asked) = &mut asked {
        asked.schema = context.schema;
        asked.depth_max = context.bounds.depth_max;
    }
    let within = context.description.within.as_ref();
    let terms = Terms {
        listing: &route.listing,
        asked,
        bounds: context.bounds,
        depth: within.map_or(0, |within| within.depth),
    };
    let mut query = query::read(arguments, route, terms, fixed)?;
    query.beside = beside;
    // A link means something in one module only.
    let is_search = route
        .search
        .as_ref()
        .is_some_and(|search| search.modules.is_some());
    if is_search && query.order.iter().any(|sort| sort.path.link.is_some()) {
        return Err(Reason::MalformedOrder.into());
    }
    Ok(query)
}

/// A comparison with whatever the field may hold.
fn one_of(field: String) -> Predicate {
    Predicate::Field {
        path: Path { link: None, field },
        operator: None,
        value: Value::Null,
    }
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
            Says::Flag | Says::Unlike => ["true", "false"]
                .iter()
                .any(|word| word.eq_ignore_ascii_case(value)),
            Says::Field(_) => grammar::is_word(value),
            Says::Date(_) => grammar::is_date(value),
        };
        if !fits {
            continue;
        }
        if let Says::Field(field) | Says::Date(field) = says {
            operation.query.compared.push(Compared {
                field: field.clone(),
                header: control.name(),
            });
        }
        operation.rendering.controls.push(control.clone());
    }
}

fn written(
    context: Context<'_>,
    route: &Route,
    body: Map<String, Value>,
    operation: &mut Operation,
) -> Result<(), Objection> {
    let Context {
        description,
        schema,
        ..
    } = context;
    if let (true, Some(schema)) = (route.matches, schema) {
        return write::matches(description, schema, body, operation);
    }
    let Some(form) = &route.write else {
        return relations::read(description, schema, &route.relates, body, operation);
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
    write::read(description, schema, fields, operation)
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

/// Whether a route takes a body.
fn takes_body(route: &Route) -> bool {
    let relates = !matches!(route.relates, Relates::No);
    let carries = matches!(route.carries, Carries::Body | Carries::Both);
    route.write.is_some() || route.matches || relates || route.logs_in || carries
}

/// The arguments of the query, and the body of a write.
fn arguments(
    context: Context<'_>,
    route: &Route,
    request: &Incoming<'_>,
    fixed: &mut Map<String, Value>,
) -> Result<(Arguments, Option<Map<String, Value>>), Objection> {
    let description = context.description;
    let depth_max = context.bounds.depth_max;
    let blank_is_none = description.ignored.blank;
    let mut arguments = of_query(description, request.query.unwrap_or_default())?;
    let mut body = match takes_body(route) {
        true => Some(bodies::read(description, route, request, depth_max)?),
        false => None,
    };
    if let (Some(form), Some(body)) = (&route.write, &mut body) {
        let stated = form.arguments.iter();
        let stated = stated.filter_map(|name| Some((name.clone(), body.shift_remove(name)?)));
        arguments = arguments.and(stated.collect())?;
    }
    match &route.carries {
        Carries::Query => {}
        Carries::Both => {
            return Ok((arguments.and(body.unwrap_or_default())?, None));
        }
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
                let Ok(Value::Object(members)) = json::read(text.as_bytes(), depth_max) else {
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

/// Bytes of the names of fields that a request of a route can hold.
fn names_bytes_max(route: &Route) -> usize {
    match route.carries {
        Carries::Query => NAMES_BYTES_MAX,
        Carries::Body | Carries::Both | Carries::Json(_) => usize::MAX,
    }
}

/// Whether a request of a route can hold names of these lengths.
pub(super) fn fits_line(route: &Route, lengths: impl Iterator<Item = usize>) -> bool {
    lengths
        .map(|length| length + SEPARATOR_BYTES)
        .sum::<usize>()
        <= names_bytes_max(route)
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
    let id = target.map_or("id", |target| description.id_key(target));
    // Beside a key under which the fields lie, the id always stands.
    let id = Some(id).filter(|_| read.reply.under().is_none());
    let projection = wanted.projection(update, id, names_bytes_max(read));
    Some(Operation {
        action: read.action,
        access: read.access,
        route: read.name,
        write: None,
        query: Query {
            projection: projection.filter(|_| read.listing.select.is_some()),
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
