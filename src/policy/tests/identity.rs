//! Callers of all ways: which roles they have, how surely, for which purpose, and what they may do without a session.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::dialect::{Access, Link, Operation, Projected, Query};
use crate::identity::{Caller, Claims};
use crate::policy::testing::{caller, compile, filtered, list, try_compile};
use crate::policy::{Decision, Policy};
use crate::reason::Reason;
use crate::vocabulary::{Action, Level, Module};

const POLICY: &str = r#"
policy: p
roles:
  clerk: { from: { crm.role: Finance }, default_purpose: payment }
  finance: { from: { claim.roles: crm-finance, token: company }, default_purpose: payment, actions: { Contacts: [list, read] } }
  erp: { from: { key: erp-prod }, kind: machine, purposes: payment, region: FR, actions: { Contacts: [list, read], Notes: create } }
  mailer: { from: { certificate: "dns:mailer.example.com" }, kind: machine, purposes: [payment, contract], actions: { Contacts: list } }
  desk: { from: { front.roles: desk, front.user: [ada, bob] }, actions: { Accounts: [read, list, update, relate] } }
auth:
  strong: { any: [ { acr: [phr, phrh], max_age: 15m }, { amr: [hwk, sc] } ] }
  machine: { method: [key, certificate] }
purposes:
  payment: { legal_basis: legal-obligation, roles: [clerk, finance, erp, mailer] }
  contract: { legal_basis: contract, roles: [mailer, desk, finance] }
classify:
  "*": { id: technical.id }
  Contacts: { first_name: identity.name, iban_c: financial.iban }
  Accounts: { name: work.organisation }
  Notes: { name: work.organisation }
grants:
  - { name: base, roles: [clerk, finance, erp, mailer, desk], data: [technical, identity, work], level: clear }
  - { name: last-digits, roles: [clerk, finance], data: financial, level: mask }
  - { name: clear-for-strong, roles: [clerk, finance], purposes: payment, data: financial.iban, requires: { auth: strong }, ask: step-up, level: clear }
  - { name: clear-for-machines, roles: erp, data: financial.iban, requires: { auth: [strong, machine] }, level: clear }
"#;

fn token(acr: Option<&str>, amr: &[&str], ago: Option<u64>) -> Caller {
    let claims = Claims::stated(&["crm-finance"], acr, amr);
    Caller::from_token(Arc::new(claims), ago.map(Duration::from_secs))
}

fn strengthened(acr: &str, ago: u64) -> Caller {
    let claims = Claims::stated(&["crm-finance"], Some(acr), &[]);
    caller(&["Finance"]).strengthened(Arc::new(claims), Some(Duration::from_secs(ago)))
}

fn key() -> Caller {
    Caller::from_key("erp-prod".into())
}

fn of(module: &str, action: Action) -> Operation {
    Operation {
        action,
        ..list(Some(module))
    }
}

fn named(fields: &[&str]) -> Operation {
    let mut operation = list(Some("Contacts"));
    let fields = fields
        .iter()
        .map(|field| Projected::Field((*field).to_owned()));
    operation.query.projection = Some(fields.collect());
    operation
}

fn decide(policy: &Policy, caller: &Caller, operation: &Operation) -> Result<Level, Reason> {
    match policy.decide(caller, None, operation) {
        Decision::Permit(plan) => {
            let rules = plan.records(&Module::new("Contacts"));
            Ok(rules.field("iban_c").level)
        }
        Decision::Deny(denial) => Err(denial.reason),
    }
}

#[test]
fn a_strength_is_proved_by_claims_that_are_there_and_young_enough() {
    let policy = compile(&[POLICY]);
    let all = list(Some("Contacts"));
    let bare = caller(&["Finance"]);
    for (proved, caller) in [
        (true, token(Some("phr"), &[], Some(900))),
        (true, token(Some("phrh"), &[], Some(0))),
        (true, token(None, &["pwd", "sc"], None)),
        (true, strengthened("phr", 10)),
        (false, token(Some("phr"), &[], Some(901))),
        (false, token(Some("phr"), &[], None)),
        (false, token(Some("phr phrh"), &[], Some(1))),
        (false, token(Some("0"), &["pwd"], Some(1))),
        (false, token(None, &[], Some(1))),
        (false, strengthened("0", 10)),
        (false, bare),
    ] {
        let expected = if proved { Level::Clear } else { Level::Mask };
        assert_eq!(decide(&policy, &caller, &all), Ok(expected), "{caller:?}");
    }
    assert_eq!(
        decide(&policy, &key(), &all),
        Ok(Level::Clear),
        "by its way"
    );
}

