//! Places in answers, written as JSONPath (RFC 9535).
//!
//! A reply is filtered as it streams, in one pass: its places are names and wildcards only, and become a [`Shape`]. The
//! short answers about callers are read whole, so any expression may stand there.

use jsonpath_rust::parser::model::{JpQuery, Segment, Selector};
use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::js_path_vals;
use serde_json::Value;

use super::description::Description;
use crate::dialect::{
    Count, EntryShape, Frame, ModuleName, ObjectShape, Operation, Others, RecordShape, Shape, Step,
};
use crate::vocabulary::{Module, intern};

/// Bytes of an expression.
const BYTES_MAX: usize = 500;

/// An expression that an answer about a caller is read with.
#[derive(Clone, Debug)]
pub(super) enum Expression {
    /// Names and wildcards: what is missing makes the answer unreadable.
    Steps(Vec<Step>),
    /// Anything else: what is missing selects nothing.
    Text(String),
}

/// What stands at a place of a reply.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Mark {
    /// A record, usually of the module asked.
    Record(Box<Marked>),
    /// A record of another module.
    Related(Whose),
    /// A string, number, boolean or null.
    Scalar,
    /// The same beside a list of records: it may count them, or tell that there are more. If it would tell too much, this
    /// stands in its place, or nothing.
    Count(Option<&'static str>),
    /// One of these words.
    Word(Vec<&'static str>),
    /// Anything.
    Anything,
    /// Never passes.
    Dropped,
}

/// The module of a record in a reply.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Whose {
    /// This one.
    Of(Module),
    /// The one in the path.
    InPath,
    /// The one that is asked.
    Target,
}

/// A record in a reply.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Marked {
    /// Its module, where it is not the one asked.
    pub(super) of: Option<Module>,
    /// The key under which its fields lie, if its id stands beside that.
    pub(super) under: Option<&'static str>,
    /// The key beside it that names its module.
    pub(super) named_by: Option<&'static str>,
    /// Where scalars pass beside it.
    pub(super) beside: Tree,
    /// Whether it is of one of the modules that are searched, and tells of which.
    pub(super) several: bool,
    /// Whether it counts as disclosed.
    pub(super) counted: bool,
}

/// The places of a reply.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tree {
    mark: Option<Mark>,
    /// Whether a reply without it is no reply.
    needed: bool,
    names: Vec<(&'static str, Self)>,
    /// Names without which the reply is no reply.
    required: &'static [&'static str],
    each: Option<(Step, Box<Self>)>,
}

/// Parses an expression; the error says what is wrong with it. With a `?` at its end, it may select nothing.
pub(super) fn parse(text: &str) -> Result<Expression, String> {
    if let Some(text) = text.strip_suffix('?') {
        return parse(text).map(|_| Expression::Text(text.to_owned()));
    }
    if text.len() > BYTES_MAX {
        return Err("too long".to_owned());
    }
    let query = parse_json_path(text).map_err(|_| "not a JSONPath of RFC 9535".to_owned())?;
    Ok(steps(text, &query).map_or_else(|| Expression::Text(text.to_owned()), Expression::Steps))
}

/// Parses a place of a reply.
pub(super) fn parse_place(text: &str) -> Result<Vec<Step>, String> {
    match parse(text)? {
        Expression::Steps(steps) => Ok(steps),
        Expression::Text(_) => Err(
            "more than names and wildcards: a reply is filtered in one pass, so filters, slices, indices, unions and \
             descendants are not followed"
                .to_owned(),
        ),
    }
}

/// The steps of a query of names and wildcards. What kind of wildcard it is, only the text says.
fn steps(text: &str, query: &JpQuery) -> Option<Vec<Step>> {
    let mut wildcards = wildcards(text).into_iter();
    let step = |segment: &Segment| match segment {
        Segment::Selector(Selector::Name(name)) => {
            let name = name.trim_matches(|quote| quote == '\'' || quote == '"');
            (!name.contains(['\\', '\'', '"'])).then(|| Step::Name(intern(name)))
        }
        Segment::Selector(Selector::Wildcard) => wildcards.next(),
        _ => None,
    };
    query.segments.iter().map(step).collect()
}

/// The wildcards of a path in order, those in quotes left out.
fn wildcards(text: &str) -> Vec<Step> {
    let mut quote = None;
    let mut before = ' ';
    let mut found = Vec::new();
    for letter in text.chars().filter(|letter| !letter.is_whitespace()) {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(letter),
            (None, '*') if before == '.' => found.push(Step::Member),
            (None, '*') => found.push(Step::Element),
            _ => {}
        }
        before = letter;
    }
    found
}

