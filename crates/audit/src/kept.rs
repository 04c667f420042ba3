//! Who has an answer to destroy (clause L6), told from all ledgers together.
//!
//! L6 binds whoever has what was received: everything is destroyed within the term, and what is overdue keeps the
//! project from asking more. The provider keeps its own register, and the coordinator passes on what it cannot read,
//! so the only one who can have something to destroy is the requester. So its own receipt decides, where its ledger is
//! there:
//!
//! - The receipt says that the whole answer came: there is a duty, whatever became of the connection behind it. The
//!   coordinator may have seen it break after the last byte went out. A requester that had the answer in hand and
//!   declined it, or could not keep it, has the duty too: the partner counts the answer as given, and the
//!   requester's program writes a record that nothing was kept.
//!   Where neither the coordinator nor a node tells how that ended, the receipt alone tells of it.
//! - The receipt says that it did not come, or not in full: nothing is kept. A part of an answer never gets a name,
//!   and who claims this falsely contradicts whoever passed it on in full, of which [`crate::Code::ArrivalDenied`]
//!   tells where both did, and else [`crate::Code::NotDelivered`].
//! - There is no receipt, and the account nearest to the requester says that all was passed on, the coordinator's or
//!   without it the node's: the duty is presumed, because else who leaves a receipt out would owe nothing. Where the
//!   coordinator says that the answer broke off, nothing is kept: rows get their name only after their receipt. Where
//!   it says nothing of the end, the node's word stands.
//!
//! Where the requester's ledger is absent nobody says what came. The duty is presumed of every answer that was given:
//! that it broke off at the coordinator does not prove that it did not arrive.
//!
//! Parties themselves count by their own ledger alone, each what it calls answered, and decide by that; a decision is
//! made again with what its own party counted.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

use convenant_model::{
    Oin, Problem, ProjectId, QueryId, Timestamp, kept::last_day, query::QueryKind, register::Answer,
};

use crate::{
    LedgerKind, LedgerName, RegisterEvidence,
    account::{Decided, Result, Stated},
    figures::Kept,
    table::Table,
    told::{Parties, Told},
};

/// Notes with each ledger the answers of these exchanges that must be destroyed and that it tells of: the coordinator's
/// before a node's before the requester's, each answer once.
pub(crate) fn tell(
    register: &RegisterEvidence,
    ledgers: &mut [&mut Told],
    of: impl Fn(&QueryId) -> bool,
) {
    let mut kept: Vec<_> =
        ledgers.iter_mut().map(|one| mem::replace(&mut one.kept, Table::of_known())).collect();
    let told: Vec<&Told> = ledgers.iter().map(|one| &**one).collect();
    let accounts = Accounts::new(&told);
    for (ledger, kept) in told.iter().zip(&mut kept) {
        accounts.note(register, ledger, &of, kept);
    }
    ledgers.iter_mut().zip(kept).for_each(|(ledger, kept)| ledger.kept = kept);
}

/// What there is to hold an answer against.
struct Accounts<'a> {
    parties: Parties<'a>,
    /// Whether the answer came, by requester, query and target.
    receipts: BTreeMap<(&'a Oin, QueryId, u32), bool>,
}

