//! What an answer says of whom it is about, while it is made.

use std::{
    collections::{BTreeMap, HashSet},
    path::Path,
};

use convenant_model::{
    Digest, FieldName, Oin, QueryId, Timestamp, keys::SealingKey, subjects::Identifying,
    value::FieldType,
};
use convenant_signing::{PseudonymKey, SystemRandom};

use crate::{Journal, JournalError, Pseudonym, SubjectRecord, pseudonym::plain};

/// Most people of one record, so that it stays below the longest entry of a segment.
const PER_RECORD: usize = 512;

/// A node's journal with the keys for it.
#[derive(Debug)]
pub struct Subjects {
    journal: Journal,
    keys: Keys,
}

#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) party: Oin,
    pseudonym: PseudonymKey,
    pub(crate) mark: Digest,
    pub(crate) seal_to: SealingKey,
    pub(crate) random: SystemRandom,
}

/// The exchange that people are of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Exchange {
    /// Index of the decision in the node's ledger.
    pub decision: u64,
    /// The query.
    pub query: QueryId,
    /// Index of the target within the query.
    pub target: u32,
    /// When the decision was made.
    pub at: Timestamp,
}

impl Subjects {
    /// Opens the journal in a folder, for records under these keys; gives with it the number of bytes of an
    /// incomplete last record that were cut off. Blocks.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn open(
        folder: &Path,
        party: Oin,
        (pseudonym, seal_to): (PseudonymKey, SealingKey),
    ) -> Result<(Self, u64), JournalError> {
        let (journal, torn_bytes) = Journal::open(folder)?;
        let (mark, random) = (pseudonym.mark(), SystemRandom::new());
        let keys = Keys { party, pseudonym, mark, seal_to, random };
        Ok((Self { journal, keys }, torn_bytes))
    }

    /// The journal.
    #[must_use]
    pub const fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Begins the account of an answer.
    #[must_use]
    pub fn account(&self, exchange: Exchange) -> Account<'_> {
        Account { subjects: self, exchange, asked: HashSet::new() }
    }
}

/// Whose data an answer gives.
#[derive(Debug)]
pub struct Account<'a> {
    subjects: &'a Subjects,
    exchange: Exchange,
    /// Who was asked about, and is on record already.
    asked: HashSet<Pseudonym>,
}

impl Account<'_> {
    /// Puts on record who is asked about; returns once that is on disk. Only then may they be looked for.
    ///
    /// # Errors
    /// When it is not on record: then there must be no answer.
    pub async fn ask<'v>(
        &mut self,
        field: (&FieldName, FieldType),
        values: impl Iterator<Item = &'v Identifying>,
    ) -> Result<(), JournalError> {
        let people = self.record(field, values).await?;
        self.asked.extend(people);
        Ok(())
    }

    /// Puts on record whom rows are about; returns once that is on disk. Only then may the rows leave.
    ///
    /// # Errors
    /// When it is not on record: then the rows must not leave.
    pub async fn about<'v>(
        &self,
        field: (&FieldName, FieldType),
        values: impl Iterator<Item = &'v Identifying>,
    ) -> Result<(), JournalError> {
        self.record(field, values).await.map(drop)
    }

    async fn record<'v>(
        &self,
        field: (&FieldName, FieldType),
        values: impl Iterator<Item = &'v Identifying>,
    ) -> Result<Vec<Pseudonym>, JournalError> {
        let keys = &self.subjects.keys;
        let of = |value: &Identifying| Pseudonym::of(&keys.pseudonym, field.1, value);
        let people: BTreeMap<_, _> = values.map(|value| (of(value), value)).collect();
        let people: Vec<_> =
            people.into_iter().filter(|(person, _)| !self.asked.contains(person)).collect();
        tell_of_no_bsn(field, &people);
        let record =
            |chunk: &[_]| SubjectRecord::of(&self.exchange, field, chunk, &self.subjects.keys);
        let records: Vec<_> = people.chunks(PER_RECORD).map(record).collect::<Result<_, _>>()?;
        self.subjects.journal.append(&records).await?;
        Ok(people.into_iter().map(|(person, _)| person).collect())
    }
}

/// What is no BSN is on record as it stands, and a report on anybody does not find it.
fn tell_of_no_bsn((field, kind): (&FieldName, FieldType), people: &[(Pseudonym, &Identifying)]) {
    let is_none = |value: &Identifying| kind == FieldType::Bsn && plain(kind, value).is_none();
    let count = people.iter().filter(|(_, value)| is_none(value)).count();
    if count > 0 {
        tracing::warn!(%field, count, "values are no BSN, so that nobody is found by them");
    }
}
