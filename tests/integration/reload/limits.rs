//! Limits of a policy that changes: what the same limit has counted stays, and a new one counts what was shown before.

use std::fs;

use serde_json::json;

use super::rig::{Rig, Wish};
use crate::harness::client;
use crate::harness::scripted::{self, Received, Scripted};

/// Each contact that is asked for is there.
fn answer(request: &Received) -> Vec<u8> {
    if request.line.contains("/me ") {
        return scripted::me("sally", "Sales");
    }
    let path = request.line.split(' ').nth(1).unwrap();
    let id = path.rsplit('/').next().unwrap().split('?').next();
    let record =
        json!({"id": id, "_module": "Contacts", "first_name": "Odile", "phone_work": "0123456789"});
    scripted::json(200, record.to_string().as_bytes())
}

/// The statuses with which contacts are read.
fn read(rig: &Rig, ids: std::ops::Range<u32>) -> Vec<u16> {
    let one = |id: u32| {
        let request = format!(
            "GET /rest/v11_24/Contacts/c-{id} HTTP/1.1\r\nHost: a\r\nOAuth-Token: t\r\nConnection: close\r\n\r\n"
        );
        client::raw(rig.address, request.as_bytes()).status
    };
    ids.map(one).collect()
}

#[test]
fn a_new_limit_counts_what_was_shown_before_and_the_same_one_keeps_its_count() {
    let rig = Rig::before(Scripted::start(answer), Wish::default(), |_| {});
    let limit = |text: &str| {
        let text = format!("limits: [{{ {text} }}]\n");
        fs::write(rig.policies().join("limits.yaml"), text).unwrap();
        rig.taken();
    };
    assert_eq!(read(&rig, 0..3), [200, 200, 200]);
    limit("name: bulk, count: records, max: 4/h, then: block");
    assert_eq!(read(&rig, 0..5), [200, 200, 200, 200, 429]);
    // It says the same in other words.
    limit("max: 4/h, name: bulk, then: block, count: records, why: nobody needs more");
    assert_eq!(read(&rig, 3..5), [200, 429]);
    limit("name: bulk, count: records, max: 5/h, then: block");
    assert_eq!(read(&rig, 3..6), [200, 200, 429]);
    assert_eq!(rig.named("limit.records").len(), 2, "it is another limit");
}
