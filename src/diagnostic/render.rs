//! How problems are shown: in rustc's manner for people, as JSON for programs.

use annotate_snippets::{
    AnnotationKind, Group, Level, Renderer, Snippet, normalize_untrusted_str as clean,
};
use serde_json::{Value, json};

use super::{Diagnostic, Diagnostics, Place, Severity};

pub(super) fn text(diagnostics: &Diagnostics, colour: bool) -> String {
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut out = String::new();
    for diagnostic in diagnostics.iter() {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&renderer.render(&report(diagnostic)));
        out.push('\n');
    }
    if diagnostics.omitted > 0 {
        out.push_str(&format!("\nand {} more problems\n", diagnostics.omitted));
    }
    out
}

fn report(diagnostic: &Diagnostic) -> Vec<Group<'_>> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level
        .primary_title(clean(&diagnostic.title))
        .id(diagnostic.code);
    let mut group = Group::with_title(title);
    if let Some(place) = &diagnostic.place {
        let mut snippet = snippet(place).annotation(
            AnnotationKind::Primary
                .span(span(place))
                .label(clean(&label(diagnostic))),
        );
        match &diagnostic.second {
            Some((second, label)) if second.file == place.file => {
                snippet = snippet.annotation(context(second, label));
                group = group.element(snippet);
            }
            Some((second, label)) => {
                group = group
                    .element(snippet)
                    .element(self::snippet(second).annotation(context(second, label)));
            }
            None => group = group.element(snippet),
        }
    }
    let mut groups = vec![group];
    if let Some(help) = &diagnostic.help {
        groups.push(Group::with_title(Level::HELP.secondary_title(clean(help))));
    }
    groups
}

/// What to see at a problem's place, and how often it stands elsewhere.
fn label(diagnostic: &Diagnostic) -> String {
    const LINES_MAX: usize = 8;
    let label = &diagnostic.label;
    let first = diagnostic.place.as_ref().map(|place| &place.file);
    let mut lines: Vec<(bool, &str, usize)> = diagnostic
        .more
        .iter()
        .map(|place| (Some(&place.file) != first, place.file.path(), place.line()))
        .collect();
    lines.sort_unstable();
    let shown: Vec<String> = lines
        .iter()
        .take(LINES_MAX)
        .map(|(elsewhere, path, line)| match elsewhere {
            true => format!("{path}:{line}"),
            false => line.to_string(),
        })
        .collect();
    let more = if lines.len() > LINES_MAX { "…" } else { "" };
    match lines.len() {
        0 => label.clone(),
        1 => format!("{label}; also in line {}", shown.join("")),
        _ => format!("{label}; also in lines {}{more}", shown.join(", ")),
    }
}

fn snippet(place: &Place) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
    Snippet::source(place.file.text()).path(clean(place.file.path()))
}

fn context<'a>(place: &Place, label: &str) -> annotate_snippets::Annotation<'a> {
    AnnotationKind::Context
        .span(span(place))
        .label(clean(label))
}

/// The place's bytes, moved onto character boundaries: the renderer panics elsewhere.
fn span(place: &Place) -> std::ops::Range<usize> {
    let text = place.file.text();
    let onto = |mut byte: usize| {
        byte = byte.min(text.len());
        while !text.is_char_boundary(byte) {
            byte -= 1;
        }
        byte
    };
    let start = onto(place.span.start);
    start..onto(place.span.end).max(start)
}

pub(super) fn json(diagnostics: &Diagnostics) -> Value {
    diagnostics.iter().map(one).collect()
}

fn one(diagnostic: &Diagnostic) -> Value {
    let mut object = json!({
        "severity": diagnostic.severity.as_str(),
        "code": diagnostic.code,
        "message": diagnostic.title,
        "label": diagnostic.label,
        "help": diagnostic.help,
    });
    if let Some(place) = &diagnostic.place {
        locate(&mut object, place);
    }
    if !diagnostic.more.is_empty() {
        let place = |place: &Place| {
            let mut also = json!({});
            locate(&mut also, place);
            also
        };
        object["more"] = diagnostic.more.iter().map(place).collect();
    }
    if let Some((place, label)) = &diagnostic.second {
        let mut second = json!({ "label": label });
        locate(&mut second, place);
        object["second"] = second;
    }
    object
}

