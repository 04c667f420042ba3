//! Requests that are made of facts instead of documents, so that rules can be tried on many of them:
//! what would the rules say if the facts were so? Nothing that is asked in this way is ever answered.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{
    Context, Decision, EntityUid, PolicySet, Request, RestrictedExpression, SchemaFragment,
};
use convenant_model::{DatasetId, Oin, Problem, query::QueryKind};
use serde::Serialize;
use serde_json::Value;

use crate::{
    CompileError, Rules,
    compile::{Internal, PERMIT_ID},
    context::set,
    schema,
};

/// One `permit` that holds of every request that typed code makes.
#[doc(hidden)]
pub const ASSUMED: &str = include_str!("assumed.cedar");
/// The fact that is the same as the action.
const KIND: &str = "query.kind";
/// Who asks and who is asked in every sample.
const REQUESTER: &str = "00000099000000000001";
const PROVIDER: &str = "00000099000000000002";

/// A request made of facts.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Sample {
    /// What kind of query.
    pub kind: &'static str,
    /// The dataset that is asked.
    pub dataset: DatasetId,
    /// Facts by path, `project.monthsRunning`. What is not there is false, zero or empty.
    pub facts: BTreeMap<String, Fact>,
}

/// What a fact is.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(untagged)]
pub enum Fact {
    /// Whether something is so.
    Truth(bool),
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
    /// Texts, for instance names of fields.
    Texts(BTreeSet<String>),
    /// Of those that take part in the exchange, which.
    Parties(BTreeSet<Party>),
    /// One of those that take part in the exchange.
    Party(Party),
    /// Whether a set of datasets holds the one that is asked.
    Served(bool),
}

/// Who takes part in an exchange.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Party {
    /// Who asks.
    Requester,
    /// Who is asked.
    Provider,
}

/// The facts that rules can be tried with.
pub struct Facts {
    /// What each fact is where nothing is known of it.
    pub blank: BTreeMap<String, Fact>,
    assumed: PolicySet,
}

impl Facts {
    /// Reads from the schema of the rules which facts there are.
    ///
    /// # Errors
    /// A fault of this program: the schema has a type of fact that no sample can have.
    pub fn new() -> Result<Self, CompileError> {
        let (schema, _) =
            SchemaFragment::from_cedarschema_str(schema::BASE).map_err(Internal::wrap)?;
        let schema = schema.to_json_value().map_err(Internal::wrap)?;
        let mut blank = BTreeMap::new();
        let facts = schema.pointer("//commonTypes/Facts").unwrap_or(&Value::Null);
        collect(facts, String::new(), &mut blank).ok_or_else(|| {
            Internal::wrap(<serde_json::Error as serde::de::Error>::custom("unknown type of fact"))
        })?;
        let assumed = ASSUMED.parse().map_err(Internal::wrap)?;
        Ok(Self { blank, assumed })
    }
}

/// Walks a record type. The covenant is no fact.
fn collect(kind: &Value, path: String, blank: &mut BTreeMap<String, Fact>) -> Option<()> {
    let name = kind.get("name").or_else(|| kind.get("type"))?.as_str()?;
    let fact = match (name, kind.get("element").and_then(|of| of.get("name"))) {
        ("Record", _) => {
            for (name, member) in kind.get("attributes")?.as_object()? {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                collect(member, path, blank)?;
            }
            return Some(());
        }
        ("Covenant", _) => return Some(()),
        ("Bool" | "Boolean", _) => Fact::Truth(false),
        ("Long", _) => Fact::Number(0),
        ("String", _) => Fact::Text(String::new()),
        ("Partner", _) => Fact::Party(Party::Provider),
        ("Set", Some(of)) if of == "String" => Fact::Texts(BTreeSet::new()),
        ("Set", Some(of)) if of == "Partner" => Fact::Parties(BTreeSet::new()),
        ("Set", Some(of)) if of == "Dataset" => Fact::Served(false),
        _ => return None,
    };
    blank.insert(path, fact);
    Some(())
}

