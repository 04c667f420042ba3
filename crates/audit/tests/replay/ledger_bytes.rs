//! Tampering with a ledger's bytes, which its signed checkpoint shows.

use std::iter;

use convenant_audit::{
    Beside, Finding, LedgerKind, LedgerName, Replay, Severity, first_difference,
};
use convenant_ledger::merkle::leaf_hash;
use convenant_model::{Digest, entry::Entry};

use crate::world::{COORDINATOR, UWV, World, at, bytes, found, oin, tree};

/// A ledger of UWV that was signed as `signed` and now reads `now`.
fn audit(world: &World, signed: &[Vec<u8>], now: &[Vec<u8>], tiles: bool) -> Vec<Finding> {
    let name = LedgerName::new(LedgerKind::Node, oin(UWV));
    let signer = world.signer(&name);
    let checkpoint = signer.sign(signed.len() as u64, tree(signed).root(), at()).unwrap();
    finish(world, now, Some(&checkpoint.to_string()), |index| {
        let leaf = signed.get(usize::try_from(index).unwrap()).map(|entry| leaf_hash(entry));
        leaf.filter(|_| tiles)
    })
}

fn finish(
    world: &World,
    now: &[Vec<u8>],
    checkpoint: Option<&str>,
    published: impl Fn(u64) -> Option<Digest>,
) -> Vec<Finding> {
    let evidence = world.evidence();
    let mut replay = Replay::new(&evidence);
    let beside = checkpoint.map_or_else(Beside::default, Beside::signed);
    let mut ledger = replay.ledger(LedgerName::new(LedgerKind::Node, oin(UWV)), beside);
    for (index, entry) in (0..).zip(now) {
        ledger.entry(index, entry);
    }
    let leaves = || now.iter().map(|entry| leaf_hash(entry));
    replay.add(ledger.finish(published, leaves));
    replay.report().findings
}

fn codes(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().map(|one| one.code.as_str()).collect()
}

fn ledger() -> (World, Vec<Vec<u8>>) {
    let mut world = World::new();
    let entries = world.exchanges().uwv.iter().map(bytes).collect();
    (world, entries)
}

#[test]
fn an_altered_entry_is_named_where_the_tiles_tell() {
    let (world, signed) = ledger();
    let mut now = signed.clone();
    let text = String::from_utf8(now[2].clone()).unwrap();
    now[2] = text.replace("\"bytes\":200", "\"bytes\":300").into_bytes();
    assert_ne!(now[2], signed[2]);
    let found = audit(&world, &signed, &now, true);
    let altered = found.iter().find(|one| one.code.as_str() == "LOGBOEK_GEWIJZIGD").unwrap();
    assert_eq!(altered.entry, Some(2));
    let blind = audit(&world, &signed, &now, false);
    let altered = blind.iter().find(|one| one.code.as_str() == "LOGBOEK_GEWIJZIGD").unwrap();
    assert_eq!(altered.entry, None);
    // Hashes that do not lead to the signed root prove nothing about an entry.
    let hashes: Vec<_> = now.iter().map(|entry| leaf_hash(entry)).collect();
    assert_eq!(first_difference(&hashes, |_| Some(hashes[0])), Some(1));
    assert_eq!(first_difference(&hashes, |index| hashes.get(index as usize).copied()), None);
}

#[test]
fn a_ledger_that_was_cut_short_or_grew_is_found() {
    let (world, signed) = ledger();
    assert_eq!(
        codes(&audit(&world, &signed, &signed[..2], true)),
        ["LOGBOEK_INGEKORT", "LOGBOEK_ONTBREEKT"]
    );
    let longer = audit(&world, &signed[..3], &signed, true);
    let found = [
        "REGELS_NIET_GEDEKT",
        "LOGBOEK_ONTBREEKT",
        "LOGBOEK_ONTBREEKT",
        "PERSONEN_NIET_TE_HERBEOORDELEN",
    ];
    assert_eq!(codes(&longer), found);
    assert_eq!(longer[0].entry, Some(3));
}

#[test]
fn bytes_that_are_no_entry_are_named() {
    let (world, mut signed) = ledger();
    signed[2].push(b' ');
    let findings = audit(&world, &signed, &signed, true);
    assert_eq!(findings[0].code.as_str(), "REGEL_ONLEESBAAR");
    assert_eq!(findings[0].entry, Some(2));
}

