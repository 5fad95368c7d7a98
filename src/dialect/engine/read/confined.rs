//! Reads the parameters of a route that may say only a few things.

use super::yaml::value;
use super::{Reader, keys};
use crate::diagnostic::{Diagnostics, Keys, Node, NodeKind};
use crate::dialect::engine::confined::{Confined, May};
use crate::dialect::engine::description::Name;
use crate::reason::Reason;

/// What the words of a description say that a parameter may say.
#[derive(Clone, Copy)]
enum Kind {
    Anything,
    List,
    Flag,
    No,
    Nothing,
}

impl Kind {
    fn may(self) -> May {
        match self {
            Self::Anything => May::Anything,
            Self::List => May::List,
            Self::Flag => May::Flag,
            Self::No => May::No,
            Self::Nothing => May::Nothing,
        }
    }
}

const FIXED: &[(&str, Kind)] = &[("words", Kind::List), ("flag", Kind::Flag)];
const DROPPED: &[(&str, Kind)] = &[
    ("anything", Kind::Anything),
    ("flag", Kind::Flag),
    ("no", Kind::No),
    ("nothing", Kind::Nothing),
];
const STORED: &[(&str, Kind)] = &[("no", Kind::No)];

impl Reader<'_> {
    pub(super) fn confined(&mut self, keys: &Keys<'_>) -> Vec<Confined> {
        let mut all = self.said(keys, "stored", STORED);
        for confined in &mut all {
            confined.otherwise = Some(Reason::StoredQuery);
        }
        all.extend(self.said(keys, "fixed", FIXED));
        all.extend(match keys.get("dropped").map(|node| &node.kind) {
            Some(NodeKind::Map(_)) => self.said(keys, "dropped", DROPPED),
            _ => {
                let names = self.parameters(keys, "dropped");
                names.into_iter().map(dropped).collect()
            }
        });
        if let Some(name) = self.last(keys) {
            all.push(Confined {
                name,
                may: May::Switch,
                is_sent: true,
                otherwise: Some(Reason::MalformedOrder),
            });
        }
        // Those that the API looks at nowhere.
        for name in self.ignored.parameters.clone() {
            if !all.iter().any(|known| known.name == name) {
                all.push(dropped(name));
            }
        }
        all
    }

    /// Parameters, and what each may say: words of a list, which are sent on, or what a word stands for.
    fn said(
        &mut self,
        keys: &Keys<'_>,
        key: &str,
        kinds: &[(&'static str, Kind)],
    ) -> Vec<Confined> {
        let mut all = Vec::new();
        for (name, node) in self.entries(keys, key) {
            let may = self.may(node, key, kinds);
            let name = self.parameter(&name.value, &name.place);
            let (Some(name), Some(may)) = (name, may) else {
                continue;
            };
            let otherwise = match may {
                May::Words(_) => Some(Reason::UnknownParameter),
                May::List | May::Flag => Some(Reason::MalformedQuery),
                _ => None,
            };
            let is_sent = match may {
                May::Words(_) | May::List => true,
                May::Flag => key == "fixed",
                _ => false,
            };
            all.push(Confined {
                name,
                may,
                is_sent,
                otherwise,
            });
        }
        all
    }

    /// The parameter beside an order that says whether records without a value come last.
    fn last(&mut self, keys: &Keys<'_>) -> Option<Name> {
        let mut again = Diagnostics::new();
        let order = keys.get("order")?;
        let order = keys::ORDER.read(order, &mut again)?;
        self.optional_parameter(&order, "last")
    }

    fn may(&mut self, node: &Node, key: &str, kinds: &[(&'static str, Kind)]) -> Option<May> {
        let is_word = matches!(&node.kind, NodeKind::Str(word) if kinds.iter().any(|(known, _)| known == word));
        if is_word || key == "dropped" {
            return Some(node.choice("value", kinds, self.found)?.may());
        }
        let words = node.texts("the values of a parameter", self.found)?;
        let words = words.into_iter().map(|text| text.value.to_owned());
        Some(May::Words(words.collect()))
    }

    /// Parameters that are sent with each request.
    pub(super) fn always(&mut self, keys: &Keys<'_>) -> Vec<(Name, serde_json::Value)> {
        let mut all = Vec::new();
        for (name, node) in self.entries(keys, "always") {
            let name = self.parameter(&name.value, &name.place);
            all.extend(name.map(|name| (name, value(node))));
        }
        all
    }
}

fn dropped(name: Name) -> Confined {
    Confined {
        name,
        may: May::Anything,
        is_sent: false,
        otherwise: None,
    }
}
