//! Another pseudonym key: every record is written again, with the pseudonyms that follow from its sealed values
//! and the new key. Records keep their positions.

use std::{fs, io, path::Path};

use convenant_ledger::{AppendError, ReadStore as _, Store as _, frame};
use convenant_model::{Oin, subjects::Identifying};
use convenant_signing::{OpenError, OpeningKey, PseudonymKey};
use convenant_store::FileStore;
use thiserror::Error;

use crate::{
    JournalError, Pseudonym, ReadError, SubjectRecord,
    journal::{LAYOUT, made, open_store, records_from},
};

/// Bytes of one durable write.
const GROUP_BYTES: usize = 1024 * 1024;

/// Why a journal is not under the new key. The old one is there still.
#[derive(Debug, Error)]
pub enum RekeyError {
    /// The journal does not open.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A record cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// None of the keys opens a record.
    #[error("record {index} of the journal of subjects opens with none of the keys given")]
    Sealed {
        /// Its index.
        index: u64,
        /// What the last of them said.
        source: OpenError,
    },
    /// The new journal cannot be written.
    #[error("the journal of subjects cannot be written anew")]
    Write(#[source] io::Error),
}

/// Writes the journal in a folder anew under a key, while no node writes it. `opening` are the private halves
/// of the keys to which it was sealed. Gives the number of records that changed.
///
/// # Errors
/// When that cannot be done; the journal is then as it was.
pub fn rekey(
    folder: &Path,
    party: &Oin,
    opening: &[OpeningKey],
    key: &PseudonymKey,
) -> Result<u64, RekeyError> {
    // Held until the old journal is gone. No leftover of an earlier run is there once it is ours.
    let (old, tail) = open_store(folder)?;
    if tail.end.index == 0 {
        return Ok(0);
    }
    let fresh = folder.with_added_extension("new");
    let changed = write(&fresh, folder, (party, opening, key))?;
    // A crash from here on leaves the old journal under the name `.old`; whoever opens the journal next goes on
    // with whichever is whole, and removes the other.
    replace(folder, &fresh).map_err(RekeyError::Write)?;
    drop(old);
    Ok(changed)
}

fn write(
    fresh: &Path,
    folder: &Path,
    (party, opening, key): (&Oin, &[OpeningKey], &PseudonymKey),
) -> Result<u64, RekeyError> {
    made(fresh).map_err(RekeyError::Write)?;
    let mut store = FileStore::open(fresh, LAYOUT).map_err(RekeyError::Write)?;
    let tail = store.replay(&mut |_| {}).map_err(RekeyError::Write)?;
    store.settle(&tail, None).map_err(RekeyError::Write)?;
    let (mut changed, mut first, mut frames) = (0, 0, Vec::new());
    let mut next = 0;
    for item in records_from(folder, 0)? {
        let (mut record, _) = item?;
        if record.told.key != key.mark() {
            rename(&mut record, (party, opening, key))
                .map_err(|source| RekeyError::Sealed { index: next, source })?;
            changed += 1;
        }
        frame::encode(&mut frames, next, first, &record.to_bytes()?);
        next += 1;
        if frames.len() >= GROUP_BYTES {
            append(&mut store, first, &frames)?;
            frames.clear();
            first = next;
        }
    }
    if !frames.is_empty() {
        append(&mut store, first, &frames)?;
    }
    Ok(changed)
}

fn append(store: &mut FileStore, first: u64, frames: &[u8]) -> Result<(), RekeyError> {
    store.append(first, frames).map_err(|error| match error {
        AppendError::Full(error) | AppendError::Refused(error) | AppendError::Unknown(error) => {
            RekeyError::Write(error)
        }
    })
}

fn rename(
    record: &mut SubjectRecord,
    (party, opening, key): (&Oin, &[OpeningKey], &PseudonymKey),
) -> Result<(), OpenError> {
    let mut opened = Err(OpenError::NotAuthentic);
    for opening in opening {
        opened = record.open(opening, party);
        if opened.is_ok() {
            break;
        }
    }
    let kind = record.told.kind;
    let of = |value: &Identifying| Pseudonym::of(key, kind, value);
    record.told.subjects = opened?.iter().map(of).collect();
    record.told.key = key.mark();
    Ok(())
}

fn replace(folder: &Path, fresh: &Path) -> io::Result<()> {
    let old = folder.with_added_extension("old");
    fs::rename(folder, &old)?;
    fs::rename(fresh, folder)?;
    sync_names(folder)?;
    remove(&old)
}

fn sync_names(folder: &Path) -> io::Result<()> {
    folder.parent().map_or(Ok(()), |parent| fs::File::open(parent)?.sync_all())
}

/// Puts back the old journal where a crash came between its name and that of the new one.
pub(crate) fn mend(folder: &Path) -> io::Result<()> {
    let old = folder.with_added_extension("old");
    if old.exists() && !folder.exists() {
        fs::rename(&old, folder)?;
    }
    Ok(())
}

/// Removes what a crash left of another journal, once this one is locked and known to have so many records.
pub(crate) fn tidy(folder: &Path, records: u64) -> io::Result<()> {
    let [old, fresh] = ["old", "new"].map(|name| folder.with_added_extension(name));
    if records == 0 && old.exists() {
        // A journal without records is never written anew, so we made this folder, between the two renames of a
        // process that is still at it: `.old` is the journal.
        remove(folder)?;
        return Err(io::ErrorKind::WouldBlock.into());
    }
    if old.exists() {
        sync_names(folder)?;
        remove(&old)?;
    }
    remove(&fresh)
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
