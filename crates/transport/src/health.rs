//! The standard health service (`grpc.health.v1`).

use tonic_health::{
    pb::health_server::HealthServer,
    server::{HealthReporter, HealthService},
};

use crate::Limits;

/// The health service and the handle that sets what it reports. It stands behind the same door as
/// every other service: only an admitted peer is told.
#[must_use]
pub fn health(limits: &Limits) -> (HealthReporter, HealthServer<HealthService>) {
    let reporter = HealthReporter::new();
    let service = HealthService::from_health_reporter(reporter.clone());
    (reporter, HealthServer::new(service).max_decoding_message_size(limits.max_message))
}
