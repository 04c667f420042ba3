//! Private keys as JSON Web Keys (RFC 7517; RFC 8037 §2 for Ed25519 and X25519; RFC 7518 §6.2 for
//! P-256). No error and no `Debug` shows any of their text.

use std::fmt::{self, Write as _};

use convenant_model::keys::{Base64Bytes, VerifyingKey};
use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, Visitor},
};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::base64url;

/// Why a text is not the private key that is needed.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum JwkError {
    /// Not a private key in JSON.
    #[error("not a private key as JWK: line {line}, column {column}")]
    Malformed {
        /// Line of the fault, from 1.
        line: usize,
        /// Column of the fault, from 1.
        column: usize,
    },
    /// A key for another use.
    #[error("expected {expected}, found a key on curve `{found}`")]
    Curve {
        /// What was needed.
        expected: &'static str,
        /// The value of `crv`.
        found: &'static str,
    },
    /// `kty` and the coordinates do not belong to the curve.
    #[error("`kty` and the coordinates do not belong to curve `{curve}`")]
    Shape {
        /// The value of `crv`.
        curve: &'static str,
    },
    /// `d` is not the private half of the public key beside it.
    #[error("the private and the public half do not belong together")]
    Mismatch,
}

/// A private key that was read, its halves not yet compared.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PrivateJwk {
    kty: KeyType,
    pub(crate) crv: Curve,
    pub(crate) x: Base64Bytes<32>,
    #[serde(default)]
    y: Option<Base64Bytes<32>>,
    pub(crate) d: Secret,
    // What other tools write beside the key (RFC 7517 §4); nothing is decided by it.
    #[serde(default, rename = "kid")]
    _kid: IgnoredAny,
    #[serde(default, rename = "use")]
    _use: IgnoredAny,
    #[serde(default, rename = "alg")]
    _alg: IgnoredAny,
    #[serde(default, rename = "key_ops")]
    _key_ops: IgnoredAny,
}

/// The 32 bytes of `d`, wiped when dropped.
pub(crate) struct Secret(pub(crate) Zeroizing<[u8; 32]>);

#[derive(Clone, Copy, Deserialize, Eq, PartialEq)]
pub(crate) enum Curve {
    Ed25519,
    X25519,
    #[serde(rename = "P-256")]
    P256,
}

#[derive(Clone, Copy, Deserialize, Eq, PartialEq)]
enum KeyType {
    #[serde(rename = "OKP")]
    Okp,
    #[serde(rename = "EC")]
    Ec,
}

impl PrivateJwk {
    pub(crate) fn parse(text: &str) -> Result<Self, JwkError> {
        // The message of `serde_json` is dropped, because it may quote the text.
        serde_json::from_str(text)
            .map_err(|e| JwkError::Malformed { line: e.line(), column: e.column() })
    }

    /// The public half of a key that signs.
    pub(crate) fn verifying_key(&self) -> Result<VerifyingKey, JwkError> {
        match (self.crv, self.kty, self.y) {
            (Curve::Ed25519, KeyType::Okp, None) => Ok(VerifyingKey::ed25519(self.x.0)),
            (Curve::P256, KeyType::Ec, Some(y)) => Ok(VerifyingKey::p256(self.x.0, y.0)),
            (Curve::X25519, ..) => {
                let expected = "a signing key on `Ed25519` or `P-256`";
                Err(JwkError::Curve { expected, found: self.crv.as_str() })
            }
            _ => Err(JwkError::Shape { curve: self.crv.as_str() }),
        }
    }

    /// The public half of a key that opens what is sealed.
    pub(crate) fn x25519(&self) -> Result<[u8; 32], JwkError> {
        match (self.crv, self.kty, self.y) {
            (Curve::X25519, KeyType::Okp, None) => Ok(self.x.0),
            (Curve::X25519, ..) => Err(JwkError::Shape { curve: self.crv.as_str() }),
            _ => {
                let expected = "an opening key on `X25519`";
                Err(JwkError::Curve { expected, found: self.crv.as_str() })
            }
        }
    }
}

impl Curve {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ed25519 => "Ed25519",
            Self::X25519 => "X25519",
            Self::P256 => "P-256",
        }
    }
}

/// Writes a private key. `public` holds the members after `kty`, in JSON with a leading comma.
pub(crate) fn write(curve: Curve, secret: &[u8; 32], public: &str) -> Zeroizing<String> {
    let kty = if curve == Curve::P256 { "EC" } else { "OKP" };
    let crv = curve.as_str();
    // Room for all of it: a text that grew would leave a copy of the key behind.
    let mut text = Zeroizing::new(String::with_capacity(256));
    text.push_str(r#"{"crv":""#);
    text.push_str(crv);
    text.push_str(r#"","d":""#);
    let mut encoded = Zeroizing::new(String::with_capacity(64));
    base64url::append(secret, &mut encoded);
    text.push_str(&encoded);
    // Writing to a `String` does not fail.
    let _ = write!(text, r#"","kty":"{kty}"{public}}}"#);
    text
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(SecretVisitor)
    }
}

/// Decodes straight from the text, so that no copy of it is left in memory.
struct SecretVisitor;

impl Visitor<'_> for SecretVisitor {
    type Value = Secret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("32 bytes in base64url without padding")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Secret, E> {
        let mut bytes = Zeroizing::new([0; 32]);
        if base64url::decode_into(text, bytes.as_mut_slice()) {
            return Ok(Secret(bytes));
        }
        Err(E::custom("not 32 bytes in base64url without padding"))
    }
}
