//! Why a node does not start or go on.

use std::io;

use convenant_ldv::LdvError;
use convenant_ledger::note::NoteError;
use convenant_model::{DatasetId, Oin};
use convenant_register::FollowError;
use convenant_setup::KeyFileError;
use convenant_source::{BindingError, SourceError};
use convenant_store::BooksError;
use convenant_subjects::JournalError;
use convenant_transport::{AddressError, ServeError, TlsError};
use thiserror::Error;

/// Why a node does not start or go on.
#[derive(Debug, Error)]
pub enum NodeError {
    /// A key file is not as it should be.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The ledger key cannot sign checkpoints.
    #[error("the ledger key cannot sign checkpoints")]
    Note(#[from] NoteError),
    /// TLS is not set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The certificate is another party's.
    #[error("the certificate is for OIN `{found}`, the configuration says `{configured}`")]
    Certificate {
        /// The OIN in the certificate.
        found: Oin,
        /// The OIN in the configuration.
        configured: Oin,
    },
    /// The coordinator's address is wrong.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The copy of the register does not open.
    #[error("the copy of the register does not open")]
    Register(#[from] FollowError),
    /// The ledger does not open.
    #[error(transparent)]
    Books(#[from] BooksError),
    /// The account of whom answers are about does not open.
    #[error(transparent)]
    Subjects(#[from] JournalError),
    /// The log of processing is not set up.
    #[error(transparent)]
    Ldv(#[from] LdvError),
    /// A log of processing tells of people by what `[subjects]` keeps.
    #[error("section `ldv` needs section `subjects`")]
    LdvOfNobody,
    /// The covenant has no such dataset, or not yet.
    #[error("the covenant has no dataset `{0}`")]
    NoDataset(DatasetId),
    /// A dataset is configured twice.
    #[error("dataset `{0}` is configured twice")]
    Twice(DatasetId),
    /// The register holds no covenant yet.
    #[error("the register holds no covenant yet")]
    NoCovenant,
    /// Fields and columns do not go together.
    #[error(transparent)]
    Binding(#[from] BindingError),
    /// A source is not what the covenant needs.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The address cannot be listened on.
    #[error("cannot listen on `{address}`")]
    Listen {
        /// The address.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// The ledger or the journal of subjects must be opened anew.
    #[error(
        "a write of what goes on record ended in doubt: only a new start tells what is on disk"
    )]
    InDoubt,
    /// Serving broke off.
    #[error(transparent)]
    Serve(#[from] ServeError),
}
