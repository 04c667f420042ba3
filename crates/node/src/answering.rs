//! The path of one query through a node, in the order that keeps the promises: take, decide, record,
//! read, seal, close.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use convenant_clauses::{Permit, Refused, Request, Rules, Verdict, decide};
use convenant_exchange::{
    Answer, AnswerError, Envelope, Received, Rejection, SubjectFault, Unfit, View, VoucherView,
    decline, open_subjects,
};
use convenant_ldv::Gate;
use convenant_ledger::Recorded;
use convenant_model::{
    Clock, Oin, Problem,
    entry::{Entry, OutcomeEntry, Recordable, Rejected, Status, TargetOutcome},
    subjects::Subject,
    value::FieldType,
    vouching::VouchedBy,
};
use convenant_register::{Follower, Snapshot};
use convenant_signing::{SystemRandom, sha256};
use convenant_store::{Admission, Before, Books};
use convenant_subjects::{Journal, Subjects};
use convenant_transport::{Deadline, Line};
use convenant_wire::{problem::status, v1::AnswerRequest};
use futures::future::join;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status as GrpcStatus;

use crate::{
    datasets::Datasets,
    keyring::{KeyPair, Keyring},
    metrics::Metrics,
};

mod about;
mod fault;
mod frames;
mod lapse;
mod reading;

pub(crate) use frames::Frames;
use frames::Gone;

/// Answers that may be under way at once.
pub(crate) const AT_ONCE: usize = 256;

/// Everything a query needs on its way.
pub(crate) struct Answering {
    pub(crate) party: Oin,
    /// The only party that may pass queries on.
    pub(crate) broker: Oin,
    pub(crate) keyring: Keyring,
    pub(crate) follower: Arc<Follower>,
    pub(crate) coordinator: Line,
    pub(crate) books: Books,
    /// Whom answers are about; absent where the node keeps no account of it.
    pub(crate) subjects: Option<Subjects>,
    /// Whether the log of processing keeps up; absent where there is none.
    pub(crate) logbook: Option<Gate>,
    pub(crate) datasets: ArcSwapOption<Datasets>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: SystemRandom,
    pub(crate) metrics: Metrics,
    pub(crate) places: Arc<Semaphore>,
    /// Who was turned away since the start.
    pub(crate) turned_away: Mutex<BTreeSet<Oin>>,
}

/// A query that was taken and is to be decided on.
pub(crate) struct Asked {
    received: Received,
    snapshot: Arc<Snapshot>,
    rules: Arc<Rules>,
    target: u32,
    sealed: Bytes,
    keys: KeyPair,
    _place: OwnedSemaphorePermit,
}

/// A permit on record with the answer that it begins, unless that cannot begin.
struct Begun {
    permit: Recorded<Permit>,
    answer: Result<(Answer, [u8; 32]), AnswerError>,
}

impl Begun {
    fn of(permit: Recorded<Permit>, envelope: Result<Envelope, AnswerError>) -> Self {
        let answer = envelope.and_then(|envelope| Answer::begin(&permit, envelope));
        Self { permit, answer }
    }
}

