//! `tests/data/audit`: logs, good and broken, with what every verifier must say of them.
//!
//! They are made here, always the same: `PARAVENT_MAKE_VECTORS=1` writes them anew.

use std::env;
use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::hex::hex;

use super::super::super::note::SigningKey;
use super::super::super::seekable;
use super::super::super::tree::{self, Hash};
use super::forge::{
    Chance, Files, Forge, joined, leaves_name, lines, name, rewritten, signing_key, write,
};
use super::*;

const LOG: &str = "5ca1ab1e00000000000000000000c0de";
const OTHER: &str = "facade000000000000000000000c0ffe";

/// One of them.
struct Case {
    name: &'static str,
    files: Files,
    keys: Vec<u8>,
    checkpoints: Vec<String>,
    gaps: Vec<String>,
    trust_local: bool,
    exit: u8,
    kind: Option<&'static str>,
    first_bad: Option<(u64, u64)>,
}

impl Case {
    fn new(name: &'static str, files: &Files) -> Self {
        Self {
            name,
            files: files.clone(),
            keys: Vec::new(),
            checkpoints: Vec::new(),
            gaps: Vec::new(),
            trust_local: false,
            exit: 3,
            kind: None,
            first_bad: None,
        }
    }

    /// Given this key and this checkpoint, the log is as they say.
    fn vouched(mut self, key: u8, checkpoint: String) -> Self {
        self.keys.push(key);
        self.checkpoints.push(checkpoint);
        self.exit = 0;
        self
    }

    fn broken(mut self, kind: &'static str, first: u64, last: u64) -> Self {
        self.exit = 1;
        (self.kind, self.first_bad) = (Some(kind), Some((first, last)));
        self
    }

    fn exits(mut self, code: u8) -> Self {
        self.exit = code;
        self
    }

    fn with(mut self, name: String, bytes: Vec<u8>) -> Self {
        self.files.insert(name, bytes);
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.files.remove(name);
        self
    }

    fn knowing(mut self, gap: impl ToString) -> Self {
        self.gaps.push(gap.to_string());
        self
    }

    fn trusting(mut self) -> Self {
        self.trust_local = true;
        self.exit = 0;
        self
    }

