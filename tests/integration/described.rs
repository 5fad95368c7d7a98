//! CRMs that are described, not built in: the examples and the document's own example, before scripted servers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use paravent::dialect::Dialect;
use paravent::dialect::described::Described;
use paravent::policy::{Policy, Source};
use serde_json::{Value, json};

use crate::harness::client::{Request, Response};
use crate::harness::scripted::{self, Received, Scripted};
use crate::harness::world::{Wish, World};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A wish for what an example's folder says.
fn example(name: &str) -> Wish {
    let folder = root().join("examples").join(name);
    let (described, problems) = Described::load(&folder.join(format!("{name}.yaml")));
    let described = described.unwrap_or_else(|| panic!("{}", problems.render(false)));
    assert!(problems.is_empty(), "{}", problems.render(false));
    wish(described, Policy::read(&folder.join("policy")).unwrap())
}

fn wish(described: Described, sources: Vec<Source>) -> Wish {
    Wish {
        dialects: vec![Arc::new(described) as Arc<dyn Dialect>],
        sources,
        ..Wish::default()
    }
}

fn send(world: &World, header: (&str, &str), line: &str, body: Option<&str>) -> Response {
    let (method, target) = line.split_once(' ').unwrap();
    let mut headers = vec![(header.0, header.1.to_owned())];
    headers.extend(body.map(|_| ("Content-Type", "application/json".to_owned())));
    let request = Request {
        method,
        target,
        headers,
        body: body.map(|body| body.as_bytes().to_vec()),
    };
    world.send_request(world.proxy, &request)
}

const IBAN: &str = "FR7630006000011234567890189";
const OTHER_IBAN: &str = "DE89370400440532013000";

