//! Who sees what: each role and purpose with each category, or with each field of a module.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::diagnostic::nearest;
use crate::policy::{Column, FieldRule, Given, Kept, Policy, Shade, Usable, Writable};
use crate::vocabulary::{Category, Level, Module};

mod notes;
mod page;
mod words;

pub use words::Language;
use words::Words;

/// A row: a category, or a field.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its name in the policy.
    pub name: String,
    /// The categories: one, or those of the field.
    categories: Vec<Category>,
}

/// What is given of a row in a column.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cell {
    level: Level,
    usable: Usable,
    writable: Writable,
    by: Vec<String>,
    /// How much is shown by what holds beside, the most first; one, if nothing changes it.
    shades: Vec<Shade>,
}

/// A column, with its cells in the order of the rows.
#[derive(Debug)]
struct Filled {
    role: String,
    purpose: String,
    purpose_label: Option<String>,
    strength: Option<String>,
    cells: Vec<Cell>,
    /// Which records are there, where not all are.
    kept: Vec<Kept>,
}

/// All of it.
#[derive(Debug)]
pub struct Matrix {
    policy: String,
    hash: String,
    unclassified: Level,
    /// The module whose fields the rows are.
    module: Option<Module>,
    rows: Vec<Row>,
    labels: Vec<Option<String>>,
    columns: Vec<Filled>,
    is_french: bool,
    words: &'static Words,
}

/// Why there is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unknown(String);

impl Matrix {
    /// Of all categories, or of the fields of a module; of `only` these categories and those below them, if any are named.
    ///
    /// # Errors
    /// If the policy has no such category or module.
    pub fn of(
        policy: &Policy,
        fields: Option<&Module>,
        only: &[String],
        language: Language,
    ) -> Result<Self, Unknown> {
        let only = only_known(policy, only)?;
        let is_wanted =
            |category: &Category| only.is_empty() || only.iter().any(|one| one.covers(category));
        let columns = policy.columns();
        let mut rows: Vec<Row> = match fields {
            None => policy.categories().map(Row::of_category).collect(),
            Some(module) => of_module(policy, module, &columns)?,
        };
        rows.retain(|row| match row.categories.as_slice() {
            [] => only.is_empty(),
            categories => categories.iter().any(is_wanted),
        });
        let label = |row: &Row| match (fields, row.categories.first()) {
            (None, Some(category)) => policy.label_of(category, language.is_french()),
            _ => None,
        };
        Ok(Self {
            policy: policy.name().to_owned(),
            hash: policy.hash().to_owned(),
            unclassified: policy.unclassified(),
            module: fields.cloned(),
            labels: rows
                .iter()
                .map(|row| label(row).map(str::to_owned))
                .collect(),
            columns: columns
                .iter()
                .map(|column| Filled::of(policy, column, fields, &rows, language))
                .collect(),
            rows,
            is_french: language.is_french(),
            words: language.words(),
        })
    }

    /// One entry a cell, for scripts.
    pub fn to_json(&self) -> Value {
        let mut entries = Vec::new();
        for column in &self.columns {
            for (row, cell) in self.rows.iter().zip(&column.cells) {
                let mut entry = json!({
                    "role": column.role,
                    "purpose": column.purpose,
                    "strength": column.strength,
                    "category": row.category(),
                    "level": cell.level,
                    "matched": cell.usable.as_str(),
                    "written": written(&cell.writable),
                    "by": cell.by,
                    "when": notes::shades_json(&cell.shades),
                });
                if self.module.is_some() {
                    entry["field"] = row.name.clone().into();
                }
                entries.push(entry);
            }
            entries.extend(notes::kept_json(column));
        }
        Value::from(entries)
    }

