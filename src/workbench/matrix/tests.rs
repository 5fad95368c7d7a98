use super::*;

#[test]
fn a_cell_that_a_spreadsheet_would_compute_is_text() {
    assert_eq!(
        csv_line(&[
            "=1+2",
            "+x",
            "-y",
            "@z",
            "a,b",
            "say \"no\"",
            "plain",
            "",
            "x;=1",
            " =1"
        ]),
        "\"'=1+2\",\"'+x\",\"'-y\",\"'@z\",\"a,b\",\"say \"\"no\"\"\",plain,,\"x;'=1\",\"' =1\"\r\n"
    );
}

fn policy() -> Policy {
    let schemas: Vec<_> = crate::dialect::NAMES
        .iter()
        .filter_map(|name| crate::dialect::by_name(name))
        .map(|dialect| dialect.schema().clone())
        .collect();
    let text = r#"
policy: "p"
roles:
  sales: { from: { crm.role: S }, default_purpose: contract }
  finance: { from: { crm.role: F }, default_purpose: payment }
auth: { strong: { acr: phr } }
purposes:
  contract: { label: { en: "Managing <b> & more", fr: Gestion du contrat }, legal_basis: contract, roles: [sales, finance] }
  payment: { label: { fr: Paiement }, legal_basis: contract, roles: finance }
classify: { Contacts: { last_name: identity.name, iban_c: financial.iban } }
grants:
  - { name: names, roles: [sales, finance], data: identity.name, level: clear }
  - { name: part, roles: [sales, finance], data: financial.iban, level: mask }
  - { name: pay, roles: finance, purposes: payment, data: financial.iban, level: clear, requires: { auth: strong } }
"#;
    let source = crate::policy::Source {
        path: "p.yaml".to_owned(),
        text: text.to_owned(),
    };
    Policy::compile(&[source], &schemas, b"0123456789abcdef")
        .0
        .unwrap()
}

fn matrix(only: &[&str], language: Language) -> Matrix {
    let only: Vec<String> = only.iter().map(|name| (*name).to_owned()).collect();
    Matrix::of(&policy(), None, &only, language).unwrap()
}

#[test]
fn a_table_is_folded_and_has_strengths_only_where_they_show_more() {
    let matrix = matrix(&["identity.name", "financial.iban"], Language::Names);
    let table = matrix.to_table(100);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(
        lines[..4],
        [
            "                finance   finance  finance   sales",
            "                contract  payment  payment+  contract",
            "financial.iban  mask      mask     clear     mask",
            "identity.name   clear     clear    clear     clear",
        ]
    );
    assert_eq!(lines[4], "+ with this strength of authentication: strong");
    for width in [1, 30, 40] {
        let folded = matrix.to_table(width);
        let heads = folded.matches("identity.name").count();
        assert!(heads > 1, "{folded}");
        let is_row = |line: &&str| line.starts_with("identity") || line.starts_with("financial");
        let widest = folded
            .lines()
            .filter(is_row)
            .map(|line| line.chars().count())
            .max();
        assert!(width == 1 || widest.unwrap() <= width, "{folded}");
    }
}

#[test]
fn json_has_the_keys_that_are_promised() {
    let json = matrix(&["financial.iban"], Language::Names).to_json();
    let first = json[0].as_object().unwrap();
    let keys: Vec<&str> = first.keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "role", "purpose", "strength", "category", "level", "matched", "written", "by", "when"
        ]
    );
    let strong = json
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["strength"] == "strong" && entry["purpose"] == "payment");
    let strong = strong.unwrap();
    assert_eq!(
        (&strong["level"], &strong["matched"], &strong["by"]),
        (&"clear".into(), &"yes".into(), &json!(["pay"]))
    );
}

#[test]
fn a_page_is_escaped_and_holds_nothing_from_elsewhere() {
    let english = matrix(&["identity.name"], Language::English).to_html();
    assert!(
        english.contains("Managing &lt;b&gt; &amp; more"),
        "{english}"
    );
    // Where there is no label in the language, the other one stands.
    assert!(english.contains("Paiement"));
    for foreign in ["<script", "http:", "https:", "url(", "src=", "@import"] {
        assert!(!english.contains(foreign), "{foreign}");
    }
    let french = matrix(&["identity.name"], Language::French).to_html();
    for word in [
        "<html lang=\"fr\">",
        "Qui voit quoi",
        "Nom, prénom",
        "en clair",
        "Gestion du contrat",
        "Légende",
    ] {
        assert!(french.contains(word), "{word} in {french}");
    }
    for word in ["Legend", "Who sees", "clear<", "Category", "may be"] {
        assert!(!french.contains(word), "{word} in {french}");
    }
    let (opened, closed) = (
        french.matches("<tr>").count(),
        french.matches("</tr>").count(),
    );
    assert_eq!(opened, closed);
}

