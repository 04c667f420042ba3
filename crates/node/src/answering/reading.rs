//! From a recorded permit to sealed chunks.

use std::time::Instant;

use arrow::array::{AsArray as _, RecordBatch};
use bytes::Bytes;
use convenant_clauses::Permit;
use convenant_exchange::{Answer, Issuing};
use convenant_ledger::Recorded;
use convenant_model::{Problem, query::QueryKind, subjects::Subject};
use convenant_source::{Source, SourceError};
use convenant_wire::v1::answer_frame::Body;
use futures::StreamExt as _;

use super::{Answering, Asked, Frames, Gone, about::About, lapse::Lapse};
use crate::{count::disclosed, ipc::Chunker};

impl Answering {
    /// Reads what the permit allows and sends it sealed.
    pub(super) async fn pour(
        &self,
        (asked, permit): (&Asked, &Recorded<Permit>),
        subjects: Vec<Subject>,
        (encapsulated, answer): ([u8; 32], &mut Answer),
        frames: &Frames,
    ) -> Result<(), Problem> {
        let lapse = Lapse::new(self, asked, permit.item());
        let obligations = permit.item().obligations();
        let datasets = self.datasets.load_full();
        let served = datasets.as_ref().and_then(|all| all.get(&obligations.dataset));
        let served = served.ok_or(Problem::SourceUnavailable)?;
        let source = &served.source;
        self.logged(served, permit.item())?;
        let mut about = About::begin(self.subjects.as_ref(), asked, permit);
        about.ask(served, permit.item(), &subjects).await?;
        let total = self.total(source.as_ref(), permit, &subjects).await?;
        if obligations.count.is_none() && total.is_some_and(|total| total > obligations.max_rows) {
            return Err(Problem::TooManyRows);
        }
        let key = Body::EncapsulatedKey(Bytes::copy_from_slice(&encapsulated));
        frames.send(key).await.map_err(gone)?;
        if let (Some(total), Some(limits)) = (total, obligations.count) {
            let row = disclosed(total, limits).map_err(|_| Problem::Internal)?;
            let mut sending = Sending::new(&row, (answer, None), frames, lapse)?;
            sending.write(&row).await?;
            return sending.finish(self, asked).await;
        }
        let own = &self.party;
        let issuing = Issuing::begin(permit, &asked.received, own, &self.random);
        let answer = (answer, issuing.map_err(|_| Problem::Internal)?);
        let asked = (asked, permit, &about);
        self.rows(source.as_ref(), asked, subjects, (answer, frames, lapse)).await
    }

    /// The number of rows, where it matters before any leaves: a `select` beyond the cap must not
    /// leave in part either.
    async fn total(
        &self,
        source: &dyn Source,
        permit: &Recorded<Permit>,
        subjects: &[Subject],
    ) -> Result<Option<u64>, Problem> {
        if permit.item().query().kind == QueryKind::Lookup {
            return Ok(None);
        }
        let started = Instant::now();
        let total = source.count(permit, subjects.to_vec()).await;
        self.metrics.source(started.elapsed());
        total.map(Some).map_err(|error| told(&error))
    }

