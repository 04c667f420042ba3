//! What the register says of each project: what came before it, and what became of it.

use convenant_model::{
    Date, Digest, ProjectId, Timestamp,
    documents::{AttachmentKind, Attestation, DocumentKind},
    register::{Decided, LastDays, Project, ProjectState, Terms},
};
use serde::Serialize;

use crate::{Documents, RegisterEvidence, answers::AskerReport, filed::Filed};

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
    /// The LSI's decisions on any version of it.
    pub decisions: Documents,
    /// The first question of which something was permitted, or an earlier one of the same person.
    pub first_question: Option<Timestamp>,
    /// The days that matter; absent where it was not approved.
    pub terms: Option<Terms>,
    /// The last days of its duties, also where it was decided against after it ran.
    pub last_days: Option<LastDays>,
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
    /// Destruction records.
    pub destructions: Documents,
    /// From when on nothing is left with anybody.
    pub emptied: Option<Timestamp>,
}

/// Papers of one kind.
#[derive(Clone, Debug, Serialize)]
pub struct Paper {
    /// How many.
    pub number: u64,
    /// The day of the last.
    pub last: Option<Date>,
    /// Whether there are as many as there must be, and none is later than the LSI's decision.
    pub in_time: bool,
    /// The documents of the register that name them.
    pub documents: Documents,
}

/// What the receivers said of the hits.
#[derive(Clone, Debug, Default, Serialize)]
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
    /// The receivers' documents that say so.
    pub documents: Documents,
    /// The final report.
    pub final_reports: Documents,
}

pub(crate) fn projects(
    register: &RegisterEvidence,
    until: Option<Timestamp>,
    askers: &[AskerReport],
) -> Vec<ProjectReport> {
    let (state, filed) = (register.register().state(), register.filed());
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
            decisions: filed.of(id, DocumentKind::Decision),
            first_question: asked.filter_map(|one| one.first).min(),
            terms: covenant.and_then(|covenant| project.terms(covenant)),
            last_days: covenant.and_then(|covenant| project.last_days(covenant)),
            measures: measures(filed, decided),
            dpia: papers(filed, project, decided, AttachmentKind::Dpia),
            communication: papers(filed, project, decided, AttachmentKind::CommunicationPlan),
            participants,
            feedback: FeedbackReport {
                documents: filed.of(id, DocumentKind::Feedback),
                final_reports: filed.of(id, DocumentKind::FinalReport),
                ..feedback(project)
            },
            destructions: filed.of(id, DocumentKind::Destruction),
            emptied: project.emptied_from(),
        }
    };
    decided.map(report).collect()
}

impl Paper {
    fn new(
        days: impl Iterator<Item = Date>,
        needed: u64,
        decided: &Decided,
        documents: Documents,
    ) -> Self {
        let (mut number, mut last) = (0, None);
        for day in days {
            number += 1;
            last = last.max(Some(day));
        }
        let before = last.is_none_or(|last| last <= decided.decision.decided_on);
        Self { number, last, in_time: number >= needed && before, documents }
    }
}

/// Earlier measures stand in the proposal itself.
fn measures(filed: &Filed, decided: &Decided) -> Paper {
    let days = decided.proposal.earlier_measure.iter().map(|one| one.date);
    Paper::new(days, 1, decided, filed.named([decided.hash]))
}

/// The papers of one kind in the attestations that the decision names.
fn papers(filed: &Filed, project: &Project, decided: &Decided, kind: AttachmentKind) -> Paper {
    let named = decided.decision.attestations.iter();
    let attested = named.filter_map(|hash| Some((*hash, project.attestation(hash)?)));
    let of = |one: &Attestation| {
        one.attachment.iter().find(|paper| paper.kind == kind).map(|paper| paper.date)
    };
    let dated = attested.filter_map(|(hash, one)| Some((hash, of(one)?)));
    let (hashes, days): (Vec<Digest>, Vec<Date>) = dated.unzip();
    let needed = decided.proposal.participants().len() as u64;
    Paper::new(days.into_iter(), needed, decided, filed.named(hashes))
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
