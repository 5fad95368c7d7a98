//! The cause of a mistake is told, and nothing that merely follows from it.

use super::{SAMPLE, try_compile};
use crate::diagnostic::Severity;

/// The problems of some files: code and title of each, errors first.
fn problems(texts: &[&str]) -> Vec<String> {
    let (_, found) = try_compile(texts);
    let shown = |d: &crate::diagnostic::Diagnostic| format!("{}: {}", d.code, d.title);
    let told = found.iter().filter(|d| d.severity != Severity::Note);
    told.map(shown).collect()
}

/// The sample with one part replaced by another.
fn with(good: &str, bad: &str) -> String {
    assert!(SAMPLE.contains(good), "{good}");
    SAMPLE.replacen(good, bad, 1)
}

#[test]
fn a_file_that_is_no_yaml_is_one_problem_at_its_place() {
    for (good, bad) in [
        ("roles:  ", "roles: [ "),
        ("grants:", "grants: {"),
        ("  contract:  ", "\tcontract:  "),
        ("policy: sugarcrm-eu", "policy: \"sugarcrm-eu"),
    ] {
        let text = with(good, bad);
        let (_, found) = try_compile(&[&text]);
        assert_eq!(found.errors(), 1, "{bad}: {}", found.render(false));
        assert_eq!(found.iter().next().unwrap().code, "Y001", "{bad}");
    }
    // What another file refers to may stand in the one that could not be read.
    let other = "grants: [{ name: g, roles: sales, data: work.own, level: clear }]\n";
    let (_, found) = try_compile(&["policy: p\nroles: {\n", other]);
    assert_eq!(found.errors(), 1, "{}", found.render(false));
    // Mistakes of its own are told all the same.
    let other = "grants: [{ name: g, roles: sales, data: work, level: cleer }]\n";
    let (_, found) = try_compile(&["policy: p\nroles: {\n", other]);
    assert_eq!(found.errors(), 2, "{}", found.render(false));
}

