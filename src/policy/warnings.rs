//! What a policy says that its author can hardly mean. Only what is certainly odd: a warning that is often wrong is
//! soon not read any more.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::config::Way;
use crate::diagnostic::{Diagnostic, Diagnostics, Place, quoted};
use crate::dialect::{Origin, Schema, Shape, Unread};
use crate::vocabulary::{Category, Field, Level, Module, Purpose};

use super::classes::{Classes, Section, Wildcard};
use super::codes;
use super::model::{Applies, Grant, Model, Writing, about};

pub(super) fn warn(model: &Model, schemas: &[Arc<Schema>], found: &mut Diagnostics) {
    roles_and_purposes(model, found);
    rows(model, found);
    for (at, grant) in model.grants.iter().enumerate() {
        if let Some(diagnostic) = idle(model, at, grant) {
            found.push(diagnostic);
        }
    }
    for cap in &model.caps {
        if cap.level == Level::Clear && !cap.denies_write {
            found.push(
                Diagnostic::warning(
                    codes::CHANGES_NOTHING,
                    format!(
                        "cap {} can never change a decision",
                        quoted(cap.name.as_str())
                    ),
                )
                .at(&cap.place, "a cap at `clear` lowers nothing"),
            );
        }
    }
    for section in model
        .classes
        .modules
        .values()
        .chain([&model.classes.everywhere])
    {
        taken(&model.classes, section, found);
    }
    look_alikes(model, schemas, found);
    unknown(model, schemas, found);
    searched(model, schemas, found);
    scaffolding(model, schemas, found);
    unread(model, schemas, found);
}

fn roles_and_purposes(model: &Model, found: &mut Diagnostics) {
    for (role, declared) in &model.roles {
        if !model
            .purposes
            .values()
            .any(|purpose| purpose.roles.contains(role))
        {
            found.push(
                Diagnostic::warning(
                    codes::ROLE_WITHOUT_PURPOSE,
                    format!("role {} may invoke no purpose", quoted(role.as_str())),
                )
                .at(&declared.place, "every request of this role is refused")
                .help("list the role under the `roles` of a purpose"),
            );
        }
    }
    // A policy that grants nothing is told as a whole.
    for (purpose, declared) in model.purposes.iter().filter(|_| !model.grants.is_empty()) {
        let granted = model
            .grants
            .iter()
            .any(|grant| meets(model, grant).contains(purpose));
        if !granted {
            found.push(
                Diagnostic::warning(
                    codes::PURPOSE_WITHOUT_GRANT,
                    format!(
                        "nothing is granted for purpose {}",
                        quoted(purpose.as_str())
                    ),
                )
                .at(
                    &declared.place,
                    "no grant reaches the roles of this purpose",
                ),
            );
        }
    }
}

/// The purposes for which a grant can match: its own, as far as one of its roles may invoke them.
fn meets<'a>(model: &'a Model, grant: &Grant) -> BTreeSet<&'a Purpose> {
    model
        .purposes
        .iter()
        .filter(|(purpose, _)| {
            grant
                .purposes
                .as_ref()
                .is_none_or(|purposes| purposes.contains(*purpose))
        })
        .filter(|(_, declared)| !declared.roles.is_disjoint(&grant.roles))
        .map(|(purpose, _)| purpose)
        .collect()
}

/// What asks for a strength must be able to say which.
pub(super) fn asks(model: &Model, found: &mut Diagnostics) {
    for grant in model.grants.iter().filter(|grant| grant.asks) {
        let named = grant
            .requires
            .iter()
            .filter_map(|name| model.strengths.get(name));
        let mut proofs = named.flat_map(|strength| &strength.any);
        if !proofs.any(|proof| !proof.acr.is_empty()) {
            found.push(
                Diagnostic::error(codes::BAD_STRENGTH, "nothing can be asked for")
                    .at(
                        &grant.place,
                        "no `acr` proves the strength that this grant requires",
                    )
                    .help("name an `acr` at the strength, or leave `ask` out"),
            );
        }
    }
}

