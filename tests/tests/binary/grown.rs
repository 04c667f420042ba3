//! A ledger without a daemon.

use std::{fs, path::PathBuf, sync::Arc};

use convenant_ledger::{LedgerSigner, note::NoteName};
use convenant_model::{
    Oin, Timestamp,
    entry::{Entry, Started},
};
use convenant_signing::{SigningKey, SystemRandom};
use convenant_store::{FileLedger, Layout, LedgerHandle, Options};
use convenant_transport::SystemClock;
use tempfile::TempDir;

/// A ledger that is grown step by step, exported at each.
pub(crate) struct Grown {
    folder: TempDir,
    jwk: String,
}

impl Grown {
    pub(crate) fn new(jwk: &str) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), jwk: jwk.to_owned() }
    }

    /// The ledger itself.
    pub(crate) fn ledger(&self) -> PathBuf {
        self.folder.path().join("ledger")
    }

    /// Grows the ledger to `size` entries that all say `software`, and exports it.
    pub(crate) async fn to(&self, size: u64, software: &str) -> PathBuf {
        let key = SigningKey::from_jwk(&self.jwk, &SystemRandom::new()).unwrap();
        let signer = LedgerSigner::new(NoteName::new("ledger.example").unwrap(), key).unwrap();
        let verifier = signer.verifier().clone();
        let folder = self.ledger();
        let (clock, layout) = (Arc::new(SystemClock), Layout::default());
        let options = Options { folder: folder.clone(), signer, clock, layout };
        let (ledger, _) = LedgerHandle::open(options, &mut |_| {}).unwrap();
        for index in ledger.size()..size {
            ledger.append_later(&entry(index, software)).unwrap();
        }
        ledger.close().await;
        let out = self.folder.path().join(size.to_string());
        let ledger = FileLedger::open_read(folder).unwrap();
        ledger.export(&out, &verifier, &mut |_, _| {}).unwrap();
        fs::write(out.join("vkeys"), verifier.to_text()).unwrap();
        out
    }
}

fn entry(index: u64, software: &str) -> Entry {
    let party = Oin::new("00000099000000001000").unwrap();
    let at = Timestamp::from_millis(1_750_000_000_000).unwrap();
    Entry::Started(Started { party, at, software: software.to_owned(), torn_bytes: index })
}
