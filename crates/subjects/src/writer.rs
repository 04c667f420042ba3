//! The thread that owns a journal: what many answers record goes into few durable writes.

use std::sync::{Arc, mpsc::Receiver};

use convenant_ledger::{AppendError, Store as _, frame};
use convenant_store::FileStore;
use tokio::sync::{oneshot, watch};

use crate::error::JournalError;

/// Most records of one durable write.
const GROUP: usize = 256;

pub(crate) type Reply = oneshot::Sender<Result<(), JournalError>>;

pub(crate) enum Command {
    Append { record: Vec<u8>, reply: Reply },
    Close { done: oneshot::Sender<()> },
}

/// What others may know of a journal without asking its thread.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Number of records on disk.
    pub(crate) size: watch::Sender<u64>,
    pub(crate) in_doubt: watch::Sender<bool>,
}

pub(crate) struct Writer {
    pub(crate) store: FileStore,
    pub(crate) commands: Receiver<Command>,
    pub(crate) shared: Arc<Shared>,
}

impl Writer {
    pub(crate) fn run(mut self) {
        let mut closing = None;
        while closing.is_none() {
            let Ok(first) = self.commands.recv() else { break };
            closing = self.turn(first);
        }
        // The lock on the folder goes before whoever closes the journal is told.
        drop(self);
        if let Some(done) = closing {
            let _gone = done.send(());
        }
    }

    /// Takes everything that waits, up to a full group, and writes it at once.
    fn turn(&mut self, first: Command) -> Option<oneshot::Sender<()>> {
        let (mut next, mut closing) = (Some(first), None);
        let (mut records, mut replies) = (Vec::new(), Vec::new());
        while let Some(command) = next {
            match command {
                Command::Append { record, reply } => {
                    records.push(record);
                    replies.push(reply);
                }
                Command::Close { done } => {
                    closing = Some(done);
                    break;
                }
            }
            next = if records.len() < GROUP { self.commands.try_recv().ok() } else { None };
        }
        let written = self.commit(&records);
        if let Err(error) = &written {
            let records = records.len();
            tracing::error!(records, error = error as &dyn std::error::Error, "not recorded");
        }
        for reply in replies {
            // Whoever waited may have gone; the record is there all the same.
            let _gone = reply.send(written.clone());
        }
        closing
    }

    fn commit(&mut self, records: &[Vec<u8>]) -> Result<(), JournalError> {
        if records.is_empty() {
            return Ok(());
        }
        if *self.shared.in_doubt.borrow() {
            return Err(JournalError::InDoubt);
        }
        let first = *self.shared.size.borrow();
        let (mut frames, mut end) = (Vec::new(), first);
        for record in records {
            frame::encode(&mut frames, end, first, record);
            end += 1;
        }
        // A crash during this call leaves all, some or none of the group on disk. Nobody was answered on it
        // yet, so a record too many says that data was read that never left.
        if let Err(error) = self.store.append(first, &frames) {
            if matches!(error, AppendError::Unknown(_)) {
                self.shared.in_doubt.send_replace(true);
            }
            return Err(JournalError::Append(Arc::new(error)));
        }
        self.shared.size.send_replace(end);
        Ok(())
    }
}
