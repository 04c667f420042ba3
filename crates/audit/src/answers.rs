//! The figures with which a report answers the audit questions.

use std::collections::{BTreeMap, BTreeSet};

use convenant_model::{
    DatasetId, Date, Digest, FieldName, GoalId, KeyId, Oin, Problem, ProjectId, Timestamp,
    query::QueryKind,
};
use convenant_signing::key_id;
use serde::Serialize;

use crate::{
    Code, Entries, LedgerKind, LedgerName, MandateReport, RegisterEvidence, Replayed,
    figures::{Asker, Asks, Figures, Gives, Kept, Reader, Reads, Sender, Source},
    findings::Findings,
    grounds::Grounds,
    projects::{ProjectReport, projects},
    unusual::{THRESHOLDS, Thresholds, is_odd_hour},
};

/// The figures of the whole, counted from the coordinator's ledger or, without it, from the nodes'.
#[derive(Clone, Debug, Serialize)]
pub struct Answers {
    /// Terms are counted up to there: the second latest of the last times that each party signed for, in its ledgers
    /// or as a witness.
    pub until: Option<Timestamp>,
    /// Whether the figures are counted by the coordinator's ledger. Where it was not handed over, or nothing of it could
    /// be read, they are counted by the nodes', and a question to several nodes counts at each.
    pub by_coordinator: bool,
    /// How much of the coordinator's ledger was read; absent where it was not handed over.
    pub coordinator: Option<CoordinatorRead>,
    /// The organisations that the register names.
    pub parties: BTreeMap<Oin, String>,
    /// Who asked.
    pub askers: Vec<AskerReport>,
    /// What was asked of whom, and given.
    pub sources: Vec<SourceReport>,
    /// Refusals by clause and code, or by problem: of the coordinator, and of nodes on their own.
    pub refusals: Vec<RefusalReport>,
    /// Messages that were no query to decide on, by problem and sender: of every ledger.
    pub rejected: Vec<RejectedReport>,
    /// Answers that had to be destroyed.
    pub kept: Vec<KeptReport>,
    /// What the register says of each project.
    pub projects: Vec<ProjectReport>,
    /// Questions by day, in the Netherlands.
    pub days: BTreeMap<Date, u64>,
    /// Of these, the questions of which nothing was permitted.
    pub refused_days: BTreeMap<Date, u64>,
    /// Questions by hour of the day, in the Netherlands.
    pub hours: [u64; 24],
    /// Who read the ledgers over the network.
    pub readers: Vec<ReaderReport>,
    /// Thresholds of the rules on unusual use.
    pub thresholds: Thresholds,
    /// How often something is in none of these rows, because there are too many.
    pub left_out: u64,
}

/// How much of the coordinator's ledger was read.
#[derive(Clone, Debug, Serialize)]
pub struct CoordinatorRead {
    /// The ledger.
    pub ledger: LedgerName,
    /// How many entries.
    pub read: u64,
    /// How many its checkpoint states, where the signature holds.
    pub signed: Option<u64>,
    /// Whether that is all, as far as anybody knows: else what is counted by it is too low.
    pub whole: bool,
}

/// Who asked, for which project and goal, under which mandate.
#[derive(Clone, Debug, Serialize)]
pub struct AskerReport {
    /// The project.
    pub project: ProjectId,
    /// The goal.
    pub goal: GoalId,
    /// The organisation.
    pub partner: Oin,
    /// Id of the key that signs the questions.
    pub key: KeyId,
    /// The function for which the last mandate of the project names this key; absent where none does.
    pub function: Option<String>,
    /// Whether that is the project leader's.
    pub leader: bool,
    /// The mandates that name the key, the one that ends first before the others.
    pub mandates: Vec<MandateReport>,
    /// From when on the key is revoked.
    pub revoked: Option<Timestamp>,
    /// Questions of which something was permitted.
    pub permitted: u64,
    /// The first question.
    pub first: Option<Timestamp>,
    /// The last one.
    pub last: Option<Timestamp>,
    /// The decisions on them.
    pub entries: Entries,
    /// The decisions of a day without such a mandate, after the last day of the project, or after the key was revoked.
    pub outside: Entries,
}

