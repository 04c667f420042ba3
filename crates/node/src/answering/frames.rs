//! Frames on their way to the coordinator. A short one waits for what follows, so that a short answer leaves as one
//! piece, and wakes everybody on its way once.

use std::sync::{Mutex, PoisonError};

use convenant_wire::v1::{AnswerFrame, answer_frame::Body};
use tokio::sync::mpsc;
use tonic::Status as GrpcStatus;

/// Bytes from which on a chunk is not short.
const SHORT: usize = 32 << 10;

/// Where frames for the coordinator go.
pub(crate) struct Frames {
    sender: mpsc::Sender<Result<AnswerFrame, GrpcStatus>>,
    /// An answer has few short frames: its key, and at most two chunks at its end.
    waiting: Mutex<Vec<Body>>,
}

/// The coordinator went away.
pub(crate) struct Gone;

impl Frames {
    pub(crate) const fn new(sender: mpsc::Sender<Result<AnswerFrame, GrpcStatus>>) -> Self {
        Self { sender, waiting: Mutex::new(Vec::new()) }
    }

    /// Sends a frame, or lets it wait for the next. The outcome is the last one.
    pub(super) async fn send(&self, body: Body) -> Result<(), Gone> {
        let waits = match &body {
            Body::EncapsulatedKey(_) => true,
            Body::Chunk(chunk) => chunk.len() < SHORT,
            Body::SignedOutcome(_) => false,
        };
        let ready = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.push(body);
            if waits { Vec::new() } else { std::mem::take(&mut *waiting) }
        };
        if self.sender.is_closed() {
            return Err(Gone);
        }
        for body in ready {
            self.sender.send(Ok(AnswerFrame { body: Some(body) })).await.map_err(|_| Gone)?;
        }
        Ok(())
    }
}
