//! What each kind of document needs to be admitted.

use std::{collections::BTreeSet, sync::Arc};

use serde::de::DeserializeOwned;

use super::{AdmissionError, CovenantInForce, Decided, Envelope, RegisterState};
use crate::{
    covenant::{Covenant, CovenantText, Dataset, Use},
    documents::{
        Annex, DocumentKind, Enrolment, Mandate, NodeEnrolment, ProjectDecision, Proposal, Ruling,
    },
    ids::Oin,
    parse::from_json,
    subjects::spells_bsn,
};

/// Kinds of enrolled organisations that the covenant does not list as partners.
const SERVANTS: [&str; 2] = ["coordinator", "auditor"];

pub(super) type Admission = Result<(), AdmissionError>;

impl RegisterState {
    /// A covenant is signed by the LSI's quorum; its versions count up by one.
    pub(super) fn admit_covenant(&mut self, envelope: &impl Envelope) -> Admission {
        let check = Check(DocumentKind::Covenant);
        self.quorum(check.0, envelope)?;
        let covenant = check.read::<CovenantText>(envelope)?.check("covenant")?;
        let (last_id, last) = self.covenant.as_ref().map_or((None, 0), |last| {
            (Some(&last.covenant.head().id), last.covenant.head().version)
        });
        let head = covenant.head();
        check.that(last_id.is_none_or(|id| *id == head.id), "covenant.id", || {
            "the register holds another covenant".to_owned()
        })?;
        check.that(head.version == last + 1, "covenant.version", || {
            format!("the next version is {}", last + 1)
        })?;
        self.covenant =
            Some(CovenantInForce { covenant: Arc::new(covenant), hash: envelope.payload_hash() });
        Ok(())
    }

    /// An enrolment is vouched for by the LSI's quorum and signed by the organisation itself. A later
    /// one replaces an earlier one.
    pub(super) fn admit_enrolment(&mut self, envelope: &impl Envelope) -> Admission {
        let check = Check(DocumentKind::Enrolment);
        self.quorum(check.0, envelope)?;
        let enrolment: Enrolment = check.read(envelope)?;
        check.signed(envelope, &enrolment.partner, &enrolment)?;
        let covenant = self.covenant_for(check)?;
        let kind = enrolment.kind.as_str();
        check.that(
            SERVANTS.contains(&kind) || covenant.lists(&enrolment.partner, kind),
            "kind",
            || format!("the covenant does not list this organisation as `{kind}` (clause S1)"),
        )?;
        check.that(enrolment.valid_from <= enrolment.valid_until, "valid_until", || {
            "lies before `valid_from`".to_owned()
        })?;
        check.that(!enrolment.tls_pins.is_empty(), "tls_pins", || "names no key".to_owned())?;
        if let Some(node) = &enrolment.node {
            check_node(check, &covenant, kind, node)?;
        }
        self.enrolments.insert(enrolment.partner.clone(), Arc::new(enrolment));
        Ok(())
    }

    /// A proposal is signed by whoever proposes it and by whoever is to provide data under it.
    pub(super) fn admit_proposal(&mut self, envelope: &impl Envelope) -> Admission {
        let check = Check(DocumentKind::Proposal);
        let proposal: Proposal = check.read(envelope)?;
        let providers = proposal.annex.iter().map(|annex| &annex.provider);
        let signers: BTreeSet<_> = proposal.proposed_by.iter().chain(providers).collect();
        check.that(!proposal.proposed_by.is_empty(), "proposed_by", || "is empty".to_owned())?;
        for oin in signers {
            check.signed(envelope, oin, self.enrolled(check, oin)?)?;
        }
        let covenant = self.covenant_for(check)?;
        check_proposal(check, &covenant, &proposal)?;
        for participant in &proposal.participant {
            self.enrolled(check, &participant.partner)?;
        }
        let latest = self.projects.get(&proposal.project).and_then(super::Project::latest);
        let next = latest.map_or(1, |(_, latest)| latest.version + 1);
        check
            .that(proposal.version == next, "version", || format!("the next version is {next}"))?;
        if let Some((_, latest)) = latest {
            // Only whoever proposed a project may bring another version of it.
            let own = |oin: &&Oin| proposal.proposed_by.contains(*oin);
            check.that(latest.proposed_by.iter().any(|oin| own(&oin)), "proposed_by", || {
                "holds none of the partners that proposed the version before".to_owned()
            })?;
        }
        let project = self.projects.entry(proposal.project.clone()).or_default();
        project.proposals.insert(envelope.payload_hash(), Arc::new(proposal));
        Ok(())
    }

