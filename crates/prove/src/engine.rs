//! What the solver found, asked of the real engine with the real rules before it is believed.

use cedar_policy::{
    Authorizer, Context, Decision, EntityUid, Policy, PolicyId, PolicySet, Request, Response,
    Schema,
};
use cedar_policy_symcc::Env;
use convenant_clauses::Rules;

use crate::ProofError;

/// Asks the engine, as a party would.
fn ask(rules: &Rules, request: &Request) -> Response {
    Authorizer::new().is_authorized(request, rules.policies(), rules.entities())
}

/// Whether the engine refuses the request by this rule.
pub(crate) fn refuses(rules: &Rules, request: &Request, rule: &PolicyId) -> bool {
    ask(rules, request).diagnostics().reason().any(|one| one == rule)
}

/// Whether the request is one of those that a policy says are given.
pub(crate) fn is_given(rules: &Rules, request: &Request, given: &Policy) -> bool {
    PolicySet::from_policies([given.clone()]).is_ok_and(|given| {
        let answer = Authorizer::new().is_authorized(request, &given, rules.entities());
        answer.decision() == Decision::Allow
    })
}

/// The same request of another kind.
pub(crate) fn with_action(
    request: &Request,
    action: &EntityUid,
    schema: &Schema,
) -> Option<Request> {
    let mut context = request.context()?.to_json_value().ok()?;
    *context.get_mut("query")?.get_mut("kind")? = action.id().unescaped().into();
    let context = Context::from_json_value(context, Some((schema, action))).ok()?;
    let (principal, resource) = (request.principal()?.clone(), request.resource()?.clone());
    Request::new(principal, action.clone(), resource, context, Some(schema)).ok()
}

/// Sees that the engine refuses the request by this rule.
pub(crate) fn confirm_refused(rules: &Rules, env: &Env, rule: &PolicyId) -> Result<(), ProofError> {
    confirm(refuses(rules, &env.request, rule), rule)
}

/// Sees that the engine does not refuse the request by this rule. Whether the rule can err is proven
/// apart.
pub(crate) fn confirm_spared(rules: &Rules, env: &Env, rule: &PolicyId) -> Result<(), ProofError> {
    let response = ask(rules, &env.request);
    confirm(response.diagnostics().reason().all(|one| one != rule), rule)
}

/// Sees that the engine errs at this rule.
pub(crate) fn confirm_erring(rule: &Policy, env: &Env) -> Result<(), ProofError> {
    let alone = PolicySet::from_policies([rule.clone()]);
    let alone = alone.map_err(|error| ProofError::Schema(error.to_string()))?;
    let response = Authorizer::new().is_authorized(&env.request, &alone, &env.entities);
    confirm(response.diagnostics().errors().next().is_some(), rule.id())
}

/// Sees that the engine permits the request. Whether a rule can err is proven apart.
pub(crate) fn confirm_permitted(rules: &Rules, env: &Env) -> Result<(), ProofError> {
    let permitted = ask(rules, &env.request).decision() == Decision::Allow;
    confirm(permitted, &PolicyId::new("permit"))
}

fn confirm(holds: bool, about: &PolicyId) -> Result<(), ProofError> {
    holds.then_some(()).ok_or_else(|| ProofError::Unconfirmed(about.to_string()))
}
