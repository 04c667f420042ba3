//! What the rest of a party sees of its ledger.

use std::{
    fmt,
    ops::Range,
    path::PathBuf,
    sync::{Arc, mpsc},
};

use convenant_ledger::{
    Draft, EntryBytes, Found, Ledger, LedgerSigner, LedgerVerifier, Position, Recorded, Recovery,
    SignedCheckpoint,
};
use convenant_model::{
    Clock, Digest,
    entry::{Entry, Recordable},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::{
    error::{AskError, LedgerOpenError, RecordError},
    file_store::FileStore,
    segment::Layout,
    writer::{Command, Shared, Writer},
};

/// Entries that may wait for their durable write with a caller waiting for each; more callers wait
/// for a place.
const WAITED_FOR: usize = 4096;
/// Entries that may wait with nobody waiting.
const QUEUED: usize = 65_536;

/// How to open a ledger.
pub struct Options {
    /// The ledger's folder.
    pub folder: PathBuf,
    /// Signs its checkpoints.
    pub signer: LedgerSigner,
    /// Tells the time of checkpoints.
    pub clock: Arc<dyn Clock>,
    /// Sizes of its segments.
    pub layout: Layout,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Options({})", self.folder.display())
    }
}

/// A ledger with its own writer thread, which groups what many callers record into few durable
/// writes. Clones share the ledger; it closes when the last is dropped.
#[derive(Clone)]
pub struct LedgerHandle {
    commands: mpsc::Sender<Command>,
    shared: Arc<Shared>,
    waited_for: Arc<Semaphore>,
    queued: Arc<Semaphore>,
}

impl fmt::Debug for LedgerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LedgerHandle({} entries)", self.size())
    }
}

impl LedgerHandle {
    /// Opens a ledger, reads all of it back and shows each entry to `visit`. Blocks until that is done.
    ///
    /// # Errors
    /// When the ledger is in use, does not hold, or cannot be written.
    pub fn open(
        options: Options,
        visit: &mut dyn FnMut(&Found<'_>),
    ) -> Result<(Self, Recovery), LedgerOpenError> {
        let Options { folder, signer, clock, layout } = options;
        let name = folder.display().to_string();
        let fault = |source: std::io::Error| match source.kind() {
            std::io::ErrorKind::WouldBlock => LedgerOpenError::InUse { folder: name.clone() },
            _ => LedgerOpenError::Folder { folder: name.clone(), source },
        };
        let store = FileStore::open(folder, layout).map_err(fault)?;
        let (ledger, recovery) = Ledger::open(store, signer, clock.now(), visit)
            .map_err(|source| LedgerOpenError::Ledger { folder: name.clone(), source })?;
        let shared = Arc::new(Shared::new(ledger.size()));
        let (commands, receiver) = mpsc::channel();
        let writer = Writer::new(ledger, clock, receiver, Arc::clone(&shared));
        std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || writer.run())
            .map_err(fault)?;
        let waited_for = Arc::new(Semaphore::new(WAITED_FOR));
        let queued = Arc::new(Semaphore::new(QUEUED));
        Ok((Self { commands, shared, waited_for, queued }, recovery))
    }

    /// Puts a value on record; returns once its entry is on disk.
    ///
    /// # Errors
    /// When it is not on record, or that is in doubt.
    pub async fn record<T: Recordable + Send>(&self, item: T) -> Result<Recorded<T>, RecordError> {
        let (draft, entry) = Draft::new(item)?;
        Ok(draft.recorded(&self.record_entry(entry).await?)?)
    }

    /// Puts the bytes of an entry on record; returns once they are on disk.
    ///
    /// # Errors
    /// When they are not on record, or that is in doubt.
    pub async fn record_entry(&self, entry: EntryBytes) -> Result<Position, RecordError> {
        let place = Arc::clone(&self.waited_for).acquire_owned().await;
        let place = place.map_err(|_| RecordError::Closed)?;
        let (reply, answer) = oneshot::channel();
        self.send(entry, Some(reply), place)?;
        answer.await.map_err(|_| RecordError::Closed)?
    }

    /// Queues an entry behind everything recorded or queued before it. Nobody waits for it, so it is written with the
    /// next that somebody waits for, or some milliseconds later; a failure to write it is logged.
    ///
    /// # Errors
    /// When it cannot be queued, or nothing can be written any more.
    pub fn append_later(&self, entry: &Entry) -> Result<(), RecordError> {
        if self.shared.is_poisoned() {
            return Err(RecordError::Poisoned);
        }
        let entry = EntryBytes::of(entry)?;
        let place = Arc::clone(&self.queued).try_acquire_owned().map_err(|_| RecordError::Busy)?;
        self.send(entry, None, place)
    }

