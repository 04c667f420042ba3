//! Rows of PostgreSQL's binary format as Arrow batches.

use std::{error::Error, pin::pin, sync::Arc};

use arrow::{
    array::{ArrayRef, BooleanBuilder, Date32Builder, Int64Builder, StringBuilder},
    record_batch::RecordBatch,
};
use convenant_model::{PartialDate, value::FieldType};
use futures::TryStreamExt;
use tokio_postgres::{
    Row, RowStream,
    types::{FromSql, IsNull, ToSql, Type, private::BytesMut, to_sql_checked},
};

use crate::{
    batch::{Batch, nobody},
    binding::Column,
    error::SourceError,
    plan::Plan,
};

/// Days since 1970-01-01 as PostgreSQL's `date`, which counts from 2000-01-01.
#[derive(Clone, Copy, Debug)]
pub(super) struct Days(pub(super) i32);

/// Days from 1970-01-01 to 2000-01-01.
const MILLENNIUM: i32 = 10_957;

impl<'a> FromSql<'a> for Days {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let days = i32::from_sql(&Type::INT4, raw)?;
        // `infinity` and `-infinity` are the two ends of the range.
        let finite = days.checked_add(MILLENNIUM).filter(|_| days != i32::MIN);
        finite.map(Self).ok_or_else(|| format!("not a {kind}").into())
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::DATE
    }
}

impl ToSql for Days {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.0.saturating_sub(MILLENNIUM).to_sql(&Type::INT4, out)
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::DATE
    }

    to_sql_checked!();
}

/// Gathers rows into batches and counts them.
pub(super) struct Rows<'a> {
    plan: &'a Plan,
    taken: u64,
}

impl<'a> Rows<'a> {
    pub(super) const fn new(plan: &'a Plan) -> Self {
        Self { plan, taken: 0 }
    }

    /// Rows taken so far.
    pub(super) const fn taken(&self) -> u64 {
        self.taken
    }

    /// The rows of one fetch as a batch.
    pub(super) async fn take(
        &mut self,
        rows: RowStream,
        failed: impl Fn(tokio_postgres::Error) -> SourceError,
    ) -> Result<Batch, SourceError> {
        let mut persons = nobody(self.plan);
        let mut cells: Vec<_> = self.plan.output.iter().map(|c| Cells::new(c)).collect();
        let mut rows = pin!(rows);
        while let Some(row) = rows.try_next().await.map_err(&failed)? {
            self.taken += 1;
            if self.taken > self.plan.max_rows {
                return Err(self.plan.too_many());
            }
            for (i, (cells, column)) in cells.iter_mut().zip(&self.plan.output).enumerate() {
                cells.append(&row, i).ok_or_else(|| self.wrong(column))?;
            }
            // Behind what leaves, as `Statement::rows` asks for them.
            let behind = (self.plan.output.len()..).zip(&self.plan.persons);
            for (found, (i, column)) in persons.iter_mut().zip(behind) {
                let text = row.try_get::<_, Option<&str>>(i).map_err(|_| self.wrong(column))?;
                found.extend(std::iter::once(text));
            }
        }
        let arrays = cells.into_iter().map(Cells::finish).collect();
        let rows = RecordBatch::try_new(Arc::clone(&self.plan.schema), arrays);
        let broken = |_| SourceError::Interrupted { dataset: self.plan.dataset.clone() };
        Ok(Batch { rows: rows.map_err(broken)?, persons })
    }

    fn wrong(&self, column: &Column) -> SourceError {
        SourceError::Value {
            dataset: self.plan.dataset.clone(),
            field: column.field.clone(),
            row: self.taken,
            expected: column.kind.as_str(),
        }
    }
}

/// One column of a batch in the making.
enum Cells {
    Text(StringBuilder),
    PartialDate(StringBuilder),
    Integer(Int64Builder),
    Date(Date32Builder),
    Boolean(BooleanBuilder),
}

impl Cells {
    fn new(column: &Column) -> Self {
        match column.kind {
            FieldType::Integer => Self::Integer(Int64Builder::new()),
            FieldType::Date => Self::Date(Date32Builder::new()),
            FieldType::Boolean => Self::Boolean(BooleanBuilder::new()),
            FieldType::PartialDate => Self::PartialDate(StringBuilder::new()),
            _ => Self::Text(StringBuilder::new()),
        }
    }

    /// `None` where the cell does not hold a value of the type.
    fn append(&mut self, row: &Row, i: usize) -> Option<()> {
        match self {
            Self::Text(cells) => cells.append_option(row.try_get::<_, Option<&str>>(i).ok()?),
            Self::PartialDate(cells) => {
                let text = row.try_get::<_, Option<&str>>(i).ok()?;
                if text.is_some_and(|text| text.parse::<PartialDate>().is_err()) {
                    return None;
                }
                cells.append_option(text);
            }
            Self::Integer(cells) => cells.append_option(row.try_get(i).ok()?),
            Self::Date(cells) => {
                let days = row.try_get::<_, Option<Days>>(i).ok()?;
                cells.append_option(days.map(|days| days.0));
            }
            Self::Boolean(cells) => cells.append_option(row.try_get(i).ok()?),
        }
        Some(())
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Text(mut cells) | Self::PartialDate(mut cells) => Arc::new(cells.finish()),
            Self::Integer(mut cells) => Arc::new(cells.finish()),
            Self::Date(mut cells) => Arc::new(cells.finish()),
            Self::Boolean(mut cells) => Arc::new(cells.finish()),
        }
    }
}
