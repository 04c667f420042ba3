//! A project as far as the register knows it, and where it is in its life.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::Serialize;

use crate::{
    digest::Digest,
    documents::{
        Attestation, Closure, Destruction, Extension, Feedback, FinalReport, Holder, Mandate,
        ProjectDecision, Proposal, Role, Ruling, Securing, Suspension, Withdrawal,
    },
    ids::{Oin, QueryId},
    keys::VerifyingKey,
    time::{Date, SKEW_SECONDS, Timestamp},
};

mod taking;

/// A project: every document about it, in the order in which the register took them.
#[derive(Clone, Debug, Default)]
pub struct Project {
    proposals: BTreeMap<Digest, Arc<Proposal>>,
    attestations: BTreeMap<Digest, Arc<Attestation>>,
    decided: Option<Decided>,
    // First day of the earliest version that was ever approved.
    began: Option<Date>,
    // Day of the latest decision and latest version that was decided on, whichever is in force.
    ruled: Option<(Date, u32)>,
    mandates: Vec<(Digest, Arc<Mandate>)>,
    // By the hash of its payload, which is how a resumption names it.
    suspensions: BTreeMap<Digest, Suspended>,
    left: BTreeMap<Oin, Timestamp>,
    withdrawal: Option<Arc<Withdrawal>>,
    closure: Option<Arc<Closure>>,
    feedback: Vec<Arc<Feedback>>,
    destructions: Vec<Arc<Destruction>>,
    // By query, provider and receiver: when they were destroyed.
    destroyed: BTreeMap<(QueryId, Oin, Oin), BTreeSet<Timestamp>>,
    report: Option<Arc<FinalReport>>,
    securing: Option<Arc<Securing>>,
}

/// A suspension, and from when on it no longer holds.
#[derive(Clone, Debug)]
struct Suspended {
    suspension: Arc<Suspension>,
    resumed: Option<Timestamp>,
}

/// An answer that somebody may still keep.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// The query.
    pub query: QueryId,
    /// The partner that answered.
    pub provider: Oin,
    /// The partner that received it.
    pub receiver: Oin,
    /// When it was given.
    pub at: Timestamp,
}

/// The decision on a project together with what was decided on.
#[derive(Clone, Debug)]
pub struct Decided {
    /// Hash of the proposal that was decided on.
    pub hash: Digest,
    /// That proposal.
    pub proposal: Arc<Proposal>,
    /// The decision.
    pub decision: Arc<ProjectDecision>,
    /// The latest extension, if there is one.
    pub extension: Option<Arc<Extension>>,
}

impl Decided {
    /// Whether the LSI approved.
    #[must_use]
    pub fn approves(&self) -> bool {
        self.decision.outcome == Ruling::Approved
    }

    /// The last day on which the project may exchange data, with its extension.
    #[must_use]
    pub fn last_day(&self) -> Date {
        let extended = self.extension.as_ref().map(|extension| extension.valid_until);
        extended.unwrap_or(self.decision.valid_until)
    }

    /// Whether more than the usual duration was decided on with reasons (clause S11).
    #[must_use]
    pub fn extended(&self) -> bool {
        self.decision.extended || self.extension.is_some()
    }
}

/// Where a project is in its life. What it is when nobody has submitted it, `CONCEPT`, no register knows.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum ProjectState {
    /// Proposed; attestations are missing.
    #[serde(rename = "INGEDIEND")]
    Submitted,
    /// Every participant attested; the LSI decides.
    #[serde(rename = "TOETSING")]
    Reviewed,
    /// Approved; the first day or a mandate is still to come.
    #[serde(rename = "GOEDGEKEURD")]
    Approved,
    /// The LSI decided that it does not run.
    #[serde(rename = "AFGEWEZEN")]
    Rejected,
    /// It may ask.
    #[serde(rename = "ACTIEF")]
    Active,
    /// The LSI suspended it.
    #[serde(rename = "OPGESCHORT")]
    Suspended,
    /// It asks nothing more; results are still there.
    #[serde(rename = "AFSLUITING")]
    Closing,
    /// Everything was destroyed.
    #[serde(rename = "VERNIETIGD")]
    Destroyed,
    /// The final report is there.
    #[serde(rename = "GEEVALUEERD")]
    Evaluated,
    /// What was learned is secured.
    #[serde(rename = "GEBORGD")]
    Secured,
    /// Withdrawn before it ran.
    #[serde(rename = "INGETROKKEN")]
    Withdrawn,
}

