//! Roles that rest on what callers can change, and what a description lets pass unread.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::dialect::engine::Described;
use crate::dialect::{Dialect, Schema};
use crate::policy::codes::CODES;
use crate::policy::testing::{caller, list, stock, try_compile};
use crate::policy::{Decision, Policy, Source, Writable};
use crate::vocabulary::Module;

fn of(found: &Diagnostics, code: &str) -> Vec<String> {
    let place = |d: &Diagnostic| d.place.as_ref().map_or(0, |place| place.line());
    found
        .iter()
        .filter(|d| d.code == code)
        .map(|d| format!("{}: {}", place(d), d.title))
        .collect()
}

/// A policy whose `auditor` rests on some evidence, while `sales` may do what these rules say.
fn resting_on(evidence: &str, rules: &str) -> String {
    format!(
        "policy: p
roles:
  sales: {{ from: {{ crm.role: Sales }}, default_purpose: contract }}
  auditor: {{ from: {{ {evidence} }}, default_purpose: contract }}
purposes:
  contract: {{ legal_basis: contract, roles: [sales, auditor] }}
categories:
  work.login: {{ label: {{ en: Login names }} }}
classify:
  Users: {{ login: work.login, user_name: work.login, is_admin: technical.id, first_name: identity.name }}
  Teams: {{ name: work.organisation }}
{rules}"
    )
}

const BASE: &str = "grants: [{ name: base, roles: [sales, auditor], data: [work, technical, identity], level: clear }]\n";

#[test]
fn a_role_that_others_can_take_by_writing_a_field_is_told() {
    let taken = ["4: role `auditor` rests on `login` of Users, which `sales` may write"];
    let team = ["4: role `auditor` rests on `name` of Teams, which `sales` may write"];
    let only =
        |role| format!("grants: [{{ name: base, roles: {role}, data: work, level: clear }}]\n");
    let capped = |to: &str| {
        format!(
            "{}caps: [{{ name: c, data: work.login, {to} }}]\n",
            only("auditor")
        )
    };
    let masked = "grants: [{ name: base, roles: [sales, auditor], data: work, level: mask }]\n";
    let strong = "auth: { strong: { acr: phr } }\ngrants: [{ name: base, roles: sales, data: work, level: clear, requires: { auth: strong } }]\n";
    let elsewhere = "grants: [{ name: base, roles: sales, data: identity, level: clear }]\n";
    for (evidence, rules, expected) in [
        ("crm.user: ada", BASE.to_owned(), &taken[..]),
        (
            "crm.role: Sales, crm.user: [ada, bob]",
            BASE.to_owned(),
            &taken,
        ),
        ("crm.user: ada", only("sales"), &taken),
        ("crm.team: West", BASE.to_owned(), &team),
        // What the dialect does not name is not known to be a field.
        ("crm.role: Audit", BASE.to_owned(), &[]),
        ("crm.type: admin", BASE.to_owned(), &[]),
        ("crm.user: ada", masked.to_owned(), &[]),
        // Somebody may prove the strength.
        ("crm.user: ada", strong.to_owned(), &taken),
        ("crm.user: ada", elsewhere.to_owned(), &[]),
        // Whoever has the role already gains nothing, unless a cap is lost with it.
        ("crm.user: ada", only("auditor"), &[]),
        ("crm.user: ada", capped("level: clear, roles: sales"), &[]),
        (
            "crm.user: ada",
            capped("level: clear, roles: auditor"),
            &["4: role `auditor` rests on `login` of Users, which `auditor` may write"],
        ),
        ("crm.user: ada", capped("level: mask, roles: auditor"), &[]),
        // A cap for everybody refuses the write.
        (
            "crm.user: ada",
            format!("{BASE}caps: [{{ name: c, data: work.login, level: mask }}]\n"),
            &[],
        ),
    ] {
        let (policy, found) = try_compile(&[&resting_on(evidence, &rules)]);
        assert!(policy.is_some(), "{}", found.render(false));
        assert_eq!(
            of(&found, "W112"),
            expected,
            "{evidence}, {rules}: {}",
            found.render(false)
        );
    }
}

