//! The other side of a witness: a ledger's owner, who asks to have its checkpoints cosigned.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use convenant_ledger::{
    Checkpoint, LedgerSigner, LedgerVerifier, SignedCheckpoint,
    checkpoint::CheckpointError,
    note::{NoteError, NoteName},
};
use convenant_model::Oin;
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
    /// The witnesses that cosigned since the start, each with the key that it did so with last.
    asked: Mutex<HashMap<NoteName, LedgerVerifier>>,
    /// What was last said of a witness whose keys do not do.
    said: Mutex<HashMap<Oin, String>>,
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
        Self { ledger, origin, witnessed, asked: Mutex::default(), said: Mutex::default() }
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

    /// Has the ledger's present checkpoint cosigned by a witness, unless it was already since the start, with a key that
    /// still holds: what is kept of before may have been set back together with the ledger, and a cosignature under a
    /// key that was revoked meanwhile counts for nothing. `witness` is the name of its ledger with
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
        let holds = self.asked().get(name).is_some_and(|key| witness.contains(key));
        if known == Some(self.ledger.size()) && holds {
            return Ok(self.ledger.size());
        }
        let mut client = WitnessClient::new(channel);
        let (mut old, mut size) = (known.unwrap_or(0), 0);
        // Once more where the witness proves to know another checkpoint than is known here, and with the checkpoint of
        // then: if that is of fewer entries still, this ledger was set back, and the witness puts that on record.
        for _ in 0..2 {
            let checkpoint = self.ledger.checkpoint().await?;
            let text = checkpoint.to_string();
            size = checkpoint.checkpoint().size;
            let proof = self.ledger.consistency_proof(old.min(size), size).await?;
            let proof = proof.iter().map(|hash| hash.as_bytes().to_vec().into()).collect();
            let asked =
                AddCheckpointRequest { old_size: old, proof, checkpoint: text.into_bytes().into() };
            let added = client.add_checkpoint(asked).await.map_err(refused)?.into_inner();
            match added.body {
                Some(Body::Cosigned(note)) => return self.keep(witness, checkpoint, &note),
                Some(Body::KnownSize(known)) => old = known,
                None => return Err(PublishError::Malformed),
            }
        }
        match old > size {
            true => Err(PublishError::SetBack { known: old, size }),
            false => Err(PublishError::Malformed),
        }
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
            cosigned = cosigned.or_else(|_| Ok((key, own.clone().cosigned_by(key, note)?)));
        }
        let (key, cosigned) = cosigned?;
        self.witnessed.replace(key.origin(), &cosigned.to_string())?;
        self.asked().insert(key.origin().clone(), key.clone());
        Ok(size)
    }

    /// Whether what came of asking a witness is to be said. That its keys do not do lasts until somebody changes
    /// them, and is said once, until it cosigns again.
    pub fn is_news(&self, witness: &Oin, came: Result<u64, &PublishError>) -> bool {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        match came {
            Ok(_) => said.remove(witness).is_some(),
            Err(error @ (PublishError::NoKey | PublishError::Cosignature(_))) => {
                let text = error.to_string();
                said.insert(witness.clone(), text.clone()) != Some(text)
            }
            Err(_) => true,
        }
    }

    /// A panic elsewhere leaves whole names behind.
    fn asked(&self) -> MutexGuard<'_, HashMap<NoteName, LedgerVerifier>> {
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

#[cfg(test)]
mod tests {
    use convenant_model::{Clock, Timestamp};
    use convenant_signing::SystemRandom;
    use convenant_store::{Layout, Options};

    use super::*;

    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(1_772_445_600_000).unwrap()
        }
    }

    #[tokio::test]
    async fn that_a_witness_has_no_key_that_does_is_said_once() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("ledger");
        let origin = NoteName::new("ledger.example/node").unwrap();
        let key = SigningKey::generate(&SystemRandom::new()).unwrap();
        let signer = LedgerSigner::new(origin.clone(), key).unwrap();
        let witnessed = Notes::new(folder.join("witnessed"));
        let (layout, clock) = (Layout::default(), Arc::new(Noon));
        let options = Options { folder, signer, clock, layout };
        let (ledger, _) = LedgerHandle::open(options, &mut |_| {}).unwrap();
        let published = Published::new(ledger.clone(), origin, witnessed);
        let [one, other] =
            ["00000099000000001000", "00000099000000002000"].map(|oin| Oin::new(oin).unwrap());
        let declined = || PublishError::Cosignature(CheckpointError::Note(NoteError::Signature));
        assert!(published.is_news(&one, Err(&declined())));
        assert!(!published.is_news(&one, Err(&declined())));
        assert!(published.is_news(&other, Err(&declined())), "of each");
        assert!(published.is_news(&one, Err(&PublishError::NoKey)), "something else");
        published.is_news(&one, Ok(1));
        assert!(published.is_news(&one, Err(&PublishError::NoKey)), "again");
        // Of what may be an attack each is.
        let set_back = PublishError::SetBack { known: 2, size: 1 };
        assert!((0..2).all(|_| published.is_news(&one, Err(&set_back))));
        ledger.close().await;
    }
}
