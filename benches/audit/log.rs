//! Writes a large access log: what `audit verify`, the index and the questions are measured on.
//!
//! `cargo run --release --example large_log -- DIR EVENTS [SEGMENT_MIB]`: the same log each time, line by line as the proxy would
//! have written it over 180 days, without waiting for a disk.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256, digest};
use jiff::{SignedDuration, Timestamp};
use paravent::audit::tree::Tree;

const NODE: &str = "par-1a";
const LOG: &str = "7d1f0c3ae25b4496a8b0e6d29c4f5a13";
const POLICY: &str = "sha256:5d41402abc4b2a76b9719d911017c592ae45b1d9e2ad8f00c0ffee0011223344";
const BEGINS: &str = "2026-06-01T00:00:00Z";
const DAYS: i64 = 180;
const CALLERS: usize = 60;
/// Records that are mostly asked for, and all that there are.
const WARM: usize = 20_000;
const RECORDS: usize = 400_000;

const ROLES: [(&str, &str, &str); 5] = [
    ("sales", "prospection", "legitimate-interest"),
    ("support", "support", "contract"),
    ("finance", "payment", "legal-obligation"),
    ("marketing", "newsletter", "consent"),
    ("etl", "bookkeeping", "legal-obligation"),
];
/// Category, field, and the level in each role.
const DATA: [(&str, &str, [&str; 5]); 8] = [
    (
        "contact.email",
        "email1",
        ["clear", "clear", "mask", "clear", "hide"],
    ),
    (
        "contact.phone",
        "phone_work",
        ["clear", "clear", "hide", "mask", "hide"],
    ),
    (
        "financial.iban",
        "iban_c",
        ["mask", "hide", "clear", "hide", "clear"],
    ),
    (
        "identity.name",
        "last_name",
        ["clear", "clear", "clear", "clear", "token"],
    ),
    (
        "location.address",
        "primary_address_street",
        ["clear", "mask", "mask", "hide", "hide"],
    ),
    (
        "special.belief",
        "religion_c",
        ["hide", "hide", "hide", "hide", "hide"],
    ),
    (
        "special.health",
        "health_c",
        ["hide", "redact", "hide", "hide", "hide"],
    ),
    (
        "work.position",
        "title",
        ["clear", "clear", "clear", "clear", "clear"],
    ),
];
const MODULES: [&str; 3] = ["Contacts", "Leads", "Accounts"];

/// Numbers that are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound
    }
}

/// The log so far.
struct Written {
    dir: PathBuf,
    file: io::BufWriter<File>,
    bytes: usize,
    segment_bytes: usize,
    seq: u64,
    prev: String,
    tree: Tree,
    /// The terms that the segment holds.
    terms: std::collections::HashSet<String>,
    time: Timestamp,
    step: SignedDuration,
    events: u64,
}

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let dir = arguments.next();
    let events = arguments.next().and_then(|count| count.parse().ok());
    let (Some(dir), Some(events)) = (dir, events) else {
        eprintln!("usage: large_log DIR EVENTS [SEGMENT_MIB]");
        std::process::exit(2);
    };
    let mib: usize = arguments
        .next()
        .and_then(|mib| mib.parse().ok())
        .unwrap_or(64);
    fs::create_dir_all(Path::new(&dir).join("spool"))?;
    let mut log = Written::begin(Path::new(&dir), events, mib << 20)?;
    let mut numbers = Numbers(17);
    let started = r#""durability":"strict","event":"audit.started","head":"none","#;
    log.notice([started, "", "", ""])?;
    log.notice([
        &policy_loaded(),
        r#""name":"sugarcrm-eu","#,
        r#""previous":null,"schemas":[],"#,
        "",
    ])?;
    while log.seq < events {
        log.request(&mut numbers)?;
    }
    log.file.flush()?;
    println!("{} events, last {}:{}", log.seq, log.seq, log.prev);
    Ok(())
}

fn policy_loaded() -> String {
    let classes: Vec<String> = DATA
        .iter()
        .map(|(category, field, _)| {
            let fields: Vec<String> = MODULES
                .iter()
                .map(|module| format!("\"{module}.{field}\""))
                .collect();
            format!(
                r#"{{"categories":["{category}"],"fields":[{}]}}"#,
                fields.join(",")
            )
        })
        .collect();
    format!(
        r#""by":"start","classified":[{}],"event":"policy.loaded","hash":"{POLICY}","#,
        classes.join(",")
    )
}

impl Written {
    fn begin(dir: &Path, events: u64, segment_bytes: usize) -> io::Result<Self> {
        let begins: Timestamp = BEGINS.parse().map_err(io::Error::other)?;
        let span = SignedDuration::from_secs(DAYS * 86_400);
        let step = span / i32::try_from(events.clamp(1, 1 << 30)).unwrap_or(i32::MAX);
        let mut log = Self {
            dir: dir.to_owned(),
            file: io::BufWriter::new(File::create(dir.join(segment_name(1)))?),
            bytes: 0,
            segment_bytes,
            seq: 0,
            prev: format!("sha256:{}", "0".repeat(64)),
            tree: Tree::default(),
            terms: std::collections::HashSet::new(),
            time: begins,
            step,
            events,
        };
        log.identify()?;
        Ok(log)
    }

