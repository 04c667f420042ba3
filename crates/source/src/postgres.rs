//! A table or view in PostgreSQL: read-only transactions, bound parameters, rows fetched as they are
//! taken.

use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt};
use tokio::sync::mpsc::Sender;

use crate::{
    Binding, PostgresConfig,
    adapter::{Adapter, BATCH_ROWS, BatchStream, Poured, channel, receive},
    error::SourceError,
    plan::Plan,
};

mod catalogue;
mod rows;
mod session;
mod sql;

use rows::Rows;
use session::{Server, Session};
use sql::{Statement, Table};

/// A table or view.
#[derive(Clone)]
pub(crate) struct PostgresSource(Arc<Shared>);

struct Shared {
    binding: Binding,
    table: Table,
    server: Server,
}

impl PostgresSource {
    pub(crate) fn new(binding: Binding, config: &PostgresConfig) -> Result<Self, SourceError> {
        let dataset = binding.dataset().clone();
        let table = Table::parse(&config.table).ok_or_else(|| SourceError::TableName {
            dataset: dataset.clone(),
            table: config.table.clone(),
        })?;
        let server = Server::new(dataset, config.clone());
        Ok(Self(Arc::new(Shared { binding, table, server })))
    }
}

impl Adapter for PostgresSource {
    fn binding(&self) -> &Binding {
        &self.0.binding
    }

    fn check(&self) -> BoxFuture<'_, Result<(), SourceError>> {
        let Shared { binding, table, server } = &*self.0;
        catalogue::check(binding, table, server).boxed()
    }

    fn rows(&self, plan: Plan) -> BatchStream {
        let (sender, receiver) = channel();
        let (shared, dataset) = (Arc::clone(&self.0), plan.dataset.clone());
        tokio::spawn(async move {
            let last = match shared.pour(&plan, &sender).await {
                Ok(()) => Poured::End,
                Err(error) => Poured::Failed(error),
            };
            // Nobody listens any more: there is nobody to tell.
            sender.send(last).await.ok();
        });
        receive(dataset, receiver)
    }

    fn total(&self, plan: Plan) -> BoxFuture<'_, Result<u64, SourceError>> {
        async move { self.0.count(&plan).await }.boxed()
    }
}

impl Shared {
    /// Stops, and has the server stop, when nobody listens.
    async fn pour(&self, plan: &Plan, sender: &Sender<Poured>) -> Result<(), SourceError> {
        let session = self.server.session().await?;
        let cancel = session.cancel_token();
        tokio::select! {
            poured = self.pour_within(session, plan, sender) => poured,
            () = sender.closed() => {
                self.server.cancel(cancel).await;
                Ok(())
            }
        }
    }

    /// A session that failed is not used again: it is dropped, not given back. Rows are fetched from a
    /// portal, a batch at a time, so that neither side gathers more and the time-out counts the
    /// database's time only.
    async fn pour_within(
        &self,
        mut session: Session,
        plan: &Plan,
        sender: &Sender<Poured>,
    ) -> Result<(), SourceError> {
        let failed = |error| self.server.failed(&error);
        let transaction = self.server.begin(&mut session).await?;
        let statement = Statement::rows(plan, &self.table);
        let portal = statement.open(&transaction).await.map_err(failed)?;
        let mut rows = Rows::new(plan);
        loop {
            let fetched = transaction.query_portal_raw(&portal, BATCH_ROWS as i32);
            let batch = rows.take(fetched.await.map_err(failed)?, failed).await?;
            let last = batch.rows.num_rows() < BATCH_ROWS;
            let due = batch.rows.num_rows() > 0 || rows.taken() == 0;
            if due && sender.send(Poured::Batch(batch)).await.is_err() {
                return Ok(());
            }
            if last {
                break;
            }
        }
        drop(portal);
        transaction.commit().await.map_err(failed)?;
        self.server.give_back(session);
        Ok(())
    }

    async fn count(&self, plan: &Plan) -> Result<u64, SourceError> {
        let failed = |error| self.server.failed(&error);
        let mut session = self.server.session().await?;
        let transaction = self.server.begin(&mut session).await?;
        let statement = Statement::count(plan, &self.table);
        let counted = statement.only(&transaction).await;
        let total: i64 = counted.and_then(|row| row.try_get(0)).map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        self.server.give_back(session);
        Ok(total.unsigned_abs())
    }
}
