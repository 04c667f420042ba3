//! One newtype per identifier, each with a private field and a parsing constructor.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a text is not an identifier.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("`{shown}` is not {expected}")]
pub struct IdError {
    shown: String,
    expected: &'static str,
}

impl IdError {
    /// The offending text, cut to 64 characters and stripped of control characters so that it is
    /// safe to print.
    fn new(text: &str, expected: &'static str) -> Self {
        let shown = text.chars().filter(|c| !c.is_control()).take(64).collect();
        Self { shown, expected }
    }
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $expected:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Parses the identifier.
            ///
            /// # Errors
            /// When the text does not have the form that the type describes.
            pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
                let text = text.into();
                let check: fn(&str) -> bool = $check;
                if check(&text) { Ok(Self(text)) } else { Err(IdError::new(&text, $expected)) }
            }

            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

identifier!(
    /// Organisatie-identificatienummer: twenty digits, in a PKIoverheid certificate the
    /// `subject.serialNumber`. `00000099…` is the test prefix. It is the identity of a party.
    Oin, "an OIN of twenty digits", |t| t.len() == 20 && t.bytes().all(|b| b.is_ascii_digit())
);
identifier!(
    /// Id of a covenant, for instance `lsi`.
    CovenantId, "a covenant id (lower-case letters, digits and `-`, at most 64)", |t| slug(t, b"-", 64)
);
identifier!(
    /// Id of a project, for instance `P-2026-001`: letters, digits and `-`, at most 64.
    ProjectId, "a project id (letters, digits and `-`, at most 64)",
    |t| bounded(t, 64) && t.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
);
identifier!(
    /// Id of one of the covenant's goals (clause S3).
    GoalId, "a goal id (lower-case letters, digits and `-`, at most 64)", |t| slug(t, b"-", 64)
);
identifier!(
    /// Id of one of the covenant's themes (clause S7), for instance `adresfraude`.
    ThemeId, "a theme id (lower-case letters, digits and `-`, at most 64)", |t| slug(t, b"-", 64)
);
identifier!(
    /// Id of a dataset, `KIND/NAME`: the kind of partner that holds it and its official name, for
    /// instance `gemeente/brp_persoon`.
    DatasetId, "a dataset id (`kind/name`, lower-case letters, digits, `-` and `_`)",
    |t| t.split_once('/').is_some_and(|(k, n)| slug(k, b"-_", 64) && slug(n, b"-_", 64))
);
identifier!(
    /// Official Dutch name of a field, for instance `burgerservicenummer`.
    FieldName, "a field name (lower-case letters, digits and `_`, at most 96)", |t| slug(t, b"_", 96)
);
identifier!(
    /// Id of a clause, for instance `S10`.
    ClauseId, "a clause id (a capital letter and a number)",
    |t| t.len() <= 4 && t.strip_prefix(|c: char| c.is_ascii_uppercase())
        .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
);
identifier!(
    /// Id of a public key: its RFC 7638 JWK thumbprint with SHA-256, base64url, 43 characters.
    KeyId, "a key id (an RFC 7638 thumbprint of 43 characters)",
    |t| t.len() == 43 && t.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
);

impl DatasetId {
    /// The kind of partner that holds the dataset: the part before the slash.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.0.split_once('/').map_or("", |(kind, _)| kind)
    }
}

/// Id of a query: a UUID version 7 (RFC 9562 §5.7).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct QueryId(uuid::Uuid);

impl QueryId {
    /// Wraps a UUID.
    ///
    /// # Errors
    /// When it is not of version 7.
    pub fn new(id: uuid::Uuid) -> Result<Self, IdError> {
        if id.get_version_num() == 7 {
            Ok(Self(id))
        } else {
            Err(IdError::new(&id.to_string(), "a UUID of version 7"))
        }
    }

    /// Makes an id from the time in milliseconds since 1970 and ten random bytes.
    #[must_use]
    pub fn from_parts(millis: u64, random: &[u8; 10]) -> Self {
        Self(uuid::Builder::from_unix_timestamp_millis(millis, random).into_uuid())
    }

    /// The sixteen bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl TryFrom<String> for QueryId {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        let id = uuid::Uuid::try_parse(&text).map_err(|_| IdError::new(&text, "a UUID"))?;
        // One spelling only: a second spelling of an id would pass a replay check.
        if id.to_string() != text {
            return Err(IdError::new(&text, "a UUID in lower case with hyphens"));
        }
        Self::new(id)
    }
}

impl FromStr for QueryId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::try_from(text.to_owned())
    }
}

impl From<QueryId> for String {
    fn from(id: QueryId) -> Self {
        id.0.to_string()
    }
}

impl fmt::Display for QueryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn bounded(text: &str, most: usize) -> bool {
    !text.is_empty() && text.len() <= most
}

fn slug(text: &str, also: &[u8], most: usize) -> bool {
    bounded(text, most)
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || also.contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_oin_has_twenty_digits() {
        assert!(Oin::new("00000099000000001000").is_ok());
        assert!(Oin::new("0000009900000000100").is_err());
        assert!(Oin::new("0000009900000000100x").is_err());
    }

    #[test]
    fn a_query_id_has_one_spelling() {
        let id = QueryId::from_parts(1_700_000_000_000, &[7; 10]).to_string();
        assert!(id.parse::<QueryId>().is_ok());
        assert!(id.to_uppercase().parse::<QueryId>().is_err());
        assert!("9f0b8e3c-1111-4111-8111-111111111111".parse::<QueryId>().is_err());
    }

    #[test]
    fn an_error_never_prints_control_characters() {
        let error = GoalId::new("a\u{1b}[2J").unwrap_err().to_string();
        assert!(!error.contains('\u{1b}'), "{error:?}");
    }
}
