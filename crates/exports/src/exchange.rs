//! The query inside an entry.

use convenant_model::{
    Digest,
    query::{QUERY_TYPE, Query},
};
use convenant_signing::{parse_canonical, peek_compact};
use thiserror::Error;

/// The signed query in an entry is none. An audit says more; no record can be made of it.
#[derive(Debug, Error)]
#[error("the signed query in the entry cannot be read")]
pub struct NotReadable(#[source] Box<dyn std::error::Error + Send + Sync>);

impl NotReadable {
    pub(crate) fn of(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Box::new(error))
    }
}

/// The query as it stands in an entry. Its signature is for an audit to verify.
pub(crate) fn query_of(signed: &str) -> Result<Query, NotReadable> {
    let unverified = peek_compact(signed, QUERY_TYPE).map_err(NotReadable::of)?;
    parse_canonical(unverified.payload(), "query").map_err(NotReadable::of)
}

/// A digest as a source reference.
pub(crate) fn reference(digest: &Digest) -> String {
    format!("sha256:{digest}")
}
