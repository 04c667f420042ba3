//! What a failed call means, for people.

use std::{error::Error, fmt};

use tonic::{Code, Status, TimeoutExpired};

use crate::ConnectError;

/// Why a call failed: the way there, or the answer.
#[derive(Debug)]
pub enum Explanation<'a> {
    /// There was no connection.
    NotConnected(&'a ConnectError),
    /// There was a connection, and it broke before the answer was whole.
    ConnectionLost,
    /// The answer did not come in time.
    TimedOut,
    /// The server answered, with this status.
    Answered(&'a Status),
}

/// Tells what a call's status means. tonic reports a lost connection as `Unknown` or `Unavailable`,
/// just as a server might; here they are told apart.
#[must_use]
pub fn explain(status: &Status) -> Explanation<'_> {
    if let Some(error) = cause::<ConnectError>(status) {
        return Explanation::NotConnected(error);
    }
    if cause::<TimeoutExpired>(status).is_some() || status.code() == Code::DeadlineExceeded {
        return Explanation::TimedOut;
    }
    match status.source() {
        Some(_) => Explanation::ConnectionLost,
        None => Explanation::Answered(status),
    }
}

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotConnected(error) => {
                write!(f, "{error}")?;
                let mut source = error.source();
                while let Some(cause) = source {
                    write!(f, ": {cause}")?;
                    source = cause.source();
                }
                Ok(())
            }
            Self::ConnectionLost => f.write_str(
                "the server closed the connection before it answered; \
                 is the certificate used here revoked, expired or unknown there?",
            ),
            Self::TimedOut => f.write_str("the server did not answer in time"),
            Self::Answered(status) => write!(f, "{}: {}", status.code(), status.message()),
        }
    }
}

fn cause<E: Error + 'static>(status: &Status) -> Option<&E> {
    let mut source = status.source();
    while let Some(error) = source {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        source = error.source();
    }
    None
}
