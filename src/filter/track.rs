//! Shapes, made for following as a reply streams.

use std::sync::Arc;

use crate::dialect::{Count, ObjectShape, Others, Shape};

/// A shape, made for following: cheap to clone.
#[derive(Clone, Debug)]
pub(super) enum Track {
    Anything,
    Scalar,
    Dropped,
    Object(Arc<ObjectTrack>),
    List(Arc<ListTrack>),
    /// What is collected whole: a record, perhaps in an entry; an object whose shape a member tells; a word.
    Whole(Arc<Shape>),
    /// A number that counts records.
    Count(Count),
    /// A scalar in whose place another number stands.
    Number(usize),
    /// A scalar in whose place another value stands.
    Value(&'static str),
}

#[derive(Debug)]
pub(super) struct ListTrack {
    pub(super) element: Track,
    /// The key of the list to whose elements these belong, where some of those may be left out.
    pub(super) along: Option<&'static str>,
}

#[derive(Debug)]
pub(super) struct ObjectTrack {
    keys: Vec<(&'static str, Track)>,
    pub(super) others: Track,
    /// Whether the names of other keys are to be told.
    pub(super) tells_others: bool,
    pub(super) required: &'static [&'static str],
    /// Whether the same key may occur twice: only where no one looks at keys.
    pub(super) may_repeat: bool,
    /// Whether it counts what stands in its lists.
    pub(super) counts_elements: bool,
}

impl Track {
    /// How a shape is followed. `judging`: records may be left out.
    pub(super) fn of(shape: &Shape, judging: bool) -> Self {
        match shape {
            Shape::Anything => Self::Anything,
            Shape::Scalar => Self::Scalar,
            Shape::Count(count) if judging => Self::Count(*count),
            Shape::Count(_) => Self::Scalar,
            Shape::Dropped => Self::Dropped,
            Shape::List(element) => Self::list(element, judging, None),
            Shape::Along { key, element } => Self::list(element, judging, judging.then_some(*key)),
            Shape::Word(_)
            | Shape::NameOf(_)
            | Shape::Record(_)
            | Shape::OneOf(_)
            | Shape::Entry(_)
            | Shape::Choice(_)
            | Shape::Either { .. } => Self::Whole(Arc::new(shape.clone())),
            Shape::Object(object) => Self::Object(Arc::new(ObjectTrack::of(object, judging))),
        }
    }

    fn list(element: &Shape, judging: bool, along: Option<&'static str>) -> Self {
        let element = Self::one_of_many(element, judging);
        Self::List(Arc::new(ListTrack { element, along }))
    }

    /// What may be left out because of a record in it must be known whole before any of it is shown.
    fn one_of_many(shape: &Shape, judging: bool) -> Self {
        match judging && stands_for_record(shape) {
            true => Self::Whole(Arc::new(shape.clone())),
            false => Self::of(shape, judging),
        }
    }
}

/// Whether something says nothing if a record is not there.
fn stands_for_record(shape: &Shape) -> bool {
    match shape {
        Shape::Record(_) | Shape::OneOf(_) | Shape::Entry(_) => true,
        Shape::Object(object) => {
            let mut keys = object.keys.iter();
            keys.any(|(_, inside)| stands_for_record(inside))
        }
        // Those are collected whole anyway.
        Shape::Choice(_) | Shape::Either { .. } | Shape::Word(_) | Shape::NameOf(_) => false,
        Shape::Anything
        | Shape::Scalar
        | Shape::Count(_)
        | Shape::Dropped
        | Shape::List(_)
        | Shape::Along { .. } => false,
    }
}

impl ObjectTrack {
    fn of(object: &ObjectShape, judging: bool) -> Self {
        let counts = |(_, shape): &(&'static str, Shape)| {
            matches!(shape, Shape::Count(Count::Listed(_)) | Shape::Along { .. })
        };
        let keys = object.keys.iter();
        Self {
            counts_elements: judging && keys.clone().any(counts),
            keys: keys
                .map(|(key, shape)| (*key, Track::of(shape, judging)))
                .collect(),
            others: match &object.others {
                Others::Dropped | Others::Unheard => Track::Dropped,
                Others::Shape(shape) => Track::one_of_many(shape, judging),
            },
            tells_others: object.others == Others::Unheard,
            required: object.required,
            may_repeat: false,
        }
    }

    /// The form of an object that is copied or dropped as a whole.
    pub(super) fn free(inside: Track) -> Self {
        Self {
            keys: Vec::new(),
            others: inside,
            tells_others: false,
            required: &[],
            may_repeat: true,
            counts_elements: false,
        }
    }

    /// A key and its form, if the key is named.
    pub(super) fn named(&self, key: &str) -> Option<&(&'static str, Track)> {
        self.keys.iter().find(|(name, _)| *name == key)
    }
}
