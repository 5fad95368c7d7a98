//! The files of a new installation.

use std::collections::BTreeSet;

use super::super::discover::key;
use super::{NAME, starter};
use crate::dialect::Dialect;
use crate::policy::CATALOGUE;

/// The purpose that everybody has at first.
pub(super) const PURPOSE: &str = "daily-work";
/// Characters of a role's name.
const ROLE_CHARACTERS_MAX: usize = 60;

/// What an installation is made for.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// The CRM's API.
    pub dialect: &'a dyn Dialect,
    /// Where it is.
    pub url: String,
    /// Names of roles in the CRM.
    pub roles: Vec<String>,
    /// Whether these stand in for names that nobody has told.
    pub are_made_up: bool,
    /// Whether there is a schema file.
    pub has_schema: bool,
}

impl Plan<'_> {
    /// Each role's name in the policy, and in the CRM.
    pub(super) fn named_roles(&self) -> Vec<(String, &str)> {
        let mut known = BTreeSet::new();
        let mut named = Vec::new();
        for role in &self.roles {
            let plain = slug(role);
            let mut name = plain.clone();
            let mut number = 2;
            while !known.insert(name.clone()) {
                name = format!("{plain}-{number}");
                number += 1;
            }
            named.push((name, role.as_str()));
        }
        named
    }
}

/// A name of the policy's form for one of the CRM's.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for letter in name.chars() {
        match letter.to_ascii_lowercase() {
            plain if plain.is_ascii_lowercase() || plain.is_ascii_digit() => slug.push(plain),
            _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    let slug = slug.trim_matches('-');
    match slug.starts_with(|first: char| first.is_ascii_lowercase()) {
        true => slug.to_owned(),
        false => format!("role-{slug}").trim_end_matches('-').to_owned(),
    }
}

/// The names that can stand in a policy, and how many cannot.
pub fn usable_roles(names: Vec<String>) -> (Vec<String>, usize) {
    let all = names.len();
    let is_fit = |name: &String| {
        let is_plain = |letter: char| letter.is_alphanumeric() || " -_&/.,'()+".contains(letter);
        name.trim() == name.as_str()
            && (1..=ROLE_CHARACTERS_MAX).contains(&name.chars().count())
            && name.chars().all(is_plain)
            && crate::diagnostic::odd::first(name, |_| true).is_none()
    };
    let usable: Vec<String> = names.into_iter().filter(is_fit).collect();
    let left_out = all - usable.len();
    (usable, left_out)
}

/// The configuration.
pub fn configuration(plan: &Plan<'_>) -> String {
    let schema = match plan.has_schema {
        true => format!("    schema: schema/{NAME}.yaml\n"),
        false => format!(
            "    # schema: schema/{NAME}.yaml # what this CRM has beside the stock: `paravent discover --write-schema`\n"
        ),
    };
    format!(
        "# A proxy before a CRM. Paths are relative to this file. Every key is described in docs/operating.md.\n#\n\
         #   paravent check --config paravent.yaml\n\
         #   paravent test --config paravent.yaml\n\
         #   paravent serve --config paravent.yaml\n\n\
         listeners:\n  - name: {NAME}\n    bind: \"127.0.0.1:8443\"\n    upstream: {NAME}\n    \
         # Without TLS, credentials travel in clear: only on loopback, or behind something else that speaks TLS.\n    \
         # tls: {{ certificate: crm.pem, key: crm.key }}\n\n\
         admin: {{ bind: \"127.0.0.1:9180\" }} # health and metrics; never the CRM's address\n\n\
         upstreams:\n  {NAME}:\n    url: {url}\n    dialects: [{dialect}]\n{schema}    \
         # The proxy's own account, with which `discover` and `scan` read: docs/identity/service.md\n    \
         # service: {{ user: paravent, password: {{ file: service.password }} }}\n\n\
         policies: policies/\n\n\
         keys:\n  token: {{ file: token.key }}\n  audit: [{{ file: audit.key }}] # signs the log; whoever verifies it needs audit.pub\n\n\
         audit:\n  dir: audit/ # in production: on a disk of its own\n  durability: strict\n  \
         publish: [{{ folder: checkpoints/ }}] # in production: where this machine can only add\n",
        url = quoted(&plan.url),
        dialect = plan.dialect.name(),
    )
}

/// What does not belong into a repository.
pub fn gitignore() -> &'static str {
    "*.key\n*.password\naudit/\ncheckpoints/\nstate/\n"
}

