//! `paravent explain`: which level each classified field gets, and because of which rule.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::{DONE, Format, PROBLEMS, UNUSABLE, colour, print};
use crate::detect::statement::Languages;
use crate::diagnostic::Diagnostics;
use crate::dialect::engine::Described;
use crate::dialect::{self, Dialect};
use crate::vocabulary::{Module, Purpose, Role};

/// Whose view of what.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Roles of the caller
    #[arg(
        long = "as",
        value_name = "ROLE",
        value_delimiter = ',',
        required_unless_present_any = ["text", "token"]
    )]
    roles: Vec<String>,
    /// The purpose
    #[arg(
        long = "for",
        value_name = "PURPOSE",
        required_unless_present_any = ["text", "token"],
        default_value = "",
        hide_default_value = true
    )]
    purpose: String,
    /// The module
    #[arg(
        long,
        required_unless_present_any = ["text", "token"],
        default_value = "",
        hide_default_value = true
    )]
    module: String,
    /// What the detectors find in the text of a file, and why, instead of the levels of fields
    #[arg(long, value_name = "FILE", conflicts_with_all = ["roles", "purpose", "module", "auth"])]
    text: Option<PathBuf>,
    /// The languages of that text; all that are known, if none is named
    #[arg(long, value_delimiter = ',', value_name = "CODE", requires = "text", value_parser = clap::builder::PossibleValuesParser::new(Languages::known()))]
    languages: Vec<String>,
    /// What would be understood of the token in a file, and why it is not accepted, instead of the levels of fields
    #[arg(long, value_name = "FILE", conflicts_with_all = ["roles", "purpose", "module", "auth", "text"])]
    token: Option<PathBuf>,
    /// The configuration whose issuers and policies are meant
    #[arg(long, value_name = "FILE", requires = "token")]
    config: Option<PathBuf>,
    /// Strengths of the policy's `auth` that were proved; without them, a bare session of the CRM
    #[arg(long, value_name = "STRENGTH", value_delimiter = ',')]
    auth: Vec<String>,
    /// At which moment, as RFC 3339 writes it; now, if none is named
    #[arg(long, value_name = "TIME", conflicts_with_all = ["text", "token"])]
    at: Option<jiff::Timestamp>,
    /// The policy folder
    #[arg(long, value_name = "DIR", default_value = "policies")]
    policies: PathBuf,
    /// The CRM's API, whose fields the policy speaks of
    #[arg(long, value_name = "DIALECT", default_value = dialect::USUAL, value_parser = clap::builder::PossibleValuesParser::new(dialect::NAMES))]
    dialect: String,
    /// A description of the API whose modules are meant
    #[arg(long, value_name = "FILE", conflicts_with = "dialect")]
    description: Option<PathBuf>,
    /// A schema file of the CRM (see docs/schemas.md); may be given several times
    #[arg(long, value_name = "FILE")]
    schema: Vec<PathBuf>,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> u8 {
    if let Some(path) = &arguments.text {
        return super::explain_text::run(path, &arguments.languages, arguments.format);
    }
    if let Some(path) = &arguments.token {
        let config = arguments.config.as_deref();
        return super::explain_token::run(path, config, arguments.format);
    }
    if !arguments.policies.exists() {
        eprintln!(
            "error: no such folder: `{}`; name one with --policies DIR",
            arguments.policies.display()
        );
        return UNUSABLE;
    }
    let Some(dialect) = dialect(arguments) else {
        return PROBLEMS;
    };
    let mut found = Diagnostics::new();
    let stock = vec![dialect.schema().clone()];
    let schemas = super::schema::added(stock, &arguments.schema, &mut found);
    if found.has_errors() {
        eprint!("{}", found.render(colour()));
        return PROBLEMS;
    }
    let (policy, found) = super::check::compile(&arguments.policies, &schemas);
    let Some(policy) = policy else {
        eprint!("{}", found.render(colour()));
        return PROBLEMS;
    };
    let roles: Vec<Role> = arguments.roles.iter().map(|role| Role::new(role)).collect();
    let purpose = Purpose::new(&arguments.purpose);
    let module = Module::new(&arguments.module);
    let strengths: Vec<&str> = arguments.auth.iter().map(String::as_str).collect();
    let now = arguments.at.unwrap_or_else(jiff::Timestamp::now);
    match policy.explain_at(now, (&roles, &purpose), &strengths, &module) {
        Ok(explanation) => {
            match arguments.format {
                Format::Text => print(&explanation.render()),
                Format::Json => print(&format!("{:#}\n", explanation.to_json())),
            }
            DONE
        }
        Err(unexplained) => super::unusable(&unexplained),
    }
}

/// The dialect that is named or described; what is wrong with a description is told.
fn dialect(arguments: &Arguments) -> Option<Arc<dyn Dialect>> {
    let Some(path) = &arguments.description else {
        return dialect::by_name(&arguments.dialect);
    };
    let (described, found) = Described::load(path);
    if described.is_none() {
        eprint!("{}", found.render(colour()));
    }
    described.map(|described| Arc::new(described) as Arc<dyn Dialect>)
}
