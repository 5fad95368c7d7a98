//! Where the values of fields come from: one person's name stands in many fields of many modules.

use super::links;
use crate::dialect::family::is_account;
use crate::dialect::schema::Modules;
use crate::dialect::{Origin, Shape, rights};
use crate::vocabulary::{FieldPath, Module};

/// Modules whose records are people that a salutation and a title may go with.
const PEOPLE: &[&str] = &["Contacts", "Leads", "Prospects"];

/// What a user's account may do. It is shown, and changed elsewhere: whoever could write it could choose their own role.
const RIGHTS: &[&str] = &[
    "employee_status",
    "external_auth_only",
    "factor_auth",
    "factor_auth_interface",
    "is_admin",
    "is_group",
    "portal_only",
    "securitygroup_noninher_fields",
    "securitygroup_noninherit_id",
    "securitygroup_noninheritable",
    "securitygroup_primary_group",
    "status",
    "sugar_login",
    "usertype",
];

/// Whether a field says what an account may do, or changes a password.
pub(super) fn is_right(module: &Module, field: &str) -> bool {
    rights::is_password(field) || (is_account(module) && RIGHTS.contains(&field))
}

/// Fields that repeat the addresses of `email1`, or say something of them.
const EMAIL_COPIES: &[&str] = &[
    "email",
    "email2",
    "email_addresses_non_primary",
    "email_opt_out",
    "invalid_email",
    "webtolead_email1",
    "webtolead_email2",
    "webtolead_email_opt_out",
    "webtolead_invalid_email",
];

/// Where the value of a field comes from; its name is folded or not.
pub(super) fn origin(module: &Module, field: &str, beside: &Modules) -> Origin {
    let field = field.to_ascii_lowercase();
    let name = field.as_str();
    // A record is deleted by a request of its own, and deleted records are not asked for.
    if name == "deleted" {
        return Origin::Structural(Shape::Scalar);
    }
    // Related records never stand among the attributes; a blank stands for each link.
    if links::is_link(module, name, beside) {
        return Origin::Structural(Shape::Word(vec![""]));
    }
    match name {
        "email_and_name1" => person_name(module, &["email1"]),
        "full_name" => person_name(module, &[]),
        "name" if is_person(module) || is_account(module) => person_name(module, &[]),
        name if EMAIL_COPIES.contains(&name) => copy_of_own(module, &["email1"]),
        name => copied_name(module, name),
    }
}

fn is_person(module: &Module) -> bool {
    PEOPLE.contains(&module.as_str())
}

fn own(module: &Module, names: &[&str]) -> Vec<FieldPath> {
    names
        .iter()
        .map(|name| FieldPath::new(module, name))
        .collect()
}

fn copy_of_own(module: &Module, names: &[&str]) -> Origin {
    Origin::Copy {
        of: own(module, names),
        perhaps: Vec::new(),
    }
}

