//! From what the files say to what it means: looks every name up, and reports all that mean nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;

use crate::diagnostic::{Diagnostic, Diagnostics, Place, meant, odd, quoted};
use crate::vocabulary::{Category, Field, Level, Module, Purpose, Role, RuleName};

use super::catalogue::{CATALOGUE, kind_of};
use super::classes::{Classes, Exact, Pattern, Section, Wildcard};
use super::codes;
use super::document::{CapEntry, Document, FieldEntry, GrantEntry, Observation, Word, Write};
use super::limits;
use super::model::{
    Applies, Cap, CategoryModel, Detector, Grant, Labels, Model, PurposeModel, Searched, Strength,
    Writing,
};
use super::roles;
use super::sections::observe;

/// Checks a document. The model is whole only if no error was found.
pub(in crate::policy) fn check(
    mut document: Document,
    hash: String,
    found: &mut Diagnostics,
) -> Model {
    let observed = observe::whole(&mut document, found);
    let names = Declared::new(&document);
    let purposes = purposes(&document, &names, found);
    Model {
        name: document
            .name
            .as_ref()
            .map(|name| name.value.clone())
            .unwrap_or_default(),
        hash,
        texts: Arc::default(),
        detects: None,
        unclassified: document.unclassified.unwrap_or(Level::Redact),
        ungranted: document.ungranted.unwrap_or(Level::Redact),
        purpose_order: purpose_order(&document, &names, found),
        roles: roles::roles(&document, &names, &purposes, found),
        strengths: document
            .strengths
            .iter()
            .map(|(name, any)| {
                let strength = Strength {
                    place: name.place.clone(),
                    any: any.clone(),
                };
                (name.value.clone(), strength)
            })
            .collect(),
        purposes,
        classes: classes(&document, &names, found),
        search: search(&document, &names, found),
        detectors: document
            .detectors
            .iter()
            .map(|entry| Detector {
                place: entry.place.clone(),
                within: names.data(&entry.within, found),
                find: entry.find.clone(),
                terms: entry.terms,
            })
            .collect(),
        grants: document
            .grants
            .iter()
            .map(|entry| grant(entry, &names, found))
            .collect(),
        caps: caps(&document, &names, found),
        limits: limits::limits(&document, &names, found),
        rows: Vec::new(),
        conditions: Vec::new(),
        days: last_days(&document, observed.as_ref()),
        observed,
        categories: names.categories,
    }
}

/// Every name that the files declare.
pub(super) struct Declared {
    pub(super) roles: Kind,
    purposes: Kind,
    strengths: Kind,
    pub(super) modules: Kind,
    categories: BTreeMap<Category, CategoryModel>,
    /// Whether more may be declared in what was not understood.
    pub(super) incomplete: bool,
}

/// The names of one kind.
pub(super) struct Kind {
    what: &'static str,
    /// The section that declares them.
    section: &'static str,
    code: &'static str,
    pub(super) names: BTreeSet<String>,
    /// Those that nothing speaks of.
    unused: BTreeSet<String>,
}

impl Kind {
    fn new<'a>(
        (what, section, code): (&'static str, &'static str, &'static str),
        declared: impl Iterator<Item = &'a Word>,
        used: &[&Word],
    ) -> Self {
        let names: BTreeSet<String> = declared.map(|word| word.value.clone()).collect();
        let is_used = |name: &&String| used.iter().any(|word| word.value == **name);
        Self {
            unused: names
                .iter()
                .filter(|name| !is_used(name))
                .cloned()
                .collect(),
            names,
            what,
            section,
            code,
        }
    }

    /// A name as it is declared: itself, or what it looks like. `None` if it is not declared.
    fn declared(&self, name: &str) -> Option<&str> {
        let names = &self.names;
        let known = names.get(name).or_else(|| names.get(&odd::plain(name)));
        known.map(String::as_str)
    }

    /// A name that is not declared.
    fn unknown(&self, word: &Word) -> Diagnostic {
        let Self { what, section, .. } = self;
        let title = format!("unknown {what} {}", quoted(&word.value));
        let label = format!("not declared under `{section}`");
        let diagnostic = Diagnostic::error(self.code, title).at(&word.place, label);
        let all: Vec<&str> = self.names.iter().map(String::as_str).collect();
        if all.is_empty() {
            return diagnostic.help(format!("declare it under `{section}`"));
        }
        let declared = format!("declared: {}", all.join(", "));
        let renamed = self.unused.first().filter(|_| self.unused.len() == 1);
        let help = match renamed {
            Some(new) => format!(
                "{declared}; nothing speaks of {}: was it renamed?",
                quoted(new)
            ),
            None => declared,
        };
        diagnostic.help(help).suggest(&word.value, all)
    }
}

