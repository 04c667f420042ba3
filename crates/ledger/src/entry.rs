//! Entries, their places in a ledger, and the proof by type that something is on record.

use std::fmt;

use convenant_model::{
    Digest,
    entry::{Entry, Recordable},
};
use convenant_signing::{CanonicalError, canonical, parse_canonical};
use serde::Serialize;
use thiserror::Error;

use crate::merkle::leaf_hash;

/// Most bytes of an entry: what the length field of an entry bundle can say (C2SP tlog-tiles).
pub const MAX_ENTRY: usize = 65_535;

/// The bytes of one entry, and their leaf hash: canonical JSON (RFC 8785) of at most [`MAX_ENTRY`]
/// bytes.
#[derive(Clone, Eq, PartialEq)]
pub struct EntryBytes {
    bytes: Vec<u8>,
    leaf: Digest,
}

/// Why something cannot be an entry.
#[derive(Debug, Error)]
pub enum EntryError {
    /// It has no canonical JSON form, or the bytes are not in it.
    #[error("not an entry in canonical JSON")]
    Canonical(#[from] CanonicalError),
    /// It is too long.
    #[error("an entry of {length} bytes, of at most {most}")]
    TooLong {
        /// Its length.
        length: usize,
        /// The most that is allowed.
        most: usize,
    },
}

impl EntryBytes {
    /// The entry of a value.
    ///
    /// # Errors
    /// When it has no canonical form or is too long.
    pub fn of(item: &impl Recordable) -> Result<Self, EntryError> {
        Self::canonical(&item.entry())
    }

    pub(crate) fn canonical(value: &impl Serialize) -> Result<Self, EntryError> {
        let bytes = canonical(value)?;
        if bytes.len() > MAX_ENTRY {
            return Err(EntryError::TooLong { length: bytes.len(), most: MAX_ENTRY });
        }
        let leaf = leaf_hash(&bytes);
        Ok(Self { bytes, leaf })
    }

    /// Reads an entry of an exchange ledger.
    ///
    /// # Errors
    /// When the bytes are not an entry in canonical JSON.
    pub fn parse(bytes: &[u8]) -> Result<Entry, EntryError> {
        Ok(parse_canonical(bytes, "entry")?)
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// RFC 9162 §2.1.1: hash of the leaf that holds the entry.
    #[must_use]
    pub const fn leaf(&self) -> &Digest {
        &self.leaf
    }
}

impl fmt::Debug for EntryBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EntryBytes({}, {} bytes)", self.leaf, self.bytes.len())
    }
}

/// The place of an entry that is durable. Only [`crate::Ledger::commit`] makes one, after the store
/// reported that the entry reached the disk.
#[derive(Debug)]
pub struct Position {
    index: u64,
    leaf: Digest,
}

impl Position {
    pub(crate) const fn new(index: u64, leaf: Digest) -> Self {
        Self { index, leaf }
    }

    /// Index of the entry in its ledger.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Leaf hash of the entry.
    #[must_use]
    pub const fn leaf(&self) -> &Digest {
        &self.leaf
    }
}

/// The position is that of another entry.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("entry {index} of the ledger has leaf hash `{recorded}`, the item has `{item}`")]
pub struct Mismatch {
    index: u64,
    recorded: Digest,
    item: Digest,
}

/// Why [`Recorded::new`] refuses.
#[derive(Debug, Error)]
pub enum NotRecorded {
    /// The item cannot be an entry.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// The position is that of another entry.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
}

/// A value with its entry made, waiting to be on record. Nothing can change the value meanwhile, so
/// the entry is made only once.
#[derive(Debug)]
pub struct Draft<T> {
    item: T,
    leaf: Digest,
}

impl<T: Recordable> Draft<T> {
    /// Makes the entry of a value.
    ///
    /// # Errors
    /// When the value cannot be an entry.
    pub fn new(item: T) -> Result<(Self, EntryBytes), EntryError> {
        let bytes = EntryBytes::of(&item)?;
        Ok((Self { item, leaf: bytes.leaf }, bytes))
    }

    /// The value as recorded.
    ///
    /// # Errors
    /// When the position is that of another entry.
    pub fn recorded(self, position: &Position) -> Result<Recorded<T>, Mismatch> {
        let (index, recorded) = (position.index, position.leaf);
        if recorded != self.leaf {
            return Err(Mismatch { index, recorded, item: self.leaf });
        }
        Ok(Recorded { item: self.item, index })
    }
}

/// A value whose entry is on disk in a ledger. There is no way to have one without that.
#[derive(Debug)]
pub struct Recorded<T> {
    item: T,
    index: u64,
}

impl<T: Recordable> Recorded<T> {
    /// Joins a value and the position of its entry.
    ///
    /// # Errors
    /// When the position is that of another entry.
    pub fn new(item: T, position: &Position) -> Result<Self, NotRecorded> {
        let (draft, _) = Draft::new(item)?;
        Ok(draft.recorded(position)?)
    }
}

impl<T> Recorded<T> {
    /// The value.
    pub const fn item(&self) -> &T {
        &self.item
    }

    /// Index of its entry in the ledger.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }
}
