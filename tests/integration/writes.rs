//! Masks survive the round trip, and nothing is written that only looks like a value.

use serde_json::{Map, Value, json};

use crate::harness::world::{Wish, World};
use crate::roles::rich_contact;

fn put(world: &World, token: &str, id: &str, body: &Value) -> crate::harness::client::Response {
    world.send(
        "PUT",
        &format!("/rest/v11_24/Contacts/{id}"),
        Some(token),
        Some(body),
    )
}

/// The values of a record that a write of somebody else's fields must not touch.
fn settled(record: &Value) -> Map<String, Value> {
    let mut record = record.as_object().unwrap().clone();
    record.retain(|key, _| {
        !matches!(
            key.as_str(),
            "date_modified"
                | "_acl"
                | "modified_by_name"
                | "modified_user_id"
                | "modified_user_link"
        )
    });
    record
}

#[test]
fn a_whole_record_comes_back_and_only_the_change_is_written() {
    let world = World::demo();
    let truth = rich_contact(&world);
    let id = truth["id"].as_str().unwrap();
    let sally = world.login("sally");
    let mut shown = world
        .get(&format!("/rest/v11_24/Contacts/{id}"), &sally)
        .json();
    assert!(shown["iban_c"].as_str().unwrap().contains('•'));

    // One field is changed, and everything is sent back.
    shown["phone_work"] = json!("01 99 00 77 66");
    let reply = put(&world, &sally, id, &shown);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(
        reply.json()["iban_c"].as_str().unwrap().contains('•'),
        "the echo is filtered too"
    );
    let events = world.decision(&reply);
    assert_eq!(
        events
            .iter()
            .map(|event| event["phase"].as_str().unwrap())
            .collect::<Vec<_>>(),
        ["opened", "closed"]
    );
    assert_eq!(
        events[1]["request"]["written"],
        json!(["Contacts.phone_work"])
    );
    assert!(
        events[1]["dropped_masks"]
            .as_array()
            .unwrap()
            .contains(&json!("Contacts.iban_c"))
    );
    let mut expected = settled(&truth);
    expected.insert("phone_work".to_owned(), json!("01 99 00 77 66"));
    assert_eq!(settled(&world.truth("Contacts", id)), expected);

    // The words around the masked IBAN are edited; the IBAN is still there.
    let description = shown["description"].as_str().unwrap().to_owned();
    let around = json!({"description": format!("Seen at the fair. {description} Call back.")});
    assert_eq!(put(&world, &sally, id, &around).status, 200);
    let original = truth["description"].as_str().unwrap();
    expected.insert(
        "description".to_owned(),
        json!(format!("Seen at the fair. {original} Call back.")),
    );
    assert_eq!(settled(&world.truth("Contacts", id)), expected);

    // Another mask, a missing one, a doubled one, and an identifier of its own are refused, and nothing changes.
    let masked = description.find('•').unwrap();
    for text in [
        description.replacen('•', "*", 1),
        description.chars().filter(|c| *c != '•').collect(),
        format!("{description} {description}"),
        description[..masked].to_owned(),
        format!("Seen at the fair. {description} FR7699999000004001020304033"),
    ] {
        let reply = put(&world, &sally, id, &json!({"description": text}));
        assert_eq!(reply.status, 403, "{text}");
    }
    for value in [
        "FR•• •••• •••• (masked)",
        "FR76 **** **** 1234",
        "[iban]",
        "t_00112233445566778899aabbccddeeff",
        "FR7630006000011234567890189",
        "",
    ] {
        assert_eq!(
            put(&world, &sally, id, &json!({"iban_c": value})).status,
            403,
            "{value}"
        );
    }
    for body in [
        json!({"nir_c": "284039999900049"}),
        json!({"religion_c": "x"}),
        json!({"shoe_size_c": 44}),
        json!({"accounts": {"id": "x"}}),
    ] {
        assert_eq!(put(&world, &sally, id, &body).status, 403, "{body}");
    }
    assert_eq!(settled(&world.truth("Contacts", id)), expected);
}

