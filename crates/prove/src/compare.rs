//! Two versions of a covenant: what one permits and the other refuses, if the facts are the same.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{EntityUid, Policy, RequestEnv};
use cedar_policy_symcc::Env;
use convenant_clauses::Rules;

use crate::{
    Example, ProofError, Prover,
    closed::{Closing, set},
    engine::{confirm_permitted, refusing},
    given,
    solver::Scene,
};

/// Requests that one version permits and the other refuses.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    /// Whether it is the new version that permits.
    pub widens: bool,
    /// The rules of the version that refuses. Empty where it does not know the dataset.
    pub refused_by: Vec<String>,
    /// Actions and datasets of which there is such a request.
    pub places: BTreeSet<(String, String)>,
    /// One of them.
    pub example: Example,
}

/// Finds what one version permits and the other refuses, in every action and dataset. That there is no
/// change is proven for all requests, not for some.
///
/// # Errors
/// The versions are of different covenants, a rule of one can err, or something cannot be proven.
pub async fn compare(
    prover: &mut Prover,
    old: &Rules,
    new: &Rules,
) -> Result<Vec<Change>, ProofError> {
    let (old, new) = (Closing::new(old)?, Closing::new(new)?);
    if old.covenant != new.covenant {
        let id = |closing: &Closing<'_>| closing.covenant.id().unescaped().to_owned();
        return Err(ProofError::Different(id(&old), id(&new)));
    }
    for version in [&old, &new] {
        no_rule_errs(prover, version).await?;
    }
    let mut found = Found::new();
    for (widens, permits, refuses) in [(true, &new, &old), (false, &old, &new)] {
        let envs = permits.envs();
        for dataset in &permits.datasets {
            let pair = Pair { permits, refuses, dataset };
            for env in &envs {
                if let Some((rules, example)) = pair.beyond(prover, env).await? {
                    add(&mut found, widens, rules, example);
                }
            }
        }
    }
    Ok(found.into_values().collect())
}

async fn no_rule_errs(prover: &mut Prover, version: &Closing<'_>) -> Result<(), ProofError> {
    let schema = version.rules.schema();
    for env in &version.envs() {
        for rule in version.forbids() {
            if prover.erring(&Scene { schema, env }, rule).await?.is_some() {
                return Err(ProofError::Errs(rule.id().to_string()));
            }
        }
    }
    Ok(())
}

/// Changes by direction and the rules that refuse.
type Found = BTreeMap<(bool, Vec<String>), Change>;

fn add(found: &mut Found, widens: bool, refused_by: Vec<String>, example: Example) {
    let place = (example.action.clone(), example.dataset.clone());
    let change = found.entry((widens, refused_by.clone())).or_insert_with(|| Change {
        widens,
        refused_by,
        places: BTreeSet::new(),
        example,
    });
    change.places.insert(place);
}

struct Pair<'a> {
    permits: &'a Closing<'a>,
    refuses: &'a Closing<'a>,
    dataset: &'a EntityUid,
}

impl Pair<'_> {
    /// A request that one permits and the other refuses, with the rules that refuse it.
    async fn beyond(
        &self,
        prover: &mut Prover,
        env: &RequestEnv,
    ) -> Result<Option<(Vec<String>, Example)>, ProofError> {
        let (permits, refuses) = (self.permits, self.refuses);
        let given = given::about(env.action(), self.dataset, &permits.covenant)?;
        let own_rules = permits.all(self.dataset)?;
        let own = set(&given, &own_rules)?;
        let scene = Scene { schema: permits.rules.schema(), env };
        if !refuses.datasets.contains(self.dataset) {
            let found = prover.permitted(&scene, &own).await?;
            let example = |found: Env| Example::of(permits, &found.request, &BTreeSet::new());
            return Ok(found.map(|found| (Vec::new(), example(found))));
        }
        let other_rules = refuses.all(self.dataset)?;
        if texts(&own_rules) == texts(&other_rules) {
            return Ok(None);
        }
        let other = set(&given, &other_rules)?;
        let Some(found) = prover.permitted_beyond(&scene, &own, &other).await? else {
            return Ok(None);
        };
        confirm_permitted(permits.rules, &found)?;
        let reasons = refusing(refuses.rules, &found)?;
        let names = reasons.iter().map(ToString::to_string).collect();
        Ok(Some((names, Example::of(refuses, &found.request, &reasons))))
    }
}

/// The rules as texts: where these are the same, so is what they refuse.
fn texts(rules: &[Policy]) -> BTreeSet<Option<String>> {
    rules.iter().map(|rule| rule.to_json().ok().map(|json| json.to_string())).collect()
}
