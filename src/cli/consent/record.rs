//! `paravent consent record` and `withdraw`.

use clap::Args;
use jiff::Timestamp;
use serde_json::Value;

use super::super::crm::Failed;
use super::super::{DONE, Format, print};
use super::Configured;
use super::opened::{Opened, refused, with};
use super::whom::Whom;
use crate::consent::{self, PolicyTerms, denial, moment};
use crate::diagnostic::{nearest, quoted};
use crate::ledger::{Channel, Draft, Kind, Proof, Recorded, ShownText, Who};

/// All purposes.
const EVERY: &str = "*";
/// What `withdraw` records.
const DENIALS: [Kind; 4] = [
    Kind::Withdrawn,
    Kind::Refused,
    Kind::Objected,
    Kind::Restricted,
];

/// What is recorded.
#[derive(Debug, Args)]
#[command(
    after_help = "`double-opt-in` is made by a confirmed link alone; `signed-request` needs `--reference`.\nWhere a denial stands, only the person's own act affirms, or yours with `--despite-denial`.\nAsked again with the same `--reference`, it is recorded once."
)]
pub(super) struct Arguments {
    /// What it says [default: given]
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Option<Kind>,
    /// How well it is proven: none, single-opt-in, signed-request [default: none]
    #[arg(long, value_name = "PROOF", value_parser = proof)]
    proof: Option<Proof>,
    /// When it ends: a moment, or the day with whose beginning it does, in UTC
    #[arg(long, value_name = "TIME", value_parser = moment)]
    expires: Option<Timestamp>,
    /// To whom data may go
    #[arg(long, value_name = "NAME")]
    recipient: Option<String>,
    /// The text that the person was shown: its name and version in the policy
    #[arg(long, value_name = "ID@VERSION")]
    text: Option<String>,
    /// The language of that text [default: the first of the policy's `organisation`]
    #[arg(long, value_name = "CODE", requires = "text")]
    language: Option<String>,
    /// Where a denial stands: what shows that the person changed their mind
    #[arg(long, value_name = "REFERENCE")]
    despite_denial: Option<String>,
    #[command(flatten)]
    asked: Asked,
}

/// What is recorded of a denial.
#[derive(Debug, Args)]
pub(super) struct Withdrawal {
    /// What it says: withdrawn, refused, objected, restricted [default: withdrawn]
    #[arg(long, value_name = "KIND", value_parser = denying)]
    kind: Option<Kind>,
    #[command(flatten)]
    asked: Asked,
}

/// What both need.
#[derive(Debug, Args)]
struct Asked {
    #[command(flatten)]
    whom: Whom,
    /// The purpose; what denies may be about all of them: `*`
    #[arg(long, value_name = "PURPOSE")]
    purpose: String,
    /// Where it comes from: `telephone`, `fair-2026`
    #[arg(long, value_name = "SOURCE")]
    source: String,
    /// Who records it
    #[arg(long, value_name = "NAME")]
    by: String,
    /// When it happened: a moment, or a day in UTC [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<Timestamp>,
    /// The name under which it is recorded once: of a letter, a ticket, a signed request
    #[arg(long, value_name = "REFERENCE")]
    reference: Option<String>,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    config: Configured,
}

/// Runs `record`.
pub(super) fn run(arguments: &Arguments) -> Result<u8, Failed> {
    with(&arguments.asked.config.path, async |opened: &Opened| {
        let kind = arguments.kind.unwrap_or(Kind::Given);
        let mut draft = arguments.asked.draft(opened, kind)?;
        draft.proof = arguments.proof.unwrap_or(Proof::None);
        draft.expires = arguments.expires;
        draft.recipient = arguments.recipient.clone();
        draft.despite_denial = arguments.despite_denial.clone();
        if let Some(text) = &arguments.text {
            let (shown, language) = shown(&opened.terms, text, arguments.language.as_deref())?;
            (draft.text, draft.language) = (Some(shown), Some(language));
        }
        if kind.affirms() && draft.despite_denial.is_none() {
            no_denial(opened, &draft.who, &draft.purpose).await?;
        }
        record(opened, draft, arguments.asked.format).await
    })
}

/// Runs `withdraw`.
pub(super) fn withdraw(arguments: &Withdrawal) -> Result<u8, Failed> {
    with(&arguments.asked.config.path, async |opened: &Opened| {
        let kind = arguments.kind.unwrap_or(Kind::Withdrawn);
        let draft = arguments.asked.draft(opened, kind)?;
        record(opened, draft, arguments.asked.format).await
    })
}

impl Asked {
    fn draft(&self, opened: &Opened, kind: Kind) -> Result<Draft, Failed> {
        let purpose = purpose(&opened.terms, &self.purpose, kind)?;
        let who = self.whom.who(&opened.config)?;
        let mut draft = Draft::new(who, purpose, kind, Channel::Staff);
        draft.source.clone_from(&self.source);
        draft.by.clone_from(&self.by);
        draft.at = self.at;
        draft.reference.clone_from(&self.reference);
        Ok(draft)
    }
}

