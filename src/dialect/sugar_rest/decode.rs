//! Strict decoding of paths and query strings: each text has one reading, which PHP shares, or none.

use serde_json::{Map, Value};

use super::grammar;
use crate::dialect::spelling;
use crate::reason::Reason;

/// Bytes of one query string.
const QUERY_BYTES_MAX: usize = 65_536;
/// Parameters of one query string. PHP silently ignores those after the thousandth.
pub(super) const PARAMETERS_MAX: usize = 500;
/// Brackets after one name. PHP silently ignores deeper ones than 64.
const BRACKETS_MAX: usize = 60;
/// Bytes between two brackets: `link.field`.
const BRACKET_BYTES_MAX: usize = 130;

/// Reads a query string into the object that PHP would make of it; scalars are strings.
pub(in crate::dialect) fn query_string(text: Option<&str>) -> Result<Map<String, Value>, Reason> {
    let text = text.unwrap_or_default();
    if text.len() > QUERY_BYTES_MAX || text.contains(';') {
        return Err(Reason::MalformedQuery);
    }
    let mut root = Vec::new();
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    for (number, pair) in pairs.enumerate() {
        if number == PARAMETERS_MAX {
            return Err(Reason::MalformedQuery);
        }
        let (name, value) = pair.split_once('=').ok_or(Reason::MalformedQuery)?;
        let name = spelling::decode(name, true).ok_or(Reason::MalformedQuery)?;
        let value = spelling::decode(value, true).ok_or(Reason::MalformedQuery)?;
        let steps = steps(&name).ok_or(Reason::MalformedQuery)?;
        if steps[0].eq_ignore_ascii_case("oauth_token")
            || steps[0].eq_ignore_ascii_case("download_token")
        {
            return Err(Reason::CredentialInQuery);
        }
        insert(&mut root, &steps, value)?;
    }
    root.into_iter()
        .map(|(name, node)| Ok((name.to_owned(), node.value()?)))
        .collect()
}

/// Splits `filter[0][name]` into its steps. Anything that PHP would mangle is `None`. There is at least one step.
fn steps(name: &str) -> Option<Vec<String>> {
    let base_end = name.find('[').unwrap_or(name.len());
    let (base, mut brackets) = name.split_at(base_end);
    if !grammar::is_field(base) {
        return None;
    }
    let mut steps = vec![base.to_owned()];
    while !brackets.is_empty() {
        let (step, rest) = brackets.strip_prefix('[')?.split_once(']')?;
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"_.$".contains(&byte);
        let appends_last = step.is_empty() && rest.is_empty();
        if !step.bytes().all(known)
            || step.len() > BRACKET_BYTES_MAX
            || steps.len() > BRACKETS_MAX
            || (step.is_empty() && !appends_last)
        {
            return None;
        }
        steps.push(step.to_owned());
        brackets = rest;
    }
    Some(steps)
}

/// A place in the tree that the names of parameters spell out.
enum Node {
    Leaf(String),
    /// Made by `name[]=a&name[]=b`.
    Appended(Vec<String>),
    Branch(Vec<(String, Self)>),
}

fn insert(
    siblings: &mut Vec<(String, Node)>,
    steps: &[String],
    value: String,
) -> Result<(), Reason> {
    let (step, deeper) = steps.split_first().ok_or(Reason::MalformedQuery)?;
    let place = siblings.iter().position(|(name, _)| name == step);
    let appends = deeper.len() == 1 && deeper[0].is_empty();
    match place.map(|place| &mut siblings[place].1) {
        Some(Node::Appended(values)) if appends => values.push(value),
        Some(Node::Branch(children)) if !deeper.is_empty() && !appends => {
            return insert(children, deeper, value);
        }
        Some(_) => return Err(Reason::DuplicateParameter),
        None => {
            let node = if deeper.is_empty() {
                Node::Leaf(value)
            } else if appends {
                Node::Appended(vec![value])
            } else {
                let mut children = Vec::new();
                insert(&mut children, deeper, value)?;
                Node::Branch(children)
            };
            siblings.push((step.clone(), node));
        }
    }
    Ok(())
}

impl Node {
    /// The JSON value of this place. Numbered children are a list, which must be complete.
    fn value(self) -> Result<Value, Reason> {
        match self {
            Self::Leaf(text) => Ok(Value::String(text)),
            Self::Appended(texts) => Ok(texts.into()),
            Self::Branch(children) => {
                if children
                    .iter()
                    .all(|(name, _)| name.bytes().all(|byte| byte.is_ascii_digit()))
                {
                    return list(children);
                }
                children
                    .into_iter()
                    .map(|(name, node)| Ok((name, node.value()?)))
                    .collect::<Result<Map<_, _>, Reason>>()
                    .map(Value::Object)
            }
        }
    }
}

fn list(children: Vec<(String, Node)>) -> Result<Value, Reason> {
    let mut slots: Vec<Option<Value>> = children.iter().map(|_| None).collect();
    for (name, node) in children {
        let index: usize = name.parse().map_err(|_| Reason::MalformedQuery)?;
        // `01` would be a second name for `1`: PHP keeps it as a text key.
        if index.to_string() != name {
            return Err(Reason::MalformedQuery);
        }
        *slots.get_mut(index).ok_or(Reason::MalformedQuery)? = Some(node.value()?);
    }
    slots
        .into_iter()
        .map(|slot| slot.ok_or(Reason::MalformedQuery))
        .collect::<Result<Vec<_>, _>>()
        .map(Value::Array)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::query_string;
    use crate::dialect::spelling::decode;
    use crate::reason::Reason;

    fn tree(text: &str) -> Result<Value, Reason> {
        query_string(Some(text)).map(Value::Object)
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

    #[test]
    fn credentials_in_a_query_are_refused() {
        for text in [
            "oauth_token=x",
            "OAuth_Token=x",
            "download%5Ftoken=x",
            "oauth_token[]=x",
        ] {
            assert_eq!(tree(text), Err(Reason::CredentialInQuery), "{text}");
        }
    }
}
