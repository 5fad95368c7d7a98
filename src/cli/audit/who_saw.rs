//! `paravent audit who-saw`: who saw a record. For the house, and for the person whom it is about.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::audit::{Page, Pages, Query, Summary, record_reading, visible};

use super::query::{ListFormat, WHOLE, by_kind, say_complete, table};
use super::told::{Data, Told, csv};
use super::words::{Labels, Lang};
use super::{Streams, readable, say_unrecorded, unusable, words_of};

/// Which record, and for whom the answer is.
#[derive(Debug, Args)]
pub(super) struct WhoSawArgs {
    /// The folder of the log.
    pub(super) dir: PathBuf,
    /// The record: MODULE/ID, or UPSTREAM:MODULE/ID where the log tells of several CRMs.
    #[arg(value_name = "MODULE/ID")]
    pub(super) record: String,
    /// For the house (who, when, why, what), or for the person (days, purposes, categories, outside recipients).
    #[arg(long, value_enum, default_value_t)]
    pub(super) edition: Edition,
    /// Also the records of other modules that were disclosed in the same replies.
    #[arg(long)]
    pub(super) linked: bool,
    /// A role of callers who are no staff, as partners or processors: the person's edition names them. May be repeated.
    #[arg(long, value_name = "ROLE")]
    pub(super) outside: Vec<String>,
    /// Name staff in the person's edition, because of this: it is noted in the log, or nobody is named.
    #[arg(long, value_name = "REASON")]
    pub(super) with_staff: Option<String>,
    /// How to answer.
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: ListFormat,
    /// The language of the answer.
    #[arg(long, value_enum, default_value_t)]
    pub(super) lang: Lang,
    /// A policy folder, whose labels are used.
    #[arg(long, value_name = "DIR")]
    pub(super) policies: Option<PathBuf>,
    /// Read the segments only, even if there is an index.
    #[arg(long)]
    pub(super) no_index: bool,
    /// Why, for the note in the log.
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: Option<String>,
}

/// For whom an answer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Edition {
    /// For those who keep the data: with callers.
    #[default]
    Internal,
    /// For the person whom the record is about: without staff.
    Person,
}

pub(super) fn run(args: &WhoSawArgs, streams: &mut Streams<'_>) -> io::Result<u8> {
    if let Err(error) = args.fit() {
        return unusable(&error, streams.err);
    }
    let labels = match Labels::of(args.policies.as_ref(), args.lang) {
        Ok(labels) => labels,
        Err(code) => return Ok(code),
    };
    let word = format!("record={}", args.record.replace(',', "\\,"));
    let asked = match Query::parse([word.as_str()], Timestamp::now()) {
        Ok(asked) => asked,
        Err(error) => return unusable(&error, streams.err),
    };
    let noted = record_reading(&args.dir, "who-saw", &noted_words(args));
    if let (Err(cause), true) = (&noted, args.with_staff.is_some()) {
        let error = io::Error::other(format!(
            "staff is named only where the log gets to know why, and it does not: {cause}"
        ));
        return unusable(&error, streams.err);
    }
    let mut answer = Answer::new(args, labels);
    let mut written = Ok(());
    let pages = Pages::unless(args.no_index);
    let summary = asked.answer(&args.dir, Page::default(), pages, &mut |event| {
        written = answer.take(&Told::of(event), streams.out);
        match written {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    });
    let summary = match summary {
        Ok(summary) => summary,
        Err(fault) => return unusable(&fault, streams.err),
    };
    written?;
    answer.write(streams.out)?;
    say_unrecorded(noted, streams.err)?;
    say(args, &summary, &answer.roles, streams.err)?;
    say_complete(&summary, streams.err)?;
    readable(&summary, streams.err)
}

/// What is to be said beside the answer.
fn say(
    args: &WhoSawArgs,
    summary: &Summary,
    roles: &BTreeSet<String>,
    err: &mut dyn io::Write,
) -> io::Result<()> {
    if summary.matched == summary.unclosed {
        let record = visible(&args.record);
        writeln!(
            err,
            "no request is known to have named `{record}`, of {} events",
            summary.events
        )?;
    }
    if summary.unclosed > 0 {
        writeln!(
            err,
            "note: requests that were never closed: {}; nobody knows which records they reached, so each is listed, with up to everything",
            summary.unclosed
        )?;
    }
    for role in args.outside.iter().map(|role| visible(role)) {
        if !roles.contains(&role) {
            writeln!(
                err,
                "note: no caller of these requests has the role `{role}`"
            )?;
        }
    }
    Ok(())
}

impl WhoSawArgs {
    /// Whether they go together.
    fn fit(&self) -> io::Result<()> {
        let is_internal = self.edition == Edition::Internal;
        let reason = self.with_staff.as_deref().map(str::trim);
        let wrong = match reason {
            Some(_) if is_internal => {
                "`--with-staff` is about `--edition person`; the internal one names callers anyway"
            }
            Some("") => "`--with-staff` needs a reason, which is noted in the log",
            _ if is_internal && !self.outside.is_empty() => {
                "`--outside` is about `--edition person`; the internal one names callers anyway"
            }
            _ if !is_internal && self.linked => {
                "`--linked` names records of others, which the person may not read; it goes with `--edition internal`"
            }
            _ => return Ok(()),
        };
        Err(io::Error::other(wrong))
    }
}

/// What the note in the log says.
fn noted_words(args: &WhoSawArgs) -> Vec<String> {
    let mut words = vec![args.record.clone()];
    if args.edition == Edition::Person {
        words.push("edition=person".to_owned());
    }
    if args.linked {
        words.push("linked".to_owned());
    }
    words.extend(args.outside.iter().map(|role| format!("outside={role}")));
    words.extend(
        args.with_staff
            .as_ref()
            .map(|why| format!("with-staff={why}")),
    );
    words_of(&words, args.reason.as_deref())
}

/// An answer that grows event by event: of each, only what is told is kept.
struct Answer<'a> {
    args: &'a WhoSawArgs,
    labels: Labels,
    /// For the house: one row a request.
    rows: Vec<Vec<String>>,
    /// For the person: what was disclosed.
    disclosures: BTreeMap<Disclosure, BTreeSet<String>>,
    /// Records of other modules.
    others: BTreeMap<String, Other>,
    /// The roles that callers had.
    roles: BTreeSet<String>,
}

