//! What one ledger adds to the figures of a report. Gathered as it is read, in memory that does not grow with it.

use std::collections::{BTreeMap, BTreeSet};

use convenant_model::{
    DatasetId, Date, Digest, FieldName, GoalId, Oin, Problem, ProjectId, Timestamp,
    entry::{Decision, LedgerRead, RecordedVerdict, Rejected},
    keys::VerifyingKey,
    query::{Query, QueryKind},
    register::{Answer, Project},
};

use crate::{Entries, LedgerName, grounds::Grounds, place::Place, table::Table, unusual::Watch};

/// How many columns of one dataset are named.
const COLUMNS: usize = 200;

/// Who asks for what: project, goal, organisation and key.
pub(crate) type Asker = (ProjectId, GoalId, Oin, VerifyingKey);
/// What is asked of whom: project, partner, dataset and kind.
pub(crate) type Source = (ProjectId, Oin, DatasetId, QueryKind);

/// Why a message was not taken, and who sent it.
pub(crate) type Sender = (Problem, Oin);

/// Who reads which ledger: the ledger, the reader, and the key of its certificate.
pub(crate) type Reader = (LedgerName, Oin, Digest);

/// The figures of one ledger, or of several together.
#[derive(Default)]
pub(crate) struct Figures {
    pub(crate) askers: Table<Asker, Asks>,
    pub(crate) sources: Table<Source, Gives>,
    /// Refusals by clause and code, or by problem.
    pub(crate) refusals: Table<String, Entries>,
    pub(crate) rejected: Table<Sender, Entries>,
    pub(crate) kept: Table<ProjectId, Kept>,
    pub(crate) days: Table<Date, u64>,
    /// Of these, the questions of which nothing was permitted.
    pub(crate) refused_days: Table<Date, u64>,
    pub(crate) hours: [u64; 24],
    pub(crate) readers: Table<Reader, Reads>,
    pub(crate) watch: Watch,
}

/// The questions of one asker.
#[derive(Debug, Default)]
pub(crate) struct Asks {
    pub(crate) permitted: u64,
    pub(crate) entries: Entries,
    /// Of these, the ones when not all that lets somebody ask held.
    pub(crate) outside: Entries,
    pub(crate) first: Option<Timestamp>,
    pub(crate) last: Option<Timestamp>,
}

/// What was asked of a source, and given.
#[derive(Debug, Default)]
pub(crate) struct Gives {
    pub(crate) asked: Entries,
    pub(crate) permitted: Entries,
    pub(crate) answered: Entries,
    pub(crate) subjects: u64,
    pub(crate) columns: BTreeSet<FieldName>,
    /// The fields that permitted questions asked for.
    pub(crate) asked_fields: BTreeSet<FieldName>,
    /// Rows that the receivers' receipts prove, and those receipts.
    pub(crate) rows: u64,
    pub(crate) received: Entries,
    /// Of the questions about somebody in particular among these: their subjects, and their rows.
    pub(crate) answered_subjects: u64,
    pub(crate) answered_rows: u64,
}

/// The answers that a receiver had to destroy.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// Answers that are a number: they are about nobody, and may be kept.
    pub(crate) numbers: Entries,
    pub(crate) in_time: Entries,
    /// Destroyed on record after the last day, by that day.
    pub(crate) late: BTreeMap<Date, Entries>,
    /// Not on record as destroyed, by the last day on which they may be kept.
    pub(crate) waiting: BTreeMap<Date, Entries>,
}

/// What one reader read of a ledger.
#[derive(Debug, Default)]
pub(crate) struct Reads {
    pub(crate) entries: Entries,
    pub(crate) first: Option<Timestamp>,
    pub(crate) last: Option<Timestamp>,
    /// The entries that it could read: from this one …
    pub(crate) from: Option<u64>,
    /// … up to so many.
    pub(crate) until: u64,
}

