//! `paravent audit report`.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::audit::{events_at_least, record_reading, time, visible};
use crate::cli::against::{Against, compiled, read};
use crate::config::Config;
use crate::diagnostic::nearest;
use crate::policy::Policy;
use crate::report::forms::{csv, json, page, terminal};
use crate::report::{Asked, Language, Name, Period, Report, make};

use super::{BROKEN, FINE, Streams, UNUSABLE, counting_bar, say_unrecorded, unusable};

/// What a review of accesses looks back on, unless told otherwise.
const REVIEWED: SignedDuration = SignedDuration::from_hours(90 * 24);
/// The filters, in the order in which help shows them.
const KEYS: [&str; 5] = ["caller", "category", "persons", "since", "until"];

/// Which report, and how to print it.
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// The folder of the log.
    pub(super) dir: PathBuf,
    /// Which report.
    #[arg(value_name = "NAME", value_parser = PossibleValuesParser::new(Name::ALL.map(Name::as_str)))]
    name: String,
    /// `caller=ID-OR-NAME` (breach-scope), `category=NAME` (category), `persons=MODULE,MODULE` (breach-scope),
    /// `since=TIME`, `until=TIME`.
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
    /// From the first event at or after this time on: 2026-11-23, 2026-11-23T09:00:00Z, or counted back: 7d. Without it: the
    /// whole log; for monthly the last whole month (UTC), for access-review 90 days.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Up to the last event before this time.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// How to print it.
    #[arg(long, value_enum, default_value_t)]
    format: ReportFormat,
    /// Which table to print as CSV; without it, the first one.
    #[arg(long, value_name = "KEY")]
    table: Option<String>,
    /// Into which file; it is replaced, and only its owner may read it. Without it: standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The language.
    #[arg(long, value_enum, default_value_t)]
    lang: Lang,
    /// The policy folder that the log is held against (access-review, register); without it, that of the configuration.
    #[arg(long, value_name = "DIR")]
    policies: Option<PathBuf>,
    /// Why the log is read: stands in the event of this reading.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Who answers for the processing (register).
    #[arg(long, value_name = "TEXT")]
    controller: Option<String>,
    /// Who is the data-protection officer (register).
    #[arg(long, value_name = "TEXT")]
    dpo: Option<String>,
    /// For what purpose employees are watched (unusual), unless the configuration says so: `audit.unusual`.
    #[arg(long, value_enum, value_name = "PURPOSE")]
    purpose: Option<Watching>,
    #[command(flatten)]
    against: Against,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    /// For a terminal.
    #[default]
    Table,
    /// All of it, for scripts.
    Json,
    /// One table, for spreadsheets.
    Csv,
    /// One page that needs nothing else, for printing.
    Html,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Lang {
    /// English.
    #[default]
    En,
    /// French.
    Fr,
}

/// The one purpose for which employees may be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Watching {
    /// The security of the data.
    Security,
}

/// What the filters say.
#[derive(Debug, Default)]
struct Filters {
    caller: Option<String>,
    category: Option<String>,
    persons: Vec<String>,
    since: Option<String>,
    until: Option<String>,
}

pub(super) fn run(args: &ReportArgs, streams: &mut Streams<'_>) -> io::Result<u8> {
    let now = Timestamp::now();
    // The words of the command line are those that exist.
    let name = Name::parse(&args.name).unwrap_or(Name::Monthly);
    let (filters, period) = match understood(args, name, now) {
        Ok(understood) => understood,
        Err(problem) => return refuse(&problem, streams),
    };
    if name == Name::Unusual
        && let Err(code) = watched(args, streams)?
    {
        return Ok(code);
    }
    if let Some(path) = &args.output
        && let Err(problem) = may_write(path, &args.dir)
    {
        return refuse(&problem, streams);
    }
    let policy = match policy(args, name, streams)? {
        Ok(policy) => policy,
        Err(code) => return Ok(code),
    };
    let noted = record_reading(&args.dir, "report", &words(args, &period));
    let asked = Asked {
        name,
        period,
        language: match args.lang {
            Lang::En => Language::English,
            Lang::Fr => Language::French,
        },
        caller: filters.caller,
        category: filters.category,
        persons: filters.persons,
        policy: policy.as_ref(),
        controller: args.controller.clone(),
        dpo: args.dpo.clone(),
    };
    let bar = counting_bar(events_at_least(&args.dir));
    let report = make(&args.dir, &asked, &mut |seq| {
        if seq.is_multiple_of(4_096) {
            bar.set_length(bar.length().unwrap_or(0).max(seq));
            bar.set_position(seq);
        }
    });
    bar.finish_and_clear();
    let report = match report {
        Ok(report) => report,
        Err(error) => return unusable(&error, streams.err),
    };
    say_unrecorded(noted, streams.err)?;
    print(args, &report, streams)
}

