//! What SuiteCRM makes of texts: it undoes entities in them, quotes them, and rewrites the finished SQL by patterns that
//! know no literals.

use super::php::{self, Html};

/// A field that names a related record.
#[derive(Clone, Debug)]
pub struct Related {
    pub name: String,
    pub kind: Kind,
}

/// What a field that names a related record is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Of a first and a last name.
    Composed,
    /// Of one column.
    Plain,
    /// Of one column of whatever the record's parent is.
    Parent,
}

impl Related {
    pub fn new(name: &str, kind: Kind) -> Self {
        Self {
            name: name.to_owned(),
            kind,
        }
    }
}

/// The fields of tasks and their like that name related records.
pub fn stock() -> Vec<Related> {
    [
        ("created_by_name", Kind::Plain),
        ("modified_by_name", Kind::Plain),
        ("assigned_user_name", Kind::Plain),
        ("parent_name", Kind::Parent),
        ("contact_name", Kind::Composed),
        ("account_name", Kind::Plain),
        ("report_to_name", Kind::Composed),
    ]
    .map(|(name, kind)| Related::new(name, kind))
    .to_vec()
}

/// `from_html`.
pub fn from_html(text: &str, html: Html) -> String {
    let mut text = php::html_entity_decode(text, html);
    for (entity, meant) in [
        ("&quot;", "\""),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&#039;", "'"),
    ] {
        text = replace_folded(&text, entity, meant);
    }
    text
}

/// `str_ireplace`, of ASCII.
fn replace_folded(text: &str, from: &str, to: &str) -> String {
    let folded = text.to_ascii_lowercase();
    let mut replaced = String::new();
    let mut at = 0;
    while let Some(found) = folded[at..].find(from) {
        replaced.push_str(&text[at..at + found]);
        replaced.push_str(to);
        at += found + from.len();
    }
    replaced + &text[at..]
}

/// `DBManager::quote` on MySQL.
pub fn quote(text: &str, html: Html) -> String {
    let mut quoted = String::new();
    for letter in from_html(text, html).chars() {
        match letter {
            '\0' => quoted.push_str("\\0"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\u{1a}' => quoted.push_str("\\Z"),
            '\\' | '\'' | '"' => quoted.extend(['\\', letter]),
            other => quoted.push(other),
        }
    }
    quoted
}

/// The condition that V8's filter becomes; a comparison is a field, an operator, and a value.
pub fn filter(
    table: &str,
    comparisons: &[(String, String, String)],
    joined_by: &str,
    html: Html,
) -> String {
    let mut parts = vec![format!("{table}.deleted = '0'")];
    parts.extend(comparisons.iter().map(|(field, operator, value)| {
        let sign = match operator.as_str() {
            "eq" => "=",
            "neq" => "<>",
            "gt" => ">",
            "gte" => ">=",
            "lt" => "<",
            "lte" => "<=",
            _ => "LIKE",
        };
        format!("{table}.{field} {sign} '{}'", quote(value, html))
    }));
    format!(
        "({})",
        parts.join(&format!(" {} ", joined_by.to_uppercase()))
    )
}

/// What the cleaning against scripts may do to a search text.
pub type Cleaning = fn(&str) -> String;

/// The condition that a search becomes, in two columns and a field that names a related record.
pub fn search(table: &str, text: &str, cleaning: Cleaning, html: Html) -> String {
    let cleaned = cleaning(&secured(&from_html(text, html)));
    let once = quote(&cleaned, html).trim().to_owned();
    let twice = quote(&format!("{once}%"), html);
    let columns = [
        &format!("{table}.name"),
        "contact_name",
        &format!("{table}.status"),
    ];
    let parts = columns.map(|column| format!("{column} like '{twice}'"));
    format!("({})", parts.join(" ) OR ( "))
}

/// `securexss`, but for what the library that it calls takes out.
fn secured(text: &str) -> String {
    replace_folded(text, "javascript:", "java script:")
        .replace("&quot;", "&#38;")
        .replace('"', "&quot;")
        .replace('\'', "&#039;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('`', "&#96;")
}

/// The list's query, with the condition rewritten as `create_new_list_query` does.
pub fn list_query(table: &str, condition: &str, related: &[Related]) -> String {
    let condition = rewritten(condition, related);
    format!(
        " SELECT  {table}.* , jt0.user_name created_by_name FROM {table}  LEFT JOIN  users jt0 ON {table}.created_by=jt0.id \
         AND jt0.deleted=0 where ({condition}) AND {table}.deleted=0 ORDER BY {table}.date_entered"
    )
}

fn rewritten(condition: &str, related: &[Related]) -> String {
    let mut condition = condition.to_owned();
    for (number, field) in related.iter().enumerate() {
        let alias = format!("jt{number}");
        condition = match field.kind {
            Kind::Composed => composed(&condition, &field.name, &alias),
            Kind::Plain => at_word(&condition, &field.name, &format!("{alias}.name")),
            Kind::Parent => parents(&condition, &alias),
        };
    }
    condition
}

/// A name of two parts: what stands in a bracket after it is written three times over, or it becomes an expression.
fn composed(condition: &str, name: &str, alias: &str) -> String {
    let both = format!(
        "LTRIM(RTRIM(CONCAT(IFNULL({alias}.first_name,''),' ',IFNULL({alias}.last_name,''))))"
    );
    let Some(expression) = bracketed(condition, name) else {
        return condition.replace(name, &both);
    };
    let with = |column: &str| expression.replace(name, column);
    let three = format!(
        "({} OR {} OR {})",
        with(&both),
        with(&format!("{alias}.first_name")),
        with(&format!("{alias}.last_name"))
    );
    condition.replace(expression, &three)
}

/// The first match of `\(\s*?NAME.*?%'\s*?\)`.
fn bracketed<'a>(condition: &'a str, name: &str) -> Option<&'a str> {
    condition.match_indices('(').find_map(|(start, _)| {
        let inside = condition[start + 1..].trim_start_matches(is_space);
        let rest = inside.strip_prefix(name)?;
        let rest = rest.split('\n').next().unwrap_or_default();
        // A blank before the bracket may be a line break.
        let from = condition.len() - inside.len() + name.len();
        rest.match_indices("%'").find_map(|(at, _)| {
            let after = &condition[from + at + "%'".len()..];
            let closed = after.trim_start_matches(is_space);
            let end = condition.len() - closed.len() + 1;
            closed.starts_with(')').then(|| &condition[start..end])
        })
    })
}

