//! `paravent consent show`.

use clap::Args;
use comfy_table::{Table, presets};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::crm::Failed;
use super::super::{DONE, Format, print};
use super::Configured;
use super::opened::{Opened, operator, refused, with};
use super::record::purpose;
use super::whom::Whom;
use crate::consent::{Answer, Note, answer, event, time};
use crate::ledger::{Kind, Proof};

/// Whose standing.
#[derive(Debug, Args)]
#[command(after_help = "Whoever looks is recorded in the access log (`consent.read`).")]
pub(super) struct Arguments {
    #[command(flatten)]
    whom: Whom,
    /// Only this purpose
    #[arg(long, value_name = "PURPOSE")]
    purpose: Option<String>,
    /// All that was recorded, instead of how the person stands
    #[arg(long)]
    history: bool,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    config: Configured,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> Result<u8, Failed> {
    with(&arguments.config.path, async |opened: &Opened| {
        let purposes: Vec<&str> = match &arguments.purpose {
            // What is asked may be about one that only denials name.
            Some(name) => vec![purpose(&opened.terms, name, Kind::Given)?],
            None => opened.terms.purposes.keys().map(String::as_str).collect(),
        };
        let who = arguments.whom.who(&opened.config)?;
        let ledger = &opened.ledger;
        let now = Timestamp::now();
        let answer = answer(ledger, &who, &opened.terms, &purposes, now).await;
        let answer = answer.map_err(refused)?;
        let person = answer.person.as_ref().map(|person| &person.id);
        // Nothing is told before it is durable that it was.
        let how = "show";
        let note = Note::Read { person, how }.by(&operator());
        ledger.send(vec![note]).await.map_err(refused)?;
        let meant = |name: &str| purposes.contains(&name) || name == "*";
        print(&match (arguments.history, arguments.format) {
            (false, Format::Json) => format!("{:#}\n", answer.json()),
            (false, Format::Text) => text(&answer),
            (true, Format::Json) => format!("{:#}\n", history_json(&answer, meant)),
            (true, Format::Text) => history(&answer, meant),
        });
        Ok(DONE)
    })
}

fn text(answer: &Answer) -> String {
    let mut text = match &answer.person {
        None => return "nobody is known under this name\n".to_owned(),
        Some(person) => format!("person  {}\n", person.id),
    };
    for record in answer.person.iter().flat_map(|person| &person.records) {
        text.push_str(&format!("record  {record}\n"));
    }
    let mut table = table(&[
        "PURPOSE", "STATE", "VALID", "BECAUSE", "PROOF", "AT", "UNTIL",
    ]);
    for (name, stand) in &answer.purposes {
        table.add_row([
            name.clone(),
            stand.state.to_owned(),
            if stand.is_valid { "yes" } else { "no" }.to_owned(),
            stand.because.to_owned(),
            stand.proof.map(Proof::name).unwrap_or_default().to_owned(),
            stand.at.map(time).unwrap_or_default(),
            stand.until.map(time).unwrap_or_default(),
        ]);
    }
    text.push('\n');
    text.push_str(&lines(&table));
    text
}

fn history(answer: &Answer, meant: impl Fn(&str) -> bool) -> String {
    let mut table = table(&[
        "EVENT", "AT", "RECORDED", "KIND", "PURPOSE", "PROOF", "SOURCE", "BY",
    ]);
    for event in answer.history.iter().filter(|event| meant(&event.purpose)) {
        table.add_row([
            event.id.clone(),
            time(event.at),
            time(event.recorded),
            event.kind.name().to_owned(),
            event.purpose.clone(),
            event.proof.name().to_owned(),
            event.source.clone(),
            event.by_id.clone(),
        ]);
    }
    match answer.history.is_empty() {
        true => "nothing was recorded\n".to_owned(),
        false => lines(&table),
    }
}

fn history_json(answer: &Answer, meant: impl Fn(&str) -> bool) -> Value {
    let events = answer.history.iter().filter(|event| meant(&event.purpose));
    json!({ "events": events.map(event).collect::<Vec<_>>() })
}

fn table(heading: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(heading.iter().copied());
    table
}

fn lines(table: &Table) -> String {
    let mut text = String::new();
    for line in table.to_string().lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
