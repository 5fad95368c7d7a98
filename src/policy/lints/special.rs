//! Data of Art. 9 and 10 GDPR: shown without a word on who may be shown it, or kept where no rule on it reaches.

use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::vocabulary::{Category, Level};

use super::super::catalogue::CATALOGUE;
use super::super::codes;
use super::super::model::{Applies, Model, about, is_special};
use super::Looked;
use super::subject::subjects;
use super::words::{listed, reach, roles};

pub(super) fn warn(looked: &Looked<'_>, found: &mut Diagnostics) {
    shown(looked, found);
    outside(looked, found);
}

fn shown(looked: &Looked<'_>, found: &mut Diagnostics) {
    let model = looked.model;
    for grant in &model.grants {
        let shown = model.categories.keys().filter(|category| {
            is_special(category)
                && about(&grant.data, category)
                && !is_held(model, category)
                && grant
                    .roles
                    .iter()
                    .any(|role| looked.sight.most(role, category) > Level::Redact)
        });
        let shown: Vec<&Category> = shown.collect();
        let Some(first) = shown.first() else { continue };
        let roles: std::collections::BTreeSet<_> = shown
            .iter()
            .flat_map(|category| looked.sight.seen_by([*category], Level::Token))
            .collect();
        let title = format!(
            "grant {} shows {} to {}, and no cap says to whom alone",
            quoted(grant.name.as_str()),
            listed(&shown),
            self::roles(&roles)
        );
        let names: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
        found.push(
            Diagnostic::warning(codes::SPECIAL_SHOWN, title)
                .at(&grant.place, reach(&model.classes, first))
                .help(format!(
                    "data of Art. 9 and 10 GDPR needs a reason of its own. If it is meant, say so by a cap for all \
                     others: `{{ name: …, data: {}, level: hide, unless_roles: [{}] }}`",
                    group(first),
                    names.join(", "),
                )),
        );
    }
}

fn group(category: &Category) -> &str {
    category.as_str().split('.').next().unwrap_or_default()
}

/// Whether a cap for everybody, or for everybody else, holds a category down.
fn is_held(model: &Model, category: &Category) -> bool {
    model.caps.iter().any(|cap| {
        about(&cap.data, category)
            && cap.level < Level::Clear
            && cap.purposes.is_none()
            && cap.when.is_none()
            && !matches!(cap.applies, Applies::Roles(_))
    })
}

/// Categories of the policy's own whose names say that they belong below `special` or `criminal`.
fn outside(looked: &Looked<'_>, found: &mut Diagnostics) {
    let model = looked.model;
    for (category, declared) in &model.categories {
        let built_in = CATALOGUE
            .iter()
            .any(|built_in| built_in.name == category.as_str());
        let Some(place) = declared
            .place
            .as_ref()
            .filter(|_| !built_in && !is_special(category))
        else {
            continue;
        };
        let spoken = subjects(category.as_str());
        let Some(subject) = spoken.into_iter().find(|subject| subject.is_special()) else {
            continue;
        };
        let right = subject.category();
        let seen = looked.sight.seen_by([category], Level::Token);
        let own = category.as_str().rsplit('.').next().unwrap_or_default();
        let below = if right == "criminal" {
            right
        } else {
            group_of(right)
        };
        let title = format!(
            "category `{category}` looks like `{right}` and does not lie below `{below}`: rules on `{below}` do not reach it",
        );
        found.push(
            Diagnostic::error_to_be(codes::OUTSIDE_SPECIAL, title)
                .at(place, format!("shown to {}; {}", roles(&seen), reach(&model.classes, category)))
                .help(format!(
                    "use `{right}`, or call it `{below}.{own}`; if it is something else, give it a name that says so"
                )),
        );
    }
}

fn group_of(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}
