//! Two versions of a covenant: what one permits and the other refuses, if the facts are the same.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{EntityUid, Policy, RequestEnv};
use cedar_policy_symcc::Env;
use convenant_clauses::Rules;

use crate::{
    Example, ProofError, Prover,
    closed::{Closing, set},
    engine::{confirm_permitted, confirm_refused},
    given,
    solver::Scene,
};

/// Requests that one version permits and the other refuses.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    /// Whether it is the new version that permits.
    pub widens: bool,
    /// The rule of the version that refuses. `None` where it does not know the dataset.
    pub refused_by: Option<String>,
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
                for (rule, example) in pair.beyond(prover, env).await? {
                    add(&mut found, widens, rule, example);
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

/// Changes by direction and the rule that refuses.
type Found = BTreeMap<(bool, Option<String>), Change>;

fn add(found: &mut Found, widens: bool, refused_by: Option<String>, example: Example) {
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
    /// Requests that one permits and the other refuses: one for each rule that refuses such requests. A
    /// rule that both have refuses none, so only the others are asked about.
    async fn beyond(
        &self,
        prover: &mut Prover,
        env: &RequestEnv,
    ) -> Result<Vec<(Option<String>, Example)>, ProofError> {
        let (permits, refuses) = (self.permits, self.refuses);
        let given = given::about(env.action(), self.dataset, &permits.covenant)?;
        let own_rules = permits.all(self.dataset)?;
        let own = set(&given, &own_rules)?;
        let scene = Scene { schema: permits.rules.schema(), env };
        if !refuses.datasets.contains(self.dataset) {
            let found = prover.permitted(&scene, &own).await?;
            let example = |found: Env| Example::of(permits, &found.request, &BTreeSet::new());
            return Ok(found.map(|found| (None, example(found))).into_iter().collect());
        }
        let both = texts(&own_rules);
        let mut beyond = Vec::new();
        for rule in refuses.all(self.dataset)?.iter().filter(|rule| !both.contains(&text(rule))) {
            let alone = set(&given, std::slice::from_ref(rule))?;
            if let Some(found) = prover.permitted_beyond(&scene, &own, &alone).await? {
                confirm_permitted(permits.rules, &found)?;
                confirm_refused(refuses.rules, &found, rule.id())?;
                let read = BTreeSet::from([rule.id().clone()]);
                let example = Example::of(refuses, &found.request, &read);
                beyond.push((Some(rule.id().to_string()), example));
            }
        }
        Ok(beyond)
    }
}

/// Rules as texts: where these are the same, so is what they refuse.
fn texts(rules: &[Policy]) -> BTreeSet<Option<String>> {
    rules.iter().map(text).collect()
}

fn text(rule: &Policy) -> Option<String> {
    rule.to_json().ok().map(|json| json.to_string())
}
