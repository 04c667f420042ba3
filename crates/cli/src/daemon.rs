//! What both daemons have in common: a line once they serve, and an end when they are told.

use std::net::SocketAddr;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

use crate::output;

/// Tells scripts and people, in one line on stdout, where queries are taken from now on.
pub(crate) fn listening(address: SocketAddr) {
    // Whoever started the daemon may have closed its stdout; it serves all the same.
    let _ = output::line(&format!("listening on {address}"));
}

/// Ends with the first SIGTERM or SIGINT.
pub(crate) fn told_to_stop() -> anyhow::Result<impl Future<Output = ()> + Send> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be awaited")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be awaited")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
    })
}
