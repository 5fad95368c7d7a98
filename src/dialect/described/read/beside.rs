//! Reads what stands beside a request's meaning: what the API does not look at, and headers that change what is meant.

use http::header::{self, HeaderName};

use super::Reader;
use crate::diagnostic::{Form, Keys, Node, NodeKind, quoted};
use crate::dialect::described::codes;
use crate::dialect::described::description::{Ignored, Says};
use crate::dialect::described::grammar;
use crate::vocabulary::intern;

pub(super) const IGNORED: Form = Form {
    what: "`ignored`",
    known: &["slash", "bodies", "blank", "parameters", "members"],
    refused: &[],
};

pub(super) const CONTROL: Form = Form {
    what: "a header of `controls`",
    known: &["compares"],
    refused: &[],
};

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

impl Reader<'_> {
    pub(super) fn ignored(&mut self, node: &Node) -> Ignored {
        let Some(keys) = IGNORED.read(node, self.found) else {
            return Ignored::default();
        };
        let mut members = Vec::new();
        for text in self.texts(&keys, "members") {
            members.extend(self.field(text.value, &text.place));
        }
        Ignored {
            slash: self.flag(&keys, "slash"),
            bodies: self.flag(&keys, "bodies"),
            blank: self.flag(&keys, "blank"),
            parameters: self.parameters(&keys, "parameters"),
            members,
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
        let keys = CONTROL.read(node, self.found)?;
        let field = keys.require("compares", self.found)?;
        let text = field.text("`compares`", self.found)?;
        if !grammar::is_field(text.value) {
            self.field(text.value, &text.place);
            return None;
        }
        Some(Says::Field(text.value.to_owned()))
    }
}
