//! `paravent consent sync`: what CRMs say of consent is taken over once, and never undoes what the person said since.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::harness::binary::{paravent, secret};
use crate::harness::scripted::{self, Received, Scripted};

/// A person of a CRM.
#[derive(Clone)]
struct Contact {
    id: &'static str,
    name: [&'static str; 2],
    email: &'static str,
    opted_out: bool,
    agreed: &'static [&'static str],
    at: &'static str,
    /// What SuiteCRM knows of the address, since when, and when it sent the question.
    confirmed: [&'static str; 3],
    /// Another row of the same address.
    twice: Option<[&'static str; 3]>,
    /// Whether the rows of the address say that mail is not wanted there.
    unwanted: bool,
}

fn contact(id: &'static str, name: [&'static str; 2], email: &'static str) -> Contact {
    Contact {
        id,
        name,
        email,
        opted_out: false,
        agreed: &[],
        at: "",
        confirmed: ["not-opt-in", "", ""],
        twice: None,
        unwanted: false,
    }
}

type Contacts = Arc<Mutex<Vec<Contact>>>;

/// An API: how it is configured, and how it tells contacts.
#[derive(Clone, Copy, PartialEq)]
enum Api {
    Sugar,
    SuiteV8,
    SuiteV4,
    Espo,
    Dolibarr,
}

impl Api {
    fn dialect(self) -> String {
        let example = |name: &str| {
            let file = format!("examples/{name}/{name}.yaml");
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
            format!("{{ description: {} }}", file.display())
        };
        match self {
            Self::Sugar => "sugar-rest".to_owned(),
            Self::SuiteV8 => "suitecrm-v8".to_owned(),
            Self::SuiteV4 => "sugar-v4".to_owned(),
            Self::Espo => example("espocrm"),
            Self::Dolibarr => example("dolibarr"),
        }
    }

    fn service(self) -> &'static str {
        match self {
            Self::Sugar | Self::SuiteV4 => "{ user: paravent, password: { file: svc.pw } }",
            Self::SuiteV8 => "{ client_id: paravent, client_secret: { file: svc.pw } }",
            Self::Espo => "{ header: X-Api-Key, secret: { file: svc.pw } }",
            Self::Dolibarr => "{ header: DOLAPIKEY, secret: { file: svc.pw } }",
        }
    }

    /// The module of persons, the field of the address, and what the CRM calls the consent.
    fn words(self) -> [&'static str; 3] {
        match self {
            Self::Sugar => ["Contacts", "email", "Newsletter"],
            Self::SuiteV8 | Self::SuiteV4 => ["Contacts", "email1", "consent"],
            Self::Espo => ["Contact", "emailAddress", "none"],
            Self::Dolibarr => ["contacts", "email", "none"],
        }
    }

    fn record(self, one: &Contact) -> Value {
        let [first, last] = one.name;
        let flag = if one.opted_out { "1" } else { "0" };
        match self {
            Self::Sugar => json!({
                "id": one.id, "_module": "Contacts", "first_name": first, "last_name": last, "email_opt_out": one.opted_out,
                "email": [{"email_address": "other@example.org", "primary_address": false}, {"email_address": one.email, "primary_address": true}],
                "dp_business_purpose": one.agreed, "dp_consent_last_updated": one.at,
            }),
            Self::SuiteV8 => json!({"type": "Contact", "id": one.id, "attributes": {
                "first_name": first, "last_name": last, "email1": one.email, "email_opt_out": flag,
                "lawful_basis": format!("^{}^", one.agreed.join("^,^")), "date_reviewed": one.at,
            }, "relationships": {}}),
            Self::SuiteV4 => {
                let basis = format!("^{}^", one.agreed.join("^,^"));
                let all = [
                    ("id", one.id),
                    ("first_name", first),
                    ("last_name", last),
                    ("email1", one.email),
                    ("email_opt_out", flag),
                    ("lawful_basis", &*basis),
                    ("date_reviewed", one.at),
                ];
                let all = all.iter().map(|(name, value)| {
                    ((*name).to_owned(), json!({"name": name, "value": value}))
                });
                json!({"id": one.id, "module_name": "Contacts", "name_value_list": all.collect::<serde_json::Map<_, _>>()})
            }
            Self::Espo => json!({
                "id": one.id, "firstName": first, "lastName": last, "emailAddress": one.email, "emailAddressIsOptedOut": one.opted_out,
            }),
            Self::Dolibarr => json!({
                "id": one.id, "firstname": first, "lastname": last, "email": one.email, "no_email": flag,
            }),
        }
    }

