//! A1 to A8: what a CRM may say.

use std::io::Write;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{
    CANARY, JSON_HEAD, LIST, assert_unreleased, before, first, good_page, page, with_head,
};
use crate::harness::absent::skipped;
use crate::harness::scripted::{self, Received};

/// A CRM's reply that a test changes while everything is running.
fn changing() -> (
    &'static Mutex<Vec<u8>>,
    impl Fn(&Received) -> Vec<u8> + Send + Sync + 'static,
) {
    let reply: &'static Mutex<Vec<u8>> = Box::leak(Box::default());
    (reply, |_: &Received| reply.lock().unwrap().clone())
}

fn suite() -> Vec<(String, Vec<u8>)> {
    let Some(corpora) = std::env::var_os("PARAVENT_CORPORA") else {
        skipped("PARAVENT_CORPORA does not name the folder of public corpora");
        return Vec::new();
    };
    let folder = std::path::Path::new(&corpora).join("JSONTestSuite/test_parsing");
    let mut cases: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .flatten()
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read(entry.path()).unwrap())
        })
        .collect();
    assert_eq!(cases.len(), 318);
    cases.sort();
    cases
}

/// What a clear field shows of a value: scalars and lists of scalars as they are written; an object could be a record
/// of a link that nobody knows.
fn shown(text: &[u8]) -> Vec<u8> {
    let is_flat = |items: &Vec<Value>| {
        items
            .iter()
            .all(|item| !item.is_array() && !item.is_object())
    };
    match serde_json::from_slice::<Value>(text) {
        Ok(Value::Object(members)) if members.is_empty() => text.trim_ascii().to_vec(),
        Ok(Value::Object(_)) => b"{}".to_vec(),
        Ok(Value::Array(items)) if !is_flat(&items) => b"[]".to_vec(),
        // Not every text that is copied is one that `serde_json` reads: two numbers are out of its range.
        _ => text.trim_ascii().to_vec(),
    }
}

#[test]
fn a01_the_json_test_suite_as_a_field_and_as_a_whole_reply() {
    let (reply, script) = changing();
    let (_crm, world) = before(script);
    for (name, text) in suite() {
        let inner = [b"\"department\":", &text[..], b","].concat();
        let whole = page("@");
        let (front, back) = whole.split_once('@').unwrap();
        let body = [front.as_bytes(), &inner, back.as_bytes()].concat();
        *reply.lock().unwrap() = scripted::json(200, &body);
        let got = world.get(LIST, "tok-1");
        let is_good = got.status == 200;
        match name.as_bytes()[0] {
            b'y' => assert!(is_good, "{name}: {}", got.text()),
            b'n' => assert_unreleased(&world, &got, &name),
            _ => assert!(is_good || got.status == 502, "{name}"),
        }
        if is_good {
            let shown_bytes = shown(&text);
            let key = b"\"department\":";
            let at = got.body.windows(key.len()).position(|window| window == key);
            let value = got.body[at.unwrap() + key.len()..].trim_ascii_start();
            assert!(value.starts_with(&shown_bytes), "{name}: {}", got.text());
        }

        *reply.lock().unwrap() = scripted::json(200, &text);
        let got = world.get(LIST, "tok-1");
        if name.starts_with("n_") {
            assert_unreleased(&world, &got, &name);
        } else {
            assert!([200, 502].contains(&got.status), "{name}");
        }
    }
    let metrics = world.metrics();
    assert!(!metrics.contains("paravent_panics_total"), "{metrics}");
}

