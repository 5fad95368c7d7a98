//! Just enough of Rust's grammar to say which modules a source uses, and which words it holds.

/// A piece of a source. Comments and white space are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// A name or keyword.
    Name(String),
    /// What stands between the quotes of a text, as it is written.
    Text(String),
    /// Anything else, byte by byte.
    Other(char),
}

/// A path from the root of the crate: `["filter", "Report"]` for `crate::filter::Report`.
pub type Path = Vec<String>;

/// The tokens of a source, without what only tests compile.
pub fn code(text: &str) -> Vec<Token> {
    without_tests(&tokens(text))
}

fn tokens(text: &str) -> Vec<Token> {
    let letters: Vec<char> = text.chars().collect();
    let (mut tokens, mut at) = (Vec::new(), 0);
    while at < letters.len() {
        let rest = &letters[at..];
        at += match rest {
            ['/', '/', ..] => line_length(rest),
            ['/', '*', ..] => comment_length(rest),
            ['"', ..] => text_token(rest, 0, &mut tokens),
            ['b' | 'c', '"', ..] => text_token(rest, 1, &mut tokens),
            ['\'', ..] => quote_length(rest),
            ['b', '\'', ..] => 1 + quote_length(&rest[1..]),
            _ => match raw_prefix(rest) {
                Some(prefix) => raw_token(rest, prefix, &mut tokens),
                None if is_name(rest[0]) => name_token(rest, &mut tokens),
                None => {
                    if !rest[0].is_whitespace() {
                        tokens.push(Token::Other(rest[0]));
                    }
                    1
                }
            },
        };
    }
    tokens
}

fn is_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn line_length(rest: &[char]) -> usize {
    rest.iter().take_while(|letter| **letter != '\n').count()
}

/// Comments nest.
fn comment_length(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] if depth == 1 => return at + 2,
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    at
}

/// A text whose quote stands behind a prefix.
fn text_token(rest: &[char], prefix: usize, tokens: &mut Vec<Token>) -> usize {
    let mut at = prefix + 1;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    let end = at.min(rest.len());
    tokens.push(Token::Text(rest[prefix + 1..end].iter().collect()));
    at + 1
}

/// How long the prefix of a raw text is, its quote not counted: `r`, `br##`. A raw name (`r#type`) has none.
fn raw_prefix(rest: &[char]) -> Option<usize> {
    let start = match rest {
        ['r', ..] => 1,
        ['b' | 'c', 'r', ..] => 2,
        _ => return None,
    };
    let hashes = rest[start..].iter().take_while(|one| **one == '#').count();
    (rest.get(start + hashes) == Some(&'"')).then_some(start + hashes)
}

fn raw_token(rest: &[char], prefix: usize, tokens: &mut Vec<Token>) -> usize {
    let hashes = rest[..prefix].iter().filter(|one| **one == '#').count();
    let is_end =
        |at: usize| rest[at] == '"' && rest[at + 1..].iter().take(hashes).all(|one| *one == '#');
    let end = (prefix + 1..rest.len()).find(|at| is_end(*at));
    let end = end.unwrap_or(rest.len());
    tokens.push(Token::Text(rest[prefix + 1..end].iter().collect()));
    end + 1 + hashes
}

/// A letter in quotes, or the quote of a lifetime.
fn quote_length(rest: &[char]) -> usize {
    match rest {
        [_, '\\', _, behind @ ..] => {
            let more = behind.iter().position(|letter| *letter == '\'');
            more.map_or(rest.len(), |more| more + 4)
        }
        [_, _, '\'', ..] => 3,
        _ => 1,
    }
}

fn name_token(rest: &[char], tokens: &mut Vec<Token>) -> usize {
    let name: String = rest.iter().take_while(|one| is_name(**one)).collect();
    let length = name.chars().count();
    tokens.push(Token::Name(name));
    length
}

fn is(token: Option<&Token>, name: &str) -> bool {
    matches!(token, Some(Token::Name(own)) if own == name)
}

fn is_other(token: Option<&Token>, letter: char) -> bool {
    token == Some(&Token::Other(letter))
}

/// Leaves out each item behind a `#[cfg(test)]` or `#[cfg(any(test, …))]`.
fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let (mut kept, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        match attribute(&tokens[at..]) {
            Some((length, true)) => at += length + item_length(&tokens[at + length..]),
            _ => {
                kept.push(tokens[at].clone());
                at += 1;
            }
        }
    }
    kept
}

/// The length of the attribute that tokens begin with, and whether only tests compile what follows it.
fn attribute(tokens: &[Token]) -> Option<(usize, bool)> {
    if !is_other(tokens.first(), '#') || !is_other(tokens.get(1), '[') {
        return None;
    }
    let length = 1 + group_length(&tokens[1..]);
    let names = |token: &Token| match token {
        Token::Name(name) => Some(name.clone()),
        _ => None,
    };
    let names: Vec<String> = tokens[..length].iter().filter_map(names).collect();
    let for_tests = match names.first().map(String::as_str) {
        Some("cfg") => {
            names.iter().any(|name| name == "test") && names.iter().all(|name| name != "not")
        }
        Some("test") => true,
        _ => false,
    };
    Some((length, for_tests))
}

