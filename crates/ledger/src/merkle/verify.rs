//! Checking of proofs, as RFC 9162 §2.1.3.2 and §2.1.4.2 prescribe.

use convenant_model::Digest;
use thiserror::Error;

use super::{empty_root, node_hash};

/// Why a proof does not hold.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum ProofError {
    /// The leaf lies outside the tree, or the older tree is larger than the newer one.
    #[error("`{asked}` is not within a tree of {size} entries")]
    OutOfRange {
        /// Index of the leaf, or size of the older tree.
        asked: u64,
        /// Size of the tree.
        size: u64,
    },
    /// The proof has more or fewer hashes than the sizes call for.
    #[error("the proof has {found} hashes, which is not what the sizes call for")]
    Length {
        /// Number of hashes found.
        found: usize,
    },
    /// The hashes do not lead to the older root.
    #[error("the proof does not lead to the older root")]
    OlderRoot,
    /// The hashes do not lead to the root.
    #[error("the proof does not lead to the root")]
    Root,
}

/// Checks that the leaf is at `index` in the tree (RFC 9162 §2.1.3.2).
///
/// # Errors
/// When it cannot be concluded from the proof.
pub fn verify_inclusion(
    leaf: &Digest,
    index: u64,
    size: u64,
    proof: &[Digest],
    root: &Digest,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::OutOfRange { asked: index, size });
    }
    let length = ProofError::Length { found: proof.len() };
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return Err(length);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            (node, last) = skip_right_edge(node, last);
        } else {
            hash = node_hash(&hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    if last != 0 {
        return Err(length);
    }
    if hash == *root { Ok(()) } else { Err(ProofError::Root) }
}

/// Checks that the tree of `first` leaves is a prefix of the tree of `second` (RFC 9162 §2.1.4.2).
///
/// # Errors
/// When it cannot be concluded from the proof.
pub fn verify_consistency(
    first: u64,
    second: u64,
    first_root: &Digest,
    second_root: &Digest,
    proof: &[Digest],
) -> Result<(), ProofError> {
    if first > second {
        return Err(ProofError::OutOfRange { asked: first, size: second });
    }
    if first == 0 || first == second {
        return same_or_empty(first, first_root, second_root, proof);
    }
    let length = ProofError::Length { found: proof.len() };
    let (mut node, mut last) = (first - 1, second - 1);
    let skipped = node.trailing_ones();
    (node, last) = (node >> skipped, last >> skipped);
    // A size that is a power of two is a subtree of the newer tree: its root starts the path.
    let (start, path) = if first.is_power_of_two() {
        (*first_root, proof)
    } else {
        let (start, path) = proof.split_first().ok_or(length)?;
        (*start, path)
    };
    let (mut older, mut newer) = (start, start);
    for sibling in path {
        if last == 0 {
            return Err(length);
        }
        if node & 1 == 1 || node == last {
            older = node_hash(sibling, &older);
            newer = node_hash(sibling, &newer);
            (node, last) = skip_right_edge(node, last);
        } else {
            newer = node_hash(&newer, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    if last != 0 {
        return Err(length);
    }
    if older != *first_root {
        return Err(ProofError::OlderRoot);
    }
    if newer == *second_root { Ok(()) } else { Err(ProofError::Root) }
}

fn same_or_empty(
    first: u64,
    first_root: &Digest,
    second_root: &Digest,
    proof: &[Digest],
) -> Result<(), ProofError> {
    if !proof.is_empty() {
        return Err(ProofError::Length { found: proof.len() });
    }
    let expected = if first == 0 { empty_root() } else { *second_root };
    if *first_root == expected { Ok(()) } else { Err(ProofError::OlderRoot) }
}

/// On the right edge a node without a sibling is its own parent: go up to where it has one.
const fn skip_right_edge(mut node: u64, mut last: u64) -> (u64, u64) {
    while node & 1 == 0 && node != 0 {
        node >>= 1;
        last >>= 1;
    }
    (node, last)
}
