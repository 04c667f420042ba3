//! Ledgers read side by side, in step by the times that they state, so that what the parties tell of one exchange
//! comes close together; and their entries read ahead of their turn, on all cores.

use std::{
    collections::VecDeque,
    num::NonZero,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, Sender, SyncSender},
    },
    thread,
};

use convenant_model::Timestamp;

use crate::{
    LedgerReplay, Replay,
    ledger::at,
    reader::{Read, Reader},
};

/// How many entries change hands at once.
const BATCH: usize = 32;
/// How many times as many are in memory for each thread, of all ledgers together; and beside that of each ledger.
const BATCHES: usize = 3;

/// A ledger to be read, and its entries in their sequence.
pub struct Source<'a, I, E> {
    /// The ledger, to be finished when it was read.
    pub replay: LedgerReplay<'a>,
    /// Its entries, each with its index.
    pub entries: I,
    /// The first error among the entries, when they were read. What comes before it was replayed, what comes after it
    /// was not.
    pub ended: Result<(), E>,
}

impl<'a, I, E> Source<'a, I, E> {
    /// A ledger of which nothing was read yet.
    pub const fn new(replay: LedgerReplay<'a>, entries: I) -> Self {
        Self { replay, entries, ended: Ok(()) }
    }
}

/// Entries to be read, and where they go then.
struct Job<'a> {
    reader: Arc<Reader<'a>>,
    entries: Vec<(u64, Vec<u8>)>,
    done: SyncSender<Vec<Read>>,
}

impl<'a> Replay<'a> {
    /// Replays the entries of all ledgers; `each` is told of every one. All of them are there, each once: which exchanges are
    /// over is told by these alone. Of each ledger they are taken in their sequence,
    /// so what is found is the same as when one ledger is read after the other.
    pub fn read<I, E>(&mut self, sources: &mut [Source<'a, I, E>], mut each: impl FnMut())
    where
        I: Iterator<Item = Result<(u64, Vec<u8>), E>>,
    {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let (sender, jobs) = mpsc::channel();
        let jobs = Mutex::new(jobs);
        thread::scope(|scope| {
            for _ in 0..cores {
                scope.spawn(|| work(&jobs));
            }
            let mut streams: Vec<_> = sources.iter_mut().map(Stream::new).collect();
            loop {
                let left = streams.iter().filter(|one| !one.is_done()).count().max(1);
                let ahead = (cores * BATCHES).div_ceil(left) + 1;
                let heads = streams
                    .iter_mut()
                    .filter_map(|one| one.has_next(&sender, ahead).then_some(one));
                // Of those that state the same time, the first.
                let Some(stream) = heads.min_by_key(|one| one.at) else { break };
                let Some((now, read)) = stream.take() else { break };
                let look = self.settling.note(read.entry.as_ref());
                stream.source.replay.take(read);
                each();
                if let Some(now) = now.filter(|_| look) {
                    let mut replays: Vec<_> =
                        streams.iter_mut().map(|one| &mut one.source.replay).collect();
                    self.settle(&mut replays, now);
                }
            }
            drop(sender);
        });
    }
}

/// One ledger as it is read.
struct Stream<'s, 'a, I, E> {
    source: &'s mut Source<'a, I, E>,
    under_way: VecDeque<Receiver<Vec<Read>>>,
    ready: VecDeque<Read>,
    /// Whether all entries were taken from the source.
    drained: bool,
    /// The latest time that it states, up to and with its next entry: it never goes back.
    at: Option<Timestamp>,
}

impl<'s, 'a, I, E> Stream<'s, 'a, I, E>
where
    I: Iterator<Item = Result<(u64, Vec<u8>), E>>,
{
    fn new(source: &'s mut Source<'a, I, E>) -> Self {
        let (under_way, ready) = (VecDeque::new(), VecDeque::new());
        Self { source, under_way, ready, drained: false, at: None }
    }

    fn is_done(&self) -> bool {
        self.drained && self.under_way.is_empty() && self.ready.is_empty()
    }

    /// Whether there is another entry, with so many batches under way behind it.
    fn has_next(&mut self, jobs: &Sender<Job<'a>>, ahead: usize) -> bool {
        if !self.ready.is_empty() {
            return true;
        }
        while !self.drained && self.under_way.len() < ahead {
            self.send(jobs);
        }
        // A thread that panicked gives nothing; the scope passes its panic on.
        let read = self.under_way.pop_front().and_then(|next| next.recv().ok());
        self.ready = read.unwrap_or_default().into();
        self.note_time();
        !self.ready.is_empty()
    }

    fn send(&mut self, jobs: &Sender<Job<'a>>) {
        let mut entries = Vec::with_capacity(BATCH);
        while entries.len() < BATCH {
            match self.source.entries.next() {
                Some(Ok(entry)) => entries.push(entry),
                Some(Err(error)) => {
                    self.source.ended = Err(error);
                    self.drained = true;
                    break;
                }
                None => {
                    self.drained = true;
                    break;
                }
            }
        }
        let (done, read) = mpsc::sync_channel(1);
        let reader = Arc::clone(&self.source.replay.reader);
        if !entries.is_empty() && jobs.send(Job { reader, entries, done }).is_ok() {
            self.under_way.push_back(read);
        }
    }

    /// The next entry, and the time until which everything was read by then.
    fn take(&mut self) -> Option<(Option<Timestamp>, Read)> {
        let now = self.at;
        let read = self.ready.pop_front()?;
        self.note_time();
        Some((now, read))
    }

    fn note_time(&mut self) {
        let entry = self.ready.front().and_then(|read| read.entry.as_ref());
        self.at = self.at.max(entry.map(at));
    }
}

fn work(jobs: &Mutex<Receiver<Job<'_>>>) {
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { reader, entries, done }) = job else { return };
        let read = entries.iter().map(|(index, bytes)| reader.read(*index, bytes)).collect();
        if done.send(read).is_err() {
            return;
        }
    }
}
