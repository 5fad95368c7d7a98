//! From a tree to what it means: maps with known keys, words, durations, sizes. Every mistake is reported and reading
//! goes on, so that an author sees all of them at once.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::odd::{self, Oddity};
use super::yaml::{Fault, is_repaired, odd_character, report_odd};
use super::{Diagnostic, Diagnostics, Node, NodeKind, Place, Spanned, meant, quoted};

/// The code of everything that is refused by name until it exists.
pub const NOT_SUPPORTED: &str = "Y017";

/// The keys that a map may hold.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// What the map is, in messages: `a grant`.
    pub what: &'static str,
    /// Keys that it may hold.
    pub known: &'static [&'static str],
    /// Keys that later versions will know: refused by name, so that nothing is ever ignored.
    pub refused: &'static [&'static str],
}

/// A map whose keys were checked.
#[derive(Clone, Copy, Debug)]
pub struct Keys<'a> {
    form: Form,
    entries: &'a [(Spanned<String>, Node)],
    place: &'a Place,
}

impl Form {
    /// Reads a map and reports every key that it may not hold. Nothing at all stands for an empty map.
    pub fn read<'a>(&self, node: &'a Node, found: &mut Diagnostics) -> Option<Keys<'a>> {
        let entries = node.map(self.what, found)?;
        for (key, _) in entries {
            let name = key.value.as_str();
            if self.known.contains(&name) || is_repaired(key) {
                continue;
            }
            found.push(if self.refused.contains(&name) {
                not_supported(&format!("key {}", quoted(name)), &key.place)
            } else {
                Diagnostic::error("Y010", format!("unknown key {}", quoted(name)))
                    .at(&key.place, format!("not a key of {}", self.what))
                    .help(format!("known keys: {}", self.known.join(", ")))
                    .suggest(name, self.known.iter().copied())
            });
        }
        Some(Keys {
            form: *self,
            entries,
            place: &node.place,
        })
    }
}

impl Form {
    /// The known key that an unknown one was most likely meant to be. That it is unknown was reported.
    fn meant(&self, name: &str) -> Option<&'static str> {
        if self.known.contains(&name) || self.refused.contains(&name) {
            return None;
        }
        meant(name, self.known.iter().copied())
    }
}

/// Something that is refused by name until it exists.
pub(crate) fn not_supported(what: &str, place: &Place) -> Diagnostic {
    Diagnostic::error(NOT_SUPPORTED, format!("{what} is not supported yet"))
        .at(place, "not supported yet")
        .help("take it out: nothing in a policy is ever ignored")
}

impl<'a> Keys<'a> {
    /// The value of a key. A misspelt key, which was reported, stands for the one that was most likely meant, so that what
    /// follows from it is not reported too.
    pub fn get(&self, key: &str) -> Option<&'a Node> {
        let mut entries = self.entries.iter();
        let found = entries.find(|(name, _)| name.value == key).or_else(|| {
            let mut entries = self.entries.iter();
            entries.find(|(name, _)| self.form.meant(&name.value) == Some(key))
        });
        found.map(|(_, node)| node)
    }

    /// The value of a key that must be there.
    pub fn require(&self, key: &str, found: &mut Diagnostics) -> Option<&'a Node> {
        let node = self.get(key);
        if node.is_none() {
            found.push(
                Diagnostic::error("Y011", format!("{} needs the key `{key}`", self.form.what))
                    .at(self.place, format!("`{key}` is missing")),
            );
        }
        node
    }

    /// Where the map stands.
    pub fn place(&self) -> &'a Place {
        self.place
    }
}

/// A value of the wrong type. Of what was refused by name nothing more is said.
fn wrong(node: &Node, what: &str, expected: &str) -> Option<Diagnostic> {
    if node.fault == Some(Fault::Refused) {
        return None;
    }
    let seen = match node.kind {
        NodeKind::Null => "nothing",
        NodeKind::Bool(_) => "true or false",
        NodeKind::Int(_) | NodeKind::Float(_) => "a number",
        NodeKind::Str(_) => "text",
        NodeKind::Seq(_) => "a list",
        NodeKind::Map(_) => "a map",
    };
    let problem = Diagnostic::error("Y012", format!("{what} must be {expected}"))
        .at(&node.place, format!("{seen} stands here"));
    let odd = match &node.kind {
        NodeKind::Str(text) => odd::first(text, |_| true),
        _ => None,
    };
    Some(match odd {
        Some((_, c)) => problem.help(format!("it holds {}", odd::name(c))),
        None => problem,
    })
}

impl Node {
    /// The entries of a map; nothing at all stands for an empty map.
    pub fn map(&self, what: &str, found: &mut Diagnostics) -> Option<&[(Spanned<String>, Self)]> {
        match &self.kind {
            NodeKind::Map(entries) => Some(entries),
            NodeKind::Null if self.fault.is_none() => Some(&[]),
            _ => {
                found.push_any(wrong(self, what, "a map"));
                None
            }
        }
    }

