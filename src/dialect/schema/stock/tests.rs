use std::collections::BTreeSet;

use super::delivered::{of_sugar_rest, of_sugar_v4, of_suitecrm_v8};
use crate::dialect::schema::{LinkSchema, Modules, Stock, is_plain};
use crate::dialect::{ObjectShape, Origin, Others, Shape};
use crate::vocabulary::{Field, FieldPath, Module};

fn all() -> [std::sync::Arc<Stock>; 3] {
    [of_sugar_rest(), of_sugar_v4(), of_suitecrm_v8()]
}

fn of(stock: &Stock, module: &str, field: &str) -> Origin {
    stock.origin(&Modules::default(), &Module::new(module), field)
}

/// The sources of a copy, as text.
fn sources(stock: &Stock, module: &str, field: &str) -> String {
    let Origin::Copy { of, perhaps } = of(stock, module, field) else {
        panic!("{}: {module}.{field} is no copy", stock.name())
    };
    let text = |paths: Vec<FieldPath>| {
        let texts: Vec<String> = paths.iter().map(ToString::to_string).collect();
        texts.join(" ")
    };
    format!("{} | {}", text(of), text(perhaps))
}

#[test]
fn names_of_people_are_composed() {
    let contact = "Contacts.salutation Contacts.first_name Contacts.last_name | Contacts.title";
    for stock in all() {
        assert_eq!(sources(&stock, "Contacts", "name"), contact);
        assert_eq!(sources(&stock, "Contacts", "FULL_NAME"), contact);
        assert!(sources(&stock, "Users", "name").starts_with("Users.first_name Users.last_name |"));
        assert!(sources(&stock, "Leads", "email_and_name1").contains("Leads.email"));
        assert!(sources(&stock, "Leads", "email_and_name1").contains("Leads.last_name"));
        assert_eq!(of(&stock, "Accounts", "name"), Origin::Own);
        assert_eq!(of(&stock, "acme_Boats", "name"), Origin::Own);
    }
}

const SUGAR: &[&str] = &["sugar-rest"];
const SUITE: &[&str] = &["sugar-v4", "suitecrm-v8"];
const EVERY: &[&str] = &["sugar-rest", "sugar-v4", "suitecrm-v8"];

/// Dialects, a field, and the sources of its value.
#[rustfmt::skip]
const COPIES: &[(&[&str], &str, &str, &str)] = &[
    (EVERY, "Contacts", "account_name", "Accounts.name | "),
    (EVERY, "Contacts", "report_to_name", "Contacts.name | "),
    (EVERY, "Tasks", "contact_phone", "Contacts.phone_work | "),
    (EVERY, "Accounts", "parent_name", "Accounts.name | "),
    (SUGAR, "Contacts", "denorm_account_name", "Accounts.name | "),
    (SUGAR, "Leads", "report_to_name", "Contacts.name Leads.name | "),
    (SUGAR, "Users", "reports_to_name", "Users.name | "),
    (SUGAR, "Cases", "primary_contact_name", "Contacts.name | "),
    (SUGAR, "acme_Boats", "assigned_user_name", "Users.name | "),
    (SUGAR, "Contacts", "email2", "Contacts.email | "),
    (SUGAR, "Leads", "webtolead_email1", "Leads.email | "),
    (SUGAR, "Accounts", "invalid_email", "Accounts.email | "),
    (SUITE, "Users", "reports_to_name", "Users.name | Users.user_name"),
    (SUITE, "acme_Boats", "owner_name", "Users.name | Users.user_name"),
    (SUITE, "Cases", "account_name1", "Accounts.name | "),
    (SUITE, "Cases", "contact_created_by_name", "Contacts.name | "),
    (SUITE, "Notes", "contact_email", "Contacts.email1 | "),
    (SUITE, "AOS_Quotes", "billing_contact", "Contacts.name | "),
    (SUITE, "AOS_Contracts", "contract_account", "Accounts.name | "),
    (SUITE, "Contacts", "email2", "Contacts.email1 | "),
    (SUITE, "Contacts", "Email_Address_Caps", "Contacts.email1 | "),
    (SUITE, "EmailAddresses", "email_address_caps", "EmailAddresses.email_address | "),
    (SUITE, "Documents", "name", "Documents.document_name | "),
    (SUITE, "Opportunities", "amount_usdollar", "Opportunities.amount | "),
    (SUITE, "Employees", "phone_home", "Users.phone_home | "),
];

