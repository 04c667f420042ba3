//! Entries of a ledger as records that other Dutch systems read: transaction-log records of FSC (*Federatieve
//! Service Connectiviteit*, `fsc-logging`), and decision records of ADL (*Authorization Decision Log*).
//!
//! The ledger is the evidence; these records are views of it, made again whenever they are wanted, always
//! the same. They hold no personal data, because the ledger holds none.
//!
//! **In scope:** the records, field by field as the standards define them.
//!
//! **Out of scope:** carrying them anywhere, and the log of data processing of each person (LDV), which only a
//! node can write that knows the person.

mod adl;
mod exchange;
mod fsc;
mod trace;

pub use adl::{DecisionRecord, EventName, Producer, decision_record};
pub use exchange::NotReadable;
pub use fsc::{Destination, Direction, Source, TransactionRecord, transaction_records};
pub use trace::{SpanId, TraceId};
