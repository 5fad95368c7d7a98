//! Whom records are about.

use crate::diagnostic::{Diagnostic, Diagnostics, Form, Keys, Node, NodeKind, Spanned, quoted};
use crate::vocabulary::Field;

use super::super::codes;
use super::super::document::{AboutEntry, Document, PeopleEntry, PersonEntry, TargetEntry, Word};
use super::super::model::RESTRICTED;
use super::{KEYS_REFUSED, checked, is_name, named, what};

pub(super) fn read(node: &Node, document: &mut Document, found: &mut Diagnostics) {
    let mut people = Vec::new();
    for (name, node) in node.map("`people`", found).unwrap_or_default() {
        let about = about(node, found);
        let Some((upstream, module)) = of(name, found) else {
            continue;
        };
        let first = document
            .names
            .define("people of", &name.value, &name.place, found);
        if let (true, Some(about)) = (first, about) {
            people.push(PeopleEntry {
                upstream,
                module,
                about,
            });
        }
    }
    match &mut document.people {
        Some((_, all)) => all.extend(people),
        None => {
            // The section brings a rule of this name with it.
            let (names, place) = (&mut document.names, &node.place);
            names.define("rule", RESTRICTED, place, found);
            document.people = Some((node.place.clone(), people));
        }
    }
}

/// `MODULE`, or `UPSTREAM:MODULE`.
fn of(name: &Word, found: &mut Diagnostics) -> Option<(Option<String>, Word)> {
    let (upstream, module) = match name.value.split_once(':') {
        Some((upstream, module)) => (Some(upstream), module),
        None => (None, name.value.as_str()),
    };
    if let Some(upstream) = upstream.filter(|upstream| !is_name(upstream)) {
        let title = format!("{} is not a name of an upstream", quoted(upstream));
        let label = "write `UPSTREAM:MODULE`";
        found.push(Diagnostic::error(codes::BAD_NAME, title).at(&name.place, label));
        return None;
    }
    let module = Word {
        value: module.to_owned(),
        place: name.place.clone(),
    };
    let module = what::module(&module, found)?;
    Some((upstream.map(str::to_owned), module))
}

fn about(node: &Node, found: &mut Diagnostics) -> Option<AboutEntry> {
    const FORM: Form = Form {
        what: "whom records are about",
        known: &["kind", "email", "phone", "same_as", "of"],
        refused: KEYS_REFUSED,
    };
    if matches!(node.kind, NodeKind::Str(_)) {
        node.choice("word for whom records are about", &[("none", ())], found)?;
        return Some(AboutEntry::Nobody);
    }
    let keys = FORM.read(node, found)?;
    let Some(of) = keys.get("of") else {
        return Some(AboutEntry::Person(person(&keys, found)?));
    };
    for key in ["kind", "email", "phone", "same_as"] {
        if let Some(other) = keys.get(key) {
            let title = format!("`of` beside `{key}`");
            found.push(
                Diagnostic::error(codes::BAD_PEOPLE, title)
                    .at(&other.place, "these records are about whoever is linked")
                    .also(&of.place, "by these fields"),
            );
        }
    }
    Some(AboutEntry::Linked(links(of, found)?))
}

/// Fields that refer to records, each with the module of these.
fn links(node: &Node, found: &mut Diagnostics) -> Option<Vec<(Field, TargetEntry)>> {
    if matches!(node.kind, NodeKind::Str(_) | NodeKind::Seq(_)) {
        let title = "`of` does not say in which modules these records are";
        let help = "write `of: { FIELD: MODULE }`, or `of: { FIELD: { by: FIELD } }` where another field names the module";
        let bad = Diagnostic::error(codes::BAD_PEOPLE, title);
        let bad = bad.at(
            &node.place,
            "the same id may be that of somebody else in another module",
        );
        found.push(bad.help(help));
        return None;
    }
    let mut links = Vec::new();
    let entries = node.map("`of`", found)?;
    if entries.is_empty() {
        let bad = Diagnostic::error(codes::BAD_PEOPLE, "`of` names no field");
        found.push(bad.at(&node.place, "records about nobody: `none`"));
    }
    for (field, node) in entries {
        let target = target(node, found);
        links.extend(target.map(|target| (field_of(field, found), target)));
    }
    Some(links)
}

fn target(node: &Node, found: &mut Diagnostics) -> Option<TargetEntry> {
    const FORM: Form = Form {
        what: "in which module a field refers to records",
        known: &["by"],
        refused: KEYS_REFUSED,
    };
    if matches!(node.kind, NodeKind::Str(_)) {
        let module = node.text("a module", found)?.into_owned();
        return what::module(&module, found).map(TargetEntry::Module);
    }
    let by = FORM.read(node, found)?.require("by", found)?;
    let by = by.text("a field", found)?.into_owned();
    Some(TargetEntry::By(field_of(&by, found)))
}

fn person(keys: &Keys<'_>, found: &mut Diagnostics) -> Option<PersonEntry> {
    let kind = keys.require("kind", found);
    let kind = kind.and_then(|node| node.text("a kind of person", found));
    let kind = kind.map(|kind| named("a kind of person", &kind.into_owned(), found));
    let email = keys.get("email");
    let email = email.and_then(|node| node.text("a field", found));
    let email = email.map(|field| field_of(&field.into_owned(), found));
    let phones = keys.get("phone");
    let phones = phones.and_then(|node| fields(node, "`phone`", found));
    let mut same_as = Vec::new();
    if let Some(node) = keys.get("same_as") {
        for (field, node) in node.map("`same_as`", found).unwrap_or_default() {
            let module = node.text("a module", found).map(Spanned::into_owned);
            let module = module.and_then(|module| what::module(&module, found));
            same_as.extend(module.map(|module| (field_of(field, found), module)));
        }
    }
    Some(PersonEntry {
        kind: kind?.value,
        email,
        phones: phones.unwrap_or_default(),
        same_as,
    })
}

fn fields(node: &Node, what: &str, found: &mut Diagnostics) -> Option<Vec<Field>> {
    let words = super::words(node, what, found)?;
    Some(words.iter().map(|word| field_of(word, found)).collect())
}

fn field_of(word: &Word, found: &mut Diagnostics) -> Field {
    let word = checked("a field", word, what::FORM, what::is_field, found);
    Field::fold(&word.value)
}
