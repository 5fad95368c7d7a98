//! The HTTP server of the demo CRM.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::Crm;
use super::routes::{self, Request};

const BODY_BYTES_MAX: usize = 4 << 20;
const CONNECTIONS_MAX: usize = 512;
const HEAD_TIMEOUT_SECONDS: u64 = 30;
const BODY_TIMEOUT_SECONDS: u64 = 30;
const STOP_TIMEOUT_SECONDS: u64 = 5;
const ACCEPT_PAUSE_MILLISECONDS: u64 = 50;

/// Serves the CRM until `stop` is ready; then gives requests that have begun a few seconds to come to their end.
pub async fn serve(listener: TcpListener, crm: Arc<Crm>, stop: impl Future<Output = ()>) {
    let (stopping, stopped) = watch::channel(false);
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        let place = tokio::select! {
            () = &mut stop => break,
            place = places.clone().acquire_owned() => place,
        };
        let stream = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        match stream {
            Ok((stream, _)) => {
                let (crm, stopped) = (crm.clone(), stopped.clone());
                connections.spawn(async move {
                    connection(stream, crm, stopped).await;
                    drop(place);
                });
            }
            // Out of file descriptors, most likely: others will end.
            Err(_) => tokio::time::sleep(Duration::from_millis(ACCEPT_PAUSE_MILLISECONDS)).await,
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    // Nobody listens if there is no connection.
    let _ = stopping.send(true);
    let ended = async { while connections.join_next().await.is_some() {} };
    // What has not ended by then is cut off.
    let _ = tokio::time::timeout(Duration::from_secs(STOP_TIMEOUT_SECONDS), ended).await;
}

async fn connection(stream: TcpStream, crm: Arc<Crm>, mut stopped: watch::Receiver<bool>) {
    let service = service_fn(move |request| {
        let crm = crm.clone();
        async move { Ok::<_, Infallible>(exchange(&crm, request).await) }
    });
    // Replies are small; waiting to fill a packet would only delay them.
    let _ = stream.set_nodelay(true);
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_secs(HEAD_TIMEOUT_SECONDS))
            .serve_connection(TokioIo::new(stream), service)
    );
    tokio::select! {
        // A broken connection is the other side's to notice.
        _ = connection.as_mut() => return,
        _ = stopped.wait_for(|is_stopped| *is_stopped) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

async fn exchange(crm: &Crm, request: http::Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let whole = Limited::new(body, BODY_BYTES_MAX).collect();
    let body = match tokio::time::timeout(Duration::from_secs(BODY_TIMEOUT_SECONDS), whole).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => return fault(413, "request_too_large", "Request is too large"),
        Err(_) => return fault(408, "request_failure", "Request timed out"),
    };
    let header = |name: HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok());
    let token = header(HeaderName::from_static("oauth-token"))
        .or_else(|| header(AUTHORIZATION)?.strip_prefix("Bearer "));
    let target = head
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let (status, body) = routes::answer(
        crm,
        &Request {
            method: head.method.as_str(),
            target,
            accept: header(ACCEPT),
            token,
            body: &body,
            now: jiff::Timestamp::now(),
        },
    );
    reply(status, &body)
}

fn fault(status: u16, label: &str, text: &str) -> Response<Full<Bytes>> {
    reply(status, &json!({"error": label, "error_message": text}))
}

fn reply(status: u16, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        http::HeaderValue::from_static("application/json"),
    );
    headers.insert(
        CACHE_CONTROL,
        http::HeaderValue::from_static("no-store, no-cache, must-revalidate"),
    );
    response
}

#[cfg(test)]
mod tests {
    use hyper_util::client::legacy::Client;
    use hyper_util::client::legacy::connect::HttpConnector;
    use hyper_util::rt::TokioExecutor;
    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;

    use super::*;

    struct Browser {
        client: Client<HttpConnector, Full<Bytes>>,
        base: String,
        token: String,
        stop: Option<oneshot::Sender<()>>,
        server: JoinHandle<()>,
    }