    /// The same after something was done to the lines of a segment.
    fn changed(mut self, first_seq: u64, change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Self {
        let name = name(first_seq);
        let mut all = lines(&self.files[&name]);
        change(&mut all);
        self.files.insert(name, joined(&all));
        self
    }
}

/// Three segments of version 2, in which a key is in force.
fn plain() -> Forge {
    let (mut chance, key) = (Chance::new(1), signing_key(1));
    let mut log = Forge::new(2);
    log.segment(Some(LOG));
    log.key(&key, None);
    for until in [9, 16, 21] {
        log.requests(until, &mut chance);
        let size = log.size();
        if until < 21 {
            log.keep_checkpoint(size, &key);
            log.segment(None);
        }
    }
    log.files.insert(
        format!("keys/{}.pub", key.public().id_text()),
        format!("{}\n", key.public()).into_bytes(),
    );
    log
}

fn replaced(line: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = std::str::from_utf8(line).unwrap();
    assert!(text.contains(from), "{text}");
    text.replacen(from, to, 1).into_bytes()
}

#[expect(clippy::too_many_lines, reason = "a list")]
fn good(cases: &mut Vec<Case>) {
    let key = signing_key(1);
    let log = plain();
    let size = log.size();
    let all = || log.checkpoint(size, &key);
    cases.push(Case::new("whole", &log.files));
    cases.push(Case::new("whole-and-signed", &log.files).vouched(1, all()));
    cases
        .push(Case::new("whole-and-signed-before", &log.files).vouched(1, log.checkpoint(5, &key)));
    cases.push(
        Case::new("whole-and-a-key-only", &log.files)
            .vouched(1, all())
            .exits(3),
    );
    cases.last_mut().unwrap().checkpoints.clear();
    cases.push(
        Case::new("whole-and-no-key", &log.files)
            .vouched(1, all())
            .exits(3),
    );
    cases.last_mut().unwrap().keys.clear();
    cases.push(Case::new("whole-and-trusted", &log.files).trusting());
    cases.push(Case::new("unfinished", &log.files).vouched(1, all()).with(
        name(log.segments[2]),
        {
            let mut bytes = log.files[&name(log.segments[2])].clone();
            bytes.extend(b"{\"auth\":nul");
            bytes
        },
    ));
    let (mut old, mut chance) = (Forge::new(1), Chance::new(2));
    old.bare_segment();
    old.requests(4, &mut chance);
    old.bare_segment();
    old.requests(7, &mut chance);
    cases.push(Case::new("version-1", &old.files));
    old.version = 2;
    old.segment(Some(LOG));
    old.requests(12, &mut chance);
    cases.push(Case::new("version-1-goes-on", &old.files).vouched(1, old.checkpoint(10, &key)));
    let mut turned = log.clone();
    let next = signing_key(2);
    turned.key(&next, Some(&key));
    turned.requests(26, &mut chance);
    let by_next = turned.checkpoint(turned.size(), &next);
    cases.push(Case::new("another-key", &turned.files).vouched(1, by_next.clone()));
    cases.push(Case::new("another-key-trusted", &turned.files).vouched(2, by_next.clone()));
    let with_all = |name, keys: &[u8]| {
        let mut case = Case::new(name, &turned.files).vouched(keys[0], by_next.clone());
        case.keys = keys.to_vec();
        case.checkpoints.push(log.checkpoint(9, &key));
        case
    };
    cases.push(with_all("another-key-and-all-checkpoints", &[1]));
    cases.push(with_all("another-key-trusted-and-all-checkpoints", &[2]));
    cases.push(with_all("both-keys-and-all-checkpoints", &[1, 2]));
    let mut before = with_all("another-key-trusted-and-one-before-it", &[2]).exits(3);
    before.checkpoints.remove(0);
    cases.push(before);
    let mut forged = with_all("another-key-trusted-and-a-forged-one", &[2]).exits(1);
    forged.checkpoints[1] = forged.checkpoints[1].replacen("\n9\n", "\n8\n", 1);
    cases.push(forged);
    let mut differs = with_all("another-key-trusted-and-one-differs", &[2]).broken("split", 0, 0);
    differs.first_bad = None;
    differs.checkpoints[1] = own_root(&log, 9, &key);
    cases.push(differs);
    // A key for which the one before does not vouch: nobody knows from it who came before.
    let mut usurped = log.clone();
    usurped.key(&next, None);
    usurped.requests(26, &mut chance);
    let by_next = usurped.checkpoint(usurped.size(), &next);
    let mut case = Case::new("another-key-unvouched-and-all-checkpoints", &usurped.files)
        .vouched(2, by_next)
        .exits(1);
    case.checkpoints.push(log.checkpoint(9, &key));
    cases.push(case);
    cases.push(
        Case::new("nothing-signed", &log.files)
            .vouched(1, log.checkpoint(0, &key))
            .exits(3),
    );
    let mut local = Case::new("trusted-and-signed-by-another-key", &log.files)
        .trusting()
        .exits(3);
    local.keys.push(2);
    cases.push(local);
    let mut local = Case::new("trusted-and-signed-by-this-key", &log.files).trusting();
    local.keys.push(1);
    cases.push(local);
    cases.push(compressed(
        Case::new("compressed", &log.files).vouched(1, all()),
        log.segments[1],
    ));
}

/// The same with a segment compressed, in frames of a few lines.
fn compressed(mut case: Case, first_seq: u64) -> Case {
    let text = case.files.remove(&name(first_seq)).unwrap();
    let mut packed = Vec::new();
    seekable::pack(&mut text.as_slice(), &mut packed, &mut |_| Ok(())).unwrap();
    case.files.insert(name(first_seq) + ".zst", packed);
    case
}

fn gaps(cases: &mut Vec<Case>) {
    let (mut chance, key) = (Chance::new(3), signing_key(1));
    let mut log = plain();
    let first = log.checkpoint(8, &key);
    let last = log.seq();
    log.gap(2, OTHER);
    log.key(&key, None);
    log.requests(last + 10, &mut chance);
    log.segment(None);
    log.requests(last + 14, &mut chance);
    let second = log.checkpoint(log.size(), &key);
    let both = || {
        let mut case = Case::new("gap", &log.files).vouched(1, first.clone());
        case.checkpoints.push(second.clone());
        case
    };
    cases.push(Case {
        name: "gap-known",
        ..both().knowing(format!("{}-{}", last + 1, last + 2))
    });
    cases.push(Case {
        name: "gap-known-as-one-number",
        ..both().knowing(last + 2).exits(1)
    });
    cases.push(Case {
        name: "gap-known-in-part",
        ..both().knowing(format!("{0}-{0}", last + 2)).exits(1)
    });
    let wider = both()
        .knowing(format!("{}-{}", last + 1, last + 2))
        .exits(1);
    let mut wider = wider.without(&name(log.segments[2]));
    wider.checkpoints.remove(0);
    cases.push(Case {
        name: "gap-known-and-more-removed",
        ..wider
    });
    cases.push(both().exits(1));
    let mut lost = log.clone();
    (lost.log, lost.from) = (LOG.to_owned(), 1);
    let mut into = both().knowing(format!("{}-{}", last + 1, last + 2));
    into.checkpoints.push(lost.checkpoint(last + 1, &key));
    cases.push(Case {
        name: "gap-known-and-signed-into",
        ..into
    });
    let mut into = both().broken("cut", log.segments[2], last + 1);
    into.checkpoints.push(lost.checkpoint(last + 1, &key));
    cases.push(Case {
        name: "gap-signed-into",
        ..into
    });
    // A gap in which nothing is missing: what notes it is of the next identity only.
    let mut empty = plain();
    let end = empty.size();
    let before = empty.checkpoint(end, &key);
    let mut taken = empty.clone();
    empty.gap(0, OTHER);
    taken.leaves = empty.leaves.clone();
    let beyond = taken.checkpoint(end + 1, &key);
    empty.key(&key, None);
    empty.requests(end + 9, &mut chance);
    let case = |name| {
        let mut case = Case::new(name, &empty.files).vouched(1, before.clone());
        case.checkpoints.push(empty.checkpoint(empty.size(), &key));
        case
    };
    cases.push(case("gap-without-missing").exits(1));
    cases.push(case("gap-without-missing-known").knowing(end));
    let mut past = case("gap-without-missing-signed-past").knowing(end);
    past.checkpoints.push(beyond);
    cases.push(past.broken("cut", end + 1, end + 1));
    let opened = empty.segments[3];
    let rolled = case("gap-without-missing-and-identity-gone").knowing(end);
    cases.push(rolled.without(&name(opened)).exits(1));
}

#[expect(clippy::too_many_lines, reason = "a list")]
fn pruned(cases: &mut Vec<Case>) {
    let key = signing_key(1);
    let whole = plain();
    let mut log = whole.clone();
    log.prune(2);
    let checkpoint = log.checkpoint(log.size(), &key);
    let case = |name| Case::new(name, &log.files).vouched(1, checkpoint.clone());
    cases.push(case("pruned"));
    cases.push(case("pruned-and-signed-before"));
    let before = log.checkpoint(6, &key);
    cases.last_mut().unwrap().checkpoints.push(before);
    let (first, second) = (whole.segments[0], whole.segments[1]);
    let end = whole.segments[2] - 1;
    let leaves = leaves_name(first, second - 1);
    let flipped = |at: usize| {
        let mut bytes = log.files[&leaves].clone();
        bytes[at] ^= 1;
        bytes
    };
    let size = end;
    let subtree = 1 << (63 - size.leading_zeros());
    cases.push(
        case("pruned-leaf-changed")
            .with(leaves.clone(), flipped(40))
            .broken("pruned-differ", 1, subtree),
    );
    let late = leaves_name(second, end);
    let mut bytes = log.files[&late].clone();
    let last = bytes.len() - 1;
    bytes[last] ^= 128;
    cases.push(
        case("pruned-last-leaf-changed")
            .with(late.clone(), bytes)
            .broken("pruned-differ", end, end),
    );
    cases.push(
        case("pruned-leaves-gone")
            .without(&leaves)
            .broken("pruned-missing", 1, 1),
    );
    cases.push(
        case("pruned-leaves-cut")
            .with(leaves.clone(), log.files[&leaves][..31].to_vec())
            .broken("pruned-missing", 1, 1),
    );
    cases.push(
        case("pruned-late-leaves-gone")
            .without(&late)
            .broken("removed", second, second),
    );
    let third = whole.segments[2];
    let mut untold = whole.clone();
    untold.segment(None);
    let kept = (third - 1) as usize..whole.leaves.len();
    let silent = Case::new("pruned-untold", &untold.files)
        .without(&name(first))
        .without(&name(second))
        .without(&name(third))
        .with(
            leaves_name(1, third - 1),
            whole.leaves[..third as usize - 1].concat(),
        )
        .with(leaves_name(third, whole.seq()), whole.leaves[kept].concat());
    cases.push(silent.broken("pruned-untold", 1, 1));
    cases.push(
        Case::new("pruned-unsigned", &log.files)
            .vouched(1, log.checkpoint(6, &key))
            .exits(3),
    );
    // One who may write the folder, and cannot sign, tells of more than was pruned.
    let mut more = log.clone();
    more.segment(None);
    more.prune(1);
    let more = Case::new("pruned-more-unsigned", &more.files).vouched(1, checkpoint.clone());
    cases.push(more.exits(3));
    pruned_identities(cases);
    let both =
        case("pruned-and-still-there").with(name(second), whole.files[&name(second)].clone());
    cases.push(both);
    let both =
        case("pruned-and-others-there").with(name(second), whole.files[&name(second)].clone());
    let mut bytes = log.files[&late].clone();
    bytes[32] ^= 1;
    cases.push(
        both.with(late, bytes)
            .broken("pruned-differ", second + 1, second + 1),
    );
}

/// An identity of which all was pruned, and two behind it.
fn pruned_identities(cases: &mut Vec<Case>) {
    let (mut chance, key) = (Chance::new(7), signing_key(1));
    let mut log = plain();
    let end = log.seq();
    let old = [log.checkpoint(9, &key), log.checkpoint(log.size(), &key)];
    let false_old = own_root(&log, 12, &key);
    log.gap(0, OTHER);
    log.key(&key, None);
    log.requests(end + 8, &mut chance);
    log.segment(None);
    log.requests(end + 12, &mut chance);
    log.prune(3);
    let middle = log.checkpoint(log.size(), &key);
    let last = log.seq();
    let kept = log.files.clone();
    log.gap(0, "0123456789abcdef0123456789abcdef");
    log.key(&key, None);
    log.requests(last + 8, &mut chance);
    let newest = log.checkpoint(log.size(), &key);
    let case = |name, files: &Files| {
        let mut case = Case::new(name, files).vouched(1, middle.clone());
        case.checkpoints.extend(old.iter().cloned());
        case.knowing(end).knowing(last)
    };
    let mut all = case("pruned-identity", &log.files);
    all.checkpoints.push(newest.clone());
    cases.push(all);
    let mut rolled_back = case("pruned-identity-and-newest-gone", &kept).exits(1);
    rolled_back.checkpoints.push(newest);
    cases.push(rolled_back);
    let mut differs = case("pruned-identity-differs", &log.files).exits(1);
    differs.checkpoints.push(false_old);
    cases.push(differs);
    let mut only = case("pruned-identity-signed-only", &log.files).exits(3);
    only.checkpoints.remove(0);
    cases.push(only);
    // Leaves of events that are there are no sign that anything was pruned.
    let whole = plain();
    let mut beside = whole.clone();
    beside.log = OTHER.to_owned();
    let mut leaves = Case::new("leaves-beside-and-another-log", &whole.files)
        .vouched(1, whole.checkpoint(whole.size(), &key))
        .exits(1)
        .with(leaves_name(1, 8), whole.leaves[..8].concat());
    leaves.checkpoints.push(beside.checkpoint(8, &key));
    cases.push(leaves);
    let far = 9_999_999_999_999_999;
    let name_far = name(far);
    cases.push(
        Case::new("leaves-far-behind", &Files::new())
            .with(name_far, Vec::new())
            .with(leaves_name(far - 1, far - 1), vec![7; 32])
            .broken("pruned-untold", far - 1, far - 1),
    );
}

#[expect(clippy::too_many_lines, reason = "a list")]
fn chain(cases: &mut Vec<Case>) {
    let key = signing_key(1);
    let log = plain();
    let checkpoint = log.checkpoint(log.size(), &key);
    let [first, second, third] = log.segments[..] else {
        panic!()
    };
    let case = |name| Case::new(name, &log.files).vouched(1, checkpoint.clone());
    cases.push(
        case("changed")
            .changed(1, |lines| {
                lines[4] = replaced(&lines[4], "par-1a", "par-1b")
            })
            .broken("changed", 5, 5),
    );
    cases.push(
        case("changed-number")
            .changed(1, |lines| {
                lines[4] = replaced(&lines[4], "\"seq\":5", "\"seq\":7")
            })
            .broken("changed", 5, 5),
    );
    cases.push(
        case("changed-prev")
            .changed(1, |lines| {
                lines[4] = replaced(&lines[4], "\"prev\":\"sha256:", "\"prev\":\"sha256:0")
            })
            .broken("changed", 5, 5),
    );
    cases.push(
        case("changed-last-of-a-file")
            .changed(1, |lines| {
                let last = lines.last_mut().unwrap();
                *last = replaced(last, "par-1a", "par-1b");
            })
            .broken("changed", second - 1, second - 1),
    );
    cases.push(
        case("changed-last")
            .changed(third, |lines| {
                let last = lines.last_mut().unwrap();
                *last = replaced(last, "par-1a", "par-1b");
            })
            .broken("forked", third, log.seq()),
    );
    cases.push(
        case("changed-last-but-one")
            .changed(third, |lines| {
                let at = lines.len() - 2;
                lines[at] = replaced(&lines[at], "par-1a", "par-1b");
            })
            .broken("changed", log.seq() - 1, log.seq() - 1),
    );
    cases.push(
        case("spaced")
            .changed(1, |lines| {
                lines[4] = replaced(&lines[4], "\"seq\":", "\"seq\": ")
            })
            .broken("not-canonical", 5, 5),
    );
    cases.push(
        case("removed")
            .changed(1, |lines| drop(lines.drain(3..5)))
            .broken("removed", 4, 4),
    );
    cases.push(
        case("inserted")
            .changed(1, |lines| lines.insert(5, lines[3].clone()))
            .broken("inserted", 6, 6),
    );
    cases.push(
        case("two-of-one-number")
            .changed(1, |lines| {
                let other = replaced(&lines[4], "par-1a", "par-1b");
                lines.insert(4, other);
            })
            .broken("inserted", 5, 5),
    );
    cases.push(
        case("reordered")
            .changed(1, |lines| lines.swap(3, 5))
            .broken("reordered", 4, 4),
    );
    cases.push(
        case("swapped")
            .changed(1, |lines| lines.swap(3, 4))
            .broken("reordered", 4, 4),
    );
    cases.push(
        case("file-cut")
            .changed(1, |lines| drop(lines.pop()))
            .broken("truncated", second - 1, second - 1),
    );
    cases.push(
        case("file-gone")
            .without(&name(second))
            .broken("truncated", second, second),
    );
    cases.push(
        case("first-file-gone")
            .without(&name(first))
            .broken("removed", 1, 1),
    );
    let (one, two) = (
        log.files[&name(first)].clone(),
        log.files[&name(second)].clone(),
    );
    cases.push(
        case("files-swapped")
            .with(name(first), two.clone())
            .with(name(second), one.clone())
            .broken("removed", 1, 1),
    );
    cases.push(
        case("file-copied")
            .with(name(second), one)
            .broken("renamed", second, second),
    );
    cases.push(
        case("file-renamed")
            .without(&name(second))
            .with(name(second - 2), two)
            .broken("renamed", second, second),
    );
    cases.push(
        case("rolled-back")
            .without(&name(third))
            .broken("cut", third, third),
    );
    cases.push(
        case("end-cut")
            .changed(third, |lines| drop(lines.pop()))
            .broken("cut", third, log.seq()),
    );
    cases.push(
        case("emptied")
            .without(&name(first))
            .without(&name(second))
            .without(&name(third))
            .broken("cut", 1, 1),
    );
    cases.push(
        case("later-version")
            .changed(third, |lines| {
                let last = lines.last_mut().unwrap();
                *last = replaced(last, "\"v\":2", "\"v\":3");
            })
            .exits(2),
    );
    cases.last_mut().unwrap().checkpoints = vec![log.checkpoint(8, &key)];
    let damaged = compressed(case("compressed-damaged"), second);
    let packed = name(second) + ".zst";
    let mut bytes = damaged.files[&packed].clone();
    bytes[20] ^= 4;
    cases.push(
        damaged
            .with(packed, bytes)
            .broken("undecodable", second, second),
    );
}

#[expect(clippy::too_many_lines, reason = "a list")]
fn rewritings(cases: &mut Vec<Case>) {
    let (key, own) = (signing_key(1), signing_key(9));
    let log = plain();
    let checkpoint = log.checkpoint(log.size(), &key);
    let second = log.segments[1];
    let case = |name, forged: &Forge| {
        let mut files = log.files.clone();
        files.retain(|name, _| !name.starts_with("audit-"));
        let segments = forged
            .files
            .iter()
            .filter(|(name, _)| name.starts_with("audit-"));
        files.extend(segments.map(|(name, bytes)| (name.clone(), bytes.clone())));
        Case::new(name, &files).vouched(1, checkpoint.clone())
    };
    let mut rewrite =
        |name, seq: u64, change: &dyn Fn(&mut Map<String, Value>), kind, interval: (u64, u64)| {
            let forged = rewritten(&log, seq, &mut |at, event| {
                if at == seq {
                    change(event);
                }
                true
            });
            cases.push(case(name, &forged).broken(kind, interval.0, interval.1));
        };
    let in_second = second + 2;
    rewrite(
        "rewritten",
        in_second,
        &|event| event["time"] = json!("2026-11-01T00:00:00.000Z"),
        "forked",
        (second, log.segments[2] - 1),
    );
    rewrite(
        "false-tree",
        second,
        &|event| {
            event.insert("forged".to_owned(), json!(true));
            event["tree"] = json!([]);
        },
        "misstated",
        (second, second),
    );
    rewrite(
        "no-statement",
        second,
        &|event| event["event"] = json!("audit.other"),
        "misstated",
        (second, second),
    );
    rewrite(
        "second-statement",
        in_second,
        &|event| {
            *event = json!({"event": "audit.segment", "from": 1, "id": "x", "log": LOG, "node": "par-1a", "prev": "", "seq": 0, "time": "", "tree": [], "v": 2}).as_object().unwrap().clone();
        },
        "misstated",
        (in_second, in_second),
    );
    let sealed = |key: &SigningKey| json!({"event": "audit.key", "id": "x", "key": key.public().to_string(), "node": "par-1a", "prev": "", "previous": signing_key(1).public().to_string(), "seq": 0, "signatures": ["AAAA"], "time": "", "v": 2});
    rewrite(
        "forged-key",
        in_second,
        &|event| *event = sealed(&own).as_object().unwrap().clone(),
        "key-forged",
        (in_second, in_second),
    );
    rewrite(
        "malformed",
        in_second,
        &|event| event["phase"] = json!("ended"),
        "malformed",
        (in_second, in_second),
    );
    rewrite(
        "terms-missing",
        in_second,
        &|event| event["terms"] = json!("t:00"),
        "terms-missing",
        (in_second, in_second),
    );
    rewrite(
        "miscounted",
        in_second,
        &|event| event["counts"] = json!([[3, 1]]),
        "miscounted",
        (in_second, in_second),
    );
    rewrite(
        "terms-changed",
        second + 1,
        &|event| event["terms"]["roles"] = json!(["everybody"]),
        "terms-changed",
        (second + 1, second + 1),
    );
    let mut own_key = rewritten(&log, in_second, &mut |_, _| false);
    own_key.key(&own, None);
    own_key.requests(log.seq(), &mut Chance::new(4));
    cases.push(case("own-key", &own_key).broken("forked", second, log.segments[2] - 1));
    let mut other = rewritten(&log, second, &mut |_, _| false);
    other.log = OTHER.to_owned();
    other.segment(None);
    other.requests(log.seq(), &mut Chance::new(5));
    cases.push(case("another-log-goes-on", &other).broken("misstated", second, second));
}

fn checkpoints(cases: &mut Vec<Case>) {
    let (key, own) = (signing_key(1), signing_key(9));
    let log = plain();
    let checkpoint = log.checkpoint(log.size(), &key);
    let case =
        |name, checkpoint: String| Case::new(name, &log.files).vouched(1, checkpoint).exits(1);
    cases.push(case("checkpoint-by-another-key", log.checkpoint(9, &own)));
    cases.push(case(
        "checkpoint-forged",
        checkpoint.replacen('\n', "\n1", 1),
    ));
    let mut other = log.clone();
    other.log = OTHER.to_owned();
    cases.push(case("checkpoint-of-another-log", other.checkpoint(9, &key)));
    cases.push(case("checkpoint-that-is-none", "a\nb\n".to_owned()).exits(2));
    let mut none =
        case("checkpoint-differs-without-a-key", own_root(&log, 9, &key)).broken("forked", 1, 9);
    none.keys.clear();
    cases.push(none);
    let mut split = case("signed-two-logs", own_root(&log, 9, &key));
    split.checkpoints.push(checkpoint.clone());
    split.kind = Some("split");
    cases.push(split);
    let bad = "checkpoints/0000000000000005.5ca1ab1e.checkpoint".to_owned();
    cases.push(
        Case::new("bad-checkpoint-inside", &log.files)
            .vouched(1, checkpoint.clone())
            .with(bad.clone(), b"none\n".to_vec()),
    );
    cases.push(
        Case::new("bad-checkpoint-inside-trusted", &log.files)
            .trusting()
            .exits(1)
            .with(bad.clone(), b"none\n".to_vec()),
    );
    let differing = own_root(&log, 5, &key).into_bytes();
    cases.push(
        Case::new("differing-checkpoint-inside", &log.files)
            .vouched(1, log.checkpoint(3, &key))
            .with(bad.clone(), differing.clone()),
    );
    let last = cases.pop().unwrap();
    let split = Case {
        kind: Some("split"),
        exit: 1,
        ..last
    };
    cases.push(split);
    let by_own = own_root(&log, 5, &own).into_bytes();
    cases.push(
        Case::new("differing-checkpoint-inside-by-nobody", &log.files)
            .vouched(1, checkpoint)
            .with(bad, by_own),
    );
    cases.push(
        Case::new(
            "no-log",
            &Files::from([("README".to_owned(), b"no log\n".to_vec())]),
        )
        .exits(2),
    );
}

/// A checkpoint of another root.
fn own_root(log: &Forge, size: u64, key: &SigningKey) -> String {
    let mut other = log.clone();
    other.leaves[0] = [7; 32];
    other.checkpoint(size, key)
}

fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for some in [good, gaps, pruned, chain, rewritings, checkpoints] {
        some(&mut cases);
    }
    cases
}

