//! The bare limit: the same messages over the same mutual TLS through a relay that does nothing else.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use convenant_model::{Clock, Digest};
use convenant_testkit::{Daemon, Fallible, Fault};
use convenant_transport::{
    ClientTls, Expected, KnownPeers, Limits, ServerTls, SystemClock, TlsFiles, connect, serve,
};
use convenant_wire::v1::{
    AnswerFrame, AnswerRequest, QueryFrame, QueryRequest, SealedSubjects, answer_frame,
    broker_client::BrokerClient,
    broker_server::{Broker, BrokerServer},
    exchange_client::ExchangeClient,
    exchange_server::{Exchange, ExchangeServer},
    query_frame,
};
use tokio::{net::TcpListener, sync::mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, service::Routes, transport::Channel};

use crate::{Timed, setting::Setting};

const CHUNK: u64 = 256 << 10;
/// Bytes of an encapsulated key.
const KEY: usize = 32;

/// How many bytes the messages of an exchange carry.
#[derive(Clone, Copy)]
pub(crate) struct Carried {
    pub(crate) query: usize,
    pub(crate) subjects: usize,
    pub(crate) answer: u64,
    pub(crate) outcome: usize,
}

pub(crate) struct Bare {
    _daemons: Vec<Daemon>,
    channel: Channel,
}

/// Everybody shows and expects the coordinator's certificate: identity is not what is measured.
struct Side {
    files: TlsFiles,
    expected: Expected,
    ports: [u16; 2],
}

impl Bare {
    pub(crate) fn start(setting: &Setting) -> Fallible<Self> {
        let party = &setting.federation.coordinator;
        let mut ports = setting.ports.ports().into_iter().rev();
        let lines = format!(
            "{}\n{}\n{}\n{}\n",
            party.oin,
            party.certificate.pin,
            ports.next().ok_or("no port")?,
            ports.next().ok_or("no port")?
        );
        std::fs::write(setting.federation.dir.join("bare"), lines)?;
        let dir = setting.federation.dir.to_str().ok_or("path")?.to_owned();
        let start = |role: &str| {
            let mut command = Command::new(std::env::current_exe()?);
            command.args([role, &dir]);
            Daemon::start(command, &setting.dir.path().join(format!("{role}.log")))
        };
        let daemons = vec![start("bare-node")?, start("bare-relay")?];
        let side = Side::read(&dir)?;
        Ok(Self { _daemons: daemons, channel: side.channel(1)? })
    }

    pub(crate) async fn lookups(
        &self,
        carried: Carried,
        count: usize,
        at_once: usize,
    ) -> Fallible<Timed> {
        for _ in 0..20 {
            take(self.channel.clone(), carried).await?;
        }
        let started = Instant::now();
        let requesters = (0..at_once).map(|_| {
            let channel = self.channel.clone();
            tokio::spawn(async move {
                let mut each = Vec::new();
                for _ in 0..count / at_once {
                    each.push(take(channel.clone(), carried).await?);
                }
                Ok::<_, Fault>(each)
            })
        });
        let mut each = Vec::new();
        for requester in requesters.collect::<Vec<_>>() {
            each.append(&mut requester.await??);
        }
        Ok(Timed::of(each, started.elapsed()))
    }

    pub(crate) async fn stream(&self, carried: Carried) -> Fallible<Duration> {
        take(self.channel.clone(), carried).await
    }
}

async fn take(channel: Channel, carried: Carried) -> Fallible<Duration> {
    let started = Instant::now();
    // What the node is to answer with comes first in the query; the rest is there for its size.
    let wanted = format!("{} {} ", carried.answer, carried.outcome);
    let signed_query = format!("{wanted:q<width$}", width = carried.query);
    let subjects = (carried.subjects > 0)
        .then(|| SealedSubjects { target: 0, sealed: vec![7; carried.subjects].into() });
    let request = QueryRequest { signed_query, subjects: subjects.into_iter().collect() };
    let mut frames = BrokerClient::new(channel).query(request).await?.into_inner();
    while frames.message().await?.is_some() {}
    Ok(started.elapsed())
}

pub(crate) async fn node(dir: &str) -> Fallible<()> {
    Side::read(dir)?.serve(0, Routes::new(ExchangeServer::new(Node))).await
}

pub(crate) async fn relay(dir: &str) -> Fallible<()> {
    let side = Side::read(dir)?;
    let relay = Relay(side.channel(0)?);
    side.serve(1, Routes::new(BrokerServer::new(relay))).await
}

