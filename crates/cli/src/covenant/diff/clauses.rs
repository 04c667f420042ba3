//! Clauses: their texts, numbers and rules.

use std::collections::{BTreeMap, BTreeSet};

use convenant_clauses::Rules;
use convenant_model::covenant::{Clause, Parameter};

use super::{
    Difference, Effect, paired,
    rules::{differences, pairs_of_rules},
};
use crate::covenant::{
    Checked,
    pool::Focus,
    setting,
    trial::{Changed, Comparison, Refusing},
};

/// The clauses of both versions.
pub(super) struct Clauses<'a> {
    old: &'a Checked,
    new: &'a Checked,
    /// The rules of the old and of the new version that differ from the other's, or read a number that
    /// does.
    changed: (Refusing, Refusing),
}

impl<'a> Clauses<'a> {
    pub(super) fn new(old: &'a Checked, new: &'a Checked) -> Self {
        let mut clauses = Self { old, new, changed: Default::default() };
        for (before, after) in clauses.pairs() {
            let rules = pairs_of_rules(before, after);
            clauses
                .changed
                .0
                .extend(rules.iter().filter_map(|(old, _)| Some(old.as_ref()?.id.clone())));
            clauses
                .changed
                .1
                .extend(rules.iter().filter_map(|(_, new)| Some(new.as_ref()?.id.clone())));
            for (path, _, _) in parameters(before, after) {
                clauses.changed.0.extend(readers(&old.rules, &path));
                clauses.changed.1.extend(readers(&new.rules, &path));
            }
        }
        clauses
    }

    /// The rules and parameters that changed.
    pub(super) fn focus(&self) -> Focus {
        let (in_old, in_new) = &self.changed;
        let pairs = self.pairs().into_iter();
        let parameters = pairs.flat_map(|(old, new)| parameters(old, new));
        let parameters = parameters.flat_map(|(_, old, new)| [old, new]).flatten();
        Focus::on(&[(&self.old.rules, in_old), (&self.new.rules, in_new)], parameters)
    }

    /// Whether a clause that changed explains why a request is treated otherwise.
    pub(super) fn explain(&self, changed: &Changed) -> bool {
        let (old, new) = &self.changed;
        let explaining = if changed.widens { old } else { new };
        !changed.refusing.is_disjoint(explaining)
    }

    pub(super) fn differences(&self, comparison: &Comparison) -> Vec<Difference> {
        let pairs = self.pairs().into_iter();
        pairs.flat_map(|(before, after)| self.of_clause(before, after, comparison)).collect()
    }

    fn pairs(&self) -> Vec<(Option<&'a Clause>, Option<&'a Clause>)> {
        let (old, new) = (self.old.covenant.text(), self.new.covenant.text());
        paired(&old.clause, &new.clause, |clause| &clause.id).collect()
    }

    fn of_clause(
        &self,
        before: Option<&'a Clause>,
        after: Option<&'a Clause>,
        comparison: &Comparison,
    ) -> Vec<Difference> {
        let mut found = match (before, after) {
            (Some(old), Some(new)) => texts(old, new),
            (old, new) => old.or(new).map(|_| whole(old, new)).into_iter().collect(),
        };
        if before.is_some() && after.is_some() {
            found.extend(self.numbers(before, after, comparison));
        }
        found.extend(differences(before, after, comparison));
        found
    }

    fn numbers(
        &self,
        before: Option<&'a Clause>,
        after: Option<&'a Clause>,
        comparison: &Comparison,
    ) -> Vec<Difference> {
        let difference = |(path, old, new): (String, Option<&Parameter>, Option<&Parameter>)| {
            let (in_old, in_new) =
                (readers(&self.old.rules, &path), readers(&self.new.rules, &path));
            let examples = comparison.examples(|one| {
                let readers = if one.widens { &in_old } else { &in_new };
                one.refusing.is_subset(readers)
            });
            let name = path.trim_start_matches("covenant.").replace('.', " ");
            let mut found = Difference::new("getal", name, Effect::Anders);
            if let (Some(Parameter::List(old)), Some(Parameter::List(new))) = (old, new) {
                found.part = "lijst";
                found.name = format!("{}{}", found.name, beside(old, new));
            }
            found.old = old.map(setting);
            found.new = new.map(setting);
            found.with(&examples)
        };
        parameters(before, after).into_iter().map(difference).collect()
    }
}

