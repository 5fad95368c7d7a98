//! Caps, rows and limits that hold for some roles or purposes only, and do not hold for somebody who has another role or names another
//! purpose: only roles count that may invoke the purpose.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::vocabulary::{Category, Level, Purpose, Role};

use super::super::codes;
use super::super::engine::Situation;
use super::super::model::{Applies, Cap, Model, RowRule, about};
use super::Looked;
use super::words::{fields_of, listed, reach};

/// A way around a cap.
struct Escape<'a> {
    category: &'a Category,
    level: Level,
    /// Whom the cap is for.
    capped: &'a Role,
    /// The role that counts instead.
    by: &'a Role,
    purpose: Purpose,
}

pub(super) fn warn(looked: &Looked<'_>, found: &mut Diagnostics) {
    for cap in looked
        .model
        .caps
        .iter()
        .filter(|cap| cap.level < Level::Clear)
    {
        if let Some(escape) = by_role(looked, cap).or_else(|| by_purpose(looked, cap)) {
            found.push(warning(looked.model, cap, &escape));
        }
    }
    warn_of_others(looked, found);
}

/// Rows and limits that somebody escapes in the same ways.
fn warn_of_others(looked: &Looked<'_>, found: &mut Diagnostics) {
    let model = looked.model;
    let is_own = |row: &&RowRule| row.name.as_str().starts_with(OWN_ROWS);
    for row in model.rows.iter().filter(is_own) {
        let whom = (&row.applies, row.purposes.as_ref());
        if let Some((who, purpose)) = way_around(looked, whom) {
            let title = format!(
                "{} is escaped: {who} is shown records by naming purpose {}",
                quoted(row.name.as_str()),
                quoted(purpose.as_str())
            );
            let warning = Diagnostic::warning(codes::CAP_ESCAPED, title);
            found.push(warning.at(&row.place, "does not hold for that purpose").help(
                "write it without `purposes` and `roles`, or give the grants the purposes for which they are meant",
            ));
        }
    }
    for limit in &model.limits {
        let applies = match (&limit.roles, limit.unless_roles.is_empty()) {
            (Some(roles), _) => Applies::Roles(roles.clone()),
            (None, false) => Applies::UnlessRoles(limit.unless_roles.clone()),
            (None, true) => Applies::Everyone,
        };
        if let Some((who, purpose)) = way_around(looked, (&applies, limit.purposes.as_ref())) {
            let title = format!(
                "limit {} is escaped: what {who} is shown by naming purpose {} does not count",
                quoted(limit.name.as_str()),
                quoted(purpose.as_str())
            );
            let warning = Diagnostic::warning(codes::CAP_ESCAPED, title);
            found.push(warning.help("write it without `purposes` and `roles`"));
        }
    }
}

/// How the log names rows that a policy states.
const OWN_ROWS: &str = "rows.";

/// Who is shown something for a purpose for which a rule does not hold that is for them: by the role that it is for, or by another
/// one, for a purpose that the first may not invoke.
fn way_around<'a>(
    looked: &'a Looked<'_>,
    (applies, purposes): (&Applies, Option<&BTreeSet<Purpose>>),
) -> Option<(String, &'a Purpose)> {
    let model = looked.model;
    let is_meant = |role: &Role| match applies {
        Applies::Everyone => true,
        Applies::Roles(roles) => roles.contains(role),
        Applies::UnlessRoles(exempt) => !exempt.contains(role),
    };
    let is_for = |purpose: &Purpose| purposes.is_none_or(|purposes| purposes.contains(purpose));
    let mut all = model.purposes.keys();
    all.find_map(|purpose| {
        let is_there = |role: &&Role, told_apart| {
            may_invoke(model, role, purpose) && shows(model, (role, purpose), told_apart)
        };
        if !is_for(purpose) {
            let is_held = |role: &&Role| {
                let mut purposes = purposes.into_iter().flatten();
                is_meant(role) && purposes.any(|purpose| may_invoke(model, role, purpose))
            };
            let by = model.roles.keys().filter(is_held);
            let by = by.into_iter().find(|role| is_there(role, false))?;
            return Some((listed([by]), purpose));
        }
        let Applies::Roles(roles) = applies else {
            return None;
        };
        let left_out = roles
            .iter()
            .find(|role| !may_invoke(model, role, purpose))?;
        let others = model.roles.keys().filter(|role| !roles.contains(*role));
        let by = others.into_iter().find(|role| is_there(role, true))?;
        let who = listed(BTreeSet::from([left_out, by]));
        Some((format!("somebody with {who}"), purpose))
    })
}

