//! Sends lines and waits for the acknowledgement. No queue, no sampling, nothing that may drop a line.

use std::{error::Error, fmt, time::Duration};

use opentelemetry_proto::tonic::{
    collector::trace::v1::{ExportTraceServiceRequest, trace_service_client::TraceServiceClient},
    trace::v1::ResourceSpans,
};
use tokio::time::timeout;
use tonic::{Code, Status, transport::Channel};
use tonic_types::StatusExt as _;

/// How long an acknowledgement may take (OTLP exporters' default).
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends to one endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    client: TraceServiceClient<Channel>,
}

/// Why lines are not acknowledged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    #[error("the log of processing does not answer in time")]
    Late,
    #[error("the log of processing cannot be reached, or cannot take lines now")]
    Unavailable { after: Option<Duration>, source: Answer },
    #[error("the log of processing refuses the lines")]
    Refused { source: Answer },
    #[error("the log of processing rejected {lines} lines, in a message of {said} bytes")]
    Rejected { lines: i64, said: usize },
}

/// What came instead of an acknowledgement. The log's own words are left out: they may repeat a line.
#[derive(Debug)]
pub(crate) struct Answer(Box<Status>);

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (code, said) = (self.0.code(), self.0.message().len());
        write!(f, "code {code:?}, in a message of {said} bytes")
    }
}

impl Error for Answer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
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
                let (lines, said) = (partial.rejected_spans, partial.error_message.len());
                Err(SendError::Rejected { lines, said })
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
        Code::Unknown => status.source().is_some(),
        _ => false,
    };
    let source = Answer(Box::new(status));
    if passing { SendError::Unavailable { after, source } } else { SendError::Refused { source } }
}
