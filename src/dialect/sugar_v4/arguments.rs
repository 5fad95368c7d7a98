//! The arguments of a method: an object by name, a list by position, or an object whose keys are positions. All become
//! named values, each taken once, none left.

use serde_json::{Map, Value};

use super::grammar;
use super::method::Method;
use crate::json;
use crate::objection::Objection;
use crate::reason::Reason;
use crate::vocabulary::Module;

/// Digits of a number.
const DIGITS_MAX: usize = 9;
/// Arguments that mean yes where nothing is said.
const DEFAULTS_OF_YES: &[&str] = &["unified_search_only"];
/// Items of a list of names or ids.
const ITEMS_MAX: usize = 500;

/// Arguments by name, until each has been taken.
#[derive(Debug)]
pub(super) struct Arguments(Map<String, Value>);

impl Arguments {
    /// Reads `rest_data`.
    pub(super) fn read(text: &str, method: &Method, depth_max: usize) -> Result<Self, Objection> {
        let value = if text.is_empty() {
            Value::Null
        } else {
            json::read(text.as_bytes(), depth_max).map_err(|_| Reason::MalformedBody)?
        };
        match value {
            Value::Null => Ok(Self(Map::new())),
            Value::Array(values) => Self::by_position(values, method),
            Value::Object(members) if is_list(&members) => Self::by_position(
                members.into_iter().map(|(_, value)| value).collect(),
                method,
            ),
            Value::Object(members) => Self::by_name(members, method),
            _ => Err(Reason::MalformedBody.into()),
        }
    }

    /// Lets go of arguments beyond the first `count` of a method, which its version does not have yet, where they say
    /// nothing or what is so without them.
    pub(super) fn limit(&mut self, method: &Method, count: usize) -> Result<(), Objection> {
        for name in method.arguments.iter().skip(count) {
            let value = self.take(name);
            let is_usual = |value: &Value| match DEFAULTS_OF_YES.contains(name) {
                true => flag(value) == Some(true),
                false => flag(value) == Some(false) || says_nothing(value),
            };
            if !value.as_ref().is_none_or(is_usual) {
                return Err(Objection::parameter(name));
            }
        }
        Ok(())
    }

    fn by_position(values: Vec<Value>, method: &Method) -> Result<Self, Objection> {
        let mut values = values;
        // What says nothing behind the last argument is nothing to PHP.
        while values.len() > method.arguments.len() && values.last().is_some_and(says_nothing) {
            values.pop();
        }
        if values.len() > method.arguments.len() {
            return Err(Reason::UnknownParameter.into());
        }
        let names = method.arguments.iter().map(|name| (*name).to_owned());
        Ok(Self(names.zip(values).collect()))
    }

    fn by_name(members: Map<String, Value>, method: &Method) -> Result<Self, Objection> {
        let mut arguments = Map::new();
        for (name, value) in members {
            let meant = method
                .aliases
                .iter()
                .find(|(alias, _)| *alias == name)
                .map_or(name.as_str(), |(_, meant)| meant);
            if !method.arguments.contains(&meant) {
                return Err(Objection::parameter(&name));
            }
            if arguments.insert(meant.to_owned(), value).is_some() {
                return Err(Reason::DuplicateParameter.into());
            }
        }
        Ok(Self(arguments))
    }

