//! Keys that were revoked: what they signed before still holds, what they signed afterwards is found,
//! also where it is dated back.

use convenant_audit::Severity;
use convenant_exchange::OUTCOME_TYPE;
use convenant_model::{
    entry::{Entry, SignedOutcome},
    keys::VerifyingKey,
};
use convenant_signing::peek_compact;
use serde_json::json;

use crate::world::{Ledgers, ROTTERDAM, UWV, World, found};

/// Longer than a decision may take to reach its ledger.
const HOURS: i64 = 2 * 3600;

/// One exchange with both partners: `0` of every ledger is its decision, `0` and `1` are the receipts.
fn exchanged(world: &mut World) -> Ledgers {
    let mut ledgers = Ledgers::default();
    world.exchange(&mut ledgers, &|_| {}, false);
    ledgers
}

fn findings(world: &World, ledgers: &Ledgers) -> Vec<String> {
    found(&world.audit(ledgers), Severity::Finding)
}

fn at_uwv(world: &World) -> VerifyingKey {
    let [_, _, ledger] = world.keys(UWV);
    ledger
}

#[test]
fn what_was_signed_before_the_revocation_holds() {
    let mut world = World::new();
    let ledgers = exchanged(&mut world);
    let later = world.now.plus_seconds(1);
    let [leader, signing, ledger] = world.keys(UWV);
    world.revoke(ROTTERDAM, &leader, later);
    world.revoke(UWV, &signing, later);
    world.revoke(UWV, &ledger, later);
    let report = world.audit(&ledgers);
    assert!(report.holds() && report.findings.is_empty(), "{report}");
}

#[test]
fn a_permit_for_a_query_of_a_revoked_key_is_found_in_every_ledger() {
    let mut world = World::new();
    let ledgers = exchanged(&mut world);
    // The theft shows afterwards: nobody knew when they answered.
    let [leader, ..] = world.keys(UWV);
    world.revoke(ROTTERDAM, &leader, world.now);
    let expected = [
        "SLEUTEL_INGETROKKEN coordinator 0",
        "SLEUTEL_INGETROKKEN uwv 0",
        "SLEUTEL_INGETROKKEN toeslagen 0",
        "SLEUTEL_INGETROKKEN receipts",
        "SLEUTEL_INGETROKKEN receipts 0",
        "SLEUTEL_INGETROKKEN receipts 1",
    ];
    assert_eq!(findings(&world, &ledgers), expected);
}

#[test]
fn a_refusal_because_of_the_revocation_is_no_finding() {
    let mut world = World::new();
    let [leader, ..] = world.keys(UWV);
    world.revoke(ROTTERDAM, &leader, world.now);
    let ledgers = exchanged(&mut world);
    let entry = &ledgers.coordinator[0];
    let Entry::Decision(decision) = entry else { panic!("not a decision: {entry:?}") };
    let refused = serde_json::to_string(&decision.verdicts).unwrap();
    assert!(refused.contains("MANDAAT"), "{refused}");
    assert_eq!(findings(&world, &ledgers), [""; 0]);
}

#[test]
fn an_answer_that_a_revoked_key_signed_is_found() {
    let mut world = World::new();
    let ledgers = exchanged(&mut world);
    world.revoke(UWV, &at_uwv(&world), world.now);
    // The node goes on under the old key, so its own checkpoint proves nothing either.
    let expected = ["SLEUTEL_INGETROKKEN uwv", "SLEUTEL_INGETROKKEN receipts 0"];
    assert_eq!(findings(&world, &ledgers), expected);
    // Under its next key it vouches for its ledger again; what the old one signed stays found.
    world.rotate(1);
    assert_eq!(findings(&world, &ledgers), ["SLEUTEL_INGETROKKEN receipts 0"]);
}

