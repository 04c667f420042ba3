//! Files of rows: read on a thread of their own, block by block, through one filter.

use std::{
    fs::File,
    num::NonZero,
    path::{Path, PathBuf},
    sync::Arc,
};

use arc_swap::ArcSwapOption;
use arrow::{compute::BatchCoalescer, record_batch::RecordBatch};
use futures::{FutureExt, StreamExt, future::BoxFuture};
use tokio::{
    sync::{
        OwnedSemaphorePermit, Semaphore,
        mpsc::{Sender, error::TrySendError},
        oneshot,
    },
    task::spawn_blocking,
};

use crate::{
    Binding,
    adapter::{Adapter, BATCH_ROWS, BatchStream, Poured, channel, receive},
    batch::{Batch, Persons, nobody},
    binding::Column,
    error::SourceError,
    filter::{Block, Filter},
    plan::Plan,
};

mod conformity;
mod csv;
mod parquet;

use conformity::Conformity;

/// A CSV or Parquet file.
#[derive(Clone)]
pub(crate) struct FileSource {
    binding: Arc<Binding>,
    path: PathBuf,
    format: Format,
    turns: Arc<Semaphore>,
    /// Of a CSV file, as it was when it was last opened.
    header: Arc<ArcSwapOption<csv::Header>>,
}

/// Reads of one file that have a turn at once, for each core. More would only take room, because each thread keeps
/// memory of its own. A read whose rows are not taken as fast as they come goes on without a turn.
const TURNS: usize = 2;

#[derive(Clone, Copy)]
enum Format {
    Csv,
    Parquet,
}

/// The blocks of a file, each with the asked columns under the covenant's names.
type Blocks = Box<dyn Iterator<Item = Result<RecordBatch, SourceError>>>;

impl FileSource {
    pub(crate) fn csv(binding: Binding, path: &Path) -> Self {
        Self::new(binding, path, Format::Csv)
    }

    pub(crate) fn parquet(binding: Binding, path: &Path) -> Self {
        Self::new(binding, path, Format::Parquet)
    }

    fn new(binding: Binding, path: &Path, format: Format) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let turns = Arc::new(Semaphore::new(TURNS * cores));
        Self {
            binding: Arc::new(binding),
            path: path.to_owned(),
            format,
            turns,
            header: Arc::default(),
        }
    }

    /// Opens the file, which may be another one than at the last time, and checks its columns.
    fn blocks(
        &self,
        columns: &[Arc<Column>],
    ) -> Result<impl Iterator<Item = Result<Block, SourceError>>, SourceError> {
        let blocks = match self.format {
            Format::Csv => csv::open(self, columns)?,
            Format::Parquet => parquet::open(self, columns)?,
        };
        let dataset = self.binding.dataset().clone();
        let mut before = 0;
        Ok(blocks.map(move |batch| {
            let batch = batch?;
            let rows = batch.num_rows() as u64;
            before += rows;
            Ok(Block { dataset: dataset.clone(), batch, before: before - rows })
        }))
    }

    fn file(&self) -> Result<File, SourceError> {
        File::open(&self.path).map_err(|source| SourceError::File {
            dataset: self.binding.dataset().clone(),
            path: self.path.clone(),
            source,
        })
    }

    fn malformed(&self, fault: String) -> SourceError {
        SourceError::Malformed {
            dataset: self.binding.dataset().clone(),
            path: self.path.clone(),
            fault,
        }
    }

    fn no_such_column(&self, column: &Column, found: usize) -> SourceError {
        SourceError::Column {
            dataset: self.binding.dataset().clone(),
            field: column.field.clone(),
            column: column.name.clone(),
            found,
        }
    }

    /// Reads every bound column once: a CSV file has no other types than those of its values.
    fn check_blocking(&self, _: &Waiting) -> Result<(), SourceError> {
        let columns = self.binding.columns();
        let mut conformity = Conformity::new(&columns);
        for block in self.blocks(&columns)? {
            conformity.see(&block?)?;
        }
        conformity.conclude(self.binding.dataset())
    }

    fn count_blocking(&self, plan: &Plan, waiting: &Waiting) -> Result<u64, SourceError> {
        let filter = Filter::of(plan);
        let count = |block: Result<Block, SourceError>| match waiting.is_closed() {
            true => Err(SourceError::Interrupted { dataset: plan.dataset.clone() }),
            false => filter.count(&block?),
        };
        self.blocks(&plan.needed(false))?.map(count).sum()
    }

    fn pour(&self, outlet: &mut Outlet<'_>) -> Result<Flow, SourceError> {
        let filter = Filter::of(outlet.plan);
        for block in self.blocks(&outlet.plan.needed(true))? {
            if let Flow::Stopped = outlet.push(filter.apply(&block?)?)? {
                return Ok(Flow::Stopped);
            }
        }
        outlet.finish()
    }

    /// A turn to read; nobody closes the semaphore, so there always comes one.
    async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.turns).acquire_owned().await.ok()
    }

    /// Runs the work on a thread that may block. It is told whether anybody still waits for it: who does not must not
    /// keep a turn.
    fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self, &Waiting) -> Result<T, SourceError> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, SourceError>> {
        let stopped = |_| SourceError::Interrupted { dataset: self.binding.dataset().clone() };
        let work = async move {
            let (source, turn) = (self.clone(), self.turn().await);
            let (waiting, waits) = oneshot::channel();
            let done = spawn_blocking(move || {
                let _turn = turn;
                work(&source, &waiting)
            });
            let done = done.await.map_err(stopped)?;
            drop(waits);
            done
        };
        work.boxed()
    }
}

