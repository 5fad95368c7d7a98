//! Where records and fields lie in a reply. Dialects draw shapes, the filter follows them.

use crate::vocabulary::{Module, Spelling};

/// The usual key of a record's id.
pub const ID_KEY: &str = "id";
/// The key that tells a record's module.
pub const MODULE_KEY: &str = "_module";

/// What may stand at one place of a reply.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Any JSON value: checked, and copied.
    Anything,
    /// A string, number, boolean or null: copied. An array or object makes the reply unfilterable. In an object around a list
    /// of records it may count those that are not shown: then it is treated like [`Count::All`].
    Scalar,
    /// A scalar that counts records of this reply, or of the CRM: copied where the CRM was told all that decides which
    /// records are there. Otherwise it would tell of records that are not shown.
    Count(Count),
    /// Any value: its key is removed (in a list: the element).
    Dropped,
    /// An object with known keys. An empty array passes as the empty object that PHP means by it; any other type
    /// makes the reply unfilterable.
    Object(ObjectShape),
    /// An array whose elements have one shape. An empty object passes; any other type makes the reply unfilterable.
    List(Box<Self>),
    /// A list of which each element belongs to the one at the same place of another list, which stands before it in the same
    /// object: where that is left out, so is this. Where records may be left out and the other list has not been read, or is
    /// of another length, the reply is unfilterable.
    Along {
        /// The key of the other list.
        key: &'static str,
        /// The shape of the elements.
        element: Box<Self>,
    },
    /// A string that must be one of these words: copied. Anything else makes the reply unfilterable.
    Word(Vec<&'static str>),
    /// A string that must name this module: copied. Anything else makes the reply unfilterable. An entry that has such
    /// a member must have it.
    NameOf(ModuleName),
    /// A record: its fields are held to the plan. Any type but an object makes the reply unfilterable (but see
    /// [`Layout::Named`]).
    Record(RecordShape),
    /// A record of one of these modules, which its [`MODULE_KEY`] tells. Any other makes the reply unfilterable.
    OneOf(Vec<RecordShape>),
    /// An object in which a record lies beside its id.
    Entry(Box<EntryShape>),
    /// An object whose shape one of its members tells.
    Choice(Box<ChoiceShape>),
    /// An array or an object, each with a shape of its own. Any other type makes the reply unfilterable.
    Either {
        /// What an array must be.
        array: Box<Self>,
        /// What an object must be.
        object: Box<Self>,
    },
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// The elements of the list under this key of the same object: counted again. If it stands before the list, it is removed.
    Listed(&'static str),
    /// More than the reply shows: all records, or where the next ones begin. In its place stands this, which says that nobody
    /// knows; `None`: it is removed.
    All(Option<&'static str>),
}

/// The name of a module, and the other names that the CRM has for it.
#[derive(Clone, Debug, PartialEq)]
pub struct ModuleName {
    /// The module.
    pub module: Module,
    /// Its other names: those of its objects.
    pub others: Vec<&'static str>,
}

impl ModuleName {
    /// Whether a word is one of the names.
    pub fn is(&self, word: &str) -> bool {
        self.module.as_str() == word || self.others.contains(&word)
    }
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
    /// They are removed, and the operator is told their names: nobody has said that there are any.
    Unheard,
    /// They have this shape.
    Shape(Box<Shape>),
}

impl ObjectShape {
    fn each_module<'a>(&'a self, visit: &mut dyn FnMut(&'a Module)) {
        for (_, inside) in &self.keys {
            inside.each_module(visit);
        }
        if let Others::Shape(inside) = &self.others {
            inside.each_module(visit);
        }
    }
}

/// A record of a module.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordShape {
    /// The module whose rules hold. A `_module` key that says otherwise makes the reply unfilterable.
    pub module: Module,
    /// Keys that have a shape of their own, before the module's rules are asked. Compared exactly.
    pub keys: Vec<(&'static str, Shape)>,
    /// Keys under which further fields of the same record lie. Compared exactly; what stands there and is no object is
    /// redacted.
    pub inner: Vec<&'static str>,
    /// The key of the record's id.
    pub id: &'static str,
    /// How the fields are written.
    pub layout: Layout,
    /// How texts are spelled in its strings.
    pub spelling: Spelling,
    /// How a field holds a page of records of another module.
    pub collection: &'static Collection,
    /// Whether the record counts as disclosed in the access log (a linked name does not).
    pub counted: bool,
    /// Whether it is no record of the module, but belongs to one beside it or named in the request, with which it comes and
    /// goes: it is not judged by itself.
    pub is_part: bool,
}

/// An object that holds a page of records. Keys that are not named are removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collection {
    /// The key of the list of records. An object under which no list lies there is a record itself.
    pub records: &'static str,
    /// Keys beside it whose scalars pass: where the page ends.
    pub beside: &'static [&'static str],
}

