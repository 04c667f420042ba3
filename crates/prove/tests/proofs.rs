//! Proofs of the example covenant, and of what happens to them when a rule is spoilt.

#![cfg(test)]

use convenant_clauses::Rules;
use convenant_prove::{
    Finding, ProofError, Prover, Weight, compare, load, prove, tell_changes, tell_proof,
};

const EXAMPLE: &str = include_str!("../../demo/assets/covenant.toml");

/// A covenant with one dataset, and whatever rules a test gives its clause `T1`.
const SMALL: &str = r#"
document = "covenant"
goal = [{ id = "doel", text = "doel" }]
theme = [{ id = "thema", text = "thema" }]
partner = [{ kind = "uwv", name = "UWV", oin = "00000099000000002000" }]

[covenant]
id = "klein"
version = 1
title = "Klein"
valid_from = "2026-01-01"
query_minutes = 15
register_minutes = 60
max_rows = 100
minimum_cell = 10
count_rounding = 5

[[dataset]]
id = "uwv/inkomsten"
title = "Inkomsten"
field = [
  { name = "burgerservicenummer", type = "bsn", class = "bsn", category = "h", use = "key", themes = ["thema"] },
  { name = "beroep", type = "text", class = "ordinary", category = "a", use = "allowed", filterable = true, themes = ["thema"] },
]

[[clause]]
id = "T1"
title = "Proef"
stage = ["query"]
text = "Een proef."
params = { months = 12, kinds = ["uwv"] }
"#;

fn small(rules: &[&str]) -> Rules {
    small_with(rules, |text| text)
}

fn small_with(rules: &[&str], change: impl FnOnce(String) -> String) -> Rules {
    let rule = |cedar: &&str| format!("[[clause.rule]]\ncode = \"PROEF\"\ncedar = '''{cedar}'''\n");
    let rules: String = rules.iter().map(rule).collect();
    load("small.toml", &change(format!("{SMALL}{rules}"))).unwrap()
}

const DURATION: &str = "forbid (principal, action, resource)
    unless { context.project.monthsRunning < context.covenant.T1.months };";

#[tokio::test]
async fn the_example_covenant_is_proven() {
    let rules = load("covenant.toml", EXAMPLE).unwrap();
    let proof = prove(&mut Prover::start().unwrap(), &rules).await.unwrap();
    let told = tell_proof(&proof);
    assert!(proof.weight() < Weight::Warning, "{told:#?}");
    assert_eq!(proof.rules.len(), rules.count());
    assert!(proof.permitted.iter().all(|(_, example)| example.is_some()), "{told:#?}");
}

#[tokio::test]
async fn a_rule_that_can_err_is_found_with_an_example() {
    let rules = small(&[
        DURATION,
        "forbid (principal, action, resource) when { context.usage.queries + 1 > 100 };",
    ]);
    let proof = prove(&mut Prover::start().unwrap(), &rules).await.unwrap();
    assert_eq!(proof.weight(), Weight::Fault);
    let [sound, spoilt] = proof.rules.as_slice() else { panic!("{proof:?}") };
    assert!(sound.findings.is_empty(), "{sound:?}");
    let Some(Finding::Errs(example)) = spoilt.findings.first() else { panic!("{spoilt:?}") };
    let largest = ("usage.queries".to_owned(), i64::MAX.to_string());
    assert_eq!(example.facts, [largest]);
    assert!(tell_proof(&proof)[1].starts_with("FAILED   T1/PROEF/2  errs, for instance at "));
}

