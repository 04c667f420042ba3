//! A line to one party: a channel that is made anew when the files of this side change, so that the next
//! call shows the certificate of now. Calls that are under way stay on the channel that they began on.

use std::sync::{Arc, Mutex, PoisonError};

use convenant_model::Digest;
use tonic::transport::Channel;

use crate::{AddressError, ClientTls, Expected, Limits, connect};

/// A line to one party.
#[derive(Clone, Debug)]
pub struct Line(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    expected: Expected,
    address: String,
    tls: ClientTls,
    limits: Limits,
    open: Mutex<(Digest, Channel)>,
}

impl Line {
    /// A line to the party `expected` at `address` (`host:port`). It connects at the first call.
    ///
    /// # Errors
    /// When the address is not `host:port`.
    pub fn new(
        expected: Expected,
        address: &str,
        tls: ClientTls,
        limits: &Limits,
    ) -> Result<Self, AddressError> {
        let fingerprint = tls.fingerprint();
        let channel = connect(expected.clone(), address, tls.clone(), limits)?;
        let (address, limits) = (address.to_owned(), limits.clone());
        let open = Mutex::new((fingerprint, channel));
        Ok(Self(Arc::new(Inner { expected, address, tls, limits, open })))
    }

    /// The channel for the next call.
    #[must_use]
    pub fn channel(&self) -> Channel {
        let Inner { expected, address, tls, limits, open } = &*self.0;
        let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
        let fingerprint = tls.fingerprint();
        if open.0 != fingerprint
            && let Ok(channel) = connect(expected.clone(), address, tls.clone(), limits)
        {
            *open = (fingerprint, channel);
        }
        open.1.clone()
    }
}
