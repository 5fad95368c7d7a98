//! Where the values of fields come from: one person's name stands in many fields of many modules.

use super::links;
use crate::dialect::family::is_account;
use crate::dialect::schema::Modules;
use crate::dialect::{Items, Origin, Shape, rights};
use crate::vocabulary::{FieldPath, Module};

/// Modules whose records are people that a salutation and a title may go with.
const PEOPLE: &[&str] = &["Contacts", "Leads", "Prospects"];

/// What an account may do. It is shown, and changed elsewhere: whoever could write it could choose their own role.
const RIGHTS: &[&str] = &[
    "acl_role_set_id",
    "employee_status",
    "external_auth_only",
    "is_admin",
    "is_group",
    "license_type",
    "portal_only",
    "status",
    "sugar_login",
    "user_type",
    "usertype",
];

/// Whether a field says what an account may do, or changes a password.
pub(super) fn is_right(module: &Module, field: &str) -> bool {
    rights::is_password(field) || (is_account(module) && RIGHTS.contains(&field))
}

/// Fields that hold records, or words of records, of modules that the field does not tell.
const UNKNOWN_RELATED: &[&str] = &[
    "_erased_fields",
    "_highlights",
    "_score",
    "_search",
    "activities",
    "archived_emails",
    "commentlog",
    "history",
    "invitees",
    "related_activities",
];

/// Fields that repeat the addresses of `email`, or say something of them.
const EMAIL_COPIES: &[&str] = &[
    "email1",
    "email2",
    "email_addresses_non_primary",
    "email_addresses_primary",
    "email_opt_out",
    "invalid_email",
    "webtolead_email1",
    "webtolead_email2",
    "webtolead_email_opt_out",
    "webtolead_invalid_email",
];

const EMAIL: Items = Items {
    treated: &["email_address"],
    passed: &[
        "primary_address",
        "reply_to_address",
        "invalid_email",
        "opt_out",
        "email_address_id",
    ],
};

const TEAMS: Items = Items {
    treated: &["name", "name_2"],
    passed: &["id", "primary", "selected"],
};

const TAGS: Items = Items {
    treated: &["name", "tags__name_lower"],
    passed: &["id"],
};

/// Where the value of a field comes from, with what is known beside the stock.
pub(super) fn origin_with(beside: &Modules, module: &Module, field: &str) -> Origin {
    let name = field.to_ascii_lowercase();
    let target = || beside.target(module, beside.link_named(module, &name)?);
    match origin(module, field) {
        Origin::Own => target().map_or(Origin::Own, Origin::Related),
        Origin::UnknownRelated if !UNKNOWN_RELATED.contains(&name.as_str()) => {
            target().map_or(Origin::UnknownRelated, Origin::Related)
        }
        stock => stock,
    }
}

/// Where the value of a stock field comes from.
pub(super) fn origin(module: &Module, field: &str) -> Origin {
    let field = field.to_ascii_lowercase();
    let name = field.as_str();
    if let Some(shape) = structural(name) {
        return Origin::Structural(shape);
    }
    if let Some(target) = links::target(module, name) {
        return Origin::Related(target);
    }
    if UNKNOWN_RELATED.contains(&name) || name.ends_with("_link") || name.ends_with("_collection") {
        return Origin::UnknownRelated;
    }
    let own = |names: &[&str]| {
        names
            .iter()
            .map(|name| FieldPath::new(module, name))
            .collect()
    };
    match name {
        "email" => Origin::Items(EMAIL),
        "team_name" => Origin::Items(TEAMS),
        "tag" => Origin::Items(TAGS),
        "email_and_name1" => with(person_name(module), own(&["email"])),
        "full_name" => person_name(module),
        "name" if is_person(module) || module.as_str() == "Users" => person_name(module),
        name if EMAIL_COPIES.contains(&name) => Origin::Copy {
            of: own(&["email"]),
            perhaps: Vec::new(),
        },
        name => copied_name(module, name),
    }
}

fn is_person(module: &Module) -> bool {
    PEOPLE.contains(&module.as_str())
}

