//! How far the journal has been delivered, in a file.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::PathBuf,
};

/// The position before which every record's lines are acknowledged.
#[derive(Debug)]
pub(crate) struct Cursor {
    path: PathBuf,
    position: u64,
}

impl Cursor {
    /// Reads it. Where the file is missing or holds something else, everything is delivered again, which the log
    /// sees by the ids.
    pub(crate) fn open(path: PathBuf) -> io::Result<Self> {
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => "0".to_owned(),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => String::new(),
            other => other?,
        };
        let position = text.trim_end().parse().unwrap_or_else(|_| {
            tracing::warn!(path = %path.display(), "no position stands there; everything is delivered again");
            0
        });
        Ok(Self { path, position })
    }

    pub(crate) const fn position(&self) -> u64 {
        self.position
    }

    /// Goes back to the beginning; on disk with the next move.
    pub(crate) const fn restart(&mut self) {
        self.position = 0;
    }

    /// Moves on, after the lines before `position` were acknowledged. A crash before the rename is on disk leaves
    /// the former position: those lines are sent again.
    pub(crate) fn move_to(&mut self, position: u64) -> io::Result<()> {
        let temporary = self.path.with_added_extension("part");
        let mut file = File::create(&temporary)?;
        writeln!(file, "{position}")?;
        // Without this, a crash after the rename could leave an empty file under the final name.
        file.sync_data()?;
        fs::rename(&temporary, &self.path)?;
        self.position = position;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_kept_and_nonsense_is_the_beginning() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("position");
        let mut cursor = Cursor::open(path.clone()).unwrap();
        assert_eq!(cursor.position(), 0);
        cursor.move_to(17).unwrap();
        assert_eq!(Cursor::open(path.clone()).unwrap().position(), 17);
        for nonsense in [&b""[..], b"x", b"-1", b"\xff\n", b"1 7"] {
            fs::write(&path, nonsense).unwrap();
            assert_eq!(Cursor::open(path.clone()).unwrap().position(), 0);
        }
    }
}
