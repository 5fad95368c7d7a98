//! What a list request asks for: which records, how much of them, in which order.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use super::Fault;
use super::compare::{self, Operator};
use super::record::{View, flag};
use super::schema::{self, Field, Kind, Link, Module};
use super::store::{Mark, Row, text};

/// Rows of a page if nothing is said, and at most.
const PAGE_ROWS: usize = 20;
const PAGE_ROWS_MAX: usize = 1_000;
/// How deep filters may nest.
const DEPTH_MAX: usize = 8;
/// How deep collections may nest: each level multiplies the rows.
const COLLECTIONS_DEPTH_MAX: usize = 2;

/// A list request, read.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) fields: Option<Vec<Item>>,
    filter: Vec<Test>,
    order: Vec<(&'static Field, bool)>,
    rows_max: usize,
    /// `None` is the end.
    offset: Option<usize>,
    search: String,
    my_items: bool,
    favorites: bool,
}

/// One item of a projection.
#[derive(Debug)]
pub(super) enum Item {
    Field(&'static Field),
    Collection { link: &'static Link, ask: Box<Ask> },
}

#[derive(Debug)]
enum Test {
    All(Vec<Self>),
    Any(Vec<Self>),
    Field {
        link: Option<&'static Link>,
        field: &'static Field,
        operator: Operator,
        operand: Value,
    },
    /// About the caller: the word, and the linked records that it asks about.
    Caller {
        word: Word,
        link: Option<&'static Link>,
    },
    /// Opened by the caller in the last days.
    Tracked {
        days: i64,
    },
}

#[derive(Clone, Copy, Debug)]
enum Word {
    Owner,
    Creator,
    Favorite,
    Following,
}

impl Item {
    /// The fields that come with this item: a name brings the id and the link that it comes from.
    pub(super) fn names(&self, module: &Module) -> Vec<&'static str> {
        match self {
            Self::Collection { .. } => Vec::new(),
            Self::Field(field) => match field.kind {
                Kind::NameOf(via) => match module.link(via).map(|link| link.via) {
                    Some(schema::Via::Own(column)) => vec![field.name, column, via],
                    _ => vec![field.name, via],
                },
                Kind::ParentName => vec![field.name, "parent_type", "parent_id"],
                _ => vec![field.name],
            },
        }
    }
}

impl Ask {
    /// Reads the arguments of a list request.
    pub(super) fn read(module: &Module, arguments: &Map<String, Value>) -> Result<Self, Fault> {
        Self::read_at(module, arguments, 0)
    }

