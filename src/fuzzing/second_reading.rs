//! Texts that a CRM reads once more after us: an accepted predicate is sent through a model of the CRM's decoders and
//! rewriters ([`super::models`]), and what its database would run must be what was accepted, to the byte of each literal.

use std::sync::LazyLock;

use http::Method;
use serde_json::{Value, json};

use super::BOUNDS;
use super::models::php::{self, Html, Tree};
use super::models::sql::{self, Token};
use super::models::suitecrm::{self, Cleaning, Kind, Related};
use crate::dialect::engine::Described;
use crate::dialect::sugar_v4::SugarV4;
use crate::dialect::suitecrm_v8;
use crate::dialect::{Database, Dialect, Incoming, Operation, Outgoing, Predicate, Understood};

pub(super) mod described;

/// Where a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the legacy API's SQL, before MySQL and before another database.
    Fragment(Database),
    /// In V8's filter, whose comparisons are joined by this.
    Predicate(&'static str),
    /// In a search of the legacy API.
    Search,
    /// In Dolibarr's filter.
    SqlFilters,
    /// In EspoCRM's conditions, in brackets and as JSON.
    Brackets,
    Json,
}

/// Every place, by number.
pub(super) const PLACES: &[Place] = &[
    Place::Fragment(Database::Mysql),
    Place::Fragment(Database::Other),
    Place::Predicate("and"),
    Place::Predicate("or"),
    Place::Search,
    Place::SqlFilters,
    Place::Brackets,
    Place::Json,
];