/// What a Dolibarr of invented people says.
fn dolibarr(request: &Received) -> Vec<u8> {
    let key = request.header("dolapikey").unwrap_or_default();
    let (id, login, group) = match key {
        "key-compta" => ("2", "claire", "Comptable"),
        "key-support" => ("3", "sami", "Support"),
        _ => return scripted::json(401, br#"{"error":{"code":401,"message":"Unauthorized"}}"#),
    };
    let account = |id: &str, iban: &str| json!({"id": id, "label": "RIB principal", "bank": "Banque Agri", "bic": "AGRIFRPP882", "iban": iban, "socid": "67"});
    let contact = json!({
        "id": "248", "entity": "1", "array_options": {"options_iban_perso": IBAN, "options_sante": "asthme", "options_color": "red"},
        "lastname": "Peltier", "firstname": "Daniel", "birthday": 230594400, "socid": "105", "socname": "Zahn",
        "email": "daniel@example.net", "mail": "daniel@example.net", "api_key": "secret-of-somebody",
        "note_private": format!("RAS. Nouveau RIB {IBAN}."), "roles": null, "unheard_of": "x", "user_login": null,
    });
    let said = match request.line.trim_end_matches(" HTTP/1.1") {
        "GET /api/index.php/users/info" => {
            json!({"id": id, "login": login, "admin": "0", "rights": {}})
        }
        line if line.ends_with("/groups") && line.starts_with("GET /api/index.php/users/") => {
            json!([{"id": 1, "nom": group}])
        }
        "GET /api/index.php/thirdparties/67/bankaccounts" => {
            json!([account("66", OTHER_IBAN), account("67", IBAN)])
        }
        line if line.starts_with("PUT /api/index.php/thirdparties/67/bankaccounts/") => {
            account("67", IBAN)
        }
        line if line.starts_with("GET /api/index.php/contacts?") => json!([contact]),
        line if line.starts_with("GET /api/index.php/contacts/")
            || line.starts_with("PUT /api/index.php/contacts/") =>
        {
            contact
        }
        line if line.starts_with("POST ") => json!(61),
        _ => {
            return scripted::json(
                404,
                format!(r#"{{"error":{{"code":404,"message":"{IBAN}"}}}}"#).as_bytes(),
            );
        }
    };
    scripted::json(200, said.to_string().as_bytes())
}

/// Requests that reached the CRM, look-ups of callers left out.
fn reached(crm: &Scripted) -> Vec<Received> {
    let is_question = |line: &str| {
        line.contains("/users/info")
            || line.contains("/groups ")
            || line.contains("/App/user")
            || line.contains("/whoami")
    };
    crm.take_all()
        .into_iter()
        .filter(|request| !is_question(&request.line))
        .collect()
}

#[test]
fn dolibarr_is_filtered_by_its_description() {
    let crm = Scripted::start(dolibarr);
    let world = World::scripted(crm.address, example("dolibarr"));
    let support = ("DOLAPIKEY", "key-support");
    let reply = send(&world, support, "GET /api/index.php/contacts/248", None);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let record = reply.json();
    assert_eq!(record["lastname"], "Peltier");
    assert_eq!(
        record["array_options"]["options_iban_perso"],
        "FR76 •••• •••• •••• •••• •••0 189"
    );
    assert!(record["array_options"].get("options_sante").is_none());
    assert_eq!(record["array_options"]["options_color"], Value::Null);
    assert_eq!(record["unheard_of"], Value::Null);
    assert!(record.get("api_key").is_none());
    assert!(
        record["note_private"]
            .as_str()
            .unwrap()
            .starts_with("RAS. Nouveau RIB FR76 ••••")
    );
    assert_eq!(record["mail"], "daniel@example.net");
    assert_eq!(
        record["birthday"],
        Value::Null,
        "a mask for dates has no way with a number"
    );
    // The suffix and another case are one request; another form is none.
    for line in [
        "GET /api/index.php/Contacts/248",
        "GET /api/index.php/%63ontacts/248",
        "GET /api/index.php/contacts/248.json",
    ] {
        assert_eq!(send(&world, support, line, None).status, 200, "{line}");
        let last = reached(&crm).pop().unwrap();
        assert!(
            last.line.starts_with("GET /api/index.php/contacts/248 "),
            "{}",
            last.line
        );
    }
    // Accounting sees bank data for payment.
    let accounts = send(
        &world,
        ("DOLAPIKEY", "key-compta"),
        "GET /api/index.php/thirdparties/67/bankaccounts",
        None,
    );
    assert_eq!(accounts.json()[1]["iban"], IBAN);
    let accounts = send(
        &world,
        support,
        "GET /api/index.php/thirdparties/67/bankaccounts",
        None,
    );
    assert_eq!(
        accounts.json()[1]["iban"],
        "FR76 •••• •••• •••• •••• •••0 189"
    );
    assert_eq!(
        send(
            &world,
            ("DOLAPIKEY", "key-unknown"),
            "GET /api/index.php/contacts/1",
            None
        )
        .status,
        401
    );
}

#[test]
fn dolibarr_requests_outside_the_description_never_reach_it() {
    let crm = Scripted::start(dolibarr);
    let world = World::scripted(crm.address, example("dolibarr"));
    let support = ("DOLAPIKEY", "key-support");
    for (line, status) in [
        (
            "GET /api/index.php/contacts?limit=1&DOLAPIKEY=key-support",
            400,
        ),
        ("GET /api/index.php/contacts?api_key=key-support", 400),
        (
            "GET /api/index.php/contacts?suppress_response_codes=true",
            400,
        ),
        ("GET /api/index.php/contacts/248?http_method=GET", 400),
        ("GET /api/index.php/contacts/248.xml", 403),
        ("POST /api/index.php/contacts/248", 405),
        ("GET /api/index.php/login?login=a&password=b", 403),
        ("POST /api/index.php/login", 403),
        (
            "GET /api/index.php/documents/download?modulepart=societe&original_file=62/rib.csv",
            403,
        ),
        ("GET /api/index.php/setup/conf/MAIN_INFO_SOCIETE_NOM", 403),
        ("GET /api/index.php/contacts/", 403),
        ("GET /document.php?modulepart=societe", 403),
        ("PUT /api/index.php/users/info", 405),
        // Oracles on what the role does not see in clear.
        (
            "GET /api/index.php/contacts?sqlfilters=(te.iban_perso:like:'FR7%25')",
            403,
        ),
        (
            "GET /api/index.php/contacts?sqlfilters=(t.note_private:like:'%25cancer%25')",
            403,
        ),
        (
            "GET /api/index.php/contacts?sqlfilters=(s.siren:=:'1')%20or%20(te.sante:is:null)",
            403,
        ),
        (
            "GET /api/index.php/users?sqlfilters=(t.pass_crypted:like:'%252%25')",
            403,
        ),
        (
            "GET /api/index.php/users?sqlfilters=(t.api_key:like:'a%25')",
            403,
        ),
        ("GET /api/index.php/contacts?sortfield=t.birthday", 403),
        (
            "GET /api/index.php/contacts?sqlfilters=(t.rowid:in:SELECT%20rowid%20FROM%20llx_user)",
            400,
        ),
        ("GET /api/index.php/contacts?sqlfilters=(x.rowid:=:1)", 400),
        (
            "GET /api/index.php/contacts?sqlfilters=(t.lastname:=:'a')--",
            400,
        ),
    ] {
        let reply = send(&world, support, line, None);
        assert_eq!(reply.status, status, "{line}: {}", reply.text());
        assert!(reached(&crm).is_empty(), "{line} reached the CRM");
    }
    // What the policy allows is written anew: a bounded page, the CRM's own names of columns.
    let line = "GET /api/index.php/contacts?limit=0&sortfield=lastname&sortorder=desc&sqlfilters=(t.fk_soc:=:12)%20AND%20((t.lastname:like:'Pel%25')or(s.nom:=:'Zahn'))";
    assert_eq!(send(&world, support, line, None).status, 200);
    let asked = reached(&crm).pop().unwrap().line;
    assert_eq!(
        asked,
        "GET /api/index.php/contacts?limit=1000&sortfield=t.lastname&sortorder=DESC&sqlfilters=%28t.fk_soc%3A%3D%3A12%29%20and%20%28%28t.lastname%3Alike%3A%27Pel%25%27%29%20or%20%28s.nom%3A%3D%3A%27Zahn%27%29%29 HTTP/1.1"
    );
}

#[test]
fn a_masked_bank_account_that_comes_back_is_not_written() {
    let crm = Scripted::start(dolibarr);
    let world = World::scripted(crm.address, example("dolibarr"));
    let support = ("DOLAPIKEY", "key-support");
    let read = send(
        &world,
        support,
        "GET /api/index.php/thirdparties/67/bankaccounts",
        None,
    )
    .json();
    reached(&crm);
    // The whole record comes back with one change.
    let mut record = read[1].clone();
    record["label"] = json!("RIB secondaire");
    let line = "PUT /api/index.php/thirdparties/67/bankaccounts/67";
    let reply = send(&world, support, line, Some(&record.to_string()));
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()["iban"], "FR76 •••• •••• •••• •••• •••0 189");
    let written = reached(&crm).pop().unwrap();
    assert!(written.line.starts_with("PUT "), "{}", written.line);
    assert_eq!(
        serde_json::from_slice::<Value>(&written.body).unwrap(),
        json!({"label": "RIB secondaire"})
    );
    // Nothing but what was shown: nothing is written, and the record comes back as it is shown.
    let reply = send(&world, support, line, Some(&read[1].to_string()));
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json(), read[1]);
    assert!(
        reached(&crm)
            .iter()
            .all(|request| request.line.starts_with("GET "))
    );
    // A mask of another record, or an invented one.
    let reply = send(
        &world,
        support,
        line,
        Some(r#"{"iban": "FR76 **** **** 123"}"#),
    );
    assert_eq!(reply.status, 403);
    let reply = send(&world, support, line, Some(&read[0].to_string()));
    assert_eq!(reply.status, 400, "another record's id");
    // Extra fields go back where they came from.
    let contact = send(&world, support, "GET /api/index.php/contacts/248", None).json();
    let mut contact = contact.clone();
    contact["firstname"] = json!("Dan");
    reached(&crm);
    let reply = send(
        &world,
        support,
        "PUT /api/index.php/contacts/248",
        Some(&contact.to_string()),
    );
    assert_eq!(reply.status, 200, "{}", reply.text());
    let written = reached(&crm).pop().unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&written.body).unwrap(),
        json!({"firstname": "Dan"})
    );
    let body = r#"{"lastname": "Neu", "array_options": {"options_color": ""}}"#;
    let reply = send(&world, support, "POST /api/index.php/contacts", Some(body));
    assert_eq!((reply.status, reply.json()), (200, json!(61)));
}

