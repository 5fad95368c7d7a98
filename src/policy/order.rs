//! Whether everybody who has several roles has a purpose.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::vocabulary::{Purpose, Role};

use super::codes;
use super::model::{Model, RoleModel};

/// Warns of roles that nobody can have together without being refused, and of an order that decides nothing.
pub(super) fn warn(model: &Model, found: &mut Diagnostics) {
    let defaults: Vec<(&Role, &RoleModel, &Purpose)> = model
        .roles
        .iter()
        .filter_map(|(name, role)| Some((name, role, role.default_purpose.as_ref()?)))
        .collect();
    let mut torn = Vec::new();
    let mut missing = BTreeSet::new();
    for (at, (one, declared, purpose)) in defaults.iter().enumerate() {
        for (other, _, other_purpose) in defaults.iter().skip(at + 1) {
            let both = [*purpose, *other_purpose];
            if purpose != other_purpose && !both.iter().any(|one| model.purpose_order.contains(one))
            {
                torn.push((format!("{one} + {other}"), &declared.place));
                missing.extend(both);
            }
        }
    }
    if let Some((_, place)) = torn.first() {
        let pairs: Vec<&str> = torn.iter().map(|(pair, _)| pair.as_str()).collect();
        // In the order in which the purposes are declared: their author has thought of the usual ones first.
        let mut missing: Vec<&Purpose> = missing.into_iter().collect();
        missing.sort_by_key(|purpose| {
            let place = model.purposes.get(*purpose).map(|declared| &declared.place);
            place.map(|place| (place.file.path(), place.span.start))
        });
        let order: Vec<&str> = model
            .purpose_order
            .iter()
            .chain(missing)
            .map(Purpose::as_str)
            .collect();
        found.push(
            Diagnostic::warning(
                codes::PURPOSE_UNORDERED,
                "who has two of these roles is refused without a `Paravent-Purpose` header",
            )
            .at(
                place,
                format!("different default purposes: {}", shortened(&pairs)),
            )
            .help(format!(
                "say which one counts first: `defaults: {{ purpose_order: [{}] }}`",
                order.join(", ")
            )),
        );
    }
    for purpose in &model.purpose_order {
        let declared = model.purposes.get(purpose);
        if let Some(declared) = declared
            && defaults.iter().all(|(_, _, default)| *default != purpose)
        {
            let title = format!(
                "purpose {} decides nothing in `purpose_order`",
                quoted(purpose.as_str())
            );
            found.push(
                Diagnostic::warning(codes::ORDER_UNUSED, title)
                    .at(&declared.place, "no role has it as `default_purpose`"),
            );
        }
    }
}

fn shortened(pairs: &[&str]) -> String {
    match pairs.split_at_checked(PAIRS_MAX) {
        Some((first, rest)) if !rest.is_empty() => {
            format!("{} and {} more", first.join(", "), rest.len())
        }
        _ => pairs.join(", "),
    }
}

/// Pairs that are named in one message.
const PAIRS_MAX: usize = 6;
