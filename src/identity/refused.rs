//! Why a proof does not count.

use crate::reason::Reason;

/// Why a proof does not count: what the caller is told, and what the operator is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What the caller is told: no more than that it does not count.
    pub reason: Reason,
    /// Why, for the log of operators only. A fixed text.
    pub why: &'static str,
}

impl From<super::token::Refused> for Refused {
    fn from(refused: super::token::Refused) -> Self {
        let super::token::Refused { reason, why, .. } = refused;
        Self { reason, why }
    }
}
