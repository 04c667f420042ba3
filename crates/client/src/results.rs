//! The answers that a client keeps, and the duty to destroy each by its day (clause L6).
//!
//! ```text
//! results/lock                  held by whoever changes something
//! results/QUERY.TARGET.json     the account of an answer, the wrapped key, where it is; later the tombstone
//! results/QUERY.TARGET.sealed   the rows, under a key of their own
//! ```
//!
//! An account is written before the rows get their name, so a crash leaves an account without rows (which is
//! to be destroyed all the same, because its partner counts it) and never rows without an account. A receipt
//! without an account is what a crash between the two leaves, or an older version: it is listed as untracked.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use convenant_model::{Oin, QueryId, Timestamp, entry::SignedOutcome};
use convenant_setup::opening_key;
use convenant_signing::{OpeningKey, canonical, parse_canonical};

use crate::{
    compose::Composed,
    config::ClientConfig,
    output::{Ended, Keep, OutputError, Sink},
};

mod answer;
mod destroy;
pub(crate) mod disk;
mod error;
mod open;
mod receipts;
mod record;
pub(crate) mod sealed;

pub(crate) use self::answer::{Extent, signed_of};
pub use self::{
    answer::{Answer, Note, Place, PlainFile, Tombstone, Way, WrappedKey},
    destroy::{DestroyError, Statement},
    error::ResultsError,
    record::{RecordError, record},
    sealed::SealedFault,
};

/// The answers of one client.
#[derive(Clone, Debug)]
pub struct Results {
    folder: PathBuf,
    receipts: PathBuf,
    party: Oin,
    key: Option<PathBuf>,
}

/// Shows that nobody else changes the results meanwhile.
#[derive(Debug)]
pub struct ResultsLock {
    // Locked until it is closed.
    _held: File,
}

impl Results {
    /// The results of the client that is configured so.
    #[must_use]
    pub fn of(config: &ClientConfig) -> Self {
        Self {
            folder: config.data.dir.join("results"),
            receipts: config.data.dir.join("receipts"),
            party: config.party.oin.clone(),
            key: config.keys.sealing.clone(),
        }
    }

    /// Takes the results for oneself, until the lock is dropped.
    ///
    /// # Errors
    /// When another command has them.
    pub fn lock(&self) -> Result<ResultsLock, ResultsError> {
        disk::folder(&self.folder).map_err(self.io_error())?;
        let lock = disk::begin(&self.folder.join("lock")).map_err(self.io_error())?;
        match lock.try_lock() {
            Ok(()) => Ok(ResultsLock { _held: lock }),
            Err(TryLockError::WouldBlock) => Err(ResultsError::Locked(self.folder.clone())),
            Err(TryLockError::Error(source)) => Err(self.io_error()(source)),
        }
    }

    /// Every answer, also those of which there is a receipt only.
    ///
    /// # Errors
    /// When an account or the ledger of receipts cannot be read.
    pub fn list(&self) -> Result<Vec<Note>, ResultsError> {
        let mut notes = self.noted()?;
        receipts::merge(self, &mut notes)?;
        notes.sort_by_key(|note| (note.answer.asked_at, note.answer.query, note.answer.target));
        Ok(notes)
    }

