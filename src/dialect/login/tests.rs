//! How accounts log in, dialect by dialect, against what CRMs were seen to answer.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Account, Entered, Login, Secret};
use crate::dialect::{Answered, Dialect, Media, Outgoing, by_name};
use crate::door::{Carrier, Credential};
use crate::reason::Reason;

fn dialect(name: &str) -> Arc<dyn Dialect> {
    by_name(name).unwrap()
}

/// A user, by way of a client.
fn account() -> Account {
    Account {
        user: Some(("paravent".to_owned(), Secret::new("p\u{e9}\"s's"))),
        client_id: Some("11111111-aaaa".to_owned()),
        client_secret: Some(Secret::new("pwsecret")),
        ..Account::default()
    }
}

fn only_user() -> Account {
    Account {
        client_id: None,
        client_secret: None,
        ..account()
    }
}

fn only_client() -> Account {
    Account {
        user: None,
        ..account()
    }
}

fn held(refresh: Option<&str>) -> Entered {
    Entered {
        credential: Credential::own(Carrier::Bearer, "old").unwrap(),
        refresh: refresh.map(Secret::new),
        lifetime: None,
    }
}

fn said(status: u16, body: &Value) -> Answered {
    Answered {
        status,
        body: body.to_string().into(),
    }
}

fn asked(login: Login) -> Outgoing {
    match login {
        Login::Ask(question) => question,
        other => panic!("{other:?}"),
    }
}

fn entered(login: Login) -> Entered {
    match login {
        Login::Entered(entered) => entered,
        other => panic!("{other:?}"),
    }
}

fn body(question: &Outgoing) -> Value {
    serde_json::from_slice(question.body.as_ref().unwrap()).unwrap()
}

#[test]
fn of_sugar_a_token_is_asked_for_with_the_password_and_then_renewed() {
    let sugar = dialect("sugar-rest");
    let step = |held: Option<&Entered>, answers: &[Answered]| {
        sugar.enter("v11_24", &only_user(), held, answers)
    };
    let question = asked(step(None, &[]));
    assert_eq!(
        (
            question.method.as_str(),
            question.target.as_str(),
            question.media
        ),
        ("POST", "/rest/v11_24/oauth2/token", Media::Json)
    );
    let by_password = json!({"grant_type": "password", "username": "paravent", "password": "pé\"s's",
        "client_id": "sugar", "client_secret": "", "platform": "base"});
    assert_eq!(body(&question), by_password);
    let tokens = json!({"access_token": "2b1c-9", "expires_in": 3600, "token_type": "bearer", "scope": null,
        "refresh_token": "5a0e-1", "refresh_expires_in": 1_209_600, "download_token": "x"});
    let first = entered(step(None, &[said(200, &tokens)]));
    assert_eq!(first.credential.token(), "2b1c-9");
    assert!(sugar.head_form().accepts(first.credential.carrier()));
    assert_eq!(first.lifetime, Some(Duration::from_secs(3600)));
    let question = asked(step(Some(&first), &[]));
    let renewal = json!({"grant_type": "refresh_token", "refresh_token": "5a0e-1", "client_id": "sugar",
        "client_secret": "", "platform": "base"});
    assert_eq!(body(&question), renewal);
    // A refresh token that has ended: once more with the password, and never a third time.
    let no = said(
        400,
        &json!({"error": "invalid_grant", "error_message": "x"}),
    );
    let question = asked(step(Some(&first), std::slice::from_ref(&no)));
    assert_eq!(body(&question), by_password);
    let second = entered(step(Some(&first), &[no.clone(), said(200, &tokens)]));
    assert_eq!(second, first);
    let need_login = said(401, &json!({"error": "need_login"}));
    assert_eq!(
        step(Some(&first), &[no, need_login.clone()]),
        Login::Refused
    );
    assert_eq!(step(None, &[need_login]), Login::Refused);
    let busy = said(503, &json!({"error": "maintenance"}));
    let failed = Login::Failed(Reason::UpstreamBroken);
    assert_eq!(step(None, std::slice::from_ref(&busy)), failed);
    assert_eq!(
        step(Some(&first), &[busy]),
        failed,
        "the password is for when the token is refused"
    );
    assert_eq!(
        sugar.enter("v11", &only_client(), None, &[]),
        Login::Impossible
    );
}