    /// One line a cell (RFC 4180).
    pub fn to_csv(&self) -> String {
        let mut lines = vec![csv_line(&[
            "role", "purpose", "strength", "field", "category", "level", "matched", "written",
            "by", "when",
        ])];
        for column in &self.columns {
            for (row, cell) in self.rows.iter().zip(&column.cells) {
                let field = self.module.as_ref().map_or("", |_| row.name.as_str());
                lines.push(csv_line(&[
                    &column.role,
                    &column.purpose,
                    column.strength.as_deref().unwrap_or_default(),
                    field,
                    &row.category().unwrap_or_default(),
                    cell.level.as_str(),
                    cell.usable.as_str(),
                    &written(&cell.writable),
                    &cell.by.join(" "),
                    &notes::told(&cell.shades, self.words, false).unwrap_or_default(),
                ]));
            }
            lines.extend(notes::kept_lines(column));
        }
        lines.concat()
    }

    /// A table for a terminal of some width, in blocks.
    pub fn to_table(&self, width: usize) -> String {
        let names = self.names();
        let first = names
            .iter()
            .map(|name| name.chars().count())
            .max()
            .unwrap_or(0);
        let columns = self.told();
        let mut text = String::new();
        let mut from = 0;
        while from < columns.len() {
            let mut used = first;
            let block: Vec<&(&Filled, String)> = columns[from..]
                .iter()
                .take_while(|(column, purpose)| {
                    used += 2 + self.column_width(column, purpose);
                    used <= width
                })
                .collect();
            // At least one, however narrow the terminal is.
            let block: Vec<&(&Filled, String)> = match block.is_empty() {
                true => columns[from..].iter().take(1).collect(),
                false => block,
            };
            from += block.len();
            if !text.is_empty() {
                text.push('\n');
            }
            self.block(&mut text, &names, first, &block);
        }
        text.push_str(&self.legend());
        text
    }

    fn block(
        &self,
        text: &mut String,
        names: &[String],
        first: usize,
        block: &[&(&Filled, String)],
    ) {
        let mut line = |head: &str, cells: &mut dyn Iterator<Item = &str>| {
            let mut line = format!("{head:first$}");
            for ((column, purpose), cell) in block.iter().zip(cells) {
                let width = self.column_width(column, purpose);
                line.push_str(&format!("  {cell:width$}"));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        };
        line(
            "",
            &mut block.iter().map(|(column, _)| column.role.as_str()),
        );
        line("", &mut block.iter().map(|(_, purpose)| purpose.as_str()));
        for (at, name) in names.iter().enumerate() {
            let cells = block.iter().map(|(column, _)| column.cells.get(at));
            let words: Vec<String> = cells
                .map(|cell| cell.map_or(String::new(), |cell| self.cell(cell)))
                .collect();
            line(name, &mut words.iter().map(String::as_str));
        }
    }

    fn column_width(&self, column: &Filled, purpose: &str) -> usize {
        let levels = Level::ALL.map(|level| self.words.level(level).chars().count());
        let cells = column.cells.iter();
        let cells = cells.map(|cell| self.cell(cell).chars().count());
        let heads = [column.role.chars().count(), purpose.chars().count()];
        levels
            .into_iter()
            .chain(heads)
            .chain(cells)
            .max()
            .unwrap_or(0)
    }

    /// A table of Markdown.
    pub fn to_markdown(&self) -> String {
        let columns = self.told();
        let escaped = escaped_markdown;
        let mut text = String::from("|  |");
        for (column, purpose) in &columns {
            text.push_str(&format!(
                " {}<br>{} |",
                escaped(&column.role),
                escaped(purpose)
            ));
        }
        text.push_str("\n|---|");
        text.push_str(&"---|".repeat(columns.len()));
        text.push('\n');
        for (at, name) in self.names().iter().enumerate() {
            text.push_str(&format!("| {} |", escaped(name)));
            for (column, _) in &columns {
                let level = column.cells.get(at).map(|cell| self.cell(cell));
                text.push_str(&format!(" {} |", escaped(&level.unwrap_or_default())));
            }
            text.push('\n');
        }
        let legend = escaped(&self.legend());
        text.push_str(&format!(
            "\n{}",
            legend.lines().collect::<Vec<_>>().join("  \n")
        ));
        text.push('\n');
        text
    }

    /// A page of its own, that prints well.
    pub fn to_html(&self) -> String {
        page::page(self)
    }

    /// The rows' labels where they are told, else their names.
    fn names(&self) -> Vec<String> {
        let rows = self.rows.iter().zip(&self.labels);
        rows.map(
            |(row, label)| match label.as_ref().filter(|_| self.words.uses_labels) {
                Some(label) => label.clone(),
                None => row.name.clone(),
            },
        )
        .collect()
    }

    /// The columns that tell something: with a strength only those that show something else than without.
    fn told(&self) -> Vec<(&Filled, String)> {
        let told: Vec<&Filled> = self
            .columns
            .iter()
            .filter(|column| {
                let plain = self.columns.iter().find(|other| {
                    other.strength.is_none()
                        && (&other.role, &other.purpose) == (&column.role, &column.purpose)
                });
                column.strength.is_none()
                    || plain.is_none_or(|plain| plain.levels() != column.levels())
            })
            .collect();
        let is_one = self.strengths(&told).len() == 1;
        told.into_iter()
            .map(|column| {
                let purpose = &column.purpose;
                let head = match &column.strength {
                    None => purpose.clone(),
                    Some(_) if is_one => format!("{purpose}+"),
                    Some(strength) => format!("{purpose}+{strength}"),
                };
                (column, head)
            })
            .collect()
    }

    fn strengths<'a>(&self, columns: &[&'a Filled]) -> BTreeSet<&'a str> {
        let strengths = columns
            .iter()
            .filter_map(|column| column.strength.as_deref());
        strengths.collect()
    }

    /// What stands below a table.
    fn legend(&self) -> String {
        let told = self.told();
        let columns: Vec<&Filled> = told.iter().map(|(column, _)| *column).collect();
        let strengths: Vec<&str> = self.strengths(&columns).into_iter().collect();
        let mut text = String::new();
        if !strengths.is_empty() {
            text.push_str(&format!(
                "+ {}: {}\n",
                self.words.strengths,
                strengths.join(", ")
            ));
        }
        for note in self.notes() {
            text.push_str(&format!("{note}\n"));
        }
        let unclassified = self.words.level(self.unclassified);
        text.push_str(&format!("{}: {unclassified}\n", self.words.unclassified));
        text.push_str(&format!(
            "{} `{}`, {}\n",
            self.words.policy, self.policy, self.hash
        ));
        text
    }
}

