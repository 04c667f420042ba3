//! The HPKE suite (RFC 9180 §7): DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, base mode.

use std::convert::Infallible;

use convenant_model::keys::SealingKey;
use hpke::{
    Deserializable as _, HpkeError, OpModeR, OpModeS, Serializable as _,
    aead::{AeadCtxR, AeadCtxS, AeadTag, AesGcm256},
    inout::InOutBuf,
    kdf::HkdfSha256,
    kem::X25519HkdfSha256,
    rand_core::{TryCryptoRng, TryRng},
    setup_receiver, setup_sender_with_rng,
};
use ring::rand::{SecureRandom as _, SystemRandom};
use thiserror::Error;

use crate::{context::SealContext, opening::OpeningKey, stream::MAX_CHUNK_BYTES};

pub(crate) type Kem = X25519HkdfSha256;
pub(crate) type SealingContext = AeadCtxS<AesGcm256, HkdfSha256, Kem>;
pub(crate) type OpeningContext = AeadCtxR<AesGcm256, HkdfSha256, Kem>;

type Tag = AeadTag<AesGcm256>;

/// Bytes of an encapsulated key (RFC 9180 §7.1, Nenc).
pub(crate) const ENCAPPED_BYTES: usize = 32;
/// Bytes of an authentication tag (RFC 9180 §7.3, Nt).
pub(crate) const TAG_BYTES: usize = 16;

/// Why something could not be sealed.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum SealError {
    /// The source of randomness failed.
    #[error("no randomness could be drawn")]
    Randomness,
    /// The recipient's key is a point of small order, to which anybody could open.
    #[error("the recipient's sealing key is not usable")]
    RecipientKey,
    /// A chunk longer than receivers accept.
    #[error("a chunk of {found} bytes, at most {MAX_CHUNK_BYTES} are allowed")]
    ChunkTooLong {
        /// Its length in bytes.
        found: usize,
    },
    /// The last chunk was sealed already.
    #[error("the last chunk of this stream was sealed already")]
    AfterLast,
    /// The cipher refused: more data under one key than it is made for.
    #[error("the cipher's limit is reached")]
    Limit,
}

/// Why something could not be opened.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum OpenError {
    /// The encapsulated key is a point of small order.
    #[error("the encapsulated key is not usable")]
    EncappedKey,
    /// Too short to be sealed at all.
    #[error("{found} bytes are too short for a sealed message")]
    TooShort {
        /// Its length in bytes.
        found: usize,
    },
    /// Longer than a chunk may be.
    #[error("a sealed chunk of {found} bytes is longer than allowed")]
    ChunkTooLong {
        /// Its length in bytes.
        found: usize,
    },
    /// The first byte of a chunk is neither that of the last chunk nor that of another.
    #[error("a chunk begins with the unknown mark {found}")]
    Mark {
        /// The first byte.
        found: u8,
    },
    /// Altered, out of order, repeated, from another stream or for another recipient.
    #[error("not authentic: altered, out of order, or sealed for something else")]
    NotAuthentic,
    /// A chunk after the last one.
    #[error("a chunk after the last one")]
    AfterLast,
    /// An earlier chunk of the stream did not open, so none does.
    #[error("the stream is broken: an earlier chunk did not open")]
    Broken,
}

/// Sets up the sender's side (RFC 9180 §5.1.1).
pub(crate) fn sender(
    key: &SealingKey,
    context: &SealContext,
    random: &SystemRandom,
) -> Result<([u8; ENCAPPED_BYTES], SealingContext), SealError> {
    let public =
        <Kem as hpke::Kem>::PublicKey::from_bytes(&key.x.0).map_err(|_| SealError::RecipientKey)?;
    let mut source = Source { random, failed: false };
    let set_up = setup_sender_with_rng(&OpModeS::Base, &public, &context.info(), &mut source);
    if source.failed {
        return Err(SealError::Randomness);
    }
    let (key, context): (_, SealingContext) = set_up.map_err(|_| SealError::RecipientKey)?;
    let mut encapped = [0; ENCAPPED_BYTES];
    key.write_exact(&mut encapped);
    Ok((encapped, context))
}

/// Sets up the recipient's side (RFC 9180 §5.1.1).
pub(crate) fn recipient(
    key: &OpeningKey,
    context: &SealContext,
    encapped: &[u8; ENCAPPED_BYTES],
) -> Result<OpeningContext, OpenError> {
    let encapped = <Kem as hpke::Kem>::EncappedKey::from_bytes(encapped)
        .map_err(|_| OpenError::EncappedKey)?;
    setup_receiver(&OpModeR::Base, key.private(), &encapped, &context.info())
        .map_err(|_| OpenError::EncappedKey)
}

/// Seals from `plain` into the end of `out`: as many bytes, and the tag. One pass, no copy.
pub(crate) fn seal_into(
    context: &mut SealingContext,
    plain: &[u8],
    aad: &[u8],
    out: &mut [u8],
) -> Result<(), HpkeError> {
    let wrong_length = HpkeError::IncorrectInputLength(plain.len() + TAG_BYTES, out.len());
    let (body, tag) = out.split_at_mut_checked(plain.len()).ok_or(wrong_length)?;
    let buffers = InOutBuf::new(plain, body).map_err(|_| wrong_length)?;
    context.seal_inout_detached(buffers, aad)?.write_exact(tag);
    Ok(())
}

/// Opens what [`seal_into`] wrote. One pass, no copy.
pub(crate) fn open(
    context: &mut OpeningContext,
    sealed: &[u8],
    aad: &[u8],
) -> Result<Vec<u8>, OpenError> {
    let (body, tag) = sealed
        .split_last_chunk::<TAG_BYTES>()
        .ok_or(OpenError::TooShort { found: sealed.len() })?;
    let tag = Tag::from_bytes(tag).map_err(|_| OpenError::NotAuthentic)?;
    let mut plain = vec![0; body.len()];
    let buffers = InOutBuf::new(body, &mut plain).map_err(|_| OpenError::NotAuthentic)?;
    context.open_inout_detached(buffers, aad, &tag).map_err(|_| OpenError::NotAuthentic)?;
    Ok(plain)
}

/// ring's randomness as hpke asks for it. hpke knows no failure, so one is noted, and what came of it
/// thrown away.
struct Source<'a> {
    random: &'a SystemRandom,
    failed: bool,
}

impl TryRng for Source<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.failed |= self.random.fill(out).is_err();
        Ok(())
    }
}

impl TryCryptoRng for Source<'_> {}
