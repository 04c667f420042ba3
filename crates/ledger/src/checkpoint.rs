//! Checkpoints (C2SP `tlog-checkpoint`): a signed statement of a ledger's size and root.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use convenant_model::{Digest, Timestamp, keys::VerifyingKey};
use convenant_signing::SigningKey;
use thiserror::Error;

use crate::note::{Note, NoteError, NoteKey, NoteName, SignatureType, cosigned_message};

/// What a checkpoint states.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checkpoint {
    /// The ledger.
    pub origin: NoteName,
    /// Number of entries.
    pub size: u64,
    /// Merkle tree hash of those entries.
    pub root: Digest,
}

/// Why a checkpoint is not accepted.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum CheckpointError {
    /// Not a note, or not signed by the key expected.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Not the lines origin, size and root.
    #[error("not a checkpoint: line {line} is malformed")]
    Line {
        /// Number of the line, from 1.
        line: usize,
    },
    /// Another ledger's.
    #[error("the checkpoint is of ledger `{found}`, not of `{expected}`")]
    Origin {
        /// The ledger that was expected.
        expected: String,
        /// The ledger that the checkpoint names.
        found: String,
    },
    /// Of another size or root.
    #[error("the note is of another checkpoint")]
    Another,
    /// The time of a cosignature is not a time.
    #[error("the cosignature's time is out of range")]
    Time,
}

/// The key could not sign.
#[derive(Debug, Error)]
#[error("the checkpoint could not be signed")]
pub struct CheckpointSigningError(#[source] convenant_signing::KeyError);

/// What is needed to verify a ledger's checkpoints: its origin, which is also the name of its key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LedgerVerifier(NoteKey);

impl LedgerVerifier {
    /// Names a ledger and its key.
    ///
    /// # Errors
    /// When the key is not Ed25519.
    pub fn new(origin: NoteName, key: VerifyingKey) -> Result<Self, NoteError> {
        NoteKey::new(origin, key).map(Self)
    }

    /// The ledger's origin.
    #[must_use]
    pub const fn origin(&self) -> &NoteName {
        self.0.name()
    }

    /// The ledger's key.
    #[must_use]
    pub const fn key(&self) -> &VerifyingKey {
        self.0.key()
    }

    /// The key in the text form that other tools read.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.0.to_text()
    }
}

/// Signs a ledger's checkpoints.
#[derive(Debug)]
pub struct LedgerSigner {
    key: Arc<SigningKey>,
    verifier: LedgerVerifier,
    former: Vec<LedgerVerifier>,
    timed: bool,
}

impl LedgerSigner {
    /// A signer for the ledger `origin`.
    ///
    /// # Errors
    /// When the key is not Ed25519.
    pub fn new(origin: NoteName, key: impl Into<Arc<SigningKey>>) -> Result<Self, NoteError> {
        let key = key.into();
        let verifier = LedgerVerifier::new(origin, key.verifying_key().clone())?;
        Ok(Self { key, verifier, former: Vec::new(), timed: false })
    }

    /// Accepts a last checkpoint by one of these keys when the ledger is opened, which were the ledger's
    /// before; of others that are none of this ledger's nothing is made. It is then signed anew.
    #[must_use]
    pub fn after(mut self, keys: impl IntoIterator<Item = VerifyingKey>) -> Self {
        let origin = self.verifier.origin();
        let former = keys.into_iter().map(|key| LedgerVerifier::new(origin.clone(), key));
        self.former = former.filter_map(Result::ok).filter(|one| *one != self.verifier).collect();
        self
    }

    /// Of the keys that this ledger had, the one by which a checkpoint is.
    pub(crate) fn verifier_of(&self, checkpoint: &[u8]) -> &LedgerVerifier {
        let mut former = self.former.iter();
        let signed = |one: &&LedgerVerifier| SignedCheckpoint::parse(checkpoint, one).is_ok();
        former.find(signed).unwrap_or(&self.verifier)
    }

    /// Adds a cosignature with the time to each checkpoint, so that readers can judge its age.
    #[must_use]
    pub fn timed(mut self) -> Self {
        self.timed = true;
        self
    }

    /// Whether checkpoints carry the time.
    #[must_use]
    pub const fn is_timed(&self) -> bool {
        self.timed
    }

    /// The public half.
    #[must_use]
    pub const fn verifier(&self) -> &LedgerVerifier {
        &self.verifier
    }

