//! The witness: cosigns what only grew.

use std::{collections::BTreeSet, io, sync::Arc};

use convenant_ledger::{
    Checkpoint, LedgerVerifier, SignedCheckpoint,
    checkpoint::CheckpointError,
    note::NoteName,
    witness::{self, NotCosigned},
};
use convenant_model::{
    Clock, Digest, Oin, Problem,
    entry::{Conflict, Entry},
};
use convenant_store::{AskError, LedgerHandle, Notes, RecordError};
use convenant_transport::Peer;
use convenant_wire::{
    problem::status,
    v1::{self, AddCheckpointRequest, AddCheckpointResponse, add_checkpoint_response::Body},
};
use thiserror::Error;
use tokio::sync::Mutex;
use tonic::{Request, Response, Status};

/// The keys that may sign a ledger's checkpoints, if the ledger is that party's: more than one while it
/// rotates, none for a ledger of somebody else's.
pub type Keys = Arc<dyn Fn(&Oin, &NoteName) -> Vec<LedgerVerifier> + Send + Sync>;

/// Most bytes of a checkpoint that is shown.
const MAX_CHECKPOINT: usize = 4096;

/// Most bytes of a request: a checkpoint and a proof.
pub const MAX_REQUEST: usize = MAX_CHECKPOINT + 64 * 40;

/// A party as witness of others.
pub struct Witness {
    party: Oin,
    held: Notes,
    keys: Keys,
    ledger: LedgerHandle,
    clock: Arc<dyn Clock>,
    // One checkpoint at a time: what is cosigned depends on what was cosigned last. The names are those
    // of ledgers whose conflict is on record since the start; their owner cannot fill our ledger.
    conflicts: Mutex<BTreeSet<String>>,
}

