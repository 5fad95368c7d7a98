//! Whole requests: what they mean, how they are written back, and what is refused.

use crate::dialect::testing::Speaks as _;
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use super::described;
use crate::dialect::{
    Access, Answered, Bounds, Dialect, Incoming, Inquiry, Misunderstood, Operation, Outgoing,
    Projected, Understood,
};
use crate::door::Credential;
use crate::reason::Reason;
use crate::vocabulary::{Action, Use};

mod addresses;
mod attacks;
mod bodies;
mod clients;
mod filters;
mod labels;
mod needed;
mod projections;
mod properties;
mod queries;
mod replies;
mod routes;
mod writes;

const BOUNDS: Bounds = Bounds {
    page_max: 100,
    bulk_parts_max: 5,
    depth_max: 64,
};

fn understand_with(
    line: &str,
    accept: Option<&str>,
    body: &str,
) -> Result<Understood<Operation>, Misunderstood> {
    let (method, target) = line.split_once(' ').unwrap();
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    described().meaning(
        &Incoming {
            method: &Method::from_bytes(method.as_bytes()).unwrap(),
            path,
            query,
            accept,
            content_type: None,
            controls: &[],
            body: body.as_bytes(),
        },
        &BOUNDS,
    )
}

fn understand(line: &str, body: &str) -> Result<Operation, Reason> {
    match understand_with(line, None, body) {
        Ok(Understood::One(operation)) => Ok(operation),
        Ok(Understood::Bulk { .. }) => panic!("{line} is an envelope"),
        Err(misunderstood) => Err(misunderstood.objection.reason),
    }
}

fn again(outgoing: &Outgoing) -> Result<Operation, Reason> {
    let line = format!("{} {}", outgoing.method, outgoing.target);
    let body = outgoing.body.clone().unwrap_or_default();
    understand(&line, std::str::from_utf8(&body).unwrap())
}

/// What the CRM receives: the request line and the body.
fn rendered(line: &str, body: Value) -> (String, Option<Value>) {
    let body = match body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    let operation = understand(line, &body).unwrap_or_else(|reason| panic!("{line}: {reason}"));
    let outgoing = described().render(&operation);
    assert_eq!(again(&outgoing).as_ref(), Ok(&operation), "{line}");
    (
        format!("{} {}", outgoing.method, outgoing.target),
        outgoing
            .body
            .map(|body| serde_json::from_slice(&body).unwrap()),
    )
}

fn bulk(requests: Value) -> Result<Vec<Result<Operation, Reason>>, Reason> {
    let body = json!({ "requests": requests }).to_string();
    match understand_with("POST /rest/v11/bulk", None, &body) {
        Ok(Understood::Bulk { parts, .. }) => Ok(parts
            .into_iter()
            .map(|part| part.map_err(|misunderstood| misunderstood.objection.reason))
            .collect()),
        Ok(Understood::One(_)) => panic!("no envelope"),
        Err(misunderstood) => Err(misunderstood.objection.reason),
    }
}

#[test]
fn a_list_is_rendered_in_canonical_form() {
    let (line, body) = rendered(
        "GET /rest/v11_24/Contacts?filter[0][last_name][$starts]=Ta&filter[1][$or][0][status]=New\
         &filter[1][$or][1][nir_c][$not_empty]=&fields=id,last_name&order_by=last_name:ASC&max_num=500&my_items=true",
        Value::Null,
    );
    assert_eq!(
        line,
        "GET /rest/v11_24/Contacts?fields=id%2Clast_name&max_num=100&my_items=1&order_by=last_name%3Aasc\
         &filter%5B0%5D%5Blast_name%5D%5B%24starts%5D=Ta\
         &filter%5B1%5D%5B%24or%5D%5B0%5D%5Bstatus%5D=New\
         &filter%5B1%5D%5B%24or%5D%5B1%5D%5Bnir_c%5D%5B%24not_empty%5D="
    );
    assert_eq!(body, None);
}

#[test]
fn a_filter_keeps_its_types() {
    let (line, _) = rendered(
        r#"GET /rest/v11/Contacts?filter=[{"amount":{"$gt":1.50}}]"#,
        Value::Null,
    );
    assert_eq!(
        line,
        "GET /rest/v11/Contacts?filter=%5B%7B%22amount%22%3A%7B%22%24gt%22%3A1.50%7D%7D%5D"
    );
    let (line, _) = rendered(
        r#"GET /rest/v11/Contacts?filter=[{"id":"c-1"}]"#,
        Value::Null,
    );
    assert_eq!(line, "GET /rest/v11/Contacts?filter%5B0%5D%5Bid%5D=c-1");
}