#[test]
fn the_roles_of_a_token_beside_a_session_do_not_count() {
    let policy = compile(&[POLICY]);
    let claims = Arc::new(Claims::stated(&["crm-finance"], Some("phr"), &[]));
    let other = caller(&["Nobody"]).strengthened(claims, Some(Duration::ZERO));
    let decided = decide(&policy, &other, &list(Some("Contacts")));
    assert_eq!(decided, Err(Reason::NoRole));
}

#[test]
fn who_comes_by_a_token_alone_and_names_the_field_is_challenged() {
    let policy = compile(&[POLICY]);
    let weak = token(None, &[], None);
    let challenge =
        |caller: &Caller, operation: &Operation| match policy.decide(caller, None, operation) {
            Decision::Permit(plan) => (None, plan.challenge().map(ToString::to_string)),
            Decision::Deny(denial) => {
                let challenge = denial.challenge.map(|challenge| challenge.to_string());
                (Some(denial.reason), challenge)
            }
        };
    let asked = Some("acr_values=\"phr phrh\", max_age=900".to_owned());
    let iban = named(&["first_name", "iban_c"]);
    assert_eq!(
        challenge(&weak, &iban),
        (Some(Reason::StepUp), asked.clone())
    );
    assert_eq!(
        challenge(&weak, &list(Some("Contacts"))),
        (None, asked.clone())
    );
    assert_eq!(challenge(&weak, &named(&["first_name"])), (None, None));
    let session = caller(&["Finance"]);
    assert_eq!(challenge(&session, &iban), (None, asked.clone()));
    assert_eq!(challenge(&strengthened("0", 1), &iban), (None, asked));
    let strong = token(Some("phr"), &[], Some(1));
    assert_eq!(challenge(&strong, &iban), (None, None));
    // For other purposes no strength would help.
    let claims = Claims::stated(&["crm-finance"], None, &[]).for_purpose("contract");
    let elsewhere = Caller::from_token(Arc::new(claims), None);
    assert_eq!(challenge(&elsewhere, &iban), (None, None));
}

#[test]
fn a_purpose_is_stated_once() {
    let policy = compile(&[POLICY]);
    let chosen = |caller: &Caller, header: Option<&str>| match policy.decide(
        caller,
        header,
        &list(Some("Contacts")),
    ) {
        Decision::Permit(plan) => {
            let chosen = plan.purpose().unwrap();
            Ok(format!("{} by {}", chosen.purpose, chosen.chosen_by))
        }
        Decision::Deny(denial) => Err(denial.reason),
    };
    let stating = |purpose: &str| {
        let claims = Claims::stated(&["crm-finance"], None, &[]).for_purpose(purpose);
        Caller::from_token(Arc::new(claims), None)
    };
    let ok = |text: &str| Ok(text.to_owned());
    assert_eq!(chosen(&stating("contract"), None), ok("contract by claim"));
    assert_eq!(
        chosen(&stating("contract"), Some("contract")),
        ok("contract by header")
    );
    assert_eq!(
        chosen(&stating("contract"), Some("payment")),
        Err(Reason::TwoPurposes)
    );
    assert_eq!(
        chosen(&stating("nothing"), None),
        Err(Reason::PurposeNotAllowed)
    );
    assert_eq!(
        chosen(&token(None, &[], None), None),
        ok("payment by default")
    );
    assert_eq!(chosen(&key(), None), ok("payment by machine"));
    assert_eq!(
        chosen(&key(), Some("contract")),
        Err(Reason::PurposeNotAllowed)
    );
    let mailer = Caller::from_certificate("dns:mailer.example.com");
    assert_eq!(chosen(&mailer, None), Err(Reason::NoPurpose));
    assert_eq!(chosen(&mailer, Some("contract")), ok("contract by header"));
}

#[test]
fn without_a_session_only_the_actions_of_the_role_pass() {
    let policy = compile(&[POLICY]);
    let may = |caller: &Caller, operation: &Operation| decide(&policy, caller, operation).is_ok();
    assert!(may(&key(), &list(Some("Contacts"))));
    assert!(may(&key(), &of("Contacts", Action::Read)));
    assert!(may(&key(), &of("Notes", Action::Create)));
    for (module, action) in [
        ("Contacts", Action::Create),
        ("Contacts", Action::Update),
        ("Contacts", Action::Delete),
        ("Contacts", Action::Count),
        ("Contacts", Action::Relate),
        ("Notes", Action::List),
        ("Accounts", Action::List),
    ] {
        let refused = decide(&policy, &key(), &of(module, action));
        assert_eq!(
            refused,
            Err(Reason::ActionNotAllowed),
            "{module} {action:?}"
        );
    }
    // The CRM judges sessions itself.
    let session = caller(&["Finance"]);
    assert!(may(&session, &of("Accounts", Action::Delete)));
    let everywhere = Operation {
        module: None,
        ..list(None)
    };
    assert!(!may(&key(), &everywhere));
    for access in [Access::Role, Access::Session] {
        let operation = Operation {
            access,
            ..list(Some("Contacts"))
        };
        assert_eq!(
            decide(&policy, &key(), &operation),
            Err(Reason::ActionNotAllowed)
        );
        assert!(may(&session, &operation), "{access:?}");
    }
}

