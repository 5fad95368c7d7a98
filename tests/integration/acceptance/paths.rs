//! A13, A14: where a request goes, and what its query string says.

use serde_json::Value;

use super::{before, good_page};

/// Ways to spell another path than the one that is judged. `@` stands for a good path.
const SPELLINGS: &[&str] = &[
    "@/../Users",
    "@/./x",
    "@/.",
    "@/..",
    "@/../",
    "/..@",
    "/.@",
    "/x/..@",
    "@/%2e%2e/Users",
    "@/.%2e/Users",
    "@/%2E%2e/Users",
    "@/%2e",
    "@%2e%2e",
    "@/%252e%252e/Users",
    "@%252fUsers",
    "@/%2fUsers",
    "@%2fUsers",
    "@%5cUsers",
    "@/..%2fUsers",
    "@/..%5cUsers",
    "@\\Users",
    "@/\\..\\Users",
    "/%2f../..@",
    "/@",
    "//@",
    "@//Users",
    "@//",
    "@;x=1",
    "@;/Users",
    "@/..;/Users",
    "@;jsessionid=1",
    "@%3bx",
    "@.json",
    "@.xml",
    "@%20",
    "@%09",
    "@.",
    "@%00",
    "@%00.json",
    "@%0a",
    "@%0d%0aX-Role:%20admin",
    "@%7f",
    "@#x",
    "@%23x",
    "@%3fx=1",
    "@%c0%ae%c0%ae/Users",
    "@%c0%afUsers",
    "@%e0%80%ae",
    "@/%ef%bc%8e%ef%bc%8e/Users",
    "@%u002e",
    "@%zz",
    "@%",
    "@%4",
    "@%%30",
    "@\u{ff0e}\u{ff0e}",
    "@\u{e9}",
    "@|x",
    "@^",
    "@`id`",
    "@{x}",
    "@\"",
    "@<x>",
    "@[0]",
    "@*",
    "@'",
    "@(x)",
    "@!x",
    "@$x",
    "@&x=1",
    "@,x",
    "@=x",
    "@:x",
    "@@x",
    "@+x",
    "@~",
    "/index.php@",
    "/rest.php@",
    "/public@",
    "/api@",
    "/crm@",
    "http://evil@",
    "//evil@",
    "https:@",
    "\\\\evil@",
    "/%2e@",
    "/%2e%2e@",
    "@/1,2",
    "@/1%2f2",
    "@/-1",
    "@/_x",
    "@/.htaccess",
    "@/x.css",
    "@/1/x.css",
    "@/1%3f.js",
    "@/1/2/3/4/5/6",
    "@/%252525",
    "@/me%2f..",
    "@%2E",
    "@/%2E%2E%2F",
    "@?#",
    "@/;a=b/../Users",
    "@/x;/..",
    "@/x%3b/..",
];

const ROUTES: [&str; 3] = [
    "/rest/v11_24/Contacts",
    "/rest/v11_24/Contacts/c-1",
    "/rest/v11_24/Accounts/a-1/link/contacts",
];

#[test]
fn a13_paths_with_another_reading_are_refused() {
    let (crm, world) = before(|_| good_page());
    for route in ROUTES {
        assert!([200, 502].contains(&world.get(route, "tok-1").status));
    }
    crm.take_all();
    let long = format!("@/{}", "a".repeat(300));
    let spellings = SPELLINGS.iter().copied().chain([long.as_str()]);
    let mut count = 0;
    for spelling in spellings {
        for route in ROUTES {
            let path = spelling.replacen('@', route, 1);
            let request = format!(
                "GET {path} HTTP/1.1\r\nHost: a\r\nOAuth-Token: tok-1\r\nConnection: close\r\n\r\n"
            );
            let reply = world.send_raw(world.proxy, request.as_bytes());
            // A record called `me` or `1` is a record; what is refused is another reading of the path.
            assert!(
                [400, 403, 404].contains(&reply.status),
                "{path}: {}",
                reply.status
            );
            let reached = crm.take_all();
            assert!(reached.is_empty(), "{path}: {}", reached[0].line);
            count += 1;
        }
    }
    // Other doors, other case, and words of the route in other places.
    for path in [
        "/REST/v11_24/Contacts",
        "/rest/V11_24/Contacts",
        "/rest/v11_24/contacts/Export",
        "/Rest/v11_24/me",
        "/rest/v11_24/ME",
        "/rest/v11_24/Metadata",
        "/rest/v11_24/BULK",
        "/api/rest.php?__sugar_url=v11_24/Contacts",
        "/rest/rest.php",
        "/index.php?entryPoint=download",
        "/?entryPoint=export",
        "/service/v4_1/rest.php",
        "/service/v4_1/soap.php",
        "/soap.php",
        "/json_server.php",
        "/vcal_server.php",
        "/ical_server.php",
        "/cache/x",
        "/upload/x",
        "/custom/x",
        "/Api/V8/module/Contacts",
        "/legacy/Api/V8/module/Contacts",
        "/api/graphql",
        "/rest/v11_24",
        "/rest/v11_24/",
        "/rest/",
        "/rest",
        "/",
        "/rest/v11_24/rest/v11_24/Contacts",
        "/rest/v11_24/v11_24/Contacts",
        "/rest/v9/Contacts",
        "/rest/v12/Contacts",
        "/rest/v11_24_1/Contacts",
        "/rest/v011/Contacts",
        "/rest/v11_240/Contacts",
        "/api/private?path=/rest/v11_24/Contacts",
        "/livez",
        "/readyz",
        "/metrics",
        "/.well-known/x",
    ] {
        let reply = world.get(path, "tok-1");
        assert!(
            (400..405).contains(&reply.status),
            "{path}: {}",
            reply.status
        );
        let reached = crm.take_all();
        assert!(
            reached
                .iter()
                .all(|request| request.line.contains("/contacts/Export")),
            "{path}"
        );
        count += 1;
    }
    assert!(count >= 300, "{count}");
}

