//! What a dialect says a client asks is understood as that.

use super::*;
use crate::dialect::{Path as FieldAt, Predicate, Projected};
use crate::vocabulary::Action;

fn understood(stand: &Stand, ask: &Ask) -> crate::dialect::Operation {
    let request = stand.dialect.ask(ask, &BOUNDS);
    let request = request.unwrap_or_else(|| panic!("{}: {ask:?}", stand.name));
    match stand.dialect.understand(&request.incoming(), &BOUNDS) {
        Ok(Understood::One(exchange)) => exchange.operation().clone(),
        other => panic!("{}: {other:?}", stand.name),
    }
}

fn comparisons(predicate: Option<&Predicate>) -> Vec<(FieldAt, Value)> {
    let mut found = Vec::new();
    if let Some(predicate) = predicate {
        predicate.each_comparison(&mut |path, value| found.push((path.clone(), value.clone())));
    }
    found
}

#[test]
fn records_are_read_and_written_by_their_ids() {
    for stand in stands() {
        let read = understood(stand, &stand.read());
        assert_eq!(read.action, Action::Read, "{}", stand.name);
        assert_eq!(read.module, Some(stand.module()), "{}", stand.name);
        assert_eq!(read.record.as_deref(), Some(stand.id), "{}", stand.name);
        assert_eq!(read.query.projection, None, "{}", stand.name);
        let set = fields(json!({stand.iban: IBAN, stand.title: "A & <b> \"é\" 'c'"}));
        let write = Ask::Write {
            module: stand.module(),
            id: stand.id.to_owned(),
            set: set.clone(),
        };
        let write = understood(stand, &write);
        assert_eq!(write.action, Action::Update, "{}", stand.name);
        assert_eq!(write.record.as_deref(), Some(stand.id), "{}", stand.name);
        assert_eq!(write.write, Some(set.clone()), "{}", stand.name);
        let create = understood(
            stand,
            &Ask::Create {
                module: stand.module(),
                fields: set.clone(),
            },
        );
        assert_eq!(create.action, Action::Create, "{}", stand.name);
        assert_eq!(create.record, None, "{}", stand.name);
        assert_eq!(create.write, Some(set), "{}", stand.name);
    }
}

#[test]
fn lists_name_what_they_compare_order_and_show() {
    for stand in stands() {
        let [first_name, title] = [stand.first_name, stand.title].map(Field::fold);
        let list = Ask::List {
            module: stand.module(),
            fields: vec![first_name.clone(), title.clone()],
            filter: Some(first_name.clone()),
            sort: Some(title.clone()),
        };
        let list = understood(stand, &list);
        assert_eq!(list.action, Action::List, "{}", stand.name);
        assert_eq!(list.module, Some(stand.module()), "{}", stand.name);
        let projected = list.query.projection.expect("each of them has projections");
        let name = |item: Projected| match item {
            Projected::Field(name) => Field::fold(&name),
            Projected::Collection { .. } => {
                panic!("{}: nobody asked for records within", stand.name)
            }
        };
        let projected: Vec<Field> = projected.into_iter().map(name).collect();
        assert_eq!(
            projected,
            [first_name.clone(), title.clone()],
            "{}",
            stand.name
        );
        let compared = comparisons(list.query.predicate.as_ref());
        let [(path, _)] = compared.as_slice() else {
            panic!("{}: {compared:?}", stand.name);
        };
        assert_eq!(Field::fold(&path.field), first_name, "{}", stand.name);
        let [sort] = list.query.order.as_slice() else {
            panic!("{}: {:?}", stand.name, list.query.order);
        };
        assert_eq!(Field::fold(&sort.path.field), title, "{}", stand.name);
        assert!(!sort.descending, "{}", stand.name);
    }
}

#[test]
fn values_of_filters_and_texts_of_searches_arrive_as_they_were_meant() {
    for stand in stands() {
        for value in ["Jeanne", "Zoë Müller", "a b-c", "7"] {
            let filter = understood(stand, &stand.filter(stand.first_name, value));
            let compared = comparisons(filter.query.predicate.as_ref());
            let [(path, found)] = compared.as_slice() else {
                panic!("{}: {compared:?}", stand.name);
            };
            assert_eq!(Field::fold(&path.field), Field::fold(stand.first_name));
            let found = crate::dialect::operand(found).as_str();
            assert_eq!(found, Some(value), "{}", stand.name);
        }
        let search = Ask::Search {
            module: stand.module(),
            text: "Jeanne Dupont".to_owned(),
        };
        if stand.searches_not(&search) {
            continue;
        }
        let search = understood(stand, &search);
        assert_eq!(search.query.search.as_deref(), Some("Jeanne Dupont"));
        assert_eq!(search.module, Some(stand.module()), "{}", stand.name);
    }
}

#[test]
fn what_an_api_cannot_be_asked_is_not_asked() {
    for stand in stands() {
        let ask = Ask::Read {
            module: stand.module(),
            id: "no/id".to_owned(),
            fields: Vec::new(),
        };
        assert_eq!(
            stand.dialect.ask(&ask, &BOUNDS).map(|asked| asked.target),
            None,
            "{}",
            stand.name
        );
        // Nor is a field that is none.
        let ask = stand.filter("no field", "x");
        assert_eq!(
            stand.dialect.ask(&ask, &BOUNDS).map(|asked| asked.target),
            None,
            "{}",
            stand.name
        );
    }
}
