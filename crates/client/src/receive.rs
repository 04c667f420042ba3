//! Opening and verifying the answer to one target. Rows are written as they come; they count only
//! when the node's signed outcome agrees with what was received, to the byte.

use arrow::{
    array::RecordBatch, buffer::Buffer, datatypes::Schema, error::ArrowError,
    ipc::reader::StreamDecoder,
};
use bytes::Bytes;
use convenant_exchange::{Kept, OUTCOME_TYPE, VouchingError};
use convenant_model::{
    FieldName, Oin,
    entry::{SignedOutcome, Status},
    keys::VerifyingKey,
};
use convenant_signing::{
    CanonicalError, ChunkHasher, Direction, JwsError, OpenError, Opener, SealContext, key_id,
    parse_canonical, verify_compact,
};
use thiserror::Error;

use crate::{
    compose::Composed,
    output::{Output, OutputError, Sink},
    results::Extent,
    vouchers::Awaited,
};

/// Most opened bytes that are held until they make a batch of rows. A node sends batches of thousands
/// of rows; a hostile one could announce a batch without end.
const MOST_HELD: usize = 256 << 20;

/// Why an answer is refused. What was received of it is gone.
#[derive(Debug, Error)]
pub enum ReceiveError {
    /// A frame came where it does not belong.
    #[error("the answer's frames are out of order: {0}")]
    Order(&'static str),
    /// A chunk is not the next one that the node sealed.
    #[error("a chunk was dropped, repeated, reordered or altered on its way")]
    Chunk(#[source] OpenError),
    /// What opened is not Arrow.
    #[error("the opened chunks are not Arrow data")]
    Arrow(#[from] ArrowError),
    /// The node's outcome is not signed as it should be.
    #[error("the node's signed outcome does not verify")]
    Signature(#[from] JwsError),
    /// The key with which the node should have signed was revoked.
    #[error("the node's key was revoked")]
    KeyRevoked,
    /// The node's outcome is malformed.
    #[error("the node's signed outcome is malformed")]
    Outcome(#[from] CanonicalError),
    /// The outcome is about something else, or disagrees with what was received.
    #[error("the node's signed outcome disagrees in `{member}`")]
    Disagrees {
        /// The member of the outcome.
        member: &'static str,
    },
    /// The answer has other columns than were asked for.
    #[error("the answer has {found} columns that are not those asked for (`{}`)", asked.join("`, `"))]
    Columns {
        /// The names that had to come, in sequence.
        asked: Vec<String>,
        /// How many came. Their names are whatever the partner wrote there.
        found: usize,
    },
    /// What was to vouch for the rows does not.
    #[error("the partner was to vouch for the rows, and did not")]
    Vouching(#[from] VouchingError),
    /// The answer ended without its last chunk or its outcome.
    #[error("the answer was cut off")]
    CutOff,
    /// The file cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// The answer to one target, as far as it was received.
pub struct Receiving {
    target: u32,
    partner: Oin,
    ledger_key: Option<VerifyingKey>,
    columns: Columns,
    sink: Sink,
    opener: Option<Opener>,
    hasher: ChunkHasher,
    decoder: StreamDecoder,
    output: Option<Output>,
    awaited: Option<Awaited>,
    rows: u64,
    bytes: u64,
    chunks: u64,
    // Opened bytes that have not become rows yet.
    held: usize,
}

/// The names of the columns that an answer may have.
#[derive(Clone, Debug)]
pub struct Columns {
    /// Those asked for: they come first, all of them, in this sequence.
    pub asked: Vec<String>,
    /// Those that go with them where the source has them (clause L15), in sequence.
    pub accompany: Vec<String>,
}

impl Columns {
    fn fit(&self, schema: &Schema) -> bool {
        let mut found = schema.fields().iter().map(|field| field.name());
        let mut accompany = self.accompany.iter();
        found.by_ref().take(self.asked.len()).eq(&self.asked)
            && found.all(|name| accompany.any(|allowed| allowed == name))
    }
}

/// An answer that agrees with the node's signed outcome.
pub struct Accepted {
    /// The outcome.
    pub outcome: SignedOutcome,
    /// The outcome exactly as signed.
    pub signed: String,
    /// The file with the rows, where the target was answered; to be kept once the receipt is on
    /// record.
    pub output: Option<Output>,
    /// What vouches for the rows, where that was asked for.
    pub kept: Option<Kept>,
    /// What is in the file. For a count this is one row, which holds the number.
    pub(crate) extent: Extent,
}

impl Receiving {
    /// Awaits the answer of a partner whose outcomes its ledger key signs, none where it was revoked, with these columns, and with
    /// vouchers for the values of one of them where the query asks for that.
    #[must_use]
    pub fn new(
        target: u32,
        partner: Oin,
        ledger_key: Option<VerifyingKey>,
        (columns, vouch): (Columns, Option<FieldName>),
        sink: Sink,
    ) -> Self {
        Self {
            target,
            partner,
            ledger_key,
            columns,
            sink,
            opener: None,
            hasher: ChunkHasher::new(),
            decoder: StreamDecoder::new(),
            output: None,
            awaited: vouch.map(Awaited::new),
            rows: 0,
            bytes: 0,
            chunks: 0,
            held: 0,
        }
    }

    /// Takes the encapsulated key with which an answer begins.
    ///
    /// # Errors
    /// When an answer was begun already, or the key is not usable.
    pub fn begin(&mut self, composed: &Composed, encapsulated: &[u8]) -> Result<(), ReceiveError> {
        if self.opener.is_some() {
            return Err(ReceiveError::Order("a second encapsulated key"));
        }
        let encapsulated = encapsulated
            .try_into()
            .map_err(|_| ReceiveError::Order("an encapsulated key has 32 bytes"))?;
        let context = SealContext {
            direction: Direction::Result,
            query: composed.query.id,
            target: self.target,
            sender: self.partner.clone(),
            recipient: composed.query.requester.partner.clone(),
            signed_query: Some(composed.hash),
        };
        let opener = Opener::new(&composed.opening, &context, encapsulated);
        self.opener = Some(opener.map_err(ReceiveError::Chunk)?);
        Ok(())
    }

    /// Opens a chunk and writes its rows.
    ///
    /// # Errors
    /// When it is not the next chunk, holds no Arrow data, or cannot be written.
    pub fn chunk(&mut self, sealed: &Bytes) -> Result<(), ReceiveError> {
        let opener = self.opener.as_mut();
        let opener = opener.ok_or(ReceiveError::Order("a chunk before the encapsulated key"))?;
        self.hasher.add(sealed);
        self.bytes += sealed.len() as u64;
        self.chunks += 1;
        let opened = opener.open(sealed).map_err(ReceiveError::Chunk)?;
        if let Some(awaited) = self.awaited.as_mut().filter(|_| opened.last) {
            // The rows ended with the chunk before.
            awaited.came(opened.plain);
            return Ok(());
        }
        self.held += opened.plain.len();
        if self.held > MOST_HELD {
            return Err(ReceiveError::Order("a batch of rows larger than is taken"));
        }
        let mut buffer = Buffer::from_vec(opened.plain);
        while !buffer.is_empty() {
            if let Some(batch) = self.decoder.decode(&mut buffer)? {
                self.held = 0;
                self.write(&batch)?;
            }
        }
        Ok(())
    }

    /// Verifies the node's signed outcome against what was received.
    ///
    /// # Errors
    /// When they disagree; nothing is left of the answer.
    pub fn finish(mut self, composed: &Composed, signed: String) -> Result<Accepted, ReceiveError> {
        let ledger_key = self.ledger_key.take().ok_or(ReceiveError::KeyRevoked)?;
        let own = key_id(&ledger_key);
        let key_of = |id: &_| (*id == own).then(|| ledger_key.clone());
        let verified = verify_compact(&signed, OUTCOME_TYPE, key_of)?;
        let outcome: SignedOutcome = parse_canonical(verified.payload(), "outcome")?;
        self.agree(composed, &outcome)?;
        let answered = outcome.status == Status::Answered;
        let output = answered.then(|| self.complete()).transpose()?;
        let awaited = self.awaited.take().filter(|_| answered);
        let about = (composed, self.target, &self.partner);
        let kept = awaited.map(|awaited| awaited.finish(about, &ledger_key)).transpose()?;
        let names =
            |schema: &Schema| schema.fields().iter().map(|one| one.name().clone()).collect();
        let columns = self.decoder.schema().map_or_else(Vec::new, |schema| names(&schema));
        let extent = Extent { rows: self.rows, columns };
        Ok(Accepted { outcome, signed, output, kept, extent })
    }

    fn agree(&mut self, composed: &Composed, outcome: &SignedOutcome) -> Result<(), ReceiveError> {
        let hash = std::mem::take(&mut self.hasher).finish();
        let answered = outcome.status == Status::Answered;
        let rows = if composed.query.kind == convenant_model::query::QueryKind::Count {
            0
        } else {
            self.rows
        };
        let checks = [
            ("query", outcome.query == composed.query.id),
            ("signed_query", outcome.signed_query == composed.hash),
            ("target", outcome.target == self.target),
            ("partner", outcome.partner == self.partner),
            ("bytes", outcome.bytes == self.bytes),
            ("chunks", outcome.chunks == self.chunks),
            ("hash", outcome.hash == hash),
            ("rows", !answered || outcome.rows == rows),
            ("decision", !answered || outcome.decision.is_some()),
        ];
        match checks.into_iter().find(|(_, agrees)| !agrees) {
            Some((member, _)) => Err(ReceiveError::Disagrees { member }),
            None if answered && !self.opener.as_ref().is_some_and(Opener::finished) => {
                Err(ReceiveError::CutOff)
            }
            None => Ok(()),
        }
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<(), ReceiveError> {
        if self.output.is_none() {
            self.fits(batch.schema_ref())?;
        }
        let output = match &mut self.output {
            Some(output) => output,
            none => none.insert(Output::create(&self.sink, batch.schema_ref())?),
        };
        self.rows += batch.num_rows() as u64;
        if let Some(awaited) = &mut self.awaited {
            awaited.rows(batch)?;
        }
        Ok(output.write(batch)?)
    }

    /// Nothing that was not asked for reaches a file, whoever sent it.
    fn fits(&self, schema: &Schema) -> Result<(), ReceiveError> {
        if self.columns.fit(schema) {
            return Ok(());
        }
        let (asked, found) = (self.columns.asked.clone(), schema.fields().len());
        Err(ReceiveError::Columns { asked, found })
    }

    fn complete(&mut self) -> Result<Output, ReceiveError> {
        self.decoder.finish()?;
        if let (None, Some(schema)) = (&self.output, self.decoder.schema()) {
            self.fits(&schema)?;
            // No rows: the file still says which columns were answered.
            let mut empty = Output::create(&self.sink, &schema)?;
            empty.write(&RecordBatch::new_empty(schema))?;
            self.output = Some(empty);
        }
        self.output.take().ok_or(ReceiveError::CutOff)
    }
}