/// Two texts in a place that the first byte chooses; a line break divides them.
pub(super) fn target(bytes: &[u8]) {
    let (choice, bytes) = super::chosen(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let (one, other) = text.split_once('\n').unwrap_or((text, ""));
    is_sent(PLACES[choice % PLACES.len()], one, other);
}

/// Sends two texts, if they are accepted; whether they are. Panics where the CRM would run something else.
pub(super) fn is_sent(place: Place, one: &str, other: &str) -> bool {
    match place {
        Place::Fragment(database) => fragment(database, one, other),
        Place::Predicate(joined_by) => filter(joined_by, one, other),
        Place::Search => search(one),
        Place::SqlFilters => described::sql_filters(one, other),
        Place::Brackets => described::conditions(false, one, other),
        Place::Json => described::conditions(true, one, other),
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

fn operation(
    dialect: &dyn Dialect,
    target: &str,
    body: Option<String>,
) -> Option<(Operation, Outgoing)> {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let method = if body.is_some() {
        Method::POST
    } else {
        Method::GET
    };
    let body = body.unwrap_or_default();
    let incoming = Incoming {
        method: &method,
        path,
        query,
        accept: None,
        content_type: Some(FORM).filter(|_| !body.is_empty()),
        controls: &[],
        body: body.as_bytes(),
    };
    let exchange = match dialect.understand(&incoming, &BOUNDS).ok()? {
        Understood::One(exchange) => exchange,
        Understood::Bulk { .. } => return None,
    };
    let operation = exchange.operation().clone();
    let outgoing = exchange.render(&operation);
    Some((operation, outgoing))
}

pub(super) fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

// ---- the legacy API --------------------------------------------------------------------------------------------------

pub(super) fn call(method: &str, arguments: &Value) -> String {
    let arguments = encode(&arguments.to_string());
    format!("method={method}&input_type=JSON&response_type=JSON&rest_data={arguments}")
}

/// The argument of a call, as PHP reads it: old versions undo entities in the JSON before.
pub(super) fn argument(outgoing: &Outgoing, at: usize) -> String {
    let body = outgoing.body.clone().unwrap_or_default();
    let form = php::parse_str(&String::from_utf8_lossy(&body));
    let data = form
        .get("rest_data")
        .and_then(Tree::text)
        .unwrap_or_default();
    let read = |text: &str| -> Option<String> {
        let arguments: Value = serde_json::from_str(text).ok()?;
        Some(arguments.get(at)?.as_str()?.to_owned())
    };
    let plain = read(data).expect("an argument that is a text");
    let decoded = suitecrm::from_html(data, Html::Five);
    assert_eq!(read(&decoded).as_ref(), Some(&plain), "another JSON");
    plain
}

fn fragment(database: Database, one: &str, other: &str) -> bool {
    let quoted = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"));
    let (first, second) = (quoted(one), quoted(other));
    let query = format!(
        "(tasks.name LIKE {first} OR tasks.status IN ({second}, 2, {first})) AND NOT tasks.name BETWEEN {first} AND {second} \
         AND tasks.id IN (SELECT r.bean_id FROM email_addr_bean_rel r JOIN email_addresses a ON \
         (a.id = r.email_address_id) WHERE r.deleted = 0 AND a.email_address = {second})"
    );
    let dialect = SugarV4::before(database);
    let body = call("get_entry_list", &json!(["session", "Tasks", query]));
    let sent = operation(&dialect, "/service/v4_1/rest.php", Some(body));
    let Some((_, outgoing)) = sent else {
        return false;
    };
    let (first, second) = (Piece::Text(one), Piece::Text(other));
    let meant = [
        Piece::Sql("((tasks.name LIKE"),
        first,
        Piece::Sql("OR tasks.status IN ("),
        second,
        Piece::Sql(", 2, "),
        first,
        Piece::Sql(")) AND tasks.name NOT BETWEEN"),
        first,
        Piece::Sql("AND"),
        second,
        Piece::Sql(
            "AND tasks.id IN (SELECT eabr.bean_id FROM email_addr_bean_rel eabr JOIN email_addresses ea \
             ON (ea.id = eabr.email_address_id) WHERE eabr.deleted = 0 AND ea.email_address =",
        ),
        second,
        Piece::Sql("))"),
    ];
    let sent = argument(&outgoing, 2);
    runs(&sent, &meant, &[one, other]);
    true
}

fn search(text: &str) -> bool {
    let dialect = SugarV4::before(Database::Mysql);
    let body = call("search_by_module", &json!(["session", text, ["Tasks"]]));
    let Some((_, outgoing)) = operation(&dialect, "/service/v4_1/rest.php", Some(body)) else {
        return false;
    };
    let sent = argument(&outgoing, 1);
    let stock = suitecrm::stock();
    for html in [Html::Four, Html::Five] {
        for (number, cleaning) in CLEANINGS.iter().enumerate() {
            let query = |text: &str, related: &[Related]| {
                let condition = suitecrm::search("tasks", text, *cleaning, html);
                sql::tokens(&suitecrm::list_query("tasks", &condition, related))
                    .expect("a statement that ends")
            };
            let (runs, plain) = (query(&sent, &stock), query("x", &stock));
            assert!(
                sql::bones(&runs) == sql::bones(&plain),
                "other SQL: {runs:?}"
            );
            for own in named_in(&[&cleaning(&sent)], &plain) {
                let related = [stock.clone(), vec![own]].concat();
                let (runs, plain) = (query(&sent, &related), query("x", &related));
                assert!(
                    sql::bones(&runs) == sql::bones(&plain),
                    "other SQL: {runs:?}"
                );
            }
            // Quoted twice, the pattern holds a backslash before each character that needs one.
            let pattern = suitecrm::quote(sent.trim(), html) + "%";
            let is_kept = number == 0 && !sent.to_ascii_lowercase().contains("javascript:");
            let texts = runs.iter().zip(&plain);
            let texts = texts.filter(|(_, plain)| **plain == Token::Literal(b"x%".to_vec()));
            for (literal, _) in texts.filter(|_| is_kept) {
                let meant = Token::Literal(pattern.clone().into_bytes());
                assert_eq!(*literal, meant, "another literal");
            }
        }
    }
    true
}

/// What the library that cleans texts of scripts may do to them; which of it, depends on its version and on the text.
const CLEANINGS: &[Cleaning] = &[
    str::to_owned,
    without_tags,
    without_scripts,
    |text| php::url_decode(text, false),
    |text| suitecrm::from_html(&php::url_decode(text, false), Html::Five),
    |text| text.replace('\\', ""),
];

fn without_tags(text: &str) -> String {
    let text = suitecrm::from_html(text, Html::Five);
    let mut plain = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('<') {
        plain.push_str(before);
        rest = after.split_once('>').map_or("", |(_, rest)| rest);
    }
    plain + rest
}

fn without_scripts(text: &str) -> String {
    [
        ".parentNode",
        "document.cookie",
        "(document).cookie",
        "-->",
        ".innerHTML",
        "&",
        ";",
        "=",
    ]
    .iter()
    .fold(text.to_owned(), |text, word| text.replace(word, ""))
}

// ---- V8 --------------------------------------------------------------------------------------------------------------

fn filter(joined_by: &'static str, one: &str, other: &str) -> bool {
    static DIALECT: LazyLock<Described> = LazyLock::new(suitecrm_v8::described);
    let target = format!(
        "/Api/V8/module/Tasks?filter[name][like]={}&filter[status][eq]={}&filter[operator]={joined_by}",
        encode(one),
        encode(other)
    );
    let Some((operation, outgoing)) = operation(&*DIALECT, &target, None) else {
        return false;
    };
    let query = outgoing
        .target
        .split_once('?')
        .map_or("", |(_, query)| query);
    let parameters = php::parse_str(query);
    let filter = parameters.get("filter").expect("a filter");
    let mut joined = "and";
    let mut comparisons = Vec::new();
    for (field, member) in filter.members() {
        match member {
            Tree::Text(word) => joined = word,
            Tree::Members(by_operator) => {
                comparisons.extend(by_operator.iter().map(|(operator, value)| {
                    let value = value.text().expect("a text").to_owned();
                    (field.clone(), operator.clone(), value)
                }))
            }
        }
    }
    let texts = values(operation.query.predicate.as_ref());
    let [first, second] = texts.as_slice() else {
        panic!("not two comparisons")
    };
    let joined_by = format!(" {joined_by} ");
    let meant = [
        Piece::Sql("(tasks.deleted = '0'"),
        Piece::Sql(&joined_by),
        Piece::Sql("tasks.name LIKE"),
        Piece::Text(first),
        Piece::Sql(&joined_by),
        Piece::Sql("tasks.status ="),
        Piece::Text(second),
        Piece::Sql(")"),
    ];
    for html in [Html::Four, Html::Five] {
        let condition = suitecrm::filter("tasks", &comparisons, joined, html);
        runs(&condition, &meant, &[one, other]);
        // What was judged is what the CRM reads, however often it reads it.
        assert_eq!(suitecrm::from_html(first, html), *first, "another text");
    }
    true
}

/// The texts of a filter's comparisons.
fn values(filter: Option<&Predicate>) -> Vec<String> {
    match filter {
        Some(Predicate::All(parts) | Predicate::Any(parts)) => {
            parts.iter().flat_map(|part| values(Some(part))).collect()
        }
        Some(Predicate::Field { value, .. }) => {
            value.as_str().map(str::to_owned).into_iter().collect()
        }
        Some(Predicate::Not(part)) => values(Some(part)),
        Some(Predicate::Caller { .. }) | None => Vec::new(),
    }
}

// ---- what the database runs ------------------------------------------------------------------------------------------

/// A piece of a meant statement.
#[derive(Clone, Copy)]
enum Piece<'a> {
    Sql(&'a str),
    Text(&'a str),
}

fn tokens_of(pieces: &[Piece<'_>]) -> Vec<Token> {
    let mut tokens = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Sql(sql) => tokens.extend(sql::tokens(sql).expect("our own SQL")),
            Piece::Text(text) => tokens.push(Token::Literal(text.as_bytes().to_vec())),
        }
    }
    tokens
}

/// Holds what becomes of a condition against what it means: the list's query and the one that counts its rows.
fn runs(condition: &str, meant: &[Piece<'_>], texts: &[&str]) {
    let stock = suitecrm::stock();
    let meant_by = |query: fn(&str) -> String| {
        let empty = sql::tokens(&query(&suitecrm::list_query("tasks", "MEANT", &[])));
        let mut all = Vec::new();
        for token in empty.expect("the CRM's own SQL") {
            match token {
                Token::Word(word) if word == "meant" => all.extend(tokens_of(meant)),
                other => all.push(other),
            }
        }
        all
    };
    for query in [str::to_owned, suitecrm::count_query] as [fn(&str) -> String; 2] {
        let meant = meant_by(query);
        let runs = |related: &[Related]| {
            sql::tokens(&query(&suitecrm::list_query("tasks", condition, related)))
                .expect("a statement that ends")
        };
        let with_stock = runs(&stock);
        assert!(with_stock == meant, "other SQL: {with_stock:?}");
        // Whatever fields the CRM has, nothing leaves its literal.
        for related in named_in(texts, meant.as_slice()) {
            let with_own = sql::bones(&runs(&[related]));
            assert!(with_own == sql::bones(&meant), "other SQL: {with_own:?}");
        }
    }
}

/// Fields that a CRM could have, so named that its rewriting finds them in the texts, and in nothing else.
fn named_in(texts: &[&str], meant: &[Token]) -> Vec<Related> {
    let decoded = texts
        .iter()
        .map(|text| suitecrm::from_html(text, Html::Five));
    let mut related: Vec<Related> = Vec::new();
    for text in decoded {
        let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        for word in words.filter(|word| word.starts_with(|first: char| first.is_ascii_lowercase()))
        {
            let is_ours = |token: &Token| matches!(token, Token::Word(own) if own.contains(word));
            let is_new = related.iter().all(|own| own.name != word);
            if related.len() < 16
                && is_new
                && !meant.iter().any(is_ours)
                // Such a name stands in the digits of other texts, which are no texts then, and the database refuses them.
                && !word.bytes().all(|byte| byte == b'x' || byte.is_ascii_hexdigit())
                && !"_utf8mb4 0x jt0 first_name last_name".contains(word)
            {
                related.push(Related::new(word, Kind::Composed));
                related.push(Related::new(word, Kind::Plain));
            }
        }
    }
    related
}

#[cfg(test)]
mod tests;
