//! What the shipped policy promises.

use std::collections::BTreeSet;

use crate::policy::{How, Never};
use crate::vocabulary::{Category, Level};

/// A line of a table: its name; data; how; what it is about, and what is exempt: `roles`, `purposes`, `unless_roles`,
/// `unless_purposes`, `unless_auth`.
type Line = (
    &'static str,
    &'static [&'static str],
    How,
    &'static [(&'static str, &'static [&'static str])],
);

const NOTHING: How = How {
    at_least: None,
    matched: false,
    sorted: false,
    searched: false,
    written: false,
    fields_only: false,
};
const fn shown(level: Level) -> How {
    How {
        at_least: Some(level),
        ..NOTHING
    }
}
const USED: How = How {
    matched: true,
    sorted: true,
    searched: true,
    ..NOTHING
};
const WRITTEN: How = How {
    written: true,
    ..NOTHING
};
/// Not used, and not even there.
const AWAY: How = How {
    at_least: Some(Level::Redact),
    written: true,
    ..NOTHING
};
/// Neither shown in any way, nor used, nor written.
const CLOSED: How = How {
    at_least: Some(Level::Token),
    written: true,
    ..USED
};

const BANK: &[&str] = &["financial.iban", "financial.bic"];
const ALL: &[&str] = &[
    "identity",
    "contact",
    "work",
    "commercial",
    "financial",
    "special",
    "criminal",
    "free_text",
    "consent_record",
    "technical",
    "colleague",
];

#[rustfmt::skip]
const PROMISES: &[Line] = &[
    ("bank data in clear only after strong authentication", BANK, How { at_least: Some(Level::Clear), ..USED }, &[("unless_auth", &["strong", "machine"])]),
    ("bank data in clear only to pay and to answer", &["financial"], How { at_least: Some(Level::Clear), ..USED }, &[("unless_purposes", &["payment", "data-subject-request"])]),
    ("bank data in clear only for those who pay or answer", &["financial"], How { at_least: Some(Level::Clear), ..USED }, &[("unless_roles", &["finance", "finance-by-token", "erp", "dpo"])]),
    ("bank data entered only by those who pay", &["financial"], WRITTEN, &[("unless_roles", &["finance", "finance-by-token"])]),
    ("bank data entered only to pay", &["financial"], WRITTEN, &[("unless_purposes", &["payment"])]),
    ("no machine without its proof sees bank data", BANK, shown(Level::Token), &[("roles", &["erp"]), ("unless_auth", &["machine"])]),
    ("no card in clear", &["financial.card"], CLOSED_TO_CLEAR, &[]),
    ("no data of Art. 9 and 10", &["special", "criminal"], AWAY, &[]),
    ("no use of data of Art. 9 and 10", &["special", "criminal"], How { fields_only: true, ..USED }, &[]),
    ("no national identifier", &["identity.national_id"], CLOSED, &[]),
    ("dates of birth only to answer", &["identity.birth_date"], How { at_least: Some(Level::Clear), written: true, ..USED }, &[("unless_roles", &["dpo"])]),
    ("years of birth only for contracts", &["identity.birth_date"], CLOSED, &[("unless_roles", &["sales", "dpo"])]),
    ("photographs only to answer", &["identity.photo"], CLOSED, &[("unless_roles", &["dpo"])]),
    ("nobody's business", &["colleague"], CLOSED, &[]),
    ("colleagues are changed in the CRM", &["work.colleague"], WRITTEN, &[]),
    ("no machine learns of colleagues", &["work.colleague"], CLOSED, &[("roles", &["erp"])]),
    ("texts are not looked through", &["free_text"], USED, &[]),
    ("texts not for campaigns and machines", &["free_text", "commercial.subject", "commercial.figures"], CLOSED, &[("unless_roles", &["sales", "support", "finance", "finance-by-token", "dpo"])]),
    ("marketing reads names and mail addresses", &["identity.birth_date", "identity.photo", "contact.phone", "contact.address", "contact.social", "commercial.figures", "commercial.subject", "financial", "free_text"], CLOSED, &[("roles", &["marketing"])]),
    ("marketing works for campaigns", &["identity", "contact", "work.position", "work.organisation", "commercial", "free_text"], CLOSED, &[("roles", &["marketing"]), ("unless_purposes", &["direct-marketing"])]),
    ("campaigns are for marketing", ALL, shown(Level::Token), &[("purposes", &["direct-marketing"]), ("unless_roles", &["marketing"])]),
    ("answers are for the data protection officer", ALL, shown(Level::Token), &[("purposes", &["data-subject-request"]), ("unless_roles", &["dpo"])]),
    ("payments are for those who pay", ALL, shown(Level::Token), &[("purposes", &["payment"]), ("unless_roles", &["finance", "finance-by-token", "erp"])]),
    ("contracts are for those who make them", ALL, shown(Level::Token), &[("purposes", &["contract"]), ("unless_roles", &["sales", "support", "finance"])]),
    ("support is for those who support", ALL, shown(Level::Token), &[("purposes", &["support"]), ("unless_roles", &["support"])]),
    ("marketing and machines write nothing", ALL, WRITTEN, &[("roles", &["marketing", "erp"])]),
    ("who comes by token writes bank data only", &["identity", "contact", "work", "commercial", "free_text", "consent_record", "technical", "colleague"], WRITTEN, &[("roles", &["finance-by-token"])]),
    ("records are kept by those who work with them", &["technical"], WRITTEN, &[("unless_roles", &["sales", "support", "finance"])]),
    ("consent is recorded by those who talk to people", &["consent_record"], WRITTEN, &[("unless_roles", &["sales", "support", "dpo"])]),
    ("the machine knows payees only", &["identity.civility", "identity.birth_date", "identity.photo", "contact", "commercial", "free_text", "consent_record", "work.position"], CLOSED, &[("roles", &["erp"])]),
    ("what nobody has classified is not shown", &["unclassified"], shown(Level::Token), &[]),
];

const CLOSED_TO_CLEAR: How = How {
    at_least: Some(Level::Clear),
    written: true,
    ..USED
};

/// The promises.
pub(crate) fn promises() -> Vec<Never> {
    PROMISES.iter().map(never).collect()
}

fn never((name, data, how, about): &Line) -> Never {
    let of = |key: &'static str| {
        let named = about.iter().filter(move |(of, _)| *of == key).copied();
        named.flat_map(|(_, names)| names.iter().copied())
    };
    Never {
        name: (*name).to_owned(),
        data: data.iter().copied().map(Category::new).collect(),
        roles: of("roles").map(crate::vocabulary::Role::new).collect(),
        purposes: of("purposes")
            .map(crate::vocabulary::Purpose::new)
            .collect(),
        how: how.clone(),
        unless_roles: of("unless_roles")
            .map(crate::vocabulary::Role::new)
            .collect(),
        unless_purposes: of("unless_purposes")
            .map(crate::vocabulary::Purpose::new)
            .collect(),
        unless_strengths: of("unless_auth")
            .map(str::to_owned)
            .collect::<BTreeSet<_>>(),
    }
}
