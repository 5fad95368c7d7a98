//! Whatever is asked of whatever log, the bundle is valid; whatever of its files is changed, it is not.

use proptest::prelude::*;

use super::*;

fn shape() -> impl Strategy<Value = Shape> {
    let gaps = prop::collection::vec(1_usize..4, 0..2);
    let rotates = prop::option::of(0_usize..3);
    (6_usize..24, gaps, 0_u64..3, rotates).prop_map(|(requests, gaps, unsigned, rotates)| Shape {
        requests,
        gaps,
        unsigned,
        stamp: None,
        rotates,
    })
}

const FILTERS: [&str; 10] = [
    "caller=fanny",
    "caller=a1",
    "caller=z",
    "module=Contacts",
    "outcome=full",
    "action=read",
    "record=Contacts/c-1",
    "record=Contacts/c-3",
    "since=2020-01-01",
    "until=2099-01-01",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_question_to_any_log_makes_a_valid_bundle(
        shape in shape(),
        filters in prop::sample::subsequence(&FILTERS[..], 0..3),
        complete: bool,
        unsigned: bool,
        place in any::<prop::sample::Index>(),
        (byte, change) in (any::<prop::sample::Index>(), 1_u8..),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let log = runtime.block_on(Signed::new(&shape));
        prop_assert!(log.last > 0);
        let keys: Vec<&str> = filters.iter().filter_map(|word| Some(word.split_once('=')?.0)).collect();
        let mut once = keys.clone();
        once.dedup();
        prop_assume!(once == keys);
        let wish = Wish { complete, unsigned, ..Wish::of(&filters) };
        let made = match log.export("a.zip", &wish) {
            Err(ExportError::Nothing(_)) => return Ok(()),
            made => made.unwrap(),
        };
        let path = log.out("a.zip");
        // Keys are followed forward: the first one stands for all that took its place.
        let first = log.before.as_ref().map_or(&log.key, |(key, _)| key);
        let keys = [first.public().clone()];
        let Ok(Verdict::Whole(found)) = verify(&path, &keys, &[]) else {
            panic!("{:?}", verify(&path, &keys, &[]));
        };
        prop_assert_eq!((found.events, found.unproved), (made.events, made.unproved));
        prop_assert_eq!(found.events + found.others, made.lines);
        prop_assert_eq!(found.is_vouched(), found.unproved == 0 && found.holes.is_empty());
        prop_assert_eq!(found.complete.is_some(), complete && found.holes.is_empty());
        // A file is changed by somebody who knows the format.
        let mut files = taken(&path);
        let at = place.index(files.len() - 1);
        let bytes = &mut files[at].1;
        let at = byte.index(bytes.len());
        bytes[at] ^= change;
        reseal(files, &path, |_| {});
        prop_assert!(matches!(verify(&path, &keys, &[]), Ok(Verdict::Altered(_))));
    }
}
