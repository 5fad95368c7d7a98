//! The grammar of filters, and how a filter is written back.

use serde_json::{Map, Value, json};

use super::{Context, grammar};
use crate::dialect::{Link, Path, Predicate};
use crate::reason::Reason;
use crate::vocabulary::Module;

/// Predicates of one filter.
const PREDICATES_MAX: usize = 200;
/// Nesting of `$and` and `$or`.
const DEPTH_MAX: usize = 16;
/// Bytes of one value.
const VALUE_BYTES_MAX: usize = 1_000;
/// Items of one list.
const ITEMS_MAX: usize = 500;
/// Digits of a time span.
const SPAN_DIGITS_MAX: usize = 5;

/// What an operator compares with.
#[derive(Clone, Copy)]
enum Operand {
    /// A scalar.
    Scalar,
    /// A scalar or null.
    ScalarOrNull,
    /// A scalar, or a list for fields with several values.
    ScalarOrList,
    /// A list.
    List,
    /// A list of two.
    Pair,
    /// Nothing: any sign that the operator is meant.
    Nothing,
    /// A word for a span of days.
    DateRange,
    /// An object with exactly these members.
    Place(&'static [&'static str]),
}

const OPERATORS: &[(&str, Operand)] = &[
    ("$equals", Operand::ScalarOrNull),
    ("$not_equals", Operand::ScalarOrNull),
    ("$starts", Operand::Scalar),
    ("$ends", Operand::Scalar),
    ("$contains", Operand::ScalarOrList),
    ("$not_contains", Operand::ScalarOrList),
    ("$in", Operand::List),
    ("$not_in", Operand::List),
    ("$is_null", Operand::Nothing),
    ("$not_null", Operand::Nothing),
    ("$empty", Operand::Nothing),
    ("$not_empty", Operand::Nothing),
    ("$lt", Operand::Scalar),
    ("$lte", Operand::Scalar),
    ("$gt", Operand::Scalar),
    ("$gte", Operand::Scalar),
    ("$between", Operand::Pair),
    ("$dateBetween", Operand::Pair),
    ("$dateRange", Operand::DateRange),
    (
        "$in_radius_from_zip",
        Operand::Place(&["zipCode", "countries", "radius", "unitType"]),
    ),
    (
        "$in_radius_from_coords",
        Operand::Place(&["latitude", "longitude", "radius", "unitType"]),
    ),
];

/// Fields that an operator about a place may stand on. The CRM looks where the record's address lies, whatever the
/// field, so the field must be one that the policy classifies as an address.
const ADDRESSES: &[&str] = &[
    "address_",
    "alt_address_",
    "billing_address_",
    "primary_address_",
    "shipping_address_",
];

const DATE_RANGES: &[&str] = &[
    "today",
    "yesterday",
    "tomorrow",
    "last_7_days",
    "next_7_days",
    "last_30_days",
    "next_30_days",
    "last_month",
    "this_month",
    "next_month",
    "last_year",
    "this_year",
    "next_year",
];

/// Words about the caller. All but `$tracker` take a link, or what says that the record itself is meant: nothing, or
/// [`ITSELF`].
const CALLER_WORDS: &[&str] = &["$favorite", "$following", "$owner", "$creator", "$tracker"];
const ITSELF: &str = "_this";

/// Links to the table of e-mail addresses. What is asked of it is asked of the module's own `email`.
const EMAIL_LINKS: &[&str] = &["email_addresses", "email_addresses_primary"];
const EMAIL: &str = "email";

/// Records that are not deleted are all that a list gives.
const DELETED: &str = "deleted";

/// Reads the value of `filter`. `None` is every record.
pub(super) fn read(
    value: &Value,
    own: &Module,
    terms: &Context<'_>,
) -> Result<Option<Predicate>, Reason> {
    let mut reader = Reader {
        own,
        terms,
        predicates_left: PREDICATES_MAX,
    };
    let parsed;
    let value = match value {
        Value::String(text) if !text.is_empty() => {
            parsed = crate::json::read(text.as_bytes(), terms.bounds.depth_max)
                .map_err(|_| Reason::MalformedFilter)?;
            &parsed
        }
        other => other,
    };
    match value {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => Ok(None),
        Value::Array(items) if items.is_empty() => Ok(None),
        Value::Object(members) if members.is_empty() => Ok(None),
        Value::Array(items) => {
            let parts = reader.expressions(items, Junction::All, DEPTH_MAX)?;
            Ok((!parts.is_empty()).then_some(Predicate::All(parts)))
        }
        _ => Err(Reason::MalformedFilter),
    }
}

