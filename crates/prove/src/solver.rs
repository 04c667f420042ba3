//! The questions that are put to the solver, each bounded in time.

use std::time::Duration;

use cedar_policy::{Policy, PolicySet, RequestEnv, Schema};
use cedar_policy_symcc::{
    CedarSymCompiler, CompiledPolicy, CompiledPolicySet, Env, err::Error as SymccError,
    solver::LocalSolver,
};
use tokio::{process::Command, time::timeout};

use crate::ProofError;

/// Seconds that the solver may think about one question.
const PATIENCE: u64 = 20;

/// A solver that runs. It is stopped when this is dropped.
pub struct Prover {
    compiler: CedarSymCompiler<LocalSolver>,
}

/// The requests of one action: what a question is about.
pub(crate) struct Scene<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) env: &'a RequestEnv,
}

impl Prover {
    /// Starts the solver: the program that the environment variable `CVC5` names, or else `cvc5`. It must
    /// be called within a tokio runtime.
    ///
    /// # Errors
    /// The solver cannot be started.
    pub fn start() -> Result<Self, ProofError> {
        let program = std::env::var("CVC5").unwrap_or_else(|_| "cvc5".to_owned());
        // What the solver gives up itself; our own patience ends a little later.
        let limit = format!("--tlimit-per={}", PATIENCE * 1000);
        let mut command = Command::new(&program);
        command.args(["--lang", "smt", &limit]).kill_on_drop(true);
        let solver = LocalSolver::from_command(&mut command)
            .map_err(|error| ProofError::Solver(program, error))?;
        Ok(Self { compiler: CedarSymCompiler::new(solver)? })
    }

    /// A request in which the rule errs, among all that the schema allows.
    pub(crate) async fn erring(
        &mut self,
        scene: &Scene<'_>,
        rule: &Policy,
    ) -> Result<Option<Env>, ProofError> {
        let rule = scene.policy(rule)?;
        self.bounded(async |compiler| {
            compiler.check_never_errors_with_counterexample_opt(&rule).await
        })
        .await
    }

    /// A request that both policies are about.
    pub(crate) async fn common(
        &mut self,
        scene: &Scene<'_>,
        one: &Policy,
        other: &Policy,
    ) -> Result<Option<Env>, ProofError> {
        let (one, other) = (scene.policy(one)?, scene.policy(other)?);
        self.bounded(async |compiler| {
            compiler.check_matches_disjoint_with_counterexample_opt(&one, &other).await
        })
        .await
    }

    /// A request that one policy is about and the other is not.
    pub(crate) async fn beyond(
        &mut self,
        scene: &Scene<'_>,
        one: &Policy,
        other: &Policy,
    ) -> Result<Option<Env>, ProofError> {
        let (one, other) = (scene.policy(one)?, scene.policy(other)?);
        self.bounded(async |compiler| {
            compiler.check_matches_implies_with_counterexample_opt(&one, &other).await
        })
        .await
    }

    /// A request that one set of policies permits and the other does not.
    pub(crate) async fn permitted_beyond(
        &mut self,
        scene: &Scene<'_>,
        one: &PolicySet,
        other: &PolicySet,
    ) -> Result<Option<Env>, ProofError> {
        let (one, other) = (scene.set(one)?, scene.set(other)?);
        self.bounded(async |compiler| {
            compiler.check_implies_with_counterexample_opt(&one, &other).await
        })
        .await
    }

    /// A request that a set of policies permits.
    pub(crate) async fn permitted(
        &mut self,
        scene: &Scene<'_>,
        set: &PolicySet,
    ) -> Result<Option<Env>, ProofError> {
        let set = scene.set(set)?;
        self.bounded(async |compiler| {
            compiler.check_always_denies_with_counterexample_opt(&set).await
        })
        .await
    }

    async fn bounded<F>(&mut self, question: F) -> Result<Option<Env>, ProofError>
    where
        F: AsyncFnOnce(&mut CedarSymCompiler<LocalSolver>) -> Result<Option<Env>, SymccError>,
    {
        let patience = Duration::from_secs(PATIENCE + 5);
        match timeout(patience, question(&mut self.compiler)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(SymccError::SolverUnknown)) => Err(ProofError::Unknown(PATIENCE)),
            Ok(Err(error)) => {
                // What it was about to say must not be taken for the next answer.
                *self = Self::start()?;
                Err(error.into())
            }
            Err(_) => {
                *self = Self::start()?;
                Err(ProofError::Unknown(PATIENCE))
            }
        }
    }
}

impl Scene<'_> {
    fn policy(&self, policy: &Policy) -> Result<CompiledPolicy, ProofError> {
        Ok(CompiledPolicy::compile(policy, self.env, self.schema)?)
    }

    fn set(&self, set: &PolicySet) -> Result<CompiledPolicySet, ProofError> {
        Ok(CompiledPolicySet::compile(set, self.env, self.schema)?)
    }
}