impl Expression {
    /// Its steps, if it is one of names and wildcards; a `?` at its end does not matter.
    pub(super) fn steps(&self) -> Option<Vec<Step>> {
        match self {
            Self::Steps(steps) => Some(steps.clone()),
            Self::Text(text) => steps(text, &parse_json_path(text).ok()?),
        }
    }

    /// What it selects; `None` if the answer is not as it says.
    pub(super) fn select<'a>(&self, answer: &'a Value) -> Option<Vec<&'a Value>> {
        match self {
            Self::Text(text) => js_path_vals(text, answer).ok(),
            Self::Steps(steps) => {
                let mut places = vec![answer];
                for step in steps {
                    places = places
                        .into_iter()
                        .map(|place| follow(place, *step))
                        .collect::<Option<Vec<_>>>()?
                        .concat();
                }
                Some(places)
            }
        }
    }
}

/// Where a step leads. Nothing at all, and PHP's empty array for an object, hold nothing.
fn follow(place: &Value, step: Step) -> Option<Vec<&Value>> {
    match (step, place) {
        (Step::Name(name), Value::Object(members)) => members.get(name).map(|value| vec![value]),
        (Step::Element | Step::Member, Value::Null) => Some(Vec::new()),
        (Step::Element, Value::Array(items)) => Some(items.iter().collect()),
        (Step::Member, Value::Object(members)) => Some(members.values().collect()),
        (Step::Element, Value::Object(members)) if members.is_empty() => Some(Vec::new()),
        (Step::Member, Value::Array(items)) if items.is_empty() => Some(Vec::new()),
        _ => None,
    }
}

