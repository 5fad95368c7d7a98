//! Proofs from a log of many events: the roots of its full subtrees are kept, so that a proof looks at a few leaves only.

use super::super::tree::{Hash, Tree};

/// Leaves of the smallest subtree whose root is kept: a multiple of two.
const BLOCK: usize = 64;

/// The leaves of one log, with the roots of its full subtrees. Borrowed leaves cost nothing, roots a thirty-second of them.
#[derive(Debug)]
pub(super) struct Forest<'l> {
    leaves: &'l [Hash],
    /// Roots of full subtrees of `BLOCK`, `2 * BLOCK`, … leaves.
    levels: Vec<Vec<Hash>>,
}

impl<'l> Forest<'l> {
    pub(super) fn new(leaves: &'l [Hash]) -> Self {
        let blocks = leaves.chunks_exact(BLOCK);
        let mut level: Vec<Hash> = blocks.map(|block| Tree::of(block).root()).collect();
        let mut levels = Vec::new();
        while !level.is_empty() {
            let above = level.chunks_exact(2).map(|pair| Tree::of(pair).root());
            let above = above.collect();
            levels.push(std::mem::replace(&mut level, above));
        }
        Self { leaves, levels }
    }

    /// The root of the tree over the first leaves; `None` if there are not so many.
    pub(super) fn root(&self, size: usize) -> Option<Hash> {
        (size <= self.leaves.len()).then(|| match size {
            0 => Tree::default().root(),
            size => self.subtree(0, size),
        })
    }

    /// The root over leaves from one to before another: as they lie below one node of a tree.
    fn subtree(&self, first: usize, end: usize) -> Hash {
        let size = end - first;
        if size.is_power_of_two() && size >= BLOCK && first.is_multiple_of(size) {
            let level = (size / BLOCK).trailing_zeros() as usize;
            let kept = self
                .levels
                .get(level)
                .and_then(|level| level.get(first / size));
            if let Some(root) = kept {
                return *root;
            }
        }
        if size <= BLOCK {
            return Tree::of(self.leaves.get(first..end).unwrap_or_default()).root();
        }
        let middle = first + split(size);
        Tree::of(&[self.subtree(first, middle), self.subtree(middle, end)]).root()
    }

    /// The edge of the tree over the first leaves: the roots of its full subtrees, the largest first.
    pub(super) fn edge(&self, size: usize) -> Vec<Hash> {
        let (mut edge, mut first) = (Vec::new(), 0);
        for bit in (0..usize::BITS).rev().map(|bit| 1_usize << bit) {
            if size & bit != 0 {
                edge.push(self.subtree(first, first + bit));
                first += bit;
            }
        }
        edge
    }

    /// That a leaf is in the tree over the first ones (RFC 9162, 2.1.3.1).
    pub(super) fn inclusion(&self, index: usize, size: usize) -> Option<Vec<Hash>> {
        if index >= size || size > self.leaves.len() {
            return None;
        }
        let (mut first, mut end, mut proof) = (0, size, Vec::new());
        while end - first > 1 {
            let middle = first + split(end - first);
            if index < middle {
                proof.push(self.subtree(middle, end));
                end = middle;
            } else {
                proof.push(self.subtree(first, middle));
                first = middle;
            }
        }
        proof.reverse();
        Some(proof)
    }

    /// That the tree over so many leaves goes on the one over fewer (RFC 9162, 2.1.4.1).
    pub(super) fn consistency(&self, old: usize, size: usize) -> Option<Vec<Hash>> {
        if old == 0 || old > size || size > self.leaves.len() {
            return None;
        }
        let (mut first, mut end, mut proof, mut is_known) = (0, size, Vec::new(), true);
        while old != end {
            let middle = first + split(end - first);
            if old <= middle {
                proof.push(self.subtree(middle, end));
                end = middle;
            } else {
                proof.push(self.subtree(first, middle));
                (first, is_known) = (middle, false);
            }
        }
        if !is_known {
            proof.push(self.subtree(first, end));
        }
        proof.reverse();
        Some(proof)
    }
}

/// The largest power of two below a number greater than 1.
fn split(size: usize) -> usize {
    1 << (usize::BITS - 1 - (size - 1).leading_zeros())
}

#[cfg(test)]
mod tests {
    use super::super::super::tree::{consistency_proof, inclusion_proof};
    use super::*;

    #[test]
    fn proofs_are_those_of_the_tree() {
        let leaf = |number: u32| Tree::of(&[[number as u8; 32], [(number >> 8) as u8; 32]]).root();
        let leaves: Vec<Hash> = (0..700).map(leaf).collect();
        let forest = Forest::new(&leaves);
        for size in (0..=leaves.len())
            .step_by(7)
            .chain([64, 128, 192, 256, 512])
        {
            let tree = Tree::of(&leaves[..size]);
            assert_eq!(forest.root(size), Some(tree.root()), "{size}");
            assert_eq!(forest.edge(size), tree.edge(), "{size}");
            for index in (0..size).step_by(11).chain(size.checked_sub(1)) {
                let known = inclusion_proof(&leaves[..size], index);
                assert_eq!(forest.inclusion(index, size), known, "{index} of {size}");
                let known = consistency_proof(&leaves[..size], index + 1);
                assert_eq!(
                    forest.consistency(index + 1, size),
                    known,
                    "{index} of {size}"
                );
            }
        }
        assert_eq!(forest.root(701), None);
        assert_eq!(forest.inclusion(5, 5), None);
        assert_eq!(forest.consistency(0, 5), None);
    }
}
