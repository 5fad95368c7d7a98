//! What somebody would try in order to be understood in one way here and in another by the CRM.

use crate::dialect::testing::Speaks as _;
use http::Method as Verb;
use serde_json::json;

use super::{PATH, SESSION, SugarV4, URLENCODED, bounds, form, one, refused, rendered, send};
use crate::dialect::{Database, Dialect, Incoming, Understood};
use crate::reason::Reason;

fn to(method: &Verb, path: &str, query: Option<&str>, body: &str) -> Option<Reason> {
    let request = Incoming {
        method,
        path,
        query,
        accept: None,
        content_type: Some(URLENCODED),
        controls: &[],
        body: body.as_bytes(),
    };
    let understood = SugarV4::before(Database::Mysql).meaning(&request, &bounds());
    understood
        .err()
        .map(|misunderstood| misunderstood.objection.reason)
}

#[test]
fn other_doors_to_the_same_records_are_shut() {
    let body = form("get_user_id", &json!([SESSION]).to_string());
    assert_eq!(to(&Verb::POST, PATH, None, &body), None);
    for path in [
        "/service/v1/rest.php",
        "/service/v5/rest.php",
        "/service/v2/soap.php",
        "/service/v4_1/soap.php",
        "/service/v4_1/rest.php//",
        "/service/v4_1/rest.php/x",
        "/service/v4_1/%72est.php",
        "/service/V4_1/rest.php",
        "/service/v4_1/",
        "/service",
        "/custom/service/v4_1/rest.php",
        "/custom/service/v4_1_custom/rest.php",
        "/soap.php",
        "/index.php",
        "/index.php/x",
    ] {
        assert!(SugarV4::before(Database::Mysql).claims(path), "{path}");
        assert_eq!(
            to(&Verb::POST, path, None, &body),
            Some(Reason::UnknownRoute),
            "{path}"
        );
    }
    for path in [
        "/Api/V8/module",
        "/rest/v11/me",
        "/services/x",
        "/indexes.php",
        "/",
    ] {
        assert!(!SugarV4::before(Database::Mysql).claims(path), "{path}");
    }
}

#[test]
fn a_request_comes_in_one_way_only() {
    let body = form("get_user_id", &json!([SESSION]).to_string());
    for (query, reason) in [
        ("method=get_entry_list", Reason::UnknownParameter),
        ("jsoncallback=cb", Reason::UnknownParameter),
        ("response_type=Serialize", Reason::UnknownParameter),
        ("rest_data=%5B%5D", Reason::UnknownParameter),
        ("_=1&PHPSESSID=a", Reason::CredentialInQuery),
        ("session=a", Reason::CredentialInQuery),
    ] {
        assert_eq!(
            to(&Verb::POST, PATH, Some(query), &body),
            Some(reason),
            "{query}"
        );
    }
    for method in [Verb::GET, Verb::PUT, Verb::DELETE, Verb::PATCH, Verb::HEAD] {
        let refused = to(&method, PATH, None, &body);
        assert_eq!(refused, Some(Reason::MethodNotAllowed), "{method}");
    }
    for method in [Verb::PUT, Verb::DELETE, Verb::PATCH, Verb::HEAD] {
        let refused = to(&method, PATH, Some(&body), "");
        assert_eq!(refused, Some(Reason::MethodNotAllowed), "{method}");
    }
    let with_body = to(&Verb::GET, PATH, Some(&body), &body);
    assert_eq!(with_body, Some(Reason::UnexpectedBody));
    for (body, reason) in [
        (
            format!("{body}&method=get_entry_list"),
            Reason::DuplicateParameter,
        ),
        (
            format!("{body}&rest_data=%5B%5D"),
            Reason::DuplicateParameter,
        ),
        (format!("{body}&jsoncallback=cb"), Reason::UnknownParameter),
        (format!("{body}&PHPSESSID=a"), Reason::UnknownParameter),
        (
            body.replace("response_type=JSON", "response_type=RSS"),
            Reason::UnsupportedMediaType,
        ),
        (
            body.replace("&response_type=JSON", ""),
            Reason::UnsupportedMediaType,
        ),
        (
            body.replace("&input_type=JSON", ""),
            Reason::UnsupportedMediaType,
        ),
        (
            body.replace("method=get_user_id&", ""),
            Reason::MalformedBody,
        ),
        (
            body.replace("get_user_id", "seamless_login"),
            Reason::UnknownRoute,
        ),
        (
            body.replace("get_user_id", "get_last_viewed"),
            Reason::UnknownRoute,
        ),
        (
            body.replace("get_user_id", "__construct"),
            Reason::UnknownRoute,
        ),
    ] {
        let refused = send(&SugarV4::before(Database::Mysql), &body)
            .unwrap_err()
            .objection
            .reason;
        assert_eq!(refused, reason, "{body}");
    }
}

