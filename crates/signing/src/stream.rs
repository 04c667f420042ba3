//! Results as a stream of sealed chunks: one HPKE context a stream, chunks in sequence, the last one
//! marked in what is authenticated. A chunk that was dropped, repeated, reordered, altered or cut off
//! does not open.
//!
//! A sealed chunk is `mark || ciphertext || tag`; the mark is its AAD.

use std::fmt;

use convenant_model::keys::SealingKey;
use ring::rand::SystemRandom;

use crate::{
    context::SealContext,
    opening::OpeningKey,
    suite::{
        self, ENCAPPED_BYTES, OpenError, OpeningContext, SealError, SealingContext, TAG_BYTES,
    },
};

/// Most bytes of plaintext in one chunk.
pub const MAX_CHUNK_BYTES: usize = 256 << 10;

const MORE: u8 = 0;
const LAST: u8 = 1;

/// Seals the chunks of one stream, in order.
pub struct Sealer {
    context: SealingContext,
    finished: bool,
}

/// Opens the chunks of one stream, in order.
pub struct Opener {
    context: OpeningContext,
    state: State,
}

/// A chunk that opened.
pub struct Opened {
    /// Its plaintext.
    pub plain: Vec<u8>,
    /// Whether the sender marked it as the last one.
    pub last: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Open,
    Finished,
    Broken,
}

impl Sealer {
    /// Begins a stream to the holder of `key`. The encapsulated key goes before the first chunk.
    ///
    /// # Errors
    /// When the key is not usable or no randomness can be drawn.
    pub fn new(
        key: &SealingKey,
        context: &SealContext,
        random: &SystemRandom,
    ) -> Result<(Self, [u8; ENCAPPED_BYTES]), SealError> {
        let (encapped, context) = suite::sender(key, context, random)?;
        Ok((Self { context, finished: false }, encapped))
    }

    /// Seals the next chunk, which may be empty.
    ///
    /// # Errors
    /// When it is longer than [`MAX_CHUNK_BYTES`] or the last chunk was sealed already.
    pub fn seal(&mut self, plain: &[u8], last: bool) -> Result<Vec<u8>, SealError> {
        if self.finished {
            return Err(SealError::AfterLast);
        }
        if plain.len() > MAX_CHUNK_BYTES {
            return Err(SealError::ChunkTooLong { found: plain.len() });
        }
        let mark = if last { LAST } else { MORE };
        let mut sealed = vec![0; 1 + plain.len() + TAG_BYTES];
        let (first, rest) = sealed.split_first_mut().ok_or(SealError::Limit)?;
        *first = mark;
        suite::seal_into(&mut self.context, plain, &[mark], rest).map_err(|_| SealError::Limit)?;
        self.finished = last;
        Ok(sealed)
    }
}

impl Opener {
    /// Begins to read a stream that was sealed to `key`.
    ///
    /// # Errors
    /// When the encapsulated key is not usable. Whether it belongs to this context, the first chunk
    /// tells.
    pub fn new(
        key: &OpeningKey,
        context: &SealContext,
        encapped: &[u8; ENCAPPED_BYTES],
    ) -> Result<Self, OpenError> {
        let context = suite::recipient(key, context, encapped)?;
        Ok(Self { context, state: State::Open })
    }

    /// Opens the next chunk.
    ///
    /// # Errors
    /// When it is not the next chunk of this stream exactly as it was sealed. After an error, and
    /// after the last chunk, nothing opens any more.
    pub fn open(&mut self, sealed: &[u8]) -> Result<Opened, OpenError> {
        match self.state {
            State::Open => {}
            State::Finished => return Err(OpenError::AfterLast),
            State::Broken => return Err(OpenError::Broken),
        }
        let opened = self.open_next(sealed);
        self.state = match &opened {
            Ok(Opened { last: false, .. }) => State::Open,
            Ok(Opened { last: true, .. }) => State::Finished,
            Err(_) => State::Broken,
        };
        opened
    }

    /// Whether the last chunk was opened. A stream that ends before was cut off.
    #[must_use]
    pub fn finished(&self) -> bool {
        self.state == State::Finished
    }

    fn open_next(&mut self, sealed: &[u8]) -> Result<Opened, OpenError> {
        if sealed.len() > 1 + MAX_CHUNK_BYTES + TAG_BYTES {
            return Err(OpenError::ChunkTooLong { found: sealed.len() });
        }
        let (mark, body) = sealed.split_first().ok_or(OpenError::TooShort { found: 0 })?;
        let last = match *mark {
            MORE => false,
            LAST => true,
            found => return Err(OpenError::Mark { found }),
        };
        let plain = suite::open(&mut self.context, body, &[*mark])?;
        Ok(Opened { plain, last })
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer").field("finished", &self.finished).finish_non_exhaustive()
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opener").field("state", &self.state).finish_non_exhaustive()
    }
}

/// Shows the length only: the plaintext is about people.
impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.plain.len();
        f.debug_struct("Opened").field("bytes", &bytes).field("last", &self.last).finish()
    }
}
