//! One proof for several leaves of a tree: the roots of the largest subtrees that hold none of them,
//! from left to right. Inner nodes above several of the leaves are hashed once, and a proof for every
//! leaf is empty. RFC 9162 has proofs for single leaves only; the tree is its tree (§2.1.1).

use convenant_model::Digest;

use super::{HashSource, ProofError, ProveError, node_hash, split, subtree};

/// Proof that some leaves are in the tree of `size` leaves. `leaves` are their indexes, ascending.
///
/// # Errors
/// When the tree has no such leaf, an index does not follow the one before, or a hash cannot be had.
pub fn prove_several<S: HashSource>(
    source: &S,
    leaves: &[u64],
    size: u64,
) -> Result<Vec<Digest>, ProveError<S::Error>> {
    if let Some(asked) = out_of_order(leaves.iter().copied(), size) {
        return Err(ProveError::OutOfRange { asked, size });
    }
    let mut proof = Vec::new();
    if !leaves.is_empty() {
        prove(source, (0, size), leaves, &mut proof).map_err(ProveError::Source)?;
    }
    Ok(proof)
}

fn prove<S: HashSource>(
    source: &S,
    (start, end): (u64, u64),
    leaves: &[u64],
    proof: &mut Vec<Digest>,
) -> Result<(), S::Error> {
    if leaves.is_empty() {
        proof.push(subtree(source, start, end)?);
        return Ok(());
    }
    if end - start == 1 {
        return Ok(());
    }
    let middle = start + split(end - start);
    let (left, right) = leaves.split_at(leaves.partition_point(|leaf| *leaf < middle));
    prove(source, (start, middle), left, proof)?;
    prove(source, (middle, end), right, proof)
}

/// Checks that some leaves, each with its index, are in the tree of `size` leaves with this root. No
/// leaves are in every tree.
///
/// # Errors
/// When it cannot be concluded from the proof.
pub fn verify_several(
    leaves: &[(u64, Digest)],
    size: u64,
    proof: &[Digest],
    root: &Digest,
) -> Result<(), ProofError> {
    if let Some(asked) = out_of_order(leaves.iter().map(|(index, _)| *index), size) {
        return Err(ProofError::OutOfRange { asked, size });
    }
    let length = ProofError::Length { found: proof.len() };
    let mut left = proof.iter();
    if leaves.is_empty() {
        return if proof.is_empty() { Ok(()) } else { Err(length) };
    }
    let found = fold((0, size), leaves, &mut left).ok_or(length)?;
    if left.next().is_some() {
        return Err(length);
    }
    if found == *root { Ok(()) } else { Err(ProofError::Root) }
}

/// Root over a range, from the leaves in it and what the proof has for the rest; `None` when the proof
/// is too short. As deep as the tree is high: at most 64.
fn fold<'a>(
    (start, end): (u64, u64),
    leaves: &[(u64, Digest)],
    proof: &mut impl Iterator<Item = &'a Digest>,
) -> Option<Digest> {
    match leaves {
        [] => proof.next().copied(),
        // Indexes ascend, so that a range of one holds one leaf at most.
        [(_, leaf)] if end - start == 1 => Some(*leaf),
        _ => {
            let middle = start + split(end - start);
            let (left, right) =
                leaves.split_at(leaves.partition_point(|(index, _)| *index < middle));
            let left = fold((start, middle), left, proof)?;
            Some(node_hash(&left, &fold((middle, end), right, proof)?))
        }
    }
}

/// The first index that is not within the tree, or not above the one before.
fn out_of_order(mut indexes: impl Iterator<Item = u64>, size: u64) -> Option<u64> {
    let mut least = 0;
    indexes.find(|index| {
        let fits = *index >= least && *index < size;
        least = index.saturating_add(1);
        !fits
    })
}
