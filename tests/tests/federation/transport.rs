//! Who gets through to a daemon, and what nobody may send it.

use std::{net::SocketAddr, sync::Arc};

use convenant_demo::{
    Party,
    pki::{CertificateRequest, Issued, Pki},
};
use convenant_model::{Oin, Problem, query::QueryKind};
use convenant_testkit::{
    Identity, World,
    question::{about, question, target},
    told, wire,
};
use convenant_transport::{Explanation, explain};
use convenant_wire::{
    problem::{PeerProblem, read},
    v1::{
        AnswerRequest, FollowRequest, QueryRequest, broker_client::BrokerClient,
        exchange_client::ExchangeClient, register_client::RegisterClient,
    },
};
use rustls::{
    ClientConfig, RootCertStore, SupportedProtocolVersion,
    time_provider::TimeProvider,
    version::{TLS12, TLS13},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tonic::{Code, Status, client::GrpcService as _, transport::Channel};

use crate::support::{BRP_FIELDS, Results, in_rotterdam, world};

/// A world in which the coordinator and Rotterdam's node run.
struct Doors {
    world: World,
    unused: u32,
}

impl Doors {
    async fn open() -> Self {
        Self { world: world(&["rotterdam"]).await, unused: 0 }
    }

    fn node(&self) -> &Party {
        self.world.partner("rotterdam").unwrap()
    }

    fn addresses(&self) -> [SocketAddr; 2] {
        [self.world.federation.coordinator.address.unwrap(), self.node().address.unwrap()]
    }

    /// A certificate of the federation's authority, valid today unless `change` says otherwise.
    fn issue(&mut self, oin: &Oin, change: impl FnOnce(&mut CertificateRequest)) -> Issued {
        let mut request =
            CertificateRequest::new(oin, "stranger", self.world.federation.spec.today);
        change(&mut request);
        self.world.federation.pki.issue(&request).unwrap()
    }

    fn identity(&mut self, issued: &Issued) -> Identity {
        self.unused += 1;
        let folder = self.world.path(&format!("identity-{}", self.unused));
        Identity::write(&folder, issued, &self.world.federation.pki).unwrap()
    }

    /// How the coordinator and the node each answer whoever shows this.
    async fn knock(&self, identity: &Identity) -> [Status; 2] {
        let channel = self.world.to_coordinator(identity).unwrap();
        let mut register = RegisterClient::new(channel.clone());
        let followed = register.follow(FollowRequest { from: 0 }).await.unwrap_err();
        let queried = BrokerClient::new(channel).query(QueryRequest::default()).await.unwrap_err();
        assert_eq!(refused_how(&followed), refused_how(&queried));
        let channel = self.world.to(identity, self.node()).unwrap();
        let asked = ExchangeClient::new(channel).answer(AnswerRequest::default()).await;
        [queried, asked.unwrap_err()]
    }

    /// The federation still answers.
    async fn assert_serving(&self, name: &str) {
        let client = self.world.client().await.unwrap();
        let asked = target(self.node(), BRP_FIELDS).unwrap();
        let asked = about(asked, in_rotterdam(&self.world, 1)).unwrap();
        let question = question(QueryKind::Lookup, vec![asked]).unwrap();
        let composed = client.compose(question).unwrap();
        let results = Results::of(&self.world, name);
        assert_eq!(told(&results.ask(&client, &composed).await), ["answered"]);
        client.close().await;
    }
}

/// `no connection`, or the problem that the daemon names.
fn refused_how(status: &Status) -> String {
    match (explain(status), read(status)) {
        (Explanation::NotConnected(_), _) => "no connection".to_owned(),
        (_, PeerProblem::Problem(problem)) => problem.code().to_owned(),
        (other, _) => format!("{other}"),
    }
}

fn assert_no_connection(statuses: &[Status], why: &str) {
    for status in statuses {
        assert_eq!(refused_how(status), "no connection");
        assert!(explain(status).to_string().contains(why), "{}", explain(status));
    }
}

fn assert_unknown(statuses: &[Status]) {
    let unknown = Problem::Unauthenticated.code();
    assert!(statuses.iter().all(|status| refused_how(status) == unknown), "{statuses:?}");
}

#[tokio::test]
async fn a_certificate_of_a_foreign_authority() {
    let mut doors = Doors::open().await;
    let mut foreign =
        Pki::create(&doors.world.path("foreign"), doors.world.federation.spec.today).unwrap();
    let oin = doors.world.federation.coordinator.oin.clone();
    let request = CertificateRequest::new(&oin, "coordinator", doors.world.federation.spec.today);
    // The authority has the same name, and so has the certificate: only the key differs.
    let identity = doors.identity(&foreign.issue(&request).unwrap());
    let statuses = doors.knock(&identity).await;
    assert_no_connection(&statuses, "closed the connection during the handshake");
    doors.assert_serving("after").await;
}

#[tokio::test]
async fn an_expired_certificate() {
    let mut doors = Doors::open().await;
    let oin = doors.world.federation.coordinator.oin.clone();
    let issued = doors.issue(&oin, |request| {
        request.valid_until = request.valid_from;
        request.valid_from = request.valid_from.plus_days(-30);
    });
    let identity = doors.identity(&issued);
    assert_no_connection(&doors.knock(&identity).await, "CertificateExpired");
}

#[tokio::test]
async fn a_revoked_certificate() {
    let mut doors = Doors::open().await;
    // The coordinator's own former certificate, as it were: everything else about it is right.
    let oin = doors.world.federation.coordinator.oin.clone();
    let issued = doors.issue(&oin, |_| {});
    let identity = doors.identity(&issued);
    assert_unknown(&doors.knock(&identity).await);
    doors.world.federation.pki.revoke(issued.serial).unwrap();
    // The daemons read the list again when they start.
    doors.world.shut_down().await.unwrap();
    doors.world.start_coordinator().await.unwrap();
    doors.world.start_node("rotterdam").await.unwrap();
    assert_no_connection(&doors.knock(&identity).await, "CertificateRevoked");
    doors.assert_serving("after").await;
}

#[tokio::test]
async fn the_right_certificate_of_another_party_or_with_another_key() {
    let mut doors = Doors::open().await;
    // Nobody enrolled this party.
    let stranger = doors.issue(&Oin::new("00000099000000006000").unwrap(), |_| {});
    let stranger = doors.identity(&stranger);
    assert_unknown(&doors.knock(&stranger).await);
    // The coordinator's OIN, but a key that neither enrolment nor configuration names.
    let oin = doors.world.federation.coordinator.oin.clone();
    let other_key = doors.issue(&oin, |_| {});
    let other_key = doors.identity(&other_key);
    assert_unknown(&doors.knock(&other_key).await);
    // Enrolled, and still not whom a node listens to.
    let leader = doors.world.leader();
    let channel = doors.world.to(&leader, doors.node()).unwrap();
    let status = ExchangeClient::new(channel).answer(AnswerRequest::default()).await.unwrap_err();
    assert_unknown(&[status]);
}

#[tokio::test]
async fn a_node_with_another_certificate_is_not_asked() {
    let mut doors = Doors::open().await;
    doors.world.stop_node("rotterdam").await.unwrap();
    let client = doors.world.client().await.unwrap();
    let (own, other) = (doors.node().oin.clone(), doors.world.partner("uwv").unwrap().oin.clone());
    for oin in [own, other] {
        let issued = doors.issue(&oin, |_| {});
        let identity = doors.identity(&issued);
        let impostor = doors.world.impersonate("rotterdam", &identity).await.unwrap();
        let asked = target(doors.node(), BRP_FIELDS).unwrap();
        let asked = about(asked, in_rotterdam(&doors.world, 1)).unwrap();
        let question = question(QueryKind::Lookup, vec![asked]).unwrap();
        let composed = client.compose(question).unwrap();
        let results = Results::of(&doors.world, oin.as_str());
        let told = told(&results.ask(&client, &composed).await);
        assert_eq!(told, ["KNOOPPUNT_NIET_BEREIKBAAR"]);
        impostor.stop().await.unwrap();
    }
}

#[tokio::test]
async fn no_certificate_and_tls_1_2() {
    let doors = Doors::open().await;
    let coordinator = doors.world.coordinator();
    for address in doors.addresses() {
        let nobody = shake_hands(&doors, address, None, &TLS13).await.unwrap_err();
        assert!(nobody.contains("CertificateRequired"), "{nobody}");
        let old = shake_hands(&doors, address, Some(&coordinator), &TLS12).await.unwrap_err();
        assert!(old.contains("ProtocolVersion"), "{old}");
        // The same with TLS 1.3, so that it is the version that is refused.
        shake_hands(&doors, address, Some(&coordinator), &TLS13).await.unwrap();
    }
}

/// The certificate that a daemon shows, if it shakes hands.
pub(crate) async fn shown_at(
    world: &World,
    address: SocketAddr,
    identity: &Identity,
) -> Option<CertificateDer<'static>> {
    let stream = hand_shaken(world, address, Some(identity), &TLS13).await.ok()?;
    stream.get_ref().1.peer_certificates()?.first().cloned()
}