/// The CRM judges the proxy's own account, not callers whom it does not know.
fn rows(model: &Model, found: &mut Diagnostics) {
    for (role, declared) in &model.roles {
        let mut ways = declared.from.iter().map(|(evidence, _)| evidence.way());
        if declared.actions.is_some() && ways.any(|way| way != Way::CrmSession) {
            found.push(
                Diagnostic::note(
                    codes::ALL_ROWS,
                    "a role sees all rows of the proxy's own account",
                )
                .at(
                    &declared.place,
                    format!("`{role}` has no session of the CRM"),
                )
                .help("let the proxy's account see no more records than all these callers may"),
            );
        }
    }
}

/// A grant without which every decision would be the same.
pub(super) fn idle(model: &Model, at: usize, grant: &Grant) -> Option<Diagnostic> {
    let name = quoted(grant.name.as_str());
    if meets(model, grant).is_empty() {
        return Some(
            Diagnostic::warning(codes::NEVER_MATCHES, format!("grant {name} never matches")).at(
                &grant.place,
                "none of its roles may invoke any of its purposes",
            ),
        );
    }
    let reached: Vec<&Category> = model
        .categories
        .keys()
        .filter(|category| about(&grant.data, category))
        .collect();
    let lifts = |category: &&Category| model.meaning(grant.level, category) > model.floor(category);
    let writes = |category: &&Category| model.writes(grant, category) > Writing::No;
    if !reached.iter().any(lifts) && !reached.iter().any(writes) {
        return Some(
            Diagnostic::warning(
                codes::CHANGES_NOTHING,
                format!("grant {name} can never change a decision"),
            )
            .at(
                &grant.place,
                "it shows no more than what nobody was granted",
            )
            .help("a grant only lifts: to lower a level, write a cap"),
        );
    }
    if let Some(other) = shadow(model, at, grant) {
        return Some(
            Diagnostic::warning(
                codes::SHADOWED,
                format!("grant {name} can never change a decision"),
            )
            .at(&grant.place, "another grant gives all of this")
            .also(&other.place, "this one"),
        );
    }
    let held = reached.iter().all(|category| {
        model.caps.iter().any(|cap| {
            matches!(cap.applies, Applies::Everyone)
                && cap.observed.is_none()
                && !cap.is_conditional()
                && cap.purposes.is_none()
                && about(&cap.data, category)
                && model.meaning(cap.level, category) <= model.floor(category)
        })
    });
    held.then(|| {
        Diagnostic::warning(
            codes::HELD_DOWN,
            format!("grant {name} can never change a decision"),
        )
        .at(&grant.place, "caps for everybody hold all of its data down")
    })
}

/// Another grant that matches whenever this one does, and gives as much. Of two equal ones, the first counts.
fn shadow<'a>(model: &'a Model, at: usize, grant: &Grant) -> Option<&'a Grant> {
    let gives = |by: &Grant, of: &Grant| {
        let purposes = match (&by.purposes, &of.purposes) {
            (None, _) => true,
            (Some(by), Some(of)) => of.is_subset(by),
            (Some(_), None) => false,
        };
        purposes
            && of.roles.is_subset(&by.roles)
            && of.data.iter().all(|data| about(&by.data, data))
            // What suffices for the one suffices for the other.
            && (by.requires.is_empty()
                || (!of.requires.is_empty() && of.requires.is_subset(&by.requires)))
            // What only observes gives nothing yet.
            && (by.observed.is_none() || of.observed.is_some())
            // What asks for something beside need not match where the other one does.
            && (by.when.is_none() || by.when == of.when)
            && by.level >= of.level
            && by.write >= of.write
            // A mask of a category that has none shows less than a token: levels compare only if they mean themselves.
            && (by.level != Level::Mask || by.level == of.level)
    };
    model
        .grants
        .iter()
        .enumerate()
        .find(|(other_at, other)| {
            *other_at != at && gives(other, grant) && (*other_at < at || !gives(grant, other))
        })
        .map(|(_, other)| other)
}

