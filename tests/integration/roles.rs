//! The same contact, read in several roles, gives different answers, each recorded.

use serde_json::{Value, json};

use crate::harness::world::World;

/// A contact of the bare CRM with all bank data, and a description that repeats its IBAN.
pub fn rich_contact(world: &World) -> Value {
    let admin = world.login_at(world.crm, "admin");
    let full = |contact: &Value| {
        ["iban_c", "bic_c", "nir_c", "religion_c", "health_notes_c"]
            .iter()
            .all(|field| contact[*field].as_str().is_some_and(|v| !v.is_empty()))
    };
    let compact = |text: &str| {
        text.chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_uppercase()
    };
    let tells = |contact: &Value| {
        contact["description"]
            .as_str()
            .is_some_and(|text| compact(text).contains(contact["iban_c"].as_str().unwrap_or("-")))
    };
    let all = world.all_contacts(&admin);
    all.iter()
        .find(|contact| full(contact) && tells(contact))
        .cloned()
        .expect("the demo has such a contact")
}

#[test]
fn each_role_sees_what_the_policy_says() {
    let world = World::demo();
    let truth = rich_contact(&world);
    let id = truth["id"].as_str().unwrap();
    let iban = truth["iban_c"].as_str().unwrap();
    let masked = |contact: &Value| {
        let shown = contact["iban_c"].as_str().unwrap();
        assert!(
            shown.contains("••••") && shown.starts_with(&iban[..4]),
            "{shown}"
        );
        assert!(!shown.replace(' ', "").contains(&iban[4..iban.len() - 4]));
    };
    for account in ["sally", "sam", "fanny", "max", "dora"] {
        let token = world.login(account);
        let reply = world.get(&format!("/rest/v11_24/Contacts/{id}"), &token);
        assert_eq!(reply.status, 200, "{account}: {}", reply.text());
        let contact = reply.json();
        for name in [
            "id",
            "first_name",
            "last_name",
            "full_name",
            "title",
            "department",
            "email",
        ] {
            assert_eq!(contact[name], truth[name], "{account}: {name}");
        }
        assert_eq!(contact["nir_c"], Value::Null, "{account}");
        for hidden in ["religion_c", "health_notes_c", "union_member_c"] {
            assert!(contact.get(hidden).is_none(), "{account}: {hidden}");
        }
        let phone = &contact["phone_mobile"];
        match account {
            "sally" | "sam" => {
                masked(&contact);
                assert!(contact["bic_c"].as_str().unwrap().contains("••••"));
                assert_eq!(phone, &truth["phone_mobile"]);
                assert!(
                    contact["description"].as_str().unwrap().contains("••••"),
                    "the description repeats the IBAN"
                );
            }
            "max" => {
                assert_eq!(
                    (phone, &contact["iban_c"], &contact["bic_c"]),
                    (&Value::Null, &Value::Null, &Value::Null)
                );
            }
            _ => {
                assert_eq!(contact["iban_c"], truth["iban_c"]);
                assert_eq!(contact["bic_c"], truth["bic_c"]);
                assert_eq!(contact["description"], truth["description"]);
            }
        }
        let events = world.decision(&reply);
        assert_eq!(events.len(), 1);
        let event = &events[0];
        assert_eq!(event["caller"]["name"], json!(account));
        assert_eq!(event["records"]["refs"], json!([format!("Contacts/{id}")]));
        assert_eq!(event["records"]["count"], json!(1));
        assert_eq!(
            event["request"]["route"],
            json!("GET /rest/{version}/Contacts/{id}")
        );
        let withheld: usize = reply.header("paravent-withheld").unwrap().parse().unwrap();
        assert!(withheld >= 4, "{withheld}");
        let entry = |category: &str| {
            event["data"]
                .as_array()
                .unwrap()
                .iter()
                .find(|entry| entry["category"] == json!(category))
                .cloned()
        };
        let level = match account {
            "sally" | "sam" => "mask",
            "max" => "redact",
            _ => "clear",
        };
        assert_eq!(
            entry("financial.iban").unwrap()["level"],
            json!(level),
            "{account}"
        );
        assert_eq!(
            entry("special.belief").unwrap()["level"],
            json!("hide"),
            "{account}"
        );
    }
}