#[test]
fn deleted_records_and_foreign_arguments_are_refused() {
    for deleted in [json!(1), json!("1"), json!(true), json!(-1)] {
        let list = json!({"session": SESSION, "module_name": "Contacts", "deleted": deleted});
        assert_eq!(refused("get_entry_list", list), Reason::StoredQuery);
        let count = json!({"session": SESSION, "module_name": "Contacts", "deleted": deleted});
        assert_eq!(refused("get_entries_count", count), Reason::StoredQuery);
        let related = json!([SESSION, "Accounts", "a-1", "contacts", "", [], [], deleted]);
        assert_eq!(refused("get_relationships", related), Reason::StoredQuery);
    }
    for filter in [
        "deleted = 1",
        "contacts.deleted != 0",
        "NOT deleted = 0",
        "deleted IN (0, 1)",
        "deleted IS NULL",
    ] {
        assert_eq!(
            refused("get_entries_count", json!([SESSION, "Contacts", filter])),
            Reason::StoredQuery,
            "{filter}"
        );
    }
    for arguments in [
        json!({"session": SESSION, "module_name": "Contacts", "module": "Users"}),
        json!([SESSION, "Contacts", "", 0, "x"]),
    ] {
        assert_eq!(
            refused("get_entries_count", arguments),
            Reason::UnknownParameter
        );
    }
    for name in ["Contacts'", "../Users", "", "Contacts "] {
        assert_eq!(
            refused("get_entries_count", json!([SESSION, name])),
            Reason::MalformedBody
        );
    }
    for id in ["c-1' OR '1'='1", "", "c 1"] {
        assert_eq!(
            refused("get_entry", json!([SESSION, "Contacts", id])),
            Reason::MalformedBody
        );
    }
}

#[test]
fn sql_that_could_tell_something_is_refused() {
    for filter in [
        "contacts.id IN (SELECT id_c FROM contacts_cstm WHERE nir_c LIKE '2%')",
        "contacts_cstm.iban_c REGEXP '^FR7'",
        "contacts_cstm.iban_c RLIKE '^FR7'",
        "ASCII(SUBSTRING(contacts_cstm.nir_c,3,1)) > 53",
        "CASE WHEN contacts.last_name = 'x' THEN 1 ELSE 0 END",
        "jt0.user_name = 'admin'",
        "users.user_hash LIKE '$%'",
        "accounts.name = 'x'",
        "contacts.last_name = users.user_name",
        "contacts.last_name = (SELECT 1)",
        "1 = 1",
        "'a' = 'a'",
        "contacts.last_name = 'x' UNION SELECT 1",
        "contacts.last_name = 'x'; DROP TABLE x",
        "contacts.last_name = 'x' -- '",
        "contacts.last_name = 'x' /* ' */",
        "contacts.last_name = 'x' # '",
        "contacts.last_name = 'x' || 'y'",
        "contacts.last_name = 'x' XOR contacts.first_name = 'y'",
        "contacts.last_name = 'x' 'y'",
        "contacts.last_name = _utf8'x'",
        "contacts.last_name = x'41'",
        "contacts.last_name = 0x41",
        "contacts.last_name = NULL",
        "contacts.last_name LIKE 'x' ESCAPE '!'",
        "contacts.last_name SOUNDS LIKE 'x'",
        "contacts.last_name COLLATE utf8_bin = 'x'",
        "BINARY contacts.last_name = 'x'",
        "(contacts.last_name, contacts.first_name) = ('x', 'y')",
        "(contacts.last_name) = 'x'",
        "contacts.last_name IS TRUE",
        "contacts.last_name IN ()",
        "contacts.last_name IN ('x',)",
        "contacts.last_name BETWEEN 'x'",
        "contacts.last_name",
        "contacts.last_name NOT = 'x'",
        "NOT",
        "EXISTS (SELECT 1)",
        "contacts.contacts.last_name = 'x'",
        "Contacts.last_name = 'x'",
        "contacts_cstm.last_name = 'x'",
        "accounts_cstm.iban_c = 'x'",
        "contacts.last_name = 'x' AND",
        "contacts.last_name = 'x')",
        "(contacts.last_name = 'x'",
        "contacts.`last_name` = 'x'",
        "contacts.last_name = 'x\\",
        "contacts.last_name = 'x\\'",
        "contacts.last_name = @x",
        "contacts.last_name > ALL ('x')",
    ] {
        let count = json!([SESSION, "Contacts", filter]);
        assert_eq!(
            refused("get_entries_count", count),
            Reason::MalformedFilter,
            "{filter}"
        );
    }
}

