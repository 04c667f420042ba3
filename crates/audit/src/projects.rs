//! What the register says of each project: what came before it, and what became of it.

use convenant_model::{
    Date, ProjectId, Timestamp,
    documents::{AttachmentKind, Attestation},
    register::{Decided, Project, ProjectState, Terms},
};
use serde::Serialize;

use crate::{RegisterEvidence, answers::AskerReport};

/// A project that was decided on.
#[derive(Clone, Debug, Serialize)]
pub struct ProjectReport {
    /// Its id.
    pub project: ProjectId,
    /// Its title.
    pub title: String,
    /// Where it was in its life at the end of the evidence.
    pub state: Option<ProjectState>,
    /// The day of the LSI's decision.
    pub decided_on: Date,
    /// The first question of which something was permitted, or an earlier one of the same person.
    pub first_question: Option<Timestamp>,
    /// The days that matter; absent where it was not approved.
    pub terms: Option<Terms>,
    /// Earlier measures (clause S8), and the day of the last.
    pub measures: Paper,
    /// DPIAs (clause S14) in the participants' attestations, and the day of the last.
    pub dpia: Paper,
    /// Communication plans (clause S16), likewise.
    pub communication: Paper,
    /// Participants, of whom each must attest.
    pub participants: u64,
    /// What the receivers said of the hits.
    pub feedback: FeedbackReport,
    /// Destruction records, and whether by these nothing is left with anybody.
    pub destructions: u64,
    /// From when on nothing is left with anybody.
    pub emptied: Option<Timestamp>,
}

/// Papers of one kind.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Paper {
    /// How many.
    pub number: u64,
    /// The day of the last.
    pub last: Option<Date>,
    /// Whether there are as many as there must be, and none is later than the LSI's decision.
    pub in_time: bool,
}

/// What the receivers said of the hits.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct FeedbackReport {
    /// Answers that were reported on.
    pub answers: u64,
    /// Hits in them.
    pub hits: u64,
    /// Hits that were of use.
    pub usable: u64,
    /// Hits that were followed up.
    pub followed_up: u64,
    /// Whether every receiver said that it reported on everything.
    pub complete: bool,
    /// Hits that turned out right, and corrections in the citizen's favour, by the final report.
    pub confirmed: Option<(u64, u64)>,
}

pub(crate) fn projects(
    register: &RegisterEvidence,
    until: Option<Timestamp>,
    askers: &[AskerReport],
) -> Vec<ProjectReport> {
    let state = register.register().state();
    let decided =
        state.projects().filter_map(|(id, project)| Some((id, project, project.decided()?)));
    let report = |(id, project, decided): (&ProjectId, &Project, &Decided)| {
        let asked = askers.iter().filter(|one| one.project == *id && one.permitted > 0);
        let covenant = state.covenant().map(|one| one.covenant.as_ref());
        let participants = decided.proposal.participants().len() as u64;
        ProjectReport {
            project: id.clone(),
            title: decided.proposal.title.as_str().to_owned(),
            state: until.map(|until| project.state_at(until)),
            decided_on: decided.decision.decided_on,
            first_question: asked.filter_map(|one| one.first).min(),
            terms: covenant.and_then(|covenant| project.terms(covenant)),
            measures: measures(decided),
            dpia: papers(project, decided, AttachmentKind::Dpia),
            communication: papers(project, decided, AttachmentKind::CommunicationPlan),
            participants,
            feedback: feedback(project),
            destructions: project.destructions().len() as u64,
            emptied: project.emptied_from(),
        }
    };
    decided.map(report).collect()
}

impl Paper {
    fn new(days: impl Iterator<Item = Date>, needed: u64, decided: &Decided) -> Self {
        let (mut number, mut last) = (0, None);
        for day in days {
            number += 1;
            last = last.max(Some(day));
        }
        let before = last.is_none_or(|last| last <= decided.decision.decided_on);
        Self { number, last, in_time: number >= needed && before }
    }
}

fn measures(decided: &Decided) -> Paper {
    Paper::new(decided.proposal.earlier_measure.iter().map(|one| one.date), 1, decided)
}

/// The papers of one kind in the attestations that the decision names.
fn papers(project: &Project, decided: &Decided, kind: AttachmentKind) -> Paper {
    let named = decided.decision.attestations.iter();
    let attested = named.filter_map(|hash| project.attestation(hash));
    let of = |one: &Attestation| {
        one.attachment.iter().find(|paper| paper.kind == kind).map(|paper| paper.date)
    };
    let needed = decided.proposal.participants().len() as u64;
    Paper::new(attested.filter_map(|one| of(one)), needed, decided)
}

fn feedback(project: &Project) -> FeedbackReport {
    let receivers = project.receivers();
    let complete = !receivers.is_empty() && receivers.iter().all(|one| project.all_reported(one));
    let confirmed = project.report().map(|one| (one.confirmed, one.corrections_in_favour));
    let mut report = FeedbackReport { complete, confirmed, ..FeedbackReport::default() };
    for item in project.feedback().iter().flat_map(|one| &one.item) {
        report.answers += 1;
        report.hits = report.hits.saturating_add(item.hits);
        report.usable = report.usable.saturating_add(item.usable);
        report.followed_up = report.followed_up.saturating_add(item.followed_up);
    }
    report
}
