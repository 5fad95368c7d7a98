//! Reads what a CRM says of its data, and samples of its records, with the proxy's own account or another: at a modest pace,
//! within bounds, and never trusting what comes. Whoever is shown a record keeps counts of it, never values.

mod catalogue;
mod crm;
mod names;
mod pages;
mod reading;
mod recorder;
mod state;

pub use catalogue::{Catalogue, NoCatalogue, catalogue};
pub use crm::{Asked, Crm, Rate, Trouble};
pub use names::is_name;
pub use pages::{Cursor, Pages, Remark, Wish};
pub use reading::{Desk, Step, Stopped, read};
pub use recorder::{Recorder, Unrecorded};
pub use state::{Foreign, Kept, NotKept, Read, Standing, State, Terms};
