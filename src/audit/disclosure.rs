//! What was shown and withheld, by category, level and rule.

use std::collections::BTreeMap;

use crate::detect::Kind;
use crate::filter::FieldCounts;
use crate::policy::{FieldRule, SpanRule, Would};
use crate::vocabulary::{Category, FieldPath, Level, Module, RuleName};

use super::event::integer;
use super::format::brief::Entry;
use super::format::counts;
use super::memory::entry;
use super::names::{Names, is_plain};

/// What a request disclosed so far, field by field.
#[derive(Debug, Default)]
pub(super) struct Disclosure {
    /// The first report. Mostly it is the only one, and nothing comes beside it.
    first: Option<FieldCounts>,
    rows: BTreeMap<Row, Count>,
}

/// Results that belong into one entry of the event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Same {
    pub(super) category: Option<Category>,
    pub(super) level: Level,
    pub(super) by: Vec<RuleName>,
    /// What it would be, and by which rules, if none only observed.
    pub(super) would: Option<(Level, Vec<RuleName>)>,
    /// Records of several modules are others, so each has its own number.
    pub(super) module: Module,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    same: Same,
    path: FieldPath,
    /// Whether the field may be named.
    named: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    records: u64,
    in_text: u64,
}

impl Disclosure {
    /// Adds what a filter did.
    pub(super) fn add(&mut self, fields: FieldCounts) {
        if self.first.is_none() && self.rows.is_empty() {
            self.first = Some(fields);
        } else {
            self.spread();
            self.add_rows(&fields);
        }
    }

    /// Spreads the first report over rows, because something comes beside it.
    fn spread(&mut self) {
        if let Some(first) = self.first.take() {
            self.add_rows(&first);
        }
    }

    fn add_rows(&mut self, fields: &FieldCounts) {
        for (path, count) in fields.iter() {
            let (path, rule) = (&path, count.rule);
            let named = rule.known || is_plain(path.field.as_str());
            self.add_field(path, rule, named, count.records);
            for (kind, found) in count.in_text {
                let span = rule.show.span(*kind);
                for same in
                    span.map_or_else(|| of_field(rule), |span| vec![of_span(span, &rule.module)])
                {
                    let counted = self.count(path, same, named);
                    counted.records = counted.records.max(count.records);
                    counted.in_text += found;
                }
            }
        }
    }

    /// Adds a field that was asked for and taken out of the request, so that it never came back.
    pub(super) fn add_withheld(&mut self, rule: &FieldRule) {
        self.spread();
        let path = rule.path();
        // The caller chose the name: only the policy or the dialect can vouch for it.
        self.add_field(&path, rule, rule.known, 0);
    }

    fn add_field(&mut self, path: &FieldPath, rule: &FieldRule, named: bool, records: u64) {
        for same in of_field(rule) {
            self.count(path, same, named).records += records;
        }
    }

    fn count(&mut self, path: &FieldPath, same: Same, named: bool) -> &mut Count {
        let path = path.clone();
        self.rows.entry(Row { same, path, named }).or_default()
    }

    /// The one report that it is about, if nothing comes beside it.
    pub(super) fn only(&self) -> Option<&FieldCounts> {
        self.first.as_ref().filter(|_| self.rows.is_empty())
    }

    /// One entry for all fields of a module with the same category, level and rules, and how much of each there was.
    pub(super) fn entries(&mut self) -> (Vec<Entry>, Vec<counts::Count>) {
        self.spread();
        let mut entries: BTreeMap<&Same, (Names, Count)> = BTreeMap::new();
        for (row, count) in &self.rows {
            let (names, sum) = entries.entry(&row.same).or_default();
            if row.named {
                names.name(&row.path);
            } else {
                names.count(Some(&row.path.module));
            }
            // Fields of one entry mostly stand in the same records, so the sum would count those many times.
            sum.records = sum.records.max(count.records);
            sum.in_text = sum.in_text.saturating_add(count.in_text);
        }
        entries
            .into_iter()
            .map(|(same, (names, count))| {
                let counts = (integer(count.records), integer(count.in_text));
                (entry(same, names), counts)
            })
            .unzip()
    }
}

