//! Recorded exchanges of real CRMs, replayed through the proxy in every role.
//!
//! `PARAVENT_RECORDINGS` names a folder of folders, one a CRM, one file an exchange. A CRM is served with the example
//! (`examples/*/paravent.yaml`) whose dialect claims its paths; a folder that no example claims is reported as such.
//! What a reply holds is read from the recording itself, without any code of the product. Where the variable is not set
//! these tests say so and pass, but fail under `CI`. `cargo test --test integration recordings -- --nocapture` prints the counts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use aho_corasick::AhoCorasick;
use paravent::config::Config;
use paravent::dialect::{Bounds, Dialect, Incoming, Origin, Schema, Understood};
use paravent::policy::{Explanation, Policy, Source};
use paravent::reason::Reason;
use paravent::vocabulary::{self, Level, Module, Purpose, Role};
use serde_json::{Value, json};

use crate::harness::absent::skipped;
use crate::harness::client::Response;
use crate::harness::scripted::{self, Received, Scripted};
use crate::harness::world::{Wish, World};

mod exchange;
mod persona;
mod truth;

use exchange::Exchange;
use persona::Persona;
use truth::Found;

/// Roles that read an IBAN in clear for their default purpose; it is masked for all others.
const SEE_IBANS: [&str; 3] = ["accounting", "dpo", "finance"];

/// Values shorter than this are not told from chance.
const TELLING_CHARS: usize = 6;
/// Hidden values of one exchange that are looked for in every encoding; all others in their plain forms.
const SAMPLE: usize = 12;
/// Larger replies, whose records are like those of smaller ones, are searched for the plain forms only.
const SAMPLED_BYTES_MAX: usize = 100_000;

/// How a CRM is served.
struct System {
    example: String,
    dialects: Vec<Arc<dyn Dialect>>,
    sources: Vec<Source>,
}

/// What became of the exchanges of one folder.
#[derive(Default)]
struct Tally {
    counts: BTreeMap<String, BTreeSet<String>>,
}

#[test]
fn recordings_are_filtered_or_refused_and_show_no_more_than_the_policy_says() {
    match std::env::var_os("PARAVENT_RECORDINGS").map(PathBuf::from) {
        None => skipped("PARAVENT_RECORDINGS names no folder"),
        Some(folder) if replay_all(&folder) == 0 => {
            skipped("PARAVENT_RECORDINGS holds no folder that an example claims");
        }
        Some(_) => {}
    }
}

/// A legacy API answers a write with the fields that it was sent, which are no field `entry_list`: also one that deletes.
#[test]
fn any_folder_of_recordings_will_do() {
    let folder = tempfile::tempdir().unwrap();
    let set = folder.path().join("a-crm");
    std::fs::create_dir(&set).unwrap();
    std::fs::write(folder.path().join("README.md"), "Not a CRM.").unwrap();
    let pair = |name: &str, value: Value| json!({"name": name, "value": value});
    let write = |name: &str, sent: Value, answer: Value| {
        let arguments = json!({"session": "s", "module_name": "Contacts", "name_value_list": sent});
        let coded = percent_encoding::utf8_percent_encode(
            &arguments.to_string(),
            percent_encoding::NON_ALPHANUMERIC,
        )
        .to_string();
        let exchange = json!({
            "name": name,
            "request": {
                "method": "POST",
                "path": "/service/v4_1/rest.php",
                "headers": [["Content-Type", "application/x-www-form-urlencoded"]],
                "body": format!("method=set_entry&input_type=JSON&response_type=JSON&rest_data={coded}"),
            },
            "response": {
                "status": 200,
                "headers": [["Content-Type", "application/json"]],
                "body": answer.to_string(),
            },
        });
        std::fs::write(set.join(format!("{name}.json")), exchange.to_string()).unwrap();
    };
    let id = "30ff071f-bd4f-48e4-939f-6b031971c628";
    write(
        "1-delete",
        json!([pair("id", json!(id)), pair("deleted", json!(1))]),
        json!({"id": id, "entry_list": {"id": pair("id", json!(id)), "deleted": pair("deleted", json!(1))}}),
    );
    write(
        "2-create",
        json!([pair("last_name", json!("Vasseur"))]),
        json!({"id": id, "entry_list": {"last_name": pair("last_name", json!("Vasseur"))}}),
    );
    assert_eq!(replay_all(folder.path()), 1);
}

