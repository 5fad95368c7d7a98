//! From what the files say to what it means: looks every name up, and reports all that mean nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Diagnostics, Place, nearest, quoted};
use crate::vocabulary::{Category, Field, Level, Module, Purpose, Role, RuleName};

use super::catalogue::{CATALOGUE, kind_of};
use super::classes::{Classes, Exact, Pattern, Section, Wildcard};
use super::codes;
use super::document::{Document, FieldEntry, GrantEntry, Word};
use super::model::{
    Applies, Cap, CategoryModel, Detector, Grant, Labels, Model, PurposeModel, RoleModel, Searched,
};

/// Checks a document. The model is whole only if no error was found.
pub(super) fn check(document: Document, hash: String, found: &mut Diagnostics) -> Model {
    let names = Declared::new(&document);
    let purposes = purposes(&document, &names, found);
    Model {
        name: document
            .name
            .as_ref()
            .map(|name| name.value.clone())
            .unwrap_or_default(),
        hash,
        unclassified: document.unclassified.unwrap_or(Level::Redact),
        ungranted: document.ungranted.unwrap_or(Level::Redact),
        purpose_order: purpose_order(&document, &names, found),
        roles: roles(&document, &names, &purposes, found),
        strengths: names.strengths.clone(),
        purposes,
        classes: classes(&document, &names, found),
        search: search(&document, &names, found),
        detectors: document
            .detectors
            .iter()
            .map(|entry| Detector {
                within: names.data(&entry.within, found),
                find: entry.find.clone(),
            })
            .collect(),
        grants: document
            .grants
            .iter()
            .map(|entry| grant(entry, &names, found))
            .collect(),
        caps: caps(&document, &names, found),
        categories: names.categories,
    }
}

/// Every name that the files declare.
struct Declared {
    roles: BTreeSet<String>,
    purposes: BTreeSet<String>,
    strengths: BTreeSet<String>,
    modules: BTreeSet<String>,
    categories: BTreeMap<Category, CategoryModel>,
}

impl Declared {
    fn new(document: &Document) -> Self {
        let all = |words: &mut dyn Iterator<Item = &Word>| -> BTreeSet<String> {
            words.map(|word| word.value.clone()).collect()
        };
        Self {
            roles: all(&mut document.roles.iter().map(|entry| &entry.name)),
            purposes: all(&mut document.purposes.iter().map(|entry| &entry.name)),
            strengths: all(&mut document.strengths.iter()),
            modules: all(&mut document.modules.iter()),
            categories: categories(document),
        }
    }

    fn roles(&self, words: &[Word], found: &mut Diagnostics) -> BTreeSet<Role> {
        look_up(
            words,
            &self.roles,
            "role",
            "roles",
            codes::UNKNOWN_ROLE,
            found,
        )
        .map(Role::new)
        .collect()
    }

    fn purposes(&self, words: &[Word], found: &mut Diagnostics) -> BTreeSet<Purpose> {
        let what = ("purpose", "purposes", codes::UNKNOWN_PURPOSE);
        look_up(words, &self.purposes, what.0, what.1, what.2, found)
            .map(Purpose::new)
            .collect()
    }

    /// Categories that a rule speaks of: each is one, or stands above some.
    fn data(&self, words: &[Word], found: &mut Diagnostics) -> Vec<Category> {
        let mut data = Vec::new();
        for word in words {
            let category = Category::new(&word.value);
            if self.categories.keys().any(|known| category.covers(known)) {
                data.push(category);
            } else {
                found.push(self.unknown_category(word, true));
            }
        }
        data.sort();
        data.dedup();
        data
    }

    /// Categories that a field belongs to: each must be one.
    fn exact(&self, words: &[Word], found: &mut Diagnostics) -> BTreeSet<Category> {
        let mut categories = BTreeSet::new();
        for word in words {
            let category = Category::new(&word.value);
            if self.categories.contains_key(&category) {
                categories.insert(category);
            } else if self.categories.keys().any(|known| category.covers(known)) {
                let below: Vec<&str> = self.below(&category).map(Category::as_str).collect();
                found.push(
                    Diagnostic::error(
                        codes::UNKNOWN_CATEGORY,
                        format!("{} is a group of categories", quoted(&word.value)),
                    )
                    .at(&word.place, "a field needs one category")
                    .help(format!("choose one of: {}", below.join(", "))),
                );
            } else {
                found.push(self.unknown_category(word, false));
            }
        }
        categories
    }

    fn below<'a>(&'a self, group: &'a Category) -> impl Iterator<Item = &'a Category> {
        self.categories.keys().filter(|known| group.covers(known))
    }

    fn unknown_category(&self, word: &Word, groups: bool) -> Diagnostic {
        let mut known: BTreeSet<&str> = self.categories.keys().map(Category::as_str).collect();
        if groups {
            let heads: Vec<&str> = known
                .iter()
                .filter_map(|name| name.split_once('.').map(|(head, _)| head))
                .collect();
            known.extend(heads);
        }
        let diagnostic = Diagnostic::error(
            codes::UNKNOWN_CATEGORY,
            format!("unknown data category {}", quoted(&word.value)),
        )
        .at(
            &word.place,
            "not in the catalogue and not defined under `categories`",
        );
        match nearest(&word.value, known) {
            Some(near) => {
                diagnostic.help(format!("a category with a similar name exists: `{near}`"))
            }
            None => diagnostic.help("define it under `categories`, or use one of the catalogue"),
        }
    }
}

