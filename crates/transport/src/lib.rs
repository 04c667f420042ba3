//! Mutual TLS for tonic: who is on the other side, and how much it may ask of us.
//!
//! A party is its OIN (`subject.serialNumber` of the certificate) together with a public key whose
//! pin its enrolment lists; a certificate from a trusted authority alone is no identity.
//!
//! **In scope:** TLS 1.3 with client certificates, revocation lists that must be up to date, reload
//! of every file while running, a check of the peer on each request ([`PeerPolicy`]), limits, graceful
//! shutdown, health, deadlines, W3C trace context, and errors that tell people why a connection
//! failed ([`explain`]). A channel to a server that is no party ([`connect_outside`]). The process's real clock and random source.
//!
//! **Out of scope:** who is enrolled (the callers know the register), what a request may do
//! (`clauses`), messages (`wire`).

mod accept;
mod admission;
mod client_tls;
mod connect;
mod deadline;
mod explain;
mod fault;
mod files;
mod gather;
mod guarded;
mod health;
mod limits;
mod line;
mod material;
mod outside;
mod peer;
mod policy;
mod reload;
mod seats;
mod serve;
mod server_tls;
mod session;
mod system;
pub mod trace;
mod whole;

pub use client_tls::ClientTls;
pub use connect::{AddressError, ConnectError, connect};
pub use deadline::{Deadline, DeadlinePassed};
pub use explain::{Explanation, explain};
pub use fault::CertificateFault;
pub use files::FileError;
pub use gather::{Gathered, gather};
pub use health::health;
pub use limits::Limits;
pub use line::Line;
pub use material::{TlsError, TlsFiles};
pub use outside::{OutsideError, OutsideFiles, connect_outside};
pub use peer::{EXAMPLE_ORGANISATION, Expected, Mismatch, Peer, PeerError, is_example};
pub use policy::{KnownPeers, PeerPolicy, PeerRefused};
pub use reload::Reload;
pub use serve::{ServeError, drained, serve};
pub use server_tls::ServerTls;
pub use system::{RandomError, SystemClock, SystemRandom, random_bytes};
pub use whole::{Whole, whole};