    fn read_at(
        module: &Module,
        arguments: &Map<String, Value>,
        depth: usize,
    ) -> Result<Self, Fault> {
        let number = |name: &str, otherwise: usize| match arguments.get(name) {
            None | Some(Value::Null) => Ok(otherwise),
            Some(value) => {
                let said = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                // A negative number is PHP's way to say "no limit".
                said.parse::<i64>()
                    .map(|n| usize::try_from(n).unwrap_or(usize::MAX))
                    .map_err(|_| Fault::invalid(format!("Invalid value for {name}: {said}")))
            }
        };
        let is_set = |name: &str| arguments.get(name).and_then(flag).unwrap_or(false);
        let search = arguments
            .get("q")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let filter = match arguments.get("filter") {
            None | Some(Value::Null) => Vec::new(),
            Some(_) if !search.is_empty() => {
                return Err(Fault::invalid("q cannot be combined with filter"));
            }
            Some(value) => tests(module, &unquoted(value)?, depth)?,
        };
        let is_end = arguments
            .get("offset")
            .is_some_and(|value| value == "end" || value == &json!(-1) || value == "-1");
        Ok(Self {
            fields: projection(module, arguments, depth)?,
            filter,
            order: order(
                module,
                arguments
                    .get("order_by")
                    .and_then(Value::as_str)
                    .unwrap_or_default(),
            )?,
            rows_max: number("max_num", PAGE_ROWS)?.min(PAGE_ROWS_MAX),
            offset: if is_end {
                None
            } else {
                Some(number("offset", 0)?)
            },
            search: search.to_lowercase(),
            my_items: is_set("my_items"),
            favorites: is_set("favorites"),
        })
    }
}

/// Reads `fields`: names with commas, a list, or a list as JSON text. `None` is the whole record.
pub(super) fn projection(
    module: &Module,
    arguments: &Map<String, Value>,
    depth: usize,
) -> Result<Option<Vec<Item>>, Fault> {
    let list = match arguments.get("fields").map(unquoted).transpose()? {
        Some(Value::Array(list)) => list,
        Some(Value::String(names)) => names.split(',').map(|name| json!(name.trim())).collect(),
        _ => return Ok(None),
    };
    let mut items = Vec::new();
    for item in &list {
        let (name, inner) = match item {
            Value::Object(inner) => (
                inner
                    .get("name")
                    .and_then(Value::as_str)
                    .unwrap_or_default(),
                inner.clone(),
            ),
            other => (other.as_str().unwrap_or_default(), Map::new()),
        };
        // A link to one record is a field too; as an object, its records are asked for.
        let field = module
            .field(name)
            .filter(|_| !item.is_object() || module.link(name).is_none());
        if let Some(field) = field {
            items.push(Item::Field(field));
        } else if let Some(link) = module.link(name)
            && let Some(target) = schema::module(link.target)
            && depth < COLLECTIONS_DEPTH_MAX
        {
            let ask = Box::new(Ask::read_at(target, &inner, depth + 1)?);
            items.push(Item::Collection { link, ask });
        }
        // Names that the module does not have are ignored.
    }
    Ok(if items.is_empty() && list.iter().all(|item| item == "") {
        None
    } else {
        Some(items)
    })
}

/// A list or object may come as JSON text.
fn unquoted(value: &Value) -> Result<Value, Fault> {
    match value {
        Value::String(text) if text.starts_with(['[', '{']) => {
            serde_json::from_str(text).map_err(|_| Fault::invalid(format!("Invalid JSON: {text}")))
        }
        other => Ok(other.clone()),
    }
}

fn order(module: &Module, said: &str) -> Result<Vec<(&'static Field, bool)>, Fault> {
    let mut keys = Vec::new();
    for key in said.split(',').filter(|key| !key.is_empty()) {
        let (name, direction) = key.split_once(':').unwrap_or((key, "asc"));
        let field = module.field(name.trim()).ok_or_else(|| {
            Fault::new(
                403,
                "not_authorized",
                format!("Cannot sort by {name} in module: {}", module.name),
            )
        })?;
        keys.push((field, direction.eq_ignore_ascii_case("desc")));
    }
    Ok(keys)
}

/// Reads a list of expressions; each key of each object is one test.
fn tests(module: &Module, value: &Value, depth: usize) -> Result<Vec<Test>, Fault> {
    let list = match value {
        Value::Array(list) => list.as_slice(),
        Value::Object(_) => std::slice::from_ref(value),
        Value::String(blank) if blank.is_empty() => &[],
        other => return Err(Fault::invalid(format!("Invalid filter: {other}"))),
    };
    if depth > DEPTH_MAX {
        return Err(Fault::invalid("The filter is nested too deeply"));
    }
    let mut all = Vec::new();
    for one in list {
        let Value::Object(members) = one else {
            return Err(Fault::invalid(format!("Invalid filter: {one}")));
        };
        for (key, value) in members {
            test(module, key, value, depth, &mut all)?;
        }
    }
    Ok(all)
}

fn test(
    module: &Module,
    key: &str,
    value: &Value,
    depth: usize,
    into: &mut Vec<Test>,
) -> Result<(), Fault> {
    let word = match key {
        "$and" => return tests(module, value, depth + 1).map(|inner| into.push(Test::All(inner))),
        "$or" => {
            // Keys of one object belong together, objects of the list are alternatives.
            let alternatives = match value {
                Value::Array(list) => list.as_slice(),
                one => std::slice::from_ref(one),
            };
            let inner: Result<Vec<Test>, Fault> = alternatives
                .iter()
                .map(|one| tests(module, one, depth + 1).map(Test::All))
                .collect();
            into.push(Test::Any(inner?));
            return Ok(());
        }
        "$tracker" => {
            let days = value
                .as_str()
                .and_then(|span| span.trim_start_matches('-').split(' ').next()?.parse().ok());
            let days = days.ok_or_else(|| Fault::invalid(format!("Invalid interval: {value}")))?;
            into.push(Test::Tracked { days });
            return Ok(());
        }
        "$owner" => Word::Owner,
        "$creator" => Word::Creator,
        "$favorite" => Word::Favorite,
        "$following" => Word::Following,
        field => return field_tests(module, field, value, into),
    };
    let link = match value.as_str().unwrap_or_default() {
        "" | "_this" => None,
        name => Some(
            module
                .link(name)
                .ok_or_else(|| Fault::invalid(format!("Invalid link: {name}")))?,
        ),
    };
    into.push(Test::Caller { word, link });
    Ok(())
}

fn field_tests(
    module: &Module,
    key: &str,
    value: &Value,
    into: &mut Vec<Test>,
) -> Result<(), Fault> {
    let unknown = || Fault::invalid(format!("Invalid field: {key} with value: {value}"));
    if key.starts_with('$') {
        return Err(Fault::invalid(format!(
            "Did not recognize the operand: {key}"
        )));
    }
    let (link, field) = match key.split_once('.') {
        Some((link, name)) => {
            let link = module.link(link).ok_or_else(unknown)?;
            (
                Some(link),
                schema::module(link.target).and_then(|target| target.field(name)),
            )
        }
        None => (None, module.field(key)),
    };
    let field = field.ok_or_else(unknown)?;
    let mut push = |operator, operand: &Value| {
        into.push(Test::Field {
            link,
            field,
            operator,
            operand: operand.clone(),
        })
    };
    match value {
        Value::Object(operators) => {
            for (word, operand) in operators {
                let operator = Operator::read(word).ok_or_else(|| {
                    Fault::invalid(format!("Did not recognize the operand: {word}"))
                })?;
                push(operator, operand);
            }
        }
        Value::Array(_) => push(Operator::In, value),
        _ => push(Operator::Equals, value),
    }
    Ok(())
}

impl View<'_> {
    /// A page of records that an [`Ask`] asks for, out of these.
    pub(super) fn list(&self, module: &Module, rows: Vec<&Row>, ask: &Ask) -> Value {
        let mut rows = self.matching(module, rows, ask);
        self.sort(module, &mut rows, &ask.order);
        let start = ask.offset.unwrap_or(rows.len()).min(rows.len());
        let end = start.saturating_add(ask.rows_max).min(rows.len());
        let next = if end < rows.len() {
            json!(end)
        } else {
            json!(-1)
        };
        let records: Vec<Value> = rows[start..end]
            .iter()
            .map(|row| self.record(module, row, ask.fields.as_deref()))
            .collect();
        json!({"next_offset": next, "records": records})
    }

