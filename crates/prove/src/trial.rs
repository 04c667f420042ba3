//! The questions that are asked of each rule, and of all of them together.

use std::collections::BTreeSet;

use cedar_policy::{ActionConstraint, EntityUid, Policy, RequestEnv};
use cedar_policy_symcc::Env;
use convenant_clauses::Rules;

use crate::{
    Example, Finding, ProofError, Prover, RuleProof,
    closed::{Closing, set, without},
    engine::{
        confirm_erring, confirm_permitted, confirm_refused, confirm_spared, is_given, refuses,
        with_action,
    },
    given,
    solver::Scene,
};

/// A covenant whose rules are on trial.
pub(crate) struct Trial<'a> {
    prover: &'a mut Prover,
    closing: Closing<'a>,
    envs: Vec<RequestEnv>,
    /// The rules with the covenant's data in them, for each dataset.
    closed: Vec<(EntityUid, Vec<Policy>)>,
    /// The actions of which all rules together permit something.
    permitting: BTreeSet<EntityUid>,
}

impl<'a> Trial<'a> {
    pub(crate) fn new(prover: &'a mut Prover, rules: &'a Rules) -> Result<Self, ProofError> {
        let closing = Closing::new(rules)?;
        let envs = closing.envs();
        let mut closed = Vec::new();
        for dataset in &closing.datasets {
            closed.push((dataset.clone(), closing.all(dataset)?));
        }
        Ok(Self { prover, closing, envs, closed, permitting: BTreeSet::new() })
    }

    /// Each rule by itself.
    pub(crate) async fn rules(&mut self) -> Result<Vec<RuleProof>, ProofError> {
        let mut proofs = Vec::new();
        for rule in self.closing.forbids() {
            proofs.push(self.rule(rule).await?);
        }
        Ok(proofs)
    }

    /// For each action, a request that is permitted.
    pub(crate) async fn permitted(&mut self) -> Result<Vec<(String, Option<Example>)>, ProofError> {
        let mut permitted = Vec::new();
        for env in self.envs.clone() {
            let example = self.permitted_of(&env).await?;
            if example.is_some() {
                self.permitting.insert(env.action().clone());
            }
            permitted.push((env.action().id().unescaped().to_owned(), example));
        }
        self.begin_with(&permitted);
        Ok(permitted)
    }

    /// Puts the datasets first of which something is permitted: there a rule is most likely the only one
    /// that refuses, and the sooner that is found, the less there is to ask.
    fn begin_with(&mut self, permitted: &[(String, Option<Example>)]) {
        let examples = permitted.iter().filter_map(|(_, example)| example.as_ref());
        let first: BTreeSet<_> = examples.map(|example| example.dataset.as_str()).collect();
        self.closed.sort_by_key(|(dataset, _)| !first.contains(dataset.id().unescaped()));
    }

    async fn rule(&mut self, rule: &Policy) -> Result<RuleProof, ProofError> {
        let mut proof =
            RuleProof { rule: rule.id().to_string(), refuses: Vec::new(), findings: Vec::new() };
        match self.examine(rule, &mut proof).await {
            Err(error @ ProofError::Solver(..)) => return Err(error),
            Err(error) => proof.findings.push(Finding::Unproven(error)),
            Ok(()) => {}
        }
        Ok(proof)
    }

    async fn examine(&mut self, rule: &Policy, proof: &mut RuleProof) -> Result<(), ProofError> {
        if let Some(example) = self.erring(rule).await? {
            proof.findings.push(Finding::Errs(example));
        }
        let alone = self.alone(rule).await?;
        for env in self.envs.clone().iter().filter(|env| applies(rule, env)) {
            let action = env.action().id().unescaped().to_owned();
            let same = alone.as_ref().is_some_and(|found| self.also(found, rule, env));
            if !same && !self.refuses(rule, env).await? {
                continue;
            }
            if self.refuses_all(rule, env).await? {
                proof.findings.push(Finding::RefusesAll(action.clone()));
            }
            proof.refuses.push(action);
        }
        if proof.refuses.is_empty() {
            let dead = self.dead(rule).await?;
            proof.findings.push(if dead { Finding::Dead } else { Finding::Idle });
        } else if alone.is_none() {
            proof.findings.push(Finding::Redundant);
        }
        Ok(())
    }

