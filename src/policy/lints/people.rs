//! Modules of which `people` does not say whom their records are about.

use crate::diagnostic::{Diagnostic, Diagnostics, quoted};

use super::super::codes;
use super::super::model::Model;

pub(super) fn warn(model: &Model, found: &mut Diagnostics) {
    let Some(people) = &model.people else {
        return;
    };
    let unsaid = model.classes.modules.iter();
    for (module, section) in unsaid.filter(|(module, _)| !people.know(module)) {
        let title = format!("`people` does not say whom records of {module} are about");
        let warning = Diagnostic::warning(codes::NOT_AMONG_PEOPLE, title);
        let help = format!(
            "add {} to `people`, or `{module}: none`",
            quoted(module.as_str())
        );
        let warning = warning.help(help);
        found.push(match &section.place {
            Some(place) => warning.at(
                place,
                "purposes on consent do not show them, and others nothing but what is technical",
            ),
            None => warning,
        });
    }
}
