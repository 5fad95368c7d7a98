//! Where the values of fields come from: one person's name stands in many fields of many modules.

use super::{email, links};
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

/// Fields that repeat the addresses of a record, or say something of them. Some stand in the record itself, some in the
/// records behind its links to addresses.
const ADDRESS_COPIES: &[&str] = &[
    "confirm_opt_in",
    "confirm_opt_in_date",
    "confirm_opt_in_fail_date",
    "confirm_opt_in_sent_date",
    "email",
    "email2",
    "email_address",
    "email_address_caps",
    "email_addresses",
    "email_addresses_non_primary",
    "email_addresses_primary",
    "email_opt_out",
    "invalid_email",
    "opt_out",
    "primary_address",
    "reply_to_address",
    "webtolead_email1",
    "webtolead_email2",
    "webtolead_email_opt_out",
    "webtolead_invalid_email",
];

/// What the CRM says in place of a record that is gone or not the caller's to see.
const DENIED: &str = "Access to this object is denied since it has been deleted or does not exist";

/// Where the value of a field comes from.
pub(super) fn origin(beside: &Modules, module: &Module, field: &str) -> Origin {
    let field = field.to_ascii_lowercase();
    let name = field.as_str();
    if let Some(shape) = structural(name) {
        return Origin::Structural(shape);
    }
    if module.as_str() == links::ADDRESS_MODULE {
        return address(module, name);
    }
    match name {
        name if ADDRESS_COPIES.contains(&name) => copy(module, &[email::FIELD]),
        "email_and_name1" => with(person_name(module), own(module, &[email::FIELD])),
        "full_name" => person_name(module),
        "name" if is_person(module) || is_account(module) => person_name(module),
        "jjwg_maps_address_c" | "jjwg_maps_lat_c" | "jjwg_maps_lng_c" => place(module),
        name => match links::target(module, name).or_else(|| beside.target(module, name)) {
            Some(target) => Origin::Related(target),
            None => copied(beside, module, name),
        },
    }
}

/// The CRM's scaffolding. `deleted` belongs to it: a record is deleted by a request of its own, and deleted records are
/// not asked for.
fn structural(name: &str) -> Option<Shape> {
    match name {
        "deleted" => Some(Shape::Scalar),
        "warning" => Some(Shape::Word(vec![DENIED])),
        _ => None,
    }
}

