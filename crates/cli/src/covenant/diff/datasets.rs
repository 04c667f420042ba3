//! Datasets and their fields.

use std::collections::BTreeSet;

use convenant_model::covenant::{Class, CovenantText, Dataset, Field, Use};

use super::{Difference, Effect, clauses::Clauses, paired};
use crate::covenant::{trial::Comparison, wording};

pub(super) fn differences(
    old: &CovenantText,
    new: &CovenantText,
    clauses: &Clauses<'_>,
    comparison: &Comparison,
) -> Vec<Difference> {
    let mut found = Vec::new();
    for (before, after) in paired(&old.dataset, &new.dataset, |dataset| &dataset.id) {
        let about = |id: &str| {
            comparison
                .examples(|one| one.case.sample.dataset.as_str() == id && !clauses.explain(one))
        };
        match (before, after) {
            (None, Some(new)) => {
                let added = Difference::new("dataset", new.id.as_str(), Effect::Ruimer);
                found.push(added.to(&new.title).with(&about(new.id.as_str())));
            }
            (Some(old), None) => {
                let removed = Difference::new("dataset", old.id.as_str(), Effect::Strenger);
                found.push(removed.from(&old.title).with(&about(old.id.as_str())));
            }
            (Some(old), Some(new)) => {
                found.extend(of_dataset(old, new));
                found.extend(fields(old, new, clauses, comparison));
            }
            (None, None) => {}
        }
    }
    found
}

fn of_dataset(old: &Dataset, new: &Dataset) -> Vec<Difference> {
    let areas = |dataset: &Dataset| {
        let areas = dataset.area.iter().map(|area| format!("{:?} {}", area.kind, area.field));
        areas.collect::<BTreeSet<_>>()
    };
    let verified = |dataset: &Dataset| dataset.verified_by.as_ref().map(ToString::to_string);
    let secret = |fiscal| if fiscal { "fiscaal geheim" } else { "niet fiscaal geheim" }.to_owned();
    let none = || "geen".to_owned();
    let parts = [
        ("title", Effect::Anders, old.title.to_string(), new.title.to_string()),
        ("area", of_sets(&areas(old), &areas(new)), listed(&areas(old)), listed(&areas(new))),
        (
            "verified_by",
            Effect::Anders,
            verified(old).unwrap_or_else(none),
            verified(new).unwrap_or_else(none),
        ),
        ("fiscal", Effect::permits(!new.fiscal), secret(old.fiscal), secret(new.fiscal)),
    ];
    let changed = parts.into_iter().filter(|(_, _, old, new)| old != new);
    let difference = |(part, effect, before, after): (&str, _, _, _)| {
        Difference::new("dataset", format!("{} {part}", old.id), effect).from(before).to(after)
    };
    changed.map(difference).collect()
}

fn fields(
    old: &Dataset,
    new: &Dataset,
    clauses: &Clauses<'_>,
    comparison: &Comparison,
) -> Vec<Difference> {
    let mut found = Vec::new();
    for (before, after) in paired(&old.field, &new.field, |field| &field.name) {
        let Some(one) = before.or(after) else { continue };
        let name = format!("{}.{}", old.id, one.name);
        let examples = comparison.examples(|changed| {
            let sample = &changed.case.sample;
            let named = wording::fields(sample).contains(one.name.as_str());
            named && sample.dataset == old.id && !clauses.explain(changed)
        });
        let difference = |effect| Difference::new("veld", name.clone(), effect);
        match (before, after) {
            (None, Some(new)) => {
                let effect =
                    if new.usage == Use::Refused { Effect::Anders } else { Effect::Ruimer };
                found.push(difference(effect).to(told(new)).with(&examples));
            }
            (Some(old), None) => {
                let effect =
                    if old.usage == Use::Refused { Effect::Anders } else { Effect::Strenger };
                found.push(difference(effect).from(told(old)).with(&examples));
            }
            (Some(old), Some(new)) if old != new => {
                let changed = difference(effect(old, new)).from(told_beside(old, new));
                found.push(changed.to(told_beside(new, old)).with(&examples));
            }
            _ => {}
        }
    }
    found
}

/// What the change of a field does, as far as its members tell.
fn effect(old: &Field, new: &Field) -> Effect {
    let mut effects = Vec::new();
    if old.usage != new.usage {
        effects.push(match (old.usage, new.usage) {
            (Use::Refused, _) | (Use::HitOnly, Use::Allowed) => Effect::Ruimer,
            (_, Use::Refused) | (Use::Allowed, Use::HitOnly) => Effect::Strenger,
            _ => Effect::Anders,
        });
    }
    if old.filterable != new.filterable {
        effects.push(Effect::permits(new.filterable));
    }
    if old.class != new.class {
        effects.push(match (old.class, new.class) {
            (Class::Ordinary, _) => Effect::Strenger,
            (_, Class::Ordinary) => Effect::Ruimer,
            _ => Effect::Anders,
        });
    }
    if old.themes != new.themes {
        effects.push(of_sets(&old.themes, &new.themes));
    }
    if (old.kind, old.category, &old.values) != (new.kind, new.category, &new.values) {
        effects.push(Effect::Anders);
    }
    Effect::together(effects)
}

fn of_sets<T: Ord>(old: &BTreeSet<T>, new: &BTreeSet<T>) -> Effect {
    match (new.is_superset(old), old.is_superset(new)) {
        (true, false) => Effect::Ruimer,
        (false, true) => Effect::Strenger,
        _ => Effect::Anders,
    }
}

/// The members of a field, in the words of the covenant's own text.
fn members(field: &Field) -> [(&'static str, String); 7] {
    let word = |value: serde_json::Result<String>| value.unwrap_or_default().replace('"', "");
    let values = field.values.iter().map(ToString::to_string).collect();
    [
        ("type", field.kind.as_str().to_owned()),
        ("class", word(serde_json::to_string(&field.class))),
        ("category", field.category.map_or_else(String::new, |c| char::from(c).to_string())),
        ("use", word(serde_json::to_string(&field.usage))),
        ("themes", listed(&field.themes.iter().map(ToString::to_string).collect())),
        ("values", listed(&values)),
        ("filterable", if field.filterable { "ja" } else { "nee" }.to_owned()),
    ]
}

fn told(field: &Field) -> String {
    let members = members(field).into_iter().filter(|(_, value)| !value.is_empty());
    members.map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join("; ")
}

/// The members that differ from those of another version.
fn told_beside(field: &Field, other: &Field) -> String {
    let pairs = members(field).into_iter().zip(members(other));
    let differing = pairs.filter(|(own, other)| own != other);
    let told = |(name, value): (&str, String)| {
        format!("{name} {}", if value.is_empty() { "geen" } else { &value })
    };
    differing.map(|(own, _)| told(own)).collect::<Vec<_>>().join("; ")
}

fn listed(values: &BTreeSet<String>) -> String {
    values.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}