    /// Signs the statement that the ledger has this size and root.
    ///
    /// # Errors
    /// When the key cannot sign.
    pub fn sign(
        &self,
        size: u64,
        root: Digest,
        now: Timestamp,
    ) -> Result<SignedCheckpoint, CheckpointSigningError> {
        let checkpoint = Checkpoint { origin: self.verifier.origin().clone(), size, root };
        let mut note = Note::new(checkpoint.text());
        let signature = self.key.sign(note.text().as_bytes()).map_err(CheckpointSigningError)?;
        note.add(&self.verifier.0, SignatureType::Ed25519, signature);
        let mut signed = SignedCheckpoint { checkpoint, note };
        if self.timed {
            self.cosign(&mut signed, now)?;
        }
        Ok(signed)
    }

    /// Adds this party's cosignature to a checkpoint, of its own or another's: the statement that at
    /// this time it knew of no other history. The caller verified consistency with what it saw before.
    ///
    /// # Errors
    /// When the key cannot sign.
    pub fn cosign(
        &self,
        signed: &mut SignedCheckpoint,
        now: Timestamp,
    ) -> Result<(), CheckpointSigningError> {
        let seconds = now.millis().unsigned_abs() / 1000;
        let message = cosigned_message(seconds, signed.note.text());
        let signature = self.key.sign(message.as_bytes()).map_err(CheckpointSigningError)?;
        let timed = [seconds.to_be_bytes().as_slice(), &signature].concat();
        signed.note.add(&self.verifier.0, SignatureType::Cosignature, timed);
        Ok(())
    }
}

/// A checkpoint whose ledger's signature was verified or made here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
}

impl SignedCheckpoint {
    /// Parses a checkpoint and verifies the ledger's signature.
    ///
    /// # Errors
    /// When it is malformed, another ledger's, or not signed by the ledger's key.
    pub fn parse(bytes: &[u8], verifier: &LedgerVerifier) -> Result<Self, CheckpointError> {
        let note = Note::parse(bytes)?;
        // Whose it says that it is first: nobody signs another ledger's, and that tells more than that.
        let checkpoint = Checkpoint::parse(note.text())?;
        if checkpoint.origin != *verifier.origin() {
            return Err(CheckpointError::Origin {
                expected: verifier.origin().as_str().to_owned(),
                found: checkpoint.origin.as_str().to_owned(),
            });
        }
        note.verified(&verifier.0)?;
        Ok(Self { checkpoint, note })
    }

    /// The same without anything that its owner could have added besides: no line after the third, and no
    /// signature but the owner's own. For who keeps what others send.
    ///
    /// # Errors
    /// See [`Self::parse`].
    pub fn parse_bare(bytes: &[u8], verifier: &LedgerVerifier) -> Result<Self, CheckpointError> {
        let Self { checkpoint, mut note } = Self::parse(bytes, verifier)?;
        if note.text() != checkpoint.text() {
            return Err(CheckpointError::Line { line: 4 });
        }
        note.keep_only(&verifier.0);
        Ok(Self { checkpoint, note })
    }

    /// The same with the cosignature of another party beside, from what that party sent back.
    ///
    /// # Errors
    /// When what it sent is of another checkpoint, or its cosignature is not there or does not verify.
    pub fn cosigned_by(
        mut self,
        verifier: &LedgerVerifier,
        sent: &[u8],
    ) -> Result<Self, CheckpointError> {
        let sent = Note::parse(sent)?;
        if sent.text() != self.note.text() {
            return Err(CheckpointError::Another);
        }
        sent.cosigned_at(&verifier.0)?;
        self.note.take(&verifier.0, SignatureType::Cosignature, &sent);
        Ok(self)
    }

    /// What the checkpoint states.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// When a party cosigned the checkpoint.
    ///
    /// # Errors
    /// When that party did not, or its cosignature does not verify.
    pub fn cosigned_at(&self, verifier: &LedgerVerifier) -> Result<Timestamp, CheckpointError> {
        let seconds = self.note.cosigned_at(&verifier.0)?;
        let millis = i64::try_from(seconds).ok().and_then(|s| s.checked_mul(1000));
        let time = millis.and_then(|millis| Timestamp::from_millis(millis).ok());
        time.ok_or(CheckpointError::Time)
    }
}

impl std::fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.note.fmt(f)
    }
}

impl Checkpoint {
    fn text(&self) -> String {
        let root = STANDARD.encode(self.root.as_bytes());
        format!("{}\n{}\n{root}\n", self.origin.as_str(), self.size)
    }

    /// What a checkpoint states, without verifying who states it: good for finding the key to verify it
    /// with, and for what was verified before it was kept.
    ///
    /// # Errors
    /// When the bytes are not a checkpoint.
    pub fn unverified(bytes: &[u8]) -> Result<Self, CheckpointError> {
        Self::parse(Note::parse(bytes)?.text())
    }