#[test]
fn of_sugar_client_and_platform_may_be_its_own() {
    let account = Account {
        platform: Some("paravent-a".to_owned()),
        ..account()
    };
    let question = asked(dialect("sugar-rest").enter("v10", &account, None, &[]));
    let stated = body(&question);
    assert_eq!(stated["platform"], "paravent-a");
    assert_eq!(stated["client_id"], "11111111-aaaa");
    assert_eq!(stated["client_secret"], "pwsecret");
}

#[test]
fn what_is_no_token_is_none() {
    let sugar = dialect("sugar-rest");
    for answer in [
        json!({}),
        json!([]),
        json!({"access_token": ""}),
        json!({"access_token": 7}),
        json!({"access_token": "a b"}),
        json!({"access_token": "a\r\nx"}),
        json!({"access_token": "a", "token_type": "mac"}),
        json!({"access_token": "a", "token_type": null}),
    ] {
        let step = sugar.enter("v11", &account(), None, &[said(200, &answer)]);
        assert_eq!(step, Login::Failed(Reason::Unfilterable), "{answer}");
    }
    for odd in [json!(0), json!(-5), json!("soon"), json!(null), json!(1.5)] {
        let answer = json!({"access_token": "a", "expires_in": odd});
        let step = sugar.enter("v11", &account(), None, &[said(200, &answer)]);
        assert_eq!(entered(step).lifetime, None, "{odd}");
    }
    let answer = json!({"access_token": "a", "expires_in": "60"});
    let step = sugar.enter("v11", &account(), None, &[said(200, &answer)]);
    assert_eq!(entered(step).lifetime, Some(Duration::from_secs(60)));
}

#[test]
fn a_refresh_token_that_is_not_replaced_stays() {
    let answer = said(200, &json!({"access_token": "a"}));
    let step = dialect("sugar-rest").enter("v11", &account(), Some(&held(Some("r"))), &[answer]);
    assert_eq!(entered(step).refresh, Some(Secret::new("r")));
}

#[test]
fn of_suitecrm_a_user_or_a_client_logs_in() {
    let v8 = dialect("suitecrm-v8");
    let question = asked(v8.enter("V8", &account(), None, &[]));
    assert_eq!(question.target, "/Api/access_token");
    assert_eq!(question.media, Media::Json);
    let stated = json!({"grant_type": "password", "username": "paravent", "password": "pé\"s's",
        "client_id": "11111111-aaaa", "client_secret": "pwsecret"});
    assert_eq!(body(&question), stated);
    let question = asked(v8.enter("V8 at legacy", &only_client(), None, &[]));
    assert_eq!(question.target, "/legacy/Api/access_token");
    let stated = json!({"grant_type": "client_credentials", "client_id": "11111111-aaaa", "client_secret": "pwsecret"});
    assert_eq!(body(&question), stated);
    assert_eq!(v8.enter("V8", &only_user(), None, &[]), Login::Impossible);
    // As recorded.
    let tokens = json!({"token_type": "Bearer", "expires_in": 3600,
        "access_token": "eyJ0eXAiOiJKV1QifQ.eyJqdGkiOiJ0aHJvd2F3YXkifQ.c2ln"});
    let entered = entered(v8.enter("V8", &only_client(), None, &[said(200, &tokens)]));
    assert_eq!(entered.credential.carrier(), &Carrier::Bearer);
    assert_eq!(
        (entered.refresh.clone(), entered.lifetime),
        (None, Some(Duration::from_secs(3600)))
    );
    let again = asked(v8.enter("V8", &only_client(), Some(&entered), &[]));
    assert_eq!(
        body(&again),
        stated,
        "without a refresh token it logs in again"
    );
    let wrong = json!({"error": "unknown_error", "message": "The password is invalid: bad"});
    assert_eq!(
        v8.enter("V8", &account(), None, &[said(500, &wrong)]),
        Login::Refused
    );
    let html = Answered {
        status: 500,
        body: "".into(),
    };
    let broken = Login::Failed(Reason::UpstreamBroken);
    assert_eq!(v8.enter("V8", &account(), None, &[html]), broken);
}

