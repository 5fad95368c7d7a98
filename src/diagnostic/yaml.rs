//! Text in, spanned tree out: the YAML that people may write.
//!
//! Built on the event stream of `serde-saphyr`'s own parser, because a tree made through serde has already lost what
//! must be refused here: anchors, aliases, merge keys, tags, directives, several documents.

use serde_saphyr::granit_parser::{self, Event, Parser, ScalarStyle, StructureStyle};

use super::odd::{self, Oddity};
use super::{Diagnostic, Diagnostics, File, Place, quoted};

/// Bytes of one file.
pub const FILE_BYTES_MAX: usize = 4 << 20;
/// Nesting depth of maps and lists.
pub(super) const DEPTH_MAX: usize = 32;

/// Codes of problems with the form of a YAML file, and what they mean.
pub const CODES: &[(&str, &str)] = &[
    ("Y001", "not YAML"),
    ("Y002", "a key stands twice in one map"),
    (
        "Y003",
        "anchors, aliases, merge keys, tags and directives are not accepted",
    ),
    ("Y004", "a file holds one document only"),
    ("Y005", "a file is too large or nested too deeply"),
    ("Y006", "a key is not a plain name"),
    ("Y010", "unknown key"),
    ("Y011", "a key is missing"),
    ("Y012", "a value has the wrong type"),
    ("Y013", "a value is not one of the accepted words"),
    ("Y014", "a value is not a duration or not within its bounds"),
    ("Y015", "a value is not a size or not within its bounds"),
    ("Y016", "a number is not within its bounds"),
    ("Y017", "not supported yet"),
    (
        "Y018",
        "a character that is not seen, or looks like another one",
    ),
    ("Y019", "a file is not text in UTF-8"),
];

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

impl Spanned<&str> {
    /// The same with text of its own.
    pub fn into_owned(self) -> Spanned<String> {
        Spanned {
            value: self.value.to_owned(),
            place: self.place,
        }
    }
}

/// A node of a YAML tree. A map's or list's place is its first line only: messages point, they do not quote.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Where it stands.
    pub place: Place,
    /// Why it is not what it looks like; `None` for most.
    pub fault: Option<Fault>,
}

/// Why a node is not what it looks like.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// It holds odd characters; this is what was most likely meant. Reported where the text is taken for a name.
    Odd(String),
    /// A key stands in it twice, and that was reported: another name may have been meant.
    Twice,
    /// It was refused, and that was reported: nothing can be said of what it would be.
    Refused,
}

/// What a node is, by the core schema of YAML 1.2: `no` and `0755` in quotes or not mean what they say.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeKind {
    /// Nothing, `~`, `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Another number.
    Float(f64),
    /// Text.
    Str(String),
    /// A list.
    Seq(Vec<Node>),
    /// A map; its keys are text and distinct.
    Map(Vec<(Spanned<String>, Node)>),
}

/// Reads one document. `None` if the form of the file is wrong beyond repair; the diagnostics then say where.
pub fn read(file: &File, found: &mut Diagnostics) -> Option<Node> {
    if file.text().len() > FILE_BYTES_MAX {
        let start = Place {
            file: file.clone(),
            span: 0..0,
        };
        found.push(
            Diagnostic::error("Y005", "the file is too large")
                .at(&start, format!("larger than {} MiB", FILE_BYTES_MAX >> 20)),
        );
        return None;
    }
    turned(file, found);
    let options = granit_parser::options! {
        disallow_directives: true,
        emit_anchor_events: true,
        emit_comments: false,
        emit_unresolved_aliases: true,
    };
    let mut reader = Reader {
        parser: Parser::new_from_str_with_options(file.text(), options),
        file,
        found,
        is_odd: false,
    };
    reader.document().ok()
}

/// The problem was reported; reading cannot go on.
struct Stop;

struct Reader<'a> {
    parser: Parser<'a, granit_parser::StrInput<'a>>,
    file: &'a File,
    found: &'a mut Diagnostics,
    /// Whether a key held odd characters: the form of what follows may be wrong for that reason.
    is_odd: bool,
}

