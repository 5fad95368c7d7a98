//! Caps that hold for some roles or purposes only, and do not hold for somebody who has another role or names another
//! purpose: only roles count that may invoke the purpose.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::vocabulary::{Category, Level, Purpose, Role};

use super::super::codes;
use super::super::engine::Situation;
use super::super::model::{Applies, Cap, Model, about};
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
