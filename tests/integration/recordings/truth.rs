//! What a recorded body holds, read without any code of the product: records, their fields, and identifiers in texts.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// A record, as it was found in a body.
#[derive(Clone, Debug)]
pub struct Found {
    /// The module, where the record or the request tells it.
    pub module: Option<String>,
    pub id: String,
    /// Every field's value.
    pub fields: BTreeMap<String, Value>,
}

/// All records of a body, in order, wherever they lie.
pub fn records(body: &Value, module: Option<&str>) -> Vec<Found> {
    let mut found = Vec::new();
    walk(body, module, &mut found);
    found
}

fn walk(value: &Value, module: Option<&str>, found: &mut Vec<Found>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, module, found)),
        Value::Object(members) => {
            if let Some(record) = record(members, module) {
                found.push(record);
            }
            for (key, member) in members {
                // The link's own name is not a module, so nothing is said about those records but their values.
                let module = if key == "relationship_list" || key == "relationships" {
                    None
                } else {
                    module
                };
                walk(member, module, found);
            }
        }
        _ => {}
    }
}

fn record(members: &Map<String, Value>, module: Option<&str>) -> Option<Found> {
    let text = |value: Option<&Value>| match value {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let pair = |key: &str, field: &Value| Some((key.to_owned(), field.get("value")?.clone()));
    let named = |fields: &Value| -> Option<BTreeMap<String, Value>> {
        match fields {
            Value::Object(fields) => fields.iter().map(|(key, field)| pair(key, field)).collect(),
            Value::Array(fields) => fields
                .iter()
                .map(|field| pair(field.get("name")?.as_str()?, field))
                .collect(),
            _ => None,
        }
    };
    if let Some(fields) = members.get("name_value_list").and_then(named) {
        return Some(Found {
            module: text(members.get("module_name")),
            id: text(members.get("id"))?,
            fields,
        });
    }
    // What the legacy API answers to a write: the fields that it was sent, under the name of a list.
    if let Some(fields) = members.get("entry_list").and_then(named) {
        return Some(Found {
            module: module.map(str::to_owned),
            id: text(members.get("id"))?,
            fields,
        });
    }
    if let (Some(fields), Some(kind)) = (members.get("attributes"), members.get("type")) {
        return Some(Found {
            module: kind.as_str().map(plural),
            id: text(members.get("id"))?,
            // PHP writes no attributes as a list.
            fields: fields
                .as_object()
                .cloned()
                .unwrap_or_default()
                .into_iter()
                .collect(),
        });
    }
    // A field of the legacy API that stands for itself.
    if members.len() == 2 && members.contains_key("name") && members.contains_key("value") {
        return None;
    }
    let mut fields: BTreeMap<String, Value> = members.clone().into_iter().collect();
    if let Some(Value::Object(more)) = fields.remove("array_options") {
        fields.extend(more);
    }
    Some(Found {
        module: module.map(str::to_owned),
        id: text(members.get("id"))?,
        fields,
    })
}

/// The module of a bean, by the plural that SuiteCRM's stock modules have.
fn plural(bean: &str) -> String {
    match bean {
        "aCase" | "Case" => "Cases".to_owned(),
        "Opportunity" => "Opportunities".to_owned(),
        "EmailAddress" => "EmailAddresses".to_owned(),
        "Contact" | "Account" | "Lead" | "User" | "Note" | "Call" | "Task" | "Meeting"
        | "Email" | "Document" | "Employee" | "ACLRole" => format!("{bean}s"),
        other => other.to_owned(),
    }
}

/// Text without HTML entities, as often as CRMs encode them.
pub fn meant(text: &str) -> String {
    htmlize::unescape(htmlize::unescape(text).as_ref()).into_owned()
}

/// Characters of a NIR with its key.
pub const NIR_CHARS: usize = 15;

/// The identifiers in a text that are valid by their check digits: IBANs and NIRs, without separators.
pub fn identifiers(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    for start in 0..letters.len() {
        let begins = |at: usize| {
            letters
                .get(start + at)
                .is_some_and(char::is_ascii_alphabetic)
        };
        let may_begin = (begins(0) && begins(1)) || matches!(letters[start], '1' | '2');
        if !may_begin || (start > 0 && letters[start - 1].is_ascii_alphanumeric()) {
            continue;
        }
        let compact: String = letters[start..]
            .iter()
            .take(60)
            .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '.' | '\u{a0}'))
            .filter(|c| c.is_ascii_alphanumeric())
            .collect::<String>()
            .to_ascii_uppercase();
        found.extend(
            (15..=34)
                .rev()
                .filter_map(|length| compact.get(..length))
                .find(|part| is_iban(part))
                .map(str::to_owned),
        );
        found.extend(
            compact
                .get(..15)
                .filter(|part| is_nir(part))
                .map(str::to_owned),
        );
    }
    found
}

fn is_iban(text: &str) -> bool {
    let bytes = text.as_bytes();
    if !(bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[2..4].iter().all(u8::is_ascii_digit))
    {
        return false;
    }
    let rearranged = text[4..].chars().chain(text[..4].chars());
    let mut rest = 0_u64;
    for c in rearranged {
        let digit = u64::from(c.to_digit(36).unwrap());
        rest = (if digit > 9 { rest * 100 } else { rest * 10 } + digit) % 97;
    }
    // The lengths of the countries that occur most.
    let length = match &text[..2] {
        "FR" | "IT" | "MC" => 27,
        "DE" | "GB" | "IE" => 22,
        "BE" => 16,
        "ES" => 24,
        "NL" => 18,
        "PT" => 25,
        "LU" | "AT" => 20,
        "CH" => 21,
        _ => return false,
    };
    rest == 1 && text.len() == length
}

fn is_nir(text: &str) -> bool {
    let department = text[5..7].replace("2A", "19").replace("2B", "18");
    let digits = format!("{}{department}{}", &text[..5], &text[7..13]);
    let (Ok(number), Ok(key)) = (digits.parse::<u64>(), text[13..].parse::<u64>()) else {
        return false;
    };
    matches!(text.as_bytes()[0], b'1' | b'2') && 97 - number % 97 == key
}

#[test]
fn identifiers_are_found_and_checked() {
    assert_eq!(
        identifiers("RIB FR91 7142 4460 0092 6281 3356 444 (BIC CMCIFR2A)"),
        ["FR9171424460009262813356444"]
    );
    assert_eq!(identifiers("NIR 177042A06972019."), ["177042A06972019"]);
    assert!(identifiers("FR91 7142 4460 0092 6281 3356 445, 06 12 34 56 78").is_empty());
}

#[test]
fn what_a_write_is_answered_is_a_record_with_the_fields_that_were_sent() {
    let answer = serde_json::json!({"id": "c-1", "entry_list": {"deleted": {"name": "deleted", "value": 1}}});
    let [found] = &records(&answer, Some("Contacts"))[..] else {
        panic!("one record was answered");
    };
    assert_eq!(
        (found.module.as_deref(), found.id.as_str()),
        (Some("Contacts"), "c-1")
    );
    assert!(found.fields.keys().eq(["deleted"]));
    // A list of records is not the fields of one.
    let list =
        serde_json::json!({"id": "c-1", "entry_list": [{"id": "c-2", "name_value_list": {}}]});
    assert!(records(&list, None).iter().any(|found| found.id == "c-2"));
}
