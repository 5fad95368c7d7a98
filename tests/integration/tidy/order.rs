//! A module uses only modules that stand above it, and no name of a dialect.

use std::fs;

use super::source::{Path, code, uses};
use super::{is_of_tests, root, sources};

/// The modules in the order in which `lib.rs` declares them.
fn map() -> Vec<String> {
    let text = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    text.lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .map(str::to_owned)
        .collect()
}

/// The module that a file is, as a path from the root of the crate.
pub fn module(within: &std::path::Path) -> Path {
    let parts = within.with_extension("");
    let parts = parts.iter().map(|part| part.to_string_lossy().into_owned());
    parts.filter(|part| part != "mod").collect()
}

/// What a source uses that it may not: modules below its own, and the whole crate, of which nobody sees a part.
fn breaches(text: &str, own: &[String], map: &[String]) -> Vec<String> {
    let rank = |name: &str| map.iter().position(|known| known == name);
    let own_rank = own.first().and_then(|own| rank(own));
    let used = uses(&code(text), own);
    let is_breach = |path: &Path| match path.first() {
        None => true,
        Some(name) => rank(name).is_some_and(|used| own_rank.is_some_and(|own| used > own)),
    };
    let breaches = used.into_iter().filter(is_breach);
    breaches.map(|path| path.join("::")).collect()
}

#[test]
fn a_module_uses_only_modules_that_stand_above_it() {
    let map = map();
    assert!(map.len() > 15, "lib.rs is not the map any more");
    let mut seen = 0;
    for path in sources(&root().join("src")) {
        let within = path.strip_prefix(root().join("src")).unwrap();
        let own = module(within);
        if is_of_tests(within) || !map.contains(&own[0]) {
            continue;
        }
        let breaches = breaches(&fs::read_to_string(&path).unwrap(), &own, &map);
        let place = within.display();
        assert!(
            breaches.is_empty(),
            "{place} uses what stands below `{}` in lib.rs: {breaches:?}",
            own[0]
        );
        seen += 1;
    }
    assert!(seen > 150, "{seen}");
}

fn planted(text: &str) -> Vec<String> {
    let map = ["door", "dialect", "filter", "reply", "server", "cli"];
    let own = ["filter", "report"];
    breaches(text, &own.map(str::to_owned), &map.map(str::to_owned))
}

#[test]
fn every_kind_of_breach_is_found() {
    for (text, expected) in [
        ("use crate::reply::Reply;", "reply::Reply"),
        ("use crate::server;", "server"),
        ("pub(crate) use crate::server as s;", "server"),
        ("use crate::server::*;", "server"),
        ("use crate::{door::Head, server};", "server"),
        ("use crate::{door::{a::B, C}, reply};", "reply"),
        (
            "use crate::{door::{a::{B, C}, D}, reply::{self, Reply}};",
            "reply",
        ),
        (
            "use crate::{\n    door::{Head},\n    // }\n    reply::Reply,\n};",
            "reply::Reply",
        ),
        ("use {crate::door, crate::{cli}};", "cli"),
        ("use super::super::reply::Reply;", "reply::Reply"),
        ("use super::{book, super::{dialect, reply}};", "reply"),
        ("use self::super::super::reply;", "reply"),
        ("fn f() { super::super::server::serve() }", "server::serve"),
        ("fn f() -> crate::cli::Code { todo!() }", "cli::Code"),
        (
            "fn f() { let x = <crate::cli::Code as A>::b(); }",
            "cli::Code",
        ),
        ("#[derive(crate::cli::Derive)] struct A;", "cli::Derive"),
        (
            "macro_rules! m { () => { $crate::cli::run() } }",
            "cli::run",
        ),
        ("mod inner { use super::super::super::server; }", "server"),
        (
            "mod inner { fn f() {} } use super::super::server;",
            "server",
        ),
        ("fn f() { use crate::server; }", "server"),
        ("#[cfg(not(test))] use crate::server;", "server"),
        ("#[cfg(test)] use crate::cli; use crate::server;", "server"),
        (
            "#[cfg(test)] fn t<A, B>() { crate::cli::a() } use crate::server;",
            "server",
        ),
        (
            "const Q: char = '\"'; use crate::server; const R: char = '\"';",
            "server",
        ),
        (
            r###"const Q: &str = r#"" // "#; use crate::server;"###,
            "server",
        ),
        ("/* /* */ */ use crate::server;", "server"),
        ("fn f<'a>(a: &'a str) { crate::server::a(a) }", "server::a"),
        ("use crate::*;", ""),
        ("use crate as everything;", ""),
        ("use crate::{self as everything};", ""),
        ("use super::super::*;", ""),
    ] {
        let found = planted(text);
        assert!(found.contains(&expected.to_owned()), "{text}: {found:?}");
    }
}

#[test]
fn what_may_be_used_is_no_breach() {
    for text in [
        "use crate::{door::{a::{B, C}, D}, dialect::Shape, filter::x};",
        "use super::{book, super::{dialect::Shape, door}};",
        "use super::reply;",
        "use self::server::A;",
        "use server::A; use std::{fs, io};",
        "mod inner { use super::server; }",
        "// use crate::server;\n/* use crate::server; */ const A: &str = \"crate::server::a\";",
        "/// [`crate::server`]\nfn f() {}",
        "#[cfg(test)] mod tests { use crate::server; }",
        "#[cfg(any(test, fuzzing))] pub(crate) fn f() { crate::server::a() } fn g() {}",
        "#[test] fn f() { crate::server::a() }",
        "#[cfg(test)] use crate::{server, cli};",
        "pub(super) fn f() {} pub(in crate::filter) fn g() {}",
    ] {
        assert_eq!(planted(text), Vec::<String>::new(), "{text}");
    }
}
