//! Parquet: the file states its types, only the bound columns are decoded.

use std::sync::Arc;

use arrow::{
    datatypes::{Field, Schema},
    record_batch::RecordBatch,
};
use parquet::arrow::{ProjectionMask, arrow_reader::ParquetRecordBatchReaderBuilder};

use super::{Blocks, FileSource};
use crate::{BATCH_ROWS, binding::Column, error::SourceError, value};

pub(super) fn open(source: &FileSource, columns: &[Arc<Column>]) -> Result<Blocks, SourceError> {
    let unreadable = |_| source.malformed("not a readable Parquet file".to_owned());
    let builder = ParquetRecordBatchReaderBuilder::try_new(source.file()?).map_err(unreadable)?;
    let schema = Arc::clone(builder.schema());
    let positions = columns
        .iter()
        .map(|column| position(source, &schema, column))
        .collect::<Result<Vec<_>, _>>()?;
    let mask = ProjectionMask::roots(builder.parquet_schema(), positions);
    let reader =
        builder.with_projection(mask).with_batch_size(BATCH_ROWS).build().map_err(unreadable)?;
    let (source, columns) = (source.clone(), columns.to_vec());
    Ok(Box::new(reader.map(move |batch| {
        batch
            .ok()
            .and_then(|batch| renamed(&batch, &columns))
            .ok_or_else(|| source.malformed("a row group cannot be read".to_owned()))
    })))
}

fn position(source: &FileSource, schema: &Schema, column: &Column) -> Result<usize, SourceError> {
    let named = |(_, field): &(usize, &Arc<Field>)| *field.name() == column.name;
    let mut found = schema.fields().iter().enumerate().filter(named);
    let (position, field) = match (found.next(), found.count()) {
        (Some(found), 0) => found,
        (first, more) => {
            let found = usize::from(first.is_some()) + more;
            return Err(source.no_such_column(column, found));
        }
    };
    if value::holds(column.kind, field.data_type()) {
        return Ok(position);
    }
    Err(SourceError::ColumnType {
        dataset: source.binding.dataset().clone(),
        field: column.field.clone(),
        column: column.name.clone(),
        expected: column.kind.as_str(),
        found: field.data_type().to_string(),
    })
}

/// The asked columns in the asked order, under the covenant's names.
fn renamed(batch: &RecordBatch, columns: &[Arc<Column>]) -> Option<RecordBatch> {
    let found = columns.iter().map(|column| batch.column_by_name(&column.name).cloned());
    let arrays = found.collect::<Option<Vec<_>>>()?;
    let field = |(column, array): (&Arc<Column>, &arrow::array::ArrayRef)| {
        Field::new(column.field.as_str(), array.data_type().clone(), true)
    };
    let fields: Vec<_> = columns.iter().zip(&arrays).map(field).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).ok()
}