#[test]
fn links_lead_nowhere_else() {
    let policy = compile(&[POLICY]);
    let to_accounts = |action| Operation {
        link: Some(Link {
            name: "accounts".to_owned(),
            target: Module::new("Accounts"),
        }),
        ..of("Contacts", action)
    };
    let refused = Err(Reason::ActionNotAllowed);
    assert_eq!(decide(&policy, &key(), &to_accounts(Action::List)), refused);
    let mut embedded = list(Some("Contacts"));
    embedded.query.projection = Some(vec![Projected::Collection {
        link: Link {
            name: "accounts".to_owned(),
            target: Module::new("Accounts"),
        },
        query: Query::default(),
    }]);
    assert_eq!(decide(&policy, &key(), &embedded), refused);
    let mut compared = filtered("name");
    if let Some(crate::dialect::Predicate::Field { path, .. }) = &mut compared.query.predicate {
        path.link = to_accounts(Action::List).link;
    }
    assert_eq!(decide(&policy, &key(), &compared), refused);
    let session = caller(&["Finance"]);
    assert!(decide(&policy, &session, &to_accounts(Action::List)).is_ok());
}

#[test]
fn what_is_about_the_caller_is_refused_without_a_session() {
    let policy = compile(&[POLICY]);
    let mut mine = list(Some("Contacts"));
    mine.query.about_caller = vec![("my_items", true)];
    let mut owned = list(Some("Contacts"));
    owned.query.predicate = Some(crate::dialect::Predicate::Not(Box::new(
        crate::dialect::Predicate::Caller {
            word: "$owner",
            argument: String::new(),
        },
    )));
    for operation in [mine, owned] {
        let refused = decide(&policy, &key(), &operation);
        assert_eq!(refused, Err(Reason::ActionNotAllowed));
        assert!(decide(&policy, &caller(&["Finance"]), &operation).is_ok());
    }
}

#[test]
fn all_evidence_of_a_role_must_hold() {
    let policy = compile(&[POLICY]);
    let fits = |caller: &Caller| match policy.decide(
        caller,
        Some("contract"),
        &of("Accounts", Action::Read),
    ) {
        Decision::Permit(plan) => plan.roles().len(),
        Decision::Deny(denial) => denial.roles.len(),
    };
    let front = |user: &str, roles: &[&str]| {
        let roles = roles.iter().map(|role| (*role).to_owned()).collect();
        Caller::from_front(Arc::new(crate::identity::Fronted {
            user: user.to_owned(),
            roles,
        }))
    };
    assert_eq!(fits(&front("ada", &["desk"])), 1);
    assert_eq!(fits(&front("eve", &["desk"])), 0);
    assert_eq!(fits(&front("ada", &["Desk"])), 0);
    assert_eq!(fits(&Caller::from_key("ERP-prod".into())), 0);
    assert_eq!(fits(&Caller::from_certificate("dns:mailer.example.com")), 1);
    assert!(policy.names_certificate("dns:mailer.example.com"));
    assert!(!policy.names_certificate("uri:mailer.example.com"));
}

/// Each role is refused with this code and these words.
fn refused(cases: &[(&str, &str, &str)]) {
    for (role, code, words) in cases {
        let with = format!("roles:\n  other: {role}\n  clerk");
        let text = POLICY.replace("roles:\n  clerk", &with);
        let (policy, found) = try_compile(&[&text]);
        let shown = found.render(false);
        assert!(policy.is_none(), "{role}");
        let is_told = shown.contains(code) && shown.contains(words);
        assert!(is_told, "{role}: {shown}");
    }
}

