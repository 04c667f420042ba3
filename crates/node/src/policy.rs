//! Who may talk to a node: its coordinator, known by OIN and pin, and nobody else.

use convenant_model::Problem;
use convenant_transport::{Expected, Peer, PeerPolicy, PeerRefused};
use convenant_wire::problem::status;
use tonic::Status;

/// Admits the coordinator only.
#[derive(Debug)]
pub(crate) struct OnlyCoordinator(pub(crate) Expected);

impl PeerPolicy for OnlyCoordinator {
    fn admit(&self, peer: &Peer) -> Result<(), PeerRefused> {
        self.0.matches(peer).map_err(PeerRefused::Mismatch)
    }

    fn status(&self, refused: &PeerRefused) -> Status {
        status(Problem::Unauthenticated, refused.to_string())
    }
}
