//! Headers that change what a request means.

use crate::dialect::Understood;
use crate::door::Head;
use crate::objection::Objection;

/// Nothing that changes what a request means is dropped: what the dialect did not take refuses the request.
pub(super) fn all_controls(head: &Head, understood: &Understood) -> Result<(), Objection> {
    let taken = match understood {
        Understood::One(exchange) => exchange.operation().rendering.controls.as_slice(),
        Understood::Bulk { .. } => &[],
    };
    let left = head
        .controls
        .iter()
        .find(|control| !taken.contains(control));
    left.map_or(Ok(()), |control| Err(Objection::header(control.name())))
}
