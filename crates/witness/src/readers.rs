//! Who read a ledger, put on record in that ledger before anything of it is given.
//!
//! An entry that tells of reading is itself something to read. So that neither an auditor who follows a ledger
//! nor one who means harm makes it grow for ever, an entry stands for everything that one reader reads in
//! [`LedgerRead::MINUTES`], from its first entry on; whoever goes back before that makes one more, from the
//! beginning. Two entries in that time are the most for each key of an enrolled auditor.

use std::{collections::BTreeMap, sync::Arc};

use convenant_model::{
    Clock, Digest, Oin, Timestamp,
    entry::{Entry, LedgerRead},
};
use convenant_store::{LedgerHandle, RecordError};
use convenant_transport::Peer;
use tokio::sync::Mutex;

/// The record of who reads a party's own ledger.
pub struct Readers {
    party: Oin,
    origin: String,
    ledger: LedgerHandle,
    clock: Arc<dyn Clock>,
    begun: Mutex<BTreeMap<(Oin, Digest), Begun>>,
}

/// Reading that is on record.
struct Begun {
    at: Timestamp,
    from: u64,
}

impl Readers {
    /// The readers of the ledger with this origin, which is written to as `ledger`.
    #[must_use]
    pub fn new(party: Oin, origin: String, ledger: LedgerHandle, clock: Arc<dyn Clock>) -> Self {
        Self { party, origin, ledger, clock, begun: Mutex::default() }
    }

    /// The first entry in a file, where that holds entries of this ledger.
    pub(crate) fn first_entry(&self, origin: &str, path: &str) -> Option<u64> {
        let bundle = path.strip_prefix("tile/entries/").filter(|_| origin == self.origin)?;
        Some(first_of(bundle).unwrap_or(0))
    }

    /// Puts on record that a reader is given entries from `first` on; on disk when this returns.
    pub(crate) async fn note(&self, reader: &Peer, first: u64) -> Result<(), RecordError> {
        // Held until the entry is on disk: files that are asked for at once make one entry.
        let mut begun = self.begun.lock().await;
        let now = self.clock.now();
        begun.retain(|_, one| one.holds(now));
        let key = (reader.oin.clone(), reader.pin);
        let before = begun.get(&key).map(|one| one.from);
        if before.is_some_and(|from| from <= first) {
            return Ok(());
        }
        let from = if before.is_some() { 0 } else { first };
        self.ledger.record(Entry::Read(self.entry(reader, now, from))).await?;
        begun.insert(key, Begun { at: now, from });
        Ok(())
    }

    fn entry(&self, reader: &Peer, at: Timestamp, from: u64) -> LedgerRead {
        let (party, until) = (self.party.clone(), self.ledger.size());
        LedgerRead { party, at, reader: reader.oin.clone(), pin: reader.pin, from, until }
    }
}

impl Begun {
    /// Whether the entry still stands for what is read. A clock that was set back makes no reading unseen.
    fn holds(&self, now: Timestamp) -> bool {
        (0..LedgerRead::MINUTES * 60).contains(&now.seconds_since(self.at))
    }
}

/// The first entry of a bundle by its number: groups of three digits (C2SP `tlog-tiles`).
fn first_of(bundle: &str) -> Option<u64> {
    let full = bundle.split_once(".p/").map_or(bundle, |(full, _)| full);
    let groups = full.split('/').map(|group| group.strip_prefix('x').unwrap_or(group));
    let number = groups.collect::<String>().parse::<u64>().ok()?;
    number.checked_mul(convenant_ledger::tile::WIDTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_begins_where_its_number_says() {
        for (bundle, first) in [
            ("000", 0),
            ("001", 256),
            ("067.p/12", 67 * 256),
            ("x001/x234/067", 1_234_067 * 256),
            ("x001/000.p/1", 1_000 * 256),
        ] {
            assert_eq!(first_of(bundle), Some(first), "{bundle}");
        }
        assert_eq!(first_of("entries"), None);
    }
}
