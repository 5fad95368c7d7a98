//! Reads what must come of a case. What could never fail, or never hold, is a mistake.

use serde_json::Value;

use crate::diagnostic::{Diagnostic, Keys, Node, NodeKind, Place, Spanned, quoted};
use crate::vocabulary::{Field, Level};

use super::super::super::bench::Ask;
use super::super::{Expect, codes};
use super::cases::{is_blank, plain};
use super::{Kept, Reader};

/// That a record is not there.
const ABSENT: &str = "absent";

impl Reader<'_> {
    pub(super) fn expectation(
        &mut self,
        keys: &Keys<'_>,
        refusal: Option<&Node>,
        ask: Option<&Ask>,
    ) -> Expect {
        let mut expect = Expect::default();
        if let Some(node) = refusal {
            expect.refused = self.reason(node);
            self.refused_alone(keys);
        } else if let Some(node) = keys.get("expect") {
            for (name, node) in node.map("`expect`", self.found).unwrap_or_default() {
                if name.value == ABSENT {
                    expect.absent = node.boolean("`absent`", self.found) == Some(true);
                    continue;
                }
                if let Some(level) = node.choice("level", Level::NAMED, self.found) {
                    let place = name.place.clone();
                    let level = Spanned {
                        value: level,
                        place,
                    };
                    expect.levels.insert(name.value.clone(), level);
                }
            }
        }
        if let Some(node) = keys.get("values") {
            let values = self.values(node, "`values`").into_iter();
            expect.values = values
                .map(|(name, value)| {
                    let place = name.place;
                    let value = value.value;
                    (name.value, Spanned { value, place })
                })
                .collect();
        }
        if let Some(node) = keys.get("forwards") {
            let forwards = self.values(node, "`forwards`");
            if let Some(ask) = ask {
                self.sent(&forwards, ask);
            }
            expect.forwards = Some(plain(forwards));
        }
        if expect.absent {
            self.absent_alone(keys, ask);
        }
        self.expects_something(keys, ask);
        if let Some(ask) = ask {
            self.expects_what_is_there(&mut expect, ask);
        }
        expect
    }

    /// Nothing is shown, and nothing forwarded, where a request is refused.
    fn refused_alone(&mut self, keys: &Keys<'_>) {
        let beside = keys.get("expect").and_then(|node| match &node.kind {
            NodeKind::Map(entries) => entries.iter().find(|(key, _)| key.value != "refused"),
            _ => None,
        });
        let beside = beside.map(|(key, _)| (key.value.as_str(), &key.place));
        let others = ["values", "forwards"].iter().filter_map(|key| {
            let node = keys.get(key)?;
            Some((*key, &node.place))
        });
        for (what, place) in beside.into_iter().chain(others) {
            let title = format!("{} is expected of a request that is refused", quoted(what));
            let problem = Diagnostic::error(codes::CONTRADICTION, title)
                .at(place, "nothing is shown and nothing forwarded there");
            self.found.push(problem.help("keep `refused` alone"));
        }
    }

    /// Of what is not there, nothing is shown; and whether it is there, reading it tells.
    fn absent_alone(&mut self, keys: &Keys<'_>, ask: Option<&Ask>) {
        let beside = keys.get("expect").and_then(|node| match &node.kind {
            NodeKind::Map(entries) => entries.iter().find(|(key, _)| key.value != ABSENT),
            _ => None,
        });
        let beside = beside.map(|(_, node)| &node.place);
        let others = ["values", "forwards"].iter();
        let mut others = others.filter_map(|key| keys.get(key).map(|node| &node.place));
        if let Some(place) = beside.or_else(|| others.next()) {
            let title = "something is expected of records that are not there";
            let problem = Diagnostic::error(codes::CONTRADICTION, title);
            let problem = problem.at(place, "nothing is shown of them");
            self.found.push(problem.help("keep `absent` alone"));
        }
        if ask.is_some_and(Ask::writes) {
            let title = "a write that expects that a record is not there";
            let problem = Diagnostic::error(codes::NOT_OF_ACTION, title);
            let problem = problem.at(keys.place(), "goes with what is shown");
            self.found
                .push(problem.help("say `forwards: {}`, or read the record in another case"));
        }
    }

    fn expects_something(&mut self, keys: &Keys<'_>, ask: Option<&Ask>) {
        let is_something = |key: &&str| {
            keys.get(key).is_some_and(|node| {
                let entries = match &node.kind {
                    NodeKind::Map(entries) => entries.len(),
                    NodeKind::Null => 0,
                    // What it is instead was reported.
                    _ => 1,
                };
                entries > 0 || *key == "forwards"
            })
        };
        if ["expect", "values", "forwards"].iter().any(is_something) {
            return;
        }
        let writes = ask.is_some_and(Ask::writes);
        let help = match writes {
            true => {
                "say `forwards: { … }`, what reaches the CRM (`{}`: nothing), or `expect: { refused: REASON }`"
            }
            false => "say `expect: { FIELD: LEVEL }` or `expect: { refused: REASON }`",
        };
        let problem = Diagnostic::error(codes::EXPECTS_NOTHING, "a case that expects nothing")
            .at(keys.place(), "whatever comes, it passes");
        self.found.push(problem.help(help));
    }

    /// Nothing reaches the CRM that was not sent.
    fn sent(&mut self, forwards: &[(Spanned<String>, Spanned<Value>)], ask: &Ask) {
        let (Ask::Write { set, .. } | Ask::Create { fields: set, .. }) = ask else {
            return;
        };
        for (name, _) in forwards {
            if !set.contains_key(&name.value) {
                let title = format!("{} is forwarded and was never sent", quoted(&name.value));
                let problem = Diagnostic::error(codes::CONTRADICTION, title)
                    .at(&name.place, "not among what the case sets")
                    .suggest(&name.value, set.keys().map(String::as_str));
                self.found.push(problem);
            }
        }
    }

    /// Of fields that no record holds, and of blanks, nothing can be seen.
    fn expects_what_is_there(&mut self, expect: &mut Expect, ask: &Ask) {
        if ask.writes() {
            for level in expect.levels.values() {
                let title = "levels are expected of a write";
                let problem = Diagnostic::error(codes::NOT_OF_ACTION, title)
                    .at(&level.place, "goes with what is shown");
                self.found
                    .push(problem.help("say `forwards`, or read the record in another case"));
            }
            return;
        }
        let named = match ask {
            Ask::Read { fields, .. } | Ask::List { fields, .. } => fields.clone(),
            _ => Vec::new(),
        };
        let levels = expect
            .levels
            .iter()
            .map(|(name, level)| (name, &level.place, Some(level.value)));
        let values = expect
            .values
            .iter()
            .map(|(name, value)| (name, &value.place, None));
        let mut problems = Vec::new();
        for (name, place, level) in levels.chain(values) {
            let field = Field::fold(name);
            if !named.is_empty() && !named.contains(&field) {
                let title = format!("{} is expected and not asked for", quoted(name));
                problems.push(
                    Diagnostic::error(codes::CONTRADICTION, title)
                        .at(place, "not among `fields`")
                        .help("ask for it, too"),
                );
            }
            problems.extend(self.is_there(name, &field, place, level, ask));
            if level == Some(Level::Hide)
                && let Some(value) = expect.values.get(name)
            {
                let title = format!("a value is expected of {}, which is hidden", quoted(name));
                problems.push(
                    Diagnostic::error(codes::CONTRADICTION, title)
                        .at(&value.place, "nothing is shown of it")
                        .also(place, "`hide` here"),
                );
            }
        }
        problems
            .into_iter()
            .for_each(|problem| self.found.push(problem));
    }

    fn is_there(
        &self,
        name: &str,
        field: &Field,
        place: &Place,
        level: Option<Level>,
        ask: &Ask,
    ) -> Option<Diagnostic> {
        let asked: Vec<&Kept> = match ask {
            Ask::Read { module, id, .. } => {
                let is_read = |kept: &&Kept| kept.held.module == *module && kept.held.id == *id;
                self.records.iter().find(is_read).into_iter().collect()
            }
            _ => {
                let records = self.records.iter();
                records
                    .filter(|kept| kept.held.module == *ask.module())
                    .collect()
            }
        };
        let held = |kept: &&Kept| {
            let mut fields = kept.held.fields.iter();
            let found = fields.find(|(name, _)| Field::fold(name) == *field);
            found.map(|(_, value)| is_blank(value))
        };
        let blanks: Vec<bool> = asked.iter().filter_map(held).collect();
        let what = match asked.as_slice() {
            [one] => format!("record {}", quoted(&one.name.value)),
            _ => "every record of the module".to_owned(),
        };
        if blanks.is_empty() {
            let known = asked.iter().flat_map(|kept| kept.held.fields.keys());
            let problem = Diagnostic::error(
                codes::LACKING,
                format!("{} is expected, and {what} lacks it", quoted(name)),
            );
            let problem = problem
                .at(place, "of what is not there, nothing can be seen")
                .help("give the record such a field")
                .suggest(name, known.map(String::as_str));
            return Some(problem);
        }
        let is_seen = level.is_none_or(|level| level == Level::Hide);
        (blanks.contains(&true) && !is_seen).then(|| {
            let title = format!(
                "{} is blank, so that its level cannot be seen",
                quoted(name)
            );
            Diagnostic::error(codes::BLANK, title)
                .at(place, "a blank looks alike at most levels")
                .help("give the record a value there")
        })
    }
}
