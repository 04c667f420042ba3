//! What a daemon keeps of its exchanges: the ledger, and the two indexes that follow from it.

use std::{path::Path, sync::Arc};

use convenant_ledger::{EntryBytes, LedgerSigner, Recovery};
use convenant_model::{
    Clock, ProjectId, QueryId, Timestamp,
    entry::{Decision, Entry, RecordedVerdict, Started},
    query::Query,
};
use convenant_signing::{parse_canonical, peek_compact};

use crate::{
    AskError, Layout, LedgerHandle, LedgerOpenError, Options, RecordError, SeenQueries, UsageBook,
    Watermark,
};

/// JWS header `typ` of a signed query.
const QUERY_TYPE: &str = "convenant-query+json";

/// The ledger of a daemon with the queries it has seen and the quotas that are used up.
#[derive(Debug)]
pub struct Books {
    /// The evidence.
    pub ledger: LedgerHandle,
    /// What each project used of its quota.
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
    /// Opens the ledger in `dir/ledger`, makes the indexes from it, and records the start.
    ///
    /// # Errors
    /// When the ledger is in use, does not hold, or cannot be written.
    pub async fn open(
        dir: &Path,
        signer: LedgerSigner,
        clock: Arc<dyn Clock>,
        started: impl FnOnce(Timestamp, &Recovery) -> Started,
    ) -> Result<(Self, Recovery), BooksError> {
        let now = clock.now();
        let (usage, mut recent) = (UsageBook::new(), Vec::new());
        let options =
            Options { folder: dir.join("ledger"), signer, clock, layout: Layout::default() };
        let (ledger, recovery) = LedgerHandle::open(options, &mut |found| {
            if let Some(used) = Used::of(found.entry) {
                if used.permitted {
                    usage.add(&used.project, used.subjects);
                }
                if used.expires > now {
                    recent.push((used.query, used.expires));
                }
            }
        })?;
        let size = ledger.size();
        let watermark = Watermark { size, root: ledger.root_at(size).await? };
        let seen = SeenQueries::open(&dir.join("index"), watermark, || recent);
        ledger.record(Entry::Started(started(now, &recovery))).await?;
        Ok((Self { ledger, usage, seen }, recovery))
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

/// What a decision in the ledger used.
struct Used {
    project: ProjectId,
    query: QueryId,
    expires: Timestamp,
    subjects: u64,
    permitted: bool,
}

impl Used {
    fn of(entry: &[u8]) -> Option<Self> {
        let Ok(Entry::Decision(decision)) = EntryBytes::parse(entry) else {
            return None;
        };
        let unverified = peek_compact(&decision.signed_query, QUERY_TYPE).ok()?;
        let query: Query = parse_canonical(unverified.payload(), "query").ok()?;
        let subjects = permitted_subjects(&decision, &query);
        Some(Self {
            query: query.id,
            expires: query.expires,
            subjects: subjects.unwrap_or(0),
            permitted: subjects.is_some(),
            project: query.project,
        })
    }
}

/// Number of subjects in the permitted targets; `None` where nothing was permitted.
#[must_use]
pub fn permitted_subjects(decision: &Decision, query: &Query) -> Option<u64> {
    let permitted = decision
        .verdicts
        .iter()
        .filter(|one| matches!(one.verdict, RecordedVerdict::Permit { .. }))
        .filter_map(|one| query.targets.get(one.target as usize));
    permitted
        .map(|target| target.subjects.as_ref().map_or(0, |shape| u64::from(shape.count)))
        .reduce(|all, one| all + one)
}