impl Row {
    fn of_category(category: &Category) -> Self {
        Self {
            name: category.to_string(),
            categories: vec![category.clone()],
        }
    }

    /// The categories by name; `None` if nobody has classified it.
    fn category(&self) -> Option<String> {
        let names: Vec<&str> = self.categories.iter().map(Category::as_str).collect();
        (!names.is_empty()).then(|| names.join("+"))
    }
}

impl Filled {
    fn of(
        policy: &Policy,
        column: &Column,
        fields: Option<&Module>,
        rows: &[Row],
        language: Language,
    ) -> Self {
        let cell = |row: &Row| match (fields, row.categories.first()) {
            (Some(module), _) => {
                let field = crate::vocabulary::Field::fold(&row.name);
                let rule = column.sight.rule(module, &field);
                let shades = match column.sight.least_of(module, &field) == rule.level {
                    true => Vec::new(),
                    false => policy.shades(&column.state, &row.categories, Some(module)),
                };
                Cell::of_field(&rule, shades)
            }
            (None, Some(category)) => {
                let given = column.sight.category(category);
                let shades = match given.least == given.level {
                    true => Vec::new(),
                    false => policy.shades(&column.state, std::slice::from_ref(category), None),
                };
                Cell::of_category(&given, shades)
            }
            // Rows of categories have one.
            (None, None) => Cell::nothing(),
        };
        let label = policy.label_of_purpose(&column.purpose, language.is_french());
        Self {
            role: column.role.to_string(),
            purpose: column.purpose.to_string(),
            purpose_label: label.map(str::to_owned),
            strength: column.strength.clone(),
            cells: rows.iter().map(cell).collect(),
            kept: policy
                .kept(&column.state)
                .into_iter()
                .filter(|kept| fields.is_none_or(|module| *module == kept.module))
                .collect(),
        }
    }

