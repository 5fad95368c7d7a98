//! What makes an administrator, lets an account log in, or changes a password: shown as a policy says, never written,
//! whatever a policy says. Each dialect lists the fields of its accounts; here stands what holds for all of them.

/// Parts of names, in several languages, of fields that hold or change a password, in whatever module they stand.
const PASSWORDS: &[&str] = &[
    "contrasena",
    "kennwort",
    "mot_de_passe",
    "motdepasse",
    "passphrase",
    "passwd",
    "password",
    "passwort",
    "pwd",
    "senha",
    "user_hash",
    "userhash",
    "wachtwoord",
];

/// The same where the whole name says it.
const WHOLE: &[&str] = &[
    "mdp",
    "pass",
    "pass_crypted",
    "pass_indatabase",
    "pass_temp",
    "parola",
];

/// Whether a field holds or changes a password, by its folded name.
pub(super) fn is_password(name: &str) -> bool {
    WHOLE.contains(&name) || PASSWORDS.iter().any(|part| name.contains(part))
}

/// Whether a folded name says of whatever it belongs to that it is an administrator.
pub(super) fn is_administrator(name: &str) -> bool {
    let plain = name.replace(['_', '-'], "");
    let plain = plain.strip_prefix("is").unwrap_or(&plain);
    matches!(
        plain,
        "admin" | "administrator" | "superadmin" | "sysadmin" | "superuser" | "root" | "owner"
    ) && (name.starts_with("is") || plain.contains("admin") || plain == "superuser")
}

/// Whether a folded name of a field of accounts says what the account may do, in an API of which nothing more is known.
pub(super) fn is_right(name: &str) -> bool {
    const WORDS: &[&str] = &[
        "acl",
        "apikey",
        "auth",
        "authmethod",
        "authorities",
        "authority",
        "entity",
        "fksoc",
        "group",
        "groups",
        "kind",
        "level",
        "license",
        "licence",
        "locked",
        "permission",
        "permissions",
        "privilege",
        "privileges",
        "profile",
        "right",
        "rights",
        "role",
        "roles",
        "scope",
        "scopes",
        "secretkey",
        "socid",
        "state",
        "statut",
        "status",
        "team",
        "teams",
        "type",
    ];
    const PARTS: &[&str] = &[
        "2fa",
        "active",
        "admin",
        "apikey",
        "authmethod",
        "blocked",
        "disabled",
        "enabled",
        "groupid",
        "mfa",
        "otp",
        "permission",
        "privilege",
        "role",
        "secret",
        "superuser",
        "suspended",
        "teamid",
        "teamsid",
        "teamsname",
        "token",
        "twofactor",
        "usertype",
        "validity",
    ];
    let plain = name.replace(['_', '-'], "");
    WORDS.contains(&plain.as_str()) || PARTS.iter().any(|part| plain.contains(part))
}

#[cfg(test)]
mod tests {
    use super::{is_administrator, is_password, is_right};

    #[test]
    fn what_changes_a_password_is_told_by_its_name() {
        for name in [
            "password",
            "passwordconfirm",
            "user_hash",
            "pwd_last_changed",
            "pass",
            "pass_crypted",
            "mot_de_passe_c",
            "new_password",
            "passwort_neu",
        ] {
            assert!(is_password(name), "{name}");
        }
        for name in [
            "passport_c",
            "passeport_c",
            "bypass_c",
            "compass",
            "first_name",
        ] {
            assert!(!is_password(name), "{name}");
        }
    }

    #[test]
    fn an_administrator_is_told_by_the_name_of_the_field() {
        for name in [
            "is_admin",
            "isadmin",
            "admin",
            "issuperadmin",
            "is_superuser",
            "super_admin",
            "isowner",
        ] {
            assert!(is_administrator(name), "{name}");
        }
        for name in [
            "administration_c",
            "owner",
            "root_cause",
            "adminstrative",
            "island",
        ] {
            assert!(!is_administrator(name), "{name}");
        }
    }

    #[test]
    fn what_an_account_may_do_is_told_by_its_name() {
        for name in [
            "type",
            "rolesids",
            "rolesnames",
            "role",
            "portalrolesids",
            "isactive",
            "is_active",
            "status",
            "statut",
            "apikey",
            "auth2fa",
            "authmethod",
            "teamsids",
            "defaultteamid",
            "entity",
            "fk_soc",
            "permissions",
            "datestartvalidity",
        ] {
            assert!(is_right(name), "{name}");
        }
        for name in [
            "firstname",
            "title",
            "department",
            "phonenumber",
            "emailaddress",
            "address",
            "gender",
            "job",
        ] {
            assert!(!is_right(name), "{name}");
        }
    }
}
