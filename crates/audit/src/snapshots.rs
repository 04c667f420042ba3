//! The states of the register that a ledger's decisions name, a few kept at a time: decisions come in
//! nearly the order in which the register grew.

use std::{collections::BTreeMap, sync::Arc};

use convenant_ledger::register::Register;

use crate::RegisterEvidence;

/// How many states are kept: decisions under way while the register grows name one of the last few.
const KEPT: usize = 16;

pub(crate) struct Snapshots<'a> {
    evidence: &'a RegisterEvidence,
    kept: BTreeMap<u64, Arc<Register>>,
}

impl<'a> Snapshots<'a> {
    pub(crate) const fn new(evidence: &'a RegisterEvidence) -> Self {
        Self { evidence, kept: BTreeMap::new() }
    }

    /// The register when it had `size` documents.
    pub(crate) fn at(&mut self, size: u64) -> Option<Arc<Register>> {
        if let Some(register) = self.kept.get(&size) {
            return Some(Arc::clone(register));
        }
        let nearest = self.kept.range(..size).next_back().map(|(_, register)| register.as_ref());
        let register = Arc::new(self.evidence.at(size, nearest)?);
        if self.kept.len() >= KEPT {
            // Threads that read ahead ask for states in about their sequence: the one farthest away is done with.
            let far = self.kept.keys().copied().max_by_key(|one| one.abs_diff(size));
            far.and_then(|far| self.kept.remove(&far));
        }
        self.kept.insert(size, Arc::clone(&register));
        Some(register)
    }
}
