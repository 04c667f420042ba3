//! The gRPC face of a node.

use std::sync::Arc;

use convenant_model::Problem;
use convenant_transport::{Deadline, Gathered, Peer, gather};
use convenant_wire::{
    problem::status,
    v1::{AnswerFrame, AnswerRequest, exchange_server::Exchange},
};
use tokio::sync::mpsc;
use tonic::{Request, Response, Status};
use tracing::Instrument as _;

use crate::answering::{Answering, Frames};

/// Frames that may wait for the coordinator; a slow reader slows the source down.
const WAITING: usize = 8;

/// The service.
pub(crate) struct ExchangeService(pub(crate) Arc<Answering>);

#[tonic::async_trait]
impl Exchange for ExchangeService {
    type AnswerStream = Gathered<Result<AnswerFrame, Status>>;

    async fn answer(
        &self,
        request: Request<AnswerRequest>,
    ) -> Result<Response<Self::AnswerStream>, Status> {
        let peer = request.extensions().get::<Peer>().map(|peer| peer.oin.clone());
        let unknown = || status(Problem::Unauthenticated, "the connection shows no certificate");
        let peer = peer.ok_or_else(unknown)?;
        let deadline = Deadline::of(&request);
        let asked = self.0.take(request.into_inner(), peer).await?;
        let (frames, stream) = mpsc::channel(WAITING);
        let answering = Arc::clone(&self.0);
        let task = async move { answering.answer(asked, deadline, Frames::new(frames)).await };
        // In the caller's span, so that the answer is part of the caller's trace.
        tokio::spawn(task.in_current_span());
        Ok(Response::new(gather(stream, deadline).await))
    }
}
