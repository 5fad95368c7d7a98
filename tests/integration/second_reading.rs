//! SuiteCRM behind the proxy, scripted so that it does to texts what it does: it undoes entities, quotes, and rewrites its
//! finished SQL by patterns that know no literals. A hole shows as a statement that it should not have run.

use std::path::Path;
use std::sync::{Arc, Mutex};

use paravent::dialect;
use paravent::policy::{Policy, Source};
use serde_json::{Value, json};

use self::models::php::{self, Html, Tree};
use self::models::sql::{self, Token};
use self::models::suitecrm::{self, Kind, Related};
use crate::harness::client::{Request, Response};
use crate::harness::scripted::{self, Received, Scripted};
use crate::harness::world::{Wish, World};

#[allow(dead_code)]
#[path = "../../src/fuzzing/models/mod.rs"]
mod models;

const TOKEN: &str = "eyJ0.eyJqdGkiOiJ5In0.c2ln";
const SESSION: &str = "5e5510n0f5a11y";
const LEGACY: &str = "/service/v4_1/rest.php";
/// What a statement tells that reads more than it should.
const SECRET: &str = "284039999900049";

/// Conditions that leave their literal, after a bracket that is left out: by a stock field, and by one that this CRM has.
const ATTACKS: [&str; 2] = [
    "contact_name AND 1=2 OR (SELECT LENGTH(user_hash) FROM users) > 9)) #%",
    "boss AND 1=2 OR (SELECT LENGTH(user_hash) FROM users) > 9)) #%",
];

const BRACKETS: &[&str] = &[
    "(",
    "&#40;",
    "&#040;",
    "&#40",
    "&#x28;",
    "&#X28;",
    "&#x00028;",
    "&lpar;",
    "&amp;#40;",
    "&amp;amp;#40;",
    "&#38;#40;",
    "&amp;lpar;",
    "%28",
    "%2528",
    "\\u0028",
    "\\(",
    "\u{ff08}",
    "&#65288;",
];

/// The statements that the CRM's database ran.
#[derive(Default)]
struct Database(Mutex<Vec<Vec<Token>>>);

impl Database {
    /// Runs a statement, as the list of tasks that it leads to. One that reads other columns than the list's tells a secret.
    fn run(&self, condition: &str) -> Value {
        let related = [
            suitecrm::stock(),
            vec![Related::new("boss", Kind::Composed)],
        ]
        .concat();
        let query = suitecrm::list_query("tasks", condition, &related);
        let Some(tokens) = sql::tokens(&query) else {
            return json!([]);
        };
        let reads = |word: &str| tokens.contains(&Token::Word(word.to_owned()));
        let told = if reads("user_hash") { SECRET } else { "Open" };
        self.0.lock().unwrap().push(tokens);
        json!([{"id": "t-1", "status": told}])
    }