#[test]
fn names_of_related_records_follow_the_record_that_they_name() {
    for (dialects, module, field, expected) in COPIES {
        for stock in all() {
            if dialects.contains(&stock.name()) {
                let found = sources(&stock, module, field);
                assert_eq!(found, *expected, "{}: {module}.{field}", stock.name());
            }
        }
    }
    for stock in all() {
        let told_by = "parent_type";
        assert_eq!(
            of(&stock, "Notes", "parent_name"),
            Origin::CopyOfParent { told_by }
        );
        assert_eq!(of(&stock, "Leads", "account_name"), Origin::Own);
        assert_eq!(
            of(&stock, "Contacts", "deleted"),
            Origin::Structural(Shape::Scalar)
        );
    }
    let map = sources(&of_suitecrm_v8(), "Contacts", "jjwg_maps_lat_c");
    assert!(map.contains("| Contacts.primary_address_street"), "{map}");
    assert_eq!(
        of(&of_sugar_v4(), "EmailAddresses", "email_address"),
        Origin::Own
    );
}

#[test]
fn what_makes_an_administrator_or_changes_a_password_is_a_right() {
    for stock in all() {
        let is_right = |module: &str, field| stock.is_right(&Module::new(module), field);
        for field in [
            "is_admin",
            "status",
            "employee_status",
            "user_hash",
            "pwd_last_changed",
        ] {
            assert!(
                is_right("Users", field) && is_right("Employees", field),
                "{field}"
            );
        }
        assert!(is_right("Contacts", "portal_password"));
        for (module, field) in [
            ("Contacts", "is_admin"),
            ("Leads", "status"),
            ("Users", "title"),
        ] {
            assert!(!is_right(module, field), "{module}.{field}");
        }
    }
}

#[test]
fn a_link_means_something_only_within_its_module() {
    for stock in all() {
        let target = |module: &str, name: &str| stock.target(&Module::new(module), name);
        let is = |module: &str, name: &str, expected: &str| {
            assert_eq!(
                target(module, name),
                Some(Module::new(expected)),
                "{module}.{name}"
            );
        };
        is("Accounts", "members", "Accounts");
        is("Users", "reports_to_link", "Users");
        is("acme_Boats", "created_by_link", "Users");
        for (module, name) in [
            ("Contacts", "members"),
            ("Contacts", "Cases"),
            ("acme_Boats", "contacts"),
        ] {
            assert_eq!(target(module, name), None, "{module}.{name}");
        }
    }
    let contacts = Module::new("Contacts");
    let addresses = "email_addresses";
    assert_eq!(
        of_sugar_v4().target(&contacts, addresses),
        Some(contacts.clone())
    );
    let of_their_own = Some(Module::new("EmailAddresses"));
    assert_eq!(of_suitecrm_v8().target(&contacts, addresses), of_their_own);
}

#[test]
fn links_among_the_fields_of_a_record() {
    for stock in [of_sugar_rest(), of_sugar_v4()] {
        let accounts = Origin::Related(Module::new("Accounts"));
        assert_eq!(of(&stock, "Contacts", "accounts"), accounts);
        assert_eq!(of(&stock, "acme_Boats", "accounts"), Origin::Own);
    }
    let sugar = of_sugar_rest();
    for field in [
        "tag_link",
        "from_collection",
        "commentlog",
        "_highlights",
        "_search",
    ] {
        assert_eq!(
            of(&sugar, "Contacts", field),
            Origin::UnknownRelated,
            "{field}"
        );
    }
    let (suite, blank) = (of_suitecrm_v8(), Origin::Structural(Shape::Word(vec![""])));
    assert_eq!(of(&suite, "Contacts", "accounts"), blank);
    assert_eq!(of(&suite, "acme_Boats", "SecurityGroups"), blank);
    assert_eq!(of(&suite, "acme_Boats", "accounts"), Origin::Own);
    // One that is known beside the stock is a link, too, wherever it leads.
    let (boats, mut beside) = (Module::new("acme_Boats"), Modules::default());
    let known = beside.entry(&boats).unwrap();
    known
        .links
        .insert(Field::fold("owners_c"), LinkSchema::named("owners_c"));
    assert_eq!(suite.origin(&beside, &boats, "Owners_c"), blank);
}