#[test]
fn somebody_who_may_write_may_still_not_write_a_mask() {
    let world = World::demo();
    let truth = rich_contact(&world);
    let id = truth["id"].as_str().unwrap();
    let fanny = world.login("fanny");
    for value in [
        "FR76 •••• •••• •••• •••• •••0 189",
        "[iban]",
        "t_00112233445566778899aabbccddeeff",
    ] {
        assert_eq!(
            put(&world, &fanny, id, &json!({"iban_c": value})).status,
            403,
            "{value}"
        );
        assert_eq!(
            put(
                &world,
                &fanny,
                id,
                &json!({"description": format!("see {value} ok")})
            )
            .status,
            403,
            "{value}"
        );
    }
    let reply = put(
        &world,
        &fanny,
        id,
        &json!({"iban_c": "FR7630006000011234567890189"}),
    );
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(
        world.truth("Contacts", id)["iban_c"],
        json!("FR7630006000011234567890189")
    );
}

#[test]
fn an_update_that_changes_nothing_is_answered_without_a_write() {
    let world = World::demo();
    let truth = rich_contact(&world);
    let id = truth["id"].as_str().unwrap();
    let sally = world.login("sally");
    let shown = world
        .get(&format!("/rest/v11_24/Contacts/{id}"), &sally)
        .json();
    let reply = put(&world, &sally, id, &shown);
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["id"], truth["id"]);
    assert_eq!(reply.json()["last_name"], truth["last_name"]);
    assert_eq!(
        world.truth("Contacts", id),
        truth,
        "not even the date of the last change is new"
    );
    let events = world.decision(&reply);
    assert_eq!(events.len(), 1, "nothing was opened: {events:?}");
    assert_eq!(events[0]["request"]["written"], json!([]));
}

#[test]
fn records_are_created_linked_and_deleted_within_the_rules() {
    let world = World::demo();
    let sally = world.login("sally");
    let create =
        |body: Value| world.send("POST", "/rest/v11_24/Contacts", Some(&sally), Some(&body));
    let reply = create(
        json!({"first_name": "Odile", "last_name": "Vasseur", "description": "met at the fair", "iban_c": "", "nir_c": null}),
    );
    assert_eq!(reply.status, 200, "{}", reply.text());
    let id = reply.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(world.truth("Contacts", &id)["last_name"], json!("Vasseur"));
    for (body, status) in [
        (json!({"last_name": "X", "id": "my-own"}), 400),
        (
            json!({"last_name": "X", "iban_c": "FR7630006000011234567890189"}),
            403,
        ),
        (json!({"last_name": "X", "religion_c": "y"}), 403),
        (
            json!({"last_name": "X", "description": "IBAN FR76 3000 6000 0112 3456 7890 189"}),
            403,
        ),
        (json!({"last_name": "X", "description": "IBAN [iban]"}), 403),
    ] {
        assert_eq!(create(body.clone()).status, status, "{body}");
    }
    let truth = rich_contact(&world);
    let account = truth["account_id"].as_str().unwrap();
    let link = json!({"link_name": "contacts", "ids": [id]});
    let reply = world.send(
        "POST",
        &format!("/rest/v11_24/Accounts/{account}/link"),
        Some(&sally),
        Some(&link),
    );
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()["related_records"][0]["id"], json!(id));
    let unknown = json!({"link_name": "no_such_link", "ids": [id]});
    assert_eq!(
        world
            .send(
                "POST",
                &format!("/rest/v11_24/Accounts/{account}/link"),
                Some(&sally),
                Some(&unknown)
            )
            .status,
        403
    );
    let reply = world.send(
        "DELETE",
        &format!("/rest/v11_24/Contacts/{id}"),
        Some(&sally),
        None,
    );
    assert_eq!((reply.status, reply.json()), (200, json!({"id": id})));
    assert_eq!(
        world
            .get(&format!("/rest/v11_24/Contacts/{id}"), &sally)
            .status,
        404
    );
}

#[test]
fn what_is_no_plain_value_is_not_written() {
    let world = World::demo();
    let truth = rich_contact(&world);
    let id = truth["id"].as_str().unwrap();
    let sally = world.login("sally");
    for body in [
        json!({"phone_work": {"create": [{"iban_c": "x"}]}}),
        json!({"title": [{"id": "x"}]}),
        json!({"notes": {"create": [{"name": "x"}]}}),
        json!({"contacts_link_c": {"add": ["x"]}}),
        json!({"email": [{"email_address": "a@example.org", "contacts": {"create": []}}]}),
        json!({"email": {"add": ["a@example.org"]}}),
        json!({"accounts": {"add": ["a-1"]}}),
    ] {
        assert_eq!(put(&world, &sally, id, &body).status, 403, "{body}");
        let mut new = body.clone();
        new["last_name"] = json!("X");
        let reply = world.send("POST", "/rest/v11_24/Contacts", Some(&sally), Some(&new));
        assert_eq!(reply.status, 403, "{new}");
    }
    assert_eq!(world.truth("Contacts", id), truth);
    // An e-mail list as clients send it, and spellings of a key, pass as what they are.
    let email = json!([{"email_address": "odile.vasseur@example.org", "primary_address": true, "opt_out": "0"}]);
    assert_eq!(
        put(&world, &sally, id, &json!({"email": email})).status,
        200
    );
    assert_eq!(
        world.truth("Contacts", id)["email1"],
        json!("odile.vasseur@example.org")
    );
    assert_eq!(
        put(
            &world,
            &sally,
            id,
            &json!({"IBAN_C": "FR7630006000011234567890189"})
        )
        .status,
        403
    );
    assert_eq!(
        put(&world, &sally, id, &json!({"iban_c": null})).status,
        403
    );
}

