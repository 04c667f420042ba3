//! A node's own account of whose data it gave: what lets a partner answer a citizen who asks (AVG art. 15).
//!
//! Ledgers hold no personal data, so they cannot tell who an exchange was about. The node alone can, and keeps
//! it here, on its own disk: for each exchange the keyed pseudonyms of the people, and beside those their numbers,
//! sealed to a key whose private half may lie in a safe. A record is on disk before a row about its people
//! leaves; without a record there is no answer.
//!
//! **In scope:** pseudonyms, records, the journal that they stand in and reading it in sequence ([`Journal`]);
//! finding a person ([`find`]); the signed report of one node ([`Report`]); another pseudonym key ([`rekey`]);
//! the letter that is made of several reports ([`Letter`]).
//!
//! **Out of scope:** keys in files (`setup`), which exchange it was (the ledger says that, at the index that a
//! record names), and who may ask (the partner).

mod account;
mod error;
mod explain;
mod held;
mod journal;
mod letter;
mod pseudonym;
mod record;
mod rekey;
mod report;
mod search;
mod writer;

pub use account::{Account, Exchange, Subjects};
pub use error::{JournalError, ReadError};
pub use explain::Reporting;
pub use journal::{Journal, Records, records_from};
pub use letter::{Format, Letter, LetterError};
pub use pseudonym::Pseudonym;
pub use record::{SubjectRecord, Told};
pub use rekey::{RekeyError, rekey};
pub use report::{Ended, Exchanged, REPORT_TYPE, Report, ReportError};
pub use search::{Found, Named, find};