    /// A page of records, as far as there are any; beside them, where it is asked, what is known of their addresses.
    fn page(self, contacts: &[Contact], total: usize, asks_links: bool) -> Value {
        let records: Vec<Value> = contacts.iter().map(|one| self.record(one)).collect();
        match self {
            Self::Sugar => json!({"next_offset": -1, "records": records}),
            Self::SuiteV8 => json!({"meta": {"total-pages": 1}, "data": records}),
            Self::SuiteV4 => json!({
                "result_count": records.len(), "total_count": total.to_string(), "next_offset": records.len(), "entry_list": records,
                "relationship_list": contacts.iter().filter(|_| asks_links).map(linked).collect::<Vec<_>>(),
            }),
            Self::Espo => json!({"total": total, "list": records}),
            Self::Dolibarr => json!(records),
        }
    }

    fn answer(self, request: &Received, contacts: &[Contact]) -> Vec<u8> {
        let line = request.line.to_ascii_lowercase();
        let body = String::from_utf8_lossy(&request.body).into_owned();
        if line.contains("oauth2/token") || line.contains("access_token") {
            let token = json!({"access_token": "t-1", "expires_in": 3600, "refresh_token": "r", "token_type": "Bearer"});
            return scripted::json(200, token.to_string().as_bytes());
        }
        if body.contains("method=login") {
            return scripted::json(
                200,
                json!({"id": "5e55", "module_name": "Users", "name_value_list": {}})
                    .to_string()
                    .as_bytes(),
            );
        }
        let is_first = match self {
            Self::SuiteV4 => body.contains("%2C0%2C%5B%5D%2C%5B") || body.contains(",0,[],["),
            Self::SuiteV8 => {
                line.contains("number%5d=1 ")
                    || line.contains("number]=1 ")
                    || line.contains("number%5d=1&")
            }
            Self::Dolibarr => !line.contains("page=") || line.contains("page=0"),
            Self::Sugar | Self::Espo => !line.contains("offset=") || line.contains("offset=0"),
        };
        let given = if is_first { contacts } else { &[] };
        let page = self.page(given, contacts.len(), asks_of_addresses(request));
        scripted::json(200, page.to_string().as_bytes())
    }
}

/// Whether a call of the legacy API, whose JSON stands encoded in a form, asks what is known of addresses.
fn asks_of_addresses(request: &Received) -> bool {
    let body = percent_encoding::percent_decode(&request.body).decode_utf8_lossy();
    body.contains("confirm_opt_in_date")
}

const CONFIRMED: [&str; 3] = [
    "confirmed-opt-in",
    "2026-01-15 10:00:00",
    "2026-01-15 09:00:00",
];

/// What the legacy API of SuiteCRM says of the addresses of a contact: of the primary one, and of one that somebody confirmed.
fn linked(one: &Contact) -> Value {
    let address = |address: &str, [confirmed, at, asked_at]: [&str; 3]| {
        let value = |name: &str, value: &str| json!({"name": name, "value": value});
        json!({"link_value": {
            "email_address": value("email_address", &address.replace('\'', "&#039;")),
            "confirm_opt_in": value("confirm_opt_in", confirmed),
            "confirm_opt_in_sent_date": value("confirm_opt_in_sent_date", asked_at),
            "opt_out": value("opt_out", if one.unwanted { "1" } else { "0" }),
            "confirm_opt_in_date": value("confirm_opt_in_date", at),
        }})
    };
    let other = address("other@example.org", CONFIRMED);
    let mut all = vec![other, address(one.email, one.confirmed)];
    all.extend(one.twice.map(|twice| address(one.email, twice)));
    json!({"link_list": [{"name": "email_addresses", "records": all}]})
}

/// An installation before a CRM.
struct Installed {
    folder: tempfile::TempDir,
    api: Api,
    contacts: Contacts,
    crm: Scripted,
}

impl Installed {
    fn before(api: Api, contacts: Vec<Contact>) -> Self {
        let [_, _, word] = api.words();
        Self::with(api, contacts, "none", word)
    }

