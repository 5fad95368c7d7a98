//! Reads what stands in the body of a request: fields to write, records to relate, logins.

use super::{Reader, keys};
use crate::diagnostic::{Keys, Node, NodeKind, Place as Where, quoted};
use crate::dialect::engine::description::{Name, Relates, Write};
use crate::dialect::engine::{codes, grammar};
use crate::vocabulary::Action;

impl Reader<'_> {
    pub(super) fn write(
        &mut self,
        keys: &Keys<'_>,
        action: Action,
        is_in_path: bool,
    ) -> Option<Write> {
        let writes = matches!(action, Action::Create | Action::Update);
        let Some(node) = keys.get("write") else {
            return writes.then(Write::default);
        };
        if matches!(&node.kind, NodeKind::Str(word) if word == "none") && writes {
            return None;
        }
        if !writes {
            self.bad(
                codes::MISPLACED,
                "only `create` and `update` write",
                &node.place,
                "take it out",
            );
        }
        self.write_form(node, is_in_path)
    }

    /// How fields lie in a body.
    pub(super) fn write_form(&mut self, node: &Node, is_in_path: bool) -> Option<Write> {
        let keys = keys::WRITE.read(node, self.found)?;
        let under = self
            .text(&keys, "under")
            .and_then(|text| self.members(text.value, &text.place))
            .unwrap_or_default();
        let mut beside = Vec::new();
        for (place, node) in self.entries(&keys, "beside") {
            let text = node.text("what stands beside the fields", self.found);
            if let (Some(place), Some(text)) = (self.members(&place.value, &place.place), text) {
                beside.push((Name(place), text.value.to_owned()));
            }
        }
        let tells = !is_in_path && beside.iter().any(|(_, text)| text == "{module}");
        let outer = under.split_last().map(|(_, outer)| outer.to_vec());
        let is_near = |(name, text): &(Name, String)| {
            let near = name.0.split_last().map(|(_, outer)| outer.to_vec());
            near == outer && matches!(text.as_str(), "{module}" | "{id}")
        };
        if tells && !beside.iter().all(is_near) {
            self.bad(
                codes::BAD_NAME,
                "the body does not tell the module in a way that is understood",
                keys.place(),
                "`{module}` and `{id}` must stand in one object with the fields, and nothing else",
            );
        }
        if !tells {
            self.means_nothing(&keys, &["own_id"]);
        }
        Some(Write {
            under,
            beside,
            form: self.flag(&keys, "form"),
            tells,
            own_id: self.flag(&keys, "own_id"),
            arguments: self
                .texts(&keys, "arguments")
                .into_iter()
                .map(|text| text.value.to_owned())
                .collect(),
        })
    }

    /// What the body of a relation is.
    pub(super) fn relates(&mut self, keys: &Keys<'_>) -> Relates {
        match keys.get("relate") {
            Some(Node {
                kind: NodeKind::Str(word),
                ..
            }) if word == "columns" => Relates::Columns,
            Some(node) if matches!(&node.kind, NodeKind::Map(entries) if entries.iter().any(|(key, _)| key.value == "ids")) =>
            {
                let listed = keys::RELATE.read(node, self.found).map(|keys| {
                    let link = self.required(&keys, "link");
                    link.zip(self.required(&keys, "ids"))
                });
                match listed.flatten() {
                    Some((link, ids)) => Relates::Listed {
                        link: link.value.to_owned(),
                        ids: ids.value.to_owned(),
                    },
                    None => Relates::No,
                }
            }
            Some(node) if matches!(node.kind, NodeKind::Map(_)) => {
                let form = self.write_form(node, false);
                match form.filter(|form| form.tells) {
                    Some(form) => Relates::Document(form),
                    None => {
                        self.bad(
                            codes::BAD_NAME,
                            "the body does not tell what is related",
                            &node.place,
                            "`beside` must say where `{module}` and `{id}` stand",
                        );
                        Relates::No
                    }
                }
            }
            _ if self.flag(keys, "relate") => Relates::Ids,
            _ => Relates::No,
        }
    }

    /// Whether the native part reads something of a route.
    pub(super) fn native_flag(&mut self, keys: &Keys<'_>, key: &str) -> bool {
        if let (None, Some(node)) = (self.native, keys.get(key)) {
            let title = format!("`{key}` needs a native part, which reads what data cannot say");
            self.bad(codes::MISPLACED, title, &node.place, "take it out");
        }
        self.flag(keys, key)
    }

    /// Members of a body, from the outside in: `data.attributes`.
    pub(super) fn members(&mut self, text: &str, place: &Where) -> Option<Vec<String>> {
        let members: Vec<String> = text.split('.').map(str::to_owned).collect();
        if members.iter().all(|member| grammar::is_field(member)) {
            return Some(members);
        }
        self.bad(
            codes::BAD_NAME,
            format!("{} is not a member of a body", quoted(text)),
            place,
            "must be like `data` or `data.attributes`",
        );
        None
    }
}
