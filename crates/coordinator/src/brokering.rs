//! The path of one query through the coordinator: take, decide, record, fan out, relay, record.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use convenant_clauses::{Combined, Refused, Request, Verdict, decide_all};
use convenant_exchange::{Received, Rejection, View};
use convenant_ledger::Recorded;
use convenant_model::{
    Clock, Oin, Problem,
    entry::{Entry, OutcomeEntry, Recordable, Status, TargetOutcome},
};
use convenant_register::Snapshot;
use convenant_store::{Admission, Before, Books, RecordError};
use convenant_transport::Deadline;
use convenant_wire::{
    problem::{declined, refused, status},
    v1::{QueryFrame, QueryRequest, query_frame::Body},
};
use futures::future::join_all;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tonic::Status as GrpcStatus;

use crate::{metrics::Metrics, nodes::Nodes, registrar::Registrar};

mod relay;

/// Queries that may be under way at once.
pub(crate) const AT_ONCE: usize = 512;

/// Everything a query needs on its way.
pub(crate) struct Brokering {
    pub(crate) own: Oin,
    pub(crate) registrar: Arc<Registrar>,
    pub(crate) books: Books,
    pub(crate) nodes: Nodes,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Metrics,
    pub(crate) places: Arc<Semaphore>,
}

/// A query of which at least one target is permitted, and that on record.
pub(crate) struct Permitted {
    received: Received,
    snapshot: Arc<Snapshot>,
    decided: Recorded<Combined>,
    sealed: Vec<(u32, Bytes)>,
    _place: OwnedSemaphorePermit,
}

/// How long a requester may keep the word that a target was not answered waiting.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where frames for the requester go.
pub(crate) type Frames = mpsc::Sender<Result<QueryFrame, GrpcStatus>>;

