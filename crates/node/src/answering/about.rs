//! Whom an answer is about goes on record before anything about them is looked for or leaves.

use convenant_clauses::Permit;
use convenant_ledger::Recorded;
use convenant_model::{Problem, query::QueryKind, subjects::Subject, value::FieldType};
use convenant_source::{Batch, Persons};
use convenant_subjects::{Account, Exchange, JournalError, Subjects};

use super::{Answering, Asked};
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

impl Answering {
    /// Nothing about people is read while a log of processing that is mandatory does not keep up.
    pub(super) fn logged(&self, served: &Served, permit: &Permit) -> Result<(), Problem> {
        let Some(gate) = self.logbook.as_ref().filter(|_| is_about_people(served, permit)) else {
            return Ok(());
        };
        gate.check(&*self.clock).map_err(|closed| {
            tracing::error!(query = %permit.query_id(), %closed, "not answered");
            Problem::NotRecorded
        })
    }
}

/// Whether the answer may leave a record of people: of those who are asked about, or of those in its rows.
fn is_about_people(served: &Served, permit: &Permit) -> bool {
    let shape = permit.asked().and_then(|target| target.subjects.as_ref());
    let asked = shape.is_some_and(|shape| served.kind(&shape.key) == Some(FieldType::Bsn));
    asked || (permit.query().kind != QueryKind::Count && served.holds_people())
}

fn told(error: &JournalError) -> Problem {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    tracing::error!(%error, cause, "whom an answer is about is not on record, so it is not given");
    Problem::NotRecorded
}
