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
    /// The latest decision with a register of at most so many documents, where that is later than with fewer.
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
        self.note_documents(decision.register.size, decision.at);
    }

    fn note_documents(&mut self, size: u64, at: Timestamp) {
        let known = self.decided.range(..=size).next_back();
        if known.is_some_and(|(_, latest)| *latest >= at) {
            return;
        }
        let later = self.decided.range(size..).take_while(|(_, latest)| **latest <= at);
        let later: Vec<_> = later.map(|(size, _)| *size).collect();
        for size in later {
            self.decided.remove(&size);
        }
        self.decided.insert(size, at);
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
        self.decided.range(..documents).next_back().map(|(_, at)| *at)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Against all decisions one by one; sizes and times come in any order.
    #[test]
    fn the_last_decision_with_fewer_documents() {
        let at = |millis| Timestamp::from_millis(millis).unwrap();
        let (mut passed, mut all) = (Passed::default(), Vec::new());
        for number in 0..200_i64 {
            let (size, time) = ((number * 37 % 23).unsigned_abs(), at(number * 101 % 61));
            passed.note_documents(size, time);
            all.push((size, time));
            for documents in 0..25 {
                let fewer = all.iter().filter(|(size, _)| *size < documents);
                assert_eq!(passed.before(documents), fewer.map(|(_, at)| *at).max());
            }
        }
    }
}
