//! What witnesses and timestamps hold of a ledger, held against it; and what they say that proves nothing.

use std::iter;

use convenant_audit::{
    Beside, Finding, LedgerKind, LedgerName, Replay, Report, Severity, Statement,
};
use convenant_ledger::SignedCheckpoint;
use convenant_model::entry::{Conflict, Entry};

use crate::world::{COORDINATOR, Ledgers, TOESLAGEN, UWV, World, at, bytes, found, oin, tree};

fn uwv() -> LedgerName {
    LedgerName::new(LedgerKind::Node, oin(UWV))
}

fn coordinator() -> LedgerName {
    LedgerName::new(LedgerKind::Coordinator, oin(COORDINATOR))
}

/// UWV's entries as its ledger holds them, and what it signed of a number of them.
struct Case {
    world: World,
    entries: Vec<Vec<u8>>,
}

/// What others hold of UWV's ledger.
#[derive(Default)]
struct Held {
    /// What UWV keeps as cosigned by others.
    witnessed: Vec<String>,
    /// What the coordinator keeps as last cosigned.
    statements: Vec<String>,
    stamped: Vec<String>,
}

impl Case {
    fn new() -> Self {
        let mut world = World::new();
        let entries = world.exchanges().uwv.iter().map(bytes).collect();
        Self { world, entries }
    }

    /// UWV's checkpoint of these entries.
    fn signed(&self, entries: &[Vec<u8>]) -> SignedCheckpoint {
        let signer = self.world.signer(&uwv());
        signer.sign(entries.len() as u64, tree(entries).root(), at()).unwrap()
    }

    /// The same as the coordinator cosigned it.
    fn cosigned(&self, entries: &[Vec<u8>]) -> String {
        let mut signed = self.signed(entries);
        self.world.signer(&coordinator()).cosign(&mut signed, at()).unwrap();
        signed.to_string()
    }

    /// The entries with another one at an index.
    fn other(&self, index: usize) -> Vec<Vec<u8>> {
        let mut entries = self.entries.clone();
        entries[index] = self.entries[0].clone();
        entries
    }

    /// What is found where UWV's ledger holds these entries, and signs them.
    fn audit(&self, entries: &[Vec<u8>], held: Held) -> Vec<Finding> {
        let evidence = self.world.evidence();
        let statements: Vec<_> = held.statements.into_iter().map(statement).collect();
        let mut replay = Replay::new(&evidence);
        let notes = |notes: Vec<String>| notes.into_iter().map(String::into_bytes).collect();
        let (witnessed, stamped) = (notes(held.witnessed), notes(held.stamped));
        let signed = Beside::signed(self.signed(entries).to_string());
        let mut ledger = replay.ledger(uwv(), Beside { witnessed, statements, stamped, ..signed });
        for (index, entry) in (0..).zip(entries) {
            ledger.entry(index, entry);
        }
        replay.add(ledger.finish(|_| None, iter::empty));
        let told = replay.report().findings.into_iter();
        told.filter(|one| one.severity == Severity::Finding).collect()
    }

    /// The same, of what each way to hold a checkpoint finds: the code, ledger and entry, and what is on record.
    fn held(&self, entries: &[Vec<u8>], notes: &[String]) -> Vec<(String, String)> {
        let of = |held| {
            let found = self.audit(entries, held);
            let [one] = found.as_slice() else { panic!("{found:?}") };
            let entry = one.entry.unwrap();
            let text = format!("{} {} {entry}", one.code, one.ledger);
            (text, one.found.clone().unwrap())
        };
        let notes = || notes.to_vec();
        vec![
            of(Held { witnessed: notes(), ..Held::default() }),
            of(Held { statements: notes(), ..Held::default() }),
            of(Held { stamped: notes(), ..Held::default() }),
        ]
    }
}

fn statement(note: String) -> Statement {
    Statement { by: coordinator(), note: note.into_bytes() }
}

#[test]
fn what_others_hold_of_an_honest_ledger_finds_nothing() {
    let case = Case::new();
    for size in 0..=case.entries.len() {
        let note = || vec![case.cosigned(&case.entries[..size])];
        let held = Held { witnessed: note(), statements: note(), stamped: note() };
        let found = case.audit(&case.entries, held);
        assert!(found.is_empty(), "{size}: {found:?}");
    }
}

#[test]
fn the_first_entry_that_a_ledger_lost_is_named() {
    let case = Case::new();
    let found = case.held(&case.entries[..2], &[case.cosigned(&case.entries)]);
    let lost = (format!("LOGBOEK_TERUGGEZET node/{UWV} 2"), "size=2".to_owned());
    assert_eq!(found, vec![lost; 3]);
}

