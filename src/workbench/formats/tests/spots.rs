//! Every place of a document of which a schema says something, with a document around it.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::Format;

/// Stands where something is put in.
const HOLE: &str = "@@";

/// A place, and what may stand there.
pub(super) struct Spot {
    /// The whole schema.
    pub(super) root: Value,
    /// The names of keys on the way there.
    pub(super) path: Vec<String>,
    /// What may stand there: one shape of several.
    pub(super) shape: Value,
    /// Whether another shape that may stand there is any text.
    pub(super) may_be_other: bool,
    /// A document with a hole there.
    pub(super) document: Value,
}

/// What must stand beside a key for its reader to look at it; null: what must not.
fn beside(path: &[String], key: &str) -> Value {
    let is_below = |name: &str| path.last().is_some_and(|last| last == name);
    match key {
        "members" | "lifted" | "groups" | "in" | "beside" if is_below("where") => {
            json!({ "style": "where", "in": "where", "operators": ["equals"] })
        }
        "each" if is_below("where") => json!({ "style": "groups", "in": "where" }),
        "words" if is_below("where") => json!({ "style": "words", "in": "a" }),
        "parameters" | "list" if is_below("where") => json!({ "style": "ids" }),
        "style" if is_below("where") => json!({}),
        _ if is_below("where") => json!({ "style": "jsonapi", "in": "filter" }),
        "separator" => json!({ "in": "fields", "style": "text" }),
        "within" if is_below("select") => json!({ "in": "fields", "style": "names" }),
        "write" if is_below("routes") => json!({ "action": "create" }),
        "relate" if is_below("routes") => json!({ "action": "relate" }),
        "of" | "under" | "several" | "counted" | "named_by" | "beside" if is_below("routes") => {
            json!({ "records": "$.items[*]" })
        }
        // A case does one thing.
        "set" => json!({ "read": null, "write": "jeanne" }),
        _ => json!({}),
    }
}

/// The document in which all others stand: what they name is there.
fn around(format: Format) -> Value {
    match format {
        Format::Description => json!({ "modules": { "clients": {} } }),
        Format::Tests => json!({
            "people": { "sonia": { "key": "erp" } },
            "records": { "jeanne": { "module": "Contacts", "fields": { "id": "c-1" } } },
        }),
        _ => json!({}),
    }
}

/// Every shape of every place.
pub(super) fn spots(format: Format) -> Vec<Spot> {
    walked(format).0
}

/// Every place, with all that may stand there.
pub(super) fn places(format: Format) -> Vec<Spot> {
    walked(format).1
}

fn walked(format: Format) -> (Vec<Spot>, Vec<Spot>) {
    let root = format.schema();
    let mut walk = Walk {
        defined: BTreeSet::new(),
        root: &root,
        spots: Vec::new(),
        places: Vec::new(),
        around: around(format),
    };
    walk.enter(&root, &[], false, &json!(HOLE));
    (walk.spots, walk.places)
}

/// Characters of a shape that is looked at wherever it stands.
const SHORT: usize = 2_000;

struct Walk<'a> {
    defined: BTreeSet<String>,
    root: &'a Value,
    spots: Vec<Spot>,
    places: Vec<Spot>,
    around: Value,
}

impl Walk<'_> {
    fn enter(&mut self, shape: &Value, path: &[String], may_be_other: bool, document: &Value) {
        self.places.push(Spot {
            root: self.root.clone(),
            path: path.to_vec(),
            shape: shape.clone(),
            may_be_other,
            document: document.clone(),
        });
        self.visit(shape, path, may_be_other, document);
    }

    fn visit(&mut self, shape: &Value, path: &[String], may_be_other: bool, document: &Value) {
        if let Some(name) = shape["$ref"].as_str() {
            let is_known = !self.defined.insert(name.to_owned());
            // What is said once is looked at once, unless it is a word.
            if is_known && resolved(self.root, shape).to_string().len() > SHORT {
                return;
            }
        }
        let shape = resolved(self.root, shape);
        if let (Some(shapes), None) = (shape["anyOf"].as_array(), shape.get("properties")) {
            let is_text = |shape: &Value| resolved(self.root, shape)["type"] == "string";
            let is_any = may_be_other || shapes.iter().any(is_text);
            for shape in shapes {
                self.visit(shape, path, is_any, document);
            }
            return;
        }
        self.spots.push(Spot {
            root: self.root.clone(),
            path: path.to_vec(),
            shape: shape.clone(),
            may_be_other,
            document: document.clone(),
        });
        for (key, inner) in shape["properties"].as_object().into_iter().flatten() {
            let mut around = least(self.root, shape, Some(key));
            if path.is_empty() {
                merge(&mut around, &self.around);
            }
            merge(&mut around, &beside(path, key));
            around[key] = json!(HOLE);
            let path = [path, std::slice::from_ref(key)].concat();
            self.enter(inner, &path, false, &filled(document, &around));
        }
        if shape["additionalProperties"].is_object() {
            let name = sample(self.root, &shape["propertyNames"]);
            let around = json!({ name.as_str().unwrap(): HOLE });
            self.enter(
                &shape["additionalProperties"],
                path,
                false,
                &filled(document, &around),
            );
        }
        if shape.get("items").is_some() {
            self.enter(
                &shape["items"],
                path,
                may_be_other,
                &filled(document, &json!([HOLE])),
            );
        }
    }
}

