//! What somebody's notes say of a person's health, belief and the like stays in the CRM.

use serde_json::{Value, json};

use crate::harness::client::Response;
use crate::harness::world::{Wish, World};
use crate::roles::rich_contact;

/// A statement that says it outright, and what stands around it.
const SAID: &str = "Elle est séropositive depuis 2019";

fn held() -> String {
    format!("Rencontrée au salon de Lyon. {SAID}. Rappeler mardi.")
}

fn path(id: &str) -> String {
    format!("/rest/v11_24/Contacts/{id}")
}

/// Writes a description past the proxy.
fn plant(world: &World, id: &str, description: &str) {
    let admin = world.login_at(world.crm, "admin");
    let body = json!({"description": description});
    let reply = world.send_to(world.crm, "PUT", &path(id), Some(&admin), Some(&body));
    assert_eq!(reply.status, 200);
}

fn write(world: &World, token: &str, id: &str, description: &str) -> Response {
    world.send(
        "PUT",
        &path(id),
        Some(token),
        Some(&json!({"description": description})),
    )
}

fn truth(world: &World, id: &str) -> String {
    world.truth("Contacts", id)["description"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn closed(world: &World, reply: &Response) -> Value {
    world.decision(reply).pop().unwrap()
}

#[test]
fn a_statement_is_withheld_and_comes_back_where_it_stood() {
    let world = World::demo();
    let contact = rich_contact(&world);
    let id = contact["id"].as_str().unwrap();
    plant(&world, id, &held());
    let sally = world.login("sally");

    let reply = world.get(&path(id), &sally);
    let shown = reply.json()["description"].as_str().unwrap().to_owned();
    assert_eq!(
        shown,
        "Rencontrée au salon de Lyon. [withheld]. Rappeler mardi."
    );
    // The log says that something of a special category was found, and not which.
    let event = closed(&world, &reply);
    let special = |entry: &&Value| {
        entry["category"] == "special" && entry["in_text"] == 1 && entry["level"] == "redact"
    };
    assert!(
        event["data"]
            .as_array()
            .unwrap()
            .iter()
            .any(|entry| special(&entry)),
        "{}",
        event["data"]
    );
    assert_eq!(event["outcome"]["kind"], "partial");

    // What stands around it may change.
    let edited = shown
        .replace("Lyon", "Dijon")
        .replace("mardi", "jeudi matin");
    assert_eq!(write(&world, &sally, id, &edited).status, 200);
    assert_eq!(
        truth(&world, id),
        held()
            .replace("Lyon", "Dijon")
            .replace("mardi", "jeudi matin")
    );

    // The word that stands for it is no text of anybody's.
    for text in ["Rappeler mardi.", "[withheld]. [withheld]. Rappeler mardi."] {
        let reply = write(&world, &sally, id, text);
        assert_eq!(reply.status, 403, "{text}");
        assert_eq!(
            truth(&world, id),
            held()
                .replace("Lyon", "Dijon")
                .replace("mardi", "jeudi matin")
        );
    }
}

#[test]
fn a_new_statement_is_a_write_to_its_category() {
    let world = World::demo();
    let contact = rich_contact(&world);
    let id = contact["id"].as_str().unwrap();
    plant(&world, id, "Rencontrée au salon de Lyon.");
    let sally = world.login("sally");

    let reply = write(&world, &sally, id, &held());
    assert_eq!(reply.status, 403);
    let text = reply.json()["error_message"].as_str().unwrap().to_owned();
    assert!(
        text.contains("health") && !text.contains("séropositive"),
        "{text}"
    );
    assert_eq!(
        closed(&world, &reply)["outcome"]["reason"],
        "special-category-in-text"
    );
    assert_eq!(truth(&world, id), "Rencontrée au salon de Lyon.");

    // On a new record, too.
    let body = json!({"last_name": "Durand", "description": held()});
    let reply = world.send("POST", "/rest/v11_24/Contacts", Some(&sally), Some(&body));
    assert_eq!(reply.status, 403);

    // A clean text passes.
    let reply = write(
        &world,
        &sally,
        id,
        "Travaille pour une assurance santé. Rappeler mardi.",
    );
    assert_eq!(reply.status, 200);
    assert_eq!(closed(&world, &reply)["flagged"], Value::Null);
}

#[test]
fn what_is_withheld_is_neither_guessed_nor_said_of_somebody_else() {
    let world = World::demo();
    let contact = rich_contact(&world);
    let id = contact["id"].as_str().unwrap();
    let held = format!("Vues au salon. Mme Durand :\n{SAID}.\nRappeler mardi.");
    plant(&world, id, &held);
    let sally = world.login("sally");
    let shown = world.get(&path(id), &sally).json()["description"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(shown.contains("Mme Durand :\n[withheld]"), "{shown}");

    let refused = |text: &str| {
        let reply = write(&world, &sally, id, text);
        assert_eq!(truth(&world, id), held);
        let reason = closed(&world, &reply)["outcome"]["reason"].clone();
        (reply.status, reason.as_str().unwrap_or_default().to_owned())
    };
    // The clause itself and another one are answered alike.
    for guess in [SAID, "Elle est séropositive depuis 2018"] {
        let answer = refused(&format!("{shown}\n{guess}."));
        assert_eq!(
            answer,
            (403, "special-category-in-text".to_owned()),
            "{guess}"
        );
    }
    for label in ["M. Martin :", "Mme Durand : absente. M. Martin :"] {
        let answer = refused(&shown.replace("Mme Durand :", label));
        assert_eq!(answer, (403, "edited-too-close".to_owned()), "{label}");
    }
    // What else is said may change.
    let edited = shown.replace("salon", "bureau").replace("mardi", "jeudi");
    assert_eq!(write(&world, &sally, id, &edited).status, 200);
}

#[test]
fn a_text_that_is_longer_than_what_is_searched_is_neither_shown_nor_replaced() {
    let world = World::demo_with(Wish {
        text_bytes_max: 2_048,
        ..Wish::default()
    });
    let contact = rich_contact(&world);
    let id = contact["id"].as_str().unwrap();
    let sally = world.login("sally");
    let text = |bytes: usize| "Rappeler mardi. ".repeat(bytes / 16);

    plant(&world, id, &text(2_048));
    let reply = world.get(&path(id), &sally);
    assert_eq!(reply.json()["description"], text(2_048));

    let long = text(2_064);
    plant(&world, id, &long);
    let reply = world.get(&path(id), &sally);
    assert_eq!(reply.json()["description"], Value::Null);
    // The whole record sent back changes nothing of it.
    let mut record = reply.json();
    record["title"] = json!("CFO");
    let fields = ["description", "title"].map(|field| (field.to_owned(), record[field].clone()));
    let body = Value::Object(fields.into_iter().collect());
    let reply = world.send("PUT", &path(id), Some(&sally), Some(&body));
    assert_eq!(reply.status, 200);
    assert_eq!(world.truth("Contacts", id)["title"], "CFO");

    // Neither is it replaced by somebody who does not see it, nor by one that is as long.
    for text in ["Rappeler jeudi.", &long.replace("mardi", "jeudi")] {
        let reply = write(&world, &sally, id, text);
        let reason = closed(&world, &reply)["outcome"]["reason"].clone();
        assert_eq!((reply.status, reason), (403, json!("text-too-long")));
    }
    assert_eq!(truth(&world, id), long);
    plant(&world, id, "Rappeler.");
    assert_eq!(write(&world, &sally, id, &long).status, 403);
    assert_eq!(truth(&world, id), "Rappeler.");
}