/// Fragments whose literals would become SQL, if the CRM's rewriting of its own queries found them.
const REWRITTEN: &[&str] = &[
    // The query that counts a list's rows would lose the quote between `SELECT` and `FROM`: the second literal, SQL.
    "contacts.first_name = 'x UNION ALL SELECT ' AND contacts.id IN (SELECT a.bean_id \
     FROM email_addr_bean_rel a JOIN email_addresses b ON (b.id = a.email_address_id) WHERE \
     a.deleted = 0 AND b.email_address = ')) OR contacts_cstm.iban_c LIKE 0x465225 ORDER BY ')",
    "contacts.first_name = 'x UNION ALL y'",
    "contacts.first_name LIKE '% order by %'",
    "contacts.first_name IN ('x', 'y Order By z')",
    "contacts.first_name BETWEEN 'x' AND ' union all '",
    "contacts.first_name = 'x parent_Users_users.name'",
    // The CRM writes `(created_by_name … %')` three times, and the second `…` would be SQL.
    "(contacts.first_name LIKE 'x (created_by_name OR contacts_cstm.iban_c LIKE 0x465225 OR 0x25%')",
    "contacts.first_name LIKE '( \t_x' AND contacts.last_name LIKE 'y%'",
    "contacts.first_name LIKE '&#40;created_by_name AND 1=2 OR 1=1)) #%'",
    "contacts.first_name LIKE '&amp;amp;#x28;created_by_name AND 1=2 OR 1=1)) #%'",
    "contacts.first_name LIKE '%28created_by_name%'",
    "contacts.id IN (SELECT a.bean_id FROM email_addr_bean_rel a JOIN email_addresses b ON \
     (b.id = a.email_address_id) WHERE a.deleted = 0 AND b.email_address LIKE '&lpar;created_by_name%')",
];

