//! `paravent consent sync`.

use std::sync::Arc;

use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use super::super::crm::{self, Failed};
use super::super::{DONE, Format, PROBLEMS, print};
use super::Configured;
use super::opened::{Opened, operator, refused, with};
use crate::config::Upstream;
use crate::consent::Note;
use crate::diagnostic::{nearest, quoted};
use crate::dialect::Dialect;
use crate::dialect::survey::Row;
use crate::policy::{About, Person};
use crate::vocabulary::Module;
use crate::workbench::sampler::{Crm, Cursor, Pages, Rate, Step, Trouble, Wish};

mod found;
mod names;

use self::found::Found;

/// How often all records are read at most, until no reading meets one that those before had not met.
const READINGS_MAX: usize = 5;

/// Which CRM, and at which pace.
#[derive(Debug, Args)]
#[command(
    after_help = "Records are read with the upstream's `service`, twice: first whose addresses they are, then what they say. Repeated, it changes nothing; interrupted, the same command goes on.\nExit codes: 0 all is taken over, 1 something could not be read, 2 unusable arguments or set-up."
)]
pub(super) struct Arguments {
    /// The CRM, by its name in the configuration
    #[arg(value_name = "UPSTREAM")]
    upstream: String,
    /// Requests in a second, at most: 1 to 1000
    #[arg(long, value_name = "N/s", default_value = "10/s", value_parser = rate)]
    rate: Rate,
    /// Only look what would be recorded
    #[arg(long)]
    dry_run: bool,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    config: Configured,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> Result<u8, Failed> {
    with(&arguments.config.path, async |opened: &Opened| {
        let upstream = upstream(opened, &arguments.upstream)?;
        let crm = crm(&arguments.upstream, upstream, arguments.rate)?;
        let modules = modules(opened, &arguments.upstream)?;
        let mut found = Found::new(opened, &arguments.upstream, arguments.dry_run);
        let asks_confirmed = crm.dialect().confirmed().is_some_and(|word| {
            let mut purposes = opened.terms.purposes.values();
            purposes.any(|purpose| purpose.crm.contains(word))
        });
        let mut reading = Reading {
            crm: &crm,
            modules: &modules,
            asks_confirmed,
            page_max: upstream.page_max,
        };
        let read = tokio::select! {
            read = reading.all(&mut found) => read,
            _ = tokio::signal::ctrl_c() => Err(Failed::problem("interrupted; the same command goes on where this one ended")),
        };
        crm::progress_ended();
        // What was taken over is told, whether or not it is all.
        note(opened, arguments, &found, matches!(read, Ok(true))).await?;
        found.remark(asks_confirmed);
        let is_whole = read?;
        print(&told(arguments, &found, is_whole));
        Ok(if is_whole { DONE } else { PROBLEMS })
    })
}

/// Requests in a second, as `10/s` or `10`.
fn rate(text: &str) -> Result<Rate, String> {
    let number = text.strip_suffix("/s").unwrap_or(text);
    let rate = number.parse().ok().and_then(Rate::new);
    rate.ok_or_else(|| "must be from `1/s` to `1000/s`".to_owned())
}

fn upstream<'o>(opened: &'o Opened, name: &str) -> Result<&'o Upstream, Failed> {
    let all = &opened.config.upstreams;
    all.get(name).ok_or_else(|| {
        let known = || all.keys().map(String::as_str);
        let hint = match nearest(name, known()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}", known().collect::<Vec<_>>().join(", ")),
        };
        Failed::unusable(format!("no upstream {}; {hint}", quoted(name)))
    })
}

/// The CRM, asked with the proxy's own account.
fn crm(name: &str, upstream: &Upstream, rate: Rate) -> Result<Crm, Failed> {
    let service = upstream.service.clone().ok_or_else(|| {
        Failed::unusable(format!(
            "the upstream `{name}` has no `service`: it is read with an account of the proxy's own, never with a caller's"
        ))
    })?;
    let mut dialects = upstream.dialects.iter();
    let dialect = dialects.find(|one| service.proof.fits(&***one));
    let dialect: &Arc<dyn Dialect> = dialect.ok_or_else(|| {
        Failed::unusable(format!(
            "no API of the upstream `{name}` takes its `service`"
        ))
    })?;
    if dialect.consent().is_none() {
        return Err(Failed::unusable(format!(
            "nobody has told in which fields `{}` keeps consent: add `consent: {{ name: [first_name, last_name], opted_out: no_email }}` to its description",
            dialect.name()
        )));
    }
    Crm::new(upstream, dialect.clone(), service, rate)
        .map_err(|error| Failed::unusable(error.to_string()))
}

