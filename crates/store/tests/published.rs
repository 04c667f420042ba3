//! Published tiles held against the entries, while the ledger goes on.

#![cfg(test)]

use convenant_ledger::merkle::leaf_hash;
use convenant_store::{FileLedger, Published};

use crate::support::{Bench, entry};

mod support;

#[tokio::test]
async fn tiles_that_went_with_their_checkpoint_are_not_missed() {
    let bench = Bench::new();
    let (ledger, _) = bench.open().unwrap();
    for number in 0..3 {
        ledger.record(entry(number)).await.unwrap();
    }
    ledger.checkpoint().await.unwrap();
    let files = FileLedger::open_read(bench.path()).unwrap();
    let begun = || Published::of(&files).unwrap();
    let unlike = |mut published: Published| {
        for found in files.entries().unwrap() {
            let (_, entry) = found.unwrap();
            published.push(leaf_hash(&entry), &entry);
        }
        published.unlike()
    };
    let before = begun();
    assert!(unlike(begun()).is_empty());
    for number in 3..9 {
        ledger.record(entry(number)).await.unwrap();
    }
    ledger.checkpoint().await.unwrap();
    assert!(!bench.path().join("tile/0/000.p/3").exists());
    assert!(unlike(before).is_empty());
    std::fs::remove_file(bench.path().join("tile/0/000.p/9")).unwrap();
    assert_eq!(unlike(begun()), ["tile/0/000.p/9"]);
    ledger.close().await;
}