/// Replays every CRM of a folder that an example claims; returns how many there were.
fn replay_all(folder: &Path) -> usize {
    let systems = systems();
    let mut replayed = 0;
    let mut sets: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect();
    sets.sort();
    for set in sets {
        let name = set.file_name().unwrap().to_string_lossy().into_owned();
        let exchanges = read(&set);
        match system_of(&systems, &exchanges) {
            Some(system) => {
                replay(&name, system, &exchanges);
                replayed += 1;
            }
            None => println!("{name}: no dialect or description claims its paths"),
        }
    }
    replayed
}

#[test]
fn every_example_starts_and_its_policy_has_no_warning() {
    let systems = systems();
    assert!(systems.len() >= 4);
    for system in systems {
        let (policy, found) =
            Policy::compile(&system.sources, &schemas(&system.dialects), &[7; 32]);
        assert!(
            policy.is_some(),
            "{}: {}",
            system.example,
            found.render(false)
        );
        assert_eq!(
            found.warnings(),
            0,
            "{}: {}",
            system.example,
            found.render(false)
        );
    }
}

fn read(set: &Path) -> Vec<Exchange> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(set)
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect();
    files.sort();
    files.iter().map(|file| Exchange::read(file)).collect()
}

/// The examples, each with a key of its own, read as `paravent serve` reads them.
fn systems() -> Vec<System> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let copy = tempfile::tempdir().unwrap();
    for part in ["examples", "policies"] {
        copy_tree(&root.join(part), &copy.path().join(part));
    }
    let mut systems = Vec::new();
    for entry in std::fs::read_dir(copy.path().join("examples"))
        .unwrap()
        .flatten()
    {
        let file = entry.path().join("paravent.yaml");
        if !file.is_file() {
            continue;
        }
        for name in ["token.key", "service.pw"] {
            write_key(&entry.path().join(name));
        }
        let (config, found) = Config::load(&file);
        let config = config.unwrap_or_else(|| panic!("{}", found.render(false)));
        let upstreams = config.upstreams.values();
        systems.push(System {
            example: entry.file_name().to_string_lossy().into_owned(),
            dialects: upstreams
                .flat_map(|upstream| upstream.dialects.clone())
                .collect(),
            sources: Policy::read(&config.policies).unwrap(),
        });
    }
    systems
}

fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
}

fn write_key(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, [b'7'; 32]).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// The roles that a CRM's role or team makes, as the examples write them: name, the CRM's word, default purpose.
fn roles(sources: &[Source]) -> Vec<[String; 3]> {
    let lines = sources.iter().flat_map(|source| source.text.lines());
    let roles: Vec<[String; 3]> = lines.filter_map(role).collect();
    assert!(roles.len() > 1, "the example has no roles to replay as");
    roles
}

fn role(line: &str) -> Option<[String; 3]> {
    let (name, rest) = line.split_once(": { from: { ")?;
    let evidence = rest
        .strip_prefix("crm.role: ")
        .or_else(|| rest.strip_prefix("crm.team: "))?;
    let (word, rest) = evidence.split_once(" }, default_purpose: ")?;
    let purpose = rest.split(' ').next()?;
    Some([name.trim(), word.trim_matches('"'), purpose].map(str::to_owned))
}

/// The system whose dialects claim the most paths of a set.
fn system_of<'s>(systems: &'s [System], exchanges: &[Exchange]) -> Option<&'s System> {
    let claimed = |system: &System| {
        exchanges
            .iter()
            .filter(|exchange| {
                system
                    .dialects
                    .iter()
                    .any(|one| one.claims(exchange.route()))
            })
            .count()
    };
    systems
        .iter()
        .filter(|system| 2 * claimed(system) > exchanges.len())
        .max_by_key(|system| claimed(system))
}

