//! What is still to be done about a project, by whom and by when: the part of clauses S4, S6, L2, L6, L8 and S13
//! that no query waits for.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Project, ProjectState};
use crate::{
    covenant::{Covenant, Term},
    ids::Oin,
    time::{Date, Timestamp},
};

/// Who must act.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Actor {
    /// The LSI's quorum.
    Lsi,
    /// An organisation.
    Partner(Oin),
}

/// What must be done.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Sign an attestation of the latest version (L2).
    Attest,
    /// Decide on it (S4).
    Decide,
    /// Name a leader (S6).
    Mandate,
    /// Resume, or close (S4, S2).
    Resume,
    /// Report on every hit (L6).
    Feedback,
    /// Destroy everything, and record it (L6, L8).
    Destroy,
    /// Write the final report (S13, S16).
    Report,
    /// Secure what was learned (S13).
    Secure,
}

/// One thing that is to be done.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Duty {
    /// What.
    pub task: Task,
    /// By whom.
    pub who: Actor,
    /// Last day, where there is one. What comes after it in the covenant's order waits till then at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Date>,
}

/// The days that matter in a project that was approved.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Terms {
    /// First day on which it may exchange data.
    pub first: Date,
    /// Last day, with its extension.
    pub last: Date,
    /// Last day on which it could be, with the longest extension (S11).
    pub longest: Date,
    /// Last day for feedback on every hit (L6).
    pub feedback: Date,
    /// Last day on which anything of it may be kept (L6).
    pub destruction: Date,
}

/// The last days of what is due once a project asks nothing more (L6). They count from its beginning, whatever became
/// of it afterwards.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct LastDays {
    /// For feedback on every hit.
    pub feedback: Date,
    /// On which anything of it may be kept.
    pub destruction: Date,
}

impl Project {
    /// The last days for feedback and destruction; `None` where it never was approved.
    #[must_use]
    pub fn last_days(&self, covenant: &Covenant) -> Option<LastDays> {
        let began = self.began()?;
        let after = |term| began.plus_months(covenant.months(term));
        Some(LastDays { feedback: after(Term::Feedback), destruction: after(Term::Destruction) })
    }

    /// The days that matter; `None` while nothing was approved.
    #[must_use]
    pub fn terms(&self, covenant: &Covenant) -> Option<Terms> {
        let decided = self.decided().filter(|decided| decided.approves())?;
        let began = self.began().unwrap_or(decided.proposal.start);
        let LastDays { feedback, destruction } = self.last_days(covenant)?;
        Some(Terms {
            first: decided.decision.valid_from,
            last: decided.last_day(),
            longest: began.plus_months(covenant.months(Term::Longest)).plus_days(-1),
            feedback,
            destruction,
        })
    }

    /// Whether an answer that is asked on the last day and kept as long as granted would outlive the day by
    /// which everything is destroyed: the time left is shorter than the duties need.
    #[must_use]
    pub fn leaves_too_little_time(&self, covenant: &Covenant) -> bool {
        let annexes = self.decided().map_or(&[][..], |decided| decided.proposal.annex.as_slice());
        let longest = annexes.iter().map(|annex| annex.retention_days).max().unwrap_or(0);
        let last = |terms: Terms| terms.last.plus_days(i32::from(longest)) > terms.destruction;
        self.terms(covenant).is_some_and(last)
    }

    /// What is still to be done at an instant, in the order in which it comes.
    #[must_use]
    pub fn duties(&self, covenant: &Covenant, at: Timestamp) -> Vec<Duty> {
        let state = self.state_at(at);
        let mut duties = match state {
            ProjectState::Withdrawn | ProjectState::Rejected | ProjectState::Secured => Vec::new(),
            ProjectState::Submitted => self.missing_attestations(),
            ProjectState::Reviewed => vec![Duty::of(Task::Decide, Actor::Lsi, None)],
            state => self.duties_decided(covenant, state, at),
        };
        // The LSI decided against it after it ran, whether or not another version is under way: nobody asks anything
        // more, and what was received is there all the same.
        if state != ProjectState::Withdrawn && self.was_stopped() {
            duties.extend(self.duties_of_receivers(covenant));
        }
        let withheld = self.suspensions_at(at).map(|one| match &one.partner {
            Some(oin) => Duty::of(Task::Resume, Actor::Partner(oin.clone()), None),
            None => Duty::of(Task::Resume, Actor::Lsi, None),
        });
        if !self.ended_at(at) {
            duties.extend(withheld);
        }
        duties
    }

    /// Whether the LSI decided against a project in which somebody could have asked.
    fn was_stopped(&self) -> bool {
        let against = self.decided().is_some_and(|decided| !decided.approves());
        against && self.began().is_some() && self.mandates().next().is_some()
    }

    fn missing_attestations(&self) -> Vec<Duty> {
        let Some((hash, latest)) = self.latest() else { return Vec::new() };
        let attested: BTreeSet<_> = self.attested(hash).map(|one| &one.partner).collect();
        let participants = latest.participants();
        let missing = participants.into_iter().filter(|oin| !attested.contains(oin));
        missing.map(|oin| Duty::of(Task::Attest, Actor::Partner(oin.clone()), None)).collect()
    }

    fn duties_decided(&self, covenant: &Covenant, state: ProjectState, at: Timestamp) -> Vec<Duty> {
        let Some(decided) = self.decided() else { return Vec::new() };
        let responsible = &decided.proposal.responsible;
        let own = |task, due| Duty::of(task, Actor::Partner(responsible.clone()), due);
        let mut duties = Vec::new();
        let today = at.date();
        let named = self.mandates().any(|one| {
            one.proposal == decided.hash && (one.valid_from..=one.valid_until).contains(&today)
        });
        if !self.ended_at(at) && !named {
            duties.push(own(Task::Mandate, None));
        }
        duties.extend(self.duties_of_receivers(covenant));
        if state == ProjectState::Destroyed {
            duties.push(own(Task::Report, None));
        }
        if state == ProjectState::Evaluated {
            duties.push(own(Task::Secure, None));
        }
        duties
    }

    /// Whoever may have received something reports on it, and destroys it.
    fn duties_of_receivers(&self, covenant: &Covenant) -> Vec<Duty> {
        let Some(LastDays { feedback, destruction }) = self.last_days(covenant) else {
            return Vec::new();
        };
        let mut duties = Vec::new();
        for receiver in self.receivers() {
            let of = |task, due| Duty::of(task, Actor::Partner(receiver.clone()), Some(due));
            if !self.all_reported(receiver) {
                duties.push(of(Task::Feedback, feedback));
            }
            if !self.is_emptied(receiver) {
                duties.push(of(Task::Destroy, destruction));
            }
        }
        duties
    }
}

impl Duty {
    const fn of(task: Task, who: Actor, due: Option<Date>) -> Self {
        Self { task, who, due }
    }

    /// Whether its last day has passed.
    #[must_use]
    pub fn overdue(&self, today: Date) -> bool {
        self.due.is_some_and(|due| due < today)
    }

    /// Days left until the end of its last day; negative when that has passed.
    #[must_use]
    pub fn days_left(&self, today: Date) -> Option<i32> {
        Some(self.due?.days_since_epoch() - today.days_since_epoch())
    }
}
