//! Reads where records and other parts lie in the reply of a route, and which keys pass there unread.

use super::Reader;
use crate::diagnostic::{Diagnostic, Keys, Spanned, quoted};
use crate::dialect::Step;
use crate::dialect::engine::codes;
use crate::dialect::engine::description::Passed;
use crate::dialect::engine::jsonpath::{self, Mark, Marked, Tree, Whose};
use crate::vocabulary::{Action, intern};

impl Reader<'_> {
    /// What passes beside records: scalars, of which those of lists count records, perhaps.
    fn passing<'k>(
        &mut self,
        keys: &'k Keys<'_>,
        action: Action,
        tree: &mut Tree,
        unread: &mut Vec<(Vec<Step>, Spanned<&'k str>)>,
    ) {
        let unknown = self.unknown_totals(keys);
        let counts = matches!(action, Action::List | Action::Count);
        for text in self.texts(keys, "pass") {
            let place = jsonpath::parse_place(text.value).ok();
            let is_beside = |place: &Vec<Step>| tree.record_around(place).is_none();
            let mark = match place.filter(|place| counts && is_beside(place)) {
                None => Mark::Scalar,
                Some(place) => {
                    let mut known = unknown.iter();
                    let known = known.find(|(known, _)| *known == place);
                    Mark::Count(known.map(|(_, says)| *says))
                }
            };
            let place = self.mark(tree, &text, mark);
            unread.extend(place.map(|place| (place, text)));
        }
    }

    /// Where records and other parts lie in the reply.
    pub(super) fn reply(
        &mut self,
        keys: &Keys<'_>,
        has_module: bool,
        action: Action,
        line: &Spanned<&str>,
    ) -> (Tree, Vec<Passed>) {
        let mut tree = Tree::default();
        let mut unread: Vec<(Vec<Step>, Spanned<&str>)> = Vec::new();
        let says = ["records", "related", "words", "pass", "opaque"]
            .iter()
            .any(|key| keys.get(key).is_some());
        if !says {
            let problem = Diagnostic::error(codes::NO_RECORDS, "this route does not say what passes in its reply")
                .at(&line.place, "nothing of the reply would pass")
                .help("name the place of its records with `records`, or write `pass: []` if nothing shall pass");
            self.found.push(problem);
        }
        self.records(keys, has_module, &mut tree);
        for (path, node) in self.entries(keys, "words") {
            let words = node.texts("the words at a place", self.found);
            let words = words.unwrap_or_default().into_iter();
            let path = Spanned {
                value: path.value.as_str(),
                place: path.place.clone(),
            };
            let words = words.map(|text| intern(text.value)).collect();
            self.mark(&mut tree, &path, Mark::Word(words));
        }
        self.passing(keys, action, &mut tree, &mut unread);
        for (key, mark) in [("opaque", Mark::Anything), ("drop", Mark::Dropped)] {
            for text in self.texts(keys, key) {
                if key == "opaque" {
                    let is_about_records = match action {
                        Action::Metadata => false,
                        Action::Other => has_module,
                        // Of what is compiled in, it is known that such a reply speaks of the caller.
                        Action::Read if self.native.is_some() => has_module,
                        _ => true,
                    };
                    if is_about_records {
                        self.records_in_opaque(keys, &text);
                    }
                }
                let place = self.mark(&mut tree, &text, mark.clone());
                if mark != Mark::Dropped {
                    unread.extend(place.map(|place| (place, text)));
                }
            }
        }
        for text in self.texts(keys, "needs") {
            if let Some(steps) = self.place(&text)
                && let Err(why) = tree.need(&steps)
            {
                let title = format!("{} cannot be needed", quoted(text.value));
                self.bad(codes::BAD_PATH, title, &text.place, why);
            }
        }
        tree.require();
        if tree.contradicts_itself() {
            self.bad(
                codes::BAD_PATH,
                "the places of this reply contradict each other",
                &line.place,
                "one says list or record where another says object",
            );
        }
        let says_where = keys.get("records").is_some();
        if !says_where {
            self.means_nothing(keys, &["of", "several", "named_by", "counted"]);
        } else if keys.get("under").is_none() {
            self.means_nothing(keys, &["named_by"]);
        }
        let unread = match action {
            // What they answer is no record.
            Action::Count | Action::Delete | Action::Relate | Action::Metadata => Vec::new(),
            _ => unread
                .iter()
                .filter_map(|(place, text)| passed(&tree, place, says_where, text))
                .collect(),
        };
        (tree, unread)
    }

    /// What stands in the place of a number that would count records that are not shown.
    fn unknown_totals(&mut self, keys: &Keys<'_>) -> Vec<(Vec<Step>, &'static str)> {
        let mut all = Vec::new();
        for (path, node) in self.entries(keys, "unknown_total") {
            let path = Spanned {
                value: path.value.as_str(),
                place: path.place.clone(),
            };
            let number = node.integer("a number that counts nothing", -9..=0, self.found);
            if let (Some(place), Some(number)) = (self.place(&path), number) {
                let passes = self.texts(keys, "pass").into_iter();
                if !passes.into_iter().any(|text| text.value == path.value) {
                    let title = format!("{} does not pass", quoted(path.value));
                    self.bad(
                        codes::NO_RECORDS,
                        title,
                        &path.place,
                        "it must be in `pass`",
                    );
                }
                all.push((place, intern(&number.to_string())));
            }
        }
        all
    }

    /// Where the records lie, and those of other modules.
    fn records(&mut self, keys: &Keys<'_>, has_module: bool, tree: &mut Tree) {
        if let Some(text) = self.text(keys, "records") {
            let of = self.text(keys, "of");
            let of = of.and_then(|text| self.module(text.value, &text.place));
            if !has_module && of.is_none() {
                self.bad(
                    codes::NO_RECORDS,
                    "records of which module?",
                    &text.place,
                    "the route needs `module`, or `{module}` in its path",
                );
            }
            let under = self.text(keys, "under");
            let under = under.and_then(|text| self.key(text.value, &text.place));
            let named_by = self.text(keys, "named_by");
            let marked = Marked {
                of,
                under,
                named_by: named_by.and_then(|text| self.key(text.value, &text.place)),
                beside: self.beside(keys),
                several: self.flag(keys, "several"),
                counted: keys.get("counted").is_none() || self.flag(keys, "counted"),
            };
            self.mark(tree, &text, Mark::Record(Box::new(marked)));
        }
        for (path, node) in self.entries(keys, "related") {
            let path = Spanned {
                value: path.value.as_str(),
                place: path.place.clone(),
            };
            let target = node.text("a module", self.found);
            let whose = target.and_then(|text| match text.value {
                "{module}" => Some(Whose::InPath),
                "{target}" => Some(Whose::Target),
                name => self.module(name, &text.place).map(Whose::Of),
            });
            if let Some(whose) = whose {
                self.mark(tree, &path, Mark::Related(whose));
            }
        }
    }

    /// Where scalars pass beside the fields of a record: under keys, or at places there.
    fn beside(&mut self, keys: &Keys<'_>) -> Tree {
        let mut tree = Tree::default();
        for text in self.texts(keys, "beside") {
            if text.value.starts_with('$') {
                self.mark(&mut tree, &text, Mark::Scalar);
            } else if let Some(key) = self.key(text.value, &text.place)
                && tree.mark(&[Step::Name(key)], Mark::Scalar).is_err()
            {
                let title = format!("{} has a meaning already", quoted(key));
                self.bad(codes::TWICE, title, &text.place, "named twice");
            }
        }
        tree
    }

    /// Where a route is about records, `opaque` must not be the way that they take past every rule.
    fn records_in_opaque(&mut self, keys: &Keys<'_>, text: &Spanned<&str>) {
        let says_where = keys.get("records").is_some();
        let is_all = jsonpath::parse_place(text.value).is_ok_and(|steps| steps.is_empty());
        if is_all || !says_where {
            let problem = Diagnostic::error(
                codes::NO_RECORDS,
                format!("{} would let records pass by every rule", quoted(text.value)),
            )
            .at(&text.place, "anything passes here")
            .help("name the place of the records with `records`, and below `opaque` only what holds none");
            self.found.push(problem);
        }
    }

    /// Marks a place, and returns it.
    fn mark(&mut self, tree: &mut Tree, text: &Spanned<&str>, mark: Mark) -> Option<Vec<Step>> {
        let steps = self.place(text)?;
        if steps.is_empty() && mark == Mark::Dropped {
            self.bad(
                codes::BAD_PATH,
                "the whole reply cannot be dropped",
                &text.place,
                "write `pass: []`",
            );
        } else if let Err(why) = tree.mark(&steps, mark) {
            self.bad(
                codes::BAD_PATH,
                format!(
                    "{} contradicts another place of this reply",
                    quoted(text.value)
                ),
                &text.place,
                why,
            );
        }
        Some(steps)
    }
}

/// The keys that pass unread at a place, if what lies there may belong to a record: within one, in a list beside the
/// records, or anywhere in a reply that names none. A number beside a list of records counts them.
fn passed(tree: &Tree, place: &[Step], says_where: bool, text: &Spanned<&str>) -> Option<Passed> {
    let (of, within) = match tree.record_around(place) {
        Some((Mark::Related(Whose::Of(module)), within)) => (Some(module.clone()), within),
        Some((_, within)) => (None, within),
        None if says_where && place.iter().all(|step| matches!(step, Step::Name(_))) => {
            return None;
        }
        None => (None, place),
    };
    let name = |step: &Step| match step {
        Step::Name(name) => Some(*name),
        _ => None,
    };
    Some(Passed {
        of,
        keys: within.iter().filter_map(name).collect(),
        place: text.place.clone(),
    })
}