/// A text as YAML and JSON write it.
pub(super) fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// Who sees how much of each category.
pub(super) fn rules(plan: &Plan<'_>) -> String {
    let roles = plan.named_roles();
    // Some names, such as `no`, are something else than a text where they stand bare.
    let names: Vec<String> = roles.iter().map(|(name, _)| key(name)).collect();
    let names = names.join(", ");
    let mut text = format!(
        "# Who sees how much of each category, and why. Grants lift, caps lower; their order never matters.\n\
         # This is a beginning: every role sees base data for its daily work, and the last digits of an account.\n\n\
         policy: {NAME}\n\n\
         defaults:\n  unclassified: redact # a field that nobody has classified yet\n  \
         ungranted: redact # classified, but no grant reaches it\n\n"
    );
    text.push_str(match plan.are_made_up {
        true => "roles: # change these to the names of roles in the CRM\n",
        false => "roles: # from the caller's roles in the CRM\n",
    });
    for (name, in_crm) in &roles {
        text.push_str(&format!(
            "  {}: {{ from: {{ crm.role: {} }}, default_purpose: {PURPOSE} }}\n",
            key(name),
            quoted(in_crm)
        ));
    }
    text.push_str(&format!(
        "\npurposes: # add those that you have: invoicing, marketing, answering data subjects\n  {PURPOSE}:\n    \
         label: {{ en: Daily work with customers, fr: Suivi de la clientèle }}\n    \
         legal_basis: contract\n    roles: [{names}]\n"
    ));
    let categories = starter::section(plan.dialect, "categories");
    let detectors = starter::section(plan.dialect, "detectors");
    for section in categories.iter().chain(&detectors) {
        text.push_str(&format!("\n{section}"));
    }
    let known = |name: &&&str| {
        let own = format!("\n  {name}:");
        let is_of = |built_in: &crate::policy::BuiltIn| {
            let rest = built_in.name.strip_prefix(**name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        CATALOGUE.iter().any(is_of)
            || categories
                .as_ref()
                .is_some_and(|section| section.contains(&own))
    };
    let data = |wanted: &[&str]| {
        let known: Vec<&str> = wanted.iter().filter(known).copied().collect();
        known.join(", ")
    };
    text.push_str(&format!(
        "\ngrants: # whoever sees something in clear may write it, unless the grant says `write: deny`\n  \
         - {{ name: plumbing, roles: [{names}], data: [{}], level: clear, write: deny }}\n  \
         - name: base-data\n    roles: [{names}]\n    data: [{}]\n    level: clear\n    write: allow\n  \
         - {{ name: account-last-digits, roles: [{names}], data: financial.iban, level: mask }}\n\n\
         caps:\n  - name: no-special-categories\n    why: data of Art. 9 and 10 GDPR has no place in this CRM\n    \
         data: [special, criminal]\n    level: hide\n    firm: true\n",
        data(&["technical", "work.colleague", "consent_record"]),
        data(&[
            "identity.name",
            "identity.civility",
            "work.position",
            "work.organisation",
            "contact",
            "commercial",
            "free_text",
        ]),
    ));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::usual;

    #[test]
    fn a_role_that_is_called_no_stays_a_text() {
        let dialect = usual();
        let plan = Plan {
            dialect: &*dialect,
            url: String::new(),
            roles: vec!["No".to_owned(), "Null".to_owned(), "Sales".to_owned()],
            are_made_up: false,
            has_schema: false,
        };
        let rules = rules(&plan);
        assert!(rules.contains("\n  \"no\": {"), "{rules}");
        assert!(rules.contains("\n  \"null\": {"), "{rules}");
        assert!(
            rules.contains("roles: [\"no\", \"null\", sales]"),
            "{rules}"
        );
    }

    #[test]
    fn names_of_roles_become_names_of_the_policy() {
        let dialect = usual();
        let roles = ["Sales", "Vertrieb Süd", "42", "sales!", "é"];
        let plan = Plan {
            dialect: &*dialect,
            url: String::new(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            are_made_up: false,
            has_schema: false,
        };
        let named: Vec<String> = plan
            .named_roles()
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(
            named,
            ["sales", "vertrieb-s-d", "role-42", "sales-2", "role"]
        );
        let odd = vec![
            "a\nb".to_owned(),
            " a".to_owned(),
            "a\u{202e}b".to_owned(),
            "Sales".to_owned(),
        ];
        assert_eq!(usable_roles(odd), (vec!["Sales".to_owned()], 3));
    }
}
