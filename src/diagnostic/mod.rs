//! Problems in what operators and policy authors wrote: place, cause, fix; all of them at once.
//!
//! Snippets of policies and configuration are shown: they hold no personal data.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::Serialize;

mod load;
mod lower;
pub mod odd;
mod others;
mod render;
mod yaml;

pub use load::{could_not_read, load};
pub(crate) use lower::not_supported;
pub use lower::{Form, Keys, NOT_SUPPORTED};
pub use others::everybody_may_write;
pub(crate) use yaml::is_repaired;
pub use yaml::{CODES, FILE_BYTES_MAX, Fault, Node, NodeKind, Spanned, read};

/// Problems that are kept; further ones are counted only.
pub const DIAGNOSTICS_MAX: usize = 500;

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// What was written cannot be used.
    Error,
    /// It can be used, but hardly means what its author thinks.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// The word for this severity.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// A text that somebody wrote, with its name in messages. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct File(Arc<FileInner>);

#[derive(PartialEq, Eq)]
struct FileInner {
    path: String,
    text: String,
}

impl File {
    /// A text and the path under which messages name it.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self(Arc::new(FileInner {
            path: path.into(),
            text: text.into(),
        }))
    }

    /// The path as messages show it.
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// Line and column (both from 1, columns in characters) of a byte of the text.
    pub fn position(&self, byte: usize) -> (usize, usize) {
        let text = self.text();
        let mut byte = byte.min(text.len());
        while !text.is_char_boundary(byte) {
            byte -= 1;
        }
        let before = &text[..byte];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (
            before.bytes().filter(|&b| b == b'\n').count() + 1,
            before[line_start..].chars().count() + 1,
        )
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("File").field(&self.0.path).finish()
    }
}

/// A place in a text: a range of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The text.
    pub file: File,
    /// The bytes.
    pub span: Range<usize>,
}

impl Place {
    /// The line of the place's start, from 1.
    pub fn line(&self) -> usize {
        self.file.position(self.span.start).0
    }
}

/// One problem.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// The stable code of its class: `P014`.
    pub code: &'static str,
    /// What is wrong.
    pub title: String,
    /// Where; `None` for problems outside any text (a folder that cannot be read).
    pub place: Option<Place>,
    /// What to see at that place.
    pub label: String,
    /// How to repair it.
    pub help: Option<String>,
    /// A second place that matters, and what to see there: where a name was first defined.
    pub second: Option<(Place, String)>,
    /// Further places of the same mistake.
    pub more: Vec<Place>,
}

impl Diagnostic {
    /// A problem without a place so far.
    pub fn new(severity: Severity, code: &'static str, title: impl Into<String>) -> Self {
        Self {
            severity,
            code,
            title: title.into(),
            place: None,
            label: String::new(),
            help: None,
            second: None,
            more: Vec::new(),
        }
    }

    /// An error.
    pub fn error(code: &'static str, title: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, title)
    }

    /// A warning.
    pub fn warning(code: &'static str, title: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, title)
    }

    /// A warning about what cannot be meant. What was valid before stays so for one version, and then is an error.
    pub fn error_to_be(code: &'static str, title: impl Into<String>) -> Self {
        let title = format!("{} (will be an error in the next version)", title.into());
        Self::new(Severity::Warning, code, title)
    }

    /// A note.
    pub fn note(code: &'static str, title: impl Into<String>) -> Self {
        Self::new(Severity::Note, code, title)
    }

    /// Names the place and what to see there.
    #[must_use]
    pub fn at(mut self, place: &Place, label: impl Into<String>) -> Self {
        self.place = Some(place.clone());
        self.label = label.into();
        self
    }

    /// Says how to repair it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Shows a character of a name that is not known and that looks like another one, if it has one.
    #[must_use]
    pub fn look_alike(mut self, name: &str) -> Self {
        if let Some((_, c)) = odd::first(name, |_| true) {
            self.label = format!("{}; it holds {}", self.label, odd::name(c));
        }
        self
    }