async fn shake_hands(
    doors: &Doors,
    address: SocketAddr,
    identity: Option<&Identity>,
    version: &'static SupportedProtocolVersion,
) -> Result<TlsStream<TcpStream>, String> {
    hand_shaken(&doors.world, address, identity, version).await
}

/// A TLS connection on which the server has sent its first byte, or why there is none.
async fn hand_shaken(
    world: &World,
    address: SocketAddr,
    identity: Option<&Identity>,
    version: &'static SupportedProtocolVersion,
) -> Result<TlsStream<TcpStream>, String> {
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_file(world.federation.pki.roots()).unwrap();
    roots.add(root).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let now = Standing(convenant_model::Clock::now(world.clock.as_ref()));
    let builder = ClientConfig::builder_with_details(provider, Arc::new(now))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let chain = vec![CertificateDer::from_pem_file(&identity.files.certificate).unwrap()];
            let key = PrivateKeyDer::from_pem_file(&identity.files.key).unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    let tcp = TcpStream::connect(address).await.unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let stream = connector.connect("localhost".try_into().unwrap(), tcp).await;
    let mut stream = stream.map_err(|error| error.to_string())?;
    match stream.read_u8().await {
        Ok(_) => Ok(stream),
        Err(error) => Err(error.to_string()),
    }
}

