//! What a daemon keeps of its exchanges: the ledger, and the two indexes that follow from it.

use std::{
    collections::{HashMap, VecDeque},
    path::Path,
    sync::Arc,
};

use convenant_ledger::{EntryBytes, LedgerSigner, Recovery};
use convenant_model::{
    Clock, Timestamp,
    entry::{Decision, Entry, OutcomeEntry, RecordedVerdict, Started},
    query::{QUERY_TYPE, Query},
};
use convenant_signing::{parse_canonical, peek_compact};

use crate::{
    AskError, Layout, LedgerHandle, LedgerOpenError, Options, RecordError, SeenQueries, UsageBook,
    Watermark,
};

/// Queries from the end of a ledger that a start remembers although they expired: its clock may be ahead, and
/// be set right later.
const REMEMBERED: usize = 16 * 1024;

/// The ledger of a daemon with the queries it has seen and the quotas that are used up.
#[derive(Debug)]
pub struct Books {
    /// The evidence.
    pub ledger: LedgerHandle,
    /// What each project used of its quota, and which answers may still be kept.
    pub usage: UsageBook,
    /// The queries that were decided on and have not expired.
    pub seen: SeenQueries,
}

/// Why the books do not open.
#[derive(Debug, thiserror::Error)]
pub enum BooksError {
    /// The ledger does not open.
    #[error(transparent)]
    Ledger(#[from] LedgerOpenError),
    /// The ledger gives no root.
    #[error("the ledger cannot be read back")]
    Read(#[from] AskError),
    /// The start cannot be recorded.
    #[error("the start cannot be recorded")]
    Record(#[from] RecordError),
}

impl Books {
    /// Opens the ledger in `dir/ledger`, whose files are laid out so, makes the indexes from it, and records the start.
    ///
    /// # Errors
    /// When the ledger is in use, does not hold, or cannot be written.
    pub async fn open(
        (dir, layout): (&Path, Layout),
        signer: LedgerSigner,
        clock: Arc<dyn Clock>,
        started: impl FnOnce(Timestamp, &Recovery) -> Started,
    ) -> Result<(Self, Recovery), BooksError> {
        let now = clock.now();
        let (mut rebuilt, mut recent) = (Rebuilt::default(), VecDeque::new());
        let options = Options { folder: dir.join("ledger"), signer, clock, layout };
        let (ledger, recovery) = LedgerHandle::open(options, &mut |found| {
            if let Some(query) = rebuilt.take(found.index, found.entry) {
                recent.push_back((query.id, query.expires));
            }
            if recent.len() > REMEMBERED {
                recent.pop_front_if(|(_, expires)| *expires <= now);
            }
        })?;
        let size = ledger.size();
        let watermark = Watermark { size, root: ledger.root_at(size).await? };
        let seen = SeenQueries::open(&dir.join("index"), watermark, || recent);
        ledger.record(Entry::Started(started(now, &recovery))).await?;
        Ok((Self { ledger, usage: rebuilt.usage, seen }, recovery))
    }

    /// Writes what is queued, and leaves the indexes so that the next start can use them.
    pub async fn close(&self) {
        if self.ledger.flush().await.is_ok() {
            let size = self.ledger.size();
            if let Ok(root) = self.ledger.root_at(size).await {
                self.seen.settle(Watermark { size, root });
            }
        }
        self.ledger.clone().close().await;
    }
}

/// The book of usage on its way from a ledger.
#[derive(Debug, Default)]
struct Rebuilt {
    usage: UsageBook,
    // Permitted queries whose outcome is still to come, by the index of their decision.
    open: HashMap<u64, Arc<Query>>,
}

impl Rebuilt {
    /// Takes the next entry; gives the query of a decision.
    fn take(&mut self, index: u64, entry: &[u8]) -> Option<Arc<Query>> {
        match EntryBytes::parse(entry).ok()? {
            Entry::Decision(decision) => self.decided(index, &decision),
            Entry::Outcome(outcome) => {
                self.ended(&outcome);
                None
            }
            _ => None,
        }
    }

    fn decided(&mut self, index: u64, decision: &Decision) -> Option<Arc<Query>> {
        let unverified = peek_compact(&decision.signed_query, QUERY_TYPE).ok()?;
        let query: Query = parse_canonical(unverified.payload(), "query").ok()?;
        let query = Arc::new(query);
        let permitted = permitted(decision);
        if !permitted.is_empty() {
            self.usage.add(&query, &permitted, decision.at.date());
            self.open.insert(index, Arc::clone(&query));
        }
        Some(query)
    }

    fn ended(&mut self, outcome: &OutcomeEntry) {
        if let Some(query) = self.open.remove(&outcome.decision) {
            for result in &outcome.results {
                self.usage.note(&query, &result.partner, &result.status, outcome.at);
            }
        }
    }
}

/// The targets that a decision permits.
fn permitted(decision: &Decision) -> Vec<u32> {
    let verdicts = decision.verdicts.iter();
    let permitted = verdicts.filter(|one| matches!(one.verdict, RecordedVerdict::Permit { .. }));
    permitted.map(|one| one.target).collect()
}
