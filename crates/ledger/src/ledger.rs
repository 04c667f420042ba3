//! The ledger: in which order an entry becomes evidence.

use std::{io, ops::Range};

use convenant_model::{Digest, Timestamp};
use thiserror::Error;

use crate::{
    checkpoint::{CheckpointSigningError, LedgerSigner, LedgerVerifier, SignedCheckpoint},
    entry::{EntryBytes, Position},
    frame,
    merkle::{self, Frontier, ProveError},
    replay::{OpenError, Replayed, replay},
    store::{AppendError, CHECKPOINT, Found, Store},
    tile::{self, Edge, Row, Tile, TileError, TileHashes, TileId, WIDTH},
};

/// Entries that may wait for their tiles. More only happens when publishing fails time after time.
const MAX_UNPUBLISHED: u64 = 32 * 1024;

/// An open ledger. It owns its store; there is one writer.
#[derive(Debug)]
pub struct Ledger<S> {
    store: S,
    signer: LedgerSigner,
    tree: Frontier,
    edge: Edge,
    /// Full tiles that are not published yet.
    unpublished: Vec<Tile>,
    checkpoint: Option<SignedCheckpoint>,
    poisoned: bool,
    frames: Vec<u8>,
}

/// What opening found and mended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Recovery {
    /// Whole entries.
    pub entries: u64,
    /// Bytes of incomplete entries that were cut off; nothing was answered on them.
    pub torn_bytes: u64,
    /// Entries that the checkpoint on disk did not cover yet.
    pub uncovered: u64,
    /// Tiles that were missing or different and were made again.
    pub tiles_made: u64,
}