fn replay(name: &str, system: &System, exchanges: &[Exchange]) {
    let (policy, found) = Policy::compile(&system.sources, &schemas(&system.dialects), &[7; 32]);
    let policy = policy.unwrap_or_else(|| panic!("{}", found.render(false)));
    let mut tally = Tally::default();
    let roles = roles(&system.sources);
    for [role, crm_role, purpose] in &roles {
        let rights = Rights::of(&policy, role, purpose, system);
        let role_in_crm = vocabulary::intern(crm_role);
        let crm = Crm::start(Persona { role: role_in_crm }, exchanges);
        let wish = Wish {
            sources: system.sources.clone(),
            dialects: system.dialects.clone(),
            record_bytes_max: 4 << 20,
            ..Wish::default()
        };
        let world = World::scripted(crm.scripted.address, wish);
        let identifiers = AhoCorasick::new(rights.hidden_identifiers(exchanges)).unwrap();
        let no_identifier = |what: &str, text: &str| {
            let found = identifiers.is_match(&compact(text));
            assert!(!found, "{what}: an identifier that is hidden");
        };
        for exchange in exchanges {
            *crm.now.lock().unwrap() = Some(exchange.clone());
            crm.scripted.take_all();
            let reply = world.send_raw(world.proxy, &exchange.request(&world.proxy.to_string()));
            let asked = crm.forwarded();
            let outcome = outcome(exchange, &reply, &asked);
            // An update that changes nothing is answered by what the look-up found.
            let was_carried_out = !is_write(exchange) || !asked.iter().all(is_read);
            let is_login = is_login(exchange);
            let what = format!("{name}/{} as {role}", exchange.name);
            no_identifier(&what, &truth::meant(&readable(&reply.text())));
            rights.check(&what, exchange, &reply, was_carried_out && !is_login);
            tally
                .counts
                .entry(outcome)
                .or_default()
                .insert(exchange.name.clone());
        }
        no_identifier("the metrics", &world.metrics());
        for event in world.events() {
            no_identifier("the access log", &event.to_string());
        }
    }
    println!(
        "{name} (examples/{}): {} exchanges × {} roles",
        system.example,
        exchanges.len(),
        roles.len()
    );
    for (outcome, names) in &tally.counts {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        println!("  {:>3}  {outcome}: {}", names.len(), names.join(", "));
    }
}

/// Filtered, an error of the CRM, or a refusal by its code. A refusal by policy or of a malformed request never reaches
/// the CRM; a write that is refused may have looked the record up.
fn outcome(exchange: &Exchange, reply: &Response, asked: &[Received]) -> String {
    let text = reply.text();
    let reason = Reason::ALL
        .iter()
        .find(|reason| text.contains(reason.text()));
    match (reply.status, reason) {
        (200..=299, None) if !text.contains("The CRM ") => "filtered".to_owned(),
        (status, Some(reason)) => {
            assert!(status >= 400, "{}: {reason} with {status}", exchange.name);
            if matches!(status, 400 | 403 | 405 | 413 | 415) && !is_envelope(exchange) {
                assert!(
                    asked.iter().all(is_read),
                    "{}: refused as {reason} after the CRM was asked to write",
                    exchange.name
                );
                assert!(
                    is_write(exchange) || asked.is_empty(),
                    "{}: refused as {reason} after the CRM was asked",
                    exchange.name
                );
            }
            format!("refused: {reason}")
        }
        (status, None) if status != 0 => format!("the CRM's error {}", exchange.status),
        _ => panic!("{}: no reply", exchange.name),
    }
}

const V4_READS: [&str; 6] = [
    "get_entry",
    "get_entries",
    "get_entry_list",
    "get_entries_count",
    "get_relationships",
    "search_by_module",
];

fn is_read(request: &Received) -> bool {
    match persona::call(&request.body) {
        Some((method, _)) if request.line.contains("rest.php") => {
            V4_READS.contains(&method.as_str())
        }
        _ => request.line.starts_with("GET "),
    }
}

fn is_write(exchange: &Exchange) -> bool {
    let body = exchange.body.clone().unwrap_or_default();
    match persona::call(body.as_bytes()) {
        Some((method, _)) if exchange.path.contains("rest.php") => {
            !V4_READS.contains(&method.as_str())
        }
        _ => exchange.method != "GET",
    }
}

/// Whether an exchange holds several operations: a part may be carried out although another one is refused.
fn is_envelope(exchange: &Exchange) -> bool {
    let body = exchange.body.clone().unwrap_or_default();
    let call = persona::call(body.as_bytes());
    call.is_some_and(|(method, _)| matches!(method.as_str(), "set_entries" | "set_relationships"))
}

