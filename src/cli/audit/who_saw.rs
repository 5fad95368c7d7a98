//! `paravent audit who-saw`: who saw a record. For the house, and for the person whom it is about.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::audit::{Page, Pages, Query, record_reading, visible};

use super::query::{ListFormat, WHOLE, say_complete, table};
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
    /// Name staff in the person's edition, because of this: it is noted in the log.
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
    if args.with_staff.is_some() && args.edition == Edition::Internal {
        let error = io::Error::other(
            "`--with-staff` is about `--edition person`; the internal one names callers anyway",
        );
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
    let mut events = Vec::new();
    let summary = asked.answer(&args.dir, Page::default(), Pages::Index, &mut |event| {
        events.push(Told::of(event));
        ControlFlow::Continue(())
    });
    let summary = match summary {
        Ok(summary) => summary,
        Err(fault) => return unusable(&fault, streams.err),
    };
    let answer = Answer {
        args,
        labels,
        events,
    };
    match args.edition {
        Edition::Internal => answer.internal(streams.out)?,
        Edition::Person => answer.person(streams.out)?,
    }
    if args.linked {
        answer.linked(streams.out)?;
    }
    say_unrecorded(noted, streams.err)?;
    if summary.matched == summary.unclosed {
        let record = visible(&args.record);
        writeln!(
            streams.err,
            "no request is known to have named `{record}`, of {} events",
            summary.events
        )?;
    }
    if summary.unclosed > 0 {
        writeln!(
            streams.err,
            "note: requests that were never closed: {}; nobody knows which records they reached, so each is listed, with up to everything",
            summary.unclosed
        )?;
    }
    say_complete(&summary, streams.err)?;
    readable(&summary, streams.err)
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
    words.extend(
        args.with_staff
            .as_ref()
            .map(|why| format!("with-staff={why}")),
    );
    words_of(&words, args.reason.as_deref())
}

struct Answer<'a> {
    args: &'a WhoSawArgs,
    labels: Labels,
    events: Vec<Told>,
}

/// What a person reads: on a day, for a purpose, by whom.
type Disclosure = (String, String, String);

