//! The register as its keeper holds it: documents in files, a ledger over them, and the state that
//! they add up to.

use std::{path::PathBuf, sync::Arc};

use arc_swap::ArcSwap;
use convenant_clauses::CompileError;
use convenant_ledger::{
    DocumentEntry, EntryError, LedgerSigner, MAX_DOCUMENT,
    register::{Register, RegisterError},
};
use convenant_model::{Clock, register::RootOfTrust};
use convenant_register::{
    Snapshot,
    folder::{self, FolderError},
};
use convenant_store::{AskError, Layout, LedgerHandle, LedgerOpenError, Options, RecordError};
use thiserror::Error;
use tokio::sync::Mutex;

/// The register at its keeper.
#[derive(Debug)]
pub struct Registrar {
    dir: PathBuf,
    ledger: LedgerHandle,
    current: ArcSwap<Snapshot>,
    // One submission at a time: each is judged by the state that the one before it left.
    submitting: Mutex<()>,
}

/// Why the register does not open.
#[derive(Debug, Error)]
pub enum RegistrarError {
    /// Its ledger does not open.
    #[error(transparent)]
    Ledger(#[from] LedgerOpenError),
    /// An entry of its ledger is not one of a register.
    #[error("entry {index} of the register's ledger is malformed")]
    Entry {
        /// Index of the entry.
        index: u64,
        /// What is wrong with it.
        source: EntryError,
    },
    /// A document cannot be read.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A document is not the one that the ledger names.
    #[error("document {0} is not the one that the register's ledger names")]
    Altered(u64),
    /// A document does not verify any more.
    #[error("document {index} of the register is not admitted")]
    Document {
        /// Index of the document.
        index: u64,
        /// Why not.
        source: Box<RegisterError>,
    },
    /// The covenant's rules do not compile.
    #[error("the covenant's rules do not compile")]
    Rules(#[from] Box<CompileError>),
}

/// Why a document was not taken.
#[derive(Debug, Error)]
pub enum SubmitError {
    /// It is too long.
    #[error("a document of {0} bytes, of at most {MAX_DOCUMENT}")]
    TooLong(usize),
    /// It does not verify, or the state does not admit it.
    #[error(transparent)]
    NotAdmitted(#[from] RegisterError),
    /// It is a covenant whose rules do not compile.
    #[error("the covenant's rules do not compile")]
    Rules(#[from] Box<CompileError>),
    /// It cannot be described.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// It cannot be kept.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// It cannot be recorded.
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl Registrar {
    /// Opens the register in `dir`, whose files are laid out so, and verifies every document again. Blocks.
    ///
    /// # Errors
    /// When the ledger or a document does not hold.
    pub fn open(
        (dir, layout): (PathBuf, Layout),
        root: RootOfTrust,
        signer: LedgerSigner,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, RegistrarError> {
        let mut entries = Vec::new();
        let options = Options { folder: dir.clone(), signer: signer.timed(), clock, layout };
        let (ledger, _) = LedgerHandle::open(options, &mut |found| {
            entries.push(DocumentEntry::parse(found.entry));
        })?;
        let mut register = Register::new(root);
        for (index, entry) in (0..).zip(entries) {
            let entry = entry.map_err(|source| RegistrarError::Entry { index, source })?;
            let document = folder::document(&dir, index)?;
            if !entry.describes(&document) {
                return Err(RegistrarError::Altered(index));
            }
            register
                .append(&document)
                .map_err(|source| RegistrarError::Document { index, source: Box::new(source) })?;
        }
        let snapshot = Snapshot::new(register, None, None).map_err(Box::new)?;
        let current = ArcSwap::from_pointee(snapshot);
        Ok(Self { dir, ledger, current, submitting: Mutex::new(()) })
    }

    /// The register now.
    #[must_use]
    pub fn current(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Verifies a document, admits it and puts it on record.
    ///
    /// # Errors
    /// When it is not admitted, or cannot be kept; the register is then as it was.
    pub async fn submit(&self, document: &[u8]) -> Result<u64, SubmitError> {
        if document.len() > MAX_DOCUMENT {
            return Err(SubmitError::TooLong(document.len()));
        }
        let _one = self.submitting.lock().await;
        let before = self.current();
        if self.ledger.size() != before.position().size {
            // An earlier submission ended in doubt: only a new start tells what is on record.
            return Err(SubmitError::Record(RecordError::Poisoned));
        }
        let mut register = before.register().clone();
        let kind = register.append(document)?;
        let after = Snapshot::new(register, Some(&before), None).map_err(Box::new)?;
        let entry = DocumentEntry::describe(document, kind.media_type())?.to_bytes()?;
        let index = before.position().size;
        // A crash from here on leaves a document without an entry. It was not acknowledged, and the
        // next submission takes its place.
        folder::save_document(&self.dir, index, document)?;
        self.ledger.record_entry(entry).await?;
        self.current.store(Arc::new(after));
        Ok(index)
    }

    /// The ledger over its documents.
    pub(crate) const fn ledger(&self) -> &LedgerHandle {
        &self.ledger
    }

    /// A checkpoint of this moment over the whole register.
    ///
    /// # Errors
    /// When the ledger is closed or cannot sign.
    pub async fn checkpoint(&self) -> Result<(u64, String), AskError> {
        let checkpoint = self.ledger.checkpoint().await?;
        Ok((checkpoint.checkpoint().size, checkpoint.to_string()))
    }

    /// The bytes of one document.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn document(&self, index: u64) -> Result<Vec<u8>, FolderError> {
        folder::document(&self.dir, index)
    }

    /// Writes what is queued and closes the ledger.
    pub async fn close(&self) {
        self.ledger.clone().close().await;
    }
}