/// Whether a grant shows a role anything but what is technical; if `told_apart`, one of those, too, that tell purposes apart.
fn shows(model: &Model, (role, purpose): (&Role, &Purpose), told_apart: bool) -> bool {
    let situation = Situation {
        roles: BTreeSet::from([role.clone()]),
        purpose: Some(purpose.clone()),
        ..Situation::of_whoever()
    };
    let technical = Category::new("technical");
    model.grants.iter().any(|grant| {
        let mut data = grant.data.iter();
        grant.level > Level::Redact
            && (told_apart || grant.purposes.is_none())
            && data.any(|category| !technical.covers(category))
            && grant.nearly_matches(&situation)
    })
}

/// The categories of a cap, those first of which there are fields.
fn capped<'a>(model: &'a Model, cap: &'a Cap) -> impl Iterator<Item = &'a Category> {
    let all = model.categories.keys();
    let mut capped: Vec<&Category> = all.filter(|category| about(&cap.data, category)).collect();
    capped.sort_by_key(|category| fields_of(&model.classes, category).is_empty());
    capped.into_iter()
}

fn may_invoke(model: &Model, role: &Role, purpose: &Purpose) -> bool {
    let declared = model.purposes.get(purpose);
    declared.is_some_and(|declared| declared.roles.contains(role))
}

/// A role beside the capped one, for a purpose that the capped one may not invoke.
fn by_role<'a>(looked: &'a Looked<'_>, cap: &'a Cap) -> Option<Escape<'a>> {
    let model = looked.model;
    let Applies::Roles(roles) = &cap.applies else {
        return None;
    };
    let others = || model.roles.keys().filter(|role| !roles.contains(*role));
    capped(model, cap).find_map(|category| {
        let limit = model.meaning(cap.level, category);
        others().find_map(|by| {
            let mut shown = looked.sight.shown_above(by, category, limit);
            shown.find_map(|(situation, level)| {
                let purpose = situation.purpose.as_ref()?;
                let left_out = roles.iter().find(|role| !may_invoke(model, role, purpose));
                left_out.map(|capped| Escape {
                    category,
                    level,
                    capped,
                    by,
                    purpose: purpose.clone(),
                })
            })
        })
    })
}

/// The capped role itself, for a purpose that the cap leaves out though the grant does not tell purposes apart.
fn by_purpose<'a>(looked: &'a Looked<'_>, cap: &'a Cap) -> Option<Escape<'a>> {
    let model = looked.model;
    let purposes = cap.purposes.as_ref()?;
    // Who may invoke none of the capped purposes is not held down by naming another one.
    let is_held = |role: &&Role| {
        let mut purposes = purposes.iter();
        purposes.any(|purpose| may_invoke(model, role, purpose))
    };
    let is_for = |situation: &Situation| match &cap.applies {
        Applies::Everyone => true,
        Applies::Roles(roles) => !roles.is_disjoint(&situation.roles),
        Applies::UnlessRoles(exempt) => !situation.roles.is_subset(exempt),
    };
    capped(model, cap).find_map(|category| {
        let limit = model.meaning(cap.level, category);
        let lifts_anyway = |situation: &Situation| {
            model.grants.iter().any(|grant| {
                grant.purposes.is_none()
                    && about(&grant.data, category)
                    && grant.nearly_matches(situation)
            })
        };
        model.roles.keys().filter(is_held).find_map(|role| {
            let mut shown = looked.sight.shown_above(role, category, limit);
            shown.find_map(|(situation, level)| {
                let purpose = situation.purpose.as_ref()?;
                let escapes =
                    !purposes.contains(purpose) && is_for(situation) && lifts_anyway(situation);
                escapes.then(|| Escape {
                    category,
                    level,
                    capped: role,
                    by: role,
                    purpose: purpose.clone(),
                })
            })
        })
    })
}

fn warning(model: &Model, cap: &Cap, escape: &Escape<'_>) -> Diagnostic {
    let Escape {
        category,
        level,
        capped,
        by,
        purpose,
    } = escape;
    let name = quoted(cap.name.as_str());
    let how = match level {
        Level::Clear => "in clear".to_owned(),
        level => format!("at level `{level}`"),
    };
    let purpose = quoted(purpose.as_str());
    let (who, why, help) = match capped == by {
        true => (
            listed([by]),
            "holds for other purposes only".to_owned(),
            "write the cap without `purposes`, or give the grant the purposes for which it is meant",
        ),
        false => (
            format!("somebody with {}", listed(BTreeSet::from([capped, by]))),
            format!("`{capped}` does not count for that purpose, and neither do its caps"),
            "if nobody with that role is to be shown it, write the cap without `roles`, and grant what others need",
        ),
    };
    let title = format!(
        "cap {name} is escaped: {who} is shown {category} {how} by naming purpose {purpose}"
    );
    Diagnostic::warning(codes::CAP_ESCAPED, title)
        .at(
            &cap.place,
            format!("{why}; {}", reach(&model.classes, category)),
        )
        .help(help)
}
