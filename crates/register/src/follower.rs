//! Fetching, verifying and keeping.

use std::{path::PathBuf, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use convenant_clauses::CompileError;
use convenant_ledger::{
    LedgerVerifier, SignedCheckpoint,
    checkpoint::CheckpointError,
    register::{Register, RegisterError},
};
use convenant_model::register::RootOfTrust;
use convenant_wire::v1::{FollowRequest, follow_frame::Body, register_client::RegisterClient};
use thiserror::Error;
use tokio::sync::Mutex;
use tonic::{Status, Streaming, transport::Channel};

use crate::{
    folder::{self, FolderError},
    snapshot::Snapshot,
};

/// Most documents that one refresh takes, so that a hostile coordinator cannot feed without end.
const MOST_DOCUMENTS: u64 = 1_000_000;
/// Most bytes of documents that one refresh takes.
const MOST_BYTES: usize = 256 << 20;

/// Longest that one refresh takes, so that a hostile coordinator cannot keep the copy's lock.
const LIMIT: Duration = Duration::from_secs(60);

/// Why a refresh of the copy failed. The copy then stays as it was.
#[derive(Debug, Error)]
pub enum FollowError {
    /// The coordinator does not answer.
    #[error("the coordinator does not give its register")]
    Unavailable(#[source] Box<Status>),
    /// The answer is not what the protocol prescribes.
    #[error("the coordinator's answer is malformed: {0}")]
    Malformed(&'static str),
    /// The checkpoint does not verify.
    #[error("the register's checkpoint does not verify")]
    Checkpoint(#[from] CheckpointError),
    /// A document does not verify or is not admitted.
    #[error("document {index} of the register is not admitted")]
    Document {
        /// Index of the document.
        index: u64,
        /// Why not.
        source: Box<RegisterError>,
    },
    /// The register has fewer documents than before, or its root is not that of its documents.
    #[error("the coordinator's register of {shown} documents contradicts the copy of {held}")]
    Forked {
        /// Number of documents in the coordinator's checkpoint.
        shown: u64,
        /// Number of documents in the copy.
        held: u64,
    },
    /// The covenant's rules do not compile.
    #[error("the covenant's rules do not compile")]
    Rules(#[from] Box<CompileError>),
    /// The copy cannot be kept.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

/// A copy of the register that follows the coordinator's.
#[derive(Debug)]
pub struct Follower {
    dir: PathBuf,
    verifier: LedgerVerifier,
    current: ArcSwap<Snapshot>,
    // One refresh at a time; whoever waits finds the work done.
    refreshing: Mutex<()>,
}

impl Follower {
    /// Opens the copy in `dir` and verifies every document in it again.
    ///
    /// # Errors
    /// When a file cannot be read, or what is in it does not verify.
    pub fn open(
        dir: PathBuf,
        root: RootOfTrust,
        verifier: LedgerVerifier,
    ) -> Result<Self, FollowError> {
        let register = folder::read(&dir, root)?;
        let vouched = match folder::checkpoint(&dir)? {
            Some(note) => {
                let checkpoint = SignedCheckpoint::parse(&note, &verifier)?;
                agree(&register, &checkpoint)?;
                Some(checkpoint.cosigned_at(&verifier)?)
            }
            None => None,
        };
        let snapshot = Snapshot::new(register, None, vouched).map_err(Box::new)?;
        let current = ArcSwap::from_pointee(snapshot);
        Ok(Self { dir, verifier, current, refreshing: Mutex::new(()) })
    }

    /// The register as it is known now.
    #[must_use]
    pub fn current(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Fetches what is new, verifies it and keeps it.
    ///
    /// # Errors
    /// When the coordinator does not answer or its answer does not verify. After a contradiction the
    /// snapshot counts as forked until the party is started again.
    pub async fn refresh(&self, channel: Channel) -> Result<Arc<Snapshot>, FollowError> {
        let _one = self.refreshing.lock().await;
        let before = self.current();
        let late = |_| {
            let status = Status::deadline_exceeded("the register did not come in time");
            FollowError::Unavailable(Box::new(status))
        };
        let fetched = tokio::time::timeout(LIMIT, self.fetch(channel, &before)).await;
        match fetched.map_err(late).flatten() {
            Ok(snapshot) => {
                let snapshot = Arc::new(snapshot);
                self.current.store(Arc::clone(&snapshot));
                Ok(snapshot)
            }
            Err(error) => {
                if matches!(error, FollowError::Forked { .. } | FollowError::Document { .. }) {
                    self.current.store(Arc::new(Snapshot::clone(&before).forked()));
                }
                Err(error)
            }
        }
    }

    /// Refreshes every `period`, for ever; failures are logged. Run it in a task and abort that.
    pub async fn follow(&self, channel: Channel, period: Duration) {
        let mut ticks = tokio::time::interval(period);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = self.refresh(channel.clone()).await {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(%error, cause, "the register could not be refreshed");
            }
        }
    }

    async fn fetch(&self, channel: Channel, before: &Snapshot) -> Result<Snapshot, FollowError> {
        let held = before.position().size;
        let unavailable = |status| FollowError::Unavailable(Box::new(status));
        let mut client = RegisterClient::new(channel).max_decoding_message_size(MESSAGE);
        let answer = client.follow(FollowRequest { from: held }).await.map_err(unavailable)?;
        let mut frames = answer.into_inner();
        let Some(Body::Checkpoint(note)) = next(&mut frames).await? else {
            return Err(FollowError::Malformed("the first frame is not a checkpoint"));
        };
        let checkpoint = SignedCheckpoint::parse(&note, &self.verifier)?;
        let vouched = checkpoint.cosigned_at(&self.verifier)?;
        let shown = checkpoint.checkpoint().size;
        if shown < held {
            return Err(FollowError::Forked { shown, held });
        }
        if shown - held > MOST_DOCUMENTS {
            return Err(FollowError::Malformed("more documents than one refresh takes"));
        }
        let mut register = before.register().clone();
        let (mut documents, mut bytes) = (Vec::new(), 0);
        for index in held..shown {
            let Some(Body::Document(document)) = next(&mut frames).await? else {
                return Err(FollowError::Malformed("fewer documents than the checkpoint states"));
            };
            register
                .append(&document)
                .map_err(|source| FollowError::Document { index, source: Box::new(source) })?;
            bytes += document.len();
            if bytes > MOST_BYTES {
                return Err(FollowError::Malformed("more bytes than one refresh takes"));
            }
            documents.push((index, document));
        }
        agree(&register, &checkpoint)?;
        // Before anything is kept: what cannot be decided with must not stand in the way of a restart.
        let snapshot = Snapshot::new(register, Some(before), Some(vouched)).map_err(Box::new)?;
        for (index, document) in documents {
            folder::save_document(&self.dir, index, &document)?;
        }
        // The checkpoint last: with fewer documents than it states, a copy would not open.
        folder::save_checkpoint(&self.dir, &note)?;
        Ok(snapshot)
    }
}

/// Largest message of the register: a document and what is around it.
const MESSAGE: usize = convenant_ledger::MAX_DOCUMENT + 1024;

async fn next(
    frames: &mut Streaming<convenant_wire::v1::FollowFrame>,
) -> Result<Option<Body>, FollowError> {
    let frame = frames.message().await;
    let frame = frame.map_err(|status| FollowError::Unavailable(Box::new(status)))?;
    Ok(frame.and_then(|frame| frame.body))
}

/// The root over the documents must be the one that the coordinator signed.
fn agree(register: &Register, checkpoint: &SignedCheckpoint) -> Result<(), FollowError> {
    let stated = checkpoint.checkpoint();
    let position =
        convenant_model::query::RegisterPosition { size: stated.size, root: stated.root };
    if register.held(&position) {
        return Ok(());
    }
    Err(FollowError::Forked { shown: stated.size, held: register.position().size })
}