fn refuse(problem: &str, streams: &mut Streams<'_>) -> io::Result<u8> {
    writeln!(streams.err, "error: {problem}")?;
    Ok(UNUSABLE)
}

/// Reads the filters and the period.
fn understood(args: &ReportArgs, name: Name, now: Timestamp) -> Result<(Filters, Period), String> {
    let mut filters = Filters {
        since: args.since.clone(),
        until: args.until.clone(),
        ..Filters::default()
    };
    for word in &args.filters {
        filters.add(word)?;
    }
    for (needed, given, key) in [
        (name.needs_caller(), &filters.caller, "caller=ID-OR-NAME"),
        (name.needs_category(), &filters.category, "category=NAME"),
    ] {
        if needed && given.is_none() {
            return Err(format!(
                "`{}` needs `{key}`: `paravent audit report DIR {} {key}`",
                name.as_str(),
                name.as_str()
            ));
        }
    }
    for (is_read, is_given, key) in [
        (name.needs_caller(), filters.caller.is_some(), "caller"),
        (
            name.needs_category(),
            filters.category.is_some(),
            "category",
        ),
        (name.needs_caller(), !filters.persons.is_empty(), "persons"),
        (
            name == Name::Register,
            args.controller.is_some(),
            "--controller",
        ),
        (name == Name::Register, args.dpo.is_some(), "--dpo"),
        (name == Name::Unusual, args.purpose.is_some(), "--purpose"),
        (
            args.format == ReportFormat::Csv,
            args.table.is_some(),
            "--table",
        ),
    ] {
        if is_given && !is_read {
            return Err(format!(
                "`{key}` says nothing to the report `{}`, so it is not ignored but refused; leave it out",
                name.as_str()
            ));
        }
    }
    let period = period(&filters, name, now)?;
    Ok((filters, period))
}

impl Filters {
    fn add(&mut self, word: &str) -> Result<(), String> {
        let (key, value) = word.split_once('=').ok_or_else(|| {
            format!(
                "`{}` is not a filter; write `key=value` with one of {}",
                visible(word),
                KEYS.join(", ")
            )
        })?;
        if value.is_empty() {
            return Err(format!("`{}=` has no value", visible(key)));
        }
        let place = match key {
            "caller" => &mut self.caller,
            "category" => &mut self.category,
            "since" => &mut self.since,
            "until" => &mut self.until,
            "persons" => {
                self.persons.extend(value.split(',').map(str::to_owned));
                return Ok(());
            }
            _ => {
                let near = nearest(key, KEYS).map(|near| format!("did you mean `{near}`?"));
                let help = near.unwrap_or_else(|| format!("it is one of {}", KEYS.join(", ")));
                return Err(format!("unknown filter `{}`; {help}", visible(key)));
            }
        };
        match place.replace(value.to_owned()) {
            Some(_) => Err(format!("`{key}` is given twice")),
            None => Ok(()),
        }
    }
}