#[tokio::test]
async fn dead_idle_and_boundless_rules_are_told_apart() {
    let rules = small(&[
        // Dead: no request of this register has a negative number of subjects, whatever the covenant.
        "forbid (principal, action, resource) when { context.query.subjects < 0 };",
        // Dead, though strict validation takes it.
        "forbid (principal, action == Action::\"count\", resource)
         when { context.query.kind == \"select\" };",
        // Idle: this covenant has no dataset with special fields.
        "forbid (principal, action, resource)
         when { resource.special.containsAny(context.query.used) };",
        // Refuses every count, and only that.
        "forbid (principal, action, resource) when { context.query.kind == \"count\" };",
        // Says nothing that the rule before it did not say.
        "forbid (principal, action == Action::\"count\", resource) when { context.query.subjects > 3 };",
    ]);
    let proof = prove(&mut Prover::start().unwrap(), &rules).await.unwrap();
    let findings: Vec<_> = proof.rules.iter().map(|rule| rule.findings.as_slice()).collect();
    let [
        [Finding::Dead],
        [Finding::Dead],
        [Finding::Idle],
        [Finding::RefusesAll(kind)],
        [Finding::Redundant],
    ] = findings.as_slice()
    else {
        panic!("{findings:?}")
    };
    assert_eq!(kind, "count");
    assert_eq!(proof.weight(), Weight::Fault);
    let permitted: Vec<_> = proof.permitted.iter().map(|(_, one)| one.is_some()).collect();
    assert_eq!(permitted, [false, true, true], "count, lookup, select");
}

#[tokio::test]
async fn a_version_that_permits_more_is_found_with_an_example() {
    let old = small(&[DURATION]);
    let new = small_with(&[DURATION], |text| text.replace("months = 12", "months = 18"));
    let changes = compare(&mut Prover::start().unwrap(), &old, &new).await.unwrap();
    let [change] = changes.as_slice() else { panic!("{changes:?}") };
    assert!(change.widens);
    assert_eq!(change.refused_by.as_deref(), Some("T1/PROEF"));
    assert_eq!(change.places.len(), 3, "every action");
    let running = change.example.facts.iter().find(|(name, _)| name == "project.monthsRunning");
    let months: i64 = running.unwrap().1.parse().unwrap();
    assert!((12..18).contains(&months), "{months}");
    let told = tell_changes(&changes).join("\n");
    assert!(told.contains("the new version refuses nothing that the old one does not"), "{told}");
}

#[tokio::test]
async fn a_field_that_may_no_longer_be_tested_is_found() {
    let rule = "forbid (principal, action, resource)
        unless { resource.filterable.containsAll(context.query.tested) };";
    let new = small_with(&[rule], |text| text.replace("filterable = true, ", ""));
    let changes = compare(&mut Prover::start().unwrap(), &small(&[rule]), &new).await.unwrap();
    let [change] = changes.as_slice() else { panic!("{changes:?}") };
    assert!(!change.widens);
    let tested = ("query.tested".to_owned(), "[\"beroep\"]".to_owned());
    assert!(change.example.facts.contains(&tested), "{change:?}");
}

#[tokio::test]
async fn each_rule_that_newly_refuses_is_told_by_itself() {
    let more = "forbid (principal, action, resource) when { context.query.subjects > 3 };";
    let last = "forbid (principal, action, resource) unless { context.project.approved };";
    let (old, new) = (small(&[DURATION]), small(&[DURATION, more, last]));
    let changes = compare(&mut Prover::start().unwrap(), &old, &new).await.unwrap();
    let told: Vec<_> =
        changes.iter().map(|one| (one.widens, one.refused_by.as_deref().unwrap())).collect();
    assert_eq!(told, [(false, "T1/PROEF/2"), (false, "T1/PROEF/3")]);
    let facts: Vec<_> = changes.iter().flat_map(|one| &one.example.facts).collect();
    assert_eq!(facts.len(), 2, "of each only what its rule reads: {facts:?}");
}

#[tokio::test]
async fn a_dataset_that_one_version_lacks_is_told() {
    let new = small_with(&[DURATION], |text| text.replace("uwv/inkomsten", "uwv/uitkeringen"));
    let changes = compare(&mut Prover::start().unwrap(), &small(&[DURATION]), &new).await.unwrap();
    let told: Vec<_> = changes.iter().map(|one| (one.widens, one.refused_by.is_none())).collect();
    assert_eq!(told, [(false, true), (true, true)]);
}

#[tokio::test]
async fn a_rule_in_other_words_changes_nothing() {
    let other = "forbid (principal, action, resource)
        when { context.covenant.T1.months <= context.project.monthsRunning };";
    let (old, new) = (small(&[DURATION]), small(&[other]));
    let changes = compare(&mut Prover::start().unwrap(), &old, &new).await.unwrap();
    assert!(changes.is_empty(), "{changes:?}");
}

#[tokio::test]
async fn what_cannot_be_compared_is_said() {
    let new = small_with(&[DURATION], |text| text.replace("\"klein\"", "\"groot\""));
    let error = compare(&mut Prover::start().unwrap(), &small(&[DURATION]), &new).await;
    assert!(matches!(error, Err(ProofError::Different(..))), "{error:?}");
    let errs = small(&["forbid (principal, action, resource) when { 1 + context.today > 9 };"]);
    let error = compare(&mut Prover::start().unwrap(), &errs, &errs).await;
    assert!(matches!(error, Err(ProofError::Errs(ref rule)) if rule == "T1/PROEF"), "{error:?}");
}
