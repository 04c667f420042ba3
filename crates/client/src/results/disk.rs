//! Files that are there whole or not at all, and gone when they are said to be gone.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use convenant_model::Timestamp;

use super::answer::PlainFile;

/// A file under way has this behind its name.
pub(crate) fn part(path: &Path) -> PathBuf {
    path.with_added_extension("part")
}

/// Makes a folder that only its owner reads.
pub(crate) fn folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Opens an empty file that only its owner reads.
pub(crate) fn begin(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// Replaces a file: after a crash the old or the new content is there, once this returns the new.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = part(path);
    let mut file = begin(&part)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    fs::rename(&part, path)?;
    sync_parent(path)
}

/// Removes a file, and returns once its name is gone from the disk. One that is not there is gone.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Ok(()) => sync_parent(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes the names in a file's folder durable.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

/// How a file looks from outside; `None` where there is none.
pub(crate) fn look(path: &Path) -> io::Result<Option<(u64, Timestamp)>> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let since = metadata.modified()?.duration_since(UNIX_EPOCH).map_err(io::Error::other)?;
    let millis = i64::try_from(since.as_millis()).map_err(io::Error::other)?;
    let modified = Timestamp::from_millis(millis).map_err(io::Error::other)?;
    Ok(Some((metadata.len(), modified)))
}

impl PlainFile {
    /// Whether it is where it was written, or under its passing name, as a crash leaves it.
    pub(crate) fn found(&self) -> io::Result<Found> {
        let own = Some((self.bytes, self.modified));
        let (whole, begun) = (look(&self.path)?, look(&part(&self.path))?);
        Ok(match whole {
            _ if whole == own => Found::Here(self.path.clone()),
            None if begun == own => Found::Here(part(&self.path)),
            None => Found::Missing,
            Some(_) => Found::Changed,
        })
    }
}

/// What is where a file was written.
pub(crate) enum Found {
    Here(PathBuf),
    Missing,
    Changed,
}