impl Adapter for FileSource {
    fn binding(&self) -> &Binding {
        &self.binding
    }

    fn check(&self) -> BoxFuture<'_, Result<(), SourceError>> {
        self.blocking(Self::check_blocking)
    }

    fn rows(&self, plan: Plan) -> BatchStream {
        let (sender, receiver) = channel();
        let (source, dataset) = (self.clone(), plan.dataset.clone());
        let begun = async move {
            let turn = source.turn().await;
            spawn_blocking(move || {
                let mut outlet = Outlet::new(&plan, sender, turn);
                if let Err(error) = source.pour(&mut outlet) {
                    outlet.send(Poured::Failed(error));
                }
            });
            receive(dataset, receiver)
        };
        begun.flatten_stream().boxed()
    }

    fn total(&self, plan: Plan) -> BoxFuture<'_, Result<u64, SourceError>> {
        self.blocking(move |source, waiting| source.count_blocking(&plan, waiting))
    }
}

/// Closed once nobody waits any more.
type Waiting = oneshot::Sender<()>;

/// Whether the receiver still listens.
enum Flow {
    Going,
    Stopped,
}

/// Gathers small batches into full ones, counts rows, and sends.
struct Outlet<'a> {
    plan: &'a Plan,
    sender: Sender<Poured>,
    turn: Option<OwnedSemaphorePermit>,
    gathered: BatchCoalescer,
    /// Whom the rows are about that were gathered: told with the next batch, so before any of those rows.
    persons: Vec<Persons>,
    left: u64,
    sent: bool,
}

impl<'a> Outlet<'a> {
    fn new(plan: &'a Plan, sender: Sender<Poured>, turn: Option<OwnedSemaphorePermit>) -> Self {
        Self {
            plan,
            sender,
            turn,
            // What is large already is passed on as it is, not copied.
            gathered: BatchCoalescer::new(Arc::clone(&plan.schema), BATCH_ROWS)
                .with_biggest_coalesce_batch_size(Some(BATCH_ROWS / 2)),
            persons: nobody(plan),
            left: plan.max_rows,
            sent: false,
        }
    }

    fn push(&mut self, batch: Batch) -> Result<Flow, SourceError> {
        let Batch { rows: batch, persons } = batch;
        for (gathered, more) in self.persons.iter_mut().zip(persons) {
            gathered.values.extend(more.values);
        }
        let rows = batch.num_rows() as u64;
        if rows > self.left {
            return Err(self.plan.too_many());
        }
        self.left -= rows;
        // The coalescer's only error is a batch of another schema, and they all come from one plan.
        if self.gathered.push_batch(batch).is_err() {
            return Ok(Flow::Stopped);
        }
        Ok(self.send_completed())
    }

    fn finish(&mut self) -> Result<Flow, SourceError> {
        if self.gathered.finish_buffered_batch().is_err() {
            return Ok(Flow::Stopped);
        }
        if let Flow::Stopped = self.send_completed() {
            return Ok(Flow::Stopped);
        }
        if !self.sent {
            self.send_batch(RecordBatch::new_empty(self.gathered.schema()));
        }
        Ok(self.send(Poured::End))
    }

    fn send_batch(&mut self, rows: RecordBatch) -> Flow {
        let persons = std::mem::replace(&mut self.persons, nobody(self.plan));
        self.send(Poured::Batch(Batch { rows, persons }))
    }

    /// Also asks, where nothing is to be sent, whether anybody listens.
    fn send_completed(&mut self) -> Flow {
        while let Some(batch) = self.gathered.next_completed_batch() {
            self.sent = true;
            if let Flow::Stopped = self.send_batch(batch) {
                return Flow::Stopped;
            }
        }
        if self.sender.is_closed() { Flow::Stopped } else { Flow::Going }
    }

    fn send(&mut self, poured: Poured) -> Flow {
        let sent = match self.sender.try_send(poured) {
            Err(TrySendError::Full(poured)) => {
                // Nobody waits for a turn because somebody else's reader is slow.
                self.turn = None;
                self.sender.blocking_send(poured).is_ok()
            }
            other => other.is_ok(),
        };
        if sent { Flow::Going } else { Flow::Stopped }
    }
}
