//! The bench, before each dialect, under the policies that are shipped.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};

use super::*;
use crate::dialect::by_name;
use crate::dialect::engine::Described;
use crate::policy::Source;
use crate::vocabulary::Field;

mod asking;

/// A CRM, a policy, and what the fields that tests look at are called there.
struct Stand {
    name: &'static str,
    dialect: Arc<dyn Dialect>,
    policy: Arc<Policy>,
    module: &'static str,
    id: &'static str,
    first_name: &'static str,
    title: &'static str,
    text: &'static str,
    iban: &'static str,
    religion: &'static str,
    nir: &'static str,
    sales: Person,
    pseudonyms: Person,
}

const IBAN: &str = "FR7630006000011234567890189";
const MASKED: &str = "FR76 •••• •••• •••• •••• •••0 189";

/// What the shipped policies leave to whoever uses them: what the CRM searches, and a grant of tokens.
fn beside(policy: &str, module: &str, searched: &str, evidence: &str) -> String {
    format!(
        "policy: {policy}\nroles: {{ analysts: {{ from: {evidence}, default_purpose: analysis }} }}\n\
         purposes: {{ analysis: {{ label: {{ en: Analysis }}, legal_basis: legitimate-interest, roles: [analysts] }} }}\n\
         grants:\n  - {{ name: pseudonyms, roles: analysts, data: [identity.name, financial.iban], level: token }}\n\
         search: {{ {module}: [{searched}] }}\n"
    )
}

fn compiled(folder: &str, beside: String, dialect: &Arc<dyn Dialect>) -> Arc<Policy> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut sources = Policy::read(&folder).unwrap();
    sources.push(Source {
        path: "beside.yaml".to_owned(),
        text: beside,
    });
    let (policy, found) = Policy::compile(&sources, &[dialect.schema().clone()], TOKEN_KEY);
    Arc::new(policy.unwrap_or_else(|| panic!("{}", found.render(false))))
}

fn described(path: &str) -> Arc<dyn Dialect> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let (described, found) = Described::load(&path);
    Arc::new(described.unwrap_or_else(|| panic!("{}", found.render(false))))
}

fn role(name: &str) -> Person {
    Person {
        crm_roles: vec![name.to_owned()],
        ..Person::default()
    }
}

fn team(name: &str) -> Person {
    Person {
        crm_teams: vec![name.to_owned()],
        ..Person::default()
    }
}

fn sugar(name: &'static str, folder: &str, policy: &str) -> Stand {
    let dialect = by_name(name).unwrap();
    let more = beside(policy, "Contacts", "first_name", "{ crm.role: Analysts }");
    Stand {
        name,
        policy: compiled(folder, more, &dialect),
        dialect,
        module: "Contacts",
        id: "5f8a1c2b-0000-4000-8000-00000000000a",
        first_name: "first_name",
        title: "title",
        text: "description",
        iban: "iban_c",
        religion: "religion_c",
        nir: "nir_c",
        sales: role("Sales"),
        pseudonyms: role("Analysts"),
    }
}

fn espocrm() -> Stand {
    let dialect = described("examples/espocrm/espocrm.yaml");
    let more = beside("espocrm", "Contact", "firstName", "{ crm.team: Analysts }");
    Stand {
        name: "espocrm",
        policy: compiled("examples/espocrm/policy", more, &dialect),
        dialect,
        module: "Contact",
        id: "5f8a1c2b3d4e5f6a7",
        first_name: "firstName",
        title: "title",
        text: "description",
        iban: "cIban",
        religion: "cReligion",
        nir: "cNir",
        sales: team("Sales"),
        pseudonyms: team("Analysts"),
    }
}

