//! Which peers are let in, asked again on every request.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use arc_swap::ArcSwap;
use convenant_model::{Digest, Oin};
use thiserror::Error;
use tonic::Status;

use crate::{CertificateFault, Expected, Mismatch, Peer};

/// Decides on every request whether its peer may speak to this server at all. What the peer may then
/// do is for the handlers, which find the [`Peer`] in the request's extensions.
pub trait PeerPolicy: Send + Sync {
    /// Lets a peer in.
    ///
    /// # Errors
    /// When it is not enrolled, or not with this key, or has no business here.
    fn admit(&self, peer: &Peer) -> Result<(), PeerRefused>;

    /// The answer to a request of a peer that was refused. Override it to add details.
    fn status(&self, refused: &PeerRefused) -> Status {
        Status::unauthenticated(refused.to_string())
    }
}

/// Why a peer was refused.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum PeerRefused {
    /// The connection shows no certificate. Such a connection is not accepted in the first place.
    #[error("the connection shows no certificate")]
    NoCertificate,
    /// The certificate was in order when the connection was made, and is no longer.
    #[error("{0}")]
    Certificate(CertificateFault),
    /// No enrolment of this party.
    #[error("party {0} is not enrolled here")]
    NotEnrolled(Oin),
    /// Enrolled, but not with this key, or another party than was expected.
    #[error("{0}")]
    Mismatch(Mismatch),
    /// Enrolled, but in a part that has no business with this server.
    #[error("party {oin} may not use this service: {reason}")]
    NoBusiness {
        /// The party.
        oin: Oin,
        /// Why, without anything personal.
        reason: &'static str,
    },
}

/// A policy that is a list of parties with their pins; empty, it refuses everybody.
#[derive(Debug, Default)]
pub struct KnownPeers(ArcSwap<BTreeMap<Oin, BTreeSet<Digest>>>);

impl KnownPeers {
    /// A list of parties.
    #[must_use]
    pub fn new(peers: impl IntoIterator<Item = Expected>) -> Self {
        let list = Self::default();
        list.replace(peers);
        list
    }

    /// Replaces the list, for requests from now on, on open connections as well.
    pub fn replace(&self, peers: impl IntoIterator<Item = Expected>) {
        let mut list = BTreeMap::<Oin, BTreeSet<Digest>>::new();
        for Expected { oin, pins } in peers {
            list.entry(oin).or_default().extend(pins);
        }
        self.0.store(Arc::new(list));
    }
}

impl PeerPolicy for KnownPeers {
    fn admit(&self, peer: &Peer) -> Result<(), PeerRefused> {
        match self.0.load().get(&peer.oin) {
            None => Err(PeerRefused::NotEnrolled(peer.oin.clone())),
            Some(pins) if pins.contains(&peer.pin) => Ok(()),
            Some(_) => {
                Err(PeerRefused::Mismatch(Mismatch::Pin { oin: peer.oin.clone(), found: peer.pin }))
            }
        }
    }
}
