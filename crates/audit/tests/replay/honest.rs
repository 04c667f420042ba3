//! Evidence that nobody tampered with.

use convenant_audit::{Counts, LedgerKind, Severity};
use convenant_exchange::OUTCOME_TYPE;
use convenant_model::{
    Problem,
    entry::{Entry, Status},
};
use convenant_signing::{key_id, peek_compact, sign_compact};

use crate::world::{Ledgers, World, found};

#[test]
fn honest_ledgers_hold() {
    let mut world = World::new();
    let ledgers = world.exchanges();
    let report = world.audit(&ledgers);
    assert!(report.holds(), "{report}");
    assert_eq!(found(&report, Severity::Warning), [""; 0]);
    assert_eq!(found(&report, Severity::Note), ["PERSONEN_NIET_TE_HERBEOORDELEN uwv 3"]);

    let counts: Vec<_> = report.ledgers.iter().map(|one| &one.counts).collect();
    let coordinator = counts[0];
    assert_eq!((coordinator.decisions, coordinator.permits, coordinator.refusals), (3, 5, 1));
    assert_eq!((coordinator.answered, coordinator.open), (4, 0));
    assert_eq!(counts[1].clauses.get("L14/BSN"), Some(&1));
    assert_eq!((counts[3].receipts, counts[3].answered), (5, 4));
    let decided = |one: &Counts| {
        (one.decisions, one.decisions_permitting, one.decisions_refusing, one.made_again)
    };
    // UWV's node refused invalid subjects, which nobody can decide again.
    assert_eq!((decided(coordinator), decided(counts[1])), ((3, 3, 0, 3), (2, 1, 1, 1)));
    assert!(report.ledgers.iter().all(|one| one.covered == Some(one.counts.entries)));
}

#[test]
fn a_ledger_that_is_not_handed_over_is_missed() {
    let mut world = World::new();
    let ledgers = world.exchanges();
    assert!(world.audit(&ledgers).to_string().contains("\nHet bewijs klopt: 0 bevindingen"));
    let missed = |kind| {
        let report = world.audit_without(&ledgers, kind);
        let said = "\nHet overgelegde bewijs klopt; niet alles is overgelegd: 0 bevindingen";
        assert!(report.holds() && report.to_string().contains(said), "{report}");
        found(&report, Severity::Warning)
    };
    let nodes = missed(LedgerKind::Node);
    assert!(nodes.iter().all(|one| one.starts_with("LOGBOEK_ONTBREEKT ")), "{nodes:?}");
    assert_eq!(nodes.len(), 2, "{nodes:?}");
    let receipts = missed(LedgerKind::Receipts);
    assert!(receipts.iter().any(|one| one.starts_with("LOGBOEK_ONTBREEKT ")), "{receipts:?}");
}