#[test]
fn a_checkpoint_of_another_key_or_ledger_is_refused() {
    let (world, signed) = ledger();
    assert_eq!(codes(&finish(&world, &signed, None, |_| None))[0], "CONTROLEPUNT_ONTBREEKT");
    let (root, size) = (tree(&signed).root(), signed.len() as u64);
    let other = World::new().signer(&LedgerName::new(LedgerKind::Node, oin(UWV)));
    let another = world.signer(&LedgerName::new(LedgerKind::Coordinator, oin(COORDINATOR)));
    for signer in [other, another] {
        let checkpoint = signer.sign(size, root, at()).unwrap().to_string();
        let findings = finish(&world, &signed, Some(&checkpoint), |_| None);
        assert_eq!(findings[0].code.as_str(), "CONTROLEPUNT_ONGELDIG");
    }
}

#[test]
fn entries_out_of_their_sequence_or_no_longer_whole_are_named() {
    let (world, entries) = ledger();
    let evidence = world.evidence();
    let mut replay = Replay::new(&evidence);
    let name = LedgerName::new(LedgerKind::Node, oin(UWV));
    let mut ledger = replay.ledger(name, Beside::default());
    ledger.entry(0, &entries[0]);
    // The store skips one, and cannot give what follows.
    ledger.entry(2, &entries[1]);
    ledger.damaged(3);
    replay.add(ledger.finish(|_| None, iter::empty));
    let report = replay.report();
    let found = found(&report, Severity::Finding);
    let expected =
        ["CONTROLEPUNT_ONTBREEKT uwv", "REGEL_BESCHADIGD uwv 3", "REGEL_BUITEN_VOLGORDE uwv 2"];
    assert_eq!(found, expected);
    let sequence = report.findings.iter().find(|one| one.entry == Some(2)).unwrap();
    assert_eq!(sequence.expected.as_deref(), Some("entry=1"));
}

#[test]
fn a_damaged_entry_is_told_of_once() {
    let (world, entries) = ledger();
    let evidence = world.evidence();
    let mut replay = Replay::new(&evidence);
    let name = LedgerName::new(LedgerKind::Node, oin(UWV));
    let mut signed = world.signer(&name).sign(4, tree(&entries).root(), at()).unwrap();
    let checkpoint = signed.to_string();
    let witness = LedgerName::new(LedgerKind::Coordinator, oin(COORDINATOR));
    world.signer(&witness).cosign(&mut signed, at()).unwrap();
    let witnessed = vec![signed.to_string().into_bytes()];
    let mut ledger = replay.ledger(name, Beside { witnessed, ..Beside::signed(checkpoint) });
    (0..2).zip(&entries).for_each(|(index, entry)| ledger.entry(index, entry));
    ledger.damaged(2);
    replay.add(ledger.finish(|_| None, iter::empty));
    assert_eq!(found(&replay.report(), Severity::Finding), ["REGEL_BESCHADIGD uwv 2"]);
}

/// What cannot be read may well be there: nobody is accused of it.
#[test]
fn a_damaged_ledger_accuses_nobody_of_what_it_no_longer_tells() {
    let mut world = World::new();
    let ledgers = world.exchanges();
    let evidence = world.evidence();
    for damaged in ledgers.named().map(|(name, _)| name) {
        let mut replay = Replay::new(&evidence);
        for (name, entries) in ledgers.named() {
            let held = world.held(name.clone(), entries);
            let mut ledger = held.begin(&replay);
            let read = if name == damaged { 1 } else { entries.len() };
            (0..).zip(&held.entries[..read]).for_each(|(index, entry)| ledger.entry(index, entry));
            if name == damaged {
                ledger.damaged(1);
            }
            replay.add(ledger.finish(|_| None, iter::empty));
        }
        let report = replay.report();
        let found = found(&report, Severity::Finding);
        let [one] = found.as_slice() else { panic!("{damaged}: {report}") };
        assert!(one.starts_with("REGEL_BESCHADIGD "), "{one}");
        let warned = crate::world::found(&report, Severity::Warning);
        let missed = ["ONTVANGST_ONTBREEKT", "GEWEIGERD_BUITEN", "KNOOPPUNT_NIET_BEREIKT"];
        let accused = |one: &String| missed.iter().any(|code| one.starts_with(code));
        assert!(!warned.iter().any(accused), "{damaged}: {warned:?}");
    }
}

/// Nobody gets rid of a contradiction by damaging what comes after it.
#[test]
fn damage_behind_an_entry_takes_nothing_away_from_what_it_shows() {
    let mut world = World::new();
    let mut ledgers = world.exchanges();
    // The decision that its own signed outcome names is another entry.
    ledgers.uwv[1] = ledgers.uwv[0].clone();
    let evidence = world.evidence();
    let mut replay = Replay::new(&evidence);
    for (name, entries) in ledgers.named() {
        let damaged = name.party == oin(UWV);
        let held = world.held(name, entries);
        let mut ledger = held.begin(&replay);
        let read = if damaged { 2 } else { entries.len() };
        (0..).zip(&held.entries[..read]).for_each(|(index, entry)| ledger.entry(index, entry));
        if damaged {
            ledger.damaged(2);
        }
        replay.add(ledger.finish(|_| None, iter::empty));
    }
    let told = found(&replay.report(), Severity::Finding);
    assert!(told.contains(&"REGEL_BESCHADIGD uwv 2".to_owned()), "{told:?}");
    assert!(told.contains(&"BESLUIT_ONTBREEKT_KNOOPPUNT receipts 0".to_owned()), "{told:?}");
}

