//! Sends lines and waits for the acknowledgement. No queue, no sampling, nothing that may drop a line.

use std::time::Duration;

use opentelemetry_proto::tonic::{
    collector::trace::v1::{ExportTraceServiceRequest, trace_service_client::TraceServiceClient},
    trace::v1::ResourceSpans,
};
use thiserror::Error;
use tokio::time::timeout;
use tonic::{Code, Status, transport::Channel};
use tonic_types::StatusExt as _;

/// How long an acknowledgement may take (OTLP exporters' default).
const PATIENCE: Duration = Duration::from_secs(10);
/// Most characters of a server's words that go into a log.
const WORDS: usize = 200;

/// Sends to one endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    client: TraceServiceClient<Channel>,
}

/// Why lines are not acknowledged.
#[derive(Debug, Error)]
pub(crate) enum SendError {
    #[error("the log of processing does not answer in time")]
    Late,
    #[error("the log of processing cannot be reached, or cannot take lines now")]
    Unavailable { after: Option<Duration>, source: Box<Status> },
    #[error("the log of processing refuses the lines")]
    Refused { source: Box<Status> },
    #[error("the log of processing rejected {lines} lines: {words}")]
    Rejected { lines: i64, words: String },
}

impl SendError {
    /// Whether OTLP lets a client try the same again soon (§ OTLP/gRPC Response). What it would have a client
    /// drop is kept here and sent again too, but not before the longest pause: LDV wants every line.
    pub(crate) const fn is_passing(&self) -> bool {
        matches!(self, Self::Late | Self::Unavailable { .. })
    }

    /// How long the server asks to be left alone.
    pub(crate) const fn after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { after, .. } => *after,
            Self::Late | Self::Refused { .. } | Self::Rejected { .. } => None,
        }
    }
}

impl Sender {
    pub(crate) fn new(channel: Channel) -> Self {
        Self { client: TraceServiceClient::new(channel) }
    }

    /// Returns once every line is acknowledged. Without lines it is a probe.
    pub(crate) async fn send(&self, resource_spans: Vec<ResourceSpans>) -> Result<(), SendError> {
        let mut client = self.client.clone();
        let sent = client.export(ExportTraceServiceRequest { resource_spans });
        let answer = timeout(PATIENCE, sent).await.map_err(|_| SendError::Late)?;
        let answer = answer.map_err(failed)?.into_inner();
        match answer.partial_success {
            // With none rejected it is a mere remark (§ Partial Success).
            Some(partial) if partial.rejected_spans != 0 => {
                let words = partial.error_message.chars().filter(|c| !c.is_control());
                let words = words.take(WORDS).collect();
                Err(SendError::Rejected { lines: partial.rejected_spans, words })
            }
            _ => Ok(()),
        }
    }
}

/// The codes after which OTLP has a client try again (§ Failures).
fn failed(status: Status) -> SendError {
    let after = status.get_details_retry_info().and_then(|info| info.retry_delay);
    let passing = match status.code() {
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => true,
        Code::ResourceExhausted => after.is_some(),
        // So tonic reports a connection that was lost.
        Code::Unknown => std::error::Error::source(&status).is_some(),
        _ => false,
    };
    let source = Box::new(status);
    if passing { SendError::Unavailable { after, source } } else { SendError::Refused { source } }
}