/// The time that a report is about.
fn period(filters: &Filters, name: Name, now: Timestamp) -> Result<Period, String> {
    let read = |word: &Option<String>| {
        let time = word.as_ref().map(|word| time(word, now));
        time.transpose().map_err(|error| error.to_string())
    };
    let (mut since, mut until) = (read(&filters.since)?, read(&filters.until)?);
    if since.is_none() && until.is_none() {
        let written = |time: Timestamp| format!("{time:.3}");
        match name {
            Name::Monthly => {
                let today = now.to_zoned(TimeZone::UTC).date();
                let this = today.first_of_month();
                let last = this.checked_sub(1.month()).unwrap_or(this);
                let begin = |day: jiff::civil::Date| {
                    let day = day.to_zoned(TimeZone::UTC);
                    day.ok().map(|day| written(day.timestamp()))
                };
                (since, until) = (begin(last), begin(this));
            }
            Name::AccessReview => since = now.checked_sub(REVIEWED).ok().map(written),
            _ => {}
        }
    }
    if let (Some(since), Some(until)) = (&since, &until)
        && since >= until
    {
        return Err(format!(
            "`until` ({until}) is not after `since` ({since}), so no event can lie between them"
        ));
    }
    Ok(Period { since, until })
}

/// Whether employees may be watched: only for a purpose that somebody has stated.
fn watched(args: &ReportArgs, streams: &mut Streams<'_>) -> io::Result<Result<(), u8>> {
    if args.purpose.is_some() {
        return Ok(Ok(()));
    }
    let stated = match &args.against.config {
        None => false,
        Some(path) => match Config::load(path).0 {
            Some(config) => config.audit.watches_for_security,
            None => {
                let path = path.display();
                writeln!(
                    streams.err,
                    "error: `{path}` cannot be used; `paravent check --config {path}` says why"
                )?;
                return Ok(Err(UNUSABLE));
            }
        },
    };
    if stated {
        return Ok(Ok(()));
    }
    writeln!(
        streams.err,
        "error: `unusual` watches employees, so it is off unless its purpose is stated: `audit.unusual: {{ purpose: security }}` in the configuration (give it with `--config FILE`), or `--purpose security`; docs/audit/reports.md says what that asks of an employer"
    )?;
    Ok(Err(UNUSABLE))
}

/// The policy that the log is held against.
fn policy(
    args: &ReportArgs,
    name: Name,
    streams: &mut Streams<'_>,
) -> io::Result<Result<Option<Policy>, u8>> {
    if !name.needs_policy() {
        return Ok(Ok(None));
    }
    let made = args.against.read().and_then(|(schemas, of_config)| {
        let Some(dir) = args.policies.clone().or(of_config) else {
            return Ok(None);
        };
        compiled(&read(&dir)?, &schemas).map(Some)
    });
    match made {
        Ok(None) => {
            writeln!(
                streams.err,
                "error: `{}` holds the log against what is declared; give the policy with `--policies DIR`, or a configuration with `--config FILE`",
                name.as_str()
            )?;
            Ok(Err(UNUSABLE))
        }
        Ok(policy) => Ok(Ok(policy)),
        // Said already.
        Err(_) => Ok(Err(UNUSABLE)),
    }
}

/// What the event of this reading says of it.
fn words(args: &ReportArgs, period: &Period) -> Vec<String> {
    let of_period = |word: &String| word.starts_with("since=") || word.starts_with("until=");
    let mut words = vec![args.name.clone()];
    words.extend(args.filters.iter().filter(|word| !of_period(word)).cloned());
    for (key, value) in [
        ("since", &period.since),
        ("until", &period.until),
        ("reason", &args.reason),
    ] {
        words.extend(value.iter().map(|value| format!("{key}={value}")));
    }
    words
}

