//! Types of fields, and literals of those types.

use serde::{Deserialize, Serialize};

use crate::{
    subjects::is_bsn,
    time::{Date, PartialDate},
};

/// Type of a field in the covenant.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldType {
    /// Free text.
    Text,
    /// Whole number of 64 bits.
    Integer,
    /// Full date.
    Date,
    /// Date of the BRP, in which parts may be unknown ([`PartialDate`]).
    PartialDate,
    /// Yes or no.
    Boolean,
    /// Text from a closed list.
    Code,
    /// Burgerservicenummer: nine digits that pass the eleven-test.
    Bsn,
    /// Id of an object of the BAG: sixteen digits.
    BagObject,
    /// Municipality as the BRP writes it: four digits.
    Gemeentecode,
    /// Area of Statistics Netherlands: `GM0599`, `WK…` or `BU…`.
    CbsCode,
}

impl FieldType {
    /// Whether a text is a value of this type, in the spelling that registers use.
    #[must_use]
    pub fn admits(self, text: &str) -> bool {
        let digits = |n| text.len() == n && text.bytes().all(|b| b.is_ascii_digit());
        match self {
            Self::Text | Self::Code => true,
            Self::Integer => text.parse::<i64>().is_ok(),
            Self::Date => text.parse::<Date>().is_ok(),
            Self::PartialDate => text.parse::<PartialDate>().is_ok(),
            Self::Boolean => matches!(text, "true" | "false"),
            Self::Bsn => is_bsn(text),
            Self::BagObject => digits(16),
            Self::Gemeentecode => digits(4),
            Self::CbsCode => text.parse::<crate::area::AreaCode>().is_ok() && !digits(16),
        }
    }

    /// The type as documents write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Date => "date",
            Self::PartialDate => "partial-date",
            Self::Boolean => "boolean",
            Self::Code => "code",
            Self::Bsn => "bsn",
            Self::BagObject => "bag-object",
            Self::Gemeentecode => "gemeentecode",
            Self::CbsCode => "cbs-code",
        }
    }
}