fn locate(object: &mut Value, place: &Place) {
    let (line, column) = place.file.position(place.span.start);
    let (end_line, end_column) = place.file.position(place.span.end);
    object["file"] = json!(place.file.path());
    object["line"] = json!(line);
    object["column"] = json!(column);
    object["end_line"] = json!(end_line);
    object["end_column"] = json!(end_column);
}

#[cfg(test)]
mod tests {
    use crate::diagnostic::{Diagnostic, Diagnostics, File, Place};

    fn place(file: &File, text: &str) -> Place {
        let start = file.text().find(text).unwrap();
        Place {
            file: file.clone(),
            span: start..start + text.len(),
        }
    }

    #[test]
    fn a_problem_shows_place_cause_and_fix_in_the_manner_of_rustc() {
        let file = File::new(
            "policies/sugarcrm.yaml",
            "grants:\n  - name: base\n    data: [identity.name, identity.civilty, contact.email]\n",
        );
        let mut found = Diagnostics::new();
        found.push(
            Diagnostic::error("P014", "unknown data category `identity.civilty`")
                .at(
                    &place(&file, "identity.civilty"),
                    "not in the catalogue and not defined under `categories`",
                )
                .help("a category with a similar name exists: `identity.civility`"),
        );
        assert_eq!(
            found.render(false),
            "\
error[P014]: unknown data category `identity.civilty`
 --> policies/sugarcrm.yaml:3:27
  |
3 |     data: [identity.name, identity.civilty, contact.email]
  |                           ^^^^^^^^^^^^^^^^ not in the catalogue and not defined under `categories`
  |
help: a category with a similar name exists: `identity.civility`
"
        );
        assert!(found.render(true).contains("\u{1b}["));
        let json = found.to_json();
        assert_eq!(json[0]["line"], 3);
        assert_eq!(json[0]["column"], 27);
        assert_eq!(json[0]["end_column"], 43);
        assert_eq!(json[0]["code"], "P014");
        assert_eq!(json[0]["severity"], "error");
    }

    #[test]
    fn a_second_place_is_shown_in_the_same_and_in_another_file() {
        let one = File::new("a.yaml", "x: 1\ny: 2\n");
        let two = File::new("b.yaml", "x: 3\n");
        for (second, expected) in [
            (place(&one, "y"), "2 | y: 2"),
            (place(&two, "x"), "::: b.yaml:1:1"),
        ] {
            let mut found = Diagnostics::new();
            found.push(
                Diagnostic::error("P003", "`x` is defined twice")
                    .at(&place(&one, "x"), "defined again here")
                    .also(&second, "first defined here"),
            );
            let text = found.render(false);
            assert!(text.contains(expected), "{text}");
            assert!(text.contains("first defined here"), "{text}");
        }
    }

    #[test]
    fn control_characters_never_reach_the_terminal() {
        let file = File::new("a\u{1b}[2J.yaml", "x: \u{1b}[31m1\n");
        let mut found = Diagnostics::new();
        found.push(
            Diagnostic::error("P003", "bad \u{1b}[0m name").at(&place(&file, "x"), "\u{7}here"),
        );
        let text = found.render(false);
        assert!(!text.contains(['\u{1b}', '\u{7}']), "{text:?}");
    }

    #[test]
    fn places_off_a_character_boundary_do_not_panic() {
        let file = File::new("a.yaml", "é: 1\n");
        let mut found = Diagnostics::new();
        let off = Place { file, span: 1..900 };
        found.push(Diagnostic::error("P003", "bad").at(&off, "here"));
        assert!(found.render(false).contains("a.yaml:1:1"));
    }
}