#[test]
fn what_makes_evidence_writable_is_named_with_its_place_and_a_way_out() {
    let (_, found) = try_compile(&[&resting_on("crm.user: ada", BASE)]);
    let text = found.render(false);
    for part in [
        "role `auditor` rests on `login` of Users, which `sales` may write",
        "`crm.user` is told by that field",
        "this grant makes it writable, for purpose `contract`",
        "use other evidence, or refuse the write",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn the_dialects_know_which_fields_tell_who_somebody_is() {
    let told = |schema: &str, evidence: &str| {
        let text = resting_on(evidence, BASE);
        let source = Source {
            path: "policy.yaml".to_owned(),
            text,
        };
        let (policy, found) = Policy::compile(&[source], &[stock(schema)], &[0; 32]);
        assert!(policy.is_some(), "{}", found.render(false));
        of(&found, "W112").len()
    };
    for schema in crate::dialect::NAMES {
        assert_eq!(told(schema, "crm.user: ada"), 1, "{schema}");
        assert_eq!(told(schema, "crm.role: Audit"), 0, "{schema}");
    }
    // No dialect writes what an account may do.
    for schema in crate::dialect::NAMES {
        assert_eq!(told(schema, "crm.type: admin"), 0, "{schema}");
    }
    assert_eq!(told("sugar-rest", "crm.team: West"), 1);
    assert_eq!(told("sugar-v4", "crm.team: West"), 0);
}

/// A description of users and clients, with these routes beside those that read.
fn described(routes: &str) -> Arc<Schema> {
    let text = format!(
        "description: kontor
credentials: {{ bearer: true }}
caller:
  ask:
    - {{ get: /me?full=1, id: $.user.id, login: $.user.data.login, kind: $.user.data.more.kind }}
    - {{ get: '/staff/{{id}}/teams', teams: '$[*].label?' }}
modules:
  staff: {{ inner: [more], links: {{ teams: teams }} }}
  teams: {{}}
  clients: {{ related: {{ owner: staff }} }}
routes:
  - {{ route: GET /me, module: staff, action: read, records: $.user, under: data }}
  - {{ route: 'GET /staff/{{id}}', module: staff, action: read, records: $ }}
  - {{ route: 'GET /staff/{{id}}/{{link}}', module: staff, action: list, records: '$[*]' }}
  - {{ route: 'GET /teams/{{id}}', module: teams, action: read, records: $ }}
{routes}"
    );
    let (described, found) = Described::read("kontor.yaml", &text);
    let described = described.unwrap_or_else(|| panic!("{}", found.render(false)));
    described.schema().clone()
}

#[test]
fn a_description_tells_by_its_questions_and_routes_which_fields_tell_who_somebody_is() {
    let staff = "  - { route: 'PUT /staff/{id}', module: staff, action: update, records: $ }\n";
    let teams = "  - { route: 'PUT /teams/{id}', module: teams, action: update, records: $ }\n";
    let title = |field| format!("4: role `auditor` rests on {field}, which `sales` may write");
    let (login, team) = ("`login` of staff", "`label` of teams");
    for (evidence, routes, expected) in [
        ("crm.user: ada", staff, Some(login)),
        // What tells the kind of an account is never written.
        ("crm.type: admin", staff, None),
        ("crm.team: West", teams, Some(team)),
        // Nobody writes what no route updates.
        ("crm.user: ada", teams, None),
        ("crm.team: West", staff, None),
        ("crm.role: Audit", staff, None),
    ] {
        let text = resting_on(evidence, BASE).replace(
            "  Teams: { name: work.organisation }",
            "  staff: { login: work.login, kind: work.login }\n  teams: { label: work.organisation }",
        );
        let source = Source {
            path: "policy.yaml".to_owned(),
            text,
        };
        let (_, found) = Policy::compile(&[source], &[described(routes)], &[0; 32]);
        let expected: Vec<String> = expected.into_iter().map(title).collect();
        assert_eq!(of(&found, "W112"), expected, "{evidence}, {routes}");
    }
}

/// A policy that lets everything be written of everything that these modules hold.
fn open(modules: &str) -> String {
    format!(
        "policy: p
roles: {{ sales: {{ from: {{ crm.role: Sales }}, default_purpose: contract }} }}
purposes: {{ contract: {{ legal_basis: contract, roles: sales }} }}
classify: {{ {modules} }}
grants: [{{ name: all, roles: sales, data: [work, identity, contact], level: clear, write: allow }}]
"
    )
}

/// Of some fields of a module, those that nobody may write although everybody sees them.
fn unwritten(schema: Arc<Schema>, module: &str, fields: &[&str]) -> Vec<String> {
    let classes: Vec<String> = fields
        .iter()
        .map(|field| format!("{field}: work.position"))
        .collect();
    let source = Source {
        path: "policy.yaml".to_owned(),
        text: open(&format!("{module}: {{ {} }}", classes.join(", "))),
    };
    let (policy, found) = Policy::compile(&[source], &[schema], &[0; 32]);
    let policy = policy.unwrap_or_else(|| panic!("{}", found.render(false)));
    let module = Module::new(module);
    let decision = policy.decide(&caller(&["Sales"]), None, &list(Some(module.as_str())));
    let Decision::Permit(plan) = decision else {
        panic!("denied")
    };
    let records = plan.records(&module);
    let is_unwritten = |field: &&&str| records.field(field).writable == Writable::No;
    fields
        .iter()
        .filter(is_unwritten)
        .map(|field| (**field).to_owned())
        .collect()
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn nobody_writes_what_makes_an_administrator_or_changes_a_password() {
    let rights = [
        "is_admin",
        "status",
        "employee_status",
        "portal_only",
        "is_group",
        "user_hash",
        "system_generated_password",
        "pwd_last_changed",
        "external_auth_only",
        "UserType",
        "IS_ADMIN",
    ];
    for schema in crate::dialect::NAMES {
        for module in ["Users", "Employees"] {
            let all: Vec<&str> = rights
                .into_iter()
                .filter(|name| *name != "IS_ADMIN")
                .chain(["title", "department"])
                .collect();
            let found = unwritten(stock(schema), module, &all);
            // `Employees` of one dialect are copies of `Users`, which this policy does not know.
            assert!(
                found.starts_with(&owned(&all[..all.len() - 2])),
                "{schema}, {module}: {found:?}"
            );
            if module == "Users" {
                assert_eq!(found.len(), all.len() - 2, "{schema}");
            }
            assert_eq!(
                unwritten(stock(schema), module, &["IS_ADMIN"]),
                ["IS_ADMIN"]
            );
        }
        // Of others than accounts the same names say something else.
        let found = unwritten(
            stock(schema),
            "Leads",
            &["status", "is_admin_c", "portal_password_c"],
        );
        assert_eq!(found, ["portal_password_c"], "{schema}");
    }
}

#[test]
fn of_a_described_api_nobody_writes_what_its_questions_and_names_tell() {
    let staff = "  - { route: 'PUT /staff/{id}', module: staff, action: update, records: $ }\n";
    let kontor = described(staff);
    // Told by the question: the kind of the account. By name: the rest.
    let found = unwritten(
        kontor.clone(),
        "staff",
        &[
            "kind", "isAdmin", "rolesIds", "password", "locked", "login", "title", "email",
        ],
    );
    assert_eq!(found, ["kind", "isAdmin", "rolesIds", "password", "locked"]);
    let fields = ["kind", "locked", "isAdmin", "pass", "title"];
    assert_eq!(unwritten(kontor, "clients", &fields), ["isAdmin", "pass"]);
    let example = |name: &str, text: &str| -> Arc<Schema> {
        let (described, found) = Described::read(name, text);
        let described = described.unwrap_or_else(|| panic!("{}", found.render(false)));
        described.schema().clone()
    };
    let espo = example(
        "espocrm.yaml",
        include_str!("../../../examples/espocrm/espocrm.yaml"),
    );
    let found = unwritten(
        espo,
        "User",
        &[
            "type",
            "isActive",
            "rolesIds",
            "rolesNames",
            "portalRolesIds",
            "teamsIds",
            "defaultTeamId",
            "authMethod",
            "apiKey",
            "password",
            "isSuperAdmin",
            "auth2FA",
            "title",
            "phoneNumber",
        ],
    );
    assert_eq!(found.len(), 12, "{found:?}");
    assert!(
        !found
            .iter()
            .any(|field| field == "title" || field == "phoneNumber")
    );
    let dolibarr = example(
        "dolibarr.yaml",
        include_str!("../../../examples/dolibarr/dolibarr.yaml"),
    );
    let found = unwritten(
        dolibarr.clone(),
        "users",
        &[
            "admin",
            "statut",
            "status",
            "entity",
            "pass",
            "pass_crypted",
            "api_key",
            "socid",
            "rights",
            "job",
            "firstname",
        ],
    );
    assert_eq!(found.len(), 9, "{found:?}");
    assert!(
        unwritten(
            dolibarr,
            "thirdparties",
            &["status", "entity", "name_alias"]
        )
        .is_empty()
    );
}

/// The places at which classified fields of clients and staff pass unread in these routes, of which the first reads a
/// client.
fn unread(routes: &str, classes: &str) -> (Vec<String>, String) {
    let text = format!(
        "policy: p
roles: {{ sales: {{ from: {{ crm.role: Sales }}, default_purpose: contract }} }}
purposes: {{ contract: {{ legal_basis: contract, roles: sales }} }}
classify:
  '*': {{ '*iban*': financial.iban, id: technical.id }}
  clients: {{ city: contact.address, total: commercial.figures, type: commercial.source{classes} }}
  staff: {{ login: identity.name }}
grants: [{{ name: base, roles: sales, data: [contact, technical], level: clear }}]
"
    );
    let source = Source {
        path: "policy.yaml".to_owned(),
        text,
    };
    let (policy, found) = Policy::compile(&[source], &[described(routes)], &[0; 32]);
    assert!(policy.is_some(), "{}", found.render(false));
    (of(&found, "W113"), found.render(false))
}

/// The same for one route, which reads clients.
fn unread_in(route: &str, classes: &str) -> Vec<String> {
    let method = if route.contains("create") {
        "POST"
    } else {
        "GET"
    };
    unread(
        &format!("  - {{ route: {method} /c, module: clients, {route} }}\n"),
        classes,
    )
    .0
}

#[test]
fn a_classified_field_that_a_description_lets_pass_unread_is_told() {
    let (city, address) = ("city` of clients", "contact.address");
    for (route, field, category) in [
        // Within a record, at any depth.
        (
            "action: read, records: $.data, pass: [$.data.City]",
            city,
            address,
        ),
        (
            "action: read, records: $.data, opaque: [$.data.city]",
            city,
            address,
        ),
        (
            "action: read, records: $.data, pass: [$.data.more.city.name]",
            city,
            address,
        ),
        (
            "action: read, records: $.data, under: attributes, pass: [$.data.attributes.city]",
            city,
            address,
        ),
        (
            "action: read, records: $.data, pass: [$.data.has_iban]",
            "has_iban` of clients",
            "financial.iban",
        ),
        (
            "action: read, records: $.data, related: { $.data.by: staff }, pass: [$.data.by.login, $.data.by.city]",
            "login` of staff",
            "identity.name",
        ),
        // In a list beside the records, and where no records are named.
        (
            "action: list, records: '$.data[*]', pass: ['$.more[*].city']",
            city,
            address,
        ),
        (
            "action: create, pass: [$.total]",
            "total` of clients",
            "commercial.figures",
        ),
    ] {
        let expected = format!("16: `{field} passes unread, whatever a rule says of {category}");
        assert_eq!(unread_in(route, ""), [expected], "{route}");
    }
}

#[test]
fn what_is_no_classified_field_of_a_record_passes_without_a_warning() {
    let flag = ", has_iban: { category: technical.id, instead_of: financial.iban, reviewed: { by: a@b.eu, on: 2026-11-02, why: a flag } }";
    for (route, classes) in [
        (
            "action: read, records: $.data, pass: [$.data.rating, $.data.id, $.data.login]",
            "",
        ),
        (
            "action: read, records: $.data, pass: [$.data.has_iban]",
            flag,
        ),
        ("action: read, records: $.data, drop: [$.data.city]", ""),
        // Counts, and what the form of the API needs.
        (
            "action: list, records: '$.data[*]', pass: [$.total, $.meta.total]",
            "",
        ),
        ("action: count, pass: [$.total]", ""),
        (
            "action: read, records: $.data, under: attributes, beside: [type]",
            "",
        ),
    ] {
        assert!(unread_in(route, classes).is_empty(), "{route}");
    }
}

#[test]
fn a_place_of_a_description_is_told_once_with_the_entry_that_classifies() {
    let route = "  - { route: ['GET /all/{module}', 'GET /every/{module}'], action: read, records: $, pass: [$.city_iban] }\n";
    let (found, text) = unread(route, "");
    assert_eq!(found.len(), 1, "{text}");
    for part in [
        "`city_iban` of staff passes unread, whatever a rule says of financial.iban",
        "kontor.yaml:16:",
        "the description lets it pass",
        "classified as financial.iban",
        "take it out of `pass` or `opaque`",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn the_document_explains_every_code() {
    let document = include_str!("../../../docs/policy.md");
    let rows: Vec<&str> = document
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .collect();
    for (code, meaning) in CODES.iter().chain(crate::diagnostic::CODES) {
        let row = format!("{code} | {meaning}");
        assert!(rows.contains(&row.as_str()), "{row}");
    }
}