fn print(args: &ReportArgs, report: &Report, streams: &mut Streams<'_>) -> io::Result<u8> {
    let text = match args.format {
        ReportFormat::Table => {
            let width = crate::cli::columns().filter(|_| args.output.is_none());
            terminal(report, width)
        }
        ReportFormat::Json => format!("{:#}\n", json(report)),
        ReportFormat::Csv => match csv(report, args.table.as_deref()) {
            Ok((text, left)) => {
                if !left.is_empty() {
                    let left = left.join(", ");
                    writeln!(
                        streams.err,
                        "note: CSV is one table; others: `--table` with one of {left}"
                    )?;
                }
                text
            }
            Err(error) => return unusable(&error, streams.err),
        },
        ReportFormat::Html => match page(report) {
            Ok(text) => text,
            Err(error) => return unusable(&error, streams.err),
        },
    };
    match &args.output {
        None => streams.out.write_all(text.as_bytes())?,
        Some(path) => {
            // Making the report took its time.
            if let Err(problem) = may_write(path, &args.dir) {
                return refuse(&problem, streams);
            }
            if let Err(error) = write(path, &text) {
                let path = path.display();
                writeln!(streams.err, "error: `{path}` cannot be written: {error}")?;
                return Ok(UNUSABLE);
            }
        }
    }
    if report.unread > 0 {
        writeln!(
            streams.err,
            "error: lines of the log that are not events of this version: {}; `paravent audit verify` says where the first one is",
            report.unread
        )?;
        return Ok(BROKEN);
    }
    Ok(FINE)
}

/// Whether a report may stand there: in the place of nothing but a file, and nowhere among the evidence.
fn may_write(path: &Path, log: &Path) -> Result<(), String> {
    let shown = path.display();
    if let Ok(found) = std::fs::symlink_metadata(path)
        && !found.is_file()
    {
        let kind = crate::files::kind(found.file_type());
        return Err(format!(
            "`{shown}` is {kind}; a report replaces what stands there, so it takes the place of a regular file only; give another name with `-o`"
        ));
    }
    let folder = path.parent().filter(|one| !one.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    let is_inside = match (folder.canonicalize(), log.canonicalize()) {
        (Ok(folder), Ok(log)) => folder.starts_with(log),
        // What is not there holds no evidence; whoever writes or reads there says so.
        _ => false,
    };
    if is_inside {
        return Err(format!(
            "`{shown}` lies in the folder of the log (`{}`), where nothing is written but evidence; give a place outside of it with `-o`",
            log.display()
        ));
    }
    Ok(())
}

/// Writes beside the file and then in its place, so that nobody reads half of it.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    let mut unfinished = std::ffi::OsString::from(".");
    unfinished.push(name);
    unfinished.push(format!(".{}.part", std::process::id()));
    let unfinished = path.with_file_name(unfinished);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&unfinished).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    let placed = written.and_then(|()| std::fs::rename(&unfinished, path));
    if placed.is_err() {
        // What is unfinished is of no use; the error is told.
        let _ = std::fs::remove_file(&unfinished);
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_takes_the_place_of_nothing_but_a_file_outside_of_the_log() {
        let dir = tempfile::TempDir::new().unwrap();
        let log = dir.path().join("log");
        std::fs::create_dir_all(log.join("checkpoints")).unwrap();
        let (file, link) = (dir.path().join("a.html"), dir.path().join("link"));
        std::fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&log, &link).unwrap();
        assert_eq!(may_write(&file, &log), Ok(()));
        assert_eq!(may_write(&dir.path().join("new"), &log), Ok(()));
        assert_eq!(may_write(&dir.path().join("log-november"), &log), Ok(()));
        let below = [
            log.join("audit-0000000000000001.jsonl"),
            log.join("new"),
            log.join("checkpoints/new"),
            link.join("new"),
            log.join("checkpoints/../new"),
        ];
        for path in below {
            let problem = may_write(&path, &log).unwrap_err();
            assert!(
                problem.contains("lies in the folder of the log"),
                "{problem}"
            );
            assert!(may_write(&path, &link).is_err());
        }
        let socket = dir.path().join("socket");
        let _bound = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for (path, kind) in [
            (Path::new("/dev/null"), "a device"),
            (&socket, "a socket"),
            (&link, "a link"),
            (dir.path(), "a folder"),
        ] {
            let problem = may_write(path, &log).unwrap_err();
            assert!(problem.contains(kind), "{problem}");
        }
    }
}