impl Tree {
    /// Marks a place. The error says what it contradicts.
    pub(super) fn mark(&mut self, steps: &[Step], mark: Mark) -> Result<(), &'static str> {
        let Some((step, rest)) = steps.split_first() else {
            if self.mark.is_some() {
                return Err("this place has a meaning already");
            }
            self.mark = Some(mark);
            return Ok(());
        };
        if matches!(
            self.mark,
            Some(Mark::Scalar | Mark::Count(_) | Mark::Word(_) | Mark::Dropped)
        ) {
            return Err("nothing lies below a scalar or below what never passes");
        }
        self.inside(*step)?.mark(rest, mark)
    }

    /// Marks a place without which a reply is no reply.
    pub(super) fn need(&mut self, steps: &[Step]) -> Result<(), &'static str> {
        let Some((step, rest)) = steps.split_first() else {
            self.needed = true;
            return Ok(());
        };
        let inside = match step {
            Step::Name(name) => {
                let mut names = self.names.iter_mut();
                names.find_map(|(known, inside)| (known == name).then_some(inside))
            }
            Step::Element | Step::Member => None,
        };
        let inside = inside.ok_or("nothing is said to pass there")?;
        inside.need(rest)
    }

    /// What lies one step further.
    fn inside(&mut self, step: Step) -> Result<&mut Self, &'static str> {
        match step {
            Step::Name(name) => {
                let at = self.names.iter().position(|(known, _)| *known == name);
                let at = at.unwrap_or_else(|| {
                    self.names.push((name, Self::default()));
                    self.names.len() - 1
                });
                Ok(&mut self.names[at].1)
            }
            each => match &mut self.each {
                Some((known, _)) if *known != each => {
                    Err("one path has a list here, another an object")
                }
                slot => Ok(&mut slot.get_or_insert_with(|| (each, Box::default())).1),
            },
        }
    }

    /// Whether a scalar passes at a place.
    pub(super) fn passes(&self, place: &[Step]) -> bool {
        let Some((step, rest)) = place.split_first() else {
            return matches!(self.mark, Some(Mark::Scalar | Mark::Count(_)));
        };
        let named = self.names.iter();
        let mut named = named.filter(|(name, _)| *step == Step::Name(name));
        named.next().is_some_and(|(_, inside)| inside.passes(rest))
    }

    /// The innermost record around a place, as it is marked, and the steps from there.
    pub(super) fn record_around<'s>(&self, place: &'s [Step]) -> Option<(&Mark, &'s [Step])> {
        let (step, rest) = place.split_first()?;
        let inside = match step {
            Step::Name(name) => {
                let known = self.names.iter().find(|(known, _)| known == name);
                known.map(|(_, inside)| inside)
            }
            each => {
                let known = self.each.as_ref().filter(|(known, _)| known == each);
                known.map(|(_, inside)| &**inside)
            }
        };
        let here = self
            .mark
            .as_ref()
            .filter(|mark| matches!(mark, Mark::Record(_) | Mark::Related(_)));
        inside
            .and_then(|inside| inside.record_around(rest))
            .or_else(|| Some((here?, place)))
    }

    /// Fixes what must be there: the way to the records. Returns whether records lie here or below.
    pub(super) fn require(&mut self) -> bool {
        let mut required = Vec::new();
        for (name, inside) in &mut self.names {
            if inside.require() || inside.needed {
                required.push(*name);
            }
        }
        let in_each = self
            .each
            .as_mut()
            .is_some_and(|(_, inside)| inside.require());
        let is_record = matches!(self.mark, Some(Mark::Record(_)));
        let leads = is_record || in_each || !required.is_empty();
        if !is_record {
            self.required = Vec::leak(required);
        }
        leads
    }

    /// Whether a list of things stands where one thing and names are meant.
    pub(super) fn contradicts_itself(&self) -> bool {
        let has_names = !self.names.is_empty();
        let here = match &self.mark {
            Some(Mark::Scalar | Mark::Count(_) | Mark::Word(_) | Mark::Dropped) => {
                has_names || self.each.is_some()
            }
            Some(Mark::Record(_) | Mark::Related(_)) => self.each.is_some(),
            Some(Mark::Anything) | None => {
                has_names && matches!(self.each, Some((Step::Element, _)))
            }
        };
        let mut below = self.names.iter().map(|(_, inside)| inside);
        let in_each = self.each.as_ref().map(|(_, inside)| &**inside);
        here || below.any(Self::contradicts_itself) || in_each.is_some_and(Self::contradicts_itself)
    }

    /// Whether records lie in a list.
    pub(super) fn has_lists(&self) -> bool {
        self.way().is_some_and(|way| way.contains(&Step::Element))
    }

    /// Whether nothing passes.
    pub(super) fn is_empty(&self) -> bool {
        self.mark.is_none() && self.names.is_empty() && self.each.is_none()
    }

    /// The shape of a reply whose records are of this module.
    pub(super) fn shape(&self, records: &Shaping<'_>) -> Shape {
        self.shape_within(records, false)
    }

    /// `open`: anything passes around this place.
    fn shape_within(&self, records: &Shaping<'_>, open: bool) -> Shape {
        let is_record = matches!(self.mark, Some(Mark::Record(_) | Mark::Related(_)));
        let open = !is_record && (open || self.mark == Some(Mark::Anything));
        let keys = || -> Vec<(&'static str, Shape)> {
            self.names
                .iter()
                .map(|(name, inside)| (*name, inside.shape_within(records, open)))
                .collect()
        };
        match &self.mark {
            Some(Mark::Record(marked)) if marked.several => {
                let modules = records.operation.module.iter();
                let modules = modules.chain(&records.operation.query.beside);
                Shape::OneOf(
                    modules
                        .map(|module| records.record(module, keys()))
                        .collect(),
                )
            }
            Some(Mark::Record(marked)) => match records.of(marked) {
                Some(module) => marked.shape(records, module, keys()),
                None => Shape::Dropped,
            },
            Some(Mark::Related(whose)) => match records.module(whose) {
                Some(module) => Shape::Record(records.record(module, keys())),
                None => Shape::Dropped,
            },
            Some(Mark::Scalar) => Shape::Scalar,
            Some(Mark::Count(unknown)) => Shape::Count(Count::All(*unknown)),
            Some(Mark::Word(words)) => Shape::Word(words.clone()),
            Some(Mark::Dropped) => Shape::Dropped,
            Some(Mark::Anything) if self.names.is_empty() && self.each.is_none() => Shape::Anything,
            _ => match &self.each {
                Some((Step::Element, inside)) => {
                    Shape::List(Box::new(inside.shape_within(records, open)))
                }
                each => Shape::Object(ObjectShape {
                    keys: keys(),
                    others: match (each, open) {
                        (Some((_, inside)), _) => match inside.shape_within(records, open) {
                            Shape::Dropped => Others::Dropped,
                            shape => Others::Shape(Box::new(shape)),
                        },
                        (None, true) => Others::Shape(Box::new(Shape::Anything)),
                        (None, false) if records.description.tells_drift => Others::Unheard,
                        (None, false) => Others::Dropped,
                    },
                    required: self.required,
                }),
            },
        }
    }

    /// Follows the way to the records of a reply that was read whole.
    pub(super) fn records<'a>(&self, reply: &'a Value) -> Vec<&'a Value> {
        if let Some(Mark::Record(_)) = self.mark {
            return vec![reply];
        }
        let named = self
            .names
            .iter()
            .filter_map(|(name, inside)| Some((inside, reply.get(name)?)));
        let mut found: Vec<&Value> = named
            .flat_map(|(inside, value)| inside.records(value))
            .collect();
        if let Some((step, inside)) = &self.each {
            let places = follow(reply, *step).unwrap_or_default();
            found.extend(places.into_iter().flat_map(|place| inside.records(place)));
        }
        found
    }

    /// The way to the records of a reply; `None` if none lie anywhere. No reply has two.
    pub(super) fn way(&self) -> Option<Vec<Step>> {
        if let Some(Mark::Record(_)) = self.mark {
            return Some(Vec::new());
        }
        let named = self.names.iter();
        let named = named.map(|(name, inside)| (Step::Name(name), inside));
        let each = self.each.iter().map(|(step, inside)| (*step, &**inside));
        named.chain(each).find_map(|(step, inside)| {
            let way = inside.way()?;
            Some(std::iter::once(step).chain(way).collect())
        })
    }

    /// A reply that holds nothing but one record, put where records lie; `None` if none lie anywhere.
    pub(super) fn frame(&self) -> Option<Frame> {
        if let Some(Mark::Record(_)) = self.mark {
            return Some(Frame::Record);
        }
        let named = self.names.iter().find_map(|(name, inside)| {
            let inside = inside.frame()?;
            Some(Frame::Object(vec![(*name, inside)]))
        });
        named.or_else(|| match &self.each {
            Some((Step::Element, inside)) => Some(Frame::List(Box::new(inside.frame()?))),
            _ => None,
        })
    }

    /// Under which key a record's fields lie.
    pub(super) fn under(&self) -> Option<&'static str> {
        self.record()?.under
    }

    /// The records of the reply.
    pub(super) fn record(&self) -> Option<&Marked> {
        if let Some(Mark::Record(marked)) = &self.mark {
            return Some(marked);
        }
        let named = self.names.iter().find_map(|(_, inside)| inside.record());
        named.or_else(|| self.each.as_ref().and_then(|(_, inside)| inside.record()))
    }
}

