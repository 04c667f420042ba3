//! The daemon that brokers queries. It sees the shape of a query and never a subject or a result; it
//! checks what every node checks again, and could at worst refuse, delay or drop.
//!
//! **In scope:** [`Coordinator`] (set up, serve), the register as it is kept and given out
//! ([`Registrar`]), and the path of one query through it.
//!
//! **Out of scope:** rules, formats and cryptography (the core crates), and anything that would need a
//! subject or a row.

mod brokering;
mod config;
mod coordinator;
mod error;
mod metrics;
mod nodes;
mod policy;
mod registrar;
mod service;
mod witnessing;

pub use config::CoordinatorConfig;
pub use coordinator::Coordinator;
pub use error::CoordinatorError;
pub use registrar::{Registrar, SubmitError};
