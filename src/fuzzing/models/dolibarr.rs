//! What Dolibarr makes of `sqlfilters`: a pattern finds what stands between brackets and no others, and a callback makes
//! SQL of it.

/// How a version of Dolibarr splits what stands between brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colons {
    /// At the first two; the rest belongs to the value.
    FirstTwo,
    /// At every one; what stands after the third is lost.
    Every,
}

/// The condition that a filter becomes. `None`: the CRM refuses it.
pub fn condition(filter: &str, colons: Colons) -> Option<String> {
    let mut depth = 0_i32;
    for letter in filter.chars() {
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        if depth < 0 {
            return None;
        }
    }
    if depth != 0 {
        return None;
    }
    let (mut sql, mut between) = (String::new(), String::new());
    let mut rest = filter;
    while let Some(letter) = rest.chars().next() {
        let inside = rest
            .strip_prefix('(')
            .and_then(|inside| inside.split_once(')'))
            .filter(|(inside, _)| !inside.contains('(') && is_criterion(inside));
        match inside {
            Some((inside, after)) => {
                sql.push_str(&criterion(inside, colons)?);
                between.push_str("()");
                rest = after;
            }
            None => {
                sql.push(letter);
                between.push(letter);
                rest = &rest[letter.len_utf8()..];
            }
        }
    }
    let left = ["and", "or", "AND", "OR", " "]
        .iter()
        .fold(between, |text, word| text.replace(word, ""));
    if !left.chars().all(|letter| "()".contains(letter)) {
        return None;
    }
    Some(
        format!(" AND ({sql})")
            .replace("__NOW__", "20240101000000")
            .replace("__USER_ID__", "7"),
    )
}

/// `[a-zA-Z0-9_.]+:[<>!=insotlke]+:[^()]+`
fn is_criterion(text: &str) -> bool {
    let mut parts = text.splitn(3, ':');
    let mut next = || parts.next().filter(|part| !part.is_empty());
    let (Some(operand), Some(operator), Some(_)) = (next(), next(), next()) else {
        return false;
    };
    operand
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || "_.".contains(letter))
        && operator
            .chars()
            .all(|letter| "<>!=insotlke".contains(letter.to_ascii_lowercase()))
}

fn criterion(text: &str, colons: Colons) -> Option<String> {
    let parts: Vec<&str> = match colons {
        Colons::FirstTwo => text.splitn(3, ':').collect(),
        Colons::Every => text.split(':').collect(),
    };
    let [operand, operator, value, ..] = parts.as_slice() else {
        return None;
    };
    let operator = operator.trim().to_uppercase();
    let operator = match operator.as_str() {
        "NOTLIKE" => "NOT LIKE",
        "ISNOT" => "IS NOT",
        "NOTIN" => "NOT IN",
        "!=" => "<>",
        other => other,
    };
    let value = match operator {
        "IN" | "NOT IN" => {
            let items: Vec<String> = value.split(',').map(listed).collect();
            format!("({})", items.join(","))
        }
        "LIKE" | "NOT LIKE" => {
            // `'([^']*)'`
            let plain = unquoted(value).filter(|text| !text.contains('\''));
            format!("'{}'", escape(plain.unwrap_or(value)))
        }
        _ => match unquoted(value) {
            Some(text) => format!("'{}'", escape(text)),
            None if value.eq_ignore_ascii_case("null") => "NULL".to_owned(),
            None => float(value),
        },
    };
    Some(format!("({operand} {operator} {value})"))
}

fn unquoted(value: &str) -> Option<&str> {
    value.strip_prefix('\'')?.strip_suffix('\'')
}

/// What `(float)` makes of a text.
fn float(value: &str) -> String {
    let fits = |end: usize| value[..end].parse::<f64>().ok().map(|number| (end, number));
    let ends = value
        .char_indices()
        .map(|(at, letter)| at + letter.len_utf8());
    let longest = ends.rev().find_map(fits);
    // PHP writes fifteen digits or so; what has no more is written back as it was.
    longest.map_or_else(|| "0".to_owned(), |(_, number)| number.to_string())
}

fn listed(item: &str) -> String {
    let sanitized = |text: &str| -> String {
        text.chars()
            .filter(|letter| letter.is_ascii_alphanumeric() || "_-.,'=".contains(*letter))
            .collect()
    };
    match unquoted(item) {
        Some(text) => format!("'{}'", escape(&sanitized(text))),
        None => escape(&sanitized(item)),
    }
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('\'', "\\'")
        .replace('"', "\\\"")
}