impl Answering {
    /// Takes a query, or says why it is none. Everything that an authenticated peer sends leaves a
    /// record.
    pub(crate) async fn take(
        &self,
        request: AnswerRequest,
        peer: Oin,
    ) -> Result<Asked, GrpcStatus> {
        if peer != self.broker {
            return Err(self.turn_away(&request.signed_query, peer).await);
        }
        let busy = || status(Problem::Overloaded, "too many answers are under way");
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| busy())?;
        let taken = self.receive(request.signed_query, &peer).await;
        let (received, snapshot) = taken.map_err(|rejection| self.turned_down(&rejection))?;
        let reject = |received: Received, problem, fault: &str| {
            let rejection = received.reject(&self.party, problem, fault);
            Err(self.turned_down(&rejection))
        };
        let asked = received.query().targets.get(request.target as usize);
        if asked.is_none_or(|target| target.partner != self.party) {
            return reject(received, Problem::Malformed, "the target is not this partner");
        }
        let rules = match snapshot.trusted(received.at()) {
            Ok(rules) => Arc::clone(rules),
            Err(distrust) => return reject(received, distrust.problem(), &distrust.to_string()),
        };
        let query = received.query();
        let (id, expires) = (query.id, query.expires);
        if self.books.seen.admit(id, expires, received.at()) == Admission::Replayed {
            return reject(received, Problem::Replayed, "a query with this id was received before");
        }
        let (state, written) = (snapshot.register().state(), query.register.size);
        let Some(keys) = self.keyring.of(state, written, self.clock.now()) else {
            return reject(received, Problem::Internal, "this node has no keys");
        };
        let (target, sealed) = (request.target, request.sealed_subjects);
        Ok(Asked { received, snapshot, rules, target, sealed, keys, _place: place })
    }

    /// Waits until a write of what goes on record ends in doubt, if ever.
    pub(crate) async fn in_doubt(&self) {
        match &self.subjects {
            None => self.books.ledger.in_doubt().await,
            Some(subjects) => tokio::select! {
                () = self.books.ledger.in_doubt() => {}
                () = subjects.journal().in_doubt() => {}
            },
        }
    }

    /// Whether a write ended in doubt.
    pub(crate) fn is_in_doubt(&self) -> bool {
        let journal = self.subjects.as_ref().map(Subjects::journal);
        self.books.ledger.is_poisoned() || journal.is_some_and(Journal::is_in_doubt)
    }

    /// Sends somebody away who may read here and may not ask: an auditor. That is on record once for each since
    /// the start, so that nobody fills the ledger with it; nothing is verified, and no place is taken.
    async fn turn_away(&self, message: &str, peer: Oin) -> GrpcStatus {
        let first = {
            let mut known = self.turned_away.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert(peer.clone())
        };
        if first {
            let rejected = Rejected {
                party: self.party.clone(),
                peer,
                at: self.clock.now(),
                problem: Problem::NotAllowed,
                message: sha256(message.as_bytes()),
                query: None,
            };
            if let Err(error) = self.books.ledger.append_later(&Entry::Rejected(rejected)) {
                tracing::error!(%error, "a message that was turned away is not on record");
            }
        }
        status(Problem::NotAllowed, "only the coordinator passes on queries")
    }

    /// Decides, records and answers. Whatever happens, the coordinator gets a signed outcome.
    pub(crate) async fn answer(&self, asked: Asked, deadline: Option<Deadline>, frames: Frames) {
        // No answer takes longer than its query is valid.
        let valid = asked.received.query().expires.seconds_since(asked.received.at());
        let valid = Deadline::after(Duration::from_secs(valid.unsigned_abs()));
        let deadline = Some(deadline.map_or(valid, |deadline| deadline.min(valid)));
        let started = Instant::now();
        let decided = self.decide(&asked);
        self.metrics.stage("decide", started.elapsed());
        match decided {
            Err(refused) => self.refuse(&asked, *refused, &frames).await,
            Ok((permit, subjects)) => {
                self.metrics.permitted();
                let started = Instant::now();
                // The one who asked gets his seal while the disk works. Nothing is read before this returns: the entry
                // is on disk by then.
                let (received, target) = (&asked.received, asked.target);
                let sealed = async { Envelope::new(received, target, &self.party, &self.random) };
                let (recorded, envelope) = join(self.books.ledger.record(*permit), sealed).await;
                self.metrics.stage("record", started.elapsed());
                match recorded {
                    Ok(recorded) => {
                        let begun = Begun::of(recorded, envelope);
                        self.release(&asked, begun, subjects, deadline, &frames).await;
                    }
                    Err(error) => {
                        tracing::error!(query = %asked.received.query().id, %error, "not recorded, so not answered");
                        self.decline(&asked, failed(Problem::NotRecorded), None, &frames).await;
                    }
                }
            }
        }
        self.metrics.ledger(self.books.ledger.size());
    }

    /// Verifies what came. Where the query was written against a newer register than this node has,
    /// or the copy has grown stale, fetches the register once.
    async fn receive(
        &self,
        signed: String,
        peer: &Oin,
    ) -> Result<(Received, Arc<Snapshot>), Box<Rejection>> {
        let snapshot = self.follower.current();
        let at = self.clock.now();
        let first = self.receive_with(signed.clone(), peer, &snapshot);
        let stale = snapshot.trusted(at).is_err();
        match first {
            Ok(received) if !stale => Ok((received, snapshot)),
            Err(rejection) if rejection.problem != Problem::RegisterStale && !stale => {
                Err(rejection)
            }
            _ => {
                let fresh = self.follower.refresh(self.coordinator.channel()).await;
                let snapshot = fresh.unwrap_or_else(|_| self.follower.current());
                Ok((self.receive_with(signed, peer, &snapshot)?, snapshot))
            }
        }
    }

    fn receive_with(
        &self,
        signed: String,
        peer: &Oin,
        snapshot: &Snapshot,
    ) -> Result<Received, Box<Rejection>> {
        let view =
            View { party: &self.party, peer, register: snapshot.register(), at: self.clock.now() };
        Received::take(signed, &view)
    }

    /// Decides on the target, and on its subjects once they are unsealed (clause L14).
    fn decide(&self, asked: &Asked) -> Result<(Box<Permit>, Vec<Subject>), Box<Refused>> {
        let query = asked.received.query();
        let decide_with = |before: &Before| {
            let request = Request {
                query,
                signed_query: asked.received.signed(),
                at: asked.received.at(),
                party: &self.party,
                peer: asked.received.peer(),
                used: before.used,
                counted: &before.counted,
                register: asked.snapshot.position(),
            };
            let state = asked.snapshot.register().state();
            let verdict = decide(&asked.rules, state, &request, asked.target as usize);
            let permitted = match &verdict {
                Verdict::Permit(permit) => vec![permit.target()],
                Verdict::Refuse(_) => Vec::new(),
            };
            (verdict, permitted)
        };
        // A project that the register does not know gets no page in the book, which would stay.
        let at = asked.received.at();
        let verdict = match asked.snapshot.register().state().project(&query.project) {
            Some(project) => self.books.usage.decide(query, project, at, decide_with),
            None => decide_with(&Before::default()).0,
        };
        match verdict {
            Verdict::Permit(permit) => match self.unseal(asked, &permit) {
                Ok((subjects, vouched_by)) => {
                    Ok((Box::new(permit.with_vouchers(vouched_by)), subjects))
                }
                Err(fault) => {
                    self.books.usage.give_back(query, permit.target());
                    Err(Box::new(match fault {
                        Unfit::Subjects(fault) => permit.refuse_subjects(fault::of_subjects(fault)),
                        Unfit::Vouchers(fault) => permit.refuse_vouchers(fault::of_vouchers(fault)),
                    }))
                }
            },
            Verdict::Refuse(refused) => Err(refused),
        }
    }

    /// Opens the subjects, and checks that somebody vouched for them where the permit needs that.
    fn unseal(
        &self,
        asked: &Asked,
        permit: &Permit,
    ) -> Result<(Vec<Subject>, BTreeSet<VouchedBy>), Unfit> {
        let shape = permit.asked().and_then(|target| target.subjects.as_ref());
        let Some(shape) = shape else {
            return if asked.sealed.is_empty() {
                Ok(Default::default())
            } else {
                Err(SubjectFault::Presence.into())
            };
        };
        let datasets = self.datasets.load();
        let served = datasets.as_ref().and_then(|all| all.get(&permit.obligations().dataset));
        let kind = served.and_then(|served| served.kind(&shape.key)).unwrap_or(FieldType::Text);
        let target = (asked.target, &self.party);
        let (received, opening) = (&asked.received, &asked.keys.opening);
        let unsealed = open_subjects(opening, received, target, (shape, kind), &asked.sealed)?;
        let (state, at) = (asked.snapshot.register().state(), received.at());
        Ok(unsealed.vouched(permit, &VoucherView { state, query: received.query(), at })?)
    }

    async fn refuse(&self, asked: &Asked, refused: Refused, frames: &Frames) {
        self.metrics.refused(refused.refusal());
        let named = asked.received.query().may_name_a_person(asked.rules.covenant());
        let outcome = refused.refusal().map_or_else(
            || failed(refused.problem()),
            |refusal| Status::Refused { refusal: refusal.clone() },
        );
        let recorded = if named.is_some() {
            // By its hash only: the ledger holds no personal data.
            let rejection = asked.received.clone().reject(
                &self.party,
                refused.problem(),
                "the query may name a person",
            );
            self.books.ledger.record(rejection.entry()).await.map(|recorded| recorded.index())
        } else {
            self.books.ledger.record(refused).await.map(|recorded| recorded.index())
        };
        match recorded {
            Ok(index) => self.decline(asked, outcome, Some(index), frames).await,
            Err(error) => {
                tracing::error!(query = %asked.received.query().id, %error, "a refusal could not be recorded");
                self.decline(asked, failed(Problem::NotRecorded), None, frames).await;
            }
        }
    }

    async fn decline(
        &self,
        asked: &Asked,
        outcome: Status,
        decision: Option<u64>,
        frames: &Frames,
    ) {
        self.metrics.ended(&outcome);
        let signed =
            decline(&asked.received, asked.target, outcome, decision, &asked.keys.signatory);
        match signed {
            // Whether the coordinator is still there makes no difference to the record.
            Ok(signed) => frames.end(signed, Duration::ZERO).await,
            Err(error) => tracing::error!(%error, "an outcome could not be signed"),
        }
    }

    /// Records the outcome of an answer that could not even begin, so that its permit does not look
    /// like one that a crash left behind.
    fn ended_unbegun(&self, asked: &Asked, decision: u64, status: &Status) {
        let party = self.party.clone();
        let result = TargetOutcome {
            target: asked.target,
            partner: party.clone(),
            status: status.clone(),
            bytes: 0,
            chunks: 0,
            hash: None,
            alarm: false,
        };
        let query = asked.received.query().id;
        let at = self.clock.now();
        let entry = OutcomeEntry { party, query, decision, at, results: vec![result] };
        if let Err(error) = self.books.ledger.append_later(&Entry::Outcome(entry)) {
            tracing::error!(%query, %error, "an outcome is not recorded");
        }
    }

    /// Records what was no query, and makes the answer to it.
    fn turned_down(&self, rejection: &Rejection) -> GrpcStatus {
        self.metrics.ended(&failed(rejection.problem));
        let answer = status(rejection.problem, rejection.explanation.as_str());
        // Nobody waits for it: what was refused before it was a query reads no data.
        if let Err(error) = self.books.ledger.append_later(&rejection.entry()) {
            tracing::error!(%error, "a rejection could not be recorded");
            return status(Problem::NotRecorded, "the rejection could not be recorded");
        }
        answer
    }

    async fn release(
        &self,
        asked: &Asked,
        Begun { permit, answer: begun }: Begun,
        subjects: Vec<Subject>,
        deadline: Option<Deadline>,
        frames: &Frames,
    ) {
        let (mut answer, encapsulated) = match begun {
            Ok(begun) => begun,
            Err(error) => {
                tracing::error!(query = %asked.received.query().id, %error, "an answer cannot begin");
                let outcome = failed(Problem::Internal);
                self.ended_unbegun(asked, permit.index(), &outcome);
                return self.decline(asked, outcome, Some(permit.index()), frames).await;
            }
        };
        let started = Instant::now();
        let poured = {
            let asked = (asked, &permit);
            let pour = self.pour(asked, subjects, (encapsulated, &mut answer), frames);
            match deadline.map(Deadline::left) {
                None => pour.await,
                Some(Err(_)) => Err(Problem::Late),
                Some(Ok(left)) => {
                    tokio::time::timeout(left, pour).await.unwrap_or(Err(Problem::Late))
                }
            }
        };
        self.metrics.stage("release", started.elapsed());
        let outcome = poured.map_or_else(failed, |()| Status::Answered);
        self.metrics.ended(&outcome);
        match answer.close(outcome, self.clock.now(), &asked.keys.signatory) {
            Ok(closed) => {
                let query = asked.received.query();
                for result in &closed.entry.results {
                    self.books.usage.note(query, &result.partner, &result.status, closed.entry.at);
                }
                if let Err(error) = self.books.ledger.append_later(&Entry::Outcome(closed.entry)) {
                    tracing::error!(query = %asked.received.query().id, %error, "an outcome is not recorded");
                }
                let left = deadline.and_then(|deadline| deadline.left().ok()).unwrap_or_default();
                frames.end(closed.signed_outcome, left).await;
            }
            Err(error) => tracing::error!(%error, "an outcome could not be signed"),
        }
    }
}

pub(crate) const fn failed(problem: Problem) -> Status {
    Status::Failed { problem }
}
