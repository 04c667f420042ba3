//! The gRPC face of a coordinator.

use std::{sync::Arc, time::Duration};

use convenant_model::{Oin, Problem};
use convenant_transport::{Deadline, Gathered, Peer, gather};
use convenant_wire::{
    problem::status,
    v1::{
        FollowFrame, FollowRequest, QueryFrame, QueryRequest, SubmitRequest, SubmitResponse,
        broker_server::Broker, follow_frame::Body, register_server::Register,
    },
};
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};
use tracing::Instrument as _;

use crate::{
    brokering::Brokering,
    registrar::{Registrar, SubmitError},
};

/// Frames that may wait for the requester; a slow reader slows the nodes down.
const WAITING: usize = 8;

/// How long a reader may keep a frame waiting.
const PATIENCE: Duration = Duration::from_secs(30);

/// The brokering of queries.
pub(crate) struct BrokerService(pub(crate) Arc<Brokering>);

/// The register.
pub(crate) struct RegisterService(pub(crate) Arc<Registrar>);

#[tonic::async_trait]
impl Broker for BrokerService {
    type QueryStream = Gathered<Result<QueryFrame, Status>>;

    async fn query(
        &self,
        request: Request<QueryRequest>,
    ) -> Result<Response<Self::QueryStream>, Status> {
        let peer = peer(&request)?;
        let deadline = Deadline::of(&request);
        let (frames, stream) = mpsc::channel(WAITING);
        let (brokering, request) = (Arc::clone(&self.0), request.into_inner());
        let (told, taken) = oneshot::channel();
        // In a task of its own: a requester that goes away must not leave a decision without outcome.
        let brokered = async move {
            // Whoever asked may have gone.
            match brokering.take(request, peer).await {
                Ok(permitted) => {
                    let _gone = told.send(Ok(()));
                    brokering.relay(permitted, deadline, frames).await;
                }
                Err(status) => {
                    let _gone = told.send(Err(status));
                }
            }
        };
        tokio::spawn(brokered.in_current_span());
        taken.await.map_err(|_| status(Problem::Internal, "the query broke off"))??;
        Ok(Response::new(gather(stream, deadline).await))
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
        let (registrar, document) = (Arc::clone(&self.0), request.into_inner().document);
        // In a task of its own: a peer that goes away must not stop it between disk and memory.
        let submitted = tokio::spawn(async move { registrar.submit(&document).await }).await;
        let submitted =
            submitted.map_err(|_| status(Problem::Internal, "the submission broke off"))?;
        let index = submitted.map_err(|error| turned_down(&peer, &error))?;
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
        tokio::spawn(async move {
            let first = Body::Checkpoint(note.into_bytes().into());
            if !passed_on(&frames, Ok(first)).await {
                return;
            }
            for index in from..size {
                let document = read(Arc::clone(&registrar), index).await;
                let broken = document.is_err();
                let sent = passed_on(&frames, document.map(|bytes| Body::Document(bytes.into())));
                if !sent.await || broken {
                    return;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

async fn read(registrar: Arc<Registrar>, index: u64) -> Result<Vec<u8>, Status> {
    let read = tokio::task::spawn_blocking(move || registrar.document(index)).await;
    let fault = || status(Problem::Internal, "a document cannot be read");
    read.map_err(|_| fault())?.map_err(|error| {
        tracing::error!(%error, index, "a document of the register cannot be read");
        fault()
    })
}

/// Whether a frame went out. A follower that does not read does not hold a place for ever.
async fn passed_on(
    frames: &mpsc::Sender<Result<FollowFrame, Status>>,
    body: Result<Body, Status>,
) -> bool {
    let frame = body.map(|body| FollowFrame { body: Some(body) });
    matches!(tokio::time::timeout(PATIENCE, frames.send(frame)).await, Ok(Ok(())))
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