impl<'a> Accounts<'a> {
    fn new(ledgers: &[&'a Told]) -> Self {
        let parties = Parties::new(ledgers);
        let mut receipts = BTreeMap::new();
        for ledger in ledgers.iter().filter(|one| one.name.kind == LedgerKind::Receipts) {
            for receipt in &ledger.receipts {
                // A query that is sent again is turned down, and that tells nothing of the first answer.
                let again = [Problem::Replayed, Problem::Expired];
                if !matches!(&receipt.stated, Stated::Failed(problem) if again.contains(problem)) {
                    let key = (&ledger.name.party, receipt.query, receipt.target);
                    *receipts.entry(key).or_insert(false) |= receipt.came;
                }
            }
        }
        Self { parties, receipts }
    }

    /// Notes the answers that one ledger tells of, in its own order.
    fn note(
        &self,
        register: &RegisterEvidence,
        ledger: &Told,
        of: impl Fn(&QueryId) -> bool,
        kept: &mut Table<ProjectId, Kept>,
    ) {
        if ledger.name.kind == LedgerKind::Receipts {
            self.received(register, ledger, &of, kept);
        }
        let decided = ledger.decided.iter().filter(|(query, _)| of(query));
        let ended = decided.filter_map(|(query, one)| Some((one.ended.as_ref()?, query, one)));
        let mut ended: Vec<_> = ended.collect();
        ended.sort_unstable_by_key(|(ended, ..)| ended.index);
        for (ended, query, decided) in ended {
            let told = ended.results.iter().filter(|one| self.tells(ledger, *query, decided, one));
            for target in told.map(|one| one.target) {
                let given = Given { query: *query, target, decided, at: ended.at };
                given.note(register, (&ledger.name, ended.index), kept);
            }
        }
    }

    /// The answers of which a requester has a receipt, and of which nobody else tells how they ended.
    fn received(
        &self,
        register: &RegisterEvidence,
        ledger: &Told,
        of: impl Fn(&QueryId) -> bool,
        kept: &mut Table<ProjectId, Kept>,
    ) {
        let mut told = BTreeSet::new();
        for receipt in ledger.receipts.iter().filter(|one| one.came && of(&one.query)) {
            let (query, target) = (receipt.query, receipt.target);
            let decided = self.parties.coordinator.and_then(|one| one.decided.get(&query));
            let decided = decided.filter(|one| one.ruled.requester == ledger.name.party);
            let Some(decided) = decided.filter(|one| one.result(target).is_none()) else {
                continue;
            };
            if !self.given(query, decided, target) && told.insert((query, target)) {
                let given = Given { query, target, decided, at: receipt.at };
                given.note(register, (&ledger.name, receipt.index), kept);
            }
        }
    }

    /// Whether a ledger tells of an answer that the requester has to destroy, and no other does before it.
    fn tells(&self, ledger: &Told, query: QueryId, decided: &Decided, told: &Result) -> bool {
        let (requester, answered) = (&decided.ruled.requester, told.stated.answered());
        let came = self.receipts.get(&(requester, query, told.target)).copied();
        match ledger.name.kind {
            LedgerKind::Coordinator if answered => came != Some(false),
            // Only the receipt knows better, unless the node does too.
            LedgerKind::Coordinator => {
                came == Some(true) && !self.given(query, decided, told.target)
            }
            LedgerKind::Node => {
                let relayed =
                    self.parties.coordinator.and_then(|one| relayed(one, query, told.target));
                let presumed =
                    || relayed.is_none() || !self.parties.receipts.contains_key(requester);
                answered && relayed != Some(true) && came.unwrap_or_else(presumed)
            }
            LedgerKind::Receipts => false,
        }
    }

    /// Whether the node, where its ledger is there, says that it gave the answer.
    fn given(&self, query: QueryId, decided: &Decided, target: u32) -> bool {
        let node = decided.target(target).and_then(|asked| self.parties.nodes.get(&asked.partner));
        node.and_then(|node| relayed(node, query, target)) == Some(true)
    }
}

/// One answer that a ledger tells of.
struct Given<'a> {
    query: QueryId,
    target: u32,
    decided: &'a Decided,
    at: Timestamp,
}

impl Given<'_> {
    fn note(
        &self,
        register: &RegisterEvidence,
        place: (&LedgerName, u64),
        kept: &mut Table<ProjectId, Kept>,
    ) {
        let Self { query, at, .. } = *self;
        let ruled = &self.decided.ruled;
        let Some(asked) = self.decided.target(self.target) else { return };
        let Some(project) = register.register().state().project(&ruled.project) else {
            // Whoever permits something in a project that nobody knows is told of, and owes nobody a row.
            return kept.leave_out();
        };
        let Some(row) = kept.row(ruled.project.clone()) else { return };
        // A number is about nobody, and nobody has to destroy it.
        if ruled.kind == QueryKind::Count {
            return row.numbers.note(place.0, place.1);
        }
        let (provider, receiver) = (asked.partner.clone(), ruled.requester.clone());
        let answer = Answer { query, provider, receiver, at };
        row.note(place, Some(project), &answer, last_day(at, ruled.retention_days));
    }
}

/// Whether a ledger says that all of an answer went out; `None` where it says nothing of how that ended.
fn relayed(ledger: &Told, query: QueryId, target: u32) -> Option<bool> {
    let result = ledger.decided.get(&query).and_then(|one| one.result(target))?;
    Some(result.stated.answered())
}