#[test]
fn of_the_legacy_api_a_session_is_opened() {
    let v4 = dialect("sugar-v4");
    let arguments = |account: &Account| {
        let question = asked(v4.enter("v2", account, Some(&held(Some("r"))), &[]));
        assert_eq!(question.target, "/service/v4_1/rest.php");
        let form = String::from_utf8(question.body.unwrap().to_vec()).unwrap();
        let stated =
            form.strip_prefix("method=login&input_type=JSON&response_type=JSON&rest_data=");
        let decoded = percent_encoding::percent_decode_str(stated.unwrap()).decode_utf8();
        serde_json::from_str::<Value>(&decoded.unwrap()).unwrap()
    };
    let user = |password: &str| Account {
        user: Some(("samir".to_owned(), Secret::new(password))),
        ..Account::default()
    };
    // The sum of `User.1234` that was recorded.
    assert_eq!(
        arguments(&user("User.1234")),
        json!([{"user_name": "samir", "password": "377857cada9d819396ee707ca03cdbd7", "version": "1"}, "Paravent", []])
    );
    let plain = Account {
        plain: true,
        ..user("User.1234")
    };
    assert_eq!(
        arguments(&plain),
        json!([{"user_name": "samir", "password": "User.1234", "encryption": "PLAIN"}, "Paravent", []])
    );
    let step = |answer: Answered| v4.enter("v4_1", &plain, None, &[answer]);
    let session = json!({"id": "il3j4ai7e481nvt2mr2fufcqf9", "module_name": "Users",
        "name_value_list": {"user_id": {"name": "user_id", "value": "1"}}});
    let opened = entered(step(said(200, &session)));
    assert_eq!(opened.credential.token(), "il3j4ai7e481nvt2mr2fufcqf9");
    assert_eq!(opened.credential.carrier(), &Carrier::Argument);
    assert!(v4.head_form().accepts(opened.credential.carrier()));
    assert_eq!((opened.refresh, opened.lifetime), (None, None));
    let no = json!({"name": "Invalid Login", "number": 10,
        "description": "Login attempt failed please check the username and password"});
    assert_eq!(step(said(200, &no)), Login::Refused);
    for odd in [
        json!(null),
        json!({}),
        json!({"id": ""}),
        json!({"id": "a b"}),
        json!({"id": 1}),
    ] {
        assert_eq!(
            step(said(200, &odd)),
            Login::Failed(Reason::Unfilterable),
            "{odd}"
        );
    }
    let broken = step(said(500, &json!(null)));
    assert_eq!(broken, Login::Failed(Reason::UpstreamBroken));
    assert_eq!(
        v4.enter("v4_1", &only_client(), None, &[]),
        Login::Impossible
    );
}

#[test]
fn nothing_shows_a_secret() {
    let account = account();
    let login = dialect("sugar-rest").enter("v11", &account, None, &[]);
    let tokens = json!({"access_token": "shown-1", "refresh_token": "shown-2"});
    let entered = dialect("sugar-rest").enter("v11", &account, None, &[said(200, &tokens)]);
    let shown = format!(
        "{account:?} {login:?} {entered:?} {:?}",
        held(Some("shown-3"))
    );
    for secret in ["pé", "pwsecret", "shown-", "old"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