/// What was asked of a partner's dataset in a project, and given.
#[derive(Clone, Debug, Serialize)]
pub struct SourceReport {
    /// The project.
    pub project: ProjectId,
    /// The partner.
    pub provider: Oin,
    /// The dataset.
    pub dataset: DatasetId,
    /// The kind of question.
    pub kind: QueryKind,
    /// The decisions that permitted it.
    pub permitted: Entries,
    /// The outcomes of which it was answered in full.
    pub answered: Entries,
    /// Subjects in what was permitted; one who was asked about twice counts twice.
    pub subjects: u64,
    /// Rows in the answers for which there is a receipt.
    pub rows: u64,
    /// These receipts.
    pub received: Entries,
    /// Subjects in the questions that these receipts answer: of whom it is known whether they hit.
    pub answered_subjects: u64,
    /// Rows in the answers to questions about such subjects.
    pub answered_rows: u64,
    /// The columns that permits let through.
    pub columns: BTreeSet<FieldName>,
    /// The fields that permitted questions asked for.
    pub asked_fields: BTreeSet<FieldName>,
    /// The decisions on it.
    pub entries: Entries,
}

/// Why something was refused.
#[derive(Clone, Debug, Serialize)]
pub struct RefusalReport {
    /// Clause and code, `S10/BUITEN_GEBIED`, or the code of a problem.
    pub code: String,
    /// Title of the clause in the latest covenant.
    pub title: Option<String>,
    /// The decisions.
    pub entries: Entries,
}

/// Messages that a party did not take as a query to decide on.
#[derive(Clone, Debug, Serialize)]
pub struct RejectedReport {
    /// Why.
    pub problem: Problem,
    /// The authenticated party that sent them.
    pub peer: Oin,
    /// The entries that tell of them.
    pub entries: Entries,
}

/// The answers of a project, each in one of these rows: those that had to be destroyed, and numbers.
#[derive(Clone, Debug, Serialize)]
pub struct KeptReport {
    /// The project.
    pub project: ProjectId,
    /// Destroyed on record by the last day.
    pub in_time: Entries,
    /// Destroyed on record later than that.
    pub late: Entries,
    /// Not on record as destroyed, and the last day had passed by the end of the evidence.
    pub overdue: Entries,
    /// The last day was still to come.
    pub waiting: Entries,
    /// Answers that are a number (`count`): they are about nobody, and have no last day.
    pub numbers: Entries,
}

/// Who read a ledger over the network.
#[derive(Clone, Debug, Serialize)]
pub struct ReaderReport {
    /// The ledger.
    pub ledger: LedgerName,
    /// The organisation.
    pub reader: Oin,
    /// The key of its certificate: SHA-256 over the SubjectPublicKeyInfo.
    pub pin: Digest,
    /// The first entry that it could read.
    pub from: u64,
    /// How many entries there were when the last of these entries began; what was written in the minutes for
    /// which it stands may have been read too.
    pub until: u64,
    /// The first time.
    pub first: Option<Timestamp>,
    /// The last one.
    pub last: Option<Timestamp>,
    /// The entries that tell of it: one for what is read in some minutes.
    pub entries: Entries,
}

impl CoordinatorRead {
    /// Of the coordinator's ledger among these, and what was found of it.
    pub(crate) fn among(ledgers: &[Replayed], findings: &Findings) -> Option<Self> {
        let mut of = ledgers.iter().filter(|one| one.told.name.kind == LedgerKind::Coordinator);
        let Replayed { told, report, .. } = of.next()?;
        let (ledger, read, signed) = (told.name.clone(), report.counts.entries, report.signed);
        // Without a signature nobody knows where it ends; with one, others may know of more.
        let known =
            [Code::EndsEarly, Code::SetBack].iter().all(|code| !findings.tell(*code, &ledger));
        Some(Self { ledger, read, signed, whole: report.whole && signed.is_some() && known })
    }

    /// Whether anything can be counted by it.
    pub(crate) const fn counts(&self) -> bool {
        self.read > 0
    }
}

