//! What a rule reads and which constants stand in it, found in Cedar's JSON form of it.

use std::collections::BTreeSet;

use cedar_policy::{Policy, PolicyId};
use serde_json::Value;

use crate::Rules;

impl Rules {
    /// The ids of the covenant's rules, sorted: clause and code, `S10/BUITEN_GEBIED`, and a number from
    /// the second rule with the same code on.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        let mut ids: Vec<_> = self.origins.keys().map(ToString::to_string).collect();
        ids.sort();
        ids
    }

    /// The facts that a rule reads, by the path under which it reads them: `project.monthsRunning`. What
    /// it reads of the covenant begins with `covenant.`.
    #[must_use]
    pub fn reads(&self, rule: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        if let Some(json) = self.policies.policy(&PolicyId::new(rule)).and_then(json) {
            paths(&json, &mut found);
        }
        found
    }

    /// The numbers and texts that stand in a rule itself.
    #[must_use]
    pub fn constants(&self, rule: &str) -> (BTreeSet<i64>, BTreeSet<String>) {
        let mut found = (BTreeSet::new(), BTreeSet::new());
        if let Some(json) = self.policies.policy(&PolicyId::new(rule)).and_then(json) {
            constants(&json, &mut found);
        }
        found
    }
}

fn json(policy: &Policy) -> Option<Value> {
    policy.to_json().ok()
}

fn paths(json: &Value, found: &mut BTreeSet<String>) {
    if let Some(path) = path(json) {
        found.insert(path);
        return;
    }
    parts(json).for_each(|part| paths(part, found));
}

/// The whole chain of members that an expression reads of `context`, if it is one.
fn path(json: &Value) -> Option<String> {
    let access = json.get(".")?;
    let (left, name) = (access.get("left")?, access.get("attr")?.as_str()?);
    if left.get("Var").is_some_and(|var| var == "context") {
        return Some(name.to_owned());
    }
    Some(format!("{}.{name}", path(left)?))
}

fn constants(json: &Value, found: &mut (BTreeSet<i64>, BTreeSet<String>)) {
    match json.get("Value") {
        Some(Value::Number(number)) => found.0.extend(number.as_i64()),
        Some(Value::String(text)) => {
            found.1.insert(text.clone());
        }
        _ => parts(json).for_each(|part| constants(part, found)),
    }
}

fn parts(json: &Value) -> impl Iterator<Item = &Value> {
    let items = json.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().chain(json.as_object().into_iter().flat_map(|members| members.values()))
}
