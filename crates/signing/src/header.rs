//! The protected header of a JWS (RFC 7515 §4) and what can be wrong with a JWS.

use convenant_model::{KeyId, keys::VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, de::IgnoredAny};
use thiserror::Error;

use crate::{base64url, key::KeyError};

/// Most characters of an encoded header; a certificate chain in `x5c` takes the greater part.
const MAX_HEADER_CHARS: usize = 32 << 10;

/// A signature algorithm (RFC 7518 §3.1, RFC 8037 §3.1). There is no `none`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Algorithm {
    /// Ed25519.
    EdDsa,
    /// ECDSA with P-256 and SHA-256.
    Es256,
}

impl Algorithm {
    /// The only algorithm that a key may be used with.
    #[must_use]
    pub const fn of(key: &VerifyingKey) -> Self {
        match key {
            VerifyingKey::Ed25519 { .. } => Self::EdDsa,
            VerifyingKey::P256 { .. } => Self::Es256,
        }
    }

    /// The value of `alg`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
        }
    }
}

/// What is wrong with a JWS.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum JwsError {
    /// Not three parts with dots between them (RFC 7515 §7.1).
    #[error("a compact JWS has three parts, found {found}")]
    Parts {
        /// Number of parts, counted up to four.
        found: usize,
    },
    /// A part is not base64url without padding.
    #[error("the {part} is not base64url without padding")]
    Encoding {
        /// Which part.
        part: &'static str,
    },
    /// The protected header is longer than a header has reason to be.
    #[error("the protected header has {found} characters, at most {MAX_HEADER_CHARS} are allowed")]
    HeaderTooLong {
        /// Its length, encoded.
        found: usize,
    },
    /// The protected header is not a JSON object of `alg`, `kid`, `typ` and perhaps `x5c`.
    #[error("the protected header is malformed: {fault}")]
    Header {
        /// What the JSON reader says.
        fault: String,
    },
    /// The header names extensions that must be understood; none is (RFC 7515 §4.1.11).
    #[error("the header has `crit`, but no extension is known here")]
    Critical,
    /// An algorithm that is not accepted, `none` among them.
    #[error("the algorithm `{found}` is not accepted, only `EdDSA` and `ES256` are")]
    Algorithm {
        /// The value of `alg`.
        found: String,
    },
    /// The signed thing is of another type than the reader asked for.
    #[error("expected type `{expected}`, found `{found}`")]
    Type {
        /// What was asked for.
        expected: String,
        /// The value of `typ`.
        found: String,
    },
    /// `kid` is not an RFC 7638 thumbprint.
    #[error("`kid` is not an RFC 7638 thumbprint")]
    KeyIdForm,
    /// Nobody known signs with this key.
    #[error("the key `{0}` is not known")]
    UnknownKey(KeyId),
    /// The signature is by another key than the one it is checked with.
    #[error("signed by key `{found}`, not by `{expected}`")]
    OtherKey {
        /// The key that it was checked with.
        expected: KeyId,
        /// The value of `kid`.
        found: KeyId,
    },
    /// `alg` does not belong to the type of the key.
    #[error("algorithm `{}` does not fit a key for `{}`", found.as_str(), expected.as_str())]
    KeyType {
        /// The algorithm of the key.
        expected: Algorithm,
        /// The value of `alg`.
        found: Algorithm,
    },
    /// The signature does not hold over header and payload.
    #[error("the signature does not hold")]
    Signature,
    /// Not the general JSON serialisation (RFC 7515 §7.2.1).
    #[error("not a JWS in general JSON serialisation: {fault}")]
    Json {
        /// What the JSON reader says.
        fault: String,
    },
    /// A JWS that nobody signed.
    #[error("there is no signature")]
    Unsigned,
    /// More signatures than any document needs.
    #[error("{found} signatures, at most {} are allowed", crate::MAX_SIGNATURES)]
    TooManySignatures {
        /// How many there are.
        found: usize,
    },
    /// One key signed twice: a quorum counts keys.
    #[error("the key `{0}` signed twice")]
    RepeatedKey(KeyId),
    /// The key could not sign.
    #[error("the key could not sign")]
    Key(#[from] KeyError),
}

/// A checked protected header.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    pub(crate) algorithm: Algorithm,
    pub(crate) key: KeyId,
    pub(crate) typ: String,
}

/// The members of the header, in the order of RFC 8785. `serde_json` writes texts as that standard
/// does (§3.2.2.2), so the bytes are canonical.
#[derive(Serialize)]
struct Written<'a> {
    alg: &'static str,
    kid: &'a str,
    typ: &'a str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    alg: String,
    kid: String,
    typ: String,
    /// The signer's certificates, for readers that have a use for them. We know keys by enrolment.
    #[serde(default, rename = "x5c")]
    _x5c: Vec<String>,
    #[serde(default, deserialize_with = "present")]
    crit: bool,
}

impl Header {
    /// Writes the header for a signature of type `typ` by a key, in base64url.
    pub(crate) fn encode(typ: &str, key: &VerifyingKey, id: &KeyId) -> String {
        let written = Written { alg: Algorithm::of(key).as_str(), kid: id.as_str(), typ };
        #[expect(clippy::expect_used, reason = "a struct of texts always has a JSON form")]
        base64url::encode(&serde_json::to_vec(&written).expect("texts are JSON"))
    }

    pub(crate) fn decode(encoded: &str) -> Result<Self, JwsError> {
        if encoded.len() > MAX_HEADER_CHARS {
            return Err(JwsError::HeaderTooLong { found: encoded.len() });
        }
        let bytes = decode("protected header", encoded)?;
        let read: Read = serde_json::from_slice(&bytes)
            .map_err(|error| JwsError::Header { fault: shown(&error.to_string()) })?;
        if read.crit {
            return Err(JwsError::Critical);
        }
        let algorithm = match read.alg.as_str() {
            "EdDSA" => Algorithm::EdDsa,
            "ES256" => Algorithm::Es256,
            other => {
                return Err(JwsError::Algorithm { found: shown(other) });
            }
        };
        let key = KeyId::new(read.kid).map_err(|_| JwsError::KeyIdForm)?;
        Ok(Self { algorithm, key, typ: read.typ })
    }

    pub(crate) fn require_type(&self, expected: &str) -> Result<(), JwsError> {
        if self.typ == expected {
            return Ok(());
        }
        Err(JwsError::Type { expected: expected.to_owned(), found: shown(&self.typ) })
    }

    /// Whether the header belongs to a key: its id, and the algorithm that its type allows.
    pub(crate) fn require_key(&self, key: &VerifyingKey, id: KeyId) -> Result<(), JwsError> {
        if self.key != id {
            return Err(JwsError::OtherKey { expected: id, found: self.key.clone() });
        }
        let expected = Algorithm::of(key);
        if self.algorithm != expected {
            return Err(JwsError::KeyType { expected, found: self.algorithm });
        }
        Ok(())
    }
}

pub(crate) fn decode(part: &'static str, text: &str) -> Result<Vec<u8>, JwsError> {
    base64url::decode(text).ok_or(JwsError::Encoding { part })
}

/// A foreign text made safe to print: no control characters, at most 128 characters.
pub(crate) fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(128).collect()
}

/// True for a member that stands there, whatever its value, `null` included.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}
