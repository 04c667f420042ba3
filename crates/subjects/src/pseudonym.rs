//! What stands for a person.

use std::fmt;

use convenant_model::{Digest, value::FieldType};
use convenant_signing::PseudonymKey;
use serde::{Deserialize, Serialize};

/// A keyed pseudonym: 64 lower-case hexadecimal digits. Personal data still, to whoever has the key.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Pseudonym(Digest);

impl Pseudonym {
    /// The pseudonym of a value, as the source writes it, of a kind of field.
    #[must_use]
    pub fn of(key: &PseudonymKey, kind: FieldType, value: &str) -> Self {
        Self(key.pseudonym(kind.as_str(), value))
    }

    /// Its 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }
}

impl fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