/// Proofs, and whether they hold.
fn proofs() -> Value {
    let leaves = plain().leaves;
    let hexes = |proof: &[Hash]| proof.iter().map(|hash| hex(hash)).collect::<Vec<_>>();
    let root = |size: usize| Tree::of(&leaves[..size]).root();
    let mut all = Vec::new();
    for (index, size) in [(0, 1), (0, 2), (4, 7), (6, 7), (11, 21), (20, 21)] {
        let proof = tree::inclusion_proof(&leaves[..size], index).unwrap();
        for (index, holds) in [(index, true), (index + 1, false)] {
            let is_so = tree::is_included(
                &leaves[index.min(20)],
                index as u64,
                size as u64,
                &root(size),
                &proof,
            );
            assert!(!holds || is_so);
            all.push(json!({
                "kind": "inclusion", "leaf": hex(&leaves[index.min(20)]), "index": index, "size": size,
                "root": hex(&root(size)), "proof": hexes(&proof), "holds": is_so,
            }));
        }
    }
    for (first, second) in [(1, 1), (1, 2), (3, 7), (4, 8), (6, 8), (8, 21), (20, 21)] {
        let proof = tree::consistency_proof(&leaves[..second], first).unwrap();
        for of in [first, first - 1] {
            let is_so = tree::is_consistent(
                (first as u64, &root(of)),
                (second as u64, &root(second)),
                &proof,
            );
            all.push(json!({
                "kind": "consistency", "first": first, "first_root": hex(&root(of)), "second": second,
                "second_root": hex(&root(second)), "proof": hexes(&proof), "holds": is_so,
            }));
            assert_eq!(is_so, of == first);
        }
    }
    Value::Array(all)
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/audit")
}

