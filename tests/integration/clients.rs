//! Clients that were written without us: their requests as they send them, before scripted CRMs.

use std::path::PathBuf;
use std::sync::Arc;

use paravent::dialect::Dialect;
use paravent::dialect::engine::Described;
use paravent::policy::Policy;
use serde_json::{Value, json};

use crate::harness::client::{Request, Response};
use crate::harness::scripted::{self, Received, Scripted};
use crate::harness::world::{Wish, World};

const CANARY: &str = "FR7699999000004001020304033";

fn sugar() -> (Scripted, World) {
    let crm = Scripted::start(|request| {
        let line = request.line.as_str();
        if line.contains("/me ") {
            return match request.header("oauth-token") {
                Some("stranger") => scripted::json(401, br#"{"error":"invalid_grant"}"#),
                _ => scripted::me("sally", "Sales"),
            };
        }
        let said = if line.contains("/oauth2/token") {
            json!({"access_token": "tok-1", "token_type": "bearer", "expires_in": 3600})
        } else if line.contains("search?") || line.contains("globalsearch ") {
            json!({"next_offset": -1, "total": 2, "query_time": 3, "tags": [{"name": CANARY}], "records": [
                {"id": "c-1", "last_name": "Tan", "nir_c": CANARY, "_score": 7, "_highlights": {"nir_c": [CANARY]}, "_module": "Contacts"},
                {"id": "a-1", "name": "Zahn", "nir_c": CANARY, "_search": {"score": 2, "highlighted": {"x": {"text": CANARY}}}, "_module": "Accounts"},
            ]})
        } else if line.contains("/duplicateCheck") {
            json!({"next_offset": -1, "records": [{"id": "c-1", "last_name": "Tan", "nir_c": CANARY, "duplicate_check_rank": 8, "_module": "Contacts"}]})
        } else if line.contains("/ping") {
            json!("pong")
        } else if line.contains("/enum/") {
            json!({"": "", "Cold Call": "Cold call"})
        } else if line.contains("/Contacts/") || line.starts_with("POST ") {
            json!({"id": "c-1", "last_name": "Tan", "title": "old", "date_modified": "2026-03-02T09:15:00+00:00", "_module": "Contacts"})
        } else {
            json!({"next_offset": -1, "records": [{"id": "c-1", "last_name": "Tan", "religion_c": CANARY, "_module": "Contacts"}]})
        };
        scripted::json(200, said.to_string().as_bytes())
    });
    let world = World::scripted(crm.address, Wish::default());
    world.forbid("canary", CANARY);
    (crm, world)
}

fn ask(world: &World, line: &str, headers: &[(&'static str, &str)], body: &str) -> Response {
    let (method, target) = line.split_once(' ').unwrap();
    let headers = headers.iter();
    let request = Request {
        method,
        target,
        headers: headers
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect(),
        body: (!body.is_empty()).then(|| body.as_bytes().to_vec()),
    };
    world.send_request(world.proxy, &request)
}

/// What reached the CRM, look-ups of callers left out.
fn reached(crm: &Scripted) -> Vec<Received> {
    let is_question = |line: &str| {
        ["/me ", "/users/info", "/groups ", "/App/user"]
            .iter()
            .any(|part| line.contains(part))
    };
    let all = crm.take_all().into_iter();
    all.filter(|request| !is_question(&request.line)).collect()
}

const JSON: (&str, &str) = ("Content-Type", "application/json");
const TOKEN: (&str, &str) = ("OAuth-Token", "tok-1");

#[test]
fn whatever_stands_for_a_credential_at_a_login_is_neither_judged_nor_relayed() {
    let (crm, world) = sugar();
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let body = "grant_type=password&client_id=sugar&client_secret=&username=sally&password=demo&platform=zucker";
    for credentials in [
        &[("OAuth-Token", "sally")][..],
        &[("OAuth-Token", "a b")],
        &[("Authorization", "Digest x")],
        &[("Authorization", "Basic c2FsbHk6eA==")],
        &[("Authorization", "Bearer null"), ("OAuth-Token", "x")],
        &[],
    ] {
        let headers = [&[form][..], credentials].concat();
        let reply = ask(&world, "POST /rest/v11_5/oauth2/token/", &headers, body);
        assert_eq!(reply.status, 200, "{credentials:?}: {}", reply.text());
        let [login] = reached(&crm).try_into().expect("one request");
        assert!(
            login.line.starts_with("POST /rest/v11_5/oauth2/token "),
            "{}",
            login.line
        );
        assert_eq!(login.header("oauth-token"), None, "{credentials:?}");
        assert_eq!(login.header("authorization"), None, "{credentials:?}");
        let sent: Value = serde_json::from_slice(&login.body).unwrap();
        assert_eq!(sent["username"], "sally");
    }
    // Where a good one could mean something, it goes on; a bad one, or a guess, is left behind.
    for (credential, sent) in [
        (TOKEN, Some("tok-1")),
        (("OAuth-Token", "a b"), None),
        (("OAuth-Token", "stranger"), None),
    ] {
        assert_eq!(
            ask(&world, "GET /rest/v11_5/ping", &[credential], "").status,
            200
        );
        assert_eq!(reached(&crm).pop().unwrap().header("oauth-token"), sent);
    }
    // Where one is needed, it counts.
    for (line, headers) in [
        ("GET /rest/v11_5/Contacts", &[("OAuth-Token", "a b")][..]),
        ("GET /rest/v11_5/Contacts", &[("Authorization", "Digest x")]),
        (
            "POST /rest/v11_5/oauth2/logout",
            &[("Authorization", "Basic c2FsbHk6eA==")],
        ),
    ] {
        assert_eq!(ask(&world, line, headers, "").status, 401, "{line}");
    }
    let two = [("Authorization", "Bearer tok-1"), TOKEN];
    assert_eq!(
        ask(&world, "GET /rest/v11_5/Contacts", &two, "").status,
        400
    );
    assert!(reached(&crm).is_empty());
}

#[test]
fn sugars_clients_are_served() {
    let (crm, world) = sugar();
    for (line, body, sent) in [
        (
            "GET /rest/v11_5/Contacts/?_=1699999999999",
            "{}",
            "GET /rest/v11_5/Contacts",
        ),
        (
            "GET /rest/v11_5/Contacts?filter[0][deleted]=0&nulls_last=1&order_by=last_name:asc",
            "",
            "GET /rest/v11_5/Contacts?nulls_last=1&order_by=last_name%3Aasc",
        ),
        (
            "GET /rest/v11_5/Contacts?filter[0][email_addresses.email_address][$starts]=odile",
            "",
            "GET /rest/v11_5/Contacts?filter%5B0%5D%5Bemail_addresses.email_address%5D%5B%24starts%5D=odile",
        ),
        (
            "DELETE /rest/v11_5/Contacts/c-1",
            "{}",
            "DELETE /rest/v11_5/Contacts/c-1",
        ),
        (
            "GET /rest/v11_5/Contacts/c-1?view=record",
            "",
            "GET /rest/v11_5/Contacts/c-1?view=record",
        ),
        (
            "GET /rest/v11_5/Contacts/enum/lead_source",
            "",
            "GET /rest/v11_5/Contacts/enum/lead_source",
        ),
    ] {
        let reply = ask(&world, line, &[TOKEN, JSON], body);
        assert_eq!(reply.status, 200, "{line}: {}", reply.text());
        let last = reached(&crm).pop().unwrap();
        assert_eq!(last.line, format!("{sent} HTTP/1.1"));
        assert!(last.body.is_empty(), "{line}");
    }
    for (line, body, status) in [
        (
            "GET /rest/v11_5/Contacts?filter[0][email_addresses.email_address][$starts]=o&filter[1][nir_c]=1",
            "",
            403,
        ),
        ("GET /rest/v11_5/Contacts/enum/religion_c", "", 403),
        ("GET /rest/v11_5/Contacts/enum/nowhere_c", "", 403),
        ("GET /rest/v11_5/Contacts", r#"{"fields":"nir_c"}"#, 400),
        (
            "GET /rest/v11_5/Contacts?filter[0][$or][0][deleted]=0&filter[0][$or][1][last_name]=x",
            "",
            403,
        ),
    ] {
        let reply = ask(&world, line, &[TOKEN, JSON], body);
        assert_eq!(reply.status, status, "{line}: {}", reply.text());
        assert!(reached(&crm).is_empty(), "{line}");
    }
}

#[test]
fn parts_may_say_once_more_whose_the_envelope_is() {
    let (crm, world) = sugar();
    let bulk = |token: &str, headers: &[(&'static str, &str)]| {
        let part = json!({"url": "v11_5/Contacts", "method": "GET", "type": "GET", "dataType": "json", "headers": {"OAuth-Token": token}});
        let body = json!({"requests": [part]}).to_string();
        ask(
            &world,
            "POST /rest/v11_5/bulk",
            &[headers, &[JSON]].concat(),
            &body,
        )
    };
    let reply = bulk("tok-1", &[TOKEN]);
    assert_eq!(
        (reply.status, &reply.json()[0]["status"]),
        (200, &json!(200)),
        "{}",
        reply.text()
    );
    let [part] = reached(&crm).try_into().expect("one request");
    assert_eq!(part.header("oauth-token"), Some("tok-1"));
    for (token, headers) in [
        ("tok-2", &[TOKEN][..]),
        ("tok-1", &[]),
        ("tok-1", &[("Authorization", "Basic eDp5")]),
    ] {
        let reply = bulk(token, headers);
        assert!(
            (400..=401).contains(&reply.status),
            "{headers:?}: {}",
            reply.text()
        );
        assert!(reached(&crm).is_empty());
    }
}

#[test]
fn a_search_of_several_modules_is_held_to_each() {
    let (crm, world) = sugar();
    let line = "GET /rest/v11_5/globalsearch?q=tan&module_list=Contacts,Accounts&highlights=true";
    let reply = ask(&world, line, &[TOKEN], "");
    assert_eq!(reply.status, 200, "{}", reply.text());
    let found = reply.json();
    assert_eq!((&found["total"], found.get("tags")), (&json!(2), None));
    assert_eq!(found["records"][0]["last_name"], "Tan");
    assert!(found["records"][0].get("_score").is_none());
    assert_eq!(found["records"][0]["nir_c"], Value::Null);
    assert_eq!(found["records"][0].get("_highlights"), None);
    assert_eq!(found["records"][1].get("_search"), None);
    let [search] = reached(&crm).try_into().expect("one request");
    assert!(
        search
            .line
            .contains("?highlights=0&q=tan&module_list=Contacts%2CAccounts HTTP/1.1"),
        "{}",
        search.line
    );
    for line in [
        // The policy does not let notes be searched, and nothing is searched in their place.
        "GET /rest/v11_5/globalsearch?q=tan&module_list=Contacts,Notes",
        "GET /rest/v11_5/search?q=tan&module_list=Notes",
        "GET /rest/v11_5/search?q=tan&module_list=Contacts&order_by=nir_c",
        "GET /rest/v11_5/globalsearch?q=tan&module_list=Contacts&sort[nir_c]=asc",
    ] {
        let reply = ask(&world, line, &[TOKEN], "");
        assert_eq!(reply.status, 403, "{line}: {}", reply.text());
        assert!(reached(&crm).is_empty(), "{line}");
    }
    // A record of a module that nobody named makes the reply unusable.
    let reply = ask(
        &world,
        "GET /rest/v11_5/search?q=tan&module_list=Contacts",
        &[TOKEN],
        "",
    );
    assert_eq!(reply.status, 502, "{}", reply.text());
}

#[test]
fn a_check_for_duplicates_tells_nothing_of_what_may_not_be_matched() {
    let (crm, world) = sugar();
    let line = "POST /rest/v11_5/Contacts/duplicateCheck";
    let reply = ask(&world, line, &[TOKEN, JSON], r#"{"last_name":"Tan"}"#);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let record = &reply.json()["records"][0];
    assert_eq!(
        (&record["duplicate_check_rank"], &record["nir_c"]),
        (&json!(8), &Value::Null)
    );
    reached(&crm);
    let refusals: Vec<String> = [
        r#"{"last_name":"Tan","nir_c":"1"}"#,
        r#"{"last_name":"Tan","religion_c":""}"#,
        r#"{"last_name":"Tan","nowhere_c":"x"}"#,
    ]
    .iter()
    .map(|body| {
        let reply = ask(&world, line, &[TOKEN, JSON], body);
        assert_eq!(reply.status, 403, "{body}");
        let text = reply.text().to_owned();
        // But for the number of its event.
        text.split(" (ref ").next().unwrap().to_owned()
    })
    .collect();
    assert!(
        refusals.iter().all(|refusal| *refusal == refusals[0]),
        "{refusals:?}"
    );
    assert!(reached(&crm).is_empty());
}

#[test]
fn a_record_that_changed_since_is_not_written_over() {
    let (crm, world) = sugar();
    let line = "PUT /rest/v11_5/Contacts/c-1";
    let since = ("X-Timestamp", "2026-03-02T09:15:00+00:00");
    let body = r#"{"title":"new","reference_id":"m-7","module_name":"Contacts"}"#;
    let reply = ask(&world, line, &[TOKEN, JSON, since], body);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let written = reached(&crm).pop().unwrap();
    assert_eq!(written.header("x-timestamp"), Some(since.1));
    assert_eq!(
        serde_json::from_slice::<Value>(&written.body).unwrap(),
        json!({"title": "new"})
    );
    for (line, header) in [
        (line, ("X-Timestamp", "yesterday")),
        (
            line,
            ("If-Unmodified-Since", "Mon, 02 Mar 2026 09:15:00 GMT"),
        ),
        ("DELETE /rest/v11_5/Contacts/c-1", since),
        ("GET /rest/v11_5/Contacts", ("X-Version-Number", "1")),
    ] {
        let body = if line.starts_with("PUT") { body } else { "" };
        let reply = ask(&world, line, &[TOKEN, JSON, header], body);
        assert_eq!(reply.status, 400, "{line} {header:?}: {}", reply.text());
        assert!(
            reply
                .text()
                .to_lowercase()
                .contains(&header.0.to_lowercase()),
            "{}",
            reply.text()
        );
        assert!(reached(&crm).is_empty(), "{line}");
    }
}

/// A proxy with an example's description and policy, before a CRM that answers like this.
fn described(
    name: &str,
    script: impl Fn(&Received) -> Vec<u8> + Send + Sync + 'static,
) -> (Scripted, World) {
    let crm = Scripted::start(script);
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(name);
    let described = Described::load(&folder.join(format!("{name}.yaml")))
        .0
        .unwrap();
    let world = World::scripted(
        crm.address,
        Wish {
            dialects: vec![Arc::new(described) as Arc<dyn Dialect>],
            sources: Policy::read(&folder.join("policy")).unwrap(),
            ..Wish::default()
        },
    );
    (crm, world)
}

#[test]
fn espocrms_own_client_and_others_are_served() {
    let (crm, world) = described("espocrm", |request| {
        let said = if request.line.contains("/App/user") {
            json!({"user": {"id": "6a", "userName": "ada", "type": "regular", "teamsIds": ["7"], "teamsNames": {"7": "Sales"}}})
        } else if request.line.contains("/Contact/1a ") || request.line.starts_with("POST ") {
            json!({"id": "1a", "lastName": "Byron", "versionNumber": 3})
        } else {
            json!({"total": -1, "list": [{"id": "1a", "lastName": "Byron"}]})
        };
        scripted::json(200, said.to_string().as_bytes())
    });
    let key = ("X-Api-Key", "key");
    for (query, sent) in [
        (
            "maxSize=20&offset=0&sortBy=lastName&asc=true",
            "maxSize=20&offset=0&sortBy=lastName&asc=true",
        ),
        (
            "maxSize=&offset=0&orderBy=lastName&order=desc&_=1",
            "offset=0&orderBy=lastName&order=desc",
        ),
        ("maxSize=500&primaryFilter=&textFilter=", "maxSize=200"),
        (
            "attributeSelect=id,name&maxSize=20&offset=0&orderBy=lastName&order=asc\
             &whereGroup[0][type]=bool&whereGroup[0][value][]=onlyMy\
             &whereGroup[1][type]=equals&whereGroup[1][field]=lastName&whereGroup[1][value]=x",
            "attributeSelect=id%2Cname&maxSize=20&offset=0&boolFilterList%5B%5D=onlyMy&orderBy=lastName&order=asc\
             &whereGroup%5B0%5D%5Btype%5D=equals&whereGroup%5B0%5D%5Battribute%5D=lastName&whereGroup%5B0%5D%5Bvalue%5D=x",
        ),
    ] {
        let reply = ask(&world, &format!("GET /api/v1/Contact?{query}"), &[key], "");
        assert_eq!(reply.status, 200, "{query}: {}", reply.text());
        let asked = reached(&crm).pop().unwrap().line;
        assert_eq!(asked, format!("GET /api/v1/Contact?{sent} HTTP/1.1"));
    }
    let total = ask(
        &world,
        "GET /api/v1/Contact?maxSize=5",
        &[key, ("X-No-Total", "true")],
        "",
    );
    assert_eq!((total.status, &total.json()["total"]), (200, &json!(-1)));
    assert_eq!(
        reached(&crm).pop().unwrap().header("x-no-total"),
        Some("true")
    );
    let body = r#"{"lastName":"Byron","createdAt":"2026-01-01 10:00:00","versionNumber":1,"doNotCall":false,"accountTitle":"CEO","accountsIds":[],"emailAddressData":[]}"#;
    let made = ask(
        &world,
        "POST /api/v1/Contact",
        &[key, JSON, ("X-Skip-Duplicate-Check", "true")],
        body,
    );
    assert_eq!(made.status, 200, "{}", made.text());
    let written = reached(&crm).pop().unwrap();
    assert_eq!(written.header("x-skip-duplicate-check"), Some("true"));
    let sent: Value = serde_json::from_slice(&written.body).unwrap();
    assert_eq!(
        (sent.get("createdAt"), sent.get("versionNumber")),
        (None, None)
    );
    assert_eq!(sent["lastName"], "Byron");
    let body = r#"{"lastName":"King"}"#;
    let version = ("X-Version-Number", "3");
    let changed = ask(
        &world,
        "PUT /api/v1/Contact/1a",
        &[key, JSON, version],
        body,
    );
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!(
        reached(&crm).pop().unwrap().header("x-version-number"),
        Some("3")
    );
    for (line, header) in [
        ("PUT /api/v1/Contact/1a", ("X-Version-Number", "x y")),
        ("PUT /api/v1/Contact/1a", ("X-No-Total", "true")),
        ("PUT /api/v1/Contact/1a", ("If-Match", "3")),
        ("GET /api/v1/Contact", version),
    ] {
        let body = if line.starts_with("PUT") { body } else { "" };
        let reply = ask(&world, line, &[key, JSON, header], body);
        assert_eq!(reply.status, 400, "{line} {header:?}: {}", reply.text());
        assert!(reached(&crm).is_empty());
    }
}

#[test]
fn dolibarrs_clients_are_served() {
    let (crm, world) = described("dolibarr", |request| {
        let said = if request.line.contains("/users/info") {
            json!({"id": "3", "login": "sami", "admin": "0"})
        } else if request.line.contains("/groups ") {
            json!([{"id": 1, "nom": "Support"}])
        } else if request.line.starts_with("DELETE ") || request.line.starts_with("POST ") {
            json!(6)
        } else if request.line.contains("/status") {
            json!({"success": {"code": 200, "dolibarr_version": "18.0.0", "access_locked": "0"}})
        } else if request.line.contains("/email/") {
            json!({"id": "6", "lastname": "O'Brien"})
        } else {
            json!([{"id": "6", "lastname": "O'Brien"}])
        };
        scripted::json(200, said.to_string().as_bytes())
    });
    let key = ("DOLAPIKEY", "key");
    for (line, body, sent) in [
        (
            "GET /api/index.php/status/",
            "",
            "GET /api/index.php/status",
        ),
        (
            "GET /api/index.php/invoices",
            "{}",
            "GET /api/index.php/invoices",
        ),
        (
            "DELETE /api/index.php/contacts/6",
            r#"{"id": 6}"#,
            "DELETE /api/index.php/contacts/6",
        ),
        (
            "GET /api/index.php/thirdparties?mode=0&properties=",
            "",
            "GET /api/index.php/thirdparties",
        ),
        (
            "GET /api/index.php/contacts/email/a@b.example?includecount=0&includeroles=0",
            "",
            "GET /api/index.php/contacts/email/a%40b.example?includecount=0&includeroles=0",
        ),
        (
            "GET /api/index.php/orders?limit=500&sqlfilters=(fk_statut:=:1)",
            "",
            "GET /api/index.php/orders?limit=500&sqlfilters=%28t.fk_statut%3A%3D%3A1%29",
        ),
        (
            "GET /api/index.php/contacts?sortfield=t.rowid&sortorder=ASC&limit=100&page=2&sqlfilters=(t.lastname:=:'O'Brien')",
            "",
            "GET /api/index.php/contacts?limit=100&page=2&sortfield=t.rowid&sortorder=ASC&sqlfilters=%28t.lastname%3A%3D%3A%27O%27Brien%27%29",
        ),
    ] {
        let reply = ask(&world, line, &[key, JSON], body);
        assert_eq!(reply.status, 200, "{line}: {}", reply.text());
        let last = reached(&crm).pop().unwrap();
        assert_eq!(last.line, format!("{sent} HTTP/1.1"));
        assert!(last.body.is_empty(), "{line}");
    }
    let third_party = r#"{"name":"Zahn","client":1,"code_client":"-1","email":"a@b.example","country_id":1,"typent_id":8,"tva_assuj":1,"cond_reglement_id":1,"default_lang":"fr_FR","status":1}"#;
    let made = ask(
        &world,
        "POST /api/index.php/thirdparties",
        &[key, JSON],
        third_party,
    );
    assert_eq!(made.status, 200, "{}", made.text());
    let refused = ask(&world, "GET /api/index.php/contacts?limit=0", &[key], "");
    assert_eq!(refused.status, 400);
    assert!(
        refused.text().contains("At most 1000"),
        "{}",
        refused.text()
    );
}
