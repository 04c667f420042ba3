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

/// Most characters of an error that go into a log.
const WORDS: usize = 400;
/// Hexadecimal digits in a row that may be a pseudonym or a part of one.
const TELLING: usize = 16;

/// An error with its causes, in one line. What a connection broke off with is the other side's to choose: it is cut,
/// and names no pseudonym.
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
    redacted(&text).chars().filter(|c| !c.is_control()).take(WORDS).collect()
}

fn redacted(text: &str) -> String {
    let (mut redacted, mut rest) = (String::new(), text);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len());
        let (run, behind) = rest.split_at(digits);
        redacted.push_str(if run.len() < TELLING { run } else { "…" });
        let other = behind.find(|c: char| c.is_ascii_hexdigit()).unwrap_or(behind.len());
        let (between, next) = behind.split_at(other);
        redacted.push_str(between);
        rest = next;
    }
    redacted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_cut_and_names_no_pseudonym() {
        let told = |words: String| chain(&Fault::Position(io::Error::other(words)));
        let pseudonym = "0123456789abcdefABCDEF0123456789abcdef0123456789abcdef0123456789";
        let before = "the position cannot be written: ";
        for (words, expected) in [
            (format!("b\"é {pseudonym}\"\n"), "b\"é …\""),
            (pseudonym[..16].to_owned(), "…"),
            (format!("code 14 cafe, {pseudonym}é{pseudonym}"), "code 14 cafe, …é…"),
        ] {
            assert_eq!(told(words), format!("{before}{expected}"));
        }
        assert_eq!(told("ü".repeat(5000)).chars().count(), WORDS);
    }
}
