//! What the shipped policies let be shown and written of the CRM's own accounts.

use std::sync::Arc;

use crate::diagnostic::Severity;
use crate::dialect::engine::Described;
use crate::dialect::{Dialect, Origin, Schema};
use crate::policy::engine::Situation;
use crate::policy::judge::View;
use crate::policy::plan::Writable;
use crate::policy::testing::stock;
use crate::policy::{Policy, Source};
use crate::vocabulary::{Field, Level, Module};

/// A shipped policy, compiled for a dialect without a warning.
fn shipped(texts: &[&str], schemas: &[Arc<Schema>]) -> Policy {
    let source = |text: &&str| Source {
        path: "policy.yaml".to_owned(),
        text: (*text).to_owned(),
    };
    let sources: Vec<Source> = texts.iter().map(source).collect();
    let (policy, found) = Policy::compile(&sources, schemas, &[0; 32]);
    let told = found
        .iter()
        .filter(|d| d.severity != Severity::Note)
        .count();
    assert_eq!(told, 0, "{}", found.render(false));
    policy.unwrap()
}

fn described(text: &str) -> Arc<Schema> {
    let (described, found) = Described::read("description.yaml", text);
    let described = described.unwrap_or_else(|| panic!("{}", found.render(false)));
    described.schema().clone()
}

fn all() -> Vec<(Policy, &'static str)> {
    let sugar = [
        include_str!("../../../policies/sugarcrm/classify.yaml"),
        include_str!("../../../policies/sugarcrm/rules.yaml"),
    ];
    let suite = [include_str!(
        "../../../examples/suitecrm/policies/suitecrm.yaml"
    )];
    let starter = [include_str!("../../../policies/starter/starter.yaml")];
    let espo = include_str!("../../../examples/espocrm/policy/espocrm.yaml");
    let dolibarr = include_str!("../../../examples/dolibarr/policy/dolibarr.yaml");
    let named = |name: &str| stock(name);
    let suite = shipped(&suite, &[named("sugar-v4"), named("suitecrm-v8")]);
    let described = |text: &str, description: &str| shipped(&[text], &[described(description)]);
    vec![
        (shipped(&sugar, &[named("sugar-rest")]), "Users"),
        (shipped(&starter, &[named("sugar-rest")]), "Users"),
        (suite.in_schema(named("suitecrm-v8")), "Users"),
        (suite, "Users"),
        (
            described(espo, include_str!("../../../examples/espocrm/espocrm.yaml")),
            "User",
        ),
        (
            described(
                dolibarr,
                include_str!("../../../examples/dolibarr/dolibarr.yaml"),
            ),
            "users",
        ),
    ]
}

/// Every situation of every role alone, and of all roles together, with and without strong authentication.
fn situations(policy: &Policy) -> Vec<Situation> {
    let model = &policy.core.model;
    let mut situations = Vec::new();
    for (purpose, declared) in &model.purposes {
        let each = declared.roles.iter().map(|role| [role.clone()].into());
        for roles in each.chain([declared.roles.clone()]) {
            let all = model.strengths.keys().cloned().collect();
            for strengths in [all, std::collections::BTreeSet::new()] {
                situations.push(Situation {
                    roles: std::collections::BTreeSet::clone(&roles),
                    purpose: Some(purpose.clone()),
                    strengths,
                    ..Situation::default()
                });
            }
        }
    }
    situations
}

/// The fields of a module that the dialect knows or the policy names in it, and one that an installation has added.
fn fields(policy: &Policy, module: &Module) -> Vec<Field> {
    let classes = &policy.core.model.classes;
    let mut fields = policy.core.schema.fields(module);
    if policy.core.schema.names_all_fields() {
        fields.push(Field::fold("home_phone_c"));
    }
    fields.extend(classes.modules[module].exact.keys().cloned());
    // What a copy shows, and whether it may be written, its sources say.
    fields.retain(|field| {
        let origin = policy.core.schema.origin(module, field.as_str());
        matches!(origin, Origin::Own | Origin::Items(_))
    });
    fields
}

#[test]
fn nobody_writes_an_account_under_a_shipped_policy() {
    for (policy, accounts) in all() {
        let module = Module::new(accounts);
        for situation in situations(&policy) {
            let view = View::new(policy.core.clone(), situation);
            for field in fields(&policy, &module) {
                // The record's own id is no field that is written.
                if field.as_str() == "id" {
                    continue;
                }
                let rule = view.rule(&module, &field);
                assert_eq!(
                    rule.writable,
                    Writable::No,
                    "{}: {field}, {:?}",
                    policy.name(),
                    view.situation
                );
            }
        }
    }
}

#[test]
fn private_numbers_and_addresses_of_colleagues_are_shown_to_nobody() {
    let private = [
        "home_phone_c",
        "phone_home",
        "phone_other",
        "address_street",
        "address_city",
        "birthdate",
        "personal_mobile",
        "personal_email",
        "zip",
        "addressStreet",
        "phoneNumberHome",
        "phoneNumber",
        "birth",
        "description",
        "note_private",
    ];
    for (policy, accounts) in all() {
        let module = Module::new(accounts);
        for situation in situations(&policy) {
            let view = View::new(policy.core.clone(), situation);
            let known = fields(&policy, &module);
            for name in private
                .into_iter()
                .filter(|name| known.contains(&Field::fold(name)))
            {
                let rule = view.rule(&module, &Field::fold(name));
                assert!(
                    rule.level <= Level::Redact,
                    "{}: {name}, {:?}",
                    policy.name(),
                    view.situation
                );
            }
        }
    }
}

#[test]
fn marketing_reads_names_and_changes_nothing() {
    for (policy, _) in all() {
        let marketing = crate::vocabulary::Role::new("marketing");
        let own = situations(&policy)
            .into_iter()
            .filter(|situation| situation.roles == [marketing.clone()].into());
        for situation in own {
            let view = View::new(policy.core.clone(), situation);
            for module in policy.modules() {
                for field in fields(&policy, module) {
                    assert_eq!(
                        view.rule(module, &field).writable,
                        Writable::No,
                        "{module}.{field}"
                    );
                }
            }
            let contacts = Module::new("Contacts");
            assert_eq!(
                view.rule(&contacts, &Field::fold("first_name")).level,
                Level::Clear
            );
        }
    }
}
