//! An answer: sealed chunk by chunk to the requester, and signed off once.

use std::sync::Arc;

use convenant_clauses::Permit;
use convenant_ledger::Recorded;
use convenant_model::{
    Digest, Oin, QueryId, Timestamp,
    entry::{OutcomeEntry, SignedOutcome, Status, TargetOutcome},
};
use convenant_signing::{
    CanonicalError, ChunkHasher, Direction, KeyError, SealContext, SealError, Sealer, SigningKey,
    SystemRandom, canonical, sign_compact,
};
use thiserror::Error;

use crate::{OUTCOME_TYPE, Received};

/// Why an answer cannot be made.
#[derive(Debug, Error)]
pub enum AnswerError {
    /// The permit is for another query or target than was received.
    #[error("the permit is for another query or target")]
    OtherQuery,
    /// A chunk cannot be sealed.
    #[error("a chunk cannot be sealed")]
    Seal(#[from] SealError),
    /// The outcome has no canonical form.
    #[error("the outcome cannot be written")]
    Canonical(#[from] CanonicalError),
    /// The outcome cannot be signed.
    #[error("the outcome cannot be signed")]
    Sign(#[from] KeyError),
    /// No secret for the salts of vouchers can be drawn.
    #[error("no secret for vouchers can be drawn")]
    Salts(#[source] KeyError),
}

/// A node's name and the key with which it signs outcomes.
#[derive(Debug)]
pub struct Signatory {
    /// The organisation.
    pub party: Oin,
    /// Its ledger key.
    pub key: Arc<SigningKey>,
}

/// A fresh seal to the requester of one target. It takes a while to make and says nothing of any data, so it is made
/// while the permit is being recorded.
pub struct Envelope {
    subject: About,
    sealer: Sealer,
    encapsulated: [u8; 32],
}

/// An answer under way. Only a recorded permit begins one.
pub struct Answer {
    subject: About,
    decision: u64,
    sealer: Sealer,
    hasher: ChunkHasher,
    rows: u64,
    bytes: u64,
    chunks: u64,
    alarm: bool,
}

/// An exchange that ended at the node.
#[derive(Clone, Debug)]
pub struct Closed {
    /// The outcome as a compact JWS, for the requester.
    pub signed_outcome: String,
    /// The outcome for the node's ledger.
    pub entry: OutcomeEntry,
}

/// Which target of which query.
struct About {
    query: QueryId,
    signed_query: Digest,
    target: u32,
}

impl About {
    fn of(received: &Received, target: u32) -> Self {
        Self { query: received.query().id, signed_query: received.hash(), target }
    }
}

impl Envelope {
    /// A seal to whoever sent the query.
    ///
    /// # Errors
    /// When the requester's sealing key is not usable.
    pub fn new(
        received: &Received,
        target: u32,
        own: &Oin,
        random: &SystemRandom,
    ) -> Result<Self, AnswerError> {
        let query = received.query();
        let context = SealContext {
            direction: Direction::Result,
            query: query.id,
            target,
            sender: own.clone(),
            recipient: query.requester.partner.clone(),
            signed_query: Some(received.hash()),
        };
        let (sealer, encapsulated) = Sealer::new(&query.requester.sealing_key, &context, random)?;
        Ok(Self { subject: About::of(received, target), sealer, encapsulated })
    }
}

impl Answer {
    /// Begins the answer to one target. The encapsulated key goes before the first chunk.
    ///
    /// # Errors
    /// When the permit is for another query or target than the envelope.
    pub fn begin(
        permit: &Recorded<Permit>,
        envelope: Envelope,
    ) -> Result<(Self, [u8; 32]), AnswerError> {
        let Envelope { subject, sealer, encapsulated } = envelope;
        if permit.item().query_id() != subject.query || permit.item().target() != subject.target {
            return Err(AnswerError::OtherQuery);
        }
        let answer = Self {
            subject,
            decision: permit.index(),
            sealer,
            hasher: ChunkHasher::new(),
            rows: 0,
            bytes: 0,
            chunks: 0,
            alarm: false,
        };
        Ok((answer, encapsulated))
    }

    /// Seals the next chunk.
    ///
    /// # Errors
    /// When it is too long, or came after the last.
    pub fn seal(&mut self, plain: &[u8], last: bool) -> Result<Vec<u8>, AnswerError> {
        let sealed = self.sealer.seal(plain, last)?;
        self.hasher.add(&sealed);
        self.bytes += sealed.len() as u64;
        self.chunks += 1;
        Ok(sealed)
    }

    /// Counts rows that went into the answer.
    pub const fn add_rows(&mut self, rows: u64) {
        self.rows += rows;
    }

    /// Rows that went into the answer so far.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Notes that the rows are out of proportion to the residents of the area (clause S12).
    pub const fn raise_alarm(&mut self) {
        self.alarm = true;
    }

    /// Ends the answer and signs what became of it.
    ///
    /// # Errors
    /// When the outcome cannot be signed.
    pub fn close(
        self,
        status: Status,
        at: Timestamp,
        signatory: &Signatory,
    ) -> Result<Closed, AnswerError> {
        let hash = self.hasher.finish();
        let outcome = SignedOutcome {
            query: self.subject.query,
            signed_query: self.subject.signed_query,
            target: self.subject.target,
            partner: signatory.party.clone(),
            status: status.clone(),
            rows: self.rows,
            bytes: self.bytes,
            chunks: self.chunks,
            hash,
            alarm: self.alarm,
            decision: Some(self.decision),
            at,
        };
        let entry = OutcomeEntry {
            party: signatory.party.clone(),
            query: self.subject.query,
            decision: self.decision,
            at,
            results: vec![TargetOutcome {
                target: self.subject.target,
                partner: signatory.party.clone(),
                status,
                bytes: self.bytes,
                chunks: self.chunks,
                hash: (self.chunks > 0).then_some(hash),
                alarm: self.alarm,
            }],
        };
        Ok(Closed { signed_outcome: sign(&outcome, signatory)?, entry })
    }
}

/// Signs that one target of a query was not answered. `decision` is the index of the refusal in the
/// node's ledger.
///
/// # Errors
/// When the outcome cannot be signed.
pub fn decline(
    received: &Received,
    target: u32,
    status: Status,
    decision: Option<u64>,
    signatory: &Signatory,
) -> Result<String, AnswerError> {
    let about = About::of(received, target);
    let outcome = SignedOutcome {
        query: about.query,
        signed_query: about.signed_query,
        target,
        partner: signatory.party.clone(),
        status,
        rows: 0,
        bytes: 0,
        chunks: 0,
        hash: ChunkHasher::new().finish(),
        alarm: false,
        decision,
        at: received.at(),
    };
    sign(&outcome, signatory)
}

fn sign(outcome: &SignedOutcome, signatory: &Signatory) -> Result<String, AnswerError> {
    Ok(sign_compact(OUTCOME_TYPE, &canonical(outcome)?, &signatory.key)?)
}
