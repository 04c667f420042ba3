//! A ledger's folder, for writing.

use std::{
    fs::{self, File},
    io,
    path::PathBuf,
};

use convenant_ledger::{AppendError, Found, Place, ReadStore, Store, Tail};

use crate::{
    atomic::{self, Durability},
    file_ledger::FileLedger,
    segment::{Layout, Segment, append_error},
};

/// A ledger's folder, held by one process at a time.
#[derive(Debug)]
pub struct FileStore {
    ledger: FileLedger,
    layout: Layout,
    segment: Option<Segment>,
    /// Held locked for as long as the store lives.
    _lock: File,
}

impl FileStore {
    /// Opens or makes the folder of a ledger and locks it.
    ///
    /// # Errors
    /// When another process holds the ledger ([`io::ErrorKind::WouldBlock`]), or the folder cannot be
    /// made.
    pub fn open(folder: impl Into<PathBuf>, layout: Layout) -> io::Result<Self> {
        let ledger = FileLedger::at(folder.into());
        fs::create_dir_all(ledger.segments_folder())?;
        let lock = File::create(ledger.path("lock"))?;
        lock.try_lock()?;
        Ok(Self { ledger, layout, segment: None, _lock: lock })
    }

    /// The segment to append to; begins a new one where the current one is full.
    fn segment_for(&mut self, first: u64, bytes: u64) -> Result<&mut Segment, AppendError> {
        let begin = match &mut self.segment {
            Some(segment) if segment.length() == 0 => false,
            Some(segment) if segment.length() + bytes <= self.layout.segment_bytes => false,
            Some(segment) => {
                // A crash after this leaves a complete last segment.
                segment.finish().map_err(AppendError::Unknown)?;
                true
            }
            None => true,
        };
        if begin {
            // A crash after this leaves an empty last segment.
            let segment =
                Segment::open(&self.ledger.segment_path(first), 0).map_err(append_error)?;
            atomic::sync_folder(&self.ledger.segments_folder()).map_err(append_error)?;
            return Ok(self.segment.insert(segment));
        }
        self.segment.as_mut().ok_or_else(|| AppendError::Refused(io::ErrorKind::NotFound.into()))
    }
}

impl ReadStore for FileStore {
    fn replay(&self, visit: &mut dyn FnMut(Found<'_>)) -> io::Result<Tail> {
        self.ledger.replay(visit)
    }

    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        self.ledger.read(path)
    }
}

impl Store for FileStore {
    fn append(&mut self, first: u64, frames: &[u8]) -> Result<(), AppendError> {
        let ahead = self.layout.ahead_bytes;
        self.segment_for(first, frames.len() as u64)?.append(frames, ahead)
    }

    fn settle(&mut self, tail: &Tail, doubtful: Option<&Place>) -> io::Result<()> {
        let segment = Segment::open(&self.ledger.path(&tail.end.segment), tail.end.offset)?;
        // Earlier segments were complete and durable before this one was begun.
        let from = match doubtful {
            Some(place) if place.segment == tail.end.segment => place.offset,
            Some(_) => 0,
            None => tail.end.offset,
        };
        segment.rewrite(from)?;
        atomic::sync_folder(&self.ledger.segments_folder())?;
        self.segment = Some(segment);
        Ok(())
    }

    fn publish_tile(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        atomic::replace(&self.ledger.path(path), bytes, Durability::None)
    }

    fn publish_checkpoint(&self, text: &str) -> io::Result<()> {
        atomic::replace(&self.ledger.path("checkpoint"), text.as_bytes(), Durability::Content)
    }

    fn remove_tile(&self, path: &str) -> io::Result<()> {
        let path = self.ledger.path(path);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // The folder of partial tiles goes with its last one; until then it is not empty.
        path.parent().map_or(Ok(()), fs::remove_dir).or(Ok(()))
    }
}
