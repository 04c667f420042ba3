//! The journal: records in segment files, framed as a ledger's entries are, in the order in which they were
//! written. It is no tree and nobody signs it, because no other party may see it.

use std::{
    fs::DirBuilder,
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
};

use convenant_ledger::{MAX_ENTRY, Place, ReadStore as _, Store as _, Tail};
use convenant_store::{EntriesError, FileLedger, FileStore, Layout};
use tokio::sync::{oneshot, watch};

use crate::{
    SubjectRecord,
    error::{JournalError, ReadError},
    rekey::{mend, tidy},
    writer::{Command, Shared, Writer},
};

/// Smaller than a ledger's, because who reads from a position reads its segment from the beginning.
pub(crate) const LAYOUT: Layout =
    Layout { segment_bytes: 8 * 1024 * 1024, ahead_bytes: 256 * 1024 };

/// A journal, open for writing by this process alone. Clones share it.
#[derive(Clone, Debug)]
pub struct Journal {
    folder: PathBuf,
    commands: mpsc::Sender<Command>,
    shared: Arc<Shared>,
}

impl Journal {
    /// Opens or makes the journal in a folder; gives it with the number of bytes of an incomplete last record
    /// that were cut off. Reads all of it, so blocks.
    ///
    /// # Errors
    /// When it is in use, cannot be read or written, or a record that was on disk is damaged.
    pub fn open(folder: &Path) -> Result<(Self, u64), JournalError> {
        let (store, tail) = open_store(folder)?;
        let shared = Shared {
            size: watch::Sender::new(tail.end.index),
            in_doubt: watch::Sender::new(false),
        };
        let (shared, (commands, receiver)) = (Arc::new(shared), mpsc::channel());
        let writer = Writer { store, commands: receiver, shared: Arc::clone(&shared) };
        std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || writer.run())
            .map_err(|error| fault(folder, error))?;
        Ok((Self { folder: folder.to_owned(), commands, shared }, tail.torn_bytes))
    }

    /// Appends records; returns once they are on disk.
    ///
    /// # Errors
    /// When they are not, or that is in doubt.
    pub async fn append(&self, records: &[SubjectRecord]) -> Result<(), JournalError> {
        let mut waiting = Vec::with_capacity(records.len());
        for record in records {
            let record = record.to_bytes()?;
            if record.len() > MAX_ENTRY {
                return Err(JournalError::Record);
            }
            let (reply, written) = oneshot::channel();
            let command = Command::Append { record, reply };
            self.commands.send(command).map_err(|_| JournalError::Closed)?;
            waiting.push(written);
        }
        for written in waiting {
            written.await.map_err(|_| JournalError::Closed)??;
        }
        Ok(())
    }

    /// Number of records on disk: the position of the next.
    #[must_use]
    pub fn size(&self) -> u64 {
        *self.shared.size.borrow()
    }

    /// Waits until there is a record at this position; gives the number of records then.
    pub async fn beyond(&self, position: u64) -> u64 {
        let mut size = self.shared.size.subscribe();
        // The sender is our own, so that it outlives the wait.
        size.wait_for(|size| *size > position).await.map_or(position, |size| *size)
    }

    /// The records from a position on that are on disk now. Blocks while it reads.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn records_from(&self, position: u64) -> Result<Records, ReadError> {
        let until = self.size();
        Ok(Records { until, ..records_from(&self.folder, position)? })
    }

    /// Waits until a write ends in doubt, if ever: only opening the journal anew tells what is on disk.
    pub async fn in_doubt(&self) {
        let mut told = self.shared.in_doubt.subscribe();
        let _never_gone = told.wait_for(|in_doubt| *in_doubt).await;
    }

    /// Whether a write ended in doubt.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        *self.shared.in_doubt.borrow()
    }

    /// Writes what waits and closes the journal for all clones.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.commands.send(Command::Close { done }).is_ok() {
            // An error means that another clone closed it first.
            let _closed_already = closed.await;
        }
    }
}

/// Opens a journal's folder for oneself, with its last segment durable; gives with it where its records end.
pub(crate) fn open_store(folder: &Path) -> Result<(FileStore, Tail), JournalError> {
    let fault = |error| fault(folder, error);
    mend(folder).and_then(|()| made(folder)).map_err(fault)?;
    let mut store = FileStore::open(folder, LAYOUT).map_err(fault)?;
    let tail = store.replay(&mut |_| {}).map_err(fault)?;
    if tail.proves_damage {
        return Err(JournalError::Damaged { folder: folder.to_owned(), place: tail.end });
    }
    // The last segment may be in memory only: an earlier process may have failed to sync it.
    let doubtful = Place { offset: 0, ..tail.end.clone() };
    store.settle(&tail, Some(&doubtful)).map_err(fault)?;
    tidy(folder, tail.end.index).map_err(fault)?;
    Ok((store, tail))
}

/// Makes a journal's folder, for its owner only.
pub(crate) fn made(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn fault(folder: &Path, source: io::Error) -> JournalError {
    match source.kind() {
        io::ErrorKind::WouldBlock => JournalError::InUse(folder.to_owned()),
        _ => JournalError::Folder { folder: folder.to_owned(), source: Arc::new(source) },
    }
}

/// A record's bytes with its index.
type Entry = Result<(u64, Vec<u8>), EntriesError>;

/// Records in sequence, each with the position of the next: what a reader keeps to go on from.
pub struct Records {
    entries: Box<dyn Iterator<Item = Entry> + Send>,
    next: u64,
    until: u64,
}

impl std::fmt::Debug for Records {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Records(until {})", self.until)
    }
}

/// The records of a journal's folder from a position on, also while another process writes it; the last few
/// may be missing then.
///
/// # Errors
/// When there is no journal, or it cannot be read.
pub fn records_from(folder: &Path, position: u64) -> Result<Records, ReadError> {
    let ledger = FileLedger::open_read(folder).map_err(EntriesError::from)?;
    let entries = ledger.entries_from(position)?;
    Ok(Records { entries: Box::new(entries), next: position, until: u64::MAX })
}

impl Iterator for Records {
    type Item = Result<(SubjectRecord, u64), ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        // What is behind the end may be half written, and is not looked at.
        let left = self.next < self.until;
        let found = left.then(|| self.entries.next()).flatten()?;
        let (index, bytes) = match found {
            Ok(found) => found,
            Err(error) => return Some(Err(error.into())),
        };
        self.next = index + 1;
        let next = self.next;
        let record = SubjectRecord::parse(&bytes);
        Some(
            record
                .map(|record| (record, next))
                .map_err(|source| ReadError::Record { index, source }),
        )
    }
}
