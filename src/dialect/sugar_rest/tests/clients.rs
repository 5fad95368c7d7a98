//! Requests of clients that were written without us: each has one reading, or is refused.

use http::Method;
use serde_json::{Value, json};

use super::{BOUNDS, bulk, rendered, understand};
use crate::dialect::sugar_rest::described;
use crate::dialect::testing::Speaks as _;
use crate::dialect::{Incoming, ObjectShape, Operation, Shape, Understood};
use crate::door::Control;
use crate::reason::Reason;
use crate::vocabulary::Action;

/// What a request with a content type means.
fn typed(line: &str, content_type: &str, body: &str) -> Result<Operation, Reason> {
    with(line, Some(content_type), &[], body)
}

fn with(
    line: &str,
    content_type: Option<&str>,
    controls: &[Control],
    body: &str,
) -> Result<Operation, Reason> {
    let (method, path) = line.split_once(' ').unwrap();
    let request = Incoming {
        method: &Method::from_bytes(method.as_bytes()).unwrap(),
        path,
        query: None,
        accept: None,
        content_type,
        controls,
        body: body.as_bytes(),
    };
    match described().meaning(&request, &BOUNDS) {
        Ok(Understood::One(operation)) => Ok(operation),
        Ok(Understood::Bulk { .. }) => panic!("{line} is an envelope"),
        Err(misunderstood) => Err(misunderstood.objection.reason),
    }
}

fn uses(operation: &Operation) -> Vec<String> {
    let uses = operation.uses();
    let uses = uses
        .iter()
        .map(|used| format!("{:?} {}", used.how, used.path));
    uses.collect()
}

