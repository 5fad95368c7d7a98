//! `paravent consent receipt`.

use clap::Args;
use jiff::Timestamp;

use super::super::crm::Failed;
use super::super::{DONE, print};
use super::Configured;
use super::opened::{Opened, operator, refused, with};
use crate::config::Config;
use crate::consent::{Maker, Note, Signer};

/// Of which decision.
#[derive(Debug, Args)]
#[command(
    after_help = "The receipt names the person by the ledger's identifier and holds no address of theirs; it is for the person. Its fields: docs/consent/receipts.md."
)]
pub(super) struct Arguments {
    /// The event: `show --history` tells them
    event: String,
    /// Signed with `keys.receipts`: a compact JWS
    #[arg(long)]
    jws: bool,
    #[command(flatten)]
    config: Configured,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> Result<u8, Failed> {
    with(&arguments.config.path, async |opened: &Opened| {
        let signer = match arguments.jws {
            true => Some(signer(&opened.config)?),
            false => None,
        };
        let maker = Maker {
            terms: &opened.terms,
            preferences: None,
        };
        let missing = maker.missing();
        if !missing.is_empty() {
            return Err(Failed::problem(format!(
                "a receipt names who is responsible, and the policy's `organisation` lacks {}",
                missing.join(", ")
            )));
        }
        let ledger = &opened.ledger;
        let event = ledger.event(arguments.event.clone()).await;
        let event = event
            .map_err(refused)?
            .ok_or_else(|| Failed::unusable("the ledger has no such event"))?;
        let receipt = maker.receipt(&event, Timestamp::now()).ok_or_else(|| {
            Failed::unusable(
                "this event is no decision about a purpose of the policy: there is no receipt of it",
            )
        })?;
        let note = Note::Read {
            person: Some(&event.person),
            how: "receipt",
        };
        let noted = ledger.send(vec![note.by(&operator())]).await;
        noted.map_err(refused)?;
        for lack in &receipt.lacks {
            eprintln!("note: the event does not say {lack}, and so does the receipt");
        }
        print(&match signer {
            Some(signer) => format!("{}\n", signer.sign(&receipt.document)),
            None => format!("{:#}\n", receipt.document),
        });
        Ok(DONE)
    })
}

fn signer(config: &Config) -> Result<Signer, Failed> {
    let key = config.receipts_key().ok_or_else(|| {
        Failed::unusable(
            "there is no key to sign with: name one, `keys: { receipts: { file: receipts.pem } }`",
        )
    })?;
    Signer::read(key).map_err(|why| Failed::unusable(why.to_string()))
}
