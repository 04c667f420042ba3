//! Keys that open what was sealed: X25519 (RFC 7748), used through HPKE only.

use std::fmt;

use convenant_model::keys::SealingKey;
use hpke::{Deserializable as _, Kem as _, Serializable as _};
use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

use crate::{
    jwk::{self, Curve, JwkError, PrivateJwk},
    key::KeyError,
    suite::Kem,
};

/// A private key that opens what was sealed to its public half. Wiped when dropped.
pub struct OpeningKey {
    private: <Kem as hpke::Kem>::PrivateKey,
    sealing: SealingKey,
}

impl OpeningKey {
    /// Draws a key.
    ///
    /// # Errors
    /// When no randomness can be drawn.
    pub fn generate(random: &SystemRandom) -> Result<Self, KeyError> {
        let mut secret = Zeroizing::new([0; 32]);
        random.fill(secret.as_mut_slice()).map_err(|_| KeyError::Randomness)?;
        Self::from_secret(&secret).ok_or(KeyError::Randomness)
    }

    /// Reads a private key from its JWK.
    ///
    /// # Errors
    /// When the text is no private key on X25519, or its halves do not belong together.
    pub fn from_jwk(text: &str) -> Result<Self, JwkError> {
        let jwk = PrivateJwk::parse(text)?;
        let public = jwk.x25519()?;
        let key = Self::from_secret(&jwk.d.0).ok_or(JwkError::Mismatch)?;
        if key.sealing == SealingKey::new(public) { Ok(key) } else { Err(JwkError::Mismatch) }
    }

    /// The private key as JWK: keep it in a file that only its owner reads.
    #[must_use]
    pub fn to_jwk(&self) -> Zeroizing<String> {
        let mut secret = Zeroizing::new([0; 32]);
        self.private.write_exact(secret.as_mut_slice());
        jwk::write(Curve::X25519, &secret, &format!(r#","x":"{}""#, self.sealing.x))
    }

    /// The public half, to which others seal.
    #[must_use]
    pub const fn sealing_key(&self) -> &SealingKey {
        &self.sealing
    }

    pub(crate) const fn private(&self) -> &<Kem as hpke::Kem>::PrivateKey {
        &self.private
    }

    fn from_secret(secret: &[u8; 32]) -> Option<Self> {
        // Clamps as RFC 9180 §7.1.2 asks.
        let private = <Kem as hpke::Kem>::PrivateKey::from_bytes(secret).ok()?;
        let mut public = [0; 32];
        Kem::sk_to_pk(&private).write_exact(&mut public);
        Some(Self { private, sealing: SealingKey::new(public) })
    }
}

impl fmt::Debug for OpeningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpeningKey({}, private half redacted)", self.sealing.x)
    }
}