#[test]
fn a02_keys_twice_or_escaped() {
    let (reply, script) = changing();
    let (crm, world) = before(script);
    for members in [
        format!(r#""iban_c":"x","religion_c":"{CANARY}","#),
        format!(r#""department":"x","Department":"{CANARY}","#),
        r#""department":"x","department":"y","#.to_owned(),
        format!(r#""department":"x","d\u0065partment":"{CANARY}","#),
        format!(r#""\u0069ban_c":"{CANARY}","#),
        format!(r#""IBAN_C":"{CANARY}","#),
    ] {
        *reply.lock().unwrap() = scripted::json(200, page(&members).as_bytes());
        assert_unreleased(&world, &world.get(LIST, "tok-1"), &members);
    }
    // Once, in another spelling, the key is the field that it spells.
    for key in ["\\u0069ban_c", "IBAN_C", "i\\u0062an_c"] {
        let body = page("").replace("\"iban_c\"", &format!("\"{key}\""));
        *reply.lock().unwrap() = scripted::json(200, body.as_bytes());
        let contact = first(&world.get(LIST, "tok-1"));
        let (_, value) = contact
            .as_object()
            .unwrap()
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case("iban_c"))
            .unwrap();
        assert!(value.as_str().unwrap().contains("••••"), "{value}");
    }
    // Names that only look like it are unknown fields, and hold nothing.
    for key in [
        "ı\\u0062an_c",
        "ｉｂａｎ_c",
        "iban_c\\u200b",
        "iban_c\\u0000",
        "i\\u00adban_c",
        "",
        "__proto__",
        "a.iban_c",
    ] {
        let body = page(&format!("\"{key}\":\"{CANARY}\","));
        *reply.lock().unwrap() = scripted::json(200, body.as_bytes());
        assert_eq!(world.get(LIST, "tok-1").status, 200, "{key}");
    }
    crm.take();
    for body in [
        r#"{"last_name":"x","last_name":"y"}"#,
        r#"{"last_name":"x","l\u0061st_name":"y"}"#,
        r#"{"last_name":"x","LAST_NAME":"y"}"#,
        r#"{"\u0024serde_json::private::RawValue":"{}"}"#,
        "{\"last_name\":\"x\",}",
        "{\"last_name\":\"x\"} {}",
        "{'last_name':'x'}",
        "\u{feff}{}",
        "[{\"last_name\":\"x\"}]",
        "{\"last_name\":\"\\ud800\"}",
        "{\"last\\ud800_name\":\"x\"}",
    ] {
        let request = crate::harness::client::Request {
            method: "PUT",
            target: "/rest/v11_24/Contacts/c-1",
            headers: vec![
                ("OAuth-Token", "tok-1".to_owned()),
                ("Content-Type", "application/json".to_owned()),
            ],
            body: Some(body.as_bytes().to_vec()),
        };
        let reply = world.send_request(world.proxy, &request);
        assert_eq!(reply.status, 400, "{body}: {}", reply.text());
    }
    assert!(crm.take().is_empty(), "a write with two readings was sent");
}

#[test]
fn a03_a_mask_covers_values_of_every_type() {
    let (reply, script) = changing();
    let (_crm, world) = before(script);
    let digits = &CANARY[2..];
    for value in [
        format!("\"{CANARY}\""),
        digits.to_owned(),
        format!("{digits}.5"),
        format!("-{digits}e0"),
        "true".to_owned(),
        "null".to_owned(),
        format!("[\"{CANARY}\",[\"{CANARY}\"]]"),
        format!("{{\"value\":\"{CANARY}\"}}"),
        format!("{{\"{CANARY}\":1}}"),
        format!("{{\"a\":[{{\"b\":{{\"c\":\"{CANARY}\"}}}}]}}"),
        format!("\"{{\\\"iban_c\\\":\\\"{CANARY}\\\"}}\""),
    ] {
        for field in ["iban_c", "religion_c", "nir_c", "nobody_knows_c"] {
            let body = format!(
                r#"{{"next_offset":-1,"records":[{{"id":"c-1","_module":"Contacts","{field}":{value}}}]}}"#
            );
            *reply.lock().unwrap() = scripted::json(200, body.as_bytes());
            let got = world.get(LIST, "tok-1");
            assert_eq!(got.status, 200, "{field}: {value}");
            let text = got.text();
            assert!(!text.contains(&digits[4..20]), "{field}: {text}");
        }
    }
}

#[test]
fn a04_numbers_keep_their_spelling() {
    let (reply, script) = changing();
    let (_crm, world) = before(script);
    let mut numbers: Vec<String> = [
        "0",
        "-0",
        "0.0",
        "-0.0",
        "1.0",
        "1.00",
        "1e0",
        "1E0",
        "1e+0",
        "1E-0",
        "1e400",
        "-1e400",
        "1e-400",
        "0.1",
        "0.10",
        "0.1000000000000000055511151231257827",
        "123456789012345678901234567890",
        "9007199254740993",
        "-9223372036854775809",
        "18446744073709551616",
        "1.7976931348623157e308",
        "5e-324",
        "2.2250738585072011e-308",
        "3.141592653589793238462643383279",
        "100000000000000000000000",
        "1e22",
        "1.0e+22",
        "0e1",
        "0E+1",
        "-1",
        "10",
        "1000000",
        "0.5",
        "99.990",
        "1234.5678E-4",
    ]
    .map(str::to_owned)
    .to_vec();
    numbers.push("1".repeat(2_000));
    numbers.push(format!("0.{}", "3".repeat(2_000)));
    numbers.extend(["4e9", "4.0E+09", "7e-7"].map(str::to_owned));
    assert_eq!(numbers.len(), 40);
    for number in numbers {
        let body = page(&format!("\"department\":{number},"));
        *reply.lock().unwrap() = scripted::json(200, body.as_bytes());
        let got = world.get(LIST, "tok-1");
        assert!(
            got.text().contains(&format!("\"department\":{number},")),
            "{number}: {}",
            got.text()
        );
    }
}

#[test]
fn a05_chunks_of_any_size_give_the_same_reply() {
    let record = |n: usize| {
        format!(
            r#"{{"id":"c-{n}","_module":"Contacts","department":"d\u00e9p\u00f4t é😀 \"{n}\"","description":"see {CANARY} ok","\u0072eligion_c":["{CANARY}"],"iban_c":"{CANARY}","annual_revenue":1e{n}}}"#
        )
    };
    let body = format!(
        r#"{{"next_offset":-1,"records":[{}]}}"#,
        (0..80).map(record).collect::<Vec<_>>().join(",")
    );
    assert!(body.len() > 18_000);
    let chunked = |sizes: &[usize]| {
        let mut rest = body.as_bytes();
        let mut out = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n".to_vec();
        for size in sizes.iter().copied().chain([usize::MAX]) {
            let (chunk, more) = rest.split_at(size.min(rest.len()));
            if !chunk.is_empty() {
                out.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                out.extend_from_slice(chunk);
                out.extend_from_slice(b"\r\n");
            }
            rest = more;
        }
        out.extend_from_slice(b"0\r\n\r\n");
        out
    };
    let (reply, script) = changing();
    let (_crm, world) = before(script);
    *reply.lock().unwrap() = scripted::json(200, body.as_bytes());
    let whole = world.get(LIST, "tok-1");
    assert_eq!(whole.status, 200);
    let mut seed = 7_usize;
    let mut roll = |sides: usize| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % sides
    };
    // Every place to split at is tried on the filter itself (`filter::tests`); here a sample goes over the sockets.
    let step = 61;
    let splits = (1..body.len()).step_by(step).map(|at| vec![at]);
    let random: Vec<Vec<usize>> = (0..100)
        .map(|_| (0..20).map(|_| 1 + roll(900)).collect())
        .collect();
    for sizes in splits.chain(random).chain([vec![1; 3_000]]) {
        *reply.lock().unwrap() = chunked(&sizes);
        let got = world.get(LIST, "tok-1");
        assert_eq!(got.body, whole.body, "{sizes:?}");
    }
}

type Encode = fn(&[u8]) -> Vec<u8>;

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn zlib(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn raw_deflate(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn brotli(plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams::default();
    brotli::BrotliCompress(&mut &plain[..], &mut out, &parameters).unwrap();
    out
}

fn zstd(plain: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

const CODINGS: [(&str, Encode, Option<usize>); 5] = [
    // The coding's name, its encoder, and how far from its end a checksum can be broken.
    ("gzip", gzip, Some(6)),
    ("deflate", zlib, Some(1)),
    ("deflate", raw_deflate, None),
    ("br", brotli, None),
    ("zstd", zstd, Some(1)),
];

fn coded(names: &str, body: &[u8]) -> Vec<u8> {
    with_head(&format!("{JSON_HEAD}\r\nContent-Encoding: {names}"), body)
}

#[test]
fn a06_the_coding_matrix() {
    let (reply, script) = changing();
    let (_crm, world) = before(script);
    let plain = page("\"department\":\"d\",").into_bytes();
    let mut bad: Vec<(String, Vec<u8>)> = Vec::new();
    for (name, encode, checksum) in CODINGS {
        let body = encode(&plain);
        *reply.lock().unwrap() = coded(name, &body);
        let contact = first(&world.get(LIST, "tok-1"));
        assert_eq!(contact["department"], json!("d"), "{name}");
        assert!(contact.get("religion_c").is_none(), "{name}");
        let mut case = |what: &str, response| bad.push((format!("{name}: {what}"), response));
        case("cut off", coded(name, &body[..body.len() - 4]));
        if let Some(from_end) = checksum {
            let mut broken = body.clone();
            broken[body.len() - from_end] ^= 1;
            case("checksum", coded(name, &broken));
        }
        case(
            "followed by text",
            coded(name, &[&body, &plain[..]].concat()),
        );
        case(
            "followed by a byte",
            coded(name, &[&body[..], b"\0"].concat()),
        );
        case("twice", coded(name, &[&body[..], &body[..]].concat()));
        case(
            "coded twice",
            coded(&format!("{name}, {name}"), &encode(&body)),
        );
        case("coded twice, said once", coded(name, &encode(&body)));
        case("not coded", coded(name, &plain));
        case("not said", with_head(JSON_HEAD, &body));
        let two = format!("{name}\r\nContent-Encoding: {name}");
        case("two headers", coded(&two, &body));
        case("capitals", coded(&name.to_uppercase(), &encode(b"{}")));
        case("empty", coded(name, b""));
    }
    for name in [
        "compress",
        "aws-chunked",
        "dcb",
        "dcz",
        "exi",
        "pack200-gzip",
        "x",
        "gzip;q=1",
        "*",
        ",",
    ] {
        bad.push((name.to_owned(), coded(name, &plain)));
    }
    let skippable = [&b"\x50\x2a\x4d\x18\x04\0\0\0abcd"[..], &zstd(&plain)].concat();
    bad.push(("a skippable frame".to_owned(), coded("zstd", &skippable)));
    bad.push((
        "a transfer coding".to_owned(),
        with_head(
            &format!("{JSON_HEAD}\r\nTransfer-Encoding: gzip, chunked"),
            &gzip(&plain),
        ),
    ));
    for (what, response) in bad {
        *reply.lock().unwrap() = response;
        assert_unreleased(&world, &world.get(LIST, "tok-1"), &what);
    }
}

#[test]
fn a07_bombs_do_not_go_off() {
    const SIZE: usize = 100 << 20;
    let zeros = vec![b' '; SIZE];
    let mut wide = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    wide.window_log(27).unwrap();
    wide.long_distance_matching(true).unwrap();
    wide.write_all(&zeros).unwrap();
    let bombs: Vec<Vec<u8>> = vec![
        coded("gzip", &gzip(&zeros)),
        coded("gzip", &gzip(&gzip(&zeros))),
        coded("deflate", &zlib(&zeros)),
        coded("br", &brotli(&zeros)),
        coded("zstd", &zstd(&zeros)),
        coded("zstd", &wide.finish().unwrap()),
    ];
    drop(zeros);
    let (_crm, world) = before(move |request| {
        match request
            .line
            .split("offset=")
            .nth(1)
            .and_then(|rest| rest.split(' ').next())
        {
            Some(number) => bombs[number.parse::<usize>().unwrap() % bombs.len()].clone(),
            None => good_page(),
        }
    });
    assert_eq!(world.get(LIST, "tok-1").status, 200);
    let peak = world.memory_peak();
    let slowest = Mutex::new(Duration::ZERO);
    std::thread::scope(|scope| {
        for number in 0..20 {
            let world = &world;
            scope.spawn(move || {
                for round in 0..3 {
                    let reply = world.get(&format!("{LIST}?offset={}", number + round), "tok-1");
                    assert_eq!(reply.status, 502, "{number}");
                }
            });
        }
        for _ in 0..30 {
            let start = Instant::now();
            assert_eq!(world.get(LIST, "tok-1").status, 200);
            let mut slowest = slowest.lock().unwrap();
            *slowest = (*slowest).max(start.elapsed());
        }
    });
    let slowest = slowest.into_inner().unwrap();
    assert!(slowest < Duration::from_secs(5), "{slowest:?}");
    if let (Some(before), Some(after)) = (peak, world.memory_peak()) {
        // Twenty at a time, each bounded by `held_bytes_max` (8 MiB) for text and coded text together.
        assert!(after - before < 20 * 2 * (8 << 20), "{before} {after}");
    }
}

#[test]
fn a08_content_types_that_are_no_json_pass_nothing() {
    let (reply, script) = changing();
    let (crm, world) = before(script);
    let plain = page("");
    for line in [
        "",
        "Content-Type: text/html",
        "Content-Type: text/plain",
        "Content-Type: application/octet-stream",
        "Content-Type: text/json",
        "Content-Type: application/x-json",
        "Content-Type: application/javascript",
        "Content-Type: multipart/mixed; boundary=x",
        "Content-Type: multipart/x-mixed-replace; boundary=x",
        "Content-Type: text/event-stream",
        "Content-Type: application/xml",
        "Content-Type: application/json\r\nContent-Type: application/json",
        "Content-Type: application/json\r\nContent-Type: text/html",
        "Content-Type: text/plain, application/json",
        "Content-Type: application/json, text/html",
        "Content-Type: application/json;application/xml",
        "Content-Type: application/json;charset=utf-7",
        "Content-Type: application/json; charset=ibm037",
        "Content-Type: application/json; charset = utf-16",
        "Content-Type: application/json;charset=\"utf-8\";charset=utf-16",
        "Content-Type: application/json; charset",
        "Content-Type: application/xml, application/x+json",
        "Content-Type: application/\u{e9}+json",
    ] {
        let head = if line.is_empty() {
            "200 OK".to_owned()
        } else {
            format!("200 OK\r\n{line}")
        };
        *reply.lock().unwrap() = with_head(&head, plain.as_bytes());
        assert_unreleased(&world, &world.get(LIST, "tok-1"), line);
    }
    let utf16: Vec<u8> = plain.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let texts: [(&str, Vec<u8>); 9] = [
        ("UTF-16", [b"\xff\xfe", &utf16[..]].concat()),
        ("UTF-16 without a mark", utf16),
        ("a mark", format!("\u{feff}{plain}").into_bytes()),
        ("a prefix", format!(")]}}',\n{plain}").into_bytes()),
        ("a loop", format!("while(1);{plain}").into_bytes()),
        ("a call", format!("cb({plain})").into_bytes()),
        ("a comment", format!("/**/{plain}").into_bytes()),
        ("lines", format!("{plain}\n{plain}\n").into_bytes()),
        ("a text sequence", format!("\u{1e}{plain}\n").into_bytes()),
    ];
    for (what, text) in texts {
        *reply.lock().unwrap() = scripted::json(200, &text);
        assert_unreleased(&world, &world.get(LIST, "tok-1"), what);
    }
    for line in [
        "application/json",
        "APPLICATION/JSON",
        "application/json ; charset=UTF-8",
        "application/vnd.api+json",
        "application/problem+json",
    ] {
        *reply.lock().unwrap() =
            with_head(&format!("200 OK\r\nContent-Type: {line}"), plain.as_bytes());
        first(&world.get(LIST, "tok-1"));
    }
    crm.take();
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/json;charset=utf-7",
        "application/json; charset=utf-8; charset=utf-16",
        "application/json, text/plain",
        "",
    ] {
        let request = crate::harness::client::Request {
            method: "POST",
            target: "/rest/v11_24/Contacts/filter",
            headers: vec![
                ("OAuth-Token", "tok-1".to_owned()),
                ("Content-Type", content_type.to_owned()),
            ],
            body: Some(b"{\"max_num\":1}".to_vec()),
        };
        assert_eq!(
            world.send_request(world.proxy, &request).status,
            415,
            "{content_type}"
        );
    }
    assert!(crm.take().is_empty());
}
