//! What the data is: categories, classification, searched fields.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::vocabulary::{Category, Field, Module};

use super::super::catalogue::CATALOGUE;
use super::super::classes::{Classes, Exact, Pattern, Section, Wildcard};
use super::super::codes;
use super::super::document::{Document, FieldEntry};
use super::super::model::{CategoryModel, Labels, Searched};
use super::declared::Declared;

pub(super) fn categories(document: &Document) -> BTreeMap<Category, CategoryModel> {
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
                place: None,
                mask_place: None,
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
            place: None,
            mask_place: None,
        });
        model.place = Some(entry.name.place.clone());
        if let Some(mask) = &entry.mask {
            model.mask = Some(mask.value.clone());
            model.mask_place = Some(mask.place.clone());
        }
        model.labels.en = entry.labels.en.clone().or_else(|| model.labels.en.take());
        model.labels.fr = entry.labels.fr.clone().or_else(|| model.labels.fr.take());
    }
    categories
}

pub(super) fn classes(document: &Document, names: &Declared, found: &mut Diagnostics) -> Classes {
    let mut classes = Classes::default();
    for module in &document.modules {
        let section = classes.modules.entry(Module::new(&module.value));
        let section = section.or_default();
        section.place.get_or_insert_with(|| module.place.clone());
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

pub(super) fn search(
    document: &Document,
    names: &Declared,
    found: &mut Diagnostics,
) -> BTreeMap<Module, Searched> {
    let mut search = BTreeMap::new();
    for entry in &document.search {
        names.look_up(std::slice::from_ref(&entry.module), &names.modules, found);
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