    /// A decision is signed by the LSI's quorum and names the exact proposal (clause S4).
    pub(super) fn admit_decision(&mut self, envelope: &impl Envelope) -> Admission {
        let check = Check(DocumentKind::Decision);
        self.quorum(check.0, envelope)?;
        let decision: ProjectDecision = check.read(envelope)?;
        let project = self.projects.get_mut(&decision.project);
        let proposal = project.as_ref().and_then(|project| project.proposal(&decision.proposal));
        let (Some(proposal), Some(project)) = (proposal.cloned(), project) else {
            return check.fail("proposal", "no proposal of this project has this hash");
        };
        check.that(decision.valid_from <= decision.valid_until, "valid_until", || {
            "lies before `valid_from`".to_owned()
        })?;
        check.that(decision.valid_from >= proposal.start, "valid_from", || {
            "lies before the project's start".to_owned()
        })?;
        check.that(decision.valid_until <= proposal.end, "valid_until", || {
            "lies after the project's end".to_owned()
        })?;
        let months = if decision.extended { 24 } else { 12 };
        check.that(
            decision.valid_until < proposal.start.plus_months(months),
            "valid_until",
            || format!("lies more than {months} months after the project's start (clause S11)"),
        )?;
        project.decided =
            Some(Decided { hash: decision.proposal, proposal, decision: Arc::new(decision) });
        Ok(())
    }

    /// A mandate is signed by the responsible partner of a decided project (clause S6).
    pub(super) fn admit_mandate(&mut self, envelope: &impl Envelope) -> Admission {
        let check = Check(DocumentKind::Mandate);
        let mandate: Mandate = check.read(envelope)?;
        let decided = self.projects.get(&mandate.project).and_then(super::Project::decided);
        let approved = decided.filter(|decided| {
            decided.hash == mandate.proposal && decided.decision.outcome == Ruling::Approved
        });
        let Some(approved) = approved else {
            return check
                .fail("proposal", "the LSI approved no proposal of this project with this hash");
        };
        check.that(approved.proposal.responsible == mandate.partner, "partner", || {
            "only the responsible partner gives mandates (clause S6)".to_owned()
        })?;
        check.signed(envelope, &mandate.partner, self.enrolled(check, &mandate.partner)?)?;
        check.that(mandate.valid_from <= mandate.valid_until, "valid_until", || {
            "lies before `valid_from`".to_owned()
        })?;
        check.that(!mandate.holder.is_empty(), "holder", || "names nobody".to_owned())?;
        if let Some(project) = self.projects.get_mut(&mandate.project) {
            project.mandates.push(Arc::new(mandate));
        }
        Ok(())
    }

    pub(super) fn quorum(&self, kind: DocumentKind, envelope: &impl Envelope) -> Admission {
        let keys: BTreeSet<_> = self.root.lsi.iter().collect();
        let signed = keys.into_iter().filter(|key| envelope.signed_by(key)).count();
        // A quorum of nobody would admit anything.
        let quorum = self.root.quorum.max(1);
        if signed >= quorum { Ok(()) } else { Err(AdmissionError::Quorum { kind, signed, quorum }) }
    }

    pub(super) fn enrolled(&self, check: Check, oin: &Oin) -> Result<&Enrolment, AdmissionError> {
        let enrolment = self.enrolments.get(oin).map(Arc::as_ref);
        enrolment
            .ok_or_else(|| check.error("partner", format!("`{oin}` is not enrolled (clause S1)")))
    }

    fn covenant_for(&self, check: Check) -> Result<Arc<Covenant>, AdmissionError> {
        let covenant = self.covenant.as_ref().map(|last| Arc::clone(&last.covenant));
        covenant
            .ok_or_else(|| check.error("document", "the register holds no covenant yet".to_owned()))
    }
}

fn check_node(check: Check, covenant: &Covenant, kind: &str, node: &NodeEnrolment) -> Admission {
    for id in &node.datasets {
        let dataset = covenant.dataset(id);
        check.that(dataset.is_some() && id.kind() == kind, "node.datasets", || {
            format!("the covenant has no dataset `{id}` for a partner of this kind")
        })?;
        check.that(dataset.is_some_and(Dataset::is_bound), "node.datasets", || {
            format!(
                "`{id}` holds no area and takes no vouchers, so it cannot be served (clause S10)"
            )
        })?;
    }
    Ok(())
}

