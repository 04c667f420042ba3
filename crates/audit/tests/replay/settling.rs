//! Exchanges that all parties told of are let go of while ledgers are read, and what turns up of one of them later is
//! found all the same. That the report is the same as where everything is kept, every audit of a world sees to.

use std::convert::Infallible;

use convenant_audit::{LedgerKind, Severity, audit_looking_every};

use crate::world::{Held, Ledgers, World, found, side_by_side};

/// Some exchanges, an hour between them.
fn exchanges(world: &mut World, number: usize) -> Ledgers {
    let mut ledgers = Ledgers::default();
    for _ in 0..number {
        world.exchange(&mut ledgers, &|_| {}, false);
        world.now = world.now.plus_seconds(3600);
    }
    ledgers
}

/// How often everything is read.
fn passes(world: &World, ledgers: &Ledgers, without: Option<LedgerKind>) -> usize {
    let named = ledgers.named().into_iter().filter(|(name, _)| Some(name.kind) != without);
    let held: Vec<Held> = named.map(|(name, entries)| world.held(name, entries)).collect();
    let mut passes = 0;
    let report = audit_looking_every(1, &world.evidence(), |replay| {
        passes += 1;
        side_by_side(replay, &held);
        Ok::<_, Infallible>(())
    });
    report.unwrap();
    passes
}

#[test]
fn one_pass_is_enough_where_everything_is_told_in_its_time() {
    let mut world = World::new();
    let ledgers = exchanges(&mut world, 5);
    assert_eq!(found(&world.audit(&ledgers), Severity::Finding), [""; 0]);
    assert_eq!(passes(&world, &ledgers, None), 1);
}

/// An entry of an exchange that is over is found, whichever it is: so it was over, and read once more.
#[test]
fn what_turns_up_later_is_found() {
    type Later = fn(&mut Ledgers);
    let cases: [(&str, Later); 4] = [
        ("BESLUIT_DUBBEL coordinator 10", |all| {
            all.coordinator.push(all.coordinator[0].clone());
        }),
        ("UITKOMST_DUBBEL coordinator 10", |all| {
            all.coordinator.push(all.coordinator[1].clone());
        }),
        ("UITKOMST_DUBBEL uwv 10", |all| all.uwv.push(all.uwv[1].clone())),
        ("ONTVANGST_DUBBEL receipts 10", |all| all.receipts.push(all.receipts[0].clone())),
    ];
    for (finding, later) in cases {
        let mut world = World::new();
        let mut ledgers = exchanges(&mut world, 5);
        later(&mut ledgers);
        let report = world.audit(&ledgers);
        let mut told = found(&report, Severity::Finding);
        told.extend(found(&report, Severity::Warning));
        assert!(told.contains(&finding.to_owned()), "{finding}: {told:?}");
        assert_eq!(passes(&world, &ledgers, None), 2, "{finding}");
    }
}

/// What is told of an exchange by some of the ledgers is enough where the others are not there.
#[test]
fn ledgers_that_are_not_there_hold_nothing_up() {
    for without in [LedgerKind::Coordinator, LedgerKind::Node, LedgerKind::Receipts] {
        let mut world = World::new();
        let mut ledgers = exchanges(&mut world, 5);
        assert_eq!(passes(&world, &ledgers, Some(without)), 1);
        let own = if without == LedgerKind::Coordinator {
            &mut ledgers.uwv
        } else {
            &mut ledgers.coordinator
        };
        own.push(own[1].clone());
        world.audit_without(&ledgers, without);
        assert_eq!(passes(&world, &ledgers, Some(without)), 2, "{without:?}");
    }
}
