//! Files and folders that only their owner can read.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

use crate::error::{DemoError, Result};

/// Makes a folder, and those above it, with mode 0700.
pub(crate) fn folder(path: &Path) -> Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(io_error("make the folder", path))
}

/// Makes a folder, or takes one that is there and empty.
pub(crate) fn empty_folder(path: &Path) -> Result<()> {
    folder(path)?;
    let mut inside = fs::read_dir(path).map_err(io_error("read the folder", path))?;
    match inside.next() {
        None => Ok(()),
        Some(_) => Err(DemoError::NotEmpty(path.to_owned())),
    }
}

/// Makes a new file with mode 0600, open for writing.
pub(crate) fn new_file(path: &Path) -> Result<File> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    opened.map_err(io_error("make the file", path))
}

/// Writes a new file with mode 0600.
pub(crate) fn write(path: &Path, bytes: impl AsRef<[u8]>) -> Result<()> {
    let written = new_file(path)?.write_all(bytes.as_ref());
    written.map_err(io_error("write", path))
}

/// Replaces a file as a whole, so that a daemon that reloads it never sees half of it.
pub(crate) fn replace(path: &Path, bytes: impl AsRef<[u8]>) -> Result<()> {
    let beside = path.with_extension("new");
    write(&beside, bytes)?;
    fs::rename(&beside, path).map_err(io_error("replace", path))
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DemoError {
    let path = path.to_owned();
    move |source| DemoError::Io { action, path, source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn only_the_owner_can_read_and_nothing_is_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let sub = dir.path().join("a/b");
        folder(&sub).unwrap();
        assert_eq!(mode(&sub), 0o700);
        write(&sub.join("key"), "secret").unwrap();
        assert_eq!(mode(&sub.join("key")), 0o600);
        assert!(write(&sub.join("key"), "other").is_err());
        replace(&sub.join("key"), "other").unwrap();
        assert_eq!(fs::read(sub.join("key")).unwrap(), b"other");
        assert_eq!(mode(&sub.join("key")), 0o600);
        assert!(matches!(empty_folder(&sub), Err(DemoError::NotEmpty(_))));
    }
}