fn check_proposal(check: Check, covenant: &Covenant, proposal: &Proposal) -> Admission {
    let takes_part = |oin: &Oin| proposal.participant.iter().any(|one| one.partner == *oin);
    let partners: BTreeSet<_> = proposal.participant.iter().map(|one| &one.partner).collect();
    check.that(partners.len() >= 2, "participant", || {
        "fewer than two partners (clause S9)".to_owned()
    })?;
    check.that(takes_part(&proposal.responsible), "responsible", || {
        "does not take part (clause S5)".to_owned()
    })?;
    check.that(proposal.proposed_by.iter().all(takes_part), "proposed_by", || {
        "names a partner that does not take part (clause S5)".to_owned()
    })?;
    check.that(!proposal.earlier_measure.is_empty(), "earlier_measure", || {
        "no earlier measure is recorded (clause S8)".to_owned()
    })?;
    check.that(!spells_bsn(proposal.project.as_str()), "project", || {
        "holds a number that is a BSN, so no query could name it (clause L14)".to_owned()
    })?;
    let theme = covenant.text().theme.iter().any(|theme| theme.id == proposal.theme);
    check.that(theme, "theme", || "the covenant has no such theme (clause S7)".to_owned())?;
    let goals = !proposal.goals.is_empty()
        && proposal.goals.iter().all(|goal| covenant.goal(goal).is_some());
    check.that(goals, "goals", || "empty, or not goals of the covenant (clause S3)".to_owned())?;
    check.that(!proposal.area.is_empty(), "area", || "is empty (clause S10)".to_owned())?;
    check.that(proposal.start <= proposal.end, "end", || "lies before `start`".to_owned())?;
    check.that(proposal.end < proposal.start.plus_months(24), "end", || {
        "lies more than 24 months after `start` (clause S11)".to_owned()
    })?;
    for (i, annex) in proposal.annex.iter().enumerate() {
        check.that(takes_part(&annex.provider), format!("annex[{i}].provider"), || {
            "does not take part (clause S2)".to_owned()
        })?;
        check_annex(check, covenant, i, annex)?;
    }
    Ok(())
}

fn check_annex(check: Check, covenant: &Covenant, i: usize, annex: &Annex) -> Admission {
    let Some(dataset) = covenant.dataset(&annex.dataset) else {
        return check.fail(format!("annex[{i}].dataset"), "the covenant has no such dataset");
    };
    for (j, granted) in annex.field.iter().enumerate() {
        let place = |member: &str| format!("annex[{i}].field[{j}].{member}");
        let Some(field) = dataset.field(&granted.name) else {
            return check.fail(place("name"), "the dataset has no such field");
        };
        check.that(field.usage != Use::Refused, place("name"), || {
            "the covenant never lets this field be used (clause L1)".to_owned()
        })?;
        check.that(field.category == Some(granted.category), place("category"), || {
            "is not the field's category in the covenant (clause L3)".to_owned()
        })?;
    }
    Ok(())
}

/// Makes errors about one kind of document.
#[derive(Clone, Copy)]
pub(super) struct Check(pub(super) DocumentKind);

impl Check {
    pub(super) fn read<T: DeserializeOwned>(
        self,
        envelope: &impl Envelope,
    ) -> Result<T, AdmissionError> {
        Ok(from_json(self.0.as_str(), envelope.payload())?)
    }

    pub(super) fn signed(self, envelope: &impl Envelope, oin: &Oin, by: &Enrolment) -> Admission {
        if envelope.signed_by(&by.signing_key) {
            return Ok(());
        }
        Err(AdmissionError::Signature { kind: self.0, partner: oin.clone() })
    }

    pub(super) fn that(
        self,
        holds: bool,
        member: impl Into<String>,
        fault: impl FnOnce() -> String,
    ) -> Admission {
        if holds { Ok(()) } else { Err(self.error(member, fault())) }
    }

    pub(super) fn fail(self, member: impl Into<String>, fault: &str) -> Admission {
        Err(self.error(member, fault.to_owned()))
    }

    fn error(self, member: impl Into<String>, fault: String) -> AdmissionError {
        AdmissionError::Member { kind: self.0, member: member.into(), fault }
    }
}
