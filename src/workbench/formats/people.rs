//! What a policy says of people: who answers to them, to what they consent, which records are about them.

use serde_json::{Value, json};

use super::condition;
use super::parts::{
    any_of, entries, flag, formed, key, map, name, needs, needs_one_of, one_or_any_list,
    one_or_list, prose, words,
};
use super::policy::{self, of_categories};

const LANGUAGES: &[&str] = &["en", "fr"];

pub(super) fn organisation() -> Value {
    let authority = map([
        key("name", prose("CNIL"), "Its name."),
        key(
            "url",
            formed("^https://.+$", "https://www.cnil.fr"),
            "Where it can be reached.",
        ),
    ]);
    map([
        key("name", prose("Example SA"), "Its name."),
        key(
            "country",
            formed("^[A-Z]{2}$", "FR"),
            "Its country (ISO 3166-1), by which telephone numbers without one are read.",
        ),
        key(
            "address",
            prose("1 rue de l'Exemple, Paris"),
            "Where it can be written to.",
        ),
        key(
            "dpo",
            prose("dpo@example.com"),
            "Where its data protection officer can be written to.",
        ),
        key(
            "authority",
            needs(authority, &["name", "url"]),
            "To whom people can complain.",
        ),
        key(
            "languages",
            one_or_any_list(words(LANGUAGES)),
            "In which it speaks to people; the first is used where nobody says.",
        ),
    ])
}

pub(super) fn text() -> Value {
    let said = |example: &str| json!({ "type": "string", "minLength": 1, "maxLength": 10_000, "examples": [example] });
    let keys = map([
        key("version", name("3"), "Its version."),
        key("en", said("I want the newsletter."), "In English."),
        key("fr", said("Je souhaite recevoir la lettre."), "In French."),
    ]);
    needs(keys, &["version"])
}

/// A module, of an upstream where names clash.
pub(super) fn module() -> Value {
    let form = "^([A-Za-z0-9][A-Za-z0-9._-]{0,99}:)?[A-Za-z0-9_-]{1,128}$";
    formed(form, "Contacts")
}

pub(super) fn about() -> Value {
    let by = key(
        "by",
        policy::field(),
        "The field of the same record that names the module.",
    );
    let target = any_of([policy::module(), needs(map([by]), &["by"])]);
    let keys = map([
        key(
            "kind",
            name("customer"),
            "What kind of person each record is about.",
        ),
        key("email", policy::field(), "The field of the address."),
        key(
            "phone",
            one_or_list(policy::field()),
            "The fields of telephone numbers. They find persons, and prove nothing.",
        ),
        key(
            "same_as",
            entries(policy::field(), policy::module()),
            "Fields that refer to a record about the same person, and its module.",
        ),
        key(
            "of",
            entries(policy::field(), target),
            "Records are about all who are linked by these fields, each with the module of these records.",
        ),
    ]);
    any_of([words(&["none"]), needs_one_of(keys, &[&["kind"], &["of"]])])
}

pub(super) fn consent() -> Value {
    let proofs = ["none", "single-opt-in", "double-opt-in", "signed-request"];
    let keys = map([
        key(
            "proof",
            words(&proofs),
            "How surely it must be known, from the least to the most.",
        ),
        key(
            "max_age",
            condition::span(),
            "For how long it holds. Default: until it is withdrawn.",
        ),
        key(
            "when_missing",
            words(&["omit-record", "redact"]),
            "What becomes of records where it is missing. Default: they are not there.",
        ),
        key(
            "matchable",
            of_categories(),
            "What records may be matched, sorted and searched by. Default: technical.timestamp.",
        ),
        key("text", name("newsletter"), "The text that is asked for."),
        key(
            "names_recipient",
            flag(),
            "It is given to one recipient, that of the caller's roles.",
        ),
    ]);
    needs(keys, &["proof"])
}
