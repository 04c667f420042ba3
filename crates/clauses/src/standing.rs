//! Most rules do not look at what was counted, and say the same of the same facts each time: what they said is
//! kept, and only the others are asked again. An audit decides as often as all parties did together.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use cedar_policy::{
    Authorizer, Decision, Entities, Policy, PolicyId, PolicySet, PolicySetError, Request, Response,
};
use serde_json::Value;

use crate::compile::PERMIT_ID;

/// The member of the context that tells what was counted. It is the last of the facts.
pub(crate) const USAGE: &str = "usage";
/// How many facts it is kept of what the rules say of them: some three kilobytes each, and never more than
/// [`KEPT_BYTES`], so a few megabytes.
const KEPT: usize = 1024;
/// Whoever asks for more than this is judged anew each time: nobody fills the memory with long questions.
const KEPT_BYTES: usize = 8 << 10;

/// Rules by what they look at.
pub(crate) struct Parted {
    /// Those that do not look at what was counted; our own `permit` is one.
    standing: PolicySet,
    /// The others.
    counting: PolicySet,
    /// What the others look at.
    pub(crate) reads: Reads,
    said: Mutex<HashMap<Box<[u8]>, Arc<Said>>>,
}

/// What rules say of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    /// Whether our own policy permits and no rule refuses.
    pub(crate) permits: bool,
    /// The rules that refuse.
    pub(crate) refusing: BTreeSet<PolicyId>,
    /// Whether one could not be evaluated. Cedar skips such a rule, and a `forbid` that is skipped would allow.
    pub(crate) errs: bool,
}

impl Parted {
    pub(crate) fn new(policies: &PolicySet) -> Result<Self, Box<PolicySetError>> {
        let (mut standing, mut counting) = (PolicySet::new(), PolicySet::new());
        let mut reads = Reads::default();
        for policy in policies.policies() {
            let read = Reads::of(policy);
            if read.member(USAGE) {
                reads.add(read);
                counting.add(policy.clone())?;
            } else {
                standing.add(policy.clone())?;
            }
        }
        Ok(Self { standing, counting, reads, said: Mutex::default() })
    }

    /// What the rules say of the facts behind `seen`, which hold all but what was counted. `whole` makes the request
    /// that all rules can judge; `counting` one with no more than what [`Self::reads`] names. `None` where there is
    /// no such request.
    pub(crate) fn ask(
        &self,
        (authorizer, entities): (&Authorizer, &Entities),
        seen: &[u8],
        whole: impl FnOnce() -> Option<Request>,
        counting: impl FnOnce() -> Option<Request>,
    ) -> Option<Said> {
        let kept = self.kept().get(seen).map(Arc::clone);
        let standing = match kept {
            Some(said) => said,
            None => {
                let said = authorizer.is_authorized(&whole()?, &self.standing, entities);
                let said = Arc::new(Said::of(&said));
                self.keep(seen, &said);
                said
            }
        };
        let mut said = Said::of(&authorizer.is_authorized(&counting()?, &self.counting, entities));
        // Our own `permit` is among the standing ones.
        said.permits = standing.permits && said.refusing.is_empty();
        said.refusing.extend(standing.refusing.iter().cloned());
        said.errs |= standing.errs;
        Some(said)
    }

    fn keep(&self, seen: &[u8], said: &Arc<Said>) {
        if seen.len() > KEPT_BYTES {
            return;
        }
        let mut kept = self.kept();
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(seen.into(), Arc::clone(said));
    }

    /// A panic elsewhere leaves whole values behind.
    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<Box<[u8]>, Arc<Said>>> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Said {
    /// Where a rule refuses, the reasons are those that do; else our `permit` is the only one.
    fn of(response: &Response) -> Self {
        let diagnostics = response.diagnostics();
        let refusing = diagnostics.reason().filter(|id| AsRef::<str>::as_ref(*id) != PERMIT_ID);
        Self {
            permits: response.decision() == Decision::Allow,
            refusing: refusing.cloned().collect(),
            errs: diagnostics.errors().next().is_some(),
        }
    }
}

/// The members of the context that rules look at.
#[derive(Debug)]
pub(crate) enum Reads {
    /// All of them.
    All,
    /// Some: a member as a whole, or one of its own members.
    Paths(BTreeSet<(String, Option<String>)>),
}

impl Default for Reads {
    fn default() -> Self {
        Self::Paths(BTreeSet::new())
    }
}

impl Reads {
    /// What a rule looks at, as its form in JSON tells. What has no such form may look at anything.
    fn of(policy: &Policy) -> Self {
        let mut paths = BTreeSet::new();
        let seen = policy.to_json().ok().and_then(|json| collect(&json, &mut paths));
        seen.map_or(Self::All, |()| Self::Paths(paths))
    }

    fn add(&mut self, other: Self) {
        match (&mut *self, other) {
            (Self::Paths(paths), Self::Paths(others)) => paths.extend(others),
            _ => *self = Self::All,
        }
    }

    /// Whether anything of a member is looked at.
    pub(crate) fn member(&self, name: &str) -> bool {
        self.any(|(member, _)| member == name)
    }

    /// Whether something within a member is looked at.
    pub(crate) fn within(&self, name: &str, inner: &str) -> bool {
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
        assert!(reads_of.within(USAGE, "cells") && !reads_of.within(USAGE, "queries"));
        assert!(reads_of.member("provider") && reads_of.within("provider", "any"));
        assert!(!reads_of.member("project"));
        assert!(reads("context has usage").within(USAGE, "cells"));
        assert!(reads("context.usage has cells").within(USAGE, "cells"));
        assert!(reads("context[\"usage\"][\"cells\"] > 1").within(USAGE, "cells"));
        assert!(reads("context has usage.cells").member(USAGE));
        assert!(reads("(if true then context else context).usage.cells > 1").member(USAGE));
        assert!(reads("context == {\"a\": 1}").member(USAGE));
        assert!(reads("[context].contains(context)").member(USAGE));
        assert!(!reads("resource.usage.cells > context.today").member(USAGE));
    }
}
