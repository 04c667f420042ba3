//! Exchanges that are over: all parties told of them whose ledgers are there, and alike. Nothing of them is kept but
//! their names (docs/adr/0029).
//!
//! That is sound because of one thing: should another entry of such an exchange turn up, whatever it is, everything
//! is read once more, and of that exchange all is kept. So a report never depends on what was let go of when.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use convenant_model::{QueryId, Timestamp, entry::Entry};

use crate::{
    Finding, LedgerKind, RegisterEvidence,
    account::Asked,
    kept,
    receipt::Received,
    reconcile::{self, Wanted},
    signed::Known,
    times::SLACK,
    told::Told,
};

/// How many entries are taken, at least, before somebody looks which exchanges are over.
pub(crate) const EVERY: usize = 8192;

/// Which exchanges are let go of.
pub(crate) enum Keep {
    /// All but these.
    These(HashSet<QueryId>),
    /// None.
    All,
}

/// The exchanges that are over, and what is left of them.
pub(crate) struct Settling {
    keep: Keep,
    pub(crate) over: HashSet<QueryId>,
    /// Of those that are over: the ones of which another entry turned up.
    again: HashSet<QueryId>,
    every: usize,
    /// How many entries were taken since the last look, and after how many the next one comes.
    taken: usize,
    next: usize,
    pub(crate) wanted: Wanted,
}

impl Settling {
    pub(crate) fn new(keep: Keep, every: usize) -> Self {
        Self {
            keep,
            over: HashSet::new(),
            again: HashSet::new(),
            every,
            taken: 0,
            next: every,
            wanted: BTreeMap::new(),
        }
    }

    /// What to keep when everything is read once more; `None` where that is not necessary. Twice is enough of
    /// guessing: then all is kept.
    pub(crate) fn again(&mut self) -> Option<Keep> {
        let again = std::mem::take(&mut self.again);
        match &self.keep {
            _ if again.is_empty() => None,
            Keep::These(known) if known.is_empty() => Some(Keep::These(again)),
            Keep::These(_) | Keep::All => Some(Keep::All),
        }
    }

    /// Takes note of an entry, and tells whether it is time to look which exchanges are over.
    pub(crate) fn note(&mut self, entry: Option<&Entry>) -> bool {
        let query = entry.and_then(about);
        self.again.extend(query.filter(|query| self.over.contains(query)));
        self.taken += 1;
        self.taken >= self.next && !matches!(self.keep, Keep::All)
    }

    /// Lets go of what is over when everything until `now` was read.
    pub(crate) fn settle(
        &mut self,
        register: &RegisterEvidence,
        known: &Known,
        ledgers: &mut [&mut Told],
        now: Timestamp,
    ) {
        let told: Vec<&Told> = ledgers.iter().map(|one| &**one).collect();
        reconcile::missing(&told, register, &mut self.wanted);
        let over = self.over(&told, now);
        kept::tell(register, ledgers, |query| over.contains(query));
        self.over.extend(&over);
        let mut left = 0;
        for ledger in ledgers {
            for query in &over {
                let Some(decided) = ledger.decided.remove(query) else { continue };
                known.forget(&decided.signed);
                let issuer = ledger.name.kind == LedgerKind::Node;
                if issuer && decided.ruled.targets.iter().any(Asked::vouches) {
                    ledger.vouched.insert((*query, decided.ruled.requester.clone()));
                }
            }
            ledger.receipts.retain(|receipt| !over.contains(&receipt.query));
            ledger.rejected.retain(|query| !self.over.contains(query));
            left += ledger.decided.len() + ledger.receipts.len() + ledger.rejected.len();
        }
        self.taken = 0;
        self.next = self.every.max(left);
    }

    /// The exchanges of which nothing more is to come, and nothing is to be told: what a ledger does not tell that it
    /// should would be.
    fn over(&self, ledgers: &[&Told], now: Timestamp) -> BTreeSet<QueryId> {
        let mut open = Open::default();
        reconcile::reconcile(ledgers, (None, &self.over), &mut open);
        let receipts = ledgers.iter().flat_map(|one| &one.receipts);
        // When a key was used at the earliest depends on what is yet to be read.
        let revoked = |receipt: &&Received| {
            receipt.outcome.as_ref().is_some_and(|outcome| outcome.revoked.is_some())
        };
        open.0.extend(receipts.filter(revoked).map(|receipt| receipt.query));
        let mut over = BTreeSet::new();
        for (query, decided) in ledgers.iter().flat_map(|one| &one.decided) {
            let ended = decided.ended.is_some() || !decided.permits_any();
            let expired = now.seconds_since(decided.expires()) > SLACK.late_seconds;
            let known = matches!(&self.keep, Keep::These(kept) if !kept.contains(query));
            if ended && expired && known {
                over.insert(*query);
            } else {
                open.0.insert(*query);
            }
        }
        over.retain(|query| !open.0.contains(query));
        over
    }
}

/// The exchange that an entry tells something of.
const fn about(entry: &Entry) -> Option<QueryId> {
    match entry {
        Entry::Decision(one) => Some(one.query),
        Entry::Outcome(one) => Some(one.query),
        Entry::Receipt(one) => Some(one.query),
        // What was turned down before it was decided on, such as a query that was sent again, changes nothing.
        Entry::Rejected(_) | Entry::Started(_) | Entry::Conflict(_) | Entry::Read(_) => None,
    }
}

/// The exchanges of which there is something to tell.
#[derive(Default)]
struct Open(BTreeSet<QueryId>);

impl Extend<Finding> for Open {
    fn extend<T: IntoIterator<Item = Finding>>(&mut self, findings: T) {
        self.0.extend(findings.into_iter().filter_map(|one| one.query));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever makes everything be read again and again is read to the end the third time.
    #[test]
    fn three_passes_are_enough() {
        let query = |number| QueryId::from_parts(number, &[0; 10]);
        let mut keep = Keep::These(HashSet::new());
        for pass in 1..=3 {
            let mut settling = Settling::new(keep, 1);
            settling.again.insert(query(pass));
            match settling.again() {
                Some(more) => keep = more,
                None => panic!("an entry turned up and nothing is read again"),
            }
        }
        assert!(matches!(keep, Keep::All));
        assert!(Settling::new(Keep::All, 1).again().is_none());
    }
}