    fn levels(&self) -> Vec<(Level, &[Shade])> {
        let cells = self.cells.iter();
        cells
            .map(|cell| (cell.level, cell.shades.as_slice()))
            .collect()
    }
}

impl Cell {
    fn of_category(given: &Given, shades: Vec<Shade>) -> Self {
        Self {
            level: given.level,
            usable: given.usable,
            writable: given.writable.clone(),
            by: given.by.iter().map(ToString::to_string).collect(),
            shades,
        }
    }

    fn of_field(rule: &FieldRule, shades: Vec<Shade>) -> Self {
        Self {
            level: rule.level,
            usable: rule.usable,
            writable: rule.writable.clone(),
            by: rule.by.iter().map(ToString::to_string).collect(),
            shades,
        }
    }

    fn nothing() -> Self {
        Self {
            level: Level::Hide,
            usable: Usable::No,
            writable: Writable::No,
            by: Vec::new(),
            shades: Vec::new(),
        }
    }
}

/// The categories that are asked for; each must be one, or have some below it.
fn only_known(policy: &Policy, only: &[String]) -> Result<Vec<Category>, Unknown> {
    let only: Vec<Category> = only.iter().map(|name| Category::new(name)).collect();
    for wanted in &only {
        if !policy.categories().any(|category| wanted.covers(category)) {
            let known = policy.categories().map(Category::as_str);
            return Err(unknown("category", wanted.as_str(), known));
        }
    }
    Ok(only)
}

/// The fields of a module that hold data.
fn of_module(policy: &Policy, module: &Module, columns: &[Column]) -> Result<Vec<Row>, Unknown> {
    if !policy.knows(module) {
        let known = policy.modules().map(Module::as_str);
        return Err(unknown("module", module.as_str(), known));
    }
    let Some(column) = columns.first() else {
        return Ok(Vec::new());
    };
    let rules = policy
        .fields(module)
        .into_iter()
        .map(|field| column.sight.rule(module, &field));
    Ok(rules
        .filter(|rule| !rule.structural)
        .map(|rule| Row {
            name: rule.field.to_string(),
            categories: rule.categories,
        })
        .collect())
}

fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Unknown {
    let hint = nearest(name, known).map(|near| format!("; did you mean `{near}`?"));
    Unknown(format!(
        "the policy has no {what} `{name}`{}",
        hint.unwrap_or_default()
    ))
}

/// What may be written, in a word.
fn written(writable: &Writable) -> String {
    match writable {
        Writable::No => "no".to_owned(),
        Writable::Yes => "yes".to_owned(),
        Writable::Valid(kind) => format!("valid {}", kind.as_str()),
    }
}

/// A line of cells. A cell that a spreadsheet would compute is marked as text.
pub fn csv_line(cells: &[&str]) -> String {
    let cell = |cell: &&str| {
        let text = crate::spreadsheet::harmless(cell);
        match text.contains([',', ';', '"', '\n', '\r', '\t', '\'']) {
            true => format!("\"{}\"", text.replace('"', "\"\"")),
            false => text,
        }
    };
    let cells: Vec<String> = cells.iter().map(cell).collect();
    cells.join(",") + "\r\n"
}

/// A text that means nothing in Markdown. An underscore within a word does not.
fn escaped_markdown(text: &str) -> String {
    let mut escaped = String::new();
    let mut letters = text.chars().peekable();
    let mut is_in_word = false;
    while let Some(letter) = letters.next() {
        let goes_on = letters.peek().is_some_and(|next| next.is_alphanumeric());
        let means_something = match letter {
            '_' => !(is_in_word && goes_on),
            '\\' | '|' | '<' | '>' | '`' | '*' | '[' | ']' | '~' | '&' | '!' | '#' => true,
            _ => false,
        };
        if means_something {
            escaped.push('\\');
        }
        escaped.push(letter);
        is_in_word = letter.is_alphanumeric();
    }
    escaped
}

#[cfg(test)]
mod tests;
