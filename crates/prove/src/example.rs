//! What the solver found, told by the facts that matter.

use std::{collections::BTreeSet, fmt};

use cedar_policy::{EntityUid, Policy, Request};
use serde_json::Value;

use crate::closed::Closing;

/// A request, by the facts that some rules read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Example {
    /// Its action.
    pub action: String,
    /// The dataset that it is about; empty where any will do.
    pub dataset: String,
    /// Facts and what they are, sorted by name.
    pub facts: Vec<(String, String)>,
}

impl Example {
    /// Tells a request by what these rules read of it, and of the covenant.
    pub(crate) fn of(closing: &Closing<'_>, request: &Request, rules: &[&Policy]) -> Self {
        let context = request.context().and_then(|context| context.to_json_value().ok());
        let rules: Value = rules.iter().filter_map(|rule| rule.to_json().ok()).collect();
        let mut read = BTreeSet::new();
        paths(&rules, &mut read);
        let fact = |path: &Vec<String>| {
            let value = match path.split_first()? {
                (first, rest) if first == "covenant" => closing.parameter(rest)?,
                _ => path.iter().try_fold(context.as_ref()?, |value, name| value.get(name))?,
            };
            Some((path.join("."), shown(value)))
        };
        let name = |uid: Option<&EntityUid>| uid.map(|uid| uid.id().unescaped().to_owned());
        let asker = name(request.principal()).filter(|_| reads_principal(&rules));
        let principal = asker.map(|id| ("principal".to_owned(), id));
        Self {
            action: name(request.action()).unwrap_or_default(),
            dataset: name(request.resource()).unwrap_or_default(),
            facts: read.iter().filter_map(fact).chain(principal).collect(),
        }
    }
}

impl fmt::Display for Example {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.action)?;
        if !self.dataset.is_empty() {
            write!(f, " of {}", self.dataset)?;
        }
        for (i, (name, value)) in self.facts.iter().enumerate() {
            write!(f, "{} {name} = {value}", if i == 0 { " with" } else { "," })?;
        }
        Ok(())
    }
}

/// The chains of members that are read of `context`, the longest ones.
fn paths(json: &Value, found: &mut BTreeSet<Vec<String>>) {
    if let Some(path) = path(json) {
        found.insert(path);
        return;
    }
    match json {
        Value::Array(items) => items.iter().for_each(|item| paths(item, found)),
        Value::Object(members) => members.values().for_each(|member| paths(member, found)),
        _ => {}
    }
}

fn reads_principal(json: &Value) -> bool {
    match json {
        Value::Array(items) => items.iter().any(reads_principal),
        Value::Object(members) => {
            members.get("Var").is_some_and(|var| var == "principal")
                || members.values().any(reads_principal)
        }
        _ => false,
    }
}

fn path(json: &Value) -> Option<Vec<String>> {
    let access = json.get(".")?;
    let (left, name) = (access.get("left")?, access.get("attr")?.as_str()?.to_owned());
    if left.get("Var").is_some_and(|var| var == "context") {
        return Some(vec![name]);
    }
    let mut path = path(left)?;
    path.push(name);
    Some(path)
}

fn shown(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", "))
        }
        Value::Object(members) => match members.get("__entity").and_then(|uid| uid.get("id")) {
            Some(id) => shown(id),
            None => value.to_string(),
        },
        simple => simple.to_string(),
    }
}