impl<'a> Reader<'a> {
    fn document(&mut self) -> Result<Node, Stop> {
        let mut root = None;
        loop {
            let (event, place) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
                _ if root.is_some() => {
                    self.found.push(
                        Diagnostic::error("Y004", "a second document in one file")
                            .at(&place, "starts here")
                            .help("put it into a file of its own"),
                    );
                    return Err(Stop);
                }
                event => root = Some(self.node(event, place, 0)?),
            }
        }
        Ok(root.unwrap_or_else(|| Node {
            kind: NodeKind::Null,
            place: self.place(0, 0),
            fault: None,
        }))
    }

    /// The next event and its place. Tags and anchors are reported here; reading goes on to find more.
    fn next(&mut self) -> Result<(Event<'a>, Place), Stop> {
        loop {
            match self.parser.next() {
                None => return Ok((Event::StreamEnd, self.place(0, 0))),
                Some(Err(error)) => return Err(self.syntax(&error)),
                Some(Ok((Event::Anchor(..), span))) => {
                    let place = self.spanned(&span);
                    self.refuse(&place, "anchors");
                }
                Some(Ok((event, span))) => {
                    if let Some(tag) = span.tag_span() {
                        let place = self.spanned(&tag);
                        self.refuse(&place, "tags");
                    }
                    let place = self.spanned(&span);
                    return Ok((event, place));
                }
            }
        }
    }

    fn node(&mut self, event: Event<'a>, place: Place, depth: usize) -> Result<Node, Stop> {
        if depth >= DEPTH_MAX {
            self.found.push(
                Diagnostic::error("Y005", "nested too deeply")
                    .at(&place, format!("deeper than {DEPTH_MAX} levels")),
            );
            return Err(Stop);
        }
        match event {
            Event::Scalar(text, style, _, _) => Ok(Node {
                kind: scalar(&text, style),
                place,
                fault: odd::first(&text, Oddity::is_never_meant)
                    .map(|_| Fault::Odd(odd::plain(&text))),
            }),
            Event::SequenceStart(style, ..) => self.list(&place, style, depth),
            Event::MappingStart(style, ..) => self.map(&place, style, depth),
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.refuse(&place, "aliases");
                Ok(Node {
                    kind: NodeKind::Null,
                    place,
                    fault: Some(Fault::Refused),
                })
            }
            _ => {
                self.found
                    .push(Diagnostic::error("Y001", "not YAML").at(&place, "not understood"));
                Err(Stop)
            }
        }
    }

    fn list(&mut self, start: &Place, style: StructureStyle, depth: usize) -> Result<Node, Stop> {
        let mut items = Vec::new();
        loop {
            let (event, place) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                return Ok(Node {
                    kind: NodeKind::Seq(items),
                    place: self.first_line(start, &place, style),
                    fault: None,
                });
            }
            items.push(self.node(event, place, depth + 1)?);
        }
    }

    fn map(&mut self, start: &Place, style: StructureStyle, depth: usize) -> Result<Node, Stop> {
        let mut entries: Vec<(Spanned<String>, Node)> = Vec::new();
        let mut seen = std::collections::HashMap::new();
        let mut is_twice = false;
        loop {
            let (event, place) = self.next()?;
            let key = match event {
                Event::MappingEnd => {
                    return Ok(Node {
                        kind: NodeKind::Map(entries),
                        place: self.first_line(start, &place, style),
                        fault: is_twice.then_some(Fault::Twice),
                    });
                }
                Event::Scalar(text, style, _, _) => {
                    if style == ScalarStyle::Plain && text == "<<" {
                        self.refuse(&place, "merge keys");
                    }
                    self.key(text.into_owned(), &place)
                }
                _ => {
                    self.found.push(
                        Diagnostic::error("Y006", "a key is not a plain name")
                            .at(&place, "a list, a map or an alias stands here as a key"),
                    );
                    return Err(Stop);
                }
            };
            let (event, value_place) = self.next()?;
            let value = self.node(event, value_place, depth + 1)?;
            match seen.get(&key) {
                Some(first) => {
                    is_twice = true;
                    self.found.push(
                        Diagnostic::error("Y002", format!("key {} stands twice", quoted(&key)))
                            .at(&place, "again here")
                            .also(first, "first here"),
                    );
                    // What a section defines is not missed too.
                    if depth == 0 {
                        entries.push((Spanned { value: key, place }, value));
                    }
                }
                None => {
                    seen.insert(key.clone(), place.clone());
                    entries.push((Spanned { value: key, place }, value));
                }
            }
        }
    }

    /// A key as it was most likely meant.
    fn key(&mut self, text: String, place: &Place) -> String {
        if odd::first(&text, Oddity::is_never_meant).is_none() {
            return text;
        }
        self.is_odd = true;
        report_odd(&text, "this key", place, self.found);
        odd::plain(&text)
    }

    fn refuse(&mut self, place: &Place, what: &str) {
        self.found.push(
            Diagnostic::error("Y003", format!("{what} are not accepted"))
                .at(place, "not accepted here")
                .help("write the value out: what a reviewer reads is what counts"),
        );
    }

    fn syntax(&mut self, error: &granit_parser::ScanError) -> Stop {
        if self.is_odd {
            return Stop;
        }
        let start = error.marker().byte_offset().unwrap_or(0);
        let text = self.file.text();
        let end = text
            .get(start..)
            .and_then(|rest| rest.chars().next())
            .map_or(start, |c| start + c.len_utf8());
        let place = self.place(start, end);
        let problem = Diagnostic::error("Y001", "not YAML").at(&place, error.info());
        self.found.push(match look_alike_near(text, start) {
            Some(c) => problem.help(format!(
                "in this line, or the one before it, stands {}",
                odd::name(c)
            )),
            None => problem,
        });
        Stop
    }

    fn place(&self, start: usize, end: usize) -> Place {
        Place {
            file: self.file.clone(),
            span: start..end.max(start),
        }
    }

    fn spanned(&self, span: &granit_parser::Span) -> Place {
        let start = span.start.byte_offset().unwrap_or(0);
        let end = span.end.byte_offset().unwrap_or(start);
        let text = self.file.text().get(start..end).unwrap_or_default();
        self.place(start, start + text.trim_end().len())
    }

    /// From the start of a map or list to its end or the end of the line, whichever comes first.
    fn first_line(&self, start: &Place, end: &Place, style: StructureStyle) -> Place {
        let from = start.span.start;
        let to = match style {
            StructureStyle::Flow => end.span.end,
            StructureStyle::Block => end.span.start,
        };
        let text = self.file.text().get(from..to).unwrap_or_default();
        let line = text.lines().next().unwrap_or_default();
        self.place(from, from + line.trim_end().len())
    }
}

