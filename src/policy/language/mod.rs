//! What people wrote: files of a folder (`source`, `folder`), read section by section into a document (`sections`,
//! `document`), checked into a model (`check`, `model`). The names that need no definition stand in the `catalogue`.

pub(super) mod catalogue;
pub(super) mod check;
pub(super) mod classes;
pub mod codes;
pub(super) mod document;
pub(super) mod folder;
pub(super) mod limit;
pub(super) mod model;
pub(super) mod sections;
pub(super) mod source;
pub(super) mod terms;
