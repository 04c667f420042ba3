//! Whether what was permitted when an answer began still is. An answer can take minutes; a suspension
//! holds at once.

use convenant_clauses::{Permit, Request, Verdict, decide};
use convenant_model::{
    Oin, Problem, Timestamp,
    entry::Usage,
    keys::VerifyingKey,
    query::RegisterPosition,
    register::{Project, RegisterState},
};

use super::{Answering, Asked};

/// The permit of an answer that is under way.
pub(super) struct Lapse<'a> {
    answering: &'a Answering,
    asked: &'a Asked,
    permit: &'a Permit,
    // The register with which it was last permitted, and when.
    position: RegisterPosition,
    at: Timestamp,
}

impl<'a> Lapse<'a> {
    pub(super) fn new(answering: &'a Answering, asked: &'a Asked, permit: &'a Permit) -> Self {
        let (position, at) = (asked.snapshot.position(), asked.received.at());
        Self { answering, asked, permit, position, at }
    }

    /// Fails when nothing more may leave: a suspension holds by now or the project is over, or with what came into the register
    /// since, the same query would no longer be permitted the same, or nobody would vouch for its subjects.
    pub(super) fn check(&mut self) -> Result<(), Problem> {
        let snapshot = self.answering.follower.current();
        let (at, own) = (self.answering.clock.now(), &self.answering.party);
        let rules = snapshot.trusted(at).map_err(|distrust| distrust.problem())?;
        let (query, state) = (self.asked.received.query(), snapshot.register().state());
        let project = state.project(&query.project).ok_or(Problem::Lapsed)?;
        let stopped = project.suspended(at).is_some() || project.withheld(own, at).is_some();
        if stopped
            || !self.vouched(state, project, at)
            || project.ended_at(at)
            || project.withdrawn(at)
        {
            return Err(Problem::Lapsed);
        }
        // A departure or a revocation takes effect at an instant of its own and needs no new document.
        let moment = at.seconds_since(self.at) == 0;
        if snapshot.position() == self.position && moment {
            return Ok(());
        }
        let request = Request {
            query,
            signed_query: self.asked.received.signed(),
            at,
            party: own,
            peer: self.asked.received.peer(),
            // What this query uses of the quota was counted when it was permitted.
            used: Usage::default(),
            counted: &[],
            register: snapshot.position(),
        };
        match decide(rules, state, &request, self.asked.target as usize) {
            Verdict::Permit(again) if again.obligations() == self.permit.obligations() => {
                (self.position, self.at) = (snapshot.position(), at);
                Ok(())
            }
            _ => Err(Problem::Lapsed),
        }
    }

    /// Whether whoever vouched for the subjects still could: a partner that suspended nothing, none of whose ledger
    /// keys was revoked since. Which of them signed the vouchers is not kept.
    fn vouched(&self, state: &RegisterState, project: &Project, at: Timestamp) -> bool {
        let (before, taken) = (self.asked.snapshot.register().state(), self.asked.received.at());
        let stands = |issuer: &Oin| {
            let mut keys = state.enrolments_of(issuer).map(|enrolment| &enrolment.ledger_key);
            let revoked = |key: &VerifyingKey| {
                state.is_revoked(issuer, key, at) && !before.is_revoked(issuer, key, taken)
            };
            state.enrolment_at(issuer, at).is_some()
                && project.withheld(issuer, at).is_none()
                && !keys.any(revoked)
        };
        self.permit.vouched_by().iter().all(|one| stands(&one.issuer))
    }
}
