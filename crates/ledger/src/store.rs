//! What a ledger needs of the place where it is kept.

use std::{fmt, io};

use thiserror::Error;

/// Where an entry stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// Name of the segment.
    pub segment: String,
    /// Offset of the entry's frame in the segment, in bytes.
    pub offset: u64,
    /// Index of the entry.
    pub index: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entry {} (segment `{}`, offset {})", self.index, self.segment, self.offset)
    }
}

/// An entry as it was read back.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// Index of the entry.
    pub index: u64,
    /// Name of the segment.
    pub segment: &'a str,
    /// Offset of the entry's frame in the segment, in bytes.
    pub offset: u64,
    /// The entry.
    pub entry: &'a [u8],
}

impl Found<'_> {
    /// Where the entry stands.
    #[must_use]
    pub fn place(&self) -> Place {
        Place { segment: self.segment.to_owned(), offset: self.offset, index: self.index }
    }
}

/// Where the whole entries end, and what stands behind them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tail {
    /// The end: its index is the number of whole entries.
    pub end: Place,
    /// Bytes behind the end that are not zero.
    pub torn_bytes: u64,
    /// Whether these are the beginning of an entry of which the segment does not hold the end.
    pub cut: bool,
    /// Whether what stands behind proves that more entries were durable.
    pub proves_damage: bool,
}

impl Tail {
    /// Whether an entry among the first `size` is there and no longer whole. What was cut off, within an entry too, is
    /// missing instead.
    #[must_use]
    pub const fn is_damaged(&self, size: u64) -> bool {
        self.proves_damage || (self.end.index < size && self.torn_bytes > 0 && !self.cut)
    }
}

/// The reading half of a store.
pub trait ReadStore {
    /// Shows each whole entry in sequence, with one entry in memory at a time.
    ///
    /// # Errors
    /// When the segments cannot be read.
    fn replay(&self, visit: &mut dyn FnMut(Found<'_>)) -> io::Result<Tail>;

    /// The tile or checkpoint at a path; `None` where there is none.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>>;
}

/// Why a group of entries was not appended.
#[derive(Debug, Error)]
pub enum AppendError {
    /// The disk, the quota or the largest size of a file is exhausted. Nothing was appended; later
    /// groups may be.
    #[error("there is no room for more entries")]
    Full(#[source] io::Error),
    /// Nothing was appended; later groups may be.
    #[error("the entries could not be written")]
    Refused(#[source] io::Error),
    /// It is not known whether the entries are durable. A second attempt could report as durable
    /// what the operating system already gave up, so the store must be opened anew.
    #[error("it is not known whether the entries are on disk")]
    Unknown(#[source] io::Error),
}

/// The place where a ledger is kept.
pub trait Store: ReadStore {
    /// Appends frames at the end and returns once they are durable. `first` is the index of the first.
    ///
    /// # Errors
    /// See [`AppendError`]; after `Full` and `Refused` the store is as before.
    fn append(&mut self, first: u64, frames: &[u8]) -> Result<(), AppendError>;

    /// Ends the segments at the tail and makes everything before it durable, from `doubtful` on (the
    /// first entry that no checkpoint covers) by writing it again.
    ///
    /// # Errors
    /// When that cannot be done.
    fn settle(&mut self, tail: &Tail, doubtful: Option<&Place>) -> io::Result<()>;

    /// Puts a tile at its path, whole or not at all. It need not be durable.
    ///
    /// # Errors
    /// When that cannot be done.
    fn publish_tile(&self, path: &str, bytes: &[u8]) -> io::Result<()>;

    /// Replaces the checkpoint, whole or not at all. After a crash the old or the new one is there.
    ///
    /// # Errors
    /// When that cannot be done.
    fn publish_checkpoint(&self, text: &str) -> io::Result<()>;

    /// Removes a tile that is no longer part of the tree; does nothing where there is none.
    ///
    /// # Errors
    /// When that cannot be done.
    fn remove_tile(&self, path: &str) -> io::Result<()>;
}

/// Path of the checkpoint below a ledger's folder (C2SP tlog-tiles).
pub(crate) const CHECKPOINT: &str = "checkpoint";