impl Brokering {
    /// Takes a query, decides on it and records the decision; or says why not. Everything that an
    /// authenticated peer sends leaves a record.
    pub(crate) async fn take(
        &self,
        request: QueryRequest,
        peer: Oin,
    ) -> Result<Permitted, GrpcStatus> {
        let busy = || status(Problem::Overloaded, "too many queries are under way");
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| busy())?;
        let snapshot = self.registrar.current();
        let received = self.receive(request.signed_query, &peer, &snapshot);
        let received = received.map_err(|rejection| self.turned_down(&rejection))?;
        let started = Instant::now();
        let combined = self.decide(&received, &snapshot)?;
        self.metrics.stage("decide", started.elapsed());
        self.count(&combined);
        let refusals: Vec<_> = combined.refusals().cloned().collect();
        let permitted = combined.permits().count();
        let exposed = snapshot
            .rules()
            .is_some_and(|rules| received.query().may_name_a_person(rules.covenant()).is_some());
        // None of its targets was permitted then.
        if exposed {
            return Err(self.refused_by_hash(received, &refusals).await);
        }
        let started = Instant::now();
        // No node is asked before this returns: the entry is on disk by then.
        let decided = match self.books.ledger.record(combined).await {
            Ok(decided) => decided,
            Err(RecordError::Entry(_)) => {
                // Too long for an entry: that it came stays on record all the same.
                let fault =
                    "the record of this query would be too long: ask fewer partners at once";
                let rejection = received.reject(&self.own, Problem::Malformed, fault);
                return Err(self.turned_down(&rejection));
            }
            Err(error) => {
                tracing::error!(query = %received.query().id, %error, "not recorded, so not brokered");
                return Err(status(Problem::NotRecorded, "the decision could not be recorded"));
            }
        };
        self.metrics.stage("record", started.elapsed());
        self.metrics.ledger(self.books.ledger.size());
        if permitted == 0 {
            return Err(refusal(&refusals));
        }
        let sealed = request.subjects.into_iter().map(|one| (one.target, one.sealed)).collect();
        Ok(Permitted { received, snapshot, decided, sealed, _place: place })
    }

    /// Records a refused query by its hash only, because it may name a person and the ledger holds no
    /// personal data; the answer names the clauses as always.
    async fn refused_by_hash(&self, received: Received, refusals: &[Refused]) -> GrpcStatus {
        let rejection = received.reject(&self.own, Problem::Refused, "the query may name a person");
        match self.books.ledger.record(rejection.entry()).await {
            Ok(_) => refusal(refusals),
            Err(error) => {
                tracing::error!(%error, "a refusal could not be recorded");
                status(Problem::NotRecorded, "the refusal could not be recorded")
            }
        }
    }

    /// Asks the permitted nodes, all at once, and relays what they answer. A target that fails does not spoil the
    /// others.
    pub(crate) async fn relay(
        &self,
        permitted: Permitted,
        deadline: Option<Deadline>,
        frames: Frames,
    ) {
        // Nothing is waited for longer than the query is valid.
        let received = &permitted.received;
        let valid = received.query().expires.seconds_since(received.at());
        let valid = Deadline::after(Duration::from_secs(valid.unsigned_abs()));
        let deadline = Some(deadline.map_or(valid, |deadline| deadline.min(valid)));
        let started = Instant::now();
        let results = self.ask_all(&permitted, deadline, &frames).await;
        self.metrics.stage("relay", started.elapsed());
        let (query, at) = (permitted.received.query(), self.clock.now());
        for result in &results {
            self.metrics.ended(&result.status);
            self.books.usage.note(query, &result.partner, &result.status, at);
        }
        let entry = Entry::Outcome(OutcomeEntry {
            party: self.own.clone(),
            query: query.id,
            decision: permitted.decided.index(),
            at,
            results,
        });
        if let Err(error) = self.books.ledger.append_later(&entry) {
            tracing::error!(query = %permitted.received.query().id, %error, "an outcome is not recorded");
        }
    }

    async fn ask_all(
        &self,
        permitted: &Permitted,
        deadline: Option<Deadline>,
        frames: &Frames,
    ) -> Vec<TargetOutcome> {
        let asked = permitted.decided.item().verdicts().iter().map(async |verdict| {
            let target = verdict.target();
            match verdict {
                Verdict::Refuse(refused) => {
                    let outcome = self.not_asked(permitted, target, refusal_status(refused));
                    relay::decline(outcome, frames).await
                }
                Verdict::Permit(_) => {
                    relay::relay(self.errand(permitted, target, deadline), frames).await
                }
            }
        });
        let mut results = join_all(asked).await;
        results.sort_by_key(|result| result.target);
        results
    }

    fn errand(
        &self,
        permitted: &Permitted,
        target: u32,
        deadline: Option<Deadline>,
    ) -> relay::Errand {
        let outcome = self.not_asked(permitted, target, failed(Problem::NodeUnavailable));
        let state = permitted.snapshot.register().state();
        let channel = state.enrolment(&outcome.partner).and_then(|one| self.nodes.channel(one));
        let sealed = permitted.sealed.iter().find(|(of, _)| *of == target);
        relay::Errand {
            channel,
            signed_query: permitted.received.signed().to_owned(),
            sealed: sealed.map(|(_, sealed)| sealed.clone()).unwrap_or_default(),
            deadline,
            outcome,
        }
    }

    fn not_asked(&self, permitted: &Permitted, target: u32, status: Status) -> TargetOutcome {
        let asked = permitted.received.query().targets.get(target as usize);
        let partner = asked.map_or_else(|| self.own.clone(), |target| target.partner.clone());
        TargetOutcome { target, partner, status, bytes: 0, chunks: 0, hash: None, alarm: false }
    }

    fn receive(
        &self,
        signed: String,
        peer: &Oin,
        snapshot: &Snapshot,
    ) -> Result<Received, Box<Rejection>> {
        let at = self.clock.now();
        let view = View { party: &self.own, peer, register: snapshot.register(), at };
        let received = Received::take(signed, &view)?;
        let reject = |received: Received, problem, fault: &str| {
            Err(Box::new(received.reject(&self.own, problem, fault)))
        };
        let query = received.query();
        if query.requester.partner != *peer {
            let fault = "the requester is not the organisation whose certificate was shown";
            return reject(received, Problem::NotAllowed, fault);
        }
        if self.books.seen.admit(query.id, query.expires, at) == Admission::Replayed {
            let fault = "a query with this id was received before";
            return reject(received, Problem::Replayed, fault);
        }
        Ok(received)
    }

    fn decide(&self, received: &Received, snapshot: &Snapshot) -> Result<Combined, GrpcStatus> {
        let rules = snapshot.rules();
        let rules =
            rules.ok_or_else(|| status(Problem::RegisterStale, "there is no covenant yet"))?;
        let query = received.query();
        let decide_with = |before: &Before| {
            let request = Request {
                query,
                signed_query: received.signed(),
                at: received.at(),
                party: &self.own,
                peer: received.peer(),
                used: before.used,
                counted: &before.counted,
                register: snapshot.position(),
            };
            let combined = decide_all(rules, snapshot.register().state(), &request);
            let permitted = combined.permits().map(convenant_clauses::Permit::target).collect();
            (combined, permitted)
        };
        // A project that the register does not know gets no page in the book, which would stay.
        let Some(project) = snapshot.register().state().project(&query.project) else {
            return Ok(decide_with(&Before::default()).0);
        };
        let at = received.at();
        Ok(self.books.usage.decide(query, project, at, decide_with))
    }

    fn count(&self, combined: &Combined) {
        for verdict in combined.verdicts() {
            match verdict {
                Verdict::Permit(_) => self.metrics.permitted(),
                Verdict::Refuse(refused) => self.metrics.refused(refused.refusal()),
            }
        }
    }

    /// Records what was no query, and makes the answer to it.
    fn turned_down(&self, rejection: &Rejection) -> GrpcStatus {
        self.metrics.ended(&failed(rejection.problem));
        if let Err(error) = self.books.ledger.append_later(&rejection.entry()) {
            tracing::error!(%error, "a rejection could not be recorded");
            return status(Problem::NotRecorded, "the rejection could not be recorded");
        }
        status(rejection.problem, rejection.explanation.as_str())
    }
}

/// The answer to a query of which no target is permitted: all clauses of all targets.
fn refusal(refusals: &[Refused]) -> GrpcStatus {
    let violations = refusals.iter().filter_map(Refused::refusal);
    let violations = violations.flat_map(|refusal| refusal.violations().iter().cloned());
    match convenant_model::verdict::Refusal::new(violations.collect()) {
        Some(refusal) => refused(&refusal),
        None => status(Problem::RuleError, "the covenant's rules could not be evaluated"),
    }
}

fn refusal_status(refused: &Refused) -> Status {
    match refused.refusal() {
        Some(refusal) => Status::Refused { refusal: refusal.clone() },
        None => failed(refused.problem()),
    }
}

const fn failed(problem: Problem) -> Status {
    Status::Failed { problem }
}

async fn send(frames: &Frames, target: u32, body: Body) -> Result<(), Problem> {
    let frame = QueryFrame { target, body: Some(body) };
    frames.send(Ok(frame)).await.map_err(|_| Problem::Cancelled)
}

async fn send_declined(frames: &Frames, outcome: &TargetOutcome) {
    let body = Body::Declined(declined(&outcome.status));
    // Whether the requester is still there makes no difference to the record.
    let _gone = tokio::time::timeout(PATIENCE, send(frames, outcome.target, body)).await;
}