    /// Whether the request that was found refutes the rule's idleness for another action too; asked of
    /// the engine, which is quicker than the solver.
    fn also(&self, found: &Env, rule: &Policy, env: &RequestEnv) -> bool {
        let schema = self.closing.rules.schema();
        let Some(request) = with_action(&found.request, env.action(), schema) else { return false };
        let Ok(given) = given::requests(env.action()) else { return false };
        is_given(self.closing.rules, &request, &given)
            && refuses(self.closing.rules, &request, rule.id())
    }

    async fn erring(&mut self, rule: &Policy) -> Result<Option<Example>, ProofError> {
        let schema = self.closing.rules.schema();
        for env in &self.envs {
            if let Some(found) = self.prover.erring(&Scene { schema, env }, rule).await? {
                confirm_erring(rule, &found)?;
                return Ok(Some(Example::of(
                    &self.closing,
                    &found.request,
                    &BTreeSet::from([rule.id().clone()]),
                )));
            }
        }
        Ok(None)
    }

    /// Whether the rule refuses anything of one action under this covenant.
    async fn refuses(&mut self, rule: &Policy, env: &RequestEnv) -> Result<bool, ProofError> {
        let rules = self.closing.rules;
        let scene = Scene { schema: rules.schema(), env };
        for (dataset, closed) in &self.closed {
            let given = given::about(env.action(), dataset, &self.closing.covenant)?;
            for own in closed.iter().filter(|own| own.id() == rule.id()) {
                if let Some(found) = self.prover.common(&scene, &given, own).await? {
                    return confirm_refused(rules, &found, rule.id()).map(|()| true);
                }
            }
        }
        Ok(false)
    }

    /// Whether the rule refuses everything of one action under this covenant. It does not where all rules
    /// together permit something.
    async fn refuses_all(&mut self, rule: &Policy, env: &RequestEnv) -> Result<bool, ProofError> {
        if self.permitting.contains(env.action()) {
            return Ok(false);
        }
        let rules = self.closing.rules;
        let scene = Scene { schema: rules.schema(), env };
        for (dataset, closed) in &self.closed {
            let given = given::about(env.action(), dataset, &self.closing.covenant)?;
            for own in closed.iter().filter(|own| own.id() == rule.id()) {
                if let Some(found) = self.prover.beyond(&scene, &given, own).await? {
                    return confirm_spared(rules, &found, rule.id()).map(|()| false);
                }
            }
        }
        Ok(true)
    }

    /// Whether the rule refuses nothing, whatever the datasets and numbers.
    async fn dead(&mut self, rule: &Policy) -> Result<bool, ProofError> {
        let schema = self.closing.rules.schema();
        for env in &self.envs {
            let given = given::requests(env.action())?;
            if self.prover.common(&Scene { schema, env }, &given, rule).await?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A request that is refused by this rule alone.
    async fn alone(&mut self, rule: &Policy) -> Result<Option<Env>, ProofError> {
        let schema = self.closing.rules.schema();
        for env in self.envs.iter().filter(|env| applies(rule, env)) {
            for (dataset, closed) in &self.closed {
                let given = given::about(env.action(), dataset, &self.closing.covenant)?;
                let others = without(closed, rule.id());
                if others.len() == closed.len() {
                    continue;
                }
                let (others, all) = (set(&given, &others)?, set(&given, closed)?);
                let scene = Scene { schema, env };
                if let Some(found) = self.prover.permitted_beyond(&scene, &others, &all).await? {
                    confirm_refused(self.closing.rules, &found, rule.id())?;
                    return Ok(Some(found));
                }
            }
        }
        Ok(None)
    }

    async fn permitted_of(&mut self, env: &RequestEnv) -> Result<Option<Example>, ProofError> {
        let rules = self.closing.rules;
        for (dataset, closed) in &self.closed {
            let given = given::about(env.action(), dataset, &self.closing.covenant)?;
            let scene = Scene { schema: rules.schema(), env };
            if let Some(found) = self.prover.permitted(&scene, &set(&given, closed)?).await? {
                confirm_permitted(rules, &found)?;
                return Ok(Some(Example::of(&self.closing, &found.request, &BTreeSet::new())));
            }
        }
        Ok(None)
    }
}

/// Whether the rule speaks of an action; it may not even if this says so.
fn applies(rule: &Policy, env: &RequestEnv) -> bool {
    match rule.action_constraint() {
        ActionConstraint::Eq(action) => action == *env.action(),
        ActionConstraint::Any | ActionConstraint::In(_) => true,
    }
}
