use proptest::prelude::*;

use super::*;
use crate::diagnostic::{Diagnostics, File};
use crate::dialect::by_name;

fn stock(dialect: &str) -> Arc<Schema> {
    by_name(dialect).unwrap().schema().clone()
}

/// A schema with what a file says beside it, and everything that is wrong with the file.
fn read(text: &str) -> (Option<Arc<Schema>>, Diagnostics) {
    let mut found = Diagnostics::new();
    let file = SchemaFile::read(&File::new("schema.yaml", text), &mut found);
    let schema = file.map(|file| file.add_to(&stock("sugar-rest"), &mut found));
    (schema, found)
}

fn codes_of(text: &str) -> Vec<(String, usize)> {
    let (_, found) = read(text);
    let of = |problem: &crate::diagnostic::Diagnostic| {
        let line = problem
            .place
            .as_ref()
            .map_or(0, crate::diagnostic::Place::line);
        (problem.code.to_owned(), line)
    };
    found.iter().map(of).collect()
}

fn contacts() -> Module {
    Module::new("Contacts")
}

const GOOD: &str = "schema: sugar-rest
modules:
  Contacts:
    fields:
      shoe_size_c: int
      skipper_name: { type: relate, copies: acme_Boats.name }
      both_c: { copies: [Accounts.name, Contacts.last_name] }
      pin_c: { secret: true }
      \"2nd_c\": {}
    links:
      boats: acme_Boats
      crew: { relationship: boats_contacts }
  acme_Boats: { table: boats }
";

#[test]
fn a_schema_file_says_fields_links_copies_and_secrets() {
    let (schema, found) = read(GOOD);
    assert!(found.is_empty(), "{}", found.render(false));
    let schema = schema.unwrap();
    let origin = |field| schema.origin(&contacts(), field);
    assert_eq!(origin("Shoe_Size_C"), Origin::Own);
    assert_eq!(origin("PIN_c"), Origin::Secret);
    let copy = |paths: &[(&str, &str)]| Origin::Copy {
        of: paths
            .iter()
            .map(|(module, field)| FieldPath::new(&Module::new(module), field))
            .collect(),
        perhaps: Vec::new(),
    };
    assert_eq!(origin("skipper_name"), copy(&[("acme_Boats", "name")]));
    assert_eq!(
        origin("both_c"),
        copy(&[("Accounts", "name"), ("Contacts", "last_name")])
    );
    assert_eq!(origin("boats"), Origin::Related(Module::new("acme_Boats")));
    assert!(schema.has_field(&contacts(), "2nd_c"));
    assert!(schema.modules().contains(&Module::new("acme_Boats")));
}

#[test]
fn every_mistake_of_a_schema_file_is_told_with_its_place() {
    for (text, codes) in [
        ("schema: sugar-rest\nmodules: {}\n", vec![("S101", 2)]),
        (
            "schema: sugar-v4\nmodules: { Contacts: {} }\n",
            vec![("S003", 1)],
        ),
        ("modules: { Contacts: {} }\n", vec![("Y011", 1)]),
        (
            "schema: sugar-rest\nmodules:\n  Contacts:\n    fields:\n      a b: int\n      c_c: { typ: int }\n    links:\n      d: Nowhere\n",
            vec![("S002", 5), ("Y010", 6)],
        ),
        (
            "schema: sugar-rest\nmodules:\n  Contacts:\n    fields:\n      c_c: { copies: Nowhere.name }\n    links:\n      d: Elsewhere\n",
            vec![("S004", 5), ("S004", 7)],
        ),
        (
            "schema: sugar-rest\nmodules:\n  Contacts:\n    fields:\n      c_c: { copies: name }\n      d_c: { copies: Contacts.name, secret: true }\n      e_c: int\n      E_C: int\n    links:\n      e_c: Accounts\n",
            vec![("S002", 5), ("S006", 6), ("S006", 8), ("S006", 10)],
        ),
        (
            // What the stock knows stands: a link, a copy, a secret, a field of its own.
            "schema: sugar-rest\nmodules:\n  Contacts:\n    fields:\n      full_name: { copies: Accounts.name }\n      portal_password: varchar\n      phone_home: { copies: Accounts.name }\n    links:\n      accounts: Leads\n",
            vec![("S005", 5), ("S005", 6), ("S005", 7), ("S005", 9)],
        ),
        (
            "schema: sugar-rest\nmodules:\n  Contacts:\n    links:\n      d: {}\n",
            vec![("Y011", 5)],
        ),
        (
            "schema: sugar-rest\nmodules: [Contacts]\n",
            vec![("Y012", 2)],
        ),
    ] {
        let wanted: Vec<(String, usize)> = codes
            .into_iter()
            .map(|(code, line)| (code.to_owned(), line))
            .collect();
        let mut told = codes_of(text);
        told.sort_by_key(|(_, line)| *line);
        assert_eq!(told, wanted, "{text}\n{}", read(text).1.render(false));
    }
}

