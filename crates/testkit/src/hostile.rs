//! A coordinator in hostile hands. It has the real one's address, certificate, register key and
//! documents, takes what the parties send it, and does to it what a test says.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use convenant_ledger::{LedgerSigner, origin};
use convenant_model::{Clock, Oin, Problem, entry::Status as TargetStatus};
use convenant_signing::{SigningKey, SystemRandom};
use convenant_transport::{ServerTls, serve};
use convenant_wire::{
    problem::{PeerProblem, declined, read},
    v1::{
        AnswerRequest, FollowFrame, FollowRequest, QueryFrame, QueryRequest, SubmitRequest,
        SubmitResponse, answer_frame,
        broker_server::{Broker, BrokerServer},
        exchange_client::ExchangeClient,
        query_frame,
        register_server::{Register as RegisterRpc, RegisterServer},
    },
};
use futures::{
    StreamExt as _,
    stream::{BoxStream, iter, pending},
};
use tokio::{net::TcpListener, sync::watch};
use tonic::{Request, Response, Status, service::Routes, transport::Channel};

use crate::{
    Fallible, Running, Shown, World,
    running::stopped,
    silent::{Anybody, abrupt},
    wire::query_of,
};

/// What the double does to what passes through it.
pub struct Tampering {
    /// Changes what a node is asked.
    pub request: Box<dyn Fn(AnswerRequest) -> AnswerRequest + Send + Sync>,
    /// Changes what the requester gets: every frame of every target, target after target.
    pub frames: Box<dyn Fn(Vec<QueryFrame>) -> Vec<QueryFrame> + Send + Sync>,
    /// Whether the stream stays open after the last frame, for ever.
    pub stalls: bool,
}

impl Tampering {
    /// Changes what a node is asked, and nothing else.
    pub fn of_request(
        change: impl Fn(AnswerRequest) -> AnswerRequest + Send + Sync + 'static,
    ) -> Self {
        Self { request: Box::new(change), frames: Box::new(|frames| frames), stalls: false }
    }

    /// Changes what the requester gets, and nothing else.
    pub fn of_frames(
        change: impl Fn(Vec<QueryFrame>) -> Vec<QueryFrame> + Send + Sync + 'static,
    ) -> Self {
        Self { request: Box::new(|request| request), frames: Box::new(change), stalls: false }
    }

    /// Changes nothing.
    #[must_use]
    pub fn none() -> Self {
        Self::of_frames(|frames| frames)
    }
}

/// The double.
pub struct HostileCoordinator {
    hands: Arc<Hands>,
    followed: watch::Receiver<u64>,
    running: Running,
}

impl HostileCoordinator {
    pub(crate) async fn start(world: &World) -> Fallible<Self> {
        let party = &world.federation.coordinator;
        let tls = ServerTls::load(world.coordinator().files, world.clock.clone())?;
        let (follows, followed) = watch::channel(0);
        let hands = Arc::new(Hands::of(world, follows)?);
        let listener = TcpListener::bind(party.address.ok_or("no address")?).await?;
        let routes = Routes::new(BrokerServer::from_arc(Arc::clone(&hands)))
            .add_service(RegisterServer::from_arc(Arc::clone(&hands)));
        let running = Running::start(|listening, stop| async move {
            listening(listener.local_addr()?);
            let end = stopped(stop);
            Ok(serve(listener, tls, Arc::new(Anybody), routes, abrupt(), end).await?)
        });
        Ok(Self { hands, followed, running: running.await? })
    }

    /// What it does from now on.
    pub fn tamper(&self, tampering: Tampering) {
        *lock(&self.hands.tampering) = Arc::new(tampering);
    }

    /// Shows only the first `size` documents of the register from now on, under a checkpoint that is
    /// signed and of this moment.
    pub fn show_register(&self, size: usize) {
        let documents = self.hands.documents.iter().take(size).cloned();
        self.show(Shown::all_of(documents.collect()));
    }

    /// Shows this register from now on.
    pub fn show(&self, shown: Shown) {
        *lock(&self.hands.shown) = shown;
    }

    /// Number of documents that there are.
    #[must_use]
    pub fn documents(&self) -> usize {
        self.hands.documents.len()
    }

    /// The documents that there are.
    #[must_use]
    pub fn register(&self) -> Vec<Vec<u8>> {
        self.hands.documents.clone()
    }

    /// The index from which on its register was asked for last.
    #[must_use]
    pub fn asked_from(&self) -> u64 {
        *lock(&self.hands.asked_from)
    }

    /// Number of times that it was asked for its register.
    #[must_use]
    pub fn follows(&self) -> u64 {
        *self.followed.borrow()
    }

    /// Waits until it was asked for its register so many times.
    ///
    /// # Errors
    /// When it ended.
    pub async fn followed(&mut self, times: u64) -> Fallible<()> {
        self.followed.wait_for(|count| *count >= times).await?;
        Ok(())
    }