    impl Browser {
        async fn logged_in(name: &str) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let base = format!("http://{}/rest/v11_24", listener.local_addr().unwrap());
            let (stop, stopped) = oneshot::channel();
            let server = tokio::spawn(serve(listener, Arc::new(Crm::invent(7)), async {
                let _ = stopped.await;
            }));
            let mut browser = Self {
                client: Client::builder(TokioExecutor::new()).build_http(),
                base,
                token: String::new(),
                stop: Some(stop),
                server,
            };
            let login = json!({"grant_type": "password", "username": name, "password": "demo"});
            let (status, answer) = browser.ask("POST", "/oauth2/token", login).await;
            assert_eq!(status, 200);
            browser.token = answer["access_token"].as_str().unwrap().to_owned();
            browser
        }

        async fn ask(&self, method: &str, target: &str, body: Value) -> (u16, Value) {
            let body = if body.is_null() {
                String::new()
            } else {
                body.to_string()
            };
            let request = http::Request::builder()
                .method(method)
                .uri(format!("{}{target}", self.base))
                .header("OAuth-Token", &self.token)
                .body(Full::new(Bytes::from(body)))
                .unwrap();
            let reply = self.client.request(request).await.unwrap();
            let status = reply.status().as_u16();
            let body = reply.into_body().collect().await.unwrap().to_bytes();
            (status, serde_json::from_slice(&body).unwrap())
        }

        async fn get(&self, target: &str) -> Value {
            let (status, body) = self.ask("GET", target, Value::Null).await;
            assert_eq!(status, 200, "{target}: {body}");
            body
        }

