//! The coordinator's frames, until its stream ends.

use convenant_model::{Problem, entry::Status};
use convenant_transport::Deadline;
use convenant_wire::{
    problem::{PeerProblem, read, read_declined},
    v1::{QueryFrame, query_frame::Body},
};
use tonic::{Status as GrpcStatus, Streaming};

use crate::{
    compose::Composed,
    receive::{Accepted, ReceiveError, Receiving},
};

/// One target, as far as its frames came.
pub(super) enum Slot {
    Waiting(Box<Receiving>),
    Accepted(Box<Accepted>),
    Declined(Status),
    Refused(ReceiveError, Option<String>),
}

/// Takes frames until the stream ends, and no longer than the deadline: whoever holds the stream open
/// must not keep the requester waiting. A fault in one target's frames ends that target only.
pub(super) async fn collect(
    mut frames: Streaming<QueryFrame>,
    composed: &Composed,
    mut slots: Vec<Slot>,
    deadline: Deadline,
) -> Vec<(usize, Slot)> {
    loop {
        let frame = match next_frame(&mut frames, deadline).await {
            Ok(Some(frame)) => frame,
            Ok(None) => break,
            Err(status) => {
                tracing::warn!(code = ?status.code(), "the coordinator's stream broke off");
                let problem = match read(&status) {
                    PeerProblem::Problem(problem) => problem,
                    _ if status.code() == tonic::Code::DeadlineExceeded => Problem::Late,
                    _ => Problem::Cancelled,
                };
                for slot in &mut slots {
                    if matches!(slot, Slot::Waiting(_)) {
                        *slot = Slot::Declined(Status::Failed { problem });
                    }
                }
                break;
            }
        };
        let slot = slots.get_mut(frame.target as usize);
        if let (Some(slot), Some(body)) = (slot, frame.body) {
            take(slot, composed, body);
        }
    }
    slots.into_iter().enumerate().collect()
}

async fn next_frame(
    frames: &mut Streaming<QueryFrame>,
    deadline: Deadline,
) -> Result<Option<QueryFrame>, GrpcStatus> {
    let left = deadline.left()?;
    let late = |_| GrpcStatus::deadline_exceeded("the answers did not end in time");
    tokio::time::timeout(left, frames.message()).await.map_err(late)?
}

fn take(slot: &mut Slot, composed: &Composed, body: Body) {
    if let (Slot::Refused(_, kept @ None), Body::SignedOutcome(signed)) = (&mut *slot, &body) {
        // What the partner signed of an answer that was not accepted is evidence against it.
        *kept = Some(signed.clone());
        return;
    }
    let Slot::Waiting(receiving) = slot else {
        return;
    };
    let fault = match body {
        Body::EncapsulatedKey(key) => receiving.begin(composed, &key).err(),
        Body::Chunk(sealed) => receiving.chunk(&sealed).err(),
        Body::Declined(declined) => {
            *slot = Slot::Declined(read_declined(declined));
            return;
        }
        Body::SignedOutcome(signed) => {
            let waiting = std::mem::replace(slot, Slot::Declined(Status::Answered));
            let Slot::Waiting(receiving) = waiting else {
                return;
            };
            *slot = match receiving.finish(composed, signed.clone()) {
                Ok(accepted) => Slot::Accepted(Box::new(accepted)),
                Err(error) => Slot::Refused(error, Some(signed)),
            };
            return;
        }
    };
    if let Some(error) = fault {
        *slot = Slot::Refused(error, None);
    }
}
