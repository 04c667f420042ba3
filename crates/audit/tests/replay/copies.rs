//! Several copies of one ledger: equal, older, or of another history.

use std::iter;

use convenant_audit::{
    Beside, Counted, Finding, LedgerCopy, LedgerKind, LedgerName, Replay, Report, Severity,
};
use convenant_ledger::merkle::leaf_hash;

use crate::world::{COORDINATOR, UWV, World, at, bytes, found, oin, tree};

fn uwv() -> LedgerName {
    LedgerName::new(LedgerKind::Node, oin(UWV))
}

fn ledger() -> (World, Vec<Vec<u8>>) {
    let mut world = World::new();
    let entries = world.exchanges().uwv.iter().map(bytes).collect();
    (world, entries)
}

/// The entries with another one at an index.
fn other(entries: &[Vec<u8>], index: usize) -> Vec<Vec<u8>> {
    let mut entries = entries.to_vec();
    entries[index] = entries[0].clone();
    entries
}

/// A copy, with the checkpoint of these entries as UWV signs it.
fn copy(world: &World, folder: &str, entries: &[Vec<u8>], signed: &[Vec<u8>]) -> LedgerCopy {
    let signed = world.signer(&uwv()).sign(signed.len() as u64, tree(signed).root(), at());
    LedgerCopy {
        folder: folder.to_owned(),
        checkpoint: Some(signed.unwrap().to_string().into_bytes()),
        leaves: entries.iter().map(|entry| leaf_hash(entry)).collect(),
        damaged: None,
    }
}

/// Which copy counts, and what is told of them.
fn held(world: &World, copies: &[LedgerCopy]) -> (Which, Report) {
    let evidence = world.evidence();
    let mut replay = Replay::new(&evidence);
    let Counted { copy, agree, findings } = evidence.compare_copies(&uwv(), copies).unwrap();
    replay.find(findings);
    ((copy, agree), replay.report())
}

/// The number of the copy that counts, and of those that agree with it.
type Which = (usize, Vec<usize>);

fn counted(copy: usize, agree: &[usize]) -> Which {
    (copy, agree.to_vec())
}

#[test]
fn of_equal_and_older_copies_the_longest_counts_and_the_others_are_named() {
    let (world, all) = ledger();
    let of = |folder, size: usize| copy(&world, folder, &all[..size], &all[..size]);
    let (which, report) = held(&world, &[of("old", 2), of("one", 4), of("same", 4)]);
    assert_eq!(which, counted(1, &[0, 2]));
    assert!(report.holds(), "{report}");
    assert_eq!(found(&report, Severity::Note), ["LOGBOEK_KOPIE uwv", "LOGBOEK_KOPIE uwv"]);
    let told = report.findings.iter().map(|one| (&one.expected, &one.found));
    let told: Vec<_> =
        told.map(|(one, two)| [one, two].map(|text| text.clone().unwrap())).collect();
    let expected = ["entries=2 in `old`", "entries=4 in `same`"]
        .map(|found| ["entries=4 in `one`".to_owned(), found.to_owned()]);
    assert_eq!(told, expected);
}

#[test]
fn a_copy_that_is_no_longer_whole_is_told_as_that() {
    let (world, all) = ledger();
    let one = copy(&world, "one", &all, &all);
    let cut = copy(&world, "cut", &all[..3], &all);
    let damaged = LedgerCopy { damaged: Some(2), ..copy(&world, "damaged", &all[..2], &all) };
    let (which, report) = held(&world, &[one.clone(), cut.clone(), damaged.clone()]);
    assert_eq!(which, counted(0, &[1, 2]));
    let told = ["LOGBOEK_KOPIE_BESCHADIGD uwv 2", "LOGBOEK_KOPIE_BESCHADIGD uwv 3"];
    assert_eq!(found(&report, Severity::Warning), told);
    assert!(report.holds() && found(&report, Severity::Note).is_empty(), "{report}");
    let [at_two, at_three] = report.findings.as_slice() else { panic!("{report}") };
    assert_eq!(at_two.expected.as_deref(), Some("entries=4 in `one`"));
    assert_eq!(at_three.expected.as_deref(), Some("size=4"));
    // Of two of which neither is whole, the longer counts.
    let (which, report) = held(&world, &[damaged, cut]);
    assert_eq!(which, counted(1, &[0]));
    assert_eq!(found(&report, Severity::Warning), ["LOGBOEK_KOPIE_BESCHADIGD uwv 2"]);
    // A checkpoint that is none, or another ledger's, says nothing of an end.
    let coordinator = LedgerName::new(LedgerKind::Coordinator, oin(COORDINATOR));
    let theirs = world.signer(&coordinator).sign(9, tree(&all).root(), at()).unwrap().to_string();
    for other in [String::new(), theirs] {
        let other = LedgerCopy { checkpoint: Some(other.into_bytes()), ..one.clone() };
        let (_, report) = held(&world, &[one.clone(), other]);
        assert_eq!(found(&report, Severity::Finding), ["CONTROLEPUNT_ONGELDIG uwv"]);
        assert_eq!(found(&report, Severity::Note), ["LOGBOEK_KOPIE uwv"]);
        assert_eq!(found(&report, Severity::Warning), [""; 0]);
    }
}

