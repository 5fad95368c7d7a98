//! What a request gets: the levels of categories in one situation (`engine`), the rules of fields that follow from them and
//! from the schema (`judge`, `rules`, `table`), and the plan that a decision ends in (`decide`, `plan`).

mod concern;
pub(super) mod conditional;
pub(super) mod decide;
pub(super) mod engine;
pub(super) mod fields;
pub(super) mod judge;
pub(super) mod looked;
pub(super) mod plan;
mod reach;
pub(super) mod rules;
pub(super) mod sources;
pub(super) mod standing;
pub(super) mod step_up;
pub(super) mod table;
