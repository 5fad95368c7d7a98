//! `paravent key`: makes, lists, revokes and rotates API keys.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use comfy_table::{Table, presets};
use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{DONE, Format, PROBLEMS, UNUSABLE, colour, print, unusable};
use crate::audit;
use crate::config::{self, Config};
use crate::files;
use crate::identity::key::{Doing, File, Key, Made, Store, StoreError, Used};

/// What to do with API keys.
#[derive(Debug, Args)]
#[command(
    after_help = "A running proxy takes up a change within a second; it needs no restart. Run this as the user whose the file of keys is, or as root."
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a key, and show it once
    Create(Create),
    /// Show all keys: not their secrets, which nobody can show again
    List(List),
    /// Revoke a key for good; its name never comes back
    Revoke(Revoke),
    /// Give a key a new secret, and show it once
    Rotate(Rotate),
}

#[derive(Debug, Args)]
struct Create {
    /// The name by which the policy and the log call whoever holds it
    #[arg(long, value_name = "NAME")]
    name: String,
    /// How long it is valid (`90d`, `12h`), or the day with whose beginning it ends, in UTC (`2027-01-31`)
    #[arg(long, value_name = "TIME", value_parser = expiry)]
    expires: Expiry,
    /// A network, or one address, from which it is accepted; may be repeated
    #[arg(long, value_name = "NETWORK", required = true, value_parser = config::network)]
    from: Vec<IpNet>,
    #[command(flatten)]
    config: Configured,
}

#[derive(Debug, Args)]
struct List {
    /// The form of the list
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    config: Configured,
}

#[derive(Debug, Args)]
struct Revoke {
    /// Its name
    name: String,
    #[command(flatten)]
    config: Configured,
}

#[derive(Debug, Args)]
struct Rotate {
    /// Its name
    name: String,
    /// How long the secrets that it has stay valid: `7d`, or `0s` if one has leaked
    #[arg(long, value_name = "TIME", value_parser = duration)]
    grace: SignedDuration,
    /// How long the new secret is valid, or until when; as long as the one before, if nothing is said
    #[arg(long, value_name = "TIME", value_parser = expiry)]
    expires: Option<Expiry>,
    #[command(flatten)]
    config: Configured,
}

#[derive(Debug, Args)]
struct Configured {
    /// The configuration
    #[arg(long = "config", value_name = "FILE", default_value = "paravent.yaml")]
    path: PathBuf,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
enum KeyError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nobody has it now, and nobody can have it.
    #[error(
        "the new secret of `{name}` could not be shown, so nobody has it ({source}): `paravent key rotate {name} --grace 0s` makes another one"
    )]
    NotShown {
        name: String,
        source: std::io::Error,
    },
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> u8 {
    let (Command::Create(Create { config, .. })
    | Command::List(List { config, .. })
    | Command::Revoke(Revoke { config, .. })
    | Command::Rotate(Rotate { config, .. })) = &arguments.command;
    let config = match read(&config.path) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let (Some(keys), Some(secret)) = (&config.identity.keys, config.api_key()) else {
        eprintln!(
            "error: the configuration has no API keys: say `identity: {{ keys: {{ file: … }} }}`"
        );
        return UNUSABLE;
    };
    let path = &keys.file.value;
    let done = match &arguments.command {
        Command::Create(arguments) => create(path, secret, arguments),
        Command::List(arguments) => list(path, &config.state.value, arguments.format),
        Command::Revoke(arguments) => revoke(path, &arguments.name),
        Command::Rotate(arguments) => rotate(path, secret, arguments),
    };
    match done {
        Ok(()) => DONE,
        Err(error) => unusable(&error),
    }
}

/// Reads the configuration. Of warnings `check` tells.
fn read(path: &Path) -> Result<Config, u8> {
    if !path.exists() {
        eprintln!(
            "error: no such configuration file: `{}`; name it with `--config`",
            path.display()
        );
        return Err(UNUSABLE);
    }
    let (config, found) = Config::load(path);
    config.ok_or_else(|| {
        eprint!("{}", found.render(colour()));
        PROBLEMS
    })
}

fn create(path: &Path, secret: &[u8], arguments: &Create) -> Result<(), KeyError> {
    let doing = doing();
    let (expires, name) = (arguments.expires.from(doing.now), &arguments.name);
    let made = Store::open(path)?.create((name, &arguments.from), expires, secret, doing)?;
    show(name, &made)
}

fn rotate(path: &Path, secret: &[u8], arguments: &Rotate) -> Result<(), KeyError> {
    let doing = doing();
    let expires = arguments.expires.map(|expires| expires.from(doing.now));
    let (name, grace) = (&arguments.name, arguments.grace);
    let made = Store::open(path)?.rotate(name, grace, expires, secret, doing)?;
    show(name, &made)
}

/// The key goes to standard output and nowhere else, so that a script can hand it on.
fn show(name: &str, made: &Made) -> Result<(), KeyError> {
    let mut out = std::io::stdout().lock();
    let shown = writeln!(out, "{}", made.key).and_then(|()| out.flush());
    shown.map_err(|source| KeyError::NotShown {
        name: name.to_owned(),
        source,
    })?;
    eprintln!(
        "the key `{name}` is valid until {}; it is shown this once, so store it now",
        made.expires
    );
    Ok(())
}

fn revoke(path: &Path, name: &str) -> Result<(), KeyError> {
    match Store::open(path)?.revoke(name, doing())? {
        None => {
            eprintln!("the key `{name}` is revoked; a running proxy refuses it within a second")
        }
        Some(when) => eprintln!("the key `{name}` was revoked on {when} already"),
    }
    Ok(())
}

