//! What both daemons have in common: a line once they serve, and an end when they are told.

use std::net::SocketAddr;

use anyhow::Context as _;
use convenant_model::Clock as _;
use convenant_transport::SystemClock;
use tokio::signal::unix::{SignalKind, signal};

use crate::output;

/// Tells scripts and people, in one line on stdout, where queries are taken from now on. As JSON it has the form of
/// a line of the log, for whoever puts the two together, as systemd's journal does.
pub(crate) fn listening(json: bool) -> impl FnOnce(SocketAddr) {
    move |address| {
        let message = format!("listening on {address}");
        let line = match json {
            false => message,
            true => serde_json::json!({
                "timestamp": SystemClock.now(),
                "level": "INFO",
                "message": message,
                "target": "convenant",
            })
            .to_string(),
        };
        // Whoever started the daemon may have closed its stdout; it serves all the same.
        let _ = output::line(&line);
    }
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