impl Rules {
    /// The ids of the rules that refuse a sample; empty if it is permitted. The code of
    /// [`Problem::RuleError`] stands among them if a rule cannot be evaluated, which refuses too. `None`
    /// if no request can be as the sample is.
    #[must_use]
    pub fn try_on(&self, facts: &Facts, sample: &Sample) -> Option<BTreeSet<String>> {
        let kinds = [QueryKind::Lookup, QueryKind::Select, QueryKind::Count];
        let kind = kinds.into_iter().find(|kind| kind.as_str() == sample.kind)?;
        if sample
            .facts
            .get(KIND)
            .is_some_and(|fact| !matches!(fact, Fact::Text(text) if text == sample.kind))
        {
            return None;
        }
        let dataset = self.names.dataset(&sample.dataset);
        let mut context = Members::new();
        let covenant = RestrictedExpression::new_entity_uid(self.names.covenant.clone());
        insert(&mut context, "covenant", covenant);
        for (path, blank) in &facts.blank {
            let fact = sample.facts.get(path).unwrap_or(blank);
            insert(&mut context, path, self.value(fact, dataset)?);
        }
        let request = Request::new(
            self.party(Party::Requester)?,
            self.names.action(kind).clone(),
            dataset.clone(),
            Context::from_pairs(pairs(context)?).ok()?,
            None,
        );
        let request = request.ok()?;
        let ask = |rules| self.authorizer.is_authorized(&request, rules, &self.entities);
        if ask(&facts.assumed).decision() == Decision::Deny {
            return None;
        }
        let response = ask(&self.policies);
        let refusing = response.diagnostics().reason().map(ToString::to_string);
        let errs = response.diagnostics().errors().next();
        let errs = errs.map(|_| Problem::RuleError.code().to_owned());
        Some(refusing.filter(|id| id != PERMIT_ID).chain(errs).collect())
    }

    fn value(&self, fact: &Fact, dataset: &EntityUid) -> Option<RestrictedExpression> {
        let party = |party: &Party| Some(RestrictedExpression::new_entity_uid(self.party(*party)?));
        Some(match fact {
            Fact::Truth(truth) => RestrictedExpression::new_bool(*truth),
            Fact::Number(number) => RestrictedExpression::new_long(*number),
            Fact::Text(text) => RestrictedExpression::new_string(text.clone()),
            Fact::Texts(texts) => set(texts),
            Fact::Party(one) => party(one)?,
            Fact::Parties(all) => {
                let all: Option<Vec<_>> = all.iter().map(party).collect();
                RestrictedExpression::new_set(all?)
            }
            Fact::Served(served) => {
                let served = served.then(|| RestrictedExpression::new_entity_uid(dataset.clone()));
                RestrictedExpression::new_set(served)
            }
        })
    }

    fn party(&self, party: Party) -> Option<EntityUid> {
        let oin = match party {
            Party::Requester => REQUESTER,
            Party::Provider => PROVIDER,
        };
        Some(self.names.partner(&Oin::new(oin).ok()?))
    }
}

/// The members of a record that is being made.
type Members<'a> = BTreeMap<&'a str, Member<'a>>;

enum Member<'a> {
    Value(RestrictedExpression),
    Record(Members<'a>),
}

fn insert<'a>(record: &mut Members<'a>, path: &'a str, value: RestrictedExpression) {
    let Some((first, rest)) = path.split_once('.') else {
        record.insert(path, Member::Value(value));
        return;
    };
    let inner = record.entry(first).or_insert_with(|| Member::Record(Members::new()));
    if let Member::Record(inner) = inner {
        insert(inner, rest, value);
    }
}

fn pairs(record: Members<'_>) -> Option<Vec<(String, RestrictedExpression)>> {
    let member = |(name, member): (&str, Member<'_>)| {
        let value = match member {
            Member::Value(value) => value,
            Member::Record(inner) => RestrictedExpression::new_record(pairs(inner)?).ok()?,
        };
        Some((name.to_owned(), value))
    };
    record.into_iter().map(member).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fact_of_the_schema_can_be_tried() {
        let facts = Facts::new().unwrap();
        assert_eq!(facts.blank.get("project.monthsRunning"), Some(&Fact::Number(0)));
        assert_eq!(facts.blank.get("served"), Some(&Fact::Served(false)));
        assert_eq!(facts.blank.get("partnersToday"), Some(&Fact::Parties(BTreeSet::new())));
        assert!(!facts.blank.contains_key("covenant"));
    }
}
