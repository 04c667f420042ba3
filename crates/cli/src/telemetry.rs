//! Logs on stderr; traces and metrics by OTLP where an endpoint is configured. None of them ever holds
//! a subject, a key or a row: the crates that write them see to that.

use std::io;

use anyhow::Context as _;
use convenant_model::Oin;
use convenant_setup::TelemetrySection;
use opentelemetry::{KeyValue, global, trace::TracerProvider as _};
use opentelemetry_otlp::{MetricExporter, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::{
    Resource, metrics::SdkMeterProvider, propagation::TraceContextPropagator,
    trace::SdkTracerProvider,
};
use tracing::Subscriber;
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{LevelFilter, Targets},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

/// Which service this is, as `service.name` says it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Role {
    /// A node: JSON logs at the configured level.
    Node,
    /// The coordinator: the same.
    Coordinator,
    /// A command that a person waits for: warnings only, in words.
    Client,
}

impl Role {
    const fn service(self) -> &'static str {
        match self {
            Self::Node => "convenant-node",
            Self::Coordinator => "convenant-coordinator",
            Self::Client => "convenant-client",
        }
    }
}

/// What was started and has to be flushed at the end.
#[must_use = "without `stop`, the last spans and metrics are lost"]
pub(crate) struct Telemetry {
    exporters: Option<(SdkTracerProvider, SdkMeterProvider)>,
}

/// Starts logging, and exporting where an endpoint is configured. Once a process.
pub(crate) fn start(
    role: Role,
    party: &Oin,
    section: &TelemetrySection,
) -> anyhow::Result<Telemetry> {
    let exporters = match &section.otlp {
        Some(endpoint) => Some(exporters(role, party, endpoint)?),
        None => None,
    };
    let traces = exporters.as_ref().map(|(tracers, _)| {
        let tracer = tracers.tracer("convenant");
        // The exporter's own connection must not give rise to more spans.
        let own = Targets::new().with_target("convenant", LevelFilter::INFO);
        tracing_opentelemetry::layer().with_tracer(tracer).with_filter(own)
    });
    tracing_subscriber::registry()
        .with(logs(role, section)?)
        .with(traces)
        .try_init()
        .context("logging was started before")?;
    if let Some((tracers, meters)) = &exporters {
        global::set_text_map_propagator(TraceContextPropagator::new());
        global::set_tracer_provider(tracers.clone());
        global::set_meter_provider(meters.clone());
    }
    Ok(Telemetry { exporters })
}

impl Telemetry {
    /// Sends what is left. That nobody takes it is no reason to fail.
    pub(crate) async fn stop(self) {
        let Some((tracers, meters)) = self.exporters else {
            return;
        };
        // Both block until the endpoint took the rest or a time-out passed.
        let stopped = tokio::task::spawn_blocking(move || {
            let traces = tracers.shutdown();
            traces.and(meters.shutdown())
        });
        if let Ok(Err(error)) = stopped.await {
            tracing::warn!(%error, "the last traces or metrics were not sent");
        }
    }
}

type BoxedLayer<S> = Box<dyn Layer<S> + Send + Sync>;

fn logs(role: Role, section: &TelemetrySection) -> anyhow::Result<BoxedLayer<Registry>> {
    let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    if role == Role::Client {
        return Ok(boxed(layer.without_time().with_target(false).with_filter(LevelFilter::WARN)));
    }
    let filter = EnvFilter::try_new(&section.log)
        .with_context(|| format!("key `telemetry.log`: `{}` is no filter", section.log))?;
    Ok(boxed(layer.json().flatten_event(true).with_filter(filter)))
}

fn boxed<S: Subscriber>(layer: impl Layer<S> + Send + Sync) -> BoxedLayer<S> {
    Box::new(layer)
}

fn exporters(
    role: Role,
    party: &Oin,
    endpoint: &str,
) -> anyhow::Result<(SdkTracerProvider, SdkMeterProvider)> {
    let no_exporter = || format!("key `telemetry.otlp`: `{endpoint}` is no OTLP endpoint");
    let resource = Resource::builder()
        .with_service_name(role.service())
        .with_attribute(KeyValue::new("service.instance.id", party.to_string()))
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let spans = SpanExporter::builder().with_tonic().with_endpoint(endpoint);
    let spans = spans.build().with_context(no_exporter)?;
    let metrics = MetricExporter::builder().with_tonic().with_endpoint(endpoint);
    let metrics = metrics.build().with_context(no_exporter)?;
    let tracers =
        SdkTracerProvider::builder().with_resource(resource.clone()).with_batch_exporter(spans);
    let meters =
        SdkMeterProvider::builder().with_resource(resource).with_periodic_exporter(metrics);
    Ok((tracers.build(), meters.build()))
}
