//! The transport over real sockets and real files, with the health service as what is served.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod pki;
mod world;

mod limits;
mod passing_on;
mod reload;
mod shutdown;
mod who;
