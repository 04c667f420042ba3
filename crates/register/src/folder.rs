//! A register on disk: `documents/00000000.jws`, `documents/00000001.jws`, … in the order of the
//! register, and `checkpoint`, a signed note over them. A follower keeps documents that no signed root
//! covers yet in `incoming/`, under the same names.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    ops::Range,
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

fn incoming_path(dir: &Path, index: u64) -> PathBuf {
    dir.join("incoming").join(format!("{index:08}.jws"))
}

/// Reads and verifies every document, from the first on without a gap.
///
/// # Errors
/// When a file cannot be read, or a document does not verify.
pub fn read(dir: &Path, root: RootOfTrust) -> Result<Register, FolderError> {
    read_first(dir, root, u64::MAX)
}

/// Reads and verifies the first `most` documents, or all if there are fewer.
///
/// # Errors
/// When a file cannot be read, or a document does not verify.
pub fn read_first(dir: &Path, root: RootOfTrust, most: u64) -> Result<Register, FolderError> {
    let mut register = Register::new(root);
    while register.position().size < most {
        let path = document_path(dir, register.position().size);
        let Some(bytes) = read_if_there(&path)? else { break };
        register
            .append(&bytes)
            .map_err(|source| FolderError::Document { path, source: Box::new(source) })?;
    }
    Ok(register)
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
    read_if_there(&checkpoint_path(dir))
}

/// Reads a document that came, if it is there.
pub(crate) fn incoming(dir: &Path, index: u64) -> Result<Option<Vec<u8>>, FolderError> {
    read_if_there(&incoming_path(dir, index))
}

/// Keeps a document that came, and does not wait until it is on disk.
pub(crate) fn save_incoming(dir: &Path, index: u64, bytes: &[u8]) -> Result<(), FolderError> {
    let path = incoming_path(dir, index);
    let write = || {
        fs::create_dir_all(folder_of(&path))?;
        fs::write(&path, bytes)
    };
    write().map_err(|source| FolderError::Io { path: path.clone(), source })
}

/// Removes every document that came.
pub(crate) fn discard_incoming(dir: &Path) -> Result<(), FolderError> {
    let path = dir.join("incoming");
    match fs::remove_dir_all(&path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(FolderError::Io { path, source })
        }
        _ => Ok(()),
    }
}

/// Moves documents that came among the others, so that they are on disk there when this returns: content
/// first, then names. Those that were moved before a failure are passed over.
pub(crate) fn promote(dir: &Path, indexes: Range<u64>) -> Result<(), FolderError> {
    if indexes.is_empty() {
        return Ok(());
    }
    let came = indexes.map(|index| (incoming_path(dir, index), document_path(dir, index)));
    let came: Vec<_> = came.filter(|(from, to)| from.exists() || !to.exists()).collect();
    for (from, _) in &came {
        let synced = File::open(from).and_then(|file| file.sync_all());
        synced.map_err(|source| FolderError::Io { path: from.clone(), source })?;
    }
    let documents = dir.join("documents");
    let failed = |source| FolderError::Io { path: documents.clone(), source };
    fs::create_dir_all(&documents).map_err(failed)?;
    // The lowest first, so that a crash leaves no gap.
    came.iter().try_for_each(|(from, to)| fs::rename(from, to)).map_err(failed)?;
    // Also where all were moved before: it may be this that failed.
    File::open(&documents).and_then(|folder| folder.sync_all()).map_err(failed)
}

/// Moves documents from this index on back among those that came. The highest first, so that a crash leaves
/// no gap.
pub(crate) fn take_back(dir: &Path, from: u64) -> Result<(), FolderError> {
    let end = (from..).find(|index| !document_path(dir, *index).exists()).unwrap_or(from);
    for index in (from..end).rev() {
        let (path, back) = (document_path(dir, index), incoming_path(dir, index));
        let moved = fs::create_dir_all(folder_of(&back)).and_then(|()| fs::rename(&path, back));
        moved.map_err(|source| FolderError::Io { path, source })?;
    }
    Ok(())
}

fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, FolderError> {
    match bounded_read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(FolderError::Io { path: path.to_owned(), source }),
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
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
    let folder = folder_of(path);
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