#[test]
fn the_folder_of_recordings_of_dolibarr_is_filtered_or_refused() {
    let folder = root().join("../shared/recordings/dolibarr");
    if !folder.is_dir() {
        println!("skipped: no recordings beside the project");
        return;
    }
    let crm = Scripted::start(answer_from(folder.clone()));
    let world = World::scripted(crm.address, example("dolibarr"));
    let mut outcomes = std::collections::BTreeMap::<String, Vec<String>>::new();
    for (name, exchange) in exchanges(&folder) {
        let request = &exchange["request"];
        let headers: Vec<(String, String)> =
            serde_json::from_value(request["headers"].clone()).unwrap();
        let passed = headers.iter().filter(|(name, _)| {
            !["host", "connection", "content-length", "accept-encoding"]
                .contains(&name.to_ascii_lowercase().as_str())
        });
        let body = request["body"].as_str().filter(|body| !body.is_empty());
        let sent = Request {
            method: request["method"].as_str().unwrap(),
            target: request["path"].as_str().unwrap(),
            headers: passed
                .map(|(name, value)| (name.as_str(), value.clone()))
                .collect(),
            body: body.map(|body| body.as_bytes().to_vec()),
        };
        let reply = world.send_request(world.proxy, &sent);
        assert_ne!(reply.status, 502, "{name}: {}", reply.text());
        for secret in personal(&exchange) {
            assert!(!reply.text().contains(&secret), "{name} shows {secret:?}");
        }
        outcomes
            .entry(reply.status.to_string())
            .or_default()
            .push(name);
    }
    println!("{outcomes:#?}");
    assert!(outcomes["200"].len() >= 20);
}