    /// Ends it.
    ///
    /// # Errors
    /// When it ended with an error.
    pub async fn stop(self) -> Fallible<()> {
        self.running.stop().await
    }
}

/// All that the coordinator knew.
struct Hands {
    tampering: Mutex<Arc<Tampering>>,
    shown: Mutex<Shown>,
    nodes: BTreeMap<Oin, Channel>,
    documents: Vec<Vec<u8>>,
    signer: LedgerSigner,
    clock: Arc<dyn Clock>,
    follows: watch::Sender<u64>,
    asked_from: Mutex<u64>,
}

impl Hands {
    fn of(world: &World, follows: watch::Sender<u64>) -> Fallible<Self> {
        let federation = &world.federation;
        let mut nodes = BTreeMap::new();
        for party in &federation.partners {
            nodes.insert(party.oin.clone(), world.to(&world.coordinator(), party)?);
        }
        let documents: Vec<_> =
            federation.documents.iter().map(|document| document.jws.to_json()).collect();
        let key = SigningKey::from_jwk(&federation.register_key.to_jwk(), &SystemRandom::new())?;
        let origin = origin::register(&federation.coordinator.oin)?;
        Ok(Self {
            tampering: Mutex::new(Arc::new(Tampering::none())),
            shown: Mutex::new(Shown::all_of(documents.clone())),
            nodes,
            documents,
            signer: LedgerSigner::new(origin, key)?.timed(),
            clock: world.clock.clone(),
            follows,
            asked_from: Mutex::default(),
        })
    }

    /// The frames of one target, as a coordinator would relay them.
    async fn relay(&self, partner: &Oin, asked: AnswerRequest) -> Vec<QueryFrame> {
        let target = asked.target;
        let relayed = match self.nodes.get(partner) {
            Some(channel) => answer(channel.clone(), asked).await,
            None => Err(Status::not_found("no such node")),
        };
        let bodies = relayed.unwrap_or_else(|status| {
            let problem = match read(&status) {
                PeerProblem::Refused(refusal) => TargetStatus::Refused { refusal },
                PeerProblem::Problem(problem) => TargetStatus::Failed { problem },
                PeerProblem::Foreign => TargetStatus::Failed { problem: Problem::NodeUnavailable },
            };
            vec![query_frame::Body::Declined(declined(&problem))]
        });
        bodies.into_iter().map(|body| QueryFrame { target, body: Some(body) }).collect()
    }
}

async fn answer(channel: Channel, asked: AnswerRequest) -> Result<Vec<query_frame::Body>, Status> {
    let mut stream = ExchangeClient::new(channel).answer(asked).await?.into_inner();
    let mut bodies = Vec::new();
    while let Some(frame) = stream.message().await? {
        bodies.extend(frame.body.map(|body| match body {
            answer_frame::Body::EncapsulatedKey(key) => query_frame::Body::EncapsulatedKey(key),
            answer_frame::Body::Chunk(chunk) => query_frame::Body::Chunk(chunk),
            answer_frame::Body::SignedOutcome(signed) => query_frame::Body::SignedOutcome(signed),
        }));
    }
    Ok(bodies)
}

#[tonic::async_trait]
impl Broker for Hands {
    type QueryStream = BoxStream<'static, Result<QueryFrame, Status>>;

    async fn query(
        &self,
        request: Request<QueryRequest>,
    ) -> Result<Response<Self::QueryStream>, Status> {
        let request = request.into_inner();
        let tampering = Arc::clone(&lock(&self.tampering));
        let query = query_of(&request.signed_query);
        let query = query.map_err(|fault| Status::invalid_argument(fault.to_string()))?;
        let mut frames = Vec::new();
        for (number, target) in (0..).zip(&query.targets) {
            let sealed = request.subjects.iter().find(|one| one.target == number);
            let asked = (tampering.request)(AnswerRequest {
                signed_query: request.signed_query.clone(),
                target: number,
                sealed_subjects: sealed.map(|one| one.sealed.clone()).unwrap_or_default(),
            });
            frames.extend(self.relay(&target.partner, asked).await);
        }
        let frames: Vec<_> = (tampering.frames)(frames).into_iter().map(Ok).collect();
        let frames = iter(frames);
        Ok(Response::new(if tampering.stalls {
            frames.chain(pending()).boxed()
        } else {
            frames.boxed()
        }))
    }
}

#[tonic::async_trait]
impl RegisterRpc for Hands {
    type FollowStream = BoxStream<'static, Result<FollowFrame, Status>>;

    async fn submit(&self, _: Request<SubmitRequest>) -> Result<Response<SubmitResponse>, Status> {
        Err(Status::unimplemented("the double takes no documents"))
    }

    async fn follow(
        &self,
        request: Request<FollowRequest>,
    ) -> Result<Response<Self::FollowStream>, Status> {
        let from = request.into_inner().from;
        *lock(&self.asked_from) = from;
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let frames = lock(&self.shown).frames(from, &self.signer, self.clock.now());
        self.follows.send_modify(|count| *count += 1);
        Ok(Response::new(frames?))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
