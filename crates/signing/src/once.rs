//! One sealed message, `encapsulated key || ciphertext || tag`, for the subjects of a query.

use convenant_model::keys::SealingKey;
use ring::rand::SystemRandom;
use zeroize::Zeroizing;

use crate::{
    context::SealContext,
    opening::OpeningKey,
    suite::{self, ENCAPPED_BYTES, OpenError, SealError, TAG_BYTES},
};

/// AAD of a message that stands alone; a chunk of a stream has another.
const WHOLE: &[u8] = &[2];

/// Seals one message to the holder of `key`. Its length is for the caller to bound.
///
/// # Errors
/// When the key is not usable or no randomness can be drawn.
pub fn seal_once(
    key: &SealingKey,
    context: &SealContext,
    plain: &[u8],
    random: &SystemRandom,
) -> Result<Vec<u8>, SealError> {
    let (encapped, mut context) = suite::sender(key, context, random)?;
    let mut sealed = vec![0; ENCAPPED_BYTES + plain.len() + TAG_BYTES];
    let (first, rest) = sealed.split_first_chunk_mut::<ENCAPPED_BYTES>().ok_or(SealError::Limit)?;
    *first = encapped;
    suite::seal_into(&mut context, plain, WHOLE, rest).map_err(|_| SealError::Limit)?;
    Ok(sealed)
}

/// Opens a message that [`seal_once`] made; the plaintext is wiped when dropped.
///
/// # Errors
/// When it was altered, or sealed for another recipient or context.
pub fn open_once(
    key: &OpeningKey,
    context: &SealContext,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let (encapped, body) = sealed
        .split_first_chunk::<ENCAPPED_BYTES>()
        .ok_or(OpenError::TooShort { found: sealed.len() })?;
    let mut context = suite::recipient(key, context, encapped)?;
    suite::open(&mut context, body, WHOLE).map(Zeroizing::new)
}