#[test]
fn a_name_that_was_changed_in_one_place_is_one_mistake() {
    for (good, bad, expected, hint) in [
        (
            "  sales:     {",
            "  vente:     {",
            "P011: unknown role `sales`",
            "`vente`: was it renamed?",
        ),
        (
            "  finance:   {",
            "  finanse:   {",
            "P011: unknown role `finance`",
            "did you mean `finanse`?",
        ),
        (
            "  payment:              {",
            "  invoices:             {",
            "P012: unknown purpose `payment`",
            "`invoices`: was it renamed?",
        ),
        (
            "  strong: {",
            "  hard: {",
            "P013: unknown strength `strong`",
            "`hard`",
        ),
        (
            "  Contacts:\n    first",
            "  Kontakte:\n    first",
            "P018: unknown module `Contacts`",
            "Kontakte",
        ),
    ] {
        let text = with(good, bad);
        let (_, found) = try_compile(&[&text]);
        assert_eq!(problems(&[&text]), [expected], "{}", found.render(false));
        assert!(
            found.render(false).contains(hint),
            "{}",
            found.render(false)
        );
    }
    let (_, found) = try_compile(&[&with("  sales:     {", "  vente:     {")]);
    let shown = found.render(false);
    assert!(shown.contains("p0.yaml:18:"), "{shown}");
    assert!(shown.contains("also in lines 60, 62, 66, 68"), "{shown}");
    let own = "categories:\n  work.badge: {}\n";
    let uses = "classify: { Contacts: { a_c: work.bagde, b_c: work.bagde } }\n\
                grants: [{ name: g, roles: s, data: [work.bagde], level: clear }]\n";
    let role = "roles: { s: { from: { crm.role: S }, default_purpose: p } }\npurposes: { p: { legal_basis: contract, roles: s } }\n";
    assert_eq!(
        problems(&[&format!("policy: p\n{own}{role}{uses}")]),
        ["P014: unknown data category `work.bagde`"]
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn a_definition_that_is_wrong_defines_its_name_all_the_same() {
    for (good, bad, expected) in [
        (
            "{ crm.role: \"Sales\" }",
            "{}",
            "P026: a role without evidence",
        ),
        (
            "sales:     { from: { crm.role: \"Sales\" },      default_purpose: contract }",
            "sales: Sales",
            "Y012: a role must be a map",
        ),
        (
            "support:              { legal_basis: contract, roles: [support] }",
            "support: contract",
            "Y012: a purpose must be a map",
        ),
        (
            "support:              { legal_basis: contract, roles: [support] }",
            "support: { legal_basis: contract }",
            "Y011: a purpose needs the key `roles`",
        ),
        (
            "  contact.phone:  {",
            "  Contact.Phone:  {",
            "P005: `Contact.Phone` is not a name of a category",
        ),
        (
            "  strong: {",
            "  Str\u{f6}ng: {",
            "P005: `Str\u{f6}ng` is not a name of a strength",
        ),
        (
            "policy: sugarcrm-eu",
            "policy: sugarcrm eu",
            "P005: `sugarcrm eu` is not a name of a policy",
        ),
        (
            "policy: sugarcrm-eu",
            "policy: 5",
            "Y012: the policy's name must be text",
        ),
        (
            "policy: sugarcrm-eu",
            "polcy: sugarcrm-eu",
            "P001: unknown section `polcy`",
        ),
        ("\nroles:", "\nrolls:", "P001: unknown section `rolls`"),
        (
            "\npurposes:",
            "\npurpose:",
            "P001: unknown section `purpose`",
        ),
        (
            "\nclassify:",
            "\nclasify:",
            "P001: unknown section `clasify`",
        ),
        (
            "  finance:   { from",
            "  sales:   { from",
            "Y002: key `sales` stands twice",
        ),
        (
            "\npurposes:",
            "\nroles: { more: { from: { crm.user: x } } }\npurposes:",
            "Y002: key `roles` stands twice",
        ),
        (
            "level: hide, firm",
            "levle: hide, firm",
            "Y010: unknown key `levle`",
        ),
        (
            "crm.role: \"Sales\"",
            "crm.rol: \"Sales\"",
            "P015: unknown evidence `crm.rol`",
        ),
        (
            "default_purpose: contract",
            "default_purpos: contract",
            "Y010: unknown key `default_purpos`",
        ),
        (
            "level: mask, write: allow",
            "level: *mask, write: allow",
            "Y003: aliases are not accepted",
        ),
        (
            "roles: finance, purposes: payment, data: [",
            "roles: *f, purposes: payment, data: [",
            "Y003: aliases are not accepted",
        ),
    ] {
        let text = with(good, bad);
        let (_, found) = try_compile(&[&text]);
        let errors: Vec<String> = found
            .iter()
            .filter(|d| d.severity == Severity::Error)
            .map(|d| format!("{}: {}", d.code, d.title))
            .collect();
        assert_eq!(errors, [expected], "{bad}: {}", found.render(false));
    }
}

#[test]
fn a_section_that_is_no_map_says_nothing_of_the_names_in_it() {
    for section in ["roles", "purposes", "auth", "classify"] {
        let at = SAMPLE.find(&format!("\n{section}:")).unwrap() + 1;
        let end = SAMPLE[at..].find("\n\n").unwrap() + at;
        let text = format!("{}{section}: [a, b]{}", &SAMPLE[..at], &SAMPLE[end..]);
        let expected = format!("Y012: `{section}` must be a map");
        assert_eq!(problems(&[&text]), [expected]);
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn names_that_look_right_and_are_not_are_told_with_their_character_and_a_fix() {
    for (good, bad, code, shown, fix) in [
        (
            "crm.role: \"Sales\"",
            "crm.role: \"\"",
            "P029",
            "blank",
            "crm.role: \"Sales\"",
        ),
        (
            "crm.role: \"Sales\"",
            "crm.role: \" \"",
            "P029",
            "blank",
            "crm.role",
        ),
        (
            "crm.role: \"Sales\"",
            "crm.role: [\"Sales\", \"\u{200b}\"]",
            "P029",
            "blank",
            "crm.role",
        ),
        (
            "crm.role: \"Sales\"",
            "crm.role: \u{201c}Sales\u{201d}",
            "Y018",
            "U+201C",
            "`Sales`",
        ),
        (
            "crm.role: \"Sales\"",
            "crm.role: \u{ab}Sales\u{bb}",
            "Y018",
            "U+00AB",
            "`Sales`",
        ),
        (
            "crm.role: \"Sales\"",
            "crm.role: \"Sal\u{200b}es\"",
            "Y018",
            "U+200B",
            "`Sales`",
        ),
        (
            "crm.role: \"Sales\"",
            "crm.role: \"Sales\\u202e\"",
            "Y018",
            "U+202E",
            "`Sales`",
        ),
        (
            "crm.role: \"Sales\"",
            "crm.role: \"Sales \"",
            "W114",
            "ends with a space",
            "`Sales`",
        ),
        (
            "crm.role: \"Sales\"",
            "crm.role: \"\u{a0}Sales\"",
            "W114",
            "<U+00A0>Sales",
            "`Sales`",
        ),
        (
            "crm.role: \"Data Protection\"",
            "crm.role: \"Data\u{a0}Protection\"",
            "W114",
            "U+00A0",
            "`Data Protection`",
        ),
        (
            "crm.role: \"Sales\"",
            "crm.role: \"S\u{430}les\"",
            "W114",
            "U+0430",
            "`Sales`",
        ),
        (
            "crm.role: \"Sales\"",
            "crm.role: \"Sales\u{2019}\"",
            "Y018",
            "U+2019",
            "`Sales`",
        ),
        (
            "crm.role:",
            "crm.role\u{200b}:",
            "Y018",
            "U+200B",
            "`crm.role`",
        ),
        (
            "policy: sugarcrm-eu",
            "policy: \"\"",
            "P005",
            "a blank",
            "ASCII",
        ),
        (
            "policy: sugarcrm-eu",
            "policy: \u{201c}sugarcrm-eu\u{201d}",
            "Y018",
            "U+201C",
            "`sugarcrm-eu`",
        ),
        (
            "policy: sugarcrm-eu",
            "policy: sugarcrm\u{2013}eu",
            "P005",
            "U+2013",
            "`sugarcrm-eu`",
        ),
        ("name: plumbing", "name: \"\"", "P005", "a blank", "ASCII"),
        (
            "name: plumbing",
            "name: pl\u{443}mbing",
            "P005",
            "U+0443",
            "`plymbing`",
        ),
        (
            "  sales:     {",
            "  s\u{430}les:     {",
            "P005",
            "the Cyrillic letter",
            "`sales`",
        ),
        (
            "  sales:     {",
            "  sales\u{200d}:     {",
            "Y018",
            "U+200D",
            "`sales`",
        ),
        (
            "  sales:     {",
            "  \"\":     {",
            "P005",
            "a blank",
            "ASCII",
        ),
        (
            "  sales:     {",
            "\u{a0} sales:     {",
            "Y018",
            "U+00A0",
            "`sales`",
        ),
        (
            "roles: [sales, marketing",
            "roles: [s\u{430}les, marketing",
            "P011",
            "U+0430",
            "`sales`",
        ),
        (
            "roles: [sales, marketing",
            "roles: [\u{ff53}ales, marketing",
            "P011",
            "U+FF53",
            "`sales`",
        ),
        (
            "    first_name: identity.name",
            "    f\u{456}rst_name: identity.name",
            "P005",
            "U+0456",
            "`first_name`",
        ),
        (
            "    first_name: identity.name",
            "    first_name: identity.n\u{430}me",
            "P014",
            "U+0430",
            "`identity.name`",
        ),
        (
            "    first_name: identity.name",
            "    first_name: identity\u{2024}name",
            "P014",
            "U+2024",
            "`identity.name`",
        ),
        (
            "  Accounts:\n",
            "  \u{410}ccounts:\n",
            "P005",
            "U+0410",
            "`Accounts`",
        ),
        ("\ngrants:", "\ngr\u{430}nts:", "P001", "U+0430", "`grants`"),
        (
            "\ngrants:",
            "\ngrants\u{feff}:",
            "Y018",
            "U+FEFF",
            "`grants`",
        ),
        (
            "level: hide, firm",
            "l\u{435}vel: hide, firm",
            "Y010",
            "U+0435",
            "`level`",
        ),
        (
            "level: hide, firm",
            "level: hide\u{ad}, firm",
            "Y018",
            "U+00AD",
            "`hide`",
        ),
        (
            "# name;",
            "# \u{202e}name;",
            "Y018",
            "U+202E",
            "take it out",
        ),
        (
            "why: Art. 9 data has no place in this CRM",
            "why: \"Art. \\u202e9\"",
            "Y018",
            "U+202E",
            "take it out",
        ),
        (
            "\nroles: ",
            "\nroles\u{ff1a} ",
            "Y001",
            "U+FF1A",
            "looks like `:`",
        ),
        (
            "policy: sugarcrm-eu",
            "policy:\u{a0}sugarcrm-eu",
            "Y001",
            "U+00A0",
            "no-break",
        ),
        ("mask: year", "mask: y\u{435}ar", "P016", "U+0435", "`year`"),
    ] {
        let text = with(good, bad);
        let (_, found) = try_compile(&[&text]);
        let all = found.render(false);
        let first = found
            .iter()
            .next()
            .unwrap_or_else(|| panic!("{bad}: nothing"));
        assert_eq!(first.code, code, "{bad}: {all}");
        assert!(all.contains(shown) && all.contains(fix), "{bad}: {all}");
        let is_warning = first.severity == Severity::Warning;
        assert_eq!(found.has_errors(), !is_warning, "{bad}: {all}");
        assert!(found.errors() <= 1, "{bad}: {all}");
    }
}

#[test]
fn names_that_the_crm_chose_and_words_for_people_may_hold_any_letter() {
    for (good, bad) in [
        (
            "crm.role: \"Sales\"",
            "crm.role: \"\u{c9}quipe commerciale\"",
        ),
        (
            "crm.role: \"Sales\"",
            "crm.role: \"\u{41e}\u{442}\u{434}\u{435}\u{43b}\"",
        ),
        (
            "crm.role: \"Sales\"",
            "crm.role: \"\u{55b6}\u{696d}\u{90e8}\"",
        ),
        ("crm.role: \"Sales\"", "crm.role: \"Sales \u{2013} West\""),
        (
            "fr: Gestion du contrat",
            "fr: \"Gestion\u{a0}: l\u{2019}\u{e9}tat\"",
        ),
        ("why: Art. 9 data", "why: \u{201c}Art. 9\u{201d} data"),
        ("# name;", "# \u{201c}name\u{201d}\u{a0};"),
    ] {
        let text = with(good, bad);
        assert_eq!(problems(&[&text]), Vec::<String>::new(), "{bad}");
    }
}
