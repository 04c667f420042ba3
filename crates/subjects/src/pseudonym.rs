//! What stands for a person.

use std::fmt;

use convenant_model::{
    Digest,
    subjects::{Identifying, bsn},
    value::FieldType,
};
use convenant_signing::PseudonymKey;
use serde::{Deserialize, Serialize};

/// A keyed pseudonym: 64 lower-case hexadecimal digits. Personal data still, to whoever has the key.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Pseudonym(Digest);

impl Pseudonym {
    /// The pseudonym of a value of a kind of field. A BSN has the same one however it is spelled.
    #[must_use]
    pub fn of(key: &PseudonymKey, kind: FieldType, value: &Identifying) -> Self {
        let plain = plain(kind, value);
        Self(key.pseudonym(kind.as_str(), plain.as_ref().unwrap_or(value).expose()))
    }

    /// Its 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }
}

/// The one spelling of a value, where its kind has one.
pub(crate) fn plain(kind: FieldType, value: &Identifying) -> Option<Identifying> {
    (kind == FieldType::Bsn).then(|| bsn(value.expose())).flatten()
}

impl fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
