//! Lines as spans of OTLP, whose fields are those of LDV by the same names (`opentelemetry-proto`, `trace.proto`).

use convenant_exports::{ProcessingLine, Producer, Status};
use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value},
    resource::v1::Resource,
    trace::v1::{
        ResourceSpans, ScopeSpans, Span, Status as SpanStatus, span::SpanKind, status::StatusCode,
    },
};

/// The W3C flag `sampled`, so that nobody on the way thinks that a line may be dropped.
const SAMPLED: u32 = 1;
const NANOS: u64 = 1_000_000;

/// The lines that follow from one entry of a ledger.
pub(crate) fn resource_spans(producer: &Producer, lines: Vec<ProcessingLine>) -> ResourceSpans {
    let scope = InstrumentationScope { name: "convenant".to_owned(), ..Default::default() };
    let spans = lines.into_iter().map(span).collect();
    ResourceSpans {
        resource: Some(resource(producer)),
        scope_spans: vec![ScopeSpans { scope: Some(scope), spans, ..Default::default() }],
        ..Default::default()
    }
}

fn resource(producer: &Producer) -> Resource {
    let Producer { party, ledger, entry, leaf } = producer;
    let entry = Value::IntValue(i64::try_from(*entry).unwrap_or(i64::MAX));
    let attributes = vec![
        text("service.name", "convenant-node".to_owned()),
        text("service.version", env!("CARGO_PKG_VERSION").to_owned()),
        text("convenant.party", party.to_string()),
        text("convenant.ledger", ledger.clone()),
        attribute("convenant.entry", entry),
        text("convenant.leaf", leaf.to_string()),
    ];
    Resource { attributes, ..Default::default() }
}

fn span(line: ProcessingLine) -> Span {
    let kind = if line.subject.is_some() { SpanKind::Internal } else { SpanKind::Server };
    let nanos = |at: convenant_model::Timestamp| at.millis().unsigned_abs().saturating_mul(NANOS);
    let mut attributes = vec![text("dpl.core.processing_activity_id", line.processing_activity_id)];
    if let Some(subject) = line.subject {
        attributes.push(text("dpl.core.data_subject_id", subject.id));
        attributes.push(text("dpl.core.data_subject_id_type", subject.id_type));
    }
    if let Some(processor) = line.foreign_processor {
        attributes.push(text("dpl.core.foreign_operation.processor", processor));
    }
    let code = match line.status {
        Status::Unset => StatusCode::Unset,
        Status::Error => StatusCode::Error,
    };
    let parent = line.parent_span_id.map(|id| id.as_bytes().to_vec());
    Span {
        trace_id: line.trace_id.as_bytes().to_vec(),
        span_id: line.span_id.as_bytes().to_vec(),
        parent_span_id: parent.unwrap_or_default(),
        flags: SAMPLED,
        name: line.name,
        kind: kind.into(),
        start_time_unix_nano: nanos(line.start_time),
        end_time_unix_nano: nanos(line.end_time),
        attributes,
        status: Some(SpanStatus { code: code.into(), ..Default::default() }),
        ..Default::default()
    }
}

fn text(key: &str, value: String) -> KeyValue {
    attribute(key, Value::StringValue(value))
}

fn attribute(key: &str, value: Value) -> KeyValue {
    let value = Some(AnyValue { value: Some(value) });
    KeyValue { key: key.to_owned(), value, ..Default::default() }
}
