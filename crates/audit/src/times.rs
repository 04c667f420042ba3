//! What the times in the evidence say: what is on record late, what was written down afterwards, and what two
//! parties cannot both have seen. Clocks are off and answers take long, so none of it says that the evidence
//! does not hold.

use std::fmt;

use convenant_exchange::SKEW_SECONDS;
use convenant_model::Timestamp;
use serde::Serialize;

use crate::{Code, Finding, LedgerName, LedgerReplay};

/// How much times may differ before an audit tells of it, which `docs/audit.md` explains.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Slack {
    /// So many seconds two parties' clocks may differ: as many as a query may be early.
    pub skew_seconds: i64,
    /// So many seconds after a query expired its exchange may still end, and so much later than what it
    /// states an entry may be written.
    pub late_seconds: i64,
}

/// What is allowed. Nobody waits for an answer longer than its query is valid. The requester's clock may be
/// ahead by the skew, word that somebody did not answer may take some seconds more, and so may a disk.
pub const SLACK: Slack = Slack { skew_seconds: SKEW_SECONDS, late_seconds: 2 * SKEW_SECONDS };

/// The latest time in a ledger so far.
pub(crate) struct Latest {
    at: Timestamp,
    entry: u64,
    /// Whether an earlier one behind it was told of.
    told: bool,
}

/// Where another ledger tells of what came before.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) at: Timestamp,
    pub(crate) ledger: &'a LedgerName,
    pub(crate) entry: u64,
}

impl fmt::Display for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, ledger, entry } = self;
        write!(f, "at>={at} as in {ledger}, entry={entry}")
    }
}

/// Completes a finding where an exchange ended long after its query had expired.
pub(crate) fn late(at: Timestamp, expires: Timestamp, finding: Finding) -> Option<Finding> {
    let late = at.seconds_since(expires) > SLACK.late_seconds;
    late.then(|| finding.expected(format!("expires={expires}")).found(format!("at={at}")))
}

/// Completes a finding where something states an earlier time than what it followed from, by more than clocks
/// differ.
pub(crate) fn before(at: Timestamp, source: Source<'_>, finding: Finding) -> Option<Finding> {
    precedes(at, source.at).then(|| finding.expected(source).found(format!("at={at}")))
}

/// The same of a receipt, and of the time that the partner signed.
pub(crate) fn received(at: Timestamp, signed: Timestamp, finding: Finding) -> Option<Finding> {
    let expected = || format!("at>={signed} as in the signed outcome");
    precedes(at, signed).then(|| finding.expected(expected()).found(format!("at={at}")))
}

const fn precedes(at: Timestamp, earlier: Timestamp) -> bool {
    earlier.seconds_since(at) > SLACK.skew_seconds
}

impl LedgerReplay<'_> {
    /// Entries stand in the order in which they were written; a decision waits a moment for its place. Told of
    /// once for each latest time: it may be that one that is false, and not the many behind it.
    pub(crate) fn check_clock(&mut self, index: u64, at: Timestamp) {
        let latest = self.latest.get_or_insert(Latest { at, entry: index, told: false });
        if latest.at <= at {
            *latest = Latest { at, entry: index, told: false };
        } else if latest.at.seconds_since(at) > SLACK.late_seconds && !latest.told {
            latest.told = true;
            let finding = Finding::new(Code::WentBack, &self.told.name).entry(index);
            let before = Source { at: latest.at, ledger: &self.told.name, entry: latest.entry };
            self.findings.push(finding.expected(before).found(format!("at={at}")));
        }
    }
}