/// Whether nobody is known yet: the reply passes a list of keys, not a plan.
fn is_login(exchange: &Exchange) -> bool {
    let body = exchange.body.clone().unwrap_or_default();
    persona::call(body.as_bytes()).is_some_and(|(method, _)| method == "login")
}

/// What a role may see, by the policy, and how it is looked for in a reply.
struct Rights<'s> {
    explanations: BTreeMap<String, Explanation>,
    system: &'s System,
    sees_ibans: bool,
}

impl<'s> Rights<'s> {
    fn of(policy: &Policy, role: &str, purpose: &str, system: &'s System) -> Self {
        let explain = |module: &Module| {
            policy
                .explain(&[Role::new(role)], &Purpose::new(purpose), &[], module)
                .unwrap_or_else(|error| panic!("{}: {error}", system.example))
        };
        Self {
            explanations: policy
                .modules()
                .map(|module| (module.to_string(), explain(module)))
                .collect(),
            system,
            sees_ibans: SEE_IBANS.contains(&role),
        }
    }

    /// The level of a field and whether identifiers are looked for in it; `None` if nobody has classified it.
    fn level(&self, module: &str, field: &str) -> Option<(Level, bool)> {
        let rows = &self.explanations.get(module)?.rows;
        let field = field.to_ascii_lowercase();
        let exact = rows.iter().find(|row| !row.pattern && row.field == field);
        let chosen: Vec<_> = match exact {
            Some(row) => vec![row],
            None => rows
                .iter()
                .filter(|row| row.pattern && fits(&row.field, &field))
                .collect(),
        };
        let is_text = chosen
            .iter()
            .flat_map(|row| &row.categories)
            .any(|category| matches!(category.as_str(), "free_text" | "commercial.subject"));
        let level = chosen.iter().map(|row| row.level).min()?;
        (!chosen.iter().all(|row| row.categories.is_empty())).then_some((level, is_text))
    }

    /// Whether the dialect rules a field alone: scaffolding, records of links, names that a sibling tells.
    fn is_ruled_by_dialect(&self, module: &str, field: &str) -> bool {
        let module = Module::new(module);
        self.system.dialects.iter().any(|dialect| {
            matches!(
                dialect.schema().origin(&module, field),
                Origin::Structural(_) | Origin::Related(_) | Origin::CopyOfParent { .. }
            )
        })
    }

    /// Identifiers in recorded texts that this role may not see in clear, wherever they stand.
    fn hidden_identifiers(&self, exchanges: &[Exchange]) -> BTreeSet<String> {
        exchanges
            .iter()
            .flat_map(|exchange| &exchange.identifiers)
            .filter(|value| !self.sees_ibans || value.len() == truth::NIR_CHARS)
            .map(|value| value.to_lowercase())
            .collect()
    }

    /// Nothing hidden is in the reply, and what may be seen is as it was.
    fn check(&self, what: &str, exchange: &Exchange, reply: &Response, is_by_plan: bool) {
        let recorded: Value = serde_json::from_str(&exchange.text).unwrap_or(Value::Null);
        let module = self.module_of(exchange);
        let records = truth::records(&recorded, module.as_deref());
        let (mut hidden, mut visible) = (BTreeSet::new(), String::new());
        for record in &records {
            let Some(module) = &record.module else {
                continue;
            };
            for (field, value) in &record.fields {
                let texts = strings(value);
                match self.level(module, field) {
                    Some((Level::Clear, _)) => {
                        visible.extend(texts.into_iter().map(|text| text + "\n"))
                    }
                    Some(_) => hidden.extend(texts),
                    None => {}
                }
            }
        }
        let visible = visible.to_lowercase();
        let shown = truth::meant(&readable(&reply.text())).to_lowercase();
        hidden.retain(|value| {
            value.chars().count() >= TELLING_CHARS && !visible.contains(&value.to_lowercase())
        });
        let patterns: Vec<String> = hidden.iter().map(|value| value.to_lowercase()).collect();
        if let Some(found) = AhoCorasick::new(&patterns).unwrap().find(&shown) {
            let value = &patterns[found.pattern().as_usize()];
            let by: Vec<String> = records
                .iter()
                .flat_map(|record| {
                    record
                        .fields
                        .iter()
                        .map(move |(field, value)| (record, field, value))
                })
                .filter(|(_, _, held)| {
                    strings(held)
                        .iter()
                        .any(|text| text.to_lowercase() == *value)
                })
                .map(|(record, field, _)| format!("{:?}.{field}", record.module))
                .collect();
            panic!("{what}: a hidden value of {by:?} is in the reply");
        }
        if reply.raw.len() > SAMPLED_BYTES_MAX {
            hidden.clear();
        }
        let mut sample = crate::harness::canary::Canaries::default();
        for value in hidden.iter().step_by(hidden.len() / SAMPLE + 1) {
            sample.add("a hidden value", value);
        }
        assert_eq!(sample.found_in(&reply.raw), None, "{what}");
        if is_by_plan && (200..300).contains(&reply.status) && exchange.status < 300 {
            self.compare(what, &records, reply, module.as_deref());
        }
    }

