//! Whatever is changed is found, also if whoever does it knows the format.

use crate::cli::verify::answer_to;

use super::super::manifest::{As, Counts, Proof, Span, Trees};
use super::*;

/// A small bundle.
async fn bundle(wish: &Wish<'_>) -> (Signed, PathBuf) {
    let log = Signed::new(&Shape::of(12)).await;
    log.exported("a.zip", wish);
    let path = log.out("a.zip");
    (log, path)
}

#[tokio::test]
async fn every_byte_counts() {
    use std::os::unix::fs::FileExt as _;
    let (log, path) = bundle(&Wish::of(&["action=read", "outcome=full", "caller=a1"])).await;
    let whole = fs::read(&path).unwrap();
    let page = taken(&path)
        .into_iter()
        .find(|(name, _)| name == "index.html")
        .unwrap()
        .1;
    let page = memchr::memmem::find(&whole, &page).unwrap()..page.len();
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    for (place, byte) in whole.iter().enumerate() {
        // One hash holds the page: each of its bytes is as good as another.
        let is_inside = place > page.start && place < page.start + page.end;
        if is_inside && place % 101 != 0 {
            continue;
        }
        let change = [1_u8, 0x20, 0x80][place % 3];
        file.write_all_at(&[byte ^ change], place as u64).unwrap();
        let verdict = verify(&path, &log.keys(), &[]);
        let is_found = matches!(verdict, Ok(Verdict::Altered(_)));
        assert!(is_found, "byte {place} of {}: {verdict:?}", whole.len());
        file.write_all_at(&[*byte], place as u64).unwrap();
    }
    assert!(matches!(
        verify(&path, &log.keys(), &[]),
        Ok(Verdict::Whole(_))
    ));
    for cut in [0, 1, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..cut]).unwrap();
        assert!(
            !matches!(verify(&path, &log.keys(), &[]), Ok(Verdict::Whole(_))),
            "{cut}"
        );
    }
    fs::write(&path, [whole.as_slice(), b"\n"].concat()).unwrap();
    flaws(&path, &log.keys());
    fs::write(&path, [b"\n", whole.as_slice()].concat()).unwrap();
    flaws(&path, &log.keys());
}

#[tokio::test]
async fn files_that_are_removed_added_renamed_or_exchanged_are_named() {
    let (log, path) = bundle(&Wish::of(&["caller=a1"])).await;
    let whole = taken(&path);
    for place in 0..whole.len() {
        let mut without = whole.clone();
        let (name, _) = without.remove(place);
        pack(&without, &path);
        let found = flaws(&path, &log.keys());
        assert!(
            found[0].contains(&format!("`{name}` is missing")),
            "{found:?}"
        );
        if name != MANIFEST {
            // As somebody does who knows the format.
            reseal(without, &path, |_| {});
            flaws(&path, &log.keys());
        }
    }
    for name in [
        "more.txt",
        "policies/x",
        "keys/extra.pub",
        "checkpoints/more",
    ] {
        let mut with = whole.clone();
        with.insert(3, (name.to_owned(), b"x".to_vec()));
        pack(&with, &path);
        let found = flaws(&path, &log.keys());
        assert_eq!(found, [format!("`{name}` was added")]);
        reseal(with, &path, |_| {});
        flaws(&path, &log.keys());
    }
    let mut exchanged = whole.clone();
    exchanged.swap(0, 1);
    pack(&exchanged, &path);
    assert!(flaws(&path, &log.keys())[0].contains("another order"));
    let mut renamed = whole.clone();
    renamed[0].0 = "event.jsonl".to_owned();
    pack(&renamed, &path);
    assert_eq!(flaws(&path, &log.keys()).len(), 2);
}

