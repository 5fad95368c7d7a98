//! Query strings as trees, and back. Each text has one reading or none.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::is_cache_buster;
use crate::dialect::spelling::{decode, encode, is_name, is_word_byte};
use crate::reason::Reason;

/// Bytes of one query string.
const BYTES_MAX: usize = 65_536;
/// Parameters of one query string; PHP ignores those after the thousandth.
pub(in crate::dialect) const PARAMETERS_MAX: usize = 500;
/// Brackets after one name; PHP ignores deeper ones than 64.
const BRACKETS_MAX: usize = 60;
/// Bytes between two brackets: `link.field`.
const BRACKET_BYTES_MAX: usize = 130;

/// What the names of parameters are made of.
pub(in crate::dialect) struct Names {
    /// What may stand before the brackets.
    base: fn(&str) -> bool,
    /// What may stand between them beside letters, digits, `_` and `.`.
    inside: u8,
    /// Whether a yes is written as `1`, as a word would be a yes to PHP whatever it says, and every list with numbers.
    in_digits: bool,
}

impl Names {
    /// Names that PHP does not mangle, with operators such as `$in`.
    pub(in crate::dialect) const OF_PHP: Self = Self {
        base: |base| {
            is_name(
                base,
                |byte| byte.is_ascii_alphabetic() || byte == b'_',
                is_word_byte,
            )
        },
        inside: b'$',
        in_digits: true,
    };
    /// Plain words, hyphens among them.
    pub(in crate::dialect) const PLAIN: Self = Self {
        base: |base| is_name(base, is_plain, is_plain),
        inside: b'-',
        in_digits: false,
    };
}

fn is_plain(byte: u8) -> bool {
    is_word_byte(byte) || byte == b'-'
}

/// Reads `a=1&b[0][c]=2&d[]=3` into a tree whose leaves are texts. Numbered members are lists, which must be complete.
pub(in crate::dialect) fn read(text: &str, names: &Names) -> Result<Map<String, Value>, Reason> {
    if text.len() > BYTES_MAX || text.contains(';') {
        return Err(Reason::MalformedQuery);
    }
    let mut root = Map::new();
    for (number, pair) in text.split('&').filter(|pair| !pair.is_empty()).enumerate() {
        if number == PARAMETERS_MAX {
            return Err(Reason::MalformedQuery);
        }
        let (name, value) = pair.split_once('=').ok_or(Reason::MalformedQuery)?;
        let name = decode(name, true).ok_or(Reason::MalformedQuery)?;
        let value = decode(value, true).ok_or(Reason::MalformedQuery)?;
        let steps = steps(&name, names).ok_or(Reason::MalformedQuery)?;
        insert(&mut root, &steps, value)?;
    }
    root.into_iter()
        .map(|(name, value)| Ok((name, listed(value)?)))
        .collect()
}

/// Reads a query string in which nothing stands that the API would take for a credential: logs would keep it.
pub(in crate::dialect) fn without_credentials(
    text: &str,
    names: &Names,
    credentials: &[impl AsRef<str>],
) -> Result<Map<String, Value>, Reason> {
    let arguments = read(text, names)?;
    let is_one = |name: &String| {
        let mut words = credentials.iter();
        words.any(|word| word.as_ref().eq_ignore_ascii_case(name))
    };
    match arguments.keys().any(is_one) {
        true => Err(Reason::CredentialInQuery),
        false => Ok(arguments),
    }
}

/// What some clients add to query strings, and what means nothing.
#[derive(Clone, Debug, Default)]
pub(in crate::dialect) struct Noise {
    /// Parameters that hold a number and make an address new, so that no cache answers it: `_=1732291200000`.
    pub(in crate::dialect) stamps: Vec<String>,
    /// Parameters that are said again with the same value.
    pub(in crate::dialect) repeated: Vec<String>,
}

