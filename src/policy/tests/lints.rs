//! Valid policies that disclose what nobody meant: each is told with its effect in words.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::dialect::engine::Described;
use crate::dialect::{Dialect, Schema};
use crate::policy::testing::stock;
use crate::policy::{Policy, Source};

/// A policy of three roles around some sections: it classifies what it grants, and nothing of it is odd.
const BASE: &str = "policy: p
roles:
  sales: { from: { crm.role: Sales }, default_purpose: contract }
  finance: { from: { crm.role: Finance }, default_purpose: payment }
  marketing: { from: { crm.role: Marketing }, default_purpose: mailing }
purposes:
  contract: { legal_basis: contract, roles: [sales, finance] }
  payment: { legal_basis: legal-obligation, roles: finance }
  mailing: { legal_basis: legitimate-interest, roles: marketing }
defaults: { purpose_order: [contract, payment, mailing] }
";
const CLASSES: &str = "classify:
  \"*\": { id: technical.id, \"*iban*\": financial.iban, description: free_text }
  Contacts: { first_name: identity.name, last_name: identity.name, health_notes_c: special.health }
  Accounts: { name: work.organisation, annual_revenue: commercial.figures }
";
const DETECTORS: &str =
    "detectors: [{ name: d, in: [free_text, work], find: [iban, card, nir] }]\n";
const GRANTS: &str = "grants:
  - { name: base, roles: [sales, finance, marketing], data: [technical, identity.name, work], level: clear }
  - { name: texts, roles: [sales, finance], data: free_text, level: clear }
  - { name: bank, roles: [sales, finance], data: financial, level: mask }
";
const CAPS: &str = "caps: [{ name: art9, data: [special, criminal], level: hide }]\n";

fn check(texts: &[&str], schemas: &[Arc<Schema>]) -> Diagnostics {
    let source = |(at, text): (usize, &&str)| Source {
        path: format!("p{at}.yaml"),
        text: (*text).to_owned(),
    };
    let sources: Vec<Source> = texts.iter().enumerate().map(source).collect();
    let today = jiff::civil::date(2026, 11, 28);
    let (policy, found) = Policy::compile_on(today, &sources, schemas, &[0; 32]);
    assert!(policy.is_some(), "{}", found.render(false));
    found
}

fn sugar() -> Vec<Arc<Schema>> {
    vec![stock("sugar-rest")]
}

/// What is told of the base with some parts replaced or added.
fn told(replaced: &[(&str, &str)], more: &str) -> Diagnostics {
    let mut text = [BASE, CLASSES, DETECTORS, GRANTS, CAPS].concat();
    for (good, bad) in replaced {
        assert!(text.contains(good), "{good}");
        text = text.replacen(good, bad, 1);
    }
    text.push_str(more);
    check(&[&text], &sugar())
}

fn codes(found: &Diagnostics) -> Vec<&'static str> {
    let warnings = found.iter().filter(|d| d.severity == Severity::Warning);
    warnings.map(|d| d.code).collect()
}

/// The one warning of a code.
fn one<'a>(found: &'a Diagnostics, code: &str) -> &'a Diagnostic {
    let all: Vec<&Diagnostic> = found.iter().filter(|d| d.code == code).collect();
    assert_eq!(all.len(), 1, "{code}: {}", found.render(false));
    all[0]
}