#[test]
fn roles_that_contradict_themselves_are_refused() {
    refused(&[
        ("{ from: { key: k } }", "P033", "actions: { MODULE"),
        (
            "{ from: { key: k, crm.role: x }, actions: {} }",
            "P034",
            "at once",
        ),
        (
            "{ from: { claim.roles: a, front.user: b }, actions: {} }",
            "P034",
            "at once",
        ),
        (
            "{ from: { crm.role: x }, kind: machine, purposes: payment }",
            "P032",
            "evidence of a machine",
        ),
        (
            "{ from: { key: k }, kind: machine, actions: {} }",
            "P032",
            "purposes: NAME",
        ),
        (
            "{ from: { key: k }, kind: machine, default_purpose: payment, purposes: payment, actions: {} }",
            "P032",
            "no default",
        ),
        (
            "{ from: { crm.role: x }, purposes: payment }",
            "P032",
            "people",
        ),
        (
            "{ from: { key: k }, kind: machine, purposes: payment, actions: {} }",
            "P020",
            "bound to",
        ),
    ]);
}

#[test]
fn words_that_roles_do_not_have_are_refused() {
    refused(&[
        (
            "{ from: { crm.role: x }, region: fr }",
            "P032",
            "two capital letters",
        ),
        (
            "{ from: { certificate: mailer.example.com }, actions: {} }",
            "P015",
            "dns:NAME",
        ),
        (
            "{ from: { certificate: \"cn:mailer\" }, actions: {} }",
            "P015",
            "dns:NAME",
        ),
        (
            "{ from: { claim.email: a }, actions: {} }",
            "Y",
            "not supported yet",
        ),
        (
            "{ from: { key: k }, actions: { Contact: list } }",
            "P018",
            "did you mean `Contacts`",
        ),
        (
            "{ from: { key: k }, actions: { Contacts: export } }",
            "Y013",
            "list, read, count",
        ),
        ("{ from: { crm.role: x }, kind: robot }", "Y013", "human"),
    ]);
}

#[test]
fn strengths_that_nothing_proves_are_refused() {
    let with = |strength: &str| POLICY.replace("auth:\n", &format!("auth:\n  other: {strength}\n"));
    for (strength, words) in [
        ("{ max_age: 15m }", "by what it is proved"),
        ("{ any: [] }", "no proof"),
        ("{ any: [{ max_age: 1m }] }", "by what it is proved"),
        ("{ acr: \"a b\" }", "visible ASCII"),
        ("{ acr: 'a\"' }", "visible ASCII"),
        ("{ method: password }", "crm-session"),
        ("{ acr: phr, any: [] }", "any"),
        ("{ acr: phr, max_age: 0s }", "max_age"),
    ] {
        let (policy, found) = try_compile(&[&with(strength)]);
        assert!(policy.is_none(), "{strength}");
        let shown = found.render(false);
        assert!(shown.contains(words), "{strength}: {shown}");
    }
    let asking = |grant: &str| {
        format!("{POLICY}  - {{ name: x, roles: erp, data: work, level: clear, {grant} }}\n")
    };
    for (grant, words) in [
        ("ask: step-up", "nothing is asked for"),
        (
            "ask: step-up, requires: { auth: machine }",
            "nothing can be asked for",
        ),
        (
            "requires: { auth: [strong, strongest] }",
            "unknown strength",
        ),
    ] {
        let (policy, found) = try_compile(&[&asking(grant)]);
        assert!(policy.is_none(), "{grant}");
        let shown = found.render(false);
        assert!(shown.contains(words), "{grant}: {shown}");
    }
}

#[test]
fn a_role_that_sees_all_rows_of_the_proxys_account_is_told() {
    let (policy, found) = try_compile(&[POLICY]);
    assert!(policy.is_some(), "{}", found.render(false));
    let told = found.iter().filter(|one| one.code == "N204");
    assert_eq!(told.count(), 4);
}

#[test]
fn more_actions_and_strengths_never_show_less() {
    let policy = compile(&[POLICY]);
    let all: BTreeSet<Level> = [token(None, &[], None), token(Some("phr"), &[], Some(1))]
        .iter()
        .map(|caller| decide(&policy, caller, &list(Some("Contacts"))).unwrap())
        .collect();
    assert_eq!(
        all.into_iter().collect::<Vec<_>>(),
        [Level::Mask, Level::Clear]
    );
    let fewer = POLICY.replace(
        "Contacts: [list, read] } }\n  erp",
        "Contacts: read } }\n  erp",
    );
    let fewer = compile(&[&fewer]);
    for action in [Action::List, Action::Read, Action::Update] {
        let weak = token(None, &[], None);
        let (with, without) = (
            decide(&policy, &weak, &of("Contacts", action)),
            decide(&fewer, &weak, &of("Contacts", action)),
        );
        assert!(with.is_ok() || without.is_err(), "{action:?}");
    }
}
