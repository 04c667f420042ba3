//! Keys that rotate while a daemon runs. Beside the key of now stands the file of the one that comes next; it
//! need not be there, and is read when the register names a key that the daemon does not have.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use arc_swap::ArcSwap;
use convenant_model::{Oin, Timestamp, keys::VerifyingKey, register::RegisterState};
use convenant_signing::SigningKey;

use crate::{KeyFileError, signing_key};

/// Keys of one kind: that of now, and those that came since.
pub struct Rotating<K> {
    read: fn(&Path) -> Result<K, KeyFileError>,
    first: Arc<K>,
    next: Option<PathBuf>,
    more: ArcSwap<Vec<Arc<K>>>,
}

impl<K> fmt::Debug for Rotating<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rotating({} more)", self.more.load().len())
    }
}

impl<K> Rotating<K> {
    /// Reads the key of now.
    ///
    /// # Errors
    /// When its file cannot be used.
    pub fn open(
        read: fn(&Path) -> Result<K, KeyFileError>,
        now: &Path,
        next: Option<PathBuf>,
    ) -> Result<Self, KeyFileError> {
        Ok(Self { read, first: Arc::new(read(now)?), next, more: ArcSwap::default() })
    }

    /// The key that was there at the start.
    #[must_use]
    pub fn first(&self) -> Arc<K> {
        Arc::clone(&self.first)
    }

    /// The first key for which this holds, of those that are held.
    pub fn held(&self, holds: impl Fn(&K) -> bool) -> Option<Arc<K>> {
        let more = self.more.load();
        std::iter::once(&self.first).chain(more.iter()).find(|key| holds(key)).cloned()
    }

    /// The same, and else the next key, if it holds for that.
    pub fn find(&self, holds: impl Fn(&K) -> bool) -> Option<Arc<K>> {
        self.held(&holds).or_else(|| {
            let next = Arc::new(self.read_next()?);
            holds(&next).then(|| self.add(next))
        })
    }

    fn add(&self, key: Arc<K>) -> Arc<K> {
        self.more.rcu(|more| [more.as_slice(), &[Arc::clone(&key)]].concat());
        tracing::info!("the next key is in use");
        key
    }

    fn read_next(&self) -> Option<K> {
        let path = self.next.as_deref().filter(|path| path.exists())?;
        let read = (self.read)(path);
        read.inspect_err(|error| tracing::error!(%error, "the next key cannot be used")).ok()
    }
}

/// The ledger keys of a party, as the register names them.
#[derive(Debug)]
pub struct LedgerKeys {
    party: Oin,
    keys: Rotating<SigningKey>,
}

impl LedgerKeys {
    /// Reads the key of now.
    ///
    /// # Errors
    /// When its file cannot be used.
    pub fn open(party: Oin, now: &Path, next: Option<PathBuf>) -> Result<Self, KeyFileError> {
        Ok(Self { party, keys: Rotating::open(signing_key, now, next)? })
    }

    /// The key with which a ledger is opened: that of the party's latest enrolment, or else that of now.
    #[must_use]
    pub fn at_start(&self, state: &RegisterState, now: Timestamp) -> Arc<SigningKey> {
        self.enrolled(state, now).unwrap_or_else(|| self.keys.first())
    }

    /// The key of the party's latest enrolment, if it is held and not revoked by now.
    #[must_use]
    pub fn enrolled(&self, state: &RegisterState, now: Timestamp) -> Option<Arc<SigningKey>> {
        let enrolled = &state.enrolment(&self.party)?.ledger_key;
        self.find(enrolled).filter(|_| !state.is_revoked(&self.party, enrolled, now))
    }

    /// The key that a query meets which was written against a register of so many documents. One that is not
    /// held, or that is revoked by now, is stood in for by that of the latest enrolment or else by another,
    /// which the requester refuses.
    #[must_use]
    pub fn of(
        &self,
        state: &RegisterState,
        documents: u64,
        now: Timestamp,
    ) -> Option<Arc<SigningKey>> {
        let sound = |key: &VerifyingKey| !state.is_revoked(&self.party, key, now);
        let then = state.enrolment_when(&self.party, documents);
        let of_then = then.map(|one| &one.ledger_key).filter(|key| sound(key));
        of_then
            .and_then(|key| self.find(key))
            .or_else(|| self.enrolled(state, now))
            .or_else(|| self.keys.held(|key| sound(key.verifying_key())))
    }

    /// Whether the key of the party's latest enrolment is held, where it has one.
    #[must_use]
    pub fn fits(&self, state: &RegisterState) -> bool {
        let enrolment = state.enrolment(&self.party);
        enrolment.is_none_or(|one| self.find(&one.ledger_key).is_some())
    }

    fn find(&self, key: &VerifyingKey) -> Option<Arc<SigningKey>> {
        self.keys.find(|one| one.verifying_key() == key)
    }
}