/// What `\s` is.
fn is_space(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}')
}

/// Replaces a name at the beginning, after a blank, or after a bracket.
fn at_word(condition: &str, name: &str, with: &str) -> String {
    let mut replaced = String::new();
    let mut rest = condition;
    let mut begins = true;
    while let Some(letter) = rest.chars().next() {
        match rest.strip_prefix(name).filter(|_| begins) {
            Some(after) => {
                replaced.push_str(with);
                rest = after;
                begins = false;
            }
            None => {
                replaced.push(letter);
                rest = &rest[letter.len_utf8()..];
                begins = is_space(letter) || letter == '(';
            }
        }
    }
    replaced
}

/// `parent_MODULE_TABLE.name` becomes a column of a table that is joined for it. How the pattern splits module and table
/// does not matter here.
fn parents(condition: &str, alias: &str) -> String {
    let found = condition.match_indices("parent_").find_map(|(at, _)| {
        let begins =
            at == 0 || condition[..at].ends_with(|letter| is_space(letter) || letter == '(');
        let rest = &condition[at + "parent_".len()..];
        let end = rest.find(|letter: char| !letter.is_ascii_alphabetic() && letter != '_')?;
        let word = &condition[at..at + "parent_".len() + end];
        (begins && rest[end..].starts_with(".name") && rest[..end].contains('_')).then_some(word)
    });
    match found {
        Some(word) => at_word(condition, &format!("{word}.name"), &format!("{alias}.name")),
        None => condition.to_owned(),
    }
}

/// `create_list_count_query`.
pub fn count_query(query: &str) -> String {
    let folded = query.to_ascii_lowercase();
    let order = folded
        .match_indices("order by")
        .find(|(at, _)| folded[..*at].ends_with(is_space));
    let query = order.map_or(query, |(at, _)| &query[..at - 1]);
    if query.contains(" UNION ALL ") {
        let parts: Vec<String> = query.split(" UNION ALL ").map(counted).collect();
        return parts.join(" UNION ALL ");
    }
    counted(query)
}

/// Replaces the first `SELECT(.*?)\sFROM\s`.
fn counted(query: &str) -> String {
    let folded = query.to_ascii_lowercase();
    let Some(start) = folded.find("select") else {
        return query.to_owned();
    };
    let from = folded[start..]
        .match_indices("from")
        .find_map(|(at, word)| {
            let at = start + at;
            let ends = at + word.len();
            (folded[..at].ends_with(is_space) && folded[ends..].starts_with(is_space))
                .then_some(ends + 1)
        });
    match from {
        Some(end) => format!(
            "{}SELECT count(*) c FROM {}",
            &query[..start],
            &query[end..]
        ),
        None => query.to_owned(),
    }
}