/// The modules of the CRM whose records are each about a person.
fn modules(opened: &Opened, upstream: &str) -> Result<Vec<(Module, Person)>, Failed> {
    let mut modules: Vec<(Module, Person)> = Vec::new();
    for (of, module, _) in opened.people.iter() {
        let is_its = of.is_none_or(|of| of == upstream);
        let is_new = modules.iter().all(|(known, _)| known != module);
        if let (true, true, Some(About::Person(person))) =
            (is_its, is_new, opened.people.about(upstream, module))
        {
            modules.push((module.clone(), person.clone()));
        }
    }
    match modules.is_empty() {
        true => Err(Failed::problem(format!(
            "the policy names no module of `{upstream}` whose records are about persons: `people: {{ MODULE: {{ kind: customer, email: FIELD }} }}`"
        ))),
        false => Ok(modules),
    }
}

/// Reads a CRM.
struct Reading<'a> {
    crm: &'a Crm,
    modules: &'a [(Module, Person)],
    /// Whether a purpose goes by what persons confirmed there.
    asks_confirmed: bool,
    page_max: u32,
}

impl Reading<'_> {
    /// Reads all records, until no reading meets one that those before had not met; whether nothing is missing.
    async fn all(&mut self, found: &mut Found<'_>) -> Result<bool, Failed> {
        for number in 0..READINGS_MAX {
            found.begin(number);
            let mut is_whole = true;
            for (place, _) in self.modules.iter().enumerate() {
                is_whole &= self.one(place, found).await?;
            }
            if number > 0 && !found.has_met_new() {
                return Ok(is_whole && found.is_whole());
            }
        }
        Err(Failed::problem(
            "records come and go faster than they are read: what was read is taken over; try again with a higher `--rate`",
        ))
    }

    /// Reads one module; whether nothing is missing.
    async fn one(&self, place: usize, found: &mut Found<'_>) -> Result<bool, Failed> {
        let Some((module, person)) = self.modules.get(place) else {
            return Ok(false);
        };
        let wish = Wish {
            most: None,
            page_max: self.page_max,
            by_id: true,
            confirmed: self.asks_confirmed && person.email.is_some(),
        };
        let mut pages = Pages::of(self.crm, module, wish);
        let mut progress = crm::progress();
        let mut cursor = Cursor::default();
        while !cursor.is_done {
            progress(Step {
                module,
                number: place,
                of: self.modules.len(),
                read: cursor.read,
            });
            let dialect = self.crm.dialect();
            let mut visit = |row: &Row<'_>| found.row(&**dialect, person, row);
            let next = pages.next(&cursor, &mut visit).await;
            cursor = next.map_err(|trouble| unread(module, &cursor, &trouble))?;
            found.page().await.map_err(refused)?;
        }
        let mut lacks = cursor.remarks.iter().filter(|remark| remark.is_lack());
        let lack = lacks.next();
        if let Some(remark) = lack {
            found.note(format!("`{module}`: {}", remark.text()));
        }
        Ok(lack.is_none())
    }
}

fn unread(module: &Module, cursor: &Cursor, trouble: &Trouble) -> Failed {
    let read = cursor.read;
    Failed::problem(format!(
        "`{module}`, behind {read} records: {trouble}; the same command goes on"
    ))
}

async fn note(
    opened: &Opened,
    arguments: &Arguments,
    found: &Found<'_>,
    whole: bool,
) -> Result<(), Failed> {
    if arguments.dry_run {
        return Ok(());
    }
    let note = Note::Synced {
        upstream: &arguments.upstream,
        seen: found.records(),
        came: found.came,
        whole,
    };
    let note = note.by(&operator());
    opened.ledger.send(vec![note]).await.map_err(refused)
}

fn told(arguments: &Arguments, found: &Found<'_>, is_whole: bool) -> String {
    let came = found.came;
    let (records, undated, shared) = (found.records(), found.undated, found.shared());
    match arguments.format {
        Format::Json => {
            let told = json!({
                "upstream": arguments.upstream, "dry_run": arguments.dry_run, "whole": is_whole, "seen": records,
                "attached": came.attached, "affirmed": came.affirmed, "denied": came.denied, "gone": came.gone,
                "undated": undated, "shared_addresses": shared, "unread_addresses": found.unread,
            });
            format!("{told:#}\n")
        }
        Format::Text => {
            let done = match arguments.dry_run {
                true => "would be",
                false => "were",
            };
            format!(
                "{records} records read at {}, {} of them {done} new to the ledger\n\
                 {} affirmations, {} denials and {} flags that are gone {done} recorded\n\
                 {undated} agreed at a time that nobody knows, {shared} addresses stand under two names: these affirm nothing\n",
                Timestamp::now().strftime("%FT%TZ"),
                came.attached,
                came.affirmed,
                came.denied,
                came.gone
            )
        }
    }
}
