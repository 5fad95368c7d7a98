//! More proofs, and fewer roles, never show more.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::client::Response;

use super::rig::{FRONT_SECRET, Rig, now};

/// Each text that stands in a reply that is none of a refusal.
fn shown(reply: &Response) -> BTreeSet<String> {
    fn walk(value: &Value, at: &str, into: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => members
                .iter()
                .for_each(|(name, value)| walk(value, &format!("{at}.{name}"), into)),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(at_item, value)| walk(value, &format!("{at}.{at_item}"), into)),
            Value::Null => {}
            // What is masked shows less than what is not.
            Value::String(text) if text.contains('•') || text.is_empty() => {}
            value => {
                into.insert(format!("{at}={value}"));
            }
        }
    }
    let mut all = BTreeSet::new();
    if reply.status == 200 {
        walk(&reply.json(), "", &mut all);
    }
    all
}

const TARGETS: [&str; 3] = [
    "/rest/v11_24/Contacts?max_num=3",
    "/rest/v11_24/Contacts?max_num=3&fields=last_name,iban_c,birthdate,phone_mobile",
    "/rest/v11_24/Accounts?max_num=3",
];

#[test]
fn fewer_roles_never_show_more() {
    let rig = Rig::demo(&["identity: token"]);
    let roles = ["portal", "payer", "robot", "writer"];
    let strength = [json!({}), json!({"acr": "phr", "auth_time": now() - 5})];
    let held = |set: usize| {
        (0..4)
            .filter(move |at| set >> at & 1 == 1)
            .map(move |at| roles[at])
    };
    let tokens: Vec<[String; 2]> = (0..16)
        .map(|set| {
            strength
                .clone()
                .map(|claims| rig.token(&held(set).collect::<Vec<_>>(), claims))
        })
        .collect();
    for target in TARGETS {
        for purpose in ["contract", "payment"] {
            let ask = |token: &String| {
                shown(&rig.get(
                    0,
                    target,
                    &[("Paravent-Token", token), ("Paravent-Purpose", purpose)],
                ))
            };
            let all: Vec<[_; 2]> = tokens.iter().map(|pair| pair.each_ref().map(ask)).collect();
            for (set, [weak, strong]) in all.iter().enumerate() {
                // A weak token that names what it may not see is shown nothing.
                assert!(
                    weak.is_subset(strong),
                    "{set:b} {purpose} {target}: weak shows more"
                );
                for at in (0..4).filter(|at| set >> at & 1 == 1) {
                    let less = &all[set & !(1 << at)];
                    assert!(
                        less[1].is_subset(strong),
                        "{set:b} − {} {purpose} {target}",
                        roles[at]
                    );
                    assert!(
                        less[0].is_subset(strong),
                        "{set:b} − {} {purpose} {target}",
                        roles[at]
                    );
                }
            }
            assert!(all[0].iter().all(BTreeSet::is_empty));
        }
    }
}

#[test]
fn more_proofs_never_show_more() {
    let rig = Rig::demo(&[
        "identity: [crm-session, token, key, front]",
        "identity: [token, key, front]",
    ]);
    let (token, key) = (
        rig.token(&["payer"], json!({"crm_login": "sally"})),
        rig.key("erp", "127.0.0.0/8"),
    );
    let sally = rig.world.login("sally");
    let all: [&[(&str, &str)]; 4] = [
        &[("OAuth-Token", &sally)],
        &[("Paravent-Token", &token)],
        &[("Paravent-Key", &key)],
        &[
            ("X-Auth-Request-User", "ada"),
            ("X-Auth-Request-Groups", "desk"),
            ("X-Front-Secret", FRONT_SECRET),
        ],
    ];
    for listener in 0..2 {
        for target in TARGETS {
            let of = |set: usize| -> BTreeSet<String> {
                let headers: Vec<_> = (0..4)
                    .filter(|at| set >> at & 1 == 1)
                    .flat_map(|at| all[at].iter().copied())
                    .collect();
                shown(&rig.get(listener, target, &headers))
            };
            let shown: Vec<_> = (0..16).map(of).collect();
            for set in 0..16_usize {
                for at in (0..4).filter(|at| set >> at & 1 == 0) {
                    let more = set | 1 << at;
                    let is_nothing = set == 0;
                    // With a token of hers, her session stays what it is; the token's roles do not count.
                    let is_subset =
                        shown[more].is_subset(&shown[set]) || more == 3 && shown[3] == shown[1];
                    assert!(
                        is_nothing || is_subset,
                        "{listener} {target}: {set:b} → {more:b}"
                    );
                }
            }
            assert!(shown[0].is_empty());
        }
    }
}
