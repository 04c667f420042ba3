//! A ledger that was altered, that lacks an entry, or that is an old copy: one finding each, and nobody is accused of what
//! follows from it.

use convenant_audit::{Beside, LedgerKind, LedgerName, Replay, Report, Severity, Statement};
use convenant_ledger::merkle::leaf_hash;

use crate::world::{COORDINATOR, Held, Ledgers, UWV, World, at, bytes, found, oin, tree};

fn uwv() -> LedgerName {
    LedgerName::new(LedgerKind::Node, oin(UWV))
}

fn coordinator() -> LedgerName {
    LedgerName::new(LedgerKind::Coordinator, oin(COORDINATOR))
}

/// Some exchanges, an hour between them.
fn exchanges(number: usize) -> (World, Ledgers) {
    let (mut world, mut ledgers) = (World::new(), Ledgers::default());
    for _ in 0..number {
        world.exchange(&mut ledgers, &|_| {}, false);
        world.now = world.now.plus_seconds(3600);
    }
    (world, ledgers)
}

/// What a witness holds of a ledger with these entries.
fn statement(world: &World, of: &LedgerName, entries: &[Vec<u8>]) -> Statement {
    let mut signed =
        world.signer(of).sign(entries.len() as u64, tree(entries).root(), at()).unwrap();
    let by = if *of == uwv() { coordinator() } else { uwv() };
    world.signer(&by).cosign(&mut signed, at()).unwrap();
    Statement { by, note: signed.to_string().into_bytes() }
}

/// Audits what is left after a change, with the tiles as they were; a witness holds what it was, and what `more` says.
fn audit(
    (world, ledgers): &(World, Ledgers),
    of: &LedgerName,
    tiles: bool,
    more: &[Statement],
    change: impl Fn(&mut Held),
) -> Report {
    let evidence = world.evidence();
    let mut replay = Replay::new(&evidence);
    for (name, entries) in ledgers.named() {
        let mut held = world.held(name, entries);
        let published: Vec<_> = held.entries.iter().map(|entry| leaf_hash(entry)).collect();
        let mut statements = vec![statement(world, &held.name, &held.entries)];
        if held.name == *of {
            statements.extend(more.iter().cloned());
            change(&mut held);
        }
        if held.name.kind == LedgerKind::Receipts {
            statements.clear();
        }
        let checkpoint = Some(held.checkpoint.clone().into_bytes());
        let beside = Beside { checkpoint, statements, ..Beside::default() };
        let mut ledger = replay.ledger(held.name.clone(), beside);
        (0..).zip(&held.entries).for_each(|(index, entry)| ledger.entry(index, entry));
        let tile =
            |index: u64| published.get(usize::try_from(index).unwrap()).copied().filter(|_| tiles);
        replay.add(ledger.finish(tile, || held.entries.iter().map(|entry| leaf_hash(entry))));
    }
    replay.report()
}

#[test]
fn an_entry_that_was_altered_makes_no_second_history() {
    let case = exchanges(3);
    let alter = |held: &mut Held| {
        let text = String::from_utf8(held.entries[3].clone()).unwrap();
        held.entries[3] = text.replace("\"bytes\":200", "\"bytes\":300").into_bytes();
    };
    for tiles in [true, false] {
        let told = found(&audit(&case, &uwv(), tiles, &[], alter), Severity::Finding);
        let named = if tiles { "LOGBOEK_GEWIJZIGD uwv 3" } else { "LOGBOEK_GEWIJZIGD uwv" };
        assert!(told.contains(&named.to_owned()), "{told:?}");
        assert!(!told.iter().any(|one| one.starts_with("LOGBOEK_VERTAKT")), "{told:?}");
    }
    // Whoever signed two histories does not get away with it by altering an entry as well.
    let mut other: Vec<_> = case.1.uwv.iter().map(bytes).collect();
    other[1] = other[0].clone();
    for (size, tiles) in [(other.len(), true), (other.len(), false), (4, true)] {
        let more = [statement(&case.0, &uwv(), &other[..size])];
        let told = found(&audit(&case, &uwv(), tiles, &more, alter), Severity::Finding);
        let forked = format!("LOGBOEK_VERTAKT uwv {}", size - 1);
        assert!(told.contains(&forked), "{tiles} {told:?}");
    }
}

#[test]
fn an_entry_that_was_taken_out_is_named_and_what_it_moved_is_nobodys_fault() {
    let case = exchanges(3);
    for (of, short) in [(uwv(), "uwv"), (coordinator(), "coordinator")] {
        for taken in [1, 2, 5] {
            let report = audit(&case, &of, true, &[], |held| drop(held.entries.remove(taken)));
            let code = if taken == 5 { "LOGBOEK_INGEKORT" } else { "LOGBOEK_GEWIJZIGD" };
            let told = found(&report, Severity::Finding);
            assert_eq!(told, [format!("{code} {short} {taken}")], "{report}");
            assert!(!report.to_string().contains("UITWISSELING_OPEN"), "{report}");
        }
    }
}

#[test]
fn an_old_copy_that_a_witness_knows_to_be_one_accuses_nobody_of_what_came_later() {
    let case = exchanges(3);
    for (of, short) in [(uwv(), "uwv"), (coordinator(), "coordinator")] {
        let report = audit(&case, &of, true, &[], |held| {
            held.entries.truncate(2);
            let signer = case.0.signer(&held.name);
            let signed = signer.sign(2, tree(&held.entries).root(), at()).unwrap();
            held.checkpoint = signed.to_string();
        });
        let told = found(&report, Severity::Finding);
        assert_eq!(told, [format!("LOGBOEK_TERUGGEZET {short} 2")], "{report}");
    }
}

/// Anybody may put entries behind those that a party signed for; but who does not sign hides nothing by that. So it is found,
/// beside that nobody signed for it.
#[test]
fn what_nobody_signed_for_is_found_beside_that() {
    let case = exchanges(2);
    let report = audit(&case, &uwv(), true, &[], |held| held.entries.push(held.entries[0].clone()));
    let told = found(&report, Severity::Finding);
    assert!(told.contains(&"BESLUIT_DUBBEL uwv 4".to_owned()), "{told:?}");
    let told = found(&report, Severity::Warning);
    assert!(told.contains(&"REGELS_NIET_GEDEKT uwv 4".to_owned()), "{told:?}");
}