/// What a person reads: on a day, for a purpose, by whom.
type Disclosure = (String, String, String);

/// A record that was disclosed in the same replies.
#[derive(Default)]
struct Other {
    replies: u64,
    /// Whether in one of them the record that is asked for was the only one of its module.
    is_through: bool,
    last: String,
}

/// The module of a record, `Contacts/c-1` or `crm:Contacts/c-1`. Records of one event are of one CRM.
fn module_of(record: &str) -> &str {
    let name = record.split_once('/').map_or(record, |(module, _)| module);
    name.split_once(':').map_or(name, |(_, module)| module)
}

impl<'a> Answer<'a> {
    fn new(args: &'a WhoSawArgs, labels: Labels) -> Self {
        Self {
            args,
            labels,
            rows: Vec::new(),
            disclosures: BTreeMap::new(),
            others: BTreeMap::new(),
            roles: BTreeSet::new(),
        }
    }

    fn lang(&self) -> Lang {
        self.args.lang
    }

    /// What became of data of the record's module.
    fn data(&self, event: &Told) -> Vec<Data> {
        let mut data = event.data();
        data.retain(|data| data.is_of(module_of(&self.args.record)));
        data
    }

    fn everything(&self) -> &'static str {
        self.lang().of("up to everything", "jusqu'à tout")
    }

    /// Takes an event. What needs no room is written at once.
    fn take(&mut self, event: &Told, out: &mut dyn io::Write) -> io::Result<()> {
        if self.args.linked && !event.is_unclosed {
            self.take_others(event);
        }
        match (self.args.edition, self.args.format) {
            (Edition::Internal, ListFormat::Json) => {
                writeln!(out, "{}", self.internal_json(event))?;
            }
            (Edition::Internal, _) => {
                let row = self.internal_row(event);
                self.rows.push(row);
            }
            (Edition::Person, _) => self.take_disclosure(event),
        }
        Ok(())
    }

    /// Writes what was kept.
    fn write(&mut self, out: &mut dyn io::Write) -> io::Result<()> {
        match self.args.edition {
            Edition::Internal => self.internal(out)?,
            Edition::Person => self.person(out)?,
        }
        match self.args.linked {
            true => self.linked(out),
            false => Ok(()),
        }
    }

    /// For the house: one row a request.
    fn internal(&mut self, out: &mut dyn io::Write) -> io::Result<()> {
        if self.args.format == ListFormat::Json {
            return Ok(());
        }
        let header = match self.lang() {
            Lang::En => ["WHEN (UTC)", "DECISION", "WHO", "WHY, WHAT", "LEVELS", "N"],
            Lang::Fr => [
                "QUAND (UTC)",
                "DÉCISION",
                "QUI",
                "POURQUOI, QUOI",
                "NIVEAUX",
                "N",
            ],
        };
        let mut rows = std::mem::take(&mut self.rows);
        self.print(&header, &mut rows, WHOLE, out)
    }

    fn internal_row(&self, event: &Told) -> Vec<String> {
        let (day, time) = event.day_and_time();
        let levels: Vec<String> = match event.is_unclosed {
            true => vec![self.everything().to_owned()],
            false => self.levels(event),
        };
        let levels = match levels.is_empty() {
            true => event.outcome(),
            false => levels.join("\n"),
        };
        let why = self.labels.purpose(&event.text("/purpose/id"));
        let count = event.number("/records/count").unwrap_or(0).to_string();
        vec![
            format!("{day}\n{time}"),
            event.text("/id"),
            event.who().replacen(" (", "\n(", 1),
            format!("{why}\n{}", event.what()).trim().to_owned(),
            levels,
            if event.is_unclosed {
                "?".to_owned()
            } else {
                count
            },
        ]
    }

    /// The categories at each level, from what was shown most to what was withheld.
    fn levels(&self, event: &Told) -> Vec<String> {
        let data = self.data(event);
        let mut lines = Vec::new();
        for level in ["clear", "mask", "token", "redact", "hide"] {
            let of_level = data.iter().filter(|data| data.level == level);
            let names: Vec<String> = of_level
                .map(|data| self.labels.category(data.name()))
                .collect();
            if !names.is_empty() {
                lines.push(format!("{level}:\n{}", by_kind(&names)));
            }
        }
        lines
    }

    fn internal_json(&self, event: &Told) -> Value {
        let data: Vec<Value> = self
            .data(event)
            .iter()
            .map(|data| json!({"category": data.category, "level": data.level, "fields": data.fields, "in_text": data.in_text}))
            .collect();
        json!({
            "time": event.text("/time"), "id": event.text("/id"), "seq": event.number("/seq"),
            "caller": event.text("/caller/id"), "name": event.text("/caller/name"), "kind": event.text("/caller/kind"),
            "roles": event.list("/caller/roles"), "purpose": event.text("/purpose/id"),
            "action": event.text("/request/action"), "outcome": event.text("/outcome/kind"),
            "count": event.number("/records/count"), "data": data, "never_closed": event.is_unclosed,
        })
    }

    /// To whom data went, as the person may read it: outside recipients by name, staff not, unless that was decided.
    fn recipient(&self, event: &Told) -> String {
        let lang = self.lang();
        let named = [event.text("/caller/name"), event.text("/caller/id")];
        let Some(name) = named.into_iter().find(|name| !name.is_empty()) else {
            return lang.of("unknown", "inconnu").to_owned();
        };
        let roles = event.list("/caller/roles");
        let mut outside = self.args.outside.iter().map(|role| visible(role));
        let is_outside =
            event.text("/caller/kind") == "machine" || outside.any(|role| roles.contains(&role));
        match is_outside || self.args.with_staff.is_some() {
            true => name,
            false => {
                let words = ("staff of the organisation", "personnel de l'organisme");
                lang.of(words.0, words.1).to_owned()
            }
        }
    }

    /// What was disclosed, by day, purpose and recipient; without what was only withheld.
    fn take_disclosure(&mut self, event: &Told) {
        self.roles.extend(event.list("/caller/roles"));
        let shown: Vec<String> = match event.is_unclosed {
            true => vec![self.everything().to_owned()],
            false => self
                .data(event)
                .iter()
                .filter(|data| data.is_shown())
                .map(|data| self.labels.category(data.name()))
                .collect(),
        };
        if shown.is_empty() {
            return;
        }
        let (day, _) = event.day_and_time();
        let purpose = self.labels.purpose(&event.text("/purpose/id"));
        let key = (day, purpose, self.recipient(event));
        self.disclosures.entry(key).or_default().extend(shown);
    }

    /// For the person.
    fn person(&mut self, out: &mut dyn io::Write) -> io::Result<()> {
        let disclosures = std::mem::take(&mut self.disclosures);
        if self.args.format == ListFormat::Json {
            for ((day, purpose, recipient), categories) in &disclosures {
                let row = json!({"day": day, "purpose": purpose, "recipient": recipient, "categories": categories});
                writeln!(out, "{row}")?;
            }
            return Ok(());
        }
        let is_table = self.args.format == ListFormat::Table;
        let mut rows: Vec<Vec<String>> = disclosures
            .into_iter()
            .map(|((day, purpose, recipient), categories)| {
                let mark = if is_table { "\n" } else { "; " };
                let categories: Vec<String> = categories.into_iter().collect();
                vec![day, purpose, recipient, categories.join(mark)]
            })
            .collect();
        let header = match self.lang() {
            Lang::En => ["DAY", "PURPOSE", "RECIPIENT", "CATEGORIES OF DATA"],
            Lang::Fr => ["JOUR", "FINALITÉ", "DESTINATAIRE", "CATÉGORIES DE DONNÉES"],
        };
        self.print(&header, &mut rows, &[0], out)
    }

    /// Records of other modules that were disclosed in replies which disclosed this one. Where it was the only one of its
    /// module there, they were disclosed through it; else some may belong to others, as they may where the event does not
    /// name all records of the reply.
    fn take_others(&mut self, event: &Told) {
        let module = module_of(&self.args.record);
        let refs = event.list("/records/refs");
        let count = event.number("/records/count").unwrap_or(u64::MAX);
        let own = refs.iter().filter(|one| module_of(one) == module).count();
        let is_whole = event.text("/phase") == "closed" && refs.len() as u64 >= count;
        let (day, _) = event.day_and_time();
        for record in refs.into_iter().filter(|one| module_of(one) != module) {
            let other = self.others.entry(record).or_default();
            other.replies += 1;
            other.is_through |= own == 1 && is_whole;
            other.last.clone_from(&day);
        }
    }

    fn linked(&mut self, out: &mut dyn io::Write) -> io::Result<()> {
        let others = std::mem::take(&mut self.others);
        if self.args.format == ListFormat::Json {
            for (record, other) in others {
                let row = json!({"linked": record, "replies": other.replies, "only_record_of_its_module": other.is_through, "last": other.last});
                writeln!(out, "{row}")?;
            }
            return Ok(());
        }
        let lang = self.lang();
        let title = lang.of(
            "Records of other modules in the same replies. \"through it\": in one of them, this was the only record of its module; \"beside it\": there were others, or may have been, to which they may belong.",
            "Fiches d'autres modules dans les mêmes réponses. « par elle » : dans l'une d'elles, c'était la seule fiche de son module ; « à côté » : il y en avait d'autres, auxquelles elles peuvent appartenir.",
        );
        writeln!(out, "\n{title}\n")?;
        let mut rows: Vec<Vec<String>> = others
            .into_iter()
            .map(|(record, other)| {
                let how = match other.is_through {
                    true => lang.of("through it", "par elle"),
                    false => lang.of("beside it", "à côté"),
                };
                vec![
                    record,
                    how.to_owned(),
                    other.replies.to_string(),
                    other.last,
                ]
            })
            .collect();
        let header = match lang {
            Lang::En => ["RECORD", "HOW", "REPLIES", "LAST"],
            Lang::Fr => ["FICHE", "COMMENT", "RÉPONSES", "DERNIÈRE"],
        };
        self.print(&header, &mut rows, &[3], out)
    }

    fn print(
        &self,
        header: &[&str],
        rows: &mut Vec<Vec<String>>,
        whole: &[usize],
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        if self.args.format == ListFormat::Csv {
            let names = header.iter().map(|name| name.to_lowercase());
            rows.insert(0, names.collect());
            for text in rows.iter_mut().flatten() {
                *text = text.replace('\n', " ");
            }
            let text = csv(&*rows).map_err(io::Error::other)?;
            return write!(out, "{text}");
        }
        match rows.is_empty() {
            true => writeln!(out, "{}", self.lang().of("nothing", "rien")),
            false => writeln!(out, "{}", table(header, rows, whole)),
        }
    }
}

#[cfg(test)]
mod tests;