/// The last odd character of the line in which a byte stands, or of the one before it that is not blank.
fn look_alike_near(text: &str, byte: usize) -> Option<char> {
    let rest = text.get(byte..)?;
    let end = rest.find('\n').map_or(text.len(), |at| byte + at);
    let lines = text.get(..end)?.rsplit('\n');
    let mut lines = lines.filter(|line| !line.trim().is_empty()).take(2);
    lines.find_map(|line| line.chars().rev().find(|c| odd::oddity(*c).is_some()))
}

/// Reports characters that turn the direction of the text, comments included: a reviewer would read another file. One
/// a line is enough.
fn turned(file: &File, found: &mut Diagnostics) {
    let mut start = 0;
    for line in file.text().split_inclusive('\n') {
        if let Some((at, c)) = odd::first(line, |odd| odd == Oddity::Direction) {
            let place = Place {
                file: file.clone(),
                span: start + at..start + at + c.len_utf8(),
            };
            found.push(odd_character("this line", c, &place).help("take it out"));
        }
        start += line.len();
    }
}

/// Reports the first odd character of a text, unless that was done where the file was read.
pub(super) fn report_odd(text: &str, what: &str, place: &Place, found: &mut Diagnostics) {
    let raw = place.file.text().get(place.span.clone());
    let was_reported = |c: char| {
        odd::oddity(c) == Some(Oddity::Direction) && raw.is_some_and(|raw| raw.contains(c))
    };
    let odd = text
        .chars()
        .find(|c| odd::oddity(*c).is_some_and(Oddity::is_never_meant) && !was_reported(*c));
    if let Some(c) = odd {
        let meant = quoted(&odd::plain(text));
        let problem = odd_character(what, c, place);
        found.push(problem.help(format!("most likely {meant} is meant: write that")));
    }
}