impl Figures {
    pub(crate) fn decision(
        &mut self,
        (ledger, index): (&LedgerName, u64),
        decision: &Decision,
        query: &Query,
        grounds: &Grounds<'_>,
    ) {
        let permits = |one: &RecordedVerdict| matches!(one, RecordedVerdict::Permit { .. });
        let permitted = decision.verdicts.iter().any(|one| permits(&one.verdict));
        let requester = &query.requester;
        let (project, goal) = (query.project.clone(), query.goal.clone());
        let asker = (project, goal, requester.partner.clone(), requester.key.clone());
        if let Some(asks) = self.askers.row(asker) {
            asks.entries.note(ledger, index);
            if !grounds.held(decision.at) {
                asks.outside.note(ledger, index);
            }
            asks.permitted += u64::from(permitted);
            asks.first = Some(asks.first.map_or(decision.at, |first| first.min(decision.at)));
            asks.last = asks.last.max(Some(decision.at));
        }
        if let Some(day) = self.days.row(decision.at.date()) {
            *day += 1;
        }
        if !permitted && let Some(day) = self.refused_days.row(decision.at.date()) {
            *day += 1;
        }
        if let Some(hour) = self.hours.get_mut(usize::from(decision.at.hour())) {
            *hour += 1;
        }
        let place = Place { ledger: ledger.clone(), entry: index };
        self.watch.decision(&place, decision.at, query, !permitted);
        for verdict in &decision.verdicts {
            self.verdict(&place, verdict.target, &verdict.verdict, query);
        }
    }

    fn verdict(&mut self, place: &Place, target: u32, verdict: &RecordedVerdict, query: &Query) {
        match verdict {
            RecordedVerdict::Permit { .. } => {}
            RecordedVerdict::Refuse { refusal } => {
                for one in refusal.violations() {
                    self.refused(format!("{}/{}", one.clause, one.code), place);
                }
            }
            RecordedVerdict::Problem { problem } => {
                self.refused(problem.code().to_owned(), place);
            }
        }
        let Some(asked) = query.targets.get(target as usize) else { return };
        let source =
            (query.project.clone(), asked.partner.clone(), asked.dataset.clone(), query.kind);
        let Some(gives) = self.sources.row(source) else { return };
        gives.asked.note(&place.ledger, place.entry);
        if let RecordedVerdict::Permit { obligations } = verdict {
            gives.permitted.note(&place.ledger, place.entry);
            gives.subjects += asked.subjects.as_ref().map_or(0, |one| u64::from(one.count));
            for (fields, more) in [
                (&mut gives.columns, &obligations.columns),
                (&mut gives.asked_fields, &asked.fields),
            ] {
                let room = COLUMNS.saturating_sub(fields.len());
                fields.extend(more.iter().take(room).cloned());
            }
        }
    }

    fn refused(&mut self, why: String, place: &Place) {
        if let Some(refusals) = self.refusals.row(why) {
            refusals.note(&place.ledger, place.entry);
        }
    }

    /// Notes a message that was no query to decide on.
    pub(crate) fn rejected(&mut self, ledger: &LedgerName, index: u64, rejected: &Rejected) {
        if let Some(entries) = self.rejected.row((rejected.problem, rejected.peer.clone())) {
            entries.note(ledger, index);
        }
    }

    /// Notes that an answer was given.
    pub(crate) fn answered(&mut self, place: &Place, source: Source) {
        if let Some(gives) = self.sources.row(source) {
            gives.answered.note(&place.ledger, place.entry);
        }
    }

    /// Notes how many rows a receiver has proof of, and of how many subjects they are where it asked about
    /// somebody in particular.
    pub(crate) fn received(
        &mut self,
        place: &Place,
        source: Source,
        rows: u64,
        subjects: Option<u32>,
    ) {
        if let Some(gives) = self.sources.row(source) {
            if let Some(subjects) = subjects {
                gives.answered_subjects += u64::from(subjects);
                gives.answered_rows = gives.answered_rows.saturating_add(rows);
            }
            gives.rows = gives.rows.saturating_add(rows);
            gives.received.note(&place.ledger, place.entry);
        }
    }