fn dolibarr() -> Stand {
    let dialect = described("examples/dolibarr/dolibarr.yaml");
    let more = beside(
        "dolibarr",
        "contacts",
        "firstname",
        "{ crm.role: Analysts }",
    );
    Stand {
        name: "dolibarr",
        policy: compiled("examples/dolibarr/policy", more, &dialect),
        dialect,
        module: "contacts",
        id: "12",
        first_name: "firstname",
        title: "poste",
        text: "note_public",
        iban: "options_iban",
        religion: "options_religion",
        nir: "options_nir",
        sales: role("Commercial"),
        pseudonyms: role("Analysts"),
    }
}

/// Each once: a policy takes longer to compile than all that is asked of it.
fn stands() -> &'static [Stand] {
    static STANDS: LazyLock<Vec<Stand>> = LazyLock::new(all);
    &STANDS
}

fn all() -> Vec<Stand> {
    let suitecrm = "examples/suitecrm/policies";
    vec![
        sugar("sugar-rest", "policies/sugarcrm", "sugarcrm"),
        sugar("sugar-v4", suitecrm, "suitecrm"),
        sugar("suitecrm-v8", suitecrm, "suitecrm"),
        espocrm(),
        dolibarr(),
    ]
}

impl Stand {
    fn module(&self) -> Module {
        Module::new(self.module)
    }

    /// A record, and another one that a filter leaves out.
    fn bench(&self) -> Bench {
        let other = match self.id.strip_suffix(['a', '7', '2']) {
            Some(start) => format!("{start}5"),
            None => panic!("{}: an id of another form", self.name),
        };
        let record = |id: &str, first_name: &str, title: &str| Held {
            said: Pretended::default(),
            module: self.module(),
            id: id.to_owned(),
            fields: fields(json!({
                "id": id,
                self.first_name: first_name,
                self.title: title,
                self.text: "Virement sur FR76 3000 6000 0112 3456 7890 189 & <merci>.",
                self.iban: IBAN,
                self.religion: "x",
                self.nir: "269054958815780",
            })),
        };
        let records = vec![
            record(self.id, "Jeanne", "Head"),
            record(&other, "Anna", "CTO"),
        ];
        Bench::new(&self.policy, &self.dialect, records)
    }

    async fn ask(&self, person: &Person, ask: &Ask) -> Outcome {
        let asked = self.bench().ask(person, None, ask).await;
        asked.unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    async fn sales(&self, ask: &Ask) -> Outcome {
        self.ask(&self.sales, ask).await
    }

    fn read(&self) -> Ask {
        Ask::Read {
            module: self.module(),
            id: self.id.to_owned(),
            fields: Vec::new(),
        }
    }

    /// Neither of these APIs searches one module's records for a text.
    fn searches_not(&self, ask: &Ask) -> bool {
        let has_none = ["suitecrm-v8", "dolibarr"].contains(&self.name);
        let is_asked = self.dialect.ask(ask, &BOUNDS).is_some();
        if matches!(ask, Ask::Search { .. }) {
            assert_eq!(is_asked, !has_none, "{}", self.name);
        }
        matches!(ask, Ask::Search { .. }) && has_none
    }

    fn filter(&self, by: &str, value: &str) -> Ask {
        Ask::Filter {
            module: self.module(),
            by: Field::fold(by),
            value: value.into(),
        }
    }
}

fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        other => panic!("{other} holds no fields"),
    }
}

fn assert_answered(stand: &Stand, outcome: &Outcome) {
    assert_eq!(outcome.refused, None, "{}: {outcome:?}", stand.name);
    assert!((200..300).contains(&outcome.status), "{}", stand.name);
}

