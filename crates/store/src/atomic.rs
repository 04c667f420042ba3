//! Files that are there whole or not at all.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use thiserror::Error;

/// Whether the bytes must be on disk before the name points to them.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Durability {
    /// They can be made again.
    None,
    /// After a crash the old or the new content is there.
    Content,
    /// The new content is there once this returns.
    ContentAndName,
}

/// Replaces a file by rename, making its folder where needed.
pub(crate) fn replace(path: &Path, bytes: &[u8], durability: Durability) -> io::Result<()> {
    let parent = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let temporary = path.with_added_extension("part");
    let mut file = match File::create(&temporary) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(parent)?;
            File::create(&temporary)?
        }
        other => other?,
    };
    file.write_all(bytes)?;
    // Without this, a crash after the rename could leave an empty file under the final name.
    if durability != Durability::None {
        file.sync_data()?;
    }
    fs::rename(&temporary, path)?;
    if durability == Durability::ContentAndName {
        sync_folder(parent)?;
    }
    Ok(())
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The content of a file; `None` where there is none. An error names the file.
pub(crate) fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unread(path)(error)),
    }
}

/// Of which file or folder an error is.
#[derive(Debug, Error)]
#[error("`{}` cannot be read", path.display())]
struct Unread {
    path: PathBuf,
    source: io::Error,
}

/// The same error, of the same kind, with the file or folder that could not be read.
pub(crate) fn unread(path: &Path) -> impl Fn(io::Error) -> io::Error {
    let path = path.to_owned();
    move |source| io::Error::new(source.kind(), Unread { path: path.clone(), source })
}
