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
    /// When the folder or a file in it cannot be read: which, it says.
    pub fn all(&self) -> io::Result<Vec<Vec<u8>>> {
        Ok(self.listed()?.into_iter().map(|(_, note)| note).collect())
    }

    /// The same, each with its file.
    ///
    /// # Errors
    /// When the folder or a file in it cannot be read: which, it says.
    pub fn listed(&self) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
        let unread = atomic::unread(&self.dir);
        let listed = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            listed => listed.map_err(&unread)?,
        };
        let mut paths: Vec<_> = listed
            .map(|one| one.map(|one| one.path()))
            .collect::<io::Result<_>>()
            .map_err(unread)?;
        paths.retain(|path| path.extension().is_none_or(|end| end != "part"));
        paths.sort();
        let read = |path: PathBuf| match fs::read(&path) {
            Ok(note) => Ok((path, note)),
            Err(error) => Err(atomic::unread(&path)(error)),
        };
        paths.into_iter().map(read).collect()
    }

    /// The file of a name's note. In it `/`, which separates kind and party in the names of our ledgers, becomes
    /// `_`, so that no name leads out of the folder.
    #[must_use]
    pub fn path(&self, name: &NoteName) -> PathBuf {
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