/// Query strings, and what PHP 8.2's `parse_str` made of them when it was asked.
const QUERIES: &[(&str, &str)] = &[
    ("filter[iban=1", r#"{"filter_iban":"1"}"#),
    ("filter.iban=1", r#"{"filter_iban":"1"}"#),
    ("+filter[0][name]=1", r#"{"filter":[{"name":"1"}]}"#),
    ("%20filter[0][name]=1", r#"{"filter":[{"name":"1"}]}"#),
    ("filter[iban]junk=1", r#"{"filter":{"iban":"1"}}"#),
    ("filter[iban]%00x=1", r#"{"filter":{"iban":"1"}}"#),
    ("filter%00[iban]=1", r#"{"filter":"1"}"#),
    (
        "filter[0][last_name]=1&filter[0][last_name]=2",
        r#"{"filter":[{"last_name":"2"}]}"#,
    ),
    (
        "fields=id;filter[0][last_name]=x",
        r#"{"fields":"id;filter[0][last_name]=x"}"#,
    ),
    (
        "fields[]=id&fields[]=last_name",
        r#"{"fields":["id","last_name"]}"#,
    ),
    (
        "fields[0]=id&fields[1]=last_name",
        r#"{"fields":["id","last_name"]}"#,
    ),
    (
        "fields[1]=last_name&fields[0]=id",
        r#"{"fields":{"1":"last_name","0":"id"}}"#,
    ),
    ("fields[-1]=id", r#"{"fields":{"-1":"id"}}"#),
    (
        "filter[0][last_name][$in][]=a&filter[0][last_name][$in][]=b",
        r#"{"filter":[{"last_name":{"$in":["a","b"]}}]}"#,
    ),
    (
        "filter%5B0%5D%5Blast_name%5D=x",
        r#"{"filter":[{"last_name":"x"}]}"#,
    ),
    (
        "filter[0%5D[last_name]=x",
        r#"{"filter":[{"last_name":"x"}]}"#,
    ),
    (
        "filter[1][last_name]=x",
        r#"{"filter":{"1":{"last_name":"x"}}}"#,
    ),
    (
        "filter[00][last_name]=x",
        r#"{"filter":{"00":{"last_name":"x"}}}"#,
    ),
    (
        "filter[0][accounts.name]=x",
        r#"{"filter":[{"accounts.name":"x"}]}"#,
    ),
    ("filter[][last_name]=x", r#"{"filter":[{"last_name":"x"}]}"#),
    ("filter[[a]]=1", r#"{"filter":{"[a":"1"}}"#),
    ("filter[a][=1", r#"{"filter":{"a":"1"}}"#),
    ("filter]=1", r#"{"filter]":"1"}"#),
    (
        "filter[0][$or][0][last_name]=a&filter[0][$or][1][last_name]=b",
        r#"{"filter":[{"$or":[{"last_name":"a"},{"last_name":"b"}]}]}"#,
    ),
    (
        "order_by=last_name%3Adesc",
        r#"{"order_by":"last_name:desc"}"#,
    ),
    ("q=a+b%20c%2B", r#"{"q":"a b c+"}"#),
    ("q=%C3%A9", r#"{"q":"é"}"#),
    ("q=%FF", "{\"q\":\"\u{fffd}\"}"),
    ("q=%C0%AE", "{\"q\":\"\u{fffd}\u{fffd}\"}"),
    ("q[]=a", r#"{"q":["a"]}"#),
    ("q", r#"{"q":""}"#),
    ("=x", "{}"),
    ("&&max_num=5&", r#"{"max_num":"5"}"#),
    ("max_num=5&max_num=6", r#"{"max_num":"6"}"#),
    ("offset=%31", r#"{"offset":"1"}"#),
    ("%66ields=id", r#"{"fields":"id"}"#),
    ("fields=id&%66ields=last_name", r#"{"fields":"last_name"}"#),
    (
        "fields=id&Fields=last_name",
        r#"{"fields":"id","Fields":"last_name"}"#,
    ),
    ("fields%00=id", r#"{"fields":"id"}"#),
    ("fields%0a=id", "{\"fields\\n\":\"id\"}"),
    ("_fields=id", r#"{"_fields":"id"}"#),
];

/// The parameters that spell a value out.
fn flatten(name: &str, value: &Value, into: &mut Vec<(String, String)>) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                flatten(&format!("{name}[{index}]"), item, into);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                flatten(&format!("{name}[{key}]"), member, into);
            }
        }
        Value::String(text) => into.push((name.to_owned(), text.clone())),
        other => into.push((name.to_owned(), other.to_string())),
    }
}

#[test]
fn a14_a_query_string_means_what_php_makes_of_it_or_is_refused() {
    let (crm, world) = before(|_| good_page());
    assert_eq!(world.get("/rest/v11_24/Contacts", "tok-1").status, 200);
    crm.take_all();
    let mut passed = 0;
    for (query, php) in QUERIES {
        let reply = world.get(&format!("/rest/v11_24/Contacts?{query}"), "tok-1");
        let reached = crm.take_all();
        if reply.status != 200 {
            assert!(
                [400, 403].contains(&reply.status),
                "{query}: {}",
                reply.status
            );
            assert!(reached.is_empty(), "{query}");
            continue;
        }
        passed += 1;
        let [request] = reached.as_slice() else {
            panic!("{query}: one request")
        };
        let sent = request.line.split(' ').nth(1).unwrap();
        let sent = sent.split_once('?').map_or("", |(_, query)| query);
        let php: Value = serde_json::from_str(php).unwrap();
        let decode = |text: &str| {
            let text = text.replace('+', " ");
            let text = percent_encoding::percent_decode_str(&text).decode_utf8();
            text.unwrap().into_owned()
        };
        let mut got: Vec<(String, String)> = sent
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (decode(name), decode(value)))
            .collect();
        let mut expected = Vec::new();
        for (name, value) in php.as_object().unwrap() {
            match value {
                // A list of names is sent as text with commas.
                Value::Array(_) | Value::Object(_) if name == "fields" => {
                    let mut items = Vec::new();
                    flatten("", value, &mut items);
                    items.sort();
                    let names: Vec<String> = items.into_iter().map(|(_, item)| item).collect();
                    expected.push((name.clone(), names.join(",")));
                }
                value => flatten(name, value, &mut expected),
            }
        }
        got.sort();
        expected.sort();
        assert_eq!(got, expected, "{query}");
    }
    assert!(passed >= 10, "{passed}");
    let many = |count: usize| {
        (0..count)
            .map(|n| format!("filter[{n}][last_name]=x"))
            .collect::<Vec<_>>()
            .join("&")
    };
    for query in [
        many(501),
        format!("{}&filter[0][last_name]=x", vec!["a=1"; 1_000].join("&")),
        format!("filter{}=1", "[a]".repeat(65)),
        format!("filter[{}]=1", "a".repeat(200)),
        "callback=cb".to_owned(),
        "jsonp=cb".to_owned(),
        "jsoncallback=cb".to_owned(),
        "_method=DELETE".to_owned(),
        "_METHOD=DELETE".to_owned(),
        "method=DELETE".to_owned(),
        "_HttpMethod=PATCH".to_owned(),
        "format=sugar-html-json".to_owned(),
        "platform=portal".to_owned(),
        "__sugar_url=x".to_owned(),
        "entryPoint=x".to_owned(),
        "module=Users".to_owned(),
        "moduleName=Users".to_owned(),
        "record=x".to_owned(),
        "id=x".to_owned(),
        "link_name=x".to_owned(),
        "action=x".to_owned(),
        "access_token=x".to_owned(),
        "oauth_token=x".to_owned(),
        "DOLAPIKEY=x".to_owned(),
    ] {
        let shown = &query[..query.len().min(80)];
        let reply = world.get(&format!("/rest/v11_24/Contacts?{query}"), "tok-1");
        assert!(
            (400..404).contains(&reply.status),
            "{shown}: {}",
            reply.status
        );
        assert!(crm.take_all().is_empty(), "{shown}");
    }
}
