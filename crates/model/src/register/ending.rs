//! What the documents at a project's end need to be admitted.

use std::sync::Arc;

use super::{
    Envelope, Project, RegisterState,
    breach::{Breach, Check},
    signed::{Admission, read},
};
use crate::{
    documents::{
        Closure, Destruction, DocumentKind, Feedback, FeedbackItem, FinalReport, Securing,
        Withdrawal,
    },
    ids::{Oin, ProjectId},
};

impl RegisterState {
    /// A participant leaves a project by its own word or the LSI's; a project is withdrawn by the
    /// responsible partner, before it runs.
    pub(super) fn admit_withdrawal(&mut self, envelope: &impl Envelope) -> Admission {
        let mut check = Check::of(DocumentKind::Withdrawal);
        let withdrawal: Withdrawal = read(&mut check, envelope)?;
        let Some(project) = self.project(&withdrawal.project) else {
            return Err(check.stop("project", Breach::UnknownProject));
        };
        let before = project.withdrawal().map(|before| before.from);
        let earlier = before.is_none_or(|before| withdrawal.from < before);
        let whole = withdrawal.partner.is_none();
        check.that(!whole || earlier, "from", Breach::SaidBefore);
        let withdrawn = project.withdrawal().is_some();
        check.that(whole || !withdrawn, "project", Breach::Withdrawn);
        let signer = match &withdrawal.partner {
            Some(partner) => {
                let takes_part = project.has_part_in(partner);
                check.that_of(takes_part, "partner", Breach::NotParticipant, partner);
                // Of two instants the earlier one counts: nobody puts off what the LSI can bring about.
                let before = project.left_from(partner);
                let earlier = before.is_none_or(|before| withdrawal.from < before);
                check.that(earlier, "from", Breach::SaidBefore);
                Some(partner)
            }
            None => {
                // The register does not know the day, and `from` is for its author to choose.
                let idle = project.mandates().next().is_none();
                check.that(idle, "project", Breach::Running);
                project.responsible()
            }
        };
        let Some(signer) = signer else {
            return Err(check.stop("project", Breach::UnknownProject));
        };
        self.signed_or_quorum(check.kind(), envelope, signer)?;
        check.done()?;
        if let Some(project) = self.project_mut(&withdrawal.project) {
            project.withdraw(Arc::new(withdrawal));
        }
        Ok(())
    }

    /// A project is closed by the responsible partner or by the LSI's quorum. Of two instants the earlier one
    /// counts: whoever announces a late end is stopped all the same.
    pub(super) fn admit_closure(&mut self, envelope: &impl Envelope) -> Admission {
        let mut check = Check::of(DocumentKind::Closure);
        let closure: Closure = read(&mut check, envelope)?;
        let (project, approved) = self.approved(&check, &closure.project)?;
        self.signed_or_quorum(check.kind(), envelope, &approved.proposal.responsible)?;
        check.that(project.withdrawal().is_none(), "project", Breach::Withdrawn);
        let before = project.closure().map(|before| before.from);
        let earlier = before.is_none_or(|before| closure.from < before);
        check.that(earlier, "from", Breach::SaidBefore);
        check.done()?;
        if let Some(project) = self.project_mut(&closure.project) {
            project.close(Arc::new(closure));
        }
        Ok(())
    }

    /// Feedback is signed by a participant (clause L6); every hit without a follow-up has a reason (L16).
    pub(super) fn admit_feedback(&mut self, envelope: &impl Envelope) -> Admission {
        let mut check = Check::of(DocumentKind::Feedback);
        let feedback: Feedback = read(&mut check, envelope)?;
        self.signed_by_receiver(&mut check, envelope, (&feedback.project, &feedback.partner))?;
        let some = feedback.complete || !feedback.item.is_empty();
        check.that(some, "item", Breach::Empty);
        for (i, item) in feedback.item.iter().enumerate() {
            check_item(&mut check, &format!("item[{i}]"), item);
        }
        check.done()?;
        if let Some(project) = self.project_mut(&feedback.project) {
            project.feed_back(Arc::new(feedback));
        }
        Ok(())
    }

