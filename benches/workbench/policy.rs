//! Writes a large policy: 2,000 classified fields, 200 rules, 30 roles. What `check`, `test`, `matrix` and `diff` are measured on.
//!
//! `cargo run --release --example large_policy -- DIR [CHANGES]`: the same policy each time, with so many rules changed.

use std::fmt::Write as _;
use std::path::Path;

const MODULES: usize = 20;
const FIELDS: usize = 100;
const ROLES: usize = 30;
const PURPOSES: usize = 10;
const CATEGORIES: usize = 40;
const GRANTS: usize = 150;
const CAPS: usize = 50;

/// Numbers that are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound
    }

    /// Some of so many, by their numbers.
    fn some(&mut self, of: usize, count: usize) -> Vec<usize> {
        let mut some: Vec<usize> = (0..count).map(|_| self.below(of)).collect();
        some.sort_unstable();
        some.dedup();
        some
    }
}

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let Some(dir) = arguments.next() else {
        eprintln!("usage: large_policy DIR [CHANGES]");
        std::process::exit(2);
    };
    let changes = arguments
        .next()
        .and_then(|count| count.parse().ok())
        .unwrap_or(0);
    std::fs::create_dir_all(&dir)?;
    std::fs::write(Path::new(&dir).join("policy.yaml"), policy(changes))
}

fn listed(word: &str, numbers: &[usize]) -> String {
    let names: Vec<String> = numbers
        .iter()
        .map(|number| format!("{word}{number}"))
        .collect();
    format!("[{}]", names.join(", "))
}

#[expect(
    clippy::too_many_lines,
    reason = "one policy, from its first section to its last"
)]
fn policy(changes: usize) -> String {
    let mut numbers = Numbers(7);
    let mut text = String::from("policy: large\nroles:\n");
    for role in 0..ROLES {
        let _ = writeln!(
            text,
            "  role{role}: {{ from: {{ crm.role: \"Role {role}\" }}, default_purpose: purpose{} }}",
            role % PURPOSES
        );
    }
    text.push_str("auth:\n  strong: { acr: [phr, phrh], max_age: 15m }\n  machine: { method: [key, certificate] }\npurposes:\n");
    for purpose in 0..PURPOSES {
        let mut roles: Vec<usize> = (0..ROLES)
            .filter(|role| role % PURPOSES == purpose)
            .collect();
        roles.extend(numbers.some(ROLES, 9));
        roles.sort_unstable();
        roles.dedup();
        let _ = writeln!(
            text,
            "  purpose{purpose}: {{ legal_basis: contract, roles: {} }}",
            listed("role", &roles)
        );
    }
    text.push_str("categories:\n");
    for category in 0..CATEGORIES {
        let _ = writeln!(
            text,
            "  own.c{category}: {{ mask: {{ last: {} }} }}",
            1 + category % 4
        );
    }
    text.push_str("detectors:\n  - { name: in-text, in: free_text, find: [iban, card, nir, mail, phone, special, criminal] }\nclassify:\n  \"*\":\n    id: technical.id\n    \"*iban*\": financial.iban\n    \"*health*\": special.health\n");
    for module in 0..MODULES {
        let _ = writeln!(text, "  Module{module}:");
        for field in 0..FIELDS {
            let category = match field {
                0 => "free_text".to_owned(),
                _ => format!("own.c{}", numbers.below(CATEGORIES)),
            };
            let _ = writeln!(text, "    field{field}_c: {category}");
        }
    }
    text.push_str("grants:\n");
    for grant in 0..GRANTS {
        let roles = numbers.some(ROLES, 6);
        let data = numbers.some(CATEGORIES, 5);
        let level = ["token", "mask", "clear", "clear"][numbers.below(4)];
        let strength = if numbers.below(4) == 0 {
            ", requires: { auth: strong }"
        } else {
            ""
        };
        let purposes = match numbers.below(3) {
            0 => String::new(),
            _ => format!(
                ", purposes: {}",
                listed("purpose", &numbers.some(PURPOSES, 4))
            ),
        };
        // A changed grant is for everybody.
        let roles = if grant < changes {
            (0..ROLES).collect()
        } else {
            roles
        };
        let _ = writeln!(
            text,
            "  - {{ name: grant{grant}, roles: {}{purposes}, data: {}, level: {level}{strength} }}",
            listed("role", &roles),
            listed("own.c", &data)
        );
    }
    text.push_str(
        "  - { name: texts, roles: role0, data: [free_text, technical], level: clear }\ncaps:\n",
    );
    for cap in 0..CAPS {
        let data = numbers.some(CATEGORIES, 2);
        let level = ["redact", "mask", "mask"][numbers.below(3)];
        let whom = match numbers.below(3) {
            0 => format!(", roles: {}", listed("role", &numbers.some(ROLES, 4))),
            _ => format!(
                ", unless_roles: {}",
                listed("role", &numbers.some(ROLES, 20))
            ),
        };
        let _ = writeln!(
            text,
            "  - {{ name: cap{cap}, data: {}, level: {level}{whom} }}",
            listed("own.c", &data)
        );
    }
    text
}