impl Collection {
    /// The usual form.
    pub const USUAL: &'static Self = &Self {
        records: "records",
        beside: &["next_offset"],
    };

    /// A key that passes, as it is named here.
    pub fn named(&self, key: &str) -> Option<&'static str> {
        let beside = self.beside.iter().copied();
        std::iter::once(self.records)
            .chain(beside)
            .find(|name| *name == key)
    }
}

/// How the fields of a record are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Each member is a field.
    Flat,
    /// Each member is a field whose value stands in an object, `{"name": FIELD, "value": VALUE}`; or the record is an
    /// array of such objects.
    Named,
}

/// An object in which a record lies beside its id. Keys that are not named are removed.
#[derive(Clone, Debug, PartialEq)]
pub struct EntryShape {
    /// The key under which the record lies. An entry without it makes the reply unfilterable.
    pub under: &'static str,
    /// The record; its id is read from the entry.
    pub record: RecordShape,
    /// Other keys that pass, and what stands under them.
    pub keys: Vec<(&'static str, Shape)>,
}

/// An object whose shape one of its members tells. A word without a case makes the reply unfilterable.
#[derive(Clone, Debug, PartialEq)]
pub struct ChoiceShape {
    /// The member that tells: a string.
    pub told_by: &'static str,
    /// What the object is, by that word. Compared exactly. The words may be names that a caller sent.
    pub cases: Vec<(String, ObjectShape)>,
}

/// The members of a list of objects: which carry the value, and which pass beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Items {
    /// Members that carry the value; a mask applies to these. [`Items::EACH`] stands for each member of an object that
    /// maps ids to values.
    pub treated: &'static [&'static str],
    /// Members that pass beside it where the value is shown or masked. Members of neither list are dropped.
    pub passed: &'static [&'static str],
}

impl Items {
    /// Each member of an object, whatever its key.
    pub const EACH: &'static str = "*";

    /// The names of all members, treated ones first.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.treated.iter().chain(self.passed).copied()
    }
}

impl RecordShape {
    /// A record with the usual form: flat, plainly spelled, its id under `id`, counted in the log.
    pub fn of(module: &Module) -> Self {
        Self {
            module: module.clone(),
            keys: Vec::new(),
            inner: Vec::new(),
            id: ID_KEY,
            layout: Layout::Flat,
            spelling: Spelling::Plain,
            collection: Collection::USUAL,
            counted: true,
            is_part: false,
        }
    }
}

impl Shape {
    /// Visits the modules of all records that the shape names, outside of other records.
    pub fn each_module<'a>(&'a self, visit: &mut dyn FnMut(&'a Module)) {
        match self {
            Self::Record(record) => visit(&record.module),
            Self::OneOf(records) => records.iter().for_each(|record| visit(&record.module)),
            Self::Entry(entry) => visit(&entry.record.module),
            Self::List(element) | Self::Along { element, .. } => element.each_module(visit),
            Self::Object(object) => object.each_module(visit),
            Self::Choice(choice) => {
                let cases = choice.cases.iter();
                cases.for_each(|(_, object)| object.each_module(visit));
            }
            Self::Either { array, object } => {
                array.each_module(visit);
                object.each_module(visit);
            }
            Self::Anything
            | Self::Scalar
            | Self::Count(_)
            | Self::Dropped
            | Self::Word(_)
            | Self::NameOf(_) => {}
        }
    }

    /// A record of a module, counted in the log.
    pub fn record(module: &Module) -> Self {
        Self::Record(RecordShape::of(module))
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