#[test]
fn what_means_nothing_changes_nothing() {
    let plain = understand("GET /rest/v11_5/Contacts", "").unwrap();
    for line in [
        "GET /rest/v11_5/Contacts/",
        "GET /rest/v11_5/Contacts?_=1699999999999",
        "GET /rest/v11_5/Contacts?fields=&filter=&q=&order_by=&max_num=&offset=&view=&filter_id=&my_items=&favorites=",
        "GET /rest/v11_5/Contacts?deleted=0&erased_fields=false&nulls_last=0",
        "GET /rest/v11_5/Contacts?filter[0][deleted]=0",
    ] {
        for body in ["", "{}", "[]"] {
            assert_eq!(understand(line, body).as_ref(), Ok(&plain), "{line} {body}");
        }
    }
    let json = typed("GET /rest/v11_5/Contacts", "application/json", "{}");
    assert_eq!(json.as_ref(), Ok(&plain));
    // What says something is not dropped.
    for (line, body) in [
        ("GET /rest/v11_5/Contacts", r#"{"fields":"iban_c"}"#),
        ("GET /rest/v11_5/Contacts", "{} {}"),
        ("GET /rest/v11_5/Contacts//", ""),
        ("GET /rest/v11_5/Contacts?_=x", ""),
        ("GET /rest/v11_5/Contacts?deleted=1", ""),
        ("GET /rest/v11_5/Contacts?callback=", ""),
        ("GET /rest/v11_5/Contacts?__sugar_url=", ""),
    ] {
        assert!(understand(line, body).is_err(), "{line} {body}");
    }
}

#[test]
fn a_login_means_the_same_in_each_of_its_forms() {
    let line = "POST /rest/v11_5/oauth2/token";
    let json = r#"{"grant_type":"password","client_id":"sugar","client_secret":"","username":"sally","password":"p &1","platform":"zucker"}"#;
    let form = "grant_type=password&client_id=sugar&client_secret=&username=sally&password=p+%261&platform=zucker";
    let part = |(name, value): &(&str, &str)| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let parts = [
        ("grant_type", "password"),
        ("client_id", "sugar"),
        ("client_secret", ""),
        ("username", "sally"),
        ("password", "p &1"),
        ("platform", "zucker"),
    ];
    let parts: String = parts.iter().map(part).collect::<String>() + "--b--\r\n";
    let read = understand(line, json).unwrap();
    let slash = format!("{line}/");
    let urlencoded = "application/x-www-form-urlencoded";
    assert_eq!(typed(&slash, urlencoded, form).as_ref(), Ok(&read));
    let multipart = "multipart/form-data; boundary=b";
    assert_eq!(typed(line, multipart, &parts).as_ref(), Ok(&read));
    for (content_type, body) in [
        (
            urlencoded,
            "grant_type=password&username=a&username=b&password=p",
        ),
        (
            urlencoded,
            "grant_type=password&username=a&password=p&assertion=x",
        ),
        (urlencoded, json),
        ("text/plain", form),
        ("application/json", form),
    ] {
        assert!(typed(line, content_type, body).is_err(), "{body}");
    }
    // Nothing else is taken from a form.
    let other = typed("POST /rest/v11_5/Contacts", urlencoded, "last_name=Tan");
    assert_eq!(other, Err(Reason::UnsupportedMediaType));
}

#[test]
fn records_without_a_value_come_last_where_that_is_asked() {
    let (line, _) = rendered(
        "GET /rest/v11/Contacts?order_by=title:desc&nulls_last=1",
        Value::Null,
    );
    assert_eq!(
        line,
        "GET /rest/v11/Contacts?nulls_last=1&order_by=title%3Adesc"
    );
    let body = json!({"order_by": "title:desc", "nulls_last": true});
    let (_, written) = rendered("POST /rest/v11/Contacts/filter", body.clone());
    assert_eq!(written, Some(body));
    let refused = understand("GET /rest/v11/Contacts?nulls_last=maybe", "");
    assert_eq!(refused, Err(Reason::MalformedOrder));
    let collection = r#"{"fields":[{"name":"accounts","nulls_last":true}]}"#;
    let refused = understand("POST /rest/v11/Contacts/filter", collection);
    assert_eq!(refused, Err(Reason::MalformedProjection));
}

#[test]
fn records_are_shown_in_layouts_that_every_installation_has() {
    for (line, sent) in [
        (
            "GET /rest/v11/Contacts?fields=id&view=list",
            "GET /rest/v11/Contacts?view=list&fields=id",
        ),
        (
            "GET /rest/v11/Contacts/c-1?view=record&viewed=1",
            "GET /rest/v11/Contacts/c-1?view=record",
        ),
        (
            "GET /rest/v11/Contacts/c-1?viewed=0",
            "GET /rest/v11/Contacts/c-1",
        ),
        (
            "PUT /rest/v11/Contacts/c-1?viewed=1",
            "PUT /rest/v11/Contacts/c-1",
        ),
        (
            "POST /rest/v11/Contacts?viewed=1",
            "POST /rest/v11/Contacts",
        ),
    ] {
        assert_eq!(rendered(line, Value::Null).0, sent, "{line}");
    }
    for line in [
        "GET /rest/v11/Contacts?view=secret",
        "GET /rest/v11/Contacts?view=Record",
        "GET /rest/v11/Contacts?view[]=record",
        "GET /rest/v11/Contacts/c-1?view=../x",
        "PUT /rest/v11/Contacts/c-1?view=record",
        "DELETE /rest/v11/Contacts/c-1/favorite?view=record",
    ] {
        assert_eq!(understand(line, ""), Err(Reason::StoredQuery), "{line}");
    }
    for line in [
        "GET /rest/v11/Contacts/c-1?viewed=x",
        "GET /rest/v11/Contacts?viewed=1",
    ] {
        assert!(understand(line, "").is_err(), "{line}");
    }
    let collection = r#"{"fields":[{"name":"accounts","view":"list"}]}"#;
    let refused = understand("POST /rest/v11/Contacts/filter", collection);
    assert_eq!(refused, Err(Reason::StoredQuery));
}

#[test]
fn parts_say_how_a_client_would_send_them_alone() {
    let part = |more: Value| {
        let mut part = json!({"url": "v11/Contacts", "method": "GET"});
        for (name, value) in more.as_object().unwrap() {
            part[name] = value.clone();
        }
        bulk(json!([part]))
    };
    let alone = part(json!({})).unwrap();
    let more = json!({"dataType": "json", "contentType": "application/json", "timeout": 30000, "type": "GET"});
    assert_eq!(part(more), Ok(alone));
    for more in [
        json!({"type": "DELETE"}),
        json!({"contentType": "text/plain"}),
        json!({"timeout": {"a": 1}}),
        json!({"success": "x"}),
        json!({"Type": "GET"}),
    ] {
        assert_eq!(part(more.clone()), Err(Reason::MalformedBody), "{more}");
    }
}

#[test]
fn a_search_names_its_modules_and_each_is_searched() {
    let (line, _) = rendered(
        "GET /rest/v11/globalsearch?q=tan&module_list=Contacts,Accounts&max_num=500&highlights=true&tags=0&sort[date_modified]=desc",
        Value::Null,
    );
    assert_eq!(
        line,
        "GET /rest/v11/globalsearch?highlights=0&max_num=100&q=tan&sort%5Bdate_modified%5D=desc&module_list=Contacts%2CAccounts"
    );
    let body =
        json!({"q": "tan", "module_list": "Contacts, Accounts", "offset": 0, "tag_filters": []});
    let (line, written) = rendered("POST /rest/v11/globalsearch", body.clone());
    assert_eq!(line, "POST /rest/v11/globalsearch");
    let expected =
        json!({"q": "tan", "offset": 0, "module_list": "Contacts,Accounts", "highlights": false});
    assert_eq!(written, Some(expected));
    let (line, _) = rendered("GET /rest/v11/globalsearch", body);
    assert!(
        line.starts_with("GET /rest/v11/globalsearch?highlights=0&"),
        "{line}"
    );
    let (line, _) = rendered("GET /rest/v11/Contacts/globalsearch?q=tan", Value::Null);
    assert_eq!(
        line,
        "GET /rest/v11/Contacts/globalsearch?highlights=0&q=tan"
    );
    let line = "GET /rest/v11/search?q=tan&module_list=Contacts,Accounts&fields=name,id&order_by=date_modified:desc&favorites=1";
    let (sent, _) = rendered(line, Value::Null);
    assert_eq!(
        sent,
        "GET /rest/v11/search?fields=name%2Cid&q=tan&favorites=1&order_by=date_modified%3Adesc&module_list=Contacts%2CAccounts"
    );
    let operation = understand(line, "").unwrap();
    assert_eq!(
        uses(&operation),
        [
            "Sorted Accounts.date_modified",
            "Shown Accounts.id",
            "Shown Accounts.name",
            "Sorted Contacts.date_modified",
            "Shown Contacts.id",
            "Shown Contacts.name",
        ]
    );
    let mut searched = Vec::new();
    operation
        .query
        .searched(operation.target().unwrap(), &mut searched);
    let searched: Vec<&str> = searched.iter().map(|(module, _)| module.as_str()).collect();
    assert_eq!(searched, ["Contacts", "Accounts"]);
    let Shape::Object(ObjectShape { keys, .. }) = described().shape(&operation) else {
        panic!("no object")
    };
    let records = keys.iter().find(|(key, _)| *key == "records").unwrap();
    let Shape::List(element) = &records.1 else {
        panic!("no list")
    };
    let Shape::OneOf(of) = &**element else {
        panic!("no records of several modules")
    };
    let of: Vec<&str> = of.iter().map(|record| record.module.as_str()).collect();
    assert_eq!(of, ["Contacts", "Accounts"]);
}

#[test]
fn other_searches_are_refused() {
    for (line, reason) in [
        ("globalsearch?q=tan", Reason::MalformedQuery),
        ("globalsearch?q=tan&module_list=", Reason::MalformedQuery),
        ("globalsearch?module_list=Contacts", Reason::MalformedQuery),
        ("search?q=&module_list=Contacts", Reason::MalformedQuery),
        (
            "globalsearch?q=iban_c:FR&module_list=Contacts",
            Reason::MalformedQuery,
        ),
        (
            "globalsearch?q=a&module_list[]=Contacts",
            Reason::MalformedQuery,
        ),
        (
            "globalsearch?q=a&module_list=Contacts,Contacts",
            Reason::DuplicateParameter,
        ),
        (
            "globalsearch?q=a&module_list=Contacts,Reports",
            Reason::UnknownModule,
        ),
        (
            "globalsearch?q=a&module_list=Contacts%2CA-B",
            Reason::UnknownModule,
        ),
        (
            "Contacts/globalsearch?q=a&module_list=Accounts",
            Reason::MalformedQuery,
        ),
        (
            "globalsearch?q=a&module_list=Contacts&tags=1",
            Reason::UnknownParameter,
        ),
        (
            "globalsearch?q=a&module_list=Contacts&xmod_aggs=true",
            Reason::UnknownParameter,
        ),
        (
            "globalsearch?q=a&module_list=Contacts&tag_filters[]=t",
            Reason::UnknownParameter,
        ),
        (
            "globalsearch?q=a&module_list=Contacts&agg_filters[a]=1",
            Reason::UnknownParameter,
        ),
        (
            "globalsearch?q=a&module_list=Contacts&module=Users",
            Reason::UnknownParameter,
        ),
        (
            "globalsearch?q=a&module_list=Contacts&sort=name",
            Reason::MalformedOrder,
        ),
        (
            "globalsearch?q=a&module_list=Contacts&sort[accounts.name]=asc",
            Reason::MalformedQuery,
        ),
        (
            "search?q=a&module_list=Contacts&search_fields=iban_c",
            Reason::UnknownParameter,
        ),
        (
            "search?q=a&module_list=Contacts&order_by=accounts.name",
            Reason::MalformedOrder,
        ),
        (
            "search?q=a&module_list=Contacts&deleted=1",
            Reason::StoredQuery,
        ),
        (
            "search?q=a&module_list=Contacts&fields[Contacts][]=name",
            Reason::MalformedProjection,
        ),
    ] {
        let refused = understand(&format!("GET /rest/v11/{line}"), "");
        // A related field is one of a link, whatever refuses it.
        let is_same =
            refused == Err(reason) || line.contains("[accounts.name]") && refused.is_err();
        assert!(is_same, "{line}: {refused:?}");
    }
}

#[test]
fn what_a_field_may_hold_is_told_to_whoever_may_match_it() {
    let (line, body) = rendered("GET /rest/v10/Contacts/enum/lead_source", Value::Null);
    assert_eq!(
        (line.as_str(), body),
        ("GET /rest/v10/Contacts/enum/lead_source", None)
    );
    let operation = understand("GET /rest/v10/Contacts/enum/lead_source", "").unwrap();
    assert_eq!(operation.action, Action::Metadata);
    assert_eq!(uses(&operation), ["Matched Contacts.lead_source"]);
}

#[test]
fn a_check_for_duplicates_matches_each_field() {
    let body = json!({"last_name": "Tan", "email": [{"email_address": "a@b.example", "primary_address": true}], "iban_c": "FR76"});
    let (line, written) = rendered("POST /rest/v11/Contacts/duplicateCheck", body.clone());
    assert_eq!(line, "POST /rest/v11/Contacts/duplicateCheck");
    assert_eq!(written, Some(body.clone()));
    let operation =
        understand("POST /rest/v11/Contacts/duplicateCheck", &body.to_string()).unwrap();
    assert_eq!(
        (operation.action, operation.write.is_some()),
        (Action::List, false)
    );
    assert_eq!(
        uses(&operation),
        [
            "Matched Contacts.email",
            "Matched Contacts.iban_c",
            "Matched Contacts.last_name"
        ]
    );
    let refused = understand("POST /rest/v11/Contacts/duplicateCheck?fields=id", "{}");
    assert_eq!(refused, Err(Reason::UnknownParameter));
}

#[test]
fn an_update_since_a_date_compares_the_date() {
    let control = |value| Control::stated("x-timestamp", value);
    let line = "PUT /rest/v11/Contacts/c-1";
    let body = r#"{"title":"x"}"#;
    let good = control("2026-03-02T09:15:00+00:00");
    let operation = with(line, None, std::slice::from_ref(&good), body).unwrap();
    assert_eq!(operation.rendering.controls, std::slice::from_ref(&good));
    assert_eq!(
        uses(&operation),
        ["Matched Contacts.date_modified", "Written Contacts.title"]
    );
    let outgoing = described().render(&operation);
    assert_eq!(outgoing.controls, std::slice::from_ref(&good));
    assert_eq!(outgoing.body.as_deref(), Some(body.as_bytes()));
    // What is not taken refuses the request, in the pipeline.
    for (line, control) in [
        (line, control("x")),
        (line, control("")),
        (line, control("2026' OR '1")),
        (line, Control::stated("if-match", "2026")),
        ("DELETE /rest/v11/Contacts/c-1", good.clone()),
        ("POST /rest/v11/Contacts", good),
    ] {
        let body = if line.starts_with("DELETE") { "" } else { body };
        let operation = with(line, None, &[control], body).unwrap();
        assert!(operation.rendering.controls.is_empty(), "{line}");
        assert!(operation.query.compared.is_empty(), "{line}");
    }
}

#[test]
fn integrations_write_and_look_up_in_their_own_ways() {
    // A list of addresses whose owners are looked for, as a marketing tool asks it.
    let (line, _) = rendered(
        "GET /rest/v10/Users/filter?filter[0][$and][0][email_addresses.email_address][$in][0]=a%40b.example\
         &filter[0][$and][1][deleted]=0&offset=0&fields=id,email1,email&max_num=1000",
        Value::Null,
    );
    assert_eq!(
        line,
        "GET /rest/v10/Users/filter?fields=id%2Cemail1%2Cemail&max_num=100&offset=0\
         &filter%5B0%5D%5B%24and%5D%5B0%5D%5Bemail_addresses.email_address%5D%5B%24in%5D%5B0%5D=a%40b.example"
    );
    let line = "POST /rest/v10/Leads";
    let (_, body) = rendered(line, json!({"last_name": "Tan", "reference_id": "m-1"}));
    assert_eq!(body, Some(json!({"last_name": "Tan"})));
    // A module of the installation's own may have a field of that name.
    let own = json!({"name": "Tan", "reference_id": "m-1"});
    let (_, body) = rendered("POST /rest/v10/acme_Boats", own.clone());
    assert_eq!(body, Some(own));
    // A record that comes back as it was read from a search.
    let read = json!({"id": "c-1", "_module": "Contacts", "title": "x", "_score": 1, "_highlights": {"title": ["x"]}});
    let (_, body) = rendered("PUT /rest/v10/Contacts/c-1", read);
    assert_eq!(body, Some(json!({"title": "x"})));
}
