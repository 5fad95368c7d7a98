//! Reads how it is found out whose a credential is.

use super::{Reader, keys};
use crate::diagnostic::{Keys, Node, Spanned, quoted};
use crate::dialect::engine::codes;
use crate::dialect::engine::description::{Asking, Listed, Question};
use crate::dialect::engine::jsonpath::Expression;

/// Questions about one caller; more are not asked.
const QUESTIONS_MAX: usize = 8;

impl Reader<'_> {
    pub(super) fn caller(&mut self, node: &Node) -> Asking {
        let Some(keys) = keys::CALLER.read(node, self.found) else {
            return Asking::default();
        };
        let before = self.found.errors();
        let questions = keys
            .get("ask")
            .and_then(|node| node.list("`ask`", self.found))
            .unwrap_or_default();
        if questions.len() > QUESTIONS_MAX {
            self.bad(
                codes::NO_CALLER,
                format!("more than {QUESTIONS_MAX} questions"),
                &node.place,
                "too many",
            );
        }
        let questions: Vec<Question> = questions
            .iter()
            .filter_map(|node| self.question(node))
            .collect();
        let listed = keys
            .get("listed")
            .and_then(|node| node.list("`listed`", self.found))
            .unwrap_or_default();
        let listed: Vec<Listed> = listed.iter().filter_map(|node| self.listed(node)).collect();
        let tells = |what: fn(&Question) -> bool| questions.iter().any(what);
        let tells_all =
            tells(|question| question.id.is_some()) && tells(|question| question.login.is_some());
        let asks_nothing = questions.is_empty() && !listed.is_empty();
        if !tells_all && !asks_nothing && self.found.errors() == before {
            self.bad(
                codes::NO_CALLER,
                "nothing tells whose a credential is",
                keys.place(),
                "some answer must tell `id`, and some answer `login`",
            );
        }
        Asking { questions, listed }
    }

    fn question(&mut self, node: &Node) -> Option<Question> {
        let keys = keys::QUESTION.read(node, self.found)?;
        let ask = self.required(&keys, "get")?;
        let plain = |byte: u8| {
            byte.is_ascii_graphic() && !matches!(byte, b'#' | b'\\' | b'"' | b'<' | b'>')
        };
        if !ask.value.starts_with('/') || !ask.value.bytes().all(plain) {
            self.bad(
                codes::BAD_ROUTE,
                format!("{} is not a path", quoted(ask.value)),
                &ask.place,
                "must begin with `/`",
            );
        }
        let mut rights = Vec::new();
        for (role, node) in self.entries(&keys, "rights") {
            let text = node.text("a right", self.found);
            if let Some(expression) = text.and_then(|text| self.expression(&text)) {
                rights.push((role.value.clone(), expression));
            }
        }
        Some(Question {
            ask: ask.value.to_owned(),
            nobody: self.statuses(&keys, "nobody").unwrap_or_else(|| vec![401]),
            nothing: self.statuses(&keys, "nothing").unwrap_or_default(),
            id: self.one(&keys, "id"),
            login: self.one(&keys, "login"),
            kind: self.one(&keys, "kind"),
            roles: self.expressions(&keys, "roles"),
            teams: self.expressions(&keys, "teams"),
            rights,
        })
    }

    fn statuses(&mut self, keys: &Keys<'_>, key: &str) -> Option<Vec<u16>> {
        let node = keys.get(key)?;
        let statuses = node.list(&format!("`{key}`"), self.found)?;
        let status = |node: &Node| {
            let status = node.integer("a status", 400..=599, self.found)?;
            u16::try_from(status).ok()
        };
        Some(statuses.iter().filter_map(status).collect())
    }

    fn one(&mut self, keys: &Keys<'_>, key: &str) -> Option<Expression> {
        let text = keys.get(key)?.text(&format!("`{key}`"), self.found)?;
        self.expression(&text)
    }

    fn expressions(&mut self, keys: &Keys<'_>, key: &str) -> Vec<Expression> {
        let texts: Vec<Spanned<&str>> = self.texts(keys, key);
        texts
            .iter()
            .filter_map(|text| self.expression(text))
            .collect()
    }

    fn listed(&mut self, node: &Node) -> Option<Listed> {
        let keys = keys::LISTED.read(node, self.found)?;
        let mut required = |key: &str| {
            let text = keys
                .require(key, self.found)?
                .text(&format!("`{key}`"), self.found)?;
            Some(text.into_owned())
        };
        let (hash, id, login) = (required("sha256"), required("id"), required("login"));
        let is_blank = |text: &&Spanned<String>| text.value.trim().is_empty();
        let blank = id.as_ref().filter(is_blank);
        if let Some(blank) = blank.or_else(|| login.as_ref().filter(is_blank)) {
            let title = "a listed caller without a name".to_owned();
            self.bad(codes::BAD_NAME, title, &blank.place.clone(), "blank");
        }
        let hash = hash?;
        let bytes: Option<Vec<u8>> = (hash.value.len() == 64 && hash.value.is_ascii())
            .then(|| {
                (0..32)
                    .map(|at| u8::from_str_radix(&hash.value[2 * at..2 * at + 2], 16).ok())
                    .collect()
            })
            .flatten();
        if bytes.is_none() {
            self.bad(
                codes::BAD_NAME,
                "this is not a SHA-256 in hexadecimal",
                &hash.place,
                "64 digits: printf %s KEY | sha256sum",
            );
        }
        let owned = |texts: Vec<Spanned<&str>>| {
            texts
                .into_iter()
                .map(|text| text.value.to_owned())
                .collect()
        };
        Some(Listed {
            sha256: bytes?,
            id: id?.value,
            login: login?.value,
            kind: self
                .text(&keys, "kind")
                .map(|text| text.value.to_owned())
                .unwrap_or_default(),
            roles: owned(self.texts(&keys, "roles")),
            teams: owned(self.texts(&keys, "teams")),
        })
    }
}