#[test]
fn the_document_explains_every_code() {
    let text = include_str!("../../../docs/schemas.md");
    for (code, meaning) in codes::CODES {
        let row = format!("| {code} | {meaning} |");
        assert!(text.contains(&row), "docs/schemas.md lacks: {row}");
    }
}

#[test]
fn the_same_knowledge_has_the_same_hash_however_it_came() {
    let (one, two) = (stock("sugar-rest"), stock("sugar-rest"));
    assert_eq!(one.hash(), two.hash());
    assert_ne!(one.hash(), stock("sugar-v4").hash());
    let (written, _) = read(GOOD);
    let written = written.unwrap();
    assert_ne!(written.hash(), one.hash());
    let (again, _) = read(&written.beside().to_yaml("sugar-rest"));
    assert_eq!(again.unwrap().hash(), written.hash());
}

#[test]
fn one_list_of_secrets_holds_for_every_dialect_module_and_spelling() {
    let described = crate::dialect::engine::Described::read(
        "espocrm.yaml",
        include_str!("../../../examples/espocrm/espocrm.yaml"),
    );
    let described = crate::dialect::Dialect::schema(&described.0.unwrap()).clone();
    for schema in [
        stock("sugar-rest"),
        stock("sugar-v4"),
        stock("suitecrm-v8"),
        described,
    ] {
        for (module, field) in [
            ("Users", "user_hash"),
            ("Employees", "USER_HASH"),
            ("Users", "Authenticate_ID"),
            ("Contacts", "portal_password"),
            ("Contacts", "Portal_Password1"),
            ("OAuth2Clients", "secret"),
            ("OAuth2Tokens", "access_token"),
            ("OAuthTokens", "verify"),
            ("Trackers", "session_id"),
            ("UserPreferences", "contents"),
            ("EmailAddresses", "confirm_opt_in_token"),
            ("OutboundEmailAccounts", "mail_smtppass"),
            ("Notes", "filecontents"),
            ("acme_Boats", "password"),
        ] {
            let origin = schema.origin(&Module::new(module), field);
            assert_eq!(
                origin,
                Origin::Secret,
                "{} {module}.{field}",
                schema.dialect()
            );
        }
        let contents = schema.origin(&Module::new("Documents"), "contents");
        assert_eq!(contents, Origin::Own, "{}", schema.dialect());
    }
}

#[test]
fn what_is_learned_is_bounded() {
    let mut said = Modules::default();
    for module in 0..=MODULES_MAX {
        let name = Module::new(&format!("m{module}"));
        let Some(known) = said.entry(&name) else {
            break;
        };
        let names = if module == 0 { NAMES_MAX + 1 } else { 60 };
        for field in 0..names {
            let field = Field::fold(&format!("f{field}"));
            known.fields.insert(field, own(None));
        }
    }
    let (schema, merged) = stock("sugar-rest").and(said);
    assert_eq!(schema.beside().len(), NAMES_TOTAL_MAX);
    assert!(merged.left_out > 0);
    let first = schema.beside().get(&Module::new("m0")).unwrap();
    assert_eq!(first.fields.len(), NAMES_MAX);
}