    /// With a purpose that asks for such a proof, and goes by these words of the CRM.
    fn with(api: Api, contacts: Vec<Contact>, proof: &str, word: &str) -> Self {
        let contacts: Contacts = Arc::new(Mutex::new(contacts));
        let told = contacts.clone();
        let crm = Scripted::start(move |request| api.answer(request, &told.lock().unwrap()));
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        secret(&path("token.key"), b"0123456789abcdef");
        secret(&path("person.key"), &[7; 32]);
        secret(&path("svc.pw"), b"secret\n");
        std::fs::create_dir(path("policies")).unwrap();
        let [module, email, _] = api.words();
        let rules = format!(
            "policy: small\npeople: {{ {module}: {{ kind: customer, email: {email} }} }}\n\
             roles: {{ sales: {{ from: {{ crm.role: Sales }} }} }}\npurposes:\n\
             \x20 newsletter: {{ legal_basis: consent, roles: [sales], consent: {{ proof: {proof} }}, crm: [{word}] }}\n\
             \x20 mailing: {{ legal_basis: legitimate-interest, roles: [sales], honour_objection: true }}\n\
             classify: {{ {module}: {{ {email}: contact.email }} }}\n\
             grants: [{{ name: base, roles: sales, data: contact, level: clear }}]\n"
        );
        std::fs::write(path("policies/rules.yaml"), rules).unwrap();
        let config = format!(
            "listeners: [{{ name: crm, bind: \"127.0.0.1:18443\", upstream: crm }}]\n\
             upstreams: {{ crm: {{ url: \"http://{}\", dialects: [{}], service: {} }} }}\n\
             policies: policies\nkeys: {{ token: {{ file: token.key }}, person: [{{ file: person.key }}] }}\n\
             audit: {{ dir: log }}\nstate: {{ dir: kept }}\n",
            crm.address,
            api.dialect(),
            api.service()
        );
        std::fs::write(path("paravent.yaml"), config).unwrap();
        std::fs::create_dir(path("kept")).unwrap();
        Self {
            folder,
            api,
            contacts,
            crm,
        }
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("paravent.yaml")
    }

    fn consent(&self, words: &[&str]) -> Output {
        let mut command = paravent(&[&["consent"], words].concat());
        command.arg("--config").arg(self.config());
        let done = command.stdin(Stdio::null()).output().unwrap();
        // Whatever it says, it says no address.
        let said = text(&done.stdout) + &text(&done.stderr);
        assert!(!said.contains("@example"), "{said}");
        done
    }

    fn sync_with(&self, words: &[&str]) -> Value {
        let words = [
            &["sync", "crm", "--rate", "1000/s", "--format", "json"],
            words,
        ]
        .concat();
        let done = self.consent(&words);
        assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
        serde_json::from_slice(&done.stdout).unwrap()
    }

    fn sync(&self) -> Value {
        self.sync_with(&[])
    }

