//! What a suspension and its end need to be admitted.

use std::sync::Arc;

use super::{
    AdmissionError, Envelope, RegisterState, Suspended,
    admission::{Admission, Check},
};
use crate::{
    documents::{DocumentKind, Paragraph, Resumption, Ruling, Suspension},
    ids::Oin,
    subjects::holds_bsn,
};

impl RegisterState {
    /// A project that was approved is suspended by the LSI's quorum; what one participant provides in
    /// it, by that participant.
    pub(super) fn admit_suspension(&mut self, envelope: &impl Envelope) -> Admission {
        let check = Check(DocumentKind::Suspension);
        let suspension: Suspension = check.read(envelope)?;
        names_nobody(check, &suspension.reason)?;
        let decided = self.projects.get(&suspension.project).and_then(super::Project::decided);
        let approved = decided.filter(|decided| decided.decision.outcome == Ruling::Approved);
        let Some(approved) = approved else {
            return check.fail("project", "the LSI approved no such project");
        };
        if let Some(partner) = &suspension.partner {
            let mut participants = approved.proposal.participant.iter();
            check.that(participants.any(|one| one.partner == *partner), "partner", || {
                "does not take part in the project (clause S2)".to_owned()
            })?;
        }
        self.signed_by_suspender(check, envelope, suspension.partner.as_ref())?;
        if let Some(project) = self.projects.get_mut(&suspension.project) {
            let suspended = Suspended { suspension: Arc::new(suspension), resumed: None };
            project.suspensions.insert(envelope.payload_hash(), suspended);
        }
        Ok(())
    }

    /// A suspension is ended by whoever suspended, not before it began. An end that was set too late can be
    /// brought forward; one that was set is never put off.
    pub(super) fn admit_resumption(&mut self, envelope: &impl Envelope) -> Admission {
        let check = Check(DocumentKind::Resumption);
        let resumption: Resumption = check.read(envelope)?;
        names_nobody(check, &resumption.reason)?;
        let project = self.projects.get(&resumption.project);
        let found = project.and_then(|project| project.suspensions.get(&resumption.suspension));
        let Some(Suspended { suspension, resumed }) = found else {
            return check.fail("suspension", "no suspension of this project has this hash");
        };
        let earlier = resumed.is_none_or(|resumed| resumption.from < resumed);
        check.that(earlier, "from", || {
            "the suspension ends no later than that already".to_owned()
        })?;
        check.that(resumption.from >= suspension.from, "from", || {
            "lies before the suspension".to_owned()
        })?;
        self.signed_by_suspender(check, envelope, suspension.partner.as_ref())?;
        let project = self.projects.get_mut(&resumption.project);
        let ended = project.and_then(|one| one.suspensions.get_mut(&resumption.suspension));
        if let Some(ended) = ended {
            ended.resumed = Some(resumption.from);
        }
        Ok(())
    }

    fn signed_by_suspender(
        &self,
        check: Check,
        envelope: &impl Envelope,
        partner: Option<&Oin>,
    ) -> Result<(), AdmissionError> {
        match partner {
            Some(partner) => check.signed(envelope, partner, self.enrolled(check, partner)?),
            None => self.quorum(check.0, envelope),
        }
    }
}

/// Every party reads the register, and it keeps what it holds.
fn names_nobody(check: Check, reason: &Paragraph) -> Admission {
    check.that(!holds_bsn(reason.as_str()), "reason", || "holds a BSN (clause L14)".to_owned())
}