impl Side {
    fn read(dir: &str) -> Fallible<Self> {
        let dir = Path::new(dir);
        let text = std::fs::read_to_string(dir.join("bare"))?;
        let [oin, pin, node, relay] = text.lines().collect::<Vec<_>>()[..] else {
            return Err(Fault::from("malformed"));
        };
        let pin: Digest = pin.parse()?;
        let file = |name: &str| -> PathBuf { dir.join(name) };
        let files = TlsFiles {
            certificate: file("coordinator/tls.pem"),
            key: file("coordinator/tls.key"),
            roots: file("pki/ca.pem"),
            revocation_lists: vec![file("pki/crl.pem")],
            allow_example: true,
            reload_seconds: 60,
        };
        let expected = Expected { oin: oin.parse()?, pins: std::iter::once(pin).collect() };
        Ok(Self { files, expected, ports: [node.parse()?, relay.parse()?] })
    }

    fn channel(&self, to: usize) -> Fallible<Channel> {
        let tls = ClientTls::load(self.files.clone(), clock())?;
        let address = format!("127.0.0.1:{}", self.ports[to]);
        Ok(connect(self.expected.clone(), &address, tls, &Limits::default())?)
    }

    async fn serve(self, at: usize, routes: Routes) -> Fallible<()> {
        let listener = TcpListener::bind(("127.0.0.1", self.ports[at])).await?;
        let tls = ServerTls::load(self.files, clock())?;
        let policy = Arc::new(KnownPeers::new([self.expected]));
        println!("listening on {}", listener.local_addr()?);
        let never = std::future::pending();
        Ok(serve(listener, tls, policy, routes, Limits::default(), never).await?)
    }
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

struct Node;

#[tonic::async_trait]
impl Exchange for Node {
    type AnswerStream = ReceiverStream<Result<AnswerFrame, Status>>;

    async fn answer(
        &self,
        request: Request<AnswerRequest>,
    ) -> Result<Response<Self::AnswerStream>, Status> {
        let query = request.into_inner().signed_query;
        let mut wanted = query.split(' ').map_while(|number| number.parse::<u64>().ok());
        let mut left = wanted.next().unwrap_or_default();
        let outcome = wanted.next().and_then(|size| usize::try_from(size).ok()).unwrap_or_default();
        let (frames, stream) = mpsc::channel(8);
        tokio::spawn(async move {
            let key = answer_frame::Body::EncapsulatedKey(vec![7; KEY].into());
            let outcome = answer_frame::Body::SignedOutcome("o".repeat(outcome));
            let chunk = Bytes::from(vec![7; CHUNK as usize]);
            let chunks = std::iter::from_fn(|| {
                let size = left.min(CHUNK);
                left -= size;
                (size > 0).then(|| answer_frame::Body::Chunk(chunk.slice(..size as usize)))
            });
            for body in std::iter::once(key).chain(chunks).chain([outcome]) {
                if frames.send(Ok(AnswerFrame { body: Some(body) })).await.is_err() {
                    return;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

struct Relay(Channel);

#[tonic::async_trait]
impl Broker for Relay {
    type QueryStream = ReceiverStream<Result<QueryFrame, Status>>;

    async fn query(
        &self,
        request: Request<QueryRequest>,
    ) -> Result<Response<Self::QueryStream>, Status> {
        let QueryRequest { signed_query, subjects } = request.into_inner();
        let sealed_subjects = subjects.into_iter().next().map(|one| one.sealed).unwrap_or_default();
        let asked = AnswerRequest { signed_query, target: 0, sealed_subjects };
        let mut answer = ExchangeClient::new(self.0.clone()).answer(asked).await?.into_inner();
        let (frames, stream) = mpsc::channel(8);
        tokio::spawn(async move {
            while let Ok(Some(frame)) = answer.message().await {
                let body = frame.body.map(|body| match body {
                    answer_frame::Body::EncapsulatedKey(key) => {
                        query_frame::Body::EncapsulatedKey(key)
                    }
                    answer_frame::Body::Chunk(chunk) => query_frame::Body::Chunk(chunk),
                    answer_frame::Body::SignedOutcome(signed) => {
                        query_frame::Body::SignedOutcome(signed)
                    }
                });
                if frames.send(Ok(QueryFrame { target: 0, body })).await.is_err() {
                    return;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}
