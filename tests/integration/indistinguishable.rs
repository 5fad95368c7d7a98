//! Two CRMs before which the same policy stands: in one, people are withheld who have not agreed; in the other they have never
//! been. Whoever asks for the purpose cannot tell which of the two it is, whatever is asked, in whatever order.

use serde_json::{Value, json};

use crate::consent::Agreed;
use crate::harness::client::Response;

const BASE: &str = "/rest/v11_24";
/// An id that no record has.
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";
/// Requests of the one who asks, unless `PARAVENT_PROBES` says how many.
const REQUESTS: usize = 300;

const FIELDS: [&str; 16] = [
    "id",
    "last_name",
    "first_name",
    "full_name",
    "email",
    "email1",
    "date_modified",
    "date_entered",
    "phone_mobile",
    "iban_c",
    "account_name",
    "account_id",
    "reports_to_id",
    "report_to_name",
    "assigned_user_id",
    "my_favorite",
];
const OPERATORS: [&str; 8] = [
    "$equals",
    "$not_equals",
    "$starts",
    "$gt",
    "$gte",
    "$lt",
    "$lte",
    "$not_empty",
];
const LINKS: [&str; 6] = [
    "accounts",
    "reports_to_link",
    "cases",
    "notes",
    "assigned_user_link",
    "created_by_link",
];

/// Numbers that are the same each time (a linear congruential generator).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// A request.
#[derive(Clone, Debug)]
struct Wanted {
    method: &'static str,
    target: String,
    body: Option<Value>,
}

impl Wanted {
    fn get(target: String) -> Self {
        Self {
            method: "GET",
            target,
            body: None,
        }
    }
}

/// Somebody who knows all there is to know of the CRM, and asks in order to learn who is withheld.
struct Attacker {
    dice: Dice,
    /// All contacts as the CRM has them.
    truth: Vec<Value>,
    /// The ids of those who are withheld.
    others: Vec<String>,
    /// A list, and an offset that a reply gave for it.
    next: Option<(String, i64)>,
}

impl Attacker {
    fn id(&mut self) -> String {
        match self.dice.below(4) {
            0 => NOBODY.to_owned(),
            1 => self.dice.of(&self.truth)["id"].as_str().unwrap().to_owned(),
            _ => self.dice.of(&self.others).clone(),
        }
    }

    /// The id of somebody who is not there, one way or the other: who is there must stay as they are.
    fn missing(&mut self) -> String {
        match self.dice.below(3) {
            0 => NOBODY.to_owned(),
            _ => self.dice.of(&self.others).clone(),
        }
    }

    /// A field of a filter, an operator and a value that somebody has.
    fn predicate(&mut self) -> (String, &'static str, String) {
        let field = *self.dice.of(&FIELDS);
        let whose = self.dice.below(self.truth.len());
        let value = match &self.truth[whose][field] {
            Value::String(text) => {
                let most = self.dice.below(text.chars().count() + 1);
                match self.dice.below(2) {
                    0 => text.clone(),
                    _ => text.chars().take(most).collect(),
                }
            }
            other => other.to_string(),
        };
        let field = match self.dice.below(8) {
            0 => "email_addresses.email_address".to_owned(),
            1 => format!("accounts.{field}"),
            _ => field.to_owned(),
        };
        (field, *self.dice.of(&OPERATORS), value)
    }

    fn fields(&mut self) -> String {
        let count = 1 + self.dice.below(4);
        let named: Vec<&str> = (0..count).map(|_| *self.dice.of(&FIELDS)).collect();
        format!("fields={}", named.join(","))
    }

    /// What stands behind the question mark of a list.
    fn query(&mut self) -> String {
        let mut parts = vec![format!("max_num={}", 1 + self.dice.below(40))];
        if self.dice.below(2) == 0 {
            parts.push(self.fields());
        }
        match self.dice.below(8) {
            0 => parts.push("filter[0][$favorite]=_this".to_owned()),
            1 => parts.push("filter[0][$owner]=_this".to_owned()),
            2 => parts.push("filter[0][$tracker]=-1+DAY".to_owned()),
            3 | 4 => {
                let (field, operator, value) = self.predicate();
                let value = form(&value);
                parts.push(format!("filter[0][{field}][{operator}]={value}"));
            }
            _ => {}
        }
        if self.dice.below(3) == 0 {
            let (field, way) = (*self.dice.of(&FIELDS), *self.dice.of(&["asc", "desc"]));
            parts.push(format!("order_by={field}:{way}"));
        }
        if self.dice.below(12) == 0 {
            let (_, _, value) = self.predicate();
            parts.push(format!("q={}", form(&value)));
        }
        if self.dice.below(20) == 0 {
            parts.push("deleted=true".to_owned());
        }
        parts.join("&")
    }

