//! One record: who some of the people of an exchange were.
//!
//! | bytes | meaning |
//! |---|---|
//! | 0–3 | length of the plain part, little-endian |
//! | … | the plain part ([`Told`]) as canonical JSON (RFC 8785) |
//! | … | the values, in the order of their pseudonyms, as canonical JSON sealed with HPKE |

use convenant_model::{
    Digest, FieldName, Oin, QueryId, Timestamp, subjects::Identifying, value::FieldType,
};
use convenant_signing::{
    Direction, OpenError, OpeningKey, SealContext, canonical, open_once, parse_canonical, seal_once,
};
use serde::{Deserialize, Serialize};

use crate::{
    Pseudonym,
    account::{Exchange, Keys},
    error::{JournalError, RecordFault},
};

/// The part of a record that says no number of a person.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// Version of this form.
    pub version: Version,
    /// Index of the decision in the node's ledger, which says everything else of the exchange.
    pub decision: u64,
    /// The query.
    pub query: QueryId,
    /// Index of the target within the query.
    pub target: u32,
    /// When the decision was made.
    pub at: Timestamp,
    /// The field that the values are of.
    pub field: FieldName,
    /// What kind of number identifies.
    pub kind: FieldType,
    /// What tells the key of the pseudonyms from another.
    pub key: Digest,
    /// The people, once each.
    pub subjects: Vec<Pseudonym>,
}

/// The version of the form.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Version {
    /// The first.
    #[serde(rename = "1")]
    One,
}

/// A record as it stands in the journal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SubjectRecord {
    /// The plain part.
    pub told: Told,
    sealed: Vec<u8>,
}

impl SubjectRecord {
    /// The record of some people of an exchange.
    pub(crate) fn of(
        exchange: &Exchange,
        (field, kind): (&FieldName, FieldType),
        people: &[(Pseudonym, &Identifying)],
        keys: &Keys,
    ) -> Result<Self, JournalError> {
        let told = Told {
            version: Version::One,
            decision: exchange.decision,
            query: exchange.query,
            target: exchange.target,
            at: exchange.at,
            field: field.clone(),
            kind,
            key: keys.mark,
            subjects: people.iter().map(|(pseudonym, _)| *pseudonym).collect(),
        };
        let values: Vec<_> = people.iter().map(|(_, value)| *value).collect();
        let plain = canonical(&values).map(zeroize::Zeroizing::new);
        let plain = plain.map_err(|_| JournalError::Record)?;
        let context = context(&told, &keys.party);
        let sealed = seal_once(&keys.seal_to, &context, &plain, &keys.random)?;
        Ok(Self { told, sealed })
    }

    /// The values behind the pseudonyms, in their order.
    ///
    /// # Errors
    /// When it was sealed to another key, altered, or is not a record of this party.
    pub fn open(&self, key: &OpeningKey, party: &Oin) -> Result<Vec<Identifying>, OpenError> {
        let plain = open_once(key, &context(&self.told, party), &self.sealed)?;
        let values: Vec<Identifying> =
            parse_canonical(&plain, "values").map_err(|_| OpenError::NotAuthentic)?;
        match values.len() == self.told.subjects.len() {
            true => Ok(values),
            false => Err(OpenError::NotAuthentic),
        }
    }

    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, JournalError> {
        let told = canonical(&self.told).map_err(|_| JournalError::Record)?;
        let length = u32::try_from(told.len()).map_err(|_| JournalError::Record)?;
        Ok([&length.to_le_bytes(), told.as_slice(), &self.sealed].concat())
    }

    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, RecordFault> {
        let (length, rest) = bytes.split_first_chunk().ok_or(RecordFault::Short)?;
        let length = u32::from_le_bytes(*length) as usize;
        let (told, sealed) = rest.split_at_checked(length).ok_or(RecordFault::Short)?;
        let told = parse_canonical(told, "record")?;
        Ok(Self { told, sealed: sealed.to_owned() })
    }
}

/// The plain part as text, unparsed.
pub(crate) fn text(bytes: &[u8]) -> Option<&str> {
    let (length, rest) = bytes.split_first_chunk()?;
    std::str::from_utf8(rest.get(..u32::from_le_bytes(*length) as usize)?).ok()
}

/// What the values are bound to. The order is that of the pseudonyms, which whoever opens can check.
fn context(told: &Told, party: &Oin) -> SealContext {
    SealContext {
        direction: Direction::Journal,
        query: told.query,
        target: told.target,
        sender: party.clone(),
        recipient: party.clone(),
        signed_query: None,
    }
}
