//! A ledger of the coordinator of which not all could be read: what is counted by it says how much was.

use std::iter;

use convenant_audit::{Beside, Code, LedgerKind, LedgerName, Replay, Report};
use serde_json::Value;

use crate::world::{COORDINATOR, Held, Ledgers, World, found, oin};

/// At a weekend, so that there is something unusual to tell.
fn world() -> (World, Ledgers) {
    let mut world = World::new();
    world.now = "2026-05-02T10:00:00.000Z".parse().unwrap();
    let ledgers = world.exchanges();
    (world, ledgers)
}

/// The coordinator signed seven entries, and of them so many are left.
fn cut(world: &World, ledgers: &Ledgers, read: usize) -> Report {
    let held = ledgers.named().into_iter().map(|(name, entries)| world.held(name, entries));
    let mut held: Vec<Held> = held.collect();
    held[0].entries.truncate(read);
    world.audit_held(&world.evidence(), &held)
}

#[test]
fn what_is_counted_by_a_part_says_how_much_of_it_was_read() {
    let (world, ledgers) = world();
    let report = cut(&world, &ledgers, 2);
    let coordinator = report.answers.coordinator.as_ref().unwrap();
    assert_eq!((coordinator.read, coordinator.signed, coordinator.whole), (2, Some(7), false));
    assert!(report.answers.by_coordinator);
    let text = report.to_string();
    for said in [
        format!("Logboek coordinator/{COORDINATOR}: 2 regels gelezen, niet alle\n"),
        "  controlepunt: de handtekening klopt, over 7 regels\n".to_owned(),
        "  van 7 ondertekende regels zijn er 2 gelezen; deze cijfers zijn dus te laag\n".to_owned(),
    ] {
        assert!(text.contains(&said), "{said} in {text}");
    }
    assert!(!text.contains(&report.ledgers[0].root.to_string()), "a root over a part: {text}");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["answers"]["coordinator"]["signed"], 7);
    assert_eq!(
        (&json["ledgers"][0]["whole"], &json["ledgers"][0]["signed"]),
        (&false.into(), &7.into())
    );

    let whole = cut(&world, &ledgers, 7);
    let coordinator = whole.answers.coordinator.as_ref().unwrap();
    assert_eq!((coordinator.read, coordinator.signed, coordinator.whole), (7, Some(7), true));
    assert!(!whole.to_string().contains("te laag"), "{whole}");
}

#[test]
fn where_nothing_could_be_read_the_nodes_tell() {
    let (world, ledgers) = world();
    let [nothing, absent] =
        [cut(&world, &ledgers, 0), world.audit_without(&ledgers, LedgerKind::Coordinator)];
    assert!(absent.answers.coordinator.is_none());
    let coordinator = nothing.answers.coordinator.as_ref().unwrap();
    assert_eq!((coordinator.read, coordinator.signed, coordinator.whole), (0, Some(7), false));
    let [told, expected] =
        [&nothing, &absent].map(|report| serde_json::to_value(&report.answers).unwrap());
    let members = ["by_coordinator", "askers", "sources", "refusals", "days", "hours", "kept"];
    for member in members {
        assert_eq!(told[member], expected[member], "{member}");
    }
    assert_eq!(told["askers"][0]["permitted"], Value::from(4), "as many as the nodes permitted");
    let odd = |report: &Report| {
        let odd = report.findings.iter().filter(|one| one.code == Code::OddHours);
        odd.map(|one| one.ledger.clone()).collect::<Vec<_>>()
    };
    assert_eq!((odd(&nothing).len(), odd(&nothing)), (2, odd(&absent)));
    let text = nothing.to_string();
    assert!(text.contains("van 7 ondertekende regels zijn er 0 gelezen;"), "{text}");
}

/// What the coordinator signed may be an old copy, of which others know more.
#[test]
fn a_ledger_of_which_others_know_more_was_not_read_to_its_end() {
    let mut world = World::new();
    let mut ledgers = Ledgers::default();
    for _ in 0..2 {
        world.exchange(&mut ledgers, &|_| {}, false);
        world.now = world.now.plus_seconds(60);
    }
    ledgers.coordinator.truncate(2);
    let report = world.audit(&ledgers);
    assert!(report.findings.iter().any(|one| one.code == Code::EndsEarly), "{report}");
    let coordinator = report.answers.coordinator.unwrap();
    assert_eq!((coordinator.read, coordinator.signed, coordinator.whole), (2, Some(2), false));
}

/// Without a signature nobody knows how many there should be, and behind a damaged entry nobody sees.
#[test]
fn an_end_that_nobody_signed_is_no_end() {
    let (world, ledgers) = world();
    let evidence = world.evidence();
    let name = LedgerName::new(LedgerKind::Coordinator, oin(COORDINATOR));
    let held = world.held(name.clone(), &ledgers.coordinator);
    let audit = |beside: Beside, damaged: bool| {
        let mut replay = Replay::new(&evidence);
        let mut ledger = replay.ledger(name.clone(), beside);
        (0..).zip(&held.entries).for_each(|(index, entry)| ledger.entry(index, entry));
        if damaged {
            ledger.damaged(held.entries.len() as u64);
        }
        replay.add(ledger.finish(|_| None, iter::empty));
        let report = replay.report();
        let coordinator = report.answers.coordinator.clone().unwrap();
        let unsure =
            report.to_string().contains("staat niet vast; deze cijfers kunnen dus te laag");
        (coordinator.signed, coordinator.whole, report.ledgers[0].whole, unsure)
    };
    assert_eq!(audit(Beside::default(), false), (None, false, true, true));
    assert_eq!(audit(Beside::default(), true), (None, false, false, true));
    let signed = || Beside::signed(held.checkpoint.as_bytes());
    assert_eq!(audit(signed(), false), (Some(7), true, true, false));
    assert_eq!(audit(signed(), true), (Some(7), false, false, true));
    let altered = [&held.entries[..6], &held.entries[..1]].concat();
    let altered = Held { entries: altered, ..held };
    let report = world.audit_held(&evidence, &[altered]);
    assert!(found(&report, convenant_audit::Severity::Finding)[0].starts_with("LOGBOEK_GEWIJZIGD"));
    let said = "controlepunt: de handtekening klopt, over 7 regels, en geldt niet voor deze regels";
    assert!(report.to_string().contains(said), "{report}");
}