/// Addresses as records of their own, where a policy knows them.
fn address(module: &Module, name: &str) -> Origin {
    match name {
        "email_address_caps" | "name" => copy(module, &["email_address"]),
        _ => Origin::Own,
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

fn copy(module: &Module, names: &[&str]) -> Origin {
    Origin::Copy {
        of: own(module, names),
        perhaps: Vec::new(),
    }
}

/// Whether a field is composed by the CRM whenever a record is saved, so that writing it changes nothing. Lists compose it
/// in another way than single records, so a record that is written back may hold a name that nobody typed.
pub(super) fn is_composed(module: &Module, field: &str) -> bool {
    matches!(field, "name" | "full_name") && (is_person(module) || is_account(module))
}

/// The parts of a person's name. Which ones are shown is a setting of the CRM, and of the user.
fn person_name(module: &Module) -> Origin {
    let (of, perhaps): (&[&str], &[&str]) = if is_person(module) {
        (&["salutation", "first_name", "last_name"], &["title"])
    } else if is_account(module) {
        (&["first_name", "last_name"], &["user_name"])
    } else {
        (&["first_name", "last_name"], &["salutation", "title"])
    };
    Origin::Copy {
        of: own(module, of),
        perhaps: own(module, perhaps),
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

/// Where somebody is on a map: made of whichever address an administrator chose, of the record or of its account.
fn place(module: &Module) -> Origin {
    let blocks = ["primary", "alt", "billing", "shipping"];
    let mut perhaps: Vec<FieldPath> = blocks
        .iter()
        .map(|block| FieldPath::new(module, &format!("{block}_address_street")))
        .collect();
    perhaps.push(FieldPath::new(
        &Module::new("Accounts"),
        "billing_address_street",
    ));
    Origin::Copy {
        of: Vec::new(),
        perhaps,
    }
}

/// Names, and other fields, of related records that stand in a record of their own.
fn copied(beside: &Modules, module: &Module, name: &str) -> Origin {
    let of = |module: &str, field: &str| vec![FieldPath::new(&Module::new(module), field)];
    let sources = match (module.as_str(), name) {
        // Text that somebody typed, before the lead or target became a record.
        ("Leads" | "Prospects", "account_name" | "opportunity_name") => return Origin::Own,
        ("Accounts", "parent_name") => of("Accounts", "name"),
        (_, "parent_name") => {
            return Origin::CopyOfParent {
                told_by: "parent_type",
            };
        }
        (_, "assigned_user_name" | "created_by_name" | "modified_by_name") => of("Users", "name"),
        (_, "report_to_name" | "reports_to_name") => own(module, &["name"]),
        (_, "account_name" | "account_name1" | "billing_account") => of("Accounts", "name"),
        (_, "contact_name" | "billing_contact" | "contact_created_by_name") => {
            of("Contacts", "name")
        }
        (_, "contact_email") => of("Contacts", email::FIELD),
        (_, "contact_phone") => of("Contacts", "phone_work"),
        (_, "bug_name") => of("Bugs", "name"),
        (_, "campaign_name") => of("Campaigns", "name"),
        (_, "case_name") => of("Cases", "name"),
        (_, "lead_name") => of("Leads", "name"),
        (_, "opportunity_name") => of("Opportunities", "name"),
        (_, "project_name") => of("Project", "name"),
        (_, "prospect_name") => of("Prospects", "name"),
        _ => return converted(beside, module, name),
    };
    Origin::Copy {
        of: sources,
        perhaps: Vec::new(),
    }
}

/// Amounts in another currency, names that the CRM's description tells of, and the mirror of `Users`.
fn converted(beside: &Modules, module: &Module, name: &str) -> Origin {
    if let Some(amount) = name.strip_suffix("_usdollar") {
        return copy(module, &[amount]);
    }
    if let Origin::Copy { of, perhaps } = beside.origin(module, name) {
        return Origin::Copy { of, perhaps };
    }
    if module.as_str() == "Employees" {
        return Origin::Copy {
            of: own(&Module::new("Users"), &[name]),
            perhaps: Vec::new(),
        };
    }
    Origin::Own
}

#[cfg(test)]
mod tests {
    use super::{Modules, origin};
    use crate::dialect::{Origin, Shape};
    use crate::vocabulary::{FieldPath, Module};

    fn of(module: &str, field: &str) -> Origin {
        origin(&Modules::default(), &Module::new(module), field)
    }

    /// The sources of a copy, as text.
    fn sources(module: &str, field: &str) -> String {
        let Origin::Copy { of, perhaps } = of(module, field) else {
            panic!("{module}.{field} is no copy")
        };
        let text = |paths: Vec<FieldPath>| {
            let texts: Vec<String> = paths.iter().map(ToString::to_string).collect();
            texts.join(" ")
        };
        format!("{} | {}", text(of), text(perhaps))
    }

    #[test]
    fn names_are_composed_or_copied() {
        for (module, field, expected) in [
            (
                "Contacts",
                "name",
                "Contacts.salutation Contacts.first_name Contacts.last_name | Contacts.title",
            ),
            (
                "Users",
                "FULL_NAME",
                "Users.first_name Users.last_name | Users.user_name",
            ),
            ("Contacts", "account_name", "Accounts.name | "),
            ("Cases", "account_name1", "Accounts.name | "),
            ("Cases", "contact_created_by_name", "Contacts.name | "),
            ("Contacts", "report_to_name", "Contacts.name | "),
            ("Notes", "contact_email", "Contacts.email1 | "),
            ("Notes", "contact_phone", "Contacts.phone_work | "),
            ("acme_Boats", "created_by_name", "Users.name | "),
            ("Accounts", "parent_name", "Accounts.name | "),
            (
                "Opportunities",
                "amount_usdollar",
                "Opportunities.amount | ",
            ),
            ("Employees", "phone_home", "Users.phone_home | "),
        ] {
            assert_eq!(sources(module, field), expected, "{module}.{field}");
        }
        assert_eq!(of("Accounts", "name"), Origin::Own);
        assert_eq!(of("Leads", "account_name"), Origin::Own);
        assert!(matches!(
            of("Tasks", "parent_name"),
            Origin::CopyOfParent { .. }
        ));
        assert!(sources("Leads", "email_and_name1").contains("Leads.email1"));
        assert!(sources("Contacts", "jjwg_maps_lat_c").contains("Contacts.primary_address_street"));
    }

    #[test]
    fn addresses_follow_the_field_of_their_owner() {
        assert_eq!(of("Contacts", "email1"), Origin::Own);
        for field in [
            "email",
            "email2",
            "email_address",
            "Email_Address_Caps",
            "primary_address",
            "opt_out",
            "email_addresses",
            "email_addresses_primary",
            "email_addresses_non_primary",
        ] {
            assert_eq!(sources("Contacts", field), "Contacts.email1 | ", "{field}");
        }
        assert_eq!(of("EmailAddresses", "email_address"), Origin::Own);
        assert_eq!(
            sources("EmailAddresses", "email_address_caps"),
            "EmailAddresses.email_address | "
        );
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
    fn links_lead_to_their_module_and_scaffolding_passes() {
        assert_eq!(
            of("Accounts", "contacts"),
            Origin::Related(Module::new("Contacts"))
        );
        assert_eq!(of("Contacts", "deleted"), Origin::Structural(Shape::Scalar));
        assert!(matches!(
            of("Contacts", "warning"),
            Origin::Structural(Shape::Word(_))
        ));
    }
}
