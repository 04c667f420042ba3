//! CSV (RFC 4180): every column is read as text, and given its type where it is needed.

use std::{io::Seek, sync::Arc};

use arrow::{
    csv::{ReaderBuilder, reader::Format},
    datatypes::{DataType, Field, Schema},
    error::ArrowError,
    record_batch::RecordBatch,
};

use super::{Blocks, FileSource};
use crate::{binding::Column, error::SourceError};

/// Rows of one block. The reader makes room for all of them at once, also where a file has a few.
const BLOCK_ROWS: usize = 1024;

pub(super) fn open(source: &FileSource, columns: &[Arc<Column>]) -> Result<Blocks, SourceError> {
    let mut file = source.file()?;
    let header = Format::default().with_header(true);
    let (header, _) =
        header.infer_schema(&file, Some(0)).map_err(|error| malformed(source, error))?;
    let rewound = file.rewind();
    rewound.map_err(|error| source.malformed(error.to_string()))?;
    let positions = columns
        .iter()
        .map(|column| position(source, &header, column))
        .collect::<Result<Vec<_>, _>>()?;
    let texts = |field: &Arc<Field>| Field::new(field.name(), DataType::Utf8, true);
    let texts = Schema::new(header.fields().iter().map(texts).collect::<Vec<_>>());
    let reader = ReaderBuilder::new(Arc::new(texts))
        .with_header(true)
        .with_batch_size(BLOCK_ROWS)
        .with_projection(positions)
        .build(file)
        .map_err(|error| malformed(source, error))?;
    let fields = columns.iter().map(|c| Field::new(c.field.as_str(), DataType::Utf8, true));
    let named = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let source = source.clone();
    Ok(Box::new(reader.map(move |batch| {
        batch
            .and_then(|batch| RecordBatch::try_new(Arc::clone(&named), batch.columns().to_vec()))
            .map_err(|error| malformed(&source, error))
    })))
}

fn position(source: &FileSource, header: &Schema, column: &Column) -> Result<usize, SourceError> {
    let named = |(_, field): &(usize, &Arc<Field>)| *field.name() == column.name;
    let mut found = header.fields().iter().enumerate().filter(named);
    match (found.next(), found.count()) {
        (Some((position, _)), 0) => Ok(position),
        (first, more) => Err(source.no_such_column(column, usize::from(first.is_some()) + more)),
    }
}

/// The reader's own messages name the line and how many fields it has, and no value: every column is
/// text, so none is parsed.
fn malformed(source: &FileSource, error: ArrowError) -> SourceError {
    source.malformed(match error {
        ArrowError::CsvError(fault) => fault,
        ArrowError::IoError(fault, _) => fault,
        _ => "not a CSV file".to_owned(),
    })
}
