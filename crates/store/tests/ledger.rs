//! A ledger in real files: what was recorded is there after a restart, damage is named, and a disk
//! that fails is a refusal.

#![cfg(test)]

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::FileExt as _,
    path::PathBuf,
};

use convenant_ledger::{
    EntryBytes, OpenError, SignedCheckpoint,
    merkle::{self, verify_consistency, verify_inclusion},
};
use convenant_signing::{SigningKey, SystemRandom};
use convenant_store::{EntriesError, FileLedger, LedgerOpenError, RecordError};

use crate::support::{Bench, entry};

mod support;

#[tokio::test(flavor = "multi_thread")]
async fn what_many_record_at_once_is_there_after_a_restart_and_proven() {
    let bench = Bench::new();
    let (ledger, _) = bench.open().unwrap();
    let writers: Vec<_> = (0..16)
        .map(|writer| {
            let ledger = ledger.clone();
            tokio::spawn(async move {
                let mut indexes = Vec::new();
                for number in writer * 100..writer * 100 + 50 {
                    indexes.push((ledger.record(entry(number)).await.unwrap().index(), number));
                }
                indexes
            })
        })
        .collect();
    let mut recorded = Vec::new();
    for writer in writers {
        recorded.extend(writer.await.unwrap());
    }
    assert_eq!(ledger.size(), 800);
    let early = ledger.root_at(300).await.unwrap();
    ledger.close().await;
    assert!(segments(&bench).len() > 3, "the test is meant to cross segments");

    let (ledger, recovery) = bench.open().unwrap();
    assert_eq!((recovery.entries, recovery.torn_bytes, recovery.uncovered), (800, 0, 0));
    assert_eq!(recovery.tiles_made, 0);
    let text = ledger.checkpoint().await.unwrap().to_string();
    let signed = SignedCheckpoint::parse(text.as_bytes(), bench.signer().verifier()).unwrap();
    let checkpoint = signed.checkpoint();
    let proof = ledger.consistency_proof(300, 800).await.unwrap();
    assert_eq!(verify_consistency(300, 800, &early, &checkpoint.root, &proof), Ok(()));
    for (index, number) in recorded {
        let entries = ledger.read(index..index + 1).await.unwrap();
        assert_eq!(EntryBytes::parse(&entries[0]).unwrap(), entry(number));
        let proof = ledger.inclusion_proof(index, 800).await.unwrap();
        let leaf = merkle::leaf_hash(&entries[0]);
        assert_eq!(verify_inclusion(&leaf, index, 800, &proof, &checkpoint.root), Ok(()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_waits_for_is_written_with_the_next_and_at_the_latest_soon() {
    let bench = Bench::new();
    let (ledger, _) = bench.open().unwrap();
    for number in 0..20 {
        ledger.append_later(&entry(2 * number)).unwrap();
        ledger.record(entry(2 * number + 1)).await.unwrap();
    }
    // Of each frame the number of entries that were durable before it: that is how many writes there were.
    let mut writes = std::collections::BTreeSet::new();
    for path in segments(&bench) {
        let bytes = fs::read(path).unwrap();
        let mut rest = bytes.as_slice();
        while let Some((header, after)) = rest.split_at_checked(24) {
            let length = u32::from_le_bytes(header[..4].try_into().unwrap());
            if length == 0 {
                break;
            }
            writes.insert(u64::from_le_bytes(header[16..].try_into().unwrap()));
            rest = &after[length as usize..];
        }
    }
    assert!(writes.len() < 30, "{} writes for 20 pairs", writes.len());

    ledger.append_later(&entry(40)).unwrap();
    let given_up = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while ledger.size() < 41 {
        assert!(std::time::Instant::now() < given_up, "nobody writes it");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_ledger_opens_after_its_former_key_and_is_signed_anew() {
    let public = |bench: &Bench| {
        let key = SigningKey::from_jwk(&bench.jwk, &SystemRandom::new()).unwrap();
        key.verifying_key().clone()
    };
    let mut bench = Bench::new();
    let (ledger, _) = bench.open().unwrap();
    ledger.record(entry(1)).await.unwrap();
    ledger.close().await;
    let former = public(&bench);
    bench.jwk = Bench::new().jwk;
    assert!(matches!(bench.open(), Err(LedgerOpenError::Ledger { .. })));
    assert!(matches!(
        bench.open_after([public(&Bench::new())]),
        Err(LedgerOpenError::Ledger { .. })
    ));

    let (ledger, recovery) = bench.open_after([former]).unwrap();
    assert_eq!((recovery.entries, recovery.uncovered), (1, 0));
    ledger.close().await;
    // Without a new entry, and nobody needs to know of the former key any more.
    let text = fs::read(bench.path().join("checkpoint")).unwrap();
    let signed = SignedCheckpoint::parse(&text, bench.signer().verifier()).unwrap();
    assert_eq!(signed.checkpoint().size, 1);
    bench.open().unwrap().0.close().await;
}

#[tokio::test]
async fn what_was_queued_is_written_in_order_before_closing() {
    let bench = Bench::new();
    let (ledger, _) = bench.open().unwrap();
    let other = ledger.clone();
    for number in 0..2000 {
        ledger.append_later(&entry(number)).unwrap();
    }
    ledger.close().await;
    assert!(matches!(other.record(entry(1)).await, Err(RecordError::Closed)));
    assert!(matches!(other.append_later(&entry(1)), Err(RecordError::Closed)));

    let read = FileLedger::open_read(bench.path()).unwrap();
    let expected: Vec<_> = (0..2000)
        .map(|number| (number, EntryBytes::of(&entry(number)).unwrap().as_bytes().to_vec()))
        .collect();
    let entries: Vec<_> = read.entries().unwrap().map(Result::unwrap).collect();
    assert_eq!(entries, expected);
}

#[tokio::test]
async fn a_ledger_has_one_writer() {
    let bench = Bench::new();
    let (ledger, _) = bench.open().unwrap();
    assert!(matches!(bench.open(), Err(LedgerOpenError::InUse { .. })));
    ledger.close().await;
    assert!(bench.open().is_ok());
}

#[tokio::test]
async fn a_torn_tail_is_cut_and_reported() {
    let bench = filled(5).await;
    let segment = segments(&bench).pop().unwrap();
    // What a crash leaves of an entry that was being written: a frame without its end.
    let mut frame = Vec::new();
    let bytes = EntryBytes::of(&entry(5)).unwrap();
    convenant_ledger::frame::encode(&mut frame, 5, 5, bytes.as_bytes());
    let end = whole_end(&bench);
    let file = OpenOptions::new().write(true).open(&segment).unwrap();
    file.write_all_at(&frame[..100], end).unwrap();

    let read = FileLedger::open_read(bench.path()).unwrap();
    assert_eq!(read.entries().unwrap().map(Result::unwrap).count(), 5);
    let (ledger, recovery) = bench.open().unwrap();
    assert_eq!((recovery.entries, recovery.torn_bytes), (5, 100));
    assert_eq!(ledger.record(entry(5)).await.unwrap().index(), 5);
    ledger.close().await;
    assert_eq!(bench.open().unwrap().1.torn_bytes, 0);
}

#[tokio::test]
async fn one_flipped_byte_names_segment_offset_and_entry() {
    let bench = filled(300).await;
    let segment = segments(&bench)[1].clone();
    let file = OpenOptions::new().read(true).write(true).open(&segment).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, 1000).unwrap();
    file.write_all_at(&[byte[0] ^ 1], 1000).unwrap();

    let Err(LedgerOpenError::Ledger { source, .. }) = bench.open() else { panic!("it opened") };
    let OpenError::Damaged { place } = source else { panic!("{source}") };
    let first: u64 = segment.file_stem().unwrap().to_str().unwrap().parse().unwrap();
    assert!(segment.ends_with(&place.segment), "{place}");
    assert_eq!((place.index - first, place.offset), (1000 / frame_length(), place_offset()));

    let read = FileLedger::open_read(bench.path()).unwrap();
    let last = read.entries().unwrap().last().unwrap();
    assert!(matches!(last, Err(EntriesError::Damaged(found)) if found == place));
}

#[tokio::test]
async fn damage_in_the_last_group_is_no_torn_write_once_the_checkpoint_covers_it() {
    let bench = Bench::new();
    let (ledger, _) = bench.open().unwrap();
    ledger.record(entry(0)).await.unwrap();
    ledger.close().await;
    let segment = segments(&bench).pop().unwrap();
    let file = OpenOptions::new().write(true).open(&segment).unwrap();
    file.write_all_at(b"?", 100).unwrap();

    let Err(LedgerOpenError::Ledger { source, .. }) = bench.open() else { panic!("it opened") };
    assert!(matches!(source, OpenError::Damaged { place } if place.index == 0));
    let read = FileLedger::open_read(bench.path()).unwrap();
    let last = read.entries().unwrap().last().unwrap();
    assert!(matches!(last, Err(EntriesError::Damaged(place)) if place.index == 0));
}

/// A file that ends too early is not damaged: what there is of it is whole.
#[tokio::test]
async fn entries_that_are_cut_off_are_missing_and_not_damaged() {
    let bench = filled(300).await;
    let segment = segments(&bench).pop().unwrap();
    let first: u64 = segment.file_stem().unwrap().to_str().unwrap().parse().unwrap();
    // Within an entry, within a header, and behind a whole entry.
    for more in [frame_length() - 1, 10, 0] {
        let file = OpenOptions::new().write(true).open(&segment).unwrap();
        file.set_len(2 * frame_length() + more).unwrap();
        let read = FileLedger::open_read(bench.path()).unwrap();
        let last = read.entries().unwrap().last().unwrap();
        let Err(EntriesError::Shortened(place)) = last else { panic!("{more}: {last:?}") };
        assert_eq!(place.index, first + 2, "{more}");
        let Err(LedgerOpenError::Ledger { source, .. }) = bench.open() else { panic!("it opened") };
        assert!(matches!(&source, OpenError::Shortened { end, .. } if *end == place), "{source}");
    }
}

#[tokio::test]
async fn without_a_checkpoint_that_is_one_the_whole_entries_can_be_read_all_the_same() {
    let bench = filled(300).await;
    let ledger = FileLedger::open_read(bench.path()).unwrap();
    let out = bench.path().with_extension("copy");
    ledger.export(&out, bench.signer().verifier(), &mut |_, _| {}).unwrap();
    for folder in [bench.path(), out.clone()] {
        let checkpoint = folder.join("checkpoint");
        fs::write(&checkpoint, "hallo\n").unwrap();
        let ledger = FileLedger::open_read(folder).unwrap();
        let Err(error @ EntriesError::Checkpoint(_)) = ledger.entries() else { panic!("{out:?}") };
        assert!(error.to_string().contains(checkpoint.to_str().unwrap()), "{error}");
        let mut entries = ledger.whole_entries().unwrap();
        assert_eq!(entries.by_ref().map(Result::unwrap).count(), 300);
        assert_eq!(entries.behind(), None);
    }
    fs::remove_dir_all(out).unwrap();
}

#[tokio::test]
async fn what_stands_behind_the_last_entry_is_told() {
    let bench = filled(3).await;
    let segment = segments(&bench).pop().unwrap();
    let file = OpenOptions::new().write(true).open(&segment).unwrap();
    file.write_all_at(b"hallo", 3 * frame_length()).unwrap();
    let ledger = FileLedger::open_read(bench.path()).unwrap();
    let mut entries = ledger.entries().unwrap();
    assert_eq!(entries.by_ref().map(Result::unwrap).count(), 3);
    assert_eq!(entries.behind(), Some(("segments/00000000000000000000.seg", 5)));
}

#[tokio::test]
async fn a_segment_that_vanishes_is_missed() {
    let bench = filled(300).await;
    fs::remove_file(&segments(&bench)[1]).unwrap();
    let Err(LedgerOpenError::Ledger { source, .. }) = bench.open() else { panic!("it opened") };
    assert!(matches!(source, OpenError::Damaged { .. }), "{source}");

    let bench = filled(300).await;
    fs::remove_file(segments(&bench).last().unwrap()).unwrap();
    let Err(LedgerOpenError::Ledger { source, .. }) = bench.open() else { panic!("it opened") };
    assert!(matches!(source, OpenError::Shortened { size: 300, .. }), "{source}");
    let read = FileLedger::open_read(bench.path()).unwrap();
    assert!(matches!(read.entries().unwrap().last(), Some(Err(EntriesError::Shortened(_)))));
}

#[tokio::test]
async fn everything_but_the_segments_is_made_again() {
    let bench = filled(600).await;
    let checkpoint = fs::read(bench.path().join("checkpoint")).unwrap();
    fs::remove_file(bench.path().join("checkpoint")).unwrap();
    fs::remove_dir_all(bench.path().join("tile")).unwrap();
    let (ledger, recovery) = bench.open().unwrap();
    assert_eq!((recovery.entries, recovery.uncovered), (600, 600));
    assert_eq!(fs::read(bench.path().join("checkpoint")).unwrap(), checkpoint);
    let read = FileLedger::open_read(bench.path()).unwrap();
    let signer = bench.signer();
    let root = read.checkpoint(signer.verifier()).unwrap().unwrap().checkpoint().root;
    assert_eq!(merkle::root(&read.hashes(600), 600).unwrap(), root);
    assert_eq!(read.verify(signer.verifier(), &mut |_| {}).unwrap().tree.root(), root);
    ledger.close().await;
}

#[tokio::test]
async fn a_ledger_that_cannot_be_written_does_not_open() {
    // Permissions do not bind root, so the segment is replaced by what nobody can write.
    let bench = filled(3).await;
    let segment = segments(&bench).pop().unwrap();
    fs::remove_file(&segment).unwrap();
    fs::create_dir(&segment).unwrap();
    assert!(matches!(bench.open(), Err(LedgerOpenError::Ledger { source: OpenError::Io(_), .. })));

    let bench = Bench::new();
    fs::File::create(bench.path()).unwrap().write_all(b"a file").unwrap();
    assert!(matches!(bench.open(), Err(LedgerOpenError::Folder { .. })));
}

/// A closed ledger with so many entries, in groups small enough to fill several segments.
async fn filled(entries: u64) -> Bench {
    let bench = Bench::new();
    let (ledger, _) = bench.open().unwrap();
    for number in 0..entries {
        ledger.append_later(&entry(number)).unwrap();
        if number % 20 == 0 {
            ledger.flush().await.unwrap();
        }
    }
    ledger.close().await;
    bench
}

fn segments(bench: &Bench) -> Vec<PathBuf> {
    let folder = fs::read_dir(bench.path().join("segments")).unwrap();
    let mut segments: Vec<_> = folder.map(|item| item.unwrap().path()).collect();
    segments.sort();
    segments
}

/// Where the whole entries of the last segment end.
fn whole_end(bench: &Bench) -> u64 {
    let bytes = fs::read(segments(bench).last().unwrap()).unwrap();
    bytes.iter().rposition(|byte| *byte != 0).unwrap() as u64 + 1
}

fn frame_length() -> u64 {
    let entry = EntryBytes::of(&entry(0)).unwrap();
    (convenant_ledger::frame::HEADER + entry.as_bytes().len()) as u64
}

fn place_offset() -> u64 {
    1000 / frame_length() * frame_length()
}

#[tokio::test]
async fn a_copy_reads_as_its_ledger_and_damage_to_it_is_named() {
    for size in [0, 1, 256, 257, 700] {
        let bench = filled(size).await;
        let ledger = FileLedger::open_read(bench.path()).unwrap();
        let (folder, verifier) = (tempfile::tempdir().unwrap(), bench.signer().verifier().clone());
        let out = folder.path().join("copy");
        ledger.export(&out, &verifier, &mut |_, _| {}).unwrap();
        let copy = FileLedger::open_read(&out).unwrap();
        let entries =
            |of: &FileLedger| of.entries().unwrap().map(Result::unwrap).collect::<Vec<_>>();
        assert_eq!(entries(&copy), entries(&ledger));
        let mut visited = 0;
        let replayed = copy.verify(&verifier, &mut |_| visited += 1).unwrap();
        assert_eq!((replayed.tree.size(), visited), (size, size));
    }

    let bench = filled(700).await;
    let (folder, verifier) = (tempfile::tempdir().unwrap(), bench.signer().verifier().clone());
    let out = folder.path().join("copy");
    let ledger = FileLedger::open_read(bench.path()).unwrap();
    ledger.export(&out, &verifier, &mut |_, _| {}).unwrap();
    let copy = FileLedger::open_read(&out).unwrap();
    let bundle = out.join("tile/entries/001");
    let whole = fs::read(&bundle).unwrap();

    fs::write(&bundle, &whole[..whole.len() - 1]).unwrap();
    let damaged = copy.verify(&verifier, &mut |_| {}).unwrap_err();
    assert!(matches!(&damaged, OpenError::Damaged { place } if place.index == 511), "{damaged}");
    let mut last = copy.entries().unwrap();
    assert!(matches!(last.by_ref().last(), Some(Err(EntriesError::Damaged(p))) if p.index == 511));

    let mut altered = whole.clone();
    *altered.last_mut().unwrap() ^= 1;
    fs::write(&bundle, altered).unwrap();
    let altered = copy.verify(&verifier, &mut |_| {}).unwrap_err();
    assert!(
        matches!(&altered, OpenError::Altered { place, .. } if place.index == 511),
        "{altered}"
    );

    fs::remove_file(&bundle).unwrap();
    let short = copy.verify(&verifier, &mut |_| {}).unwrap_err();
    assert!(
        matches!(&short, OpenError::Shortened { end, size: 700 } if end.index == 256),
        "{short}"
    );
}

#[tokio::test]
async fn a_ledger_that_does_not_hold_is_not_exported() {
    let bench = filled(300).await;
    let folder = tempfile::tempdir().unwrap();
    let segment = segments(&bench)[1].clone();
    let file = OpenOptions::new().write(true).open(&segment).unwrap();
    file.write_all_at(b"?", 1000).unwrap();
    let ledger = FileLedger::open_read(bench.path()).unwrap();
    let verifier = bench.signer().verifier().clone();
    let out = folder.path().join("copy");
    let damaged = ledger.export(&out, &verifier, &mut |_, _| {}).unwrap_err();
    assert!(matches!(damaged, OpenError::Damaged { .. }), "{damaged}");
    assert!(!out.join("checkpoint").exists());
}
