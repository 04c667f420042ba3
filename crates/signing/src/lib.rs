//! Keys, canonical JSON, JWS and HPKE of `convenant`.
//!
//! What a party asserts, it signs here; what only one party may read, it seals here. The crate holds
//! no random source of its own: a caller passes [`SystemRandom`] wherever something is drawn. The type
//! is ring's, because ring accepts only its own sources for ES256; nothing in the core makes one.
//!
//! **In scope:** SHA-256; RFC 8785 canonical JSON, for integers and texts only; private keys as JWK
//! (RFC 7517, RFC 8037); key ids (RFC 7638); JWS in compact and general JSON form (RFC 7515) with
//! EdDSA and ES256; HPKE (RFC 9180) for one message and for streams of chunks; salts and
//! pseudonyms (RFC 2104).
//!
//! **Out of scope:** what a document means and who may sign it (`model`), files that hold keys
//! (`cli`, `node`), certificates and TLS (`transport`), Merkle trees and signed notes (`ledger`).

mod base64url;
mod canonical;
mod compact;
mod context;
mod guard;
mod hash;
mod header;
mod jwk;
mod jws;
mod key;
mod once;
mod opening;
mod plain;
mod pseudonym;
mod salter;
mod stream;
mod suite;
mod unique;

pub use ring::rand::SystemRandom;

pub use crate::{
    canonical::{CanonicalError, canonical, parse_canonical},
    compact::{Unverified, Verified, peek_compact, sign_compact, verify_compact},
    context::{Direction, SealContext},
    hash::{ChunkHasher, sha256, sha256_parts},
    header::{Algorithm, JwsError},
    jwk::JwkError,
    jws::{Jws, MAX_SIGNATURES},
    key::{BadSignature, KeyError, SigningKey, key_id, verify},
    once::{open_once, seal_once},
    opening::OpeningKey,
    pseudonym::PseudonymKey,
    salter::Salter,
    stream::{MAX_CHUNK_BYTES, Opened, Opener, Sealer},
    suite::{OpenError, SealError},
};