/// Asserts that a warning stands alone and says all of this.
fn says(found: &Diagnostics, code: &str, parts: &[&str]) {
    let text = found.render(false);
    assert_eq!(codes(found), [code], "{text}");
    let will_be = one(found, code).title.contains("will be an error");
    let expected = matches!(code, "W116" | "W119" | "W120");
    assert!(will_be || !expected, "{text}");
    for part in parts {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn the_base_of_these_tests_is_clean() {
    let found = told(&[], "");
    assert!(found.is_empty(), "{}", found.render(false));
}

#[test]
fn special_categories_in_clear_need_a_cap_that_says_to_whom() {
    let nurse = "  - { name: nurse, roles: sales, data: special.health, level: clear }\n";
    let open = |caps: &str| {
        told(
            &[
                ("  - { name: bank,", &format!("{nurse}  - {{ name: bank,")),
                (CAPS, caps),
            ],
            "",
        )
    };
    says(
        &open(""),
        "W115",
        &[
            "grant `nurse` shows `special.health` to `sales`",
            "Contacts.health_notes_c",
            "unless_roles: [sales]",
        ],
    );
    // A cap for others alone says nothing of whoever is shown it.
    let others = open("caps: [{ name: art9, data: special, level: hide, roles: marketing }]\n");
    assert_eq!(codes(&others), ["W115", "W124"]);
    let meant = open("caps: [{ name: art9, data: special, level: hide, unless_roles: sales }]\n");
    assert!(meant.is_empty(), "{}", meant.render(false));
    // Held down for everybody is another matter: the grant is idle.
    assert_eq!(codes(&open(CAPS)), ["W106"]);
    let criminal =
        "  - { name: court, roles: finance, data: criminal, level: clear }\n  - { name: bank,";
    says(
        &told(&[("  - { name: bank,", criminal), (CAPS, "")], ""),
        "W115",
        &["`criminal`", "`finance`"],
    );
}

#[test]
fn a_category_that_looks_like_art_9_lies_below_it() {
    for (name, right) in [
        ("health.notes", "special.health"),
        ("work.sante", "special.health"),
        ("hr.krankmeldung", "special.health"),
        ("personal.religion", "special.belief"),
        ("hr.gewerkschaft", "special.trade_union"),
        ("datos.salud", "special.health"),
        ("dati.etnia", "special.ethnic_origin"),
        ("hr.strafregister", "criminal"),
    ] {
        let own = format!("categories: {{ {name}: {{}} }}\n");
        let classes = format!("health_notes_c: special.health, x_c: {name}");
        let grant = format!("[technical, {name}, identity.name, work]");
        let found = told(
            &[
                ("health_notes_c: special.health", &classes),
                ("[technical, identity.name, work]", &grant),
            ],
            &own,
        );
        let shown = format!("looks like `{right}`");
        says(
            &found,
            "W116",
            &[
                &shown,
                "shown to `finance`, `marketing` and `sales`",
                "Contacts.x_c",
                "will be an error",
            ],
        );
    }
    for name in ["special.blood_type", "work.badge", "colleague.private"] {
        let found = told(&[], &format!("categories: {{ {name}: {{}} }}\n"));
        assert!(found.is_empty(), "{}", found.render(false));
    }
}

#[test]
fn a_wildcard_that_catches_what_speaks_of_something_else_is_told() {
    let wildcard = |entry: &str| told(&[("\"*iban*\"", &format!("{entry}, \"*iban*\""))], "");
    let found = wildcard("\"*\": work.position");
    let text = found.render(false);
    assert_eq!(codes(&found)[0], "W117", "{text}");
    for part in [
        "every field of every module",
        "`finance`, `marketing` and `sales`",
        "Contacts.birthdate",
        "Contacts.religion_c",
        "will be an error",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    for (entry, caught) in [
        ("\"*_c\": work.position", "Contacts.religion_c"),
        ("\"*date\": work.position", "Contacts.birthdate"),
        ("\"phone*\": work.position", "Accounts.phone_office"),
        ("\"*e*\": work.organisation", "Contacts.religion_c"),
    ] {
        let found = wildcard(entry);
        let warning = one(&found, "W117");
        let text = found.render(false);
        assert!(
            text.contains(caught) && text.contains("speak of something else"),
            "{entry}: {text}"
        );
        assert!(!warning.title.contains("will be an error"), "{text}");
    }
    for entry in [
        // What it catches is what it says, or nobody is shown it.
        "\"*phone*\": contact.phone",
        "\"*birth*\": identity.birth_date",
        "\"*\": special.health",
        "\"*_c\": special.belief",
        "\"*position*\": work.position",
    ] {
        let found = wildcard(entry);
        assert!(
            !codes(&found).contains(&"W117"),
            "{entry}: {}",
            found.render(false)
        );
    }
    // Within a module whose fields are all of one kind it may be meant.
    let found = told(
        &[(
            "  Accounts: {",
            "  Products: { \"*\": work.position }\n  Accounts: {",
        )],
        "",
    );
    let warning = one(&found, "W117");
    assert!(
        !warning.title.contains("will be an error")
            && warning.title.contains("every field of this module")
    );
}

#[test]
fn texts_in_clear_need_detectors_for_what_is_not_clear() {
    let found = told(&[(DETECTORS, "")], "");
    let text = found.render(false);
    assert_eq!(codes(&found), ["W118"], "{text}");
    for part in [
        "texts of `free_text` are shown in clear to `finance` and `sales`",
        "`card`, `iban` and `nir`",
        "Contacts.description",
        "in: [free_text], find: [card, iban, nir]",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // One kind that is not looked for is told alone.
    let found = told(&[("find: [iban, card, nir]", "find: [card, nir]")], "");
    says(&found, "W118", &["no detector looks for `iban`"]);
    // Whoever is shown every IBAN learns nothing from a text.
    let clear = (
        "data: financial, level: mask",
        "data: financial, level: clear",
    );
    let found = told(&[("find: [iban, card, nir]", "find: [nir]"), clear], "");
    assert!(found.is_empty(), "{}", found.render(false));
    // Nobody sees the texts.
    let found = told(
        &[
            (DETECTORS, ""),
            (
                "data: free_text, level: clear",
                "data: contact, level: clear",
            ),
        ],
        "",
    );
    assert!(found.is_empty(), "{}", found.render(false));
}

#[test]
fn a_detector_looks_where_texts_are() {
    for within in [
        "technical",
        "financial",
        "[commercial.figures, technical.id]",
        "identity.birth_date",
    ] {
        let more = format!("}}, {{ name: e, in: {within}, find: iban }}]\n");
        let found = told(&[(DETECTORS, &DETECTORS.replace("}]\n", &more))], "");
        says(&found, "W119", &["where no text is", "will be an error"]);
    }
    let other = DETECTORS.replace("}]\n", "}, { name: e, in: contact.address, find: iban }]\n");
    let found = told(&[(DETECTORS, &other)], "");
    assert_eq!(codes(&found), ["W119"]);
    assert!(found.render(false).contains("no field is classified so"));
}

#[test]
fn a_subject_that_people_type_is_a_text() {
    let all = (
        "description: free_text }",
        "description: free_text, name: work.organisation }",
    );
    let cases = (
        "  Accounts: {",
        "  Cases: {}\n  Tasks: { name: work.organisation }\n  Accounts: {",
    );
    let detectors = (
        DETECTORS,
        "detectors: [{ name: d, in: free_text, find: [iban, card, nir] }]\n",
    );
    let found = told(&[all, cases, detectors], "");
    says(
        &found,
        "W118",
        &[
            "texts of `work.organisation` are shown in clear",
            "`Cases.name` and `Tasks.name`",
            "`marketing`",
        ],
    );
    // With a detector, or where it is no text, there is nothing to tell.
    let found = told(&[all, cases], "");
    assert!(found.is_empty(), "{}", found.render(false));
    let found = told(&[all, detectors], "");
    assert!(found.is_empty(), "{}", found.render(false));
}

#[test]
fn of_a_described_api_names_for_all_modules_and_names_that_say_text_are_texts() {
    let text = include_str!("../../../examples/espocrm/espocrm.yaml");
    let espo = Described::read("espocrm.yaml", text).0.unwrap();
    let espo = espo.schema().clone();
    let policy = |all: &str, account: &str| {
        let classes = format!(
            "classify:\n  \"*\": {{ id: technical.id{all} }}\n  Account: {{ {account} }}\n  Case: {{}}\n  Contact: {{ firstName: identity.name }}\n"
        );
        let text = [BASE, &classes, GRANTS, CAPS]
            .concat()
            .replace("data: free_text", "data: contact");
        codes(&check(&[&text], std::slice::from_ref(&espo)))
    };
    assert_eq!(policy(", name: work.organisation", ""), ["W118"]);
    assert_eq!(policy("", "name: work.organisation"), Vec::<&str>::new());
    assert_eq!(policy("", "description: work.organisation"), ["W118"]);
}

#[test]
fn a_mask_that_shows_too_much_is_told_with_what_is_left() {
    for (category, mask, part) in [
        (
            "financial.iban",
            "{ last: 13 }",
            "about 10,000 possibilities are left",
        ),
        ("financial.iban", "{ first: 14 }", "possibilities are left"),
        ("financial.iban", "{ last: 8 }", "at most 7"),
        (
            "financial.card",
            "{ last: 9 }",
            "hardly more than one possibility is left",
        ),
        ("financial.bic", "{ last: 4 }", "at most 3"),
        (
            "identity.national_id",
            "{ last: 10 }",
            "possibilities are left",
        ),
        (
            "commercial.figures",
            "{ round: 1 }",
            "one possibility is left",
        ),
        (
            "commercial.figures",
            "{ round: 50 }",
            "50 possibilities are left",
        ),
        ("contact.phone", "{ last: 8 }", "2 possibilities are left"),
        (
            "identity.birth_date",
            "{ last: 4 }",
            "about 100 possibilities are left",
        ),
        ("hr.salary", "{ round: 10 }", "10 possibilities are left"),
        ("payment.iban_old", "{ last: 12 }", "possibilities are left"),
    ] {
        let found = told(
            &[],
            &format!("categories: {{ {category}: {{ mask: {mask} }} }}\n"),
        );
        let name = format!("the mask of `{category}` shows too much");
        says(&found, "W120", &[&name, part, "will be an error"]);
    }
    let found = told(
        &[],
        "categories: { financial.iban: { mask: { last: 13 } } }\n",
    );
    says(
        &found,
        "W120",
        &["shown to `finance` and `sales`", "`*iban*`"],
    );
    for (category, mask) in [
        ("financial.iban", "iban"),
        ("financial.iban", "{ last: 4 }"),
        ("financial.bic", "bic"),
        ("commercial.figures", "{ round: 1000 }"),
        ("contact.phone", "{ last: 2 }"),
        ("identity.birth_date", "{ date: \"YYYY-01-01\" }"),
        ("identity.name", "{ first: 1 }"),
        ("work.badge", "{ last: 4 }"),
        ("work.badge", "{ constant: \"…\" }"),
    ] {
        let found = told(
            &[],
            &format!("categories: {{ {category}: {{ mask: {mask} }} }}\n"),
        );
        assert!(found.is_empty(), "{}", found.render(false));
    }
}

#[test]
fn what_the_section_of_all_modules_shows_of_colleagues_is_told() {
    let phones = (
        "description: free_text }",
        "description: free_text, \"*phone*\": contact.phone, email: contact.email }",
    );
    let contact = (
        "data: [technical, identity.name, work]",
        "data: [technical, identity.name, work, contact]",
    );
    let users = |own: &str| {
        told(
            &[
                phones,
                contact,
                (
                    "  Accounts: {",
                    &format!("  Users: {{ {own} }}\n  Accounts: {{"),
                ),
            ],
            "",
        )
    };
    says(
        &users("first_name: identity.name"),
        "W121",
        &[
            "section `\"*\"` reaches Users",
            "`phone_home`",
            "`email`",
            "`finance`, `marketing` and `sales`",
            "colleague.private",
        ],
    );
    let own = "categories: { work.colleague: {}, colleague.private: {} }\n";
    let text = [BASE, CLASSES, DETECTORS, GRANTS, CAPS, own].concat();
    let text = text.replacen(phones.0, phones.1, 1).replacen(contact.0, contact.1, 1).replacen(
        "  Accounts: {",
        "  Users: { email: work.colleague, \"*phone*\": colleague.private, description: colleague.private }\n  Accounts: {",
        1,
    );
    let found = check(&[&text], &sugar());
    assert!(found.is_empty(), "{}", found.render(false));
}

#[test]
fn a_role_of_nearly_everybody_that_gives_more_than_others_is_told() {
    let finance = |from: &str| {
        told(
            &[(
                "finance: { from: { crm.role: Finance }",
                &format!("finance: {{ from: {{ {from} }}"),
            )],
            "",
        )
    };
    for from in [
        "crm.type: user",
        "crm.type: [user, admin]",
        "crm.type: User",
        "crm.type: regular",
    ] {
        says(
            &finance(from),
            "W122",
            &[
                "nearly every account of the CRM has role `finance`",
                "`free_text`",
                "`marketing`",
            ],
        );
    }
    for from in [
        "crm.type: admin",
        "crm.type: user, crm.role: Finance",
        "crm.user: fanny",
    ] {
        let found = finance(from);
        assert!(
            !codes(&found).contains(&"W122"),
            "{from}: {}",
            found.render(false)
        );
    }
    // A role that everybody has and that gives no more than each other role is meant.
    let everybody = (
        "  marketing: { from: { crm.role: Marketing }",
        "  marketing: { from: { crm.type: user }",
    );
    let found = told(&[everybody], "");
    assert!(found.is_empty(), "{}", found.render(false));
}

#[test]
fn a_search_that_lists_less_than_the_crm_searches_is_told() {
    let found = told(&[], "search: { Contacts: [first_name, last_name] }\n");
    says(
        &found,
        "W123",
        &[
            "the CRM's search of Contacts looks into",
            "`phone_mobile`",
            "`description`",
            "not shown all of it",
        ],
    );
    let all = "search: { Contacts: [first_name, last_name, description, email1, phone_home, phone_mobile, phone_work, phone_other, phone_fax, primary_address_street, alt_address_street] }\n";
    let found = told(&[], all);
    assert!(!codes(&found).contains(&"W123"), "{}", found.render(false));
    // Of several CRMs the one counts that the list fits best.
    let suite = "search: { Contacts: [first_name, last_name, phone_home, phone_mobile, phone_work, phone_other, email1] }\n";
    let text = [BASE, CLASSES, DETECTORS, GRANTS, CAPS, suite].concat();
    let both = vec![stock("sugar-rest"), stock("sugar-v4")];
    let found = check(&[&text], &both);
    assert!(!codes(&found).contains(&"W123"), "{}", found.render(false));
}

#[test]
fn a_cap_that_another_purpose_escapes_is_told() {
    let capped = |cap: &str| {
        told(
            &[(
                CAPS,
                &format!(
                    "caps: [{{ name: art9, data: [special, criminal], level: hide }}, {{ name: c, {cap} }}]\n"
                ),
            )],
            "",
        )
    };
    says(
        &capped("data: financial, level: redact, roles: marketing"),
        "W124",
        &[
            "cap `c` is escaped",
            "`finance` and `marketing`",
            "financial.iban at level `mask`",
            "naming purpose `contract`",
            "`*iban*`",
        ],
    );
    // Whom it is for may invoke all purposes of the others.
    let found = capped("data: financial, level: redact, roles: finance");
    assert!(found.is_empty(), "{}", found.render(false));
    // Nothing more is granted to others.
    let found = capped("data: contact, level: redact, roles: marketing");
    assert!(found.is_empty(), "{}", found.render(false));
    // The same role, for a purpose that the cap leaves out.
    says(
        &capped("data: free_text, level: redact, roles: finance, purposes: contract"),
        "W124",
        &["`finance` is shown free_text in clear by naming purpose `payment`"],
    );
    let by_purpose = (
        "roles: [sales, finance], data: free_text",
        "roles: [sales, finance], purposes: [contract, payment], data: free_text",
    );
    let caps = "caps: [{ name: art9, data: [special, criminal], level: hide }, { name: c, data: free_text, level: redact, purposes: contract }]\n";
    let found = told(&[by_purpose, (CAPS, caps)], "");
    assert!(found.is_empty(), "{}", found.render(false));
    for cap in [
        "data: financial, level: redact",
        "data: financial, level: redact, unless_roles: sales",
    ] {
        let found = capped(cap);
        assert!(
            !codes(&found).contains(&"W124"),
            "{cap}: {}",
            found.render(false)
        );
    }
}

#[test]
fn rows_and_limits_that_another_purpose_escapes_are_told() {
    let row = |whom: &str| {
        format!(
            "rows: [ {{ name: r, modules: Contacts, {whom}, keep_when: {{ record.health_notes_c: {{ equals: x }} }} }} ]\n"
        )
    };
    let limit = |whom: &str| {
        format!("limits: [ {{ name: l, {whom}, count: records, max: 5/h, then: block }} ]\n")
    };
    for section in [&row as &dyn Fn(&str) -> String, &limit] {
        let found = told(&[], &section("roles: finance, purposes: contract"));
        says(
            &found,
            "W124",
            &["is escaped", "`finance`", "naming purpose `payment`"],
        );
        let found = told(&[], &section("roles: sales"));
        says(
            &found,
            "W124",
            &["somebody with", "`sales`", "by naming purpose"],
        );
        for whom in ["roles: [sales, finance, marketing]", "unless_roles: sales"] {
            let found = told(&[], &section(whom));
            assert!(
                !codes(&found).contains(&"W124"),
                "{whom}: {}",
                found.render(false)
            );
        }
    }
}

#[test]
fn exceptions_one_behind_the_other_are_told() {
    let exceptions = |second: &str| {
        let one = |name: &str, roles: &str, days: &str| {
            format!(
                "  - {{ name: {name}, lifts: art9, roles: {roles}, {days}, ticket: T, approved_by: [a@example.com, b@example.com], why: x }}\n"
            )
        };
        let text = one("e", "finance", "from: 2026-12-01, until: 2026-12-30") + second;
        told(&[], &format!("exceptions:\n{text}"))
    };
    let behind = |roles: &str, days: &str| {
        exceptions(&format!(
            "  - {{ name: f, lifts: art9, roles: {roles}, {days}, ticket: T, approved_by: [a@example.com, b@example.com], why: x }}\n"
        ))
    };
    says(
        &behind("finance", "from: 2026-12-31, until: 2027-01-01"),
        "W144",
        &["cap `art9`", "`finance`", "32 days"],
    );
    for (roles, days) in [
        ("finance", "from: 2026-12-15, until: 2026-12-30"),
        ("sales", "from: 2026-12-31, until: 2027-01-01"),
    ] {
        let found = behind(roles, days);
        assert!(!codes(&found).contains(&"W144"), "{}", found.render(false));
    }
}

#[test]
fn a_module_that_the_crm_does_not_have_is_told() {
    let with = |module: &str| {
        (
            "  Accounts: {".to_owned(),
            format!("  {module}: {{}}\n  Accounts: {{"),
        )
    };
    let all: Vec<Arc<Schema>> = crate::dialect::NAMES
        .iter()
        .map(|name| stock(name))
        .collect();
    for schemas in [sugar(), all.clone()] {
        let of = |module: &str| {
            let (good, bad) = with(module);
            let text = [BASE, CLASSES, DETECTORS, GRANTS, CAPS]
                .concat()
                .replacen(&good, &bad, 1);
            check(&[&text], &schemas)
        };
        for (module, near) in [
            ("Contcats", Some("`Contacts`")),
            ("contacts", Some("`Contacts`")),
            ("Klienten", None),
        ] {
            let found = of(module);
            says(&found, "W125", &[&format!("a module `{module}`")]);
            assert!(near.is_none_or(|near| found.render(false).contains(near)));
        }
        for module in ["Quotes", "acme_Boats", "AOS_Quotes"] {
            assert!(of(module).is_empty(), "{module}");
        }
    }
    // Alone, a slip of the pen is told, and what looks like another CRM is only noted.
    let only = |module: &str| {
        let classes = format!(
            "classify:\n  \"*\": {{ id: technical.id }}\n  {module}: {{ name: work.organisation }}\n"
        );
        let grants = GRANTS.replace("data: free_text", "data: contact");
        let text = [BASE, &classes, &grants, CAPS].concat();
        check(&[&text], &all)
    };
    assert_eq!(codes(&only("Contcats")), ["W125"]);
    for module in ["contacts", "Contact", "Opportunity", "thirdparties"] {
        let found = only(module);
        assert_eq!(codes(&found), Vec::<&str>::new(), "{}", found.render(false));
        assert_eq!(found.iter().next().unwrap().code, "N202");
    }
}

#[test]
fn a_review_of_tomorrow_may_be_and_one_of_later_is_told() {
    let on = |date: &str| {
        let entry = format!(
            "x_iban_c: {{ category: work.position, instead_of: financial.iban, reviewed: {{ by: a@b.eu, on: {date}, why: no IBAN }} }}, first_name: "
        );
        codes(&told(&[("first_name: ", &entry)], ""))
    };
    assert_eq!(on("2026-11-28"), Vec::<&str>::new());
    assert_eq!(on("2026-11-29"), Vec::<&str>::new());
    assert_eq!(on("2026-11-30"), ["W126"]);
    assert_eq!(on("2099-01-01"), ["W126"]);
}

#[test]
fn a_policy_that_classifies_or_grants_nothing_is_told_once() {
    for (text, parts) in [
        (
            "policy: p\n".to_owned(),
            &[
                "declares no role",
                "knows no module",
                "classifies no field",
                "grants nothing",
            ][..],
        ),
        (
            [BASE, CLASSES, DETECTORS, CAPS].concat(),
            &["grants nothing"],
        ),
        (
            format!(
                "{BASE}classify: {{ Contacts: {{}} }}\ngrants: [{{ name: g, roles: [sales, finance, marketing], data: work, level: clear }}]\n"
            ),
            &["classifies no field"],
        ),
        (
            format!(
                "{BASE}classify: {{ \"*\": {{ id: technical.id }} }}\ngrants: [{{ name: g, roles: [sales, finance, marketing], data: work, level: clear }}]\n"
            ),
            &["knows no module"],
        ),
    ] {
        let found = check(&[&text], &sugar());
        says(&found, "W127", parts);
    }
}