fn said(dialect: &str, module: Option<&str>, text: &str) -> Modules {
    let module = module.map(Module::new);
    let dialect = by_name(dialect).unwrap();
    dialect.described(module.as_ref(), text.as_bytes()).unwrap()
}

#[test]
fn a_link_in_another_case_redirects_nothing() {
    let (schema, found) = read(
        "schema: sugar-rest\nmodules: { Contacts: { links: { boats: acme_Boats } }, acme_Boats: {}, acme_Public: {} }\n",
    );
    assert!(found.is_empty(), "{}", found.render(false));
    let schema = schema.unwrap();
    let answer =
        r#"{"modules":{"Contacts":{"fields":{"Boats":{"type":"link","module":"acme_Public"}}}}}"#;
    let (after, merged) = schema.and(said("sugar-rest", None, answer));
    assert_eq!((merged.links, merged.contradictions.len()), (0, 1));
    assert_eq!(
        after.origin(&contacts(), "boats"),
        Origin::Related(Module::new("acme_Boats"))
    );
}

#[test]
fn what_left_the_schema_file_is_not_kept_by_what_was_learned() {
    let text = "schema: sugar-rest\nmodules: { Contacts: { fields: { remark_c: { copies: Accounts.name } } } }\n";
    let configured = read(text).0.unwrap();
    let answer = r#"{"modules":{"Contacts":{"fields":{"shoe_c":{"type":"int"},"remark_c":{"type":"text"}}}}}"#;
    let (grown, _) = configured.and(said("sugar-rest", None, answer));
    let learned = grown.beside().without(configured.beside());
    let fields: Vec<&str> = learned
        .get(&contacts())
        .unwrap()
        .fields
        .keys()
        .map(Field::as_str)
        .collect();
    assert_eq!(fields, ["shoe_c"]);
    assert_eq!(configured.and(learned).0.hash(), grown.hash());
}

#[test]
fn what_is_known_is_neither_written_nor_read_in_two_ways() {
    let text =
        "schema: suitecrm-v8\nmodules: { Contacts: { fields: { boats: { secret: true } } } }\n";
    let mut found = Diagnostics::new();
    let file = SchemaFile::read(&File::new("schema.yaml", text), &mut found).unwrap();
    let schema = file.add_to(&stock("suitecrm-v8"), &mut found);
    let answer = r#"{"data":{"attributes":{"boats":{"type":"link","relationship":"r"},"accounts":{"type":"link","relationship":"s"}}}}"#;
    let (schema, merged) = schema.and(said("suitecrm-v8", Some("Contacts"), answer));
    assert_eq!(merged.contradictions.len(), 1);
    let text = schema.beside().to_yaml("suitecrm-v8");
    let again = SchemaFile::read(&File::new("learned.yaml", text.as_str()), &mut found);
    assert!(again.is_some(), "{text}\n{}", found.render(false));
}

fn own(kind: Option<&str>) -> FieldSchema {
    FieldSchema {
        kind: kind.map(str::to_owned),
        holds: Holds::Own,
    }
}

prop_compose! {
    /// A few names, so that things meet: some of the stock, some not, some secrets.
    fn name()(name in prop::sample::select(vec![
        "a_c", "b_c", "c_c", "full_name", "phone_home", "user_hash", "accounts", "boats", "parent_name", "y", "2nd", "null",
    ])) -> String {
        name.to_owned()
    }
}

fn module() -> impl Strategy<Value = Module> {
    prop::sample::select(vec!["Contacts", "Accounts", "acme_Boats", "Users"]).prop_map(Module::new)
}

fn holds() -> impl Strategy<Value = Holds> {
    let path = (module(), name()).prop_map(|(module, field)| FieldPath::new(&module, &field));
    prop_oneof![
        3 => Just(Holds::Own),
        2 => prop::collection::vec(path, 1..3).prop_map(Holds::Copy),
        1 => Just(Holds::Secret),
    ]
}

fn field() -> impl Strategy<Value = FieldSchema> {
    (prop::option::of(name()), holds()).prop_map(|(kind, holds)| FieldSchema { kind, holds })
}

