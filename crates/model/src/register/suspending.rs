//! What a suspension and its end need to be admitted.

use std::sync::Arc;

use super::{
    Envelope, RegisterState,
    breach::{Breach, Check},
    signed::{Admission, read},
};
use crate::{
    documents::{DocumentKind, Resumption, Suspension},
    ids::Oin,
};

impl RegisterState {
    /// A project that was approved is suspended by the LSI's quorum; what one participant provides in
    /// it, by that participant.
    pub(super) fn admit_suspension(&mut self, envelope: &impl Envelope) -> Admission {
        let mut check = Check::of(DocumentKind::Suspension);
        let suspension: Suspension = read(&mut check, envelope)?;
        let (_, approved) = self.approved(&check, &suspension.project)?;
        if let Some(partner) = &suspension.partner {
            let takes_part = approved.proposal.takes_part(partner);
            check.that_of(takes_part, "partner", Breach::NotParticipant, partner);
        }
        check.done()?;
        self.signed_by_suspender(DocumentKind::Suspension, envelope, suspension.partner.as_ref())?;
        if let Some(project) = self.project_mut(&suspension.project) {
            project.suspend(envelope.payload_hash(), Arc::new(suspension));
        }
        Ok(())
    }

    /// A suspension is ended by whoever suspended, not before it began. An end that was set too late can be
    /// brought forward; one that was set is never put off.
    pub(super) fn admit_resumption(&mut self, envelope: &impl Envelope) -> Admission {
        let mut check = Check::of(DocumentKind::Resumption);
        let resumption: Resumption = read(&mut check, envelope)?;
        let project = self.project(&resumption.project);
        let found = project.and_then(|project| project.suspension(&resumption.suspension));
        let Some((suspension, resumed)) = found else {
            check.that(false, "suspension", Breach::UnknownSuspension);
            return check.done();
        };
        let earlier = resumed.is_none_or(|resumed| resumption.from < resumed);
        check.that(earlier, "from", Breach::EndsAlready);
        check.that(resumption.from >= suspension.from, "from", Breach::BeforeSuspension);
        check.done()?;
        let partner = suspension.partner.as_ref();
        self.signed_by_suspender(DocumentKind::Resumption, envelope, partner)?;
        if let Some(project) = self.project_mut(&resumption.project) {
            project.resume(&resumption);
        }
        Ok(())
    }

    fn signed_by_suspender(
        &self,
        kind: DocumentKind,
        envelope: &impl Envelope,
        partner: Option<&Oin>,
    ) -> Admission {
        match partner {
            Some(partner) => self.signed(kind, envelope, partner),
            None => self.quorum(kind, envelope),
        }
    }
}
