//! What is given in every proof: what typed code sees to, and which dataset and covenant it is about.

use cedar_policy::{EntityUid, Policy, PolicyId};
use serde_json::{Value, json};

use convenant_clauses::sample::ASSUMED;

use crate::{ProofError, closed::uid_json};

/// The policy that permits every request that can be made.
pub(crate) fn requests(action: &EntityUid) -> Result<Policy, ProofError> {
    build(action, &[])
}

/// The policy that permits every request that can be made about one dataset under one covenant.
pub(crate) fn about(
    action: &EntityUid,
    dataset: &EntityUid,
    covenant: &EntityUid,
) -> Result<Policy, ProofError> {
    let is = |left: Value, uid: &EntityUid| json!({ "==": { "left": left, "right": { "Value": { "__entity": uid_json(uid) } } } });
    build(
        action,
        &[
            is(json!({ "Var": "resource" }), dataset),
            is(attribute(json!({ "Var": "context" }), "covenant"), covenant),
        ],
    )
}

fn build(action: &EntityUid, more: &[Value]) -> Result<Policy, ProofError> {
    let fault = |error: &dyn std::fmt::Display| {
        ProofError::Schema(format!("what is assumed of requests cannot be used: {error}"))
    };
    let id = PolicyId::new("permit");
    let assumed = Policy::parse(Some(id.clone()), ASSUMED).map_err(|error| fault(&error))?;
    let mut json = assumed.to_json().map_err(|error| fault(&error))?;
    // The kind of a query is its action.
    let kind = attribute(attribute(json!({ "Var": "context" }), "query"), "kind");
    let kind = json!({ "==": { "left": kind, "right": { "Value": action.id().unescaped() } } });
    if let Some(conditions) = json.get_mut("conditions").and_then(Value::as_array_mut) {
        let when = |body: &Value| json!({ "kind": "when", "body": body });
        conditions.extend([&kind].into_iter().chain(more).map(when));
    }
    Policy::from_json(Some(id), json).map_err(|error| fault(&error))
}

fn attribute(left: Value, name: &str) -> Value {
    json!({ ".": { "left": left, "attr": name } })
}
