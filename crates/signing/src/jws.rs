//! JWS in general JSON serialisation (RFC 7515 §7.2.1): several signatures, for the register's
//! documents.

use convenant_model::{Digest, KeyId, keys::VerifyingKey, register::Envelope};
use serde::{Deserialize, Serialize};

use crate::{
    base64url,
    compact::signing_input,
    hash::sha256,
    header::{Header, JwsError, decode, shown},
    key::{SigningKey, key_id, verify},
};

/// Most signatures under one document: an LSI quorum and every partner of a project fit.
pub const MAX_SIGNATURES: usize = 64;

/// A payload with signatures, none of which is checked until [`Envelope::signed_by`] asks.
#[derive(Clone, Debug)]
pub struct Jws {
    typ: String,
    payload: Vec<u8>,
    signatures: Vec<Signature>,
}

#[derive(Clone, Debug)]
struct Signature {
    header: Header,
    /// The header as it was encoded, because that is what was signed.
    protected: String,
    bytes: Vec<u8>,
}

/// The members in the order of RFC 8785.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct General {
    payload: String,
    signatures: Vec<GeneralSignature>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct GeneralSignature {
    protected: String,
    signature: String,
}

impl Jws {
    /// A payload that nobody signed yet.
    #[must_use]
    pub fn new(typ: &str, payload: Vec<u8>) -> Self {
        Self { typ: typ.to_owned(), payload, signatures: Vec::new() }
    }

    /// Reads a signed document.
    ///
    /// # Errors
    /// When it is malformed, unsigned, signed under different types, or signed twice by one key.
    pub fn parse(bytes: &[u8]) -> Result<Self, JwsError> {
        let general: General = serde_json::from_slice(bytes)
            .map_err(|error| JwsError::Json { fault: shown(&error.to_string()) })?;
        if general.signatures.len() > MAX_SIGNATURES {
            return Err(JwsError::TooManySignatures { found: general.signatures.len() });
        }
        let signatures =
            general.signatures.into_iter().map(Signature::decode).collect::<Result<Vec<_>, _>>()?;
        let first = signatures.first().ok_or(JwsError::Unsigned)?;
        let mut jws = Self::new(&first.header.typ, decode("payload", &general.payload)?);
        signatures.into_iter().try_for_each(|signature| jws.add(signature))?;
        Ok(jws)
    }

    /// Adds a signature.
    ///
    /// # Errors
    /// When this key has signed already, there is no room for another signature, or the key cannot
    /// sign.
    pub fn sign(&mut self, key: &SigningKey) -> Result<(), JwsError> {
        let protected = Header::encode(&self.typ, key.verifying_key(), key.id());
        let header = Header::decode(&protected)?;
        let bytes = key.sign(signing_input(protected.clone(), &self.payload).as_bytes())?;
        self.add(Signature { header, protected, bytes })
    }

    /// The document in canonical JSON. Without a signature, no reader accepts it.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let signatures = self.signatures.iter().map(Signature::encode).collect();
        let general = General { payload: base64url::encode(&self.payload), signatures };
        #[expect(clippy::expect_used, reason = "a struct of texts always has a JSON form")]
        serde_json::to_vec(&general).expect("texts are JSON")
    }

    /// The type of the document, from the protected headers.
    #[must_use]
    pub fn typ(&self) -> &str {
        &self.typ
    }

    /// The exact bytes that were signed.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Ids of the keys that are said to have signed, in the order of signing.
    pub fn key_ids(&self) -> impl Iterator<Item = &KeyId> {
        self.signatures.iter().map(|signature| &signature.header.key)
    }

    /// Checks the signature of one key.
    ///
    /// # Errors
    /// When the key did not sign, or its signature does not hold.
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), JwsError> {
        let id = key_id(key);
        let signature = self.signatures.iter().find(|signature| signature.header.key == id);
        let signature = signature.ok_or_else(|| JwsError::UnknownKey(id.clone()))?;
        signature.header.require_key(key, id)?;
        let signed = signing_input(signature.protected.clone(), &self.payload);
        verify(key, signed.as_bytes(), &signature.bytes).map_err(|_| JwsError::Signature)
    }

    fn add(&mut self, signature: Signature) -> Result<(), JwsError> {
        signature.header.require_type(&self.typ)?;
        if self.key_ids().any(|id| *id == signature.header.key) {
            return Err(JwsError::RepeatedKey(signature.header.key));
        }
        if self.signatures.len() == MAX_SIGNATURES {
            return Err(JwsError::TooManySignatures { found: MAX_SIGNATURES + 1 });
        }
        self.signatures.push(signature);
        Ok(())
    }
}

impl Envelope for Jws {
    fn typ(&self) -> &str {
        self.typ()
    }

    fn payload(&self) -> &[u8] {
        self.payload()
    }

    fn payload_hash(&self) -> Digest {
        sha256(self.payload())
    }

    fn signed_by(&self, key: &VerifyingKey) -> bool {
        self.verify(key).is_ok()
    }
}

impl Signature {
    fn decode(general: GeneralSignature) -> Result<Self, JwsError> {
        let header = Header::decode(&general.protected)?;
        let bytes = decode("signature", &general.signature)?;
        Ok(Self { header, protected: general.protected, bytes })
    }

    fn encode(&self) -> GeneralSignature {
        GeneralSignature {
            protected: self.protected.clone(),
            signature: base64url::encode(&self.bytes),
        }
    }
}
