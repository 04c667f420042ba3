//! Lines of LDV (*Logboek Dataverwerkingen*, `sections/specificaties.md`): one for the answer of a node, and below
//! it one for each person that the answer is about.
//!
//! A line follows from the node's ledger and the pseudonym alone. Made again it is the same, ids included, so
//! that a log to which it is sent twice holds it once.

use convenant_model::{
    DatasetId, Oin, Problem, ProjectId, QueryId, Timestamp,
    entry::{Decision, Entry, Status as Outcome},
    ids::GoalId,
    query::QueryKind,
};
use convenant_signing::sha256_parts;

use crate::{
    adl::{Producer, Status},
    exchange::{NotReadable, query_of},
    trace::{SpanId, TraceId, trace},
};

/// Keep the two kinds of ids of one answer apart.
const ACTION: &[u8] = b"convenant ldv action\n";
const SUBJECT: &[u8] = b"convenant ldv subject\n";
/// Where organisations are looked up by their OIN.
const ORGANISATIONS: &str = "https://oinregister.logius.nl/oin/";

/// One line (*logregel*): an action, and the person that it is about, if it is about one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProcessingLine {
    /// The requester's trace; without one, the query's id.
    pub trace_id: TraceId,
    /// The action.
    pub span_id: SpanId,
    /// The action that called it: the requester's, or the answer that the person is part of.
    pub parent_span_id: Option<SpanId>,
    /// Whether the node itself failed; a requester that went away is no error.
    pub status: Status,
    /// For people.
    pub name: String,
    /// When the query was decided on.
    pub start_time: Timestamp,
    /// When the answer ended.
    pub end_time: Timestamp,
    /// `dpl.core.processing_activity_id`: URI in the register of processing activities.
    pub processing_activity_id: String,
    /// `dpl.core.data_subject_id` and `dpl.core.data_subject_id_type`.
    pub subject: Option<DataSubject>,
    /// `dpl.core.foreign_operation.processor`: the organisation that asked, where its action is the parent.
    pub foreign_processor: Option<String>,
}

/// The person that a line is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DataSubject {
    /// A pseudonym of the node's.
    pub id: String,
    /// Of what it is the pseudonym, for instance `BSN`.
    pub id_type: String,
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// Whether the node itself failed.
    pub status: Status,
}

impl Ended {
    /// What a later entry of the same ledger says of how the answer ended that began with the entry at
    /// `decision`. A start of the node ends what was under way.
    #[must_use]
    pub fn told_by(entry: &Entry, decision: u64) -> Option<Self> {
        match entry {
            Entry::Outcome(outcome) if outcome.decision == decision => {
                let failed = outcome.results.iter().any(|one| is_failure(&one.status));
                let status = if failed { Status::Error } else { Status::Unset };
                Some(Self { at: outcome.at, status })
            }
            Entry::Started(started) => Some(Self { at: started.at, status: Status::Error }),
            _ => None,
        }
    }
}

/// Faults of this party or its source; everything else was handled as it should be.
const fn is_failure(outcome: &Outcome) -> bool {
    let Outcome::Failed { problem } = outcome else {
        return false;
    };
    !matches!(problem, Problem::Cancelled | Problem::Lapsed | Problem::TooManyRows)
}

/// A decision of a node that permitted an answer, read for its lines.
#[derive(Clone, Debug)]
pub struct Processing {
    producer: Producer,
    trace_id: TraceId,
    caller: Option<SpanId>,
    requester: Oin,
    started: Timestamp,
    expires: Timestamp,
    dataset: DatasetId,
    project: ProjectId,
    goal: GoalId,
    query: QueryId,
    kind: QueryKind,
}

impl Processing {
    /// Reads the decision that stands at `producer`, and one target of its query; `None` where the query has no
    /// such target.
    ///
    /// # Errors
    /// When the entry's query cannot be read.
    pub fn of(
        decision: &Decision,
        target: u32,
        producer: Producer,
    ) -> Result<Option<Self>, NotReadable> {
        let query = query_of(&decision.signed_query)?;
        let (trace_id, caller) = trace(&query);
        let asked = usize::try_from(target).ok().and_then(|at| query.targets.get(at));
        Ok(asked.map(|target| Self {
            producer,
            trace_id,
            caller,
            requester: query.requester.partner.clone(),
            started: decision.at,
            expires: query.expires,
            dataset: target.dataset.clone(),
            project: query.project.clone(),
            goal: query.goal.clone(),
            query: query.id,
            kind: query.kind,
        }))
    }

    /// The dataset that was asked, on which the processing activity depends.
    #[must_use]
    pub const fn dataset(&self) -> &DatasetId {
        &self.dataset
    }

