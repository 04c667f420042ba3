//! Pseudonyms under a secret that one party keeps: HMAC-SHA256 (RFC 2104). Without the secret nobody turns one
//! back, although there are fewer than 10⁹ numbers to try.

use std::fmt;

use convenant_model::Digest;
use ring::{
    hmac::{Context, HMAC_SHA256, Key},
    rand::{SecureRandom as _, SystemRandom},
};
use serde::{Deserialize, de::IgnoredAny};
use zeroize::Zeroizing;

use crate::{
    base64url,
    jwk::{JwkError, Secret},
    key::KeyError,
};

/// Sets these tags apart from whatever else a key of HMAC may be used for.
const VERSION: &[u8] = b"convenant-pseudonym-v1";

/// Makes pseudonyms. The secret is wiped when this is dropped; its expanded form inside ring is not, because
/// ring offers no means.
pub struct PseudonymKey {
    secret: Zeroizing<[u8; 32]>,
    key: Key,
}

/// A symmetric key (RFC 7518 §6.4).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SymmetricJwk {
    #[serde(rename = "kty")]
    _kty: KeyType,
    k: Secret,
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

#[derive(Deserialize)]
enum KeyType {
    #[serde(rename = "oct")]
    Octets,
}

impl PseudonymKey {
    /// Draws a key.
    ///
    /// # Errors
    /// When no randomness can be drawn.
    pub fn generate(random: &SystemRandom) -> Result<Self, KeyError> {
        let mut secret = Zeroizing::new([0; 32]);
        random.fill(secret.as_mut_slice()).map_err(|_| KeyError::Randomness)?;
        Ok(Self::new(secret))
    }

    /// Reads a key from its JWK.
    ///
    /// # Errors
    /// When the text is no symmetric key of 32 bytes.
    pub fn from_jwk(text: &str) -> Result<Self, JwkError> {
        // The message of `serde_json` is dropped, because it may quote the text.
        let jwk: SymmetricJwk = serde_json::from_str(text)
            .map_err(|e| JwkError::Malformed { line: e.line(), column: e.column() })?;
        Ok(Self::new(jwk.k.0))
    }

    /// The key as JWK: keep it in a file that only its owner reads.
    #[must_use]
    pub fn to_jwk(&self) -> Zeroizing<String> {
        // Room for all of it: a text that grew would leave a copy of the key behind.
        let mut text = Zeroizing::new(String::with_capacity(128));
        text.push_str(r#"{"k":""#);
        base64url::append(self.secret.as_slice(), &mut text);
        text.push_str(r#"","kty":"oct"}"#);
        text
    }

    /// The pseudonym of a value of a kind: the same value of another kind has another one.
    #[must_use]
    pub fn pseudonym(&self, kind: &str, value: &str) -> Digest {
        self.tag(&[b"value", kind.as_bytes(), value.as_bytes()])
    }

    /// What tells this key from another, and nothing of the key.
    #[must_use]
    pub fn mark(&self) -> Digest {
        self.tag(&[b"mark"])
    }

    /// HMAC over the version and each part after its length, so that no two lists share an encoding.
    fn tag(&self, parts: &[&[u8]]) -> Digest {
        let mut context = Context::with_key(&self.key);
        for part in [VERSION].iter().chain(parts) {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut bytes = [0; 32];
        for (byte, from) in bytes.iter_mut().zip(context.sign().as_ref()) {
            *byte = *from;
        }
        Digest::from_bytes(bytes)
    }

    fn new(secret: Zeroizing<[u8; 32]>) -> Self {
        let key = Key::new(HMAC_SHA256, secret.as_slice());
        Self { secret, key }
    }
}

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PseudonymKey([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pseudonym_follows_from_key_kind_and_value_alone() {
        let random = SystemRandom::new();
        let key = PseudonymKey::generate(&random).unwrap();
        let again = PseudonymKey::from_jwk(&key.to_jwk()).unwrap();
        let other = PseudonymKey::generate(&random).unwrap();
        let of = |key: &PseudonymKey| key.pseudonym("bsn", "900000004");
        assert_eq!(of(&key), of(&again));
        assert_eq!(key.mark(), again.mark());
        assert_ne!(of(&key), of(&other));
        assert_ne!(key.mark(), other.mark());
        assert_ne!(of(&key), key.pseudonym("bsn", "900000005"));
        assert_ne!(of(&key), key.pseudonym("text", "900000004"));
        assert_ne!(key.pseudonym("a", "bc"), key.pseudonym("ab", "c"));
    }

    #[test]
    fn neither_debug_nor_an_error_shows_the_key() {
        let key = PseudonymKey::generate(&SystemRandom::new()).unwrap();
        assert_eq!(format!("{key:?}"), "PseudonymKey([redacted])");
        for text in ["", "{}", r#"{"kty":"OKP","k":"AA"}"#, r#"{"kty":"oct","k":"c2hvcnQ"}"#] {
            let error = PseudonymKey::from_jwk(text).unwrap_err();
            assert!(matches!(error, JwkError::Malformed { .. }));
            assert!(!error.to_string().contains("c2hvcnQ"));
        }
    }
}