impl Answers {
    pub(crate) fn new(
        register: &RegisterEvidence,
        ledgers: &mut [Replayed],
        until: Option<Timestamp>,
        coordinator: Option<CoordinatorRead>,
    ) -> Self {
        let by_coordinator = coordinator.as_ref().is_some_and(CoordinatorRead::counts);
        let mut figures = Figures::default();
        for ledger in ledgers {
            let node = ledger.told.name.kind == LedgerKind::Node;
            figures.absorb(std::mem::take(&mut ledger.figures), node && by_coordinator);
        }
        let (left_out, hours) = (figures.left_out(), figures.hours);
        let asked = |(asker, asks)| AskerReport::new(register, asker, asks);
        let askers: Vec<_> = figures.askers.into_rows().map(asked).collect();
        Self {
            until,
            by_coordinator,
            coordinator,
            parties: parties(register),
            projects: projects(register, until, &askers),
            askers,
            sources: figures.sources.into_rows().map(SourceReport::new).collect(),
            refusals: refusals(register, figures.refusals.into_rows()),
            rejected: figures.rejected.into_rows().map(RejectedReport::new).collect(),
            kept: figures.kept.into_rows().map(|kept| KeptReport::new(kept, until)).collect(),
            days: figures.days.into_rows().collect(),
            refused_days: figures.refused_days.into_rows().collect(),
            hours,
            readers: figures.readers.into_rows().map(ReaderReport::new).collect(),
            thresholds: THRESHOLDS,
            left_out,
        }
    }

    /// Whether an hour of the day lies outside working hours.
    #[must_use]
    pub fn is_odd_hour(&self, hour: usize) -> bool {
        u8::try_from(hour).is_ok_and(is_odd_hour)
    }
}

impl AskerReport {
    fn new(register: &RegisterEvidence, asker: Asker, asks: Asks) -> Self {
        let (project, goal, partner, key) = asker;
        let grounds = Grounds::of(register, &project, (&partner, &key));
        Self {
            function: grounds.function().map(|(function, _)| function.to_owned()),
            leader: grounds.function().is_some_and(|(_, leader)| leader),
            mandates: grounds.mandates(),
            revoked: grounds.revoked(),
            key: key_id(&key),
            project,
            goal,
            partner,
            permitted: asks.permitted,
            first: asks.first,
            last: asks.last,
            entries: asks.entries,
            outside: asks.outside,
        }
    }
}

impl SourceReport {
    fn new((source, gives): (Source, Gives)) -> Self {
        let (project, provider, dataset, kind) = source;
        Self {
            project,
            provider,
            dataset,
            kind,
            permitted: gives.permitted,
            answered: gives.answered,
            subjects: gives.subjects,
            rows: gives.rows,
            received: gives.received,
            answered_subjects: gives.answered_subjects,
            answered_rows: gives.answered_rows,
            columns: gives.columns,
            asked_fields: gives.asked_fields,
            entries: gives.asked,
        }
    }
}

impl RejectedReport {
    fn new(((problem, peer), entries): (Sender, Entries)) -> Self {
        Self { problem, peer, entries }
    }
}

impl ReaderReport {
    fn new(((ledger, reader, pin), reads): (Reader, Reads)) -> Self {
        let Reads { entries, first, last, from, until } = reads;
        Self { ledger, reader, pin, from: from.unwrap_or(0), until, first, last, entries }
    }
}

fn parties(register: &RegisterEvidence) -> BTreeMap<Oin, String> {
    let enrolled = register.register().state().enrolments();
    enrolled.map(|one| (one.partner.clone(), one.name.as_str().to_owned())).collect()
}

fn refusals(
    register: &RegisterEvidence,
    rows: impl Iterator<Item = (String, Entries)>,
) -> Vec<RefusalReport> {
    let covenant = register.register().state().covenant();
    let title = |code: &str| {
        let clause = code.split_once('/')?.0.parse().ok()?;
        Some(covenant?.covenant.clause(&clause)?.title.as_str().to_owned())
    };
    let mut rows: Vec<_> =
        rows.map(|(code, entries)| RefusalReport { title: title(&code), code, entries }).collect();
    rows.sort_by_key(|one| std::cmp::Reverse(one.entries.number));
    rows
}

impl KeptReport {
    fn new((project, kept): (ProjectId, Kept), until: Option<Timestamp>) -> Self {
        let Kept { numbers, in_time, late: too_late, waiting: by_day } = kept;
        let (mut late, mut overdue, mut waiting) = <(Entries, Entries, Entries)>::default();
        too_late.into_values().for_each(|entries| late.absorb(entries));
        for (last_day, entries) in by_day {
            let passed = until.is_some_and(|until| last_day < until.date());
            if passed { &mut overdue } else { &mut waiting }.absorb(entries);
        }
        Self { project, in_time, late, overdue, waiting, numbers }
    }
}
