//! Who may talk to a node: its coordinator, known by OIN and pin, and the auditors that the register
//! enrols. What an auditor may do here is read the ledger; the services see to that.

use std::sync::Arc;

use convenant_model::{Clock, Problem};
use convenant_register::Follower;
use convenant_transport::{Expected, Peer, PeerPolicy, PeerRefused};
use convenant_wire::problem::status;
use tonic::Status;

use crate::witnessing::auditor;

/// Admits the coordinator and auditors, asked again on every request.
pub(crate) struct Admitted {
    pub(crate) coordinator: Expected,
    pub(crate) follower: Arc<Follower>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl PeerPolicy for Admitted {
    fn admit(&self, peer: &Peer) -> Result<(), PeerRefused> {
        let auditor = || auditor(&self.follower.current(), &peer.oin, self.clock.as_ref());
        let expected = Some(&self.coordinator).filter(|one| one.oin == peer.oin).cloned();
        // Whoever is neither is told what it would be told without auditors.
        let expected = expected.or_else(auditor).unwrap_or_else(|| self.coordinator.clone());
        expected.matches(peer).map_err(PeerRefused::Mismatch)
    }

    fn status(&self, refused: &PeerRefused) -> Status {
        status(Problem::Unauthenticated, refused.to_string())
    }
}
