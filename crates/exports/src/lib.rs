//! Entries of a ledger as records that other Dutch systems read: transaction-log records of FSC (*Federatieve
//! Service Connectiviteit*, `fsc-logging`), decision records of ADL (*Authorization Decision Log*), and lines of LDV
//! (*Logboek Dataverwerkingen*).
//!
//! The ledger is the evidence; these records are views of it, made again whenever they are wanted, always
//! the same. They name nobody, because the ledger names nobody; a line of LDV has the pseudonym that it is given.
//!
//! **In scope:** the records, field by field as the standards define them.
//!
//! **Out of scope:** carrying them anywhere, and the pseudonyms of the people that a line of LDV is about.

mod adl;
mod exchange;
mod fsc;
mod ldv;
mod page;
mod trace;

pub use adl::{DecisionRecord, EventName, Producer, Status, decision_record};
pub use exchange::NotReadable;
pub use fsc::{Destination, Direction, Source, TransactionRecord, transaction_records};
pub use ldv::{Action, DataSubject, Ended, Processing, ProcessingLine};
pub use page::{Cursor, MAX_PAGE, NotACursor, Page, PageRequest, Pagination, Picker, SortOrder};
pub use trace::{SpanId, TraceId};
