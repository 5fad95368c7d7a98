//! CRMs that are described, not built in: the examples and the document's own example, before scripted servers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use paravent::dialect::Dialect;
use paravent::dialect::engine::Described;
use paravent::policy::{Policy, Source};
use paravent::reason::Reason;
use serde_json::{Value, json};

use crate::harness::absent::skipped;
use crate::harness::client::{Request, Response};
use crate::harness::scripted::{self, Received, Scripted};
use crate::harness::world::{self, Wish, World};

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
        "key-sales" => ("4", "vera", "Commercial"),
        _ => return scripted::json(401, br#"{"error":{"code":401,"message":"Unauthorized"}}"#),
    };
    let account = |id: &str, iban: &str| json!({"id": id, "label": "RIB principal", "bank": "Banque Agri", "bic": "AGRIFRPP882", "iban": iban, "socid": "67"});
    let contact = json!({
        "id": "248", "entity": "1", "array_options": {"options_iban_perso": IBAN, "options_sante": "asthme", "options_syndicat": "adhérente", "options_color": "red"},
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
        "GET /api/index.php/contacts/248/",
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
        ("GET /api/index.php/contacts//", 400),
        ("GET /api/index.php/", 403),
        // Rows would be missing, and nothing would tell.
        ("GET /api/index.php/contacts?limit=0", 400),
        ("GET /api/index.php/contacts?limit=5000&page=1", 400),
        ("GET /api/index.php/contacts?pagination_data=true", 400),
        ("GET /api/index.php/contacts?mode=9", 403),
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
    let line = "GET /api/index.php/contacts?limit=1000&sortfield=lastname&sortorder=desc&sqlfilters=(t.fk_soc:=:12)%20AND%20((t.lastname:like:'Pel%25')or(s.nom:=:'Zahn'))";
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

/// What an EspoCRM of invented people says.
fn espocrm(request: &Received) -> Vec<u8> {
    let line = request.line.trim_end_matches(" HTTP/1.1");
    let team = match request
        .header("x-api-key")
        .or_else(|| request.header("espo-authorization"))
    {
        Some("key-sales") => "Sales",
        Some("ZmluOnRva2Vu") => "Finance",
        _ => return scripted::json(401, b""),
    };
    let contact = json!({
        "id": "5320a1", "name": "Ms. Ada Byron", "salutationName": "Ms.", "firstName": "Ada", "lastName": "Byron", "deleted": false,
        "cIban": IBAN, "cReligion": "bouddhiste", "cSante": "asthme", "cSyndicat": "adhérente", "description": format!("RIB {IBAN}"),
        "emailAddress": "ada@example.org", "emailAddressIsOptedOut": false,
        "emailAddressData": [{"emailAddress": "ada@example.org", "lower": "ada@example.org", "primary": true, "hash": "x"}],
        "accountId": "53a0", "accountName": "Zola SA", "teamsIds": ["7"], "teamsNames": {"7": "Sales"}, "createdByName": "Bob Martin",
        "stream": {"data": {"became": {"cIban": IBAN}}}, "password": "hash",
    });
    let said = match line {
        _ if request.body.windows(8).any(|part| part == b"too late") => {
            return scripted::json(409, json!({"values": contact}).to_string().as_bytes());
        }
        "GET /api/v1/App/user" => json!({
            "user": {"id": "6a", "userName": "ada", "type": "regular", "teamsIds": ["7"], "teamsNames": {"7": team}},
            "acl": {"table": {}}, "token": "secret-token-of-ada", "settings": {"smtpPassword": "x"},
        }),
        line if line.starts_with("GET /api/v1/Contact/")
            || line.starts_with("PUT /api/v1/Contact/") =>
        {
            contact
        }
        line if line.starts_with("GET /api/v1/") => {
            json!({"total": 1, "list": [contact], "debug": IBAN})
        }
        "POST /api/v1/Contact" => {
            return scripted::json(409, json!([contact]).to_string().as_bytes());
        }
        line if line.starts_with("POST /api/v1/") || line.starts_with("DELETE /api/v1/") => {
            json!(true)
        }
        _ => return scripted::json(404, b""),
    };
    scripted::json(200, said.to_string().as_bytes())
}

#[test]
fn espocrm_is_filtered_by_its_description() {
    let crm = Scripted::start(espocrm);
    let world = World::scripted(crm.address, example("espocrm"));
    let sales = ("X-Api-Key", "key-sales");
    world.forbid("a religion", "bouddhiste");
    world.forbid("a token", "secret-token-of-ada");
    let list = send(
        &world,
        sales,
        "GET /api/v1/Contact?select=name,cIban&maxSize=5",
        None,
    );
    assert_eq!(list.status, 200, "{}", list.text());
    let asked = reached(&crm).pop().unwrap().line;
    assert_eq!(
        asked,
        "GET /api/v1/Contact?select=name%2CcIban&maxSize=5 HTTP/1.1"
    );
    let list = list.json();
    assert_eq!(list["total"], 1);
    assert!(list.get("debug").is_none());
    let contact = &list["list"][0];
    assert_eq!(contact["cIban"], "FR76 •••• •••• •••• •••• •••0 189");
    assert_eq!(
        contact["description"],
        "RIB FR76 •••• •••• •••• •••• •••0 189"
    );
    assert_eq!(contact["name"], "Ms. Ada Byron");
    assert_eq!(contact["accountName"], "Zola SA");
    assert_eq!(contact["teamsNames"], json!({"7": "Sales"}));
    assert_eq!(
        contact["emailAddressData"],
        json!([{"emailAddress": "ada@example.org", "lower": "ada@example.org", "primary": true}])
    );
    assert_eq!(contact["stream"], json!({}));
    assert!(contact.get("password").is_none() && contact.get("cReligion").is_none());
    // A single record ignores what is selected, and is filtered whole.
    let one = send(
        &world,
        sales,
        "GET /api/v1/contact/5320a1?select=name",
        None,
    )
    .json();
    assert_eq!(&one, contact);
    let finance = ("Espo-Authorization", "ZmluOnRva2Vu");
    let one = send(&world, finance, "GET /api/v1/Contact/5320a1", None).json();
    assert_eq!(one["cIban"], IBAN);
    let me = send(&world, sales, "GET /api/v1/App/user", None).json();
    assert_eq!(me["user"]["userName"], "ada");
    assert_eq!(me["acl"], json!({"table": {}}));
    // A duplicate's whole record stands in the error.
    let duplicate = send(
        &world,
        sales,
        "POST /api/v1/Contact",
        Some(r#"{"lastName": "Byron"}"#),
    );
    assert_eq!(duplicate.status, 409);
    assert!(!duplicate.text().contains("Ada"), "{}", duplicate.text());
    let message = |reply: &Response| reply.json()["message"].as_str().unwrap().to_owned();
    assert!(
        message(&duplicate).starts_with("The CRM has such a record already."),
        "{}",
        duplicate.text()
    );
    // A change that comes too late is another thing.
    let late = send(
        &world,
        sales,
        "PUT /api/v1/Contact/5320a1",
        Some(r#"{"title": "too late"}"#),
    );
    assert_eq!(late.status, 409);
    assert!(
        message(&late).starts_with("The record was changed in the meantime"),
        "{}",
        late.text()
    );
    let mut whole = contact.clone();
    whole["firstName"] = json!("Ada Augusta");
    reached(&crm);
    let reply = send(
        &world,
        sales,
        "PUT /api/v1/Contact/5320a1",
        Some(&whole.to_string()),
    );
    assert_eq!(reply.status, 200, "{}", reply.text());
    let written = reached(&crm).pop().unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&written.body).unwrap(),
        json!({"firstName": "Ada Augusta"})
    );
    let related = send(
        &world,
        sales,
        "DELETE /api/v1/Account/53a0/contacts",
        Some(r#"{"id": "5320a1"}"#),
    );
    assert_eq!((related.status, related.json()), (200, json!(true)));
}

#[test]
fn espocrm_filters_are_understood_wherever_they_stand() {
    let crm = Scripted::start(espocrm);
    let world = World::scripted(crm.address, example("espocrm"));
    let sales = ("X-Api-Key", "key-sales");
    let passes = [
        (
            "where[0][type]=or&where[0][value][0][type]=equals&where[0][value][0][attribute]=lastName&where[0][value][0][value]=Byron\
             &where[0][value][1][type]=in&where[0][value][1][attribute]=account.name&where[0][value][1][value][]=A&where[0][value][1][value][]=B&orderBy=lastName&order=desc",
            "orderBy=lastName&order=desc&where[0][type]=or&where[0][value][0][type]=equals&where[0][value][0][attribute]=lastName&where[0][value][0][value]=Byron\
             &where[0][value][1][type]=in&where[0][value][1][attribute]=account.name&where[0][value][1][value][]=A&where[0][value][1][value][]=B",
        ),
        (
            r#"searchParams={"select":["name"],"maxSize":500,"where":[{"type":"isNotNull","attribute":"lastName"}],"boolFilterList":["onlyMy"]}"#,
            r#"searchParams={"select":["name"],"maxSize":200,"boolFilterList":["onlyMy"],"where":[{"type":"isNotNull","attribute":"lastName"}]}"#,
        ),
        (
            "whereGroup[0][type]=isNull&whereGroup[0][attribute]=lastName",
            "whereGroup[0][type]=isNull&whereGroup[0][attribute]=lastName",
        ),
        (
            "boolFilterList[]=onlyMy&primaryFilter=open",
            "boolFilterList[]=onlyMy&primaryFilter=open",
        ),
    ];
    for (query, expected) in passes {
        let encoded = |text: &str| {
            let pairs = text.split('&').map(|pair| {
                let (name, value) = pair.split_once('=').unwrap();
                let encode = |text: &str| {
                    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
                        .to_string()
                        .replace("%2E", ".")
                };
                format!("{}={}", encode(name), encode(value))
            });
            pairs.collect::<Vec<_>>().join("&")
        };
        let reply = send(
            &world,
            sales,
            &format!("GET /api/v1/Contact?{}", encoded(query)),
            None,
        );
        assert_eq!(reply.status, 200, "{query}: {}", reply.text());
        let asked = reached(&crm).pop().unwrap().line;
        assert_eq!(
            asked,
            format!("GET /api/v1/Contact?{} HTTP/1.1", encoded(expected))
        );
    }
    for (query, status) in [
        (
            "where[0][type]=startsWith&where[0][attribute]=cIban&where[0][value]=FR7",
            403,
        ),
        (
            "where[0][type]=isNotNull&where[0][attribute]=cReligion",
            403,
        ),
        (
            "where[0][type]=isNotNull&where[0][attribute]=account.cIban",
            403,
        ),
        (
            "searchParams=%7B%22where%22:%5B%7B%22type%22:%22like%22,%22attribute%22:%22cIban%22,%22value%22:%22FR%25%22%7D%5D%7D",
            403,
        ),
        (
            "searchParams=%7B%7D&where[0][type]=isNull&where[0][attribute]=lastName",
            400,
        ),
        ("searchParams=%7B%22orderBy%22:%22cIban%22%7D", 403),
        ("orderBy=cIban", 403),
        ("orderBy=LOWER:(lastName)", 400),
        ("where[0][type]=expression&where[0][value]=1", 400),
        (
            "where[0][type]=not&where[0][value][0][type]=isNull&where[0][value][0][attribute]=lastName",
            400,
        ),
        ("where[0][type]=textFilter&where[0][value]=x", 403),
        (
            "whereGroup[0][type]=primary&whereGroup[0][value]=secret",
            403,
        ),
        (
            "where[0][type]=or&where[0][value][0][type]=textFilter&where[0][value][0][value]=x",
            400,
        ),
        (
            "where[0][type]=equals&where[0][attribute]=lastName&where[0][value]=x&whereGroup[0][type]=ever",
            400,
        ),
        ("textFilter=FR76", 403),
        ("primaryFilter=secret", 403),
        ("q=FR76", 400),
        ("auth-token=x", 400),
    ] {
        let reply = send(&world, sales, &format!("GET /api/v1/Contact?{query}"), None);
        assert_eq!(reply.status, status, "{query}: {}", reply.text());
        assert!(reached(&crm).is_empty(), "{query} reached the CRM");
    }
    for line in [
        "GET /api/v1/Contact/5320a1/stream",
        "POST /api/v1/Export",
        "GET /api/v1/Contact/action/list",
        "GET /?entryPoint=download&id=1",
        "POST /api/v1/MassAction",
    ] {
        assert!(
            matches!(send(&world, sales, line, None).status, 403 | 405),
            "{line}"
        );
        assert!(reached(&crm).is_empty(), "{line} reached the CRM");
    }
}

fn document() -> String {
    std::fs::read_to_string(root().join("docs/dialects/describing.md")).unwrap()
}

/// The block of the document that follows a marker.
fn block(document: &str, name: &str) -> String {
    let marked = document
        .split(&format!("<!-- example: {name} -->\n"))
        .nth(1)
        .unwrap();
    let block = marked.split("```").nth(1).unwrap();
    block.split_once('\n').unwrap().1.to_owned()
}

/// One step of the document's exchange: what the CRM is asked and says, in turn.
type Turn = (String, String);

#[test]
fn the_example_of_the_document_works_word_for_word() {
    let document = document();
    let description = block(&document, "kontor.yaml");
    assert!(description.lines().count() < 60);
    let (described, problems) = Described::read("kontor.yaml", &description);
    let described = described.unwrap_or_else(|| panic!("{}", problems.render(false)));
    let sources = vec![Source {
        path: "policy.yaml".to_owned(),
        text: block(&document, "policy.yaml"),
    }];
    let script: Arc<std::sync::Mutex<Vec<Turn>>> = Arc::default();
    let turns = script.clone();
    let crm = Scripted::start(move |request| {
        if request.line.starts_with("GET /v2/whoami ") {
            return scripted::json(
                200,
                br#"{"account":{"id":"7","login":"zoe"},"groups":[{"name":"Staff"}]}"#,
            );
        }
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let asked = format!("{} {body}", request.line.trim_end_matches(" HTTP/1.1"));
        let mut turns = turns.lock().unwrap();
        match turns.first() {
            Some((expected, says)) if *expected == asked.trim_end() => {
                let says = says.clone();
                turns.remove(0);
                scripted::json(200, says.as_bytes())
            }
            expected => panic!("asked {asked}, expected {expected:?}"),
        }
    });
    let world = World::scripted(crm.address, wish(described, sources));
    let exchange = block(&document, "exchange");
    let mut reply: Option<Response> = None;
    let mut lines = exchange.lines().peekable();
    while let Some(line) = lines.next() {
        let (word, rest) = line.split_once(' ').unwrap();
        let rest = rest.trim_start();
        let ask = |rest: &str| {
            let mut parts = rest.splitn(3, ' ');
            let line = format!("{} {}", parts.next().unwrap(), parts.next().unwrap());
            send(
                &world,
                ("Authorization", "Bearer token-of-zoe"),
                &line,
                parts.next(),
            )
        };
        match word {
            "asks" => {
                let mut turns = Vec::new();
                while let Some(crm) = lines.next_if(|line| line.starts_with("crm ")) {
                    let says = lines.next().unwrap().strip_prefix("says ").unwrap();
                    turns.push((crm[4..].trim_start().to_owned(), says.to_owned()));
                }
                *script.lock().unwrap() = turns;
                reply = Some(ask(rest));
                assert!(
                    script.lock().unwrap().is_empty(),
                    "the CRM was not asked everything: {line}"
                );
            }
            "gets" => assert_eq!(reply.take().unwrap().text(), rest),
            status => {
                let refused = ask(rest);
                assert_eq!(
                    refused.status.to_string(),
                    status,
                    "{line}: {}",
                    refused.text()
                );
            }
        }
    }
}

#[test]
fn check_accepts_what_is_described_on_paper() {
    let folder = root().join("tests/data/described");
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().flatten().collect();
    assert!(!files.is_empty());
    for file in files {
        let path = file.path();
        let path = path.to_str().unwrap();
        let output = crate::harness::binary::run(&["check", "--description", path]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{path}: {said}");
    }
}

#[test]
fn check_reads_a_description_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kontor.yaml");
    let text = block(&document(), "kontor.yaml");
    let check = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let output =
            crate::harness::binary::run(&["check", "--description", path.to_str().unwrap()]);
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.code(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    };
    let (code, said) = check(&text);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("description `kontor` is valid"), "{said}");
    assert!(said.contains("GET /v2/{module}/{id}/{link}"), "{said}");
    let (code, said) = check(&text.replace("records: $.item }", "recrods: $.item }"));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("did you mean `records`?"), "{said}");
    assert!(said.contains("kontor.yaml:"), "{said}");
}

#[test]
fn the_document_lists_the_routes_of_the_examples() {
    let document = document();
    for (name, heading) in [
        ("dolibarr", "\n## Dolibarr\n"),
        ("espocrm", "\n## EspoCRM\n"),
    ] {
        let path = root().join(format!("examples/{name}/{name}.yaml"));
        let described = Described::load(&path).0.unwrap();
        let section = document
            .split(heading)
            .nth(1)
            .unwrap()
            .split("\n## ")
            .next()
            .unwrap();
        let rows: Vec<&str> = section
            .lines()
            .filter(|line| line.ends_with("` |"))
            .collect();
        let routes: Vec<String> = described
            .routes()
            .map(|(route, action)| format!("| {action} | `{route}` |"))
            .collect();
        assert_eq!(rows, routes, "the routes of {name}");
    }
}

#[test]
fn the_document_explains_every_key_and_every_code() {
    let document = document();
    for (what, keys) in paravent::dialect::engine::KEYS {
        let section = document.split(&format!("\n### {what}\n")).nth(1);
        let section = section.unwrap_or_else(|| panic!("no section `{what}`"));
        let section = section
            .split("\n### ")
            .next()
            .unwrap()
            .split("\n## ")
            .next()
            .unwrap();
        let listed: Vec<&str> = section
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
            .collect();
        assert_eq!(&listed, keys, "the table of {what}");
    }
    for (code, meaning) in paravent::dialect::engine::codes::CODES {
        assert!(
            document.contains(&format!("| {code} | {meaning} |")),
            "{code}"
        );
    }
}

#[test]
fn the_folder_of_recordings_of_dolibarr_is_filtered_or_refused() {
    let Some(folder) = std::env::var_os("PARAVENT_RECORDINGS") else {
        return skipped("PARAVENT_RECORDINGS names no folder");
    };
    let folder = PathBuf::from(folder).join("dolibarr");
    // A folder of recordings need not hold those of every CRM.
    if folder.is_dir() {
        replay_dolibarr(&folder);
    } else {
        println!("PARAVENT_RECORDINGS holds no folder `dolibarr`");
    }
}

/// The smallest folder: one record, one error of the CRM, one route that the description does not know.
#[test]
fn any_folder_of_recordings_of_dolibarr_will_do() {
    let folder = tempfile::tempdir().unwrap();
    let exchange = |path: &str, status: u16, body: Value| {
        json!({
            "request": {"method": "GET", "path": path, "headers": [["DOLAPIKEY", "key"]], "body": ""},
            "response": {"status": status, "headers": [["Content-Type", "application/json"]], "body": body.to_string()},
        })
    };
    for (name, exchange) in [
        (
            "1-read",
            exchange(
                "/api/index.php/contacts/3",
                200,
                json!({"id": "3", "array_options": {"options_iban_perso": IBAN}}),
            ),
        ),
        (
            "2-missing",
            exchange(
                "/api/index.php/contacts/4",
                404,
                json!({"error": {"code": 404, "message": "Not Found: Contact not found"}}),
            ),
        ),
        (
            "3-unknown",
            exchange("/api/index.php/setup/conf", 200, json!({})),
        ),
    ] {
        let file = folder.path().join(format!("{name}.json"));
        std::fs::write(file, exchange.to_string()).unwrap();
    }
    std::fs::write(folder.path().join("README.md"), "Not an exchange.").unwrap();
    let outcomes = replay_dolibarr(folder.path());
    let names = |status: &str| outcomes.get(status).map_or(0, Vec::len);
    assert_eq!((names("200"), names("404"), names("403")), (1, 1, 1));
}

/// Replays every exchange of a folder; returns their names by the status of what came back.
fn replay_dolibarr(folder: &Path) -> BTreeMap<String, Vec<String>> {
    let crm = Scripted::start(answer_from(folder));
    let world = World::scripted(crm.address, example("dolibarr"));
    let mut outcomes = BTreeMap::<String, Vec<String>>::new();
    for (name, exchange) in exchanges(folder) {
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
        // Whatever the CRM says is passed on filtered or as its error, else a reason is told; what it says in its own
        // form is understood.
        // Or what in the request it is about.
        let about = [
            "is not accepted here.",
            "is not understood here.",
            "At most ",
        ];
        let told = Reason::ALL
            .iter()
            .map(|reason| reason.text())
            .chain(about)
            .find(|text| reply.text().contains(text));
        let recorded = &exchange["response"];
        let is_json = serde_json::from_str::<Value>(&body_of(recorded)).is_ok();
        let is_good = is_json
            && recorded["status"]
                .as_u64()
                .is_some_and(|status| status < 500);
        assert!(
            told.is_some()
                || reply.status < 300
                || reply.text().contains("The CRM ")
                || reply.text().contains("is not accepted here"),
            "{name}: {} {}",
            reply.status,
            reply.text()
        );
        assert!(!is_good || reply.status != 502, "{name}: {}", reply.text());
        for secret in personal(&exchange) {
            assert!(!reply.text().contains(&secret), "{name} shows {secret:?}");
        }
        outcomes
            .entry(reply.status.to_string())
            .or_default()
            .push(name);
    }
    println!("{outcomes:#?}");
    outcomes
}

/// The text of a recorded reply.
fn body_of(response: &Value) -> String {
    let text = response["body_gunzipped"]
        .as_str()
        .or_else(|| response["body"].as_str());
    text.unwrap_or_default().to_owned()
}

fn exchanges(folder: &Path) -> Vec<(String, Value)> {
    let mut all: Vec<(String, Value)> = std::fs::read_dir(folder)
        .unwrap()
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|kind| kind == "json"))
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
fn answer_from(folder: &Path) -> impl Fn(&Received) -> Vec<u8> + Send + Sync + use<> + 'static {
    let decoded = |text: &str| {
        percent_encoding::percent_decode_str(text)
            .decode_utf8_lossy()
            .to_lowercase()
    };
    let known: Vec<(String, u16, Vec<u8>)> = exchanges(folder)
        .into_iter()
        .map(|(_, exchange)| {
            let request = &exchange["request"];
            let line = format!(
                "{} {}",
                request["method"].as_str().unwrap(),
                request["path"].as_str().unwrap()
            );
            let body = body_of(&exchange["response"]);
            let status = u16::try_from(exchange["response"]["status"].as_u64().unwrap()).unwrap();
            (decoded(&line), status, body.into_bytes())
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
    let mut found = Vec::new();
    if let Ok(reply) = serde_json::from_str(&body_of(&exchange["response"])) {
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

/// The lines of the log that hold a word.
fn logged_with(word: &str) -> Vec<String> {
    let log = world::logged();
    let lines = log.lines().filter(|line| line.contains(word));
    lines.map(str::to_owned).collect()
}

#[test]
fn what_a_described_api_has_changed_is_hidden_and_its_name_is_told_once() {
    // A new field, one that was renamed, one of a new type, one that looks like a value, and a new key beside the records.
    let contact = json!({
        "id": "5320a1", "firstName": {"value": "Zenobia", "language": "fr"}, "familyNameQz": "Martinez", "shoeSizeQz": 44,
        "marie.curieqz@example.org": true, "cIban": [IBAN], "description": "plain",
    });
    let crm = Scripted::start(move |request| {
        let body = match request.line.split(' ').nth(1).unwrap() {
            "/api/v1/App/user" => return espocrm(request),
            path if path.contains("/Account") => {
                json!({"envelopeQz": {"total": 1, "list": [contact]}})
            }
            path if path.contains("/Lead") => json!({"total": {"exact": 1}, "list": [contact]}),
            path if path.contains("/Task") => json!({"total": 1, "list": {"of": [contact]}}),
            _ => json!({"total": 1, "list": [contact, contact], "cursorQz": "Zenobia"}),
        };
        scripted::json(200, body.to_string().as_bytes())
    });
    let world = World::scripted(crm.address, example("espocrm"));
    for (name, value) in [
        ("a name", "Zenobia"),
        ("another", "Martinez"),
        ("an IBAN", IBAN),
    ] {
        world.forbid(name, value);
    }
    let sales = ("X-Api-Key", "key-sales");
    for _ in 0..3 {
        let list = send(&world, sales, "GET /api/v1/Contact?maxSize=5", None);
        assert_eq!(list.status, 200, "{}", list.text());
        let shown = &list.json()["list"][0];
        assert_eq!(shown["firstName"], json!({}));
        assert_eq!(shown["familyNameQz"], Value::Null);
        assert!(list.json().get("cursorQz").is_none());
    }
    let told = logged_with("shoesizeqz");
    assert_eq!(told.len(), 1, "{told:?}");
    for part in [
        "fields that no policy classifies are redacted",
        "dialect=\"espocrm\"",
        "module=\"Contact\"",
        "familynameqz shoesizeqz",
        "others=1",
    ] {
        assert!(told[0].contains(part), "{part}: {}", told[0]);
    }
    let told = logged_with("firstname=object");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("ciban=list"), "{}", told[0]);
    assert_eq!(logged_with("cursorQz").len(), 1);
    assert!(logged_with("curieqz").is_empty(), "it looks like a value");
    let metrics = world.metrics();
    for line in [
        "paravent_drift{dialect=\"espocrm\",kind=\"field\"} 3",
        "paravent_drift{dialect=\"espocrm\",kind=\"type\"} 2",
        "paravent_drift{dialect=\"espocrm\",kind=\"key\"} 1",
        "paravent_unclassified_fields{dialect=\"espocrm\"} 3",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    // A reply that is no longer understood is refused; what stands in it, and where it ended, is told.
    for (module, word) in [
        ("Account", "keys=\"envelopeQz\""),
        ("Lead", "under=\"total\""),
        ("Task", "under=\"list\""),
    ] {
        let reply = send(&world, sales, &format!("GET /api/v1/{module}"), None);
        assert_eq!(reply.status, 502, "{module}");
        assert!(!logged_with(word).is_empty(), "{word}");
    }
}

#[test]
fn what_art_9_protects_is_hidden_under_its_french_names_and_sales_has_a_role() {
    let (dolibarr, espocrm) = (Scripted::start(dolibarr), Scripted::start(espocrm));
    let world = World::scripted(dolibarr.address, example("dolibarr"));
    for key in ["key-sales", "key-support", "key-compta"] {
        world.forbid("health", "asthme");
        world.forbid("a union", "adhérente");
        let line = "GET /api/index.php/contacts/248";
        let reply = send(&world, ("DOLAPIKEY", key), line, None);
        assert_eq!(reply.status, 200, "{key}: {}", reply.text());
        let record = reply.json();
        assert_eq!(record["lastname"], "Peltier", "{key}");
        let extra = &record["array_options"];
        for name in ["options_sante", "options_syndicat"] {
            assert!(extra.get(name).is_none(), "{key}: {name}");
        }
        let shown = extra["options_iban_perso"].as_str().unwrap();
        assert_eq!(shown == IBAN, key == "key-compta", "{key}: {shown}");
    }
    let world = World::scripted(espocrm.address, example("espocrm"));
    world.forbid("health", "asthme");
    world.forbid("a union", "adhérente");
    let line = "GET /api/v1/Contact/5320a1";
    let reply = send(&world, ("X-Api-Key", "key-sales"), line, None);
    assert_eq!(reply.json()["lastName"], "Byron", "{}", reply.text());
    for name in ["cSante", "cSyndicat"] {
        assert!(reply.json().get(name).is_none(), "{name}");
    }
}

#[test]
fn the_examples_say_what_a_key_needs_that_may_not_ask_whose_it_is() {
    for name in ["dolibarr", "espocrm"] {
        let folder = root().join("examples").join(name);
        for file in ["README.md", "paravent.yaml"] {
            let text = std::fs::read_to_string(folder.join(file)).unwrap();
            assert!(text.contains("`caller.listed`"), "{name}/{file}");
        }
        // What the description shows as a comment is understood where it is none.
        let text = std::fs::read_to_string(folder.join(format!("{name}.yaml"))).unwrap();
        let listed = text
            .replace("  # listed:", "  listed:")
            .replace(
                "  #   - { sha256: <printf %s KEY | sha256sum>",
                "    - { sha256: HASH",
            )
            .replace("HASH", &"0".repeat(64));
        assert_ne!(listed, text);
        let (described, problems) = Described::read("listed.yaml", &listed);
        assert!(described.is_some(), "{}", problems.render(false));
    }
}