/// What a party signed is its own, whatever the entries say: nobody hides behind another's name.
#[test]
fn entries_that_a_party_signed_are_its_own() {
    let (world, all) = ledger();
    let evidence = world.evidence();
    let signed = |entries, over| evidence.has_signed(&uwv(), &copy(&world, "one", entries, over));
    assert!(signed(&all, &all) && signed(&all, &all[..2]));
    assert!(!signed(&all, &other(&all, 2)));
}

#[test]
fn what_lies_in_a_folder_besides_is_told() {
    let (world, all) = ledger();
    let evidence = world.evidence();
    let mut replay = Replay::new(&evidence);
    let signed = copy(&world, "one", &all, &all).checkpoint.unwrap();
    let behind = Finding::behind(&uwv(), "segments/0.seg", 6);
    replay.find([behind, Finding::misnamed(&uwv(), "witnessing/other", &signed)]);
    replay.find(Finding::tiles_of_register(&["tile/0/000.p/3".to_owned()]));
    let report = replay.report();
    assert_eq!(found(&report, Severity::Note), ["BYTES_NA_LAATSTE_REGEL uwv"]);
    let findings = found(&report, Severity::Finding);
    assert!(findings.contains(&"GETUIGENIS_ONGELDIG uwv".to_owned()), "{findings:?}");
    assert!(findings.contains(&"TEGEL_AFWIJKEND register".to_owned()), "{findings:?}");
    let told = report.to_string();
    assert!(told.contains("vastgelegd: bytes: 6 in `segments/0.seg`"), "{told}");
    assert!(told.contains(&format!("logboek: convenant.{}, omvang: 4 in `", uwv())), "{told}");
    assert_eq!(Finding::tiles_of_register(&[]), None);
}

#[test]
fn two_histories_that_a_party_signed_are_a_fork_at_the_first_entry_that_differs() {
    let (world, all) = ledger();
    let forked = other(&all, 2);
    let copies = [copy(&world, "one", &all, &all), copy(&world, "two", &forked, &forked)];
    let (which, report) = held(&world, &copies);
    assert_eq!(which, counted(0, &[]));
    assert_eq!(found(&report, Severity::Finding), ["LOGBOEK_VERTAKT uwv 2"]);
    let [one] = report.findings.as_slice() else { panic!("{report}") };
    let told = [&one.expected, &one.found].map(|text| text.clone().unwrap());
    let hash = |entries: &[Vec<u8>]| leaf_hash(&entries[2]);
    assert_eq!(told[0], format!("hash={} in `one`", hash(&all)));
    assert_eq!(told[1], format!("hash={} in `two`", hash(&forked)));
}

/// Whoever adds to a copy, or changes it, makes its party no liar and does not decide which one counts.
#[test]
fn a_copy_that_its_party_did_not_sign_contradicts_and_does_not_count() {
    let (world, all) = ledger();
    let mut longer = other(&all, 2);
    longer.push(all[0].clone());
    let copies = [copy(&world, "made", &longer, &all[..2]), copy(&world, "signed", &all, &all)];
    let (which, report) = held(&world, &copies);
    assert_eq!(which, counted(1, &[]));
    assert_eq!(found(&report, Severity::Finding), ["LOGBOEK_DUBBEL uwv 2"]);
    // The same where it bears a checkpoint that does not fit, or none.
    let mut copies = copies;
    for checkpoint in [copies[1].checkpoint.clone(), None] {
        copies[0].checkpoint = checkpoint;
        let (which, report) = held(&world, &copies);
        assert_eq!(which, counted(1, &[]));
        assert_eq!(found(&report, Severity::Finding), ["LOGBOEK_DUBBEL uwv 2"]);
    }
}

/// A key that was revoked may have been another's: with it nobody makes a fork of its owner's ledger.
#[test]
fn what_was_signed_with_a_revoked_key_is_no_fork() {
    let (mut world, all) = ledger();
    let forked = other(&all, 2);
    let copies = [copy(&world, "one", &all, &all), copy(&world, "two", &forked, &forked)];
    let [_, _, key] = world.keys(UWV);
    world.revoke(UWV, &key, at());
    let (_, report) = held(&world, &copies);
    assert_eq!(found(&report, Severity::Finding), ["LOGBOEK_DUBBEL uwv 2"]);
}

