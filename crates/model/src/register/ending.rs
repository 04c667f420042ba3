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
    subjects::holds_bsn,
};

impl RegisterState {
    /// A participant leaves a project by its own word or the LSI's; a project is withdrawn by the
    /// responsible partner, before it runs.
    pub(super) fn admit_withdrawal(&mut self, envelope: &impl Envelope) -> Admission {
        let mut check = Check::of(DocumentKind::Withdrawal);
        let withdrawal: Withdrawal = read(envelope)?;
        check.that(!holds_bsn(withdrawal.reason.as_str()), "reason", Breach::HoldsBsn);
        let Some(project) = self.projects.get(&withdrawal.project) else {
            return Err(check.stop("project", Breach::UnknownProject));
        };
        check.that(project.withdrawal().is_none(), "project", Breach::Withdrawn);
        let signer = match &withdrawal.partner {
            Some(partner) => {
                let takes_part = project.has_part_in(partner);
                check.that_of(takes_part, "partner", Breach::NotParticipant, partner);
                let first = project.left_from(partner).is_none();
                check.that(first, "partner", Breach::Closed);
                Some(partner)
            }
            None => {
                check.that(!project.runs_at(withdrawal.from), "from", Breach::Running);
                project.latest().map(|(_, latest)| &latest.responsible)
            }
        };
        let Some(signer) = signer else {
            return Err(check.stop("project", Breach::UnknownProject));
        };
        self.signed_or_quorum(check.kind(), envelope, signer)?;
        check.done()?;
        if let Some(project) = self.projects.get_mut(&withdrawal.project) {
            project.withdraw(Arc::new(withdrawal));
        }
        Ok(())
    }

    /// A project is closed by the responsible partner, once.
    pub(super) fn admit_closure(&mut self, envelope: &impl Envelope) -> Admission {
        let mut check = Check::of(DocumentKind::Closure);
        let closure: Closure = read(envelope)?;
        let (project, approved) = self.approved(&check, &closure.project)?;
        self.signed(check.kind(), envelope, &approved.proposal.responsible)?;
        check.that(!holds_bsn(closure.reason.as_str()), "reason", Breach::HoldsBsn);
        check.that(project.withdrawal().is_none(), "project", Breach::Withdrawn);
        check.that(project.closure().is_none(), "project", Breach::Closed);
        check.done()?;
        if let Some(project) = self.projects.get_mut(&closure.project) {
            project.close(Arc::new(closure));
        }
        Ok(())
    }

    /// Feedback is signed by a participant (clause L6); every hit without a follow-up has a reason (L16).
    pub(super) fn admit_feedback(&mut self, envelope: &impl Envelope) -> Admission {
        let mut check = Check::of(DocumentKind::Feedback);
        let feedback: Feedback = read(envelope)?;
        self.signed_by_receiver(&mut check, envelope, (&feedback.project, &feedback.partner))?;
        let some = feedback.complete || !feedback.item.is_empty();
        check.that(some, "item", Breach::Empty);
        for (i, item) in feedback.item.iter().enumerate() {
            check_item(&mut check, &format!("item[{i}]"), item);
        }
        check.done()?;
        if let Some(project) = self.projects.get_mut(&feedback.project) {
            project.feed_back(Arc::new(feedback));
        }
        Ok(())
    }

    /// A destruction record is signed by the receiver whose copies were destroyed (clause L8).
    pub(super) fn admit_destruction(&mut self, envelope: &impl Envelope) -> Admission {
        let mut check = Check::of(DocumentKind::Destruction);
        let destruction: Destruction = read(envelope)?;
        let signer = (&destruction.project, &destruction.partner);
        self.signed_by_receiver(&mut check, envelope, signer)?;
        let some = destruction.complete || !destruction.item.is_empty();
        check.that(some, "item", Breach::Empty);
        let texts = [
            ("manner", &destruction.manner),
            ("place", &destruction.place),
            ("operator", &destruction.operator),
        ];
        for (member, text) in texts {
            check.that(!holds_bsn(text.as_str()), member, Breach::HoldsBsn);
        }
        if destruction.complete {
            // While the project asks, more can come.
            let project = self.projects.get(&destruction.project);
            let ended = project.is_some_and(|project| project.ended_at(destruction.destroyed_at));
            check.that(ended, "complete", Breach::NotEnded);
        }
        check.done()?;
        if let Some(project) = self.projects.get_mut(&destruction.project) {
            project.destroy(Arc::new(destruction));
        }
        Ok(())
    }

    /// The final report comes after everything was destroyed and every hit reported on.
    pub(super) fn admit_final_report(&mut self, envelope: &impl Envelope) -> Admission {
        let mut check = Check::of(DocumentKind::FinalReport);
        let report: FinalReport = read(envelope)?;
        let (project, approved) = self.approved(&check, &report.project)?;
        let responsible = &approved.proposal.responsible;
        self.signed(check.kind(), envelope, responsible)?;
        check.that(project.all_destroyed(responsible), "project", Breach::NotDestroyed);
        check.that(project.all_reported(responsible), "project", Breach::NoFeedback);
        check.that(project.report().is_none(), "project", Breach::Closed);
        check.that(report.confirmed <= report.hits, "confirmed", Breach::MoreThanWhole);
        for (member, text) in [("summary", &report.summary), ("lessons", &report.lessons)] {
            check.that(!holds_bsn(text.as_str()), member, Breach::HoldsBsn);
        }
        check.done()?;
        if let Some(project) = self.projects.get_mut(&report.project) {
            project.conclude(Arc::new(report));
        }
        Ok(())
    }

    /// The last step.
    pub(super) fn admit_securing(&mut self, envelope: &impl Envelope) -> Admission {
        let mut check = Check::of(DocumentKind::Securing);
        let securing: Securing = read(envelope)?;
        let (project, approved) = self.approved(&check, &securing.project)?;
        self.signed(check.kind(), envelope, &approved.proposal.responsible)?;
        check.that(project.report().is_some(), "project", Breach::NotReported);
        check.that(project.securing().is_none(), "project", Breach::Closed);
        check.that(!holds_bsn(securing.measures.as_str()), "measures", Breach::HoldsBsn);
        check.done()?;
        if let Some(project) = self.projects.get_mut(&securing.project) {
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
        let (project, partner) = signer;
        self.approved(check, project)?;
        let takes_part = self.projects.get(project).is_some_and(|one| one.has_part_in(partner));
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
    let reason = item.reason.iter().any(|reason| holds_bsn(reason.as_str()));
    check.that(!reason, at("reason"), Breach::HoldsBsn);
    check.that(!holds_bsn(item.result.as_str()), at("result"), Breach::HoldsBsn);
    check.that(!holds_bsn(item.assessor.as_str()), at("assessor"), Breach::HoldsBsn);
}

impl Project {
    /// Whether the project may ask at an instant, or could from then on without another document: it was
    /// approved, its first day has come and somebody has a mandate.
    fn runs_at(&self, at: crate::time::Timestamp) -> bool {
        let approved = self.decided().filter(|decided| decided.approves());
        approved.is_some_and(|decided| {
            decided.decision.valid_from <= at.date() && self.mandates().next().is_some()
        })
    }
}