    /// Clear fields arrive as they were; what nobody has classified does not arrive.
    fn compare(&self, what: &str, recorded: &[Found], reply: &Response, module: Option<&str>) {
        let Ok(body) = serde_json::from_slice::<Value>(&reply.body) else {
            return;
        };
        let mut replied: BTreeMap<(Option<String>, String), Vec<Found>> = BTreeMap::new();
        for record in truth::records(&body, module).into_iter().rev() {
            replied
                .entry((record.module.clone(), record.id.clone()))
                .or_default()
                .push(record);
        }
        for record in recorded {
            let Some(known) = record
                .module
                .as_ref()
                .filter(|module| self.explanations.contains_key(*module))
            else {
                continue;
            };
            let Some(arrived) = replied
                .get_mut(&(record.module.clone(), record.id.clone()))
                .and_then(Vec::pop)
            else {
                continue;
            };
            for (field, value) in &arrived.fields {
                let level = self.level(known, field);
                let is_nothing = value.is_null() || strings(value).iter().all(String::is_empty);
                let place = format!("{what}: {known}.{field}");
                match level {
                    Some((Level::Clear, true))
                        if value.as_str().is_some_and(|text| {
                            !truth::identifiers(&truth::meant(text)).is_empty()
                                || text.contains(['\u{2022}', '['])
                        }) => {}
                    Some((Level::Clear, _)) => {
                        let held = record.fields.get(field);
                        let is_flat = !held.is_some_and(|held| {
                            held.is_object()
                                || held.as_array().is_some_and(|items| {
                                    items.iter().any(|item| item.is_object() || item.is_array())
                                })
                        });
                        assert!(
                            !is_flat || held == Some(value),
                            "{place} did not arrive as it was"
                        );
                    }
                    Some(_) => {}
                    None => assert!(
                        is_nothing || self.is_ruled_by_dialect(known, field) || field == "id",
                        "{place} is not classified and was shown"
                    ),
                }
            }
        }
    }

    /// The module of the records that do not say it: only the dialect knows its name.
    fn module_of(&self, exchange: &Exchange) -> Option<String> {
        let (path, query) = match exchange.path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (exchange.path.as_str(), None),
        };
        let content_type = exchange
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))
            .map(|(_, value)| value.as_str());
        let incoming = Incoming {
            method: &exchange.method.parse().ok()?,
            path,
            query,
            accept: None,
            content_type,
            controls: &[],
            body: exchange.body.as_deref().unwrap_or_default().as_bytes(),
        };
        let bounds = Bounds {
            page_max: 1_000,
            bulk_parts_max: 100,
            depth_max: 64,
        };
        let dialect = self.system.dialects.iter().find(|one| one.claims(path))?;
        match dialect.understand(&incoming, &bounds) {
            Ok(Understood::One(exchange)) => exchange.operation().target().map(ToString::to_string),
            _ => None,
        }
    }
}

/// Whether a name fits a pattern with `*`.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, rest)) => name.strip_prefix(before).is_some_and(|tail| {
            (0..=tail.len())
                .filter(|at| tail.is_char_boundary(*at))
                .any(|at| fits(rest, &tail[at..]))
        }),
    }
}

/// The texts of a value, as they are meant.
fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![truth::meant(text)],
        Value::Number(number) => vec![number.to_string()],
        Value::Array(items) => items.iter().flat_map(strings).collect(),
        Value::Object(members) => members.values().flat_map(strings).collect(),
        Value::Null | Value::Bool(_) => Vec::new(),
    }
}