/// What joins the expressions of a list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Junction {
    All,
    Any,
}

struct Reader<'a> {
    own: &'a Module,
    terms: &'a Context<'a>,
    predicates_left: usize,
}

impl Reader<'_> {
    fn expressions(
        &mut self,
        items: &[Value],
        joined: Junction,
        depth_left: usize,
    ) -> Result<Vec<Predicate>, Reason> {
        items
            .iter()
            .filter_map(|item| {
                let Value::Object(members) = item else {
                    return Some(Err(Reason::MalformedFilter));
                };
                let clause =
                    |(key, value): (&String, &Value)| self.clause(key, value, joined, depth_left);
                only_or_all(members, joined, clause).transpose()
            })
            .collect()
    }

    fn clause(
        &mut self,
        key: &str,
        value: &Value,
        joined: Junction,
        depth_left: usize,
    ) -> Result<Option<Predicate>, Reason> {
        self.predicates_left = self
            .predicates_left
            .checked_sub(1)
            .ok_or(Reason::MalformedFilter)?;
        match (key, value) {
            ("$and" | "$or", Value::Array(items)) if !items.is_empty() => {
                let depth_left = depth_left.checked_sub(1).ok_or(Reason::MalformedFilter)?;
                if key == "$or" {
                    let parts = self.expressions(items, Junction::Any, depth_left)?;
                    return Ok(Some(Predicate::Any(parts)));
                }
                let parts = self.expressions(items, Junction::All, depth_left)?;
                match (parts.is_empty(), joined) {
                    (false, _) => Ok(Some(Predicate::All(parts))),
                    (true, Junction::All) => Ok(None),
                    (true, Junction::Any) => Err(Reason::StoredQuery),
                }
            }
            (_, Value::String(argument)) if key.starts_with('$') => {
                self.about_caller(key, argument).map(Some)
            }
            _ if key.starts_with('$') => Err(Reason::MalformedFilter),
            _ => self.field(key, value, joined),
        }
    }

    fn about_caller(&self, key: &str, argument: &str) -> Result<Predicate, Reason> {
        let word = *CALLER_WORDS
            .iter()
            .find(|word| **word == key)
            .ok_or(Reason::MalformedFilter)?;
        if word == "$tracker" {
            if !is_time_span(argument) {
                return Err(Reason::MalformedFilter);
            }
        } else if !argument.is_empty() && argument != ITSELF {
            self.terms
                .link(self.own, argument)
                .ok_or(Reason::UnknownLink)?;
        }
        Ok(Predicate::Caller {
            word,
            argument: argument.to_owned(),
        })
    }

    fn field(
        &mut self,
        key: &str,
        value: &Value,
        joined: Junction,
    ) -> Result<Option<Predicate>, Reason> {
        // What a list does anyway, beside other conditions that all hold; as one of several it would mean every record.
        if key == DELETED && joined == Junction::All && is_not_deleted(value) {
            return Ok(None);
        }
        let path = path(key, self.own, self.terms, Reason::MalformedFilter)?;
        if path.field.eq_ignore_ascii_case(DELETED) {
            return Err(Reason::StoredQuery);
        }
        let Value::Object(operators) = value else {
            let value = operand(Operand::ScalarOrNull, value).ok_or(Reason::MalformedFilter)?;
            return Ok(Some(Predicate::Field {
                path,
                operator: None,
                value,
            }));
        };
        self.predicates_left = self
            .predicates_left
            .checked_sub(operators.len().saturating_sub(1))
            .ok_or(Reason::MalformedFilter)?;
        only_or_all(operators, joined, |(name, value)| {
            let (operator, takes) = OPERATORS
                .iter()
                .find(|(operator, _)| operator == name)
                .ok_or(Reason::MalformedFilter)?;
            if matches!(takes, Operand::Place(_)) && !is_address(&path.field) {
                return Err(Reason::MalformedFilter);
            }
            Ok(Some(Predicate::Field {
                path: path.clone(),
                operator: Some(operator),
                value: operand(*takes, value).ok_or(Reason::MalformedFilter)?,
            }))
        })
    }
}

/// Whether a condition says that records are not deleted.
fn is_not_deleted(value: &Value) -> bool {
    let value = match value {
        Value::Object(operators) if operators.len() == 1 => operators.get("$equals"),
        other => Some(other),
    };
    value.is_some_and(|value| [json!(0), json!("0"), json!(false)].contains(value))
}