/// The federation's time for a TLS client.
#[derive(Debug)]
struct Standing(convenant_model::Timestamp);

impl TimeProvider for Standing {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.millis()).ok()? / 1000;
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds)))
    }
}

/// Every method of both daemons, with whether the node serves it.
const METHODS: [(&str, bool); 12] = [
    ("/convenant.v1.Broker/Query", false),
    ("/convenant.v1.Register/Submit", false),
    ("/convenant.v1.Register/Follow", false),
    ("/convenant.v1.Exchange/Answer", true),
    ("/convenant.v1.Witness/AddCheckpoint", false),
    ("/convenant.v1.Witness/AddCheckpoint", true),
    ("/convenant.v1.Ledger/Read", false),
    ("/convenant.v1.Ledger/Read", true),
    ("/grpc.health.v1.Health/Check", false),
    ("/grpc.health.v1.Health/Check", true),
    ("/grpc.health.v1.Health/Watch", false),
    ("/grpc.health.v1.Health/Watch", true),
];

impl Doors {
    /// A fresh connection of the coordinator, which both daemons let in.
    fn channel(&self, to_node: bool) -> Channel {
        let coordinator = self.world.coordinator();
        let party = if to_node { self.node() } else { &self.world.federation.coordinator };
        self.world.to(&coordinator, party).unwrap()
    }
}

#[test]
fn every_method_of_the_protocol_is_tried() {
    let mut service = "";
    for line in include_str!("../../../proto/convenant/v1/convenant.proto").lines() {
        if let Some(named) = line.strip_prefix("service ") {
            service = named.trim_end_matches(" {");
        }
        if let Some((method, _)) =
            line.trim().strip_prefix("rpc ").and_then(|rpc| rpc.split_once('('))
        {
            let path = format!("/convenant.v1.{service}/{method}");
            assert!(METHODS.iter().any(|(tried, _)| *tried == path), "{path}");
        }
    }
    assert_eq!(service, "Ledger", "the protocol is read otherwise");
}