fn exchanges(folder: &Path) -> Vec<(String, Value)> {
    let mut all: Vec<(String, Value)> = std::fs::read_dir(folder)
        .unwrap()
        .flatten()
        .map(|entry| {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            (
                entry.file_name().to_string_lossy().into_owned(),
                serde_json::from_str(&text).unwrap(),
            )
        })
        .collect();
    all.sort_by(|one, other| one.0.cmp(&other.0));
    all
}

/// Answers each request like the recording of one with that path, decoded; whoever asks is of the group Support.
fn answer_from(folder: PathBuf) -> impl Fn(&Received) -> Vec<u8> + Send + Sync + 'static {
    let decoded = |text: &str| {
        percent_encoding::percent_decode_str(text)
            .decode_utf8_lossy()
            .to_lowercase()
    };
    let known: Vec<(String, u16, Vec<u8>)> = exchanges(&folder)
        .into_iter()
        .map(|(_, exchange)| {
            let request = &exchange["request"];
            let line = format!(
                "{} {}",
                request["method"].as_str().unwrap(),
                request["path"].as_str().unwrap()
            );
            let body = exchange["response"]["body_gunzipped"]
                .as_str()
                .or(exchange["response"]["body"].as_str());
            let status = u16::try_from(exchange["response"]["status"].as_u64().unwrap()).unwrap();
            (
                decoded(&line),
                status,
                body.unwrap_or_default().as_bytes().to_vec(),
            )
        })
        .collect();
    move |request| {
        let line = decoded(request.line.trim_end_matches(" HTTP/1.1"));
        if line == "get /api/index.php/users/info" {
            return scripted::json(200, br#"{"id":"9","login":"sami","admin":"0"}"#);
        }
        if line == "get /api/index.php/users/9/groups" {
            return scripted::json(200, br#"[{"nom":"Support"}]"#);
        }
        let path = |line: &str| line.split('?').next().unwrap().to_owned();
        let best = known.iter().find(|(own, ..)| *own == line);
        let found = best.or_else(|| {
            known
                .iter()
                .find(|(own, status, _)| path(own) == path(&line) && *status == 200)
        });
        match found {
            Some((_, status, body)) => scripted::json(*status, body),
            None => scripted::json(404, b"{}"),
        }
    }
}

/// The values of a recorded reply that the role Support must not see.
fn personal(exchange: &Value) -> Vec<String> {
    let body = exchange["response"]["body_gunzipped"]
        .as_str()
        .or(exchange["response"]["body"].as_str());
    let mut found = Vec::new();
    if let Ok(reply) = serde_json::from_str(body.unwrap_or_default()) {
        collect(&reply, &mut found);
    }
    found
}

fn collect(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
        Value::Object(members) => {
            for (key, member) in members {
                let hidden = [
                    "iban",
                    "bic",
                    "options_nir",
                    "options_religion",
                    "options_sante",
                    "options_iban_perso",
                    "api_key",
                ];
                match member {
                    Value::String(text)
                        if hidden.contains(&key.as_str()) && text.chars().count() > 6 =>
                    {
                        into.push(text.clone())
                    }
                    _ => collect(member, into),
                }
            }
        }
        _ => {}
    }
}
