//! The keys that a node signs and opens with. While they rotate there are two of a kind: a query names its
//! register, and with that the keys that its requester counts on, so nobody meets the wrong one.

use std::{path::Path, sync::Arc};

use arc_swap::ArcSwap;
use convenant_exchange::Signatory;
use convenant_model::{Oin, documents::Enrolment, keys::VerifyingKey, register::RegisterState};
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
    /// this node does not have is stood in for by that of its configuration, which the requester refuses.
    pub(crate) fn of(&self, state: &RegisterState, documents: u64) -> Option<KeyPair> {
        let enrolment = state.enrolment_when(&self.party, documents).map(AsRef::as_ref);
        let held = enrolment.map_or_else(|| self.held.load_full(), |one| self.for_enrolment(one));
        let signatory = enrolment.and_then(|one| held.signatory(&one.ledger_key));
        let opening = enrolment.and_then(|one| held.opening(one));
        Some(KeyPair {
            signatory: Arc::clone(signatory.or(held.signatories.first())?),
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
        match self.with_next(&held) {
            Ok(more) if more.fits(enrolment) => {
                tracing::info!("the next keys are in use");
                self.held.store(Arc::new(more));
            }
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "the next keys cannot be used"),
        }
        self.held.load_full()
    }

    /// What is held and the next keys, as far as these are there.
    fn with_next(&self, held: &Held) -> Result<Held, KeyFileError> {
        let mut held = held.clone();
        if let Some(path) = there(self.files.next_ledger.as_deref()) {
            held.signatories.push(signatory(&self.party, path)?);
        }
        if let Some(path) = there(self.files.next_sealing.as_deref()) {
            held.openings.push(Arc::new(opening_key(path)?));
        }
        Ok(held)
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