    /// The segment says itself where it belongs.
    fn identify(&mut self) -> io::Result<()> {
        let edge: Vec<String> = self
            .tree
            .edge()
            .iter()
            .map(|hash| format!("\"{}\"", hex(hash)))
            .collect();
        self.notice([
            r#""event":"audit.segment","from":1,"#,
            &format!(r#""log":"{LOG}","#),
            "",
            &format!(r#","tree":[{}]"#, edge.join(",")),
        ])
    }

    /// An event that is not about a request. Of its details, those stand first that sort before `id`, then before `node`, then
    /// before `seq`, and last before `v`.
    fn notice(&mut self, details: [&str; 4]) -> io::Result<()> {
        let [first, second, third, last] = details;
        let line = format!(
            r#"{{{first}"id":"{}",{second}"node":"{NODE}","prev":"{}",{third}"seq":{},"time":"{:.3}"{last},"v":2}}"#,
            ulid(self.time, self.seq),
            self.prev,
            self.seq + 1,
            self.time,
        );
        self.append(&line)
    }

    fn append(&mut self, line: &str) -> io::Result<()> {
        self.file.write_all(line.as_bytes())?;
        self.file.write_all(b"\n")?;
        self.bytes += line.len() + 1;
        self.seq += 1;
        let mut context = Context::new(&SHA256);
        context.update(&[0]);
        context.update(line.as_bytes());
        let mut leaf = [0; 32];
        leaf.copy_from_slice(context.finish().as_ref());
        self.prev = format!("sha256:{}", hex(&leaf));
        self.tree.push(leaf);
        Ok(())
    }

    /// Says terms, if the segment does not hold them yet.
    fn say(&mut self, terms: &str) -> io::Result<String> {
        let hash = digest(&SHA256, terms.as_bytes());
        let id = format!("t:{}", hex(&hash.as_ref()[..16]));
        if self.terms.insert(id.clone()) {
            let line = format!(
                r#"{{"event":"terms","id":"{id}","node":"{NODE}","prev":"{}","seq":{},"terms":{terms},"time":"{:.3}","v":2}}"#,
                self.prev,
                self.seq + 1,
                self.time,
            );
            self.append(&line)?;
        }
        Ok(id)
    }

    fn request(&mut self, numbers: &mut Numbers) -> io::Result<()> {
        if self.bytes >= self.segment_bytes {
            self.file.flush()?;
            let next = self.dir.join(segment_name(self.seq + 1));
            self.file = io::BufWriter::new(File::create(next)?);
            (self.bytes, self.terms) = (0, std::collections::HashSet::new());
            self.identify()?;
        }
        self.time += self.step;
        let (caller, draw) = (numbers.below(CALLERS), numbers.below(100));
        // The machine asks rarely.
        let role = if caller == 0 { 4 } else { caller % 4 };
        let module = MODULES[numbers.below(100) / 40 % 3];
        let id = ulid(self.time, self.seq);
        let kind = match draw {
            0..=54 => Kind::Read,
            55..=84 => Kind::List,
            85..=92 => Kind::Refused(numbers.below(DATA.len())),
            _ => Kind::Update(numbers.below(DATA.len())),
        };
        let most = match kind {
            Kind::List => 1 + numbers.below(24),
            Kind::Read | Kind::Update(_) => 1,
            Kind::Refused(_) => 0,
        };
        let refs: Vec<String> = (0..most).map(|_| record(numbers)).collect();
        let full = self.say(&terms(role, Some((module, numbers.below(4)))))?;
        let asked = Asked {
            caller,
            id: &id,
            kind,
            module,
            refs: &refs,
        };
        if let Kind::Update(_) = kind {
            self.event(&asked, &full, "opened")?;
        }
        let said = match kind {
            Kind::Refused(_) => self.say(&terms(role, None))?,
            _ => full,
        };
        // Now and then, the proxy dies before a write has ended.
        if matches!(kind, Kind::Update(_))
            && self.seq.is_multiple_of(50_021)
            && self.seq < self.events / 2
        {
            return Ok(());
        }
        self.event(&asked, &said, "closed")
    }

    fn event(&mut self, asked: &Asked<'_>, terms: &str, phase: &str) -> io::Result<()> {
        let Asked {
            caller,
            id,
            kind,
            module,
            refs,
        } = *asked;
        let closed = phase == "closed";
        let (outcome, status, reason) = match kind {
            Kind::Refused(_) => ("denied", 403, r#""reason":"field-not-usable","#),
            _ => ("partial", 200, ""),
        };
        let mut line = String::with_capacity(1_024);
        let what = if caller == 0 { "machine" } else { "human" };
        let _ = write!(
            line,
            r#"{{"auth":{{"age_seconds":{},"method":"crm-session"}},"caller":{{"id":"u-{caller}","kind":"{what}","name":"user{caller}"}},"#,
            self.seq % 900,
        );
        let _ = write!(
            line,
            r#""id":"{id}","node":"{NODE}","origin":{{"ip":"10.2.{}.0/24"}},"#,
            caller % 7
        );
        if closed {
            let took = 5 + self.seq % 90;
            let crm = match kind {
                Kind::Refused(_) => String::new(),
                _ => format!(r#","upstream_milliseconds":{}"#, took - 3),
            };
            let _ = write!(
                line,
                r#""outcome":{{"kind":"{outcome}","milliseconds":{took},{reason}"status":{status}{crm}}},"#
            );
        }
        let _ = write!(line, r#""phase":"{phase}","prev":"{}","#, self.prev);
        let named = match refs.is_empty() || !closed {
            true => String::new(),
            false => format!(
                r#""count":{},"refs":{{"{module}":["{}"]}}"#,
                refs.len(),
                refs.join("\",\"")
            ),
        };
        let _ = write!(line, r#""records":{{{named}}},"#);
        let (action, route) = match kind {
            Kind::List | Kind::Refused(_) => ("list", "GET /rest/{version}/{module}"),
            Kind::Read => ("read", "GET /rest/{version}/{module}/{id}"),
            Kind::Update(_) => ("update", "PUT /rest/{version}/{module}/{id}"),
        };
        let matched = match kind {
            Kind::Refused(place) => format!(r#""matched":["{module}.{}"],"#, DATA[place].1),
            _ => String::new(),
        };
        let written = match kind {
            Kind::Update(place) => format!(r#","written":["{module}.{}"]"#, DATA[place].1),
            _ => String::new(),
        };
        let _ = write!(
            line,
            r#""request":{{"action":"{action}","dialect":"sugar-rest",{matched}"module":"{module}","route":"{route}","upstream":"sugar"{written}}},"#
        );
        let _ = write!(
            line,
            r#""seq":{},"terms":"{terms}","time":"{:.3}","v":2}}"#,
            self.seq + 1,
            self.time
        );
        self.append(&line)
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Read,
    List,
    Refused(usize),
    Update(usize),
}

#[derive(Clone, Copy)]
struct Asked<'a> {
    caller: usize,
    id: &'a str,
    kind: Kind,
    module: &'a str,
    refs: &'a [String],
}

/// What requests of a role have in common; `seen`: of which module they show data, and how much of it.
fn terms(role: usize, seen: Option<(&str, usize)>) -> String {
    let (name, purpose, basis) = ROLES[role];
    let data = seen.map(|(module, few)| {
        let shown = DATA.iter().skip(few);
        let entries: Vec<String> = shown
            .map(|(category, field, levels)| {
                let level = levels[role];
                format!(r#"{{"by":["{level}-for-{name}"],"category":"{category}","fields":["{module}.{field}"],"level":"{level}"}}"#)
            })
            .collect();
        format!(r#""data":[{}],"#, entries.join(","))
    });
    format!(
        r#"{{{}"policy":{{"hash":"{POLICY}","mode":"enforce","name":"sugarcrm-eu","schema":"stock:sugar-rest"}},"purpose":{{"basis":"{basis}","chosen_by":"default","id":"{purpose}"}},"roles":["{name}"]}}"#,
        data.unwrap_or_default()
    )
}

fn segment_name(first_seq: u64) -> String {
    format!("audit-{first_seq:016}.jsonl")
}

/// The id of a record: some are asked for more often than others.
fn record(numbers: &mut Numbers) -> String {
    let number = match numbers.below(10) {
        0..=6 => numbers.below(WARM),
        _ => numbers.below(RECORDS),
    };
    record_id(number)
}

fn record_id(number: usize) -> String {
    let mixed = (number as u64)
        .wrapping_add(1)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let low = mixed ^ (mixed >> 29);
    format!(
        "{:08x}-{:04x}-4{:03x}-9{:03x}-{number:012x}",
        mixed >> 32,
        mixed & 0xffff,
        low & 0xfff,
        low >> 12 & 0xfff
    )
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|nibble| char::from(DIGITS[usize::from(nibble)]))
        .collect()
}

/// An identifier of a decision.
fn ulid(time: Timestamp, seq: u64) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let millis = u128::from(time.as_millisecond().unsigned_abs());
    let mixed = u128::from(seq.wrapping_add(7).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let bits = millis << 80 | mixed << 16 | u128::from(seq & 0xffff);
    (0..26)
        .rev()
        .map(|place| char::from(ALPHABET[(bits >> (5 * place)) as usize & 31]))
        .collect()
}
