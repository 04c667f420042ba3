//! The register as a ledger of signed documents: every document verified and admitted, the Merkle
//! tree over them, and the state that they add up to. Coordinator, followers and auditors build it
//! from the same bytes and get the same roots.
//!
//! A leaf of the tree is a [`DocumentEntry`]: it names a document by its hash, because a document may
//! be larger than a `tlog-tiles` entry (65,535 bytes).

use convenant_model::{
    Digest,
    documents::DocumentKind,
    query::RegisterPosition,
    register::{AdmissionError, Envelope, RegisterState, RootOfTrust},
    shared::SharedMap,
};
use convenant_signing::{Jws, JwsError};
use thiserror::Error;

use crate::{
    document::DocumentEntry,
    entry::EntryError,
    merkle::{Frontier, empty_root},
};

/// A register whose documents were all verified. A copy costs little, however many there are.
#[derive(Clone, Debug)]
pub struct Register {
    state: RegisterState,
    tree: Frontier,
    // The root after each number of documents.
    roots: SharedMap<u64, Digest>,
}

/// Why a document does not enter a register.
#[derive(Debug, Error)]
pub enum RegisterError {
    /// The bytes are no signed document.
    #[error("not a signed document")]
    Jws(#[from] JwsError),
    /// The state before it does not admit it.
    #[error(transparent)]
    Admission(#[from] AdmissionError),
    /// It is too large, or cannot be described.
    #[error(transparent)]
    Entry(#[from] EntryError),
}

impl Register {
    /// An empty register.
    #[must_use]
    pub fn new(root: RootOfTrust) -> Self {
        let (state, mut roots) = (RegisterState::new(root), SharedMap::default());
        roots.add(0, empty_root());
        Self { state, tree: Frontier::default(), roots }
    }

    /// Verifies the next document, admits it and adds it to the tree; or leaves all as it was.
    ///
    /// # Errors
    /// When the bytes are no signed document, or the state before it does not admit it.
    pub fn append(&mut self, document: &[u8]) -> Result<DocumentKind, RegisterError> {
        let jws = Jws::parse(document)?;
        let leaf = *DocumentEntry::describe(document, Envelope::typ(&jws))?.to_bytes()?.leaf();
        let kind = self.state.admit(&jws)?;
        self.tree.append(leaf);
        self.roots.add(self.tree.size(), self.tree.root());
        Ok(kind)
    }

    /// The state that the documents add up to.
    #[must_use]
    pub const fn state(&self) -> &RegisterState {
        &self.state
    }

    /// Number of documents and the root over them.
    #[must_use]
    pub fn position(&self) -> RegisterPosition {
        RegisterPosition { size: self.state.documents(), root: self.tree.root() }
    }

    /// Whether a position is this register's, now or when it was smaller.
    #[must_use]
    pub fn held(&self, position: &RegisterPosition) -> bool {
        self.roots.get(&position.size) == Some(&position.root)
    }
}
