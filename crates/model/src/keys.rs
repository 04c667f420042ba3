//! Public keys as JSON Web Keys (RFC 7517, RFC 8037 §2, RFC 7518 §6.2). Private keys live in
//! `signing` only.

use serde::{Deserialize, Serialize};

use crate::ids::KeyId;

/// Public half of a key that signs documents, queries, outcomes or checkpoints.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(tag = "crv", deny_unknown_fields)]
pub enum VerifyingKey {
    /// Ed25519 (RFC 8032); JWS algorithm `EdDSA`.
    Ed25519 {
        /// Always `OKP`.
        kty: Okp,
        /// The 32 bytes of the public key.
        x: Base64Bytes<32>,
    },
    /// P-256; JWS algorithm `ES256`.
    #[serde(rename = "P-256")]
    P256 {
        /// Always `EC`.
        kty: Ec,
        /// The coordinate x, big-endian.
        x: Base64Bytes<32>,
        /// The coordinate y, big-endian.
        y: Base64Bytes<32>,
    },
}

/// Public half of an HPKE key: X25519 (RFC 9180 §7.1, DHKEM(X25519, HKDF-SHA256)).
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SealingKey {
    /// Always `OKP`.
    pub kty: Okp,
    /// Always `X25519`.
    pub crv: X25519,
    /// The 32 bytes of the public key.
    pub x: Base64Bytes<32>,
}

impl SealingKey {
    /// Wraps the 32 bytes of an X25519 public key.
    #[must_use]
    pub const fn new(x: [u8; 32]) -> Self {
        Self { kty: Okp::Okp, crv: X25519::X25519, x: Base64Bytes(x) }
    }
}

impl VerifyingKey {
    /// An Ed25519 key from its 32 bytes.
    #[must_use]
    pub const fn ed25519(x: [u8; 32]) -> Self {
        Self::Ed25519 { kty: Okp::Okp, x: Base64Bytes(x) }
    }

    /// A P-256 key from its coordinates.
    #[must_use]
    pub const fn p256(x: [u8; 32], y: [u8; 32]) -> Self {
        Self::P256 { kty: Ec::Ec, x: Base64Bytes(x), y: Base64Bytes(y) }
    }

    /// The input of the RFC 7638 thumbprint: the required members in lexicographic order, without
    /// white space. `signing` hashes it to a [`KeyId`].
    #[must_use]
    pub fn thumbprint_input(&self) -> String {
        match self {
            Self::Ed25519 { x, .. } => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#),
            Self::P256 { x, y, .. } => {
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#)
            }
        }
    }
}

/// A public key together with its thumbprint, as `signing` computed it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NamedKey {
    /// The RFC 7638 thumbprint.
    pub id: KeyId,
    /// The key itself.
    pub key: VerifyingKey,
}

macro_rules! constant {
    ($(#[$doc:meta])* $name:ident, $text:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        pub enum $name {
            /// The only value.
            #[serde(rename = $text)]
            $name,
        }
    };
}

constant!(
    /// The JWK key type `OKP`.
    Okp, "OKP"
);
constant!(
    /// The JWK key type `EC`.
    Ec, "EC"
);
constant!(
    /// The JWK curve `X25519`.
    X25519, "X25519"
);

/// A fixed number of bytes, written as base64url without padding (RFC 4648 §5).
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Base64Bytes<const N: usize>(pub [u8; N]);

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl<const N: usize> std::fmt::Display for Base64Bytes<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use std::fmt::Write as _;
        let (mut bits, mut held) = (0_u32, 0);
        for byte in self.0 {
            bits = bits << 8 | u32::from(byte);
            held += 8;
            while held >= 6 {
                held -= 6;
                f.write_char(sextet(bits >> held))?;
            }
        }
        if held > 0 { f.write_char(sextet(bits << (6 - held))) } else { Ok(()) }
    }
}

fn sextet(bits: u32) -> char {
    ALPHABET.get((bits & 63) as usize).map_or('A', |c| char::from(*c))
}

impl<const N: usize> std::fmt::Debug for Base64Bytes<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl<const N: usize> std::str::FromStr for Base64Bytes<N> {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let fault = || format!("expected {N} bytes in base64url without padding");
        let mut out = [0; N];
        let (mut bits, mut held, mut slots) = (0_u32, 0, out.iter_mut());
        for digit in text.bytes() {
            let value = ALPHABET.iter().position(|a| *a == digit).ok_or_else(fault)?;
            bits = bits << 6 | value as u32;
            held += 6;
            if held >= 8 {
                held -= 8;
                *slots.next().ok_or_else(fault)? = (bits >> held) as u8;
            }
        }
        // The remaining bits must be zero: one spelling for each value (RFC 4648 §3.5).
        let complete = slots.next().is_none() && held < 6 && bits & ((1 << held) - 1) == 0;
        if complete { Ok(Self(out)) } else { Err(fault()) }
    }
}

impl<const N: usize> Serialize for Base64Bytes<N> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Base64Bytes<N> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_round_trips_and_has_one_spelling() {
        let bytes = Base64Bytes::<32>(std::array::from_fn(|i| (i * 37) as u8));
        assert_eq!(bytes.to_string().len(), 43);
        assert_eq!(bytes.to_string().parse(), Ok(bytes));
        let text = Base64Bytes::<1>([0xff]).to_string();
        assert_eq!(text, "_w");
        for other in ["_x", "_w==", "/w", "_", "_wA"] {
            assert!(other.parse::<Base64Bytes<1>>().is_err(), "{other}");
        }
    }

    #[test]
    fn a_key_with_another_curve_is_no_key() {
        let text =
            r#"{"kty":"OKP","crv":"X25519","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#;
        assert!(serde_json::from_str::<VerifyingKey>(text).is_err());
        assert!(serde_json::from_str::<SealingKey>(text).is_ok());
    }
}