#[test]
fn the_report_is_read_by_people_and_machines() {
    let mut world = World::new();
    let mut ledgers = world.exchanges();
    ledgers.toeslagen.truncate(5);
    let report = world.audit(&ledgers);
    let text = report.to_string();
    assert!(text.contains("Het bewijs klopt NIET"), "{text}");
    assert!(text.contains("geweigerd op L14/BSN: 1"), "{text}");
    assert!(text.contains("bevinding BESLUIT_ONTBREEKT_KNOOPPUNT"), "{text}");
    // Each number with its unit: three questions, of two datasets each.
    for line in [
        "besluiten: 3 (3 met toestemming, 0 geheel geweigerd)\n  overgedaan: 3\n",
        "uitspraken, een per gevraagde dataset: 6 (5 toegestaan, 1 geweigerd)",
        "uitkomsten: 4 datasets volledig beantwoord, 0 besluiten nog open",
        "overgedaan: 1, en 1 niet over te doen",
        "uitkomsten: 1 dataset volledig beantwoord, 0 besluiten nog open",
        "Regels van een logboek en documenten van het register tellen vanaf 0.",
        "    verwacht:   besluit: geen in node/00000099000000004000\n    vastgelegd: stand: beantwoord, ",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    let json = serde_json::to_value(&report).unwrap();
    let found = json["findings"][0]["found"].as_str().unwrap();
    assert!(found.starts_with("status=answered "), "what machines read stays: {found}");
    let first = &json["findings"][0];
    assert_eq!((&first["severity"], first["code"].is_string()), (&"finding".into(), true));
    assert!(first["uitleg"].is_string() && first["explanation"].is_string());
}

#[test]
fn one_is_no_plural() {
    let (mut world, mut ledgers) = (World::new(), world_of_one());
    let text = world.audit(&ledgers).to_string();
    assert!(
        text.contains(": 1 regel, wortel") && text.contains("ondertekend, 1 regel\n"),
        "{text}"
    );
    assert!(!text.contains("tellen vanaf 0"), "no entry is named: {text}");
    world.exchange(&mut ledgers, &|_| {}, false);
    ledgers.coordinator.pop();
    let text = world.audit(&ledgers).to_string();
    assert!(text.contains("1 besluit nog open") && text.contains(": 3 regels, wortel"), "{text}");
}

/// Ledgers of which the node of UWV started, and did nothing else.
fn world_of_one() -> Ledgers {
    let mut ledgers = World::new().exchanges();
    ledgers.uwv.truncate(1);
    Ledgers { uwv: ledgers.uwv, ..Ledgers::default() }
}

#[test]
fn a_report_says_what_it_rests_on() {
    let mut world = World::new();
    let mut ledgers = Ledgers::default();
    world.exchange(&mut ledgers, &|_| {}, false);
    let first = world.now;
    world.now = first.plus_seconds(60);
    world.exchange(&mut ledgers, &|_| {}, false);
    let report = world.audit(&ledgers);
    let (lsi, register) = world.trusted();
    assert_eq!((&*report.basis.lsi_keys, report.basis.quorum), (&[key_id(&lsi)][..], 1));
    assert_eq!(report.basis.register_key, key_id(&register));
    assert!(report.basis.engine.as_deref().unwrap().starts_with("cedar-policy "));
    assert!(report.basis.software.starts_with("convenant "));
    assert_eq!((report.basis.first, report.basis.last), (Some(first), Some(world.now)));
    for ledger in &report.ledgers {
        assert_eq!((ledger.first, ledger.last), (Some(first), Some(world.now)), "{ledger}");
    }
}

#[test]
fn an_exchange_that_broke_off_is_told_of_and_holds() {
    let mut world = World::new();
    let mut ledgers = Ledgers::default();
    world.exchange(&mut ledgers, &|_| {}, false);
    // The crash took both outcomes and the receipts with it.
    ledgers.uwv.retain(|one| !matches!(one, Entry::Outcome(_)));
    ledgers.coordinator.retain(|one| !matches!(one, Entry::Outcome(_)));
    ledgers.receipts.clear();
    let report = world.audit(&ledgers);
    assert!(report.holds(), "{report}");
    let open = ["UITWISSELING_OPEN coordinator 0", "UITWISSELING_OPEN uwv 0"];
    assert_eq!(found(&report, Severity::Warning), open);
}

#[test]
fn a_query_that_is_sent_again_and_turned_down_is_no_second_answer() {
    let mut world = World::new();
    let mut ledgers = world.exchanges();
    let first = ledgers.receipts[0].clone();
    let mut again = first.clone();
    let Entry::Receipt(receipt) = &mut again else { panic!("not a receipt") };
    receipt.outcome = None;
    receipt.status = Status::Failed { problem: Problem::Replayed };
    ledgers.receipts.push(again);
    let report = world.audit(&ledgers);
    assert!(report.holds(), "{report}");
    assert_eq!(found(&report, Severity::Warning), [""; 0]);
    // Another answer would be one.
    ledgers.receipts.push(first);
    let report = world.audit(&ledgers);
    assert_eq!(found(&report, Severity::Warning), ["ONTVANGST_DUBBEL receipts 6"]);
    // And it does not stand for the receipt of the answer.
    ledgers.receipts.remove(6);
    ledgers.receipts.remove(0);
    let report = world.audit(&ledgers).to_string();
    assert!(report.contains("ONTVANGST_ONTBREEKT"), "{report}");
}

#[test]
fn decisions_recorded_in_another_order_than_counted_hold() {
    let mut world = World::new();
    let mut ledgers = Ledgers::default();
    world.exchange(&mut ledgers, &|_| {}, false);
    world.exchange(&mut ledgers, &|_| {}, false);
    // Two queries at once: the second reached the disk first.
    let node = &mut ledgers.toeslagen;
    node.rotate_left(2);
    for (index, entry) in (0..).zip(node.iter_mut()) {
        if let Entry::Outcome(outcome) = entry {
            outcome.decision = index - 1;
        }
    }
    ledgers.receipts.clear();
    let report = world.audit(&ledgers);
    assert!(report.holds(), "{report}");
    assert!(
        report.findings.iter().all(|one| !one.code.as_str().starts_with("TELLING")),
        "{report}"
    );
}

#[test]
fn decisions_are_made_again_with_the_register_and_keys_of_their_time() {
    let mut world = World::new();
    let mut ledgers = Ledgers::default();
    world.exchange(&mut ledgers, &|_| {}, false);
    // Past the size at which the audit keeps a copy of the register.
    world.rotate(70);
    world.exchange(&mut ledgers, &|_| {}, false);
    let report = world.audit(&ledgers);
    assert!(report.holds() && report.findings.is_empty(), "{report}");
    assert_eq!(report.register.size, 82);

    // A key that was replaced signs no answer to a later query.
    let replaced = world.rotate(1);
    let mut ledgers = Ledgers::default();
    let mut later = world;
    later.begin_again();
    later.exchange(&mut ledgers, &|_| {}, false);
    let Entry::Receipt(receipt) = &mut ledgers.receipts[0] else { panic!("not a receipt") };
    let signed = receipt.outcome.take().unwrap();
    let payload = peek_compact(&signed, OUTCOME_TYPE).unwrap().payload().to_vec();
    receipt.outcome = Some(sign_compact(OUTCOME_TYPE, &payload, &replaced).unwrap());
    let found = found(&later.audit(&ledgers), Severity::Finding);
    assert_eq!(found, ["HANDTEKENING_UITKOMST receipts 0"]);
}