/// Why a group of entries is not on record.
#[derive(Debug, Error)]
pub enum CommitError {
    /// The store did not append the group.
    #[error("the entries were not recorded")]
    Append(#[from] AppendError),
    /// An earlier group ended in doubt; the ledger must be opened anew.
    #[error("an earlier write ended in doubt: the ledger takes no entries until it is opened anew")]
    Poisoned,
    /// Too many entries wait for their tiles.
    #[error("{waiting} entries wait to be published, of at most {MAX_UNPUBLISHED}")]
    Unpublished {
        /// How many.
        waiting: u64,
    },
}

/// Why tiles and checkpoint were not published. The entries are on record all the same.
#[derive(Debug, Error)]
pub enum PublishError {
    /// A file could not be written.
    #[error("`{path}` could not be published")]
    Write {
        /// Path below the ledger's folder.
        path: String,
        /// What went wrong.
        source: io::Error,
    },
    /// The checkpoint could not be signed.
    #[error(transparent)]
    Signing(#[from] CheckpointSigningError),
}

/// Why entries or hashes cannot be read.
pub type ReadError = TileError<io::Error>;

impl<S: Store> Ledger<S> {
    /// Opens a ledger: reads every entry, compares with the checkpoint, cuts a torn tail, makes
    /// missing tiles again. Shows each entry to `visit`, so that indexes can be built in the same pass.
    ///
    /// # Errors
    /// When an entry that was on record is damaged, altered or missing; nothing is written then but
    /// missing tiles.
    pub fn open(
        store: S,
        signer: LedgerSigner,
        now: Timestamp,
        visit: &mut dyn FnMut(&Found<'_>),
    ) -> Result<(Self, Recovery), OpenError> {
        let (mut edge, mut mender) = (Edge::default(), TileMender::default());
        let last = store.read(CHECKPOINT)?;
        let verifier = last.as_ref().map_or(signer.verifier(), |last| signer.verifier_of(last));
        let own = verifier == signer.verifier();
        let replayed = replay(&store, verifier, &mut |found, leaf| {
            edge.push(*leaf, found.entry, |tile| mender.compare(&store, tile));
            visit(found);
        })?;
        let Replayed { tree, checkpoint, tail, uncovered } = replayed;
        let covered = checkpoint.as_ref().map_or(0, |signed| signed.checkpoint().size);
        // Where the checkpoint lags behind, publishing makes the partial tiles anyway.
        if covered == tree.size() {
            edge.partials().into_iter().for_each(|tile| mender.compare(&store, tile));
        }
        let mut ledger = Self {
            store,
            signer,
            tree,
            edge,
            unpublished: Vec::new(),
            // One by a former key is replaced.
            checkpoint: checkpoint.filter(|_| own),
            poisoned: false,
            frames: Vec::new(),
        };
        ledger.store.settle(&tail, uncovered.as_ref())?;
        let tiles_made = mender.mend(&ledger.store)?;
        ledger.publish(now).map_err(io::Error::other)?;
        let entries = ledger.size();
        let uncovered = entries - covered;
        let recovery = Recovery { entries, torn_bytes: tail.torn_bytes, uncovered, tiles_made };
        Ok((ledger, recovery))
    }

    /// Puts a group of entries on record with one durable write.
    ///
    /// # Errors
    /// When the group is not on record. After [`AppendError::Unknown`] the ledger takes no more.
    pub fn commit(&mut self, group: &[EntryBytes]) -> Result<Vec<Position>, CommitError> {
        if self.poisoned {
            return Err(CommitError::Poisoned);
        }
        let waiting = self.unpublished.len() as u64 * WIDTH;
        if waiting > MAX_UNPUBLISHED {
            return Err(CommitError::Unpublished { waiting });
        }
        let first = self.tree.size();
        self.frames.clear();
        for (index, entry) in (first..).zip(group) {
            frame::encode(&mut self.frames, index, first, entry.as_bytes());
        }
        // A crash during this call leaves all, some or none of the group on disk. No position exists
        // yet, so nothing was answered; recovery keeps the entries that are whole.
        if let Err(error) = self.store.append(first, &self.frames) {
            self.poisoned = matches!(error, AppendError::Unknown(_));
            return Err(error.into());
        }
        // From here on the entries are on record. Tiles and checkpoint follow from them, so a crash
        // before they are published loses nothing: opening makes them again.
        let unpublished = &mut self.unpublished;
        let place = |(index, entry): (u64, &EntryBytes)| {
            self.tree.append(*entry.leaf());
            self.edge.push(*entry.leaf(), entry.as_bytes(), |tile| unpublished.push(tile));
            Position::new(index, *entry.leaf())
        };
        Ok((first..).zip(group).map(place).collect())
    }

    /// Publishes the tiles of what was committed, then the checkpoint that refers to them. Does
    /// nothing when the last checkpoint still stands.
    ///
    /// # Errors
    /// When a file cannot be written. Nothing is lost: the next call does it all again.
    pub fn publish(&mut self, now: Timestamp) -> Result<(), PublishError> {
        let old = self.checkpoint.as_ref().map(|signed| signed.checkpoint().size);
        if old == Some(self.size()) {
            return Ok(());
        }
        let partials = self.edge.partials();
        for tile in self.unpublished.iter().chain(&partials) {
            let path = tile.id.path();
            self.store
                .publish_tile(&path, &tile.bytes)
                .map_err(|source| PublishError::Write { path, source })?;
        }
        self.publish_checkpoint(now)?;
        self.unpublished.clear();
        // The older checkpoint is gone, so nothing refers to its partial tiles any more. One that a
        // crash leaves behind here does no harm.
        for id in TileId::partials(old.unwrap_or(0)) {
            if !id.is_full() && !partials.iter().any(|tile| tile.id == id) {
                let path = id.path();
                self.store
                    .remove_tile(&path)
                    .map_err(|source| PublishError::Write { path, source })?;
            }
        }
        Ok(())
    }

    /// A checkpoint over everything committed, published. One that carries the time is signed anew,
    /// so that it says that the ledger is what it is *now*.
    ///
    /// # Errors
    /// When it cannot be signed or written.
    pub fn fresh_checkpoint(&mut self, now: Timestamp) -> Result<SignedCheckpoint, PublishError> {
        self.publish(now)?;
        match &self.checkpoint {
            Some(signed) if !self.signer.is_timed() => Ok(signed.clone()),
            _ => self.publish_checkpoint(now),
        }
    }

    fn publish_checkpoint(&mut self, now: Timestamp) -> Result<SignedCheckpoint, PublishError> {
        let signed = self.signer.sign(self.size(), self.root(), now)?;
        self.store.publish_checkpoint(&signed.to_string()).map_err(|source| {
            PublishError::Write { path: crate::store::CHECKPOINT.to_owned(), source }
        })?;
        self.checkpoint = Some(signed.clone());
        Ok(signed)
    }

    /// Signs with another key from now on, and the present checkpoint anew.
    ///
    /// # Errors
    /// When the checkpoint cannot be signed or written. The next call or the next entry does it again.
    pub fn sign_with(&mut self, signer: LedgerSigner, now: Timestamp) -> Result<(), PublishError> {
        self.publish(now)?;
        if signer.verifier() != self.signer.verifier() {
            self.signer = signer;
            // A crash before this is published leaves a checkpoint by the former key, with which the ledger
            // opens.
            self.checkpoint = None;
        }
        self.publish(now)
    }

    /// The ledger's name with the key that it is signed with.
    #[must_use]
    pub const fn verifier(&self) -> &LedgerVerifier {
        self.signer.verifier()
    }

    /// Adds the cosignature of this ledger's party to a checkpoint of another.
    ///
    /// # Errors
    /// When the key cannot sign.
    pub fn cosign(
        &self,
        mut signed: SignedCheckpoint,
        now: Timestamp,
    ) -> Result<SignedCheckpoint, CheckpointSigningError> {
        self.signer.cosign(&mut signed, now)?;
        Ok(signed)
    }

    /// Number of entries on record.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.tree.size()
    }