    /// Suggests which of some names was most likely meant, if one is near.
    #[must_use]
    pub fn suggest<'a>(self, name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        let problem = self.look_alike(name);
        match meant(name, candidates) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem,
        }
    }

    /// Adds the place of the same mistake elsewhere. The first place stays first, whatever the order.
    fn join(&mut self, other: Self) {
        let (Some(place), Some(mut another)) = (&mut self.place, other.place) else {
            return;
        };
        let order = |place: &Place| (place.file.path().to_owned(), place.span.start);
        if order(&another) < order(place) {
            std::mem::swap(place, &mut another);
        }
        if *place != another && !self.more.contains(&another) {
            self.more.push(another);
        }
    }

    /// Names a second place that matters.
    #[must_use]
    pub fn also(mut self, place: &Place, label: impl Into<String>) -> Self {
        self.second = Some((place.clone(), label.into()));
        self
    }
}

impl Diagnostic {
    /// The same without anything that stands in its text: a title that says where it is.
    fn without_source(self) -> Self {
        let at = self.place.map(|place| {
            let path = place.file.path();
            format!(", at {path}:{}", place.line())
        });
        Self {
            title: format!("{}{}", self.title, at.unwrap_or_default()),
            place: None,
            label: String::new(),
            second: None,
            more: Vec::new(),
            ..self
        }
    }
}

/// Problems found in one or more texts.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    omitted: usize,
    errors: usize,
    warnings: usize,
    notes: usize,
}

impl Diagnostics {
    /// No problem yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a problem. Beyond [`DIAGNOSTICS_MAX`] it is only counted.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        match diagnostic.severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
            Severity::Note => self.notes += 1,
        }
        if self.list.len() < DIAGNOSTICS_MAX {
            self.list.push(diagnostic);
        } else {
            self.omitted += 1;
        }
    }

    /// Adds a problem, if there is one.
    pub fn push_any(&mut self, diagnostic: Option<Diagnostic>) {
        diagnostic.into_iter().for_each(|found| self.push(found));
    }

    /// Adds a problem with one name, or the place of it to what was said of that name already: a name that is wrong in
    /// six places is one mistake.
    pub fn push_named(&mut self, diagnostic: Diagnostic) {
        let same = |known: &&mut Diagnostic| {
            known.code == diagnostic.code && known.title == diagnostic.title
        };
        match self.list.iter_mut().find(same) {
            Some(known) => known.join(diagnostic),
            None => self.push(diagnostic),
        }
    }

    /// Adds all problems of another list.
    pub fn extend(&mut self, other: Self) {
        let kept = (self.errors, self.warnings, self.notes);
        self.omitted += other.omitted;
        for diagnostic in other.list {
            self.push(diagnostic);
        }
        // The other's counts include what it omitted.
        self.errors = kept.0 + other.errors;
        self.warnings = kept.1 + other.warnings;
        self.notes = kept.2 + other.notes;
    }

    /// The same without the lines of the texts: for a log, where texts hold what may not end in one.
    #[must_use]
    pub fn without_sources(self) -> Self {
        let list = self.list.into_iter();
        Self {
            list: list.map(Diagnostic::without_source).collect(),
            ..self
        }
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.errors + self.warnings + self.notes == 0
    }

    /// Whether one of the problems is an error.
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// How many errors there are.
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// How many warnings there are.
    pub fn warnings(&self) -> usize {
        self.warnings
    }

    /// How many notes there are.
    pub fn notes(&self) -> usize {
        self.notes
    }

    /// How many problems are only counted.
    pub fn omitted(&self) -> usize {
        self.omitted
    }

    /// The problems by severity, then file, then place.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        let mut sorted: Vec<&Diagnostic> = self.list.iter().collect();
        sorted.sort_by_key(|diagnostic| {
            let place = diagnostic.place.as_ref();
            (
                diagnostic.severity,
                place.map(|place| place.file.path()),
                place.map(|place| place.span.start),
            )
        });
        sorted.into_iter()
    }

    /// All problems in rustc's manner, in colour if asked. Each ends with a line feed; a blank line stands between two.
    pub fn render(&self, colour: bool) -> String {
        render::text(self, colour)
    }

    /// All problems as a JSON array of objects.
    pub fn to_json(&self) -> serde_json::Value {
        render::json(self)
    }
}

