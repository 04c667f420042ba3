//! A covenant's rules with its own data in them, so that they can be compared with those of another
//! version, and so that what they refuse is what they refuse under this covenant.

use cedar_policy::{EntityUid, Policy, PolicyId, PolicySet, RequestEnv};
use convenant_clauses::Rules;
use serde_json::{Map, Value};

use crate::{
    ProofError,
    fold::{Attributes, Known, Store, is},
};

/// The rules of a covenant beside the entities that they read.
pub(crate) struct Closing<'a> {
    pub(crate) rules: &'a Rules,
    store: Store,
    /// The covenant's own entity.
    pub(crate) covenant: EntityUid,
    /// The datasets, sorted by id.
    pub(crate) datasets: Vec<EntityUid>,
}

impl<'a> Closing<'a> {
    pub(crate) fn new(rules: &'a Rules) -> Result<Self, ProofError> {
        let all = || rules.entities().iter().map(cedar_policy::Entity::uid);
        let of = |kind: &str, uid: &EntityUid| uid.type_name().basename() == kind;
        let known = |id: &str| rules.covenant().text().dataset.iter().any(|d| d.id.as_str() == id);
        let covenant = all().find(|uid| of("Covenant", uid));
        let covenant = covenant
            .ok_or_else(|| ProofError::Schema("the rules have no covenant to read".to_owned()))?;
        let mut datasets: Vec<_> = all().filter(|uid| of("Dataset", uid)).collect();
        datasets.retain(|uid| known(uid.id().unescaped()));
        datasets.sort();
        let json = rules.entities().to_json_value();
        let json = json.map_err(|error| ProofError::Schema(error.to_string()))?;
        Ok(Self { rules, store: store(json), covenant, datasets })
    }

    /// The covenant's rules, without our own `permit`, as far as they can refuse anything of one dataset.
    pub(crate) fn all(&self, dataset: &EntityUid) -> Result<Vec<Policy>, ProofError> {
        let own = self.forbids().into_iter().map(|rule| self.one(rule, dataset));
        own.filter_map(Result::transpose).collect()
    }

    /// The actions, sorted.
    pub(crate) fn envs(&self) -> Vec<RequestEnv> {
        let mut envs: Vec<_> = self.rules.schema().request_envs().collect();
        envs.sort_by_key(|env| env.action().to_string());
        envs
    }

    /// The covenant's rules as they are, sorted by id.
    pub(crate) fn forbids(&self) -> Vec<&'a Policy> {
        let policies = self.rules.policies().policies();
        let mut forbids: Vec<_> =
            policies.filter(|one| one.effect() == cedar_policy::Effect::Forbid).collect();
        forbids.sort_by_key(|policy| policy.id());
        forbids
    }

    /// One rule for one dataset; `None` if that leaves nothing for it to refuse.
    fn one(&self, rule: &Policy, dataset: &EntityUid) -> Result<Option<Policy>, ProofError> {
        let fault = |fault: String| ProofError::Closing {
            rule: rule.id().to_string(),
            dataset: dataset.id().unescaped().to_owned(),
            fault,
        };
        let mut json = rule.to_json().map_err(|error| fault(error.to_string()))?;
        let known = Known {
            store: &self.store,
            resource: &uid_json(dataset),
            covenant: &uid_json(&self.covenant),
        };
        let conditions = json.get_mut("conditions").and_then(Value::as_array_mut);
        for condition in conditions.into_iter().flatten() {
            let unless = condition.get("kind").is_some_and(|kind| kind == "unless");
            let Some(body) = condition.get_mut("body") else { continue };
            *body = known.fold(body.take());
            if is(body, unless) {
                return Ok(None);
            }
        }
        let policy = Policy::from_json(Some(rule.id().clone()), json);
        policy.map(Some).map_err(|error| fault(error.to_string()))
    }

    /// A number or list of the covenant, as its entity has it.
    pub(crate) fn parameter(&self, path: &str) -> Option<&Value> {
        let attrs = &self.store.get(&uid_json(&self.covenant).to_string())?.attrs;
        let (first, rest) = path.split_once('.').unwrap_or((path, ""));
        let rest = rest.split('.').filter(|name| !name.is_empty());
        rest.fold(attrs.get(first), |value, name| value?.get(name))
    }
}

/// Some rules beside the policy that permits what is assumed.
pub(crate) fn set(permit: &Policy, rules: &[Policy]) -> Result<PolicySet, ProofError> {
    PolicySet::from_policies([permit].into_iter().chain(rules).cloned())
        .map_err(|error| ProofError::Schema(error.to_string()))
}

/// All but one of some rules.
pub(crate) fn without(rules: &[Policy], id: &PolicyId) -> Vec<Policy> {
    rules.iter().filter(|rule| rule.id() != id).cloned().collect()
}

pub(crate) fn uid_json(uid: &EntityUid) -> Value {
    let members = [("type", uid.type_name().to_string()), ("id", uid.id().unescaped().to_owned())];
    members
        .into_iter()
        .map(|(name, text)| (name.to_owned(), text.into()))
        .collect::<Map<_, _>>()
        .into()
}

fn store(json: Value) -> Store {
    let Value::Array(entities) = json else { return Store::new() };
    let members = |value: Option<Value>| match value {
        Some(Value::Object(members)) => members,
        _ => Map::new(),
    };
    let entry = |mut entity: Value| {
        let uid = entity.get("uid")?.clone();
        let mut take = |name: &str| members(entity.get_mut(name).map(Value::take));
        Some((uid.to_string(), Attributes { attrs: take("attrs"), tags: take("tags") }))
    };
    entities.into_iter().filter_map(entry).collect()
}