    fn send(
        &self,
        entry: EntryBytes,
        reply: Option<oneshot::Sender<Result<Position, RecordError>>>,
        place: OwnedSemaphorePermit,
    ) -> Result<(), RecordError> {
        let command = Command::Append { entry, reply, place };
        self.commands.send(command).map_err(|_| RecordError::Closed)
    }

    /// Number of entries on record.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.shared.size()
    }

    /// Whether a write ended in doubt, so that nothing is recorded until a restart.
    #[must_use]
    pub fn is_poisoned(&self) -> bool {
        self.shared.is_poisoned()
    }

    /// Waits until a write ends in doubt, if ever. Whoever owns the ledger then ends and opens it anew: only
    /// that tells what is on disk.
    pub async fn in_doubt(&self) {
        self.shared.poisoned().await;
    }

    /// Waits until everything queued before was written or failed, and is published.
    ///
    /// # Errors
    /// When the ledger was closed, or tiles or checkpoint cannot be published.
    pub async fn flush(&self) -> Result<(), AskError> {
        Ok(self.ask(|ledger, clock| ledger.publish(clock.now())).await??)
    }

    /// A checkpoint over everything recorded; where it carries the time, that of now.
    ///
    /// # Errors
    /// When the ledger was closed, or the checkpoint cannot be signed or published.
    pub async fn checkpoint(&self) -> Result<SignedCheckpoint, AskError> {
        Ok(self.ask(|ledger, clock| ledger.fresh_checkpoint(clock.now())).await??)
    }

    /// Signs with another key from now on, and the present checkpoint anew.
    ///
    /// # Errors
    /// When the ledger was closed, or the checkpoint cannot be signed or published.
    pub async fn sign_with(&self, signer: LedgerSigner) -> Result<(), AskError> {
        Ok(self.ask(|ledger, clock| ledger.sign_with(signer, clock.now())).await??)
    }

    /// The name of this ledger with the key that it is signed with now.
    ///
    /// # Errors
    /// When the ledger was closed.
    pub async fn verifier(&self) -> Result<LedgerVerifier, AskError> {
        self.ask(|ledger, _| ledger.verifier().clone()).await
    }

    /// A checkpoint of another party's ledger, cosigned in the name of this one and with its key.
    ///
    /// # Errors
    /// When the ledger was closed, or the key cannot sign.
    pub async fn cosign(&self, signed: SignedCheckpoint) -> Result<SignedCheckpoint, AskError> {
        Ok(self.ask(|ledger, clock| ledger.cosign(signed, clock.now())).await??)
    }

    /// The entries of a range, as far as they exist. All of them are in memory at once: ask for
    /// ranges of a few hundred.
    ///
    /// # Errors
    /// When the ledger was closed, or an entry cannot be read.
    pub async fn read(&self, range: Range<u64>) -> Result<Vec<Vec<u8>>, AskError> {
        Ok(self.ask(move |ledger, _| ledger.entries(range)).await??)
    }

    /// Proof that entry `index` is among the first `size` (RFC 9162 §2.1.3).
    ///
    /// # Errors
    /// When the ledger was closed, has fewer entries, or a tile cannot be read.
    pub async fn inclusion_proof(&self, index: u64, size: u64) -> Result<Vec<Digest>, AskError> {
        Ok(self.ask(move |ledger, _| ledger.inclusion_proof(index, size)).await??)
    }

    /// Proof that the first `first` entries are the beginning of the first `second` (RFC 9162 §2.1.4).
    ///
    /// # Errors
    /// When the ledger was closed, has fewer entries, or a tile cannot be read.
    pub async fn consistency_proof(
        &self,
        first: u64,
        second: u64,
    ) -> Result<Vec<Digest>, AskError> {
        Ok(self.ask(move |ledger, _| ledger.consistency_proof(first, second)).await??)
    }

    /// Root of the first `size` entries.
    ///
    /// # Errors
    /// When the ledger was closed, has fewer entries, or a tile cannot be read.
    pub async fn root_at(&self, size: u64) -> Result<Digest, AskError> {
        Ok(self.ask(move |ledger, _| ledger.root_at(size)).await??)
    }

    /// Writes everything queued before, publishes it and closes the ledger for all clones. What comes
    /// later is answered with [`RecordError::Closed`].
    pub async fn close(self) {
        let (reply, done) = oneshot::channel();
        if self.commands.send(Command::Close { reply }).is_ok() {
            // An error means that another clone closed it first.
            let _closed_already = done.await;
        }
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Ledger<FileStore>, &dyn Clock) -> T + Send + 'static,
    ) -> Result<T, AskError> {
        let (reply, answer) = oneshot::channel();
        let question = Box::new(move |ledger: &mut Ledger<FileStore>, clock: &dyn Clock| {
            // Whoever asked may have gone.
            let _gone = reply.send(question(ledger, clock));
        });
        self.commands.send(Command::Ask(question)).map_err(|_| AskError::Closed)?;
        answer.await.map_err(|_| AskError::Closed)
    }
}
