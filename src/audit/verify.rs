//! Whether a log is what was written: every event in its place, none changed, none missing.
//!
//! What a chain of hashes alone cannot show: that the very end was cut off or changed, and that somebody who may write
//! the folder made the whole rest of the chain anew. Both need something that is kept elsewhere: a signed checkpoint and the key
//! that it was signed with, or a head.
//!
//! One pass over the log, in memory that does not grow with it. The rules are those of `docs/audit-format.md`; what is decided
//! here must be decided there.

use std::io;
use std::path::Path;

use super::chain::Head;
use super::note::{Checkpoint, Note, VerifierKey};
use super::verdict::{Checked, Fault, Gap, Identity, KeyInForce, Pruning, Unexpected, Verified};

mod checkpoints;
mod event;
mod identities;
mod judge;
mod keys;
mod pruned;
#[cfg(test)]
mod tests;
mod walk;

use walk::Walk;

/// A checkpoint that was given from outside of the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Where it was found, for messages.
    pub name: String,
    /// The signed note.
    pub text: String,
}

/// A gap that is known, and which events were missing in it at most. Written `480-501`; `501` if none were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownGap {
    /// The first event that was missing; behind the last one if none was.
    pub first_seq: u64,
    /// The last event before the gap ends.
    pub last_seq: u64,
}

impl KnownGap {
    /// Reads what is written so.
    pub fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| {
            let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| text.parse::<u64>().ok()).flatten()
        };
        let (first_seq, last_seq) = match text.split_once('-') {
            Some((first, last)) => (number(first)?, number(last)?),
            None => {
                let last_seq = number(text)?;
                return Some(Self {
                    first_seq: last_seq.checked_add(1)?,
                    last_seq,
                });
            }
        };
        (1..=last_seq).contains(&first_seq).then_some(Self {
            first_seq,
            last_seq,
        })
    }

    /// Whether a gap is the one that is known, and no more is missing in it.
    fn excuses(self, gap: &Gap) -> bool {
        let is_within = |(first, _): (u64, u64)| self.first_seq <= first;
        self.last_seq == gap.last_seq && gap.missing.is_none_or(is_within)
    }
}

/// What is known from outside of the folder.
#[derive(Clone, Debug, Default)]
pub struct Outside {
    /// Events that must be there.
    pub kept: Vec<Head>,
    /// Public keys to trust.
    pub keys: Vec<VerifierKey>,
    /// Checkpoints.
    pub checkpoints: Vec<Given>,
    /// Gaps that are known.
    pub known_gaps: Vec<KnownGap>,
    /// Whether keys and checkpoints in the folder are to be trusted.
    pub trust_local: bool,
}

impl Outside {
    /// Whether a gap is known, with all that is missing in it.
    pub fn knows(&self, gap: &Gap) -> bool {
        self.known_gaps.iter().any(|known| known.excuses(gap))
    }

    /// Whether the folder is to be trusted for itself: nobody has said which key it must be.
    fn trusts_folder(&self) -> bool {
        self.trust_local && self.keys.is_empty()
    }
}

/// What was found, and what it is worth.
#[derive(Debug)]
pub struct Findings {
    /// Whether the log is what was written, as far as anybody can tell.
    pub verdict: Result<Verified, Fault>,
    /// What each checkpoint says, those from outside first.
    pub checkpoints: Vec<Checked>,
    /// The identities of the log.
    pub identities: Vec<Identity>,
    /// The keys that it put in force.
    pub keys: Vec<KeyInForce>,
    /// Up to which event a checkpoint that counts agrees: the one that reaches furthest.
    pub signed: Option<Checked>,
}

/// How much a log can be relied upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reliance {
    /// It is whole, and something that was kept elsewhere says so.
    Vouched,
    /// It is not what was written, or not what was expected.
    Broken,
    /// It is whole, but nothing from outside vouches for it.
    Whole,
    /// Nobody can say.
    Unusable,
}

