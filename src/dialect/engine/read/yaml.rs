//! Parts of a description that are passed on as they are.

use serde_json::{Map, Value, json};

use crate::diagnostic::{Node, NodeKind};

/// A YAML tree as JSON.
pub(super) fn value(node: &Node) -> Value {
    match &node.kind {
        NodeKind::Null => Value::Null,
        NodeKind::Bool(flag) => (*flag).into(),
        NodeKind::Int(number) => (*number).into(),
        NodeKind::Float(number) => json!(number),
        NodeKind::Str(text) => text.as_str().into(),
        NodeKind::Seq(items) => items.iter().map(value).collect(),
        NodeKind::Map(entries) => Value::Object(
            entries
                .iter()
                .map(|(key, node)| (key.value.clone(), value(node)))
                .collect::<Map<_, _>>(),
        ),
    }
}
