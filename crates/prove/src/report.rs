//! Proofs in words.

use std::{collections::BTreeSet, error::Error, iter};

use crate::{Change, Example, Finding, Proof, RuleProof, Weight};

/// One line for each rule, with its verdict, and one for each action.
#[must_use]
pub fn tell_proof(proof: &Proof) -> Vec<String> {
    let widest = proof.rules.iter().map(|rule| rule.rule.len()).max().unwrap_or(0);
    let rules = proof.rules.iter().map(|rule| tell_rule(rule, widest));
    let actions = proof.permitted.iter().map(|(action, example)| match example {
        Some(example) => {
            format!("ok       {action}: something is permitted, in {}", example.dataset)
        }
        None => format!("warning  {action}: nothing is permitted"),
    });
    rules.chain(actions).collect()
}

fn tell_rule(rule: &RuleProof, width: usize) -> String {
    let worst = rule.findings.iter().map(Finding::weight).max().unwrap_or(Weight::Note);
    let verdict = match worst {
        Weight::Note => "ok     ",
        Weight::Warning => "warning",
        Weight::Fault => "FAILED ",
    };
    let mut said: Vec<_> = rule.findings.iter().map(tell_finding).collect();
    if worst < Weight::Fault {
        said.insert(0, "never errs".to_owned());
    }
    if !rule.refuses.is_empty() {
        said.push(format!("can refuse {}", rule.refuses.join(", ")));
    }
    format!("{verdict}  {:<width$}  {}", rule.rule, said.join("; "))
}

fn tell_finding(finding: &Finding) -> String {
    match finding {
        Finding::Errs(example) => format!("errs, for instance at {example}"),
        Finding::Dead => "refuses nothing at all: it is dead".to_owned(),
        Finding::Idle => "refuses nothing under this covenant's datasets and numbers".to_owned(),
        Finding::RefusesAll(action) => format!("refuses every {action}"),
        Finding::Redundant => "refuses nothing that no other rule refuses".to_owned(),
        Finding::Unproven(error) => format!("not proven: {}", chain(error)),
    }
}

/// An error with its causes.
fn chain(error: &dyn Error) -> String {
    let causes = iter::successors(Some(error), |error| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// What one version permits and the other refuses.
#[must_use]
pub fn tell_changes(changes: &[Change]) -> Vec<String> {
    let of = |widens: bool| changes.iter().filter(move |change| change.widens == widens);
    let mut lines = Vec::new();
    for (widens, what) in [(true, "permits"), (false, "refuses")] {
        if of(widens).next().is_none() {
            let line = format!("proven: the new version {what} nothing that the old one does not");
            lines.push(line);
        }
        for change in of(widens) {
            lines.push(format!("the new version {what} what the old one does not:"));
            lines.extend(tell_change(change).map(|line| format!("  {line}")));
        }
    }
    lines
}

fn tell_change(change: &Change) -> impl Iterator<Item = String> {
    let version = if change.widens { "old" } else { "new" };
    let by = match &change.refused_by {
        None => format!("the {version} version does not have the dataset"),
        Some(rule) => format!("the {version} version refuses it by {rule}"),
    };
    let names = |part: fn(&(String, String)) -> &String| {
        let names: BTreeSet<_> = change.places.iter().map(part).map(String::as_str).collect();
        names.into_iter().collect::<Vec<_>>().join(", ")
    };
    [
        by,
        format!("for {} of {}", names(|place| &place.0), names(|place| &place.1)),
        format!("for instance {}", Example::to_string(&change.example)),
    ]
    .into_iter()
}
