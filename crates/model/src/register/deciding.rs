//! What attestations, decisions, mandates and extensions need to be admitted.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    AdmissionError, Decided, Envelope, Project, RegisterState,
    breach::{Breach, Check},
    signed::{Admission, read},
};
use crate::{
    covenant::Term,
    documents::{
        AttachmentKind, Attestation, DocumentKind, Extension, Mandate, ProjectDecision, Proposal,
        Role, Ruling,
    },
    ids::ProjectId,
    time::Date,
};

impl RegisterState {
    /// An attestation is signed by a participant of the proposal that it names (clause L2).
    pub(super) fn admit_attestation(&mut self, envelope: &impl Envelope) -> Admission {
        let mut check = Check::of(DocumentKind::Attestation);
        let attestation: Attestation = read(&mut check, envelope)?;
        let project = self.project(&attestation.project);
        let proposal = project.and_then(|project| project.proposal(&attestation.proposal));
        let Some(proposal) = proposal else {
            return Err(check.stop("proposal", Breach::UnknownProposal));
        };
        self.signed(check.kind(), envelope, &attestation.partner)?;
        let takes_part = proposal.takes_part(&attestation.partner);
        check.that_of(takes_part, "partner", Breach::NotParticipant, &attestation.partner);
        check_attachments(&mut check, &attestation);
        check.done()?;
        let hash = envelope.payload_hash();
        if let Some(project) = self.project_mut(&attestation.project) {
            project.attest(hash, Arc::new(attestation));
        }
        Ok(())
    }

    /// A decision is signed by the LSI's quorum and names the exact proposal (clause S4) and what every
    /// participant attested of it.
    pub(super) fn admit_decision(&mut self, envelope: &impl Envelope) -> Admission {
        let mut check = Check::of(DocumentKind::Decision);
        self.quorum(check.kind(), envelope)?;
        let decision: ProjectDecision = read(&mut check, envelope)?;
        let project = self.project(&decision.project);
        let proposal = project.and_then(|project| project.proposal(&decision.proposal));
        let (Some(proposal), Some(project)) = (proposal.cloned(), project) else {
            return Err(check.stop("proposal", Breach::UnknownProposal));
        };
        self.check_decision_term(&mut check, (project, &proposal), &decision);
        check_attested(&mut check, project, &proposal, &decision);
        check_sequence(&mut check, (project, &proposal), &decision);
        check_open(&mut check, project);
        check.done()?;
        if let Some(project) = self.project_mut(&decision.project) {
            let (hash, decision) = (decision.proposal, Arc::new(decision));
            project.decide(Decided { hash, proposal, decision, extension: None });
        }
        Ok(())
    }

    fn check_decision_term(
        &self,
        check: &mut Check,
        (project, proposal): (&Project, &Proposal),
        decision: &ProjectDecision,
    ) {
        let (first, last) = (decision.valid_from, decision.valid_until);
        check.that(first <= last, "valid_until", Breach::EndsBeforeStart);
        check.that(first >= proposal.start, "valid_from", Breach::OutsideTerm);
        check.that(last <= proposal.end, "valid_until", Breach::OutsideTerm);
        let months = self.longest(decision.extended);
        let limit = project.counts_from(proposal).plus_months(months);
        check.that_of(last < limit, "valid_until", Breach::TooLong, format_args!("{months} m"));
    }

    /// Months for which a project may last (clause S11).
    fn longest(&self, extended: bool) -> u16 {
        let term = if extended { Term::Longest } else { Term::Usual };
        // Without a covenant there are no projects.
        self.covenant.as_ref().map_or(0, |last| last.covenant.months(term))
    }

    /// A mandate is signed by the responsible partner of a decided project, or by the leader whom that
    /// partner named, for the team (clause S6).
    pub(super) fn admit_mandate(&mut self, envelope: &impl Envelope) -> Admission {
        let mut check = Check::of(DocumentKind::Mandate);
        let mandate: Mandate = read(&mut check, envelope)?;
        let (project, approved) = self.approved(&check, &mandate.project)?;
        if approved.hash != mandate.proposal {
            return Err(check.stop("proposal", Breach::NotApproved));
        }
        let responsible = approved.proposal.responsible == mandate.partner;
        check.that(responsible, "partner", Breach::NotResponsible);
        let (first, last) = (mandate.valid_from, mandate.valid_until);
        check.that(first <= last, "valid_until", Breach::EndsBeforeStart);
        check.that(!mandate.holder.is_empty(), "holder", Breach::Empty);
        let leaders = mandate.holder.iter().filter(|holder| holder.role == Role::Leader).count();
        match &mandate.under {
            None => {
                check.that(leaders <= 1, "holder", Breach::NoLeader);
                self.signed(check.kind(), envelope, &mandate.partner)?;
            }
            Some(hash) => {
                check.that(leaders == 0, "holder", Breach::SecondLeader);
                let above = project.leader_of(hash);
                // A leader of another version may belong to another partner.
                let above = above.filter(|(above, _)| above.proposal == mandate.proposal);
                let Some((above, leader)) = above else {
                    return Err(check.stop("under", Breach::NoSuchMandate));
                };
                let within = first >= above.valid_from && last <= above.valid_until;
                check.that(within, "valid_until", Breach::BeyondMandate);
                let fewer = mandate.max_subjects <= above.max_subjects;
                check.that(fewer, "max_subjects", Breach::BeyondMandate);
                self.signed_with(check.kind(), envelope, &mandate.partner, &leader.key)?;
            }
        }
        check_open(&mut check, project);
        check.done()?;
        let hash = envelope.payload_hash();
        for holder in &mandate.holder {
            self.keys.add((mandate.partner.clone(), holder.key.clone()), ());
        }
        if let Some(project) = self.project_mut(&mandate.project) {
            project.mandate(hash, Arc::new(mandate));
        }
        Ok(())
    }

