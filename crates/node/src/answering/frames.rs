//! Frames on their way to the coordinator. A short one waits for what follows, so that a short answer leaves as one
//! piece, and wakes everybody on its way once.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use convenant_wire::v1::{AnswerFrame, answer_frame::Body};
use tokio::sync::mpsc;
use tonic::Status as GrpcStatus;

/// Bytes from which on a chunk is not short.
const SHORT: usize = 32 << 10;

/// How long the coordinator may keep an outcome waiting, at least.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where frames for the coordinator go.
pub(crate) struct Frames {
    sender: mpsc::Sender<Result<AnswerFrame, GrpcStatus>>,
    /// Short frames, of which an answer has few: its key, and at most two chunks at its end. Besides, what nobody
    /// waited for any longer.
    waiting: Mutex<VecDeque<Body>>,
}

/// The coordinator went away.
pub(crate) struct Gone;

impl Frames {
    pub(crate) const fn new(sender: mpsc::Sender<Result<AnswerFrame, GrpcStatus>>) -> Self {
        Self { sender, waiting: Mutex::new(VecDeque::new()) }
    }

    /// Sends a frame, or lets it wait for the next where there is a place for both. The outcome is the last one.
    /// Whoever gives up waiting loses nothing: what was not sent goes before the next frame.
    pub(super) async fn send(&self, body: Body) -> Result<(), Gone> {
        let short = match &body {
            Body::EncapsulatedKey(_) => true,
            Body::Chunk(chunk) => chunk.len() < SHORT,
            Body::SignedOutcome(_) => false,
        };
        let waits = {
            let mut waiting = self.waiting();
            waiting.push_back(body);
            short && waiting.len() < self.sender.capacity()
        };
        if waits {
            return if self.sender.is_closed() { Err(Gone) } else { Ok(()) };
        }
        while !self.waiting().is_empty() {
            let place = self.sender.reserve().await.map_err(|_| Gone)?;
            if let Some(body) = self.waiting().pop_front() {
                place.send(Ok(AnswerFrame { body: Some(body) }));
            }
        }
        Ok(())
    }

    /// Sends the outcome, the last frame. A reader that has stopped reading holds nobody beyond the time that is
    /// `left` for the answer, or some seconds: how it ended is on record, whether anybody is there or not.
    pub(super) async fn end(&self, signed: String, left: Duration) {
        let patience = left.max(PATIENCE);
        self.end_within(signed, patience).await;
    }

    async fn end_within(&self, signed: String, patience: Duration) {
        let sent = tokio::time::timeout(patience, self.send(Body::SignedOutcome(signed))).await;
        if sent.is_err() {
            tracing::warn!(?patience, "an outcome was not taken in time");
        }
    }

    /// A panic elsewhere leaves whole frames behind.
    fn waiting(&self) -> MutexGuard<'_, VecDeque<Body>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(number: u8, length: usize) -> Body {
        Body::Chunk(vec![number; length].into())
    }

    #[tokio::test]
    async fn whoever_gives_up_waiting_loses_nothing() {
        let (sender, mut receiver) = mpsc::channel(1);
        let frames = Frames::new(sender);
        assert!(frames.send(chunk(0, SHORT)).await.is_ok());
        // A short one does not wait for others where there is no place for it.
        for sent in [chunk(1, 1), chunk(2, SHORT)] {
            assert!(tokio::time::timeout(Duration::ZERO, frames.send(sent)).await.is_err());
        }
        let last = Body::SignedOutcome("outcome".to_owned());
        let receive = async {
            let mut received = Vec::new();
            while received.last() != Some(&last) {
                received.push(receiver.recv().await.unwrap().unwrap().body.unwrap());
            }
            received
        };
        let (sent, received) = tokio::join!(frames.send(last.clone()), receive);
        assert!(sent.is_ok());
        assert_eq!(received, [chunk(0, SHORT), chunk(1, 1), chunk(2, SHORT), last]);
    }

    #[tokio::test]
    async fn a_reader_that_stops_before_the_outcome_holds_nobody() {
        let (sender, mut receiver) = mpsc::channel(1);
        let frames = Frames::new(sender);
        assert!(frames.send(chunk(0, SHORT)).await.is_ok());
        frames.end_within("outcome".to_owned(), Duration::ZERO).await;
        drop(frames);
        // Whoever reads on after all finds the answer cut off, and not in want of nothing.
        assert!(receiver.recv().await.is_some());
        assert!(receiver.recv().await.is_none());
    }

    #[tokio::test]
    async fn a_short_answer_leaves_with_its_outcome() {
        let (sender, mut receiver) = mpsc::channel(8);
        let frames = Frames::new(sender);
        for sent in [Body::EncapsulatedKey(vec![7].into()), chunk(1, SHORT - 1)] {
            assert!(frames.send(sent).await.is_ok());
            assert!(receiver.try_recv().is_err());
        }
        assert!(frames.send(Body::SignedOutcome(String::new())).await.is_ok());
        assert_eq!(receiver.len(), 3);
        drop(receiver);
        assert!(frames.send(chunk(2, 1)).await.is_err());
    }
}
