//! What lines are made from: the journal says whom an answer is about, the ledger everything else.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use convenant_exports::{Action, Ended, Processing, Producer};
use convenant_ledger::{EntryBytes, merkle::leaf_hash};
use convenant_model::{Clock, Oin, QueryId, Timestamp, entry::Entry};
use convenant_store::LedgerHandle;
use convenant_subjects::{Journal, Pseudonym, Records, SubjectRecord, Told};

use crate::{LdvConfig, error::Fault};

/// Most records of the journal that are in memory.
const WINDOW: usize = 256;
/// Entries of the ledger that are read at once.
const READ: u64 = 64;
/// An outcome that is not on record so long after its query ended never will be.
const GRACE_SECONDS: i64 = 60;

/// Whose log it is, and what it is made from.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The node's party.
    pub party: Oin,
    /// Name of its ledger.
    pub name: String,
    /// Its ledger.
    pub ledger: LedgerHandle,
    /// Whom its answers are about.
    pub journal: Journal,
}

/// An answer with when it ended.
type Ending = (Arc<Action>, Timestamp);

/// How the answers that a look came across ended, so that each is looked up once.
#[derive(Default)]
pub(crate) struct Actions {
    /// By all that a record says of its answer: the ledger may bear out one record and not another.
    found: HashMap<(u64, QueryId, u32), Option<Ending>>,
    /// Whose lines are made already; `None` for the line of the answer as a whole.
    told: HashSet<(u64, Option<Pseudonym>)>,
}

impl Actions {
    /// Whether a line of an answer is yet to be made; from now on it is not.
    pub(crate) fn is_new(&mut self, decision: u64, person: Option<Pseudonym>) -> bool {
        self.told.insert((decision, person))
    }

    /// Forgets all but which answers are under way, so that a long look takes no more memory than a short one.
    pub(crate) fn keep_under_way(&mut self) {
        self.found.retain(|_, ended| ended.is_none());
        self.told.clear();
    }
}

impl Origin {
    /// The records from a position on that are on disk now.
    pub(crate) async fn records(&self, from: u64) -> Result<Records, Fault> {
        let journal = self.journal.clone();
        let opened = tokio::task::spawn_blocking(move || journal.records_from(from));
        Ok(opened.await.map_err(|_| Fault::BrokenOff)??)
    }

    /// The action that a record is part of and when it ended, once it has.
    pub(crate) async fn action(
        &self,
        told: &Told,
        actions: &mut Actions,
        (config, clock): (&LdvConfig, &dyn Clock),
    ) -> Result<Option<Ending>, Fault> {
        let answer = (told.decision, told.query, told.target);
        if let Some(known) = actions.found.get(&answer) {
            return Ok(known.clone());
        }
        let found = self.find(told, config, clock.now()).await?;
        actions.found.insert(answer, found.clone());
        Ok(found)
    }

    async fn find(
        &self,
        told: &Told,
        config: &LdvConfig,
        now: Timestamp,
    ) -> Result<Option<Ending>, Fault> {
        let index = told.decision;
        let processing = self.processing(told).await?;
        let ended = match self.ending(index).await? {
            Some(ended) => ended,
            None => {
                let untold = processing.untold();
                if now.seconds_since(untold.at) <= GRACE_SECONDS {
                    return Ok(None);
                }
                untold
            }
        };
        let activity = config.activity(processing.dataset()).as_str().to_owned();
        Ok(Some((Arc::new(processing.ended(ended, activity)), ended.at)))
    }

    async fn processing(&self, told: &Told) -> Result<Processing, Fault> {
        let index = told.decision;
        let missing = || Fault::NoDecision { index };
        let bytes = self.ledger.read(index..index + 1).await?.pop().ok_or_else(missing)?;
        let entry = EntryBytes::parse(&bytes).map_err(|_| Fault::Entry { index })?;
        let Entry::Decision(decision) = entry else {
            return Err(missing());
        };
        if decision.query != told.query {
            return Err(missing());
        }
        let producer = Producer {
            party: self.party.clone(),
            ledger: self.name.clone(),
            entry: index,
            leaf: leaf_hash(&bytes),
        };
        let processing = Processing::of(&decision, told.target, producer);
        processing.map_err(|source| Fault::Query { index, source })?.ok_or_else(missing)
    }

    /// What the ledger says of how an answer ended. The entry stands close behind, as a rule.
    async fn ending(&self, decision: u64) -> Result<Option<Ended>, Fault> {
        let mut from = decision + 1;
        loop {
            let entries = self.ledger.read(from..from + READ).await?;
            let parsed = entries.iter().filter_map(|bytes| EntryBytes::parse(bytes).ok());
            if let Some(ended) = parsed.into_iter().find_map(|e| Ended::told_by(&e, decision)) {
                return Ok(Some(ended));
            }
            if (entries.len() as u64) < READ {
                return Ok(None);
            }
            from += READ;
        }
    }
}

/// The next few of these records, and the rest.
pub(crate) async fn window(
    mut records: Records,
) -> Result<(Vec<(SubjectRecord, u64)>, Records), Fault> {
    let read = move || {
        let next = records.by_ref().take(WINDOW).collect::<Result<Vec<_>, _>>()?;
        Ok((next, records))
    };
    tokio::task::spawn_blocking(read).await.map_err(|_| Fault::BrokenOff)?
}
