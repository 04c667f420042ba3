//! The other side of a witness: a ledger's owner, who asks to have its checkpoints cosigned.

use std::{
    collections::HashSet,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use convenant_ledger::{
    Checkpoint, LedgerSigner, LedgerVerifier, SignedCheckpoint,
    checkpoint::CheckpointError,
    note::{NoteError, NoteName},
};
use convenant_signing::SigningKey;
use convenant_store::{AskError, LedgerHandle, Notes};
use convenant_wire::{
    problem::{PeerProblem, read},
    v1::{AddCheckpointRequest, add_checkpoint_response::Body, witness_client::WitnessClient},
};
use thiserror::Error;
use tonic::{Status, transport::Channel};

/// A ledger of this party, whose checkpoints others cosign.
#[derive(Debug)]
pub struct Published {
    ledger: LedgerHandle,
    origin: NoteName,
    witnessed: Notes,
    /// The witnesses that cosigned since the start.
    asked: Mutex<HashSet<NoteName>>,
}

/// Why a checkpoint was not cosigned.
#[derive(Debug, Error)]
pub enum PublishError {
    /// The ledger gives no checkpoint or proof.
    #[error(transparent)]
    Ledger(#[from] AskError),
    /// A ledger cannot be signed with the key.
    #[error(transparent)]
    Key(#[from] NoteError),
    /// The witness cannot be reached, or does not do this.
    #[error("the witness does not answer")]
    Unavailable(#[source] Box<Status>),
    /// The witness refuses.
    #[error("the witness does not cosign: {}", told(.0))]
    Refused(Box<Status>),
    /// The witness knows a longer ledger than there is here.
    #[error("the witness cosigned {known} entries, and there are {size}: this ledger was set back")]
    SetBack {
        /// Entries that the witness knows of.
        known: u64,
        /// Entries that there are.
        size: u64,
    },
    /// No key of the witness is known.
    #[error("the witness has no key that is not revoked")]
    NoKey,
    /// The answer is none.
    #[error("the witness's answer is malformed")]
    Malformed,
    /// The cosignature does not verify.
    #[error("the witness's cosignature does not verify")]
    Cosignature(#[from] CheckpointError),
    /// The cosigned checkpoint cannot be kept.
    #[error("the cosigned checkpoint cannot be kept")]
    Io(#[from] io::Error),
}

impl Published {
    /// A ledger by its name; the cosigned checkpoints are kept in `witnessed`.
    #[must_use]
    pub fn new(ledger: LedgerHandle, origin: NoteName, witnessed: Notes) -> Self {
        Self { ledger, origin, witnessed, asked: Mutex::default() }
    }

    /// The ledger's name.
    pub const fn origin(&self) -> &NoteName {
        &self.origin
    }

    /// Has the ledger signed with this key from now on; does nothing where it is already.
    ///
    /// # Errors
    /// When the key is not one for a ledger, or the ledger cannot sign its checkpoint anew.
    pub async fn sign_with(&self, key: Arc<SigningKey>) -> Result<(), PublishError> {
        let signer = LedgerSigner::new(self.origin.clone(), key)?;
        Ok(self.ledger.sign_with(signer).await?)
    }

    /// Has the ledger's present checkpoint cosigned by a witness, unless it was already since the start: what is
    /// kept of before may have been set back together with the ledger. `witness` is the name of its ledger with
    /// the keys that it may sign with: more than one while these rotate. Gives how many entries are cosigned.
    ///
    /// # Errors
    /// When the witness cannot be reached or does not cosign, or the cosignature does not verify.
    pub async fn to(
        &self,
        witness: &[LedgerVerifier],
        channel: Channel,
    ) -> Result<u64, PublishError> {
        let name = witness.first().ok_or(PublishError::NoKey)?.origin();
        let known = self.known(name)?;
        if known == Some(self.ledger.size()) && self.asked().contains(name) {
            return Ok(self.ledger.size());
        }
        let checkpoint = self.ledger.checkpoint().await?;
        let (size, text) = (checkpoint.checkpoint().size, checkpoint.to_string());
        let mut client = WitnessClient::new(channel);
        let mut old = known.unwrap_or(0);
        // Once more where the witness proves to know another checkpoint than is known here.
        for _ in 0..2 {
            let proof = self.ledger.consistency_proof(old.min(size), size).await?;
            let proof = proof.iter().map(|hash| hash.as_bytes().to_vec().into()).collect();
            let asked = AddCheckpointRequest {
                old_size: old,
                proof,
                checkpoint: text.clone().into_bytes().into(),
            };
            let added = client.add_checkpoint(asked).await.map_err(refused)?.into_inner();
            match added.body {
                Some(Body::Cosigned(note)) => return self.keep(witness, checkpoint, &note),
                Some(Body::KnownSize(known)) if known > size => {
                    return Err(PublishError::SetBack { known, size });
                }
                Some(Body::KnownSize(known)) => old = known,
                None => return Err(PublishError::Malformed),
            }
        }
        Err(PublishError::Malformed)
    }

    /// How many entries of this ledger a witness cosigned, as far as is known here.
    fn known(&self, witness: &NoteName) -> Result<Option<u64>, PublishError> {
        let note = self.witnessed.read(witness)?;
        Ok(note.as_deref().map(Checkpoint::unverified_size).transpose()?)
    }

    fn keep(
        &self,
        witness: &[LedgerVerifier],
        own: SignedCheckpoint,
        note: &[u8],
    ) -> Result<u64, PublishError> {
        let size = own.checkpoint().size;
        let mut cosigned = Err(PublishError::NoKey);
        for key in witness {
            cosigned = cosigned.or_else(|_| Ok(own.clone().cosigned_by(key, note)?));
        }
        let cosigned = cosigned?;
        if let Some(witness) = witness.first() {
            self.witnessed.replace(witness.origin(), &cosigned.to_string())?;
            self.asked().insert(witness.origin().clone());
        }
        Ok(size)
    }

    /// A panic elsewhere leaves whole names behind.
    fn asked(&self) -> MutexGuard<'_, HashSet<NoteName>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a witness says, with its code.
fn told(status: &Status) -> String {
    match read(status) {
        PeerProblem::Problem(problem) => format!("{} ({})", status.message(), problem.code()),
        PeerProblem::Refused(_) | PeerProblem::Foreign => status.message().to_owned(),
    }
}

fn refused(status: Status) -> PublishError {
    match read(&status) {
        PeerProblem::Foreign => PublishError::Unavailable(Box::new(status)),
        _ => PublishError::Refused(Box::new(status)),
    }
}
