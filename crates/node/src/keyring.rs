//! The keys that a node signs and opens with. While they rotate there are two of a kind: a query names its
//! register, and with that the keys that its requester counts on, so nobody meets the wrong one.

use std::{path::Path, sync::Arc};

use arc_swap::ArcSwap;
use convenant_exchange::Signatory;
use convenant_model::{
    Oin, Timestamp, documents::Enrolment, keys::VerifyingKey, register::RegisterState,
};
use convenant_setup::{KeyFileError, opening_key, signing_key};
use convenant_signing::OpeningKey;

use crate::config::Keys;

/// A node's keys, those of now first.
pub(crate) struct Keyring {
    party: Oin,
    files: Keys,
    held: ArcSwap<Held>,
}

#[derive(Clone)]
struct Held {
    signatories: Vec<Arc<Signatory>>,
    openings: Vec<Arc<OpeningKey>>,
}

/// The keys that one query meets.
#[derive(Clone)]
pub(crate) struct KeyPair {
    pub(crate) signatory: Arc<Signatory>,
    pub(crate) opening: Arc<OpeningKey>,
}

impl Keyring {
    /// Reads the keys of now.
    pub(crate) fn open(party: Oin, files: Keys) -> Result<Self, KeyFileError> {
        let signatories = vec![signatory(&party, &files.ledger)?];
        let openings = vec![Arc::new(opening_key(&files.sealing)?)];
        let held = ArcSwap::from_pointee(Held { signatories, openings });
        Ok(Self { party, files, held })
    }

    /// The keys that a query meets which was written against a register of so many documents. One that
    /// this node does not have, or that is revoked by now, is stood in for by that of its latest enrolment or
    /// else of its configuration, which the requester refuses.
    pub(crate) fn of(
        &self,
        state: &RegisterState,
        documents: u64,
        now: Timestamp,
    ) -> Option<KeyPair> {
        let sound = |key: &&VerifyingKey| !state.is_revoked(&self.party, key, now);
        let enrolment = state.enrolment_when(&self.party, documents).map(AsRef::as_ref);
        let held = enrolment.map_or_else(|| self.held.load_full(), |one| self.for_enrolment(one));
        let latest = state.enrolment(&self.party).map(AsRef::as_ref);
        let mut keys = [enrolment, latest].into_iter().flatten().map(|one| &one.ledger_key);
        let signatory = keys.find(sound).and_then(|key| held.signatory(key));
        let mut own = held.signatories.iter();
        let own = || own.find(|one| sound(&one.key.verifying_key()));
        let opening = enrolment.and_then(|one| held.opening(one));
        Some(KeyPair {
            signatory: Arc::clone(signatory.or_else(own)?),
            opening: Arc::clone(opening.or(held.openings.first())?),
        })
    }

    /// Whether this node has the keys of its latest enrolment, where it has one.
    pub(crate) fn fits(&self, state: &RegisterState) -> bool {
        let enrolment = state.enrolment(&self.party);
        enrolment.is_none_or(|one| self.for_enrolment(one).fits(one))
    }

    /// What is held, with the next keys where an enrolment needs them.
    fn for_enrolment(&self, enrolment: &Enrolment) -> Arc<Held> {
        let held = self.held.load_full();
        if held.fits(enrolment) {
            return held;
        }
        let more = self.with_next(&held);
        if more.fits(enrolment) {
            tracing::info!("the next keys are in use");
            self.held.store(Arc::new(more));
        }
        self.held.load_full()
    }

    /// What is held and the next keys, as far as these are there.
    fn with_next(&self, held: &Held) -> Held {
        let mut held = held.clone();
        // Each by itself: one file that cannot be used does not stand in the other's way.
        let mut fault = None;
        if let Some(path) = there(self.files.next_ledger.as_deref()) {
            match signatory(&self.party, path) {
                Ok(signatory) => held.signatories.push(signatory),
                Err(error) => fault = Some(error),
            }
        }
        if let Some(path) = there(self.files.next_sealing.as_deref()) {
            match opening_key(path) {
                Ok(opening) => held.openings.push(Arc::new(opening)),
                Err(error) => fault = Some(error),
            }
        }
        if let Some(error) = fault {
            tracing::error!(%error, "one of the next keys cannot be used");
        }
        held
    }
}

impl Held {
    fn fits(&self, enrolment: &Enrolment) -> bool {
        let sealed = enrolment.node.is_none() || self.opening(enrolment).is_some();
        sealed && self.signatory(&enrolment.ledger_key).is_some()
    }

    fn signatory(&self, key: &VerifyingKey) -> Option<&Arc<Signatory>> {
        self.signatories.iter().find(|one| one.key.verifying_key() == key)
    }

    fn opening(&self, enrolment: &Enrolment) -> Option<&Arc<OpeningKey>> {
        let key = &enrolment.node.as_ref()?.sealing_key;
        self.openings.iter().find(|one| one.sealing_key() == key)
    }
}

fn signatory(party: &Oin, path: &Path) -> Result<Arc<Signatory>, KeyFileError> {
    Ok(Arc::new(Signatory { party: party.clone(), key: signing_key(path)? }))
}

fn there(path: Option<&Path>) -> Option<&Path> {
    path.filter(|path| path.exists())
}
