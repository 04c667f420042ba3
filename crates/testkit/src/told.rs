//! What a party was told, in a form that tests compare.

use convenant_client::{ClientError, TargetResult};
use convenant_model::{entry::Status, verdict::Refusal};
use convenant_wire::problem::{PeerProblem, read};

/// What became of a query: `answered`, `S7/THEMA` for each clause that refuses, or the code of a
/// problem.
pub type Told = Vec<String>;

/// What the requester was told of a query, over all its targets in order.
#[must_use]
pub fn told(sent: &Result<Vec<TargetResult>, ClientError>) -> Told {
    match sent {
        Ok(results) => results.iter().flat_map(|result| of_status(&result.status)).collect(),
        Err(ClientError::Refused(refusal)) => of_refusal(refusal),
        Err(ClientError::Problem { problem, .. }) => vec![problem.code().to_owned()],
        Err(other) => vec![format!("error: {other}")],
    }
}

/// What became of one target.
pub(crate) fn of_status(status: &Status) -> Told {
    match status {
        Status::Answered => vec!["answered".to_owned()],
        Status::Refused { refusal } => of_refusal(refusal),
        Status::Failed { problem } => vec![problem.code().to_owned()],
    }
}

/// What a gRPC error tells.
pub(crate) fn of_grpc(status: &tonic::Status) -> Told {
    match read(status) {
        PeerProblem::Refused(refusal) => of_refusal(&refusal),
        PeerProblem::Problem(problem) => vec![problem.code().to_owned()],
        PeerProblem::Foreign => vec![format!("error: {}", status.message())],
    }
}

fn of_refusal(refusal: &Refusal) -> Told {
    let violations = refusal.violations().iter();
    let mut codes: Told = violations.map(|one| format!("{}/{}", one.clause, one.code)).collect();
    codes.dedup();
    codes
}
