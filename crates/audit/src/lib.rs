//! Replay of the evidence: whoever holds the register, the ledgers and public keys checks afterwards
//! what was exchanged, and takes nobody's word for it.
//!
//! ```text
//! RegisterEvidence::verify ──► audit ──► Replay ──► LedgerReplay (all read side by side) ──► Replayed
//!                                           ▲                                                   │
//!                                           └────────────────── add ◄───────────────────────────┘
//!                                         Report
//! ```
//!
//! **In scope:** the register verified from the root of trust; each ledger against its signed
//! checkpoint; each query's signature; every decision made again with the rules and the register of
//! that moment; quotas counted again; outcomes and receipts; keys that were revoked by then; and the
//! parties' ledgers held against each other. Whatever does not hold is a [`Finding`] with a stable [`Code`].
//! Besides, the figures with which a report answers the audit's questions ([`Answers`]), and unusual use.
//!
//! **Out of scope:** reading files (`store`, `cli`); signatures made with a stolen key and dated before its
//! revocation, where no other party and no register wrote anything down that contradicts the date; how old a party's copy of the register was when it
//! decided, because documents bear no time; and the subjects, which no ledger holds: a refusal of
//! subjects that turned out invalid is noted and cannot be made again.
//!
//! Beside the crates of the core that it judges (`clauses`, `ledger`), this crate uses `exchange` for
//! what must hold of a query before it is decided on: the very check that the parties ran.

mod account;
mod again;
mod ahead;
mod answers;
mod basis;
mod beside;
mod compare;
mod copies;
mod decision;
mod duties;
mod early;
mod figures;
mod filed;
mod finding;
mod findings;
mod foreign;
mod grounds;
mod kept;
mod ledger;
mod name;
mod outcome;
mod place;
mod projects;
mod question;
mod quota;
mod reader;
mod receipt;
mod reconcile;
mod register;
mod replay;
mod report;
mod revoked;
mod settling;
mod signed;
mod snapshots;
mod table;
mod times;
mod told;
mod tree;
mod unusual;
mod witness;
mod words;

pub use ahead::Source;
pub use answers::{
    Answers, AskerReport, CoordinatorRead, KeptReport, ReaderReport, RefusalReport, RejectedReport,
    SourceReport,
};
pub use basis::Basis;
pub use beside::Beside;
pub use copies::{Counted, LedgerCopy};
pub use finding::{Code, Finding, LeftOut, Severity};
pub use grounds::MandateReport;
pub use ledger::{LedgerReplay, Replayed, first_difference};
pub use name::{LedgerKind, LedgerName};
pub use place::{Documents, Entries, Place};
pub use projects::{FeedbackReport, Paper, ProjectReport};
pub use question::Question;
pub use register::RegisterEvidence;
pub use replay::{Replay, audit, audit_looking_every};
pub use report::{Counts, LedgerReport, Report};
pub use times::{SLACK, Slack};
pub use unusual::{THRESHOLDS, Thresholds};
pub use witness::{Cosigned, Statement};
