//! The node as witness of its coordinator, and its own ledger before the coordinator as witness and
//! before auditors.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use convenant_ledger::{LedgerSigner, LedgerVerifier, origin};
use convenant_model::{Clock, Oin};
use convenant_register::{Follower, Snapshot};
use convenant_setup::{signing_key, verifying_key};
use convenant_store::LedgerHandle;
use convenant_transport::Expected;
use convenant_witness::{Keys, PublishError, Published, Shelf, Witness, witnessed, witnessing};
use tonic::transport::Channel;

use crate::{NodeConfig, NodeError};

/// Kind of an organisation that may read every ledger.
const AUDITOR: &str = "auditor";
/// Longest that the coordinator may take to cosign.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn signer(config: &NodeConfig) -> Result<LedgerSigner, NodeError> {
    let name = origin::node(&config.party.oin)?;
    Ok(LedgerSigner::new(name, signing_key(&config.keys.ledger)?)?)
}

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
    let keys: Keys = Arc::new(move |peer, name| {
        if *peer != coordinator {
            return None;
        }
        let of_register = Some(register.clone()).filter(|register| register.origin() == name);
        let of_ledger = || verifier(&follower.current(), &coordinator);
        of_register.or_else(|| of_ledger().filter(|ledger| ledger.origin() == name))
    });
    let held = witnessing(&config.data.dir.join("ledger"));
    Ok(Witness::new(config.party.oin.clone(), signer(config)?, held, keys, ledger, clock))
}

/// The key of the coordinator's ledger, as it is enrolled.
fn verifier(snapshot: &Snapshot, coordinator: &Oin) -> Option<LedgerVerifier> {
    let enrolment = snapshot.register().state().enrolment(coordinator)?;
    LedgerVerifier::new(origin::coordinator(coordinator).ok()?, enrolment.ledger_key.clone()).ok()
}

/// The node's ledger, for auditors.
pub(crate) fn shelf(
    config: &NodeConfig,
    follower: Arc<Follower>,
    clock: Arc<dyn Clock>,
) -> Result<Shelf, NodeError> {
    let name = origin::node(&config.party.oin)?.as_str().to_owned();
    let ledgers = BTreeMap::from([(name, config.data.dir.join("ledger"))]);
    let entitled =
        Arc::new(move |peer: &Oin| auditor(&follower.current(), peer, clock.as_ref()).is_some());
    Ok(Shelf { ledgers, entitled })
}

/// What to expect of an auditor's certificate, if the party is one that is enrolled today.
pub(crate) fn auditor(snapshot: &Snapshot, party: &Oin, clock: &dyn Clock) -> Option<Expected> {
    let (state, now) = (snapshot.register().state(), clock.now());
    let enrolment = state.enrolment(party).filter(|one| one.holds_on(now.date()))?;
    let pins = enrolment.tls_pins.iter().copied().collect();
    let entitled = enrolment.kind.as_str() == AUDITOR && !state.has_left(party, now);
    entitled.then(|| Expected { oin: party.clone(), pins })
}

/// The node's ledger before its witness.
pub(crate) struct Cosigned {
    published: Published,
    follower: Arc<Follower>,
    coordinator: Oin,
    channel: Channel,
}

impl Cosigned {
    pub(crate) fn new(
        config: &NodeConfig,
        follower: Arc<Follower>,
        ledger: LedgerHandle,
        channel: Channel,
    ) -> Result<Self, NodeError> {
        let verifier = signer(config)?.verifier().clone();
        let witnessed = witnessed(&config.data.dir.join("ledger"));
        let published = Published { ledger, verifier, witnessed };
        Ok(Self { published, follower, coordinator: config.coordinator.oin.clone(), channel })
    }

    /// Has the coordinator cosign what the ledger holds now. That it does not is no reason to stop.
    pub(crate) async fn renew(&self) {
        let Some(witness) = verifier(&self.follower.current(), &self.coordinator) else {
            return;
        };
        let cosigned = self.published.to(&witness, self.channel.clone());
        match tokio::time::timeout(PATIENCE, cosigned).await {
            Ok(Ok(entries)) => tracing::trace!(entries, "the coordinator cosigned the ledger"),
            Ok(Err(PublishError::Unavailable(_))) | Err(_) => {
                tracing::debug!("the coordinator cannot be asked to cosign the ledger");
            }
            Ok(Err(error)) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "the coordinator did not cosign the ledger");
            }
        }
    }
}