#[test]
fn a_version_in_the_accept_header_moves_to_the_path() {
    let accept = "application/vnd.sugarcrm.core+json; version=11.24";
    let understood = understand_with("GET /rest/Contacts?max_num=5", Some(accept), "").unwrap();
    let Understood::One(operation) = understood else {
        panic!("no operation")
    };
    assert_eq!(operation.version, "v11_24");
    assert_eq!(
        described().render(&operation).target,
        "/rest/v11_24/Contacts?max_num=5"
    );
}

#[test]
fn a_filter_in_a_body_is_rendered_in_the_body_with_its_query_string() {
    let (line, body) = rendered(
        "POST /rest/v11/Contacts/filter?max_num=2",
        json!({
            "filter": [{"$and": [{"country": {"$in": ["FR"]}}, {"accounts.industry": {"$equals": "x"}}]}],
            "fields": ["id", {"name": "accounts", "fields": ["name"], "max_num": "7"}],
            "favorites": false, "deleted": false, "offset": 0
        }),
    );
    assert_eq!(line, "POST /rest/v11/Contacts/filter");
    assert_eq!(
        body,
        Some(json!({
            "fields": ["id", {"name": "accounts", "fields": ["name"], "max_num": 7}],
            "filter": [{"$and": [{"country": {"$in": ["FR"]}}, {"accounts.industry": {"$equals": "x"}}]}],
            "max_num": 2, "offset": 0, "favorites": false
        }))
    );
}

#[test]
fn uses_name_every_field_of_a_request() {
    let body = json!({
        "filter": [{"iban_c": {"$starts": "FR"}}, {"accounts.industry": "x"}],
        "fields": ["id", {"name": "cases", "fields": ["status"], "order_by": "priority:desc",
                          "filter": [{"accounts.name": "x"}]}],
        "order_by": "birthdate"
    });
    let operation = understand("POST /rest/v11/Contacts/filter", &body.to_string()).unwrap();
    let uses: Vec<String> = operation
        .uses()
        .iter()
        .map(|item| format!("{:?} {}", item.how, item.path))
        .collect();
    assert_eq!(
        uses,
        [
            "Matched Accounts.industry",
            "Matched Accounts.name",
            "Sorted Cases.priority",
            "Shown Cases.status",
            "Sorted Contacts.birthdate",
            "Matched Contacts.iban_c",
            "Shown Contacts.id",
        ]
    );
    let modules: Vec<&str> = operation.modules().iter().map(|m| m.as_str()).collect();
    assert_eq!(modules, ["Accounts", "Cases", "Contacts"]);
}

#[test]
fn a_link_is_asked_about_its_target() {
    let operation = understand(
        "GET /rest/v11/Accounts/a-1/link/contacts/count?filter[0][iban_c]=x",
        "",
    )
    .unwrap();
    assert_eq!(operation.action, Action::Count);
    assert_eq!(operation.uses()[0].path.to_string(), "Contacts.iban_c");
}

#[test]
fn a_write_is_rendered_as_its_fields_and_its_projection() {
    let (line, body) = rendered(
        "PUT /rest/v11/Contacts/c-1?fields=id,title",
        json!({"id": "c-1", "_module": "Contacts", "title": "x", "email": [{"email_address": "a@example.org"}]}),
    );
    assert_eq!(line, "PUT /rest/v11/Contacts/c-1");
    assert_eq!(
        body,
        Some(
            json!({"title": "x", "email": [{"email_address": "a@example.org"}], "fields": "id,title"})
        )
    );
    let (line, body) = rendered("POST /rest/v11/Contacts", json!({"last_name": "x"}));
    assert_eq!(line, "POST /rest/v11/Contacts");
    assert_eq!(body, Some(json!({"last_name": "x"})));
}