impl Declared {
    fn new(document: &Document) -> Self {
        let purposes = document.purposes.iter();
        let grants = document.grants.iter();
        let caps = document.caps.iter();
        let of_caps = caps.clone().flat_map(|cap| [&cap.roles, &cap.unless_roles]);
        let limits = document.limits.iter();
        let of_limits = limits
            .clone()
            .flat_map(|one| [&one.roles, &one.unless_roles]);
        let used_roles: Vec<&Word> = purposes
            .clone()
            .map(|entry| &entry.roles)
            .chain(grants.clone().map(|entry| &entry.roles))
            .chain(of_caps.flatten())
            .chain(of_limits.flatten())
            .flatten()
            .collect();
        let defaults = document.roles.iter();
        let used_purposes: Vec<&Word> = grants
            .clone()
            .filter_map(|grant| grant.purposes.as_ref())
            .chain(caps.filter_map(|cap| cap.purposes.as_ref()))
            .chain(limits.clone().filter_map(|one| one.purposes.as_ref()))
            .flatten()
            .chain(
                defaults
                    .clone()
                    .filter_map(|role| role.default_purpose.as_ref()),
            )
            .chain(defaults.filter_map(|role| role.purposes.as_ref()).flatten())
            .collect();
        let used_strengths: Vec<&Word> = grants
            .flat_map(|grant| &grant.requires)
            .chain(limits.clone().flat_map(|one| &one.requires))
            .collect();
        let searched = document.search.iter().map(|entry| &entry.module);
        let of_limits = limits.filter_map(|one| one.modules.as_ref()).flatten();
        let searched: Vec<&Word> = searched.chain(of_limits).collect();
        Self {
            roles: Kind::new(
                ("role", "roles", codes::UNKNOWN_ROLE),
                document.roles.iter().map(|entry| &entry.name),
                &used_roles,
            ),
            purposes: Kind::new(
                ("purpose", "purposes", codes::UNKNOWN_PURPOSE),
                purposes.map(|entry| &entry.name),
                &used_purposes,
            ),
            strengths: Kind::new(
                ("strength", "auth", codes::UNKNOWN_STRENGTH),
                document.strengths.iter().map(|(name, _)| name),
                &used_strengths,
            ),
            modules: Kind::new(
                ("module", "classify", codes::UNKNOWN_MODULE),
                document.modules.iter(),
                &searched,
            ),
            categories: categories(document),
            incomplete: document.incomplete,
        }
    }

    /// Reports a name that is not declared, once for all places where it stands.
    fn report(&self, problem: Diagnostic, found: &mut Diagnostics) {
        if !self.incomplete {
            found.push_named(problem);
        }
    }