    fn noted(&self) -> Result<Vec<Note>, ResultsError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(self.io_error()(source)),
        };
        let mut notes = Vec::new();
        for entry in entries {
            let path = entry.map_err(self.io_error())?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                notes.push(self.read(&path)?);
            }
        }
        Ok(notes)
    }

    fn read(&self, path: &Path) -> Result<Note, ResultsError> {
        let bytes =
            fs::read(path).map_err(|source| ResultsError::Io { path: path.to_owned(), source })?;
        let name = path.display().to_string();
        let note: Note = parse_canonical(&bytes, &name).map_err(|source| {
            ResultsError::Account { path: path.to_owned(), source: Box::new(source) }
        })?;
        if self.account_of(&note.answer) == path {
            Ok(note)
        } else {
            Err(ResultsError::Misnamed(path.to_owned()))
        }
    }

    /// Writes an account; it is on disk once this returns.
    fn write(&self, note: &Note) -> Result<(), ResultsError> {
        let path = self.account_of(&note.answer);
        let bytes = canonical(note).map_err(|source| ResultsError::Account {
            path: path.clone(),
            source: Box::new(source),
        })?;
        disk::replace(&path, &bytes).map_err(|source| ResultsError::Io { path, source })
    }

    pub(crate) fn account_of(&self, answer: &Answer) -> PathBuf {
        self.folder.join(format!("{}.{}.json", answer.query, answer.target))
    }

    fn sealed_of(&self, query: QueryId, target: u32) -> PathBuf {
        self.folder.join(format!("{query}.{target}.sealed"))
    }

    fn opening_key(&self) -> Result<OpeningKey, ResultsError> {
        Ok(opening_key(self.key.as_deref().ok_or(ResultsError::NoKey)?)?)
    }

    fn io_error(&self) -> impl Fn(io::Error) -> ResultsError + '_ {
        |source| ResultsError::Io { path: self.folder.clone(), source }
    }
}

/// What a client does while it asks.
impl Results {
    /// Where the answer to one target goes.
    pub(crate) fn sink(
        &self,
        composed: &Composed,
        (target, partner): (u32, &Oin),
        keep: Keep,
    ) -> Result<Sink, ResultsError> {
        match keep {
            Keep::File(path) if path.to_str().is_none() => Err(OutputError::Name(path).into()),
            Keep::File(path) => Ok(Sink { path, sealed: None }),
            Keep::Sealed => {
                let key = self.opening_key()?.sealing_key().clone();
                let path = self.sealed_of(composed.query.id, target);
                let context = answer::context(
                    (composed.query.id, target),
                    (partner, &self.party),
                    composed.hash,
                );
                Ok(Sink { path, sealed: Some((key, context)) })
            }
        }
    }

    /// Notes an answer whose rows are on disk, under no name yet. A number in a file of the user's own is
    /// nobody's concern.
    pub(crate) fn note(
        &self,
        answer: Answer,
        ended: &Ended,
        vouchers: Option<&Ended>,
    ) -> Result<(), ResultsError> {
        let sealed = ended.key();
        if sealed.is_none() && answer.deadline.is_none() {
            return Ok(());
        }
        let rows = Some(ended).filter(|_| sealed.is_none());
        let files = rows.into_iter().chain(vouchers).map(Ended::plain);
        let files = files.collect::<Result<_, _>>()?;
        self.write(&Note { answer, place: Place::Kept { sealed, files } })
    }

    /// Notes an answer that its partner counts, and of which nothing was kept here.
    pub(crate) fn note_nothing(
        &self,
        composed: &Composed,
        outcome: &SignedOutcome,
        at: Timestamp,
    ) -> Result<(), ResultsError> {
        let answer = Answer::new(&composed.query, outcome, Extent::default(), at);
        match answer.filter(|answer| answer.deadline.is_some()) {
            Some(answer) => {
                self.write(&Note { answer, place: Place::Kept { sealed: None, files: Vec::new() } })
            }
            None => Ok(()),
        }
    }

    /// Removes what a crash left of sealed files without an account: nobody can open them.
    pub(crate) fn sweep(&self, _lock: &ResultsLock) -> Result<(), ResultsError> {
        for entry in fs::read_dir(&self.folder).map_err(self.io_error())? {
            let path = entry.map_err(self.io_error())?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let stem = name.strip_suffix(".sealed.part");
            let known = |stem| self.folder.join(format!("{stem}.json")).exists();
            if name.ends_with(".json.part") || stem.is_some_and(|stem| !known(stem)) {
                disk::remove(&path).map_err(self.io_error())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