/// Entries whose `instead_of` takes nothing away.
fn taken(classes: &Classes, section: &Section, found: &mut Diagnostics) {
    for (field, exact) in &section.exact {
        let mut given: BTreeSet<&Category> = BTreeSet::new();
        let sections = classes.modules.values().chain([&classes.everywhere]);
        for section in sections {
            for wildcard in &section.wildcards {
                if wildcard.pattern.fits(field) {
                    given.extend(&wildcard.categories);
                }
            }
        }
        given.extend(
            classes
                .everywhere
                .exact
                .get(field)
                .iter()
                .flat_map(|exact| &exact.categories),
        );
        for category in &exact.instead_of {
            if !given.contains(category) {
                found.push(
                    Diagnostic::warning(
                        codes::TAKES_NOTHING,
                        format!(
                            "{} is not given to this field by anything",
                            quoted(category.as_str())
                        ),
                    )
                    .at(&exact.place, "`instead_of` takes nothing away here"),
                );
            }
        }
    }
}

/// Fields that are classified by name in a module whose fields are known, and not among them. The CRM marks fields that
/// an installation has added.
fn unknown(model: &Model, schemas: &[Arc<Schema>], found: &mut Diagnostics) {
    for (module, own) in &model.classes.modules {
        let mut known: BTreeSet<Field> = BTreeSet::new();
        let mut is_complete = true;
        for schema in schemas {
            let fields = schema.fields(module);
            is_complete &= fields.is_empty() || schema.names_all_fields();
            known.extend(fields);
        }
        if !is_complete {
            continue;
        }
        for (field, exact) in &own.exact {
            let name = field.as_str();
            let is_own = schemas
                .iter()
                .all(|schema| matches!(schema.origin(module, name), Origin::Own));
            if known.is_empty() || known.contains(field) || name.ends_with(ADDED) || !is_own {
                continue;
            }
            let title = format!("no field `{field}` of {module} is known");
            let warning = Diagnostic::warning(codes::UNKNOWN_FIELD, title)
                .at(&exact.place, "is it written as in the CRM?");
            let near = known
                .iter()
                .map(|known| (strsim::damerau_levenshtein(known.as_str(), name), known))
                .min()
                .filter(|(distance, _)| *distance <= NEAR);
            found.push(match near {
                Some((_, known)) => warning.help(format!("perhaps `{known}`")),
                None => warning,
            });
        }
    }
}

/// How the names of fields end that an installation has added.
const ADDED: &str = "_c";
/// Letters in which a name may differ from the one that was meant.
const NEAR: usize = 2;

/// Stock fields that a wildcard catches in the middle of a word, and that no one has classified by name. One warning a
/// wildcard: the shorter it is, the more it catches.
fn look_alikes(model: &Model, schemas: &[Arc<Schema>], found: &mut Diagnostics) {
    let everywhere = &model.classes.everywhere;
    let modules: Vec<(&Module, BTreeSet<Field>)> = model
        .classes
        .modules
        .keys()
        .map(|module| (module, in_all(schemas, module)))
        .collect();
    for wildcard in &everywhere.wildcards {
        found.push_any(look_alike(model, wildcard, &modules));
    }
    for (of, known) in &modules {
        let own = model.classes.modules.get(*of);
        for wildcard in own.into_iter().flat_map(|own| &own.wildcards) {
            let module = [(*of, known.clone())];
            found.push_any(look_alike(model, wildcard, &module));
        }
    }
}

fn look_alike(
    model: &Model,
    wildcard: &Wildcard,
    modules: &[(&Module, BTreeSet<Field>)],
) -> Option<Diagnostic> {
    let mut caught = modules.iter().flat_map(|(module, known)| {
        let own = model.classes.modules.get(*module);
        let named = move |field: &&Field| {
            let mut sections = own.into_iter().chain([&model.classes.everywhere]);
            sections.any(|section| section.exact.contains_key(*field))
        };
        let is_caught = |field: &&Field| {
            let mut words = wildcard.pattern.words();
            wildcard.pattern.fits(field) && !words.all(|word| stands_alone(word, field))
        };
        known
            .iter()
            .filter(is_caught)
            .filter(move |field| !named(field))
            .map(move |field| (*module, field))
    });
    let (module, field) = caught.next()?;
    let label = match caught.count() {
        0 => format!("fits `{field}` of {module}"),
        more => format!("fits `{field}` of {module}, and {more} more"),
    };
    Some(
        Diagnostic::warning(
            codes::LOOKS_LIKE,
            "a wildcard catches a field whose name merely looks like it",
        )
        .at(&wildcard.place, label)
        .help(format!(
            "if that is right, classify `{field}` by name; if not, do so with `instead_of`"
        )),
    )
}