    /// The items of a list.
    pub fn list(&self, what: &str, found: &mut Diagnostics) -> Option<&[Self]> {
        match &self.kind {
            NodeKind::Seq(items) => Some(items),
            NodeKind::Null if self.fault.is_none() => Some(&[]),
            _ => {
                found.push_any(wrong(self, what, "a list"));
                None
            }
        }
    }

    /// The items of a list, or the one value that stands in place of one.
    pub fn one_or_list(&self) -> &[Self] {
        match &self.kind {
            NodeKind::Seq(items) => items,
            _ => std::slice::from_ref(self),
        }
    }

    /// Text that is compared with something: a name, a word, an address. Odd characters in it are reported, and the text
    /// is then what was most likely meant.
    pub fn text(&self, what: &str, found: &mut Diagnostics) -> Option<Spanned<&str>> {
        let text = self.verbatim(what, found)?;
        let Some(Fault::Odd(plain)) = &self.fault else {
            return Some(text);
        };
        report_odd(text.value, what, &self.place, found);
        Some(Spanned {
            value: plain,
            place: text.place,
        })
    }

    /// Text as it is written: free words, a name that something else chose.
    pub fn verbatim(&self, what: &str, found: &mut Diagnostics) -> Option<Spanned<&str>> {
        match &self.kind {
            NodeKind::Str(text) => Some(Spanned {
                value: text,
                place: self.place.clone(),
            }),
            NodeKind::Int(_) | NodeKind::Float(_) | NodeKind::Bool(_) | NodeKind::Null => {
                let problem = wrong(self, what, "text");
                found.push_any(problem.map(|problem| problem.help("write it in quotes")));
                None
            }
            _ => {
                found.push_any(wrong(self, what, "text"));
                None
            }
        }
    }

    /// Free words that people read: whatever is not seen in them may stay, but nothing that turns their direction.
    pub fn prose(&self, what: &str, found: &mut Diagnostics) -> Option<Spanned<&str>> {
        let text = self.verbatim(what, found)?;
        let raw = self.place.file.text().get(self.place.span.clone());
        if let Some((_, c)) = odd::first(text.value, Oddity::misleads)
            && raw.is_some_and(|raw| !raw.contains(c))
        {
            found.push(odd_character(what, c, &self.place).help("take it out"));
        }
        Some(text)
    }

    /// One text, or a list of texts that is not empty.
    pub fn texts(&self, what: &str, found: &mut Diagnostics) -> Option<Vec<Spanned<&str>>> {
        self.each_text(what, Self::text, found)
    }

    /// The same for texts as they are written.
    pub fn verbatims(&self, what: &str, found: &mut Diagnostics) -> Option<Vec<Spanned<&str>>> {
        self.each_text(what, Self::verbatim, found)
    }

