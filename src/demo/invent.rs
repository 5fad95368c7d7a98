//! Fills a CRM with invented people, their companies, and what was noted about them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::chance::Chance;
use super::people;
use super::schema::{self, Module};
use super::store::{Mark, Row, Store, stamp, text};
use super::words::{self, plain};
use super::{ACCOUNTS, Account, SERVICE};

const COMPANIES: usize = 60;
const CONTACTS: usize = 320;
const LEADS: usize = 80;
const CASES: usize = 120;
const NOTES: usize = 200;

/// The first of January 2025, when the invented company bought its CRM.
const START_SECONDS: i64 = 1_735_689_600;
const DAYS: usize = 500;

/// Makes all records. The same seed makes the same ones.
pub(super) fn store(seed: u64) -> Store {
    let mut inventor = Inventor {
        chance: Chance::new(seed),
        store: Store::new(Chance::new(!seed)),
        names: BTreeSet::new(),
    };
    inventor.users();
    let companies = inventor.companies();
    let contacts: Vec<Row> = (0..CONTACTS)
        .map(|_| inventor.contact(&companies))
        .collect();
    let leads: Vec<Row> = (0..LEADS).map(|_| inventor.lead()).collect();
    let cases: Vec<Row> = (0..CASES)
        .map(|number| inventor.case(number, &contacts, &leads))
        .collect();
    (0..NOTES).for_each(|_| inventor.note(&contacts, &companies, &leads, &cases));
    // The last, so that nobody else becomes another.
    inventor.account(&SERVICE);
    inventor.store
}

struct Inventor {
    chance: Chance,
    store: Store,
    names: BTreeSet<(&'static str, &'static str)>,
}

/// A row with these columns.
fn row(columns: Value) -> Row {
    match columns {
        Value::Object(columns) => columns,
        _ => Row::new(),
    }
}

fn tail<'a>(list: &'a [Row], chance: &mut Chance) -> &'a Row {
    &list[chance.below(list.len())]
}

impl Inventor {
    fn keep(&mut self, name: &str, row: Row) {
        if let Some(module) = schema::module(name) {
            self.keep_in(module, row);
        }
    }

    fn keep_in(&mut self, module: &Module, row: Row) {
        // It cannot fail: the store has room for more than is invented.
        let _ = self.store.put(module, row);
    }

    fn moment(&mut self) -> Value {
        let seconds = self.chance.below(DAYS * 86_400) as i64;
        stamp(Timestamp::from_second(START_SECONDS + seconds).unwrap_or(Timestamp::UNIX_EPOCH))
    }

    /// What every record has: id, stamps, owner.
    fn plumbing(&mut self) -> Row {
        let owner = ACCOUNTS[1 + self.chance.below(ACCOUNTS.len() - 1)].id;
        let (one, other) = (self.moment(), self.moment());
        let is_ordered = one.as_str() <= other.as_str();
        let (entered, modified) = if is_ordered {
            (one, other)
        } else {
            (other, one)
        };
        row(json!({
            "id": self.chance.uuid(), "date_entered": entered, "date_modified": modified,
            "created_by": "1", "modified_user_id": owner, "assigned_user_id": owner,
            "team_name": [{"id": "1", "name": "Global", "name_2": "", "primary": true, "selected": false}],
        }))
    }

    fn users(&mut self) {
        ACCOUNTS.iter().for_each(|account| self.account(account));
        for _ in 0..6 {
            let (first, last, _) = self.name();
            let mail = self.address(
                &format!("{}.{}@example.com", plain(first), plain(last)),
                true,
            );
            let id = self.chance.uuid();
            let user = json!({"id": id, "user_name": plain(first), "first_name": first, "last_name": last, "is_admin": false, "email": [mail]});
            self.user(row(user));
        }
    }

    fn account(&mut self, account: &Account) {
        let mail = self.address(&format!("{}@example.com", account.name), true);
        let user = json!({
            "id": account.id, "user_name": account.name, "first_name": account.first_name, "last_name": account.last_name,
            "title": account.title, "is_admin": account.is_admin(), "email": [mail],
        });
        self.user(row(user));
    }

