//! Fields that hold secrets, in whatever CRM: never shown, never matched, never written, whatever a policy says. One list for
//! all dialects, so that one policy means the same in front of each.

use crate::vocabulary::Module;

/// In whatever module they stand. The bytes of files are among them: nobody can look into those.
const EVERYWHERE: &[&str] = &[
    "access_token",
    "api_key",
    "auth_token",
    "authenticate_id",
    "backup_codes",
    "c_secret",
    "client_secret",
    "confirm_opt_in_token",
    "consumer_secret",
    "download_token",
    "email_password",
    "factor_auth_secret",
    "filecontents",
    "mail_smtppass",
    "oauth_secret",
    "oauth_token",
    "password",
    "portal_password",
    "portal_password1",
    "refresh_token",
    "secret",
    "session_id",
    "smtp_pass",
    "smtp_password",
    "stored_options",
    "system_generated_password",
    "token",
    "token_secret",
    "totp_secret",
    "user_hash",
];

/// In one module.
const OF_MODULES: &[(&str, &str)] = &[("OAuthTokens", "verify"), ("UserPreferences", "contents")];

/// Whether a field holds a secret; the name is folded.
pub(super) fn is_secret(module: &Module, name: &str) -> bool {
    EVERYWHERE.contains(&name) || OF_MODULES.contains(&(module.as_str(), name))
}

/// All of them, for the hash of a schema.
pub(super) fn all() -> impl std::fmt::Debug {
    (EVERYWHERE, OF_MODULES)
}
