//! Delivers a node's log of processing (LDV, *Logboek Dataverwerkingen*) to where its organisation keeps that: one
//! line for each answer and each person that it was about, over OTLP.
//!
//! What is to be delivered is on the node's own disk before a row leaves: its journal of subjects and its ledger.
//! Lines are made from those, sent, and only once they are acknowledged does the position in the journal move on.
//! So no line is lost, none is sampled, and a line that is sent again is the same line (docs/adr/0025).
//!
//! **In scope:** the configuration, lines as OTLP spans, sending, the position, and whether answers may go on where
//! the log is mandatory ([`Gate`]).
//!
//! **Out of scope:** what a line says (`exports`), pseudonyms and the journal (`subjects`).

mod batch;
mod config;
mod cursor;
mod delivery;
mod error;
mod gate;
mod meters;
mod origin;
mod otlp;
mod sender;

pub use config::{ActivityUri, LdvConfig, NotAUri};
pub use delivery::Delivery;
pub use error::LdvError;
pub use gate::{Closed, Gate};
pub use origin::Origin;