impl Findings {
    /// The verdict in a word.
    pub fn reliance(&self, outside: &Outside) -> Reliance {
        let verified = match &self.verdict {
            Ok(verified) => verified,
            Err(Fault::Broken(_) | Fault::Unexpected(_)) => return Reliance::Broken,
            Err(_) => return Reliance::Unusable,
        };
        let is_known = |gap: &Gap| outside.knows(gap);
        let fails = |checked: &Checked| {
            !checked.standing.is_passed_over() && (checked.is_outside || outside.trust_local)
        };
        if !verified.gaps.iter().all(is_known) || self.checkpoints.iter().any(fails) {
            return Reliance::Broken;
        }
        let vouches =
            |checked: &Checked| checked.is_proof() && (checked.is_outside || outside.trust_local);
        let is_vouched = outside.trusts_folder()
            || outside.kept.iter().any(|head| head.seq > 0)
            || self.checkpoints.iter().any(vouches);
        let is_pruning_vouched = verified.pruned.as_ref().is_none_or(Pruning::is_vouched);
        match is_vouched && (is_pruning_vouched || outside.trusts_folder()) {
            true => Reliance::Vouched,
            false => Reliance::Whole,
        }
    }
}

/// Checks a whole log. Needs no lock: a log may be verified while it is written. `progress` hears, now and then, how
/// many bytes have been read.
///
/// # Errors
/// At the first event that is not what was written.
pub fn verify(dir: &Path, progress: &mut dyn FnMut(u64)) -> Result<Verified, Fault> {
    examine(dir, &Outside::default(), progress).verdict
}

/// As [`verify`], and whether it is still the log of which these heads were kept elsewhere.
///
/// # Errors
/// At the first event that is not what was written, or not the one that was kept.
pub fn verify_against(
    dir: &Path,
    kept: &[Head],
    progress: &mut dyn FnMut(u64),
) -> Result<Verified, Fault> {
    let outside = Outside {
        kept: kept.to_vec(),
        ..Outside::default()
    };
    examine(dir, &outside, progress).verdict
}

/// As [`verify`], and whether it is still the log of which heads and checkpoints were kept elsewhere: only they can tell that its
/// end is missing, or that all of it was written anew.
pub fn examine(dir: &Path, outside: &Outside, progress: &mut dyn FnMut(u64)) -> Findings {
    let unreadable = |source| Fault::Unreadable {
        path: dir.to_owned(),
        source,
    };
    let claims = checkpoints::claims(dir, outside);
    let (claims, unread) = match claims {
        Ok(claims) => (claims, None),
        Err(error) => (Vec::new(), Some(unreadable(error))),
    };
    let mut walk = Walk::new(dir, outside, &claims, progress);
    let walked = walk.run();
    let mut findings = walk.findings(walked);
    findings.verdict = match (unread, findings.verdict) {
        (Some(fault), Ok(_)) => Err(fault),
        (_, verdict) => against_heads(dir, &outside.kept, not_emptied(outside, verdict)),
    };
    findings
}

/// A folder without a log, though a checkpoint says that there was one.
fn not_emptied(outside: &Outside, verdict: Result<Verified, Fault>) -> Result<Verified, Fault> {
    let signed = outside.checkpoints.iter().filter_map(|given| {
        let note = Note::parse(&given.text).ok()?;
        note.signed_by(&outside.keys).ok()?;
        Checkpoint::parse(note.text()).ok()
    });
    let is_empty = match &verdict {
        Ok(verified) => verified.last_seq == 0,
        Err(fault) => matches!(fault, Fault::NoLog { .. }),
    };
    match signed.map(|checkpoint| checkpoint.size).max() {
        Some(last_seq @ 1..) if is_empty => Err(Fault::Unexpected(Unexpected::Cut {
            first_seq: 1,
            seq: 1,
            last_seq,
        })),
        _ => verdict,
    }
}

/// Whether the events of these heads are there. That those which are there are the right ones was looked at before.
fn against_heads(
    dir: &Path,
    kept: &[Head],
    verified: Result<Verified, Fault>,
) -> Result<Verified, Fault> {
    let (last_seq, gaps) = match &verified {
        Ok(verified) => (verified.last_seq, verified.gaps.as_slice()),
        Err(Fault::NoLog { .. }) => (0, &[][..]),
        Err(Fault::Unreadable { path, source })
            if path == dir && source.kind() == io::ErrorKind::NotFound =>
        {
            (0, &[][..])
        }
        Err(_) => return verified,
    };
    let is_missing = |head: &&Head| {
        let lies_in = |gap: &Gap| {
            gap.missing
                .is_some_and(|(first, last)| (first..=last).contains(&head.seq))
        };
        head.seq > last_seq || gaps.iter().any(lies_in)
    };
    match kept.iter().find(is_missing) {
        Some(Head { seq, .. }) => {
            let seq = *seq;
            Err(Fault::Unexpected(Unexpected::Missing { seq, last_seq }))
        }
        None => verified,
    }
}