    /// Notes who read the ledger.
    pub(crate) fn read(&mut self, ledger: &LedgerName, index: u64, read: &LedgerRead) {
        let reader = (ledger.clone(), read.reader.clone(), read.pin);
        let Some(reads) = self.readers.row(reader) else { return };
        reads.entries.note(ledger, index);
        reads.first = Some(reads.first.map_or(read.at, |first| first.min(read.at)));
        reads.last = reads.last.max(Some(read.at));
        reads.from = Some(reads.from.map_or(read.from, |from| from.min(read.from)));
        reads.until = reads.until.max(read.until);
    }

    /// Adds the figures of another ledger; of a node whose questions the coordinator counted too, only what
    /// it refused or did not take itself, what only it tells is kept, and who read it.
    pub(crate) fn absorb(&mut self, other: Self, also_counted: bool) {
        self.refusals.absorb(other.refusals, Entries::absorb);
        self.rejected.absorb(other.rejected, Entries::absorb);
        self.readers.absorb(other.readers, Reads::absorb);
        self.kept.absorb(other.kept, Kept::absorb);
        if also_counted {
            return;
        }
        self.askers.absorb(other.askers, Asks::absorb);
        self.sources.absorb(other.sources, Gives::absorb);
        self.days.absorb(other.days, |day, more| *day += more);
        self.refused_days.absorb(other.refused_days, |day, more| *day += more);
        self.hours.iter_mut().zip(other.hours).for_each(|(hour, more)| *hour += more);
    }

    /// How often something has no row of its own, because there are too many.
    pub(crate) const fn left_out(&self) -> u64 {
        self.askers.left_out()
            + self.sources.left_out()
            + self.refusals.left_out()
            + self.rejected.left_out()
            + self.kept.left_out()
            + self.readers.left_out()
            + self.days.left_out()
    }
}

impl Asks {
    fn absorb(&mut self, other: Self) {
        self.permitted += other.permitted;
        self.entries.absorb(other.entries);
        self.outside.absorb(other.outside);
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = self.last.max(other.last);
    }
}

impl Gives {
    fn absorb(&mut self, other: Self) {
        self.asked.absorb(other.asked);
        self.permitted.absorb(other.permitted);
        self.answered.absorb(other.answered);
        self.subjects += other.subjects;
        self.columns.extend(other.columns);
        self.asked_fields.extend(other.asked_fields);
        self.answered_subjects += other.answered_subjects;
        self.answered_rows = self.answered_rows.saturating_add(other.answered_rows);
        self.rows = self.rows.saturating_add(other.rows);
        self.received.absorb(other.received);
    }
}

impl Reads {
    fn absorb(&mut self, other: Self) {
        self.entries.absorb(other.entries);
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = self.last.max(other.last);
        self.from = [self.from, other.from].into_iter().flatten().min();
        self.until = self.until.max(other.until);
    }
}

impl Kept {
    /// Notes an answer that must be destroyed after its last day, with what the whole register says of it.
    pub(crate) fn note(
        &mut self,
        (ledger, entry): (&LedgerName, u64),
        project: Option<&Project>,
        answer: &Answer,
        last_day: Date,
    ) {
        let by = |at| project.is_some_and(|project| project.is_destroyed(answer, at));
        let end = last_day.plus_days(1).start();
        let entries = if by(Timestamp::from_millis(end.millis() - 1).unwrap_or(end)) {
            &mut self.in_time
        } else if by(Timestamp::LAST) {
            self.late.entry(last_day).or_default()
        } else {
            self.waiting.entry(last_day).or_default()
        };
        entries.note(ledger, entry);
    }

    fn absorb(&mut self, other: Self) {
        self.numbers.absorb(other.numbers);
        self.in_time.absorb(other.in_time);
        for (own, other) in [(&mut self.late, other.late), (&mut self.waiting, other.waiting)] {
            for (day, entries) in other {
                own.entry(day).or_default().absorb(entries);
            }
        }
    }
}
