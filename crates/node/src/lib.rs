//! The daemon in front of a partner's registers. It takes queries from the coordinator alone, and
//! believes nothing of what the coordinator says: it verifies the requester's signature, decides with
//! its own copy of the register, records, and only then reads and seals.
//!
//! **In scope:** [`Node`] (set up, check, serve), and the path of one query through it.
//!
//! **Out of scope:** rules, formats and cryptography (the core crates), and where data come from
//! (`source`).

mod answering;
mod config;
mod count;
mod datasets;
mod error;
mod ipc;
mod keyring;
mod logbook;
mod metrics;
mod node;
mod policy;
mod service;
mod witnessing;

pub use config::{NodeConfig, SubjectKeys};
pub use datasets::{Datasets, Exposed};
pub use error::NodeError;
pub use node::Node;