    /// How it ended if no entry tells: no answer outlasts its query.
    #[must_use]
    pub const fn untold(&self) -> Ended {
        Ended { at: self.expires, status: Status::Error }
    }

    /// The action, now that it has ended.
    #[must_use]
    pub const fn ended(self, ended: Ended, activity: String) -> Action {
        Action { processing: self, ended, activity }
    }
}

/// An answer that ended, of which lines are made.
#[derive(Clone, Debug)]
pub struct Action {
    processing: Processing,
    ended: Ended,
    activity: String,
}

impl Action {
    /// The party and the entry that the lines follow from (`resource`).
    #[must_use]
    pub const fn producer(&self) -> &Producer {
        &self.processing.producer
    }

    /// The line of the answer as a whole, which is about nobody.
    #[must_use]
    pub fn line(&self) -> ProcessingLine {
        let Processing { caller, requester, project, goal, query, kind, .. } = &self.processing;
        let kind = kind.as_str();
        let name =
            format!("vraag beantwoorden: {kind}, project {project}, doel {goal}, vraag {query}");
        ProcessingLine {
            parent_span_id: *caller,
            foreign_processor: caller.map(|_| format!("{ORGANISATIONS}{requester}")),
            ..self.child(self.span_id(), name, None)
        }
    }

    /// The line of one person: a child action (`Gedrag van Applicatie`).
    #[must_use]
    pub fn line_about(&self, subject: DataSubject) -> ProcessingLine {
        let Processing { producer, dataset, goal, .. } = &self.processing;
        let id = sha256_parts(&[
            SUBJECT,
            producer.leaf.as_bytes(),
            subject.id_type.as_bytes(),
            b"\n",
            subject.id.as_bytes(),
        ]);
        let name = format!("gegevens van een persoon raadplegen: {dataset}, doel {goal}");
        self.child(SpanId::of(&id), name, Some(subject))
    }

    fn child(&self, span: SpanId, name: String, subject: Option<DataSubject>) -> ProcessingLine {
        ProcessingLine {
            trace_id: self.processing.trace_id,
            span_id: span,
            parent_span_id: Some(self.span_id()),
            status: self.ended.status,
            name,
            start_time: self.processing.started,
            end_time: self.ended.at,
            processing_activity_id: self.activity.clone(),
            subject,
            foreign_processor: None,
        }
    }

    fn span_id(&self) -> SpanId {
        SpanId::of(&sha256_parts(&[ACTION, self.processing.producer.leaf.as_bytes()]))
    }
}

#[cfg(test)]
mod tests {
    use convenant_model::entry::{OutcomeEntry, Started, TargetOutcome};

    use super::*;

    const AT: i64 = 1_772_445_600_000;

    fn outcome(decision: u64, status: Outcome) -> Entry {
        let party = Oin::new("00000099000000000599").unwrap();
        let result = TargetOutcome {
            target: 0,
            partner: party.clone(),
            status,
            bytes: 0,
            chunks: 0,
            hash: None,
            alarm: false,
        };
        let query = "0189f7e5-c883-7106-8272-ccb7fcba0575".parse().unwrap();
        let at = Timestamp::from_millis(AT).unwrap();
        Entry::Outcome(OutcomeEntry { party, query, decision, at, results: vec![result] })
    }

    #[test]
    fn only_its_own_outcome_or_a_start_ends_an_answer() {
        let answered = outcome(7, Outcome::Answered);
        let at = Timestamp::from_millis(AT).unwrap();
        let ended = Ended::told_by(&answered, 7);
        assert_eq!(ended, Some(Ended { at, status: Status::Unset }));
        assert_eq!(Ended::told_by(&answered, 6), None);
        let party = Oin::new("00000099000000000599").unwrap();
        let started = Started { party, at, software: "convenant".to_owned(), torn_bytes: 0 };
        let broken_off = Ended::told_by(&Entry::Started(started), 7);
        assert_eq!(broken_off, Some(Ended { at, status: Status::Error }));
    }

    #[test]
    fn what_was_handled_as_it_should_be_is_no_error() {
        for (problem, status) in [
            (Problem::Cancelled, Status::Unset),
            (Problem::Lapsed, Status::Unset),
            (Problem::TooManyRows, Status::Unset),
            (Problem::SourceUnavailable, Status::Error),
            (Problem::Late, Status::Error),
            (Problem::NotRecorded, Status::Error),
            (Problem::Internal, Status::Error),
        ] {
            let ended = Ended::told_by(&outcome(7, Outcome::Failed { problem }), 7).unwrap();
            assert_eq!(ended.status, status, "{problem:?}");
        }
    }
}
