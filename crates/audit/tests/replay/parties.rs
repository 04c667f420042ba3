//! What one party's ledger says and another's does not: as a lie, or because something broke off. Each is named at
//! an entry that is there, with the place where the other is missing.

use convenant_audit::{Code, LedgerKind, Question, Report, Severity};
use convenant_model::{
    Problem,
    entry::{Entry, Status},
};
use convenant_signing::key_id;

use crate::world::{COORDINATOR, Ledgers, ROTTERDAM, TOESLAGEN, UWV, World, found};

// Indexes as in `tampered`.

fn after(change: impl FnOnce(&mut Ledgers)) -> Report {
    let mut world = World::new();
    let mut ledgers = world.exchanges();
    change(&mut ledgers);
    world.audit(&ledgers)
}

/// What is expected and found of a code, wherever it is told of.
fn told(report: &Report, code: Code) -> Vec<(String, String)> {
    let of = report.findings.iter().filter(|one| one.code == code);
    of.map(|one| (one.expected.clone().unwrap(), one.found.clone().unwrap_or_default())).collect()
}

#[test]
fn a_decision_that_its_node_does_not_have() {
    let report = after(|ledgers| ledgers.toeslagen.truncate(5));
    let expected =
        ["BESLUIT_ONTBREEKT_KNOOPPUNT coordinator 6", "BESLUIT_ONTBREEKT_KNOOPPUNT receipts 4"];
    assert_eq!(found(&report, Severity::Finding), expected);
    let told = told(&report, Code::MissingAtNode);
    let missing = format!("decision=none in node/{TOESLAGEN}");
    assert!(told.iter().all(|(expected, _)| *expected == missing), "{told:?}");
    assert!(told[0].1.starts_with("status=answered bytes=200 "), "{told:?}");
    assert!(told[1].1.starts_with("decision=5 status=answered "), "{told:?}");
}

#[test]
fn a_decision_that_its_node_has_elsewhere() {
    // A start in between moves what follows: the receipts name another place.
    let report = after(|ledgers| {
        ledgers.toeslagen.insert(5, ledgers.toeslagen[0].clone());
        let Entry::Outcome(outcome) = &mut ledgers.toeslagen[7] else { panic!("not an outcome") };
        outcome.decision = 6;
    });
    assert_eq!(found(&report, Severity::Finding), ["BESLUIT_ONTBREEKT_KNOOPPUNT receipts 4"]);
    let told = told(&report, Code::MissingAtNode);
    assert_eq!(told[0].0, format!("decision=6 in node/{TOESLAGEN}"));
}

#[test]
fn a_decision_that_the_coordinator_does_not_have() {
    let report = after(|ledgers| ledgers.coordinator.truncate(5));
    let mut missing = found(&report, Severity::Finding);
    missing.sort();
    let expected = [
        "BESLUIT_ONTBREEKT_COORDINATOR receipts 3",
        "BESLUIT_ONTBREEKT_COORDINATOR receipts 4",
        "BESLUIT_ONTBREEKT_COORDINATOR toeslagen 5",
    ];
    assert_eq!(missing, expected);
    let permit = format!("verdict=permit in coordinator/{COORDINATOR}");
    let told = told(&report, Code::MissingAtCoordinator);
    assert!(told.iter().all(|(expected, _)| *expected == permit), "{told:?}");
    // Of what UWV's node refused its receipt tells; without one, that is a warning: nothing left.
    let refused = |report: &Report| {
        let warnings = found(report, Severity::Warning);
        warnings.into_iter().filter(|one| one.starts_with("GEWEIGERD_")).collect::<Vec<_>>()
    };
    assert_eq!(refused(&report), [""; 0]);
    let report = after(|ledgers| {
        ledgers.coordinator.truncate(5);
        ledgers.receipts.remove(3);
    });
    assert_eq!(refused(&report), ["GEWEIGERD_BUITEN_COORDINATOR uwv 3"]);
}

/// Whoever asked past the coordinator is named by organisation, project and key, and whether the ledgers agree is where
/// that is told: it stands in no figure.
#[test]
fn who_asked_past_the_coordinator_is_told() {
    let mut world = World::new();
    let mut ledgers = world.exchanges();
    ledgers.coordinator.truncate(5);
    ledgers.receipts.remove(3);
    let report = world.audit(&ledgers);
    let [leader, ..] = world.keys(ROTTERDAM);
    let asker = format!("requester={ROTTERDAM} project=P-2026-001 key={}", key_id(&leader));
    let refused = told(&report, Code::RefusedUnasked);
    let found: Vec<_> = refused.iter().map(|(_, found)| found).collect();
    assert_eq!(found, [&asker]);
    let given = told(&report, Code::MissingAtCoordinator);
    assert!(given.iter().any(|(_, found)| *found == asker), "{given:?}");
    assert_eq!(Question::of(Code::RefusedUnasked), Question::Log);
    let said = format!("vrager: {ROTTERDAM}, project: P-2026-001, sleutel: {}", key_id(&leader));
    assert!(report.to_string().contains(&said), "{report}");
}