/// The parts of a person's name. Which ones are shown is a setting of the CRM.
fn person_name(module: &Module) -> Origin {
    let own = |names: &[&str]| {
        names
            .iter()
            .map(|name| FieldPath::new(module, name))
            .collect()
    };
    let (of, perhaps): (&[&str], &[&str]) = if is_person(module) {
        (&["salutation", "first_name", "last_name"], &["title"])
    } else if module.as_str() == "Users" {
        (&["first_name", "last_name"], &[])
    } else {
        (&["first_name", "last_name"], &["salutation", "title"])
    };
    Origin::Copy {
        of: own(of),
        perhaps: own(perhaps),
    }
}

fn with(origin: Origin, more: Vec<FieldPath>) -> Origin {
    match origin {
        Origin::Copy { mut of, perhaps } => {
            of.extend(more);
            Origin::Copy { of, perhaps }
        }
        other => other,
    }
}

/// Names, and other fields, of related records that stand in a record of their own.
fn copied_name(module: &Module, name: &str) -> Origin {
    let sources: &[(&str, &str)] = match (module.as_str(), name) {
        // Text that somebody typed, before the lead or target became a record.
        ("Leads" | "Prospects", "account_name" | "opportunity_name") => return Origin::Own,
        ("Accounts", "parent_name") => &[("Accounts", "name")],
        (_, "parent_name") => {
            return Origin::CopyOfParent {
                told_by: "parent_type",
            };
        }
        (_, "assigned_user_name" | "created_by_name" | "modified_by_name") => &[("Users", "name")],
        ("Leads", "report_to_name" | "reports_to_name") => {
            &[("Contacts", "name"), ("Leads", "name")]
        }
        (_, "report_to_name" | "reports_to_name") => {
            return Origin::Copy {
                of: vec![FieldPath::new(module, "name")],
                perhaps: Vec::new(),
            };
        }
        (_, "account_name" | "denorm_account_name") => &[("Accounts", "name")],
        (_, "contact_name" | "primary_contact_name") => &[("Contacts", "name")],
        (_, "contact_email") => &[("Contacts", "email")],
        (_, "contact_phone") => &[("Contacts", "phone_work")],
        (_, "bug_name") => &[("Bugs", "name")],
        (_, "campaign_name") => &[("Campaigns", "name")],
        (_, "case_name") => &[("Cases", "name")],
        (_, "lead_name") => &[("Leads", "name")],
        (_, "opportunity_name") => &[("Opportunities", "name")],
        (_, "prospect_name") => &[("Prospects", "name")],
        _ => return Origin::Own,
    };
    Origin::Copy {
        of: sources
            .iter()
            .map(|(module, field)| FieldPath::new(&Module::new(module), field))
            .collect(),
        perhaps: Vec::new(),
    }
}

/// The CRM's scaffolding within a record. `deleted` belongs to it: a record is deleted by a request of its own, and
/// deleted records are not asked for.
fn structural(name: &str) -> Option<Shape> {
    match name {
        "_hash" | "_link" | "_module" | "deleted" | "following" | "my_favorite" | "next_offset" => {
            Some(Shape::Scalar)
        }
        "_acl" => Some(access()),
        "locked_fields" => Some(Shape::List(Box::new(Shape::Scalar))),
        _ => None,
    }
}

