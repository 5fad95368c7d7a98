//! What each report counts, and what it says of that.

use super::pass::Counting;
use super::{Asked, Name};

mod access_review;
mod account;
mod breach;
mod category;
mod denials;
mod exceptions;
mod granted;
mod monthly;
mod probes;
mod readers;
mod register;
mod unclassified;
mod unusual;

/// What counts for a report.
pub(super) fn counting<'a>(asked: &'a Asked<'a>) -> Box<dyn Counting + 'a> {
    match asked.name {
        Name::AccessReview => Box::new(access_review::AccessReview::new(asked)),
        Name::BreachScope => Box::new(breach::Breach::new(asked)),
        Name::Category => Box::new(category::OfCategory::new(asked)),
        Name::Denials => Box::new(denials::Denials::new(asked)),
        Name::Exceptions => Box::new(exceptions::Exceptions::new(asked)),
        Name::Monthly => Box::new(monthly::Monthly::new(asked)),
        Name::Probes => Box::new(probes::Probes::new(asked)),
        Name::Register => Box::new(register::Register::new(asked)),
        Name::TopReaders => Box::new(readers::Readers::new(asked)),
        Name::Unclassified => Box::new(unclassified::Unclassified::new(asked)),
        Name::Unusual => Box::new(unusual::Unusual::new(asked)),
    }
}
