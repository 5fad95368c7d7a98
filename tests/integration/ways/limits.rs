//! Who guesses is slowed down, and slows nobody else down; nobody fills the log.

use serde_json::json;

use crate::harness::world::Wish;

use super::rig::{Behind, Plan, Rig};
use super::tap::Tap;

const LIST: &str = "/rest/v11_24/Contacts?max_num=1&fields=last_name";

fn rig() -> Rig {
    let plan = Plan {
        wish: Wish {
            logins_per_minute: 5,
            ..Wish::default()
        },
        ..Plan::demo(&["identity: [token, key, front]"])
    };
    Rig::new(Behind::Demo(Tap::start()), plan)
}

#[test]
fn guesses_of_one_origin_are_slowed_and_nobody_else() {
    let rig = rig();
    let (token, key) = (
        rig.token(&["portal"], json!({})),
        rig.key("erp", "127.0.0.0/8"),
    );
    let wrong = format!("{}{}", &key[..key.len() - 4], "aaaa");
    let forged = rig.forged(&["portal"]);
    for proof in [("Paravent-Key", &*wrong), ("Paravent-Token", &*forged)] {
        let statuses: Vec<_> = (0..20).map(|_| rig.get(0, LIST, &[proof]).status).collect();
        assert!(statuses.ends_with(&[429; 5]), "{statuses:?}");
        assert!(statuses.iter().all(|status| [401, 429].contains(status)));
    }
    for source in ["127.0.0.1", "127.0.0.3"] {
        for proof in [("Paravent-Token", &*token), ("Paravent-Key", &*key)] {
            assert_eq!(
                rig.get_from(source, 0, LIST, &[proof]).status,
                200,
                "{source}"
            );
        }
    }
    assert_eq!(
        rig.get_from("127.0.0.3", 0, LIST, &[("Paravent-Key", &wrong)])
            .status,
        401
    );
}

#[test]
fn a_flood_of_bad_proofs_is_counted() {
    let rig = rig();
    let before = rig.world.events().len();
    let front = [
        ("X-Auth-Request-User", "ada"),
        ("X-Auth-Request-Groups", "desk"),
        ("X-Front-Secret", "wrong-but-long-enough"),
    ];
    let forged: Vec<_> = (0..20).map(|_| rig.forged(&["portal"])).collect();
    for number in 0..160 {
        match number % 4 {
            0 => rig.get(0, LIST, &[("Paravent-Token", &*forged[number / 8])]),
            1 => rig.get(
                0,
                LIST,
                &[(
                    "Paravent-Key",
                    "pvk_aaaaaaaaaaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                )],
            ),
            2 => rig.get(0, LIST, &front),
            _ => rig.send(
                0,
                "POST /rest/v11_24/nonsense",
                &[("Paravent-Token", &forged[number / 8])],
                None,
            ),
        };
    }
    let after = rig.world.events().len();
    assert!(after - before < 20, "{before} {after}");
    assert_eq!(rig.lines(), [""; 0]);
}