    fn user(&mut self, mut user: Row) {
        let entered = stamp(Timestamp::from_second(START_SECONDS).unwrap_or(Timestamp::UNIX_EPOCH));
        user.insert("date_entered".into(), entered.clone());
        user.insert("date_modified".into(), entered);
        user.insert("status".into(), json!("Active"));
        user.insert("employee_status".into(), json!("Active"));
        user.insert(
            "phone_work".into(),
            json!(people::phone(&mut self.chance, false)),
        );
        self.keep("Users", user);
    }

    /// A name that nobody has yet, and whether it is a woman's.
    fn name(&mut self) -> (&'static str, &'static str, bool) {
        loop {
            let is_woman = self.chance.in_hundred(50);
            let first = self
                .chance
                .pick(if is_woman { words::WOMEN } else { words::MEN });
            let last = self.chance.pick(words::LAST);
            if self.names.insert((first, last)) {
                return (first, last, is_woman);
            }
        }
    }

    fn address(&mut self, mail: &str, primary: bool) -> Value {
        json!({
            "email_address": mail, "primary_address": primary, "reply_to_address": false, "invalid_email": false,
            "opt_out": self.chance.in_hundred(10), "email_address_id": self.chance.uuid(),
        })
    }

    fn place(&mut self, prefix: &str, into: &mut Row) {
        let [town, postcode, country] = words::TOWNS[self.chance.below(words::TOWNS.len())];
        let street = format!(
            "{} {}",
            1 + self.chance.below(90),
            self.chance.pick(words::STREETS)
        );
        for (part, value) in [
            ("street", street.as_str()),
            ("city", town),
            ("postalcode", postcode),
            ("country", country),
        ] {
            into.insert(format!("{prefix}_address_{part}"), json!(value));
        }
    }

    fn companies(&mut self) -> Vec<Row> {
        let mut companies = Vec::new();
        for number in 0..COMPANIES {
            let kind = words::COMPANY_KINDS[number % words::COMPANY_KINDS.len()];
            let name = words::COMPANY_NAMES[number / words::COMPANY_KINDS.len()];
            let form = self.chance.pick(words::COMPANY_FORMS);
            let site = format!("{}-{}.example.org", plain(kind), plain(name));
            let mut company = self.plumbing();
            let mail = self.address(&format!("contact@{site}"), true);
            company.extend(row(json!({
                "name": format!("{kind} {name} {form}"), "website": format!("https://{site}"), "email": [mail],
                "account_type": self.chance.pick(&["Customer", "Prospect", "Partner", "Supplier"]),
                "industry": self.chance.pick(&["Food", "Construction", "Textile", "Transport", "Energy", "Services"]),
                "annual_revenue": (100_000 * (1 + self.chance.below(400))).to_string(), "employees": (1 + self.chance.below(300)).to_string(),
                "phone_office": people::phone(&mut self.chance, false), "sync_key": format!("ERP-A-{number:04}"),
            })));
            self.place("billing", &mut company);
            self.keep("Accounts", company.clone());
            companies.push(company);
        }
        companies
    }

    /// What contacts and leads have in common.
    fn person(&mut self) -> (Row, bool) {
        let (first, last, is_woman) = self.name();
        let [title, department] = words::JOBS[self.chance.below(words::JOBS.len())];
        let domain = self
            .chance
            .pick(&["example.org", "example.net", "example.com"]);
        let mut person = self.plumbing();
        let mut mails =
            vec![self.address(&format!("{}.{}@{domain}", plain(first), plain(last)), true)];
        if self.chance.in_hundred(30) {
            let private = format!("{}{}@example.net", plain(first), self.chance.digits(3));
            mails.push(self.address(&private, false));
        }
        let mobile = if self.chance.in_hundred(80) {
            people::phone(&mut self.chance, true)
        } else {
            String::new()
        };
        person.extend(row(json!({
            "salutation": if is_woman { "Mme" } else { "M." }, "first_name": first, "last_name": last, "title": title,
            "department": department, "phone_mobile": mobile, "phone_work": people::phone(&mut self.chance, false), "email": mails,
            "lead_source": self.chance.pick(&["Existing Customer", "Partner", "Trade Show", "Web Site", "Campaign"]),
            "preferred_language": "fr_FR", "dp_business_purpose": ["Business Communications"],
            "dp_consent_last_updated": format!("2025-{:02}-{:02}", 1 + self.chance.below(12), 1 + self.chance.below(28)),
        })));
        self.place("primary", &mut person);
        (person, is_woman)
    }

