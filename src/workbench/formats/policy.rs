//! The files of a policy.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::limits::limit;
use super::parts::{
    Key, any_of, defined, duration, entries, flag, formed, integer, key, list, map, name, needs,
    needs_one_of, one_or_any_list, one_or_list, prose, some_of, suggested, text, words,
};
use super::{condition, people, rules};
use crate::config::Way;
use crate::policy::CATALOGUE;

/// Levels, from the least that is shown to all.
pub(super) const LEVELS: &[&str] = &["hide", "redact", "token", "mask", "clear"];
const CERTAINTIES: &[&str] = &["possible", "likely", "certain"];
const CERTAINTIES_OR_NEVER: &[&str] = &["possible", "likely", "certain", "never"];

/// The kinds of what detectors find.
const KINDS: &[&str] = &[
    "iban",
    "card",
    "nir",
    "bic",
    "mail",
    "phone",
    "passport",
    "national_id",
    "birth_date",
    "address",
    "special",
    "health",
    "belief",
    "politics",
    "trade_union",
    "ethnic_origin",
    "sex_life",
    "genetic",
    "biometric",
    "criminal",
];

pub(super) fn schema() -> Value {
    let all = rules::observes().into_iter().chain(declared());
    let all = all.chain(ruled()).chain(said());
    let mut root = map(all);
    root["$defs"] = json!({
        "category": suggested(categories(), own_category()),
        "own_category": own_category(),
        "condition": condition::schema(),
    });
    root
}

/// Sections that say what rules speak of.
fn declared() -> [Key; 8] {
    [
        key(
            "policy",
            name("sales"),
            "The name of the policy, for `explain` and the access log. All files of a folder state the same one.",
        ),
        key(
            "defaults",
            defaults(),
            "What holds where no rule says anything.",
        ),
        key(
            "roles",
            entries(name("sales"), role()),
            "Who asks, told by evidence.",
        ),
        key(
            "auth",
            entries(name("strong"), strength()),
            "Named strengths of authentication, for `requires`.",
        ),
        key(
            "purposes",
            entries(name("contract"), purpose()),
            "Why data is used, with legal basis and roles.",
        ),
        key(
            "categories",
            entries(defined("own_category"), category()),
            "Changes built-in categories, and adds others.",
        ),
        key(
            "classify",
            entries(module_or_all(), entries(field_pattern(), classification())),
            "Which fields of which modules are of which category. A module without a section is refused; `*` stands for all modules.",
        ),
        key(
            "search",
            entries(module(), one_or_list(field())),
            "The fields that the CRM's full-text search looks into, by module. A module that is not listed cannot be searched.",
        ),
    ]
}

/// Sections of rules.
fn ruled() -> [Key; 8] {
    [
        key(
            "detectors",
            list(detector()),
            "What is looked for in texts.",
        ),
        key(
            "grants",
            list(rules::grant()),
            "Grants lift a category to a level.",
        ),
        key(
            "caps",
            list(rules::cap()),
            "Caps lower a category to a level, whatever grants say.",
        ),
        key(
            "limits",
            list(limit(rules::rule(), module())),
            "How many records each caller is shown in a while.",
        ),
        key(
            "rows",
            list(rules::row()),
            "Which records are there, and for whom.",
        ),
        key(
            "schedules",
            entries(name("office"), rules::schedule()),
            "Hours of the week, for conditions on the time.",
        ),
        key(
            "exceptions",
            list(rules::exception()),
            "What lifts a cap for a few days, by leave of two people.",
        ),
        key(
            "retention",
            list(rules::retention()),
            "For how long records are there.",
        ),
    ]
}

/// Sections about people.
fn said() -> [Key; 3] {
    [
        key(
            "organisation",
            people::organisation(),
            "Who answers for the data, for receipts, mails and pages.",
        ),
        key(
            "texts",
            entries(name("newsletter"), people::text()),
            "To what people consent.",
        ),
        key(
            "people",
            entries(people::module(), people::about()),
            "Whom the records of modules are about.",
        ),
    ]
}

/// Built-in categories, and what stands for all below one.
pub(super) fn categories() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for known in CATALOGUE {
        let ends = known.name.match_indices('.').map(|(at, _)| at);
        names.extend(ends.map(|at| known.name[..at].to_owned()));
        names.insert(known.name.to_owned());
    }
    names
}

