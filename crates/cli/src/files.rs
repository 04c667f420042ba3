//! Files that a command writes.

use std::{fs::OpenOptions, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use crate::exit::Named as _;

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