async fn record(opened: &Opened, draft: Draft, format: Format) -> Result<u8, Failed> {
    let recorded = opened.ledger.append(draft).await.map_err(refused)?;
    print(&told(&recorded, format));
    Ok(DONE)
}

fn told(recorded: &Recorded, format: Format) -> String {
    let event = recorded.event();
    match format {
        Format::Json => {
            let mut told = consent::event(event);
            if let Value::Object(members) = &mut told {
                members.insert("person".to_owned(), event.person.as_str().into());
                members.insert("new".to_owned(), recorded.is_new().into());
            }
            format!("{told:#}\n")
        }
        Format::Text => {
            let done = match recorded.is_new() {
                true => "recorded",
                false => "was recorded before",
            };
            let (kind, purpose) = (event.kind.name(), &event.purpose);
            format!(
                "{done}: {} ({kind}, {purpose}, {})\n",
                event.id, event.person
            )
        }
    }
}

/// A purpose that the policy declares; what denies may be about all of them.
pub(super) fn purpose<'a>(
    terms: &PolicyTerms,
    name: &'a str,
    kind: Kind,
) -> Result<&'a str, Failed> {
    let is_all = name == EVERY && !kind.affirms() && kind != Kind::Requested;
    if is_all || terms.purposes.contains_key(name) {
        return Ok(name);
    }
    if name == EVERY {
        return Err(Failed::unusable(
            "consent is given for one purpose: only what denies, lifts or tells may be about `*`",
        ));
    }
    let known = || terms.purposes.keys().map(String::as_str);
    let near = nearest(name, known());
    let hint = near.map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"));
    let known = known().collect::<Vec<_>>().join(", ");
    Err(Failed::unusable(format!(
        "the policy has no purpose {}{hint}: it has {known}",
        quoted(name)
    )))
}

/// The text that was shown, and its language.
fn shown(
    terms: &PolicyTerms,
    text: &str,
    language: Option<&str>,
) -> Result<(ShownText, String), Failed> {
    let (name, version) = text
        .split_once('@')
        .ok_or_else(|| Failed::unusable("`--text` is written `name@version`"))?;
    let first = terms.organisation.languages.first();
    let first = first.map(|language| language.as_str());
    let language = language.or(first).ok_or_else(|| {
        Failed::unusable(
            "name the language of the text, `--language`: the policy's `organisation` names none",
        )
    })?;
    let shown = terms.shown(name, version, language).ok_or_else(|| {
        let known = terms.texts.iter();
        let known: Vec<String> = known
            .map(|(name, text)| format!("{name}@{}", text.version))
            .collect();
        let known = match known.is_empty() {
            true => "it has none".to_owned(),
            false => format!("it has {}", known.join(", ")),
        };
        Failed::unusable(format!(
            "the policy has no text of this name, version and language: {known}"
        ))
    })?;
    Ok((shown, language.to_owned()))
}

/// What would be recorded and count for nothing is refused.
async fn no_denial(opened: &Opened, who: &Who, purpose: &str) -> Result<(), Failed> {
    let ledger = &opened.ledger;
    let Some(person) = ledger.person(who.clone()).await.map_err(refused)? else {
        return Ok(());
    };
    let history = ledger.history(person.id).await.map_err(refused)?;
    match denial(&history, purpose) {
        None => Ok(()),
        Some(denial) => Err(Failed::problem(format!(
            "a denial stands: {} ({}, {}); only the person's own act affirms, or name what shows that the person changed their mind, `--despite-denial REFERENCE`",
            denial.id,
            denial.kind.name(),
            consent::time(denial.at)
        ))),
    }
}

fn kind(text: &str) -> Result<Kind, String> {
    let known = Kind::ALL
        .into_iter()
        .filter(|kind| *kind != Kind::Confirmed);
    one_of(known, text)
}

fn denying(text: &str) -> Result<Kind, String> {
    one_of(DENIALS.into_iter(), text)
}

fn one_of(mut known: impl Iterator<Item = Kind> + Clone, text: &str) -> Result<Kind, String> {
    let names: Vec<&str> = known.clone().map(Kind::name).collect();
    let found = known.find(|kind| kind.name() == text);
    found.ok_or_else(|| format!("must be one of {}", names.join(", ")))
}

fn proof(text: &str) -> Result<Proof, String> {
    match Proof::named(text) {
        Some(Proof::DoubleOptIn) => Err(
            "only a confirmed link makes `double-opt-in`: what is recorded here proves at most `single-opt-in`, or `signed-request`"
                .to_owned(),
        ),
        Some(proof) => Ok(proof),
        None => Err("must be one of none, single-opt-in, signed-request".to_owned()),
    }
}
