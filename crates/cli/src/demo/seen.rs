//! What became of an attempt.

use anyhow::{Result, bail, ensure};
use convenant_client::{ClientError, TargetResult};
use convenant_model::{Problem, entry::Status, verdict::Refusal};

/// Who refuses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum By {
    Coordinator,
    Node,
}

impl By {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Coordinator => "the coordinator",
            Self::Node => "the partner's node",
        }
    }
}

/// One reason. The clause is empty where it is no matter of the covenant.
#[derive(Clone, Debug)]
pub(super) struct Reason {
    pub(super) clause: String,
    pub(super) code: String,
    pub(super) detail: String,
    /// The covenant's text of the clause, or what the code means.
    pub(super) text: String,
}

/// A refusal with its reasons.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) by: By,
    pub(super) reasons: Vec<Reason>,
}

impl Seen {
    /// Reads what the client got.
    pub(super) fn of(sent: Result<Vec<TargetResult>, ClientError>) -> Result<Self> {
        match sent {
            Err(ClientError::Refused(refusal)) => Ok(Self::refused(By::Coordinator, &refusal)),
            Err(ClientError::Problem { problem, explanation }) => {
                Ok(Self::problem(By::Coordinator, problem, explanation))
            }
            Err(error) => Err(error.into()),
            // The coordinator answers a question to one partner itself, or passes on what the node
            // signed.
            Ok(results) => match results.as_slice() {
                [only] => Self::answered(&only.status),
                _ => bail!("{} answers came where one was asked", results.len()),
            },
        }
    }

    /// Reads a node's outcome.
    pub(super) fn answered(status: &Status) -> Result<Self> {
        match status {
            Status::Refused { refusal } => Ok(Self::refused(By::Node, refusal)),
            Status::Failed { problem } => Ok(Self::problem(By::Node, *problem, String::new())),
            Status::Answered => bail!("this was answered, and had to be refused"),
        }
    }

    /// A problem that is no matter of the covenant.
    pub(super) fn problem(by: By, problem: Problem, detail: String) -> Self {
        let (code, text) = (problem.code().to_owned(), problem.explanation().to_owned());
        Self { by, reasons: vec![Reason { clause: String::new(), code, detail, text }] }
    }

    fn refused(by: By, refusal: &Refusal) -> Self {
        let reasons = refusal.violations().iter().map(|violation| Reason {
            clause: violation.clause.to_string(),
            code: violation.code.clone(),
            detail: violation.detail.clone(),
            text: violation.text.clone(),
        });
        Self { by, reasons: reasons.collect() }
    }

    /// The reason that was announced, and the others.
    pub(super) fn split(&self, clause: &str, code: &str) -> Result<(&Reason, Vec<&Reason>)> {
        let announced = |one: &&Reason| one.clause == clause && one.code == code;
        let (found, others): (Vec<_>, Vec<_>) = self.reasons.iter().partition(announced);
        ensure!(
            !found.is_empty(),
            "{clause} {code} had to refuse this; refused by: {}",
            self.all().join(", ")
        );
        match found.as_slice() {
            [reason, ..] => Ok((reason, others)),
            [] => bail!("no reason"),
        }
    }

    /// Every clause with its code.
    pub(super) fn all(&self) -> Vec<String> {
        let name = |one: &Reason| format!("{} {}", one.clause, one.code).trim().to_owned();
        self.reasons.iter().map(name).collect()
    }
}
