//! Fetching, verifying and keeping.

use std::{path::PathBuf, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use convenant_ledger::{LedgerVerifier, SignedCheckpoint, register::Register};
use convenant_model::{query::RegisterPosition, register::RootOfTrust};
use convenant_wire::v1::{FollowRequest, follow_frame::Body, register_client::RegisterClient};
use tokio::sync::Mutex;
use tonic::{Status, Streaming, transport::Channel};

use crate::{error::FollowError, folder, incoming::Incoming, snapshot::Snapshot};

/// What a coordinator can make its followers spend.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest that one refresh takes, because it keeps others waiting. What came until then is kept.
    pub time: Duration,
    /// Most documents that may wait for a signed root that covers them.
    pub documents: u64,
    /// Most bytes of such documents.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time: Duration::from_secs(60), documents: 1_000_000, bytes: 2 << 30 }
    }
}

/// A copy of the register that follows the coordinator's.
#[derive(Debug)]
pub struct Follower {
    verifier: LedgerVerifier,
    limits: Limits,
    current: ArcSwap<Snapshot>,
    // One refresh at a time; whoever waits finds the work done.
    incoming: Mutex<Incoming>,
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
        let (register, vouched) = match folder::checkpoint(&dir)? {
            Some(note) => {
                let checkpoint = SignedCheckpoint::parse(&note, &verifier)?;
                let register = folder::read_first(&dir, root, checkpoint.checkpoint().size)?;
                agree(&register, &checkpoint)?;
                (register, Some(checkpoint.cosigned_at(&verifier)?))
            }
            None => (Register::new(root), None),
        };
        let incoming = Mutex::new(Incoming::open(&dir, &register)?);
        let snapshot = Snapshot::new(register, None, vouched).map_err(Box::new)?;
        let current = ArcSwap::from_pointee(snapshot);
        Ok(Self { verifier, limits: Limits::default(), current, incoming })
    }

    /// The same with other limits.
    #[must_use]
    pub const fn within(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The register as it is known now.
    #[must_use]
    pub fn current(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Fetches what is new, verifies it and keeps it. What came before a failure is kept apart, and the next
    /// refresh goes on from there.
    ///
    /// # Errors
    /// When the coordinator does not answer or its answer does not verify. After a contradiction the
    /// snapshot counts as forked until the party is started again.
    pub async fn refresh(&self, channel: Channel) -> Result<Arc<Snapshot>, FollowError> {
        let mut incoming = self.incoming.lock().await;
        let before = self.current();
        let late = |_| {
            let status = Status::deadline_exceeded("the register did not come in time");
            FollowError::Unavailable(Box::new(status))
        };
        let fetched = self.fetch(channel, &mut incoming, &before);
        let fetched = tokio::time::timeout(self.limits.time, fetched).await;
        match fetched.map_err(late).flatten() {
            Ok(snapshot) => {
                let snapshot = Arc::new(snapshot);
                self.current.store(Arc::clone(&snapshot));
                Ok(snapshot)
            }
            Err(error) => {
                if error.contradicts() {
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

    async fn fetch(
        &self,
        channel: Channel,
        incoming: &mut Incoming,
        before: &Snapshot,
    ) -> Result<Snapshot, FollowError> {
        loop {
            let resumed = !incoming.is_empty();
            match self.catch_up(channel.clone(), incoming, before).await {
                Err(error) if error.contradicts() => {
                    let discarded = incoming.discard(before.register());
                    // Of what came earlier no root was ever agreed on, so it proves nothing against the
                    // coordinator: everything once more.
                    if !resumed {
                        return Err(error);
                    }
                    discarded?;
                }
                caught_up => return caught_up,
            }
        }
    }

    async fn catch_up(
        &self,
        channel: Channel,
        incoming: &mut Incoming,
        before: &Snapshot,
    ) -> Result<Snapshot, FollowError> {
        let held = before.position().size;
        let unavailable = |status| FollowError::Unavailable(Box::new(status));
        let mut client = RegisterClient::new(channel).max_decoding_message_size(MESSAGE);
        let request = FollowRequest { from: incoming.size() };
        let mut frames = client.follow(request).await.map_err(unavailable)?.into_inner();
        let Some(Body::Checkpoint(note)) = next(&mut frames).await? else {
            return Err(FollowError::Malformed("the first frame is not a checkpoint"));
        };
        let checkpoint = SignedCheckpoint::parse(&note, &self.verifier)?;
        let vouched = checkpoint.cosigned_at(&self.verifier)?;
        let shown = checkpoint.checkpoint().size;
        if shown < held {
            return Err(FollowError::Forked { shown, held });
        }
        if shown - held > self.limits.documents {
            return Err(FollowError::Malformed("more new documents than a follower takes"));
        }
        while incoming.size() < shown {
            match next(&mut frames).await? {
                Some(Body::Document(document)) => incoming.add(&document)?,
                Some(Body::Checkpoint(_)) => {
                    return Err(FollowError::Malformed("a checkpoint among the documents"));
                }
                None => return Err(FollowError::Unfinished { came: incoming.size(), shown }),
            }
            if incoming.bytes() > self.limits.bytes {
                incoming.discard(before.register())?;
                return Err(FollowError::Malformed("more bytes than a follower takes"));
            }
        }
        agree(incoming.register(), &checkpoint)?;
        // Before anything is kept: what cannot be decided with must not stand in the way of a restart.
        let register = incoming.register().clone();
        let snapshot = Snapshot::new(register, Some(before), Some(vouched)).map_err(Box::new)?;
        incoming.promote(&note)?;
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

/// These are exactly the documents over whose root the coordinator signed.
fn agree(register: &Register, checkpoint: &SignedCheckpoint) -> Result<(), FollowError> {
    let (stated, own) = (checkpoint.checkpoint(), register.position());
    if own == (RegisterPosition { size: stated.size, root: stated.root }) {
        return Ok(());
    }
    Err(FollowError::Forked { shown: stated.size, held: own.size })
}
