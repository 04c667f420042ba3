//! The task that delivers the log of processing, where the node is configured to have one.

use std::sync::Arc;

use convenant_ldv::{Delivery, Gate, Origin};
use convenant_ledger::origin;
use convenant_model::Clock;
use convenant_store::LedgerHandle;
use convenant_subjects::Subjects;
use tokio::{sync::oneshot, task::JoinHandle};

use crate::{NodeConfig, NodeError};

/// The task. Dropped, it ends by itself.
pub(crate) struct Logbook {
    gate: Gate,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Logbook {
    pub(crate) fn start(
        config: &NodeConfig,
        ledger: &LedgerHandle,
        subjects: Option<&Subjects>,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<Self>, NodeError> {
        let Some(ldv) = config.ldv.clone() else {
            return Ok(None);
        };
        let party = config.party.oin.clone();
        let origin = Origin {
            name: origin::node(&party)?.as_str().to_owned(),
            ledger: ledger.clone(),
            journal: subjects.ok_or(NodeError::LdvOfNobody)?.journal().clone(),
            party,
        };
        let delivery = Delivery::open(ldv, origin, &config.data.dir, clock)?;
        let (stop, stopped) = oneshot::channel();
        let gate = delivery.gate();
        Ok(Some(Self { gate, stop, task: tokio::spawn(delivery.run(stopped)) }))
    }

    pub(crate) fn gate(&self) -> Gate {
        self.gate.clone()
    }

    /// Ends it, after the last lines if that is quickly done.
    pub(crate) async fn stop(self) {
        // An error means that it ended already.
        let _ended = self.stop.send(());
        let _ended = self.task.await;
    }
}
