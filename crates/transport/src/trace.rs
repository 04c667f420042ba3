//! W3C trace context (`traceparent`, `tracestate`) from party to party, so that one query is one
//! trace over all of them.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator as _},
    trace::TraceContextExt as _,
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tonic::{Request, metadata::MetadataMap};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Gives an outgoing request the trace context of the current span; nothing where no OpenTelemetry
/// layer is installed.
pub fn inject<T>(request: &mut Request<T>) {
    let context = Span::current().context();
    let mut headers = std::mem::take(request.metadata_mut()).into_headers();
    TraceContextPropagator::new().inject_context(&context, &mut Headers(&mut headers));
    *request.metadata_mut() = MetadataMap::from_headers(headers);
}

/// The `traceparent` of the current span, for instance to sign it with a query; `None` where there
/// is no trace.
#[must_use]
pub fn current() -> Option<String> {
    let mut carrier = std::collections::HashMap::new();
    TraceContextPropagator::new().inject_context(&Span::current().context(), &mut carrier);
    carrier.remove("traceparent")
}

/// Makes the trace context in `headers` the parent of `span`. A malformed one is no parent.
///
/// [`serve`](crate::serve) does so for each request already.
pub fn set_parent(span: &Span, headers: &HeaderMap) {
    let context = extract(headers);
    if context.span().span_context().is_valid() {
        // Fails where no OpenTelemetry layer is installed, and then there is no trace to join.
        let _ = span.set_parent(context);
    }
}

/// The span of one request, child of the caller's.
pub(crate) fn server_span(request: &http::Request<()>) -> Span {
    let span = tracing::info_span!("rpc", otel.kind = "server", rpc.method = request.uri().path());
    set_parent(&span, request.headers());
    span
}

fn extract(headers: &HeaderMap) -> Context {
    TraceContextPropagator::new().extract_with_context(&Context::new(), &Received(headers))
}

struct Headers<'a>(&'a mut HeaderMap);

impl Injector for Headers<'_> {
    fn set(&mut self, key: &str, value: String) {
        let name = HeaderName::from_bytes(key.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value)) {
            self.0.insert(name, value);
        }
    }
}

struct Received<'a>(&'a HeaderMap);

impl Extractor for Received<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_trace_nothing_is_sent() {
        let mut request = Request::new(());
        inject(&mut request);
        assert!(request.metadata().is_empty());
        assert_eq!(current(), None);
    }
}