impl Noise {
    /// A query string without them.
    pub(in crate::dialect) fn taken_out_of<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.stamps.is_empty() && self.repeated.is_empty() {
            return text.into();
        }
        let mut said: Vec<Option<&str>> = vec![None; self.repeated.len()];
        let pairs = text.split('&').filter(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decoded(name);
            let is_number = || is_cache_buster(&decoded(value));
            if self.stamps.iter().any(|stamp| *stamp == name) && is_number() {
                return false;
            }
            let Some(at) = self.repeated.iter().position(|known| *known == name) else {
                return true;
            };
            let is_first = said[at].is_none();
            let is_again = *said[at].get_or_insert(*pair) == *pair;
            is_first || !is_again
        });
        pairs.collect::<Vec<_>>().join("&").into()
    }
}

/// A text without its escapes; as it is, where these are none.
fn decoded(text: &str) -> Cow<'_, str> {
    match text.contains('%') {
        true => decode(text, true).map_or_else(|| text.into(), Cow::Owned),
        false => text.into(),
    }
}

/// Splits `filter[0][name]` into its steps; there is at least one. A blank step appends, and is the last.
fn steps<'a>(name: &'a str, names: &Names) -> Option<Vec<&'a str>> {
    let (base, mut brackets) = name.split_at(name.find('[').unwrap_or(name.len()));
    if !(names.base)(base) {
        return None;
    }
    let mut steps = vec![base];
    while !brackets.is_empty() {
        let (step, rest) = brackets.strip_prefix('[')?.split_once(']')?;
        let plain = |byte: u8| is_word_byte(byte) || byte == b'.' || byte == names.inside;
        let appends = step.is_empty() && rest.is_empty();
        if !(appends
            || !step.is_empty() && step.len() <= BRACKET_BYTES_MAX && step.bytes().all(plain))
            || steps.len() > BRACKETS_MAX
        {
            return None;
        }
        steps.push(step);
        brackets = rest;
    }
    Some(steps)
}

fn insert(into: &mut Map<String, Value>, steps: &[&str], value: String) -> Result<(), Reason> {
    match steps {
        [] | [""] => Err(Reason::MalformedQuery),
        [last] if into.contains_key(*last) => Err(Reason::DuplicateParameter),
        [last] => {
            into.insert((*last).to_owned(), Value::String(value));
            Ok(())
        }
        [list, ""] => match into
            .entry(*list)
            .or_insert_with(|| Value::Array(Vec::new()))
        {
            Value::Array(items) => {
                items.push(Value::String(value));
                Ok(())
            }
            _ => Err(Reason::DuplicateParameter),
        },
        [first, rest @ ..] => match into
            .entry(*first)
            .or_insert_with(|| Value::Object(Map::new()))
        {
            Value::Object(members) => insert(members, rest, value),
            _ => Err(Reason::DuplicateParameter),
        },
    }
}

/// Makes lists of numbered members.
fn listed(value: Value) -> Result<Value, Reason> {
    let Value::Object(members) = value else {
        return Ok(value);
    };
    let is_number = |name: &String| name.bytes().all(|byte| byte.is_ascii_digit());
    if !members.keys().all(is_number) {
        let members = members
            .into_iter()
            .map(|(name, value)| Ok((name, listed(value)?)));
        return members.collect::<Result<_, Reason>>().map(Value::Object);
    }
    let mut members = members;
    (0..members.len())
        // `01` would be a second name for `1`.
        .map(|index| {
            members
                .shift_remove(&index.to_string())
                .ok_or(Reason::MalformedQuery)
                .and_then(listed)
        })
        .collect::<Result<_, _>>()
        .map(Value::Array)
}