    fn take(&self) -> Vec<Vec<Token>> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn answer(database: &Database, request: &Received) -> Vec<u8> {
    let mut words = request.line.split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let reply = |body: Value| scripted::json(200, body.to_string().as_bytes());
    let named = |object: &str, name: &str| {
        json!({"meta": {"total-records": 1, "total-pages": 1},
            "data": [{"type": object, "id": "r-1", "attributes": {"name": name}}]})
    };
    match (method, path) {
        ("GET", "/Api/V8/current-user") => {
            reply(json!({"data": {"type": "User", "id": "u-1", "attributes": {
            "id": "u-1", "user_name": "ada", "full_name": "Ada", "is_admin": "0", "last_name": "Ada"}}}))
        }
        ("GET", "/Api/V8/module/Users/u-1/relationships/aclroles") => {
            reply(named("ACLRole", "Sales"))
        }
        ("GET", "/Api/V8/module/Users/u-1/relationships/SecurityGroups") => {
            reply(named("SecurityGroup", "West"))
        }
        ("GET", "/Api/V8/module/Tasks") => {
            let rows = database.run(&filter(query));
            let rows = rows.as_array().unwrap().iter();
            let data: Vec<Value> = rows
                .map(|row| json!({"type": "Task", "id": row["id"], "attributes": {"status": row["status"]}}))
                .collect();
            reply(json!({ "data": data }))
        }
        ("POST", LEGACY) => reply(legacy(database, &request.body)),
        _ => scripted::json(404, b"{}"),
    }
}

/// The condition that V8's filter becomes.
fn filter(query: &str) -> String {
    let parameters = php::parse_str(query);
    let mut comparisons = Vec::new();
    for (field, by_operator) in parameters.get("filter").map_or(&[][..], Tree::members) {
        for (operator, value) in by_operator.members() {
            comparisons.push((
                field.clone(),
                operator.clone(),
                value.text().unwrap().to_owned(),
            ));
        }
    }
    suitecrm::filter("tasks", &comparisons, "and", Html::Five)
}

fn legacy(database: &Database, body: &[u8]) -> Value {
    let form = php::parse_str(std::str::from_utf8(body).unwrap());
    let text = |name| form.get(name).and_then(Tree::text).unwrap_or_default();
    let arguments: Value = serde_json::from_str(text("rest_data")).unwrap();
    let list = |entries: Vec<Value>| json!({"entry_list": entries, "relationship_list": []});
    let entry = |module: &str, fields: Value| {
        let pairs = fields.as_object().unwrap().iter();
        let pairs =
            pairs.map(|(name, value)| (name.clone(), json!({"name": name, "value": value})));
        json!({"id": fields["id"], "module_name": module, "name_value_list": Value::Object(pairs.collect())})
    };
    let tasks = |rows: Value| -> Vec<Value> {
        let rows = rows.as_array().unwrap().iter();
        rows.map(|row| entry("Tasks", row.clone())).collect()
    };
    match (text("method"), arguments[1].as_str().unwrap_or_default()) {
        ("get_user_id", _) => json!("u-1"),
        ("get_entry", "Users") => list(vec![entry(
            "Users",
            json!({"id": "u-1", "user_name": "ada", "is_admin": "0"}),
        )]),
        ("get_relationships", "Users") if arguments[3] == "aclroles" => list(vec![entry(
            "ACLRoles",
            json!({"id": "r-1", "name": "Sales"}),
        )]),
        ("get_relationships", "Users") => list(Vec::new()),
        ("get_entry_list", "Tasks") => {
            let entries = tasks(database.run(arguments[2].as_str().unwrap()));
            json!({"result_count": entries.len(), "total_count": "1", "next_offset": 1, "entry_list": entries,
                "relationship_list": []})
        }
        ("search_by_module", searched) => {
            let condition = suitecrm::search("tasks", searched, str::to_owned, Html::Five);
            let rows = database.run(&condition);
            let records: Vec<Value> = tasks(rows)
                .iter()
                .map(|task| task["name_value_list"].clone())
                .collect();
            json!({"entry_list": [{"name": "Tasks", "records": records}]})
        }
        other => panic!("{other:?}"),
    }
}

struct Stage {
    database: Arc<Database>,
    crm: Scripted,
    world: World,
}

impl Stage {
    fn new() -> Self {
        let database: Arc<Database> = Arc::default();
        let behind = database.clone();
        let crm = Scripted::start(move |request| answer(&behind, request));
        let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/suitecrm/policies");
        let mut sources = Policy::read(&policies).unwrap();
        sources.push(Source {
            path: "search.yaml".to_owned(),
            text: "search:\n  Tasks: [status, contact_name]\n".to_owned(),
        });
        let wish = Wish {
            dialects: ["sugar-v4", "suitecrm-v8"]
                .map(|name| dialect::by_name(name).unwrap())
                .to_vec(),
            sources,
            ..Wish::default()
        };
        let world = World::scripted(crm.address, wish);
        world.forbid("what only another statement tells", SECRET);
        Self {
            database,
            crm,
            world,
        }
    }

    fn filtered(&self, text: &str) -> Response {
        let text = percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC);
        self.world.send_request(
            self.world.proxy,
            &list(&format!("filter[status][like]={text}")),
        )
    }

    fn called(&self, method: &str, arguments: &Value) -> Response {
        let arguments = arguments.to_string();
        let arguments =
            percent_encoding::utf8_percent_encode(&arguments, percent_encoding::NON_ALPHANUMERIC);
        let body =
            format!("method={method}&input_type=JSON&response_type=JSON&rest_data={arguments}");
        let request = Request {
            method: "POST",
            target: LEGACY,
            headers: vec![(
                "Content-Type",
                "application/x-www-form-urlencoded".to_owned(),
            )],
            body: Some(body.into_bytes()),
        };
        self.world.send_request(self.world.proxy, &request)
    }

    fn searched(&self, text: &str) -> Response {
        let arguments = json!([
            SESSION,
            text,
            ["Tasks"],
            0,
            5,
            "",
            ["id", "status"],
            false,
            false
        ]);
        self.called("search_by_module", &arguments)
    }

    fn queried(&self, query: &str) -> Response {
        let arguments = json!([
            SESSION,
            "Tasks",
            query,
            "",
            0,
            ["id", "status"],
            [],
            5,
            0,
            false
        ]);
        self.called("get_entry_list", &arguments)
    }
}

/// The request of the attack: a list of tasks.
fn list(filter: &str) -> Request<'static> {
    let target = format!("/Api/V8/module/Tasks?fields[Tasks]=contact_name,status&{filter}");
    Request {
        method: "GET",
        target: Box::leak(target.into_boxed_str()),
        headers: vec![("Authorization", format!("Bearer {TOKEN}"))],
        body: None,
    }
}

/// The tokens of a statement that holds a condition and nothing else.
fn holding(condition: &str) -> Vec<Token> {
    sql::tokens(&suitecrm::list_query("tasks", condition, &[])).unwrap()
}

