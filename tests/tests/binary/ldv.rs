//! Lines for the log of processing outlast the process that owes them, and belong to the requester's trace.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write as _,
    net::SocketAddr,
    path::Path,
    sync::Arc,
};

use convenant_demo::{
    Federation,
    pki::CertificateRequest,
    population::{Person, ROTTERDAM},
};
use convenant_model::{Oin, value::FieldType};
use convenant_subjects::Pseudonym;
use convenant_testkit::{Collector, Identity, Kept, PortBlock};
use convenant_transport::SystemClock;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::TraceServiceServer;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;

use crate::deployment::{Deployment, shown, subjects_file, today, written};

const SUBJECT: &str = "dpl.core.data_subject_id";
const PROCESSOR: &str = "dpl.core.foreign_operation.processor";

/// A federation whose node in Rotterdam is to deliver to this address, and who listens there.
fn federation(folder: &Path, ports: &PortBlock) -> (Federation, SocketAddr, Identity) {
    let mut federation = written(folder, 200, ports);
    let address = SocketAddr::from(([127, 0, 0, 1], ports.ports().pop().unwrap()));
    let identity = delivering(&mut federation, folder, address);
    (federation, address, identity)
}

/// Has the node in Rotterdam deliver to this address; gives who listens there.
pub(crate) fn delivering(
    federation: &mut Federation,
    folder: &Path,
    address: SocketAddr,
) -> Identity {
    let oin = Oin::new("00000099000000007000").unwrap();
    let issued = federation.pki.issue(&CertificateRequest::new(&oin, "log", today())).unwrap();
    let identity = Identity::write(&folder.join("log"), &issued, &federation.pki).unwrap();
    let config = &federation.partner("rotterdam").unwrap().config;
    let mut file = fs::OpenOptions::new().append(true).open(config).unwrap();
    write!(
        file,
        "\n[ldv]\nendpoint = \"https://{address}\"\n\
         processing_activity = \"urn:example:1\"\nlongest_pause_seconds = 1\n\
         [ldv.tls]\nroots = \"../../pki/ca.pem\"\nallow_example = true\n\
         certificate = \"tls.pem\"\nkey = \"tls.key\"\n"
    )
    .unwrap();
    identity
}

/// Takes traces for as long as the runtime lives, so that the requester has one.
async fn telemetry() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder().add_service(TraceServiceServer::new(Kept::default()));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    format!("http://{address}")
}

fn ask(deployment: &Deployment, folder: &Path, people: &[&Person]) {
    let subjects = subjects_file(folder, people);
    let output = deployment.query(&[
        "--project",
        "P-2026-001",
        "--goal",
        "toeslagenfraude",
        "--target",
        "rotterdam/gemeente/brp_persoon",
        "--fields",
        "burgerservicenummer,verblijfadres_postcode",
        "--subjects",
        subjects.to_str().unwrap(),
        "--out",
        folder.join("answer.csv").to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
}

#[test]
fn lines_of_a_node_that_was_killed_arrive_in_the_requester_s_trace() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (folder, ports) = (tempfile::tempdir().unwrap(), PortBlock::claim().unwrap());
    let (federation, address, identity) = federation(folder.path(), &ports);
    let environment = [("CONVENANT__TELEMETRY__OTLP", runtime.block_on(telemetry()))];
    let mut deployment = Deployment::start(federation, &environment);
    let population = deployment.federation.population.as_ref().unwrap();
    let people: Vec<_> = population.residents_of(ROTTERDAM).map(|(_, p)| p).take(3).collect();
    let key = &deployment.federation.partner("rotterdam").unwrap().keys.pseudonym;
    let pseudonym =
        |person: &&Person| Pseudonym::of(key, FieldType::Bsn, &person.bsn()).to_string();
    let expected: BTreeSet<_> = people.iter().map(pseudonym).collect();
    let numbers: Vec<_> = people.iter().map(|one| one.bsn().expose().to_owned()).collect();

    ask(&deployment, folder.path(), &people);
    deployment.kill("rotterdam");
    let kept = Kept::default();
    let collector = Collector::start(address, &identity, Arc::new(SystemClock), &kept);
    let _collector = runtime.block_on(collector).unwrap();
    deployment.start_daemon("rotterdam");
    let lines = runtime.block_on(kept.different(4));
    deployment.stop();

    let lines: BTreeMap<_, _> =
        lines.into_iter().map(|line| (line.span.span_id.clone(), line)).collect();
    let (about, own): (Vec<_>, Vec<_>) =
        lines.values().partition(|line| line.attribute(SUBJECT).is_some());
    let found = about.iter().map(|line| line.attribute(SUBJECT).unwrap());
    assert_eq!(found.collect::<BTreeSet<_>>(), expected);
    let [own] = own[..] else { panic!("one line about nobody was expected: {own:?}") };
    assert!(about.iter().all(|line| line.span.parent_span_id == own.span.span_id));
    // The requester's span called the node; its organisation is named.
    assert!(own.span.parent_span_id.len() == 8 && own.span.trace_id.len() == 16);
    let requester = &deployment.federation.leader.partner;
    let processor = format!("https://oinregister.logius.nl/oin/{requester}");
    assert_eq!(own.attribute(PROCESSOR), Some(processor));
    for line in lines.values() {
        assert_eq!(line.span.trace_id, own.span.trace_id);
        assert!(line.span.start_time_unix_nano <= line.span.end_time_unix_nano);
    }
    let told = format!("{lines:?}{}", deployment.logs());
    assert!(numbers.iter().all(|number| !told.contains(number)), "somebody is named");
}
