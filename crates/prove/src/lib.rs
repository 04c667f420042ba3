//! Proofs about the rules of a covenant: not for some queries but for all, found with the symbolic
//! compiler of Cedar (`cedar-policy-symcc`) and the solver cvc5. A tool of development: no part of
//! `convenant` depends on it.
//!
//! Cedar skips a rule whose evaluation errs, and a rule that never refuses looks like one that does. So
//! of every rule it is proven that it cannot err and that it can refuse something; of the rules
//! together, that they leave something to permit. Two versions of a covenant are compared for what one
//! permits and the other refuses. Every example that the solver finds is asked of the real engine, with
//! the real rules, before it is believed.
//!
//! **In scope:** what the Cedar rules make of facts, whatever the facts are ([`prove()`], [`compare()`]).
//!
//! **Out of scope:** how typed code gathers the facts, and what a permit obliges to (`clauses`, whose
//! tests try both); what changes between two texts in words and numbers (`convenant covenant diff`).

mod closed;
mod compare;
mod engine;
mod error;
mod example;
mod fold;
mod given;
mod load;
mod proof;
mod report;
mod solver;
mod trial;

pub use compare::{Change, compare};
pub use error::ProofError;
pub use example::Example;
pub use load::load;
pub use proof::{Finding, Proof, RuleProof, Weight, prove};
pub use report::{tell_changes, tell_proof};
pub use solver::Prover;