#[tokio::test]
async fn a_record_is_shown_as_the_policy_says() {
    for stand in stands() {
        let outcome = stand.sales(&stand.read()).await;
        assert_answered(stand, &outcome);
        let shown = &outcome.shown[stand.id];
        let says = |field: &str| shown.get(field).cloned();
        assert_eq!(says("id"), Some(stand.id.into()), "{}", stand.name);
        assert_eq!(
            says(stand.first_name),
            Some("Jeanne".into()),
            "{}",
            stand.name
        );
        assert_eq!(says(stand.iban), Some(MASKED.into()), "{}", stand.name);
        assert_eq!(says(stand.religion), None, "{}", stand.name);
        let nir = says(stand.nir).expect("redacted, not removed");
        assert!(!nir.to_string().contains("2690"), "{}: {nir}", stand.name);
        let text = format!("Virement sur {MASKED} & <merci>.");
        assert_eq!(says(stand.text), Some(text.into()), "{}", stand.name);
        let rules: Vec<&str> = outcome.rules.iter().map(RuleName::as_str).collect();
        for rule in [
            "bank-data-last-digits",
            "no-special-categories",
            "no-national-id",
            "base-data",
        ] {
            assert!(rules.contains(&rule), "{}: {rules:?}", stand.name);
        }
        assert_eq!(outcome.forwarded, None);
    }
}

#[tokio::test]
async fn a_value_has_the_same_token_each_time() {
    for stand in stands() {
        let first = stand.ask(&stand.pseudonyms, &stand.read()).await;
        let second = stand.ask(&stand.pseudonyms, &stand.read()).await;
        assert_answered(stand, &first);
        assert_eq!(first.shown, second.shown, "{}", stand.name);
        let token = first.shown[stand.id][stand.first_name].to_string();
        assert!(!token.contains("Jeanne"), "{}: {token}", stand.name);
        assert_ne!(token, "null", "{}", stand.name);
        let iban = first.shown[stand.id][stand.iban].to_string();
        assert!(
            !iban.contains("0189") && iban != token,
            "{}: {iban}",
            stand.name
        );
    }
}

#[tokio::test]
async fn records_are_listed_filtered_sorted_and_searched() {
    for stand in stands() {
        let module = stand.module();
        let list = Ask::List {
            module: module.clone(),
            fields: Vec::new(),
            filter: None,
            sort: None,
        };
        let by = Field::fold(stand.first_name);
        let sort = Ask::Sort {
            module: module.clone(),
            by,
        };
        let text = "Jeanne".to_owned();
        let search = Ask::Search { module, text };
        let filter = stand.filter(stand.first_name, "Jeanne");
        for (ask, rows) in [(list, 2), (sort, 2), (filter, 1), (search, 2)] {
            if stand.searches_not(&ask) {
                continue;
            }
            let outcome = stand.sales(&ask).await;
            assert_answered(stand, &outcome);
            assert_eq!(outcome.shown.len(), rows, "{}: {ask:?}", stand.name);
            let shown = &outcome.shown[stand.id];
            assert_eq!(shown[stand.iban], MASKED, "{}: {ask:?}", stand.name);
            assert!(!shown.contains_key(stand.religion), "{}", stand.name);
        }
    }
}

#[tokio::test]
async fn nobody_filters_or_sorts_by_what_is_masked() {
    for stand in stands() {
        let sort = Ask::Sort {
            module: stand.module(),
            by: Field::fold(stand.iban),
        };
        let list = Ask::List {
            module: stand.module(),
            fields: Vec::new(),
            filter: Some(Field::fold(stand.iban)),
            sort: None,
        };
        for ask in [stand.filter(stand.iban, IBAN), sort, list] {
            let outcome = stand.sales(&ask).await;
            let refused = outcome.refused.as_deref();
            assert_eq!(refused, Some("field-not-usable"), "{}: {ask:?}", stand.name);
            assert_eq!(outcome.status, 403);
            assert!(outcome.shown.is_empty());
            let masks = RuleName::new("bank-data-last-digits");
            assert!(outcome.rules.contains(&masks), "{}: {ask:?}", stand.name);
        }
    }
}