#[test]
fn scaffolding_passes_as_words_and_nothing_else() {
    let stock = of_sugar_rest();
    let Origin::Structural(Shape::Object(ObjectShape { keys, others, .. })) =
        of(&stock, "Contacts", "_acl")
    else {
        panic!("not structural")
    };
    assert_eq!(others, Others::Dropped);
    let is_word = |(key, shape): &(&str, Shape)| *key == "fields" || *shape == Shape::Scalar;
    assert!(keys.iter().all(is_word) && keys.len() > 10);
    assert_eq!(
        of(&stock, "Contacts", "my_favorite"),
        Origin::Structural(Shape::Scalar)
    );
    let warning = of(&of_sugar_v4(), "Contacts", "warning");
    assert!(matches!(warning, Origin::Structural(Shape::Word(_))));
}

#[test]
fn stock_fields_are_names_that_hold_data() {
    for stock in all() {
        let mut seen = 0;
        for module in stock.modules.keys() {
            for field in stock.fields(module) {
                let name = field.as_str();
                let place = format!("{}: {module}.{field}", stock.name());
                assert!(is_plain(name) && !name.contains('-'), "{place}");
                let origin = stock.origin(&Modules::default(), module, name);
                let is_data = !matches!(origin, Origin::Related(_) | Origin::UnknownRelated);
                let is_data = is_data && !matches!(origin, Origin::Structural(_));
                assert!(
                    is_data || name == "deleted",
                    "{place} is no field of its own"
                );
                seen += 1;
            }
            let searched = stock.searched(module);
            assert!(
                searched
                    .iter()
                    .all(|field| stock.has_field(module, field.as_str()))
            );
        }
        assert!(seen > 500, "{seen}");
        assert!(stock.fields(&Module::new("acme_Boats")).is_empty());
        let known: BTreeSet<&Module> = stock.modules().iter().collect();
        assert_eq!(
            known.len(),
            stock.modules().len(),
            "each module stands once"
        );
    }
    assert!(
        of_suitecrm_v8()
            .searched(&Module::new("Contacts"))
            .is_empty()
    );
    assert!(!of_sugar_v4().searched(&Module::new("Contacts")).is_empty());
}

#[test]
fn subjects_and_descriptions_are_typed_and_names_of_firms_are_not() {
    for stock in all() {
        let is_text = |module: &str, field| stock.is_text(&Module::new(module), field);
        assert!(is_text("Cases", "name") && is_text("Contacts", "description"));
        assert!(!is_text("Accounts", "name") && !is_text("Bugs", "resolution"));
    }
}

#[test]
fn columns_of_stock_modules_have_their_length() {
    for stock in all() {
        let length = |module: &str, field| stock.column_length(&Module::new(module), field);
        assert_eq!(length("Tasks", "name"), Some(50));
        assert_eq!(length("Cases", "name"), Some(255));
        assert_eq!(length("Made_Up", "description"), Some(65_535));
        assert_eq!(length("Made_Up", "name"), None);
        assert_eq!(length("Contacts", "notes_c"), None);
    }
}

#[test]
fn each_name_of_records_means_one_module() {
    let stock = of_suitecrm_v8();
    let mut seen = BTreeSet::new();
    for (module, own) in &stock.modules {
        for name in own.records.iter().copied().chain([module.as_str()]) {
            assert!(seen.insert(name), "{name} means two modules");
            assert_eq!(stock.module_named(name), *module);
        }
    }
    assert_eq!(stock.module_named("aCase"), Module::new("Cases"));
    assert_eq!(stock.module_named("contact"), Module::new("contact"));
    assert!(stock.records(&Module::new("acme_Boats")).is_empty());
}