    /// Takes an argument out.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.shift_remove(name).filter(|value| !value.is_null())
    }

    /// Takes an argument that is text, or nothing.
    pub(super) fn text(&mut self, name: &str) -> Result<String, Reason> {
        match self.take(name) {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(Reason::MalformedBody),
        }
    }

    /// Takes a name or id of a certain form.
    pub(super) fn word(&mut self, name: &str, fits: fn(&str) -> bool) -> Result<String, Reason> {
        let word = match self.take(name) {
            // Users have numbers for ids, and PHP makes one of the other.
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::String(text)) => text,
            _ => return Err(Reason::MalformedBody),
        };
        fits(&word).then_some(word).ok_or(Reason::MalformedBody)
    }

    /// Takes the name of a module.
    pub(super) fn module(&mut self, name: &str) -> Result<Module, Reason> {
        self.word(name, grammar::is_module)
            .map(|module| Module::new(&module))
    }

    /// Takes a yes or no; nothing is no.
    pub(super) fn flag(&mut self, name: &str) -> Result<bool, Reason> {
        self.take(name)
            .map_or(Some(false), |value| flag(&value))
            .ok_or(Reason::MalformedBody)
    }

    /// Takes a whole number; nothing, or PHP's words for nothing, is none.
    pub(super) fn number(&mut self, name: &str) -> Result<Option<u32>, Reason> {
        let spelling = match self.take(name) {
            None | Some(Value::Bool(false)) => return Ok(None),
            Some(Value::String(text)) => text,
            Some(Value::Number(number)) => number.to_string(),
            Some(_) => return Err(Reason::MalformedPage),
        };
        if spelling.is_empty() || spelling == "-1" {
            return Ok(None);
        }
        if spelling.len() > DIGITS_MAX || !spelling.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Reason::MalformedPage);
        }
        spelling
            .parse()
            .map(Some)
            .map_err(|_| Reason::MalformedPage)
    }

    /// Takes a list; nothing and blank text are an empty one.
    pub(super) fn list(&mut self, name: &str) -> Result<Vec<Value>, Reason> {
        self.take(name).map_or(Ok(Vec::new()), list)
    }

    /// Refuses what nobody has taken.
    pub(super) fn finish(self) -> Result<(), Objection> {
        let mut left = self.0.iter().filter(|(_, value)| !value.is_null());
        let left = left.next();
        left.map_or(Ok(()), |(name, _)| Err(Objection::parameter(name)))
    }

    /// Refuses deleted records.
    pub(super) fn not_deleted(&mut self) -> Result<(), Reason> {
        match self.take("deleted") {
            Some(value) if flag(&value) != Some(false) => Err(Reason::StoredQuery),
            _ => Ok(()),
        }
    }
}

/// A list of values: an array, or an object whose keys are positions.
pub(super) fn list(value: Value) -> Result<Vec<Value>, Reason> {
    let list = match value {
        Value::Array(values) => values,
        Value::Object(members) if is_list(&members) => {
            members.into_iter().map(|(_, value)| value).collect()
        }
        Value::String(text) if text.is_empty() => Vec::new(),
        _ => return Err(Reason::MalformedBody),
    };
    (list.len() <= ITEMS_MAX)
        .then_some(list)
        .ok_or(Reason::MalformedBody)
}

/// A list of names or ids of a certain form.
pub(super) fn words(values: Vec<Value>, fits: fn(&str) -> bool) -> Option<Vec<String>> {
    values
        .into_iter()
        .map(|value| match value {
            Value::String(text) if fits(&text) => Some(text),
            _ => None,
        })
        .collect()
}

/// Whether the keys of an object are its positions, in order: for PHP that is a list. An empty object is both.
pub(super) fn is_list(members: &Map<String, Value>) -> bool {
    members
        .keys()
        .enumerate()
        .all(|(place, key)| *key == place.to_string())
}