#[test]
fn a_ledger_that_was_set_back_is_told_of_once_with_all_who_hold_proof() {
    let case = Case::new();
    let (whole, three) = (case.cosigned(&case.entries), case.cosigned(&case.entries[..3]));
    let held = Held {
        witnessed: vec![whole.clone()],
        statements: vec![whole.clone(), three.clone()],
        stamped: vec![whole],
    };
    let found = case.audit(&case.entries[..2], held);
    let [one] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((one.code.as_str(), one.entry), ("LOGBOEK_TERUGGEZET", Some(2)));
    let root = |size: usize| tree(&case.entries[..size]).root();
    let by = format!("coordinator/{COORDINATOR}");
    let expected =
        format!("size=4 root={} at {by}, timestamp; size=3 root={} at {by}", root(4), root(3));
    assert_eq!(one.expected.as_deref(), Some(&*expected));
    assert_eq!(one.found.as_deref(), Some("size=2"));
}

/// What the checkpoint beside the entries shows as well, witnesses do not tell once more.
#[test]
fn entries_that_are_missing_are_told_of_once() {
    let case = Case::new();
    let evidence = case.world.evidence();
    let mut replay = Replay::new(&evidence);
    let witnessed = vec![case.cosigned(&case.entries).into_bytes()];
    let signed = Beside::signed(case.signed(&case.entries).to_string());
    let mut ledger = replay.ledger(uwv(), Beside { witnessed, ..signed });
    (0..2).zip(&case.entries).for_each(|(index, entry)| ledger.entry(index, entry));
    replay.add(ledger.finish(|_| None, iter::empty));
    assert_eq!(found(&replay.report(), Severity::Finding), ["LOGBOEK_INGEKORT uwv 2"]);
}

/// Two roots of one size are two stories, though the entries that could tell are missing.
#[test]
fn a_fork_beyond_the_entries_is_told_of_too() {
    let case = Case::new();
    let evidence = case.world.evidence();
    let held = case.cosigned(&case.other(2)).into_bytes();
    let audit = |signed: &[Vec<u8>], held: Vec<Vec<u8>>| {
        let mut replay = Replay::new(&evidence);
        let signed = Beside::signed(case.signed(signed).to_string());
        let mut ledger = replay.ledger(uwv(), Beside { witnessed: held, ..signed });
        (0..2).zip(&case.entries).for_each(|(index, entry)| ledger.entry(index, entry));
        replay.add(ledger.finish(|_| None, iter::empty));
        found(&replay.report(), Severity::Finding)
    };
    // Against the checkpoint beside the entries, and of two witnesses against each other.
    let told = audit(&case.entries, vec![held.clone()]);
    assert_eq!(told, ["LOGBOEK_INGEKORT uwv 2", "LOGBOEK_VERTAKT uwv 3"]);
    let told = audit(&case.entries[..2], vec![case.cosigned(&case.entries).into_bytes(), held]);
    assert_eq!(told, ["LOGBOEK_TERUGGEZET uwv 2", "LOGBOEK_VERTAKT uwv 3"]);
}

/// Whoever took a witness's key could else cosign at will.
#[test]
fn a_cosignature_of_a_revoked_key_counts_for_nothing() {
    let mut case = Case::new();
    let note = case.cosigned(&case.entries);
    let key = case.world.signer(&coordinator()).verifier().key().clone();
    case.world.revoke(COORDINATOR, &key, at());
    let entries = case.entries.clone();
    let held = Held { witnessed: vec![note.clone()], statements: vec![note], stamped: Vec::new() };
    let codes: Vec<_> = case.audit(&entries, held).iter().map(|one| one.code.as_str()).collect();
    assert!(codes.contains(&"MEDEONDERTEKENING_ONGELDIG"), "{codes:?}");
    assert!(codes.contains(&"GETUIGENIS_ONGELDIG"), "{codes:?}");
}

#[test]
fn timestamps_are_told_of() {
    let case = Case::new();
    let evidence = case.world.evidence();
    let mut replay = Replay::new(&evidence);
    let notes = [4, 2].map(|size| case.signed(&case.entries[..size]).to_string().into_bytes());
    let mut ledger = replay.ledger(uwv(), Beside { stamped: notes.into(), ..Beside::default() });
    (0..).zip(&case.entries).for_each(|(index, entry)| ledger.entry(index, entry));
    replay.add(ledger.finish(|_| None, iter::empty));
    assert_eq!(replay.report().ledgers[0].stamped, [2, 4]);
}

#[test]
fn the_entries_between_which_a_history_parts_are_named() {
    let case = Case::new();
    // Entry 2 was another one when three and four entries were signed; two were the same.
    let before = case.other(2);
    let notes = [case.cosigned(&before[..2]), case.cosigned(&before)];
    for (notes, first) in [(&notes[..], 2), (&notes[1..], 0)] {
        for (forked, told) in case.held(&case.entries, notes) {
            assert_eq!(forked, format!("LOGBOEK_VERTAKT node/{UWV} 3"));
            assert!(told.ends_with(&format!(" first_difference={first}..3")), "{told}");
        }
    }
    for (forked, told) in case.held(&case.entries, &[notes[0].clone(), case.cosigned(&before[..3])])
    {
        assert_eq!(forked, format!("LOGBOEK_VERTAKT node/{UWV} 2"));
        assert!(told.ends_with(" first_difference=2..2"), "{told}");
    }
}