/// Reads the members of an object: one, or several that all hold; nothing, if they say what a list does anyway. Below `$or` the CRM would join several with "or",
/// which nobody who wrote them can be sure of.
fn only_or_all<'a>(
    members: &'a Map<String, Value>,
    joined: Junction,
    mut read: impl FnMut((&'a String, &'a Value)) -> Result<Option<Predicate>, Reason>,
) -> Result<Option<Predicate>, Reason> {
    let mut parts = members.iter();
    match (parts.next(), members.len()) {
        (Some(only), 1) => read(only),
        (Some(_), _) if joined == Junction::All => {
            let parts = members.iter().filter_map(|member| read(member).transpose());
            let parts = parts.collect::<Result<Vec<_>, _>>()?;
            Ok((!parts.is_empty()).then_some(Predicate::All(parts)))
        }
        _ => Err(Reason::MalformedFilter),
    }
}

/// Reads `field` or `link.field`. Of an e-mail address it is the whole text that names the link, and `email` the field.
pub(super) fn path(
    text: &str,
    own: &Module,
    terms: &Context<'_>,
    otherwise: Reason,
) -> Result<Path, Reason> {
    let (link, field) = match text.split_once('.') {
        Some((link, field)) => (Some(link), field),
        None => (None, text),
    };
    if !grammar::is_field(field) || link.is_some_and(|link| !grammar::is_link(link)) {
        return Err(otherwise);
    }
    if link.is_some_and(|link| EMAIL_LINKS.contains(&link)) {
        if field.eq_ignore_ascii_case(DELETED) {
            return Err(Reason::StoredQuery);
        }
        let link = Link {
            name: text.to_owned(),
            target: own.clone(),
        };
        return Ok(Path {
            link: Some(link),
            field: EMAIL.to_owned(),
        });
    }
    let link = link
        .map(|link| terms.link(own, link).ok_or(Reason::UnknownLink))
        .transpose()?;
    Ok(Path {
        link,
        field: field.to_owned(),
    })
}

/// `-7 DAY`.
fn is_time_span(text: &str) -> bool {
    text.strip_prefix('-')
        .unwrap_or(text)
        .split_once(' ')
        .is_some_and(|(number, unit)| {
            (1..=SPAN_DIGITS_MAX).contains(&number.len())
                && number.bytes().all(|byte| byte.is_ascii_digit())
                && matches!(unit, "MINUTE" | "HOUR" | "DAY" | "WEEK" | "MONTH" | "YEAR")
        })
}

/// The operand as it is written back, if it is one that the operator takes.
fn operand(takes: Operand, value: &Value) -> Option<Value> {
    let fits = match takes {
        Operand::Scalar => is_scalar(value),
        Operand::ScalarOrNull => value.is_null() || is_scalar(value),
        Operand::ScalarOrList => is_scalar(value) || is_list(value),
        Operand::List => is_list(value),
        Operand::Pair => is_list(value) && value.as_array().is_some_and(|items| items.len() == 2),
        Operand::DateRange => value
            .as_str()
            .is_some_and(|word| DATE_RANGES.contains(&word)),
        Operand::Place(members) => is_place(members, value),
        Operand::Nothing => {
            let meant = [json!(""), json!(null), json!(true), json!(1), json!("1")];
            return meant.contains(value).then(|| json!(""));
        }
    };
    fits.then(|| value.clone())
}

fn is_address(field: &str) -> bool {
    let field = field.to_ascii_lowercase();
    ADDRESSES.iter().any(|start| field.starts_with(start))
}

