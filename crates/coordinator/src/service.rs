//! The gRPC face of a coordinator.

use std::sync::Arc;

use convenant_model::{Oin, Problem};
use convenant_transport::{Deadline, Peer};
use convenant_wire::{
    problem::status,
    v1::{
        FollowFrame, FollowRequest, QueryFrame, QueryRequest, SubmitRequest, SubmitResponse,
        broker_server::Broker, follow_frame::Body, register_server::Register,
    },
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use crate::{
    brokering::Brokering,
    registrar::{Registrar, SubmitError},
};

/// Frames that may wait for the requester; a slow reader slows the nodes down.
const WAITING: usize = 8;

/// The brokering of queries.
pub(crate) struct BrokerService(pub(crate) Arc<Brokering>);

/// The register.
pub(crate) struct RegisterService(pub(crate) Arc<Registrar>);

#[tonic::async_trait]
impl Broker for BrokerService {
    type QueryStream = ReceiverStream<Result<QueryFrame, Status>>;

    async fn query(
        &self,
        request: Request<QueryRequest>,
    ) -> Result<Response<Self::QueryStream>, Status> {
        let peer = peer(&request)?;
        let deadline = Deadline::of(&request);
        let permitted = self.0.take(request.into_inner(), peer).await?;
        let (frames, stream) = mpsc::channel(WAITING);
        Arc::clone(&self.0).relay(permitted, deadline, frames);
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

#[tonic::async_trait]
impl Register for RegisterService {
    type FollowStream = ReceiverStream<Result<FollowFrame, Status>>;

    async fn submit(
        &self,
        request: Request<SubmitRequest>,
    ) -> Result<Response<SubmitResponse>, Status> {
        let peer = peer(&request)?;
        let index = self.0.submit(&request.into_inner().document).await;
        let index = index.map_err(|error| turned_down(&peer, &error))?;
        tracing::info!(index, %peer, "a document entered the register");
        Ok(Response::new(SubmitResponse { index }))
    }

    async fn follow(
        &self,
        request: Request<FollowRequest>,
    ) -> Result<Response<Self::FollowStream>, Status> {
        let from = request.into_inner().from;
        let checkpoint = self.0.checkpoint().await;
        let (size, note) = checkpoint.map_err(|error| {
            tracing::error!(%error, "the register gives no checkpoint");
            status(Problem::Internal, "the register gives no checkpoint")
        })?;
        let (frames, stream) = mpsc::channel(WAITING);
        let registrar = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || {
            let first = Body::Checkpoint(note.into_bytes().into());
            let send = |body| frames.blocking_send(Ok(FollowFrame { body: Some(body) }));
            if send(first).is_err() {
                return;
            }
            for index in from..size {
                let document = match registrar.document(index) {
                    Ok(document) => document,
                    Err(error) => {
                        tracing::error!(%error, index, "a document of the register cannot be read");
                        let fault = status(Problem::Internal, "a document cannot be read");
                        drop(frames.blocking_send(Err(fault)));
                        return;
                    }
                };
                if send(Body::Document(document.into())).is_err() {
                    return;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

fn peer<T>(request: &Request<T>) -> Result<Oin, Status> {
    let peer = request.extensions().get::<Peer>().map(|peer| peer.oin.clone());
    peer.ok_or_else(|| status(Problem::Unauthenticated, "the connection shows no certificate"))
}

fn turned_down(peer: &Oin, error: &SubmitError) -> Status {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        text = format!("{text}: {source}");
        cause = source.source();
    }
    match error {
        SubmitError::Folder(_) | SubmitError::Record(_) => {
            tracing::error!(%peer, error = text, "a document could not be recorded");
            status(Problem::NotRecorded, "the document could not be recorded")
        }
        _ => status(Problem::DocumentNotAdmitted, text),
    }
}
