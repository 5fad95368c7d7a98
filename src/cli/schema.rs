//! `paravent schema`: schemas of the files that people write, for editors; and `extract`, a schema file made of what a CRM
//! says of itself, in replies that somebody has saved.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};

use super::{DONE, PROBLEMS, UNUSABLE, print};
use crate::diagnostic::{Diagnostics, could_not_read};
use crate::dialect::schema::{SchemaFile, codes};
use crate::dialect::{self, Modules, Schema};
use crate::files;
use crate::vocabulary::Module;
use crate::workbench::formats::Format;

/// Bytes of a saved reply.
const REPLY_BYTES_MAX: usize = 64 << 20;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a schema file of saved replies in which a CRM describes its data
    #[command(after_help = dialect::DESCRIPTIONS)]
    Extract {
        /// A saved reply, with the module that it is about where it does not say so; may be given several times
        #[arg(long, value_name = "[MODULE=]FILE", required = true)]
        metadata: Vec<String>,
        /// The CRM's API
        #[arg(long, value_name = "DIALECT", value_parser = clap::builder::PossibleValuesParser::new(dialect::NAMES))]
        dialect: String,
    },
    /// Print the JSON Schema of policies, for editors
    Policy,
    /// Print the JSON Schema of tests of a policy, for editors
    Tests,
    /// Print the JSON Schema of server configurations, for editors
    Config,
    /// Print the JSON Schema of descriptions of APIs, for editors
    Description,
    /// Print the JSON Schema of schema files, for editors
    Schema,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> u8 {
    match &arguments.command {
        Command::Extract { metadata, dialect } => extract(metadata, dialect),
        Command::Policy => show(Format::Policy),
        Command::Tests => show(Format::Tests),
        Command::Config => show(Format::Config),
        Command::Description => show(Format::Description),
        Command::Schema => show(Format::Schema),
    }
}

/// Prints the JSON Schema of a kind of file.
fn show(format: Format) -> u8 {
    print(&format!("{:#}\n", format.schema()));
    DONE
}

fn extract(metadata: &[String], dialect: &str) -> u8 {
    let Some(dialect) = dialect::by_name(dialect) else {
        return UNUSABLE;
    };
    let mut schema = dialect.schema().clone();
    for given in metadata {
        let (module, path) = parted(given);
        let contents = match files::read(Path::new(path), REPLY_BYTES_MAX) {
            Ok(contents) => contents,
            Err(error) => {
                let problem = could_not_read(Path::new(path), codes::UNREADABLE, &error);
                eprintln!("error: {}", problem.title);
                return UNUSABLE;
            }
        };
        let module = module.map(Module::new);
        let said = dialect.described(module.as_ref(), &contents.bytes);
        let Some(said) = said.filter(|said| !said.is_empty()) else {
            eprintln!(
                "error: `{path}` holds no description of modules by `{}`",
                dialect.name()
            );
            if module.is_none() {
                eprintln!(
                    "help: where a reply does not name its module, write `--metadata MODULE={path}`"
                );
            }
            return PROBLEMS;
        };
        let (grown, merged) = schema.and(said);
        for contradiction in merged.contradictions.iter().filter(|one| !one.is_secret) {
            eprintln!(
                "note: the stock knows `{}.{}` as something else, and stands",
                contradiction.module, contradiction.name
            );
        }
        if merged.left_out > 0 {
            eprintln!(
                "error: `{path}`: {} fields and links find no room",
                merged.left_out
            );
            return PROBLEMS;
        }
        schema = grown;
    }
    print(&text(&schema));
    DONE
}

/// A module and a path, or a path alone. A path may hold a `=`, a module cannot hold a `/`.
fn parted(given: &str) -> (Option<&str>, &str) {
    match given.split_once('=') {
        Some((module, path)) if !module.contains(['/', '.']) => (Some(module), path),
        _ => (None, given),
    }
}

fn text(schema: &Schema) -> String {
    let beside: &Modules = schema.beside();
    format!(
        "# What this CRM has beside the stock of `{}`: {} fields and links. Look it through before it is used:\n# a field that copies another one is shown as that one is.\n{}",
        schema.dialect(),
        beside.len(),
        beside.to_yaml(schema.dialect())
    )
}

/// Schemas, and what files say beside them.
pub(super) fn added(
    mut schemas: Vec<Arc<Schema>>,
    paths: &[PathBuf],
    found: &mut Diagnostics,
) -> Vec<Arc<Schema>> {
    for path in paths {
        let Some(file) = SchemaFile::load(path, found) else {
            continue;
        };
        let of_it = schemas
            .iter()
            .position(|schema| schema.dialect() == file.dialect.value)
            .unwrap_or_default();
        if let Some(schema) = schemas.get_mut(of_it) {
            *schema = file.add_to(schema, found);
        }
    }
    schemas
}