/// Writes a tree as a query string.
pub(in crate::dialect) fn write(tree: &Map<String, Value>, names: &Names) -> String {
    let mut pairs = Vec::new();
    for (name, value) in tree {
        flatten(name.clone(), value, names.in_digits, &mut pairs);
    }
    let pairs = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn flatten(name: String, value: &Value, in_digits: bool, pairs: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                flatten(format!("{name}[{key}]"), member, in_digits, pairs);
            }
        }
        Value::Array(items) => {
            let is_flat = !in_digits
                && items
                    .iter()
                    .all(|item| !item.is_array() && !item.is_object());
            for (index, item) in items.iter().enumerate() {
                let step = if is_flat {
                    String::new()
                } else {
                    index.to_string()
                };
                flatten(format!("{name}[{step}]"), item, in_digits, pairs);
            }
        }
        Value::String(text) => pairs.push((name, text.clone())),
        Value::Bool(flag) if in_digits => pairs.push((name, u8::from(*flag).to_string())),
        Value::Null => pairs.push((name, String::new())),
        other => pairs.push((name, other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Names, read};
    use crate::dialect::spelling::decode;
    use crate::reason::Reason;

    fn tree(text: &str) -> Result<Value, Reason> {
        read(text, &Names::OF_PHP).map(Value::Object)
    }

    #[test]
    fn brackets_become_lists_and_objects_raw_or_encoded() {
        let expected =
            json!({"filter": [{"name": {"$in": ["a b", "c"]}}, {"x.y": ""}], "q": "1+1"});
        for text in [
            "filter[0][name][$in][0]=a+b&filter[0][name][$in][1]=c&filter[1][x.y]=&q=1%2B1",
            "filter%5B1%5D%5Bx.y%5D=&filter%5B0%5D%5Bname%5D%5B%24in%5D%5B%5D=a%20b&filter[0][name][$in][]=c&q=1%2B1",
        ] {
            assert_eq!(tree(text), Ok(expected.clone()), "{text}");
        }
        assert_eq!(tree(""), Ok(json!({})));
        assert_eq!(
            tree("fields[]=a&fields[]=b"),
            Ok(json!({"fields": ["a", "b"]}))
        );
    }

    #[test]
    fn names_that_php_would_mangle_are_refused() {
        for text in [
            "filter[iban=1",
            "filter.iban=1",
            "+filter[iban]=1",
            "%20filter[iban]=1",
            "filter[iban]junk=1",
            "filter[iban]%00x=1",
            "filter%00[iban]=1",
            "filter [iban]=1",
            "filter[[iban]]=1",
            "filter]=1",
            "[filter]=1",
            "filter[a]b[c]=1",
            "filter[][iban]=1",
            "=1",
            "%2566ilter=1",
        ] {
            assert_eq!(tree(text), Err(Reason::MalformedQuery), "{text}");
        }
    }

    #[test]
    fn a_name_is_given_once_in_one_form() {
        for text in [
            "fields=id&fields=iban_c",
            "fields=id&%66ields=iban_c",
            "filter=[]&filter[0][a]=1",
            "filter[0][a]=1&filter=[]",
            "filter[0][a]=1&filter[0][a]=2",
            "filter[0][a]=1&filter[0][a][$in]=2",
            "fields[]=a&fields[0]=b",
            "fields[0]=a&fields[]=b",
        ] {
            assert_eq!(tree(text), Err(Reason::DuplicateParameter), "{text}");
        }
    }

    #[test]
    fn lists_are_complete() {
        for text in [
            "a[1]=x",
            "a[0]=x&a[2]=y",
            "a[0]=x&a[01]=y",
            "a[99999999999999999999]=x",
        ] {
            assert_eq!(tree(text), Err(Reason::MalformedQuery), "{text}");
        }
        assert_eq!(tree("a[1]=y&a[0]=x"), Ok(json!({"a": ["x", "y"]})));
    }

    #[test]
    fn separators_and_encodings_have_one_reading() {
        for text in [
            "a=1;filter[iban]=2",
            "a",
            "a=%zz",
            "a=%4",
            "a=%C0%AE",
            "a=%u0069ban",
            "a=%00",
            "a=%0A",
            "a=x y",
            "a=x#y",
            "a=é",
        ] {
            assert_eq!(tree(text), Err(Reason::MalformedQuery), "{text}");
        }
        assert_eq!(decode("%C3%A9", true), Some("é".to_owned()));
        assert_eq!(decode("a+b", false), Some("a+b".to_owned()));
    }

    #[test]
    fn more_parameters_than_php_reads_are_refused() {
        let many = |count: usize| {
            (0..count)
                .map(|number| format!("a{number}=x"))
                .collect::<Vec<_>>()
                .join("&")
        };
        assert!(tree(&many(500)).is_ok());
        assert_eq!(tree(&many(501)), Err(Reason::MalformedQuery));
    }
}
