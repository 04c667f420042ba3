//! What the solver found, told by the facts that matter.

use std::{collections::BTreeSet, fmt};

use cedar_policy::{EntityUid, PolicyId, Request};
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
    pub(crate) fn of(closing: &Closing<'_>, request: &Request, rules: &BTreeSet<PolicyId>) -> Self {
        let context = request.context().and_then(|context| context.to_json_value().ok());
        let ids = rules.iter().map(ToString::to_string);
        let read: BTreeSet<_> = ids.flat_map(|id| closing.rules.reads(&id)).collect();
        let fact = |path: &String| {
            let value = match path.strip_prefix("covenant.") {
                Some(path) => closing.parameter(path)?,
                None => {
                    path.split('.').try_fold(context.as_ref()?, |value, name| value.get(name))?
                }
            };
            Some((path.clone(), shown(value)))
        };
        let name = |uid: Option<&EntityUid>| uid.map(|uid| uid.id().unescaped().to_owned());
        Self {
            action: name(request.action()).unwrap_or_default(),
            dataset: name(request.resource()).unwrap_or_default(),
            facts: read.iter().filter_map(fact).collect(),
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