#[test]
fn a_note_that_proves_nothing_is_told_of_with_what_it_claims() {
    let case = Case::new();
    // Another world's keys, and a checkpoint that nobody cosigned.
    let foreign = Case::new().cosigned(&case.entries);
    let bare = case.signed(&case.entries).to_string();
    let claims = format!("convenant.node/{UWV} size=4 root={}", tree(&case.entries).root());
    let none = Held::default;
    for (held, code, ledger) in [
        (
            Held { statements: vec![foreign.clone()], ..none() },
            "GETUIGENIS_ONGELDIG",
            coordinator(),
        ),
        (Held { statements: vec![bare.clone()], ..none() }, "GETUIGENIS_ONGELDIG", coordinator()),
        (Held { witnessed: vec![foreign.clone()], ..none() }, "MEDEONDERTEKENING_ONGELDIG", uwv()),
        (Held { witnessed: vec![bare], ..none() }, "MEDEONDERTEKENING_ONGELDIG", uwv()),
        (Held { stamped: vec![foreign], ..none() }, "TIJDSTEMPEL_ONGELDIG", uwv()),
    ] {
        let found = case.audit(&case.entries, held);
        let [one] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((one.code.as_str(), &one.ledger), (code, &ledger.to_string()));
        assert_eq!(one.found.as_ref(), Some(&claims));
    }
}

/// What the coordinator's ledger tells of UWV's, with a conflict that it recorded as a witness.
fn recorded(case: &Case, held: &str, shown: &str) -> Report {
    let mut ledgers = Ledgers::default();
    ledgers.coordinator.push(Entry::Conflict(Conflict {
        party: oin(COORDINATOR),
        at: at(),
        peer: oin(UWV),
        held: held.to_owned(),
        shown: shown.to_owned(),
    }));
    case.world.audit(&ledgers)
}

#[test]
fn a_conflict_proves_a_fork_or_tells_of_one_or_proves_nothing() {
    let case = Case::new();
    let [all, other] = [&case.entries, &case.other(1)].map(|entries| case.cosigned(entries));
    let report = recorded(&case, &all, &other);
    assert_eq!(found(&report, Severity::Finding), ["LOGBOEK_VERTAKT uwv 3"]);
    let told = report.findings[0].found.clone().unwrap();
    assert!(told.ends_with(&format!(" in coordinator/{COORDINATOR}, entry=0")), "{told}");

    // Shorter than before: what is no longer shown. Longer: what the first root covers.
    let [two, three] = [2, 3].map(|size| case.cosigned(&case.entries[..size]));
    for (held, shown, entry) in [(&all, &two, 2), (&three, &other, 2)] {
        let report = recorded(&case, held, shown);
        assert!(report.holds(), "{report}");
        let expected = [format!("TEGENSTRIJD_GEMELD uwv {entry}")];
        assert_eq!(found(&report, Severity::Warning), expected);
    }

    let foreign = Case::new().cosigned(&case.other(1));
    for (held, shown) in [(&*all, &*foreign), (&*foreign, &*other), (&*all, "no checkpoint")] {
        let report = recorded(&case, held, shown);
        assert_eq!(found(&report, Severity::Finding), ["TEGENSTRIJD_ONBEWEZEN coordinator 0"]);
    }
}

#[test]
fn a_register_that_a_witness_saw_longer_or_otherwise() {
    let mut world = World::new();
    let before = world.evidence();
    world.rotate(2);
    let after = world.register_checkpoint();
    let by = LedgerName::new(LedgerKind::Node, oin(TOESLAGEN));
    let witness = |note: &mut SignedCheckpoint| world.signer(&by).cosign(note, at()).unwrap();
    let statement = |mut note: SignedCheckpoint| {
        witness(&mut note);
        [Statement { by: by.clone(), note: note.to_string().into_bytes() }]
    };
    let [back] = &before.check_statements(&statement(after.clone()))[..] else { panic!() };
    assert_eq!((back.code.as_str(), &*back.ledger), ("LOGBOEK_TERUGGEZET", "register"));
    assert_eq!(back.entry, Some(before.position().size));
    // The same number of documents, of another world: the register's key signed both.
    let forked = world.register_checkpoint_of(after.checkpoint().size, tree(&[]).root());
    let [fork] = &world.evidence().check_statements(&statement(forked))[..] else { panic!() };
    assert_eq!((fork.code.as_str(), &*fork.ledger), ("LOGBOEK_VERTAKT", "register"));
    assert_eq!(fork.entry, Some(before.position().size + 1));
    assert!(world.evidence().check_statements(&statement(after)).is_empty());
    // One that nobody cosigned.
    let bare = world.register_checkpoint().to_string().into_bytes();
    let bare = [Statement { by: by.clone(), note: bare }];
    let [unproven] = &before.check_statements(&bare)[..] else { panic!() };
    assert_eq!(
        (unproven.code.as_str(), &unproven.ledger),
        ("GETUIGENIS_ONGELDIG", &by.to_string())
    );
}
