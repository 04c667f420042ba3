//! Ids of traces and spans, and where they come from.

use std::fmt::Write as _;

use convenant_model::{Digest, QueryId, query::Query};
use serde::{Serialize, Serializer};

/// Sixteen bytes, written as 32 lower-case hexadecimal characters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TraceId([u8; 16]);

/// Eight bytes, written as 16 lower-case hexadecimal characters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SpanId([u8; 8]);

/// The trace that the requester signed with its query (W3C Trace Context §3.2), or one of the query's own.
pub(crate) fn trace(query: &Query) -> (TraceId, Option<SpanId>) {
    let parsed = query.trace.as_ref().and_then(|trace| {
        let mut parts = trace.as_str().split('-').skip(1);
        let (trace, span) = (parts.next()?, parts.next()?);
        Some((TraceId(bytes(trace)?), SpanId(bytes(span)?)))
    });
    match parsed {
        Some((trace, span)) => (trace, Some(span)),
        None => (TraceId::of(&query.id), None),
    }
}

fn bytes<const N: usize>(hex: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if hex.len() != 2 * N || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

impl TraceId {
    /// The sixteen bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    fn of(query: &QueryId) -> Self {
        Self(bytes(&query.to_string().replace('-', "")).unwrap_or_default())
    }
}

impl SpanId {
    /// The eight bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }

    /// The first bytes of a digest.
    pub(crate) fn of(leaf: &Digest) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = *leaf.as_bytes();
        Self([a, b, c, d, e, f, g, h])
    }
}

impl Serialize for TraceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex(&self.0))
    }
}

impl Serialize for SpanId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex(&self.0))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_characters_are_bytes_and_back() {
        let id: [u8; 8] = bytes("00f067aa0ba902b7").unwrap();
        assert_eq!(hex(&id), "00f067aa0ba902b7");
        assert_eq!(bytes::<8>("00f067aa0ba902b"), None);
        assert_eq!(bytes::<8>("00f067aa0ba902bé"), None);
        assert_eq!(bytes::<2>("+1+1"), None);
    }
}
