//! Problems and refusals as gRPC errors: a status code, `google.rpc.ErrorInfo` with the stable code,
//! and one `google.rpc.PreconditionFailure` violation for each clause.

use convenant_model::{
    ClauseId, Problem,
    entry::Status as TargetStatus,
    verdict::{Refusal, Violation},
};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, PreconditionViolation, StatusExt};

use crate::v1;

/// The `domain` of every `ErrorInfo`.
pub const DOMAIN: &str = "convenant";

/// What a peer's gRPC error says.
#[derive(Clone, Debug, PartialEq)]
pub enum PeerProblem {
    /// The covenant refuses.
    Refused(Refusal),
    /// Another problem of the protocol.
    Problem(Problem),
    /// An error that did not come from `convenant`, for instance of the transport.
    Foreign,
}

/// A problem as a gRPC error. `explanation` is for people and holds no personal data.
#[must_use]
pub fn status(problem: Problem, explanation: impl Into<String>) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info(problem.code(), DOMAIN, [] as [(String, String); 0]);
    Status::with_error_details(code(problem), explanation, details)
}

/// A refusal under the covenant as a gRPC error.
#[must_use]
pub fn refused(refusal: &Refusal) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info(Problem::Refused.code(), DOMAIN, [] as [(String, String); 0]);
    let violations = refusal.violations().iter().map(|violation| PreconditionViolation {
        r#type: violation.code.clone(),
        subject: violation.clause.to_string(),
        description: format!("{}\n{}", violation.detail, violation.text),
    });
    details.set_precondition_failure(violations.collect::<Vec<_>>());
    let clauses: Vec<_> = refusal
        .violations()
        .iter()
        .map(|violation| format!("{} {}", violation.clause, violation.code))
        .collect();
    let message = format!("geweigerd onder het convenant: {}", clauses.join(", "));
    Status::with_error_details(code(Problem::Refused), message, details)
}

/// Reads a peer's gRPC error.
#[must_use]
pub fn read(status: &Status) -> PeerProblem {
    let details = status.get_error_details();
    let reason = details.error_info().filter(|info| info.domain == DOMAIN).map(|info| &info.reason);
    let Some(problem) = reason.and_then(|reason| Problem::from_code(reason)) else {
        return PeerProblem::Foreign;
    };
    let violations = details
        .precondition_failure()
        .map(|failure| failure.violations.iter().filter_map(violation).collect::<Vec<_>>());
    match violations.map(Refusal::try_from) {
        Some(Ok(refusal)) if problem == Problem::Refused => PeerProblem::Refused(refusal),
        _ => PeerProblem::Problem(problem),
    }
}

/// What became of a target that was not answered, as a frame says it.
#[must_use]
pub fn declined(status: &TargetStatus) -> v1::Declined {
    let (problem, violations) = match status {
        TargetStatus::Answered => (Problem::Internal, &[][..]),
        TargetStatus::Refused { refusal } => (Problem::Refused, refusal.violations()),
        TargetStatus::Failed { problem } => (*problem, &[][..]),
    };
    let violations = violations.iter().map(|violation| v1::Violation {
        clause: violation.clause.to_string(),
        code: violation.code.clone(),
        text: violation.text.clone(),
        detail: violation.detail.clone(),
    });
    v1::Declined { problem: problem.code().to_owned(), violations: violations.collect() }
}

/// Reads what [`declined`] wrote; what makes no sense counts as an internal fault of the peer.
#[must_use]
pub fn read_declined(declined: v1::Declined) -> TargetStatus {
    let problem = Problem::from_code(&declined.problem).unwrap_or(Problem::Internal);
    let violations = declined.violations.into_iter().filter_map(|violation| {
        let clause = ClauseId::new(violation.clause).ok()?;
        let (code, text, detail) = (violation.code, violation.text, violation.detail);
        Some(Violation { clause, code, text, detail })
    });
    match Refusal::try_from(violations.collect::<Vec<_>>()) {
        Ok(refusal) if problem == Problem::Refused => TargetStatus::Refused { refusal },
        _ => TargetStatus::Failed { problem },
    }
}

fn violation(from: &PreconditionViolation) -> Option<Violation> {
    let (detail, text) = from.description.split_once('\n').unwrap_or(("", &from.description));
    Some(Violation {
        clause: ClauseId::new(from.subject.as_str()).ok()?,
        code: from.r#type.clone(),
        text: text.to_owned(),
        detail: detail.to_owned(),
    })
}

const fn code(problem: Problem) -> Code {
    match problem {
        Problem::Unauthenticated | Problem::BadSignature => Code::Unauthenticated,
        Problem::NotAllowed | Problem::NotVouched | Problem::Refused | Problem::RuleError => {
            Code::PermissionDenied
        }
        Problem::Malformed | Problem::BadSubjects | Problem::NotYetValid => Code::InvalidArgument,
        Problem::Expired | Problem::Late => Code::DeadlineExceeded,
        Problem::Replayed => Code::AlreadyExists,
        Problem::RegisterStale
        | Problem::RegisterForked
        | Problem::LedgerConflict
        | Problem::DocumentNotAdmitted
        | Problem::TooManyRows => Code::FailedPrecondition,
        Problem::NotRecorded | Problem::SourceUnavailable | Problem::NodeUnavailable => {
            Code::Unavailable
        }
        Problem::NotFound => Code::NotFound,
        Problem::Cancelled => Code::Cancelled,
        Problem::Lapsed => Code::Aborted,
        Problem::Overloaded => Code::ResourceExhausted,
        Problem::Internal => Code::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_survives_the_wire() {
        let violation = |clause: &str, code: &str| Violation {
            clause: ClauseId::new(clause).unwrap(),
            code: code.into(),
            text: "Tekst van het convenant.\nTweede regel.".into(),
            detail: "veld `x`".into(),
        };
        let refusal =
            Refusal::new(vec![violation("S7", "THEMA"), violation("S10", "VERLOPEN")]).unwrap();
        assert_eq!(read(&refused(&refusal)), PeerProblem::Refused(refusal.clone()));
        let status = TargetStatus::Refused { refusal };
        assert_eq!(read_declined(declined(&status)), status);
    }

    #[test]
    fn every_problem_survives_the_wire() {
        for problem in Problem::ALL {
            assert_eq!(read(&status(*problem, "x")), PeerProblem::Problem(*problem));
        }
        assert_eq!(read(&Status::unknown("x")), PeerProblem::Foreign);
    }
}