    /// How a contact stands for a purpose.
    fn stands(&self, id: &str, purpose: &str) -> String {
        let [module, ..] = self.api.words();
        let record = format!("crm:{module}/{id}");
        let done = self.consent(&[
            "show",
            "--record",
            &record,
            "--purpose",
            purpose,
            "--format",
            "json",
        ]);
        assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
        let told: Value = serde_json::from_slice(&done.stdout).unwrap();
        told["purposes"][purpose]["because"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    fn change(&self, place: usize, change: impl FnOnce(&mut Contact)) {
        change(&mut self.contacts.lock().unwrap()[place]);
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn anna() -> Contact {
    contact("11", ["Anna", "Aal"], "anna@example.com")
}

fn bert() -> Contact {
    Contact {
        opted_out: true,
        ..contact("22", ["Bert", "Bär"], "bert@example.com")
    }
}

/// Of an API that tells who agreed, somebody agreed; of each, somebody wants no mail. What is repeated changes nothing.
fn takes_over(api: Api) {
    let tells_who_agreed = !matches!(api, Api::Espo | Api::Dolibarr);
    let agreed: &[&str] = match api {
        Api::Sugar => &["Newsletter", "Other"],
        _ => &["consent"],
    };
    let anna = Contact {
        agreed,
        at: "2026-01-15",
        ..anna()
    };
    let installed = Installed::before(api, vec![anna, bert()]);
    let dry = installed.sync_with(&["--dry-run"]);
    let affirmed = u64::from(tells_who_agreed);
    let first = [2, affirmed, 2, 0];
    let came = |told: &Value| {
        ["attached", "affirmed", "denied", "gone"].map(|name| told[name].as_u64().unwrap())
    };
    assert_eq!(came(&dry), first, "{dry}");
    // A dry run has changed nothing, so the first one does the same.
    let told = installed.sync();
    assert_eq!(came(&told), first, "{told}");
    assert_eq!(told["seen"], 2);
    assert_eq!(came(&installed.sync()), [0, 0, 0, 0]);
    let because = if tells_who_agreed {
        "valid"
    } else {
        "nothing-recorded"
    };
    assert_eq!(installed.stands("11", "newsletter"), because);
    assert_eq!(installed.stands("22", "newsletter"), "denied");
    assert_eq!(installed.stands("22", "mailing"), "objected");

    // With the account of the configuration, in the order of ids.
    let asked = installed.crm.take_all();
    let lists = asked.iter().filter(|request| {
        let all = request.line.clone() + &text(&request.body);
        all.contains("ontact") && !all.contains("token") && !all.contains("method=login")
    });
    for request in lists {
        let all = request.line.clone() + &text(&request.body);
        let order = [
            "order_by=id",
            "sort=id",
            "orderBy=id",
            "sortfield=t.rowid",
            "%22id%22",
            "\"id\"",
        ];
        assert!(order.iter().any(|words| all.contains(words)), "{all}");
    }
}

#[test]
fn what_sugar_says_is_taken_over_once() {
    takes_over(Api::Sugar);
}

#[test]
fn what_suitecrm_says_is_taken_over_once() {
    takes_over(Api::SuiteV8);
}

#[test]
fn what_the_legacy_api_of_suitecrm_says_is_taken_over_once() {
    takes_over(Api::SuiteV4);
}

#[test]
fn who_confirmed_the_primary_address_in_suitecrm_has_proven_it() {
    let since = |at, asked_at| ["confirmed-opt-in", at, asked_at];
    let of = |id, name, email, confirmed| Contact {
        confirmed,
        ..contact(id, [name, "Aal"], email)
    };
    let contacts = vec![
        Contact {
            agreed: &["consent"],
            at: "2026-01-14",
            ..of("11", "Anna", "anna.o'aal@example.com", CONFIRMED)
        },
        // Of another address somebody confirmed it, of this one nobody.
        contact("22", ["Bert", "Bär"], "bert@example.com"),
        of("33", "Carl", "carl@example.com", since("", "")),
        Contact {
            opted_out: true,
            ..of("44", "Dora", "dora@example.com", CONFIRMED)
        },
        Contact {
            unwanted: true,
            ..of("99", "Ida", "ida@example.com", CONFIRMED)
        },
        of("55", "Emil", "emil@example.com", {
            since("9999-01-15 10:00:00", "2026-01-15 09:00:00")
        }),
        // Nobody asked, or nobody has answered since they were asked.
        of(
            "66",
            "Fred",
            "fred@example.com",
            since("2026-01-15 10:00:00", ""),
        ),
        of("77", "Gerd", "gerd@example.com", {
            since("2026-01-15 10:00:00", "2026-02-15 10:00:00")
        }),
        Contact {
            twice: Some(["opt-in", "", ""]),
            ..of("88", "Hugo", "hugo@example.com", CONFIRMED)
        },
    ];
    let words = "confirmed-opt-in, consent";
    let installed = Installed::with(Api::SuiteV4, contacts, "double-opt-in", words);
    let dry = installed.sync_with(&["--dry-run"]);
    let told = installed.sync();
    for told in [&dry, &told] {
        // What somebody of the house chose from a list counts beside what was confirmed, and proves less.
        assert_eq!(told["affirmed"], 3, "{told}");
        assert_eq!(told["undated"], 5, "{told}");
        assert_eq!(told["seen"], 9, "{told}");
    }
    let stands = |id| installed.stands(id, "newsletter");
    assert_eq!(stands("11"), "valid");
    for id in ["22", "33", "55", "66", "77", "88"] {
        assert_eq!(stands(id), "nothing-recorded", "{id}");
    }
    for id in ["44", "99"] {
        assert_eq!(stands(id), "denied", "{id}");
    }
    assert!(installed.crm.take_all().iter().any(asks_of_addresses));
    assert_eq!(installed.sync()["affirmed"], 0);
    assert_eq!(stands("11"), "valid");
    // Whoever is asked once more has confirmed it all the same.
    installed.change(0, |anna| anna.confirmed[2] = "2026-03-01 09:00:00");
    assert_eq!(installed.sync()["denied"], 0);
    assert_eq!(stands("11"), "valid");
    // Whoever is confirmed without a day is so no more, and may not have been meanwhile.
    installed.change(0, |anna| anna.confirmed = since("", ""));
    assert_eq!(installed.sync()["denied"], 1);
    assert_eq!(stands("11"), "denied");
    installed.change(0, |anna| {
        anna.confirmed = since("2026-11-20 10:00:00", "2026-11-20 09:00:00");
    });
    assert_eq!(installed.sync()["affirmed"], 1);
    assert_eq!(stands("11"), "denied", "what a CRM says undoes no denial");
}

#[test]
fn whoever_confirms_an_address_confirms_it_for_nobody_else() {
    let beside = contact("22", ["Anna", "Aal"], "anna@example.com");
    let installed = Installed::with(
        Api::SuiteV4,
        vec![anna(), beside],
        "double-opt-in",
        "confirmed-opt-in",
    );
    installed.sync();
    // Somebody who may write a record puts an address of their own into it, and confirms that.
    installed.change(0, |anna| {
        anna.email = "mallory@example.org";
        anna.confirmed = CONFIRMED;
    });
    assert_eq!(installed.sync_with(&["--dry-run"])["affirmed"], 1);
    assert_eq!(installed.sync()["affirmed"], 1);
    let stands = |id| installed.stands(id, "newsletter");
    assert_eq!([stands("11"), stands("22")], ["nothing-recorded"; 2]);
    // And sets it back, while nobody asked the person.
    installed.change(0, |anna| {
        anna.email = "anna@example.com";
        anna.confirmed = ["not-opt-in", "", ""];
    });
    assert_eq!(installed.sync()["denied"], 0);
    assert_eq!([stands("11"), stands("22")], ["nothing-recorded"; 2]);
    // The person confirms, and is not undone by what is said of the other address.
    for place in [0, 1] {
        installed.change(place, |anna| anna.confirmed = CONFIRMED);
    }
    installed.sync();
    assert_eq!([stands("11"), stands("22")], ["valid"; 2]);
    installed.change(0, |anna| {
        anna.email = "mallory@example.org";
        anna.confirmed = ["opt-in", "", ""];
    });
    installed.sync();
    assert_eq!(stands("22"), "valid");
    // Of an address under two names nobody knows whose it is, also when one of them is gone.
    let newer = [
        "confirmed-opt-in",
        "2026-02-01 10:00:00",
        "2026-02-01 09:00:00",
    ];
    installed.change(1, |anna| anna.confirmed = newer);
    installed.change(0, |carl| {
        carl.email = "anna@example.com";
        carl.confirmed = newer;
        carl.name = ["Carl", "Coe"];
    });
    assert_eq!(installed.sync()["affirmed"], 0);
    // Whoever is confirmed no more has taken it back all the same.
    installed.change(1, |anna| anna.confirmed = ["not-opt-in", "", ""]);
    assert_eq!(installed.sync()["denied"], 1);
    installed.change(1, |anna| anna.confirmed = newer);
    installed.contacts.lock().unwrap().remove(0);
    let told = installed.sync();
    assert_eq!(
        [&told["affirmed"], &told["shared_addresses"]],
        [0, 0],
        "{told}"
    );
}

#[test]
fn addresses_are_not_asked_for_where_no_purpose_goes_by_them() {
    let installed = Installed::before(Api::SuiteV4, vec![anna()]);
    installed.sync();
    let asked = installed.crm.take_all();
    assert!(!asked.iter().any(asks_of_addresses));
}

#[test]
fn what_espocrm_says_is_taken_over_once() {
    takes_over(Api::Espo);
}

#[test]
fn what_dolibarr_says_is_taken_over_once() {
    takes_over(Api::Dolibarr);
}

#[test]
fn a_flag_that_nobody_took_away_does_not_undo_what_was_said_since() {
    let installed = Installed::before(Api::Sugar, vec![anna(), bert()]);
    installed.sync();
    assert_eq!(installed.stands("22", "newsletter"), "denied");
    let words = [
        "record",
        "--record",
        "crm:Contacts/22",
        "--purpose",
        "newsletter",
        "--source",
        "telephone",
        "--by",
        "kim",
        "--despite-denial",
        "call-7",
    ];
    assert_eq!(installed.consent(&words).status.code(), Some(0));
    assert_eq!(installed.stands("22", "newsletter"), "valid");
    installed.sync();
    assert_eq!(installed.stands("22", "newsletter"), "valid");
    // Taken away and set again, it is another denial.
    installed.change(1, |bert| bert.opted_out = false);
    assert_eq!(installed.sync()["gone"], 2);
    assert_eq!(installed.stands("22", "newsletter"), "valid");
    installed.change(1, |bert| bert.opted_out = true);
    assert_eq!(installed.sync()["denied"], 2);
    assert_eq!(installed.stands("22", "newsletter"), "denied");
    // What the CRM says of consent afterwards revives nothing.
    installed.change(1, |bert| {
        bert.opted_out = false;
        bert.agreed = &["Newsletter"];
        bert.at = "2026-02-01";
    });
    installed.sync();
    assert_eq!(installed.stands("22", "newsletter"), "denied");
}

#[test]
fn an_address_under_two_names_affirms_nothing_and_denies_for_both() {
    let agreed = |one: Contact| Contact {
        agreed: &["Newsletter"],
        at: "2026-01-15",
        ..one
    };
    let carl = contact("33", ["Carl", "Coe"], "Anna@example.com");
    let installed = Installed::before(Api::Sugar, vec![agreed(anna())]);
    installed.sync();
    assert_eq!(installed.stands("11", "newsletter"), "valid");
    // Another name under the same address, which the first reading could not know of.
    installed.contacts.lock().unwrap().push(agreed(carl));
    let told = installed.sync();
    assert_eq!(told["shared_addresses"], 1, "{told}");
    assert_eq!(told["affirmed"], 0, "{told}");
    assert_ne!(installed.stands("11", "newsletter"), "valid");
    assert_ne!(installed.stands("33", "newsletter"), "valid");
}

#[test]
fn who_is_no_longer_among_those_who_agreed_has_withdrawn_and_no_day_affirms_nothing() {
    let agreed = Contact {
        agreed: &["Newsletter"],
        at: "2026-01-15",
        ..anna()
    };
    let undated = Contact {
        agreed: &["Newsletter"],
        ..contact("22", ["Bert", "Bär"], "bert@example.com")
    };
    let installed = Installed::before(Api::Sugar, vec![agreed, undated]);
    assert_eq!(installed.sync()["undated"], 1);
    assert_eq!(installed.stands("22", "newsletter"), "nothing-recorded");
    installed.change(0, |anna| anna.agreed = &[]);
    assert_eq!(installed.sync()["denied"], 1);
    assert_eq!(installed.stands("11", "newsletter"), "denied");
}

#[test]
fn what_cannot_be_read_is_told_by_its_name_and_never_by_its_value() {
    let broken = contact("22", ["Bert", "Bär"], "bert at example.com");
    let installed = Installed::before(Api::Sugar, vec![anna(), broken]);
    let done = installed.consent(&["sync", "crm"]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    assert!(
        text(&done.stderr).contains("crm:Contacts/22"),
        "{}",
        text(&done.stderr)
    );
    assert!(
        !text(&done.stderr).contains("bert"),
        "{}",
        text(&done.stderr)
    );
    let unknown = installed.consent(&["sync", "crn"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(
        text(&unknown.stderr).contains("did you mean `crm`?"),
        "{}",
        text(&unknown.stderr)
    );
    assert_eq!(
        installed
            .consent(&["sync", "crm", "--rate", "0/s"])
            .status
            .code(),
        Some(2)
    );

    let config = std::fs::read_to_string(installed.config()).unwrap();
    let without = config.replace(&format!(", service: {}", Api::Sugar.service()), "");
    assert_ne!(without, config);
    std::fs::write(installed.config(), without).unwrap();
    let done = installed.consent(&["sync", "crm"]);
    assert_eq!(done.status.code(), Some(2));
    assert!(
        text(&done.stderr).contains("has no `service`"),
        "{}",
        text(&done.stderr)
    );
}