#[tokio::test]
async fn a_mask_that_comes_back_is_not_written() {
    for stand in stands() {
        let set = json!({stand.iban: MASKED, stand.title: "CFO"});
        let write = Ask::Write {
            module: stand.module(),
            id: stand.id.to_owned(),
            set: fields(set),
        };
        let outcome = stand.sales(&write).await;
        assert_answered(stand, &outcome);
        let rest = fields(json!({stand.title: "CFO"}));
        assert_eq!(outcome.forwarded, Some(rest), "{}", stand.name);
    }
}

#[tokio::test]
async fn a_text_that_comes_back_keeps_what_is_masked_in_it() {
    for stand in stands() {
        let set = json!({stand.text: format!("Virement sur {MASKED} & <merci> bien.")});
        let write = Ask::Write {
            module: stand.module(),
            id: stand.id.to_owned(),
            set: fields(set),
        };
        let outcome = stand.sales(&write).await;
        assert_answered(stand, &outcome);
        let whole = "Virement sur FR76 3000 6000 0112 3456 7890 189 & <merci> bien.";
        let forwarded = fields(json!({stand.text: whole}));
        assert_eq!(outcome.forwarded, Some(forwarded), "{}", stand.name);
    }
}

#[tokio::test]
async fn what_changes_nothing_is_not_written() {
    for stand in stands() {
        let write = Ask::Write {
            module: stand.module(),
            id: stand.id.to_owned(),
            set: fields(json!({stand.iban: MASKED})),
        };
        let outcome = stand.sales(&write).await;
        assert_answered(stand, &outcome);
        assert_eq!(outcome.forwarded, None, "{}", stand.name);
    }
}

#[tokio::test]
async fn records_are_made_of_what_may_be_written() {
    for stand in stands() {
        let create = |set: Value| Ask::Create {
            module: stand.module(),
            fields: fields(set),
        };
        let good = json!({stand.first_name: "Paul", stand.title: "CFO"});
        let outcome = stand.sales(&create(good.clone())).await;
        assert_answered(stand, &outcome);
        assert_eq!(outcome.forwarded, Some(fields(good)), "{}", stand.name);
        let bad = json!({stand.first_name: "Paul", stand.religion: "x"});
        let outcome = stand.sales(&create(bad)).await;
        let refused = outcome.refused.as_deref();
        assert_eq!(refused, Some("field-not-writable"), "{}", stand.name);
        assert_eq!(outcome.forwarded, None, "{}", stand.name);
    }
}

#[tokio::test]
async fn evidence_roles_and_purposes_are_judged() {
    for stand in stands() {
        let bench = stand.bench();
        let read = stand.read();
        let nobody = bench.ask(&Person::default(), None, &read).await.unwrap();
        assert_eq!(nobody.refused.as_deref(), Some("no-role"), "{}", stand.name);
        for purpose in ["payment", "no-such-purpose"] {
            let outcome = bench.ask(&stand.sales, Some(purpose), &read).await;
            let refused = outcome.unwrap().refused;
            assert_eq!(
                refused.as_deref(),
                Some("purpose-not-allowed"),
                "{}",
                stand.name
            );
        }
        for purpose in ["a b", "é", ""] {
            let outcome = bench.ask(&stand.sales, Some(purpose), &read).await;
            let refused = outcome.unwrap().refused;
            assert_eq!(
                refused.as_deref(),
                Some("malformed-purpose"),
                "{}",
                stand.name
            );
        }
        let unknown = Ask::Read {
            module: stand.module(),
            id: stand.id.replace(['a', '7', '1'], "3"),
            fields: Vec::new(),
        };
        let outcome = bench.ask(&stand.sales, None, &unknown).await.unwrap();
        assert_eq!(
            (outcome.status, outcome.refused.as_deref()),
            (404, Some("upstream-error"))
        );
        let again = bench
            .ask(&stand.sales, Some("contract"), &read)
            .await
            .unwrap();
        assert_answered(stand, &again);
    }
}

