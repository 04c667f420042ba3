//! Connections to the nodes, as their enrolments say where and who they are.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, PoisonError},
};

use convenant_model::{Digest, Oin, documents::Enrolment};
use convenant_transport::{ClientTls, Expected, Limits, Line};
use tonic::transport::Channel;

/// One connection a node, made at the first call and kept.
pub(crate) struct Nodes {
    tls: ClientTls,
    limits: Limits,
    open: Mutex<HashMap<Oin, Known>>,
}

struct Known {
    address: String,
    pins: BTreeSet<Digest>,
    line: Line,
}

impl Nodes {
    pub(crate) fn new(tls: ClientTls, limits: Limits) -> Self {
        Self { tls, limits, open: Mutex::default() }
    }

    /// The connection to a partner's node; `None` where the enrolment names no usable node. A new
    /// enrolment gets a new connection.
    pub(crate) fn channel(&self, enrolment: &Enrolment) -> Option<Channel> {
        let address = enrolment.node.as_ref()?.address.as_str();
        let pins: BTreeSet<_> = enrolment.tls_pins.iter().copied().collect();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = open.get(&enrolment.partner)
            && known.address == address
            && known.pins == pins
        {
            return Some(known.line.channel());
        }
        let expected =
            Expected { oin: enrolment.partner.clone(), pins: pins.iter().copied().collect() };
        let line = Line::new(expected, address, self.tls.clone(), &self.limits).ok()?;
        let channel = line.channel();
        let known = Known { address: address.to_owned(), pins, line };
        open.insert(enrolment.partner.clone(), known);
        Some(channel)
    }
}