fn link() -> impl Strategy<Value = LinkSchema> {
    let known = (name(), prop::option::of(module()), prop::option::of(name()));
    known.prop_map(|(name, target, relationship)| LinkSchema {
        // Two CRMs may write a name in two cases.
        name: if target.is_some() {
            name.to_uppercase()
        } else {
            name
        },
        target,
        relationship,
    })
}

fn modules() -> impl Strategy<Value = Modules> {
    let known = (
        prop::option::of(name()),
        prop::collection::btree_map(name().prop_map(|name| Field::fold(&name)), field(), 0..5),
        prop::collection::vec(link(), 0..4),
    );
    let known = known.prop_map(|(table, fields, links)| ModuleSchema {
        table,
        fields,
        links: links
            .into_iter()
            .map(|link| (Field::fold(&link.name), link))
            .collect(),
    });
    prop::collection::btree_map(module(), known, 0..4).prop_map(Modules)
}

/// What a reader of a schema can be shown of a field, from most to least protected.
fn protection(origin: &Origin) -> u8 {
    match origin {
        Origin::Secret => 0,
        Origin::UnknownRelated => 1,
        _ => 2,
    }
}

proptest! {
    #[test]
    fn what_is_known_is_never_dropped_nor_redirected(
        dialect in prop::sample::select(crate::dialect::NAMES.to_vec()), first in modules(), second in modules(),
    ) {
        let (before, _) = stock(dialect).and(first);
        let (after, merged) = before.and(second.clone());
        for (module, known) in before.beside().iter() {
            let later = after.beside().get(module).unwrap();
            for (name, field) in &known.fields {
                let later = &later.fields[name];
                prop_assert!(later.holds == field.holds || later.holds == Holds::Secret);
                prop_assert!(field.kind.is_none() || later.kind == field.kind);
            }
            for (name, link) in &known.links {
                let later = &later.links[name];
                prop_assert!(link.target.is_none() || later.target == link.target);
            }
            prop_assert!(known.table.is_none() || later.table == known.table);
        }
        // Secrets stay secrets, copies stay copies of the same fields, links lead where they led.
        for module in ["Contacts", "Accounts", "acme_Boats", "Users"].map(Module::new) {
            for name in ["a_c", "b_c", "c_c", "full_name", "phone_home", "user_hash", "accounts", "boats"] {
                let (old, new) = (before.origin(&module, name), after.origin(&module, name));
                prop_assert!(protection(&new) <= protection(&old) || old == Origin::UnknownRelated);
                if let Origin::Copy { .. } | Origin::CopyItems { .. } = old {
                    prop_assert!(new == old || new == Origin::Secret);
                }
                let spelled = before.beside().link_named(&module, name).map(str::to_owned);
                if let Some(target) = spelled.and_then(|spelled| {
                    let target = before.beside().get(&module)?.links[name].target.clone()?;
                    Some((before.target(&module, &spelled).unwrap_or(target), spelled))
                }) {
                    prop_assert_eq!(after.target(&module, &target.1), Some(target.0));
                }
            }
        }
        // Saying it all again changes nothing.
        let (again, repeated) = after.and(second);
        prop_assert_eq!(again.hash(), after.hash());
        prop_assert!(!repeated.is_new());
        prop_assert_eq!(repeated.contradictions, merged.contradictions);
    }

    #[test]
    fn what_was_learned_is_read_again_as_it_was_written(
        dialect in prop::sample::select(crate::dialect::NAMES.to_vec()), said in modules(),
    ) {
        let (learned, _) = stock(dialect).and(said);
        let mut found = Diagnostics::new();
        let text = learned.beside().to_yaml(dialect);
        let file = SchemaFile::read(&File::new("learned.yaml", text.as_str()), &mut found);
        let file = file.and_then(|file| file.learned(&learned, &mut found));
        prop_assert!(file.is_some(), "{}\n{text}", found.render(false));
        let (again, _) = stock(dialect).and(file.unwrap());
        prop_assert_eq!(again.hash(), learned.hash(), "{}", text);
    }
}