#[tokio::test]
async fn machines_and_tokens_need_no_session_and_strengths_are_taken_as_proved() {
    for stand in stands() {
        // The policies let them see contacts; what they are not granted is redacted.
        let token = |strengths: &[&str]| Person {
            token: Some(("company".to_owned(), vec!["crm-finance".to_owned()])),
            strengths: strengths.iter().map(|name| (*name).to_owned()).collect(),
            ..Person::default()
        };
        let key = Person {
            key: Some("erp-prod".to_owned()),
            ..Person::default()
        };
        let iban = async |person: &Person| {
            let outcome = stand.ask(person, &stand.read()).await;
            assert_answered(stand, &outcome);
            outcome.shown[stand.id][stand.iban].clone()
        };
        assert_eq!(iban(&token(&[])).await, MASKED, "{}", stand.name);
        assert_eq!(iban(&token(&["strong"])).await, IBAN, "{}", stand.name);
        assert_eq!(iban(&key).await, IBAN, "{}", stand.name);
        let write = Ask::Write {
            module: stand.module(),
            id: stand.id.to_owned(),
            set: fields(json!({stand.title: "CFO"})),
        };
        let outcome = stand.ask(&key, &write).await;
        assert_eq!(
            outcome.refused.as_deref(),
            Some("action-not-allowed"),
            "{}",
            stand.name
        );
    }
}

#[tokio::test]
async fn each_request_finds_the_records_as_they_were_given() {
    for stand in stands() {
        let bench = stand.bench();
        let before = bench.ask(&stand.sales, None, &stand.read()).await.unwrap();
        let write = Ask::Write {
            module: stand.module(),
            id: stand.id.to_owned(),
            set: fields(json!({stand.title: "CFO"})),
        };
        for _ in 0..2 {
            let outcome = bench.ask(&stand.sales, None, &write).await.unwrap();
            let forwarded = Some(fields(json!({stand.title: "CFO"})));
            assert_eq!(outcome.forwarded, forwarded, "{}", stand.name);
        }
        let after = bench.ask(&stand.sales, None, &stand.read()).await.unwrap();
        assert_eq!(before.shown, after.shown, "{}", stand.name);
        assert_eq!(after.shown[stand.id][stand.title], "Head");
    }
}

#[tokio::test]
async fn what_cannot_be_asked_says_why() {
    for stand in stands() {
        let said = async |ask: &Ask| {
            let asked = stand.bench().ask(&stand.sales, None, ask).await;
            asked
                .map(|outcome| outcome.status)
                .map_err(|error| error.to_string())
        };
        let module = stand.module();
        let name = stand.name;
        let read = |module: &Module, id: &str| Ask::Read {
            module: module.clone(),
            id: id.to_owned(),
            fields: Vec::new(),
        };
        let form = format!(
            "`{name}` has no request for this: read `a b` of `{module}`, whose ids are of another form"
        );
        assert_eq!(said(&read(&module, "a b")).await, Err(form));
        let filter = stand.filter("no field", "x");
        let none = format!("`{name}` has no request for this: filter `{module}` by `no field`");
        assert_eq!(said(&filter).await, Err(none));
    }
}

/// How many cases a second: `cargo test --release --lib workbench::bench -- --ignored --nocapture`.
#[tokio::test]
#[ignore = "a measurement"]
async fn cases_a_second() {
    const CASES: u32 = 1_000;
    for stand in stands() {
        let bench = stand.bench();
        let asks = [
            stand.read(),
            stand.filter(stand.iban, IBAN),
            Ask::Write {
                module: stand.module(),
                id: stand.id.to_owned(),
                set: fields(json!({stand.iban: MASKED, stand.title: "CFO"})),
            },
        ];
        let start = std::time::Instant::now();
        for ask in asks.iter().cycle().take(CASES as usize) {
            bench.ask(&stand.sales, None, ask).await.unwrap();
        }
        let took = start.elapsed();
        println!("{}: {CASES} cases in {took:?}", stand.name);
    }
}