    /// The number of entries that a checkpoint states, without verifying who states it. Good only for
    /// noticing early that a ledger is shorter than that; [`crate::replay()`] is what proves it whole.
    ///
    /// # Errors
    /// When the bytes are not a checkpoint.
    pub fn unverified_size(bytes: &[u8]) -> Result<u64, CheckpointError> {
        Ok(Self::unverified(bytes)?.size)
    }

    /// Lines after the third are extensions, which are signed and otherwise ignored.
    fn parse(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.lines();
        let mut line = |number| lines.next().ok_or(CheckpointError::Line { line: number });
        let (origin, size, root) = (line(1)?, line(2)?, line(3)?);
        let malformed = |line| CheckpointError::Line { line };
        let origin = NoteName::new(origin).map_err(|_| malformed(1))?;
        let number: u64 = size.parse().map_err(|_| malformed(2))?;
        if number.to_string() != size {
            return Err(malformed(2));
        }
        let root = STANDARD.decode(root).map_err(|_| malformed(3))?;
        let root = root.try_into().map_err(|_| malformed(3))?;
        Ok(Self { origin, size: number, root: Digest::from_bytes(root) })
    }
}

#[cfg(test)]
mod tests {
    use convenant_signing::SystemRandom;

    use super::*;

    fn signer(origin: &str) -> LedgerSigner {
        let key = SigningKey::generate(&SystemRandom::new()).unwrap();
        LedgerSigner::new(NoteName::new(origin).unwrap(), key).unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000).unwrap()
    }

    #[test]
    fn a_checkpoint_is_read_back_by_whoever_has_the_key() {
        let signer = signer("ledger.example/node");
        let root = Digest::from_bytes([7; 32]);
        let signed = signer.sign(42, root, at(5)).unwrap();
        let read = SignedCheckpoint::parse(signed.to_string().as_bytes(), signer.verifier());
        assert_eq!(read, Ok(signed));
        assert_eq!(read_untimed(&signer), Err(CheckpointError::Note(NoteError::Unsigned)));
    }

    fn read_untimed(signer: &LedgerSigner) -> Result<Timestamp, CheckpointError> {
        let signed = signer.sign(0, Digest::from_bytes([0; 32]), at(5)).unwrap();
        signed.cosigned_at(signer.verifier())
    }

    #[test]
    fn a_cosignature_gives_the_time_and_binds_it() {
        let (ledger, witness) = (signer("ledger.example").timed(), signer("witness.example"));
        let mut signed = ledger.sign(1, Digest::from_bytes([1; 32]), at(1_700_000_000)).unwrap();
        witness.cosign(&mut signed, at(1_700_000_009)).unwrap();
        let text = signed.to_string();
        let read = SignedCheckpoint::parse(text.as_bytes(), ledger.verifier()).unwrap();
        assert_eq!(read.cosigned_at(ledger.verifier()), Ok(at(1_700_000_000)));
        assert_eq!(read.cosigned_at(witness.verifier()), Ok(at(1_700_000_009)));

        let line = text.lines().find(|line| line.starts_with("— witness")).unwrap();
        let mut bytes = STANDARD.decode(line.rsplit(' ').next().unwrap()).unwrap();
        bytes[11] ^= 1;
        let later = format!("— witness.example {}", STANDARD.encode(bytes));
        let text = text.replace(line, &later);
        let read = SignedCheckpoint::parse(text.as_bytes(), ledger.verifier()).unwrap();
        let fault = Err(CheckpointError::Note(NoteError::Signature));
        assert_eq!(read.cosigned_at(witness.verifier()), fault);
    }

    #[test]
    fn another_size_key_or_origin_is_refused() {
        let (one, two) = (signer("one.example"), signer("one.example"));
        let text = one.sign(42, Digest::from_bytes([7; 32]), at(5)).unwrap().to_string();
        let altered = text.replace("\n42\n", "\n41\n");
        for (text, verifier) in [(&altered, one.verifier()), (&text, two.verifier())] {
            assert!(SignedCheckpoint::parse(text.as_bytes(), verifier).is_err());
        }
        let other = SignedCheckpoint::parse(text.as_bytes(), signer("two.example").verifier());
        assert!(matches!(other, Err(CheckpointError::Origin { .. })), "{other:?}");
        assert!(Checkpoint::parse("a\n042\nAAAA\n").is_err());
        assert!(Checkpoint::parse("a\n42\nAAAA\n").is_err());
    }
}