    /// Merkle tree hash of the entries on record.
    #[must_use]
    pub fn root(&self) -> Digest {
        self.tree.root()
    }

    /// Whether a write ended in doubt.
    #[must_use]
    pub const fn is_poisoned(&self) -> bool {
        self.poisoned
    }

    /// Proof that entry `index` is in the tree of the first `size` entries.
    ///
    /// # Errors
    /// When there are no such entries, or a tile cannot be read.
    pub fn inclusion_proof(
        &self,
        index: u64,
        size: u64,
    ) -> Result<Vec<Digest>, ProveError<ReadError>> {
        self.require(size)?;
        merkle::inclusion_proof(&self.hashes(), index, size)
    }

    /// Proof that the first `first` entries are the beginning of the first `second`.
    ///
    /// # Errors
    /// When there are no such entries, or a tile cannot be read.
    pub fn consistency_proof(
        &self,
        first: u64,
        second: u64,
    ) -> Result<Vec<Digest>, ProveError<ReadError>> {
        self.require(second)?;
        merkle::consistency_proof(&self.hashes(), first, second)
    }

    /// Root of the first `size` entries.
    ///
    /// # Errors
    /// When there are fewer, or a tile cannot be read.
    pub fn root_at(&self, size: u64) -> Result<Digest, ProveError<ReadError>> {
        self.require(size)?;
        merkle::root(&self.hashes(), size).map_err(ProveError::Source)
    }

    /// The entries of a range, as far as they exist.
    ///
    /// # Errors
    /// When a bundle cannot be read.
    pub fn entries(&self, range: Range<u64>) -> Result<Vec<Vec<u8>>, ReadError> {
        let end = range.end.min(self.size());
        let mut entries = Vec::new();
        let mut next = range.start;
        while next < end {
            let Some(id) = TileId::within(Row::Entries, next / WIDTH, self.size()) else {
                break;
            };
            let bundle = tile::entries_of(&id, |id| self.tile(id))?;
            let skipped = usize::try_from(next % WIDTH).unwrap_or(usize::MAX);
            let wanted = usize::try_from(end - next).unwrap_or(usize::MAX);
            let before = entries.len();
            entries.extend(bundle.into_iter().skip(skipped).take(wanted));
            next += (entries.len() - before) as u64;
        }
        Ok(entries)
    }

    fn require(&self, size: u64) -> Result<(), ProveError<ReadError>> {
        if size > self.size() {
            return Err(ProveError::OutOfRange { asked: size, size: self.size() });
        }
        Ok(())
    }

    fn hashes(&self) -> TileHashes<impl Fn(&TileId) -> io::Result<Vec<u8>> + '_> {
        TileHashes::new(self.size(), |id: &TileId| self.tile(id))
    }

    /// A tile of the tree as it is now, from the disk when it is full and was published.
    fn tile(&self, id: &TileId) -> io::Result<Vec<u8>> {
        if let Some(bytes) = self.edge.partial(id) {
            return Ok(bytes);
        }
        if let Some(tile) = self.unpublished.iter().find(|tile| tile.id == *id) {
            return Ok(tile.bytes.clone());
        }
        self.store.read(&id.path())?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// Makes tiles again that are missing or different. Those that are different wait until the entries
/// were found to lead to the checkpoint: until then they may be what tells where an entry was altered.
#[derive(Debug, Default)]
struct TileMender {
    different: Vec<Tile>,
    made: u64,
    fault: Option<io::Error>,
}

impl TileMender {
    fn compare<S: Store>(&mut self, store: &S, tile: Tile) {
        let path = tile.id.path();
        match store.read(&path) {
            Ok(Some(bytes)) if bytes == tile.bytes => {}
            Ok(None) if tile.id.is_full() => {
                self.made += 1;
                let written = store.publish_tile(&path, &tile.bytes);
                self.fault = self.fault.take().or(written.err());
            }
            Ok(_) => self.different.push(tile),
            Err(error) => self.fault = self.fault.take().or(Some(error)),
        }
    }

    fn mend<S: Store>(mut self, store: &S) -> io::Result<u64> {
        if let Some(error) = self.fault {
            return Err(error);
        }
        self.made += self.different.len() as u64;
        for tile in &self.different {
            store.publish_tile(&tile.id.path(), &tile.bytes)?;
        }
        Ok(self.made)
    }
}