    fn ask(&mut self) -> Wanted {
        let contacts = format!("{BASE}/Contacts");
        match self.dice.below(16) {
            0..3 => {
                let (id, fields) = (self.id(), self.fields());
                Wanted::get(format!("{contacts}/{id}?{fields}"))
            }
            3..7 => match self.next.take() {
                Some((target, offset)) => Wanted::get(format!("{target}&offset={offset}")),
                None => Wanted::get(format!("{contacts}?{}", self.query())),
            },
            7 => Wanted::get(format!("{contacts}/count?{}", self.query())),
            8 => {
                let (field, operator, value) = self.predicate();
                Wanted {
                    method: "POST",
                    target: format!("{contacts}/filter"),
                    body: Some(
                        json!({"filter": [{field: {operator: value}}], "max_num": 1 + self.dice.below(20)}),
                    ),
                }
            }
            9 | 10 => {
                let (id, link) = (self.id(), *self.dice.of(&LINKS));
                let behind = *self.dice.of(&["", "/count", "/leancount"]);
                Wanted::get(format!(
                    "{contacts}/{id}/link/{link}{behind}?{}",
                    self.query()
                ))
            }
            11 => {
                let account = self.dice.below(self.truth.len());
                let account = self.truth[account]["account_id"]
                    .as_str()
                    .unwrap()
                    .to_owned();
                let behind = *self.dice.of(&["", "/count", "/leancount"]);
                Wanted::get(format!(
                    "{BASE}/Accounts/{account}/link/contacts{behind}?{}",
                    self.query()
                ))
            }
            12 => {
                let (field, operator, value) = self.predicate();
                let value = form(&value);
                let module = *self.dice.of(&["Accounts", "Cases", "Notes", "Leads"]);
                Wanted::get(format!(
                    "{BASE}/{module}?filter[0][contacts.{field}][{operator}]={value}"
                ))
            }
            13 => self.write(),
            _ => {
                let parts: Vec<Value> = (0..1 + self.dice.below(4)).map(|_| self.part()).collect();
                Wanted {
                    method: "POST",
                    target: format!("{BASE}/bulk"),
                    body: Some(json!({ "requests": parts })),
                }
            }
        }
    }

    /// Something that would change somebody who is not there, or make them known.
    fn write(&mut self) -> Wanted {
        let id = self.missing();
        let contact = format!("{BASE}/Contacts/{id}");
        let (method, target, body) = match self.dice.below(8) {
            0 => ("PUT", contact, Some(json!({"description": "changed"}))),
            1 => ("PUT", contact, Some(json!({}))),
            2 => ("PUT", contact, Some(json!({"iban_c": "FR"}))),
            3 => ("DELETE", contact, None),
            4 => ("PUT", format!("{contact}/favorite"), None),
            5 => (
                "POST",
                format!("{contact}/link/cases"),
                Some(json!({"name": "a case"})),
            ),
            6 => {
                let other = self.missing();
                (
                    "POST",
                    format!("{contact}/link/reports_to_link/{other}"),
                    None,
                )
            }
            _ => {
                let other = self.missing();
                ("DELETE", format!("{contact}/link/cases/{other}"), None)
            }
        };
        Wanted {
            method,
            target,
            body,
        }
    }

    fn part(&mut self) -> Value {
        let Wanted {
            method,
            target,
            body,
        } = match self.dice.below(2) {
            0 => Wanted::get(format!("{BASE}/Contacts/{}?{}", self.id(), self.fields())),
            _ => Wanted::get(format!("{BASE}/Contacts?{}", self.query())),
        };
        let url = target.trim_start_matches("/rest");
        json!({"method": method, "url": url, "data": body})
    }

    /// Remembers where a list goes on.
    fn hear(&mut self, wanted: &Wanted, reply: &Response) {
        let is_list =
            wanted.method == "GET" && wanted.target.starts_with(&format!("{BASE}/Contacts?"));
        if !is_list || reply.status != 200 {
            return;
        }
        let next = reply.json()["next_offset"].as_i64().unwrap_or(-1);
        let target = wanted.target.split("&offset=").next().unwrap().to_owned();
        self.next = (next >= 0).then_some((target, next));
    }
}

/// A value of a form (application/x-www-form-urlencoded).
fn form(text: &str) -> String {
    let coded = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    });
    coded.collect()
}

/// A reply without what tells one request from another.
fn told(reply: &Response) -> (u16, Vec<(String, String)>, String) {
    let decision = reply.header("paravent-decision").unwrap_or("none");
    let plain = |text: &str| text.replace(decision, "ID");
    let headers = reply.headers.iter().filter(|(name, _)| name != "date");
    let headers = headers.map(|(name, value)| (name.clone(), plain(value)));
    // The parts of a bulk reply have decisions of their own.
    let mut text = plain(&reply.text());
    while let Some(at) = text.find("(ref ") {
        let end = at + text[at..].find(')').unwrap() + 1;
        text.replace_range(at..end, "");
    }
    (reply.status, headers.collect(), text)
}

#[test]
fn nobody_can_tell_whether_those_who_have_not_agreed_exist() {
    let (with, without) = std::thread::scope(|scope| {
        let with = scope.spawn(Agreed::new);
        let without = scope.spawn(Agreed::alone);
        (with.join().unwrap(), without.join().unwrap())
    });
    assert_eq!(with.others, without.others);
    let admin = with.world.login_at(with.world.crm, "admin");
    let mut attacker = Attacker {
        dice: Dice(18),
        truth: with.world.all_contacts(&admin),
        others: with.others.clone(),
        next: None,
    };
    let sessions = (with.world.login("max"), without.world.login("max"));
    let (mut shown, mut refused) = (0, 0);
    let requests = std::env::var("PARAVENT_PROBES");
    let requests = requests.map_or(REQUESTS, |count| count.parse().unwrap());
    for number in 0..requests {
        let wanted = attacker.ask();
        let ask = |agreed: &Agreed, token: &str| {
            agreed.send(wanted.method, &wanted.target, token, wanted.body.as_ref())
        };
        let (one, other) = (ask(&with, &sessions.0), ask(&without, &sessions.1));
        assert_eq!(told(&one), told(&other), "request {number}: {wanted:?}");
        attacker.hear(&wanted, &one);
        match one.status {
            200 => shown += 1,
            _ => refused += 1,
        }
    }
    // Else nothing was tried.
    assert!(
        shown > requests / 10 && refused > requests / 10,
        "{shown} {refused}"
    );
    let before: Vec<Value> = attacker.truth;
    let after = with.world.all_contacts(&admin);
    assert_eq!(before.len(), after.len());
}
