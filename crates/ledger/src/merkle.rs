//! The Merkle tree of RFC 9162 §2.1 with SHA-256.

use convenant_model::Digest;
use convenant_signing::{sha256, sha256_parts};
use thiserror::Error;

mod several;
mod verify;

pub use several::{prove_several, verify_several};
pub use verify::{ProofError, verify_consistency, verify_inclusion};

/// Hash of a leaf (RFC 9162 §2.1.1): SHA-256 over `0x00` and the entry.
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Digest {
    sha256_parts(&[&[0], entry])
}

/// Hash of an inner node (RFC 9162 §2.1.1): SHA-256 over `0x01` and both children.
#[must_use]
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    sha256_parts(&[&[1], left.as_bytes(), right.as_bytes()])
}

/// Root of a tree without leaves (RFC 9162 §2.1.1): SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> Digest {
    sha256(&[])
}

/// The right edge of a tree: enough to append leaves and to compute the root, 32 bytes for each bit
/// of the size.
#[derive(Clone, Debug, Default)]
pub struct Frontier {
    /// Roots of the perfect subtrees that the leaves divide into, largest first.
    subtrees: Vec<Digest>,
    size: u64,
}

impl Frontier {
    /// Appends a leaf by its hash.
    pub fn append(&mut self, leaf: Digest) {
        let mut node = leaf;
        // Each trailing one of the size is a perfect subtree that the new leaf completes.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.subtrees.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.subtrees.push(node);
        self.size += 1;
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Merkle tree hash of all leaves (RFC 9162 §2.1.1).
    #[must_use]
    pub fn root(&self) -> Digest {
        let mut subtrees = self.subtrees.iter().rev();
        let Some(smallest) = subtrees.next() else {
            return empty_root();
        };
        subtrees.fold(*smallest, |right, left| node_hash(left, &right))
    }
}

/// Where proofs take their hashes from.
pub trait HashSource {
    /// Why a hash cannot be had.
    type Error;

    /// Root of the perfect subtree over the `2^level` leaves from `index << level`.
    ///
    /// # Errors
    /// When the source does not have that hash.
    fn hash(&self, level: u32, index: u64) -> Result<Digest, Self::Error>;
}

/// A proof that was asked of leaves that the tree does not have.
#[derive(Debug, Error)]
pub enum ProveError<E> {
    /// The leaf or the older tree is not within the tree.
    #[error("`{asked}` is not within a tree of {size} entries")]
    OutOfRange {
        /// Index of the leaf, or size of the older tree.
        asked: u64,
        /// Size of the tree.
        size: u64,
    },
    /// A hash could not be had.
    #[error("a hash of the tree could not be read")]
    Source(#[source] E),
}

/// Root of the first `size` leaves of a source.
///
/// # Errors
/// When a hash cannot be had.
pub fn root<S: HashSource>(source: &S, size: u64) -> Result<Digest, S::Error> {
    if size == 0 { Ok(empty_root()) } else { subtree(source, 0, size) }
}

/// Audit path of leaf `index` in the tree of `size` leaves (RFC 9162 §2.1.3.1).
///
/// # Errors
/// When the tree has no such leaf, or a hash cannot be had.
pub fn inclusion_proof<S: HashSource>(
    source: &S,
    index: u64,
    size: u64,
) -> Result<Vec<Digest>, ProveError<S::Error>> {
    if index >= size {
        return Err(ProveError::OutOfRange { asked: index, size });
    }
    let (mut start, mut end, mut path) = (0, size, Vec::new());
    while end - start > 1 {
        let middle = start + split(end - start);
        let sibling = if index < middle { (middle, end) } else { (start, middle) };
        path.push(subtree(source, sibling.0, sibling.1).map_err(ProveError::Source)?);
        (start, end) = if index < middle { (start, middle) } else { (middle, end) };
    }
    path.reverse();
    Ok(path)
}

/// Proof that the tree of `first` leaves is a prefix of the tree of `second` (RFC 9162 §2.1.4.1).
/// Empty when the trees are the same, and when the older one has no leaves.
///
/// # Errors
/// When `first` is larger than `second`, or a hash cannot be had.
pub fn consistency_proof<S: HashSource>(
    source: &S,
    first: u64,
    second: u64,
) -> Result<Vec<Digest>, ProveError<S::Error>> {
    if first > second {
        return Err(ProveError::OutOfRange { asked: first, size: second });
    }
    if first == 0 || first == second {
        return Ok(Vec::new());
    }
    let (mut start, mut end, mut path) = (0, second, Vec::new());
    while first != end {
        let middle = start + split(end - start);
        let sibling = if first <= middle { (middle, end) } else { (start, middle) };
        path.push(subtree(source, sibling.0, sibling.1).map_err(ProveError::Source)?);
        (start, end) = if first <= middle { (start, middle) } else { (middle, end) };
    }
    // SUBPROOF(m, D_m, b) gives MTH(D_m) unless it is the older tree itself, which the verifier has.
    if start != 0 {
        path.push(subtree(source, start, end).map_err(ProveError::Source)?);
    }
    path.reverse();
    Ok(path)
}

/// MTH(D[start:end]) of RFC 9162 §2.1.1, for ranges as the splitting of a tree makes them: their start
/// is a multiple of the next power of two.
fn subtree<S: HashSource>(source: &S, start: u64, end: u64) -> Result<Digest, S::Error> {
    let leaves = end - start;
    if leaves.is_power_of_two() {
        let level = leaves.trailing_zeros();
        return source.hash(level, start >> level);
    }
    let middle = start + split(leaves);
    Ok(node_hash(&subtree(source, start, middle)?, &subtree(source, middle, end)?))
}

/// The largest power of two smaller than `leaves`, which is at least two (RFC 9162 §2.1.1).
const fn split(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}

#[cfg(test)]
mod tests;
