//! Rules that cannot be used or evaluated, and rules of another covenant: always a refusal.

use crate::world::{COORDINATOR, UWV, World, brp, codes, compile};
use convenant_clauses::{CompileError, Rules};
use convenant_model::Oin;
use convenant_signing::sha256;
use serde_json::json;

/// The example covenant with one more rule in clause S11.
fn with_rule(cedar: &str) -> World {
    let mut world = World::new();
    let rules = world.clause("S11")["rule"].as_array_mut().unwrap();
    rules.push(json!({"code": "PROEF", "cedar": cedar}));
    world
}

fn error_of(world: &World) -> CompileError {
    let (state, _) = world.admit().unwrap();
    match Rules::compile(state.covenant().unwrap(), sha256) {
        Err(error) => error,
        Ok(_) => panic!("compiled"),
    }
}

#[test]
fn a_rule_whose_evaluation_errs_refuses() {
    // Passes strict validation, and overflows when asked: Cedar would skip it, and so permit.
    // What the first looks at is asked each time; what is said of the second is kept.
    for number in ["context.usage.queries", "context.today"] {
        let world = with_rule(&format!(
            "forbid (principal, action, resource)
             when {{ {number} + 9223372036854775807 < 0 }};"
        ));
        let (state, query) = world.admit().unwrap();
        let rules = compile(&state);
        for _ in 0..2 {
            assert_eq!(codes(&world.verdict_with(&rules, &state, &query)), ["REGELFOUT"]);
        }
    }
}

#[test]
fn a_code_that_this_program_does_not_know_still_refuses() {
    let world =
        with_rule("forbid (principal, action, resource) when { context.usage.queries > 0 };");
    assert_eq!(codes(&world.verdict()), ["S11/PROEF"]);
}

#[test]
fn rules_of_another_covenant_refuse() {
    let (state, query) = World::new().admit().unwrap();
    let rules = compile(&state);
    let mut world = World::new();
    world.covenant["covenant"]["title"] = json!("een ander convenant");
    let (other, _) = world.admit().unwrap();
    assert_eq!(codes(&world.verdict_with(&rules, &state, &query)), ["permit"]);
    assert_eq!(codes(&world.verdict_with(&rules, &other, &query)), ["REGELFOUT"]);
}

#[test]
fn a_target_that_is_not_there_is_malformed() {
    let world = World::new();
    let (state, query) = world.admit().unwrap();
    let (party, peer) = (Oin::new(UWV).unwrap(), Oin::new(COORDINATOR).unwrap());
    let request = world.request(&query, &party, &peer);
    let verdict = convenant_clauses::decide(&compile(&state), &state, &request, 1);
    assert_eq!(codes(&verdict), ["ONJUIST_BERICHT"]);
}

#[test]
fn without_an_area_nothing_is_permitted_whatever_the_rules_say() {
    let mut world = World::new();
    let rules = world.clause("S10")["rule"].as_array_mut().unwrap();
    rules.retain(|rule| rule["code"] != "BUITEN_GEBIED");
    world.proposal["area"] = json!(["WK059901"]);
    world.ask("lookup", brp(&["leeftijd"]));
    assert_eq!(codes(&world.verdict()), ["REGELFOUT"]);
}

#[test]
fn a_faulty_rule_is_named_with_its_place() {
    for (cedar, expected) in [
        (
            "permit (principal, action, resource);",
            "clause `S11`, code `PROEF`, rule 2: permits, but a rule of a covenant is a `forbid`",
        ),
        (
            "forbid (principal, action, resource)\nwhen { context.query.naam == 1 };",
            "clause `S11`, code `PROEF`, rule 2, line 2, column 8: ",
        ),
        (
            "forbid (principal, action, resource)\nwhen { context.today == };",
            "clause `S11`, code `PROEF`, rule 2, line 2, column 25: ",
        ),
        (
            "forbid (principal, action, resource); forbid (principal, action, resource);",
            "clause `S11`, code `PROEF`, rule 2, line 1, column 39: ",
        ),
        (
            "forbid (principal, action, resource) when { false };",
            "clause `S11`, code `PROEF`, rule 2, line 1, column 1: ",
        ),
    ] {
        let error = error_of(&with_rule(cedar)).to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn a_covenant_that_could_not_refuse_is_no_covenant() {
    let mut world = World::new();
    for clause in world.covenant["clause"].as_array_mut().unwrap() {
        clause.as_object_mut().unwrap().remove("rule");
        clause["organisational"] = json!("niemand");
    }
    assert!(matches!(error_of(&world), CompileError::NoRules));
    let mut world = World::new();
    world.clause("S11")["stage"] = json!(["approval"]);
    assert!(matches!(error_of(&world), CompileError::Stage { .. }));
    let mut world = World::new();
    world.clause("S11")["params"]["Tien maanden"] = json!(10);
    assert!(matches!(error_of(&world), CompileError::Parameter { .. }));
}
