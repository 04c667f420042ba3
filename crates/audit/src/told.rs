//! What one ledger tells, as far as it must be held against what other ledgers tell.

use std::collections::{BTreeMap, BTreeSet};

use convenant_model::{Oin, ProjectId, QueryId, Timestamp};

use crate::{
    LedgerKind, LedgerName, account::Decided, figures::Kept, receipt::Received, revoked::Passed,
    table::Table, times::SLACK,
};

/// What one ledger tells of the exchanges that are not over yet.
pub(crate) struct Told {
    pub(crate) name: LedgerName,
    /// How many entries there are.
    pub(crate) entries: u64,
    pub(crate) decided: BTreeMap<QueryId, Decided>,
    pub(crate) rejected: BTreeSet<QueryId>,
    pub(crate) receipts: Vec<Received>,
    pub(crate) passed: Passed,
    /// Whether others are missing behind these entries or cannot be read, which is a finding by itself: what the rest
    /// holds is then no proof of what those did not hold.
    pub(crate) is_cut: bool,
    /// The first entry that is not the one at its place, where one before it is missing, which is a finding by itself.
    pub(crate) moved_from: Option<u64>,
    /// Whether its party signed for more entries before, which is a finding by itself.
    pub(crate) set_back: bool,
    /// Of exchanges that are over: the answers that vouch for others (clause S10), and to whom they were given.
    pub(crate) vouched: BTreeSet<(QueryId, Oin)>,
    /// Of exchanges that are over, and at the end of all: the answers that must be destroyed.
    pub(crate) kept: Table<ProjectId, Kept>,
}

impl Told {
    pub(crate) fn new(name: LedgerName) -> Self {
        Self {
            name,
            entries: 0,
            decided: BTreeMap::new(),
            rejected: BTreeSet::new(),
            receipts: Vec::new(),
            passed: Passed::default(),
            is_cut: false,
            moved_from: None,
            set_back: false,
            vouched: BTreeSet::new(),
            kept: Table::of_known(),
        }
    }

    /// Whether what others know of is not told of here because the ledger could not be read to its end, or is an old one
    /// and ends before: each a finding by itself. `at` is the earliest time that anybody states; clocks differ a little.
    pub(crate) fn is_silent_of(&self, at: Timestamp) -> bool {
        let clock = at.plus_seconds(SLACK.skew_seconds);
        self.is_cut || (self.set_back && self.passed.latest() < Some(clock))
    }
}

/// The ledgers that are there.
pub(crate) struct Parties<'a> {
    pub(crate) coordinator: Option<&'a Told>,
    pub(crate) nodes: BTreeMap<&'a Oin, &'a Told>,
    pub(crate) receipts: BTreeMap<&'a Oin, &'a Told>,
}

impl<'a> Parties<'a> {
    pub(crate) fn new(ledgers: &[&'a Told]) -> Self {
        let of = |kind| ledgers.iter().copied().filter(move |ledger| ledger.name.kind == kind);
        let by_party = |kind| of(kind).map(|one| (&one.name.party, one)).collect();
        Self {
            coordinator: of(LedgerKind::Coordinator).next(),
            nodes: by_party(LedgerKind::Node),
            receipts: by_party(LedgerKind::Receipts),
        }
    }
}