/// The nearest of some names, if one is near enough to be a slip of the pen.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (name.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| *candidate != name)
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(
                &name.to_ascii_lowercase(),
                &candidate.to_ascii_lowercase(),
            );
            (distance, candidate)
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// The one of some names that another one was most likely meant to be: it looks like it, or is near.
pub fn meant<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = odd::plain(name);
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let same = candidates
        .iter()
        .find(|known| **known == plain && plain != name);
    same.copied().or_else(|| nearest(&plain, candidates))
}

/// A number with commas between thousands: `1,000,000`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A name that somebody wrote, in backticks and of bounded length; what would not be seen is shown by its code.
pub fn quoted(name: &str) -> String {
    const CHARACTERS_MAX: usize = 80;
    let short: String = name.chars().take(CHARACTERS_MAX).collect();
    let mut shown = odd::visible(&short);
    if name.chars().nth(CHARACTERS_MAX).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

#[cfg(test)]
mod tests {
    use super::{DIAGNOSTICS_MAX, Diagnostic, Diagnostics, File, Place, nearest};

    #[test]
    fn positions_count_characters_from_one() {
        let file = File::new("p.yaml", "é: 1\nbé: x\n");
        assert_eq!(file.position(0), (1, 1));
        assert_eq!(file.position(file.text().find('x').unwrap()), (2, 5));
        assert_eq!(file.position(1_000), (3, 1));
    }

    #[test]
    fn suggestions_are_near_names_only() {
        assert_eq!(nearest("capz", ["caps", "roles"]), Some("caps"));
        assert_eq!(nearest("xyz", ["caps", "roles"]), None);
    }

    #[test]
    fn a_name_that_is_wrong_in_many_places_is_one_mistake_with_all_its_lines() {
        let file = File::new("p.yaml", "a: 1\nb: 2\nc: 3\n");
        let other = File::new("q.yaml", "a: 1\n");
        let wrong = |file: &File, at: usize| {
            let place = Place {
                file: file.clone(),
                span: at..at + 1,
            };
            Diagnostic::error("P011", "unknown role `x`").at(&place, "not declared")
        };
        let mut found = Diagnostics::new();
        for at in [10, 5, 0, 5] {
            found.push_named(wrong(&file, at));
        }
        found.push_named(wrong(&other, 0));
        assert_eq!(found.errors(), 1);
        let text = found.render(false);
        assert!(text.contains("p.yaml:1:1"), "{text}");
        assert!(
            text.contains("not declared; also in lines 2, 3, q.yaml:1"),
            "{text}"
        );
        assert_eq!(found.to_json()[0]["more"].as_array().unwrap().len(), 3);
    }

    #[test]
    fn problems_beyond_the_bound_are_still_counted() {
        let file = File::new("p.yaml", "a: 1\n");
        let place = Place { file, span: 0..1 };
        let mut found = Diagnostics::new();
        for _ in 0..DIAGNOSTICS_MAX + 7 {
            found.push(Diagnostic::error("P000", "wrong").at(&place, "here"));
        }
        let mut all = Diagnostics::new();
        all.extend(found);
        assert_eq!(all.errors(), DIAGNOSTICS_MAX + 7);
        assert_eq!(all.iter().count(), DIAGNOSTICS_MAX);
        assert!(all.render(false).ends_with("and 7 more problems\n"));
    }
}
