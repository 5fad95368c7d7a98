//! What a policy needs of the configuration, and of itself, so that persons can say what they agree to.

use crate::config::{Config, codes};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::policy::Policy;

/// What is missing.
pub(super) fn missing(config: &Config, policy: &Policy) -> Diagnostics {
    let (needs, mut found) = (policy.needs(), Diagnostics::new());
    if needs.confirmation && config.portal.is_none() {
        let title = "the policy asks for consent that a link confirms, and there is no portal";
        found.push(
            Diagnostic::warning(codes::NO_PORTAL, title)
                .at(config.keys_place(), "only what is imported can be proven so well")
                .help("add `portal: { bind: …, url: … }` and `mail: { smtp: … }`: docs/consent/portal.md"),
        );
    }
    if let Some(portal) = &config.portal {
        let lacks = policy.organisation().lacks();
        if !lacks.is_empty() {
            let title = "pages and mails say who is responsible, and the policy does not";
            found.push(
                Diagnostic::error(codes::BAD_WAY, title)
                    .at(&portal.bind.place, format!("`organisation` lacks {}", lacks.join(", ")))
                    .help("write `organisation: { name: …, country: FR, address: …, dpo: …, authority: { name: …, url: … }, languages: [fr, en] }` into the policy"),
            );
        }
    }
    found
}