/// The methods that take a fragment, with one.
fn methods(filter: &str) -> [(&'static str, serde_json::Value); 3] {
    [
        ("get_entry_list", json!([SESSION, "Contacts", filter])),
        ("get_entries_count", json!([SESSION, "Contacts", filter])),
        (
            "get_relationships",
            json!([SESSION, "Accounts", "a-1", "contacts", filter]),
        ),
    ]
}

#[test]
fn where_texts_are_sent_in_quotes_those_that_the_crm_would_rewrite_are_refused() {
    let dialect = SugarV4::before(Database::Other);
    for (method, arguments) in REWRITTEN.iter().flat_map(|filter| methods(filter)) {
        let body = form(method, &arguments.to_string());
        let refused = send(&dialect, &body).unwrap_err().objection.reason;
        assert_eq!(refused, Reason::MalformedFilter, "{arguments}");
    }
    let plain = "contacts.last_name = 'Select (It) from order'";
    let body = form(
        "get_entries_count",
        &json!([SESSION, "Contacts", plain]).to_string(),
    );
    let Ok(Understood::One(operation)) = send(&dialect, &body) else {
        panic!("not understood")
    };
    assert_eq!(super::called(&dialect.render(&operation)).1[2], plain);
}

#[test]
fn texts_in_hexadecimal_are_served_whatever_they_say() {
    for (method, arguments) in REWRITTEN.iter().flat_map(|filter| methods(filter)) {
        let operation = one(method, &arguments).unwrap();
        let sent = rendered(&operation);
        let sent = sent[if method == "get_relationships" { 4 } else { 2 }].as_str();
        let sent = sent.unwrap();
        for word in [
            "'",
            "\"",
            "&",
            "%",
            "created_by_name",
            "order by",
            "union all",
            "parent_",
        ] {
            assert!(!sent.to_ascii_lowercase().contains(word), "{sent}");
        }
        // What a client sends in this spelling is the same.
        let table = [SESSION, "Contacts", sent];
        assert_eq!(
            rendered(&one("get_entries_count", &json!(table)).unwrap())[2],
            sent
        );
    }
    let mere = "accounts.name = 'Dupont (m\u{e8}re) order by x'";
    let count = one("get_entries_count", &json!([SESSION, "Accounts", mere])).unwrap();
    assert_eq!(
        rendered(&count)[2],
        "accounts.name = _utf8mb4 0x4475706f6e7420286dc3a8726529206f726465722062792078"
    );
    let blank = json!([SESSION, "Accounts", "accounts.name IN ('', 'x', 2)"]);
    let blank = one("get_entries_count", &blank).unwrap();
    assert_eq!(
        rendered(&blank)[2],
        "accounts.name IN ('', _utf8mb4 0x78, 2)"
    );
}

#[test]
fn searches_that_the_crm_would_rewrite_are_refused_in_every_spelling() {
    for bracket in [
        "(",
        "&#40;",
        "&#40",
        "&lpar;",
        "&#x28;",
        "&amp;#40;",
        "&amp;amp;#40;",
        "%28",
        "\\u0028",
        "\u{ff08}",
    ] {
        let text = format!("{bracket}contact_name AND 1=2 OR (SELECT 1)) #%");
        let search = json!([SESSION, text, ["Tasks"]]);
        assert_eq!(
            refused("search_by_module", search),
            Reason::MalformedQuery,
            "{text}"
        );
    }
    for text in [
        "x UNION ALL SELECT y",
        "x order by y",
        "(<b>contact_name",
        "(.parentNodecontact_name %",
    ] {
        let search = json!([SESSION, text, ["Contacts"]]);
        assert_eq!(
            refused("search_by_module", search),
            Reason::MalformedQuery,
            "{text}"
        );
    }
    // What is sent is what is meant, so that undoing entities again changes nothing.
    for (text, sent) in [
        ("O&amp;#039;Brien &amp; Fils", "O'Brien & Fils"),
        ("Dupont (Lyon)", "Dupont (Lyon)"),
    ] {
        let search = json!([SESSION, text, ["Contacts"]]);
        assert_eq!(
            rendered(&one("search_by_module", &search).unwrap())[1],
            sent
        );
    }
}

#[test]
fn arguments_hold_no_markup_that_an_old_version_would_decode() {
    let written = json!([SESSION, "Contacts", {"last_name": "&quot;}]; <b> 'x' &amp;#34;"}]);
    let operation = one("set_entry", &written).unwrap();
    let body = SugarV4::before(Database::Mysql)
        .render(&operation)
        .body
        .unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    for escape in ["%26", "%3C", "%3E", "%27"] {
        assert!(!body.contains(escape), "{body}");
    }
    assert_eq!(rendered(&operation)[2][0]["value"], written[2]["last_name"]);
}

#[test]
fn depth_and_orders_are_bounded() {
    let deep = format!("{}id = '1'{}", "(".repeat(40), ")".repeat(40));
    assert_eq!(
        refused("get_entries_count", json!([SESSION, "Contacts", deep])),
        Reason::MalformedFilter
    );
    for order in [
        "CASE WHEN contacts_cstm.iban_c LIKE 'FR7%' THEN 0 ELSE 1 END",
        "(SELECT 1)",
        "RAND()",
        "1",
        "last_name; x",
        "last_name DESC ASC",
        "last_name,",
        ",last_name",
        "users.user_hash",
        "last_name -- x",
        "FIELD(id, '1')",
        "a,b,c,d,e,f,g,h,i,j,k",
    ] {
        let list = json!([SESSION, "Contacts", "", order]);
        assert_eq!(
            refused("get_entry_list", list),
            Reason::MalformedOrder,
            "{order}"
        );
    }
}

#[test]
fn only_the_select_of_addresses_is_understood() {
    let select = |inner: &str| format!("contacts.id IN (SELECT {inner})");
    let good = "eabr.bean_id FROM email_addr_bean_rel eabr JOIN email_addresses ea ON (ea.id = eabr.email_address_id) \
                WHERE eabr.deleted=0 AND ea.email_address LIKE 'jane%'";
    for spelling in [
        select(good),
        select(&good.replace("email_addr_bean_rel eabr JOIN", "email_addr_bean_rel AS eabr INNER JOIN")),
        select(&good.replace("(ea.id = eabr.email_address_id)", "eabr.email_address_id = ea.id AND ea.deleted = 0")),
        select(&good.replace("eabr.deleted=0 AND ea.email_address LIKE 'jane%'", "ea.email_address LIKE 'jane%' AND eabr.deleted = '0'")),
        "id in (select email_addr_bean_rel.bean_id from email_addr_bean_rel join email_addresses on \
         email_addresses.id = email_addr_bean_rel.email_address_id where email_addresses.email_address like 'jane%')".to_owned(),
    ] {
        let count = one("get_entries_count", &json!([SESSION, "Contacts", spelling])).unwrap();
        assert_eq!(super::used(&count, crate::vocabulary::Use::Matched), ["Contacts.email1"], "{spelling}");
        let canonical = rendered(&count)[2].as_str().unwrap().to_owned();
        let again = one("get_entries_count", &json!([SESSION, "Contacts", canonical])).unwrap();
        assert_eq!(rendered(&again)[2], canonical);
    }
    for bad in [
        good.replace("eabr.bean_id", "eabr.email_address_id"),
        good.replace("eabr.bean_id", "ea.email_address"),
        good.replace("email_addresses ea", "users ea"),
        good.replace("email_addr_bean_rel eabr", "contacts_cstm eabr"),
        good.replace("ea.id = eabr.email_address_id", "ea.id = ea.id"),
        good.replace("ea.id = eabr.email_address_id", "1 = 1"),
        good.replace("eabr.deleted=0", "eabr.deleted=1"),
        good.replace("ea.email_address LIKE", "ea.opt_out LIKE"),
        good.replace("ea.email_address LIKE", "contacts_cstm.iban_c LIKE"),
        good.replace("AND ea.email_address", "OR ea.email_address"),
        good.replace("email_addresses ea ON", "email_addresses eabr ON"),
        format!("{good} AND ea.email_address = 'x'"),
        format!("{good} UNION SELECT id FROM contacts"),
        format!("{good} LIMIT 1"),
        good.replace("WHERE eabr.deleted=0 AND ea.email_address LIKE 'jane%'", ""),
    ] {
        let count = json!([SESSION, "Contacts", select(&bad)]);
        assert_eq!(
            refused("get_entries_count", count),
            Reason::MalformedFilter,
            "{bad}"
        );
    }
    let other = format!("contacts.assigned_user_id IN (SELECT {good})");
    assert_eq!(
        refused("get_entries_count", json!([SESSION, "Contacts", other])),
        Reason::MalformedFilter
    );
}

#[test]
fn pages_are_bounded() {
    let limit = |value: serde_json::Value| {
        let list = json!({"session": SESSION, "module_name": "Contacts", "max_results": value});
        one("get_entry_list", &list).map(|list| rendered(&list)[7].clone())
    };
    assert_eq!(limit(json!(100_000)), Ok(json!(100)));
    assert_eq!(limit(json!("7")), Ok(json!(7)));
    assert_eq!(limit(json!("")), Ok(json!(0)));
    assert_eq!(limit(json!(-1)), Ok(json!(0)));
    for bad in [
        json!(-99),
        json!("1 OR 1"),
        json!(1.5),
        json!([1]),
        json!("99999999999"),
    ] {
        assert_eq!(limit(bad), Err(Reason::MalformedPage));
    }
    // Where the reply would not tell that there is more, less is not given silently.
    for (method, size, arguments) in [
        (
            "get_relationships",
            "limit",
            json!({"session": SESSION, "module_name": "Accounts", "module_id": "a-1", "link_field_name": "contacts"}),
        ),
        (
            "search_by_module",
            "max_results",
            json!({"session": SESSION, "search_string": "x", "modules": ["Contacts"]}),
        ),
    ] {
        let sized = |rows: u32| {
            let mut arguments = arguments.clone();
            arguments[size] = json!(rows);
            one(method, &arguments)
        };
        assert_eq!(sized(100).unwrap().query.limit, Some(100), "{method}");
        assert_eq!(sized(101).err(), Some(Reason::PageTooLarge), "{method}");
    }
    let ids: Vec<String> = (0..101).map(|id| format!("c-{id}")).collect();
    assert_eq!(
        refused("get_entries", json!([SESSION, "Contacts", ids])),
        Reason::MalformedPage
    );
}