    fn contact(&mut self, companies: &[Row]) -> Row {
        let (mut contact, is_woman) = self.person();
        let (year, month, day) = (
            1950 + self.chance.below(55),
            1 + self.chance.below(12),
            1 + self.chance.below(28),
        );
        contact.insert(
            "account_id".into(),
            tail(companies, &mut self.chance)["id"].clone(),
        );
        contact.insert(
            "birthdate".into(),
            json!(format!("{year}-{month:02}-{day:02}")),
        );
        contact.insert(
            "sync_key".into(),
            json!(format!("ERP-C-{}", self.chance.digits(6))),
        );
        contact.insert("portal_password1".into(), Value::Null);
        let has_portal = self.chance.in_hundred(40);
        contact.insert("portal_active".into(), json!(has_portal));
        if has_portal {
            contact.insert(
                "portal_name".into(),
                json!(format!("portal-{}", self.chance.digits(5))),
            );
        }
        let portal_hash = json!(format!("$1$DemoOnly${:016x}", self.chance.next()));
        contact.insert(
            "portal_password".into(),
            if has_portal { portal_hash } else { Value::Null },
        );
        if self.chance.in_hundred(85) {
            let account = people::bank_account(&mut self.chance);
            contact.insert("iban_c".into(), json!(account.iban));
            contact.insert("bic_c".into(), json!(account.bic));
            if self.chance.in_hundred(35) {
                contact.insert("description".into(), json!(self.bank_remark(&account.iban)));
            }
        }
        if self.chance.in_hundred(80) {
            contact.insert(
                "nir_c".into(),
                json!(people::national_number(
                    &mut self.chance,
                    is_woman,
                    year,
                    month
                )),
            );
        }
        if self.chance.in_hundred(20) {
            contact.insert(
                "religion_c".into(),
                json!(self.chance.pick(words::RELIGIONS)),
            );
        }
        if self.chance.in_hundred(20) {
            contact.insert(
                "health_notes_c".into(),
                json!(self.chance.pick(words::HEALTH)),
            );
        }
        contact.insert("union_member_c".into(), json!(self.chance.in_hundred(15)));
        self.keep("Contacts", contact.clone());
        for (mark, percent) in [(Mark::Favorite, 5), (Mark::Following, 10)] {
            for account in ACCOUNTS {
                if self.chance.in_hundred(percent) {
                    self.store
                        .mark(mark, account.id, text(&contact, "id"), true);
                }
            }
        }
        contact
    }

    fn bank_remark(&mut self, iban: &str) -> String {
        let way = self.chance.below(7);
        self.chance
            .pick(words::BANK_REMARKS)
            .replace("{}", &people::written(iban, way))
    }

    fn lead(&mut self) -> Row {
        let (mut lead, _) = self.person();
        let company = format!(
            "{} {}",
            self.chance.pick(words::COMPANY_KINDS),
            text(&lead, "last_name")
        );
        lead.extend(row(json!({
            "status": self.chance.pick(&["New", "Assigned", "In Process", "Recycled", "Dead"]), "account_name": company,
            "opportunity_amount": (500 * (1 + self.chance.below(100))).to_string(),
        })));
        if self.chance.in_hundred(25) {
            let iban = people::bank_account(&mut self.chance).iban;
            lead.insert("description".into(), json!(self.bank_remark(&iban)));
        }
        self.keep("Leads", lead.clone());
        lead
    }

    fn case(&mut self, number: usize, contacts: &[Row], leads: &[Row]) -> Row {
        let mut case = self.plumbing();
        let contact = tail(contacts, &mut self.chance);
        let (contact_id, id) = (text(contact, "id"), text(&case, "id").to_owned());
        let mut description = self.chance.pick(words::REMARKS).to_owned();
        if self.chance.in_hundred(30) && contact.contains_key("iban_c") {
            description = self.bank_remark(text(contact, "iban_c"));
        }
        case.extend(row(json!({
            "name": self.chance.pick(words::CASES), "case_number": 1_000 + number, "type": self.chance.pick(&["Administration", "Product", "User"]),
            "status": self.chance.pick(&["New", "Assigned", "Closed", "Pending Input"]), "priority": self.chance.pick(&["P1", "P2", "P3"]),
            "source": self.chance.pick(&["Internal", "Web", "InboundEmail"]), "description": description,
            "account_id": contact["account_id"], "primary_contact_id": contact_id, "portal_viewable": self.chance.in_hundred(50),
        })));
        self.keep("Cases", case.clone());
        let links = [
            ("contacts", Some(contact_id)),
            ("leads", leads.get(number).map(|lead| text(lead, "id"))),
        ];
        for (name, other) in links {
            let link = schema::module("Cases").and_then(|module| module.link(name));
            if let (Some(link), Some(other)) = (link, other) {
                self.store.relate(link, &id, other, true);
            }
        }
        case
    }