fn described(cases: &[Case]) -> Value {
    let one = |case: &Case| {
        let checkpoints =
            (1..=case.checkpoints.len()).map(|at| format!("{}/outside/{at}.checkpoint", case.name));
        json!({
            "name": case.name,
            "log": format!("{}/log", case.name),
            "keys": case.keys.iter().map(|key| format!("keys/{key}.pub")).collect::<Vec<_>>(),
            "checkpoints": checkpoints.collect::<Vec<_>>(),
            "expect_gap": case.gaps,
            "trust_local": case.trust_local,
            "exit": case.exit,
            "kind": case.kind,
            "first_bad": case.first_bad.map(|(first, last)| [first, last]),
        })
    };
    cases.iter().map(one).collect()
}

fn made(cases: &[Case]) -> Files {
    let mut files = Files::new();
    let pretty = |value: &Value| (serde_json::to_string_pretty(value).unwrap() + "\n").into_bytes();
    files.insert("cases.json".to_owned(), pretty(&described(cases)));
    files.insert("proofs.json".to_owned(), pretty(&proofs()));
    for key in [1, 2] {
        let line = format!("{}\n", signing_key(key).public());
        files.insert(format!("keys/{key}.pub"), line.into_bytes());
    }
    for case in cases {
        for (name, bytes) in &case.files {
            files.insert(format!("{}/log/{name}", case.name), bytes.clone());
        }
        for (at, text) in case.checkpoints.iter().enumerate() {
            let name = format!("{}/outside/{}.checkpoint", case.name, at + 1);
            files.insert(name, text.clone().into_bytes());
        }
    }
    files
}

