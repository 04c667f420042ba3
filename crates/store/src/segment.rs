//! One segment file, open for appending.

use std::{
    fs::{File, OpenOptions},
    io,
    num::NonZero,
    os::unix::fs::FileExt as _,
    path::Path,
};

use convenant_ledger::AppendError;

/// Sizes of segment files.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Bytes after which a new segment is begun.
    pub segment_bytes: u64,
    /// Bytes of zeros that are written ahead, so that most durable writes change no file size.
    pub ahead_bytes: u64,
}

impl Layout {
    /// The usual layout, with segments of so many KiB where that is said.
    #[must_use]
    pub fn with_segments_of(kib: Option<NonZero<u32>>) -> Self {
        let usual = Self::default();
        let segment_bytes = kib.map_or(usual.segment_bytes, |kib| u64::from(kib.get()) << 10);
        Self { segment_bytes, ..usual }
    }
}

impl Default for Layout {
    fn default() -> Self {
        Self { segment_bytes: 64 * 1024 * 1024, ahead_bytes: 1024 * 1024 }
    }
}

/// A segment file. Bytes from `length` to `allocated` are zero.
#[derive(Debug)]
pub(crate) struct Segment {
    file: File,
    length: u64,
    allocated: u64,
}

impl Segment {
    /// Opens or makes a segment of which the first `length` bytes are whole, and ends it there.
    pub(crate) fn open(path: &Path, length: u64) -> io::Result<Self> {
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        file.set_len(length)?;
        Ok(Self { file, length, allocated: length })
    }

    pub(crate) const fn length(&self) -> u64 {
        self.length
    }

    /// Appends bytes and returns once they are durable.
    pub(crate) fn append(&mut self, bytes: &[u8], ahead: u64) -> Result<(), AppendError> {
        let written = self.reserve(bytes.len() as u64, ahead).and_then(|()| {
            // A crash from here until the sync leaves any part of the bytes; the frames tell which
            // are whole.
            self.file.write_all_at(bytes, self.length)
        });
        if let Err(error) = written {
            return Err(self.roll_back(error));
        }
        // A failed sync is never tried again: Linux marks the pages clean all the same, so that a
        // second sync would succeed for data that is lost.
        self.file.sync_data().map_err(AppendError::Unknown)?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Ends the segment for good, durably.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.file.set_len(self.length)?;
        self.allocated = self.length;
        self.file.sync_all()
    }

    /// Writes everything from `offset` again and makes it durable, because an earlier process may have
    /// failed to: what it wrote may be in memory only, and marked as written.
    pub(crate) fn rewrite(&self, offset: u64) -> io::Result<()> {
        let mut chunk = vec![0; 1024 * 1024];
        let mut at = offset;
        while at < self.length {
            let wanted = usize::try_from(self.length - at).unwrap_or(usize::MAX).min(chunk.len());
            let Some(part) = chunk.get_mut(..wanted) else { break };
            self.file.read_exact_at(part, at)?;
            self.file.write_all_at(part, at)?;
            at += wanted as u64;
        }
        self.file.sync_all()
    }

    /// Writes zeros ahead. Zeros rather than `fallocate`, because blocks that were never written cost
    /// the file system a journal entry at each sync.
    fn reserve(&mut self, bytes: u64, ahead: u64) -> io::Result<()> {
        let needed = self.length + bytes;
        if needed <= self.allocated {
            return Ok(());
        }
        let zeros = vec![0; usize::try_from(needed + ahead - self.allocated).unwrap_or(usize::MAX)];
        self.file.write_all_at(&zeros, self.allocated)?;
        self.allocated += zeros.len() as u64;
        Ok(())
    }

    /// Nothing was synced, so nothing was answered: cutting the file restores what was.
    fn roll_back(&mut self, error: io::Error) -> AppendError {
        if let Err(second) = self.file.set_len(self.length) {
            return AppendError::Unknown(second);
        }
        self.allocated = self.length;
        append_error(error)
    }
}

/// Sorts an error before the sync by whether room was lacking.
pub(crate) fn append_error(error: io::Error) -> AppendError {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    match error.kind() {
        StorageFull | QuotaExceeded | FileTooLarge => AppendError::Full(error),
        _ => AppendError::Refused(error),
    }
}
