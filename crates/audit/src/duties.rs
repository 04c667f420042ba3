//! Duties that were not met in time: papers before the questions (clauses S8, S14, S16), destruction and feedback
//! afterwards (clauses L5, L6). Whoever neglects one breaks the covenant, and the evidence that shows it holds: so
//! these are warnings.

use std::collections::BTreeSet;

use convenant_model::{
    Date, ProjectId, Timestamp,
    documents::AttachmentKind,
    register::{Actor, Decided, Duty, Project, Task},
};

use crate::{
    Code, Entries, Finding, LedgerName, RegisterEvidence,
    figures::{Figures, Kept},
    findings::Findings,
    place::Place,
    table::Table,
};

/// Permits that were given before a paper's date: by project, paper and date. Of more such rows than a table has only
/// the number of permits is known.
#[derive(Default)]
pub(crate) struct Unprepared(Table<(ProjectId, &'static str, Date), Entries>);

impl Unprepared {
    /// Takes a permit. The register admits no decision with a later paper than itself, but knows no day on which
    /// it took the decision.
    pub(crate) fn permit(
        &mut self,
        place: &Place,
        day: Date,
        (id, project): (&ProjectId, &Project),
    ) {
        // Several participants have such a paper.
        let late: BTreeSet<_> = papers(project).filter(|(_, dated)| *dated > day).collect();
        for (paper, dated) in late {
            if let Some(permits) = self.0.row((id.clone(), paper, dated)) {
                permits.note(&place.ledger, place.entry);
            }
        }
    }

    pub(crate) fn findings(&self, ledger: &LedgerName) -> Findings {
        let mut findings = Findings::default();
        let say = |((id, paper, dated), permits): (&(ProjectId, &str, Date), &Entries)| {
            let first = permits.first.first()?.entry;
            let found = format!("project={id} {paper}={dated} permits={}", permits.number);
            Some(Finding::new(Code::PaperLate, ledger).entry(first).found(found))
        };
        findings.extend(self.0.iter().filter_map(say));
        findings.leave_out(Code::PaperLate, ledger, self.0.left_out());
        findings
    }
}

/// The LSI's decision and the papers that it names, with their dates.
fn papers(project: &Project) -> impl Iterator<Item = (&'static str, Date)> {
    let decision = project.decided().map(|decided| &decided.decision);
    let named = decision.into_iter().flat_map(|one| &one.attestations);
    let attested = named.filter_map(|hash| project.attestation(hash));
    let papers = attested.flat_map(|one| &one.attachment).map(|one| (name(one.kind), one.date));
    papers.chain(decision.map(|one| ("decision", one.decided_on)))
}

/// As a document writes it.
const fn name(kind: AttachmentKind) -> &'static str {
    match kind {
        AttachmentKind::Dpia => "dpia",
        AttachmentKind::FgAdvice => "fg-advice",
        AttachmentKind::SecurityPlan => "security-plan",
        AttachmentKind::RiskAnalysis => "risk-analysis",
        AttachmentKind::CommunicationPlan => "communication-plan",
    }
}

/// The answers that one ledger tells of and that were not destroyed on record in time: once for each project.
pub(crate) fn kept(
    ledger: &LedgerName,
    figures: &Figures,
    until: Option<Timestamp>,
) -> Vec<Finding> {
    let of = |(id, kept): (&ProjectId, &Kept)| {
        let say = |code, days: Vec<(&Date, &Entries)>| {
            let (last_day, entries) = days.first()?;
            let number: u64 = days.iter().map(|(_, entries)| entries.number).sum();
            let found = format!("project={id} last_day={last_day} answers={number}");
            Some(Finding::new(code, ledger).entry(entries.first.first()?.entry).found(found))
        };
        let passed = |day: &Date| until.is_some_and(|until| *day < until.date());
        let overdue = kept.waiting.iter().filter(|(day, _)| passed(day));
        [
            say(Code::DestroyedLate, kept.late.iter().collect()),
            say(Code::NotDestroyed, overdue.collect()),
        ]
    };
    figures.kept.iter().flat_map(of).flatten().collect()
}

/// What the documents of projects tell that were ever approved, at the decision of each.
pub(crate) fn projects(register: &RegisterEvidence, until: Option<Timestamp>) -> Vec<Finding> {
    let state = register.register().state();
    let covenant = state.covenant().map(|one| one.covenant.as_ref());
    let mut findings = Vec::new();
    for (id, project) in state.projects() {
        let Some((decided, covenant)) = project.decided().zip(covenant) else { continue };
        // Of one that the LSI decided against after it ran, what was received is there all the same.
        let Some(last_days) = project.last_days(covenant) else { continue };
        let say = |code, found: String| {
            let finding = Finding::new(code, "register").found(format!("project={id} {found}"));
            Finding { entry: register.filed().decision(decided), ..finding }
        };
        findings.extend(late_measure(decided).map(|found| say(Code::PaperLate, found)));
        let emptied = late_end(project, last_days.destruction);
        findings.extend(emptied.map(|found| say(Code::DestroyedLate, found)));
        let Some(until) = until else { continue };
        let duties = project.duties(covenant, until);
        let overdue = duties.iter().filter(|duty| duty.overdue(until.date()));
        findings.extend(overdue.filter_map(missed).map(|(code, found)| say(code, found)));
    }
    findings
}

/// An earlier measure (clause S8) that is later than the decision.
fn late_measure(decided: &Decided) -> Option<String> {
    let decided_on = decided.approves().then_some(decided.decision.decided_on)?;
    let last = decided.proposal.earlier_measure.iter().map(|one| one.date).max()?;
    (last > decided_on).then(|| format!("earlier-measure={last} decided_on={decided_on}"))
}

/// When the last of a project was destroyed on record, where that was too late.
fn late_end(project: &Project, last_day: Date) -> Option<String> {
    let emptied = project.emptied_from()?.date();
    (emptied > last_day).then(|| format!("last_day={last_day} destroyed={emptied}"))
}

fn missed(duty: &Duty) -> Option<(Code, String)> {
    let code = match duty.task {
        Task::Feedback => Code::NoFeedback,
        Task::Destroy => Code::NotDestroyed,
        Task::Attest
        | Task::Decide
        | Task::Mandate
        | Task::Resume
        | Task::Report
        | Task::Secure => return None,
    };
    let Actor::Partner(partner) = &duty.who else { return None };
    Some((code, format!("last_day={} partner={partner}", duty.due?)))
}
