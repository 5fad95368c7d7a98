//! Bodies of requests: as those are read that a request takes, and what those may say that it does not take.

use serde_json::{Map, Value};

use super::description::{Bodies, Description, Route};
use super::{relations, write};
use crate::dialect::carriers::{self, Media};
use crate::dialect::{Incoming, Operation};
use crate::json;
use crate::reason::Reason;

/// Reads a body. A form is read like JSON whose values are texts.
pub(super) fn read(
    description: &Description,
    route: &Route,
    request: &Incoming<'_>,
    depth_max: usize,
) -> Result<Map<String, Value>, Reason> {
    let tells = route.relates.document().or(route.write.as_ref());
    let is_needed = route.logs_in || tells.is_some_and(|form| form.tells);
    if request.body.is_empty() && !is_needed {
        return Ok(Map::new());
    }
    let media = Media::of(request.content_type);
    let is_php = description.ignored.bodies == Bodies::Empty;
    let takes_form = route.write.as_ref().is_some_and(|write| write.form);
    let form = carriers::form(request.body, media, description.names.of_parameters());
    match form.filter(|_| route.logs_in || takes_form && media == Media::Form) {
        Some(form) => form,
        None if description.is_json(media) => match json::read(request.body, depth_max) {
            Ok(Value::Object(members)) => Ok(members),
            Ok(Value::Array(items)) if items.is_empty() && is_php => Ok(Map::new()),
            _ => Err(Reason::MalformedBody),
        },
        None => Err(Reason::UnsupportedMediaType),
    }
}

/// Whether the API does not look at the body of a request that takes none.
pub(super) fn is_ignored(
    description: &Description,
    request: &Incoming<'_>,
    operation: &Operation,
    depth_max: usize,
) -> bool {
    match description.ignored.bodies {
        Bodies::None => false,
        Bodies::Empty => says_nothing(request, "id", None, depth_max),
        Bodies::Blank => {
            let id = operation.target();
            let id = id.map_or("id", |module| description.id_key(module));
            says_nothing(request, id, operation.record.as_deref(), depth_max)
        }
        Bodies::Documents => repeats_path(description, request, operation, depth_max),
    }
}

impl Description {
    /// Whether a body is JSON to the API.
    fn is_json(&self, media: Media<'_>) -> bool {
        match media {
            Media::Json => true,
            Media::JsonApi => self.ignored.bodies != Bodies::Empty,
            _ => false,
        }
    }
}

/// Whether the body of a request that takes none says nothing: an empty object or list, or the id that the path says.
fn says_nothing(request: &Incoming<'_>, id: &str, record: Option<&str>, depth_max: usize) -> bool {
    if Media::of(request.content_type) != Media::Json {
        return false;
    }
    match json::read(request.body, depth_max) {
        Ok(Value::Array(items)) => items.is_empty(),
        Ok(Value::Object(mut members)) => {
            if let Some(record) = record
                && members.get(id).and_then(write::text).as_deref() == Some(record)
            {
                members.shift_remove(id);
            }
            members.is_empty()
        }
        _ => false,
    }
}

/// Whether a body is an empty object, or that of a deletion names what its path names: `{"id": …}`, or a document with type
/// and id, which stand where those of a relation stand.
fn repeats_path(
    description: &Description,
    request: &Incoming<'_>,
    operation: &Operation,
    depth_max: usize,
) -> bool {
    let is_json = matches!(
        Media::of(request.content_type),
        Media::Json | Media::JsonApi
    );
    let stated = carriers::object(request.body, depth_max);
    let Some(stated) = stated.ok().filter(|_| is_json) else {
        return false;
    };
    let related = operation.related.first();
    let record = match related.or(operation.record.as_ref()) {
        Some(record) if *request.method == http::Method::DELETE => record,
        _ => return stated.is_empty(),
    };
    let is_id = stated.get("id").and_then(Value::as_str) == Some(record);
    if stated.is_empty() || stated.len() == 1 && is_id {
        return true;
    }
    let forms = description.routes.iter();
    let mut forms = forms.filter_map(|route| route.relates.document());
    forms.next().is_some_and(|form| {
        let said = relations::relation(description, form, stated);
        said.is_ok_and(|(module, id)| id == *record && Some(&module) == operation.target())
    })
}
