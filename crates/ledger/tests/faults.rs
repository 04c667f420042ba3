//! Every durable step of a ledger fails in turn, also "failed but persisted": what was acknowledged
//! is there after a restart, and what is there is proven.

#![cfg(test)]

use convenant_ledger::{
    AppendError, CommitError, EntryBytes, Ledger, OpenError, Recorded, frame,
    merkle::{Frontier, leaf_hash, verify_consistency, verify_inclusion},
};
use proptest::prelude::*;

use crate::support::{Bench, Fault, MemoryStore, entry, now, started};

mod support;

/// A fault in the second of three groups, and what must come of it.
struct Case {
    fault: Fault,
    /// Whether the group is acknowledged all the same.
    acknowledged: bool,
    /// Whether the ledger refuses everything until it is opened anew.
    poisoned: bool,
    /// Entries of the group of four that are there after a restart.
    kept: u64,
    /// Whether recovery finds a torn entry.
    torn: bool,
}

const fn case(fault: Fault, acknowledged: bool, poisoned: bool, kept: u64, torn: bool) -> Case {
    Case { fault, acknowledged, poisoned, kept, torn }
}

const CASES: [Case; 9] = [
    case(Fault::Full, false, false, 0, false),
    case(Fault::Refused, false, false, 0, false),
    case(Fault::Unknown { persisted: 0 }, false, true, 0, true),
    case(Fault::Unknown { persisted: 100 }, false, true, 1, true),
    case(Fault::Unknown { persisted: 127 }, false, true, 2, false),
    case(Fault::Unknown { persisted: 255 }, false, true, 4, false),
    case(Fault::Tile, true, false, 4, false),
    case(Fault::Checkpoint, true, false, 4, false),
    case(Fault::Remove, true, false, 4, false),
];

#[test]
fn every_step_fails() {
    for case in CASES {
        let bench = Bench::new();
        let (mut ledger, _) = bench.open().unwrap();
        commit(&mut ledger, 0..3).unwrap();
        ledger.publish(now()).unwrap();
        bench.store.fail(case.fault);
        let second = commit(&mut ledger, 10..14);
        assert_eq!(second.is_ok(), case.acknowledged, "{:?}", case.fault);
        assert_eq!(ledger.publish(now()).is_err(), case.acknowledged, "{:?}", case.fault);
        assert_eq!(ledger.is_poisoned(), case.poisoned, "{:?}", case.fault);

        let third = commit(&mut ledger, 20..22);
        assert_eq!(third.is_err(), case.poisoned, "{:?}", case.fault);
        assert!(!case.poisoned || matches!(third, Err(CommitError::Poisoned)));
        drop(ledger);

        let (ledger, recovery) = bench.open().unwrap();
        let third = if case.poisoned { 0 } else { 2 };
        assert_eq!(recovery.entries, 3 + case.kept + third, "{:?}", case.fault);
        assert_eq!(recovery.torn_bytes > 0, case.torn, "{:?}", case.fault);
        check_proofs(&ledger);
    }
}

#[test]
fn a_full_disk_is_told_apart() {
    let bench = Bench::new();
    let (mut ledger, _) = bench.open().unwrap();
    bench.store.fail(Fault::Full);
    let refused = commit(&mut ledger, 0..1);
    assert!(matches!(refused, Err(CommitError::Append(AppendError::Full(_)))));
    commit(&mut ledger, 0..1).unwrap();
}

#[test]
fn a_position_records_its_own_entry_only() {
    let bench = Bench::new();
    let (mut ledger, _) = bench.open().unwrap();
    let positions = ledger.commit(&[entry(1), entry(2)]).unwrap();
    assert!(Recorded::new(started(1), &positions[1]).is_err());
    let recorded = Recorded::new(started(2), &positions[1]).unwrap();
    assert_eq!((recorded.index(), recorded.item()), (1, &started(2)));
}

#[test]
fn damage_names_the_entry() {
    let bench = filled();
    bench.store.0.borrow_mut().segment[400] ^= 1;
    let error = bench.open().unwrap_err();
    let OpenError::Damaged { place } = &error else { panic!("{error}") };
    let expected = 400 / frame_length();
    assert_eq!((place.index, place.offset), (expected, expected * frame_length()));
    assert!(error.to_string().contains("segment `memory`"), "{error}");
}

#[test]
fn an_entry_replaced_with_a_good_checksum_is_named_by_the_tiles() {
    let bench = filled();
    replace_entry(&bench, 1);
    let error = bench.open().unwrap_err();
    assert!(
        matches!(&error, OpenError::Altered { place, size: 300 } if place.index == 1),
        "{error}"
    );

    // Without tiles that lead to the signed root, only the roots can be shown.
    bench.store.0.borrow_mut().files.retain(|path, _| path == "checkpoint");
    assert!(matches!(bench.open(), Err(OpenError::Root { size: 300, .. })));
}

#[test]
fn entries_that_vanish_are_missed() {
    let bench = filled();
    let cut = (frame_length() * 299) as usize;
    bench.store.0.borrow_mut().segment.truncate(cut);
    let error = bench.open().unwrap_err();
    assert!(
        matches!(&error, OpenError::Shortened { end, size: 300 } if end.index == 299),
        "{error}"
    );

    // Half an entry is a torn write only behind the checkpoint.
    let bench = filled();
    bench.store.0.borrow_mut().segment.truncate(cut + 50);
    let error = bench.open().unwrap_err();
    assert!(
        matches!(&error, OpenError::Shortened { end, size: 300 } if end.index == 299),
        "{error}"
    );
}

