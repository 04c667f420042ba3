//! A copy of a remote ledger, file by file, as the service `Ledger` gives it to auditors.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use convenant_ledger::{
    LedgerVerifier, OpenError, SignedCheckpoint,
    checkpoint::CheckpointError,
    note::NoteName,
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
    /// The ledger kept growing under the copy.
    #[error("ledger `{origin}` grew faster than it could be copied")]
    Growing {
        /// The ledger.
        origin: String,
    },
}

/// A ledger at the other end of a connection.
#[derive(Debug)]
pub struct Remote<'v> {
    client: LedgerClient<Channel>,
    verifier: &'v LedgerVerifier,
}

impl<'v> Remote<'v> {
    /// The ledger of this name and key, kept by the party at the other end.
    #[must_use]
    pub fn new(channel: Channel, verifier: &'v LedgerVerifier) -> Self {
        let client = LedgerClient::new(channel).max_decoding_message_size(MAX_FILE);
        Self { client, verifier }
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
        let signed = SignedCheckpoint::parse(&note, self.verifier);
        let signed =
            signed.map_err(|source| FetchError::Checkpoint { origin: self.origin(), source })?;
        let size = signed.checkpoint().size;
        for row in [Row::Entries].into_iter().chain((0..ROWS).map(Row::Hashes)) {
            for id in (0..).map_while(|index| TileId::within(row, index, size)) {
                let path = id.path();
                match self.read(&path).await? {
                    Some(tile) => write(&folder.join(&path), &tile)?,
                    None if id.is_full() => drop(self.required(&path).await?),
                    None => return Ok(None),
                }
                if row == Row::Entries {
                    progress((id.index() + 1).saturating_mul(id.width()).min(size), size);
                }
            }
        }
        write(&folder.join("checkpoint"), &note)?;
        let copy = FileLedger::open_read(folder).map_err(OpenError::Io);
        let verified = copy.and_then(|copy| copy.verify(self.verifier, &mut |_| {}));
        verified.map_err(|source| FetchError::Copy {
            origin: self.origin(),
            source: Box::new(source),
        })?;
        Ok(Some(signed))
    }

    async fn required(&mut self, path: &str) -> Result<Vec<u8>, FetchError> {
        let missing = || Status::not_found("the ledger needs this file, and it is not there");
        let read = self.read(path).await?;
        read.ok_or_else(|| self.refused(path, missing()))
    }

    async fn read(&mut self, path: &str) -> Result<Option<Vec<u8>>, FetchError> {
        let asked = ReadRequest { origin: self.origin(), path: path.to_owned() };
        match self.client.read(asked).await {
            Ok(read) => Ok(Some(read.into_inner().content.into())),
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
        self.verifier.origin().as_str().to_owned()
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), FetchError> {
    let write = || -> io::Result<()> {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, bytes)
    };
    write().map_err(|source| FetchError::Write { path: path.to_owned(), source })
}