/// The parts of a person's name, and more. Which parts are shown is a setting of the CRM.
fn person_name(module: &Module, more: &[&str]) -> Origin {
    let (of, perhaps): (&[&str], &[&str]) = if is_person(module) {
        (&["salutation", "first_name", "last_name"], &["title"])
    } else if is_account(module) {
        (&["first_name", "last_name"], &[])
    } else {
        (&["first_name", "last_name"], &["salutation", "title"])
    };
    Origin::Copy {
        of: [own(module, of), own(module, more)].concat(),
        perhaps: own(module, perhaps),
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
        (
            _,
            "assigned_user_name" | "created_by_name" | "modified_by_name" | "modified_user_name"
            | "owner_name",
        ) => return user_name(),
        ("Users" | "Employees", "reports_to_name") => return user_name(),
        (_, "report_to_name" | "reports_to_name") => return copy_of_own(module, &["name"]),
        ("AOS_Contracts", "contract_account") | (_, "billing_account") => &[("Accounts", "name")],
        ("AOS_Contracts", "contact") | (_, "billing_contact") => &[("Contacts", "name")],
        ("AOS_Contracts" | "AOS_Quotes", "opportunity") => &[("Opportunities", "name")],
        (_, "account_name" | "account_name1") => &[("Accounts", "name")],
        (_, "contact_name" | "contact_created_by_name") => &[("Contacts", "name")],
        (_, "contact_email") => &[("Contacts", "email1")],
        (_, "contact_phone") => &[("Contacts", "phone_work")],
        (_, "bug_name") => &[("Bugs", "name")],
        (_, "campaign_name") => &[("Campaigns", "name")],
        (_, "case_name") => &[("Cases", "name")],
        (_, "lead_name") => &[("Leads", "name")],
        (_, "opportunity_name") => &[("Opportunities", "name")],
        (_, "project_name") => &[("Project", "name")],
        (_, "prospect_name") => &[("Prospects", "name")],
        ("Documents", "name") => return copy_of_own(module, &["document_name"]),
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

/// How a user is named elsewhere: by their name, or by their login, as the CRM is set.
fn user_name() -> Origin {
    let users = Module::new("Users");
    Origin::Copy {
        of: own(&users, &["name"]),
        perhaps: own(&users, &["user_name"]),
    }
}

#[cfg(test)]
mod tests {
    use super::origin;
    use crate::dialect::schema::Modules;
    use crate::dialect::suitecrm_v8::description;
    use crate::dialect::{Origin, Shape};
    use crate::vocabulary::Module;

    fn of(module: &str, field: &str) -> Origin {
        origin(&Module::new(module), field, &Modules::default())
    }

    /// The sources of a copy, as text.
    fn sources(module: &str, field: &str) -> String {
        let Origin::Copy { of, perhaps } = of(module, field) else {
            panic!("{module}.{field} is no copy")
        };
        let text = |paths: Vec<crate::vocabulary::FieldPath>| {
            let texts: Vec<String> = paths.iter().map(ToString::to_string).collect();
            texts.join(" ")
        };
        format!("{} | {}", text(of), text(perhaps))
    }

    #[test]
    fn names_of_people_are_composed() {
        let contact = "Contacts.salutation Contacts.first_name Contacts.last_name | Contacts.title";
        assert_eq!(sources("Contacts", "name"), contact);
        assert_eq!(sources("Contacts", "FULL_NAME"), contact);
        assert!(sources("Leads", "email_and_name1").contains("Leads.email1"));
        assert_eq!(
            sources("Users", "name"),
            "Users.first_name Users.last_name | "
        );
        assert_eq!(of("Accounts", "name"), Origin::Own);
        assert_eq!(of("acme_Boats", "name"), Origin::Own);
    }

    #[test]
    fn names_of_related_records_follow_the_record_that_they_name() {
        for (module, field, source) in [
            ("Contacts", "account_name", "Accounts.name | "),
            ("Contacts", "report_to_name", "Contacts.name | "),
            ("Users", "reports_to_name", "Users.name | Users.user_name"),
            (
                "acme_Boats",
                "assigned_user_name",
                "Users.name | Users.user_name",
            ),
            ("Cases", "account_name1", "Accounts.name | "),
            ("Cases", "contact_created_by_name", "Contacts.name | "),
            ("Tasks", "contact_phone", "Contacts.phone_work | "),
            ("Notes", "contact_email", "Contacts.email1 | "),
            ("AOS_Quotes", "billing_contact", "Contacts.name | "),
            ("AOS_Contracts", "contract_account", "Accounts.name | "),
            ("Accounts", "parent_name", "Accounts.name | "),
            ("Contacts", "email2", "Contacts.email1 | "),
            ("Leads", "webtolead_email1", "Leads.email1 | "),
            ("Accounts", "invalid_email", "Accounts.email1 | "),
            ("Documents", "name", "Documents.document_name | "),
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
    fn rights_of_accounts_are_shown_and_never_written() {
        let is_right = |module: &str, field| super::is_right(&Module::new(module), field);
        for field in [
            "is_admin",
            "usertype",
            "status",
            "factor_auth",
            "user_hash",
            "pwd_last_changed",
        ] {
            assert!(
                is_right("Users", field) && is_right("Employees", field),
                "{field}"
            );
        }
        assert_eq!(of("Users", "Is_Admin"), Origin::Own);
        for (module, field) in [
            ("Contacts", "is_admin"),
            ("Leads", "status"),
            ("Users", "title"),
        ] {
            assert!(!is_right(module, field), "{module}.{field}");
        }
    }

    #[test]
    fn a_blank_stands_for_a_link() {
        let blank = Origin::Structural(Shape::Word(vec![""]));
        assert_eq!(of("Contacts", "accounts"), blank);
        assert_eq!(of("acme_Boats", "SecurityGroups"), blank);
        assert_eq!(of("acme_Boats", "accounts"), Origin::Own);
        let answer = br#"{"data":{"attributes":{"owners_c":{"type":"link","relationship":"r"}}}}"#;
        let boats = Module::new("acme_Boats");
        let said = description::read(&boats, answer).unwrap();
        assert_eq!(origin(&boats, "Owners_c", &said), blank);
    }
}
