//! Signed documents by their hash, beside the register's ledger.

use std::{io, path::PathBuf};

use convenant_ledger::{DocumentEntry, EntryError};
use convenant_model::Digest;
use thiserror::Error;

use crate::atomic::{self, Durability};

/// A folder of documents, each under the SHA-256 of its bytes.
#[derive(Clone, Debug)]
pub struct DocumentStore {
    folder: PathBuf,
}

/// Why a document cannot be kept or had.
#[derive(Debug, Error)]
pub enum DocumentError {
    /// It is too large.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// It could not be written or read.
    #[error("document `{digest}` could not be written or read")]
    Io {
        /// Its hash.
        digest: Digest,
        /// What went wrong.
        source: io::Error,
    },
    /// There is none with that hash.
    #[error("there is no document `{0}`")]
    Missing(Digest),
    /// The file holds other bytes.
    #[error("the file of document `{expected}` holds other bytes, with hash `{found}`")]
    Altered {
        /// The hash that the file is named after.
        expected: Digest,
        /// The hash of its bytes.
        found: Digest,
    },
}

impl DocumentStore {
    /// Documents in a folder, which is made when the first is put there.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Keeps a document; returns once it is on disk, so that its entry may follow. Blocks.
    ///
    /// # Errors
    /// When it is too large or cannot be written.
    pub fn put(&self, document: &[u8]) -> Result<Digest, DocumentError> {
        let digest = hash(document)?;
        let fault = |source| DocumentError::Io { digest, source };
        // Written again even where it is there already: an earlier attempt may not have reached the
        // disk. A crash before the entry is written leaves a document that no entry names.
        atomic::replace(&self.path(&digest), document, Durability::ContentAndName)
            .and_then(|()| atomic::sync_folder(&self.folder))
            .map_err(fault)?;
        Ok(digest)
    }

    /// The document with this hash. Blocks.
    ///
    /// # Errors
    /// When there is none, or its file holds other bytes or cannot be read.
    pub fn get(&self, digest: &Digest) -> Result<Vec<u8>, DocumentError> {
        let digest = *digest;
        let fault = |source| DocumentError::Io { digest, source };
        let read = atomic::read(&self.path(&digest)).map_err(fault)?;
        let document = read.ok_or(DocumentError::Missing(digest))?;
        let found = hash(&document)?;
        if found != digest {
            return Err(DocumentError::Altered { expected: digest, found });
        }
        Ok(document)
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        let name = digest.to_string();
        let (folder, _) = name.split_at_checked(2).unwrap_or_default();
        self.folder.join(folder).join(&name)
    }
}

fn hash(document: &[u8]) -> Result<Digest, EntryError> {
    DocumentEntry::describe(document, "").map(|entry| entry.document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_had_by_its_hash_only_while_it_is_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let store = DocumentStore::new(folder.path().join("documents"));
        let digest = store.put(b"one").unwrap();
        assert_eq!(store.put(b"one").unwrap(), digest);
        assert_eq!(store.get(&digest).unwrap(), b"one");
        std::fs::write(store.path(&digest), b"two").unwrap();
        assert!(matches!(store.get(&digest), Err(DocumentError::Altered { .. })));
        std::fs::remove_file(store.path(&digest)).unwrap();
        assert!(matches!(store.get(&digest), Err(DocumentError::Missing(_))));
        assert!(store.put(&vec![0; convenant_ledger::MAX_DOCUMENT + 1]).is_err());
    }
}