#[test]
fn the_scripted_crm_runs_what_a_text_says_where_nobody_stands_before_it() {
    let stage = Stage::new();
    for bracket in ["(", "&#40;", "&#x28;", "&lpar;"] {
        for attack in ATTACKS {
            let text = format!("{bracket}{attack}");
            let text =
                percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC);
            let request = list(&format!("filter[status][like]={text}"));
            let reply = stage.world.send_request(stage.crm.address, &request);
            assert!(reply.text().contains(SECRET), "{bracket}: {}", reply.text());
            assert_eq!(stage.database.take().len(), 1);
        }
    }
}

#[test]
fn a_filter_never_becomes_sql_whatever_its_spelling() {
    let stage = Stage::new();
    for bracket in BRACKETS {
        for blank in ["", " ", "\t", "\n", "&Tab;", "&NewLine;", "&nbsp;", "%20"] {
            for attack in ATTACKS {
                let text = format!("x{bracket}{blank}{attack}");
                let reply = stage.filtered(&text);
                assert_eq!(reply.status, 400, "{text}: {}", reply.text());
                assert_eq!(stage.database.take(), Vec::<Vec<Token>>::new(), "{text}");
            }
        }
    }
    for text in [
        "x UNION ALL SELECT y",
        "x&#32;union&#9;all&#32;y",
        "x Order\tBy y",
        "x ORDER&nbsp;BY y",
        "PARENT_Users_users&period;name",
        "x contact_name",
        "&#67;ontact_name",
        "&amp;amp;amp;amp;amp;amp;amp;amp;amp;amp;#40;",
    ] {
        assert_eq!(stage.filtered(text).status, 400, "{text}");
    }
    assert_eq!(stage.database.take(), Vec::<Vec<Token>>::new());
}

#[test]
fn a_search_never_becomes_sql_whatever_its_spelling() {
    let stage = Stage::new();
    for bracket in BRACKETS {
        for filler in ["", " ", "\t", "&Tab;", "<b>", ".parentNode"] {
            for attack in ATTACKS {
                let text = format!("{bracket}{filler}{attack}");
                let reply = stage.searched(&text);
                assert_eq!(reply.status, 400, "{text}: {}", reply.text());
            }
        }
    }
    assert_eq!(stage.database.take(), Vec::<Vec<Token>>::new());
    let found = stage.searched("O&#039;Brien (Lyon)");
    assert_eq!(found.status, 200, "{}", found.text());
    let ran = stage.database.take();
    // Quoted twice, as the CRM does it: the pattern holds a backslash.
    let literal = Token::Literal(b"O\\'Brien (Lyon)%".to_vec());
    assert_eq!(
        ran[0].iter().filter(|token| **token == literal).count(),
        5,
        "{:?}",
        ran[0]
    );
}

#[test]
fn honest_filters_run_as_they_are_meant() {
    let stage = Stage::new();
    for (text, meant) in [
        ("O'Brien & Fils", "O'Brien & Fils"),
        ("O&#039;Brien &amp; Fils", "O'Brien & Fils"),
        ("Dupont (Lyon) 50 %", "Dupont (Lyon) 50 %"),
        ("a\\b \"c\" <d>", "a\\b \"c\" <d>"),
        ("100% R&D", "100% R&D"),
    ] {
        let reply = stage.filtered(text);
        assert_eq!(reply.status, 200, "{text}: {}", reply.text());
        let mut expected = holding("(tasks.deleted = '0' AND tasks.status LIKE 'MEANT')");
        for token in &mut expected {
            if *token == Token::Literal(b"MEANT".to_vec()) {
                *token = Token::Literal(meant.as_bytes().to_vec());
            }
        }
        assert_eq!(stage.database.take(), [expected], "{text}");
    }
}

#[test]
fn names_with_brackets_and_words_of_sql_are_found_through_the_legacy_api() {
    let stage = Stage::new();
    for text in [
        "Dupont (m\u{e8}re) order by x",
        "x UNION ALL SELECT y",
        "(contact_name) %",
        "&#40;contact_name AND 1=2 OR (SELECT LENGTH(user_hash) FROM users) > 9)) #%",
        "parent_Users_users.name",
        "50 \\%",
    ] {
        let literal = text.replace('\\', "\\\\");
        let reply = stage.queried(&format!(
            "(tasks.status LIKE '{literal}' OR tasks.status IN ('', '{literal}'))"
        ));
        assert_eq!(reply.status, 200, "{text}: {}", reply.text());
        let ran = stage.database.take();
        let expected = holding("(tasks.status LIKE 'MEANT' OR tasks.status IN ('', 'MEANT'))");
        let expected: Vec<Token> = expected
            .into_iter()
            .map(|token| match token {
                Token::Literal(bytes) if bytes == b"MEANT" => {
                    Token::Literal(text.as_bytes().to_vec())
                }
                other => other,
            })
            .collect();
        assert_eq!(ran, [expected], "{text}");
    }
}