/// What a list has more and less than it had.
fn beside(old: &BTreeSet<String>, new: &BTreeSet<String>) -> String {
    let part = |what: &str, names: Vec<&str>| {
        if names.is_empty() { String::new() } else { format!(", {what} {}", names.join(", ")) }
    };
    let more = new.difference(old).map(String::as_str).collect();
    let less = old.difference(new).map(String::as_str).collect();
    part("erbij", more) + &part("eraf", less)
}

/// A clause that only one version has.
fn whole(old: Option<&Clause>, new: Option<&Clause>) -> Difference {
    let told = |clause: &Clause| match &clause.organisational {
        Some(text) => format!("{}\norganisatorisch: {text}", clause.text),
        None => clause.text.to_string(),
    };
    let clause = old.or(new);
    let name = clause.map(|one| format!("{} {}", one.id, one.title)).unwrap_or_default();
    // A rule only ever refuses, so a clause with rules does more, and its absence less.
    let effect = match clause {
        Some(clause) if !clause.rule.is_empty() => Effect::permits(old.is_some()),
        _ => Effect::Anders,
    };
    let mut found = Difference::new("clausule", name, effect);
    found.old = old.map(told);
    found.new = new.map(told);
    found
}

fn texts(old: &Clause, new: &Clause) -> Vec<Difference> {
    let stages = |clause: &Clause| {
        let stages = clause.stage.iter().map(|stage| format!("{stage:?}").to_lowercase());
        stages.collect::<Vec<_>>().join(", ")
    };
    let organisational = |clause: &Clause| clause.organisational.as_ref().map(ToString::to_string);
    let parts = [
        ("titel", Some(old.title.to_string()), Some(new.title.to_string())),
        ("tekst", Some(old.text.to_string()), Some(new.text.to_string())),
        ("moment", Some(stages(old)), Some(stages(new))),
        ("organisatorisch", organisational(old), organisational(new)),
    ];
    let changed = parts.into_iter().filter(|(_, old, new)| old != new);
    let difference = |(part, old_text, new_text): (&str, _, _)| {
        let mut found = Difference::new("clausule", format!("{} {part}", old.id), Effect::Anders);
        found.old = old_text;
        found.new = new_text;
        found
    };
    changed.map(difference).collect()
}

/// Numbers and lists that differ, by the path under which rules read them.
fn parameters<'a>(
    before: Option<&'a Clause>,
    after: Option<&'a Clause>,
) -> Vec<(String, Option<&'a Parameter>, Option<&'a Parameter>)> {
    let Some(id) = before.or(after).map(|clause| &clause.id) else { return Vec::new() };
    let mut all = BTreeMap::<&str, (Option<&Parameter>, Option<&Parameter>)>::new();
    for (name, value) in before.into_iter().flat_map(|clause| &clause.params) {
        all.entry(name).or_default().0 = Some(value);
    }
    for (name, value) in after.into_iter().flat_map(|clause| &clause.params) {
        all.entry(name).or_default().1 = Some(value);
    }
    let differing = all.into_iter().filter(|(_, (old, new))| old != new);
    differing.map(|(name, (old, new))| (format!("covenant.{id}.{name}"), old, new)).collect()
}

/// The rules that read a number or list.
fn readers(rules: &Rules, path: &str) -> Refusing {
    rules.ids().into_iter().filter(|id| rules.reads(id).contains(path)).collect()
}
