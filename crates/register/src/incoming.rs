//! Documents that came and that no signed root covers yet. Each was verified and admitted, and is kept in
//! `incoming/`, so that catching up goes on where it broke off; nothing is decided with them.

use std::path::{Path, PathBuf};

use convenant_ledger::{MAX_DOCUMENT, register::Register};

use crate::{
    error::FollowError,
    folder::{self, FolderError},
};

/// The documents of the copy and, after them, those that came.
#[derive(Debug)]
pub(crate) struct Incoming {
    dir: PathBuf,
    register: Register,
    agreed: u64,
    bytes: u64,
}

impl Incoming {
    /// What an earlier run left of documents after the agreed ones, up to the first that a crash tore.
    pub(crate) fn open(dir: &Path, agreed: &Register) -> Result<Self, FolderError> {
        let mut incoming = Self::none(dir, agreed);
        folder::take_back(dir, incoming.agreed)?;
        // One that cannot be read is worth nothing, and comes again.
        while let Ok(Some(document)) = folder::incoming(dir, incoming.size()) {
            if incoming.register.append(&document).is_err() {
                break;
            }
            incoming.bytes += document.len() as u64;
        }
        Ok(incoming)
    }

    fn none(dir: &Path, agreed: &Register) -> Self {
        let (dir, register) = (dir.to_owned(), agreed.clone());
        Self { dir, agreed: register.position().size, register, bytes: 0 }
    }

    /// Number of documents, the agreed ones included.
    pub(crate) fn size(&self) -> u64 {
        self.register.position().size
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.size() == self.agreed
    }

    /// Bytes of the documents that came.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) const fn register(&self) -> &Register {
        &self.register
    }

    /// Verifies and admits the next document.
    pub(crate) fn add(&mut self, document: &[u8]) -> Result<(), FollowError> {
        let index = self.size();
        if document.len() > MAX_DOCUMENT {
            return Err(FollowError::Malformed("a document is longer than any may be"));
        }
        // Without waiting for the disk: what a crash takes comes again. Before it is admitted, so that all
        // that was admitted has a file.
        folder::save_incoming(&self.dir, index, document)?;
        let admitted = self.register.append(document);
        admitted.map_err(|source| FollowError::Document { index, source: Box::new(source) })?;
        self.bytes += document.len() as u64;
        Ok(())
    }

    /// Makes what came part of the copy: the signed root of `note` covers it. After an error it can be done
    /// again.
    pub(crate) fn promote(&mut self, note: &[u8]) -> Result<(), FolderError> {
        // A crash until the checkpoint is there leaves documents beyond the former one: `open` takes them back.
        folder::promote(&self.dir, self.agreed..self.size())?;
        // The checkpoint last: with fewer documents than it states, a copy would not open.
        folder::save_checkpoint(&self.dir, note)?;
        (self.agreed, self.bytes) = (self.size(), 0);
        Ok(())
    }

    /// Forgets what came. Files that cannot be removed are those that the next start finds, and no harm.
    pub(crate) fn discard(&mut self, agreed: &Register) -> Result<(), FolderError> {
        let dir = std::mem::take(&mut self.dir);
        *self = Self::none(&dir, agreed);
        folder::take_back(&self.dir, self.agreed)?;
        folder::discard_incoming(&self.dir)
    }
}
