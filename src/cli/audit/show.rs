//! `paravent audit show`: one decision, on one screen. The sentence first.

use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::Args;

use crate::audit::{Pages, ascii, record_reading, show, visible};

use super::query::{say_complete, table};
use super::told::Told;
use super::words::{Labels, Lang};
use super::{BROKEN, Format, Streams, readable, say_unrecorded, unusable, words_of};

/// References that are shown; JSON has all.
const REFS_SHOWN: usize = 12;

/// Which decision, and how to answer.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The folder of the log.
    pub(super) dir: PathBuf,
    /// The id, as the header `Paravent-Decision` gave it.
    pub(super) id: String,
    /// How to answer.
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
    /// The events as JSON, one a line: `--format json`.
    #[arg(long)]
    pub(super) json: bool,
    /// The language of the sentence.
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

pub(super) fn run(args: &ShowArgs, streams: &mut Streams<'_>) -> io::Result<u8> {
    let (dir, id) = (&args.dir, &args.id);
    let labels = match Labels::of(args.policies.as_ref(), args.lang) {
        Ok(labels) => labels,
        Err(code) => return Ok(code),
    };
    let words = words_of(std::slice::from_ref(id), args.reason.as_deref());
    let noted = record_reading(dir, "show", &words);
    let is_json = args.json || args.format == Format::Json;
    let mut events = Vec::new();
    let mut written = Ok(());
    let summary = show(dir, id, Pages::unless(args.no_index), &mut |event| {
        let told = Told::of(event);
        if is_json {
            written = writeln!(streams.out, "{}", ascii(told.value()));
        }
        events.push(told);
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
    if !is_json {
        write!(streams.out, "{}", text(&events, args.lang, &labels))?;
    }
    say_unrecorded(noted, streams.err)?;
    let code = readable(&summary, streams.err)?;
    if events.is_empty() {
        writeln!(streams.err, "error: no event has the id `{}`", visible(id))?;
        return Ok(BROKEN);
    }
    say_complete(&summary, streams.err)?;
    Ok(code)
}

/// The sentence and the table of each request; of events that say more of the same, their records.
fn text(events: &[Told], lang: Lang, labels: &Labels) -> String {
    let mut text = String::new();
    let is_closed = |id: &str| {
        let closes = |event: &Told| event.text("/phase") == "closed" && event.text("/id") == id;
        events.iter().any(closes)
    };
    let mut named: Vec<String> = Vec::new();
    for event in events {
        let id = event.text("/id");
        match event.text("/phase").as_str() {
            "continued" => {
                named.extend(event.list("/records/refs"));
                continue;
            }
            "opened" if is_closed(&id) => continue,
            _ => {}
        }
        let refs: Vec<String> = named.drain(..).chain(event.list("/records/refs")).collect();
        text.push_str(&sentence(event, &refs, lang, labels));
        text.push_str("\n\n");
        if event.is_request() {
            text.push_str(&details(event, &refs, lang, labels));
        } else {
            let json = serde_json::to_string_pretty(event.value()).unwrap_or_default();
            let lines: Vec<_> = json.lines().map(visible).collect();
            text.push_str(&lines.join("\n"));
        }
        text.push('\n');
    }
    text
}

/// What happened, in a sentence or two.
fn sentence(event: &Told, refs: &[String], lang: Lang, labels: &Labels) -> String {
    let (day, time) = event.day_and_time();
    let when = lang.moment(&day, &time);
    if !event.is_request() {
        return format!("{when}: {}.", event.text("/event"));
    }
    let who = match event.who() {
        who if who.is_empty() => lang
            .of("somebody unknown", "quelqu'un d'inconnu")
            .to_owned(),
        who => who,
    };
    let object = object(event, refs, lang);
    let verb = verb(event, lang);
    let why = match event.text("/purpose/id") {
        id if id.is_empty() => String::new(),
        id => format!(" {} {}", lang.of("for", "pour :"), labels.purpose(&id)),
    };
    let mut parts = vec![format!(
        "{when}{} {who} {verb} {object}{why}",
        lang.of("", ",")
    )];
    if event.is_unclosed || event.text("/phase") == "opened" {
        parts.push(
            lang.of(
                "the log does not say how that ended: up to everything may have been disclosed",
                "le journal ne dit pas comment cela s'est terminé : jusqu'à tout a pu être communiqué",
            )
            .to_owned(),
        );
        return format!("{}.", parts.join("; "));
    }
    if let Some(refused) = refused(event, lang) {
        parts.push(refused);
    }
    let levels = event.by_level();
    let told = [
        (
            "clear",
            "the caller saw {} in clear",
            "montré en clair : {}",
        ),
        ("mask", "masked: {}", "masqué : {}"),
        ("token", "as tokens: {}", "en jetons : {}"),
        ("redact", "emptied: {}", "vidé : {}"),
        ("hide", "hidden: {}", "caché : {}"),
    ];
    for (level, english, french) in told {
        if let Some(names) = levels.get(level) {
            let names = labels.categories(names);
            parts.push(lang.of(english, french).replace("{}", &names));
        }
    }
    format!("{}.", parts.join("; "))
}

/// What was asked to be done.
fn verb(event: &Told, lang: Lang) -> &'static str {
    let action = event.text("/request/action");
    let (english, french) = match action.as_str() {
        "auth" => ("logged in", "s'est identifié(e) :"),
        "bulk" => ("sent a bulk of requests", "a envoyé un lot de requêtes :"),
        "count" => ("counted", "a compté"),
        "create" => ("created", "a créé"),
        "delete" => ("deleted", "a supprimé"),
        "list" => ("listed", "a listé"),
        "metadata" => (
            "asked what the CRM knows of",
            "a demandé ce que le CRM sait de",
        ),
        "read" => ("read", "a lu"),
        "relate" => ("related", "a lié"),
        "update" => ("changed", "a modifié"),
        _ => ("asked for", "a demandé"),
    };
    if is_refused(event) {
        return match (lang, action.as_str()) {
            (Lang::En, "list") => "asked to list",
            (Lang::En, "read") => "asked to read",
            (Lang::En, "update") => "asked to change",
            (Lang::En, "create") => "asked to create",
            (Lang::En, "delete") => "asked to delete",
            (Lang::En, "count") => "asked to count",
            (Lang::En, _) => "asked for",
            (Lang::Fr, "list") => "a demandé à lister",
            (Lang::Fr, "read") => "a demandé à lire",
            (Lang::Fr, "update") => "a demandé à modifier",
            (Lang::Fr, "create") => "a demandé à créer",
            (Lang::Fr, "delete") => "a demandé à supprimer",
            (Lang::Fr, "count") => "a demandé à compter",
            (Lang::Fr, _) => "a demandé",
        };
    }
    match lang {
        Lang::En => english,
        Lang::Fr => french,
    }
}

/// With what: the record, if there is one, else how many of which module.
fn object(event: &Told, refs: &[String], lang: Lang) -> String {
    let module = event.text("/request/module");
    let count = event.number("/records/count").unwrap_or(0);
    match (refs, module.is_empty()) {
        ([one], _) => one.clone(),
        (_, true) => lang
            .of("nothing of a module", "rien d'un module")
            .to_owned(),
        (_, false) if is_refused(event) => module,
        (_, false) => format!("{module} ({} {count})", lang.of("records:", "fiches :")),
    }
}

fn is_refused(event: &Told) -> bool {
    let answered = ["full", "partial", "observed", ""];
    !answered.contains(&event.text("/outcome/kind").as_str())
}

fn refused(event: &Told, lang: Lang) -> Option<String> {
    is_refused(event).then(|| {
        let outcome = event.outcome();
        match lang {
            Lang::En => format!("that was not answered in full ({outcome})"),
            Lang::Fr => format!("cela n'a pas abouti ({outcome})"),
        }
    })
}

/// What became of the data, and how the request used fields.
fn details(event: &Told, refs: &[String], lang: Lang, labels: &Labels) -> String {
    let header = match lang {
        Lang::En => ["CATEGORY", "LEVEL", "FIELDS", "N", "RULES"],
        Lang::Fr => ["CATÉGORIE", "NIVEAU", "CHAMPS", "N", "RÈGLES"],
    };
    let rows: Vec<Vec<String>> = event
        .data()
        .iter()
        .map(|data| {
            let count = match data.in_text {
                0 => data.records.to_string(),
                found => format!(
                    "{}\n+{found} {}",
                    data.records,
                    lang.of("in texts", "en texte")
                ),
            };
            vec![
                labels.category(data.name()),
                data.level.clone(),
                data.fields.join("\n"),
                count,
                data.by.join("\n"),
            ]
        })
        .collect();
    let mut text = String::new();
    if !rows.is_empty() {
        text.push_str(&table(&header, &rows, &[1]).to_string());
        text.push('\n');
    }
    let uses = [
        (lang.of("asked for", "demandés"), "/request/asked"),
        (lang.of("matched", "comparés"), "/request/matched"),
        (lang.of("sorted by", "triés par"), "/request/sorted"),
        (lang.of("searched", "recherchés"), "/request/searched"),
        (lang.of("written", "écrits"), "/request/written"),
    ];
    for (name, path) in uses {
        let fields = event.list(path);
        if !fields.is_empty() {
            text.push_str(&format!("{name}: {}\n", fields.join(", ")));
        }
    }
    if refs.len() > 1 {
        let shown = refs
            .iter()
            .take(REFS_SHOWN)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        let more = match refs.len().saturating_sub(REFS_SHOWN) {
            0 => String::new(),
            more => format!(" … +{more} (--json)"),
        };
        text.push_str(&format!("{}: {shown}{more}\n", lang.of("named", "nommées")));
    }
    text.push_str(&format!(
        "{}: {}  {}  {}\n",
        lang.of("event", "événement"),
        event.number("/seq").unwrap_or(0),
        event.text("/id"),
        event.outcome()
    ));
    text.push_str(&format!(
        "{}: {} {}\n",
        lang.of("policy", "politique"),
        event.text("/policy/name"),
        event.text("/policy/hash")
    ));
    text
}
