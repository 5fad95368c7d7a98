//! Whether callers of a configuration can have the evidence and the strengths that a policy speaks of.

use std::collections::BTreeSet;

use super::Policy;
use super::codes;
use super::model::{Evidence, Model, Proof, RoleModel};
use crate::config::{Config, Way};
use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::vocabulary::Role;

/// What a configuration lets callers prove.
struct Provable<'a> {
    ways: BTreeSet<Way>,
    issuers: Vec<&'a str>,
}

pub(super) fn against(policy: &Policy, config: &Config) -> Diagnostics {
    let mut found = Diagnostics::new();
    let listeners = config.listeners.iter();
    let provable = Provable {
        ways: listeners.flat_map(|one| one.ways.iter().copied()).collect(),
        issuers: config
            .identity
            .issuers
            .iter()
            .map(|issuer| issuer.name.as_str())
            .collect(),
    };
    let model = &policy.core.model;
    for (name, role) in &model.roles {
        self::role(name, role, &provable, &mut found);
    }
    strengths(model, &provable, &mut found);
    found.push_any(observed(model, config));
    found
}

/// Whether the whole policy may only observe: two people say so, or one says so twice.
fn observed(model: &Model, config: &Config) -> Option<Diagnostic> {
    let observed = model.observed.as_ref().filter(|_| !config.observe)?;
    let title = "the whole policy only observes, and the configuration does not allow that";
    Some(
        Diagnostic::error(codes::OBSERVE_CLOSED, title)
            .at(&observed.place, "nearly everything would be shown")
            .help("add `observe: allowed` to the configuration, or take `mode` and `until` out of the policy"),
    )
}

fn role(name: &Role, role: &RoleModel, provable: &Provable<'_>, found: &mut Diagnostics) {
    let issuers = provable.issuers.join(", ");
    for (evidence, values) in &role.from {
        // A policy may serve several configurations: where nobody comes by token, the role is merely out of reach.
        if *evidence != Evidence::Token || !provable.ways.contains(&Way::Token) {
            continue;
        }
        for value in values {
            if !provable.issuers.contains(&value.as_str()) {
                let title = format!("unknown issuer of tokens {}", quoted(value));
                let problem = Diagnostic::error(codes::UNKNOWN_ISSUER, title)
                    .at(&role.place, format!("role `{name}` rests on its tokens"));
                found.push(match provable.issuers.is_empty() {
                    true => {
                        problem.help("declare it in the configuration, under `identity.tokens`")
                    }
                    false => problem.help(format!("issuers of the configuration: {issuers}")),
                });
            }
        }
    }
    let has = |kind| role.from.iter().any(|(evidence, _)| *evidence == kind);
    if has(Evidence::ClaimRoles) && !has(Evidence::Token) && provable.issuers.len() > 1 {
        found.push(
            Diagnostic::error(
                codes::UNKNOWN_ISSUER,
                "a claim of any issuer makes this role",
            )
            .at(
                &role.place,
                format!("`{name}` rests on `claim.roles` alone"),
            )
            .help(format!("add `token: NAME`, one of: {issuers}")),
        );
    }
    let closed = role.from.iter().map(|(evidence, _)| evidence.way());
    if let Some(way) = closed.into_iter().find(|way| !provable.ways.contains(way)) {
        let title = format!("nobody can have the role {}", quoted(name.as_str()));
        found.push(
            Diagnostic::note(codes::UNREACHED, title)
                .at(
                    &role.place,
                    format!("no listener accepts the way `{}`", way.as_str()),
                )
                .help("add it to the `identity` of a listener, or take the role out"),
        );
    }
}

/// Strengths that grants ask for.
fn strengths(model: &Model, provable: &Provable<'_>, found: &mut Diagnostics) {
    let asked: BTreeSet<&String> = model
        .grants
        .iter()
        .flat_map(|grant| &grant.requires)
        .collect();
    let has_claims = provable.ways.contains(&Way::Token);
    let is_provable = |proof: &Proof| {
        let needs_claims =
            !proof.acr.is_empty() || !proof.amr.is_empty() || proof.max_age.is_some();
        let mut methods = proof.methods.iter();
        (has_claims || !needs_claims)
            && (proof.methods.is_empty() || methods.any(|way| provable.ways.contains(way)))
    };
    for (name, strength) in &model.strengths {
        if asked.contains(name) && !strength.any.iter().any(is_provable) {
            found.push(
                Diagnostic::note(
                    codes::STRENGTH_UNREACHABLE,
                    "nobody can prove this strength",
                )
                .at(
                    &strength.place,
                    format!("no listener accepts what proves {}", quoted(name)),
                )
                .help("grants that require it do not match; accept `token` at a listener"),
            );
        }
    }
}