#[test]
fn the_vectors_are_what_is_made_here() {
    let (made, dir) = (made(&all()), folder());
    if env::var_os("PARAVENT_MAKE_VECTORS").is_some() {
        let _ = fs::remove_dir_all(&dir);
        write(&made, &dir);
    }
    for (name, bytes) in &made {
        let there = fs::read(dir.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        // How well a text is compressed depends on who compresses it.
        assert!(
            there == *bytes || name.ends_with(".zst"),
            "{name} is another one: run with PARAVENT_MAKE_VECTORS=1"
        );
    }
}

#[test]
fn every_vector_has_its_verdict() {
    let text = fs::read_to_string(folder().join("cases.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert!(cases.len() > 60, "{}", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let path = |name: &Value| folder().join(name.as_str().unwrap());
        let read = |name: &Value| fs::read_to_string(path(name)).unwrap();
        let list = |name: &str| case[name].as_array().unwrap().iter();
        let outside = Outside {
            keys: list("keys")
                .map(|key| VerifierKey::parse(&read(key)).unwrap())
                .collect(),
            checkpoints: list("checkpoints")
                .map(|name| Given {
                    name: name.to_string(),
                    text: read(name),
                })
                .collect(),
            known_gaps: list("expect_gap")
                .map(|gap| KnownGap::parse(gap.as_str().unwrap()).unwrap())
                .collect(),
            trust_local: case["trust_local"] == true,
            ..Outside::default()
        };
        // A file that is no checkpoint is said before anything is verified.
        let is_given = |given: &Given| {
            Note::parse(&given.text)
                .and_then(|note| Checkpoint::parse(note.text()))
                .is_ok()
        };
        if !outside.checkpoints.iter().all(is_given) {
            assert_eq!(case["exit"], 2, "{case}");
            continue;
        }
        let found = examine(&path(&case["log"]), &outside, &mut |_| {});
        let exit = match found.reliance(&outside) {
            Reliance::Vouched => 0,
            Reliance::Broken => 1,
            Reliance::Unusable => 2,
            Reliance::Whole => 3,
        };
        let (kind, first_bad) = match &found.verdict {
            Err(Fault::Broken(broken)) => (Some(broken.what.as_str()), Some(broken.first_bad())),
            Err(Fault::Unexpected(unexpected)) => {
                (Some(unexpected.as_str()), unexpected.first_bad())
            }
            _ => (None, None),
        };
        let first_bad = first_bad.map(|(first, last)| [first, last]);
        let said = json!({"exit": exit, "kind": kind, "first_bad": first_bad});
        let must =
            json!({"exit": case["exit"], "kind": case["kind"], "first_bad": case["first_bad"]});
        if said != must {
            wrong.push(format!(
                "{}: {said}, and not {must}: {:?}",
                case["name"], found.verdict
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
