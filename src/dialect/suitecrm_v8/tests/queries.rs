//! What records are asked for: `fields[…]`, `filter[…]`, `sort`, `page[…]`.

use std::collections::BTreeSet;

use http::Method;

use super::{described, understand};
use crate::dialect::spelling::decode;
use crate::dialect::testing::Speaks as _;
use crate::dialect::{Bounds, Incoming, Understood};
use crate::reason::Reason;

const BOUNDS: Bounds = Bounds {
    page_max: 500,
    bulk_parts_max: 1,
    depth_max: 9,
};

/// The parameters that the CRM receives; their order means nothing.
fn again(query: &str) -> Result<BTreeSet<String>, Reason> {
    let request = Incoming {
        method: &Method::GET,
        path: "/Api/V8/module/Contacts",
        query: Some(query),
        accept: None,
        content_type: None,
        controls: &[],
        body: &[],
    };
    let understood = described().meaning(&request, &BOUNDS);
    let understood = understood.map_err(|misunderstood| misunderstood.objection.reason)?;
    let Understood::One(operation) = understood else {
        panic!("an envelope")
    };
    let target = described().render(&operation).target;
    let (_, query) = target.split_once('?').unwrap_or_default();
    Ok(parameters(&decode(query, true).unwrap()))
}

fn parameters(query: &str) -> BTreeSet<String> {
    let all = query.split('&').filter(|pair| !pair.is_empty());
    all.map(str::to_owned).collect()
}

#[test]
fn arguments_have_one_spelling() {
    for (text, expected) in [
        ("", ""),
        (
            "fields[Contacts]=id,last_name",
            "fields[Contacts]=id,last_name",
        ),
        ("fields[Contact]=id,id", "fields[Contacts]=id"),
        ("%66ields%5BContacts%5D=a%2C%20b", "fields[Contacts]=a,b"),
        ("sort=-iban_c", "sort=-iban_c"),
        ("sort=&filter=&page[number]=&page[size]=", ""),
        ("page=", ""),
        (
            "page[number]=&page[size]=20&_=1732291200000",
            "page[size]=20",
        ),
        ("filter[operator]=AND", ""),
        ("filter[deleted][eq]=0", ""),
        (
            "filter[operator]=or&filter[a][eq]=1&filter[deleted][eq]=0&filter[b][eq]=2",
            "filter[operator]=or&filter[a][eq]=1&filter[b][eq]=2",
        ),
        (
            "filter[a][gt]=1&filter[operator]=and&filter[b][lt]=2&filter[operator]=and&filter[c][lt]=3",
            "filter[a][gt]=1&filter[b][lt]=2&filter[c][lt]=3",
        ),
        (
            "page[number]=1&page[size]=100000",
            "page[size]=500&page[number]=1",
        ),
        ("filter[a][LIKE]=%25x", "filter[a][like]=%x"),
        (
            "filter[a][gte]=1&filter[a][lte]=2&filter[operator]=and",
            "filter[a][gte]=1&filter[a][lte]=2",
        ),
        (
            "filter[a][eq]=1&filter[operator]=OR&filter[b][neq]=",
            "filter[operator]=or&filter[a][eq]=1&filter[b][neq]=",
        ),
    ] {
        assert_eq!(again(text), Ok(parameters(expected)), "{text}");
    }
}