fn lines(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn joined(lines: &[String]) -> Vec<u8> {
    lines
        .iter()
        .flat_map(|line| format!("{line}\n").into_bytes())
        .collect()
}

/// Changes lines and proofs together, and seals it again.
fn altered(
    log: &Signed,
    whole: &Taken,
    change: impl FnOnce(&mut Vec<String>, &mut Vec<Proof>, &mut Manifest),
) -> Vec<String> {
    let mut files = whole.clone();
    let mut events = lines(file(&mut files, "events.jsonl"));
    let proofs = lines(file(&mut files, "proofs.jsonl"));
    let proofs = proofs
        .iter()
        .map(|line| read::<Proof>(line.as_bytes()).unwrap());
    let (mut proofs, mut manifest) = (proofs.collect(), read(file(&mut files, MANIFEST)).unwrap());
    change(&mut events, &mut proofs, &mut manifest);
    let proofs: Vec<String> = proofs
        .iter()
        .map(|proof| String::from_utf8(written(proof)).unwrap())
        .collect();
    *file(&mut files, "events.jsonl") = joined(&events);
    *file(&mut files, "proofs.jsonl") = joined(&proofs);
    let path = log.out("altered.zip");
    reseal(files, &path, |sealed| {
        let files = std::mem::take(&mut sealed.files);
        *sealed = Manifest { files, ..manifest };
    });
    flaws(&path, &log.keys())
}

#[tokio::test]
async fn events_that_are_changed_are_found_whatever_else_is_changed_with_them() {
    let (log, path) = bundle(&Wish::of(&["caller=a1"])).await;
    let whole = taken(&path);
    let event = |proofs: &[Proof]| {
        let is_event = |proof: &Proof| proof.why == As::Event;
        proofs.iter().position(is_event).unwrap()
    };
    let found = altered(&log, &whole, |events, proofs, _| {
        let at = event(proofs);
        events[at] = events[at].replace("10.2.14.0", "10.2.15.0");
    });
    assert!(
        found[0].contains("not the one that is in the signed log"),
        "{found:?}"
    );
    let found = altered(&log, &whole, |events, proofs, _| {
        let at = event(proofs);
        let next = proofs
            .iter()
            .rposition(|proof| proof.why == As::Event)
            .unwrap();
        assert!(at < next);
        let path = proofs[at].path.take();
        proofs[at].path = std::mem::replace(&mut proofs[next].path, path);
        let _ = events;
    });
    assert!(found[0].contains("its proof is another's"), "{found:?}");
    let found = altered(&log, &whole, |_, proofs, manifest| {
        let at = event(proofs);
        (proofs[at].path, proofs[at].log) = (None, None);
        manifest.counts.unproved = 1;
    });
    assert!(found[0].contains("nothing proves it"), "{found:?}");
    let found = altered(&log, &whole, |events, proofs, _| {
        let at = event(proofs);
        events.swap(at, at + 1);
        proofs.swap(at, at + 1);
    });
    assert!(found[0].contains("another place"), "{found:?}");
    let found = altered(&log, &whole, |events, proofs, manifest| {
        // Without the terms nobody knows what an event says.
        let at = proofs
            .iter()
            .position(|proof| proof.why == As::Terms)
            .unwrap();
        events.remove(at);
        proofs.remove(at);
        manifest.counts.terms -= 1;
    });
    assert!(found[0].contains("names terms that no event"), "{found:?}");
    let found = altered(&log, &whole, |_, proofs, _| {
        let at = event(proofs);
        proofs[at].why = As::Policy;
    });
    assert!(found[0].contains("not what it is said to be"), "{found:?}");
    let found = altered(&log, &whole, |_, _, manifest| manifest.counts.events += 1);
    assert!(found[0].contains("counts other events"), "{found:?}");
    let found = altered(&log, &whole, |events, proofs, manifest| {
        let at = event(proofs);
        events.remove(at);
        proofs.remove(at);
        manifest.counts.events -= 1;
    });
    assert!(
        found[0].contains("index.html"),
        "the page shows one more: {found:?}"
    );
}

#[tokio::test]
async fn a_page_that_shows_something_else_is_found() {
    let (log, path) = bundle(&Wish::of(&["caller=a1"])).await;
    let mut files = taken(&path);
    let page = file(&mut files, "index.html");
    *page = String::from_utf8(page.clone())
        .unwrap()
        .replace("amal", "nina")
        .into_bytes();
    reseal(files, &path, |_| {});
    let found = flaws(&path, &log.keys());
    assert!(
        found[0].contains("made again, it is another page"),
        "{found:?}"
    );
    let (log, path) = bundle(&Wish::of(&["caller=a1"])).await;
    for change in [
        |manifest: &mut Manifest| manifest.purpose.push('x'),
        |manifest: &mut Manifest| manifest.query.clear(),
        |manifest: &mut Manifest| manifest.made.at.push('x'),
        |manifest: &mut Manifest| manifest.made.by.push('x'),
        |manifest: &mut Manifest| manifest.made.uid += 1,
        |manifest: &mut Manifest| manifest.made.program.push('x'),
        |manifest: &mut Manifest| manifest.counts.left_out += 1,
        |manifest: &mut Manifest| manifest.lang = Lang::Fr,
        |manifest: &mut Manifest| manifest.absent.clear(),
        |manifest: &mut Manifest| manifest.purpose.push('\u{202e}'),
    ] {
        let changed = log.out("b.zip");
        reseal(taken(&path), &changed, change);
        flaws(&changed, &log.keys());
    }
}

#[tokio::test]
async fn nothing_can_be_left_out_of_a_complete_bundle() {
    let (log, path) = bundle(&Wish::complete(&["caller=a1"])).await;
    let whole = taken(&path);
    let count = lines(file(&mut whole.clone(), "proofs.jsonl")).len();
    for at in 0..count {
        altered(&log, &whole, |events, proofs, manifest| {
            events.remove(at);
            let counts = &mut manifest.counts;
            match proofs.remove(at).why {
                As::Between => counts.between -= 1,
                As::Event => counts.events -= 1,
                As::Key => counts.keys -= 1,
                As::Policy => counts.policies -= 1,
                As::Segment => counts.segments -= 1,
                As::Terms => counts.terms -= 1,
            }
        });
    }
    let found = altered(&log, &whole, |_, _, manifest| {
        manifest.complete.as_mut().unwrap().last -= 1;
    });
    assert!(!found.is_empty());
    let found = altered(&log, &whole, |_, _, manifest| {
        let span = manifest.complete.as_mut().unwrap();
        span.first -= 1;
    });
    assert!(
        found[0].contains("left out") || found[0].contains("no range"),
        "{found:?}"
    );
    // One that is not complete cannot be said to be.
    let (log, path) = bundle(&Wish::of(&["caller=a1"])).await;
    let found = altered(&log, &taken(&path), |events, _, manifest| {
        manifest.complete = Some(Span {
            first: 2,
            last: events.len() as u64,
        });
    });
    assert!(!found.is_empty());
}

#[tokio::test]
async fn what_another_key_has_signed_is_not_valid() {
    let (log, path) = bundle(&Wish::of(&["caller=a1"])).await;
    let (other, _) = SigningKey::generate("paravent").unwrap();
    let mut files = taken(&path);
    for (name, bytes) in &mut files {
        if name.starts_with("checkpoints/") {
            let text = String::from_utf8(bytes.clone()).unwrap();
            let (text, _) = text.rsplit_once("\n\n").unwrap();
            *bytes = other.sign(&format!("{text}\n")).into_bytes();
        }
        if name.starts_with("keys/") {
            *name = format!("keys/{}.pub", other.public().id_text());
            *bytes = format!("{}\n", other.public()).into_bytes();
        }
    }
    reseal(files, &path, |_| {});
    // The page names keys.
    assert!(flaws(&path, &log.keys())[0].contains("index.html"));
    // Somebody who makes all of it anew, from a log that they have changed.
    let forged = Signed::new(&Shape::of(12)).await;
    forged.exported("a.zip", &Wish::of(&["caller=a1"]));
    let Verdict::Whole(found) = verify(&forged.out("a.zip"), &log.keys(), &[]).unwrap() else {
        panic!("altered")
    };
    assert!(!found.is_vouched());
    let Verdict::Whole(found) = verify(&forged.out("a.zip"), &[], &[]).unwrap() else {
        panic!("altered")
    };
    assert!(!found.is_vouched());
    assert_eq!(found.keys[0].1, forged.key.public().fingerprint());
}

#[tokio::test]
async fn a_checkpoint_of_another_log_or_another_time_is_found() {
    let (log, path) = bundle(&Wish::of(&["caller=a1"])).await;
    let whole = taken(&path);
    // Another log with the same key.
    let lines = raw(log.path());
    let leaf_of = |event: &Value| leaf(serde_json::to_string(event).unwrap().as_bytes());
    let leaves: Vec<Hash> = lines.iter().map(leaf_of).collect();
    let mut others = leaves.clone();
    others[1][0] ^= 1;
    let trees: Trees = read(file(&mut whole.clone(), "trees.json")).unwrap();
    let last = trees.logs[0].checkpoints.last().unwrap().clone();
    let swap = |text: String, path: &Path| {
        let mut files = whole.clone();
        *file(&mut files, &last) = text.into_bytes();
        reseal(files, path, |_| {});
        flaws(path, &log.keys())
    };
    let out = log.out("b.zip");
    let found = swap(signed(&log.key, &log_id(0), &Tree::of(&others)), &out);
    assert!(found[0].contains("goes on the one before"), "{found:?}");
    let found = swap(signed(&log.key, &log_id(3), &Tree::of(&leaves)), &out);
    assert!(found[0].contains("of another log"), "{found:?}");
    let found = swap(signed(&log.key, &log_id(0), &Tree::of(&leaves[..9])), &out);
    assert!(found[0].contains("another size"), "{found:?}");
    // One that does not go on the first, with a proof of nothing.
    let mut files = whole.clone();
    let mut trees = trees;
    trees.logs[0].consistency[0].pop();
    *file(&mut files, "trees.json") = written(&trees);
    reseal(files, &out, |_| {});
    assert!(flaws(&out, &log.keys())[0].contains("goes on the one before"));
    trees.logs[0].checkpoints.remove(0);
    trees.logs[0].consistency.clear();
    let mut files = whole.clone();
    *file(&mut files, "trees.json") = written(&trees);
    reseal(files, &out, |_| {});
    let found = flaws(&out, &log.keys());
    assert!(found[0].contains("does not belong to it"), "{found:?}");
    trees.logs[0].from += 1;
    let mut files = whole.clone();
    files.retain(|(name, _)| !name.starts_with("checkpoints/") || *name == last);
    *file(&mut files, "trees.json") = written(&trees);
    reseal(files, &out, |_| {});
    flaws(&out, &log.keys());
}

#[tokio::test]
async fn a_bundle_of_nothing_is_none() {
    let (log, path) = bundle(&Wish::of(&["caller=a1"])).await;
    let mut files = taken(&path);
    files.retain(|(name, _)| !name.starts_with("checkpoints/") && !name.starts_with("keys/"));
    files.retain(|(name, _)| !name.starts_with("policies/"));
    file(&mut files, "events.jsonl").clear();
    file(&mut files, "proofs.jsonl").clear();
    *file(&mut files, "trees.json") = written(&Trees::default());
    reseal(files, &path, |manifest| {
        manifest.counts = Counts::default();
        manifest.absent.clear();
    });
    let found = flaws(&path, &log.keys());
    assert!(
        found[0].contains("no event that was asked for"),
        "{found:?}"
    );
}

#[tokio::test]
async fn what_is_left_out_with_a_checkpoint_is_not_complete() {
    let shape = Shape {
        gaps: vec![2],
        ..Shape::of(20)
    };
    let log = Signed::new(&shape).await;
    let honest = log.exported("a.zip", &Wish::complete(&[]));
    // Whoever makes it keeps the newest checkpoint of the first log to themselves.
    let sizes = &honest.logs[0].sizes;
    let name = format!("{:016}.{}.checkpoint", sizes[1], &log_id(0)[..8]);
    fs::remove_file(log.path().join("checkpoints").join(name)).unwrap();
    let found = log.exported("b.zip", &Wish::complete(&[]));
    assert_eq!(found.holes[0].0, sizes[0] + 1);
    assert_eq!(found.holes[0].1, honest.holes[0].1);
    assert!(!found.is_vouched() && found.complete.is_none());
    let path = log.out("b.zip").to_str().unwrap().to_owned();
    let key = log.key.public().to_string();
    let (code, out, _) = answer_to(&[&path, "--key", &key]);
    assert_eq!(code, 3);
    assert!(
        out.contains("NOT SHOWN") && !out.contains("complete:"),
        "{out}"
    );
    assert!(!out.contains("\nvalid\n"), "{out}");
    let (_, out, _) = answer_to(&[&path, "--key", &key, "--format", "json"]);
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(told["complete"], Value::Null);
    let page = file(&mut taken(&log.out("b.zip")), "index.html").clone();
    let page = String::from_utf8(page).unwrap();
    assert!(!page.contains("every event of the log is in this bundle"));
}

#[tokio::test]
async fn more_than_a_bundle_holds_is_refused_before_it_is_looked_at() {
    let (log, path) = bundle(&Wish::of(&["caller=a1"])).await;
    let whole = taken(&path);
    let mut files = whole.clone();
    let mut trees: Trees = read(file(&mut files, "trees.json")).unwrap();
    let last = trees.logs[0].checkpoints.last().unwrap().clone();
    trees.logs[0].checkpoints.resize(3_001, last);
    trees.logs[0].consistency.resize(3_000, Vec::new());
    *file(&mut files, "trees.json") = written(&trees);
    reseal(files, &path, |_| {});
    let found = flaws(&path, &log.keys());
    assert!(found[0].contains("more checkpoints than"), "{found:?}");
    let mut files = whole;
    for _ in 0..1_000 {
        let (key, _) = SigningKey::generate("paravent").unwrap();
        let name = format!("keys/{}.pub", key.public().id_text());
        files.push((name, format!("{}\n", key.public()).into_bytes()));
    }
    reseal(files, &path, |_| {});
    let found = flaws(&path, &log.keys());
    assert!(found[0].contains("more keys than"), "{found:?}");
}
