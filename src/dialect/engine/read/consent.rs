//! In which fields a CRM keeps what persons agreed to.

use super::{Reader, keys};
use crate::diagnostic::Keys;
use crate::dialect::survey::ConsentFields;

impl Reader<'_> {
    /// What records say of consent, if they do.
    pub(super) fn consent(&mut self, keys: &Keys<'_>) -> Option<ConsentFields> {
        let keys = keys::CONSENT.read(keys.get("consent")?, self.found)?;
        let one = |reader: &mut Self, key: &str| {
            let text = reader.text(&keys, key)?;
            reader.field(text.value, &text.place)
        };
        let withdrawn = self.text(&keys, "withdrawn");
        Some(ConsentFields {
            name: self.fields(&keys, "name"),
            agreed: one(self, "agreed"),
            at: one(self, "at"),
            withdrawn: withdrawn.map(|word| word.value.to_owned()),
            opted_out: self.fields(&keys, "opted_out"),
        })
    }
}