        async fn first(&self, module: &str, filter: &str) -> Value {
            self.get(&format!("/{module}?max_num=1&{filter}")).await["records"][0].clone()
        }
    }

    fn id(record: &Value) -> &str {
        record["id"].as_str().unwrap()
    }

    const WITH_IBAN: &str = "filter[0][iban_c][$not_empty]=";

    #[tokio::test]
    async fn a_session_tells_its_role_and_ends_with_the_logout() {
        let browser = Browser::logged_in("fanny").await;
        let me = browser.get("/me").await;
        assert_eq!(me["current_user"]["roles"], json!(["Finance"]));
        assert_eq!(me["current_user"]["type"], "user");
        assert_eq!(
            browser.ask("POST", "/oauth2/logout", Value::Null).await.0,
            200
        );
        let (status, body) = browser.ask("GET", "/Contacts", Value::Null).await;
        assert_eq!(
            (status, body["error"].as_str()),
            (401, Some("invalid_grant"))
        );
    }

    #[tokio::test]
    async fn a_filter_means_the_same_in_each_of_its_forms() {
        let browser = Browser::logged_in("sally").await;
        let filter = r#"[{"$or":[{"last_name":{"$starts":"b"}},{"accounts.name":{"$contains":"laiterie"}}]}]"#;
        let coded =
            percent_encoding::utf8_percent_encode(filter, percent_encoding::NON_ALPHANUMERIC);
        let in_brackets = "filter[0][$or][0][last_name][$starts]=b&filter[0][$or][1][accounts.name][$contains]=laiterie";
        let one = browser
            .get(&format!("/Contacts?max_num=-1&fields=id&{in_brackets}"))
            .await;
        let two = browser
            .get(&format!(
                "/Contacts/filter?max_num=-1&fields=id&filter={coded}"
            ))
            .await;
        let body = json!({"filter": serde_json::from_str::<Value>(filter).unwrap(), "max_num": 1000, "fields": "id"});
        let (_, three) = browser.ask("POST", "/Contacts/filter", body.clone()).await;
        assert_eq!(one, two);
        assert_eq!(two, three);
        let (_, count) = browser.ask("POST", "/Contacts/filter/count", body).await;
        let found = one["records"].as_array().unwrap().len();
        assert!(
            found > 5 && count == json!({"record_count": found}),
            "{count}"
        );
    }

    #[tokio::test]
    async fn pages_fit_together_and_come_to_an_end() {
        let browser = Browser::logged_in("sally").await;
        let mut seen = std::collections::BTreeSet::new();
        let mut offset = 0;
        while offset != -1 {
            let page = browser
                .get(&format!(
                    "/Contacts?order_by=last_name:desc&fields=last_name&max_num=100&offset={offset}"
                ))
                .await;
            for record in page["records"].as_array().unwrap() {
                assert_eq!(record.as_object().unwrap().len(), 5, "{record}");
                assert!(seen.insert(id(record).to_owned()));
            }
            offset = page["next_offset"].as_i64().unwrap();
        }
        assert_eq!(
            json!({"record_count": seen.len()}),
            browser.get("/Contacts/count").await
        );
    }

    #[tokio::test]
    async fn an_update_is_kept_and_echoes_the_whole_record() {
        let browser = Browser::logged_in("sally").await;
        let before = browser.first("Contacts", WITH_IBAN).await;
        let target = format!("/Contacts/{}", id(&before));
        let body = json!({
            "title": "Mécanicienne", "no_such_field": 1, "email": [{"email_address": "nouvelle@example.org"}],
        });
        let (status, echo) = browser.ask("PUT", &target, body).await;
        assert_eq!((status, &echo["title"]), (200, &json!("Mécanicienne")));
        assert_eq!(
            (&echo["iban_c"], &echo["email1"]),
            (&before["iban_c"], &json!("nouvelle@example.org"))
        );
        assert_eq!(echo["email"].as_array().unwrap().len(), 1);
        assert!(echo.get("no_such_field").is_none() && echo.get("portal_password").is_some());
        assert_eq!(browser.get(&target).await["title"], "Mécanicienne");

        let (_, narrow) = browser
            .ask("PUT", &target, json!({"title": "x", "fields": "title"}))
            .await;
        let keys: Vec<&String> = narrow.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["id", "date_modified", "title", "_acl", "_module"]);
    }

    #[tokio::test]
    async fn errors_quote_what_was_sent() {
        let browser = Browser::logged_in("sally").await;
        let contact = browser.first("Contacts", WITH_IBAN).await;
        let body = json!({"email": [{"email_address": "not a mail"}]});
        let (status, fault) = browser
            .ask("PUT", &format!("/Contacts/{}", id(&contact)), body)
            .await;
        assert_eq!(status, 422);
        assert_eq!(
            fault,
            json!({"error": "invalid_parameter", "error_message": "Invalid email address: not a mail"})
        );
        for (target, status, label) in [
            ("/Contacts/nobody", 404, "not_found"),
            ("/Unicorns", 404, "no_method"),
            ("/Contacts?filter[0][x]=1", 422, "invalid_parameter"),
            (
                "/Contacts?filter[0][title][$like]=1",
                422,
                "invalid_parameter",
            ),
            ("/Contacts?q=a&filter[0][title]=1", 422, "invalid_parameter"),
        ] {
            let (got, fault) = browser.ask("GET", target, Value::Null).await;
            assert_eq!(
                (got, fault["error"].as_str()),
                (status, Some(label)),
                "{target}"
            );
        }
    }

    #[tokio::test]
    async fn relations_are_made_followed_and_ended_with_both_records_whole() {
        let browser = Browser::logged_in("sam").await;
        let contact = browser.first("Contacts", WITH_IBAN).await;
        let cases = format!("/Contacts/{}/link/cases", id(&contact));
        let (status, made) = browser
            .ask("POST", &cases, json!({"name": "Porte bloquée"}))
            .await;
        assert_eq!(
            (status, &made["record"]["iban_c"]),
            (200, &contact["iban_c"])
        );
        let case = id(&made["related_record"]).to_owned();
        assert_eq!(
            (
                &made["related_record"]["status"],
                &made["related_record"]["priority"]
            ),
            (&json!("New"), &json!("P2"))
        );
        let listed = browser
            .get(&format!("{cases}?filter[0][name]=porte+bloqu%C3%A9e"))
            .await;
        assert_eq!(id(&listed["records"][0]), case);

        let back = browser.get(&format!("/Cases/{case}?fields=[%22name%22,%7B%22name%22:%22contacts%22,%22fields%22:[%22last_name%22]%7D]")).await;
        assert_eq!(
            back["contacts"]["records"][0]["last_name"],
            contact["last_name"]
        );

        let (_, ended) = browser
            .ask("DELETE", &format!("{cases}/{case}"), Value::Null)
            .await;
        assert_eq!(
            (id(&ended["record"]), id(&ended["related_record"])),
            (id(&contact), case.as_str())
        );
        assert_eq!(
            browser
                .get(&format!("/Cases/{case}/link/contacts/count"))
                .await,
            json!({"record_count": 0})
        );

        let body = json!({"link_name": "cases", "ids": [case, {"id": case}]});
        let (_, many) = browser
            .ask("POST", &format!("/Contacts/{}/link", id(&contact)), body)
            .await;
        assert_eq!(many["related_records"].as_array().unwrap().len(), 2);
    }

    #[tokio::test]
    async fn parts_of_a_bulk_request_fail_by_themselves() {
        let browser = Browser::logged_in("sally").await;
        let (status, parts) = browser
            .ask("POST", "/bulk", json!({"requests": [
                {"url": "/v11_24/Contacts/filter", "method": "POST", "data": "{\"max_num\": 2}"},
                {"url": "v11/Contacts/nobody"},
                {"url": "/v10/bulk", "method": "POST", "data": {"requests": []}},
                {"url": "/v10/me"},
            ]}))
            .await;
        assert_eq!(status, 200);
        let statuses: Vec<&Value> = parts
            .as_array()
            .unwrap()
            .iter()
            .map(|part| &part["status"])
            .collect();
        assert_eq!(
            statuses,
            [&json!(200), &json!(404), &json!(404), &json!(200)]
        );
        assert_eq!(parts[0]["contents"]["records"].as_array().unwrap().len(), 2);
    }

    #[tokio::test]
    async fn favorites_and_own_items_are_those_of_the_caller() {
        let browser = Browser::logged_in("dora").await;
        let contact = browser.first("Contacts", "my_items=true").await;
        assert_eq!(contact["assigned_user_name"], "Dora Kovarin");
        for (method, is_set) in [("PUT", true), ("DELETE", false)] {
            let (_, echo) = browser
                .ask(
                    method,
                    &format!("/Contacts/{}/favorite", id(&contact)),
                    Value::Null,
                )
                .await;
            assert_eq!(echo["my_favorite"], json!(is_set));
            let listed = browser
                .get("/Contacts?favorites=1&max_num=500&fields=id")
                .await;
            let listed = listed["records"].as_array().unwrap();
            assert_eq!(
                listed.iter().any(|record| id(record) == id(&contact)),
                is_set
            );
        }
    }

    #[tokio::test]
    async fn a_search_looks_at_beginnings_of_names_and_addresses() {
        let browser = Browser::logged_in("max").await;
        let contact = browser.first("Contacts", "").await;
        let found = browser
            .get(&format!(
                "/Contacts?q={}&max_num=500",
                contact["email1"].as_str().unwrap()
            ))
            .await;
        assert_eq!(id(&found["records"][0]), id(&contact));
        let found = browser.get("/Contacts?q=FR76").await;
        assert_eq!(found["records"], json!([]));
    }

    #[tokio::test]
    async fn metadata_describes_fields_with_their_defaults() {
        let browser = Browser::logged_in("max").await;
        let told = browser
            .get("/metadata?type_filter=modules&module_filter=Cases,Contacts")
            .await;
        let modules = told["modules"].as_object().unwrap();
        assert_eq!(modules.keys().collect::<Vec<_>>(), ["Cases", "Contacts"]);
        assert_eq!(modules["Cases"]["fields"]["priority"]["default"], "P2");
        assert_eq!(modules["Contacts"]["fields"]["cases"]["type"], "link");
    }

    #[tokio::test]
    async fn the_server_stops_although_a_connection_is_kept_alive() {
        let mut browser = Browser::logged_in("sally").await;
        browser.get("/ping").await;
        browser.stop.take().unwrap().send(()).unwrap();
        tokio::time::timeout(Duration::from_secs(5), &mut browser.server)
            .await
            .unwrap()
            .unwrap();
    }
}