    /// Those of some names that are declared; others are reported.
    pub(super) fn look_up<'a>(
        &'a self,
        words: &[Word],
        kind: &'a Kind,
        found: &mut Diagnostics,
    ) -> Vec<&'a str> {
        let mut names = Vec::new();
        for word in words {
            let declared = kind.declared(&word.value);
            names.extend(declared);
            if declared != Some(word.value.as_str()) {
                self.report(kind.unknown(word), found);
            }
        }
        names
    }

    pub(super) fn roles(&self, words: &[Word], found: &mut Diagnostics) -> BTreeSet<Role> {
        let names = self.look_up(words, &self.roles, found);
        names.into_iter().map(Role::new).collect()
    }

    pub(super) fn purposes(&self, words: &[Word], found: &mut Diagnostics) -> BTreeSet<Purpose> {
        let names = self.look_up(words, &self.purposes, found);
        names.into_iter().map(Purpose::new).collect()
    }

    pub(super) fn strengths(&self, words: &[Word], found: &mut Diagnostics) -> BTreeSet<String> {
        let names = self.look_up(words, &self.strengths, found);
        names.into_iter().map(str::to_owned).collect()
    }

    /// Categories that a rule speaks of: each is one, or stands above some.
    pub(super) fn data(&self, words: &[Word], found: &mut Diagnostics) -> Vec<Category> {
        let mut data = Vec::new();
        for word in words {
            let category = Category::new(&word.value);
            if self.categories.keys().any(|known| category.covers(known)) {
                data.push(category);
            } else {
                self.report(self.unknown_category(word, true), found);
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
                let problem = Diagnostic::error(
                    codes::UNKNOWN_CATEGORY,
                    format!("{} is a group of categories", quoted(&word.value)),
                )
                .at(&word.place, "a field needs one category")
                .help(format!("choose one of: {}", below.join(", ")));
                self.report(problem, found);
            } else {
                self.report(self.unknown_category(word, false), found);
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
        let title = format!("unknown data category {}", quoted(&word.value));
        let label = "not in the catalogue and not defined under `categories`";
        let problem = Diagnostic::error(codes::UNKNOWN_CATEGORY, title)
            .at(&word.place, label)
            .look_alike(&word.value);
        problem.help(match meant(&word.value, known) {
            Some(near) => format!("a category with a similar name exists: `{near}`"),
            None => "define it under `categories`, or use one of the catalogue".to_owned(),
        })
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

fn classes(document: &Document, names: &Declared, found: &mut Diagnostics) -> Classes {
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

fn search(
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

fn grant(entry: &GrantEntry, names: &Declared, found: &mut Diagnostics) -> Grant {
    let data = names.data(&entry.data, found);
    let write = entry.write.as_ref().map(|write| write.value);
    if let Some(write) = &entry.write
        && write.value == Write::Allow
        && entry.level < Level::Clear
    {
        unchecked_write(&data, &write.place, names, found);
    }
    let requires = names.look_up(&entry.requires, &names.strengths, found);
    Grant {
        name: RuleName::new(&entry.name.value),
        place: entry.name.place.clone(),
        roles: names.roles(&entry.roles, found),
        purposes: entry
            .purposes
            .as_ref()
            .map(|words| names.purposes(words, found)),
        level: entry.level,
        requires: requires.into_iter().map(str::to_owned).collect(),
        asks: entry.asks.is_some(),
        allows_write: entry
            .write
            .as_ref()
            .filter(|write| write.value == Write::Allow)
            .map(|write| write.place.clone()),
        write: match (write, entry.level) {
            (Some(Write::Deny), _) => Writing::No,
            (_, Level::Clear) => Writing::Any,
            (Some(Write::Allow), _) => Writing::Valid,
            (None, _) => Writing::No,
        },
        when: None,
        observed: observed(entry.observed.as_ref(), &data, found),
        data,
        why: entry.why.clone(),
    }
}

/// The last days of whatever observes.
fn last_days(document: &Document, whole: Option<&Observation>) -> BTreeSet<Date> {
    let grants = document.grants.iter().map(|entry| &entry.observed);
    let caps = document.caps.iter().map(|entry| &entry.observed);
    let rules = grants.chain(caps).flatten();
    rules.chain(whole).map(|observed| observed.last).collect()
}

/// Data of Art. 9 and 10 GDPR is not tried out on people.
fn observed(
    observed: Option<&Observation>,
    data: &[Category],
    found: &mut Diagnostics,
) -> Option<Observation> {
    let observed = observed?;
    let touched = |group: &Category| {
        let mut data = data.iter();
        data.any(|category| group.covers(category) || category.covers(group))
    };
    if let Some(group) = ["special", "criminal"]
        .map(Category::new)
        .iter()
        .find(|group| touched(group))
    {
        found.push(
            Diagnostic::error(
                codes::OBSERVE_SPECIAL,
                format!("a rule about `{group}` does not only observe"),
            )
            .at(&observed.place, "data of Art. 9 and 10 GDPR is held back from the first day")
            .help("take `mode` and `until` out, or put the other data of this rule into one of its own"),
        );
    }
    Some(observed.clone())
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
            "`write: allow` on a category without a checksum, which is not shown in clear",
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
        .map(|entry| cap(entry, names, found))
        .collect()
}

fn cap(entry: &CapEntry, names: &Declared, found: &mut Diagnostics) -> Cap {
    let data = names.data(&entry.data, found);
    Cap {
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
        when: None,
        observed: observed(entry.observed.as_ref(), &data, found),
        data,
        level: entry.level,
        denies_write: entry.denies_write,
        firm: entry.firm,
        exceptions: Vec::new(),
        why: entry.why.clone(),
    }
}
