//! The covenant's decision as a pure function: register, query and time in, verdict with reasons out.
//!
//! Typed Rust gathers the facts, the covenant's own Cedar rules judge them, and typed Rust
//! computes what a permit obliges to. Everything is refused unless one policy of ours permits it and no
//! rule of the covenant forbids it; a rule that cannot be evaluated refuses too, because Cedar itself
//! skips such a rule, and a `forbid` that is skipped would allow.
//!
//! **In scope:** compiling a covenant's rules under a strict schema ([`Rules::compile`]), deciding
//! ([`decide()`], [`decide_all`]), the only constructor of a [`Permit`], and trying rules on made-up facts
//! ([`sample`]).
//!
//! **Out of scope:** whether a message is authentic, fresh and new (`exchange`), what the register
//! admits (`model`), and putting a verdict on record (`ledger`).

mod asking;
mod compile;
mod context;
mod decide;
mod details;
mod entities;
mod facts;
mod obligations;
mod reading;
mod reads;
pub mod sample;
mod schema;
mod verdict;

pub use compile::{CompileError, Rules, Sha256};
pub use decide::{Request, decide, decide_all};
pub use verdict::{Combined, Permit, Refused, Verdict};