/// Whether a value is one of PHP's for nothing.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// A yes or no, as JSON or as text.
pub(super) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => match text.as_str() {
            "1" | "true" => Some(true),
            "" | "0" | "false" => Some(false),
            _ => None,
        },
        Value::Number(number) => match number.to_string().as_str() {
            "1" => Some(true),
            "0" => Some(false),
            _ => None,
        },
        Value::Null => Some(false),
        Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Arguments, flag};
    use crate::dialect::sugar_v4::method;
    use crate::reason::Reason;

    fn read(text: &str) -> Result<Arguments, Reason> {
        let method = method::by_name("get_entries_count").unwrap();
        Arguments::read(text, method, 10).map_err(|objection| objection.reason)
    }

    #[test]
    fn what_a_version_does_not_have_yet_may_say_nothing() {
        let search = method::by_name("search_by_module").unwrap();
        let limited = |text: &str| {
            let mut arguments = Arguments::read(text, search, 10).unwrap();
            arguments
                .limit(search, 5)
                .map_err(|objection| objection.text().into_owned())
        };
        for text in [
            r#"["s","x",["Contacts"],0,5]"#,
            r#"["s","x",["Contacts"],0,5,"",[],true,false]"#,
            r#"["s","x",["Contacts"],0,5,null,null,"1",0]"#,
            r#"{"session":"s","favorites":"","select_fields":{}}"#,
        ] {
            assert_eq!(limited(text), Ok(()), "{text}");
        }
        for (text, name) in [
            (r#"{"assigned_user_id":"u-1"}"#, "assigned_user_id"),
            (r#"{"select_fields":["id"]}"#, "select_fields"),
            (r#"{"unified_search_only":false}"#, "unified_search_only"),
            (r#"{"favorites":1}"#, "favorites"),
        ] {
            assert!(limited(text).unwrap_err().contains(name), "{text}");
        }
    }

    #[test]
    fn three_spellings_have_one_reading() {
        for text in [
            r#"{"session":"s","module_name":"Contacts","query":"q"}"#,
            r#"{"query":"q","module_name":"Contacts","session":"s"}"#,
            r#"["s","Contacts","q"]"#,
            r#"{"0":"s","1":"Contacts","2":"q"}"#,
            r#"{"\u0073ession":"s","module_name":"Contacts","query":"q","deleted":null}"#,
        ] {
            let mut arguments = read(text).unwrap();
            assert_eq!(arguments.text("session").as_deref(), Ok("s"), "{text}");
            assert_eq!(
                arguments.module("module_name").unwrap().as_str(),
                "Contacts"
            );
            assert_eq!(arguments.text("query").as_deref(), Ok("q"));
            assert_eq!(arguments.not_deleted(), Ok(()));
        }
        assert!(read("").is_ok() && read("null").is_ok() && read("[]").is_ok());
        assert!(read("{}").is_ok());
    }

    #[test]
    fn other_spellings_are_refused() {
        for (text, reason) in [
            ("\"s\"", Reason::MalformedBody),
            ("{", Reason::MalformedBody),
            ("[] []", Reason::MalformedBody),
            ("\u{feff}[]", Reason::MalformedBody),
            ("{&quot;session&quot;:1}", Reason::MalformedBody),
            (r#"{"session":"a","session":"b"}"#, Reason::MalformedBody),
            (r#"{"session":"a","Session":"b"}"#, Reason::MalformedBody),
            (r#"{"Session":"a"}"#, Reason::UnknownParameter),
            (r#"{"module":"Contacts"}"#, Reason::UnknownParameter),
            (r#"{"1":"Contacts","0":"s"}"#, Reason::UnknownParameter),
            (
                r#"{"0":"s","module_name":"Contacts"}"#,
                Reason::UnknownParameter,
            ),
            (r#"{"0":"s","2":"q"}"#, Reason::UnknownParameter),
            (r#"{"00":"s"}"#, Reason::UnknownParameter),
            (r#"["s","Contacts","q",0,1]"#, Reason::UnknownParameter),
            (r#"["s","Contacts","q",0,"",1]"#, Reason::UnknownParameter),
        ] {
            assert_eq!(read(text).err(), Some(reason), "{text}");
        }
        let search = method::by_name("search_by_module").unwrap();
        let twice = r#"{"id":"1","assigned_user_id":"2"}"#;
        assert_eq!(
            Arguments::read(twice, search, 10)
                .err()
                .map(|objection| objection.reason),
            Some(Reason::DuplicateParameter)
        );
    }

    #[test]
    fn values_are_what_they_say() {
        let mut numbers = read(r#"["", -1, "12", "12x"]"#).unwrap();
        assert_eq!(numbers.number("session"), Ok(None));
        assert_eq!(numbers.number("module_name"), Ok(None));
        assert_eq!(numbers.number("query"), Ok(Some(12)));
        assert_eq!(numbers.number("deleted"), Err(Reason::MalformedPage));
        assert_eq!(numbers.number("absent"), Ok(None));
        for deleted in [
            json!(1),
            json!("1"),
            json!(true),
            json!(-1),
            json!([]),
            json!(2),
        ] {
            let mut arguments = read(&json!({"deleted": deleted}).to_string()).unwrap();
            assert_eq!(
                arguments.not_deleted(),
                Err(Reason::StoredQuery),
                "{deleted}"
            );
        }
        assert_eq!(flag(&json!("yes")), None);
        let mut lists = read(r#"[["a"], {"0":"a","1":"b"}, "", {"a":"b"}]"#).unwrap();
        assert_eq!(lists.list("session").unwrap().len(), 1);
        assert_eq!(lists.list("module_name").unwrap().len(), 2);
        assert!(lists.list("query").unwrap().is_empty());
        assert_eq!(lists.list("deleted").err(), Some(Reason::MalformedBody));
    }
}
