//! Finding a person's exchanges: the journal itself is the index, read from the beginning to the end. Only the
//! records that name the pseudonym are parsed.

use std::{collections::BTreeMap, path::Path};

use convenant_model::{QueryId, Timestamp, subjects::Identifying, value::FieldType};
use convenant_signing::PseudonymKey;
use convenant_store::{EntriesError, FileLedger};

use crate::{
    Pseudonym, SubjectRecord,
    error::{ReadError, RecordFault},
    record,
};

/// Times that a journal is read again that seemed damaged: whoever reads beside the writer may see a record
/// half written.
const ATTEMPTS: usize = 3;

/// What a journal tells of a person.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Found {
    /// The exchanges, by the index of their decision in the node's ledger.
    pub exchanges: BTreeMap<u64, Named>,
    /// The instant of the oldest record of anybody.
    pub since: Option<Timestamp>,
    /// Records under another pseudonym key, which nothing is known of.
    pub others: u64,
}

/// An exchange as the journal names it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Named {
    /// The query.
    pub query: QueryId,
    /// Index of the target.
    pub target: u32,
}

/// Looks a person up in the journal of a folder, also while the node writes it.
///
/// # Errors
/// When the journal cannot be read.
pub fn find(folder: &Path, key: &PseudonymKey, person: &Identifying) -> Result<Found, ReadError> {
    settled(
        || read(folder, key, person),
        |error| matches!(error, ReadError::Journal(error) if error.is_passing()),
    )
}

/// Tries again what failed in a way that a writer beside it can cause.
pub(crate) fn settled<T, E>(
    mut read: impl FnMut() -> Result<T, E>,
    passing: impl Fn(&E) -> bool,
) -> Result<T, E> {
    let mut result = read();
    for _ in 1..ATTEMPTS {
        match result {
            Err(error) if passing(&error) => result = read(),
            other => return other,
        }
    }
    result
}

fn read(folder: &Path, key: &PseudonymKey, person: &Identifying) -> Result<Found, ReadError> {
    let wanted = Pseudonym::of(key, FieldType::Bsn, person).to_string();
    let mark = key.mark().to_string();
    let ledger = FileLedger::open_read(folder).map_err(EntriesError::from)?;
    let mut found = Found::default();
    for item in ledger.entries()? {
        let (index, bytes) = item?;
        let broken = |source| ReadError::Record { index, source };
        let text = record::text(&bytes).ok_or(RecordFault::Short).map_err(broken)?;
        let is_first = found.since.is_none();
        let names = text.contains(&wanted);
        found.others += u64::from(!text.contains(&mark));
        if is_first || names {
            let told = SubjectRecord::parse(&bytes).map_err(broken)?.told;
            found.since.get_or_insert(told.at);
            if names {
                let named = Named { query: told.query, target: told.target };
                found.exchanges.insert(told.decision, named);
            }
        }
    }
    Ok(found)
}
