//! Entries read ahead of their turn. What depends on nothing but an entry's own bytes, above all the signature of its
//! query, is checked by another thread while entries before it are decided again: one large ledger keeps two cores at
//! work. What is found, and in which order, is the same.

use std::{
    sync::{
        Arc,
        mpsc::{self, SyncSender},
    },
    thread,
};

use convenant_ledger::{EntryBytes, merkle::leaf_hash};
use convenant_model::{Digest, entry::Entry};

use crate::{
    LedgerReplay,
    signed::{Known, SignedQuery},
};

/// How many entries change hands at once, and how often before somebody waits: all that is in memory.
const BATCH: usize = 32;
const BATCHES: usize = 4;

/// An entry that was read.
pub(crate) struct Ahead {
    pub(crate) index: u64,
    pub(crate) leaf: Digest,
    /// `None` where the bytes are none.
    pub(crate) entry: Option<Entry>,
    /// The query in it; `None` where there is none that can be read.
    pub(crate) query: Option<SignedQuery>,
}

impl Ahead {
    pub(crate) fn read(known: &Known, index: u64, bytes: &[u8]) -> Self {
        let entry = EntryBytes::parse(bytes).ok();
        let query = match &entry {
            Some(Entry::Decision(decision)) => known.read(&decision.signed_query),
            Some(Entry::Receipt(receipt)) => known.read(&receipt.signed_query),
            _ => None,
        };
        Self { index, leaf: leaf_hash(bytes), entry, query }
    }
}

impl LedgerReplay<'_> {
    /// Replays entries in their sequence, as [`Self::entry`] does one by one; `each` is told of every one.
    ///
    /// # Errors
    /// The first error among the entries. What comes before it was replayed, what comes after it was not.
    pub fn entries<E: Send>(
        &mut self,
        entries: impl Iterator<Item = Result<(u64, Vec<u8>), E>> + Send,
        mut each: impl FnMut(),
    ) -> Result<(), E> {
        let (sender, receiver) = mpsc::sync_channel(BATCHES);
        let known = Arc::clone(&self.known);
        thread::scope(|scope| {
            scope.spawn(move || read_ahead(&known, entries, &sender));
            for read in receiver.into_iter().flatten() {
                self.take(read?);
                each();
            }
            Ok(())
        })
    }
}

/// Reads until there is nothing more, or nobody takes it.
fn read_ahead<E>(
    known: &Known,
    entries: impl Iterator<Item = Result<(u64, Vec<u8>), E>>,
    sender: &SyncSender<Vec<Result<Ahead, E>>>,
) {
    let read = |(index, bytes): (u64, Vec<u8>)| Ahead::read(known, index, &bytes);
    let mut entries = entries.map(|one| one.map(read));
    loop {
        let batch: Vec<_> = entries.by_ref().take(BATCH).collect();
        if batch.is_empty() || sender.send(batch).is_err() {
            return;
        }
    }
}
