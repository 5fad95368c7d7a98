//! Books that were closed, kept to be opened again: a reply mostly shows what an earlier one has shown on the same terms,
//! so that its fields have been met, and their rules found.

use std::cell::RefCell;
use std::sync::Arc;

use crate::policy::KnownFields;
use crate::vocabulary::Module;

use super::book::ModuleBook;

/// Books that one thread keeps.
const KEPT_MAX: usize = 16;

thread_local! {
    static KEPT: RefCell<Vec<ModuleBook>> = const { RefCell::new(Vec::new()) };
}

/// An empty book of a module, on the terms that these known fields are part of.
pub(super) fn take(module: &Module, known: Arc<KnownFields>) -> ModuleBook {
    let is_that = |book: &ModuleBook| Arc::ptr_eq(&book.known, &known) && book.module == *module;
    KEPT.with_borrow_mut(|kept| {
        let at = kept.iter().position(is_that)?;
        Some(kept.swap_remove(at))
    })
    .unwrap_or_else(|| ModuleBook::new(module, known))
}

/// Keeps a book that has been reported.
pub(super) fn put(mut book: ModuleBook) {
    if !book.clear() {
        return;
    }
    KEPT.with_borrow_mut(|kept| {
        if kept.len() >= KEPT_MAX {
            kept.remove(0);
        }
        kept.push(book);
    });
}
