//! How a command ends: exit codes, and errors in words.

use std::{
    error::Error,
    io::{self, ErrorKind},
    process::ExitCode,
};

use convenant_model::parse::ParseError;
use convenant_setup::{ConfigError, KeyFileError};
use convenant_transport::explain;
use tonic::Status;

use crate::output;

/// The exit codes. They are part of the interface: scripts decide by them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// Failed.
    Failed = 1,
    /// The command line, or a file named on it, is not as it should be.
    Usage = 2,
    /// Refused under the covenant.
    Refused = 3,
    /// A signature, a proof or a decision cannot be confirmed.
    Evidence = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// What was asked cannot be done as asked; exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(String);

/// Shorthand for an error of usage.
pub(crate) fn usage(message: impl Into<String>) -> anyhow::Error {
    Usage(message.into()).into()
}

/// A file that is named on the command line is not what it should be; exit code 2.
pub(crate) fn faulty(error: impl Into<anyhow::Error>, what: String) -> anyhow::Error {
    error.into().context(Usage(what))
}

/// A file that is named on the command line.
pub(crate) trait Named<T> {
    /// Says of which file the error is. What whoever named it can put right is exit code 2; a disk that fails or
    /// is full is not.
    fn named(self, what: impl FnOnce() -> String) -> anyhow::Result<T>;
}

impl<T> Named<T> for io::Result<T> {
    fn named(self, what: impl FnOnce() -> String) -> anyhow::Result<T> {
        self.map_err(|error| of_file(error, what()))
    }
}

/// The same of an error.
pub(crate) fn of_file(error: io::Error, what: String) -> anyhow::Error {
    match error.kind() {
        ErrorKind::NotFound
        | ErrorKind::AlreadyExists
        | ErrorKind::PermissionDenied
        | ErrorKind::NotADirectory
        | ErrorKind::IsADirectory
        | ErrorKind::InvalidData => anyhow::Error::new(error).context(Usage(what)),
        _ => anyhow::Error::new(error).context(what),
    }
}

/// The covenant does not allow it; exit code 3. The cause names the clause.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("refused under the covenant")]
pub(crate) struct Refused;

/// Evidence does not hold; exit code 4. The cause says what and where.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the evidence does not hold")]
pub(crate) struct BadEvidence;

/// Shorthand for evidence that does not hold.
pub(crate) fn bad_evidence(cause: impl Into<anyhow::Error>) -> anyhow::Error {
    cause.into().context(BadEvidence)
}

/// Prints an error with its causes on stderr, and tells the exit code.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    if is_broken_pipe(error) {
        // Whoever read the output has seen enough.
        return Exit::Done.into();
    }
    output::note(&format!("error: {error}"));
    causes(error).iter().for_each(|cause| output::note(&format!("caused by: {cause}")));
    code(error).into()
}

/// The causes in words. What lies below a gRPC status is transport, which [`explain`] sums up.
pub(crate) fn causes(error: &anyhow::Error) -> Vec<String> {
    let mut told = Vec::new();
    for cause in error.chain().skip(1) {
        if let Some(status) = grpc(cause) {
            told.push(output::shown(&explain(status).to_string()));
            break;
        }
        told.push(output::shown(&cause.to_string()));
    }
    told.dedup();
    told
}

fn grpc<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a Status> {
    let boxed = cause.downcast_ref::<Box<Status>>().map(AsRef::as_ref);
    boxed.or_else(|| cause.downcast_ref())
}

fn code(error: &anyhow::Error) -> Exit {
    if error.downcast_ref::<BadEvidence>().is_some() {
        Exit::Evidence
    } else if error.downcast_ref::<Refused>().is_some() {
        Exit::Refused
    } else if error.is::<Usage>()
        || error.is::<KeyFileError>()
        || error.is::<ConfigError>()
        || error.is::<ParseError>()
    {
        Exit::Usage
    } else {
        Exit::Failed
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = |cause: &(dyn Error + 'static)| {
        let io = cause.downcast_ref::<std::io::Error>();
        io.is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
    };
    error.is::<output::Closed>() && error.chain().any(io)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_explained_once() {
        let status = Box::new(Status::permission_denied("not enrolled"));
        let error = anyhow::Error::new(status).context("the coordinator does not answer");
        let told = causes(&error);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].ends_with("not enrolled"), "{told:?}");
    }

    #[test]
    fn the_kind_of_error_decides_the_exit_code() {
        assert_eq!(code(&anyhow::anyhow!("no")), Exit::Failed);
        assert_eq!(code(&usage("what").context("where")), Exit::Usage);
        assert_eq!(code(&anyhow::anyhow!("L6").context(Refused)), Exit::Refused);
        assert_eq!(code(&bad_evidence(anyhow::anyhow!("entry 3")).context("DIR")), Exit::Evidence);
    }
}