/// A text without anything that may separate the characters of an identifier.
fn compact(text: &str) -> String {
    let kept = text.chars().filter(char::is_ascii_alphanumeric);
    kept.map(|c| c.to_ascii_lowercase()).collect()
}

/// The strings of a JSON text without its escapes; the text itself where it is none.
pub fn readable(text: &str) -> String {
    fn collect(value: &Value, into: &mut String) {
        match value {
            Value::String(text) => {
                into.push_str(text);
                into.push('\n');
            }
            Value::Number(number) => {
                into.push_str(&number.to_string());
                into.push('\n');
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
            Value::Object(members) => members.values().for_each(|member| collect(member, into)),
            Value::Null | Value::Bool(_) => {}
        }
    }
    match serde_json::from_str(text) {
        Ok(value) => {
            let mut readable = String::new();
            collect(&value, &mut readable);
            readable
        }
        Err(_) => text.to_owned(),
    }
}

/// The recorded CRM: it knows the caller, answers the present exchange as it did, and look-ups from what it has shown.
struct Crm {
    scripted: Scripted,
    now: Arc<Mutex<Option<Exchange>>>,
    persona: Persona,
}

impl Crm {
    fn start(persona: Persona, exchanges: &[Exchange]) -> Self {
        let now: Arc<Mutex<Option<Exchange>>> = Arc::default();
        let held = held(exchanges);
        let current = now.clone();
        let scripted = Scripted::start(move |request| {
            if let Some(answer) = persona.answer(request) {
                return answer;
            }
            let exchange = current.lock().unwrap().clone().unwrap();
            if is_write(&exchange) && is_read(request) {
                return look_up(&held, request);
            }
            exchange.wire
        });
        Self {
            scripted,
            now,
            persona,
        }
    }

    /// What arrived beside questions about the session.
    fn forwarded(&self) -> Vec<Received> {
        self.scripted
            .take_all()
            .into_iter()
            .filter(|request| self.persona.answer(request).is_none())
            .collect()
    }
}

/// The fullest form in which each record was shown.
fn held(exchanges: &[Exchange]) -> BTreeMap<String, Value> {
    fn gather(value: &Value, into: &mut BTreeMap<String, Value>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| gather(item, into)),
            Value::Object(members) => {
                if let Some(Value::String(id)) = members.get("id") {
                    let size = |value: &Value| value.to_string().len();
                    let known = into.get(id).map_or(0, size);
                    if size(value) > known {
                        into.insert(id.clone(), value.clone());
                    }
                }
                members.values().for_each(|member| gather(member, into));
            }
            _ => {}
        }
    }
    let mut held = BTreeMap::new();
    for exchange in exchanges {
        if let Ok(body) = serde_json::from_str(&exchange.text) {
            gather(&body, &mut held);
        }
    }
    held
}

/// The answer to the look-up of a record.
fn look_up(held: &BTreeMap<String, Value>, request: &Received) -> Vec<u8> {
    if let Some((_, arguments)) = persona::call(&request.body) {
        let id = persona::argument(&arguments, 2, "id");
        let is_entry = |entry: &&Value| entry.get("name_value_list").is_some();
        let entry = id
            .as_str()
            .and_then(|id| held.get(id))
            .filter(is_entry)
            .cloned();
        let entries: Vec<Value> = entry.into_iter().collect();
        let body = json!({"entry_list": entries, "relationship_list": []});
        return scripted::json(200, body.to_string().as_bytes());
    }
    let path = request.line.split([' ', '?']).nth(1).unwrap_or_default();
    // Records of a list that was not recorded are not known.
    let record = path
        .rsplit('/')
        .next()
        .and_then(|segment| held.get(segment));
    match record {
        Some(record) if path.contains("/V8/") => {
            scripted::json(200, json!({"data": record}).to_string().as_bytes())
        }
        Some(record) => scripted::json(200, record.to_string().as_bytes()),
        None => scripted::json(404, b"{}"),
    }
}

/// What the dialects know of the CRM's data.
fn schemas(dialects: &[Arc<dyn Dialect>]) -> Vec<Arc<Schema>> {
    let schema = |dialect: &Arc<dyn Dialect>| dialect.schema().clone();
    dialects.iter().map(schema).collect()
}
