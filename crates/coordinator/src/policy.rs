//! Who may talk to the coordinator: whoever the register enrols, with the pinned keys.

use std::sync::Arc;

use convenant_model::{Clock, Problem};
use convenant_transport::{Expected, Peer, PeerPolicy, PeerRefused};
use convenant_wire::problem::status;
use tonic::Status;

use crate::registrar::Registrar;

/// Admits enrolled parties, asked again on every request, so that an enrolment that ends or is
/// replaced takes effect on open connections.
pub(crate) struct Enrolled {
    pub(crate) registrar: Arc<Registrar>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl PeerPolicy for Enrolled {
    fn admit(&self, peer: &Peer) -> Result<(), PeerRefused> {
        let snapshot = self.registrar.current();
        let (state, now) = (snapshot.register().state(), self.clock.now());
        // A key that was revoked keeps nobody from bringing the enrolment with a new one.
        let enrolment = state.enrolment(&peer.oin).filter(|one| one.holds_on(now.date()));
        let enrolment = enrolment.filter(|_| !state.has_left(&peer.oin, now));
        let enrolment = enrolment.ok_or_else(|| PeerRefused::NotEnrolled(peer.oin.clone()))?;
        let pins = enrolment.tls_pins.iter().copied().collect();
        let expected = Expected { oin: peer.oin.clone(), pins };
        expected.matches(peer).map_err(PeerRefused::Mismatch)
    }

    fn status(&self, refused: &PeerRefused) -> Status {
        status(Problem::Unauthenticated, refused.to_string())
    }
}
