//! Cells of CSV that no spreadsheet computes, whatever it takes for the sign between cells.

/// A text as a cell. Where a program might take it for a formula, an apostrophe makes it text: at its beginning, and behind
/// whatever separates cells somewhere in the world.
pub fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 1);
    let mut is_begin = true;
    for (at, character) in text.char_indices() {
        if is_begin && begins_formula(&text[at..]) {
            out.push('\'');
        }
        out.push(character);
        is_begin = matches!(character, ';' | '\t' | '\r' | '\n');
    }
    out
}

/// Programs skip what cannot be seen before they look, and take signs of other widths for the same.
fn begins_formula(rest: &str) -> bool {
    let is_skipped = |one: char| {
        (one.is_whitespace() && !matches!(one, '\t' | '\r' | '\n'))
            || matches!(one, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
    };
    rest.trim_start_matches(is_skipped).starts_with([
        '=', '+', '-', '@', '|', '%', '\t', '\r', '\n', '＝', '＋', '－', '＠', '｜', '％', '−',
    ])
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn nothing_is_a_formula() {
        for (text, expected) in [
            ("fanny", "fanny"),
            ("a-b=c", "a-b=c"),
            ("2026-11-23T09:00:00Z", "2026-11-23T09:00:00Z"),
            ("=1+1", "'=1+1"),
            ("+33", "'+33"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("|cmd", "'|cmd"),
            ("%0A", "'%0A"),
            ("\t=1", "'\t'=1"),
            ("\rx", "'\rx"),
            ("\nx", "'\nx"),
            ("  =1", "'  =1"),
            ("\u{a0}=1", "'\u{a0}=1"),
            ("\u{feff}=1", "'\u{feff}=1"),
            ("x;=cmd|' /C calc'!A0", "x;'=cmd|' /C calc'!A0"),
            ("x; +1;@y", "x;' +1;'@y"),
            ("a\n=1", "a\n'=1"),
            ("＝1", "'＝1"),
            ("", ""),
        ] {
            assert_eq!(harmless(text), expected);
        }
    }
}