#[test]
fn nobody_writes_the_accounts_of_colleagues_and_marketing_writes_nothing() {
    let world = World::demo();
    let admin = world.login_at(world.crm, "admin");
    let users = world.send_to(world.crm, "GET", "/rest/v11_24/Users", Some(&admin), None);
    let users = users.json();
    let mut users = users["records"].as_array().unwrap().iter();
    let user = users.find(|user| user["is_admin"] == json!(false)).unwrap();
    let id = user["id"].as_str().unwrap();
    let user = world.truth("Users", id);
    let target = format!("/rest/v11_24/Users/{id}");
    for account in ["sally", "sam", "fanny", "max", "dora"] {
        let token = world.login(account);
        for body in [
            json!({"is_admin": true}),
            json!({"IS_ADMIN": "1"}),
            json!({"status": "Inactive"}),
            json!({"employee_status": "Terminated"}),
            json!({"user_hash": "x"}),
            json!({"system_generated_password": true}),
            json!({"first_name": "Somebody"}),
            json!({"title": "Director", "is_admin": true}),
        ] {
            let reply = world.send("PUT", &target, Some(&token), Some(&body));
            assert_eq!(reply.status, 403, "{account}: {body}");
        }
        // Private numbers are nobody's business; what comes back unchanged is left out of a write.
        let shown = world.get(&target, &token).json();
        assert!(shown["phone_mobile"].is_null(), "{account}: {shown}");
        assert_eq!(shown["last_name"], user["last_name"], "{account}");
        let reply = world.send("PUT", &target, Some(&token), Some(&shown));
        assert_eq!(reply.status, 200, "{account}: {}", reply.text());
    }
    let after = world.truth("Users", id);
    for field in ["is_admin", "status", "first_name", "title", "phone_mobile"] {
        assert_eq!(after[field], user[field], "{field}");
    }
    let contact = rich_contact(&world);
    let target = format!("/rest/v11_24/Contacts/{}", contact["id"].as_str().unwrap());
    for body in [
        json!({"first_name": "Somebody"}),
        json!({"email": "x@example.org"}),
        json!({"do_not_call": false}),
    ] {
        let reply = world.send("PUT", &target, Some(&world.login("max")), Some(&body));
        let is_unchanged =
            contact[body.as_object().unwrap().keys().next().unwrap()] == json!(false);
        assert_eq!(reply.status, if is_unchanged { 200 } else { 403 }, "{body}");
    }
    let reply = world.send(
        "PUT",
        &target,
        Some(&world.login("sally")),
        Some(&json!({"first_name": "Somebody"})),
    );
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[test]
fn an_administrator_without_a_role_in_the_policy_gets_nothing() {
    let world = World::demo();
    let token = world.login("admin");
    for target in [
        "/rest/v11_24/Contacts",
        "/rest/v11_24/Contacts/count",
        "/rest/v11_24/me",
        "/rest/v11_24/metadata",
        "/rest/v11_24/Users",
    ] {
        let reply = world.get(target, &token);
        assert_eq!(reply.status, 403, "{target}");
        assert_eq!(reply.json()["error"], json!("not_authorized"));
        assert_eq!(
            world.decision(&reply)[0]["outcome"]["reason"],
            json!("no-role")
        );
    }
}

#[test]
fn lists_links_and_nested_collections_are_held_to_the_rules_of_their_module() {
    let world = World::demo();
    let truth = rich_contact(&world);
    let iban = truth["iban_c"].as_str().unwrap();
    world.forbid("iban", iban);
    let sally = world.login("sally");
    let account = truth["account_id"].as_str().unwrap();
    let nested = r#"[%22name%22,{%22name%22:%22contacts%22,%22fields%22:[%22full_name%22,%22iban_c%22,%22nir_c%22,%22religion_c%22],%22max_num%22:5}]"#;
    for target in [
        "/rest/v11_24/Contacts?max_num=100&fields=id,full_name,iban_c,description".to_owned(),
        format!("/rest/v11_24/Accounts/{account}/link/contacts"),
        format!("/rest/v11_24/Accounts?filter[0][id]={account}&fields={nested}"),
        "/rest/v10/Notes?max_num=100".to_owned(),
        "/rest/v11/Cases?max_num=50".to_owned(),
        "/rest/v11_24/Leads?max_num=50".to_owned(),
    ] {
        let reply = world.get(&target, &sally);
        assert_eq!(reply.status, 200, "{target}: {}", reply.text());
        assert!(
            !reply.json()["records"].as_array().unwrap().is_empty(),
            "{target}"
        );
    }
    let reply = world.get(
        &format!("/rest/v11_24/Accounts?filter[0][id]={account}&fields={nested}"),
        &sally,
    );
    let contacts = reply.json()["records"][0]["contacts"]["records"].clone();
    let shown = contacts
        .as_array()
        .unwrap()
        .iter()
        .find(|contact| contact["id"] == truth["id"]);
    if let Some(shown) = shown {
        assert!(shown["iban_c"].as_str().unwrap().contains("••••"));
        assert!(shown.get("religion_c").is_none());
    }
}

#[test]
fn what_is_hidden_can_neither_be_matched_nor_sorted_nor_searched() {
    let world = World::demo();
    let sally = world.login("sally");
    let fanny = world.login("fanny");
    let post = |token: &str, body: Value| {
        world.send(
            "POST",
            "/rest/v11_24/Contacts/filter",
            Some(token),
            Some(&body),
        )
    };
    for filter in [
        json!({"filter": [{"iban_c": {"$starts": "FR76"}}]}),
        json!({"filter": [{"$or": [{"last_name": "x"}, {"religion_c": {"$not_empty": ""}}]}]}),
        json!({"filter": [{"description": {"$contains": "FR76"}}]}),
        json!({"filter": [{"no_such_field": 1}]}),
        json!({"order_by": "nir_c:desc"}),
        json!({"fields": [{"name": "accounts", "fields": ["name"], "order_by": "iban_c"}]}),
    ] {
        let reply = post(&sally, filter.clone());
        assert_eq!(reply.status, 403, "{filter}");
        assert_eq!(
            world.decision(&reply)[0]["outcome"]["reason"],
            json!("field-not-usable"),
            "{filter}"
        );
    }
    assert_eq!(
        post(
            &fanny,
            json!({"filter": [{"iban_c": {"$starts": "FR76"}}], "fields": "id", "max_num": 1})
        )
        .status,
        200
    );
    for target in [
        "Contacts/count?filter[0][iban_c][$starts]=F",
        "Contacts?order_by=iban_c",
        "Cases?filter[0][contacts.iban_c][$starts]=F",
    ] {
        assert_eq!(
            world.get(&format!("/rest/v11_24/{target}"), &sally).status,
            403,
            "{target}"
        );
    }
    assert_eq!(
        world
            .get("/rest/v11_24/Contacts?q=a&max_num=2", &sally)
            .status,
        200
    );
    assert_eq!(
        world.get("/rest/v11_24/Notes?q=a", &sally).status,
        403,
        "a module whose search nobody has listed"
    );
}

#[test]
fn purposes_can_be_chosen_only_among_those_the_caller_may_invoke() {
    let world = World::demo();
    let fanny = world.login("fanny");
    let ask = |purpose: &str| {
        let headers = vec![
            ("OAuth-Token", fanny.clone()),
            ("Paravent-Purpose", purpose.to_owned()),
        ];
        let request = crate::harness::client::Request {
            method: "GET",
            target: "/rest/v11_24/Contacts?max_num=1",
            headers,
            body: None,
        };
        world.send_request(world.proxy, &request)
    };
    let reply = ask("payment");
    assert_eq!(reply.status, 200);
    assert_eq!(
        world.decision(&reply)[0]["purpose"],
        json!({"id": "payment", "chosen_by": "header", "basis": "legal-obligation"})
    );
    for purpose in ["direct-marketing", "no-such-purpose"] {
        let reply = ask(purpose);
        assert_eq!(reply.status, 403);
        assert_eq!(
            world.decision(&reply)[0]["outcome"]["reason"],
            json!("purpose-not-allowed")
        );
        assert!(
            !world.decision(&reply)[0]
                .to_string()
                .contains("no-such-purpose"),
            "what the caller typed stays out of the log"
        );
    }
    assert_eq!(ask("a b").status, 400);
}

#[test]
fn the_caller_sees_who_he_is() {
    let world = World::demo();
    let sally = world.login("sally");
    let me = world.get("/rest/v11_24/me", &sally).json();
    let user = &me["current_user"];
    assert_eq!(
        (&user["user_name"], &user["roles"]),
        (&json!("sally"), &json!(["Sales"]))
    );
    assert!(user["acl"].is_object() && user["preferences"].is_object());
    let metadata = world.get("/rest/v11_24/metadata", &sally);
    assert_eq!(metadata.status, 200);
    let fields = metadata.json()["modules"]["Contacts"]["fields"].clone();
    assert!(fields["iban_c"].is_object());
    assert!(
        fields
            .as_object()
            .unwrap()
            .values()
            .all(|field| field.get("default").is_none()),
        "defaults can be values"
    );
    let ping = world.get("/rest/v11_24/ping", &sally);
    assert_eq!((ping.status, ping.json()), (200, json!("pong")));
}

#[test]
fn clients_that_leave_out_what_sugar_does_not_need_are_understood() {
    let world = World::demo();
    let send = |method: &str, target: &str, headers: Vec<(&str, String)>, body: &str| {
        let request = crate::harness::client::Request {
            method,
            target,
            headers,
            body: Some(body.as_bytes().to_vec()),
        };
        world.send_request(world.proxy, &request)
    };
    // No Content-Type means JSON; a client secret is optional; any platform is accepted.
    let login = r#"{"grant_type":"password","client_id":"sugar","username":"sally","password":"demo","platform":"acme_sync"}"#;
    let reply = send("POST", "/rest/v11_24/oauth2/token", Vec::new(), login);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let keys: Vec<String> = reply.json().as_object().unwrap().keys().cloned().collect();
    assert!(
        keys.iter().all(|key| [
            "access_token",
            "expires_in",
            "token_type",
            "scope",
            "refresh_token",
            "refresh_expires_in",
            "download_token"
        ]
        .contains(&key.as_str())),
        "{keys:?}"
    );
    let token = || {
        vec![(
            "Authorization",
            format!("Bearer {}", reply.json()["access_token"].as_str().unwrap()),
        )]
    };
    // An empty body is an empty object.
    assert_eq!(
        send("POST", "/rest/v11_24/Contacts/filter", token(), "").status,
        200
    );
    assert_eq!(
        send(
            "POST",
            "/rest/v11_24/Contacts/filter",
            token(),
            r#"{"max_num":1,"fields":["id","last_name"]}"#
        )
        .status,
        200
    );
    // The version may stand in the Accept header, but not in both places.
    let accept = || {
        (
            "Accept",
            "application/vnd.sugarcrm.core+json; version=11.24".to_owned(),
        )
    };
    let get = |target: &str| {
        let headers = token().into_iter().chain([accept()]).collect();
        world
            .send_request(
                world.proxy,
                &crate::harness::client::Request {
                    method: "GET",
                    target,
                    headers,
                    body: None,
                },
            )
            .status
    };
    assert_eq!(
        (
            get("/rest/Contacts?max_num=1"),
            get("/rest/v11_24/Contacts?max_num=1")
        ),
        (200, 400)
    );
    let refresh = serde_json::json!({"grant_type": "refresh_token", "client_id": "sugar", "refresh_token": reply.json()["refresh_token"]});
    let renewed = send(
        "POST",
        "/rest/v11_24/oauth2/token",
        Vec::new(),
        &refresh.to_string(),
    );
    assert_eq!(renewed.status, 200, "{}", renewed.text());
    // Logged out is logged out, at once.
    assert_eq!(
        send("POST", "/rest/v11_24/oauth2/logout", token(), "{}").status,
        200
    );
    assert_eq!(get("/rest/Contacts?max_num=1"), 401);
}
