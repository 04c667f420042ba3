//! Signed notes beside a ledger: one file for each name.

use std::{fs, io, path::PathBuf};

use convenant_ledger::note::NoteName;

use crate::atomic::{self, Durability};

/// A folder of signed notes, for instance of checkpoints that a witness cosigned.
#[derive(Clone, Debug)]
pub struct Notes {
    dir: PathBuf,
}

impl Notes {
    /// The folder, which need not exist yet.
    #[must_use]
    pub const fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// The note of a name; `None` where there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self, name: &NoteName) -> io::Result<Option<Vec<u8>>> {
        atomic::read(&self.path(name))
    }

    /// Replaces the note of a name. It is on disk when this returns; after a crash the old or the new
    /// one is there.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn replace(&self, name: &NoteName, note: &str) -> io::Result<()> {
        atomic::replace(&self.path(name), note.as_bytes(), Durability::ContentAndName)
    }

    /// Every note in the folder, by its file name in sequence.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn all(&self) -> io::Result<Vec<Vec<u8>>> {
        let listed = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            listed => listed?,
        };
        let mut paths: Vec<_> =
            listed.map(|one| one.map(|one| one.path())).collect::<io::Result<_>>()?;
        paths.retain(|path| path.extension().is_none_or(|end| end != "part"));
        paths.sort();
        paths.iter().map(fs::read).collect()
    }

    /// A name as a file name: `/`, which separates kind and party in the names of our ledgers, becomes
    /// `_`, so that no name leads out of the folder.
    fn path(&self, name: &NoteName) -> PathBuf {
        self.dir.join(name.as_str().replace('/', "_"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_found_by_name_and_stay_in_their_folder() {
        let dir = tempfile::tempdir().unwrap();
        let notes = Notes::new(dir.path().join("notes"));
        assert!(notes.all().unwrap().is_empty());
        let [one, two] = ["../a/b", "c"].map(|name| NoteName::new(name).unwrap());
        assert_eq!(notes.read(&one).unwrap(), None);
        notes.replace(&one, "1").unwrap();
        notes.replace(&two, "2").unwrap();
        notes.replace(&one, "3").unwrap();
        assert_eq!(notes.read(&one).unwrap(), Some(b"3".to_vec()));
        assert_eq!(notes.all().unwrap(), [b"3", b"2"]);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