    fn note(&mut self, contacts: &[Row], companies: &[Row], leads: &[Row], cases: &[Row]) {
        let mut note = self.plumbing();
        let (parent_type, list) = [
            ("Contacts", contacts),
            ("Contacts", contacts),
            ("Accounts", companies),
            ("Leads", leads),
            ("Cases", cases),
        ][self.chance.below(5)];
        let parent = tail(list, &mut self.chance);
        let mut description = self.chance.pick(words::REMARKS).to_owned();
        if self.chance.in_hundred(45) && parent.contains_key("iban_c") {
            description = format!(
                "{description}\n{}",
                self.bank_remark(text(parent, "iban_c"))
            );
        }
        if self.chance.in_hundred(10) && parent.contains_key("nir_c") {
            description = format!(
                "{description} N° de sécurité sociale : {}.",
                text(parent, "nir_c")
            );
        }
        let contact_id = if parent_type == "Contacts" {
            text(parent, "id")
        } else {
            ""
        };
        note.extend(row(json!({
            "name": self.chance.pick(words::NOTES), "description": description, "parent_type": parent_type, "parent_id": parent["id"],
            "contact_id": contact_id,
        })));
        self.keep("Notes", note);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows<'a>(store: &'a Store, module: &str) -> Vec<&'a Row> {
        store.rows(schema::module(module).unwrap())
    }

    #[test]
    fn the_crm_is_as_full_as_promised() {
        let store = store(7);
        for (module, least) in [
            ("Contacts", 300),
            ("Accounts", 60),
            ("Leads", 80),
            ("Cases", 120),
            ("Notes", 200),
            ("Users", 9),
        ] {
            assert!(rows(&store, module).len() >= least, "{module}");
        }
        let contacts = rows(&store, "Contacts");
        let with = |field: &str| {
            contacts
                .iter()
                .filter(|row| !text(row, field).is_empty())
                .count()
        };
        for (field, least) in [
            ("iban_c", 250),
            ("bic_c", 250),
            ("nir_c", 230),
            ("religion_c", 30),
            ("health_notes_c", 30),
        ] {
            assert!(with(field) >= least, "{field}");
        }
        assert!(
            contacts
                .iter()
                .any(|row| row["union_member_c"] == json!(true))
        );
    }

    #[test]
    fn the_same_seed_makes_the_same_people() {
        let all = |seed| {
            let store = store(seed);
            schema::MODULES
                .iter()
                .flat_map(|module| {
                    store
                        .rows(module)
                        .into_iter()
                        .cloned()
                        .collect::<Vec<Row>>()
                })
                .collect::<Vec<Row>>()
        };
        assert_eq!(all(3), all(3));
        assert_ne!(all(3), all(4));
    }

    #[test]
    fn people_can_only_be_reached_where_nobody_is() {
        let store = store(7);
        for row in rows(&store, "Contacts") {
            for phone in [text(row, "phone_work"), text(row, "phone_mobile")] {
                assert!(
                    phone.is_empty()
                        || phone.starts_with("01 99 00 ")
                        || phone.starts_with("06 39 98 ")
                );
            }
            for mail in row["email"].as_array().unwrap() {
                let mail = mail["email_address"].as_str().unwrap();
                assert!(mail.is_ascii() && mail.contains("@example."), "{mail}");
            }
        }
    }

    #[test]
    fn texts_repeat_ibans_in_several_groupings() {
        let store = store(7);
        let (mut plain, mut grouped) = (0, 0);
        for row in rows(&store, "Contacts") {
            let (iban, description) = (text(row, "iban_c"), text(row, "description"));
            let squeezed: String = description
                .chars()
                .filter(|c| c.is_ascii_alphanumeric())
                .collect();
            if !iban.is_empty() && squeezed.to_uppercase().contains(iban) {
                *(if description.contains(iban) {
                    &mut plain
                } else {
                    &mut grouped
                }) += 1;
            }
        }
        assert!(plain > 0 && grouped > 20, "{plain} {grouped}");
    }
}
