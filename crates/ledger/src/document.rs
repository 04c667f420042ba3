//! Entries of the register. A signed document may be larger than an entry, so the entry states its
//! hash and the document lies beside the ledger, on disk before the entry is.

use convenant_model::Digest;
use convenant_signing::{parse_canonical, sha256};
use serde::{Deserialize, Serialize};

use crate::entry::{EntryBytes, EntryError};

/// Most bytes of a signed document.
pub const MAX_DOCUMENT: usize = 4 * 1024 * 1024;

/// What the register's ledger holds of one document.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentEntry {
    /// SHA-256 over the bytes of the signed document as stored.
    pub document: Digest,
    /// Type of the document: the `typ` of its JWS.
    #[serde(rename = "type")]
    pub typ: String,
}

impl DocumentEntry {
    /// Describes a document.
    ///
    /// # Errors
    /// When it is longer than [`MAX_DOCUMENT`].
    pub fn describe(document: &[u8], typ: &str) -> Result<Self, EntryError> {
        if document.len() > MAX_DOCUMENT {
            return Err(EntryError::TooLong { length: document.len(), most: MAX_DOCUMENT });
        }
        Ok(Self { document: sha256(document), typ: typ.to_owned() })
    }

    /// The entry's bytes.
    ///
    /// # Errors
    /// When the type's name is too long.
    pub fn to_bytes(&self) -> Result<EntryBytes, EntryError> {
        EntryBytes::canonical(self)
    }

    /// Reads an entry of the register.
    ///
    /// # Errors
    /// When the bytes are not such an entry in canonical JSON.
    pub fn parse(bytes: &[u8]) -> Result<Self, EntryError> {
        Ok(parse_canonical(bytes, "register entry")?)
    }

    /// Whether these are the bytes that the entry describes.
    #[must_use]
    pub fn describes(&self, document: &[u8]) -> bool {
        sha256(document) == self.document
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_entry_has_one_form_and_one_document() {
        let entry = DocumentEntry::describe(b"abc", "t+json").unwrap();
        let bytes = entry.to_bytes().unwrap();
        let expected = r#"{"document":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","type":"t+json"}"#;
        assert_eq!(bytes.as_bytes(), expected.as_bytes());
        assert_eq!(DocumentEntry::parse(bytes.as_bytes()).unwrap(), entry);
        assert!(entry.describes(b"abc") && !entry.describes(b"abd"));
        assert!(DocumentEntry::parse(expected.replace(",", ", ").as_bytes()).is_err());
        assert!(DocumentEntry::describe(&vec![0; MAX_DOCUMENT + 1], "t").is_err());
    }
}
