//! A ledger on disk as an audit reads it.

use std::path::Path;

use convenant_audit::{Beside, Finding, LedgerName, Replay, Replayed, Source, Statement};
use convenant_ledger::{
    Checkpoint,
    merkle::{HashSource as _, leaf_hash},
};
use convenant_store::{Entries, EntriesError, FileLedger, Published};

use super::{
    copies::Counted,
    evidence::{checkpoint, checkpoints, entries, notes, open},
};
use crate::ledger::unreadable;

/// The entries of a ledger as they are read, each held against the published tiles on the way.
pub(super) struct Reading {
    ledger: FileLedger,
    /// How many entries the checkpoint states.
    size: u64,
    entries: Entries,
    published: Option<Published>,
}

impl Reading {
    /// What stands behind the last entry, when all were read, and is none.
    pub(super) fn behind(&self, name: &LedgerName) -> Option<Finding> {
        let (segment, bytes) = self.entries.behind()?;
        Some(Finding::behind(name, segment, bytes))
    }
}

impl Iterator for Reading {
    type Item = Result<(u64, Vec<u8>), EntriesError>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.entries.next()?;
        if let (Some(published), Ok((_, entry))) = (&mut self.published, &read) {
            published.push(leaf_hash(entry), entry);
        }
        Some(read)
    }
}

/// A ledger, with what lies beside its entries.
pub(super) fn begin<'a>(
    replay: &Replay<'a>,
    counted: &Counted<'_>,
    statements: &[Statement],
) -> anyhow::Result<Source<'a, Reading, EntriesError>> {
    let dir = counted.folder;
    let ledger = open(dir)?;
    // Before the entries, so that a ledger that is being written is never found too short.
    let checkpoint = checkpoint(dir)?;
    let size = checkpoint.as_deref().and_then(|note| Checkpoint::unverified_size(note).ok());
    let published = Published::of(&ledger).ok();
    let copy = |dir: &&Path| Ok((dir.display().to_string(), checkpoints(dir)?));
    let beside = Beside {
        witnessed: notes(&convenant_witness::witnessed(dir), dir)?,
        statements: statements.to_vec(),
        stamped: crate::ledger::timestamp::stamped(dir)?.into_values().collect(),
        checkpoint,
        copies: counted.agree.iter().map(copy).collect::<anyhow::Result<_>>()?,
    };
    let entries = entries(&ledger, &counted.name, beside.checkpoint.as_deref())?;
    let reading = Reading { ledger, size: size.unwrap_or(0), entries, published };
    Ok(Source::new(replay.ledger(counted.name.clone(), beside), reading))
}

/// The ledger, when all of it was read.
pub(super) fn finish(source: Source<'_, Reading, EntriesError>) -> anyhow::Result<Replayed> {
    let Source { mut replay, entries: Reading { ledger, size, published, .. }, ended } = source;
    match ended {
        // What is missing at the end, the checkpoint shows.
        Ok(()) | Err(EntriesError::Shortened(_)) => {}
        Err(EntriesError::Damaged(place)) => replay.damaged(place.index),
        Err(error) => return Err(unreadable(error)),
    }
    replay.tiles_unlike(published.map(Published::unlike).unwrap_or_default());
    let hashes = ledger.hashes(size);
    let leaves = || {
        let entries = ledger.entries().into_iter().flatten();
        entries.map_while(Result::ok).map(|(_, entry)| leaf_hash(&entry))
    };
    // Row 0 of the tiles holds the leaf hashes as the party published them.
    Ok(replay.finish(|index| hashes.hash(0, index).ok(), leaves))
}
