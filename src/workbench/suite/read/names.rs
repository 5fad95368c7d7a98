//! The names that suites may speak of, and what is said of others.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Node, Spanned, quoted};
use crate::dialect::{Dialect, Schema};
use crate::policy::Policy;
use crate::reason::Reason;
use crate::vocabulary::{Category, Module, Purpose, Role};

use super::super::codes;
use super::Reader;

/// The name by which promises speak of fields that nobody has classified.
pub(super) const UNCLASSIFIED: &str = "unclassified";

/// Names of one kind.
struct Kind {
    what: &'static str,
    code: &'static str,
    /// Where they would have to stand.
    label: &'static str,
    names: BTreeSet<String>,
}

impl Kind {
    fn new<'a>(
        (what, code, label): (&'static str, &'static str, &'static str),
        names: impl Iterator<Item = &'a str>,
    ) -> Self {
        Self {
            what,
            code,
            label,
            names: names.map(str::to_owned).collect(),
        }
    }

    fn unknown(&self, name: &Spanned<&str>) -> Diagnostic {
        const LISTED_MAX: usize = 20;
        let title = format!("unknown {} {}", self.what, quoted(name.value));
        let all: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let problem = Diagnostic::error(self.code, title).at(&name.place, self.label);
        let problem = match all.len() {
            0 => problem.help("there is none"),
            1..=LISTED_MAX => problem.help(format!("there are: {}", all.join(", "))),
            _ => problem,
        };
        problem.suggest(name.value, all)
    }
}

/// The names that suites may speak of.
pub(super) struct Names {
    roles: Kind,
    purposes: Kind,
    strengths: Kind,
    categories: Kind,
    modules: Kind,
    dialects: Kind,
    reasons: Kind,
    schemas: Vec<Arc<Schema>>,
}

impl Names {
    pub(super) fn of(policy: &Policy, dialects: &[Arc<dyn Dialect>]) -> Self {
        const DECLARED: &str = "the policy does not declare it";
        let schemas: Vec<Arc<Schema>> = dialects.iter().map(|one| one.schema().clone()).collect();
        let of_crm: Vec<Module> = schemas.iter().flat_map(|schema| schema.modules()).collect();
        let modules = policy.modules().chain(&of_crm).map(Module::as_str);
        // `financial` stands for everything below it.
        let categories: BTreeSet<String> = policy
            .categories()
            .flat_map(|category| {
                let name = category.as_str();
                let heads = name.match_indices('.').map(|(at, _)| name[..at].to_owned());
                heads.chain([name.to_owned()]).collect::<Vec<_>>()
            })
            .chain([UNCLASSIFIED.to_owned()])
            .collect();
        Self {
            roles: Kind::new(
                ("role", codes::UNKNOWN_ROLE, DECLARED),
                policy.roles().map(Role::as_str),
            ),
            purposes: Kind::new(
                ("purpose", codes::UNKNOWN_PURPOSE, DECLARED),
                policy.purposes().map(Purpose::as_str),
            ),
            strengths: Kind::new(
                ("strength", codes::UNKNOWN_STRENGTH, DECLARED),
                policy.strengths(),
            ),
            categories: Kind::new(
                (
                    "data category",
                    codes::UNKNOWN_CATEGORY,
                    "not in the catalogue, and the policy does not define it",
                ),
                categories.iter().map(String::as_str),
            ),
            modules: Kind::new(
                (
                    "module",
                    codes::UNKNOWN_MODULE,
                    "neither the policy nor the CRM has it",
                ),
                modules,
            ),
            dialects: Kind::new(
                (
                    "dialect",
                    codes::UNKNOWN_DIALECT,
                    "these tests are not run for it",
                ),
                dialects.iter().map(|dialect| dialect.name()),
            ),
            reasons: Kind::new(
                (
                    "reason",
                    codes::UNKNOWN_REASON,
                    "no request is refused for it (see docs/refusals.md)",
                ),
                Reason::ALL.iter().map(|reason| reason.code()),
            ),
            schemas,
        }
    }

    pub(super) fn knows_module(&self, name: &str) -> bool {
        self.modules.names.contains(name)
    }

    /// The fields that the CRM is known to have in a module.
    pub(super) fn fields(&self, module: &Module) -> BTreeSet<String> {
        let fields = self.schemas.iter().flat_map(|schema| schema.fields(module));
        fields.map(|field| field.as_str().to_owned()).collect()
    }
}

impl<'a> Reader<'a> {
    fn look_up(&mut self, name: &Spanned<&str>, kind: fn(&Names) -> &Kind) -> bool {
        let names: &'a Names = self.names;
        let kind = kind(names);
        let known = kind.names.contains(name.value);
        if !known {
            self.found.push_named(kind.unknown(name));
        }
        known
    }

    fn each(&mut self, node: &Node, what: &str, kind: fn(&Names) -> &Kind) -> Vec<String> {
        let names = node.texts(what, self.found).unwrap_or_default();
        let known = names.iter().filter(|name| self.look_up(name, kind));
        known.map(|name| name.value.to_owned()).collect()
    }

    pub(super) fn roles(&mut self, node: &Node) -> BTreeSet<Role> {
        let names = self.each(node, "`roles`", |names| &names.roles);
        names.iter().map(|name| Role::new(name)).collect()
    }

    pub(super) fn purposes(&mut self, node: &Node) -> BTreeSet<Purpose> {
        let names = self.each(node, "`purposes`", |names| &names.purposes);
        names.iter().map(|name| Purpose::new(name)).collect()
    }

    pub(super) fn categories(&mut self, node: &Node) -> BTreeSet<Category> {
        let names = self.each(node, "`data`", |names| &names.categories);
        names.iter().map(|name| Category::new(name)).collect()
    }

    pub(super) fn strengths(&mut self, node: &Node) -> BTreeSet<String> {
        let names = self.each(node, "`auth`", |names| &names.strengths);
        names.into_iter().collect()
    }

    pub(super) fn dialect(&mut self, node: &Node) -> Option<String> {
        let name = node.text("a dialect", self.found)?;
        self.look_up(&name, |names| &names.dialects)
            .then(|| name.value.to_owned())
    }

    /// The purpose that a request states.
    pub(super) fn purpose(&mut self, node: &Node) -> Option<String> {
        let name = node.text("a purpose", self.found)?;
        self.look_up(&name, |names| &names.purposes)
            .then(|| name.value.to_owned())
    }

    pub(super) fn reason(&mut self, node: &Node) -> Option<Reason> {
        let name = node.text("a reason", self.found)?;
        self.look_up(&name, |names| &names.reasons);
        let mut reasons = Reason::ALL.iter();
        reasons.find(|reason| reason.code() == name.value).copied()
    }

    /// A module.
    pub(super) fn module(&mut self, node: &Node, may_be_unknown: bool) -> Option<Module> {
        let name = node.text("a module", self.found)?;
        if !may_be_unknown {
            self.look_up(&name, |names| &names.modules);
        }
        Some(Module::new(name.value))
    }
}
