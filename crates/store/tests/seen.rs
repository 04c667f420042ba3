//! A query is admitted once, whatever became of the index.

#![cfg(test)]

use std::{
    cell::Cell,
    fs,
    path::{Path, PathBuf},
};

use convenant_model::{Digest, QueryId, Timestamp};
use convenant_store::{Admission, SeenQueries, Watermark};

const MARK: Watermark = Watermark { size: 7, root: Digest::from_bytes([7; 32]) };

fn query(number: u64) -> QueryId {
    QueryId::from_parts(1_750_000_000_000 + number, &[number as u8; 10])
}

fn now() -> Timestamp {
    Timestamp::from_millis(1_750_000_000_000).unwrap()
}

fn expires() -> Timestamp {
    now().plus_seconds(900)
}

/// Opens the index as a start does, from queries 0 to 99 in the ledger.
fn open(folder: &Path, mark: Watermark, rebuilt: &Cell<bool>) -> SeenQueries {
    SeenQueries::open(folder, mark, || {
        rebuilt.set(true);
        (0..100).map(|number| (query(number), expires()))
    })
}

/// An index with queries 0 to 99, settled.
fn settled(folder: &Path) {
    let rebuilt = Cell::new(false);
    let seen = open(folder, MARK, &rebuilt);
    assert!(rebuilt.get());
    seen.settle(MARK);
    drop(seen);
    wait_until_released(folder);
}

/// sled's threads hold the lock on its file for a moment longer than the index lives; a start that
/// finds it held makes a new index, for another reason than the one under test.
fn wait_until_released(folder: &Path) {
    let file = fs::File::open(database(folder)).unwrap();
    while file.try_lock().is_err() {
        std::thread::yield_now();
    }
}

fn database(folder: &Path) -> PathBuf {
    folder.join("0").join("db")
}

fn is_whole(seen: &SeenQueries) -> bool {
    (0..100).all(|number| seen.admit(query(number), expires(), now()) == Admission::Replayed)
        && seen.admit(query(100), expires(), now()) == Admission::Fresh
        && seen.admit(query(100), expires(), now()) == Admission::Replayed
}

#[test]
fn an_index_that_stands_for_the_ledger_is_used() {
    let folder = tempfile::tempdir().unwrap();
    settled(&folder.path().join("seen"));
    let rebuilt = Cell::new(false);
    assert!(is_whole(&open(&folder.path().join("seen"), MARK, &rebuilt)));
    assert!(!rebuilt.get());
}

#[test]
fn an_index_in_doubt_is_made_again() {
    type Doubt = fn(&Path) -> Watermark;
    let doubts: [(&str, Doubt); 5] = [
        ("deleted", |folder| {
            fs::remove_dir_all(folder).unwrap();
            MARK
        }),
        ("of another state", |_| Watermark { size: 8, ..MARK }),
        ("of another root", |_| Watermark { root: Digest::from_bytes([8; 32]), ..MARK }),
        ("cut in half", |folder| {
            let path = database(folder);
            let length = fs::metadata(&path).unwrap().len();
            fs::OpenOptions::new().write(true).open(path).unwrap().set_len(length / 2).unwrap();
            MARK
        }),
        ("overwritten", |folder| {
            let path = database(folder);
            let mut bytes = fs::read(&path).unwrap();
            bytes.iter_mut().step_by(50).for_each(|byte| *byte ^= 0x55);
            fs::write(path, bytes).unwrap();
            MARK
        }),
    ];
    for (name, doubt) in doubts {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("seen");
        settled(&folder);
        let mark = doubt(&folder);
        let rebuilt = Cell::new(false);
        assert!(is_whole(&open(&folder, mark, &rebuilt)), "{name}");
        assert!(rebuilt.get(), "{name}");
    }
}

/// Every other byte of what was written, and every length: sled reads on, gives less, fails or panics, and the
/// index is whole all the same.
#[test]
fn whatever_byte_is_damaged_no_query_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    settled(&whole);
    let files: Vec<_> = fs::read_dir(whole.join("0")).unwrap().map(|one| one.unwrap()).collect();
    let files: Vec<_> = files.iter().filter(|one| one.file_type().unwrap().is_file()).collect();
    let mut made = 0;
    for damaged in &files {
        let bytes = fs::read(damaged.path()).unwrap();
        let written = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
        let step = (written / 60).max(1);
        for at in (0..written).step_by(step) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            for (number, other) in [&flipped, &bytes[..at].to_vec()].into_iter().enumerate() {
                let name = format!("{:?}-{at}-{number}", damaged.file_name());
                let copy = folder.path().join(&name);
                fs::create_dir_all(copy.join("0")).unwrap();
                for file in &files {
                    fs::copy(file.path(), copy.join("0").join(file.file_name())).unwrap();
                }
                fs::write(copy.join("0").join(damaged.file_name()), other).unwrap();
                let rebuilt = Cell::new(false);
                assert!(is_whole(&open(&copy, MARK, &rebuilt)), "{name}");
                made += u32::from(rebuilt.get());
            }
        }
    }
    assert!(made > 100, "damage is noticed: {made}");
}

/// What stands in the folder's place is replaced, so that the next start finds an index there.
#[test]
fn what_is_no_folder_gives_way_to_an_index() {
    let folder = tempfile::tempdir().unwrap();
    type Place = fn(&Path);
    let places: [(&str, Place); 4] = [
        ("file", |path| fs::write(path, "not a folder").unwrap()),
        ("link", |path| std::os::unix::fs::symlink("/nonexistent/index", path).unwrap()),
        ("empty", |path| fs::create_dir(path).unwrap()),
        ("latest", |path| {
            fs::create_dir(path).unwrap();
            fs::write(path.join(u64::MAX.to_string()), "not a folder").unwrap();
        }),
    ];
    for (name, place) in places {
        let path = folder.path().join(name);
        place(&path);
        settled(&path);
        let rebuilt = Cell::new(false);
        assert!(is_whole(&open(&path, MARK, &rebuilt)), "{name}");
        assert!(!rebuilt.get(), "{name}");
    }
}

#[test]
fn an_index_that_was_not_settled_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("seen");
    settled(&folder);
    let rebuilt = Cell::new(false);
    drop(open(&folder, MARK, &rebuilt));
    assert!(!rebuilt.get());
    wait_until_released(&folder);
    let rebuilt = Cell::new(false);
    assert!(is_whole(&open(&folder, MARK, &rebuilt)));
    assert!(rebuilt.get());
}