/// The entries that a field belongs to: one a category, or the one of unclassified fields.
pub(super) fn of_field(rule: &FieldRule) -> Vec<Same> {
    let same = |category| Same {
        category,
        level: rule.level,
        by: rule.by.clone(),
        would: rule.would_show().map(would),
        module: rule.module.clone(),
    };
    if rule.categories.is_empty() {
        vec![same(None)]
    } else {
        rule.categories
            .iter()
            .cloned()
            .map(Some)
            .map(same)
            .collect()
    }
}

pub(super) fn of_span(span: &SpanRule, module: &Module) -> Same {
    // Beside references of records, which special category it is would be such data itself.
    if matches!(span.kind, Kind::Statement(_)) {
        let is_shown = span.level == Level::Clear || span.shown.is_none();
        return Same {
            category: Some(Category::new("special")),
            level: if is_shown {
                Level::Clear
            } else {
                Level::Redact
            },
            by: span.by.clone(),
            // Rules on such data never only observe.
            would: None,
            module: module.clone(),
        };
    }
    Same {
        category: Some(span.category.clone()),
        level: span.level,
        by: span.by.clone(),
        would: span.would_show().map(would),
        module: module.clone(),
    }
}

fn would(would: &Would) -> (Level, Vec<RuleName>) {
    (would.level, would.by.clone())
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use crate::detect::statement::Certainty;
    use crate::filter::{FieldCount, InText, Report};
    use crate::policy::{Show, TextRule, Usable, Writable};
    use crate::vocabulary::Field;

    use super::super::format::brief::Terms;
    use super::super::memory::Memory;
    use super::*;

    /// The rule of a field of Contacts.
    pub(in super::super) fn rule(
        field: &str,
        categories: &[&str],
        level: Level,
        by: &str,
        known: bool,
    ) -> FieldRule {
        FieldRule {
            module: Module::new("Contacts"),
            field: Field::fold(field),
            level,
            categories: categories.iter().map(|name| Category::new(name)).collect(),
            by: vec![RuleName::new(by)],
            show: Show::Clear,
            usable: match level {
                Level::Clear => Usable::Yes,
                _ => Usable::No,
            },
            writable: Writable::No,
            structural: false,
            known,
            would: None,
        }
    }

    /// A report about one record that holds these fields.
    pub(in super::super) fn report(rules: Vec<FieldRule>) -> Report {
        report_of(rules, &InText::new())
    }

    /// The same, where identifiers were found in the texts of all of them.
    fn report_of(rules: Vec<FieldRule>, in_text: &InText) -> Report {
        let rules: Vec<Arc<FieldRule>> = rules.into_iter().map(Arc::new).collect();
        let count = |rule| FieldCount {
            rule,
            records: 1,
            in_text,
        };
        Report {
            fields: rules.iter().map(count).collect(),
            records: 1,
            ..Report::default()
        }
    }

    /// The entries and their counts. Both ways of making them must say the same, and each twice.
    fn json(disclosure: &mut Disclosure) -> Value {
        let mut memory = Memory::default();
        let frame = Terms::default();
        let told = memory.told(&frame, disclosure).unwrap();
        let (terms, counts) = memory.told(&frame, disclosure).unwrap();
        assert!(Arc::ptr_eq(&terms, &told.0) && counts == told.1);
        let (entries, numbers) = disclosure.entries();
        let read = terms.read().unwrap();
        assert_eq!((&read.data, &counts), (&entries, &numbers));
        json!([read.data, counts])
    }

    #[test]
    fn fields_with_the_same_result_share_an_entry() {
        let mut disclosure = Disclosure::default();
        disclosure.add(
            report(vec![
                rule("iban_c", &["financial.iban"], Level::Mask, "last", true),
                rule("iban2_c", &["financial.iban"], Level::Mask, "last", true),
                rule("iban3_c", &["financial.iban"], Level::Clear, "pay", true),
            ])
            .fields,
        );
        assert_eq!(
            json(&mut disclosure),
            json!([[
                {"by": ["last"], "category": "financial.iban", "fields": ["Contacts.iban2_c", "Contacts.iban_c"], "level": "mask"},
                {"by": ["pay"], "category": "financial.iban", "fields": ["Contacts.iban3_c"], "level": "clear"}
            ], [[1, 0], [1, 0]]])
        );
    }

    #[test]
    fn fields_of_two_modules_never_share_an_entry_nor_a_number() {
        let email = |module: &str| FieldRule {
            module: Module::new(module),
            ..rule("email", &["contact.email"], Level::Clear, "all", true)
        };
        let fields = |module: &str, records| {
            let rules = [Arc::new(email(module))];
            let in_text = &InText::new();
            let count = |rule| FieldCount {
                rule,
                records,
                in_text,
            };
            rules.iter().map(count).collect::<FieldCounts>()
        };
        let entry = |module: &str| {
            json!({
                "by": ["all"], "category": "contact.email", "fields": [format!("{module}.email")], "level": "clear"
            })
        };
        let expected = json!([
            [entry("Accounts"), entry("Contacts")],
            [[800, 0], [1_000, 0]]
        ]);
        // In one reply, and one behind the other.
        let mut at_once = Disclosure::default();
        let rules = [Arc::new(email("Contacts")), Arc::new(email("Accounts"))];
        let in_text = &InText::new();
        let counts = rules.iter().zip([1_000, 800]);
        let counted = counts.map(|(rule, records)| FieldCount {
            rule,
            records,
            in_text,
        });
        at_once.add(counted.collect());
        assert_eq!(json(&mut at_once), expected);
        let mut behind = Disclosure::default();
        behind.add(fields("Contacts", 1_000));
        behind.add(fields("Accounts", 800));
        assert_eq!(json(&mut behind), expected);
    }

    #[test]
    fn unclassified_fields_of_a_reply_are_named_only_if_they_look_like_names() {
        let mut disclosure = Disclosure::default();
        let by = "defaults.unclassified";
        disclosure.add(
            report(vec![
                rule("shoe_size_c", &[], Level::Redact, by, false),
                rule("marie tissot", &[], Level::Redact, by, false),
                rule("fr7612345678", &[], Level::Redact, by, false),
            ])
            .fields,
        );
        assert_eq!(
            json(&mut disclosure),
            json!([[
                {"by": ["defaults.unclassified"], "fields": ["Contacts.shoe_size_c", "Contacts.(2 unknown)"], "level": "redact"}
            ], [[1, 0]]])
        );
    }

    #[test]
    fn a_name_that_only_the_caller_knows_is_counted_even_if_it_looks_like_one() {
        let mut disclosure = Disclosure::default();
        disclosure.add_withheld(&rule("marie", &[], Level::Hide, "x", false));
        disclosure.add_withheld(&rule(
            "religion_c",
            &["special.belief"],
            Level::Hide,
            "x",
            true,
        ));
        assert_eq!(
            json(&mut disclosure),
            json!([[
                {"by": ["x"], "fields": ["Contacts.(1 unknown)"], "level": "hide"},
                {"by": ["x"], "category": "special.belief", "fields": ["Contacts.religion_c"], "level": "hide"}
            ], [[0, 0], [0, 0]]])
        );
    }

    #[test]
    fn identifiers_found_in_a_text_count_for_their_own_category() {
        let mut text = rule("description", &["free_text"], Level::Clear, "base", true);
        text.show = Show::Text(Arc::new(TextRule {
            lexicon: None,
            spans: vec![SpanRule {
                kind: Kind::Iban,
                category: Category::new("financial.iban"),
                level: Level::Mask,
                by: vec![RuleName::new("last")],
                mask: None,
                tokenizer: None,
                shown: Some(Certainty::Likely),
                refused: Some(Certainty::Possible),
                flagged: None,
                writable: false,
                would: None,
            }],
        }));
        let report = report_of(vec![text], &InText::from([(Kind::Iban, 3)]));
        let mut disclosure = Disclosure::default();
        disclosure.add(report.fields);
        assert_eq!(
            json(&mut disclosure),
            json!([[
                {"by": ["last"], "category": "financial.iban", "fields": ["Contacts.description"], "level": "mask"},
                {"by": ["base"], "category": "free_text", "fields": ["Contacts.description"], "level": "clear"}
            ], [[1, 3], [1, 0]]])
        );
    }
}