    fn each_text<'a>(
        &'a self,
        what: &str,
        take: fn(&'a Self, &str, &mut Diagnostics) -> Option<Spanned<&'a str>>,
        found: &mut Diagnostics,
    ) -> Option<Vec<Spanned<&'a str>>> {
        let NodeKind::Seq(items) = &self.kind else {
            return take(self, what, found).map(|text| vec![text]);
        };
        if items.is_empty() {
            found.push(
                Diagnostic::error("Y012", format!("{what} must not be an empty list"))
                    .at(&self.place, "empty"),
            );
            return None;
        }
        let texts: Vec<_> = items
            .iter()
            .filter_map(|item| take(item, what, found))
            .collect();
        // What is missing was reported; what follows from the rest is worth telling.
        (texts.len() == items.len()).then_some(texts)
    }

    /// `true` or `false`.
    pub fn boolean(&self, what: &str, found: &mut Diagnostics) -> Option<bool> {
        match self.kind {
            NodeKind::Bool(value) => Some(value),
            _ => {
                found.push_any(wrong(self, what, "true or false"));
                None
            }
        }
    }

    /// A whole number within bounds.
    pub fn integer(
        &self,
        what: &str,
        bounds: RangeInclusive<i64>,
        found: &mut Diagnostics,
    ) -> Option<i64> {
        match self.kind {
            NodeKind::Int(value) if bounds.contains(&value) => Some(value),
            NodeKind::Int(_) => {
                found.push(
                    Diagnostic::error("Y016", format!("{what} is out of bounds")).at(
                        &self.place,
                        format!("must be between {} and {}", bounds.start(), bounds.end()),
                    ),
                );
                None
            }
            _ => {
                found.push_any(wrong(self, what, "a whole number"));
                None
            }
        }
    }

    /// One of some words.
    pub fn choice<T: Clone>(
        &self,
        what: &str,
        words: &[(&'static str, T)],
        found: &mut Diagnostics,
    ) -> Option<T> {
        let text = self.text(what, found)?;
        let hit = words.iter().find(|(word, _)| *word == text.value);
        if hit.is_none() {
            let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            found.push(
                Diagnostic::error("Y013", format!("unknown {what} {}", quoted(text.value)))
                    .at(&text.place, format!("must be one of: {}", names.join(", ")))
                    .suggest(text.value, names),
            );
        }
        hit.map(|(_, value)| value.clone())
    }

    /// A duration with its unit, within bounds: `50ms`, `2s`, `15m`, `1h`, `30d`.
    pub fn duration(
        &self,
        what: &str,
        bounds: RangeInclusive<Duration>,
        found: &mut Diagnostics,
    ) -> Option<Duration> {
        const UNITS: &[(&str, u64)] = &[
            ("ms", 1),
            ("s", 1_000),
            ("m", 60_000),
            ("h", 3_600_000),
            ("d", 86_400_000),
        ];
        let milliseconds = self.quantity(
            what,
            "Y014",
            "a duration such as `2s` or `15m`",
            UNITS,
            found,
        )?;
        let value = Duration::from_millis(milliseconds);
        if bounds.contains(&value) {
            return Some(value);
        }
        found.push(
            Diagnostic::error("Y014", format!("{what} is out of bounds")).at(
                &self.place,
                format!(
                    "must be between {:?} and {:?}",
                    bounds.start(),
                    bounds.end()
                ),
            ),
        );
        None
    }

    /// A size in bytes with its unit, within bounds: `512B`, `64KiB`, `8MiB`, `1GiB`.
    pub fn bytes(
        &self,
        what: &str,
        bounds: RangeInclusive<usize>,
        found: &mut Diagnostics,
    ) -> Option<usize> {
        const UNITS: &[(&str, u64)] = &[
            ("B", 1),
            ("KiB", 1 << 10),
            ("MiB", 1 << 20),
            ("GiB", 1 << 30),
        ];
        let value = self.quantity(
            what,
            "Y015",
            "a size such as `64KiB` or `8MiB`",
            UNITS,
            found,
        )?;
        match usize::try_from(value) {
            Ok(value) if bounds.contains(&value) => Some(value),
            _ => {
                found.push(
                    Diagnostic::error("Y015", format!("{what} is out of bounds")).at(
                        &self.place,
                        format!(
                            "must be between {} and {} bytes",
                            bounds.start(),
                            bounds.end()
                        ),
                    ),
                );
                None
            }
        }
    }

    fn quantity(
        &self,
        what: &str,
        code: &'static str,
        expected: &str,
        units: &[(&str, u64)],
        found: &mut Diagnostics,
    ) -> Option<u64> {
        let value = match &self.kind {
            NodeKind::Str(text) => {
                let digits = text.bytes().take_while(u8::is_ascii_digit).count();
                let (number, unit) = text.split_at(digits);
                units
                    .iter()
                    .find(|(name, _)| *name == unit)
                    .and_then(|(_, factor)| number.parse::<u64>().ok()?.checked_mul(*factor))
            }
            _ => None,
        };
        if value.is_none() && self.fault != Some(Fault::Refused) {
            found.push(
                Diagnostic::error(code, format!("{what} must be {expected}"))
                    .at(&self.place, "not a number with its unit"),
            );
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Form;
    use crate::diagnostic::{Diagnostics, File, Node, read};

    const FORM: Form = Form {
        what: "a grant",
        known: &["data", "level", "why"],
        refused: &["when"],
    };

    fn node(text: &str) -> Node {
        let mut found = Diagnostics::new();
        let node = read(&File::new("t.yaml", text), &mut found);
        assert!(found.is_empty(), "{}", found.render(false));
        node.unwrap()
    }

    #[test]
    fn unknown_and_future_keys_are_told_apart_and_named() {
        let tree = node("{ levle: y, when: z }");
        let mut found = Diagnostics::new();
        let keys = FORM.read(&tree, &mut found).unwrap();
        assert!(keys.require("data", &mut found).is_none());
        let text = found.render(false);
        assert!(text.contains("error[Y010]: unknown key `levle`"), "{text}");
        assert!(text.contains("help: did you mean `level`?"), "{text}");
        assert!(
            text.contains("error[Y017]: key `when` is not supported yet"),
            "{text}"
        );
        assert!(
            text.contains("error[Y011]: a grant needs the key `data`"),
            "{text}"
        );
    }

    #[test]
    fn a_misspelt_key_is_not_missed_too() {
        for text in ["{ levle: clear }", "{ l\u{435}vel: clear }"] {
            let mut found = Diagnostics::new();
            let tree = node(text);
            let keys = FORM.read(&tree, &mut found).unwrap();
            let level = keys.require("level", &mut found).unwrap();
            assert_eq!(level.text("level", &mut found).unwrap().value, "clear");
            assert_eq!(found.errors(), 1, "{}", found.render(false));
        }
        // A key that will mean something else stands for nothing.
        let tree = node("{ when: z }");
        let mut found = Diagnostics::new();
        let keys = FORM.read(&tree, &mut found).unwrap();
        assert!(keys.get("why").is_none());
    }

    #[test]
    fn what_is_not_seen_in_a_word_is_told_once_and_taken_out() {
        for (text, code, shown) in [
            ("{ data: sal\u{200b}es }", "Y018", "U+200B"),
            ("{ data: \u{201c}sales\u{201d} }", "Y018", "U+201C"),
            ("{ data: \"sa\\u00a0les\" }", "Y018", "U+00A0"),
            ("{ da\u{ad}ta: sales }", "Y018", "U+00AD"),
            ("{ data: sales } # \u{202e}", "Y018", "U+202E"),
            ("{ data: sa\u{202e}les }", "Y018", "U+202E"),
        ] {
            let mut found = Diagnostics::new();
            let tree = read(&File::new("t.yaml", text), &mut found).unwrap();
            let keys = FORM.read(&tree, &mut found).unwrap();
            let data = keys.require("data", &mut found).unwrap();
            let data = data.text("data", &mut found).unwrap();
            assert!(matches!(data.value, "sales" | "sa les"), "{}", data.value);
            let codes: Vec<_> = found.iter().map(|d| d.code).collect();
            assert_eq!(codes, [code], "{text}: {}", found.render(false));
            assert!(
                found.render(false).contains(shown),
                "{}",
                found.render(false)
            );
        }
    }

    #[test]
    fn free_words_and_names_that_others_chose_may_hold_more() {
        let mut found = Diagnostics::new();
        let prose = node("\"Avancement\u{a0}: \u{ab} l\u{2019}\u{e9}tat \u{bb}\"");
        assert!(prose.prose("a label", &mut found).is_some());
        assert!(prose.verbatim("evidence", &mut found).is_some());
        assert!(found.is_empty(), "{}", found.render(false));
        let turned = node("\"a\\u202eb\"");
        turned.prose("a label", &mut found);
        assert_eq!(found.errors(), 1);
    }

    #[test]
    fn nothing_is_said_of_what_would_stand_where_something_was_refused() {
        let mut found = Diagnostics::new();
        let tree = read(&File::new("t.yaml", "a: *x\n"), &mut found).unwrap();
        let crate::diagnostic::NodeKind::Map(entries) = &tree.kind else {
            panic!("no map");
        };
        let value = &entries[0].1;
        assert!(value.text("a", &mut found).is_none());
        assert!(value.boolean("a", &mut found).is_none());
        assert!(value.integer("a", 0..=9, &mut found).is_none());
        assert!(value.list("a", &mut found).is_none());
        assert_eq!(found.errors(), 1, "{}", found.render(false));
    }

    #[test]
    fn durations_and_sizes_carry_their_unit() {
        let span = Duration::from_millis(1)..=Duration::from_secs(86_400);
        for (text, expected) in [
            ("50ms", Some(Duration::from_millis(50))),
            ("15m", Some(Duration::from_secs(900))),
            ("60s", Some(Duration::from_secs(60))),
            ("1h", Some(Duration::from_secs(3_600))),
            ("2d", None),
            ("60", None),
            ("s", None),
            ("-1s", None),
            ("1.5s", None),
            ("99999999999999999999s", None),
        ] {
            let mut found = Diagnostics::new();
            let got = node(text).duration("the wait", span.clone(), &mut found);
            assert_eq!(got, expected, "{text}");
            assert_eq!(found.has_errors(), expected.is_none(), "{text}");
        }
        for (text, expected) in [
            ("8MiB", Some(8 << 20)),
            ("64KiB", Some(64 << 10)),
            ("12B", Some(12)),
            ("8MB", None),
            ("8", None),
            ("4GiB", None),
        ] {
            let mut found = Diagnostics::new();
            assert_eq!(
                node(text).bytes("the bound", 1..=1 << 30, &mut found),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn one_text_stands_for_a_list_of_one_and_an_empty_list_is_a_mistake() {
        let mut found = Diagnostics::new();
        assert_eq!(node("a").texts("roles", &mut found).unwrap().len(), 1);
        assert_eq!(node("[a, b]").texts("roles", &mut found).unwrap().len(), 2);
        assert!(found.is_empty());
        assert!(node("[]").texts("roles", &mut found).is_none());
        assert!(node("[a, 1, {}]").texts("roles", &mut found).is_none());
        assert_eq!(found.errors(), 3);
    }
}
