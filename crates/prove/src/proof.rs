//! What is proven of each rule of one covenant, and of all of them together.

use convenant_clauses::Rules;

use crate::{Example, ProofError, Prover, trial::Trial};

/// What came of trying to prove the rules of a covenant.
#[derive(Debug)]
pub struct Proof {
    /// Each rule, sorted by id.
    pub rules: Vec<RuleProof>,
    /// For each action, a request that all rules together permit; `None` where they permit nothing.
    pub permitted: Vec<(String, Option<Example>)>,
}

/// What came of one rule.
#[derive(Debug)]
pub struct RuleProof {
    /// Its id, `S10/BUITEN_GEBIED`.
    pub rule: String,
    /// The actions of which it refuses something under this covenant.
    pub refuses: Vec<String>,
    /// What is to be said of it; empty if it is as it should be.
    pub findings: Vec<Finding>,
}

/// What is to be said of a rule.
#[derive(Debug)]
pub enum Finding {
    /// It errs at this request, and the engine would skip it there.
    Errs(Example),
    /// It refuses no request whatsoever, under whatever datasets and numbers.
    Dead,
    /// Under this covenant's datasets and numbers it refuses no request.
    Idle,
    /// It refuses every request of this action.
    RefusesAll(String),
    /// Whatever it refuses, another rule refuses too.
    Redundant,
    /// Nothing is proven.
    Unproven(ProofError),
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Weight {
    /// Nothing is wrong.
    Note,
    /// It may be meant.
    Warning,
    /// The covenant must not be used.
    Fault,
}

impl Finding {
    /// How much it weighs.
    #[must_use]
    pub const fn weight(&self) -> Weight {
        match self {
            Self::Errs(_) | Self::Dead | Self::Unproven(_) => Weight::Fault,
            Self::Idle | Self::RefusesAll(_) => Weight::Warning,
            Self::Redundant => Weight::Note,
        }
    }
}

impl Proof {
    /// The heaviest finding.
    #[must_use]
    pub fn weight(&self) -> Weight {
        let findings = self.rules.iter().flat_map(|rule| &rule.findings).map(Finding::weight);
        let nothing = self.permitted.iter().any(|(_, example)| example.is_none());
        findings.chain(nothing.then_some(Weight::Warning)).max().unwrap_or(Weight::Note)
    }
}

/// Tries to prove that no rule can err, that each can refuse something and that none refuses everything,
/// and finds the rules that refuse nothing by themselves.
///
/// # Errors
/// The solver cannot be started, or the rules as a whole cannot be asked about. What fails about one rule
/// is a finding about that rule.
pub async fn prove(prover: &mut Prover, rules: &Rules) -> Result<Proof, ProofError> {
    let mut trial = Trial::new(prover, rules)?;
    let permitted = trial.permitted().await?;
    Ok(Proof { rules: trial.rules().await?, permitted })
}
