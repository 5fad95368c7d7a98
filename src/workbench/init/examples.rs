//! The first tests of a new policy: what it shows of an invented record, and what it must never show.

use std::collections::BTreeMap;

use super::NAME;
use super::text::{PURPOSE, Plan, quoted};
use crate::dialect::Origin;
use crate::policy::Policy;
use crate::vocabulary::{Field, Level, Module, Purpose, Role};
use crate::workbench::discover::key;

/// The categories of which a test speaks, and an invented value of each.
const SHOWN: &[(&str, &str)] = &[
    ("identity.name", "Vasseur"),
    ("work.position", "CFO"),
    ("financial.iban", "FR7630006000011234567890189"),
    ("identity.national_id", "284057510312345"),
    ("special.belief", "x"),
    ("special.health", "x"),
    ("criminal", "x"),
];

/// A module, and a field for each category that it has.
struct Example {
    module: Module,
    fields: BTreeMap<&'static str, (Field, Level)>,
}

/// The suite.
pub(super) fn suite(plan: &Plan<'_>, policy: &Policy) -> String {
    let roles = plan.named_roles();
    let first = roles.first();
    let (role, in_crm) = first.map_or(("", ""), |(name, in_crm)| (name.as_str(), *in_crm));
    let example = example(policy, &Role::new(role));
    let mut text = format!(
        "# The tests of the policy. Run them with `paravent test`; docs/workbench/test.md has the form.\n\n\
         tests: {NAME}\n\npeople:\n  somebody: {{ crm: {{ roles: [{}] }} }}\n  \
         stranger: {{ crm: {{ roles: [\"A role that the policy does not know\"] }} }}\n",
        quoted(in_crm)
    );
    if let Some(example) = &example {
        text.push_str(&of_record(example));
    }
    text.push_str(
        "\nalways:\n  \
         - { name: no IBAN in clear, never: { data: financial.iban, at_least: clear } }\n  \
         - { name: data of Art. 9 and 10 is never shown, never: { data: [special, criminal], at_least: redact } }\n  \
         - { name: nor written, never: { data: [special, criminal], used_as: written } }\n  \
         # Subjects may be matched with words, which are those of texts.\n  \
         - { name: no field of them is used, never: { data: [special, criminal], used_as: [matched, sorted, searched], fields_only: true } }\n",
    );
    text
}

fn of_record(example: &Example) -> String {
    let Example { module, fields } = example;
    let mut text = format!(
        "\nrecords:\n  invented:\n    module: {}\n    fields:\n      id: c-1\n",
        key(module.as_str())
    );
    for (category, (field, _)) in fields {
        let value = SHOWN.iter().find(|(name, _)| name == category);
        let value = value.map_or("x", |(_, value)| value);
        text.push_str(&format!(
            "      {}: {}\n",
            key(field.as_str()),
            quoted(value)
        ));
    }
    let expected: Vec<String> = fields
        .values()
        .map(|(field, level)| format!("{}: {level}", key(field.as_str())))
        .collect();
    text.push_str(&format!(
        "\ncases:\n  - name: what a role sees of a record\n    as: somebody\n    read: invented\n    expect: {{ {} }}\n",
        expected.join(", ")
    ));
    let module = key(module.as_str());
    if let Some((field, _)) = fields
        .get("financial.iban")
        .filter(|(_, level)| *level < Level::Clear)
    {
        text.push_str(&format!(
            "  - {{ name: nobody looks for an IBAN, as: somebody, filter: {{ module: {module}, by: {} }}, expect: {{ refused: field-not-usable }} }}\n",
            key(field.as_str())
        ));
    }
    text.push_str(&format!(
        "  - {{ name: an account without a role is refused, as: stranger, list: {{ module: {module} }}, expect: {{ refused: no-role }} }}\n"
    ));
    text
}

/// The module that has fields of the most of these categories.
fn example(policy: &Policy, role: &Role) -> Option<Example> {
    let examples = policy
        .modules()
        .filter_map(|module| of(policy, role, module));
    examples.max_by_key(|example| example.fields.len())
}

fn of(policy: &Policy, role: &Role, module: &Module) -> Option<Example> {
    let schema = policy.schema();
    if schema.governs_access(module) {
        return None;
    }
    let purpose = Purpose::new(PURPOSE);
    let explained = policy.explain(std::slice::from_ref(role), &purpose, &[], module);
    let rows = explained.ok()?.rows;
    let mut fields = BTreeMap::new();
    for row in rows.iter().filter(|row| !row.pattern) {
        let field = Field::fold(&row.field);
        let [category] = row.categories.as_slice() else {
            continue;
        };
        let is_own = schema.origin(module, field.as_str()) == Origin::Own;
        let shown = SHOWN.iter().find(|(name, _)| *name == category.as_str());
        if let (Some((name, _)), true) = (shown, is_own) {
            fields.entry(*name).or_insert((field, row.level));
        }
    }
    (!fields.is_empty()).then(|| Example {
        module: module.clone(),
        fields,
    })
}