impl Answer<'_> {
    fn lang(&self) -> Lang {
        self.args.lang
    }

    /// The module of the record.
    fn module(&self) -> &str {
        let record = self.args.record.as_str();
        let name = record.split_once('/').map_or(record, |(module, _)| module);
        name.split_once(':').map_or(name, |(_, module)| module)
    }

    /// What became of data of the record's module.
    fn data(&self, event: &Told) -> Vec<Data> {
        let mut data = event.data();
        data.retain(|data| data.is_of(self.module()));
        data
    }

    fn everything(&self) -> &'static str {
        self.lang().of("up to everything", "jusqu'à tout")
    }

    /// For the house: one row a request.
    fn internal(&self, out: &mut dyn io::Write) -> io::Result<()> {
        if self.args.format == ListFormat::Json {
            for event in &self.events {
                writeln!(out, "{}", self.internal_json(event))?;
            }
            return Ok(());
        }
        let mut rows: Vec<Vec<String>> = self
            .events
            .iter()
            .map(|event| self.internal_row(event))
            .collect();
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
        self.write(&header, &mut rows, WHOLE, out)
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
                lines.push(format!("{level}: {}", names.join(", ")));
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
        let name = event.text("/caller/name");
        let is_machine = event.text("/caller/kind") == "machine";
        if is_machine || self.args.with_staff.is_some() && !name.is_empty() {
            return name;
        }
        let words = ("staff of the organisation", "personnel de l'organisme");
        self.lang().of(words.0, words.1).to_owned()
    }

    /// What was disclosed, by day, purpose and recipient; without what was only withheld.
    fn disclosures(&self) -> BTreeMap<Disclosure, BTreeSet<String>> {
        let mut all: BTreeMap<Disclosure, BTreeSet<String>> = BTreeMap::new();
        for event in &self.events {
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
                continue;
            }
            let (day, _) = event.day_and_time();
            let purpose = self.labels.purpose(&event.text("/purpose/id"));
            let key = (day, purpose, self.recipient(event));
            all.entry(key).or_default().extend(shown);
        }
        all
    }

    /// For the person.
    fn person(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let disclosures = self.disclosures();
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
        self.write(&header, &mut rows, &[0], out)
    }

    /// Records of other modules that were disclosed in replies which disclosed this one. Where it was the only one of its
    /// module there, they were disclosed through it; else some may belong to others.
    fn linked(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let record = visible(&self.args.record);
        let prefix = record
            .split_once('/')
            .map(|(module, _)| format!("{module}/"));
        let prefix = prefix.unwrap_or_default();
        let mut others: BTreeMap<String, (u64, bool, String)> = BTreeMap::new();
        for event in self.events.iter().filter(|event| !event.is_unclosed) {
            let refs = event.list("/records/refs");
            let of_module = refs.iter().filter(|one| one.starts_with(&prefix)).count();
            let (day, _) = event.day_and_time();
            for other in refs.iter().filter(|one| !one.starts_with(&prefix)) {
                let found = others.entry(other.clone()).or_default();
                *found = (found.0 + 1, found.1 || of_module <= 1, day.clone());
            }
        }
        if self.args.format == ListFormat::Json {
            for (other, (count, is_alone, day)) in others {
                let row = json!({"linked": other, "replies": count, "only_record_of_its_module": is_alone, "last": day});
                writeln!(out, "{row}")?;
            }
            return Ok(());
        }
        let lang = self.lang();
        let title = lang.of(
            "Records of other modules in the same replies. \"through it\": in one of them, this was the only record of its module; \"beside it\": there were others, to which they may belong.",
            "Fiches d'autres modules dans les mêmes réponses. « par elle » : dans l'une d'elles, c'était la seule fiche de son module ; « à côté » : il y en avait d'autres, auxquelles elles peuvent appartenir.",
        );
        writeln!(out, "\n{title}\n")?;
        let mut rows: Vec<Vec<String>> = others
            .into_iter()
            .map(|(other, (count, is_alone, day))| {
                let how = match is_alone {
                    true => lang.of("through it", "par elle"),
                    false => lang.of("beside it", "à côté"),
                };
                vec![other, how.to_owned(), count.to_string(), day]
            })
            .collect();
        let header = match lang {
            Lang::En => ["RECORD", "HOW", "REPLIES", "LAST"],
            Lang::Fr => ["FICHE", "COMMENT", "RÉPONSES", "DERNIÈRE"],
        };
        self.write(&header, &mut rows, &[3], out)
    }

    fn write(
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
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::Path;

    use serde_json::{Value, json};
    use tempfile::TempDir;

    use super::super::tests::run_in;

    /// An event of a request of fanny, a person, or of an outside machine; or of one that was never closed.
    fn event(seq: u64, caller: (&str, &str), phase: &str, level: &str) -> Value {
        let (name, kind) = caller;
        let mut event = json!({
            "auth": {"age_seconds": 1, "method": "crm-session"},
            "caller": {"id": format!("id-of-{name}"), "kind": kind, "name": name},
            "id": format!("01REQUEST{seq}"), "node": "n", "origin": {"ip": "10.2.14.0/24"},
            "phase": phase, "prev": "sha256:0",
            "records": {"count": 1, "refs": {"Contacts": ["c-1"], "Accounts": ["a-9"]}},
            "request": {"action": "read", "dialect": "sugar-rest", "module": "Contacts", "upstream": "crm"},
            "seq": seq, "time": format!("2026-11-28T10:0{seq}:00.000Z"), "v": 2,
            "terms": {
                "data": [
                    {"by": ["r"], "category": "financial.iban", "fields": ["Contacts.iban_c"], "level": level},
                    {"by": ["r"], "category": "special.health", "fields": ["Contacts.health_c"], "level": "hide"},
                ],
                "policy": {"hash": "sha256:1", "mode": "enforce", "name": "p", "schema": "sha256:2"},
                "purpose": {"basis": "contract", "chosen_by": "default", "id": "payment"},
                "roles": ["secret-role"],
            },
        });
        if phase == "closed" {
            event["outcome"] = json!({"kind": "partial", "milliseconds": 3, "status": 200});
        }
        event
    }

    /// The same with its keys in order, as events have them.
    fn sorted(value: &Value) -> Value {
        match value {
            Value::Object(entries) => {
                let entries: BTreeMap<&String, Value> = entries
                    .iter()
                    .map(|(key, value)| (key, sorted(value)))
                    .collect();
                let entries = entries.into_iter().map(|(key, value)| (key.clone(), value));
                Value::Object(entries.collect())
            }
            Value::Array(items) => items.iter().map(sorted).collect(),
            other => other.clone(),
        }
    }

    fn log(dir: &Path) {
        let events = [
            event(1, ("fanny", "human"), "closed", "clear"),
            event(2, ("=acme-billing", "machine"), "closed", "mask"),
            event(3, ("fanny", "human"), "closed", "hide"),
            event(4, ("bob", "human"), "opened", "clear"),
        ];
        let lines: Vec<String> = events
            .iter()
            .map(|event| format!("{}\n", sorted(event)))
            .collect();
        fs::write(dir.join("audit-0000000000000001.jsonl"), lines.concat()).unwrap();
        fs::create_dir(dir.join("spool")).unwrap();
    }

    #[test]
    fn the_house_reads_who_and_the_person_does_not() {
        let dir = TempDir::new().unwrap();
        log(dir.path());
        let (code, out, err) = run_in(dir.path(), "who-saw DIR Contacts/c-1");
        assert_eq!(code, 0, "{err}");
        for word in [
            "fanny",
            "secret-",
            "01REQUEST3",
            "up to everything",
            "financial.",
        ] {
            assert!(out.contains(word), "{word}\n{out}");
        }
        assert!(
            out.lines()
                .all(|line| line.trim_end().chars().count() <= 80),
            "{out}"
        );
        assert!(
            err.contains("never closed: 1") && err.contains("complete up to event 4"),
            "{err}"
        );
        for format in ["table", "csv", "json"] {
            let line = format!("who-saw DIR Contacts/c-1 --edition person --format {format}");
            let (_, out, _) = run_in(dir.path(), &line);
            for word in [
                "fanny",
                "bob",
                "secret-role",
                "10.2.14",
                "01REQUEST",
                "special.health",
            ] {
                assert!(!out.contains(word), "{word}\n{out}");
            }
            for word in ["2026-11-28", "payment", "acme-billing", "up to everything"] {
                assert!(out.contains(word), "{word}\n{out}");
            }
            assert!(format != "csv" || out.contains(",'=acme-billing,"), "{out}");
        }
    }

    #[test]
    fn staff_is_named_where_that_was_decided_and_the_log_knows_why() {
        let dir = TempDir::new().unwrap();
        log(dir.path());
        let (_, out, _) = run_in(
            dir.path(),
            "who-saw DIR Contacts/c-1 --edition person --with-staff case-17",
        );
        assert!(
            out.contains("fanny") && !out.contains("secret-role"),
            "{out}"
        );
        let notes = fs::read_dir(dir.path().join("spool")).unwrap().flatten();
        let notes: Vec<String> = notes
            .map(|note| fs::read_to_string(note.path()).unwrap())
            .collect();
        assert!(notes.concat().contains("with-staff=case-17"), "{notes:?}");
        assert_eq!(
            run_in(dir.path(), "who-saw DIR Contacts/c-1 --with-staff case-17").0,
            2
        );
    }

    #[test]
    fn records_of_the_same_replies_are_told_with_what_is_known_of_them() {
        let dir = TempDir::new().unwrap();
        log(dir.path());
        let (_, out, _) = run_in(
            dir.path(),
            "who-saw DIR Contacts/c-1 --linked --format json",
        );
        let linked = out.lines().find(|line| line.contains("a-9")).unwrap();
        let linked: Value = serde_json::from_str(linked).unwrap();
        assert_eq!(linked["linked"], "Accounts/a-9");
        assert_eq!(
            (&linked["replies"], &linked["only_record_of_its_module"]),
            (&json!(3), &json!(true))
        );
    }

    #[test]
    fn a_decision_is_told_in_a_sentence() {
        let dir = TempDir::new().unwrap();
        log(dir.path());
        let (_, out, _) = run_in(dir.path(), "show DIR 01REQUEST1");
        assert!(
            out.starts_with("On 28 November 2026 at 10:01 (UTC) fanny (secret-role) read Contacts"),
            "{out}"
        );
        assert!(
            out.contains("the caller saw financial.iban in clear; hidden: special.health."),
            "{out}"
        );
        let (_, out, _) = run_in(dir.path(), "show DIR 01REQUEST4 --lang fr");
        assert!(out.contains("jusqu'à tout a pu être communiqué"), "{out}");
        let (_, out, _) = run_in(dir.path(), "tail DIR -n 1 caller=fanny");
        assert!(
            out.contains("01REQUEST3") && out.lines().count() == 1,
            "{out}"
        );
    }
}
