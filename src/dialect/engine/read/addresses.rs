//! Where records list their e-mail addresses.

use std::collections::BTreeMap;

use super::{Reader, keys};
use crate::diagnostic::Keys;
use crate::dialect::AddressList;
use crate::vocabulary::{Field, intern};

/// In which replies a list is told.
const TOLD: &[(&str, bool)] = &[("always", false), ("single", true)];

impl Reader<'_> {
    /// Where the e-mail addresses lie of which a field holds the primary one.
    pub(super) fn addresses(&mut self, keys: &Keys<'_>) -> BTreeMap<Field, AddressList> {
        let mut all = BTreeMap::new();
        for (field, node) in self.entries(keys, "address") {
            let Some(entry) = keys::ADDRESS.read(node, self.found) else {
                continue;
            };
            let of_single = self.choice(&entry, "told", false, TOLD);
            let mut name = |key: &str| {
                let text = self.required(&entry, key)?;
                self.field(text.value, &text.place)
            };
            if let (Some(list), Some(member), Some(primary)) =
                (name("list"), name("member"), name("primary"))
            {
                let list = AddressList {
                    field: Field::fold(&list),
                    address: intern(&member),
                    primary: intern(&primary),
                    of_single,
                };
                all.insert(Field::fold(&field.value), list);
            }
        }
        all
    }
}
