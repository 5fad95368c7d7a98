//! `paravent discover`: what the fields of a CRM hold, what the policy says of them, and what they most likely are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use comfy_table::{Table, presets};

use super::crm::{self, Asked, Failed, Opened};
use super::{Format, colour, columns, print};
use crate::audit::Reader;
use crate::dialect::Schema;
use crate::files;
use crate::policy::Policy;
use crate::vocabulary::Module;
use crate::workbench::discover::{
    Found, ModuleCounts, NoSchema, NotWritten, Row, Verdict, compiled, counting, grown, report,
    schema_text, suggestions, write,
};
use crate::workbench::sampler::State;

/// What to look at, and what to write.
#[derive(Debug, Args)]
#[command(
    after_help = "Counts are kept, never values. What is read is recorded in the access log of the configuration.\nInterrupted (Ctrl-C, or because the CRM went away), the same command goes on where it was."
)]
pub(super) struct Arguments {
    #[command(flatten)]
    asked: Asked,
    /// Records of each module that are looked at
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    sample: u64,
    /// Write a schema file (see docs/schemas.md); what it says already is kept
    #[arg(long, value_name = "FILE")]
    write_schema: Option<PathBuf>,
    /// Add what is suggested to the policy in this folder; no line is changed or taken away
    #[arg(long, value_name = "DIR")]
    write_policy: Option<PathBuf>,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> u8 {
    match discover(arguments) {
        Ok(code) => code,
        Err(failed) => failed.tell(),
    }
}

fn discover(arguments: &Arguments) -> Result<u8, Failed> {
    let mut opened = crm::open(&arguments.asked, Reader::Discover, Some(arguments.sample))?;
    let policy = policy(&opened)?;
    let mut state: State<ModuleCounts> = crm::resumed(&opened)?;
    let catalogue = crm::read_records(&mut opened, &mut state, counting)?;
    let found = Found { catalogue, state };
    let stock = opened.crm.dialect().schema().clone();
    let schema = grown(&stock, found.catalogue.said.clone());
    let policy = policy.in_schema(schema.clone());
    let rows = report(&found, &policy, &schema);
    match arguments.format {
        Format::Json => print(&format!("{:#}\n", serde_json::json!(rows))),
        Format::Text => print(&text(&rows)),
    }
    let is_whole = crm::remarks(&found.catalogue, &found.state);
    if let Some(path) = &arguments.write_schema {
        write_schema(&stock, path, &found)?;
    }
    if let Some(dir) = &arguments.write_policy {
        write_policy(&opened, dir, &policy, &schema, &rows)?;
    }
    Ok(crm::ended(&opened.kept, &found.state, is_whole))
}

/// The policy of the configuration, without errors.
fn policy(opened: &Opened) -> Result<Policy, Failed> {
    let sources = Policy::read(&opened.config.policies);
    let (policy, found) = match sources {
        Ok(sources) => compiled(&opened.config, &sources, None),
        Err(found) => (None, found),
    };
    policy.ok_or_else(|| {
        eprint!("{}", found.render(colour()));
        Failed::problem("the policy has errors: `paravent check` shows them")
    })
}

fn text(rows: &[Row]) -> String {
    let mut modules: BTreeMap<&Module, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        modules.entry(&row.module).or_default().push(row);
    }
    let mut text = String::new();
    for (module, rows) in &modules {
        let records = rows.iter().map(|row| row.seen).max().unwrap_or_default();
        text.push_str(&format!("{module}: {records} records\n"));
        let table = table(rows).to_string();
        for line in table.lines() {
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text.push('\n');
    }
    text.push_str(&summary(rows, modules.len()));
    text
}

fn table(rows: &[&Row]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if let Some(width) = columns() {
        table.set_width(width);
    }
    table.set_header([
        "FIELD",
        "SEEN",
        "FILLED",
        "TYPE",
        "LOOKS LIKE",
        "POLICY SAYS",
        "SUGGESTION",
    ]);
    for row in rows {
        let filled = match row.seen {
            0 => String::new(),
            seen => format!("{} %", (row.filled * 100).div_ceil(seen)),
        };
        let suggestion = match (&row.suggestion, &row.verdict) {
            (Some(suggestion), _) => suggestion.clone(),
            (None, Verdict::Ok) => "ok".to_owned(),
            (None, _) => "-".to_owned(),
        };
        let policy = match row.policy.as_str() {
            "unclassified" => "UNCLASSIFIED",
            policy => policy,
        };
        table.add_row([
            &row.field,
            &row.seen.to_string(),
            &filled,
            &row.kind,
            &row.looks_like,
            policy,
            &suggestion,
        ]);
    }
    table
}

fn summary(rows: &[Row], modules: usize) -> String {
    let number = |is: &dyn Fn(&&Row) -> bool| rows.iter().filter(is).count();
    let suggested = number(&|row| matches!(row.verdict, Verdict::Suggest(_)));
    let odd = number(&|row| matches!(row.verdict, Verdict::Holds(_) | Verdict::FalseCatch(_)));
    let open = number(&|row| row.verdict == Verdict::Open);
    let rest = rows.len() - suggested - open;
    let mut text = format!(
        "{} fields in {modules} modules: {rest} classified, copied or never shown, {suggested} with a suggestion, {open} open\n",
        rows.len()
    );
    if odd > 0 {
        text.push_str(&format!(
            "{odd} of those that are classified look like something else\n"
        ));
    }
    let marked = number(&|row| row.is_marked);
    if marked > 0 {
        let is_loose = |row: &&&Row| {
            row.is_marked && matches!(row.verdict, Verdict::Suggest(_) | Verdict::Open)
        };
        let loose: Vec<String> = rows
            .iter()
            .filter(|row| is_loose(&row))
            .map(|row| format!("{}.{}", row.module, row.field))
            .collect();
        text.push_str(&format!(
            "{marked} fields are marked as personal in the CRM, {} of them are not classified here",
            loose.len()
        ));
        if !loose.is_empty() {
            text.push_str(&format!(": {}", loose.join(", ")));
        }
        text.push('\n');
    }
    text
}

fn write_schema(stock: &Arc<Schema>, path: &Path, found: &Found) -> Result<(), Failed> {
    let said = found.catalogue.said.clone();
    let schema = schema_text(stock, path, said).map_err(|error| {
        if let NoSchema::Errors(found) = &error {
            eprint!("{}", found.render(colour()));
        }
        Failed::problem(error.to_string())
    })?;
    for name in &schema.contradictions {
        eprintln!("note: `{name}` is known to be something else than the CRM says; that stands");
    }
    files::publish(path, schema.text.as_bytes()).map_err(|error| {
        let why = files::words(&error);
        Failed::unusable(format!("`{}` cannot be written: {why}", path.display()))
    })?;
    eprintln!("wrote `{}`", path.display());
    Ok(())
}

fn write_policy(
    opened: &Opened,
    dir: &Path,
    policy: &Policy,
    schema: &Arc<Schema>,
    rows: &[Row],
) -> Result<(), Failed> {
    let all = suggestions(rows, policy, schema);
    for module in &all.left_out {
        eprintln!(
            "note: `{module}` says who may do what in the CRM: it is not added to the policy"
        );
    }
    if all.additions.is_empty() {
        eprintln!("nothing to add to the policy");
        return Ok(());
    }
    let paths = write(&opened.config, dir, schema, &all.additions).map_err(|error| {
        if let NotWritten::Errors(found) | NotWritten::Unreadable(found) = &error {
            eprint!("{}", found.render(colour()));
        }
        Failed::problem(error.to_string())
    })?;
    for path in paths {
        eprintln!("added to `{}`", path.display());
    }
    for module in &all.new_modules {
        eprintln!(
            "note: the policy knows `{module}` from now on: requests for it were refused before"
        );
    }
    Ok(())
}