#[test]
fn a_record_made_through_a_link_is_written_to_the_target() {
    let line = "POST /rest/v11/Accounts/a-1/link/contacts";
    let operation = understand(line, r#"{"last_name":"x"}"#).unwrap();
    assert_eq!(operation.action, Action::Create);
    assert_eq!(operation.uses()[0].path.to_string(), "Contacts.last_name");
    assert_eq!(operation.uses()[0].how, Use::Written);
    assert_eq!(understand(line, r#"{"id":"c-1"}"#), Err(Reason::IdOnCreate));
}

#[test]
fn relations_are_rebuilt_with_the_columns_that_are_left() {
    let ids = json!(["c-1", {"id": "c-2", "opportunity_role": "Evaluator"}]);
    let body = json!({"link_name": "contacts", "ids": ids});
    let (line, sent) = rendered("POST /rest/v11/Opportunities/o-1/link", body.clone());
    assert_eq!(line, "POST /rest/v11/Opportunities/o-1/link");
    assert_eq!(sent, Some(body.clone()));
    let mut operation =
        understand("POST /rest/v11/Opportunities/o-1/link", &body.to_string()).unwrap();
    assert_eq!(
        operation.uses()[0].path.to_string(),
        "Contacts.opportunity_role"
    );
    operation.write = None;
    let narrowed = described().render(&operation).body.unwrap();
    let narrowed: Value = serde_json::from_slice(&narrowed).unwrap();
    assert_eq!(
        narrowed,
        json!({"link_name": "contacts", "ids": ["c-1", "c-2"]})
    );
}

#[test]
fn one_relation_is_made_changed_and_ended() {
    let path = "/rest/v11/Opportunities/o-1/link/contacts/c-1";
    for method in ["POST", "PUT"] {
        let (_, body) = rendered(
            &format!("{method} {path}"),
            json!({"opportunity_role": "x"}),
        );
        assert_eq!(body, Some(json!({"opportunity_role": "x"})));
        let (_, body) = rendered(&format!("{method} {path}"), Value::Null);
        assert_eq!(body, None);
    }
    let operation = understand(&format!("DELETE {path}"), "").unwrap();
    assert_eq!(operation.action, Action::Relate);
    assert_eq!(operation.related, ["c-1"]);
    for nothing in ["{}", "[]"] {
        let same = understand(&format!("DELETE {path}"), nothing);
        assert_eq!(same.as_ref(), Ok(&operation), "{nothing}");
    }
    assert_eq!(
        understand(&format!("DELETE {path}"), r#"{"id":"c-2"}"#),
        Err(Reason::UnexpectedBody)
    );
}

#[test]
fn favourites_write_nothing() {
    for line in [
        "PUT /rest/v11/Contacts/c-1/favorite",
        "DELETE /rest/v11/Contacts/c-1/favorite",
        "PUT /rest/v11/Contacts/c-1/unfavorite",
    ] {
        let (sent, body) = rendered(line, Value::Null);
        assert_eq!((sent.as_str(), body), (line, None));
        assert_eq!(understand(line, "").unwrap().write, None);
        assert_eq!(
            understand(line, r#"{"iban_c":"x"}"#),
            Err(Reason::UnexpectedBody)
        );
    }
}

#[test]
fn logins_and_descriptions_pass_with_their_known_arguments() {
    let login =
        json!({"grant_type": "password", "platform": "base", "username": "u", "password": "p"});
    let (line, body) = rendered("POST /rest/v11/oauth2/token", login.clone());
    assert_eq!(line, "POST /rest/v11/oauth2/token");
    assert_eq!(body, Some(login));
    let (line, body) = rendered(
        "GET /rest/v11/metadata?type_filter=modules&module_filter[]=Contacts&module_filter[]=Accounts",
        Value::Null,
    );
    assert_eq!(
        line,
        "GET /rest/v11/metadata?type_filter=modules&module_filter=Contacts%2CAccounts"
    );
    assert_eq!(body, None);
    let (line, body) = rendered("POST /rest/v11/metadata", json!({"platform": "base"}));
    assert_eq!(line, "POST /rest/v11/metadata");
    assert_eq!(body, Some(json!({"platform": "base"})));
    rendered("GET /rest/v11/me/preference/datepref", Value::Null);
    rendered("GET /rest/v11/lang/fr_FR?platform=base", Value::Null);
}

#[test]
fn what_needs_no_caller_is_public_and_nothing_else() {
    for (line, body, access) in [
        ("GET /rest/v11/ping", "", Access::Public),
        ("GET /rest/v11/ping/whattimeisit", "", Access::Public),
        ("GET /rest/v11/metadata/public", "", Access::Public),
        ("GET /rest/v11/lang/public/en_us", "", Access::Public),
        (
            "POST /rest/v11/oauth2/token",
            r#"{"grant_type":"refresh_token","refresh_token":"x"}"#,
            Access::Public,
        ),
        ("POST /rest/v11/oauth2/logout", "{}", Access::Session),
        ("GET /rest/v11/metadata", "", Access::Role),
        ("GET /rest/v11/lang/en_us", "", Access::Role),
        ("GET /rest/v11/me", "", Access::Role),
        ("GET /rest/v11/Contacts", "", Access::Governed),
    ] {
        assert_eq!(understand(line, body).unwrap().access, access, "{line}");
    }
}

#[test]
fn an_update_is_looked_up_with_exactly_its_fields() {
    let update = understand(
        "PUT /rest/v11_5/Contacts/c-1?fields=name",
        r#"{"iban_c":"x","Title":"y"}"#,
    )
    .unwrap();
    let look_up = described().look_up(&update);
    assert_eq!(
        look_up.query.projection,
        Some(
            ["id", "iban_c", "Title"]
                .map(|name| Projected::Field(name.to_owned()))
                .to_vec()
        )
    );
    let outgoing = described().render(&look_up);
    assert_eq!(outgoing.method, Method::GET);
    assert_eq!(
        outgoing.target,
        "/rest/v11_5/Contacts/c-1?fields=id%2Ciban_c%2CTitle"
    );
    assert_eq!(again(&outgoing), Ok(look_up));
}

#[test]
fn a_session_is_looked_up_in_the_version_of_the_request() {
    let credential = Credential::argument("abc").unwrap();
    let Inquiry::Ask(outgoing) = described().inquire("v11_24", &credential, &[]) else {
        panic!("a session is asked for");
    };
    assert_eq!(outgoing.target, "/rest/v11_24/me");
    assert_eq!((outgoing.method, outgoing.body), (Method::GET, None));
    let answered = |status, body: &'static str| Answered {
        status,
        body: Bytes::from_static(body.as_bytes()),
    };
    for (answer, conclusion) in [
        (answered(401, ""), Inquiry::Nobody),
        (answered(200, "{}"), Inquiry::Failed(Reason::Unfilterable)),
        (answered(200, ""), Inquiry::Failed(Reason::UpstreamBroken)),
        (answered(500, "{}"), Inquiry::Failed(Reason::UpstreamBroken)),
    ] {
        assert_eq!(
            described().inquire("v11", &credential, &[answer]),
            conclusion
        );
    }
}

#[test]
fn parts_of_a_bulk_request_are_understood_like_plain_requests() {
    let parts = bulk(json!([
        {
            "url": "/v11_24/Contacts/filter?max_num=2", "method": "POST",
            "data": "{\"filter\":[{\"last_name\":{\"$starts\":\"Ta\"}}],\"fields\":\"id,iban_c\"}",
            "headers": ["Content-Type: application/json", "X-Metadata-Hash: abc"]
        },
        {"url": "v11/Contacts/c-1", "method": "PUT", "data": {"title": "x", "fields": ["id"]}},
        {"url": "/v11/Contacts?fields=id", "data": "", "headers": {"Accept": "application/json"}},
        {"url": "/v11/Notes/n-1/file/filename", "method": "GET", "data": null},
    ]))
    .unwrap();
    let plain = [
        understand(
            "POST /rest/v11_24/Contacts/filter?max_num=2",
            r#"{"filter":[{"last_name":{"$starts":"Ta"}}],"fields":"id,iban_c"}"#,
        ),
        understand(
            "PUT /rest/v11/Contacts/c-1",
            r#"{"title":"x","fields":["id"]}"#,
        ),
        understand("GET /rest/v11/Contacts?fields=id", ""),
        Err(Reason::UnknownRoute),
    ];
    assert_eq!(parts, plain);
    assert_eq!(bulk(json!([])), Ok(Vec::new()));
}

#[test]
fn a_misunderstood_request_still_names_its_route() {
    let refused = understand_with("GET /rest/v11/Contacts?Nulls_last=1", None, "").unwrap_err();
    assert_eq!(refused.objection.reason, Reason::UnknownParameter);
    assert_eq!(refused.route, Some("GET /rest/{version}/{module}"));
    let unknown = understand_with("GET /rest/v11/recent", None, "").unwrap_err();
    assert_eq!(
        (unknown.objection.reason, unknown.route),
        (Reason::UnknownRoute, None)
    );
}
