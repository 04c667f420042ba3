//! Reading a whole ledger back and holding it against its checkpoint. Opening for writing, auditing
//! and every check in between use this same code.

use std::io;

use convenant_model::Digest;
use thiserror::Error;

use crate::{
    checkpoint::{CheckpointError, LedgerVerifier, SignedCheckpoint},
    merkle::{self, Frontier, leaf_hash},
    store::{CHECKPOINT, Found, Place, ReadStore, Tail},
    tile::{self, Row, TileHashes, TileId, WIDTH},
};

/// A ledger that was read back and holds.
#[derive(Debug)]
pub struct Replayed {
    /// The tree over all whole entries.
    pub tree: Frontier,
    /// The checkpoint on disk, which the entries lead to; `None` where there is none.
    pub checkpoint: Option<SignedCheckpoint>,
    /// Where the entries end.
    pub tail: Tail,
    /// The first entry that the checkpoint does not cover.
    pub uncovered: Option<Place>,
}

/// Why a ledger does not hold.
#[derive(Debug, Error)]
pub enum OpenError {
    /// It could not be read, or not be put in order after a crash.
    #[error("the ledger could not be read")]
    Io(#[from] io::Error),
    /// The checkpoint on disk is not one of this ledger.
    #[error("the ledger's checkpoint is not accepted")]
    Checkpoint(#[from] CheckpointError),
    /// An entry that was on record is no longer whole.
    #[error("{place} is damaged")]
    Damaged {
        /// The entry.
        place: Place,
    },
    /// Entries that were on record are missing at the end.
    #[error("the entries end at {end}, the checkpoint states {size}")]
    Shortened {
        /// Where the entries end.
        end: Place,
        /// Number of entries in the checkpoint.
        size: u64,
    },
    /// An entry that was on record is another, and the tiles tell which.
    #[error("{place} is not the entry that the checkpoint at {size} covers")]
    Altered {
        /// The first such entry.
        place: Place,
        /// Number of entries in the checkpoint.
        size: u64,
    },
    /// The entries do not lead to the checkpoint, and the tiles do not tell where they differ.
    #[error("the first {size} entries have root `{found}`, the checkpoint states `{expected}`")]
    Root {
        /// Number of entries in the checkpoint.
        size: u64,
        /// Root in the checkpoint.
        expected: Digest,
        /// Root of the entries.
        found: Digest,
    },
}

/// Reads a ledger from its first entry to its last, shows each with its leaf hash, and compares the
/// tree with the checkpoint on disk.
///
/// # Errors
/// When an entry is damaged, altered or missing, or the checkpoint is not this ledger's.
pub fn replay<S: ReadStore>(
    store: &S,
    verifier: &LedgerVerifier,
    visit: &mut dyn FnMut(&Found<'_>, &Digest),
) -> Result<Replayed, OpenError> {
    let checkpoint = match store.read(CHECKPOINT)? {
        Some(bytes) => Some(SignedCheckpoint::parse(&bytes, verifier)?),
        None => None,
    };
    let size = checkpoint.as_ref().map_or(0, |signed| signed.checkpoint().size);
    let mut tree = Frontier::default();
    let (mut covered, mut uncovered) = (None, None);
    let tail = store.replay(&mut |found| {
        if tree.size() == size {
            covered = Some(tree.root());
            uncovered = Some(found.place());
        }
        let leaf = leaf_hash(found.entry);
        visit(&found, &leaf);
        tree.append(leaf);
    })?;
    require_whole(&tail, size)?;
    if let Some(signed) = &checkpoint {
        let expected = signed.checkpoint().root;
        let found = covered.unwrap_or_else(|| tree.root());
        if found != expected {
            return Err(locate(store, size, expected, found)?);
        }
    }
    Ok(Replayed { tree, checkpoint, tail, uncovered })
}

/// A broken end is a torn write only if nothing says that more was on record.
fn require_whole(tail: &Tail, size: u64) -> Result<(), OpenError> {
    if tail.is_damaged(size) {
        return Err(OpenError::Damaged { place: tail.end.clone() });
    }
    if tail.end.index < size {
        return Err(OpenError::Shortened { end: tail.end.clone(), size });
    }
    Ok(())
}

/// Names the first entry that differs from the leaf hashes in the tiles, provided that these lead to
/// the signed root.
fn locate<S: ReadStore>(
    store: &S,
    size: u64,
    expected: Digest,
    found: Digest,
) -> Result<OpenError, OpenError> {
    let unknown = OpenError::Root { size, expected, found };
    let read = |id: &TileId| -> io::Result<Vec<u8>> {
        store.read(&id.path())?.ok_or_else(|| io::ErrorKind::NotFound.into())
    };
    if !merkle::root(&TileHashes::new(size, read), size).is_ok_and(|root| root == expected) {
        return Ok(unknown);
    }
    let (mut recorded, mut differs) = (Vec::new(), None);
    store.replay(&mut |entry| {
        if entry.index % WIDTH == 0 {
            let id = TileId::within(Row::Hashes(0), entry.index / WIDTH, size);
            recorded = id.and_then(|id| tile::hashes_of(&id, read).ok()).unwrap_or_default();
        }
        let slot = usize::try_from(entry.index % WIDTH).unwrap_or(usize::MAX);
        let leaf = recorded.get(slot).copied().unwrap_or_else(|| leaf_hash(entry.entry));
        if differs.is_none() && leaf != leaf_hash(entry.entry) {
            differs = Some(entry.place());
        }
    })?;
    Ok(differs.map_or(unknown, |place| OpenError::Altered { place, size }))
}
