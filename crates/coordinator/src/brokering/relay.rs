//! One target: asking its node and passing on what it answers. The coordinator counts and hashes
//! ciphertext, and can read none of it.

use bytes::Bytes;
use convenant_model::{
    Problem,
    entry::{SignedOutcome, Status, TargetOutcome},
};
use convenant_signing::{ChunkHasher, parse_canonical, peek_compact};
use convenant_transport::{Deadline, trace, whole};
use convenant_wire::{
    problem::{PeerProblem, read},
    v1::{
        AnswerFrame, AnswerRequest, answer_frame, exchange_client::ExchangeClient,
        query_frame::Body,
    },
};
use tonic::{Code, Request, Status as GrpcStatus, Streaming, transport::Channel};

use super::{Frames, failed, send, send_declined};

/// What one node is to be asked.
pub(super) struct Errand {
    pub(super) channel: Option<Channel>,
    pub(super) signed_query: String,
    pub(super) sealed: Bytes,
    pub(super) deadline: Option<Deadline>,
    pub(super) outcome: TargetOutcome,
}

/// Tells the requester of a target that is not asked.
pub(super) async fn decline(outcome: TargetOutcome, frames: &Frames) -> TargetOutcome {
    send_declined(frames, &outcome).await;
    outcome
}

/// Asks a node and relays its answer.
pub(super) async fn relay(errand: Errand, frames: &Frames) -> TargetOutcome {
    let Errand { channel, signed_query, sealed, deadline, mut outcome } = errand;
    let asked = AnswerRequest { signed_query, target: outcome.target, sealed_subjects: sealed };
    let relayed = match channel {
        None => Err(failed(Problem::NodeUnavailable)),
        Some(channel) => ask(channel, asked, deadline, &mut outcome, frames).await,
    };
    match relayed {
        Ok(status) => outcome.status = status,
        Err(status) => {
            outcome.status = status;
            send_declined(frames, &outcome).await;
        }
    }
    outcome
}

/// The status that the node signed, or else why there is none.
async fn ask(
    channel: Channel,
    asked: AnswerRequest,
    deadline: Option<Deadline>,
    outcome: &mut TargetOutcome,
    frames: &Frames,
) -> Result<Status, Status> {
    let mut request = Request::new(asked);
    if let Some(deadline) = deadline {
        deadline.pass_on(&mut request).map_err(|_| failed(Problem::Late))?;
    }
    trace::inject(&mut request);
    let mut client = ExchangeClient::new(whole(channel));
    let problem = |status: GrpcStatus| problem(&status, deadline);
    let answered = within(deadline, client.answer(request)).await?.map_err(problem)?;
    within(deadline, pass_on(answered.into_inner(), outcome, frames, problem)).await?
}

async fn pass_on(
    mut answer: Streaming<AnswerFrame>,
    outcome: &mut TargetOutcome,
    frames: &Frames,
    problem: impl Fn(GrpcStatus) -> Status,
) -> Result<Status, Status> {
    let (target, mut hasher) = (outcome.target, ChunkHasher::new());
    let gone = |problem| failed(problem);
    while let Some(frame) = answer.message().await.map_err(&problem)? {
        match frame.body {
            Some(answer_frame::Body::EncapsulatedKey(key)) => {
                send(frames, target, Body::EncapsulatedKey(key)).await.map_err(gone)?;
            }
            Some(answer_frame::Body::Chunk(chunk)) => {
                hasher.add(&chunk);
                outcome.bytes += chunk.len() as u64;
                outcome.chunks += 1;
                send(frames, target, Body::Chunk(chunk)).await.map_err(gone)?;
            }
            Some(answer_frame::Body::SignedOutcome(signed)) => {
                outcome.hash = (outcome.chunks > 0).then(|| hasher.finish());
                let (stated, alarm) = stated(&signed);
                outcome.alarm = alarm;
                send(frames, target, Body::SignedOutcome(signed)).await.map_err(gone)?;
                return Ok(stated);
            }
            None => return Err(failed(Problem::Malformed)),
        }
    }
    Err(failed(Problem::NodeUnavailable))
}

/// What the node's outcome says, for the coordinator's own record: how the answer ended, and whether it is out
/// of proportion (clause S12). Whether its signature holds is for
/// the requester and the auditor: they do not take the coordinator's word for it.
fn stated(signed: &str) -> (Status, bool) {
    let unverified = peek_compact(signed, convenant_exchange::OUTCOME_TYPE).ok();
    let outcome = unverified.and_then(|unverified| {
        parse_canonical::<SignedOutcome>(unverified.payload(), "outcome").ok()
    });
    outcome.map_or((failed(Problem::Malformed), false), |outcome| (outcome.status, outcome.alarm))
}

async fn within<T>(deadline: Option<Deadline>, work: impl Future<Output = T>) -> Result<T, Status> {
    match deadline.map(Deadline::left) {
        None => Ok(work.await),
        Some(Err(_)) => Err(failed(Problem::Late)),
        Some(Ok(left)) => tokio::time::timeout(left, work).await.map_err(|_| failed(Problem::Late)),
    }
}

/// What a node's status says. tonic says "cancelled" of a call that its own timer of our deadline ended.
fn problem(status: &GrpcStatus, deadline: Option<Deadline>) -> Status {
    let late = status.code() == Code::DeadlineExceeded || deadline.is_some_and(Deadline::is_near);
    match read(status) {
        PeerProblem::Refused(refusal) => Status::Refused { refusal },
        PeerProblem::Problem(problem) => failed(problem),
        PeerProblem::Foreign if late => failed(Problem::Late),
        PeerProblem::Foreign => failed(Problem::NodeUnavailable),
    }
}
