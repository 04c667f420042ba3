//! Why a proof cannot be tried or does not come to an end.

use cedar_policy_symcc::err::{Error as SymccError, SolverError};
use convenant_clauses::CompileError;
use convenant_model::parse::ParseError;
use thiserror::Error;

/// Why a proof cannot be tried or does not come to an end. None of these is a proof.
#[derive(Debug, Error)]
pub enum ProofError {
    /// The text is no covenant.
    #[error(transparent)]
    Text(#[from] ParseError),
    /// The covenant cannot be hashed.
    #[error("`{0}` has no canonical form")]
    Canonical(String),
    /// The rules are not valid.
    #[error("the rules of `{0}`")]
    Rules(String, #[source] Box<CompileError>),
    /// Two versions of different covenants.
    #[error("`{0}` and `{1}` are different covenants; only versions of one can be compared")]
    Different(String, String),
    /// A rule of a version that is compared can err, so that nothing follows from what it says.
    #[error("rule `{0}` can err: prove the version by itself first")]
    Errs(String),
    /// The solver cannot be started.
    #[error(
        "the solver `{0}` cannot be started: install cvc5, on Debian with `apt-get install cvc5`, \
         or name it in the environment variable CVC5"
    )]
    Solver(String, #[source] SolverError),
    /// The solver gave no answer in time.
    #[error("the solver has no answer within {0} s")]
    Unknown(u64),
    /// The symbolic compiler or the solver failed.
    #[error("the symbolic compiler")]
    Symbolic(#[source] Box<SymccError>),
    /// A rule cannot be written with the covenant's own data in it.
    #[error("rule `{rule}`: cannot be written with the data of `{dataset}` in it: {fault}")]
    Closing {
        /// The rule.
        rule: String,
        /// The dataset.
        dataset: String,
        /// What is wrong.
        fault: String,
    },
    /// The engine disagrees with the solver about an example: one of them, or this tool, is wrong.
    #[error("the engine does not confirm what the solver found about `{0}`")]
    Unconfirmed(String),
    /// The schema of the rules lacks what this tool builds on.
    #[error("{0}")]
    Schema(String),
}

impl From<SymccError> for ProofError {
    fn from(error: SymccError) -> Self {
        Self::Symbolic(Box::new(error))
    }
}
