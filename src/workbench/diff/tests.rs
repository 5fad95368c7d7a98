use super::*;
use crate::vocabulary::{Category, Purpose};

fn change(category: &str, roles: &[&str], purpose: &str, strength: Option<&str>) -> Change {
    Change {
        aspect: Aspect::Shown,
        category: Some(Category::new(category)),
        field: None,
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        purpose: Some(Purpose::new(purpose)),
        strength: strength.map(str::to_owned),
        when: Vec::new(),
        provable: BTreeSet::from(["strong".to_owned()]),
        old: "mask".to_owned(),
        new: "clear".to_owned(),
        by: [
            vec!["grant a (p.yaml:1)".to_owned()],
            vec!["grant b (p.yaml:2)".to_owned()],
        ],
    }
}

fn compared(more: impl IntoIterator<Item = Change>) -> Compared {
    Compared {
        more: more.into_iter().collect(),
        ..Compared::default()
    }
}

fn texts(more: impl IntoIterator<Item = Change>) -> Vec<String> {
    let lines = Lines::of(&compared(more));
    lines.more.iter().map(Line::text).collect()
}

#[test]
fn the_same_of_several_is_one_line() {
    let one = |category, roles: &[&str], purpose| {
        [None, Some("strong")].map(|strength| change(category, roles, purpose, strength))
    };
    let all = [
        one("contact.phone", &["sales"], "contract"),
        one("contact.phone", &["support"], "contract"),
        one("contact.phone", &["sales"], "payment"),
        one("contact.phone", &["support"], "payment"),
        one("contact.email", &["sales"], "contract"),
        one("contact.email", &["support"], "contract"),
        one("contact.email", &["sales"], "payment"),
        one("contact.email", &["support"], "payment"),
        one("financial.iban", &["finance", "sales"], "payment"),
    ];
    assert_eq!(
        texts(all.into_iter().flatten()),
        [
            "contact.email, contact.phone  sales/support, contract/payment  mask -> clear",
            "financial.iban  finance+sales, payment  mask -> clear",
        ]
    );
}

#[test]
fn strengths_are_told_where_they_matter() {
    let plain = change("x", &["a"], "p", None);
    let strong = change("x", &["a"], "p", Some("strong"));
    assert_eq!(
        texts([plain.clone()]),
        ["x  a, p, without strong  mask -> clear"]
    );
    assert_eq!(
        texts([strong.clone()]),
        ["x  a, p, with strong  mask -> clear"]
    );
    assert_eq!(texts([plain, strong]), ["x  a, p  mask -> clear"]);
}

#[test]
fn a_line_is_accepted_as_it_is_printed() {
    let compared = compared([
        change("x", &["a"], "p", None),
        change("y", &["b"], "p", None),
    ]);
    let lines = Lines::of(&compared);
    assert_eq!(lines.unaccepted(&[]), Ok(2));
    let one = "  x    a, p, without strong   mask ->  clear ".to_owned();
    assert_eq!(lines.unaccepted(std::slice::from_ref(&one)), Ok(1));
    let printed = lines.render(&[one]);
    assert!(printed.contains("mask -> clear  (accepted)"), "{printed}");
    assert!(
        printed.contains("      old: grant a (p.yaml:1)\n      new: grant b (p.yaml:2)\n"),
        "{printed}"
    );
    let other = "x a, p mask -> clear".to_owned();
    assert_eq!(
        lines.unaccepted(std::slice::from_ref(&other)),
        Err(Unmatched(other))
    );
    // What was printed can be accepted, whatever its width.
    let all: Vec<String> = printed
        .lines()
        .filter(|line| line.contains("->"))
        .map(|line| line.replace("  (accepted)", ""))
        .collect();
    assert_eq!(lines.unaccepted(&all), Ok(0));
}

#[test]
fn json_has_an_entry_for_each_state() {
    let json = to_json(&compared([change("x", &["a", "b"], "p", None)]));
    let entry = &json["more"][0];
    for key in [
        "role", "purpose", "strength", "category", "field", "old", "new", "when", "by",
    ] {
        assert!(entry.get(key).is_some(), "{key} in {entry}");
    }
    assert_eq!(entry["role"], "a+b");
    assert_eq!(json["less"], json!([]));
}