/// Why a checkpoint was not cosigned.
#[derive(Debug, Error)]
enum WitnessError {
    #[error("a checkpoint of {0} bytes, of at most {MAX_CHECKPOINT}")]
    TooLong(usize),
    #[error("not a checkpoint")]
    Malformed(#[source] CheckpointError),
    #[error("ledger `{0}` is not the caller's")]
    Foreign(String),
    #[error("the checkpoint is not signed with the ledger's key")]
    Unsigned(#[source] CheckpointError),
    #[error("a hash of the proof is not of 32 bytes")]
    Hash,
    #[error("not cosigned")]
    Refused(#[from] NotCosigned),
    #[error("the checkpoint cosigned last is lost")]
    Lost(#[source] CheckpointError),
    #[error("the cosigned checkpoint cannot be kept")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Ledger(#[from] AskError),
    #[error("the conflict cannot be recorded")]
    Record(#[from] RecordError),
}

impl Witness {
    /// A witness that cosigns with the key and name of its own `ledger`, and records conflicts there. What
    /// it cosigned is kept in `held`.
    #[must_use]
    pub fn new(
        party: Oin,
        held: Notes,
        keys: Keys,
        ledger: LedgerHandle,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { party, held, keys, ledger, clock, conflicts: Mutex::default() }
    }

    async fn add(&self, peer: &Oin, asked: &AddCheckpointRequest) -> Result<Body, WitnessError> {
        if asked.checkpoint.len() > MAX_CHECKPOINT {
            return Err(WitnessError::TooLong(asked.checkpoint.len()));
        }
        let stated = Checkpoint::unverified(&asked.checkpoint);
        let origin = stated.map_err(WitnessError::Malformed)?.origin;
        let mut shown = Err(WitnessError::Foreign(origin.as_str().to_owned()));
        for verifier in (self.keys)(peer, &origin) {
            shown = SignedCheckpoint::parse_bare(&asked.checkpoint, &verifier)
                .map_err(WitnessError::Unsigned);
            if shown.is_ok() {
                break;
            }
        }
        let shown = shown?;
        let proof = asked.proof.iter().map(|hash| <[u8; 32]>::try_from(&**hash));
        let proof = proof.map(|hash| hash.map(Digest::from_bytes)).collect::<Result<Vec<_>, _>>();
        let proof = proof.map_err(|_| WitnessError::Hash)?;

        let mut conflicts = self.conflicts.lock().await;
        let note = self.held.read(&origin)?;
        // Whole, and of our own making: the key that signed it then may have been replaced since.
        let held = note.as_deref().map(Checkpoint::unverified);
        let held = held.transpose().map_err(WitnessError::Lost)?;
        match witness::may_cosign(held.as_ref(), asked.old_size, &proof, shown.checkpoint()) {
            Ok(()) => {
                // Asked for again, it is answered again, without a new signature, unless another key has taken the
                // place of the one that signed: that may be revoked, and then counts for nothing.
                let own = self.ledger.verifier().await?;
                if let Some(note) = note.filter(|_| held.as_ref() == Some(shown.checkpoint()))
                    && shown.clone().cosigned_by(&own, &note).is_ok()
                {
                    return Ok(Body::Cosigned(note.into()));
                }
                let cosigned = self.ledger.cosign(shown).await?.to_string();
                // A crash before this has cosigned nothing; after it, the witness holds what it may
                // not have answered, and the caller learns the size when it asks again.
                self.keep(&origin, cosigned.clone()).await?;
                Ok(Body::Cosigned(cosigned.into_bytes().into()))
            }
            Err(NotCosigned::OtherSize(size)) => Ok(Body::KnownSize(size)),
            Err(refused @ (NotCosigned::TooLong(_) | NotCosigned::Proof { .. })) => {
                Err(refused.into())
            }
            Err(refused @ NotCosigned::Conflict(_)) => {
                if !conflicts.contains(origin.as_str()) {
                    let held = String::from_utf8_lossy(&note.unwrap_or_default()).into_owned();
                    let (party, at, peer) = (self.party.clone(), self.clock.now(), peer.clone());
                    let conflict = Conflict { party, at, peer, held, shown: shown.to_string() };
                    self.ledger.record(Entry::Conflict(conflict)).await?;
                    conflicts.insert(origin.as_str().to_owned());
                }
                Err(refused.into())
            }
        }
    }
}

impl Witness {
    /// Keeps a cosigned checkpoint; it is on disk when this returns.
    async fn keep(&self, origin: &NoteName, cosigned: String) -> io::Result<()> {
        let (held, origin) = (self.held.clone(), origin.clone());
        let kept = tokio::task::spawn_blocking(move || held.replace(&origin, &cosigned)).await;
        kept.map_err(io::Error::other)?
    }
}

impl WitnessError {
    const fn problem(&self) -> Problem {
        match self {
            Self::TooLong(_)
            | Self::Malformed(_)
            | Self::Hash
            | Self::Refused(NotCosigned::TooLong(_)) => Problem::Malformed,
            Self::Foreign(_) => Problem::NotAllowed,
            Self::Unsigned(_) => Problem::BadSignature,
            Self::Refused(_) => Problem::LedgerConflict,
            Self::Lost(_) | Self::Io(_) | Self::Ledger(_) => Problem::Internal,
            Self::Record(_) => Problem::NotRecorded,
        }
    }
}

/// The gRPC face of a witness.
pub struct WitnessService(pub Arc<Witness>);

#[tonic::async_trait]
impl v1::witness_server::Witness for WitnessService {
    async fn add_checkpoint(
        &self,
        request: Request<AddCheckpointRequest>,
    ) -> Result<Response<AddCheckpointResponse>, Status> {
        let peer = request.extensions().get::<Peer>().map(|peer| peer.oin.clone());
        let unknown = || status(Problem::Unauthenticated, "the connection shows no certificate");
        let peer = peer.ok_or_else(unknown)?;
        let (witness, asked) = (Arc::clone(&self.0), request.into_inner());
        // In a task of its own: a caller that goes away must not stop it between disk and answer.
        let added = tokio::spawn(async move {
            let added = witness.add(&peer, &asked).await;
            added.inspect_err(|error| {
                let (problem, cause) = (error.problem().code(), std::error::Error::source(error));
                let cause = cause.map(ToString::to_string);
                tracing::warn!(%peer, %error, cause, problem, "a checkpoint was not cosigned");
            })
        });
        let added = added.await.map_err(|_| status(Problem::Internal, "the witness broke off"))?;
        let body = added.map_err(|error| {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            status(error.problem(), format!("{error}{}", cause.unwrap_or_default()))
        })?;
        Ok(Response::new(AddCheckpointResponse { body: Some(body) }))
    }
}
