//! The records and their relations.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Fault;
use super::chance::Chance;
use super::schema::{Link, Module, Via};

/// What is stored of a record: its own columns, no more.
pub(super) type Row = Map<String, Value>;

/// How many records a module may hold: the demo runs in memory.
const ROWS_MAX: usize = 10_000;

/// Everything that the CRM remembers.
pub(super) struct Store {
    rows: BTreeMap<&'static str, BTreeMap<String, Row>>,
    pairs: BTreeMap<&'static str, BTreeSet<(String, String)>>,
    favorites: BTreeSet<(String, String)>,
    following: BTreeSet<(String, String)>,
    viewed: BTreeMap<(String, String), Timestamp>,
    chance: Chance,
}

/// A mark that a user puts on a record.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mark {
    Favorite,
    Following,
}

/// The text of a column; blank if there is none.
pub(super) fn text<'a>(row: &'a Row, column: &str) -> &'a str {
    row.get(column).and_then(Value::as_str).unwrap_or_default()
}

/// A point in time as the CRM writes it.
pub(super) fn stamp(at: Timestamp) -> Value {
    json!(at.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string())
}

impl Store {
    pub(super) fn new(chance: Chance) -> Self {
        Self {
            rows: BTreeMap::new(),
            pairs: BTreeMap::new(),
            favorites: BTreeSet::new(),
            following: BTreeSet::new(),
            viewed: BTreeMap::new(),
            chance,
        }
    }

    pub(super) fn new_id(&mut self) -> String {
        self.chance.uuid()
    }

    pub(super) fn row(&self, module: &str, id: &str) -> Option<&Row> {
        self.rows.get(module)?.get(id)
    }

    pub(super) fn found(&self, module: &Module, id: &str) -> Result<&Row, Fault> {
        self.row(module.name, id).ok_or_else(|| {
            let text = format!("Could not find record: {id} in module: {}", module.name);
            Fault::new(404, "not_found", text)
        })
    }

    pub(super) fn rows(&self, module: &Module) -> Vec<&Row> {
        self.rows
            .get(module.name)
            .into_iter()
            .flat_map(BTreeMap::values)
            .collect()
    }

    /// Keeps a row under the id it holds.
    pub(super) fn put(&mut self, module: &Module, row: Row) -> Result<(), Fault> {
        let rows = self.rows.entry(module.name).or_default();
        let id = text(&row, "id").to_owned();
        if rows.len() >= ROWS_MAX && !rows.contains_key(&id) {
            return Err(Fault::new(500, "fatal_error", "The demo CRM is full."));
        }
        rows.insert(id, row);
        Ok(())
    }

    /// Removes a record and its relations.
    pub(super) fn remove(&mut self, module: &Module, id: &str) {
        self.rows
            .get_mut(module.name)
            .and_then(|rows| rows.remove(id));
        for pairs in self.pairs.values_mut() {
            pairs.retain(|(left, right)| left != id && right != id);
        }
        self.favorites.retain(|(_, of)| of != id);
        self.following.retain(|(_, of)| of != id);
        self.viewed.retain(|(_, of), _| of != id);
    }

    pub(super) fn mark(&mut self, mark: Mark, user: &str, id: &str, is_set: bool) {
        let marks = match mark {
            Mark::Favorite => &mut self.favorites,
            Mark::Following => &mut self.following,
        };
        let key = (user.to_owned(), id.to_owned());
        if is_set {
            marks.insert(key);
        } else {
            marks.remove(&key);
        }
    }

    pub(super) fn is_marked(&self, mark: Mark, user: &str, id: &str) -> bool {
        let marks = match mark {
            Mark::Favorite => &self.favorites,
            Mark::Following => &self.following,
        };
        marks.contains(&(user.to_owned(), id.to_owned()))
    }

    /// Remembers that a user opened a record.
    pub(super) fn saw(&mut self, user: &str, id: &str, at: Timestamp) {
        self.viewed.insert((user.to_owned(), id.to_owned()), at);
    }

    pub(super) fn last_seen(&self, user: &str, id: &str) -> Option<Timestamp> {
        self.viewed.get(&(user.to_owned(), id.to_owned())).copied()
    }

    /// The records that a link leads to.
    pub(super) fn linked(&self, row: &Row, link: &Link) -> Vec<&Row> {
        let id = text(row, "id");
        let one = |id: &str| self.row(link.target, id).into_iter().collect();
        let those = |holds: &dyn Fn(&Row) -> bool| {
            self.rows
                .get(link.target)
                .into_iter()
                .flat_map(BTreeMap::values)
                .filter(|row| holds(row))
                .collect()
        };
        match link.via {
            Via::Own(column) => one(text(row, column)),
            Via::OwnParent if text(row, "parent_type") == link.target => {
                one(text(row, "parent_id"))
            }
            Via::OwnParent => Vec::new(),
            Via::Theirs(column) => those(&|row| text(row, column) == id),
            Via::TheirParent => those(&|row| {
                text(row, "parent_type") == link.module && text(row, "parent_id") == id
            }),
            Via::Left(name) => self
                .pairs(name)
                .filter(|(left, _)| left == id)
                .filter_map(|(_, right)| self.row(link.target, right))
                .collect(),
            Via::Right(name) => self
                .pairs(name)
                .filter(|(_, right)| right == id)
                .filter_map(|(left, _)| self.row(link.target, left))
                .collect(),
        }
    }

    fn pairs(&self, name: &str) -> impl Iterator<Item = &(String, String)> {
        self.pairs.get(name).into_iter().flatten()
    }

    /// Makes a relation, or ends it. Both records exist.
    pub(super) fn relate(&mut self, link: &Link, own: &str, theirs: &str, is_set: bool) {
        let or_blank = |id: &str| json!(if is_set { id } else { "" });
        match link.via {
            Via::Own(column) => self.set(link.module, own, column, or_blank(theirs)),
            Via::Theirs(column) => self.set(link.target, theirs, column, or_blank(own)),
            Via::OwnParent => {
                self.set(link.module, own, "parent_type", or_blank(link.target));
                self.set(link.module, own, "parent_id", or_blank(theirs));
            }
            Via::TheirParent => {
                self.set(link.target, theirs, "parent_type", or_blank(link.module));
                self.set(link.target, theirs, "parent_id", or_blank(own));
            }
            Via::Left(name) => self.pair(name, own, theirs, is_set),
            Via::Right(name) => self.pair(name, theirs, own, is_set),
        }
    }

    fn pair(&mut self, name: &'static str, left: &str, right: &str, is_set: bool) {
        let pairs = self.pairs.entry(name).or_default();
        let pair = (left.to_owned(), right.to_owned());
        if is_set {
            pairs.insert(pair);
        } else {
            pairs.remove(&pair);
        }
    }

    fn set(&mut self, module: &str, id: &str, column: &str, value: Value) {
        if let Some(row) = self.rows.get_mut(module).and_then(|rows| rows.get_mut(id)) {
            row.insert(column.to_owned(), value);
        }
    }
}
