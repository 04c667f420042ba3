//! The exchanges that a journal names, as the ledger of the same node holds them.

use std::collections::BTreeMap;

use convenant_ledger::EntryBytes;
use convenant_model::{
    Timestamp,
    entry::{Decision, Entry, OutcomeEntry, Status},
    query::{QUERY_TYPE, Query},
};
use convenant_signing::{parse_canonical, peek_compact};
use convenant_store::FileLedger;

use crate::{Found, Named, report::ReportError};

/// An exchange with its end, if it has one.
pub(crate) struct Held {
    pub(crate) at: Timestamp,
    pub(crate) query: Query,
    pub(crate) target: u32,
    pub(crate) end: Option<End>,
}

/// The end of an exchange.
pub(crate) struct End {
    pub(crate) at: Timestamp,
    pub(crate) status: Status,
    /// Sealed chunks that left, whatever the end.
    pub(crate) chunks: u64,
}

/// Reads the exchanges in the order of their decisions.
pub(crate) fn held(found: &Found, ledger: &FileLedger) -> Result<Vec<Held>, ReportError> {
    let Some((first, _)) = found.exchanges.first_key_value() else {
        return Ok(Vec::new());
    };
    let (mut wanted, mut held) = (found.exchanges.clone(), BTreeMap::new());
    for item in ledger.entries_from(*first)? {
        let (index, bytes) = item?;
        match EntryBytes::parse(&bytes) {
            Ok(Entry::Decision(decision)) => {
                if let Some(named) = wanted.remove(&index) {
                    let one = Held::of(&decision, named).ok_or(ReportError::NoDecision(index))?;
                    held.insert(index, one);
                }
            }
            Ok(Entry::Outcome(outcome)) => {
                if let Some(one) = held.get_mut(&outcome.decision) {
                    one.ended(&outcome);
                }
            }
            _ => {}
        }
    }
    match wanted.first_key_value() {
        Some((index, _)) => Err(ReportError::NoDecision(*index)),
        None => Ok(held.into_values().collect()),
    }
}

impl Held {
    /// `None` where the decision is on another query than the journal names.
    fn of(decision: &Decision, named: Named) -> Option<Self> {
        let unverified = peek_compact(&decision.signed_query, QUERY_TYPE).ok()?;
        let query: Query = parse_canonical(unverified.payload(), "query").ok()?;
        let target = named.target;
        (query.id == named.query).then_some(Self { at: decision.at, query, target, end: None })
    }

    fn ended(&mut self, outcome: &OutcomeEntry) {
        let result = outcome.results.iter().find(|one| one.target == self.target);
        self.end = result.map(|one| End {
            at: outcome.at,
            status: one.status.clone(),
            chunks: one.chunks,
        });
    }
}
