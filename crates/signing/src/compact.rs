//! JWS in compact serialisation (RFC 7515 §7.1): one signature, for queries, outcomes and receipts.

use convenant_model::{KeyId, keys::VerifyingKey};

use crate::{
    base64url,
    header::{Header, JwsError, decode},
    key::{KeyError, SigningKey, key_id, verify},
};

/// A payload whose signature held. Only verification makes one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verified {
    payload: Vec<u8>,
    key: KeyId,
}

/// A well-formed JWS of the expected type whose signature nobody has checked yet.
#[derive(Clone, Debug)]
pub struct Unverified<'a> {
    header: Header,
    signing_input: &'a str,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// Signs a payload.
///
/// # Errors
/// When the key cannot sign: only ES256 can fail, for want of randomness.
pub fn sign_compact(typ: &str, payload: &[u8], key: &SigningKey) -> Result<String, KeyError> {
    let mut text = signing_input(Header::encode(typ, key.verifying_key(), key.id()), payload);
    let signature = key.sign(text.as_bytes())?;
    text.push('.');
    base64url::append(&signature, &mut text);
    Ok(text)
}

/// Reads a JWS of type `typ` and checks its signature with the key that `key_of` knows by its id.
///
/// # Errors
/// Names the fault: form, type, algorithm, unknown key or signature.
pub fn verify_compact(
    text: &str,
    typ: &str,
    key_of: impl Fn(&KeyId) -> Option<VerifyingKey>,
) -> Result<Verified, JwsError> {
    let unverified = peek_compact(text, typ)?;
    let id = unverified.key_id();
    let key = key_of(id).ok_or_else(|| JwsError::UnknownKey(id.clone()))?;
    unverified.verify(&key)
}

/// Reads a JWS of type `typ` without checking its signature, for payloads that themselves name the
/// key: [`Unverified::verify`] comes next.
///
/// # Errors
/// When it is malformed or of another type.
pub fn peek_compact<'a>(text: &'a str, typ: &str) -> Result<Unverified<'a>, JwsError> {
    let (signing_input, header, payload, signature) = split(text)?;
    let header = Header::decode(header)?;
    header.require_type(typ)?;
    let payload = decode("payload", payload)?;
    let signature = decode("signature", signature)?;
    Ok(Unverified { header, signing_input, payload, signature })
}

impl Unverified<'_> {
    /// The payload, which nobody vouches for yet.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Id of the key that is said to have signed.
    #[must_use]
    pub const fn key_id(&self) -> &KeyId {
        &self.header.key
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// When it is by another key, by another algorithm than that of the key, or does not hold.
    pub fn verify(self, key: &VerifyingKey) -> Result<Verified, JwsError> {
        self.header.require_key(key, key_id(key))?;
        verify(key, self.signing_input.as_bytes(), &self.signature)
            .map_err(|_| JwsError::Signature)?;
        Ok(Verified { payload: self.payload, key: self.header.key })
    }
}

impl Verified {
    /// The signed bytes.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The signed bytes, taken out.
    #[must_use]
    pub fn into_payload(self) -> Vec<u8> {
        self.payload
    }

    /// Id of the key that signed.
    #[must_use]
    pub const fn key_id(&self) -> &KeyId {
        &self.key
    }
}

/// Header and payload in base64url with a dot between them: what is signed (RFC 7515 §5.1, step 8).
pub(crate) fn signing_input(mut header: String, payload: &[u8]) -> String {
    // Room for the signature too: 64 bytes in base64url and its dot.
    header.reserve(payload.len().div_ceil(3) * 4 + 88);
    header.push('.');
    base64url::append(payload, &mut header);
    header
}

fn split(text: &str) -> Result<(&str, &str, &str, &str), JwsError> {
    let fault = || JwsError::Parts { found: text.split('.').take(4).count() };
    let (signing_input, signature) = text.rsplit_once('.').ok_or_else(fault)?;
    let (header, payload) = signing_input.split_once('.').ok_or_else(fault)?;
    if payload.contains('.') {
        return Err(fault());
    }
    Ok((signing_input, header, payload, signature))
}
