//! Records events until it is killed, and says of each that it was acknowledged; or looks whether all of them are there.
//!
//! `ledger_writer record DIR N` says `N`, `N+1`, … as they are acknowledged; `ledger_writer check DIR` reads numbers, one a line.

use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use paravent::ledger::{
    Address, Channel, Clock, Draft, Kind, Ledger, PersonKeys, Place, Proof, Settings, Verdict, Who,
};

/// Persons that take turns.
const PERSONS: u64 = 50;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (what, folder) = (arguments.next(), arguments.next());
    let (Some(what), Some(folder)) = (what, folder) else {
        eprintln!("usage: ledger_writer record DIR N | check DIR");
        return ExitCode::from(2);
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let problems = runtime.block_on(async {
        let ledger = Ledger::open(Settings {
            place: Place::Folder(PathBuf::from(folder)),
            keys: PersonKeys::new(&[&[7; 32]]).expect("a key"),
            bytes_max: u64::MAX,
            clock: Clock::system(),
        });
        let ledger = ledger.await.expect("the ledger opens");
        match what.as_str() {
            "record" => {
                let from = arguments.next().and_then(|from| from.parse().ok());
                record(&ledger, from.expect("a number")).await
            }
            _ => check(&ledger).await,
        }
    });
    for problem in &problems {
        println!("{problem}");
    }
    ExitCode::from(u8::from(!problems.is_empty()))
}

async fn record(ledger: &Ledger, from: u64) -> Vec<String> {
    let mut number = from;
    loop {
        let address = format!("p{}@example.com", number % PERSONS);
        let address = Address::parse(&address).expect("an address");
        let kind = [Kind::Given, Kind::Withdrawn][usize::from(number.is_multiple_of(3))];
        let draft = Draft {
            proof: Proof::None,
            source: "kills".to_owned(),
            by: "writer".to_owned(),
            reference: Some(format!("n{number}")),
            ..Draft::new(Who::Address(address), "newsletter", kind, Channel::Staff)
        };
        let recorded = ledger.append(draft).await.expect("it is recorded");
        assert!(recorded.is_new(), "{number} was there");
        println!("{number}");
        std::io::stdout().flush().expect("somebody reads");
        number += 1;
    }
}

async fn check(ledger: &Ledger) -> Vec<String> {
    let mut problems = Vec::new();
    let mut known = std::collections::BTreeSet::new();
    let mut seq = 0;
    loop {
        let page = ledger.events_after(seq).await.expect("events are read");
        let Some(last) = page.last() else { break };
        seq = last.seq;
        known.extend(page.into_iter().filter_map(|event| event.reference));
    }
    for line in std::io::stdin().lock().lines() {
        let reference = format!("n{}", line.expect("numbers"));
        if !known.contains(&reference) {
            problems.push(format!("{reference} was acknowledged and is lost"));
        }
    }
    match ledger.verify().await.expect("the chain is read") {
        Verdict::Sound { events, .. } => eprintln!("{events} events"),
        broken => problems.push(format!("{broken:?}")),
    }
    problems
}
