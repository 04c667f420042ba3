//! The thread that owns a ledger.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use convenant_ledger::{EntryBytes, Ledger, Position};
use convenant_model::Clock;
use tokio::sync::{OwnedSemaphorePermit, oneshot, watch};

use crate::{error::RecordError, file_store::FileStore};

/// Most entries and bytes of one durable write.
const GROUP_ENTRIES: usize = 1024;
const GROUP_BYTES: usize = 4 * 1024 * 1024;

/// Entries for which nobody waits are written with the next for which somebody does, or after this long.
const LINGER: Duration = Duration::from_millis(5);

/// Tiles and checkpoint are published when nothing came for this long, …
const QUIET: Duration = Duration::from_millis(10);
/// … or after this long under load, …
const PUBLISH_AFTER: Duration = Duration::from_secs(1);
/// … or after so many entries, because they wait in memory.
const PUBLISH_ENTRIES: u64 = 8 * 1024;

type Reply = oneshot::Sender<Result<Position, RecordError>>;
type Question = Box<dyn FnOnce(&mut Ledger<FileStore>, &dyn Clock) + Send>;

/// What the writer is asked, in sequence.
pub(crate) enum Command {
    /// Put an entry on record.
    Append {
        entry: EntryBytes,
        reply: Option<Reply>,
        /// The place in the queue, free again once the entry is written.
        place: OwnedSemaphorePermit,
    },
    /// Answer a question once everything before it is written.
    Ask(Question),
    /// Write everything before this, publish, stop.
    Close { reply: oneshot::Sender<()> },
}

/// What handles may know without asking.
#[derive(Debug)]
pub(crate) struct Shared {
    size: AtomicU64,
    poisoned: watch::Sender<bool>,
}

impl Shared {
    pub(crate) fn new(size: u64) -> Self {
        Self { size: AtomicU64::new(size), poisoned: watch::Sender::new(false) }
    }

    pub(crate) fn size(&self) -> u64 {
        self.size.load(Ordering::Acquire)
    }

    pub(crate) fn is_poisoned(&self) -> bool {
        *self.poisoned.borrow()
    }

    /// Waits until a write ended in doubt.
    pub(crate) async fn poisoned(&self) {
        let mut told = self.poisoned.subscribe();
        // The sender is our own, so that it outlives the wait.
        let _never_gone = told.wait_for(|poisoned| *poisoned).await;
    }
}

/// Entries that share one durable write, each with whoever waits for it.
#[derive(Default)]
struct Group {
    entries: Vec<EntryBytes>,
    waiting: Vec<(Option<Reply>, OwnedSemaphorePermit)>,
    bytes: usize,
    /// Whether somebody waits.
    waited_for: bool,
    /// When it is written though nobody waits; from its first entry on.
    due: Option<Instant>,
}

impl Group {
    const fn is_full(&self) -> bool {
        self.entries.len() >= GROUP_ENTRIES || self.bytes >= GROUP_BYTES
    }

    fn push(&mut self, entry: EntryBytes, reply: Option<Reply>, place: OwnedSemaphorePermit) {
        self.due.get_or_insert_with(|| Instant::now() + LINGER);
        self.waited_for |= reply.is_some();
        self.bytes += entry.as_bytes().len();
        self.entries.push(entry);
        self.waiting.push((reply, place));
    }
}

pub(crate) struct Writer {
    ledger: Ledger<FileStore>,
    clock: Arc<dyn Clock>,
    commands: Receiver<Command>,
    shared: Arc<Shared>,
    group: Group,
    published: u64,
    published_at: Instant,
    /// Whether the last try to publish failed, and that was told.
    failing: bool,
}

impl Writer {
    pub(crate) fn new(
        ledger: Ledger<FileStore>,
        clock: Arc<dyn Clock>,
        commands: Receiver<Command>,
        shared: Arc<Shared>,
    ) -> Self {
        let published = ledger.size();
        let group = Group::default();
        let published_at = Instant::now();
        Self { ledger, clock, commands, shared, group, published, published_at, failing: false }
    }

    pub(crate) fn run(mut self) {
        let mut closing = None;
        while closing.is_none() {
            match self.next() {
                Ok(command) => closing = self.turn(command),
                Err(RecvTimeoutError::Timeout) if self.group.due.is_some() => self.commit(),
                Err(RecvTimeoutError::Timeout) => self.publish(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.commit();
        self.publish();
        // The lock on the folder goes before whoever closes the ledger is told.
        drop(self);
        if let Some(reply) = closing {
            let _gone = reply.send(());
        }
    }

    fn next(&self) -> Result<Command, RecvTimeoutError> {
        if let Some(due) = self.group.due {
            return self.commands.recv_timeout(due.saturating_duration_since(Instant::now()));
        }
        if self.published == self.ledger.size() {
            return self.commands.recv().map_err(|_| RecvTimeoutError::Disconnected);
        }
        self.commands.recv_timeout(if self.failing { PUBLISH_AFTER } else { QUIET })
    }

    /// Takes everything that waits, up to a full group, and writes it at once where somebody waits for it.
    fn turn(&mut self, first: Command) -> Option<oneshot::Sender<()>> {
        let (mut next, mut closing) = (Some(first), None);
        while let Some(command) = next {
            match command {
                Command::Append { entry, reply, place } => {
                    self.group.push(entry, reply, place);
                }
                Command::Ask(question) => {
                    self.commit();
                    question(&mut self.ledger, self.clock.as_ref());
                }
                Command::Close { reply } => {
                    closing = Some(reply);
                    break;
                }
            }
            if self.group.is_full() {
                break;
            }
            next = self.commands.try_recv().ok();
        }
        let due = self.group.due.is_some_and(|due| due <= Instant::now());
        if due || self.group.waited_for || self.group.is_full() || closing.is_some() {
            self.commit();
        }
        let waiting = self.ledger.size() - self.published;
        if waiting >= PUBLISH_ENTRIES
            || (waiting > 0 && self.published_at.elapsed() >= PUBLISH_AFTER)
        {
            self.publish();
        }
        closing
    }

    fn commit(&mut self) {
        let group = std::mem::take(&mut self.group);
        if group.entries.is_empty() {
            return;
        }
        match self.ledger.commit(&group.entries) {
            Ok(positions) => {
                self.shared.size.store(self.ledger.size(), Ordering::Release);
                for ((reply, _place), position) in group.waiting.into_iter().zip(positions) {
                    answer(reply, Ok(position));
                }
            }
            Err(error) => {
                self.shared.poisoned.send_replace(self.ledger.is_poisoned());
                let error = RecordError::from(error);
                let entries = group.entries.len();
                tracing::error!(entries, error = &error as &dyn std::error::Error, "not recorded");
                for (reply, _place) in group.waiting {
                    answer(reply, Err(error.clone()));
                }
            }
        }
    }

    fn publish(&mut self) {
        self.published_at = Instant::now();
        match self.ledger.publish(self.clock.now()) {
            Ok(()) => {
                self.published = self.ledger.size();
                if std::mem::take(&mut self.failing) {
                    tracing::info!(entries = self.published, "published again");
                }
            }
            Err(error) if !std::mem::replace(&mut self.failing, true) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "not published; it is tried again each second"
                );
            }
            Err(_) => {}
        }
    }
}

fn answer(reply: Option<Reply>, result: Result<Position, RecordError>) {
    if let Some(reply) = reply {
        // Whoever waited may have gone; the entry is on record all the same.
        let _gone = reply.send(result);
    }
}
