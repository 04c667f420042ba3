//! The one door to a partner's data.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use convenant_model::DatasetId;
use futures::{
    future::BoxFuture,
    stream::{self, BoxStream, StreamExt},
};
use tokio::sync::mpsc;

use crate::{
    Binding, SourceConfig, error::SourceError, file::FileSource, plan::Plan,
    postgres::PostgresSource,
};

/// Most rows of one batch.
pub const BATCH_ROWS: usize = 8192;

/// Batches whose columns are the permitted fields, in the permit's order, under the covenant's names.
/// There is always at least one, if need be without rows. An error is the last item, and makes void
/// what came before it. Dropping the stream stops the reading.
pub type BatchStream = BoxStream<'static, Result<RecordBatch, SourceError>>;

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
pub trait Source: Send + Sync {
    /// Checks, before anything is served, that every bound column is there, holds values of its field's
    /// type and may be read. A CSV file, which has no types, is read through once.
    fn check(&self) -> BoxFuture<'_, Result<(), SourceError>>;
}

impl<A: Adapter> Source for A {
    fn check(&self) -> BoxFuture<'_, Result<(), SourceError>> {
        Adapter::check(self)
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
    Batch(RecordBatch),
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

/// A stream that consists of one error.
pub(crate) fn failed(error: SourceError) -> BatchStream {
    stream::iter([Err(error)]).boxed()
}
