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

/// How shapes are followed.
#[derive(Clone, Copy)]
struct Follow {
    /// Whether records may be left out.
    judging: bool,
    /// Whether numbers tell of records that may be left out.
    counting: bool,
}

impl Track {
    /// How the shape of a reply is followed. `judging`: records may be left out.
    pub(super) fn of(shape: &Shape, judging: bool) -> Self {
        let counting = judging && holds_many(shape);
        Follow { judging, counting }.track(shape)
    }
}

impl Follow {
    fn track(self, shape: &Shape) -> Track {
        match shape {
            Shape::Anything => Track::Anything,
            Shape::Count(count) if self.judging => Track::Count(*count),
            Shape::Scalar | Shape::Count(_) => Track::Scalar,
            Shape::Dropped => Track::Dropped,
            Shape::List(element) => Track::List(Arc::new(ListTrack {
                element: self.one_of_many(element),
                along: None,
            })),
            Shape::Along { key, element } if self.judging => Track::List(Arc::new(ListTrack {
                element: Track::Whole(Arc::new((**element).clone())),
                along: Some(key),
            })),
            Shape::Along { element, .. } => Track::List(Arc::new(ListTrack {
                element: self.track(element),
                along: None,
            })),
            Shape::Word(_)
            | Shape::NameOf(_)
            | Shape::Record(_)
            | Shape::OneOf(_)
            | Shape::Entry(_)
            | Shape::Choice(_)
            | Shape::Either { .. } => Track::Whole(Arc::new(shape.clone())),
            Shape::Object(object) => Track::Object(Arc::new(self.object(object))),
        }
    }

    /// What may be left out because of a record in it must be known whole before any of it is shown.
    fn one_of_many(self, shape: &Shape) -> Track {
        match self.judging && stands_for_record(shape) {
            true => Track::Whole(Arc::new(shape.clone())),
            false => self.track(shape),
        }
    }

    fn object(self, object: &ObjectShape) -> ObjectTrack {
        let counts = |(_, shape): &(&'static str, Shape)| {
            matches!(shape, Shape::Count(Count::Listed(_)) | Shape::Along { .. })
        };
        let keys = object.keys.iter();
        ObjectTrack {
            counts_elements: self.judging && keys.clone().any(counts),
            keys: keys
                .map(|(key, shape)| (*key, self.member(shape)))
                .collect(),
            others: match &object.others {
                Others::Dropped | Others::Unheard => Track::Dropped,
                Others::Shape(shape) if **shape == Shape::Scalar => self.member(shape),
                Others::Shape(shape) => self.one_of_many(shape),
            },
            tells_others: object.others == Others::Unheard,
            required: object.required,
            may_repeat: false,
        }
    }

    /// Of a scalar beside records nobody knows that it counts none of them, unless its shape says what it counts.
    fn member(self, shape: &Shape) -> Track {
        match shape {
            Shape::Scalar if self.counting => Track::Count(Count::All(None)),
            shape => self.track(shape),
        }
    }
}

/// Whether records lie in a list, or in an object of any keys.
fn holds_many(shape: &Shape) -> bool {
    let holds_any = |shape: &Shape| {
        let mut any = false;
        shape.each_module(&mut |_| any = true);
        any
    };
    match shape {
        Shape::List(element) | Shape::Along { element, .. } => holds_any(element),
        Shape::Object(object) => {
            let mut keys = object.keys.iter();
            keys.any(|(_, inside)| holds_many(inside))
                || matches!(&object.others, Others::Shape(inside) if holds_any(inside))
        }
        _ => false,
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
