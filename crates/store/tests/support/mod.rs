//! A ledger in a temporary folder, with a key and a clock that stands still.

use std::{path::PathBuf, sync::Arc};

use convenant_ledger::{LedgerSigner, Recovery, note::NoteName};
use convenant_model::{
    Clock, Oin, Timestamp,
    entry::{Entry, Started},
    keys::VerifyingKey,
};
use convenant_signing::{SigningKey, SystemRandom};
use convenant_store::{Layout, LedgerHandle, LedgerOpenError, Options};
use tempfile::TempDir;

/// Small, so that tests cross the boundaries of segments.
const LAYOUT: Layout = Layout { segment_bytes: 32 * 1024, ahead_bytes: 4 * 1024 };

pub(crate) struct Bench {
    folder: TempDir,
    pub(crate) jwk: String,
}

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        now()
    }
}

impl Bench {
    pub(crate) fn new() -> Self {
        let key = SigningKey::generate(&SystemRandom::new()).unwrap();
        Self { folder: tempfile::tempdir().unwrap(), jwk: key.to_jwk().to_string() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("ledger")
    }

    pub(crate) fn signer(&self) -> LedgerSigner {
        let key = SigningKey::from_jwk(&self.jwk, &SystemRandom::new()).unwrap();
        LedgerSigner::new(NoteName::new("ledger.example/test").unwrap(), key).unwrap()
    }

    pub(crate) fn open(&self) -> Result<(LedgerHandle, Recovery), LedgerOpenError> {
        self.open_after([])
    }

    pub(crate) fn open_after<const N: usize>(
        &self,
        former: [VerifyingKey; N],
    ) -> Result<(LedgerHandle, Recovery), LedgerOpenError> {
        let options = Options {
            folder: self.path(),
            signer: self.signer().after(former),
            clock: Arc::new(Fixed),
            layout: LAYOUT,
        };
        LedgerHandle::open(options, &mut |_| {})
    }
}

fn now() -> Timestamp {
    Timestamp::from_millis(1_750_000_000_000).unwrap()
}

pub(crate) fn entry(number: u64) -> Entry {
    Entry::Started(Started {
        party: Oin::new("00000099000000001000").unwrap(),
        at: now(),
        software: format!("{number:06} {}", "x".repeat(300)),
        torn_bytes: 0,
    })
}
