//! A copy of a remote ledger, file by file, as the service `Ledger` gives it to auditors.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use convenant_ledger::{
    LedgerVerifier, OpenError, SignedCheckpoint,
    checkpoint::CheckpointError,
    note::{NoteError, NoteName},
    tile::{Row, TileId},
};
use convenant_model::Problem;
use convenant_store::FileLedger;
use convenant_wire::{
    problem::{self, PeerProblem},
    v1::{ReadRequest, ledger_client::LedgerClient},
};
use thiserror::Error;
use tonic::{Status, transport::Channel};

/// Largest file: a bundle of 256 of the longest entries.
const MAX_FILE: usize = 17 << 20;
/// Rows of hash tiles that a tree of 2⁶⁴ leaves has.
const ROWS: u32 = 8;
/// How often a copy is begun anew because the ledger grew meanwhile.
const ATTEMPTS: usize = 5;
/// Longest that a party may take to give a file.
const PATIENCE: Duration = Duration::from_secs(30);
/// Most bytes of one ledger: who is asked could else fill the disk of who asks.
const MAX_BYTES: u64 = 64 << 30;

/// Why a ledger was not copied.
#[derive(Debug, Error)]
pub enum FetchError {
    /// The party does not give a file.
    #[error("`{path}` of ledger `{origin}` is not given out")]
    Refused {
        /// The ledger.
        origin: String,
        /// The file.
        path: String,
        /// What the party says.
        source: Box<Status>,
    },
    /// The checkpoint is not the ledger's.
    #[error("the checkpoint of ledger `{origin}` is not accepted")]
    Checkpoint {
        /// The ledger.
        origin: String,
        /// Why not.
        source: CheckpointError,
    },
    /// What was copied does not hold.
    #[error("the copy of ledger `{origin}` does not hold")]
    Copy {
        /// The ledger.
        origin: String,
        /// What is wrong with it.
        source: Box<OpenError>,
    },
    /// A file cannot be written.
    #[error("`{}` cannot be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no end to it.
    #[error("ledger `{origin}` is larger than {MAX_BYTES} bytes")]
    TooLarge {
        /// The ledger.
        origin: String,
    },
    /// The ledger kept growing under the copy.
    #[error("ledger `{origin}` grew faster than it could be copied")]
    Growing {
        /// The ledger.
        origin: String,
    },
}

/// A ledger at the other end of a connection.
#[derive(Debug)]
pub struct Remote {
    client: LedgerClient<Channel>,
    origin: NoteName,
    keys: Vec<LedgerVerifier>,
    bytes: u64,
}

impl Remote {
    /// The ledger of this name, kept by the party at the other end, and the keys that it may be signed with:
    /// more than one while these rotate.
    #[must_use]
    pub fn new(channel: Channel, origin: NoteName, keys: Vec<LedgerVerifier>) -> Self {
        let client = LedgerClient::new(channel).max_decoding_message_size(MAX_FILE);
        Self { client, origin, keys, bytes: 0 }
    }

    /// Copies the notes of witnesses into a folder. `names` are those of ledgers whose parties may be its
    /// witnesses, or it theirs. The notes of all parties come before any ledger: a ledger that grows
    /// afterwards leads from what was cosigned, and not vice versa.
    ///
    /// # Errors
    /// When the party does not give a file.
    pub async fn notes(&mut self, folder: &Path, names: &[NoteName]) -> Result<(), FetchError> {
        for name in names {
            for kind in ["witnessing", "witnessed"] {
                let path = format!("{kind}/{}", name.as_str().replace('/', "_"));
                if let Some(note) = self.read(&path).await? {
                    write(&folder.join(path), &note)?;
                }
            }
        }
        Ok(())
    }

