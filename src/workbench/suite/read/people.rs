//! Reads people: what is proved of them, so that a policy's mapping of evidence to roles is tested too.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Form, Keys, Node, Spanned};

use super::super::super::bench::Person;
use super::super::codes;
use super::{Known, Reader};

/// The ways by which somebody can come.
const WAYS: &[&str] = &["crm", "token", "key", "certificate", "front"];

impl Reader<'_> {
    pub(super) fn people(&mut self, node: &Node) {
        let entries = node.map("`people`", self.found);
        self.incomplete |= entries.is_none() || node.fault.is_some();
        for (name, node) in entries.unwrap_or_default() {
            let written = Spanned {
                value: name.value.as_str(),
                place: name.place.clone(),
            };
            self.name("a person", &written);
            let person = self.person(node).unwrap_or_default();
            let known = Known {
                place: name.place.clone(),
                person: Arc::new(person),
                used: false,
            };
            self.people.insert(name.value.clone(), known);
        }
    }

    fn person(&mut self, node: &Node) -> Option<Person> {
        const FORM: Form = Form {
            what: "a person",
            known: &["crm", "token", "key", "certificate", "front", "auth"],
            refused: &[],
        };
        let keys = FORM.read(node, self.found)?;
        let mut person = Person::default();
        let ways: Vec<&Node> = WAYS.iter().filter_map(|way| keys.get(way)).collect();
        match ways.as_slice() {
            [] => self.no_way(&keys),
            [_] => {}
            [_, second, ..] => self.two_ways(second),
        }
        if let Some(node) = keys.get("crm") {
            self.session(node, &mut person);
        }
        if let Some(node) = keys.get("token") {
            person.token = self.told(node, ("a token", "issuer"));
        }
        if let Some(node) = keys.get("front") {
            person.front = self.told(node, ("what an authenticating proxy tells", "user"));
        }
        person.key = keys.get("key").and_then(|node| self.evidence(node));
        person.certificate = keys.get("certificate").and_then(|node| self.evidence(node));
        if let Some(node) = keys.get("auth") {
            person.strengths = self.strengths(node);
        }
        Some(person)
    }

    fn no_way(&mut self, keys: &Keys<'_>) {
        let problem = Diagnostic::error(codes::NOT_ONE_WAY, "a person who comes by no way")
            .at(keys.place(), "nothing is proved of them");
        let help = "say by which: `crm: { roles: […] }`, `token: { issuer: …, roles: […] }`, `key: NAME`, `certificate: NAME` or `front: { user: …, roles: […] }`";
        self.found.push(problem.help(help));
    }

    fn two_ways(&mut self, second: &Node) {
        let problem = Diagnostic::error(codes::NOT_ONE_WAY, "a person who comes by two ways")
            .at(&second.place, "a second one");
        let help =
            "keep one; of a session that a token strengthens, say `crm: …` and `auth: STRENGTH`";
        self.found.push(problem.help(help));
    }

    fn session(&mut self, node: &Node, person: &mut Person) {
        const FORM: Form = Form {
            what: "a session of the CRM",
            known: &["roles", "teams", "user", "type"],
            refused: &[],
        };
        let Some(keys) = FORM.read(node, self.found) else {
            return;
        };
        person.crm_roles = self.all_evidence(&keys, "roles");
        person.crm_teams = self.all_evidence(&keys, "teams");
        person.crm_user = keys.get("user").and_then(|node| self.evidence(node));
        person.crm_type = keys.get("type").and_then(|node| self.evidence(node));
    }

    /// A name that must be there, and roles.
    fn told(
        &mut self,
        node: &Node,
        (what, name): (&'static str, &'static str),
    ) -> Option<(String, Vec<String>)> {
        const TOKEN: &[&str] = &["issuer", "roles"];
        const FRONT: &[&str] = &["user", "roles"];
        let known = if name == "issuer" { TOKEN } else { FRONT };
        let form = Form {
            what,
            known,
            refused: &[],
        };
        let keys = form.read(node, self.found)?;
        let roles = self.all_evidence(&keys, "roles");
        let name = keys.require(name, self.found)?;
        Some((self.evidence(name)?, roles))
    }

    /// Words of the CRM, an issuer, a list of keys: they are theirs.
    fn evidence(&mut self, node: &Node) -> Option<String> {
        let text = node.verbatim("evidence", self.found)?;
        self.name("evidence", &text).then(|| text.value.to_owned())
    }

    fn all_evidence(&mut self, keys: &Keys<'_>, key: &str) -> Vec<String> {
        let Some(node) = keys.get(key) else {
            return Vec::new();
        };
        let items = node.one_or_list().iter();
        items.filter_map(|node| self.evidence(node)).collect()
    }
}
