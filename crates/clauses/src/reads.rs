//! What a rule looks at, found in Cedar's JSON form of it.

use std::collections::BTreeSet;

use cedar_policy::Policy;
use serde_json::Value;

use crate::context::{FACTS, Fact};

/// The members of the context that rules look at.
#[derive(Debug)]
pub(crate) enum Reads {
    /// All of them.
    All,
    /// Some: a member as a whole, or one of its own members.
    Paths(BTreeSet<(String, Option<String>)>),
}

impl Reads {
    /// What a rule looks at, as its form in JSON tells. What has no such form may look at anything.
    pub(crate) fn of(policy: &Policy) -> Self {
        let mut paths = BTreeSet::new();
        let seen = policy.to_json().ok().and_then(|json| collect(&json, &mut paths));
        // A rule may ask whether there is something that there is not, of what then has to be there.
        let known = paths.into_iter().map(|(member, inner)| {
            let fact = |(of, name, _): &Fact| *of == member && *name == inner.as_deref();
            let inner = inner.clone().filter(|_| FACTS.iter().any(fact));
            (member, inner)
        });
        let known: BTreeSet<_> = known.collect();
        let is_none = |(member, _): &(String, _)| FACTS.iter().all(|(of, ..)| of != member);
        let whole = seen.is_none() || known.iter().any(is_none);
        if whole { Self::All } else { Self::Paths(known) }
    }

    /// Whether anything of a member is looked at.
    fn member(&self, name: &str) -> bool {
        self.any(|(member, _)| member == name)
    }

    /// Whether a fact is looked at.
    pub(crate) fn fact(&self, member: &str, inner: Option<&str>) -> bool {
        inner.map_or_else(|| self.member(member), |inner| self.within(member, inner))
    }

    /// Whether something within a member is looked at.
    fn within(&self, name: &str, inner: &str) -> bool {
        self.any(|(member, of)| member == name && of.as_deref().is_none_or(|of| of == inner))
    }

    fn any(&self, looked_at: impl Fn(&(String, Option<String>)) -> bool) -> bool {
        match self {
            Self::All => true,
            Self::Paths(paths) => paths.iter().any(looked_at),
        }
    }
}

/// Collects what an expression looks at; `None` where it takes the context as a whole.
fn collect(expression: &Value, paths: &mut BTreeSet<(String, Option<String>)>) -> Option<()> {
    if is_context(expression) {
        return None;
    }
    if let Some((left, name)) = access(expression) {
        if is_context(left) {
            paths.insert((name.to_owned(), None));
            return Some(());
        }
        if let Some((_, member)) = access(left).filter(|(of, _)| is_context(of)) {
            paths.insert((member.to_owned(), Some(name.to_owned())));
            return Some(());
        }
    }
    match expression {
        Value::Object(members) => members.values().try_for_each(|one| collect(one, paths)),
        Value::Array(items) => items.iter().try_for_each(|one| collect(one, paths)),
        _ => Some(()),
    }
}

fn is_context(expression: &Value) -> bool {
    expression.get("Var").and_then(Value::as_str) == Some("context")
}

/// The two sides of `left.name` and of `left has name`.
fn access(expression: &Value) -> Option<(&Value, &str)> {
    let sides = expression.get(".").or_else(|| expression.get("has"))?;
    Some((sides.get("left")?, sides.get("attr")?.as_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(condition: &str) -> Reads {
        let text = format!("forbid (principal, action, resource) when {{ {condition} }};");
        Reads::of(&Policy::parse(None, text).unwrap())
    }

    #[test]
    fn what_a_rule_looks_at() {
        let reads_of = reads("context.usage.cells > 3 && principal == context.provider");
        assert!(reads_of.within("usage", "cells") && !reads_of.within("usage", "queries"));
        assert!(reads_of.member("provider") && reads_of.within("provider", "any"));
        assert!(!reads_of.member("project"));
        assert!(reads("context has usage").within("usage", "cells"));
        assert!(reads("context.usage has cells").within("usage", "cells"));
        assert!(reads("context[\"usage\"][\"cells\"] > 1").within("usage", "cells"));
        assert!(reads("context has usage.cells").member("usage"));
        // What there is not: all beside it is looked at.
        assert!(reads("context.usage has nothing").within("usage", "cells"));
        assert!(reads("context has nothing").within("usage", "cells"));
        assert!(reads("(if true then context else context).usage.cells > 1").member("usage"));
        assert!(reads("context == {\"a\": 1}").member("usage"));
        assert!(reads("[context].contains(context)").member("usage"));
        assert!(!reads("resource.usage.cells > context.today").member("usage"));
    }
}
