//! ZIPs that somebody made to harm whoever opens them.

use std::io::Write as _;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime};

use super::*;

fn zipped(files: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut zip = zip::ZipWriter::new(&mut bytes);
    let options = SimpleFileOptions::default()
        .compression_method(method)
        .last_modified_time(DateTime::default());
    for (name, text) in files {
        zip.start_file(*name, options).unwrap();
        zip.write_all(text).unwrap();
    }
    zip.finish().unwrap();
    bytes.into_inner()
}

/// What is said of a file of these bytes.
fn said(bytes: &[u8]) -> Vec<String> {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("a.zip");
    fs::write(&path, bytes).unwrap();
    flaws(&path, &[])
}

/// Two files, packed as bundles are, then changed.
fn packed(names: [&str; 2], change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("a.zip");
    pack(
        &vec![
            ("aa/bb.cc".to_owned(), b"one".to_vec()),
            ("dd/ee.ff".to_owned(), b"two".to_vec()),
        ],
        &path,
    );
    let mut bytes = fs::read(&path).unwrap();
    let places = ["aa/bb.cc", "dd/ee.ff"]
        .map(|name| memchr::memmem::find_iter(&bytes, name.as_bytes()).collect::<Vec<usize>>());
    for (places, name) in places.iter().zip(names) {
        assert_eq!((places.len(), name.len()), (2, 8));
        for at in places {
            bytes[*at..at + 8].copy_from_slice(name.as_bytes());
        }
    }
    change(&mut bytes);
    bytes
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    for name in [
        "../bb.cc",
        "/a/bb.cc",
        "aa\\bb.cc",
        "aa//b.cc",
        "aa/../.c",
        "C:/bb.cc",
        "aa/bb.c\0",
        "aa/./b.c",
        "aa/bb.cC",
        "aa/b\u{e9}.c",
        "aa/bbcc/",
        ".a/bb.cc",
        "aa/bb c.",
        "aa/b\ncc.",
    ] {
        let found = said(&packed([name, "dd/ee.ff"], |_| {}));
        assert!(
            found[0].contains("a name that no file of a bundle has"),
            "{name:?}: {found:?}"
        );
    }
    let found = said(&packed(["dd/ee.ff", "dd/ee.ff"], |_| {}));
    assert!(found[0].contains("two files are called"), "{found:?}");
}

#[test]
fn compressed_encrypted_and_padded_files_are_refused() {
    let bomb = vec![0; 8 << 20];
    let files: &[(&str, &[u8])] = &[("manifest.json", &bomb)];
    let bytes = zipped(files, CompressionMethod::Deflated);
    assert!(bytes.len() < 1 << 16);
    let found = said(&bytes);
    assert!(found[0].contains("is compressed"), "{found:?}");
    let central = |bytes: &[u8]| memchr::memmem::find(bytes, b"PK\x01\x02").unwrap();
    let found = said(&packed(["aa/bb.cc", "dd/ee.ff"], |bytes| {
        let at = central(bytes);
        bytes[at + 8] |= 1;
    }));
    assert!(found[0].contains("is encrypted"), "{found:?}");
    // Sizes, checksums, offsets, attributes: whatever the list says else.
    let whole = packed(["aa/bb.cc", "dd/ee.ff"], |_| {});
    let at = central(&whole);
    for place in at..whole.len() {
        for change in [1, 0x7f, 0xff] {
            let mut bytes = whole.clone();
            bytes[place] ^= change;
            said(&bytes);
        }
    }
    // Something between files, before them and behind.
    for at in [0, 41, at, whole.len()] {
        let mut bytes = whole.clone();
        bytes.splice(at..at, *b"hidden");
        said(&bytes);
    }
    let found = said(&zipped(
        &[("manifest.json", b"{}")],
        CompressionMethod::Stored,
    ));
    assert!(!found.is_empty());
}

#[test]
fn counts_that_no_bundle_has_are_refused_before_anything_is_read() {
    for count in [u16::MAX, 10_001] {
        let found = said(&packed(["aa/bb.cc", "dd/ee.ff"], |bytes| {
            let end = bytes.len() - 22;
            bytes[end + 8..end + 10].copy_from_slice(&count.to_le_bytes());
            bytes[end + 10..end + 12].copy_from_slice(&count.to_le_bytes());
        }));
        assert!(
            found[0].contains("more files than a bundle can hold"),
            "{found:?}"
        );
    }
    let found = said(&packed(["aa/bb.cc", "dd/ee.ff"], |bytes| {
        let end = bytes.len() - 22;
        bytes[end + 12..end + 16].copy_from_slice(&u32::MAX.to_le_bytes());
    }));
    assert!(
        found[0].contains("more files than a bundle can hold"),
        "{found:?}"
    );
}

#[test]
fn what_is_no_bundle_is_said_to_be_none() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("a.zip");
    for bytes in [
        &b""[..],
        b"x",
        b"not a ZIP at all, but long enough to be one",
    ] {
        fs::write(&path, bytes).unwrap();
        let verdict = verify(&path, &[], &[]);
        assert!(
            matches!(verdict, Err(Unusable::NoBundle { .. })),
            "{verdict:?}"
        );
    }
    assert!(matches!(
        verify(&dir.path().join("none"), &[], &[]),
        Err(Unusable::Unreadable { .. })
    ));
    assert!(matches!(
        verify(dir.path(), &[], &[]),
        Err(Unusable::Unreadable { .. })
    ));
    let form = br#"{"bundle":2,"format":"paravent-bundle-2"}"#;
    pack(&vec![(MANIFEST.to_owned(), form.to_vec())], &path);
    assert!(matches!(
        verify(&path, &[], &[]),
        Err(Unusable::Later { version: 2, .. })
    ));
    let form = br#"{"bundle":2,"format":"paravent-bundle-1"}"#;
    pack(&vec![(MANIFEST.to_owned(), form.to_vec())], &path);
    flaws(&path, &[]);
}

#[tokio::test]
async fn files_that_are_too_large_or_garbled_are_refused() {
    let log = Signed::new(&Shape::of(4)).await;
    log.exported("a.zip", &Wish::of(&[]));
    let whole = taken(&log.out("a.zip"));
    let out = log.out("b.zip");
    let long = vec![b'x'; 5 << 20];
    let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    for name in [
        "events.jsonl",
        "proofs.jsonl",
        "trees.json",
        "checkpoints/",
        "keys/",
    ] {
        for bytes in [&long, &deep, &Vec::new(), &vec![0xff; 10], &vec![b'\n'; 10]] {
            let mut files = whole.clone();
            file(&mut files, name).clone_from(bytes);
            reseal(files, &out, |_| {});
            flaws(&out, &log.keys());
        }
    }
    for bytes in [&long, &deep] {
        let mut files = whole.clone();
        file(&mut files, MANIFEST).clone_from(bytes);
        pack(&files, &out);
        flaws(&out, &log.keys());
    }
}