#[test]
fn fields_of_a_module_have_their_categories() {
    let matrix = Matrix::of(
        &policy(),
        Some(&Module::new("Contacts")),
        &["financial".to_owned()],
        Language::Names,
    )
    .unwrap();
    let table = matrix.to_table(200);
    assert!(table.contains("iban_c"), "{table}");
    assert!(!table.contains("last_name"), "{table}");
    let unknown = Matrix::of(
        &policy(),
        Some(&Module::new("Contact")),
        &[],
        Language::Names,
    )
    .unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "the policy has no module `Contact`; did you mean `Contacts`?"
    );
    let unknown =
        Matrix::of(&policy(), None, &["financal".to_owned()], Language::Names).unwrap_err();
    assert!(
        unknown
            .to_string()
            .starts_with("the policy has no category `financal`"),
        "{unknown}"
    );
}

#[test]
fn labels_mean_nothing_in_markdown() {
    for (label, escaped) in [
        ("identity.national_id", "identity.national_id"),
        ("_mark_", "\\_mark\\_"),
        ("a|b", "a\\|b"),
        ("[x](javascript:y)", "\\[x\\](javascript:y)"),
        ("<b>*c*", "\\<b\\>\\*c\\*"),
        ("\\", "\\\\"),
    ] {
        assert_eq!(escaped_markdown(label), escaped);
    }
}

#[test]
fn markdown_keeps_its_columns() {
    let text = matrix(&["identity.name"], Language::Names).to_markdown();
    let pipes: Vec<usize> = text
        .lines()
        .take(3)
        .map(|line| line.matches('|').count())
        .collect();
    assert!(pipes.iter().all(|count| *count == pipes[0]), "{text}");
}

#[test]
fn what_a_level_depends_on_stands_below_the_table_in_both_languages() {
    let text = "policy: p
roles: { sales: { from: { crm.role: S } } }
purposes: { work: { legal_basis: contract, roles: sales } }
classify: { Contacts: { iban_c: financial.iban, owner_c: technical.owner } }
rows: [{ name: east, modules: Contacts, keep_when: { record.owner_c: { equals: u1 } } }]
grants:
  - { name: part, roles: sales, data: financial.iban, level: mask }
  - { name: own, roles: sales, data: financial.iban, level: clear, when: { record.owner_c: { equals: { caller: id } } } }
";
    let source = crate::policy::Source {
        path: "p.yaml".to_owned(),
        text: text.to_owned(),
    };
    let schemas = [crate::dialect::by_name("sugar-rest")
        .unwrap()
        .schema()
        .clone()];
    let (policy, found) = Policy::compile(&[source], &schemas, b"0123456789abcdef");
    let policy = policy.unwrap_or_else(|| panic!("{}", found.render(false)));
    let only = ["financial.iban".to_owned()];
    let of = |language| Matrix::of(&policy, None, &only, language).unwrap();
    let english = of(Language::Names).to_table(100);
    for line in [
        "financial.iban  mask … clear (1)",
        "(1) clear where `own` holds; else mask",
        "Contacts: only records with { record.owner_c: { equals: u1 } } (rows.east): sales / work",
    ] {
        assert!(
            english.lines().any(|own| own == line),
            "{line} in {english}"
        );
    }
    let french = of(Language::French);
    for page in [french.to_html(), french.to_table(200)] {
        for words in [
            "partiel … en clair (1)",
            "sinon partiel",
            "seulement les fiches avec",
        ] {
            assert!(page.contains(words), "{words} in {page}");
        }
    }
    let markdown = of(Language::Names).to_markdown();
    assert!(markdown.contains("mask … clear (1)"), "{markdown}");
    let csv = of(Language::Names).to_csv();
    assert!(csv.contains("clear where `own` holds; else mask"), "{csv}");
    let json = of(Language::Names).to_json();
    let when = json!([{ "level": "clear", "when": ["where `own` holds"] }, { "level": "mask", "when": [] }]);
    assert_eq!(json[0]["when"], when);
    // By records of their own nobody can match.
    assert_eq!(json[0]["matched"], "no");
    assert_eq!(json[1]["records"], "Contacts");
}
