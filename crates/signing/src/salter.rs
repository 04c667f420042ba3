//! Salts that follow from the salted value and one secret: HMAC-SHA256 (RFC 2104), cut to the length of a
//! salt (§5).

use std::fmt;

use convenant_model::vouching::{SALT_BYTES, SEED_BYTES, Salt, Seed};
use ring::{
    hmac::{HMAC_SHA256, Key, sign},
    rand::{SecureRandom as _, SystemRandom},
};
use zeroize::Zeroizing;

use crate::key::KeyError;

/// Gives the salt of any value. The secret is wiped when this is dropped; its expanded form inside ring is
/// not, because ring offers no means.
pub struct Salter {
    seed: Seed,
    key: Key,
}

impl Salter {
    /// Draws a secret.
    ///
    /// # Errors
    /// When no randomness can be drawn.
    pub fn draw(random: &SystemRandom) -> Result<Self, KeyError> {
        let mut secret = Zeroizing::new([0; SEED_BYTES]);
        random.fill(secret.as_mut_slice()).map_err(|_| KeyError::Randomness)?;
        Ok(Self::new(Seed::new(*secret)))
    }

    /// The salts of a secret that another drew.
    #[must_use]
    pub fn new(seed: Seed) -> Self {
        let key = Key::new(HMAC_SHA256, seed.expose());
        Self { seed, key }
    }

    /// The secret.
    #[must_use]
    pub const fn seed(&self) -> &Seed {
        &self.seed
    }

    /// The salt of a value. It tells nothing of the salts of other values.
    #[must_use]
    pub fn salt(&self, value: &[u8]) -> Salt {
        let tag = sign(&self.key, value);
        let mut salt = [0; SALT_BYTES];
        for (byte, from) in salt.iter_mut().zip(tag.as_ref()) {
            *byte = *from;
        }
        Salt::new(salt)
    }
}

impl fmt::Debug for Salter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salter([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_salt_is_a_truncated_hmac() {
        // RFC 4231 §4.2, test case 1; trailing zeroes do not change a key of HMAC.
        let mut seed = [0; SEED_BYTES];
        seed[..20].fill(0x0b);
        let salter = Salter::new(Seed::new(seed));
        let expected = 0xb034_4c61_d8db_3853_5ca8_afce_af0b_f12b_u128.to_be_bytes();
        assert_eq!(*salter.salt(b"Hi There").expose(), expected);
        assert_ne!(*salter.salt(b"Hi there").expose(), expected);
    }

    #[test]
    fn every_secret_is_another_and_none_is_shown() {
        let random = SystemRandom::new();
        let draw = || Salter::draw(&random).unwrap();
        assert_ne!(draw().seed(), draw().seed());
        let salter = draw();
        let shown = format!("{salter:?} {:?} {:?}", salter.seed(), salter.salt(b"x"));
        assert_eq!(shown, "Salter([redacted]) [redacted] [redacted]");
    }
}