fn look_up<'a>(
    words: &'a [Word],
    known: &BTreeSet<String>,
    what: &str,
    section: &str,
    code: &'static str,
    found: &mut Diagnostics,
) -> impl Iterator<Item = &'a str> {
    let (good, bad): (Vec<&Word>, Vec<&Word>) = words
        .iter()
        .partition(|word| known.contains(word.value.as_str()));
    for word in bad {
        found.push(undeclared(word, known, what, section, code));
    }
    good.into_iter().map(|word| word.value.as_str())
}

fn undeclared(
    word: &Word,
    known: &BTreeSet<String>,
    what: &str,
    section: &str,
    code: &'static str,
) -> Diagnostic {
    let diagnostic = Diagnostic::error(code, format!("unknown {what} {}", quoted(&word.value)))
        .at(&word.place, format!("not declared under `{section}`"));
    match known.len() {
        0 => diagnostic.help(format!("declare it under `{section}`")),
        _ => {
            let all: Vec<&str> = known.iter().map(String::as_str).collect();
            diagnostic
                .help(format!("declared: {}", all.join(", ")))
                .suggest(&word.value, all)
        }
    }
}

fn categories(document: &Document) -> BTreeMap<Category, CategoryModel> {
    let mut categories: BTreeMap<Category, CategoryModel> = CATALOGUE
        .iter()
        .map(|built_in| {
            let model = CategoryModel {
                labels: Labels {
                    en: Some(built_in.en.to_owned()),
                    fr: Some(built_in.fr.to_owned()),
                },
                mask: built_in.mask.clone(),
                hidden: built_in.hidden,
            };
            (Category::new(built_in.name), model)
        })
        .collect();
    for entry in &document.categories {
        let name = Category::new(&entry.name.value);
        // A category that a policy adds below one of Art. 9 or 10 is hidden like it.
        let hidden = CATALOGUE.iter().any(|built_in| {
            built_in.hidden
                && (Category::new(built_in.name).covers(&name)
                    || entry.name.value.starts_with("special."))
        });
        let model = categories.entry(name).or_insert_with(|| CategoryModel {
            labels: Labels::default(),
            mask: None,
            hidden,
        });
        model.mask = entry.mask.clone().or_else(|| model.mask.take());
        model.labels.en = entry.labels.en.clone().or_else(|| model.labels.en.take());
        model.labels.fr = entry.labels.fr.clone().or_else(|| model.labels.fr.take());
    }
    categories
}

fn purposes(
    document: &Document,
    names: &Declared,
    found: &mut Diagnostics,
) -> BTreeMap<Purpose, PurposeModel> {
    document
        .purposes
        .iter()
        .map(|entry| {
            let model = PurposeModel {
                place: entry.name.place.clone(),
                labels: entry.labels.clone(),
                basis: Arc::from(entry.basis),
                roles: names.roles(&entry.roles, found),
            };
            (Purpose::new(&entry.name.value), model)
        })
        .collect()
}

fn purpose_order(document: &Document, names: &Declared, found: &mut Diagnostics) -> Vec<Purpose> {
    let known = names.purposes(&document.purpose_order, found);
    let mut order = Vec::new();
    for word in &document.purpose_order {
        let purpose = Purpose::new(&word.value);
        if order.contains(&purpose) {
            let title = format!("purpose {} stands twice in the order", quoted(&word.value));
            found.push(Diagnostic::error(codes::TWICE, title).at(&word.place, "again here"));
        } else if known.contains(&purpose) {
            order.push(purpose);
        }
    }
    order
}

fn roles(
    document: &Document,
    names: &Declared,
    purposes: &BTreeMap<Purpose, PurposeModel>,
    found: &mut Diagnostics,
) -> BTreeMap<Role, RoleModel> {
    let mut roles = BTreeMap::new();
    for entry in &document.roles {
        let role = Role::new(&entry.name.value);
        let mut default_purpose = None;
        if let Some(word) = &entry.default_purpose {
            default_purpose = names
                .purposes(std::slice::from_ref(word), found)
                .pop_first();
            let closed = default_purpose
                .as_ref()
                .and_then(|purpose| purposes.get(purpose))
                .is_some_and(|purpose| !purpose.roles.contains(&role));
            if closed {
                found.push(
                    Diagnostic::error(
                        codes::DEFAULT_PURPOSE_CLOSED,
                        format!(
                            "role {} may not invoke its default purpose",
                            quoted(role.as_str())
                        ),
                    )
                    .at(&word.place, "this purpose does not list the role")
                    .help(format!(
                        "add `{role}` to the `roles` of the purpose {}",
                        quoted(&word.value)
                    )),
                );
            }
        }
        let from = entry.from.clone();
        roles.insert(
            role,
            RoleModel {
                place: entry.name.place.clone(),
                from,
                default_purpose,
            },
        );
    }
    roles
}