/// The fields that a module has in every dialect that knows it.
fn in_all(schemas: &[Arc<Schema>], module: &Module) -> BTreeSet<Field> {
    schemas
        .iter()
        .map(|schema| BTreeSet::from_iter(schema.fields(module)))
        .filter(|fields| !fields.is_empty())
        .reduce(|one, other| &one & &other)
        .unwrap_or_default()
}

/// Whether a word of a pattern is a whole word of the name (plural and number aside): `phone` is one of `phone_home`,
/// `nir` is none of `souvenir`.
fn stands_alone(word: &str, field: &Field) -> bool {
    let plain = |part: &str| {
        let part = part.trim_end_matches(|c: char| c.is_ascii_digit());
        part.strip_suffix("es")
            .or_else(|| part.strip_suffix('s'))
            .unwrap_or(part)
            .to_owned()
    };
    let parts: Vec<String> = field.as_str().split('_').map(plain).collect();
    let words: Vec<String> = word.trim_matches('_').split('_').map(plain).collect();
    parts.windows(words.len()).any(|run| run == words)
}

/// Searched fields that are not classified: the search is refused to everybody.
fn searched(model: &Model, schemas: &[Arc<Schema>], found: &mut Diagnostics) {
    use crate::dialect::Origin;
    for (module, searched) in &model.search {
        for field in &searched.fields {
            let copied = schemas.iter().any(|schema| {
                !matches!(
                    schema.origin(module, field.as_str()),
                    Origin::Own | Origin::Items(_)
                )
            });
            if copied || !model.classes.of(module, field).is_empty() {
                continue;
            }
            found.push(
                Diagnostic::warning(
                    codes::SEARCH_UNCLASSIFIED,
                    format!("searched field `{field}` of {module} is not classified"),
                )
                .at(&searched.place, "every search of this module is refused")
                .help("classify the field, or take it out if the CRM does not search it"),
            );
        }
    }
}

/// Fields that are classified as somebody's data, and that a dialect passes to everybody.
fn scaffolding(model: &Model, schemas: &[Arc<Schema>], found: &mut Diagnostics) {
    let technical = Category::new("technical");
    let mut told: BTreeSet<&Field> = BTreeSet::new();
    for (module, own) in &model.classes.modules {
        let entries = own.exact.iter().chain(&model.classes.everywhere.exact);
        for (field, exact) in entries {
            let is_data = exact
                .categories
                .iter()
                .any(|category| !technical.covers(category));
            let passes = schemas.iter().any(|schema| {
                schema.origin(module, field.as_str()) == Origin::Structural(Shape::Scalar)
            });
            if is_data && passes && told.insert(field) {
                found.push(
                    Diagnostic::warning(
                        codes::PASSES_ANYWAY,
                        format!("`{field}` of {module} passes, whatever a rule says"),
                    )
                    .at(&exact.place, "the dialect takes it for scaffolding")
                    .help("if it tells something about somebody, take it out of `scaffolding`"),
                );
            }
        }
    }
}

/// Fields that are classified as somebody's data, and that a description lets pass unread.
fn unread(model: &Model, schemas: &[Arc<Schema>], found: &mut Diagnostics) {
    let technical = Category::new("technical");
    // One place stands for every module of its route, and for every line of it.
    let mut told: Vec<(&Place, &Field)> = Vec::new();
    for Unread {
        module,
        field,
        place,
    } in schemas.iter().flat_map(|schema| schema.unread())
    {
        let categories = model.classes.of(module, field);
        let data = categories
            .iter()
            .find(|category| !technical.covers(category));
        let key = (place, field);
        let Some(category) = data.filter(|_| !told.contains(&key)) else {
            continue;
        };
        let warning = Diagnostic::warning(
            codes::PASSES_UNREAD,
            format!("`{field}` of {module} passes unread, whatever a rule says of {category}"),
        )
        .at(place, "the description lets it pass")
        .help(format!(
            "take it out of `pass` or `opaque`, and it follows the policy; if it tells nothing about anybody, classify \
             `{field}` by name as `technical`, with `instead_of` where a wildcard catches it"
        ));
        found.push(match model.classes.place(module, field, category) {
            Some(entry) => warning.also(entry, format!("classified as {category}")),
            None => warning,
        });
        told.push(key);
    }
}