/// What a receipt is held against is named with whose ledger it stands in.
#[test]
fn what_a_receipt_contradicts_is_told_with_its_ledger() {
    let report = after(|ledgers| {
        let Entry::Outcome(outcome) = &mut ledgers.uwv[2] else { panic!("no outcome") };
        outcome.results[0].bytes += 1;
        let Entry::Outcome(outcome) = &mut ledgers.coordinator[2] else { panic!("no outcome") };
        outcome.results[1].bytes += 1;
    });
    let of_receipts = report.findings.iter().filter(|one| one.ledger.starts_with("receipts/"));
    let expected: Vec<_> = of_receipts.map(|one| one.expected.clone().unwrap()).collect();
    let [uwv, toeslagen] = expected.as_slice() else { panic!("{report}") };
    assert!(uwv.ends_with(&format!(" in node/{UWV}")), "{uwv}");
    assert!(toeslagen.ends_with(&format!(" in coordinator/{COORDINATOR}")), "{toeslagen}");
}

#[test]
fn a_node_that_was_not_reached() {
    let unreached = |ledgers: &mut Ledgers| {
        ledgers.toeslagen.truncate(5);
        ledgers.receipts.truncate(4);
        let Entry::Outcome(outcome) = &mut ledgers.coordinator[6] else { panic!("no outcome") };
        let result = &mut outcome.results[1];
        result.status = Status::Failed { problem: Problem::NodeUnavailable };
        (result.bytes, result.chunks, result.hash) = (0, 0, None);
    };
    let report = after(unreached);
    assert!(report.holds(), "{report}");
    assert_eq!(found(&report, Severity::Warning), ["KNOOPPUNT_NIET_BEREIKT coordinator 6"]);
    let told = told(&report, Code::NotReached);
    assert_eq!(told[0].0, format!("decision=none in node/{TOESLAGEN}"));
    // Where the coordinator does not say how it ended, its permit is named.
    let report = after(|ledgers| {
        unreached(ledgers);
        ledgers.coordinator.pop();
        ledgers.uwv.truncate(3);
        ledgers.receipts.truncate(3);
    });
    let warnings = found(&report, Severity::Warning);
    let permit = "KNOOPPUNT_NIET_BEREIKT coordinator 5".to_owned();
    assert_eq!(warnings.iter().filter(|one| **one == permit).count(), 2, "{warnings:?}");
}

#[test]
fn an_answer_that_did_not_arrive_in_full() {
    let report = after(|ledgers| {
        let Entry::Outcome(outcome) = &mut ledgers.coordinator[2] else { panic!("no outcome") };
        outcome.results[0].status = Status::Failed { problem: Problem::Cancelled };
        outcome.results[0].hash = None;
        ledgers.receipts.remove(0);
    });
    assert!(report.holds(), "{report}");
    let notes = found(&report, Severity::Note);
    assert!(notes.contains(&"NIET_AANGEKOMEN coordinator 2".to_owned()), "{notes:?}");
}

#[test]
fn a_ledger_that_is_missing_is_told_of_with_a_place_that_speaks_of_it() {
    let mut world = World::new();
    let ledgers = world.exchanges();
    let missing = |kind| told(&world.audit_without(&ledgers, kind), Code::LedgerMissing);
    let nodes = missing(LedgerKind::Node);
    let outcome = format!("coordinator/{COORDINATOR}, entry=2");
    assert!(nodes.iter().all(|(place, _)| *place == outcome), "{nodes:?}");
    assert_eq!(missing(LedgerKind::Receipts)[0].0, outcome);
    let coordinator = world.audit_without(&ledgers, LedgerKind::Coordinator);
    let coordinator =
        coordinator.findings.iter().find(|one| one.code == Code::LedgerMissing).unwrap();
    assert_eq!(coordinator.ledger, format!("coordinator/{COORDINATOR}"));
    let named = world.audit_without(&ledgers, LedgerKind::Node);
    let named: Vec<_> = named.findings.iter().map(|one| one.ledger.clone()).collect();
    let parties = [UWV, TOESLAGEN].map(|party| format!("node/{party}"));
    assert!(parties.iter().all(|party| named.contains(party)), "{named:?}");
    assert!(!named.contains(&format!("receipts/{ROTTERDAM}")), "{named:?}");
}
