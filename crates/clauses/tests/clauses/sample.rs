//! Rules tried on made-up facts: what they refuse, and what cannot be.

use std::collections::BTreeMap;

use convenant_clauses::{
    Rules,
    sample::{Fact, Facts, Sample},
};
use convenant_model::DatasetId;
use serde_json::json;

use crate::world::{World, compile};

fn rules(world: &World) -> Rules {
    compile(&world.admit().unwrap().0)
}

/// A lookup of which nothing is known but these facts.
fn lookup<const N: usize>(facts: [(&str, Fact); N]) -> Sample {
    let kind = ("query.kind".to_owned(), Fact::Text("lookup".to_owned()));
    let queries = ("usage.queries".to_owned(), Fact::Number(1));
    let facts = facts.into_iter().map(|(path, fact)| (path.to_owned(), fact));
    Sample {
        kind: "lookup",
        dataset: DatasetId::new("gemeente/brp_persoon").unwrap(),
        facts: [kind, queries].into_iter().chain(facts).collect::<BTreeMap<_, _>>(),
    }
}

#[test]
fn a_fact_that_changes_changes_what_refuses() {
    let (rules, facts) = (rules(&World::new()), Facts::new().unwrap());
    let running = |months| {
        let sample = lookup([("project.monthsRunning", Fact::Number(months))]);
        rules.try_on(&facts, &sample).unwrap()
    };
    let (early, late) = (running(11), running(12));
    assert!(early.contains("S1/GEEN_PARTNER") && early.contains("S12/BULK/2"), "{early:?}");
    assert!(!early.contains("permit"), "{early:?}");
    assert_eq!(late.difference(&early).collect::<Vec<_>>(), ["S11/DUUR"]);
    assert!(late.is_subset(&rules.ids().into_iter().collect()));
}

#[test]
fn what_cannot_be_is_not_tried() {
    let (rules, facts) = (rules(&World::new()), Facts::new().unwrap());
    for (path, fact) in [
        ("query.kind", Fact::Text("count".to_owned())),
        ("query.subjects", Fact::Number(-1)),
        ("query.output", Fact::Texts(["leeftijd".to_owned()].into())),
    ] {
        assert_eq!(rules.try_on(&facts, &lookup([(path, fact)])), None, "{path}");
    }
}

#[test]
fn a_rule_that_errs_stands_for_a_refusal() {
    let mut world = World::new();
    let errs = "forbid (principal, action, resource)
        when { context.usage.queries + 9223372036854775807 < 0 };";
    let clauses = world.clause("S11")["rule"].as_array_mut().unwrap();
    clauses.push(json!({"code": "PROEF", "cedar": errs}));
    let refusing = rules(&world).try_on(&Facts::new().unwrap(), &lookup([])).unwrap();
    assert!(refusing.contains("REGELFOUT"), "{refusing:?}");
}

#[test]
fn what_a_rule_reads_and_holds_is_told() {
    let rules = rules(&World::new());
    let read: Vec<_> = rules.reads("S10/VERLOPEN").into_iter().take(3).collect();
    assert!(read.contains(&"project.firstDay".to_owned()), "{read:?}");
    assert!(rules.reads("S11/DUUR").contains("covenant.S11.months"));
    assert!(rules.constants("S12/BULK/2").0.contains(&1));
    assert!(rules.reads("S99/NIETS").is_empty());
}