    /// Copies the ledger into a folder and verifies the copy: entries, tiles and checkpoint. `progress` is
    /// told how many entries were copied, of how many.
    ///
    /// # Errors
    /// When the party does not give a file, or the copy does not hold.
    pub async fn copy(
        &mut self,
        folder: &Path,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<SignedCheckpoint, FetchError> {
        for _ in 0..ATTEMPTS {
            if let Some(signed) = self.attempt(folder, progress).await? {
                return Ok(signed);
            }
        }
        Err(FetchError::Growing { origin: self.origin() })
    }

    /// The documents of a register, the first `size`.
    ///
    /// # Errors
    /// When the party does not give one.
    pub async fn documents(&mut self, folder: &Path, size: u64) -> Result<(), FetchError> {
        for index in 0..size {
            let path = format!("documents/{index:08}.jws");
            let document = self.required(&path).await?;
            write(&folder.join(path), &document)?;
        }
        Ok(())
    }

    /// Copies everything under the present checkpoint; `None` where a partial tile is gone because the
    /// ledger grew.
    async fn attempt(
        &mut self,
        folder: &Path,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Option<SignedCheckpoint>, FetchError> {
        let note = self.required("checkpoint").await?;
        let (signed, verifier) = self.signed(&note)?;
        let size = signed.checkpoint().size;
        // The party puts on record from which entry on it is read: from the first.
        let first = TileId::within(Row::Entries, 0, size).filter(TileId::is_full);
        for id in first.iter().filter(|id| !folder.join(id.path()).exists()) {
            write(&folder.join(id.path()), &self.required(&id.path()).await?)?;
        }
        // Partial tiles next: they are the ones that go.
        for id in TileId::partials(size).into_iter().filter(|id| !id.is_full()) {
            match self.read(&id.path()).await? {
                Some(tile) => write(&folder.join(id.path()), &tile)?,
                None => return Ok(None),
            }
        }
        for row in [Row::Entries].into_iter().chain((0..ROWS).map(Row::Hashes)) {
            let full = (0..).map_while(|index| TileId::within(row, index, size));
            for id in full.take_while(TileId::is_full) {
                let path = folder.join(id.path());
                // A full tile never changes: an earlier attempt may have brought it.
                if !path.exists() {
                    write(&path, &self.required(&id.path()).await?)?;
                }
                if row == Row::Entries {
                    progress((id.index() + 1) * id.width(), size);
                }
            }
        }
        progress(size, size);
        write(&folder.join("checkpoint"), &note)?;
        let copy = FileLedger::open_read(folder).map_err(OpenError::Io);
        let verified = copy.and_then(|copy| copy.verify(&verifier, &mut |_| {}));
        verified.map_err(|source| FetchError::Copy {
            origin: self.origin(),
            source: Box::new(source),
        })?;
        Ok(Some(signed))
    }

    /// The checkpoint, and the key that signed it.
    fn signed(&self, note: &[u8]) -> Result<(SignedCheckpoint, LedgerVerifier), FetchError> {
        let mut fault = CheckpointError::Note(NoteError::Unsigned);
        for key in &self.keys {
            match SignedCheckpoint::parse(note, key) {
                Ok(signed) => return Ok((signed, key.clone())),
                Err(error) => fault = error,
            }
        }
        Err(FetchError::Checkpoint { origin: self.origin(), source: fault })
    }

    async fn required(&mut self, path: &str) -> Result<Vec<u8>, FetchError> {
        let missing = || Status::not_found("the ledger needs this file, and it is not there");
        let read = self.read(path).await?;
        read.ok_or_else(|| self.refused(path, missing()))
    }

    async fn read(&mut self, path: &str) -> Result<Option<Vec<u8>>, FetchError> {
        let asked = ReadRequest { origin: self.origin(), path: path.to_owned() };
        let late = |_| Err(Status::deadline_exceeded("the file did not come in time"));
        let read = tokio::time::timeout(PATIENCE, self.client.read(asked)).await;
        match read.unwrap_or_else(late) {
            Ok(read) => {
                let content: Vec<u8> = read.into_inner().content.into();
                self.bytes = self.bytes.saturating_add(content.len() as u64);
                if self.bytes > MAX_BYTES {
                    return Err(FetchError::TooLarge { origin: self.origin() });
                }
                Ok(Some(content))
            }
            Err(status) if problem::read(&status) == PeerProblem::Problem(Problem::NotFound) => {
                Ok(None)
            }
            Err(status) => Err(self.refused(path, status)),
        }
    }

    fn refused(&self, path: &str, status: Status) -> FetchError {
        let (origin, path) = (self.origin(), path.to_owned());
        FetchError::Refused { origin, path, source: Box::new(status) }
    }

    fn origin(&self) -> String {
        self.origin.as_str().to_owned()
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), FetchError> {
    let write = || -> io::Result<()> {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, bytes)
    };
    write().map_err(|source| FetchError::Write { path: path.to_owned(), source })
}
