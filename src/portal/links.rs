//! Links of the portal: how long they are good, and how they are written.

use jiff::{SignedDuration, Timestamp};

use super::Portal;
use super::trouble::Trouble;
use crate::ledger::{NewLink, Use};

/// How long a request can be confirmed.
const CONFIRM: SignedDuration = SignedDuration::from_hours(48);
/// How long choices can be seen and changed, and mails ended.
const OTHERS: SignedDuration = SignedDuration::from_hours(30 * 24);

impl Portal {
    /// A link that is good once the ledger has it, and its URL.
    pub(super) fn new_link(
        &self,
        used_for: Use,
        purpose: &str,
        now: Timestamp,
    ) -> Result<(NewLink, String), Trouble> {
        let age = match used_for {
            Use::Confirm => CONFIRM,
            Use::Preferences | Use::Unsubscribe | Use::Identify => OTHERS,
        };
        let expires = now.saturating_add(age).map_err(|_| Trouble::UNAVAILABLE)?;
        let link = self.parts.ledger.new_link(used_for, purpose, expires)?;
        let path = match used_for {
            Use::Confirm => "/consent/confirm",
            Use::Unsubscribe => "/preferences/unsubscribe",
            Use::Preferences | Use::Identify => "/preferences",
        };
        let url = format!("{}{path}?t={}", self.parts.settings.origin(), link.token());
        Ok((link, url))
    }
}
