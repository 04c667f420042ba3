//! Why a coordinator does not start or go on.

use std::{io, path::PathBuf};

use convenant_ledger::note::NoteError;
use convenant_model::Oin;
use convenant_setup::KeyFileError;
use convenant_store::BooksError;
use convenant_transport::{ServeError, TlsError};
use thiserror::Error;

use crate::registrar::{RegistrarError, SubmitError};

/// Why a coordinator does not start or go on.
#[derive(Debug, Error)]
pub enum CoordinatorError {
    /// A key file is not as it should be.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// A key cannot sign checkpoints.
    #[error("a key cannot sign checkpoints")]
    Note(#[from] NoteError),
    /// The configured public key is not that of the register's private key.
    #[error("`register.key` is not the public half of `keys.register`")]
    RegisterKey,
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
    /// The register does not open.
    #[error("the register does not open")]
    Register(#[from] RegistrarError),
    /// A founding document is not admitted.
    #[error("founding document `{}`", path.display())]
    Founding {
        /// The document.
        path: PathBuf,
        /// Why not.
        source: Box<SubmitError>,
    },
    /// A founding document cannot be read.
    #[error("founding document `{}` cannot be read", path.display())]
    FoundingFile {
        /// The document.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The ledger does not open.
    #[error(transparent)]
    Books(#[from] BooksError),
    /// The address cannot be listened on.
    #[error("cannot listen on `{address}`")]
    Listen {
        /// The address.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// Ledger or register must be opened anew.
    #[error("a write to ledger or register ended in doubt: only a new start tells what is on disk")]
    InDoubt,
    /// Serving broke off.
    #[error(transparent)]
    Serve(#[from] ServeError),
}
