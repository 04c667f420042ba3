//! Requests to a time-stamping authority and its responses (RFC 3161), as far as one can tell without its
//! certificate: the signature is for `openssl ts -verify`, or whatever else an auditor trusts.

use convenant_model::Digest;
use x509_parser::asn1_rs::{Any, FromDer as _, Tag};

/// Version, message imprint with SHA-256, nonce and a wish for the certificate: everything of a request before
/// the hash (RFC 3161 section 2.4.1; the identifier of SHA-256 is 2.16.840.1.101.3.4.2.1).
const BEFORE_HASH: [u8; 24] = [
    0x30, 0x43, 0x02, 0x01, 0x01, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65,
    0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20,
];
const BEFORE_NONCE: [u8; 2] = [0x02, 0x08];
const CERTIFICATE_WANTED: [u8; 3] = [0x01, 0x01, 0xff];
const REQUEST: usize = 69;

/// A request for a timestamp over a hash.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Request {
    pub(super) hash: Digest,
    nonce: [u8; 8],
}

/// What an authority states of a hash.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Token {
    /// When, as the token writes it: `YYYYMMDDhhmmss[.f]Z`, in UTC.
    pub(super) time: String,
}

impl Request {
    /// `random` makes it unlike any other, so that no earlier response fits it.
    pub(super) fn new(hash: Digest, random: [u8; 8]) -> Self {
        let mut nonce = random;
        // A positive integer of exactly eight bytes (X.690 section 8.3).
        nonce[0] = nonce[0] & 0x7f | 0x40;
        Self { hash, nonce }
    }

    pub(super) fn to_der(self) -> Vec<u8> {
        let parts: [&[u8]; 5] =
            [&BEFORE_HASH, self.hash.as_bytes(), &BEFORE_NONCE, &self.nonce, &CERTIFICATE_WANTED];
        parts.concat()
    }

    /// Reads a request of our own making.
    pub(super) fn from_der(der: &[u8]) -> Option<Self> {
        let der: &[u8; REQUEST] = der.try_into().ok()?;
        let hash = Digest::from_bytes(der.get(24..56)?.try_into().ok()?);
        let nonce = der.get(58..66)?.try_into().ok()?;
        let request = Self { hash, nonce };
        (request.to_der() == der).then_some(request)
    }

    /// The timestamp in a response, if it is one that answers this request.
    ///
    /// # Errors
    /// Says what is wrong with the response.
    pub(super) fn token(&self, response: &[u8]) -> Result<Token, String> {
        let malformed = || "it is no response of a time-stamping authority (RFC 3161)".to_owned();
        let parts = parts(one(response).ok_or_else(malformed)?).ok_or_else(malformed)?;
        let status = parts.first().and_then(|info| self::parts(info)?.first().cloned());
        let status = status.and_then(|status| status.as_u32().ok()).ok_or_else(malformed)?;
        // Granted, or granted with modifications (section 2.4.2).
        if status > 1 {
            return Err(format!("the authority did not grant it (PKIStatus {status})"));
        }
        let info = parts.get(1).and_then(content).ok_or_else(malformed)?;
        let info = self::parts(one(info).ok_or_else(malformed)?).ok_or_else(malformed)?;
        self.read(&info).ok_or_else(malformed)?
    }

    /// `TSTInfo`: version, policy, message imprint, serial number, time, and among what follows the nonce.
    fn read(&self, info: &[Any<'_>]) -> Option<Result<Token, String>> {
        let [_, _, imprint, _, time, rest @ ..] = info else { return None };
        let imprint = parts(imprint)?;
        let hash = imprint.get(1).filter(|hash| hash.tag() == Tag::OctetString)?;
        if hash.data != self.hash.as_bytes() {
            return Some(Err("it is a timestamp over something else".to_owned()));
        }
        let mut integers = rest.iter().filter(|one| one.tag() == Tag::Integer);
        if !integers.any(|nonce| nonce.data == self.nonce) {
            return Some(Err("it answers another request".to_owned()));
        }
        let time =
            std::str::from_utf8(time.data).ok().filter(|_| time.tag() == Tag::GeneralizedTime)?;
        Some(Ok(Token { time: time.to_owned() }))
    }
}

/// One value and nothing after it.
fn one(der: &[u8]) -> Option<Any<'_>> {
    let (rest, value) = Any::from_der(der).ok()?;
    rest.is_empty().then_some(value)
}

/// What a sequence holds.
fn parts<'a>(value: impl std::borrow::Borrow<Any<'a>>) -> Option<Vec<Any<'a>>> {
    let value: &Any<'a> = value.borrow();
    let mut rest = value.data;
    let mut parts = Vec::new();
    while value.tag() == Tag::Sequence && !rest.is_empty() {
        let (after, part) = Any::from_der(rest).ok()?;
        parts.push(part);
        rest = after;
    }
    (!parts.is_empty()).then_some(parts)
}

/// The signed content of a token (RFC 5652 section 5: content type, and in `[0]` the signed data: version, digest
/// algorithms, encapsulated content).
fn content<'a>(token: &Any<'a>) -> Option<&'a [u8]> {
    let wrapped = parts(token)?.get(1)?.data;
    let signed = parts(one(wrapped)?)?;
    let wrapped = parts(signed.get(2)?)?.get(1)?.data;
    one(wrapped).filter(|octets| octets.tag() == Tag::OctetString).map(|octets| octets.data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_as_it_was_written_and_nothing_else_is() {
        let request = Request::new(Digest::from_bytes([7; 32]), [0xff; 8]);
        let der = request.to_der();
        assert_eq!(Request::from_der(&der), Some(request));
        assert!(one(&der).is_some());
        for place in 0..der.len() {
            assert_eq!(Request::from_der(der.get(..place).unwrap()), None);
        }
        let mut other = der.clone();
        *other.last_mut().unwrap() = 0;
        assert_eq!(Request::from_der(&other), None);
    }

    #[test]
    fn whatever_else_comes_is_no_response() {
        let request = Request::new(Digest::from_bytes([7; 32]), [1; 8]);
        for bytes in
            [&b""[..], b"\x30\x00", b"<html>", b"\x30\x05\x30\x03\x02\x01\x00", &request.to_der()]
        {
            request.token(bytes).unwrap_err();
        }
        let refused = request.token(b"\x30\x05\x30\x03\x02\x01\x02").unwrap_err();
        assert!(refused.contains("PKIStatus 2"), "{refused}");
    }
}