/// An old copy may hold proof of what the one that counts no longer tells.
#[test]
fn what_was_signed_in_a_copy_that_agrees_is_held_against_the_one_that_counts() {
    let (world, all) = ledger();
    let audit = |signed: &[Vec<u8>]| {
        let evidence = world.evidence();
        let mut replay = Replay::new(&evidence);
        let copies = [copy(&world, "one", &all, &all), copy(&world, "old one", &all[..1], signed)];
        assert_eq!(held(&world, &copies).0, counted(0, &[1]));
        let [one, old] = copies;
        let copies = vec![(old.folder, old.checkpoint.into_iter().collect())];
        let beside = Beside { copies, checkpoint: one.checkpoint, ..Beside::default() };
        let mut ledger = replay.ledger(uwv(), beside);
        (0..).zip(&all).for_each(|(index, entry)| ledger.entry(index, entry));
        replay.add(ledger.finish(|_| None, iter::empty));
        replay.report()
    };
    assert_eq!(found(&audit(&all[..1]), Severity::Finding), [""; 0]);
    assert_eq!(found(&audit(&all), Severity::Finding), [""; 0]);
    let forked = audit(&other(&all, 2));
    assert_eq!(found(&forked, Severity::Finding), ["LOGBOEK_VERTAKT uwv 3"]);
    assert!(forked.to_string().contains(" bij `old one`\n"), "{forked}");
    let longer = [&all[..], &all[..1]].concat();
    assert_eq!(found(&audit(&longer), Severity::Finding), ["LOGBOEK_TERUGGEZET uwv 4"]);
}

/// Nobody hides what others hold by adding to the party's own ledger what it never signed for.
#[test]
fn what_nobody_signed_for_makes_no_copy_count() {
    let (world, all) = ledger();
    let added = [&all[..], &all[..2]].concat();
    for turned in [false, true] {
        let mut copies =
            vec![copy(&world, "own", &all, &all), copy(&world, "longer", &added, &all)];
        if turned {
            copies.reverse();
        }
        let own = usize::from(turned);
        let (which, report) = held(&world, &copies);
        assert_eq!(which, counted(own, &[1 - own]));
        assert_eq!(found(&report, Severity::Warning), ["LOGBOEK_KOPIE_LANGER uwv 4"]);
        let [one] = report.findings.as_slice() else { panic!("{report}") };
        assert_eq!(one.found.as_deref(), Some("entries=6 in `longer`"));
    }
}

/// A third copy that agrees with both, as far as it goes, hides nothing.
#[test]
fn copies_that_part_behind_the_one_that_counts() {
    let (world, all) = ledger();
    let copies = [
        copy(&world, "one", &all, &all[..2]),
        copy(&world, "two", &other(&all, 3), &all[..2]),
        copy(&world, "short", &all[..3], &all[..3]),
    ];
    let (which, report) = held(&world, &copies);
    assert_eq!(which, counted(2, &[0, 1]));
    assert_eq!(found(&report, Severity::Finding), ["LOGBOEK_DUBBEL uwv 3"]);
    assert_eq!(found(&report, Severity::Warning), ["LOGBOEK_KOPIE_LANGER uwv 3"]);
    let [one, _] = report.findings.as_slice() else { panic!("{report}") };
    let told = [&one.expected, &one.found].map(|text| text.clone().unwrap());
    assert!(told[0].ends_with(" in `one`") && told[1].ends_with(" in `two`"), "{told:?}");
}

/// Whose key was revoked is accused of nothing by it, and his own ledger counts before what nobody signed.
#[test]
fn a_revoked_key_accuses_nobody_and_still_tells_whose_a_ledger_is() {
    let (mut world, all) = ledger();
    let longer = other(&[&all[..], &all[..1]].concat(), 2);
    let copies = [
        copy(&world, "own", &all, &all),
        copy(&world, "made", &longer, &all),
        copy(&world, "stolen", &all[..1], &other(&all, 2)),
    ];
    let [_, _, key] = world.keys(UWV);
    world.revoke(UWV, &key, at());
    let (which, report) = held(&world, &copies);
    assert_eq!(which, counted(0, &[2]));
    assert_eq!(found(&report, Severity::Finding), ["LOGBOEK_DUBBEL uwv 2"]);
    let evidence = world.evidence();
    let mut replay = Replay::new(&evidence);
    let [own, _, stolen] = copies;
    let copies = vec![(stolen.folder, stolen.checkpoint.into_iter().collect())];
    let beside = Beside { copies, checkpoint: own.checkpoint, ..Beside::default() };
    let mut ledger = replay.ledger(uwv(), beside);
    (0..).zip(&all).for_each(|(index, entry)| ledger.entry(index, entry));
    replay.add(ledger.finish(|_| None, iter::empty));
    let report = replay.report();
    assert!(!report.to_string().contains("LOGBOEK_VERTAKT"), "{report}");
}
