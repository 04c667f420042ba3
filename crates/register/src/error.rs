//! Why a copy of the register cannot be opened or refreshed.

use convenant_clauses::CompileError;
use convenant_ledger::{checkpoint::CheckpointError, register::RegisterError};
use thiserror::Error;
use tonic::Status;

use crate::folder::FolderError;

/// Why a refresh of the copy failed. What is decided with then stays as it was.
#[derive(Debug, Error)]
pub enum FollowError {
    /// The coordinator does not answer, or not to the end.
    #[error("the coordinator does not give its register")]
    Unavailable(#[source] Box<Status>),
    /// The coordinator ended its answer before the last document. What came is kept for the next refresh.
    #[error("of the register's {shown} documents {came} came; the next refresh goes on from there")]
    Unfinished {
        /// Number of documents that came, now or earlier.
        came: u64,
        /// Number of documents in the coordinator's checkpoint.
        shown: u64,
    },
    /// The answer is not what the protocol prescribes.
    #[error("the coordinator's answer is malformed: {0}")]
    Malformed(&'static str),
    /// The checkpoint does not verify.
    #[error("the register's checkpoint does not verify")]
    Checkpoint(#[from] CheckpointError),
    /// A document does not verify or is not admitted.
    #[error("document {index} of the register is not admitted")]
    Document {
        /// Index of the document.
        index: u64,
        /// Why not.
        source: Box<RegisterError>,
    },
    /// The register has fewer documents than before, or its root is not that of its documents.
    #[error("the coordinator's register of {shown} documents contradicts the copy of {held}")]
    Forked {
        /// Number of documents in the coordinator's checkpoint.
        shown: u64,
        /// Number of documents in the copy.
        held: u64,
    },
    /// The covenant's rules do not compile.
    #[error("the covenant's rules do not compile")]
    Rules(#[from] Box<CompileError>),
    /// The copy cannot be kept.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

impl FollowError {
    /// Whether what came cannot be one history with the documents before it.
    pub(crate) const fn contradicts(&self) -> bool {
        matches!(self, Self::Forked { .. } | Self::Document { .. })
    }
}