#[test]
fn a_ledger_that_is_handed_over_twice() {
    let (world, entries) = ledger();
    let evidence = world.evidence();
    let mut replay = Replay::new(&evidence);
    let name = LedgerName::new(LedgerKind::Node, oin(UWV));
    for size in [2, entries.len()] {
        let signer = world.signer(&name);
        let signed = signer.sign(size as u64, tree(&entries[..size]).root(), at()).unwrap();
        let mut ledger = replay.ledger(name.clone(), Beside::signed(signed.to_string()));
        (0..).zip(&entries[..size]).for_each(|(index, entry)| ledger.entry(index, entry));
        replay.add(ledger.finish(|_| None, iter::empty));
    }
    let report = replay.report();
    assert_eq!(found(&report, Severity::Finding), ["LOGBOEK_DUBBEL uwv"]);
    // The figures count one of them, the longer.
    let [one] = report.ledgers.as_slice() else { panic!("{report}") };
    assert_eq!(one.counts.entries, entries.len() as u64);
    assert_eq!(report.answers.hours.iter().sum::<u64>(), 2);
}

#[test]
fn a_start_after_a_crash_is_noted() {
    let mut world = World::new();
    let mut ledgers = world.exchanges();
    let Entry::Started(started) = &mut ledgers.toeslagen[0] else { panic!("not a start") };
    started.torn_bytes = 17;
    let notes = found(&world.audit(&ledgers), Severity::Note);
    assert!(notes.contains(&"HERSTART_NA_STORING toeslagen 0".to_owned()), "{notes:?}");
}

#[test]
fn a_register_that_does_not_verify_is_found_and_counts_no_further() {
    let mut world = World::new();
    let ledgers = world.exchanges();
    let mut documents = world.documents();
    // The mandate's signature is the last to be checked.
    let last = documents.last_mut().unwrap();
    let at = last.len() - 20;
    last[at] = if last[at] == b'A' { b'B' } else { b'A' };
    let evidence = world.evidence_with(documents, None);
    assert_eq!(evidence.findings()[0].entry, Some(11));
    let report = world.audit_with(&evidence, &ledgers);
    let found = found(&report, Severity::Finding);
    // The cause before what follows from it.
    assert_eq!(found[0], "REGISTER_DOCUMENT register 11", "{found:?}");
    // Who holds the key that signed the receipts, that document told: nobody is accused of it.
    assert!(!found.iter().any(|one| one.starts_with("SLEUTEL_ONBEKEND")), "{found:?}");
    let told = crate::world::found(&report, Severity::Warning);
    assert!(told.contains(&"SLEUTEL_NIET_NA_TE_GAAN receipts".to_owned()), "{told:?}");
}

#[test]
fn tiles_that_do_not_follow_from_sound_entries_are_one_finding() {
    let (world, signed) = ledger();
    let name = LedgerName::new(LedgerKind::Node, oin(UWV));
    let checkpoint = world.signer(&name).sign(signed.len() as u64, tree(&signed).root(), at());
    let checkpoint = checkpoint.unwrap().to_string();
    let evidence = world.evidence();
    let told = |entries: &[Vec<u8>]| {
        let mut replay = Replay::new(&evidence);
        let mut ledger = replay.ledger(name.clone(), Beside::signed(checkpoint.as_bytes()));
        (0..).zip(entries).for_each(|(index, entry)| ledger.entry(index, entry));
        let tiles = ["tile/0/000.p/7", "tile/entries/000.p/7"];
        ledger.tiles_unlike(tiles.map(str::to_owned).to_vec());
        replay.add(ledger.finish(|_| None, iter::empty));
        let report = replay.report();
        let text = report.findings.first().and_then(|one| one.found.clone());
        (found(&report, Severity::Finding), text)
    };
    let (tiles, text) = told(&signed);
    assert_eq!(tiles, ["TEGEL_AFWIJKEND uwv"]);
    assert_eq!(text.as_deref(), Some("tiles=2 tile=tile/0/000.p/7"));
    // Entries that are not those that were signed say nothing about a tile.
    let other: Vec<_> = signed.iter().rev().cloned().collect();
    assert!(told(&other).0.iter().all(|one| !one.starts_with("TEGEL_AFWIJKEND")));
}
