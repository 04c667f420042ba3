//! Keys that sign: Ed25519 (RFC 8032) and P-256 (ECDSA with SHA-256, FIPS 186-5).

use std::fmt;

use convenant_model::{KeyId, keys::VerifyingKey};
use ring::{
    rand::{SecureRandom as _, SystemRandom},
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
        Ed25519KeyPair, KeyPair as _, UnparsedPublicKey,
    },
};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    base64url,
    hash::sha256,
    jwk::{self, Curve, JwkError, PrivateJwk},
};

/// Why a key could not be made or used.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum KeyError {
    /// The source of randomness failed.
    #[error("no randomness could be drawn")]
    Randomness,
}

/// A signature that does not hold.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("the signature does not hold")]
pub struct BadSignature;

/// A private key that signs. Its own copy of the secret is wiped when it is dropped; the expanded
/// form inside ring is not, because ring offers no means.
pub struct SigningKey {
    pair: Pair,
    secret: Zeroizing<[u8; 32]>,
    verifying: VerifyingKey,
    id: KeyId,
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    /// With the source of its nonces.
    P256(Box<EcdsaKeyPair>, SystemRandom),
}

impl SigningKey {
    /// Draws an Ed25519 key, the kind that is fast to use.
    ///
    /// # Errors
    /// When no randomness can be drawn.
    pub fn generate(random: &SystemRandom) -> Result<Self, KeyError> {
        let mut secret = Zeroizing::new([0; 32]);
        random.fill(secret.as_mut_slice()).map_err(|_| KeyError::Randomness)?;
        let pair = Ed25519KeyPair::from_seed_unchecked(secret.as_slice());
        let pair = pair.map_err(|_| KeyError::Randomness)?;
        let mut public = [0; 32];
        public.copy_from_slice(pair.public_key().as_ref());
        Ok(Self::new(Pair::Ed25519(pair), secret, VerifyingKey::ed25519(public)))
    }

    /// Draws a P-256 key, for signers whose other tools know nothing else.
    ///
    /// # Errors
    /// When no randomness can be drawn.
    pub fn generate_p256(random: &SystemRandom) -> Result<Self, KeyError> {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, random)
            .map_err(|_| KeyError::Randomness)?;
        let (secret, verifying) = p256_halves(document.as_ref()).ok_or(KeyError::Randomness)?;
        Self::assemble(secret, verifying, random).map_err(|_| KeyError::Randomness)
    }

    /// Reads a private key from its JWK. `random` is where an ES256 signature draws its nonce;
    /// Ed25519 needs none.
    ///
    /// # Errors
    /// When the text is no private key on Ed25519 or P-256, or its halves do not belong together.
    pub fn from_jwk(text: &str, random: &SystemRandom) -> Result<Self, JwkError> {
        let jwk = PrivateJwk::parse(text)?;
        let verifying = jwk.verifying_key()?;
        Self::assemble(jwk.d.0, verifying, random)
    }

    /// The private key as JWK: keep it in a file that only its owner reads.
    #[must_use]
    pub fn to_jwk(&self) -> Zeroizing<String> {
        match &self.verifying {
            VerifyingKey::Ed25519 { x, .. } => {
                jwk::write(Curve::Ed25519, &self.secret, &format!(r#","x":"{x}""#))
            }
            VerifyingKey::P256 { x, y, .. } => {
                jwk::write(Curve::P256, &self.secret, &format!(r#","x":"{x}","y":"{y}""#))
            }
        }
    }

    /// The public half.
    #[must_use]
    pub const fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying
    }

    /// The id of the public half.
    #[must_use]
    pub const fn id(&self) -> &KeyId {
        &self.id
    }

    /// Signs a message: 64 bytes, for P-256 as `r || s` (RFC 7518 §3.4).
    ///
    /// # Errors
    /// With P-256, when no randomness can be drawn. Ed25519 does not fail.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        match &self.pair {
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::P256(pair, random) => {
                let signature = pair.sign(random, message).map_err(|_| KeyError::Randomness)?;
                Ok(signature.as_ref().to_vec())
            }
        }
    }

    fn assemble(
        secret: Zeroizing<[u8; 32]>,
        verifying: VerifyingKey,
        random: &SystemRandom,
    ) -> Result<Self, JwkError> {
        let pair = match &verifying {
            VerifyingKey::Ed25519 { x, .. } => {
                Ed25519KeyPair::from_seed_and_public_key(secret.as_slice(), &x.0).map(Pair::Ed25519)
            }
            VerifyingKey::P256 { x, y, .. } => EcdsaKeyPair::from_private_key_and_public_key(
                &ECDSA_P256_SHA256_FIXED_SIGNING,
                secret.as_slice(),
                &p256_point(&x.0, &y.0),
                random,
            )
            .map(|pair| Pair::P256(Box::new(pair), random.clone())),
        };
        Ok(Self::new(pair.map_err(|_| JwkError::Mismatch)?, secret, verifying))
    }

    fn new(pair: Pair, secret: Zeroizing<[u8; 32]>, verifying: VerifyingKey) -> Self {
        let id = key_id(&verifying);
        Self { pair, secret, verifying, id }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, private half redacted)", self.id)
    }
}

/// The id of a public key: its JWK thumbprint with SHA-256 (RFC 7638 §3).
#[must_use]
pub fn key_id(key: &VerifyingKey) -> KeyId {
    let digest = sha256(key.thumbprint_input().as_bytes());
    #[expect(clippy::expect_used, reason = "32 bytes are always 43 characters of base64url")]
    KeyId::new(base64url::encode(digest.as_bytes())).expect("a thumbprint is a key id")
}

/// Checks a signature as [`SigningKey::sign`] makes it.
///
/// # Errors
/// When it does not hold.
pub fn verify(key: &VerifyingKey, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
    let held = match key {
        VerifyingKey::Ed25519 { x, .. } => {
            UnparsedPublicKey::new(&ED25519, &x.0).verify(message, signature)
        }
        VerifyingKey::P256 { x, y, .. } => {
            let point = p256_point(&x.0, &y.0);
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point).verify(message, signature)
        }
    };
    held.map_err(|_| BadSignature)
}

/// The uncompressed point (SEC 1 §2.3.3).
fn p256_point(x: &[u8; 32], y: &[u8; 32]) -> [u8; 65] {
    let mut point = [4; 65];
    for (slot, byte) in point.iter_mut().skip(1).zip(x.iter().chain(y)) {
        *slot = *byte;
    }
    point
}

/// Private and public half out of the PKCS#8 document that ring makes, the only form in which it
/// hands out a new P-256 key. Whoever calls has ring check that the halves belong together.
fn p256_halves(pkcs8: &[u8]) -> Option<(Zeroizing<[u8; 32]>, VerifyingKey)> {
    // ring's template has the 32 bytes of the private key at 36 (RFC 5915 §3), and ends with the
    // coordinates of the point.
    let mut secret = Zeroizing::new([0; 32]);
    secret.copy_from_slice(pkcs8.get(36..68)?);
    let (rest, y) = pkcs8.split_last_chunk::<32>()?;
    let (_, x) = rest.split_last_chunk::<32>()?;
    Some((secret, VerifyingKey::p256(*x, *y)))
}
