//! An entry with all that follows from it and the register, whatever else stands in any ledger. It costs nearly all of
//! an audit's time and depends on nothing before it, so that several threads do it at once.

use std::sync::{Arc, Mutex, PoisonError};

use convenant_ledger::{EntryBytes, merkle::leaf_hash, register::Register};
use convenant_model::{Digest, entry::Entry};

use crate::{
    LedgerKind, RegisterEvidence, again::Again, receipt::Proven, signed::Known,
    snapshots::Snapshots,
};

/// Reads the entries of one ledger.
pub(crate) struct Reader<'a> {
    pub(crate) register: &'a RegisterEvidence,
    pub(crate) kind: LedgerKind,
    pub(crate) known: Arc<Known>,
    snapshots: Mutex<Snapshots<'a>>,
}

/// An entry that was read.
pub(crate) struct Read {
    pub(crate) index: u64,
    pub(crate) leaf: Digest,
    /// `None` where the bytes are none.
    pub(crate) entry: Option<Entry>,
    /// What follows from a decision; `None` where it is none, or its query cannot be read.
    pub(crate) again: Option<Again>,
    /// What follows from a receipt; `None` where it is none, or its query cannot be read.
    pub(crate) proven: Option<Proven>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(register: &'a RegisterEvidence, kind: LedgerKind, known: Arc<Known>) -> Self {
        let snapshots = Mutex::new(Snapshots::new(register));
        Self { register, kind, known, snapshots }
    }

    pub(crate) fn read(&self, index: u64, bytes: &[u8]) -> Read {
        let entry = EntryBytes::parse(bytes).ok();
        let (mut again, mut proven) = (None, None);
        match &entry {
            Some(Entry::Decision(decision)) => again = self.again(decision),
            Some(Entry::Receipt(receipt)) => proven = self.proven(receipt),
            _ => {}
        }
        Read { index, leaf: leaf_hash(bytes), entry, again, proven }
    }

    /// The register when it had `size` documents.
    pub(crate) fn at(&self, size: u64) -> Option<Arc<Register>> {
        // A panic elsewhere leaves whole states behind.
        self.snapshots.lock().unwrap_or_else(PoisonError::into_inner).at(size)
    }
}
