//! What becomes of a project once a document about it was admitted.

use std::sync::Arc;

use super::{Decided, Project, Suspended};
use crate::{
    digest::Digest,
    documents::{
        Attestation, Closure, Destruction, Extension, Feedback, FinalReport, Mandate, Proposal,
        Resumption, Securing, Suspension, Withdrawal,
    },
};

impl Project {
    pub(in crate::register) fn propose(&mut self, hash: Digest, proposal: Arc<Proposal>) {
        self.proposals.insert(hash, proposal);
    }

    pub(in crate::register) fn attest(&mut self, hash: Digest, attestation: Arc<Attestation>) {
        self.attestations.insert(hash, attestation);
    }

    /// A version that is not approved leaves another that is in force.
    pub(in crate::register) fn decide(&mut self, decided: Decided) {
        let latest = self.ruled.map_or(0, |(_, version)| version).max(decided.proposal.version);
        self.ruled = Some((decided.decision.decided_on, latest));
        if decided.approves() {
            let start = decided.proposal.start;
            self.began = Some(self.began.map_or(start, |began| began.min(start)));
        }
        let other = |before: &Decided| before.approves() && before.hash != decided.hash;
        if decided.approves() || !self.decided.as_ref().is_some_and(other) {
            self.decided = Some(decided);
        }
    }

    pub(in crate::register) fn mandate(&mut self, hash: Digest, mandate: Arc<Mandate>) {
        self.mandates.push((hash, mandate));
    }

    pub(in crate::register) fn extend(&mut self, extension: Arc<Extension>) {
        if let Some(decided) = &mut self.decided {
            decided.extension = Some(extension);
        }
    }

    pub(in crate::register) fn suspend(&mut self, hash: Digest, suspension: Arc<Suspension>) {
        self.suspensions.insert(hash, Suspended { suspension, resumed: None });
    }

    pub(in crate::register) fn resume(&mut self, resumption: &Resumption) {
        if let Some(ended) = self.suspensions.get_mut(&resumption.suspension) {
            ended.resumed = Some(resumption.from);
        }
    }

    pub(in crate::register) fn withdraw(&mut self, withdrawal: Arc<Withdrawal>) {
        match &withdrawal.partner {
            Some(partner) => drop(self.left.insert(partner.clone(), withdrawal.from)),
            None => self.withdrawal = Some(withdrawal),
        }
    }

    pub(in crate::register) fn close(&mut self, closure: Arc<Closure>) {
        self.closure = Some(closure);
    }

    pub(in crate::register) fn feed_back(&mut self, feedback: Arc<Feedback>) {
        self.feedback.push(feedback);
    }

    pub(in crate::register) fn destroy(&mut self, destruction: Arc<Destruction>) {
        for item in &destruction.item {
            let key = (item.query, item.provider.clone(), destruction.partner.clone());
            let when = item.destroyed_at.unwrap_or(destruction.destroyed_at);
            self.destroyed.entry(key).or_default().insert(when);
        }
        self.destructions.push(destruction);
    }

    pub(in crate::register) fn conclude(&mut self, report: Arc<FinalReport>) {
        self.report = Some(report);
    }

    pub(in crate::register) fn secure(&mut self, securing: Arc<Securing>) {
        self.securing = Some(securing);
    }
}
