//! Areas to which a project is limited (clause S10).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What kind of area a code names, and how a register writes it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum AreaKind {
    /// A municipality: `GM` and four digits.
    GM,
    /// A district of Statistics Netherlands: `WK` and six characters.
    WK,
    /// A neighbourhood of Statistics Netherlands: `BU` and eight characters.
    BU,
    /// An addressable object of the BAG: sixteen digits.
    BAG,
}

/// A code for an area: `GM0599`, `WK059901`, `BU05990101`, or sixteen digits of a BAG object.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct AreaCode(String);

/// A text that is not a code for an area.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error(
    "not an area: expected `GM` and 4 digits, `WK` and 6 or `BU` and 8 characters, or the 16 digits of a BAG object"
)]
pub struct AreaError;

impl AreaCode {
    /// The kind of area.
    #[must_use]
    pub fn kind(&self) -> AreaKind {
        kind(&self.0).unwrap_or(AreaKind::BAG)
    }

    /// The code in full, for instance `GM0599`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The code as the BRP writes a municipality: without `GM`. Other codes are written in full.
    #[must_use]
    pub fn bare(&self) -> &str {
        self.0.strip_prefix("GM").unwrap_or(&self.0)
    }
}

fn kind(text: &str) -> Option<AreaKind> {
    let digits = |t: &str, n| t.len() == n && t.bytes().all(|b| b.is_ascii_digit());
    let code = |t: &str, n| {
        t.len() == n && t.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
    };
    match text.split_at_checked(2)? {
        ("GM", rest) if digits(rest, 4) => Some(AreaKind::GM),
        ("WK", rest) if code(rest, 6) => Some(AreaKind::WK),
        ("BU", rest) if code(rest, 8) => Some(AreaKind::BU),
        _ if digits(text, 16) => Some(AreaKind::BAG),
        _ => None,
    }
}

impl FromStr for AreaCode {
    type Err = AreaError;
    fn from_str(text: &str) -> Result<Self, AreaError> {
        kind(text).map(|_| Self(text.to_owned())).ok_or(AreaError)
    }
}

impl TryFrom<String> for AreaCode {
    type Error = AreaError;
    fn try_from(text: String) -> Result<Self, AreaError> {
        text.parse()
    }
}

impl From<AreaCode> for String {
    fn from(code: AreaCode) -> Self {
        code.0
    }
}

impl fmt::Display for AreaCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_kinds() {
        let kind = |t: &str| t.parse::<AreaCode>().map(|c| c.kind());
        assert_eq!(kind("GM0599"), Ok(AreaKind::GM));
        assert_eq!(kind("BU05990101"), Ok(AreaKind::BU));
        assert_eq!(kind("0599010000208579"), Ok(AreaKind::BAG));
        for wrong in ["0599", "GM599", "gm0599", "BU0599", "", "é"] {
            assert!(wrong.parse::<AreaCode>().is_err(), "{wrong}");
        }
    }
}
