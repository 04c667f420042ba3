//! Files that a command writes.

use std::{fs::OpenOptions, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use crate::exit::{Named as _, usage};

/// For its owner alone.
pub(crate) const PRIVATE: u32 = 0o600;
/// For everybody to read.
pub(crate) const PUBLIC: u32 = 0o644;

/// Writes a file that is not there yet, and returns once it is on disk.
pub(crate) fn create(path: &Path, mode: u32, bytes: &[u8]) -> anyhow::Result<()> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    opened
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .named(|| format!("`{}` cannot be written", path.display()))
}

/// An error unless a new file can stand there: found out before anything is done that the file is to tell of.
pub(crate) fn can_be_made(path: &Path) -> anyhow::Result<()> {
    if path.exists() {
        return Err(usage(format!("`{}` exists already", path.display())));
    }
    has_folder(path)
}

/// An error unless the folder of a file is there.
pub(crate) fn has_folder(path: &Path) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder.filter(|folder| !folder.is_dir()) {
        None => Ok(()),
        Some(folder) => {
            let (name, folder) = (path.display(), folder.display());
            Err(usage(format!("`{name}` cannot be written: `{folder}` is no folder")))
        }
    }
}
