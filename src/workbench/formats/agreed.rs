//! What a description says of consent.

use serde_json::Value;

use super::description::{field, texts};
use super::parts::{key, map, text};

/// In which fields records say what persons agreed to.
pub(super) fn consent() -> Value {
    map([
        key(
            "name",
            texts("first_name"),
            "The fields of a person's name: an address under which two names stand affirms nothing.",
        ),
        key(
            "agreed",
            field(),
            "The field that lists to what the person agreed.",
        ),
        key(
            "at",
            field(),
            "The field of the day on which that was said.",
        ),
        key(
            "withdrawn",
            text("withdrawn"),
            "The word of that list by which the person withdrew.",
        ),
        key(
            "opted_out",
            texts("no_email"),
            "Fields that say yes where the person wants no mail.",
        ),
    ])
}