#[test]
fn whatever_is_not_understood_is_refused() {
    for (text, reason) in [
        ("fields[Leads]=iban_c", Reason::MalformedProjection),
        (
            "fields[Contacts]=a&fields[Leads]=b",
            Reason::MalformedProjection,
        ),
        (
            "fields[Contacts]=a&fields[Contact]=b",
            Reason::MalformedProjection,
        ),
        (
            "fields[Contacts]=a&fields[Contacts]=b",
            Reason::DuplicateParameter,
        ),
        ("fields[Contacts]=", Reason::MalformedProjection),
        ("fields[Contacts]=a,,b", Reason::MalformedProjection),
        ("fields[Contacts]=a, b", Reason::MalformedQuery),
        ("fields[Contacts]=a%20b", Reason::MalformedProjection),
        ("fields[Contacts][]=a", Reason::MalformedProjection),
        ("fields=a", Reason::MalformedProjection),
        ("fields[]=a", Reason::MalformedProjection),
        ("filter[a]=1", Reason::MalformedFilter),
        ("filter[a][or]=1", Reason::MalformedFilter),
        ("filter[a][and]=1", Reason::MalformedFilter),
        ("filter[a][xx]=1", Reason::MalformedFilter),
        ("filter[a][eq][x]=1", Reason::MalformedFilter),
        ("filter[a][eq][]=1", Reason::MalformedFilter),
        ("filter[a.b][eq]=1", Reason::MalformedFilter),
        ("filter[0][a][eq]=1", Reason::MalformedFilter),
        ("filter[operator]=or", Reason::MalformedFilter),
        (
            "filter[operator]=xor&filter[a][eq]=1",
            Reason::MalformedFilter,
        ),
        (
            "filter[operator][eq]=or&filter[a][eq]=1",
            Reason::MalformedFilter,
        ),
        ("filter[Operator][eq]=1", Reason::MalformedFilter),
        ("filter[deleted][eq]=1", Reason::StoredQuery),
        ("filter[DELETED][neq]=2", Reason::StoredQuery),
        ("filter[Deleted][eq]=0", Reason::StoredQuery),
        (
            "filter[deleted][eq]=0&filter[deleted][neq]=1",
            Reason::StoredQuery,
        ),
        ("filter[deleted][EQ]=00", Reason::StoredQuery),
        (
            "filter[operator]=or&filter[deleted][eq]=0",
            Reason::MalformedFilter,
        ),
        ("sort=a,b", Reason::MalformedOrder),
        ("sort=--a", Reason::MalformedOrder),
        ("sort=contacts.a", Reason::MalformedOrder),
        ("sort[]=a", Reason::MalformedOrder),
        ("page[size]=0", Reason::MalformedPage),
        ("page[size]=-1", Reason::MalformedPage),
        ("page[size]=9999999999", Reason::MalformedPage),
        ("page[number]=0", Reason::MalformedPage),
        ("page[number]=2&page[size]=501", Reason::PageTooLarge),
        ("page=2", Reason::MalformedPage),
        ("page[offset]=2", Reason::UnknownParameter),
        ("deleted=1", Reason::UnknownParameter),
        ("moduleName=Contacts", Reason::UnknownParameter),
        ("id=1", Reason::UnknownParameter),
        ("linkFieldName=contacts", Reason::UnknownParameter),
        ("sourceBean=x", Reason::UnknownParameter),
        ("_METHOD=DELETE", Reason::UnknownParameter),
    ] {
        assert_eq!(again(text), Err(reason), "{text}");
    }
}

#[test]
fn what_means_nothing_is_left_out_of_a_query() {
    for (text, plain) in [
        ("_=1732291200000", ""),
        ("sort=a&_=17&page[size]=2", "sort=a&page[size]=2"),
        (
            "filter[c][eq]=1&filter[operator]=or&filter[d][eq]=2&filter[operator]=or",
            "filter[operator]=or&filter[c][eq]=1&filter[d][eq]=2",
        ),
        (
            "filter[a][eq]=1&filter%5Boperator%5D=or&filter%5Boperator%5D=or",
            "filter[operator]=or&filter[a][eq]=1",
        ),
    ] {
        assert_eq!(again(text), Ok(parameters(plain)), "{text}");
    }
    for text in [
        "filter[operator]=and&filter[operator]=or",
        "filter[operator]=and&filter%5Boperator%5D=and",
        "filter[operator]=and&filter[a][eq]=1&filter[a][eq]=1",
        "sort=a&sort=a",
    ] {
        assert_eq!(again(text), Err(Reason::DuplicateParameter), "{text}");
    }
    assert!(again("_=x").is_err());
}

#[test]
fn tokens_in_a_query_are_refused() {
    for text in [
        "access_token=x",
        "Access_Token=x",
        "token[a]=x",
        "oauth_token=x",
    ] {
        assert_eq!(again(text), Err(Reason::CredentialInQuery), "{text}");
    }
}

#[test]
fn related_records_take_no_fields() {
    let path = "GET /Api/V8/module/Accounts/a-1/relationships/contacts";
    let query = understand(&format!("{path}?sort=a"), "").unwrap().query;
    assert_eq!(query.order.len(), 1);
    let refused = understand(&format!("{path}?fields[Contacts]=last_name&sort=a"), "");
    assert_eq!(refused.err(), Some(Reason::UnknownParameter));
}
