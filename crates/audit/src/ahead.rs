//! Entries read ahead of their turn, on all cores: one large ledger keeps them at work as several do. What is found,
//! and in which order, is the same.

use std::{
    collections::VecDeque,
    num::NonZero,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, SyncSender},
    },
    thread,
};

use crate::{
    LedgerReplay,
    reader::{Read, Reader},
};

/// How many entries change hands at once, and how many times as many for each thread are in memory.
const BATCH: usize = 32;
const BATCHES: usize = 3;

/// Entries to be read, and where they go then.
struct Job {
    entries: Vec<(u64, Vec<u8>)>,
    done: SyncSender<Vec<Read>>,
}

impl LedgerReplay<'_> {
    /// Replays entries in their sequence, as [`Self::entry`] does one by one; `each` is told of every one.
    ///
    /// # Errors
    /// The first error among the entries. What comes before it was replayed, what comes after it was not.
    pub fn entries<E>(
        &mut self,
        entries: impl Iterator<Item = Result<(u64, Vec<u8>), E>>,
        mut each: impl FnMut(),
    ) -> Result<(), E> {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let reader = Arc::clone(&self.reader);
        let (sender, jobs) = mpsc::channel();
        let jobs = Mutex::new(jobs);
        let mut failed = None;
        let mut entries =
            entries.map_while(|one| one.map_err(|error| failed = Some(error)).ok()).fuse();
        thread::scope(|scope| {
            for _ in 0..cores {
                scope.spawn(|| work(&reader, &jobs));
            }
            let mut under_way = VecDeque::with_capacity(cores * BATCHES);
            loop {
                while under_way.len() < cores * BATCHES {
                    let entries: Vec<_> = entries.by_ref().take(BATCH).collect();
                    let (done, read) = mpsc::sync_channel(1);
                    if entries.is_empty() || sender.send(Job { entries, done }).is_err() {
                        break;
                    }
                    under_way.push_back(read);
                }
                let Some(next) = under_way.pop_front() else { break };
                // A thread that panicked gives nothing; the scope passes its panic on.
                let Ok(read): Result<Vec<_>, _> = next.recv() else { break };
                for one in read {
                    self.take(one);
                    each();
                }
            }
            drop(sender);
        });
        drop(entries);
        failed.map_or(Ok(()), Err)
    }
}

fn work(reader: &Reader<'_>, jobs: &Mutex<Receiver<Job>>) {
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { entries, done }) = job else { return };
        let read = entries.iter().map(|(index, bytes)| reader.read(*index, bytes)).collect();
        if done.send(read).is_err() {
            return;
        }
    }
}
