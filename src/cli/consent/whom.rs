//! Whom a command is about: an address, or a record.

use std::io::BufRead as _;

use clap::Args;

use super::super::crm::Failed;
use crate::config::Config;
use crate::diagnostic::{nearest, quoted};
use crate::ledger::{Address, Reference, Who};

/// Bytes of a line that is read.
const LINE_BYTES_MAX: u64 = 4096;

/// Whom it is about.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Whom {
    /// The person's address; `-` reads it from standard input, so that it stands neither in the list of processes nor in the
    /// history of a shell
    #[arg(long, value_name = "ADDRESS", allow_hyphen_values = true)]
    email: Option<String>,
    /// A record of the person: `sugar:Contacts/6f0c…`
    #[arg(long, value_name = "UPSTREAM:MODULE/ID")]
    record: Option<String>,
}

impl Whom {
    /// Who that is.
    pub(super) fn who(&self, config: &Config) -> Result<Who, Failed> {
        match (&self.email, &self.record) {
            (Some(email), _) => self::email(email).map(Who::Address),
            (None, Some(record)) => reference(record, config).map(Who::Record),
            (None, None) => Err(Failed::unusable("name a person: `--email -` or `--record`")),
        }
    }
}

fn email(text: &str) -> Result<Address, Failed> {
    let line = match text {
        "-" => line()?,
        text => text.to_owned(),
    };
    // The message does not repeat what was typed.
    Address::parse(&line).map_err(|why| Failed::unusable(format!("`--email`: {why}")))
}

fn line() -> Result<String, Failed> {
    let mut line = String::new();
    let input = std::io::stdin().lock();
    let read = std::io::Read::take(input, LINE_BYTES_MAX).read_line(&mut line);
    match read {
        Ok(0) => Err(Failed::unusable(
            "standard input is empty: `--email -` reads the address from it",
        )),
        Ok(_) => Ok(line),
        Err(error) => Err(Failed::unusable(format!(
            "standard input cannot be read: {}",
            crate::files::words(&error)
        ))),
    }
}

/// A record of a CRM that the configuration knows.
pub(super) fn reference(text: &str, config: &Config) -> Result<Reference, Failed> {
    let reference =
        Reference::parse(text).map_err(|why| Failed::unusable(format!("`--record`: {why}")))?;
    let upstream = text.split(':').next().unwrap_or_default();
    if config.upstreams.contains_key(upstream) {
        return Ok(reference);
    }
    let known = || config.upstreams.keys().map(String::as_str);
    let hint = match nearest(upstream, known()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are {}", known().collect::<Vec<_>>().join(", ")),
    };
    Err(Failed::unusable(format!(
        "no upstream {}; {hint}",
        quoted(upstream)
    )))
}
