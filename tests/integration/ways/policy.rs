//! Policies whose roles are reached in every way.

use paravent::policy::Source;

const ROLES: &str = r#"roles:
  portal: { from: { claim.roles: portal, token: company }, default_purpose: contract, actions: { Contacts: [list, read, count] } }
  payer: { from: { claim.roles: payer, token: company }, default_purpose: payment, actions: { Contacts: [list, read, count], Accounts: [list, read] } }
  robot: { from: { claim.roles: robot, token: company }, kind: machine, purposes: [contract, payment], region: FR, actions: { Contacts: [list, read, count] } }
  writer:
    from: { claim.roles: writer, token: company }
    default_purpose: contract
    actions: { Contacts: [list, read, count, create, update, relate], Accounts: [list, read, count, create, update, relate], Users: [list, read, count, create, update, delete, relate] }
  editor: { from: { claim.roles: editor, token: company }, default_purpose: contract, actions: { Contacts: [list, read, update] } }
  changer: { from: { claim.roles: changer, token: company }, default_purpose: contract, actions: { Contacts: [update] } }
  maker: { from: { claim.roles: maker, token: company }, default_purpose: contract, actions: { Contacts: [create] } }
  books: { from: { key: erp }, kind: machine, purposes: payment, region: FR, actions: { Contacts: [list, read, count] } }
  sync: { from: { key: sync }, kind: machine, purposes: [contract, payment], region: FR, actions: { Contacts: [list, read, count] } }
  mailer: { from: { certificate: "dns:mailer.example.com" }, kind: machine, purposes: contract, region: FR, actions: { Contacts: [list, read, count] } }
  second: { from: { certificate: "dns:second.example.com" }, kind: machine, purposes: contract, region: FR, actions: { Contacts: [list, read, count] } }
  desk: { from: { front.roles: desk }, default_purpose: contract, actions: { Contacts: [list, read, count] } }
"#;

/// The policy of SugarCRM's stock modules, with these roles beside its own.
pub fn sugar() -> Vec<Source> {
    let rules = include_str!("../../../policies/sugarcrm/rules.yaml");
    let edits = [
        ("roles:\n", ROLES),
        (
            "[sales, support, finance",
            "[portal, payer, robot, writer, editor, maker, changer, books, sync, mailer, second, desk, sales, support, finance",
        ),
        (
            "    roles: [finance, finance-by-token, erp]\n",
            "    roles: [finance, finance-by-token, erp, payer, robot, books, sync]\n",
        ),
        (
            "    roles: [finance, finance-by-token]\n",
            "    roles: [finance, finance-by-token, payer, robot, books, sync]\n",
        ),
        (
            "    roles: dpo\n    purposes: data-subject-request\n    data: [financial.iban, financial.bic]\n",
            "    roles: dpo\n    ask: step-up\n    purposes: data-subject-request\n    data: [financial.iban, financial.bic]\n",
        ),
    ];
    let mut text = rules.to_owned();
    for (old, new) in edits {
        assert!(text.contains(old), "{old}");
        text = match old {
            "roles:\n" => text.replacen(old, new, 1),
            _ => text.replace(old, new),
        };
    }
    text.push_str(
        "search:\n  Accounts: [name, email]\n  Contacts: [first_name, last_name, email]\n",
    );
    let source = |path: &str, text: &str| Source {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    vec![
        source(
            "classify.yaml",
            include_str!("../../../policies/sugarcrm/classify.yaml"),
        ),
        source("rules.yaml", &text),
    ]
}
