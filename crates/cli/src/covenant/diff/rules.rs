//! The rules of a clause, old beside new.

use std::collections::BTreeMap;

use convenant_model::covenant::{Clause, Rule};

use super::{Difference, Effect};
use crate::covenant::trial::Comparison;

/// A rule with its id.
pub(super) struct Named<'a> {
    pub(super) id: String,
    rule: &'a Rule,
}

/// A rule that differs, in the old and in the new version.
pub(super) type Pair<'a> = (Option<Named<'a>>, Option<Named<'a>>);

pub(super) fn differences(
    before: Option<&Clause>,
    after: Option<&Clause>,
    comparison: &Comparison,
) -> Vec<Difference> {
    let difference = |(old, new): Pair<'_>| {
        let id = |named: &Option<Named<'_>>| named.as_ref().map(|named| named.id.clone());
        let (old_id, new_id) = (id(&old), id(&new));
        let examples = comparison.examples(|one| {
            let id = if one.widens { &old_id } else { &new_id };
            id.as_ref().is_some_and(|id| one.refusing.contains(id))
        });
        // A rule only ever refuses, so one more refuses more and one less permits more.
        let effect = match (&old, &new) {
            (None, Some(_)) => Effect::Strenger,
            (Some(_), None) => Effect::Ruimer,
            _ => Effect::Anders,
        };
        let name = new_id.clone().or_else(|| old_id.clone()).unwrap_or_default();
        let mut found = Difference::new("regel", name, effect);
        found.old = old.map(|named| named.rule.cedar.to_string());
        found.new = new.map(|named| named.rule.cedar.to_string());
        found.with(&examples)
    };
    pairs_of_rules(before, after).into_iter().map(difference).collect()
}

/// The rules of a clause that differ. Rules with the same code belong together in their order, once those
/// that are the same in both are taken out.
pub(super) fn pairs_of_rules<'a>(
    before: Option<&'a Clause>,
    after: Option<&'a Clause>,
) -> Vec<Pair<'a>> {
    let (mut old, mut new) = (named(before), named(after));
    let (in_old, in_new) = (texts_of(&old), texts_of(&new));
    old.retain(|one| !in_new.contains(&(one.rule.code.as_str(), one.rule.cedar.as_str())));
    new.retain(|one| !in_old.contains(&(one.rule.code.as_str(), one.rule.cedar.as_str())));
    let mut pairs: Vec<Pair<'a>> = Vec::new();
    for one in old {
        let at = new.iter().position(|other| other.rule.code == one.rule.code);
        let other = at.map(|at| new.remove(at));
        pairs.push((Some(one), other));
    }
    pairs.extend(new.into_iter().map(|one| (None, Some(one))));
    pairs
}

fn texts_of<'a>(rules: &[Named<'a>]) -> Vec<(&'a str, &'a str)> {
    rules.iter().map(|one| (one.rule.code.as_str(), one.rule.cedar.as_str())).collect()
}

/// The rules of a clause with their ids, as `Rules::ids` gives them.
fn named<'a>(clause: Option<&'a Clause>) -> Vec<Named<'a>> {
    let Some(clause) = clause else { return Vec::new() };
    let mut seen = BTreeMap::<&str, usize>::new();
    let name = |rule: &'a Rule| {
        let code = &rule.code;
        let nth = seen.entry(code.as_str()).or_default();
        *nth += 1;
        let id = format!("{}/{code}", clause.id);
        Named { id: if *nth == 1 { id } else { format!("{id}/{nth}") }, rule }
    };
    clause.rule.iter().map(name).collect()
}
