//! The coordinator's ledger as an old copy, or cut short where no witness saw it: what others know of later is told of
//! at once, and nothing of what is missing in the middle.

use convenant_audit::{Code, Report, Severity};
use convenant_model::entry::{Decision, Entry, Started};

use crate::world::{COORDINATOR, Ledgers, UWV, World, found, oin};

// Each exchange is a minute after the one before it; entries 2 n and 2 n + 1 of every ledger are of exchange n. UWV's
// node refuses the last, so of that it has one entry.
fn minutes(exchanges: usize) -> (World, Ledgers) {
    let (mut world, mut ledgers) = (World::new(), Ledgers::default());
    for number in 1..=exchanges {
        world.exchange(&mut ledgers, &|_| {}, number == exchanges);
        world.now = world.now.plus_seconds(60);
    }
    (world, ledgers)
}

/// The coordinator's ledger without an exchange in the middle.
fn without(ledgers: &mut Ledgers, exchange: usize) {
    ledgers.coordinator.drain(2 * exchange..2 * exchange + 2);
    for (index, entry) in (0..).zip(&mut ledgers.coordinator) {
        if let Entry::Outcome(outcome) = entry {
            outcome.decision = index - 1;
        }
    }
}

fn early(report: &Report) -> [String; 2] {
    let mut told = report.findings.iter().filter(|one| one.code == Code::EndsEarly);
    let one = told.next().unwrap();
    assert!(told.next().is_none());
    [&one.expected, &one.found].map(|text| text.clone().unwrap())
}

#[test]
fn an_old_copy_is_one_finding_and_accuses_nobody_of_what_came_later() {
    let (world, mut ledgers) = minutes(3);
    let first = world.now.plus_seconds(-180);
    ledgers.coordinator.truncate(2);
    let report = world.audit(&ledgers);
    assert_eq!(found(&report, Severity::Finding), ["LOGBOEK_VEROUDERD coordinator 1"]);
    assert_eq!(found(&report, Severity::Warning), [""; 0]);
    let each = ["NA_EINDE_COORDINATOR uwv 2", "NA_EINDE_COORDINATOR uwv 4"];
    let told = found(&report, Severity::Note);
    assert!(each.iter().all(|one| told.contains(&(*one).to_owned())), "{told:?}");
    let second = first.plus_seconds(60);
    let expected = format!("queries=2 at>={second} as in node/{UWV}, entry=2");
    assert_eq!(early(&report), [expected, format!("entries=2 at={first}")]);
    assert!(
        report
            .to_string()
            .contains(&format!("LOGBOEK_VEROUDERD: coordinator/{COORDINATOR}, regel 1\n"))
    );
    // Without a single entry, whatever others know comes later.
    ledgers.coordinator.clear();
    let report = world.audit(&ledgers);
    assert_eq!(found(&report, Severity::Finding), ["LOGBOEK_VEROUDERD coordinator"]);
    assert_eq!(early(&report)[1], "entries=0");
}

#[test]
fn what_is_missing_in_the_middle_is_told_of_one_by_one() {
    let (world, mut ledgers) = minutes(4);
    without(&mut ledgers, 1);
    let mut expected = vec![
        "BESLUIT_ONTBREEKT_COORDINATOR receipts 2",
        "BESLUIT_ONTBREEKT_COORDINATOR receipts 3",
        "BESLUIT_ONTBREEKT_COORDINATOR toeslagen 2",
        "BESLUIT_ONTBREEKT_COORDINATOR uwv 2",
    ];
    let told = |ledgers: &Ledgers| {
        let mut told = found(&world.audit(ledgers), Severity::Finding);
        told.sort();
        told
    };
    assert_eq!(told(&ledgers), expected);
    // Also where the end is missing as well.
    ledgers.coordinator.truncate(4);
    expected.push("LOGBOEK_VEROUDERD coordinator 3");
    assert_eq!(told(&ledgers), expected);
}

/// A question that was asked before the coordinator's last entry is none of what came later, however late its node
/// decided.
#[test]
fn what_was_asked_before_the_end_is_not_excused() {
    let (world, mut ledgers) = minutes(2);
    let asked = world.now.plus_seconds(-60);
    without(&mut ledgers, 1);
    let start = |at| {
        let software = "test".to_owned();
        Entry::Started(Started { party: oin(COORDINATOR), at, software, torn_bytes: 0 })
    };
    ledgers.coordinator.push(start(asked.plus_seconds(10)));
    for ledger in [&mut ledgers.uwv, &mut ledgers.toeslagen] {
        let Entry::Decision(Decision { at, .. }) = &mut ledger[2] else { panic!("no decision") };
        *at = asked.plus_seconds(20);
    }
    let told = found(&world.audit(&ledgers), Severity::Finding);
    let missing = |ledger: &str| format!("BESLUIT_ONTBREEKT_COORDINATOR {ledger}");
    for ledger in ["receipts 2", "receipts 3", "toeslagen 2"] {
        assert!(told.contains(&missing(ledger)), "{told:?}");
    }
    assert!(!told.iter().any(|one| one.starts_with("LOGBOEK_VEROUDERD")), "{told:?}");
}

/// Somebody asked past the coordinator and got nothing: that alone makes no ledger too short.
#[test]
fn refusals_alone_do_not_say_that_a_ledger_ends_early() {
    let (world, mut ledgers) = minutes(2);
    ledgers.coordinator.truncate(2);
    ledgers.toeslagen.truncate(2);
    ledgers.receipts.truncate(2);
    let report = world.audit(&ledgers);
    assert!(report.holds(), "{report}");
    assert_eq!(found(&report, Severity::Warning), ["GEWEIGERD_BUITEN_COORDINATOR uwv 2"]);
}

/// An entry in which a party decided nothing is no decision that the coordinator lacks.
#[test]
fn what_nothing_was_decided_on_makes_no_ledger_end_early() {
    let (mut world, mut ledgers) = minutes(3);
    ledgers.coordinator.truncate(2);
    for ledger in [&mut ledgers.uwv, &mut ledgers.toeslagen] {
        let Entry::Decision(decision) = &mut ledger[2] else { panic!("no decision") };
        decision.verdicts[0].target = 9;
    }
    // So that all of it is over.
    world.now = world.now.plus_seconds(3600);
    let (party, at, software) = (oin(UWV), world.now, "test".to_owned());
    ledgers.uwv.push(Entry::Started(Started { party, at, software, torn_bytes: 0 }));
    ledgers.receipts.truncate(2);
    let report = world.audit(&ledgers);
    let told = found(&report, Severity::Finding);
    assert!(told.contains(&"LOGBOEK_VEROUDERD coordinator 1".to_owned()), "{told:?}");
    assert!(early(&report)[0].starts_with("queries=1 "), "{report}");
}