    /// How many records an [`Ask`] asks for, out of these.
    pub(super) fn count(&self, module: &Module, rows: Vec<&Row>, ask: &Ask) -> usize {
        self.matching(module, rows, ask).len()
    }

    fn matching<'r>(&self, module: &Module, mut rows: Vec<&'r Row>, ask: &Ask) -> Vec<&'r Row> {
        rows.retain(|row| {
            (!ask.my_items || text(row, "assigned_user_id") == self.user)
                && (!ask.favorites
                    || self
                        .store
                        .is_marked(Mark::Favorite, self.user, text(row, "id")))
                && (ask.search.is_empty() || self.is_found(module, row, &ask.search))
                && ask.filter.iter().all(|test| self.holds(module, row, test))
        });
        rows
    }

    /// Whether each word of the search begins a word of a searched field.
    fn is_found(&self, module: &Module, row: &Row, search: &str) -> bool {
        let texts: Vec<String> = module
            .searched
            .iter()
            .filter_map(|name| module.field(name))
            .flat_map(|field| compare::texts(&self.value(module, row, field)))
            .map(|text| text.to_lowercase())
            .collect();
        search.split_whitespace().all(|word| {
            texts.iter().any(|text| {
                text.starts_with(word)
                    || text
                        .split([' ', '-', '\'', '.', '@'])
                        .any(|part| part.starts_with(word))
            })
        })
    }

    fn holds(&self, module: &Module, row: &Row, test: &Test) -> bool {
        match test {
            Test::All(tests) => tests.iter().all(|test| self.holds(module, row, test)),
            Test::Any(tests) => tests.iter().any(|test| self.holds(module, row, test)),
            Test::Field {
                link: None,
                field,
                operator,
                operand,
            } => operator.holds(&self.value(module, row, field), operand, self.today()),
            Test::Field {
                link: Some(link),
                field,
                operator,
                operand,
            } => schema::module(link.target).is_some_and(|target| {
                self.store.linked(row, link).into_iter().any(|row| {
                    operator.holds(&self.value(target, row, field), operand, self.today())
                })
            }),
            Test::Caller { word, link: None } => self.concerns(row, *word),
            Test::Caller {
                word,
                link: Some(link),
            } => self
                .store
                .linked(row, link)
                .into_iter()
                .any(|row| self.concerns(row, *word)),
            Test::Tracked { days } => self
                .store
                .last_seen(self.user, text(row, "id"))
                .is_some_and(|seen| {
                    self.now.as_second() - seen.as_second() <= days.saturating_mul(86_400)
                }),
        }
    }

    fn concerns(&self, row: &Row, word: Word) -> bool {
        match word {
            Word::Owner => text(row, "assigned_user_id") == self.user,
            Word::Creator => text(row, "created_by") == self.user,
            Word::Favorite => self
                .store
                .is_marked(Mark::Favorite, self.user, text(row, "id")),
            Word::Following => self
                .store
                .is_marked(Mark::Following, self.user, text(row, "id")),
        }
    }

    fn today(&self) -> jiff::civil::Date {
        self.now.to_zoned(jiff::tz::TimeZone::UTC).date()
    }

    /// Sorts by these keys, else the last changed first; ties by id, so that pages fit together.
    fn sort(&self, module: &Module, rows: &mut Vec<&Row>, order: &[(&'static Field, bool)]) {
        let changed = module.field("date_modified").map(|field| (field, true));
        let order: Vec<(&Field, bool)> = if order.is_empty() {
            changed.into_iter().collect()
        } else {
            order.to_vec()
        };
        let mut keyed: Vec<(Vec<String>, &Row)> = rows
            .iter()
            .map(|row| {
                let key = |(field, _): &(&Field, bool)| {
                    compare::texts(&self.value(module, row, field))
                        .into_iter()
                        .next()
                        .unwrap_or_default()
                };
                (order.iter().map(key).collect(), *row)
            })
            .collect();
        keyed.sort_by(|(left, left_row), (right, right_row)| {
            let by_key = left
                .iter()
                .zip(right)
                .zip(&order)
                .map(|((left, right), (_, is_down))| {
                    let ordering = compare::order(left, right);
                    if *is_down {
                        ordering.reverse()
                    } else {
                        ordering
                    }
                });
            by_key
                .fold(Ordering::Equal, Ordering::then)
                .then_with(|| text(left_row, "id").cmp(text(right_row, "id")))
        });
        *rows = keyed.into_iter().map(|(_, row)| row).collect();
    }
}