impl ProjectState {
    /// The state as documents write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "INGEDIEND",
            Self::Reviewed => "TOETSING",
            Self::Approved => "GOEDGEKEURD",
            Self::Rejected => "AFGEWEZEN",
            Self::Active => "ACTIEF",
            Self::Suspended => "OPGESCHORT",
            Self::Closing => "AFSLUITING",
            Self::Destroyed => "VERNIETIGD",
            Self::Evaluated => "GEEVALUEERD",
            Self::Secured => "GEBORGD",
            Self::Withdrawn => "INGETROKKEN",
        }
    }
}

impl Project {
    /// Where the project is at an instant.
    #[must_use]
    pub fn state_at(&self, at: Timestamp) -> ProjectState {
        if self.withdrawn(at) {
            return ProjectState::Withdrawn;
        }
        let Some(decided) = &self.decided else {
            return self.state_undecided();
        };
        if !decided.approves() {
            let ruled = self.ruled.map_or(0, |(_, version)| version);
            let newer = self.latest().is_some_and(|(_, latest)| latest.version > ruled);
            return if newer { self.state_undecided() } else { ProjectState::Rejected };
        }
        if self.ended_at(at) {
            self.state_ended(at)
        } else if self.suspended(at).is_some() {
            ProjectState::Suspended
        } else if decided.decision.valid_from <= at.date() && self.is_mandated() {
            ProjectState::Active
        } else {
            ProjectState::Approved
        }
    }

    fn state_ended(&self, at: Timestamp) -> ProjectState {
        let emptied = self.emptied_from().is_some_and(|from| from <= at);
        match (emptied, &self.report, &self.securing) {
            (false, _, _) => ProjectState::Closing,
            (true, None, _) => ProjectState::Destroyed,
            (true, Some(_), None) => ProjectState::Evaluated,
            (true, Some(_), Some(_)) => ProjectState::Secured,
        }
    }

    /// Whether somebody has a mandate on the decided proposal; one on another version does not let anybody ask.
    fn is_mandated(&self) -> bool {
        let decided = self.decided.as_ref().map(|decided| decided.hash);
        self.mandates().any(|mandate| Some(mandate.proposal) == decided)
    }

    fn state_undecided(&self) -> ProjectState {
        let Some((hash, latest)) = self.latest() else {
            return ProjectState::Submitted;
        };
        let attested: BTreeSet<_> = self.attested(hash).map(|one| &one.partner).collect();
        let complete = latest.participants().iter().all(|oin| attested.contains(oin));
        if complete { ProjectState::Reviewed } else { ProjectState::Submitted }
    }

    /// The latest decision of the LSI and what it was on; `None` while nothing was decided.
    #[must_use]
    pub const fn decided(&self) -> Option<&Decided> {
        self.decided.as_ref()
    }

    /// The day from which on the terms of clauses S11 and L6 count: the first day of the earliest version that
    /// was ever approved, so that another version does not begin them anew.
    #[must_use]
    pub const fn began(&self) -> Option<Date> {
        self.began
    }

    pub(super) const fn ruled(&self) -> Option<(Date, u32)> {
        self.ruled
    }

    /// The proposal with this hash.
    #[must_use]
    pub fn proposal(&self, hash: &Digest) -> Option<&Arc<Proposal>> {
        self.proposals.get(hash)
    }

    /// The latest version of the proposal, decided or not.
    #[must_use]
    pub fn latest(&self) -> Option<(&Digest, &Arc<Proposal>)> {
        self.proposals.iter().max_by_key(|(_, proposal)| proposal.version)
    }

