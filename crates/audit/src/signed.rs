//! Signed queries as they stand in ledgers. One query is in the ledger of everybody who saw it, so its signature is
//! checked once for each text.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use convenant_exchange::QUERY_TYPE;
use convenant_model::{Digest, Problem, parse::from_json, query::Query};
use convenant_signing::{JwsError, parse_canonical, peek_compact, sha256};

/// The texts of which form and signature hold, by their SHA-256: some fifty bytes for each query.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<HashSet<Digest>>);

/// A query as it stands in an entry.
pub(crate) struct SignedQuery {
    pub(crate) query: Arc<Query>,
    /// SHA-256 over the compact JWS.
    pub(crate) hash: Digest,
    /// Whether it is signed with the key that it names.
    pub(crate) signature: Result<(), Problem>,
}

impl Known {
    /// Reads a query; `None` if it is none.
    pub(crate) fn read(&self, signed: &str) -> Option<SignedQuery> {
        let hash = sha256(signed.as_bytes());
        let unverified = peek_compact(signed, QUERY_TYPE).ok()?;
        if self.holds(&hash) {
            // The very same text, so its form is known too.
            let query = Arc::new(from_json("query", unverified.payload()).ok()?);
            return Some(SignedQuery { query, hash, signature: Ok(()) });
        }
        let query: Query = parse_canonical(unverified.payload(), "query").ok()?;
        let verified = unverified.verify(&query.requester.key);
        if verified.is_ok() {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(hash);
        }
        let signature = verified.map(drop).map_err(|error| match error {
            JwsError::Signature | JwsError::OtherKey { .. } => Problem::BadSignature,
            _ => Problem::Malformed,
        });
        Some(SignedQuery { query: Arc::new(query), hash, signature })
    }

    /// Forgets a text that will not be seen again.
    pub(crate) fn forget(&self, hash: &Digest) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(hash);
    }

    fn holds(&self, hash: &Digest) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(hash)
    }
}
