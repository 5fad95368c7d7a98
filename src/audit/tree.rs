//! The Merkle tree over the log ([RFC 9162], 2.1): roots, and proofs that an event is in it or that one tree goes on another.
//!
//! Leaves are the hashes of the chain. A [`Tree`] keeps only its right edge, so it grows with the log and forgets it; proofs are
//! made from all leaves and checked with none.
//!
//! [RFC 9162]: https://www.rfc-editor.org/rfc/rfc9162

use aws_lc_rs::digest::{Context, SHA256, digest};

/// A leaf, a node or a root.
pub type Hash = [u8; 32];

/// SHA-256(0x01 ‖ left ‖ right).
fn node(left: &Hash, right: &Hash) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(&[1]);
    context.update(left);
    context.update(right);
    hash(context.finish().as_ref())
}

fn hash(bytes: &[u8]) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(bytes);
    hash
}

/// A tree that grows. It holds the roots of the full subtrees of which it consists, the largest first: one for each bit of its
/// size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    edge: Vec<Hash>,
}

impl Tree {
    /// A tree of so many leaves, from its edge; `None` if that is no edge of such a tree.
    pub fn from_edge(size: u64, edge: Vec<Hash>) -> Option<Self> {
        (edge.len() == size.count_ones() as usize).then_some(Self { size, edge })
    }

    /// How many leaves it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of its full subtrees, the largest first.
    pub fn edge(&self) -> &[Hash] {
        &self.edge
    }

    /// Adds a leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut grown = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.edge.pop() {
                grown = node(&left, &grown);
            }
        }
        self.edge.push(grown);
        self.size += 1;
    }

    /// Its root; of a tree without leaves the hash of nothing.
    pub fn root(&self) -> Hash {
        let mut edge = self.edge.iter().rev();
        let Some(last) = edge.next() else {
            return hash(digest(&SHA256, b"").as_ref());
        };
        edge.fold(*last, |right, left| node(left, &right))
    }

    /// The tree over leaves.
    pub fn of(leaves: &[Hash]) -> Self {
        let mut tree = Self::default();
        leaves.iter().for_each(|leaf| tree.push(*leaf));
        tree
    }
}

/// The largest power of two below a number greater than 1.
fn split(size: usize) -> usize {
    1 << (usize::BITS - 1 - (size - 1).leading_zeros())
}

/// That a leaf is in the tree over all of these: the audit path of RFC 9162, 2.1.3.1. `None` if there is no such leaf.
pub fn inclusion_proof(leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    (index < leaves.len()).then(|| path(leaves, index))
}

fn path(leaves: &[Hash], index: usize) -> Vec<Hash> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut proof, other) = if index < left.len() {
        (path(left, index), right)
    } else {
        (path(right, index - left.len()), left)
    };
    proof.push(Tree::of(other).root());
    proof
}

