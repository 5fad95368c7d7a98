//! Reads what stands beside a request's meaning: what the API does not look at, and headers that change what is meant.

use http::header::{self, HeaderName};

use serde_json::Value;

use super::yaml::value;
use super::{Reader, keys};
use crate::diagnostic::{Keys, Node, NodeKind, quoted};
use crate::dialect::carriers::query_string::Noise;
use crate::dialect::engine::description::{Bodies, Ignored, Labels, Repeats, Says, Written};
use crate::dialect::engine::{codes, grammar};
use crate::reason::Reason;
use crate::vocabulary::intern;

const BODIES: &[(&str, Bodies)] = &[("documents", Bodies::Documents), ("empty", Bodies::Empty)];

/// Headers that the proxy itself reads or writes.
const TAKEN: &[HeaderName] = &[
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::AUTHORIZATION,
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::COOKIE,
    header::EXPECT,
    header::FORWARDED,
    header::HOST,
    header::RANGE,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::USER_AGENT,
    header::VIA,
];

/// What a header that says yes leaves out.
const SKIPS: &[(&str, Says)] = &[("duplicates", Says::Unlike)];

impl Reader<'_> {
    pub(super) fn ignored(&mut self, node: &Node) -> Ignored {
        let Some(keys) = keys::IGNORED.read(node, self.found) else {
            return Ignored::default();
        };
        let bodies = keys.get("bodies").and_then(|node| match node.kind {
            NodeKind::Str(_) => node.choice("bodies", BODIES, self.found),
            _ => {
                let flag = node.boolean("`bodies`", self.found)?;
                Some(if flag { Bodies::Blank } else { Bodies::None })
            }
        });
        let mut repeated = Vec::new();
        for text in self.texts(&keys, "repeated") {
            let known = self.parameter(text.value, &text.place);
            repeated.extend(known.map(|_| text.value.to_owned()));
        }
        Ignored {
            slash: self.flag(&keys, "slash"),
            accept: self.flag(&keys, "accept"),
            bodies: bodies.unwrap_or_default(),
            blank: self.flag(&keys, "blank"),
            parameters: self.parameters(&keys, "parameters"),
            noise: Noise {
                repeated,
                stamps: self.fields(&keys, "stamps"),
            },
            members: self.fields(&keys, "members"),
        }
    }

    /// Names of fields.
    pub(super) fn fields(&mut self, keys: &Keys<'_>, key: &str) -> Vec<String> {
        let mut all = Vec::new();
        for text in self.texts(keys, key) {
            all.extend(self.field(text.value, &text.place));
        }
        all
    }

    /// What holds of the names in every body that is written.
    pub(super) fn written(&mut self, keys: &Keys<'_>) -> Written {
        let node = keys.get("written");
        let Some(keys) = node.and_then(|node| keys::WRITTEN.read(node, self.found)) else {
            return Written::default();
        };
        Written {
            no: self.fields(&keys, "no"),
            blank: self.fields(&keys, "blank"),
            refused: self.fields(&keys, "refused"),
            repeats: self.repeats(&keys),
            unread: self.fields(&keys, "unread"),
            unread_in_stock: self.fields(&keys, "unread_in_stock"),
            flat: self.flag(&keys, "flat"),
        }
    }

    /// Members that may say again what the request says.
    fn repeats(&mut self, keys: &Keys<'_>) -> Vec<(String, Repeats)> {
        const WHAT: &[(&str, Repeats)] = &[
            ("{module}", Repeats::Module),
            ("{target}", Repeats::Target),
            ("{id}", Repeats::Id),
        ];
        let mut all = Vec::new();
        for (name, node) in self.entries(keys, "repeats") {
            let name = self.field(&name.value, &name.place);
            let what = node.choice("what is said again", WHAT, self.found);
            all.extend(name.zip(what));
        }
        all
    }

    /// The labels of errors.
    pub(super) fn labels(&mut self, keys: &Keys<'_>) -> Labels {
        let node = keys.get("labels");
        let Some(keys) = node.and_then(|node| keys::LABELS.read(node, self.found)) else {
            return Labels::default();
        };
        keys.require("at", self.found);
        keys.require("known", self.found);
        let known = self.texts(&keys, "known").into_iter();
        let known: Vec<&'static str> = known.map(|text| intern(text.value)).collect();
        let words: Vec<(&'static str, &'static str)> =
            known.iter().map(|label| (*label, *label)).collect();
        let reasons: Vec<(&'static str, Reason)> = (Reason::ALL.iter())
            .map(|reason| (reason.code(), *reason))
            .collect();
        let mut statuses = Vec::new();
        for (status, node) in self.entries(&keys, "statuses") {
            let label = node.choice("label", &words, self.found);
            statuses.extend(label.map(|label| (status.value.clone(), label)));
        }
        let mut refusals = Vec::new();
        for (code, node) in self.entries(&keys, "refusals") {
            let reason = reasons.iter().find(|(known, _)| *known == code.value);
            match (reason, node.choice("label", &words, self.found)) {
                (Some((_, reason)), Some(label)) => refusals.push((*reason, label)),
                (None, _) => self.bad(
                    codes::BAD_NAME,
                    format!("{} is no reason to refuse", quoted(&code.value)),
                    &code.place,
                    "docs/refusals.md has all of them",
                ),
                (_, None) => {}
            }
        }
        Labels {
            at: self.fields(&keys, "at").pop(),
            known,
            refusals,
            statuses,
            errors: keys.get("errors").map_or(Value::Null, value),
        }
    }

    /// The headers that a route takes.
    pub(super) fn controls(&mut self, keys: &Keys<'_>) -> Vec<(&'static str, Says)> {
        let mut all = Vec::new();
        for (name, node) in self.entries(keys, "controls") {
            let says = self.says(node);
            let header = HeaderName::try_from(name.value.as_str()).ok();
            let is_own = |header: &HeaderName| {
                let text = header.as_str();
                !TAKEN.contains(header)
                    && !text.starts_with("x-forwarded")
                    && !text.starts_with("paravent-")
                    && !text.contains(['_', '.'])
                    && !self.credentials.contains(header)
            };
            match (header.filter(is_own), says) {
                (Some(header), Some(says)) => all.push((intern(header.as_str()), says)),
                (None, _) => self.bad(
                    codes::BAD_NAME,
                    format!("{} is not a header of the API's own", quoted(&name.value)),
                    &name.place,
                    "letters, digits and `-`, and no header that says who asks or how the request is framed",
                ),
                (_, None) => {}
            }
        }
        all
    }

    fn says(&mut self, node: &Node) -> Option<Says> {
        if matches!(&node.kind, NodeKind::Str(word) if word == "flag") {
            return Some(Says::Flag);
        }
        let keys = keys::CONTROL.read(node, self.found)?;
        if keys.get("skips").is_some() {
            return Some(self.choice(&keys, "skips", Says::Unlike, SKIPS));
        }
        let field = keys.require("compares", self.found)?;
        let text = field.text("`compares`", self.found)?;
        if !grammar::is_field(text.value) {
            self.field(text.value, &text.place);
            return None;
        }
        let field = text.value.to_owned();
        Some(match self.flag(&keys, "date") {
            true => Says::Date(field),
            false => Says::Field(field),
        })
    }
}
