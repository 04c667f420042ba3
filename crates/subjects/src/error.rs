//! What can go wrong with a journal. No error tells anything of a person.

use std::{io, path::PathBuf, sync::Arc};

use convenant_ledger::{AppendError, Place};
use convenant_signing::{CanonicalError, SealError};
use convenant_store::EntriesError;
use thiserror::Error;

/// Why a journal does not open, or a record is not in it. Whatever the reason: do not answer.
#[derive(Clone, Debug, Error)]
pub enum JournalError {
    /// Another process writes it.
    #[error("the journal of subjects in `{}` is in use by another process", .0.display())]
    InUse(PathBuf),
    /// The folder cannot be read or written.
    #[error("the journal of subjects in `{}` cannot be opened", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: Arc<io::Error>,
    },
    /// A record that was on disk is damaged.
    #[error("the journal of subjects in `{}` is damaged at {place}", folder.display())]
    Damaged {
        /// The folder.
        folder: PathBuf,
        /// Where.
        place: Place,
    },
    /// A record cannot be made of this, or would be too long.
    #[error("no record can be made of some subjects")]
    Record,
    /// The values cannot be sealed.
    #[error("the subjects of a record cannot be sealed")]
    Seal(#[from] SealError),
    /// The records could not be written.
    #[error("the journal of subjects could not be written")]
    Append(#[source] Arc<AppendError>),
    /// An earlier write ended in doubt.
    #[error(
        "the journal of subjects takes no records until it is opened anew, an earlier write ended in doubt"
    )]
    InDoubt,
    /// It was closed.
    #[error("the journal of subjects is closed")]
    Closed,
}

/// Why a record cannot be read back.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The journal cannot be read, or is damaged.
    #[error("the journal of subjects cannot be read")]
    Journal(#[from] EntriesError),
    /// What stands there is no record.
    #[error("record {index} of the journal of subjects is none")]
    Record {
        /// Its index.
        index: u64,
        /// Why not.
        source: RecordFault,
    },
}

/// Why some bytes are no record.
#[derive(Debug, Error)]
pub enum RecordFault {
    /// Shorter than it says.
    #[error("it is shorter than it says")]
    Short,
    /// Its plain part is not as it should be.
    #[error(transparent)]
    Told(#[from] CanonicalError),
}
