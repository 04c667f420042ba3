//! Whom an answer is about goes on record before anything about them is looked for or leaves.

use convenant_clauses::Permit;
use convenant_ledger::Recorded;
use convenant_model::{Problem, subjects::Subject, value::FieldType};
use convenant_source::{Batch, Persons};
use convenant_subjects::{Account, Exchange, JournalError, Subjects};

use super::Asked;
use crate::datasets::Served;

/// The account of one answer; of nobody, where the node keeps none.
pub(super) struct About<'a>(Option<Account<'a>>);

impl<'a> About<'a> {
    pub(super) fn begin(
        subjects: Option<&'a Subjects>,
        asked: &Asked,
        permit: &Recorded<Permit>,
    ) -> Self {
        let exchange = Exchange {
            decision: permit.index(),
            query: permit.item().query_id(),
            target: asked.target,
            at: asked.received.at(),
        };
        Self(subjects.map(|subjects| subjects.account(exchange)))
    }

    /// The people who are asked about: their data is processed, found or not. An address or a company is no
    /// person; who lives there is known when the rows are.
    pub(super) async fn ask(
        &mut self,
        served: &Served,
        permit: &Permit,
        subjects: &[Subject],
    ) -> Result<(), Problem> {
        let shape = permit.asked().and_then(|target| target.subjects.as_ref());
        let (Some(account), Some(shape)) = (&mut self.0, shape) else {
            return Ok(());
        };
        if served.kind(&shape.key) != Some(FieldType::Bsn) {
            return Ok(());
        }
        let keys = subjects.iter().map(|subject| &subject.key);
        account.ask((&shape.key, FieldType::Bsn), keys).await.map_err(|error| told(&error))
    }

    /// The rows of a batch, once the people whom they are about are on record.
    pub(super) async fn rows(&self, batch: Batch) -> Result<arrow::array::RecordBatch, Problem> {
        let Batch { rows, persons } = batch;
        let Some(account) = &self.0 else {
            return Ok(rows);
        };
        for Persons { field, kind, values } in &persons {
            account.about((field, *kind), values.iter()).await.map_err(|error| told(&error))?;
        }
        Ok(rows)
    }
}

fn told(error: &JournalError) -> Problem {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    tracing::error!(%error, cause, "whom an answer is about is not on record, so it is not given");
    Problem::NotRecorded
}
