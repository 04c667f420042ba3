//! A server and its clients, on loopback.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, Once,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use convenant_model::{Clock, Timestamp};
use convenant_transport::{
    ClientTls, Deadline, Expected, KnownPeers, Limits, Peer, ServeError, ServerTls, connect,
    health, serve, trace,
};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use tonic::{
    Request, Status,
    service::{Routes, interceptor::InterceptedService},
    transport::Channel,
};
use tonic_health::{
    pb::{HealthCheckRequest, HealthCheckResponse, health_client::HealthClient},
    server::HealthReporter,
};
use tracing_subscriber::{layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::pki::{self, Authority, Party};

pub(crate) const ALICE: &str = "00000099000000001000";
pub(crate) const BOB: &str = "00000099000000002000";
pub(crate) const SERVER: &str = "00000099000000009000";

/// Time that stands still until a test moves it.
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn at(text: &str) -> Arc<Self> {
        let clock = Arc::new(Self(AtomicI64::new(0)));
        clock.set(text);
        clock
    }

    pub(crate) fn set(&self, text: &str) {
        self.0.store(text.parse::<Timestamp>().unwrap().millis(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// What a handler saw of a request.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) peer: Option<Peer>,
    pub(crate) deadline: Option<Deadline>,
    pub(crate) trace: Option<String>,
}

/// A running server with its authority.
pub(crate) struct World {
    pub(crate) authority: Authority,
    pub(crate) server: Party,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) tls: ServerTls,
    pub(crate) policy: Arc<KnownPeers>,
    pub(crate) address: SocketAddr,
    pub(crate) health: HealthReporter,
    pub(crate) seen: Arc<Mutex<Vec<Seen>>>,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) done: JoinHandle<Result<(), ServeError>>,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with(Limits::default()).await
    }

    /// A server on 1 June 2026 that knows nobody yet.
    pub(crate) async fn start_with(limits: Limits) -> Self {
        trace_everything();
        let authority = Authority::new("the authority");
        let server =
            authority.party(&pki::Request { oin: SERVER, serial: 9, ..Default::default() });
        let clock = TestClock::at("2026-06-01T00:00:00.000Z");
        let tls = ServerTls::load(server.files.clone(), Arc::clone(&clock) as _).unwrap();
        let policy = Arc::new(KnownPeers::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (health, service) = health(&limits);
        let seen = Arc::default();
        let routes = Routes::new(InterceptedService::new(service, observe(Arc::clone(&seen))));
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async {
            let _ = stopped.await;
        };
        let serving = serve(listener, tls.clone(), policy.clone(), routes, limits, stopped);
        let done = tokio::spawn(serving);
        Self { authority, server, clock, tls, policy, address, health, seen, stop, done }
    }

    /// Alice, enrolled.
    pub(crate) fn alice(&self) -> Party {
        let alice = self.authority.party(&pki::Request::default());
        self.policy.replace([expected(&alice.peer)]);
        alice
    }

    pub(crate) fn client(&self, party: &Party) -> HealthClient<Channel> {
        self.client_of(party, expected(&self.server.peer)).1
    }

    pub(crate) fn client_of(
        &self,
        party: &Party,
        expected: Expected,
    ) -> (ClientTls, HealthClient<Channel>) {
        let clock = TestClock::at("2026-06-01T00:00:00.000Z");
        let tls = ClientTls::load(party.files.clone(), clock).unwrap();
        let address = self.address.to_string();
        let channel = connect(expected, &address, tls.clone(), &Limits::default()).unwrap();
        (tls, HealthClient::new(channel))
    }
}

pub(crate) fn expected(peer: &Peer) -> Expected {
    Expected { oin: peer.oin.clone(), pins: [peer.pin].into() }
}

pub(crate) async fn check(
    client: &mut HealthClient<Channel>,
) -> Result<HealthCheckResponse, Status> {
    let request = HealthCheckRequest { service: String::new() };
    within(client.check(request)).await.map(tonic::Response::into_inner)
}

/// Fails a test that hangs.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(20), future).await {
        Ok(output) => output,
        Err(_) => panic!("nothing happened within 20 seconds"),
    }
}

/// Once for all tests, before any span is made: `tracing` caches which spans nobody listens to.
fn trace_everything() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let tracer = SdkTracerProvider::builder().build().tracer("tests");
        let layer = tracing_opentelemetry::layer().with_tracer(tracer);
        tracing_subscriber::registry().with(layer).init();
    });
}

fn observe(
    seen: Arc<Mutex<Vec<Seen>>>,
) -> impl FnMut(Request<()>) -> Result<Request<()>, Status> + Clone + Send + Sync + 'static {
    move |request: Request<()>| {
        seen.lock().unwrap().push(Seen {
            peer: request.extensions().get().cloned(),
            deadline: Deadline::of(&request),
            trace: trace::current(),
        });
        Ok(request)
    }
}
