//! Where records and fields lie in a reply. Dialects draw shapes, the filter follows them.

use crate::vocabulary::Module;

/// What may stand at one place of a reply.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Any JSON value: checked, and copied.
    Anything,
    /// A string, number, boolean or null: copied. An array or object makes the reply unfilterable.
    Scalar,
    /// Any value: its key is removed (in a list: the element).
    Dropped,
    /// An object with known keys. An empty array passes as the empty object that PHP means by it; any other type
    /// makes the reply unfilterable.
    Object(ObjectShape),
    /// An array whose elements have one shape. An empty object passes; any other type makes the reply unfilterable.
    List(Box<Self>),
    /// A record: its fields are held to the plan. Any type but an object makes the reply unfilterable.
    Record(RecordShape),
}

/// An object with known keys. Keys are compared after unescaping, exactly.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectShape {
    /// Keys and what stands under them.
    pub keys: Vec<(&'static str, Shape)>,
    /// What becomes of other keys.
    pub others: Others,
    /// Keys without which the reply is unfilterable.
    pub required: &'static [&'static str],
}

/// What becomes of keys that an [`ObjectShape`] does not name.
#[derive(Clone, Debug, PartialEq)]
pub enum Others {
    /// They are removed.
    Dropped,
    /// They have this shape.
    Shape(Box<Shape>),
}

/// A record of a module.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordShape {
    /// The module whose rules hold. A `_module` key that says otherwise makes the reply unfilterable.
    pub module: Module,
    /// Keys that have a shape of their own, before the module's rules are asked. Compared exactly.
    pub keys: Vec<(&'static str, Shape)>,
    /// Whether the record counts as disclosed in the access log (a linked name does not).
    pub counted: bool,
}

impl Shape {
    /// A record of a module, counted in the log.
    pub fn record(module: &Module) -> Self {
        Self::Record(RecordShape {
            module: module.clone(),
            keys: Vec::new(),
            counted: true,
        })
    }

    /// An object of which only these keys pass.
    pub fn only(keys: Vec<(&'static str, Self)>, required: &'static [&'static str]) -> Self {
        Self::Object(ObjectShape {
            keys,
            others: Others::Dropped,
            required,
        })
    }

    /// An object whose keys all have one shape.
    pub fn each(shape: Self) -> Self {
        Self::Object(ObjectShape {
            keys: Vec::new(),
            others: Others::Shape(Box::new(shape)),
            required: &[],
        })
    }
}
