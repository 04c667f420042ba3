//! Serving gRPC to admitted peers until told to stop.

use std::{future::pending, sync::Arc, time::Duration};

use thiserror::Error;
use tokio::{
    net::TcpListener,
    sync::{Semaphore, oneshot, watch},
    time::{sleep, timeout},
};
use tonic::{service::Routes, transport::Server};

use crate::{
    Limits, PeerPolicy, ServerTls, accept::accept, admission::AdmissionLayer, trace::server_span,
};

/// Serving broke off.
#[derive(Debug, Error)]
#[error("the server broke off")]
pub struct ServeError(#[from] tonic::transport::Error);

/// Serves `routes` on `listener` until `shutdown`; then takes no new connection or request, lets the
/// open streams finish for [`Limits::shutdown_grace`], and cuts what is left.
///
/// Each handler finds its [`Peer`](crate::Peer) in the request's extensions, the caller's
/// [`Deadline`](crate::Deadline) beside it, and runs in a span whose parent is the caller's.
///
/// # Errors
/// When the server cannot go on; a single connection's fault is logged instead.
pub async fn serve(
    listener: TcpListener,
    tls: ServerTls,
    policy: Arc<dyn PeerPolicy>,
    routes: Routes,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let (cut, cutting) = watch::channel(false);
    let (stopping, stopped) = oneshot::channel();
    let grace = limits.shutdown_grace;
    let shutdown = async {
        shutdown.await;
        let _ = stopping.send(());
    };
    let cut_what_is_left = async {
        if stopped.await.is_ok() {
            sleep(grace).await;
            tracing::warn!(?grace, "streams are still open after the grace period and are cut");
            cut.send_replace(true);
        }
        pending::<()>().await;
    };
    let mut server = builder(&limits).layer(AdmissionLayer(policy));
    let serving = server
        .add_routes(routes)
        .serve_with_incoming_shutdown(accept(listener, tls, limits, cutting), shutdown);
    tokio::select! {
        served = serving => Ok(served?),
        () = cut_what_is_left => Ok(()),
    }
}

/// Waits, once serving has ended, until every place that an exchange takes is free again, so that an
/// exchange that was cut still records how it ended; but not for ever.
pub async fn drained(places: &Semaphore, all: usize) {
    let all = u32::try_from(all).unwrap_or(u32::MAX);
    if timeout(DRAIN, places.acquire_many(all)).await.is_err() {
        tracing::warn!("exchanges are still under way; how they end is not recorded");
    }
}

/// Time for exchanges to end after their connections have.
const DRAIN: Duration = Duration::from_secs(10);

/// `max_connection_age_grace` is left alone: with it tonic 0.14.9 cuts at age plus grace without ever
/// asking the client to leave. The guarded stream cuts instead.
fn builder(limits: &Limits) -> Server {
    Server::builder()
        .max_concurrent_streams(limits.max_streams)
        .http2_max_header_list_size(limits.max_header_list)
        .http2_keepalive_interval(Some(limits.keepalive))
        .http2_keepalive_timeout(Some(limits.keepalive))
        .initial_stream_window_size(limits.stream_window)
        .initial_connection_window_size(limits.connection_window)
        .max_connection_age(limits.connection_age)
        .trace_fn(server_span)
}