fn list(path: &Path, state: &Path, format: Format) -> Result<(), KeyError> {
    let (file, now) = (Store::read(path)?, Timestamp::now());
    let used = Used::read(state).unwrap_or_else(|error| {
        let why = files::words(&error);
        eprintln!("note: when keys were used last cannot be read: {why}");
        Used::default()
    });
    print(&match format {
        Format::Json => format!("{:#}\n", listed(&file, &used, now)),
        Format::Text if file.keys.is_empty() => "no key yet\n".to_owned(),
        Format::Text => format!("{}\n", table(&file, &used, now)),
    });
    Ok(())
}

fn listed(file: &File, used: &Used, now: Timestamp) -> Value {
    let keys = file.keys.iter().map(|key| {
        let newest = key.newest();
        json!({
            "name": key.name,
            "id": newest.map(|newest| &newest.id),
            "state": key.state(now).as_str(),
            "created": key.created,
            "expires": newest.map(|newest| newest.expires),
            "revoked": key.revoked,
            "from": key.from,
            "last_used": used.of(&key.name),
            "older": older(key, now),
        })
    });
    keys.collect()
}

/// Secrets that are still valid beside the newest one.
fn older(key: &Key, now: Timestamp) -> Vec<Value> {
    let before = key
        .secrets
        .split_last()
        .map_or(&[][..], |(_, before)| before);
    let valid = before
        .iter()
        .filter(|old| key.revoked.is_none() && now < old.expires);
    valid
        .map(|old| json!({ "id": old.id, "expires": old.expires }))
        .collect()
}

fn table(file: &File, used: &Used, now: Timestamp) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header([
        "name",
        "id",
        "state",
        "created",
        "expires",
        "from",
        "last used",
    ]);
    for key in &file.keys {
        let newest = key.newest();
        let from: Vec<String> = key.from.iter().map(ToString::to_string).collect();
        let used = used.of(&key.name);
        table.add_row([
            key.name.clone(),
            newest.map_or_else(String::new, |newest| newest.id.clone()),
            key.state(now).as_str().to_owned(),
            key.created.to_string(),
            newest.map_or_else(String::new, |newest| newest.expires.to_string()),
            from.join(" "),
            used.map_or_else(|| "never".to_owned(), |used| used.to_string()),
        ]);
    }
    table
}

/// Who does this, and when: to the second, as everything here is told.
fn doing() -> Doing {
    let now = Timestamp::now();
    Doing {
        by: who(&files::user(), std::env::var("SUDO_USER").ok()),
        now: Timestamp::from_second(now.as_second()).unwrap_or(now),
        event: audit::new_id(),
    }
}

/// The user at work, and whoever became that user.
fn who(user: &str, before: Option<String>) -> String {
    match before {
        Some(before) if !before.is_empty() && before != user => format!("{before} as {user}"),
        _ => user.to_owned(),
    }
}

/// Until when a secret is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expiry {
    In(SignedDuration),
    At(Timestamp),
}

impl Expiry {
    fn from(self, now: Timestamp) -> Timestamp {
        match self {
            Self::In(duration) => now.checked_add(duration).unwrap_or(now),
            Self::At(time) => time,
        }
    }
}

fn expiry(text: &str) -> Result<Expiry, String> {
    let Ok(day) = text.parse::<jiff::civil::Date>() else {
        let duration = duration(text).map_err(|why| format!("{why}, or a day: `2027-01-31`"))?;
        return match duration.is_zero() {
            true => Err("must not be over already".to_owned()),
            false => Ok(Expiry::In(duration)),
        };
    };
    let time = day.to_zoned(jiff::tz::TimeZone::UTC);
    let time = time.map_err(|error| error.to_string())?.timestamp();
    let now = Timestamp::now();
    if time <= now {
        Err("this day has begun already".to_owned())
    } else if time > now + DURATION_MAX {
        Err("must be within ten years".to_owned())
    } else {
        Ok(Expiry::At(time))
    }
}

fn duration(text: &str) -> Result<SignedDuration, String> {
    let form = || "must be of the form `90d`, `12h`, `30m` or `0s`".to_owned();
    let unit = text.chars().last().ok_or_else(form)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(form()),
    };
    let digits = text.strip_suffix(unit).unwrap_or_default();
    let is_number = (1..=9).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let number: i64 = digits.parse().ok().filter(|_| is_number).ok_or_else(form)?;
    let duration = SignedDuration::from_secs(number * seconds);
    if duration > DURATION_MAX {
        return Err("must be ten years at most".to_owned());
    }
    Ok(duration)
}

const DURATION_MAX: SignedDuration = SignedDuration::from_hours(24 * 3_653);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_days_are_read_strictly() {
        let seconds = |text| duration(text).map(|read| read.as_secs()).ok();
        for (text, expected) in [
            ("90d", Some(90 * 86_400)),
            ("12h", Some(43_200)),
            ("30m", Some(1_800)),
            ("0s", Some(0)),
            ("", None),
            ("d", None),
            ("-1d", None),
            ("+1d", None),
            ("1.5h", None),
            ("1w", None),
            ("1 d", None),
            ("1é", None),
            ("4000d", None),
            ("99999999999d", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
        let day: Timestamp = "2031-01-31T00:00:00Z".parse().unwrap();
        assert_eq!(expiry("2031-01-31"), Ok(Expiry::At(day)));
        for bad in [
            "2020-01-01",
            "2031-02-30",
            "9999-12-31",
            "0d",
            "tomorrow",
            "",
        ] {
            assert!(expiry(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn who_became_another_user_is_told() {
        assert_eq!(who("ann", None), "ann");
        assert_eq!(who("ann", Some("ann".to_owned())), "ann");
        assert_eq!(who("paravent", Some("ann".to_owned())), "ann as paravent");
    }
}
