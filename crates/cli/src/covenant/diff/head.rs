//! Limits, goals, themes and partners.

use convenant_clauses::sample::Fact;
use convenant_model::covenant::{CovenantText, Head};

use super::{Difference, Effect, paired};
use crate::covenant::trial::{Changed, Comparison};

pub(super) fn differences(
    old: &CovenantText,
    new: &CovenantText,
    comparison: &Comparison,
) -> Vec<Difference> {
    let mut found = limits(&old.covenant, &new.covenant);
    found.extend(goals(old, new, comparison));
    found.extend(themes(old, new, comparison));
    found.extend(partners(old, new));
    found
}

fn limits(old: &Head, new: &Head) -> Vec<Difference> {
    let larger_permits = [
        ("query_minutes", u64::from(old.query_minutes), u64::from(new.query_minutes)),
        ("register_minutes", u64::from(old.register_minutes), u64::from(new.register_minutes)),
        ("max_rows", old.max_rows, new.max_rows),
    ];
    let smaller_permits = [
        ("minimum_cell", u64::from(old.minimum_cell), u64::from(new.minimum_cell)),
        ("count_rounding", u64::from(old.count_rounding), u64::from(new.count_rounding)),
    ];
    let numbers = larger_permits
        .map(|(name, old, new)| (name, old, new, Effect::permits(new > old)))
        .into_iter()
        .chain(
            smaller_permits.map(|(name, old, new)| (name, old, new, Effect::permits(new < old))),
        );
    let numbers = numbers.filter(|(_, old, new, _)| old != new);
    let numbers = numbers
        .map(|(name, old, new, effect)| Difference::new("grens", name, effect).from(old).to(new));
    let texts = [
        ("title", old.title.to_string(), new.title.to_string()),
        ("valid_from", old.valid_from.to_string(), new.valid_from.to_string()),
    ];
    let texts = texts.into_iter().filter(|(_, old, new)| old != new);
    let texts = texts
        .map(|(name, old, new)| Difference::new("kop", name, Effect::Anders).from(old).to(new));
    texts.chain(numbers).collect()
}

fn goals(old: &CovenantText, new: &CovenantText, comparison: &Comparison) -> Vec<Difference> {
    let mut found = Vec::new();
    for (before, after) in paired(&old.goal, &new.goal, |goal| &goal.id) {
        let Some(one) = before.or(after) else { continue };
        let id = one.id.as_str();
        let examples = comparison.examples(|changed| has(changed, "query.goal", id));
        let difference = |effect| Difference::new("doel", id, effect);
        match (before, after) {
            (None, Some(new)) => {
                found.push(difference(Effect::Ruimer).to(&new.text).with(&examples));
            }
            (Some(old), None) => {
                found.push(difference(Effect::Strenger).from(&old.text).with(&examples));
            }
            (Some(old), Some(new)) => {
                if old.needs_designation != new.needs_designation {
                    let effect = Effect::permits(!new.needs_designation);
                    let needed =
                        |needed| if needed { "aanwijzing nodig" } else { "zonder aanwijzing" };
                    let changed = difference(effect).from(needed(old.needs_designation));
                    found.push(changed.to(needed(new.needs_designation)).with(&examples));
                }
                if old.text != new.text {
                    found.push(difference(Effect::Anders).from(&old.text).to(&new.text));
                }
            }
            (None, None) => {}
        }
    }
    found
}

fn themes(old: &CovenantText, new: &CovenantText, comparison: &Comparison) -> Vec<Difference> {
    let mut found = Vec::new();
    for (before, after) in paired(&old.theme, &new.theme, |theme| &theme.id) {
        let Some(one) = before.or(after) else { continue };
        let id = one.id.as_str();
        let examples = comparison.examples(|changed| has(changed, "query.theme", id));
        let difference = |effect| Difference::new("thema", id, effect);
        match (before, after) {
            (None, Some(new)) => {
                found.push(difference(Effect::Ruimer).to(&new.text).with(&examples));
            }
            (Some(old), None) => {
                found.push(difference(Effect::Strenger).from(&old.text).with(&examples));
            }
            (Some(old), Some(new)) if old.text != new.text => {
                found.push(difference(Effect::Anders).from(&old.text).to(&new.text));
            }
            _ => {}
        }
    }
    found
}

/// Who may take part. Whether a partner is listed is a fact to the rules, so there are no examples.
fn partners(old: &CovenantText, new: &CovenantText) -> Vec<Difference> {
    let mut found = Vec::new();
    let key = |partner: &convenant_model::covenant::Partner| {
        (partner.kind.as_str().to_owned(), partner.oin.as_ref().map(ToString::to_string))
    };
    for (before, after) in paired(&old.partner, &new.partner, key) {
        let Some(one) = before.or(after) else { continue };
        let oin = one.oin.as_ref().map(|oin| format!(" ({oin})")).unwrap_or_default();
        let difference = |effect| Difference::new("partner", format!("{}{oin}", one.kind), effect);
        match (before, after) {
            (None, Some(new)) => found.push(difference(Effect::Ruimer).to(&new.name)),
            (Some(old), None) => found.push(difference(Effect::Strenger).from(&old.name)),
            (Some(old), Some(new)) if old.name != new.name => {
                found.push(difference(Effect::Anders).from(&old.name).to(&new.name));
            }
            _ => {}
        }
    }
    found
}

fn has(changed: &Changed, path: &str, id: &str) -> bool {
    matches!(changed.case.sample.facts.get(path), Some(Fact::Text(text)) if text == id)
}
