//! base64url without padding (RFC 7515 §2): one spelling for each value, because the decoder accepts
//! neither padding nor left-over bits.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn append(bytes: &[u8], text: &mut String) {
    URL_SAFE_NO_PAD.encode_string(bytes, text);
}

/// The bytes, or nothing when the text is no base64url.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Decodes exactly `out.len()` bytes into `out`; false when the text holds anything else.
pub(crate) fn decode_into(text: &str, out: &mut [u8]) -> bool {
    URL_SAFE_NO_PAD.decode_slice(text, out) == Ok(out.len())
}