fn classes(document: &Document, names: &Declared, found: &mut Diagnostics) -> Classes {
    let mut classes = Classes::default();
    for module in &document.modules {
        classes
            .modules
            .entry(Module::new(&module.value))
            .or_default();
    }
    for entry in &document.fields {
        let categories = names.exact(&entry.categories, found);
        let instead_of = names.exact(&entry.instead_of, found);
        let section = match &entry.module {
            None => &mut classes.everywhere,
            Some(module) => classes.modules.entry(Module::new(module)).or_default(),
        };
        if entry.pattern.value.contains('*') {
            wildcard(entry, categories, section, found);
        } else {
            let field = Field::fold(&entry.pattern.value);
            section.exact.insert(
                field,
                Exact {
                    categories,
                    instead_of,
                    place: entry.pattern.place.clone(),
                },
            );
        }
    }
    classes
}

fn wildcard(
    entry: &FieldEntry,
    categories: BTreeSet<Category>,
    section: &mut Section,
    found: &mut Diagnostics,
) {
    let technical = Category::new("technical");
    for word in &entry.categories {
        if technical.covers(&Category::new(&word.value)) {
            found.push(
                Diagnostic::error(
                    codes::WILDCARD_TECHNICAL,
                    "a wildcard may never classify as `technical`",
                )
                .at(
                    &word.place,
                    format!("for every field that fits {}", quoted(&entry.pattern.value)),
                )
                .help("name each technical field exactly"),
            );
        }
    }
    section.wildcards.push(Wildcard {
        pattern: Pattern::fold(&entry.pattern.value),
        categories,
        place: entry.pattern.place.clone(),
    });
}

fn search(
    document: &Document,
    names: &Declared,
    found: &mut Diagnostics,
) -> BTreeMap<Module, Searched> {
    let mut search = BTreeMap::new();
    for entry in &document.search {
        if !names.modules.contains(&entry.module.value) {
            let what = ("module", "classify", codes::UNKNOWN_MODULE);
            found.push(undeclared(
                &entry.module,
                &names.modules,
                what.0,
                what.1,
                what.2,
            ));
        }
        let mut fields: Vec<Field> = entry
            .fields
            .iter()
            .map(|word| Field::fold(&word.value))
            .collect();
        fields.sort();
        fields.dedup();
        let place = entry.module.place.clone();
        search.insert(Module::new(&entry.module.value), Searched { fields, place });
    }
    search
}

fn grant(entry: &GrantEntry, names: &Declared, found: &mut Diagnostics) -> Grant {
    let data = names.data(&entry.data, found);
    if let Some(place) = &entry.write {
        unchecked_write(&data, place, names, found);
    }
    let requires = entry.requires.as_ref().and_then(|word| {
        let words = std::slice::from_ref(word);
        look_up(
            words,
            &names.strengths,
            "strength",
            "auth",
            codes::UNKNOWN_STRENGTH,
            found,
        )
        .next()
    });
    Grant {
        name: RuleName::new(&entry.name.value),
        place: entry.name.place.clone(),
        roles: names.roles(&entry.roles, found),
        purposes: entry
            .purposes
            .as_ref()
            .map(|words| names.purposes(words, found)),
        data,
        level: entry.level,
        requires: requires.map(str::to_owned),
        write: entry.write.is_some(),
        why: entry.why.clone(),
    }
}

/// What nobody may see before writing must at least prove itself.
fn unchecked_write(data: &[Category], place: &Place, names: &Declared, found: &mut Diagnostics) {
    let unchecked: Vec<&str> = data
        .iter()
        .flat_map(|rule| names.below(rule))
        .filter(|category| kind_of(category).is_none())
        .map(Category::as_str)
        .collect();
    if unchecked.is_empty() {
        return;
    }
    found.push(
        Diagnostic::error(
            codes::WRITE_UNCHECKED,
            "`write: allow` on a category without a checksum",
        )
        .at(place, format!("the grant reaches {}", unchecked.join(", ")))
        .help(
            "only financial.iban, financial.bic, financial.card and identity.national_id can be written unseen; \
             for others grant `level: clear`",
        ),
    );
}

fn caps(document: &Document, names: &Declared, found: &mut Diagnostics) -> Vec<Cap> {
    document
        .caps
        .iter()
        .map(|entry| Cap {
            name: RuleName::new(&entry.name.value),
            place: entry.name.place.clone(),
            applies: match (&entry.roles, &entry.unless_roles) {
                (Some(roles), _) => Applies::Roles(names.roles(roles, found)),
                (None, Some(unless)) => Applies::UnlessRoles(names.roles(unless, found)),
                (None, None) => Applies::Everyone,
            },
            purposes: entry
                .purposes
                .as_ref()
                .map(|words| names.purposes(words, found)),
            data: names.data(&entry.data, found),
            level: entry.level,
            firm: entry.firm,
            why: entry.why.clone(),
        })
        .collect()
}