/// What the CRM says about the caller's rights: words about a record or module, and about its fields.
pub(super) fn access() -> Shape {
    let words = [
        "_hash",
        "access",
        "admin",
        "create",
        "delete",
        "developer",
        "edit",
        "export",
        "import",
        "license",
        "list",
        "massupdate",
        "team_security",
        "view",
    ];
    let of_field = ["create", "license", "read", "write"];
    let scalars = |keys: &[&'static str]| keys.iter().map(|key| (*key, Shape::Scalar)).collect();
    let mut keys: Vec<(&'static str, Shape)> = scalars(&words);
    keys.push(("fields", Shape::each(Shape::only(scalars(&of_field), &[]))));
    Shape::only(keys, &[])
}

#[cfg(test)]
mod tests {
    use super::origin;
    use crate::dialect::{ObjectShape, Origin, Others, Shape};
    use crate::vocabulary::Module;

    fn of(module: &str, field: &str) -> Origin {
        origin(&Module::new(module), field)
    }

    /// The sources of a copy, as text.
    fn sources(module: &str, field: &str) -> String {
        let Origin::Copy { of, perhaps } = of(module, field) else {
            panic!("{module}.{field} is no copy")
        };
        let text = |paths: Vec<crate::vocabulary::FieldPath>| {
            paths
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" ")
        };
        format!("{} | {}", text(of), text(perhaps))
    }

    #[test]
    fn names_of_people_are_composed() {
        let contact = "Contacts.salutation Contacts.first_name Contacts.last_name | Contacts.title";
        assert_eq!(sources("Contacts", "name"), contact);
        assert_eq!(sources("Contacts", "FULL_NAME"), contact);
        assert_eq!(
            sources("Users", "full_name"),
            "Users.first_name Users.last_name | "
        );
        assert_eq!(of("Accounts", "name"), Origin::Own);
        assert_eq!(of("acme_Boats", "name"), Origin::Own);
        assert!(sources("Leads", "email_and_name1").contains("Leads.email"));
        assert!(sources("Leads", "email_and_name1").contains("Leads.last_name"));
    }

    #[test]
    fn names_of_related_records_follow_the_record_that_they_name() {
        for (module, field, source) in [
            ("Contacts", "account_name", "Accounts.name | "),
            ("Contacts", "denorm_account_name", "Accounts.name | "),
            ("Contacts", "report_to_name", "Contacts.name | "),
            ("Users", "reports_to_name", "Users.name | "),
            ("Cases", "primary_contact_name", "Contacts.name | "),
            ("Tasks", "contact_phone", "Contacts.phone_work | "),
            ("acme_Boats", "assigned_user_name", "Users.name | "),
            ("Accounts", "parent_name", "Accounts.name | "),
            ("Contacts", "email2", "Contacts.email | "),
            ("Leads", "webtolead_email1", "Leads.email | "),
            ("Accounts", "invalid_email", "Accounts.email | "),
        ] {
            assert_eq!(sources(module, field), source, "{module}.{field}");
        }
        assert_eq!(
            of("Notes", "parent_name"),
            Origin::CopyOfParent {
                told_by: "parent_type"
            }
        );
        assert_eq!(of("Leads", "account_name"), Origin::Own);
    }

    #[test]
    fn what_makes_an_administrator_or_changes_a_password_is_a_right() {
        let is_right = |module: &str, field| super::is_right(&Module::new(module), field);
        for field in [
            "is_admin",
            "status",
            "employee_status",
            "is_group",
            "license_type",
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

    #[test]
    fn links_lead_to_their_target_and_unknown_ones_nowhere() {
        assert_eq!(
            of("Contacts", "accounts"),
            Origin::Related(Module::new("Accounts"))
        );
        assert_eq!(
            of("acme_Boats", "created_by_link"),
            Origin::Related(Module::new("Users"))
        );
        for field in [
            "tag_link",
            "team_link",
            "from_collection",
            "commentlog",
            "_highlights",
            "_search",
        ] {
            assert_eq!(of("Contacts", field), Origin::UnknownRelated, "{field}");
        }
        assert_eq!(of("acme_Boats", "accounts"), Origin::Own);
    }

    #[test]
    fn rights_pass_as_words_and_nothing_else() {
        let Origin::Structural(Shape::Object(ObjectShape { keys, others, .. })) =
            of("Contacts", "_acl")
        else {
            panic!("not structural")
        };
        assert_eq!(others, Others::Dropped);
        assert!(
            keys.iter()
                .all(|(key, shape)| *key == "fields" || *shape == Shape::Scalar)
        );
        assert_eq!(
            of("Contacts", "my_favorite"),
            Origin::Structural(Shape::Scalar)
        );
    }
}