#[test]
fn the_id_in_the_body_must_be_the_one_in_the_path() {
    let world = World::demo();
    let truth = rich_contact(&world);
    let id = truth["id"].as_str().unwrap();
    let sally = world.login("sally");
    assert_eq!(
        put(
            &world,
            &sally,
            id,
            &json!({"id": "another", "phone_work": "1"})
        )
        .status,
        400
    );
    assert_eq!(
        put(
            &world,
            &sally,
            id,
            &json!({"id": id, "phone_work": "01 99 00 00 01"})
        )
        .status,
        200
    );
}

/// A contact with a description, made by the CRM's administrator.
fn described(world: &World, description: &str) -> String {
    let admin = world.login_at(world.crm, "admin");
    let body = json!({"last_name": "Tavernier", "description": description});
    let made = world.send_to(
        world.crm,
        "POST",
        "/rest/v11_24/Contacts",
        Some(&admin),
        Some(&body),
    );
    made.json()["id"].as_str().unwrap().to_owned()
}

fn shown_description(world: &World, token: &str, id: &str) -> String {
    let shown = world
        .get(&format!("/rest/v11_24/Contacts/{id}"), token)
        .json();
    shown["description"].as_str().unwrap().to_owned()
}

#[test]
fn a_text_with_hidden_identifiers_is_not_replaced_by_something_else() {
    let world = World::demo();
    let sally = world.login("sally");
    let original = "RIB FR76 3000 6000 0112 3456 7890 189, merci";
    let id = described(&world, original);
    for value in [
        json!(null),
        json!(true),
        json!(5),
        json!(4_111_111_111_111_111_u64),
        json!(""),
        json!([]),
        json!({}),
        json!(["x"]),
    ] {
        let reply = put(&world, &sally, &id, &json!({"description": value}));
        assert_eq!(reply.status, 403, "{value}");
    }
    assert_eq!(world.truth("Contacts", &id)["description"], json!(original));
    // Another spelling of the name is not what the CRM answers to: nobody can tell what would be replaced.
    let reply = put(&world, &sally, &id, &json!({"DESCRIPTION": "x"}));
    assert_eq!(reply.status, 403);
    let plain = described(&world, "nothing hidden");
    assert_eq!(
        put(&world, &sally, &plain, &json!({"description": null})).status,
        200
    );
}

