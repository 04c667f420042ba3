//! Signatures made with a key from the instant on from which it was revoked.
//!
//! Who took a key writes what time he likes, so the time that a signature states is the least that
//! counts. What he cannot move is the time at which another party wrote it down, the order of a ledger,
//! and the register that an entry names: whoever names a document has seen it, and the coordinator's
//! decisions tell until when it was not there. Of all these the latest counts.

use std::collections::BTreeMap;

use convenant_model::{Oin, Timestamp, entry::Decision, keys::VerifyingKey, query::Query};

use crate::{Code, Finding, RegisterEvidence, told::Told};

/// The time that passed in a ledger, by what is written in it.
#[derive(Default)]
pub(crate) struct Passed {
    began: Option<Timestamp>,
    /// The latest time so far.
    latest: Option<Timestamp>,
    /// The latest time when there were so many entries.
    marked: BTreeMap<u64, Option<Timestamp>>,
    /// The latest decision with a register of so many documents.
    decided: BTreeMap<u64, Timestamp>,
}

impl Passed {
    pub(crate) fn note(&mut self, at: Timestamp) {
        self.began.get_or_insert(at);
        self.latest = self.latest.max(Some(at));
    }

    /// Notes that there are so many entries, because the time until then will be asked for.
    pub(crate) fn mark(&mut self, entries: u64) {
        self.marked.insert(entries, self.latest);
    }

    pub(crate) fn note_decision(&mut self, decision: &Decision) {
        let latest = self.decided.entry(decision.register.size).or_insert(decision.at);
        *latest = decision.at.max(*latest);
    }

    /// The time of the first entry.
    pub(crate) const fn began(&self) -> Option<Timestamp> {
        self.began
    }

    /// The latest time in the first `entries` entries, where that was marked; else in all of them.
    pub(crate) fn until(&self, entries: u64) -> Option<Timestamp> {
        self.marked.get(&entries).copied().unwrap_or(self.latest)
    }

    /// The latest time in all entries.
    pub(crate) const fn latest(&self) -> Option<Timestamp> {
        self.latest
    }

    /// The last decision with fewer documents than these: so many were not there before it.
    pub(crate) fn before(&self, documents: u64) -> Option<Timestamp> {
        self.decided.range(..documents).map(|(_, at)| *at).max()
    }

    /// When a decision was made at the earliest. Decisions that are under way at the same time reach the
    /// ledger out of order, by less than `minutes`.
    pub(crate) fn of(&self, decision: &Decision, query: &Query, minutes: i64) -> Timestamp {
        let named = decision.register.size.max(query.register.size);
        let behind = self.latest.map(|latest| latest.plus_seconds(-60 * minutes));
        let times = [behind, self.before(named)];
        times.into_iter().flatten().fold(decision.at, Timestamp::max)
    }
}

/// Of a key that was revoked: from when on.
#[derive(Clone, Copy)]
pub(crate) struct Revoked(Timestamp);

impl Revoked {
    pub(crate) fn of(evidence: &RegisterEvidence, party: &Oin, key: &VerifyingKey) -> Option<Self> {
        evidence.register().state().revoked_from(party, key).map(Self)
    }

    /// Completes a finding where a signature was made at this time, or later.
    pub(crate) fn judge(self, signed: Timestamp, finding: Finding) -> Option<Finding> {
        let Self(from) = self;
        let finding =
            || finding.expected(format!("before={from}")).found(format!("signed={signed}"));
        (signed >= from).then(finding)
    }
}

/// Documents that came into the register with such a signature before the revocation did: their own
/// time is that of the coordinator's decisions around them.
pub(crate) fn documents(evidence: &RegisterEvidence, coordinator: &Told) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (_, key, from) in evidence.register().state().revocations() {
        for index in evidence.signed_with(key) {
            let Some(at) = coordinator.passed.before(index + 1) else { continue };
            let finding = Finding::new(Code::KeyRevoked, "register").entry(index);
            findings.extend(Revoked(from).judge(at, finding));
        }
    }
    findings
}
