//! What can go wrong with the answers that are kept.

use std::{io, path::PathBuf};

use convenant_model::{Date, QueryId};
use convenant_setup::KeyFileError;
use convenant_signing::CanonicalError;
use convenant_store::EntriesError;
use thiserror::Error;

use super::sealed::SealedFault;
use crate::output::OutputError;

/// Why results cannot be listed, opened or changed.
#[derive(Debug, Error)]
pub enum ResultsError {
    /// The file system failed.
    #[error("`{}` cannot be read or written", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another command changes the results.
    #[error("another command is at work in `{}`", .0.display())]
    Locked(PathBuf),
    /// An account is not as it was written.
    #[error("`{}` is not as it was written", path.display())]
    Account {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<CanonicalError>,
    },
    /// An account stands under another's name.
    #[error("`{}` is the account of another answer", .0.display())]
    Misnamed(PathBuf),
    /// An account says something else than the receipt.
    #[error("`{}` disagrees with the receipt of the same answer", .0.display())]
    Disagrees(PathBuf),
    /// The ledger of receipts cannot be read.
    #[error("the receipts cannot be read")]
    Receipts(#[source] Box<EntriesError>),
    /// No key for it is configured.
    #[error(
        "the configuration names no key under which answers are kept: make one with `convenant keys new \
         --kind sealing` and name it as `sealing` under `[keys]`"
    )]
    NoKey,
    /// The key file is not as it should be.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// Its day has passed.
    #[error(
        "the answer to `{query}` was to be destroyed by {deadline}, and may only be destroyed (clause L6)"
    )]
    Overdue {
        /// The query.
        query: QueryId,
        /// The last day.
        deadline: Date,
    },
    /// There is nothing sealed to open.
    #[error("the answer to `{query}` is not kept sealed: {why}")]
    NotSealed {
        /// The query.
        query: QueryId,
        /// What became of it.
        why: String,
    },
    /// The sealed file is not as it was sealed.
    #[error("`{}` does not hold what was sealed", path.display())]
    Sealed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: SealedFault,
    },
    /// The opened rows cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
}
