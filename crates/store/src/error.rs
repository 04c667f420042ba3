//! What can go wrong between a caller and its ledger.

use std::{io, sync::Arc};

use convenant_ledger::{
    AppendError, CommitError, EntryError, Mismatch, OpenError, PublishError, ReadError,
    checkpoint::CheckpointSigningError, merkle::ProveError,
};
use thiserror::Error;

/// Why something is not on record. Whatever the reason: do not answer.
#[derive(Clone, Debug, Error)]
pub enum RecordError {
    /// The value cannot be an entry.
    #[error("the value cannot be recorded")]
    Entry(#[source] Arc<EntryError>),
    /// The disk or a quota is exhausted; later entries may be recorded.
    #[error("there is no room to record")]
    DiskFull(#[source] Arc<io::Error>),
    /// The disk refused the write; later entries may be recorded.
    #[error("the ledger could not be written")]
    Write(#[source] Arc<io::Error>),
    /// It is not known whether the entry is on disk; the ledger takes no more until a restart.
    #[error("it is not known whether the entry is on disk")]
    InDoubt(#[source] Arc<io::Error>),
    /// An earlier write ended in doubt; the ledger takes no more until a restart.
    #[error("the ledger takes no entries until it is opened anew, an earlier write ended in doubt")]
    Poisoned,
    /// Tiles cannot be published, so no more entries are taken.
    #[error("the ledger takes no entries until its tiles can be published")]
    Unpublished,
    /// The queue of entries that nobody waits for is full.
    #[error("the ledger's queue is full")]
    Busy,
    /// The ledger was closed.
    #[error("the ledger is closed")]
    Closed,
    /// The ledger answered with the position of another entry.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
}

impl From<CommitError> for RecordError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Append(AppendError::Full(error)) => Self::DiskFull(Arc::new(error)),
            CommitError::Append(AppendError::Refused(error)) => Self::Write(Arc::new(error)),
            CommitError::Append(AppendError::Unknown(error)) => Self::InDoubt(Arc::new(error)),
            CommitError::Poisoned => Self::Poisoned,
            CommitError::Unpublished { .. } => Self::Unpublished,
        }
    }
}

impl From<EntryError> for RecordError {
    fn from(error: EntryError) -> Self {
        Self::Entry(Arc::new(error))
    }
}

/// Why a question to a ledger has no answer.
#[derive(Debug, Error)]
pub enum AskError {
    /// The ledger was closed.
    #[error("the ledger is closed")]
    Closed,
    /// Tiles or checkpoint could not be published.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The key could not sign.
    #[error(transparent)]
    Signing(#[from] CheckpointSigningError),
    /// An entry could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A proof could not be made.
    #[error(transparent)]
    Prove(#[from] ProveError<ReadError>),
}

/// Why a ledger does not open.
#[derive(Debug, Error)]
pub enum LedgerOpenError {
    /// Another process holds it.
    #[error("ledger `{folder}` is in use by another process")]
    InUse {
        /// Its folder.
        folder: String,
    },
    /// Its folder cannot be made or locked, or its thread not be started.
    #[error("ledger `{folder}` could not be opened")]
    Folder {
        /// Its folder.
        folder: String,
        /// What went wrong.
        source: io::Error,
    },
    /// What is in it does not hold.
    #[error("ledger `{folder}` is not accepted")]
    Ledger {
        /// Its folder.
        folder: String,
        /// What does not hold.
        source: OpenError,
    },
}
