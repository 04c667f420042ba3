//! What can go wrong with the log of processing. No error tells anything of a person.

use std::io;

use convenant_exports::NotReadable;
use convenant_store::AskError;
use convenant_subjects::ReadError;
use convenant_transport::OutsideError;
use thiserror::Error;

use crate::sender::SendError;

/// Why a log of processing cannot be delivered to at all.
#[derive(Debug, Error)]
pub enum LdvError {
    /// The endpoint or its files are not as they should be.
    #[error("section `ldv`")]
    Endpoint(#[from] OutsideError),
    /// The position cannot be read.
    #[error("the position in the log of processing cannot be read")]
    Position(#[source] io::Error),
}

/// Why lines are not delivered now.
#[derive(Debug, Error)]
pub(crate) enum Fault {
    #[error(transparent)]
    Send(#[from] SendError),
    #[error("what is to be delivered cannot be read")]
    Journal(#[from] ReadError),
    #[error("the ledger cannot be read")]
    Ledger(#[from] AskError),
    #[error("entry {index} of the ledger is not the decision that the journal of subjects names")]
    NoDecision { index: u64 },
    #[error("entry {index} of the ledger cannot be read")]
    Entry { index: u64 },
    #[error("the query in entry {index} of the ledger cannot be read")]
    Query { index: u64, source: NotReadable },
    #[error("the position cannot be written")]
    Position(#[source] io::Error),
    #[error("reading the journal was broken off")]
    BrokenOff,
}

/// An error with its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