pub(super) fn own_category() -> Value {
    formed("^[a-z0-9_]+(\\.[a-z0-9_]+)*$", "commercial.margin")
}

pub(super) fn module() -> Value {
    formed("^[A-Za-z0-9_-]{1,128}$", "Cases")
}

fn module_or_all() -> Value {
    formed("^(\\*|[A-Za-z0-9_-]{1,128})$", "Cases")
}

pub(super) fn field() -> Value {
    formed("^[A-Za-z0-9_-]{1,128}$", "last_name")
}

fn field_pattern() -> Value {
    formed("^[A-Za-z0-9_*-]+$", "first_name")
}

pub(super) fn of_categories() -> Value {
    one_or_list(defined("category"))
}

pub(super) fn names(example: &str) -> Value {
    one_or_list(name(example))
}

pub(super) fn day(example: &str) -> Value {
    formed("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", example)
}

fn defaults() -> Value {
    let levels = || words(&["hide", "redact"]);
    map([
        key(
            "unclassified",
            levels(),
            "The level of a field that nobody has classified. Default: redact.",
        ),
        key(
            "ungranted",
            levels(),
            "The level of a field that no grant reaches. Default: redact.",
        ),
        key(
            "purpose_order",
            names("contract"),
            "Which purpose counts for a caller whose roles have different default purposes: the first of these that is one of those.",
        ),
    ])
}

fn label() -> Value {
    any_of([
        prose("Keeping a contract"),
        map([
            key("en", prose("Keeping a contract"), "In English."),
            key("fr", prose("Exécuter un contrat"), "In French."),
        ]),
    ])
}

fn role() -> Value {
    let actions = [
        "list", "read", "count", "create", "update", "delete", "relate",
    ];
    let keys = map([
        key(
            "from",
            evidence(),
            "What a caller must have; everything listed must hold.",
        ),
        key(
            "default_purpose",
            name("contract"),
            "The purpose of requests that state none. The role must be among those of the purpose.",
        ),
        key(
            "kind",
            words(&["human", "machine"]),
            "A machine rests on a key, a certificate or a token, and is bound to its `purposes`. Default: human.",
        ),
        key(
            "purposes",
            names("contract"),
            "Of a machine: the purposes that it may invoke.",
        ),
        key(
            "region",
            formed("^[A-Z]{2}$", "FR"),
            "Of a machine: the country from which it asks (ISO 3166-1), for whoever reads the policy.",
        ),
        key(
            "recipient",
            name("acme"),
            "To whom the data goes that the role is shown.",
        ),
        key(
            "actions",
            entries(text("Cases"), one_or_any_list(words(&actions))),
            "What the role may do in which modules. Must be given for callers without a session of the CRM.",
        ),
    ]);
    needs(keys, &["from"])
}

fn evidence() -> Value {
    let of = |name, meaning| key(name, one_or_list(text("Sales")), meaning);
    some_of([
        of("crm.role", "The name of a role of the account in the CRM."),
        of("crm.team", "The name of a team of the account."),
        of("crm.user", "The name with which the account logs in."),
        of("crm.type", "The type of the account: `user`, `admin`."),
        of("claim.roles", "A role that the caller's token states."),
        of(
            "token",
            "The name of the issuer of the caller's token in the configuration.",
        ),
        of("key", "The name of the caller's API key."),
        key(
            "certificate",
            one_or_list(formed("^(dns|uri|email):.+$", "dns:erp.example.com")),
            "The name in the caller's certificate, with its type: `dns:…`, `uri:…`, `email:…`.",
        ),
        of(
            "front.roles",
            "A role that the authenticating proxy states.",
        ),
        of(
            "front.user",
            "The user that the authenticating proxy states.",
        ),
    ])
}

fn strength() -> Value {
    let any = map([key("any", list(proof()), "Proofs of which one suffices.")]);
    any_of([needs(any, &["any"]), proof()])
}

fn proof() -> Value {
    let value = || one_or_list(formed("^[!#-+\\--\\[\\]-~]+$", "phr"));
    let ways: Vec<&str> = Way::ALL.iter().map(|(word, _)| *word).collect();
    let keys = map([
        key(
            "acr",
            value(),
            "One of these is the authentication context class of the token (claim `acr`).",
        ),
        key(
            "amr",
            value(),
            "One of these is among the authentication methods of the token (claim `amr`).",
        ),
        key(
            "method",
            one_or_any_list(words(&ways)),
            "One of these is the way by which the caller came.",
        ),
        key(
            "max_age",
            duration("15m"),
            "How long ago the caller may have authenticated (claim `auth_time`).",
        ),
    ]);
    needs_one_of(keys, &[&["acr"], &["amr"], &["method"]])
}

