//! Holes in the shipped policy: what `diff` says of each.

use super::planted::discloses;
use crate::policy::testing::planted::{planted, shipped};
use crate::policy::testing::{stock, unlinted};

#[test]
fn every_hole_that_discloses_anything_is_told_by_a_comparison() {
    let schema = stock("sugar-rest");
    let whole = unlinted(&shipped(), schema.clone());
    let (mut told, mut missed) = (0, Vec::new());
    let holes = planted();
    for hole in &holes {
        let policy = unlinted(&hole.sources(), schema.clone());
        let compared = whole.compared(&policy, &schema);
        let parts = [&compared.more, &compared.usable, &compared.writable];
        if parts.iter().any(|changes| !changes.is_empty()) {
            told += 1;
        } else if discloses(&whole, &policy) {
            missed.push(format!("{}: {}", hole.kind, hole.what));
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
    assert!(
        holes.len() >= 200 && told * 200 >= 190 * holes.len(),
        "{told}"
    );
}
