//! Whom records are about, where that is counted: told of each that is shown, by what is read and cut.

use std::collections::BTreeSet;

use super::conditions::{Conditioned, run_with};
use super::*;
use crate::filter::persons::{Described, Someone, Tells, Whom};

/// Knows contacts by `redact_c`, and nobody of accounts.
#[derive(Debug)]
struct ByField(BTreeSet<Field>);

impl Tells for ByField {
    fn fields(&self, module: &Module) -> Option<&BTreeSet<Field>> {
        (module.as_str() == "Contacts").then_some(&self.0)
    }

    fn whom(&self, record: &Described<'_>) -> Option<Vec<Someone>> {
        record.id?;
        let name = record.field(&Field::fold("redact_c"))?.as_str()?;
        let all = name.split_whitespace();
        Some(
            all.map(|name| Someone::heard_of(name.len() as u128))
                .collect(),
        )
    }

    fn alone(&self, _: &Module, id: Option<&str>) -> Someone {
        let name = id.map_or(0, |id| 100 + id.len() as u128);
        Someone::heard_of(name)
    }
}

fn asked() -> Asked {
    let field = Field::fold("redact_c");
    let fields = BTreeSet::from([field]);
    Asked {
        added: BTreeMap::from([(Module::new("Contacts"), fields.clone())]),
        tells: Some(Arc::new(ByField(fields))),
        ..Asked::default()
    }
}

fn names(whom: &[Whom]) -> Vec<(&str, Vec<u128>)> {
    let of = |whom: &Whom| {
        whom.persons
            .iter()
            .flat_map(|one| one.names.clone())
            .collect()
    };
    whom.iter()
        .map(|whom| (whom.module.as_str(), of(whom)))
        .collect()
}

const TEXT: &str = r#"{"records":[
{"redact_c":"a","id":"1","clear_c":"mine"},
{"clear_c":"mine","id":"2","Redact_C":"bb ccc"},
{"clear_c":"other","id":"3","redact_c":"dddd"},
{"clear_c":"mine","id":"4","redact_c":""},
{"clear_c":"mine","redact_c":"eeeee"},
{"clear_c":"mine","id":"666666","redact_c":[1]},
{"clear_c":"mine","id":"7","redact_c":"a","link_c":{"id":"8","redact_c":"x"}}]}"#;

#[test]
fn it_is_told_of_each_record_that_is_shown_and_in_doubt_it_is_somebody_else() {
    let shown = |terms: &Conditioned, text: &[&[u8]]| {
        let (out, report) = run_with(terms, &list(), asked(), text, &Memory::new());
        let out = String::from_utf8(out).unwrap();
        assert!(!out.to_ascii_lowercase().contains("bb"), "{out}");
        report.unwrap()
    };
    let everybody = Conditioned::nowhere();
    let all = shown(&everybody, &[TEXT.as_bytes()]);
    let contact = |names: &[u128]| ("Contacts", names.to_vec());
    let mut expected = vec![
        contact(&[1]),
        contact(&[2, 3]),
        contact(&[4]),
        contact(&[]),
        contact(&[0]),
        contact(&[106]),
        contact(&[1]),
    ];
    let met: Vec<_> = names(&all.whom)
        .into_iter()
        .filter(|(module, _)| *module == "Contacts")
        .collect();
    assert_eq!(met, expected);
    assert_eq!(all.whom.len() as u64, all.records);
    // Of modules of which nothing tells, each record is about somebody of its own.
    let linked: Vec<_> = names(&all.whom)
        .into_iter()
        .filter(|(module, _)| *module == "Accounts")
        .collect();
    assert!(
        linked.iter().all(|one| *one == ("Accounts", vec![101])),
        "{linked:?}"
    );
    // Those that are not there for the caller count nobody, in whatever pieces a reply comes.
    expected.remove(2);
    let pieces: Vec<&[u8]> = TEXT.as_bytes().chunks(7).collect();
    let mine = shown(&Conditioned::mine(), &pieces);
    let met: Vec<_> = names(&mine.whom)
        .into_iter()
        .filter(|(module, _)| *module == "Contacts")
        .collect();
    assert_eq!(met, expected);
    assert_eq!(mine.whom.len() as u64, mine.records);
}

#[test]
fn what_was_read_for_it_is_cut_from_records_of_which_nothing_else_is_asked() {
    let (out, _) = run_with(
        &Conditioned::nowhere(),
        &list(),
        asked(),
        &[br#"{"records":[{"id":"1","redact_c":"a","clear_c":"x"},{"redact_c":"b"}]}"#],
        &Memory::new(),
    );
    assert_eq!(
        String::from_utf8(out).unwrap(),
        r#"{"records":[{"id":"1","clear_c":"x"},{}]}"#
    );
    // Where nobody counts persons, nobody looks.
    let (_, report) = run_with(
        &Conditioned::nowhere(),
        &list(),
        Asked::default(),
        &[TEXT.as_bytes()],
        &Memory::new(),
    );
    assert!(report.unwrap().whom.is_empty());
}