fn purpose() -> Value {
    let bases = [
        "contract",
        "legal-obligation",
        "vital-interest",
        "public-task",
        "legitimate-interest",
        "consent",
    ];
    let keys = map([
        key(
            "label",
            label(),
            "What people read, in English or by language.",
        ),
        key(
            "legal_basis",
            words(&bases),
            "The legal basis of Art. 6(1) GDPR.",
        ),
        key("roles", names("sales"), "Who may invoke the purpose."),
        key(
            "consent",
            people::consent(),
            "On which terms a consent is one. For `legal_basis: consent`.",
        ),
        key(
            "honour_objection",
            flag(),
            "Records of whoever objects are not there. For `public-task` and `legitimate-interest`.",
        ),
        key(
            "crm",
            names("newsletter"),
            "The names under which the CRM keeps this consent, for `paravent consent sync`. For `legal_basis: consent`.",
        ),
        key(
            "despite_restriction",
            flag(),
            "It goes on where somebody has had the processing restricted (Art. 18 GDPR).",
        ),
    ]);
    needs(keys, &["legal_basis", "roles"])
}

fn category() -> Value {
    map([
        key(
            "label",
            label(),
            "What people read, in English or by language.",
        ),
        key(
            "mask",
            mask(),
            "What is shown at the level `mask`. Without one, `mask` redacts.",
        ),
    ])
}

fn mask() -> Value {
    let mut one = some_of([
        key("last", integer(1, 16), "Shows the last letters or digits."),
        key(
            "first",
            integer(1, 16),
            "Shows the first letters or digits.",
        ),
        key(
            "round",
            integer(1, 1_000_000_000_000),
            "Rounds a number to a multiple of this, and to two significant digits.",
        ),
        key(
            "date",
            words(&["YYYY-01-01"]),
            "Shows the year of a date, where clients need a date.",
        ),
        key("constant", prose("…"), "A fixed text."),
    ]);
    one["maxProperties"] = 1.into();
    any_of([
        words(&[
            "iban",
            "bic",
            "card",
            "initials",
            "mail",
            "year",
            "department",
        ]),
        one,
    ])
}

fn classification() -> Value {
    let keys = map([
        key("category", of_categories(), "What the field holds."),
        key(
            "instead_of",
            of_categories(),
            "A category that wildcards give the field, and that it does not have. Needs `reviewed`.",
        ),
        key("reviewed", review(), "Who looked at it, when, and why."),
    ]);
    any_of([of_categories(), needs(keys, &["category"])])
}

fn review() -> Value {
    let keys = map([
        key("by", prose("dpo@example.com"), "Who looked at it."),
        key("on", day("2026-01-31"), "When."),
        key(
            "why",
            prose("product flag"),
            "Why the category does not fit.",
        ),
    ]);
    needs(keys, &["by", "on", "why"])
}

fn detector() -> Value {
    let uses = ["shown", "matched", "sorted", "searched", "written"];
    let writes = map([
        key(
            "refuse",
            words(CERTAINTIES_OR_NEVER),
            "How sure a new statement must be to be refused. Default: certain.",
        ),
        key(
            "flag",
            words(CERTAINTIES_OR_NEVER),
            "How sure it must be to be told in the log. Default: likely.",
        ),
    ]);
    let keys = map([
        key("name", name("in-texts"), "The detector's name."),
        key(
            "in",
            of_categories(),
            "Categories whose texts are looked into.",
        ),
        key(
            "find",
            one_or_list(words(KINDS)),
            "Identifiers, and statements about a person: `special` for all of Art. 9 GDPR, or one by its name.",
        ),
        key(
            "languages",
            one_or_list(words(&["de", "en", "es", "fr", "it"])),
            "The languages of statements. Default: all.",
        ),
        key(
            "at_least",
            words(CERTAINTIES),
            "How sure a statement must be to be withheld. Default: likely.",
        ),
        key(
            "uses",
            one_or_list(words(&uses)),
            "What a finding counts for. `matched`, `sorted` and `searched` stand together. Default: all.",
        ),
        key(
            "writes",
            writes,
            "What becomes of new statements that are written.",
        ),
    ]);
    needs(keys, &["name", "in", "find"])
}