    /// The attestation with this hash.
    #[must_use]
    pub fn attestation(&self, hash: &Digest) -> Option<&Arc<Attestation>> {
        self.attestations.get(hash)
    }

    /// The attestations of one proposal.
    pub fn attested(&self, proposal: &Digest) -> impl Iterator<Item = &Arc<Attestation>> {
        self.attestations.values().filter(move |one| one.proposal == *proposal)
    }

    /// The same with their hashes, as a decision names them.
    pub fn attestations(&self) -> impl Iterator<Item = (&Digest, &Arc<Attestation>)> {
        self.attestations.iter()
    }

    /// Every mandate given for the project.
    pub fn mandates(&self) -> impl Iterator<Item = &Arc<Mandate>> {
        self.mandates.iter().map(|(_, mandate)| mandate)
    }

    /// The mandate of the responsible partner with this hash, and the leader whom it names.
    #[must_use]
    pub fn leader_of(&self, mandate: &Digest) -> Option<(&Mandate, &Holder)> {
        let (_, mandate) = self.mandates.iter().find(|(hash, _)| hash == mandate)?;
        let leader = mandate.holder.iter().find(|holder| holder.role == Role::Leader)?;
        mandate.under.is_none().then_some((mandate, leader))
    }

    /// The suspension of the whole project that holds at an instant.
    #[must_use]
    pub fn suspended(&self, at: Timestamp) -> Option<&Suspension> {
        self.suspensions_at(at).find(|suspension| suspension.partner.is_none())
    }

    /// The suspension by this partner of what it provides that holds at an instant.
    #[must_use]
    pub fn withheld(&self, by: &Oin, at: Timestamp) -> Option<&Suspension> {
        self.suspensions_at(at).find(|suspension| suspension.partner.as_ref() == Some(by))
    }

    /// The suspensions that hold at an instant.
    pub fn suspensions_at(&self, at: Timestamp) -> impl Iterator<Item = &Suspension> {
        let holds = move |one: &&Suspended| {
            one.suspension.from <= at && one.resumed.is_none_or(|resumed| at < resumed)
        };
        self.suspensions.values().filter(holds).map(|one| one.suspension.as_ref())
    }

    pub(super) fn suspension(&self, hash: &Digest) -> Option<(&Suspension, Option<Timestamp>)> {
        let found = self.suspensions.get(hash)?;
        Some((&found.suspension, found.resumed))
    }

