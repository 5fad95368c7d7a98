//! What came of suites, in the XML that JUnit writes and servers for continuous integration read.

use std::fmt::Write as _;

use super::Verdicts;
use super::verdicts::placed;

/// A test as JUnit knows it.
struct Test<'a> {
    class: String,
    name: &'a str,
    place: String,
    why: Vec<String>,
}

impl Verdicts {
    /// For servers of continuous integration.
    pub fn to_junit(&self) -> String {
        let cases = self.cases.iter().map(|case| Test {
            class: case.suite.clone(),
            name: &case.name,
            place: placed(&case.place),
            why: case.why.clone(),
        });
        let always = self.always.iter().map(|one| Test {
            class: format!("{}.always", one.suite),
            name: &one.name,
            place: placed(&one.place),
            why: one.why(),
        });
        let tests: Vec<Test<'_>> = cases.chain(always).collect();
        let mut classes: Vec<&str> = tests.iter().map(|test| test.class.as_str()).collect();
        classes.sort_unstable();
        classes.dedup();
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let _ = writeln!(
            xml,
            "<testsuites name=\"{}\" tests=\"{}\" failures=\"{}\">",
            escaped(&self.policy),
            tests.len(),
            self.failed()
        );
        for class in classes {
            let of_it: Vec<&Test<'_>> = tests.iter().filter(|test| test.class == class).collect();
            suite(&mut xml, class, &of_it);
        }
        xml.push_str("</testsuites>\n");
        xml
    }
}

fn suite(xml: &mut String, class: &str, tests: &[&Test<'_>]) {
    let class = escaped(class);
    let failures = tests.iter().filter(|test| !test.why.is_empty()).count();
    let _ = writeln!(
        xml,
        "  <testsuite name=\"{class}\" tests=\"{}\" failures=\"{failures}\">",
        tests.len()
    );
    for test in tests {
        let (file, line) = test.place.rsplit_once(':').unwrap_or((&test.place, ""));
        let _ = write!(
            xml,
            "    <testcase classname=\"{class}\" name=\"{}\" file=\"{}\" line=\"{}\"",
            escaped(test.name),
            escaped(file),
            escaped(line)
        );
        let Some(first) = test.why.first() else {
            xml.push_str("/>\n");
            continue;
        };
        let _ = writeln!(
            xml,
            ">\n      <failure message=\"{}\">{}\n{}</failure>\n    </testcase>",
            escaped(first),
            escaped(&test.place),
            escaped(&test.why.join("\n"))
        );
    }
    xml.push_str("  </testsuite>\n");
}

/// A text as XML 1.0 may hold it, in attributes too. What may not stand in XML at all is replaced.
fn escaped(text: &str) -> String {
    let mut xml = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\'' => xml.push_str("&apos;"),
            '\t' | '\n' | '\r' => {
                let _ = write!(xml, "&#{};", u32::from(c));
            }
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => xml.push('\u{fffd}'),
            c => xml.push(c),
        }
    }
    xml
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn what_xml_reads_otherwise_or_not_at_all_is_escaped() {
        assert_eq!(
            escaped("a<b> & \"c\" 'd'\n\u{1}\u{fffe}é"),
            "a&lt;b&gt; &amp; &quot;c&quot; &apos;d&apos;&#10;\u{fffd}\u{fffd}é"
        );
    }
}
