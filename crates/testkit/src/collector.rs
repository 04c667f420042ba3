//! A log of processing that conforms: OTLP over gRPC and mutual TLS, by the official messages.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use convenant_model::Clock;
use convenant_transport::{ServerTls, serve};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::{KeyValue, any_value::Value},
    trace::v1::Span,
};
use tokio::{net::TcpListener, sync::watch};
use tonic::{Code, Request, Response, Status, service::Routes};

use crate::{
    Fallible, Identity, Running,
    running::stopped,
    silent::{Anybody, abrupt},
};

/// Longest that a test waits for lines.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a collector keeps, which outlasts its process.
#[derive(Clone, Debug)]
pub struct Kept(watch::Sender<Contents>);

#[derive(Debug, Default)]
struct Contents {
    lines: Vec<CollectedLine>,
    calls: u64,
    manner: Manner,
}

/// A line as it was kept.
#[derive(Clone, Debug)]
pub struct CollectedLine {
    /// The span.
    pub span: Span,
    /// Attributes of the resource.
    pub resource: BTreeMap<String, String>,
}

/// How a collector takes lines. Whatever it says of them, it says at length and repeats whom they are about.
#[derive(Clone, Copy, Debug, Default)]
pub enum Manner {
    /// Keeps all.
    #[default]
    Accepts,
    /// Keeps all, with a remark.
    Remarks,
    /// Keeps all but the last of each message, and says so.
    RejectsOne,
    /// Keeps none and answers with this code.
    Fails(Code),
}

/// The collector. Dropped, it ends.
#[derive(Debug)]
pub struct Collector(Running);

impl Collector {
    /// Starts it at an address, with what it kept before.
    ///
    /// # Errors
    /// When the address is taken, or the identity's files are not as they should be.
    pub async fn start(
        address: SocketAddr,
        identity: &Identity,
        clock: Arc<dyn Clock>,
        kept: &Kept,
    ) -> Fallible<Self> {
        let tls = ServerTls::load(identity.files.clone(), clock)?;
        let listener = TcpListener::bind(address).await?;
        let routes = Routes::new(TraceServiceServer::new(kept.clone()));
        let running = Running::start(|listening, stop| async move {
            listening(listener.local_addr()?);
            let end = stopped(stop);
            Ok(serve(listener, tls, Arc::new(Anybody), routes, abrupt(), end).await?)
        });
        Ok(Self(running.await?))
    }

    /// Ends it.
    ///
    /// # Errors
    /// When it ended with an error.
    pub async fn stop(self) -> Fallible<()> {
        self.0.stop().await
    }
}

impl Default for Kept {
    fn default() -> Self {
        Self(watch::Sender::new(Contents::default()))
    }
}

impl Kept {
    /// From now on it takes lines like this.
    pub fn behave(&self, manner: Manner) {
        self.0.send_modify(|contents| contents.manner = manner);
    }

    /// Every line, as often as it came.
    #[must_use]
    pub fn lines(&self) -> Vec<CollectedLine> {
        self.0.borrow().lines.clone()
    }

    /// Messages that came, empty ones too.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.0.borrow().calls
    }

    /// Waits for so many different lines at least, but not for ever; gives every line then.
    pub async fn different(&self, count: usize) -> Vec<CollectedLine> {
        self.wait(|contents| {
            let ids = contents.lines.iter().map(|line| &line.span.span_id);
            ids.collect::<std::collections::BTreeSet<_>>().len() >= count
        })
        .await;
        self.lines()
    }

    /// Waits for so many messages at least.
    pub async fn called(&self, times: u64) {
        self.wait(|contents| contents.calls >= times).await;
    }

    async fn wait(&self, until: impl FnMut(&Contents) -> bool) {
        let mut contents = self.0.subscribe();
        // What did not come by then, the caller misses in what it looks at.
        let _late = tokio::time::timeout(PATIENCE, contents.wait_for(until)).await;
    }

    fn take(
        &self,
        request: ExportTraceServiceRequest,
    ) -> Result<ExportTraceServiceResponse, Status> {
        let mut answer = Ok(ExportTraceServiceResponse::default());
        self.0.send_modify(|contents| {
            contents.calls += 1;
            let mut lines = lines(request);
            let words = words(&lines);
            let partial = |rejected_spans| {
                let error_message = words.clone();
                let partial_success = ExportTracePartialSuccess { rejected_spans, error_message };
                Ok(ExportTraceServiceResponse { partial_success: Some(partial_success) })
            };
            match contents.manner {
                Manner::Accepts => {}
                Manner::Remarks => answer = partial(0),
                Manner::RejectsOne => answer = partial(lines.pop().map_or(0, |_| 1)),
                Manner::Fails(code) => {
                    lines.clear();
                    answer = Err(Status::new(code, words));
                }
            }
            contents.lines.append(&mut lines);
        });
        answer
    }
}

#[tonic::async_trait]
impl TraceService for Kept {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.take(request.into_inner()).map(Response::new)
    }
}

impl CollectedLine {
    /// An attribute of the line.
    #[must_use]
    pub fn attribute(&self, key: &str) -> Option<String> {
        self.span.attributes.iter().find(|one| one.key == key).map(text)
    }
}

fn lines(request: ExportTraceServiceRequest) -> Vec<CollectedLine> {
    let mut lines = Vec::new();
    for spans in request.resource_spans {
        let attributes = spans.resource.map(|resource| resource.attributes).unwrap_or_default();
        let resource: BTreeMap<_, _> =
            attributes.iter().map(|one| (one.key.clone(), text(one))).collect();
        let spans = spans.scope_spans.into_iter().flat_map(|scope| scope.spans);
        lines.extend(spans.map(|span| CollectedLine { span, resource: resource.clone() }));
    }
    lines
}

fn words(lines: &[CollectedLine]) -> String {
    let subjects = lines.iter().filter_map(|line| line.attribute("dpl.core.data_subject_id"));
    let about = subjects.take(3).collect::<Vec<_>>().join(" en ");
    format!("een opmerking\nvan het logboek over {about}{}", ", en nog meer".repeat(100))
}

fn text(one: &KeyValue) -> String {
    match one.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    }
}