/// Dates UWV's answer back, in the outcome that it signed and in its ledger.
fn date_back(world: &World, ledgers: &mut Ledgers, seconds: i64) {
    let Entry::Receipt(receipt) = &mut ledgers.receipts[0] else { panic!("not a receipt") };
    let text = receipt.outcome.take().unwrap();
    let payload = peek_compact(&text, OUTCOME_TYPE).unwrap().payload().to_vec();
    let mut outcome: SignedOutcome = serde_json::from_slice(&payload).unwrap();
    outcome.at = outcome.at.plus_seconds(-seconds);
    receipt.outcome = Some(world.sign_outcome(UWV, &outcome));
    for entry in &mut ledgers.uwv {
        match entry {
            Entry::Decision(one) => one.at = one.at.plus_seconds(-seconds),
            Entry::Outcome(one) => one.at = one.at.plus_seconds(-seconds),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_answer_that_is_dated_back_is_found_by_what_others_wrote() {
    let mut world = World::new();
    let mut ledgers = Ledgers::default();
    let early = world.now.plus_seconds(-10);
    world.exchange(&mut ledgers, &|query| query["created"] = json!(early), false);
    date_back(&world, &mut ledgers, 10);
    world.revoke(UWV, &at_uwv(&world), world.now.plus_seconds(-5));
    let found = findings(&world, &ledgers);
    assert!(found.contains(&"SLEUTEL_INGETROKKEN receipts 0".to_owned()), "{found:?}");
    let mut alone = ledgers.clone();
    alone.coordinator.clear();
    let found = findings(&world, &alone);
    assert!(found.contains(&"SLEUTEL_INGETROKKEN receipts 0".to_owned()), "{found:?}");
    // And where the requester dates back with it, by the coordinator's decision.
    let Entry::Receipt(receipt) = &mut ledgers.receipts[0] else { panic!("not a receipt") };
    receipt.at = receipt.at.plus_seconds(-10);
    let found = findings(&world, &ledgers);
    assert!(found.contains(&"SLEUTEL_INGETROKKEN receipts 0".to_owned()), "{found:?}");
}

#[test]
fn a_decision_that_is_dated_back_is_found_by_the_register_that_it_names() {
    let mut world = World::new();
    let mut ledgers = exchanged(&mut world);
    let from = world.now.plus_seconds(-5);
    // A document that was not there when the first decision was made.
    world.rotate(1);
    world.now = world.now.plus_seconds(1);
    world.exchange(&mut ledgers, &|_| {}, false);
    let [leader, ..] = world.keys(UWV);
    world.revoke(ROTTERDAM, &leader, from.plus_seconds(3));
    for index in [0, 2] {
        let Entry::Decision(decision) = &mut ledgers.toeslagen[index] else { panic!("{index}") };
        decision.at = from.plus_seconds(if index == 0 { 4 } else { 1 });
    }
    let found = findings(&world, &ledgers);
    assert!(found.contains(&"SLEUTEL_INGETROKKEN toeslagen 2".to_owned()), "{found:?}");
}

#[test]
fn a_decision_that_is_dated_back_is_found_by_its_place_in_the_ledger() {
    let mut world = World::new();
    let mut ledgers = exchanged(&mut world);
    world.now = world.now.plus_seconds(HOURS);
    world.exchange(&mut ledgers, &|_| {}, false);
    world.exchange(&mut ledgers, &|_| {}, false);
    let [leader, ..] = world.keys(UWV);
    let first = world.now.plus_seconds(-HOURS);
    world.revoke(ROTTERDAM, &leader, first.plus_seconds(1));
    let Entry::Decision(decision) = &mut ledgers.toeslagen[4] else { panic!("not a decision") };
    decision.at = first;
    let found = findings(&world, &ledgers);
    assert!(found.contains(&"SLEUTEL_INGETROKKEN toeslagen 4".to_owned()), "{found:?}");
    assert!(!found.contains(&"SLEUTEL_INGETROKKEN toeslagen 0".to_owned()), "{found:?}");
}

#[test]
fn a_document_that_came_in_after_the_instant_is_found() {
    let mut world = World::new();
    world.rotate(1);
    let ledgers = exchanged(&mut world);
    let before = world.evidence().position().size;
    world.rotate(1);
    let [_, signing, _] = world.keys(UWV);
    world.revoke(UWV, &signing, world.now);
    let mut found = findings(&world, &ledgers);
    found.retain(|one| one.contains("register"));
    // The enrolment that this key signed; what it signed before stands.
    assert_eq!(found, [format!("SLEUTEL_INGETROKKEN register {before}")]);
}
