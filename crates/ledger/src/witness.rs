//! When a witness cosigns a checkpoint (C2SP `tlog-witness`): a ledger may only grow, from what the
//! witness cosigned last.

use convenant_model::Digest;
use thiserror::Error;

use crate::{Checkpoint, merkle};

/// Most hashes of a consistency proof: two for each level of a tree of 2⁶⁴ leaves are never needed.
pub const MAX_PROOF: usize = 64;

/// Why a checkpoint is not cosigned.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum NotCosigned {
    /// The proof begins at another size than that of the checkpoint cosigned last. Nothing is wrong
    /// with that: the caller proves again from this size.
    #[error("the checkpoint cosigned last is of {0} entries")]
    OtherSize(u64),
    /// The proof cannot be one.
    #[error("a consistency proof of {0} hashes, of at most {MAX_PROOF}")]
    TooLong(usize),
    /// The proof does not lead from the checkpoint cosigned last to the one shown: it is wrong, or the
    /// ledger is another. That proves nothing against its owner; that there is no cosignature does the rest.
    #[error("the consistency proof does not lead from {held} entries to {shown}")]
    Proof {
        /// Entries shown now.
        shown: u64,
        /// Entries cosigned before.
        held: u64,
    },
    /// The ledger is not what it was.
    #[error(transparent)]
    Conflict(#[from] Conflict),
}

/// How a checkpoint contradicts the one that was cosigned last, as the two of them show.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum Conflict {
    /// The ledger has fewer entries than its owner knows to be cosigned: it was set back.
    #[error("the ledger has {shown} entries and had {held}")]
    SetBack {
        /// Entries shown now.
        shown: u64,
        /// Entries cosigned before.
        held: u64,
    },
    /// Two ledgers of as many entries are not the same.
    #[error("the ledger of {0} entries has another root than the one that was cosigned")]
    Forked(u64),
}

/// Whether a witness that cosigned `held` last may cosign `shown`. `proof` is the consistency proof
/// between the first `old_size` entries and `shown` (RFC 9162 §2.1.4). Both checkpoints are of the same
/// ledger, and its owner signed them.
///
/// # Errors
/// When it may not.
pub fn may_cosign(
    held: Option<&Checkpoint>,
    old_size: u64,
    proof: &[Digest],
    shown: &Checkpoint,
) -> Result<(), NotCosigned> {
    if proof.len() > MAX_PROOF {
        return Err(NotCosigned::TooLong(proof.len()));
    }
    let Some(held) = held else {
        // Nothing was cosigned before, so nothing can be contradicted.
        return match old_size {
            0 if shown.size > 0 || shown.root == merkle::empty_root() => Ok(()),
            0 => Err(NotCosigned::Proof { shown: 0, held: 0 }),
            _ => Err(NotCosigned::OtherSize(0)),
        };
    };
    if shown.size < held.size {
        // An older checkpoint contradicts nothing: a request that was given up may arrive behind later ones. Whoever
        // shows it though he knows of more has no more.
        return Err(match old_size > shown.size {
            true => Conflict::SetBack { shown: shown.size, held: held.size }.into(),
            false => NotCosigned::OtherSize(held.size),
        });
    }
    if shown.size == held.size {
        let same = shown.root == held.root;
        return if same { Ok(()) } else { Err(Conflict::Forked(held.size).into()) };
    }
    if old_size != held.size {
        return Err(NotCosigned::OtherSize(held.size));
    }
    let grown = merkle::verify_consistency(held.size, shown.size, &held.root, &shown.root, proof);
    grown.map_err(|_| NotCosigned::Proof { shown: shown.size, held: held.size })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        merkle::{Frontier, consistency_proof, leaf_hash},
        note::NoteName,
        tile::{Edge, TileHashes, TileId},
    };

    /// A ledger of `size` entries, and the proof that it grew from `old`.
    fn ledger(name: &str, old: u64, size: u64) -> (Checkpoint, Vec<Digest>) {
        let (mut tree, mut edge) = (Frontier::default(), Edge::default());
        for index in 0..size {
            let entry = format!("{name} {index}");
            tree.append(leaf_hash(entry.as_bytes()));
            edge.push(leaf_hash(entry.as_bytes()), entry.as_bytes(), |_| {});
        }
        let read = |id: &TileId| edge.partial(id).ok_or(());
        let proof = consistency_proof(&TileHashes::new(size, read), old, size).unwrap();
        let origin = NoteName::new("ledger.example").unwrap();
        (Checkpoint { origin, size, root: tree.root() }, proof)
    }

    #[test]
    fn a_ledger_that_grew_is_cosigned() {
        let (first, _) = ledger("a", 0, 3);
        assert_eq!(may_cosign(None, 0, &[], &first), Ok(()));
        let (second, proof) = ledger("a", 3, 7);
        assert_eq!(may_cosign(Some(&first), 3, &proof, &second), Ok(()));
        assert_eq!(may_cosign(Some(&second), 3, &[], &second), Ok(()));
    }

    #[test]
    fn a_proof_from_elsewhere_is_asked_for_again() {
        let (held, (shown, proof)) = (ledger("a", 0, 3).0, ledger("a", 2, 7));
        let other = Err(NotCosigned::OtherSize(3));
        assert_eq!(may_cosign(Some(&held), 2, &proof, &shown), other);
        assert_eq!(may_cosign(Some(&held), 0, &[], &shown), other);
        assert_eq!(may_cosign(None, 2, &proof, &shown), Err(NotCosigned::OtherSize(0)));
        let long = vec![shown.root; 65];
        assert_eq!(may_cosign(Some(&held), 3, &long, &shown), Err(NotCosigned::TooLong(65)));
    }

    #[test]
    fn whoever_was_never_cosigned_contradicts_nothing() {
        let (shown, _) = ledger("a", 0, 3);
        assert_eq!(may_cosign(None, 0, &[shown.root], &shown), Ok(()));
        let nothing = Checkpoint { size: 0, ..shown };
        let wrong = Err(NotCosigned::Proof { shown: 0, held: 0 });
        assert_eq!(may_cosign(None, 0, &[], &nothing), wrong);
    }

    #[test]
    fn a_ledger_that_was_set_back_or_forked_is_not_cosigned() {
        let (held, _) = ledger("a", 0, 5);
        let shown = ledger("a", 0, 3).0;
        let set_back = Conflict::SetBack { shown: 3, held: 5 };
        for old in [4, 5, 6] {
            assert_eq!(may_cosign(Some(&held), old, &[], &shown), Err(set_back.into()));
        }
        // A request that was overtaken: whoever made it did not know of more.
        for old in [0, 3] {
            let told = Err(NotCosigned::OtherSize(5));
            assert_eq!(may_cosign(Some(&held), old, &[], &shown), told);
        }
        let (same_size, _) = ledger("b", 0, 5);
        let forked = Err(Conflict::Forked(5).into());
        assert_eq!(may_cosign(Some(&held), 5, &[], &same_size), forked);
        let (longer, proof) = ledger("b", 5, 9);
        // Neither proves anything: the first is another ledger, of the second only the proof is missing.
        let unproven = Err(NotCosigned::Proof { shown: 9, held: 5 });
        assert_eq!(may_cosign(Some(&held), 5, &proof, &longer), unproven);
        assert_eq!(may_cosign(Some(&held), 5, &[], &ledger("a", 5, 9).0), unproven);
    }
}
