//! The one door to a partner's data.

use std::sync::Arc;

use convenant_clauses::Permit;
use convenant_ledger::Recorded;
use convenant_model::{DatasetId, subjects::Subject};
use futures::{
    future::{self, BoxFuture, FutureExt},
    stream::{self, BoxStream, StreamExt},
};
use tokio::sync::mpsc;

use crate::{
    Binding, SourceConfig, batch::Batch, error::SourceError, file::FileSource, plan::Plan,
    postgres::PostgresSource,
};

/// Most rows of one batch.
pub const BATCH_ROWS: usize = 8192;

/// Batches whose columns are the permitted fields, in the permit's order, under the covenant's names, each with
/// the persons that its rows are about where somebody keeps account of that.
/// There is always at least one, if need be without rows. An error is the last item, and makes void
/// what came before it. Dropping the stream stops the reading.
pub type BatchStream = BoxStream<'static, Result<Batch, SourceError>>;

/// Makes the adapter for a bound dataset. Nothing is opened before [`Source::check`].
///
/// # Errors
/// When the configured table is not of the form `schema.table`.
pub fn open(binding: Binding, config: &SourceConfig) -> Result<Arc<dyn Source>, SourceError> {
    Ok(match config {
        SourceConfig::Csv(file) => Arc::new(FileSource::csv(binding, &file.path)),
        SourceConfig::Parquet(file) => Arc::new(FileSource::parquet(binding, &file.path)),
        SourceConfig::Postgres(database) => Arc::new(PostgresSource::new(binding, database)?),
    })
}

/// A partner's data behind one dataset of the covenant.
///
/// A permit opens nothing before it is on record:
///
/// ```
/// # use {convenant_clauses::Permit, convenant_ledger::Recorded, convenant_source::{BatchStream, Source}};
/// fn answer(source: &dyn Source, permit: &Recorded<Permit>) -> BatchStream {
///     source.read(permit, Vec::new())
/// }
/// ```
///
/// ```compile_fail,E0308
/// # use {convenant_clauses::Permit, convenant_ledger::Recorded, convenant_source::{BatchStream, Source}};
/// fn answer(source: &dyn Source, permit: &Permit) -> BatchStream {
///     source.read(permit, Vec::new())
/// }
/// ```
pub trait Source: Send + Sync {
    /// Checks, before anything is served, that every bound column is there, holds values of its field's
    /// type and may be read. A CSV file, which has no types, is read through once.
    ///
    /// # Errors
    /// Names dataset, field and column of the first fault.
    fn check(&self) -> BoxFuture<'_, Result<(), SourceError>>;

    /// The permitted rows. Call it within a tokio runtime.
    ///
    /// # Errors
    /// As the last item of the stream: when the permit does not fit the source, more rows match than it
    /// lets out, a value is not of its field's type, or the source fails.
    fn read(&self, permit: &Recorded<Permit>, subjects: Vec<Subject>) -> BatchStream;

    /// How many rows match, exactly; what may be disclosed of it is the caller's to compute.
    ///
    /// # Errors
    /// As [`Source::read`], but for the number of rows.
    fn count(
        &self,
        permit: &Recorded<Permit>,
        subjects: Vec<Subject>,
    ) -> BoxFuture<'_, Result<u64, SourceError>>;

    /// How many rows there are in the project's area, whatever the permit's query asks of them.
    ///
    /// # Errors
    /// As [`Source::count`], and where the area is not held by fields of the source.
    fn within_area(&self, permit: &Recorded<Permit>) -> BoxFuture<'_, Result<u64, SourceError>>;
}

impl<A: Adapter> Source for A {
    fn check(&self) -> BoxFuture<'_, Result<(), SourceError>> {
        Adapter::check(self)
    }

    fn read(&self, permit: &Recorded<Permit>, subjects: Vec<Subject>) -> BatchStream {
        match Plan::of(self.binding(), permit, subjects) {
            Ok(plan) if plan.output.is_empty() => failed(plan.nothing_asked()),
            Ok(plan) => self.rows(plan),
            Err(error) => failed(error),
        }
    }

    fn count(
        &self,
        permit: &Recorded<Permit>,
        subjects: Vec<Subject>,
    ) -> BoxFuture<'_, Result<u64, SourceError>> {
        match Plan::of(self.binding(), permit, subjects) {
            Ok(plan) => self.total(plan),
            Err(error) => future::ready(Err(error)).boxed(),
        }
    }

    fn within_area(&self, permit: &Recorded<Permit>) -> BoxFuture<'_, Result<u64, SourceError>> {
        match Plan::of_area(self.binding(), permit) {
            Ok(plan) => self.total(plan),
            Err(error) => future::ready(Err(error)).boxed(),
        }
    }
}

/// What each kind of source does with a plan, which only a recorded permit can become.
pub(crate) trait Adapter: Send + Sync {
    fn binding(&self) -> &Binding;
    fn check(&self) -> BoxFuture<'_, Result<(), SourceError>>;
    fn rows(&self, plan: Plan) -> BatchStream;
    fn total(&self, plan: Plan) -> BoxFuture<'_, Result<u64, SourceError>>;
}

/// What a reader puts into its channel. Without `End` the answer is not whole: a reader that panics
/// must not look like one that finished.
pub(crate) enum Poured {
    Batch(Batch),
    End,
    Failed(SourceError),
}

/// The reader's channel: short, so that a slow receiver slows the reader down.
pub(crate) fn channel() -> (mpsc::Sender<Poured>, mpsc::Receiver<Poured>) {
    mpsc::channel(2)
}

/// The receiving end as a stream.
pub(crate) fn receive(dataset: DatasetId, receiver: mpsc::Receiver<Poured>) -> BatchStream {
    let next = |state: Option<(DatasetId, mpsc::Receiver<Poured>)>| async move {
        let (dataset, mut receiver) = state?;
        match receiver.recv().await {
            Some(Poured::Batch(batch)) => Some((Ok(batch), Some((dataset, receiver)))),
            Some(Poured::End) => None,
            Some(Poured::Failed(error)) => Some((Err(error), None)),
            None => Some((Err(SourceError::Interrupted { dataset }), None)),
        }
    };
    stream::unfold(Some((dataset, receiver)), next).boxed()
}

fn failed(error: SourceError) -> BatchStream {
    stream::iter([Err(error)]).boxed()
}
