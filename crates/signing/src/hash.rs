//! SHA-256 (FIPS 180-4).

use convenant_model::Digest;
use ring::digest::{Context, SHA256};

/// The SHA-256 digest of some bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Digest {
    wrap(ring::digest::digest(&SHA256, bytes))
}

/// The SHA-256 digest of several parts as if they stood in one piece, without copying them together.
#[must_use]
pub fn sha256_parts(parts: &[&[u8]]) -> Digest {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    wrap(context.finish())
}

/// The hash over a stream of sealed chunks that a signed outcome states: SHA-256 over the SHA-256 of
/// each chunk, in the order of sending. Hashing each chunk first marks where one ends.
#[derive(Clone)]
pub struct ChunkHasher(Context);

impl ChunkHasher {
    /// A hasher that has seen no chunk.
    #[must_use]
    pub fn new() -> Self {
        Self(Context::new(&SHA256))
    }

    /// Adds the next sealed chunk.
    pub fn add(&mut self, sealed: &[u8]) {
        self.0.update(ring::digest::digest(&SHA256, sealed).as_ref());
    }

    /// The hash over all chunks that were added.
    #[must_use]
    pub fn finish(self) -> Digest {
        wrap(self.0.finish())
    }
}

impl Default for ChunkHasher {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for ChunkHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChunkHasher")
    }
}

fn wrap(digest: ring::digest::Digest) -> Digest {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest.as_ref());
    Digest::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_of_abc() {
        // FIPS 180-4, example of one block.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc").to_string(), expected);
        assert_eq!(sha256_parts(&[b"a", b"", b"bc"]).to_string(), expected);
    }

    #[test]
    fn the_chunk_hash_tells_order_and_boundaries() {
        let hash = |chunks: &[&[u8]]| {
            let mut hasher = ChunkHasher::new();
            chunks.iter().for_each(|chunk| hasher.add(chunk));
            hasher.finish()
        };
        let of_each = [sha256(b"ab"), sha256(b"c")];
        let expected = sha256_parts(&[of_each[0].as_bytes(), of_each[1].as_bytes()]);
        assert_eq!(hash(&[b"ab", b"c"]), expected);
        assert_ne!(hash(&[b"a", b"bc"]), expected);
        assert_ne!(hash(&[b"c", b"ab"]), expected);
        assert_ne!(hash(&[b"ab", b"c", b""]), expected);
    }
}