/// The length of an item: its attributes, and what follows to its semicolon, its last brace, or the comma or brace that ends
/// a member or an argument.
fn item_length(tokens: &[Token]) -> usize {
    let mut at = 0;
    while let Some((length, _)) = attribute(&tokens[at..]) {
        at += length;
    }
    let defines =
        |token: &Token| matches!(token, Token::Name(name) if DEFINES.contains(&name.as_str()));
    let is_definition = tokens[at..].iter().take(DEFINES_WITHIN).any(defines);
    while let Some(token) = tokens.get(at) {
        match token {
            Token::Other('{') => {
                let end = at + group_length(&tokens[at..]);
                // The braces of a use-tree or of a value are not the end of the item.
                let goes_on = is_other(tokens.get(end), ';') || is_other(tokens.get(end), ',');
                return end + usize::from(goes_on);
            }
            Token::Other('(' | '[') => at += group_length(&tokens[at..]),
            Token::Other(',') if is_definition => at += 1,
            Token::Other(';' | ',') => return at + 1,
            Token::Other('}' | ')' | ']') => return at,
            _ => at += 1,
        }
    }
    at
}

/// What an item begins with that no comma ends, and how many tokens may stand before that: `pub(in crate::a) async`.
const DEFINES: &[&str] = &[
    "const", "enum", "fn", "impl", "mod", "static", "struct", "trait", "type", "use",
];
const DEFINES_WITHIN: usize = 10;

/// The length of the group in brackets that tokens begin with.
fn group_length(tokens: &[Token]) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Other('(' | '[' | '{') => depth += 1,
            Token::Other(')' | ']' | '}') if depth == 1 => return at + 1,
            Token::Other(')' | ']' | '}') => depth -= 1,
            _ => {}
        }
    }
    tokens.len()
}

/// Every path that begins with `crate`, `self` or `super`, in imports and elsewhere, resolved against the module that the
/// tokens are of. An import of the whole crate, under whatever name, is the blank path: nobody sees what it is used for.
pub fn uses(tokens: &[Token], own: &[String]) -> Vec<Path> {
    let (mut uses, mut at) = (Vec::new(), 0);
    // The modules in the source that have begun, and at what depth.
    let (mut inner, mut depth): (Vec<(String, usize)>, usize) = (Vec::new(), 0);
    while let Some(token) = tokens.get(at) {
        let starts = ["crate", "self", "super"];
        match token {
            Token::Other('{') => depth += 1,
            Token::Other('}') => {
                depth = depth.saturating_sub(1);
                inner.retain(|(_, begun)| *begun <= depth);
            }
            Token::Name(name) if name == "mod" && is_other(tokens.get(at + 2), '{') => {
                if let Some(Token::Name(name)) = tokens.get(at + 1) {
                    inner.push((name.clone(), depth + 1));
                }
            }
            Token::Name(name) if name == "use" && starts_a_path(tokens, at + 1, &starts) => {
                let here = here(own, &inner);
                at = tree(tokens, at + 1, &[], &mut |path| {
                    uses.extend(resolved(&path, &here));
                });
                continue;
            }
            Token::Name(name)
                if starts.contains(&name.as_str())
                    && is_colons(tokens, at + 1)
                    && !is_colons_before(tokens, at) =>
            {
                let (path, end) = plain_path(tokens, at);
                uses.extend(resolved(&path, &here(own, &inner)));
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    uses
}

fn here(own: &[String], inner: &[(String, usize)]) -> Vec<String> {
    let inner = inner.iter().map(|(name, _)| name.clone());
    own.iter().cloned().chain(inner).collect()
}

fn is_colons(tokens: &[Token], at: usize) -> bool {
    is_other(tokens.get(at), ':') && is_other(tokens.get(at + 1), ':')
}

fn is_colons_before(tokens: &[Token], at: usize) -> bool {
    at >= 2 && is_colons(tokens, at - 2)
}

fn starts_a_path(tokens: &[Token], at: usize, starts: &[&str]) -> bool {
    // A tree without a beginning, `use {crate::a, b}`, is read, too.
    starts.iter().any(|start| is(tokens.get(at), start)) || is_other(tokens.get(at), '{')
}

/// The path at a place, as far as it is names, and where it ends. A list in braces ends it: outside imports there is none.
fn plain_path(tokens: &[Token], mut at: usize) -> (Path, usize) {
    let mut path = Path::new();
    while let Some(Token::Name(name)) = tokens.get(at) {
        path.push(name.clone());
        if !is_colons(tokens, at + 1) {
            return (path, at + 1);
        }
        at += 3;
    }
    (path, at)
}

/// Reads a use-tree: hands on each path in it, behind what stands before it, and returns where it ends.
fn tree(tokens: &[Token], at: usize, before: &[String], each: &mut dyn FnMut(Path)) -> usize {
    let (names, end) = plain_path(tokens, at);
    let path = [before, &names].concat();
    match tokens.get(end) {
        Some(Token::Other('{')) => {
            let mut at = end + 1;
            while at < tokens.len() && !is_other(tokens.get(at), '}') {
                at = match tokens.get(at) {
                    Some(Token::Other(',')) => at + 1,
                    _ => tree(tokens, at, &path, each),
                };
            }
            at + 1
        }
        Some(Token::Other('*')) => {
            each(path);
            end + 1
        }
        Some(Token::Name(word)) if word == "as" => {
            each(path);
            end + 2
        }
        _ => {
            each(path);
            // Whatever cannot be read is passed: the compiler would not read it either.
            end.max(at + 1)
        }
    }
}

/// A path from the root of the crate; `None` if it leads elsewhere.
fn resolved(path: &[String], own: &[String]) -> Option<Path> {
    let mut place = match path.first()?.as_str() {
        "crate" => Path::new(),
        "self" | "super" => own.to_vec(),
        _ => return None,
    };
    for (number, name) in path.iter().enumerate() {
        match name.as_str() {
            "crate" | "self" => {}
            "super" => {
                place.pop();
            }
            _ => {
                place.extend(
                    path[number..]
                        .iter()
                        .filter(|name| *name != "self")
                        .cloned(),
                );
                break;
            }
        }
    }
    Some(place)
}