#[test]
fn the_checkpoint_of_another_key_is_refused() {
    let (bench, other) = (filled(), filled());
    let theirs = other.store.0.borrow().files["checkpoint"].clone();
    bench.store.0.borrow_mut().files.insert("checkpoint".into(), theirs);
    assert!(matches!(bench.open(), Err(OpenError::Checkpoint(_))));
}

#[test]
fn all_but_the_entries_can_be_made_again() {
    let bench = filled();
    let before = bench.store.0.borrow().files.clone();
    bench.store.0.borrow_mut().files.clear();
    let (ledger, recovery) = bench.open().unwrap();
    assert_eq!((recovery.entries, recovery.uncovered), (300, 300));
    assert_eq!(bench.store.0.borrow().files, before);
    drop(ledger);

    bench.store.0.borrow_mut().files.insert("tile/0/000".into(), b"rubbish".to_vec());
    bench.store.0.borrow_mut().files.remove("tile/entries/001.p/44");
    let (_, recovery) = bench.open().unwrap();
    assert_eq!((recovery.tiles_made, recovery.uncovered), (2, 0));
    assert_eq!(bench.store.0.borrow().files, before);
}

#[derive(Clone, Debug)]
enum Step {
    Commit(u8),
    Fail(Fault),
    Publish,
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let fault = prop_oneof![
        Just(Fault::Full),
        any::<u8>().prop_map(|persisted| Fault::Unknown { persisted }),
        Just(Fault::Tile),
        Just(Fault::Checkpoint),
    ];
    let step = prop_oneof![
        5 => (1_u8..120).prop_map(Step::Commit),
        2 => fault.prop_map(Step::Fail),
        3 => Just(Step::Publish),
        2 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn whatever_happens_the_acknowledged_entries_stay(steps in steps()) {
        let bench = Bench::new();
        let (mut ledger, _) = bench.open().unwrap();
        let (mut next, mut acknowledged) = (0, Vec::new());
        for step in steps {
            match step {
                Step::Commit(count) => {
                    let numbers = next..next + u64::from(count);
                    next = numbers.end;
                    if let Ok(positions) = commit(&mut ledger, numbers.clone()) {
                        acknowledged.extend(positions.into_iter().zip(numbers));
                    }
                }
                Step::Fail(fault) => bench.store.fail(fault),
                Step::Publish => drop(ledger.publish(now())),
                Step::Restart => {
                    bench.store.0.borrow_mut().fault = None;
                    drop(ledger);
                    ledger = bench.open().unwrap().0;
                }
            }
        }
        bench.store.0.borrow_mut().fault = None;
        drop(ledger);
        let (ledger, _) = bench.open().unwrap();
        let entries = ledger.entries(0..u64::MAX).unwrap();
        for (index, number) in acknowledged {
            let expected = entry(number);
            prop_assert_eq!(entries[index as usize].as_slice(), expected.as_bytes());
        }
        check_proofs(&ledger);
    }
}

fn commit(
    ledger: &mut Ledger<MemoryStore>,
    numbers: std::ops::Range<u64>,
) -> Result<Vec<u64>, CommitError> {
    let group: Vec<EntryBytes> = numbers.map(entry).collect();
    Ok(ledger.commit(&group)?.iter().map(|position| position.index()).collect())
}

/// The tree is the one over the entries, and proofs from the tiles verify.
fn check_proofs(ledger: &Ledger<MemoryStore>) {
    let entries = ledger.entries(0..u64::MAX).unwrap();
    let (mut tree, size) = (Frontier::default(), entries.len() as u64);
    assert_eq!(size, ledger.size());
    let mut roots = vec![tree.root()];
    for entry in &entries {
        tree.append(leaf_hash(entry));
        roots.push(tree.root());
    }
    assert_eq!(tree.root(), ledger.root());
    for (index, bytes) in (0..size).zip(&entries).step_by(7) {
        let proof = ledger.inclusion_proof(index, size).unwrap();
        let leaf = leaf_hash(bytes);
        assert_eq!(verify_inclusion(&leaf, index, size, &proof, &ledger.root()), Ok(()));
        let proof = ledger.consistency_proof(index, size).unwrap();
        let old = roots[index as usize];
        assert_eq!(verify_consistency(index, size, &old, &ledger.root(), &proof), Ok(()));
        assert_eq!(ledger.root_at(index).unwrap(), old);
    }
}

/// 300 entries of one length in groups of one, published.
fn filled() -> Bench {
    let bench = Bench::new();
    let (mut ledger, _) = bench.open().unwrap();
    for number in 1000..1300 {
        commit(&mut ledger, number..number + 1).unwrap();
    }
    ledger.publish(now()).unwrap();
    bench
}

fn frame_length() -> u64 {
    (frame::HEADER + entry(1000).as_bytes().len()) as u64
}

fn replace_entry(bench: &Bench, index: u64) {
    let mut forged = Vec::new();
    frame::encode(&mut forged, index, index, entry(9999).as_bytes());
    let start = (index * frame_length()) as usize;
    bench.store.0.borrow_mut().segment[start..start + forged.len()].copy_from_slice(&forged);
}
