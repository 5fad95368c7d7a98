//! Many reloads under load: no request fails, and each is decided by exactly the policy that its event names.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use paravent::reload::Outcome;

use super::rig::{self, A, B, Kept, Levels, Rig, Wish, hash, shown, write};
use crate::harness::client::Response;

/// How often is reloaded, where nobody says otherwise.
const RELOADS: usize = 300;

fn reloads() -> usize {
    let said = std::env::var("PARAVENT_RELOADS").ok();
    said.map_or(RELOADS, |said| said.parse().unwrap())
}

/// The decision of a reply, and what it shows.
fn told(reply: &Response) -> (String, Levels) {
    let id = reply.header("paravent-decision").unwrap().to_owned();
    (id, shown(reply))
}

#[test]
fn reloads_under_load_fail_no_request_and_each_reply_is_of_the_policy_of_its_event() {
    let rig = Rig::start(Wish::default());
    let (done, all) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let mut kept = Kept(TcpStream::connect(rig.address).unwrap());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut own = Vec::new();
                while !done.load(Ordering::SeqCst) {
                    own.push(told(&rig::ask(rig.address)));
                }
                all.lock().unwrap().extend(own);
            });
        }
        // One connection lives through all of it.
        scope.spawn(|| {
            let mut own = Vec::new();
            while !done.load(Ordering::SeqCst) {
                own.push(told(&kept.ask()));
            }
            all.lock().unwrap().extend(own);
        });
        for number in 1..=reloads() {
            let levels = if number % 2 == 0 { A } else { B };
            if number % 3 == 0 {
                let text = format!("policy: [ {number}");
                fs::write(rig.policies().join("phones.yaml"), text).unwrap();
                assert!(matches!(rig.look().policy, Outcome::Rejected(_)));
            }
            write(&rig.policies(), levels);
            rig.taken();
            // From the answer on, the new one decides.
            let (id, now) = told(&rig.ask());
            assert_eq!(now, levels);
            all.lock().unwrap().push((id, now));
        }
        done.store(true, Ordering::SeqCst);
    });
    let events = rig.stop();
    let named = |name: &str| events.iter().filter(|one| one["event"] == name).count();
    assert_eq!(named("policy.loaded"), 1 + reloads());
    assert_eq!(named("policy.rejected"), reloads() / 3);
    let by: BTreeMap<&str, &str> = events
        .iter()
        .filter(|event| event["request"].is_object())
        .map(|event| {
            let hash = event["policy"]["hash"].as_str().unwrap();
            (event["id"].as_str().unwrap(), hash)
        })
        .collect();
    let hashes = BTreeMap::from([(A, hash(A)), (B, hash(B))]);
    let all = all.into_inner().unwrap();
    assert!(all.len() > 2 * reloads(), "{} replies", all.len());
    for (id, levels) in &all {
        assert_eq!(by[id.as_str()], hashes[levels], "{id}");
    }
    for levels in [A, B] {
        assert!(all.iter().filter(|(_, one)| *one == levels).count() > all.len() / 20);
    }
    println!("{} reloads, {} replies", reloads(), all.len());
}
