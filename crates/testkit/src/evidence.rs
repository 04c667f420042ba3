//! Reading what the parties recorded, and looking for what may not be in it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use convenant_ledger::{EntryBytes, LedgerVerifier, note::NoteName};
use convenant_model::{entry::Entry, keys::VerifyingKey};
use convenant_store::FileLedger;

use crate::{Fallible, Fault};

/// The entries of a ledger, after its checkpoint was verified under the party's key.
///
/// # Errors
/// When the ledger does not hold, or an entry is malformed.
pub fn entries(folder: &Path, origin: &str, key: &VerifyingKey) -> Fallible<Vec<Entry>> {
    let ledger = FileLedger::open_read(folder)?;
    let verifier = LedgerVerifier::new(NoteName::new(origin)?, key.clone())?;
    let mut entries = Vec::new();
    ledger.verify(&verifier, &mut |found| entries.push(EntryBytes::parse(found.entry)))?;
    entries.into_iter().map(|entry| entry.map_err(Fault::from)).collect()
}

/// Every file under a folder.
///
/// # Errors
/// When a folder cannot be read.
pub fn files_under(folder: &Path) -> Fallible<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files_under(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

/// Texts that may stand nowhere, found in one pass over the bytes.
#[derive(Debug)]
pub struct Forbidden {
    texts: std::collections::HashSet<Vec<u8>>,
    lengths: std::collections::BTreeSet<usize>,
}

impl Forbidden {
    /// These texts, and their bytes in base64 are not looked for: decode what is encoded first.
    pub fn new(texts: impl IntoIterator<Item = String>) -> Self {
        let texts: std::collections::HashSet<Vec<u8>> =
            texts.into_iter().map(String::into_bytes).collect();
        let lengths = texts.iter().map(Vec::len).collect();
        Self { texts, lengths }
    }

    /// Whether one of the texts stands in the bytes, not inside a longer number.
    #[must_use]
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        self.lengths.iter().any(|length| {
            bytes.windows(*length).enumerate().any(|(at, window)| {
                let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
                let inside = digit(at.checked_sub(1).and_then(|before| bytes.get(before)))
                    || digit(bytes.get(at + length));
                !inside && self.texts.contains(window)
            })
        })
    }
}