    async fn rows(
        &self,
        source: &dyn Source,
        (asked, permit, about): (&Asked, &Recorded<Permit>, &About<'_>),
        subjects: Vec<Subject>,
        (answer, frames, lapse): ((&mut Answer, Option<Issuing>), &Frames, Lapse<'_>),
    ) -> Result<(), Problem> {
        let started = Instant::now();
        let mut batches = source.read(permit, subjects);
        let first = batches.next().await.ok_or(Problem::SourceUnavailable)?;
        let first = about.rows(first.map_err(|error| told(&error))?).await?;
        let mut sending = Sending::new(&first, answer, frames, lapse)?;
        sending.rows(&first).await?;
        while let Some(batch) = batches.next().await {
            let rows = about.rows(batch.map_err(|error| told(&error))?).await?;
            sending.rows(&rows).await?;
        }
        self.metrics.source(started.elapsed());
        self.weigh(source, permit, sending.answer).await?;
        sending.finish(self, asked).await
    }

    /// Raises an alarm where the rows are out of proportion to the residents of the area (clause S12). A number
    /// of rows that is too small to be given as one says nothing of a share.
    async fn weigh(
        &self,
        source: &dyn Source,
        permit: &Recorded<Permit>,
        answer: &mut Answer,
    ) -> Result<(), Problem> {
        let obligations = permit.item().obligations();
        if obligations.alarm_percent.is_none() || answer.rows() < ALARMING_ROWS {
            return Ok(());
        }
        let residents = source.within_area(permit).await.map_err(|error| told(&error))?;
        if obligations.is_alarming(answer.rows(), residents) {
            self.metrics.alarm();
            let query = permit.item().query_id();
            tracing::warn!(%query, "an answer is out of proportion to the residents of the area");
            answer.raise_alarm();
        }
        Ok(())
    }
}

/// Fewest rows that raise an alarm.
const ALARMING_ROWS: u64 = 10;

/// Batches on their way into sealed chunks.
struct Sending<'a> {
    chunker: Chunker,
    answer: &'a mut Answer,
    issuing: Option<Issuing>,
    frames: &'a Frames,
    lapse: Lapse<'a>,
}

impl<'a> Sending<'a> {
    fn new(
        first: &RecordBatch,
        (answer, issuing): (&'a mut Answer, Option<Issuing>),
        frames: &'a Frames,
        lapse: Lapse<'a>,
    ) -> Result<Self, Problem> {
        let chunker = Chunker::new(first.schema_ref()).map_err(|_| Problem::Internal)?;
        Ok(Self { chunker, answer, issuing, frames, lapse })
    }

    async fn rows(&mut self, rows: &RecordBatch) -> Result<(), Problem> {
        self.answer.add_rows(rows.num_rows() as u64);
        if let Some(issuing) = &mut self.issuing {
            vouch(issuing, rows)?;
        }
        self.write(rows).await
    }

    async fn write(&mut self, rows: &RecordBatch) -> Result<(), Problem> {
        self.chunker.write(rows).map_err(|_| Problem::Internal)?;
        self.full_chunks().await
    }

    async fn full_chunks(&mut self) -> Result<(), Problem> {
        while let Some(chunk) = self.chunker.next_chunk() {
            self.lapse.check()?;
            let sealed = self.answer.seal(chunk, false).map_err(|_| Problem::Internal)?;
            self.frames.send(Body::Chunk(sealed.into())).await.map_err(gone)?;
        }
        Ok(())
    }

    /// Ends the rows. Where the answer vouches for them, what does so is the last chunk.
    async fn finish(mut self, answering: &Answering, asked: &Asked) -> Result<(), Problem> {
        self.chunker.finish().map_err(|_| Problem::Internal)?;
        self.full_chunks().await?;
        self.lapse.check()?;
        let issuing = self.issuing.take();
        let sealed = self.answer.seal(self.chunker.rest(), issuing.is_none());
        self.send(sealed.map_err(|_| Problem::Internal)?).await?;
        let Some(issuing) = issuing else {
            return Ok(());
        };
        let (now, signatory) = (answering.clock.now(), &asked.keys.signatory);
        let vouched = issuing.close(now, signatory).map_err(|_| Problem::Internal)?;
        let sealed = self.answer.seal(&vouched, true).map_err(|_| Problem::Internal)?;
        self.send(sealed).await
    }

    async fn send(&self, sealed: Vec<u8>) -> Result<(), Problem> {
        self.frames.send(Body::Chunk(sealed.into())).await.map_err(gone)
    }
}

/// Vouches for every row that has a value in the field, under the name that it leaves with.
fn vouch(issuing: &mut Issuing, rows: &RecordBatch) -> Result<(), Problem> {
    let column = rows.column_by_name(issuing.key().as_str());
    // Keys that are vouched for are texts, which the covenant was checked for.
    let texts = column.and_then(|column| column.as_string_opt::<i32>());
    let texts = texts.ok_or(Problem::Internal)?;
    texts.iter().flatten().for_each(|text| issuing.add(text));
    Ok(())
}

fn gone(_: Gone) -> Problem {
    Problem::Cancelled
}

/// The error goes into the log, which holds no row; the requester is told the problem.
fn told(error: &SourceError) -> Problem {
    if matches!(error, SourceError::TooManyRows { .. }) {
        return Problem::TooManyRows;
    }
    let cause = std::error::Error::source(error).map(ToString::to_string);
    tracing::error!(%error, cause, "the source failed");
    Problem::SourceUnavailable
}