    /// The mandates on the decided proposal that hold on a day and name this key, with the holder.
    pub fn mandates_of<'a>(
        &'a self,
        key: &'a VerifyingKey,
        day: Date,
    ) -> impl Iterator<Item = (&'a Mandate, &'a Holder)> {
        let decided = self.decided.as_ref().map(|decided| decided.hash);
        self.mandates()
            .filter(move |mandate| Some(mandate.proposal) == decided)
            .filter(move |mandate| (mandate.valid_from..=mandate.valid_until).contains(&day))
            .filter_map(move |mandate| {
                let holder = mandate.holder.iter().find(|holder| holder.key == *key)?;
                Some((mandate.as_ref(), holder))
            })
    }

    /// Whether an organisation takes part in some version of the proposal.
    #[must_use]
    pub fn has_part_in(&self, oin: &Oin) -> bool {
        self.proposals.values().any(|proposal| proposal.takes_part(oin))
    }

    /// The instant from which on a participant has left the project.
    #[must_use]
    pub fn left_from(&self, oin: &Oin) -> Option<Timestamp> {
        self.left.get(oin).copied()
    }

    /// The withdrawal of the project, whenever it takes effect.
    #[must_use]
    pub const fn withdrawal(&self) -> Option<&Arc<Withdrawal>> {
        self.withdrawal.as_ref()
    }

    /// The closure of the project, whenever it takes effect.
    #[must_use]
    pub const fn closure(&self) -> Option<&Arc<Closure>> {
        self.closure.as_ref()
    }

    /// The final report.
    #[must_use]
    pub const fn report(&self) -> Option<&Arc<FinalReport>> {
        self.report.as_ref()
    }

    /// The securing of what was learned.
    #[must_use]
    pub const fn securing(&self) -> Option<&Arc<Securing>> {
        self.securing.as_ref()
    }

    /// Feedback on hits.
    #[must_use]
    pub fn feedback(&self) -> &[Arc<Feedback>] {
        &self.feedback
    }

    /// Destruction records.
    #[must_use]
    pub fn destructions(&self) -> &[Arc<Destruction>] {
        &self.destructions
    }

    /// Whether the project was withdrawn by an instant.
    #[must_use]
    pub fn withdrawn(&self, at: Timestamp) -> bool {
        self.withdrawal.as_ref().is_some_and(|one| one.from <= at)
    }

    /// Whether the project was closed by an instant.
    #[must_use]
    pub fn closed(&self, at: Timestamp) -> bool {
        self.closure.as_ref().is_some_and(|closure| closure.from <= at)
    }

    /// Whether the project is over by an instant: withdrawn, closed, past its last day, or stopped by a later
    /// decision.
    #[must_use]
    pub fn ended_at(&self, at: Timestamp) -> bool {
        let over = |decided: &Decided| !decided.approves() || at.date() > decided.last_day();
        self.decided.as_ref().is_some_and(over) || self.closed(at) || self.withdrawn(at)
    }

    /// Whether by an instant a receiver recorded that an answer was destroyed.
    #[must_use]
    pub fn is_destroyed(&self, answer: &Answer, by: Timestamp) -> bool {
        self.destroyed(answer, by).is_some()
    }

    /// When a receiver destroyed an answer by its own record, if that was by an instant: not before the answer was
    /// given, and not in the future, because the register does not know when it was told. The answer bears its
    /// giver's time and the record its receiver's; a receiver whose clock is behind, and that destroys at once what it
    /// got, would never be done with it if these could not differ.
    #[must_use]
    pub fn destroyed(&self, answer: &Answer, by: Timestamp) -> Option<Timestamp> {
        let Answer { query, provider, receiver, at } = answer;
        let given = at.plus_seconds(-SKEW_SECONDS);
        if by < given {
            return None;
        }
        let since = given..=by;
        let named = self.destroyed.get(&(*query, provider.clone(), receiver.clone()));
        let named = named.and_then(|when| when.range(since.clone()).next().copied());
        let emptied = self.emptied(receiver).filter(|when| since.contains(when)).min();
        named.into_iter().chain(emptied).min()
    }

    /// The instants as of which a receiver recorded that nothing of the project is left with it, after the
    /// project ended. One that was recorded before an extension does not count any more.
    fn emptied(&self, receiver: &Oin) -> impl Iterator<Item = Timestamp> {
        let complete =
            self.destructions.iter().filter(move |one| one.complete && one.partner == *receiver);
        complete.map(|one| one.destroyed_at).filter(|when| self.ended_at(*when))
    }

    /// Whether a receiver recorded that nothing of the project is left with it.
    #[must_use]
    pub fn is_emptied(&self, receiver: &Oin) -> bool {
        self.emptied(receiver).next().is_some()
    }

    /// From when on nothing is left with anybody; `None` while a receiver has not said so.
    #[must_use]
    pub fn emptied_from(&self) -> Option<Timestamp> {
        let first = |receiver| self.emptied(receiver).min();
        let each: Option<Vec<_>> = self.receivers().into_iter().map(first).collect();
        each?.into_iter().max()
    }

    /// Whoever may have received an answer: the partners that gave mandates, and the responsible one.
    #[must_use]
    pub fn receivers(&self) -> BTreeSet<&Oin> {
        let responsible = self.decided.iter().map(|decided| &decided.proposal.responsible);
        self.mandates().map(|mandate| &mandate.partner).chain(responsible).collect()
    }

    /// Whether a receiver reported on every hit.
    #[must_use]
    pub fn all_reported(&self, receiver: &Oin) -> bool {
        self.feedback.iter().any(|one| one.complete && one.partner == *receiver)
    }
}