    /// An extension is decided on by the LSI's quorum, with reasons, before the project ends, and never
    /// beyond the longest duration (clause S11).
    pub(super) fn admit_extension(&mut self, envelope: &impl Envelope) -> Admission {
        let mut check = Check::of(DocumentKind::Extension);
        self.quorum(check.kind(), envelope)?;
        let extension: Extension = read(&mut check, envelope)?;
        let (project, approved) = self.approved(&check, &extension.project)?;
        let same = approved.hash == extension.proposal;
        check.that(same, "proposal", Breach::NotApproved);
        let (last, decided_on) = (approved.last_day(), extension.decided_on);
        check.that_of(decided_on <= last, "decided_on", Breach::AfterEnd, last);
        let newer = decided_on >= approved.decision.decided_on;
        check.that(newer, "decided_on", Breach::Superseded);
        check.that_of(extension.valid_until > last, "valid_until", Breach::NoLonger, last);
        let months = self.longest(true);
        let limit = project.counts_from(&approved.proposal).plus_months(months);
        let short = extension.valid_until < limit;
        check.that_of(short, "valid_until", Breach::TooLong, format_args!("{months} m"));
        check_open(&mut check, project);
        check.done()?;
        if let Some(project) = self.project_mut(&extension.project) {
            project.extend(Arc::new(extension));
        }
        Ok(())
    }

    /// A project that the LSI approved, with what it decided.
    pub(super) fn approved(
        &self,
        check: &Check,
        project: &ProjectId,
    ) -> Result<(&Project, &Decided), AdmissionError> {
        let project = self.project(project);
        let decided = project.and_then(Project::decided);
        let approved = decided.filter(|decided| decided.decision.outcome == Ruling::Approved);
        let missing = || Check::of(check.kind()).stop("project", Breach::NotApproved);
        project.zip(approved).ok_or_else(missing)
    }
}

/// A project that was withdrawn or closed, or of which nothing is left, gets no more decisions.
pub(super) fn check_open(check: &mut Check, project: &Project) {
    check.that(project.withdrawal().is_none(), "project", Breach::Withdrawn);
    check.that(project.closure().is_none(), "project", Breach::Closed);
    check.that(project.emptied_from().is_none(), "project", Breach::Emptied);
}

/// A decision comes after those before it, does not go back to an older version, and does not bring a project
/// back that had ended: for that there is an extension, in time.
fn check_sequence(
    check: &mut Check,
    (project, proposal): (&Project, &Proposal),
    decision: &ProjectDecision,
) {
    let in_force = project.decided().filter(|before| before.approves());
    if let Some((day, version)) = project.ruled() {
        check.that(day <= decision.decided_on, "decided_on", Breach::Superseded);
        let again = in_force.is_some_and(|before| before.hash == decision.proposal);
        let newer = again || version <= proposal.version;
        check.that(newer, "proposal", Breach::Superseded);
    }
    if let (Some(before), Ruling::Approved) = (in_force, decision.outcome) {
        let last = before.last_day();
        check.that_of(decision.decided_on <= last, "decided_on", Breach::AfterEnd, last);
    }
}

impl Project {
    /// The day from which on the duration of a version counts (clause S11).
    pub(super) fn counts_from(&self, proposal: &Proposal) -> Date {
        self.began().map_or(proposal.start, |began| began.min(proposal.start))
    }
}

fn check_attachments(check: &mut Check, attestation: &Attestation) {
    let kinds: BTreeSet<_> = attestation.attachment.iter().map(|one| one.kind).collect();
    let once = kinds.len() == attestation.attachment.len();
    check.that(once, "attachment", Breach::Repeated);
    for kind in AttachmentKind::ALL {
        check.that(kinds.contains(&kind), "attachment", missing(kind));
    }
}

const fn missing(kind: AttachmentKind) -> Breach {
    match kind {
        AttachmentKind::Dpia => Breach::NoDpia,
        AttachmentKind::FgAdvice => Breach::NoFgAdvice,
        AttachmentKind::SecurityPlan => Breach::NoSecurityPlan,
        AttachmentKind::RiskAnalysis => Breach::NoRiskAnalysis,
        AttachmentKind::CommunicationPlan => Breach::NoCommunicationPlan,
    }
}

/// Every participant attested exactly this proposal, with papers that were there when it was decided.
fn check_attested(
    check: &mut Check,
    project: &Project,
    proposal: &Proposal,
    decision: &ProjectDecision,
) {
    let mut attested = BTreeSet::new();
    for hash in &decision.attestations {
        let known = project.attestation(hash).filter(|one| one.proposal == decision.proposal);
        check.that_of(known.is_some(), "attestations", Breach::UnknownAttestation, hash);
        for paper in known.iter().flat_map(|one| &one.attachment) {
            let in_time = paper.date <= decision.decided_on;
            check.that_of(in_time, "attestations", Breach::LatePaper, paper.id.as_str());
        }
        attested.extend(known.map(|one| &one.partner));
    }
    if decision.outcome == Ruling::Approved {
        for oin in proposal.participants() {
            let there = attested.contains(oin);
            check.that_of(there, "attestations", Breach::NoAttestation, oin);
        }
    }
}