#[tokio::test]
async fn oversized_truncated_and_random_messages_on_every_method() {
    let doors = Doors::open().await;
    // More than any limit; a field of a message, cut off in its length; then noise.
    let oversized = [vec![0x0a, 0x80, 0x80, 0xc0, 0x04], vec![b'x'; 9 << 20]].concat();
    let truncated = vec![0x0a, 0xff, 0x07, b'x'];
    for (method, to_node) in METHODS {
        let channel = doors.channel(to_node);
        let status = wire::send_bytes(channel.clone(), method, oversized.clone()).await;
        assert_eq!(status.code(), Code::OutOfRange, "{method}: {status}");
        let status = wire::send_bytes(channel.clone(), method, truncated.clone()).await;
        assert!(matches!(status.code(), Code::Internal), "{method}: {status}");
        for (seed, length) in [(1, 1), (2, 17), (3, 300), (4, 70_000)] {
            // With a field number of its own in front, so that noise is never a message by chance.
            let message = [vec![0x07], noise(seed, length)].concat();
            let status = wire::send_bytes(channel.clone(), method, message).await;
            assert_ne!(status.code(), Code::Ok, "{method}: {length} bytes of noise were served");
        }
        // The connection lived through it.
        let unknown = wire::send_bytes(channel, "/convenant.v1.Broker/Nothing", Vec::new()).await;
        assert_eq!(unknown.code(), Code::Unimplemented, "{unknown}");
    }
    doors.assert_serving("after").await;
}

#[tokio::test]
async fn well_formed_messages_with_senseless_fields() {
    let doors = Doors::open().await;
    let senseless =
        || String::from_utf8(noise(5, 4000).iter().map(|b| b & 0x7f).collect()).unwrap();
    for text in
        [String::new(), "..".to_owned(), "a.b.c".to_owned(), senseless(), "x".repeat(3 << 20)]
    {
        let request = QueryRequest { signed_query: text.clone(), subjects: Vec::new() };
        let status = BrokerClient::new(doors.channel(false)).query(request).await.unwrap_err();
        assert_eq!(refused_how(&status), "ONJUIST_BERICHT");
        let request = AnswerRequest {
            signed_query: text.clone(),
            target: u32::MAX,
            sealed_subjects: noise(6, 100).into(),
        };
        let status = ExchangeClient::new(doors.channel(true)).answer(request).await.unwrap_err();
        assert_eq!(refused_how(&status), "ONJUIST_BERICHT");
        let document = convenant_wire::v1::SubmitRequest { document: text.into_bytes().into() };
        let status = RegisterClient::new(doors.channel(false)).submit(document).await.unwrap_err();
        assert_eq!(refused_how(&status), "DOCUMENT_NIET_TOEGELATEN");
    }
    // Beyond the end of the register: a checkpoint and nothing else.
    let request = FollowRequest { from: u64::MAX };
    let followed = RegisterClient::new(doors.channel(false)).follow(request).await.unwrap();
    let mut frames = followed.into_inner();
    assert!(frames.message().await.unwrap().is_some());
    assert!(frames.message().await.unwrap().is_none());
    doors.assert_serving("after").await;
}

#[tokio::test]
async fn frames_that_break_off_and_bytes_that_are_no_http() {
    let doors = Doors::open().await;
    for (method, to_node) in METHODS {
        // A gRPC frame that announces a hundred bytes and holds three.
        let body = tonic::body::Body::new("\0\0\0\0dabc".to_owned());
        let request = tonic::codegen::http::Request::post(format!("https://localhost{method}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(body)
            .unwrap();
        let mut channel = doors.channel(to_node);
        std::future::poll_fn(|context| channel.poll_ready(context)).await.unwrap();
        let response = channel.call(request).await.unwrap();
        let status = Status::from_header_map(response.headers()).expect("a status without a body");
        assert_ne!(status.code(), Code::Ok, "{method}");
    }
    for address in doors.addresses() {
        // Inside TLS, as an enrolled party.
        let coordinator = doors.world.coordinator();
        let stream = shake_hands(&doors, address, Some(&coordinator), &TLS13).await;
        assert_closed(stream.unwrap()).await;
        // And instead of TLS.
        assert_closed(TcpStream::connect(address).await.unwrap()).await;
    }
    doors.assert_serving("after").await;
}

/// Noise ends the connection.
async fn assert_closed(mut stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin) {
    // The other side may close before it has read everything.
    let _ = stream.write_all(&noise(7, 4096)).await;
    let _ = stream.flush().await;
    let mut rest = Vec::new();
    let read = stream.read_to_end(&mut rest);
    let ended = tokio::time::timeout(std::time::Duration::from_secs(20), read).await;
    assert!(ended.is_ok(), "the connection was kept open");
}

/// Bytes without sense, the same for the same seed (splitmix64).
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ (mixed >> 27)).to_be_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}