/// A character that is not what it looks like.
pub(super) fn odd_character(what: &str, c: char, place: &Place) -> Diagnostic {
    Diagnostic::error("Y018", format!("{what} holds {}", odd::name(c)))
        .at(place, "not what it looks like")
}

/// Whether a key was repaired, so that it need not be known.
pub(crate) fn is_repaired(key: &Spanned<String>) -> bool {
    let raw = key.place.file.text().get(key.place.span.clone());
    raw.is_some_and(|raw| odd::first(raw, Oddity::is_never_meant).is_some())
}

/// The core schema of YAML 1.2, for plain scalars.
fn scalar(text: &str, style: ScalarStyle) -> NodeKind {
    if style != ScalarStyle::Plain {
        return NodeKind::Str(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return NodeKind::Null,
        "true" | "True" | "TRUE" => return NodeKind::Bool(true),
        "false" | "False" | "FALSE" => return NodeKind::Bool(false),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let whole = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    // `0755` is an octal number to some readers and a decimal one to others: here it is text.
    if whole
        && (digits == "0" || !digits.starts_with('0'))
        && let Ok(number) = text.parse()
    {
        return NodeKind::Int(number);
    }
    let fraction = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.contains(['.', 'e', 'E'])
        && digits
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    match text.parse() {
        Ok(number) if fraction => NodeKind::Float(number),
        _ => NodeKind::Str(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::{DEPTH_MAX, Node, NodeKind, read};
    use crate::diagnostic::{Diagnostics, File};

    fn tree(text: &str) -> (Option<Node>, Diagnostics) {
        let mut found = Diagnostics::new();
        let node = read(&File::new("t.yaml", text), &mut found);
        (node, found)
    }

    fn codes(text: &str) -> Vec<&'static str> {
        tree(text).1.iter().map(|d| d.code).collect()
    }

    fn entry<'a>(node: &'a Node, key: &str) -> &'a Node {
        let NodeKind::Map(entries) = &node.kind else {
            panic!("no map");
        };
        &entries.iter().find(|(k, _)| k.value == key).unwrap().1
    }

    #[test]
    fn every_node_knows_its_bytes() {
        let text = "é: { b: [x, \"y z\"] }\nlist:\n  - one\n  - k: 2\n    l: 3\n";
        let (node, found) = tree(text);
        assert!(found.is_empty(), "{}", found.render(false));
        let node = node.unwrap();
        let flow = entry(&node, "é");
        assert_eq!(&text[flow.place.span.clone()], "{ b: [x, \"y z\"] }");
        let NodeKind::Seq(items) = &entry(flow, "b").kind else {
            panic!("no list");
        };
        assert_eq!(&text[items[0].place.span.clone()], "x");
        assert_eq!(&text[items[1].place.span.clone()], "\"y z\"");
        assert_eq!(items[1].kind, NodeKind::Str("y z".into()));
        let NodeKind::Seq(items) = &entry(&node, "list").kind else {
            panic!("no list");
        };
        assert_eq!(&text[items[0].place.span.clone()], "one");
        assert_eq!(&text[items[1].place.span.clone()], "k: 2");
    }

    #[test]
    fn words_that_other_readers_turn_into_something_else_stay_text() {
        for word in [
            "no",
            "yes",
            "on",
            "off",
            "0755",
            "0x1F",
            "1_000",
            "2026-11-02",
            "15m",
            ".inf",
            "nan",
            "1e",
            "inf",
        ] {
            let (node, found) = tree(&format!("k: {word}\n"));
            assert!(found.is_empty(), "{word}: {}", found.render(false));
            assert_eq!(
                entry(&node.unwrap(), "k").kind,
                NodeKind::Str(word.into()),
                "{word}"
            );
        }
        let (node, _) = tree("{ a: 12, b: -1, c: 1.5, d: true, e: ~, f: 'true', g: , h: 0 }");
        let node = node.unwrap();
        assert_eq!(entry(&node, "a").kind, NodeKind::Int(12));
        assert_eq!(entry(&node, "b").kind, NodeKind::Int(-1));
        assert_eq!(entry(&node, "c").kind, NodeKind::Float(1.5));
        assert_eq!(entry(&node, "d").kind, NodeKind::Bool(true));
        assert_eq!(entry(&node, "e").kind, NodeKind::Null);
        assert_eq!(entry(&node, "f").kind, NodeKind::Str("true".into()));
        assert_eq!(entry(&node, "g").kind, NodeKind::Null);
        assert_eq!(entry(&node, "h").kind, NodeKind::Int(0));
    }

    #[test]
    fn whatever_hides_a_value_from_its_reader_is_refused_with_its_place() {
        for (text, code, shown) in [
            ("a: &x 1\n", "Y003", "&x"),
            ("a: &x 1\nb: *x\n", "Y003", "*x"),
            ("b: *nowhere\n", "Y003", "*nowhere"),
            ("a: !!str 1\n", "Y003", "!!str"),
            ("a: !mine [1]\n", "Y003", "!mine"),
            ("a:\n  <<: { b: 1 }\n", "Y003", "<<"),
            ("a: 1\n---\nb: 2\n", "Y004", ""),
            ("a: 1\na: 2\n", "Y002", "a"),
            ("a: { b: 1, b: 2 }\n", "Y002", "b"),
            ("[a]: 1\n", "Y006", ""),
            ("a: [1\n", "Y001", ""),
            ("%YAML 1.2\n---\na: 1\n", "Y001", ""),
        ] {
            let (_, found) = tree(text);
            let all: Vec<_> = found.iter().collect();
            let hit = all.iter().any(|d| {
                let place = d.place.as_ref().unwrap();
                d.code == code && text[place.span.clone()].contains(shown)
            });
            assert!(hit && found.has_errors(), "{text}: {}", found.render(false));
        }
    }

    #[test]
    fn quoted_and_commented_look_alikes_are_not_refused() {
        let text = "# &x *y !!z <<\na: \"&x *y !!z\"\nb: '<<: *x'\n'<<': 1\nc: x & y * z ! w << v\n\"*iban*\": d # *x\n";
        assert_eq!(codes(text), Vec::<&str>::new());
    }

    #[test]
    fn all_refusals_of_a_file_are_reported_at_once() {
        assert_eq!(
            codes("a: &x 1\nb: *x\nc: !t 2\nd: 1\nd: 2\n"),
            ["Y003", "Y003", "Y003", "Y002"]
        );
    }

    #[test]
    fn size_and_depth_are_bounded() {
        let deep = format!(
            "{}1{}",
            "[".repeat(DEPTH_MAX + 1),
            "]".repeat(DEPTH_MAX + 1)
        );
        assert_eq!(codes(&deep), ["Y005"]);
        let fits = format!(
            "{}1{}",
            "[".repeat(DEPTH_MAX - 1),
            "]".repeat(DEPTH_MAX - 1)
        );
        assert_eq!(codes(&fits), Vec::<&str>::new());
        let large = format!("a: {}\n", "x".repeat(super::FILE_BYTES_MAX));
        assert_eq!(codes(&large), ["Y005"]);
    }

    #[test]
    fn an_empty_file_is_nothing() {
        for text in ["", "# only a comment\n", "---\n", "\u{feff}"] {
            let (node, found) = tree(text);
            assert!(found.is_empty(), "{}", found.render(false));
            assert_eq!(node.unwrap().kind, NodeKind::Null);
        }
    }
}