fn is_scalar(value: &Value) -> bool {
    match value {
        Value::String(text) => text.len() <= VALUE_BYTES_MAX && !text.chars().any(char::is_control),
        Value::Number(number) => number.to_string().len() <= VALUE_BYTES_MAX,
        Value::Bool(_) => true,
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

fn is_list(value: &Value) -> bool {
    value
        .as_array()
        .is_some_and(|items| items.len() <= ITEMS_MAX && items.iter().all(is_scalar))
}

fn is_place(members: &[&str], value: &Value) -> bool {
    value.as_object().is_some_and(|place| {
        place.len() == members.len()
            && members.iter().all(|member| {
                place.get(*member).is_some_and(|value| match *member {
                    "countries" => is_scalar(value) || is_list(value),
                    "zipCode" => is_scalar(value),
                    "unitType" => is_unit(value),
                    _ => is_number(value),
                })
            })
    })
}

/// `km`, `miles`.
fn is_unit(value: &Value) -> bool {
    let word = value.as_str();
    word.is_some_and(|word| word.len() <= 20 && word.bytes().all(|byte| byte.is_ascii_alphabetic()))
}

/// A number, or a text that is one.
fn is_number(value: &Value) -> bool {
    let plain = |byte: u8| byte.is_ascii_digit() || byte == b'.' || byte == b'-';
    match value {
        Value::Number(_) => is_scalar(value),
        Value::String(text) => is_scalar(value) && !text.is_empty() && text.bytes().all(plain),
        _ => false,
    }
}

/// Writes a filter back as the list that `filter` holds.
pub(super) fn render(filter: &Predicate) -> Value {
    match filter {
        Predicate::All(parts) => parts.iter().map(expression).collect(),
        other => Value::Array(vec![expression(other)]),
    }
}

fn expression(filter: &Predicate) -> Value {
    let (key, value) = match filter {
        Predicate::All(parts) => ("$and".to_owned(), parts.iter().map(expression).collect()),
        Predicate::Any(parts) => ("$or".to_owned(), parts.iter().map(expression).collect()),
        // The grammar has none.
        Predicate::Not(part) => ("$not".to_owned(), Value::Array(vec![expression(part)])),
        Predicate::Caller { word, argument } => ((*word).to_owned(), json!(argument)),
        Predicate::Field {
            path,
            operator,
            value,
        } => {
            let value = operator.map_or_else(|| value.clone(), |operator| json!({operator: value}));
            (path_text(path), value)
        }
    };
    Value::Object(Map::from_iter([(key, value)]))
}

/// Writes a path back.
pub(super) fn path_text(path: &Path) -> String {
    match &path.link {
        Some(link) if link.name.contains('.') => link.name.clone(),
        Some(link) => format!("{}.{}", link.name, path.field),
        None => path.field.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::stock_terms;
    use super::{DATE_RANGES, DEPTH_MAX, OPERATORS, read, render};
    use crate::dialect::{Link, Path, Predicate};
    use crate::reason::Reason;
    use crate::vocabulary::Module;

    fn filter(value: Value) -> Result<Option<Predicate>, Reason> {
        read(&value, &Module::new("Contacts"), &stock_terms())
    }

    fn field(name: &str, operator: Option<&'static str>, value: Value) -> Predicate {
        Predicate::Field {
            path: Path {
                link: None,
                field: name.to_owned(),
            },
            operator,
            value,
        }
    }

    #[test]
    fn nothing_to_match_is_every_record() {
        for value in [json!([]), json!({}), json!(""), json!(null), json!("[]")] {
            assert_eq!(filter(value.clone()), Ok(None), "{value}");
        }
    }

    #[test]
    fn all_forms_of_a_predicate_are_read_and_written_back() {
        let value = json!([
            {"$and": [
                {"primary_address_country": {"$in": ["FR", "BE"]}},
                {"$or": [{"last_name": {"$starts": "Ta"}}, {"assigned_user_id": "u-1"}]},
                {"date_modified": {"$dateRange": "last_30_days"}},
                {"accounts.industry": {"$equals": null}}
            ]},
            {"$favorite": ""}, {"$owner": "accounts"}, {"$creator": "_this"}, {"$tracker": "-7 DAY"},
            {"email_addresses.email_address": {"$in": ["a@b.example"]}},
            {"amount": {"$between": [1, "2.50"]}},
            {"flag": true},
            {"tag": {"$not_contains": ["a"]}},
            {"primary_address_city": {"$in_radius_from_zip": {"zipCode": "76000", "countries": ["FR"], "radius": 5, "unitType": "km"}}}
        ]);
        let read = filter(value.clone()).unwrap().unwrap();
        assert_eq!(render(&read), value);
        assert_eq!(filter(Value::String(value.to_string())), Ok(Some(read)));
    }

    #[test]
    fn each_operator_checks_its_operand() {
        for (operator, _) in OPERATORS {
            let good = match *operator {
                "$in" | "$not_in" | "$between" | "$dateBetween" => json!(["a", 1]),
                "$is_null" | "$not_null" | "$empty" | "$not_empty" => json!(""),
                "$dateRange" => json!(DATE_RANGES[0]),
                "$in_radius_from_zip" => {
                    json!({"zipCode": "1", "countries": "FR", "radius": 1, "unitType": "km"})
                }
                "$in_radius_from_coords" => {
                    json!({"latitude": "1", "longitude": 2, "radius": 1, "unitType": "km"})
                }
                _ => json!("a"),
            };
            let name = "primary_address_city";
            let test = |value: &Value| filter(json!([{name: {*operator: value}}]));
            assert_eq!(
                test(&good),
                Ok(Some(Predicate::All(vec![field(
                    name,
                    Some(operator),
                    good.clone()
                )])))
            );
            for bad in [
                json!({"a": 1}),
                json!([["a"]]),
                json!([{"$in": 1}]),
                json!("a\u{0}b"),
                json!("x".repeat(1_001)),
            ] {
                assert_eq!(test(&bad), Err(Reason::MalformedFilter), "{operator} {bad}");
            }
        }
        for bad in [
            json!({"$in": "a"}),
            json!({"$between": ["a"]}),
            json!({"$starts": ["a"]}),
            json!({"$lt": null}),
            json!({"$in": [null]}),
            json!({"$dateRange": "last_31_days"}),
            json!({"$is_null": false}),
            json!({"$in_radius_from_zip": {"zipCode": "1", "radius": 1, "unitType": "km"}}),
            json!({"$in_radius_from_coords": {"latitude": 1, "longitude": 2, "radius": 1, "iban_c": "F"}}),
            json!({"$in_radius_from_coords": {"latitude": "1) OR (1", "longitude": 2, "radius": 1, "unitType": "km"}}),
            json!({"$in_radius_from_coords": {"latitude": 1, "longitude": 2, "radius": 1, "unitType": "k m"}}),
        ] {
            assert_eq!(
                filter(json!([{"primary_address_city": bad}])),
                Err(Reason::MalformedFilter),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_place_is_matched_on_an_address_only() {
        let near = json!({"$in_radius_from_coords": {"latitude": 1, "longitude": 2, "radius": 1, "unitType": "km"}});
        for name in ["primary_address_street", "Billing_Address_city"] {
            assert!(filter(json!([{name: near}])).is_ok(), "{name}");
        }
        for name in ["id", "name", "date_entered", "email_address", "accounts.id"] {
            let found = filter(json!([{name: near}]));
            assert_eq!(found, Err(Reason::MalformedFilter), "{name}");
        }
    }

    #[test]
    fn what_is_not_in_the_grammar_is_refused() {
        for value in [
            json!("{"),
            json!("x"),
            json!(1),
            json!({"name": "x"}),
            json!(["name"]),
            json!([[]]),
            json!([{}]),
            json!([{"name": []}]),
            json!([{"name": {}}]),
            json!([{"name": ["a"]}]),
            json!([{"name": {"$regex": "a"}}]),
            json!([{"name": {"starts": "a"}}]),
            json!([{"name": {"$STARTS": "a"}}]),
            json!([{"name": {"$fromDays": 1}}]),
            json!([{"na me": "a"}]),
            json!([{"": "a"}]),
            json!([{"a.b.c": "a"}]),
            json!([{".name": "a"}]),
            json!([{"$not": [{"a": 1}]}]),
            json!([{"$and": []}]),
            json!([{"$or": {}}]),
            json!([{"$or": {"a": 1}}]),
            json!([{"$owner": true}]),
            json!([{"$tracker": ""}]),
            json!([{"$tracker": "-7 DAY); DROP"}]),
            json!([{"$reference": ""}]),
        ] {
            assert_eq!(
                filter(value.clone()),
                Err(Reason::MalformedFilter),
                "{value}"
            );
        }
    }

    #[test]
    fn related_fields_belong_to_the_target_of_their_link() {
        let read = filter(json!([{"accounts.industry": "x"}]))
            .unwrap()
            .unwrap();
        let mut seen = Vec::new();
        read.each_path(&mut |path| seen.push(path.clone()));
        let link = Link {
            name: "accounts".to_owned(),
            target: Module::new("Accounts"),
        };
        assert_eq!(
            seen,
            [Path {
                link: Some(link),
                field: "industry".to_owned()
            }]
        );
        for value in [
            json!([{"members.industry": "x"}]),
            json!([{"$owner": "iban_c"}]),
        ] {
            assert_eq!(filter(value), Err(Reason::UnknownLink));
        }
    }

    #[test]
    fn several_members_are_joined_by_and_where_that_is_certain() {
        let both = || {
            vec![
                field("a", Some("$gt"), json!(1)),
                field("a", Some("$lt"), json!(5)),
            ]
        };
        assert_eq!(
            filter(json!([{"a": {"$gt": 1, "$lt": 5}}])),
            Ok(Some(Predicate::All(vec![Predicate::All(both())])))
        );
        for value in [
            json!([{"$or": [{"a": {"$gt": 1, "$lt": 5}}]}]),
            json!([{"$or": [{"a": 1, "b": 2}]}]),
        ] {
            assert_eq!(filter(value), Err(Reason::MalformedFilter));
        }
        assert!(filter(json!([{"$or": [{"$and": [{"a": 1, "b": 2}]}]}])).is_ok());
    }

    #[test]
    fn what_a_list_does_anyway_is_left_out_where_all_conditions_hold() {
        let a = || field("a", None, json!(1));
        let all = |parts| Ok(Some(Predicate::All(parts)));
        for kept in [json!("0"), json!(0), json!(false), json!({"$equals": "0"})] {
            let both = json!([{"$and": [{"a": 1}, {"deleted": kept}]}]);
            assert_eq!(filter(both), all(vec![Predicate::All(vec![a()])]), "{kept}");
            assert_eq!(filter(json!([{"a": 1}, {"deleted": kept}])), all(vec![a()]));
            let members = json!([{"a": 1, "deleted": kept}]);
            assert_eq!(filter(members), all(vec![Predicate::All(vec![a()])]));
            assert_eq!(filter(json!([{"deleted": kept}])), Ok(None));
            assert_eq!(filter(json!([{"$and": [{"deleted": kept}]}])), Ok(None));
            let within = json!([{"$or": [{"$and": [{"a": 1}, {"deleted": kept}]}]}]);
            assert!(filter(within).is_ok());
            // As one of several conditions it would mean every record.
            for value in [
                json!([{"$or": [{"a": 1}, {"deleted": kept}]}]),
                json!([{"$or": [{"a": 1}, {"$and": [{"deleted": kept}]}]}]),
                json!([{"accounts.deleted": kept}]),
                json!([{"email_addresses.deleted": kept}]),
                json!([{"Deleted": kept}]),
            ] {
                assert_eq!(filter(value.clone()), Err(Reason::StoredQuery), "{value}");
            }
        }
    }

    #[test]
    fn an_email_address_is_the_modules_own() {
        let own = Module::new("Contacts");
        for name in [
            "email_addresses.email_address",
            "email_addresses.opt_out",
            "email_addresses_primary.email_address",
        ] {
            let value = json!([{name: "a@b.example"}]);
            let read = filter(value.clone()).unwrap().unwrap();
            let mut seen = Vec::new();
            read.each_path(&mut |path| seen.push(path.of(&own).to_string()));
            assert_eq!(seen, ["Contacts.email"], "{name}");
            assert_eq!(render(&read), value);
        }
        for name in [
            "email_addresses.a.b",
            "email_addresses.",
            "Email_addresses.a",
        ] {
            let refused = filter(json!([{name: "a"}]));
            assert_eq!(refused, Err(Reason::MalformedFilter), "{name}");
        }
    }

    #[test]
    fn deleted_records_are_not_asked_for_by_a_filter() {
        assert_eq!(filter(json!([{"deleted": 1}])), Err(Reason::StoredQuery));
        assert_eq!(
            filter(json!([{"accounts.Deleted": {"$equals": 1}}])),
            Err(Reason::StoredQuery)
        );
    }

    #[test]
    fn filters_are_bounded() {
        let wide = |count: usize| Value::Array(vec![json!({"a": 1}); count]);
        assert!(filter(wide(200)).is_ok());
        assert_eq!(filter(wide(201)), Err(Reason::MalformedFilter));
        let deep =
            |depth: usize| (0..depth).fold(json!([{"a": 1}]), |inner, _| json!([{"$and": inner}]));
        assert!(filter(deep(DEPTH_MAX)).is_ok());
        assert_eq!(filter(deep(DEPTH_MAX + 1)), Err(Reason::MalformedFilter));
        assert!(filter(json!([{"a": {"$in": vec!["x"; 500]}}])).is_ok());
        assert_eq!(
            filter(json!([{"a": {"$in": vec!["x"; 501]}}])),
            Err(Reason::MalformedFilter)
        );
    }
}
