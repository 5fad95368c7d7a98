//! Texts in which identifiers may stand and in which nothing looks for them; and detectors that look where no text is.

use std::collections::{BTreeMap, BTreeSet};

use crate::detect::Kind;
use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::dialect::Origin;
use crate::vocabulary::{Category, Field, Module, Role};

use super::super::catalogue::category_of;
use super::super::codes;
use super::super::model::about;
use super::Looked;
use super::words::{fields_of, listed, roles};

/// The kinds that are looked for where nobody wants them shown: a checksum proves them, so that nothing else is taken for one.
fn kinds() -> impl Iterator<Item = Kind> {
    Kind::IDENTIFIERS
        .into_iter()
        .filter(|kind| kind.has_checksum())
}

/// Names of fields that hold text, in an API of which nothing more is known.
#[rustfmt::skip]
const TEXTS: &[&str] = &[
    "beschreibung", "bemerkung", "bemerkungen", "body", "comment", "commentaire", "comments", "descripcion", "description",
    "descrizione", "kommentar", "memo", "note", "note_private", "note_public", "notes", "notiz", "notizen", "observaciones", "opmerking",
    "opmerkingen", "remark", "remarks", "work_log",
];

/// Groups of categories in whose fields nobody writes what they like.
const NO_TEXTS: &[&str] = &[
    "technical",
    "financial",
    "identity.birth_date",
    "identity.civility",
    "identity.national_id",
    "contact.email",
    "contact.phone",
    "commercial.figures",
    "consent_record",
];

pub(super) fn warn(looked: &Looked<'_>, found: &mut Diagnostics) {
    undetected(looked, found);
    detectors(looked, found);
}

/// What the texts of one set of categories show to whom.
#[derive(Default)]
struct Leak<'a> {
    fields: BTreeSet<String>,
    kinds: Vec<Kind>,
    roles: BTreeSet<&'a Role>,
    place: Option<Place>,
}

fn undetected(looked: &Looked<'_>, found: &mut Diagnostics) {
    let mut leaks: BTreeMap<BTreeSet<Category>, Leak<'_>> = BTreeMap::new();
    for (module, field) in texts(looked) {
        let categories = looked.model.classes.of(&module, &field);
        for kind in kinds() {
            let is_looked_for = looked.model.detectors.iter().any(|detector| {
                detector.find.contains(&kind)
                    && categories
                        .iter()
                        .any(|category| about(&detector.within, category))
            });
            // Who is shown such identifiers anyway learns nothing from a text.
            let roles = looked.sight.seen_without(&categories, &category_of(kind));
            if is_looked_for || roles.is_empty() {
                continue;
            }
            let leak = leaks.entry(categories.clone()).or_default();
            leak.fields.insert(format!("{module}.{field}"));
            if !leak.kinds.contains(&kind) {
                leak.kinds.push(kind);
            }
            leak.roles.extend(roles);
            if leak.place.is_none() {
                let mut places = categories.iter();
                leak.place = places
                    .find_map(|category| looked.model.classes.place(&module, &field, category))
                    .cloned();
            }
        }
    }
    for (categories, mut leak) in leaks {
        leak.kinds.sort_unstable();
        let kinds: Vec<&str> = leak.kinds.iter().map(|kind| kind.as_str()).collect();
        let hidden: BTreeSet<Category> = leak.kinds.iter().map(|kind| category_of(*kind)).collect();
        let title = format!(
            "texts of {} are shown in clear to {}, and no detector looks for {} in them",
            listed(&categories),
            roles(&leak.roles),
            listed(&kinds),
        );
        let names: Vec<&str> = categories.iter().map(Category::as_str).collect();
        let warning = Diagnostic::warning(codes::TEXT_UNDETECTED, title).help(format!(
            "whoever types one there shows it, whatever rules on {} say; add `{{ name: …, in: [{}], find: [{}] }}` under \
             `detectors`, or classify these fields as what they are in their own module",
            listed(&hidden),
            names.join(", "),
            kinds.join(", "),
        ));
        let fields = format!("{} hold what people type", listed(&leak.fields));
        found.push(match leak.place {
            Some(place) => warning.at(&place, fields),
            None => warning,
        });
    }
}