#[test]
fn an_answer_to_a_write_does_not_tell_the_digits_behind_a_mask() {
    // With the fifth digit that is guessed right, `NO` and what follows it is a valid Norwegian IBAN.
    let world = World::demo();
    let sally = world.login("sally");
    let id = described(&world, "RIB FR76 3000 6000 0112 3456 7890 189, merci");
    let shown = shown_description(&world, &sally, &id);
    let answers: Vec<u16> = (0..97)
        .map(|check| {
            let text = shown.replace("RIB ", &format!("RIB NO{check:02} 123456 "));
            put(&world, &sally, &id, &json!({"description": text})).status
        })
        .collect();
    assert_eq!(answers, [403; 97]);
    let card = described(&world, "CB 4111 1111 1111 1111 merci");
    let shown = shown_description(&world, &sally, &card);
    for digit in 0..10 {
        for text in [
            shown.replace(" merci", &format!(" 444{digit} merci")),
            shown.replace("CB", &format!("CB 444{digit}")),
        ] {
            let reply = put(&world, &sally, &card, &json!({"description": text}));
            assert_eq!(reply.status, 403, "{text}");
        }
    }
    let around = shown.replace("CB", "Vu le 12/03 (foire). CB");
    let reply = put(&world, &sally, &card, &json!({"description": around}));
    assert_eq!(reply.status, 403, "only plain words may come on the line");
    let around = shown.replace("CB", "Vu le 12 mars, foire. CB") + " Rappeler.";
    let reply = put(&world, &sally, &card, &json!({"description": around}));
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[test]
fn masks_that_look_alike_do_not_change_places() {
    let world = World::demo();
    let sally = world.login("sally");
    let original = "Alice 2 55 08 14 168 025 38 ; Bob 1 84 03 99 999 000 02.";
    let id = described(&world, original);
    let shown = shown_description(&world, &sally, &id);
    assert_eq!(shown, "Alice [nir] ; Bob [nir].");
    for text in [
        "Bob [nir] ; Alice [nir].",
        "Alice [nir]. Bob [nir].",
        "[nir] [nir]",
    ] {
        let reply = put(&world, &sally, &id, &json!({"description": text}));
        assert_eq!(reply.status, 403, "{text}");
    }
    let around = json!({"description": format!("Couple : {shown} Merci.")});
    assert_eq!(put(&world, &sally, &id, &around).status, 200);
    assert_eq!(
        world.truth("Contacts", &id)["description"],
        json!(format!("Couple : {original} Merci."))
    );
}

#[test]
fn records_are_not_written_through_a_field_that_is_no_link_to_anybody() {
    let world = World::demo();
    let truth = rich_contact(&world);
    let id = truth["id"].as_str().unwrap();
    let sally = world.login("sally");
    for body in [
        json!({"acme_phone_contacts": {"create": [{"iban_c": "x"}]}}),
        json!({"acme_phone_contacts": [{"iban_c": "x"}]}),
        json!({"phone_work": [["x"]]}),
        json!({"email": [{"email_address": "a@example.org", "x": {"create": []}}]}),
        json!({"email": {"add": ["x"]}}),
    ] {
        assert_eq!(put(&world, &sally, id, &body).status, 403, "{body}");
    }
    let body = json!({"email": [{"email_address": "a@example.org", "primary_address": true}]});
    assert_eq!(put(&world, &sally, id, &body).status, 200);
}

#[test]
fn a_text_is_not_replaced_through_a_relation() {
    let world = World::demo();
    let truth = rich_contact(&world);
    let (id, account) = (
        truth["id"].as_str().unwrap(),
        truth["account_id"].as_str().unwrap(),
    );
    let sally = world.login("sally");
    let links = format!("/rest/v11_24/Accounts/{account}/link");
    let columns = json!({"description": "x"});
    let many = json!({"link_name": "contacts", "ids": [{"id": id, "description": "x"}]});
    for (method, target, body) in [
        ("PUT", format!("{links}/contacts/{id}"), &columns),
        ("POST", format!("{links}/contacts/{id}"), &columns),
        ("POST", links.clone(), &many),
    ] {
        let reply = world.send(method, &target, Some(&sally), Some(body));
        assert_eq!(reply.status, 403, "{method} {target}");
    }
    let plain = json!({"opportunity_role": "Evaluator"});
    let target = format!("{links}/contacts/{id}");
    let reply = world.send("PUT", &target, Some(&sally), Some(&plain));
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[test]
fn the_log_names_what_was_changed_or_deleted_whatever_the_reply_is() {
    let world = World::demo_with(Wish {
        record_bytes_max: 6_000,
        ..Wish::default()
    });
    let truth = rich_contact(&world);
    let (id, account) = (&truth["id"], truth["account_id"].as_str().unwrap());
    let sally = world.login("sally");
    // A reply that is too large to be filtered does not hide which record was changed.
    let names = |module: &str, id: &str| json!([format!("{module}/{id}")]);
    let many = json!({
        "phone_office": "01 99 00 00 02",
        "fields": ["id", {"name": "assigned_user_link", "fields": []}, {"name": "contacts", "max_num": 100}]
    });
    let target = format!("/rest/v11_24/Accounts/{account}");
    let reply = world.send("PUT", &target, Some(&sally), Some(&many));
    assert_eq!(reply.status, 502, "{}", reply.text());
    for event in world.decision(&reply) {
        assert_eq!(event["records"]["refs"], names("Accounts", account));
    }
    let target = format!("/rest/v11_24/Contacts/{}", id.as_str().unwrap());
    let reply = world.send("DELETE", &target, Some(&sally), None);
    assert_eq!((reply.status, reply.json()), (200, json!({"id": id})));
    let events = world.decision(&reply);
    assert_eq!(
        events[1]["records"]["refs"],
        names("Contacts", id.as_str().unwrap())
    );
}
