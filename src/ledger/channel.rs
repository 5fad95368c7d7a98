//! The ways in which events come in. Each fixes by whom an event is, and how well it can be proven at best.

use super::kinds::{ByKind, Kind, Proof};
use super::refused::Refused;
use super::shown::{Shown, Use};

/// The way in which an event comes in.
#[derive(Clone, Debug)]
pub enum Channel {
    /// A program of the house, with its key.
    ApiKey,
    /// A form that anybody can fill in, for any address.
    Form,
    /// A link that went to the person's mailbox: the only way to the person's own act.
    Link(Shown),
    /// Somebody of the house, at the command line.
    Staff,
    /// A file.
    Import,
    /// Another system, asked by the proxy.
    Sync,
}

impl Channel {
    /// By whom its events are.
    pub fn by_kind(&self) -> ByKind {
        match self {
            Self::ApiKey | Self::Form => ByKind::System,
            Self::Link(_) => ByKind::Person,
            Self::Staff => ByKind::Staff,
            Self::Import | Self::Sync => ByKind::Import,
        }
    }

    /// How well its events can be proven at best. Files and other systems tell of proofs that others made; that they are not
    /// the person's own acts stays.
    pub fn best_proof(&self) -> Proof {
        match self {
            Self::Form => Proof::None,
            Self::ApiKey => Proof::SingleOptIn,
            Self::Link(_) | Self::Import | Self::Sync => Proof::DoubleOptIn,
            Self::Staff => Proof::SignedRequest,
        }
    }

    /// Whether an event of this kind and proof may come in this way.
    pub(super) fn check(
        &self,
        kind: Kind,
        proof: Proof,
        has_reference: bool,
    ) -> Result<(), Refused> {
        let is_fitting = match self {
            // What anybody can type affirms nothing.
            Self::Form => kind == Kind::Requested || kind.denies(),
            Self::Link(shown) => fits_link(shown.used_for(), kind),
            Self::Staff => kind != Kind::Confirmed,
            Self::ApiKey | Self::Import | Self::Sync => kind != Kind::Confirmed && !kind.lifts(),
        };
        if !is_fitting {
            return Err(Refused::Kind);
        }
        let is_staff = matches!(self, Self::Staff);
        if proof > self.best_proof() || is_staff && proof == Proof::DoubleOptIn {
            return Err(Refused::Proof);
        }
        match proof == Proof::SignedRequest && !has_reference {
            true => Err(Refused::Unsigned),
            false => Ok(()),
        }
    }
}

/// Whether a link of this use may say this. A link that ends mails goes along when a mail is handed on: it only denies.
fn fits_link(used_for: Use, kind: Kind) -> bool {
    match used_for {
        Use::Confirm => matches!(kind, Kind::Confirmed | Kind::Refused),
        Use::Preferences => true,
        Use::Unsubscribe => kind.denies(),
        Use::Identify => kind.denies() || kind == Kind::Notice,
    }
}
