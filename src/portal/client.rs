//! Which program of the house asks: who shows a key, of which the configuration has the SHA-256.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};

use super::problem::Problem;
use super::{Asked, Portal};
use crate::config::{ApiClient, May};
use crate::door::Carrier;

impl Portal {
    /// The program that asks.
    pub(super) fn client(&self, asked: &Asked) -> Result<&ApiClient, Problem> {
        let shown = asked.head.credential.as_ref().ok();
        let shown = shown.and_then(Option::as_ref);
        let shown = shown.filter(|shown| *shown.carrier() == Carrier::Bearer);
        let known = shown.and_then(|shown| {
            let hash = digest(&SHA256, shown.token().as_bytes());
            // All of them, however the first compares.
            let api = self.parts.settings.api.iter();
            api.fold(None, |found, client| {
                let is_its = verify_slices_are_equal(&client.sha256, hash.as_ref()).is_ok();
                if is_its { Some(client) } else { found }
            })
        });
        if let Some(client) = known {
            return Ok(client);
        }
        self.pace
            .stranger(asked.head.origin)
            .map_err(|trouble| Problem::from(&trouble))?;
        Err(Problem::new(
            401,
            "Show the key of a program, `Authorization: Bearer KEY`, of which `portal.api` has the SHA-256.",
        ))
    }
}

/// Whether a program may do something.
pub(super) fn permitted(client: &ApiClient, may: May) -> Result<(), Problem> {
    match client.may.contains(&may) {
        true => Ok(()),
        false => Err(Problem::new(
            403,
            "This key may not do that: `may` of its entry in `portal.api` says what it may.",
        )),
    }
}
