//! The keys that a node signs and opens with. While they rotate there are two of a kind: a query names its
//! register, and with that the keys that its requester counts on, so nobody meets the wrong one.

use std::sync::Arc;

use convenant_exchange::Signatory;
use convenant_model::{Oin, Timestamp, documents::Enrolment, register::RegisterState};
use convenant_setup::{KeyFileError, LedgerKeys, Rotating, opening_key};
use convenant_signing::OpeningKey;

use crate::config::Keys;

/// A node's keys.
pub(crate) struct Keyring {
    party: Oin,
    pub(crate) ledger: LedgerKeys,
    sealing: Rotating<OpeningKey>,
}

/// The keys that one query meets.
pub(crate) struct KeyPair {
    pub(crate) signatory: Signatory,
    pub(crate) opening: Arc<OpeningKey>,
}

impl Keyring {
    /// Reads the keys of now.
    pub(crate) fn open(party: Oin, files: Keys) -> Result<Self, KeyFileError> {
        let ledger = LedgerKeys::open(party.clone(), &files.ledger, files.next_ledger)?;
        let sealing = Rotating::open(opening_key, &files.sealing, files.next_sealing)?;
        Ok(Self { party, ledger, sealing })
    }

    /// The keys that a query meets which was written against a register of so many documents. One that
    /// this node does not have is stood in for by another.
    pub(crate) fn of(
        &self,
        state: &RegisterState,
        documents: u64,
        now: Timestamp,
    ) -> Option<KeyPair> {
        let key = self.ledger.of(state, documents, now)?;
        let enrolment = state.enrolment_when(&self.party, documents);
        let opening = enrolment.and_then(|one| self.opening(one));
        Some(KeyPair {
            signatory: Signatory { party: self.party.clone(), key },
            opening: opening.unwrap_or_else(|| self.sealing.first()),
        })
    }

    /// Whether this node has the keys of its latest enrolment, where it has one.
    pub(crate) fn fits(&self, state: &RegisterState) -> bool {
        let sealed = |one: &Enrolment| one.node.is_none() || self.opening(one).is_some();
        let enrolment = state.enrolment(&self.party);
        self.ledger.fits(state) && enrolment.is_none_or(|one| sealed(one))
    }

    fn opening(&self, enrolment: &Enrolment) -> Option<Arc<OpeningKey>> {
        let key = &enrolment.node.as_ref()?.sealing_key;
        self.sealing.find(|one| one.sealing_key() == key)
    }
}
