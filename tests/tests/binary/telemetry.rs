//! What the processes export: one trace over leader, coordinator and node, and nobody in it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use convenant_demo::population::ROTTERDAM;
use convenant_testkit::PortBlock;
use opentelemetry_proto::tonic::{
    collector::{
        metrics::v1::{
            ExportMetricsServiceRequest, ExportMetricsServiceResponse,
            metrics_service_server::{MetricsService, MetricsServiceServer},
        },
        trace::v1::{
            ExportTraceServiceRequest, ExportTraceServiceResponse,
            trace_service_server::{TraceService, TraceServiceServer},
        },
    },
    common::v1::any_value::Value,
    resource::v1::Resource,
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};

use crate::{
    adl::is_decision,
    deployment::{Deployment, shown, subjects_file, text, written},
};

/// Everything that was exported.
#[derive(Clone, Debug, Default)]
struct Collector {
    traces: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
    metrics: Arc<Mutex<Vec<ExportMetricsServiceRequest>>>,
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.traces.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.metrics.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

#[test]
fn one_query_is_one_trace_over_three_parties_and_names_nobody() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let collector = Collector::default();
    let endpoint = runtime.block_on(serve(collector.clone()));
    let folder = tempfile::tempdir().unwrap();
    let ports = PortBlock::claim().unwrap();
    let federation = written(folder.path(), 200, &ports);
    let environment = [("CONVENANT__TELEMETRY__OTLP", endpoint)];
    let mut deployment = Deployment::start(federation, &environment);

    let people = ask(&deployment, folder.path());
    deployment.stop();

    let trace = trace_of_the_query(&collector);
    assert!(trace.contains("convenant-coordinator"), "{trace:?}");
    assert!(trace.contains("convenant-node"), "{trace:?}");
    logs_decisions_in_the_requester_s_trace(&deployment);
    let metrics = format!("{:?}", collector.metrics.lock().unwrap());
    for wanted in ["convenant-coordinator", "convenant-node", "NIET_NOODZAKELIJK"] {
        assert!(metrics.contains(wanted), "no metric of {wanted}");
    }
    let traces = format!("{:?}", collector.traces.lock().unwrap());
    for said in [traces, metrics, deployment.logs()] {
        assert!(!said.is_empty());
        assert!(people.iter().all(|bsn| !said.contains(bsn)), "somebody was exported or logged");
    }
}

/// The record of a decision goes on with the trace that the leader signed, at whichever party.
fn logs_decisions_in_the_requester_s_trace(deployment: &Deployment) {
    let federation = &deployment.federation;
    let rotterdam = federation.partner("rotterdam").unwrap();
    for (kind, party) in [("coordinator", &federation.coordinator), ("node", rotterdam)] {
        let (ledger, name) =
            (party.dir.join("state/ledger"), format!("convenant.{kind}/{}", party.oin));
        let lines = |arguments: &[&str]| -> Vec<serde_json::Value> {
            let output = deployment.run(&[arguments, &["--dir", text(&ledger)]].concat());
            assert!(output.status.success(), "{}", shown(&output));
            let lines = String::from_utf8(output.stdout).unwrap();
            lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        };
        let mut decisions = lines(&["ledger", "entries"]);
        decisions.retain(|one| one["entry"]["entry"] == "decision");
        let records = lines(&["ledger", "records", "--as", "adl"]);
        assert!(!records.is_empty() && records.len() == decisions.len(), "{records:?}");
        for (record, decision) in records.iter().zip(&decisions) {
            assert!(record["parent_span_id"].is_string(), "{record}");
            is_decision(record, decision, &name);
        }
    }
}

async fn serve(collector: Collector) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder()
        .add_service(TraceServiceServer::new(collector.clone()))
        .add_service(MetricsServiceServer::new(collector));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    format!("http://{address}")
}

/// A query that is answered and one that is refused; gives the people that they were about.
fn ask(deployment: &Deployment, folder: &std::path::Path) -> Vec<String> {
    let population = deployment.federation.population.as_ref().unwrap();
    let people: Vec<_> = population.residents_of(ROTTERDAM).map(|(_, p)| p).take(5).collect();
    let subjects = subjects_file(folder, &people);
    for (fields, name, code) in [
        ("burgerservicenummer,verblijfadres_postcode", "answered.csv", 0),
        ("burgerservicenummer,leeftijd", "refused.csv", 3),
    ] {
        let output = deployment.query(&[
            "--project",
            "P-2026-001",
            "--goal",
            "toeslagenfraude",
            "--target",
            "rotterdam/gemeente/brp_persoon",
            "--fields",
            fields,
            "--subjects",
            subjects.to_str().unwrap(),
            "--out",
            folder.join(name).to_str().unwrap(),
        ]);
        assert_eq!(output.status.code(), Some(code), "{}", shown(&output));
    }
    people.iter().map(|person| person.bsn().expose().to_owned()).collect()
}

/// The services that took part in the trace whose root is the leader's first query.
fn trace_of_the_query(collector: &Collector) -> BTreeSet<String> {
    let traces = collector.traces.lock().unwrap();
    let mut services: BTreeMap<Vec<u8>, BTreeSet<String>> = BTreeMap::new();
    let mut roots = Vec::new();
    for spans in traces.iter().flat_map(|request| &request.resource_spans) {
        let service = service(spans.resource.as_ref().unwrap());
        for span in spans.scope_spans.iter().flat_map(|scope| &scope.spans) {
            services.entry(span.trace_id.clone()).or_default().insert(service.clone());
            if service == "convenant-client"
                && span.parent_span_id.is_empty()
                && span.name == "query"
            {
                roots.push((span.start_time_unix_nano, span.trace_id.clone()));
            }
        }
    }
    roots.sort();
    assert_eq!(roots.len(), 2, "one trace for each query");
    services.remove(&roots[0].1).unwrap()
}

fn service(resource: &Resource) -> String {
    let name = resource.attributes.iter().find(|one| one.key == "service.name").unwrap();
    match name.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(name)) => name.clone(),
        other => panic!("{other:?}"),
    }
}
