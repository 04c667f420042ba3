//! The node as witness of its coordinator, and its own ledger before the coordinator as witness and
//! before auditors.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use convenant_ledger::{LedgerVerifier, origin};
use convenant_model::{Clock, Oin, Timestamp, keys::VerifyingKey};
use convenant_register::{Follower, Snapshot};
use convenant_setup::{LedgerKeys, verifying_key};
use convenant_store::LedgerHandle;
use convenant_transport::{Expected, Line};
use convenant_witness::{
    Keys, PublishError, Published, Readers, Shelf, Witness, witnessed, witnessing,
};

use crate::{NodeConfig, NodeError};

/// Longest that the coordinator may take to cosign.
const PATIENCE: Duration = Duration::from_secs(10);

/// The witness of the coordinator's ledger and register, and of nothing else.
pub(crate) fn witness(
    config: &NodeConfig,
    follower: Arc<Follower>,
    ledger: LedgerHandle,
    clock: Arc<dyn Clock>,
) -> Result<Witness, NodeError> {
    let coordinator = config.coordinator.oin.clone();
    let key = verifying_key(&config.register.key)?;
    let register = LedgerVerifier::new(origin::register(&coordinator)?, key)?;
    let keys_at = Arc::clone(&clock);
    let keys: Keys = Arc::new(move |peer, name| {
        if *peer != coordinator {
            return Vec::new();
        }
        let mut keys = verifiers(&follower.current(), &coordinator, keys_at.now());
        keys.push(register.clone());
        keys.retain(|key| key.origin() == name);
        keys
    });
    let held = witnessing(&config.data.dir.join("ledger"));
    Ok(Witness::new(config.party.oin.clone(), held, keys, ledger, clock))
}

/// The keys that the coordinator's ledger may be signed with.
fn verifiers(snapshot: &Snapshot, coordinator: &Oin, at: Timestamp) -> Vec<LedgerVerifier> {
    let keys = snapshot.register().state().ledger_keys_at(coordinator, at);
    let named = |key: &VerifyingKey| {
        LedgerVerifier::new(origin::coordinator(coordinator).ok()?, key.clone()).ok()
    };
    keys.filter_map(named).collect()
}

/// The node's ledger, for auditors.
pub(crate) fn shelf(
    config: &NodeConfig,
    follower: Arc<Follower>,
    ledger: LedgerHandle,
    clock: Arc<dyn Clock>,
) -> Result<Shelf, NodeError> {
    let party = config.party.oin.clone();
    let name = origin::node(&party)?.as_str().to_owned();
    let ledgers = BTreeMap::from([(name.clone(), config.data.dir.join("ledger"))]);
    let readers = Readers::new(party, name, ledger, Arc::clone(&clock));
    let entitled =
        Arc::new(move |peer: &Oin| auditor(&follower.current(), peer, clock.as_ref()).is_some());
    Ok(Shelf::new(ledgers, entitled, readers))
}

/// What to expect of an auditor's certificate, if the party is one that is enrolled today.
pub(crate) fn auditor(snapshot: &Snapshot, party: &Oin, clock: &dyn Clock) -> Option<Expected> {
    let now = clock.now();
    // With a register that nothing may be decided with, nobody is let in on its word either.
    snapshot.trusted(now).ok()?;
    let enrolment = snapshot.register().state().auditor_at(party, now)?;
    Some(Expected { oin: party.clone(), pins: enrolment.tls_pins.iter().copied().collect() })
}

/// The node's ledger before its witness.
pub(crate) struct Cosigned {
    published: Published,
    follower: Arc<Follower>,
    coordinator: Oin,
    line: Line,
    clock: Arc<dyn Clock>,
}

impl Cosigned {
    pub(crate) fn new(
        config: &NodeConfig,
        follower: Arc<Follower>,
        ledger: LedgerHandle,
        line: Line,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, NodeError> {
        let witnessed = witnessed(&config.data.dir.join("ledger"));
        let published = Published::new(ledger, origin::node(&config.party.oin)?, witnessed);
        Ok(Self { published, follower, coordinator: config.coordinator.oin.clone(), line, clock })
    }

    /// Has the ledger signed with the key of the latest enrolment, where this node has it.
    pub(crate) async fn rotate(&self, keys: &LedgerKeys) {
        let snapshot = self.follower.current();
        if let Some(key) = keys.enrolled(snapshot.register().state(), self.clock.now())
            && let Err(error) = self.published.sign_with(key).await
        {
            tracing::error!(%error, "the ledger cannot be signed with the next key");
        }
    }

    /// Has the coordinator cosign what the ledger holds now. That it does not is no reason to stop.
    pub(crate) async fn renew(&self) {
        let witness = verifiers(&self.follower.current(), &self.coordinator, self.clock.now());
        let cosigned = self.published.to(&witness, self.line.channel());
        let asked = tokio::time::timeout(PATIENCE, cosigned).await;
        let is_news = |came| self.published.is_news(&self.coordinator, came);
        let news = asked.as_ref().is_ok_and(|came| is_news(came.as_ref().copied()));
        match asked {
            Ok(Ok(entries)) => tracing::trace!(entries, "the coordinator cosigned the ledger"),
            Ok(Err(PublishError::Unavailable(_))) | Err(_) => {
                tracing::debug!("the coordinator cannot be asked to cosign the ledger");
            }
            Ok(Err(error)) if !news => {
                let error = &error as &dyn std::error::Error;
                tracing::debug!(error, "the coordinator did not cosign the ledger, as before");
            }
            Ok(Err(error)) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "the coordinator did not cosign the ledger");
            }
        }
    }
}