/// The classified fields in which people type what they like.
fn texts(looked: &Looked<'_>) -> BTreeSet<(Module, Field)> {
    let classes = &looked.model.classes;
    let free = Category::new("free_text");
    let mut all = BTreeSet::new();
    for module in classes.modules.keys() {
        for schema in looked.schemas {
            let knows = !schema.fields(module).is_empty() && schema.names_all_fields();
            for field in looked.fields(schema, module) {
                let categories = classes.of(module, &field);
                let name = field.as_str();
                let is_text = schema.is_text(module, name)
                    || (!knows && TEXTS.contains(&name))
                    || categories.iter().any(|category| free.covers(category))
                    || is_name_of_all(looked, schema, module, &field);
                if is_text && !categories.is_empty() {
                    all.insert((module.clone(), field));
                }
            }
        }
    }
    all
}

/// Whether a field names records and is classified for all modules alike, of an API of which nothing more is known: of a
/// firm it is its name, of a case what somebody typed.
fn is_name_of_all(
    looked: &Looked<'_>,
    schema: &crate::dialect::Schema,
    module: &Module,
    field: &Field,
) -> bool {
    let classes = &looked.model.classes;
    let is_own = |module: &Module| schema.origin(module, field.as_str()) == Origin::Own;
    let named_for_all = |module: &Module| {
        let own = classes.modules.get(module);
        own.is_some_and(|own| !own.exact.contains_key(field)) && is_own(module)
    };
    let named_elsewhere = || {
        let known = schema.modules();
        let modules = classes.modules.keys();
        modules
            .filter(|module| known.contains(module) && named_for_all(module))
            .count()
            > 1
    };
    // The list of all modules is made for the few names that come so far, not for each field of a policy.
    !schema.names_all_fields()
        && field.as_str() == Field::fold(schema.display_field()).as_str()
        && classes.everywhere.exact.contains_key(field)
        && named_for_all(module)
        && named_elsewhere()
}

fn detectors(looked: &Looked<'_>, found: &mut Diagnostics) {
    let classes = &looked.model.classes;
    for detector in &looked.model.detectors {
        let looks: Vec<&Category> = looked
            .model
            .categories
            .keys()
            .filter(|category| about(&detector.within, category))
            .collect();
        let holds_text = |category: &&&Category| {
            !NO_TEXTS
                .iter()
                .any(|group| Category::new(group).covers(category))
        };
        let shown = listed(&detector.within);
        if !detector.terms.matched {
            let title = format!(
                "texts of {shown} may be matched by whoever sees them, though this detector looks into them"
            );
            found.push(
                Diagnostic::note(codes::WORDS_GUESSED, title)
                    .at(&detector.place, "`uses` leaves out `matched`, `sorted` and `searched`")
                    .help("what is withheld in such a text can be guessed word by word: leave `uses` out where that must not be"),
            );
        }
        if !looks.iter().any(|category| holds_text(&category)) {
            let title = format!("this detector looks into {shown}, where no text is");
            found.push(
                Diagnostic::error_to_be(codes::DETECTS_NOTHING, title)
                    .at(&detector.place, "it can find nothing there")
                    .help("name the categories of texts, such as `free_text`"),
            );
        } else if looks
            .iter()
            .all(|category| fields_of(classes, category).is_empty())
        {
            let title = format!("this detector looks into {shown}, and no field is classified so");
            found.push(
                Diagnostic::warning(codes::DETECTS_NOTHING, title)
                    .at(&detector.place, "it can find nothing there")
                    .help("classify the fields in which people type, such as `description: free_text`"),
            );
        }
    }
}