impl Marked {
    /// A record of a module, with keys that have a shape of their own.
    fn shape(
        &self,
        records: &Shaping<'_>,
        module: &Module,
        keys: Vec<(&'static str, Shape)>,
    ) -> Shape {
        let record = RecordShape {
            counted: self.counted,
            ..records.record(module, keys)
        };
        let Some(under) = self.under else {
            return Shape::Record(record);
        };
        let name = || {
            Shape::NameOf(ModuleName {
                module: module.clone(),
                others: records.description.records_of(module),
            })
        };
        let named = self.named_by.map(|key| (key, name()));
        let beside = self.beside.names.iter();
        let beside = beside.map(|(key, inside)| (*key, inside.shape_within(records, false)));
        Shape::Entry(Box::new(EntryShape {
            under,
            record,
            keys: named.into_iter().chain(beside).collect(),
        }))
    }
}

/// What shapes of records need to know.
pub(super) struct Shaping<'a> {
    pub(super) operation: &'a Operation,
    pub(super) description: &'a Description,
}

impl<'a> Shaping<'a> {
    /// The module of the records of a reply.
    fn of(&self, marked: &'a Marked) -> Option<&'a Module> {
        let stated = marked.of.as_ref();
        stated.or_else(|| self.operation.target())
    }

    fn module(&self, whose: &'a Whose) -> Option<&'a Module> {
        match whose {
            Whose::Of(module) => Some(module),
            Whose::InPath => self.operation.module.as_ref(),
            Whose::Target => self.operation.target(),
        }
    }

    fn record(&self, module: &Module, keys: Vec<(&'static str, Shape)>) -> RecordShape {
        let known = self.description.known(module);
        RecordShape {
            keys,
            inner: known.map(|known| known.inner.clone()).unwrap_or_default(),
            id: known.map_or("id", |known| known.id),
            spelling: self.description.spelling,
            ..RecordShape::of(module)
        }
    }
}
