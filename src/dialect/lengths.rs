//! The lengths of text columns in stock SugarCRM and SuiteCRM, as their vardefs say them: where versions differ, the least.

/// Bytes of a `TEXT` of MySQL, in which descriptions are stored.
const TEXT: usize = 65_535;

/// Columns of every module that has a field of this name.
const EVERYWHERE: &[(&str, usize)] = &[
    ("account_description", TEXT),
    ("description", TEXT),
    ("lead_source_description", TEXT),
    ("resolution", TEXT),
    ("status_description", TEXT),
    ("work_log", TEXT),
    ("first_name", 100),
    ("last_name", 100),
    ("title", 100),
    ("alt_address_street", 150),
    ("billing_address_street", 150),
    ("primary_address_street", 150),
    ("shipping_address_street", 150),
];

/// Columns of single modules.
const OWN: &[(&str, &str, usize)] = &[
    ("Accounts", "name", 150),
    ("Bugs", "name", 255),
    ("Calls", "name", 50),
    ("Campaigns", "content", TEXT),
    ("Campaigns", "name", 50),
    ("Campaigns", "objective", TEXT),
    ("Cases", "name", 255),
    ("Documents", "document_name", 255),
    ("Emails", "name", 255),
    ("Meetings", "name", 50),
    ("Notes", "name", 255),
    ("Opportunities", "name", 50),
    ("Project", "name", 50),
    ("ProjectTask", "name", 50),
    ("Tasks", "name", 50),
];

/// How much a field's column holds at least, in characters and in bytes. The name is folded.
pub(super) fn of(module: &str, field: &str) -> Option<usize> {
    let own = OWN
        .iter()
        .find(|(name, own, _)| *name == module && *own == field)
        .map(|(_, _, length)| *length);
    own.or_else(|| {
        EVERYWHERE
            .iter()
            .find(|(name, _)| *name == field)
            .map(|(_, length)| *length)
    })
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn columns_of_stock_modules_have_their_length() {
        assert_eq!(of("Tasks", "name"), Some(50));
        assert_eq!(of("Cases", "name"), Some(255));
        assert_eq!(of("Made_Up", "description"), Some(65_535));
        assert_eq!(of("Made_Up", "name"), None);
        assert_eq!(of("Contacts", "notes_c"), None);
    }
}
