//! Limits of a policy.

use serde_json::{Value, json};

use super::parts::{Key, formed, key, map, name, needs, one_or_list, words};

/// A limit, with the keys that all rules have.
pub(super) fn limit(rule: [Key; 4], modules: Value) -> Value {
    let names = |example| one_or_list(name(example));
    let requires = map([key(
        "auth",
        names("strong"),
        "Names of strengths, of which one must be proved.",
    )]);
    let own = [
        key(
            "roles",
            names("sales"),
            "Applies when any role of the caller that counts is listed. Default: to everybody.",
        ),
        key(
            "unless_roles",
            names("dpo"),
            "Exempts when all roles of the caller that count are listed. Not together with `roles`.",
        ),
        key(
            "modules",
            one_or_list(modules),
            "Whose records count. Default: those of all modules.",
        ),
        key(
            "count",
            words(&["records", "persons"]),
            "What is counted: each record once, or each person whom records are about. `persons` needs `people`.",
        ),
        key(
            "level",
            words(&["token", "mask", "clear"]),
            "A record counts of which a field of `data` was shown at this level or more. Default: mask.",
        ),
        key(
            "max",
            formed("^([1-9][0-9]{0,5}|1000000)/[smhd]$", "500/h"),
            "So many records in a second, a minute, an hour or a day, for each caller.",
        ),
        key(
            "then",
            words(&["block", "step-up", "alert"]),
            "What becomes of a reply that would show more. `step-up` needs `requires`.",
        ),
        key(
            "requires",
            needs(requires, &["auth"]),
            "With `then: step-up`: how strongly a caller must have authenticated to be shown more.",
        ),
    ];
    let keys = map(rule.into_iter().chain(own));
    let mut keys = needs(keys, &["name", "count", "max", "then"]);
    keys["not"] = json!({ "required": ["roles", "unless_roles"] });
    keys
}