    /// A destruction record is signed by the receiver whose copies were destroyed (clause L8).
    pub(super) fn admit_destruction(&mut self, envelope: &impl Envelope) -> Admission {
        let mut check = Check::of(DocumentKind::Destruction);
        let destruction: Destruction = read(&mut check, envelope)?;
        let signer = (&destruction.project, &destruction.partner);
        self.signed_by_receiver(&mut check, envelope, signer)?;
        let some = destruction.complete || !destruction.item.is_empty();
        check.that(some, "item", Breach::Empty);
        for (i, item) in destruction.item.iter().enumerate() {
            let by_then = item.destroyed_at.is_none_or(|when| when <= destruction.destroyed_at);
            check.that(by_then, format!("item[{i}].destroyed_at"), Breach::AfterRecord);
        }
        if destruction.complete {
            // While the project asks, more can come.
            let project = self.project(&destruction.project);
            let ended = project.is_some_and(|project| project.ended_at(destruction.destroyed_at));
            check.that(ended, "complete", Breach::NotEnded);
        }
        check.done()?;
        if let Some(project) = self.project_mut(&destruction.project) {
            project.destroy(Arc::new(destruction));
        }
        Ok(())
    }

    /// The final report comes after everything was destroyed and every hit reported on.
    pub(super) fn admit_final_report(&mut self, envelope: &impl Envelope) -> Admission {
        let mut check = Check::of(DocumentKind::FinalReport);
        let report: FinalReport = read(&mut check, envelope)?;
        let (project, approved) = self.approved(&check, &report.project)?;
        let responsible = &approved.proposal.responsible;
        self.signed(check.kind(), envelope, responsible)?;
        check.that(project.emptied_from().is_some(), "project", Breach::NotDestroyed);
        for receiver in project.receivers() {
            let reported = project.all_reported(receiver);
            check.that_of(reported, "project", Breach::NoFeedback, receiver);
        }
        check.that(project.report().is_none(), "project", Breach::SaidBefore);
        check.that(report.confirmed <= report.hits, "confirmed", Breach::MoreThanWhole);
        check.done()?;
        if let Some(project) = self.project_mut(&report.project) {
            project.conclude(Arc::new(report));
        }
        Ok(())
    }

    /// The last step.
    pub(super) fn admit_securing(&mut self, envelope: &impl Envelope) -> Admission {
        let mut check = Check::of(DocumentKind::Securing);
        let securing: Securing = read(&mut check, envelope)?;
        let (project, approved) = self.approved(&check, &securing.project)?;
        self.signed(check.kind(), envelope, &approved.proposal.responsible)?;
        check.that(project.report().is_some(), "project", Breach::NotReported);
        check.that(project.securing().is_none(), "project", Breach::SaidBefore);
        check.done()?;
        if let Some(project) = self.project_mut(&securing.project) {
            project.secure(Arc::new(securing));
        }
        Ok(())
    }

    fn signed_by_receiver(
        &self,
        check: &mut Check,
        envelope: &impl Envelope,
        signer: (&ProjectId, &Oin),
    ) -> Admission {
        let (id, partner) = signer;
        // Also of a project that the LSI stopped: what it received is still to be destroyed.
        let began = |project: &&Project| project.began().is_some();
        let Some(project) = self.project(id).filter(began) else {
            return Err(Check::of(check.kind()).stop("project", Breach::NotApproved));
        };
        let takes_part = project.has_part_in(partner);
        check.that_of(takes_part, "partner", Breach::NotParticipant, partner);
        self.signed(check.kind(), envelope, partner)
    }
}

fn check_item(check: &mut Check, place: &str, item: &FeedbackItem) {
    let at = |member: &str| format!("{place}.{member}");
    check.that(item.usable <= item.hits, at("usable"), Breach::MoreThanWhole);
    check.that(item.followed_up <= item.hits, at("followed_up"), Breach::MoreThanWhole);
    let explained = item.followed_up >= item.hits || item.reason.is_some();
    check.that(explained, at("reason"), Breach::NoReason);
}

impl Project {
    /// Whoever is responsible for the version in force; for the latest where none is. Another version does not
    /// make anybody responsible before it is decided on.
    fn responsible(&self) -> Option<&Oin> {
        let decided = self.decided().filter(|decided| decided.approves());
        let proposal = decided.map(|decided| &decided.proposal);
        let proposal = proposal.or_else(|| self.latest().map(|(_, latest)| latest));
        proposal.map(|proposal| &proposal.responsible)
    }
}
