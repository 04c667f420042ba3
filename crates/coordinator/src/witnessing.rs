//! The coordinator as witness of the nodes, and its ledgers before the nodes as witnesses and before
//! auditors.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use convenant_ledger::{LedgerVerifier, origin};
use convenant_model::{Clock, Oin, Timestamp, keys::VerifyingKey, register::RegisterState};
use convenant_setup::LedgerKeys;
use convenant_store::LedgerHandle;
use convenant_witness::{
    Keys, PublishError, Published, Readers, Shelf, Witness, witnessed, witnessing,
};
use tokio::task::JoinSet;
use tonic::transport::Channel;

use crate::{CoordinatorConfig, CoordinatorError, brokering::Brokering, registrar::Registrar};

/// Longest that a node may take to cosign.
const PATIENCE: Duration = Duration::from_secs(10);

/// The witness of every enrolled node's ledger.
pub(crate) fn witness(config: &CoordinatorConfig, brokering: &Brokering) -> Witness {
    let registrar = Arc::clone(&brokering.registrar);
    let keys_at = Arc::clone(&brokering.clock);
    let keys: Keys = Arc::new(move |peer, name| {
        let snapshot = registrar.current();
        let mut keys = verifiers(snapshot.register().state(), peer, keys_at.now());
        keys.retain(|key| key.origin() == name);
        keys
    });
    let held = witnessing(&config.data.dir.join("ledger"));
    let (party, ledger) = (config.party.oin.clone(), brokering.books.ledger.clone());
    Witness::new(party, held, keys, ledger, Arc::clone(&brokering.clock))
}

/// The keys that a node's ledger may be signed with.
fn verifiers(state: &RegisterState, node: &Oin, at: Timestamp) -> Vec<LedgerVerifier> {
    let named =
        |key: &VerifyingKey| LedgerVerifier::new(origin::node(node).ok()?, key.clone()).ok();
    state.ledger_keys_at(node, at).filter_map(named).collect()
}

/// Ledger and register, for auditors.
pub(crate) fn shelf(
    config: &CoordinatorConfig,
    registrar: Arc<Registrar>,
    ledger: LedgerHandle,
    clock: Arc<dyn Clock>,
) -> Result<Shelf, CoordinatorError> {
    let (own, dir) = (&config.party.oin, &config.data.dir);
    let name = origin::coordinator(own)?.as_str().to_owned();
    let ledgers = BTreeMap::from([
        (name.clone(), dir.join("ledger")),
        (origin::register(own)?.as_str().to_owned(), dir.join("register")),
    ]);
    // The register is everybody's to follow, so nobody's reading of it is on record.
    let readers = Readers::new(own.clone(), name, ledger, Arc::clone(&clock));
    let entitled = Arc::new(move |peer: &Oin| {
        registrar.current().register().state().auditor_at(peer, clock.now()).is_some()
    });
    Ok(Shelf::new(ledgers, entitled, readers))
}

/// The coordinator's ledger and register before their witnesses.
pub(crate) struct Cosigned {
    ledger: Arc<Published>,
    register: Arc<Published>,
    brokering: Arc<Brokering>,
    keys: LedgerKeys,
    // Whether the key of the enrolment was there when it was looked for last.
    fitted: AtomicBool,
}

impl Cosigned {
    pub(crate) fn new(
        config: &CoordinatorConfig,
        brokering: Arc<Brokering>,
        keys: LedgerKeys,
    ) -> Result<Self, CoordinatorError> {
        let dir = &config.data.dir;
        let ledger = Published::new(
            brokering.books.ledger.clone(),
            origin::coordinator(&config.party.oin)?,
            witnessed(&dir.join("ledger")),
        );
        let register = Published::new(
            brokering.registrar.ledger().clone(),
            origin::register(&config.party.oin)?,
            witnessed(&dir.join("register")),
        );
        let (ledger, register) = (Arc::new(ledger), Arc::new(register));
        Ok(Self { ledger, register, brokering, keys, fitted: AtomicBool::new(true) })
    }

    /// Has every node cosign what ledger and register hold now, again every `period`, for ever. Run it
    /// in a task and abort that.
    pub(crate) async fn renew_every(self: Arc<Self>, period: Duration) {
        let mut ticks = tokio::time::interval(period);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.renew().await;
            // After that, so that whoever has not heard of the next key yet has a period to do so.
            self.rotate().await;
        }
    }

    /// Has the ledger signed with the key of the coordinator's latest enrolment.
    async fn rotate(&self) {
        let snapshot = self.brokering.registrar.current();
        let (state, now) = (snapshot.register().state(), self.brokering.clock.now());
        let fits = self.keys.fits(state);
        if self.fitted.swap(fits, Ordering::Relaxed) && !fits {
            tracing::error!("the register enrols a ledger key that the coordinator does not have");
        }
        if let Some(key) = self.keys.enrolled(state, now)
            && let Err(error) = self.ledger.sign_with(key).await
        {
            tracing::error!(%error, "the ledger cannot be signed with the next key");
        }
    }

    /// Has every node cosign what ledger and register hold now.
    pub(crate) async fn renew(&self) {
        let snapshot = self.brokering.registrar.current();
        let (state, now) = (snapshot.register().state(), self.brokering.clock.now());
        let mut asked = JoinSet::new();
        for enrolment in state.enrolments() {
            let here = enrolment.holds_on(now.date()) && !state.has_left(&enrolment.partner, now);
            let channel = self.brokering.nodes.channel(enrolment).filter(|_| here);
            if let Some(channel) = channel {
                let witness = verifiers(state, &enrolment.partner, now);
                let ledgers = [Arc::clone(&self.ledger), Arc::clone(&self.register)];
                asked.spawn(ask(ledgers, witness, channel, enrolment.partner.clone()));
            }
        }
        asked.join_all().await;
    }
}

/// Has one node cosign. That it does not is no reason to stop.
async fn ask(
    ledgers: [Arc<Published>; 2],
    witness: Vec<LedgerVerifier>,
    channel: Channel,
    node: Oin,
) {
    for ledger in ledgers {
        let origin = ledger.origin().as_str();
        let asked = tokio::time::timeout(PATIENCE, ledger.to(&witness, channel.clone())).await;
        let news = asked.as_ref().is_ok_and(|came| ledger.is_news(&node, came.as_ref().copied()));
        match asked {
            Ok(Ok(entries)) => tracing::trace!(%node, origin, entries, "a node cosigned"),
            Ok(Err(PublishError::Unavailable(_))) | Err(_) => {
                tracing::debug!(%node, origin, "a node cannot be asked to cosign");
                return;
            }
            Ok(Err(error)) if !news => {
                let error = &error as &dyn std::error::Error;
                tracing::debug!(%node, origin, error, "a node did not cosign, as before");
            }
            Ok(Err(error)) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(%node, origin, error, "a node did not cosign");
            }
        }
    }
}