fn merge(into: &mut Value, more: &Value) {
    for (key, value) in more.as_object().into_iter().flatten() {
        match (value, into.as_object_mut()) {
            (Value::Null, Some(object)) => drop(object.remove(key)),
            _ => into[key] = value.clone(),
        }
    }
}

fn resolved<'a>(root: &'a Value, shape: &'a Value) -> &'a Value {
    match shape["$ref"].as_str() {
        Some(name) => &root["$defs"][name.rsplit('/').next().unwrap()],
        None => shape,
    }
}

/// The document with something in its hole.
pub(super) fn filled(document: &Value, value: &Value) -> Value {
    match document {
        Value::String(text) if text == HOLE => value.clone(),
        Value::Array(items) => items.iter().map(|item| filled(item, value)).collect(),
        Value::Object(object) => {
            let entries = object.iter();
            let entries = entries.map(|(key, item)| (key.clone(), filled(item, value)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

/// The least that fits a shape.
pub(super) fn sample(root: &Value, shape: &Value) -> Value {
    let shape = resolved(root, shape);
    let first = |key: &str| shape[key].get(0).cloned();
    if let Some(example) = first("examples").or_else(|| first("enum")) {
        return example;
    }
    if shape.get("properties").is_none()
        && let Some(one) = shape["anyOf"].get(0)
    {
        return sample(root, one);
    }
    let kind = shape["type"]
        .as_array()
        .map_or(&shape["type"], |kinds| &kinds[0]);
    match kind.as_str() {
        Some("object") => least(root, shape, None),
        Some("array") if shape.get("minItems").is_some() => json!([sample(root, &shape["items"])]),
        Some("array") => json!([]),
        Some("integer") => shape["minimum"].clone(),
        Some("boolean") => json!(true),
        Some(kind) => panic!("no sample of {kind}: {shape}"),
        None => json!("anything"),
    }
}

/// The least map that fits a shape and has some key, if one is wanted.
fn least(root: &Value, shape: &Value, wanted: Option<&str>) -> Value {
    let names = |set: &Value| -> Vec<String> {
        let names = set.as_array().into_iter().flatten();
        names.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let mut keys = names(&shape["required"]);
    let sets = shape["anyOf"].as_array().into_iter().flatten();
    let sets: Vec<Vec<String>> = sets.map(|set| names(&set["required"])).collect();
    let has = |set: &&Vec<String>| wanted.is_some_and(|key| set.iter().any(|name| name == key));
    keys.extend(
        sets.iter()
            .find(has)
            .or_else(|| sets.first())
            .into_iter()
            .flatten()
            .cloned(),
    );
    let properties = &shape["properties"];
    if shape.get("minProperties").is_some() && properties.is_null() {
        let name = sample(root, &shape["propertyNames"]);
        let value = sample(root, &shape["additionalProperties"]);
        return json!({ name.as_str().unwrap(): value });
    }
    if let (true, None, Some(all)) = (
        shape.get("minProperties").is_some(),
        wanted,
        properties.as_object(),
    ) {
        keys.extend(all.keys().next().cloned());
    }
    let entries = keys.into_iter().map(|key| {
        let value = sample(root, &properties[&key]);
        (key, value)
    });
    Value::Object(entries.collect())
}