/// Whether a proof shows that a leaf is in a tree of this size and root (RFC 9162, 2.1.3.2).
pub fn is_included(leaf: &Hash, index: u64, size: u64, root: &Hash, proof: &[Hash]) -> bool {
    if index >= size {
        return false;
    }
    let (mut place, mut last, mut found) = (index, size - 1, *leaf);
    for step in proof {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            found = node(step, &found);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            found = node(&found, step);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && found == *root
}

/// That the tree over all of these leaves goes on the one over the first of them: RFC 9162, 2.1.4.1. `None` if there are not
/// so many.
pub fn consistency_proof(leaves: &[Hash], first: usize) -> Option<Vec<Hash>> {
    match first {
        0 => None,
        _ if first > leaves.len() => None,
        _ => Some(subproof(leaves, first, true)),
    }
}

fn subproof(leaves: &[Hash], first: usize, is_known: bool) -> Vec<Hash> {
    if first == leaves.len() {
        return if is_known {
            Vec::new()
        } else {
            vec![Tree::of(leaves).root()]
        };
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut proof, other) = if first <= left.len() {
        (subproof(left, first, is_known), right)
    } else {
        (subproof(right, first - left.len(), false), left)
    };
    proof.push(Tree::of(other).root());
    proof
}

/// Whether a proof shows that a tree goes on another one (RFC 9162, 2.1.4.2). Sizes and roots: of the earlier, then of the later.
pub fn is_consistent(
    (first, first_root): (u64, &Hash),
    (second, second_root): (u64, &Hash),
    proof: &[Hash],
) -> bool {
    if first == second {
        return proof.is_empty() && first_root == second_root;
    }
    if first == 0 || first > second {
        return false;
    }
    let mut steps = proof.iter();
    let start = if first.is_power_of_two() {
        Some(first_root)
    } else {
        steps.next()
    };
    let Some(start) = start else { return false };
    let (mut place, mut last) = (first - 1, second - 1);
    while place & 1 == 1 {
        place >>= 1;
        last >>= 1;
    }
    let (mut old, mut new) = (*start, *start);
    for step in steps {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            old = node(step, &old);
            new = node(step, &new);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            new = node(&new, step);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && old == *first_root && new == *second_root
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(count: u8) -> Vec<Hash> {
        let leaf = |number: u8| hash(digest(&SHA256, &[0, number]).as_ref());
        (0..count).map(leaf).collect()
    }

    fn hex(hash: &Hash) -> String {
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The root by the definition of the standard.
    fn by_definition(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => hash(digest(&SHA256, b"").as_ref()),
            [leaf] => *leaf,
            more => {
                let (left, right) = more.split_at(split(more.len()));
                node(&by_definition(left), &by_definition(right))
            }
        }
    }

    #[test]
    fn roots_are_those_of_the_standard() {
        // Test vectors of certificate transparency: the eight entries of its reference implementation.
        let entries = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ];
        let bytes = |text: &str| -> Vec<u8> {
            let pair = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
            (0..text.len()).step_by(2).map(pair).collect()
        };
        let leaf = |text: &&str| {
            let entry = [vec![0], bytes(text)].concat();
            hash(digest(&SHA256, &entry).as_ref())
        };
        let leaves: Vec<Hash> = entries.iter().map(leaf).collect();
        for (size, root) in [
            (
                0,
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ),
            (
                1,
                "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            ),
            (
                8,
                "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
            ),
        ] {
            assert_eq!(hex(&Tree::of(&leaves[..size]).root()), root, "{size}");
        }
    }

    #[test]
    fn a_growing_tree_has_the_roots_of_the_definition() {
        let leaves = leaves(70);
        for size in 0..=leaves.len() {
            let tree = Tree::of(&leaves[..size]);
            assert_eq!(tree.root(), by_definition(&leaves[..size]), "{size}");
            let edge = tree.edge().to_vec();
            assert_eq!(Tree::from_edge(size as u64, edge), Some(tree));
        }
        assert_eq!(Tree::from_edge(3, Vec::new()), None);
    }

    #[test]
    fn a_proof_of_inclusion_proves_this_leaf_at_this_place_and_nothing_else() {
        let leaves = leaves(40);
        for size in 1..=leaves.len() {
            let root = Tree::of(&leaves[..size]).root();
            for index in 0..size {
                let proof = inclusion_proof(&leaves[..size], index).unwrap();
                let (at, of) = (index as u64, size as u64);
                assert!(is_included(&leaves[index], at, of, &root, &proof));
                for other in 0..size {
                    let is_other = other != index;
                    assert!(!is_other || !is_included(&leaves[other], at, of, &root, &proof));
                    assert!(
                        !is_other || !is_included(&leaves[index], other as u64, of, &root, &proof)
                    );
                }
                for place in 0..proof.len() {
                    let mut wrong = proof.clone();
                    wrong[place][7] ^= 1;
                    assert!(!is_included(&leaves[index], at, of, &root, &wrong));
                    wrong = proof.clone();
                    wrong.remove(place);
                    assert!(!is_included(&leaves[index], at, of, &root, &wrong));
                }
                let longer = [proof, vec![root]].concat();
                assert!(!is_included(&leaves[index], at, of, &root, &longer));
            }
            assert_eq!(inclusion_proof(&leaves[..size], size), None);
        }
    }

    #[test]
    fn a_proof_of_consistency_proves_that_nothing_before_was_changed() {
        let leaves = leaves(40);
        for second in 1..=leaves.len() {
            let new = Tree::of(&leaves[..second]).root();
            for first in 1..=second {
                let old = Tree::of(&leaves[..first]).root();
                let proof = consistency_proof(&leaves[..second], first).unwrap();
                let (from, to) = ((first as u64, &old), (second as u64, &new));
                assert!(is_consistent(from, to, &proof), "{first} {second}");
                let forged = [9; 32];
                assert!(!is_consistent((from.0, &forged), to, &proof));
                assert!(!is_consistent(from, (to.0, &forged), &proof));
                for place in 0..proof.len() {
                    let mut wrong = proof.clone();
                    wrong[place][0] ^= 128;
                    assert!(!is_consistent(from, to, &wrong));
                    wrong = proof.clone();
                    wrong.remove(place);
                    assert!(!is_consistent(from, to, &wrong));
                }
                assert!(!is_consistent(from, to, &[proof, vec![new]].concat()));
            }
        }
        assert_eq!(consistency_proof(&leaves, 0), None);
        assert_eq!(consistency_proof(&leaves, 41), None);
    }
}
