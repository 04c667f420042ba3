//! A register on disk: `documents/00000000.jws`, `documents/00000001.jws`, … in the order of the
//! register, and `checkpoint`, a signed note over them.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use convenant_ledger::{
    MAX_DOCUMENT,
    register::{Register, RegisterError},
};
use convenant_model::register::RootOfTrust;
use thiserror::Error;

/// Why a register on disk cannot be used.
#[derive(Debug, Error)]
pub enum FolderError {
    /// The file system failed.
    #[error("`{}` cannot be read or written", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A document does not verify, or the documents before it do not admit it.
    #[error("`{}` does not belong in this register", path.display())]
    Document {
        /// The document's file.
        path: PathBuf,
        /// Why not.
        source: Box<RegisterError>,
    },
}

/// The file of a document.
#[must_use]
pub fn document_path(dir: &Path, index: u64) -> PathBuf {
    dir.join("documents").join(format!("{index:08}.jws"))
}

/// The file of the checkpoint.
#[must_use]
pub fn checkpoint_path(dir: &Path) -> PathBuf {
    dir.join("checkpoint")
}

/// Reads and verifies every document, from the first on without a gap.
///
/// # Errors
/// When a file cannot be read, or a document does not verify.
pub fn read(dir: &Path, root: RootOfTrust) -> Result<Register, FolderError> {
    let mut register = Register::new(root);
    loop {
        let path = document_path(dir, register.position().size);
        match bounded_read(&path) {
            Ok(bytes) => register
                .append(&bytes)
                .map(drop)
                .map_err(|source| FolderError::Document { path, source: Box::new(source) })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(register),
            Err(source) => return Err(FolderError::Io { path, source }),
        }
    }
}

/// Reads the bytes of one document.
///
/// # Errors
/// When the file cannot be read.
pub fn document(dir: &Path, index: u64) -> Result<Vec<u8>, FolderError> {
    let path = document_path(dir, index);
    bounded_read(&path).map_err(|source| FolderError::Io { path, source })
}

/// Writes a document so that it is on disk when this returns: content first, then its name.
///
/// # Errors
/// When the file system fails; the document is then not there, or there in full.
pub fn save_document(dir: &Path, index: u64, bytes: &[u8]) -> Result<(), FolderError> {
    replace(&document_path(dir, index), bytes)
}

/// Removes a document that was written but never entered the register.
///
/// # Errors
/// When the file system fails.
pub fn discard_document(dir: &Path, index: u64) -> Result<(), FolderError> {
    let path = document_path(dir, index);
    fs::remove_file(&path).map_err(|source| FolderError::Io { path, source })
}

/// Writes the checkpoint so that it is on disk when this returns.
///
/// # Errors
/// When the file system fails; the former checkpoint is then still there.
pub fn save_checkpoint(dir: &Path, note: &[u8]) -> Result<(), FolderError> {
    replace(&checkpoint_path(dir), note)
}

/// Reads the checkpoint, if there is one.
///
/// # Errors
/// When the file cannot be read.
pub fn checkpoint(dir: &Path) -> Result<Option<Vec<u8>>, FolderError> {
    let path = checkpoint_path(dir);
    match bounded_read(&path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(FolderError::Io { path, source }),
    }
}

fn bounded_read(path: &Path) -> io::Result<Vec<u8>> {
    if fs::metadata(path)?.len() > MAX_DOCUMENT as u64 {
        return Err(io::Error::other(format!("more than {MAX_DOCUMENT} bytes")));
    }
    fs::read(path)
}

/// A crash leaves the old file or the new one under the name, and at worst a `.part` beside it that
/// the next write replaces.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), FolderError> {
    let part = path.with_extension("part");
    let folder = path.parent().unwrap_or(Path::new("."));
    let write = || -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut file = File::create(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&part, path)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(|source| FolderError::Io { path: path.to_owned(), source })
}
