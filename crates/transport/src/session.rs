//! One accepted connection: its peer, and whether that peer's certificate still holds.

use std::sync::{Mutex, PoisonError};

use convenant_model::{Digest, Timestamp};
use rustls_pki_types::CertificateDer;

use crate::{Peer, PeerError, PeerPolicy, PeerRefused, ServerTls};

/// How long a verified chain is taken to hold while no file changed, in seconds: certificates and
/// revocation lists expire on their own.
const FRESH: i64 = 10;

/// A connection's peer, read from its certificate once.
pub(crate) struct Session {
    peer: Peer,
    chain: Vec<CertificateDer<'static>>,
    tls: ServerTls,
    verified: Mutex<Verified>,
}

/// Against which files the chain was last verified, and when.
struct Verified {
    fingerprint: Digest,
    at: Timestamp,
}

impl Session {
    /// A session over a chain that the handshake verified against the files of `fingerprint`.
    pub(crate) fn new(
        chain: Vec<CertificateDer<'static>>,
        tls: ServerTls,
        fingerprint: Digest,
    ) -> Result<Self, PeerError> {
        let peer = Peer::of(chain.first().map(AsRef::as_ref).unwrap_or_default())?;
        let verified = Mutex::new(Verified { fingerprint, at: tls.clock().now() });
        Ok(Self { peer, chain, tls, verified })
    }

    pub(crate) fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Decides on one request. An open connection outlives a revocation list, an enrolment and a
    /// certificate, so all are asked again.
    pub(crate) fn admit(&self, policy: &dyn PeerPolicy) -> Result<Peer, PeerRefused> {
        self.verify_again()?;
        policy.admit(&self.peer)?;
        Ok(self.peer.clone())
    }

    fn verify_again(&self) -> Result<(), PeerRefused> {
        let state = self.tls.current();
        let now = self.tls.clock().now();
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        let age = now.seconds_since(verified.at);
        if verified.fingerprint == state.fingerprint && (0..FRESH).contains(&age) {
            return Ok(());
        }
        state.verify(&self.chain, self.tls.clock()).map_err(PeerRefused::Certificate)?;
        *verified = Verified { fingerprint: state.fingerprint, at: now };
        Ok(())
    }
}
