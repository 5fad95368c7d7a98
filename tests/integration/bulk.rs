//! A bulk request is unpacked: each part is decided by itself, refused parts come back in their place.

use serde_json::{Value, json};

use crate::harness::world::{Wish, World};
use crate::roles::rich_contact;

fn bulk(world: &World, token: &str, requests: Value) -> crate::harness::client::Response {
    world.send(
        "POST",
        "/rest/v11_24/bulk",
        Some(token),
        Some(&json!({"requests": requests})),
    )
}

#[test]
fn parts_are_decided_one_by_one() {
    let world = World::demo();
    let truth = rich_contact(&world);
    let id = truth["id"].as_str().unwrap();
    let sally = world.login("sally");
    let reply = bulk(
        &world,
        &sally,
        json!([
            {"url": format!("/v11_24/Contacts/{id}?fields=full_name,iban_c,religion_c")},
            {"url": "v11_24/Contacts/filter", "method": "POST", "data": "{\"filter\":[{\"iban_c\":{\"$starts\":\"FR\"}}]}"},
            {"url": format!("v11_24/Contacts/{id}"), "method": "PUT", "data": {"department": "Export", "iban_c": truth["iban_c"]}},
            {"url": format!("v11_24/Contacts/{id}"), "method": "PUT", "data": {"department": "Export"}, "headers": ["Content-Type: application/json"]},
            {"url": "/v11_24/Contacts/no-such-id", "method": "GET"},
            {"url": "/v11_24/Notes/n-1/file/filename"},
            {"url": "/v11_24/Contacts/count"}
        ]),
    );
    assert_eq!(reply.status, 200, "{}", reply.text());
    let parts = reply.json();
    let statuses: Vec<_> = parts
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part["status"].as_u64().unwrap())
        .collect();
    assert_eq!(statuses, [200, 403, 403, 200, 404, 403, 200]);
    assert!(
        parts[0]["contents"]["iban_c"]
            .as_str()
            .unwrap()
            .contains('•')
    );
    assert!(parts[0]["contents"].get("religion_c").is_none());
    assert_eq!(parts[1]["contents"]["error"], json!("not_authorized"));
    assert!(parts[6]["contents"]["record_count"].is_number());
    let outer = &world.decision(&reply)[0];
    assert_eq!(outer["request"]["action"], json!("bulk"));
    let part_events: Vec<_> = world
        .events()
        .into_iter()
        .filter(|event| event["part_of"] == outer["id"] && event["phase"] == json!("closed"))
        .collect();
    assert_eq!(part_events.len(), 7, "each part has its own event");
    assert_eq!(world.truth("Contacts", id)["department"], json!("Export"));
}

#[test]
fn a_batch_with_a_nested_batch_or_a_credential_is_refused_whole() {
    let world = World::demo();
    let truth = rich_contact(&world);
    let id = truth["id"].as_str().unwrap();
    let sally = world.login("sally");
    let write = json!({"url": format!("v11_24/Contacts/{id}"), "method": "PUT", "data": {"department": "Elsewhere"}});
    for bad in [
        json!({"url": "/v11_24/bulk", "method": "POST", "data": "{\"requests\":[]}"}),
        json!({"url": "/v11_24/me", "headers": ["OAuth-Token: someone-else"]}),
        json!({"url": "/v11_24/me", "headers": {"Authorization": "Bearer someone-else"}}),
        json!({"url": "/v11_24/me?oauth_token=someone-else"}),
        json!({"url": "/v11_24/oauth2/token", "method": "POST", "data": "{}"}),
        json!({"url": "/v11_24/me", "headers": ["Paravent-Purpose: payment"]}),
    ] {
        let reply = bulk(&world, &sally, json!([write, bad]));
        assert_eq!(reply.status, 400, "{bad}");
    }
    assert_eq!(
        world.truth("Contacts", id)["department"],
        truth["department"],
        "no part of a refused batch was sent"
    );
}

#[test]
fn a_batch_without_a_session_is_not_authenticated() {
    let world = World::demo();
    assert_eq!(
        world
            .send(
                "POST",
                "/rest/v11_24/bulk",
                None,
                Some(&json!({"requests": []}))
            )
            .status,
        401
    );
    assert_eq!(
        bulk(&world, "not-a-token", json!([{"url": "/v11_24/me"}])).status,
        401
    );
}

#[test]
fn a_batch_holds_no_more_in_memory_than_one_reply_may() {
    let world = World::demo_with(Wish {
        held_bytes_max: 100 * 1024,
        ..Wish::default()
    });
    let sally = world.login("sally");
    let page = json!({"url": "/v11_24/Contacts?max_num=10"});
    let reply = bulk(&world, &sally, json!(vec![page; 20]));
    let statuses: Vec<_> = reply
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part["status"].as_u64().unwrap())
        .collect();
    assert_eq!((statuses[0], statuses[19]), (200, 502));
    assert!(reply.body.len() < 150 * 1024, "{}", reply.body.len());
}
