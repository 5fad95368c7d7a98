//! Of which CRMs a log tells, so that records of two never mix.

use std::collections::BTreeSet;
use std::path::Path;

use memchr::memmem;

use super::chain::{End, Lines};
use super::folder::{segment_name, segments};
use super::format::full;
use super::index::Index;
use super::names::visible;
use super::verdict::Fault;

/// How the name of a CRM begins in an event. In canonical JSON, no other text can look like it.
pub(super) const MARK: &[u8] = b"\"upstream\":\"";

/// The names of the CRMs of a log, as its events give them. Events of version 1 give none.
#[derive(Debug, Default)]
pub(super) struct Upstreams(BTreeSet<String>);

/// A record that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    upstream: Option<String>,
    module: String,
    id: String,
}

/// A record as events may name it.
#[derive(Debug)]
pub(super) struct Wanted {
    upstream: Option<String>,
    /// In version 2, and as version 1 cut long ones.
    pub(super) names: [String; 2],
}

/// The name of a CRM in the line of an event.
pub(super) fn named<'l>(mark: &memmem::Finder<'_>, line: &'l [u8]) -> Option<&'l str> {
    let at = mark.find(line)?;
    let rest = line.get(at + MARK.len()..)?;
    let end = memchr::memchr(b'"', rest)?;
    str::from_utf8(&rest[..end]).ok()
}

impl Asked {
    /// Reads `Contacts/c-1` or `crm:Contacts/c-1`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (module, id) = text.split_once('/')?;
        let (upstream, module) = match module.split_once(':') {
            Some((upstream, module)) => (Some(upstream.to_owned()), module),
            None => (None, module),
        };
        Some(Self {
            upstream,
            module: module.to_owned(),
            id: id.to_owned(),
        })
    }
}

impl Upstreams {
    /// Looks through a log for them. No line is read for what it says.
    pub(super) fn find(dir: &Path) -> Result<Self, Fault> {
        Self::find_from(dir, None)
    }

    /// The same, where an index knows those of the first part.
    pub(super) fn find_from(dir: &Path, index: Option<&Index>) -> Result<Self, Fault> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |source| Fault::Unreadable { path, source }
        };
        let mut found = Self(index.map(Index::upstreams).unwrap_or_default());
        let (last, bytes) = index.map(Index::end).unwrap_or_default();
        let mark = memmem::Finder::new(MARK);
        for first_seq in segments(dir).map_err(unreadable(dir))? {
            if first_seq < last {
                continue;
            }
            let path = dir.join(segment_name(first_seq));
            let offset = if first_seq == last { bytes } else { 0 };
            let mut lines = Lines::at(dir, first_seq, offset).map_err(unreadable(&path))?;
            while let Some(end) = lines.next().map_err(unreadable(&path))? {
                if end != End::Newline {
                    break;
                }
                let name = named(&mark, &lines.line);
                if let Some(name) = name.filter(|name| !found.0.contains(*name)) {
                    found.0.insert(name.to_owned());
                }
            }
        }
        Ok(found)
    }

    /// Whether records are shown with the name of their CRM.
    pub(super) fn are_several(&self) -> bool {
        self.0.len() > 1
    }

    /// The record that is meant.
    ///
    /// # Errors
    /// If it may be one of several CRMs, or is of none that the log knows.
    pub(super) fn settle(&self, asked: &Asked) -> Result<Wanted, Fault> {
        let Asked {
            upstream,
            module,
            id,
        } = asked;
        let record = visible(&format!("{module}/{id}"));
        let known: Vec<&str> = self.0.iter().map(String::as_str).collect();
        match upstream {
            None if self.are_several() => {
                let first = known.first().copied().unwrap_or_default();
                return Err(Fault::Unclear(format!(
                    "`{record}` may be a record of each upstream of this log ({}); write its name before it: `record={first}:{record}`",
                    known.join(", ")
                )));
            }
            Some(upstream) if !self.0.contains(upstream) => {
                let upstream = visible(upstream);
                return Err(Fault::Unclear(match known.as_slice() {
                    [] => format!(
                        "this log does not tell upstreams, so none is `{upstream}`; write `record={record}`"
                    ),
                    known => format!(
                        "no event of this log is of an upstream `{upstream}`; it has {}",
                        known.join(", ")
                    ),
                }));
            }
            _ => {}
        }
        Ok(Wanted {
            upstream: upstream.clone(),
            names: [format!("{module}/{}", visible(id)), record],
        })
    }
}

impl Wanted {
    /// Whether an event names it. An event that tells no CRM may be of each.
    pub(super) fn is_in(&self, request: &full::Request) -> bool {
        let upstreams = self
            .upstream
            .as_ref()
            .zip(request.request.upstream.as_ref());
        upstreams.is_none_or(|(wanted, own)| wanted == own)
            && request
                .records
                .refs
                .iter()
                .any(|found| self.names.contains(found))
    }
}
